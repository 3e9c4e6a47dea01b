/* text.h - what every adapter does with borrowed strings, and a bounded buffer to build new ones.
 * Thread: any, pure. Owns: nothing but the memory of a struct ltc_buf. Failures: a buffer that would pass its maximum (or
 * finds no memory) keeps what it has, sets `failed` and ignores all later adds, so a chain is checked once at its end. */
#ifndef LANTOA_COMMON_TEXT_H
#define LANTOA_COMMON_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <lantoa/adapter.h>

#define LTC_LIT(s) ((struct lt_str){ (s), sizeof(s) - 1 })
#define LTC_MUST   __attribute__((warn_unused_result))

struct lt_str ltc_z(const char *z); /* NULL gives absent */
bool ltc_eq(struct lt_str a, struct lt_str b);
bool ltc_eqz(struct lt_str a, const char *z);
bool ltc_ieqz(struct lt_str a, const char *z); /* ASCII case only */
bool ltc_starts(struct lt_str s, const char *z);
bool ltc_istarts(struct lt_str s, const char *z);
struct lt_str ltc_from(struct lt_str s, size_t at); /* the rest behind `at` bytes */
struct lt_str ltc_trim(struct lt_str s);            /* space, tab, CR, LF on both sides */
/* Next piece up to sep; false at the end. An empty rest gives no piece. */
bool ltc_next(struct lt_str *rest, char sep, struct lt_str *ret);
/* Next line without its LF or CRLF. */
bool ltc_line(struct lt_str *rest, struct lt_str *ret);
/* First place of needle, ASCII case ignored if `icase`; NULL when absent. */
const char *ltc_find(struct lt_str hay, struct lt_str needle, bool icase);
/* Whole string a decimal number in range; 0, -EINVAL or -ERANGE. */
int ltc_i64(struct lt_str s, int64_t min, int64_t max, int64_t *ret) LTC_MUST;
bool ltc_has_control(struct lt_str s); /* a byte below 0x20, or 0x7f */
bool ltc_is_ascii(struct lt_str s);
bool ltc_utf8_valid(struct lt_str s);
size_t ltc_utf8_seq(struct lt_str s); /* bytes of the well-formed sequence at its start; 0: none */
/* Longest prefix of at most n_max bytes that cuts no code point. */
struct lt_str ltc_utf8_cut(struct lt_str s, size_t n_max);
uint64_t ltc_hash(uint64_t seed, struct lt_str s); /* FNV-1a, 64 bits; stable for ever */
#define LTC_HASH_SEED 1469598103934665603ull

/* Value of a name in a list of pairs; absent when missing. */
struct lt_str ltc_pair(const struct lt_pair *p, size_t n, const char *name);
/* Name of the secret that belongs to a configured key; absent when missing. */
struct lt_str ltc_pair_secret(const struct lt_pair *p, size_t n, const char *name);

struct ltc_buf {
	char *p; /* owned; NUL-terminated once not NULL */
	size_t n, cap, max;
	bool failed;
};
void ltc_buf_init(struct ltc_buf *b, size_t max);
void ltc_buf_done(struct ltc_buf *b);
void ltc_buf_reset(struct ltc_buf *b); /* keeps memory, clears `failed` */
void ltc_add(struct ltc_buf *b, const void *p, size_t n);
void ltc_adds(struct ltc_buf *b, struct lt_str s);
void ltc_addz(struct ltc_buf *b, const char *z);
void ltc_addc(struct ltc_buf *b, char c);
void ltc_addf(struct ltc_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct lt_str ltc_buf_str(const struct ltc_buf *b);
#define LTC_CLEANUP_BUF __attribute__((cleanup(ltc_buf_done)))

/* "Sun, 22 Nov 2026 09:30:00 +0700", whatever the locale; 32 bytes are enough. */
void ltc_date_rfc5322(char *dst, size_t size, int64_t wall_ms, int offset_min);
/* Offset in minutes of "+0700", "+07:00", "UTC" or a zone name without summer time; 0 or -EINVAL. */
int ltc_zone_offset(struct lt_str name, int *ret_minutes) LTC_MUST;
size_t ltc_base64_len(size_t n);
size_t ltc_base64(char *dst, const void *p, size_t n); /* no NUL; returns the length */
/* Length after LT_BASE64_LINES: 76 columns, each line with CRLF. */
uint64_t ltc_base64_lines_len(uint64_t n);

#endif
