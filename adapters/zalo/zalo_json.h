/* zalo_json.h - JSON as this provider speaks it, read in place: a value is a slice of the answer, so that ids of nineteen digits
 * stay text and nothing is copied before it is asked for. Building is escaping into a buffer.
 * Thread: any, pure. Owns: nothing. Failures: a malformed document has no members; nothing is guessed. */
#ifndef LANTOA_ZALO_JSON_H
#define LANTOA_ZALO_JSON_H

#include "../common/text.h"

#define ZJ_DEPTH_MAX 32

/* One whole JSON value with nothing behind it. */
bool zj_valid(struct lt_str doc);
/* Raw value of a member of an object; absent (p NULL) when there is none, or when obj is no object. The last one wins. */
struct lt_str zj_get(struct lt_str obj, const char *key);
/* Next element of an array: *rest starts as the array itself. False at the end. */
bool zj_next(struct lt_str *rest, struct lt_str *ret);
/* A string without its quotes and escapes, or a number as written; cut to fit, always terminated. Absent gives "". */
struct lt_str zj_text(struct lt_str raw, char *dst, size_t size);
/* A number, or a number in quotes. */
bool zj_int(struct lt_str raw, int64_t *ret);
bool zj_is_object(struct lt_str raw);
bool zj_is_array(struct lt_str raw);

/* "text" with quotes and escapes; bytes that are no UTF-8 become '?'. */
void zj_add(struct ltc_buf *b, struct lt_str s);
/* The same without the quotes: a piece of a longer string. */
void zj_add_inner(struct ltc_buf *b, struct lt_str s);

#endif
