/* test_forged.c - what was edited in the database behind our back is caught before it leaves, and what was not is sent. */
#include "scene.h"

static void expect_forged(const char *sql)
{
	scene_go("  press: {to: press, channels: [email], at: 2026-11-23 10:00}\n");
	scene_plan_end();
	scene_sql("%s", sql); /* somebody edits the database while the daemon is down */
	scene_plan();
	scene_run(3 * HOUR);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 0);
	assert_int_equal(scene_part_state("press"), PART_HELD);
	assert_true(scene_audits("part.refused") >= 1);
	struct err e = { 0 };
	struct store_reader *r = teststore_reader(&sc.ts);
	assert_true(plan_verify_approvals(sc.p, r, 1, &e) < 0);
	teststore_reader_end(&sc.ts, r);
}

static void an_edited_text_is_caught(void **state)
{
	UNUSED(state);
	expect_forged("UPDATE revision SET body='Other words.'");
}

static void an_edited_approval_is_caught(void **state)
{
	UNUSED(state);
	expect_forged("UPDATE approval SET person='hoa'");
}

static void an_edited_time_of_approval_is_caught(void **state)
{
	UNUSED(state);
	expect_forged("UPDATE release SET approved_at=approved_at-60000");
}

static void an_edited_output_is_caught(void **state)
{
	UNUSED(state);
	expect_forged("UPDATE prepared SET digest=vars_hash WHERE office_id=2");
}

static void an_edited_manifest_is_caught(void **state)
{
	UNUSED(state);
	expect_forged(
		"UPDATE manifest SET body=CAST(replace(CAST(body AS TEXT), 'x', 'y') AS BLOB)");
}

/* Its mark is good; it was given while the record of who wrote what was another one. */
static void an_approval_of_an_author_is_caught(void **state)
{
	UNUSED(state);
	expect_forged("INSERT INTO release_author(release_id, rev, person) VALUES (1, 1, 'minh')");
}

static void a_copied_approval_of_another_release_is_caught(void **state)
{
	UNUSED(state);
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-2",
				"  press: {to: press, channels: [email], at: now}\n") "Never approved.\n"),
		0);
	scene_sql(
		"INSERT INTO approval(manifest, step, person, via, kind, at, mac) SELECT (SELECT hash FROM manifest WHERE release_id=2), step, person, "
		"via, kind, at, mac FROM approval");
	scene_sql("UPDATE release SET state=2, rev_approved=1, approved_at=%lld WHERE id=2",
		(long long)sc.te.wall);
	scene_sql(
		"INSERT INTO job(kind, subject, next, arg) SELECT 1, 2, 0, lower(hex(hash)) FROM manifest WHERE release_id=2");
	scene_sql(
		"UPDATE part SET at=%lld, win_from=%lld, win_to=%lld, expires=%lld WHERE release_id=2",
		(long long)sc.te.wall, (long long)sc.te.wall, (long long)sc.te.wall + HOUR,
		(long long)sc.te.wall + 48LL * HOUR);
	plan_on_progress(sc.p, 2, 1);
	scene_run(2000);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE release_id=2 AND gate=1"), 0);
	assert_int_equal(scene_i64("SELECT state FROM part WHERE release_id=2"), PART_HELD);
	assert_true(scene_audits("part.refused") >= 1);
}

/* Its marks are good, one step is missing: only the policy, asked again at the start, stands between it and everybody. */
static void a_release_called_approved_before_its_last_step_is_caught(void **state)
{
	UNUSED(state);
	sc.conf.n_steps = 2;
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-1",
				"  press: {to: press, channels: [email], at: now}\n") "Half approved.\n"),
		0);
	assert_int_equal(scene_approve("minh"), 0);
	assert_int_equal(scene_i64("SELECT state FROM release WHERE id=1"), REL_IN_REVIEW);
	scene_sql(
		"UPDATE release SET state=2, rev_approved=1, approved_at=(SELECT max(at) FROM approval) WHERE id=1");
	scene_sql(
		"INSERT INTO job(kind, subject, next, arg) SELECT 1, 1, 0, lower(hex(hash)) FROM manifest WHERE release_id=1");
	scene_sql(
		"UPDATE part SET at=%lld, win_from=%lld, win_to=%lld, expires=%lld WHERE release_id=1",
		(long long)sc.te.wall, (long long)sc.te.wall, (long long)sc.te.wall + HOUR,
		(long long)sc.te.wall + 48LL * HOUR);
	plan_on_progress(sc.p, 1, 1);
	scene_run(2000);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 0);
	assert_int_equal(scene_part_state("press"), PART_HELD);
	assert_int_equal(
		scene_i64(
			"SELECT count(*) FROM part WHERE why LIKE '%%steps of the approval policy%%'"),
		1);
	assert_true(scene_audits("part.refused") >= 1);
}

static void what_was_not_touched_verifies(void **state)
{
	UNUSED(state);
	scene_go("  press: {to: press, channels: [email], at: now}\n");
	struct err e = { 0 };
	struct store_reader *r = teststore_reader(&sc.ts);
	assert_int_equal(plan_verify_approvals(sc.p, r, 1, &e), 0);
	teststore_reader_end(&sc.ts, r);
}

#define T(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_edited_text_is_caught),
		T(an_edited_approval_is_caught),
		T(an_edited_time_of_approval_is_caught),
		T(an_edited_output_is_caught),
		T(an_edited_manifest_is_caught),
		T(an_approval_of_an_author_is_caught),
		T(a_copied_approval_of_another_release_is_caught),
		T(a_release_called_approved_before_its_last_step_is_caught),
		T(what_was_not_touched_verifies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
