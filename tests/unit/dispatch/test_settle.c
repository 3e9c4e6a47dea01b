/* test_settle.c - unknowns, receipts, strikes, opt-outs and what a person decides. */
#include "dispatch/dispatch_internal.h"
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
	scene_open(9);
	fake.script = script_same;
	answer = (struct fake_answer){ .never = true };
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	return 0;
}
static int teardown(void **state)
{
	UNUSED(state);
	scene_close();
	return 0;
}

static size_t changed, refused;
static char said[400];
static void on_act(void *ctx, int rc, const struct err *e, size_t c, size_t r)
{
	UNUSED(ctx);
	assert_int_equal(rc, 0);
	changed = c;
	refused = r;
	(void)str_copy(said, sizeof(said), str_of(e->text));
}
static void act(enum act_verb verb, int64_t id)
{
	struct act_request r = { .verb = verb,
		.deliveries = &id,
		.n = 1,
		.link = verb == ACT_RESOLVE_SENT ? "https://page.example/1" : NULL,
		.person = "an",
		.via = "uid:1",
		.why = "seen on the page",
		.done = on_act };

	changed = refused = 0;
	dispatch_act(sc.d, &r);
	scene_settle();
}

static void a_lost_answer_is_unknown_and_settled_by_the_provider(void **state)
{
	UNUSED(state);
	scene_lot(1, 0, 1, 1, 3);
	scene_start();
	scene_run(40000);
	assert_int_equal(scene_state(DLV_UNKNOWN), 3);
	assert_int_equal(fake.n_published, 3);
	fake.outcome_of_question = LT_ACCEPTED;
	scene_run(5 * MIN_MS);
	assert_int_equal(scene_state(DLV_ACCEPTED), 3);
	assert_true(fake.n_questions >= 3);
	assert_int_equal(fake.n_published, 3);
	assert_int_equal(scene_i64("SELECT count(*) FROM audit WHERE what='delivery.settle' AND "
				   "via='provider'"),
		3);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM attempt WHERE outcome=0"), 3); /* unchanged */
	assert_int_equal(scene_i64("SELECT count(*) FROM step WHERE value LIKE 'assumed%%'"), 0);
}

/* The id that only the question brought stands where a recall looks for it, and a later report finds its delivery by it. */
static void the_id_that_a_question_found_is_kept(void **state)
{
	UNUSED(state);
	scene_lot(1, 0, 1, 1, 1);
	scene_start();
	scene_run(40000);
	assert_int_equal(scene_state(DLV_UNKNOWN), 1);
	fake.outcome_of_question = LT_ACCEPTED;
	fake.id_of_question = "post-77";
	scene_run(5 * MIN_MS);
	assert_int_equal(scene_state(DLV_ACCEPTED), 1);
	assert_int_equal(scene_i64("SELECT count(*) FROM effect WHERE delivery_id=1 AND effect=0 "
				   "AND state=%d AND provider_id='post-77'",
				 (int)LT_ACCEPTED),
		1);
}

/* Contract sms.md 1.9: an emergency without an answer stands with a person after half a minute, all others after their own time. */
static void an_emergency_is_in_doubt_sooner_than_a_notice(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.unknown_max_urgent_ms = 30000;
	sc.ch[0].lane.unknown_max_ms = 20 * MIN_MS;
	scene_reload();
	scene_release(2, PRIO_NORMAL, CAT_EMERGENCY);
	scene_lot(1, 0, 1, 1, 2);
	scene_lot(2, 0, 1, 1, 2);
	scene_start();
	scene_run(35000);
	assert_int_equal(scene_state(DLV_UNKNOWN), 4); /* each from the loss of its answer on */
	scene_run(45000);
	assert_int_equal(scene_state(DLV_DOUBT), 2);
	assert_int_equal(scene_state(DLV_UNKNOWN), 2);
	scene_run(25 * MIN_MS);
	assert_int_equal(scene_state(DLV_DOUBT), 4);
	assert_int_equal(fake.n_published, 4); /* nothing was sent again */
}

/* Asking while calls are limited counts against the limit, and may prolong it. */
static void limited(size_t account, uint32_t scope, int64_t ms, bool asks)
{
	struct lt_rate r = { .struct_size = sizeof(r), .scope = scope, .retry_after_ms = ms };
	uint64_t before = fake.n_questions;

	fake.ev.rate(fake.ev.ctx, &fake.ch[0].account[account], NULL, &r);
	scene_run(ms - MIN_MS);
	assert_int_equal(fake.n_questions > before, asks);
}

static void while_calls_are_limited_nothing_is_asked(void **state)
{
	UNUSED(state);
	sc.ch[0].n_accounts = 2;
	scene_reload();
	int64_t two = scene_i64("SELECT coalesce(max(l.id), 0) FROM lane l JOIN account a ON "
				"l.account_id=a.id WHERE a.name='two' AND l.class=''");
	assert_true(two > 0);
	scene_lot(1, 0, 1, 1, 2);
	scene_lot(1, 1, two, 1, 1);
	scene_start();
	scene_run(32000);
	assert_int_equal(scene_state(DLV_UNKNOWN), 3);
	limited(1, LT_SCOPE_CHANNEL, 40 * MIN_MS, false); /* the app's: nobody is asked */
	scene_run(10 * MIN_MS);
	assert_true(fake.n_questions >= 3);               /* when it is over, all are */
	limited(1, LT_SCOPE_ACCOUNT, 120 * MIN_MS, true); /* another account's: the others are */
	fake.outcome_of_question = LT_ACCEPTED;
	scene_run(240 * MIN_MS);
	assert_int_equal(scene_state(DLV_UNKNOWN), 0);
}

static void proven_absence_lets_it_go_again(void **state)
{
	UNUSED(state);
	answer = (struct fake_answer){ .never = true, .unpublished = true };
	scene_lot(1, 0, 1, 1, 2);
	scene_start();
	scene_run(40000);
	assert_int_equal(scene_state(DLV_UNKNOWN), 2);
	answer = (struct fake_answer){ .outcome = LT_ACCEPTED };
	fake.outcome_of_question = LT_DEFERRED;
	scene_run(10 * MIN_MS);
	assert_int_equal(scene_state(DLV_ACCEPTED), 2);
	assert_int_equal(fake.n_published, 2);
}

static void nobody_could_say_and_it_becomes_doubt(void **state)
{
	UNUSED(state);
	scene_lot(1, 0, 1, 1, 2);
	scene_start();
	scene_run(23 * HR_MS);
	assert_int_equal(scene_state(DLV_UNKNOWN), 2);
	assert_true(fake.n_questions < 80); /* the pause doubles */
	scene_run(3 * HR_MS);
	assert_int_equal(scene_state(DLV_DOUBT), 2);
	assert_int_equal(fake.n_published, 2);
	act(ACT_RETRY, 1);
	assert_int_equal(refused, 1);
	assert_string_equal(said, "1 is doubt");
	act(ACT_RESOLVE_SENT, 1);
	act(ACT_RESOLVE_DROP, 2);
	assert_int_equal(scene_state(DLV_ACCEPTED), 1);
	assert_int_equal(scene_state(DLV_CANCELLED), 1);
	scene_check();
}

static void the_policy_may_assume(void **state)
{
	UNUSED(state);
	fake.ch[0].caps = LT_CAP_INTENT_AT_START; /* nobody to ask */
	dispatch_free(sc.d);
	sc.ch[0].lane.unknown_max_ms = HR_MS;
	sc.ch[0].lane.unknown_then = UNKNOWN_THEN_ASSUME_ACCEPTED;
	scene_dispatch();
	scene_settle();
	scene_lot(1, 0, 1, 1, 2);
	scene_start();
	scene_run(30 * MIN_MS);
	assert_int_equal(scene_state(DLV_UNKNOWN), 2);
	scene_run(HR_MS);
	assert_int_equal(scene_state(DLV_ACCEPTED), 2);
	assert_int_equal(fake.n_questions, 0);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM audit WHERE what='delivery.settle' AND via LIKE "
			  "'policy:%%'"),
		2);
	assert_int_equal(scene_i64("SELECT count(*) FROM step WHERE value LIKE 'assumed:%%'"), 2);
}

static void a_person_says_absent_and_it_is_sent_again(void **state)
{
	UNUSED(state);
	answer = (struct fake_answer){ .never = true, .unpublished = true };
	scene_lot(1, 0, 1, 1, 1);
	scene_start();
	scene_run(40000);
	answer = (struct fake_answer){ .outcome = LT_ACCEPTED };
	act(ACT_RESOLVE_ABSENT, 1);
	assert_int_equal(changed, 1);
	scene_run(5000);
	assert_int_equal(scene_state(DLV_ACCEPTED), 1);
	assert_int_equal(scene_i64("SELECT count(*) FROM attempt WHERE delivery_id=1"), 2);
	assert_int_equal(scene_i64("SELECT count(*) FROM audit WHERE what='delivery.resolve' AND "
				   "person='an' AND was='unknown' AND now='waiting'"),
		1);
}

/* One delivery, unknown, and the question about it is open for another 100 s. */
static void asked_slowly(int outcome)
{
	scene_lot(1, 0, 1, 1, 1);
	fake.question_ms = 100000;
	fake.outcome_of_question = outcome;
	scene_start();
	scene_run(2 * MIN_MS);
	assert_int_equal(fake.n_questions, 1);
	assert_int_equal(scene_state(DLV_UNKNOWN), 1);
	assert_int_equal(fake.n_published, 1);
	act(ACT_RESOLVE_ABSENT, 1);
	assert_int_equal(changed, 1);
	scene_run(5000);
	assert_int_equal(fake.n_questions, 1);
	assert_int_equal(fake.n_published, 1); /* not beside its question */
	assert_int_equal(scene_state(DLV_WAITING), 1);
}

static void an_open_question_keeps_the_next_try_back(void **state)
{
	UNUSED(state);
	asked_slowly(LT_DEFERRED);
	scene_run(100000);
	assert_int_equal(fake.n_published, 2);
	assert_int_equal(scene_i64("SELECT tries FROM delivery"), 2);
	assert_int_equal(scene_i64("SELECT count(*) FROM audit WHERE what='delivery.settle'"), 0);
}

static void what_a_late_answer_found_is_not_sent_again(void **state)
{
	UNUSED(state);
	fake.id_of_question = "post-77";
	asked_slowly(LT_ACCEPTED);
	scene_run(HR_MS);
	assert_int_equal(fake.n_published, 1);
	assert_int_equal(scene_state(DLV_HELD), 1);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM step WHERE name='!why' AND value LIKE 'found:%%'"),
		1);
	assert_int_equal(scene_i64("SELECT count(*) FROM audit WHERE what='delivery.settle' AND "
				   "was='waiting' AND now='held'"),
		1);
	scene_check();
	act(ACT_RESOLVE_SENT, 1);
	assert_int_equal(scene_state(DLV_ACCEPTED), 1);
	scene_check();
}

/* A lot with nothing left to do is never marked as expired. */
static void what_failed_is_not_tried_again_once_its_lot_has_expired(void **state)
{
	UNUSED(state);
	answer = (struct fake_answer){ .outcome = LT_REFUSED };
	scene_lot(1, 0, 1, 1, 1);
	scene_start();
	scene_run(2000);
	assert_int_equal(scene_state(DLV_FAILED), 1);
	scene_exec("UPDATE lot SET expires=%lld", (long long)env_wall(&sc.te.env) + 1000);
	scene_run(2000);
	act(ACT_RETRY, 1);
	assert_int_equal(refused, 1);
	assert_string_equal(said, "1 has expired with its lot");
	scene_run(5000);
	assert_int_equal(scene_state(DLV_FAILED), 1);
	scene_check();
}

/* A crash between the end of a release and that of its lots. */
static void lots_that_outlived_their_release_are_closed_at_the_next_start(void **state)
{
	UNUSED(state);
	scene_lot(1, 0, 1, 1, 3);
	scene_lot(1, 1, 1, 1, 2);
	scene_exec("UPDATE lot SET gate=0 WHERE part=1");
	scene_exec("UPDATE release SET state=5");
	scene_start();
	scene_run(20000);
	assert_int_equal(scene_state(DLV_CANCELLED), 5);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=3 AND why<>''"), 2);
	assert_int_equal(fake.n_published, 0);
	scene_check();
}

static void failed_is_tried_again_and_waiting_is_cancelled(void **state)
{
	UNUSED(state);
	answer = (struct fake_answer){ .outcome = LT_REFUSED };
	scene_lot(1, 0, 1, 1, 1);
	scene_start();
	scene_run(2000);
	assert_int_equal(scene_state(DLV_FAILED), 1);
	answer = (struct fake_answer){ .outcome = LT_DEFERRED };
	act(ACT_RETRY, 1);
	scene_run(2000);
	assert_int_equal(scene_state(DLV_WAITING), 1);
	act(ACT_CANCEL, 1);
	assert_int_equal(scene_state(DLV_CANCELLED), 1);
	act(ACT_RETRY, 1);
	assert_int_equal(refused, 1);
	scene_check();
}

static void receipt(int state, const char *id, int64_t by_ref)
{
	char ref[REF_LEN + 1];
	struct lt_str ids[1] = { { id, id ? strlen(id) : 0 } };
	struct lt_receipt r = { .struct_size = sizeof(r), .state = state, .final = 1 };

	if (by_ref) {
		ref_make(sc.ts.s, by_ref, ref);
		r.ref = (struct lt_str){ ref, REF_LEN };
	} else {
		r.ids = ids;
		r.n_ids = 1;
	}
	fake.ev.receipt(fake.ev.ctx, &fake.ch[0], &fake.ch[0].account[0], &r, 77);
	scene_settle();
}

static void receipts_move_what_they_name(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.receipt_wait_ms = 24 * HR_MS;
	answer = (struct fake_answer){ .outcome = LT_ACCEPTED, .id = "m-" };
	scene_lot(1, 0, 1, 1, 4);
	scene_start();
	scene_run(2000);
	assert_int_equal(scene_i64("SELECT count(*) FROM ref"), 4);
	receipt(LT_RC_DELIVERED, "m-1", 0);
	assert_int_equal(scene_i64("SELECT state FROM delivery WHERE id=1"), DLV_DELIVERED);
	receipt(LT_RC_FAILED, NULL, 2);
	assert_int_equal(scene_i64("SELECT state FROM delivery WHERE id=2"), DLV_FAILED);
	receipt(LT_RC_DELIVERED, NULL, 2); /* late: a correction */
	assert_int_equal(scene_i64("SELECT state FROM delivery WHERE id=2"), DLV_DELIVERED);
	assert_int_equal(scene_i64("SELECT count(*) FROM audit WHERE what='delivery.correct'"), 1);
	receipt(LT_RC_TRANSIT, "m-3", 0);
	assert_int_equal(scene_i64("SELECT state FROM delivery WHERE id=3"), DLV_ACCEPTED);
	assert_int_equal(fake.n_saved, 4);
	assert_int_equal(fake.saved_rc, 0);
	receipt(LT_RC_DELIVERED, "nobody-knows", 0);
	assert_int_equal(scene_i64("SELECT count(*) FROM orphan"), 1);
	assert_true(scene_i64("SELECT max(settle_by) FROM lot") > env_wall(&sc.te.env));
	scene_check();
}

static void a_receipt_before_its_answer_waits_for_it(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.receipt_wait_ms = 24 * HR_MS;
	answer = (struct fake_answer){ .outcome = LT_ACCEPTED, .after_ms = 3000 };
	scene_lot(1, 0, 1, 1, 1);
	scene_start();
	scene_run(1000);
	assert_int_equal(scene_state(DLV_SENDING), 1);
	receipt(LT_RC_DELIVERED, NULL, 1);
	assert_int_equal(scene_i64("SELECT count(*) FROM orphan"), 1);
	scene_run(30000);
	assert_int_equal(scene_state(DLV_DELIVERED), 1);
	assert_int_equal(scene_i64("SELECT count(*) FROM orphan"), 0);
}

/* The way to a provider is open before the channels are read: "ok" would lose it. */
static void a_receipt_before_the_channels_are_known_is_not_taken(void **state)
{
	UNUSED(state);
	answer = (struct fake_answer){ .outcome = LT_ACCEPTED, .after_ms = 3000 };
	scene_lot(1, 0, 1, 1, 1);
	scene_start();
	scene_run(1000);
	assert_int_equal(scene_state(DLV_SENDING), 1);
	struct sq_receipt c = { .delivery = 1,
		.ids = "",
		.state = LT_RC_DELIVERED,
		.give_up_ms = env_wall(&sc.te.env) + HR_MS };
	sq_receipt_init(&c);
	assert_int_equal(teststore_do(&sc.ts, &c.cmd), -EAGAIN);
	assert_int_equal(scene_i64("SELECT count(*) FROM orphan"), 0);
	c.channel_id = 1;
	assert_int_equal(teststore_do(&sc.ts, &c.cmd), 0);
	assert_int_equal(scene_i64("SELECT count(*) FROM orphan"), 1);
}

static void a_forged_ref_moves_nothing(void **state)
{
	UNUSED(state);
	int64_t id = 0;
	char ref[REF_LEN + 1];

	ref_make(sc.ts.s, 42, ref);
	assert_true(ref_read(sc.ts.s, (struct str){ ref, REF_LEN }, &id));
	assert_int_equal(id, 42);
	for (size_t i = 0; i < REF_LEN; i++) { /* a relay may change the case, nobody the letters */
		char was = ref[i];
		ref[i] = was == 'a' ? 'b' : 'a';
		bool read = ref_read(sc.ts.s, (struct str){ ref, REF_LEN }, &id);
		assert_false(read && i < REF_LEN - 1); /* as nobody, and as nobody else */
		assert_int_equal(id, 42);              /* bits that the last letter has to spare */
		ref[i] = (char)(was >= 'a' ? was - 32 : was);
		assert_true(ref_read(sc.ts.s, (struct str){ ref, REF_LEN }, &id));
		ref[i] = was;
	}
	for (size_t n = 0; n < REF_LEN; n++) /* cut on the way */
		assert_false(ref_read(sc.ts.s, (struct str){ ref, n }, &id));
	assert_false(ref_read(sc.ts.s, STR("!!!!!!!!!!!!!!!!!!!!"), &id));
}

static int unsub_rc, unsub_n;
static void on_unsub(void *ctx, int rc)
{
	UNUSED(ctx);
	unsub_rc = rc;
	unsub_n++;
}

static void one_click_takes_the_address_off_before_the_next_copy(void **state)
{
	UNUSED(state);
	char token[UNSUB_MAX + 8];

	answer = (struct fake_answer){ .outcome = LT_ACCEPTED };
	scene_lot(1, 0, 1, 1, 2);
	unsub_make(sc.ts.s, 1, 0, token);
	size_t whole = strlen(token);
	unsub_n = 0;
	dispatch_unsubscribe(sc.d, str_of(token), on_unsub, NULL);
	assert_int_equal(unsub_n, 0); /* not before the commit */
	scene_settle();
	assert_int_equal(unsub_rc, 0);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM suppression WHERE reason=3 AND list=''"), 1);
	assert_int_equal(scene_i64("SELECT count(*) FROM audit WHERE what='suppression.add'"), 1);
	for (int i = 0; i < 3;
		i++) { /* the link is clicked again: nothing that has not been told */
		dispatch_unsubscribe(sc.d, str_of(token), on_unsub, NULL);
		scene_settle();
		assert_int_equal(unsub_rc, 0);
	}
	assert_int_equal(scene_i64("SELECT count(*) FROM audit WHERE what='suppression.add'"), 1);
	scene_exec("UPDATE suppression SET reason=2"); /* a bounce is less than the person's wish */
	dispatch_unsubscribe(sc.d, str_of(token), on_unsub, NULL);
	scene_settle();
	assert_int_equal(scene_i64("SELECT count(*) FROM audit WHERE what='suppression.add'"), 2);
	(void)snprintf(token + strlen(token), 5, "aaaa"); /* one token, one link */
	dispatch_unsubscribe(sc.d, str_of(token), on_unsub, NULL);
	scene_settle();
	assert_int_equal(unsub_rc, -ENOENT);
	scene_start();
	scene_run(3000);
	assert_int_equal(scene_i64("SELECT state FROM delivery WHERE id=1"), DLV_SUPPRESSED);
	assert_int_equal(scene_i64("SELECT state FROM delivery WHERE id=2"), DLV_ACCEPTED);
	token[whole] = '\0';
	for (size_t i = 0; i < whole - 1; i++) { /* nor is one letter another */
		char was = token[i];
		token[i] = was == 'a' ? 'b' : 'a';
		unsub_rc = 0;
		dispatch_unsubscribe(sc.d, str_of(token), on_unsub, NULL);
		scene_settle();
		assert_int_equal(unsub_rc, -ENOENT);
		token[i] = was;
	}
	assert_int_equal(scene_i64("SELECT count(*) FROM suppression"), 1);
}

static void leaving_a_list_leaves_the_other_mail_alone(void **state)
{
	UNUSED(state);
	char token[UNSUB_MAX];

	answer = (struct fake_answer){ .outcome = LT_ACCEPTED };
	scene_lot(1, 0, 1, 1, 3);
	scene_exec("INSERT INTO list(id, name) VALUES (5, 'news')");
	scene_exec("INSERT INTO list_target(list_id, target_id) VALUES (5, 1)");
	unsub_make(sc.ts.s, 1, 5, token);
	dispatch_unsubscribe(sc.d, str_of(token), on_unsub, NULL);
	unsub_make(sc.ts.s, 2, 5, token); /* not on the list by the time it is sent */
	dispatch_unsubscribe(sc.d, str_of(token), on_unsub, NULL);
	scene_settle();
	assert_int_equal(scene_i64("SELECT count(*) FROM suppression WHERE list='news'"), 2);
	scene_start();
	scene_run(3000);
	assert_int_equal(scene_i64("SELECT state FROM delivery WHERE id=1"), DLV_SUPPRESSED);
	assert_int_equal(scene_i64("SELECT state FROM delivery WHERE id=2"), DLV_ACCEPTED);
}

static void soft_bounces_suppress_after_five_and_emergencies_pass(void **state)
{
	UNUSED(state);
	answer = (struct fake_answer){
		.outcome = LT_REFUSED, .flags = LT_R_STRIKE, .code = "552 5.2.2"
	};
	scene_start();
	for (int i = 1; i <= 5; i++) {
		scene_release(10 + i, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
		int64_t lot = scene_lot(10 + i, 0, 1, 1, 1);
		scene_exec("UPDATE delivery SET contact_id=1, target_id=1 WHERE lot_id=%lld",
			(long long)lot);
		scene_run(2000);
		assert_int_equal(scene_i64("SELECT count(*) FROM suppression"), i == 5);
	}
	answer = (struct fake_answer){ .outcome = LT_ACCEPTED };
	scene_release(20, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_release(21, PRIO_URGENT, CAT_EMERGENCY);
	int64_t a = scene_lot(20, 0, 1, 1, 1), b = scene_lot(21, 0, 1, 1, 1);
	scene_exec("UPDATE delivery SET contact_id=1, target_id=1 WHERE lot_id IN (%lld,%lld)",
		(long long)a, (long long)b);
	scene_run(3000);
	assert_int_equal(scene_i64("SELECT state FROM delivery WHERE lot_id=%lld", (long long)a),
		DLV_SUPPRESSED);
	assert_int_equal(scene_i64("SELECT state FROM delivery WHERE lot_id=%lld", (long long)b),
		DLV_ACCEPTED);
}

static void a_step_is_saved_before_the_adapter_is_told(void **state)
{
	UNUSED(state);
	answer = (struct fake_answer){ .outcome = LT_ACCEPTED, .after_ms = 5000 };
	scene_lot(1, 0, 1, 1, 1);
	scene_start();
	scene_run(100);
	struct fake_op *f = CONTAINER_OF(fake.ops.next, struct fake_op, node);
	fake.ev.op_save(fake.ev.ctx, f->op, STR("photo"), STR("987"), 5);
	assert_int_equal(fake.n_saved, 0);
	scene_settle();
	assert_int_equal(fake.n_saved, 1);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM step WHERE name='photo' AND value='987'"), 1);
	fake.ev.op_save(fake.ev.ctx, f->op, STR("photo"), (struct str){ NULL, 0 }, 6);
	scene_settle();
	assert_int_equal(scene_i64("SELECT count(*) FROM step WHERE name='photo'"), 0);
	scene_run(10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(the_id_that_a_question_found_is_kept),
		T(a_lost_answer_is_unknown_and_settled_by_the_provider),
		T(an_emergency_is_in_doubt_sooner_than_a_notice),
		T(while_calls_are_limited_nothing_is_asked),
		T(proven_absence_lets_it_go_again),
		T(nobody_could_say_and_it_becomes_doubt),
		T(the_policy_may_assume),
		T(a_person_says_absent_and_it_is_sent_again),
		T(an_open_question_keeps_the_next_try_back),
		T(what_a_late_answer_found_is_not_sent_again),
		T(what_failed_is_not_tried_again_once_its_lot_has_expired),
		T(lots_that_outlived_their_release_are_closed_at_the_next_start),
		T(failed_is_tried_again_and_waiting_is_cancelled),
		T(receipts_move_what_they_name),
		T(a_receipt_before_its_answer_waits_for_it),
		T(a_receipt_before_the_channels_are_known_is_not_taken),
		T(a_forged_ref_moves_nothing),
		T(one_click_takes_the_address_off_before_the_next_copy),
		T(leaving_a_list_leaves_the_other_mail_alone),
		T(soft_bounces_suppress_after_five_and_emergencies_pass),
		T(a_step_is_saved_before_the_adapter_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
