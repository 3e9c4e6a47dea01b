/* dispatch_fill.c - leases: which lots are read next, and what becomes of the rows that a worker brought.
 * Thread: loop (the worker's half is dispatch_compose.c). Owns: a fill from its begin to its end.
 * A fill reads up to 256 rows of up to 16 lots and composes them in one go. Nothing is written: a lease is memory.
 * Failures: a skeleton that differs from the approved one holds the lot; one item that cannot be composed is held alone;
 * anything else is tried again later, and held with its reason after five times. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "dispatch/dispatch_internal.h"

#define FAILS_MAX 5

static void query_of(struct dfill *f, struct fill_lot *fl, struct dlot *l, size_t rows)
{
	struct dlane *lane = l->lane;

	memset(fl, 0, sizeof(*fl));
	fl->lot = l;
	if (l->rewind)
		l->cur_id = 0;
	l->rewind = false;
	fl->at_ms = l->at_ms;
	fl->min_gap_ms = lane->conf->min_gap_ms;
	fl->q = (struct sq_lease_query){ .lot = l->id,
		.now_due_ms = f->now_ms - l->at_ms,
		.now_ms = f->now_ms,
		.after_due_ms = l->cur_due,
		.after_id = l->cur_id,
		.max = rows,
		.category = l->category,
		.with_gap = lane->conf->min_gap_ms > 0,
		.with_steps = f->with_steps,
		.lists = true,
		.cast_release = l->broadcast ? l->release : 0,
		.cast_rev = l->rev,
		.consent = l->category == CAT_ADVERTISING };
	fl->campaign = l->campaign;
	fl->key = (struct prep_key){ .manifest = l->manifest,
		.release_id = l->release,
		.rev = l->rev,
		.channel_id = lane->acct->chan->id,
		.office_id = l->office,
		.part = (uint32_t)l->part };
	prep_known(lane->d, &fl->key, fl);
	l->filling = true;
	l->refs++;
}

/* Lots of the lane that want rows and may send, up to the room of one fill. */
static void choose(struct dfill *f, struct dlane *lane, int kind, size_t room)
{
	while (f->n < D_FILL_LOTS && room > 0) {
		struct dlot *l = lane_want_pop(lane, kind);
		int64_t until;
		if (!l)
			return;
		if (!lot_may_send(l, f->now_ms, &until, NULL) ||
			money_waits(l, f->now_ms, &until)) {
			if (until)
				lot_want_at(l, until);
			continue;
		}
		if (l->n[DLV_WAITING] <= 0 && !l->rewind)
			continue;
		/* Small lots share a fill; the estimate may be wrong, the query has its own bound. */
		size_t guess = l->n[DLV_WAITING] > 0 ? (size_t)l->n[DLV_WAITING] : 1;
		size_t rows = guess < room ? guess : room;
		query_of(f, &f->v[f->n++], l, rows);
		room -= rows;
	}
}

static void fill_free(struct dfill *f)
{
	for (size_t i = 0; i < f->n; i++)
		for (size_t k = 0; k < f->v[i].n_prep; k++)
			prepared_unref(f->v[i].prep[k].p);
	conf_unref(f->conf);
	list_del(&f->node);
	free(f);
}

static void copies_unused(struct dfill *f)
{
	for (size_t i = 0; i < f->n_copy; i++)
		if (f->copy[i])
			copy_free(f->copy[i]);
}

/* waiting -> held or suppressed or later, without a try. */
static void settle_unsent(struct dcopy *c, struct dlot *l, int64_t at_ms)
{
	struct dispatch *d = c->d;

	c->out = (struct sq_outcome){ .verb = SQ_MOVE,
		.delivery = (int64_t)c->op.delivery,
		.lot = l->id,
		.contact = c->intent.contact,
		.tries = c->intent.tries,
		.due_ms = -1,
		.why = c->why[0] ? c->why : NULL };
	if (c->verdict == FILL_SUPPRESSED) {
		c->out.to = DLV_SUPPRESSED;
	} else if (c->verdict == FILL_NEVER) {
		c->out.to = DLV_CANCELLED;
		log_line(LOG_INFO, "ev=broadcast.none msg=%lld why=%s", (long long)c->op.delivery,
			LOG_Q(str_of(c->why)));
	} else if (c->verdict == FILL_REMOVED) {
		c->out.to = DLV_CANCELLED;
	} else if (c->verdict == FILL_BAD) {
		c->out.to = DLV_HELD;
		log_line(LOG_WARN, "ev=delivery.hold msg=%lld why=%s continuing",
			(long long)c->op.delivery, LOG_Q(str_of(c->why)));
	} else {
		c->out.verb = SQ_PUSH;
		c->out.to = DLV_WAITING;
		c->out.due_ms = c->intent.gap_due_ms - at_ms;
		lane_gap(l->lane, c->intent.gap_due_ms);
		c->out.why = NULL;
	}
	(void)map64_put(d->copy_by_id, c->op.delivery, c);
	turn_outcome(c);
}

void fills_void(struct dispatch *d, int64_t contact)
{
	LIST_FOR(&d->fill_list, n)
	{
		struct dfill *f = CONTAINER_OF(n, struct dfill, node);
		if (contact == 0 || f->n_opted_out >= D_FILL_VOIDS)
			f->n_opted_out = D_FILL_VOIDS + 1;
		else
			f->opted_out[f->n_opted_out++] = contact;
	}
}

static bool opted_out(const struct dfill *f, int64_t contact)
{
	bool found = f->n_opted_out > D_FILL_VOIDS;

	for (size_t i = 0; i < f->n_opted_out && !found; i++)
		found = f->opted_out[i] == contact;
	return found;
}

static void merge_rows(struct dfill *f, struct fill_lot *fl)
{
	struct dispatch *d = f->d;
	struct dlot *l = fl->lot;
	int64_t until;
	bool may = lot_may_send(l, env_wall(d->o.env), &until, NULL) &&
		hash_cmp(&l->manifest, &fl->key.manifest) == 0 && !d->stopping;

	for (size_t i = fl->first; i < fl->first + fl->n; i++) {
		struct dcopy *c = f->copy[i];
		f->copy[i] = NULL;
		l->cur_due = c->intent.due_ms;
		l->cur_id = (int64_t)c->op.delivery;
		if (!may || map64_get(d->copy_by_id, c->op.delivery)) {
			l->rewind = l->rewind || !may;
			copy_free(c);
			continue;
		}
		if (opted_out(f, c->contact)) {
			l->rewind = true;
			copy_free(c);
			continue;
		}
		if (c->intent.tries > 0 && recon_waits(d, (int64_t)c->op.delivery, l)) {
			copy_free(c);
			continue;
		}
		if (c->verdict == FILL_WAITS) {
			fl->waits = true;
			copy_free(c);
			continue;
		}
		c->lot = l;
		l->refs++;
		c->leased_ms = env_mono(d->o.env);
		if (c->verdict != FILL_OK) {
			settle_unsent(c, l, fl->at_ms);
			continue;
		}
		(void)map64_put(d->copy_by_id, c->op.delivery, c);
		lot_put_ready(l, c);
	}
}

static void lot_hold(struct dlot *l, const char *word, const char *text)
{
	char why[160];

	snprintf(why, sizeof(why), "%s: %.140s", word, text);
	log_line(LOG_WARN, "ev=lot.hold lot=%lld release=%s office=%s why=%s continuing",
		(long long)l->id, l->release_name, l->office_code, LOG_Q(str_of(why)));
	turn_hold(l, l->release, l->lane, why);
}

static void lot_trouble(struct dlot *l, struct fill_lot *fl)
{
	struct dispatch *d = l->lane->d;

	if (fl->rc == -ESTALE) {
		lot_hold(l, "prepared",
			fl->err.text[0] ? fl->err.text : "differs from what was approved");
		return;
	}
	log_line(LOG_WARN, "ev=lot.fill lot=%lld code=%d why=%s continuing", (long long)l->id,
		fl->rc, LOG_Q(str_of(fl->err.text)));
	if (++l->fails >= FAILS_MAX) {
		l->fails = 0;
		lot_hold(l, "prepare", fl->err.text[0] ? fl->err.text : "failed again and again");
		return;
	}
	l->rewind = true;
	lot_want_at(l, env_wall(d->o.env) + 1000 * (INT64_C(1) << l->fails));
}

static void fill_lot_end(struct dfill *f, struct fill_lot *fl)
{
	struct dlot *l = fl->lot;

	l->filling = false;
	for (size_t k = 0; k < fl->n_prep; k++)
		if (fl->prep[k].fresh && f->prep_generation == f->d->prep_generation)
			prep_put(f->d, &fl->key, str_of(fl->prep[k].form), str_of(fl->prep[k].lang),
				fl->prep[k].p);
	merge_rows(f, fl);
	if (l->gone) {
		/* nothing more to say */
	} else if (fl->rc || f->rc) {
		fl->rc = fl->rc ? fl->rc : f->rc;
		lot_trouble(l, fl);
	} else {
		l->fails = 0;
		if (!fl->end.drained || l->rewind)
			lot_want(l);
		else
			l->cur_id = 0; /* rows come back by themselves: the next fill starts over */
		if (fl->end.drained && fl->end.next_due_ms >= 0)
			lot_want_at(l, l->at_ms + fl->end.next_due_ms);
		if (fl->waits && fl->end.drained && !l->rewind)
			cast_waits(l);
	}
	lot_unref(l);
}

static void fill_done(struct work *w)
{
	struct dfill *f = CONTAINER_OF(w, struct dfill, work);
	struct dispatch *d = f->d;
	struct dlane *lane = f->lane;

	d->fills--;
	lane->fills--;
	for (size_t i = 0; i < f->n; i++)
		fill_lot_end(f, &f->v[i]);
	copies_unused(f);
	fill_free(f);
	lane_kick(lane);
	if (d->fills == D_FILLS_MAX - 1)
		lanes_kick_wanting(d);
	cmd_end(d);
}

/* Fills whose worker is over but whose end will not come any more. */
void fills_free(struct dispatch *d)
{
	LIST_FOR_SAFE(&d->fill_list, n, nx)
	{
		struct dfill *f = CONTAINER_OF(n, struct dfill, node);
		copies_unused(f);
		fill_free(f);
	}
}

static void fill_kind(struct dlane *lane, int kind)
{
	struct dispatch *d = lane->d;
	uint32_t target = lane_ready_target(lane);

	/* Urgent and other work have their own room, so that neither keeps the other from its share. */
	while (!list_empty(&lane->want[kind]) && lane->n_ready_of[kind] < target &&
		d->fills < D_FILLS_MAX && lane->fills < 2 &&
		d->n_copies + SQ_LEASE_MAX <= D_COPIES_MAX && !d->stopping) {
		size_t room = target - lane->n_ready_of[kind];
		struct dfill *f = x_calloc(1, sizeof(*f));
		room = room < SQ_LEASE_MAX ? room : SQ_LEASE_MAX;
		list_push(&d->fill_list, &f->node);
		f->d = d;
		f->lane = lane;
		f->conf = conf_ref(d->conf);
		f->chan = lane->acct->chan->chan;
		f->with_steps = !(lane->acct->chan->caps & LT_CAP_INTENT_AT_START);
		f->credential = lane->acct->conf->credential;
		f->now_ms = env_wall(d->o.env);
		f->prep_generation = d->prep_generation;
		(void)str_copy(f->account, sizeof(f->account), str_of(lane->acct->name));
		choose(f, lane, kind, room);
		if (f->n == 0) {
			fill_free(f);
			return;
		}
		for (size_t i = 0; i < room; i++)
			f->copy[i] = copy_take(d);
		f->n_copy = room;
		f->work.fn = fill_run;
		f->work.done = fill_done;
		d->fills++;
		lane->fills++;
		cmd_begin(d);
		env_hurry(d->o.env);
		env_work(d->o.env, &f->work);
	}
}

void lane_fill(struct dlane *lane)
{
	fill_kind(lane, 0);
	fill_kind(lane, 1);
}
