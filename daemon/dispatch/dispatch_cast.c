/* dispatch_cast.c - broadcasts: a copy goes when its articles stand, with their ids, and while the allowance lasts.
 * Threads: cast_compose on the worker of a fill, the rest on the loop. Owns: nothing. Must not know: what a broadcast is made of.
 * A copy whose article is not out is given up again: its row stays as it was, and the lot asks later, or when an article of its lane
 * and release is out. The writer asks everything again in the transaction of the intent.
 * Failures: an article that will not come cancels its broadcast; what a person has to look at holds it. */
#include <stdio.h>
#include "base/log.h"
#include "dispatch/dispatch_internal.h"

#define WAIT_MIN_MS  INT64_C(500)
#define WAIT_DOUBLED 6 /* times: half a minute at most */

bool cast_compose(const struct dfill *f, const struct fill_lot *fl, struct dcopy *c,
	const struct sq_lease_row *l)
{
	const struct conf_channel *ch = channel_conf(f->chan);
	const struct conf_account *a = conf_account_find(ch, f->account);
	struct sq_cast_ask *ask = &c->intent.cast;

	if (l->cast->verdict != CAST_READY || !a) {
		c->verdict = l->cast->verdict == CAST_NEVER ? FILL_NEVER
			: l->cast->verdict == CAST_ASKS     ? FILL_BAD
							    : FILL_WAITS;
		snprintf(c->why, sizeof(c->why), "%.190s", l->cast->why);
		return false;
	}
	*ask = (struct sq_cast_ask){ .release = fl->q.cast_release,
		.rev = fl->q.cast_rev,
		.limits = conf_broadcasts(ch, a),
		.count = { .contact = l->contact, .campaign = fl->campaign } };
	cast_month(f->now_ms, ask->limits.from_day, &f->conf->zone, &ask->count.from_ms,
		&ask->count.to_ms);
	(void)copy_ids_attach(c, l->cast->ids);
	c->op.batch_key = c->op.delivery; /* alone */
	return true;
}

void cast_waits(struct dlot *l)
{
	int64_t pause = WAIT_MIN_MS
		<< (l->waits_article < WAIT_DOUBLED ? l->waits_article : WAIT_DOUBLED);

	l->waits_article++;
	lot_want_at(l, env_wall(l->lane->d->o.env) + pause);
}

void cast_wake(struct dlot *article)
{
	struct dlane *lane = article->lane;

	if (lane->n_casts == 0 || article->broadcast)
		return;
	LIST_FOR_SAFE(&lane->d->lots, n, nx)
	{
		struct dlot *l = CONTAINER_OF(n, struct dlot, node);
		if (!l->broadcast || l->lane != lane || l->waits_article == 0)
			continue;
		l->waits_article = 0;
		l->rewind = true;
		lot_want(l);
	}
}

void cast_spent(struct dcopy *c)
{
	struct dlot *l = c->lot;
	const struct sq_cast_ask *a = &c->intent.cast;
	char text[120], why[160];

	if (l->gone || l->held_mem || l->gate != LOT_OPEN)
		return;
	snprintf(why, sizeof(why), "allowance: %s",
		cast_print(text, sizeof(text), a->over, &a->limits, &a->used, a->count.from_ms,
			&c->d->conf->zone));
	log_line(LOG_WARN, "ev=lot.hold lot=%lld release=%s office=%s why=%s continuing",
		(long long)l->id, l->release_name, l->office_code, LOG_Q(str_of(why)));
	turn_hold_lot(l, why);
}
