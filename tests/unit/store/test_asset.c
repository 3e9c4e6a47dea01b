/* test_asset.c - files before rows; exchange records, their cap, their pruning; what is erased is gone from the files. */
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
#include "store/store_exchange.h"
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
	fault_clear();
	teststore_close(&ts);
	return 0;
}

static const char *stage(const char *content, struct hash *h)
{
	static char path[300];

	(void)snprintf(path, sizeof(path), "%s/one", store_staging_dir(ts.s));
	assert_int_equal(file_write_durable(path, str_of(content), 0600, NULL), 0);
	hash_bytes(h, content, strlen(content));
	return path;
}

struct row {
	struct store_cmd cmd;
	struct asset_row a;
};

static int row_run(struct store_tx *tx, struct store_cmd *cmd)
{
	return store_asset_row(tx, &CONTAINER_OF(cmd, struct row, cmd)->a);
}

static int row(const struct hash *h, int64_t bytes)
{
	struct row r = { .cmd = { .class = STORE_CONTROL, .run = row_run },
		.a = { .hash = *h, .bytes = bytes, .type = "text/plain" } };

	return teststore_do(&ts, &r.cmd);
}

static void a_staged_file_moves_to_its_name(void **state)
{
	struct buf b CLEANUP_BUF = { 0 };
	struct hash h;
	char path[400];
	struct stat st;
	const char *staged = stage("hello", &h);

	(void)state;
	assert_int_equal(store_asset_put(ts.s, staged, &h, 5, &ts.err), 0);
	assert_int_equal(access(staged, F_OK), -1);
	asset_path(path, sizeof(path), store_assets_dir(ts.s), &h);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	buf_init(&b, 100);
	assert_int_equal(store_asset_read(ts.s, &h, &b, &ts.err), 0);
	assert_string_equal(buf_z(&b), "hello");
	staged = stage("hello", &h); /* a second time: nothing changes, nothing is left over */
	assert_int_equal(store_asset_put(ts.s, staged, &h, 5, &ts.err), 0);
	assert_int_equal(access(staged, F_OK), -1);
	assert_int_equal(row(&h, 5), 0);
	assert_int_equal(row(&h, 5), 0);
	assert_int_equal(row(&h, 6), -EINVAL);
	assert_int_equal(
		teststore_i64(&ts, "SELECT count(*) FROM asset WHERE bytes = 5 AND width IS NULL"),
		1);
}

static void content_that_is_not_its_hash_is_refused(void **state)
{
	struct hash h, other;
	const char *staged = stage("hello", &h);

	(void)state;
	hash_bytes(&other, "x", 1);
	assert_int_equal(store_asset_put(ts.s, staged, &other, 5, &ts.err), -EBADMSG);
	assert_int_equal(store_asset_put(ts.s, staged, &h, 6, &ts.err), -EBADMSG);
	assert_int_equal(access(staged, F_OK), 0);
}

static void no_row_comes_before_its_file(void **state)
{
	struct hash h;

	(void)state;
	hash_bytes(&h, "never", 5);
	assert_int_equal(row(&h, 5), -ENOENT);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM asset"), 0);
}

#ifdef LANTOA_FAULTS
static void each_step_that_fails_is_told(void **state)
{
	static const char *const points[] = { "asset.fsync", "asset.rename", "asset.dir" };
	struct hash h;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		const char *staged = stage("hello", &h);
		fault_clear();
		fault_set(points[i], 0, 1);
		assert_int_equal(store_asset_put(ts.s, staged, &h, 5, &ts.err), -EIO);
		assert_true(ts.err.text[0] != '\0');
	}
	fault_clear();
	assert_int_equal(store_asset_put(ts.s, stage("hello", &h), &h, 5, &ts.err), 0);
}
/* Whoever made the folder came no further: its name in the folder above is not durable yet, and a row would be. */
static void a_folder_that_another_made_is_made_durable_all_the_same(void **state)
{
	struct hash h;
	const char *staged = stage("hello", &h);

	(void)state;
	fault_set("dir.fsync", 0, 2);
	assert_int_equal(store_asset_put(ts.s, staged, &h, 5, &ts.err), -EIO);
	assert_int_equal(store_asset_put(ts.s, staged, &h, 5, &ts.err), -EIO);
	assert_non_null(strstr(ts.err.text, store_assets_dir(ts.s)));
	assert_null(strstr(ts.err.text, "assets/"));
	fault_clear();
	assert_int_equal(store_asset_put(ts.s, stage("hello", &h), &h, 5, &ts.err), 0);
}
#endif

static void bytes_at_hand_become_an_asset(void **state)
{
	struct hash h;
	int fd = -1;
	int64_t bytes = 0;

	(void)state;
	hash_bytes(&h, "rendition", 9);
	assert_int_equal(store_asset_put_bytes(ts.s, STR("rendition"), &h, &ts.err), 0);
	assert_int_equal(store_asset_open(ts.s, &h, &fd, &bytes), 0);
	close(fd);
	assert_int_equal(bytes, 9);
	hash_bytes(&h, "other", 5);
	assert_int_equal(store_asset_put_bytes(ts.s, STR("rendition"), &h, &ts.err), -EBADMSG);
	assert_int_equal(store_asset_open(ts.s, &h, &fd, &bytes), -ENOENT);
}

static void a_changed_file_is_noticed_when_read(void **state)
{
	struct buf b CLEANUP_BUF = { 0 };
	struct hash h;
	char path[400];

	(void)state;
	assert_int_equal(store_asset_put(ts.s, stage("hello", &h), &h, 5, &ts.err), 0);
	asset_path(path, sizeof(path), store_assets_dir(ts.s), &h);
	assert_int_equal(file_write_durable(path, STR("jello"), 0600, NULL), 0);
	buf_init(&b, 100);
	assert_int_equal(store_asset_read(ts.s, &h, &b, &ts.err), -EBADMSG);
}

/* --- exchange records ---------------------------------------------------------------------------------------------------- */

struct say {
	struct store_cmd cmd;
	struct exchange_rec rec;
	bool forget;
};

static int say_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct say *s = CONTAINER_OF(cmd, struct say, cmd);

	if (s->forget) {
		tx_scrub(tx);
		return store_exchange_forget(tx, s->rec.delivery);
	}
	store_exchange_put(tx, &s->rec);
	return 0;
}

static void say(int64_t delivery, int64_t try_no, int64_t at, struct str body)
{
	struct say s = { .cmd = { .class = STORE_OUTCOME, .run = say_run },
		.rec = { .delivery = delivery,
			.try_no = try_no,
			.at = at,
			.outward = true,
			.body = body } };

	assert_int_equal(teststore_do(&ts, &s.cmd), 0);
}

struct heard {
	size_t n, bytes;
	bool outward;
	char tail[8];
};

static void hear(void *ctx, const struct exchange_rec *rec)
{
	struct heard *h = ctx;

	h->n++;
	h->bytes += rec->body.n;
	h->outward = rec->outward;
	if (rec->body.n >= 5)
		(void)str_copy(
			h->tail, sizeof(h->tail), (struct str){ rec->body.p + rec->body.n - 5, 5 });
}

static struct heard heard(int64_t delivery)
{
	struct store_reader *r = teststore_reader(&ts);
	struct heard h = { .n = 0 };

	assert_true(store_exchange_list(r, delivery, hear, &h) >= 0);
	teststore_reader_end(&ts, r);
	return h;
}

static void a_record_is_kept_per_try_and_cut_at_64_kib(void **state)
{
	static char big[100000];

	(void)state;
	memset(big, 'x', sizeof(big));
	say(1, 1, 1000, STR("POST /"));
	say(1, 2, 2000, (struct str){ big, sizeof(big) });
	say(1, 1, 1000, STR("POST /again"));
	struct heard h = heard(1);
	assert_int_equal(h.n, 2);
	assert_int_equal(h.bytes, 11 + EXCHANGE_BODY_MAX);
	assert_true(h.outward);
	assert_string_equal(h.tail, "[cut]");
	assert_int_equal(heard(2).n, 0);
}

static void old_records_are_pruned_in_chunks(void **state)
{
	struct store_exchange_prune c;
	int64_t removed = 0;

	(void)state;
	for (int i = 0; i < 450; i++)
		say(i, 1, i < 400 ? 1000 : 9000, STR("x"));
	store_exchange_prune_init(&c, 5000);
	do {
		assert_int_equal(teststore_do(&ts, &c.cmd), 0);
		removed += c.removed;
	} while (c.more);
	assert_int_equal(removed, 400);
	assert_int_equal(heard(399).n, 0);
	assert_int_equal(heard(400).n, 1);
}

static bool file_has(const char *name, const char *needle)
{
	char path[300];
	struct buf b CLEANUP_BUF = { 0 };

	(void)snprintf(path, sizeof(path), "%s/%s", ts.dir, name);
	buf_init(&b, 64u << 20);
	if (file_read(path, &b, NULL) < 0)
		return false;
	return memmem(b.p ? b.p : "", b.n, needle, strlen(needle)) != NULL;
}

static bool anywhere(const char *needle)
{
	return file_has("lantoa.db", needle) || file_has("lantoa.db-wal", needle) ||
		file_has("exchange.db", needle) || file_has("exchange.db-wal", needle);
}

static int erase_run(struct store_tx *tx, struct store_cmd *cmd)
{
	UNUSED(cmd);
	tx_scrub(tx);
	return db_exec(tx_db(tx), "DELETE FROM contact WHERE address = 'forget-me@example.vn'", "");
}

static void what_was_erased_is_gone_from_every_file(void **state)
{
	struct store_cmd erase = { .class = STORE_CONTROL, .run = erase_run };
	struct say forget = { .cmd = { .class = STORE_CONTROL, .run = say_run },
		.rec = { .delivery = 7 },
		.forget = true };

	(void)state;
	assert_int_equal(
		teststore_exec(&ts,
			"INSERT INTO contact(kind, address, form, class) WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL "
			"SELECT i+1 FROM k WHERE i < 3000) SELECT 1, 'p' || i || '@example.vn', 'mailbox', '' FROM k;"
			"INSERT INTO contact(kind, address, form, class) VALUES (1, 'forget-me@example.vn', 'mailbox', '')"),
		0);
	say(7, 1, 0, STR("forget-me-too"));
	assert_true(anywhere("forget-me@"));
	assert_true(anywhere("forget-me-too"));
	assert_int_equal(teststore_do(&ts, &erase), 0);
	assert_int_equal(teststore_do(&ts, &forget.cmd), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM contact"), 3000);
	assert_false(anywhere("forget-me@"));
	assert_false(anywhere("forget-me-too"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_staged_file_moves_to_its_name),
		T(content_that_is_not_its_hash_is_refused),
		T(no_row_comes_before_its_file),
#ifdef LANTOA_FAULTS
		T(each_step_that_fails_is_told),
		T(a_folder_that_another_made_is_made_durable_all_the_same),
#endif
		T(bytes_at_hand_become_an_asset),
		T(a_changed_file_is_noticed_when_read),
		T(a_record_is_kept_per_try_and_cut_at_64_kib),
		T(old_records_are_pruned_in_chunks),
		T(what_was_erased_is_gone_from_every_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
