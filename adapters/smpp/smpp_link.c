/* smpp_link.c - one connection to the SMSC: opened, bound, kept alive, unbound, and given up.
 * A link that is given up is closed first and settled when the host says CLOSED: only then is it known how many bytes the kernel
 * took, and so which segments may have reached the server.
 * Thread: loop. Owns: its buffers and map. Failures: told to the session, which decides about the next try. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "smpp.h"

#define UNBIND_MS   5000
#define CLOSED_MS   40000 /* the host takes at most 30 s for an orderly close */
#define EXPIRIES    3u    /* timeouts in a row after which the link itself is doubted */
#define IN_MAX      (SMPP_PDU_MAX * 2u)
#define OUT_MAX     (16u << 20)
#define BACKOFF_MIN 1000
#define BACKOFF_MAX 60000
#define GOOD_MS     60000 /* bound for so long: the next pause is the shortest again */

uint32_t smpp_link_seq(struct smpp_link *l)
{
	l->seq = l->seq >= SMPP_SEQ_MAX ? 1 : l->seq + 1;
	return l->seq;
}

bool smpp_link_sends(const struct smpp_link *l)
{
	return l->state == SMPP_L_BOUND && l->role != SMPP_ROLE_RX;
}

static void buffers_ready(struct smpp_link *l)
{
	if (l->in.max != 0)
		return;
	ltc_buf_init(&l->in, IN_MAX);
	ltc_buf_init(&l->ctl, SMPP_CTL_MAX);
	ltc_buf_init(&l->out, OUT_MAX);
}

void smpp_link_done(struct smpp_link *l)
{
	ltc_buf_done(&l->in);
	ltc_buf_done(&l->ctl);
	ltc_buf_done(&l->out);
	free(l->map);
	l->map = NULL;
	l->map_cap = l->map_n = 0;
}

int smpp_link_open(struct smpp_session *s, struct smpp_link *l)
{
	const struct smpp_conf *f = &s->si->conf;
	struct lt_stream_req req = { .struct_size = sizeof(req),
		.kind = f->tls ? LT_TLS : LT_TCP,
		.host = f->host,
		.port = f->port,
		.connect_ms = f->connect_ms };

	buffers_ready(l);
	ltc_buf_reset(&l->in);
	ltc_buf_reset(&l->ctl);
	ltc_buf_reset(&l->out);
	l->why[0] = 0;
	l->blocked = l->unbound_by_peer = l->refused = false;
	l->n_batch = l->expiries = l->acks = l->enquire_seq = l->seq = 0;
	l->enquired_at = l->bound_at = l->retry_at = 0;
	l->sent_n = l->full_n = 0;
	l->gen = ++s->si->gens;
	int rc = s->host->stream_open(s->host->ctx, s->job, &req, &l->stream);
	if (rc < 0)
		return rc;
	l->state = SMPP_L_OPENING;
	l->deadline = s->now + f->connect_ms + 1000;
	return 0;
}

static int64_t pause_of(struct smpp_session *s, struct smpp_link *l)
{
	uint32_t r = 0;

	if (l->backoff_ms == 0 || (l->bound_at > 0 && s->now - l->bound_at >= GOOD_MS))
		l->backoff_ms = BACKOFF_MIN;
	else
		l->backoff_ms = l->backoff_ms * 2 > BACKOFF_MAX ? BACKOFF_MAX : l->backoff_ms * 2;
	s->host->random(s->host->ctx, &r, sizeof(r));
	return l->backoff_ms * (80 + (int64_t)(r % 41)) / 100;
}

/* The stream is no more. Everything that hung in it is settled by what had left. */
static void gone(struct smpp_session *s, struct smpp_link *l, uint64_t flushed)
{
	bool was_bound = l->bound_at > 0, calm = l->state == SMPP_L_UNBINDING;

	l->state = SMPP_L_DOWN;
	l->deadline = 0;
	l->stream = 0;
	l->retry_at = s->now + pause_of(s, l);
	smpp_submit_lost(s, l, flushed);
	smpp_inbound_gone(s, l->gen);
	smpp_early_gone(s, l->gen);
	if (s->closing || (calm && !l->unbound_by_peer && s->farewell.failed))
		return;
	smpp_session_link_down(s, l, was_bound);
}

void smpp_link_reset(struct smpp_session *s, struct smpp_link *l, const char *why)
{
	if (l->state == SMPP_L_DOWN || l->state == SMPP_L_CLOSING)
		return;
	if (l->why[0] == 0)
		(void)snprintf(l->why, sizeof(l->why), "%s", why);
	l->state = SMPP_L_CLOSING;
	l->deadline = s->now + CLOSED_MS;
	s->host->stream_close(s->host->ctx, l->stream, 1);
}

/* In order: what was written goes out first. */
void smpp_link_close(struct smpp_session *s, struct smpp_link *l, const char *why)
{
	if (l->why[0] == 0)
		(void)snprintf(l->why, sizeof(l->why), "%s", why);
	smpp_submit_unbatch(s, l);
	smpp_link_flush(s, l);
	if (l->state == SMPP_L_CLOSING || l->state == SMPP_L_DOWN)
		return;
	l->state = SMPP_L_CLOSING;
	l->deadline = s->now + CLOSED_MS;
	s->host->stream_close(s->host->ctx, l->stream, 0);
}

static void bind(struct smpp_session *s, struct smpp_link *l)
{
	static const uint32_t cmds[] = { [SMPP_ROLE_TRX] = SMPP_BIND_TRX,
		[SMPP_ROLE_TX] = SMPP_BIND_TX,
		[SMPP_ROLE_RX] = SMPP_BIND_RX };

	l->state = SMPP_L_BINDING;
	l->deadline = s->now + s->si->conf.bind_ms;
	if (smpp_bind_write(
		    s->host, s->job, &s->si->conf, l->stream, cmds[l->role], smpp_link_seq(l)) < 0)
		smpp_link_reset(s, l,
			"the bind could not be written: is the password at most 8 characters?");
}

/* Nothing new, but the answers that are owed are waited for. */
void smpp_link_drain(struct smpp_session *s, struct smpp_link *l, const char *why)
{
	if (l->state != SMPP_L_BOUND && l->state != SMPP_L_UNBINDING)
		return;
	smpp_submit_unbatch(s, l);
	(void)snprintf(l->why, sizeof(l->why), "%s", why);
	l->state = SMPP_L_DRAINING;
	l->deadline = s->now +
		s->si->conf.response_ms; /* each of them expires by then, or the peer closes */
}

void smpp_link_unbind(struct smpp_session *s, struct smpp_link *l)
{
	if (l->state != SMPP_L_BOUND && l->state != SMPP_L_DRAINING)
		return;
	smpp_submit_unbatch(s, l);
	l->state = SMPP_L_UNBINDING;
	l->deadline = s->now + UNBIND_MS;
	if (smpp_write_empty(&l->ctl, SMPP_UNBIND, 0, smpp_link_seq(l)) < 0)
		smpp_link_reset(s, l, "out of memory");
}

void smpp_link_ack(struct smpp_link *l, uint32_t id, uint32_t status, uint32_t seq)
{
	if (smpp_write_resp(&l->ctl, id | SMPP_RESP, status, seq, (struct lt_str){ "", 0 }) < 0)
		l->ctl.failed = true;
}

/* Answers and questions first; then what publishes, with the ops that it publishes for. */
static int write_ctl(struct smpp_session *s, struct smpp_link *l)
{
	struct lt_src src = { .bytes = ltc_buf_str(&l->ctl) };
	uint64_t end;

	if (l->ctl.n == 0)
		return 0;
	int rc = s->host->stream_write(s->host->ctx, l->stream, &src, 1, 0, NULL, 0, &end);
	if (rc == 0)
		ltc_buf_reset(&l->ctl);
	return rc;
}

static int write_out(struct smpp_session *s, struct smpp_link *l)
{
	struct lt_src src = { .bytes = ltc_buf_str(&l->out) };
	uint64_t end = 0, start;

	if (l->n_batch == 0)
		return 0;
	int rc = s->host->stream_write(
		s->host->ctx, l->stream, &src, 1, LT_PUBLISHES, l->jobs, l->n_batch, &end);
	if (rc < 0)
		return rc;
	start = end - l->out.n;
	for (uint32_t i = 0; i < l->n_batch; i++)
		l->batch[i]->end = start + l->batch_end[i];
	l->n_batch = 0;
	ltc_buf_reset(&l->out);
	return 0;
}

void smpp_link_flush(struct smpp_session *s, struct smpp_link *l)
{
	if (l->blocked || l->state == SMPP_L_DOWN || l->state == SMPP_L_OPENING ||
		l->state == SMPP_L_CLOSING)
		return;
	if (l->ctl.failed || l->out.failed) {
		smpp_link_reset(s, l, "output buffer full");
		return;
	}
	int rc = write_ctl(s, l);
	rc = rc < 0 ? rc : write_out(s, l);
	if (rc == -LT_E_AGAIN) {
		l->blocked = true;
		smpp_submit_unbatch(s, l);
	} else if (rc < 0)
		smpp_link_reset(s, l,
			rc == -LT_E_NOINTENT ? "the host did not allow these bytes"
					     : "the host did not take the bytes");
}

void smpp_link_event(struct smpp_session *s, struct smpp_link *l, const struct lt_event *ev)
{
	const struct lt_stream_ev *u = ev->u;

	switch (ev->type) {
	case LT_EV_OPEN:
		l->heard_at = s->now;
		if (l->state == SMPP_L_OPENING)
			bind(s, l);
		break;
	case LT_EV_DATA:
		l->heard_at = s->now;
		if (l->state != SMPP_L_CLOSING && l->state != SMPP_L_DOWN)
			smpp_link_input(s, l, u->data);
		break;
	case LT_EV_DRAIN: l->blocked = false; break;
	case LT_EV_CLOSED:
		if (l->why[0] == 0)
			(void)snprintf(l->why, sizeof(l->why), "%.*s",
				(int)(u->error.n > 120 ? 120 : u->error.n),
				u->error.n == 0 ? "" : u->error.p);
		if (l->why[0] == 0 && !l->unbound_by_peer && l->state != SMPP_L_UNBINDING)
			(void)snprintf(l->why, sizeof(l->why), "closed by the server%s",
				l->state == SMPP_L_BINDING
					? " at the bind: is the address of this machine listed there?"
					: "");
		gone(s, l, u->flushed);
		break;
	default: break;
	}
}

static void expire(struct smpp_session *s, struct smpp_link *l)
{
	const struct smpp_conf *f = &s->si->conf;
	struct smpp_seg *g;

	while ((g = l->window.head) != NULL && s->now - g->sent_at >= f->response_ms) {
		l->expiries++;
		smpp_submit_expired(s, g);
	}
	while ((g = l->late.head) != NULL &&
		s->now - g->sent_at >= (int64_t)f->response_ms + f->late_ms) {
		struct smpp_msg *m = g->msg;
		bool more = false;
		smpp_window_remove(g);
		for (uint8_t i = 0; i < m->n; i++)
			more |= m->seg[i].link != NULL;
		if (!more && m->op == NULL)
			smpp_msg_forget(s, m);
	}
}

static void keep_alive(struct smpp_session *s, struct smpp_link *l)
{
	const struct smpp_conf *f = &s->si->conf;

	if (l->enquired_at > 0 && s->now - l->enquired_at >= f->enquire_wait_ms) {
		smpp_link_reset(s, l, "no answer to enquire_link: the line is dead");
		return;
	}
	if (l->enquired_at > 0 || (s->now - l->heard_at < f->enquire_ms && l->expiries < EXPIRIES))
		return;
	l->expiries = 0;
	l->enquire_seq = smpp_link_seq(l);
	l->enquired_at = s->now;
	if (smpp_write_empty(&l->ctl, SMPP_ENQUIRE_LINK, 0, l->enquire_seq) < 0)
		smpp_link_reset(s, l, "out of memory");
}

static bool past(const struct smpp_session *s, int64_t at)
{
	return at > 0 && at <= s->now;
}

void smpp_link_due(struct smpp_session *s, struct smpp_link *l)
{
	switch (l->state) {
	case SMPP_L_DOWN:
		if (past(s, l->retry_at) && !s->closing && !s->farewell.failed &&
			smpp_link_open(s, l) < 0) {
			(void)snprintf(l->why, sizeof(l->why), "the host opens no stream");
			l->retry_at = s->now + pause_of(s, l);
			smpp_session_link_down(s, l, false);
		}
		break;
	case SMPP_L_OPENING:
	case SMPP_L_BINDING:
		if (past(s, l->deadline))
			smpp_link_reset(s, l,
				l->state == SMPP_L_OPENING ? "no connection in time"
							   : "no answer to the bind");
		break;
	case SMPP_L_BOUND:
		expire(s, l);
		if (l->state == SMPP_L_BOUND)
			keep_alive(s, l);
		break;
	case SMPP_L_DRAINING:
		expire(s, l);
		if (l->window.n == 0 || past(s, l->deadline))
			smpp_link_close(s, l, "unbound");
		break;
	case SMPP_L_UNBINDING:
		expire(s, l);
		if (past(s, l->deadline))
			smpp_link_close(s, l, "unbound");
		break;
	case SMPP_L_CLOSING:
		if (past(s, l->deadline))
			gone(s, l, UINT64_MAX); /* nobody told: what was written may have left */
		break;
	}
}

static void sooner(int64_t *first, int64_t at)
{
	if (at > 0 && (*first == 0 || at < *first))
		*first = at;
}

int64_t smpp_link_next(const struct smpp_session *s, const struct smpp_link *l)
{
	const struct smpp_conf *f = &s->si->conf;
	int64_t first = 0;

	if (l->state == SMPP_L_DOWN)
		return s->closing || s->farewell.failed ? 0 : l->retry_at;
	if (l->state != SMPP_L_BOUND)
		sooner(&first, l->deadline);
	if (l->window.head != NULL)
		sooner(&first, l->window.head->sent_at + f->response_ms);
	if (l->late.head != NULL)
		sooner(&first, l->late.head->sent_at + f->response_ms + f->late_ms);
	if (l->state == SMPP_L_BOUND)
		sooner(&first,
			l->enquired_at > 0 ? l->enquired_at + f->enquire_wait_ms
					   : l->heard_at + f->enquire_ms);
	return first;
}
