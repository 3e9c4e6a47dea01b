/* smtp_internal.h - shared by the two files of the sandbox's mail side: one connection and its session.
 * smtp.c owns connections: bytes in, replies out, closing. smtp_session.c reads commands and writes replies into `out`.
 */
#ifndef LANTOA_SANDBOX_SMTP_INTERNAL_H
#define LANTOA_SANDBOX_SMTP_INTERNAL_H

#include "base/list.h"
#include "sandbox.h"

enum state {
	S_COMMAND,
	S_AUTH_PLAIN,
	S_AUTH_USER,
	S_AUTH_PASS,
	S_BODY,
	S_PAUSED,
	S_DEAF,
	S_CLOSING
};
struct sb_conn {
	uv_tcp_t tcp;
	uv_timer_t timer;
	struct list node;
	struct sandbox *s;
	struct buf in, out, rcpt; /* rcpt: addresses, each behind its length */
	size_t in_at, body_scan, n_rcpt;
	int64_t mails;
	int handles;
	enum state state, resume;
	bool esmtp, authed, in_mail, cut_body, close_after_flush;
	char from[520], params[260];
};

/* smtp.c: gone in a later turn; until then its state is S_CLOSING. */
void smtp_conn_close(struct sb_conn *c, bool reset);
/* smtp_session.c: what a session says first; and what is whole in `in` is done. */
void smtp_greet(struct sb_conn *c);
void smtp_parse(struct sb_conn *c);

#endif
