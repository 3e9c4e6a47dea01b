/* utf8.h - validity, NFC, width; on utf8proc. Thread-safe, pure. */
#ifndef LANTOA_BASE_UTF8_H
#define LANTOA_BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/str.h"

bool utf8_valid(struct str s, size_t *ret_bad_at); /* ret_bad_at may be NULL */
/* NFC of s appended to b; 0, -EILSEQ, -E2BIG. */
int utf8_nfc(struct buf *b, struct str s) MUST_CHECK;
bool utf8_is_nfc(struct str s);
/* Next code point; false at the end or at a bad byte. */
bool utf8_next(struct str *rest, int32_t *ret_cp);
int utf8_put(struct buf *b, int32_t cp);
size_t utf8_len(struct str s);   /* code points */
size_t utf8_width(struct str s); /* terminal columns */
/* The longest prefix of at most n_max bytes that cuts no code point and no base from its marks. */
struct str utf8_cut(struct str s, size_t n_max);
/* Into dst, which has room for s.n: s with '?' for each bad byte, and without what is left of a code point that somebody cut at its
 * end. Returns the bytes written; dst may be s.p. */
size_t utf8_mend(char *dst, struct str s);
/* Vietnamese collation key (alphabet a ă â b c d đ e ê ..., tones after letters), for sorting with str_cmp. */
int utf8_sort_key(struct buf *b, struct str s);
int utf8_lower(struct buf *b, struct str s);

#endif
