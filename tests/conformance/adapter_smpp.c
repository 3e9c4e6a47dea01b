/* adapter_smpp.c - the SMPP adapter in the conformance suite: an SMSC on the scripted network. The last three digits of a number
 * are the command_status that it gets, 000 none; the ledger holds the numbers whose text was truly taken. */
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "conformance.h"
#include "lib/tmpdir.h"

#define LEDGER_MAX 4096

struct smsc_link {
	char in[4096];
	size_t n;
};
static struct {
	struct ht *t;
	enum conf_script script;
	uint64_t seed;
	char ledger[LEDGER_MAX][24];
	size_t n_ledger;
	struct smsc_link links[256];
} smsc;

static uint64_t noise(void)
{
	smsc.seed = smsc.seed * 6364136223846793005u + 1442695040888963407u;
	return smsc.seed >> 33;
}

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

static void say_garbage(struct fakenet_stream *s)
{
	char bytes[64];
	size_t n = 1 + noise() % sizeof(bytes);

	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)noise();
	fakenet_say_n(s, bytes, n);
	if (noise() % 8 == 0)
		fakenet_cut(s, -ECONNRESET, "gone");
}

static void take(const char *to)
{
	size_t n = strlen(to);
	char *at = smsc.ledger[smsc.n_ledger];

	if (smsc.n_ledger == LEDGER_MAX || n + 2 > sizeof(smsc.ledger[0]))
		return;
	at[0] = '+';
	memcpy(at + 1, to, n + 1);
	smsc.n_ledger++;
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
		say_garbage(s);
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
		say_garbage(s);
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
	size_t at = 0;

	(void)arg;
	while (at < smsc.t->fn->n_streams && smsc.t->fn->streams[at] != s)
		at++;
	struct smsc_link *l = &smsc.links[at % 256];
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
	memset(&smsc, 0, sizeof(smsc));
	smsc.t = t;
	smsc.script = script;
	smsc.seed = seed + 1;
	t->fn->peer = peer;
	t->fn->open_lines = "";
}

static size_t effects(struct ht *t, const char *address)
{
	size_t n = 0;

	(void)t;
	for (size_t i = 0; i < smsc.n_ledger; i++)
		n += strcmp(smsc.ledger[i], address) == 0;
	return n;
}

static const char *address(enum conf_script script)
{
	return script == CF_SLOW ? NULL : "+84910123000";
}

static void prepare(struct ht *t)
{
	static const char *const names[] = { "outcomes/smpp.tsv", "sms/ranges.tsv",
		"sms/prices.tsv" };

	for (size_t i = 0; i < 3; i++) {
		char from[200], to[600], folder[600];
		struct buf b;
		struct err e = { 0 };
		(void)snprintf(from, sizeof(from), "config/%s", names[i]);
		(void)snprintf(to, sizeof(to), "%s/%s", t->dir, names[i]);
		(void)snprintf(folder, sizeof(folder), "%s", to);
		*strrchr(folder, '/') = 0;
		buf_init(&b, 1u << 20);
		if (file_read(from, &b, &e) != 0 || dir_make(folder, 0700, &e) != 0 ||
			file_write_durable(to, buf_str(&b), 0600, &e) != 0)
			(void)fprintf(stderr, "%s\n", e.text);
		buf_done(&b);
	}
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
	{ "+84910123011", LT_REFUSED, LT_SCOPE_TARGET, 0 },
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
