/* smpp_check.c - probe of an account: connect, TLS and bind as the session would; no text is sent.
 * An account whose session is bound is told from that: a second bind could be refused, or throw out the first.
 * Thread: loop. Owns: one stream. Failures: what the server or the way to it said, as a deferred outcome. */
#include <stdio.h>
#include <string.h>
#include "smpp.h"

int smpp_bind_write(const struct lt_host *h, struct lt_job *job, const struct smpp_conf *c,
	uint32_t stream, uint32_t cmd, uint32_t seq)
{
	struct smpp_bind v = { .system_id = c->system_id,
		.system_type = c->system_type,
		.range = c->range,
		.version = 0x34 };
	struct ltc_buf head LTC_CLEANUP_BUF, tail LTC_CLEANUP_BUF;
	struct lt_str password = { 0 };
	struct lt_src src[3] = { { .bytes = { 0 } } };
	size_t n = 0;
	uint64_t version, end;

	ltc_buf_init(&head, 200);
	ltc_buf_init(&tail, 200);
	if (c->secret.n > 0 && h->secret_get(h->ctx, job, c->secret, &password, &version) < 0)
		return -LT_E_INVALID;
	if (smpp_write_bind(&head, &tail, cmd, seq, &v, password.n) < 0)
		return -LT_E_INVALID;
	src[n++].bytes = ltc_buf_str(&head);
	if (password.n > 0)
		src[n++].secret = c->secret;
	src[n++].bytes = ltc_buf_str(&tail);
	return h->stream_write(h->ctx, stream, src, n, 0, NULL, 0, &end);
}

static bool tell_from_session(struct lt_inst *inst, struct lt_job *job)
{
	const struct smpp_inst *si = inst->priv;
	char text[160];

	for (size_t i = 0; i < SMPP_SESSIONS_MAX; i++) {
		const struct smpp_session *s = si->sessions[i];
		uint32_t bound = 0, senders = 0, waiting = 0;
		for (uint32_t k = 0; s != NULL && s->links != NULL && k < s->n_links; k++) {
			bound += s->links[k].state == SMPP_L_BOUND;
			senders += smpp_link_sends(&s->links[k]);
			waiting += s->links[k].window.n;
		}
		if (senders == 0 ||
			inst->host->mono_ms(inst->host->ctx) - s->now > 2 * si->conf.enquire_ms)
			continue;
		const char *form = si->conf.dlr_id == SMPP_DLR_AUTO ? smpp_learn_setting(s) : NULL;
		(void)snprintf(text, sizeof(text),
			"bound: %u of %u connections, %u segments without an answer, window %u%s%s",
			bound, s->n_links, waiting, s->pace.window,
			form != NULL ? "; reports fit dlr_id: " : "", form != NULL ? form : "");
		struct lt_result r = {
			.struct_size = sizeof(r), .outcome = LT_ACCEPTED, .text = ltc_z(text)
		};
		(void)inst->host->finish(inst->host->ctx, job, &r);
		return true;
	}
	return false;
}

int smpp_check_start(struct lt_inst *inst, struct lt_job *job)
{
	const struct smpp_inst *si = inst->priv;
	struct smpp_check *k = job->priv;
	struct lt_stream_req req = { .struct_size = sizeof(req),
		.kind = si->conf.tls ? LT_TLS : LT_TCP,
		.host = si->conf.host,
		.port = si->conf.port,
		.connect_ms = si->conf.connect_ms,
		.idle_ms = si->conf.bind_ms };

	if (tell_from_session(inst, job))
		return 0;
	return inst->host->stream_open(inst->host->ctx, job, &req, &k->stream);
}

static void say(struct lt_inst *inst, struct lt_job *job, int32_t outcome, const char *code,
	struct lt_str text)
{
	struct lt_result r = { .struct_size = sizeof(r),
		.outcome = outcome,
		.scope = LT_SCOPE_ACCOUNT,
		.code = ltc_z(code),
		.text = text };

	(void)inst->host->finish(inst->host->ctx, job, &r);
}

/* The answer to the bind is short, and the first thing that the server says. */
static void on_data(
	struct lt_inst *inst, struct lt_job *job, struct smpp_check *k, struct lt_str data)
{
	const struct smpp_inst *si = inst->priv;
	struct smpp_header h;
	char code[48];

	for (size_t i = 0; i < data.n && k->n < sizeof(k->in); i++)
		k->in[k->n++] = data.p[i];
	int rc = smpp_frame(k->in, k->n, &h);
	if (rc == 0 && k->n < sizeof(k->in) && k->n < SMPP_HEADER)
		return;
	inst->host->stream_close(inst->host->ctx, k->stream, 0);
	if (rc < 0) {
		say(inst, job, LT_DEFERRED, "garbage",
			LTC_LIT("what answers there does not speak SMPP"));
		return;
	}
	smpp_status_text(h.status, code, sizeof(code));
	if (h.status == 0 && (h.id & SMPP_RESP) != 0)
		say(inst, job, LT_ACCEPTED, "", LTC_LIT("the server lets us in"));
	else
		say(inst, job, LT_DEFERRED, code,
			smpp_status_row(si->outcomes, "bind", h.status, 1)->note);
}

int smpp_check_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev)
{
	const struct smpp_inst *si = inst->priv;
	const struct lt_host *h = inst->host;
	const struct lt_stream_ev *u = ev->u;
	struct smpp_check *k = job->priv;

	if (ev->type == LT_EV_OPEN) {
		uint32_t cmd = si->conf.mode == SMPP_TRANSCEIVER ? SMPP_BIND_TRX : SMPP_BIND_TX;
		if (smpp_bind_write(h, job, &si->conf, k->stream, cmd, 1) >= 0)
			return 0;
		h->stream_close(h->ctx, k->stream, 1);
		say(inst, job, LT_DEFERRED, "bind",
			LTC_LIT("the bind could not be written: is the password at most 8 characters?"));
	} else if (ev->type == LT_EV_DATA)
		on_data(inst, job, k, u->data);
	else if (ev->type == LT_EV_CLOSED)
		say(inst, job, LT_DEFERRED, "connect",
			u->error.n > 0 ? u->error
				       : LTC_LIT("closed by the server before it answered"));
	else if (ev->type == LT_EV_CANCEL || ev->type == LT_EV_SHUTDOWN) {
		h->stream_close(h->ctx, k->stream, 1);
		say(inst, job, LT_DEFERRED, "stopped", LTC_LIT("stopped"));
	}
	return 0;
}
