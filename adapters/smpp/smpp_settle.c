/* smpp_settle.c - from segments to the outcome of an op, and what a late answer still changes.
 * A text is accepted when every segment is. A part of a text is worse than none, and is neither accepted nor refused: a segment
 * that may come again is sent again behind the accepted ones; else the op is unknown, and its words say which part is out.
 * Thread: loop. Owns: nothing. */
#include <stdio.h>
#include <string.h>
#include "smpp.h"

struct tally {
	uint32_t queued, sent, ok, later, refused, dropped, lost;
	uint32_t status; /* of one that was not taken, and is not sent any more */
	const struct smpp_seg *first_bad;
};

static void count(const struct smpp_msg *m, struct tally *t)
{
	*t = (struct tally){ 0 };
	for (uint8_t i = 0; i < m->n; i++) {
		const struct smpp_seg *g = &m->seg[i];
		switch ((enum smpp_seg_state)g->state) {
		case SMPP_SEG_QUEUED: t->queued++; break;
		case SMPP_SEG_SENT: t->sent++; break;
		case SMPP_SEG_OK: t->ok++; break;
		case SMPP_SEG_LOST: t->lost++; break;
		case SMPP_SEG_BAD:
			if (g->row == NULL)
				t->dropped++;
			if (g->status != 0)
				t->status = g->status;
			if (g->row == NULL)
				break;
			if (g->row->outcome == LT_DEFERRED)
				t->later++;
			else
				t->refused++;
			if (t->first_bad == NULL || t->first_bad->row->outcome == LT_DEFERRED)
				t->first_bad = g;
			break;
		}
	}
}

static size_t ids_of(const struct smpp_msg *m, struct lt_id *ids)
{
	size_t n = 0;

	for (uint8_t i = 0; i < m->n && n < SMPP_SEGMENTS_MAX; i++) {
		const struct smpp_seg *g = &m->seg[i];
		if (g->state == SMPP_SEG_OK)
			ids[n++] = (struct lt_id){ i, LT_ACCEPTED, ltc_z(g->id) };
		else if (m->n > 1)
			ids[n++] = (struct lt_id){ i,
				g->state == SMPP_SEG_LOST ? LT_UNKNOWN : LT_REFUSED, ltc_z("") };
	}
	return n;
}

/* The op's end. A message whose answer may still come lives on without it, within a bound. */
void smpp_msg_finish(struct smpp_session *s, struct smpp_msg *m, const struct lt_result *r)
{
	struct lt_job *job = m->op->job;
	bool late = false;

	m->op->msg = NULL;
	m->op = NULL;
	for (uint8_t i = 0; i < m->n; i++) {
		struct smpp_seg *g = &m->seg[i];
		late |= g->link != NULL;
		if (g->state == SMPP_SEG_QUEUED) {
			smpp_submit_uncount(s, g);
			g->state = SMPP_SEG_BAD;
			g->row = NULL;
		}
	}
	(void)s->host->finish(s->host->ctx, job, r);
	if (r->outcome == LT_UNKNOWN && m->n == 1)
		smpp_orphan_add(s, m->attempt, m->dest);
	m->text = (struct lt_str){ 0 };
	if (!late || r->outcome != LT_UNKNOWN || s->n_late >= SMPP_LATE_MAX)
		smpp_msg_forget(s, m);
	else {
		m->late = true;
		s->n_late++;
	}
}

static void finish_unknown(struct smpp_session *s, struct smpp_msg *m, const struct tally *t)
{
	struct lt_id ids[SMPP_SEGMENTS_MAX];
	char text[200], why[48] = "";
	struct lt_result r = { .struct_size = sizeof(r), .outcome = LT_UNKNOWN };

	if (t->first_bad != NULL && t->first_bad->status != 0)
		smpp_status_text(t->first_bad->status, why, sizeof(why));
	else if (t->status != 0)
		smpp_status_text(t->status, why, sizeof(why));
	/* What stops the account stops it, though this text cannot be put off any more. */
	if (t->first_bad != NULL && t->first_bad->row->outcome == LT_DEFERRED &&
		(t->first_bad->row->scope == LT_SCOPE_ACCOUNT ||
			t->first_bad->row->scope == LT_SCOPE_CHANNEL))
		r.scope = t->first_bad->row->scope;
	if (m->n == 1)
		(void)snprintf(text, sizeof(text), "no answer came, and it may have been taken");
	else
		(void)snprintf(text, sizeof(text),
			"of %u segments %u accepted, %u without an answer, %u not sent, %u refused %s",
			m->n, t->ok, t->lost, t->queued + t->dropped, t->later + t->refused, why);
	r.code = t->lost > 0 ? LTC_LIT("no-answer") : LTC_LIT("part");
	r.text = ltc_z(text);
	r.ids = ids;
	r.n_ids = ids_of(m, ids);
	smpp_msg_finish(s, m, &r);
}

static void finish_bad(struct smpp_session *s, struct smpp_msg *m, const struct smpp_seg *g)
{
	const struct ltc_outcome_row *row = g->row;
	char code[48], text[240];
	struct lt_result r = { .struct_size = sizeof(r),
		.outcome = row->outcome,
		.scope = row->scope,
		.flags = row->flags & 0xffffu,
		.retry_after_ms = row->retry_after_ms };

	if ((row->flags & SMPP_F_SLOW) && s->pace.paused_until > s->now)
		r.retry_after_ms = s->pace.paused_until - s->now;
	if (g->status != 0)
		smpp_status_text(g->status, code, sizeof(code));
	else
		(void)snprintf(code, sizeof(code), "%.*s", (int)row->code.n, row->code.p);
	(void)snprintf(text, sizeof(text), "%.*s", (int)(row->note.n > 200 ? 200 : row->note.n),
		row->note.p == NULL ? "" : row->note.p);
	r.code = ltc_z(code);
	r.text = ltc_z(text);
	s->host->trace(s->host->ctx, m->op->job, 0, r.code);
	smpp_msg_finish(s, m, &r);
}

static void finish_accepted(struct smpp_session *s, struct smpp_msg *m)
{
	struct lt_id ids[SMPP_SEGMENTS_MAX];
	struct lt_result r = { .struct_size = sizeof(r), .outcome = LT_ACCEPTED, .ids = ids };

	r.n_ids = ids_of(m, ids);
	if (m->n == 1 && m->seg[0].id[0] == 0)
		r.n_ids = 0;
	smpp_msg_finish(s, m, &r);
}

void smpp_msg_settle(struct smpp_session *s, struct smpp_msg *m)
{
	struct tally t;

	if (m->op == NULL)
		return;
	if (m->n == 1 && m->seg[0].state == SMPP_SEG_OK) {
		finish_accepted(s, m);
		return;
	}
	count(m, &t);
	if (t.sent > 0)
		return;
	if (t.lost > 0)
		finish_unknown(s, m, &t);
	else if (t.ok == 0 && t.first_bad != NULL)
		finish_bad(s, m, t.first_bad);
	else if (t.refused + t.dropped > 0)
		finish_unknown(s, m, &t);
	else if (t.later > 0) {
		if (s->closing || s->farewell.failed || !smpp_put_off(s, m))
			finish_unknown(s, m, &t);
	} else if (t.queued > 0) {
		if (s->closing || s->farewell.failed)
			finish_unknown(s, m, &t);
	} else
		finish_accepted(s, m);
}

/* An answer after the op had ended as unknown: told as a receipt of that attempt, once all that can be known is. */
void smpp_msg_late(struct smpp_session *s, struct smpp_msg *m)
{
	struct lt_str ids[SMPP_SEGMENTS_MAX];
	struct tally t;
	char code[48] = "0x00";

	for (uint8_t i = 0; i < m->n; i++)
		if (m->seg[i].link != NULL)
			return;
	count(m, &t);
	struct lt_receipt r = { .struct_size = sizeof(r),
		.attempt = m->attempt,
		.recipient = ltc_z(m->dest),
		.text = LTC_LIT("an answer that came late"),
		.ids = ids,
		.at_ms = s->host->wall_ms(s->host->ctx) };
	if (t.ok == m->n)
		r.state = LT_ACCEPTED;
	else if (t.refused == m->n)
		r.state = LT_REFUSED;
	else if (t.later + t.refused == m->n)
		r.state = LT_DEFERRED;
	else
		r.state = LT_UNKNOWN;
	for (uint8_t i = 0; i < m->n && r.state == LT_ACCEPTED; i++)
		ids[r.n_ids++] = ltc_z(m->seg[i].id);
	if (t.first_bad != NULL)
		smpp_status_text(t.first_bad->status, code, sizeof(code));
	r.code = ltc_z(code);
	if (r.state != LT_UNKNOWN)
		(void)s->host->receipt(s->host->ctx, s->job, &r, 0);
	smpp_msg_forget(s, m);
}
