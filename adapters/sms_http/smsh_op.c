/* smsh_op.c - ops: texts of one batch in one request, its answer shared out, a token renewed once where the gateway asks for it.
 * Thread: loop. Owns: nothing; an op is gone after finish. The first op of a request, the lead, holds the chain of the others and
 * gets the answer. The host has committed the intents before start (LT_CAP_INTENT_AT_START).
 * Told to stop: an op whose request has not left ends as deferred; one that has left waits for its answer, for it may be out. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "smsh.h"

#define CHAIN_MAX SMSH_BATCH_MAX
#define START_MAX 4096

static void finish(struct smsh_op *op, const struct smsh_verdict *verdict)
{
	struct smsh_verdict own = *verdict, *v = &own;
	struct smsh_session *s = op->session;
	const struct lt_host *h = s->count.inst->host;
	struct lt_id ids[SMSH_IDS_MAX];
	struct lt_result r = { .struct_size = sizeof(r),
		.outcome = v->outcome,
		.scope = v->scope,
		.flags = v->flags,
		.code = ltc_z(v->code),
		.text = ltc_z(v->text),
		.ids = ids,
		.n_ids = v->n_ids,
		.retry_after_ms = v->retry_ms };

	smsh_mask(own.text, op->work->address);
	smsh_mask(own.code, op->work->address);
	for (size_t i = 0; i < v->n_ids; i++)
		ids[i] = (struct lt_id){
			.effect = (uint32_t)i, .outcome = v->id_outcome[i], .id = ltc_z(v->id[i])
		};
	(void)h->finish(h->ctx, op->job, &r);
	s->count.held--;
}

static void begin(struct smsh_op *lead);

/* Those of a small batch that have not been asked for yet. What was said of more than one number is true of them as well: they do not leave. */
static void go_on(struct smsh_op *rest, const struct smsh_verdict *v)
{
	struct smsh_verdict kept = *v;
	bool stop = v->scope != LT_SCOPE_TARGET &&
		(v->outcome == LT_DEFERRED || v->outcome == LT_REFUSED);

	kept.outcome = LT_DEFERRED;
	kept.scope = v->scope == LT_SCOPE_RELEASE ? LT_SCOPE_TARGET : v->scope;
	kept.flags |= LT_R_FREE;
	for (struct smsh_op *op = rest, *next; stop && op != NULL; op = next) {
		next = op->next;
		finish(op, &kept);
	}
	if (stop || rest == NULL)
		return;
	rest->n = 0;
	for (struct smsh_op *op = rest; op != NULL; op = op->next) {
		op->lead = rest;
		rest->n++;
	}
	begin(rest);
}

/* All of the request with the same word. The lead goes last: the chain hangs in it. */
static void finish_all(struct smsh_op *lead, const struct smsh_verdict *v)
{
	struct smsh_session *s = lead->session;
	struct smsh_op *rest = lead->rest;

	for (struct smsh_op *op = lead->next, *next; op != NULL; op = next) {
		next = op->next;
		finish(op, v);
	}
	finish(lead, v);
	go_on(rest, v);
	smsh_session_settle(s);
}

/* The call for so many numbers. */
static uint32_t call_of(const struct smsh_op *lead)
{
	const struct smsh_inst *si = lead->session->count.inst->priv;

	return lead->n < si->vendor.few_below ? si->vendor.few : si->vendor.send;
}

static void split_few(struct smsh_op *lead)
{
	const struct smsh_inst *si = lead->session->count.inst->priv;

	if (lead->n < 2 || lead->n >= si->vendor.few_below)
		return;
	lead->rest = lead->next;
	lead->next = NULL;
	lead->n = 1;
	for (struct smsh_op *op = lead->rest; op != NULL; op = op->next)
		op->state = SMSH_NEW;
}

static void vars_of(const struct smsh_op *lead, const struct lt_str *phones,
	const struct sms_payload *pay, struct smsh_vars *ret)
{
	struct lt_inst *inst = lead->session->count.inst;

	*ret = (struct smsh_vars){ .si = inst->priv,
		.host = inst->host,
		.job = lead->job,
		.pay = pay,
		.phones = phones,
		.n_phones = lead->n,
		.ref = lead->work->ref };
}

static void phones_of(const struct smsh_op *lead, struct lt_str *ret)
{
	size_t i = 0;

	for (const struct smsh_op *op = lead; op != NULL; op = op->next)
		ret[i++] = op->work->address;
}

/* What the gateway must have and the text lacks: a registered template, for one. */
static bool needs_met(const struct smsh_vendor *v, const struct sms_payload *p)
{
	bool met = true;

	if (v->needs == SMSH_NONE)
		return true;
	for (uint32_t c = v->doc.nodes[v->needs].first; c != SMSH_NONE; c = v->doc.nodes[c].next)
		if (ltc_eqz(smsh_text(&v->doc, c), "template_id"))
			met = met && p->template_id.n > 0;
	return met;
}

static void send(struct smsh_op *lead)
{
	struct lt_str phones[CHAIN_MAX];
	struct lt_job *whose[CHAIN_MAX];
	const struct smsh_inst *si = lead->session->count.inst->priv;
	struct sms_payload pay;
	struct smsh_verdict bad;
	LTC_CLEANUP_BUF struct ltc_buf join;
	char why[200] = "";
	size_t i = 0;

	ltc_buf_init(&join, SMSH_BODY_MAX);
	if (sms_payload_of(lead->work, &join, &pay) < 0) {
		smsh_verdict_set(&bad, LT_REFUSED, LT_SCOPE_RELEASE, 0, "payload",
			"the prepared text cannot be read");
		finish_all(lead, &bad);
		return;
	}
	if (!needs_met(&si->vendor, &pay)) {
		smsh_verdict_set(&bad, LT_REFUSED, LT_SCOPE_RELEASE, 0, "template",
			"this gateway sends registered templates only, and the text matches none");
		finish_all(lead, &bad);
		return;
	}
	split_few(lead);
	phones_of(lead, phones);
	for (struct smsh_op *op = lead; op != NULL; op = op->next)
		whose[i++] = op->job;
	struct smsh_vars v;
	vars_of(lead, phones, &pay, &v);
	struct smsh_send s = { .node = call_of(lead),
		.flags = LT_PUBLISHES,
		.auth = true,
		.token = SMSH_T_SEND,
		.whose = whose,
		.n_whose = lead->n };
	for (struct smsh_op *op = lead; op != NULL; op = op->next)
		op->state = SMSH_SENT;
	int rc = smsh_request(&v, &s, why, sizeof(why));
	if (rc == 0)
		return;
	smsh_verdict_set(&bad, LT_DEFERRED, rc == -EINVAL ? LT_SCOPE_ACCOUNT : LT_SCOPE_LANE,
		rc == -EINVAL ? LT_R_FREE | LT_R_PERSON : LT_R_FREE, "request", why);
	finish_all(lead, &bad);
}

/* A token first, if the gateway wants one and there is none. */
static void begin(struct smsh_op *lead)
{
	struct lt_inst *inst = lead->session->count.inst;
	struct smsh_vars v;
	struct smsh_verdict bad;

	vars_of(lead, NULL, NULL, &v);
	if (smsh_auth_token_there(&v, &lead->version)) {
		send(lead);
		return;
	}
	for (struct smsh_op *op = lead; op != NULL; op = op->next)
		op->state = SMSH_TOKEN;
	int rc = inst->host->refresh(
		inst->host->ctx, lead->job, (struct lt_str){ 0 }, lead->version);
	if (rc == 0)
		return;
	bool none = rc == -LT_E_INVALID;
	smsh_verdict_set(&bad, LT_DEFERRED, LT_SCOPE_ACCOUNT,
		none ? LT_R_FREE | LT_R_PERSON : LT_R_FREE, "token",
		none ? "there is no access token, and the account names no credential to refresh"
		     : "there is no access token now");
	finish_all(lead, &bad);
}

/* --- answers ----------------------------------------------------------------------------------------------------------------- */
static void throttled(struct smsh_op *lead, const struct smsh_verdict *v)
{
	const struct lt_host *h = lead->session->count.inst->host;
	struct lt_rate rate = { .struct_size = sizeof(rate),
		.scope = (uint32_t)v->scope,
		.retry_after_ms = v->retry_ms,
		.limit = -1,
		.remaining = 0,
		.used_percent = -1,
		.congestion = -1 };

	if (v->outcome == LT_DEFERRED && (v->flags & LT_R_FREE) && v->retry_ms > 0)
		h->rate(h->ctx, lead->job, &rate);
}

static void share_out(struct smsh_op *lead, struct smsh_answer *a, const struct smsh_verdict *whole)
{
	struct lt_str phones[CHAIN_MAX];
	struct smsh_session *s = lead->session;
	const struct smsh_inst *si = s->count.inst->priv;
	uint32_t answer = smsh_member(&si->vendor.doc, call_of(lead), "answer");
	struct smsh_op *rest = lead->rest;
	struct smsh_vars v;

	phones_of(lead, phones);
	vars_of(lead, phones, NULL, &v);
	struct smsh_op *op = lead->next, *next;
	for (v.phone_i = 1; op != NULL; op = next, v.phone_i++) {
		struct smsh_verdict one;
		next = op->next;
		smsh_judge_of(&v, answer, a, whole, &one);
		finish(op, &one);
	}
	struct smsh_verdict one;
	v.phone_i = 0;
	smsh_judge_of(&v, answer, a, whole, &one);
	finish(lead, &one);
	go_on(rest, &one);
	smsh_session_settle(s);
}

/* The gateway says that the token is bad: proof that it took nothing. Renewed once, then the same request. Where that is bad as well,
 * or nothing can be renewed, a person must look. */
static bool token_again(struct smsh_op *lead, struct smsh_verdict *whole)
{
	struct lt_inst *inst = lead->session->count.inst;
	bool second = lead->refreshed;
	int rc = 0;

	if (whole->special != SMSH_S_TOKEN)
		return false;
	if (!second && !lead->cancel) {
		lead->refreshed = true;
		for (struct smsh_op *op = lead; op != NULL; op = op->next)
			op->state = SMSH_TOKEN;
		rc = inst->host->refresh(
			inst->host->ctx, lead->job, (struct lt_str){ 0 }, lead->version);
		if (rc == 0)
			return true;
	}
	if (second || rc == -LT_E_INVALID)
		whole->flags |= LT_R_PERSON;
	return false;
}

static void on_answer(struct smsh_op *lead, const struct lt_http_res *res)
{
	const struct smsh_inst *si = lead->session->count.inst->priv;
	uint32_t at = smsh_member(&si->vendor.doc, call_of(lead), "answer");
	struct smsh_verdict whole;
	struct smsh_answer a;
	struct smsh_vars v;

	if (res->phase != LT_P_ANSWERED) {
		smsh_verdict_lost(&whole, res);
		finish_all(lead, &whole);
		return;
	}
	vars_of(lead, NULL, NULL, &v);
	smsh_answer_read(&si->vendor, call_of(lead), res, &a);
	smsh_judge_one(&si->vendor, at, &a, &whole);
	if (whole.outcome == LT_DEFERRED && whole.retry_ms == 0)
		whole.retry_ms = smsh_backoff(&v, &a);
	if (lead->n > 1 && whole.outcome == LT_REFUSED && whole.scope == LT_SCOPE_TARGET) {
		whole.outcome = LT_DEFERRED; /* of which number is not said: each alone, then */
		whole.flags = 0;
	}
	if (!token_again(lead, &whole)) {
		throttled(lead, &whole);
		share_out(lead, &a, &whole);
	}
	smsh_answer_done(&a);
}

/* Where a person must look the host parks the account itself, until there is a token. */
static void on_secret(struct smsh_op *lead, int32_t error)
{
	struct smsh_verdict bad;
	struct smsh_vars v;

	if (lead->state != SMSH_TOKEN)
		return;
	vars_of(lead, NULL, NULL, &v);
	if (error == 0 && !lead->cancel && smsh_auth_token_there(&v, &lead->version)) {
		send(lead);
		return;
	}
	smsh_verdict_set(&bad, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE, "token",
		lead->cancel ? "stopped before it was sent" : "no access token could be had");
	finish_all(lead, &bad);
}

/* --- life -------------------------------------------------------------------------------------------------------------------- */
static void unchain(struct smsh_op *op)
{
	struct smsh_op *at = op->lead;

	if (at->rest == op) {
		at->rest = op->next;
		return;
	}
	bool follows = at->rest != NULL; /* the chain is of one then, and op is not in it */
	for (at = follows ? at->rest : at; at != NULL && at->next != op;)
		at = at->next;
	if (at == NULL)
		return;
	at->next = op->next;
	op->lead->n -= !follows;
}

static void on_cancel(struct smsh_op *op)
{
	struct smsh_session *s = op->session;
	struct smsh_verdict stopped;

	op->cancel = true;
	if (op->state == SMSH_SENT)
		return; /* it may be out: its answer will say */
	smsh_verdict_set(&stopped, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_FREE, "stop",
		"stopped before it was sent");
	if (op == op->lead) {
		finish_all(op, &stopped);
		return;
	}
	unchain(op);
	finish(op, &stopped);
	smsh_session_settle(s);
}

int smsh_op_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev)
{
	struct smsh_op *op = job->priv;

	(void)inst;
	switch (ev->type) {
	case LT_EV_HTTP: on_answer(op, ev->u); break;
	case LT_EV_SECRET: on_secret(op, ev->error); break;
	case LT_EV_CANCEL: on_cancel(op); break;
	default: break;
	}
	return 0;
}

/* One whose batch was refused as a whole goes alone the next time: then the word is about this number. */
static bool joins(const struct smsh_op *op)
{
	return op->work->try_no <= 1;
}

int smsh_ops_start(struct lt_inst *inst, struct lt_job *const *jobs,
	const struct lt_work *const *works, size_t n)
{
	const struct smsh_inst *si = inst->priv;
	struct smsh_session *s = jobs[0]->session->priv;
	size_t max = si->vendor.batch_max;
	bool lead[START_MAX];

	if (n > START_MAX)
		return -LT_E_FULL;
	if (si->conf.batch > 0 && si->conf.batch < max)
		max = si->conf.batch;
	s->count.held += (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		struct smsh_op *op = jobs[i]->priv;
		*op = (struct smsh_op){ .job = jobs[i], .session = s, .work = works[i] };
		struct smsh_op *before = i > 0 ? jobs[i - 1]->priv : NULL;
		op->lead = op;
		if (before != NULL && before->lead->n < max && joins(before) && joins(op)) {
			before->next = op;
			op->lead = before->lead;
		}
		op->lead->n++;
	}
	/* A lead may finish its chain at once: who leads is looked up before. */
	for (size_t i = 0; i < n; i++)
		lead[i] = ((const struct smsh_op *)jobs[i]->priv)->lead->job == jobs[i];
	for (size_t i = 0; i < n; i++)
		if (lead[i])
			begin(jobs[i]->priv);
	if (si->vendor.few_below > 0)
		smsh_session_settle(s);
	return 0;
}
