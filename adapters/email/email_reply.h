/* email_reply.h - SMTP replies out of a byte stream, however it is cut.
 * Thread: loop. Owns: nothing; everything is held by value and bounded. */
#ifndef LANTOA_EMAIL_REPLY_H
#define LANTOA_EMAIL_REPLY_H

#include "../common/text.h"

#define EMAIL_REPLY_TEXT_MAX  1000
#define EMAIL_REPLY_LINES_MAX 1000

struct email_reply {
	int code;     /* of the last line */
	char sub[12]; /* enhanced status code, empty when none or when it contradicts the code */
	size_t n;
	char text[EMAIL_REPLY_TEXT_MAX +
		1]; /* all lines joined by one space, control characters replaced */
};
struct email_parser {
	size_t line_n, lines;
	struct email_reply cur;
	char line[512]; /* what is longer is read and dropped */
};

/* Takes bytes off *data up to the end of one reply. 1: p->cur holds it; 0: more bytes are needed; -EPROTO: no SMTP reply. */
int email_parse(struct email_parser *p, struct lt_str *data) LTC_MUST;
/* "queued as X" and its cousins in a final reply; absent when there is none. */
struct lt_str email_queue_id(const struct email_reply *r);

struct email_caps {
	bool pipelining, smtputf8, dsn, size, eightbit;
	uint64_t size_max; /* 0: no limit told */
};
void email_caps_read(struct lt_str ehlo_lines, struct email_caps *ret);

#endif
