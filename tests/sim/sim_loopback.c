/* sim_loopback.c - the provider behind the loopback adapter: takes a post or not, answers or not. The ref of a copy carries its delivery
 * number in its first 8 bytes; a GET is asked for what the ledger has of it. */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "base/crypt.h"
#include "sim_provider.h"

static void conf(int slot, struct buf *b)
{
	buf_addf(b,
		"settings:\n  url: http://127.0.0.1:%d/post\n  window: %d\n  receipts: %s\n  personal: %s\n  latency_ms: %d\n"
		"accounts: [{name: relay%s}]\n",
		9 + slot, slot ? 16 : 512, S->p.receipts ? "yes" : "no", slot ? "no" : "yes",
		slot ? 5 : 0,
		slot == 1 && S->p.spare ? ", backup: spare/relay, backup_after: 10s" : "");
}

static void address(int contact, int office, char *ret, size_t size)
{
	static const char *const words[] = { "steps", "defer-2", "refuse", "slow-700", "bounce",
		"refuse-suppress", "defer-lane-2", "steps" };
	const char *word = "ok";
	UNUSED(office);
	if (sim_chance(S->p.word_mix))
		word = words[sim_below((int)ARRAY_LEN(words))];
	(void)snprintf(ret, size, "%s+%d@loop", word, contact);
}

static bool owns(const char *url)
{
	return strncmp(url, "http://127.0.0.1:", 17) == 0;
}

static struct str ref_of(const struct fakenet_call *c)
{
	const char *at = strstr(c->headers, "X-Ref: ");
	REQUIRE(at != NULL);
	return (struct str){ at + 7, strcspn(at + 7, "\n") };
}

static int64_t delivery_of(const struct fakenet_call *c)
{
	uint8_t raw[16];
	size_t n = 0;
	int64_t id = 0;
	struct str ref = ref_of(c);
	if (base32_decode(ref, raw, sizeof(raw), &n) != 0 || n < 8)
		sim_fail("a ref that cannot be read: " STR_FMT, STR_ARG(ref));
	for (int i = 0; i < 8; i++)
		id = id << 8 | raw[i];
	return id;
}

static void publish(int slot, size_t i, struct fakenet_call *c)
{
	int64_t id = delivery_of(c);
	bool spare = provider_is_spare(c->url);
	enum fate f = slot == 1 && !spare && !S->final && S->mono < S->outage_until
		? FATE_NO_LINE
		: provider_fate();
	bool effect = provider_has_effect(f);
	char to[40];
	S->n_requests++;
	check_publish(id, c->body, strlen(c->body));
	restore_ref(id, ref_of(c).p, ref_of(c).n);
	if (S->p.spare && slot == 1)
		check_gateway(id, spare);
	(void)snprintf(to, sizeof(to), "+%lld@loop>", (long long)S->d[id].contact);
	if (slot == 0 && !strstr(c->body, to))
		sim_fail("delivery %lld for contact %lld goes to another: %.60s", (long long)id,
			(long long)S->d[id].contact, c->body);
	sim_trace("%s delivery:%lld %s%s", c->method, (long long)id, provider_fate_name(f),
		effect ? " effect" : "");
	if (effect)
		provider_effect(id);
	if (f == FATE_OK || f == FATE_HALF)
		provider_answer(i, 200, "", provider_delay());
	else if (f == FATE_REFUSED || f == FATE_TEMPORARY || f == FATE_THROTTLED ||
		f == FATE_BROKEN)
		provider_answer(i,
			f == FATE_BROKEN              ? 500
				: f == FATE_THROTTLED ? 429
				: f == FATE_TEMPORARY ? 503
						      : 400,
			"", provider_delay());
	else if (f == FATE_SLOW)
		provider_answer(i, 200, "", 3600000);
	else
		provider_lose(i, f);
}

static void asked(size_t i, struct fakenet_call *c)
{
	int64_t id = delivery_of(c);
	bool there = id > 0 && id < SIM_DELIVERIES && S->d[id].effects > 0;
	int how = !S->final && sim_chance(S->p.p_fault) ? sim_below(4) : 0;
	sim_trace("asked delivery:%lld %s %d", (long long)id, there ? "there" : "absent", how);
	if (how == 1)
		provider_lose(i, FATE_LOST_AFTER);
	else if (how == 2)
		provider_answer(i, 503, "", provider_delay());
	else if (how == 3)
		provider_lose(i, FATE_SILENT);
	else
		provider_answer(i, there ? 200 : 404, "", 0);
}

static void http(int slot, size_t i, struct fakenet_call *c)
{
	if (c->flags & NET_PUBLISHES)
		publish(slot, i, c);
	else
		asked(i, c);
}

const struct sim_provider sim_loopback = { .name = "loopback",
	.kind = "email",
	.adapter = "loopback",
	.chan_kind = KIND_EMAIL,
	.form = "mailbox",
	.conf = conf,
	.address = address,
	.owns = owns,
	.http = http };
const struct sim_provider sim_loopback_sms = { .name = "loopback",
	.kind = "sms",
	.adapter = "loopback",
	.chan_kind = KIND_SMS,
	.form = "mailbox",
	.conf = conf,
	.address = address,
	.owns = owns,
	.http = http };
