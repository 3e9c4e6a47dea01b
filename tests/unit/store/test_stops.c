/* test_stops.c - scopes that are held, paused and resumed, and what each of them counts. */
#include "queuescene.h"

static struct sq_stop stop_of(enum sq_stop_verb verb, struct sq_scope scope)
{
	struct sq_stop c = { .verb = verb,
		.scope = scope,
		.except_prio = -1,
		.person = "an",
		.via = "uid:1",
		.why = "test",
		.what = "lot.hold" };

	sq_stop_init(&c);
	(void)str_copy(c.kind_channels[KIND_EMAIL], sizeof(c.kind_channels[0]), STR("[1]"));
	(void)str_copy(c.kind_channels[KIND_SMS], sizeof(c.kind_channels[0]), STR("[]"));
	assert_int_equal(teststore_do(&ts, &c.cmd), 0);
	return c;
}

static void a_scope_is_read_back_as_it_was_written(void **state)
{
	(void)state;
	struct sq_stop c = stop_of(SQ_HOLD,
		(struct sq_scope){ .release = 1, .part = 2, .text = "release:R1@2026 part:press" });

	assert_int_equal(c.ret_lots, 1);
	assert_int_equal(c.ret_deliveries, 10);
	assert_int_equal(teststore_i64(&ts,
				 "SELECT count(*) FROM gate WHERE what LIKE "
				 "'%| release:R1@2026 part:press'"),
		1);
	c.verb = SQ_RESUME; /* the release as a whole takes the gate of its part with it */
	c.scope.part = -1;
	assert_int_equal(teststore_do(&ts, &c.cmd), 0);
	assert_int_equal(c.ret_gates, 1);
	assert_int_equal(c.ret_lots, 1); /* that of the part, not all of the release */
	assert_int_equal(c.ret_deliveries, 10);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM gate"), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM audit WHERE what='lot.hold'"), 2);
}

static void a_resume_counts_what_was_held_and_nothing_else(void **state)
{
	(void)state;
	const struct sq_scope all = { .part = -1, .all = true, .text = "all" };
	const struct sq_scope release = { .release = 1, .part = -1, .text = "release:R1@2026" };
	const struct sq_scope part = { .release = 1, .part = 2, .text = "part" };
	const struct sq_scope mail = { .release = 1,
		.part = -1,
		.kind = KIND_EMAIL,
		.channels_json = "[1]",
		.text = "kind:email" };
	const struct sq_scope sms = { .release = 1,
		.part = -1,
		.kind = KIND_SMS,
		.channels_json = "[]",
		.text = "kind:sms" };
	const struct sq_scope lane = { .lane = 1, .part = -1, .text = "lane" };
	const struct sq_scope nothing_held[] = { all, release, lane };

	for (size_t i = 0; i < ARRAY_LEN(nothing_held); i++) {
		struct sq_stop n = stop_of(SQ_RESUME, nothing_held[i]);
		assert_int_equal(n.ret_lots, 0);
		assert_int_equal(n.ret_lifted, 0);
	}
	struct sq_stop held = stop_of(SQ_HOLD, all);
	assert_true(held.ret_lots > 1);
	struct sq_stop c = stop_of(SQ_RESUME, release);
	assert_int_equal(c.ret_lots, 0); /* the hold of all stands */
	assert_int_equal(c.ret_lifted, 0);
	c = stop_of(SQ_RESUME, all);
	assert_int_equal(c.ret_lifted, 1);
	assert_int_equal(c.ret_lots, held.ret_lots);
	assert_int_equal(c.ret_deliveries, held.ret_deliveries);
	held = stop_of(SQ_HOLD, mail);
	assert_true(held.ret_lots > 0);
	(void)stop_of(SQ_HOLD, part); /* held twice, counted once */
	(void)stop_of(SQ_HOLD, sms);
	c = stop_of(SQ_RESUME, release);
	assert_int_equal(c.ret_gates, 3);
	assert_int_equal(c.ret_lifted, 3);
	assert_int_equal(c.ret_lots, held.ret_lots);
	assert_int_equal(teststore_exec(&ts, "UPDATE lot SET gate=2 WHERE id=1"), 0);
	assert_int_equal(stop_of(SQ_RESUME, all).ret_lots, 0); /* what the machine held stays so */
	c = stop_of(SQ_RESUME, release);
	assert_int_equal(c.ret_lots, 1);
	assert_int_equal(c.ret_lifted, 1);
	assert_int_equal(teststore_exec(&ts, "UPDATE lane SET gate=1 WHERE id=1"), 0);
	c = stop_of(SQ_RESUME, lane);
	assert_true(c.ret_lots > 0);
	assert_int_equal(c.ret_lifted, 1);
	c = stop_of(SQ_RESUME, lane);
	assert_int_equal(c.ret_lots, 0);
	assert_int_equal(c.ret_lifted, 0);
}

static void a_resume_of_a_channel_leaves_the_pause_of_a_provider(void **state)
{
	(void)state;
	run("INSERT INTO lane(id, account_id, class, gate, tokens, tokens_at) VALUES "
	    "(2,1,'held',1,0,0)");
	run("UPDATE lane SET until=77000");
	struct sq_stop c = stop_of(
		SQ_RESUME, (struct sq_scope){ .channel = 1, .part = -1, .text = "channel:mail" });

	assert_int_equal(c.ret_lifted, 1);
	assert_int_equal(teststore_i64(&ts, "SELECT until FROM lane WHERE id=1"), 77000);
	assert_int_equal(teststore_i64(&ts, "SELECT until FROM lane WHERE id=2"), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM lane WHERE gate<>0"), 0);
}

static void an_office_is_stopped_with_all_below(void **state)
{
	(void)state;
	struct sq_stop c = { .verb = SQ_CANCEL,
		.scope = { .office = 1, .part = -1, .text = "office:top" },
		.except_prio = -1,
		.person = "an",
		.via = "uid:1",
		.why = "test",
		.what = "lot.cancel" };

	sq_stop_init(&c);
	assert_int_equal(teststore_do(&ts, &c.cmd), 0);
	assert_int_equal(c.ret_lots, 2);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM lot WHERE gate=3"), 2);
	struct sq_sweep s = { .lot = 1 };
	sq_sweep_init(&s);
	assert_int_equal(teststore_do(&ts, &s.cmd), 0);
	assert_false(s.left);
	assert_int_equal(s.ret_rows, 10);
	assert_int_equal(teststore_i64(&ts, "SELECT n6 FROM lot WHERE id=1"), 10);
	counters_equal_rows();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(a_scope_is_read_back_as_it_was_written),
		T(a_resume_counts_what_was_held_and_nothing_else),
		T(a_resume_of_a_channel_leaves_the_pause_of_a_provider),
		T(an_office_is_stopped_with_all_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
