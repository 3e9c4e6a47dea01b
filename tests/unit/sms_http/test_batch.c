/* test_batch.c - many numbers in one request: shared out, refused for one of them, one id for all, smaller by setting. */
#include "smshtest.h"

static size_t batch(struct gate *g, const char *payload, uint32_t try_no)
{
	static const char *const to[] = { "+84912345671", "+84912345672", "+84912345673" };
	size_t first = 0;

	for (size_t i = 0; i < 3; i++) {
		size_t op = sh_op(g->h, g->session, to[i], "r", payload, 9);
		g->h->jobs[op]->work.try_no = try_no;
		first = i == 0 ? op : first;
	}
	assert_int_equal(sh_start(g->h, first, 3), 0);
	return first;
}

static void a_batch_is_one_request_whose_answer_is_shared_out(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "speedsms");
	assert_int_equal(gate_open(&g), 0);
	size_t op = batch(&g, PAYLOAD_GSM, 1);
	assert_int_equal(g.h->n_http, 1);
	sh_answer(g.h, 0, LT_P_ANSWERED, 200,
		"{\"status\":\"success\",\"code\":\"00\",\"data\":{\"tranId\":5,\"invalidPhone\":[\"84912345672\"]}}");
	assert_int_equal(sh_result(g.h, op)->outcome, LT_ACCEPTED);
	assert_string_equal(sh_result(g.h, op)->id, "5/0001020304050607");
	assert_int_equal(sh_result(g.h, op + 1)->outcome, LT_REFUSED);
	assert_string_equal(sh_result(g.h, op + 2)->id, "5/0001020304050607");
	op = batch(&g, PAYLOAD_GSM, 1);
	sh_answer(g.h, 1, LT_P_MAYBE_SENT, 0, NULL);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(sh_result(g.h, op + i)->outcome, LT_UNKNOWN);
	assert_int_equal(g.h->misuse, 0);
	gate_free(&g);
}

static void a_batch_that_is_refused_for_some_number_goes_one_by_one(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "speedsms");
	assert_int_equal(gate_open(&g), 0);
	size_t op = batch(&g, PAYLOAD_GSM, 1);
	sh_answer(g.h, 0, LT_P_ANSWERED, 200, "{\"status\":\"error\",\"code\":\"105\"}");
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(sh_result(g.h, op + i)->outcome, LT_DEFERRED);
	op = batch(&g, PAYLOAD_GSM, 2);
	assert_int_equal(g.h->n_http, 4);
	sh_answer(g.h, 2, LT_P_ANSWERED, 200, "{\"status\":\"error\",\"code\":\"105\"}");
	assert_int_equal(sh_result(g.h, op + 1)->outcome, LT_REFUSED);
	assert_false(sh_result(g.h, op)->done);
	gate_free(&g);
}

/* n numbers with one text through the advertising call of eSMS. */
static size_t crowd(struct gate *g, size_t n)
{
	size_t first = 0;

	for (size_t i = 0; i < n; i++) {
		char to[20];
		(void)snprintf(to, sizeof(to), "+849100000%02u", (unsigned)i);
		size_t op = sh_op(g->h, g->session, to, "ref", PAYLOAD_GSM, 0);
		first = i == 0 ? op : first;
	}
	assert_int_equal(sh_start(g->h, first, n), 0);
	return first;
}
#define TAKEN "{\"CodeResult\":\"100\",\"SMSID\":\"s-1\"}"

static void thirty_numbers_are_one_request_and_share_its_id(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "esms-ads");
	assert_int_equal(gate_open(&g), 0);
	size_t op = crowd(&g, 30);
	assert_int_equal(g.h->n_http, 1);
	assert_non_null(strstr(g.h->http[0].url, "/SendMultipleSMSBrandname_json/"));
	assert_non_null(strstr(g.h->http[0].body, "\"Phones\":\"0910000000,0910000001,"));
	sh_answer(g.h, 0, LT_P_ANSWERED, 200, TAKEN);
	for (size_t i = 0; i < 30; i++) {
		assert_int_equal(sh_result(g.h, op + i)->outcome, LT_ACCEPTED);
		assert_memory_equal(sh_result(g.h, op + i)->id, "s-1/", 4);
	}
	gate_free(&g);
}

/* The call for many has rules of its own. What is refused for some number goes alone the next time. */
static void what_thirty_are_told_at_once_is_read_as_what_one_is_told(void **state)
{
	static const struct {
		int32_t status;
		const char *body;
		int outcome, scope;
		uint32_t flags;
	} rows[] = { { 429, "", LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE },
		{ 401, "", LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
		{ 403, "", LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
		{ 200, "{\"CodeResult\":\"124\"}", LT_ACCEPTED, LT_SCOPE_TARGET, LT_R_DUPLICATE },
		{ 200, "{\"CodeResult\":\"160\"}", LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE },
		{ 200, "{\"CodeResult\":\"99\"}", LT_DEFERRED, LT_SCOPE_TARGET, 0 },
		{ 200, "{\"CodeResult\":\"177\"}", LT_DEFERRED, LT_SCOPE_TARGET, 0 },
		{ 200, "{\"CodeResult\":\"107\"}", LT_REFUSED, LT_SCOPE_RELEASE, 0 },
		{ 200, "{\"CodeResult\":\"103\"}", LT_DEFERRED, LT_SCOPE_ACCOUNT,
			LT_R_FREE | LT_R_PERSON },
		{ 200, "{\"CodeResult\":\"105\"}", LT_DEFERRED, LT_SCOPE_TARGET, 0 },
		{ 200, "{\"error\":\"Invalid request\"}", LT_DEFERRED, LT_SCOPE_TARGET, 0 },
		{ 200, "<html>", LT_UNKNOWN, LT_SCOPE_TARGET, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gate g;
		gate_new(&g, "esms-ads");
		assert_int_equal(gate_open(&g), 0);
		size_t op = crowd(&g, 30);
		assert_int_equal(g.h->n_http, 1);
		sh_answer(g.h, 0, LT_P_ANSWERED, rows[i].status, rows[i].body);
		for (size_t k = 0; k < 30; k++) {
			const struct sh_result *r = sh_result(g.h, op + k);
			if (!r->done || r->outcome != rows[i].outcome ||
				r->scope != rows[i].scope || r->flags != rows[i].flags)
				fail_msg("row %zu: outcome %d scope %d flags %x (%s)", i,
					r->outcome, r->scope, r->flags, r->text);
		}
		gate_free(&g);
	}
}

static void fewer_than_thirty_go_one_after_the_other(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "esms-ads");
	assert_int_equal(gate_open(&g), 0);
	size_t op = crowd(&g, 29);
	for (size_t i = 0; i < 29; i++) {
		assert_int_equal(g.h->n_http, i + 1); /* one at a time */
		assert_int_equal(g.h->slots, 0);      /* and the next ones together */
		assert_non_null(strstr(g.h->http[i].url, "/SendMultipleMessage_V4_post_json/"));
		assert_false(sh_result(g.h, op + i)->done);
		sh_answer(g.h, i, LT_P_ANSWERED, 200, i == 3 ? "{\"CodeResult\":\"99\"}" : TAKEN);
		assert_int_equal(
			sh_result(g.h, op + i)->outcome, i == 3 ? LT_REFUSED : LT_ACCEPTED);
	}
	assert_int_equal(g.h->n_http, 29);
	assert_true(g.h->slots >= 1000);
	assert_int_equal(g.h->misuse, 0);
	gate_free(&g);
}

static void what_is_said_of_the_account_stops_those_behind_it(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "esms-ads");
	assert_int_equal(gate_open(&g), 0);
	size_t op = crowd(&g, 5);
	sh_answer(g.h, 0, LT_P_ANSWERED, 200, TAKEN);
	sh_answer(g.h, 1, LT_P_ANSWERED, 200, "{\"CodeResult\":\"103\"}");
	assert_int_equal(g.h->n_http, 2);
	for (size_t i = 1; i < 5; i++) {
		assert_int_equal(sh_result(g.h, op + i)->outcome, LT_DEFERRED);
		assert_int_equal(sh_result(g.h, op + i)->scope, LT_SCOPE_ACCOUNT);
		assert_true(sh_result(g.h, op + i)->flags & LT_R_FREE);
	}
	op = crowd(&g, 5);
	sh_answer(g.h, 2, LT_P_MAYBE_SENT, 0,
		NULL); /* one is unknown: the others were not asked for */
	assert_int_equal(sh_result(g.h, op)->outcome, LT_UNKNOWN);
	assert_int_equal(g.h->n_http, 4);
	sh_cancel(g.h, op + 3); /* not asked for yet */
	assert_int_equal(sh_result(g.h, op + 3)->outcome, LT_DEFERRED);
	sh_answer(g.h, 3, LT_P_ANSWERED, 200, TAKEN);
	sh_answer(g.h, 4, LT_P_ANSWERED, 200, TAKEN);
	sh_answer(g.h, 5, LT_P_ANSWERED, 200, TAKEN);
	assert_int_equal(sh_result(g.h, op + 4)->outcome, LT_ACCEPTED);
	assert_int_equal(g.h->n_http, 6);
	assert_int_equal(g.h->misuse, 0);
	gate_free(&g);
}

static void the_setting_batch_makes_requests_smaller(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "speedsms");
	sh_conf(g.h, "batch", "2");
	assert_int_equal(gate_open(&g), 0);
	(void)batch(&g, PAYLOAD_GSM, 1);
	assert_int_equal(g.h->n_http, 2);
	assert_non_null(strstr(g.h->http[0].body, "[\"84912345671\",\"84912345672\"]"));
	assert_non_null(strstr(g.h->http[1].body, "[\"84912345673\"]"));
	gate_free(&g);
}

static void items_are_read_in_order_and_a_missing_one_is_unknown(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "stringee");
	assert_int_equal(gate_open(&g), 0);
	size_t op = batch(&g, PAYLOAD_GSM, 1);
	sh_answer(g.h, 0, LT_P_ANSWERED, 200,
		"{\"smsSent\":2,\"result\":[{\"r\":0},{\"r\":4},{\"r\":0}]}");
	assert_int_equal(sh_result(g.h, op)->outcome, LT_ACCEPTED);
	assert_int_equal(sh_result(g.h, op + 1)->outcome, LT_UNKNOWN);
	assert_int_equal(sh_result(g.h, op + 2)->outcome, LT_ACCEPTED);
	op = batch(&g, PAYLOAD_GSM, 1);
	sh_answer(g.h, 1, LT_P_ANSWERED, 200, "{\"smsSent\":2,\"result\":[{\"r\":0},{\"r\":0}]}");
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(sh_result(g.h, op + i)->outcome, LT_UNKNOWN);
	gate_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_is_one_request_whose_answer_is_shared_out),
		cmocka_unit_test(a_batch_that_is_refused_for_some_number_goes_one_by_one),
		cmocka_unit_test(thirty_numbers_are_one_request_and_share_its_id),
		cmocka_unit_test(what_thirty_are_told_at_once_is_read_as_what_one_is_told),
		cmocka_unit_test(fewer_than_thirty_go_one_after_the_other),
		cmocka_unit_test(what_is_said_of_the_account_stops_those_behind_it),
		cmocka_unit_test(the_setting_batch_makes_requests_smaller),
		cmocka_unit_test(items_are_read_in_order_and_a_missing_one_is_unknown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
