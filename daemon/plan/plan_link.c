/* plan_link.c - parts that wait until the canonical page of their release answers (`needs_link`): each is asked for when its part has
 * nothing else to wait for, again half a minute later, and anew for each revision that was approved.
 * Threads: loop; plan_link_why: any, hence the lock around what it reads.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/log.h"
#include "plan/plan_internal.h"

#define LINK_AGAIN_MS 30000

struct link_wait {
	struct plan *p;
	uint64_t key;
	int64_t rev;
	bool asking, answers;
	int64_t again_ms; /* monotonic */
	char why[160];    /* under links_lock; "": not known yet */
};

static uint64_t key_of(int64_t release_id, uint32_t part)
{
	return (uint64_t)release_id * 64 + part;
}

static void why_set(struct link_wait *l, const char *why)
{
	struct plan *p = l->p;
	pthread_mutex_lock(&p->links_lock);
	bool other = strcmp(l->why, why) != 0;
	(void)snprintf(l->why, sizeof(l->why), "%s", why);
	pthread_mutex_unlock(&p->links_lock);
	if (other && *why)
		log_line(LOG_INFO, "ev=part.link release=%lld part=%lld why=%s",
			(long long)(l->key / 64), (long long)(l->key % 64), LOG_Q(str_of(why)));
}

/* The timer may be set already, to something that comes much later. */
static void look_again(struct plan *p, int64_t at_ms)
{
	if (!p->stopping && (!timer_is_set(&p->timer) || p->timer.at_ms > at_ms))
		timer_set(p->env, &p->timer, at_ms);
}

static void link_told(void *ctx, bool answers, const char *why)
{
	struct link_wait *l = ctx;
	struct plan *p = l->p;
	l->asking = false;
	l->answers = answers;
	l->again_ms = env_mono(p->env) + LINK_AGAIN_MS;
	why_set(l, answers || !why ? "" : why);
	if (answers)
		plan_scan(p);
	else
		look_again(p, l->again_ms);
	plan_idle(p);
}

void plan_link_ask(struct plan *p, const struct plan_active *a, const char *url)
{
	uint64_t key = key_of(a->release.id, a->part.part);
	struct link_wait *l = map64_get(p->links, key);
	if (!l) {
		l = x_calloc(1, sizeof(*l));
		l->p = p;
		l->key = key;
		pthread_mutex_lock(&p->links_lock);
		map64_put(p->links, key, l);
		pthread_mutex_unlock(&p->links_lock);
	}
	int64_t now = env_mono(p->env);
	if (!l->asking && l->rev != a->release.rev_approved) {
		l->rev = a->release.rev_approved;
		l->answers = false;
		l->again_ms = now;
	}
	if (l->asking || l->answers)
		return;
	if (now < l->again_ms || !p->o.link_check) {
		look_again(p, p->o.link_check ? l->again_ms : now + LINK_AGAIN_MS);
		return;
	}
	l->asking = true;
	plan_busy(p);
	p->o.link_check(p->o.ctx, url, link_told, l);
}

int plan_link_state(struct plan *p, const struct plan_active *a)
{
	struct link_wait *l = map64_get(p->links, key_of(a->release.id, a->part.part));
	if (!l || l->rev != a->release.rev_approved) /* a new revision's page is asked for anew */
		return 0;
	return l->answers ? 1 : -1;
}

bool plan_link_why(struct plan *p, int64_t release_id, uint32_t part, char *dst, size_t size)
{
	pthread_mutex_lock(&p->links_lock);
	const struct link_wait *l = map64_get(p->links, key_of(release_id, part));
	bool waits = l && *l->why;
	if (waits)
		(void)snprintf(dst, size, "link: %s", l->why);
	pthread_mutex_unlock(&p->links_lock);
	return waits;
}

void plan_link_over(struct plan *p, int64_t release_id, uint32_t part)
{
	struct link_wait *l = map64_get(p->links, key_of(release_id, part));
	if (!l || l->asking)
		return;
	pthread_mutex_lock(&p->links_lock);
	(void)map64_del(p->links, l->key);
	pthread_mutex_unlock(&p->links_lock);
	free(l);
}

void plan_links_free(struct plan *p)
{
	size_t at = 0;
	uint64_t key;
	void *v;
	while (map64_next(p->links, &at, &key, &v))
		free(v);
	map64_free(p->links);
}
