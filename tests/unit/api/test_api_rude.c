/* test_api_rude.c - clients that break the rules or are slow: garbage, endless headers, gone clients, too many, late answers. */
#include "apiscene.h"

static void pipelined_requests_are_answered_one_after_the_other(void **state)
{
	(void)state;
	static char second[] = "405";
	raw_open(true);
	raw_say("GET /u/abc HTTP/1.1\r\nHost: x\r\n\r\nPUT /u/abc HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
	assert_true(peer_run_until(&R, raw_answered, second, WAIT_MS));
	assert_non_null(strstr(S.data, "HTTP/1.1 200"));
	assert_non_null(strstr(S.data, "HTTP/1.1 405"));
	assert_non_null(strstr(S.data, "Content-Security-Policy: default-src 'none'"));
	assert_non_null(strstr(S.data, "Cache-Control: no-store"));
}

static void garbage_is_refused_and_nothing_leaks(void **state)
{
	(void)state;
	static const char *const texts[] = { "GET\r\n\r\n", "\x16\x03\x01garbage\r\n\r\n",
		"GET /u/abc HTTP/1.1\r\nbroken\r\n\r\n",
		"POST /u/abc HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
		"POST /u/abc HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n" };
	static char status[] = "HTTP/1.1 ";
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		raw_open(true);
		raw_say(texts[i]);
		assert_true(peer_run_until(&R, raw_answered, status, WAIT_MS));
		assert_null(strstr(S.data, "HTTP/1.1 200"));
		if (S.s != NULL) {
			net_stream_close(R.net, S.s, true);
			assert_true(peer_run_until(&R, rec_stream_closed, &S, WAIT_MS));
		}
	}
	assert_int_equal(W.calls, 0);
}

static void headers_without_end_are_refused(void **state)
{
	(void)state;
	static char big[API_HEAD_MAX + 100];
	static char status[] = "HTTP/1.1 4";
	memset(big, 'h', sizeof(big) - 1);
	raw_open(true);
	raw_say("GET /u/abc HTTP/1.1\r\nX: ");
	raw_say(big);
	assert_true(peer_run_until(&R, raw_answered, status, WAIT_MS));
	assert_null(strstr(S.data, "HTTP/1.1 200"));
}

/* A proxy puts its own headers last: whoever fills the table before them is not heard without them. */
static void say_headers(size_t n, const char *last)
{
	static char text[API_HEADERS_MAX * 20 + 200];
	size_t at = (size_t)snprintf(
		text, sizeof(text), "GET /w/sms-1/s3cret-s3cret HTTP/1.1\r\nHost: x\r\n");
	for (size_t i = 2; i < n; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "X-%zu: y\r\n", i);
	(void)snprintf(text + at, sizeof(text) - at, "X-Sign: %s\r\n\r\n", last);
	raw_open(true);
	raw_say(text);
}

static void a_request_with_more_headers_than_are_handed_on_is_refused(void **state)
{
	(void)state;
	static char answer[] = "HTTP/1.1 ";
	say_headers(API_HEADERS_MAX, "the last");
	assert_true(peer_run_until(&R, raw_answered, answer, WAIT_MS));
	assert_non_null(strstr(S.data, "HTTP/1.1 202"));
	assert_string_equal(W.header, "the last");
	net_stream_close(R.net, S.s, true);
	assert_true(peer_run_until(&R, rec_stream_closed, &S, WAIT_MS));
	say_headers(API_HEADERS_MAX + 1, "the proxy's");
	assert_true(peer_run_until(&R, raw_answered, answer, WAIT_MS));
	assert_non_null(strstr(S.data, "HTTP/1.1 431"));
	assert_int_equal(W.calls, 1);
}

static void a_chunked_body_without_end_is_cut(void **state)
{
	(void)state;
	static char chunk[3000 + 20];
	(void)snprintf(chunk, sizeof(chunk), "bb8\r\n%03000d\r\n", 0);
	raw_open(true);
	raw_say("POST /w/sms-1/s3cret-s3cret HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
	raw_say(chunk);
	assert_true(peer_run_until(&R, rec_stream_closed, &S, WAIT_MS));
	assert_int_equal(W.calls, 0);
}

static void a_client_that_goes_away_does_not_hurt_a_late_answer(void **state)
{
	(void)state;
	W.later = true;
	raw_open(true);
	raw_say("POST /w/sms-1/s3cret-s3cret HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
	assert_true(peer_run_until(&R, handed_over, NULL, WAIT_MS));
	net_stream_close(R.net, S.s, true);
	assert_true(peer_run_until(&R, rec_stream_closed, &S, WAIT_MS));
	peer_run_for(&R, 20);
	api_answer(W.call, 200, NULL, STR("late"));
	peer_run_for(&R, 20);
	W.later = false;
	run("GET", true, "/w/sms-1/s3cret-s3cret", NULL, NULL);
	assert_int_equal(H.status, 202);
}

static void closing_answers_the_waiting_and_takes_late_answers(void **state)
{
	(void)state;
	W.later = true;
	start("POST", true, "/u/abc", FORM, "List-Unsubscribe=One-Click");
	assert_true(peer_run_until(&R, handed_over, NULL, WAIT_MS));
	api_close(A, on_closed, NULL);
	A = NULL;
	assert_int_equal(W.closed, 0);
	assert_true(peer_run_until(&R, is_closed, NULL, WAIT_MS));
	assert_true(peer_run_until(&R, rec_http_called, &H, WAIT_MS));
	assert_int_not_equal(H.status, 200);
	api_answer_unsubscribed(W.call, 0);
	peer_run_for(&R, 20);
	assert_int_equal(W.closed, 1);
}

static void more_connections_than_places_do_no_lasting_harm(void **state)
{
	(void)state;
	static struct rec_stream many[API_PRIVATE_CONNS + 20];
	unsigned open = 0;
	memset(many, 0, sizeof(many));
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		struct net_stream_req q = { .kind = NET_TCP,
			.host = STR("127.0.0.1"),
			.port = api_private_port(A),
			.on_event = rec_stream_event,
			.ctx = &many[i] };
		assert_int_equal(net_stream_open(R.net, &q, &many[i].s), 0);
	}
	peer_run_for(&R, 200);
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		open += many[i].closes == 0;
	assert_true(open > 0);
	run("GET", true, "/u/abc", NULL, NULL); /* the other listener does not mind */
	assert_int_equal(H.status, 200);
	memset(&H, 0, sizeof(H));
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		if (many[i].s != NULL)
			net_stream_close(R.net, many[i].s, true);
	for (int i = 0; i < 200 && H.status != 200; i++) { /* until the server has seen them go */
		start("GET", false, "/healthz", NULL, NULL);
		assert_true(peer_run_until(&R, rec_http_called, &H, WAIT_MS));
	}
	assert_int_equal(H.status, 200);
}

/* --- time ------------------------------------------------------------------------------------ */

static void open_hasty(int32_t request_ms, int32_t answer_ms)
{
	struct api_options o = { .public_listen = "127.0.0.1:0",
		.unsubscribe = on_unsubscribe,
		.request_ms = request_ms,
		.answer_ms = answer_ms };
	struct err e;
	api_close(A, on_closed, NULL);
	A = NULL;
	assert_true(peer_run_until(&R, is_closed, NULL, WAIT_MS));
	W.closed = 0;
	assert_int_equal(api_open(R.loop, &o, &A, &e), 0);
}

static void a_handler_that_does_not_answer_is_answered_for(void **state)
{
	(void)state;
	open_hasty(0, 200);
	W.later = true;
	run("POST", true, "/u/abc", FORM, "List-Unsubscribe=One-Click");
	assert_int_equal(H.status, 503);
	api_answer_unsubscribed(W.call, 0); /* too late, and harmless */
	W.later = false;
	run("POST", true, "/u/abc", FORM, "List-Unsubscribe=One-Click");
	assert_int_equal(H.status, 200);
}

static void a_request_that_comes_in_drops_is_cut(void **state)
{
	(void)state;
	open_hasty(300, 0);
	raw_open(true);
	int64_t began = env_mono(R.env);
	raw_say("POST /u/abc HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n");
	while (S.s != NULL && env_mono(R.env) - began < WAIT_MS) {
		raw_say("x"); /* never idle */
		peer_run_for(&R, 40);
	}
	assert_int_equal(S.closes, 1);
	assert_int_equal(W.calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(pipelined_requests_are_answered_one_after_the_other),
		T(garbage_is_refused_and_nothing_leaks),
		T(headers_without_end_are_refused),
		T(a_request_with_more_headers_than_are_handed_on_is_refused),
		T(a_chunked_body_without_end_is_cut),
		T(a_client_that_goes_away_does_not_hurt_a_late_answer),
		T(closing_answers_the_waiting_and_takes_late_answers),
		T(more_connections_than_places_do_no_lasting_harm),
		T(a_handler_that_does_not_answer_is_answered_for),
		T(a_request_that_comes_in_drops_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
