/* test_env.c - timers in order, deferred tasks, randomness; and the virtual environment itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/assert.h"
#include "base/env.h"
#include "../../lib/testenv.h"

#define MANY 2000

struct many {
	struct timer t;
	int number;
};

static struct {
	struct testenv te;
	int order[MANY];
	int64_t at[MANY];
	int ran;
	struct timer chain;
	int chain_left;
	int tasks, wakes;
} g;

static int setup(void **state)
{
	(void)state;
	memset(&g, 0, sizeof(g));
	testenv_init(&g.te, 7);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	testenv_done(&g.te);
	return 0;
}

static void on_many(struct timer *t)
{
	g.at[g.ran] = g.te.mono;
	g.order[g.ran++] = CONTAINER_OF(t, struct many, t)->number;
}

static void timers_run_by_time_then_by_age(void **state)
{
	struct many m[4] = { { .number = 0 }, { .number = 1 }, { .number = 2 }, { .number = 3 } };
	int64_t now = g.te.mono;

	(void)state;
	for (int i = 0; i < 4; i++)
		timer_init(&m[i].t, on_many);
	timer_set(&g.te.env, &m[0].t, now + 50);
	timer_set(&g.te.env, &m[1].t, now + 10);
	timer_set(&g.te.env, &m[2].t, now + 50);
	timer_set(&g.te.env, &m[3].t, now + 5);
	assert_true(env_next_timer(&g.te.env) == now + 5);
	timer_set(&g.te.env, &m[3].t, now + 50); /* moved: now the youngest of its time */
	testenv_advance(&g.te, 49);
	assert_int_equal(g.ran, 1);
	testenv_advance(&g.te, 1);
	assert_int_equal(g.ran, 4);
	assert_int_equal(g.order[0], 1);
	assert_int_equal(g.order[1], 0);
	assert_int_equal(g.order[2], 2);
	assert_int_equal(g.order[3], 3);
	assert_true(env_next_timer(&g.te.env) == INT64_MAX);
	assert_false(timer_is_set(&m[0].t));
}

static void thousands_of_timers_with_stops_keep_their_order(void **state)
{
	static struct many m[MANY];
	int64_t now = g.te.mono;
	int stopped = 0;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		m[i].number = i;
		timer_init(&m[i].t, on_many);
		timer_set(&g.te.env, &m[i].t, now + 1 + (int64_t)env_random_below(&g.te.env, 500));
	}
	for (int i = 0; i < MANY; i++) {
		uint64_t what = env_random_below(&g.te.env, 3);
		if (what == 0) {
			timer_stop(&g.te.env, &m[i].t);
			timer_stop(&g.te.env, &m[i].t); /* stopping twice is nothing */
			stopped++;
		} else if (what == 1) {
			timer_set(&g.te.env, &m[i].t,
				now + 1 + (int64_t)env_random_below(&g.te.env, 500));
		}
	}
	testenv_advance(&g.te, 500);
	assert_int_equal(g.ran, MANY - stopped);
	for (int i = 1; i < g.ran; i++) {
		const struct timer *a = &m[g.order[i - 1]].t, *b = &m[g.order[i]].t;
		assert_true(a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->seq < b->seq));
		assert_true(g.at[i] == b->at_ms);
	}
}

static void on_chain(struct timer *t)
{
	g.ran++;
	if (--g.chain_left > 0)
		timer_set(&g.te.env, t, g.te.mono);
}

static void one_call_runs_at_most_as_many_as_it_may(void **state)
{
	(void)state;
	timer_init(&g.chain, on_chain);
	g.chain_left = 100;
	timer_set(&g.te.env, &g.chain, g.te.mono);
	assert_int_equal(env_run_timers(&g.te.env, g.te.mono, 10), 10);
	assert_int_equal(g.ran, 10);
	assert_int_equal(env_run_timers(&g.te.env, g.te.mono - 1, 10), 0);
	testenv_settle(&g.te);
	assert_int_equal(g.ran, 100);
}

static struct task first, second, third;

static void on_task_count(struct task *t)
{
	UNUSED(t);
	g.tasks++;
}

static void on_task_requeues(struct task *t)
{
	g.tasks++;
	env_defer(&g.te.env, t);
}

static void on_task_cancels_second(struct task *t)
{
	UNUSED(t);
	g.tasks++;
	task_cancel(&second);
}

static void a_task_queued_twice_runs_once(void **state)
{
	(void)state;
	task_init(&first, on_task_count);
	env_defer(&g.te.env, &first);
	env_defer(&g.te.env, &first);
	assert_int_equal(env_run_tasks(&g.te.env), 1);
	assert_int_equal(env_run_tasks(&g.te.env), 0);
	env_defer(&g.te.env, &first);
	assert_int_equal(env_run_tasks(&g.te.env), 1);
	assert_int_equal(g.tasks, 2);
}

static void a_task_queued_meanwhile_waits_for_the_next_call(void **state)
{
	(void)state;
	task_init(&first, on_task_requeues);
	env_defer(&g.te.env, &first);
	assert_int_equal(env_run_tasks(&g.te.env), 1);
	assert_int_equal(env_run_tasks(&g.te.env), 1);
	task_cancel(&first);
	assert_int_equal(env_run_tasks(&g.te.env), 0);
	assert_int_equal(g.tasks, 2);
}

static void a_task_may_cancel_one_that_is_due_with_it(void **state)
{
	(void)state;
	task_init(&first, on_task_cancels_second);
	task_init(&second, on_task_count);
	task_init(&third, on_task_count);
	env_defer(&g.te.env, &first);
	env_defer(&g.te.env, &second);
	env_defer(&g.te.env, &third);
	assert_int_equal(env_run_tasks(&g.te.env), 2);
	assert_int_equal(g.tasks, 2);
}

static int64_t fixed_ms(struct env *e)
{
	UNUSED(e);
	return 5;
}

static void on_wake(struct env *e)
{
	UNUSED(e);
	g.wakes++;
}

static void on_nothing(struct timer *t)
{
	UNUSED(t);
}

static void the_loop_hears_when_the_earliest_timer_moves(void **state)
{
	static const struct env_ops ops = {
		.wall_ms = fixed_ms, .mono_ms = fixed_ms, .timers_changed = on_wake
	};
	struct env e;
	struct timer a, b;

	(void)state;
	env_init(&e, &ops);
	timer_init(&a, on_nothing);
	timer_init(&b, on_nothing);
	timer_set(&e, &a, 10);
	assert_int_equal(g.wakes, 1);
	timer_set(&e, &b, 20);
	assert_int_equal(g.wakes, 1);
	timer_set(&e, &b, 3);
	assert_int_equal(g.wakes, 2);
	timer_stop(&e, &a);
	assert_int_equal(g.wakes, 2);
	timer_stop(&e, &b);
	assert_int_equal(g.wakes, 3);
	timer_set(&e, &a, 1);
	env_done(&e);
	assert_false(timer_is_set(&a));
}

static void random_numbers_stay_below_their_bound_and_reach_all(void **state)
{
	int seen[7] = { 0 };

	(void)state;
	for (int i = 0; i < 7000; i++)
		seen[env_random_below(&g.te.env, 7)]++;
	for (int i = 0; i < 7; i++)
		assert_in_range(seen[i], 800, 1200);
	assert_true(env_random_below(&g.te.env, 1) == 0);
	uint64_t huge = (1ULL << 63) + 1;
	for (int i = 0; i < 100; i++)
		assert_true(env_random_below(&g.te.env, huge) < huge);
}

static void the_same_seed_gives_the_same_run(void **state)
{
	struct testenv a, b, c;
	uint64_t x[4], y[4], z[4];

	(void)state;
	testenv_init(&a, 1);
	testenv_init(&b, 1);
	testenv_init(&c, 2);
	env_random(&a.env, x, sizeof(x));
	env_random(&b.env, y, sizeof(y));
	env_random(&c.env, z, sizeof(z));
	assert_memory_equal(x, y, sizeof(x));
	assert_memory_not_equal(x, z, sizeof(x));
	testenv_done(&a);
	testenv_done(&b);
	testenv_done(&c);
}

struct job {
	struct work w;
	int fn_at, done_at;
};

static void on_job(struct work *w)
{
	CONTAINER_OF(w, struct job, w)->fn_at = ++g.ran;
}

static void on_job_done(struct work *w)
{
	CONTAINER_OF(w, struct job, w)->done_at = ++g.ran;
}

static void work_is_done_after_its_caller_has_returned(void **state)
{
	struct job j = { .w = { .fn = on_job, .done = on_job_done } };

	(void)state;
	env_work(&g.te.env, &j.w);
	assert_int_equal(j.done_at, 0);
	testenv_settle(&g.te);
	assert_int_equal(j.fn_at, 1);
	assert_int_equal(j.done_at, 2);
}

static bool chain_is_over(void *arg)
{
	UNUSED(arg);
	return g.chain_left <= 0;
}

static void on_slow_chain(struct timer *t)
{
	if (--g.chain_left > 0)
		timer_set(&g.te.env, t, g.te.mono + 10);
}

static void virtual_time_runs_until_a_condition_or_an_end(void **state)
{
	int64_t start = g.te.mono, wall = g.te.wall;

	(void)state;
	timer_init(&g.chain, on_slow_chain);
	g.chain_left = 5;
	timer_set(&g.te.env, &g.chain, start + 10);
	assert_false(testenv_until(&g.te, chain_is_over, NULL, 49));
	assert_true(testenv_until(&g.te, chain_is_over, NULL, 1000));
	assert_true(g.te.mono == start + 50 && g.te.wall == wall + 50);
	g.chain_left = 1;
	assert_false(testenv_until(&g.te, chain_is_over, NULL, 1000)); /* no timer is left */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(timers_run_by_time_then_by_age),
		T(thousands_of_timers_with_stops_keep_their_order),
		T(one_call_runs_at_most_as_many_as_it_may),
		T(a_task_queued_twice_runs_once),
		T(a_task_queued_meanwhile_waits_for_the_next_call),
		T(a_task_may_cancel_one_that_is_due_with_it),
		T(the_loop_hears_when_the_earliest_timer_moves),
		T(random_numbers_stay_below_their_bound_and_reach_all),
		T(the_same_seed_gives_the_same_run),
		T(work_is_done_after_its_caller_has_returned),
		T(virtual_time_runs_until_a_condition_or_an_end),
	};

	return cmocka_run_group_tests_name("env", tests, NULL, NULL);
}
