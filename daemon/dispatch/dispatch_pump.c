/* dispatch_pump.c - one deferred pass over the lanes that changed: fills, picks, starts; then the turn.
 * Thread: loop. Owns: nothing. Must not know: SQL, adapters.
 * Every copy is checked again here, before its intent and before its start: approved, not stopped, not expired, in hours. */
#include "base/log.h"
#include "dispatch/dispatch_internal.h"

#define PICKS_MAX 2048 /* of one lane in one pass */

void dispatch_kick(struct dispatch *d)
{
	if (d->started)
		env_defer(d->o.env, &d->pump);
}

static struct dlot *next_lot(struct dlane *l, bool urgent)
{
	struct dflow *f = CONTAINER_OF(l->ring[urgent ? 0 : 1].next, struct dflow, node);

	REQUIRE(!list_empty(&f->ready));
	return CONTAINER_OF(f->ready.next, struct dlot, l_node);
}

/* Turn of a release is over after its quantum; lots of a release take turns one by one. */
static void rotate(struct dlane *l, struct dlot *lot, bool urgent)
{
	struct dflow *f = lot->flow;

	if (!list_empty(&lot->l_node)) {
		list_del(&lot->l_node);
		list_push(&f->ready, &lot->l_node);
	}
	if (!f->active || --f->deficit > 0)
		return;
	f->deficit = fair_quantum(lot->prio);
	list_del(&f->node);
	list_push(&l->ring[urgent ? 0 : 1], &f->node);
}

/* Sends one copy on to its intent, or drops leases that may not go now. */
static void pick_one(struct dlane *l, int64_t now_ms)
{
	struct dispatch *d = l->d;
	bool u = !list_empty(&l->ring[0]), o = !list_empty(&l->ring[1]);
	double share = d->conf->urgent_share > 0 ? d->conf->urgent_share : 0.8;
	enum fair_pick what = fair_next(&l->share, u, o, share);
	struct dlot *lot = next_lot(l, what == FAIR_URGENT);
	struct dcopy *c = CONTAINER_OF(lot->ready.next, struct dcopy, node);
	int64_t until = 0;

	CHECK_OBJ(c, COPY_MAGIC);
	bool may = lot_may_send(lot, now_ms, &until, NULL) && !money_waits(lot, now_ms, &until);
	if (!may || env_mono(d->o.env) - c->leased_ms > D_LEASE_MS) {
		lot_drop_ready(lot);
		if (may)
			lot_want(lot);
		else if (until)
			lot_want_at(lot, until);
		return;
	}
	(void)lot_pop_ready(lot);
	rotate(l, lot, what == FAIR_URGENT);
	fair_went(&l->share, what, u && o, share);
	lane_took(l);
	breaker_went(&l->breaker);
	turn_intent(c);
	if (lot->n_ready == 0 && !lot->wanting && !lot->filling && lot->rewind)
		lot_want(lot);
}

static void timer_at(struct dlane *l, int64_t in_ms)
{
	struct env *env = l->d->o.env;

	if (in_ms > 60000)
		in_ms = 60000; /* wall clocks move */
	timer_set(env, &l->timer, env_mono(env) + (in_ms > 0 ? in_ms : 1));
}

void lane_pick(struct dlane *l)
{
	struct dispatch *d = l->d;
	int64_t now = env_wall(d->o.env), wait = 0;

	for (int i = 0; i < PICKS_MAX && l->n_ready > 0; i++) {
		if (!l->acct->up || l->intents >= lane_intents_limit(l))
			return;
		if (!breaker_may(&l->breaker, now))
			return;
		if (!lane_has_token(l, &wait)) {
			timer_at(l, wait);
			return;
		}
		pick_one(l, now);
	}
	if (l->n_ready > 0)
		lane_kick(l); /* the rest in the next pass */
}

/* What keeps even committed copies back: then their intents are given back unused. */
static bool go_blocked(struct dlane *l, int64_t now)
{
	if (l->held || l->until_ms > now || !l->acct->up || l->d->stopping)
		return true;
	if (l->breaker.state == BREAKER_OPEN)
		return true;
	return !window_open(&l->hours, now, &l->d->conf->zone);
}

static size_t batch_take(struct dlane *l, struct dcopy **v, uint32_t max, int64_t now)
{
	size_t n = 0, bound = (l->acct->chan->caps & LT_CAP_BATCH) ? D_BATCH_MAX : 1;
	int64_t until;

	bound = max < bound ? max : bound;
	while (n < bound && !list_empty(&l->go)) {
		struct dcopy *c = CONTAINER_OF(l->go.next, struct dcopy, node);
		if (n > 0 && (c->op.batch_key == 0 || c->op.batch_key != v[0]->op.batch_key))
			break;
		list_del(&c->node);
		l->n_go--;
		if (c->revoke || !lot_may_send(c->lot, now, &until, NULL)) {
			copy_revoke(c);
			continue;
		}
		v[n++] = c;
	}
	return n;
}

static bool lane_start(struct dlane *l)
{
	struct dispatch *d = l->d;
	struct dacct *a = l->acct;
	struct dcopy *v[D_BATCH_MAX];
	struct chan_op *ops[D_BATCH_MAX];
	int64_t now = env_wall(d->o.env), mono = env_mono(d->o.env);
	uint32_t room = l->pace.limit > l->in_flight ? l->pace.limit - l->in_flight : 0;
	size_t n;

	room = room < a->credits ? room : a->credits;
	n = room ? batch_take(l, v, room, now) : 0;
	if (n == 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct dcopy *c = v[i];
		c->state = CP_ON;
		c->on_ms = mono;
		c->on_wall_ms = now;
		c->op.try_no = c->intent.tries + 1;
		c->op.attempt = c->op.delivery << 8 | (c->op.try_no & 0xff);
		c->op.deadline_mono_ms = mono +
			(l->conf->op_timeout_ms > 0 ? l->conf->op_timeout_ms : 60000);
		c->op.since_wall_ms = now;
		ops[i] = &c->op;
	}
	if (channel_start(a->acct, ops, n) != 0) {
		for (size_t i = n; i-- > 0;) {
			v[i]->state = CP_GO;
			list_push_front(&l->go, &v[i]->node);
			l->n_go++;
		}
		a->credits = 0;
		return false;
	}
	l->in_flight += (uint32_t)n;
	a->in_flight += (uint32_t)n;
	a->credits -= (uint32_t)n;
	return true;
}

static void go_give_back(struct dlane *l)
{
	struct list *n;

	while ((n = list_pop(&l->go)) != NULL) {
		l->n_go--;
		copy_revoke(CONTAINER_OF(n, struct dcopy, node));
	}
}

void acct_start(struct dacct *a)
{
	int64_t now = env_wall(a->d->o.env);
	bool any = true;

	LIST_FOR(&a->lanes, n)
	{
		struct dlane *l = CONTAINER_OF(n, struct dlane, a_node);
		if (l->n_go && go_blocked(l, now))
			go_give_back(l);
	}
	while (any && a->acct && a->credits > 0) {
		any = false;
		LIST_FOR_SAFE(&a->lanes, n, nx)
		{
			struct dlane *l = CONTAINER_OF(n, struct dlane, a_node);
			if (l->n_go && a->credits > 0 && lane_start(l)) {
				any = true;
				/* Whoever went moves behind the others of the account. */
				list_del(&l->a_node);
				list_push(&a->lanes, &l->a_node);
			}
		}
	}
}

static void lane_pump(struct dlane *l)
{
	struct dispatch *d = l->d;
	int64_t until = lane_wait_until(l, NULL, 0);
	int64_t now = env_wall(d->o.env);

	if (until > now) {
		if (until != WINDOW_NEVER)
			timer_at(l, until - now);
	} else if (!d->stopping) {
		lane_fill(l);
		lane_pick(l);
	}
	acct_start(l->acct);
	acct_tell_limit(l->acct);
}

void dispatch_pump_run(struct task *t)
{
	struct dispatch *d = CONTAINER_OF(t, struct dispatch, pump);
	struct list now;
	struct list *n;

	CHECK_OBJ(d, D_MAGIC);
	list_init(&now);
	while ((n = list_pop(&d->dirty)) != NULL)
		list_push(&now, n);
	while ((n = list_pop(&now)) != NULL)
		lane_pump(CONTAINER_OF(n, struct dlane, dirty));
	turn_kick(d);
	receipts_go(d);
	stop_check(d);
}
