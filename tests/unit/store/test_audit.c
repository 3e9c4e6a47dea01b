/* test_audit.c - the chain and the seals: every kind of tampering is found and named, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "../../lib/teststore.h"
#include "base/assert.h"
#include "store/store_audit.h"
#include "store/store_internal.h"
#include "store/store_seal.h"

static struct teststore ts;

struct act {
	struct store_cmd cmd;
	struct audit_event ev;
	int fail_with;
};

static int act_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct act *a = CONTAINER_OF(cmd, struct act, cmd);
	int rc = store_audit(tx, &a->ev);

	return rc < 0 ? rc : a->fail_with;
}

static int act(const char *what, const char *why)
{
	struct act a = { .cmd = { .class = STORE_CONTROL, .run = act_run },
		.ev = { .person = "an",
			.via = "uid:1000",
			.what = what,
			.subject = "release:TTBC-1@2026",
			.why = why } };

	return teststore_do(&ts, &a.cmd);
}

static int setup(void **state)
{
	(void)state;
	if (teststore_open(&ts) < 0)
		return -1;
	for (int i = 0; i < 9; i++)
		if (act("release.submit", i % 2 ? "because" : NULL) < 0)
			return -1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	teststore_close(&ts);
	return 0;
}

static struct audit_report verify(const struct audit_head *head)
{
	struct audit_report rep;
	struct store_reader *r = NULL;

	assert_int_equal(store_reader_get(ts.s, &r), 0);
	assert_int_equal(store_audit_verify(r, head, &rep), 0);
	store_reader_put(ts.s, r);
	return rep;
}

static struct audit_head head_now(void)
{
	struct store_reader *r = teststore_reader(&ts);
	struct audit_head h;

	assert_int_equal(store_audit_head(reader_db(r), &h), 0);
	teststore_reader_end(&ts, r);
	return h;
}

/* As somebody would who has the file: the triggers dropped first. */
static void tamper(const char *sql)
{
	assert_int_equal(teststore_exec(&ts,
				 "DROP TRIGGER IF EXISTS audit_keep; "
				 "DROP TRIGGER IF EXISTS audit_stay"),
		0);
	assert_int_equal(teststore_exec(&ts, sql), 0);
}

static void an_untouched_chain_holds(void **state)
{
	(void)state;
	struct audit_report rep = verify(NULL);
	assert_int_equal(rep.fault, AUDIT_OK);
	assert_int_equal(rep.rows, 10); /* the making of the store is row 1 */
	assert_int_equal(rep.head.seq, 10);
}

static void a_long_chain_holds_over_many_pages(void **state)
{
	(void)state;
	for (int i = 0; i < 2500; i++)
		assert_int_equal(act("part.move", "later"), 0);
	struct audit_report rep = verify(NULL);
	assert_int_equal(rep.fault, AUDIT_OK);
	assert_int_equal(rep.rows, 2510);
}

static void rows_cannot_be_changed_or_deleted_by_accident(void **state)
{
	(void)state;
	assert_true(teststore_exec(&ts, "UPDATE audit SET why = 'x' WHERE seq = 3") < 0);
	assert_non_null(strstr(ts.err.text, "append-only"));
	assert_true(teststore_exec(&ts, "DELETE FROM audit WHERE seq = 3") < 0);
}

static void every_changed_column_is_found(void **state)
{
	static const char *const change[] = { "at = at + 1", "person = 'binh'", "via = 'uid:0'",
		"what = 'release.approve'", "subject = 'release:B'", "was = 'x'", "now = ''",
		"why = NULL", "hash = randomblob(32)", "hash = x'00'" };

	for (size_t i = 0; i < ARRAY_LEN(change); i++) {
		char sql[120];
		if (i > 0) {
			teardown(state);
			assert_int_equal(setup(state), 0);
		}
		(void)snprintf(sql, sizeof(sql), "UPDATE audit SET %s WHERE seq = 5", change[i]);
		tamper(sql);
		struct audit_report rep = verify(NULL);
		if (rep.fault != AUDIT_CHANGED || rep.at_seq != 5)
			fail_msg("%s: fault %d at %d", sql, (int)rep.fault, (int)rep.at_seq);
		assert_int_equal(rep.head.seq, 4);
	}
}

static void fields_cannot_flow_into_each_other(void **state)
{
	(void)state;
	tamper("UPDATE audit SET what = 'release', subject = '.submitrelease:TTBC-1@2026' WHERE seq = 5");
	assert_int_equal(verify(NULL).fault, AUDIT_CHANGED);
}

static void a_gap_is_found(void **state)
{
	(void)state;
	tamper("DELETE FROM audit WHERE seq IN (4, 5)");
	struct audit_report rep = verify(NULL);
	assert_int_equal(rep.fault, AUDIT_GAP);
	assert_int_equal(rep.at_seq, 4);
	assert_non_null(strstr(rep.text, "4 to 5"));
}

static void two_rows_swapped_are_found(void **state)
{
	(void)state;
	tamper("UPDATE audit SET seq = 100 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 5; "
	       "UPDATE audit SET seq = 5 WHERE seq = 100");
	assert_int_equal(verify(NULL).fault, AUDIT_CHANGED);
}

static void a_cut_end_is_found(void **state)
{
	(void)state;
	tamper("DELETE FROM audit WHERE seq > 7");
	struct audit_report rep = verify(NULL);
	assert_int_equal(rep.fault, AUDIT_TRUNCATED);
	assert_int_equal(rep.at_seq, 8);
}

static void a_cut_end_with_its_head_rewritten_shows_against_the_journal(void **state)
{
	struct audit_head journal = head_now();

	(void)state;
	tamper("DELETE FROM audit WHERE seq > 7; UPDATE audit_head SET seq = 7, hash = (SELECT hash "
	       "FROM audit WHERE seq = 7)");
	assert_int_equal(verify(NULL).fault, AUDIT_OK); /* from the inside it looks whole */
	assert_int_equal(verify(&journal).fault, AUDIT_TRUNCATED);
	for (int i = 0; i < 5; i++) /* and grown over since */
		assert_int_equal(act("release.submit", "again"), 0);
	assert_int_equal(verify(NULL).fault, AUDIT_OK);
	struct audit_report rep = verify(&journal);
	assert_int_equal(rep.fault, AUDIT_HEAD);
	assert_int_equal(rep.at_seq, 10);
}

static void an_older_head_of_the_journal_fits_a_grown_chain(void **state)
{
	struct audit_head journal = head_now();

	(void)state;
	assert_int_equal(act("release.approve", NULL), 0);
	assert_int_equal(verify(&journal).fault, AUDIT_OK);
}

static void a_wrong_key_is_named_as_such(void **state)
{
	struct audit_report rep;
	struct store_reader *r = NULL;
	uint8_t master[32] = { 1 };
	struct keyring *k = keyring_of(master);

	(void)state;
	/* the whole store under another key opens only when row 1 is made to say so */
	teststore_stop(&ts);
	ts.opts.keys = k;
	assert_int_equal(teststore_start(&ts), -EKEYREJECTED);
	ts.opts.keys = ts.keys;
	assert_int_equal(teststore_start(&ts), 0);
	tamper("UPDATE audit SET subject = 'key:00000000' WHERE seq = 1");
	assert_int_equal(store_reader_get(ts.s, &r), 0);
	assert_int_equal(store_audit_verify(r, NULL, &rep), 0);
	store_reader_put(ts.s, r);
	keyring_free(k);
	assert_int_equal(rep.fault, AUDIT_WRONG_KEY);
	assert_int_equal(rep.at_seq, 1);
}

static void a_failed_command_leaves_no_event(void **state)
{
	struct act a = { .cmd = { .class = STORE_CONTROL, .run = act_run },
		.ev = { .person = "an", .via = "x", .what = "y", .subject = "z" },
		.fail_with = -EDOM };

	(void)state;
	assert_int_equal(teststore_do(&ts, &a.cmd), -EDOM);
	assert_int_equal(head_now().seq, 10);
	assert_int_equal(act("release.submit", NULL), 0);
	assert_int_equal(verify(NULL).fault, AUDIT_OK);
}

static void a_field_too_long_or_not_utf8_is_refused(void **state)
{
	char text[5000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(act("release.submit", text), -EINVAL);
	assert_int_equal(act("release.submit", "\xff"), -EINVAL);
	assert_int_equal(head_now().seq, 10);
}

/* Words of a provider: they cannot keep what happened from being recorded. */
static void what_the_system_does_is_told_whatever_the_words(void **state)
{
	char text[5000], sql[100];
	struct act a = { .cmd = { .class = STORE_CONTROL, .run = act_run },
		.ev = { .person = "system",
			.via = "system",
			.what = "lane.hold",
			.subject = "lane:#1",
			.was = "\xe1\xbb",
			.now = text,
			.why = "refused: b\xb8 t\xf5 ch\xe1\xbb" } };
	int64_t seq = head_now().seq;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(teststore_do(&ts, &a.cmd), 0);
	assert_int_equal(head_now().seq, seq + 1);
	(void)snprintf(sql, sizeof(sql), "SELECT why FROM audit WHERE seq=%d", (int)seq + 1);
	char *why = teststore_text(&ts, sql);
	assert_string_equal(why, "refused: b? t? ch");
	free(why);
	assert_int_equal(verify(NULL).fault, AUDIT_OK);
}

static void the_head_reads_back_from_its_text(void **state)
{
	char text[120], hex[HASH_HEX];
	struct audit_head h = head_now(), back;

	(void)state;
	hash_hex(&h.hash, hex);
	(void)snprintf(text, sizeof(text), "%d:%s", (int)h.seq, hex);
	assert_int_equal(audit_head_parse(str_of(text), &back), 0);
	assert_int_equal(back.seq, h.seq);
	assert_int_equal(hash_cmp(&back.hash, &h.hash), 0);
	assert_int_equal(audit_head_parse(STR("10"), &back), -EINVAL);
	assert_int_equal(audit_head_parse(STR("0:00"), &back), -EINVAL);
	assert_int_equal(audit_head_parse(STR(""), &back), -EINVAL);
}

struct listed {
	int64_t seq[4];
	size_t n;
};

static void list_row(void *ctx, const struct audit_row *row)
{
	struct listed *l = ctx;

	if (l->n < ARRAY_LEN(l->seq))
		l->seq[l->n++] = row->seq;
}

static void the_list_comes_newest_first_and_in_pages(void **state)
{
	struct listed l = { .n = 0 };
	struct store_reader *r = teststore_reader(&ts);

	(void)state;
	int first = store_audit_list(r, 0, 2, list_row, &l);
	int next = store_audit_list(r, 9, 2, list_row, &l);
	teststore_reader_end(&ts, r);
	assert_int_equal(first, 2);
	assert_int_equal(next, 2);
	assert_int_equal(l.seq[0], 10);
	assert_int_equal(l.seq[1], 9);
	assert_int_equal(l.seq[2], 8);
}

/* --- seals -------------------------------------------------------------------------------------------------------------- */

#define ONCE1 "(1*64+0)*16+1"

static void attempts_make(int n)
{
	char sql[1200];

	(void)snprintf(sql, sizeof(sql),
		"WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM k WHERE i < %d) "
		"INSERT INTO delivery(lot_id, contact_id, once, state, tries, due, target_id) "
		"SELECT 1, i, " ONCE1 ", 2, 1, 0, i FROM k;"
		"INSERT INTO delivery(lot_id, contact_id, once, state, tries, due, target_id) VALUES "
		"(2, 5, (1*64+3)*16+2, 2, 1, 0, 5), (9, 5, (2*64+0)*16+1, 2, 1, 0, 5);"
		"INSERT INTO attempt(delivery_id, try, started, took_ms, outcome, scope, code) "
		"SELECT id, 1, 1000, 5, 1, 0, '250' FROM delivery",
		n);
	assert_int_equal(teststore_exec(&ts, sql), 0);
}

static int64_t seal_release(int64_t release)
{
	struct store_seal c;
	int64_t sealed = 0;

	store_seal_init(&c, release);
	do {
		assert_int_equal(teststore_do(&ts, &c.cmd), 0);
		sealed += c.attempts;
	} while (c.more);
	return sealed;
}

static void a_release_is_sealed_whole_and_holds(void **state)
{
	(void)state;
	attempts_make(4500);
	assert_int_equal(seal_release(1), 4501);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM seal"),
		4);                           /* 2000 + 2000 + 500, and the other kind */
	assert_int_equal(seal_release(1), 0); /* nothing new, nothing written */
	struct audit_report rep = verify(NULL);
	assert_int_equal(rep.fault, AUDIT_OK);
	assert_int_equal(rep.seals, 4);
	assert_int_equal(rep.attempts, 4501);
}

static void a_later_retry_gets_a_seal_of_its_own(void **state)
{
	(void)state;
	attempts_make(50);
	assert_int_equal(seal_release(1), 51);
	ts.wall_ms -= 3600000; /* the clock was set back: numbers go on */
	assert_int_equal(teststore_reopen(&ts), 0);
	assert_int_equal(
		teststore_exec(&ts,
			"INSERT INTO attempt(delivery_id, try, started, took_ms, outcome, scope, num) SELECT id, 2, "
			"10, 5, 1, 0, (1 << 40) + 1 FROM delivery WHERE contact_id = 7 AND once = " ONCE1),
		0);
	assert_int_equal(verify(NULL).fault, AUDIT_OK);
	assert_int_equal(seal_release(1), 1);
	struct audit_report rep = verify(NULL);
	assert_int_equal(rep.fault, AUDIT_OK);
	assert_int_equal(rep.attempts, 52);
}

static void a_sealing_that_was_cut_short_goes_on_without_a_hole(void **state)
{
	struct store_seal c;

	(void)state;
	attempts_make(3000);
	store_seal_init(&c, 1);
	assert_int_equal(teststore_do(&ts, &c.cmd), 0); /* one chunk, then a restart */
	assert_int_equal(c.attempts, 2000);
	ts.wall_ms += 1000;
	assert_int_equal(seal_release(1), 1001);
	struct audit_report rep = verify(NULL);
	assert_int_equal(rep.fault, AUDIT_OK);
	assert_int_equal(rep.attempts, 3001);
}

static void tampered_attempts_and_seals_are_found(void **state)
{
	static const char *const change[] = {
		"UPDATE attempt SET outcome = 2 WHERE delivery_id = 3",
		"UPDATE attempt SET code = NULL WHERE delivery_id = 3",
		"UPDATE attempt SET url = '' WHERE delivery_id = 3",
		"DELETE FROM attempt WHERE delivery_id = 3",
		"INSERT INTO attempt(delivery_id, try, started, took_ms, outcome, scope) VALUES (3, 9, 999, 1, 1, 0)",
		"UPDATE seal SET n = n - 1 WHERE seq = (SELECT min(seq) FROM seal)",
		"UPDATE seal SET digest = randomblob(32) WHERE seq = (SELECT min(seq) FROM seal)",
		"DELETE FROM seal WHERE seq = (SELECT min(seq) FROM seal)"
	};

	for (size_t i = 0; i < ARRAY_LEN(change); i++) {
		if (i > 0) {
			teardown(state);
			assert_int_equal(setup(state), 0);
		}
		attempts_make(20);
		assert_int_equal(seal_release(1), 21);
		assert_int_equal(verify(NULL).fault, AUDIT_OK);
		assert_int_equal(teststore_exec(&ts, change[i]), 0);
		if (verify(NULL).fault != AUDIT_SEAL)
			fail_msg("not found: %s", change[i]);
	}
}

static void pruned_attempts_leave_their_seal(void **state)
{
	(void)state;
	attempts_make(20);
	assert_int_equal(seal_release(1), 21);
	assert_int_equal(teststore_exec(&ts, "DELETE FROM attempt"), 0);
	struct audit_report rep = verify(NULL);
	assert_int_equal(rep.fault, AUDIT_OK);
	assert_int_equal(rep.seals_pruned, 2);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_untouched_chain_holds),
		T(a_long_chain_holds_over_many_pages),
		T(rows_cannot_be_changed_or_deleted_by_accident),
		T(every_changed_column_is_found),
		T(fields_cannot_flow_into_each_other),
		T(a_gap_is_found),
		T(two_rows_swapped_are_found),
		T(a_cut_end_is_found),
		T(a_cut_end_with_its_head_rewritten_shows_against_the_journal),
		T(an_older_head_of_the_journal_fits_a_grown_chain),
		T(a_wrong_key_is_named_as_such),
		T(a_failed_command_leaves_no_event),
		T(a_field_too_long_or_not_utf8_is_refused),
		T(what_the_system_does_is_told_whatever_the_words),
		T(the_head_reads_back_from_its_text),
		T(the_list_comes_newest_first_and_in_pages),
		T(a_release_is_sealed_whole_and_holds),
		T(a_later_retry_gets_a_seal_of_its_own),
		T(a_sealing_that_was_cut_short_goes_on_without_a_hole),
		T(tampered_attempts_and_seals_are_found),
		T(pruned_attempts_leave_their_seal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
