/* sim_smsh.c - eSMS behind the HTTP gateway adapter: one number a request. A RequestId that had an effect in the last 24 hours is refused
 * as known (124) and nothing goes out again. Reports come to the callback, early, late, twice or never, or by asking. */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "sim_provider.h"

#define KNOWN_MS 86400000

struct state {
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
	return strstr(url, "rest.esms.vn") != NULL;
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

static void http(int slot, size_t i, struct fakenet_call *c)
{
	if (c->flags & NET_PUBLISHES)
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
	.due = due };
