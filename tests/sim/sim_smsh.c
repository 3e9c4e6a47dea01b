/* sim_smsh.c - eSMS behind the HTTP gateway adapter: one number a request. A RequestId that had an effect in the last 24 hours is refused
 * as known (124) and nothing goes out again. Reports come to the callback, early, late, twice or never, or by asking.
 * Where the seed has tokens it is FPT: an access token for client credentials, no reports, and the same text to the same number is known
 * for five minutes. */
#include <stdio.h>
#include <string.h>
#include <sodium.h>
#include "base/assert.h"
#include "sim_token.h"

#define KNOWN_MS     86400000
#define FPT_KNOWN_MS 300000
#define FPT_TOKEN    "gate/gate-token"

struct state {
	struct sim_token token;           /* GT-N */
	int64_t taken_at[SIM_DELIVERIES]; /* by delivery; 0: never */
	uint64_t no[SIM_DELIVERIES];      /* of its SMSID */
	uint8_t reports[SIM_DELIVERIES];  /* SIM_SAID_*, for who asks */
	uint64_t last;
	char ref[SIM_DELIVERIES][32]; /* RequestId */
};

static void conf(int slot, struct buf *b)
{
	UNUSED(slot);
	provider_file("sms.secret", "geheim-geheim-geheim-geheim\n");
	if (S->p.tokens) {
		buf_addf(b,
			"settings: {sender: BHXH-VN, balance_every: 0, total_ms: 15000, params: \"client_id=cid\"}\n"
			"files: {vendor: %s/config/sms/vendors/fpt.json, ranges: %s/config/sms/ranges.tsv, prices: %s/config/sms/prices.tsv}\n"
			"secrets: {client_secret: {file: ../sms.secret}}\n"
			"accounts: [{name: relay, credential: gate-token}]\n",
			S->root, S->root, S->root);
		return;
	}
	buf_addf(b,
		"settings: {sender: BHXH-VN, balance_every: 0, total_ms: 15000}\n"
		"files: {vendor: %s/config/sms/vendors/esms.json, ranges: %s/config/sms/ranges.tsv, prices: %s/config/sms/prices.tsv}\n"
		"secrets: {api_key: {file: ../sms.secret}, secret_key: {file: ../sms.secret}}\n"
		"webhook: {secret: {file: ../sms.secret}}\n%s"
		"accounts: [{name: relay}]\n",
		S->root, S->root, S->root,
		S->p.receipts && S->p.poll ? "poll: {every: 20m}\n" : "");
}

static void address(int contact, int office, char *ret, size_t size)
{
	UNUSED(office);
	(void)snprintf(ret, size, "+8491%07d", contact);
}

static void forgotten(int slot, int64_t id, int64_t to)
{
	struct state *st = S->state[slot];
	st->taken_at[to] = st->taken_at[id];
	st->no[to] = st->no[id];
	st->reports[to] = st->reports[id];
	memcpy(st->ref[to], st->ref[id], sizeof(st->ref[to]));
	st->taken_at[id] = 0;
	st->no[id] = 0;
	st->reports[id] = 0;
}

static bool owns(const char *url)
{
	return strstr(url, "rest.esms.vn") != NULL || strstr(url, "sms.fpt.net") != NULL;
}

static void no(size_t i, const char *code)
{
	char body[100];
	(void)snprintf(body, sizeof(body), "{\"CodeResult\":\"%s\",\"ErrorMessage\":\"no\"}", code);
	provider_answer(i, 200, body, provider_delay());
}

static void answer(size_t i, enum fate f, uint64_t number)
{
	char body[100];
	(void)snprintf(body, sizeof(body), "{\"CodeResult\":\"100\",\"SMSID\":\"e-%llu\"}",
		(unsigned long long)number);
	switch (f) {
	case FATE_OK: provider_answer(i, 200, body, provider_delay()); break;
	case FATE_SLOW: provider_answer(i, 200, body, 3600000); break;
	case FATE_HALF:
		body[20] = 0;
		provider_answer(i, 200, body, provider_delay());
		break;
	case FATE_REFUSED: no(i, sim_chance(700) ? "99" : "146"); break;
	case FATE_TEMPORARY: no(i, "105"); break;
	case FATE_THROTTLED: no(i, "160"); break;
	case FATE_BROKEN:
		provider_answer(i, 500, "{\"CodeResult\":\"?\"}", provider_delay());
		break;
	case FATE_NO_LINE:
	case FATE_LOST_BEFORE:
	case FATE_LOST_AFTER:
	case FATE_GARBAGE:
	case FATE_SILENT: provider_lose(i, f); break;
	case FATE_FATES: break;
	}
}

static void publish(int slot, size_t i, struct fakenet_call *c)
{
	struct state *st = S->state[slot];
	char phone[40];
	int contact = 0;
	if (!provider_field(c->body, "Phone", phone, sizeof(phone)) ||
		sscanf(phone, "091%d", &contact) != 1)
		sim_fail("a text to nobody: %.200s", c->body);
	int64_t id = provider_publish(contact, c->body, strlen(c->body));
	char ref[40];
	if (!provider_field(c->body, "RequestId", ref, sizeof(ref)))
		sim_fail("a text without RequestId: %.200s", c->body);
	restore_ref(id, ref, strlen(ref));
	enum fate f = provider_fate();
	bool known = st->taken_at[id] && N.te.mono - st->taken_at[id] < KNOWN_MS;
	bool effect = f != FATE_NO_LINE && !known && provider_has_effect(f);
	sim_trace("text delivery:%lld %s%s%s", (long long)id, provider_fate_name(f),
		effect ? " effect" : "", known ? " known" : "");
	if (effect) {
		st->taken_at[id] = N.te.mono;
		st->no[id] = ++st->last;
		(void)snprintf(st->ref[id], sizeof(st->ref[0]), "%.31s", ref);
		provider_effect(id);
		provider_report(slot, id, "");
	}
	if (known && (f == FATE_OK || f == FATE_SLOW))
		no(i, "124");
	else
		answer(i, f, st->no[id]);
}

/* The last number in the query of a question. */
static void asked(int slot, size_t i, const struct fakenet_call *c)
{
	const struct state *st = S->state[slot];
	unsigned long long number = 0;
	char id[60], body[200];
	sim_trace("asked %s", c->url);
	if (provider_fault(700)) {
		provider_answer(i, 502, "<html>Bad Gateway</html>", provider_delay());
		return;
	}
	if (!provider_field(c->url, "RefId", id, sizeof(id)) || sscanf(id, "e-%llu", &number) != 1)
		sim_fail("a question without an id: %s", c->url);
	for (int64_t d = 1; d < SIM_DELIVERIES; d++) {
		if (st->no[d] != number || !st->reports[d])
			continue;
		bool good = st->reports[d] & SIM_SAID_DELIVERED;
		S->d[d].said |= good ? SIM_TOLD_DELIVERED : SIM_TOLD_FAILED;
		(void)snprintf(body, sizeof(body),
			"{\"CodeResponse\":\"100\",\"SMSID\":\"%s\",\"SendStatus\":\"%d\",\"SendFailed\":\"0\",\"SendSuccess\":\"1\"}",
			id, good ? 5 : 4);
		provider_answer(i, 200, body, provider_delay());
		return;
	}
	provider_answer(
		i, 200, "{\"CodeResponse\":\"100\",\"SendStatus\":\"1\"}", provider_delay());
}

/* --- FPT ------------------------------------------------------------------------------------------------------------------------------ */

static void fpt_no(size_t i, int status, const char *code)
{
	char body[600];
	(void)snprintf(body, sizeof(body), "{\"error\":%s,\"error_description\":\"%s\"}", code,
		provider_words(false));
	provider_answer(i, status, body, provider_delay());
}

static void fpt_answer(size_t i, enum fate f, int64_t id, bool known)
{
	char body[100];
	(void)snprintf(body, sizeof(body), "{\"MessageId\":\"f-%lld\"}", (long long)id);
	switch (f) {
	case FATE_OK:
	case FATE_SLOW:
		if (known)
			fpt_no(i, 400, "2501");
		else
			provider_answer(i, 200, body, f == FATE_OK ? provider_delay() : 3600000);
		break;
	case FATE_HALF:
		body[10] = 0;
		provider_answer(i, 200, body, provider_delay());
		break;
	case FATE_REFUSED: fpt_no(i, 400, sim_chance(700) ? "2518" : "2513"); break;
	case FATE_TEMPORARY:
	case FATE_THROTTLED: fpt_no(i, 429, "1020"); break;
	case FATE_BROKEN: provider_answer(i, 500, "{\"oops\":1}", provider_delay()); break;
	case FATE_NO_LINE:
	case FATE_LOST_BEFORE:
	case FATE_LOST_AFTER:
	case FATE_GARBAGE:
	case FATE_SILENT: provider_lose(i, f); break;
	case FATE_FATES: break;
	}
}

static void fpt_publish(struct state *st, size_t i, const struct fakenet_call *c)
{
	char phone[40], ref[40], token[40], packed[4000], text[3000];
	int contact = 0, n = 0;
	size_t len = 0;
	if (!provider_field(c->body, "Phone", phone, sizeof(phone)) ||
		sscanf(phone, "8491%d", &contact) != 1)
		sim_fail("a text to nobody: %.200s", c->body);
	if (!provider_field(c->body, "access_token", token, sizeof(token)) ||
		sscanf(token, "GT-%d", &n) != 1)
		sim_fail("a text without a token: %.200s", c->body);
	if (!token_good(&st->token, n)) {
		fpt_no(i, 401, "1011");
		return;
	}
	if (!provider_field(c->body, "Message", packed, sizeof(packed)) ||
		sodium_base642bin((unsigned char *)text, sizeof(text), packed, strlen(packed), NULL,
			&len, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		sim_fail("a text that is no base64: %.200s", c->body);
	int64_t id = provider_publish(contact, text, len);
	if (!provider_field(c->body, "RequestId", ref, sizeof(ref)))
		sim_fail("a text without RequestId: %.200s", c->body);
	restore_ref(id, ref, strlen(ref));
	enum fate f = provider_fate();
	bool known = st->taken_at[id] && N.te.mono - st->taken_at[id] < FPT_KNOWN_MS;
	bool effect = f != FATE_NO_LINE && !known && provider_has_effect(f);
	sim_trace("text delivery:%lld %s%s%s", (long long)id, provider_fate_name(f),
		effect ? " effect" : "", known ? " known" : "");
	if (effect) {
		st->taken_at[id] = N.te.mono;
		provider_effect(id);
	}
	fpt_answer(i, f, id, known);
}

static void fpt(struct state *st, size_t i, const struct fakenet_call *c)
{
	char body[100] = "";
	if (!provider_is_for_token(c->url)) {
		fpt_publish(st, i, c);
		return;
	}
	enum fate f = provider_fate();
	if (token_renew(&st->token, FPT_TOKEN, f, false))
		(void)snprintf(body, sizeof(body),
			"{\"access_token\":\"GT-%d\",\"expires_in\":%lld}", st->token.generation,
			(long long)(st->token.until - N.te.mono) / 1000);
	token_say(i, f, body);
}

static void booted(int slot)
{
	struct state *st = S->state[slot];
	if (S->p.tokens)
		token_booted(&st->token, FPT_TOKEN);
}

static bool person(int slot)
{
	struct state *st = S->state[slot];
	return S->p.tokens && token_person(&st->token, "gate", "relay", FPT_TOKEN);
}

static void http(int slot, size_t i, struct fakenet_call *c)
{
	if (S->p.tokens)
		fpt(S->state[slot], i, c);
	else if (c->flags & NET_PUBLISHES)
		publish(slot, i, c);
	else
		asked(slot, i, c);
}

static void on_thanks(void *ctx, int status, struct str type, struct str body)
{
	struct sim_later *l = ctx;
	UNUSED(type);
	UNUSED(body);
	sim_trace("callback of delivery:%lld: %d", (long long)l->delivery, status);
	if (status == 200) {
		provider_thanked(l);
		return;
	}
	l->epoch = 0; /* once more, later */
	l->due = N.te.mono + 60000;
}

static void due(struct sim_later *l)
{
	struct state *st = S->state[l->slot];
	char query[200];
	bool good = l->kind == SIM_SAID_DELIVERED;
	struct channel *c = channels_find(N.channels, "gate");
	struct chan_account *a = c ? channel_account(c, "relay") : NULL;
	st->reports[l->delivery] |= (uint8_t)l->kind;
	(void)snprintf(query, sizeof(query),
		"SMSID=e-%llu&phonenumber=091%07lld&SendStatus=%d&SendFailed=%d&SendSuccess=%d&TypeId=2&RequestId=%s",
		(unsigned long long)st->no[l->delivery], (long long)S->d[l->delivery].contact,
		good ? 5 : 4, !good, good, st->ref[l->delivery]);
	struct chan_request r = { .method = STR("GET"),
		.path = STR("/w/gate"),
		.query = str_of(query),
		.peer = STR("203.0.113.7") };
	if (!a || channel_webhook(a, true, &r, on_thanks, l)) {
		l->epoch = 0;
		l->due = N.te.mono + 60000;
	}
}

const struct sim_provider sim_sms_http = { .name = "sms_http",
	.kind = "sms",
	.adapter = "sms_http",
	.chan_kind = KIND_SMS,
	.form = "mobile",
	.names_ref = true,
	.state_size = sizeof(struct state),
	.conf = conf,
	.address = address,
	.owns = owns,
	.http = http,
	.forgotten = forgotten,
	.booted = booted,
	.person = person,
	.due = due };
