/* email_prepare.h - a release as a mail: once per language and office; and what differs for each recipient.
 * Thread: any, pure. Owns: nothing. */
#ifndef LANTOA_EMAIL_PREPARE_H
#define LANTOA_EMAIL_PREPARE_H

#include "email_mime.h"

int email_prepare(const struct lt_conf *c, const struct lt_content *content, struct lt_sink *sink);
int email_compose(const struct lt_conf *c, struct lt_str note, const struct lt_target *t,
	uint32_t hole, struct lt_sink *sink);
/* HTML and plain text of the document, from content and files. */
int email_render(struct email_doc *d) LTC_MUST;
/* email_place.c. Keeps the files within inline_max_bytes; false: they are over it and may not go as links. */
bool email_place_fit(struct email_doc *d) LTC_MUST;
/* Makes the mail shorter by `over` bytes; false: there is nothing more that could go as a link. */
bool email_place_shrink(struct email_doc *d, uint64_t over) LTC_MUST;
/* What the files take in the message, links with their addresses included. */
uint64_t email_place_bytes(const struct email_doc *d);
/* "4,2 MB", with the point of the language. */
void email_size_text(const struct email_doc *d, struct ltc_buf *out, uint64_t bytes);
void email_preview(const struct email_doc *d, struct ltc_buf *out, uint64_t bytes);

#endif
