/* test_import_crash.c - an import that is cut or finds no room: a crash between its chunks, a full disk, a stop. */
#include <fcntl.h>
#include "importscene.h"
#include "store/store_office.h"

/* Only fault points bring these about. */
#ifdef LANTOA_FAULTS

#define MANY 20000

static char *many(size_t *ret_n)
{
	struct buf b;
	buf_init(&b, 4u << 20);
	buf_addz(&b, HEAD);
	for (int i = 0; i < MANY; i++)
		buf_addf(&b, "email,user%05d@gmail.example,ha-noi,Người %d,,list%d\n", i, i, i % 3);
	return buf_take(&b, ret_n);
}

/* Killed after n turns of the store, and opened again. The upload stood at *ret_path. */
static void crash_in_the_middle(int turns, char ret_path[static 400])
{
	size_t n;
	char *text = many(&n);
	struct err e;
	const struct actor who = { .person = "x", .via = "uid:1" };
	struct import_opts o;
	samples();
	(void)snprintf(ret_path, 400, "%s/up-1", store_staging_dir(ts.s));
	assert_int_equal(file_write_durable(ret_path, (struct str){ text, n }, 0600, &e), 0);
	free(text);
	const struct staged s = { .path = ret_path, .name = "many.csv" };
	o = opts();
	answers = 0;
	import_run(&o, IMPORT_WHAT_TARGETS, &s, &who, false, on_done, NULL);
	for (int i = 0; i < turns && answers == 0;) {
		testenv_settle(&te);
		te.mono += 1; /* so that chunks see time pass */
		i += store_run(ts.s) > 0;
		(void)store_complete(ts.s);
	}
	bool finished = answers > 0;
	fault_set("import.chunk", 0, 1);
	if (!finished) { /* what is under way ends here: the importer gives up, its job stays */
		pump();
		assert_int_equal(answers, 1);
		assert_true(answer_rc < 0);
	}
	fault_clear();
	teststore_kill(&ts);
	assert_int_equal(teststore_start(&ts), 0);
}

/* What the next start makes of it; *stopping, where it is given, is the daemon's. */
static int start_again(const bool *stopping)
{
	struct import_opts o = opts();
	o.stopping = stopping;
	answers = 0;
	import_start(&o, on_done, NULL);
	pump();
	assert_int_equal(answers, 1);
	return answer_rc;
}

static void stage_of_job(char sub[static 400])
{
	char *name = teststore_text(&ts, "SELECT arg FROM job WHERE kind=2");
	assert_non_null(name);
	(void)snprintf(sub, 400, "%s/%s", store_staging_dir(ts.s), name);
	free(name);
}

static void lose_stage_of_job(void)
{
	char sub[400];
	stage_of_job(sub);
	assert_int_equal(unlink(sub), 0);
}

/* Gone on after a crash: the whole file is there, once, or nothing of it. */
static void crash_after(int turns, bool lose_stage)
{
	char path[400];
	crash_in_the_middle(turns, path);
	if (lose_stage)
		lose_stage_of_job();
	assert_int_equal(start_again(NULL), 0);
	assert_int_equal(access(path, F_OK), -1); /* the upload of the run that was cut */
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM job"), 0);
	assert_int_equal(
		teststore_i64(&ts, "SELECT count(*) FROM target"), lose_stage ? 179 : 179 + MANY);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM target_tag x JOIN tag g ON g.id=x.tag_id WHERE g.name LIKE 'list%'"),
		lose_stage ? 0 : MANY);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM contact"),
		teststore_i64(&ts, "SELECT count(DISTINCT contact_id) FROM target"));
}

static void an_import_that_was_cut_goes_on_after_a_restart(void **state)
{
	(void)state;
	crash_after(2, false);
}

static void an_import_whose_staging_file_is_gone_is_taken_back(void **state)
{
	(void)state;
	crash_after(2, true);
}

static void a_staging_file_that_cannot_be_read_any_more_is_said_with_its_reason(void **state)
{
	(void)state;
	char path[400];
	crash_in_the_middle(2, path);
	stage_of_job(path);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	const uint32_t longer = UINT32_MAX; /* a step longer than the file */
	off_t at = 8 + (off_t)teststore_i64(&ts, "SELECT cursor FROM job WHERE kind=2");
	assert_int_equal(pwrite(fd, &longer, sizeof(longer), at), sizeof(longer));
	assert_int_equal(close(fd), 0);
	assert_int_equal(start_again(NULL), -EBADMSG);
	assert_int_equal(answer_err.code, -EBADMSG);
	assert_non_null(strstr(answer_err.text, "goes on at the next start: the staging file"));
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM job WHERE kind=2"), 1);
}

/* The daemon stops at some turn of the store after its start: what had begun is left as it is, for the next one. */
static void an_import_that_goes_on_at_the_start_ends_when_the_daemon_stops(void **state)
{
	(void)state;
	bool stopping = false;
	char path[400];
	crash_in_the_middle(2, path);
	ts.look_us = 10000; /* a chunk ends at its first look at the clock */
	for (int turns = 0; turns < 4; turns++) {
		struct import_opts o = opts();
		o.stopping = &stopping;
		answers = 0;
		stopping = false;
		import_start(&o, on_done, NULL);
		for (int i = 0; i < turns;) {
			testenv_settle(&te);
			i += store_run(ts.s) > 0;
			(void)store_complete(ts.s);
		}
		stopping = true;
		pump();
		assert_int_equal(answers, 1);
		assert_int_equal(answer_rc, -ECANCELED);
		assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM job WHERE kind=2"), 1);
	}
	ts.look_us = 0;
	assert_int_equal(start_again(NULL), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM job"), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM target"), 179 + MANY);
}

static void what_is_taken_back_at_the_start_ends_when_the_daemon_stops(void **state)
{
	(void)state;
	const bool stopping = true;
	char path[400];
	crash_in_the_middle(2, path);
	lose_stage_of_job();
	assert_int_equal(start_again(&stopping), -ECANCELED);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM job WHERE kind=2"), 1);
	assert_int_equal(start_again(NULL), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM job"), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM target"), 179);
}

static void a_disk_that_stays_full_keeps_no_daemon_from_stopping(void **state)
{
	(void)state;
	size_t n;
	char *text = many(&n), path[400];
	struct err e;
	bool stopping = false;
	struct import_opts o = opts();
	const struct actor who = { .person = "x", .via = "uid:1" };
	const struct staged s = { .path = path, .name = "many.csv" };
	samples();
	(void)snprintf(path, sizeof(path), "%s/up-1", store_staging_dir(ts.s));
	assert_int_equal(file_write_durable(path, (struct str){ text, n }, 0600, &e), 0);
	free(text);
	fault_set("store.full", 2, 1000000);
	o.stopping = &stopping;
	answers = 0;
	import_run(&o, IMPORT_WHAT_TARGETS, &s, &who, false, on_done, NULL);
	for (int i = 0; i < 50; i++) {
		testenv_advance(&te, 100);
		(void)store_run(ts.s);
		(void)store_complete(ts.s);
	}
	assert_int_equal(answers, 0);
	stopping = true;
	pump();
	assert_int_equal(answers, 1);
	assert_int_equal(answer_rc, -ECANCELED);
	assert_non_null(strstr(answer_err.text, "goes on at the next start"));
	fault_clear();
	assert_int_equal(start_again(NULL), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM target"), 179 + MANY);
}

static void a_start_that_could_not_be_stored_says_why(void **state)
{
	(void)state;
	samples();
	fault_set("store.commit", 0, 1);
	assert_int_equal(start_again(NULL), -EBUSY);
	assert_non_null(strstr(answer_err.text, "the transaction could not be written"));
}

/* A store that is dead takes no commands: what has begun is left with a reason. */
static void what_the_store_does_not_take_is_left_with_a_reason(void **state)
{
	(void)state;
	char path[400];
	crash_in_the_middle(2, path);
	struct office_settle s = { .more = false };
	office_settle_prepare(&s);
	fault_set("store.fsync", 0, 1);
	assert_int_equal(teststore_do(&ts, &s.cmd), -EIO);
	assert_int_equal(start_again(NULL), -EIO);
	assert_non_null(strstr(answer_err.text, "goes on at the next start: Input/output error"));
}

static void a_disk_that_is_full_is_waited_for(void **state)
{
	(void)state;
	size_t n;
	char *text = many(&n);
	samples();
	fault_set("store.full", 2, 2);
	assert_int_equal(run_text(IMPORT_WHAT_TARGETS, "many.csv", text, n), 0);
	free(text);
	assert_counts(MANY, 0, 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM target"), 179 + MANY);
}

/* At its last step, or when a start takes it up: what has begun would stand in the way of every other import until a restart. */
static void what_has_begun_waits_for_a_full_disk_to_its_end(void **state)
{
	(void)state;
	char path[400];
	samples();
	fault_set("store.full", 2, 3); /* begin, one chunk */
	assert_int_equal(
		run_z(IMPORT_WHAT_TARGETS, "few.csv", HEAD "email,a@gmail.example,hue,,,\n"), 0);
	fault_clear();
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM job"), 0);
	for (int lost = 0; lost < 2; lost++) {
		teardown(NULL);
		setup(NULL);
		crash_in_the_middle(2, path);
		if (lost)
			lose_stage_of_job();
		fault_set("store.full", 0, 3);
		assert_int_equal(start_again(NULL), 0);
		fault_clear();
		assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM job"), 0);
		assert_int_equal(
			teststore_i64(&ts, "SELECT count(*) FROM target"), lost ? 179 : 179 + MANY);
	}
}

#endif

/* Outcomes keep their room: what an import needs beside the file that was uploaded is looked at, too. */
static void an_import_that_leaves_less_than_the_floor_is_refused(void **state)
{
	(void)state;
	struct buf b;
	char path[400];
	struct err e;
	teststore_stop(&ts);
	ts.opts.free_floor_bytes = 64 << 20;
	assert_int_equal(teststore_start(&ts), 0);
	samples();
	buf_init(&b, 8u << 20);
	buf_addz(&b, HEAD);
	for (int i = 0; i < 60000; i++)
		buf_addf(&b, "email,user%05d@gmail.example,ha-noi,,,\n", i);
	(void)snprintf(path, sizeof(path), "%s/up-1", store_staging_dir(ts.s));
	assert_int_equal(file_write_durable(path, buf_str(&b), 0600, &e), 0);
	ts.free_bytes = (64 << 20) + (int64_t)b.n;
	buf_done(&b);
	assert_int_equal(run_path(IMPORT_WHAT_TARGETS, path, "many.csv", true), -ENOSPC);
	assert_non_null(strstr(answer_err.text, "free_floor"));
	ts.free_bytes = INT64_C(1) << 40;
	assert_int_equal(run_path(IMPORT_WHAT_TARGETS, path, "many.csv", true), 0);
	(void)unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef LANTOA_FAULTS
		T(an_import_that_was_cut_goes_on_after_a_restart),
		T(an_import_whose_staging_file_is_gone_is_taken_back),
		T(a_staging_file_that_cannot_be_read_any_more_is_said_with_its_reason),
		T(an_import_that_goes_on_at_the_start_ends_when_the_daemon_stops),
		T(what_is_taken_back_at_the_start_ends_when_the_daemon_stops),
		T(a_disk_that_stays_full_keeps_no_daemon_from_stopping),
		T(a_disk_that_is_full_is_waited_for),
		T(what_has_begun_waits_for_a_full_disk_to_its_end),
		T(a_start_that_could_not_be_stored_says_why),
		T(what_the_store_does_not_take_is_left_with_a_reason),
#endif
		T(an_import_that_leaves_less_than_the_floor_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
