/* test_http_once.c - never sent twice, and the phase that is told when no answer came: not sent, maybe sent, answered. */
#include "httpscene.h"

/* --- servers --------------------------------------------------------------------------------- */

/* Answers the first request of a connection, reads the second one and goes away. */
static void serve_one_then_die(struct peer_conn *c, void *ctx)
{
	struct peer_request r;
	(void)ctx;
	if (peer_http_read(c, &r)) {
		peer_request_done(&r);
		(void)peer_http_answer(c, 200, "", "ok");
	}
	if (peer_http_read(c, &r))
		peer_request_done(&r);
}

static void serve_read_and_die(struct peer_conn *c, void *ctx)
{
	struct peer_request r;
	(void)ctx;
	if (peer_http_read(c, &r))
		peer_request_done(&r);
}

static void serve_half_body(struct peer_conn *c, void *ctx)
{
	struct peer_request r;
	(void)ctx;
	if (peer_http_read(c, &r))
		peer_request_done(&r);
	(void)peer_printf(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
}

static void serve_endless(struct peer_conn *c, void *ctx)
{
	struct peer_request r;
	char block[4096];
	(void)ctx;
	memset(block, 'x', sizeof(block));
	if (peer_http_read(c, &r))
		peer_request_done(&r);
	(void)peer_printf(c, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	while (peer_write(c, block, sizeof(block)))
		;
	peer_note(c, "stopped");
}

static void serve_close_at_once(struct peer_conn *c, void *ctx)
{
	(void)ctx;
	peer_reset(c);
}

static void serve_redirect(struct peer_conn *c, void *ctx)
{
	struct peer_request r;
	(void)ctx;
	while (peer_http_read(c, &r)) {
		peer_request_done(&r);
		(void)peer_http_answer(c, 302, "Location: /elsewhere\r\n", "");
	}
}

static void serve_417(struct peer_conn *c, void *ctx)
{
	struct peer_request r;
	char v[64];
	(void)ctx;
	while (peer_http_read(c, &r)) {
		if (peer_http_header(&r, "Expect", v, sizeof(v)))
			peer_note(c, "expect");
		peer_request_done(&r);
		(void)peer_http_answer(c, 417, "", "no");
	}
}

static void serve_100_then_answer(struct peer_conn *c, void *ctx)
{
	struct peer_request r;
	(void)ctx;
	while (peer_http_read(c, &r)) {
		peer_request_done(&r);
		(void)peer_printf(c, "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n");
		(void)peer_http_answer(c, 200, "X-Late: 2\r\n", "fine");
	}
}

static void serve_100_and_die(struct peer_conn *c, void *ctx)
{
	struct peer_request r;
	(void)ctx;
	if (peer_http_read(c, &r)) {
		peer_request_done(&r);
		(void)peer_printf(c, "HTTP/1.1 100 Continue\r\n\r\n");
	}
}

/* --- never twice ----------------------------------------------------------------------------- */

static void the_same_server_makes_plain_libcurl_reuse_its_connection(void **state)
{
	(void)state;
	P = peer_new(serve_one_then_die, NULL);
	struct net_http_req q = request("GET", "/first");
	run(&q);
	assert_int_equal(rec.status, 200);
	q = request("GET", "/second"); /* may be repeated by the library: it publishes nothing */
	run(&q);
	assert_int_equal(peer_noted(P, "GET /second"), 2); /* this is what the guard is against */
}

static void a_publishing_request_is_sent_once_when_the_server_reads_it_and_closes(void **state)
{
	(void)state;
	struct net_seg body = { .bytes = STR("text=hello") };
	P = peer_new(serve_one_then_die, NULL);
	struct net_http_req q = request("GET", "/warm-up"); /* leaves a kept connection */
	run(&q);
	assert_int_equal(rec.status, 200);
	q = request("POST", "/publish");
	q.flags = NET_PUBLISHES;
	q.body = &body;
	q.n_body = 1;
	run(&q); /* fresh connection: answered */
	assert_int_equal(rec.status, 200);
	assert_int_equal(peer_noted(P, "POST /publish"), 1);
	assert_int_equal(peer_connections(P), 2);
}

static void publish_on_bulk(const char *method, const struct net_seg *body, size_t n_body)
{
	struct net_profile bulk = { .bulk = true };
	P = peer_new(serve_one_then_die, NULL);
	struct net_http_req q = request("GET", "/warm-up");
	q.profile = &bulk;
	run(&q);
	assert_int_equal(rec.status, 200);
	q = request(method, "/publish");
	q.flags = NET_PUBLISHES;
	q.profile = &bulk;
	q.body = body;
	q.n_body = n_body;
	run(&q);
}

static void on_a_kept_connection_that_dies_a_publishing_request_is_on_the_ledger_once(void **state)
{
	(void)state;
	struct net_seg body = { .bytes = STR("text=hello") };
	publish_on_bulk("POST", &body, 1);
	assert_int_equal(rec.phase, NET_MAYBE_SENT);
	assert_int_equal(rec.status, 0);
	assert_int_equal(rec.error_code, -ECONNRESET);
	assert_non_null(strstr(rec.error, "not sent a second time"));
	peer_run_for(&R, 50);
	assert_int_equal(peer_noted(P, "POST /publish"), 1);
}

static void a_publishing_request_without_body_never_uses_a_kept_connection(void **state)
{
	(void)state;
	publish_on_bulk("GET", NULL, 0);
	assert_int_equal(rec.status, 200);
	assert_int_equal(peer_noted(P, "GET /publish"), 1);
	assert_int_equal(peer_connections(P), 2);
}

static void no_answer_after_the_request_is_maybe_sent(void **state)
{
	(void)state;
	struct net_seg body = { .bytes = STR("x") };
	P = peer_new(serve_read_and_die, NULL);
	struct net_http_req q = request("POST", "/publish");
	q.flags = NET_PUBLISHES;
	q.body = &body;
	q.n_body = 1;
	run(&q);
	assert_int_equal(rec.phase, NET_MAYBE_SENT);
	assert_int_equal(rec.error_code, -ECONNRESET);
	assert_int_equal(peer_noted(P, "POST"), 1);
	assert_int_equal(peer_connections(P), 1);
}

static void redirects_and_417_are_answers_and_nothing_is_sent_again(void **state)
{
	(void)state;
	struct net_seg body = { .bytes = STR("x") };
	P = peer_new(serve_redirect, NULL);
	struct net_http_req q = request("POST", "/publish");
	q.body = &body;
	q.n_body = 1;
	run(&q);
	assert_int_equal(rec.status, 302);
	assert_int_equal(peer_noted(P, ""), 1);
	peer_free(P);
	P = peer_new(serve_417, NULL);
	struct slow_source s = slow(2000000); /* big enough that libcurl would ask by Expect */
	struct net_seg big = { .source = &s.src };
	q = request("POST", "/publish");
	q.body = &big;
	q.n_body = 1;
	run(&q);
	assert_int_equal(rec.status, 417);
	assert_int_equal(peer_noted(P, "POST"), 1);
	assert_int_equal(peer_noted(P, "expect"), 0);
}

/* --- phases ---------------------------------------------------------------------------------- */

static void a_refused_connection_is_not_sent(void **state)
{
	(void)state;
	P = peer_new(serve_echo, NULL);
	struct net_http_req q = request("POST", "/publish");
	peer_free(P);
	P = NULL;
	q.flags = NET_PUBLISHES;
	run(&q);
	assert_int_equal(rec.phase, NET_NOT_SENT);
	assert_int_equal(rec.error_code, -ECONNREFUSED);
	assert_string_not_equal(rec.error, "");
}

static void an_unknown_name_is_not_sent(void **state)
{
	(void)state;
	P = peer_new(serve_echo, NULL);
	struct net_http_req q = request("POST", "/");
	q.url = STR("http://nowhere.invalid/");
	q.flags = NET_PUBLISHES;
	q.connect_ms = 15000;
	run(&q);
	assert_int_equal(rec.phase, NET_NOT_SENT);
	assert_true(rec.error_code == -EHOSTUNREACH || rec.error_code == -ETIMEDOUT);
}

static void silence_after_the_request_is_maybe_sent_after_the_total_time(void **state)
{
	(void)state;
	P = peer_new(serve_silence, NULL);
	struct net_http_req q = request("POST", "/publish");
	q.total_ms = 300;
	int64_t began = env_mono(R.env);
	run(&q);
	assert_true(env_mono(R.env) - began >= 290);
	assert_int_equal(rec.phase, NET_MAYBE_SENT);
	assert_int_equal(rec.error_code, -ETIMEDOUT);
}

static void a_tls_handshake_that_never_ends_is_not_sent(void **state)
{
	(void)state;
	P = peer_new(serve_silence, NULL);
	struct net_http_req q = request("POST", "/publish");
	(void)snprintf(url_buf, sizeof(url_buf), "https://127.0.0.1:%u/", peer_port(P));
	q.url = str_of(url_buf);
	q.connect_ms = 300;
	run(&q);
	assert_int_equal(rec.phase, NET_NOT_SENT);
	assert_int_equal(rec.error_code, -ETIMEDOUT);
}

static void a_connection_that_is_reset_at_once_never_counts_as_answered(void **state)
{
	(void)state;
	P = peer_new(serve_close_at_once, NULL);
	struct net_http_req q = request("POST", "/publish");
	q.flags = NET_PUBLISHES;
	run(&q);
	assert_int_not_equal(rec.phase, NET_ANSWERED);
	assert_true(rec.error_code < 0);
	assert_int_equal(peer_noted(P, "POST"), 0);
}

static void half_a_body_is_answered_but_truncated(void **state)
{
	(void)state;
	P = peer_new(serve_half_body, NULL);
	struct net_http_req q = request("GET", "/");
	run(&q);
	assert_int_equal(rec.phase, NET_ANSWERED);
	assert_int_equal(rec.status, 200);
	assert_true(rec.truncated);
	assert_string_equal(rec.body, "half");
	assert_true(rec.error_code < 0);
}

static bool server_stopped(void *arg)
{
	(void)arg;
	return peer_noted(P, "stopped") > 0;
}

static void an_endless_answer_is_cut_at_its_maximum(void **state)
{
	(void)state;
	P = peer_new(serve_endless, NULL);
	struct net_http_req q = request("GET", "/");
	q.answer_max = 10000;
	run(&q);
	assert_int_equal(rec.phase, NET_ANSWERED);
	assert_true(rec.truncated);
	assert_int_equal(rec.body_n, 10000);
	assert_int_equal(rec.error_code, -EMSGSIZE);
	assert_true(peer_run_until(&R, server_stopped, NULL, WAIT_MS)); /* and not downloaded on */
}

static void a_100_is_no_answer(void **state)
{
	(void)state;
	P = peer_new(serve_100_then_answer, NULL);
	struct net_http_req q = request("POST", "/");
	run(&q);
	assert_int_equal(rec.status, 200);
	assert_int_equal(rec.n_headers, 2); /* Content-Length, X-Late */
	peer_free(P);
	P = peer_new(serve_100_and_die, NULL);
	q = request("POST", "/");
	run(&q);
	assert_int_equal(rec.phase, NET_MAYBE_SENT);
	assert_int_equal(rec.status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_same_server_makes_plain_libcurl_reuse_its_connection),
		T(a_publishing_request_is_sent_once_when_the_server_reads_it_and_closes),
		T(on_a_kept_connection_that_dies_a_publishing_request_is_on_the_ledger_once),
		T(a_publishing_request_without_body_never_uses_a_kept_connection),
		T(no_answer_after_the_request_is_maybe_sent),
		T(redirects_and_417_are_answers_and_nothing_is_sent_again),
		T(a_refused_connection_is_not_sent),
		T(an_unknown_name_is_not_sent),
		T(silence_after_the_request_is_maybe_sent_after_the_total_time),
		T(a_tls_handshake_that_never_ends_is_not_sent),
		T(a_connection_that_is_reset_at_once_never_counts_as_answered),
		T(half_a_body_is_answered_but_truncated),
		T(an_endless_answer_is_cut_at_its_maximum),
		T(a_100_is_no_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
