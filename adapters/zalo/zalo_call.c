/* zalo_call.c - one request of their API: address, token by name, JSON or multipart; and what every answer tells beside its body:
 * their clock and the limits that are left.
 * Thread: loop. Owns: nothing. Failures: the host's code, negative. */
#include <stdio.h>
#include <string.h>
#include "zalo_op.h"

#define HEADERS_MAX 4

/* appsecret_proof: HMAC-SHA256 with the app's secret over the access token, in hex. */
static int proof(struct lt_inst *inst, struct lt_job *job, struct lt_str secret, char hex[65])
{
	const struct lt_host *h = inst->host;
	struct lt_src token = { .secret = LTC_LIT("access_token") };
	uint8_t mac[64];
	size_t n = sizeof(mac);
	int rc = h->mac(h->ctx, job, LT_MAC_HMAC_SHA256, secret, &token, 1, mac, &n);

	if (rc < 0 || n != 32)
		return rc < 0 ? rc : -LT_E_INVALID;
	for (size_t i = 0; i < n; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", mac[i]);
	return 0;
}

int zalo_call(struct lt_inst *inst, struct lt_job *job, const struct zalo_call *c)
{
	const struct lt_host *h = inst->host;
	const struct zalo_conf *conf = &((struct zalo_inst *)inst->priv)->conf;
	struct lt_str base = c->zns ? conf->base_zns : conf->base_oa;
	struct lt_field raw = { .src = { .bytes = c->json } };
	struct lt_pair headers[HEADERS_MAX] = { { .name = LTC_LIT("access_token"),
		.secret = LTC_LIT("access_token") } };
	size_t n = 1;
	char url[600], hex[65];

	int len = snprintf(url, sizeof(url), "%.*s%s", (int)base.n, base.p, c->path);
	if (len < 0 || (size_t)len >= sizeof(url))
		return -LT_E_FULL;
	if (c->json.n != 0)
		headers[n++] = (struct lt_pair){ .name = LTC_LIT("Content-Type"),
			.value = LTC_LIT("application/json") };
	if (conf->proof) {
		int rc = proof(inst, job, conf->app_secret, hex);
		if (rc < 0)
			return rc;
		headers[n++] = (struct lt_pair){ .name = LTC_LIT("appsecret_proof"),
			.value = ltc_z(hex) };
	}
	struct lt_http_req req = { .struct_size = sizeof(req),
		.flags = c->flags,
		.body_kind = c->json.n != 0 ? LT_BODY_RAW
			: c->n_fields != 0  ? LT_BODY_MULTIPART
					    : LT_BODY_NONE,
		.answer_max = ZALO_ANSWER_MAX,
		.method = ltc_z(c->method),
		.url = { url, (size_t)len },
		.query = c->query,
		.n_query = c->n_query,
		.headers = headers,
		.n_headers = n,
		.fields = c->json.n != 0 ? &raw : c->fields,
		.n_fields = c->json.n != 0 ? 1 : c->n_fields,
		.connect_ms = (int32_t)conf->connect_ms,
		.total_ms = (int32_t)conf->call_ms,
		.token = c->token };
	return h->http(h->ctx, job, &req);
}

static struct lt_str header(const struct lt_http_res *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (ltc_ieqz(r->headers[i].name, name))
			return ltc_trim(r->headers[i].value);
	return (struct lt_str){ 0 };
}

void zalo_note_answer(struct lt_inst *inst, struct lt_job *job, const struct lt_http_res *r)
{
	const struct lt_host *h = inst->host;
	struct zalo_inst *zi = inst->priv;
	int64_t limit = 0, left = 0;

	if (r->phase != LT_P_ANSWERED)
		return;
	if (r->server_date_ms > 0) {
		zi->skew_ms = r->server_date_ms - h->wall_ms(h->ctx);
		zi->skew_known = true;
	}
	if (ltc_i64(header(r, "X-RateLimit-Limit"), 1, INT32_MAX, &limit) == 0 &&
		ltc_i64(header(r, "X-RateLimit-Remain"), 0, INT32_MAX, &left) == 0) {
		struct lt_rate rate = { .struct_size = sizeof(rate),
			.scope = LT_SCOPE_CHANNEL,
			.limit = (int32_t)limit,
			.remaining = (int32_t)left,
			.retry_after_ms = left == 0 ? 5000 : 0 };
		h->rate(h->ctx, job, &rate);
	}
}

int zalo_op_call(struct zalo_op *op, struct zalo_call *c)
{
	const struct lt_host *h = op->inst->host;
	struct lt_str ignored;

	op->version = 0;
	if (h->secret_get(h->ctx, op->job, LTC_LIT("access_token"), &ignored, &op->version) < 0) {
		op->version = 0;
		if (!op->refreshed) { /* only a refresh token was given: the first pair is fetched */
			zalo_refresh(op);
			return 0;
		}
		/* the host parks the account itself where a person must log in */
		zalo_end(op, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE, zalo_conf_of(op)->retry_ms,
			"no-token", "no access token yet; see lantoa channel check");
		return 0;
	}
	c->flags |= zalo_state_row(op->state)->flags;
	c->token = ++op->serial;
	int rc = zalo_call(op->inst, op->job, c);
	op->calling = rc >= 0;
	op->flags = c->flags;
	return rc;
}
