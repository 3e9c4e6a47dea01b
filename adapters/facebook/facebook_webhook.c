/* facebook_webhook.c - the page feed as Facebook tells it: a subscription confirmed, signed events read, each a receipt.
 * The signature is checked over the raw bytes before one of them is believed. A post of ours confirms an unknown sooner, one that
 * was removed or edited is told; all else is passed over. The reply waits in the host for every commit.
 * Thread: loop. Owns: nothing beyond its job. Failures: 403 for what is not signed, 400 for what cannot be read. */
#include <stdio.h>
#include <string.h>
#include "facebook_step.h"

#define EVENTS_MAX 1000
#define VALUE_MAX  512

static int answer(struct lt_inst *inst, struct lt_job *job, int32_t status, struct lt_str body)
{
	const struct lt_host *h = inst->host;
	struct lt_result r = { .struct_size = sizeof(r), .outcome = LT_ACCEPTED };

	(void)h->reply(h->ctx, job, status, LTC_LIT("text/plain"), body);
	return h->finish(h->ctx, job, &r);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : -1;
}

/* Value of a name in a query, decoded; false when absent or too long. */
static bool query_value(struct lt_str query, const char *name, char dst[VALUE_MAX])
{
	struct lt_str one;
	size_t k = strlen(name), n = 0;

	while (ltc_next(&query, '&', &one)) {
		if (one.n <= k || memcmp(one.p, name, k) != 0 || one.p[k] != '=')
			continue;
		for (size_t i = k + 1; i < one.n; i++) {
			char c = one.p[i] == '+' ? ' ' : one.p[i];
			if (c == '%' && i + 2 < one.n && hex_digit(one.p[i + 1]) >= 0 &&
				hex_digit(one.p[i + 2]) >= 0) {
				c = (char)(hex_digit(one.p[i + 1]) * 16 + hex_digit(one.p[i + 2]));
				i += 2;
			}
			if (n + 1 >= VALUE_MAX)
				return false;
			dst[n++] = c;
		}
		dst[n] = '\0';
		return true;
	}
	return false;
}

/* In the same time whatever differs. */
static bool same_secret(struct lt_str a, struct lt_str b)
{
	unsigned char diff = a.n != b.n || a.n == 0;

	for (size_t i = 0; i < a.n; i++)
		diff |= (unsigned char)(a.p[i] ^ (b.n > 0 ? b.p[i % b.n] : 0));
	return diff == 0;
}

static int subscribe(struct lt_inst *inst, struct lt_job *job, const struct lt_request *q)
{
	const struct fb_inst *fi = inst->priv;
	const struct lt_host *h = inst->host;
	char mode[VALUE_MAX], token[VALUE_MAX], challenge[VALUE_MAX];
	struct lt_str want = { NULL, 0 };

	if (!query_value(q->query, "hub.mode", mode) || strcmp(mode, "subscribe") != 0 ||
		!query_value(q->query, "hub.verify_token", token) ||
		!query_value(q->query, "hub.challenge", challenge))
		return answer(inst, job, 400, LTC_LIT("not a subscription"));
	if (fi->conf.verify_token.n == 0 ||
		h->secret_get(h->ctx, job, fi->conf.verify_token, &want, NULL) < 0 ||
		!same_secret(ltc_z(token), want))
		return answer(inst, job, 403, LTC_LIT("wrong token"));
	return answer(inst, job, 200, ltc_z(challenge));
}

static bool is_signed(struct lt_inst *inst, struct lt_job *job, const struct lt_request *q)
{
	const struct fb_inst *fi = inst->priv;
	const struct lt_host *h = inst->host;
	struct lt_src body = { .bytes = q->body };
	struct lt_str got = { NULL, 0 };
	char want[72] = "sha256=";
	uint8_t mac[32];
	size_t n = sizeof(mac);

	for (size_t i = 0; i < q->n_headers; i++)
		if (ltc_ieqz(q->headers[i].name, "x-hub-signature-256"))
			got = q->headers[i].value;
	if (h->mac(h->ctx, job, LT_MAC_HMAC_SHA256, fi->conf.app_secret, &body, 1, mac, &n) < 0 ||
		n != 32)
		return false;
	for (size_t i = 0; i < n; i++)
		(void)snprintf(want + 7 + 2 * i, 3, "%02x", mac[i]);
	return same_secret(got, ltc_z(want));
}

static int32_t state_of(const struct ltc_json *value)
{
	struct lt_str verb = ltc_json_str(value, "verb");

	if (ltc_eqz(verb, "remove") || ltc_eqz(verb, "hide"))
		return LT_RC_GONE;
	if (ltc_eqz(verb, "edited") || ltc_eqz(verb, "edit"))
		return LT_RC_CHANGED;
	if (ltc_eqz(verb, "add") && ltc_json_int(value, "published", 1) != 0)
		return LT_ACCEPTED;
	return -1;
}

static bool is_post(struct lt_str item)
{
	static const char *const items[] = { "status", "post", "photo", "video", "share", "album" };

	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		if (ltc_eqz(item, items[i]))
			return true;
	return false;
}

/* By the page itself. What visitors post there is no post of ours, whatever its text. */
static bool by_page(const struct ltc_json *value, struct lt_str page)
{
	struct lt_str from = ltc_json_str(ltc_json_get(value, "from"), "id");

	return page.n > 0 && (from.n == 0 || ltc_eq(from, page));
}

/* Candidates, the surest first: the post, its photos, the fingerprint of its text (which only an unknown has as its first). The
 * callback is the app's, so events of all its pages come here: the same text on another page is another post. */
static bool tell(
	struct lt_inst *inst, struct lt_job *job, const struct ltc_json *value, struct lt_str page)
{
	const struct lt_host *h = inst->host;
	int32_t state = state_of(value);
	struct lt_str ids[14];
	char print[FB_PRINT_LEN + 1], text[FB_CLAIM_MAX];
	uint32_t n = 0;

	if (state < 0 || !is_post(ltc_json_str(value, "item")))
		return true;
	bool share = ltc_eqz(ltc_json_str(value, "item"), "share"); /* perhaps of our picture */
	const char *const keys[] = { "post_id", "photo_id", "video_id" };
	for (size_t i = 0; i < (share ? 1 : 3); i++)
		if (ltc_json_str(value, keys[i]).n > 0 &&
			ltc_json_str(value, keys[i]).n < FB_ID_MAX)
			ids[n++] = ltc_json_str(value, keys[i]);
	for (const struct ltc_json *p = ltc_json_first(ltc_json_get(value, "photo_ids"));
		p != NULL && n < 13 && !share; p = ltc_json_next(p))
		if (ltc_json_text(p).n > 0 && ltc_json_text(p).n < FB_ID_MAX)
			ids[n++] = ltc_json_text(p);
	if (state == LT_ACCEPTED && ltc_json_str(value, "message").n > 0 && by_page(value, page)) {
		fb_text_print(ltc_json_str(value, "message"), print);
		fb_text_claim(print, page, text);
		ids[n++] = ltc_z(text);
	}
	struct lt_receipt r = { .struct_size = sizeof(r),
		.state = state,
		.n_ids = n,
		.ids = ids,
		.code = LTC_LIT("webhook"),
		.at_ms = ltc_json_int(value, "created_time", 0) * 1000 };
	return n == 0 || h->receipt(h->ctx, job, &r, 1) >= 0;
}

static bool entries(struct lt_inst *inst, struct lt_job *job, const struct ltc_json *body)
{
	size_t n = 0;

	for (const struct ltc_json *e = ltc_json_first(ltc_json_get(body, "entry")); e != NULL;
		e = ltc_json_next(e))
		for (const struct ltc_json *c = ltc_json_first(ltc_json_get(e, "changes"));
			c != NULL; c = ltc_json_next(c)) {
			if (!ltc_eqz(ltc_json_str(c, "field"), "feed"))
				continue;
			if (n++ == EVENTS_MAX ||
				!tell(inst, job, ltc_json_get(c, "value"), ltc_json_str(e, "id")))
				return false;
		}
	return true;
}

int fb_webhook_start(struct lt_inst *inst, struct lt_job *job, const struct lt_work *w)
{
	const struct lt_request *q = w->request;

	if (q == NULL)
		return -LT_E_INVALID;
	if (ltc_ieqz(q->method, "GET"))
		return subscribe(inst, job, q);
	if (!ltc_ieqz(q->method, "POST"))
		return answer(inst, job, 405, LTC_LIT(""));
	if (!is_signed(inst, job, q))
		return answer(inst, job, 403, LTC_LIT("not signed"));
	struct ltc_json *body = ltc_json_parse(q->body, LTC_JSON_ANSWER, NULL);
	if (body == NULL)
		return answer(inst, job, 400, LTC_LIT("not JSON"));
	bool ok = !ltc_eqz(ltc_json_str(body, "object"), "page") || entries(inst, job, body);
	ltc_json_free(body);
	return answer(inst, job, ok ? 200 : 503, LTC_LIT(""));
}
