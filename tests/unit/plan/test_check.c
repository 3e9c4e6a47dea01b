/* test_check.c - what a submission is refused for, and who is reached once and who again. */
#include "scene.h"

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

/* With file and line: not those of the part whose outputs were prepared when it was found. */
static void what_a_text_lacks_is_said_where_it_stands(void **state)
{
	UNUSED(state);
	static const struct {
		const char *text;
		int line;
	} bad[] = {
		{ "---\ncode: T-1\ntitle: A title {{office.nix}}\nparts:\n  a: {to: press, channels: [email]}\n---\n" BODY,
			3 },
		{ "---\ncode: T-1\ntitle: A title\nsummary: A {{office.nix}}\nparts:\n  a: {to: press, channels: [email]}\n---\n" BODY,
			4 },
		{ FRONT("T-1",
			  "  a: {to: press, channels: [email]}\n") "One.\n\nAsk {{office.nix}}.\n",
			9 },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(scene_submit("lan", bad[i].text), -EBADMSG);
		const cJSON *p = json_get(sc.json, "problems")->child;
		while (p && !strstr(json_z(p, "text", ""), "{{office.nix}}"))
			p = p->next;
		assert_non_null(p);
		assert_int_equal(json_i64(p, "line", 0), bad[i].line);
		assert_string_equal(json_z(p, "file", ""), "release.md");
		assert_null(strstr(json_z(p, "text", ""), "line "));
	}
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

/* Submitted ahead: what follows a part, a signal or an embargo has no time of its own yet, or a later one than now. */
static void a_campaign_is_prepared_before_it_begins(void **state)
{
	UNUSED(state);
	const struct civil day = { .year = 2026, .month = 11, .day = 24 };
	int64_t first = civil_to_ms(&day, &sc.conf.zone);
	scene_sql(
		"INSERT INTO campaign(name, title, first, last, prio) VALUES('c', 'C', %lld, %lld, 0)",
		(long long)first, (long long)first + 48LL * HOUR);
	assert_int_equal(
		scene_submit("lan",
			"---\ncode: T-1\ntitle: A title\ncampaign: c\nparts:\n  a: {to: press, channels: [email], at: 2026-11-24 10:00, "
			"embargo: 2026-11-24 14:00}\n  b: {to: offices, channels: [email], after: a}\n  c: {to: staff, channels: "
			"[email], go: signal}\n  d: {to: all, channels: [email], at: now}\n---\n" BODY),
		0);
	sc.te.wall = first + 72LL * HOUR;
	assert_int_equal(
		scene_submit("lan",
			"---\ncode: T-2\ntitle: A title\ncampaign: c\nparts:\n  a: {to: press, channels: [email], go: signal}\n---\n" BODY),
		-EBADMSG);
}

static void an_address_without_a_route_is_refused(void **state)
{
	UNUSED(state);
	scene_sql("UPDATE target SET lane_id=NULL WHERE contact_id=12");
	assert_int_equal(scene_submit("lan", SIMPLE), -EBADMSG);
	assert_non_null(strstr(sc.err.text, "no route"));
	assert_non_null(strstr(sc.err.text, "dien-bien"));
}

/* Imported before the channel was there, which cannot read it: another route is no help. */
static void an_address_that_its_route_does_not_take_is_called_so(void **state)
{
	UNUSED(state);
	char channel[] = "mail", account[] = "relay";
	struct conf_route route = { .kind = KIND_EMAIL, .channel = channel, .account = account };
	scene_sql("UPDATE target SET lane_id=NULL WHERE contact_id=12");
	sc.conf.routes = &route;
	sc.conf.n_routes = 1;
	int rc = scene_submit("lan", SIMPLE);
	sc.conf.routes = NULL;
	sc.conf.n_routes = 0;
	assert_int_equal(rc, -EBADMSG);
	assert_non_null(strstr(sc.err.text, "do not go with their route (channel 'mail')"));
	assert_null(strstr(sc.err.text, "add it to"));
}

static void one_copy_a_contact_and_the_nearest_office_wins(void **state)
{
	UNUSED(state);
	scene_target(50, 1, 1, "vi");
	scene_target(50, 4, 1, "vi");
	scene_target(50, 3, 2, "vi");
	scene_go(TWO_PARTS);
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
	scene_go(
		"  a: {to: press, channels: [email], at: now}\n  b: {to: press, channels: [email], at: now, again: true}\n");
	assert_int_equal(scene_i64("SELECT count(*) FROM delivery"), 8);
}

/* Twelve outputs, of which two have room. What is approved, planned and sent is the same. */
static void a_check_keeps_no_more_outputs_than_it_has_room_for(void **state)
{
	UNUSED(state);
	sc.memory = 30u << 20;
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-1",
				"  press: {to: press, channels: [email], at: now}\n  rest: {to: [offices, staff], channels: [email], at: now}\n")
				BODY),
		0);
	int64_t outputs = json_i64(sc.json, "outputs", 0);
	assert_true(outputs >= 8);
	assert_true(sc.whole_most <= 3); /* and the one at hand */
	assert_int_equal(
		scene_i64("SELECT count(*) FROM prepared WHERE length(digest)=32"), outputs);
	assert_int_equal(scene_i64("SELECT count(DISTINCT digest) FROM prepared"), 4);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(1000);
	assert_int_equal(scene_open_lots("press"), 4);
	assert_int_equal(scene_open_lots("rest"), 4);
}

#define T(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_check_names_everything_that_is_wrong_and_stores_nothing),
		T(what_a_text_lacks_is_said_where_it_stands),
		T(a_part_outside_its_campaign_is_refused),
		T(a_campaign_is_prepared_before_it_begins),
		T(an_address_without_a_route_is_refused),
		T(an_address_that_its_route_does_not_take_is_called_so),
		T(one_copy_a_contact_and_the_nearest_office_wins),
		T(again_reaches_those_whom_another_part_reached),
		T(a_check_keeps_no_more_outputs_than_it_has_room_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
