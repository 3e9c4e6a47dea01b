/* test_ends.c - what ends a part, or keeps it from starting: its window, a recall, a correction, what a person holds. */
#include "scene.h"
#include "store/store_queue.h"

#define PLAIN "Office {{office.short}}, call {{office.hotline}}.\n" /* no {{local}} */

static void submit(const char *parts)
{
	char text[2000];
	snprintf(text, sizeof(text), FRONT("TTBC-1", "%s") PLAIN, parts);
	assert_int_equal(scene_submit("lan", text), 0);
}

static void approve(void)
{
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
}

/* Design 9: a part behind another waits for what waits or is being sent, not for what is held. */
static void a_held_lot_keeps_no_part_behind_it_waiting(void **state)
{
	UNUSED(state);
	submit(TWO_PARTS);
	scene_hotline("dien-bien", "0999");
	approve();
	assert_int_equal(scene_open_lots("press"), 3);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=2"), 1);
	plan_on_progress(sc.p, 1, 1);
	scene_run(500);
	assert_int_equal(scene_open_lots("desk"), 0); /* three are still waiting */
	scene_sql("UPDATE lot SET n2=n0, n0=0 WHERE gate=1");
	plan_on_progress(sc.p, 1, 1);
	scene_run(500);
	assert_int_equal(scene_open_lots("desk"), 3);
}

static void approved_after_its_window_it_waits_for_a_person(void **state)
{
	UNUSED(state);
	submit("  press: {to: press, channels: [email], at: 2026-11-23 10:00, window: 1h}\n");
	scene_run(5 * HOUR);
	approve();
	assert_int_equal(scene_open_lots("press"), 0);
	assert_int_equal(scene_part_state("press"), PART_HELD);
	assert_true(scene_why_has("SELECT why FROM part", "window: it was approved after"));
	assert_int_equal(scene_act(plan_go, "oanh", "{\"part\":\"press\"}"), 0);
	scene_run(500);
	assert_int_equal(scene_open_lots("press"), 4);
}

static void approved_inside_its_window_or_with_late_send_it_goes(void **state)
{
	UNUSED(state);
	submit("  press: {to: press, channels: [email], at: 2026-11-23 10:00, window: 12h}\n"
	       "  desk: {to: offices, channels: [email], at: 2026-11-23 10:00, window: 1h, late: send}\n");
	scene_run(5 * HOUR);
	approve();
	assert_int_equal(scene_open_lots("press"), 4);
	assert_int_equal(scene_open_lots("desk"), 4);
}

#define LATER                                                \
	"  press: {to: press, channels: [email], at: now}\n" \
	"  desk: {to: offices, channels: [email], at: 2026-11-23 10:00}\n"

static void correct(const char *text)
{
	struct actor a = scene_who("lan");
	struct staged s = scene_staged(text);
	cJSON *params CLEANUP_JSON = json_obj();
	json_put_z(params, "release", sc.release);
	int before = sc.answers;
	plan_correct(sc.p, params, &s, &a, scene_done, NULL);
	assert_int_equal(scene_wait(before), 0);
	scene_remember();
}

static void what_a_correction_overtakes_is_over_and_says_so(void **state)
{
	UNUSED(state);
	submit(LATER);
	approve();
	assert_int_equal(scene_open_lots("press"), 4);
	scene_sql("UPDATE delivery SET state=2, tries=1 WHERE contact_id=10");
	scene_sql(
		"UPDATE lot SET n2=1, n0=n0-1 WHERE id=(SELECT lot_id FROM delivery WHERE contact_id=10)");
	correct(FRONT("TTBC-1", "  fix: {to: all, channels: [email], at: now}\n") "Corrected.\n");
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE release_id=1 AND gate IN (0,1)"),
		8); /* not before it is approved */
	approve();
	assert_int_equal(scene_i64("SELECT state FROM release WHERE id=1"), REL_CORRECTED);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM lot WHERE release_id=1 AND gate IN (0,1,2,5)"), 0);
	assert_true(scene_why_has(
		"SELECT why FROM lot WHERE release_id=1 LIMIT 1", "corrected by TTBC-1-DC1@2026"));
	assert_true(scene_why_has(
		"SELECT why FROM part WHERE release_id=1 AND name='desk'", "corrected by"));
	assert_int_equal(scene_i64("SELECT count(*) FROM part WHERE release_id=1 AND state=4"), 2);
	scene_run(5 * HOUR);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE release_id=1 AND gate=1"), 0);
}

static void stop_part(enum sq_stop_verb verb, const char *name)
{
	char sql[100];
	struct sq_stop c = { .verb = verb, .what = "lot.stop", .except_prio = -1 };
	snprintf(sql, sizeof(sql), "SELECT part FROM part WHERE name='%s'", name);
	c.scope = (struct sq_scope){ .release = 1, .part = (int)scene_i64(sql) };
	snprintf(c.scope.text, sizeof(c.scope.text), "release:TTBC-1@2026 part:%s", name);
	snprintf(c.person, sizeof(c.person), "oanh");
	snprintf(c.via, sizeof(c.via), "uid:1000");
	snprintf(c.why, sizeof(c.why), "overtaken");
	sq_stop_init(&c);
	assert_int_equal(teststore_do(&sc.ts, &c.cmd), 0);
}

/* Also rows that it did not have yet: somebody was added since, or its planning had not come so far. */
static void a_part_that_was_cancelled_never_starts(void **state)
{
	UNUSED(state);
	submit(LATER);
	approve();
	stop_part(SQ_CANCEL, "desk");
	assert_int_equal(scene_part_state("desk"), PART_CANCELLED);
	scene_target(90, 3, 2, "vi");
	scene_sql(
		"INSERT INTO import(what, at, person, hash, rows, added, changed, gone) VALUES('targets', 1, 'lan', x'00', 1, 1, 0, 0)");
	scene_run(5 * HOUR);
	assert_int_equal(scene_open_lots("desk"), 0);
	assert_int_equal(scene_i64("SELECT count(*) FROM delivery WHERE contact_id=90"), 0);
	assert_int_equal(scene_open_lots("press"), 4);
}

/* Simulation, seed 32 of 5,000 steps (loopback,sms_http): it was made ready to be opened, and nobody opened it. */
static void what_was_retried_in_a_done_release_and_came_from_a_backup_goes_on(void **state)
{
	UNUSED(state);
	submit("  press: {to: press, channels: [email], at: now}\n");
	approve();
	scene_sql("UPDATE delivery SET state=2, tries=1 WHERE id>1");
	scene_sql("UPDATE lot SET n2=n0, n0=0");
	scene_sql("UPDATE lot SET n2=n2-1, n0=1 WHERE id=(SELECT lot_id FROM delivery WHERE id=1)");
	scene_sql("UPDATE lot SET gate=2, why='restored: look'");
	scene_sql("UPDATE part SET state=2");
	scene_sql("UPDATE release SET state=4");
	stop_part(SQ_RESUME, "press");
	assert_int_equal(scene_i64("SELECT state FROM release"), REL_SENDING);
	plan_on_progress(sc.p, 1, 1);
	scene_run(500);
	assert_int_equal(scene_open_lots("press"), 4);
	scene_sql("UPDATE delivery SET state=2");
	scene_sql("UPDATE lot SET n2=n2+n0, n0=0");
	plan_on_progress(sc.p, 1, 1);
	scene_run(500);
	assert_int_equal(scene_i64("SELECT state FROM release"), REL_DONE);
}

#define T(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_held_lot_keeps_no_part_behind_it_waiting),
		T(approved_after_its_window_it_waits_for_a_person),
		T(approved_inside_its_window_or_with_late_send_it_goes),
		T(what_a_correction_overtakes_is_over_and_says_so),
		T(a_part_that_was_cancelled_never_starts),
		T(what_was_retried_in_a_done_release_and_came_from_a_backup_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
