/* test_backup.c - the second gateway: it takes over what certainly was not sent, never more, and gives it back. */
#include "dispatch/dispatch_internal.h"
#include "stopscene.h"

static char backup_name[] = "sms/gate";
static struct fake_answer first, second; /* what the two gateways answer */
static struct fake_answer script_two(const struct chan_op *op)
{
	return fake_account_of(op)->channel == &fake.ch[0] ? first : second;
}
static int setup(void **state)
{
	UNUSED(state);
	scene_open(21);
	fake.script = script_two;
	first = second = (struct fake_answer){ .outcome = LT_ACCEPTED };
	sc.acct[0].backup = backup_name;
	sc.acct[0].backup_after_ms = 10 * MIN_MS;
	scene_reload();
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	return 0;
}
static int teardown(void **state)
{
	UNUSED(state);
	assert_int_equal(fake.n_doubles, 0);
	scene_close();
	return 0;
}
/* What an approval of both gateways leaves: an output for the second channel. */
static void covered(int64_t release, int part)
{
	scene_exec(
		"INSERT INTO prepared(manifest, part, channel_id, form, lang, office_id, vars_hash, "
		"digest) SELECT cast(printf('%%032d', %lld) as blob), %d, id, 'mailbox', 'vi', 1, "
		"x'00', x'00' FROM channel",
		(long long)release, part);
}
static void first_is(bool down)
{
	fake.ch[0].account[0].down = down;
}
static int64_t on_lane(int64_t lane, int state)
{
	return scene_i64("SELECT count(*) FROM delivery d JOIN lot l ON l.id=d.lot_id WHERE "
			 "l.lane_id=%lld AND d.state=%d",
		(long long)lane, state);
}

static void a_dead_gateway_is_taken_over_after_its_time_and_not_before(void **state)
{
	UNUSED(state);
	covered(1, 0);
	first_is(true);
	scene_lot(1, 0, 1, 1, 700);
	scene_start();
	scene_run(9 * MIN_MS);
	assert_int_equal(fake.n_published, 0);
	assert_int_equal(on_lane(1, DLV_WAITING), 700);
	scene_run(3 * MIN_MS);
	assert_int_equal(fake.n_published, 700);
	assert_int_equal(on_lane(3, DLV_ACCEPTED), 700);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE lane_id=3"), 1);
	assert_true(
		scene_i64(
			"SELECT count(*) FROM audit WHERE what='lot.over' AND person='system' AND "
			"now LIKE 'sms/gate/%%waiting deliveries' AND why<>''") >= 1);
	scene_check();
}

/* Told at a start, before anything is known of the queue: what waits follows all the same, and then the move is over. */
static void a_move_is_over_when_what_waits_has_followed(void **state)
{
	UNUSED(state);
	const struct lane_move move = { 1, 3 };
	covered(1, 0);
	first_is(true);
	scene_lot(1, 0, 1, 1, 10);
	scene_exec("UPDATE target SET lane_id=3");
	scene_exec(
		"INSERT INTO job(kind, subject, next) VALUES (%d, (1<<32)|3, 0), (%d, (1<<32)|2, 0)",
		JOB_MOVE, JOB_MOVE);
	dispatch_reroute(sc.d, &move, 1);
	scene_run(5000);
	assert_int_equal(scene_i64("SELECT count(*) FROM job WHERE kind=%d", JOB_MOVE), 2);
	scene_start();
	scene_run(10000);
	assert_int_equal(on_lane(3, DLV_ACCEPTED), 10);
	assert_int_equal(scene_i64("SELECT subject FROM job WHERE kind=%d", JOB_MOVE),
		(INT64_C(1) << 32) | 2);
	scene_check();
}

static struct dispatch_lane_facts seen;
static void on_facts(void *ctx, const struct dispatch_lane_facts *f)
{
	UNUSED(ctx);
	if (f->lane_id == 1)
		seen = *f;
}
static void the_lane_says_who_has_taken_over(void **state)
{
	UNUSED(state);
	covered(1, 0);
	first_is(true);
	scene_lot(1, 0, 1, 1, 3);
	scene_start();
	scene_run(12 * MIN_MS);
	dispatch_lanes(sc.d, on_facts, NULL);
	assert_true(strncmp(seen.why, "sms/gate has taken over since ", 30) == 0);
}

static void what_may_have_been_sent_stays_with_the_first(void **state)
{
	UNUSED(state);
	covered(1, 0);
	first = (struct fake_answer){ .never = true };
	scene_lot(1, 0, 1, 1, 3);
	scene_start();
	scene_run(40000);
	assert_int_equal(on_lane(1, DLV_UNKNOWN), 3);
	first_is(true);
	fake.ev.account_trouble(fake.ev.ctx, &fake.ch[0].account[0], LT_SCOPE_ACCOUNT, STR("ECONN"),
		STR("reset"), 0);
	scene_lot(1, 0, 1, 2, 4);
	scene_exec("UPDATE prepared SET office_id=2");
	scene_run(14 * MIN_MS);
	assert_int_equal(on_lane(1, DLV_UNKNOWN), 3);
	assert_int_equal(on_lane(3, DLV_ACCEPTED), 4);
	assert_int_equal(fake.n_published, 7);
}

static void what_was_partly_done_stays_with_the_first(void **state)
{
	UNUSED(state);
	covered(1, 0);
	first_is(true);
	scene_lot(1, 0, 1, 1, 4);
	scene_exec(
		"INSERT INTO effect(delivery_id, effect, state, provider_id) VALUES (1,1,1,'a')");
	scene_exec("INSERT INTO step(delivery_id, name, value) VALUES (2,'draft','b')");
	scene_exec("INSERT INTO step(delivery_id, name, value) VALUES (3,'!why','put off')");
	scene_start();
	scene_run(13 * MIN_MS);
	assert_int_equal(on_lane(1, DLV_WAITING), 2);
	assert_int_equal(on_lane(3, DLV_ACCEPTED), 2);
	assert_null(map64_get(fake.published, 1));
	assert_null(map64_get(fake.published, 2));
}

static void without_an_approval_for_the_second_they_wait(void **state)
{
	UNUSED(state);
	covered(1, 5); /* another part */
	first_is(true);
	scene_lot(1, 0, 1, 1, 4);
	scene_start();
	scene_run(HR_MS);
	assert_int_equal(fake.n_published, 0);
	assert_int_equal(on_lane(1, DLV_WAITING), 4);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot"), 1);
	first_is(false);
	scene_run(HR_MS);
	assert_int_equal(on_lane(1, DLV_ACCEPTED), 4);
}

static void an_approval_for_another_language_does_not_cover(void **state)
{
	UNUSED(state);
	covered(1, 0);
	first_is(true);
	scene_lot(1, 0, 1, 1, 4);
	scene_exec("UPDATE target SET lang='en' WHERE id IN (1,2)");
	scene_start();
	scene_run(13 * MIN_MS);
	assert_int_equal(on_lane(1, DLV_WAITING), 2);
	assert_int_equal(on_lane(3, DLV_ACCEPTED), 2);
}

static void what_a_person_stopped_is_not_taken_over(void **state)
{
	UNUSED(state);
	covered(1, 0);
	first_is(true);
	scene_lot(1, 0, 1, 1, 4);
	scene_start();
	scene_run(MIN_MS);
	stop(STOP_PAUSE,
		(struct stop_scope){ .lane_id = 1, .part = -1, .text = "lane:mail/relay/" }, -1);
	scene_run(HR_MS);
	assert_int_equal(got.rc, 0);
	assert_int_equal(got.n, 1);
	assert_int_equal(fake.n_published, 0);
	assert_int_equal(on_lane(1, DLV_WAITING), 4);
}

static void outside_its_hours_a_lane_is_not_in_trouble(void **state)
{
	UNUSED(state);
	struct conf_hours *h = &sc.ch[0].lane.hours;
	int64_t day = (env_wall(&sc.te.env) + INT64_C(7) * 3600000) % INT64_C(86400000) / MIN_MS;

	h->n = 1; /* opens in three hours, for one */
	h->span[0].days = 0x7f;
	h->span[0].from_min = (uint16_t)((day + 180) % 1320);
	h->span[0].to_min = (uint16_t)(h->span[0].from_min + 60);
	scene_reload();
	covered(1, 0);
	scene_lot(1, 0, 1, 1, 4);
	scene_start();
	scene_run(HR_MS);
	assert_int_equal(on_lane(1, DLV_WAITING), 4);
	assert_int_equal(on_lane(3, DLV_ACCEPTED), 0);
}

static void the_first_gets_its_own_back_when_it_accepts_again(void **state)
{
	UNUSED(state);
	sc.ch[1].lane.rate_per_s = 0.05;
	sc.ch[1].lane.burst = 1;
	scene_reload();
	covered(1, 0);
	first_is(true);
	scene_lot(1, 0, 1, 1, 500);
	scene_lot(1, 0, 3, 1, 100); /* the second's own stay with it */
	scene_start();
	scene_run(15 * MIN_MS);
	assert_true(on_lane(3, DLV_WAITING) > 550);
	first_is(false);
	scene_release(2, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	covered(2, 0);
	scene_lot(2, 0, 1, 1, 2); /* one of them probes it */
	scene_run(30 * MIN_MS);
	assert_true(on_lane(1, DLV_ACCEPTED) > 300);
	assert_int_equal(on_lane(1, DLV_WAITING), 0);
	assert_true(
		scene_i64(
			"SELECT count(*) FROM delivery d JOIN target t ON t.id=d.target_id JOIN lot l "
			"ON l.id=d.lot_id WHERE t.lane_id=3 AND l.lane_id<>3") == 0);
	assert_true(scene_i64("SELECT count(*) FROM audit WHERE what='lot.back'") >= 1);
	scene_check();
}

/* Otherwise the first would not be found to work until that time, however much waits at the second. */
static void a_probe_is_one_that_may_go_now(void **state)
{
	UNUSED(state);
	sc.ch[1].lane.rate_per_s = 0.05;
	sc.ch[1].lane.burst = 1;
	scene_reload();
	covered(1, 0);
	scene_release(2, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	covered(2, 0);
	first_is(true);
	for (int i = 0; i < 70; i++) { /* more lots than one command takes */
		scene_lot(1, i, 1, 1, 1);
		covered(1, i + 1);
	}
	/* the spread gives them a time in five hours */
	scene_exec("UPDATE delivery SET due=%lld", (long long)(5 * HR_MS));
	scene_lot(2, 0, 1, 1, 500);
	scene_start();
	scene_run(15 * MIN_MS);
	assert_int_equal(on_lane(3, DLV_WAITING) + on_lane(3, DLV_ACCEPTED), 570);
	first_is(false);
	scene_run(25 * MIN_MS);
	assert_true(on_lane(1, DLV_ACCEPTED) > 300);
	assert_int_equal(on_lane(1, DLV_WAITING), 70);
	assert_int_equal(on_lane(3, DLV_WAITING), 0);
	scene_check();
}

/* The number of a lot that is made and taken back is gone. */
static void a_probe_makes_no_lots_for_nothing(void **state)
{
	int64_t seq;

	UNUSED(state);
	sc.ch[1].lane.rate_per_s = 0.05;
	sc.ch[1].lane.burst = 1;
	scene_reload();
	first_is(true);
	for (int64_t i = 1; i <= 20; i++) {
		if (i > 1)
			scene_release(i, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
		covered(i, 0);
		scene_lot(i, 0, 1, 1, 10);
	}
	scene_start();
	scene_run(15 * MIN_MS);
	assert_int_equal(on_lane(1, DLV_WAITING), 0);
	seq = scene_i64("SELECT seq FROM sqlite_sequence WHERE name='lot'");
	assert_int_equal(seq, 40);
	scene_run(40 * MIN_MS);
	assert_true(on_lane(3, DLV_WAITING) > 0);
	assert_int_equal(scene_i64("SELECT seq FROM sqlite_sequence WHERE name='lot'"), seq);
}

static void what_may_not_move_has_no_lots_made_for_it(void **state)
{
	UNUSED(state);
	covered(1, 0);
	first_is(true);
	scene_lot(1, 0, 1, 1, 4);
	scene_exec("UPDATE target SET lang='en'");
	scene_exec("UPDATE target SET lang='vi' WHERE id=1");
	scene_exec("INSERT INTO step(delivery_id, name, value) VALUES (1,'draft','b')");
	scene_start();
	scene_run(40 * MIN_MS);
	assert_int_equal(on_lane(1, DLV_WAITING), 4);
	assert_int_equal(scene_i64("SELECT seq FROM sqlite_sequence WHERE name='lot'"), 1);
}

static void when_neither_works_they_come_home(void **state)
{
	UNUSED(state);
	covered(1, 0);
	first_is(true);
	scene_lot(1, 0, 1, 1, 50);
	scene_start();
	scene_run(9 * MIN_MS);
	fake.ch[1].account[0].down = true; /* seen only when it is tried */
	scene_run(30 * MIN_MS);
	assert_int_equal(fake.n_published, 0);
	first_is(false);
	scene_run(30 * MIN_MS);
	assert_int_equal(fake.n_published, 50);
	assert_int_equal(on_lane(1, DLV_ACCEPTED), 50);
}

static void a_held_account_is_taken_over_too(void **state)
{
	UNUSED(state);
	covered(1, 0);
	first = (struct fake_answer){ .outcome = LT_DEFERRED,
		.scope = LT_SCOPE_ACCOUNT,
		.flags = LT_R_PERSON | LT_R_FREE,
		.code = "0E",
		.unpublished = true };
	scene_lot(1, 0, 1, 1, 20);
	scene_start();
	scene_run(12 * MIN_MS);
	assert_int_equal(on_lane(3, DLV_ACCEPTED), 20);
	assert_int_equal(
		scene_i64("SELECT gate FROM lane WHERE id=1"), 1); /* a person is still asked */
}

static void the_quota_of_the_second_holds(void **state)
{
	UNUSED(state);
	sc.ch[1].lane.limits.messages[MONEY_DAY] = 5;
	scene_reload();
	covered(1, 0);
	first_is(true);
	scene_lot(1, 0, 1, 1, 12);
	scene_start();
	scene_run(20 * MIN_MS);
	assert_int_equal(fake.n_published, 5);
	assert_int_equal(scene_state(DLV_WAITING), 7);
}

static void one_that_the_first_does_not_reach_goes_to_the_second_at_once(void **state)
{
	UNUSED(state);
	covered(1, 0);
	first = (struct fake_answer){
		.outcome = LT_REFUSED, .flags = LT_R_ELSEWHERE, .code = "177", .unpublished = true
	};
	scene_lot(1, 0, 1, 1, 6);
	scene_start();
	scene_run(30000);
	assert_int_equal(on_lane(3, DLV_ACCEPTED), 6);
	assert_int_equal(fake.n_published, 6);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM attempt WHERE outcome=2 AND code='177'"), 6);
	assert_int_equal(scene_i64("SELECT count(*) FROM audit WHERE what='lot.over' AND why LIKE "
				   "'refused: 177%%'"),
		6);
}

static void one_that_the_second_has_no_approval_for_fails_and_leaves_no_lot(void **state)
{
	UNUSED(state);
	covered(1, 0);
	first = (struct fake_answer){
		.outcome = LT_REFUSED, .flags = LT_R_ELSEWHERE, .code = "177", .unpublished = true
	};
	scene_lot(1, 0, 1, 1, 6);
	scene_exec("UPDATE target SET lang='en'");
	scene_start();
	scene_run(30000);
	assert_int_equal(on_lane(1, DLV_FAILED), 6);
	assert_int_equal(scene_i64("SELECT seq FROM sqlite_sequence WHERE name='lot'"), 1);
}

/* It answers, it refuses nothing, it takes nothing: a deadline without an acceptance is one. */
static void a_gateway_that_puts_off_everything_is_taken_over_too(void **state)
{
	UNUSED(state);
	covered(1, 0);
	first = (struct fake_answer){ .outcome = LT_DEFERRED, .code = "500", .unpublished = true };
	sc.ch[0].lane.tries_max = 1000;
	scene_reload();
	scene_lot(1, 0, 1, 1, 20);
	scene_start();
	scene_run(9 * MIN_MS);
	assert_int_equal(fake.n_published, 0);
	scene_run(5 * MIN_MS);
	assert_int_equal(on_lane(3, DLV_ACCEPTED), 20);
	assert_int_equal(fake.n_published, 20);
	scene_check();
}

static void tries_that_are_spent_at_the_first_leave_one_for_the_second(void **state)
{
	UNUSED(state);
	covered(1, 0);
	first = (struct fake_answer){ .outcome = LT_DEFERRED, .code = "500", .unpublished = true };
	sc.ch[0].lane.tries_max = 2;
	scene_reload();
	scene_lot(1, 0, 1, 1, 4);
	scene_lot(1, 1, 1, 1, 2); /* a part that is not approved for the second */
	scene_start();
	scene_run(9 * MIN_MS);
	assert_int_equal(on_lane(3, DLV_ACCEPTED), 4);
	assert_int_equal(on_lane(1, DLV_FAILED), 2);
	scene_check();
}

static void one_whose_language_is_not_approved_for_the_second_has_failed(void **state)
{
	UNUSED(state);
	covered(1, 0);
	first = (struct fake_answer){
		.outcome = LT_REFUSED, .flags = LT_R_ELSEWHERE, .code = "177", .unpublished = true
	};
	scene_lot(1, 0, 1, 1, 4);
	scene_exec("UPDATE target SET lang='en' WHERE id IN (1,2)");
	scene_start();
	scene_run(30000);
	assert_int_equal(on_lane(3, DLV_ACCEPTED), 2);
	assert_int_equal(on_lane(1, DLV_FAILED), 2);
	scene_check();
}

static void one_that_neither_reaches_has_failed(void **state)
{
	UNUSED(state);
	covered(1, 0);
	first = second = (struct fake_answer){
		.outcome = LT_REFUSED, .flags = LT_R_ELSEWHERE, .code = "177", .unpublished = true
	};
	scene_lot(1, 0, 1, 1, 2);
	scene_lot(1, 1, 1, 1, 2); /* a part that is not approved for the second */
	scene_start();
	scene_run(30000);
	assert_int_equal(scene_state(DLV_FAILED), 4);
	assert_int_equal(on_lane(3, DLV_FAILED), 2);
	assert_int_equal(on_lane(1, DLV_FAILED), 2);
}

/* Lets time pass until the first chunk has moved, and nobody has heard of it yet. */
static void until_a_chunk_has_moved(void)
{
	for (int i = 0; i < 200; i++) {
		testenv_advance(&sc.te, 100);
		(void)store_run(sc.ts.s);
		if (on_lane(3, DLV_WAITING) > 0)
			return;
		(void)store_complete(sc.ts.s);
	}
	fail_msg("nothing moves");
}
static void a_reload_may_take_the_second_away_in_the_middle_of_the_move(void **state)
{
	UNUSED(state);
	covered(1, 0);
	first_is(true);
	scene_lot(1, 0, 1, 1, 1200);
	scene_start();
	scene_run(10 * MIN_MS - 3000);
	sc.ts.look_us = 20000; /* so slow that each chunk ends after its first step */
	until_a_chunk_has_moved();
	sc.acct[0].backup = NULL;
	scene_reload();
	sc.ts.look_us = 0;
	scene_run(HR_MS);
	assert_int_equal(on_lane(3, DLV_ACCEPTED), 500);
	assert_int_equal(on_lane(1, DLV_WAITING), 700); /* nobody takes over any more */
	scene_check();
}

/* Killed at every second of the hand-over and of the way back; the ledger (teardown) has no number twice. */
static void no_crash_doubles_one(void **state)
{
	UNUSED(state);
	covered(1, 0);
	sc.ch[1].lane.rate_per_s = 3;
	sc.ch[1].lane.burst = 1;
	first_is(true);
	scene_lot(1, 0, 1, 1, 900);
	scene_start();
	scene_run(10 * MIN_MS - 3000);
	for (int i = 0; i < 40; i++) {
		scene_run(1 + i * 137 % 1000);
		scene_crash();
		scene_restart();
		if (i == 20)
			sc.acct[0].backup_after_ms = 1000;
		if (i % 7 == 6)
			first_is(i % 2 == 0);
		if (i % 5 == 4)
			scene_run(11 * MIN_MS);
		scene_check();
	}
	first_is(false);
	scene_run(HR_MS);
	assert_int_equal(scene_state(DLV_WAITING), 0);
	assert_int_equal(scene_state(DLV_ACCEPTED) + scene_state(DLV_UNKNOWN), 900);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_dead_gateway_is_taken_over_after_its_time_and_not_before),
		T(a_move_is_over_when_what_waits_has_followed),
		T(the_lane_says_who_has_taken_over),
		T(what_may_have_been_sent_stays_with_the_first),
		T(what_was_partly_done_stays_with_the_first),
		T(without_an_approval_for_the_second_they_wait),
		T(an_approval_for_another_language_does_not_cover),
		T(what_a_person_stopped_is_not_taken_over),
		T(outside_its_hours_a_lane_is_not_in_trouble),
		T(the_first_gets_its_own_back_when_it_accepts_again),
		T(a_probe_is_one_that_may_go_now),
		T(a_probe_makes_no_lots_for_nothing),
		T(what_may_not_move_has_no_lots_made_for_it),
		T(when_neither_works_they_come_home),
		T(a_held_account_is_taken_over_too),
		T(the_quota_of_the_second_holds),
		T(one_that_the_first_does_not_reach_goes_to_the_second_at_once),
		T(one_that_the_second_has_no_approval_for_fails_and_leaves_no_lot),
		T(a_gateway_that_puts_off_everything_is_taken_over_too),
		T(tries_that_are_spent_at_the_first_leave_one_for_the_second),
		T(one_whose_language_is_not_approved_for_the_second_has_failed),
		T(one_that_neither_reaches_has_failed),
		T(a_reload_may_take_the_second_away_in_the_middle_of_the_move),
		T(no_crash_doubles_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
