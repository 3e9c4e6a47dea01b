/* test_stop.c - a stop is a stop: at each moment of a run, by each scope; resumed, undone, remembered over a restart. */
#include "stopscene.h"

static int setup(void **state)
{
	UNUSED(state);
	scene_open(3);
	fake.script = script_slow;
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_release(2, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_release(3, PRIO_URGENT, CAT_PUBLIC_NOTICE);
	return 0;
}
static int teardown(void **state)
{
	UNUSED(state);
	scene_close();
	return 0;
}

static struct stop_scope of_release(int64_t id)
{
	return (struct stop_scope){ .release_id = id, .part = -1 };
}
static uint64_t published_of(int64_t lot)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < fake.n_published; i++)
		n += scene_i64("SELECT lot_id FROM delivery WHERE id=%lld",
			     (long long)fake.who[i]) == lot;
	return n;
}

/* Held at every millisecond of the first 120: never more goes out than had gone out plus what the answer named. */
static void a_hold_is_a_hold_at_each_moment(void **state)
{
	UNUSED(state);
	int64_t lot = scene_lot(1, 0, 1, 1, 400), other = scene_lot(2, 0, 1, 1, 50);
	scene_start();
	for (int at = 0; at < 60; at++) {
		scene_run(1 + at % 7);
		uint64_t before = published_of(lot);
		stop(STOP_HOLD, of_release(1), -1);
		scene_settle();
		assert_int_equal(got.n, 1);
		assert_int_equal(got.rc, 0);
		/* what is on the wire was published already: the ledger may not grow at all */
		assert_int_equal(published_of(lot), before);
		scene_run(200);
		assert_int_equal(published_of(lot), before);
		assert_int_equal(scene_i64("SELECT n1 FROM lot WHERE id=%lld", (long long)lot), 0);
		stop(STOP_RESUME, of_release(1), -1);
		scene_settle();
		assert_int_equal(got.rc, 0);
	}
	scene_run(60000);
	assert_int_equal(published_of(lot), 400);
	assert_int_equal(published_of(other), 50);
	assert_int_equal(fake.n_doubles, 0);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM delivery d WHERE tries <> (SELECT count(*) FROM "
			  "attempt a WHERE a.delivery_id=d.id)"),
		0); /* tries of revoked intents were given back, no row written */
	assert_int_equal(scene_i64("SELECT count(*) FROM audit WHERE what='lot.hold'"), 60);
}

static void the_answer_counts_what_the_kernel_has(void **state)
{
	UNUSED(state);
	scene_lot(1, 0, 1, 1, 400);
	scene_start();
	scene_run(60);
	size_t wire = 0;
	LIST_FOR(&fake.ops, n)
	wire += CONTAINER_OF(n, struct fake_op, node)->on_wire;
	assert_true(wire > 0);
	stop(STOP_HOLD, of_release(1), -1);
	scene_settle();
	assert_int_equal(got.on_wire, wire);
	assert_int_equal(got.lots, 1);
	assert_true(got.deliveries > 0);
}

static void a_cancelled_lot_counts_as_cancelled_at_once_and_is_swept(void **state)
{
	UNUSED(state);
	int64_t lot = scene_lot(1, 0, 1, 1, 30000);
	scene_start();
	scene_run(100);
	stop(STOP_CANCEL, of_release(1), -1);
	scene_settle();
	assert_int_equal(got.rc, 0);
	assert_int_equal(
		scene_i64("SELECT gate FROM lot WHERE id=%lld", (long long)lot), LOT_CANCELLED);
	uint64_t before = fake.n_published;
	scene_run(30000);
	assert_int_equal(fake.n_published, before);
	assert_int_equal(scene_state(DLV_WAITING), 0);
	assert_int_equal(scene_state(DLV_CANCELLED), 30000 - scene_state(DLV_ACCEPTED));
	scene_check();
}

static void pause_of_a_channel_stops_it_alone(void **state)
{
	UNUSED(state);
	int64_t mail = scene_lot(1, 0, 1, 1, 100), sms = scene_lot(1, 1, 3, 1, 100);
	struct stop_scope s = { .channel_id = 1, .part = -1 };

	stop(STOP_PAUSE, s, -1);
	scene_start();
	scene_run(20000);
	assert_int_equal(published_of(mail), 0);
	assert_int_equal(published_of(sms), 100);
	stop(STOP_RESUME, s, -1);
	scene_run(20000);
	assert_int_equal(published_of(mail), 100);
}

static void all_except_urgent_lets_urgent_go_on(void **state)
{
	UNUSED(state);
	int64_t normal = scene_lot(1, 0, 1, 1, 100), urgent = scene_lot(3, 0, 1, 1, 100);

	stop(STOP_HOLD, (struct stop_scope){ .all = true, .part = -1 }, PRIO_URGENT);
	scene_start();
	scene_run(20000);
	assert_int_equal(published_of(normal), 0);
	assert_int_equal(published_of(urgent), 100);
}

static void an_office_is_held_with_all_below_it(void **state)
{
	UNUSED(state);
	const struct stop_scope top = { .office_id = 1, .part = -1, .text = "office:trung-uong" },
				ha_noi = { .office_id = 2, .part = -1, .text = "office:ha-noi" };
	int64_t centre = scene_lot(1, 0, 1, 1, 20), below = scene_lot(1, 0, 1, 2, 20);

	scene_start();
	stop(STOP_HOLD, ha_noi, -1);
	scene_run(20000);
	assert_int_equal(published_of(centre), 20);
	assert_int_equal(published_of(below), 0);
	stop(STOP_HOLD, top, -1);
	scene_run(1000);
	assert_int_equal(got.rc, 0);
	stop(STOP_RESUME, ha_noi, -1);
	scene_run(20000);
	assert_int_equal(got.rc, 0);
	assert_int_equal(published_of(below), 0); /* the centre's hold covers it */
	stop(STOP_RESUME, top, -1);
	scene_run(20000);
	assert_int_equal(published_of(below), 20);
}

static void a_hold_outlives_the_daemon(void **state)
{
	UNUSED(state);
	int64_t lot = scene_lot(1, 0, 1, 1, 100);
	scene_start();
	scene_run(10);
	stop(STOP_HOLD, of_release(1), -1);
	scene_settle();
	assert_int_equal(got.rc, 0);
	scene_run(200);
	uint64_t before = published_of(lot);
	scene_crash();
	scene_restart();
	scene_run(30000);
	assert_int_equal(published_of(lot), before);
	stop(STOP_RESUME, of_release(1), -1);
	scene_run(30000);
	assert_int_equal(published_of(lot), 100);
}

static void a_hold_until_ends_by_itself(void **state)
{
	UNUSED(state);
	int64_t lot = scene_lot(1, 0, 1, 1, 10);
	struct stop_request r = { .verb = STOP_HOLD,
		.scope = of_release(1),
		.until_ms = env_wall(&sc.te.env) + 60000,
		.except_prio = -1,
		.person = "an",
		.via = "uid:1",
		.why = "lunch",
		.done = on_stop };

	dispatch_stop_scope(sc.d, &r);
	scene_start();
	scene_run(59000);
	assert_int_equal(published_of(lot), 0);
	scene_run(15000);
	assert_int_equal(published_of(lot), 10);
	assert_int_equal(scene_i64("SELECT count(*) FROM gate"), 0);
}

#ifdef LANTOA_FAULTS
static void a_stop_that_cannot_be_committed_is_taken_back(void **state)
{
	UNUSED(state);
	int64_t lot = scene_lot(1, 0, 1, 1, 300);
	scene_start();
	scene_run(20);
	fault_set("store.commit", 0, 1);
	stop(STOP_HOLD, of_release(1), -1);
	scene_settle();
	fault_clear();
	scene_run(60000);
	assert_int_equal(got.n, 1);
	if (got.rc == 0) { /* another transaction met the fault: then it holds */
		assert_int_equal(scene_i64("SELECT count(*) FROM gate"), 1);
	} else {
		assert_int_equal(scene_i64("SELECT count(*) FROM gate"), 0);
		assert_int_equal(published_of(lot), 300);
	}
	assert_int_equal(fake.n_doubles, 0);
	scene_check();
}
#endif

static void steps_get_no_intent_after_a_stop(void **state)
{
	UNUSED(state);
	fake.ch[0].caps = 0;
	dispatch_free(sc.d);
	scene_dispatch();
	scene_settle();
	int64_t lot = scene_lot(1, 0, 1, 1, 200);
	scene_start();
	for (int at = 0; at < 20; at++) {
		scene_run(1 + at % 5);
		stop(STOP_HOLD, of_release(1), -1);
		scene_settle();
		uint64_t before = published_of(lot);
		scene_run(300);
		assert_int_equal(published_of(lot), before);
		assert_int_equal(scene_i64("SELECT count(*) FROM intent"), 0);
		stop(STOP_RESUME, of_release(1), -1);
		scene_settle();
	}
	scene_run(30000);
	assert_int_equal(published_of(lot), 200);
	assert_int_equal(fake.n_doubles, 0);
}

static void a_void_approval_stops_what_is_committed(void **state)
{
	UNUSED(state);
	fake.script = script_slow;
	fake.ch[0].account[0].room = 2;
	scene_lot(1, 0, 1, 1, 20);
	int64_t other = scene_lot(2, 0, 1, 1, 5);
	scene_start();
	assert_int_equal(fake.in_flight, 2); /* two have begun, more have their intents */
	assert_true(scene_state(DLV_SENDING) > 2);
	scene_exec("UPDATE approval SET voided=1 WHERE manifest=(SELECT hash FROM manifest WHERE "
		   "release_id=1)");
	dispatch_release_void(sc.d, 1);
	scene_run(5000);
	assert_int_equal(fake.n_published, 5);
	assert_int_equal(published_of(other), 5);
	assert_int_equal(scene_state(DLV_WAITING), 20);
	scene_exec("UPDATE approval SET voided=NULL");
	dispatch_scan(sc.d);
	scene_run(20000);
	assert_int_equal(fake.n_published, 25);
	assert_int_equal(fake.n_doubles, 0);
}

/* Nobody has told dispatch: the writer is asked. */
static void a_step_gets_no_intent_under_a_void_approval(void **state)
{
	UNUSED(state);
	fake.ch[0].caps = 0;
	dispatch_free(sc.d);
	scene_dispatch();
	scene_settle();
	int64_t lot = scene_lot(1, 0, 1, 1, 1);
	scene_start();
	assert_int_equal(fake.in_flight, 1); /* asks for its step 2 ms later */
	scene_exec("UPDATE release SET state=1, rev_newest=2 WHERE id=1");
	scene_run(500);
	assert_int_equal(published_of(lot), 0);
	assert_int_equal(scene_state(DLV_WAITING), 1);
	assert_int_equal(scene_i64("SELECT count(*) FROM intent"), 0);
	scene_exec("UPDATE release SET state=2 WHERE id=1");
	dispatch_scan(sc.d);
	scene_run(5000);
	assert_int_equal(published_of(lot), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(a_hold_is_a_hold_at_each_moment),
		T(a_void_approval_stops_what_is_committed),
		T(a_step_gets_no_intent_under_a_void_approval),
		T(the_answer_counts_what_the_kernel_has),
		T(a_cancelled_lot_counts_as_cancelled_at_once_and_is_swept),
		T(pause_of_a_channel_stops_it_alone),
		T(all_except_urgent_lets_urgent_go_on),
		T(an_office_is_held_with_all_below_it),
		T(a_hold_outlives_the_daemon),
		T(a_hold_until_ends_by_itself),
#ifdef LANTOA_FAULTS
		T(a_stop_that_cannot_be_committed_is_taken_back),
#endif
		T(steps_get_no_intent_after_a_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
