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

static char stops_seen[400];

static int on_stop(void *ctx, const struct q_stop *s)
{
	size_t n = strlen(stops_seen);
	(void)ctx;
	(void)snprintf(stops_seen + n, sizeof(stops_seen) - n, "%s" STR_FMT, n ? " " : "",
		STR_ARG(s->what));
	return 0;
}

static void what_is_left_of_holds_over_a_scope_is_told(void **state)
{
	(void)state;
	/* lane 1 and 2 are of channel 1 (mail), lane 3 of channel 2 (text); release 1 has lots on lane 1 only */
	static const char *const holds[] = { "r=1 p=-1 o=0 c=0 l=0 h=0 k=0 a=0 | release",
		"r=1 p=2 o=0 c=0 l=0 h=0 k=0 a=0 | part",
		"r=9 p=-1 o=0 c=0 l=0 h=0 k=0 a=0 | other",
		"r=0 p=-1 o=1 c=0 l=0 h=0 k=0 a=0 | top",
		"r=0 p=-1 o=2 c=0 l=0 h=0 k=0 a=0 | below",
		"r=0 p=-1 o=3 c=0 l=0 h=0 k=0 a=0 | beside",
		"r=0 p=-1 o=0 c=4 l=0 h=0 k=0 a=0 | campaign",
		"r=0 p=-1 o=0 c=0 l=2 h=0 k=0 a=0 | lane2",
		"r=0 p=-1 o=0 c=0 l=0 h=1 k=0 a=0 | mail",
		"r=0 p=-1 o=0 c=0 l=0 h=2 k=0 a=0 | text",
		"r=0 p=-1 o=0 c=0 l=0 h=0 k=1 a=0 | kind",
		"r=0 p=-1 o=0 c=0 l=0 h=0 k=0 a=1 | all" };
	static const struct {
		struct sq_gate scope;
		const char *stops;
	} t[] = { { { .part = -1, .all = true },
			  "release part other top below beside campaign lane2 mail text kind all" },
		{ { .part = -1, .release = 1 }, "release part top below mail kind all" },
		{ { .part = 1, .release = 1 }, "release top below mail kind all" },
		{ { .part = -1, .lane = 1 },
			"release part top below beside campaign mail kind all" },
		{ { .part = -1, .lane = 2 }, "top below beside campaign lane2 mail kind all" },
		{ { .part = -1, .lane = 3 }, "top below beside campaign text all" },
		{ { .part = -1, .channel = 1 },
			"release part top below beside campaign lane2 mail kind all" },
		{ { .part = -1, .kind = KIND_SMS }, "top below beside campaign text all" },
		{ { .part = -1, .office = 2 },
			"release part top below campaign lane2 mail text kind all" },
		{ { .part = -1, .office = 3 }, "top beside campaign lane2 mail text kind all" },
		{ { .part = -1, .campaign = 5 }, "top below beside lane2 mail text kind all" } };
	char sql[300];

	run("INSERT INTO office(id, code, parent_id, depth, ord, region, lang, vars_hash) VALUES "
	    "(3,'beside',1,1,'2','x','vi',x'00')");
	run("INSERT INTO channel(id, name, adapter) VALUES (2,'text','loopback')");
	run("INSERT INTO account(id, channel_id, name) VALUES (2,2,'relay')");
	run("INSERT INTO lane(id, account_id, class, gate, tokens, tokens_at) VALUES (2,1,'x',0,0,0), (3,2,'',0,0,0)");
	for (size_t i = 0; i < ARRAY_LEN(holds); i++) {
		snprintf(sql, sizeof(sql),
			"INSERT INTO gate(what, person, why, at) VALUES('%s', 'an', 'x', 7)",
			holds[i]);
		run(sql);
	}
	run("INSERT INTO gate(what, person, why, at, until) VALUES('r=0 p=-1 o=0 c=0 l=0 h=0 k=0 a=1 | over', 'an', 'x', 7, 8)");
	struct store_reader *r = teststore_reader(&ts);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		stops_seen[0] = 0;
		assert_int_equal(q_scope_stops(r, &t[i].scope, "[[\"mail\",1],[\"text\",2]]", 9,
					 on_stop, NULL),
			0);
		if (strcmp(stops_seen, t[i].stops) != 0)
			fail_msg("scope %zu: %s", i, stops_seen);
	}
	teststore_reader_end(&ts, r);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_waits_under_a_void_approval_is_in_no_list),
		T(what_is_left_of_holds_over_a_scope_is_told),
		T(what_went_out_before_does_not_bear_the_reason_of_its_lot),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
