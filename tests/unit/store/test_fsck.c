/* test_fsck.c - a sound store has no problem; every one broken on purpose is found, named, and nothing beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../lib/teststore.h"
#include "base/assert.h"
#include "base/file.h"
#include "store/store_asset.h"
#include "store/store_fsck.h"
#include "store/store_internal.h"

static struct teststore ts;

struct seen {
	char check[8][24], subject[8][80], text[8][200];
	size_t n;
	int64_t sending[4];
	size_t n_sending;
	int verify_rc;
};

static void report(void *ctx, const struct fsck_problem *p)
{
	struct seen *s = ctx;

	if (s->n < 8) {
		(void)str_copy(s->check[s->n], 24, str_of(p->check));
		(void)str_copy(s->subject[s->n], 80, str_of(p->subject));
		(void)str_copy(s->text[s->n], 200, str_of(p->text));
	}
	s->n++;
}

static void sending(void *ctx, int64_t delivery, int64_t lot)
{
	struct seen *s = ctx;

	UNUSED(lot);
	if (s->n_sending < ARRAY_LEN(s->sending))
		s->sending[s->n_sending++] = delivery;
}

static int approval_verify(void *ctx, struct store *s, struct db *db, int64_t id)
{
	UNUSED(s);
	UNUSED(db);
	UNUSED(id);
	return ((struct seen *)ctx)->verify_rc;
}

/* One release, approved, with a part, two lots, five contacts, a manifest whose hash is right, and an asset. */
static const char *const scene =
	"INSERT INTO vars VALUES (x'01', '{}');"
	"INSERT INTO office(id, code, depth, ord, region, lang, vars_hash) VALUES (1, 'TW', 0, '1', 'r', 'vi', x'01'), "
	"(2, 'HN', 1, '2', 'r', 'vi', x'01');"
	"INSERT INTO channel VALUES (1, 'mail', 'email'); INSERT INTO account VALUES (1, 1, 'relay', NULL);"
	"INSERT INTO lane(id, account_id, class, gate, tokens, tokens_at) VALUES (1, 1, '', 0, 0, 0);"
	"INSERT INTO contact(id, kind, address, form, class) VALUES (1, 1, 'a@x', 'mailbox', ''), (2, 1, 'b@x', 'mailbox', ''), "
	"(3, 1, 'c@x', 'mailbox', ''), (4, 1, 'd@x', 'mailbox', ''), (5, 1, 'e@x', 'mailbox', '');"
	"INSERT INTO target(contact_id, lane_id, office_id, lang, flags, seen_import) SELECT id, 1, 1, 'vi', 0, 1 FROM contact;"
	"INSERT INTO release(id, year, code, state, rev_newest, rev_approved, prio, category, kind, title) "
	"VALUES (1, 2026, 'A', 3, 1, 1, 1, 2, 1, 't');"
	"INSERT INTO part(release_id, rev, part, name, state, planned) VALUES (1, 1, 0, 'p', 1, 2);"
	"INSERT INTO manifest VALUES (x'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 1, 1, 1, x'616263', 0);"
	"INSERT INTO approval(id, manifest, step, person, via, kind, at, mac) SELECT 1, hash, 0, 'an', 'uid', 0, 0, x'00' FROM manifest;"
	"INSERT INTO approved_contact SELECT hash, 0, 1, contact.id FROM manifest, contact;"
	"INSERT INTO lot(id, release_id, part, lane_id, office_id, manifest, gate, prio, at, expires, n0, n1, n2) VALUES "
	"(1, 1, 0, 1, 1, x'00', 1, 1, 0, 0, 1, 1, 1), (2, 1, 0, 1, 2, x'00', 1, 1, 0, 0, 2, 0, 0);"
	"INSERT INTO delivery(id, lot_id, contact_id, once, state, tries, due, target_id) VALUES (1, 1, 1, 1025, 0, 0, 0, 1), "
	"(2, 1, 2, 1025, 1, 1, 0, 2), (3, 1, 3, 1025, 2, 1, 0, 3), (4, 2, 4, 1025, 0, 0, 0, 4), (5, 2, 5, 1025, 0, 0, 0, 5);"
	"INSERT INTO intent VALUES (2, '', 0, 0, 1);"
	"INSERT INTO attempt(delivery_id, try, started, took_ms, outcome, scope) VALUES (3, 1, 1, 1, 1, 0)";

static struct hash asset;

static int asset_run(struct store_tx *tx, struct store_cmd *cmd)
{
	UNUSED(cmd);
	return store_asset_row(
		tx, &(struct asset_row){ .hash = asset, .bytes = 5, .type = "text/plain" });
}

static int setup(void **state)
{
	struct store_cmd cmd = { .class = STORE_CONTROL, .run = asset_run };

	(void)state;
	if (teststore_open(&ts) < 0)
		return -1;
	hash_bytes(&asset, "hello", 5);
	if (store_asset_put_bytes(ts.s, STR("hello"), &asset, &ts.err) < 0)
		return -1;
	if (teststore_do(&ts, &cmd) < 0)
		return -1;
	return teststore_exec(&ts, scene);
}

static int teardown(void **state)
{
	(void)state;
	teststore_close(&ts);
	return 0;
}

static struct fsck_result fsck(struct seen *s, bool deep)
{
	struct store_reader *r = NULL;
	struct fsck_result res;
	struct fsck_opts o = { .deep = deep,
		.report = report,
		.approval_verify = approval_verify,
		.sending = sending,
		.ctx = s };
	int verify_rc = s->verify_rc;

	memset(s, 0, sizeof(*s));
	s->verify_rc = verify_rc;
	assert_int_equal(store_reader_get(ts.s, &r), 0);
	assert_int_equal(store_fsck(r, &o, &res), 0);
	store_reader_put(ts.s, r);
	return res;
}

static void a_sound_store_has_no_problem(void **state)
{
	struct seen s = { .n = 0 };

	(void)state;
	for (int deep = 0; deep < 2; deep++) {
		struct fsck_result res = fsck(&s, deep != 0);
		for (size_t i = 0; i < s.n && i < 8; i++)
			print_message("%s %s: %s\n", s.check[i], s.subject[i], s.text[i]);
		assert_int_equal(res.problems, 0);
		assert_int_equal(res.deliveries, 5);
		assert_int_equal(res.lots, 2);
		assert_int_equal(res.releases, 1);
		assert_int_equal(res.approvals, 1);
		assert_int_equal(res.assets, 1);
		assert_true(res.audit_rows >= 1);
		assert_int_equal(s.n_sending, 1);
		assert_int_equal(s.sending[0], 2);
	}
}

static void an_empty_store_has_no_problem(void **state)
{
	struct seen s = { .n = 0 };

	(void)state;
	teststore_close(&ts);
	assert_int_equal(teststore_open(&ts), 0);
	assert_int_equal(fsck(&s, true).problems, 0);
}

struct breakage {
	const char *sql, *check, *subject, *word;
	bool deep;
};
static const struct breakage breakages[] = {
	{ "UPDATE lot SET n0 = n0 + 1 WHERE id = 2", "counter", "lot:2", "waiting", false },
	{ "UPDATE lot SET n2 = 0 WHERE id = 1", "counter", "lot:1", "accepted", false },
	{ "UPDATE delivery SET state = 77 WHERE id = 3", "delivery", "delivery:3", "77", false },
	{ "UPDATE delivery SET lot_id = 9 WHERE id = 3", "reference", "delivery:3", "lot 9",
		false },
	{ "UPDATE delivery SET once = 2049 WHERE id = 3", "delivery", "delivery:3", "release 2",
		false },
	{ "DELETE FROM delivery WHERE id = 5; UPDATE lot SET n0 = 1 WHERE id = 2", "missing",
		"release:1/p", "contact 5", false },
	{ "PRAGMA foreign_keys = OFF; DELETE FROM contact WHERE id = 1; PRAGMA foreign_keys = ON",
		NULL, NULL, NULL,
		false }, /* inside a transaction the pragma is a no-op: refused by the reference itself */
	{ "UPDATE delivery SET contact_id = 99 WHERE id = 1", "reference", "delivery:1", "contact",
		false },
	{ "UPDATE lot SET gate = 12 WHERE id = 1", "lot", "lot:1", "12", false },
	{ "UPDATE lot SET part = 7 WHERE id = 1", "lot", "lot:1", "part", false },
	{ "UPDATE lot SET office_id = 7 WHERE id = 1", "lot", "lot:1", "office", false },
	{ "INSERT INTO intent VALUES (1, '', 0, 0, 1)", "intent", "delivery:1", "waiting", false },
	{ "INSERT INTO intent VALUES (55, '', 0, 0, 1)", "intent", "delivery:55", "not exist",
		false },
	{ "UPDATE release SET state = 44", "release", "release:A@2026", "44", false },
	{ "UPDATE approval SET voided = 1", "release", "release:A@2026", "no approval", false },
	{ "UPDATE manifest SET body = x'616264'", "manifest", "release:1", "hash", false },
	{ "UPDATE asset SET bytes = 6", "asset", "asset:", "5 bytes, not 6", false },
	{ "INSERT INTO attempt(delivery_id, try, started, took_ms, outcome, scope) VALUES (77, 1, 1, 1, 1, 0)",
		"reference", "attempt:77", "delivery", true },
	{ "DROP TRIGGER audit_keep; UPDATE audit SET person = 'x' WHERE seq = 1", "audit",
		"audit:1", "changed", false },
};

static void whatever_is_broken_on_purpose_is_found_and_named(void **state)
{
	struct seen s = { .n = 0 };

	for (size_t i = 0; i < ARRAY_LEN(breakages); i++) {
		const struct breakage *b = &breakages[i];
		if (i > 0) {
			teardown(state);
			assert_int_equal(setup(state), 0);
		}
		if (!b->check) {
			assert_true(teststore_exec(&ts, b->sql) < 0);
			continue;
		}
		assert_int_equal(teststore_exec(&ts, b->sql), 0);
		struct fsck_result res = fsck(&s, b->deep);
		bool hit = false;
		for (size_t k = 0; k < s.n && k < 8; k++)
			hit |= strcmp(s.check[k], b->check) == 0 &&
				str_starts(str_of(s.subject[k]), b->subject) &&
				strstr(s.text[k], b->word);
		if (!hit)
			fail_msg("not found: %s (%d problems, first: %s %s %s)", b->sql,
				(int)res.problems, s.check[0], s.subject[0], s.text[0]);
	}
}

static void a_counter_is_the_only_problem_of_a_wrong_counter(void **state)
{
	struct seen s = { .n = 0 };

	(void)state;
	assert_int_equal(teststore_exec(&ts, "UPDATE lot SET n9 = 1 WHERE id = 1"), 0);
	assert_int_equal(fsck(&s, true).problems, 1);
	assert_non_null(strstr(s.text[0], "1 held, and has 0"));
}

static void a_forged_approval_is_found_by_the_verifier(void **state)
{
	struct seen s = { .verify_rc = -EBADMSG };

	(void)state;
	assert_int_equal(fsck(&s, false).problems, 1);
	assert_string_equal(s.check[0], "approval");
	assert_string_equal(s.subject[0], "approval:1");
}

static void a_changed_asset_shows_when_looked_at_deeply(void **state)
{
	struct seen s = { .n = 0 };
	char path[400];

	(void)state;
	asset_path(path, sizeof(path), store_assets_dir(ts.s), &asset);
	assert_int_equal(file_write_durable(path, STR("jello"), 0600, NULL), 0);
	assert_int_equal(fsck(&s, false).problems, 0);
	assert_int_equal(fsck(&s, true).problems, 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(fsck(&s, false).problems, 1);
	assert_non_null(strstr(s.text[0], "cannot be opened"));
}

static void an_erased_contact_of_a_settled_delivery_is_no_problem(void **state)
{
	struct seen s = { .n = 0 };

	(void)state;
	assert_int_equal(
		teststore_exec(&ts,
			"DELETE FROM target WHERE contact_id = 3; DELETE FROM contact WHERE id = 3"),
		0);
	assert_int_equal(fsck(&s, true).problems, 0);
}

static void thousands_of_problems_are_counted_and_the_first_are_told(void **state)
{
	struct seen s = { .n = 0 };

	(void)state;
	assert_int_equal(
		teststore_exec(&ts,
			"WITH RECURSIVE k(i) AS (SELECT 100 UNION ALL SELECT i+1 FROM k WHERE i < 3099) INSERT INTO "
			"delivery(lot_id, contact_id, once, state, tries, due, target_id) SELECT 50, i, 1025, 6, 0, 0, 0 "
			"FROM k"),
		0);
	struct fsck_result res = fsck(&s, false);
	assert_int_equal(res.problems, 3000);
	assert_int_equal(s.n, FSCK_REPORTED_MAX);
	assert_int_equal(res.deliveries, 3005);
}

static _Atomic bool stopped;
static void stop_after_the_first(void *ctx, const char *check, uint64_t rows)
{
	UNUSED(ctx);
	UNUSED(check);
	UNUSED(rows);
	stopped = true;
}

/* Between two snapshots, and in the middle of one. */
static void a_stop_ends_what_reads_for_long(void **state)
{
	struct seen s = { .n = 0 };
	struct fsck_opts o = {
		.deep = true, .report = report, .progress = stop_after_the_first, .ctx = &s
	};
	struct fsck_result res;
	struct audit_report rep;
	struct store_reader *r = NULL;
	int64_t n = 0;

	(void)state;
	stopped = false;
	assert_int_equal(store_reader_get(ts.s, &r), 0);
	reader_cut(r, &stopped);
	assert_int_equal(store_fsck(r, &o, &res), -ECANCELED);
	assert_int_equal(res.lots, 0);
	assert_int_equal(store_audit_verify(r, NULL, &rep), -ECANCELED);
	stopped = false;
	assert_int_equal(reader_begin(r), 0);
	stopped = true;
	assert_int_equal(
		db_get_i64(reader_db(r), &n,
			"WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM k WHERE "
			"i<40000000) SELECT count(*) FROM k",
			""),
		-EINTR);
	reader_end(r);
	store_reader_put(ts.s, r);
	assert_int_equal(store_reader_get(ts.s, &r), 0); /* the next one is not ended by it */
	assert_int_equal(store_audit_verify(r, NULL, &rep), 0);
	store_reader_put(ts.s, r);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_sound_store_has_no_problem),
		T(an_empty_store_has_no_problem),
		T(whatever_is_broken_on_purpose_is_found_and_named),
		T(a_counter_is_the_only_problem_of_a_wrong_counter),
		T(a_forged_approval_is_found_by_the_verifier),
		T(a_changed_asset_shows_when_looked_at_deeply),
		T(an_erased_contact_of_a_settled_delivery_is_no_problem),
		T(a_stop_ends_what_reads_for_long),
		T(thousands_of_problems_are_counted_and_the_first_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
