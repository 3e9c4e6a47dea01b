/* dispatch_turn.c - what goes to the writer: outcomes first, then the intents of their successors, one pair at a time.
 * Thread: loop. Owns: the two commands and their arrays. Must not know: lanes' rules, adapters.
 * Happy path: everything that gathered since the last turn goes in one transaction; the next turn starts when it is back.
 * Failures: outcomes stay queued until they are committed (one by one after a failure, so that one bad row cannot keep the
 * others); intents that were not committed are not sent, their copies are leased anew later. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "dispatch/dispatch_internal.h"

#define BUCKETS_MAX     1024
#define HOLDS_MAX       SQ_TURN_MAX
#define TURN_GAP_MS     4 /* from turn to turn, while there is enough on the wire */
#define TURN_GAP_FLYING 32

static void outcomes_done(struct store_cmd *cmd);
static void intents_done(struct store_cmd *cmd);

bool turn_init(struct dispatch *d)
{
	d->ov = x_calloc(SQ_TURN_MAX, sizeof(struct sq_outcome *));
	d->iv = x_calloc(SQ_TURN_MAX, sizeof(struct sq_intent *));
	d->sv = x_calloc(SQ_TURN_MAX, sizeof(struct sq_step_intent *));
	d->bv = x_calloc(BUCKETS_MAX, sizeof(*d->bv));
	d->hv = x_calloc(HOLDS_MAX, sizeof(*d->hv));
	d->o_copy = x_calloc(SQ_TURN_MAX, sizeof(struct dcopy *));
	d->i_copy = x_calloc(SQ_TURN_MAX, sizeof(struct dcopy *));
	d->s_copy = x_calloc(SQ_TURN_MAX, sizeof(struct dcopy *));
	sq_outcomes_init(&d->oc);
	sq_intents_init(&d->ic);
	d->oc.cmd.done = outcomes_done;
	d->ic.cmd.done = intents_done;
	d->oc.user = d->ic.user = d;
	d->commit_ms_x16 = 5 * 16;
	return true;
}

void turn_free(struct dispatch *d)
{
	free(d->ov);
	free(d->iv);
	free(d->sv);
	free(d->bv);
	free(d->hv);
	free(d->o_copy);
	free(d->i_copy);
	free(d->s_copy);
}

/* --- putting in -------------------------------------------------------------------------------------------------------- */

void turn_intent(struct dcopy *c)
{
	struct dispatch *d = c->d;

	c->state = CP_INTENT;
	c->intent_ms = env_mono(d->o.env);
	c->lot->lane->intents++;
	list_push(&d->intents, &c->node);
	d->n_intents_wait++;
	dispatch_kick(d);
}

void turn_step(struct dcopy *c)
{
	struct dispatch *d = c->d;

	c->step_wait = true;
	list_push(&d->steps, &c->node);
	d->n_steps_wait++;
	dispatch_kick(d);
}

void turn_outcome(struct dcopy *c)
{
	struct dispatch *d = c->d;

	c->state = CP_OUT;
	list_push(&d->outs, &c->node);
	d->n_outs_wait++;
	dispatch_kick(d);
}

void turn_hold(struct dlot *l, int64_t release, struct dlane *lane, const char *why)
{
	struct dispatch *d = lane->d;
	struct dcopy *c = copy_take(d);

	c->lot = l;
	l->refs++;
	c->has_hold = true;
	c->hold = (struct sq_hold){ .release = release, .lane = lane->id };
	(void)str_copy(c->hold.why, sizeof(c->hold.why), str_of(why));
	c->out = (struct sq_outcome){
		.verb = SQ_PUSH, .to = DLV_WAITING, .due_ms = -1, .lot = l->id
	};
	d->stops_busy++; /* a scan that began before the commit would say otherwise */
	d->stop_seq++;
	if (release) {
		LIST_FOR_SAFE(&d->lots, n, nx)
		{
			struct dlot *o = CONTAINER_OF(n, struct dlot, node);
			if (o->release != release || o->lane != lane)
				continue;
			o->held_mem = true;
			lot_drop_ready(o);
		}
		l->held_mem = true;
	} else {
		lane->held = true;
		(void)str_copy(lane->why, sizeof(lane->why), str_of(why));
	}
	turn_outcome(c);
}

void turn_hold_lot(struct dlot *l, const char *why)
{
	struct dispatch *d = l->lane->d;
	struct dcopy *c = copy_take(d);

	c->lot = l;
	l->refs++;
	c->has_hold = true;
	c->hold = (struct sq_hold){ .release = l->release, .lane = l->lane->id, .lot = l->id };
	(void)str_copy(c->hold.why, sizeof(c->hold.why), str_of(why));
	c->out = (struct sq_outcome){
		.verb = SQ_PUSH, .to = DLV_WAITING, .due_ms = -1, .lot = l->id
	};
	d->stops_busy++;
	d->stop_seq++;
	l->held_mem = true;
	lot_drop_ready(l);
	turn_outcome(c);
}

void copy_revoke(struct dcopy *c)
{
	struct dlane *l = c->lot->lane;

	c->out = (struct sq_outcome){ .verb = SQ_REVOKE,
		.to = DLV_WAITING,
		.delivery = (int64_t)c->op.delivery,
		.lot = c->lot->id,
		.tries = c->intent.tries + 1,
		.give_back = true,
		.due_ms = -1,
		.stepped = c->intent.stepped };
	if (c->state == CP_GO)
		c->d->n_flying--;
	l->intents--;
	lane_gave_back(l);
	breaker_came_back(&l->breaker);
	turn_outcome(c);
	lane_kick(l);
}

/* --- coming back ------------------------------------------------------------------------------------------------------- */

static void turn_over(struct dispatch *d)
{
	if (d->oc_out || d->ic_out)
		return;
	int64_t took = env_mono(d->o.env) - d->turn_ms;
	if (took < 0)
		took = 0;
	if (took > 1000)
		took = 1000;
	d->commit_ms_x16 += (took * 16 - d->commit_ms_x16) / 8;
	if (d->n_copies + 2 * SQ_LEASE_MAX > D_COPIES_MAX)
		lanes_kick_wanting(d);
	dispatch_kick(d);
}

static enum dlv_state from_of(const struct sq_outcome *o)
{
	return o->verb == SQ_OUTCOME || o->verb == SQ_REVOKE ? DLV_SENDING : DLV_WAITING;
}

static void outcome_committed(struct dcopy *c)
{
	struct dispatch *d = c->d;
	struct dlot *l = c->lot;
	const struct sq_outcome *o = &c->out;

	if (o->delivery && !o->applied)
		log_line(LOG_WARN, "ev=outcome.late msg=%lld verb=%d to=%s continuing",
			(long long)o->delivery, (int)o->verb, dlv_state_name((int)o->to));
	if (o->delivery)
		(void)map64_del(d->copy_by_id, (uint64_t)o->delivery);
	if (o->delivery && o->applied)
		lot_count(l, from_of(o), o->to);
	if (c->has_hold) {
		d->stops_busy--;
		dispatch_scan(d);
	}
	if (o->over_lane && o->applied)
		dispatch_scan(d); /* its lot is another one now */
	else if (o->applied && o->to == DLV_WAITING && !l->gone) {
		if (o->due_ms < 0)
			l->rewind = true, lot_want(l);
		else
			lot_want_at(l, l->at_ms + o->due_ms);
	}
	if (o->applied && o->to == DLV_UNKNOWN) {
		l->unknown_next_ms = 1; /* soon */
		settle_kick(d);
	}
	lane_kick(l->lane);
	copy_free(c);
}

static void outcomes_done(struct store_cmd *cmd)
{
	struct dispatch *d = CONTAINER_OF(cmd, struct sq_outcomes, cmd)->user;

	CHECK_OBJ(d, D_MAGIC);
	d->oc_out = false;
	if (cmd->rc == 0) {
		for (size_t i = 0; i < d->n_o; i++)
			outcome_committed(d->o_copy[i]);
		if (d->o_single)
			d->o_single--;
	} else {
		log_line(LOG_ERROR, "ev=outcome.refused n=%zu code=%d why=%s kept and tried again",
			d->n_o, cmd->rc, LOG_Q(str_of(cmd->err.text)));
		if (d->n_o == 1)
			d->o_retry_ms = env_mono(d->o.env) + D_RETRY_MS;
		/* The refused one goes to the end, so that it does not keep the others. */
		for (size_t i = d->n_o; i-- > 0;) {
			if (d->n_o == 1)
				list_push(&d->outs, &d->o_copy[i]->node);
			else
				list_push_front(&d->outs, &d->o_copy[i]->node);
			d->n_outs_wait++;
			d->outs_gone--;
		}
		d->o_single = d->n_outs_wait;
	}
	d->n_o = 0;
	turn_over(d);
}

static void intent_refused(struct dcopy *c, bool later)
{
	struct dispatch *d = c->d;
	struct dlot *l = c->lot;
	struct dlane *lane = l->lane;

	lane->intents--;
	lane_gave_back(lane);
	breaker_came_back(&lane->breaker);
	(void)map64_del(d->copy_by_id, c->op.delivery);
	if (later && !l->gone) {
		l->rewind = true;
		lot_want_at(l, env_wall(d->o.env) + D_RETRY_MS);
	}
	copy_free(c);
	lane_kick(lane);
}

static void intent_gap(struct dcopy *c)
{
	struct dlane *lane = c->lot->lane;

	lane->intents--;
	lane_gave_back(lane);
	breaker_came_back(&lane->breaker);
	if (c->intent.min_gap_ms > 0)
		lane_gap(lane, c->intent.gap_due_ms);
	c->out = (struct sq_outcome){ .verb = SQ_PUSH,
		.to = DLV_WAITING,
		.delivery = (int64_t)c->op.delivery,
		.lot = c->lot->id,
		.contact = c->intent.contact,
		.tries = c->intent.tries,
		.due_ms = c->intent.gap_due_ms - c->lot->at_ms };
	turn_outcome(c);
}

static void intent_answer(struct dcopy *c)
{
	switch (c->intent.grant) {
	case SQ_GRANTED:
		lot_count(c->lot, DLV_WAITING, DLV_SENDING);
		money_granted(c);
		intent_is_committed(c);
		break;
	case SQ_GAP: intent_gap(c); break;
	case SQ_BUDGET:
		money_used_up(c);
		intent_refused(c, false);
		break;
	case SQ_CLOSED:
		log_line(LOG_INFO, "ev=intent.refused msg=%lld lot=%lld why=closed",
			(long long)c->op.delivery, (long long)c->lot->id);
		dispatch_scan(c->d);
		intent_refused(c, false);
		break;
	case SQ_CAST:
		cast_spent(c);
		intent_refused(c, false);
		break;
	case SQ_GONE:
		if (c->intent.cast.release) /* its article may have gone since: asked again later */
			cast_waits(c->lot);
		intent_refused(c, false);
		break;
	default: REQUIRE(false);
	}
}

/* What a provider said of its limits is stored beside intents: not written, it goes with the next ones, or alone. */
static void buckets_again(struct dispatch *d)
{
	for (size_t i = 0; i < d->ic.n_buckets; i++) {
		struct dlane *l = d->bv[i].lane ? lane_find(d, d->bv[i].lane) : NULL;
		if (l)
			l->bucket_dirty = true;
		LIST_FOR(&d->groups, n)
		{
			struct dgroup *g = CONTAINER_OF(n, struct dgroup, node);
			g->dirty = g->dirty || g->name == d->bv[i].group;
		}
	}
	d->buckets_wait = d->ic.n_buckets > 0;
	dispatch_kick(d);
}

static void intents_done(struct store_cmd *cmd)
{
	struct dispatch *d = CONTAINER_OF(cmd, struct sq_intents, cmd)->user;

	CHECK_OBJ(d, D_MAGIC);
	d->ic_out = false;
	if (cmd->rc) {
		log_line(LOG_WARN, "ev=intent.fail n=%zu code=%d why=%s continuing", d->n_i,
			cmd->rc, LOG_Q(str_of(cmd->err.text)));
		d->i_retry_ms = env_mono(d->o.env) + D_RETRY_MS;
		buckets_again(d);
	}
	for (size_t i = 0; i < d->n_i; i++) {
		d->i_copy[i]->in_turn = false;
		if (cmd->rc)
			intent_refused(d->i_copy[i], true);
		else
			intent_answer(d->i_copy[i]);
	}
	for (size_t i = 0; i < d->n_s; i++) {
		struct dcopy *c = d->s_copy[i];
		int64_t until;
		c->in_turn = false;
		if (!c->step_wait)
			continue; /* its op is over meanwhile */
		c->step_wait = false;
		channel_op_go(&c->op,
			cmd->rc == 0 && c->step.granted && !c->revoke &&
				lot_may_send(c->lot, env_wall(d->o.env), &until, NULL));
	}
	d->n_i = d->n_s = 0;
	turn_over(d);
}

/* --- going ------------------------------------------------------------------------------------------------------------- */

static void take_outcomes(struct dispatch *d)
{
	size_t max = d->o_single ? 1 : SQ_TURN_MAX, holds = 0;
	struct list *n;

	d->n_o = 0;
	if (env_mono(d->o.env) < d->o_retry_ms) {
		timer_set(d->o.env, &d->pump_timer, d->o_retry_ms);
		return;
	}
	while (d->n_o < max && (n = list_pop(&d->outs)) != NULL) {
		struct dcopy *c = CONTAINER_OF(n, struct dcopy, node);
		money_outcome(c);
		d->o_copy[d->n_o] = c;
		d->ov[d->n_o++] = &c->out;
		d->n_outs_wait--;
		d->outs_gone++;
		if (c->has_hold)
			d->hv[holds++] = c->hold;
	}
	d->oc.v = d->ov;
	d->oc.n = d->n_o;
	d->oc.holds = d->hv;
	d->oc.n_holds = holds;
	d->oc.numbers = &d->numbers;
}

static void take_buckets(struct dispatch *d)
{
	size_t n = 0;

	d->buckets_wait = false;
	LIST_FOR(&d->lanes, it)
	{
		struct dlane *l = CONTAINER_OF(it, struct dlane, node);
		if (!l->bucket_dirty || n == BUCKETS_MAX)
			continue;
		l->bucket_dirty = false;
		d->bv[n++] = (struct sq_bucket_row){ .lane = l->id,
			.tokens = l->bucket.tokens,
			.at_ms = l->bucket.at_ms ? l->bucket.at_ms : env_wall(d->o.env),
			.until_ms = l->until_ms };
	}
	LIST_FOR(&d->groups, it)
	{
		struct dgroup *g = CONTAINER_OF(it, struct dgroup, node);
		if (!g->dirty || n == BUCKETS_MAX)
			continue;
		g->dirty = false;
		d->bv[n++] = (struct sq_bucket_row){
			.group = g->name, .tokens = g->bucket.tokens, .at_ms = g->bucket.at_ms
		};
	}
	d->ic.buckets = d->bv;
	d->ic.n_buckets = n;
}

static void take_intents(struct dispatch *d)
{
	struct list *n;
	int64_t now = env_wall(d->o.env);

	d->n_i = d->n_s = 0;
	d->ic.n_buckets = 0;
	if (env_mono(d->o.env) < d->i_retry_ms) {
		if (d->n_intents_wait || d->n_steps_wait || d->buckets_wait)
			timer_set(d->o.env, &d->pump_timer, d->i_retry_ms);
		return;
	}
	while (d->n_i < SQ_TURN_MAX && (n = list_pop(&d->intents)) != NULL) {
		struct dcopy *c = CONTAINER_OF(n, struct dcopy, node);
		int64_t until = 0; /* a revoked one is not asked: its lot's gate says when */
		d->n_intents_wait--;
		if (c->revoke || d->stopping || !lot_may_send(c->lot, now, &until, NULL)) {
			c->lot->rewind = true;
			intent_refused(c, until > 0);
			continue;
		}
		money_attach(c);
		c->in_turn = true;
		d->i_copy[d->n_i] = c;
		d->iv[d->n_i++] = &c->intent;
	}
	while (d->n_s < SQ_TURN_MAX && (n = list_pop(&d->steps)) != NULL) {
		struct dcopy *c = CONTAINER_OF(n, struct dcopy, node);
		d->n_steps_wait--;
		c->in_turn = true;
		d->s_copy[d->n_s] = c;
		d->sv[d->n_s++] = &c->step;
	}
	take_buckets(d);
	d->ic.v = d->iv;
	d->ic.n = d->n_i;
	d->ic.steps = d->sv;
	d->ic.n_steps = d->n_s;
}

/* While far more is on the wire than waits here, the next turn may gather a little longer: a commit costs the same for one row
 * and for a hundred. */
static bool turn_gathers(struct dispatch *d)
{
	size_t waits = d->n_outs_wait + d->n_intents_wait + d->n_steps_wait;
	int64_t at = d->turn_ms + TURN_GAP_MS;

	if (waits == 0 || d->n_flying < TURN_GAP_FLYING || waits >= d->n_flying || d->stopping ||
		env_mono(d->o.env) >= at)
		return false;
	if (!timer_is_set(&d->pump_timer))
		timer_set(d->o.env, &d->pump_timer, at);
	return true;
}

void turn_kick(struct dispatch *d)
{
	if (d->oc_out || d->ic_out || d->dead || turn_gathers(d))
		return;
	take_outcomes(d);
	take_intents(d);
	bool intents = d->n_i || d->n_s || d->ic.n_buckets;
	if (d->n_o == 0 && !intents)
		return;
	d->turn_ms = env_mono(d->o.env);
	if (d->n_o) {
		d->oc_out = true;
		d->oc.cmd.rc = 0;
		int rc = store_submit(d->o.store, &d->oc.cmd);
		if (rc) {
			d->dead = true; /* the store is gone: its fatal_cb ends the daemon */
			log_line(LOG_ERROR, "ev=store.refuses code=%d sending stops", rc);
			d->oc_out = false;
		}
	}
	if (!intents)
		return;
	d->ic_out = true;
	int rc = d->dead ? -EIO : store_submit(d->o.store, &d->ic.cmd);
	if (rc) {
		d->ic.cmd.rc = rc;
		intents_done(&d->ic.cmd); /* not taken: nothing of it is sent */
	}
}
