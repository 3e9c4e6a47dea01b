/* main_upkeep.c - what has to be done now and then: the head of the audit goes to the journal, where a truncation that also rewrote
 * the database shows; exchange records past their time are removed in chunks; targets of offices whose merger has come move to their
 * successor. Loop thread; reading on a worker, writing by the store.
 */
#include <stdlib.h>
#include "base/assert.h"
#include "base/log.h"
#include "main_app.h"
#include "store/store_audit.h"
#include "store/store_exchange.h"
#include "store/store_office.h"
#include "store/store_status.h"

#define HEAD_EVERY_MS (10 * 60 * 1000)

struct upkeep {
	struct app *app;
	struct timer timer;
	struct work work;
	struct store_exchange_prune prune;
	struct office_settle settle;
	struct audit_head head;
	struct store_status status;
	int64_t told_seq;
	int rc;
	int64_t moved; /* targets, since routes were looked up */
	bool busy, pruning, settling, closed;
};

static void upkeep_again(struct upkeep *u)
{
	if (!u->closed)
		timer_set(u->app->env, &u->timer, env_mono(u->app->env) + HEAD_EVERY_MS);
	else if (!u->busy && !u->pruning && !u->settling)
		free(u);
}

static void head_run(struct work *w)
{
	struct upkeep *u = CONTAINER_OF(w, struct upkeep, work);
	struct store_reader *r;
	u->rc = store_reader_open(u->app->store, &r);
	if (u->rc)
		return;
	u->rc = store_audit_head(reader_db(r), &u->head);
	if (!u->rc)
		u->rc = store_status_read(reader_db(r), &u->status);
	store_reader_close(r);
}

static void settle(struct upkeep *u);

static void settle_done(struct store_cmd *cmd)
{
	struct upkeep *u = CONTAINER_OF(cmd, struct upkeep, settle.cmd);
	u->settling = false;
	if (cmd->rc)
		log_line(LOG_WARN, "ev=offices.settle_failed rc=%d continuing", cmd->rc);
	else
		u->moved += u->settle.ret_moved;
	if (!cmd->rc && u->settle.more && !u->closed) {
		settle(u);
		return;
	}
	if (u->moved && !u->closed) { /* they go by the routes of their new office */
		u->moved = 0;
		app_routes_look(u->app);
	}
	upkeep_again(u);
}

/* A merger dated ahead takes effect within minutes of its day, without a restart. */
static void settle(struct upkeep *u)
{
	u->settle = (struct office_settle){ .more = false };
	office_settle_prepare(&u->settle);
	u->settle.cmd.done = settle_done;
	u->settling = store_submit(u->app->store, &u->settle.cmd) == 0;
	if (!u->settling)
		upkeep_again(u);
}

static void prune(struct upkeep *u);

static void prune_done(struct store_cmd *cmd)
{
	struct upkeep *u = CONTAINER_OF(cmd, struct upkeep, prune.cmd);
	u->pruning = false;
	if (cmd->rc)
		log_line(LOG_WARN, "ev=exchange.prune_failed rc=%d continuing", cmd->rc);
	if (!cmd->rc && u->prune.more && !u->closed)
		prune(u);
	else if (!u->closed)
		settle(u);
	else
		upkeep_again(u);
}

static void prune(struct upkeep *u)
{
	store_exchange_prune_init(
		&u->prune, env_wall(u->app->env) - u->app->conf->exchange_keep_ms);
	u->prune.cmd.done = prune_done;
	u->pruning = store_submit(u->app->store, &u->prune.cmd) == 0;
	if (!u->pruning)
		upkeep_again(u);
}

static void head_done(struct work *w)
{
	struct upkeep *u = CONTAINER_OF(w, struct upkeep, work);
	char hex[HASH_HEX];
	u->busy = false;
	app_reader_over(u->app);
	if (!u->rc && u->status.owed)
		log_line(LOG_WARN, "ev=approval.owed releases=%lld first=%s",
			(long long)u->status.owed, LOG_Q(str_of(u->status.owed_first)));
	if (!u->rc && u->head.seq != u->told_seq) {
		hash_hex(&u->head.hash, hex);
		log_line(LOG_INFO, "ev=audit.head head=%lld:%s", (long long)u->head.seq, hex);
		u->told_seq = u->head.seq;
	}
	if (u->closed)
		upkeep_again(u);
	else
		prune(u);
}

static void on_timer(struct timer *t)
{
	struct upkeep *u = CONTAINER_OF(t, struct upkeep, timer);
	u->busy = true;
	app_reader_began(u->app);
	u->work = (struct work){ .fn = head_run, .done = head_done };
	env_work(u->app->env, &u->work);
}

void upkeep_open(struct app *a)
{
	struct upkeep *u = a->upkeep = x_calloc(1, sizeof(*u));
	u->app = a;
	timer_init(&u->timer, on_timer);
	timer_set(a->env, &u->timer, env_mono(a->env));
}

void upkeep_close(struct app *a)
{
	struct upkeep *u = MOVE(a->upkeep);
	if (!u)
		return;
	timer_stop(a->env, &u->timer);
	u->closed = true;
	upkeep_again(u);
}
