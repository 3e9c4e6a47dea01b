/* smpp_window.c - what is under way on a link, by sequence number and in the order of sending; and the pace of an account.
 * Pace: a token bucket over all binds (segments_per_s), a window on each, and what the server makes of both: told to slow down,
 * the rate is halved and the route pauses for 1 s, doubling up to 60 s while that goes on; then the rate grows by a tenth a
 * minute. A full queue halves the window too. Late answers keep their number but no place in the window.
 * Thread: loop. Owns: the map of a link. Failures: -ENOMEM. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "smpp.h"

#define MAP_MIN       1024u
#define MAP_MAX       65536u
#define PAUSE_MIN     1000
#define PAUSE_MAX     60000
#define PAUSE_FORGET  60000 /* so long without a complaint: the next pause is the shortest again */
#define GROW_EVERY_MS 60000
#define SLACK_MS      20 /* a turn that comes so late costs nothing of the rate */

/* --- lists ------------------------------------------------------------------------------------------------------------------- */
static void list_push(struct smpp_list *l, struct smpp_seg *g)
{
	g->next = NULL;
	g->prev = l->tail;
	if (l->tail != NULL)
		l->tail->next = g;
	else
		l->head = g;
	l->tail = g;
	l->n++;
}

static void list_del(struct smpp_list *l, struct smpp_seg *g)
{
	if (g->prev != NULL)
		g->prev->next = g->next;
	else
		l->head = g->next;
	if (g->next != NULL)
		g->next->prev = g->prev;
	else
		l->tail = g->prev;
	g->next = g->prev = NULL;
	l->n--;
}

/* --- map: linear probing, removal shifts back ---------------------------------------------------------------------------------- */
static uint32_t home(const struct smpp_link *l, uint32_t seq)
{
	return seq * 2654435761u & (l->map_cap - 1);
}

static void map_insert(struct smpp_link *l, struct smpp_seg *g)
{
	uint32_t at = home(l, g->seq);

	while (l->map[at] != NULL)
		at = (at + 1) & (l->map_cap - 1);
	l->map[at] = g;
	l->map_n++;
}

static int map_grow(struct smpp_link *l)
{
	uint32_t cap = l->map_cap == 0 ? MAP_MIN : l->map_cap * 2, old_cap = l->map_cap;
	struct smpp_seg **old = l->map;

	if (cap > MAP_MAX)
		return -ENOMEM;
	struct smpp_seg **map = calloc(cap, sizeof(struct smpp_seg *));
	if (map == NULL)
		return -ENOMEM;
	l->map = map;
	l->map_cap = cap;
	l->map_n = 0;
	for (uint32_t i = 0; i < old_cap; i++)
		if (old[i] != NULL)
			map_insert(l, old[i]);
	free(old);
	return 0;
}

static bool map_find(const struct smpp_link *l, uint32_t seq, uint32_t *ret)
{
	if (l->map_cap == 0)
		return false;
	for (uint32_t at = home(l, seq); l->map[at] != NULL; at = (at + 1) & (l->map_cap - 1))
		if (l->map[at]->seq == seq) {
			*ret = at;
			return true;
		}
	return false;
}

static void map_del(struct smpp_link *l, uint32_t at)
{
	uint32_t mask = l->map_cap - 1, hole = at;

	for (uint32_t i = (at + 1) & mask; l->map[i] != NULL; i = (i + 1) & mask) {
		uint32_t h = home(l, l->map[i]->seq);
		if (((i - h) & mask) < ((i - hole) & mask))
			continue;
		l->map[hole] = l->map[i];
		hole = i;
	}
	l->map[hole] = NULL;
	l->map_n--;
}

int smpp_window_put(struct smpp_link *l, struct smpp_seg *g)
{
	if ((l->map_n + 1) * 2 > l->map_cap && map_grow(l) < 0)
		return -ENOMEM;
	g->link = l;
	g->late = false;
	map_insert(l, g);
	list_push(&l->window, g);
	return 0;
}

void smpp_window_remove(struct smpp_seg *g)
{
	struct smpp_link *l = g->link;
	uint32_t at;

	if (l == NULL)
		return;
	if (map_find(l, g->seq, &at))
		map_del(l, at);
	list_del(g->late ? &l->late : &l->window, g);
	g->link = NULL;
	g->late = false;
}

struct smpp_seg *smpp_window_find(const struct smpp_link *l, uint32_t seq)
{
	uint32_t at;

	return map_find(l, seq, &at) ? l->map[at] : NULL;
}

void smpp_window_late(struct smpp_link *l, struct smpp_seg *g)
{
	list_del(&l->window, g);
	g->late = true;
	list_push(&l->late, g);
}

/* --- pace --------------------------------------------------------------------------------------------------------------------- */
/* One, and what a late turn owes. Not what a second holds: a silence would be followed by twice the rate, and a server that counts seconds
 * refuses the half of it. */
static double depth_of(const struct smpp_pace *p)
{
	return 1 + p->per_s * SLACK_MS / 1000;
}

void smpp_pace_init(struct smpp_session *s)
{
	const struct smpp_conf *f = &s->si->conf;

	s->pace = (struct smpp_pace){ .window = f->window,
		.per_s = f->per_s,
		.tokens = 1,
		.seen_at = s->now,
		.filled_at = s->now,
		.grown_at = s->now };
}

static void fill(struct smpp_session *s)
{
	struct smpp_pace *p = &s->pace;
	double most = depth_of(p);

	if (p->per_s > 0 && s->now > p->filled_at) {
		p->tokens += p->per_s * (double)(s->now - p->filled_at) / 1000;
		if (p->tokens > most)
			p->tokens = most;
	}
	p->filled_at = s->now;
}

/* A tenth more a minute, up to what is configured, or to twice of what was ever seen to work. */
static void grow(struct smpp_session *s)
{
	const struct smpp_conf *f = &s->si->conf;
	struct smpp_pace *p = &s->pace;

	while (s->now - p->grown_at >= GROW_EVERY_MS) {
		p->grown_at += GROW_EVERY_MS;
		if (p->per_s > 0 && p->slowed_at > 0) {
			p->per_s *= 1.1;
			if (f->per_s > 0 && p->per_s > f->per_s)
				p->per_s = f->per_s;
			else if (f->per_s == 0 && p->per_s > p->seen_per_s * 2)
				p->per_s = 0;
		}
		if (p->window < f->window)
			p->window += p->window / 10 + 1;
		if (p->window > f->window)
			p->window = f->window;
		if (s->now - p->grown_at > 100 * GROW_EVERY_MS)
			p->grown_at = s->now;
	}
}

uint32_t smpp_pace_room(struct smpp_session *s, struct smpp_link *l)
{
	struct smpp_pace *p = &s->pace;

	if (s->now < p->paused_until || l->window.n >= p->window || l->acks >= SMPP_RECEIPTS_HOLD)
		return 0;
	fill(s);
	grow(s);
	uint32_t room = p->window - l->window.n;
	if (p->per_s > 0 && p->tokens < room)
		room = p->tokens < 1 ? 0 : (uint32_t)p->tokens;
	return room;
}

void smpp_pace_sent(struct smpp_session *s)
{
	if (s->pace.per_s > 0)
		s->pace.tokens -= 1;
}

void smpp_pace_good(struct smpp_session *s, uint32_t congestion)
{
	struct smpp_pace *p = &s->pace;

	p->seen++;
	if (s->now - p->seen_at >= 1000) {
		double rate = p->seen * 1000.0 / (double)(s->now - p->seen_at);
		p->seen_per_s = rate > p->seen_per_s ? rate : p->seen_per_s * 0.9 + rate * 0.1;
		p->seen = 0;
		p->seen_at = s->now;
	}
	if (congestion >= 90 && congestion <= 100)
		(void)smpp_pace_slow(s, s->now, SMPP_RMSGQFUL);
}

int64_t smpp_pace_slow(struct smpp_session *s, int64_t sent_at, uint32_t status)
{
	struct smpp_pace *p = &s->pace;
	double rate = p->per_s > 0 ? p->per_s : p->seen_per_s;

	/* The others of one burst are refused for the same reason: once is enough. */
	if (p->slowed_at > 0 && sent_at <= p->slowed_at)
		return p->paused_until > s->now ? p->paused_until - s->now : PAUSE_MIN;
	if (p->pause_ms == 0 || s->now - p->slowed_at > PAUSE_FORGET + p->pause_ms)
		p->pause_ms = PAUSE_MIN;
	else if (p->pause_ms < PAUSE_MAX)
		p->pause_ms = p->pause_ms * 2 > PAUSE_MAX ? PAUSE_MAX : p->pause_ms * 2;
	if (rate <= 0) /* nothing was measured yet: what a window a second would be */
		rate = p->seen > s->si->conf.window ? p->seen : s->si->conf.window;
	p->per_s = rate / 2 < 1 ? 1 : rate / 2;
	p->tokens = 0;
	if (status == SMPP_RMSGQFUL && p->window > 1)
		p->window /= 2;
	p->slowed_at = s->now;
	p->grown_at = s->now;
	p->paused_until = s->now + p->pause_ms;
	struct lt_rate r = { .struct_size = sizeof(r),
		.scope = LT_SCOPE_ACCOUNT,
		.retry_after_ms = p->pause_ms,
		.limit = (int32_t)(p->per_s * 60),
		.remaining = -1,
		.used_percent = -1,
		.congestion = 100 };
	s->host->rate(s->host->ctx, s->job, &r);
	s->host->metric(s->host->ctx, s->job, LTC_LIT("throttled"), 1);
	smpp_session_log(s, 4,
		"the server wants less: pause of %lld ms, then %.0f segments a second, window %u",
		(long long)p->pause_ms, p->per_s, p->window);
	return p->pause_ms;
}

int64_t smpp_pace_next(const struct smpp_session *s)
{
	const struct smpp_pace *p = &s->pace;

	if (p->paused_until > s->now)
		return p->paused_until;
	if (s->n_queued > 0 && p->per_s > 0 && p->tokens < 1) {
		double ms = (1 - p->tokens) * 1000 / p->per_s;
		return s->now + (ms < 1 ? 1 : (int64_t)ms + 1);
	}
	return 0;
}

/* Credits: free places in the windows of what is bound, less what waits here for them. */
void smpp_pace_slots(struct smpp_session *s)
{
	uint32_t can = 0;

	for (uint32_t i = 0; i < s->n_links && !s->closing && !s->farewell.failed; i++) {
		struct smpp_link *l = &s->links[i];
		if (smpp_link_sends(l) && s->now >= s->pace.paused_until &&
			l->window.n < s->pace.window && l->acks < SMPP_RECEIPTS_HOLD)
			can += s->pace.window - l->window.n;
	}
	if (can > 0 && s->pace.per_s > 0) { /* as much as goes out within a second */
		uint32_t most = s->pace.per_s < 1 ? 1 : (uint32_t)s->pace.per_s;
		can = can < most ? can : most;
	}
	can = can > s->n_queued ? can - s->n_queued : 0;
	if (can == s->told_slots)
		return;
	s->told_slots = can;
	s->host->slots(s->host->ctx, s->job, can);
}
