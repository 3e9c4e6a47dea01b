/* testenv.c - virtual time for tests and simulation.
 * Thread: the test's. Owns: nothing beyond its struct. A loop that never gets quiet aborts after TESTENV_ROUNDS_MAX rounds
 * at one instant, so that a test of such code fails and does not hang.
 */
#include "testenv.h"

#include <string.h>
#include "base/assert.h"

#define TESTENV_ROUNDS_MAX 10000000u
#define TIMERS_AT_ONCE     64

/* Lies in the work's `impl` while it waits for its `done`. */
struct work_node {
	struct list node;
	struct work *work;
};
_Static_assert(sizeof(struct work_node) <= sizeof(((struct work *)0)->impl), "fits into impl");

static struct testenv *of(struct env *e)
{
	return (struct testenv *)(void *)e;
}

static int64_t te_wall(struct env *e)
{
	return of(e)->wall;
}

static int64_t te_mono(struct env *e)
{
	return of(e)->mono;
}

uint64_t testenv_random(struct testenv *te)
{
	te->seed ^= te->seed << 13;
	te->seed ^= te->seed >> 7;
	te->seed ^= te->seed << 17;
	return te->seed * 0x2545f4914f6cdd1du;
}

static void te_random(struct env *e, void *p, size_t n)
{
	char *out = p;

	while (n) {
		uint64_t v = testenv_random(of(e));
		size_t take = n < sizeof(v) ? n : sizeof(v);
		memcpy(out, &v, take);
		out += take;
		n -= take;
	}
}

static void te_work(struct env *e, struct work *w)
{
	struct work_node *n = (struct work_node *)(void *)w->impl;

	w->fn(w);
	if (w->longer) {
		w->weight = w->longer;
		w->longer = WORK_SHORT;
		of(e)->longer++;
		w->fn(w);
	}
	n->work = w;
	list_push(&of(e)->done, &n->node);
}

static const struct env_ops testenv_ops = {
	.wall_ms = te_wall,
	.mono_ms = te_mono,
	.random = te_random,
	.work = te_work,
};

void testenv_init(struct testenv *te, uint64_t seed)
{
	*te = (struct testenv){ .wall = TESTENV_WALL_START, .mono = TESTENV_MONO_START };
	/* neighbouring seeds must not give neighbouring runs */
	te->seed = (seed + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
	te->seed ^= te->seed >> 29;
	if (te->seed == 0)
		te->seed = 1;
	list_init(&te->done);
	env_init(&te->env, &testenv_ops);
}

void testenv_done(struct testenv *te)
{
	env_done(&te->env);
}

static size_t run_done_work(struct testenv *te)
{
	struct list due;
	size_t ran = 0;

	list_init(&due);
	for (struct list *n; (n = list_pop(&te->done)) != NULL;)
		list_push(&due, n);
	for (struct list *n; (n = list_pop(&due)) != NULL; ran++) {
		struct work *w = CONTAINER_OF(n, struct work_node, node)->work;
		w->done(w);
	}
	return ran;
}

void testenv_settle(struct testenv *te)
{
	for (unsigned round = 0;; round++) {
		REQUIRE(round < TESTENV_ROUNDS_MAX); /* else the code under test never gets quiet */
		size_t ran = env_run_tasks(&te->env);
		ran += run_done_work(te);
		if (ran == 0)
			ran = env_run_timers(&te->env, te->mono, TIMERS_AT_ONCE);
		if (ran == 0)
			return;
		te->ran += ran;
	}
}

/* One step of the clock, to the next timer or to `until`. */
static void step_to(struct testenv *te, int64_t until)
{
	int64_t next = env_next_timer(&te->env);
	int64_t at = next < until ? next : until;

	if (at > te->mono) {
		te->wall += at - te->mono;
		te->mono = at;
	}
	testenv_settle(te);
}

void testenv_advance(struct testenv *te, int64_t ms)
{
	int64_t until = te->mono + ms;

	REQUIRE(ms >= 0);
	testenv_settle(te);
	while (te->mono < until)
		step_to(te, until);
}

bool testenv_until(struct testenv *te, bool (*done)(void *arg), void *arg, int64_t max_ms)
{
	int64_t until = te->mono + max_ms;

	testenv_settle(te);
	while (!done(arg)) {
		if (te->mono >= until || env_next_timer(&te->env) == INT64_MAX)
			return false;
		step_to(te, until);
	}
	return true;
}
