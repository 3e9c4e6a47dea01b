/* test_fence.c - who may open a database: newer schemas, other files, a second daemon, copies, backups, other keys. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../lib/teststore.h"
#include "base/assert.h"
#include "base/fault.h"
#include "base/file.h"
#include "store/store_audit.h"
#include "store/store_fence.h"
#include "store/store_fsck.h"
#include "store/store_internal.h"

static struct teststore ts;

static int setup(void **state)
{
	(void)state;
	fault_clear();
	return teststore_open(&ts);
}

static int teardown(void **state)
{
	(void)state;
	teststore_close(&ts);
	return 0;
}

static const char *in_dir(const char *name)
{
	static char path[300];

	(void)snprintf(path, sizeof(path), "%s/%s", ts.dir, name);
	return path;
}

/* Straight into the file, as somebody with sqlite3 would. */
static void edit(const char *sql)
{
	sqlite3 *h = NULL;

	assert_int_equal(sqlite3_open(in_dir("lantoa.db"), &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(h), SQLITE_OK);
}

static void refused(int code, const char *word)
{

	assert_int_equal(teststore_start(&ts), code);
	assert_null(ts.s);
	if (!strstr(ts.err.text, word))
		fail_msg("'%s' does not say '%s'", ts.err.text, word);
}

static void a_newer_schema_is_refused_with_both_numbers(void **state)
{
	(void)state;
	char ours[40];
	(void)snprintf(
		ours, sizeof(ours), "up to %d", (int)teststore_i64(&ts, "PRAGMA user_version"));
	teststore_stop(&ts);
	edit("PRAGMA user_version = 99");
	refused(-EPROTONOSUPPORT, "schema 99");
	assert_non_null(strstr(ts.err.text, ours));
}

static void a_file_of_another_program_is_refused_and_not_touched(void **state)
{
	struct buf before CLEANUP_BUF = { 0 }, after CLEANUP_BUF = { 0 };

	(void)state;
	teststore_stop(&ts);
	assert_int_equal(unlink(in_dir("lantoa.db")), 0);
	edit("PRAGMA application_id = 42; CREATE TABLE theirs(x)");
	buf_init(&before, 1 << 20);
	buf_init(&after, 1 << 20);
	assert_int_equal(file_read(in_dir("lantoa.db"), &before, NULL), 0);
	refused(-EMEDIUMTYPE, "not a Lantoa database");
	assert_int_equal(file_read(in_dir("lantoa.db"), &after, NULL), 0);
	assert_true(str_eq(buf_str(&before), buf_str(&after)));
}

static void no_database_is_made_by_accident(void **state)
{
	(void)state;
	teststore_stop(&ts);
	assert_int_equal(unlink(in_dir("lantoa.db")), 0);
	ts.opts.create = false;
	refused(-ENOENT, "make a new one on purpose (--create)");
	assert_int_equal(access(in_dir("lantoa.db"), F_OK), -1);
}

static void a_second_daemon_is_refused(void **state)
{
	struct store *other = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(store_open(&ts.opts, &other, &e), -EBUSY);
	assert_non_null(strstr(e.text, "another daemon"));
}

static void another_key_is_refused(void **state)
{
	uint8_t master[32] = { 99 };
	struct keyring *k = keyring_of(master);

	(void)state;
	teststore_stop(&ts);
	ts.opts.keys = k;
	refused(-EKEYREJECTED, "key");
	ts.opts.keys = ts.keys;
	keyring_free(k);
	assert_int_equal(teststore_start(&ts), 0);
}

static void the_epoch_rises_with_every_start(void **state)
{
	int64_t first = store_epoch(ts.s);

	(void)state;
	assert_int_equal(teststore_reopen(&ts), 0);
	assert_int_equal(store_epoch(ts.s), first + 1);
	assert_int_equal(teststore_i64(&ts, "SELECT epoch FROM meta"), first + 1);
	assert_false(store_is_demo(ts.s));
}

static void demo_stays_what_the_database_was_made_as(void **state)
{
	(void)state;
	teststore_close(&ts);
	assert_int_equal(teststore_make(&ts), 0);
	ts.opts.demo = true;
	assert_int_equal(teststore_start(&ts), 0);
	assert_true(store_is_demo(ts.s));
	ts.opts.demo = false;
	assert_int_equal(teststore_reopen(&ts), 0);
	assert_true(store_is_demo(ts.s));
}

/* --- fencing ----------------------------------------------------------------------------------------------------------- */

static void a_fenced_backup_is_refused(void **state)
{
	(void)state;
	teststore_stop(&ts);
	edit("UPDATE meta SET fence = 1");
	refused(-EKEYREVOKED, "restore-confirm");
}

static void a_database_without_its_epoch_file_is_refused(void **state)
{
	(void)state;
	teststore_stop(&ts);
	assert_int_equal(unlink(in_dir("epoch")), 0);
	refused(-EKEYREVOKED, "may be a copy");
}

static void a_damaged_epoch_file_is_refused(void **state)
{
	static const char *const damaged[] = { "", "\n", "lantoa-epoch", "lantoa-epoch 2 %s 1 1\n",
		"lantoa-epoch 1 %.30s 1 1\n", "lantoa-epoch 1 %s -1 1\n", "lantoa-epoch 1 %s 1\n",
		"lantoa-epoch 1 %s 1 x\n", "lantoa-epoch 1 %s 1 1 1\n" };
	char text[200], *uuid = teststore_text(&ts, "SELECT lower(hex(db_uuid)) FROM meta");
	struct err e;

	(void)state;
	teststore_stop(&ts);
	for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
		const char *at = strchr(damaged[i], '%');
		int whole = at && at[1] == 's' ? 32 : 30, n = at ? (int)(at - damaged[i]) : 199;
		(void)snprintf(text, sizeof(text), "%.*s%.*s%s", n, damaged[i], at ? whole : 0,
			uuid, at ? strchr(at, 's') + 1 : "");
		assert_int_equal(file_write_durable(in_dir("epoch"), str_of(text), 0600, &e), 0);
		refused(-EKEYREVOKED, "not an epoch file of ours");
	}
	free(uuid);
}

static void an_older_database_put_back_is_refused(void **state)
{
	(void)state;
	assert_int_equal(teststore_reopen(&ts), 0);
	teststore_stop(&ts);
	edit("UPDATE meta SET epoch = epoch - 1");
	refused(-EKEYREVOKED, "older or newer");
}

static void a_database_of_another_machine_is_refused(void **state)
{
	(void)state;
	teststore_stop(&ts);
	edit("UPDATE meta SET machine = x'00112233445566778899aabbccddeeff'");
	refused(-EKEYREVOKED, "another machine");
}

static void a_copy_with_its_epoch_file_is_refused_and_what_was_moved_is_not(void **state)
{
	struct buf all CLEANUP_BUF = { 0 };
	char moved[300];
	struct err e = { 0 };

	(void)state;
	teststore_stop(&ts);
	(void)snprintf(moved, sizeof(moved), "%s.moved", in_dir("lantoa.db"));
	assert_int_equal(rename(in_dir("lantoa.db"), moved), 0);
	assert_int_equal(rename(moved, in_dir("lantoa.db")), 0);
	assert_int_equal(teststore_start(&ts), 0); /* there and back: the same file */
	teststore_stop(&ts);
	buf_init(&all, 8 << 20);
	assert_int_equal(file_read(in_dir("lantoa.db"), &all, NULL), 0);
	assert_int_equal(rename(in_dir("lantoa.db"), moved), 0);
	assert_int_equal(file_write_durable(in_dir("lantoa.db"), buf_str(&all), 0600, &e), 0);
	refused(-EKEYREVOKED, "is a copy, or was put back");
	assert_int_equal(
		store_restore_confirm(&ts.opts, "root", "test", "nothing went out", NULL, &e), 0);
	assert_int_equal(teststore_start(&ts), 0);
	teststore_stop(&ts);
	assert_int_equal(
		rename(moved, in_dir("lantoa.db")), 0); /* and now the first one is the old one */
	refused(-EKEYREVOKED, "restore-confirm");
	assert_int_equal(unlink(in_dir("lantoa.db")), 0);
}

static void the_epoch_file_of_another_database_is_refused(void **state)
{
	(void)state;
	teststore_stop(&ts);
	edit("UPDATE meta SET db_uuid = x'00112233445566778899aabbccddeeff'");
	refused(-EKEYREVOKED, "belongs to another");
}

static void a_database_left_lying_for_days_is_refused(void **state)
{
	(void)state;
	teststore_stop(&ts);
	ts.wall_ms += INT64_C(8) * 86400000;
	refused(-EKEYREVOKED, "8 days");
	ts.opts.fence_after_ms = -1; /* never */
	assert_int_equal(teststore_start(&ts), 0);
}

static void a_running_daemon_keeps_its_heartbeat(void **state)
{
	(void)state;
	for (int day = 0; day < 10; day++) {
		ts.wall_ms += 86400000;
		assert_int_equal(teststore_exec(&ts, "DELETE FROM tag"), 0);
	}
	assert_int_equal(teststore_i64(&ts, "SELECT heartbeat FROM meta"), ts.wall_ms);
	teststore_kill(&ts);
	assert_int_equal(teststore_start(&ts), 0);
}

static const char *const scene =
	"INSERT INTO channel VALUES (1, 'mail', 'email'); INSERT INTO account VALUES (1, 1, 'relay', NULL);"
	"INSERT INTO lane(id, account_id, class, gate, tokens, tokens_at) VALUES (1, 1, '', 0, 0, 0);"
	"INSERT INTO credential(channel_id, name, version, key_id, nonce, box, state, changed, expires) "
	"VALUES (1, 'rotating', 1, 0, x'', x'', 0, 0, 5), (1, 'fixed', 1, 0, x'', x'', 0, 0, NULL);"
	"INSERT INTO release(id, year, code, state, rev_newest, rev_approved, prio, category, kind, title) "
	"VALUES (1, 2026, 'A', 3, 1, 1, 1, 2, 1, 't'), (2, 2026, 'B', 0, 1, NULL, 1, 2, 1, 't');"
	"INSERT INTO part(release_id, rev, part, name, state) VALUES (1, 1, 0, 'p', 1), (1, 1, 1, 'q', 2), "
	"(2, 1, 0, 'p', 0);"
	"INSERT INTO lot(release_id, part, lane_id, office_id, manifest, gate, prio, at, expires) VALUES "
	"(1, 0, 1, 1, x'00', 1, 1, 0, 0), (1, 0, 1, 2, x'00', 0, 1, 0, 0), (1, 0, 1, 3, x'00', 3, 1, 0, 0)";

static void confirming_holds_all_that_could_go_out_twice(void **state)
{
	int64_t held = -1, epoch = store_epoch(ts.s);
	struct err e = { 0 };

	(void)state;
	assert_int_equal(teststore_exec(&ts, scene), 0);
	teststore_stop(&ts);
	edit("UPDATE meta SET fence = 1");
	refused(-EKEYREVOKED, "restore-confirm");
	assert_int_equal(store_restore_confirm(&ts.opts, "an", "uid:0", "", &held, &e), -EINVAL);
	assert_int_equal(
		store_restore_confirm(&ts.opts, "an", "uid:0", "disk replaced", &held, &e), 0);
	assert_int_equal(held, 2);
	assert_int_equal(teststore_start(&ts), 0);
	assert_true(store_epoch(ts.s) > epoch + 1);
	assert_int_equal(teststore_i64(&ts,
				 "SELECT count(*) FROM lot WHERE gate = 2 AND why LIKE "
				 "'restored: check what went out%'"),
		2);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM lot WHERE gate = 3"), 1);
	assert_int_equal(
		teststore_i64(&ts, "SELECT state FROM part WHERE release_id = 1 AND part = 0"), 3);
	assert_int_equal(
		teststore_i64(&ts, "SELECT state FROM part WHERE release_id = 1 AND part = 1"), 2);
	assert_int_equal(teststore_i64(&ts, "SELECT state FROM part WHERE release_id = 2"), 0);
	assert_int_equal(
		teststore_i64(&ts, "SELECT state FROM credential WHERE name = 'rotating'"), 2);
	assert_int_equal(
		teststore_i64(&ts, "SELECT state FROM credential WHERE name = 'fixed'"), 0);
	assert_int_equal(teststore_i64(&ts,
				 "SELECT count(*) FROM audit WHERE what = "
				 "'store.restore_confirm' AND person = 'an' AND why = "
				 "'disk replaced'"),
		1);
	assert_int_equal(teststore_reopen(&ts), 0); /* and it stays open to us */
}

/* A provider that saw a number takes another copy under it for the one that it has. */
static void numbers_given_since_a_backup_are_not_given_again(void **state)
{
	static const char *const plan =
		"INSERT INTO delivery(lot_id, contact_id, once, state, tries, due, target_id) SELECT 1, "
		"ifnull(max(id),0)+1, 1025, 6, 0, 0, 1 FROM delivery";
	int64_t first = 0;

	(void)state;
	assert_int_equal(teststore_exec(&ts, scene), 0);
	assert_int_equal(teststore_exec(&ts, plan), 0);
	for (int restores = 1; restores <= 2; restores++) {
		struct err e = { 0 };
		int64_t last = teststore_i64(&ts, "SELECT max(id) FROM delivery");
		teststore_stop(&ts);
		edit("UPDATE meta SET fence = 1");
		assert_int_equal(store_restore_confirm(&ts.opts, "an", "uid:0", "x", NULL, &e), 0);
		assert_int_equal(teststore_start(&ts), 0);
		assert_int_equal(teststore_exec(&ts, plan), 0);
		first = teststore_i64(&ts, "SELECT max(id) FROM delivery");
		assert_true(first > last + 1000000000);
	}
	assert_true(first < INT64_C(1) << 53);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM delivery WHERE lot_id = 0"), 1);
}

/* A link of a mail that went out since the backup names its contact and its list by number: they come to nobody else. */
static void numbers_of_links_since_a_backup_are_not_given_again(void **state)
{
	static const char *const more =
		"INSERT INTO contact(kind, address, form, class) SELECT 1, 'c'||(ifnull(max(id),0)+1), '', '' FROM contact;"
		"INSERT INTO list(name) SELECT 'l'||(ifnull(max(id),0)+1) FROM list";

	(void)state;
	assert_int_equal(teststore_exec(&ts, more), 0);
	for (int restores = 1; restores <= 2; restores++) {
		struct err e = { 0 };
		int64_t contact = teststore_i64(&ts, "SELECT max(id) FROM contact");
		int64_t list = teststore_i64(&ts, "SELECT max(id) FROM list");
		teststore_stop(&ts);
		edit("UPDATE meta SET fence = 1");
		assert_int_equal(store_restore_confirm(&ts.opts, "an", "uid:0", "x", NULL, &e), 0);
		assert_int_equal(teststore_start(&ts), 0);
		assert_int_equal(teststore_exec(&ts, more), 0);
		assert_true(
			teststore_i64(&ts, "SELECT max(id) FROM contact") > contact + 1000000000);
		assert_true(teststore_i64(&ts, "SELECT max(id) FROM list") > list + 1000000000);
	}
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM contact WHERE kind = 0"), 1);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM list WHERE name LIKE ';%'"), 1);
}

static int on_problem_n;
static void on_problem(void *ctx, const struct fsck_problem *p)
{
	(void)ctx;
	on_problem_n += strcmp(p->check, "reference") == 0 && strstr(p->text, "lot 0") != NULL;
}

static void what_keeps_the_numbers_is_no_problem_of_fsck(void **state)
{
	struct err e = { 0 };
	struct store_reader *r = NULL;
	struct fsck_opts o = { .deep = true, .report = on_problem };
	struct fsck_result res;

	(void)state;
	teststore_stop(&ts);
	edit("UPDATE meta SET fence = 1");
	assert_int_equal(store_restore_confirm(&ts.opts, "an", "uid:0", "x", NULL, &e), 0);
	assert_int_equal(teststore_start(&ts), 0);
	assert_int_equal(store_reader_get(ts.s, &r), 0);
	assert_int_equal(store_fsck(r, &o, &res), 0);
	assert_int_equal(res.problems, 0);
	store_reader_put(ts.s, r);
	assert_int_equal(teststore_exec(&ts, "UPDATE delivery SET state = 0 WHERE lot_id = 0"), 0);
	assert_int_equal(store_reader_get(ts.s, &r), 0);
	assert_int_equal(store_fsck(r, &o, &res), 0);
	assert_true(on_problem_n > 0);
	store_reader_put(ts.s, r);
}

/* Somebody may have let it go since the backup, and then it went out. */
static void what_was_held_for_another_reason_is_held_as_restored(void **state)
{
	struct err e = { 0 };
	int64_t held = 0;

	(void)state;
	assert_int_equal(teststore_exec(&ts, scene), 0);
	assert_int_equal(
		teststore_exec(
			&ts, "UPDATE lot SET gate = 2, why = 'changed: a hotline' WHERE id = 1"),
		0);
	for (int restores = 1; restores <= 2; restores++) {
		teststore_stop(&ts);
		edit("UPDATE meta SET fence = 1");
		assert_int_equal(store_restore_confirm(&ts.opts, "an", "uid:0", "x", &held, &e), 0);
		assert_int_equal(held, 2);
		assert_int_equal(teststore_start(&ts), 0);
	}
	char *why = teststore_text(&ts, "SELECT why FROM lot WHERE id = 1");
	assert_string_equal(
		why, "restored: check what went out since the backup; before: changed: a hotline");
	free(why);
}

static void a_copy_without_epoch_file_can_be_confirmed(void **state)
{
	struct err e = { 0 };

	(void)state;
	teststore_stop(&ts);
	assert_int_equal(unlink(in_dir("epoch")), 0);
	refused(-EKEYREVOKED, "copy");
	assert_int_equal(store_restore_confirm(&ts.opts, "an", "uid:0", "moved", NULL, &e), 0);
	assert_int_equal(teststore_start(&ts), 0);
}

#ifdef LANTOA_FAULTS
/* Dying at each border of the raising of the epoch never locks anybody out, and never lets a fence fall. */
static void dies_at(const char *point, bool confirming)
{
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct store *s = NULL;
		struct err e;
		char spec[64];
		(void)snprintf(spec, sizeof(spec), "%s:0", point);
		setenv("LANTOA_KILL", spec, 1);
		fault_init();
		if (confirming)
			_exit(store_restore_confirm(&ts.opts, "an", "uid:0", "x", NULL, &e) ? 3
											    : 2);
		_exit(store_open(&ts.opts, &s, &e) ? 3 : 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void dying_while_the_epoch_rises_locks_nobody_out(void **state)
{
	(void)state;
	teststore_stop(&ts);
	dies_at("store.epoch.raising", false);
	assert_int_equal(teststore_start(&ts), 0);
	teststore_stop(&ts);
	dies_at("store.epoch.raised", false);
	assert_int_equal(teststore_start(&ts), 0);
	teststore_stop(&ts);
}

static void dying_while_confirming_leaves_the_fence_up(void **state)
{
	(void)state;
	assert_int_equal(teststore_reopen(&ts), 0);
	assert_int_equal(teststore_exec(&ts, scene), 0);
	teststore_stop(&ts);
	edit("UPDATE meta SET epoch = epoch - 1"); /* an older one was put back */
	dies_at("store.epoch.raising", true);
	refused(-EKEYREVOKED, "restore-confirm");
	dies_at("store.epoch.raised", true);
	assert_int_equal(teststore_start(&ts), 0); /* it was committed: lots are held */
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM lot WHERE gate = 2"), 2);
}
#endif

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_newer_schema_is_refused_with_both_numbers),
		T(a_file_of_another_program_is_refused_and_not_touched),
		T(no_database_is_made_by_accident),
		T(a_second_daemon_is_refused),
		T(another_key_is_refused),
		T(the_epoch_rises_with_every_start),
		T(demo_stays_what_the_database_was_made_as),
		T(a_fenced_backup_is_refused),
		T(a_database_without_its_epoch_file_is_refused),
		T(a_damaged_epoch_file_is_refused),
		T(an_older_database_put_back_is_refused),
		T(a_database_of_another_machine_is_refused),
		T(a_copy_with_its_epoch_file_is_refused_and_what_was_moved_is_not),
		T(the_epoch_file_of_another_database_is_refused),
		T(a_database_left_lying_for_days_is_refused),
		T(a_running_daemon_keeps_its_heartbeat),
		T(confirming_holds_all_that_could_go_out_twice),
		T(numbers_given_since_a_backup_are_not_given_again),
		T(numbers_of_links_since_a_backup_are_not_given_again),
		T(what_keeps_the_numbers_is_no_problem_of_fsck),
		T(what_was_held_for_another_reason_is_held_as_restored),
		T(a_copy_without_epoch_file_can_be_confirmed),
#ifdef LANTOA_FAULTS
		T(dying_while_the_epoch_rises_locks_nobody_out),
		T(dying_while_confirming_leaves_the_fence_up),
#endif
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
