/* teststore.h - a temporary store with a clock and free space of the test's own; single-threaded unless a test starts the thread.
 *   static struct teststore ts;                     setup: assert_int_equal(teststore_open(&ts), 0);  teardown: teststore_close(&ts);
 *   rc = teststore_do(&ts, &cmd.cmd);               submit + run + complete; returns the command's rc
 *   teststore_exec(&ts, "INSERT INTO ...");         plain SQL in a transaction of its own, to set a scene
 *   n = teststore_i64(&ts, "SELECT count(*) ...");  one number; -1 when there is none
 * Time moves only when the test moves it (wall_ms, mono_us), or with `env` where that is set before teststore_open.
 */
#ifndef LANTOA_TESTS_TESTSTORE_H
#define LANTOA_TESTS_TESTSTORE_H

#include "base/env.h"
#include "store/store.h"

struct teststore {
	struct store *s;
	struct keyring *keys;
	char dir[200];   /* state folder, below $TMPDIR or /tmp; removed by teststore_close */
	int64_t wall_ms; /* starts at 2026-11-23 01:00 UTC */
	int64_t mono_us; /* starts at 1,000,000 */
	int64_t look_us; /* what each look of the store at mono_us costs, beside it or `env`; starts at 0 */
	int64_t looked_us;      /* all of them together */
	struct env *env;        /* not NULL: its time instead of the two above */
	bool real_time;         /* not virtual: for tests of the thread */
	int64_t free_bytes;     /* what the store believes to be free; starts at 100 GB */
	int fatal;              /* times that fatal_cb was called */
	struct store_opts opts; /* may be changed between make and open */
	struct err err;         /* of the last open or command */
};

/* make + open. 0 or the code of store_open. The struct is zeroed by make, but for env and real_time. */
int teststore_open(struct teststore *t);
int teststore_make(struct teststore *t);   /* folder, keys, opts */
int teststore_start(struct teststore *t);  /* store_open with t->opts */
void teststore_stop(struct teststore *t);  /* store_close, the folder stays */
void teststore_kill(struct teststore *t);  /* store_drop: as kill -9 would leave it */
int teststore_reopen(struct teststore *t); /* stop + start */
void teststore_close(struct teststore *t); /* and removes the folder */

int teststore_do(struct teststore *t, struct store_cmd *cmd);
void teststore_drain(
	struct teststore *t); /* runs and completes until nothing waits (at most 100,000 turns) */
int teststore_exec(struct teststore *t, const char *sql);
int64_t teststore_i64(struct teststore *t, const char *sql);
/* First column of the first row as text, owned; NULL when there is none. */
char *teststore_text(struct teststore *t, const char *sql);
struct store_reader *teststore_reader(struct teststore *t); /* begun */
void teststore_reader_end(struct teststore *t, struct store_reader *r);

#endif
