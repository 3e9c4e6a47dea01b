/* test_crash.c - the process ends at each commit border and between them; after the restart nothing is lost, nothing goes out
 * twice without being declared, and the unknown set is no larger than the intents that were open. */
#include "scene.h"

static int64_t answer_ms = 25;
static struct fake_answer script_mixed(const struct chan_op *op)
{
	struct fake_answer a = { .outcome = LT_ACCEPTED, .after_ms = answer_ms };

	if (op->delivery % 7 == 0 && op->try_no == 1)
		a = (struct fake_answer){
			.outcome = LT_DEFERRED, .after_ms = 10, .unpublished = true
		};
	if (op->delivery % 11 == 0)
		a = (struct fake_answer){
			.outcome = LT_REFUSED, .after_ms = 10, .unpublished = true
		};
	return a;
}

static int setup(void **state)
{
	UNUSED(state);
	scene_open(5);
	fake.script = script_mixed;
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	return 0;
}
static int teardown(void **state)
{
	UNUSED(state);
	scene_close();
	return 0;
}

static size_t n_acted;
static void on_act(void *ctx, int rc, const struct err *e, size_t changed, size_t refused)
{
	UNUSED(ctx);
	UNUSED(e);
	UNUSED(refused);
	assert_int_equal(rc, 0);
	n_acted += changed;
}

/* Whoever looks at the ledger says of each unknown what it was: sent or absent. */
static void operator_settles(void)
{
	for (;;) {
		int64_t id = scene_i64("SELECT min(id) FROM delivery WHERE state=8");
		if (id <= 0)
			break;
		struct act_request r = { .verb = map64_get(fake.published, (uint64_t)id)
				? ACT_RESOLVE_SENT
				: ACT_RESOLVE_ABSENT,
			.deliveries = &id,
			.n = 1,
			.person = "an",
			.via = "uid:1",
			.why = "the provider's log says so",
			.done = on_act };
		size_t was = n_acted;
		dispatch_act(sc.d, &r);
		scene_settle();
		assert_int_equal(n_acted, was + 1);
	}
}

static void crash_and_look(size_t intents_open)
{
	scene_crash();
	int64_t sending = scene_state(DLV_SENDING), unknown = scene_state(DLV_UNKNOWN);
	assert_true(sending <= (int64_t)intents_open);
	scene_restart();
	assert_int_equal(scene_state(DLV_SENDING) + scene_state(DLV_UNKNOWN) >= unknown, 1);
	assert_true(scene_state(DLV_UNKNOWN) - unknown <= sending);
	scene_check();
}

static void killed_at_fifty_moments_nothing_is_lost_or_doubled(void **state)
{
	UNUSED(state);
	int n = 1500;
	scene_lot(1, 0, 1, 1, n);
	scene_start();
	for (int k = 0; k < 50; k++) {
		scene_run(3 + (k * 7) % 23);
		crash_and_look(256);
		/* an unknown is never sent again by itself */
		assert_int_equal(fake.n_doubles, 0);
	}
	operator_settles();
	scene_run(20 * MIN_MS);
	operator_settles();
	scene_run(20 * MIN_MS);
	assert_int_equal(scene_state(DLV_ACCEPTED) + scene_state(DLV_FAILED), n);
	assert_int_equal(fake.n_doubles, 0);
	assert_int_equal(map64_count(fake.published), scene_state(DLV_ACCEPTED));
}

/* Dies before and after each of the first transactions: the store runs, the completions do not. */
static void killed_between_commit_and_completion(void **state)
{
	UNUSED(state);
	scene_lot(1, 0, 1, 1, 60);
	scene_start();
	for (int k = 0; k < 40; k++) {
		for (int i = 0; i < 1 + k % 5; i++) {
			testenv_advance(&sc.te, 3);
			testenv_settle(&sc.te);
			(void)store_run(sc.ts.s);
			if (i < k % 5)
				(void)store_complete(sc.ts.s);
		}
		crash_and_look(256);
		assert_int_equal(fake.n_doubles, 0);
		scene_run(5);
	}
	operator_settles();
	scene_run(40 * MIN_MS);
	operator_settles();
	scene_run(40 * MIN_MS);
	assert_int_equal(scene_state(DLV_ACCEPTED) + scene_state(DLV_FAILED), 60);
	assert_int_equal(fake.n_doubles, 0);
}

static void what_an_adapter_with_steps_had_not_published_waits_again(void **state)
{
	UNUSED(state);
	fake.ch[0].caps = 0;
	dispatch_free(sc.d);
	scene_dispatch();
	scene_settle();
	answer_ms = 100000;
	fake.ch[0].account[0].room = 10;
	scene_lot(1, 0, 1, 1, 40);
	scene_start();
	scene_run(1); /* started, nothing published yet */
	int64_t sending = scene_state(DLV_SENDING);
	assert_true(sending > 0);
	scene_crash();
	scene_restart();
	assert_int_equal(scene_state(DLV_UNKNOWN), 0);
	scene_run(50); /* now some have their intent and are published */
	assert_true(fake.n_published > 0);
	scene_crash();
	scene_restart();
	assert_true(scene_state(DLV_UNKNOWN) >= (int64_t)fake.n_published);
	assert_int_equal(fake.n_doubles, 0);
	answer_ms = 25;
	operator_settles();
	scene_run(10 * MIN_MS);
	assert_int_equal(fake.n_doubles, 0);
}

/* An adapter that publishes by steps has one delivery in its hands. */
static void one_on_its_way(void)
{
	fake.ch[0].caps = 0;
	dispatch_free(sc.d);
	scene_dispatch();
	scene_settle();
	scene_lot(1, 0, 1, 1, 1);
	scene_start();
	scene_run(1);
}

/* The daemon ends so often while the adapter was called with this one. */
static void crashes_in(int64_t delivery, int times)
{
	for (int i = 0; i < times; i++) {
		assert_int_equal(scene_state(DLV_SENDING), 1);
		sc.crashed = (struct calling){ .n = 1, .item = { delivery } };
		scene_crash();
		scene_restart();
		scene_run(1);
	}
}

static void an_item_that_ends_the_daemon_twice_is_set_aside(void **state)
{
	UNUSED(state);
	one_on_its_way();
	crashes_in(scene_i64("SELECT id FROM delivery"), 2);
	assert_int_equal(scene_state(DLV_HELD), 1);
	assert_int_equal(scene_i64("SELECT count(*) FROM step WHERE value LIKE 'poison:%%'"), 1);
	scene_run(HR_MS);
	assert_int_equal(fake.n_published, 0);
}

static void an_item_that_is_merely_on_its_way_is_not_suspected(void **state)
{
	UNUSED(state);
	one_on_its_way();
	crashes_in(4711, 5); /* another one's crash */
	assert_int_equal(scene_state(DLV_HELD), 0);
	scene_run(HR_MS);
	assert_int_equal(fake.n_published, 1);
	assert_int_equal(scene_state(DLV_ACCEPTED), 1);
}

static void limits_hold_across_restarts(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.rate_per_s = 2;
	sc.ch[0].lane.burst = 5;
	fake.script = NULL;
	scene_reload();
	scene_lot(1, 0, 1, 1, 2000);
	scene_start();
	int64_t began = env_wall(&sc.te.env);
	for (int k = 0; k < 20; k++) {
		scene_run(3000);
		scene_crash();
		scene_restart();
	}
	double s = (double)(env_wall(&sc.te.env) - began) / 1000.0;
	assert_true((double)fake.n_published <= 5 + 2 * s + 1);
	assert_true((double)fake.n_published >= s); /* and it does go on */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(killed_at_fifty_moments_nothing_is_lost_or_doubled),
		T(killed_between_commit_and_completion),
		T(what_an_adapter_with_steps_had_not_published_waits_again),
		T(an_item_that_ends_the_daemon_twice_is_set_aside),
		T(an_item_that_is_merely_on_its_way_is_not_suspected),
		T(limits_hold_across_restarts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
