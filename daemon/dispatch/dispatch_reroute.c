/* dispatch_reroute.c - after a reload that gave targets another lane: what still waits for them follows.
 * Thread: loop. Owns: the list of moves until all are done; one command of the store at a time. Must not know: SQL, routes.
 * Only what is proven unsent moves, to a lot that the same approval covers (store_queue_over.c); a delivery keeps its id and with it
 * its once-key. What is under way is waited for: if it comes back to waiting, it follows. What is held, and what was approved for
 * another channel only, stays and says so.
 * Failures: a chunk that fails is said and left; the moves stay written, and the next look at the routes goes on with them. */
#include <stdio.h>
#include <stdlib.h>
#include "base/log.h"
#include "dispatch/dispatch_internal.h"
#include "store/store_queue_over.h"

#define AGAIN_MS   1000
#define ROUNDS_MAX 600 /* ten minutes: longer than anything is under way */

struct reroute {
	struct sq_over c;
	struct dispatch *d;
	struct timer again;
	unsigned round, quiet; /* quiet: rounds in a row with nothing under way and nothing moved */
	int64_t moved_before;
	struct lane_move *v; /* owned */
	size_t n, at;
	int64_t *lots; /* owned: of the move `at` */
	size_t n_lots, lots_at;
	int64_t moved, stayed;
	bool failed;
	struct lane_moves_over over;
};

static void reroute_next(struct reroute *r);

static bool on_left_lane(const struct reroute *r, const struct dlot *l)
{
	if (l->over_skip_ms > env_mono(r->d->o.env))
		return false;
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].from == l->lane->id)
			return true;
	return false;
}

static bool some_under_way(const struct reroute *r)
{
	LIST_FOR(&r->d->lots, n)
	{
		const struct dlot *l = CONTAINER_OF(n, struct dlot, node);
		if ((l->refs > 0 || l->n[DLV_SENDING] > 0) && on_left_lane(r, l))
			return true;
	}
	return false;
}

/* Two quiet rounds: an outcome that is told but not yet committed is seen by the second. At a start nothing is known before the
 * recovery is over. */
static bool is_over(struct reroute *r)
{
	bool quiet = r->d->ready && r->moved == r->moved_before && !some_under_way(r);

	r->quiet = quiet ? r->quiet + 1 : 0;
	r->moved_before = r->moved;
	return r->quiet >= 2 || ++r->round >= ROUNDS_MAX;
}

static void on_again(struct timer *t)
{
	struct reroute *r = CONTAINER_OF(t, struct reroute, again);

	r->at = r->n_lots = r->lots_at = 0;
	free(MOVE(r->lots));
	reroute_next(r);
}

static void on_over(struct store_cmd *cmd)
{
	struct reroute *r = CONTAINER_OF(cmd, struct reroute, over.cmd);
	struct dispatch *d = r->d;

	if (cmd->rc)
		log_line(LOG_WARN, "ev=route.moves_stay code=%d why=%s continuing", cmd->rc,
			LOG_Q(str_of(cmd->err.text)));
	free(r->lots);
	free(r->v);
	d_free(r);
	cmd_end(d);
}

static void reroute_end(struct reroute *r)
{
	bool over = !r->failed && !r->d->stopping;

	log_line(r->stayed ? LOG_WARN : LOG_INFO,
		"ev=route.followed deliveries=%lld lots_not_approved_there=%lld",
		(long long)r->moved, (long long)r->stayed);
	r->over = (struct lane_moves_over){ .v = r->v, .n = over ? r->n : 0 };
	lane_moves_over_prepare(&r->over);
	r->over.cmd.done = on_over;
	store_submit_or_done(r->d->o.store, &r->over.cmd);
}

static void not_followed(const struct reroute *r, int rc, const char *why)
{
	log_line(LOG_WARN, "ev=route.follow.fail lane=%lld code=%d why=%s continuing",
		(long long)r->c.from, rc, LOG_Q(str_of(why)));
}

static void on_followed(struct store_cmd *cmd)
{
	struct reroute *r = CONTAINER_OF(cmd, struct reroute, c.cmd);
	bool again = cmd->rc == 0 && r->c.left && r->c.ret_moved;

	if (cmd->rc)
		not_followed(r, cmd->rc, cmd->err.text);
	r->failed |= cmd->rc != 0;
	r->moved += cmd->rc ? 0 : r->c.ret_moved;
	if (!cmd->rc && !again)
		r->stayed += (int64_t)over_uncovered(r->d, &r->c);
	if (r->c.ret_moved && !cmd->rc && !again && !r->d->stopping)
		dispatch_scan(r->d);
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
		if (l->lane->id != r->v[r->at].from || l->n[DLV_WAITING] <= 0 ||
			!on_left_lane(r, l))
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
	if (r->at >= r->n && !r->d->stopping && !is_over(r)) {
		timer_set(r->d->o.env, &r->again, env_mono(r->d->o.env) + AGAIN_MS);
		return;
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
		not_followed(r, rc, "the store takes no commands now");
		r->failed = true;
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
	timer_init(&r->again, on_again);
	r->v = x_calloc(n, sizeof(*r->v));
	for (size_t i = 0; i < n; i++)
		r->v[i] = v[i];
	cmd_begin(d);
	reroute_next(r);
}
