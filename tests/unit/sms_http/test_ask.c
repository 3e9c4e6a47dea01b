/* test_ask.c - what a gateway is asked: the fate of a text, the balance. */
#include "smshtest.h"

static void a_poll_asks_for_each_id_and_tells_what_it_learns(void **state)
{
	struct gate g;
	struct lt_id ids[] = { { .id = ltc_z("41/a1b2") }, { .id = ltc_z("42/a1b3") } };
	struct lt_item items[] = { { .struct_size = sizeof(struct lt_item),
					   .address = ltc_z("+84912345671"),
					   .ids = ids,
					   .n_ids = 1 },
		{ .struct_size = sizeof(struct lt_item),
			.address = ltc_z("+84912345672"),
			.ids = ids + 1,
			.n_ids = 1 } };
	const struct lt_item *list[] = { &items[0], &items[1] };

	(void)state;
	gate_new(&g, "speedsms");
	assert_int_equal(gate_open(&g), 0);
	size_t j = sh_job(g.h, LT_J_POLL, NULL);
	g.h->jobs[j]->work.items = list;
	g.h->jobs[j]->work.n_items = 2;
	assert_int_equal(sh_start(g.h, j, 1), 0);
	assert_string_equal(g.h->http[0].url, "https://api.speedsms.vn/index.php/sms/status/41");
	assert_int_equal(g.h->http[0].flags, 0);
	sh_answer(g.h, 0, LT_P_ANSWERED, 200,
		"{\"data\":[{\"phone\":\"84900000000\",\"status\":65},{\"phone\":\"84912345671\",\"status\":0}]}");
	assert_int_equal(sh_last_note(g.h, "receipt")->value, LT_RC_DELIVERED);
	assert_string_equal(g.h->http[1].url, "https://api.speedsms.vn/index.php/sms/status/42");
	sh_answer(g.h, 1, LT_P_ANSWERED, 200, "<html>");
	assert_int_equal(gate_notes(g.h, "receipt"), 1);
	assert_int_equal(sh_result(g.h, j)->outcome, LT_ACCEPTED);
	gate_free(&g);
}

/* What each gateway says when it is asked: -1 where it says nothing. */
static void each_state_that_a_gateway_tells_when_asked_is_read(void **state)
{
#define ESMS(what)   "{\"CodeResponse\":\"100\"," what "}"
#define ADS(what)    "{\"ReceiverList\":[{\"Phone\":\"84912345671\"," what "}]}"
#define SPEED(what)  "{\"data\":[{\"phone\":\"84912345671\",\"status\":" what "}]}"
#define TWILIO(what) "{\"to\":\"+84912345671\",\"status\":\"" what "\"}"
	static const struct {
		const char *vendor, *said;
		int state;
	} rows[] = { { "esms", ESMS("\"SendStatus\":1"), LT_RC_TRANSIT },
		{ "esms", ESMS("\"SendStatus\":2"), LT_RC_TRANSIT },
		{ "esms", ESMS("\"SendStatus\":7"), LT_RC_TRANSIT },
		{ "esms", ESMS("\"SendStatus\":4"), LT_RC_FAILED },
		{ "esms", ESMS("\"SendStatus\":5,\"SendFailed\":1,\"SendSuccess\":0"),
			LT_RC_FAILED },
		{ "esms", ESMS("\"SendStatus\":5,\"SendFailed\":0,\"SendSuccess\":1"),
			LT_RC_DELIVERED },
		{ "esms", "{\"CodeResponse\":\"99\",\"SendStatus\":5,\"SendSuccess\":1}", -1 },
		{ "esms-ads", ADS("\"IsSent\":false,\"SentResult\":false"), LT_RC_TRANSIT },
		{ "esms-ads", ADS("\"IsSent\":true,\"SentResult\":true"), LT_RC_DELIVERED },
		{ "esms-ads", ADS("\"IsSent\":true,\"SentResult\":false"), LT_RC_FAILED },
		{ "speedsms", SPEED("0"), LT_RC_DELIVERED },
		{ "speedsms", SPEED("1"), LT_RC_FAILED }, { "speedsms", SPEED("65"), LT_RC_FAILED },
		{ "twilio", TWILIO("queued"), LT_RC_TRANSIT },
		{ "twilio", TWILIO("sent"), LT_RC_TRANSIT },
		{ "twilio", TWILIO("delivered"), LT_RC_DELIVERED },
		{ "twilio", TWILIO("read"), LT_RC_SEEN },
		{ "twilio", TWILIO("undelivered"), LT_RC_FAILED },
		{ "twilio", TWILIO("failed"), LT_RC_FAILED },
		{ "twilio", TWILIO("canceled"), LT_RC_FAILED } };
	struct lt_id id = { .id = ltc_z("41/a1b2") };
	struct lt_item item = { .struct_size = sizeof(item),
		.address = ltc_z("+84912345671"),
		.ids = &id,
		.n_ids = 1 };
	const struct lt_item *list[] = { &item };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gate g;
		gate_new(&g, rows[i].vendor);
		assert_int_equal(gate_open(&g), 0);
		size_t j = sh_job(g.h, LT_J_POLL, NULL);
		g.h->jobs[j]->work.items = list;
		g.h->jobs[j]->work.n_items = 1;
		assert_int_equal(sh_start(g.h, j, 1), 0);
		sh_answer(g.h, 0, LT_P_ANSWERED, 200, rows[i].said);
		const struct sh_note *n = sh_last_note(g.h, "receipt");
		if ((n == NULL ? -1 : (int)n->value) != rows[i].state)
			fail_msg("%s, %s: state %d, wanted %d", rows[i].vendor, rows[i].said,
				n == NULL ? -1 : (int)n->value, rows[i].state);
		assert_int_equal(sh_result(g.h, j)->outcome, LT_ACCEPTED);
		gate_free(&g);
	}
}

static void a_question_that_cannot_be_asked_says_nothing_and_keeps_no_credit(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "esms");
	assert_int_equal(gate_open(&g), 0);
	size_t j = sh_job(g.h, LT_J_RECONCILE, &g.h->jobs[g.session]->job);
	g.h->slots = 3; /* the host took one for the question */
	assert_int_equal(sh_start(g.h, j, 1), 0);
	assert_int_equal(sh_result(g.h, j)->outcome, LT_UNKNOWN);
	assert_int_equal(g.h->slots, 8);
	gate_free(&g);
}

static void no_key_stands_in_the_address_of_a_balance(void **state)
{
	static const char *const vendors[] = { "esms", "esms-ads", "speedsms", "twilio", "vonage" };

	(void)state;
	for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++) {
		struct gate g;
		gate_new(&g, vendors[i]);
		assert_int_equal(gate_open(&g), 0);
		size_t j = sh_job(g.h, LT_J_CHECK, NULL);
		(void)sh_start(g.h, j, 1);
		assert_int_equal(g.h->n_http, 1);
		assert_null(strstr(g.h->http[0].url, "geheim"));
		assert_true(
			g.h->http[0].query == NULL || strstr(g.h->http[0].query, "geheim") == NULL);
		sh_answer(g.h, 0, LT_P_ANSWERED, 200,
			"{\"status\":\"success\",\"CodeResponse\":\"100\",\"Balance\":7,\"balance\":7,\"value\":7,\"data\":{\"balance\":7}}");
		assert_int_equal(sh_result(g.h, j)->outcome, LT_ACCEPTED);
		gate_free(&g);
	}
}

static void a_balance_is_read_in_either_way_of_writing(void **state)
{
	static const struct {
		const char *value, *want;
	} rows[] = { { "\"1.250.000\"", "balance 1250000" },
		{ "\"1.250.000,50\"", "balance 1250000" }, { "\"12,500.75\"", "balance 12500" },
		{ "1250000.5", "balance 1250000" }, { "\"-3\"", "balance -3" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gate g;
		char body[100];
		gate_new(&g, "esms");
		assert_int_equal(gate_open(&g), 0);
		size_t j = sh_job(g.h, LT_J_CHECK, NULL);
		(void)sh_start(g.h, j, 1);
		(void)snprintf(body, sizeof(body), "{\"CodeResponse\":\"100\",\"Balance\":%s}",
			rows[i].value);
		sh_answer(g.h, 0, LT_P_ANSWERED, 200, body);
		assert_non_null(strstr(sh_result(g.h, j)->text, rows[i].want));
		gate_free(&g);
	}
}

static void the_balance_is_asked_told_and_warned_about(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "speedsms");
	sh_conf(g.h, "balance_min", "1000");
	sh_conf(g.h, "balance_every", "60");
	assert_int_equal(gate_open(&g), 0);
	assert_int_equal(g.h->n_http, 1); /* when sending begins */
	assert_int_equal(g.h->http[0].flags, 0);
	sh_answer(g.h, 0, LT_P_ANSWERED, 200,
		"{\"status\":\"success\",\"data\":{\"balance\":\"12,500.75\"}}");
	assert_int_equal(sh_last_note(g.h, "stat")->value, 12500);
	assert_int_equal(gate_notes(g.h, "log"), 0);
	size_t j = sh_job(g.h, LT_J_CHECK, NULL);
	assert_int_equal(sh_start(g.h, j, 1), 0);
	sh_answer(
		g.h, 1, LT_P_ANSWERED, 200, "{\"status\":\"success\",\"data\":{\"balance\":999}}");
	assert_int_equal(sh_result(g.h, j)->outcome, LT_ACCEPTED);
	assert_non_null(strstr(sh_result(g.h, j)->text, "balance 999, less than balance_min"));
	assert_non_null(strstr(sh_last_note(g.h, "log")->text, "less than balance_min 1000"));
	j = sh_job(g.h, LT_J_CHECK, NULL);
	assert_int_equal(sh_start(g.h, j, 1), 0);
	sh_answer(g.h, 2, LT_P_ANSWERED, 200,
		"{\"status\":\"error\",\"code\":\"007\",\"message\":\"IP\"}");
	assert_int_equal(sh_result(g.h, j)->outcome, LT_DEFERRED);
	assert_string_equal(sh_result(g.h, j)->text, "IP");
	gate_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_poll_asks_for_each_id_and_tells_what_it_learns),
		cmocka_unit_test(each_state_that_a_gateway_tells_when_asked_is_read),
		cmocka_unit_test(a_question_that_cannot_be_asked_says_nothing_and_keeps_no_credit),
		cmocka_unit_test(no_key_stands_in_the_address_of_a_balance),
		cmocka_unit_test(a_balance_is_read_in_either_way_of_writing),
		cmocka_unit_test(the_balance_is_asked_told_and_warned_about),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
