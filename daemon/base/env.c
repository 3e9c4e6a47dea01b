/* env.c - the timer heap, the queue of deferred tasks, and unbiased random numbers, on top of injected clocks.
 * Thread: loop, but for work_give_way: any. Owns: the heap array only; timers and tasks live inside their owners.
 * Failures: none; more than ENV_TIMERS_MAX timers is a programmer's error.
 */
#include "base/env.h"

#include <stdlib.h>
#include "base/assert.h"
#include "base/err.h"

#define ENV_TIMERS_MAX (1u << 22)
#define ENV_FIRST_CAP  32u

static _Thread_local struct {
	void (*fn)(void *ctx);
	void *ctx;
} way;

void work_give_way_by(void (*fn)(void *ctx), void *ctx)
{
	way.fn = fn;
	way.ctx = ctx;
}

void work_give_way(void)
{
	if (way.fn)
		way.fn(way.ctx);
}

void env_init(struct env *e, const struct env_ops *ops)
{
	*e = (struct env){ .ops = ops };
	list_init(&e->tasks);
}

void env_done(struct env *e)
{
	for (size_t i = 0; i < e->heap_len; i++)
		e->heap[i]->heap_at = 0;
	free(e->heap);
	while (list_pop(&e->tasks))
		continue;
	e->heap = NULL;
	e->heap_len = e->heap_cap = 0;
}

uint64_t env_random_below(struct env *e, uint64_t bound)
{
	REQUIRE(bound > 0);
	/* numbers below (2^64 mod bound) would make the small results likelier: draw again */
	uint64_t reject_below = (0 - bound) % bound, v;

	do
		env_random(e, &v, sizeof(v));
	while (v < reject_below);
	return v % bound;
}

static bool timer_before(const struct timer *a, const struct timer *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->seq < b->seq;
}

static void heap_place(struct env *e, size_t i, struct timer *t)
{
	e->heap[i] = t;
	t->heap_at = i + 1;
}

static void heap_up(struct env *e, size_t i)
{
	struct timer *t = e->heap[i];

	while (i > 0 && timer_before(t, e->heap[(i - 1) / 2])) {
		heap_place(e, i, e->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	heap_place(e, i, t);
}

static void heap_down(struct env *e, size_t i)
{
	struct timer *t = e->heap[i];

	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= e->heap_len)
			break;
		if (child + 1 < e->heap_len && timer_before(e->heap[child + 1], e->heap[child]))
			child++;
		if (!timer_before(e->heap[child], t))
			break;
		heap_place(e, i, e->heap[child]);
		i = child;
	}
	heap_place(e, i, t);
}

static void heap_remove(struct env *e, struct timer *t)
{
	size_t i = t->heap_at - 1;

	REQUIRE(i < e->heap_len && e->heap[i] == t);
	struct timer *last = e->heap[--e->heap_len];
	t->heap_at = 0;
	if (last == t)
		return;
	heap_place(e, i, last);
	heap_down(e, i);
	heap_up(e, last->heap_at - 1);
}

static void timers_changed(struct env *e)
{
	if (e->ops->timers_changed)
		e->ops->timers_changed(e);
}

void timer_init(struct timer *t, void (*fn)(struct timer *))
{
	*t = (struct timer){ .fn = fn };
}

void timer_set(struct env *e, struct timer *t, int64_t at_mono_ms)
{
	int64_t before = env_next_timer(e);

	REQUIRE(t->fn != NULL);
	if (t->heap_at)
		heap_remove(e, t);
	if (e->heap_len == e->heap_cap) {
		REQUIRE(e->heap_cap < ENV_TIMERS_MAX);
		e->heap_cap = e->heap_cap ? e->heap_cap * 2 : ENV_FIRST_CAP;
		e->heap = x_realloc(e->heap, e->heap_cap, sizeof(*e->heap));
	}
	t->at_ms = at_mono_ms;
	t->seq = ++e->timer_seq;
	heap_place(e, e->heap_len++, t);
	heap_up(e, t->heap_at - 1);
	if (env_next_timer(e) != before)
		timers_changed(e);
}

void timer_stop(struct env *e, struct timer *t)
{
	int64_t before = env_next_timer(e);

	if (!t->heap_at)
		return;
	heap_remove(e, t);
	if (env_next_timer(e) != before)
		timers_changed(e);
}

int64_t env_next_timer(const struct env *e)
{
	return e->heap_len ? e->heap[0]->at_ms : INT64_MAX;
}

size_t env_run_timers(struct env *e, int64_t now_mono_ms, size_t max)
{
	size_t ran = 0;

	while (ran < max && e->heap_len && e->heap[0]->at_ms <= now_mono_ms) {
		struct timer *t = e->heap[0];
		uintptr_t fn = (uintptr_t)t->fn;
		heap_remove(e, t);
		ran++;
		t->fn(t); /* t may be gone from here on */
		if (e->ops->ran)
			e->ops->ran(e, fn);
	}
	if (ran)
		timers_changed(e);
	return ran;
}

void task_init(struct task *t, void (*fn)(struct task *))
{
	t->fn = fn;
	list_init(&t->node);
}

void env_defer(struct env *e, struct task *t)
{
	REQUIRE(t->fn != NULL);
	if (!list_empty(&t->node))
		return;
	list_push(&e->tasks, &t->node);
	if (e->ops->defer_wake)
		e->ops->defer_wake(e);
}

void task_cancel(struct task *t)
{
	list_del(&t->node);
}

size_t env_run_tasks(struct env *e)
{
	struct list due;
	size_t ran = 0;

	/* A list of its own: what is queued meanwhile waits, what is cancelled meanwhile leaves it. */
	list_init(&due);
	for (struct list *n; (n = list_pop(&e->tasks)) != NULL;)
		list_push(&due, n);
	for (struct list *n; (n = list_pop(&due)) != NULL; ran++) {
		struct task *t = CONTAINER_OF(n, struct task, node);
		uintptr_t fn = (uintptr_t)t->fn;
		t->fn(t); /* t may be gone from here on */
		if (e->ops->ran)
			e->ops->ran(e, fn);
	}
	return ran;
}
