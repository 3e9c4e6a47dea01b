/* test_jobs.c - beside sending: polls, statistics, receipts that are early, late, twice or for nobody. */
#include "store/store_jobs.h"
#include "jobscene.h"

/* --- polls --------------------------------------------------------------------------------------------------------------- */

static void a_poll_asks_in_batches_about_what_has_no_final_receipt(void **state)
{
	char ref[REF_LEN + 1];

	UNUSED(state);
	polled(3);
	scene_lot(1, 0, 1, 1, 5);
	scene_start();
	scene_run(2000);
	receipt(LT_RC_DELIVERED, "m-2");
	receipt(LT_RC_LOST, "m-4"); /* final, though the state stays */
	scene_run(70000);
	assert_int_equal(fake.n_asking, 1);
	assert_int_equal(fake.ask[0].kind, LT_J_POLL);
	assert_int_equal(fake.ask[0].n, 3);
	assert_int_equal(fake.ask[0].delivery[0], 1);
	assert_int_equal(fake.ask[0].delivery[1], 3);
	assert_int_equal(fake.ask[0].delivery[2], 5);
	assert_string_equal(fake.ask[0].id[1], "m-3");
	assert_string_equal(fake.ask[0].address[1], "a3@x.example");
	ref_make(sc.ts.s, 3, ref);
	assert_string_equal(fake.ask[0].ref[1], ref);
	receipt(LT_RC_DELIVERED, "m-1");
	fake_asked(LT_ACCEPTED);
	scene_run(5000);
	assert_int_equal(fake.n_asks, 1); /* the round is over */
	scene_run(60000);
	assert_int_equal(fake.n_asks, 2);
	assert_int_equal(fake.ask[0].n, 2);
	assert_int_equal(fake.ask[0].delivery[0], 3);
}

static void a_round_goes_on_batch_by_batch_and_sending_does_not_wait(void **state)
{
	UNUSED(state);
	polled(2);
	scene_lot(1, 0, 1, 1, 5);
	scene_start();
	scene_run(62000);
	assert_int_equal(fake.n_asks, 1);
	scene_lot(1, 1, 1, 1, 30); /* while the adapter ponders */
	scene_run(3000);
	assert_int_equal(scene_state(DLV_ACCEPTED), 35);
	assert_int_equal(fake.n_asks, 1);
	fake_asked(LT_ACCEPTED);
	scene_run(1000);
	assert_int_equal(fake.n_asks, 2);
	assert_int_equal(fake.ask[0].n, 2);
	for (int i = 0; i < 40 && fake.n_asking; i++) {
		fake_asked(LT_ACCEPTED);
		scene_run(1000);
	}
	/* What came meanwhile and lies before the cursor (m-10 to m-19) is for the next round. */
	assert_int_equal(fake.n_asks, 13);
}

static void a_batch_that_could_not_be_answered_is_asked_again_later(void **state)
{
	UNUSED(state);
	polled(2);
	scene_lot(1, 0, 1, 1, 3);
	scene_start();
	scene_run(62000);
	assert_int_equal(fake.ask[0].delivery[0], 1);
	fake_asked(LT_DEFERRED);
	scene_run(59000);
	assert_int_equal(fake.n_asks, 1);
	scene_run(2000);
	assert_int_equal(fake.n_asks, 2);
	assert_int_equal(fake.ask[0].delivery[0], 1);
}

static void a_batch_that_never_gets_an_answer_is_passed_over(void **state)
{
	UNUSED(state);
	polled(2);
	scene_lot(1, 0, 1, 1, 3);
	scene_start();
	scene_run(62000);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(fake.n_asks, i + 1);
		assert_int_equal(fake.ask[0].delivery[0], 1);
		fake_asked(LT_DEFERRED);
		scene_run(61000);
	}
	assert_int_equal(fake.n_asks, 4);
	assert_int_equal(fake.ask[0].n, 1);
	assert_int_equal(fake.ask[0].delivery[0], 3);
	fake_asked(LT_ACCEPTED);
	scene_run(61000);
	assert_int_equal(fake.n_asks, 5); /* the next round begins with it again */
	assert_int_equal(fake.ask[0].delivery[0], 1);
}

static void what_is_too_old_is_not_asked_about(void **state)
{
	UNUSED(state);
	sc.ch[0].poll = (struct conf_poll){
		.every_ms = HR_MS, .max_age_ms = 90 * MIN_MS, .batch = 9
	};
	scene_reload();
	scene_lot(1, 0, 1, 1, 2);
	scene_start();
	scene_run(61 * 1000);
	assert_int_equal(fake.n_asks, 1);
	fake_asked(LT_ACCEPTED);
	sc.te.wall += HR_MS;
	scene_run(31000);
	assert_int_equal(fake.n_asks, 2);
	fake_asked(LT_ACCEPTED);
	jump(3 * HR_MS);
	assert_int_equal(fake.n_asks, 2);
}

static void nobody_is_asked_without_a_poll_in_the_configuration(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.receipt_wait_ms = 24 * HR_MS;
	scene_lot(1, 0, 1, 1, 2);
	scene_start();
	jump(5 * HR_MS);
	assert_int_equal(fake.n_asks, 0);
	polled(9);
	scene_run(62000);
	assert_int_equal(fake.n_asks, 1);
	sc.ch[0].poll.every_ms = 0; /* a reload takes it back while one is under way */
	scene_reload();
	fake_asked(LT_ACCEPTED);
	jump(5 * HR_MS);
	assert_int_equal(fake.n_asks, 1);
}

/* --- statistics ---------------------------------------------------------------------------------------------------------- */

static void stats_look_at_what_stands_and_store_what_is_told(void **state)
{
	UNUSED(state);
	sc.ch[0].stats = (struct conf_stats){
		.every_ms = 24 * HR_MS, .at_min = -1, .for_ms = 720 * HR_MS, .batch = 10
	};
	scene_reload();
	scene_lot(1, 0, 1, 1, 3);
	scene_start();
	scene_run(2000);
	receipt(LT_RC_DELIVERED, "m-1");
	receipt(LT_RC_FAILED, "m-2");
	scene_run(61000);
	assert_int_equal(fake.ask[0].kind, LT_J_STATS);
	assert_int_equal(fake.ask[0].n, 2);
	assert_int_equal(fake.ask[0].delivery[0], 1);
	assert_int_equal(fake.ask[0].delivery[1], 3);
	fake.ev.stat(fake.ev.ctx, &fake.ch[0].account[0], 1, STR("views"), 5);
	fake.ev.stat(fake.ev.ctx, &fake.ch[0].account[0], 1, STR("views"), 9);
	fake.ev.stat(fake.ev.ctx, &fake.ch[0].account[0], 0, STR("followers"), 1234);
	receipt(LT_RC_GONE, "m-3");
	fake_asked(LT_ACCEPTED);
	scene_settle();
	assert_int_equal(
		scene_i64("SELECT value FROM stat WHERE delivery_id=1 AND name='views'"), 9);
	assert_true(scene_i64("SELECT at FROM stat WHERE delivery_id=1") > 0);
	assert_int_equal(scene_i64("SELECT value FROM account_stat WHERE name='followers'"), 1234);
	assert_int_equal(delivery_is(3), DLV_ACCEPTED);
	jump(24 * HR_MS + 2000);
	assert_int_equal(fake.n_asks, 2);
	fake.ev.stat(fake.ev.ctx, &fake.ch[0].account[0], 1, STR("views"), 20);
	scene_settle();
	assert_int_equal(
		scene_i64("SELECT count(*) FROM stat WHERE delivery_id=1"), 2); /* a day each */
}

static void stats_ask_for_the_account_even_when_nothing_stands(void **state)
{
	UNUSED(state);
	sc.ch[0].stats = (struct conf_stats){
		.every_ms = 24 * HR_MS, .at_min = -1, .for_ms = 720 * HR_MS, .batch = 10
	};
	scene_reload();
	scene_start();
	scene_run(62000);
	assert_int_equal(fake.n_asks, 1);
	assert_int_equal(fake.ask[0].n, 0);
	fake_asked(LT_DEFERRED);
	scene_run(61000);
	assert_int_equal(fake.n_asks, 2);
	fake_asked(LT_ACCEPTED);
	scene_run(10 * MIN_MS);
	assert_int_equal(fake.n_asks, 2);
}

static void stats_come_at_their_hour_of_the_day(void **state)
{
	UNUSED(state);
	/* The scene begins at 08:00 in Viet Nam. */
	assert_int_equal(env_wall(&sc.te.env) / HR_MS % 24, 1);
	sc.ch[0].stats = (struct conf_stats){
		.every_ms = 24 * HR_MS, .at_min = 9 * 60 + 30, .for_ms = 720 * HR_MS, .batch = 10
	};
	scene_reload();
	scene_start();
	sc.te.wall += 88 * MIN_MS;
	scene_run(MIN_MS);
	assert_int_equal(fake.n_asks, 0);
	scene_run(2 * MIN_MS);
	assert_int_equal(fake.n_asks, 1);
	fake_asked(LT_ACCEPTED);
	sc.te.wall += 23 * HR_MS;
	scene_run(MIN_MS);
	assert_int_equal(fake.n_asks, 1);
	sc.te.wall += HR_MS;
	scene_run(MIN_MS);
	assert_int_equal(fake.n_asks, 2);
}

static void stats_at(int at_min)
{
	sc.ch[0].stats = (struct conf_stats){
		.every_ms = 24 * HR_MS, .at_min = at_min, .for_ms = 720 * HR_MS, .batch = 10
	};
}

/* It was down (or being reloaded) at the hour: what was missed follows at the start, what was not is not asked twice. */
static void a_round_of_figures_that_was_missed_follows_at_the_start(void **state)
{
	UNUSED(state);
	for (int hour = 0; hour < 2; hour++) { /* with an hour of the day, and without */
		scene_close();
		scene_open(11);
		fake.script = script_same;
		fake.ch[0].caps |= LT_CAP_STATS;
		stats_at(hour ? 9 * 60 + 30 : -1);
		scene_reload();
		scene_start();
		scene_run(2 * MIN_MS);
		assert_int_equal(fake.n_asks, hour ? 0 : 1); /* it is 08:02 */
		sc.te.wall += hour ? 88 * MIN_MS : 0;
		scene_run(2 * MIN_MS);
		assert_int_equal(fake.n_asks, 1);
		fake_asked(LT_ACCEPTED);
		scene_settle();
		assert_true(
			scene_i64("SELECT value FROM account_stat WHERE name='" SQ_ROUND "'") > 0);
		scene_crash();
		scene_restart();
		scene_run(2 * MIN_MS);
		assert_int_equal(fake.n_asks, 1); /* it was read today */
		scene_crash();
		sc.te.wall += 30 * HR_MS;
		scene_restart();
		scene_run(2 * MIN_MS);
		assert_int_equal(fake.n_asks, 2);
		fake_asked(LT_ACCEPTED);
		scene_settle();
	}
}

static void a_round_of_figures_goes_on_where_a_reload_met_it(void **state)
{
	UNUSED(state);
	sc.ch[0].stats = (struct conf_stats){
		.every_ms = HR_MS, .at_min = -1, .for_ms = 720 * HR_MS, .batch = 1
	};
	scene_reload();
	scene_lot(1, 0, 1, 1, 3);
	scene_start();
	scene_run(62000);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(fake.n_asks, i + 1);
		fake_asked(LT_ACCEPTED);
		scene_run(1000);
	}
	jump(HR_MS);
	assert_int_equal(fake.n_asks, 4);
	assert_int_equal(fake.ask[0].delivery[0], 1);
	sc.ch[0].stats.every_ms = 24 *
		HR_MS; /* a round within the last day is enough from now on */
	scene_reload();
	scene_run(1000); /* while the adapter is asked */
	fake_asked(LT_ACCEPTED);
	scene_run(2 * MIN_MS);
	assert_int_equal(fake.n_asks, 5);
	assert_int_equal(fake.ask[0].delivery[0], 2);
	fake_asked(LT_ACCEPTED);
	scene_reload(); /* and between two batches */
	scene_run(2 * MIN_MS);
	assert_int_equal(fake.n_asks, 6);
	assert_int_equal(fake.ask[0].delivery[0], 3);
	fake_asked(LT_ACCEPTED);
	scene_run(10 * MIN_MS);
	assert_int_equal(fake.n_asks, 6);
}

/* The page feed said that it is there, by a picture of it: its own id is kept, the figures are read soon, and they bring its link. */
static void what_a_webhook_confirms_gets_its_id_and_its_link(void **state)
{
	UNUSED(state);
	stats_at(-1);
	scene_reload();
	scene_lot(1, 0, 1, 1, 1);
	answer = (struct fake_answer){ .outcome = LT_UNKNOWN, .id = "photo-", .effect = 2 };
	scene_start();
	scene_run(2000);
	assert_int_equal(delivery_is(1), DLV_UNKNOWN);
	while (fake.n_asking)
		fake_asked(LT_ACCEPTED);
	struct lt_str ids[2] = { lt("post-1"), lt("photo-1") };
	struct lt_receipt r = {
		.struct_size = sizeof(r), .state = LT_ACCEPTED, .ids = ids, .n_ids = 2
	};
	int asks = fake.n_asks;
	fake.ev.receipt(fake.ev.ctx, &fake.ch[0], NULL, &r, 77);
	scene_run(4000);
	assert_int_equal(delivery_is(1), DLV_ACCEPTED);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM effect WHERE delivery_id=1 AND effect=0 AND "
			  "provider_id='post-1'"),
		1);
	assert_int_equal(fake.n_asks, asks + 1);
	assert_int_equal(fake.ask[0].delivery[0], 1);
	assert_int_equal(fake.ask[0].flags[0], LT_ITEM_NO_LINK);
	r = (struct lt_receipt){ .struct_size = sizeof(r),
		.state = LT_RC_LINK,
		.ids = ids,
		.n_ids = 1,
		.text = lt("https://www.facebook.com/9/posts/1") };
	fake.ev.receipt(fake.ev.ctx, &fake.ch[0], &fake.ch[0].account[0], &r, 77);
	scene_settle();
	assert_int_equal(
		scene_i64("SELECT count(*) FROM step WHERE delivery_id=1 AND name='!link' AND "
			  "value='https://www.facebook.com/9/posts/1'"),
		1);
	assert_int_equal(delivery_is(1), DLV_ACCEPTED);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM receipt WHERE delivery_id=1 AND state=23"), 0);
	fake_asked(LT_ACCEPTED);
}

/* More accounts than can be asked in an interval: each is asked in its turn, several at once, none twice before another once. */
static void thirty_five_accounts_take_turns_however_short_the_interval(void **state)
{
	enum { N = 35, ROUNDS = 3 };
	static struct conf_account acct[N], *acctp[N];
	static char names[N][8];
	int asked[N] = { 0 };
	size_t at_once = 0;

	UNUSED(state);
	for (size_t i = 0; i < N; i++) {
		snprintf(names[i], sizeof(names[i]), "oa%zu", i);
		acct[i] = (struct conf_account){ .name = names[i] };
		acctp[i] = &acct[i];
	}
	sc.ch[0].accounts = acctp;
	sc.ch[0].n_accounts = N;
	sc.ch[0].stats = (struct conf_stats){
		.every_ms = 1000, .at_min = -1, .for_ms = 720 * HR_MS, .batch = 10
	};
	scene_reload();
	scene_start();
	for (int i = 0; i < 20000 && fake.n_asks < N * ROUNDS; i++) {
		scene_run(50);
		at_once = fake.n_asking > at_once ? fake.n_asking : at_once;
		if (i % 4 || !fake.n_asking) /* an answer takes up to a second */
			continue;
		int least = asked[0], who = -1;
		for (int k = 0; k < N; k++) {
			least = asked[k] < least ? asked[k] : least;
			who = fake.ask[0].a == &fake.ch[0].account[k] ? k : who;
		}
		assert_true(who >= 0);
		assert_int_equal(asked[who], least);
		asked[who]++;
		fake_asked(LT_ACCEPTED);
	}
	assert_true(fake.n_asks >= N * ROUNDS);
	assert_int_equal(at_once, 4);
	sc.ch[0].accounts = sc.acctp[0];
	sc.ch[0].n_accounts = 1;
}

/* --- receipts ------------------------------------------------------------------------------------------------------------ */

static void an_early_receipt_by_its_id_is_parked_once_and_applied_after_the_commit(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.receipt_wait_ms = 24 * HR_MS;
	answer = (struct fake_answer){ .outcome = LT_ACCEPTED, .id = "m-", .after_ms = 3000 };
	scene_lot(1, 0, 1, 1, 1);
	scene_start();
	scene_run(1000);
	assert_int_equal(scene_state(DLV_SENDING), 1);
	receipt(LT_RC_DELIVERED, "m-1");
	receipt(LT_RC_DELIVERED, "m-1");
	assert_int_equal(fake.saved_rc, 0);
	assert_int_equal(scene_i64("SELECT count(*) FROM orphan"), 1);
	scene_run(30000);
	assert_int_equal(delivery_is(1), DLV_DELIVERED);
	assert_int_equal(scene_i64("SELECT count(*) FROM orphan"), 0);
	assert_int_equal(scene_i64("SELECT count(*) FROM seen"), 0);
	assert_int_equal(scene_i64("SELECT count(*) FROM receipt"), 1);
}

static void a_receipt_for_nobody_is_given_up_after_its_time(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.receipt_wait_ms = 24 * HR_MS;
	scene_start();
	receipt(LT_RC_DELIVERED, "never-ours");
	receipt_as(true, LT_RC_DELIVERED, "never-ours", NULL, 0);
	assert_int_equal(scene_i64("SELECT count(*) FROM orphan"), 2);
	jump(71 * HR_MS);
	assert_int_equal(scene_i64("SELECT count(*) FROM orphan"), 2);
	jump(2 * HR_MS);
	assert_int_equal(scene_i64("SELECT count(*) FROM orphan"), 0);
}

static void a_receipt_for_nobody_is_looked_for_more_and_more_rarely(void **state)
{
	int looks = 0;
	UNUSED(state);
	sc.ch[0].lane.receipt_wait_ms = 24 * HR_MS;
	scene_start();
	receipt(LT_RC_DELIVERED, "never-ours");
	for (int hour = 0; hour < 10; hour++) {
		int64_t before = scene_i64("SELECT next FROM orphan");
		jump(HR_MS);
		looks += before != scene_i64("SELECT next FROM orphan");
	}
	int64_t wait = scene_i64("SELECT next FROM orphan") - env_wall(&sc.te.env);
	assert_true(looks >= 2); /* it is still looked for */
	assert_true(wait > 5000 && wait < 3 * HR_MS);
}

static void parked_receipts_have_a_bound_and_the_oldest_go(void **state)
{
	UNUSED(state);
	scene_start();
	receipt(LT_RC_DELIVERED, "first");
	scene_exec("UPDATE orphan SET id=1");
	scene_exec("INSERT INTO orphan(id, lane_id, ids, body, next, give_up) VALUES (100000, 1, "
		   "'x', '17 0 0 0 ', 9223372036854775000, 9223372036854775000)");
	receipt(LT_RC_DELIVERED, "another");
	assert_int_equal(scene_i64("SELECT count(*) FROM orphan WHERE ids LIKE 'first%%'"), 0);
	assert_int_equal(scene_i64("SELECT count(*) FROM orphan"), 2);
}

static void the_same_receipt_twice_is_one(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.receipt_wait_ms = 24 * HR_MS;
	scene_lot(1, 0, 1, 1, 2);
	scene_start();
	scene_run(2000);
	for (int i = 0; i < 3; i++)
		receipt_as(false, LT_RC_DELIVERED, "m-1", "250", 1000);
	assert_int_equal(scene_i64("SELECT count(*) FROM receipt"), 1);
	receipt_as(false, LT_RC_TRANSIT, "m-2", NULL, 1000);
	receipt_as(false, LT_RC_TRANSIT, "m-2", NULL, 2000);
	assert_int_equal(scene_i64("SELECT count(*) FROM receipt"), 2);
	assert_int_equal(fake.n_saved, 5);
	assert_int_equal(fake.saved_rc, 0);
}

static void a_second_failure_after_a_persons_retry_counts(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.receipt_wait_ms = 24 * HR_MS;
	scene_lot(1, 0, 1, 1, 1);
	scene_start();
	scene_run(2000);
	receipt_as(false, LT_RC_FAILED, "m-1", "550", 0);
	assert_int_equal(delivery_is(1), DLV_FAILED);
	scene_exec("UPDATE delivery SET state=2 WHERE id=1");
	scene_exec("UPDATE lot SET n4=n4-1, n2=n2+1");
	receipt_as(false, LT_RC_FAILED, "m-1", "550", 0);
	assert_int_equal(delivery_is(1), DLV_FAILED);
}

static void a_webhook_of_the_whole_channel_finds_any_of_its_accounts(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.receipt_wait_ms = 24 * HR_MS;
	scene_lot(1, 0, 1, 1, 1);
	scene_start();
	scene_run(2000);
	receipt_as(true, LT_RC_DELIVERED, "m-1", NULL, 0);
	assert_int_equal(delivery_is(1), DLV_DELIVERED);
}

static void late_answer(int state, uint64_t delivery, uint64_t try_no)
{
	struct lt_receipt r = {
		.struct_size = sizeof(r), .state = state, .attempt = delivery << 8 | try_no
	};

	fake.ev.receipt(fake.ev.ctx, &fake.ch[0], &fake.ch[0].account[0], &r, 77);
	scene_settle();
}

/* Only the provider's own no to that very attempt lets it go again, and once. */
static void a_late_no_to_the_unknown_attempt_lets_it_go_again(void **state)
{
	UNUSED(state);
	fake.outcome_of_question = LT_UNKNOWN;
	answer = (struct fake_answer){ .outcome = LT_UNKNOWN };
	scene_lot(1, 0, 1, 1, 2);
	scene_start();
	scene_run(2000);
	assert_int_equal(delivery_is(1), DLV_UNKNOWN);
	late_answer(LT_DEFERRED, 1, 2); /* another try */
	receipt(LT_DEFERRED, "m-1");    /* no try at all */
	assert_int_equal(delivery_is(1), DLV_UNKNOWN);
	answer = (struct fake_answer){ .outcome = LT_ACCEPTED, .id = "m-" };
	late_answer(LT_DEFERRED, 1, 1);
	assert_int_equal(delivery_is(1), DLV_WAITING);
	assert_int_equal(fake.n_published, 2);
	assert_int_equal(scene_i64("SELECT count(*) FROM audit WHERE what='delivery.correct'"), 1);
	scene_run(240000);
	assert_int_equal(delivery_is(1), DLV_ACCEPTED);
	assert_int_equal(delivery_is(2), DLV_UNKNOWN);
	assert_int_equal(fake.n_published, 3);
	late_answer(LT_DEFERRED, 1, 1);
	assert_int_equal(delivery_is(1), DLV_ACCEPTED);
}

static void gone_and_changed_are_facts_beside_the_state(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.receipt_wait_ms = 24 * HR_MS;
	scene_lot(1, 0, 1, 1, 2);
	scene_start();
	scene_run(2000);
	receipt(LT_RC_DELIVERED, "m-1");
	uint64_t started = fake.n_started;
	receipt(LT_RC_GONE, "m-1");
	receipt(LT_RC_GONE, "m-1");
	receipt_as(false, LT_RC_CHANGED, "m-2", NULL, 5000);
	receipt_as(false, LT_RC_CHANGED, "m-2", NULL, 5000);
	receipt_as(false, LT_RC_CHANGED, "m-2", NULL, 9000);
	assert_int_equal(delivery_is(1), DLV_DELIVERED);
	assert_int_equal(delivery_is(2), DLV_ACCEPTED);
	assert_int_equal(scene_i64("SELECT count(*) FROM receipt WHERE state=21"), 1);
	assert_int_equal(scene_i64("SELECT count(*) FROM receipt WHERE state=22"), 2);
	jump(2 * HR_MS);
	assert_int_equal(fake.n_started, started); /* never posted again */
	jump(30 * 24 * HR_MS);                     /* long after: still found by its id */
	receipt(LT_RC_GONE, "m-2");
	assert_int_equal(scene_i64("SELECT count(*) FROM receipt WHERE state=21"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(a_poll_asks_in_batches_about_what_has_no_final_receipt),
		T(a_round_goes_on_batch_by_batch_and_sending_does_not_wait),
		T(a_batch_that_could_not_be_answered_is_asked_again_later),
		T(a_batch_that_never_gets_an_answer_is_passed_over),
		T(what_is_too_old_is_not_asked_about),
		T(nobody_is_asked_without_a_poll_in_the_configuration),
		T(stats_look_at_what_stands_and_store_what_is_told),
		T(stats_ask_for_the_account_even_when_nothing_stands),
		T(stats_come_at_their_hour_of_the_day),
		T(a_round_of_figures_that_was_missed_follows_at_the_start),
		T(a_round_of_figures_goes_on_where_a_reload_met_it),
		T(what_a_webhook_confirms_gets_its_id_and_its_link),
		T(thirty_five_accounts_take_turns_however_short_the_interval),
		T(an_early_receipt_by_its_id_is_parked_once_and_applied_after_the_commit),
		T(a_receipt_for_nobody_is_given_up_after_its_time),
		T(a_receipt_for_nobody_is_looked_for_more_and_more_rarely),
		T(parked_receipts_have_a_bound_and_the_oldest_go),
		T(the_same_receipt_twice_is_one),
		T(a_second_failure_after_a_persons_retry_counts),
		T(a_webhook_of_the_whole_channel_finds_any_of_its_accounts),
		T(a_late_no_to_the_unknown_attempt_lets_it_go_again),
		T(gone_and_changed_are_facts_beside_the_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
