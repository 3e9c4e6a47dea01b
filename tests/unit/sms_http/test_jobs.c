/* test_jobs.c - one text around its request: a lost answer, a stop, the end of a session, no number in what is recorded. */
#include "smshtest.h"

static void nothing_sent_is_deferred_and_a_lost_answer_is_unknown(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "esms");
	assert_int_equal(gate_open(&g), 0);
	size_t a = gate_send(&g, "+84912345678", "r1", PAYLOAD_GSM);
	sh_answer(g.h, 0, LT_P_NOT_SENT, 0, NULL);
	assert_int_equal(sh_result(g.h, a)->outcome, LT_DEFERRED);
	assert_int_equal(sh_result(g.h, a)->scope, LT_SCOPE_ACCOUNT);
	assert_int_equal(sh_result(g.h, a)->flags, LT_R_FREE); /* an outage spends no try */
	assert_true(sh_result(g.h, a)->retry_after_ms >= 10000);
	size_t b = gate_send(&g, "+84912345678", "r2", PAYLOAD_GSM);
	sh_answer(g.h, 1, LT_P_MAYBE_SENT, 0, NULL);
	assert_int_equal(sh_result(g.h, b)->outcome, LT_UNKNOWN);
	assert_int_equal(sh_result(g.h, b)->flags, 0);
	assert_int_equal(g.h->slots, 8);
	assert_int_equal(g.h->misuse, 0);
	gate_free(&g);
}

static void a_stop_before_the_request_defers_and_behind_it_waits_for_the_answer(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "fpt"); /* without a token: the op waits for one */
	assert_int_equal(gate_open(&g), 0);
	size_t op = sh_op(g.h, g.session, "+84912345678", "r1", PAYLOAD_GSM, 0);
	assert_int_equal(sh_start(g.h, op, 1), 0);
	assert_int_equal(gate_notes(g.h, "refresh"), 1);
	sh_cancel(g.h, op);
	assert_int_equal(sh_result(g.h, op)->outcome, LT_DEFERRED);
	sh_turn(g.h);
	assert_int_equal(g.h->n_http, 0);
	gate_free(&g);
	gate_new(&g, "esms");
	assert_int_equal(gate_open(&g), 0);
	op = gate_send(&g, "+84912345678", "r1", PAYLOAD_GSM);
	sh_cancel(g.h, op);
	assert_false(sh_result(g.h, op)->done);
	sh_answer(g.h, 0, LT_P_ANSWERED, 200, "{\"CodeResult\":\"100\",\"SMSID\":\"s\"}");
	assert_int_equal(sh_result(g.h, op)->outcome, LT_ACCEPTED);
	gate_free(&g);
}

static void a_number_that_the_gateway_repeats_does_not_get_into_records(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "esms");
	assert_int_equal(gate_open(&g), 0);
	size_t op = gate_send(&g, "+84912345678", "r", PAYLOAD_GSM);
	sh_answer(g.h, 0, LT_P_ANSWERED, 200,
		"{\"CodeResult\":\"99\",\"ErrorMessage\":\"phone 0912345678, 84912345678 bad (code 123456789)\"}");
	assert_string_equal(
		sh_result(g.h, op)->text, "phone **********, *********** bad (code 123456789)");
	gate_free(&g);
}

static void a_session_ends_when_its_last_op_has(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "esms");
	assert_int_equal(gate_open(&g), 0);
	(void)gate_send(&g, "+84912345678", "r", PAYLOAD_GSM);
	sh_shutdown(g.h, g.session);
	assert_int_equal(g.h->slots, 0);
	assert_false(sh_result(g.h, g.session)->done);
	sh_answer(g.h, 0, LT_P_ANSWERED, 200, "{\"CodeResult\":\"100\"}");
	assert_true(sh_result(g.h, g.session)->done);
	gate_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_sent_is_deferred_and_a_lost_answer_is_unknown),
		cmocka_unit_test(
			a_stop_before_the_request_defers_and_behind_it_waits_for_the_answer),
		cmocka_unit_test(a_number_that_the_gateway_repeats_does_not_get_into_records),
		cmocka_unit_test(a_session_ends_when_its_last_op_has),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
