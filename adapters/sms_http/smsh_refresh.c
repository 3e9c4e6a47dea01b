/* smsh_refresh.c - an access token by exchange: client credentials or a refresh token, as "auth" of the vendor file has it.
 * One at a time for a credential (the host sees to it). The new token, and a new refresh token where the answer has one, are
 * stored together before anybody uses them. A log-in by a person is an exchange, too; where a refresh token is what is exchanged, it
 * is the one that the person gives.
 * Thread: loop. Owns: nothing. Failures: refused when the gateway says no; deferred when it proves nothing was done; unknown when
 * the answer was lost: a refresh token may be spent then, and a person is told by the host. What spends nothing (client credentials)
 * is never refused nor unknown: it is asked again, while a person is told to look. */
#include <string.h>
#include "smsh.h"

#define LIFETIME_S 3000
#define TOKEN_MAX  8192

static int finish_as(
	struct smsh_other *o, int32_t outcome, uint32_t flags, const char *code, struct lt_str text)
{
	struct lt_result r = { .struct_size = sizeof(r),
		.outcome = outcome,
		.scope = LT_SCOPE_ACCOUNT,
		.flags = flags,
		.code = ltc_z(code),
		.text = text };

	return o->inst->host->finish(o->inst->host->ctx, o->job, &r);
}

static int finish(struct smsh_other *o, int32_t outcome, const char *code, struct lt_str text)
{
	return finish_as(o, outcome, 0, code, text);
}

static const struct smsh_vendor *vendor_of(const struct smsh_other *o)
{
	return &((const struct smsh_inst *)o->inst->priv)->vendor;
}

/* The answer was lost, or came to nothing. */
static int lost(struct smsh_other *o, const char *code, struct lt_str text)
{
	return finish(o, vendor_of(o)->token_spends ? LT_UNKNOWN : LT_DEFERRED, code, text);
}

static int refused(struct smsh_other *o)
{
	static const char text[] = "the gateway gives no token: check the log-in of this account";

	return vendor_of(o)->token_spends
		? finish(o, LT_REFUSED, "token", ltc_z(text))
		: finish_as(o, LT_DEFERRED, LT_R_FREE | LT_R_PERSON, "token", ltc_z(text));
}

/* A new refresh token, as the gateway's console gives it: the exchange follows by itself, since the access token is over. */
static int take(struct smsh_other *o, struct lt_str text)
{
	const struct lt_host *h = o->inst->host;
	struct lt_pair set = { .name = SMSH_REFRESH, .value = ltc_trim(text) };

	if (set.value.n > TOKEN_MAX || ltc_has_control(set.value))
		return finish(o, LT_REFUSED, "code",
			LTC_LIT("that is no refresh token: one line, as the gateway's console shows it"));
	return h->secret_put(h->ctx, o->job, &set, 1, h->wall_ms(h->ctx), SMSH_T_TOKEN);
}

int smsh_refresh_start(struct lt_inst *inst, struct lt_job *job, const struct lt_work *work)
{
	const struct smsh_inst *si = inst->priv;
	struct smsh_other *o = job->priv;
	struct smsh_vars v = { .si = si, .host = inst->host, .job = job };
	bool login = job->kind == LT_J_LOGIN, given = login && ltc_trim(work->text).n > 0;
	char why[200] = "";

	*o = (struct smsh_other){ .job = job, .inst = inst, .work = work };
	if (si->vendor.auth_kind != SMSH_A_TOKEN)
		return finish(o, LT_REFUSED, "auth",
			LTC_LIT("the vendor file describes no exchange of tokens"));
	if (login && si->vendor.token_spends)
		return given
			? take(o, work->text)
			: finish(o, LT_REFUSED, "code",
				  LTC_LIT("give the refresh token that the gateway's console shows: --code-stdin"));
	if (given)
		return finish(o, LT_REFUSED, "code",
			LTC_LIT("this gateway takes no code: its token is asked for with the secrets of the configuration, run the command without one"));
	struct smsh_send s = { .node = smsh_member(&si->vendor.doc, si->vendor.auth, "request"),
		.flags = LT_PUBLISHES | LT_SECRET_ANSWER,
		.token = SMSH_T_TOKEN };
	if (smsh_request(&v, &s, why, sizeof(why)) < 0)
		return finish(o, LT_DEFERRED, "request", ltc_z(why));
	return 0;
}

static int store(struct smsh_other *o, const struct smsh_answer *a, struct lt_str token)
{
	const struct smsh_inst *si = o->inst->priv;
	const struct smsh_vendor *v = &si->vendor;
	const struct lt_host *h = o->inst->host;
	struct lt_str life = smsh_v_text(v, v->auth, "lifetime_s"), again = { 0 };
	struct lt_pair set[2] = { { .name = SMSH_ACCESS, .value = token } };
	int64_t s = LIFETIME_S;

	if (life.n > 0)
		(void)!ltc_i64(life, 1, 31536000, &s);
	if (smsh_points(v, v->auth, "expires"))
		(void)!ltc_i64(smsh_point_text(v, v->auth, "expires", &a->doc, 0), 1, 31536000, &s);
	if (smsh_points(v, v->auth, "refresh"))
		again = smsh_point_text(v, v->auth, "refresh", &a->doc, 0);
	set[1] = (struct lt_pair){ .name = SMSH_REFRESH, .value = again };
	return h->secret_put(h->ctx, o->job, set, again.n > 0 ? 2 : 1,
		h->wall_ms(h->ctx) + s * 1000, SMSH_T_TOKEN);
}

static int on_answer(struct smsh_other *o, const struct lt_http_res *res)
{
	const struct smsh_inst *si = o->inst->priv;
	const struct smsh_vendor *v = &si->vendor;
	struct lt_str token = { 0 };
	struct smsh_answer a;
	int rc = 0;

	if (res->phase == LT_P_NOT_SENT)
		return finish(o, LT_DEFERRED, "not-sent", res->error);
	if (res->phase != LT_P_ANSWERED)
		return lost(o, "no-answer", res->error);
	smsh_answer_read(v, smsh_member(&v->doc, v->auth, "request"), res, &a);
	if (a.read && res->status >= 200 && res->status < 300)
		token = smsh_point_text(v, v->auth, "token", &a.doc, 0);
	if (token.n > 0 && !ltc_has_control(token)) {
		rc = store(o, &a, token);
		if (rc < 0)
			rc = lost(o, "store", LTC_LIT("the new token could not be stored"));
	} else if (res->status == 429)
		rc = finish(o, LT_DEFERRED, "HTTP 429", LTC_LIT("the gateway asks to come later"));
	else if (res->status >= 200 && res->status < 500 &&
		((res->status >= 400 && res->status != 408) || a.read))
		rc = refused(o);
	else
		rc = lost(o, "token", LTC_LIT("the answer holds no token"));
	smsh_answer_done(&a);
	return rc;
}

int smsh_refresh_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev)
{
	struct smsh_other *o = job->priv;

	(void)inst;
	switch (ev->type) {
	case LT_EV_HTTP: (void)on_answer(o, ev->u); break;
	case LT_EV_SAVED:
		(void)(ev->error < 0
				? lost(o, "store", LTC_LIT("the new token could not be stored"))
				: finish(o, LT_ACCEPTED, "", LTC_LIT("a new token is stored")));
		break;
	default: break;
	}
	return 0;
}
