/* email_text.h - Markdown as HTML and as readable plain text; small pieces of text that a mail needs.
 * Thread: any, pure. Owns: nothing. */
#ifndef LANTOA_EMAIL_TEXT_H
#define LANTOA_EMAIL_TEXT_H

#include "../common/text.h"

/* A URL that only compose() knows stands in a text as MARK, a character 'A' + number, MARK. */
#define EMAIL_MARK      '\x01'
#define EMAIL_FILES_MAX 24

/* Adds the HTML that stands for a picture of the text; adds nothing where it is no picture of this mail. */
typedef void email_picture_fn(
	void *ctx, struct lt_str url, struct lt_str alt, struct ltc_buf *html);
/* Raw HTML is left out. No address of a picture is kept: a reader fetches nothing, and what it shows was approved. */
int email_text_html(
	struct ltc_buf *out, struct lt_str markdown, email_picture_fn *picture, void *ctx) LTC_MUST;
int email_text_plain(struct ltc_buf *out, struct lt_str markdown) LTC_MUST;
void email_html_escape(struct ltc_buf *out, struct lt_str s);
/* A text without markup: an empty line parts its paragraphs, every other line end stays one. */
void email_text_paragraphs(struct ltc_buf *out, struct lt_str s);
/* Quoted-printable; a text that does not end its line ends in a soft break. */
void email_qp(struct ltc_buf *out, struct lt_str s);
/* Without diacritics and typographic signs; what is then not printable ASCII becomes '_'. */
void email_text_ascii(struct ltc_buf *out, struct lt_str s);
/* RFC 2047 for a display name or a text: plain where it may be, quoted where it must be, else B-encoded words of whole
 * characters, folded. `col` is the column where it starts. */
void email_phrase(struct ltc_buf *out, struct lt_str s, size_t col);

#endif
