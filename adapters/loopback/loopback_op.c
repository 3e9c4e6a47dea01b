/* loopback_op.c - ops of the loopback adapter: the script of the address, step by step.
 * Thread: loop. Owns: nothing; an op is gone after op_finish. Cancel: an op that was "sent" ends unknown, any other deferred. */
#include <string.h>
#include "loopback.h"

static struct lt_str keep(char *dst, size_t size, struct lt_str s)
{
	size_t n = s.n < size ? s.n : size;

	if (n != 0)
		memcpy(dst, s.p, n);
	return (struct lt_str){ dst, n };
}

/* Told by the session: the op and all that was lent for it are gone by then. */
static void receipt(struct ltc_session *s, struct lt_str ref, struct lt_str address, bool bounce)
{
	const struct lt_host *h = s->inst->host;
	struct lt_receipt rc = { .struct_size = sizeof(rc),
		.state = bounce ? LT_RC_FAILED : LT_RC_DELIVERED,
		.final = 1,
		.ids = &ref,
		.n_ids = 1,
		.ref = ref,
		.recipient = address,
		.code = bounce ? LTC_LIT("550") : LTC_LIT("250"),
		.at_ms = h->wall_ms(h->ctx) };

	(void)h->receipt(h->ctx, s->job, &rc, 0);
}

static void op_finish(struct loop_op *op, const struct lt_result *r)
{
	struct ltc_session *s = op->session;
	const struct lt_host *h = s->inst->host;
	const struct loop_inst *li = s->inst->priv;
	char ref_bytes[200], address_bytes[320];
	struct lt_str ref = keep(ref_bytes, sizeof(ref_bytes), op->work->ref);
	struct lt_str address = keep(address_bytes, sizeof(address_bytes), op->work->address);
	bool bounce = op->script.word == LOOP_BOUNCE;
	bool tell = r->outcome == LT_ACCEPTED && op->job->kind == LT_J_OP &&
		(li->conf.receipts || bounce);
	struct lt_id id = { .outcome = (uint32_t)r->outcome, .id = ref };
	struct lt_result out = *r;

	if (r->outcome == LT_ACCEPTED) {
		out.ids = &id;
		out.n_ids = ref.n != 0;
	}
	(void)h->finish(h->ctx, op->job, &out);
	if (tell)
		receipt(s, ref, address, bounce);
	ltc_session_end_op(s);
}

static void op_end(struct loop_op *op, int32_t outcome, const char *code, const char *text)
{
	struct lt_result r = { .struct_size = sizeof(r),
		.outcome = outcome,
		.scope = op->script.scope,
		.flags = op->script.flags,
		.code = ltc_z(code),
		.text = ltc_z(text) };

	op_finish(op, &r);
}

void loop_op_end(struct loop_op *op, int32_t outcome, const char *code, const char *text)
{
	op_end(op, outcome, code, text);
}

/* The answer as the script has it, now. */
static int op_answer(struct loop_op *op)
{
	struct loop_script *s = &op->script;
	const struct lt_host *h = op->session->inst->host;
	struct lt_result gone = { .struct_size = sizeof(gone),
		.outcome = LT_DEFERRED,
		.scope = LT_SCOPE_LANE,
		.code = LTC_LIT("cut"),
		.text = LTC_LIT("the connection was cut") };

	switch (s->word) {
	case LOOP_REFUSE: op_end(op, LT_REFUSED, "550", "refused as the address asks"); break;
	case LOOP_DEFER:
		if (s->number >= 0 && op->work->try_no > (uint64_t)s->number)
			op_end(op, LT_ACCEPTED, "250", "");
		else
			op_end(op, LT_DEFERRED, "450", "deferred as the address asks");
		break;
	case LOOP_UNKNOWN: op_end(op, LT_UNKNOWN, "", "the answer was lost"); break;
	case LOOP_HOLD:
		s->flags |= LT_R_PERSON;
		op_end(op, LT_DEFERRED, "hold", "a person must act");
		break;
	case LOOP_DUP:
		s->flags |= LT_R_DUPLICATE;
		op_end(op, LT_ACCEPTED, "dup", "was there already");
		break;
	case LOOP_SILENT: op->sent = true; break;
	case LOOP_CUT: return h->finish(h->ctx, op->session->job, &gone);
	case LOOP_OK:
	case LOOP_SLOW:
	case LOOP_STEPS:
	case LOOP_BOUNCE: op_end(op, LT_ACCEPTED, "250", ""); break;
	}
	return 0;
}

static int op_answer_later(struct loop_op *op)
{
	const struct lt_host *h = op->session->inst->host;
	const struct loop_inst *li = op->session->inst->priv;
	int64_t wait = op->script.word == LOOP_SLOW && op->script.number >= 0 ? op->script.number
									      : li->conf.latency_ms;

	if (wait == 0)
		return op_answer(op);
	return h->wake_at(h->ctx, op->job, h->mono_ms(h->ctx) + wait, LOOP_TOKEN_ANSWER);
}

/* --- steps ----------------------------------------------------------------------------------------------------------------- */
static bool has_step(const struct lt_work *w, const char *name)
{
	return ltc_pair(w->steps, w->n_steps, name).n != 0;
}

static int next_step(struct loop_op *op, bool photo_done, bool draft_done)
{
	const struct lt_host *h = op->session->inst->host;

	if (!photo_done && !has_step(op->work, "photo"))
		return h->save(
			h->ctx, op->job, LTC_LIT("photo"), LTC_LIT("photo-1"), LOOP_TOKEN_PHOTO);
	if (!draft_done && !has_step(op->work, "draft"))
		return h->save(
			h->ctx, op->job, LTC_LIT("draft"), LTC_LIT("draft-1"), LOOP_TOKEN_DRAFT);
	return h->intent(h->ctx, op->job, LTC_LIT("publish"), LT_PUBLISHES);
}

static int on_saved(struct loop_op *op, const struct lt_event *ev)
{
	if (ev->error < 0) {
		op_end(op, LT_DEFERRED, "save", "a step could not be stored");
		return 0;
	}
	return next_step(op, true, ev->token == LOOP_TOKEN_DRAFT);
}

/* --- publishing by HTTP ---------------------------------------------------------------------------------------------------- */
#define HTTP_PIECES 64
#define URLS_MAX    8
#define URL_MAX     1000

/* A newer token, then once more; without one it waits, and costs no try. */
static int op_renew(struct loop_op *op)
{
	const struct lt_host *h = op->session->inst->host;

	if (!op->renewed && h->refresh(h->ctx, op->job, op->work->credential, op->version) == 0) {
		op->renewed = true;
		return 0;
	}
	op->script.scope = LT_SCOPE_ACCOUNT;
	op->script.flags |= LT_R_FREE;
	op_end(op, LT_DEFERRED, "token", "there is no good token");
	return 0;
}

/* The public address instead of the picture; the host lends one at a time. */
static int op_link(struct loop_op *op, struct lt_src *src, char url[static URL_MAX])
{
	const struct lt_host *h = op->session->inst->host;
	struct lt_str u;
	int rc = h->asset_url(h->ctx, op->job, src->asset, 3600000, &u);

	if (rc < 0 || u.n + 1 >= URL_MAX)
		return rc < 0 ? rc : -LT_E_FULL;
	memcpy(url, u.p, u.n);
	url[u.n] = '\n';
	*src = (struct lt_src){ .bytes = { url, u.n + 1 } };
	return 0;
}

static int op_body(struct loop_op *op, struct lt_field *body, char (*urls)[URL_MAX])
{
	const struct loop_inst *li = op->session->inst->priv;
	size_t n_urls = 0;

	for (size_t i = 0; i < op->work->n_payload; i++) {
		body[i] = (struct lt_field){ .src = op->work->payload[i] };
		if (!li->conf.links || body[i].src.asset.p == NULL)
			continue;
		int rc = n_urls < URLS_MAX ? op_link(op, &body[i].src, urls[n_urls++]) : -LT_E_FULL;
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int op_post(struct loop_op *op)
{
	const struct lt_host *h = op->session->inst->host;
	const struct loop_inst *li = op->session->inst->priv;
	struct lt_field body[HTTP_PIECES];
	char urls[URLS_MAX][URL_MAX];
	struct lt_pair headers[2] = { { .name = LTC_LIT("X-Ref"), .value = op->work->ref },
		{ .name = LTC_LIT("access_token"), .secret = LTC_LIT("access_token") } };
	bool token = li->conf.token_url.n != 0;
	struct lt_str value;

	if (op->work->n_payload > HTTP_PIECES)
		return -LT_E_FULL;
	op->version = 0;
	if (token && h->secret_get(h->ctx, op->job, LTC_LIT("access_token"), &value, &op->version))
		return op_renew(op);
	int linked = op_body(op, body, urls);
	if (linked < 0)
		return linked;
	struct lt_http_req req = { .struct_size = sizeof(req),
		.flags = LT_PUBLISHES,
		.body_kind = LT_BODY_RAW,
		.method = LTC_LIT("POST"),
		.url = li->conf.url,
		.headers = headers,
		.n_headers = token ? 2 : 1,
		.fields = body,
		.n_fields = op->work->n_payload,
		.token = LOOP_TOKEN_HTTP };
	int rc = h->http(h->ctx, op->job, &req);
	op->sent = rc == 0;
	return rc;
}

/* Asks the provider for what it has of this ref: 2xx took place, 404 proves that it did not, all else says nothing yet. */
static int op_ask(struct loop_op *op)
{
	const struct lt_host *h = op->session->inst->host;
	const struct loop_inst *li = op->session->inst->priv;
	struct lt_pair ref = { .name = LTC_LIT("X-Ref"), .value = op->work->ref };
	struct lt_http_req req = { .struct_size = sizeof(req),
		.method = LTC_LIT("GET"),
		.url = li->conf.url,
		.headers = &ref,
		.n_headers = 1,
		.token = LOOP_TOKEN_HTTP };

	return h->http(h->ctx, op->job, &req);
}

static void on_asked(struct loop_op *op, const struct lt_http_res *r)
{
	bool answered = r->phase == LT_P_ANSWERED;

	if (answered && r->status >= 200 && r->status < 300)
		op_end(op, LT_ACCEPTED, "asked", "");
	else if (answered && r->status == 404)
		op_end(op, LT_DEFERRED, "asked", "");
	else
		op_end(op, LT_UNKNOWN, "asked", "cannot tell yet");
}

static void on_http(struct loop_op *op, const struct lt_http_res *r)
{
	if (op->job->kind == LT_J_RECONCILE) {
		on_asked(op, r);
		return;
	}
	if (op->job->kind != LT_J_OP) {
		loop_recall_http(op, r);
		return;
	}
	op->sent = false;
	if (r->phase == LT_P_NOT_SENT) {
		op->script.scope = LT_SCOPE_LANE;
		op_end(op, LT_DEFERRED, "http", "not one byte was sent");
	} else if (r->phase == LT_P_MAYBE_SENT) {
		op_end(op, LT_UNKNOWN, "http", "no answer came");
	} else if (r->status >= 200 && r->status < 300) {
		op_end(op, LT_ACCEPTED, "2xx", "");
	} else if (r->status == 401) {
		(void)op_renew(op);
	} else if (r->status == 429 || r->status == 503) {
		op->script.scope = LT_SCOPE_LANE;
		op->script.flags |= LT_R_FREE;
		op_end(op, LT_DEFERRED, "busy", "told to come later");
	} else if (r->status >= 400 && r->status < 500) {
		op_end(op, LT_REFUSED, "4xx", "refused");
	} else {
		op_end(op, LT_UNKNOWN, "http", "an answer that says neither yes nor no");
	}
}

/* --- life ------------------------------------------------------------------------------------------------------------------ */
static int reconcile(struct loop_op *op)
{
	const struct loop_inst *li = op->session->inst->priv;

	if ((op->script.word == LOOP_OK || op->script.word == LOOP_STEPS) && li->conf.url.n != 0)
		return op_ask(op);
	int32_t said = op->script.sent ? LT_ACCEPTED : op->script.absent ? LT_DEFERRED : LT_UNKNOWN;

	op_end(op, said, "asked", said == LT_UNKNOWN ? "cannot tell yet" : "");
	return 0;
}

static int op_publish(struct loop_op *op)
{
	const struct loop_inst *li = op->session->inst->priv;

	return li->conf.url.n != 0 ? op_post(op) : op_answer_later(op);
}

static int first_move(struct loop_op *op)
{
	if (op->job->kind == LT_J_RECONCILE)
		return reconcile(op);
	if (op->job->kind != LT_J_OP)
		return loop_recall_start(op);
	if (op->script.word == LOOP_STEPS)
		return next_step(op, false, false);
	return op->script.word == LOOP_OK ? op_publish(op) : op_answer_later(op);
}

/* This op sent nothing. For a question that says nothing about the attempt it asks for: there deferred would be proof. */
static void op_not_sent(struct loop_op *op, const char *code, const char *text)
{
	op_end(op, op->job->kind == LT_J_RECONCILE ? LT_UNKNOWN : LT_DEFERRED, code, text);
}

static void check(struct loop_op *op, int rc)
{
	if (rc < 0)
		op_not_sent(op, "host", "the host did not take it");
}

/* All of a batch are held before the first may be finished: slots() tells the window that is free. */
void loop_ops_start(struct lt_job *const *jobs, const struct lt_work *const *works, size_t n)
{
	struct ltc_session *s = jobs[0]->session->priv;

	s->held += (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		struct loop_op *op = jobs[i]->priv;
		*op = (struct loop_op){ .job = jobs[i], .session = s, .work = works[i] };
		loop_script_parse(works[i]->address, &op->script);
	}
	for (size_t i = 0; i < n; i++) {
		struct loop_op *op = jobs[i]->priv;
		check(op, first_move(op));
		if (op->script.word == LOOP_CUT)
			return; /* the session is gone, and the host has ended the rest */
	}
}

static void on_cancel(struct loop_op *op)
{
	if (op->script.word == LOOP_SILENT)
		op_end(op, LT_UNKNOWN, "silent", "no answer came");
	else if (!op->sent)
		op_not_sent(op, "stop", "stopped before it was sent");
}

int loop_op_event(struct lt_job *job, const struct lt_event *ev)
{
	struct loop_op *op = job->priv;

	switch (ev->type) {
	case LT_EV_WAKE: check(op, op_answer(op)); break;
	case LT_EV_SAVED: check(op, on_saved(op, ev)); break;
	case LT_EV_GO: check(op, op_publish(op)); break;
	case LT_EV_HTTP: on_http(op, ev->u); break;
	case LT_EV_SECRET: check(op, ev->error == 0 ? op_post(op) : op_renew(op)); break;
	case LT_EV_CANCEL: on_cancel(op); break;
	default: break;
	}
	return 0;
}
