/* email_check.c - probe of a relay account: connect, TLS, log-in, and what the relay offers; no mail is sent.
 * Thread: loop. Owns: one stream. Failures: what the relay or the way to it said, as a deferred outcome. */
#include <errno.h>
#include <stdio.h>
#include "email_session.h"

struct email_check {
	uint32_t stream;
};

_Static_assert(sizeof(struct email_check) <= EMAIL_CHECK_SIZE, "priv of a check job is too small");

int email_check_start(struct lt_inst *inst, struct lt_job *job)
{
	const struct email_inst *ei = inst->priv;
	struct email_check *k = job->priv;
	struct lt_stream_req req = { .struct_size = sizeof(req),
		.kind = ei->conf.tls == EMAIL_TLS_IMPLICIT ? LT_SMTPS : LT_SMTP,
		.starttls = ei->conf.tls == EMAIL_TLS_START,
		.host = ei->conf.host,
		.ehlo_name = ei->conf.ehlo_name,
		.port = ei->conf.port,
		.connect_ms = ei->conf.connect_ms };

	if (ei->conf.user.n > 0) {
		req.user = ei->conf.user;
		req.secret = ei->conf.secret;
	}
	return inst->host->stream_open(inst->host->ctx, job, &req, &k->stream);
}

int email_check_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev)
{
	const struct lt_host *h = inst->host;
	const struct lt_stream_ev *u = ev->u;
	struct email_check *k = job->priv;
	struct lt_result r = {
		.struct_size = sizeof(r), .outcome = LT_DEFERRED, .scope = LT_SCOPE_ACCOUNT
	};
	struct email_caps caps;
	char text[160];

	if (ev->type == LT_EV_OPEN) {
		email_caps_read(u->data, &caps);
		(void)snprintf(text, sizeof(text),
			"relay answers; pipelining %s, DSN %s, SMTPUTF8 %s, largest mail %llu bytes",
			caps.pipelining ? "yes" : "no", caps.dsn ? "yes" : "no",
			caps.smtputf8 ? "yes" : "no", (unsigned long long)caps.size_max);
		r.outcome = LT_ACCEPTED;
		r.scope = LT_SCOPE_TARGET;
		r.text = ltc_z(text);
		h->stream_close(h->ctx, k->stream, 0);
	} else if (ev->type == LT_EV_CLOSED) {
		r.code = u->data.n > 2 ? (struct lt_str){ u->data.p, 3 } : ltc_z("connect");
		r.text = u->data.n > 4 ? ltc_trim(ltc_from(u->data, 4)) : u->error;
	} else if (ev->type == LT_EV_CANCEL || ev->type == LT_EV_SHUTDOWN) {
		h->stream_close(h->ctx, k->stream, 1);
		r.text = ltc_z("stopped");
	} else
		return 0;
	(void)h->finish(h->ctx, job, &r);
	return 0;
}
