/* test_workers.c - work beside the loop: where it runs, what waits for what, and who gives way. */
#include <pthread.h>
#include <semaphore.h>
#include <sys/resource.h>
#include <time.h>
#include <uv.h>
#include "loopscene.h"
#include "net/loop_workers.h"

struct piece {
	struct work w;
	pthread_t ran_on;
	int *done, all;
};

static void piece_fn(struct work *w)
{
	CONTAINER_OF(w, struct piece, w)->ran_on = pthread_self();
}

static void piece_done(struct work *w)
{
	struct piece *p = CONTAINER_OF(w, struct piece, w);
	if (++*p->done == p->all)
		loop_stop(L);
}

static void work_runs_elsewhere_and_comes_back_to_the_loop(void **state)
{
	(void)state;
	enum { N = 400 };
	static struct piece p[N];
	int done = 0;
	for (int i = 0; i < N; i++) {
		p[i] = (struct piece){
			.w = { .fn = piece_fn, .done = piece_done }, .done = &done, .all = N
		};
		env_work(E, &p[i].w);
	}
	loop_run(L);
	assert_int_equal(done, N);
	for (int i = 0; i < N; i++)
		assert_false(pthread_equal(p[i].ran_on, pthread_self()));
}

enum { CHAINS = 8, CHAIN_LINKS = 3000 };

struct chains {
	struct task turn;
	int turns, in_turn, most, left;
	struct chain {
		struct work w;
		struct chains *all;
	} chain[CHAINS];
};

static void chain_done(struct work *w)
{
	struct chains *c = CONTAINER_OF(w, struct chain, w)->all;
	if (++c->in_turn > c->most)
		c->most = c->in_turn;
	if (--c->left == 0)
		loop_stop(L);
	else if (c->left >= CHAINS)
		env_work(E, w);
}

static void chain_fn(struct work *w)
{
	(void)w;
}

static void chain_turn(struct task *t)
{
	struct chains *c = CONTAINER_OF(t, struct chains, turn);
	c->turns++;
	c->in_turn = 0;
	env_defer(E, t);
}

/* Each of them is queued anew by its done; whoever takes what is ready until nothing is left keeps timers and descriptors waiting. */
static void work_that_comes_back_meanwhile_waits_for_the_next_turn(void **state)
{
	(void)state;
	struct chains c = { .left = CHAINS * CHAIN_LINKS };
	task_init(&c.turn, chain_turn);
	env_defer(E, &c.turn);
	for (int i = 0; i < CHAINS; i++) {
		c.chain[i] = (struct chain){ .w = { .fn = chain_fn, .done = chain_done },
			.all = &c };
		env_work(E, &c.chain[i].w);
	}
	loop_run(L);
	task_cancel(&c.turn);
	assert_int_equal(c.left, 0);
	assert_in_range(c.most, 1, CHAINS);
	assert_true(c.turns >= CHAIN_LINKS);
}

struct heavy {
	struct piece p;
	sem_t *go, *started; /* started: may be NULL */
	int rc, nice;
};

static int wait_ms(sem_t *sem, int64_t ms)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return sem_timedwait(sem, &t);
}

static void heavy_fn(struct work *w)
{
	struct heavy *h = CONTAINER_OF(w, struct heavy, p.w);
	if (h->started)
		sem_post(h->started);
	h->rc = wait_ms(h->go, 20000);
	h->nice = getpriority(PRIO_PROCESS, 0); /* on Linux: of this thread */
	piece_fn(w);
}

static void let_go(struct work *w)
{
	struct heavy *h = CONTAINER_OF(w, struct heavy, p.w);
	for (int i = 0; i < 8; i++)
		sem_post(h->go);
}

static void slow_work_has_threads_of_its_own_and_holds_up_no_other(void **state)
{
	(void)state;
	static struct heavy slow[8], quick;
	sem_t go;
	int done = 0;
	assert_int_equal(sem_init(&go, 0, 0), 0);
	for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
		slow[i] = (struct heavy){ .go = &go,
			.p = { .w = { .fn = heavy_fn, .done = piece_done, .weight = WORK_LONG },
				.done = &done,
				.all = 9 } };
		env_work(E, &slow[i].p.w);
	}
	quick = (struct heavy){ .go = &go,
		.p = { .w = { .fn = let_go, .done = piece_done }, .done = &done, .all = 9 } };
	env_work(E, &quick.p.w);
	loop_run(L);
	assert_int_equal(done, 9);
	for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
		assert_int_equal(slow[i].rc, 0);
		assert_false(pthread_equal(slow[i].p.ran_on, pthread_self()));
		assert_true(slow[i].nice > getpriority(PRIO_PROCESS, 0) || slow[i].nice == 19);
	}
	sem_destroy(&go);
}

struct found_long {
	struct work w;
	int runs, done;
	int nice;
	enum work_weight weight[2];
};

static void found_fn(struct work *w)
{
	struct found_long *f = CONTAINER_OF(w, struct found_long, w);
	f->weight[f->runs++] = w->weight;
	w->longer = w->weight == WORK_SHORT ? WORK_LOOK : WORK_SHORT;
	f->nice = getpriority(PRIO_PROCESS, 0);
}

static void found_done(struct work *w)
{
	CONTAINER_OF(w, struct found_long, w)->done++;
	loop_stop(L);
}

static void what_finds_itself_long_runs_again_with_the_long_ones(void **state)
{
	(void)state;
	static struct found_long f;
	f = (struct found_long){ .w = { .fn = found_fn, .done = found_done } };
	env_work(E, &f.w);
	loop_run(L);
	assert_int_equal(f.done, 1);
	assert_int_equal(f.runs, 2);
	assert_int_equal(f.weight[0], WORK_SHORT);
	assert_int_equal(f.weight[1], WORK_LOOK);
	assert_true(f.nice > getpriority(PRIO_PROCESS, 0) || f.nice == 19);
	assert_int_equal(f.w.longer, WORK_SHORT);
}

/* Of eight works `at_once` begin and no more; a long one finds a thread all the same, and lets them go. */
static void some_begin_and_a_long_one_beside_them(enum work_weight weight, int at_once)
{
	static struct heavy many[8], plan;
	sem_t go, started;
	int done = 0;
	assert_int_equal(sem_init(&go, 0, 0), 0);
	assert_int_equal(sem_init(&started, 0, 0), 0);
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		many[i] = (struct heavy){ .go = &go,
			.started = &started,
			.p = { .w = { .fn = heavy_fn, .done = piece_done, .weight = weight },
				.done = &done,
				.all = 9 } };
		env_work(E, &many[i].p.w);
	}
	for (int i = 0; i < at_once; i++)
		assert_int_equal(wait_ms(&started, 20000), 0);
	assert_int_equal(wait_ms(&started, 100), -1);
	plan = (struct heavy){ .go = &go,
		.p = { .w = { .fn = let_go, .done = piece_done, .weight = WORK_LONG },
			.done = &done,
			.all = 9 } };
	env_work(E, &plan.p.w);
	loop_run(L);
	assert_int_equal(done, 9);
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		assert_int_equal(many[i].rc, 0);
	sem_destroy(&started);
	sem_destroy(&go);
}

static void those_who_look_leave_a_thread_to_a_plan(void **state)
{
	(void)state;
	some_begin_and_a_long_one_beside_them(WORK_LOOK, 1);
}

static void bulk_leaves_a_thread_to_what_takes_long(void **state)
{
	(void)state;
	some_begin_and_a_long_one_beside_them(WORK_BULK, 2);
}

struct hurried {
	struct piece p;
	uint64_t began_ms;
	struct timer again; /* hurries all the time */
};

static void hurried_fn(struct work *w)
{
	struct hurried *h = CONTAINER_OF(w, struct hurried, p.w);
	h->began_ms = uv_hrtime() / 1000000;
	piece_fn(w);
}

static void hurry_again(struct timer *t)
{
	env_hurry(E);
	timer_set(E, t, env_mono(E) + 2);
}

static void hurried_done(struct work *w)
{
	timer_stop(E, &CONTAINER_OF(w, struct hurried, p.w)->again);
	piece_done(w);
}

static void bulk_waits_while_something_is_in_a_hurry_but_not_for_ever(void **state)
{
	(void)state;
	static struct hurried h;
	int done = 0;
	h = (struct hurried){
		.p = { .w = { .fn = hurried_fn, .done = hurried_done, .weight = WORK_BULK },
			.done = &done,
			.all = 1 }
	};
	timer_init(&h.again, hurry_again);
	uint64_t from = uv_hrtime() / 1000000;
	hurry_again(&h.again);
	env_work(E, &h.p.w);
	loop_run(L); /* ends: bulk gets its turn though the hurry goes on */
	assert_int_equal(done, 1);
	assert_true(h.began_ms >= from + SLOW_HURRY_MS);
}

struct giving { /* a long work under way when something hurries */
	struct piece p;
	sem_t started, hurried;
	uint64_t on_ms;
};

static void giving_fn(struct work *w)
{
	struct giving *g = CONTAINER_OF(w, struct giving, p.w);
	sem_post(&g->started);
	(void)wait_ms(&g->hurried, 20000);
	work_give_way();
	g->on_ms = uv_hrtime() / 1000000;
	piece_fn(w);
}

static void long_work_gives_way_to_what_hurries(void **state)
{
	(void)state;
	static const enum work_weight weights[] = { WORK_LONG, WORK_LOOK, WORK_BULK, WORK_SHORT };
	for (size_t i = 0; i < ARRAY_LEN(weights); i++) {
		static struct giving g;
		int done = 0;
		assert_int_equal(loop_free(L), 0); /* no hurry of an earlier test goes on */
		assert_int_equal(loop_new(&L, NULL), 0);
		E = loop_env(L);
		g = (struct giving){
			.p = { .w = { .fn = giving_fn, .done = piece_done, .weight = weights[i] },
				.done = &done,
				.all = 1 }
		};
		assert_int_equal(sem_init(&g.started, 0, 0), 0);
		assert_int_equal(sem_init(&g.hurried, 0, 0), 0);
		env_work(E, &g.p.w);
		assert_int_equal(wait_ms(&g.started, 20000), 0);
		uint64_t from = uv_hrtime() / 1000000;
		env_hurry(E);
		sem_post(&g.hurried);
		loop_run(L);
		assert_int_equal(done, 1);
		if (weights[i] != WORK_SHORT)
			assert_true(g.on_ms >= from + SLOW_HURRY_MS);
		sem_destroy(&g.started);
		sem_destroy(&g.hurried);
	}
}

struct late { /* a signal some time after the plan */
	struct giving g;
	struct timer signal;
	uint64_t at_ms;
};

static void signal_now(struct timer *t)
{
	struct late *l = CONTAINER_OF(t, struct late, signal);
	l->at_ms = uv_hrtime() / 1000000;
	env_hurry(E);
	sem_post(&l->g.hurried);
}

/* What an earlier hurry left unused is not lost when the next one comes. */
static void a_hurry_soon_after_another_has_its_full_time(void **state)
{
	(void)state;
	static struct late l;
	int done = 0;
	assert_int_equal(loop_free(L), 0);
	assert_int_equal(loop_new(&L, NULL), 0);
	E = loop_env(L);
	l = (struct late){
		.g.p = { .w = { .fn = giving_fn, .done = piece_done, .weight = WORK_BULK },
			.done = &done,
			.all = 1 }
	};
	assert_int_equal(sem_init(&l.g.started, 0, 0), 0);
	assert_int_equal(sem_init(&l.g.hurried, 0, 0), 0);
	env_work(E, &l.g.p.w);
	assert_int_equal(wait_ms(&l.g.started, 20000), 0);
	env_hurry(E);
	timer_init(&l.signal, signal_now);
	timer_set(E, &l.signal, env_mono(E) + 4 * SLOW_HURRY_MS);
	loop_run(L);
	assert_int_equal(done, 1);
	assert_true(l.g.on_ms >= l.at_ms + SLOW_HURRY_MS);
	sem_destroy(&l.g.started);
	sem_destroy(&l.g.hurried);
}

static void free_waits_for_work_that_is_still_running(void **state)
{
	(void)state;
	static struct piece p;
	static int done;
	done = 0;
	p = (struct piece){ .w = { .fn = piece_fn, .done = piece_done }, .done = &done, .all = -1 };
	env_work(E, &p.w);
	assert_int_equal(loop_free(L), 0);
	assert_int_equal(done, 1);
	assert_int_equal(loop_new(&L, NULL), 0);
	E = loop_env(L);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(work_runs_elsewhere_and_comes_back_to_the_loop),
		T(work_that_comes_back_meanwhile_waits_for_the_next_turn),
		T(slow_work_has_threads_of_its_own_and_holds_up_no_other),
		T(what_finds_itself_long_runs_again_with_the_long_ones),
		T(those_who_look_leave_a_thread_to_a_plan),
		T(bulk_leaves_a_thread_to_what_takes_long),
		T(bulk_waits_while_something_is_in_a_hurry_but_not_for_ever),
		T(long_work_gives_way_to_what_hurries),
		T(a_hurry_soon_after_another_has_its_full_time),
		T(free_waits_for_work_that_is_still_running),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
