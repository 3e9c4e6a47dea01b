/* email_check.c - probe of a relay account: connect, TLS, log-in, and what the relay offers; no mail is sent.
 * Thread: loop. Owns: one stream. Failures: what the relay or the way to it said, as a deferred outcome. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "email_session.h"

struct email_check {
	uint32_t stream;
};

_Static_assert(sizeof(struct email_check) <= EMAIL_CHECK_SIZE, "priv of a check job is too small");

int email_check_start(struct lt_inst *inst, struct lt_job *job)
{
	const struct email_inst *ei = inst->priv;
	struct email_check *k = job->priv;
	struct lt_stream_req req = email_stream_req(&ei->conf);

	return inst->host->stream_open(inst->host->ctx, job, &req, &k->stream);
}

/* The relay's no, or where it said none, what the host knows. */
static void refused(const struct lt_event *ev, char *text, size_t size, struct lt_result *r)
{
	const struct lt_stream_ev *u = ev->u;
	struct email_parser *p = calloc(1, sizeof(*p));
	struct lt_str rest = u->data;

	r->code = ltc_z(email_is_login(ev->error) ? "login" : "connect");
	r->text = u->error;
	if (p != NULL && email_parse(p, &rest) > 0 && p->cur.code >= 400) {
		struct lt_str said = ltc_utf8_cut((struct lt_str){ p->cur.text, p->cur.n }, 300);
		(void)snprintf(text, size, "%s%s%.*s", p->cur.sub, p->cur.sub[0] != '\0' ? " " : "",
			(int)said.n, said.p);
		r->code = (struct lt_str){ u->data.p, 3 };
		r->text = ltc_z(text);
	}
	free(p);
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
	char text[400];

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
		refused(ev, text, sizeof(text), &r);
	} else if (ev->type == LT_EV_CANCEL || ev->type == LT_EV_SHUTDOWN) {
		h->stream_close(h->ctx, k->stream, 1);
		r.text = ltc_z("stopped before the relay had answered as it should");
	} else
		return 0;
	(void)h->finish(h->ctx, job, &r);
	return 0;
}
