/* facebook_request.c - one request to the Graph API: address, token in the header only, proof of the app's secret, times.
 * The token and the app's secret are put in by the host, by name; this file never sees them.
 * Thread: loop. Owns: nothing beyond the call. Failures: -LT_E_INVALID where the page has no token yet (no_token is set). */
#include <stdio.h>
#include <string.h>
#include "facebook_step.h"

#define QUERY_MAX 12
#define URL_MAX   1024

static void hex_of(const uint8_t *b, size_t n, char *ret)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		ret[2 * i] = digits[b[i] >> 4];
		ret[2 * i + 1] = digits[b[i] & 15];
	}
	ret[2 * n] = '\0';
}

/* HMAC over the very token of this request; the timed form adds the second, by Facebook's clock: it is good for five minutes there. */
static int proof(
	struct fb_job *j, struct lt_str head, struct lt_str token, char hex[65], char time_text[24])
{
	const struct fb_conf *c = fb_conf_of(j);
	const struct lt_host *h = j->inst->host;
	struct lt_src src[4];
	size_t n = 0, len = 32;
	uint8_t mac[32];

	if (head.n > 0)
		src[n++] = (struct lt_src){ .bytes = head };
	src[n++] = (struct lt_src){ .secret = token };
	(void)snprintf(time_text, 24, "%lld", (long long)(fb_there(j) / 1000));
	if (c->proof == FB_PROOF_TIMED) {
		src[n++] = (struct lt_src){ .bytes = LTC_LIT("|") };
		src[n++] = (struct lt_src){ .bytes = ltc_z(time_text) };
	}
	int rc = h->mac(h->ctx, j->job, LT_MAC_HMAC_SHA256, c->app_secret, src, n, mac, &len);
	if (rc < 0 || len != 32)
		return rc < 0 ? rc : -LT_E_INVALID;
	hex_of(mac, len, hex);
	return 0;
}

static bool token_there(struct fb_job *j, struct lt_str token)
{
	const struct lt_host *h = j->inst->host;
	struct lt_str value;
	uint64_t version = 0;

	if (h->secret_get(h->ctx, j->job, token, &value, &version) < 0 || value.n == 0)
		return false;
	if (ltc_eq(token, fb_conf_of(j)->token))
		j->token_version = version;
	return true;
}

static int url_of(const struct fb_job *j, const struct fb_send *s, char url[URL_MAX])
{
	const struct fb_conf *c = fb_conf_of(j);
	struct lt_str base = s->video ? c->video_url : c->base_url;
	int n = snprintf(url, URL_MAX, "%.*s/%.*s/%s", (int)base.n, base.p, (int)c->version.n,
		c->version.p, s->path);

	return n > 0 && n < URL_MAX ? 0 : -LT_E_FULL;
}

int fb_send(struct fb_job *j, const struct fb_send *s)
{
	const struct fb_conf *c = fb_conf_of(j);
	const struct lt_host *h = j->inst->host;
	struct lt_str token = s->token.p != NULL ? s->token : c->token;
	struct lt_pair query[QUERY_MAX];
	char url[URL_MAX], hex[65], at[24], bearer[64];
	size_t n = 0;

	if (s->n_query + 2 > QUERY_MAX || url_of(j, s, url) < 0)
		return -LT_E_FULL;
	if (!token_there(j, token)) {
		j->no_token = true;
		return -LT_E_INVALID;
	}
	for (size_t i = 0; i < s->n_query; i++)
		query[n++] = s->query[i];
	if (c->proof != FB_PROOF_OFF) {
		int rc = proof(j, s->token_head, token, hex, at);
		if (rc < 0)
			return rc;
		query[n++] = (struct lt_pair){ .name = LTC_LIT("appsecret_proof"),
			.value = ltc_z(hex) };
		if (c->proof == FB_PROOF_TIMED)
			query[n++] = (struct lt_pair){ .name = LTC_LIT("appsecret_time"),
				.value = ltc_z(at) };
	}
	(void)snprintf(bearer, sizeof(bearer), "Bearer %.*s", (int)s->token_head.n,
		s->token_head.n ? s->token_head.p : "");
	struct lt_pair headers[] = { { LTC_LIT("Authorization"), ltc_z(bearer), token },
		{ LTC_LIT("Accept"), LTC_LIT("application/json"), { NULL, 0 } },
		{ LTC_LIT("Content-Type"), LTC_LIT("application/x-www-form-urlencoded"),
			{ NULL, 0 } } };
	struct lt_http_req req = { .struct_size = sizeof(req),
		.flags = s->flags | (s->secret_answer ? LT_SECRET_ANSWER : 0u),
		.body_kind = s->body_kind,
		.answer_max = LTC_JSON_BYTES_MAX,
		.method = ltc_z(s->method),
		.url = ltc_z(url),
		.query = query,
		.headers = headers,
		.n_query = n,
		.n_headers = s->body_kind == LT_BODY_FORM || s->body_kind == LT_BODY_RAW ? 3 : 2,
		.fields = s->fields,
		.n_fields = s->n_fields,
		.connect_ms = (int32_t)c->connect_ms,
		.total_ms = (int32_t)s->total_ms,
		.token = j->step };
	return h->http(h->ctx, j->job, &req);
}

int fb_form(struct fb_job *j, const char *path, const struct lt_field *f, size_t n, uint32_t flags,
	int64_t total_ms)
{
	struct fb_send s = { .method = "POST",
		.path = path,
		.body_kind = LT_BODY_FORM,
		.flags = flags,
		.fields = f,
		.n_fields = n,
		.total_ms = total_ms };

	return fb_send(j, &s);
}

int fb_get(struct fb_job *j, const char *id, const char *fields)
{
	return fb_ask(j, id, "fields", fields);
}

int fb_ask(struct fb_job *j, const char *path, const char *name, const char *value)
{
	struct lt_pair q = { ltc_z(name), ltc_z(value), { NULL, 0 } };
	struct fb_send s = { .method = "GET",
		.path = path,
		.query = &q,
		.n_query = 1,
		.total_ms = fb_conf_of(j)->get_ms };

	return fb_send(j, &s);
}
