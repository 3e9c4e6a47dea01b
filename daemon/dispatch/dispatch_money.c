/* dispatch_money.c - budgets: which meters a lot draws from, and what stops when one is used up.
 * Thread: loop; money_read on a worker, inside the scan. Owns: struct sq_money, shared by the copies of a lot by references.
 * The counting itself is done by the writer, in the transaction of the intent (store_money.c): here is only what the configuration
 * and the lot say. A meter of a lane, account or channel waits for its next day or month, all others hold what they cover until
 * a person resumes it, unless the configuration says otherwise.
 * Failures: a name of the configuration that is not in the store yet covers nothing; the next scan looks again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "dispatch/dispatch_internal.h"
#include "dispatch/dispatch_money.h"
#include "store/store_money.h"

#define NEVER        INT64_MAX
#define ASK_AGAIN_MS 500

/* --- names of the configuration -> rows ------------------------------------------------------------------------------------ */
int money_read(const struct conf *conf, struct store_reader *r, struct money_ids *ret)
{
	int rc = 0;

	*ret = (struct money_ids){ .n = conf->n_budgets };
	ret->v = x_calloc(conf->n_budgets + 1, sizeof(*ret->v));
	for (size_t i = 0; i < conf->n_budgets && rc == 0; i++) {
		const struct conf_budget *b = &conf->budgets[i];
		if (b->office)
			rc = sq_read_named(r, true, b->office, &ret->v[i].office);
		if (rc == 0 && b->campaign)
			rc = sq_read_named(r, false, b->campaign, &ret->v[i].campaign);
	}
	return rc;
}

void money_ids_done(struct money_ids *m)
{
	free(m->v);
	*m = (struct money_ids){ 0 };
}

static bool same_ids(const struct money_ids *a, const struct money_ids *b)
{
	return a->n == b->n && a->v && b->v && memcmp(a->v, b->v, a->n * sizeof(*a->v)) == 0;
}

void money_merge(struct dispatch *d, struct money_ids *m)
{
	bool same = d->money_gen > 0 && same_ids(&d->money_ids, m);

	free(d->money_ids.v);
	d->money_ids = *m;
	*m = (struct money_ids){ 0 };
	if (!same)
		d->money_gen++;
}

static bool same_name(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

void money_reload(struct dispatch *d, const struct conf *old)
{
	struct money_ids m = { .n = d->conf->n_budgets };

	m.v = x_calloc(m.n + 1, sizeof(*m.v));
	for (size_t i = 0; i < m.n; i++)
		for (size_t k = 0; k < old->n_budgets && k < d->money_ids.n; k++) {
			if (same_name(d->conf->budgets[i].office, old->budgets[k].office))
				m.v[i].office = d->money_ids.v[k].office;
			if (same_name(d->conf->budgets[i].campaign, old->budgets[k].campaign))
				m.v[i].campaign = d->money_ids.v[k].campaign;
		}
	money_merge(d, &m);
	d->money_gen++; /* other limits: what waits asks again */
	LIST_FOR(&d->lanes, n)
	{
		struct dlane *l = CONTAINER_OF(n, struct dlane, node);
		l->quota_until_ms = 0;
		lane_kick(l);
	}
	LIST_FOR(&d->lots, n)
	{
		struct dlot *l = CONTAINER_OF(n, struct dlot, node);
		if (l->money_wait_ms)
			lot_want_at(l, env_wall(d->o.env));
	}
}

/* --- meters of a lot --------------------------------------------------------------------------------------------------------- */
void money_unref(struct sq_money *m)
{
	if (m && --m->refs == 0)
		d_free(m);
}

static void meter_add(struct sq_money *m, const struct dispatch *d, const struct money_limits *l,
	const struct sq_meter *like)
{
	int64_t now = env_wall(d->o.env);

	for (int p = 0; p < MONEY_PERIODS && m->n < SQ_METERS_MAX; p++) {
		if (l->dong[p] <= 0 && l->messages[p] <= 0)
			continue;
		struct sq_meter *x = &m->v[m->n++];
		*x = *like;
		x->dong_max = l->dong[p];
		x->messages_max = l->messages[p];
		x->end_ms = money_window_end((enum money_period)p, now, &d->conf->zone);
		if (p == MONEY_TOTAL)
			x->waits = false;
		money_window(
			(enum money_period)p, now, &d->conf->zone, x->window, sizeof(x->window));
	}
}

static bool covers(struct dispatch *d, const struct dlot *l, size_t i)
{
	const struct conf_budget *b = &d->conf->budgets[i];
	const struct money_id *id = &d->money_ids.v[i];
	const struct dlane *lane = l->lane;

	if (b->channel && strcmp(b->channel, lane->acct->chan->name) != 0)
		return false;
	if (b->account && strcmp(b->account, lane->acct->name) != 0)
		return false;
	if (b->class && strcmp(b->class, lane->class) != 0)
		return false;
	if (b->campaign && (!id->campaign || id->campaign != l->campaign))
		return false;
	return !b->office || (id->office && office_under(d, l->office, id->office));
}

/* The same budget is the same scope after a restart and a reload: its own words are its name. */
static void budget_add(struct dispatch *d, struct sq_money *m, const struct dlot *l, size_t i)
{
	const struct conf_budget *b = &d->conf->budgets[i];
	struct sq_meter like = { .reach = SQ_REACH_LOT };

	if (!covers(d, l, i))
		return;
	if (b->campaign)
		like.reach = SQ_REACH_RELEASE;
	else if (!b->office)
		like.reach = b->class ? SQ_REACH_LANE
			: b->account  ? SQ_REACH_ACCOUNT
				      : SQ_REACH_CHANNEL;
	like.waits = b->waits_set ? b->waits : like.reach >= SQ_REACH_LANE;
	money_scope(b->name, like.scope, sizeof(like.scope));
	(void)snprintf(like.name, sizeof(like.name), "%.90s", b->name);
	meter_add(m, d, &b->limits, &like);
}

static void lane_add(struct dispatch *d, struct sq_money *m, const struct dlot *l)
{
	const struct dlane *lane = l->lane;
	struct sq_meter like = { .waits = true, .reach = SQ_REACH_LANE };

	if (!lane->conf)
		return;
	(void)snprintf(like.scope, sizeof(like.scope), "lane:%lld", (long long)lane->id);
	(void)snprintf(like.name, sizeof(like.name), "lane %.30s/%.30s/%.25s",
		lane->acct->chan->name, lane->acct->name, lane->class);
	meter_add(m, d, &lane->conf->limits, &like);
}

static void part_add(struct dispatch *d, struct sq_money *m, const struct dlot *l)
{
	struct money_limits limits = { .dong = { [MONEY_TOTAL] = l->cost_max } };
	struct sq_meter like = { .reach = SQ_REACH_RELEASE };

	if (l->cost_max < 0)
		return;
	/* a ceiling of 0 is one, too */
	limits.dong[MONEY_TOTAL] = l->cost_max > 0 ? l->cost_max : 1;
	(void)snprintf(like.scope, sizeof(like.scope), "part:%lld/%lld/%lld", (long long)l->release,
		(long long)l->rev, (long long)l->part);
	(void)snprintf(like.name, sizeof(like.name), "max_cost of the part");
	meter_add(m, d, &limits, &like);
	if (l->cost_max == 0 && m->n > 0)
		m->v[m->n - 1].dong_max = 1; /* less than any message costs */
}

static struct sq_money *money_make(struct dispatch *d, const struct dlot *l)
{
	const struct conf_category_rule *rule = conf_category_find(d->conf, l->category);
	struct sq_money *m = d_alloc(d, sizeof(*m));

	m->refs = 1;
	part_add(d, m, l);
	for (size_t i = 0; i < d->conf->n_budgets && i < d->money_ids.n; i++)
		budget_add(d, m, l, i);
	lane_add(d, m, l);
	if (l->category == CAT_ADVERTISING || (rule && rule->per_recipient)) {
		m->ad_max = rule ? rule->per_recipient : 0;
		m->ad_window_ms = rule && rule->per_window_ms > 0 ? rule->per_window_ms : 1;
	}
	if (m->n == 0 && m->ad_window_ms == 0) {
		money_unref(m);
		return NULL;
	}
	return m;
}

/* Until when the meters stay as they are: the end of the first window. */
static int64_t good_until(const struct sq_money *m)
{
	int64_t at = NEVER;

	for (size_t i = 0; m && i < m->n; i++)
		at = m->v[i].end_ms < at ? m->v[i].end_ms : at;
	return at;
}

void money_attach(struct dcopy *c)
{
	struct dlot *l = c->lot;
	struct dispatch *d = c->d;
	int64_t now = env_wall(d->o.env);

	if (l->money_gen != d->money_gen || now >= l->money_until_ms || now < l->money_from_ms) {
		money_unref(l->money);
		l->money = money_make(d, l);
		l->money_gen = d->money_gen;
		l->money_from_ms = now - 60000; /* a clock that is set back makes other windows */
		l->money_until_ms = good_until(l->money);
	}
	money_unref(c->money);
	c->money = l->money;
	if (c->money)
		c->money->refs++;
	c->intent.money = c->money;
}

void money_granted(struct dcopy *c)
{
	if (!c->money)
		return;
	c->paid = true;
	c->lot->n_paid++;
}

void money_detach(struct dcopy *c)
{
	if (c->paid)
		c->lot->n_paid--;
	c->paid = false;
	money_unref(c->money);
	c->money = NULL;
}

void money_outcome(struct dcopy *c)
{
	bool unused = c->out.verb == SQ_REVOKE ||
		(c->out.verb == SQ_OUTCOME &&
			(c->out.outcome == LT_REFUSED || c->out.outcome == LT_DEFERRED));

	c->out.money = unused ? c->money : NULL;
	c->out.cost = c->intent.cost;
}

/* --- used up ------------------------------------------------------------------------------------------------------------------ */
static void say(const struct dcopy *c, const struct sq_meter *m, char *dst, size_t size)
{
	char used[32], max[32], cost[32];

	if (c->intent.over_dong)
		(void)snprintf(dst, size,
			"budget: %s, %s: %s of %s đ are used, one message costs %s đ", m->name,
			m->window, money_print(used, sizeof(used), c->intent.used),
			money_print(max, sizeof(max), m->dong_max),
			money_print(cost, sizeof(cost), c->intent.cost));
	else
		(void)snprintf(dst, size, "quota: %s, %s: %s of %s messages are used", m->name,
			m->window, money_print(used, sizeof(used), c->intent.used),
			money_print(max, sizeof(max), m->messages_max));
}

/* No new intents of this lot until then; those that are committed go. */
static void money_wait(struct dlot *l, int64_t until_ms)
{
	l->rewind = true; /* its row was leased and is not sent */
	l->money_wait_ms = until_ms;
	lot_want_at(l, until_ms);
}

bool money_waits(const struct dlot *l, int64_t now_ms, int64_t *ret_until)
{
	if (l->money_wait_ms <= now_ms || l->money_gen != l->lane->d->money_gen)
		return false;
	*ret_until = l->money_wait_ms;
	return true;
}

static bool reaches(const struct dlot *l, const struct dlot *o, int reach)
{
	switch (reach) {
	case SQ_REACH_LANE: return o->lane == l->lane;
	case SQ_REACH_ACCOUNT: return o->lane->acct == l->lane->acct;
	case SQ_REACH_CHANNEL: return o->lane->acct->chan == l->lane->acct->chan;
	case SQ_REACH_RELEASE: return o->release == l->release;
	default: return o == l;
	}
}

static bool any_under_way(const struct dlot *l, const struct sq_meter *m)
{
	if (l->n_paid > 0)
		return true;
	LIST_FOR(&l->lane->d->lots, n)
	{
		const struct dlot *o = CONTAINER_OF(n, struct dlot, node);
		if (o->n_paid > 0 && reaches(l, o, m->reach))
			return true;
	}
	return false;
}

/* Copies that are committed have their share already: they go. The wait is in memory only: after a restart the first refused
 * intent brings it back. */
static void lane_wait(struct dlane *o, const struct sq_meter *m, const char *why)
{
	if (o->quota_until_ms >= m->end_ms)
		return;
	o->quota_until_ms = m->end_ms;
	(void)str_copy(o->quota_why, sizeof(o->quota_why), str_of(why));
	log_line(LOG_WARN,
		"ev=lane.quota lane=%lld ch=%s acct=%s class=%s why=%s until_ms=%lld continuing",
		(long long)o->id, o->acct->chan->name, o->acct->name, o->class, LOG_Q(str_of(why)),
		(long long)m->end_ms);
	lane_kick(o);
}

static void wait_for(struct dlot *l, const struct sq_meter *m, const char *why)
{
	struct dlane *lane = l->lane;

	money_wait(l, m->end_ms);
	if (m->reach < SQ_REACH_LANE)
		return;
	LIST_FOR(&lane->d->lanes, n)
	{
		struct dlane *o = CONTAINER_OF(n, struct dlane, node);
		if (o == lane || (m->reach == SQ_REACH_ACCOUNT && o->acct == lane->acct) ||
			(m->reach == SQ_REACH_CHANNEL && o->acct->chan == lane->acct->chan))
			lane_wait(o, m, why);
	}
}

static void hold_for(struct dlot *l, const struct sq_meter *m, const char *why)
{
	if (l->held_mem || l->gate != LOT_OPEN)
		return;
	log_line(LOG_WARN, "ev=lot.hold lot=%lld release=%s office=%s why=%s continuing",
		(long long)l->id, l->release_name, l->office_code, LOG_Q(str_of(why)));
	if (m->reach == SQ_REACH_LOT)
		turn_hold_lot(l, why);
	else
		turn_hold(l, l->release, l->lane, why);
}

void money_used_up(struct dcopy *c)
{
	struct dlot *l = c->lot;
	const struct sq_meter *m;
	char why[160];

	REQUIRE(c->money && c->intent.meter >= 0 && (size_t)c->intent.meter < c->money->n);
	m = &c->money->v[c->intent.meter];
	say(c, m, why, sizeof(why));
	if (l->gone)
		return;
	if (any_under_way(l, m)) { /* some of it may come back: those on their way end first */
		money_wait(l, env_wall(c->d->o.env) + ASK_AGAIN_MS);
		return;
	}
	if (m->waits && m->end_ms != NEVER)
		wait_for(l, m, why);
	else
		hold_for(l, m, why);
}
