/* test_revoke.c - intents that are not used go back: by a stop between any two steps, by a session that is lost; and what the store
 * refuses for a while is kept, never dropped. */
#include "stopscene.h"

#define ROOM 2 /* the session takes two at once; the lane's first window commits four intents */

static int setup(void **state)
{
	UNUSED(state);
	scene_open(5);
	fake.script = script_slow;
	fake.ch[0].account[0].room = ROOM;
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	return 0;
}
static int teardown(void **state)
{
	UNUSED(state);
	scene_close();
	return 0;
}

static void stop_release(enum stop_verb verb)
{
	stop(verb, (struct stop_scope){ .release_id = 1, .part = -1 }, -1);
}

/* Tries of revoked intents were given back: as many tries as attempts that are on record. */
static void tries_are_attempts(void)
{
	assert_int_equal(
		scene_i64("SELECT count(*) FROM delivery d WHERE tries <> (SELECT count(*) FROM "
			  "attempt a WHERE a.delivery_id=d.id)"),
		0);
}

static void unused_intents_are_back_when_the_stop_is_answered(void **state)
{
	UNUSED(state);
	scene_lot(1, 0, 1, 1, 20);
	scene_start();
	assert_int_equal(scene_state(DLV_SENDING), 4);
	assert_int_equal(fake.in_flight, ROOM);
	stop_release(STOP_HOLD);
	scene_settle();
	assert_int_equal(got.n, 1);
	assert_int_equal(got.rc, 0);
	assert_int_equal(got.sending, ROOM); /* these were begun */
	assert_int_equal(scene_i64("SELECT count(*) FROM delivery WHERE state=0 AND tries<>0"), 0);
	scene_run(200);
	assert_int_equal(fake.n_published, 0);
	assert_int_equal(scene_state(DLV_WAITING), 20);
	assert_int_equal(scene_i64("SELECT count(*) FROM attempt WHERE outcome=0"), 0);
	stop_release(STOP_RESUME);
	scene_run(60000);
	assert_int_equal(fake.n_published, 20);
	assert_int_equal(scene_state(DLV_ACCEPTED), 20);
	assert_int_equal(fake.n_doubles, 0);
	tries_are_attempts();
}

/* What the loop, the writer and the completions do, one after the other: a stop may come between any two of them. */
static void some_steps(int n)
{
	for (int i = 0; i < n; i++)
		switch (i % 3) {
		case 0: testenv_settle(&sc.te); break;
		case 1: (void)store_run(sc.ts.s); break;
		default: (void)store_complete(sc.ts.s); break;
		}
}

static void a_hold_between_any_two_steps_lets_nothing_out(void **state)
{
	UNUSED(state);
	scene_lot(1, 0, 1, 1, 300);
	dispatch_start(sc.d);
	for (int k = 0; k < 60; k++) {
		some_steps(k % 30);
		if (k >= 30) /* with answers on their way */
			testenv_advance(&sc.te, k % 9), some_steps(k % 7);
		uint64_t before = fake.n_published;
		stop_release(STOP_HOLD);
		scene_settle();
		assert_int_equal(got.rc, 0);
		assert_int_equal(fake.n_published, before);
		scene_run(300);
		assert_int_equal(fake.n_published, before);
		assert_int_equal(scene_state(DLV_SENDING), 0);
		tries_are_attempts();
		stop_release(STOP_RESUME);
	}
	scene_run(120000);
	assert_int_equal(scene_state(DLV_ACCEPTED), 300);
	assert_int_equal(fake.n_published, 300);
	assert_int_equal(fake.n_doubles, 0);
	scene_check();
}

static void a_lost_session_gives_unused_intents_back(void **state)
{
	UNUSED(state);
	scene_lot(1, 0, 1, 1, 20);
	scene_start();
	assert_int_equal(scene_state(DLV_SENDING), 4);
	fake.ch[0].account[0].room = 0;
	fake.ev.account_trouble(fake.ev.ctx, &fake.ch[0].account[0], LT_SCOPE_ACCOUNT,
		STR("ECONNRESET"), STR("the peer closed"), 0);
	scene_settle();
	assert_int_equal(scene_state(DLV_SENDING), ROOM);
	scene_run(100);
	assert_int_equal(scene_state(DLV_SENDING), 0);
	tries_are_attempts();
	fake.ch[0].account[0].room = 64;
	fake_credits(&fake.ch[0].account[0]);
	scene_run(10 * MIN_MS);
	assert_int_equal(scene_state(DLV_ACCEPTED), 20);
	assert_int_equal(fake.n_published, 20);
	assert_int_equal(fake.n_doubles, 0);
	tries_are_attempts();
}

static void an_outcome_that_the_store_refuses_keeps_no_other_back_and_is_not_dropped(void **state)
{
	UNUSED(state);
	fake.ch[0].account[0].room = 64;
	scene_lot(1, 0, 1, 1, 30);
	scene_exec(
		"CREATE TRIGGER bad BEFORE INSERT ON attempt WHEN NEW.delivery_id IN (3, 4) BEGIN "
		"SELECT RAISE(ABORT, 'a row that cannot be written'); END");
	scene_start();
	scene_run(20000);
	assert_int_equal(fake.n_published, 30);
	assert_int_equal(scene_state(DLV_ACCEPTED), 28);
	assert_int_equal(scene_state(DLV_SENDING), 2);
	scene_exec("DROP TRIGGER bad");
	scene_run(5000);
	assert_int_equal(scene_state(DLV_ACCEPTED), 30);
	assert_int_equal(fake.n_published, 30);
	tries_are_attempts();
	scene_check();
}

static void recovery_that_the_store_refuses_is_tried_again(void **state)
{
	UNUSED(state);
	scene_lot(1, 0, 1, 1, 20);
	scene_start();
	scene_run(20);
	int64_t open = scene_state(DLV_SENDING);
	assert_true(open > 0);
	scene_crash();
	scene_exec(
		"CREATE TRIGGER bad BEFORE UPDATE OF state ON delivery WHEN NEW.state=8 BEGIN SELECT "
		"RAISE(ABORT, 'not now'); END");
	uint64_t before = fake.n_published;
	scene_restart();
	scene_run(1500);
	assert_int_equal(scene_state(DLV_UNKNOWN), 0);
	assert_int_equal(fake.n_doubles, 0);
	scene_exec("DROP TRIGGER bad");
	scene_run(60000);
	assert_int_equal(scene_state(DLV_UNKNOWN), open);
	assert_int_equal(scene_state(DLV_ACCEPTED), 20 - open);
	assert_true(fake.n_published >= before);
	assert_int_equal(fake.n_doubles, 0);
	scene_check();
}

#ifdef LANTOA_FAULTS
static void a_stop_that_is_not_committed_stops_nothing(void **state)
{
	UNUSED(state);
	const enum stop_verb verbs[] = { STOP_HOLD, STOP_CANCEL };

	scene_lot(1, 0, 1, 1, 20);
	fake.ch[0].account[0].room = 0;
	scene_start();
	scene_run(100);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		fault_set("store.commit", 0, 1);
		stop_release(verbs[i]);
		scene_settle();
		fault_clear();
		assert_int_equal(got.n, 1);
		assert_int_not_equal(got.rc, 0);
	}
	assert_int_equal(scene_i64("SELECT count(*) FROM gate"), 0);
	fake.ch[0].account[0].room = 64;
	fake_credits(&fake.ch[0].account[0]);
	scene_run(60000);
	assert_int_equal(scene_state(DLV_ACCEPTED), 20);
	assert_int_equal(fake.n_published, 20);
}
#endif

static void a_pause_of_a_kind_stops_its_channels_and_no_other(void **state)
{
	UNUSED(state);
	struct stop_scope s = { .kind = KIND_EMAIL, .part = -1 };

	scene_lot(1, 0, 1, 1, 30);
	scene_lot(1, 1, 3, 1, 30);
	stop(STOP_PAUSE, s, -1);
	scene_start();
	scene_run(20000);
	assert_int_equal(got.rc, 0);
	assert_int_equal(got.lots, 1);
	assert_int_equal(got.deliveries, 30);
	assert_int_equal(fake.n_published, 30);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM delivery d JOIN lot l ON l.id=d.lot_id WHERE "
			  "d.state=2 AND l.lane_id=3"),
		30);
	scene_crash(); /* remembered by its channels */
	scene_restart();
	scene_run(20000);
	assert_int_equal(fake.n_published, 30);
	stop(STOP_RESUME, s, -1);
	scene_run(60000);
	assert_int_equal(fake.n_published, 60);
	assert_int_equal(fake.n_doubles, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(unused_intents_are_back_when_the_stop_is_answered),
		T(a_hold_between_any_two_steps_lets_nothing_out),
		T(a_lost_session_gives_unused_intents_back),
		T(an_outcome_that_the_store_refuses_keeps_no_other_back_and_is_not_dropped),
		T(recovery_that_the_store_refuses_is_tried_again),
#ifdef LANTOA_FAULTS
		T(a_stop_that_is_not_committed_stops_nothing),
#endif
		T(a_pause_of_a_kind_stops_its_channels_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
