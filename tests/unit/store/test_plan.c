/* test_plan.c - chunks: bounded, resumable after a crash at any border, counters exact; audiences as SQL; resolving. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "base/assert.h"
#include "base/json.h"
#include "lib/teststore.h"
#include "store/store_plan.h"

static struct teststore ts;
static int64_t ticks; /* each look at the clock costs four milliseconds, so that chunks end */

static int64_t tick(void *ctx)
{
	UNUSED(ctx);
	return ticks += 4000;
}

static void sql(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void sql(const char *fmt, ...)
{
	char text[2000];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	assert_int_equal(teststore_exec(&ts, text), 0);
}

static struct hash manifest;

/* Two offices below a centre; every contact is at the first; every tenth also at the second, which is deeper. */
static void rows(int n)
{
	char hex[HASH_HEX];
	hash_bytes(&manifest, "m", 1);
	hash_hex(&manifest, hex);
	sql("INSERT INTO vars VALUES(zeroblob(32), '{}')");
	sql("INSERT INTO office(id, code, parent_id, depth, ord, region, lang, vars_hash) VALUES(1,'c',NULL,0,'0','x','vi',zeroblob(32)),"
	    "(2,'a',1,1,'1','bac','vi',zeroblob(32)),(3,'b',2,2,'2','nam','vi',zeroblob(32))");

	sql("INSERT INTO channel(id, name, adapter) VALUES(1,'mail','fake')");
	sql("INSERT INTO account(id, channel_id, name) VALUES(1,1,'relay')");
	sql("INSERT INTO lane(id, account_id, class, gate, tokens, tokens_at) VALUES(1,1,'',0,0,0)");
	sql("INSERT INTO tag(id, name) VALUES(1,'press'),(2,'vip')");
	sql("INSERT INTO list(id, name) VALUES(1,'news')");
	sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<%d) INSERT INTO contact(id, kind, address, form, class) "
	    "SELECT i, 1, i || '@example', 'mailbox', '' FROM n",
		n);
	sql("INSERT INTO target(contact_id, lane_id, office_id, lang, flags, seen_import) SELECT id, 1, 2, 'vi', 0, 1 FROM contact");
	sql("INSERT INTO target(contact_id, lane_id, office_id, lang, flags, seen_import) SELECT id, 1, 3, 'en', 2, 1 FROM contact WHERE id%%10=0");
	sql("INSERT INTO target_tag SELECT 1, id FROM target WHERE contact_id%%2=0");
	sql("INSERT INTO target_tag SELECT 2, id FROM target WHERE contact_id%%3=0 AND office_id=2");
	sql("INSERT INTO list_target SELECT 1, id FROM target WHERE contact_id<=5");
	sql("INSERT INTO release(id, year, code, state, rev_newest, rev_approved, prio, category, kind, title) VALUES(1,2026,'R',2,1,1,1,1,1,'t')");
	sql("INSERT INTO manifest(hash, release_id, rev, format, body, made) VALUES(X'%s',1,1,1,X'00',0)",
		hex);
	sql("INSERT INTO part(release_id, rev, part, name, state) VALUES(1,1,1,'p',0)");
	sql("INSERT INTO job(kind, subject, next, arg) VALUES(1,1,0,'%s')", hex);
}

static int open_with(int n, bool real)
{
	memset(&ts, 0, sizeof(ts));
	ticks = 0;
	ts.real_time = real;
	assert_int_equal(teststore_make(&ts), 0);
	if (!real)
		ts.opts.mono_us = tick;
	assert_int_equal(teststore_start(&ts), 0);
	rows(n);
	return 0;
}

static int open_small(void **state)
{
	UNUSED(state);
	return open_with(100, false);
}

static int open_large(void **state)
{
	UNUSED(state);
	return open_with(30000, false);
}

static int close_store(void **state)
{
	UNUSED(state);
	teststore_close(&ts);
	return 0;
}

static const struct plan_pair pairs[] = { { 1, 3, 2, 1 }, { 1, 2, 1, 1 } };

static struct plan_pair_cmd pair_cmd(const char *where)
{
	struct plan_pair_cmd c = {
		.lot = { .release_id = 1, .part = 1, .manifest = manifest, .prio = 1 },
		.where = where,
		.pairs = pairs,
		.n = 2
	};
	plan_pair_prepare(&c);
	return c;
}

/* From the cursor on, as after a restart. */
static void resume(struct plan_pair_cmd *c)
{
	struct plan_cursor at = { 0 };
	struct hash h;
	struct store_reader *r = teststore_reader(&ts);
	assert_int_equal(plan_cursor_get(reader_db(r), 1, &h, &at), 0);
	teststore_reader_end(&ts, r);
	assert_int_equal(hash_cmp(&h, &manifest), 0);
	for (size_t i = 0; i < 2; i++)
		if (at.part == 1 && pairs[i].office_id == at.office_id &&
			pairs[i].lane_id == at.lane_id) {
			c->at = i;
			c->contact = at.contact;
		}
}

static void expect_planned(int64_t n, int64_t deep)
{
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM delivery"), n);
	assert_int_equal(teststore_i64(&ts, "SELECT count(DISTINCT contact_id) FROM delivery"), n);
	assert_int_equal(teststore_i64(&ts, "SELECT sum(n0) FROM lot"), n);
	assert_int_equal(teststore_i64(&ts, "SELECT n0 FROM lot WHERE office_id=3"), deep);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM lot l WHERE n0<>(SELECT count(*) FROM delivery WHERE lot_id=l.id)"),
		0);
}

static void planning_goes_on_after_a_crash_between_any_two_chunks(void **state)
{
	UNUSED(state);
	int chunks = 0;
	struct plan_pair_cmd c = pair_cmd("1");
	while (c.at < c.n) {
		c = pair_cmd("1"); /* all memory is gone */
		resume(&c);
		assert_int_equal(teststore_do(&ts, &c.cmd), 0);
		assert_false(c.stale);
		teststore_kill(&ts);
		assert_int_equal(teststore_start(&ts), 0);
		assert_true(++chunks < 1000);
	}
	assert_true(chunks > 3);
	expect_planned(30000, 3000);
}

static void planning_again_adds_nothing(void **state)
{
	UNUSED(state);
	for (int turn = 0; turn < 2; turn++) {
		struct plan_pair_cmd c = pair_cmd("1");
		while (c.at < c.n)
			assert_int_equal(teststore_do(&ts, &c.cmd), 0);
		expect_planned(30000, 3000);
	}
}

static void a_chunk_under_another_manifest_is_stale(void **state)
{
	UNUSED(state);
	struct plan_pair_cmd c = pair_cmd("1");
	memset(&c.lot.manifest, 9, sizeof(c.lot.manifest));
	assert_int_equal(teststore_do(&ts, &c.cmd), 0);
	assert_true(c.stale);
	sql("UPDATE release SET state=5");
	c = pair_cmd("1");
	assert_int_equal(teststore_do(&ts, &c.cmd), 0);
	assert_true(c.stale);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM delivery"), 0);
}

static void clearing_takes_what_was_never_tried_and_keeps_the_rest(void **state)
{
	UNUSED(state);
	struct plan_pair_cmd c = pair_cmd("1");
	while (c.at < c.n)
		assert_int_equal(teststore_do(&ts, &c.cmd), 0);
	sql("UPDATE delivery SET state=2, tries=1 WHERE contact_id=7");
	sql("UPDATE delivery SET tries=1 WHERE contact_id=8");
	sql("UPDATE lot SET n0=n0-1, n2=1 WHERE office_id=2");
	struct plan_clear_cmd clear = { .release_id = 1, .left = true };
	plan_clear_prepare(&clear);
	for (int i = 0; clear.left; i++) {
		assert_int_equal(teststore_do(&ts, &clear.cmd), 0);
		assert_true(i < 1000);
	}
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM delivery WHERE lot_id<>0"), 2);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM lot"), 1);
	assert_int_equal(teststore_i64(&ts, "SELECT n0 FROM lot"), 1);
}

/* A backup of before the clearing has the rows under these numbers: nobody else's copy may go out under one of them meanwhile. */
static void numbers_of_a_plan_that_was_cleared_are_not_given_again(void **state)
{
	UNUSED(state);
	for (int64_t last = 0, plans = 1; plans <= 3; plans++) {
		struct plan_pair_cmd c = pair_cmd("1");
		while (c.at < c.n)
			assert_int_equal(teststore_do(&ts, &c.cmd), 0);
		assert_true(
			teststore_i64(&ts, "SELECT min(id) FROM delivery WHERE lot_id<>0") > last);
		last = teststore_i64(&ts, "SELECT max(id) FROM delivery");
		struct plan_clear_cmd clear = { .release_id = 1, .left = true };
		plan_clear_prepare(&clear);
		for (int i = 0; clear.left && i < 1000; i++)
			assert_int_equal(teststore_do(&ts, &clear.cmd), 0);
		assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM delivery"), 1);
		assert_int_equal(teststore_i64(&ts, "SELECT max(id) FROM delivery"), last);
	}
}

static void a_list_is_planned_as_the_pairs_are(void **state)
{
	UNUSED(state);
	struct resolve_winner w[100];
	for (int i = 0; i < 100; i++) {
		int64_t id = i + 1;
		bool deep = id % 10 == 0;
		w[i] = (struct resolve_winner){ id, deep ? 100 + id / 10 : id, 1, deep ? 3 : 2,
			deep ? 2 : 1, 1 };
	}
	struct plan_list_cmd c = {
		.lot = { .release_id = 1, .part = 1, .manifest = manifest, .spread_ms = 60000 },
		.winners = w,
		.n = 100
	};
	plan_list_prepare(&c);
	while (c.at < c.n)
		assert_int_equal(teststore_do(&ts, &c.cmd), 0);
	expect_planned(100, 10);
	int64_t sum = teststore_i64(&ts, "SELECT sum(due) FROM delivery");
	struct plan_clear_cmd clear = { .release_id = 1 };
	plan_clear_prepare(&clear);
	assert_int_equal(teststore_do(&ts, &clear.cmd), 0);
	struct plan_pair_cmd p = pair_cmd("1");
	p.lot.spread_ms = 60000;
	while (p.at < p.n)
		assert_int_equal(teststore_do(&ts, &p.cmd), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT sum(due) FROM delivery"),
		sum); /* the same moments both ways */
}

/* --- audiences ------------------------------------------------------------------------------------------------------------------- */

static int64_t count(const char *rule, bool driven)
{
	struct audience_sql a;
	struct err e = { 0 };
	struct buf q CLEANUP_BUF;
	sqlite3_stmt *st;
	audience_sql_init(&a);
	buf_init(&q, 100000);
	struct store_reader *r = teststore_reader(&ts);
	int rc = audience_sql_add_rule(reader_db(r), &a, str_of(rule), &e);
	if (rc < 0)
		print_message("%s\n", e.text);
	assert_int_equal(rc, 0);
	if (driven)
		buf_addf(&q,
			"SELECT count(*) FROM (%s) d CROSS JOIN target t ON t.id=d.id WHERE %s",
			audience_sql_driver(&a), audience_sql_where(&a));
	else
		buf_addf(&q, "SELECT count(*) FROM target t WHERE %s", audience_sql_where(&a));
	assert_int_equal(db_prepare(reader_db(r), buf_z(&q), &st), 0);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	int64_t n = col_i64(st, 0);
	sqlite3_finalize(st);
	teststore_reader_end(&ts, r);
	audience_sql_done(&a);
	return n;
}

static void rules_select_what_they_say_both_ways(void **state)
{
	UNUSED(state);
	static const struct {
		const char *rule;
		int64_t n;
		bool drives;
	} row[] = {
		{ "{\"any\":[{\"tag\":\"press\"}]}", 60, true },
		{ "{\"any\":[{\"tag\":[\"press\",\"vip\"]}]}", 77, true },
		{ "{\"any\":[{\"tag\":\"press\",\"office\":\"a\"}]}", 50, true },
		{ "{\"any\":[{\"under\":\"a\"}]}", 110, true },
		{ "{\"any\":[{\"office\":\"a\"}]}", 100, true },
		{ "{\"any\":[{\"region\":\"nam\"},{\"list\":\"news\"}]}", 15, true },
		{ "{\"any\":[{\"under\":\"c\"}],\"not\":[{\"tag\":\"press\"}]}", 50, true },
		{ "{\"any\":[{\"lang\":\"en\"}]}", 10, false },
		{ "{\"broad\":true}", 110, false },
		{ "{\"broad\":true,\"not\":[{\"lang\":\"en\"}]}", 100, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		assert_int_equal(count(row[i].rule, false), row[i].n);
		if (row[i].drives)
			assert_int_equal(count(row[i].rule, true), row[i].n);
	}
}

static void a_name_that_nobody_has_is_told_and_selects_nobody(void **state)
{
	UNUSED(state);
	struct audience_sql a;
	struct err e = { 0 };
	audience_sql_init(&a);
	struct store_reader *r = teststore_reader(&ts);
	assert_int_equal(
		audience_sql_add_rule(reader_db(r), &a, STR("{\"any\":[{\"tag\":\"pres\"}]}"), &e),
		0);
	assert_string_equal(a.unknown, "tag 'pres'");
	const char *names[] = { "nobody" };
	assert_int_equal(audience_sql_named(reader_db(r), &a, names, 1, &e), -ENOENT);
	teststore_reader_end(&ts, r);
	audience_sql_done(&a);
	assert_int_equal(count("{\"any\":[{\"tag\":\"pres\"}]}", false), 0);
}

/* --- resolving: small and paged give the same -------------------------------------------------------------------------------------- */

static int resolve_as(const char *rule, bool large, struct resolve_out **ret)
{
	static struct plan_offices offices;
	struct audience_sql a;
	struct err e = { 0 };
	audience_sql_init(&a);
	struct store_reader *r = teststore_reader(&ts);
	assert_int_equal(audience_sql_add_rule(reader_db(r), &a, str_of(rule), &e), 0);
	assert_int_equal(plan_offices_get(reader_db(r), 1, &offices), 0);
	struct resolve_part part = { .kinds = BIT(KIND_EMAIL), .rule = &a };
	struct resolve_ask ask = { .parts = &part,
		.n_parts = 1,
		.offices = &offices,
		.contacts = true,
		.winners = true,
		.large = large };
	int rc = plan_resolve(reader_db(r), &ask, ret, &e);
	teststore_reader_end(&ts, r);
	plan_offices_done(&offices);
	audience_sql_done(&a);
	return rc;
}

static struct resolve_out *resolve(const char *rule)
{
	struct resolve_out *out = NULL;
	assert_int_equal(resolve_as(rule, true, &out), 0);
	return out;
}

static void resolving_counts_each_contact_once_at_its_nearest_office(void **state)
{
	UNUSED(state);
	static const char *const rules[] = { "{\"any\":[{\"under\":\"c\"}]}",
		"{\"broad\":true}" }; /* driven; page by page */
	for (size_t i = 0; i < 2; i++) {
		struct resolve_out *o = resolve(rules[i]);
		assert_int_equal(o->kind[0][KIND_EMAIL].n, 30000);
		assert_int_equal(o->kind[0][KIND_EMAIL].offices, 2);
		assert_int_equal(o->kind[0][KIND_EMAIL].not_internal, 27000);
		assert_int_equal(o->n_groups, 2);
		assert_int_equal(o->groups[0].n + o->groups[1].n, 30000);
		assert_int_equal(o->groups[1].office_id, 3);
		assert_int_equal(o->groups[1].n, 3000);
		assert_int_equal(o->n_contacts, 0); /* over 10,000: no list */
		assert_true(o->winners_over);
		resolve_out_free(o);
	}
}

static void what_should_be_short_resolves_no_large_audience(void **state)
{
	UNUSED(state);
	static const char *const rules[] = { "{\"any\":[{\"under\":\"c\"}]}", "{\"broad\":true}" };
	struct resolve_out *o = NULL;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(resolve_as(rules[i], false, &o), -EOVERFLOW);
		assert_null(o);
	}
	assert_int_equal(resolve_as("{\"any\":[{\"tag\":\"nobody\"}]}", false, &o), 0);
	resolve_out_free(o);
	sql("DELETE FROM target WHERE id NOT IN (SELECT id FROM target LIMIT 20000)");
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(resolve_as(rules[i], false, &o), 0);
		resolve_out_free(o);
	}
}

static void both_ways_of_resolving_make_the_same_list(void **state)
{
	UNUSED(state);
	struct resolve_out *a = resolve("{\"any\":[{\"under\":\"c\"}]}"),
			   *b = resolve("{\"broad\":true}");
	assert_int_equal(a->n_contacts, 100);
	assert_int_equal(b->n_contacts, 100);
	assert_int_equal(hash_cmp(&a->kind[0][KIND_EMAIL].list, &b->kind[0][KIND_EMAIL].list), 0);
	assert_int_equal(a->n_winners, 100);
	assert_int_equal(a->winners[0].office_id, 3); /* the deepest first */
	resolve_out_free(a);
	resolve_out_free(b);
}

static void targets_of_an_import_under_way_are_not_there_yet(void **state)
{
	UNUSED(state);
	sql("UPDATE target SET flags=flags|4, seen_import=7 WHERE office_id=2 AND contact_id>50");
	sql("UPDATE target SET flags=1 WHERE office_id=3 AND contact_id=10");
	sql("INSERT INTO job(kind, subject, next) VALUES(2, 7, 0)");
	static const char *const rules[] = { "{\"any\":[{\"under\":\"c\"}]}", "{\"broad\":true}" };
	for (int turn = 0; turn < 2; turn++) {
		for (size_t i = 0; i < 2; i++) {
			struct resolve_out *o = resolve(rules[i]);
			assert_int_equal(o->kind[0][KIND_EMAIL].n, turn ? 100 : 55);
			resolve_out_free(o);
		}
		struct plan_pair_cmd c = pair_cmd("1");
		while (c.at < c.n)
			assert_int_equal(teststore_do(&ts, &c.cmd), 0);
		assert_int_equal(
			teststore_i64(&ts, "SELECT count(*) FROM delivery"), turn ? 100 : 55);
		sql("DELETE FROM job WHERE kind=2");
	}
}

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void chunks_of_a_large_plan_stay_short(void **state)
{
	UNUSED(state);
	const char *want = getenv(
		"LANTOA_PLAN_ROWS"); /* a million by hand; 100,000 in the run of all tests */
	int n = want && strlen(want) < 8 ? (int)strtol(want, NULL, 10) : 100000;
	open_with(n, true);
	double before = now_s();
	for (int i = 0; i < 2; i++)
		resolve_out_free(
			resolve(i ? "{\"broad\":true}" : "{\"any\":[{\"tag\":\"press\"}]}"));
	print_message("resolved %d twice in %.0f ms\n", n, (now_s() - before) * 1e3);
	struct plan_pair_cmd c = pair_cmd("1");
	double from = now_s(), in = 0, longest = 0;
	int chunks = 0;
	while (c.at < c.n) {
		double t = now_s();
		assert_int_equal(teststore_do(&ts, &c.cmd), 0);
		t = now_s() - t;
		in += t;
		longest = t > longest ? t : longest;
		chunks++;
	}
	expect_planned(n, n / 10);
	print_message(
		"planned %d in %.0f ms: %d chunks, the longest %.1f ms with its commit, %.0f a second\n",
		n, (now_s() - from) * 1e3, chunks, longest * 1e3, n / in);
	assert_true(chunks > 1);
	teststore_close(&ts);
}

#define T(name, open) cmocka_unit_test_setup_teardown(name, open, close_store)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(planning_goes_on_after_a_crash_between_any_two_chunks, open_large),
		T(planning_again_adds_nothing, open_large),
		T(a_chunk_under_another_manifest_is_stale, open_small),
		T(clearing_takes_what_was_never_tried_and_keeps_the_rest, open_small),
		T(numbers_of_a_plan_that_was_cleared_are_not_given_again, open_small),
		T(a_list_is_planned_as_the_pairs_are, open_small),
		T(rules_select_what_they_say_both_ways, open_small),
		T(a_name_that_nobody_has_is_told_and_selects_nobody, open_small),
		T(resolving_counts_each_contact_once_at_its_nearest_office, open_large),
		T(what_should_be_short_resolves_no_large_audience, open_large),
		T(both_ways_of_resolving_make_the_same_list, open_small),
		T(targets_of_an_import_under_way_are_not_there_yet, open_small),
		cmocka_unit_test(chunks_of_a_large_plan_stay_short),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
