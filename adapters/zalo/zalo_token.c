/* zalo_token.c - one rotation of a token pair, and the log-in by a person (consent page with PKCE, then the code).
 * One call a job: whether the old pair may be tried once more after a lost answer is the host's to say. The new pair is stored
 * before anyone hears of it; a refresh answer without a new refresh token keeps the old one.
 * Thread: loop. Owns: nothing that outlives the call; tokens are in trees that are wiped. Failures: proven not taken is deferred,
 * a lost answer unknown, a spent or unknown token refused. */
#include <stdio.h>
#include <string.h>
#include "zalo_other.h"

#define LIFE_UNKNOWN_S 3600
#define LIFE_MAX_S     31536000
#define CODE_MAX       2000
#define STATE_CHARS    8  /* of the challenge */
#define DRAWS_MAX      64 /* of a verifier; one in four fits */

enum { TOKEN_HTTP = 1, TOKEN_PUT = 2, TOKEN_VERIFIER = 3 };

static void end(struct lt_inst *inst, struct lt_job *job, int32_t outcome, uint32_t flags,
	const char *code, const char *text)
{
	struct lt_result r = { .struct_size = sizeof(r),
		.outcome = outcome,
		.scope = LT_SCOPE_ACCOUNT,
		.flags = flags,
		.code = ltc_z(code),
		.text = ltc_z(text) };

	(void)inst->host->finish(inst->host->ctx, job, &r);
}

static const struct zalo_conf *conf_of(const struct lt_inst *inst)
{
	return &((const struct zalo_inst *)inst->priv)->conf;
}

/* --- the call ---------------------------------------------------------------------------------------------------------------- */
static int call(struct lt_inst *inst, struct lt_job *job, const struct lt_field *f, size_t n)
{
	const struct zalo_conf *c = conf_of(inst);
	struct lt_pair headers[] = { { .name = LTC_LIT("secret_key"), .secret = c->app_secret },
		{ .name = LTC_LIT("Content-Type"),
			.value = LTC_LIT("application/x-www-form-urlencoded") } };
	char url[400];

	(void)snprintf(
		url, sizeof(url), "%.*s/v4/oa/access_token", (int)c->base_oauth.n, c->base_oauth.p);
	struct lt_http_req req = { .struct_size = sizeof(req),
		.flags = LT_PUBLISHES | LT_SECRET_ANSWER,
		.body_kind = LT_BODY_FORM,
		.answer_max = 65536,
		.method = LTC_LIT("POST"),
		.url = ltc_z(url),
		.headers = headers,
		.n_headers = 2,
		.fields = f,
		.n_fields = n,
		.connect_ms = (int32_t)c->connect_ms,
		.total_ms = (int32_t)c->call_ms,
		.token = TOKEN_HTTP };
	return inst->host->http(inst->host->ctx, job, &req);
}

static int refresh(struct lt_inst *inst, struct lt_job *job)
{
	struct lt_str ignored;
	struct lt_field f[] = {
		{ .name = LTC_LIT("refresh_token"), .src = { .secret = LTC_LIT("refresh_token") } },
		{ .name = LTC_LIT("app_id"), .src = { .bytes = conf_of(inst)->app_id } },
		{ .name = LTC_LIT("grant_type"), .src = { .bytes = LTC_LIT("refresh_token") } },
	};

	if (inst->host->secret_get(inst->host->ctx, job, LTC_LIT("refresh_token"), &ignored, NULL) <
			0 ||
		ignored.n == 0) {
		end(inst, job, LT_REFUSED, LT_R_PERSON, "no-token",
			"there is no refresh token: log in with lantoa channel login");
		return 0;
	}
	return call(inst, job, f, 3);
}

/* --- log-in ------------------------------------------------------------------------------------------------------------------ */
static void base64url(char *dst, const uint8_t *p, size_t n)
{
	char std[100];
	size_t len = ltc_base64(std, p, n), at = 0;

	for (size_t i = 0; i < len && std[i] != '='; i++)
		dst[at++] = std[i] == '+' ? '-' : std[i] == '/' ? '_' : std[i];
	dst[at] = '\0';
}

static void add_encoded(struct ltc_buf *b, struct lt_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			(c >= 'a' && c <= 'z') || (c != 0 && strchr("-._~", c) != NULL);
		if (plain)
			ltc_addc(b, (char)c);
		else
			ltc_addf(b, "%%%02X", c);
	}
}

/* base64url of SHA-256 over the verifier, without padding. */
static int challenge_of(
	struct lt_inst *inst, struct lt_job *job, const struct lt_src *verifier, char ret[64])
{
	uint8_t mac[32];
	size_t n = sizeof(mac);
	int rc = inst->host->mac(
		inst->host->ctx, job, LT_MAC_SHA256, (struct lt_str){ 0 }, verifier, 1, mac, &n);

	if (rc >= 0)
		base64url(ret, mac, n);
	return rc;
}

/* Some write the challenge with '+' and '/', some with '-' and '_' (contract 1.2): one without them is the same to both. */
static int verifier_make(
	struct lt_inst *inst, struct lt_job *job, char verifier[44], char challenge[64])
{
	static const char abc[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t raw[43];
	int rc = 0;

	for (int i = 0; i < DRAWS_MAX && rc >= 0; i++) {
		inst->host->random(inst->host->ctx, raw, sizeof(raw));
		for (size_t k = 0; k < sizeof(raw); k++)
			verifier[k] = abc[raw[k] % 64];
		verifier[sizeof(raw)] = '\0';
		struct lt_src src = { .bytes = ltc_z(verifier) };
		rc = challenge_of(inst, job, &src, challenge);
		if (rc >= 0 && strpbrk(challenge, "-_") == NULL)
			break;
	}
	return rc;
}

static int consent_url(struct lt_inst *inst, struct zalo_token_job *t, const char *challenge)
{
	const struct zalo_conf *c = conf_of(inst);
	struct ltc_buf b;

	ltc_buf_init(&b, sizeof(t->url) - 1);
	ltc_adds(&b, c->base_oauth);
	ltc_addz(&b, "/v4/oa/permission?app_id=");
	add_encoded(&b, c->app_id);
	ltc_addz(&b, "&redirect_uri=");
	add_encoded(&b, c->redirect_uri);
	ltc_addf(&b, "&code_challenge=%s&state=%.*s", challenge, STATE_CHARS, challenge);
	(void)snprintf(t->url, sizeof(t->url), "%s", b.p == NULL ? "" : b.p);
	int rc = b.failed ? -LT_E_FULL : 0;
	ltc_buf_done(&b);
	return rc;
}

static void page_end(struct lt_inst *inst, struct lt_job *job)
{
	const struct zalo_token_job *t = job->priv;
	struct lt_result r = { .struct_size = sizeof(r),
		.outcome = LT_ACCEPTED,
		.url = ltc_z(t->url),
		.text = LTC_LIT(
			"the address that the browser ends at is good once, for ten minutes") };

	(void)inst->host->finish(inst->host->ctx, job, &r);
}

/* First step. A verifier that the console keeps stands in the configuration; else a new one is stored beside the pair. */
static int consent(struct lt_inst *inst, struct lt_job *job)
{
	const struct lt_host *h = inst->host;
	struct zalo_token_job *t = job->priv;
	struct lt_src kept = { .secret = conf_of(inst)->verifier };
	char challenge[64];
	bool own = kept.secret.n == 0;
	int rc = own ? verifier_make(inst, job, t->verifier, challenge)
		     : challenge_of(inst, job, &kept, challenge);

	rc = rc < 0 ? rc : consent_url(inst, t, challenge);
	if (rc < 0)
		return rc;
	struct lt_pair set = { .name = LTC_LIT("code_verifier"), .value = ltc_z(t->verifier) };
	if (own)
		return h->secret_put(h->ctx, job, &set, 1, 0, TOKEN_VERIFIER);
	page_end(inst, job);
	return 0;
}

/* "NAME=..." of an address, up to the next member. */
static struct lt_str member_in(struct lt_str text, const char *name)
{
	const char *at = ltc_find(text, ltc_z(name), false);
	struct lt_str s = { 0 };

	if (at != NULL)
		s = ltc_from(text, (size_t)(at - text.p) + strlen(name));
	for (size_t i = 0; i < s.n; i++)
		if (strchr("&# \r\n\t", s.p[i]) != NULL)
			s.n = i;
	return s;
}

static int hex(char c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : -1;
}

/* The code alone, or out of the whole address that the browser was sent to. */
static struct lt_str code_in(struct lt_str text, char dst[CODE_MAX])
{
	bool address = ltc_find(text, LTC_LIT("code="), false) != NULL;
	struct lt_str s = address ? member_in(text, "code=") : ltc_trim(text);
	size_t n = 0;

	if (!address && ltc_find(s, LTC_LIT("://"), false) != NULL)
		return (struct lt_str){ 0 }; /* an address without a code: consent was not given */
	if (!address || s.n > CODE_MAX)
		return s;
	for (size_t i = 0; i < s.n; i++) {
		bool escaped = s.p[i] == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 &&
			hex(s.p[i + 2]) >= 0;
		dst[n++] = (char)(escaped ? hex(s.p[i + 1]) << 4 | hex(s.p[i + 2]) : s.p[i]);
		i += escaped ? 2 : 0;
	}
	return (struct lt_str){ dst, n };
}

static bool other_oa(const struct lt_inst *inst, struct lt_str text)
{
	struct lt_str want = conf_of(inst)->oa_id, have = member_in(text, "oa_id=");

	return want.n != 0 && have.n != 0 && !ltc_eq(have, want);
}

/* The address of another log-in carries another state. That of a console's link is its own. */
static bool other_login(
	struct lt_inst *inst, struct lt_job *job, struct lt_str text, struct lt_str verifier)
{
	struct lt_src src = { .secret = verifier };
	struct lt_str state = member_in(text, "state=");
	char challenge[64];

	if (state.n == 0 || conf_of(inst)->verifier.n != 0 ||
		challenge_of(inst, job, &src, challenge) < 0)
		return false;
	return !ltc_eq(state, (struct lt_str){ challenge, STATE_CHARS });
}

static int exchange(struct lt_inst *inst, struct lt_job *job, struct lt_str text)
{
	char room[CODE_MAX];
	struct lt_str code = code_in(text, room), kept = conf_of(inst)->verifier, ignored;
	struct lt_str verifier = kept.n != 0 ? kept : LTC_LIT("code_verifier");

	if (code.n == 0 || code.n > CODE_MAX || ltc_has_control(code)) {
		end(inst, job, LT_REFUSED, 0, "code",
			"that is no code: agree on the page, then paste the whole address that the browser ends at");
		return 0;
	}
	if (other_oa(inst, text)) {
		end(inst, job, LT_REFUSED, 0, "oa",
			"that consent was given by another OA: choose the OA of this office on the page");
		return 0;
	}
	if (inst->host->secret_get(inst->host->ctx, job, verifier, &ignored, NULL) < 0) {
		end(inst, job, LT_REFUSED, 0, "verifier",
			"the log-in was not begun here: run the command without a code first");
		return 0;
	}
	if (other_login(inst, job, text, verifier)) {
		end(inst, job, LT_REFUSED, 0, "state",
			"that address belongs to another log-in: give the one of the last page");
		return 0;
	}
	struct lt_field f[] = {
		{ .name = LTC_LIT("code"), .src = { .bytes = code } },
		{ .name = LTC_LIT("app_id"), .src = { .bytes = conf_of(inst)->app_id } },
		{ .name = LTC_LIT("grant_type"),
			.src = { .bytes = LTC_LIT("authorization_code") } },
		{ .name = LTC_LIT("code_verifier"), .src = { .secret = verifier } },
	};
	return call(inst, job, f, 4);
}

int zalo_token_start(struct lt_inst *inst, struct lt_job *job, const struct lt_work *w)
{
	if (job->kind == LT_J_REFRESH)
		return refresh(inst, job);
	return ltc_trim(w->text).n == 0 ? consent(inst, job) : exchange(inst, job, w->text);
}

/* --- the answer -------------------------------------------------------------------------------------------------------------- */
static void put(struct lt_inst *inst, struct lt_job *job, const struct ltc_json *body)
{
	const struct lt_host *h = inst->host;
	struct lt_str fresh = ltc_json_text(ltc_json_get(body, "refresh_token"));
	struct lt_pair set[3] = { { .name = LTC_LIT("access_token"),
		.value = ltc_json_text(ltc_json_get(body, "access_token")) } };
	size_t n = 1;
	int64_t life = 0;

	if (!ltc_json_i64(ltc_json_get(body, "expires_in"), &life) || life <= 0 ||
		life > LIFE_MAX_S)
		life = LIFE_UNKNOWN_S;
	if (fresh.n != 0)
		set[n++] = (struct lt_pair){ .name = LTC_LIT("refresh_token"), .value = fresh };
	else
		h->log(h->ctx, job, 1,
			LTC_LIT("the answer has no new refresh token: the old one is kept"));
	if (job->kind == LT_J_LOGIN && conf_of(inst)->verifier.n == 0)
		set[n++] = (struct lt_pair){ .name = LTC_LIT("code_verifier"), .value = { "", 0 } };
	int rc = h->secret_put(h->ctx, job, set, n, h->wall_ms(h->ctx) + life * 1000, TOKEN_PUT);
	if (rc < 0)
		end(inst, job, LT_UNKNOWN, LT_R_PERSON, "store",
			"the new pair could not be stored");
}

static bool is_one_of(const char *code, const char *const *list)
{
	while (*list != NULL && strcmp(code, *list) != 0)
		list++;
	return *list != NULL;
}

/* An HTML page stands in front of the service: it was not asked. Anything else that came with 2xx may have been its answer. */
static bool was_reached(const struct lt_http_res *r, const struct zalo_answer *a)
{
	return r->status >= 200 && r->status < 300 &&
		(r->truncated || strncmp(a->code, "http", 4) == 0) &&
		!ltc_starts(ltc_trim(r->body), "<");
}

/* What no pair means: the body speaks first, and only what says that the token or code is spent ends it (contract 1.4). The rest of
 * their errors is for the operator of the app: the token stays good, and it is asked again from time to time. */
static void no_pair(struct lt_inst *inst, struct lt_job *job, const struct lt_http_res *r,
	const struct zalo_answer *a)
{
	static const char *const spent[] = { "-14014", "empty200", NULL };
	static const char *const app[] = { "-14001", "-14002", "-14003", NULL };
	bool login = job->kind == LT_J_LOGIN, said = a->json && a->code[0] == '-';
	char text[300];

	if (is_one_of(a->code, spent) || (login && said)) {
		/* the host adds the command by which a person logs in */
		size_t n = strlen(a->text); /* their full stop is not the end of ours */
		int end_at = n > 0 && n <= 100 && a->text[n - 1] == '.' ? (int)n - 1 : 100;
		(void)snprintf(text, sizeof(text), "%.*s%s", a->json ? end_at : 100,
			a->json         ? a->text
				: login ? "the code is spent"
					: "the token is spent",
			login ? ": begin the log-in anew" : "");
		end(inst, job, LT_REFUSED, LT_R_PERSON, a->code, text);
	} else if (was_reached(r, a)) {
		end(inst, job, LT_UNKNOWN, 0, a->code,
			"an answer without a pair: the old token may be spent");
	} else if (said && a->status < 500 && strcmp(a->code, "-32") != 0) {
		(void)snprintf(text, sizeof(text), "%s %.100s: %s", a->code, a->text,
			is_one_of(a->code, app)
				? "check app_id, app_secret and redirect_uri"
				: "put the app in order in the console, the token is still good");
		end(inst, job, LT_DEFERRED, LT_R_FREE | LT_R_PERSON, a->code, text);
	} else {
		end(inst, job, LT_DEFERRED, LT_R_FREE, a->code, a->text);
	}
}

/* A pair that came whole before the connection broke is one: the old token is spent for it. What else was cut off says nothing. */
static void read_answer(const struct lt_http_res *r, struct zalo_answer *ret)
{
	struct lt_http_res whole = *r;

	whole.truncated = 0;
	zalo_answer_read(&whole, ret);
	if (!r->truncated || ltc_json_str(ret->tree, "access_token").n != 0 ||
		ltc_json_str(ret->data, "access_token").n != 0)
		return;
	zalo_answer_done(ret);
	zalo_answer_read(r, ret);
}

static void answered(struct lt_inst *inst, struct lt_job *job, const struct lt_http_res *r)
{
	struct zalo_answer a ZALO_CLEANUP_ANSWER = { 0 };

	zalo_note_answer(inst, job, r);
	read_answer(r, &a);
	if (r->phase == LT_P_NOT_SENT)
		end(inst, job, LT_DEFERRED, LT_R_FREE, a.code, a.text);
	else if (r->phase == LT_P_MAYBE_SENT)
		end(inst, job, LT_UNKNOWN, 0, a.code, "no answer came: the old token may be spent");
	else if (a.json && ltc_json_str(a.tree, "access_token").n != 0)
		put(inst, job, a.tree);
	else if (a.json && ltc_json_str(a.data, "access_token").n != 0)
		put(inst, job, a.data);
	else
		no_pair(inst, job, r, &a);
}

static void stored(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev)
{
	if (ev->error < 0)
		end(inst, job, LT_UNKNOWN, LT_R_PERSON, "store",
			"the new values could not be stored");
	else if (ev->token == TOKEN_VERIFIER)
		page_end(inst, job);
	else
		end(inst, job, LT_ACCEPTED, 0, "", "a new pair of tokens is stored");
}

int zalo_token_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev)
{
	switch (ev->type) {
	case LT_EV_HTTP: answered(inst, job, ev->u); break;
	case LT_EV_SAVED: stored(inst, job, ev); break;
	default: break;
	}
	return 0;
}
