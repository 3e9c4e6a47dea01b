/* test_lists.c - lists of deliveries: what of a lot is in them, and what is told of it. */
#include "queuescene.h"

static int64_t seen[64];
static size_t n_seen;

static int on_state(void *ctx, const struct q_dlv *d)
{
	(void)ctx;
	assert_true(n_seen < ARRAY_LEN(seen));
	seen[n_seen++] = d->state;
	return 0;
}

static char why_seen[8][80];

static int on_why(void *ctx, const struct q_dlv *d)
{
	(void)ctx;
	assert_true(n_seen < ARRAY_LEN(why_seen));
	(void)str_copy(why_seen[n_seen], sizeof(why_seen[0]), d->why);
	seen[n_seen++] = d->state;
	return 0;
}

static int on_due(void *ctx, const struct q_dlv *d)
{
	*(int64_t *)ctx = d->due_ms;
	return 0;
}

static void what_waits_under_a_void_approval_is_in_no_list(void **state)
{
	(void)state;
	char next[48];
	int64_t due = -1;

	run("UPDATE delivery SET state=9 WHERE id=11");
	run("UPDATE delivery SET state=2 WHERE id=12");
	run("UPDATE lot SET gate=5, why='void: returned to its author' WHERE id=2");
	struct store_reader *r = teststore_reader(&ts);
	static const struct {
		int64_t release;
		int state;
		size_t n;
	} t[] = { { 1, -1, 11 }, { 0, -1, 11 }, { 1, DLV_WAITING, 10 }, { 0, DLV_WAITING, 10 },
		{ 0, DLV_HELD, 0 }, { 0, DLV_ACCEPTED, 1 } };
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct q_filter f = {
			.part = -1, .state = t[i].state, .limit = 100, .release = t[i].release
		};
		n_seen = 0;
		assert_int_equal(q_delivery_list(r, &f, on_state, NULL, next, sizeof(next)), 0);
		if (n_seen != t[i].n)
			fail_msg("row %zu: %zu", i, n_seen);
	}
	/* by its number it is still found, with the reason, and is due at no time */
	n_seen = 0;
	assert_int_equal(q_delivery_one(r, 13, 0, on_why, NULL), 1);
	assert_string_equal(why_seen[0], "void: returned to its author");
	assert_int_equal(q_delivery_one(r, 13, 0, on_due, &due), 1);
	assert_int_equal(due, 0);
	teststore_reader_end(&ts, r);
}

static void what_went_out_before_does_not_bear_the_reason_of_its_lot(void **state)
{
	(void)state;
	static const struct {
		int state;
		bool told;
	} t[] = { { DLV_WAITING, true }, { DLV_HELD, true }, { DLV_CANCELLED, true },
		{ DLV_EXPIRED, true }, { DLV_SENDING, false }, { DLV_ACCEPTED, false },
		{ DLV_DELIVERED, false }, { DLV_FAILED, false }, { DLV_SUPPRESSED, false },
		{ DLV_UNKNOWN, false }, { DLV_DOUBT, false } };
	char sql[100];

	run("UPDATE lot SET gate=3, why='cancelled by vhanh: oops' WHERE id=2");
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		snprintf(sql, sizeof(sql), "UPDATE delivery SET state=%d WHERE id=11", t[i].state);
		run(sql);
		struct store_reader *r = teststore_reader(&ts);
		n_seen = 0;
		assert_int_equal(q_delivery_one(r, 11, 0, on_why, NULL), 1);
		teststore_reader_end(&ts, r);
		assert_string_equal(why_seen[0], t[i].told ? "cancelled by vhanh: oops" : "");
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_waits_under_a_void_approval_is_in_no_list),
		T(what_went_out_before_does_not_bear_the_reason_of_its_lot),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
