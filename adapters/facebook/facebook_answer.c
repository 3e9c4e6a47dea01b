/* facebook_answer.c - one answer of the Graph API: what the transport proves, then the error by code and subcode from the table.
 * HTTP statuses are not believed: throttles come as 400 or 403, trouble as 200. Codes of seven digits stand in `code` or in
 * `error_subcode`. Some meanings are told by the message alone: those phrases become words in the column `sub`.
 * Thread: any, pure. Owns: nothing. Failures: what no row knows is repeatable where the API says so or the server stumbled, else
 * refused with its text. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "facebook.h"

enum {
	O_RETRY = 16,
	O_RATE = 17,
	O_TOKEN = 18,
	O_DUP = 19,
	O_GONE = 20,
	O_CURSOR = 21,
	O_COOL = 22
};
static const struct ltc_word own_outcomes[] = { { "retry", O_RETRY }, { "rate", O_RATE },
	{ "token", O_TOKEN }, { "dup", O_DUP }, { "gone", O_GONE }, { "cursor", O_CURSOR },
	{ "cool", O_COOL }, { NULL, 0 } };
static const char *const phases[] = { "list", "photo", "draft", "live", "post", "read", "delete",
	"edit", "video", "token", "check", "stats", NULL };
const struct ltc_outcome_words fb_outcome_words = { own_outcomes, NULL, phases };

static const struct {
	const char *phrase, *word;
} phrases[] = { { "appsecret_proof", "proof" },
	{ "before impersonating a user's page", "impersonate" },
	{ "already posted this", "already" }, { "cursor", "cursor" } };

int fb_outcomes_check(const struct ltc_outcomes *t, char *err, size_t err_size)
{
	static const char *const last[] = { "transient", "server", "other" };

	for (const char *const *p = phases; *p != NULL; p++)
		for (size_t i = 0; i < 3; i++) {
			size_t from = 0;
			if (ltc_outcomes_find(t, *p, ltc_z(last[i]), ltc_z(""), &from) != NULL)
				continue;
			(void)snprintf(err, err_size,
				"outcomes: no row of phase %s for '%s'; add one at its end", *p,
				last[i]);
			return -EINVAL;
		}
	return 0;
}

static bool loose(struct lt_str pattern)
{
	return memchr(pattern.p, '*', pattern.n) != NULL;
}

/* First row whose `sub` names this very thing. */
static const struct ltc_outcome_row *exact(
	const struct ltc_outcomes *t, const char *phase, struct lt_str code, struct lt_str sub)
{
	const struct ltc_outcome_row *r;
	size_t from = 0;

	while (sub.n > 0 && (r = ltc_outcomes_find(t, phase, code, sub, &from)) != NULL)
		if (!loose(r->sub))
			return r;
	return NULL;
}

static const struct ltc_outcome_row *by_code(
	const struct ltc_outcomes *t, const char *phase, struct lt_str code, struct lt_str sub)
{
	const struct ltc_outcome_row *r;
	size_t from = 0;

	while (code.n > 0 && (r = ltc_outcomes_find(t, phase, code, sub, &from)) != NULL)
		if (!loose(r->code))
			return r;
	return NULL;
}

struct said { /* an error object */
	struct lt_str code, sub, message, user_msg, trace;
	bool transient;
};

/* By it Meta finds the request: of the error, else of the answer's headers (HTML of an edge has no error object). */
static struct lt_str trace_of(const struct lt_http_res *r, const struct ltc_json *e)
{
	struct lt_str s = ltc_json_str(e, "fbtrace_id");

	for (size_t i = 0; i < r->n_headers && s.n == 0; i++)
		if (ltc_ieqz(r->headers[i].name, "x-fb-trace-id"))
			s = r->headers[i].value;
	return s.n < 30 && !ltc_has_control(s) ? s : (struct lt_str){ NULL, 0 };
}

static struct lt_str number_text(const struct ltc_json *e, const char *key, char buf[24])
{
	int64_t v = ltc_json_int(e, key, -1);

	if (v < 0)
		return (struct lt_str){ NULL, 0 };
	(void)snprintf(buf, 24, "%lld", (long long)v);
	return ltc_z(buf);
}

static const char *phrase_of(const struct said *s)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (ltc_find(s->message, ltc_z(phrases[i].phrase), true) != NULL)
			return phrases[i].word;
	return "";
}

static const struct ltc_outcome_row *row_of(
	const struct ltc_outcomes *t, const char *phase, const struct said *s, int32_t status)
{
	const struct ltc_outcome_row *r = exact(t, phase, s->code, ltc_z(phrase_of(s)));
	size_t from = 0;

	r = r != NULL ? r : exact(t, phase, s->code, s->sub);
	if (r == NULL && s->sub.n >= 6)
		r = by_code(t, phase, s->sub, (struct lt_str){ NULL, 0 });
	r = r != NULL ? r : by_code(t, phase, s->code, s->sub);
	if (r != NULL)
		return r;
	const char *what = s->transient ? "transient" : status >= 500 ? "server" : "other";
	return ltc_outcomes_find(t, phase, ltc_z(what), (struct lt_str){ NULL, 0 }, &from);
}

static void put(char *dst, size_t size, size_t *n, struct lt_str s)
{
	bool broken = !ltc_utf8_valid(s);

	s = ltc_utf8_cut(s, size - 1 - *n);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		dst[(*n)++] = c < 0x20 || c == 0x7f ? ' ' : broken && c >= 0x80 ? '?' : s.p[i];
	}
	dst[*n] = '\0';
}

/* "What a person can use" first: the provider's own words for users, then the message, then the trace id. */
static void text_of(const struct said *s, struct lt_str note, char dst[201])
{
	size_t n = 0;

	if (note.n > 0) {
		put(dst, 201, &n, note);
		put(dst, 201, &n, LTC_LIT(": "));
	}
	put(dst, 201 - 40, &n, s->user_msg.n > 0 ? s->user_msg : s->message);
	if (s->trace.n > 0) {
		put(dst, 201, &n, LTC_LIT(" ["));
		put(dst, 201, &n, s->trace);
		put(dst, 201, &n, LTC_LIT("]"));
	}
}

static void verdict_of(const struct ltc_outcome_row *r, struct fb_verdict *v)
{
	v->class = FB_SAID;
	v->outcome = LT_UNKNOWN;
	if (r == NULL)
		return;
	v->scope = r->scope;
	v->flags = r->flags;
	v->retry_after_ms = r->retry_after_ms;
	switch (r->outcome) {
	case O_RETRY: v->class = FB_RETRY; break;
	case O_RATE: v->class = FB_RATE; break;
	case O_TOKEN: v->class = FB_TOKEN; break;
	case O_DUP: v->class = FB_DUP; break;
	case O_GONE: v->class = FB_GONE; break;
	case O_CURSOR: v->class = FB_CURSOR; break;
	case O_COOL:
		v->outcome = LT_DEFERRED;
		v->cools = true;
		break;
	default: v->outcome = r->outcome; break;
	}
}

static void transport(const struct lt_http_res *r, struct fb_verdict *v)
{
	size_t n = 0;

	v->class = r->phase == LT_P_NOT_SENT ? FB_NOT_SENT : FB_RETRY;
	(void)snprintf(v->code, sizeof(v->code), r->phase == LT_P_NOT_SENT ? "not-sent" : "lost");
	put(v->text, sizeof(v->text), &n, r->error.n > 0 ? r->error : LTC_LIT("no answer"));
}

static void error_read(const struct fb_inst *fi, const char *phase, const struct lt_http_res *r,
	const struct ltc_json *e, struct fb_verdict *v)
{
	char code[24], sub[24];
	struct said s = { .message = ltc_json_str(e, "message"),
		.user_msg = ltc_json_str(e, "error_user_msg"),
		.trace = trace_of(r, e),
		.transient = ltc_json_true(e, "is_transient") };

	if (ltc_json_text(e).n > 0) /* a bare text instead of the object */
		s.message = ltc_json_text(e);
	s.code = number_text(e, "code", code);
	s.sub = number_text(e, "error_subcode", sub);
	const struct ltc_outcome_row *row = row_of(fi->outcomes, phase, &s, r->status);
	verdict_of(row, v);
	(void)snprintf(v->code, sizeof(v->code), "%.*s%s%.*s", (int)s.code.n,
		s.code.n ? s.code.p : "", s.sub.n ? "/" : "", (int)s.sub.n, s.sub.n ? s.sub.p : "");
	text_of(&s, row != NULL && row->note.n < 100 ? row->note : (struct lt_str){ NULL, 0 },
		v->text);
}

/* No JSON, or a page of the edge: nobody knows what became of the request, whatever the status says. */
static void no_json(const struct fb_inst *fi, const char *phase, const struct lt_http_res *r,
	struct fb_verdict *v)
{
	bool ok = r->status >= 200 && r->status < 300;
	size_t from = 0;

	verdict_of(ltc_outcomes_find(fi->outcomes, phase, LTC_LIT("server"),
			   (struct lt_str){ NULL, 0 }, &from),
		v);
	(void)snprintf(v->code, sizeof(v->code), "http %d", r->status);
	struct lt_str trace = trace_of(r, NULL);
	(void)snprintf(v->text, sizeof(v->text), "%s%s%.*s%s",
		ok ? "an answer that cannot be read" : "an answer that is not the API's",
		trace.n > 0 ? " [" : "", (int)trace.n, trace.n > 0 ? trace.p : "",
		trace.n > 0 ? "]" : "");
}

/* A good answer that does not say what it is asked for: "success": false, or a listing without its list. */
static bool hollow(const char *phase, const struct ltc_json *body)
{
	if (ltc_json_has(body, "success") && !ltc_json_true(body, "success"))
		return true;
	return strcmp(phase, "list") == 0 && !ltc_json_has(body, "data");
}

void fb_answer_read(const struct fb_inst *fi, const char *phase, const struct lt_http_res *r,
	struct fb_verdict *v, struct ltc_json **ret_body)
{
	*v = (struct fb_verdict){ .res = r };
	*ret_body = NULL;
	if (r->phase != LT_P_ANSWERED) {
		transport(r, v);
		return;
	}
	struct ltc_json *body = r->truncated ? NULL
					     : ltc_json_parse(r->body, LTC_JSON_ANSWER, NULL);
	if (body == NULL) {
		no_json(fi, phase, r, v);
		return;
	}
	*ret_body = body;
	v->body = body;
	if (ltc_json_has(body, "error")) {
		error_read(fi, phase, r, ltc_json_get(body, "error"), v);
	} else if (r->status < 200 || r->status >= 300 || hollow(phase, body)) {
		no_json(fi, phase, r, v);
	} else {
		v->class = FB_OK;
	}
}
