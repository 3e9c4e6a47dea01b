/* json.h - what providers say in JSON, and what vendor files are written in: one reader for every adapter, and the escaping of what
 * is built by hand. A tree of cJSON's behind getters that know no upper or lower case, with the numbers left as text: a message id
 * of nineteen digits is no double. Why not cJSON alone, see json.c.
 * Thread: any, pure. Owns: the tree until ltc_json_free; texts are borrowed from it.
 * Failures: NULL; with strict reading `fault` names line and reason. Absent nodes are NULL, and every getter takes NULL. */
#ifndef LANTOA_COMMON_JSON_H
#define LANTOA_COMMON_JSON_H

#include "text.h"

#define LTC_JSON_BYTES_MAX (1u << 20)
#define LTC_JSON_DEPTH_MAX 32u
#define LTC_JSON_NODES_MAX 100000u
#define LTC_JSON_MEMBERS_MAX \
	500u /* of an object that is read strictly: each is compared with all before it */

struct ltc_json; /* opaque: a node */
enum ltc_json_kind {
	LTC_JSON_NULL = 0, /* or absent */
	LTC_JSON_BOOL,
	LTC_JSON_NUMBER,
	LTC_JSON_STRING,
	LTC_JSON_ARRAY,
	LTC_JSON_OBJECT
};
enum ltc_json_mode {
	/* An object or an array, as a provider sends it: bytes that are no UTF-8, half surrogate pairs, NULs and escapes that JSON does
	 * not know become U+FFFD; of a member that stands twice the last one is got. */
	LTC_JSON_ANSWER = 0,
	/* Any value, in which each of these is a fault: two readers would disagree about it. */
	LTC_JSON_STRICT = 1
};
struct ltc_json_fault {
	uint32_t line;
	const char *why;
};
/* The whole text is one document. `fault` may be NULL. */
struct ltc_json *ltc_json_parse(
	struct lt_str text, enum ltc_json_mode mode, struct ltc_json_fault *fault) LTC_MUST;
void ltc_json_free(struct ltc_json *root); /* NULL allowed; texts are wiped: tokens come this way */

enum ltc_json_kind ltc_json_kind(const struct ltc_json *n);
uint32_t ltc_json_line(const struct ltc_json *n); /* where the value stands; 0 of an absent one */
/* NULL: absent, or o is no object. */
const struct ltc_json *ltc_json_get(const struct ltc_json *o, const char *key);
bool ltc_json_has(const struct ltc_json *o, const char *key);       /* null is as good as absent */
const struct ltc_json *ltc_json_first(const struct ltc_json *list); /* of an array or object */
const struct ltc_json *ltc_json_item(const struct ltc_json *list);  /* first of an array only */
const struct ltc_json *ltc_json_next(const struct ltc_json *n);
struct lt_str ltc_json_name(const struct ltc_json *n); /* key of a member; else absent */
/* A string, a number as it was written, true or false; absent for the rest. Never a NUL inside. */
struct lt_str ltc_json_text(const struct ltc_json *n);
/* The same in dst: cut to fit between two letters, always terminated; absent gives "". */
struct lt_str ltc_json_copy(const struct ltc_json *n, char *dst, size_t size);
/* A whole number exactly, also one in quotes; a number with a fraction or exponent without its fraction, up to 9e15. */
bool ltc_json_i64(const struct ltc_json *n, int64_t *ret);
int64_t ltc_json_number(const struct ltc_json *n, int64_t otherwise);
/* Of a member. */
struct lt_str ltc_json_str(const struct ltc_json *o, const char *key);
int64_t ltc_json_int(const struct ltc_json *o, const char *key, int64_t otherwise);
bool ltc_json_true(const struct ltc_json *o, const char *key); /* true, or "true" */

/* "text" with quotes and escapes; bytes that are no UTF-8 become '?'. */
void ltc_json_add(struct ltc_buf *b, struct lt_str s);
/* The same without the quotes: a piece of a longer string. */
void ltc_json_add_inner(struct ltc_buf *b, struct lt_str s);

/* json_scan.c, for json.c: the text as cJSON takes it goes into `out`, the line of each value in document order into `lines`. */
#define LTC_JSON_NUMBER_MARK '\xff' /* first byte of a string that was a number: no UTF-8 has it */
bool ltc_json_scan(struct lt_str text, enum ltc_json_mode mode, struct ltc_buf *out,
	struct ltc_buf *lines, struct ltc_json_fault *fault);

#endif
