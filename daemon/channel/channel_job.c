/* channel_job.c - jobs from start to their one end, their timers, and what goes to the user at the end of the turn.
 * The rule of honesty lives here: a job that ends without the adapter's word is unknown as soon as a publishing byte may have
 * left, and proven not sent (deferred) only when none can have.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/calling.h"
#include "base/log.h"
#include "base/utf8.h"
#include "channel/channel_internal.h"

#define TEXT_MAX 1000 /* bytes of a result's text that are looked at; fewer are told */

/* An op that is late is told to stop and may still end honestly. Who does not let go then loses its session: the adapter may
 * hold on to the op's memory for as long as that lives. */
static void job_on_deadline(struct timer *t)
{
	struct job *j = CONTAINER_OF(t, struct job, deadline), *session;
	struct env *env = j->acct->ch->cs->env;
	struct lt_event ev = { .struct_size = sizeof(ev), .type = LT_EV_CANCEL };
	CHECK_OBJ(j, JOB_MAGIC);
	if (j->pub.kind == LT_J_SESSION) {
		session_overdue(CONTAINER_OF(j, struct chan_session, job));
		return;
	}
	if (j->session && !j->late) {
		j->late = j->cancelled = true;
		timer_set(env, &j->deadline, env_mono(env) + JOB_GRACE_MS);
		job_touch(j);
		job_event(j, &ev);
		if (!j->finished)
			http_cancel_all(j);
		return;
	}
	session = j->session ? &j->session->job : NULL;
	job_end_by_rule(j, -ETIMEDOUT, "the adapter did not finish in time");
	if (session && !session->finished)
		job_end_by_rule(session, -ETIMEDOUT, "the adapter kept an op past its deadline");
}

struct job *job_new(struct chan_account *a, uint32_t kind, size_t priv_size, size_t head_size)
{
	struct channels *cs = a->ch->cs;
	size_t head = (head_size + 15) & ~(size_t)15;
	struct job *j = x_calloc(1, head + priv_size + 16);
	j->magic = JOB_MAGIC;
	j->acct = a;
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
	webhook_free(j);
	free(j->aside);
	probe_free(j->probe);
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

/* An adapter may finish one job while another of its calls is on the stack: the outermost is the one that is noted. */
static void call_begin(struct channels *cs, const int64_t *delivery, size_t n)
{
	if (!cs->depth++ && cs->o.calling && n)
		calling_begin(cs->o.calling, delivery, n);
}

static void call_end(struct channels *cs)
{
	if (!--cs->depth && cs->o.calling)
		calling_end(cs->o.calling);
}

int jobs_start(struct chan_account *a, struct lt_job *const *jobs,
	const struct lt_work *const *works, size_t n)
{
	struct channels *cs = a->ch->cs;
	int64_t delivery[CALLING_MAX];
	size_t some = 0;
	for (size_t i = 0; i < n && some < CALLING_MAX; i++)
		if (works[i]->delivery)
			delivery[some++] = (int64_t)works[i]->delivery;
	call_begin(cs, delivery, some);
	int rc = a->ch->ad->start(&a->inst, jobs, works, n);
	call_end(cs);
	return rc;
}

void job_event(struct job *j, const struct lt_event *ev)
{
	struct channels *cs = j->acct->ch->cs;
	const int64_t delivery = (int64_t)j->work.delivery;
	if (j->finished)
		return;
	call_begin(cs, &delivery, delivery != 0);
	int rc = j->acct->ch->ad->event(&j->acct->inst, &j->pub, ev);
	call_end(cs);
	if (rc < 0 && !j->finished) {
		log_line(LOG_WARN, "ev=adapter.event_failed ch=%s acct=%s kind=%u event=%u rc=%d",
			j->acct->ch->conf->name, j->acct->conf->name, j->pub.kind, ev->type, rc);
		job_end_by_rule(j, rc, "the adapter gave the job up");
	}
}

static bool wire_sent(const struct job *j)
{
	if (!j->wire)
		return false;
	uint64_t flushed = j->wire->closed ? j->wire->flushed
					   : net_stream_flushed(j->acct->ch->cs->net, j->wire->net);
	return flushed > j->wire_start;
}

bool job_maybe_published(const struct job *j)
{
	return j->sent || j->sent_repeatable || j->http_out || j->http_out_repeatable ||
		wire_sent(j);
}

/* May have left, and to do it again could show. */
static bool job_in_doubt(const struct job *j)
{
	return j->sent || j->http_out || (!j->wire_repeatable && wire_sent(j));
}

/* The first write on a stream that must not be repeated decides: a later one cannot make the earlier one unsent. */
void job_published_on(struct job *j, struct chan_stream *st, uint64_t start, bool repeatable)
{
	j->publishing = true;
	if (j->wire == st && (!j->wire_repeatable || repeatable))
		return;
	if (wire_sent(j)) {
		j->sent |= !j->wire_repeatable;
		j->sent_repeatable |= j->wire_repeatable;
	}
	if (j->wire != st) {
		job_unref_wire(j);
		j->wire = st;
		st->refs++;
	}
	j->wire_start = start;
	j->wire_repeatable = repeatable;
}

/* Bytes that are still in our own queue could go out after the word that nothing was taken: the stream is reset first. */
static void unsent_reset(struct job *j)
{
	if (j->wire && !j->wire->closed && !wire_sent(j))
		stream_close(j->acct->ch->cs, j->wire->id, true);
}

/* For a question (reconcile) deferred is the proof of absence that allows a resend: the host never has that proof. */
void job_end_by_rule(struct job *j, int code, const char *text)
{
	char codetext[32];
	unsent_reset(j);
	(void)snprintf(codetext, sizeof(codetext), "host:%d", code);
	struct lt_result r = { .struct_size = sizeof(r),
		.outcome = j->pub.kind == LT_J_RECONCILE || job_in_doubt(j) ? LT_UNKNOWN
									    : LT_DEFERRED,
		.scope = LT_SCOPE_LANE,
		.code = { codetext, strlen(codetext) },
		.text = { text, strlen(text) } };
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

static size_t cut_len(struct lt_str s, size_t cut)
{
	return (s.n < cut ? s.n : cut) + 1;
}

static size_t result_bytes(const struct lt_result *r)
{
	size_t n = cut_len(r->code, 200) + cut_len(r->text, 200) + cut_len(r->url, 1000);
	for (size_t i = 0; i < r->n_ids && i < ARRAY_LEN(((struct note *)0)->ids); i++)
		n += cut_len(r->ids[i].id, 200);
	return n;
}

int64_t sane_pause(int64_t ms)
{
	return ms < 0 ? 0 : ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS;
}

static struct lt_result sane(const struct lt_result *in)
{
	struct lt_result r;
	known_copy(&r, sizeof(r), in, in->struct_size);
	if (r.outcome < LT_UNKNOWN || r.outcome > LT_DEFERRED)
		r.outcome = LT_UNKNOWN;
	if (r.scope < LT_SCOPE_TARGET || r.scope > LT_SCOPE_CLASS)
		r.scope = LT_SCOPE_TARGET;
	if (r.n_ids && !r.ids)
		r.n_ids = 0;
	r.retry_after_ms = sane_pause(r.retry_after_ms);
	return r;
}

static void op_over(struct job *j, const struct lt_result *r, bool by_host)
{
	struct channels *cs = j->acct->ch->cs;
	struct note *n = note_new(cs, NOTE_DONE, result_bytes(r));
	n->acct = j->acct;
	n->op = MOVE(j->op);
	n->op->host[0] = NULL;
	note_result(n, r);
	n->result.by_host = by_host;
	/* An op that was merely late is no revoked one: it costs its try. */
	n->result.revoked = j->cancelled && !j->late && r->outcome == LT_DEFERRED &&
		!job_maybe_published(j);
	j->session->n_ops--;
	note_send(cs, n);
	session_count(j->session);
}

static void result_tell(struct job *j, const struct lt_result *r, bool by_host)
{
	if (j->pub.kind == LT_J_SESSION) {
		session_ended(CONTAINER_OF(j, struct chan_session, job), r);
		return;
	}
	if (j->refresh)
		refresh_ended(j, r);
	if (j->hook)
		webhook_over(j);
	if (j->op) {
		op_over(j, r, by_host);
	} else if (j->check_done) {
		struct note *n = note_new(j->acct->ch->cs, NOTE_CHECK, result_bytes(r));
		n->acct = j->acct;
		n->check_done = j->check_done;
		n->check_ctx = j->check_ctx;
		n->probe = MOVE(j->probe);
		note_result(n, r);
		n->result.by_host = by_host;
		note_send(j->acct->ch->cs, n);
	}
	job_free_later(j);
}

/* Deferred and refused say that nothing was taken. While its own publishing request is under way nobody can know that. */
static void claim_judge(struct job *j, struct lt_result *r)
{
	if (r->outcome != LT_DEFERRED && r->outcome != LT_REFUSED)
		return;
	unsent_reset(j);
	if (!j->http_open)
		return;
	log_line(LOG_WARN,
		"ev=adapter.claimed ch=%s acct=%s kind=%u outcome=%d before the answer: unknown",
		j->acct->ch->conf->name, j->acct->conf->name, j->pub.kind, r->outcome);
	r->outcome = LT_UNKNOWN;
	r->flags = 0;
}

/* What an adapter tells of a no is the provider's words, and those like to repeat what they were sent. */
void job_end(struct job *j, const struct lt_result *in, bool by_host)
{
	struct lt_result r = sane(in);
	struct buf code CLEANUP_BUF, text CLEANUP_BUF;

	REQUIRE(!j->finished);
	j->finished = true;
	if (!by_host)
		claim_judge(j, &r);
	http_cancel_all(j);
	buf_init(&code, 2 * TEXT_MAX);
	buf_init(&text, 2 * TEXT_MAX);
	if (r.outcome != LT_ACCEPTED) {
		r.code = mask_text(j->acct, &code, r.code, TEXT_MAX);
		r.text = mask_text(j->acct, &text, r.text, TEXT_MAX);
	}
	result_tell(j, &r, by_host);
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
	webhook_ticket(j);
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
struct str note_bytes(struct note *n, struct lt_str s, size_t cut)
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

struct str note_text(struct note *n, struct lt_str s, size_t cut)
{
	struct str ret = note_bytes(n, s, cut);
	if (!ret.p)
		return ret;
	char *at = n->text + n->text_n - ret.n - 1;
	ret.n = utf8_mend(at, ret);
	at[ret.n] = 0;
	return ret;
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

static void secret_tell(struct job *j, int error)
{
	struct lt_event lev = { .struct_size = sizeof(lev), .type = LT_EV_SECRET, .error = error };
	j->holds--;
	if (j->finished) {
		channels_kick(j->acct->ch->cs);
		return;
	}
	job_touch(j);
	job_event(j, &lev);
}

static void note_deliver(struct channels *cs, struct note *n)
{
	const struct channel_events *ev = &cs->ev;
	struct channel *ch = n->acct->ch;
	switch (n->kind) {
	case NOTE_DONE: ev->op_done(ev->ctx, n->op, &n->result); break;
	case NOTE_INTENT: ev->op_intent(ev->ctx, n->op, n->name, n->repeatable); break;
	case NOTE_SAVE: ev->op_save(ev->ctx, n->op, n->name, n->result.text, n->ticket); break;
	case NOTE_RECEIPT:
		ev->receipt(ev->ctx, ch, n->whole_channel ? NULL : n->acct, &n->receipt, n->ticket);
		break;
	case NOTE_INBOUND:
		ev->inbound(ev->ctx, ch, n->whole_channel ? NULL : n->acct, &n->inbound, n->ticket);
		break;
	case NOTE_REPLY: n->answer(n->check_ctx, n->error, n->name, n->result.text); break;
	case NOTE_TROUBLE:
		if (ev->account_trouble)
			ev->account_trouble(ev->ctx, n->acct, n->result.scope, n->result.code,
				n->result.text, n->result.retry_after_ms);
		break;
	case NOTE_CHECK: probe_tell(n); break;
	case NOTE_RATE: ev->rate(ev->ctx, n->acct, n->op, &n->rate); break;
	case NOTE_REFRESHED:
		ev->refresh_over(ev->ctx, ch, n->acct->conf->credential, &n->result);
		break;
	case NOTE_SECRET:
		if (n->job)
			secret_tell(n->job, n->error);
		else
			ev->refresh_intent(ev->ctx, ch, n->acct->conf->credential, n->ticket);
		break;
	}
}

/* What is queued now; what comes meanwhile waits for the next turn, so that a turn ends. */
static void list_take(struct list *from, struct list *to)
{
	list_init(to);
	if (list_empty(from))
		return;
	*to = *from;
	to->next->prev = to;
	to->prev->next = to;
	list_init(from);
}

/* End of a turn: adapters flush what they gathered, then the user hears, then memory goes. */
void channels_turn(struct task *t)
{
	struct channels *cs = CONTAINER_OF(t, struct channels, task);
	struct lt_event ev = { .struct_size = sizeof(ev), .type = LT_EV_BATCH_END };
	struct list now;
	CHECK_OBJ(cs, CHANNELS_MAGIC);
	list_take(&cs->touched, &now);
	for (struct list *n; (n = list_pop(&now));) {
		struct chan_session *s = CONTAINER_OF(n, struct chan_session, touch_node);
		s->touched = false;
		job_event(&s->job, &ev);
	}
	list_take(&cs->notes, &now);
	for (struct list *n; (n = list_pop(&now));) {
		struct note *note = CONTAINER_OF(n, struct note, node);
		note_deliver(cs, note);
		probe_free(note->probe);
		free(note);
	}
	list_take(&cs->dirty, &now);
	for (struct list *n; (n = list_pop(&now));)
		account_turn(CONTAINER_OF(n, struct chan_account, dirty_node));
	if (!cs->depth)
		graves_empty(cs);
	channels_closed_if_done(cs);
}
