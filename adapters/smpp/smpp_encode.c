/* smpp_encode.c - one segment of a message as submit_sm: addresses, coding, user data header or TLVs.
 * Thread: loop. Owns: nothing. Failures: -EINVAL when the text or an address does not fit; nothing is cut off. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../common/sms_phone.h"
#include "smpp.h"

#define REF_EVERY_MS 4000

/* Two long texts to one phone do not share a reference within a quarter of an hour (the eight bits of udh8), restarts included: the clock
 * gives it, and where the clock has not gone on since the last one, a counter for each hash of a number does. */
void smpp_encode_refs_start(struct smpp_inst *si, int64_t wall_ms)
{
	for (size_t i = 0; i < SMPP_REF_SLOTS; i++)
		si->refs[i] = (uint16_t)(wall_ms / REF_EVERY_MS - 1);
}

uint16_t smpp_encode_ref(struct smpp_inst *si, struct lt_str dest, int64_t wall_ms)
{
	uint16_t *last = &si->refs[ltc_hash(LTC_HASH_SEED, dest) % SMPP_REF_SLOTS];
	uint16_t by_clock = (uint16_t)(wall_ms / REF_EVERY_MS);
	bool ahead = (uint16_t)(by_clock - *last - 1) < 0x8000;

	*last = ahead ? by_clock : (uint16_t)(*last + 1);
	return *last;
}

static int one_octet(struct lt_str text, uint32_t max_cp, uint8_t *dst, size_t size, size_t *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n;) {
		unsigned char c = (unsigned char)text.p[i++];
		uint32_t cp = c;
		if (c >= 0xc0 && c < 0xe0 && i < text.n)
			cp = (c & 0x1fu) << 6 | ((unsigned char)text.p[i++] & 0x3fu);
		else if (c >= 0x80)
			return -EINVAL;
		if (cp > max_cp || n == size)
			return -EINVAL;
		dst[n++] = (uint8_t)cp;
	}
	*ret = n;
	return 0;
}

static int octets(const struct smpp_conf *f, const struct smpp_msg *m, struct lt_str text,
	uint8_t *dst, size_t size, size_t *ret_n)
{
	if (m->coding == SMS_UCS2)
		return sms_encode_ucs2(text, dst, size, ret_n);
	if (f->charset == SMPP_GSM0338)
		return sms_encode_gsm(text, dst, size, ret_n);
	return one_octet(text, f->charset == SMPP_LATIN1 ? 0xff : 0x7f, dst, size, ret_n);
}

static size_t udh(const struct smpp_conf *f, const struct smpp_msg *m, uint8_t index, uint8_t *dst)
{
	if (m->n < 2 || f->long_mode == SMPP_SAR || f->long_mode == SMPP_PAYLOAD)
		return 0;
	if (f->long_mode == SMPP_UDH16) {
		const uint8_t h[] = { 6, 8, 4, (uint8_t)(m->ref >> 8), (uint8_t)m->ref, m->n,
			(uint8_t)(index + 1) };
		memcpy(dst, h, sizeof(h));
		return sizeof(h);
	}
	const uint8_t h[] = { 5, 0, 3, (uint8_t)m->ref, m->n, (uint8_t)(index + 1) };
	memcpy(dst, h, sizeof(h));
	return sizeof(h);
}

static void validity(const struct smpp_session *s, char *dst, size_t size)
{
	int32_t v = s->si->conf.validity_s;

	dst[0] = 0;
	if (v == 0 || s->no_validity)
		return;
	int days = v / 86400, months = days / 30;
	days %= 30;
	(void)snprintf(dst, size, "00%02d%02d%02d%02d%02d000R", months, days, v / 3600 % 24,
		v / 60 % 60, v % 60);
}

static void tlvs(const struct smpp_conf *f, const struct smpp_seg *g, struct ltc_buf *b)
{
	const struct smpp_msg *m = g->msg;

	smpp_tlv_add_u16(b, SMPP_T_USER_REF, smpp_user_ref(m->attempt, g->index));
	if (m->n > 1 && f->long_mode == SMPP_SAR) {
		smpp_tlv_add_u16(b, SMPP_T_SAR_REF, m->ref);
		smpp_tlv_add_u8(b, SMPP_T_SAR_TOTAL, m->n);
		smpp_tlv_add_u8(b, SMPP_T_SAR_SEQ, (uint8_t)(g->index + 1));
	}
}

/* A text that does not fit short_message, or a route that wants it so. */
static int payload(
	const struct smpp_conf *f, const struct smpp_msg *m, struct lt_str text, struct ltc_buf *b)
{
	size_t n = 0, size = 2 * text.n + 2 < SMPP_TEXT_BYTES ? 2 * text.n + 2 : SMPP_TEXT_BYTES;
	uint8_t *big = malloc(size);
	int rc = big == NULL ? -ENOMEM : octets(f, m, text, big, size, &n);

	if (rc == 0)
		smpp_tlv_add(b, SMPP_T_PAYLOAD, big, n);
	free(big);
	return rc;
}

int smpp_encode_seg(
	struct smpp_session *s, const struct smpp_seg *g, uint32_t seq, struct ltc_buf *out)
{
	const struct smpp_conf *f = &s->si->conf;
	const struct smpp_msg *m = g->msg;
	struct lt_str text = { m->text.p + g->at, g->n };
	uint8_t message[SMPP_SM_MAX];
	char dest[24], until[20];
	size_t head = udh(f, m, g->index, message), n = 0;
	int rc;

	sms_phone_write(
		ltc_z(m->dest), f->national ? SMS_PHONE_0 : SMS_PHONE_84, dest, sizeof(dest));
	validity(s, until, sizeof(until));
	ltc_buf_reset(&s->scratch);
	tlvs(f, g, &s->scratch);
	/* Bytes of UTF-8 are at least as many as septets or code units: what is short in them fits short_message. */
	bool whole = f->long_mode == SMPP_PAYLOAD && g->n > (m->coding == SMS_UCS2 ? 70u : 127u);
	if (whole)
		rc = payload(f, m, text, &s->scratch);
	else
		rc = octets(f, m, text, message + head, sizeof(message) - head, &n);
	if (rc < 0)
		return -EINVAL;
	struct smpp_sm sm = { .service_type = f->service_type,
		.source = f->sender,
		.source_ton = f->source_ton,
		.source_npi = f->source_npi,
		.dest = ltc_z(dest),
		.dest_ton = f->dest_ton,
		.dest_npi = f->dest_npi,
		.esm_class = (uint8_t)(f->esm_class | (head > 0 ? 0x40 : 0)),
		.priority = f->priority && m->urgent ? 3 : 0,
		.validity = ltc_z(until),
		.registered = f->registered,
		.data_coding = (uint8_t)(m->coding | (f->flash ? 0x10 : 0)),
		.message = { (const char *)message, whole ? 0 : head + n },
		.tlvs = ltc_buf_str(&s->scratch) };
	return smpp_write_sm(out, SMPP_SUBMIT_SM, 0, seq, &sm);
}
