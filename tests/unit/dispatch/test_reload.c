/* test_reload.c - what is under way when a new configuration comes, and what it belongs to is there no more. */
#include "scene.h"

/* 1 accepted, 2 put off, 3 refused, 4 lost; the second time accepted. */
static struct fake_answer in_a_while(const struct chan_op *op)
{
	static const int outcome[] = { LT_ACCEPTED, LT_DEFERRED, LT_REFUSED, LT_UNKNOWN };
	int first = outcome[(op->delivery - 1) % 4];

	return (struct fake_answer){ .outcome = op->try_no > 1 ? (int)LT_ACCEPTED : first,
		.scope = LT_SCOPE_TARGET,
		.code = "c",
		.text = "t",
		.unpublished = op->try_no == 1 && first != LT_ACCEPTED,
		.after_ms = 5000 };
}

static int set_up(void **state)
{
	UNUSED(state);
	scene_open(1);
	scene_release(1, PRIO_URGENT, CAT_PUBLIC_NOTICE);
	return 0;
}

static int tear_down(void **state)
{
	UNUSED(state);
	scene_close();
	return 0;
}

/* What has begun ends by the rules under which it began; its ids are kept, for receipts come when the channel is back. */
static void answers_for_a_channel_that_is_gone_are_recorded(void **state)
{
	UNUSED(state);
	fake.script = in_a_while;
	sc.ch[1].lane.receipt_wait_ms = HR_MS;
	scene_reload();
	scene_lot(1, 0, 3, 1, 4);
	scene_start();
	scene_run(100);
	assert_int_equal(fake.n_started, 4);
	sc.conf.n_channels = 1;
	scene_reload();
	scene_run(6000);
	assert_int_equal(scene_state(DLV_ACCEPTED), 1);
	assert_int_equal(scene_i64("SELECT count(*) FROM ref WHERE delivery_id=1"), 1);
	assert_int_equal(scene_state(DLV_WAITING), 1);
	assert_int_equal(scene_state(DLV_FAILED), 1);
	assert_int_equal(scene_state(DLV_UNKNOWN), 1);
	assert_int_equal(scene_i64("SELECT count(*) FROM attempt"), 4);
	scene_check();
	scene_run(10 * MIN_MS);
	assert_int_equal(fake.n_started, 4);
	sc.conf.n_channels = 2;
	scene_reload();
	scene_run(10 * MIN_MS);
	assert_int_equal(scene_state(DLV_ACCEPTED), 2);
	assert_int_equal(fake.n_doubles, 0);
	scene_check();
}

/* Nobody can be asked meanwhile, which is no answer; back again, it is asked at once, and not when its time is over. */
static void an_unknown_of_a_channel_that_comes_back_is_asked_about(void **state)
{
	UNUSED(state);
	fake.script = in_a_while;
	scene_lot(1, 0, 3, 1, 4);
	scene_start();
	scene_run(100);
	sc.conf.n_channels = 1;
	scene_reload();
	scene_run(10 * MIN_MS);
	assert_int_equal(scene_state(DLV_UNKNOWN), 1);
	assert_int_equal(fake.n_questions, 0);
	fake.outcome_of_question = LT_ACCEPTED;
	sc.conf.n_channels = 2;
	scene_reload();
	scene_run(2 * MIN_MS);
	assert_int_equal(fake.n_questions, 1);
	assert_int_equal(scene_state(DLV_UNKNOWN), 0);
	sc.conf.n_channels = 1;
	scene_reload();
}

static void what_nobody_could_be_asked_about_is_in_doubt_in_time(void **state)
{
	UNUSED(state);
	fake.script = in_a_while;
	scene_lot(1, 0, 3, 1, 4);
	scene_start();
	scene_run(100);
	sc.conf.n_channels = 1;
	scene_reload();
	scene_run(23 * HR_MS);
	assert_int_equal(scene_state(DLV_UNKNOWN), 1);
	scene_run(2 * HR_MS);
	assert_int_equal(scene_state(DLV_DOUBT), 1);
}

/* The store keeps them for as long as the disk is full; the old channels are gone after a minute. */
static void what_was_stored_late_is_told_to_nobody_who_is_gone(void **state)
{
	struct lt_id one[1] = { { 0, 0, { "id-1", 4 } } };
	const struct lt_receipt r = {
		.struct_size = sizeof(r), .state = LT_RC_TRANSIT, .ids = &one[0].id, .n_ids = 1
	};
	const struct lt_inbound in = { .struct_size = sizeof(in),
		.kind = LT_IN_TEXT,
		.address = { "a9@x.example", 12 },
		.text = { "Xin chao", 8 } };
	struct chan_op op = { .delivery = 1 };

	UNUSED(state);
	scene_lot(1, 0, 3, 1, 1);
	scene_start();
	scene_run(1000);
	fake.ev.receipt(fake.ev.ctx, &fake.ch[1], &fake.ch[1].account[0], &r, 1);
	fake.ev.inbound(fake.ev.ctx, &fake.ch[1], &fake.ch[1].account[0], &in, 2);
	fake.ev.op_save(fake.ev.ctx, &op, STR("photo"), STR("987"), 3);
	dispatch_channels_forget(sc.d, (struct channels *)&fake);
	scene_settle();
	assert_int_equal(scene_i64("SELECT count(*) FROM inbound"), 1);
	assert_int_equal(scene_i64("SELECT count(*) FROM step"), 1);
	assert_int_equal(fake.n_saved, 0);
	scene_reload();
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(answers_for_a_channel_that_is_gone_are_recorded),
		T(an_unknown_of_a_channel_that_comes_back_is_asked_about),
		T(what_was_stored_late_is_told_to_nobody_who_is_gone),
		T(what_nobody_could_be_asked_about_is_in_doubt_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
