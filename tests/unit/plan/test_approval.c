/* test_approval.c - who may approve what: authors, roles, deputies, steps, paper, and an emergency that owes a second person. */
#include "scene.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_author_cannot_approve_and_the_refusal_is_audited,
			scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			who_has_not_the_role_cannot_approve_unless_as_a_deputy, scene_open,
			scene_close),
		cmocka_unit_test_setup_teardown(
			a_stale_hash_is_a_conflict_that_names_both, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			everyone_who_edited_a_revision_is_its_author, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(an_emergency_goes_at_once_and_owes_a_second_person,
			scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			two_steps_want_two_persons, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			an_approval_on_paper_is_by_the_code, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			a_refused_approval_leaves_no_manifest, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			an_emergency_is_not_paid_by_the_one_who_gave_it, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			half_of_what_is_owed_pays_nothing, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			who_belongs_to_an_office_below_the_top_approves_by_nobody_else, scene_open,
			scene_close),
		cmocka_unit_test_setup_teardown(
			a_deputy_of_two_approves_for_the_one_who_may, scene_open, scene_close),
		cmocka_unit_test_setup_teardown(
			paper_is_entered_by_somebody_with_more_than_a_readers_role, scene_open,
			scene_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
