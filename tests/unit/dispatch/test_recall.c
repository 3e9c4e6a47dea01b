/* test_recall.c - taking back: asked and begun are committed before the call, a crash asks anew, an end is a fact beside the state. */
#include "scene.h"
#include "dispatch/dispatch_recall.h"

static struct {
	int n, rc;
	int64_t asked, by_kind[16];
} answer;

static void on_asked(
	void *ctx, int rc, const struct err *e, int64_t asked, const int64_t by_kind[16])
{
	UNUSED(ctx);
	UNUSED(e);
	answer.n++;
	answer.rc = rc;
	answer.asked = asked;
	memcpy(answer.by_kind, by_kind, sizeof(answer.by_kind));
}

static void recall(int64_t office, int part)
{
	const struct recall_request r = { .release_id = 1,
		.office_id = office,
		.part = part,
		.subject = "release:R1@2026",
		.person = "Lan",
		.via = "uid:7",
		.why = "a wrong date",
		.done = on_asked };

	memset(&answer, 0, sizeof(answer));
	dispatch_recall(sc.d, &r);
	assert_int_equal(answer.n, 0);
	scene_settle();
	assert_int_equal(answer.n, 1);
}

/* Three of the centre, two of ha-noi, accepted on the channel that can take back. */
static void published(void)
{
	scene_open(3);
	fake.ch[0].caps |= LT_CAP_RECALL;
	scene_reload();
	scene_release(1, 1, 1);
	(void)scene_lot(1, 0, 1, 1, 3);
	(void)scene_lot(1, 0, 1, 2, 2);
	scene_start();
	scene_run(5000);
	assert_int_equal(scene_state(DLV_ACCEPTED), 5);
	fake.n_questions = 0;
	fake.outcome_of_question = LT_ACCEPTED;
}

static int64_t rows(int state)
{
	return scene_i64("SELECT count(*) FROM recall WHERE state=%d", state);
}

static void each_is_asked_once_and_gone(void **state)
{
	(void)state;
	published();
	recall(2, -1);
	assert_int_equal(answer.rc, 0);
	assert_int_equal(answer.asked, 2);
	assert_int_equal(answer.by_kind[KIND_EMAIL], 2);
	scene_run(10000);
	assert_int_equal(rows(RECALL_GONE), 2);
	assert_int_equal(fake.n_questions, 2);
	recall(0, -1); /* the rest; those that are gone are not asked again */
	assert_int_equal(answer.asked, 3);
	scene_run(10000);
	assert_int_equal(rows(RECALL_GONE), 5);
	assert_int_equal(fake.n_questions, 5);
	assert_int_equal(scene_state(DLV_ACCEPTED), 5); /* beside the state */
	assert_int_equal(scene_i64("SELECT count(*) FROM audit WHERE what='delivery.recalled'"), 5);
	scene_close();
}

static void a_channel_that_cannot_is_not_asked(void **state)
{
	(void)state;
	published();
	fake.ch[0].caps &= ~(uint64_t)LT_CAP_RECALL;
	recall(0, -1);
	assert_int_equal(answer.asked, 0);
	scene_run(5000);
	assert_int_equal(fake.n_questions, 0);
	scene_close();
}

static void a_refusal_is_kept_with_its_words_and_may_be_asked_again(void **state)
{
	(void)state;
	published();
	fake.outcome_of_question = LT_REFUSED;
	recall(2, -1);
	scene_run(10000);
	assert_int_equal(rows(RECALL_REFUSED), 2);
	assert_int_equal(scene_i64("SELECT count(*) FROM recall WHERE code='asked'"), 2);
	fake.outcome_of_question = LT_ACCEPTED;
	recall(2, -1);
	assert_int_equal(answer.asked, 2);
	scene_run(10000);
	assert_int_equal(rows(RECALL_GONE), 2);
	scene_close();
}

static void who_never_answers_is_asked_ten_times_and_then_unknown(void **state)
{
	(void)state;
	published();
	fake.outcome_of_question = LT_UNKNOWN;
	recall(2, -1);
	scene_run(60000);
	assert_int_equal(rows(RECALL_ASKED), 2);
	assert_true(fake.n_questions >= 4 && fake.n_questions < 16);
	scene_run(3 * HR_MS);
	assert_int_equal(rows(RECALL_UNKNOWN), 2);
	assert_int_equal(fake.n_questions, 20);
	scene_close();
}

static void what_a_crash_left_under_way_is_asked_anew(void **state)
{
	(void)state;
	published();
	recall(0, -1);
	for (int i = 0; i < 400 && rows(RECALL_ON) == 0; i++)
		scene_run(1);
	assert_true(rows(RECALL_ON) > 0);
	scene_crash();
	assert_true(rows(RECALL_ON) > 0); /* begun is on disk */
	scene_restart();
	scene_run(20000);
	assert_int_equal(rows(RECALL_GONE), 5);
	assert_int_equal(rows(RECALL_ON) + rows(RECALL_ASKED), 0);
	scene_close();
}

static void what_had_not_gone_out_needs_no_call(void **state)
{
	(void)state;
	published();
	scene_exec(
		"INSERT INTO recall(delivery_id, release_id, state, tries, due, asked, at, person) "
		"SELECT id, 1, 0, 0, 0, 0, 0, 'Lan' FROM delivery LIMIT 1");
	scene_exec("UPDATE delivery SET state=4 WHERE id=(SELECT delivery_id FROM recall)");
	scene_exec("UPDATE lot SET n2=n2-1, n4=n4+1 WHERE id=(SELECT lot_id FROM delivery WHERE "
		   "state=4)");
	recall(2, 5); /* no such part: wakes it up */
	assert_int_equal(answer.asked, 0);
	scene_run(5000);
	assert_int_equal(rows(RECALL_UNNEEDED), 1);
	assert_int_equal(fake.n_questions, 0);
	scene_close();
}

static void too_many_at_once_are_refused_whole(void **state)
{
	(void)state;
	published();
	scene_exec(
		"WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM k WHERE i<%d) INSERT "
		"INTO delivery(id, lot_id, contact_id, once, state, tries, due, target_id) SELECT "
		"100000+i, 1, 100000+i, %lld, 2, 1, 0, 1 FROM k",
		RECALL_ASK_MAX, (long long)dlv_once(1, 0, KIND_EMAIL));
	recall(0, -1);
	assert_int_equal(answer.rc, -E2BIG);
	assert_int_equal(scene_i64("SELECT count(*) FROM recall"), 0);
	scene_exec("DELETE FROM delivery WHERE id>100000");
	scene_close();
}

/* More of one account, which cannot be asked now, than are read at a time: those of the others go past them. */
static void an_account_that_is_held_keeps_no_other(void **state)
{
	(void)state;
	scene_open(3);
	fake.ch[0].caps |= LT_CAP_RECALL;
	fake.ch[1].caps |= LT_CAP_RECALL;
	scene_reload();
	scene_release(1, 1, 1);
	(void)scene_lot(1, 0, 1, 1, 40);
	(void)scene_lot(1, 0, 3, 1, 3);
	scene_start();
	scene_run(5000);
	assert_int_equal(scene_state(DLV_ACCEPTED), 43);
	scene_exec("UPDATE lane SET gate=1, why='refused' WHERE id=1");
	dispatch_scan(sc.d);
	scene_settle();
	fake.n_questions = 0;
	fake.outcome_of_question = LT_ACCEPTED;
	recall(0, -1);
	assert_int_equal(answer.asked, 43);
	scene_run(30000);
	assert_int_equal(rows(RECALL_GONE), 3);
	scene_exec("UPDATE lane SET gate=0, why=NULL WHERE id=1");
	dispatch_scan(sc.d);
	scene_run(60000);
	assert_int_equal(rows(RECALL_GONE), 43);
	assert_int_equal(fake.n_questions, 43);
	scene_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_asked_once_and_gone),
		cmocka_unit_test(a_channel_that_cannot_is_not_asked),
		cmocka_unit_test(a_refusal_is_kept_with_its_words_and_may_be_asked_again),
		cmocka_unit_test(who_never_answers_is_asked_ten_times_and_then_unknown),
		cmocka_unit_test(what_a_crash_left_under_way_is_asked_anew),
		cmocka_unit_test(what_had_not_gone_out_needs_no_call),
		cmocka_unit_test(too_many_at_once_are_refused_whole),
		cmocka_unit_test(an_account_that_is_held_keeps_no_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
