/* smpp_inbound.c - texts that phones sent: decoded, their parts joined, handed to the host, acknowledged when stored.
 * Parts are not acknowledged one by one, or a crash would lose a half: they wait until all are here, at most PART_WAIT_MS; then
 * what is here is handed on as it is, and kept: a server that sends the second part only after the first was answered gets there so
 * too, and the whole text is handed on with its last part.
 * Thread: loop. Owns: bytes of parts. Limits: SMPP_PARTS_MAX texts of SMPP_PART_N_MAX parts wait; more go on one by one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../common/sms_phone.h"
#include "smpp.h"

#define PART_WAIT_MS 5000
#define PART_KEEP_MS 600000
#define SAVING       (-1)

/* Data coding 0 is the server's own alphabet, as in what we send. */
static void decode(
	enum smpp_charset own, struct lt_str bytes, uint8_t data_coding, struct ltc_buf *out)
{
	const uint8_t *p = (const uint8_t *)bytes.p;
	uint8_t kind = data_coding & 0x0f;

	switch (kind == 0 && own != SMPP_GSM0338 ? 3 : kind) {
	case 8: sms_decode_ucs2(p, bytes.n, out); return;
	case 1: /* ASCII */
	case 3: /* Latin-1 */
		for (size_t i = 0; i < bytes.n; i++) {
			if (p[i] < 0x80)
				ltc_addc(out, (char)p[i]);
			else {
				ltc_addc(out, (char)(0xc0 | p[i] >> 6));
				ltc_addc(out, (char)(0x80 | (p[i] & 0x3f)));
			}
		}
		return;
	default: sms_decode_gsm(p, bytes.n, out); return;
	}
}

static void address_of(struct smpp_session *s, struct lt_str in, char *dst, size_t size)
{
	struct lt_str ranges = ltc_pair(s->inst->conf->files, s->inst->conf->n_files, "ranges");
	struct sms_phone p;
	char plus[24];
	bool digits = in.n > 9 && in.n < sizeof(plus) - 1;

	for (size_t i = 0; i < in.n; i++)
		digits = digits && in.p[i] >= '0' && in.p[i] <= '9';
	(void)snprintf(plus, sizeof(plus), "%s%.*s", digits && in.p[0] != '0' ? "+" : "",
		(int)(in.n > 20 ? 20 : in.n), in.p == NULL ? "" : in.p);
	if (sms_phone_parse(ranges, ltc_z(plus), &p) == 0)
		(void)snprintf(dst, size, "%s", p.e164);
	else
		(void)snprintf(dst, size, "%.*s", (int)in.n, in.p == NULL ? "" : in.p);
}

/* Another one for the same text behind a different one: "no", "yes", "no" are three words, and the last one counts. The same for what
 * the server sends again, which comes behind itself. */
static uint64_t word_of(struct smpp_session *s, const char *phone, uint64_t text)
{
	uint64_t who = ltc_hash(LTC_HASH_SEED, ltc_z(phone)) | 1;
	struct smpp_said *e = &s->si->said[(who >> 1) % SMPP_SAID];

	if (e->phone != who)
		*e = (struct smpp_said){ .phone = who, .text = text };
	else if (e->text != text) {
		struct lt_str last = { (const char *)&e->text, sizeof(e->text) };
		e->before = ltc_hash(e->before, last);
		e->text = text;
	}
	return text ^ e->before;
}

static int hand_on(struct smpp_session *s, struct lt_str source, struct lt_str dest,
	struct lt_str text, uint64_t hash, uint64_t token)
{
	char from[32], detail[64], dedupe[80];
	struct lt_inbound in = { .struct_size = sizeof(in),
		.kind = LT_IN_TEXT,
		.text = text,
		.at_ms = s->host->wall_ms(s->host->ctx) };

	address_of(s, source, from, sizeof(from));
	(void)snprintf(detail, sizeof(detail), "to %.*s", (int)(dest.n > 40 ? 40 : dest.n),
		dest.p == NULL ? "" : dest.p);
	/* The same text again within ten minutes is one that the server repeats. */
	(void)snprintf(dedupe, sizeof(dedupe), "mo:%016llx:%lld",
		(unsigned long long)word_of(s, from, hash), (long long)(in.at_ms / 600000));
	in.address = ltc_z(from);
	in.detail = ltc_z(detail);
	in.dedupe = ltc_z(dedupe);
	return s->host->inbound(s->host->ctx, s->job, &in, token);
}

static struct smpp_link *link_of(struct smpp_session *s, uint32_t gen)
{
	for (uint32_t i = 0; i < s->n_links; i++)
		if (s->links[i].gen == gen && s->links[i].state >= SMPP_L_BOUND &&
			s->links[i].state != SMPP_L_CLOSING)
			return &s->links[i];
	return NULL;
}

void smpp_inbound_drop(struct smpp_text_part *p)
{
	for (size_t i = 0; i < SMPP_PART_N_MAX; i++)
		free(p->got[i].owned);
	*p = (struct smpp_text_part){ 0 };
}

static void part_drop(struct smpp_text_part *p, size_t i)
{
	if (p->got[i].owned == NULL)
		return;
	free(p->got[i].owned);
	p->got[i].owned = NULL;
	p->got[i].told = false;
	p->part.seq--;
}

/* What was told is kept for a while, what was not stored comes again. */
static void part_keep(struct smpp_session *s, struct smpp_text_part *p, bool stored)
{
	bool whole = p->part.seq == p->part.total;

	for (size_t i = 0; i < SMPP_PART_N_MAX; i++) {
		if (!p->got[i].told && !stored)
			part_drop(p, i);
		p->got[i].told = p->got[i].owned != NULL;
	}
	if (p->part.seq == 0 || (whole && stored)) {
		smpp_inbound_drop(p);
		return;
	}
	p->kept = true;
	p->until = s->now + PART_KEEP_MS;
}

void smpp_inbound_saved(struct smpp_session *s, uint32_t slot, int32_t error)
{
	struct smpp_text_part *p = &s->parts[slot % SMPP_PARTS_MAX];
	struct smpp_link *l = link_of(s, p->gen);

	if (p->until != SAVING)
		return;
	for (size_t i = 0; l != NULL && i < SMPP_PART_N_MAX; i++)
		if (p->got[i].owned != NULL && !p->got[i].told) {
			l->acks -= l->acks > 0;
			smpp_link_ack(
				l, SMPP_DELIVER_SM, error < 0 ? SMPP_RX_T_APPN : 0, p->got[i].seq);
		}
	part_keep(s, p, error >= 0);
}

/* The whole text, or those of its parts that are here and were not told yet. */
static void parts_go(struct smpp_session *s, struct smpp_text_part *p)
{
	struct ltc_buf text LTC_CLEANUP_BUF;
	uint64_t hash = ltc_hash(LTC_HASH_SEED, ltc_z(p->source));
	bool whole = p->part.seq == p->part.total;

	ltc_buf_init(&text, 16384);
	for (size_t i = 0; i < SMPP_PART_N_MAX; i++) {
		if (p->got[i].owned == NULL || (p->got[i].told && !whole))
			continue;
		struct lt_str bytes = { p->got[i].owned, p->got[i].n };
		hash = ltc_hash(hash, bytes);
		decode(s->si->conf.charset, bytes, p->data_coding, &text);
	}
	p->until = SAVING;
	uint32_t slot = (uint32_t)(p - s->parts);
	if (hand_on(s, ltc_z(p->source), ltc_z(p->dest), ltc_buf_str(&text), hash,
		    SMPP_PART_TOKEN | slot) < 0)
		smpp_inbound_saved(s, slot, -1);
}

/* A free one; else the one that was kept the longest. */
static struct smpp_text_part *slot_new(struct smpp_session *s)
{
	struct smpp_text_part *oldest = NULL;

	for (size_t i = 0; i < SMPP_PARTS_MAX; i++) {
		struct smpp_text_part *p = &s->parts[i];
		if (p->until == 0)
			return p;
		if (p->kept && (oldest == NULL || p->until < oldest->until))
			oldest = p;
	}
	if (oldest != NULL)
		smpp_inbound_drop(oldest);
	return oldest;
}

static bool is_part_of(
	const struct smpp_text_part *p, const struct smpp_sm *m, const struct smpp_part *part)
{
	return p->until > 0 && p->part.ref == part->ref && p->part.total == part->total &&
		p->data_coding == m->data_coding && ltc_eqz(m->source, p->source);
}

static struct smpp_text_part *slot_of(struct smpp_session *s, const struct smpp_link *l,
	const struct smpp_sm *m, const struct smpp_part *part)
{
	struct smpp_text_part *p;

	for (size_t i = 0; i < SMPP_PARTS_MAX; i++) {
		p = &s->parts[i];
		if (!is_part_of(p, m, part) || (!p->kept && p->gen != l->gen))
			continue;
		if (!p->kept || !p->got[part->seq - 1].told) {
			p->gen = l->gen;
			return p;
		}
		smpp_inbound_drop(p); /* that part again: the reference has come round */
	}
	if (m->source.n >= sizeof(p->source) || m->dest.n >= sizeof(p->dest))
		return NULL;
	p = slot_new(s);
	if (p == NULL)
		return NULL;
	*p = (struct smpp_text_part){ .until = s->now + PART_WAIT_MS,
		.gen = l->gen,
		.part = { part->ref, part->total, 0 },
		.data_coding = m->data_coding };
	memcpy(p->source, m->source.p, m->source.n);
	memcpy(p->dest, m->dest.p, m->dest.n);
	return p;
}

/* True: it is kept and will be acknowledged with the others. */
static bool part_take(struct smpp_session *s, struct smpp_link *l, const struct smpp_header *h,
	const struct smpp_sm *m, const struct smpp_part *part, struct lt_str bytes)
{
	struct smpp_text_part *p;

	if (part->total > SMPP_PART_N_MAX || h->id != SMPP_DELIVER_SM)
		return false;
	p = slot_of(s, l, m, part);
	if (p == NULL || p->got[part->seq - 1].owned != NULL)
		return false;
	char *owned = malloc(bytes.n + 1);
	if (owned == NULL)
		return false;
	if (bytes.n > 0)
		memcpy(owned, bytes.p, bytes.n);
	p->got[part->seq - 1].owned = owned;
	p->got[part->seq - 1].n = bytes.n;
	p->got[part->seq - 1].seq = h->seq;
	if (p->kept)
		p->until = s->now + PART_WAIT_MS;
	p->kept = false;
	l->acks++;
	if (++p->part.seq == p->part.total)
		parts_go(s, p);
	return true;
}

static bool part_of(const struct smpp_sm *m, struct lt_str *bytes, struct smpp_part *ret)
{
	uint32_t ref, total, seq;
	size_t head;

	if (m->esm_class & 0x40 && smpp_udh_read(*bytes, ret, &head)) {
		*bytes = ltc_from(*bytes, head);
		return ret->total > 1;
	}
	if (smpp_tlv_u(m->tlvs, SMPP_T_SAR_REF, &ref) &&
		smpp_tlv_u(m->tlvs, SMPP_T_SAR_TOTAL, &total) &&
		smpp_tlv_u(m->tlvs, SMPP_T_SAR_SEQ, &seq) && total > 1 && total < 256 && seq > 0 &&
		seq <= total) {
		*ret = (struct smpp_part){ (uint16_t)ref, (uint8_t)total, (uint8_t)seq };
		return true;
	}
	return false;
}

void smpp_inbound(struct smpp_session *s, struct smpp_link *l, const struct smpp_header *h,
	const struct smpp_sm *m)
{
	struct ltc_buf text LTC_CLEANUP_BUF;
	struct lt_str bytes = m->message;
	struct smpp_part part;

	ltc_buf_init(&text, 3 * SMPP_TEXT_BYTES);
	if (bytes.n == 0)
		(void)smpp_tlv_find(m->tlvs, SMPP_T_PAYLOAD, &bytes);
	if (part_of(m, &bytes, &part) && part_take(s, l, h, m, &part, bytes))
		return;
	decode(s->si->conf.charset, bytes, m->data_coding, &text);
	struct lt_str out = ltc_utf8_cut(ltc_buf_str(&text), 65000);
	uint64_t hash = ltc_hash(ltc_hash(LTC_HASH_SEED, m->source), bytes);
	if (hand_on(s, m->source, m->dest, out, hash, smpp_receipt_token(l, h)) < 0)
		smpp_link_ack(l, h->id, SMPP_RX_T_APPN, h->seq);
	else
		l->acks++;
}

void smpp_inbound_due(struct smpp_session *s)
{
	for (size_t i = 0; i < SMPP_PARTS_MAX; i++)
		if (s->parts[i].until > 0 && s->parts[i].until <= s->now) {
			if (s->parts[i].kept)
				smpp_inbound_drop(&s->parts[i]);
			else
				parts_go(s, &s->parts[i]);
		}
}

int64_t smpp_inbound_next(const struct smpp_session *s)
{
	int64_t first = 0;

	for (size_t i = 0; i < SMPP_PARTS_MAX; i++)
		if (s->parts[i].until > 0 && (first == 0 || s->parts[i].until < first))
			first = s->parts[i].until;
	return first;
}

/* Not acknowledged, so the server sends them again on its next link. */
void smpp_inbound_gone(struct smpp_session *s, uint32_t gen)
{
	for (size_t i = 0; i < SMPP_PARTS_MAX; i++)
		if (s->parts[i].until > 0 && !s->parts[i].kept && s->parts[i].gen == gen)
			part_keep(s, &s->parts[i], false);
}
