/* test_approved.c - what dispatch gets is what was approved: the whole, local texts, corrections, nothing of a cancelled release. */
#include "scene.h"

#define PLAIN "Office {{office.short}}, call {{office.hotline}}.\n" /* no {{local}} */
#define NOW   "  press: {to: press, channels: [email], at: now}\n"

static void go(const char *parts)
{
	char text[2000];
	snprintf(text, sizeof(text), FRONT("TTBC-1", "%s") PLAIN, parts);
	assert_int_equal(scene_submit("lan", text), 0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
}

static struct prepared *prepare_of(int64_t release, int64_t office, const char *lang, int expect)
{
	struct prep_key key = {
		.part = 1, .channel_id = 1, .office_id = office, .form = "mailbox"
	};
	struct prepared *p = NULL;
	struct err e = { 0 };
	str_copy(key.lang, sizeof(key.lang), str_of(lang));
	struct store_reader *r = teststore_reader(&sc.ts);
	assert_int_equal(manifest_planned(reader_db(r), release, &key.manifest), 0);
	int rc = plan_prepare(sc.p, r, &key, &p, &e);
	teststore_reader_end(&sc.ts, r);
	if (rc != expect)
		print_message("%s\n", e.text);
	assert_int_equal(rc, expect);
	return p;
}

static struct prepared *prepare(int64_t office, const char *lang, int expect)
{
	return prepare_of(1, office, lang, expect);
}

static void what_dispatch_gets_is_what_was_approved(void **state)
{
	UNUSED(state);
	scene_go("  press: {to: press, channels: [email], at: now}\n");
	struct prepared *p = prepare(3, "vi", 0);
	assert_non_null(strstr(p->preview, "Office dien-bien, call 0200 2"));
	prepared_unref(p);
	scene_hotline("dien-bien", "0999"); /* after the start the approved variables count */
	p = prepare(3, "vi", 0);
	assert_non_null(strstr(p->preview, "0200 2"));
	prepared_unref(p);
	(void)prepare(3, "fr", -ESTALE);
	scene_plan_end();
	scene_plan();
	sc.salt = "2"; /* another version of the adapter */
	(void)prepare(3, "vi", -ESTALE);
}

static void what_was_made_for_the_approval_is_not_made_again_while_nothing_changes(void **state)
{
	UNUSED(state);
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-1", "  press: {to: press, channels: [email], at: now}\n") BODY),
		0);
	int made = sc.prepared;
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(scene_open_lots("press"), 4);
	struct prepared *first = prepare(3, "vi", 0), *second = prepare(3, "vi", 0);
	assert_ptr_equal(first, second);
	assert_int_equal(sc.prepared, made);
	plan_reload(sc.p, &sc.conf,
		(struct channels *)(void *)&sc); /* other settings may be in force now */
	struct prepared *third = prepare(3, "vi", 0);
	assert_int_equal(sc.prepared, made + 1);
	assert_int_equal(hash_cmp(&third->digest, &first->digest), 0);
	sc.salt = "2";
	prepared_unref(prepare(3, "vi", 0));
	plan_reload(sc.p, &sc.conf, (struct channels *)(void *)&sc);
	(void)prepare(3, "vi", -ESTALE);
	prepared_unref(first);
	prepared_unref(second);
	prepared_unref(third);
}

static void the_next_day_all_is_made_again(void **state)
{
	UNUSED(state);
	scene_go("  press: {to: press, channels: [email], go: signal, window: 3d}\n");
	int made = sc.prepared;
	scene_run(26 * HOUR); /* a table may say that something is over since */
	assert_int_equal(scene_act(plan_go, "oanh", "{\"part\":\"press\"}"), 0);
	scene_run(500);
	assert_int_equal(scene_open_lots("press"), 4);
	assert_int_equal(sc.prepared, made + 4);
}

static void dispatch_is_handed_what_was_approved_before_the_lots_open(void **state)
{
	UNUSED(state);
	char sql[300], hex[HASH_HEX], manifest[HASH_HEX];
	go(NOW);
	assert_int_equal(sc.n_handed, 4);
	for (size_t i = 0; i < sc.n_handed; i++) {
		const struct prep_key *k = &sc.handed[i].key;
		hash_hex(&sc.handed[i].digest, hex);
		hash_hex(&k->manifest, manifest);
		snprintf(sql, sizeof(sql),
			"SELECT count(*) FROM prepared WHERE manifest=x'%s' AND part=%u AND channel_id=%lld AND office_id=%lld AND form='%s' AND "
			"lang='%s' AND digest=x'%s'",
			manifest, k->part, (long long)k->channel_id, (long long)k->office_id,
			k->form, k->lang, hex);
		assert_int_equal(scene_i64(sql), 1);
	}
}

static void what_differs_from_the_approved_is_not_handed_over(void **state)
{
	UNUSED(state);
	assert_int_equal(scene_submit("lan", FRONT("TTBC-1", NOW) PLAIN), 0);
	scene_hotline("dien-bien", "0999");
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(scene_open_lots("press"), 3);
	assert_int_equal(sc.n_handed, 3);
	for (size_t i = 0; i < sc.n_handed; i++)
		assert_int_not_equal(sc.handed[i].key.office_id, 3);
}

/* The plan's second half on the loop comes after the reload. */
static void what_was_compared_under_settings_since_replaced_is_not_handed_over(void **state)
{
	UNUSED(state);
	go("  press: {to: press, channels: [email], go: signal, window: 12h}\n");
	sc.n_handed = 0;
	sc.reload_in_prepare = true;
	plan_reload(sc.p, &sc.conf, (struct channels *)(void *)&sc); /* so that it is made again */
	assert_int_equal(scene_act(plan_go, "oanh", "{\"part\":\"press\"}"), 0);
	scene_run(500);
	assert_false(sc.reload_in_prepare);
	assert_int_equal(scene_open_lots("press"), 4);
	assert_int_equal(sc.n_handed, 0);
}

static void what_is_compared_is_not_handed_over_where_local_paragraphs_are_put_in(void **state)
{
	UNUSED(state);
	scene_go(NOW); /* with {{local}} */
	assert_int_equal(scene_open_lots("press"), 4);
	assert_int_equal(sc.n_handed, 0);
}

static void what_is_remembered_is_not_given_for_another_digest(void **state)
{
	UNUSED(state);
	scene_go("  press: {to: press, channels: [email], at: now}\n");
	prepared_unref(prepare(3, "vi", 0));
	scene_sql("UPDATE prepared SET digest=zeroblob(32) WHERE office_id=3"); /* while we run */
	(void)prepare(3, "vi", -ESTALE);
}

static void what_was_made_for_an_older_release_goes_first(void **state)
{
	UNUSED(state);
	sc.memory = 1 << 19; /* four have room */
	go(NOW);
	sc.prepared = 0;
	assert_int_equal(scene_submit("lan", FRONT("TTBC-2", NOW) PLAIN), 0);
	assert_int_equal(sc.prepared, 4);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(sc.prepared, 4);
	assert_int_equal(scene_open_lots("press"), 8);
}

static void what_is_remembered_has_a_bound(void **state)
{
	UNUSED(state);
	sc.memory = 3 << 20;
	go(NOW);
	assert_int_equal(sc.prepared, 8); /* too large to be remembered, or to be handed over */
	assert_int_equal(sc.n_handed, 0);
	scene_plan_end();
	sc.memory = 1 << 20; /* two of them have room */
	sc.prepared = 0;
	scene_plan();
	assert_int_equal(scene_submit("lan", FRONT("TTBC-2", NOW) PLAIN), 0);
	assert_int_equal(sc.prepared, 4);
	int remembered = 0;
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(sc.prepared, 6); /* the first two are still there when it starts */
	assert_int_equal(sc.n_handed, 2);
	for (int64_t office = 1; office <= 4; office++) {
		int before = sc.prepared;
		prepared_unref(prepare_of(2, office, office == 2 ? "en" : "vi", 0));
		remembered += sc.prepared == before;
	}
	assert_int_equal(remembered, 2);
}

static void what_is_too_large_to_be_remembered_drives_out_nothing(void **state)
{
	UNUSED(state);
	go(NOW);
	sc.memory = 3 << 20;
	sc.prepared = 0;
	assert_int_equal(scene_submit("lan", FRONT("TTBC-2", NOW) PLAIN), 0);
	assert_int_equal(sc.prepared, 4);
	for (int64_t office = 1; office <= 4; office++)
		prepared_unref(prepare(office, office == 2 ? "en" : "vi", 0));
	assert_int_equal(sc.prepared, 4);
}

/* As a file of the bundle would be: a text from Windows or a Mac becomes clean, what cannot be sent is refused before it is stored. */
static void a_local_text_is_cleaned_as_one_of_the_bundle_is(void **state)
{
	UNUSED(state);
	static const struct {
		const char *json, *says;
	} bad[] = { { "{\"office\":\"dien-bien\",\"text\":\"One\\n\\u0001\"}",
			    "control character U+0001" },
		{ "{\"office\":\"dien-bien\",\"text\":\"One\\n\\n<!-- two\"}",
			"the local text:3: '<!-- two' is HTML" },
		{ "{\"office\":\"dien-bien\",\"text\":\"![x](x.png)\"}", "'x.png' is not listed" },
		{ "{\"office\":\"dien-bien\",\"text\":\"{{local}}\"}", "cannot hold {{local}}" },
		{ "{\"office\":\"dien-bien\",\"text\":\"---\\na: b\\n---\\nOne\"}",
			"no front matter" } };
	char json[300];
	scene_go("  press: {to: press, channels: [email], at: 2026-11-23 10:00}\n");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(scene_act(plan_local_set, "lan", bad[i].json), -EBADMSG);
		if (!strstr(sc.err.text, bad[i].says))
			fail_msg("%s", sc.err.text);
	}
	assert_int_equal(
		scene_act(plan_local_set, "lan",
			"{\"office\":\"dien-bien\",\"text\":\"\\ufeffMo\\u0323t\\r\\nhai\\r\\n\"}"),
		0);
	snprintf(json, sizeof(json), "{\"office\":\"dien-bien\",\"hash\":\"%s\"}",
		json_z(sc.json, "hash", ""));
	assert_int_equal(scene_act(plan_local_approve, "minh", json), 0);
	struct prepared *p = prepare(3, "vi", 0);
	assert_non_null(strstr(p->preview, "Mọt\nhai\n"));
	prepared_unref(p);
}

static void a_local_text_has_its_own_approval_and_reaches_its_office_and_below(void **state)
{
	UNUSED(state);
	char json[300];
	scene_go("  press: {to: press, channels: [email], at: 2026-11-23 10:00}\n");
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
	assert_int_equal(scene_open_lots("press"), 4); /* the core is untouched: nothing is held */
	scene_sql("UPDATE local_text SET text='Forged.'");
	(void)prepare(3, "vi", -EBADMSG);
}

/* A text for a channel has a place for it, too; it is no Markdown, so that signs of Markdown would be read by everybody. */
static void a_local_text_reaches_a_channel_s_own_text_as_plain_words(void **state)
{
	UNUSED(state);
	char json[300];
	assert_int_equal(
		scene_submit("lan",
			"---\ncode: TTBC-1\ntitle: T\ntext: {email: {text: \"Call {{office.hotline}}. {{local}}\"}}\n"
			"parts:\n  press: {to: press, channels: [email], at: 2026-11-23 10:00}\n---\nA\n"),
		0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_int_equal(
		scene_act(plan_local_set, "lan",
			"{\"office\":\"dien-bien\",\"text\":\"Also **here**: [map](https://portal.example/m).\"}"),
		0);
	snprintf(json, sizeof(json), "{\"office\":\"dien-bien\",\"hash\":\"%s\"}",
		json_z(sc.json, "hash", ""));
	assert_int_equal(scene_act(plan_local_approve, "minh", json), 0);
	struct prepared *p = prepare(3, "vi", 0);
	assert_non_null(strstr(p->preview, "Also here: map (https://portal.example/m)."));
	assert_null(strstr(p->preview, "**"));
	prepared_unref(p);
	p = prepare(1, "vi", 0);
	assert_null(strstr(p->preview, "Also"));
	prepared_unref(p);
}

/* It comes from a terminal, not out of a bundle: a Mac writes NFD, Windows CRLF, and what is pasted may hold anything. */
static void a_local_text_is_stored_as_a_file_of_a_bundle_is(void **state)
{
	UNUSED(state);
	scene_go("  press: {to: press, channels: [email], at: 2026-11-23 10:00}\n");
	assert_int_equal(
		scene_act(plan_local_set, "lan",
			"{\"office\":\"dien-bien\",\"text\":\"Hue\\u0302\\u0301.\\r\\nDo\\u0300ng hai.\"}"),
		0);
	char *text = teststore_text(&sc.ts, "SELECT text FROM local_text");
	assert_string_equal(text, "Huế.\nDòng hai.");
	free(text);
	assert_int_equal(scene_act(plan_local_set, "lan",
				 "{\"office\":\"dien-bien\",\"text\":\"x \\u001b[8my\"}"),
		-EBADMSG);
	assert_int_equal(scene_act(plan_local_set, "lan",
				 "{\"office\":\"dien-bien\",\"text\":\"x &#27;[8my\"}"),
		-EBADMSG);
	assert_int_equal(scene_i64("SELECT count(*) FROM local_text"), 1);
}

static void a_correction_goes_to_exactly_those_reached_or_unknown(void **state)
{
	UNUSED(state);
	scene_go("  press: {to: press, channels: [email], at: now}\n");
	scene_sql("UPDATE delivery SET state=2, tries=1 WHERE contact_id IN (10, 11)");
	scene_sql("UPDATE delivery SET state=8, tries=1 WHERE contact_id=12");
	scene_sql("UPDATE delivery SET state=4, tries=1 WHERE contact_id=13");
	struct actor a = scene_who("lan");
	struct staged s = scene_staged(
		FRONT("TTBC-1", "  fix: {to: all, channels: [email], at: now}\n") "Corrected.\n");
	cJSON *params CLEANUP_JSON = json_obj();
	json_put_z(params, "release", sc.release);
	json_put_z(params, "why", "a wrong number");
	int before = sc.answers;
	plan_correct(sc.p, params, &s, &a, scene_done, NULL);
	assert_int_equal(scene_wait(before), 0);
	scene_remember();
	assert_string_equal(sc.release, "TTBC-1-DC1@2026");
	assert_true(scene_why_has(
		"SELECT why FROM audit WHERE what='release.correct'", "a wrong number"));
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
	scene_go("  press: {to: press, channels: [email], at: 2026-11-23 10:00}\n");
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
		T(what_dispatch_gets_is_what_was_approved),
		T(what_was_made_for_the_approval_is_not_made_again_while_nothing_changes),
		T(the_next_day_all_is_made_again),
		T(dispatch_is_handed_what_was_approved_before_the_lots_open),
		T(what_differs_from_the_approved_is_not_handed_over),
		T(what_was_compared_under_settings_since_replaced_is_not_handed_over),
		T(what_is_compared_is_not_handed_over_where_local_paragraphs_are_put_in),
		T(what_is_remembered_is_not_given_for_another_digest),
		T(what_was_made_for_an_older_release_goes_first),
		T(what_is_remembered_has_a_bound),
		T(what_is_too_large_to_be_remembered_drives_out_nothing),
		T(a_local_text_is_cleaned_as_one_of_the_bundle_is),
		T(a_local_text_has_its_own_approval_and_reaches_its_office_and_below),
		T(a_local_text_reaches_a_channel_s_own_text_as_plain_words),
		T(a_local_text_is_stored_as_a_file_of_a_bundle_is),
		T(a_correction_goes_to_exactly_those_reached_or_unknown),
		T(a_cancelled_release_is_not_planned_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
