/* smpp_submit.c - messages from ops: parted into segments, sent in order as windows allow, matched with their answers.
 * Each segment has its own number, answer, id and fate. What was handed to the host is known to the byte: when a link goes down,
 * a segment whose last byte did not reach the kernel was not sent; every other one without an answer may have been.
 * Thread: loop. Owns: messages of a session. Failures: -LT_E_CLOSED when ops come to a session that is ending. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "../common/sms_prepare.h"
#include "smpp.h"

#define STREAK_MAX 10u /* in a row: it is not this text */

/* --- queue ------------------------------------------------------------------------------------------------------------------- */
static void queue_push(struct smpp_session *s, struct smpp_msg *m, bool front)
{
	if (m->queued)
		return;
	m->queued = true;
	m->next = front ? s->head : NULL;
	if (front) {
		s->head = m;
		if (s->tail == NULL)
			s->tail = m;
		return;
	}
	if (s->tail != NULL)
		s->tail->next = m;
	else
		s->head = m;
	s->tail = m;
}

static void queue_del(struct smpp_session *s, struct smpp_msg *m)
{
	struct smpp_msg **at = &s->head, *prev = NULL;

	if (!m->queued)
		return;
	while (*at != m) {
		prev = *at;
		at = &(*at)->next;
	}
	*at = m->next;
	if (s->tail == m)
		s->tail = prev;
	m->queued = false;
	m->next = NULL;
}

static void seg_queue(struct smpp_session *s, struct smpp_seg *g, bool front)
{
	g->state = SMPP_SEG_QUEUED;
	g->row = NULL;
	s->n_queued++;
	queue_push(s, g->msg, front);
}

void smpp_submit_again(struct smpp_session *s, struct smpp_seg *g, int64_t at)
{
	seg_queue(s, g, true);
	s->n_queued--;
	s->n_put_off++;
	g->not_before = at;
}

static bool has_queued(const struct smpp_msg *m)
{
	for (uint8_t i = 0; i < m->n; i++)
		if (m->seg[i].state == SMPP_SEG_QUEUED)
			return true;
	return false;
}

/* What may go now; the rest of the queue does not wait for what may not. */
static struct smpp_seg *next_ready(struct smpp_msg *m)
{
	for (uint8_t i = 0; i < m->n && !m->asked; i++)
		if (m->seg[i].state == SMPP_SEG_QUEUED && m->seg[i].not_before == 0)
			return &m->seg[i];
	return NULL;
}

/* --- life of a message ---------------------------------------------------------------------------------------------------------- */
static struct smpp_msg *msg_new(struct smpp_session *s, size_t n)
{
	struct smpp_msg *m = calloc(1, sizeof(*m) + n * sizeof(m->seg[0]));

	if (m == NULL)
		return NULL;
	m->n = (uint8_t)n;
	for (size_t i = 0; i < n; i++) {
		m->seg[i].msg = m;
		m->seg[i].index = (uint8_t)i;
	}
	m->all_next = s->all;
	m->all_at = &s->all;
	if (s->all != NULL)
		s->all->all_at = &m->all_next;
	s->all = m;
	return m;
}

void smpp_msg_forget(struct smpp_session *s, struct smpp_msg *m)
{
	if (m == NULL)
		return;
	for (uint8_t i = 0; i < m->n; i++) {
		if (m->seg[i].state == SMPP_SEG_QUEUED)
			smpp_submit_uncount(s, &m->seg[i]);
		smpp_window_remove(&m->seg[i]);
	}
	queue_del(s, m);
	s->n_late -= m->late;
	*m->all_at = m->all_next;
	if (m->all_next != NULL)
		m->all_next->all_at = m->all_at;
	free(m);
}

bool smpp_submit_open(const struct smpp_session *s)
{
	for (const struct smpp_msg *m = s->all; m != NULL; m = m->all_next)
		if (m->op != NULL)
			return true;
	return false;
}

/* --- start ------------------------------------------------------------------------------------------------------------------- */
static void fill_segments(struct smpp_session *s, struct smpp_msg *m, const struct sms_cut *cut)
{
	for (uint8_t i = 0; i < m->n; i++) {
		m->seg[i].at = cut[i].at;
		m->seg[i].n = cut[i].n;
		seg_queue(s, &m->seg[i], false);
	}
}

static int cut_text(struct smpp_session *s, const struct sms_payload *p, struct sms_cut *cut)
{
	struct sms_budget b = sms_conf_budget(s->inst->conf);

	if (s->si->conf.long_mode == SMPP_PAYLOAD || p->segments == 1) {
		cut[0] = (struct sms_cut){ 0, (uint32_t)p->text.n, p->units };
		return 1;
	}
	return sms_split(p->text, p->coding, &b, 0, cut, SMPP_SEGMENTS_MAX);
}

static int op_take(struct smpp_session *s, struct lt_job *job, const struct lt_work *w)
{
	struct smpp_op *op = job->priv;
	struct sms_cut cut[SMPP_SEGMENTS_MAX];
	struct sms_payload p;
	struct ltc_buf join LTC_CLEANUP_BUF;

	*op = (struct smpp_op){ .job = job, .work = w, .session = s };
	ltc_buf_init(&join, SMS_TEXT_MAX + 4096);
	int rc = sms_payload_of(w, &join, &p);
	if (rc < 0 || (join.n > 0 && p.text.p >= join.p && p.text.p < join.p + join.n))
		return -EINVAL; /* one piece it is; what was joined would be gone after this call */
	int n = cut_text(s, &p, cut);
	if (n <= 0)
		return -EINVAL;
	if (w->address.n < 2 || w->address.n >= sizeof(((struct smpp_msg *)0)->dest))
		return -EINVAL;
	struct smpp_msg *m = msg_new(s, (size_t)n);
	if (m == NULL)
		return -ENOMEM;
	memcpy(m->dest, w->address.p, w->address.n);
	m->op = op;
	op->msg = m;
	m->attempt = w->attempt;
	m->delivery = w->delivery;
	m->text = p.text;
	m->coding = p.coding;
	m->try_no = w->try_no;
	m->urgent = p.category == 1;
	m->ref = n > 1 ? smpp_encode_ref(s->si, w->address, s->host->wall_ms(s->host->ctx)) : 0;
	fill_segments(s, m, cut);
	return 0;
}

static void op_refuse(struct smpp_session *s, struct lt_job *job, int rc)
{
	const struct ltc_outcome_row *row = smpp_status_word(s->si->outcomes, "unfit");
	struct lt_result r = { .struct_size = sizeof(r),
		.outcome = rc == -ENOMEM ? LT_DEFERRED : row->outcome,
		.scope = rc == -ENOMEM ? LT_SCOPE_ACCOUNT : row->scope,
		.flags = rc == -ENOMEM ? LT_R_FREE : row->flags & 0xffffu,
		.code = rc == -ENOMEM ? LTC_LIT("memory") : LTC_LIT("text"),
		.text = rc == -ENOMEM ? LTC_LIT("out of memory") : row->note };

	((struct smpp_op *)job->priv)->msg = NULL;
	(void)s->host->finish(s->host->ctx, job, &r);
}

int smpp_op_start(struct lt_inst *inst, struct lt_job *const *jobs,
	const struct lt_work *const *works, size_t n)
{
	const struct smpp_session_ref *ref = jobs[0]->session == NULL ? NULL
								      : jobs[0]->session->priv;
	struct smpp_session *s = ref == NULL ? NULL : ref->s;

	(void)inst;
	if (s == NULL || s->closing || s->farewell.failed)
		return -LT_E_CLOSED;
	s->now = s->host->mono_ms(s->host->ctx);
	for (size_t i = 0; i < n; i++) {
		s->told_slots -= s->told_slots > 0; /* the host counts down as well */
		int rc = op_take(s, jobs[i], works[i]);
		if (rc < 0)
			op_refuse(s, jobs[i], rc);
	}
	return 0;
}

/* --- sending ------------------------------------------------------------------------------------------------------------------- */
/* False: it cannot be encoded, and its message has been told so. */
static bool send_one(struct smpp_session *s, struct smpp_link *l, struct smpp_seg *g)
{
	struct smpp_msg *m = g->msg;
	uint32_t seq = smpp_link_seq(l);
	int rc = smpp_encode_seg(s, g, seq, &l->out);

	s->n_queued--;
	if (rc == 0) {
		g->seq = seq;
		rc = smpp_window_put(l, g);
	}
	if (rc < 0) {
		g->state = SMPP_SEG_BAD;
		g->row = smpp_status_word(s->si->outcomes, rc == -EINVAL ? "unfit" : "lost");
		if (rc != -EINVAL)
			smpp_link_reset(s, l, "out of memory");
		return false;
	}
	g->state = SMPP_SEG_SENT;
	g->timed = s->si->conf.validity_s > 0 && !s->no_validity;
	g->nth = ++l->sent_n;
	if (s->pace.window > 1 && l->window.n >= s->pace.window)
		l->full_n = g->nth;
	g->sent_at = s->now;
	g->end = UINT64_MAX; /* until the host has it */
	l->jobs[l->n_batch] = m->op->job;
	l->batch[l->n_batch] = g;
	l->batch_end[l->n_batch++] = (uint32_t)l->out.n;
	smpp_pace_sent(s);
	return true;
}

static void pump_link(struct smpp_session *s, struct smpp_link *l)
{
	uint32_t room = smpp_pace_room(s, l);
	struct smpp_msg *m = s->head;

	while (room > 0 && m != NULL && smpp_link_sends(l) && !l->blocked) {
		struct smpp_msg *next = m->next;
		struct smpp_seg *g = next_ready(m);
		if (g != NULL && !send_one(s, l, g)) {
			smpp_msg_settle(s, m);
			m = s->head; /* that one may be gone, and more with it */
			continue;
		}
		room -= g != NULL;
		if (!has_queued(m))
			queue_del(s, m);
		if (l->n_batch == SMPP_BATCH_MAX) {
			smpp_link_flush(s, l);
			m = s->head;
		} else if (g == NULL || !m->queued)
			m = next;
	}
}

/* Binds take turns, so that none is always the first. */
void smpp_submit_pump(struct smpp_session *s)
{
	smpp_put_off_due(s);
	for (uint32_t i = 0; i < s->n_links && s->head != NULL && !s->farewell.failed; i++) {
		struct smpp_link *l = &s->links[(s->next_link + i) % s->n_links];
		if (smpp_link_sends(l) && !l->blocked)
			pump_link(s, l);
	}
	s->next_link = (s->next_link + 1) % s->n_links;
}

/* What was gathered for a write that the host does not take goes back to the front, in order. */
void smpp_submit_unbatch(struct smpp_session *s, struct smpp_link *l)
{
	while (l->n_batch > 0) {
		struct smpp_seg *g = l->batch[--l->n_batch];
		smpp_window_remove(g);
		seg_queue(s, g, true);
	}
	ltc_buf_reset(&l->out);
}

/* --- answers ------------------------------------------------------------------------------------------------------------------- */
static void id_keep(struct smpp_session *s, struct smpp_seg *g, struct lt_str id)
{
	if (id.n >= sizeof(g->id) || ltc_has_control(id)) {
		smpp_session_log(s, 4,
			"an id of %zu bytes that cannot be kept: its reports will not be matched",
			id.n);
		id.n = 0;
	}
	if (id.n > 0)
		memcpy(g->id, id.p, id.n);
	if (id.n > 1 && id.n < 64 && id.p[0] == '0')
		s->id_lens |= UINT64_C(1) << id.n;
	g->id[id.n] = 0;
	if (id.n > 0)
		smpp_learn_answer(s, ltc_z(g->msg->dest), ltc_z(g->id));
	if (id.n > 0)
		return;
	s->host->metric(s->host->ctx, s->job, LTC_LIT("answers_without_id"), 1);
	if (!s->said_no_id)
		smpp_session_log(
			s, 4, "the server accepts without an id: its reports will not be matched");
	s->said_no_id = true;
}

/* 0x45 for a segment that was in a full window says the same as 0x14 (contract 2.3): more than this server takes at once. Of a burst it
 * refuses all but the first few, not only the last. */
static const struct ltc_outcome_row *row_of(
	struct smpp_session *s, const struct smpp_link *l, const struct smpp_seg *g)
{
	const struct ltc_outcomes *t = s->si->outcomes;
	bool full = g->nth <= l->full_n;
	uint32_t status = g->status == SMPP_RSUBMITFAIL && full ? SMPP_RMSGQFUL : g->status;
	const struct ltc_outcome_row *row = smpp_status_row(t, "submit", status, UINT32_MAX);
	const struct ltc_outcome_row *first = smpp_status_row(t, "submit", status, 1);

	if (row != first) /* the table counts tries */
		row = smpp_status_row(t, "submit", status, smpp_tries_count(s->si, g->msg, status));
	if (g->timed &&
		(first->flags & SMPP_F_NO_VALIDITY)) /* not about the text, whatever its tries */
		row = first;
	if (row->flags & SMPP_F_STREAK && ++s->streak >= STREAK_MAX)
		row = smpp_status_all(t, status);
	return row;
}

static void on_bad(struct smpp_session *s, struct smpp_link *l, struct smpp_seg *g)
{
	g->state = SMPP_SEG_BAD;
	g->row = row_of(s, l, g);
	if (g->row->flags & SMPP_F_SLOW)
		(void)smpp_pace_slow(
			s, g->sent_at, g->status == SMPP_RSUBMITFAIL ? SMPP_RMSGQFUL : g->status);
	if (g->row->flags & SMPP_F_NO_VALIDITY)
		s->no_validity = true;
	if (g->row->flags & SMPP_F_ALERT)
		smpp_session_log(s, 3, "status 0x%02X: %.*s", g->status, (int)g->row->note.n,
			g->row->note.p);
	if (g->row->flags & SMPP_F_REBIND)
		smpp_link_drain(s, l, "the server says that we are not bound");
}

void smpp_submit_answer(struct smpp_session *s, struct smpp_link *l, const struct smpp_header *h,
	struct lt_str body, bool nack)
{
	struct smpp_seg *g = smpp_window_find(l, h->seq);
	struct lt_str id, tlvs;
	uint32_t congestion = 0;

	/* A number that is not under way, or whose question has not left yet: a peer that guesses. */
	if (g == NULL || (g->state == SMPP_SEG_SENT && g->end == UINT64_MAX)) {
		s->host->metric(s->host->ctx, s->job, LTC_LIT("answers_unmatched"), 1);
		return;
	}
	smpp_window_remove(g);
	l->expiries = 0;
	smpp_read_resp(body, &id, &tlvs);
	g->status = nack && h->status == 0 ? SMPP_RINVCMDID : h->status;
	(void)smpp_tlv_u(tlvs, SMPP_T_CONGESTION, &congestion);
	char dest[sizeof(g->msg->dest)], keep[SMPP_ID_MAX] = "";
	memcpy(dest, g->msg->dest, sizeof(dest));
	if (g->status == 0) {
		g->state = SMPP_SEG_OK;
		s->streak = 0;
		id_keep(s, g, id);
		memcpy(keep, g->id, sizeof(keep));
		smpp_pace_good(s, congestion);
	} else
		on_bad(s, l, g);
	if (g->msg->op == NULL)
		smpp_msg_late(s, g->msg);
	else
		smpp_msg_settle(s, g->msg);
	if (keep[0] != 0) /* behind its outcome: a report that waited for it fits now */
		smpp_early_answered(s, ltc_z(dest), ltc_z(keep));
}

/* No answer in time: it may have been taken. Its number is kept, so that a late answer still settles it. */
void smpp_submit_expired(struct smpp_session *s, struct smpp_seg *g)
{
	g->state = SMPP_SEG_LOST;
	smpp_window_late(g->link, g);
	s->host->metric(s->host->ctx, s->job, LTC_LIT("answers_late"), 1);
	smpp_msg_settle(s, g->msg);
}

/* The link is gone, and so many bytes of what was written had reached the kernel. */
void smpp_submit_lost(struct smpp_session *s, struct smpp_link *l, uint64_t flushed)
{
	struct smpp_seg *g;

	while ((g = l->late.head) != NULL) { /* no answer can come any more */
		struct smpp_msg *m = g->msg;
		smpp_window_remove(g);
		if (m->op != NULL)
			continue;
		bool more = false;
		for (uint8_t i = 0; i < m->n; i++)
			more |= m->seg[i].link != NULL;
		if (!more)
			smpp_msg_forget(s, m);
	}
	while ((g = l->window.head) != NULL) {
		bool unsent = g->end > flushed;
		smpp_window_remove(g);
		g->state = unsent ? SMPP_SEG_BAD : SMPP_SEG_LOST;
		g->status = 0;
		g->row = unsent ? smpp_status_word(s->si->outcomes, "lost") : NULL;
		smpp_msg_settle(s, g->msg);
	}
	l->n_batch = 0;
	ltc_buf_reset(&l->out);
}

/* --- stops --------------------------------------------------------------------------------------------------------------------- */
static bool begun(const struct smpp_msg *m)
{
	for (uint8_t i = 0; i < m->n; i++)
		if (m->seg[i].state != SMPP_SEG_QUEUED)
			return true;
	return false;
}

void smpp_submit_stop(struct smpp_session *s, const struct lt_result *r)
{
	struct smpp_msg *m = s->head, *next;

	for (; m != NULL; m = next) {
		next = m->next;
		if (!begun(m))
			smpp_msg_finish(s, m, r);
		else
			smpp_msg_settle(s, m);
	}
}

/* Segments in the output that the host has not taken are no longer ours to send; the link's output is made anew. */
static void ungather(struct smpp_session *s, struct smpp_msg *m)
{
	for (uint8_t i = 0; i < m->n; i++) {
		struct smpp_link *l = m->seg[i].link;
		if (m->seg[i].state == SMPP_SEG_SENT && m->seg[i].end == UINT64_MAX && l != NULL)
			smpp_submit_unbatch(s, l);
	}
}

/* A stop: what has not left does not; behind that only the answer can tell, for as long as there is time for one. */
int smpp_op_event(struct lt_job *job, const struct lt_event *ev)
{
	struct smpp_op *op = job->priv;
	struct smpp_session *s = op->session;
	struct smpp_msg *m = op->msg;
	bool open = false, queued = false;

	if (ev->type == LT_EV_GO && m != NULL)
		m->asked = false; /* the end of the turn follows */
	if (ev->type != LT_EV_CANCEL || m == NULL)
		return 0;
	s->now = s->host->mono_ms(s->host->ctx);
	ungather(s, m);
	bool late = op->work->deadline_ms > 0 && s->now >= op->work->deadline_ms - 50;
	if (!begun(m)) {
		const struct ltc_outcome_row *row = smpp_status_word(s->si->outcomes, "stopped");
		struct lt_result r = { .struct_size = sizeof(r),
			.outcome = LT_DEFERRED,
			.scope = row->scope,
			.flags = row->flags & 0xffffu,
			.code = LTC_LIT("stopped"),
			.text = row->note };
		smpp_msg_finish(s, m, &r);
		return 0;
	}
	for (uint8_t i = 0; i < m->n; i++) {
		struct smpp_seg *g = &m->seg[i];
		queued |= g->state == SMPP_SEG_QUEUED;
		if (g->state == SMPP_SEG_QUEUED) { /* never sent now: the rest decides */
			smpp_submit_uncount(s, g);
			g->state = SMPP_SEG_BAD;
			g->row = NULL;
		}
		if (late && g->state == SMPP_SEG_SENT) {
			g->state = SMPP_SEG_LOST;
			smpp_window_late(g->link, g);
		}
		open |= g->state == SMPP_SEG_SENT;
	}
	queue_del(s, m);
	if (!open || late || queued)
		smpp_msg_settle(s, m);
	return 0;
}
