/* dispatch_settle.c - beside dispatch, never in front of it: recovery at start, expiry, sweeps, questions about unknowns.
 * Thread: loop; settle_run on a worker. Owns: its commands and questions, each bounded. Must not know: how things are sent.
 * Unknown: the provider is asked where it can be (urgent lots first), with a pause that doubles; after unknown_max the lane's
 * policy decides between doubt and assumed. Nothing here sends anything.
 * Failures: what could not be asked or stored is taken up again by the next round. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "dispatch/dispatch_internal.h"

#define ENDED_MS      600000 /* between two looks for lots that outlived their release */
#define LOTS_ROUND    64     /* lots whose unknowns are read in one round */
#define ORPHANS_ROUND 512
#define SWEEPS_MAX    2
#define CRASHES_MAX   2
#define GONE_LOOK_MS  60000 /* unknowns of a channel that the configuration does not have */

struct unknown_row {
	struct dlot *lot;
	int64_t delivery, since_ms;
	uint32_t tries;
	char address[320], ids[1024];
	struct lt_pair *steps; /* one block with its text, from malloc; NULL without */
	size_t n_steps;
};
struct unknown_lot {
	struct dlot *lot;
	int64_t id, at_ms, next_due_ms;
	bool read;
};
struct dsettle {
	struct work work;
	struct dispatch *d;
	bool out, again, expiring;
	uint32_t sweeps;
	int64_t now_ms, orphans_ms,
		ended_ms; /* ended_ms: next look for lots that outlived their release */
	struct unknown_lot lot[LOTS_ROUND];
	size_t n_lot;
	struct unknown_row row[D_SETTLE_ROWS];
	size_t n_row;
	struct sq_receipt
		*orphan; /* owned array of n_orphan; grown by the worker, at most ORPHANS_ROUND */
	size_t n_orphan, cap_orphan;
	bool ask_orphans;
	size_t at; /* lot under the reader */
};

/* --- storing what was decided ------------------------------------------------------------------------------------------ */

struct settle_cmd {
	struct sq_settle c;
	struct sq_settle_item item;
	struct dispatch *d;
	struct dlot *lot;
	struct drecon *recon; /* owned, holds the strings; NULL */
};

static void recon_free(struct drecon *r)
{
	if (!r)
		return;
	struct dlot *l = r->waited_lot ? lot_find(r->d, r->waited_lot) : NULL;

	list_del(&r->node);
	lot_unref(r->lot);
	r->d->n_recons--;
	if (l && !r->d->stopping) {
		l->rewind = true;
		lot_want(l);
	}
	d_free(r->steps);
	d_free(r);
}

static void settle_stored(struct store_cmd *cmd)
{
	struct settle_cmd *s = CONTAINER_OF(cmd, struct settle_cmd, c.cmd);
	struct dispatch *d = s->d;
	struct dlot *l = s->lot;

	if (cmd->rc)
		log_line(LOG_ERROR, "ev=settle.fail msg=%lld code=%d why=%s asked again",
			(long long)s->item.delivery, cmd->rc, LOG_Q(str_of(cmd->err.text)));
	else if (s->item.applied && s->item.to >= 0) {
		/* an emergency that nobody can vouch for needs a person now */
		log_line(s->item.to == (int)DLV_DOUBT && l->urgent ? LOG_ERROR : LOG_INFO,
			"ev=delivery.settle msg=%lld to=%s by=%s", (long long)s->item.delivery,
			dlv_state_name(s->item.to), s->item.by);
		lot_count(l, DLV_UNKNOWN, (enum dlv_state)s->item.to);
		if (s->item.to == (int)DLV_WAITING) {
			l->rewind = true;
			lot_want(l);
		}
	} else if (s->item.held) {
		struct dlot *in = lot_find(d, s->item.lot);
		log_line(LOG_WARN, "ev=delivery.hold msg=%lld why=found continuing",
			(long long)s->item.delivery);
		if (in)
			lot_count(in, DLV_WAITING, DLV_HELD);
	}
	recon_free(s->recon);
	lot_unref(l);
	d_free(s);
	cmd_end(d);
}

static void settle_store(struct dlot *l, int64_t delivery, uint32_t tries,
	const struct settle_out *o, struct drecon *recon)
{
	struct dispatch *d = l->lane->d;
	struct settle_cmd *s = d_alloc(d, sizeof(*s));
	int64_t now = env_wall(d->o.env);

	s->d = d;
	s->lot = l;
	l->refs++;
	s->recon = recon;
	s->item = (struct sq_settle_item){ .delivery = delivery,
		.lot = l->id,
		.tries = tries,
		.to = o->to,
		.due_ms = (o->to < 0 ? o->next_ms : now) - l->at_ms,
		.by_policy = o->by_policy,
		.crashes_max = CRASHES_MAX };
	(void)str_copy(s->item.by, sizeof(s->item.by),
		o->by_policy ? STR("policy:unknown_max") : STR("provider"));
	if (recon && o->to == (int)DLV_ACCEPTED) {
		s->item.ids = recon->ids;
		s->item.n_ids = recon->n_ids;
		s->item.url = str_of(recon->url);
		s->item.lane = (l->lane->acct->chan->caps & LT_CAP_RECEIPTS) ? l->lane->id : 0;
	}
	if (o->to < 0 && (l->unknown_next_ms == 0 || o->next_ms < l->unknown_next_ms))
		l->unknown_next_ms = o->next_ms;
	s->c.v = &s->item;
	s->c.n = 1;
	sq_settle_init(&s->c);
	s->c.cmd.done = settle_stored;
	cmd_begin(d);
	store_submit_or_done(d->o.store, &s->c.cmd);
}

int64_t settle_max_ms(const struct dlot *l)
{
	const struct conf_lane *conf = l->lane->conf;

	if (conf && l->urgent && conf->unknown_max_urgent_ms > 0)
		return conf->unknown_max_urgent_ms;
	return conf && conf->unknown_max_ms > 0 ? conf->unknown_max_ms : INT64_C(86400000);
}

static void decide(struct dlot *l, int64_t delivery, uint32_t tries, int64_t since_ms, int outcome,
	struct drecon *recon)
{
	const struct conf_lane *conf = l->lane->conf;
	struct settle_out o;
	struct settle_in in = { .outcome = outcome,
		.now_ms = env_wall(l->lane->d->o.env),
		.since_ms = since_ms,
		.unknown_max_ms = settle_max_ms(l),
		.ask_every_ms = conf && conf->ask_every_ms > 0 ? conf->ask_every_ms : 60000,
		.assume_accepted = conf && conf->unknown_then == UNKNOWN_THEN_ASSUME_ACCEPTED };

	settle_decide(&in, &o);
	settle_store(l, delivery, tries, &o, recon);
}

/* --- questions --------------------------------------------------------------------------------------------------------- */

void recon_done(struct drecon *r, const struct chan_result *res)
{
	char *at = r->idtext + strlen(r->idtext) + 1, *end = r->idtext + sizeof(r->idtext);

	r->n_ids = 0;
	for (size_t i = 0; i < res->n_ids && i < D_IDS_MAX; i++) {
		struct lt_str id = res->ids[i].id;
		if (id.n > (size_t)(end - at))
			break;
		memcpy(at, id.p, id.n);
		r->ids[r->n_ids++] = (struct lt_id){ res->ids[i].effect, res->ids[i].outcome,
			{ at, id.n } };
		at += id.n;
	}
	(void)str_copy(r->url, sizeof(r->url), res->url);
	decide(r->lot, (int64_t)r->op.delivery, r->tries, r->since_ms,
		res->revoked ? (int)LT_UNKNOWN : res->outcome, r);
}

static void recon_ids(struct drecon *r)
{
	struct str rest = str_of(r->idtext), line;

	while (r->n_ids < D_IDS_MAX && str_next(&rest, '\n', &line)) {
		struct str effect;
		int64_t e = 0;
		if (!str_next(&line, ':', &effect) || str_i64(effect, 0, 1000, &e) != 0)
			continue;
		r->ids[r->n_ids++] = (struct lt_id){ (uint32_t)e, 0, { line.p, line.n } };
	}
}

/* Pairs and their text in one block: of d, or of malloc on a worker (d NULL). */
static struct lt_pair *steps_copy(struct dispatch *d, const struct lt_pair *v, size_t n)
{
	size_t total = n * sizeof(*v);

	for (size_t i = 0; i < n; i++)
		total += v[i].name.n + v[i].value.n;
	if (n == 0)
		return NULL;
	struct lt_pair *ret = d ? d_alloc(d, total) : x_calloc(1, total);
	char *at = (char *)(ret + n);
	for (size_t i = 0; i < n; i++) {
		struct lt_str *to[] = { &ret[i].name, &ret[i].value };
		const struct lt_str from[] = { v[i].name, v[i].value };
		for (int k = 0; k < 2; k++) {
			*to[k] = (struct lt_str){ at, from[k].n };
			if (from[k].n)
				memcpy(at, from[k].p, from[k].n);
			at += from[k].n;
		}
	}
	return ret;
}

bool recon_waits(struct dispatch *d, int64_t delivery, const struct dlot *l)
{
	LIST_FOR(&d->recons, n)
	{
		struct drecon *r = CONTAINER_OF(n, struct drecon, node);
		if ((int64_t)r->op.delivery != delivery)
			continue;
		r->waited_lot = l->id;
		return true;
	}
	return false;
}

static bool recon_start(struct dlot *l, const struct unknown_row *u)
{
	struct dispatch *d = l->lane->d;
	struct dacct *a = l->lane->acct;

	if (d->n_recons >= D_RECONS_MAX || !a->acct)
		return false;
	struct drecon *r = d_alloc(d, sizeof(*r));
	r->d = d;
	r->lot = l;
	l->refs++;
	d->n_recons++;
	r->lane = l->lane;
	r->since_ms = u->since_ms;
	r->tries = u->tries;
	(void)str_copy(r->address, sizeof(r->address), str_of(u->address));
	(void)str_copy(r->idtext, sizeof(r->idtext) / 2, str_of(u->ids));
	ref_make(d->o.store, u->delivery, r->ref);
	recon_ids(r);
	r->steps = steps_copy(d, u->steps, u->n_steps);
	r->op = (struct chan_op){ .delivery = (uint64_t)u->delivery,
		.attempt = (uint64_t)u->delivery << 8,
		.release = (uint64_t)l->release,
		.ref = str_of(r->ref),
		.address = str_of(r->address),
		.credential = str_of(a->conf ? a->conf->credential : NULL),
		.deadline_mono_ms = env_mono(d->o.env) + 120000,
		.since_wall_ms = u->since_ms,
		.ids = r->ids,
		.n_ids = r->n_ids,
		.steps = r->steps,
		.n_steps = u->n_steps,
		.kind = LT_J_RECONCILE };
	if (a->limit_told == 0) {
		a->limit_told = 1;
		channel_limit(a->acct, 1);
	}
	struct chan_op *op = &r->op;
	list_init(&r->node);
	if (channel_start(a->acct, &op, 1) != 0) {
		recon_free(r);
		return false;
	}
	list_push(&d->recons, &r->node);
	return true;
}

static void unknown_one(struct dispatch *d, const struct unknown_row *u)
{
	struct dlot *l = u->lot;
	const struct dlane *lane = l->lane;
	bool asks = !lane->conf || (lane->acct->chan->caps & LT_CAP_RECONCILE) != 0;
	int64_t age = env_wall(d->o.env) - u->since_ms;

	LIST_FOR(&d->recons, n)
	if ((int64_t)CONTAINER_OF(n, struct drecon, node)->op.delivery == u->delivery)
		return; /* asked already */
	if (map64_get(d->copy_by_id, (uint64_t)u->delivery))
		return; /* it goes again since it was read, or its outcome is just being told */
	if (!asks || age >= settle_max_ms(l)) {
		decide(l, u->delivery, u->tries, u->since_ms, asks ? (int)LT_UNKNOWN : -1, NULL);
		return;
	}
	if (!lane->conf) /* it may be back before the time is over: nothing is decided, nothing written */
		l->unknown_next_ms = env_wall(d->o.env) + GONE_LOOK_MS;
	else if (lane->quiet_until_ms > env_wall(d->o.env))
		l->unknown_next_ms = lane->quiet_until_ms;
	else if (!recon_start(l, u))
		l->unknown_next_ms = env_wall(d->o.env) + D_SETTLE_EVERY_MS * 2;
}

/* --- the round --------------------------------------------------------------------------------------------------------- */

static int on_unknown_row(void *ctx, const struct sq_unknown_row *u)
{
	struct dsettle *s = ctx;

	if (s->n_row == D_SETTLE_ROWS)
		return -E2BIG;
	struct unknown_row *r = &s->row[s->n_row++];
	r->lot = s->lot[s->at].lot;
	r->delivery = u->delivery;
	r->since_ms = u->since_ms;
	r->tries = u->tries;
	(void)str_copy(r->address, sizeof(r->address), u->address);
	(void)str_copy(r->ids, sizeof(r->ids), u->ref_ids);
	r->steps = steps_copy(NULL, u->steps, u->n_steps);
	r->n_steps = r->steps ? u->n_steps : 0;
	return 0;
}

static void rows_done(struct dsettle *s)
{
	for (size_t i = 0; i < s->n_row; i++)
		free(s->row[i].steps);
	s->n_row = 0;
}

static void orphans_free(struct dsettle *s)
{
	for (size_t i = 0; i < s->n_orphan; i++) {
		union { /* ours since on_orphan, only read by the store */
			const char *from;
			char *to;
		} ids = { .from = s->orphan[i].ids };
		free(ids.to);
	}
	free(s->orphan);
	s->orphan = NULL;
	s->n_orphan = s->cap_orphan = 0;
}

static int on_orphan(void *ctx, const struct sq_receipt *o)
{
	struct dsettle *s = ctx;

	if (s->n_orphan == s->cap_orphan) {
		s->cap_orphan = s->cap_orphan ? 2 * s->cap_orphan : 8;
		s->orphan = x_realloc(s->orphan, s->cap_orphan, sizeof(*s->orphan));
	}
	s->orphan[s->n_orphan] = *o;
	s->orphan[s->n_orphan++].ids = x_strdup(o->ids);
	return 0;
}

static void settle_run(struct work *w)
{
	struct dsettle *s = CONTAINER_OF(w, struct dsettle, work);
	struct store_reader *r;

	if (store_reader_open(s->d->o.store, &r) != 0)
		return;
	for (s->at = 0; s->at < s->n_lot; s->at++) {
		struct unknown_lot *l = &s->lot[s->at];
		size_t room = D_SETTLE_ROWS - s->n_row;
		if (room &&
			sq_read_unknown(r, l->id, s->now_ms - l->at_ms, room, on_unknown_row, s,
				&l->next_due_ms) == 0)
			l->read = true;
	}
	if (s->ask_orphans && sq_read_orphans(r, s->now_ms, ORPHANS_ROUND, on_orphan, s) != 0)
		s->again = true;
	store_reader_close(r);
}

static void settle_ran(struct work *w)
{
	struct dsettle *s = CONTAINER_OF(w, struct dsettle, work);
	struct dispatch *d = s->d;

	s->out = false;
	for (size_t i = 0; i < s->n_lot; i++) {
		struct dlot *l = s->lot[i].lot;
		l->unknown_next_ms = s->now_ms + D_SETTLE_EVERY_MS;
		if (s->lot[i].read && s->lot[i].next_due_ms >= 0)
			l->unknown_next_ms = l->at_ms + s->lot[i].next_due_ms;
	}
	for (size_t i = 0; i < s->n_row && !d->stopping; i++)
		if (!s->row[i].lot->gone)
			unknown_one(d, &s->row[i]);
	rows_done(s);
	for (size_t i = 0; i < s->n_lot; i++)
		lot_unref(s->lot[i].lot);
	for (size_t i = 0; i < s->n_orphan && !d->stopping; i++)
		receipt_again(d, &s->orphan[i]);
	if (s->n_orphan == ORPHANS_ROUND)
		s->orphans_ms = 0; /* there are more: the next round */
	orphans_free(s);
	s->ask_orphans = false;
	s->n_lot = 0;
	if (s->again)
		settle_kick(d);
	cmd_end(d);
}

static void round_begin(struct dispatch *d, int64_t now)
{
	struct dsettle *s = d->settle;

	for (int pass = 0; pass < 2; pass++)
		LIST_FOR(&d->lots, n)
		{
			struct dlot *l = CONTAINER_OF(n, struct dlot, node);
			if (l->urgent != (pass == 0) || l->n[DLV_UNKNOWN] <= 0 ||
				l->unknown_next_ms > now || s->n_lot == LOTS_ROUND)
				continue;
			s->lot[s->n_lot++] = (struct unknown_lot){ l, l->id, l->at_ms, -1, false };
			l->refs++;
		}
	bool orphans = now - s->orphans_ms >= D_ORPHAN_RETRY_MS;
	if (s->n_lot == 0 && !orphans)
		return;
	if (orphans)
		s->orphans_ms = now;
	s->ask_orphans = orphans;
	s->now_ms = now;
	s->out = true;
	s->again = false;
	s->work.fn = settle_run;
	s->work.done = settle_ran;
	cmd_begin(d);
	env_work(d->o.env, &s->work);
}

/* --- expiry and sweeps ------------------------------------------------------------------------------------------------- */

struct sweep_cmd {
	struct sq_sweep c;
	struct dispatch *d;
	struct dlot *lot;
};

static void on_swept(struct store_cmd *cmd)
{
	struct sweep_cmd *s = CONTAINER_OF(cmd, struct sweep_cmd, c.cmd);
	struct dispatch *d = s->d;
	struct dlot *l = s->lot;

	l->sweeping = false;
	d->settle->sweeps--;
	if (cmd->rc == 0 && !s->c.left) {
		l->n[DLV_WAITING] = l->n[DLV_HELD] = 0;
		log_line(LOG_INFO, "ev=lot.swept lot=%lld", (long long)l->id);
		progress_note(d, l->release, l->part);
	}
	if (!d->stopping)
		timer_set(d->o.env, &d->settle_timer,
			env_mono(d->o.env) + (cmd->rc ? D_RETRY_MS : D_SWEEP_PAUSE_MS));
	lot_unref(l);
	d_free(s);
	cmd_end(d);
}

static void sweep_begin(struct dlot *l)
{
	struct dispatch *d = l->lane->d;
	struct sweep_cmd *s = d_alloc(d, sizeof(*s));

	s->d = d;
	s->lot = l;
	s->c.lot = l->id;
	sq_sweep_init(&s->c);
	s->c.cmd.done = on_swept;
	l->sweeping = true;
	l->refs++;
	d->settle->sweeps++;
	cmd_begin(d);
	store_submit_or_done(d->o.store, &s->c.cmd);
}

struct expire_cmd {
	struct sq_expire c;
	struct dispatch *d;
};

static void on_expired(struct store_cmd *cmd)
{
	struct expire_cmd *x = CONTAINER_OF(cmd, struct expire_cmd, c.cmd);
	struct dispatch *d = x->d;

	d->settle->expiring = false;
	if (cmd->rc == 0 && (x->c.ret_lots || x->c.ret_gates)) {
		log_line(LOG_INFO, "ev=lot.expire lots=%lld gates=%lld", (long long)x->c.ret_lots,
			(long long)x->c.ret_gates);
		dispatch_scan(d);
	}
	d_free(x);
	cmd_end(d);
}

static void expire_begin(struct dispatch *d)
{
	struct expire_cmd *x = d_alloc(d, sizeof(*x));

	x->d = d;
	sq_expire_init(&x->c);
	x->c.cmd.done = on_expired;
	d->settle->expiring = true;
	d->settle->ended_ms = env_mono(d->o.env) + ENDED_MS;
	cmd_begin(d);
	store_submit_or_done(d->o.store, &x->c.cmd);
}

static void lots_look(struct dispatch *d, int64_t now)
{
	bool expired = env_mono(d->o.env) >= d->settle->ended_ms;

	LIST_FOR_SAFE(&d->lots, n, nx)
	{
		struct dlot *l = CONTAINER_OF(n, struct dlot, node);
		if (l->expires_ms <= now && (l->gate == LOT_OPEN || l->gate == LOT_HELD))
			expired = true;
		if ((l->gate == LOT_CANCELLED || l->gate == LOT_EXPIRED) && !l->sweeping &&
			l->n[DLV_WAITING] + l->n[DLV_HELD] > 0 && d->settle->sweeps < SWEEPS_MAX)
			sweep_begin(l);
	}
	for (size_t i = 0; i < d->n_gates; i++)
		expired = expired || (d->gates[i].until_ms && d->gates[i].until_ms <= now);
	if (expired && !d->settle->expiring)
		expire_begin(d);
}

static void on_settle_timer(struct timer *t)
{
	struct dispatch *d = CONTAINER_OF(t, struct dispatch, settle_timer);
	int64_t now = env_wall(d->o.env);

	if (!d->ready || d->stopping)
		return;
	lanes_clock_look(d);
	lots_look(d, now);
	if (!d->settle->out)
		round_begin(d, now);
	else
		d->settle->again = true;
	LIST_FOR(&d->lanes, n)
	{
		struct dlane *l = CONTAINER_OF(n, struct dlane, node);
		if (l->m_open) {
			metric_set(l->m_open, l->intents);
			metric_set(l->m_ready, l->n_ready);
		}
		if (l->told_ms &&
			l->done + l->deferred + l->refused + l->unknown !=
				l->told_at[0] + l->told_at[1] + l->told_at[2] + l->told_at[3])
			log_lane_summary(l, env_mono(d->o.env));
	}
	if (!timer_is_set(&d->settle_timer))
		timer_set(d->o.env, &d->settle_timer, env_mono(d->o.env) + D_SETTLE_EVERY_MS);
}

void settle_kick(struct dispatch *d)
{
	int64_t at = env_mono(d->o.env) + 5;

	if (d->ready && !d->stopping &&
		(!timer_is_set(&d->settle_timer) || d->settle_timer.at_ms > at))
		timer_set(d->o.env, &d->settle_timer, at);
}

bool settle_init(struct dispatch *d)
{
	d->settle = x_calloc(1, sizeof(*d->settle));
	d->settle->d = d;
	timer_init(&d->settle_timer, on_settle_timer);
	return true;
}

void settle_free(struct dispatch *d)
{
	timer_stop(d->o.env, &d->settle_timer);
	if (d->settle) {
		rows_done(d->settle);
		orphans_free(d->settle);
	}
	free(d->settle);
	d->settle = NULL;
}
