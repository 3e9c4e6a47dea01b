/* test_phones.c - reports of short messages: they name the phone as well as the id, and ids may come with a late answer only. */
#include "jobscene.h"

static void report(int state, const char *id, const char *phone, uint64_t attempt)
{
	struct lt_str ids[1] = { lt(id) };
	struct lt_receipt r = { .struct_size = sizeof(r),
		.state = state,
		.final = 1,
		.ids = ids,
		.n_ids = 1,
		.attempt = attempt,
		.recipient = lt(phone) };

	fake.ev.receipt(fake.ev.ctx, &fake.ch[0], &fake.ch[0].account[0], &r, 77);
	scene_settle();
}

static void phones(int outcome)
{
	sc.ch[0].lane.receipt_wait_ms = 24 * HR_MS;
	sc.ch[0].kind = KIND_SMS;
	answer = (struct fake_answer){ .outcome = outcome,
		.id = outcome == LT_ACCEPTED ? "m-" : NULL };
	scene_lot(1, 0, 1, 1, 3);
	scene_exec("UPDATE contact SET address='+8491234500'||id");
	scene_start();
	scene_run(1000);
}

static void a_report_for_another_phone_settles_nothing(void **state)
{
	UNUSED(state);
	phones(LT_ACCEPTED);
	assert_int_equal(delivery_is(1), DLV_ACCEPTED);
	report(LT_RC_DELIVERED, "m-1", "84912345002", 0);
	assert_int_equal(delivery_is(1), DLV_ACCEPTED);
	assert_int_equal(delivery_is(2), DLV_ACCEPTED);
	assert_int_equal(scene_i64("SELECT count(*) FROM orphan"), 1);
	assert_int_equal(scene_i64("SELECT count(*) FROM orphan WHERE ids LIKE '%%345002%%'"), 0);
	scene_run(30000); /* not at a later try either */
	assert_int_equal(delivery_is(1), DLV_ACCEPTED);
}

static void a_phone_is_the_same_in_every_common_writing(void **state)
{
	static const char *const forms[] = { "84912345001", "0912345002", "+84912345003" };

	UNUSED(state);
	phones(LT_ACCEPTED);
	for (int i = 0; i < 3; i++) {
		char id[8];
		(void)snprintf(id, sizeof(id), "m-%d", i + 1);
		report(LT_RC_DELIVERED, id, forms[i], 0);
		assert_int_equal(delivery_is(i + 1), DLV_DELIVERED);
	}
	assert_int_equal(scene_i64("SELECT count(*) FROM orphan"), 0);
}

static void a_report_without_a_phone_counts_by_its_id(void **state)
{
	UNUSED(state);
	phones(LT_ACCEPTED);
	report(LT_RC_DELIVERED, "m-1", "", 0);
	report(LT_RC_DELIVERED, "m-2", "BHXH", 0);
	assert_int_equal(delivery_is(1), DLV_DELIVERED);
	assert_int_equal(delivery_is(2), DLV_DELIVERED);
}

static void a_late_answer_brings_the_id_of_later_reports(void **state)
{
	UNUSED(state);
	phones(LT_UNKNOWN);
	assert_int_equal(delivery_is(2), DLV_UNKNOWN);
	report(LT_RC_DELIVERED, "late-2", "84912345002", 0); /* nobody has that id yet */
	assert_int_equal(delivery_is(2), DLV_UNKNOWN);
	report(LT_ACCEPTED, "late-2", "84912345002", (uint64_t)2 << 8 | 1);
	assert_int_equal(delivery_is(2), DLV_ACCEPTED);
	scene_run(15000); /* the report that waited finds it now */
	assert_int_equal(delivery_is(2), DLV_DELIVERED);
	assert_int_equal(delivery_is(1), DLV_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_report_for_another_phone_settles_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_phone_is_the_same_in_every_common_writing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_report_without_a_phone_counts_by_its_id, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_late_answer_brings_the_id_of_later_reports, setup, teardown),
	};
	return cmocka_run_group_tests_name("dispatch/phones", tests, NULL, NULL);
}
