/* smpp_play.h - an SMSC played by a test of the SMPP adapter on the scripted host: PDUs out of what was written, PDUs in.
 * Callbacks of the host only record, so the bodies of the tests may assert. */
#ifndef LANTOA_TESTS_SMPP_PLAY_H
#define LANTOA_TESTS_SMPP_PLAY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/scene_smsc.h"
#include "smpp/smpp_pdu.h"

#define TWO                                                                                     \
	"lantoa-sms 1\ncoding: gsm\nsegments: 2\nunits: 170\ncategory: 2\n\n"                   \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

struct play {
	struct sh *h;
	size_t session, at[SH_STREAMS_MAX]; /* at: how much of each stream was looked at */
};
struct pdu {
	uint32_t length, id, status, seq;
	const char *body;
	size_t n;
	struct smpp_sm sm;
	bool sm_good;
};

static inline struct play *play_new(void)
{
	struct play *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->h = smsc_host();
	return p;
}

static inline void play_free(struct play *p)
{
	assert_int_equal(p->h->misuse, 0);
	sh_free(p->h);
	free(p);
}

/* Next PDU that the adapter wrote on stream i; false: no whole one. */
static inline bool play_next(struct play *p, size_t i, struct pdu *ret)
{
	const struct sh_stream *s = p->h->streams[i];
	struct smpp_header h = { 0 };

	if (s->out.n == p->at[i])
		return false;
	const char *from = s->out.p + p->at[i];
	if (smpp_frame(from, s->out.n - p->at[i], &h) != 1)
		return false;
	p->at[i] += h.length;
	*ret = (struct pdu){ h.length, h.id, h.status, h.seq, from + 16, h.length - 16,
		{ .source_ton = 0 }, false };
	if (h.id == SMPP_SUBMIT_SM)
		ret->sm_good = smpp_read_sm(
				       (struct lt_str){ ret->body, ret->n }, false, &ret->sm) == 0;
	return true;
}

static inline struct pdu play_want(struct play *p, size_t i, uint32_t id)
{
	struct pdu d;

	if (!play_next(p, i, &d))
		fail_msg("no PDU where one of 0x%x is due", id);
	if (d.id != id)
		fail_msg("PDU 0x%x where 0x%x is due", d.id, id);
	return d;
}

static inline size_t play_make(
	char *b, uint32_t id, uint32_t status, uint32_t seq, const char *body, size_t n)
{
	uint32_t v[] = { (uint32_t)n + 16, id, status, seq };

	for (size_t i = 0; i < 16; i++)
		b[i] = (char)(v[i / 4] >> (24 - 8 * (i % 4)));
	if (n > 0)
		memcpy(b + 16, body, n);
	return n + 16;
}

static inline void play_say(struct play *p, size_t i, uint32_t id, uint32_t status, uint32_t seq,
	const char *body, size_t n)
{
	char b[2000];

	sh_data_n(p->h, i, b, play_make(b, id, status, seq, body, n));
}

static inline void play_ok(struct play *p, size_t i, uint32_t seq, const char *message_id)
{
	play_say(p, i, SMPP_SUBMIT_SM | SMPP_RESP, 0, seq, message_id, strlen(message_id) + 1);
}

/* deliver_sm with a report; returns nothing: its answer is looked for by the test. */
static inline size_t play_deliver(char *b, uint32_t seq, uint8_t esm, const char *from,
	const char *text, size_t text_n, const char *tlvs, size_t tlvs_n)
{
	char body[1500];
	size_t n = 0, len = strlen(from) + 1;

	body[n++] = 0;
	body[n++] = 1;
	body[n++] = 1;
	memcpy(body + n, from, len);
	n += len;
	memcpy(body + n, "\5\0BHXH VN", 10);
	n += 10;
	body[n++] = (char)esm;
	memset(body + n, 0, 8);
	body[n + 7] = 0;
	n += 8;
	body[n++] = (char)text_n;
	memcpy(body + n, text, text_n);
	n += text_n;
	if (tlvs_n > 0)
		memcpy(body + n, tlvs, tlvs_n);
	return play_make(b, SMPP_DELIVER_SM, 0, seq, body, n + tlvs_n);
}

static inline void play_report(struct play *p, size_t i, uint32_t seq, const char *text)
{
	char b[2000];

	sh_data_n(p->h, i, b, play_deliver(b, seq, 4, "84910000001", text, strlen(text), NULL, 0));
}

/* Opened, bound: ready for ops on stream 0. */
static inline void play_bind(struct play *p)
{
	assert_int_equal(sh_open(p->h), 0);
	p->session = sh_session(p->h);
	sh_turn(p->h);
	sh_opened(p->h, 0, "");
	struct pdu d = play_want(p, 0, SMPP_BIND_TRX);
	play_say(p, 0, SMPP_BIND_TRX | SMPP_RESP, 0, d.seq, "smsc", 5);
}

static inline struct play *play_bound(void)
{
	struct play *p = play_new();

	play_bind(p);
	return p;
}

static inline size_t play_send(struct play *p, const char *address, const char *body)
{
	size_t i = sh_op(p->h, p->session, address, "ref", body, 0);

	assert_int_equal(sh_start(p->h, i, 1), 0);
	return i;
}

/* How many of n ops ended so. */
static inline uint32_t play_results(struct play *p, size_t first, size_t n, int32_t outcome)
{
	uint32_t k = 0;

	for (size_t i = first; i < first + n; i++)
		k += sh_result(p->h, i)->done && sh_result(p->h, i)->outcome == outcome;
	return k;
}

/* Reports that the host has heard of. */
static inline size_t told(const struct sh *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n_notes && i < SH_NOTES_MAX; i++)
		n += strcmp(h->notes[i].what, "receipt") == 0;
	return n;
}

#endif
