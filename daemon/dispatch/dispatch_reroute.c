/* dispatch_reroute.c - after a reload that gave targets another lane: what still waits for them follows.
 * Thread: loop. Owns: the list of moves until all are done; one command of the store at a time. Must not know: SQL, routes.
 * Only what is proven unsent moves, to a lot that the same approval covers (store_queue_over.c); a delivery keeps its id and with it
 * its once-key. What is held, and what was approved for another channel only, stays and says so.
 * Failures: a chunk that fails is said and left; the next reload that changes a route looks again. */
#include <stdio.h>
#include <stdlib.h>
#include "base/log.h"
#include "dispatch/dispatch_internal.h"
#include "store/store_queue_over.h"

struct reroute {
	struct sq_over c;
	struct dispatch *d;
	struct lane_move *v; /* owned */
	size_t n, at;
	int64_t *lots; /* owned: of the move `at` */
	size_t n_lots, lots_at;
	int64_t moved, stayed;
};

static void reroute_next(struct reroute *r);

static void reroute_end(struct reroute *r)
{
	struct dispatch *d = r->d;

	log_line(r->stayed ? LOG_WARN : LOG_INFO,
		"ev=route.followed deliveries=%lld lots_not_approved_there=%lld",
		(long long)r->moved, (long long)r->stayed);
	if (r->moved && !d->stopping)
		dispatch_scan(d);
	free(r->lots);
	free(r->v);
	d_free(r);
	cmd_end(d);
}

static void on_followed(struct store_cmd *cmd)
{
	struct reroute *r = CONTAINER_OF(cmd, struct reroute, c.cmd);
	bool again = cmd->rc == 0 && r->c.left && r->c.ret_moved;

	if (cmd->rc)
		log_line(LOG_WARN, "ev=route.follow.fail lane=%lld code=%d why=%s",
			(long long)r->c.from, cmd->rc, LOG_Q(str_of(cmd->err.text)));
	r->moved += cmd->rc ? 0 : r->c.ret_moved;
	for (size_t i = 0; i < r->c.n && !cmd->rc && !again; i++)
		r->stayed += r->c.uncovered[i];
	if (!again)
		r->lots_at += r->c.n;
	reroute_next(r);
}

/* Lots on the lane that is left, with something that waits; what is leased of them is given up first. */
static void lots_take(struct reroute *r)
{
	size_t max = 0;

	free(r->lots);
	r->n_lots = r->lots_at = 0;
	LIST_FOR(&r->d->lots, n)
	max++;
	r->lots = x_calloc(max + 1, sizeof(*r->lots));
	LIST_FOR(&r->d->lots, n)
	{
		struct dlot *l = CONTAINER_OF(n, struct dlot, node);
		if (l->lane->id != r->v[r->at].from || l->n[DLV_WAITING] <= 0)
			continue;
		lot_drop_ready(l);
		r->lots[r->n_lots++] = l->id;
	}
}

static void reroute_next(struct reroute *r)
{
	while (r->at < r->n && r->lots_at == r->n_lots) {
		if (r->lots)
			r->at++;
		if (r->at < r->n)
			lots_take(r);
	}
	if (r->at >= r->n || r->d->stopping) {
		reroute_end(r);
		return;
	}
	r->c = (struct sq_over){ .from = r->v[r->at].from, .to = r->v[r->at].to, .back = true };
	(void)snprintf(r->c.why, sizeof(r->c.why), "the configuration gives it another route");
	while (r->c.n < SQ_OVER_LOTS && r->lots_at + r->c.n < r->n_lots) {
		r->c.lot[r->c.n] = r->lots[r->lots_at + r->c.n];
		r->c.n++;
	}
	sq_over_init(&r->c);
	r->c.cmd.done = on_followed;
	int rc = store_submit(r->d->o.store, &r->c.cmd);
	if (rc) {
		r->c.cmd.rc = rc;
		reroute_end(r);
	}
}

void dispatch_reroute(struct dispatch *d, const struct lane_move *v, size_t n)
{
	if (!n || d->stopping)
		return;
	struct reroute *r = d_alloc(d, sizeof(*r));
	r->d = d;
	r->n = n;
	r->v = x_calloc(n, sizeof(*r->v));
	for (size_t i = 0; i < n; i++)
		r->v[i] = v[i];
	cmd_begin(d);
	reroute_next(r);
}
