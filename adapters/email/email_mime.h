/* email_mime.h - the message as one text with places for what is not in it: built by GMime, cut for the host.
 * Thread: any, pure. Owns: what email_doc_done frees. */
#ifndef LANTOA_EMAIL_MIME_H
#define LANTOA_EMAIL_MIME_H

#include "email_conf.h"
#include "email_text.h"

#define EMAIL_TEXT_MAX     (4u << 20) /* Markdown, HTML, plain text and skeleton, each */
#define EMAIL_HOLE_HEADERS 1
#define EMAIL_HOLE_URL     16 /* + index of the file */

enum email_place { EMAIL_INLINE, EMAIL_ATTACHED, EMAIL_LINKED };
struct email_file {
	const struct lt_asset *a; /* borrowed */
	enum email_place place;
	bool picture; /* shown in the text, or linked from there with its alt text */
	bool above;   /* the cover: above the text */
	bool in_text; /* stands where the text names it, and nowhere else */
	bool asked; /* named to be attached: shown in the text and saved as a file from one and the same part */
	char cid[128];  /* without brackets */
	char name[200]; /* as given, cleaned */
	char ascii[200];
};
struct email_doc {
	const struct email_conf *conf; /* borrowed */
	const struct lt_content *content;
	struct lt_str subject, lang;
	struct lt_str
		own; /* what the editor wrote for mails, without markup; absent: the release's text */
	struct lt_str preheader; /* what lists of mails show behind the subject */
	struct ltc_buf html, plain;
	struct email_file files[EMAIL_FILES_MAX];
	size_t n_files;
	char id[33]; /* 32 hex digits that depend on all that goes in: boundaries, Content-IDs */
};

/* The whole message with its places, CRLF line ends, not yet dot-stuffed. */
int email_mime_build(const struct email_doc *d, struct ltc_buf *ret) LTC_MUST;
/* Hands the built message to the sink: dot-stuffed bytes, asset slices, holes. *ret_bytes: estimated length with assets. */
int email_mime_emit(const struct email_doc *d, struct lt_str built, struct lt_sink *sink,
	uint64_t *ret_bytes, uint64_t *ret_hash) LTC_MUST;
/* The token that stands for a place: kind 'H' headers, 'A' asset, 'U' URL of an asset. */
void email_mime_token(const struct email_doc *d, char kind, size_t index, char dst[static 48]);

#endif
