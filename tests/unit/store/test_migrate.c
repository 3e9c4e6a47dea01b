/* test_migrate.c - a database that an earlier program made: it becomes what a new one is, and keeps its rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <cmocka.h>
#include <sqlite3.h>
#include "tests/lib/shipped.h"
#include "tests/lib/teststore.h"

#define NEWEST 7

static struct teststore ts;

static void script(sqlite3 *db, const char *sql)
{
	char *why = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
}

/* As the program of that schema left it, with these rows. */
static void made_by(int version, const char *rows)
{
	char path[300], sql[120];
	sqlite3 *db = NULL;

	assert_int_equal(teststore_make(&ts), 0);
	(void)snprintf(path, sizeof(path), "%s/lantoa.db", ts.dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(chmod(path, 0600), 0);
	for (int v = 1; v <= version; v++) {
		char file[60];
		(void)snprintf(file, sizeof(file), "daemon/store/schema_%d.sql", v);
		script(db, shipped_file(file));
	}
	(void)snprintf(sql, sizeof(sql),
		"PRAGMA application_id = 0x4c616e74; PRAGMA user_version = %d", version);
	script(db, sql);
	if (rows)
		script(db, rows);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	if (teststore_start(&ts) != 0)
		fail_msg("schema %d: %s", version, ts.err.text);
}

static char *schema(void)
{
	return teststore_text(&ts,
		"SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema WHERE sql IS NOT "
		"NULL ORDER BY name)");
}

static void a_database_of_any_earlier_schema_becomes_what_a_new_one_is(void **state)
{
	(void)state;
	assert_int_equal(teststore_open(&ts), 0);
	char *newest = schema();
	teststore_close(&ts);
	for (int v = 1; v < NEWEST; v++) {
		made_by(v, NULL);
		char *now = schema();
		assert_string_equal(now, newest);
		free(now);
		assert_int_equal(teststore_i64(&ts, "PRAGMA user_version"), NEWEST);
		assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM meta"), 1);
		teststore_close(&ts);
	}
	free(newest);
}

/* Schema 7: before, the first delivery alone had an id on a day. */
static void ids_of_schema_6_are_kept_and_may_be_shared_from_now_on(void **state)
{
	(void)state;
	made_by(6,
		"WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM k WHERE i<3000) INSERT INTO "
		"ref(lane_id, day, provider_id, delivery_id, effect) SELECT 1+i%3, 20000+i%5, "
		"printf('%x', i), i, i%2 FROM k");
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM ref"), 3000);
	assert_int_equal(teststore_i64(&ts,
				 "SELECT count(*) FROM ref WHERE lane_id=1+delivery_id%3 AND "
				 "day=20000+delivery_id%5 AND effect=delivery_id%2 AND "
				 "provider_id=printf('%x', delivery_id)"),
		3000);
	assert_int_equal(teststore_exec(&ts,
				 "INSERT INTO ref SELECT lane_id, day, provider_id, "
				 "delivery_id+5000, effect FROM ref WHERE delivery_id=7"),
		0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM ref WHERE provider_id='7'"), 2);
	assert_int_equal(teststore_reopen(&ts), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM ref"), 3001);
	teststore_close(&ts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_database_of_any_earlier_schema_becomes_what_a_new_one_is),
		cmocka_unit_test(ids_of_schema_6_are_kept_and_may_be_shared_from_now_on),
	};
	return cmocka_run_group_tests_name("store/migrate", tests, NULL, NULL);
}
