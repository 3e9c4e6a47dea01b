/* test_engine.c - group commit: order, savepoints, chunks of bulk, what a failed commit does to whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>
#include "../../lib/teststore.h"
#include "base/assert.h"
#include "base/fault.h"
#include "store/store_exchange.h"
#include "store/store_internal.h"

static struct teststore ts;

/* A command that adds a tag, takes virtual time, and may fail. */
struct add {
	struct store_cmd cmd;
	const char *name;
	int fail_with;
	int64_t takes_us;
	int runs, dones;
};

static struct {
	const char *name[64];
	size_t n;
} order;

static int add_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct add *a = CONTAINER_OF(cmd, struct add, cmd);
	int rc = db_exec(tx_db(tx), "INSERT INTO tag(name) VALUES (?)", "t", a->name);

	a->runs++;
	ts.mono_us += a->takes_us;
	if (order.n < ARRAY_LEN(order.name))
		order.name[order.n++] = a->name;
	return rc < 0 ? rc : a->fail_with;
}

static void add_done(struct store_cmd *cmd)
{
	CONTAINER_OF(cmd, struct add, cmd)->dones++;
}

static struct add adding(enum store_class class, const char *name)
{
	return (struct add){ .cmd = { .class = class, .run = add_run, .done = add_done, .rc = 99 },
		.name = name };
}

static void submit(struct add *a)
{
	assert_int_equal(store_submit(ts.s, &a->cmd), 0);
}

static int64_t tags(void)
{
	return teststore_i64(&ts, "SELECT count(*) FROM tag");
}

static int setup(void **state)
{
	(void)state;
	fault_clear();
	order.n = 0;
	ts.real_time = false;
	return teststore_open(&ts);
}

static int teardown(void **state)
{
	(void)state;
	fault_clear();
	teststore_close(&ts);
	return 0;
}

/* --- the happy path --------------------------------------------------------------------------------------------------- */

static void a_completion_comes_only_after_the_commit(void **state)
{
	struct add a = adding(STORE_CONTROL, "a");

	(void)state;
	submit(&a);
	assert_int_equal(store_complete(ts.s), 0);
	assert_int_equal(store_run(ts.s), 1);
	assert_int_equal(a.dones, 0);
	assert_int_equal(store_complete(ts.s), 1);
	assert_int_equal(a.dones, 1);
	assert_int_equal(a.cmd.rc, 0);
	assert_int_equal(tags(), 1);
	assert_int_equal(store_run(ts.s), 0);
}

static void classes_run_in_order_and_many_share_one_commit(void **state)
{
	struct add bulk = adding(STORE_BULK, "bulk"), control = adding(STORE_CONTROL, "control"),
		   intent = adding(STORE_INTENT, "intent"), one = adding(STORE_OUTCOME, "one"),
		   two = adding(STORE_OUTCOME, "two");
	struct store_stats before, after;

	(void)state;
	store_stats_get(ts.s, &before);
	submit(&bulk);
	submit(&control);
	submit(&intent);
	submit(&one);
	submit(&two);
	assert_int_equal(store_run(ts.s), 5);
	store_stats_get(ts.s, &after);
	assert_int_equal(after.transactions - before.transactions, 1);
	assert_int_equal(after.commands - before.commands, 5);
	assert_int_equal(after.rows - before.rows, 5);
	const char *want[] = { "one", "two", "intent", "control", "bulk" };
	assert_int_equal(order.n, 5);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(order.name[i], want[i]);
	store_complete(ts.s);
}

static void at_most_one_bulk_chunk_joins_a_transaction(void **state)
{
	struct add a = adding(STORE_BULK, "a"), b = adding(STORE_BULK, "b");

	(void)state;
	submit(&a);
	submit(&b);
	assert_int_equal(store_run(ts.s), 1);
	assert_int_equal(a.runs + b.runs, 1);
	assert_int_equal(store_run(ts.s), 1);
	assert_int_equal(b.runs, 1);
	store_complete(ts.s);
}

static void a_long_transaction_leaves_the_rest_for_the_next(void **state)
{
	struct add out[10], control = adding(STORE_CONTROL, "stop"),
			    bulk = adding(STORE_BULK, "bulk");
	static const char *const names[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" };

	(void)state;
	for (size_t i = 0; i < 10; i++) {
		out[i] = adding(STORE_OUTCOME, names[i]);
		out[i].takes_us = 10000;
		submit(&out[i]);
	}
	submit(&control);
	submit(&bulk);
	store_run(ts.s);
	assert_int_equal(control.runs, 1); /* a stop is never starved */
	assert_int_equal(bulk.runs, 0);
	assert_in_range(order.n, 3, 5);
	for (int i = 0; i < 10 && store_run(ts.s) > 0; i++)
		;
	assert_int_equal(bulk.runs, 1);
	assert_int_equal(tags(), 12);
	store_complete(ts.s);
}

/* --- refusals ---------------------------------------------------------------------------------------------------------- */

static void no_intent_goes_before_an_outcome_that_was_there_before_it(void **state)
{
	struct add slow = adding(STORE_OUTCOME, "slow"), freed = adding(STORE_OUTCOME, "freed"),
		   next = adding(STORE_INTENT, "next"), stop = adding(STORE_CONTROL, "stop"),
		   later = adding(STORE_OUTCOME, "later");

	(void)state;
	slow.takes_us = freed.takes_us = 40000; /* the transaction has no room behind either */
	submit(&slow);
	submit(&freed);
	submit(&next);
	submit(&later);
	submit(&stop);
	assert_int_equal(store_run(ts.s), 2);
	assert_int_equal(slow.runs + stop.runs, 2); /* others go on */
	assert_int_equal(store_run(ts.s), 2);
	assert_int_equal(freed.runs + next.runs, 2); /* in one commit; it waits for no later one */
	assert_int_equal(store_run(ts.s), 1);
	assert_int_equal(later.runs, 1);
	store_complete(ts.s);
}

static void a_command_that_fails_is_rolled_back_alone(void **state)
{
	struct add a = adding(STORE_CONTROL, "a"), b = adding(STORE_CONTROL, "b"),
		   twice = adding(STORE_CONTROL, "a");

	(void)state;
	b.fail_with = -EDOM;
	submit(&a);
	submit(&b);
	submit(&twice);
	assert_int_equal(store_run(ts.s), 3);
	store_complete(ts.s);
	assert_int_equal(a.cmd.rc, 0);
	assert_int_equal(b.cmd.rc, -EDOM);
	assert_true(b.cmd.err.text[0] != '\0');
	assert_int_equal(twice.cmd.rc, -EEXIST);
	assert_int_equal(tags(), 1);
}

struct say {
	struct store_cmd cmd;
	int64_t delivery;
	int fail_with;
};

static int say_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct say *s = CONTAINER_OF(cmd, struct say, cmd);

	store_exchange_put(tx,
		&(struct exchange_rec){
			.delivery = s->delivery, .try_no = 1, .body = STR("hello") });
	return s->fail_with;
}

static void count_row(void *ctx, const struct exchange_rec *rec)
{
	(void)rec;
	++*(int *)ctx;
}

static int exchange_rows(int64_t delivery)
{
	struct store_reader *r = teststore_reader(&ts);
	int seen = 0;
	int n = store_exchange_list(r, delivery, count_row, &seen);

	teststore_reader_end(&ts, r);
	assert_int_equal(n, seen);
	return n;
}

/* It runs without a savepoint there; beside others it has one. */
static void a_chunk_of_bulk_that_fails_leaves_nothing_alone_or_beside_others(void **state)
{
	(void)state;
	for (int beside = 0; beside < 2; beside++) {
		struct add bulk = adding(STORE_BULK, "bulk"),
			   other = adding(STORE_CONTROL, "other"),
			   next = adding(STORE_BULK, "next");
		bulk.fail_with = -EINVAL;
		ts.mono_us += 1000000;
		if (beside)
			submit(&other);
		submit(&bulk);
		assert_int_equal(store_run(ts.s), 1 + beside);
		assert_int_equal(store_complete(ts.s), 1 + beside);
		assert_int_equal(bulk.cmd.rc, -EINVAL);
		assert_int_equal(bulk.dones, 1);
		assert_int_equal(tags(), beside ? 2 : 0);
		ts.mono_us += 1000000;
		submit(&next);
		assert_int_equal(store_run(ts.s), 1);
		assert_int_equal(store_complete(ts.s), 1);
		assert_int_equal(next.cmd.rc, beside ? -EEXIST : 0);
		assert_int_equal(tags(), beside ? 2 : 1);
	}
}

/* A chunk in steps of 100 us, as those of the product; behind step_at somebody comes. */
struct steps {
	struct store_cmd cmd;
	struct add *comes;
	int step_at, steps;
};

static int steps_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct steps *s = CONTAINER_OF(cmd, struct steps, cmd);

	for (s->steps = 0; tx_elapsed_us(tx) < tx_chunk_us(tx); s->steps++) {
		if (s->steps == s->step_at)
			submit(s->comes);
		ts.mono_us += 100;
	}
	return 0;
}

static int steps_when_one_comes(int step_at)
{
	struct add comes = adding(STORE_CONTROL, "comes");
	struct steps s = { .cmd = { .class = STORE_BULK, .run = steps_run },
		.comes = &comes,
		.step_at = step_at };

	ts.mono_us += 10 * INT64_C(1000000);
	assert_int_equal(store_submit(ts.s, &s.cmd), 0);
	assert_int_equal(store_run(ts.s), 1);
	assert_int_equal(comes.runs, 0);
	if (step_at >= 0)
		assert_int_equal(store_run(ts.s), 1);
	assert_int_equal(store_complete(ts.s), 1 + comes.runs);
	assert_int_equal(comes.runs, step_at >= 0);
	return s.steps;
}

static void a_chunk_ends_soon_once_somebody_waits(void **state)
{
	(void)state;
	assert_int_equal(steps_when_one_comes(-1), TX_CHUNK_US / 100);
	assert_int_equal(steps_when_one_comes(0), TX_CHUNK_WAITED_US / 100);
	assert_int_equal(steps_when_one_comes(40), 41);
}

/* Who always waits cannot keep a chunk from its first step, late as that may come. */
static int late_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct steps *s = CONTAINER_OF(cmd, struct steps, cmd);

	submit(s->comes);
	ts.mono_us += 2 * TX_CHUNK_WAITED_US;
	while (tx_elapsed_us(tx) < tx_chunk_us(tx)) {
		s->steps++;
		ts.mono_us += 100;
	}
	return 0;
}

static void a_chunk_that_is_waited_for_goes_on_by_a_step(void **state)
{
	struct add comes = adding(STORE_CONTROL, "comes");
	struct steps s = { .cmd = { .class = STORE_BULK, .run = late_run }, .comes = &comes };

	(void)state;
	ts.mono_us += 10 * INT64_C(1000000);
	assert_int_equal(store_submit(ts.s, &s.cmd), 0);
	assert_int_equal(store_run(ts.s), 1);
	assert_int_equal(s.steps, 1);
	teststore_drain(&ts);
}

static void an_exchange_record_goes_with_its_command(void **state)
{
	struct say kept = { .cmd = { .class = STORE_OUTCOME, .run = say_run }, .delivery = 1 };
	struct say gone = {
		.cmd = { .class = STORE_OUTCOME, .run = say_run }, .delivery = 2, .fail_with = -EDOM
	};

	(void)state;
	assert_int_equal(store_submit(ts.s, &kept.cmd), 0);
	assert_int_equal(store_submit(ts.s, &gone.cmd), 0);
	store_run(ts.s);
	store_complete(ts.s);
	assert_int_equal(exchange_rows(1), 1);
	assert_int_equal(exchange_rows(2), 0);
}

static void a_full_queue_refuses_everything_but_outcomes(void **state)
{
	struct add a = adding(STORE_CONTROL, "a"), b = adding(STORE_INTENT, "b"),
		   c = adding(STORE_BULK, "c"), o = adding(STORE_OUTCOME, "o");

	(void)state;
	teststore_stop(&ts);
	ts.opts.queue_max = 2;
	assert_int_equal(teststore_start(&ts), 0);
	submit(&a);
	submit(&b);
	assert_int_equal(store_submit(ts.s, &c.cmd), -EAGAIN);
	submit(&o);
	assert_int_equal(store_run(ts.s), 3);
	assert_int_equal(store_submit(ts.s, &c.cmd), 0);
	teststore_drain(&ts);
	assert_int_equal(tags(), 4);
}

/* --- commits that fail --------------------------------------------------------------------------------------------------- */

#ifdef LANTOA_FAULTS
static void a_failed_commit_keeps_outcomes_and_fails_the_rest(void **state)
{
	static const char *const points[] = { "store.commit", "store.begin" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		struct add one = adding(STORE_OUTCOME, i ? "1b" : "1a"),
			   two = adding(STORE_OUTCOME, i ? "2b" : "2a"),
			   intent = adding(STORE_INTENT, i ? "ib" : "ia"),
			   control = adding(STORE_CONTROL, i ? "cb" : "ca");
		int64_t before = tags();

		fault_set(points[i], 0, 1);
		submit(&one);
		submit(&two);
		submit(&intent);
		submit(&control);
		store_run(ts.s);
		store_complete(ts.s);
		assert_int_equal(intent.dones, 1);
		assert_true(intent.cmd.rc < 0);
		assert_true(control.cmd.rc < 0);
		assert_int_equal(one.dones + two.dones, 0);
		assert_int_equal(tags(), before);
		order.n = 0;
		assert_int_equal(store_run(ts.s), 2);
		store_complete(ts.s);
		assert_string_equal(order.name[0], one.name);
		assert_string_equal(order.name[1], two.name);
		assert_int_equal(one.cmd.rc, 0);
		assert_int_equal(two.dones, 1);
		assert_int_equal(tags(), before + 2);
	}
}

static void a_disk_that_fails_an_fsync_kills_the_store(void **state)
{
	struct add out = adding(STORE_OUTCOME, "o"), control = adding(STORE_CONTROL, "c"),
		   late = adding(STORE_CONTROL, "late"), late_out = adding(STORE_OUTCOME, "lo");
	struct store_stats st;

	(void)state;
	fault_set("store.fsync", 0, 1);
	submit(&out);
	submit(&control);
	store_run(ts.s);
	store_complete(ts.s);
	assert_int_equal(ts.fatal, 1);
	assert_int_equal(control.cmd.rc, -EIO);
	assert_int_equal(out.dones, 0);
	assert_int_equal(store_submit(ts.s, &late.cmd), -EIO);
	assert_int_equal(store_submit(ts.s, &late_out.cmd), 0);
	assert_int_equal(store_run(ts.s), 0); /* never written again */
	assert_int_equal(ts.fatal, 1);
	store_stats_get(ts.s, &st);
	assert_true(st.dead);
	teststore_stop(&ts);
	assert_int_equal(
		out.dones, 1); /* told at the end, so that its memory is known to be free */
	assert_int_equal(out.cmd.rc, -ECANCELED);
	assert_int_equal(teststore_start(&ts), 0);
	assert_int_equal(tags(), 0);
}

static void each_write_that_fails_in_turn_loses_no_outcome(void **state)
{
	(void)state;
	for (int skip = 0; skip < 12; skip++) {
		struct add out = adding(STORE_OUTCOME, "o"), control = adding(STORE_CONTROL, "c");

		fault_clear();
		fault_set("store.write", skip, 1);
		submit(&out);
		submit(&control);
		for (int i = 0; i < 4; i++) {
			store_run(ts.s);
			store_complete(ts.s);
		}
		fault_clear();
		assert_int_equal(ts.fatal, 0);
		assert_int_equal(out.dones, 1);
		assert_int_equal(out.cmd.rc, 0);
		assert_int_equal(control.dones, 1);
		assert_int_equal(
			teststore_i64(&ts, "SELECT count(*) FROM tag WHERE name = 'o'"), 1);
		assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM tag WHERE name = 'c'"),
			control.cmd.rc == 0);
		assert_int_equal(teststore_exec(&ts, "DELETE FROM tag"), 0);
	}
}
#endif

/* --- what stays ---------------------------------------------------------------------------------------------------------- */

static void what_was_committed_survives_a_kill_and_the_rest_does_not(void **state)
{
	struct add kept = adding(STORE_CONTROL, "kept"), lost = adding(STORE_CONTROL, "lost");
	int64_t epoch = store_epoch(ts.s);

	(void)state;
	submit(&kept);
	store_run(ts.s);
	submit(&lost);
	teststore_kill(&ts);
	assert_int_equal(teststore_start(&ts), 0);
	assert_int_equal(store_epoch(ts.s), epoch + 1);
	assert_int_equal(tags(), 1);
	assert_int_equal(kept.dones + lost.dones, 0);
}

static void closing_runs_and_completes_what_waits(void **state)
{
	struct add a = adding(STORE_OUTCOME, "a"), b = adding(STORE_BULK, "b");

	(void)state;
	submit(&a);
	submit(&b);
	teststore_stop(&ts);
	assert_int_equal(a.dones + b.dones, 2);
	assert_int_equal(a.cmd.rc + b.cmd.rc, 0);
	assert_int_equal(teststore_start(&ts), 0);
	assert_int_equal(tags(), 2);
}

static void exclusive_mode_needs_no_shared_memory(void **state)
{
	char path[260];
	struct stat st;

	(void)state;
	teststore_stop(&ts);
	ts.opts.exclusive = true;
	ts.opts.vfs = "unix";
	assert_int_equal(teststore_start(&ts), 0);
	assert_int_equal(teststore_exec(&ts, "INSERT INTO tag(name) VALUES ('x')"), 0);
	assert_int_equal(tags(), 1);
	(void)snprintf(path, sizeof(path), "%s/lantoa.db-shm", ts.dir);
	assert_int_equal(stat(path, &st), -1);
	teststore_kill(&ts);
	assert_int_equal(teststore_start(&ts), 0);
	assert_int_equal(tags(), 1);
	teststore_stop(&ts);
	ts.opts.vfs = "no such vfs";
	assert_true(teststore_start(&ts) < 0);
	ts.opts.vfs = NULL;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_completion_comes_only_after_the_commit),
		T(classes_run_in_order_and_many_share_one_commit),
		T(at_most_one_bulk_chunk_joins_a_transaction),
		T(a_long_transaction_leaves_the_rest_for_the_next),
		T(no_intent_goes_before_an_outcome_that_was_there_before_it),
		T(a_command_that_fails_is_rolled_back_alone),
		T(a_chunk_of_bulk_that_fails_leaves_nothing_alone_or_beside_others),
		T(a_chunk_ends_soon_once_somebody_waits),
		T(a_chunk_that_is_waited_for_goes_on_by_a_step),
		T(an_exchange_record_goes_with_its_command),
		T(a_full_queue_refuses_everything_but_outcomes),
#ifdef LANTOA_FAULTS
		T(a_failed_commit_keeps_outcomes_and_fails_the_rest),
		T(a_disk_that_fails_an_fsync_kills_the_store),
		T(each_write_that_fails_in_turn_loses_no_outcome),
#endif
		T(what_was_committed_survives_a_kill_and_the_rest_does_not),
		T(closing_runs_and_completes_what_waits),
		T(exclusive_mode_needs_no_shared_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
