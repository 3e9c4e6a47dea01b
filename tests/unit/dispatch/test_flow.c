/* test_flow.c - the way of a delivery: lease, intent, start, outcome; every row of the table of moves that dispatch makes. */
#include "scene.h"

static struct fake_answer answer;
static struct fake_answer script_same(const struct chan_op *op)
{
	UNUSED(op);
	return answer;
}

static int setup(void **state)
{
	UNUSED(state);
	scene_open(1);
	fake.script = script_same;
	answer = (struct fake_answer){ .outcome = LT_ACCEPTED };
	return 0;
}
static int teardown(void **state)
{
	UNUSED(state);
	scene_close();
	return 0;
}

static void an_open_lot_goes_out_once_to_everyone(void **state)
{
	UNUSED(state);
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 100);
	scene_start();
	scene_run(5000);
	assert_int_equal(fake.n_published, 100);
	assert_int_equal(fake.n_doubles, 0);
	assert_int_equal(scene_state(DLV_ACCEPTED), 100);
	assert_int_equal(scene_i64("SELECT count(*) FROM attempt WHERE outcome=1"), 100);
	assert_true(sc.n_progress > 0);
	assert_int_equal(sc.n_prepared, 1);
	assert_int_equal(dispatch_intents_open(sc.d), 0);
	scene_check();
}

/* What plan hands over when a part starts: of the only lot. */
static void hand_over(void)
{
	struct prepared *p = NULL;
	struct err e = { 0 };
	struct prep_key key = { .part = (uint32_t)scene_i64("SELECT part FROM lot"),
		.channel_id = 1,
		.office_id = scene_i64("SELECT office_id FROM lot"),
		.form = "mailbox",
		.lang = "vi" };

	memset(key.manifest.b, '0', HASH_LEN); /* scene_release(1): digits */
	key.manifest.b[HASH_LEN - 1] = '1';
	assert_int_equal(
		scene_i64(
			"SELECT count(*) FROM lot WHERE manifest=cast('00000000000000000000000000000001' AS BLOB)"),
		1);
	assert_int_equal(scene_prepare(NULL, NULL, &key, &p, &e), 0);
	dispatch_prepared(sc.d, &key, p);
	prepared_unref(p);
	sc.n_prepared = 0;
}

static void what_plan_compared_is_not_asked_for_again(void **state)
{
	UNUSED(state);
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 100);
	hand_over();
	scene_start();
	scene_run(5000);
	assert_int_equal(scene_state(DLV_ACCEPTED), 100);
	assert_int_equal(sc.n_prepared, 0);
	scene_check();
}

static void after_a_reload_what_plan_compared_before_it_is_asked_for_again(void **state)
{
	UNUSED(state);
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 100);
	hand_over();
	scene_reload();
	scene_start();
	scene_run(5000);
	assert_int_equal(scene_state(DLV_ACCEPTED), 100);
	assert_int_equal(sc.n_prepared, 1);
	scene_check();
}

static void a_lane_that_an_import_made_later_is_learnt(void **state)
{
	UNUSED(state);
	scene_start();
	scene_exec("INSERT INTO lane(id, account_id, class, gate, tokens, tokens_at) VALUES "
		   "(50, 1, 'other', 0, 0, 0)");
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 50, 1, 10);
	scene_run(5000);
	assert_int_equal(scene_state(DLV_ACCEPTED), 10);
}

static void a_configuration_that_is_refused_leaves_the_old_one_in_force(void **state)
{
	UNUSED(state);
	const size_t many = 70000; /* classes: more lanes than there may be */
	struct conf *bad = x_calloc(1, sizeof(*bad));
	struct conf_channel *wide = x_calloc(1, sizeof(*wide)), *list[] = { wide };
	struct err e = { 0 };

	*bad = sc.conf;
	*wide = sc.ch[0];
	wide->classes = x_calloc(many, sizeof(*wide->classes));
	wide->n_classes = many;
	for (size_t i = 0; i < many; i++)
		wide->classes[i].name = sc.class[0].name;
	bad->channels = list;
	bad->n_channels = 1;
	scene_start();
	assert_int_equal(dispatch_reload(sc.d, bad, (struct channels *)&fake, &e), -E2BIG);
	assert_non_null(strstr(e.text, "at most 65536"));
	free(wide->classes);
	free(wide);
	free(bad);
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 3, 1, 10); /* of a channel that the refused one did not have */
	scene_run(5000);
	assert_int_equal(scene_state(DLV_ACCEPTED), 10);
}

static void a_refusal_of_the_target_fails_it_alone(void **state)
{
	UNUSED(state);
	answer = (struct fake_answer){
		.outcome = LT_REFUSED, .flags = LT_R_SUPPRESS, .code = "550 5.1.1"
	};
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 3);
	scene_start();
	scene_run(5000);
	assert_int_equal(scene_state(DLV_FAILED), 3);
	assert_int_equal(scene_i64("SELECT count(*) FROM suppression WHERE reason=1"), 3);
	scene_check();
	/* The next release does not try them. */
	answer = (struct fake_answer){ .outcome = LT_ACCEPTED };
	scene_release(2, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	int64_t lot = scene_lot(2, 0, 1, 1, 2);
	scene_exec("UPDATE delivery SET contact_id=1, target_id=1 WHERE lot_id=%lld AND id=(SELECT "
		   "min(id) FROM delivery WHERE lot_id=%lld)",
		(long long)lot, (long long)lot);
	scene_run(30000);
	assert_int_equal(scene_state(DLV_SUPPRESSED), 1);
	assert_int_equal(scene_state(DLV_ACCEPTED), 1);
}

static void what_is_put_off_is_tried_again_and_ends_at_tries_max(void **state)
{
	UNUSED(state);
	answer = (struct fake_answer){ .outcome = LT_DEFERRED, .code = "451" };
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 2);
	scene_start();
	scene_run(1000);
	assert_int_equal(scene_state(DLV_WAITING), 2);
	assert_int_equal(scene_i64("SELECT max(tries) FROM delivery"), 1);
	scene_run(2 * HR_MS);
	assert_int_equal(scene_state(DLV_FAILED), 2);
	assert_int_equal(scene_i64("SELECT count(*) FROM attempt"), 2 * 5);
	assert_int_equal(scene_i64("SELECT count(*) FROM step WHERE name='!why'"), 2);
}

static void throttling_spends_no_try_and_pauses_the_lane(void **state)
{
	UNUSED(state);
	answer = (struct fake_answer){ .outcome = LT_DEFERRED,
		.scope = LT_SCOPE_LANE,
		.flags = LT_R_FREE,
		.retry_after_ms = 30000 };
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 50);
	scene_start();
	scene_run(20000);
	assert_int_equal(scene_i64("SELECT max(tries) FROM delivery"), 0);
	uint64_t before = fake.n_started;
	assert_true(before <= 8); /* what was under way when the first answer came */
	scene_run(9000);
	assert_int_equal(fake.n_started, before);
	assert_true(scene_i64("SELECT until FROM lane WHERE id=1") > 0 || before == fake.n_started);
	answer = (struct fake_answer){ .outcome = LT_ACCEPTED };
	scene_run(10 * MIN_MS);
	assert_int_equal(scene_state(DLV_ACCEPTED), 50);
}

static void a_refused_release_holds_its_lots_before_the_list_is_burnt(void **state)
{
	UNUSED(state);
	answer = (struct fake_answer){
		.outcome = LT_REFUSED, .scope = LT_SCOPE_RELEASE, .code = "554 5.7.1"
	};
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 1000);
	scene_lot(1, 0, 1, 2, 1000);
	scene_start();
	scene_run(60000);
	assert_true(fake.n_started <= 8);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM lot WHERE gate=2 AND why LIKE 'refused%%'"), 2);
	assert_int_equal(scene_state(DLV_HELD) + scene_state(DLV_WAITING), 2000);
	assert_int_equal(scene_state(DLV_HELD), (int64_t)fake.n_started);
	assert_int_equal(scene_state(DLV_SENDING), 0);
	assert_int_equal(scene_i64("SELECT count(*) FROM audit WHERE what='lot.hold'"), 1);
	/* Another release goes on. */
	answer = (struct fake_answer){ .outcome = LT_ACCEPTED };
	scene_release(2, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(2, 0, 1, 1, 10);
	scene_run(20000);
	assert_int_equal(scene_state(DLV_ACCEPTED), 10);
}

/* Byte 100 of what is told lies within a letter; and a provider that takes another code for UTF-8. */
static void the_words_of_a_refusal_cannot_keep_it_from_being_recorded(void **state)
{
	static const char *const texts[] = {
		"N\xe1\xbb\x99i dung th\xc6\xb0 b\xe1\xbb\x8b t\xe1\xbb\xab ch\xe1\xbb\x91i v\xc3\xac vi ph\xe1\xba\xa1m quy \xc4\x91\xe1\xbb\x8bnh "
		"v\xe1\xbb\x81 th\xc6\xb0 r\xc3\xa1\x63 \xe1\xbb\x99\xe1\xbb\x99\xe1\xbb\x99\xe1\xbb\x99\xe1\xbb\x99\xe1\xbb\x99\xe1\xbb\x99\xe1\xbb\x99\xe1\xbb\x99",
		"n\xf4i dung b\xb8 t\xf5 ch\xe8i", "\xff"
	};
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		for (size_t cut = 0; cut < 3; cut++) {
			char text[300];
			snprintf(text, sizeof(text), "%.*s%s", (int)cut, "xx", texts[i]);
			answer = (struct fake_answer){ .outcome = LT_REFUSED,
				.scope = LT_SCOPE_RELEASE,
				.code = "554 5.7.1",
				.text = text };
			int64_t id = 1 + (int64_t)(3 * i + cut);
			scene_release(id, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
			scene_lot(id, 0, 1, 1, 10);
			if (id == 1)
				scene_start();
			dispatch_scan(sc.d);
			scene_run(20000);
			assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=2"), id);
			assert_int_equal(
				scene_i64("SELECT count(*) FROM audit WHERE what='lot.hold'"), id);
		}
	scene_check();
}

static void a_refused_login_burns_nothing_and_opens_the_breaker(void **state)
{
	UNUSED(state);
	answer = (struct fake_answer){
		.outcome = LT_REFUSED, .scope = LT_SCOPE_ACCOUNT, .code = "535 5.7.8"
	};
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 500);
	scene_lot(1, 1, 3, 1, 5);
	scene_start();
	scene_run(5000);
	assert_int_equal(scene_state(DLV_FAILED), 0);
	assert_true(fake.n_started <= 10);
	scene_run(10 * MIN_MS);
	assert_true(fake.n_started < 40); /* one probe after each pause, pauses double */
	answer = (struct fake_answer){ .outcome = LT_ACCEPTED };
	scene_run(60 * MIN_MS);
	assert_int_equal(scene_state(DLV_ACCEPTED), 505);
}

static void a_probe_without_a_verdict_does_not_close_the_lane_for_ever(void **state)
{
	UNUSED(state);
	answer = (struct fake_answer){ .outcome = LT_REFUSED, .scope = LT_SCOPE_ACCOUNT };
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 20);
	scene_start();
	scene_run(5000);
	answer = (struct fake_answer){ .outcome = LT_UNKNOWN }; /* says nothing about the lane */
	scene_run(2 * MIN_MS);
	answer = (struct fake_answer){ .outcome = LT_ACCEPTED };
	scene_run(30 * MIN_MS);
	assert_int_equal(scene_state(DLV_WAITING), 0);
	assert_int_equal(scene_state(DLV_ACCEPTED) + scene_state(DLV_UNKNOWN), 20);
}

static void a_person_is_asked_where_the_provider_wants_one(void **state)
{
	UNUSED(state);
	answer = (struct fake_answer){ .outcome = LT_DEFERRED, .flags = LT_R_PERSON };
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 2);
	scene_start();
	scene_run(2000);
	assert_int_equal(scene_state(DLV_HELD), 2);
	answer = (struct fake_answer){ .outcome = LT_DEFERRED,
		.scope = LT_SCOPE_LANE,
		.flags = LT_R_PERSON,
		.code = "token gone" };
	scene_release(2, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(2, 0, 1, 1, 300);
	scene_run(30000);
	assert_int_equal(scene_i64("SELECT gate FROM lane WHERE id=1"), 1);
	uint64_t was = fake.n_started;
	answer = (struct fake_answer){ .outcome = LT_ACCEPTED };
	scene_run(HR_MS);
	assert_int_equal(fake.n_started, was);
}

static void a_duplicate_is_accepted_after_an_unknown_and_held_otherwise(void **state)
{
	UNUSED(state);
	answer = (struct fake_answer){ .outcome = LT_REFUSED, .flags = LT_R_DUPLICATE };
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 2);
	scene_exec("UPDATE delivery SET tries=1 WHERE id=1");
	scene_exec("INSERT INTO attempt(delivery_id, try, started, took_ms, outcome, scope) VALUES "
		   "(1,1,%lld,0,0,0)",
		(long long)env_wall(&sc.te.env));
	scene_start();
	scene_run(2000);
	assert_int_equal(scene_i64("SELECT state FROM delivery WHERE id=1"), DLV_ACCEPTED);
	assert_int_equal(scene_i64("SELECT state FROM delivery WHERE id=2"), DLV_HELD);
}

static void what_cannot_be_composed_is_held_alone(void **state)
{
	UNUSED(state);
	fake.compose_fails = "a2@x.example";
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 3);
	scene_start();
	scene_run(2000);
	assert_int_equal(scene_state(DLV_ACCEPTED), 2);
	assert_int_equal(scene_i64("SELECT state FROM delivery WHERE id=2"), DLV_HELD);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM step WHERE delivery_id=2 AND name='!why' AND "
			  "value LIKE 'compose:%%'"),
		1);
}

static void a_skeleton_that_differs_from_the_approved_one_holds_the_lot(void **state)
{
	UNUSED(state);
	sc.prepare_rc = -ESTALE;
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 3);
	scene_start();
	scene_run(30000);
	assert_int_equal(fake.n_started, 0);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM lot WHERE gate=2 AND why LIKE 'prepared: the "
			  "hotline%%'"),
		1);
	assert_int_equal(scene_state(DLV_WAITING), 3);
}

static void nothing_unapproved_leaves(void **state)
{
	UNUSED(state);
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 3);
	scene_exec("UPDATE approval SET voided=1");
	scene_start();
	scene_run(60000);
	assert_int_equal(fake.n_started, 0);
	scene_exec("UPDATE approval SET voided=NULL");
	scene_exec("UPDATE release SET rev_approved=2"); /* another revision is the approved one */
	dispatch_scan(sc.d);
	scene_run(60000);
	assert_int_equal(fake.n_started, 0);
}

static void an_approval_voided_behind_our_back_is_seen_by_the_writer(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.rate_per_s = 10;
	sc.ch[0].lane.burst = 1;
	scene_reload();
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 100);
	scene_start();
	scene_run(1000);
	uint64_t was = fake.n_started;
	assert_true(was >= 9 && was <= 12);
	scene_exec("UPDATE approval SET voided=1"); /* no scan was asked for */
	scene_run(5000);
	assert_int_equal(fake.n_started, was);
	scene_check();
}

static void trial_mode_suppresses_everyone_else(void **state)
{
	UNUSED(state);
	char *allow[] = { (char[]){ "a1@x.example" } };
	sc.conf.trial = true;
	sc.conf.allow_only = (struct conf_strv){ allow, 1 };
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 3);
	scene_start();
	scene_run(2000);
	assert_int_equal(scene_state(DLV_ACCEPTED), 1);
	assert_int_equal(scene_state(DLV_SUPPRESSED), 2);
	assert_int_equal(scene_i64("SELECT count(*) FROM attempt"), 1);
}

static void on_gap_lane(void *ctx, const struct dispatch_lane_facts *f)
{
	if (f->why[0])
		(void)str_copy(ctx, 120, str_of(f->why));
}

static void min_gap_keeps_two_deliveries_to_one_contact_apart(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.min_gap_ms = 10 * MIN_MS;
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_release(2, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 1);
	scene_lot(2, 0, 1, 1, 1);
	scene_exec("UPDATE delivery SET contact_id=1, target_id=1");
	scene_start();
	scene_run(9 * MIN_MS);
	assert_int_equal(fake.n_published, 1);
	char why[120] = "";
	dispatch_lanes(sc.d, on_gap_lane, why);
	assert_non_null(strstr(why, "min_gap:"));
	scene_run(2 * MIN_MS);
	assert_int_equal(fake.n_published, 2);
	why[0] = 0;
	dispatch_lanes(sc.d, on_gap_lane, why);
	assert_null(strstr(why, "min_gap:"));
	assert_true(fake.at[1] - fake.at[0] >= 10 * MIN_MS);
}

static void a_lot_expires_and_its_rows_are_swept(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.rate_per_s = 1;
	sc.ch[0].lane.burst = 1;
	scene_reload();
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	int64_t lot = scene_lot(1, 0, 1, 1, 2000);
	scene_exec("UPDATE lot SET expires=%lld WHERE id=%lld",
		(long long)(env_wall(&sc.te.env) + 10000), (long long)lot);
	scene_start();
	scene_run(30000);
	assert_true(fake.n_published >= 9 && fake.n_published <= 12);
	assert_int_equal(scene_state(DLV_EXPIRED), 2000 - (int64_t)fake.n_published);
	assert_int_equal(scene_state(DLV_WAITING), 0);
	scene_check();
}

static void an_adapter_with_steps_gets_each_intent_before_it_publishes(void **state)
{
	UNUSED(state);
	fake.ch[0].caps = LT_CAP_RECONCILE;
	dispatch_free(sc.d);
	scene_dispatch();
	scene_settle();
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 20);
	scene_start();
	scene_run(5000);
	assert_int_equal(fake.n_published, 20);
	assert_int_equal(scene_state(DLV_ACCEPTED), 20);
	assert_int_equal(scene_i64("SELECT count(*) FROM intent"), 0);
}

static void ops_of_one_batch_key_start_together(void **state)
{
	UNUSED(state);
	fake.ch[0].caps |= LT_CAP_BATCH;
	dispatch_free(sc.d);
	scene_dispatch();
	scene_settle();
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 400);
	scene_start();
	scene_run(10000);
	assert_int_equal(fake.n_published, 400);
	assert_true(fake.n_batches < 300);
	assert_true(fake.n_batched > 100);
}

static void on_down_lane(void *ctx, const struct dispatch_lane_facts *f)
{
	if (f->lane_id == 3)
		(void)snprintf(ctx, sizeof(f->why), "%s", f->why);
}

static void a_slow_provider_does_not_keep_the_other_lane(void **state)
{
	UNUSED(state);
	fake.ch[1].account[0].down = true;
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 3, 1, 200);
	scene_lot(1, 1, 1, 1, 200);
	scene_start();
	scene_run(10000);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM delivery d JOIN lot l ON l.id=d.lot_id WHERE "
			  "l.lane_id=1 AND d.state=2"),
		200);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM delivery d JOIN lot l ON l.id=d.lot_id WHERE "
			  "l.lane_id=3 AND d.state=0"),
		200);
	char why[sizeof(((struct dispatch_lane_facts *)0)->why)] = "";
	dispatch_lanes(sc.d, on_down_lane, why);
	assert_non_null(strstr(why, ": ECONNREFUSED connection refused"));
	fake.ch[1].account[0].down = false;
	scene_run(40 * MIN_MS);
	assert_int_equal(scene_state(DLV_ACCEPTED), 400);
}

static void a_store_without_room_stops_intents_and_keeps_outcomes(void **state)
{
	UNUSED(state);
	answer.after_ms = 500;
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 3000);
	scene_start();
	scene_run(1200);
	sc.ts.free_bytes = 1000;
	scene_run(20000);
	int64_t sent = scene_state(DLV_ACCEPTED);
	assert_int_equal((int64_t)fake.n_published, sent); /* every answer was recorded */
	assert_int_equal(scene_state(DLV_SENDING), 0);
	assert_true(sent < 3000);
	sc.ts.free_bytes = INT64_C(100) << 30;
	scene_run(10 * MIN_MS);
	assert_int_equal(scene_state(DLV_ACCEPTED), 3000);
	assert_int_equal(fake.n_doubles, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(an_open_lot_goes_out_once_to_everyone),
		T(what_plan_compared_is_not_asked_for_again),
		T(after_a_reload_what_plan_compared_before_it_is_asked_for_again),
		T(a_lane_that_an_import_made_later_is_learnt),
		T(a_configuration_that_is_refused_leaves_the_old_one_in_force),
		T(a_refusal_of_the_target_fails_it_alone),
		T(what_is_put_off_is_tried_again_and_ends_at_tries_max),
		T(throttling_spends_no_try_and_pauses_the_lane),
		T(a_refused_release_holds_its_lots_before_the_list_is_burnt),
		T(the_words_of_a_refusal_cannot_keep_it_from_being_recorded),
		T(a_refused_login_burns_nothing_and_opens_the_breaker),
		T(a_probe_without_a_verdict_does_not_close_the_lane_for_ever),
		T(a_person_is_asked_where_the_provider_wants_one),
		T(a_duplicate_is_accepted_after_an_unknown_and_held_otherwise),
		T(what_cannot_be_composed_is_held_alone),
		T(a_skeleton_that_differs_from_the_approved_one_holds_the_lot),
		T(nothing_unapproved_leaves),
		T(an_approval_voided_behind_our_back_is_seen_by_the_writer),
		T(trial_mode_suppresses_everyone_else),
		T(min_gap_keeps_two_deliveries_to_one_contact_apart),
		T(a_lot_expires_and_its_rows_are_swept),
		T(an_adapter_with_steps_gets_each_intent_before_it_publishes),
		T(ops_of_one_batch_key_start_together),
		T(a_slow_provider_does_not_keep_the_other_lane),
		T(a_store_without_room_stops_intents_and_keeps_outcomes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
