/* test_db.c - connections: bindings, SQLite's codes as ours, snapshots and the pool of readers; the keyed hash of an address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../lib/teststore.h"
#include "base/assert.h"
#include "store/store_internal.h"

static struct teststore ts;

static int setup(void **state)
{
	(void)state;
	ts.real_time = false;
	return teststore_open(&ts);
}

static int teardown(void **state)
{
	(void)state;
	teststore_close(&ts);
	return 0;
}

static int bind_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct db *db = tx_db(tx);
	struct hash h = { { 1, 2, 3 } }, back;
	sqlite3_stmt *st = NULL;

	UNUSED(cmd);
	if (db_query(db, &st, "SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?", "itssbhdnb", INT64_MIN, "text",
		    STR("str"), (struct str){ NULL, 0 }, (struct str){ "\0\1", 2 }, &h, 0.5,
		    STR("")) < 0)
		return -EINVAL;
	bool ok = db_row(db, st) == 1 && col_i64(st, 0) == INT64_MIN &&
		str_eqz(col_str(st, 1), "text") && str_eqz(col_str(st, 2), "str") &&
		!col_str(st, 3).p && col_blob(st, 4).n == 2 && col_hash(st, 5, &back) &&
		hash_cmp(&h, &back) == 0 && sqlite3_column_double(st, 6) == 0.5 &&
		sqlite3_column_type(st, 7) == SQLITE_NULL && col_blob(st, 8).p &&
		col_blob(st, 8).n == 0 && !col_hash(st, 4, &back) && col_dup(st, 3) == NULL;
	return ok && db_row(db, st) == 0 ? 0 : -EINVAL;
}

static void every_binding_format_comes_back(void **state)
{
	struct store_cmd cmd = { .class = STORE_CONTROL, .run = bind_run };

	(void)state;
	assert_int_equal(teststore_do(&ts, &cmd), 0);
}

static int codes_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct db *db = tx_db(tx);
	int64_t n = 7;

	UNUSED(cmd);
	if (db_exec(db, "INSERT INTO tag(id, name) VALUES (1, 'a')", "") != 0 ||
		db_exec(db, "INSERT INTO tag(id, name) VALUES (2, 'a')", "") != -EEXIST ||
		db_exec(db, "INSERT INTO tag(id, name) VALUES (1, 'b')", "") != -EEXIST ||
		db_exec(db, "INSERT INTO tag(name) VALUES (?)", "t", NULL) != -EINVAL ||
		db_exec(db, "INSERT INTO account(channel_id, name) VALUES (99, 'x')", "") !=
			-EINVAL)
		return -EDOM;
	if (db_get_i64(db, &n, "SELECT id FROM tag WHERE name = ?", "t", "zz") != 0 || n != 7 ||
		db_get_i64(db, &n, "SELECT id FROM tag WHERE name = ?", "t", "a") != 1 || n != 1)
		return -ERANGE;
	char text[4] = "old";
	if (db_get_text(db, text, sizeof(text), "SELECT name FROM tag WHERE id = ?", "i",
		    INT64_C(9)) != 0 ||
		text[0])
		return -ENOENT;
	if (db_exec(db, "UPDATE tag SET name = 'abcdef' WHERE id = 1", "") != 0 ||
		db_get_text(db, text, sizeof(text), "SELECT name FROM tag WHERE id = ?", "i",
			INT64_C(1)) != 1 ||
		!str_eqz(str_of(text), "abc"))
		return -E2BIG;
	return db_get_text(db, text, sizeof(text), "SELECT nothing FROM tag", "") < 0 && !text[0]
		? 0
		: -EBADMSG;
}

static void codes_of_sqlite_become_ours(void **state)
{
	struct store_cmd cmd = { .class = STORE_CONTROL, .run = codes_run };

	(void)state;
	assert_int_equal(teststore_do(&ts, &cmd), 0);
}

static void a_reader_sees_one_snapshot_until_it_ends(void **state)
{
	struct store_reader *r;
	int64_t n = -1;

	(void)state;
	assert_int_equal(store_reader_get(ts.s, &r), 0);
	assert_int_equal(reader_begin(r), 0);
	assert_int_equal(db_get_i64(reader_db(r), &n, "SELECT count(*) FROM tag", ""), 1);
	assert_int_equal(n, 0);
	assert_int_equal(teststore_exec(&ts, "INSERT INTO tag(name) VALUES ('x')"), 0);
	assert_int_equal(db_get_i64(reader_db(r), &n, "SELECT count(*) FROM tag", ""), 1);
	assert_int_equal(n, 0);
	assert_true(db_exec(reader_db(r), "DELETE FROM tag", "") < 0); /* a reader cannot write */
	reader_end(r);
	assert_int_equal(reader_begin(r), 0);
	assert_int_equal(db_get_i64(reader_db(r), &n, "SELECT count(*) FROM tag", ""), 1);
	assert_int_equal(n, 1);
	reader_end(r);
	store_reader_put(ts.s, r);
}

static void the_pool_of_readers_is_bounded(void **state)
{
	struct store_reader *r[11];

	(void)state;
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(store_reader_get(ts.s, &r[i]), 0);
	assert_int_equal(store_reader_get(ts.s, &r[10]),
		-EAGAIN); /* no thread: nobody could give one back */
	for (size_t i = 0; i < 10; i++)
		store_reader_put(ts.s, r[i]);
	assert_int_equal(store_reader_get(ts.s, &r[10]), 0);
	store_reader_put(ts.s, r[10]);
}

static void hashes_of_addresses_differ_by_kind(void **state)
{
	struct hash a, b, c;

	(void)state;
	store_who(ts.s, 1, STR("x@example.vn"), &a);
	store_who(ts.s, 1, STR("x@example.vn"), &b);
	store_who(ts.s, 2, STR("x@example.vn"), &c);
	assert_int_equal(hash_cmp(&a, &b), 0);
	assert_int_not_equal(hash_cmp(&a, &c), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_binding_format_comes_back),
		T(codes_of_sqlite_become_ours),
		T(a_reader_sees_one_snapshot_until_it_ends),
		T(the_pool_of_readers_is_bounded),
		T(hashes_of_addresses_differ_by_kind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
