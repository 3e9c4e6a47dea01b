/* test_pointers.c - where nobody knows under which of two names something stands, a list of pointers names both: anywhere in a
 * vendor file, in every part of an answer. */
#include "json.h"

#define ZERO "'rules': [{'at': '/r', 'is': '0', 'then': 'accepted'}, {'then': 'unknown'}]"
static const char two[] =
	"{'vendor': 'two', 'base': 'https://two.example', 'phone': '84', 'batch': 10,"
	" 'auth': {'kind': 'token', 'token': ['/data/token', '/token'], 'expires': ['/data/for', '/for'],"
	"   'refresh': ['/data/next', '/next'],"
	"   'request': {'url': '{{base}}/t', 'type': 'form', 'body': {'code': '{{secret:api_key}}'},"
	"     'answer': {'rules': [{'status': '200', 'then': 'accepted'}, {'then': 'unknown'}]}}},"
	" 'send': {'url': '{{base}}/s', 'body': {'to': [{'$each': '{{phone}}'}]}, 'answer': {"
	"   'rules': [{'at': '/parts', 'exists': 'true', 'then': 'segments'},"
	"     {'at': '/again', 'exists': 'true', 'then': 'throttle'},"
	"     {'status': '200', 'then': 'items'}, {'then': 'unknown'}],"
	"   'items': {'at': ['/data/list', '/list'], 'phone': ['/to', '/phone'], 'id': '/id', " ZERO
	"},"
	"   'segments': {'at': ['/data/parts', '/parts'], 'id': '/id', " ZERO "},"
	"   'rejected': {'at': ['/data/bad', '/bad'], 'then': 'bad_rcpt'}}},"
	" 'receipts': {'reports': {'array': ['/data/reports', '/reports'], 'id': '/id',"
	"   'map': [{'at': '/s', 'is': '1', 'state': 'delivered'}]}},"
	" 'poll': {'url': '{{base}}/p', 'method': 'GET', 'answer': {'rules': [{'then': 'unknown'}]},"
	"   'reports': {'array': ['/data/reports', '/reports'], 'phone': ['/to', '/phone'],"
	"     'map': [{'at': '/s', 'is': '1', 'state': 'delivered'}]}},"
	" 'balance': {'url': '{{base}}/b', 'method': 'GET', 'value': ['/data/left', '/left'],"
	"   'answer': {'rules': [{'status': '200', 'then': 'accepted'}, {'then': 'unknown'}]}},"
	" 'backoff': [{'at': ['/data/again', '/again'], 'unit': 's'}]}";

static void open_two(struct gate *g)
{
	*g = (struct gate){ .h = gate_host(json(two), NULL, false) };
	sh_secret(g->h, "access_token", "t");
	assert_int_equal(gate_open(g), 0);
}

static size_t three(struct gate *g)
{
	static const char *const to[] = { "+84912345671", "+84912345672", "+84912345673" };
	size_t first = 0;

	for (size_t i = 0; i < 3; i++) {
		size_t op = sh_op(g->h, g->session, to[i], "r", PAYLOAD_GSM, 9);
		first = i == 0 ? op : first;
	}
	assert_int_equal(sh_start(g->h, first, 3), 0);
	return first;
}

static void entries_of_a_batch_and_rejected_numbers_are_found_under_either_name(void **state)
{
	struct gate g;

	(void)state;
	open_two(&g);
	size_t op = three(&g);
	sh_answer(g.h, 0, LT_P_ANSWERED, 200,
		json("{'list': [{'phone': '84912345673', 'r': 0, 'id': 'c'}, {'to': '84912345671', 'r': 0, "
		     "'id': 'a'}, {'to': '84912345672', 'r': 0, 'id': 'b'}],"
		     " 'data': {'bad': []}, 'bad': ['84912345672']}"));
	assert_string_equal(sh_result(g.h, op)->id, "a");
	assert_int_equal(sh_result(g.h, op + 1)->outcome, LT_REFUSED);
	assert_string_equal(sh_result(g.h, op + 2)->id, "c");
	gate_free(&g);
}

static void segments_and_the_wait_that_is_asked_for_as_well(void **state)
{
	struct gate g;

	(void)state;
	open_two(&g);
	size_t op = gate_send(&g, "+84912345671", "r", PAYLOAD_GSM);
	sh_answer(g.h, 0, LT_P_ANSWERED, 200,
		json("{'parts': [{'r': 0, 'id': 'p'}, {'r': 0, 'id': 'q'}]}"));
	assert_int_equal(sh_result(g.h, op)->outcome, LT_ACCEPTED);
	assert_int_equal(sh_result(g.h, op)->n_ids, 2);
	op = gate_send(&g, "+84912345671", "r", PAYLOAD_GSM);
	sh_answer(g.h, 1, LT_P_ANSWERED, 200, json("{'again': 7}"));
	assert_int_equal(sh_result(g.h, op)->outcome, LT_DEFERRED);
	assert_int_equal(sh_result(g.h, op)->retry_after_ms, 7000);
	gate_free(&g);
}

static void a_list_of_reports_too_whether_pushed_or_asked_for(void **state)
{
	const char *body =
		"{'reports': [{'phone': '84912345670', 's': 0, 'id': 'x'}, {'to': '84912345671', 's': 1, "
		"'id': 'y'}]}";
	struct lt_request r = { .struct_size = sizeof(r), .method = ltc_z("POST") };
	struct lt_id id = { .id = ltc_z("y") };
	struct lt_item item = { .struct_size = sizeof(item),
		.address = ltc_z("+84912345671"),
		.ids = &id,
		.n_ids = 1 };
	const struct lt_item *items[] = { &item };
	struct lt_pair head = { .name = ltc_z("Content-Type"), .value = ltc_z("application/json") };
	struct gate g;

	(void)state;
	open_two(&g);
	r.body = ltc_z(json(body));
	r.headers = &head;
	r.n_headers = 1;
	size_t j = sh_job(g.h, LT_J_WEBHOOK, NULL);
	g.h->jobs[j]->work.request = &r;
	(void)sh_start(g.h, j, 1);
	sh_turn(g.h);
	assert_int_equal(sh_last_note(g.h, "reply")->value, 200);
	assert_int_equal(gate_notes(g.h, "receipt"), 2);
	j = sh_job(g.h, LT_J_POLL, NULL);
	g.h->jobs[j]->work.items = items;
	g.h->jobs[j]->work.n_items = 1;
	assert_int_equal(sh_start(g.h, j, 1), 0);
	sh_answer(g.h, 0, LT_P_ANSWERED, 200, json(body));
	assert_int_equal(gate_notes(g.h, "receipt"), 3);
	assert_int_equal(sh_last_note(g.h, "receipt")->value, LT_RC_DELIVERED);
	gate_free(&g);
}

static void the_token_its_life_and_its_successor_and_the_balance(void **state)
{
	struct gate g;

	(void)state;
	open_two(&g);
	size_t j = sh_job(g.h, LT_J_REFRESH, NULL);
	assert_int_equal(sh_start(g.h, j, 1), 0);
	sh_answer(g.h, 0, LT_P_ANSWERED, 200, json("{'token': 'new', 'next': 'n2', 'for': 60}"));
	assert_int_equal(gate_notes(g.h, "secret_put"), 2);
	assert_string_equal(sh_last_note(g.h, "secret_put")->text, "refresh_token");
	assert_int_equal(sh_last_note(g.h, "secret_put")->value, g.h->wall + 60000);
	j = sh_job(g.h, LT_J_REFRESH, NULL);
	assert_int_equal(sh_start(g.h, j, 1), 0);
	sh_answer(g.h, 1, LT_P_MAYBE_SENT, 0, NULL); /* it gives successors: one may be spent */
	assert_int_equal(sh_result(g.h, j)->outcome, LT_UNKNOWN);
	j = sh_job(g.h, LT_J_CHECK, NULL);
	assert_int_equal(sh_start(g.h, j, 1), 0);
	sh_answer(g.h, 2, LT_P_ANSWERED, 200, json("{'left': 500}"));
	assert_int_equal(sh_last_note(g.h, "stat")->value, 500);
	gate_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			entries_of_a_batch_and_rejected_numbers_are_found_under_either_name),
		cmocka_unit_test(segments_and_the_wait_that_is_asked_for_as_well),
		cmocka_unit_test(a_list_of_reports_too_whether_pushed_or_asked_for),
		cmocka_unit_test(the_token_its_life_and_its_successor_and_the_balance),
	};
	return cmocka_run_group_tests_name("sms_http/pointers", tests, NULL, NULL);
}
