/* smpp_session.c - the session of an SMPP account: its binds, one clock, the end of every turn.
 * As long as one bind that may send works, or worked and is being made anew, the session stays. When none can be made it ends with
 * what the server said, and the host starts the next one in its own time; so the operator sees the reason.
 * At a stop: nothing new, answers are awaited, then unbind and close.
 * Thread: loop. Owns: links, messages, parts. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "smpp.h"

#define WAKE_TOKEN  1
#define ACK_WAIT_MS 3000 /* at a stop: for receipts that are being stored */

void smpp_session_log(struct smpp_session *s, uint32_t level, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s->host->log(s->host->ctx, s->job, level, ltc_z(text));
}

/* One that may send, or is about to: a receiver alone carries no text. */
static bool any_sender_alive(const struct smpp_session *s)
{
	for (uint32_t i = 0; i < s->n_links; i++)
		if (s->links[i].role != SMPP_ROLE_RX && s->links[i].state != SMPP_L_DOWN &&
			s->links[i].state != SMPP_L_CLOSING)
			return true;
	return false;
}

/* The table's word about why there is no bind, as the end of the session. */
static void fail(struct smpp_session *s, const struct smpp_link *l)
{
	const struct ltc_outcome_row *row = l->refused
		? smpp_status_row(s->si->outcomes, "bind", l->bind_status, 1)
		: smpp_status_word(s->si->outcomes, "connect");

	struct lt_result r = { .struct_size = sizeof(r),
		.outcome = LT_DEFERRED,
		.scope = row->scope,
		.flags = row->flags & 0xffffu,
		.retry_after_ms = row->retry_after_ms };
	char code[24] = "connect", text[240];

	if (l->refused) {
		smpp_status_text(l->bind_status, code, sizeof(code));
		(void)snprintf(text, sizeof(text), "bind: %.*s",
			(int)(row->note.n > 180 ? 180 : row->note.n), row->note.p);
	} else {
		(void)snprintf(text, sizeof(text), "%s",
			l->why[0] == 0 ? "no connection to the server" : l->why);
	}
	ltc_farewell_say(&s->farewell, &r, code, text);
	r = ltc_farewell_result(&s->farewell);
	s->settled_at = s->now;
	smpp_submit_stop(s, &r);
}

void smpp_session_link_down(struct smpp_session *s, struct smpp_link *l, bool was_bound)
{
	uint32_t level = 4;

	if (l->refused) {
		const struct ltc_outcome_row *row = smpp_status_row(
			s->si->outcomes, "bind", l->bind_status, 1);
		if (s->now + row->retry_after_ms > l->retry_at)
			l->retry_at = s->now + row->retry_after_ms;
		if (row->flags & SMPP_F_ALERT)
			level = 3;
	}
	smpp_session_log(s, level, "link down: %s%s; next try in %lld ms",
		l->role == SMPP_ROLE_RX ? "receiver: " : "", l->why[0] == 0 ? "closed" : l->why,
		(long long)(l->retry_at - s->now));
	s->host->metric(s->host->ctx, s->job, LTC_LIT("links_lost"), 1);
	if (!was_bound && !s->farewell.failed && !any_sender_alive(s))
		fail(s, l);
}

static void open_links(struct smpp_session *s)
{
	for (uint32_t i = 0; i < s->n_links && !s->farewell.failed; i++) {
		struct smpp_link *l = &s->links[i];
		l->retry_at = s->now;
		smpp_link_due(s, l);
	}
}

static int memory(struct smpp_session *s)
{
	s->links = calloc(s->n_links, sizeof(*s->links));
	s->parts = calloc(SMPP_PARTS_MAX, sizeof(*s->parts));
	s->held = calloc(SMPP_HELD, sizeof(*s->held));
	return !smpp_learn_init(s) || s->held == NULL || s->links == NULL || s->parts == NULL
		? -LT_E_FULL
		: 0;
}

/* One a job; the oldest of a full table was cut off by the host long ago. */
static struct smpp_session *session_new(struct smpp_inst *si)
{
	size_t at = 0;

	if (si->sessions[SMPP_SESSIONS_MAX - 1] != NULL)
		smpp_session_free(si->sessions[0]);
	struct smpp_session *s = calloc(1, sizeof(*s));
	while (s != NULL && si->sessions[at] != NULL)
		at++;
	if (s == NULL)
		return NULL;
	s->si = si;
	si->sessions[at] = s;
	return s;
}

int smpp_session_start(struct lt_inst *inst, struct lt_job *job)
{
	struct smpp_session_ref *ref = job->priv;
	struct smpp_inst *si = inst->priv;
	struct smpp_session *s = session_new(si);

	if (s == NULL)
		return -LT_E_FULL;
	s->inst = inst;
	s->host = inst->host;
	s->job = job;
	s->n_links = si->conf.binds * (si->conf.mode == SMPP_TX_RX ? 2 : 1);
	ltc_buf_init(&s->scratch, SMPP_PDU_MAX);
	if (memory(s) < 0) {
		smpp_session_free(s);
		return -LT_E_FULL;
	}
	ref->s = s;
	s->now = s->host->mono_ms(s->host->ctx);
	smpp_pace_init(s);
	for (uint32_t i = 0; i < s->n_links; i++)
		s->links[i].role = si->conf.mode == SMPP_TRANSCEIVER ? SMPP_ROLE_TRX
			: i % 2 == 0                                 ? SMPP_ROLE_TX
								     : SMPP_ROLE_RX;
	open_links(s);
	return 0; /* the end of the turn follows */
}

void smpp_session_free(struct smpp_session *s)
{
	struct smpp_session **list = s->si->sessions;
	size_t at = 0;

	while (at < SMPP_SESSIONS_MAX && list[at] != s)
		at++;
	for (; at + 1 < SMPP_SESSIONS_MAX; at++)
		list[at] = list[at + 1];
	list[SMPP_SESSIONS_MAX - 1] = NULL;
	while (s->all != NULL)
		smpp_msg_forget(s, s->all);
	for (uint32_t i = 0; s->links != NULL && i < s->n_links; i++)
		smpp_link_done(&s->links[i]);
	for (uint32_t i = 0; s->parts != NULL && i < SMPP_PARTS_MAX; i++)
		smpp_inbound_drop(&s->parts[i]);
	free(s->links);
	free(s->held);
	smpp_learn_done(s);
	free(s->parts);
	ltc_buf_done(&s->scratch);
	free(s);
}

static void arm(struct smpp_session *s)
{
	int64_t first = 0;

	for (uint32_t i = 0; i < s->n_links; i++)
		ltc_alarm_sooner(&first, smpp_link_next(s, &s->links[i]));
	ltc_alarm_sooner(&first, smpp_pace_next(s));
	ltc_alarm_sooner(&first, smpp_put_off_next(s));
	ltc_alarm_sooner(&first, smpp_inbound_next(s));
	ltc_alarm_sooner(&first, smpp_early_next(s));
	if ((s->closing || s->farewell.failed) &&
		s->now - s->settled_at < ACK_WAIT_MS) /* behind it, answers end the wait */
		ltc_alarm_sooner(&first, s->settled_at + ACK_WAIT_MS);
	ltc_alarm_set(&s->alarm, s->host, s->job, first, WAKE_TOKEN);
}

/* At a stop or a failure: answers first, then receipts that are being stored, then unbind. */
static void close_links(struct smpp_session *s)
{
	for (uint32_t i = 0; i < s->n_links; i++) {
		struct smpp_link *l = &s->links[i];
		if (l->state == SMPP_L_OPENING || l->state == SMPP_L_BINDING)
			smpp_link_reset(s, l, "stopped");
		if (l->state != SMPP_L_BOUND || l->window.n > 0 || l->n_batch > 0)
			continue;
		if (l->acks == 0 || s->now - s->settled_at >= ACK_WAIT_MS)
			smpp_link_unbind(s, l);
	}
}

static bool all_down(const struct smpp_session *s)
{
	for (uint32_t i = 0; i < s->n_links; i++)
		if (s->links[i].state != SMPP_L_DOWN)
			return false;
	return true;
}

static void end(struct smpp_session *s)
{
	struct ltc_farewell farewell = s->farewell;
	const struct lt_host *h = s->host;
	struct lt_job *job = s->job;
	struct smpp_session_ref *ref = job->priv;

	ref->s = NULL;
	smpp_session_free(s);
	ltc_farewell_finish(farewell, h, job);
}

/* The end of every turn. The session may be gone when it returns. */
static void settle(struct smpp_session *s)
{
	bool ending = s->closing || s->farewell.failed;

	for (uint32_t i = 0; i < s->n_links; i++)
		smpp_link_due(s, &s->links[i]);
	if (!ending)
		smpp_submit_pump(s);
	else
		close_links(s);
	for (uint32_t i = 0; i < s->n_links; i++)
		smpp_link_flush(s, &s->links[i]);
	smpp_pace_slots(s);
	if ((s->closing || s->farewell.failed) && all_down(s) && !smpp_submit_open(s)) {
		end(s);
		return;
	}
	arm(s);
}

static void on_stop(struct smpp_session *s)
{
	const struct ltc_outcome_row *row = smpp_status_word(s->si->outcomes, "stopped");
	struct lt_result r = { .struct_size = sizeof(r),
		.outcome = LT_DEFERRED,
		.scope = row->scope,
		.flags = row->flags & 0xffffu,
		.code = LTC_LIT("stopped"),
		.text = row->note };

	if (s->closing)
		return;
	s->closing = true;
	s->settled_at = s->now;
	smpp_submit_stop(s, &r);
}

static struct smpp_link *link_of(struct smpp_session *s, const struct lt_stream_ev *u)
{
	for (uint32_t i = 0; u != NULL && i < s->n_links; i++)
		if (s->links[i].state != SMPP_L_DOWN && s->links[i].stream == u->stream)
			return &s->links[i];
	return NULL;
}

int smpp_session_event(struct lt_job *job, const struct lt_event *ev)
{
	struct smpp_session *s = ((struct smpp_session_ref *)job->priv)->s;
	struct smpp_link *l;

	if (s == NULL)
		return 0;
	s->now = s->host->mono_ms(s->host->ctx);
	switch (ev->type) {
	case LT_EV_OPEN:
	case LT_EV_DATA:
	case LT_EV_DRAIN:
	case LT_EV_CLOSED:
		l = link_of(s, ev->u);
		if (l != NULL)
			smpp_link_event(s, l, ev);
		return 0; /* the end of the turn follows */
	case LT_EV_SAVED: smpp_receipt_saved(s, ev->token, ev->error); return 0;
	case LT_EV_WAKE:
		s->alarm.at = 0;
		smpp_inbound_due(s);
		smpp_early_due(s);
		break;
	case LT_EV_SHUTDOWN:
	case LT_EV_CANCEL: on_stop(s); break;
	case LT_EV_BATCH_END: break;
	default: return 0;
	}
	settle(s);
	return 0;
}
