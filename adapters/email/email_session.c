/* email_session.c - the session of a relay account: a queue of transactions, a pool of connections, one clock.
 * Mails wait here only as long as the credits allow (`window`), and leave in order: first to idle connections, then to new ones,
 * then behind the dot of busy ones. Work is done at the end of a turn, so that one write per connection carries all of it.
 * A relay that cannot be reached ends the session with what it said; the host starts the next one in its own time.
 * Thread: loop. Owns: connections, transactions. Failures: -LT_E_CLOSED when ops come to a session that is ending. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "email_session.h"

#define WAKE_TOKEN       1
#define OPEN_BACKOFF_MIN 1000
#define OPEN_BACKOFF_MAX 60000

void email_queue_front(struct email_session *s, struct email_tx *tx)
{
	tx->next = s->head;
	s->head = tx;
	if (s->tail == NULL)
		s->tail = tx;
	s->n_queued++;
}

static void queue_back(struct email_session *s, struct email_tx *tx)
{
	tx->next = NULL;
	if (s->tail != NULL)
		s->tail->next = tx;
	else
		s->head = tx;
	s->tail = tx;
	s->n_queued++;
}

static struct email_tx *queue_pop(struct email_session *s)
{
	struct email_tx *tx = s->head;

	s->head = tx->next;
	if (s->head == NULL)
		s->tail = NULL;
	tx->next = NULL;
	s->n_queued--;
	return tx;
}

static void queue_fail(struct email_session *s, const struct lt_result *r)
{
	while (s->head != NULL) {
		struct email_tx *tx = queue_pop(s);
		for (uint16_t i = 0; i < tx->n; i++)
			if (tx->rcpt[i] != NULL)
				email_op_finish(s, tx->rcpt[i], r);
		email_tx_free(s, tx);
	}
}

static void queue_remove_dead(struct email_session *s)
{
	struct email_tx *tx = s->head;

	s->head = s->tail = NULL;
	s->n_queued = 0;
	while (tx != NULL) {
		struct email_tx *next = tx->next;
		if (tx->n_live > 0)
			queue_back(s, tx);
		else
			email_tx_free(s, tx);
		tx = next;
	}
}

static uint32_t conns_in(const struct email_session *s, enum email_conn_state state)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->ei->conf.connections; i++)
		n += s->conns[i].state == state;
	return n;
}

/* What the relay (or the way to it) said when no connection came to be, as an outcome. */
static void verdict_of(struct email_session *s, int error, const struct lt_stream_ev *ev,
	const char *why, struct email_verdict *v)
{
	struct email_parser *p = calloc(1, sizeof(*p));
	struct lt_str data = { 0 }, text = ltc_z(why);
	bool login = email_is_login(error);

	if (ev != NULL) {
		data = ev->data;
		text = ev->error;
	}
	if (p == NULL || email_parse(p, &data) <= 0 ||
		p->cur.code < 400) { /* 220 before a failed TLS */
		struct email_reply none = { .code = 0 };
		text = ltc_utf8_cut(text, 200);
		(void)snprintf(none.text, sizeof(none.text), "%.*s", (int)text.n,
			text.p == NULL ? "no connection to the relay" : text.p);
		none.n = strlen(none.text);
		email_classify(s->ei->outcomes, login ? "auth" : "greeting", &none, 0,
			(struct lt_str){ 0 }, v);
		(void)snprintf(v->code, sizeof(v->code), "%s", login ? "login" : "connect");
		v->r.code = ltc_z(v->code);
	} else {
		int c = p->cur.code;
		login |= c == 535 || c == 534 || c == 530 || c == 538 || c == 454 || c == 432;
		email_classify(s->ei->outcomes, login ? "auth" : "greeting", &p->cur, 0,
			(struct lt_str){ 0 }, v);
	}
	free(p);
}

void email_session_no_connection(
	struct email_session *s, int error, const struct lt_stream_ev *ev, const char *why)
{
	struct email_verdict v;

	verdict_of(s, error, ev, why, &v);
	s->host->log(s->host->ctx, s->job, 4, v.r.text);
	s->open_backoff_ms = s->open_backoff_ms == 0 ? OPEN_BACKOFF_MIN : s->open_backoff_ms * 2;
	if (s->open_backoff_ms > OPEN_BACKOFF_MAX)
		s->open_backoff_ms = OPEN_BACKOFF_MAX;
	s->no_open_until = s->now + s->open_backoff_ms;
	if (conns_in(s, EMAIL_C_READY) > 0 || conns_in(s, EMAIL_C_OPENING) > 0 ||
		s->farewell.failed)
		return; /* the others carry on */
	ltc_farewell_say(&s->farewell, &v.r, v.code, v.text);
	v.r = ltc_farewell_result(&s->farewell);
	queue_fail(s, &v.r);
}

static void open_one(struct email_session *s)
{
	for (uint32_t i = 0; i < s->ei->conf.connections; i++) {
		struct email_conn *c = &s->conns[i];
		if (c->state != EMAIL_C_FREE)
			continue;
		if (email_conn_open(s, c) < 0)
			email_session_no_connection(s, 0, NULL, "the host opens no stream");
		return;
	}
}

static void give_work(struct email_session *s, bool idle_only)
{
	for (uint32_t i = 0; i < s->ei->conf.connections && s->head != NULL; i++) {
		struct email_conn *c = &s->conns[i];
		/* again: a mail that this relay can never take is finished, and the place is still free */
		while (s->head != NULL && email_conn_takes(s, c, idle_only) && c->env == NULL)
			email_conn_assign(s, c, queue_pop(s));
	}
}

static void open_more(struct email_session *s)
{
	uint32_t want = s->limit < s->ei->conf.connections ? s->limit : s->ei->conf.connections;
	uint32_t opening = conns_in(s, EMAIL_C_OPENING);
	uint32_t have = conns_in(s, EMAIL_C_READY) + opening;

	if (want == 0)
		want = 1;
	while (s->n_queued > opening && have < want && s->now >= s->no_open_until &&
		!s->farewell.failed) {
		uint32_t before = conns_in(s, EMAIL_C_FREE);
		if (before == 0)
			return;
		open_one(s);
		if (conns_in(s, EMAIL_C_FREE) == before)
			return;
		opening++;
		have++;
	}
}

/* Connections that are too many, too old, or have nothing to do while we end. */
static void close_some(struct email_session *s)
{
	const struct email_conf *f = &s->ei->conf;
	uint32_t ready = conns_in(s, EMAIL_C_READY);
	bool ending = s->closing || s->farewell.failed;

	for (uint32_t i = 0; i < f->connections; i++) {
		struct email_conn *c = &s->conns[i];
		if (ending && c->state == EMAIL_C_OPENING)
			email_conn_reset(s, c, "stopped");
		if (c->state != EMAIL_C_READY || c->exp_n > 0 || c->out_n > 0 || c->env != NULL)
			continue;
		if (!ending && !email_conn_is_old(s, c) && (ready <= s->limit || s->head != NULL))
			continue;
		email_conn_quit(s, c);
		ready--;
	}
}

static void arm(struct email_session *s)
{
	int64_t first = 0;

	for (uint32_t i = 0; i < s->ei->conf.connections; i++) {
		const struct email_conn *c = &s->conns[i];
		if (c->state != EMAIL_C_FREE)
			ltc_alarm_sooner(&first, c->deadline);
	}
	ltc_alarm_sooner(&first, s->tick_at);
	if (s->head != NULL && s->no_open_until > s->now)
		ltc_alarm_sooner(&first, s->no_open_until);
	ltc_alarm_set(&s->alarm, s->host, s->job, first, WAKE_TOKEN);
}

static void tell_slots(struct email_session *s)
{
	uint32_t window = s->ei->conf.window;
	uint32_t can = !s->bound || s->closing || s->farewell.failed || s->held >= window
		? 0
		: window - s->held;

	if (can == s->told_slots)
		return;
	s->told_slots = can;
	s->host->slots(s->host->ctx, s->job, can);
}

void email_conns_free(struct email_conn *conns, uint32_t n)
{
	for (uint32_t i = 0; conns != NULL && i < n; i++) {
		free(conns[i].out);
		free(conns[i].cmd.p);
	}
	free(conns);
}

static void session_free(struct email_session *s)
{
	while (s->free_tx != NULL) {
		struct email_tx *tx = s->free_tx;
		s->free_tx = tx->next;
		email_tx_drop(tx);
	}
	for (size_t i = 0; i < EMAIL_POOLS_MAX; i++)
		if (s->ei->conns[i] == s->conns)
			s->ei->conns[i] = NULL;
	email_conns_free(s->conns, s->ei->conf.connections);
	s->conns = NULL;
}

/* The host ends an op at its deadline, and then its memory is gone: we are a little earlier. In the queue and in the envelope it
 * goes back unsent; behind the dot the connection is closed, and what then was flushed tells the outcome. */
static void tx_due(struct email_session *s, struct email_tx *tx, struct email_conn *c)
{
	static const struct lt_result late = { .struct_size = sizeof(late),
		.outcome = LT_DEFERRED,
		.scope = LT_SCOPE_LANE,
		.flags = LT_R_FREE,
		.code = { "late", 4 },
		.text = { "not sent in the time that was given", 35 } };
	bool due = false;

	for (uint16_t i = 0; tx != NULL && i < tx->n; i++) {
		struct email_op *op = tx->rcpt[i];
		if (op == NULL || op->due_at == 0)
			continue;
		if (op->due_at > s->now) {
			if (s->tick_at == 0 || op->due_at < s->tick_at)
				s->tick_at = op->due_at;
			continue;
		}
		due = true;
		if (tx->handed)
			continue;
		tx->poisoned |= op->accepted;
		email_op_finish(s, op, &late);
	}
	if (due && c != NULL)
		email_conn_reset(s, c, "no reply in the time that was given");
}

static void ops_due(struct email_session *s)
{
	s->tick_at = 0;
	for (uint32_t i = 0; i < s->ei->conf.connections; i++) {
		tx_due(s, s->conns[i].dot, &s->conns[i]);
		tx_due(s, s->conns[i].env, &s->conns[i]);
	}
	for (struct email_tx *tx = s->head; tx != NULL; tx = tx->next)
		tx_due(s, tx, NULL);
	queue_remove_dead(s);
}

/* The end of every turn. The session may be gone when it returns. */
static void settle(struct email_session *s)
{
	give_work(s, true);
	open_more(s);
	give_work(s, false);
	close_some(s);
	for (uint32_t i = 0; i < s->ei->conf.connections; i++)
		email_conn_flush(s, &s->conns[i]);
	tell_slots(s);
	if ((s->closing || s->farewell.failed) && s->held == 0 &&
		conns_in(s, EMAIL_C_FREE) == s->ei->conf.connections) {
		session_free(s);
		ltc_farewell_finish(s->farewell, s->host, s->job);
		return;
	}
	arm(s);
}

int email_session_start(struct lt_inst *inst, struct lt_job *job)
{
	struct email_session *s = job->priv;
	struct email_inst *ei = inst->priv;
	size_t at = 0;

	s->inst = inst;
	s->host = inst->host;
	s->ei = ei;
	s->job = job;
	s->limit = ei->conf.connections;
	s->max_rcpt = ei->conf.max_rcpt;
	while (at < EMAIL_POOLS_MAX && ei->conns[at] != NULL)
		at++;
	if (at == EMAIL_POOLS_MAX)
		return -LT_E_FULL;
	s->conns = calloc(ei->conf.connections, sizeof(*s->conns));
	if (s->conns == NULL)
		return -LT_E_FULL;
	ei->conns[at] = s->conns;
	s->now = s->host->mono_ms(s->host->ctx);
	open_one(s); /* credits come when the relay has let us in */
	settle(s);
	return 0;
}

static void on_wake(struct email_session *s)
{
	s->alarm.at = 0;
	if (s->tick_at > 0 && s->tick_at <= s->now)
		ops_due(s);
	for (uint32_t i = 0; i < s->ei->conf.connections; i++) {
		struct email_conn *c = &s->conns[i];
		if (c->state != EMAIL_C_FREE && c->deadline > 0 && c->deadline <= s->now) {
			c->deadline = 0;
			email_conn_timeout(s, c);
		}
	}
}

static void on_shutdown(struct email_session *s)
{
	static const struct lt_result stopped = { .struct_size = sizeof(stopped),
		.outcome = LT_DEFERRED,
		.flags = LT_R_FREE,
		.code = { "stopped", 7 },
		.text = { "stopped before sending", 22 } };

	s->closing = true;
	queue_fail(s, &stopped);
}

static struct email_conn *conn_of(struct email_session *s, const struct lt_stream_ev *u)
{
	for (uint32_t i = 0; u != NULL && i < s->ei->conf.connections; i++)
		if (s->conns[i].state != EMAIL_C_FREE && s->conns[i].stream == u->stream)
			return &s->conns[i];
	return NULL;
}

int email_session_event(struct email_session *s, const struct lt_event *ev)
{
	struct email_conn *c;

	s->now = s->host->mono_ms(s->host->ctx);
	switch (ev->type) {
	case LT_EV_OPEN:
	case LT_EV_DATA:
	case LT_EV_DRAIN:
	case LT_EV_CLOSED:
		c = conn_of(s, ev->u);
		if (c != NULL)
			email_conn_event(s, c, ev);
		return 0; /* the end of the turn follows */
	case LT_EV_WAKE: on_wake(s); break;
	case LT_EV_LIMIT: s->limit = ev->limit; break;
	case LT_EV_SHUTDOWN:
	case LT_EV_CANCEL: on_shutdown(s); break;
	case LT_EV_BATCH_END: break;
	default: return 0;
	}
	settle(s);
	return 0;
}

static int64_t due_of(struct email_session *s, int64_t deadline_ms)
{
	if (deadline_ms <= 0)
		return 0;
	int64_t life = deadline_ms - s->now;
	int64_t due = deadline_ms - (life > 10000 ? 1500 : life > 0 ? life / 5 : 0);
	if (s->tick_at == 0 || due < s->tick_at)
		s->tick_at = due;
	return due;
}

static int tx_take(struct email_session *s, struct lt_job *const *jobs,
	const struct lt_work *const *works, size_t n)
{
	struct email_tx *tx = email_tx_new(s, n);

	if (tx == NULL)
		return -LT_E_FULL;
	for (size_t i = 0; i < n; i++) {
		struct email_op *op = jobs[i]->priv;
		op->job = jobs[i];
		op->work = works[i];
		op->due_at = due_of(s, works[i]->deadline_ms);
		email_tx_add(tx, op);
		s->held++;
		s->told_slots -= s->told_slots > 0; /* the host counts down as well */
	}
	queue_back(s, tx);
	return 0;
}

int email_op_start(struct lt_inst *inst, struct lt_job *const *jobs,
	const struct lt_work *const *works, size_t n)
{
	struct email_session *s = jobs[0]->session == NULL ? NULL : jobs[0]->session->priv;
	size_t at = 0;

	(void)inst;
	if (s == NULL || s->conns == NULL || s->closing || s->farewell.failed)
		return -LT_E_CLOSED;
	for (size_t i = 0; i < n; i++)
		if (works[i]->n_payload == 0 || works[i]->n_payload > 4096)
			return -LT_E_INVALID;
	s->now = s->host->mono_ms(s->host->ctx);
	while (at < n) {
		size_t k = 1;
		while (at + k < n && k < s->max_rcpt && works[at]->batch_key != 0 &&
			works[at + k]->batch_key == works[at]->batch_key)
			k++;
		int rc = tx_take(s, jobs + at, works + at, k);
		if (rc < 0 && at == 0)
			return rc;
		if (rc < 0) { /* memory: what was taken stays, the rest is given back */
			struct lt_result r = { .struct_size = sizeof(r),
				.outcome = LT_DEFERRED,
				.scope = LT_SCOPE_ACCOUNT,
				.flags = LT_R_FREE,
				.code = ltc_z("memory") };
			for (size_t i = at; i < n; i++)
				(void)s->host->finish(s->host->ctx, jobs[i], &r);
			return 0;
		}
		at += k;
	}
	return 0;
}

static struct email_conn *conn_with(struct email_session *s, const struct email_tx *tx)
{
	for (uint32_t i = 0; i < s->ei->conf.connections; i++)
		if (s->conns[i].env == tx || s->conns[i].dot == tx)
			return &s->conns[i];
	return NULL;
}

/* A stop: before the body is out nothing publishes, and the op goes back; behind it only the reply can tell. */
int email_op_event(struct lt_job *job, const struct lt_event *ev)
{
	static const struct lt_result stopped = { .struct_size = sizeof(stopped),
		.outcome = LT_DEFERRED,
		.flags = LT_R_FREE,
		.code = { "stopped", 7 },
		.text = { "stopped before sending", 22 } };
	struct email_op *op = job->priv;
	struct email_session *s = job->session->priv;
	struct email_tx *tx = op->tx;

	if (ev->type != LT_EV_CANCEL || tx == NULL)
		return 0;
	s->now = s->host->mono_ms(s->host->ctx);
	struct email_conn *c = conn_with(s, tx);
	if (tx->handed && tx->written)
		return 0;
	if (tx->handed && c != NULL) { /* gathered, not yet given to the host */
		email_conn_reset(s, c, "stopped before the text was sent");
		email_op_finish(s, op, &stopped);
		return 0;
	}
	tx->poisoned |= op->accepted;
	email_op_finish(s, op, &stopped);
	if (c == NULL && tx->n_live == 0)
		queue_remove_dead(s);
	return 0;
}
