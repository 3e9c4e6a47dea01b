/* test_flow.c - from a bundle to open lots: what is held, in which order parts go. */
#include "scene.h"

static void a_release_is_submitted_approved_planned_and_opened(void **state)
{
	UNUSED(state);
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	assert_int_equal(scene_i64("SELECT state FROM release"), REL_IN_REVIEW);
	assert_int_equal(scene_approve("minh"), 0);
	assert_true(json_bool(sc.json, "complete", false));
	scene_run(500);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 4);
	assert_int_equal(scene_i64("SELECT sum(n0) FROM lot"), 4);
	assert_int_equal(scene_i64("SELECT count(*) FROM delivery WHERE state=0"), 4);
	assert_int_equal(scene_i64("SELECT state FROM release"), REL_SENDING);
	assert_true(sc.opened > 0);
	scene_send_all();
	scene_run(500);
	assert_int_equal(scene_i64("SELECT state FROM release"), REL_DONE);
	assert_int_equal(scene_audits("part.start"), 1);
	assert_int_equal(scene_audits("release.done"), 1);
}

static int bulk_over;

static int bulk_run(struct store_tx *tx, struct store_cmd *cmd)
{
	UNUSED(tx);
	UNUSED(cmd);
	return 0;
}

static void bulk_done(struct store_cmd *cmd)
{
	bulk_over++;
	free(cmd);
}

static void a_small_part_is_planned_and_opened_before_the_bulk_that_waits(void **state)
{
	UNUSED(state);
	bulk_over = 0;
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	assert_int_equal(scene_approve("minh"), 0);
	int before = sc.opened;
	for (int i = 0; i < 300; i++) {
		struct store_cmd *c = x_calloc(1, sizeof(*c));
		*c = (struct store_cmd){ .class = STORE_BULK, .run = bulk_run, .done = bulk_done };
		assert_int_equal(store_submit(sc.ts.s, c), 0);
	}
	for (int i = 0; i < 2000 && scene_i64("SELECT count(*) FROM lot WHERE gate=1") < 4; i++) {
		testenv_advance(&sc.te, 1);
		(void)store_run(sc.ts.s);
		(void)store_complete(sc.ts.s);
	}
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 4);
	assert_true(bulk_over < 100); /* of 300 that came before */
	scene_run(500);
	assert_true(sc.opened > before);
	assert_int_equal(bulk_over, 300);
}

static void a_new_revision_voids_approval_and_lots_and_is_planned_again(void **state)
{
	UNUSED(state);
	scene_go("  press: {to: press, channels: [email], at: 2026-11-23 10:00}\n");
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=0"), 4);
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-1",
				"  press: {to: press, channels: [email], at: 2026-11-23 11:00}\n") "Other.\n"),
		0);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=5"), 4);
	assert_int_equal(scene_i64("SELECT count(*) FROM approval WHERE voided IS NULL"), 0);
	scene_run(3 * 3600 * 1000);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 0);
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-1",
				"  press: {to: press, channels: [email], at: now}\n") "Third.\n"),
		0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 4);
	assert_int_equal(scene_i64("SELECT count(*) FROM delivery WHERE lot_id<>0"), 4);
	assert_int_equal(
		scene_i64(
			"SELECT count(*) FROM lot l JOIN manifest m ON m.hash=l.manifest WHERE m.rev=3"),
		4);
}

static void what_was_sent_under_an_old_revision_is_not_sent_again(void **state)
{
	UNUSED(state);
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	scene_sql("UPDATE delivery SET state=2, tries=1 WHERE contact_id=10");
	scene_sql("UPDATE lot SET n0=0, n2=1 WHERE office_id=1");
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-1",
				"  press: {to: press, channels: [email], at: now}\n") "Other words.\n"),
		0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(scene_i64("SELECT count(*) FROM delivery"), 4);
	assert_int_equal(scene_i64("SELECT count(*) FROM delivery WHERE state=0"), 3);
	assert_int_equal(scene_i64("SELECT sum(n0) FROM lot WHERE gate=1"), 3);
	assert_int_equal(scene_i64("SELECT sum(n2) FROM lot"), 1);
}

static void an_audience_that_grew_holds_its_part_until_diff_is_approved(void **state)
{
	UNUSED(state);
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	for (int i = 0; i < 30; i++)
		scene_target(100 + i, 2, 1, "vi");
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(scene_part_state("press"), PART_HELD);
	assert_true(scene_why_has("SELECT why FROM part", "grew:"));
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 0);
	assert_int_equal(scene_audits("part.hold"), 1);

	char json[200];
	snprintf(json, sizeof(json), "{\"hash\":\"%s\",\"diff\":true}", sc.hash);
	assert_int_equal(scene_act(plan_approve, "hoa", json), -EBUSY); /* shows what it is now */
	assert_string_not_equal(json_z(sc.json, "hash", ""), sc.hash);
	snprintf(
		json, sizeof(json), "{\"hash\":\"%s\",\"diff\":true}", json_z(sc.json, "hash", ""));
	assert_int_equal(scene_act(plan_approve, "hoa", json), 0);
	scene_run(500);
	assert_int_equal(scene_part_state("press"), PART_PLANNED);
	assert_int_equal(scene_i64("SELECT sum(n0) FROM lot WHERE gate=1"), 34);
}

/* What it is now is looked at, and approved. */
static void approve_diff(const char *person)
{
	char json[200];
	snprintf(json, sizeof(json), "{\"hash\":\"%s\",\"diff\":true}", sc.hash);
	assert_int_equal(scene_act(plan_approve, person, json), -EBUSY);
	snprintf(sc.hash, sizeof(sc.hash), "%s", json_z(sc.json, "hash", ""));
	snprintf(json, sizeof(json), "{\"hash\":\"%s\",\"diff\":true}", sc.hash);
	assert_int_equal(scene_act(plan_approve, person, json), 0);
}

static void growth_behind_a_second_approval_holds_what_had_started(void **state)
{
	UNUSED(state);
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(scene_i64("SELECT sum(n0) FROM lot WHERE gate=1"), 4);
	for (int i = 0; i < 5; i++)
		scene_target(100 + i, 2, 1, "vi");
	approve_diff("hoa");
	for (int i = 0; i < 30; i++) /* while it is being planned again */
		scene_target(200 + i, 2, 1, "vi");
	scene_run(500);
	assert_int_equal(scene_part_state("press"), PART_HELD);
	assert_true(scene_why_has("SELECT why FROM part", "grew:"));
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 0);

	approve_diff("minh");
	scene_run(500);
	assert_int_equal(scene_part_state("press"), PART_PLANNED);
	assert_int_equal(scene_i64("SELECT sum(n0) FROM lot WHERE gate=1"), 39);
}

static const char *later = FRONT(
	"TTBC-1", "  press: {to: press, channels: [email], at: 2026-11-23 10:00}\n") BODY;

static void contacts_that_come_after_the_approval_count_when_the_part_starts(void **state)
{
	UNUSED(state);
	assert_int_equal(scene_submit("lan", later), 0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(scene_i64("SELECT count(*) FROM delivery"), 4);
	for (int i = 0; i < 3; i++)
		scene_target(100 + i, 3, 1, "vi");
	scene_sql("UPDATE target SET flags=1 WHERE contact_id=10");
	scene_sql(
		"INSERT INTO import(what, at, person, hash, rows, added, changed, gone) VALUES('t', 0, 'x', X'00', 3, 3, 0, 1)");
	scene_run(3 * 3600 * 1000);
	assert_int_equal(
		scene_i64(
			"SELECT count(*) FROM delivery d JOIN lot l ON l.id=d.lot_id WHERE l.gate=1"),
		6);
	assert_int_equal(scene_i64("SELECT count(*) FROM delivery WHERE contact_id=10"), 0);
	assert_int_equal(scene_i64("SELECT sum(n0) FROM lot"), 6);
}

static void too_many_that_come_after_the_approval_hold_the_part(void **state)
{
	UNUSED(state);
	assert_int_equal(scene_submit("lan", later), 0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	for (int i = 0; i < 30; i++)
		scene_target(100 + i, 3, 1, "vi");
	scene_sql(
		"INSERT INTO import(what, at, person, hash, rows, added, changed, gone) VALUES('t', 0, 'x', X'00', 3, 3, 0, 1)");
	scene_run(3 * 3600 * 1000);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 0);
	assert_int_equal(scene_part_state("press"), PART_HELD);
	assert_int_equal(scene_audits("part.hold"), 1);
}

static void a_refused_submission_stands_in_the_audit(void **state)
{
	UNUSED(state);
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-1", "  press: {to: nobody, channels: [email], at: now}\n")
				BODY),
		-EBADMSG);
	assert_int_equal(scene_audits("release.submit.refused"), 1);
	assert_int_equal(
		scene_submit("lan", "---\ncode: TTBC-7\ntitel: no such key\n---\nx\n"), -EBADMSG);
	assert_int_equal(
		scene_i64(
			"SELECT count(*) FROM audit WHERE what='release.submit.refused' AND subject='release:TTBC-7@2026'"),
		1);
	assert_int_equal(scene_i64("SELECT count(*) FROM release"), 0);
}

static void a_few_more_do_not_hold_it(void **state)
{
	UNUSED(state);
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	for (int i = 0; i < 20; i++)
		scene_target(100 + i, 3, 1, "vi");
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(scene_i64("SELECT sum(n0) FROM lot WHERE gate=1"), 24);
}

static void a_language_that_nothing_was_approved_for_holds_its_lot(void **state)
{
	UNUSED(state);
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	scene_target(100, 3, 1, "en");
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 3);
	assert_true(scene_why_has("SELECT why FROM lot WHERE gate=2",
		"nothing was approved for mailbox addresses in 'en'"));
}

static void growth_counts_additions_and_not_the_net(void **state)
{
	UNUSED(state);
	for (int i = 0; i < 30; i++)
		scene_target(100 + i, 2, 1, "vi");
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	scene_sql("UPDATE target SET flags=1 WHERE contact_id>=100");
	for (int i = 0; i < 30; i++)
		scene_target(200 + i, 2, 1, "vi");
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(scene_part_state("press"), PART_HELD);
}

static void a_changed_hotline_holds_that_lot_and_says_so(void **state)
{
	UNUSED(state);
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	scene_hotline("dien-bien", "0999 9");
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 3);
	assert_int_equal(scene_i64("SELECT office_id FROM lot WHERE gate=2"), 3);
	assert_true(scene_why_has(
		"SELECT why FROM lot WHERE gate=2", "hotline was '0200 2', is '0999 9'"));
	assert_int_equal(scene_audits("lot.hold"), 1);

	char json[200];
	snprintf(json, sizeof(json), "{\"hash\":\"%s\",\"diff\":true}", sc.hash);
	assert_int_equal(scene_act(plan_approve, "hoa", json), -EBUSY);
	snprintf(
		json, sizeof(json), "{\"hash\":\"%s\",\"diff\":true}", json_z(sc.json, "hash", ""));
	assert_int_equal(scene_act(plan_approve, "hoa", json), 0);
	scene_run(500);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 4);
	assert_int_equal(
		scene_i64(
			"SELECT count(*) FROM lot l JOIN prepared p ON p.manifest=l.manifest AND p.office_id=l.office_id"),
		4);
}

static void an_upgrade_that_changes_outputs_holds_every_lot(void **state)
{
	UNUSED(state);
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	scene_plan_end();
	sc.salt = "2";
	scene_plan();
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM lot WHERE gate=2 AND why LIKE 'changed:%'"), 4);
}

static void an_audience_that_takes_long_is_resolved_where_it_may(void **state)
{
	UNUSED(state);
	scene_sql(
		"WITH RECURSIVE k(i) AS (SELECT 1000 UNION ALL SELECT i+1 FROM k WHERE i<21100) INSERT INTO contact(id, kind, address, form, "
		"class) SELECT i, 1, 'm' || i || '@example', 'mailbox', '' FROM k");
	scene_sql(
		"INSERT INTO target(contact_id, lane_id, office_id, lang, flags, seen_import) SELECT id, 1, 2, 'vi', 0, 1 FROM contact WHERE "
		"id>=1000");
	scene_sql("INSERT INTO target_tag SELECT 1, id FROM target WHERE contact_id>=1000");
	uint64_t longer = sc.te.longer;
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	assert_int_equal(sc.te.longer, longer + 1); /* it began anew there */
	assert_int_equal(scene_audits("release.submit"), 1);
	assert_int_equal(scene_i64("SELECT count(*) FROM revision"), 1);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(scene_i64("SELECT count(*) FROM delivery"), 20101 + 4);
	assert_true(sc.te.longer > longer + 1); /* so did the planning */
	longer = sc.te.longer;
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-2", "  desk: {to: offices, channels: [email], at: now}\n")
				BODY),
		0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(scene_open_lots("desk"), 4);
	assert_int_equal(sc.te.longer, longer); /* a few offices of them are no large audience */
}

static void an_unused_variable_may_change(void **state)
{
	UNUSED(state);
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-1",
				"  press: {to: press, channels: [email], at: now}\n") "No variable.\n"),
		0);
	scene_hotline("dien-bien", "0999 9");
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 4);
}

/* Midnight has come, and its targets have not moved to the successor yet. */
static void who_is_with_a_merged_office_is_reached_on_the_day(void **state)
{
	UNUSED(state);
	scene_sql("UPDATE office SET valid_to=%lld, replaced_by=3 WHERE code='muong-ang'",
		(long long)sc.te.wall - 5000);
	scene_go("  press: {to: press, channels: [email], at: now}\n");
	assert_int_equal(scene_i64("SELECT count(*) FROM delivery"), 4);
	scene_sql(
		"UPDATE office SET replaced_by=NULL WHERE code='muong-ang'"); /* over, and nobody took over */
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-2", "  press: {to: press, channels: [email], at: now}\n") BODY),
		0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(scene_i64("SELECT count(*) FROM delivery"), 7);
}

/* Approved in December for January: what is submitted under its code behind midnight is its next revision, not a second release. */
static void a_revision_may_come_after_the_new_year(void **state)
{
	UNUSED(state);
	const struct civil eve = { .year = 2026, .month = 12, .day = 31, .hour = 23 };
	const char *text = FRONT("TTBC-1",
		"  press: {to: press, channels: [email], at: 2027-01-02 08:00}\n") "Words.\n";
	sc.te.wall = civil_to_ms(&eve, &sc.conf.zone);
	scene_go("  press: {to: press, channels: [email], at: 2027-01-02 08:00}\n");
	assert_string_equal(sc.release, "TTBC-1@2026");
	sc.te.wall += 2 * HOUR;
	assert_int_equal(scene_submit("lan", text), 0);
	assert_string_equal(sc.release, "TTBC-1@2026");
	assert_int_equal(json_i64(sc.json, "rev", 0), 2);
	assert_int_equal(scene_i64("SELECT count(*) FROM release"), 1);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate IN (0,1)"), 0);
	assert_int_equal(scene_act(plan_cancel, "oanh", "{\"why\":\"another one\"}"), 0);
	assert_int_equal(scene_submit("lan", text), 0); /* that one is over */
	assert_string_equal(sc.release, "TTBC-1@2027");
}

static void a_returned_release_goes_nowhere(void **state)
{
	UNUSED(state);
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	assert_int_equal(scene_act(plan_return, "minh", "{\"why\":\"wrong date\"}"), 0);
	assert_int_equal(scene_i64("SELECT state FROM release"), REL_RETURNED);
	assert_int_equal(scene_approve("minh"), -EBUSY);
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	assert_int_equal(scene_i64("SELECT rev_newest FROM release"), 2);
	assert_int_equal(scene_approve("minh"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_release_is_submitted_approved_planned_and_opened,
			scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			a_new_revision_voids_approval_and_lots_and_is_planned_again, scene_open,
			scene_close),
		cmocka_unit_test_setup_teardown(
			what_was_sent_under_an_old_revision_is_not_sent_again, scene_open,
			scene_close),
		cmocka_unit_test_setup_teardown(
			an_audience_that_grew_holds_its_part_until_diff_is_approved, scene_open,
			scene_close),
		cmocka_unit_test_setup_teardown(
			growth_behind_a_second_approval_holds_what_had_started, scene_open,
			scene_close),
		cmocka_unit_test_setup_teardown(
			contacts_that_come_after_the_approval_count_when_the_part_starts,
			scene_open, scene_close),
		cmocka_unit_test_setup_teardown(too_many_that_come_after_the_approval_hold_the_part,
			scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			a_refused_submission_stands_in_the_audit, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(a_few_more_do_not_hold_it, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			a_language_that_nothing_was_approved_for_holds_its_lot, scene_open,
			scene_close),
		cmocka_unit_test_setup_teardown(
			growth_counts_additions_and_not_the_net, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			a_changed_hotline_holds_that_lot_and_says_so, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			an_upgrade_that_changes_outputs_holds_every_lot, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			an_audience_that_takes_long_is_resolved_where_it_may, scene_open,
			scene_close),
		cmocka_unit_test_setup_teardown(
			an_unused_variable_may_change, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			a_small_part_is_planned_and_opened_before_the_bulk_that_waits, scene_open,
			scene_close),
		cmocka_unit_test_setup_teardown(
			who_is_with_a_merged_office_is_reached_on_the_day, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			a_revision_may_come_after_the_new_year, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			a_returned_release_goes_nowhere, scene_open, scene_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
