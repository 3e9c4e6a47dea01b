/* test_flow.c - from a bundle to open lots: who may approve, what is held, in which order parts go. */
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

static void an_author_cannot_approve_and_the_refusal_is_audited(void **state)
{
	UNUSED(state);
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	assert_int_equal(scene_approve("lan"), -EPERM);
	assert_int_equal(scene_audits("release.approve.refused"), 1);
	assert_int_equal(scene_i64("SELECT count(*) FROM approval"), 0);
	scene_run(500);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot"), 0);
}

static void who_has_not_the_role_cannot_approve_unless_as_a_deputy(void **state)
{
	UNUSED(state);
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	assert_int_equal(scene_approve("oanh"), -EPERM);
	scene_sql(
		"INSERT INTO deputy(person, deputy, first, last, by) VALUES('lan', 'oanh', 0, 9000000000000, 'admin')");
	assert_int_equal(scene_approve("oanh"), -EPERM); /* for an author: no */
	scene_sql(
		"INSERT INTO deputy(person, deputy, first, last, by) VALUES('minh', 'oanh', 0, 9000000000000, 'admin')");
	scene_sql("DELETE FROM deputy WHERE person='lan'");
	assert_int_equal(scene_approve("oanh"), 0);
	assert_int_equal(
		scene_i64(
			"SELECT count(*) FROM approval WHERE person='oanh' AND for_person='minh'"),
		1);
}

static void a_stale_hash_is_a_conflict_that_names_both(void **state)
{
	UNUSED(state);
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	char old[HASH_HEX];
	str_copy(old, sizeof(old), str_of(sc.hash));
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-1",
				"  press: {to: press, channels: [email], at: now}\n") "Other words.\n"),
		0);
	char now[HASH_HEX];
	str_copy(now, sizeof(now), str_of(sc.hash));
	assert_string_not_equal(old, now);
	str_copy(sc.hash, sizeof(sc.hash), str_of(old));
	assert_int_equal(scene_approve("minh"), -ESTALE);
	assert_non_null(strstr(sc.err.text, old));
	assert_non_null(strstr(sc.err.text, now));
	assert_int_equal(scene_audits("release.approve.refused"), 1);
}

static void everyone_who_edited_a_revision_is_its_author(void **state)
{
	UNUSED(state);
	assert_int_equal(scene_submit("hoa", SIMPLE), 0);
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-1",
				"  press: {to: press, channels: [email], at: now}\n") "Other words.\n"),
		0);
	assert_int_equal(scene_approve("hoa"), -EPERM);
	assert_int_equal(scene_approve("minh"), 0);
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
	assert_int_equal(scene_i64("SELECT count(*) FROM delivery"), 4);
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

static void an_emergency_goes_at_once_and_owes_a_second_person(void **state)
{
	UNUSED(state);
	char json[300];
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	snprintf(json, sizeof(json), "{\"hash\":\"%s\",\"emergency\":true}", sc.hash);
	assert_int_equal(scene_act(plan_approve, "minh", json), -EINVAL); /* no reason */
	snprintf(json, sizeof(json), "{\"hash\":\"%s\",\"emergency\":true,\"why\":\"flood\"}",
		sc.hash);
	assert_int_equal(scene_act(plan_approve, "minh", json), 0);
	assert_int_equal(json_i64(sc.json, "owed", -1), 1);
	scene_run(500);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 4);
	assert_int_equal(scene_i64("SELECT owed FROM release"), 1);
	assert_int_equal(scene_approve("minh"), -EPERM);
	assert_int_equal(scene_approve("hoa"), 0);
	assert_int_equal(scene_i64("SELECT owed FROM release"), 0);
	assert_int_equal(scene_i64("SELECT kind FROM approval WHERE person='hoa'"), APPROVAL_OWED);
}

static void approve_as_it_is_today(const char *who, bool emergency, int want)
{
	char json[300];
	scene_run(500);
	snprintf(json, sizeof(json), "{\"hash\":\"%s\",\"diff\":true}", sc.hash);
	assert_int_equal(scene_act(plan_approve, "lan", json),
		-EPERM); /* the refusal names what may be approved today */
	scene_remember();
	snprintf(json, sizeof(json),
		"{\"hash\":\"%s\",\"diff\":true,\"emergency\":%s,\"why\":\"more\"}", sc.hash,
		emergency ? "true" : "false");
	assert_int_equal(scene_act(plan_approve, who, json), want);
}

/* Else whoever may call could void the steps that others gave, with a look at what has changed. */
static void a_refused_approval_leaves_no_manifest(void **state)
{
	UNUSED(state);
	sc.conf.n_steps = 2;
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	assert_int_equal(scene_approve("minh"), 0);
	char first[HASH_HEX];
	str_copy(first, sizeof(first), str_of(sc.hash));
	scene_target(100, 3, 1, "vi");
	approve_as_it_is_today("oanh", false, -EPERM);
	assert_int_equal(scene_audits("release.approve.refused"), 2);
	assert_int_equal(scene_i64("SELECT count(*) FROM manifest"), 1);
	assert_int_equal(scene_i64("SELECT count(*) FROM prepared"), 4);
	str_copy(sc.hash, sizeof(sc.hash), str_of(first));
	assert_int_equal(scene_approve("hoa"), 0);
	assert_true(json_bool(sc.json, "complete", false));
}

/* What has changed since is another manifest: approving that does not pay what the first one owes. */
static void an_emergency_is_not_paid_by_the_one_who_gave_it(void **state)
{
	UNUSED(state);
	char json[300];
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	snprintf(json, sizeof(json), "{\"hash\":\"%s\",\"emergency\":true,\"why\":\"flood\"}",
		sc.hash);
	assert_int_equal(scene_act(plan_approve, "minh", json), 0);
	scene_run(500);
	scene_target(100, 3, 1, "vi");
	approve_as_it_is_today("minh", false, -EPERM);
	assert_int_equal(scene_i64("SELECT owed FROM release"), 1);
	approve_as_it_is_today("minh", true, 0);
	assert_int_equal(scene_i64("SELECT owed FROM release"), 1);
	scene_target(101, 3, 1, "vi");
	approve_as_it_is_today("hoa", false, 0);
	assert_int_equal(scene_i64("SELECT owed FROM release"), 0);
}

static void half_of_what_is_owed_pays_nothing(void **state)
{
	UNUSED(state);
	char json[300];
	sc.conf.n_steps = 2;
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	snprintf(json, sizeof(json), "{\"hash\":\"%s\",\"emergency\":true,\"why\":\"flood\"}",
		sc.hash);
	assert_int_equal(scene_act(plan_approve, "minh", json), 0);
	scene_run(500);
	scene_target(100, 3, 1, "vi");
	approve_as_it_is_today("hoa", false, 0);
	assert_false(json_bool(sc.json, "complete", true));
	assert_int_equal(scene_i64("SELECT owed FROM release"), 1);
}

static void two_steps_want_two_persons(void **state)
{
	UNUSED(state);
	sc.conf.n_steps = 2;
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	assert_int_equal(scene_approve("minh"), 0);
	assert_false(json_bool(sc.json, "complete", true));
	scene_run(500);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot"), 0);
	assert_int_equal(scene_approve("minh"), -EPERM);
	assert_int_equal(scene_approve("hoa"), 0);
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

static void an_approval_on_paper_is_by_the_code(void **state)
{
	UNUSED(state);
	char json[400], code[40];
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	str_copy(code, sizeof(code), json_str(sc.json, "code"));
	assert_int_equal(
		scene_act(plan_approve, "minh",
			"{\"code\":\"aaaa-aaaa\",\"for\":\"hoa\",\"document_hash\":"
			"\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}"),
		-ESTALE);
	snprintf(json, sizeof(json),
		"{\"code\":\"%s\",\"for\":\"hoa\",\"document_hash\":"
		"\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}",
		code);
	assert_int_equal(scene_act(plan_approve, "minh", json), 0);
	assert_int_equal(
		scene_i64(
			"SELECT count(*) FROM approval WHERE person='minh' AND for_person='hoa' AND document IS NOT NULL AND kind=3"),
		1);
	scene_run(500);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 4);
}

/* Their role is for their own office's texts: neither a deputy nor a sheet of paper makes more of it. */
static void who_belongs_to_an_office_below_the_top_approves_by_nobody_else(void **state)
{
	UNUSED(state);
	char office[] = "dien-bien", json[400], code[40];
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	str_copy(code, sizeof(code), json_str(sc.json, "code"));
	sc.people[1].office = office;
	scene_sql(
		"INSERT INTO deputy(person, deputy, first, last, by) VALUES('minh', 'oanh', 0, 9000000000000, 'minh')");
	assert_int_equal(scene_approve("oanh"), -EPERM);
	snprintf(json, sizeof(json),
		"{\"code\":\"%s\",\"for\":\"minh\",\"document_hash\":"
		"\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}",
		code);
	assert_int_equal(scene_act(plan_approve, "oanh", json), -EPERM);
	sc.people[1].office = NULL;
	assert_int_equal(scene_audits("release.approve.refused"), 2);
	assert_int_equal(scene_i64("SELECT count(*) FROM approval"), 0);
	assert_int_equal(scene_approve("oanh"), 0);
}

static void a_deputy_of_two_approves_for_the_one_who_may(void **state)
{
	UNUSED(state);
	assert_int_equal(scene_submit("hoa", SIMPLE), 0);
	scene_sql(
		"INSERT INTO deputy(person, deputy, first, last, by) VALUES('hoa', 'oanh', 0, 9000000000000, 'hoa'), "
		"('minh', 'oanh', 1, 9000000000000, 'minh')");
	assert_int_equal(scene_approve("oanh"), 0); /* hoa wrote it */
	assert_int_equal(scene_i64("SELECT count(*) FROM approval WHERE for_person='minh'"), 1);
}

static void paper_is_entered_by_somebody_with_more_than_a_readers_role(void **state)
{
	UNUSED(state);
	char json[400];
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	snprintf(json, sizeof(json),
		"{\"code\":\"%s\",\"for\":\"hoa\",\"document_hash\":"
		"\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}",
		json_z(sc.json, "code", ""));
	sc.people[3].roles = ROLE_VIEWER;
	assert_int_equal(scene_act(plan_approve, "oanh", json), -EPERM);
	sc.people[3].roles = 0;
	assert_int_equal(scene_act(plan_approve, "oanh", json), -EPERM);
	assert_int_equal(scene_i64("SELECT count(*) FROM approval"), 0);
	sc.people[3].roles = ROLE_VIEWER | ROLE_OPERATOR;
	assert_int_equal(scene_act(plan_approve, "oanh", json), 0);
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
		cmocka_unit_test_setup_teardown(an_author_cannot_approve_and_the_refusal_is_audited,
			scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			who_has_not_the_role_cannot_approve_unless_as_a_deputy, scene_open,
			scene_close),
		cmocka_unit_test_setup_teardown(
			a_stale_hash_is_a_conflict_that_names_both, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			everyone_who_edited_a_revision_is_its_author, scene_open, scene_close),
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
		cmocka_unit_test_setup_teardown(an_emergency_goes_at_once_and_owes_a_second_person,
			scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			a_small_part_is_planned_and_opened_before_the_bulk_that_waits, scene_open,
			scene_close),
		cmocka_unit_test_setup_teardown(
			two_steps_want_two_persons, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			an_approval_on_paper_is_by_the_code, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			who_is_with_a_merged_office_is_reached_on_the_day, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			a_refused_approval_leaves_no_manifest, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			an_emergency_is_not_paid_by_the_one_who_gave_it, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			half_of_what_is_owed_pays_nothing, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			a_revision_may_come_after_the_new_year, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			who_belongs_to_an_office_below_the_top_approves_by_nobody_else, scene_open,
			scene_close),
		cmocka_unit_test_setup_teardown(
			a_deputy_of_two_approves_for_the_one_who_may, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			paper_is_entered_by_somebody_with_more_than_a_readers_role, scene_open,
			scene_close),
		cmocka_unit_test_setup_teardown(
			a_returned_release_goes_nowhere, scene_open, scene_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
