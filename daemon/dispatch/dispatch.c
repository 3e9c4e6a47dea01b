/* dispatch.c - life of dispatch: made, attached to channels, started, drained, freed.
 * Thread: loop. Owns: everything below. Must not know: plan, ctl, sockets.
 * Order at start: rows and lanes, recovery, then the first scan. At the end: no new intent, unused ones go back, what is on
 * its way is waited for, its outcomes are committed, then `done`. */
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "dispatch/dispatch_internal.h"

static void on_pump_timer(struct timer *t)
{
	dispatch_kick(CONTAINER_OF(t, struct dispatch, pump_timer));
}

static void on_scan_timer(struct timer *t)
{
	dispatch_scan(CONTAINER_OF(t, struct dispatch, scan_timer));
}

static void lists_init(struct dispatch *d)
{
	struct list *all[] = { &d->lanes, &d->accts, &d->groups, &d->lots, &d->dirty, &d->pool,
		&d->intents, &d->steps, &d->outs, &d->receipts, &d->prep_lru, &d->recons,
		&d->progress, &d->mem, &d->fill_list, &d->setups, &d->creds, &d->hosts };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		list_init(all[i]);
}

struct dispatch *dispatch_new(const struct dispatch_opts *o)
{
	struct dispatch *d = x_calloc(1, sizeof(*d));

	d->magic = D_MAGIC;
	d->o = *o;
	lists_init(d);
	d->lane_by_id = map64_new();
	d->lot_by_id = map64_new();
	d->copy_by_id = map64_new();
	d->chan_by_id = map64_new();
	d->office_parent = map64_new();
	d->prep_groups = maps_new();
	d->gate_gen = 1;
	task_init(&d->pump, dispatch_pump_run);
	task_init(&d->progress_task, NULL);
	timer_init(&d->pump_timer, on_pump_timer);
	timer_init(&d->scan_timer, on_scan_timer);
	REQUIRE(turn_init(d) && settle_init(d) && jobs_init(d));
	recalls_init(d);
	backup_init(d);
	union { /* the conf is shared read-only; only its count of references is written */
		const struct conf *c;
		struct conf *v;
	} u = { .c = o->conf };
	d->conf = conf_ref(u.v);
	return d;
}

void dispatch_events(struct dispatch *d, struct channel_events *ret)
{
	d->host = d_alloc(d, sizeof(*d->host)); /* one for each configuration, until the end */
	d->host->d = d;
	list_push(&d->hosts, &d->host->node);
	memset(ret, 0, sizeof(*ret));
	ret->ctx = d->host;
	send_events(ret);
}

/* What waits or is being stored for them goes on, for as long as the disk is full; only its answer has no listener. */
void dispatch_channels_forget(struct dispatch *d, const struct channels *cs)
{
	LIST_FOR(&d->hosts, n)
	{
		struct dhost *h = CONTAINER_OF(n, struct dhost, node);
		if (h->cs == cs)
			h->cs = NULL;
	}
}

bool host_saved(struct dhost *h, uint64_t ticket, int rc)
{
	return h->cs && channel_saved(h->cs, ticket, rc);
}

int dispatch_attach(struct dispatch *d, struct channels *cs, struct err *e)
{
	int rc = setup_fits(d->conf, e);

	if (rc)
		return rc;
	d->channels = cs;
	if (d->host)
		d->host->cs = cs;
	setup_begin(d);
	return 0;
}

void dispatch_start(struct dispatch *d)
{
	if (d->started)
		return;
	d->started = true;
	recalls_start(d);
	if (d->attached)
		recover_begin(d);
}

/* What kept a session from coming up may be mended by the new configuration; what a provider said of its limits stays. */
static void logins_anew(struct dispatch *d)
{
	LIST_FOR(&d->lanes, n)
	{
		struct dlane *l = CONTAINER_OF(n, struct dlane, node);
		if (!l->login_until_ms || l->until_ms != l->login_until_ms)
			continue;
		l->until_ms = l->login_until_ms = 0;
		l->bucket_dirty = true;
		breaker_good(&l->breaker);
	}
}

int dispatch_reload(struct dispatch *d, const struct conf *conf, struct channels *cs, struct err *e)
{
	union {
		const struct conf *c;
		struct conf *v;
	} u = { .c = conf };
	struct conf *old = d->conf;
	int rc = setup_fits(conf, e);

	if (rc)
		return rc;
	d->conf = conf_ref(u.v);
	d->channels = cs;
	prep_forget(d);
	if (d->host && !d->host->cs)
		d->host->cs = cs;
	logins_anew(d);
	setup_bind(d); /* nothing points at the old one after this */
	money_reload(d, old);
	conf_unref(old);
	setup_begin(d); /* rows for what is new, then bound once more */
	return 0;
}

void cmd_begin(struct dispatch *d)
{
	d->cmds_out++;
}

void cmd_end(struct dispatch *d)
{
	REQUIRE(d->cmds_out > 0);
	d->cmds_out--;
	if (d->stopping)
		env_defer(d->o.env, &d->pump);
}

/* --- the end ----------------------------------------------------------------------------------------------------------- */

static uint32_t in_flight(const struct dispatch *d)
{
	uint32_t n = 0;

	LIST_FOR(&d->lanes, it)
	n += CONTAINER_OF(it, struct dlane, node)->in_flight;
	return n;
}

void stop_check(struct dispatch *d)
{
	if (!d->stopping || d->stopped)
		return;
	if (in_flight(d) || d->n_recons || d->cmds_out || d->oc_out || d->ic_out)
		return;
	if (!d->dead && (d->n_outs_wait || d->n_intents_wait || d->n_steps_wait))
		return;
	d->stopped = true;
	log_line(LOG_INFO, "ev=dispatch.stopped intents=%zu", dispatch_intents_open(d));
	if (d->stop_done)
		d->stop_done(d->stop_ctx);
}

void dispatch_stop(struct dispatch *d, void (*done)(void *ctx), void *ctx)
{
	d->stopping = true;
	d->started = true; /* the pump runs until all is drained */
	d->stop_done = done;
	d->stop_ctx = ctx;
	timer_stop(d->o.env, &d->scan_timer);
	timer_stop(d->o.env, &d->settle_timer);
	backup_stop(d);
	recalls_stop(d);
	jobs_stop(d);
	LIST_FOR_SAFE(&d->lots, n, nx)
	lot_drop_ready(CONTAINER_OF(n, struct dlot, node));
	LIST_FOR(&d->lanes, n)
	lane_kick(CONTAINER_OF(n, struct dlane, node));
	env_defer(d->o.env, &d->pump);
}

/* Every copy is in the map, but those that only carry a hold: they are among the outcomes. */
static void all_copies_free(struct dispatch *d)
{
	size_t at, n = 0;
	uint64_t key;
	void *v;

	LIST_FOR_SAFE(&d->lots, it, nx)
	lot_drop_ready(CONTAINER_OF(it, struct dlot, node));
	for (size_t i = 0; i < d->n_o; i++)
		if (d->o_copy[i]->has_hold)
			copy_free(d->o_copy[i]);
	LIST_FOR_SAFE(&d->outs, it, nx)
	if (CONTAINER_OF(it, struct dcopy, node)->has_hold)
		copy_free(CONTAINER_OF(it, struct dcopy, node));
	do {
		at = 0;
		n = map64_next(d->copy_by_id, &at, &key, &v) ? 1 : 0;
		if (n) {
			(void)map64_del(d->copy_by_id, key);
			copy_free(v);
		}
	} while (n);
}

void dispatch_free(struct dispatch *d)
{
	if (!d)
		return;
	/* Freed without being stopped (a test's crash): what is in memory is only leases, the store knows the rest. */
	d->stopping = true;
	task_cancel(&d->pump);
	timer_stop(d->o.env, &d->pump_timer);
	timer_stop(d->o.env, &d->scan_timer);
	backup_stop(d);
	all_copies_free(d);
	fills_free(d);
	setups_free(d);
	lots_free(d);
	progress_free(d);
	task_cancel(&d->pump);
	settle_free(d);
	jobs_free(d);
	scan_free(d);
	money_ids_done(&d->money_ids);
	creds_free(d);
	recalls_free(d);
	prep_free(d);
	pool_free(d);
	mem_free(d);
	lanes_free(d);
	turn_free(d);
	map64_free(d->lane_by_id);
	map64_free(d->lot_by_id);
	map64_free(d->copy_by_id);
	map64_free(d->chan_by_id);
	map64_free(d->office_parent);
	conf_unref(d->conf);
	d->magic = 0;
	free(d);
}
