/* test_cast.c - broadcasts in check, approval and plan: parts of their own, their articles, their allowance. The mail channel of the
 * scene plays Zalo here: contacts 20 to 22 are accounts, 23 is a group, 10 to 13 are accounts of another audience. */
#include "scene.h"

#define WEB(code, more, options)                                        \
	"---\ncode: " code "\ntitle: A title of " code                  \
	"\nparts:\n  web: {to: offices, channels: [zalo], at: now" more \
	"}\nzalo: {broadcast: yes" options "}\n---\n" BODY

static int zalo_open(void **state)
{
	scene_open(state);
	sc.ch.kind = KIND_ZALO;
	scene_sql("UPDATE contact SET kind=4, address='oa:'||id, form=iif(id=23, 'group', 'oa')");
	return 0;
}

static int64_t casts(const char *where)
{
	char sql[300];
	snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM delivery d JOIN lot l ON l.id=d.lot_id WHERE (d.once>>4&63)=63 AND %s",
		where);
	return scene_i64(sql);
}

static void approved(const char *text)
{
	if (scene_submit("lan", text) < 0)
		fail_msg("submit: %s", sc.err.text);
	if (scene_approve("minh") < 0)
		fail_msg("approve: %s", sc.err.text);
	scene_run(500);
}

static void refused(const char *text, const char *says)
{
	assert_int_equal(scene_submit("lan", text), -EBADMSG);
	if (!strstr(sc.err.text, says))
		fail_msg("'%s' does not say '%s'", sc.err.text, says);
}

static void a_broadcast_is_planned_to_accounts_alone_and_opens_with_its_articles(void **state)
{
	UNUSED(state);
	approved(WEB("TTBC-1", "", ""));
	assert_int_equal(scene_i64("SELECT slot FROM part WHERE name='web.broadcast'"), 63);
	assert_int_equal(scene_i64("SELECT count(*) FROM delivery WHERE (once>>4&63)=0"), 4);
	assert_int_equal(casts("1"), 3);
	assert_int_equal(casts("d.contact_id=23"), 0);
	assert_int_equal(casts("l.gate=1"), 3);
	scene_run(1000);
	assert_int_equal(scene_part_state("web.broadcast"), PART_PLANNED);
}

static void check_and_review_show_each_account_and_what_is_left(void **state)
{
	UNUSED(state);
	sc.acct.broadcasts = (struct cast_limits){ 4 + 1, 2 + 1, 0 };
	assert_int_equal(scene_submit("lan", WEB("TTBC-1", "", "")), 0);
	const cJSON *rows = json_get(sc.json, "broadcasts"), *parts = json_get(sc.json, "parts");
	assert_int_equal(cJSON_GetArraySize(rows), 3);
	const cJSON *one = cJSON_GetArrayItem(rows, 0);
	assert_string_equal(json_z(one, "account", ""), "mail/relay");
	assert_string_equal(json_z(one, "address", ""), "oa:20");
	assert_int_equal(json_i64(one, "month_max", -1), 4);
	assert_int_equal(json_i64(one, "month_spent", -1), 0);
	assert_true(json_bool(one, "fits", false));
	const cJSON *part = cJSON_GetArrayItem(parts, 1);
	assert_string_equal(json_z(part, "name", ""), "web.broadcast");
	assert_string_equal(json_z(part, "after", ""), "web");
	assert_int_equal(
		json_i64(cJSON_GetArrayItem(json_get(part, "counts"), 0), "targets", 0), 3);
}

static void it_waits_for_the_start_of_its_articles(void **state)
{
	UNUSED(state);
	approved(
		"---\ncode: TTBC-1\ntitle: T\nparts:\n  web: {to: offices, channels: [zalo], go: signal, window: 2h}\n"
		"zalo: {broadcast: yes}\n---\n" BODY);
	assert_int_equal(casts("l.gate=1"), 0);
	assert_int_equal(casts("l.gate=0"), 3);
	assert_int_equal(scene_act(plan_go, "oanh", "{\"part\":\"web\"}"), 0);
	scene_run(1000);
	assert_int_equal(casts("l.gate=1"), 3);
}

static void without_its_articles_it_is_skipped(void **state)
{
	UNUSED(state);
	approved(
		"---\ncode: TTBC-1\ntitle: T\nparts:\n  web: {to: offices, channels: [zalo], go: signal, window: 1h, expires: 2h}\n"
		"zalo: {broadcast: yes}\n---\n" BODY);
	scene_run(8 * HOUR);
	assert_int_equal(scene_part_state("web"), PART_DONE);
	assert_int_equal(scene_part_state("web.broadcast"), PART_DONE);
	assert_true(scene_why_has("SELECT why FROM part WHERE name='web.broadcast'", "expired"));
	assert_int_equal(casts("l.gate=1"), 0);
}

static void two_parts_tell_an_account_once(void **state)
{
	UNUSED(state);
	const char *text =
		"---\ncode: TTBC-1\ntitle: T\nparts:\n  a: {to: offices, channels: [zalo], at: now}\n"
		"  b: {to: [offices, press], channels: [zalo], at: now, again: true}\nzalo: {broadcast: yes}\n---\n" BODY;
	assert_int_equal(scene_submit("lan", text), 0);
	cJSON *seen = cJSON_Duplicate(sc.json, 1);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(casts("1"), 7);
	const cJSON *parts = json_get(seen, "parts");
	for (int i = 2; i < 4; i++) /* the check counts each account once, too */
		assert_int_equal(
			json_i64(cJSON_GetArrayItem(
					 json_get(cJSON_GetArrayItem(parts, i), "counts"), 0),
				"targets", 0),
			i == 2 ? 3 : 4);
	cJSON_Delete(seen);
	assert_int_equal(casts("d.contact_id=20"), 1);
	assert_int_equal(scene_i64("SELECT max(n) FROM (SELECT count(*) AS n FROM delivery WHERE "
				   "(once>>4&63)=63 GROUP BY contact_id)"),
		1);
}

static void the_article_is_prepared_alike_with_a_broadcast_and_without(void **state)
{
	UNUSED(state);
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-1", "  web: {to: offices, channels: [zalo], at: now}\n") BODY),
		0);
	assert_int_equal(scene_submit("lan", WEB("TTBC-1", "", "")), 0);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM prepared p JOIN prepared q ON q.part=p.part AND "
			  "q.office_id=p.office_id AND q.form=p.form AND q.digest=p.digest AND "
			  "q.manifest<>p.manifest WHERE p.part=1"),
		8);
}

static void a_correction_is_not_broadcast(void **state)
{
	UNUSED(state);
	approved(WEB("TTBC-1", "", ""));
	scene_send_all();
	struct actor a = scene_who("lan");
	struct staged s = scene_staged(WEB("TTBC-1", "", ""));
	cJSON *params CLEANUP_JSON = json_obj();
	int before = sc.answers;
	json_put_z(params, "release", "TTBC-1");
	plan_correct(sc.p, params, &s, &a, scene_done, NULL);
	assert_int_equal(scene_wait(before), 0);
	scene_remember();
	assert_int_equal(cJSON_GetArraySize(json_get(sc.json, "broadcasts")), 0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(casts("1"), 3); /* the first release's */
	assert_int_equal(
		scene_i64(
			"SELECT count(*) FROM part WHERE name='web.broadcast' AND state=2 AND why "
			"LIKE 'skipped: a correction%'"),
		1);
}

/* --- further articles ---------------------------------------------------------------------------------------------------------------- */

static void articles_out(void)
{
	scene_send_all();
	scene_sql(
		"INSERT INTO attempt(delivery_id, try, started, took_ms, outcome, scope, provider_id) "
		"SELECT id, 1, (SELECT at FROM lot WHERE id=lot_id), 1, 1, 0, 'art-' || id FROM delivery WHERE state=2 AND NOT EXISTS (SELECT 1 "
		"FROM attempt a WHERE a.delivery_id=delivery.id)");
}

static void further_articles_are_kept_in_their_order(void **state)
{
	UNUSED(state);
	approved(FRONT("A-1", "  web: {to: offices, channels: [zalo], at: now}\n") BODY);
	articles_out();
	approved(FRONT("A-2", "  web: {to: offices, channels: [zalo], at: now}\n") BODY);
	articles_out();
	approved(WEB("A-3", "", ", with: [A-2, A-1]"));
	assert_int_equal(
		scene_i64("SELECT group_concat(other, '') FROM companion WHERE release_id=3"), 21);
}

static void a_further_article_that_is_missing_elsewhere_or_hidden_is_refused(void **state)
{
	UNUSED(state);
	approved(FRONT("A-1", "  web: {to: press, channels: [zalo], at: now}\n") BODY);
	articles_out();
	approved(FRONT("A-2", "  web: {to: offices, channels: [zalo], at: now}\n") BODY);
	articles_out();
	refused(WEB("A-9", "", ", with: [A-7]"), "A-7");
	refused(WEB("A-9", "", ", with: [A-1]"), "on other accounts only");
	refused(WEB("A-9", "", ", with: [A-2, A-2]"), "stands here twice");
	scene_sql(
		"INSERT INTO recall(delivery_id, release_id, state, tries, due, asked, at, person) SELECT id, 2, "
		"2, 1, 0, 0, 0, 'oanh' FROM delivery WHERE contact_id=21 AND once>=2048");
	refused(WEB("A-9", "", ", with: [A-2]"),
		"that of A-2 was taken back: office ha-noi, oa:21");
	assert_int_equal(
		scene_submit("lan",
			FRONT("A-5", "  m: {to: offices, channels: [zalo], at: now}\n") BODY),
		0);
	refused(WEB("A-9", "", ", with: [A-5]"), "none on any account");
	refused(WEB("A-5", "", ", with: [A-5]"), "is this release itself");
	assert_int_equal(scene_i64("SELECT count(*) FROM companion"), 0);
}

/* --- the allowance --------------------------------------------------------------------------------------------------------------------- */

static void what_others_have_planned_or_sent_is_not_there_any_more(void **state)
{
	UNUSED(state);
	sc.acct.broadcasts = (struct cast_limits){ 2 + 1, 0, 0 };
	approved(WEB("A-1", "", ""));
	articles_out();
	approved(WEB("A-2", "", ""));
	refused(WEB("A-3", "", ""), "1 of 2 broadcasts since");
	assert_non_null(strstr(sc.err.text, "1 more planned"));
	assert_non_null(strstr(sc.err.text, "raise `broadcasts` of account mail/relay"));
	scene_sql(
		"UPDATE lot SET gate=3 WHERE gate=1"); /* the second is cancelled: its place is free */
	assert_int_equal(scene_submit("lan", WEB("A-3", "", "")), 0);
}

static void an_approval_over_the_allowance_is_refused(void **state)
{
	UNUSED(state);
	char hash[HASH_HEX];
	sc.acct.broadcasts = (struct cast_limits){ 1 + 1, 0, 0 };
	assert_int_equal(scene_submit("lan", WEB("A-1", "", "")), 0);
	memcpy(hash, sc.hash, sizeof(hash));
	approved(WEB("A-2", "", "")); /* both were fine when they were checked */
	memcpy(sc.hash, hash, sizeof(hash));
	str_copy(sc.release, sizeof(sc.release), STR("A-1"));
	assert_int_equal(scene_approve("minh"), -EBADMSG);
	assert_non_null(strstr(sc.err.text, "no broadcast is left: office "));
	assert_int_equal(
		scene_i64(
			"SELECT count(*) FROM approval a JOIN manifest m ON m.hash=a.manifest WHERE "
			"m.release_id=1"),
		0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, zalo_open, scene_close)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_broadcast_is_planned_to_accounts_alone_and_opens_with_its_articles),
		T(check_and_review_show_each_account_and_what_is_left),
		T(it_waits_for_the_start_of_its_articles),
		T(without_its_articles_it_is_skipped),
		T(two_parts_tell_an_account_once),
		T(the_article_is_prepared_alike_with_a_broadcast_and_without),
		T(a_correction_is_not_broadcast),
		T(further_articles_are_kept_in_their_order),
		T(a_further_article_that_is_missing_elsewhere_or_hidden_is_refused),
		T(what_others_have_planned_or_sent_is_not_there_any_more),
		T(an_approval_over_the_allowance_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
