/* test_space.c - a disk that fills up: the floor refuses what may wait, the ballast gives outcomes their room, both heal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>
#include "../../lib/teststore.h"
#include "base/assert.h"
#include "base/fault.h"
#include "store/store_exchange.h"
#include "store/store_internal.h"

#define FLOOR   (INT64_C(64) << 20)
#define BALLAST (INT64_C(1) << 20)

static struct teststore ts;

struct add {
	struct store_cmd cmd;
	int runs;
};

static int add_run(struct store_tx *tx, struct store_cmd *cmd)
{
	CONTAINER_OF(cmd, struct add, cmd)->runs++;
	return db_exec(tx_db(tx), "INSERT INTO tag(name) VALUES (hex(randomblob(8)))", "");
}

static struct add adding(enum store_class class, bool intake)
{
	return (struct add){ .cmd = { .class = class, .intake = intake, .run = add_run } };
}

static int one(enum store_class class, bool intake)
{
	struct add a = adding(class, intake);
	int rc = store_submit(ts.s, &a.cmd);

	if (rc < 0)
		return rc;
	store_run(ts.s);
	store_complete(ts.s);
	return a.cmd.rc;
}

static int setup(void **state)
{
	(void)state;
	fault_clear();
	if (teststore_make(&ts) < 0)
		return -1;
	ts.opts.free_floor_bytes = FLOOR;
	ts.opts.ballast_bytes = BALLAST;
	return teststore_start(&ts);
}

static int teardown(void **state)
{
	(void)state;
	fault_clear();
	teststore_close(&ts);
	return 0;
}

static void under_the_floor_only_what_may_wait_is_refused(void **state)
{
	struct store_stats st;

	(void)state;
	ts.free_bytes = FLOOR - 1;
	ts.mono_us += 2000000; /* free space is looked at once a second */
	assert_int_equal(one(STORE_INTENT, false), -ENOSPC);
	assert_int_equal(one(STORE_BULK, false), -ENOSPC);
	assert_int_equal(one(STORE_CONTROL, true), -ENOSPC);
	assert_int_equal(one(STORE_CONTROL, false), 0); /* pause, cancel, hold */
	assert_int_equal(one(STORE_OUTCOME, false), 0);
	store_stats_get(ts.s, &st);
	assert_true(st.under_floor);
	assert_int_equal(st.free_bytes, FLOOR - 1);
}

static void the_refusal_says_how_much_is_free_and_needed(void **state)
{
	struct add a = adding(STORE_BULK, false);

	(void)state;
	ts.free_bytes = INT64_C(5) << 20;
	ts.mono_us += 2000000;
	assert_int_equal(teststore_do(&ts, &a.cmd), -ENOSPC);
	assert_int_equal(a.runs, 0);
	assert_non_null(strstr(ts.err.text, "5 MB"));
	assert_non_null(strstr(ts.err.text, "64 MB"));
}

static void it_heals_by_itself(void **state)
{
	(void)state;
	ts.free_bytes = 0;
	ts.mono_us += 2000000;
	assert_int_equal(one(STORE_INTENT, false), -ENOSPC);
	ts.free_bytes = FLOOR * 4;
	assert_int_equal(one(STORE_INTENT, false), 0);
}

static bool ballast_there(void)
{
	char path[260];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/ballast", ts.dir);
	return stat(path, &st) == 0 && st.st_size == BALLAST && st.st_blocks * 512 >= BALLAST;
}

/* Reports, opt-outs and people find somebody who answers: what lies in reserve is for that, too. */
static void a_full_disk_keeps_nobody_from_starting(void **state)
{
	struct store_stats st;

	(void)state;
	assert_true(ballast_there());
	teststore_kill(&ts);
	ts.free_bytes = 4096;
	assert_int_equal(teststore_start(&ts), 0);
	assert_false(ballast_there());
	store_stats_get(ts.s, &st);
	assert_true(st.under_floor);
	assert_int_equal(one(STORE_INTENT, false), -ENOSPC);
	assert_int_equal(one(STORE_OUTCOME, false), 0);
}

#ifdef LANTOA_FAULTS
static void a_full_disk_frees_the_ballast_and_keeps_outcomes(void **state)
{
	struct add out = adding(STORE_OUTCOME, false), intent = adding(STORE_INTENT, false),
		   bulk = adding(STORE_BULK, false);
	struct store_stats st;

	(void)state;
	assert_true(ballast_there());
	fault_set("store.full", 0, 1);
	assert_int_equal(store_submit(ts.s, &out.cmd), 0);
	assert_int_equal(store_submit(ts.s, &intent.cmd), 0);
	assert_int_equal(store_submit(ts.s, &bulk.cmd), 0);
	out.cmd.rc = 99;
	store_run(ts.s);
	store_complete(ts.s);
	assert_int_equal(
		out.cmd.rc, 0); /* tried again at once, in the room that the ballast gave */
	assert_int_equal(out.runs, 2);
	assert_int_equal(intent.cmd.rc, -ENOSPC);
	assert_int_equal(bulk.cmd.rc, -ENOSPC);
	assert_false(ballast_there());
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM tag"), 1);
	store_stats_get(ts.s, &st);
	assert_true(st.ballast_spent);
	assert_int_equal(ts.fatal, 0);
}

static void without_ballast_outcomes_wait_until_there_is_room(void **state)
{
	struct add out = adding(STORE_OUTCOME, false);

	(void)state;
	fault_set("store.full", 0, 5);
	out.cmd.rc = 99;
	assert_int_equal(store_submit(ts.s, &out.cmd), 0);
	for (int i = 0; i < 4; i++) {
		store_run(ts.s);
		assert_int_equal(store_complete(ts.s), 0);
	}
	fault_clear();
	store_run(ts.s);
	assert_int_equal(store_complete(ts.s), 1);
	assert_int_equal(out.cmd.rc, 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM tag"), 1);
}

static void the_ballast_is_made_again_when_there_is_room(void **state)
{
	struct store_stats st;

	(void)state;
	fault_set("store.full", 0, 1);
	assert_int_equal(one(STORE_OUTCOME, false), 0);
	assert_false(ballast_there());
	ts.free_bytes = FLOOR / 2;
	assert_int_equal(teststore_reopen(&ts), 0);
	assert_false(ballast_there()); /* not while there is too little */
	ts.free_bytes = FLOOR * 4;
	assert_int_equal(teststore_reopen(&ts), 0);
	assert_true(ballast_there());
	store_stats_get(ts.s, &st);
	assert_false(st.ballast_spent);
}
#endif

static int say_run(struct store_tx *tx, struct store_cmd *cmd)
{
	UNUSED(cmd);
	store_exchange_put(
		tx, &(struct exchange_rec){ .delivery = 1, .try_no = 1, .body = STR("x") });
	return db_exec(tx_db(tx), "INSERT INTO tag(name) VALUES ('said')", "");
}

static void an_exchange_record_is_dropped_and_its_outcome_kept(void **state)
{
	struct store_cmd cmd = { .class = STORE_OUTCOME, .run = say_run };
	struct store_stats st;

	(void)state;
	ts.free_bytes = 0;
	ts.mono_us += 2000000;
	assert_int_equal(teststore_do(&ts, &cmd), 0);
	store_stats_get(ts.s, &st);
	assert_int_equal(st.exchange_dropped, 1);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM tag WHERE name = 'said'"), 1);
}

/* --- a disk that is truly full: SQLite's own limit on pages gives a real SQLITE_FULL ---------------------------------------- */

static int fill_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct db *db = tx_db(tx);
	int64_t pages = 0;

	UNUSED(cmd);
	int rc = db_get_i64(db, &pages, "PRAGMA page_count", "");
	char sql[80];
	(void)snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %d", (int)pages + 4);
	if (rc < 0 || sqlite3_exec(db_handle(db), sql, NULL, NULL, NULL) != SQLITE_OK)
		return -EINVAL;
	return db_exec(db, "INSERT INTO tag(name) VALUES (hex(randomblob(400000)))", "");
}

static void a_real_full_disk_in_a_command_is_told_and_spares_the_outcome(void **state)
{
	struct add out = adding(STORE_OUTCOME, false);
	struct store_cmd fill = { .class = STORE_CONTROL, .run = fill_run };

	(void)state;
	assert_int_equal(store_submit(ts.s, &out.cmd), 0);
	assert_int_equal(store_submit(ts.s, &fill), 0);
	out.cmd.rc = 99;
	store_run(ts.s);
	store_complete(ts.s);
	assert_int_equal(fill.rc, -ENOSPC);
	assert_int_equal(out.cmd.rc, 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM tag"), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(under_the_floor_only_what_may_wait_is_refused),
		T(the_refusal_says_how_much_is_free_and_needed),
		T(it_heals_by_itself),
		T(a_full_disk_keeps_nobody_from_starting),
#ifdef LANTOA_FAULTS
		T(a_full_disk_frees_the_ballast_and_keeps_outcomes),
		T(without_ballast_outcomes_wait_until_there_is_room),
		T(the_ballast_is_made_again_when_there_is_room),
#endif
		T(an_exchange_record_is_dropped_and_its_outcome_kept),
		T(a_real_full_disk_in_a_command_is_told_and_spares_the_outcome),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
