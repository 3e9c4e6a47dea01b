/* dispatch_backup.c - the second gateway of an account: when it takes over, when the first gets its own back.
 * Thread: loop. Owns: struct dover of the lanes concerned; one command of the store a lane at a time. Must not know: SQL.
 * A lane that is in trouble (not stopped by a person, not outside its hours, not out of its quota), or puts off everything, and has accepted nothing for
 * backup_after gives its waiting deliveries to the backup: the store moves what is proven unsent, and nothing else ever. Once in
 * backup_after they stay for a short while with the first: one of them probes it. Its first acceptance brings home what still
 * waits at the backup; so does a backup that is in trouble as long itself.
 * Failures: none of its own; what cannot be moved waits where it is. A restart forgets who had taken over and looks anew. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "dispatch/dispatch_internal.h"
#include "model/when.h"
#include "store/store_queue_over.h"

#define LOOK_MS      1000
#define PROBE_MS     INT64_C(60000) /* a waiting delivery may stay so long for a probe, at most */
#define PROBE_ROWS   2              /* come home for it, if nothing else is there */
#define UNCOVERED_MS INT64_C(60000)
#define PUT_OFF_MIN  5 /* in a row: a gateway that takes nothing */

struct dover {              /* times are monotonic; 0: not */
	struct dlane *to;   /* who takes over; NULL: this lane is only a backup itself */
	int64_t after_ms;   /* of the configuration */
	int64_t down_ms;    /* in trouble and without an acceptance since */
	int64_t over_ms;    /* its deliveries go to the backup since */
	int64_t since_wall; /* the same, to be shown */
	int64_t probe_ms, probe_end_ms;
	uint64_t seen;    /* accepted ones, at the last look */
	uint64_t put_off; /* those put off, when it last accepted one or had nothing to do */
	bool coming_home, busy;
	char why[100];
};
struct over_cmd {
	struct sq_over c;
	struct dispatch *d;
	struct dlane *of, *backup; /* the first gateway's, and the second's when it was asked for */
};

struct dlane *backup_of(const struct dlane *l)
{
	return l->over && l->over->to && l->over->to->conf ? l->over->to : NULL;
}

bool backup_says(const struct dlane *l, char *why, size_t size)
{
	char t[WHEN_TEXT_MAX];

	if (!l->over || !l->over->to || !l->over->over_ms)
		return false;
	(void)snprintf(why, size, "%.40s/%.30s has taken over since %s: %s",
		l->over->to->acct->chan->name, l->over->to->acct->name,
		when_print_short(t, sizeof(t), l->over->since_wall, &l->d->conf->zone),
		l->over->why);
	return true;
}

/* --- is it in trouble? ---------------------------------------------------------------------------------------------------- */

/* What keeps it from sending though it should; false: it may send, or what stops it is our own will. */
static bool in_trouble(struct dlane *l, char *why, size_t size)
{
	int64_t now = env_wall(l->d->o.env);
	const char *parked;

	why[0] = 0;
	if (!l->conf || window_next(&l->hours, NULL, now, &l->d->conf->zone) > now ||
		(l->quota_until_ms > now && !l->held))
		return false;
	parked = cred_parked(l->acct);
	if (l->held)
		(void)snprintf(why, size, "held: %s", l->why);
	else if (parked)
		(void)snprintf(why, size, "held: %s", parked);
	else if (l->breaker.state != BREAKER_CLOSED)
		(void)snprintf(why, size, "it does not work");
	else if (l->until_ms > now)
		(void)snprintf(why, size, WHY_PAUSED);
	else if (!l->acct->up && lane_has_work(l))
		(void)snprintf(why, size, "no session with the provider");
	else if (l->over && l->deferred - l->over->put_off >= PUT_OFF_MIN)
		(void)snprintf(why, size, "it puts off everything");
	return why[0] != 0;
}

static bool movable(struct dlot *o, int64_t now_wall, int64_t now)
{
	int64_t until;

	return o->n[DLV_WAITING] > 0 && o->over_skip_ms <= now &&
		lot_may_send(o, now_wall, &until, NULL);
}

static bool has_waiting(struct dlane *l)
{
	struct env *env = l->d->o.env;
	int64_t wall = env_wall(env), now = env_mono(env);

	if (l->n_lots == 0)
		return false;
	LIST_FOR(&l->d->lots, n)
	{
		struct dlot *o = CONTAINER_OF(n, struct dlot, node);
		if (o->lane == l && movable(o, wall, now))
			return true;
	}
	return false;
}

/* --- moving ---------------------------------------------------------------------------------------------------------------- */

static void over_go(struct dlane *of, bool back, int64_t max);

size_t over_uncovered(struct dispatch *d, const struct sq_over *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		struct dlot *l = c->uncovered[i] ? lot_find(d, c->lot[i]) : NULL;
		n += c->uncovered[i];
		if (l)
			l->over_skip_ms = env_mono(d->o.env) + UNCOVERED_MS;
	}
	return n;
}

static void on_moved(struct store_cmd *cmd)
{
	struct over_cmd *o = CONTAINER_OF(cmd, struct over_cmd, c.cmd);
	struct dispatch *d = o->d;
	struct dover *v = o->of->over;
	/* A reload in between may have named another backup, or none: then it begins anew, or not at all. */
	bool more = cmd->rc == 0 && o->c.left && !o->c.max && !d->stopping && v->to == o->backup;

	v->busy = false;
	if (cmd->rc)
		log_line(LOG_WARN, "ev=lane.over.fail lane=%lld code=%d continuing",
			(long long)o->c.from, cmd->rc);
	else
		(void)over_uncovered(d, &o->c);
	if (cmd->rc == 0 && o->c.ret_moved) {
		log_line(LOG_INFO, "ev=lane.moved from=%lld to=%lld n=%lld left=%s",
			(long long)o->c.from, (long long)o->c.to, (long long)o->c.ret_moved,
			o->c.left ? "yes" : "no");
		if (!more)
			dispatch_scan(d);
	}
	if (o->c.back && !o->c.max && cmd->rc == 0 && !o->c.ret_moved && !o->c.left)
		v->coming_home = false;
	if (more)
		over_go(o->of, o->c.back, 0);
	d_free(o);
	cmd_end(d);
}

/* By what the lot's last fill saw. */
static bool is_later(const struct dlot *l, int64_t by_ms)
{
	return by_ms && l->n_ready == 0 && l->wake_ms > by_ms;
}

/* Lots with something to move, for a probe those that are due soon first; what is leased of them is given up first: its intent would
 * not be granted any more. */
static size_t lots_of(struct over_cmd *o, struct dlane *from)
{
	struct env *env = from->d->o.env;
	int64_t wall = env_wall(env), now = env_mono(env), by = o->c.max ? wall + PROBE_MS : 0;

	for (int later = 0; later <= (by ? 1 : 0); later++) {
		LIST_FOR(&from->d->lots, n)
		{
			struct dlot *l = CONTAINER_OF(n, struct dlot, node);
			if (o->c.n == SQ_OVER_LOTS)
				break;
			if (l->lane != from || is_later(l, by) != later || !movable(l, wall, now))
				continue;
			if (!o->c.back)
				lot_drop_ready(l);
			o->c.lot[o->c.n++] = l->id;
		}
	}
	return o->c.n;
}

static void over_go(struct dlane *of, bool back, int64_t max)
{
	struct dispatch *d = of->d;
	struct dover *v = of->over;
	struct dlane *from = back ? v->to : of, *to = back ? of : v->to;

	if (v->busy || d->stopping)
		return;
	struct over_cmd *o = d_alloc(d, sizeof(*o));
	o->d = d;
	o->of = of;
	o->backup = v->to;
	o->c.from = from->id;
	o->c.to = to->id;
	o->c.back = back;
	o->c.max = max;
	(void)snprintf(o->c.why, sizeof(o->c.why), "%s",
		back ? "the first gateway works again, or the second does not" : v->why);
	if (lots_of(o, from) == 0) {
		v->coming_home = v->coming_home && !back;
		d_free(o);
		return;
	}
	sq_over_init(&o->c);
	o->c.cmd.done = on_moved;
	v->busy = true;
	cmd_begin(d);
	store_submit_or_done(d->o.store, &o->c.cmd);
}

/* --- deciding -------------------------------------------------------------------------------------------------------------- */

static void take_over(struct dlane *l, const char *why, int64_t now)
{
	struct dover *v = l->over;

	v->over_ms = now;
	v->since_wall = env_wall(l->d->o.env);
	v->coming_home = false;
	v->probe_ms = now + v->after_ms;
	v->probe_end_ms = 0;
	(void)str_copy(v->why, sizeof(v->why), str_of(why));
	log_line(LOG_ERROR, "ev=lane.over ch=%s acct=%s class=%s to=%s/%s why=%s",
		l->acct->chan->name, l->acct->name, l->class, v->to->acct->chan->name,
		v->to->acct->name, LOG_Q(str_of(why)));
}

static void give_back(struct dlane *l, const char *why)
{
	struct dover *v = l->over;

	v->over_ms = v->down_ms = 0;
	v->coming_home = true;
	log_line(LOG_WARN, "ev=lane.back ch=%s acct=%s class=%s why=%s continuing",
		l->acct->chan->name, l->acct->name, l->class, LOG_Q(str_of(why)));
}

/* While a probe may run nothing is moved; our own pause is no reason against it, the provider's is. */
static bool probing(struct dlane *l, int64_t now)
{
	struct dover *v = l->over;
	int64_t wall = env_wall(l->d->o.env);

	if (now < v->probe_end_ms)
		return true;
	if (now < v->probe_ms || l->held || cred_parked(l->acct) || l->until_ms > wall)
		return false;
	v->probe_end_ms = now + (v->after_ms < PROBE_MS ? v->after_ms : PROBE_MS);
	v->probe_ms = v->probe_end_ms + v->after_ms;
	if (l->breaker.state == BREAKER_OPEN && l->breaker.until_ms > wall)
		l->breaker.until_ms = wall;
	if (!has_waiting(l))
		over_go(l, true, PROBE_ROWS);
	lane_kick(l);
	return true;
}

static void look_over(struct dlane *l, int64_t now)
{
	struct dover *v = l->over, *b = v->to->over;

	if (b && b->down_ms && now - b->down_ms >= v->after_ms) {
		give_back(l, "the second gateway does not work either");
		v->down_ms = now;
	} else if (!probing(l, now)) {
		over_go(l, false, 0);
	}
}

static void look_at(struct dlane *l, int64_t now)
{
	struct dover *v = l->over;
	char why[100], other[100];
	bool trouble = in_trouble(l, why, sizeof(why)), accepted = l->done != v->seen;

	v->seen = l->done;
	if (accepted || (!v->over_ms && l->deferred > v->put_off && !has_waiting(l)))
		v->put_off = l->deferred;
	if (accepted || (!trouble && !v->over_ms && !lane_has_work(l)))
		v->down_ms = 0;
	if (trouble && !v->down_ms && !accepted && (!v->to || has_waiting(l)))
		v->down_ms = now;
	if (!v->to)
		return;
	if (accepted && v->over_ms)
		give_back(l, "it accepts again");
	if (!v->over_ms && trouble && v->down_ms && now - v->down_ms >= v->after_ms &&
		!in_trouble(v->to, other, sizeof(other)) && has_waiting(l))
		take_over(l, why, now);
	if (v->over_ms)
		look_over(l, now);
	else if (v->coming_home)
		over_go(l, true, 0);
}

static void on_look(struct timer *t)
{
	struct dispatch *d = CONTAINER_OF(t, struct dispatch, over_timer);
	int64_t now = env_mono(d->o.env);
	bool some = false;

	if (d->stopping)
		return;
	LIST_FOR(&d->lanes, n)
	{
		struct dlane *l = CONTAINER_OF(n, struct dlane, node);
		if (!l->over)
			continue;
		some = true;
		if (d->ready && l->conf)
			look_at(l, now);
	}
	if (some)
		timer_set(d->o.env, &d->over_timer, now + LOOK_MS);
}

/* --- life ------------------------------------------------------------------------------------------------------------------- */

static struct dlane *lane_of(struct dacct *a, const char *class)
{
	struct dlane *any = NULL;

	LIST_FOR(&a->lanes, n)
	{
		struct dlane *l = CONTAINER_OF(n, struct dlane, a_node);
		if (strcmp(l->class, class) == 0)
			return l;
		any = l->class[0] ? any : l;
	}
	return any;
}

static struct dover *over_make(struct dlane *l)
{
	if (!l->over) {
		l->over = x_calloc(1, sizeof(*l->over));
		l->over->seen = l->done;
		l->over->put_off = l->deferred;
	}
	return l->over;
}

void backup_bind(struct dispatch *d)
{
	bool some = false;

	LIST_FOR(&d->lanes, n)
	{
		struct dlane *l = CONTAINER_OF(n, struct dlane, node);
		const struct conf_channel *bc = NULL;
		const struct conf_account *b = l->acct->acct && l->conf
			? conf_backup_of(d->conf, l->acct->conf, &bc)
			: NULL;
		struct dacct *ba = b ? acct_named(d, bc->name, b->name) : NULL;
		struct dlane *to = ba ? lane_of(ba, l->class) : NULL;
		if (l->over && l->over->to != to) {
			l->over->to = to;
			l->over->over_ms = l->over->down_ms = 0;
			l->over->coming_home = false;
		}
		if (!to)
			continue;
		over_make(l)->to = to;
		l->over->after_ms = l->acct->conf->backup_after_ms;
		(void)over_make(to);
		some = true;
	}
	if (some && !d->stopping && !timer_is_set(&d->over_timer))
		timer_set(d->o.env, &d->over_timer, env_mono(d->o.env) + LOOK_MS);
}

void backup_init(struct dispatch *d)
{
	timer_init(&d->over_timer, on_look);
}

void backup_stop(struct dispatch *d)
{
	timer_stop(d->o.env, &d->over_timer);
}
