/* test_loop.c - the loop as struct env: timers, tasks, wakers, signals, and an end without left-overs. */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include <uv.h>
#include "loopscene.h"

struct fired {
	struct timer t;
	int order, *count;
	int64_t at_ms;
};

static void fired_fn(struct timer *t)
{
	struct fired *f = CONTAINER_OF(t, struct fired, t);
	f->order = ++*f->count;
	f->at_ms = env_mono(E);
	if (*f->count == 3)
		loop_stop(L);
}

static void timers_run_in_order_and_never_early(void **state)
{
	(void)state;
	int count = 0;
	struct fired f[3] = { 0 };
	int64_t now = env_mono(E), due[3] = { now + 30, now + 10, now + 20 };
	for (int i = 0; i < 3; i++) {
		f[i].count = &count;
		timer_init(&f[i].t, fired_fn);
		timer_set(E, &f[i].t, due[i]);
	}
	loop_run(L);
	assert_int_equal(f[1].order, 1);
	assert_int_equal(f[2].order, 2);
	assert_int_equal(f[0].order, 3);
	for (int i = 0; i < 3; i++)
		assert_true(f[i].at_ms >= due[i]);
}

static void a_stopped_timer_does_not_run(void **state)
{
	(void)state;
	int count = 2;
	struct fired a = { .count = &count }, b = { .count = &count };
	timer_init(&a.t, fired_fn);
	timer_init(&b.t, fired_fn);
	timer_set(E, &a.t, env_mono(E) + 5);
	timer_set(E, &b.t, env_mono(E) + 15);
	timer_stop(E, &a.t);
	loop_run(L);
	assert_int_equal(a.order, 0);
	assert_int_equal(b.order, 3);
}

struct job {
	struct task t;
	int left, ran;
};

static void job_fn(struct task *t)
{
	struct job *j = CONTAINER_OF(t, struct job, t);
	j->ran++;
	if (--j->left > 0)
		env_defer(E, t);
	else
		loop_stop(L);
}

static void a_task_runs_once_per_defer_and_may_queue_itself(void **state)
{
	(void)state;
	struct job j = { .left = 1000 };
	task_init(&j.t, job_fn);
	env_defer(E, &j.t);
	env_defer(E, &j.t);
	assert_int_equal(j.ran, 0);
	loop_run(L);
	assert_int_equal(j.ran, 1000);
}

struct knock {
	struct loop_wake *w;
	pthread_mutex_t lock;
	int sent, seen, all;
};

static void *knock_run(void *arg)
{
	struct knock *k = arg;
	for (int i = 0; i < k->all; i++) {
		(void)pthread_mutex_lock(&k->lock);
		k->sent++;
		(void)pthread_mutex_unlock(&k->lock);
		loop_wake_send(k->w);
	}
	return NULL;
}

static void knock_seen(void *ctx)
{
	struct knock *k = ctx;
	(void)pthread_mutex_lock(&k->lock);
	k->seen = k->sent;
	(void)pthread_mutex_unlock(&k->lock);
	if (k->seen == k->all)
		loop_stop(L);
}

static void another_thread_wakes_the_loop_and_the_last_wake_is_never_lost(void **state)
{
	(void)state;
	struct knock k = { .all = 20000 };
	pthread_t t;
	(void)pthread_mutex_init(&k.lock, NULL);
	assert_int_equal(loop_wake_new(L, knock_seen, &k, &k.w), 0);
	assert_int_equal(pthread_create(&t, NULL, knock_run, &k), 0);
	loop_run(L);
	(void)pthread_join(t, NULL);
	assert_int_equal(k.seen, 20000);
	loop_wake_free(k.w);
	(void)pthread_mutex_destroy(&k.lock);
}

static void on_signal(void *ctx, int signo)
{
	*(int *)ctx = signo;
	loop_stop(L);
}

static void a_signal_arrives_on_the_loop(void **state)
{
	(void)state;
	int seen = 0;
	assert_int_equal(loop_on_signal(L, SIGUSR1, on_signal, &seen), 0);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	loop_run(L);
	assert_int_equal(seen, SIGUSR1);
}

static void too_many_signals_are_refused(void **state)
{
	(void)state;
	int seen = 0;
	for (int i = 0; i < LOOP_SIGNALS_MAX; i++)
		assert_int_equal(loop_on_signal(L, SIGUSR1, on_signal, &seen), 0);
	assert_int_equal(loop_on_signal(L, SIGUSR2, on_signal, &seen), -E2BIG);
}

static int64_t cpu_us(const struct timespec *from, const struct timespec *to)
{
	return (to->tv_sec - from->tv_sec) * 1000000 + (to->tv_nsec - from->tv_nsec) / 1000;
}

static void busy_fn(struct timer *t)
{
	int64_t end = env_mono(E) + 40;
	struct timespec from, now;
	(void)t;
	assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from), 0);
	do /* on a crowded machine 40 ms may hold hardly any of our own */
		assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), 0);
	while (env_mono(E) < end || cpu_us(&from, &now) < 3000);
}

static void a_long_callback_shows_in_the_lag(void **state)
{
	(void)state;
	struct loop_lag lag;
	struct timer busy;
	int count = 2;
	struct fired f = { .count = &count };
	timer_init(&busy, busy_fn);
	timer_init(&f.t, fired_fn);
	timer_set(E, &busy, env_mono(E) + 5);
	timer_set(E, &f.t, env_mono(E) + 200);
	loop_run(L);
	loop_lag(L, &lag);
	assert_true(lag.max_us >= 39000);
	assert_true(lag.cpu_max_us >= 2000); /* it was busy, not waiting */
	uint64_t sum = 0;
	for (int i = 0; i < LOOP_LAG_BUCKETS; i++)
		sum += lag.bucket[i];
	assert_int_equal(sum, lag.turns);
	loop_lag_reset_max(L);
	loop_lag(L, &lag);
	assert_int_equal(lag.max_us, 0);
}

static void waiting_is_not_counted_as_lag(void **state)
{
	(void)state;
	struct loop_lag lag;
	int count = 2;
	struct fired f = { .count = &count };
	timer_init(&f.t, fired_fn);
	timer_set(E, &f.t, env_mono(E) + 300);
	loop_run(L);
	loop_lag(L, &lag);
	assert_true(lag.total_us < 250000);
}

static void a_foreign_handle_left_open_is_reported(void **state)
{
	(void)state;
	struct loop *l;
	uv_timer_t h;
	assert_int_equal(loop_new(&l, NULL), 0);
	assert_int_equal(uv_timer_init(loop_uv(l), &h), 0);
	assert_int_equal(loop_free(l), -EBUSY);
	uv_close((uv_handle_t *)&h, NULL);
	assert_int_equal(loop_free(l), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(timers_run_in_order_and_never_early),
		T(a_stopped_timer_does_not_run),
		T(a_task_runs_once_per_defer_and_may_queue_itself),
		T(another_thread_wakes_the_loop_and_the_last_wake_is_never_lost),
		T(a_signal_arrives_on_the_loop),
		T(too_many_signals_are_refused),
		T(a_long_callback_shows_in_the_lag),
		T(waiting_is_not_counted_as_lag),
		T(a_foreign_handle_left_open_is_reported),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
