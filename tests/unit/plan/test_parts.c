/* test_parts.c - parts in time: order, embargo, signal, link, late, expiry; forgery; local texts. */
#include "scene.h"
#include "store/store_status.h"

#define HOUR 3600000
#define TWO_PARTS \
	"  press: {to: press, channels: [email], at: now}\n  desk: {to: offices, channels: [email], after: press}\n"

static void go(const char *parts)
{
	char text[2000];
	snprintf(text, sizeof(text), FRONT("TTBC-1", "%s") BODY, parts);
	assert_int_equal(scene_submit("lan", text), 0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
}

static int64_t open_lots(const char *part)
{
	char sql[300];
	snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM lot l JOIN part p ON p.release_id=l.release_id AND p.part=l.part AND p.rev=(SELECT rev_approved FROM release WHERE "
		"id=l.release_id) WHERE l.gate=1 AND p.name='%s'",
		part);
	return scene_i64(sql);
}

static void a_part_after_another_starts_when_nothing_of_that_waits(void **state)
{
	UNUSED(state);
	go(TWO_PARTS);
	assert_int_equal(open_lots("press"), 4);
	assert_int_equal(open_lots("desk"), 0);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=0"),
		4);                                           /* planned from the approval on */
	scene_sql("UPDATE lot SET n8=n0, n0=0 WHERE gate=1"); /* unknown does not block */
	plan_on_progress(sc.p, 1, 1);
	scene_run(500);
	assert_int_equal(open_lots("desk"), 4);
}

static void the_oldest_of_a_state_is_of_lots_that_have_one(void **state)
{
	struct store_reader *r = NULL;
	struct store_status st;
	UNUSED(state);
	go("  press: {to: press, channels: [email], at: now}\n");
	scene_sql("UPDATE lot SET at=5000000");
	scene_sql("UPDATE lot SET at=1000000, n2=n0, n0=0 WHERE id=(SELECT min(id) FROM lot)");
	assert_int_equal(store_reader_open(sc.ts.s, &r), 0);
	assert_int_equal(store_status_read(reader_db(r), &st), 0);
	store_reader_close(r);
	assert_int_equal(st.oldest[DLV_ACCEPTED], 1000000);
	assert_int_equal(st.oldest[DLV_WAITING], 5000000);
	assert_int_equal(st.oldest[DLV_HELD], 0);
	assert_true(st.count[DLV_WAITING] > 0 && st.count[DLV_ACCEPTED] > 0);
}

static void a_part_without_a_configured_channel_is_done_at_once(void **state)
{
	UNUSED(state);
	go("  public: {to: press, channels: [zalo, facebook], at: now}\n  desk: {to: offices, channels: [email], after: public}\n");
	assert_int_equal(scene_part_state("public"), PART_DONE);
	assert_int_equal(open_lots("desk"), 4);
	assert_true(scene_why_has("SELECT why FROM part WHERE name='public'", "skipped"));
}

static void a_public_part_waits_for_the_end_of_the_embargo(void **state)
{
	UNUSED(state);
	go("  press: {to: press, channels: [email], at: now, embargo: 1h}\n  desk: {to: offices, channels: [email], at: now}\n");
	assert_int_equal(open_lots("press"), 4);
	assert_int_equal(open_lots("desk"), 0);
	assert_int_equal(scene_act(plan_go, "oanh", "{\"part\":\"desk\"}"), -EBUSY);
	assert_int_equal(scene_audits("release.go.refused"), 1);
	scene_run(HOUR - 2000);
	assert_int_equal(open_lots("desk"), 0);
	scene_run(3000);
	assert_int_equal(open_lots("desk"), 4);
}

static void a_public_part_with_a_time_before_the_embargo_is_refused(void **state)
{
	UNUSED(state);
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-1",
				"  press: {to: press, channels: [email], at: now, embargo: 2026-11-23 14:00}\n"
				"  desk: {to: offices, channels: [email], at: 2026-11-23 13:00}\n")
				BODY),
		-EBADMSG);
	assert_non_null(strstr(sc.err.text, "embargo"));
	assert_int_equal(scene_i64("SELECT count(*) FROM release"), 0);
}

static void an_internal_part_reaches_only_internal_targets(void **state)
{
	UNUSED(state);
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-1", "  x: {to: press, channels: [email], internal: true}\n")
				BODY),
		-EBADMSG);
	assert_non_null(strstr(sc.err.text, "internal"));
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-1", "  x: {to: staff, channels: [email], internal: true}\n")
				BODY),
		0);
}

static void a_signal_starts_a_part_inside_its_window_only(void **state)
{
	UNUSED(state);
	go("  vote: {to: press, channels: [email], go: signal, window: 2h, expires: 24h}\n");
	assert_int_equal(open_lots("vote"), 0);
	assert_int_equal(scene_act(plan_go, "oanh", "{\"part\":\"vota\"}"), -ENOENT);
	assert_non_null(strstr(sc.err.text, "vote"));
	assert_int_equal(scene_act(plan_go, "oanh", "{\"part\":\"vote\"}"), 0);
	scene_run(500);
	assert_int_equal(open_lots("vote"), 4);
	assert_int_equal(scene_audits("release.go"), 1);
}

static void a_signal_does_not_let_a_part_overtake_the_one_it_follows(void **state)
{
	UNUSED(state);
	go("  press: {to: press, channels: [email], go: signal, window: 2h}\n  desk: {to: offices, channels: [email], after: press}\n"
	   "  vote: {to: staff, channels: [email], after: press, go: signal}\n");
	assert_int_equal(scene_act(plan_go, "oanh", "{\"part\":\"desk\"}"), -EBUSY);
	assert_non_null(strstr(sc.err.text, "approved to follow another part"));
	assert_int_equal(
		scene_act(plan_move, "oanh", "{\"part\":\"desk\",\"at\":\"2026-11-23 09:00\"}"),
		-EBUSY);
	assert_int_equal(
		scene_act(plan_move, "oanh", "{\"part\":\"press\",\"at\":\"2026-11-23 09:00\"}"),
		-EBUSY);
	assert_non_null(strstr(sc.err.text, "waits for a signal"));
	assert_int_equal(scene_act(plan_go, "oanh", "{\"part\":\"vote\"}"), 0);
	scene_run(500);
	assert_int_equal(open_lots("desk"), 0);
	assert_int_equal(
		open_lots("vote"), 0); /* the signal is given, what it follows is not over */
	assert_int_equal(scene_act(plan_go, "oanh", "{\"part\":\"press\"}"), 0);
	scene_run(500);
	scene_sql("UPDATE lot SET n8=n0, n0=0 WHERE gate=1");
	plan_on_progress(sc.p, 1, 1);
	scene_run(500);
	assert_int_equal(open_lots("desk"), 4);
	assert_true(open_lots("vote") > 0);
}

static void a_condition_taken_away_in_the_database_holds_the_part(void **state)
{
	UNUSED(state);
	go("  press: {to: press, channels: [email], go: signal, window: 2h}\n  desk: {to: offices, channels: [email], after: press}\n");
	scene_sql("UPDATE part SET signal=0, after=NULL");
	plan_on_progress(sc.p, 1, 1);
	scene_run(120000);
	assert_int_equal(open_lots("press") + open_lots("desk"), 0);
	assert_int_equal(scene_part_state("press"), PART_HELD);
	assert_int_equal(scene_part_state("desk"), PART_HELD);
	assert_true(scene_why_has("SELECT why FROM part", "forged"));
}

static void a_signal_that_never_came_holds_its_part_and_then_expires(void **state)
{
	UNUSED(state);
	go("  vote: {to: press, channels: [email], go: signal, window: 1h, expires: 2h}\n");
	scene_run(HOUR + 2000);
	assert_int_equal(scene_part_state("vote"), PART_HELD);
	assert_true(scene_why_has("SELECT why FROM part", "window:"));
	scene_run(3 * HOUR);
	assert_int_equal(scene_part_state("vote"), PART_DONE);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=4"), 4);
}

static void a_part_moves_inside_its_window_and_not_out_of_it(void **state)
{
	UNUSED(state);
	go("  press: {to: press, channels: [email], at: 2026-11-23 10:00, window: 2h}\n");
	assert_int_equal(
		scene_act(plan_move, "oanh", "{\"part\":\"press\",\"at\":\"2026-11-23 13:00\"}"),
		-EBUSY);
	assert_int_equal(
		scene_act(plan_move, "oanh", "{\"part\":\"press\",\"at\":\"2026-11-23 09:00\"}"),
		-EBUSY);
	assert_int_equal(
		scene_act(plan_move, "oanh", "{\"part\":\"press\",\"at\":\"2026-11-23 11:30\"}"),
		0);
	scene_run(3 * HOUR);
	assert_int_equal(open_lots("press"), 0); /* 11:00 */
	scene_run(HOUR);
	assert_int_equal(open_lots("press"), 4);
}

static void a_time_moved_in_the_database_holds_the_part(void **state)
{
	UNUSED(state);
	go("  press: {to: press, channels: [email], at: 2026-11-23 10:00, window: 2h}\n");
	scene_sql("UPDATE part SET at=%lld", (long long)(TESTENV_WALL_START + 60000));
	plan_on_progress(sc.p, 1, 1);
	scene_run(120000);
	assert_int_equal(open_lots("press"), 0);
	assert_int_equal(scene_part_state("press"), PART_HELD);
	assert_true(scene_why_has("SELECT why FROM part", "forged"));
}

static void a_late_part_is_held_once_and_a_person_may_let_it_go(void **state)
{
	UNUSED(state);
	go("  press: {to: press, channels: [email], at: 2026-11-23 10:00}\n");
	scene_plan_end();
	sc.te.wall += 5 * HOUR; /* the daemon was down from 8 to 13 */
	scene_plan();
	scene_run(500);
	assert_int_equal(scene_part_state("press"), PART_HELD);
	assert_true(scene_why_has("SELECT why FROM part", "late:"));
	assert_int_equal(scene_act(plan_go, "oanh", "{\"part\":\"press\"}"), 0);
	scene_run(500);
	assert_int_equal(open_lots("press"), 4);
}

static void a_late_part_may_say_send_or_drop(void **state)
{
	UNUSED(state);
	go("  a: {to: press, channels: [email], at: 2026-11-23 10:00, late: send}\n  b: {to: offices, channels: [email], at: 2026-11-23 10:00, late: drop}\n");
	scene_plan_end();
	sc.te.wall += 5 * HOUR;
	scene_plan();
	scene_run(500);
	assert_int_equal(open_lots("a"), 4);
	assert_int_equal(open_lots("b"), 0);
	assert_int_equal(scene_part_state("b"), PART_DONE);
}

static void a_part_with_a_link_waits_until_it_answers(void **state)
{
	UNUSED(state);
	assert_int_equal(
		scene_submit("lan",
			"---\ncode: TTBC-1\ntitle: A title\nlink: https://portal.example/1\nparts:\n  press: {to: press, channels: [email], at: now, window: 2h, "
			"needs_link: true}\n---\n" BODY),
		0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(5000);
	assert_int_equal(sc.links, 1);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 0);
	sc.link_answers = true;
	scene_run(60000);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 4);
}

static void links_go_only_to_our_own_domains(void **state)
{
	UNUSED(state);
	assert_int_equal(
		scene_submit("lan",
			"---\ncode: T-1\ntitle: A title\nlink: https://evil.example/1\nparts:\n  press: {to: press, channels: "
			"[email]}\n---\n" BODY),
		-EBADMSG);
	assert_non_null(strstr(sc.err.text, "own_domains"));
	assert_int_equal(
		scene_submit("lan",
			"---\ncode: T-1\ntitle: A title\nlink: https://www.portal.example/1\nparts:\n  press: {to: press, "
			"channels: [email]}\n---\n" BODY),
		0);
}

static void spread_gives_every_contact_a_moment_of_its_own_below_it(void **state)
{
	UNUSED(state);
	for (int i = 0; i < 60; i++)
		scene_target(100 + i, 3, 1, "vi");
	go("  press: {to: press, channels: [email], at: now, spread: 20m}\n");
	assert_true(scene_i64("SELECT max(due) FROM delivery") <= 20 * 60000);
	assert_true(scene_i64("SELECT min(due) FROM delivery") >= 0);
	assert_true(scene_i64("SELECT count(DISTINCT due/60000) FROM delivery") >= 12);
}

/* --- wrong bundles ---------------------------------------------------------------------------------------------------------------- */

static void a_check_names_everything_that_is_wrong_and_stores_nothing(void **state)
{
	UNUSED(state);
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ FRONT("T-1", "  a: {to: pres, channels: [email]}\n") BODY,
			"did you mean 'press'" },
		{ FRONT("T-1", "  a: {to: press, channels: [email], at: 2026-11-22 10:00}\n") BODY,
			"passed" },
		{ FRONT("T-1",
			  "  a: {to: press, channels: [email], at: 2026-11-23 10:00, expires: 2026-11-23 09:30}\n")
				BODY,
			"expire" },
		{ FRONT("T-1", "  a: {to: press, channels: [email]}\n") "{{office.hotlin}}\n",
			"hotlin" },
		{ FRONT("T-1",
			  "  a: {to: press, channels: [email], after: b}\n  b: {to: press, channels: [email], after: a}\n")
				BODY,
			"" },
		{ "no front matter\n", "" },
		{ "---\ncode: T-1\ntitle: A title\ncampaign: nope\nparts:\n  a: {to: press, channels: [email]}\n---\n" BODY,
			"nope" },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(scene_submit("lan", bad[i].text), -EBADMSG);
		if (!strstr(sc.err.text, bad[i].says))
			fail_msg("%zu: '%s' lacks '%s'", i, sc.err.text, bad[i].says);
		assert_true(cJSON_GetArraySize(json_get(sc.json, "problems")) > 0);
	}
	assert_int_equal(scene_i64("SELECT count(*) FROM release"), 0);
	assert_int_equal(scene_i64("SELECT count(*) FROM manifest"), 0);
}

static void a_part_outside_its_campaign_is_refused(void **state)
{
	UNUSED(state);
	scene_sql(
		"INSERT INTO campaign(name, title, first, last, prio) VALUES('c', 'C', %lld, %lld, 0)",
		(long long)TESTENV_WALL_START - 1000, (long long)TESTENV_WALL_START + 2LL * HOUR);
	assert_int_equal(
		scene_submit("lan",
			"---\ncode: T-1\ntitle: A title\ncampaign: c\nparts:\n  a: {to: press, channels: [email], at: "
			"2026-11-24 10:00}\n---\n" BODY),
		-EBADMSG);
	assert_non_null(strstr(sc.err.text, "campaign"));
	assert_int_equal(
		scene_submit("lan",
			"---\ncode: T-1\ntitle: A title\ncampaign: c\nparts:\n  a: {to: press, channels: [email], at: "
			"2026-11-23 09:00}\n---\n" BODY),
		0);
	assert_int_equal(scene_i64("SELECT prio FROM release"), PRIO_URGENT);
}

static void an_address_without_a_route_is_refused(void **state)
{
	UNUSED(state);
	scene_sql("UPDATE target SET lane_id=NULL WHERE contact_id=12");
	assert_int_equal(scene_submit("lan", SIMPLE), -EBADMSG);
	assert_non_null(strstr(sc.err.text, "no route"));
	assert_non_null(strstr(sc.err.text, "dien-bien"));
}

static void one_copy_a_contact_and_the_nearest_office_wins(void **state)
{
	UNUSED(state);
	scene_target(50, 1, 1, "vi");
	scene_target(50, 4, 1, "vi");
	scene_target(50, 3, 2, "vi");
	go(TWO_PARTS);
	assert_int_equal(scene_i64("SELECT count(*) FROM delivery WHERE contact_id=50"), 1);
	assert_int_equal(
		scene_i64(
			"SELECT l.office_id FROM delivery d JOIN lot l ON l.id=d.lot_id WHERE d.contact_id=50"),
		4);
	assert_int_equal(scene_i64("SELECT sum(n0) FROM lot"), 9);
}

static void again_reaches_those_whom_another_part_reached(void **state)
{
	UNUSED(state);
	go("  a: {to: press, channels: [email], at: now}\n  b: {to: press, channels: [email], at: now, again: true}\n");
	assert_int_equal(scene_i64("SELECT count(*) FROM delivery"), 8);
}

/* --- forged -------------------------------------------------------------------------------------------------------------------------- */

static void expect_forged(const char *sql)
{
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-1",
				"  press: {to: press, channels: [email], at: 2026-11-23 10:00}\n")
				BODY),
		0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
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

static void what_was_not_touched_verifies(void **state)
{
	UNUSED(state);
	go("  press: {to: press, channels: [email], at: now}\n");
	struct err e = { 0 };
	struct store_reader *r = teststore_reader(&sc.ts);
	assert_int_equal(plan_verify_approvals(sc.p, r, 1, &e), 0);
	teststore_reader_end(&sc.ts, r);
}

/* --- preparing for dispatch, local texts -------------------------------------------------------------------------------------------- */

static struct prepared *prepare(int64_t office, const char *lang, int expect)
{
	struct prep_key key = {
		.part = 1, .channel_id = 1, .office_id = office, .form = "mailbox"
	};
	struct prepared *p = NULL;
	struct err e = { 0 };
	str_copy(key.lang, sizeof(key.lang), str_of(lang));
	struct store_reader *r = teststore_reader(&sc.ts);
	assert_int_equal(manifest_planned(reader_db(r), 1, &key.manifest), 0);
	int rc = plan_prepare(sc.p, r, &key, &p, &e);
	teststore_reader_end(&sc.ts, r);
	if (rc != expect)
		print_message("%s\n", e.text);
	assert_int_equal(rc, expect);
	return p;
}

static void what_dispatch_gets_is_what_was_approved(void **state)
{
	UNUSED(state);
	go("  press: {to: press, channels: [email], at: now}\n");
	struct prepared *p = prepare(3, "vi", 0);
	assert_non_null(strstr(p->preview, "Office dien-bien, call 0200 2"));
	prepared_unref(p);
	scene_hotline("dien-bien", "0999"); /* after the start the approved variables count */
	p = prepare(3, "vi", 0);
	assert_non_null(strstr(p->preview, "0200 2"));
	prepared_unref(p);
	(void)prepare(3, "fr", -ESTALE);
	sc.salt = "2";
	(void)prepare(3, "vi", -ESTALE);
}

static void a_local_text_has_its_own_approval_and_reaches_its_office_and_below(void **state)
{
	UNUSED(state);
	char json[300];
	go("  press: {to: press, channels: [email], at: 2026-11-23 10:00}\n");
	assert_int_equal(
		scene_act(plan_local_set, "lan",
			"{\"office\":\"dien-bien\",\"text\":\"Also at {{office.short}} market.\"}"),
		0);
	struct prepared *p = prepare(3, "vi", 0);
	assert_null(strstr(p->preview, "market")); /* not approved yet */
	prepared_unref(p);
	snprintf(json, sizeof(json), "{\"office\":\"dien-bien\",\"hash\":\"%s\"}",
		json_z(sc.json, "hash", ""));
	assert_int_equal(scene_act(plan_local_approve, "lan", json), -EPERM);
	assert_int_equal(scene_act(plan_local_approve, "minh", json), 0);
	static const struct {
		int64_t office;
		const char *lang;
		bool has;
	} row[] = { { 1, "vi", false }, { 2, "en", false }, { 3, "vi", true }, { 4, "vi", true } };
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		p = prepare(row[i].office, row[i].lang, 0);
		assert_int_equal(strstr(p->preview, "market") != NULL, row[i].has);
		prepared_unref(p);
	}
	scene_run(3 * HOUR);
	assert_int_equal(open_lots("press"), 4); /* the core is untouched: nothing is held */
	scene_sql("UPDATE local_text SET text='Forged.'");
	(void)prepare(3, "vi", -EBADMSG);
}

static void a_correction_goes_to_exactly_those_reached_or_unknown(void **state)
{
	UNUSED(state);
	go("  press: {to: press, channels: [email], at: now}\n");
	scene_sql("UPDATE delivery SET state=2, tries=1 WHERE contact_id IN (10, 11)");
	scene_sql("UPDATE delivery SET state=8, tries=1 WHERE contact_id=12");
	scene_sql("UPDATE delivery SET state=4, tries=1 WHERE contact_id=13");
	struct actor a = scene_who("lan");
	struct staged s = scene_staged(
		FRONT("TTBC-1", "  fix: {to: all, channels: [email], at: now}\n") "Corrected.\n");
	cJSON *params CLEANUP_JSON = json_obj();
	json_put_z(params, "release", sc.release);
	int before = sc.answers;
	plan_correct(sc.p, params, &s, &a, scene_done, NULL);
	assert_int_equal(scene_wait(before), 0);
	scene_remember();
	assert_string_equal(sc.release, "TTBC-1-DC1@2026");
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(
		scene_i64(
			"SELECT count(*) FROM delivery d JOIN lot l ON l.id=d.lot_id WHERE l.release_id=2"),
		3);
	assert_int_equal(
		scene_i64(
			"SELECT count(*) FROM delivery d JOIN lot l ON l.id=d.lot_id WHERE l.release_id=2 AND d.contact_id=13"),
		0);
	assert_int_equal(scene_i64("SELECT state FROM release WHERE id=1"), REL_CORRECTED);
}

static void a_cancelled_release_is_not_planned_on(void **state)
{
	UNUSED(state);
	go("  press: {to: press, channels: [email], at: 2026-11-23 10:00}\n");
	assert_int_equal(scene_act(plan_cancel, "oanh", "{}"), -EINVAL);
	assert_int_equal(scene_act(plan_cancel, "oanh", "{\"why\":\"overtaken\"}"), 0);
	scene_run(3 * HOUR);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 0);
	assert_int_equal(scene_i64("SELECT state FROM release"), REL_CANCELLED);
	assert_int_equal(scene_audits("release.cancel"), 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_part_after_another_starts_when_nothing_of_that_waits),
		T(the_oldest_of_a_state_is_of_lots_that_have_one),
		T(a_part_without_a_configured_channel_is_done_at_once),
		T(a_public_part_waits_for_the_end_of_the_embargo),
		T(a_public_part_with_a_time_before_the_embargo_is_refused),
		T(an_internal_part_reaches_only_internal_targets),
		T(a_signal_starts_a_part_inside_its_window_only),
		T(a_signal_does_not_let_a_part_overtake_the_one_it_follows),
		T(a_condition_taken_away_in_the_database_holds_the_part),
		T(a_signal_that_never_came_holds_its_part_and_then_expires),
		T(a_part_moves_inside_its_window_and_not_out_of_it),
		T(a_time_moved_in_the_database_holds_the_part),
		T(a_late_part_is_held_once_and_a_person_may_let_it_go),
		T(a_late_part_may_say_send_or_drop),
		T(a_part_with_a_link_waits_until_it_answers),
		T(links_go_only_to_our_own_domains),
		T(spread_gives_every_contact_a_moment_of_its_own_below_it),
		T(a_check_names_everything_that_is_wrong_and_stores_nothing),
		T(a_part_outside_its_campaign_is_refused),
		T(an_address_without_a_route_is_refused),
		T(one_copy_a_contact_and_the_nearest_office_wins),
		T(again_reaches_those_whom_another_part_reached),
		T(an_edited_text_is_caught),
		T(an_edited_approval_is_caught),
		T(an_edited_time_of_approval_is_caught),
		T(an_edited_output_is_caught),
		T(an_edited_manifest_is_caught),
		T(a_copied_approval_of_another_release_is_caught),
		T(what_was_not_touched_verifies),
		T(what_dispatch_gets_is_what_was_approved),
		T(a_local_text_has_its_own_approval_and_reaches_its_office_and_below),
		T(a_correction_goes_to_exactly_those_reached_or_unknown),
		T(a_cancelled_release_is_not_planned_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
