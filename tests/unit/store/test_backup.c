/* test_backup.c - a copy while the daemon runs: whole, provable, fenced, without a key, without what was forgotten. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../lib/teststore.h"
#include "base/assert.h"
#include "base/fault.h"
#include "base/file.h"
#include "store/store_asset.h"
#include "store/store_backup.h"
#include "store/store_exchange.h"
#include "store/store_fence.h"
#include "store/store_internal.h"

static struct teststore ts;
static struct hash asset;
static char dir[260];

static int scene_run(struct store_tx *tx, struct store_cmd *cmd)
{
	UNUSED(cmd);
	store_exchange_put(
		tx, &(struct exchange_rec){ .delivery = 1, .try_no = 1, .body = STR("said") });
	int rc = store_asset_row(
		tx, &(struct asset_row){ .hash = asset, .bytes = 5, .type = "text/plain" });
	return rc < 0 ? rc : db_exec(tx_db(tx), "INSERT INTO tag(name) VALUES ('kept')", "");
}

static int setup(void **state)
{
	struct store_cmd cmd = { .class = STORE_CONTROL, .run = scene_run };

	(void)state;
	fault_clear();
	if (teststore_open(&ts) < 0)
		return -1;
	(void)snprintf(dir, sizeof(dir), "%s-backup", ts.dir);
	hash_bytes(&asset, "hello", 5);
	if (store_asset_put_bytes(ts.s, STR("hello"), &asset, &ts.err) < 0)
		return -1;
	return teststore_do(&ts, &cmd);
}

static int teardown(void **state)
{
	(void)state;
	fault_clear();
	teststore_close(&ts);
	if (access(dir, F_OK) == 0) {
		int rc = dir_remove_tree(dir);
		(void)remove(dir);
		return rc;
	}
	return 0;
}

static const char *in_backup(const char *name)
{
	static char path[700];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int entries(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	assert_non_null(d);
	for (const struct dirent *x; (x = readdir(d)) != NULL;)
		n += x->d_name[0] != '.';
	closedir(d);
	return n;
}

static void a_backup_is_whole_and_provable(void **state)
{
	struct backup_result made, proved;
	struct stat st;

	(void)state;
	assert_int_equal(store_backup(ts.s, dir, NULL, &made, &ts.err), 0);
	assert_int_equal(made.files, 3);
	assert_true(made.head.seq >= 1);
	assert_int_equal(store_backup_verify(dir, &proved, &ts.err), 0);
	assert_int_equal(proved.files, 3);
	assert_int_equal(proved.bytes, made.bytes);
	assert_int_equal(proved.head.seq, made.head.seq);
	assert_int_equal(hash_cmp(&proved.head.hash, &made.head.hash), 0);
	assert_int_equal(stat(in_backup("lantoa.db"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(
		entries(dir), 4); /* two databases, assets, MANIFEST: no key, no epoch, no log */
}

static void a_restored_backup_does_not_send_before_it_is_confirmed(void **state)
{
	struct backup_result res;
	struct store *s = NULL;
	struct err e = { 0 };
	struct store_opts o = ts.opts;

	(void)state;
	assert_int_equal(store_backup(ts.s, dir, NULL, &res, &ts.err), 0);
	o.state_dir = dir;
	assert_int_equal(store_open(&o, &s, &e), -EKEYREVOKED);
	assert_non_null(strstr(e.text, "restored backup"));
	assert_int_equal(store_restore_confirm(&o, "an", "uid:0", "test", NULL, &e), 0);
	assert_int_equal(store_open(&o, &s, &e), 0);
	struct store *live = ts.s;
	ts.s = s;
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM tag WHERE name = 'kept'"), 1);
	ts.s = live;
	store_close(s);
	assert_int_equal(
		teststore_i64(&ts, "SELECT fence FROM meta"), 0); /* the live one is not touched */
}

static void a_folder_with_anything_in_it_is_refused(void **state)
{
	struct backup_result res;

	(void)state;
	assert_int_equal(dir_make(dir, 0700, NULL), 0);
	assert_int_equal(file_write_durable(in_backup("mine"), STR("x"), 0600, NULL), 0);
	assert_int_equal(store_backup(ts.s, dir, NULL, &res, &ts.err), -ENOTEMPTY);
	assert_int_equal(access(in_backup("mine"), F_OK), 0);
}

static void every_changed_or_missing_file_is_found(void **state)
{
	struct backup_result res;
	char path[700];

	(void)state;
	assert_int_equal(store_backup(ts.s, dir, NULL, &res, &ts.err), 0);
	asset_path(path, sizeof(path), in_backup("assets"), &asset);
	assert_int_equal(file_write_durable(path, STR("jello"), 0600, NULL), 0);
	assert_int_equal(store_backup_verify(dir, &res, &ts.err), -EBADMSG);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(store_backup_verify(dir, &res, &ts.err), -ENOENT);
	assert_int_equal(unlink(in_backup("MANIFEST")), 0);
	assert_int_equal(store_backup_verify(dir, &res, &ts.err), -ENOENT);
	assert_non_null(strstr(ts.err.text, "no whole backup"));
}

static void a_damaged_asset_stops_the_backup(void **state)
{
	struct backup_result res;
	char path[400];

	(void)state;
	asset_path(path, sizeof(path), store_assets_dir(ts.s), &asset);
	assert_int_equal(file_write_durable(path, STR("jello"), 0600, NULL), 0);
	assert_int_equal(store_backup(ts.s, dir, NULL, &res, &ts.err), -EBADMSG);
	assert_non_null(strstr(ts.err.text, "fsck"));
	assert_int_equal(entries(dir), 0); /* nothing half made is left */
}

struct stop {
	int calls, at;
	bool over; /* more done than there is */
};

static bool progress(void *ctx, const char *what, uint64_t done, uint64_t total)
{
	struct stop *s = ctx;

	UNUSED(what);
	s->over |= done > total;
	return ++s->calls != s->at;
}

static void a_stopped_backup_leaves_nothing(void **state)
{
	struct backup_result res;
	struct stop s = { .at = 2 };
	struct backup_opts o = { .progress = progress, .ctx = &s };

	(void)state;
	assert_int_equal(store_backup(ts.s, dir, &o, &res, &ts.err), -ECANCELED);
	assert_false(s.over);
	assert_int_equal(entries(dir), 0);
	assert_int_equal(
		store_backup(ts.s, dir, NULL, &res, &ts.err), 0); /* the emptied folder will do */
	assert_int_equal(store_backup_verify(dir, &res, &ts.err), 0);
}

#ifdef LANTOA_FAULTS
static void a_backup_on_a_disk_that_fills_leaves_nothing(void **state)
{
	struct backup_result res;

	(void)state;
	fault_set("backup.step", 1, 1);
	assert_int_equal(store_backup(ts.s, dir, NULL, &res, &ts.err), -ENOSPC);
	assert_int_equal(entries(dir), 0);
	assert_int_equal(store_backup(ts.s, dir, NULL, &res, &ts.err), 0);
	assert_int_equal(store_backup_verify(dir, &res, &ts.err), 0);
}
#endif

static bool disk_fills(void *ctx, const char *what, uint64_t done, uint64_t total)
{
	UNUSED(done);
	UNUSED(total);
	if (strcmp(what, ctx) == 0)
		ts.free_bytes = 1 << 20;
	return true;
}

/* Outcomes and intents have the room that is left, not the copy. */
static void a_backup_beside_the_database_leaves_the_floor_free(void **state)
{
	static const char *const when[] = { "database", "exchange" };
	struct backup_result res;
	int64_t free_then = ts.free_bytes;

	(void)state;
	teststore_stop(&ts);
	ts.opts.free_floor_bytes = 64 << 20;
	assert_int_equal(teststore_start(&ts), 0);
	for (size_t i = 0; i < ARRAY_LEN(when); i++) {
		union { /* only read */
			const char *from;
			void *to;
		} what = { .from = when[i] };
		struct backup_opts o = { .progress = disk_fills, .ctx = what.to };
		ts.free_bytes = free_then;
		assert_int_equal(store_backup(ts.s, dir, &o, &res, &ts.err), -ENOSPC);
		assert_non_null(strstr(ts.err.text, "another disk"));
		assert_int_equal(entries(dir), 0);
	}
	ts.free_bytes = free_then;
	assert_int_equal(store_backup(ts.s, dir, NULL, &res, &ts.err), 0);
	assert_int_equal(store_backup_verify(dir, &res, &ts.err), 0);
}

/* The writer goes on between the steps, and the copy is of one moment. */
struct writing {
	int rows;
};

static bool write_between(void *ctx, const char *what, uint64_t done, uint64_t total)
{
	struct writing *w = ctx;

	UNUSED(done);
	UNUSED(total);
	if (strcmp(what, "database") == 0) {
		w->rows++;
		return teststore_exec(
			       &ts, "INSERT INTO tag(name) VALUES (hex(randomblob(2000)))") == 0;
	}
	return true;
}

static void the_writer_goes_on_and_the_copy_is_of_one_moment(void **state)
{
	struct backup_result res;
	struct writing w = { 0 };
	struct backup_opts o = { .progress = write_between, .ctx = &w };
	sqlite3 *h = NULL;
	sqlite3_stmt *st = NULL;

	(void)state;
	assert_int_equal(
		teststore_exec(&ts,
			"WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM k WHERE i < 4000) INSERT INTO "
			"tag(name) SELECT hex(randomblob(600)) FROM k"),
		0);
	assert_int_equal(store_backup(ts.s, dir, &o, &res, &ts.err), 0);
	assert_true(w.rows > 3);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM tag"), 4001 + w.rows);
	assert_int_equal(
		sqlite3_open_v2(in_backup("lantoa.db"), &h, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(h, "SELECT count(*) FROM tag", -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(st, 0), 4001);
	sqlite3_finalize(st);
	assert_int_equal(sqlite3_prepare_v2(h, "PRAGMA integrity_check", -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(st, 0), "ok");
	sqlite3_finalize(st);
	assert_int_equal(sqlite3_close(h), SQLITE_OK);
}

/* As `cp` does it: into the file that is there. */
static void put_back_into_place(void)
{
	struct buf all CLEANUP_BUF = { 0 };
	char path[300];

	buf_init(&all, 64 << 20);
	assert_int_equal(file_read(in_backup("lantoa.db"), &all, NULL), 0);
	(void)snprintf(path, sizeof(path), "%s/lantoa.db", ts.dir);
	FILE *f = fopen(path, "wbe");
	assert_non_null(f);
	assert_int_equal(fwrite(all.p, 1, all.n, f), all.n);
	assert_int_equal(fclose(f), 0);
}

/* A daemon that was killed leaves a log: with it the backup would have another row meta, and no fence. */
static void a_backup_beside_the_log_of_what_was_there_is_refused(void **state)
{
	struct backup_result res;
	char log[300];
	struct err e = { 0 };

	(void)state;
	assert_int_equal(store_backup(ts.s, dir, NULL, &res, &ts.err), 0);
	teststore_kill(&ts);
	put_back_into_place();
	assert_int_equal(teststore_start(&ts), -EKEYREVOKED);
	assert_non_null(strstr(ts.err.text, "lantoa.db-wal"));
	assert_int_equal(
		store_restore_confirm(&ts.opts, "an", "uid:0", "x", NULL, &e), -EKEYREVOKED);
	(void)snprintf(log, sizeof(log), "%s/lantoa.db-wal", ts.dir);
	assert_int_equal(unlink(log), 0);
	assert_int_equal(teststore_start(&ts), -EKEYREVOKED);
	assert_non_null(strstr(ts.err.text, "restored backup"));
	assert_int_equal(store_restore_confirm(&ts.opts, "an", "uid:0", "x", NULL, &e), 0);
	assert_int_equal(teststore_start(&ts), 0);
}

#ifdef LANTOA_FAULTS
/* Each folder that got a name is synced: of the asset, of assets, of the backup and of what it lies in, and once more for MANIFEST. */
static void a_backup_whose_names_cannot_be_made_durable_fails(void **state)
{
	struct backup_result res;

	(void)state;
	for (int skip = 0; skip < 5; skip++) {
		fault_set("dir.fsync", skip, 1);
		assert_true(store_backup(ts.s, dir, NULL, &res, &ts.err) < 0);
		assert_int_equal(entries(dir), 0);
	}
	fault_clear();
	assert_int_equal(store_backup(ts.s, dir, NULL, &res, &ts.err), 0);
}
#endif

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_backup_is_whole_and_provable),
		T(a_restored_backup_does_not_send_before_it_is_confirmed),
		T(a_folder_with_anything_in_it_is_refused),
		T(every_changed_or_missing_file_is_found),
		T(a_damaged_asset_stops_the_backup),
		T(a_stopped_backup_leaves_nothing),
#ifdef LANTOA_FAULTS
		T(a_backup_on_a_disk_that_fills_leaves_nothing),
#endif
		T(a_backup_beside_the_database_leaves_the_floor_free),
		T(the_writer_goes_on_and_the_copy_is_of_one_moment),
		T(a_backup_beside_the_log_of_what_was_there_is_refused),
#ifdef LANTOA_FAULTS
		T(a_backup_whose_names_cannot_be_made_durable_fails),
#endif
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
