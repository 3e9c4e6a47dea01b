/* adapter_smpp.c - the SMPP adapter in the conformance suite: an SMSC on the scripted network. The last three digits of a number
 * are the command_status that it gets, 000 none; the ledger holds the numbers whose text was truly taken. */
#include <stdlib.h>
#include <string.h>
#include "provider.h"

struct smsc_link {
	char in[4096];
	size_t n;
};
static struct provider smsc;
static struct smsc_link links[PROVIDER_STREAMS_MAX];

static uint32_t get32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static void say(struct fakenet_stream *s, uint32_t id, uint32_t status, uint32_t seq,
	const char *body, size_t n)
{
	uint32_t v[] = { (uint32_t)n + 16, id, status, seq };
	char p[200];

	for (size_t i = 0; i < 16; i++)
		p[i] = (char)(v[i / 4] >> (24 - 8 * (i % 4)));
	memcpy(p + 16, body, n);
	fakenet_say_n(s, p, n + 16);
}

static void take(const char *to)
{
	char address[24];

	if (snprintf(address, sizeof(address), "+%s", to) < (int)sizeof(address))
		provider_take(&smsc, address);
}

/* service_type and source are short C strings with two octets before each address. */
static const char *dest_of(const char *body)
{
	const char *source = body + strlen(body) + 1 + 2;

	return source + strlen(source) + 1 + 2;
}

static void on_submit(struct fakenet_stream *s, uint32_t seq, const char *body)
{
	const char *to = dest_of(body);
	size_t n = strlen(to);
	uint32_t status = n > 3 ? (uint32_t)strtoul(to + n - 3, NULL, 10) : 0;
	char id[16];

	if (smsc.script == CF_GARBAGE) {
		provider_say_garbage(&smsc, s, false);
		return;
	}
	if (status != 0) {
		say(s, 0x80000004u, status, seq, "", 0);
		return;
	}
	take(to);
	if (smsc.script == CF_LOST)
		fakenet_cut(s, -ECONNRESET, "reset by peer");
	else if (smsc.script == CF_GARBAGE_LATE)
		provider_say_garbage(&smsc, s, false);
	else if (smsc.script != CF_SILENT) {
		int len = snprintf(id, sizeof(id), "%zu", smsc.n_ledger);
		say(s, 0x80000004u, 0, seq, id, (size_t)len + 1);
	}
}

static void on_pdu(struct fakenet_stream *s, const char *p)
{
	uint32_t id = get32(p + 4), seq = get32(p + 12);

	if (id == 9) {
		say(s, 0x80000009u, 0, seq, "smsc", 5);
		s->hold = smsc.script == CF_CUT_EARLY; /* the line goes dead here */
	} else if (id == 4)
		on_submit(s, seq, p + 16);
	else if (id == 6) {
		say(s, 0x80000006u, 0, seq, "", 0);
		fakenet_cut(s, 0, NULL);
	} else if (id == 0x15)
		say(s, 0x80000015u, 0, seq, "", 0);
}

static void peer(void *arg, struct fakenet_stream *s, struct str fresh)
{
	struct smsc_link *l = &links[provider_stream(&smsc, s)];

	(void)arg;
	if (fresh.n == 0)
		l->n = 0;
	for (size_t i = 0; i < fresh.n && l->n < sizeof(l->in); i++) {
		l->in[l->n++] = fresh.p[i];
		if (l->n >= 16 && l->n == get32(l->in)) {
			l->n = 0;
			on_pdu(s, l->in);
		}
	}
}

static void play(struct ht *t, enum conf_script script, uint64_t seed)
{
	memset(links, 0, sizeof(links));
	provider_begin(&smsc, t, script, seed);
	t->fn->peer = peer;
	t->fn->open_lines = "";
}

static size_t effects(struct ht *t, const char *address)
{
	(void)t;
	return provider_taken(&smsc, address);
}

static const char *address(enum conf_script script)
{
	return script == CF_SLOW ? NULL : "+84910123000";
}

static void prepare(struct ht *t)
{
	provider_copy(t, "outcomes/smpp.tsv");
	provider_copy(t, "sms/ranges.tsv");
	provider_copy(t, "sms/prices.tsv");
}

#define FREE_ALERT (LT_R_FREE | LT_R_PERSON)
static const struct conf_case cases[] = {
	{ "+84910123000", LT_ACCEPTED, LT_SCOPE_TARGET, 0 },
	{ "+84910123001", LT_REFUSED, LT_SCOPE_RELEASE, 0 },
	{ "+84910123003", LT_REFUSED, LT_SCOPE_RELEASE, 0 },
	{ "+84910123004", LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE },
	{ "+84910123006", LT_DEFERRED, LT_SCOPE_ACCOUNT, FREE_ALERT },
	{ "+84910123008", LT_DEFERRED, LT_SCOPE_TARGET, 0 },
	{ "+84910123010", LT_REFUSED, LT_SCOPE_RELEASE, 0 },
	{ "+84910123011", LT_REFUSED, LT_SCOPE_TARGET, LT_R_ELSEWHERE },
	{ "+84910123020", LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE },
	{ "+84910123069", LT_DEFERRED, LT_SCOPE_TARGET, 0 },
	{ "+84910123088", LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE },
	{ "+84910123100", LT_DEFERRED, LT_SCOPE_TARGET, 0 },
	{ "+84910123102", LT_REFUSED, LT_SCOPE_TARGET, 0 },
	{ "+84910123254", LT_REFUSED, LT_SCOPE_TARGET, 0 },
	{ "+84910123257", LT_DEFERRED, LT_SCOPE_ACCOUNT, FREE_ALERT },
	{ "+84910123258", LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE },
	{ "+84910123777", LT_DEFERRED, LT_SCOPE_TARGET, 0 },
};
static const char *const good[] = { "+84910000100", "0910 000 100", "84910000100",
	"0084 91.000.0100", NULL };
static const char *const bad[] = { "", "abc", "02438223344", "+8491000", "0123",
	"+84910000100\r\nx", "+1 202 555 0100", NULL };

static const struct conformance smpp = { .name = "smpp",
	.kind = "sms",
	.channel_yaml =
		"settings: {host: 127.0.0.1, system_id: bhxh, sender: BHXH VN, window: 500}\n"
		"files: {outcomes: ../outcomes/smpp.tsv, ranges: ../sms/ranges.tsv, prices: ../sms/prices.tsv}\n"
		"accounts: [{name: main}]\n",
	.prepare = prepare,
	.play = play,
	.effects = effects,
	.address = address,
	.cases = cases,
	.n_cases = sizeof(cases) / sizeof(cases[0]),
	.good_addresses = good,
	.bad_addresses = bad,
	.body = "lantoa-sms 1\ncoding: gsm\nsegments: 1\nunits: 8\ncategory: 2\n\nXin chao" };
CONFORMANCE(smpp)
