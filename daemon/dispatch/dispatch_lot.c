/* dispatch_lot.c - lots in memory: what the last scan said, what stops them, and the copies that are ready to go.
 * Thread: loop. Owns: at most D_LOTS_MAX lots; a lot that is gone lives on until its last copy is. Must not know: SQL.
 * Failures: none; what is not in memory is found by a later scan. */
#include <stdlib.h>
#include <string.h>
#include "dispatch/dispatch_internal.h"

struct dprogress {
	struct list node;
	int64_t release;
	uint32_t part;
};

struct dlot *lot_find(struct dispatch *d, int64_t id)
{
	return map64_get(d->lot_by_id, (uint64_t)id);
}

/* --- gates ------------------------------------------------------------------------------------------------------------- */

bool office_under(struct dispatch *d, int64_t office, int64_t top)
{
	for (int depth = 0; office && depth < 64; depth++) {
		if (office == top)
			return true;
		office = (int64_t)(intptr_t)map64_get(d->office_parent, (uint64_t)office);
	}
	return false;
}

bool gate_covers(struct dispatch *d, const struct sq_gate *g, const struct dlot *l)
{
	const struct dchan *c = l->lane->acct->chan;

	if (g->until_ms && g->until_ms <= env_wall(d->o.env))
		return false;
	if (g->except_prio >= 0 && l->prio <= g->except_prio)
		return false;
	if (g->all)
		return true;
	return (!g->release || g->release == l->release) && (g->part < 0 || g->part == l->part) &&
		(!g->campaign || g->campaign == l->campaign) &&
		(!g->lane || g->lane == l->lane->id) && (!g->channel || g->channel == c->id) &&
		(!g->kind || (c->conf && g->kind == (int)c->conf->kind)) &&
		(!g->office || office_under(d, l->office, g->office));
}

bool lot_gated(struct dlot *l)
{
	struct dispatch *d = l->lane->d;

	if (l->gate_gen == d->gate_gen)
		return l->blocked;
	l->gate_gen = d->gate_gen;
	l->blocked = false;
	for (size_t i = 0; i < d->n_gates && !l->blocked; i++)
		l->blocked = gate_covers(d, &d->gates[i], l);
	return l->blocked;
}

/* Category and broadcast have hours beside the lane's own; 0: none of them stands in the way. */
static int64_t hours_until(const struct dlot *l, int64_t now_ms)
{
	const struct dispatch *d = l->lane->d;
	const struct window *w[] = { &d->cat_hours[l->category & 7],
		l->broadcast ? &l->lane->cast_hours : NULL };
	int64_t until = 0;

	for (size_t i = 0; i < ARRAY_LEN(w); i++) {
		int64_t at = w[i] && w[i]->n
			? window_next(w[i], &l->lane->hours, now_ms, &d->conf->zone)
			: 0;
		if (at > now_ms && at > until)
			until = at;
	}
	return until;
}

bool lot_may_send(struct dlot *l, int64_t now_ms, int64_t *ret_until, const char **ret_why)
{
	const char *why = NULL;

	*ret_until = 0;
	if (l->gone || l->gate != LOT_OPEN || l->held_mem || l->cancelled_mem)
		why = "the lot is not open";
	else if (!l->approved)
		why = "not approved";
	else if (l->expires_ms <= now_ms)
		why = "expired";
	else if (lot_gated(l))
		why = "held";
	else if (l->campaign && (now_ms < l->camp_first_ms || now_ms >= l->camp_last_ms)) {
		why = "outside its campaign";
		*ret_until = now_ms < l->camp_first_ms ? l->camp_first_ms : 0;
	} else {
		int64_t at = hours_until(l, now_ms);
		if (at) {
			why = l->broadcast ? "outside the hours of broadcasts or of its category"
					   : "outside the hours of its category";
			*ret_until = at == WINDOW_NEVER ? 0 : at;
		}
	}
	if (ret_why)
		*ret_why = why;
	return why == NULL;
}

/* --- ready copies and wishes ------------------------------------------------------------------------------------------- */

static struct dflow *flow_of(struct dlane *lane, int64_t release, bool urgent)
{
	struct dflow *f = map64_get(lane->flows, (uint64_t)release);

	if (f)
		return f;
	f = x_calloc(1, sizeof(*f));
	f->release = release;
	f->urgent = urgent;
	list_init(&f->node);
	list_init(&f->ready);
	list_init(&f->want);
	list_init(&f->w_node);
	(void)map64_put(lane->flows, (uint64_t)release, f);
	return f;
}

void lot_put_ready(struct dlot *l, struct dcopy *c)
{
	struct dlane *lane = l->lane;

	list_push(&l->ready, &c->node);
	c->state = CP_READY;
	l->n_ready++;
	lane->n_ready++;
	lane->n_ready_of[l->flow->urgent ? 0 : 1]++;
	if (list_empty(&l->l_node))
		list_push(&l->flow->ready, &l->l_node);
	if (!l->flow->active) {
		l->flow->active = true;
		l->flow->deficit = fair_quantum(l->prio);
		list_push(&lane->ring[l->flow->urgent ? 0 : 1], &l->flow->node);
	}
}

static void flow_settle(struct dlot *l)
{
	if (l->n_ready == 0)
		list_del(&l->l_node);
	if (l->flow->active && list_empty(&l->flow->ready)) {
		l->flow->active = false;
		list_del(&l->flow->node);
	}
}

struct dcopy *lot_pop_ready(struct dlot *l)
{
	struct list *n = list_pop(&l->ready);

	if (!n)
		return NULL;
	l->n_ready--;
	l->lane->n_ready--;
	l->lane->n_ready_of[l->flow->urgent ? 0 : 1]--;
	flow_settle(l);
	return CONTAINER_OF(n, struct dcopy, node);
}

void lot_drop_ready(struct dlot *l)
{
	struct dispatch *d = l->lane->d;
	struct dcopy *c;

	l->refs++;
	while ((c = lot_pop_ready(l)) != NULL) {
		(void)map64_del(d->copy_by_id, c->op.delivery);
		copy_free(c);
		l->rewind = true;
	}
	lot_unref(l);
}

void lot_want(struct dlot *l)
{
	if (l->gone || l->wanting)
		return;
	if (l->filling) {
		l->rewind = true; /* what the fill reads may be too old: again after it */
		return;
	}
	l->wanting = true;
	l->wake_ms = 0;
	timer_stop(l->lane->d->o.env, &l->wake);
	list_push(&l->flow->want, &l->w_node);
	if (list_empty(&l->flow->w_node))
		list_push(&l->lane->want[l->flow->urgent ? 0 : 1], &l->flow->w_node);
	lane_kick(l->lane);
}

struct dlot *lane_want_pop(struct dlane *lane, int kind)
{
	struct list *n = list_pop(&lane->want[kind]);

	if (!n)
		return NULL;
	struct dflow *f = CONTAINER_OF(n, struct dflow, w_node);
	struct list *w = list_pop(&f->want);

	REQUIRE(w != NULL); /* a flow that wants has a lot that does */
	struct dlot *l = CONTAINER_OF(w, struct dlot, w_node);
	l->wanting = false;
	if (!list_empty(&f->want))
		list_push(&lane->want[kind], &f->w_node);
	return l;
}

static void on_wake(struct timer *t)
{
	struct dlot *l = CONTAINER_OF(t, struct dlot, wake);

	CHECK_OBJ(l, LOT_MAGIC);
	l->wake_ms = 0;
	lot_want(l);
}

void lot_want_at(struct dlot *l, int64_t wall_ms)
{
	struct env *env = l->lane->d->o.env;
	int64_t in = wall_ms - env_wall(env);

	if (l->gone || l->wanting || (l->wake_ms && l->wake_ms <= wall_ms))
		return;
	if (in <= 0) {
		lot_want(l);
		return;
	}
	if (in > INT64_C(86400000))
		in = INT64_C(86400000); /* wall clocks move: look again once a day */
	l->wake_ms = wall_ms;
	timer_set(env, &l->wake, env_mono(env) + in);
}

/* --- life -------------------------------------------------------------------------------------------------------------- */

static void lot_release(struct dlot *l)
{
	timer_stop(l->lane->d->o.env, &l->wake);
	money_unref(l->money);
	l->magic = 0;
	d_free(l);
}

void lot_unref(struct dlot *l)
{
	REQUIRE(l->refs > 0);
	if (--l->refs == 0 && l->gone)
		lot_release(l);
}

void lot_drop(struct dlot *l)
{
	struct dlane *lane = l->lane;
	struct dispatch *d = lane->d;

	if (l->gone)
		return;
	l->refs++;
	lot_drop_ready(l);
	l->gone = true;
	timer_stop(d->o.env, &l->wake);
	list_del(&l->w_node);
	if (list_empty(&l->flow->want))
		list_del(&l->flow->w_node);
	list_del(&l->node);
	(void)map64_del(d->lot_by_id, (uint64_t)l->id);
	d->n_lots--;
	lane->n_lots--;
	lane->n_casts -= l->broadcast;
	if (--l->flow->n_lots == 0) {
		(void)map64_del(lane->flows, (uint64_t)l->release);
		list_del(&l->flow->node);
		list_del(&l->flow->w_node);
		free(l->flow);
	}
	l->flow = NULL;
	lot_unref(l);
}

static struct dlot *lot_new(struct dispatch *d, struct dlane *lane, const struct sq_lot_row *r)
{
	struct dlot *l = d_alloc(d, sizeof(*l));

	l->magic = LOT_MAGIC;
	l->lane = lane;
	l->id = r->id;
	l->release = r->release;
	l->urgent = r->prio == PRIO_URGENT || r->category == CAT_EMERGENCY;
	list_init(&l->l_node);
	list_init(&l->w_node);
	list_init(&l->ready);
	timer_init(&l->wake, on_wake);
	l->flow = flow_of(lane, r->release, l->urgent);
	l->flow->n_lots++;
	lane->n_lots++;
	list_push(&d->lots, &l->node);
	(void)map64_put(d->lot_by_id, (uint64_t)l->id, l);
	d->n_lots++;
	return l;
}

static void lot_set(struct dlot *l, const struct sq_lot_row *r)
{
	if (l->rev != r->rev || l->category != r->category || l->campaign != r->campaign ||
		l->cost_max != r->cost_max)
		l->money_gen = 0; /* other meters */
	l->cost_max = r->cost_max;
	l->rev = r->rev;
	l->part = r->part;
	l->office = r->office;
	l->campaign = r->campaign;
	l->camp_first_ms = r->camp_first_ms;
	l->camp_last_ms = r->camp_last_ms;
	l->at_ms = r->at_ms;
	l->expires_ms = r->expires_ms;
	l->manifest = r->manifest;
	l->prio = r->prio;
	l->category = r->category;
	l->gate = r->gate;
	l->approved = r->approved;
	if (l->broadcast != r->broadcast)
		l->lane->n_casts += r->broadcast ? 1u : -1u;
	l->broadcast = r->broadcast;
	l->gate_gen = 0;
	l->held_mem = l->cancelled_mem = false; /* the row says it now */
	(void)str_copy(l->release_name, sizeof(l->release_name), r->release_name);
	(void)str_copy(l->office_code, sizeof(l->office_code), r->office_code);
}

void lot_merge(struct dispatch *d, const struct sq_lot_row *r)
{
	struct dlot *l = lot_find(d, r->id);
	struct dlane *lane = lane_find(d, r->lane);
	bool fresh = !l, more;
	int64_t until;

	if (!lane)
		return; /* its lane came after our list: the next scan */
	if (!l) {
		if (d->n_lots >= D_LOTS_MAX)
			return;
		l = lot_new(d, lane, r);
	}
	more = fresh || r->at_ms != l->at_ms || r->n[DLV_WAITING] > l->n[DLV_WAITING] ||
		r->gate != l->gate || r->approved != l->approved || l->held_mem || l->cancelled_mem;
	if (!fresh &&
		(l->manifest.b[0] != r->manifest.b[0] || hash_cmp(&l->manifest, &r->manifest)))
		lot_drop_ready(l); /* another revision: nothing composed from the old one may go */
	lot_set(l, r);
	memcpy(l->n, r->n, sizeof(l->n));
	l->scan_gen = d->scan_gen;
	if (!lot_may_send(l, env_wall(d->o.env), &until, NULL)) {
		lot_drop_ready(l);
		if (until)
			lot_want_at(l, until);
		return;
	}
	more = more ||
		(!l->wanting && !l->filling && l->wake_ms == 0); /* nothing else will wake it */
	if (l->wake_ms && l->wake_ms <= env_wall(d->o.env))
		lot_want(l); /* the wall clock jumped ahead of its timer */
	if (more && l->n[DLV_WAITING] > 0 && l->n_ready == 0) {
		l->rewind = true;
		lot_want(l);
	}
}

void lots_regate(struct dispatch *d)
{
	int64_t until, now = env_wall(d->o.env);

	d->gate_gen++;
	LIST_FOR_SAFE(&d->lots, n, nx)
	{
		struct dlot *l = CONTAINER_OF(n, struct dlot, node);
		if (!lot_may_send(l, now, &until, NULL)) {
			lot_drop_ready(l);
		} else if (l->n[DLV_WAITING] > 0 && l->n_ready == 0) {
			l->rewind = true;
			lot_want(l);
		}
	}
}

void lots_free(struct dispatch *d)
{
	LIST_FOR_SAFE(&d->lots, n, nx)
	lot_drop(CONTAINER_OF(n, struct dlot, node));
}

/* --- counters and progress --------------------------------------------------------------------------------------------- */

static void on_progress_task(struct task *t)
{
	struct dispatch *d = CONTAINER_OF(t, struct dispatch, progress_task);
	struct list *n;

	while ((n = list_pop(&d->progress)) != NULL) {
		struct dprogress *p = CONTAINER_OF(n, struct dprogress, node);
		if (d->o.on_progress)
			d->o.on_progress(d->o.progress_ctx, p->release, p->part);
		free(p);
	}
}

void progress_note(struct dispatch *d, int64_t release, int64_t part)
{
	LIST_FOR(&d->progress, n)
	{
		struct dprogress *p = CONTAINER_OF(n, struct dprogress, node);
		if (p->release == release && p->part == (uint32_t)part)
			return;
	}
	struct dprogress *p = x_calloc(1, sizeof(*p));
	p->release = release;
	p->part = (uint32_t)part;
	list_push(&d->progress, &p->node);
	d->progress_task.fn = on_progress_task;
	env_defer(d->o.env, &d->progress_task);
}

void progress_free(struct dispatch *d)
{
	struct list *n;

	task_cancel(&d->progress_task);
	while ((n = list_pop(&d->progress)) != NULL)
		free(CONTAINER_OF(n, struct dprogress, node));
}

void lot_count(struct dlot *l, enum dlv_state from, enum dlv_state to)
{
	if (from == to)
		return;
	l->n[from] -= l->n[from] > 0;
	l->n[to]++;
	if (to == DLV_ACCEPTED || to == DLV_DELIVERED)
		cast_wake(l);
	if (l->n[DLV_WAITING] == 0 && l->n[DLV_SENDING] == 0)
		progress_note(l->lane->d, l->release, l->part);
}

size_t dispatch_memory_rows(const struct dispatch *d)
{
	return d->n_lots + d->n_copies;
}
