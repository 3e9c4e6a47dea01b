/* dispatch_send.c - between the commit and the answer: committed intents, and what the channel host says about them.
 * Thread: loop. Owns: nothing. Must not know: SQL.
 * An answer becomes a row of the next turn and an effect on the lane; nothing is told to anyone before the row is committed.
 * Failures: an answer that cannot be kept whole (too many ids) keeps its first ids and says so in the log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/utf8.h"
#include "dispatch/dispatch_internal.h"

void intent_is_committed(struct dcopy *c)
{
	struct dlane *l = c->lot->lane;
	int64_t until;

	c->go_ms = env_mono(c->d->o.env);
	if (c->revoke || c->d->stopping ||
		!lot_may_send(c->lot, env_wall(c->d->o.env), &until, NULL)) {
		copy_revoke(c);
		return;
	}
	c->state = CP_GO;
	c->d->n_flying++;
	list_push(&l->go, &c->node);
	l->n_go++;
	lane_kick(l);
}

static char *keep(char **at, struct str s, struct str *ret)
{
	if (s.p && s.n)
		memcpy(*at, s.p, s.n);
	*ret = (struct str){ *at, s.n };
	*at += s.n;
	return *at;
}

/* The result is borrowed for the callback: all that is stored goes into one block of the copy. */
static void result_keep(struct dcopy *c, const struct chan_result *r)
{
	struct str code = utf8_cut(r->code, 80), text = utf8_cut(r->text, 200),
		   url = utf8_cut(r->url, 1000);
	size_t total = code.n + text.n + url.n + 1, n = r->n_ids;

	if (n > D_IDS_MAX) {
		log_line(LOG_WARN, "ev=attempt.ids msg=%lld n=%zu kept=%d continuing",
			(long long)c->op.delivery, n, D_IDS_MAX);
		n = D_IDS_MAX;
	}
	for (size_t i = 0; i < n; i++)
		total += r->ids[i].id.n;
	char *at = c->said = x_calloc(1, total);
	(void)keep(&at, code, &c->out.code);
	(void)keep(&at, text, &c->out.said);
	(void)keep(&at, url, &c->out.url);
	for (size_t i = 0; i < n; i++) {
		struct str id;
		(void)keep(&at, (struct str){ r->ids[i].id.p, r->ids[i].id.n }, &id);
		c->ids[i] = (struct lt_id){ r->ids[i].effect, r->ids[i].outcome, { id.p, id.n } };
	}
	c->out.ids = c->ids;
	c->out.n_ids = n;
}

static void input_of(const struct dcopy *c, const struct chan_result *r, struct outcome_in *in)
{
	const struct dlot *l = c->lot;
	const struct conf_lane *conf = lane_rules(l->lane);
	struct env *env = c->d->o.env;
	int64_t now = env_wall(env);
	bool urgent = l->urgent && conf->n_urgent_backoff > 0;

	*in = (struct outcome_in){ .outcome = r->outcome,
		.scope = r->scope,
		.flags = r->flags,
		.revoked = r->revoked,
		.by_host = r->by_host,
		.was_unknown = c->was_unknown,
		.tries = c->intent.tries + 1,
		.tries_max = conf->tries_max,
		.now_ms = now,
		.first_ms = c->first_ms ? c->first_ms : c->on_wall_ms,
		.max_age_ms = conf->max_age_ms,
		.retry_after_ms = r->retry_after_ms,
		.backoff = urgent ? conf->urgent_backoff_ms : conf->backoff_ms,
		.n_backoff = urgent ? conf->n_urgent_backoff : conf->n_backoff,
		.ask_every_ms = conf->ask_every_ms > 0 ? conf->ask_every_ms : 60000 };
	if (in->ask_every_ms > settle_max_ms(l))
		in->ask_every_ms = settle_max_ms(l);
	if (r->outcome != LT_ACCEPTED)
		env_random(env, &in->random, sizeof(in->random)); /* for the pause */
}

/* Ids of the provider are kept for what will name them: receipts pushed or polled, statistics. */
static bool keeps_ids(const struct dlane *l)
{
	const struct conf_channel *c = l->acct->chan->conf;
	uint64_t caps = l->acct->chan->caps;
	bool told = lane_rules(l)->receipt_wait_ms > 0 ||
		(c && (c->poll.every_ms || c->webhook.secret.name));

	return (told && (caps & LT_CAP_RECEIPTS)) ||
		(c && c->stats.every_ms && (caps & LT_CAP_STATS));
}

static void out_of(struct dcopy *c, const struct chan_result *r, const struct outcome_out *o)
{
	const struct dlane *l = c->lot->lane;
	const struct conf_lane *conf = lane_rules(l);
	int64_t now = env_wall(c->d->o.env);
	bool bulk_quiet = conf->bulk && r->outcome == LT_ACCEPTED;

	c->out = (struct sq_outcome){ .verb = o->attempt ? SQ_OUTCOME : SQ_REVOKE,
		.to = o->to,
		.delivery = (int64_t)c->op.delivery,
		.lot = c->lot->id,
		.contact = c->contact,
		.lane = l->id,
		.tries = c->intent.tries + 1,
		.give_back = o->give_back,
		.due_ms = o->due_ms < 0 ? -1 : o->due_ms - c->lot->at_ms,
		.started_ms = c->on_wall_ms,
		.took_ms = env_mono(c->d->o.env) - c->on_ms,
		.outcome = r->outcome,
		.scope = r->scope,
		.flags = r->flags,
		.why = o->why,
		.stepped = c->intent.stepped };
	if (!o->attempt)
		return;
	if (o->to == (int)DLV_HELD && (r->flags & LT_R_PERSON) && r->text.n) {
		/* The adapter knows better what a person has to look at. */
		snprintf(c->why, sizeof(c->why), "person: " STR_FMT,
			STR_ARG(utf8_cut(r->text, 150)));
		c->out.why = c->why;
	}
	result_keep(c, r);
	c->out.rule = suppress_rule_of(o->effects, c->out.code);
	c->out.receipts = keeps_ids(l);
	c->out.settle_by_ms = conf->receipt_wait_ms > 0 && c->out.receipts
		? now + conf->receipt_wait_ms
		: 0;
	if (c->out.due_ms < 0 && o->due_ms >= 0)
		c->out.due_ms = 0;
	for (int i = 0; i < 2 && !bulk_quiet; i++)
		if (c->trace[i] && i == 0)
			c->out.trace_in = buf_str(c->trace[i]);
		else if (c->trace[i])
			c->out.trace_out = buf_str(c->trace[i]);
}

/* Proven refused, or put off until its tries were spent, and another gateway may reach it: it waits there instead of having failed, where
 * the approval covers that one and no part of it was taken here. The store decides, with the outcome. */
static void elsewhere(struct dcopy *c, const struct chan_result *r, struct outcome_out *o)
{
	const struct dlane *b = backup_of(c->lot->lane);

	bool spent = r->outcome == LT_DEFERRED && r->scope == LT_SCOPE_TARGET && o->why &&
		strncmp(o->why, "tries:", 6) == 0;
	bool refused = r->outcome == LT_REFUSED && r->scope == LT_SCOPE_TARGET &&
		(r->flags & LT_R_ELSEWHERE);

	if (!b || o->to != DLV_FAILED || (!spent && !refused) || r->n_ids || c->was_unknown)
		return;
	o->to = DLV_WAITING;
	c->out.over_lane = b->id;
	c->out.to = o->to;
	c->out.due_ms = -1;
	c->out.why = NULL;
}

static void holds_of(struct dcopy *c, const struct chan_result *r, const struct outcome_out *o)
{
	struct dlane *l = c->lot->lane;
	char why[160];

	if (!(o->effects & (OE_HOLD_RELEASE | OE_HOLD_SCOPE)))
		return;
	snprintf(why, sizeof(why), "refused: " STR_FMT " " STR_FMT, STR_ARG(utf8_cut(r->code, 30)),
		STR_ARG(utf8_cut(r->text, 100)));
	if (o->effects & OE_HOLD_RELEASE) {
		turn_hold(c->lot, c->lot->release, l, why);
		return;
	}
	LIST_FOR_SAFE(&c->d->lanes, n, nx)
	{
		struct dlane *x = CONTAINER_OF(n, struct dlane, node);
		bool same = x == l || (r->scope == LT_SCOPE_ACCOUNT && x->acct == l->acct) ||
			(r->scope == LT_SCOPE_CHANNEL && x->acct->chan == l->acct->chan) ||
			(r->scope == LT_SCOPE_CLASS && x->acct->chan == l->acct->chan &&
				strcmp(x->class, l->class) == 0);
		if (same && !x->held)
			turn_hold(c->lot, 0, x, why);
	}
}

void copy_answer(struct dcopy *c, const struct chan_result *r)
{
	struct dlane *l = c->lot->lane;
	struct outcome_in in;
	struct outcome_out o;

	input_of(c, r, &in);
	outcome_decide(&in, &o);
	out_of(c, r, &o);
	elsewhere(c, r, &o);
	c->d->n_flying--;
	l->in_flight--;
	l->acct->in_flight--;
	l->intents--;
	if (r->revoked) {
		lane_gave_back(l);
		breaker_came_back(&l->breaker);
	} else {
		lane_count_done(l, r->outcome);
		lane_effects(l, o.effects, r->scope, o.pause_ms);
		if (!(o.effects & (OE_GOOD | OE_TROUBLE)))
			breaker_came_back(
				&l->breaker); /* a probe without a verdict: another may go */
		log_attempt(c, r, &o);
		holds_of(c, r, &o);
	}
	turn_outcome(c);
	lane_kick(l);
}

static void on_op_done(void *ctx, struct chan_op *op, const struct chan_result *r)
{
	if (op->kind == LT_J_RECALL) {
		recall_done(op, r);
		return;
	}
	if (op->kind == LT_J_RECONCILE) {
		recon_done(CONTAINER_OF(op, struct drecon, op), r);
		return;
	}
	struct dcopy *c = CONTAINER_OF(op, struct dcopy, op);
	CHECK_OBJ(c, COPY_MAGIC);
	REQUIRE(c->d == ((struct dhost *)ctx)->d && c->state == CP_ON);
	if (c->step_wait) {
		if (!c->in_turn) {
			list_del(&c->node);
			c->d->n_steps_wait--;
		}
		c->step_wait = false;
	}
	copy_answer(c, r);
}

static void on_op_intent(void *ctx, struct chan_op *op, struct str step, bool repeatable)
{
	struct dispatch *d = ((struct dhost *)ctx)->d;
	int64_t until;

	if (op->kind == LT_J_RECALL || op->kind == LT_J_RECONCILE) {
		/* begun was committed before the start; a question publishes nothing */
		channel_op_go(op, op->kind == LT_J_RECALL);
		return;
	}
	struct dcopy *c = CONTAINER_OF(op, struct dcopy, op);
	CHECK_OBJ(c, COPY_MAGIC);
	if (c->step_wait || c->revoke || d->stopping ||
		!lot_may_send(c->lot, env_wall(d->o.env), &until, NULL)) {
		channel_op_go(op, false);
		return;
	}
	if (!c->intent.stepped) {
		channel_op_go(op, true); /* committed before the start: state 1 says it all */
		return;
	}
	c->step = (struct sq_step_intent){ .delivery = (int64_t)op->delivery,
		.repeatable = repeatable };
	(void)str_copy(c->step.step, sizeof(c->step.step), step.n ? step : STR("publish"));
	turn_step(c);
}

static void on_credits(void *ctx, struct chan_account *ca, uint32_t can_take)
{
	struct dacct *a = account_user(ca);

	UNUSED(ctx);
	if (!a || a->acct != ca)
		return; /* of a configuration that is going */
	a->credits = can_take;
	a->up = a->up || can_take > 0;
	if (a->up)
		a->trouble[0] = 0;
	LIST_FOR(&a->lanes, n)
	lane_kick(CONTAINER_OF(n, struct dlane, a_node));
}

/* A limit of calls: what is asked counts against it, too, and may prolong it. */
static void on_rate(void *ctx, struct chan_account *ca, struct chan_op *op, const struct lt_rate *r)
{
	struct dacct *a = account_user(ca);
	struct dispatch *d = ((struct dhost *)ctx)->d;
	int64_t pause = r->retry_after_ms, now = env_wall(d->o.env);

	if (!a)
		return;
	if (pause <= 0 && r->limit > 0 && r->remaining == 0 && r->reset_at_ms > now)
		pause = r->reset_at_ms - now;
	if (pause <= 0)
		return;
	if (op && op->kind != LT_J_RECONCILE && op->kind != LT_J_RECALL) {
		struct dcopy *c = CONTAINER_OF(op, struct dcopy, op);
		lane_effects(c->lot->lane, OE_PAUSE | OE_QUIET, (int)r->scope, pause);
		return;
	}
	int scope = r->scope == LT_SCOPE_CHANNEL ? LT_SCOPE_CHANNEL : LT_SCOPE_LANE;
	LIST_FOR(&a->lanes, n)
	lane_effects(CONTAINER_OF(n, struct dlane, a_node), OE_PAUSE | OE_QUIET, scope, pause);
}

static void on_account_trouble(void *ctx, struct chan_account *ca, int scope, struct str code,
	struct str text, int64_t retry_after_ms)
{
	struct dacct *a = account_user(ca);
	unsigned effects = OE_TROUBLE | (retry_after_ms > 0 ? (unsigned)OE_PAUSE : 0u);

	UNUSED(ctx);
	if (!a || a->acct != ca)
		return;
	log_line(LOG_WARN, "ev=account.trouble ch=%s acct=%s scope=%s code=%s said=%s continuing",
		a->chan->name, a->name, scope_name(scope), LOG_Q(code), LOG_Q(text));
	a->up = false;
	struct str first = utf8_cut(code, 24), rest = utf8_cut(text, 54);
	snprintf(a->trouble, sizeof(a->trouble), STR_FMT "%s" STR_FMT, STR_ARG(first),
		code.n && text.n ? " " : "", STR_ARG(rest));
	a->credits = 0;
	a->limit_told = 0;
	LIST_FOR(&a->lanes, n)
	{
		struct dlane *l = CONTAINER_OF(n, struct dlane, a_node);
		int64_t before = l->until_ms;
		if (lane_has_work(l) || l->breaker.state != BREAKER_CLOSED)
			lane_effects(l, effects, LT_SCOPE_LANE, retry_after_ms);
		if (l->until_ms != before)
			l->login_until_ms = l->until_ms;
	}
	if (scope == LT_SCOPE_CHANNEL && !list_empty(&a->lanes))
		lane_effects(CONTAINER_OF(a->lanes.next, struct dlane, a_node), effects, scope,
			retry_after_ms);
}

static void on_trace(void *ctx, struct chan_op *op, bool outward, struct str bytes)
{
	UNUSED(ctx);
	if (!op || op->kind == LT_J_RECONCILE || op->kind == LT_J_RECALL)
		return;
	struct dcopy *c = CONTAINER_OF(op, struct dcopy, op);
	struct buf **b = &c->trace[outward ? 1 : 0];
	if (!*b) {
		*b = x_calloc(1, sizeof(**b));
		buf_init(*b, D_TRACE_MAX);
	}
	size_t room = D_TRACE_MAX - (*b)->n;
	(void)buf_add(*b, bytes.p, bytes.n < room ? bytes.n : room);
}

void send_events(struct channel_events *e)
{
	e->op_done = on_op_done;
	e->op_intent = on_op_intent;
	e->op_save = save_on;
	e->credits = on_credits;
	e->rate = on_rate;
	e->receipt = receipt_on;
	e->inbound = inbound_on;
	e->stat = stat_on;
	e->trace = on_trace;
	e->secret_put = secret_put_on;
	e->refresh_intent = refresh_intent_on;
	e->refresh_over = refresh_over_on;
	e->account_trouble = on_account_trouble;
}
