/* zalo_token.c - one rotation of a token pair, and the log-in by a person (consent page with PKCE, then the code).
 * One call a job: whether the old pair may be tried once more after a lost answer is the host's to say. The new pair is stored
 * before anyone hears of it; a refresh answer without a new refresh token keeps the old one.
 * Thread: loop. Owns: nothing that outlives the call; tokens are in buffers that are wiped. Failures: proven not taken is deferred,
 * a lost answer unknown, a spent or unknown token refused. */
#include <stdio.h>
#include <string.h>
#include "zalo_other.h"

#define LIFE_UNKNOWN_S 3600
#define LIFE_MAX_S     31536000

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

/* First step: a verifier is stored beside the pair, its challenge goes into the address. */
static int consent(struct lt_inst *inst, struct lt_job *job)
{
	static const char abc[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const struct lt_host *h = inst->host;
	const struct zalo_conf *c = conf_of(inst);
	struct zalo_token_job *t = job->priv;
	uint8_t raw[43], mac[32];
	size_t n = sizeof(mac);
	char challenge[64];
	struct ltc_buf b;

	h->random(h->ctx, raw, sizeof(raw));
	for (size_t i = 0; i < sizeof(raw); i++)
		t->verifier[i] = abc[raw[i] % 64];
	struct lt_src src = { .bytes = ltc_z(t->verifier) };
	int rc = h->mac(h->ctx, job, LT_MAC_SHA256, (struct lt_str){ 0 }, &src, 1, mac, &n);
	if (rc < 0)
		return rc;
	base64url(challenge, mac, n);
	ltc_buf_init(&b, sizeof(t->url) - 1);
	ltc_adds(&b, c->base_oauth);
	ltc_addz(&b, "/v4/oa/permission?app_id=");
	add_encoded(&b, c->app_id);
	ltc_addz(&b, "&redirect_uri=");
	add_encoded(&b, c->redirect_uri);
	ltc_addf(&b, "&code_challenge=%s&state=%.8s", challenge, challenge);
	(void)snprintf(t->url, sizeof(t->url), "%s", b.p == NULL ? "" : b.p);
	rc = b.failed ? -LT_E_FULL : 0;
	ltc_buf_done(&b);
	struct lt_pair set = { .name = LTC_LIT("code_verifier"), .value = ltc_z(t->verifier) };
	return rc < 0 ? rc : h->secret_put(h->ctx, job, &set, 1, 0, TOKEN_VERIFIER);
}

/* The code alone, or the whole address that the browser was sent to. */
static struct lt_str code_in(struct lt_str text)
{
	const char *at = ltc_find(text, LTC_LIT("code="), false);
	struct lt_str s = ltc_trim(text);

	if (at == NULL)
		return s;
	s = ltc_from(text, (size_t)(at - text.p) + 5);
	for (size_t i = 0; i < s.n; i++)
		if (strchr("&# \r\n\t", s.p[i]) != NULL)
			s.n = i;
	return s;
}

static bool other_oa(const struct lt_inst *inst, struct lt_str text)
{
	const char *at = ltc_find(text, LTC_LIT("oa_id="), false);
	struct lt_str want = conf_of(inst)->oa_id;

	if (at == NULL || want.n == 0)
		return false;
	struct lt_str s = ltc_from(text, (size_t)(at - text.p) + 6);
	return !(s.n >= want.n && memcmp(s.p, want.p, want.n) == 0 &&
		(s.n == want.n || s.p[want.n] < '0' || s.p[want.n] > '9'));
}

static int exchange(struct lt_inst *inst, struct lt_job *job, struct lt_str text)
{
	struct lt_str code = code_in(text), verifier;

	if (code.n == 0 || code.n > 2000 || ltc_has_control(code)) {
		end(inst, job, LT_REFUSED, 0, "code",
			"that is no code: paste the whole address that the browser was sent to");
		return 0;
	}
	if (other_oa(inst, text)) {
		end(inst, job, LT_REFUSED, 0, "oa",
			"that consent was given by another OA: choose the OA of this office on the page");
		return 0;
	}
	if (inst->host->secret_get(
		    inst->host->ctx, job, LTC_LIT("code_verifier"), &verifier, NULL) < 0) {
		end(inst, job, LT_REFUSED, 0, "verifier",
			"the log-in was not begun here: run the command without a code first");
		return 0;
	}
	struct lt_field f[] = {
		{ .name = LTC_LIT("code"), .src = { .bytes = code } },
		{ .name = LTC_LIT("app_id"), .src = { .bytes = conf_of(inst)->app_id } },
		{ .name = LTC_LIT("grant_type"),
			.src = { .bytes = LTC_LIT("authorization_code") } },
		{ .name = LTC_LIT("code_verifier"), .src = { .secret = LTC_LIT("code_verifier") } },
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
static void wipe(char *p, size_t n)
{
	volatile char *v = p;

	while (n-- > 0)
		*v++ = 0;
}

static void put(struct lt_inst *inst, struct lt_job *job, const struct ltc_json *body)
{
	const struct lt_host *h = inst->host;
	char access[2000], fresh[2000];
	struct lt_str a = ltc_json_copy(ltc_json_get(body, "access_token"), access, sizeof(access));
	struct lt_str r = ltc_json_copy(ltc_json_get(body, "refresh_token"), fresh, sizeof(fresh));
	struct lt_pair set[3] = { { .name = LTC_LIT("access_token"), .value = a } };
	size_t n = 1;
	int64_t life = 0;

	if (!ltc_json_i64(ltc_json_get(body, "expires_in"), &life) || life <= 0 ||
		life > LIFE_MAX_S)
		life = LIFE_UNKNOWN_S;
	if (r.n != 0)
		set[n++] = (struct lt_pair){ .name = LTC_LIT("refresh_token"), .value = r };
	else
		h->log(h->ctx, job, 1,
			LTC_LIT("the answer has no new refresh token: the old one is kept"));
	if (job->kind == LT_J_LOGIN)
		set[n++] = (struct lt_pair){ .name = LTC_LIT("code_verifier"), .value = { "", 0 } };
	int rc = h->secret_put(h->ctx, job, set, n, h->wall_ms(h->ctx) + life * 1000, TOKEN_PUT);
	wipe(access, sizeof(access));
	wipe(fresh, sizeof(fresh));
	if (rc < 0)
		end(inst, job, LT_UNKNOWN, LT_R_PERSON, "store",
			"the new pair could not be stored");
}

/* What no pair means; the status of HTTP says nothing. */
static void no_pair(struct lt_inst *inst, struct lt_job *job, const struct zalo_answer *a)
{
	bool login = job->kind == LT_J_LOGIN;
	char text[300];

	if (a->json || (a->status == 200 && strncmp(a->code, "empty", 5) == 0)) {
		bool app = strcmp(a->code, "-14001") == 0 || strcmp(a->code, "-14002") == 0 ||
			strcmp(a->code, "-14003") == 0;
		/* the host adds the command by which a person logs in */
		(void)snprintf(text, sizeof(text), "%.60s%s",
			a->json ? a->text : "the token is spent",
			app             ? ": check app_id, app_secret and redirect_uri"
				: login ? ": begin the log-in anew"
					: "");
		end(inst, job, LT_REFUSED, LT_R_PERSON, a->code, text);
		return;
	}
	end(inst, job, LT_DEFERRED, LT_R_FREE, a->code, a->text);
}

static void answered(struct lt_inst *inst, struct lt_job *job, const struct lt_http_res *r)
{
	struct zalo_answer a ZALO_CLEANUP_ANSWER = { 0 };
	char probe[4];

	zalo_note_answer(inst, job, r);
	zalo_answer_read(r, &a);
	if (r->phase == LT_P_NOT_SENT)
		end(inst, job, LT_DEFERRED, LT_R_FREE, a.code, a.text);
	else if (r->phase == LT_P_MAYBE_SENT)
		end(inst, job, LT_UNKNOWN, 0, a.code, "no answer came: the old token may be spent");
	else if (a.json &&
		ltc_json_copy(ltc_json_get(a.tree, "access_token"), probe, sizeof(probe)).n != 0)
		put(inst, job, a.tree);
	else if (a.json &&
		ltc_json_copy(ltc_json_get(a.data, "access_token"), probe, sizeof(probe)).n != 0)
		put(inst, job, a.data);
	else
		no_pair(inst, job, &a);
}

static void stored(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev)
{
	const struct zalo_token_job *t = job->priv;
	struct lt_result r = { .struct_size = sizeof(r), .outcome = LT_ACCEPTED };

	if (ev->error < 0) {
		end(inst, job, LT_UNKNOWN, LT_R_PERSON, "store",
			"the new values could not be stored");
		return;
	}
	if (ev->token == TOKEN_VERIFIER) {
		r.url = ltc_z(t->url);
		r.text = LTC_LIT(
			"open this page as an administrator of the OA, agree, and give the address that "
			"the browser ends at within ten minutes");
	} else {
		r.text = LTC_LIT("a new pair of tokens is stored");
	}
	(void)inst->host->finish(inst->host->ctx, job, &r);
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
