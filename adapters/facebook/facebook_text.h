/* facebook_text.h - words of a post: Markdown as the plain text that a page shows, texts and links compared.
 * Thread: any, pure. Owns: nothing. */
#ifndef LANTOA_FACEBOOK_TEXT_H
#define LANTOA_FACEBOOK_TEXT_H

#include "../common/text.h"

#define FB_TEXT_MAX  (128u << 10)
#define FB_WORDS_MAX 4000u
#define FB_CLAIM_MAX 64 /* bytes of a claim with its NUL */
#define FB_PRINT_LEN 16 /* hex digits of a fingerprint */

int fb_text_plain(struct ltc_buf *out, struct lt_str markdown) LTC_MUST; /* -ENOMEM, -E2BIG */
size_t fb_text_chars(struct lt_str s);                                   /* code points */
/* Trimmed, CRLF as LF: what a page shows again. The fingerprint is over these bytes; it is kept for years, so it is stable. */
void fb_text_print(struct lt_str s, char ret[static FB_PRINT_LEN + 1]);
/* "text:PRINT@PAGE": what an unknown of that page is found by. */
void fb_text_claim(const char *print, struct lt_str page, char ret[static FB_CLAIM_MAX]);
bool fb_text_same(struct lt_str a, struct lt_str b);
/* Percentage of equal pairs of words, 0 to 100; letter case, space and punctuation do not count. */
int fb_text_near(struct lt_str a, struct lt_str b);
/* The same line, letter case, space and punctuation aside. */
bool fb_text_same_line(struct lt_str a, struct lt_str b);
struct lt_str fb_text_first_line(struct lt_str s);
/* The same page: scheme, "www.", fragment, a closing slash and utm_ parameters do not count. */
bool fb_link_same(struct lt_str a, struct lt_str b);
/* A link of the text is the same page as `link`. */
bool fb_text_has_link(struct lt_str text, struct lt_str link);

#endif
