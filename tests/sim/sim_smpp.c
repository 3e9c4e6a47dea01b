/* sim_smpp.c - an operator's SMSC: binds, takes texts, answers out of order, and reports with deliver_sm until that was acknowledged.
 * The ledger counts the submit_sm that it made its own. Its ids are decimal numbers, the same in answer and report. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "sim_provider.h"

#define PDU_MAX  2000
#define AGAIN_MS 60000 /* a report without an answer is said again */

enum { BIND_TRX = 9, SUBMIT = 4, DELIVER = 5, UNBIND = 6, ENQUIRE = 0x15 };
#define RESP 0x80000000u

struct conn {
	struct sim_conn c; /* first */
	bool bound, deaf;
	size_t n_in;
	char in[PDU_MAX];
};
struct state {
	uint64_t no[SIM_DELIVERIES]; /* message_id of a delivery's newest copy */
	uint64_t last;
};

static void conf(int slot, struct buf *b)
{
	UNUSED(slot);
	provider_file("smpp.secret", "geheim\n");
	buf_addf(b,
		"settings: {host: 127.0.0.1, port: 2775, system_id: bhxh, password: pw, sender: BHXH VN, window: %d,\n"
		"  response_ms: 15000, enquire_ms: 300000}\n"
		"files: {outcomes: %s/config/outcomes/smpp.tsv, ranges: %s/config/sms/ranges.tsv, prices: %s/config/sms/prices.tsv}\n"
		"secrets: {pw: {file: ../smpp.secret}}\naccounts: [{name: relay}]\n",
		S->p.together ? 100 : 3, S->root, S->root, S->root);
}

static void address(int contact, int office, char *ret, size_t size)
{
	UNUSED(office);
	(void)snprintf(ret, size, "+8491%07d", contact);
}

static void forgotten(int slot, int64_t id, int64_t to)
{
	struct state *st = S->state[slot];
	st->no[to] = st->no[id];
	st->no[id] = 0;
}

static uint32_t get32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;
	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static size_t pdu(char *p, uint32_t id, uint32_t status, uint32_t seq, const void *body, size_t n)
{
	uint32_t v[] = { (uint32_t)n + 16, id, status, seq };
	REQUIRE(n + 16 <= PDU_MAX);
	for (size_t i = 0; i < 16; i++)
		p[i] = (char)(v[i / 4] >> (24 - 8 * (i % 4)));
	if (n)
		memcpy(p + 16, body, n);
	return n + 16;
}

static void say(struct fakenet_stream *s, uint32_t id, uint32_t status, uint32_t seq,
	const char *body, int64_t ms)
{
	char p[PDU_MAX];
	size_t n = pdu(p, id, status, seq, body, body ? strlen(body) + 1 : 0), half = n / 2;
	if (!provider_fault(50)) {
		provider_say_anyhow(s, p, n, ms);
		return;
	}
	provider_say(s, p, half, 0); /* in two pieces, with nothing between */
	provider_say(s, p + half, n - half, 0);
}

static void answer(struct fakenet_stream *s, enum fate f, uint32_t seq, uint64_t no)
{
	struct conn *c = s->peer_state;
	char id[24];
	(void)snprintf(id, sizeof(id), "%llu", (unsigned long long)no);
	switch (f) {
	case FATE_OK: say(s, SUBMIT | RESP, 0, seq, id, provider_delay()); break;
	case FATE_REFUSED:
		say(s, SUBMIT | RESP, sim_chance(800) ? 0x0b : 0x01, seq, NULL, provider_delay());
		break;
	case FATE_TEMPORARY: say(s, SUBMIT | RESP, 0x64, seq, NULL, provider_delay()); break;
	case FATE_THROTTLED: say(s, SUBMIT | RESP, 0x58, seq, NULL, provider_delay()); break;
	case FATE_BROKEN: say(s, SUBMIT | RESP, 0x08, seq, NULL, provider_delay()); break;
	case FATE_SLOW:
		say(s, SUBMIT | RESP, 0, seq, id, sim_chance(500) ? 120000 : 3600000);
		break;
	case FATE_HALF:
	case FATE_GARBAGE:
	case FATE_NO_LINE:
	case FATE_LOST_BEFORE:
	case FATE_LOST_AFTER:
		c->deaf = true;
		if (f == FATE_GARBAGE)
			provider_say_garbage(s, provider_delay());
		if (f == FATE_HALF)
			provider_say(s, "\0\0\0\x14\x80\0\0\x04\0\0", 10, 0);
		provider_cut(s, provider_delay());
		break;
	case FATE_SILENT: break;
	case FATE_FATES: break;
	}
}

/* The mandatory fields in their order; false: cut short. */
static bool submit_read(
	const char *p, size_t n, int *ret_contact, const char **ret_text, size_t *ret_n)
{
	const char *end = p + n;
	p = memchr(p, 0, n);                                    /* service_type */
	p = p ? memchr(p + 3, 0, (size_t)(end - p) - 3) : NULL; /* ton, npi, source */
	if (!p || sscanf(p + 3, "8491%d", ret_contact) != 1)
		return false;
	p = memchr(p + 3, 0, (size_t)(end - p) - 3);            /* destination */
	p = p ? memchr(p + 4, 0, (size_t)(end - p) - 4) : NULL; /* esm, protocol, priority, time */
	p = p ? memchr(p + 1, 0, (size_t)(end - p) - 1) : NULL; /* validity */
	if (!p || end - p < 6)
		return false;
	*ret_n = (unsigned char)p[5];
	*ret_text = p + 6;
	return *ret_text + *ret_n <= end;
}

static void submit(int slot, struct fakenet_stream *s, uint32_t seq, const char *body, size_t n)
{
	struct state *st = S->state[slot];
	const char *text = NULL;
	size_t n_text = 0;
	int contact = 0;
	if (!submit_read(body, n, &contact, &text, &n_text))
		sim_fail("a submit_sm that cannot be read");
	int64_t id = provider_publish(contact, text, n_text);
	enum fate f = provider_fate();
	bool effect = f != FATE_NO_LINE && f != FATE_BROKEN && provider_has_effect(f);
	sim_trace("submit delivery:%lld %s%s", (long long)id, provider_fate_name(f),
		effect ? " effect" : "");
	if (effect) {
		st->no[id] = 4000000000u + ++st->last; /* never another one in hex */
		provider_effect(id);
		provider_report(slot, id, "");
	}
	answer(s, f, seq, st->no[id]);
}

static void reported(uint32_t seq, uint32_t status)
{
	for (int i = 0; i < SIM_LATER; i++) {
		struct sim_later *l = &S->later[i];
		if (!l->used || (uint32_t)l->no != seq || provider_of(l->slot) != &sim_smpp)
			continue;
		sim_trace("deliver_sm_resp of delivery:%lld: %u", (long long)l->delivery, status);
		if (status == 0)
			provider_thanked(l);
		return;
	}
}

static void on_pdu(int slot, struct fakenet_stream *s, const char *p, size_t n)
{
	struct conn *c = s->peer_state;
	uint32_t id = get32(p + 4), status = get32(p + 8), seq = get32(p + 12);
	if (id == BIND_TRX) {
		bool no = provider_fault(200);
		c->bound = !no;
		say(s, BIND_TRX | RESP, no ? (sim_chance(500) ? 0x05 : 0x08) : 0, seq, "smsc", 0);
	} else if (id == SUBMIT && c->bound) {
		submit(slot, s, seq, p + 16, n - 16);
	} else if (id == UNBIND) {
		c->bound = false;
		say(s, UNBIND | RESP, 0, seq, NULL, 0);
		provider_cut(s, 10);
	} else if (id == ENQUIRE && !provider_fault(200)) {
		say(s, ENQUIRE | RESP, 0, seq, NULL, 0);
	} else if (id == (DELIVER | RESP)) {
		reported(seq, status);
	} else if (id == SUBMIT) {
		sim_fail("a text before the bind");
	}
}

static void stream(int slot, struct fakenet_stream *s, struct str fresh)
{
	struct conn *c = s->peer_state;
	for (size_t i = 0; i < fresh.n && !c->deaf; i++) {
		REQUIRE(c->n_in < PDU_MAX);
		c->in[c->n_in++] = fresh.p[i];
		if (c->n_in < 16 || c->n_in < get32(c->in))
			continue;
		size_t n = c->n_in;
		c->n_in = 0;
		on_pdu(slot, s, c->in, n);
	}
}

static struct fakenet_stream *bound(void)
{
	for (size_t i = N.net->n_streams; i-- > 0;) {
		struct fakenet_stream *s = N.net->streams[i];
		struct conn *c = s->port == sim_smpp.port ? s->peer_state : NULL;
		if (c && c->bound && !c->deaf && !s->gone && !s->closing && s->opened)
			return s;
	}
	return NULL;
}

/* Said again until it is acknowledged, on whatever connection is bound then. */
static void due(struct sim_later *l)
{
	const struct state *st = S->state[l->slot];
	struct fakenet_stream *s = bound();
	char text[200], p[PDU_MAX], body[400];
	bool good = l->kind == SIM_SAID_DELIVERED;
	l->epoch = 0;
	l->due = N.te.mono + AGAIN_MS;
	if (!s)
		return;
	int n = snprintf(text, sizeof(text),
		"id:%llu sub:001 dlvrd:00%d submit date:2611230801 done date:2611230802 stat:%s err:000 text:",
		(unsigned long long)st->no[l->delivery], good, good ? "DELIVRD" : "UNDELIV");
	size_t at = 0;
	body[at++] = 0;
	body[at++] = 1;
	body[at++] = 1;
	at += (size_t)snprintf(body + at, 20, "8491%07lld", (long long)S->d[l->delivery].contact) +
		1;
	body[at++] = 5;
	body[at++] = 0;
	at += (size_t)snprintf(body + at, 20, "BHXH VN") + 1;
	memcpy(body + at, "\x04\0\0\0\0\0\0\0\0", 9); /* esm_class: a report */
	at += 9;
	body[at++] = (char)n;
	memcpy(body + at, text, (size_t)n);
	at += (size_t)n;
	provider_say(s, p, pdu(p, DELIVER, 0, (uint32_t)l->no, body, at), 0);
}

const struct sim_provider sim_smpp = { .name = "smpp",
	.kind = "sms",
	.adapter = "smpp",
	.chan_kind = KIND_SMS,
	.form = "mobile",
	.state_size = sizeof(struct state),
	.conf = conf,
	.address = address,
	.port = 2775,
	.conn_size = sizeof(struct conn),
	.greeting = "",
	.stream = stream,
	.forgotten = forgotten,
	.due = due };
