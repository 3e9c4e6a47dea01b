/* test_thread.c - the thread around the writer: real time, readers beside it, a WAL that stays bounded. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <cmocka.h>
#include <sqlite3.h>
#include "../../lib/teststore.h"
#include "base/assert.h"
#include "base/fault.h"
#include "store/store_internal.h"

#define COMMANDS 4000

static struct teststore ts;

/* The loop of this test: woken by the store thread. */
static struct {
	pthread_mutex_t mu;
	pthread_cond_t cond;
	size_t wakes;
} loop = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };

static void wake(void *ctx)
{
	UNUSED(ctx);
	pthread_mutex_lock(&loop.mu);
	loop.wakes++;
	pthread_cond_signal(&loop.cond);
	pthread_mutex_unlock(&loop.mu);
}

/* Waits for a wake-up and completes; false after so long without one. */
static bool turn_within(long ms)
{
	struct timespec t;
	int rc = 0;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	pthread_mutex_lock(&loop.mu);
	while (loop.wakes == 0 && rc == 0)
		rc = pthread_cond_timedwait(&loop.cond, &loop.mu, &t);
	loop.wakes = 0;
	pthread_mutex_unlock(&loop.mu);
	store_complete(ts.s);
	return rc == 0;
}

static bool turn(void)
{
	return turn_within(20000);
}

struct add {
	struct store_cmd cmd;
	int64_t size;
	bool done;
};
static size_t dones, failed; /* loop only */

static int add_run(struct store_tx *tx, struct store_cmd *cmd)
{
	return db_exec(tx_db(tx), "INSERT INTO tag(name) VALUES (hex(randomblob(?)))", "i",
		CONTAINER_OF(cmd, struct add, cmd)->size);
}

static void add_done(struct store_cmd *cmd)
{
	dones++;
	failed += cmd->rc < 0;
	CONTAINER_OF(cmd, struct add, cmd)->done = true;
}

static int setup(void **state)
{
	(void)state;
	fault_clear();
	dones = failed = 0;
	loop.wakes = 0;
	ts.real_time = true;
	return teststore_open(&ts);
}

static int teardown(void **state)
{
	(void)state;
	fault_clear();
	teststore_close(&ts);
	return 0;
}

static void start(void)
{
	assert_int_equal(store_thread_start(ts.s, wake, NULL), 0);
}

static void submit_all(struct add *a, size_t n, int64_t size)
{
	for (size_t i = 0; i < n; i++) {
		a[i].cmd.class = (enum store_class)(i % 4);
		a[i].cmd.run = add_run;
		a[i].cmd.done = add_done;
		a[i].size = size;
		while (store_submit(ts.s, &a[i].cmd) == -EAGAIN)
			assert_true(turn());
	}
	while (dones < n)
		assert_true(turn());
}

static void commands_from_the_loop_are_grouped_and_completed(void **state)
{
	struct add *a = x_calloc(COMMANDS, sizeof(*a));
	struct store_stats st;
	uint64_t in_hist = 0;

	(void)state;
	start();
	submit_all(a, COMMANDS, 16);
	store_thread_stop(ts.s);
	store_stats_get(ts.s, &st);
	assert_int_equal(failed, 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM tag"), COMMANDS);
	assert_int_equal(st.commands, COMMANDS);
	assert_true(st.transactions < COMMANDS); /* a group has more than one */
	for (size_t i = 0; i < 16; i++)
		in_hist += st.tx_us_hist[i];
	assert_int_equal(in_hist, st.transactions);
	assert_true(st.tx_us_max > 0 && st.tx_us_total >= st.tx_us_max);
	free(a);
}

static void stopping_runs_what_is_queued(void **state)
{
	struct add a[50] = { 0 };

	(void)state;
	start();
	for (size_t i = 0; i < 50; i++) {
		a[i] = (struct add){
			.cmd = { .class = STORE_CONTROL, .run = add_run, .done = add_done },
			.size = 8
		};
		assert_int_equal(store_submit(ts.s, &a[i].cmd), 0);
	}
	store_thread_stop(ts.s);
	store_complete(ts.s);
	assert_int_equal(dones, 50);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM tag"), 50);
	start(); /* and it can be started again */
	store_thread_stop(ts.s);
}

#ifdef LANTOA_FAULTS
static void outcomes_that_could_not_be_committed_are_tried_again(void **state)
{
	struct add a = { .cmd = { .class = STORE_OUTCOME, .run = add_run, .done = add_done },
		.size = 8 };

	(void)state;
	fault_set("store.commit", 0, 3);
	start();
	assert_int_equal(store_submit(ts.s, &a.cmd), 0);
	while (!a.done)
		assert_true(turn());
	assert_int_equal(a.cmd.rc, 0);
	store_thread_stop(ts.s);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM tag"), 1);
}
#endif

/* --- readers ---------------------------------------------------------------------------------------------------------- */

struct reading {
	pthread_t thread;
	atomic_bool *stop;
	int64_t reads;
	bool wrong;
};

/* Short snapshots without a pause: with several of these the WAL is never without a reader. */
static void *read_on(void *arg)
{
	struct reading *rd = arg;

	while (!atomic_load(rd->stop)) {
		struct store_reader *r = NULL;
		int64_t one = -1, two = -1;
		struct timespec pause = { 0, 3000000 };
		if (store_reader_get(ts.s, &r) < 0) {
			rd->wrong = true;
			return NULL;
		}
		bool ok = reader_begin(r) == 0 &&
			db_get_i64(reader_db(r), &one, "SELECT count(*) FROM tag", "") == 1;
		nanosleep(&pause, NULL); /* the snapshot is held a while: that is the point */
		ok = ok && db_get_i64(reader_db(r), &two, "SELECT count(*) FROM tag", "") == 1;
		reader_end(r);
		store_reader_put(ts.s, r);
		rd->wrong |= !ok || one != two;
		rd->reads++;
	}
	return NULL;
}

static void readers_beside_the_writer_see_still_snapshots_and_the_log_stays_bounded(void **state)
{
	struct reading rd[4] = { 0 };
	struct add *a = x_calloc(COMMANDS, sizeof(*a));
	atomic_bool stop = false;
	struct store_stats st;

	(void)state;
	teststore_stop(&ts);
	ts.opts.wal_max_bytes = INT64_C(4) << 20;
	assert_int_equal(teststore_start(&ts), 0);
	start();
	for (size_t i = 0; i < 4; i++) {
		rd[i].stop = &stop;
		assert_int_equal(pthread_create(&rd[i].thread, NULL, read_on, &rd[i]), 0);
	}
	submit_all(a, COMMANDS, 3000); /* some 40 MB through the log */
	atomic_store(&stop, true);
	for (size_t i = 0; i < 4; i++)
		pthread_join(rd[i].thread, NULL);
	store_thread_stop(ts.s);
	store_stats_get(ts.s, &st);
	assert_int_equal(failed, 0);
	for (size_t i = 0; i < 4; i++) {
		assert_false(rd[i].wrong);
		assert_true(rd[i].reads > 0);
	}
	assert_true(st.checkpoints > 0);
	print_message("log at most %d KB, %d checkpoints, %d transactions\n",
		(int)(st.wal_bytes_max >> 10), (int)st.checkpoints, (int)st.transactions);
	assert_true(st.wal_bytes_max < UINT64_C(16) << 20);
	free(a);
}

static void an_idle_second_empties_the_log(void **state)
{
	struct add a = { .cmd = { .class = STORE_CONTROL, .run = add_run, .done = add_done },
		.size = 50000 };
	char path[300];
	struct stat st = { .st_size = 1 };

	(void)state;
	start();
	assert_int_equal(store_submit(ts.s, &a.cmd), 0);
	while (!a.done)
		assert_true(turn());
	(void)snprintf(path, sizeof(path), "%s/lantoa.db-wal", ts.dir);
	for (int i = 0; i < 500 && (stat(path, &st) < 0 || st.st_size > 0); i++)
		nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
	assert_int_equal(st.st_size, 0);
	store_thread_stop(ts.s);
}

static void a_worker_waits_for_a_reader_that_is_given_back(void **state)
{
	struct store_reader *r[8];
	struct reading rd = { 0 };
	atomic_bool stop = false;

	(void)state;
	start();
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(store_reader_get(ts.s, &r[i]), 0);
	rd.stop = &stop;
	assert_int_equal(pthread_create(&rd.thread, NULL, read_on, &rd), 0);
	store_reader_put(ts.s, r[3]);
	atomic_store(&stop, true);
	pthread_join(rd.thread, NULL);
	assert_false(rd.wrong);
	for (size_t i = 0; i < 8; i++)
		if (i != 3)
			store_reader_put(ts.s, r[i]);
	store_thread_stop(ts.s);
}

/* --- bulk beside what people and deliveries wait for --------------------------------------------------------------------------- */

static _Atomic int64_t clock_us;

static int64_t clock_read(void *ctx)
{
	UNUSED(ctx);
	return atomic_load(&clock_us);
}

static int setup_clock(void **state)
{
	(void)state;
	fault_clear();
	dones = failed = 0;
	loop.wakes = 0;
	ts.real_time = true;
	atomic_store(&clock_us, 1000000);
	assert_int_equal(teststore_make(&ts), 0);
	ts.opts.mono_us = clock_read;
	return teststore_start(&ts);
}

/* Each commit takes as long as the test says. */
static _Atomic int64_t commit_takes_us;

static int on_commit(void *ctx)
{
	UNUSED(ctx);
	atomic_fetch_add(&clock_us, atomic_load(&commit_takes_us));
	return 0;
}

static int on_open(sqlite3 *db, char **e, const struct sqlite3_api_routines *api)
{
	UNUSED(e);
	UNUSED(api);
	(void)sqlite3_commit_hook(db, on_commit, NULL);
	return SQLITE_OK;
}

static int setup_commits(void **state)
{
	atomic_store(&commit_takes_us, 0);
	assert_int_equal(sqlite3_auto_extension((void (*)(void))on_open), SQLITE_OK);
	return setup_clock(state);
}

static int teardown_commits(void **state)
{
	sqlite3_reset_auto_extension();
	return teardown(state);
}

static void submit_one(struct add *a, enum store_class class)
{
	*a = (struct add){ .cmd = { .class = class, .run = add_run, .done = add_done },
		.size = 16 };
	assert_int_equal(store_submit(ts.s, &a->cmd), 0);
}

static void round_trip(enum store_class class)
{
	struct add a;

	submit_one(&a, class);
	while (!a.done)
		assert_true(turn());
}

static void control_round_trip(void)
{
	round_trip(STORE_CONTROL);
}

static void bulk_leaves_the_store_to_what_follows_a_command(void **state)
{
	struct add bulk;

	(void)state;
	start();
	submit_one(&bulk, STORE_BULK);
	while (!bulk.done) /* alone: at once */
		assert_true(turn());
	control_round_trip();
	submit_one(&bulk, STORE_BULK);
	for (int i = 0; i < 20; i++) {
		control_round_trip(); /* what follows, each within the quiet time */
		atomic_fetch_add(&clock_us, 9000);
		assert_false(turn_within(5));
		assert_false(bulk.done);
	}
	atomic_fetch_add(&clock_us, 31000); /* quiet for so long */
	while (!bulk.done)
		assert_true(turn());
	store_thread_stop(ts.s);
	assert_int_equal(failed, 0);
}

static void the_quiet_begins_behind_a_commit_however_long_it_took(void **state)
{
	struct add bulk;

	(void)state;
	start();
	submit_one(&bulk, STORE_BULK);
	while (!bulk.done)
		assert_true(turn());
	atomic_store(&commit_takes_us, 40000);
	control_round_trip();
	submit_one(&bulk, STORE_BULK);
	assert_false(turn_within(20));
	assert_false(bulk.done);
	atomic_fetch_add(&clock_us, 31000);
	while (!bulk.done)
		assert_true(turn());
	store_thread_stop(ts.s);
	assert_int_equal(failed, 0);
}

/* A chunk runs only once so much time has gone, to the millisecond. */
static void expect_bulk_after_ms(int ms, bool pressing)
{
	struct add bulk = { .cmd = { .class = STORE_BULK,
				    .pressing = pressing,
				    .run = add_run,
				    .done = add_done },
		.size = 16 };

	assert_int_equal(store_submit(ts.s, &bulk.cmd), 0);
	if (ms > 0) {
		atomic_fetch_add(&clock_us, 1000 * ms - 1000);
		assert_false(turn_within(30));
		assert_false(bulk.done);
		atomic_fetch_add(&clock_us, 1000);
	}
	while (!bulk.done)
		assert_true(turn());
}

static void bulk_rests_between_chunks_while_something_is_sent_unless_it_presses(void **state)
{
	(void)state;
	start();
	control_round_trip();
	expect_bulk_after_ms(30, false); /* the quiet */
	expect_bulk_after_ms(0, false);  /* a person's command is no delivery */
	round_trip(STORE_INTENT);
	expect_bulk_after_ms(30, false);
	expect_bulk_after_ms(8, false);
	expect_bulk_after_ms(0, true);
	expect_bulk_after_ms(8, false);
	atomic_fetch_add(&clock_us, 500000);
	expect_bulk_after_ms(0, false); /* nobody is about any more */
	expect_bulk_after_ms(0, false);
	store_thread_stop(ts.s);
	assert_int_equal(failed, 0);
}

static void bulk_gets_its_turn_however_much_follows(void **state)
{
	struct add bulk;
	int rounds = 0;

	(void)state;
	start();
	submit_one(&bulk, STORE_BULK);
	while (!bulk.done)
		assert_true(turn());
	control_round_trip();
	submit_one(&bulk, STORE_BULK);
	while (!bulk.done) {
		atomic_fetch_add(&clock_us, 9000);
		control_round_trip();
		assert_true(++rounds <= 30); /* 200 ms are 23 of them */
	}
	assert_true(rounds > 10);
	store_thread_stop(ts.s);
	assert_int_equal(failed, 0);
}

/* One transaction over the limit, beside a reader: from here on the log is too long and somebody reads in it. */
static void log_too_long(struct store_reader **r)
{
	struct add big = { .cmd = { .class = STORE_CONTROL, .run = add_run, .done = add_done },
		.size = 100000 };
	int64_t n;

	assert_int_equal(store_reader_open(ts.s, r), 0);
	assert_int_equal(db_get_i64(reader_db(*r), &n, "SELECT count(*) FROM tag", ""), 1);
	assert_int_equal(store_submit(ts.s, &big.cmd), 0);
	while (!big.done)
		assert_true(turn());
	control_round_trip(); /* what follows the first commit is over now: the pressure is on */
}

static int setup_short_log(void **state)
{
	int rc = setup_clock(state);

	teststore_stop(&ts);
	ts.opts.wal_max_bytes = 65536;
	return rc ? rc : teststore_start(&ts);
}

static void bulk_waits_for_readers_of_a_log_too_long_and_outcomes_do_not(void **state)
{
	struct store_reader *r;
	struct add bulk, outcome;

	(void)state;
	start();
	log_too_long(&r);
	submit_one(&bulk, STORE_BULK);
	for (int i = 0; i < 8; i++) {
		atomic_fetch_add(&clock_us, 45000); /* quiet, and longer apart than bulk needs */
		assert_false(turn_within(10));
		assert_false(bulk.done);
		submit_one(&outcome, STORE_OUTCOME);
		while (!outcome.done)
			assert_true(turn());
		assert_false(bulk.done);
	}
	store_reader_close(r);
	atomic_fetch_add(&clock_us, 45000);
	while (!bulk.done)
		assert_true(turn());
	store_thread_stop(ts.s);
	assert_int_equal(failed, 0);
}

static void bulk_waits_half_a_second_for_readers_at_most(void **state)
{
	struct store_reader *r;
	struct add bulk;

	(void)state;
	start();
	log_too_long(&r);
	submit_one(&bulk, STORE_BULK);
	atomic_fetch_add(&clock_us, 490000);
	assert_false(turn_within(20));
	assert_false(bulk.done);
	atomic_fetch_add(&clock_us, 11000);
	while (!bulk.done)
		assert_true(turn());
	store_reader_close(r);
	store_thread_stop(ts.s);
	assert_int_equal(failed, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(commands_from_the_loop_are_grouped_and_completed),
		T(stopping_runs_what_is_queued),
#ifdef LANTOA_FAULTS
		T(outcomes_that_could_not_be_committed_are_tried_again),
#endif
		T(readers_beside_the_writer_see_still_snapshots_and_the_log_stays_bounded),
		T(an_idle_second_empties_the_log),
		T(a_worker_waits_for_a_reader_that_is_given_back),
		cmocka_unit_test_setup_teardown(
			bulk_leaves_the_store_to_what_follows_a_command, setup_clock, teardown),
		cmocka_unit_test_setup_teardown(
			bulk_rests_between_chunks_while_something_is_sent_unless_it_presses,
			setup_clock, teardown),
		cmocka_unit_test_setup_teardown(
			bulk_gets_its_turn_however_much_follows, setup_clock, teardown),
		cmocka_unit_test_setup_teardown(
			the_quiet_begins_behind_a_commit_however_long_it_took, setup_commits,
			teardown_commits),
		cmocka_unit_test_setup_teardown(
			bulk_waits_for_readers_of_a_log_too_long_and_outcomes_do_not,
			setup_short_log, teardown),
		cmocka_unit_test_setup_teardown(
			bulk_waits_half_a_second_for_readers_at_most, setup_short_log, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
