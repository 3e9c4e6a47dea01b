/* test_secret.c - credentials at rest: sealed, versioned, bound to their row, sealed anew under another key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "../../lib/teststore.h"
#include "base/assert.h"
#include "base/fault.h"
#include "base/file.h"
#include "store/store_internal.h"
#include "store/store_secret.h"

static struct teststore ts;
static struct keyring *new_key;

static int setup(void **state)
{
	uint8_t master[32] = { 42 };

	(void)state;
	fault_clear();
	if (teststore_open(&ts) < 0)
		return -1;
	new_key = keyring_of(master);
	return teststore_exec(
		&ts, "INSERT INTO channel VALUES (1, 'oa', 'zalo'), (2, 'mail', 'email')");
}

static int teardown(void **state)
{
	(void)state;
	fault_clear();
	teststore_close(&ts);
	keyring_free(MOVE(new_key));
	return 0;
}

static int put(const char *channel, const char *name, const char *value, int64_t if_version,
	int64_t *ret_version)
{
	struct store_secret_put c;

	store_secret_put_init(&c, STORE_OUTCOME);
	c.channel = channel;
	c.name = name;
	c.value = str_of(value);
	c.if_version = if_version;
	int rc = teststore_do(&ts, &c.cmd);
	if (ret_version)
		*ret_version = c.info.version;
	return rc;
}

static int get(const char *channel, const char *name, char *dst, size_t size, struct cred_info *i)
{
	struct store_reader *r = teststore_reader(&ts);
	struct secret *s = NULL;
	int rc = store_secret_get(ts.s, reader_db(r), channel, name, &s, i);

	if (rc == 0)
		(void)str_copy(dst, size, secret_value(s));
	secret_free(s);
	teststore_reader_end(&ts, r);
	return rc;
}

static void a_secret_comes_back_and_every_put_is_a_version(void **state)
{
	struct cred_info i;
	char v[64] = "";
	int64_t version = 0;

	(void)state;
	assert_int_equal(put("oa", "token", "first", 0, &version), 0);
	assert_int_equal(version, 1);
	ts.wall_ms += 5000;
	assert_int_equal(put("oa", "token", "second", 1, &version), 0);
	assert_int_equal(version, 2);
	assert_int_equal(get("oa", "token", v, sizeof(v), &i), 0);
	assert_string_equal(v, "second");
	assert_int_equal(i.version, 2);
	assert_int_equal(i.changed, ts.wall_ms);
	assert_int_equal(i.state, CRED_GOOD);
	assert_int_equal(teststore_reopen(&ts), 0);
	assert_int_equal(get("oa", "token", v, sizeof(v), NULL), 0);
	assert_string_equal(v, "second");
}

static void a_late_refresh_does_not_overwrite_a_newer_pair(void **state)
{
	char v[64] = "";

	(void)state;
	assert_int_equal(put("oa", "token", "one", 0, NULL), 0);
	assert_int_equal(put("oa", "token", "two", 1, NULL), 0);
	assert_int_equal(put("oa", "token", "late", 1, NULL), -EALREADY);
	assert_int_equal(get("oa", "token", v, sizeof(v), NULL), 0);
	assert_string_equal(v, "two");
}

static void what_is_missing_is_said(void **state)
{
	char v[8];

	(void)state;
	assert_int_equal(put("nowhere", "token", "x", 0, NULL), -ENOENT);
	assert_non_null(strstr(ts.err.text, "nowhere"));
	assert_int_equal(get("oa", "token", v, sizeof(v), NULL), -ENOENT);
	struct store_secret_mark m;
	store_secret_mark_init(&m, STORE_CONTROL);
	m.channel = "oa";
	m.name = "token";
	m.state = CRED_DEAD;
	assert_int_equal(teststore_do(&ts, &m.cmd), -ENOENT);
}

static void a_box_opens_only_in_its_own_row_name_and_version(void **state)
{
	static const char *const change[] = {
		"UPDATE credential SET version = version + 1 WHERE name = 'a'",
		"UPDATE credential SET name = 'c' WHERE name = 'a'",
		"UPDATE credential SET (nonce, box) = (SELECT b.nonce, b.box FROM credential b WHERE b.name = 'b') WHERE name = 'a'",
		"UPDATE credential SET box = x'00' WHERE name = 'a'",
		"UPDATE credential SET nonce = x'' WHERE name = 'a'"
	};
	char v[64];

	for (size_t i = 0; i < ARRAY_LEN(change); i++) {
		if (i > 0) {
			teardown(state);
			assert_int_equal(setup(state), 0);
		}
		assert_int_equal(put("oa", "a", "secret-a", 0, NULL), 0);
		assert_int_equal(put("oa", "b", "secret-b", 0, NULL), 0);
		assert_int_equal(teststore_exec(&ts, change[i]), 0);
		assert_int_equal(get("oa", i == 1 ? "c" : "a", v, sizeof(v), NULL), -EBADMSG);
		assert_int_equal(get("oa", "b", v, sizeof(v), NULL), 0);
	}
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

static void no_secret_stands_in_the_files_or_the_audit(void **state)
{
	(void)state;
	assert_int_equal(put("oa", "token", "hunter2-hunter2", 0, NULL), 0);
	assert_false(file_has("lantoa.db", "hunter2"));
	assert_false(file_has("lantoa.db-wal", "hunter2"));
	assert_int_equal(teststore_i64(&ts,
				 "SELECT count(*) FROM audit WHERE what = 'credential.put' AND "
				 "subject = 'credential:oa/token' AND now = 'version:1'"),
		1);
}

static void a_mark_is_kept_and_audited(void **state)
{
	struct store_secret_mark m;
	struct cred_info i;
	char v[64];

	(void)state;
	assert_int_equal(put("oa", "token", "x", 0, NULL), 0);
	store_secret_mark_init(&m, STORE_CONTROL);
	m.channel = "oa";
	m.name = "token";
	m.state = CRED_DOUBT;
	m.why = "answer lost";
	assert_int_equal(teststore_do(&ts, &m.cmd), 0);
	assert_int_equal(get("oa", "token", v, sizeof(v), &i), 0);
	assert_int_equal(i.state, CRED_DOUBT);
	assert_int_equal(teststore_i64(&ts,
				 "SELECT count(*) FROM audit WHERE what = 'credential.mark' AND "
				 "now = 'in doubt' AND why = 'answer lost'"),
		1);
}

static void seen(void *ctx, const char *channel, const char *name, const struct cred_info *i)
{
	struct buf *b = ctx;

	buf_addf(b, "%s/%s v%d;", channel, name, (int)i->version);
}

static void the_list_shows_ages_and_no_values(void **state)
{
	struct buf b CLEANUP_BUF = { 0 };
	struct store_reader *r;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(put("oa", "token", "x", 0, NULL), 0);
	assert_int_equal(put("mail", "password", "y", 0, NULL), 0);
	assert_int_equal(put("mail", "password", "z", 0, NULL), 0);
	r = teststore_reader(&ts);
	assert_int_equal(store_secret_list(reader_db(r), seen, &b), 2);
	teststore_reader_end(&ts, r);
	assert_string_equal(buf_z(&b), "mail/password v2;oa/token v1;");
}

/* --- a new key -------------------------------------------------------------------------------------------------------- */

static int rotate(int64_t *sealed)
{
	struct store_secret_rotate c;

	store_secret_rotate_init(&c, new_key);
	c.person = "an";
	c.via = "uid:0";
	c.why = "yearly";
	int rc = teststore_do(&ts, &c.cmd);
	*sealed = c.sealed;
	return rc;
}

static void a_rotation_seals_everything_anew(void **state)
{
	int64_t sealed = 0;
	char v[64];

	(void)state;
	assert_int_equal(put("oa", "a", "secret-a", 0, NULL), 0);
	assert_int_equal(put("mail", "b", "secret-b", 0, NULL), 0);
	assert_int_equal(rotate(&sealed), 0);
	assert_int_equal(sealed, 2);
	assert_int_equal(get("oa", "a", v, sizeof(v), NULL), 0);
	assert_string_equal(v, "secret-a");
	assert_int_equal(teststore_i64(&ts, "SELECT count(DISTINCT key_id) FROM credential"), 1);
	assert_int_equal(teststore_i64(&ts, "SELECT key_id FROM credential"), keyring_id(new_key));
	assert_int_equal(teststore_reopen(&ts), 0); /* with the old key only */
	assert_int_equal(get("oa", "a", v, sizeof(v), NULL), -EKEYREJECTED);
	teststore_stop(&ts);
	ts.opts.secret_keys = new_key;
	assert_int_equal(teststore_start(&ts), 0);
	assert_int_equal(get("mail", "b", v, sizeof(v), NULL), 0);
	assert_string_equal(v, "secret-b");
	assert_int_equal(put("oa", "a", "after", 0, NULL), 0);
	assert_int_equal(get("oa", "a", v, sizeof(v), NULL), 0);
	assert_string_equal(v, "after");
}

static void a_rotation_that_fails_changes_nothing(void **state)
{
	int64_t sealed = 0;
	char v[64];

	(void)state;
	assert_int_equal(put("oa", "a", "secret-a", 0, NULL), 0);
	assert_int_equal(put("oa", "b", "secret-b", 0, NULL), 0);
	assert_int_equal(
		teststore_exec(&ts, "UPDATE credential SET box = x'00' WHERE name = 'b'"), 0);
	assert_int_equal(rotate(&sealed), -EBADMSG);
	assert_int_equal(get("oa", "a", v, sizeof(v), NULL), 0);
	assert_string_equal(v, "secret-a");
	assert_int_equal(teststore_i64(&ts, "SELECT key_id FROM credential WHERE name = 'a'"),
		keyring_id(ts.keys));
}

#ifdef LANTOA_FAULTS
static void a_rotation_that_is_not_committed_changes_nothing(void **state)
{
	int64_t sealed = 0;
	char v[64];

	(void)state;
	assert_int_equal(put("oa", "a", "secret-a", 0, NULL), 0);
	fault_set("store.commit", 0, 1);
	assert_true(rotate(&sealed) < 0);
	assert_int_equal(get("oa", "a", v, sizeof(v), NULL), 0);
	assert_string_equal(v, "secret-a");
}
#endif

static void a_rotation_that_a_kill_interrupted_is_decided_by_what_it_sealed(void **state)
{
	int64_t sealed = 0;
	char v[64];

	(void)state;
	assert_int_equal(put("oa", "a", "secret-a", 0, NULL), 0);
	teststore_stop(&ts);
	ts.opts.secret_next = new_key; /* made, but nothing sealed */
	assert_int_equal(teststore_start(&ts), 0);
	assert_ptr_equal(store_secret_key(ts.s), ts.keys);
	assert_int_equal(get("oa", "a", v, sizeof(v), NULL), 0);
	assert_int_equal(rotate(&sealed), 0);
	assert_ptr_equal(store_secret_key(ts.s), new_key);
	assert_int_equal(teststore_reopen(&ts), 0); /* sealed, but still called the next */
	assert_ptr_equal(store_secret_key(ts.s), new_key);
	assert_int_equal(get("oa", "a", v, sizeof(v), NULL), 0);
	assert_string_equal(v, "secret-a");
}

static void a_former_key_still_opens_what_it_sealed(void **state)
{
	const struct keyring *known[] = { new_key };
	uint8_t master[32] = { 77 };
	struct keyring *third = keyring_of(master);
	char v[64];

	(void)state;
	teststore_stop(&ts);
	ts.opts.secret_keys = new_key;
	assert_int_equal(teststore_start(&ts), 0);
	assert_int_equal(put("oa", "a", "secret-a", 0, NULL), 0);
	teststore_stop(&ts);
	ts.opts.secret_keys = third;
	assert_int_equal(teststore_start(&ts), 0);
	assert_int_equal(get("oa", "a", v, sizeof(v), NULL), -EKEYREJECTED);
	teststore_stop(&ts);
	ts.opts.secret_known = known;
	ts.opts.n_secret_known = 1;
	assert_int_equal(teststore_start(&ts), 0);
	assert_int_equal(get("oa", "a", v, sizeof(v), NULL), 0);
	assert_string_equal(v, "secret-a");
	teststore_stop(&ts);
	keyring_free(third);
}

static void a_secret_too_long_is_refused(void **state)
{
	static char big[SECRET_MAX + 2];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	assert_int_equal(put("oa", "a", big, 0, NULL), -E2BIG);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM credential"), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_secret_comes_back_and_every_put_is_a_version),
		T(a_late_refresh_does_not_overwrite_a_newer_pair),
		T(what_is_missing_is_said),
		T(a_box_opens_only_in_its_own_row_name_and_version),
		T(no_secret_stands_in_the_files_or_the_audit),
		T(a_mark_is_kept_and_audited),
		T(the_list_shows_ages_and_no_values),
		T(a_rotation_seals_everything_anew),
		T(a_rotation_that_fails_changes_nothing),
#ifdef LANTOA_FAULTS
		T(a_rotation_that_is_not_committed_changes_nothing),
#endif
		T(a_rotation_that_a_kill_interrupted_is_decided_by_what_it_sealed),
		T(a_former_key_still_opens_what_it_sealed),
		T(a_secret_too_long_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
