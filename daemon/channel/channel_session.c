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

void account_dirty(struct chan_account *a)
{
	struct channels *cs = a->ch->cs;
	if (a->dirty)
		return;
	a->dirty = true;
	list_push(&cs->dirty, &a->dirty_node);
	channels_kick(cs);
}

/* One session, not all: at 25,000 ops a second nobody may walk over a thousand sessions for each. Where sessions are not
 * shared the idle ones stand in front, so the next op finds its session at once. */
void session_count(struct chan_session *s)
{
	struct chan_account *a = s->job.acct;
	uint32_t now = s->shutting || s->ended ? 0
		: shared(a)                    ? s->credits
					       : s->n_ops == 0 && s->credits > 0;
	a->credits += now - s->counted;
	if (!shared(a) && !s->ended && now != s->counted) {
		list_del(&s->node);
		if (now)
			list_push_front(&a->sessions, &s->node);
		else
			list_push(&a->sessions, &s->node);
	}
	s->counted = now;
	if (s->n_ops == 0 && !s->shutting && !s->ended)
		a->refit |= shared(a) ? a->limit == 0 : a->n_open > a->limit;
	account_dirty(a);
}

void account_turn(struct chan_account *a)
{
	struct channels *cs = a->ch->cs;
	a->dirty = false;
	if (a->refit) {
		a->refit = false;
		account_sessions(a);
	}
	cs->ev.credits(cs->ev.ctx, a, a->credits);
}

static void session_say(struct chan_session *s, uint32_t type, uint32_t limit)
{
	struct lt_event ev = { .struct_size = sizeof(ev), .type = type, .limit = limit };
	session_touch(s);
	job_event(&s->job, &ev);
}

static void shutting_time(struct chan_session *s)
{
	struct env *env = s->job.acct->ch->cs->env;
	timer_set(env, &s->job.deadline, env_mono(env) + SESSION_SHUT_MS);
}

void session_shutdown(struct chan_session *s)
{
	if (s->shutting || s->ended)
		return;
	s->shutting = true;
	s->job.acct->n_open--;
	session_count(s);
	shutting_time(s);
	session_say(s, LT_EV_SHUTDOWN, 0);
}

/* Its ops have deadlines of their own. Who has none left and stays would be one more for ever with each change of the limit. */
void session_overdue(struct chan_session *s)
{
	const struct chan_account *a = s->job.acct;
	if (s->n_ops) {
		shutting_time(s);
		return;
	}
	log_line(LOG_WARN, "ev=session.stuck ch=%s acct=%s it was told to go and is cut",
		a->ch->conf->name, a->conf->name);
	job_end_by_rule(&s->job, -ETIMEDOUT, "the session did not go when it was told to");
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
	list_push_front(&a->sessions, &s->node);
	a->n_open++;
	s->since_ms = env_mono(a->ch->cs->env);
	j->work = work;
	works[0] = &j->work;
	if (!shared(a)) {
		s->credits = 1; /* until it says slots(0) */
		session_count(s);
	}
	int rc = jobs_start(a, jobs, works, 1);
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

/* Sessions are told one after the other, each from the front again: an event may end any of them. */
static void sessions_close_some(struct chan_account *a, uint32_t surplus)
{
	for (bool found = true; surplus && found; surplus--) {
		found = false;
		LIST_FOR(&a->sessions, it)
		{
			struct chan_session *s = CONTAINER_OF(it, struct chan_session, node);
			if (!s->shutting && s->n_ops == 0) {
				found = true;
				session_shutdown(s);
				break;
			}
		}
	}
}

static void session_fit(struct chan_account *a)
{
	LIST_FOR(&a->sessions, it)
	{
		struct chan_session *s = CONTAINER_OF(it, struct chan_session, node);
		if (s->shutting)
			continue;
		session_say(s, LT_EV_LIMIT, a->limit);
		if (!a->limit && !s->shutting && !s->ended && s->n_ops == 0)
			session_shutdown(s);
		return; /* an account has one shared session at work */
	}
}

void account_sessions(struct chan_account *a)
{
	uint32_t want = a->ch->cs->closing ? 0 : sessions_wanted(a);
	while (a->n_open < want && !timer_is_set(&a->again))
		if (!session_open(a))
			return; /* it failed at once; the pause is set */
	if (shared(a))
		session_fit(a);
	else if (a->n_open > want)
		sessions_close_some(a, a->n_open - want);
	account_dirty(a);
}

static void account_on_again(struct timer *t)
{
	struct chan_account *a = CONTAINER_OF(t, struct chan_account, again);
	account_sessions(a);
}

void account_init(struct chan_account *a)
{
	list_init(&a->sessions);
	list_init(&a->dirty_node);
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

/* The pause before the next session: what the provider asked for, else doubling. A session that had worked and ended in order
 * is opened anew at once, but from the timer; one that ended in order without any work waits the shortest pause. */
static void pause_again(const struct chan_session *s, const struct lt_result *r, bool good)
{
	struct chan_account *a = s->job.acct;
	struct env *env = a->ch->cs->env;
	int64_t wait = 0;
	if (!good) {
		if (env_mono(env) - s->since_ms >= SESSION_BACKOFF_MAX_MS)
			a->backoff_ms = 0; /* it stood: what failed before it is long over */
		a->backoff_ms = a->backoff_ms ? a->backoff_ms * 2 : SESSION_BACKOFF_MIN_MS;
		if (a->backoff_ms > SESSION_BACKOFF_MAX_MS)
			a->backoff_ms = SESSION_BACKOFF_MAX_MS;
		wait = r->retry_after_ms > a->backoff_ms ? r->retry_after_ms : a->backoff_ms;
	} else {
		a->backoff_ms = 0;
		wait = s->worked ? 0 : SESSION_BACKOFF_MIN_MS;
		if (!a->limit || timer_is_set(&a->again))
			return;
	}
	if (!a->ch->cs->closing)
		timer_set(env, &a->again, env_mono(env) + wait);
}

static void session_task_free(struct chan_session *s)
{
	list_del(&s->touch_node);
	s->touched = false;
	job_free_later(&s->job);
}

static void trouble_log(const struct chan_account *a, const struct lt_result *r)
{
	log_line(LOG_WARN, "ev=session.failed ch=%s acct=%s code=%s why=%s", a->ch->conf->name,
		a->conf->name, LOG_Q(s_of(r->code)), LOG_Q(s_of(r->text)));
}

/* Every op that still hangs in it ends first, by what its bytes prove. */
void session_ended(struct chan_session *s, const struct lt_result *r)
{
	struct chan_account *a = s->job.acct;
	bool good = r->outcome == LT_ACCEPTED || s->shutting;
	s->ended = true;
	if (!s->shutting)
		a->n_open--;
	session_count(s);
	streams_drop(&s->job);
	for (struct list *it; (it = s->ops.next) != &s->ops;) {
		struct job *j = CONTAINER_OF(it, struct job, node);
		job_end_by_rule(j, -EPIPE,
			r->text.n ? "the session ended" : "the session ended without a word");
	}
	list_del(&s->node);
	if (!good) {
		trouble_log(a, r);
		trouble(a, r);
	}
	pause_again(s, r, good);
	session_task_free(s);
}
