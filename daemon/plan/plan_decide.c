/* plan_decide.c - what a part does now: a pure judgement over its row, the facts of its lots and its manifest.
 * Thread: any. Time is an argument. Late is judged once, when the part would first start.
 */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "plan/plan_internal.h"

static void wait_until(struct decision *d, int64_t ms)
{
	d->what = DECIDE_WAIT;
	d->next_ms = ms < d->next_ms ? ms : d->next_ms;
}

static void hold(struct decision *d, const char *why)
{
	d->what = DECIDE_HOLD;
	snprintf(d->why, sizeof(d->why), "%s", why);
}

/* No delivery of it is waiting or sending, or it is over; what a person must look at first keeps no other part waiting. */
static bool finished(const struct plan_active *x, int64_t now)
{
	if (x->part.state == PART_DONE || x->part.state == PART_CANCELLED)
		return true;
	if (x->part.expires && now >= x->part.expires)
		return true;
	return x->part.state == PART_PLANNED && x->part.planned == 2 && x->planning == 0 &&
		x->moving == 0;
}

static const struct plan_active *part_of(const struct decide_facts *f, uint32_t number)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->all[i].part.part == number)
			return &f->all[i];
	return NULL;
}

/* A broadcast begins with its articles: each of its deliveries waits for its own. */
static bool waits_for_articles(const struct plan_active *x, struct decision *ret)
{
	if (x->part.started)
		return false;
	if (x->part.state == PART_DONE || x->part.state == PART_CANCELLED) {
		ret->what = DECIDE_SKIP;
		snprintf(ret->why, sizeof(ret->why),
			"expired: the articles of part %s did not go out", x->part.name);
		return true;
	}
	wait_until(ret, INT64_MAX);
	return true;
}

static bool waits_for_other(
	const struct decide_facts *f, const struct part_row *p, struct decision *ret)
{
	const struct plan_active *x = p->after ? part_of(f, p->after) : NULL;
	if (x && p->slot == (int)ONCE_SLOT_BROADCAST)
		return waits_for_articles(x, ret);
	if (!x || finished(x, f->now))
		return false;
	wait_until(ret, x->part.expires ? x->part.expires : INT64_MAX);
	return true;
}

static bool waits_for_time(const struct decide_facts *f, const struct part_row *p,
	const struct mf_times *t, struct decision *ret)
{
	if (p->signal && !p->go_at) {
		if (f->now > t->win_to_ms)
			hold(ret, "window: the signal was not given inside its window");
		else
			wait_until(ret, t->win_to_ms + 1);
		return true;
	}
	if (t->has_at && !p->go_at) {
		if (p->at < t->win_from_ms || p->at > t->win_to_ms) {
			hold(ret, "forged: its time lies outside the window that was approved");
			return true;
		}
		if (f->now < p->at) {
			wait_until(ret, p->at);
			return true;
		}
	}
	if (f->now < t->not_before_ms) {
		wait_until(ret, t->not_before_ms);
		return true;
	}
	return false;
}

static bool waits_for_campaign(
	const struct decide_facts *f, const struct plan_active *a, struct decision *ret)
{
	if (!a->camp_last)
		return false;
	if (f->now < a->camp_first) {
		wait_until(ret, a->camp_first);
		return true;
	}
	if (f->now <= a->camp_last)
		return false;
	hold(ret, "campaign: its dates are over");
	return true;
}

/* Judged on what time alone decides: a part after another one, on a signal or on a link is never late. */
static bool is_late(const struct decide_facts *f, const struct plan_active *a,
	const struct mf_part *m, const struct mf_times *t, struct decision *ret)
{
	char why[120];
	if (!t->has_at || a->part.go_at || a->part.after || m->needs_link)
		return false;
	int64_t since = a->part.at > a->release.approved_at ? a->part.at : a->release.approved_at;
	bool over = m->window_ms > 0 && a->release.approved_at > t->win_to_ms;
	if ((!over && f->now - since <= m->late_after_ms) || m->late == LATE_SEND)
		return false;
	if (over)
		snprintf(why, sizeof(why), "window: it was approved after its window had ended");
	else
		snprintf(why, sizeof(why), "late: it is %lld minutes after its time",
			(long long)((f->now - since) / 60000));
	if (m->late == LATE_HOLD) {
		hold(ret, why);
		return true;
	}
	ret->what = DECIDE_SKIP;
	snprintf(ret->why, sizeof(ret->why), "%s, and its policy is to drop it", why);
	return true;
}

static void decide_waiting(
	const struct decide_facts *f, const struct plan_active *a, struct decision *ret)
{
	const struct part_row *p = &a->part;
	const struct mf_part *m = manifest_part(f->m, p->part);
	struct mf_times t;
	if (!m) {
		hold(ret, "forged: the manifest has no such part");
		return;
	}
	if (p->after != m->after || (p->signal != 0) != m->signal) {
		hold(ret, "forged: what it waits for is not what was approved");
		return;
	}
	manifest_times(f->m, m, a->release.approved_at, &t);
	int64_t expires = p->expires && p->expires < t.expires_ms ? p->expires : t.expires_ms;
	if (f->now >= expires) {
		ret->what = DECIDE_EXPIRE;
		snprintf(ret->why, sizeof(ret->why), "expired: it had not started");
		return;
	}
	ret->next_ms = expires;
	if (waits_for_other(f, p, ret) || waits_for_time(f, p, &t, ret) ||
		waits_for_campaign(f, a, ret))
		return;
	if (p->planned < 2) {
		ret->what = DECIDE_WAIT; /* its rows are being made; planning looks again */
		return;
	}
	if (is_late(f, a, m, &t, ret))
		return;
	if (m->needs_link && f->link <= 0) {
		ret->what = DECIDE_LINK;
		if (t.has_at && f->now > t.win_to_ms && p->go_at <= t.win_to_ms)
			hold(ret, "link: the canonical page did not answer inside the window");
		return;
	}
	ret->what = DECIDE_START;
}

static void decide_planned(const struct plan_active *a, int64_t now, struct decision *ret)
{
	if (a->part.planned < 2)
		return;
	if (a->planning > 0) {
		ret->what = DECIDE_START; /* lots that were planned again */
		return;
	}
	if (a->live || a->open)
		return;
	if (a->receipts && a->settle_by > now)
		wait_until(ret, a->settle_by);
	else
		ret->what = DECIDE_DONE;
}

void plan_decide(const struct decide_facts *f, struct decision *ret)
{
	const struct plan_active *a = &f->all[f->at];
	*ret = (struct decision){ .what = DECIDE_WAIT, .next_ms = INT64_MAX };
	switch ((enum part_state)a->part.state) {
	case PART_WAITING: decide_waiting(f, a, ret); break;
	case PART_PLANNED: decide_planned(a, f->now, ret); break;
	case PART_HELD:
		if (a->part.expires && f->now >= a->part.expires) {
			ret->what = DECIDE_EXPIRE;
			snprintf(ret->why, sizeof(ret->why), "expired: it was held until its end");
		} else if (a->part.expires) {
			ret->next_ms = a->part.expires;
		}
		break;
	case PART_DONE:
	case PART_CANCELLED: break;
	}
}
