/* str.h - borrowed byte strings and the few operations on them. No ownership anywhere in this file. */
#ifndef LANTOA_BASE_STR_H
#define LANTOA_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
	const char *p; /* NULL: absent; not NUL-terminated */
	size_t n;
};

#define STR(lit)   ((struct str){ (lit), sizeof(lit) - 1 })
#define STR_FMT    "%.*s"
#define STR_ARG(s) (int)((s).n > 4096 ? 4096 : (s).n), ((s).p ? (s).p : "")

struct str str_of(const char *z); /* NULL gives absent */
bool str_eq(struct str a, struct str b);
bool str_eqz(struct str a, const char *z);
bool str_ieqz(struct str a, const char *z); /* ASCII case only */
bool str_starts(struct str s, const char *z);
bool str_ends(struct str s, const char *z);
struct str str_trim(struct str s); /* ASCII space, tab, CR, LF on both sides */
/* Cuts the next piece up to `sep` off *rest; false at the end. An empty *rest gives no piece. */
bool str_next(struct str *rest, char sep, struct str *ret_piece);
/* Next line without its LF or CRLF. */
bool str_line(struct str *rest, struct str *ret_line);
/* Whole string a decimal number in range; 0 or -EINVAL / -ERANGE. */
int str_i64(struct str s, int64_t min, int64_t max, int64_t *ret);
/* Copies at most size-1 bytes, always terminates; false if it was cut. */
bool str_copy(char *dst, size_t size, struct str s);
#define STR_HASH_SEED 1469598103934665603ull
uint64_t str_hash(uint64_t seed,
	struct str s); /* FNV-1a over a seed of our own; stable for ever, no secret */
int str_cmp(struct str a, struct str b); /* bytes, as memcmp then length */
/* The candidate nearest to `s` by edit distance (at most 3), or NULL: for "did you mean". */
const char *str_nearest(struct str s, const char *const *candidates, size_t n);
/* Has a byte below 0x20 or 0x7f. */
bool str_has_control(struct str s);

#endif
