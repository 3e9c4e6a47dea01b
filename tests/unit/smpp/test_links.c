/* test_links.c - what outlives a link: answers that are owed at an unbind, our reference in reports, and a session without a sender. */
#include "smpp_play.h"

static void bind_answer(struct play *p, size_t i, uint32_t bind, uint32_t status)
{
	sh_opened(p->h, i, "");
	struct pdu d = play_want(p, i, bind);
	play_say(p, i, bind | SMPP_RESP, status, d.seq, "smsc", status == 0 ? 5 : 0);
	sh_turn(p->h);
}

static void answers_that_are_owed_at_an_unbind_have_the_time_of_any_answer(void **state)
{
	struct play *p = play_bound();
	size_t a = play_send(p, "+84910000001", ONE), b = play_send(p, "+84910000002", ONE);

	(void)state;
	sh_turn(p->h);
	struct pdu d = play_want(p, 0, SMPP_SUBMIT_SM);
	(void)play_want(p, 0, SMPP_SUBMIT_SM);
	play_say(p, 0, SMPP_UNBIND, 0, 9, "", 0);
	sh_advance(p->h, 20000);
	assert_false(sh_result(p->h, a)->done);
	assert_false(p->h->streams[0]->closing);
	play_ok(p, 0, d.seq, "late enough");
	assert_int_equal(sh_result(p->h, a)->outcome, LT_ACCEPTED);
	sh_advance(p->h, 39500);
	assert_false(sh_result(p->h, b)->done);
	sh_advance(p->h, 1000); /* response_ms: nothing will come any more */
	assert_int_equal(sh_result(p->h, b)->outcome, LT_UNKNOWN);
	assert_true(p->h->streams[0]->closing);
	play_free(p);
}

static void a_peer_that_closes_behind_its_unbind_is_not_waited_for(void **state)
{
	struct play *p = play_bound();
	size_t op = play_send(p, "+84910000001", ONE);

	(void)state;
	sh_turn(p->h);
	(void)play_want(p, 0, SMPP_SUBMIT_SM);
	play_say(p, 0, SMPP_UNBIND, 0, 9, "", 0);
	sh_closed(p->h, 0, 0, "", "");
	assert_int_equal(sh_result(p->h, op)->outcome, LT_UNKNOWN);
	sh_advance(p->h, 2500);
	assert_int_equal(p->h->n_streams, 2);
	play_free(p);
}

static void on_our_status_of_no_bind_the_other_answers_are_awaited_too(void **state)
{
	struct play *p = play_bound();
	size_t a = play_send(p, "+84910000001", ONE), b = play_send(p, "+84910000002", ONE);

	(void)state;
	sh_turn(p->h);
	struct pdu d = play_want(p, 0, SMPP_SUBMIT_SM), e = play_want(p, 0, SMPP_SUBMIT_SM);
	play_say(p, 0, SMPP_SUBMIT_SM | SMPP_RESP, 0x04, d.seq, "", 0);
	assert_int_equal(sh_result(p->h, a)->outcome, LT_DEFERRED);
	sh_advance(p->h, 12000);
	play_ok(p, 0, e.seq, "2");
	assert_int_equal(sh_result(p->h, b)->outcome, LT_ACCEPTED);
	assert_true(p->h->streams[0]->closing);
	play_free(p);
}

static uint32_t ref_of(const struct pdu *d)
{
	uint32_t ref = 0;

	assert_true(smpp_tlv_u(d->sm.tlvs, SMPP_T_USER_REF, &ref));
	return ref;
}

static void report_with_ref(struct play *p, size_t i, uint32_t seq, const char *from, uint32_t ref)
{
	char tlv[6] = "\2\4\0\2", b[500];

	tlv[4] = (char)(ref >> 8);
	tlv[5] = (char)ref;
	sh_data_n(p->h, i, b,
		play_deliver(b, seq, 4, from, "id:99 stat:DELIVRD", 18, tlv, sizeof(tlv)));
}

/* The server keeps the old session for a while: the first bind of a new one is refused, and the host begins another session. */
static void our_reference_outlives_the_session(void **state)
{
	struct play *p = play_bound();
	size_t op = play_send(p, "+84910000001", ONE), cut = 0;

	(void)state;
	sh_turn(p->h);
	struct pdu d = play_want(p, 0, SMPP_SUBMIT_SM);
	uint32_t ref = ref_of(&d);
	uint64_t attempt = p->h->jobs[op]->work.attempt;
	sh_closed(p->h, 0, -104, "", "reset");
	assert_int_equal(sh_result(p->h, op)->outcome, LT_UNKNOWN);
	sh_advance(p->h, 2500);
	bind_answer(p, 1, SMPP_BIND_TRX, 0x05);
	assert_true(sh_result(p->h, p->session)->done);
	cut = p->session;
	p->session = sh_session(p->h);
	sh_turn(p->h);
	bind_answer(p, 2, SMPP_BIND_TRX, 0);
	report_with_ref(p, 2, 7, "84910000002", ref); /* not the phone of that text */
	assert_int_equal(p->h->receipt_attempt, 0);
	report_with_ref(p, 2, 8, "84910000001", ref);
	assert_int_equal(sh_last_note(p->h, "receipt")->value, LT_RC_DELIVERED);
	assert_int_equal(p->h->receipt_attempt, attempt);
	assert_true(cut != p->session);
	play_free(p);
}

static struct play *two_links(struct pdu *tx, struct pdu *rx)
{
	struct play *p = play_new();

	sh_conf(p->h, "mode", "transmitter+receiver");
	assert_int_equal(sh_open(p->h), 0);
	p->session = sh_session(p->h);
	sh_turn(p->h);
	sh_opened(p->h, 0, "");
	sh_opened(p->h, 1, "");
	*tx = play_want(p, 0, SMPP_BIND_TX);
	*rx = play_want(p, 1, SMPP_BIND_RX);
	return p;
}

static void a_refused_transmitter_ends_the_session_though_the_receiver_is_bound(void **state)
{
	struct pdu tx, rx;
	struct play *p = two_links(&tx, &rx);

	(void)state;
	play_say(p, 1, SMPP_BIND_RX | SMPP_RESP, 0, rx.seq, "s", 2);
	play_say(p, 0, SMPP_BIND_TX | SMPP_RESP, 0x0d, tx.seq, "", 0);
	sh_turn(p->h);
	assert_int_equal(p->h->slots, 0);
	assert_non_null(strstr(sh_last_note(p->h, "log")->text, "0x0D ESME_RBINDFAIL"));
	struct pdu d = play_want(p, 1, SMPP_UNBIND); /* in order: its reports are acknowledged */
	play_say(p, 1, SMPP_UNBIND | SMPP_RESP, 0, d.seq, "", 0);
	sh_advance(p->h, 10);
	struct sh_result *r = sh_result(p->h, p->session);
	assert_true(r->done);
	assert_int_equal(r->outcome, LT_DEFERRED);
	assert_int_equal(r->scope, LT_SCOPE_ACCOUNT);
	assert_string_equal(r->code, "0x0D ESME_RBINDFAIL");
	assert_int_equal(r->retry_after_ms, 60000);
	play_free(p);
}

static uint64_t kept_token;
static int receipt_kept(void *ctx, struct lt_job *job, const struct lt_receipt *r, uint64_t token)
{
	(void)ctx;
	(void)job;
	(void)r;
	kept_token = token;
	return 0;
}

/* A report that is being stored is acknowledged before the receiver goes. */
static void the_receiver_of_a_session_that_fails_goes_behind_its_reports(void **state)
{
	struct pdu tx, rx, d;
	struct play *p = two_links(&tx, &rx);
	struct lt_event saved = { .struct_size = sizeof(saved), .type = LT_EV_SAVED };

	(void)state;
	p->h->host.receipt = receipt_kept;
	play_say(p, 1, SMPP_BIND_RX | SMPP_RESP, 0, rx.seq, "s", 2);
	play_report(p, 1, 5, "id:1 stat:DELIVRD");
	play_say(p, 0, SMPP_BIND_TX | SMPP_RESP, 0x0d, tx.seq, "", 0);
	sh_turn(p->h);
	assert_false(play_next(p, 1, &d));
	saved.token = kept_token;
	(void)lantoa_adapter.event(&p->h->inst, &p->h->jobs[p->session]->job, &saved);
	sh_turn(p->h);
	assert_int_equal(play_want(p, 1, SMPP_DELIVER_SM | SMPP_RESP).seq, 5);
	(void)play_want(p, 1, SMPP_UNBIND);
	play_free(p);

	p = two_links(&tx, &rx); /* and waits three seconds at most */
	p->h->host.receipt = receipt_kept;
	play_say(p, 1, SMPP_BIND_RX | SMPP_RESP, 0, rx.seq, "s", 2);
	play_report(p, 1, 5, "id:1 stat:DELIVRD");
	play_say(p, 0, SMPP_BIND_TX | SMPP_RESP, 0x0d, tx.seq, "", 0);
	sh_advance(p->h, 2900);
	assert_false(play_next(p, 1, &d));
	sh_advance(p->h, 200);
	(void)play_want(p, 1, SMPP_UNBIND);
	play_free(p);
}

static void a_transmitter_that_cannot_come_back_ends_the_session_too(void **state)
{
	struct pdu tx, rx;
	struct play *p = two_links(&tx, &rx);

	(void)state;
	play_say(p, 1, SMPP_BIND_RX | SMPP_RESP, 0, rx.seq, "s", 2);
	play_say(p, 0, SMPP_BIND_TX | SMPP_RESP, 0, tx.seq, "s", 2);
	sh_closed(p->h, 0, -104, "", "reset"); /* lost after it was bound: made anew */
	sh_turn(p->h);
	assert_false(sh_result(p->h, p->session)->done);
	sh_advance(p->h, 2500);
	assert_int_equal(p->h->n_streams, 3);
	sh_closed(p->h, 2, -111, "", "connection refused");
	sh_turn(p->h);
	struct pdu d = play_want(p, 1, SMPP_UNBIND);
	play_say(p, 1, SMPP_UNBIND | SMPP_RESP, 0, d.seq, "", 0);
	sh_advance(p->h, 10);
	assert_true(sh_result(p->h, p->session)->done);
	assert_string_equal(sh_result(p->h, p->session)->code, "connect");
	assert_string_equal(sh_result(p->h, p->session)->text, "connection refused");
	play_free(p);
}

static void a_refused_receiver_leaves_the_transmitter_and_is_told_as_an_error(void **state)
{
	struct pdu tx, rx;
	struct play *p = two_links(&tx, &rx);

	(void)state;
	play_say(p, 0, SMPP_BIND_TX | SMPP_RESP, 0, tx.seq, "s", 2);
	play_say(p, 1, SMPP_BIND_RX | SMPP_RESP, 0x0d, rx.seq, "", 0);
	sh_turn(p->h);
	assert_false(sh_result(p->h, p->session)->done);
	assert_int_equal(p->h->slots, 500);
	assert_int_equal(sh_last_note(p->h, "log")->value, 3);
	assert_non_null(strstr(sh_last_note(p->h, "log")->text, "0x0D ESME_RBINDFAIL"));
	play_free(p);
}

/* "bound: 1 of 2 connections" would be no answer to the question whether texts can go. */
static void a_check_is_not_satisfied_with_a_receiver(void **state)
{
	struct pdu tx, rx;
	struct play *p = two_links(&tx, &rx);

	(void)state;
	play_say(p, 1, SMPP_BIND_RX | SMPP_RESP, 0, rx.seq, "s", 2);
	size_t check = sh_job(p->h, LT_J_CHECK, NULL);
	assert_int_equal(sh_start(p->h, check, 1), 0);
	assert_false(sh_result(p->h, check)->done);
	assert_int_equal(p->h->n_streams, 3);
	bind_answer(p, 2, SMPP_BIND_TX, 0x0d);
	assert_int_equal(sh_result(p->h, check)->outcome, LT_DEFERRED);
	assert_string_equal(sh_result(p->h, check)->code, "0x0D ESME_RBINDFAIL");
	play_say(p, 0, SMPP_BIND_TX | SMPP_RESP, 0, tx.seq, "s", 2);
	check = sh_job(p->h, LT_J_CHECK, NULL);
	assert_int_equal(sh_start(p->h, check, 1), 0);
	assert_int_equal(sh_result(p->h, check)->outcome, LT_ACCEPTED);
	assert_int_equal(p->h->n_streams, 3);
	play_free(p);
}

static size_t check_bound(struct play *p)
{
	char b[2000];

	assert_int_equal(sh_open(p->h), 0);
	size_t check = sh_job(p->h, LT_J_CHECK, NULL);
	assert_int_equal(sh_start(p->h, check, 1), 0);
	sh_opened(p->h, 0, "");
	struct pdu d = play_want(p, 0, SMPP_BIND_TRX);
	size_t n = play_make(b, SMPP_BIND_TRX | SMPP_RESP, 0, d.seq, "smsc", 5);
	n += play_deliver(b + n, 9, 4, "84910000001", "id:1 stat:DELIVRD", 17, NULL,
		0); /* what waited for a bind */
	sh_data_n(p->h, 0, b, n);
	return check;
}

/* A server keeps the bind of who goes without a word, and the session behind the check would be told 0x05. */
static void a_check_takes_its_bind_back(void **state)
{
	struct play *p = play_new();
	size_t check = check_bound(p);
	struct pdu d = play_want(p, 0, SMPP_UNBIND);

	(void)state;
	assert_false(sh_result(p->h, check)->done);
	play_say(p, 0, SMPP_UNBIND | SMPP_RESP, 0, d.seq, "", 0);
	assert_int_equal(sh_result(p->h, check)->outcome, LT_ACCEPTED);
	assert_true(p->h->streams[0]->closing);
	assert_false(p->h->streams[0]->reset);
	play_free(p);

	p = play_new(); /* five seconds for the answer (contract 1.1) */
	check = check_bound(p);
	(void)play_want(p, 0, SMPP_UNBIND);
	sh_advance(p->h, 4900);
	assert_false(sh_result(p->h, check)->done);
	sh_advance(p->h, 200);
	assert_int_equal(sh_result(p->h, check)->outcome, LT_ACCEPTED);
	play_free(p);

	p = play_new();
	check = check_bound(p);
	sh_closed(p->h, 0, 0, "", "");
	assert_int_equal(sh_result(p->h, check)->outcome, LT_ACCEPTED);
	play_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_that_are_owed_at_an_unbind_have_the_time_of_any_answer),
		cmocka_unit_test(a_peer_that_closes_behind_its_unbind_is_not_waited_for),
		cmocka_unit_test(on_our_status_of_no_bind_the_other_answers_are_awaited_too),
		cmocka_unit_test(our_reference_outlives_the_session),
		cmocka_unit_test(
			a_refused_transmitter_ends_the_session_though_the_receiver_is_bound),
		cmocka_unit_test(the_receiver_of_a_session_that_fails_goes_behind_its_reports),
		cmocka_unit_test(a_transmitter_that_cannot_come_back_ends_the_session_too),
		cmocka_unit_test(a_refused_receiver_leaves_the_transmitter_and_is_told_as_an_error),
		cmocka_unit_test(a_check_is_not_satisfied_with_a_receiver),
		cmocka_unit_test(a_check_takes_its_bind_back),
	};
	return cmocka_run_group_tests_name("smpp/links", tests, NULL, NULL);
}
