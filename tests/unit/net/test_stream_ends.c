/* test_stream_ends.c - how streams end: by the peer, by a timeout, inside a callback, with the loop; and addresses that are none. */
#include "streamscene.h"

/* --- servers --------------------------------------------------------------------------------- */

static void serve_say_and_go(struct peer_conn *c, void *ctx)
{
	(void)peer_printf(c, "%s", (const char *)ctx);
}

static void serve_flood(struct peer_conn *c, void *ctx)
{
	static __thread char buf[65536];
	(void)ctx;
	memset(buf, 'f', sizeof(buf));
	for (int i = 0; i < 160; i++)
		if (!peer_write(c, buf, sizeof(buf)))
			return;
}

static void serve_reset_after_line(struct peer_conn *c, void *ctx)
{
	char line[64];
	(void)ctx;
	(void)peer_line(c, line, sizeof(line));
	peer_reset(c);
}

/* --- ends -------------------------------------------------------------------------------------- */

static void what_the_peer_said_before_it_went_is_heard(void **state)
{
	(void)state;
	static char bye[] = "421 too busy\r\n";
	P = peer_new(serve_say_and_go, bye);
	struct net_stream_req q = tcp(&A);
	assert_int_equal(net_stream_open(R.net, &q, &A.s), 0);
	assert_true(peer_run_until(&R, rec_stream_closed, &A, WAIT_MS));
	assert_int_equal(A.opens, 1);
	assert_string_equal(A.data, "421 too busy\r\n");
	assert_int_equal(A.error_code, 0);
}

static void a_reset_by_the_peer_is_an_error(void **state)
{
	(void)state;
	P = peer_new(serve_reset_after_line, NULL);
	struct net_stream_req q = tcp(&A);
	open_it(&q);
	assert_int_equal(put(&A, "line\r\n", 6, NULL), 0);
	assert_true(peer_run_until(&R, rec_stream_closed, &A, WAIT_MS));
	assert_true(A.error_code < 0);
	assert_string_not_equal(A.error, "");
	assert_int_equal(A.flushed, 6);
}

static void nobody_listening_is_reported_once(void **state)
{
	(void)state;
	P = peer_new(serve_echo, NULL);
	struct net_stream_req q = tcp(&A);
	peer_free(P);
	P = NULL;
	assert_int_equal(net_stream_open(R.net, &q, &A.s), 0);
	assert_int_equal(put(&A, "x", 1, NULL), 0);
	assert_true(peer_run_until(&R, rec_stream_closed, &A, WAIT_MS));
	assert_int_equal(A.error_code, -ECONNREFUSED);
	assert_int_equal(A.opens, 0);
	assert_int_equal(A.flushed, 0);
}

static void a_close_while_opening_ends_it(void **state)
{
	(void)state;
	P = peer_new(serve_echo, NULL);
	struct net_stream_req q = tcp(&A);
	assert_int_equal(net_stream_open(R.net, &q, &A.s), 0);
	close_it(&A, true);
	assert_int_equal(A.opens, 0);
	assert_int_equal(A.error_code, 0);
	q = tcp(&B);
	assert_int_equal(net_stream_open(R.net, &q, &B.s), 0);
	close_it(&B, false);
	assert_int_equal(B.opens, 0);
}

static void an_idle_stream_times_out(void **state)
{
	(void)state;
	P = peer_new(serve_echo, NULL);
	struct net_stream_req q = tcp(&A);
	q.idle_ms = 150;
	open_it(&q);
	int64_t began = env_mono(R.env);
	assert_true(peer_run_until(&R, rec_stream_closed, &A, WAIT_MS));
	assert_true(env_mono(R.env) - began >= 100);
	assert_int_equal(A.error_code, -ETIMEDOUT);
	assert_true(A.was_open);
}

static void a_stream_that_cannot_drain_is_closed_at_last(void **state)
{
	(void)state;
	static char wait[] = "w";
	unsigned char *big = calloc(1, 30000000);
	assert_non_null(big);
	P = peer_new(serve_count, wait);
	struct net_stream_req q = tcp(&A);
	q.idle_ms = 300;
	open_it(&q);
	assert_int_equal(put(&A, big, 30000000, NULL), 0);
	free(big);
	net_stream_close(R.net, A.s, false);
	assert_true(peer_run_until(&R, rec_stream_closed, &A, WAIT_MS));
	assert_int_equal(A.error_code, -ETIMEDOUT);
	assert_true(A.flushed < 30000000);
	peer_note_from_test(P, "read");
}

static void close_in_event(struct rec_stream *r, const struct net_stream_ev *ev)
{
	if (ev->type == NET_EV_DATA)
		net_stream_close(R.net, ev->stream, r == &A);
}

static void closing_inside_a_callback_brings_no_further_data(void **state)
{
	(void)state;
	P = peer_new(serve_flood, NULL);
	A.on = B.on = close_in_event;
	struct net_stream_req qa = tcp(&A), qb = tcp(&B);
	assert_int_equal(net_stream_open(R.net, &qa, &A.s), 0);
	assert_int_equal(net_stream_open(R.net, &qb, &B.s), 0);
	assert_true(peer_run_until(&R, rec_stream_closed, &A, WAIT_MS));
	assert_true(peer_run_until(&R, rec_stream_closed, &B, WAIT_MS));
	assert_true(A.data_n > 0 && A.data_n <= 65536);
	assert_true(B.data_n > 0 && B.data_n <= 65536);
}

static void a_flood_arrives_whole(void **state)
{
	(void)state;
	size_t want = 160 * 65536;
	P = peer_new(serve_flood, NULL);
	struct net_stream_req q = tcp(&A);
	assert_int_equal(net_stream_open(R.net, &q, &A.s), 0);
	assert_true(peer_run_until(&R, rec_stream_closed, &A, WAIT_MS));
	assert_int_equal(A.data_n, want);
}

static void an_unused_stream_survives_others_that_open_later(void **state)
{
	(void)state;
	size_t want = 2;
	P = peer_new(serve_echo, NULL);
	struct net_stream_req qa = tcp(&A), qb = tcp(&B);
	open_it(&qa);
	peer_run_for(&R, 1200); /* libcurl looks for old connections once a second */
	open_it(&qb);
	peer_run_for(&R, 50);
	assert_int_equal(A.closes, 0);
	assert_int_equal(put(&A, "hi", 2, NULL), 0);
	assert_true(peer_run_until(&R, got_data, &want, WAIT_MS));
	assert_string_equal(A.data, "hi");
	close_it(&A, false);
	close_it(&B, false);
}

static void free_ends_streams_that_are_left(void **state)
{
	(void)state;
	P = peer_new(serve_echo, NULL);
	struct net_stream_req qa = tcp(&A), qb = tcp(&B);
	open_it(&qa);
	assert_int_equal(net_stream_open(R.net, &qb, &B.s), 0);
	net_curl_free(R.net);
	R.net = NULL;
	assert_int_equal(A.closes, 1);
	assert_int_equal(A.error_code, -ECANCELED);
	assert_int_equal(B.closes, 1);
}

static void bad_addresses_are_refused(void **state)
{
	(void)state;
	static const char *const hosts[] = { "", "a b", "host/path", "user@host", "a\r\nb",
		"[::1]" };
	P = peer_new(serve_echo, NULL);
	struct net_stream_req q = tcp(&A);
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		q.host = str_of(hosts[i]);
		assert_int_equal(net_stream_open(R.net, &q, &A.s), -EINVAL);
	}
	q = tcp(&A);
	q.port = 0;
	assert_int_equal(net_stream_open(R.net, &q, &A.s), -EINVAL);
	q = tcp(&A);
	q.kind = NET_SMTP;
	q.ehlo_name = STR("a/b");
	assert_int_equal(net_stream_open(R.net, &q, &A.s), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_the_peer_said_before_it_went_is_heard),
		T(a_reset_by_the_peer_is_an_error),
		T(nobody_listening_is_reported_once),
		T(a_close_while_opening_ends_it),
		T(an_idle_stream_times_out),
		T(a_stream_that_cannot_drain_is_closed_at_last),
		T(closing_inside_a_callback_brings_no_further_data),
		T(a_flood_arrives_whole),
		T(an_unused_stream_survives_others_that_open_later),
		T(free_ends_streams_that_are_left),
		T(bad_addresses_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
