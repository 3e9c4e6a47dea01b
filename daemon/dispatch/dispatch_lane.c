/* dispatch_lane.c - what a lane may do now: hours, pauses, breaker, buckets, concurrency, intents ahead of the wire.
 * Thread: loop. Owns: lanes, accounts, groups. Must not know: how a copy is composed or stored.
 * Failures: trouble of a provider slows or stops exactly the scope that it named. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "dispatch/dispatch_internal.h"
#include "model/when.h"

#define INTENTS_DEFAULT 256
#define CLOCK_BACK_MS   2000 /* less is a clock that is slewed */

struct dlane *lane_find(struct dispatch *d, int64_t id)
{
	return map64_get(d->lane_by_id, (uint64_t)id);
}

struct dchan *chan_find(struct dispatch *d, int64_t id)
{
	return map64_get(d->chan_by_id, (uint64_t)id);
}

static void window_set(struct window *w, const struct conf_hours *h)
{
	w->n = h->n;
	for (size_t i = 0; i < h->n; i++)
		w->span[i] = (struct window_span){ h->span[i].days, h->span[i].from_min,
			h->span[i].to_min };
}

void lane_conf_set(struct dlane *l)
{
	const struct conf_lane *c = l->conf;
	const struct conf_channel *ch = l->acct->chan->conf;

	l->last = *c;
	window_set(&l->hours, &c->hours);
	l->cast_hours.n = 0;
	if (ch)
		window_set(&l->cast_hours, &ch->broadcast_hours);
	bucket_set(&l->bucket, c->rate_per_s, c->burst);
	if (l->pace.limit > c->concurrency && c->concurrency)
		l->pace.limit = c->concurrency;
	if (l->pace.limit == 0)
		pace_init(&l->pace, c->concurrency);
}

const struct conf_lane *lane_rules(const struct dlane *l)
{
	return l->conf ? l->conf : &l->last;
}

bool lane_wants(const struct dlane *l)
{
	return !list_empty(&l->want[0]) || !list_empty(&l->want[1]);
}

bool lane_has_work(const struct dlane *l)
{
	return l->n_ready || l->n_go || l->intents || l->in_flight || l->fills || lane_wants(l);
}

void lane_kick(struct dlane *l)
{
	if (list_empty(&l->dirty))
		list_push(&l->d->dirty, &l->dirty);
	dispatch_kick(l->d);
}

/* Room for leases came free: whoever could not fill before may try now. */
void lanes_kick_wanting(struct dispatch *d)
{
	LIST_FOR(&d->lanes, n)
	{
		struct dlane *l = CONTAINER_OF(n, struct dlane, node);
		if (lane_wants(l))
			lane_kick(l);
	}
}

static void say_until(struct dlane *l, const char *what, int64_t until_ms, char *why, size_t size)
{
	char t[WHEN_TEXT_MAX];

	if (why)
		snprintf(why, size, "%s until %s", what,
			when_print_short(t, sizeof(t), until_ms, &l->d->conf->zone));
}

void lane_gap(struct dlane *l, int64_t until_ms)
{
	if (until_ms > l->gap_until_ms)
		l->gap_until_ms = until_ms;
}

bool lane_has_token(struct dlane *l, int64_t *ret_wait_ms)
{
	int64_t now = env_wall(l->d->o.env), wait;

	bucket_fill(&l->bucket, now);
	wait = bucket_wait_ms(&l->bucket);
	for (size_t i = 0; i < l->acct->n_groups; i++) {
		struct dgroup *g = l->acct->groups[i];
		bucket_fill(&g->bucket, now);
		int64_t w = bucket_wait_ms(&g->bucket);
		wait = w > wait ? w : wait;
	}
	*ret_wait_ms = wait;
	return wait == 0;
}

void lane_took(struct dlane *l)
{
	bucket_take(&l->bucket);
	l->bucket_dirty = l->bucket_dirty || l->bucket.rate_per_s > 0;
	for (size_t i = 0; i < l->acct->n_groups; i++) {
		bucket_take(&l->acct->groups[i]->bucket);
		l->acct->groups[i]->dirty = true;
	}
}

void lane_gave_back(struct dlane *l)
{
	bucket_give(&l->bucket);
	l->bucket_dirty = l->bucket_dirty || l->bucket.rate_per_s > 0;
	for (size_t i = 0; i < l->acct->n_groups; i++) {
		bucket_give(&l->acct->groups[i]->bucket);
		l->acct->groups[i]->dirty = true;
	}
}

int64_t lane_wait_until(struct dlane *l, char *why, size_t size)
{
	int64_t now = env_wall(l->d->o.env), wait;

	if (why)
		why[0] = 0;
	if (!l->acct->acct || !l->conf) {
		if (why)
			snprintf(why, size, "the configuration has no such account or class");
		return WINDOW_NEVER;
	}
	if (l->held) {
		if (why)
			snprintf(why, size, "held: %s", l->why);
		return WINDOW_NEVER;
	}
	const char *parked = cred_parked(l->acct);
	if (parked) {
		if (why)
			snprintf(why, size, "held: %s", parked);
		return WINDOW_NEVER;
	}
	if (l->until_ms > now) {
		say_until(l, WHY_PAUSED, l->until_ms, why, size);
		return l->until_ms;
	}
	if (l->quota_until_ms > now) {
		say_until(l, l->quota_why, l->quota_until_ms, why, size);
		return l->quota_until_ms;
	}
	int64_t open = window_next(&l->hours, NULL, now, &l->d->conf->zone);
	if (open > now) {
		say_until(l, "outside hours", open, why, size);
		return open;
	}
	wait = breaker_wait_ms(&l->breaker, now);
	if (wait > 0) {
		if (wait == INT64_MAX && why)
			snprintf(why, size, "trouble: a probe is on its way");
		else if (wait != INT64_MAX)
			say_until(l, WHY_BREAKER, now + wait, why, size);
		return wait == INT64_MAX ? WINDOW_NEVER : now + wait;
	}
	return 0;
}

static double commit_s(const struct dispatch *d)
{
	return (double)d->commit_ms_x16 / 16.0 / 1000.0;
}

uint32_t lane_intents_limit(const struct dlane *l)
{
	uint32_t max = l->conf && l->conf->intents_max ? l->conf->intents_max : INTENTS_DEFAULT;
	double ahead = 3.0 * commit_s(l->d) * l->rate;
	uint32_t n = l->pace.limit;

	if (max > SQ_TURN_MAX)
		max = SQ_TURN_MAX;
	if (l->breaker.state != BREAKER_CLOSED)
		return 1;
	if (ahead > (double)n)
		n = ahead > (double)max ? max : (uint32_t)ahead;
	return n < max ? n : max;
}

uint32_t lane_ready_target(const struct dlane *l)
{
	uint32_t n = 2 * lane_intents_limit(l);

	/* A slow lane leases no more than it can send soon: leases grow old. */
	if (l->bucket.rate_per_s > 0 && (double)n > 4.0 + 5.0 * l->bucket.rate_per_s)
		n = (uint32_t)(4.0 + 5.0 * l->bucket.rate_per_s);
	n = n < 16 ? 16 : n;
	return n < D_READY_MAX ? n : D_READY_MAX;
}

void lane_count_done(struct dlane *l, int outcome)
{
	int64_t now = env_mono(l->d->o.env);

	l->done += outcome == LT_ACCEPTED;
	l->refused += outcome == LT_REFUSED;
	l->deferred += outcome == LT_DEFERRED;
	l->unknown += outcome == LT_UNKNOWN;
	l->rate_n++;
	if (l->rate_at_ms == 0)
		l->rate_at_ms = now;
	if (now - l->rate_at_ms < 100)
		return;
	double seen = (double)l->rate_n * 1000.0 / (double)(now - l->rate_at_ms);
	l->rate = l->rate > 0 ? 0.5 * l->rate + 0.5 * seen : seen;
	l->rate_at_ms = now;
	l->rate_n = 0;
}

static void effect_one(struct dlane *l, unsigned effects, int64_t pause_ms)
{
	int64_t now = env_wall(l->d->o.env);
	uint32_t ceiling = l->conf && l->conf->concurrency ? l->conf->concurrency : 1;

	if (effects & OE_GOOD) {
		breaker_good(&l->breaker);
		pace_good(&l->pace, ceiling);
	}
	if (effects & (OE_TROUBLE | OE_SLOW))
		pace_trouble(&l->pace);
	if ((effects & OE_TROUBLE) && l->conf) {
		struct breaker_rule rule = { l->conf->breaker_failures, l->conf->breaker_pause_ms,
			l->conf->breaker_pause_max_ms };
		if (breaker_trouble(&l->breaker, &rule, now, (effects & OE_OPEN_NOW) != 0))
			log_line(LOG_WARN,
				"ev=lane.breaker lane=%lld ch=%s acct=%s class=%s state=open "
				"until_ms=%lld continuing",
				(long long)l->id, l->acct->chan->name, l->acct->name, l->class,
				(long long)l->breaker.until_ms);
	}
	if ((effects & OE_PAUSE) && now + pause_ms > l->until_ms) {
		l->until_ms = now + pause_ms;
		l->until_ours = true;
		l->bucket_dirty = true; /* stored with the next intents: holds across a restart */
	}
	if ((effects & OE_QUIET) && now + pause_ms > l->quiet_until_ms)
		l->quiet_until_ms = now + pause_ms;
	if (effects & (OE_TROUBLE | OE_PAUSE | OE_SLOW | OE_GOOD))
		lane_kick(l);
}

static bool in_scope(const struct dlane *o, const struct dlane *l, int scope)
{
	switch (scope) {
	case LT_SCOPE_ACCOUNT: return o->acct == l->acct;
	case LT_SCOPE_CHANNEL: return o->acct->chan == l->acct->chan;
	case LT_SCOPE_CLASS:
		return o->acct->chan == l->acct->chan && strcmp(o->class, l->class) == 0;
	default: return o == l;
	}
}

void lane_effects(struct dlane *l, unsigned effects, int scope, int64_t pause_ms)
{
	unsigned others = effects & ~(unsigned)OE_GOOD;

	effect_one(l, effects, pause_ms);
	if (scope < LT_SCOPE_ACCOUNT || !(others & (OE_TROUBLE | OE_SLOW | OE_PAUSE)))
		return;
	LIST_FOR(&l->d->lanes, n)
	{
		struct dlane *o = CONTAINER_OF(n, struct dlane, node);
		if (o != l && in_scope(o, l, scope))
			effect_one(o, others, pause_ms);
	}
}

void acct_tell_limit(struct dacct *a)
{
	uint32_t n = 0;

	LIST_FOR(&a->lanes, it)
	{
		struct dlane *l = CONTAINER_OF(it, struct dlane, a_node);
		if (!lane_has_work(l))
			continue;
		bool waits = lane_wait_until(l, NULL, 0) > env_wall(a->d->o.env);
		if (l->breaker.state != BREAKER_CLOSED)
			n += l->in_flight ? l->in_flight : waits ? 0 : 1;
		else if (waits)
			n += l->in_flight;
		else
			n += l->pace.limit;
	}
	if (n == 0 && a->limit_told && !timer_is_set(&a->idle))
		timer_set(a->d->o.env, &a->idle, env_mono(a->d->o.env) + D_IDLE_MS);
	if (n == 0 || n == a->limit_told || !a->acct || a->d->stopping)
		return;
	timer_stop(a->d->o.env, &a->idle);
	a->limit_told = n;
	channel_limit(a->acct, n);
}

int64_t clock_back(int64_t until, int64_t old_now_ms, int64_t by_ms)
{
	if (until > old_now_ms)
		return until - by_ms;
	return until > old_now_ms - by_ms ? 0 : until;
}

static void lane_clock_back(struct dlane *l, int64_t old_now, int64_t by)
{
	bool login = l->login_until_ms && l->login_until_ms == l->until_ms;

	if (l->until_ours) {
		l->until_ms = clock_back(l->until_ms, old_now, by);
		l->bucket_dirty = true;
	}
	l->login_until_ms = login ? l->until_ms : 0;
	l->quiet_until_ms = clock_back(l->quiet_until_ms, old_now, by);
	l->breaker.until_ms = clock_back(l->breaker.until_ms, old_now, by);
	l->quota_until_ms = l->gap_until_ms = 0; /* the writer says so again, where it is so */
	lane_kick(l);
}

/* A machine may start with a clock that is hours ahead (its own set to local time), and hear the right time once the network is up:
 * a pause of seconds would last for those hours. */
void lanes_clock_look(struct dispatch *d)
{
	int64_t wall = env_wall(d->o.env), was = d->clock_ms;

	d->clock_ms = wall - env_mono(d->o.env);
	int64_t by = was - d->clock_ms;
	if (!was || by < CLOCK_BACK_MS)
		return;
	log_line(LOG_WARN, "ev=clock.back ms=%lld continuing", (long long)by);
	LIST_FOR(&d->lanes, n)
	lane_clock_back(CONTAINER_OF(n, struct dlane, node), wall + by, by);
	LIST_FOR(&d->lots, n)
	CONTAINER_OF(n, struct dlot, node)->money_wait_ms = 0;
	creds_clock_back(d, wall + by, by);
}

void lanes_free(struct dispatch *d)
{
	LIST_FOR_SAFE(&d->lanes, n, nx)
	{
		struct dlane *l = CONTAINER_OF(n, struct dlane, node);
		size_t at = 0;
		void *flow;
		uint64_t key;
		timer_stop(d->o.env, &l->timer);
		free(l->over);
		while (map64_next(l->flows, &at, &key, &flow))
			free(flow);
		map64_free(l->flows);
		free(l);
	}
	LIST_FOR_SAFE(&d->accts, n, nx)
	{
		struct dacct *a = CONTAINER_OF(n, struct dacct, node);
		timer_stop(d->o.env, &a->idle);
		free(a);
	}
	LIST_FOR_SAFE(&d->groups, n, nx)
	free(CONTAINER_OF(n, struct dgroup, node));
	size_t at = 0;
	void *c;
	uint64_t key;
	while (map64_next(d->chan_by_id, &at, &key, &c))
		free(c);
	list_init(&d->lanes);
	list_init(&d->accts);
	list_init(&d->groups);
}

/* Without a session: what the provider said last, also behind the pause that it made. */
static void no_session_says(const struct dlane *l, char *why, size_t size)
{
	const char *said = l->acct->trouble;
	size_t n = strlen(why);

	if (l->acct->up || !lane_has_work(l))
		return;
	if (!n)
		snprintf(why, size, "no session with the provider%s%s", said[0] ? ": " : " yet",
			said);
	else if (said[0] &&
		(str_starts(str_of(why), WHY_PAUSED) || str_starts(str_of(why), WHY_BREAKER)))
		snprintf(why + n, size - n, ": %s", said);
}

static void lane_facts(struct dlane *l, struct dispatch_lane_facts *f)
{
	int64_t until = lane_wait_until(l, f->why, sizeof(f->why));

	if (!f->why[0] && l->gap_until_ms > env_wall(l->d->o.env))
		say_until(l, "min_gap: some addresses got another message lately and wait",
			l->gap_until_ms, f->why, sizeof(f->why));
	f->channel = l->acct->chan->name;
	f->account = l->acct->name;
	f->class = l->class;
	f->lane_id = l->id;
	f->in_flight = l->in_flight;
	f->concurrency = l->pace.limit;
	f->intents_open = l->intents;
	f->intents_limit = lane_intents_limit(l);
	f->ready = l->n_ready;
	f->breaker = (uint32_t)l->breaker.state;
	f->tokens = l->bucket.tokens;
	f->rate_per_s = l->rate;
	f->next_ms = until == WINDOW_NEVER ? 0 : until;
	(void)backup_says(l, f->why, sizeof(f->why));
	no_session_says(l, f->why, sizeof(f->why));
	f->done = l->done;
	f->deferred = l->deferred;
	f->refused = l->refused;
	f->unknown = l->unknown;
	for (size_t i = 0; i < l->d->n_gates && !f->why[0]; i++) {
		const struct sq_gate *g = &l->d->gates[i];
		bool whole = !g->release && !g->office && !g->campaign && g->part < 0;
		if (whole &&
			(g->all || g->lane == l->id || g->channel == l->acct->chan->id ||
				(l->acct->chan->conf && g->kind == (int)l->acct->chan->conf->kind)))
			snprintf(f->why, sizeof(f->why), "paused by %s: %.60s", g->person, g->why);
	}
}

void dispatch_lanes(struct dispatch *d,
	void (*visit)(void *ctx, const struct dispatch_lane_facts *f), void *ctx)
{
	LIST_FOR(&d->lanes, n)
	{
		struct dispatch_lane_facts f = { 0 };
		lane_facts(CONTAINER_OF(n, struct dlane, node), &f);
		visit(ctx, &f);
	}
}

size_t dispatch_intents_open(const struct dispatch *d)
{
	size_t n = 0;

	LIST_FOR(&d->lanes, it)
	n += CONTAINER_OF(it, struct dlane, node)->intents;
	return n;
}
