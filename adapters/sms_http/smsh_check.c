/* smsh_check.c - what is left on the account: as a probe that an operator asks for, and by the session while it sends.
 * Thread: loop. Owns: nothing. The amount goes to stat() of the account; under `balance_min` it is also said in the log.
 * Failures: a probe ends deferred with what the gateway said; the session only notes it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "smsh.h"

/* Whole part of "12500.75", "12,500" or "1.250.000,50": with several points, they part thousands and a comma leads the rest. */
static bool amount(struct lt_str s, int64_t *ret)
{
	char z[32], point = '.', thousands = ',';
	size_t n = 0, points = 0;

	s = ltc_trim(s);
	for (size_t i = 0; i < s.n; i++)
		points += s.p[i] == '.';
	if (points > 1) {
		point = ',';
		thousands = '.';
	}
	for (size_t i = 0; i < s.n && s.p[i] != point && n < sizeof(z); i++)
		if (s.p[i] != thousands && s.p[i] != ' ')
			z[n++] = s.p[i];
	return ltc_i64((struct lt_str){ z, n }, INT64_MIN, INT64_MAX, ret) == 0;
}

/* 0 with the amount, or why not. */
static const char *read_amount(const struct smsh_inst *si, const struct lt_http_res *res,
	int64_t *ret, struct smsh_verdict *said)
{
	const struct smsh_vendor *v = &si->vendor;
	const char *why = NULL;
	struct smsh_answer a;

	if (res->phase != LT_P_ANSWERED) {
		smsh_verdict_lost(said, res);
		return said->text;
	}
	smsh_answer_read(v, v->balance, res, &a);
	uint32_t at = smsh_member(&v->doc, v->balance, "answer");
	smsh_judge(v, at, &a, said);
	if (smsh_member(&v->doc, at, "rules") != SMSH_NONE && said->outcome != LT_ACCEPTED)
		why = said->text[0] != '\0' ? said->text : "the gateway gives no balance";
	else if (res->status < 200 || res->status > 299 || !a.read ||
		!amount(smsh_point_text(v, v->balance, "value", &a.doc, 0), ret))
		why = "the answer holds no balance";
	smsh_answer_done(&a);
	return why;
}

static void tell(struct lt_inst *inst, struct lt_job *job, int64_t left)
{
	const struct smsh_inst *si = inst->priv;
	const struct lt_host *h = inst->host;
	char text[160];

	h->stat(h->ctx, job, 0, LTC_LIT("balance"), left);
	if (si->conf.balance_min == 0 || left >= si->conf.balance_min)
		return;
	(void)snprintf(text, sizeof(text), "balance at %.*s is %lld, less than balance_min %lld",
		(int)si->vendor.name.n, si->vendor.name.p, (long long)left,
		(long long)si->conf.balance_min);
	h->log(h->ctx, job, 4, ltc_z(text));
}

/* --- a probe ----------------------------------------------------------------------------------------------------------------- */
static int finish(struct smsh_other *o, int32_t outcome, struct lt_str code, struct lt_str text)
{
	struct lt_result r = { .struct_size = sizeof(r),
		.outcome = outcome,
		.scope = LT_SCOPE_ACCOUNT,
		.code = code,
		.text = text };

	return o->inst->host->finish(o->inst->host->ctx, o->job, &r);
}

static int probe(struct smsh_other *o)
{
	const struct smsh_inst *si = o->inst->priv;
	struct smsh_vars v = { .si = si, .host = o->inst->host, .job = o->job };
	struct smsh_send s = { .node = si->vendor.balance, .auth = true, .token = SMSH_T_BALANCE };
	char why[200] = "";

	if (!smsh_auth_token_there(&v, &o->version)) {
		if (!o->refreshed &&
			v.host->refresh(v.host->ctx, o->job, (struct lt_str){ 0 }, o->version) ==
				0) {
			o->refreshed = true;
			return 0;
		}
		return finish(
			o, LT_DEFERRED, LTC_LIT("token"), LTC_LIT("there is no access token"));
	}
	if (si->vendor.balance == SMSH_NONE)
		return finish(o, LT_ACCEPTED, (struct lt_str){ 0 },
			LTC_LIT("the vendor file is sound; this gateway has no balance to ask for"));
	if (smsh_request(&v, &s, why, sizeof(why)) < 0)
		return finish(o, LT_DEFERRED, LTC_LIT("request"), ltc_z(why));
	return 0;
}

int smsh_check_start(struct lt_inst *inst, struct lt_job *job, const struct lt_work *work)
{
	struct smsh_other *o = job->priv;

	*o = (struct smsh_other){ .job = job, .inst = inst, .work = work };
	return probe(o);
}

static int on_probe(struct smsh_other *o, const struct lt_http_res *res)
{
	const struct smsh_inst *si = o->inst->priv;
	struct smsh_verdict said;
	int64_t left = 0;
	char text[160];
	const char *why = read_amount(si, res, &left, &said);

	if (why != NULL)
		return finish(o, LT_DEFERRED, ltc_z(said.code), ltc_z(why));
	tell(o->inst, o->job, left);
	(void)snprintf(text, sizeof(text), "%.*s answers; balance %lld%s", (int)si->vendor.name.n,
		si->vendor.name.p, (long long)left,
		si->conf.balance_min > 0 && left < si->conf.balance_min ? ", less than balance_min"
									: "");
	return finish(o, LT_ACCEPTED, (struct lt_str){ 0 }, ltc_z(text));
}

int smsh_check_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev)
{
	struct smsh_other *o = job->priv;

	(void)inst;
	if (ev->type == LT_EV_HTTP)
		return on_probe(o, ev->u);
	if (ev->type == LT_EV_SECRET)
		return ev->error == 0 ? probe(o)
				      : finish(o, LT_DEFERRED, LTC_LIT("token"),
						LTC_LIT("no access token could be had"));
	if (ev->type == LT_EV_CANCEL)
		return finish(o, LT_DEFERRED, LTC_LIT("stop"), LTC_LIT("stopped"));
	return 0;
}

/* --- of the session ---------------------------------------------------------------------------------------------------------- */
void smsh_balance_ask(struct smsh_session *s)
{
	const struct smsh_inst *si = s->count.inst->priv;
	const struct lt_host *h = s->count.inst->host;
	struct smsh_vars v = { .si = si, .host = h, .job = s->count.job };
	struct smsh_send call = {
		.node = si->vendor.balance, .auth = true, .token = SMSH_T_BALANCE
	};
	int64_t now = h->mono_ms(h->ctx);
	uint64_t version;
	char why[200];

	if (si->vendor.balance == SMSH_NONE || si->conf.balance_every_ms == 0 || s->asking ||
		s->count.shutting || !smsh_auth_token_there(&v, &version))
		return;
	if (s->asked_ms != 0 && now - s->asked_ms < si->conf.balance_every_ms)
		return;
	s->asked_ms = now > 0 ? now : 1;
	s->asking = smsh_request(&v, &call, why, sizeof(why)) == 0;
}

void smsh_balance_event(struct smsh_session *s, const struct lt_event *ev)
{
	const struct smsh_inst *si = s->count.inst->priv;
	struct smsh_verdict said;
	int64_t left = 0;

	s->asking = false;
	if (read_amount(si, ev->u, &left, &said) == NULL)
		tell(s->count.inst, s->count.job, left);
}
