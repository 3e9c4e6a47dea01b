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
static void accepted(int64_t delivery, int64_t lane, const char *id)
{
	struct lt_id one = seg(0, LT_ACCEPTED, id);

	answered(delivery, lane, LT_ACCEPTED, &one, 1);
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
/* A report that names the phone of a delivery, and when. */
static void report_of(int state, const char *id, int64_t phone_of, int64_t at_ms)
{
	struct sq_receipt c;
	char address[20], ids[80];

	(void)snprintf(address, sizeof(address), "84912345%03lld", (long long)phone_of);
	(void)snprintf(ids, sizeof(ids), "%s\n@%016llx\n", id,
		(unsigned long long)sq_receipt_phone(str_of(address)));
	memset(&c, 0, sizeof(c));
	c.account_id = 1;
	c.channel_id = 1;
	c.ids = ids;
	c.state = state;
	c.final = state != LT_RC_TRANSIT;
	c.at_given = at_ms != 0;
	c.at_ms = at_ms ? at_ms : ts.wall_ms;
	c.retry_ms = 10000;
	c.give_up_ms = ts.wall_ms + 600000;
	sq_receipt_init(&c);
	assert_int_equal(teststore_do(&ts, &c.cmd), 0);
}
/* Both go to the phone of the first. */
static void same_phone(int64_t first, int64_t second)
{
	run("UPDATE delivery SET contact_id=%lld, once=1042 WHERE id=%lld", (long long)first,
		(long long)second);
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

/* After a restore the daemon does not know that it has sent it, and then the provider does: it takes no second one, and says no id. */
static void a_report_that_came_while_it_waited_counts_when_the_provider_has_it(void **state)
{
	struct sq_receipt c;

	(void)state;
	run("UPDATE delivery SET state=0 WHERE id<=3");
	told(&c, LT_RC_DELIVERED, "e-50\n", 1);
	told(&c, LT_RC_FAILED, "e-51\n", 2);
	assert_int_equal(state_of(1), DLV_WAITING); /* beside the state, for who looks */
	run("UPDATE delivery SET state=1 WHERE id<=3");
	for (int64_t i = 1; i <= 3; i++)
		answered(i, 1, LT_ACCEPTED, NULL, 0);
	assert_int_equal(state_of(1), DLV_DELIVERED);
	assert_int_equal(state_of(2), DLV_ACCEPTED);
	assert_int_equal(state_of(3), DLV_ACCEPTED);
	run("UPDATE lot SET n0=0, n1=(SELECT count(*) FROM delivery WHERE state=1), n2=2, n3=1");
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

static void a_segment_that_was_seen_has_arrived_too(void **state)
{
	(void)state;
	two_segments(1, LT_ACCEPTED, "a", "b");
	report(LT_RC_SEEN, "a\n");
	assert_int_equal(segment(1, 0), LT_RC_SEEN);
	assert_int_equal(state_of(1), DLV_ACCEPTED);
	report(LT_RC_DELIVERED, "b\n");
	assert_int_equal(state_of(1), DLV_DELIVERED);
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

/* "Part of it is on its way" is what was known already: the other part was refused, or nobody knows of it. */
static void one_segment_on_its_way_does_not_settle_the_whole(void **state)
{
	static const int other[] = { LT_UNKNOWN, LT_REFUSED, LT_DEFERRED };

	(void)state;
	for (int i = 0; i < 3; i++) {
		char id[] = { 'k', (char)('0' + i), 0 }, line[] = { 'k', (char)('0' + i), '\n', 0 };
		struct lt_id ids[] = { seg(0, LT_ACCEPTED, id), seg(1, other[i], "") };
		answered(i + 1, 1, LT_UNKNOWN, ids, 2);
		report(LT_RC_TRANSIT, line);
		assert_int_equal(state_of(i + 1), DLV_UNKNOWN);
		assert_int_equal(segment(i + 1, 0), LT_RC_TRANSIT);
	}
	answered(9, 1, LT_UNKNOWN, NULL, 0); /* a text of one segment, found by our own reference */
	struct sq_receipt c;
	told(&c, LT_RC_TRANSIT, "", 9);
	assert_int_equal(state_of(9), DLV_ACCEPTED);
}

static int orphan_copy(void *ctx, const struct sq_receipt *o)
{
	*(struct sq_receipt *)ctx = *o;
	return 0;
}

/* The disk was full, the commands waited, and what waits was read once more: the second command comes when the number is another's. */
static void an_early_report_that_was_read_twice_takes_no_other_one_away(void **state)
{
	struct sq_receipt first, again;
	struct store_reader *r;

	(void)state;
	report(LT_RC_DELIVERED, "early\n");
	assert_int_equal(store_reader_get(ts.s, &r), 0);
	assert_int_equal(reader_begin(r), 0);
	assert_int_equal(sq_read_orphans(r, ts.wall_ms + 20000, 9, orphan_copy, &first), 0);
	reader_end(r);
	store_reader_put(ts.s, r);
	first.ids = "early\n";
	again = first;
	accepted(1, 1, "early");
	assert_int_equal(teststore_do(&ts, &first.cmd), 0);
	assert_int_equal(state_of(1), DLV_DELIVERED);
	report(LT_RC_DELIVERED, "other\n");
	assert_int_equal(number("SELECT id FROM orphan"), again.orphan_id);
	assert_int_equal(teststore_do(&ts, &again.cmd), 0);
	assert_int_equal(number("SELECT count(*) FROM orphan WHERE ids LIKE 'other%%'"), 1);
	again.ids = "nobody\n"; /* and where it is given up */
	again.give_up_ms = 0;
	assert_int_equal(teststore_do(&ts, &again.cmd), 0);
	assert_int_equal(number("SELECT count(*) FROM orphan WHERE ids LIKE 'other%%'"), 1);
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

/* --- whose an id is (contracts/sms.md 1.4: a unique hit on the same route with the same recipient) ---------------------------- */

static void an_id_that_many_texts_have_is_told_apart_by_the_phone(void **state)
{
	(void)state;
	for (int64_t i = 1; i <= 7; i++) /* a server that counts its ids in each session */
		accepted(i, 1 + i % 2, "1");
	for (int64_t i = 1; i <= 7; i++) {
		report_of(LT_RC_DELIVERED, "1", i, 0);
		assert_int_equal(state_of(i), DLV_DELIVERED);
		assert_int_equal(number("SELECT count(*) FROM delivery WHERE state=3"), i);
	}
	accepted(8, 1, "1");
	ts.wall_ms += 86400000; /* another day */
	accepted(9, 1, "1");
	report_of(LT_RC_FAILED, "1", 8, 0);
	report_of(LT_RC_DELIVERED, "1", 9, 0);
	assert_int_equal(state_of(8), DLV_FAILED);
	assert_int_equal(state_of(9), DLV_DELIVERED);
	assert_int_equal(number("SELECT count(*) FROM orphan"), 0);
}

static void without_a_phone_an_id_that_several_have_is_nobodys(void **state)
{
	(void)state;
	accepted(1, 1, "x");
	accepted(2, 1, "x");
	report(LT_RC_DELIVERED, "x\n");
	report_of(LT_RC_DELIVERED, "x", 3, 0); /* and a third phone's */
	assert_int_equal(number("SELECT count(*) FROM delivery WHERE state=2"), 2);
	assert_int_equal(number("SELECT count(*) FROM orphan"), 2);
}

static void two_texts_to_one_phone_with_one_id_are_settled_each_once(void **state)
{
	(void)state;
	same_phone(1, 2);
	accepted(1, 1, "5");
	ts.wall_ms += 3600000;
	accepted(2, 1, "5");
	report_of(LT_RC_DELIVERED, "5", 1,
		ts.wall_ms); /* the last one that went is what the server has */
	assert_int_equal(state_of(1), DLV_ACCEPTED);
	assert_int_equal(state_of(2), DLV_DELIVERED);
	report_of(LT_RC_DELIVERED, "5", 1,
		ts.wall_ms); /* the same again is not about the other one */
	assert_int_equal(state_of(1), DLV_ACCEPTED);
	assert_int_equal(number("SELECT count(*) FROM receipt"), 1);
	report_of(LT_RC_DELIVERED, "5", 1, ts.wall_ms + 60000);
	assert_int_equal(state_of(1), DLV_DELIVERED);
	report_of(LT_RC_DELIVERED, "5", 1,
		ts.wall_ms + 60000); /* all are over: still the same again */
	assert_int_equal(number("SELECT count(*) FROM receipt"), 2);
}

static void our_own_reference_says_which_of_them(void **state)
{
	struct sq_receipt c;

	(void)state;
	two_segments(1, LT_ACCEPTED, "7", "8");
	two_segments(2, LT_ACCEPTED, "9", "7");
	told(&c, LT_RC_DELIVERED, "7\n", 2);
	assert_int_equal(segment(2, 1), LT_RC_DELIVERED);
	assert_int_equal(segment(1, 0), LT_ACCEPTED);
	told(&c, LT_RC_DELIVERED, "9\n", 2);
	assert_int_equal(state_of(2), DLV_DELIVERED);
	assert_int_equal(state_of(1), DLV_ACCEPTED);
}

/* More of one id than are looked through: the newest are. */
static void an_id_that_hundreds_have_is_looked_for_among_the_newest(void **state)
{
	(void)state;
	accepted(1, 1, "0");
	run("WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM k WHERE i<500) INSERT INTO "
	    "ref(lane_id, day, provider_id, delivery_id, effect) SELECT 1, %lld, '0', 10+i%%10, i FROM k",
		(long long)(ts.wall_ms / 86400000 - 1));
	report_of(LT_RC_DELIVERED, "0", 1, 0);
	assert_int_equal(state_of(1), DLV_DELIVERED);
	report_of(LT_RC_DELIVERED, "0", 3, 0);
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
		T(a_report_that_came_while_it_waited_counts_when_the_provider_has_it),
		T(a_report_from_the_way_that_comes_late_takes_no_end_back),
		T(what_is_on_its_way_comes_to_its_end_and_a_failure_is_corrected),
		T(a_late_answer_takes_no_end_of_a_segment_back),
		T(a_segment_that_was_seen_has_arrived_too),
		T(one_segment_on_its_way_does_not_settle_the_whole),
		T(an_early_report_that_was_read_twice_takes_no_other_one_away),
		T(the_same_again_without_a_time_of_the_provider_is_kept_once),
		T(an_id_that_many_texts_have_is_told_apart_by_the_phone),
		T(without_a_phone_an_id_that_several_have_is_nobodys),
		T(two_texts_to_one_phone_with_one_id_are_settled_each_once),
		T(our_own_reference_says_which_of_them),
		T(an_id_that_hundreds_have_is_looked_for_among_the_newest),
		T(ids_of_days_that_are_over_go_in_chunks_and_all_of_them),
	};
	return cmocka_run_group_tests_name("store/receipt", tests, NULL, NULL);
}
