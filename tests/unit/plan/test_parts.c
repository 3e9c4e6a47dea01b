/* test_parts.c - when a part starts: order, embargo, signal, window, late, link, spread. */
#include "scene.h"
#include "store/store_status.h"

static void a_part_after_another_starts_when_nothing_of_that_waits(void **state)
{
	UNUSED(state);
	scene_go(TWO_PARTS);
	assert_int_equal(scene_open_lots("press"), 4);
	assert_int_equal(scene_open_lots("desk"), 0);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=0"),
		4);                                           /* planned from the approval on */
	scene_sql("UPDATE lot SET n8=n0, n0=0 WHERE gate=1"); /* unknown does not block */
	plan_on_progress(sc.p, 1, 1);
	scene_run(500);
	assert_int_equal(scene_open_lots("desk"), 4);
}

static void the_oldest_of_a_state_is_of_lots_that_have_one(void **state)
{
	struct store_reader *r = NULL;
	struct store_status st;
	UNUSED(state);
	scene_go("  press: {to: press, channels: [email], at: now}\n");
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
	scene_go(
		"  public: {to: press, channels: [zalo, facebook], at: now}\n  desk: {to: offices, channels: [email], after: public}\n");
	assert_int_equal(scene_part_state("public"), PART_DONE);
	assert_int_equal(scene_open_lots("desk"), 4);
	assert_true(scene_why_has("SELECT why FROM part WHERE name='public'", "skipped"));
}

static void a_public_part_waits_for_the_end_of_the_embargo(void **state)
{
	UNUSED(state);
	scene_go(
		"  press: {to: press, channels: [email], at: now, embargo: 1h}\n  desk: {to: offices, channels: [email], at: now}\n");
	assert_int_equal(scene_open_lots("press"), 4);
	assert_int_equal(scene_open_lots("desk"), 0);
	assert_int_equal(scene_act(plan_go, "oanh", "{\"part\":\"desk\"}"), -EBUSY);
	assert_int_equal(scene_audits("release.go.refused"), 1);
	scene_run(HOUR - 2000);
	assert_int_equal(scene_open_lots("desk"), 0);
	scene_run(3000);
	assert_int_equal(scene_open_lots("desk"), 4);
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
	scene_go("  vote: {to: press, channels: [email], go: signal, window: 2h, expires: 24h}\n");
	assert_int_equal(scene_open_lots("vote"), 0);
	assert_int_equal(scene_act(plan_go, "oanh", "{\"part\":\"vota\"}"), -ENOENT);
	assert_non_null(strstr(sc.err.text, "vote"));
	assert_int_equal(scene_act(plan_go, "oanh", "{\"part\":\"vote\"}"), 0);
	scene_run(500);
	assert_int_equal(scene_open_lots("vote"), 4);
	assert_int_equal(scene_audits("release.go"), 1);
}

static void a_signal_does_not_let_a_part_overtake_the_one_it_follows(void **state)
{
	UNUSED(state);
	scene_go(
		"  press: {to: press, channels: [email], go: signal, window: 2h}\n  desk: {to: offices, channels: [email], after: press}\n"
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
	assert_int_equal(scene_open_lots("desk"), 0);
	assert_int_equal(
		scene_open_lots("vote"), 0); /* the signal is given, what it follows is not over */
	assert_int_equal(scene_act(plan_go, "oanh", "{\"part\":\"press\"}"), 0);
	scene_run(500);
	scene_sql("UPDATE lot SET n8=n0, n0=0 WHERE gate=1");
	plan_on_progress(sc.p, 1, 1);
	scene_run(500);
	assert_int_equal(scene_open_lots("desk"), 4);
	assert_true(scene_open_lots("vote") > 0);
}

static void a_condition_taken_away_in_the_database_holds_the_part(void **state)
{
	UNUSED(state);
	scene_go(
		"  press: {to: press, channels: [email], go: signal, window: 2h}\n  desk: {to: offices, channels: [email], after: press}\n");
	scene_sql("UPDATE part SET signal=0, after=NULL");
	plan_on_progress(sc.p, 1, 1);
	scene_run(120000);
	assert_int_equal(scene_open_lots("press") + scene_open_lots("desk"), 0);
	assert_int_equal(scene_part_state("press"), PART_HELD);
	assert_int_equal(scene_part_state("desk"), PART_HELD);
	assert_true(scene_why_has("SELECT why FROM part", "forged"));
}

static void a_signal_that_never_came_holds_its_part_and_then_expires(void **state)
{
	UNUSED(state);
	scene_go("  vote: {to: press, channels: [email], go: signal, window: 1h, expires: 2h}\n");
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
	scene_go("  press: {to: press, channels: [email], at: 2026-11-23 10:00, window: 2h}\n");
	assert_int_equal(
		scene_act(plan_move, "oanh", "{\"part\":\"press\",\"at\":\"2026-11-23 13:00\"}"),
		-EBUSY);
	assert_int_equal(
		scene_act(plan_move, "oanh", "{\"part\":\"press\",\"at\":\"2026-11-23 09:00\"}"),
		-EBUSY);
	assert_int_equal(
		scene_act(plan_move, "oanh", "{\"part\":\"press\",\"at\":\"2026-11-23 11:30\"}"),
		0);
	/* whoever asks when a delivery is due hears the new time */
	assert_int_equal(
		scene_i64(
			"SELECT count(*) FROM lot l JOIN part p ON p.part=l.part WHERE l.at=p.at"),
		4);
	scene_run(3 * HOUR);
	assert_int_equal(scene_open_lots("press"), 0); /* 11:00 */
	scene_run(HOUR);
	assert_int_equal(scene_open_lots("press"), 4);
}

static void grow_and_approve_again(const char *who, int contact)
{
	char json[200];
	for (int i = 0; i < 30; i++)
		scene_target(contact + i, 2, 1, "vi");
	scene_sql(
		"INSERT INTO import(what, at, person, hash, rows, added, changed, gone) VALUES('t', 0, 'x', X'00', 30, 30, 0, 0)");
	snprintf(json, sizeof(json), "{\"hash\":\"%s\",\"diff\":true}", sc.hash);
	assert_int_equal(scene_act(plan_approve, who, json), -EBUSY);
	scene_remember();
	snprintf(json, sizeof(json), "{\"hash\":\"%s\",\"diff\":true}", sc.hash);
	assert_int_equal(scene_act(plan_approve, who, json), 0);
	scene_run(500);
}

static void a_moved_part_stays_where_it_was_moved_when_it_is_approved_again(void **state)
{
	UNUSED(state);
	scene_go("  press: {to: press, channels: [email], at: 3s, window: 12h}\n");
	int64_t moved = TESTENV_WALL_START + 2 * HOUR;
	assert_int_equal(scene_act(plan_move, "oanh", "{\"part\":\"press\",\"at\":\"2h\"}"), 0);
	grow_and_approve_again("hoa", 100);
	grow_and_approve_again("minh", 200);
	assert_true(scene_i64("SELECT at FROM part") >= moved);
	assert_true(scene_i64("SELECT at FROM part") < moved + 60000);
	assert_int_equal(scene_i64("SELECT count(*) FROM delivery WHERE lot_id<>0"), 64);
	assert_int_equal(
		scene_i64(
			"SELECT count(*) FROM lot l JOIN part p ON p.part=l.part WHERE l.at<>p.at"),
		0);
	scene_run(HOUR);
	assert_int_equal(scene_open_lots("press"), 0);
	scene_run(HOUR + 60000);
	assert_int_equal(scene_open_lots("press"), 4);
}

static void a_part_moved_to_before_its_new_window_has_the_time_of_the_new_approval(void **state)
{
	UNUSED(state);
	scene_go("  press: {to: press, channels: [email], at: 1h, window: 12h}\n");
	assert_int_equal(scene_act(plan_move, "oanh", "{\"part\":\"press\",\"at\":\"90m\"}"), 0);
	scene_run(HOUR);
	grow_and_approve_again("hoa", 100);
	assert_int_equal(scene_i64("SELECT at-win_from FROM part"), 0);
	scene_run(HOUR - 60000);
	assert_int_equal(scene_open_lots("press"), 0);
	scene_run(2 * 60000);
	assert_int_equal(scene_open_lots("press"), 4);
}

static void a_part_that_was_cancelled_stays_so_when_the_other_is_approved_again(void **state)
{
	UNUSED(state);
	scene_go(
		"  press: {to: press, channels: [email], at: 1h}\n  vote: {to: all, channels: [email], at: 1h, again: true}\n");
	scene_sql("UPDATE part SET state=%d, why='cancelled by oanh: x' WHERE name='vote'",
		PART_CANCELLED);
	scene_sql("UPDATE lot SET gate=3 WHERE part=(SELECT part FROM part WHERE name='vote')");
	for (int i = 0; i < 30; i++)
		scene_target(300 + i, 2, 1, "vi");
	grow_and_approve_again("hoa", 400);
	assert_int_equal(scene_part_state("vote"), PART_CANCELLED);
	assert_true(scene_why_has("SELECT why FROM part WHERE name='vote'", "cancelled by oanh"));
	scene_run(HOUR + 60000);
	assert_int_equal(scene_open_lots("press"), 4);
	assert_int_equal(scene_open_lots("vote"), 0);
}

static void a_signal_that_was_given_counts_when_its_part_is_approved_again(void **state)
{
	UNUSED(state);
	scene_go(
		"  press: {to: press, channels: [email], go: signal, window: 2h}\n  vote: {to: offices, channels: [email], go: signal, window: 2h}\n");
	for (int i = 0; i < 30; i++)
		scene_target(300 + i, 2, 1, "vi");
	scene_sql(
		"INSERT INTO import(what, at, person, hash, rows, added, changed, gone) VALUES('t', 0, 'x', X'00', 30, 30, 0, 0)");
	assert_int_equal(scene_act(plan_go, "oanh", "{\"part\":\"press\"}"), 0);
	scene_run(500);
	assert_int_equal(scene_part_state("press"), PART_HELD);
	assert_true(scene_why_has("SELECT why FROM part WHERE name='press'", "grew:"));
	grow_and_approve_again("hoa", 400);
	assert_int_equal(scene_open_lots("press"), 4);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM part WHERE name='press' AND go_by='oanh'"), 1);
	assert_int_equal(scene_open_lots("vote"), 0); /* nobody gave its signal */
	assert_int_equal(scene_act(plan_go, "oanh", "{\"part\":\"vote\"}"), 0);
	scene_run(500);
	assert_int_equal(scene_open_lots("vote"), 4);
}

static void a_time_moved_in_the_database_holds_the_part(void **state)
{
	UNUSED(state);
	scene_go("  press: {to: press, channels: [email], at: 2026-11-23 10:00, window: 2h}\n");
	scene_sql("UPDATE part SET at=%lld", (long long)(TESTENV_WALL_START + 60000));
	plan_on_progress(sc.p, 1, 1);
	scene_run(120000);
	assert_int_equal(scene_open_lots("press"), 0);
	assert_int_equal(scene_part_state("press"), PART_HELD);
	assert_true(scene_why_has("SELECT why FROM part", "forged"));
}

static void a_late_part_is_held_once_and_a_person_may_let_it_go(void **state)
{
	UNUSED(state);
	scene_go("  press: {to: press, channels: [email], at: 2026-11-23 10:00}\n");
	scene_plan_end();
	sc.te.wall += 5 * HOUR; /* the daemon was down from 8 to 13 */
	scene_plan();
	scene_run(500);
	assert_int_equal(scene_part_state("press"), PART_HELD);
	assert_true(scene_why_has("SELECT why FROM part", "late:"));
	assert_int_equal(scene_act(plan_go, "oanh", "{\"part\":\"press\"}"), 0);
	scene_run(500);
	assert_int_equal(scene_open_lots("press"), 4);
}

static void a_late_part_may_say_send_or_drop(void **state)
{
	UNUSED(state);
	scene_go(
		"  a: {to: press, channels: [email], at: 2026-11-23 10:00, late: send}\n  b: {to: offices, channels: [email], at: 2026-11-23 10:00, late: drop}\n");
	scene_plan_end();
	sc.te.wall += 5 * HOUR;
	scene_plan();
	scene_run(500);
	assert_int_equal(scene_open_lots("a"), 4);
	assert_int_equal(scene_open_lots("b"), 0);
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

/* A clock that ran ahead and was set right does not make it wait for what the clock had said. */
static void a_link_is_asked_again_though_the_clock_was_set_back(void **state)
{
	UNUSED(state);
	assert_int_equal(
		scene_submit("lan",
			"---\ncode: TTBC-1\ntitle: A title\nlink: https://portal.example/1\nparts:\n  press: {to: press, channels: [email], at: now, window: 4h, "
			"needs_link: true}\n---\n" BODY),
		0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(2000);
	sc.te.wall += 2 * HOUR;
	int before = sc.links;
	scene_run(40000);
	assert_true(sc.links > before);
	sc.te.wall -= 2 * HOUR;
	sc.link_answers = true;
	scene_run(60000);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 4);
}

#define LINKED                                                                                                                                      \
	"---\ncode: TTBC-1\ntitle: A title\nlink: https://portal.example/1\nparts:\n  press: {to: press, channels: [email], at: now, window: 10m, " \
	"needs_link: true}\n---\n"

static void a_new_revision_asks_for_its_page_anew(void **state)
{
	UNUSED(state);
	sc.link_answers = true;
	assert_int_equal(scene_submit("lan", LINKED BODY), 0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(1000);
	assert_int_equal(sc.links, 1);
	sc.link_answers = false;
	assert_int_equal(scene_submit("lan", LINKED "Other words. " BODY), 0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(1000);
	assert_int_equal(sc.links, 2);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM part WHERE rev=2 AND started IS NOT NULL"), 0);
	sc.link_answers = true;
	scene_run(60000);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM part WHERE rev=2 AND started IS NOT NULL"), 1);
}

/* Held because its page did not answer in time: who says go has it asked for until it answers. */
static void go_after_the_window_asks_for_the_page_on(void **state)
{
	UNUSED(state);
	assert_int_equal(scene_submit("lan", LINKED BODY), 0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(11 * 60000);
	assert_true(scene_why_has("SELECT why FROM part", "link:"));
	assert_int_equal(scene_act(plan_go, "oanh", "{\"part\":\"press\"}"), 0);
	scene_run(40000);
	assert_int_equal(scene_part_state("press"), PART_WAITING);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 0);
	sc.link_answers = true;
	scene_run(60000);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 4);
}

static void go_behind_the_campaign_is_refused_until_it_is_longer(void **state)
{
	UNUSED(state);
	scene_sql(
		"INSERT INTO campaign(name, title, first, last, prio) VALUES('k', 'k', %lld, %lld, 1)",
		(long long)sc.te.wall - HOUR, (long long)sc.te.wall + 2 * HOUR);
	assert_int_equal(
		scene_submit("lan",
			"---\ncode: TTBC-1\ntitle: A title\ncampaign: k\nparts:\n  press: {to: press, channels: [email], at: now}\n"
			"  vote: {to: offices, channels: [email], go: signal, window: 10h}\n---\n" BODY),
		0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(1000);
	sc.te.wall += 3 * HOUR;
	scene_run(60000);
	assert_int_equal(scene_act(plan_go, "oanh", "{\"part\":\"vote\"}"), -EBUSY);
	assert_non_null(strstr(sc.err.text, "campaign"));
	scene_sql("UPDATE campaign SET last=%lld", (long long)sc.te.wall + HOUR);
	assert_int_equal(scene_act(plan_go, "oanh", "{\"part\":\"vote\"}"), 0);
	scene_run(1000);
	assert_int_equal(scene_open_lots("vote"), 4);
}

/* A revision that names its parts in another order keeps their numbers; who is in both is where the approver read it. */
static void who_is_in_two_parts_belongs_to_the_first_of_the_text(void **state)
{
	UNUSED(state);
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-1",
				"  a: {to: press, channels: [email], at: now}\n  b: {to: all, channels: [email], at: now}\n")
				BODY),
		0);
	scene_go(
		"  b: {to: all, channels: [email], at: now}\n  a: {to: press, channels: [email], at: now}\n");
	assert_int_equal(scene_part_state("a"), PART_DONE); /* nobody is left for it */
	assert_int_equal(
		scene_i64(
			"SELECT count(*) FROM delivery d JOIN lot l ON l.id=d.lot_id JOIN part p ON p.part=l.part AND p.rev=2 WHERE p.name='b'"),
		12);
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
	static const char *const elsewhere[] = { "https://portal.example:443@evil.example/1",
		"https://portal.example@evil.example/1",
		"https://evil.example%2f.portal.example/1" };
	for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++) {
		char text[600];
		(void)snprintf(text, sizeof(text),
			"---\ncode: T-1\ntitle: A title\nlink: \"%s\"\nparts:\n  press: {to: press, channels: [email]}\n---\n" BODY,
			elsewhere[i]);
		assert_int_equal(scene_submit("lan", text), -EBADMSG);
		assert_non_null(strstr(sc.err.text, "own_domains"));
	}
	assert_int_equal(
		scene_submit("lan",
			"---\ncode: T-1\ntitle: A title\nlink: https://www.portal.example:8443/1\nparts:\n  press: {to: press, "
			"channels: [email]}\n---\n" BODY),
		0);
}

static void spread_gives_every_contact_a_moment_of_its_own_below_it(void **state)
{
	UNUSED(state);
	for (int i = 0; i < 60; i++)
		scene_target(100 + i, 3, 1, "vi");
	scene_go("  press: {to: press, channels: [email], at: now, spread: 20m}\n");
	assert_true(scene_i64("SELECT max(due) FROM delivery") <= 20 * 60000);
	assert_true(scene_i64("SELECT min(due) FROM delivery") >= 0);
	assert_true(scene_i64("SELECT count(DISTINCT due/60000) FROM delivery") >= 12);
}

#define T(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_new_revision_asks_for_its_page_anew),
		T(go_after_the_window_asks_for_the_page_on),
		T(go_behind_the_campaign_is_refused_until_it_is_longer),
		T(who_is_in_two_parts_belongs_to_the_first_of_the_text),
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
		T(a_moved_part_stays_where_it_was_moved_when_it_is_approved_again),
		T(a_part_moved_to_before_its_new_window_has_the_time_of_the_new_approval),
		T(a_part_that_was_cancelled_stays_so_when_the_other_is_approved_again),
		T(a_signal_that_was_given_counts_when_its_part_is_approved_again),
		T(a_time_moved_in_the_database_holds_the_part),
		T(a_late_part_is_held_once_and_a_person_may_let_it_go),
		T(a_late_part_may_say_send_or_drop),
		T(a_part_with_a_link_waits_until_it_answers),
		T(a_link_is_asked_again_though_the_clock_was_set_back),
		T(links_go_only_to_our_own_domains),
		T(spread_gives_every_contact_a_moment_of_its_own_below_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
