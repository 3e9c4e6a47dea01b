/* test_consent.c - consent to advertising (Decree 91/2020): one message that asks, the person's own yes or no, and nothing else counts. */
#include "jobscene.h"

static void ads(int64_t release)
{
	sc.cat[0] = (struct conf_category_rule){
		.category = CAT_ADVERTISING, .consent = true, .consent_in_ms = 24 * HR_MS
	};
	sc.conf.n_category_rules = 1;
	scene_reload();
	scene_release(release, PRIO_NORMAL, CAT_ADVERTISING);
}
/* A lot of another part of this release to contacts 1..n, who exist. */
static int64_t again_to(int64_t release, int n)
{
	int64_t first = sc.next_delivery, lot = scene_lot(release, 1, 1, 1, n);

	scene_exec("UPDATE delivery SET contact_id=id-%lld, target_id=id-%lld WHERE lot_id=%lld",
		(long long)first - 1, (long long)first - 1, (long long)lot);
	scene_run(3000);
	return first;
}
static int64_t state_of(int64_t delivery)
{
	return scene_i64("SELECT state FROM delivery WHERE id=%lld", (long long)delivery);
}
static int64_t known(int state)
{
	return scene_i64("SELECT count(*) FROM consent WHERE state=%d", state);
}

/* So many contacts get the message that asks; release 6 is there for what comes after it. */
static void asked(int n)
{
	ads(5);
	scene_release(6, PRIO_NORMAL, CAT_ADVERTISING);
	sc.asks = true;
	scene_start();
	scene_lot(5, 0, 1, 1, n);
	scene_run(3000);
}

static void without_consent_there_is_no_advertising(void **state)
{
	UNUSED(state);
	ads(5);
	scene_start();
	scene_lot(5, 0, 1, 1, 3);
	scene_run(3000);
	assert_int_equal(fake.n_published, 0);
	assert_int_equal(scene_state(DLV_SUPPRESSED), 3);
	assert_int_equal(scene_i64("SELECT count(*) FROM step WHERE name='!why' AND value LIKE "
				   "'%%has not agreed to advertising'"),
		3);
	scene_lot(1, 0, 1, 1, 3); /* a public notice is none */
	scene_run(3000);
	assert_int_equal(fake.n_published, 3);
}

static void each_contact_is_asked_once_and_never_again(void **state)
{
	UNUSED(state);
	asked(3);
	assert_int_equal(fake.n_published, 3);
	assert_int_equal(known(1), 3);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM audit WHERE what='consent' AND now='asked' "
			  "AND subject NOT LIKE '%%x.example%%'"),
		3);
	int64_t d = again_to(6, 3);
	assert_int_equal(fake.n_published, 3);
	assert_int_equal(state_of(d), DLV_SUPPRESSED);
	scene_run(72 * HR_MS); /* silence is a no, for good */
	assert_int_equal(known(1), 3);
}

/* Both messages are read while nobody was asked yet: the second look is at the intent. */
static void of_two_that_ask_at_the_same_time_one_goes(void **state)
{
	UNUSED(state);
	ads(5);
	scene_release(6, PRIO_NORMAL, CAT_ADVERTISING);
	sc.asks = true;
	scene_lot(5, 0, 1, 1, 3);
	scene_lot(6, 0, 1, 1, 3);
	scene_exec("UPDATE delivery SET contact_id=id-3, target_id=id-3 WHERE id>3");
	scene_start();
	scene_run(HR_MS);
	assert_int_equal(fake.n_published, 3);
	assert_int_equal(known(1), 3);
	assert_int_equal(scene_state(DLV_ACCEPTED), 3);
	assert_int_equal(scene_state(DLV_SUPPRESSED), 3);
}

static struct fake_answer put_off;
static struct fake_answer script_put_off(const struct chan_op *op)
{
	UNUSED(op);
	return put_off;
}
static void a_question_that_did_not_reach_anybody_is_asked_again(void **state)
{
	UNUSED(state);
	ads(5);
	sc.asks = true;
	fake.script = script_put_off;
	put_off = (struct fake_answer){ .outcome = LT_DEFERRED, .unpublished = true };
	scene_start();
	scene_lot(5, 0, 1, 1, 1);
	scene_run(1000);
	assert_int_equal(fake.n_published, 0);
	assert_int_equal(known(1), 1);
	put_off = (struct fake_answer){ .outcome = LT_ACCEPTED };
	scene_run(10 * MIN_MS);
	assert_int_equal(fake.n_published, 1);
	assert_int_equal(scene_state(DLV_ACCEPTED), 1);
}

static void a_yes_within_a_day_is_consent_and_is_kept_with_its_evidence(void **state)
{
	UNUSED(state);
	asked(4);
	inbound_as(false, LT_IN_TEXT, "a1@x.example", "đồng ý", NULL, "1");
	inbound_as(false, LT_IN_TEXT, "a2@x.example", "Y", NULL, "2");
	inbound_as(false, LT_IN_TEXT, "a3@x.example", "TC", NULL, "3");
	scene_run(25 * HR_MS);
	inbound_as(
		false, LT_IN_TEXT, "a4@x.example", "DK", NULL, "4"); /* too late for a bare word */
	assert_int_equal(known(2), 2);
	assert_int_equal(known(3), 1);
	assert_int_equal(known(1), 1);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM consent WHERE way='inbound:mail' AND evidence "
			  "LIKE 'inbound:%%' AND at>0 AND asked_at>0"),
		3);
	sc.asks = false;
	int64_t d = again_to(6, 4);
	assert_int_equal(state_of(d), DLV_ACCEPTED);
	assert_int_equal(state_of(d + 1), DLV_ACCEPTED);
	assert_int_equal(state_of(d + 2), DLV_SUPPRESSED);
	assert_int_equal(state_of(d + 3), DLV_SUPPRESSED);
}

static void clear_words_are_consent_at_any_time_and_bare_ones_only_as_an_answer(void **state)
{
	UNUSED(state);
	ads(5);
	scene_start();
	scene_lot(1, 0, 1, 1, 4); /* a1 .. a4 are known */
	scene_run(3000);
	inbound_as(false, LT_IN_TEXT, "a1@x.example", "DK QC", NULL, "1");
	inbound_as(false, LT_IN_TEXT, "a2@x.example", "Yes", NULL, "2");
	inbound_as(false, LT_IN_TEXT, "a3@x.example", "DK QC của tôi đâu?", NULL, "3");
	assert_int_equal(known(2), 1);
	assert_int_equal(scene_i64("SELECT count(*) FROM consent"), 1);
	int64_t d = again_to(5, 3);
	assert_int_equal(state_of(d), DLV_ACCEPTED);
	assert_int_equal(state_of(d + 1), DLV_SUPPRESSED);
}

static void a_no_after_a_yes_is_a_no_and_the_other_way_round(void **state)
{
	UNUSED(state);
	ads(5);
	scene_release(6, PRIO_NORMAL, CAT_ADVERTISING);
	scene_release(7, PRIO_NORMAL, CAT_ADVERTISING);
	scene_start();
	scene_lot(1, 0, 1, 1, 1);
	scene_run(3000);
	inbound_as(false, LT_IN_TEXT, "a1@x.example", "DKQC", NULL, "1");
	int64_t d = again_to(5, 1);
	assert_int_equal(state_of(d), DLV_ACCEPTED);
	inbound_as(false, LT_IN_TEXT, "a1@x.example", "TC", NULL, "2");
	assert_int_equal(known(3), 1);
	d = again_to(6, 1);
	assert_int_equal(state_of(d), DLV_SUPPRESSED);
	scene_exec(
		"UPDATE suppression SET list='!advertising'"); /* as an answer to advertising is kept */
	inbound_as(false, LT_IN_TEXT, "a1@x.example", "DKQC", NULL, "3");
	assert_int_equal(known(2), 1);
	assert_int_equal(scene_i64("SELECT count(*) FROM suppression"), 0);
	d = again_to(7, 1);
	assert_int_equal(state_of(d), DLV_ACCEPTED);
}

static void a_crash_never_asks_twice(void **state)
{
	UNUSED(state);
	ads(5);
	scene_release(6, PRIO_NORMAL, CAT_ADVERTISING);
	sc.asks = true;
	scene_start();
	scene_lot(5, 0, 1, 1, 200);
	for (int i = 0; i < 6; i++) {
		scene_run(1 + i * 7);
		scene_crash();
		scene_restart();
	}
	scene_run(10000);
	int64_t asked = known(1);
	assert_int_equal(scene_state(DLV_WAITING) + scene_state(DLV_SENDING), 0);
	assert_int_equal(asked, 200);
	uint64_t went = fake.n_published;
	(void)again_to(6, 200);
	assert_int_equal(fake.n_published, went);
	assert_int_equal(fake.n_doubles, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(without_consent_there_is_no_advertising),
		T(each_contact_is_asked_once_and_never_again),
		T(of_two_that_ask_at_the_same_time_one_goes),
		T(a_question_that_did_not_reach_anybody_is_asked_again),
		T(a_yes_within_a_day_is_consent_and_is_kept_with_its_evidence),
		T(clear_words_are_consent_at_any_time_and_bare_ones_only_as_an_answer),
		T(a_no_after_a_yes_is_a_no_and_the_other_way_round),
		T(a_crash_never_asks_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
