/* test_plans.c - the plans of the hot statements, pinned: each uses the index that was made for it and none walks deliveries.
 * SQLite 3.40 uses a partial index only where the query has the same literal, so these are the statements as they are used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "../../lib/teststore.h"
#include "base/assert.h"
#include "base/buf.h"
#include "store/store_internal.h"

static struct teststore ts;

static int setup(void **state)
{
	(void)state;
	return teststore_open(&ts);
}

static int teardown(void **state)
{
	(void)state;
	teststore_close(&ts);
	return 0;
}

/* Whether an index covers the statement is not what is pinned here. */
static void detail_add(struct buf *ret, const char *detail)
{
	const char *covering = strstr(detail, "COVERING ");

	if (covering)
		buf_addf(ret, "%.*s%s; ", (int)(covering - detail), detail, covering + 9);
	else
		buf_addf(ret, "%s; ", detail);
}

static void plan_of(const char *sql, struct buf *ret)
{
	struct store_reader *r = teststore_reader(&ts);
	sqlite3_stmt *st = NULL;
	char text[2000];

	buf_init(ret, 10000);
	(void)snprintf(text, sizeof(text), "EXPLAIN QUERY PLAN %s", sql);
	if (db_prepare(reader_db(r), text, &st) < 0)
		fail_msg("%s: %s", sql, db_message(reader_db(r)));
	while (sqlite3_step(st) == SQLITE_ROW)
		detail_add(ret, col_z(st, 3));
	sqlite3_finalize(st);
	teststore_reader_end(&ts, r);
}

struct pinned {
	const char *sql, *uses;
};
static const struct pinned hot[] = {
	/* claims */
	{ "SELECT id, contact_id, target_id, tries FROM delivery INDEXED BY delivery_due WHERE state=0 AND "
	  "lot_id=?1 AND due<=?2 ORDER BY due LIMIT ?3",
		"SEARCH delivery USING INDEX delivery_due (lot_id=? AND due<?)" },
	/* recovery */
	{ "SELECT id, lot_id, tries FROM delivery INDEXED BY delivery_sending WHERE state=1",
		"USING INDEX delivery_sending" },
	{ "SELECT id, lot_id FROM delivery INDEXED BY delivery_unknown WHERE state=8 AND lot_id=?1 ORDER BY due",
		"SEARCH delivery USING INDEX delivery_unknown (lot_id=?)" },
	{ "SELECT id FROM delivery INDEXED BY delivery_held WHERE state=9 AND lot_id=?1 ORDER BY id",
		"SEARCH delivery USING INDEX delivery_held (lot_id=?)" },
	/* outcomes and intents */
	{ "UPDATE delivery SET state=?2, due=?3 WHERE id=?1 AND state=1 AND tries=?4",
		"SEARCH delivery USING INTEGER PRIMARY KEY (rowid=?)" },
	{ "UPDATE delivery SET state=1, tries=tries+1 WHERE id=?1 AND state=0",
		"SEARCH delivery USING INTEGER PRIMARY KEY (rowid=?)" },
	{ "UPDATE lot SET n0=n0+?2, n1=n1+?3 WHERE id=?1",
		"SEARCH lot USING INTEGER PRIMARY KEY (rowid=?)" },
	{ "UPDATE lane SET tokens=?2, tokens_at=?3 WHERE id=?1",
		"SEARCH lane USING INTEGER PRIMARY KEY (rowid=?)" },
	{ "SELECT outcome FROM attempt WHERE delivery_id=?1 ORDER BY try",
		"SEARCH attempt USING PRIMARY KEY (delivery_id=?)" },
	{ "DELETE FROM intent WHERE delivery_id=?1",
		"SEARCH intent USING PRIMARY KEY (delivery_id=?)" },
	/* planning: the index gives the order, no sorter */
	{ "INSERT INTO delivery(lot_id, contact_id, once, state, tries, due, target_id) SELECT ?1, contact_id, ?2, "
	  "0, 0, ?3, id FROM target WHERE lane_id=?4 AND office_id=?5 AND contact_id>?6 ORDER BY contact_id "
	  "LIMIT ?7 ON CONFLICT(once, contact_id) DO NOTHING",
		"SEARCH target USING INDEX target_lane (lane_id=? AND office_id=? AND contact_id>?)" },
	/* one copy a person */
	{ "SELECT id FROM delivery WHERE once=?1 AND contact_id=?2",
		"SEARCH delivery USING INDEX delivery_once (once=? AND contact_id=?)" },
	{ "SELECT id, contact_id FROM delivery WHERE once>=?1 AND once<?2 ORDER BY once, contact_id LIMIT ?3",
		"SEARCH delivery USING INDEX delivery_once (once>? AND once<?)" },
	/* lots, jobs, receipts */
	{ "SELECT id FROM lot WHERE lane_id=?1 AND gate=1 ORDER BY prio",
		"SEARCH lot USING INDEX lot_lane (lane_id=? AND gate=?)" },
	{ "SELECT id FROM lot WHERE release_id=?1 AND part=?2", "SEARCH lot USING INDEX" },
	{ "SELECT id, kind FROM job WHERE next<=?1 ORDER BY next LIMIT ?2",
		"SEARCH job USING INDEX job_next (next<?)" },
	{ "SELECT delivery_id, effect FROM ref WHERE lane_id=?1 AND day=?2 AND provider_id=?3",
		"SEARCH ref USING PRIMARY KEY (lane_id=? AND day=? AND provider_id=?)" },
	{ "SELECT id FROM orphan WHERE next<=?1 ORDER BY next",
		"SEARCH orphan USING INDEX orphan_next (next<?)" },
	/* whom to ask about, and what is pruned */
	{ "SELECT day FROM ref WHERE lane_id=?1 AND day>?2 ORDER BY day LIMIT 1",
		"SEARCH ref USING PRIMARY KEY (lane_id=? AND day>?)" },
	{ "SELECT provider_id, delivery_id, effect FROM ref WHERE lane_id=?1 AND day=?2 AND (provider_id, "
	  "delivery_id, effect)>(?3, ?4, ?5) ORDER BY provider_id, delivery_id, effect",
		"SEARCH ref USING PRIMARY KEY (lane_id=? AND day=? AND "
		"(provider_id,delivery_id,effect)>(?,?,?))" },
	{ "SELECT r.lane_id, r.day FROM lane n JOIN account a ON a.id=n.account_id JOIN channel c ON c.id=a.channel_id "
	  "CROSS JOIN ref r ON r.lane_id=n.id AND r.day<?1 WHERE c.name=?2 LIMIT 1",
		"SEARCH r USING PRIMARY KEY (lane_id=? AND day<?)" },
	{ "DELETE FROM ref WHERE lane_id=?1 AND day=?2 AND (provider_id, delivery_id, effect)<=(?3,?4,?5)",
		"SEARCH ref USING PRIMARY KEY (lane_id=? AND day=? AND "
		"(provider_id,delivery_id,effect)<(?,?,?))" },
	{ "SELECT id FROM inbound WHERE channel_id=?1 AND came<?2 LIMIT ?3",
		"SEARCH inbound USING INDEX inbound_came (channel_id=? AND came<?)" },
	{ "SELECT key FROM seen INDEXED BY seen_at WHERE at<?1 LIMIT ?2",
		"SEARCH seen USING INDEX seen_at (at<?)" },
	{ "DELETE FROM inbound WHERE address=?1",
		"SEARCH inbound USING INDEX inbound_address (address=?)" },
	{ "SELECT 1 FROM receipt INDEXED BY receipt_delivery WHERE delivery_id=?1 AND effect=?2 AND state=?3",
		"SEARCH receipt USING INDEX receipt_delivery (delivery_id=?)" },
	/* addresses */
	{ "SELECT id FROM contact WHERE kind=?1 AND address=?2", "(kind=? AND address=?)" },
	{ "SELECT reason FROM suppression WHERE who=?1 AND list=?2",
		"SEARCH suppression USING PRIMARY KEY (who=? AND list=?)" },
	{ "SELECT 1 FROM target_tag WHERE tag_id=?1 AND target_id=?2",
		"SEARCH target_tag USING PRIMARY KEY (tag_id=? AND target_id=?)" },
	/* evidence */
	{ "SELECT seq, hash FROM audit WHERE seq>?1 ORDER BY seq LIMIT ?2",
		"SEARCH audit USING INTEGER PRIMARY KEY (rowid>?)" },
	{ "SELECT max(at) FROM seal WHERE once=?1 AND first<=?2 AND last>=?2",
		"SEARCH seal USING INDEX seal_once (once=? AND first<?)" },
};

static void every_hot_statement_uses_its_index(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hot); i++) {
		struct buf plan CLEANUP_BUF = { 0 };
		plan_of(hot[i].sql, &plan);
		if (!strstr(buf_z(&plan), hot[i].uses))
			fail_msg("%s\nplan: %s\nshould say: %s", hot[i].sql, buf_z(&plan),
				hot[i].uses);
		if (strstr(buf_z(&plan), "TEMP B-TREE"))
			fail_msg("%s\nsorts: %s", hot[i].sql, buf_z(&plan));
	}
}

static void only_recovery_walks_and_only_its_small_index(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hot); i++) {
		struct buf plan CLEANUP_BUF = { 0 };
		plan_of(hot[i].sql, &plan);
		const char *scan = strstr(buf_z(&plan), "SCAN ");
		if (scan && !strstr(scan, "delivery_sending"))
			fail_msg("%s\nwalks a table: %s", hot[i].sql, buf_z(&plan));
	}
}

/* No statistics are ever gathered (ANALYZE): a plan must not change from one day to the next. */
static void the_plans_stay_when_there_are_rows(void **state)
{
	assert_int_equal(
		teststore_exec(&ts,
			"WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM k WHERE i < 5000) INSERT INTO "
			"delivery(lot_id, contact_id, once, state, tries, due, target_id) SELECT i % 3, i, 1025, i % 10, 0, i, "
			"i FROM k"),
		0);
	assert_int_equal(teststore_reopen(&ts), 0);
	every_hot_statement_uses_its_index(state);
	only_recovery_walks_and_only_its_small_index(state);
}

static void a_bound_state_would_walk_everything_and_is_refused_by_name(void **state)
{
	struct store_reader *r = teststore_reader(&ts);
	sqlite3_stmt *st = NULL;

	(void)state;
	int rc = db_prepare(reader_db(r),
		"SELECT id FROM delivery INDEXED BY delivery_due WHERE state=?1 AND "
		"lot_id=?2",
		&st);
	sqlite3_finalize(st);
	teststore_reader_end(&ts, r);
	assert_true(rc < 0); /* why every hot statement names its index */
}

static void the_schema_has_what_the_header_says(void **state)
{
	(void)state;
	assert_int_equal(teststore_i64(&ts, "PRAGMA application_id"), 0x4c616e74);
	assert_int_equal(teststore_i64(&ts, "PRAGMA user_version"), 7);
	assert_int_equal(teststore_i64(&ts, "PRAGMA page_size"), 4096);
	assert_int_equal(teststore_i64(&ts,
				 "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND "
				 "type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'"),
		0);
	assert_int_equal(
		teststore_i64(&ts, "SELECT count(*) FROM pragma_foreign_key_list('delivery')"), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM meta"), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_hot_statement_uses_its_index),
		T(only_recovery_walks_and_only_its_small_index),
		T(the_plans_stay_when_there_are_rows),
		T(a_bound_state_would_walk_everything_and_is_refused_by_name),
		T(the_schema_has_what_the_header_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
