/* dispatch_recover.c - the first thing after the start: what stood `sending` is settled before any intent of this epoch.
 * Thread: loop. Owns: its one command, chunk after chunk. Failures: a chunk that fails is tried again a second later. */
#include <stdlib.h>
#include "base/log.h"
#include "dispatch/dispatch_internal.h"

struct recover_cmd {
	struct sq_recover c;
	struct dispatch *d;
	struct timer again;
	int64_t unknown, waiting, held;
};

static void recover_submit(struct recover_cmd *r);

static void on_again(struct timer *t)
{
	recover_submit(CONTAINER_OF(t, struct recover_cmd, again));
}

static void recover_over(struct recover_cmd *r)
{
	struct dispatch *d = r->d;

	log_line(LOG_INFO, "ev=dispatch.recovered unknown=%lld waiting=%lld held=%lld",
		(long long)r->unknown, (long long)r->waiting, (long long)r->held);
	d_free(r);
	d->ready = true;
	dispatch_scan(d);
	settle_kick(d);
	cmd_end(d);
}

static void on_recovered(struct store_cmd *cmd)
{
	struct recover_cmd *r = CONTAINER_OF(cmd, struct recover_cmd, c.cmd);
	struct dispatch *d = r->d;

	if (cmd->rc == 0) {
		r->c.asked = true;
		r->unknown += r->c.ret_unknown;
		r->waiting += r->c.ret_waiting;
		r->held += r->c.ret_held;
		if (!r->c.left || d->stopping) {
			recover_over(r);
			return;
		}
		recover_submit(r);
		return;
	}
	log_line(LOG_ERROR, "ev=recover.fail code=%d why=%s tried again", cmd->rc,
		LOG_Q(str_of(cmd->err.text)));
	if (d->stopping) {
		d_free(r);
		cmd_end(d);
		return;
	}
	timer_set(d->o.env, &r->again, env_mono(d->o.env) + D_RETRY_MS);
}

static void recover_submit(struct recover_cmd *r)
{
	sq_recover_init(&r->c);
	r->c.crashed = r->d->o.crashed.item;
	r->c.n_crashed = r->d->o.crashed.n;
	r->c.cmd.done = on_recovered;
	int sent = store_submit(
		r->d->o.store, &r->c.cmd); /* from here on the command is the store's */
	if (sent) {
		r->c.cmd.rc = sent;
		timer_set(r->d->o.env, &r->again, env_mono(r->d->o.env) + D_RETRY_MS);
	}
}

void recover_begin(struct dispatch *d)
{
	struct recover_cmd *r = d_alloc(d, sizeof(*r));

	r->d = d;
	timer_init(&r->again, on_again);
	cmd_begin(d);
	recover_submit(r);
}
