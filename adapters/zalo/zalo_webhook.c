/* zalo_webhook.c - what Zalo tells: signature over the bytes as they came, then events to receipts and inbound facts.
 * Always answered 200 but for what could not be stored: to a wrong signature a 401 makes Zalo drop events, so such a request is
 * counted and thrown away; the console's test is an unsigned {}.
 * Thread: loop. Owns: nothing. Failures: a body over the bound 413, a host that takes no report 503. */
#include <stdio.h>
#include <string.h>
#include "zalo_other.h"

#define HOOK_BODY_MAX (256u << 10)
#define SEEN_MAX      64
#define STALE_MS      (2 * 3600000)
#define AHEAD_MS      (5 * 60000)

static struct lt_str header(const struct lt_request *q, const char *name)
{
	for (size_t i = 0; i < q->n_headers; i++)
		if (ltc_ieqz(q->headers[i].name, name))
			return ltc_trim(q->headers[i].value);
	return (struct lt_str){ 0 };
}

static void answer(struct lt_inst *inst, struct lt_job *job, int32_t status, const char *count)
{
	const struct lt_host *h = inst->host;
	struct lt_result r = { .struct_size = sizeof(r), .outcome = LT_ACCEPTED };

	if (count != NULL)
		h->metric(h->ctx, job, ltc_z(count), 1);
	(void)h->reply(h->ctx, job, status, LTC_LIT("application/json"),
		status < 300 ? LTC_LIT("{\"error\":0}") : LTC_LIT("{\"error\":-1}"));
	(void)h->finish(h->ctx, job, &r);
}

/* --- signature --------------------------------------------------------------------------------------------------------------- */
static bool hex_equal(struct lt_str hex, const uint8_t *mac, size_t n)
{
	unsigned diff = 0;

	if (hex.n != 2 * n)
		return false;
	for (size_t i = 0; i < hex.n; i++) {
		char c = hex.p[i];
		unsigned d = c >= '0' && c <= '9' ? (unsigned)(c - '0')
			: c >= 'a' && c <= 'f'    ? (unsigned)(c - 'a' + 10)
			: c >= 'A' && c <= 'F'    ? (unsigned)(c - 'A' + 10)
						  : 255u;
		unsigned want = i % 2 == 0 ? mac[i / 2] >> 4 : mac[i / 2] & 15u;
		diff |= d ^ want;
	}
	return diff == 0;
}

static bool mac_fits(struct lt_inst *inst, struct lt_job *job, const struct lt_request *q,
	struct lt_str app, struct lt_str when, struct lt_str given)
{
	const struct lt_host *h = inst->host;
	const struct zalo_conf *c = &((const struct zalo_inst *)inst->priv)->conf;
	struct lt_src src[] = { { .bytes = app }, { .bytes = q->body }, { .bytes = when },
		{ .secret = c->oa_secret } };
	uint8_t mac[64];
	size_t n = sizeof(mac);

	if (h->mac(h->ctx, job, LT_MAC_SHA256, (struct lt_str){ 0 }, src, 4, mac, &n) < 0)
		return false;
	return hex_equal(given, mac, n);
}

/* The time that was hashed stands in the body; some send it as a header only. */
static bool is_signed(struct lt_inst *inst, struct lt_job *job, const struct lt_request *q,
	const struct ltc_json *body)
{
	const struct zalo_conf *c = &((const struct zalo_inst *)inst->priv)->conf;
	struct lt_str given = header(q, "X-ZEvent-Signature");
	char when[32];

	if (ltc_istarts(given, "mac="))
		given = ltc_from(given, 4);
	if (given.n != 64 || c->oa_secret.n == 0)
		return false;
	struct lt_str t = ltc_json_copy(ltc_json_get(body, "timestamp"), when, sizeof(when));
	if (mac_fits(inst, job, q, c->app_id, t, given))
		return true;
	t = header(q, "X-ZEvent-Timestamp");
	return t.n > 0 && t.n < 32 && mac_fits(inst, job, q, c->app_id, t, given);
}

/* --- events ------------------------------------------------------------------------------------------------------------------ */
struct hook {
	struct lt_inst *inst;
	struct lt_job *job;
	struct lt_str raw;
	struct ltc_json *body; /* owned */
	char event[64], dedupe[160];
	int64_t at_ms;
	int rc;
};

/* The OA that it happened to; an app has many. */
static struct lt_str oa_of(const struct hook *k, char *dst, size_t size)
{
	struct lt_str id = ltc_json_copy(ltc_json_get(k->body, "oa_id"), dst, size);

	if (id.n == 0)
		id = ltc_json_copy(ltc_json_get(k->body, "oaId"), dst, size);
	if (id.n == 0) /* what a user sends goes to it */
		id = ltc_json_copy(
			ltc_json_get(ltc_json_get(k->body, "recipient"), "id"), dst, size);
	return id;
}

/* `what` behind the id of the OA, by which the host knows the account. */
static void tell(struct hook *k, uint32_t kind, const char *form, struct lt_str who,
	struct lt_str text, const char *what)
{
	const struct lt_host *h = k->inst->host;
	char address[80], oa[32], detail[200];

	struct lt_str id = oa_of(k, oa, sizeof(oa));
	(void)snprintf(
		detail, sizeof(detail), "%s%s%s", oa, id.n != 0 && *what != '\0' ? " " : "", what);

	(void)snprintf(address, sizeof(address), "%s%.*s", form, (int)(who.n > 60 ? 60 : who.n),
		who.p == NULL ? "" : who.p);
	struct lt_inbound in = { .struct_size = sizeof(in),
		.kind = kind,
		.address = who.n != 0 ? ltc_z(address) : (struct lt_str){ 0 },
		.text = text,
		.detail = ltc_z(detail),
		.dedupe = ltc_z(k->dedupe),
		.at_ms = k->at_ms };
	int rc = h->inbound(h->ctx, k->job, &in, 0);
	k->rc = rc < 0 ? rc : k->rc;
}

static void receipt(
	struct hook *k, int32_t state, struct lt_str id, struct lt_str ref, struct lt_str to)
{
	const struct lt_host *h = k->inst->host;
	struct lt_receipt rc = { .struct_size = sizeof(rc),
		.state = state,
		.final = state == LT_RC_DELIVERED || state == LT_RC_SEEN,
		.ids = &id,
		.n_ids = id.n != 0,
		.ref = ref,
		.recipient = to,
		.code = ltc_z(k->event),
		.at_ms = k->at_ms };
	int rc2 = id.n == 0 && ref.n == 0 ? 0 : h->receipt(h->ctx, k->job, &rc, 0);
	k->rc = rc2 < 0 ? rc2 : k->rc;
}

static void delivered(struct hook *k)
{
	const struct ltc_json *m = ltc_json_get(k->body, "message");
	char id[ZALO_ID_MAX], ref[80], to[80];

	receipt(k, LT_RC_DELIVERED, ltc_json_copy(ltc_json_get(m, "msg_id"), id, sizeof(id)),
		ltc_json_copy(ltc_json_get(m, "tracking_id"), ref, sizeof(ref)),
		ltc_json_copy(
			ltc_json_get(ltc_json_get(k->body, "recipient"), "id"), to, sizeof(to)));
}

static void seen(struct hook *k)
{
	const struct ltc_json *one = ltc_json_item(
		ltc_json_get(ltc_json_get(k->body, "message"), "msg_ids"));
	char id[ZALO_ID_MAX];
	int n = 0;

	for (; n++ < SEEN_MAX && one != NULL; one = ltc_json_next(one))
		receipt(k, LT_RC_SEEN, ltc_json_copy(one, id, sizeof(id)), (struct lt_str){ 0 },
			(struct lt_str){ 0 });
}

static void said(struct hook *k)
{
	char who[32], text[4 * ZALO_TEXT_MAX + 8];

	tell(k, LT_IN_TEXT, "user:",
		ltc_json_copy(
			ltc_json_get(ltc_json_get(k->body, "sender"), "id"), who, sizeof(who)),
		ltc_json_copy(
			ltc_json_get(ltc_json_get(k->body, "message"), "text"), text, sizeof(text)),
		k->event);
}

static void came_or_went(struct hook *k, uint32_t kind)
{
	char who[32];
	struct lt_str id = ltc_json_copy(
		ltc_json_get(ltc_json_get(k->body, "follower"), "id"), who, sizeof(who));

	if (id.n == 0)
		id = ltc_json_copy(
			ltc_json_get(ltc_json_get(k->body, "user"), "id"), who, sizeof(who));
	tell(k, kind, "user:", id, (struct lt_str){ 0 }, k->event);
}

static void group_left(struct hook *k)
{
	char id[ZALO_ID_MAX];

	tell(k, LT_IN_LEAVE,
		"group:", ltc_json_copy(ltc_json_get(k->body, "group_id"), id, sizeof(id)),
		(struct lt_str){ 0 }, k->event);
}

static void quota(struct hook *k)
{
	const struct ltc_json *q = ltc_json_get(k->body, "quota");
	char text[120], was[24] = "", now[24] = "";
	int64_t left = 0;

	(void)ltc_json_copy(ltc_json_get(q, "prev_value"), was, sizeof(was));
	(void)ltc_json_copy(ltc_json_get(q, "new_value"), now, sizeof(now));
	if (ltc_json_i64(ltc_json_get(q, "new_value"), &left))
		k->inst->host->stat(k->inst->host->ctx, k->job, 0, LTC_LIT("zns_quota"), left);
	(void)snprintf(text, sizeof(text), "%.60s %s -> %s", k->event, was, now);
	tell(k, LT_IN_QUOTA, "", (struct lt_str){ 0 }, ltc_z(text), text);
}

static void event(struct hook *k)
{
	const char *e = k->event;

	if (strcmp(e, "user_received_message") == 0)
		delivered(k);
	else if (strcmp(e, "user_seen_message") == 0)
		seen(k);
	else if (strcmp(e, "follow") == 0)
		came_or_went(k, LT_IN_JOIN);
	else if (strcmp(e, "unfollow") == 0)
		came_or_went(k, LT_IN_LEAVE);
	else if (strcmp(e, "user_withdraw") == 0)
		came_or_went(k, LT_IN_OPT_OUT);
	else if (strncmp(e, "user_send_", 10) == 0 && strncmp(e, "user_send_group", 15) != 0)
		said(k);
	else if (strcmp(e, "change_oa_daily_quota") == 0 || strncmp(e, "change_template_", 16) == 0)
		quota(k);
	else if (strcmp(e, "permission_revoked") == 0)
		tell(k, LT_IN_REVOKED, "", (struct lt_str){ 0 },
			LTC_LIT("the OA took its consent back"), "");
	else if (strcmp(e, "delete_group") == 0 || strcmp(e, "disperse_group") == 0)
		group_left(k);
	else
		k->inst->host->metric(k->inst->host->ctx, k->job, LTC_LIT("webhook_other"), 1);
}

/* Their name and id of the message; without one, a hash of the body. */
static void name_it(struct hook *k)
{
	char id[ZALO_ID_MAX];
	struct lt_str m = ltc_json_copy(
		ltc_json_get(ltc_json_get(k->body, "message"), "msg_id"), id, sizeof(id));

	(void)ltc_json_copy(ltc_json_get(k->body, "event_name"), k->event, sizeof(k->event));
	if (m.n != 0)
		(void)snprintf(k->dedupe, sizeof(k->dedupe), "%s %s", k->event, id);
	else
		(void)snprintf(k->dedupe, sizeof(k->dedupe), "%s #%016llx", k->event,
			(unsigned long long)ltc_hash(LTC_HASH_SEED, k->raw));
	if (!ltc_json_i64(ltc_json_get(k->body, "timestamp"), &k->at_ms) || k->at_ms <= 0)
		k->at_ms = k->inst->host->wall_ms(k->inst->host->ctx);
}

/* Repeats come for two hours; what is older, or of the future, may be a replay or a wrong clock. It is told and taken all the same:
 * a repeat is known by its name (contract, section 9). */
static void look_at_the_time(const struct hook *k)
{
	const struct lt_host *h = k->inst->host;
	const struct zalo_inst *zi = k->inst->priv;
	int64_t age = h->wall_ms(h->ctx) + (zi->skew_known ? zi->skew_ms : 0) - k->at_ms;
	char text[200];

	if (age <= STALE_MS && age >= -AHEAD_MS)
		return;
	(void)snprintf(text, sizeof(text),
		"event %.60s bears a time %lld minutes %s: a replay, or a clock is wrong", k->event,
		(long long)(age < 0 ? -age : age) / 60000, age < 0 ? "ahead" : "ago");
	h->metric(h->ctx, k->job, LTC_LIT("webhook_stale"), 1);
	h->log(h->ctx, k->job, 1, ltc_z(text));
}

static bool of_another_app(const struct hook *k)
{
	struct lt_str own = ((const struct zalo_inst *)k->inst->priv)->conf.app_id;
	char app[32];
	struct lt_str said_app = ltc_json_copy(ltc_json_get(k->body, "app_id"), app, sizeof(app));

	return said_app.n != 0 && !ltc_eq(said_app, own);
}

int zalo_webhook(struct lt_inst *inst, struct lt_job *job, const struct lt_work *w)
{
	const struct lt_request *q = w->request;
	struct hook k = { .inst = inst, .job = job };

	if (q == NULL)
		return -LT_E_INVALID;
	k.raw = ltc_trim(q->body);
	if (q->body.n > HOOK_BODY_MAX) {
		answer(inst, job, 413, "webhook_too_large");
		return 0;
	}
	if (k.raw.n == 0 || ltc_eqz(k.raw, "{}")) { /* the console's test of the address */
		answer(inst, job, 200, "webhook_test");
		return 0;
	}
	k.body = ltc_json_parse(k.raw, LTC_JSON_ANSWER, NULL);
	if (ltc_json_kind(k.body) != LTC_JSON_OBJECT || !is_signed(inst, job, q, k.body)) {
		answer(inst, job, 200, "webhook_unsigned");
	} else if (of_another_app(&k)) {
		answer(inst, job, 200, "webhook_other_app");
	} else {
		name_it(&k);
		look_at_the_time(&k);
		event(&k);
		answer(inst, job, k.rc < 0 ? 503 : 200, "webhook_taken");
	}
	ltc_json_free(k.body);
	return 0;
}
