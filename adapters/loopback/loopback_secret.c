/* loopback_secret.c - a credential that rotates, in its smallest form: refresh, login in two steps, a check that asks with the token, and
 * ops that carry it. The token service (`token_url`) answers `access_token=A&refresh_token=R&expires_in=S`, or `error=WORD`:
 * spent, unknown and code are refusals.
 * Thread: loop. Owns: nothing; a job is gone after finish. Failures: an answer that was lost is unknown, not one byte sent is deferred. */
#include <string.h>
#include "loopback.h"

enum { TOKEN_HTTP = 1, TOKEN_SAVED = 2 };

static void over(struct loop_token *t, int32_t outcome, const char *code, const char *text)
{
	const struct lt_host *h = t->inst->host;
	struct lt_result r = { .struct_size = sizeof(r),
		.outcome = outcome,
		.scope = LT_SCOPE_ACCOUNT,
		.code = ltc_z(code),
		.text = ltc_z(text) };

	(void)h->finish(h->ctx, t->job, &r);
}

static const struct loop_conf *conf_of(const struct loop_token *t)
{
	return &((const struct loop_inst *)t->inst->priv)->conf;
}

static int post(struct loop_token *t, const struct lt_field *fields, size_t n)
{
	const struct lt_host *h = t->inst->host;
	struct lt_http_req req = { .struct_size = sizeof(req),
		.flags = LT_SECRET_ANSWER,
		.body_kind = LT_BODY_FORM,
		.method = LTC_LIT("POST"),
		.url = conf_of(t)->token_url,
		.fields = fields,
		.n_fields = n,
		.total_ms = 10000,
		.token = TOKEN_HTTP };

	return h->http(h->ctx, t->job, &req);
}

/* --- refresh ---------------------------------------------------------------------------------------------------------------- */
static int refresh(struct loop_token *t)
{
	const struct lt_field fields[] = {
		{ .name = LTC_LIT("grant_type"), .src = { .bytes = LTC_LIT("refresh_token") } },
		{ .name = LTC_LIT("refresh_token"), .src = { .secret = LTC_LIT("refresh_token") } },
	};
	const struct lt_host *h = t->inst->host;
	struct lt_str value;
	uint64_t version;

	if (h->secret_get(h->ctx, t->job, LTC_LIT("refresh_token"), &value, &version) != 0) {
		over(t, LT_REFUSED, "none", "there is no refresh token yet");
		return 0;
	}
	return post(t, fields, 2);
}

static int store_pair(struct loop_token *t, struct lt_str body)
{
	const struct lt_host *h = t->inst->host;
	struct lt_pair set[3] = { { .name = LTC_LIT("access_token") },
		{ .name = LTC_LIT("refresh_token") }, { .name = LTC_LIT("verifier") } };
	struct lt_str rest = body, piece;
	int64_t life_s = 3600;
	bool bad = false;

	while (ltc_next(&rest, '&', &piece)) {
		if (ltc_starts(piece, "access_token="))
			set[0].value = ltc_from(piece, 13);
		else if (ltc_starts(piece, "refresh_token="))
			set[1].value = ltc_from(piece, 14);
		else if (ltc_starts(piece, "expires_in="))
			bad = ltc_i64(ltc_from(piece, 11), 1, 100000000, &life_s) != 0;
	}
	if (bad || set[0].value.n == 0 || set[1].value.n == 0)
		return -LT_E_INVALID;
	return h->secret_put(h->ctx, t->job, set, t->job->kind == LT_J_LOGIN ? 3 : 2,
		h->wall_ms(h->ctx) + life_s * 1000, TOKEN_SAVED);
}

static void on_pair(struct loop_token *t, const struct lt_http_res *r)
{
	if (r->phase == LT_P_NOT_SENT)
		over(t, LT_DEFERRED, "connect", "the token service cannot be reached");
	else if (r->phase == LT_P_MAYBE_SENT)
		over(t, LT_UNKNOWN, "lost", "the answer of the token service was lost");
	else if (r->status == 503)
		over(t, LT_DEFERRED, "503", "the token service is busy");
	else if (ltc_starts(r->body, "error="))
		over(t, LT_REFUSED, "error", "the token service refuses");
	else if (r->status != 200 || store_pair(t, r->body) != 0)
		over(t, LT_UNKNOWN, "answer", "an answer that is no pair");
}

/* --- login ------------------------------------------------------------------------------------------------------------------ */
static int consent(struct loop_token *t)
{
	const struct lt_host *h = t->inst->host;
	static const char digits[] = "0123456789abcdef";
	uint8_t random[16];
	char verifier[32];
	struct lt_pair set = { .name = LTC_LIT("verifier"),
		.value = { verifier, sizeof(verifier) } };

	h->random(h->ctx, random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++) {
		verifier[2 * i] = digits[random[i] >> 4];
		verifier[2 * i + 1] = digits[random[i] & 15];
	}
	return h->secret_put(h->ctx, t->job, &set, 1, 0, TOKEN_SAVED);
}

static int exchange(struct loop_token *t)
{
	const struct lt_field fields[] = {
		{ .name = LTC_LIT("grant_type"),
			.src = { .bytes = LTC_LIT("authorization_code") } },
		{ .name = LTC_LIT("code"), .src = { .bytes = t->work->text } },
		{ .name = LTC_LIT("verifier"), .src = { .secret = LTC_LIT("verifier") } },
	};
	const struct lt_host *h = t->inst->host;
	struct lt_str value;
	uint64_t version;

	if (h->secret_get(h->ctx, t->job, LTC_LIT("verifier"), &value, &version) != 0) {
		over(t, LT_REFUSED, "order", "ask for the consent page first");
		return 0;
	}
	return post(t, fields, 3);
}

static void on_saved(struct loop_token *t, int32_t error)
{
	const struct lt_host *h = t->inst->host;
	char url[400];
	struct lt_str page = conf_of(t)->token_url;
	struct lt_result r = { .struct_size = sizeof(r), .outcome = LT_ACCEPTED };

	if (error < 0) {
		over(t, LT_UNKNOWN, "store", "the pair could not be stored");
		return;
	}
	if (t->job->kind == LT_J_LOGIN && t->work->text.n == 0 && page.n + 16 < sizeof(url)) {
		memcpy(url, page.p, page.n);
		memcpy(url + page.n, "?consent=yes", 12);
		r.url = (struct lt_str){ url, page.n + 12 };
		r.text = LTC_LIT("the page shows a code");
	}
	(void)h->finish(h->ctx, t->job, &r);
}

/* --- check ------------------------------------------------------------------------------------------------------------------ */
static int look(struct loop_token *t)
{
	const struct lt_host *h = t->inst->host;
	struct lt_pair token = { .name = LTC_LIT("access_token"),
		.secret = LTC_LIT("access_token") };
	struct lt_pair what = { .name = LTC_LIT("check"), .value = LTC_LIT("yes") };
	struct lt_http_req req = { .struct_size = sizeof(req),
		.method = LTC_LIT("GET"),
		.url = conf_of(t)->token_url,
		.query = &what,
		.n_query = 1,
		.headers = &token,
		.n_headers = 1,
		.total_ms = 10000,
		.token = TOKEN_HTTP };

	if (conf_of(t)->token_url.n == 0) {
		over(t, LT_ACCEPTED, "", "loopback answers from memory");
		return 0;
	}
	if (h->http(h->ctx, t->job, &req) != 0)
		over(t, LT_REFUSED, "none", "there is no token");
	return 0;
}

/* name=number&...: each is a fact. */
static void on_facts(struct loop_token *t, const struct lt_http_res *r)
{
	const struct lt_host *h = t->inst->host;
	struct lt_str rest = r->body, piece, name;
	int64_t value;

	while (r->phase == LT_P_ANSWERED && r->status == 200 && ltc_next(&rest, '&', &piece))
		if (ltc_next(&piece, '=', &name) &&
			ltc_i64(piece, INT64_MIN, INT64_MAX, &value) == 0)
			h->stat(h->ctx, t->job, 0, name, value);
	if (r->phase == LT_P_ANSWERED && r->status == 200)
		over(t, LT_ACCEPTED, "200", "the token is good");
	else if (r->phase == LT_P_ANSWERED && r->status == 401)
		over(t, LT_REFUSED, "401", "the token is not good");
	else
		over(t, LT_DEFERRED, "", "the token service does not answer");
}

/* --- life ------------------------------------------------------------------------------------------------------------------- */
int loop_token_start(struct lt_inst *inst, struct lt_job *job, const struct lt_work *work)
{
	struct loop_token *t = job->priv;

	*t = (struct loop_token){ .inst = inst, .job = job, .work = work };
	if (job->kind == LT_J_CHECK)
		return look(t);
	if (conf_of(t)->token_url.n == 0)
		return -LT_E_INVALID;
	if (job->kind == LT_J_REFRESH)
		return refresh(t);
	return work->text.n != 0 ? exchange(t) : consent(t);
}

int loop_token_event(struct lt_job *job, const struct lt_event *ev)
{
	struct loop_token *t = job->priv;

	if (ev->type == LT_EV_HTTP && job->kind == LT_J_CHECK)
		on_facts(t, ev->u);
	else if (ev->type == LT_EV_HTTP)
		on_pair(t, ev->u);
	else if (ev->type == LT_EV_SAVED)
		on_saved(t, ev->error);
	return 0;
}
