/* dispatch_jobs_prune.c - what came in, what was seen and ids of providers go when their time is over: a chunk of at most 20 ms,
 * one channel after the other, once an hour. Thread: loop. Owns: its command until it is done.
 * Failures: the next hour takes it up again. */
#include <stdlib.h>
#include "base/log.h"
#include "dispatch/dispatch_jobs.h"

struct prune_cmd {
	struct sq_jobs_prune c;
	struct dispatch *d;
};

static void prune_later(struct djobs *js, int64_t ms)
{
	if (!js->d->stopping)
		timer_set(js->d->o.env, &js->prune_timer, env_mono(js->d->o.env) + ms);
}

static void on_pruned(struct store_cmd *cmd)
{
	struct prune_cmd *p = CONTAINER_OF(cmd, struct prune_cmd, c.cmd);
	struct dispatch *d = p->d;
	struct djobs *js = d->jobs;
	bool left = cmd->rc == 0 && p->c.left;

	js->pruning = false;
	if (cmd->rc)
		log_line(LOG_WARN, "ev=prune.fail ch=%s code=%d continuing", p->c.channel, cmd->rc);
	if (!left)
		js->prune_at++;
	if (js->prune_at < d->conf->n_channels)
		prune_later(js, D_PRUNE_PAUSE_MS);
	else
		prune_later(js, D_PRUNE_EVERY_MS);
	d_free(p);
	cmd_end(d);
}

static void on_prune_timer(struct timer *t)
{
	struct djobs *js = CONTAINER_OF(t, struct djobs, prune_timer);
	struct dispatch *d = js->d;
	int64_t now = env_wall(d->o.env), refs = D_REFS_KEEP_MS;

	if (d->stopping || js->pruning || !d->conf->n_channels)
		return;
	if (js->prune_at >= d->conf->n_channels)
		js->prune_at = 0;
	const struct conf_channel *c = d->conf->channels[js->prune_at];
	struct prune_cmd *p = d_alloc(d, sizeof(*p));
	p->d = d;
	if (c->stats.every_ms && c->stats.for_ms > refs)
		refs = c->stats.for_ms;
	if (c->poll.every_ms && c->poll.max_age_ms > refs)
		refs = c->poll.max_age_ms;
	(void)str_copy(p->c.channel, sizeof(p->c.channel), str_of(c->name));
	p->c.inbound_before_ms = c->inbound.keep_ms > 0 ? now - c->inbound.keep_ms : 0;
	p->c.refs_before_ms = now - refs;
	p->c.seen_before_ms = now - D_SEEN_KEEP_MS;
	p->c.inbound_max = D_INBOUND_MAX;
	sq_jobs_prune_init(&p->c);
	p->c.cmd.done = on_pruned;
	js->pruning = true;
	cmd_begin(d);
	store_submit_or_done(d->o.store, &p->c.cmd);
}

void prune_init(struct djobs *js)
{
	timer_init(&js->prune_timer, on_prune_timer);
}

void prune_kick(struct djobs *js)
{
	js->prune_at = 0;
	if (!js->pruning)
		prune_later(js, D_PRUNE_EVERY_MS / 60);
}
