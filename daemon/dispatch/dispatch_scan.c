/* dispatch_scan.c - what the store says: gates, offices, lanes' gates, live lots; read by a worker, merged on the loop.
 * Thread: loop; scan_run on a worker. Owns: one scan at a time, at most D_LOTS_MAX rows of it.
 * A stop that happened while the scan was read makes it worthless: it is dropped and made again, so that an older snapshot
 * never undoes a stop. Failures: a failed scan is made again a second later. */
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "dispatch/dispatch_internal.h"

#define PAGE 1000

struct scan_lot {
	struct sq_lot_row r;
	char release[56], office[24];
};
struct scan_lane {
	struct sq_lane_row r; /* its strings: NULL */
	char text[4][160];    /* channel, account, class, why */
};
struct scan_office {
	int64_t id, parent;
};
struct dscan {
	struct work work;
	struct dispatch *d;
	uint64_t seq;
	struct scan_lot *lot;
	size_t n_lot, cap_lot;
	struct sq_gate *gate;
	size_t n_gate;
	struct scan_lane *lane;
	size_t n_lane, cap_lane;
	struct scan_office *office;
	size_t n_office, cap_office;
	struct conf *conf; /* a reference */
	struct money_ids money;
	int rc;
};

static int on_gate(void *ctx, const struct sq_gate *g)
{
	struct dscan *s = ctx;

	if (s->n_gate == D_GATES_MAX)
		return -E2BIG;
	if (s->n_gate % 64 == 0)
		s->gate = x_realloc(s->gate, s->n_gate + 64, sizeof(*s->gate));
	s->gate[s->n_gate++] = *g;
	return 0;
}

static int on_lane(void *ctx, const struct sq_lane_row *r)
{
	struct dscan *s = ctx;

	if (s->n_lane == s->cap_lane) {
		s->cap_lane = s->cap_lane ? s->cap_lane * 2 : 64;
		s->lane = x_realloc(s->lane, s->cap_lane, sizeof(*s->lane));
	}
	struct scan_lane *l = &s->lane[s->n_lane++];
	const struct str in[4] = { r->channel, r->account, r->class, r->why };
	l->r = *r;
	l->r.channel = l->r.account = l->r.class = l->r.why = (struct str){ 0 };
	for (int i = 0; i < 4; i++)
		(void)str_copy(l->text[i], sizeof(l->text[i]), in[i]);
	return s->n_lane > D_LANES_MAX ? -E2BIG : 0;
}

static int on_office(void *ctx, int64_t id, int64_t parent)
{
	struct dscan *s = ctx;

	if (s->n_office == s->cap_office) {
		s->cap_office = s->cap_office ? s->cap_office * 2 : 64;
		s->office = x_realloc(s->office, s->cap_office, sizeof(*s->office));
	}
	s->office[s->n_office++] = (struct scan_office){ id, parent };
	return 0;
}

static int on_lot(void *ctx, const struct sq_lot_row *r)
{
	struct dscan *s = ctx;

	if (s->n_lot == s->cap_lot) {
		s->cap_lot = s->cap_lot ? s->cap_lot * 2 : 64;
		s->lot = x_realloc(s->lot, s->cap_lot, sizeof(*s->lot));
	}
	struct scan_lot *l = &s->lot[s->n_lot++];
	l->r = *r;
	(void)str_copy(l->release, sizeof(l->release), r->release_name);
	(void)str_copy(l->office, sizeof(l->office), r->office_code);
	return 0;
}

static int scan_read(struct dscan *s, struct store_reader *r)
{
	int rc = sq_read_gates(r, on_gate, s);

	if (rc == 0)
		rc = sq_read_offices(r, on_office, s);
	if (rc == 0)
		rc = sq_read_lanes(r, on_lane, s);
	if (rc == 0)
		rc = money_read(s->conf, r, &s->money);
	for (int64_t after = 0; rc == 0 && s->n_lot < D_LOTS_MAX;) {
		size_t was = s->n_lot;
		rc = sq_read_lots(r, after, PAGE, on_lot, s);
		if (rc || s->n_lot - was < PAGE)
			break;
		after = s->lot[s->n_lot - 1].r.id;
	}
	return rc;
}

static void scan_run(struct work *w)
{
	struct dscan *s = CONTAINER_OF(w, struct dscan, work);
	struct store_reader *r;

	s->rc = store_reader_open(s->d->o.store, &r);
	if (s->rc)
		return;
	s->rc = scan_read(s, r);
	store_reader_close(r);
}

/* An import may have made lanes since the start: a domain group that was not there before. */
static void lanes_merge(struct dispatch *d, struct dscan *s)
{
	bool fresh = false;

	for (size_t i = 0; i < s->n_lane; i++) {
		if (lane_find(d, s->lane[i].r.id))
			continue;
		setup_lane(d, &s->lane[i].r, s->lane[i].text);
		fresh = true;
	}
	if (fresh)
		setup_bind(d);
	for (size_t i = 0; i < s->n_lane; i++) {
		const struct sq_lane_row *r = &s->lane[i].r;
		struct dlane *l = lane_find(d, r->id);
		bool was = l->held;
		l->held = r->gate != 0;
		(void)str_copy(l->why, sizeof(l->why), str_of(s->lane[i].text[3]));
		if (was && !l->held) {
			l->until_ms = r->until_ms;
			l->until_ours = false;
			breaker_good(&l->breaker);
		}
	}
}

static void merge(struct dispatch *d, struct dscan *s)
{
	free(d->gates);
	d->gates = MOVE(s->gate);
	d->n_gates = s->n_gate;
	d->gate_gen++;
	map64_free(d->office_parent);
	d->office_parent = map64_new();
	for (size_t i = 0; i < s->n_office; i++)
		if (s->office[i].parent)
			(void)map64_put(d->office_parent, (uint64_t)s->office[i].id,
				(void *)(intptr_t)s->office[i].parent);
	if (s->conf == d->conf)
		money_merge(d, &s->money);
	lanes_merge(d, s);
	d->scan_gen++;
	for (size_t i = 0; i < s->n_lot; i++) {
		struct scan_lot *l = &s->lot[i];
		l->r.release_name = str_of(l->release);
		l->r.office_code = str_of(l->office);
		lot_merge(d, &l->r);
	}
	LIST_FOR_SAFE(&d->lots, n, nx)
	{
		struct dlot *l = CONTAINER_OF(n, struct dlot, node);
		if (l->scan_gen != d->scan_gen)
			lot_drop(l);
	}
	LIST_FOR(&d->lanes, n)
	lane_kick(CONTAINER_OF(n, struct dlane, node));
	settle_kick(d);
}

static void scan_drop(struct dispatch *d)
{
	struct dscan *s = d->scan;

	if (!s)
		return;
	free(s->lot);
	free(s->gate);
	free(s->lane);
	free(s->office);
	money_ids_done(&s->money);
	conf_unref(s->conf);
	d_free(s);
	d->scan = NULL;
}

void scan_free(struct dispatch *d)
{
	scan_drop(d);
	free(d->gates);
	d->gates = NULL;
	d->n_gates = 0;
}

static void scan_done(struct work *w)
{
	struct dscan *s = CONTAINER_OF(w, struct dscan, work);
	struct dispatch *d = s->d;
	bool stale = s->seq != d->stop_seq || d->stops_busy > 0, again = false;

	d->scan_out = false;
	if (s->rc)
		log_line(LOG_WARN, "ev=scan.fail code=%d continuing", s->rc);
	else if (!stale)
		merge(d, s);
	if (!d->stopping) {
		bool soon = stale || s->rc;
		timer_set(d->o.env, &d->scan_timer,
			env_mono(d->o.env) +
				(s->rc                 ? D_RETRY_MS
						: soon ? 20
						       : D_SCAN_EVERY_MS));
		again = d->scan_again && !soon;
	}
	scan_drop(d);
	if (again)
		dispatch_scan(d);
	dispatch_kick(d);
	cmd_end(d);
}

void dispatch_scan(struct dispatch *d)
{
	if (!d->ready ||
		d->stopping) /* what an older epoch left is settled first: nothing is leased before */
		return;
	if (d->scan_out) {
		d->scan_again = true;
		return;
	}
	d->scan_again = false;
	d->scan_out = true;
	struct dscan *s = d_alloc(d, sizeof(*s));
	d->scan = s;
	s->d = d;
	s->seq = d->stop_seq;
	s->conf = conf_ref(d->conf);
	s->work.fn = scan_run;
	s->work.done = scan_done;
	cmd_begin(d);
	env_work(d->o.env, &s->work);
}
