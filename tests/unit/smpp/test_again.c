/* test_again.c - a text of which a part is out: when its put-off segment goes again, and when it does not (contract 1.5, 1.9). */
#include "smpp_play.h"

/* A text of two segments; the first is accepted, the second refused with `status`. Returns the op. */
static size_t half_sent(struct play *p, uint32_t status)
{
	size_t op = play_send(p, "+84910000001", TWO);

	sh_turn(p->h);
	struct pdu a = play_want(p, 0, SMPP_SUBMIT_SM), b = play_want(p, 0, SMPP_SUBMIT_SM);
	play_ok(p, 0, a.seq, "first");
	play_say(p, 0, SMPP_SUBMIT_SM | SMPP_RESP, status, b.seq, "", 0);
	sh_turn(p->h);
	return op;
}

/* Next submit; what the link asks meanwhile is answered. */
static bool next_submit(struct play *p, size_t i, struct pdu *d)
{
	while (play_next(p, i, d)) {
		if (d->id == SMPP_SUBMIT_SM)
			return true;
		assert_int_equal(d->id, SMPP_ENQUIRE_LINK);
		play_say(p, i, SMPP_ENQUIRE_LINK | SMPP_RESP, 0, d->seq, "", 0);
	}
	return false;
}

/* Second by second, and alive; every submit gets `status`. How many came. */
static int refuse_for(struct play *p, int seconds, uint32_t status)
{
	struct pdu d;
	int n = 0;

	for (int i = 0; i < seconds; i++) {
		sh_advance(p->h, 1000);
		while (next_submit(p, 0, &d)) {
			play_say(p, 0, SMPP_SUBMIT_SM | SMPP_RESP, status, d.seq, "", 0);
			n++;
		}
		sh_turn(p->h);
	}
	return n;
}

static void a_segment_that_was_put_off_waits_longer_each_time(void **state)
{
	struct play *p = play_bound();
	size_t op = half_sent(p, 0x64);
	struct pdu d;

	(void)state;
	for (int64_t wait = 1000; wait <= 4000; wait *= 2) {
		sh_advance(p->h, wait - 100);
		assert_false(next_submit(p, 0, &d));
		sh_advance(p->h, 200);
		assert_true(next_submit(p, 0, &d));
		assert_false(sh_result(p->h, op)->done);
		play_say(p, 0, SMPP_SUBMIT_SM | SMPP_RESP, 0x64, d.seq, "", 0);
	}
	sh_advance(p->h, 8200);
	assert_true(next_submit(p, 0, &d));
	play_ok(p, 0, d.seq, "second");
	assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
	assert_int_equal(sh_result(p->h, op)->n_ids, 2);
	play_free(p);
}

static void the_pause_of_the_table_is_kept(void **state)
{
	static const struct {
		uint32_t status;
		int64_t wait;
	} rows[] = { { 0x08, 30000 }, { 0x45, 10000 }, { 0xff, 30000 }, { 0x400, 30000 },
		{ 0x102, 60000 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct play *p = play_bound();
		size_t op = half_sent(p, rows[i].status);
		struct pdu d;
		for (int64_t t = 5000; t < rows[i].wait; t += 5000) {
			sh_advance(p->h, 5000);
			assert_false(next_submit(p, 0, &d));
		}
		sh_advance(p->h, 4900);
		assert_false(next_submit(p, 0, &d));
		sh_advance(p->h, 200);
		assert_true(next_submit(p, 0, &d));
		play_ok(p, 0, d.seq, "second");
		assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
		play_free(p);
	}
}

static void a_segment_that_is_put_off_too_often_leaves_the_text_unknown(void **state)
{
	struct play *p = play_bound();
	size_t op = half_sent(p, 0x64);

	(void)state;
	assert_int_equal(refuse_for(p, 40, 0x64), 5);
	assert_int_equal(sh_result(p->h, op)->outcome, LT_UNKNOWN);
	assert_string_equal(sh_result(p->h, op)->code, "part");
	assert_non_null(strstr(sh_result(p->h, op)->text, "0x64"));
	assert_int_equal(sh_result(p->h, op)->scope, LT_SCOPE_TARGET);
	play_free(p);
}

/* Throttling spends nothing: pauses of 1, 2, 4 ... 60 s, for as long as the op has time. */
static void a_long_storm_does_not_spend_the_tries_of_a_segment(void **state)
{
	struct play *p = play_bound();
	size_t op = half_sent(p, 0x58);
	struct pdu d;

	(void)state;
	assert_true(refuse_for(p, 200, 0x58) > 6);
	assert_false(sh_result(p->h, op)->done);
	for (int i = 0; i < 70 && !sh_result(p->h, op)->done; i++) {
		sh_advance(p->h, 1000);
		if (next_submit(p, 0, &d))
			play_ok(p, 0, d.seq, "second");
	}
	assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
	play_free(p);
}

/* Nobody is let in any more: the account hears of it, and no byte more goes out for this text. */
static void what_needs_a_person_is_told_as_the_accounts_and_not_sent_again(void **state)
{
	static const uint32_t statuses[] = { 0x0e, 0x53, 0x100 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct play *p = play_bound();
		size_t op = half_sent(p, statuses[i]);
		struct pdu d;
		assert_int_equal(sh_result(p->h, op)->outcome, LT_UNKNOWN);
		assert_int_equal(sh_result(p->h, op)->scope, LT_SCOPE_ACCOUNT);
		sh_advance(p->h, 500);
		assert_false(next_submit(p, 0, &d));
		play_free(p);
	}
}

static void a_put_off_segment_holds_up_no_other_text(void **state)
{
	struct play *p = play_new();
	struct pdu d;

	(void)state;
	sh_conf(p->h, "window", "2");
	play_bind(p);
	(void)half_sent(p, 0x08);
	assert_int_equal(p->h->slots, 2);
	size_t op = play_send(p, "+84910000002", ONE);
	sh_turn(p->h);
	assert_true(next_submit(p, 0, &d));
	assert_true(ltc_eqz(d.sm.dest, "84910000002"));
	play_ok(p, 0, d.seq, "other");
	assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
	assert_int_equal(p->h->slots, 2);
	play_free(p);
}

/* A wait that ends behind the op's time is no wait. */
static void a_pause_that_is_longer_than_the_op_has_time_ends_it(void **state)
{
	struct play *p = play_bound();
	size_t op = sh_op(p->h, p->session, "+84910000001", "ref", TWO, 0);

	(void)state;
	p->h->jobs[op]->work.deadline_ms = p->h->mono + 20000;
	assert_int_equal(sh_start(p->h, op, 1), 0);
	sh_turn(p->h);
	struct pdu a = play_want(p, 0, SMPP_SUBMIT_SM), b = play_want(p, 0, SMPP_SUBMIT_SM);
	play_ok(p, 0, a.seq, "first");
	play_say(p, 0, SMPP_SUBMIT_SM | SMPP_RESP, 0x08, b.seq, "", 0);
	assert_int_equal(sh_result(p->h, op)->outcome, LT_UNKNOWN);
	assert_non_null(strstr(sh_result(p->h, op)->text, "0x08"));
	play_free(p);
}

/* The host may have been told to stop meanwhile: it is asked, and what it stopped is not sent. */
static void the_host_is_asked_before_a_put_off_segment_goes_again(void **state)
{
	struct play *p = play_bound();
	struct pdu d;

	(void)state;
	p->h->auto_go = false;
	size_t op = half_sent(p, 0x64);
	assert_null(sh_last_note(p->h, "intent"));
	sh_advance(p->h, 1200);
	assert_non_null(sh_last_note(p->h, "intent"));
	assert_false(next_submit(p, 0, &d));
	sh_cancel(p->h, op);
	sh_turn(p->h);
	assert_int_equal(sh_result(p->h, op)->outcome, LT_UNKNOWN);
	assert_non_null(strstr(sh_result(p->h, op)->text, "0x64"));
	sh_advance(p->h, 20000);
	assert_false(next_submit(p, 0, &d));
	assert_int_equal(p->h->slots, 500);
	play_free(p);
}

static void a_stop_of_the_session_does_not_wait_for_a_put_off_segment(void **state)
{
	struct play *p = play_bound();
	size_t op = half_sent(p, 0x08);

	(void)state;
	sh_shutdown(p->h, p->session);
	sh_turn(p->h);
	assert_int_equal(sh_result(p->h, op)->outcome, LT_UNKNOWN);
	struct pdu d = play_want(p, 0, SMPP_UNBIND);
	play_say(p, 0, SMPP_UNBIND | SMPP_RESP, 0, d.seq, "", 0);
	sh_advance(p->h, 10);
	assert_true(sh_result(p->h, p->session)->done);
	play_free(p);
}

static void a_segment_whose_time_came_while_the_link_was_down_goes_on_the_next(void **state)
{
	struct play *p = play_bound();
	size_t op = half_sent(p, 0x64);

	(void)state;
	sh_closed(p->h, 0, -104, "", "reset");
	sh_advance(p->h, 2500);
	assert_int_equal(p->h->n_streams, 2);
	for (size_t i = 0; i < p->h->n_wakes; i++) /* and nothing turns round meanwhile */
		assert_true(p->h->wakes[i].at > p->h->mono);
	sh_opened(p->h, 1, "");
	struct pdu d = play_want(p, 1, SMPP_BIND_TRX);
	play_say(p, 1, SMPP_BIND_TRX | SMPP_RESP, 0, d.seq, "smsc", 5);
	sh_turn(p->h);
	assert_true(next_submit(p, 1, &d));
	play_ok(p, 1, d.seq, "second");
	assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
	play_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_segment_that_was_put_off_waits_longer_each_time),
		cmocka_unit_test(the_pause_of_the_table_is_kept),
		cmocka_unit_test(a_segment_that_is_put_off_too_often_leaves_the_text_unknown),
		cmocka_unit_test(a_long_storm_does_not_spend_the_tries_of_a_segment),
		cmocka_unit_test(what_needs_a_person_is_told_as_the_accounts_and_not_sent_again),
		cmocka_unit_test(a_put_off_segment_holds_up_no_other_text),
		cmocka_unit_test(a_pause_that_is_longer_than_the_op_has_time_ends_it),
		cmocka_unit_test(the_host_is_asked_before_a_put_off_segment_goes_again),
		cmocka_unit_test(a_stop_of_the_session_does_not_wait_for_a_put_off_segment),
		cmocka_unit_test(
			a_segment_whose_time_came_while_the_link_was_down_goes_on_the_next),
	};
	return cmocka_run_group_tests_name("smpp/again", tests, NULL, NULL);
}
