/* teststore.c - see teststore.h. Failures of the scaffolding itself abort: they are no result of a test. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/file.h"
#include "store/store_internal.h"
#include "teststore.h"

static int64_t wall_ms(void *ctx)
{
	struct teststore *t = ctx;

	return t->env ? env_wall(t->env) : t->wall_ms;
}

static int64_t mono_us(void *ctx)
{
	struct teststore *t = ctx;

	if (t->look_us)
		t->looked_us += t->look_us;
	return (t->env ? env_mono(t->env) * 1000 : t->mono_us) + t->looked_us;
}

static int64_t free_bytes(void *ctx)
{
	const struct teststore *t = ctx;

	return t->free_bytes;
}

static void on_fatal(void *ctx, const char *why)
{
	struct teststore *t = ctx;

	UNUSED(why);
	t->fatal++;
}

int teststore_make(struct teststore *t)
{
	struct env *env = t->env;
	bool real = t->real_time;
	const char *tmp = getenv("TMPDIR");
	uint8_t master[32];

	memset(t, 0, sizeof(*t));
	t->env = env;
	t->real_time = real;
	t->wall_ms = INT64_C(1795395600000);
	t->mono_us = 1000000;
	t->free_bytes = INT64_C(100) << 30;
	(void)snprintf(
		t->dir, sizeof(t->dir), "%s/lantoa-test-XXXXXX", tmp && tmp[0] ? tmp : "/tmp");
	if (!mkdtemp(t->dir))
		return -errno;
	REQUIRE(crypt_init() == 0);
	memset(master, 7, sizeof(master));
	t->keys = keyring_of(master);
	t->opts = (struct store_opts){ .state_dir = t->dir,
		.keys = t->keys,
		.create = true,
		.wall_ms = real ? NULL : wall_ms,
		.mono_us = real ? NULL : mono_us,
		.time_ctx = t,
		.free_bytes = free_bytes,
		.free_ctx = t,
		.fatal_cb = on_fatal,
		.fatal_ctx = t };
	return 0;
}

int teststore_start(struct teststore *t)
{
	return store_open(&t->opts, &t->s, &t->err);
}

int teststore_open(struct teststore *t)
{
	int rc = teststore_make(t);

	return rc < 0 ? rc : teststore_start(t);
}

void teststore_stop(struct teststore *t)
{
	store_close(MOVE(t->s));
}

void teststore_kill(struct teststore *t)
{
	store_drop(MOVE(t->s));
}

int teststore_reopen(struct teststore *t)
{
	teststore_stop(t);
	return teststore_start(t);
}

void teststore_close(struct teststore *t)
{
	teststore_stop(t);
	keyring_free(MOVE(t->keys));
	if (t->dir[0]) {
		int rc = dir_remove_tree(t->dir);
		REQUIRE(rc == 0);
		(void)remove(t->dir);
	}
	t->dir[0] = '\0';
}

void teststore_drain(struct teststore *t)
{
	for (int i = 0; i < 100000; i++)
		if (store_run(t->s) + store_complete(t->s) == 0)
			return;
	REQUIRE(false); /* the queue does not get empty */
}

int teststore_do(struct teststore *t, struct store_cmd *cmd)
{
	void (*done)(struct store_cmd *) = cmd->done;
	int rc = store_submit(t->s, cmd);

	if (rc < 0)
		return rc;
	cmd->done = NULL; /* so that it is still there afterwards */
	cmd->rc = 0;
	teststore_drain(t);
	cmd->done = done;
	rc = cmd->rc;
	t->err = cmd->err;
	if (done)
		done(cmd);
	return rc;
}

struct exec {
	struct store_cmd cmd;
	const char *sql;
};

static int exec_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct exec *x = CONTAINER_OF(cmd, struct exec, cmd);
	char *text = NULL;
	int rc = sqlite3_exec(db_handle(tx_db(tx)), x->sql, NULL, NULL, &text);

	if (rc != SQLITE_OK) {
		(void)err_set(&cmd->err, -EINVAL, "%s", text ? text : "failed");
		sqlite3_free(text);
		return -EINVAL;
	}
	return 0;
}

int teststore_exec(struct teststore *t, const char *sql)
{
	struct exec x = { .cmd = { .class = STORE_CONTROL, .run = exec_run }, .sql = sql };

	return teststore_do(t, &x.cmd);
}

struct store_reader *teststore_reader(struct teststore *t)
{
	struct store_reader *r = NULL;

	REQUIRE(store_reader_get(t->s, &r) == 0);
	REQUIRE(reader_begin(r) == 0);
	return r;
}

void teststore_reader_end(struct teststore *t, struct store_reader *r)
{
	reader_end(r);
	store_reader_put(t->s, r);
}

char *teststore_text(struct teststore *t, const char *sql)
{
	struct store_reader *r = teststore_reader(t);
	sqlite3_stmt *st = NULL;
	char *ret = NULL;

	if (db_prepare(reader_db(r), sql, &st) < 0) {
		(void)fprintf(stderr, "%s: %s\n", sql, db_message(reader_db(r)));
		REQUIRE(false); /* the test's own SQL */
	}
	if (sqlite3_step(st) == SQLITE_ROW)
		ret = col_dup(st, 0);
	sqlite3_finalize(st);
	teststore_reader_end(t, r);
	return ret;
}

int64_t teststore_i64(struct teststore *t, const char *sql)
{
	char *text = teststore_text(t, sql);
	int64_t n = text ? strtoll(text, NULL, 10) : -1;

	free(text);
	return n;
}
