/* smpp_input.c - bytes from the SMSC to PDUs, and PDUs to what they concern.
 * A PDU may come in any number of pieces, and many in one. A length that cannot be means that the stream is lost: the peer is
 * told once, and the connection is made anew. Requests that are not known are answered, answers that are not are ignored.
 * Thread: loop. Owns: nothing. */
#include <stdio.h>
#include <string.h>
#include "smpp.h"

static void nack(struct smpp_session *s, struct smpp_link *l, uint32_t status, uint32_t seq)
{
	s->host->metric(s->host->ctx, s->job, LTC_LIT("nacks_sent"), 1);
	if (smpp_write_empty(&l->ctl, SMPP_GENERIC_NACK, status, seq) < 0)
		l->ctl.failed = true;
}

static void bind_refused(struct smpp_session *s, struct smpp_link *l, uint32_t status)
{
	char word[48], why[80];

	smpp_status_text(status, word, sizeof(word));
	(void)snprintf(why, sizeof(why), "bind refused: %s", word);
	l->refused = true;
	l->bind_status = status;
	smpp_link_reset(s, l, why);
}

static void on_bind_answer(struct smpp_session *s, struct smpp_link *l, const struct smpp_header *h)
{
	if (l->state != SMPP_L_BINDING)
		return;
	if (h->status != 0) {
		bind_refused(s, l, h->status);
		return;
	}
	l->state = SMPP_L_BOUND;
	l->deadline = 0;
	l->bound_at = s->now;
	smpp_session_log(s, 6, "bound as %s",
		l->role == SMPP_ROLE_TRX          ? "transceiver"
			: l->role == SMPP_ROLE_TX ? "transmitter"
						  : "receiver");
	s->host->metric(s->host->ctx, s->job, LTC_LIT("binds"), 1);
}

/* One with a number that is under way refuses that request; any other one means that the two sides have lost each other. */
static void on_nack(struct smpp_session *s, struct smpp_link *l, const struct smpp_header *h,
	struct lt_str body)
{
	if (l->state == SMPP_L_BINDING) {
		bind_refused(s, l, h->status == 0 ? SMPP_RINVCMDID : h->status);
	} else if (l->enquired_at > 0 && h->seq == l->enquire_seq)
		l->enquired_at = 0; /* alive, if not polite */
	else if (smpp_window_find(l, h->seq) != NULL)
		smpp_submit_answer(s, l, h, body, true);
	else
		smpp_link_reset(s, l, "generic_nack without a request of ours");
}

static void on_unbind(struct smpp_session *s, struct smpp_link *l, const struct smpp_header *h)
{
	if (smpp_write_empty(&l->ctl, SMPP_UNBIND | SMPP_RESP, 0, h->seq) < 0)
		l->ctl.failed = true;
	l->unbound_by_peer = true;
	smpp_link_drain(s, l, "unbound by the server");
}

static void on_answer(struct smpp_session *s, struct smpp_link *l, const struct smpp_header *h,
	struct lt_str body)
{
	switch (h->id & ~SMPP_RESP) {
	case SMPP_BIND_RX:
	case SMPP_BIND_TX:
	case SMPP_BIND_TRX: on_bind_answer(s, l, h); break;
	case SMPP_SUBMIT_SM:
	case SMPP_DATA_SM: smpp_submit_answer(s, l, h, body, false); break;
	case SMPP_ENQUIRE_LINK:
		if (h->seq == l->enquire_seq)
			l->enquired_at = 0;
		break;
	case SMPP_UNBIND:
		if (l->state == SMPP_L_UNBINDING)
			l->deadline = s->now; /* closed at the end of this turn */
		break;
	default: s->host->metric(s->host->ctx, s->job, LTC_LIT("answers_unmatched"), 1); break;
	}
}

static void on_request(struct smpp_session *s, struct smpp_link *l, const struct smpp_header *h,
	struct lt_str body)
{
	switch (h->id) {
	case SMPP_DELIVER_SM:
	case SMPP_DATA_SM: smpp_deliver(s, l, h, body); break;
	case SMPP_ENQUIRE_LINK:
		if (smpp_write_empty(&l->ctl, SMPP_ENQUIRE_LINK | SMPP_RESP, 0, h->seq) < 0)
			l->ctl.failed = true;
		break;
	case SMPP_UNBIND: on_unbind(s, l, h); break;
	case SMPP_OUTBIND:
	case SMPP_ALERT: break; /* these have no answer */
	default: nack(s, l, SMPP_RINVCMDID, h->seq); break;
	}
}

static void on_pdu(
	struct smpp_session *s, struct smpp_link *l, const struct smpp_header *h, const char *p)
{
	struct lt_str body = { p + SMPP_HEADER, h->length - SMPP_HEADER };

	if (h->id == SMPP_GENERIC_NACK)
		on_nack(s, l, h, body);
	else if (h->id & SMPP_RESP)
		on_answer(s, l, h, body);
	else
		on_request(s, l, h, body);
}

static void stream_lost(struct smpp_session *s, struct smpp_link *l)
{
	nack(s, l, SMPP_RINVCMDLEN, 0);
	smpp_link_close(s, l, "a PDU of an impossible length: the stream is lost");
}

/* Whole PDUs at the start of n bytes; returns how many bytes they have. */
static size_t eat(struct smpp_session *s, struct smpp_link *l, const char *p, size_t n)
{
	size_t at = 0;

	while (l->state != SMPP_L_CLOSING && l->state != SMPP_L_DOWN) {
		struct smpp_header h = { 0 };
		int rc = smpp_frame(p + at, n - at, &h);
		if (rc < 0) {
			stream_lost(s, l);
			return n;
		}
		if (rc == 0)
			return at;
		on_pdu(s, l, &h, p + at);
		at += h.length;
	}
	return n;
}

void smpp_link_input(struct smpp_session *s, struct smpp_link *l, struct lt_str data)
{
	while (data.n > 0 && l->in.n > 0) { /* the rest of one that had begun, no more than that */
		struct smpp_header h = { 0 };
		size_t want = 1;
		if (smpp_frame(l->in.p, l->in.n, &h) >= 0 && l->in.n >= SMPP_HEADER)
			want = h.length - l->in.n;
		else if (l->in.n < SMPP_HEADER)
			want = SMPP_HEADER - l->in.n;
		size_t n = data.n < want ? data.n : want;
		ltc_add(&l->in, data.p, n);
		data = ltc_from(data, n);
		if (l->in.failed) {
			smpp_link_reset(s, l, "out of memory");
			return;
		}
		if (eat(s, l, l->in.p, l->in.n) > 0)
			ltc_buf_reset(&l->in);
	}
	if (data.n == 0 || l->state == SMPP_L_CLOSING || l->state == SMPP_L_DOWN)
		return;
	size_t eaten = eat(s, l, data.p, data.n);
	if (eaten < data.n)
		ltc_add(&l->in, data.p + eaten, data.n - eaten);
	if (l->in.failed)
		smpp_link_reset(s, l, "out of memory");
}
