/* test_faults.c - links that die, lie or are told to stop, and what the session makes of it. */
#include "smpp_play.h"

static void an_unbind_from_the_peer_is_answered_and_the_link_made_anew(void **state)
{
	struct play *p = play_bound();
	size_t op = play_send(p, "+84910000001", ONE);

	(void)state;
	sh_turn(p->h);
	struct pdu d = play_want(p, 0, SMPP_SUBMIT_SM);
	play_say(p, 0, SMPP_UNBIND, 0, 9, "", 0);
	assert_int_equal(play_want(p, 0, SMPP_UNBIND | SMPP_RESP).seq, 9);
	assert_int_equal(p->h->slots, 0);
	play_ok(p, 0, d.seq, "still"); /* answers that are owed are waited for */
	assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
	sh_advance(p->h, 2500);
	assert_int_equal(p->h->n_streams, 2);
	sh_opened(p->h, 1, "");
	d = play_want(p, 1, SMPP_BIND_TRX);
	play_say(p, 1, SMPP_BIND_TRX | SMPP_RESP, 0, d.seq, "smsc", 5);
	assert_int_equal(p->h->slots, 500);
	play_free(p);
}

static void a_half_open_link_is_found_and_dropped(void **state)
{
	struct play *p = play_bound();

	(void)state;
	sh_advance(p->h, 30500);
	(void)play_want(p, 0, SMPP_ENQUIRE_LINK);
	assert_false(p->h->streams[0]->closing);
	sh_advance(p->h, 10500);
	assert_true(p->h->streams[0]->closing && p->h->streams[0]->reset);
	assert_int_equal(p->h->slots, 0);
	play_free(p);
}

static void an_answered_enquire_link_keeps_the_link(void **state)
{
	struct play *p = play_bound();

	(void)state;
	for (int i = 0; i < 5; i++) {
		sh_advance(p->h, 30500);
		struct pdu d = play_want(p, 0, SMPP_ENQUIRE_LINK);
		play_say(p, 0, SMPP_ENQUIRE_LINK | SMPP_RESP, 0, d.seq, "", 0);
	}
	assert_false(p->h->streams[0]->closing);
	play_say(p, 0, SMPP_ENQUIRE_LINK, 0, 77, "", 0);
	assert_int_equal(play_want(p, 0, SMPP_ENQUIRE_LINK | SMPP_RESP).seq, 77);
	play_free(p);
}

static void a_cut_with_500_outstanding_makes_500_unknown_and_none_again(void **state)
{
	struct play *p = play_bound();
	size_t first = 0;

	(void)state;
	for (int i = 0; i < 500; i++) {
		size_t op = play_send(p, "+84910000001", ONE);
		first = i == 0 ? op : first;
	}
	sh_turn(p->h);
	sh_closed(p->h, 0, -104, "", "connection reset by peer");
	assert_int_equal(play_results(p, first, 500, LT_UNKNOWN), 500);
	sh_advance(p->h, 2500);
	sh_opened(p->h, 1, "");
	struct pdu d = play_want(p, 1, SMPP_BIND_TRX), e;
	play_say(p, 1, SMPP_BIND_TRX | SMPP_RESP, 0, d.seq, "smsc", 5);
	sh_advance(p->h, 5000);
	assert_false(play_next(p, 1, &e));
	play_free(p);
}

static void what_the_kernel_did_not_take_was_not_sent(void **state)
{
	struct play *p = play_bound();
	size_t a = play_send(p, "+84910000001", ONE);

	(void)state;
	sh_turn(p->h);
	p->h->streams[0]->hold = true;
	size_t b = play_send(p, "+84910000002", ONE);
	sh_turn(p->h);
	p->h->streams[0]->flushed = p->h->streams[0]->out.n - 1; /* all but its last byte */
	sh_closed(p->h, 0, -104, "", "connection reset by peer");
	assert_int_equal(sh_result(p->h, a)->outcome, LT_UNKNOWN);
	assert_int_equal(sh_result(p->h, b)->outcome, LT_DEFERRED);
	assert_int_equal(sh_result(p->h, b)->flags, LT_R_FREE);
	play_free(p);
}

static void lengths_of_8_and_of_4_gb_are_nacked_and_the_link_made_anew(void **state)
{
	static const char *const heads[] = { "\0\0\0\10\0\0\0\4\0\0\0\0\0\0\0\1",
		"\xff\xff\xff\xff\0\0\0\4\0\0\0\0\0\0\0\1" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct play *p = play_bound();
		size_t op = play_send(p, "+84910000001", ONE);
		sh_turn(p->h);
		(void)play_want(p, 0, SMPP_SUBMIT_SM);
		sh_data_n(p->h, 0, heads[i], 16);
		struct pdu d = play_want(p, 0, SMPP_GENERIC_NACK);
		assert_true(d.seq == 0 && d.status == SMPP_RINVCMDLEN);
		assert_true(p->h->streams[0]->closing);
		assert_int_equal(sh_result(p->h, op)->outcome, LT_UNKNOWN);
		play_free(p);
	}
}

static void a_generic_nack_refuses_its_request_or_drops_the_link(void **state)
{
	struct play *p = play_bound();
	size_t a = play_send(p, "+84910000001", ONE), b = play_send(p, "+84910000002", ONE);

	(void)state;
	sh_turn(p->h);
	struct pdu d = play_want(p, 0, SMPP_SUBMIT_SM);
	play_say(p, 0, SMPP_GENERIC_NACK, SMPP_RINVCMDID, d.seq, "", 0);
	assert_int_equal(sh_result(p->h, a)->outcome, LT_REFUSED);
	assert_int_equal(sh_result(p->h, a)->scope, LT_SCOPE_RELEASE);
	play_say(p, 0, SMPP_GENERIC_NACK, SMPP_RINVCMDLEN, 0, "", 0);
	assert_int_equal(sh_result(p->h, b)->outcome, LT_UNKNOWN);
	assert_true(p->h->streams[0]->closing);
	play_free(p);
}

static void unknown_requests_are_nacked_unknown_answers_ignored(void **state)
{
	struct play *p = play_bound();
	struct pdu d;

	(void)state;
	play_say(p, 0, 0x112, 0, 55, "abc", 3);
	d = play_want(p, 0, SMPP_GENERIC_NACK);
	assert_true(d.seq == 55 && d.status == SMPP_RINVCMDID);
	play_say(p, 0, 0x80000112u, 0, 56, "abc", 3);
	play_ok(p, 0, 4711, "nobody");
	play_say(p, 0, SMPP_ALERT, 0, 57, "abc", 3);
	play_say(p, 0, SMPP_OUTBIND, 0, 58, "abc", 3);
	assert_false(play_next(p, 0, &d));
	assert_false(p->h->streams[0]->closing);
	play_free(p);
}

static void a_stop_drains_unbinds_and_closes(void **state)
{
	struct play *p = play_bound();
	size_t op = play_send(p, "+84910000001", ONE);
	struct pdu d, e;

	(void)state;
	sh_turn(p->h);
	d = play_want(p, 0, SMPP_SUBMIT_SM);
	sh_shutdown(p->h, p->session);
	sh_turn(p->h);
	assert_false(play_next(p, 0, &e)); /* an answer is still owed */
	play_ok(p, 0, d.seq, "1");
	assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
	d = play_want(p, 0, SMPP_UNBIND);
	assert_false(sh_result(p->h, p->session)->done);
	play_say(p, 0, SMPP_UNBIND | SMPP_RESP, 0, d.seq, "", 0);
	sh_advance(p->h, 10);
	assert_true(sh_result(p->h, p->session)->done);
	assert_int_equal(sh_result(p->h, p->session)->outcome, LT_ACCEPTED);
	play_free(p);
}

static void a_stop_with_an_answer_owed_waits_without_turning_round(void **state)
{
	struct play *p = play_bound();
	struct pdu d;

	(void)state;
	(void)play_send(p, "+84910000001", ONE);
	sh_turn(p->h);
	d = play_want(p, 0, SMPP_SUBMIT_SM);
	sh_shutdown(p->h, p->session);
	sh_advance(p->h, 5000); /* longer than receipts are waited for */
	for (size_t i = 0; i < p->h->n_wakes; i++)
		assert_true(p->h->wakes[i].at > p->h->mono);
	play_ok(p, 0, d.seq, "1");
	(void)play_want(p, 0, SMPP_UNBIND);
	play_free(p);
}

static void a_cancel_keeps_back_what_has_not_left(void **state)
{
	struct play *p = play_bound();
	size_t a = play_send(p, "+84910000001", ONE);
	struct pdu d;

	(void)state;
	sh_cancel(p->h, a); /* before the end of the turn */
	sh_turn(p->h);
	assert_int_equal(sh_result(p->h, a)->outcome, LT_DEFERRED);
	assert_false(play_next(p, 0, &d));
	size_t b = play_send(p, "+84910000002", ONE);
	sh_turn(p->h);
	d = play_want(p, 0, SMPP_SUBMIT_SM);
	sh_cancel(p->h, b);
	assert_false(sh_result(p->h, b)->done); /* only the answer can tell now */
	play_ok(p, 0, d.seq, "1");
	assert_int_equal(sh_result(p->h, b)->outcome, LT_ACCEPTED);
	play_free(p);
}

/* Gathered, and the host had no room for it: it is ours still, and the others behind it go without it. */
static void a_cancel_takes_back_what_the_host_has_not_taken(void **state)
{
	struct play *p = play_bound();
	struct pdu d;

	(void)state;
	p->h->streams[0]->refuse_again = true;
	size_t a = play_send(p, "+84910000001", ONE), b = play_send(p, "+84910000002", ONE);
	sh_turn(p->h);
	assert_false(play_next(p, 0, &d));
	sh_cancel(p->h, a);
	assert_int_equal(sh_result(p->h, a)->outcome, LT_DEFERRED);
	assert_int_equal(sh_result(p->h, a)->flags, LT_R_FREE);
	sh_drain(p->h, 0);
	d = play_want(p, 0, SMPP_SUBMIT_SM);
	assert_true(ltc_eqz(d.sm.dest, "84910000002"));
	play_ok(p, 0, d.seq, "1");
	assert_int_equal(sh_result(p->h, b)->outcome, LT_ACCEPTED);
	sh_advance(p->h, 5000);
	assert_false(play_next(p, 0, &d));
	play_free(p);
}

static void a_refused_bind_without_a_body_ends_the_session_with_its_reason(void **state)
{
	struct play *p = play_new();

	(void)state;
	assert_int_equal(sh_open(p->h), 0);
	p->session = sh_session(p->h);
	sh_turn(p->h);
	sh_opened(p->h, 0, "");
	struct pdu d = play_want(p, 0, SMPP_BIND_TRX);
	struct smpp_bind v;
	assert_int_equal(smpp_read_bind((struct lt_str){ d.body, d.n }, &v), 0);
	assert_true(ltc_eqz(v.system_id, "bhxh") && ltc_eqz(v.password, "bimat77") &&
		v.version == 0x34);
	play_say(p, 0, SMPP_BIND_TRX | SMPP_RESP, 0x0e, d.seq, "", 0);
	sh_turn(p->h);
	struct sh_result *r = sh_result(p->h, p->session);
	assert_true(r->done);
	assert_int_equal(r->outcome, LT_DEFERRED);
	assert_string_equal(r->code, "0x0E ESME_RINVPASWD");
	assert_int_equal(r->retry_after_ms, 60000);
	play_free(p);
}

static void two_connections_where_the_server_has_no_transceiver(void **state)
{
	struct play *p = play_new();

	(void)state;
	sh_conf(p->h, "mode", "transmitter+receiver");
	assert_int_equal(sh_open(p->h), 0);
	p->session = sh_session(p->h);
	sh_turn(p->h);
	assert_int_equal(p->h->n_streams, 2);
	sh_opened(p->h, 0, "");
	sh_opened(p->h, 1, "");
	struct pdu tx = play_want(p, 0, SMPP_BIND_TX), rx = play_want(p, 1, SMPP_BIND_RX);
	play_say(p, 1, SMPP_BIND_RX | SMPP_RESP, 0, rx.seq, "s", 2);
	assert_int_equal(p->h->slots, 0);
	play_say(p, 0, SMPP_BIND_TX | SMPP_RESP, 0, tx.seq, "s", 2);
	assert_int_equal(p->h->slots, 500);
	size_t op = play_send(p, "+84910000001", ONE);
	sh_turn(p->h);
	struct pdu d = play_want(p, 0, SMPP_SUBMIT_SM);
	play_report(p, 1, 3, "id:7 stat:DELIVRD"); /* on the other one, and before the answer */
	play_ok(p, 0, d.seq, "7");
	assert_int_equal(sh_result(p->h, op)->outcome, LT_ACCEPTED);
	assert_int_equal(play_want(p, 1, SMPP_DELIVER_SM | SMPP_RESP).seq, 3);
	play_free(p);
}

static void several_binds_share_the_work_and_outlive_each_other(void **state)
{
	struct play *p = play_new();
	struct pdu d;

	(void)state;
	sh_conf(p->h, "binds", "2");
	sh_conf(p->h, "window", "1");
	play_bind(p);
	sh_opened(p->h, 1, "");
	d = play_want(p, 1, SMPP_BIND_TRX);
	play_say(p, 1, SMPP_BIND_TRX | SMPP_RESP, 0, d.seq, "s", 2);
	assert_int_equal(p->h->slots, 2);
	size_t a = play_send(p, "+84910000001", ONE), b = play_send(p, "+84910000002", ONE);
	sh_turn(p->h);
	struct pdu on0 = play_want(p, 0, SMPP_SUBMIT_SM), on1 = play_want(p, 1, SMPP_SUBMIT_SM);
	sh_closed(p->h, 0, -104, "", "reset");
	play_ok(p, 1, on1.seq, "1");
	assert_int_equal(play_results(p, a, 2, LT_ACCEPTED), 1);
	assert_int_equal(play_results(p, a, 2, LT_UNKNOWN), 1);
	assert_int_equal(p->h->slots, 1);
	assert_true(on0.seq > 0 && b > a);
	play_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unbind_from_the_peer_is_answered_and_the_link_made_anew),
		cmocka_unit_test(a_half_open_link_is_found_and_dropped),
		cmocka_unit_test(an_answered_enquire_link_keeps_the_link),
		cmocka_unit_test(a_cut_with_500_outstanding_makes_500_unknown_and_none_again),
		cmocka_unit_test(what_the_kernel_did_not_take_was_not_sent),
		cmocka_unit_test(lengths_of_8_and_of_4_gb_are_nacked_and_the_link_made_anew),
		cmocka_unit_test(a_generic_nack_refuses_its_request_or_drops_the_link),
		cmocka_unit_test(unknown_requests_are_nacked_unknown_answers_ignored),
		cmocka_unit_test(a_stop_drains_unbinds_and_closes),
		cmocka_unit_test(a_stop_with_an_answer_owed_waits_without_turning_round),
		cmocka_unit_test(a_cancel_keeps_back_what_has_not_left),
		cmocka_unit_test(a_cancel_takes_back_what_the_host_has_not_taken),
		cmocka_unit_test(a_refused_bind_without_a_body_ends_the_session_with_its_reason),
		cmocka_unit_test(two_connections_where_the_server_has_no_transceiver),
		cmocka_unit_test(several_binds_share_the_work_and_outlive_each_other),
	};
	return cmocka_run_group_tests_name("smpp/faults", tests, NULL, NULL);
}
