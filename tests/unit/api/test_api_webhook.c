/* test_api_webhook.c - webhooks: the request reaches its channel as it was sent, and only behind the right secret. */
#include "apiscene.h"

static void a_webhook_gets_the_whole_request_as_it_was_sent(void **state)
{
	(void)state;
	run("POST", true, "/w/sms-1/s3cret-s3cret?a=b%20c+d&e", "application/json", "{\"id\":1}");
	assert_int_equal(H.status, 202);
	assert_string_equal(H.body, "{\"ok\":true}");
	assert_string_equal(W.method, "POST");
	assert_string_equal(W.path, "/w/sms-1/s3cret-s3cret");
	assert_string_equal(W.query, "a=b%20c+d&e");
	assert_string_equal(W.body, "{\"id\":1}");
	assert_string_equal(W.peer, "127.0.0.1");
	assert_string_equal(W.header, "sha256=ab");
}

static void a_wrong_secret_looks_like_nothing(void **state)
{
	(void)state;
	static const char *const paths[] = { "/w/sms-1/s3cret-s3creT", "/w/sms-1/s3cret-s3cre",
		"/w/sms-1/", "/w/sms-2/s3cret-s3cret", "/w/sms-1/s3cret-s3cret/x/y",
		"/w/sms-1/s3cret-s3cret/a%20b", "/w/sms-1//s3cret-s3cret", "/w//s3cret-s3cret" };
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		run("POST", true, paths[i], FORM, "x");
		assert_int_equal(H.status, 404);
	}
	assert_int_equal(W.calls, 0);
}

static void what_stands_behind_the_secret_reaches_the_handler(void **state)
{
	(void)state;
	run("GET", true, "/w/sms-1/s3cret-s3cret/page-01?hub.challenge=1", NULL, NULL);
	assert_int_equal(H.status, 202);
	assert_string_equal(W.channel, "sms-1");
	assert_string_equal(W.tail, "page-01");
	run("GET", true, "/w/sms-1/s3cret-s3cret", NULL, NULL);
	assert_string_equal(W.tail, "");
	api_webhooks_drop(A);
	run("GET", true, "/w/sms-1/s3cret-s3cret", NULL, NULL);
	assert_int_equal(H.status, 404);
}

static void webhooks_can_be_replaced_and_dropped(void **state)
{
	(void)state;
	assert_int_equal(api_webhook_set(A, STR("sms-1"), STR("new"), 10, on_webhook, NULL), 0);
	run("GET", true, "/w/sms-1/s3cret-s3cret", NULL, NULL);
	assert_int_equal(H.status, 404);
	run("GET", true, "/w/sms-1/new", NULL, NULL);
	assert_int_equal(H.status, 202);
	run("POST", true, "/w/sms-1/new", FORM, "eleven byte");
	assert_int_equal(H.status, 413);
	api_webhook_drop(A, STR("sms-1"));
	api_webhook_drop(A, STR("never was"));
	run("GET", true, "/w/sms-1/new", NULL, NULL);
	assert_int_equal(H.status, 404);
	assert_int_equal(api_webhook_set(A, STR("a/b"), STR("x"), 0, on_webhook, NULL), -EINVAL);
	assert_int_equal(api_webhook_set(A, STR("a"), STR(""), 0, on_webhook, NULL), -EINVAL);
}

static void the_table_of_webhooks_has_an_end(void **state)
{
	(void)state;
	char name[32];
	for (unsigned i = 1; i < API_WEBHOOKS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "c%u", i);
		assert_int_equal(
			api_webhook_set(A, str_of(name), STR("x"), 0, on_webhook, NULL), 0);
	}
	assert_int_equal(api_webhook_set(A, STR("more"), STR("x"), 0, on_webhook, NULL), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_webhook_gets_the_whole_request_as_it_was_sent),
		T(a_wrong_secret_looks_like_nothing),
		T(what_stands_behind_the_secret_reaches_the_handler),
		T(webhooks_can_be_replaced_and_dropped),
		T(the_table_of_webhooks_has_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
