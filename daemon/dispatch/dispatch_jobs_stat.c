/* dispatch_jobs_stat.c - numbers that adapters tell, gathered for the length of a turn and stored as one command.
 * Thread: loop. Owns: the command until it is done. Failures: numbers are told again by the next round; what is lost is logged. */
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "dispatch/dispatch_internal.h"
#include "dispatch/dispatch_jobs.h"

struct stats_cmd {
	struct sq_stats c;
	struct dispatch *d;
};

static void on_stats_stored(struct store_cmd *cmd)
{
	struct stats_cmd *s = CONTAINER_OF(cmd, struct stats_cmd, c.cmd);
	struct dispatch *d = s->d;

	if (cmd->rc)
		log_line(LOG_WARN, "ev=stat.lost n=%zu code=%d continuing", s->c.n, cmd->rc);
	d_free(s);
	cmd_end(d);
}

void stats_flush(struct task *t)
{
	struct djobs *j = CONTAINER_OF(t, struct djobs, flush);
	struct stats_cmd *s = MOVE(j->stats);

	if (!s)
		return;
	s->c.cmd.done = on_stats_stored;
	cmd_begin(s->d);
	store_submit_or_done(s->d->o.store, &s->c.cmd);
}

static void number_add(
	struct dispatch *d, int64_t delivery, int64_t account, struct str name, int64_t value)
{
	struct djobs *j = d->jobs;

	if (j->stats && j->stats->c.n == SQ_STATS_MAX)
		stats_flush(&j->flush);
	if (!j->stats) {
		j->stats = d_alloc(d, sizeof(*j->stats));
		j->stats->d = d;
		sq_stats_init(&j->stats->c);
	}
	struct sq_number *n = &j->stats->c.v[j->stats->c.n++];
	*n = (struct sq_number){ .delivery = delivery, .account = account, .value = value };
	(void)str_copy(n->name, sizeof(n->name), name);
	env_defer(d->o.env, &j->flush);
}

void stats_round(struct djob *j)
{
	number_add(j->d, 0, j->account, STR(SQ_ROUND), env_wall(j->d->o.env));
}

void stat_on(void *ctx, struct chan_account *a, uint64_t delivery, struct str name, int64_t value)
{
	struct dispatch *d = ((struct dhost *)ctx)->d;
	const struct dacct *acct = account_user(a);

	if (!acct)
		acct = acct_named(d, channel_conf(account_channel(a))->name, account_name(a));
	if (delivery || acct)
		number_add(d, (int64_t)delivery, acct ? acct->id : 0, name, value);
}
