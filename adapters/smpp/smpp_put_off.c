/* smpp_put_off.c - segments that the server put off while another one of their text is out: when they go again (contract 1.5).
 * A row's own pause counts; where it has none, 1 s doubling. What is told to go slower waits for the pace, and spends nothing. While a segment
 * waits it takes no place in the window and holds up no other text. Before it goes the host is asked: a stop, or the end of the
 * allowed hours, may have come meanwhile.
 * Thread: loop. Owns: nothing. Limits: SMPP_RESEND_MAX of what spends a try; the op's deadline for all. */
#include "smpp.h"

#define WAIT_MIN_MS 1000
#define WAIT_MAX_MS 60000

/* So many put-off segments are counted apart: they are not what waits for room. */
void smpp_submit_uncount(struct smpp_session *s, struct smpp_seg *g)
{
	if (g->not_before > 0)
		s->n_put_off--;
	else
		s->n_queued--;
	g->not_before = 0;
}

static int64_t pause_of(const struct smpp_session *s, const struct smpp_seg *g)
{
	int64_t left = s->pace.paused_until - s->now, wait = WAIT_MIN_MS;

	if (g->row->retry_after_ms > 0)
		return g->row->retry_after_ms;
	if (g->row->flags & SMPP_F_SLOW)
		return left > 0 ? left : 1;
	for (uint8_t i = 0; i < g->rounds && wait < WAIT_MAX_MS; i++)
		wait *= 2;
	return wait < WAIT_MAX_MS ? wait : WAIT_MAX_MS;
}

static bool spends(const struct smpp_seg *g)
{
	return (g->row->flags & (LT_R_FREE | SMPP_F_SLOW)) == 0;
}

/* A row for a person is no matter of time. */
static bool may_go_again(const struct smpp_session *s, const struct smpp_seg *g)
{
	int64_t deadline = g->msg->op->work->deadline_ms;

	if (g->row->flags & LT_R_PERSON || (spends(g) && g->resends >= SMPP_RESEND_MAX))
		return false;
	return deadline == 0 || s->now + pause_of(s, g) < deadline;
}

bool smpp_put_off(struct smpp_session *s, struct smpp_msg *m)
{
	for (uint8_t i = 0; i < m->n; i++) {
		const struct smpp_seg *g = &m->seg[i];
		if (g->state == SMPP_SEG_BAD && g->row != NULL && !may_go_again(s, g))
			return false;
	}
	for (uint8_t i = 0; i < m->n; i++) {
		struct smpp_seg *g = &m->seg[i];
		if (g->state != SMPP_SEG_BAD || g->row == NULL)
			continue;
		int64_t wait = pause_of(s, g);
		if (spends(g))
			g->resends++; /* SMPP_RESEND_MAX at most */
		if (g->rounds < UINT8_MAX)
			g->rounds++;
		smpp_submit_again(s, g, s->now + wait);
	}
	return true;
}

static void ask(struct smpp_session *s, struct smpp_msg *m)
{
	m->asked = true;
	if (s->host->intent(s->host->ctx, m->op->job, (struct lt_str){ "", 0 }, 0) >= 0)
		return;
	m->asked = false; /* stopped: what is queued of it is not sent, and the rest decides */
	for (uint8_t i = 0; i < m->n; i++) {
		struct smpp_seg *g = &m->seg[i];
		if (g->state != SMPP_SEG_QUEUED)
			continue;
		smpp_submit_uncount(s, g);
		g->state = SMPP_SEG_BAD;
		g->row = NULL;
	}
	smpp_msg_settle(s, m);
}

static bool sends(const struct smpp_session *s)
{
	for (uint32_t i = 0; i < s->n_links; i++)
		if (smpp_link_sends(&s->links[i]) && !s->links[i].blocked)
			return true;
	return false;
}

/* Only when it could go at once: what the host allows now it may stop a moment later. */
void smpp_put_off_due(struct smpp_session *s)
{
	struct smpp_msg *m = s->head, *next;

	if (s->n_put_off == 0 || s->now < s->pace.paused_until || !sends(s))
		return;
	for (; m != NULL && s->n_put_off > 0; m = next) {
		bool due = false;
		next = m->next;
		for (uint8_t i = 0; i < m->n && !m->asked; i++) {
			struct smpp_seg *g = &m->seg[i];
			if (g->state != SMPP_SEG_QUEUED || g->not_before == 0 ||
				g->not_before > s->now)
				continue;
			g->not_before = 0;
			s->n_put_off--;
			s->n_queued++;
			due = true;
		}
		if (due)
			ask(s, m);
	}
}

int64_t smpp_put_off_next(const struct smpp_session *s)
{
	int64_t first = 0;

	for (const struct smpp_msg *m = s->n_put_off > 0 ? s->head : NULL; m != NULL; m = m->next)
		for (uint8_t i = 0; i < m->n; i++) {
			const struct smpp_seg *g = &m->seg[i];
			if (g->state == SMPP_SEG_QUEUED && g->not_before > s->now)
				ltc_alarm_sooner(&first, g->not_before);
		}
	return first;
}
