/* test_import_rows.c - the staging of an import: rows of many blocks come out in one order, and a file is whole or refused. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../lib/teststore.h"
#include "base/assert.h"
#include "store/store_import_internal.h"

#define BLOCKS     300 /* more than are merged at once, twice over */
#define ROWS       40
#define LONG_BYTES 200000 /* more than the head of a run holds */

static struct teststore ts;
static uint64_t seed;

static int setup(void **state)
{
	(void)state;
	seed = 88172645463325252u;
	return teststore_open(&ts);
}

static int teardown(void **state)
{
	(void)state;
	teststore_close(&ts);
	return 0;
}

static uint64_t draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

/* Few different addresses, so that kinds, offices and lines decide as well. */
static void block_fill(struct buf *b, int block, struct str vars)
{
	char address[40];
	buf_reset(b);
	for (int i = 0; i < ROWS; i++) {
		struct import_row row = { .kind = 1 + (int)draw(3),
			.line = block * ROWS + i,
			.office_id = (int64_t)draw(3),
			.lane = -1 };
		(void)snprintf(address, sizeof(address), "same-beginning-%llu",
			(unsigned long long)draw(500));
		row.address = str_of(address);
		row.vars = i == 7 ? vars : (struct str){ "{}", 2 };
		assert_int_equal(import_pack(b, &row), 0);
	}
}

static void rows_of_hundreds_of_blocks_come_out_in_one_order(void **state)
{
	(void)state;
	struct rows r;
	struct rows_merge *m = NULL;
	struct import_row row, before = { .line = -1 };
	struct buf block, last;
	char path[300], *text = x_calloc(LONG_BYTES, 1);
	bool *seen = x_calloc(BLOCKS * ROWS, sizeof(*seen));
	memset(text, 'x', LONG_BYTES);
	buf_init(&block, 2u << 20);
	buf_init(&last, 1000);
	(void)snprintf(path, sizeof(path), "%s/rows", ts.dir);
	assert_int_equal(rows_open(&r, path), 0);
	assert_int_equal(access(path, F_OK), -1); /* it has no name: nothing of it is left behind */
	for (int i = 0; i < BLOCKS; i++) {
		block_fill(&block, i, (struct str){ text, i % 50 == 0 ? LONG_BYTES : 3 });
		assert_int_equal(rows_add(&r, buf_str(&block)), 0);
	}
	assert_int_equal(rows_merge_open(&r, &m), 0);
	size_t n = 0, many = 0;
	int rc;
	while ((rc = rows_merge_next(m, &row)) == 1) {
		if (n++ > 0)
			assert_true(rows_cmp(&before, &row) < 0);
		assert_in_range(row.line, 0, BLOCKS * ROWS - 1);
		assert_false(seen[row.line]);
		seen[row.line] = true;
		many += row.vars.n == LONG_BYTES && row.vars.p[LONG_BYTES - 1] == 'x';
		buf_reset(&last);
		buf_add_str(&last, row.address);
		before = row;
		before.address = buf_str(&last);
	}
	assert_int_equal(rc, 0);
	assert_int_equal(n, BLOCKS * ROWS);
	assert_int_equal(many, BLOCKS / 50);
	rows_merge_close(m);
	rows_close(&r);
	buf_done(&block);
	buf_done(&last);
	free(text);
	free(seen);
}

static bool tell(void *ctx, bool error, int line, const char *field, const char *text)
{
	(void)ctx;
	(void)error;
	(void)line;
	(void)field;
	(void)text;
	return true;
}

/* A stage with one lane, a tag and n rows, checked; its name in ret. */
static void stage_make(int n, char ret[64], int64_t *ret_bytes)
{
	struct stage *st = NULL;
	struct err e;
	struct buf block;
	struct import_counts counts;
	char address[40];
	assert_int_equal(stage_new(ts.s, IMPORT_TARGETS, &st, &e), 0);
	int lane = stage_lane(st, "mail", "email", "relay", "other");
	assert_true(lane >= 0);
	buf_init(&block, 2u << 20);
	for (int i = 0; i < n; i++) {
		(void)snprintf(address, sizeof(address), "u%05d@x.example", n - i);
		const struct import_row row = { .kind = 1,
			.line = i + 2,
			.office_id = 1,
			.lane = lane,
			.address = str_of(address),
			.tags = STR("press") };
		assert_int_equal(import_pack(&block, &row), 0);
	}
	assert_int_equal(stage_add(st, buf_str(&block), &e), 0);
	buf_done(&block);
	const struct stage_ask ask = { .source = "targets:x.csv", .problem = tell };
	assert_int_equal(stage_check(st, &ask, &counts, &e), 0);
	assert_int_equal(counts.rows, n);
	assert_int_equal(counts.added, n);
	(void)snprintf(ret, 64, "%s", st->name);
	*ret_bytes = st->steps_to;
	stage_close(st);
}

static void a_sealed_stage_is_opened_again_with_all_it_had(void **state)
{
	(void)state;
	struct stage *st = NULL;
	struct err e;
	struct buf block;
	struct import_row row;
	enum step_do what;
	char name[64];
	int64_t bytes = 0, cursor = 0;
	int n = 0;
	stage_make(20000, name, &bytes); /* more than one block */
	assert_int_equal(stage_reopen(ts.s, name, &st, &e), 0);
	assert_int_equal(st->what, IMPORT_TARGETS);
	assert_int_equal(st->steps_to, bytes);
	assert_int_equal(st->lanes.n, 1);
	assert_string_equal(st->tags.v[0].text, "press");
	buf_init(&block, 2u << 20);
	for (;;) {
		assert_int_equal(stage_read(st, cursor, &block), 0);
		if (block.n == 0)
			break;
		for (struct str rest = buf_str(&block); rest.n > 0;) {
			char want[40];
			assert_true(import_unpack(&rest, &row, &what));
			assert_int_equal(what, STEP_NEW);
			(void)snprintf(want, sizeof(want), "u%05d@x.example", ++n);
			assert_true(str_eqz(row.address, want));
		}
		cursor += (int64_t)block.n;
	}
	assert_int_equal(n, 20000);
	assert_true(stage_read(st, cursor + 100, &block) < 0);
	buf_done(&block);
	stage_remove(st);
}

static void a_stage_that_lacks_its_end_is_not_whole(void **state)
{
	(void)state;
	struct stage *st = NULL;
	struct err e;
	struct stat s;
	char name[64], path[400];
	int64_t bytes = 0;
	stage_make(100, name, &bytes);
	(void)snprintf(path, sizeof(path), "%s/%s", store_staging_dir(ts.s), name);
	assert_int_equal(stat(path, &s), 0);
	const off_t cuts[] = { s.st_size - 1, s.st_size / 2, 20, 8, 0 };
	for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
		assert_int_equal(truncate(path, cuts[i]), 0);
		assert_int_equal(stage_reopen(ts.s, name, &st, &e), -EBADMSG);
		assert_non_null(strstr(e.text, "not whole"));
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(stage_reopen(ts.s, name, &st, &e), -ENOENT);
}

static void a_step_that_names_no_lane_of_its_stage_is_refused(void **state)
{
	(void)state;
	struct import_row row = {
		.line = 2, .kind = 1, .lane = 7, .address = STR("a@x.example"), .office_id = 1
	};
	struct buf block CLEANUP_BUF;
	struct stage *st;
	struct err e;
	buf_init(&block, 4u << 20);
	assert_int_equal(stage_new(ts.s, IMPORT_TARGETS, &st, &e), 0);
	assert_int_equal(stage_step(st, &row, STEP_PUT), 0);
	assert_int_equal(stage_seal(st), 0);
	assert_int_equal(stage_read(st, 0, &block), 0);
	struct import_chunk chunk = { .stage = st, .import_id = 1, .block = buf_str(&block) };
	import_chunk_prepare(&chunk);
	assert_int_equal(teststore_do(&ts, &chunk.cmd), -EBADMSG);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM contact"), 0);
	stage_remove(st);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(rows_of_hundreds_of_blocks_come_out_in_one_order),
		T(a_sealed_stage_is_opened_again_with_all_it_had),
		T(a_stage_that_lacks_its_end_is_not_whole),
		T(a_step_that_names_no_lane_of_its_stage_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
