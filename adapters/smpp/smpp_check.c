/* smpp_check.c - probe of an account: connect, TLS and bind as the session would, and unbind; no text is sent. What the server hands out
 * meanwhile is not answered: it comes again where it can be kept.
 * An account whose session is bound is told from that: a second bind could be refused, or throw out the first.
 * Thread: loop. Owns: one stream. Failures: what the server or the way to it said, as a deferred outcome. */
#include <stdio.h>
#include <string.h>
#include "smpp.h"

#define UNBIND_MS 5000 /* for the answer to it (contract 1.1) */

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

static void let_in(struct lt_inst *inst, struct lt_job *job, const struct smpp_check *k, bool open)
{
	if (open)
		inst->host->stream_close(inst->host->ctx, k->stream, 0);
	say(inst, job, LT_ACCEPTED, "", LTC_LIT("the server lets us in"));
}

/* Header by header; false: no whole one is there. -EBADMSG in *ret_rc: what comes is no SMPP. */
static bool next_header(
	struct smpp_check *k, struct lt_str *data, struct smpp_header *ret, int *ret_rc)
{
	while (data->n > 0) {
		if (k->skip > 0) {
			size_t n = k->skip < data->n ? k->skip : data->n;
			k->skip -= (uint32_t)n;
			*data = ltc_from(*data, n);
			continue;
		}
		k->in[k->n++] = data->p[0];
		*data = ltc_from(*data, 1);
		*ret_rc = smpp_frame(k->in, k->n, ret);
		if (*ret_rc < 0)
			return true;
		if (k->n < SMPP_HEADER)
			continue;
		k->skip = ret->length - SMPP_HEADER;
		k->n = 0;
		return true;
	}
	return false;
}

/* A server may keep the bind of who goes without a word, and refuse the next one for that. False: the job has ended. */
static bool unbind(struct lt_inst *inst, struct lt_job *job, struct smpp_check *k)
{
	const struct lt_host *h = inst->host;
	struct ltc_buf b LTC_CLEANUP_BUF;
	uint64_t end;

	k->bound = true;
	ltc_buf_init(&b, SMPP_HEADER);
	if (smpp_write_empty(&b, SMPP_UNBIND, 0, 2) == 0) {
		struct lt_src src = { .bytes = ltc_buf_str(&b) };
		if (h->stream_write(h->ctx, k->stream, &src, 1, 0, NULL, 0, &end) >= 0 &&
			h->wake_at(h->ctx, job, h->mono_ms(h->ctx) + UNBIND_MS, 1) >= 0)
			return true;
	}
	let_in(inst, job, k, true);
	return false;
}

static bool bind_answer(
	struct lt_inst *inst, struct lt_job *job, struct smpp_check *k, const struct smpp_header *h)
{
	const struct smpp_inst *si = inst->priv;
	char code[48];

	if (h->status == 0 && h->id != SMPP_GENERIC_NACK)
		return unbind(inst, job, k);
	inst->host->stream_close(inst->host->ctx, k->stream, 0);
	smpp_status_text(h->status, code, sizeof(code));
	say(inst, job, LT_DEFERRED, code,
		smpp_status_row(si->outcomes, "bind", h->status, 1)->note);
	return false;
}

/* The job may be gone when it returns. */
static void on_data(
	struct lt_inst *inst, struct lt_job *job, struct smpp_check *k, struct lt_str data)
{
	struct smpp_header h;
	int rc = 0;

	while (next_header(k, &data, &h, &rc)) {
		if (rc < 0 && !k->bound) {
			inst->host->stream_close(inst->host->ctx, k->stream, 0);
			say(inst, job, LT_DEFERRED, "garbage",
				LTC_LIT("what answers there does not speak SMPP"));
			return;
		}
		if (rc < 0 || (k->bound && h.id == (SMPP_UNBIND | SMPP_RESP))) {
			let_in(inst, job, k, true);
			return;
		}
		if (k->bound || (h.id & SMPP_RESP) == 0)
			continue; /* its own questions, and what it hands out */
		if (!bind_answer(inst, job, k, &h))
			return;
	}
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
	} else if (ev->type == LT_EV_DATA) {
		on_data(inst, job, k, u->data);
	} else if (k->bound) {
		if (ev->type == LT_EV_CLOSED || ev->type == LT_EV_WAKE ||
			ev->type == LT_EV_CANCEL || ev->type == LT_EV_SHUTDOWN)
			let_in(inst, job, k, ev->type != LT_EV_CLOSED);
	} else if (ev->type == LT_EV_CLOSED)
		say(inst, job, LT_DEFERRED, "connect",
			u->error.n > 0 ? u->error
				       : LTC_LIT("closed by the server before it answered"));
	else if (ev->type == LT_EV_CANCEL || ev->type == LT_EV_SHUTDOWN) {
		h->stream_close(h->ctx, k->stream, 1);
		say(inst, job, LT_DEFERRED, "stopped", LTC_LIT("stopped"));
	}
	return 0;
}
