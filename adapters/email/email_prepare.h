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
void email_preview(const struct email_doc *d, struct ltc_buf *out, uint64_t bytes);

#endif
