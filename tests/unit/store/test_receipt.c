/* test_receipt.c - reports of providers: what a segment has come to, and whose an id is that several deliveries claim. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "store/store_jobs.h"
#include "store/store_queue.h"
#include "tests/lib/teststore.h"

#define DELIVERIES 20

static struct teststore ts;

static void run(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void run(const char *fmt, ...)
{
	char sql[1000];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sql, sizeof(sql), fmt, ap);
	va_end(ap);
	if (teststore_exec(&ts, sql))
		fail_msg("%s: %s", sql, ts.err.text);
}
static int64_t number(const char *fmt, ...) PRINTF_LIKE(1, 2);
static int64_t number(const char *fmt, ...)
{
	char sql[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sql, sizeof(sql), fmt, ap);
	va_end(ap);
	return teststore_i64(&ts, sql);
}

/* Deliveries 1 to 20 are on their way to the phones +84912345001 ... 020, by one account with two lanes. */
static int setup(void **state)
{
	(void)state;
	assert_int_equal(teststore_open(&ts), 0);
	run("INSERT INTO vars(hash, json) VALUES (x'00','{}')");
	run("INSERT INTO office(id, code, parent_id, depth, ord, region, lang, vars_hash) VALUES "
	    "(1,'top',NULL,0,'0','x','vi',x'00')");
	run("INSERT INTO channel(id, name, adapter) VALUES (1,'sms','smpp')");
	run("INSERT INTO account(id, channel_id, name) VALUES (1,1,'smsc')");
	run("INSERT INTO lane(id, account_id, class, gate, tokens, tokens_at) VALUES (1,1,'',0,0,0), "
	    "(2,1,'viettel',0,0,0)");
	run("INSERT INTO release(id, year, code, state, rev_newest, rev_approved, prio, category, kind, "
	    "title) VALUES (1,2026,'R1',2,1,1,1,2,1,'t')");
	run("INSERT INTO manifest(hash, release_id, rev, format, body, made) VALUES "
	    "(zeroblob(32),1,1,1,x'00',0)");
	run("INSERT INTO lot(id, release_id, part, lane_id, office_id, manifest, gate, prio, at, expires, "
	    "n1) VALUES (1,1,1,1,1,zeroblob(32),1,1,%lld,%lld,%d)",
		(long long)ts.wall_ms, (long long)ts.wall_ms + 3600000, DELIVERIES);
	run("WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM k WHERE i<%d) INSERT INTO "
	    "contact(id, kind, address, form, class) SELECT i, 2, printf('+84912345%%03d', i), 'phone', '' "
	    "FROM k",
		DELIVERIES);
	run("INSERT INTO delivery(id, lot_id, contact_id, once, state, tries, due, target_id) SELECT id, 1, "
	    "id, 1026, 1, 1, 0, id FROM contact");
	return 0;
}
static int teardown(void **state)
{
	(void)state;
	for (int s = 0; s < DLV_STATES; s++)
		assert_int_equal(number("SELECT n%d FROM lot", s),
			number("SELECT count(*) FROM delivery WHERE state=%d", s));
	teststore_close(&ts);
	return 0;
}

static struct lt_id seg(uint32_t effect, int outcome, const char *id)
{
	return (struct lt_id){ effect, (uint32_t)outcome, { id, strlen(id) } };
}

/* The answer of the provider: so many segments with their ids. */
static void answered(int64_t delivery, int64_t lane, int outcome, const struct lt_id *ids, size_t n)
{
	struct sq_outcome o = { .verb = SQ_OUTCOME,
		.to = outcome == LT_ACCEPTED ? DLV_ACCEPTED : DLV_UNKNOWN,
		.delivery = delivery,
		.lot = 1,
		.contact = delivery,
		.lane = lane,
		.tries = 1,
		.due_ms = -1,
		.outcome = outcome,
		.ids = ids,
		.n_ids = n,
		.receipts = true };
	struct sq_outcome *v[] = { &o };
	struct sq_outcomes c = { .v = v, .n = 1 };

	sq_outcomes_init(&c);
	assert_int_equal(teststore_do(&ts, &c.cmd), 0);
	assert_true(o.applied);
}
static void two_segments(int64_t delivery, int outcome, const char *first, const char *second)
{
	struct lt_id ids[] = { seg(0, LT_ACCEPTED, first), seg(1, outcome, second) };

	answered(delivery, 1, outcome, ids, 2);
}

/* A report by its candidates, one a line; delivery: of which attempt it is, where that is known. */
static void told(struct sq_receipt *c, int state, const char *ids, int64_t delivery)
{
	memset(c, 0, sizeof(*c));
	c->account_id = 1;
	c->channel_id = 1;
	c->delivery = delivery;
	c->try_no = delivery ? 1 : 0;
	c->ids = ids;
	c->state = state;
	c->final = state != LT_RC_TRANSIT;
	c->at_ms = ts.wall_ms;
	c->retry_ms = 10000;
	c->give_up_ms = ts.wall_ms + 600000;
	sq_receipt_init(c);
	assert_int_equal(teststore_do(&ts, &c->cmd), 0);
}
static void report(int state, const char *ids)
{
	struct sq_receipt c;

	told(&c, state, ids, 0);
}
static int64_t state_of(int64_t delivery)
{
	return number("SELECT state FROM delivery WHERE id=%lld", (long long)delivery);
}
static int64_t segment(int64_t delivery, int effect)
{
	return number("SELECT state FROM effect WHERE delivery_id=%lld AND effect=%d",
		(long long)delivery, effect);
}

/* --- what a segment has come to (contracts/sms.md 1.4: a final state is not overwritten by a non-final one) ------------------- */

static void a_report_from_the_way_that_comes_late_takes_no_end_back(void **state)
{
	static const int late[] = { LT_RC_TRANSIT, LT_UNKNOWN, LT_ACCEPTED };

	(void)state;
	for (int i = 0; i < 3; i++) {
		char a[16], b[16];
		(void)snprintf(a, sizeof(a), "a%d\n", i);
		(void)snprintf(b, sizeof(b), "b%d\n", i);
		two_segments(i + 1, LT_ACCEPTED, (char[]){ 'a', (char)('0' + i), 0 },
			(char[]){ 'b', (char)('0' + i), 0 });
		report(LT_RC_DELIVERED, a);
		report(late[i], a);
		assert_int_equal(segment(i + 1, 0), LT_RC_DELIVERED);
		assert_int_equal(state_of(i + 1), DLV_ACCEPTED);
		report(LT_RC_DELIVERED, b);
		assert_int_equal(state_of(i + 1), DLV_DELIVERED);
	}
	assert_int_equal(number("SELECT count(*) FROM receipt"), 9); /* each is kept as a fact */
}

static void what_is_on_its_way_comes_to_its_end_and_a_failure_is_corrected(void **state)
{
	(void)state;
	two_segments(1, LT_ACCEPTED, "a", "b");
	report(LT_RC_TRANSIT, "a\n");
	assert_int_equal(segment(1, 0), LT_RC_TRANSIT);
	report(LT_RC_FAILED, "a\n");
	assert_int_equal(segment(1, 0), LT_RC_FAILED);
	assert_int_equal(state_of(1), DLV_FAILED);
	report(LT_RC_TRANSIT, "a\n");
	assert_int_equal(segment(1, 0), LT_RC_FAILED);
	report(LT_RC_DELIVERED, "b\n");
	assert_int_equal(state_of(1), DLV_FAILED);
	report(LT_RC_DELIVERED, "a\n"); /* failed, then delivered: allowed, and on record */
	assert_int_equal(segment(1, 0), LT_RC_DELIVERED);
	assert_int_equal(state_of(1), DLV_DELIVERED);
	assert_int_equal(number("SELECT count(*) FROM audit WHERE what='delivery.correct'"), 1);
}

static void a_late_answer_takes_no_end_of_a_segment_back(void **state)
{
	struct sq_receipt c;

	(void)state;
	two_segments(1, LT_UNKNOWN, "a", "");
	assert_int_equal(state_of(1), DLV_UNKNOWN);
	report(LT_RC_DELIVERED, "a\n");
	assert_int_equal(state_of(1), DLV_UNKNOWN); /* of the other one nobody knows */
	told(&c, LT_ACCEPTED, "a\nb\n", 1);
	assert_int_equal(state_of(1), DLV_ACCEPTED);
	assert_int_equal(segment(1, 0), LT_RC_DELIVERED);
	report(LT_RC_DELIVERED, "b\n");
	assert_int_equal(state_of(1), DLV_DELIVERED);
}

static void the_same_again_without_a_time_of_the_provider_is_kept_once(void **state)
{
	(void)state;
	two_segments(1, LT_ACCEPTED, "a", "b");
	for (int i = 0; i < 3; i++) {
		report(LT_RC_DELIVERED, "a\n");
		report(LT_RC_DELIVERED, "nobody\n");
		ts.wall_ms += 30000;
	}
	assert_int_equal(number("SELECT count(*) FROM receipt"), 1);
	assert_int_equal(number("SELECT count(*) FROM orphan"), 1);
}

/* --- pruning ----------------------------------------------------------------------------------------------------------------- */

/* 900 ids on each of two days that are over and on one that is not, in both lanes; many have one id. */
static void ids_of_days_that_are_over_go_in_chunks_and_all_of_them(void **state)
{
	int64_t today = ts.wall_ms / 86400000;
	int turns = 0;

	(void)state;
	run("WITH RECURSIVE k(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM k WHERE i<5399) INSERT INTO "
	    "ref(lane_id, day, provider_id, delivery_id, effect) SELECT 1+i%%2, %lld-(i/2)%%3, "
	    "printf('%%x', i/600), i, 0 FROM k",
		(long long)today);
	for (bool left = true; left; turns++) {
		struct sq_jobs_prune c = {
			.channel = "sms", .refs_before_ms = today * 86400000, .inbound_max = 1000
		};
		sq_jobs_prune_init(&c);
		ts.look_us = 200; /* its time is over after a few chunks */
		assert_int_equal(teststore_do(&ts, &c.cmd), 0);
		assert_true(c.ret_rows <= 2000);
		left = c.left;
		assert_in_range(turns, 0, 100);
	}
	ts.look_us = 0;
	assert_true(turns > 3);
	assert_int_equal(number("SELECT count(*) FROM ref"), 1800);
	assert_int_equal(number("SELECT count(*) FROM ref WHERE day=%lld", (long long)today), 1800);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_report_from_the_way_that_comes_late_takes_no_end_back),
		T(what_is_on_its_way_comes_to_its_end_and_a_failure_is_corrected),
		T(a_late_answer_takes_no_end_of_a_segment_back),
		T(the_same_again_without_a_time_of_the_provider_is_kept_once),
		T(ids_of_days_that_are_over_go_in_chunks_and_all_of_them),
	};
	return cmocka_run_group_tests_name("store/receipt", tests, NULL, NULL);
}
