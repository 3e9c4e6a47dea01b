/* channel_session.c - sessions of an account: one that all ops share, or one an op slot; opened and closed to fit the limit that
 * dispatch gives. A session that fails is opened again after a pause that doubles; ops that hung in it end by the rule of honesty.
 */
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "channel/channel_internal.h"

static bool shared(const struct chan_account *a)
{
	return (a->ch->ad->caps & LT_CAP_SHARED_SESSION) != 0;
}

void session_touch(struct chan_session *s)
{
	struct channels *cs = s->job.acct->ch->cs;
	if (s->touched || s->ended)
		return;
	s->touched = true;
	list_push(&cs->touched, &s->touch_node);
	channels_kick(cs);
}

void job_touch(struct job *j)
{
	if (j->pub.kind == LT_J_SESSION)
		session_touch(CONTAINER_OF(j, struct chan_session, job));
	else if (j->session)
		session_touch(j->session);
}

/* How many ops may be started now, told to the user at the end of the turn. */
void account_credits(struct chan_account *a)
{
	struct channels *cs = a->ch->cs;
	uint32_t n = 0;
	LIST_FOR(&a->sessions, it)
	{
		const struct chan_session *s = CONTAINER_OF(it, struct chan_session, node);
		if (!s->shutting && !s->ended)
			n += shared(a) ? s->credits : s->n_ops == 0;
	}
	a->credits = n;
	if (!a->credits_dirty) {
		a->credits_dirty = true;
		list_push(&cs->credits, &a->credit_node);
		channels_kick(cs);
	}
}

static void session_say(struct chan_session *s, uint32_t type, uint32_t limit)
{
	struct lt_event ev = { .struct_size = sizeof(ev), .type = type, .limit = limit };
	session_touch(s);
	job_event(&s->job, &ev);
}

void session_shutdown(struct chan_session *s)
{
	if (s->shutting || s->ended)
		return;
	s->shutting = true;
	session_say(s, LT_EV_SHUTDOWN, 0);
}

static struct chan_session *session_open(struct chan_account *a)
{
	const struct lt_adapter *ad = a->ch->ad;
	struct job *j = job_new(a, LT_J_SESSION, ad->session_size, sizeof(struct chan_session));
	struct chan_session *s = CONTAINER_OF(j, struct chan_session, job);
	struct lt_work work = { .struct_size = sizeof(work) };
	const struct lt_work *works[] = { &work };
	struct lt_job *jobs[] = { &j->pub };
	list_init(&s->node);
	list_init(&s->ops);
	list_init(&s->touch_node);
	list_push(&a->sessions, &s->node);
	a->n_sessions++;
	j->work = work;
	works[0] = &j->work;
	if (!shared(a))
		s->credits = 1;
	a->ch->cs->depth++;
	int rc = ad->start(&a->inst, jobs, works, 1);
	a->ch->cs->depth--;
	if (rc < 0 && !j->finished) {
		job_end_by_rule(j, rc, "the session could not be started");
		return NULL;
	}
	if (j->finished)
		return NULL;
	session_touch(s);
	return s;
}

static uint32_t sessions_wanted(const struct chan_account *a)
{
	uint32_t want = shared(a) ? (a->limit ? 1 : 0) : a->limit;
	return want > ACCOUNT_SESSIONS_MAX ? ACCOUNT_SESSIONS_MAX : want;
}

static uint32_t sessions_open_now(const struct chan_account *a)
{
	uint32_t n = 0;
	LIST_FOR(&a->sessions, it)
	n += !CONTAINER_OF(it, struct chan_session, node)->shutting;
	return n;
}

static void sessions_close_some(struct chan_account *a, uint32_t surplus)
{
	LIST_FOR_SAFE(&a->sessions, it, nx)
	{
		struct chan_session *s = CONTAINER_OF(it, struct chan_session, node);
		if (surplus && !s->shutting && s->n_ops == 0) {
			session_shutdown(s);
			surplus--;
		}
	}
}

void account_sessions(struct chan_account *a)
{
	uint32_t want = sessions_wanted(a), have = sessions_open_now(a);
	if (a->ch->cs->closing)
		want = 0;
	while (have < want && !timer_is_set(&a->again)) {
		struct chan_session *s = session_open(a);
		if (!s)
			return; /* it failed at once; the pause is set */
		have++;
	}
	if (have > want && !shared(a))
		sessions_close_some(a, have - want);
	if (shared(a))
		LIST_FOR_SAFE(&a->sessions, it, nx)
		{
			struct chan_session *s = CONTAINER_OF(it, struct chan_session, node);
			if (!s->shutting)
				session_say(s, LT_EV_LIMIT, a->limit);
			if (!a->limit && !s->shutting && !s->ended && s->n_ops == 0)
				session_shutdown(s);
		}
	account_credits(a);
}

static void account_on_again(struct timer *t)
{
	struct chan_account *a = CONTAINER_OF(t, struct chan_account, again);
	account_sessions(a);
}

void account_init(struct chan_account *a)
{
	list_init(&a->sessions);
	list_init(&a->credit_node);
	timer_init(&a->again, account_on_again);
}

static void trouble(struct chan_account *a, const struct lt_result *r)
{
	struct channels *cs = a->ch->cs;
	struct note *n = note_new(cs, NOTE_TROUBLE, 402);
	n->acct = a;
	n->result.scope = r->scope == LT_SCOPE_TARGET ? LT_SCOPE_ACCOUNT : r->scope;
	n->result.code = note_text(n, r->code, 200);
	n->result.text = note_text(n, r->text, 200);
	n->result.retry_after_ms = r->retry_after_ms;
	note_send(cs, n);
}

/* The pause before the next session: what the provider asked for, else doubling; a session that had done work starts afresh. */
static void pause_again(struct chan_account *a, const struct lt_result *r, bool good)
{
	struct env *env = a->ch->cs->env;
	if (good) {
		a->backoff_ms = 0;
		return;
	}
	a->backoff_ms = a->backoff_ms ? a->backoff_ms * 2 : SESSION_BACKOFF_MIN_MS;
	if (a->backoff_ms > SESSION_BACKOFF_MAX_MS)
		a->backoff_ms = SESSION_BACKOFF_MAX_MS;
	int64_t wait = r->retry_after_ms > a->backoff_ms ? r->retry_after_ms : a->backoff_ms;
	timer_set(env, &a->again, env_mono(env) + wait);
}

static void session_task_free(struct chan_session *s)
{
	list_del(&s->touch_node);
	s->touched = false;
	streams_drop(&s->job);
	job_free_later(&s->job);
}

/* Every op that still hangs in it ends first, by what its bytes prove. */
void session_ended(struct chan_session *s, const struct lt_result *r)
{
	struct chan_account *a = s->job.acct;
	bool good = r->outcome == LT_ACCEPTED || s->shutting;
	s->ended = true;
	s->credits = 0;
	streams_drop(&s->job);
	LIST_FOR_SAFE(&s->ops, it, nx)
	{
		struct job *j = CONTAINER_OF(it, struct job, node);
		if (!j->finished)
			job_end_by_rule(j, -EPIPE,
				r->text.n ? "the session ended"
					  : "the session ended without a word");
	}
	list_del(&s->node);
	a->n_sessions--;
	if (!good) {
		log_line(LOG_WARN, "ev=session.failed ch=%s acct=%s code=%s why=%s",
			a->ch->conf->name, a->conf->name, LOG_Q(s_of(r->code)),
			LOG_Q(s_of(r->text)));
		trouble(a, r);
	}
	pause_again(a, r, good);
	account_credits(a);
	session_task_free(s);
	if (good && a->limit && !a->ch->cs->closing && !timer_is_set(&a->again))
		timer_set(a->ch->cs->env, &a->again,
			env_mono(a->ch->cs->env)); /* wanted still: opened anew, not from inside */
}
