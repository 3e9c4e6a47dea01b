/* channel_job.c - jobs from start to their one end, their timers, and what goes to the user at the end of the turn.
 * The rule of honesty lives here: a job that ends without the adapter's word is unknown as soon as a publishing byte may have
 * left, and proven not sent (deferred) only when none can have.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "channel/channel_internal.h"

static void job_on_deadline(struct timer *t)
{
	struct job *j = CONTAINER_OF(t, struct job, deadline);
	CHECK_OBJ(j, JOB_MAGIC);
	job_end_by_rule(j, -ETIMEDOUT, "the adapter did not finish in time");
}

struct job *job_new(struct chan_account *a, uint32_t kind, size_t priv_size, size_t head_size)
{
	struct channels *cs = a->ch->cs;
	size_t head = (head_size + 15) & ~(size_t)15;
	struct job *j = x_calloc(1, head + priv_size + 16);
	j->magic = JOB_MAGIC;
	j->acct = a;
	j->live = true;
	j->pub = (struct lt_job){ .struct_size = sizeof(j->pub),
		.kind = kind,
		.id = ++cs->job_seq,
		.priv = (char *)j + head };
	list_init(&j->node);
	list_init(&j->https);
	list_init(&j->streams);
	timer_init(&j->deadline, job_on_deadline);
	cs->jobs++;
	return j;
}

struct job *job_of(struct lt_job *pub)
{
	struct job *j = (struct job *)(void *)pub;
	if (!j || j->magic != JOB_MAGIC || j->finished)
		return NULL;
	return j;
}

void job_unref_wire(struct job *j)
{
	if (j->wire)
		stream_unref(j->wire);
	j->wire = NULL;
}

static void job_free(struct job *j)
{
	struct channels *cs = j->acct->ch->cs;
	job_unref_wire(j);
	free(j->wakes);
	j->magic = 0;
	free(j);
	cs->jobs--;
	channels_closed_if_done(cs);
}

/* Memory goes when no adapter call is on the stack: it may still look at its priv until it returns. */
void job_free_later(struct job *j)
{
	struct channels *cs = j->acct->ch->cs;
	struct env *env = cs->env;
	streams_drop(j);
	timer_stop(env, &j->deadline);
	for (size_t i = 0; j->wakes && i < JOB_WAKES_MAX; i++)
		timer_stop(env, &j->wakes[i].timer);
	list_del(&j->node);
	list_push(&cs->graves, &j->node);
	channels_kick(cs);
}

/* A request under way or a commit awaited still names its job: that one stays until it has come back. */
static void graves_empty(struct channels *cs)
{
	LIST_FOR_SAFE(&cs->graves, it, nx)
	{
		struct job *j = CONTAINER_OF(it, struct job, node);
		if (j->holds || !list_empty(&j->https))
			continue;
		list_del(&j->node);
		job_free(j);
	}
}

void job_event(struct job *j, const struct lt_event *ev)
{
	struct channels *cs = j->acct->ch->cs;
	if (j->finished)
		return;
	cs->depth++;
	int rc = j->acct->ch->ad->event(&j->acct->inst, &j->pub, ev);
	cs->depth--;
	if (rc < 0 && !j->finished) {
		log_line(LOG_WARN, "ev=adapter.event_failed ch=%s acct=%s kind=%u event=%u rc=%d",
			j->acct->ch->conf->name, j->acct->conf->name, j->pub.kind, ev->type, rc);
		job_end_by_rule(j, rc, "the adapter gave the job up");
	}
}

bool job_maybe_published(const struct job *j)
{
	if (j->maybe_http)
		return true;
	if (!j->publishing || !j->wire)
		return false;
	uint64_t flushed = j->wire->closed ? j->wire->flushed
					   : net_stream_flushed(j->acct->ch->cs->net, j->wire->net);
	return flushed >= j->wire_end;
}

void job_end_by_rule(struct job *j, int code, const char *text)
{
	char codetext[32];
	/* Bytes that are still in our own queue could go out after this word was given: the stream is reset first. */
	if (j->publishing && j->wire && !j->wire->closed && !job_maybe_published(j))
		stream_close(j->acct->ch->cs, j->wire->id, true);
	(void)snprintf(codetext, sizeof(codetext), "host:%d", code);
	struct lt_result r = { .struct_size = sizeof(r),
		.outcome = job_maybe_published(j) ? LT_UNKNOWN : LT_DEFERRED,
		.scope = LT_SCOPE_LANE,
		.code = { codetext, strlen(codetext) },
		.text = { text, strlen(text) } };
	if (r.outcome == LT_UNKNOWN && j->repeatable)
		r.outcome = LT_DEFERRED; /* safe to do again: a lost answer is no doubt */
	job_end(j, &r, true);
}

static void note_result(struct note *n, const struct lt_result *r)
{
	struct chan_result *c = &n->result;
	c->outcome = r->outcome;
	c->scope = r->scope;
	c->flags = r->flags;
	c->retry_after_ms = r->retry_after_ms;
	c->code = note_text(n, r->code, 200);
	c->text = note_text(n, r->text, 200);
	c->url = note_text(n, r->url, 1000);
	c->n_ids = r->n_ids < ARRAY_LEN(n->ids) ? r->n_ids : ARRAY_LEN(n->ids);
	for (size_t i = 0; i < c->n_ids; i++) {
		n->ids[i] = r->ids[i];
		n->ids[i].id = lt_of(note_text(n, r->ids[i].id, 200));
	}
	c->ids = n->ids;
}

static size_t result_bytes(const struct lt_result *r)
{
	size_t n = 200 + 200 + 1000 + 3;
	for (size_t i = 0; i < r->n_ids && i < 16; i++)
		n += 201;
	return n;
}

static struct lt_result sane(const struct lt_result *in)
{
	struct lt_result r = { .struct_size = sizeof(r) };
	size_t n = in->struct_size < sizeof(r) ? in->struct_size : sizeof(r);
	memcpy(&r, in, n);
	if (r.outcome < LT_UNKNOWN || r.outcome > LT_DEFERRED)
		r.outcome = LT_UNKNOWN;
	if (r.scope < LT_SCOPE_TARGET || r.scope > LT_SCOPE_CLASS)
		r.scope = LT_SCOPE_TARGET;
	if (r.n_ids && !r.ids)
		r.n_ids = 0;
	return r;
}

static void op_over(struct job *j, const struct lt_result *r, bool by_host)
{
	struct channels *cs = j->acct->ch->cs;
	struct note *n = note_new(cs, NOTE_DONE, result_bytes(r));
	n->acct = j->acct;
	n->op = MOVE(j->op);
	note_result(n, r);
	n->result.by_host = by_host;
	n->result.revoked = j->cancelled && r->outcome == LT_DEFERRED && !job_maybe_published(j);
	j->session->n_ops--;
	j->acct->ops--;
	note_send(cs, n);
	if (!(j->acct->ch->ad->caps & LT_CAP_SHARED_SESSION))
		account_credits(j->acct);
}

void job_end(struct job *j, const struct lt_result *in, bool by_host)
{
	struct lt_result r = sane(in);
	REQUIRE(!j->finished);
	j->finished = true;
	http_cancel_all(j);
	if (j->pub.kind == LT_J_SESSION) {
		session_ended(CONTAINER_OF(j, struct chan_session, job), &r);
		return;
	}
	if (j->op) {
		op_over(j, &r, by_host);
	} else if (j->check_done) {
		struct note *n = note_new(j->acct->ch->cs, NOTE_CHECK, result_bytes(&r));
		n->acct = j->acct;
		n->check_done = j->check_done;
		n->check_ctx = j->check_ctx;
		note_result(n, &r);
		note_send(j->acct->ch->cs, n);
	}
	job_free_later(j);
}

static void wake_fire(struct timer *t)
{
	struct job_wake *w = CONTAINER_OF(t, struct job_wake, timer);
	struct lt_event ev = { .struct_size = sizeof(ev), .type = LT_EV_WAKE, .token = w->token };
	w->used = false;
	job_touch(w->job);
	job_event(w->job, &ev);
}

int job_wake_at(struct job *j, int64_t at, uint64_t token)
{
	struct job_wake *free_one = NULL;
	if (!j->wakes)
		j->wakes = x_calloc(JOB_WAKES_MAX, sizeof(*j->wakes));
	for (size_t i = 0; i < JOB_WAKES_MAX; i++) {
		struct job_wake *w = &j->wakes[i];
		if (w->used && w->token == token) {
			free_one = w;
			break;
		}
		if (!w->used && !free_one)
			free_one = w;
	}
	if (!free_one)
		return -LT_E_FULL;
	if (!free_one->timer.fn)
		timer_init(&free_one->timer, wake_fire);
	free_one->job = j;
	free_one->token = token;
	free_one->used = true;
	timer_set(j->acct->ch->cs->env, &free_one->timer, at);
	return 0;
}

uint64_t ticket_new(struct channels *cs, struct job *j, uint64_t token)
{
	struct ticket *t = x_calloc(1, sizeof(*t));
	t->job = j;
	t->token = token;
	j->holds++;
	(void)map64_put(cs->tickets, ++cs->ticket_seq, t);
	return cs->ticket_seq;
}

/* --- the queue to the user -------------------------------------------------------------------------------------------------- */
struct note *note_new(struct channels *cs, enum note_kind kind, size_t text_max)
{
	UNUSED(cs);
	struct note *n = x_calloc(1, sizeof(*n) + text_max + 1);
	n->kind = kind;
	return n;
}

/* Room was counted by the caller: at most cut + 1 bytes a string. */
struct str note_text(struct note *n, struct lt_str s, size_t cut)
{
	if (!s.p)
		return (struct str){ 0 };
	size_t len = s.n < cut ? s.n : cut;
	char *at = n->text + n->text_n;
	memcpy(at, s.p, len);
	at[len] = 0;
	n->text_n += len + 1;
	return (struct str){ at, len };
}

void note_send(struct channels *cs, struct note *n)
{
	list_push(&cs->notes, &n->node);
	channels_kick(cs);
}

void channels_kick(struct channels *cs)
{
	env_defer(cs->env, &cs->task);
}

static void note_deliver(struct channels *cs, struct note *n)
{
	const struct channel_events *ev = &cs->ev;
	struct channel *ch = n->acct->ch;
	switch (n->kind) {
	case NOTE_DONE: ev->op_done(ev->ctx, n->op, &n->result); break;
	case NOTE_INTENT: ev->op_intent(ev->ctx, n->op, n->name, n->repeatable); break;
	case NOTE_SAVE: ev->op_save(ev->ctx, n->op, n->name, n->result.text, n->ticket); break;
	case NOTE_RECEIPT: ev->receipt(ev->ctx, ch, n->acct, &n->receipt, n->ticket); break;
	case NOTE_INBOUND: ev->inbound(ev->ctx, ch, n->acct, &n->inbound, n->ticket); break;
	case NOTE_TROUBLE:
		ev->account_trouble(ev->ctx, n->acct, n->result.scope, n->result.code,
			n->result.text, n->result.retry_after_ms);
		break;
	case NOTE_CHECK: n->check_done(n->check_ctx, &n->result); break;
	case NOTE_RATE: ev->rate(ev->ctx, n->acct, n->op, &n->rate); break;
	}
}

/* End of a turn: adapters flush what they gathered, then the user hears, then memory goes. */
void channels_turn(struct task *t)
{
	struct channels *cs = CONTAINER_OF(t, struct channels, task);
	struct lt_event ev = { .struct_size = sizeof(ev), .type = LT_EV_BATCH_END };
	CHECK_OBJ(cs, CHANNELS_MAGIC);
	for (struct list *n; (n = list_pop(&cs->touched));) {
		struct chan_session *s = CONTAINER_OF(n, struct chan_session, touch_node);
		s->touched = false;
		job_event(&s->job, &ev);
	}
	for (struct list *n; (n = list_pop(&cs->notes));) {
		struct note *note = CONTAINER_OF(n, struct note, node);
		note_deliver(cs, note);
		free(note);
	}
	for (struct list *n; (n = list_pop(&cs->credits));) {
		struct chan_account *a = CONTAINER_OF(n, struct chan_account, credit_node);
		a->credits_dirty = false;
		cs->ev.credits(cs->ev.ctx, a, a->credits);
	}
	if (!cs->depth)
		graves_empty(cs);
}
