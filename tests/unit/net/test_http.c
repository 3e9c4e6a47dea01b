/* test_http.c - HTTP requests against scripted servers: bodies, limits, phases, and above all: never sent twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/assert.h"
#include "net/net.h"
#include "../../lib/peer_http.h"
#include "../../lib/peer_run.h"
#include "../../lib/tmpdir.h"

#define WAIT_MS 20000

static struct peer_run R;
static struct peer *P;
static struct rec_http rec; /* large: not on the stack */
static char url_buf[256];

static int set_up(void **state)
{
	(void)state;
	memset(&rec, 0, sizeof(rec));
	P = NULL;
	return peer_run_open(&R);
}

static int tear_down(void **state)
{
	(void)state;
	int rc = peer_run_close(&R);
	peer_free(P);
	return rc;
}

static struct str url(const char *path)
{
	(void)snprintf(url_buf, sizeof(url_buf), "http://127.0.0.1:%u%s", peer_port(P), path);
	return str_of(url_buf);
}

static struct net_http_req request(const char *method, const char *path)
{
	return (struct net_http_req){ .method = str_of(method),
		.url = url(path),
		.done = rec_http_done,
		.ctx = &rec,
		.total_ms = WAIT_MS };
}

static void run(const struct net_http_req *req)
{
	struct net_call *c;
	memset(&rec, 0, sizeof(rec));
	assert_int_equal(net_http(R.net, req, &c), 0);
	assert_int_equal(rec.calls, 0); /* never from inside the call */
	assert_true(peer_run_until(&R, rec_http_called, &rec, WAIT_MS));
	assert_int_equal(rec.calls, 1);
}

/* --- servers --------------------------------------------------------------------------------- */

static void serve_echo(struct peer_conn *c, void *ctx)
{
	struct peer_request r;
	char type[256] = "";
	(void)ctx;
	while (peer_http_read(c, &r)) {
		(void)peer_http_header(&r, "Content-Type", type, sizeof(type));
		peer_note(c, "type %s", type);
		peer_note(c, "bytes %zu", r.n);
		if (peer_http_header(&r, "X-Test", type, sizeof(type)))
			peer_note(c, "x-test %s", type);
		bool ok =
			peer_printf(c,
				"HTTP/1.1 201 Made\r\nDate: Sun, 22 Nov 2026 02:30:00 GMT\r\nX-Say: hi \r\n"
				"Content-Length: %zu\r\n\r\n",
				r.n) &&
			peer_write(c, r.body, r.n);
		peer_request_done(&r);
		if (!ok)
			return;
	}
}

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

static void serve_silence(struct peer_conn *c, void *ctx)
{
	struct peer_request r;
	(void)ctx;
	if (peer_http_read(c, &r))
		peer_request_done(&r);
	(void)peer_wait(c, 60000);
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

/* --- plain requests -------------------------------------------------------------------------- */

static void an_answer_comes_with_status_headers_date_and_body(void **state)
{
	(void)state;
	struct net_pair h = { STR("X-Test"), STR("a b") };
	struct net_seg body[] = { { .bytes = STR("hello ") }, { .bytes = STR("world") } };
	P = peer_new(serve_echo, NULL);
	struct net_http_req q = request("POST", "/a?b=c");
	q.headers = &h;
	q.n_headers = 1;
	q.body = body;
	q.n_body = 2;
	run(&q);
	assert_int_equal(rec.phase, NET_ANSWERED);
	assert_int_equal(rec.status, 201);
	assert_string_equal(rec.body, "hello world");
	assert_string_equal(rec.error, "");
	assert_int_equal(rec.n_headers, 3);
	assert_int_equal(rec.date_ms, 1795314600000);
	assert_int_equal(peer_noted(P, "POST /a?b=c"), 1);
	assert_int_equal(peer_noted(P, "x-test a b"), 1);
	assert_int_equal(peer_noted(P, "type "), 1);
	assert_int_equal(peer_noted(P, "type application"), 0); /* nothing that we did not say */
}

static void methods_without_body_send_none(void **state)
{
	(void)state;
	P = peer_new(serve_echo, NULL);
	static const char *const methods[] = { "GET", "DELETE", "POST", "PUT" };
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct net_http_req q = request(methods[i], "/x");
		run(&q);
		assert_int_equal(rec.status, 201);
		assert_int_equal(rec.body_n, 0);
		assert_int_equal(peer_noted(P, methods[i]), 1);
	}
	assert_int_equal(peer_noted(P, "bytes 0"), ARRAY_LEN(methods));
}

static void multipart_carries_names_files_and_bytes(void **state)
{
	(void)state;
	struct net_seg a = { .bytes = STR("1") },
		       b[] = { { .bytes = STR("PNG") }, { .bytes = STR("DATA") } };
	struct net_field f[] = { { .name = STR("published"), .segs = &a, .n_segs = 1 },
		{ .name = STR("source"),
			.filename = STR("b\"i\".png"),
			.content_type = STR("image/png"),
			.segs = b,
			.n_segs = 2 } };
	P = peer_new(serve_echo, NULL);
	struct net_http_req q = request("POST", "/photos");
	q.fields = f;
	q.n_fields = 2;
	run(&q);
	assert_int_equal(rec.status, 201);
	assert_non_null(strstr(
		rec.body, "Content-Disposition: form-data; name=\"published\"\r\n\r\n1\r\n"));
	assert_non_null(strstr(rec.body,
		"name=\"source\"; filename=\"b%22i%22.png\"\r\nContent-Type: image/png\r\n\r\nPNGDATA\r\n"));
	assert_int_equal(peer_noted(P, "type multipart/form-data; boundary=lantoa-"), 1);
}

/* --- bodies that come later ------------------------------------------------------------------ */

struct slow_source {
	struct net_source src;
	struct timer later;
	uint64_t given;
	int waits, released, fail_at;
	bool may;
};

static void slow_ready(struct timer *t)
{
	struct slow_source *s = CONTAINER_OF(t, struct slow_source, later);
	s->may = true;
	net_source_ready(&s->src);
}

static ssize_t slow_read(struct net_source *src, void *dst, size_t cap)
{
	struct slow_source *s = CONTAINER_OF(src, struct slow_source, src);
	if (s->fail_at > 0 && s->waits == s->fail_at)
		return -EIO;
	if (!s->may) {
		s->waits++;
		timer_set(R.env, &s->later, env_mono(R.env) + 2);
		return 0;
	}
	size_t k = cap < 30000 ? cap : 30000;
	if (k > s->src.length - s->given)
		k = (size_t)(s->src.length - s->given);
	memset(dst, 'z', k);
	s->given += k;
	s->may = false;
	return (ssize_t)k;
}

static void slow_release(struct net_source *src)
{
	struct slow_source *s = CONTAINER_OF(src, struct slow_source, src);
	s->released++;
	timer_stop(R.env, &s->later);
}

static struct slow_source slow(uint64_t length)
{
	struct slow_source s = {
		.src = { .read = slow_read, .release = slow_release, .length = length }
	};
	timer_init(&s.later, slow_ready);
	return s;
}

static void a_body_from_a_source_arrives_whole_and_in_order(void **state)
{
	(void)state;
	static char tail[4] = "end";
	struct slow_source s = slow(300000);
	struct net_seg body[] = { { .bytes = STR("begin") }, { .source = &s.src },
		{ .bytes = { tail, 3 } } };
	P = peer_new(serve_echo, NULL);
	struct net_http_req q = request("POST", "/big");
	q.body = body;
	q.n_body = 3;
	run(&q);
	assert_int_equal(rec.status, 201);
	assert_int_equal(rec.body_n, 300008);
	assert_int_equal(strncmp(rec.body, "beginzzz", 8), 0);
	assert_int_equal(peer_noted(P, "bytes 300008"), 1);
	assert_int_equal(s.released, 1);
	assert_true(s.waits >= 10);
}

static void a_source_that_breaks_ends_the_request_and_is_released_once(void **state)
{
	(void)state;
	struct slow_source s = slow(300000);
	s.fail_at = 3;
	struct net_seg body[] = { { .source = &s.src } };
	P = peer_new(serve_echo, NULL);
	struct net_http_req q = request("POST", "/big");
	q.body = body;
	q.n_body = 1;
	q.flags = NET_PUBLISHES;
	run(&q);
	assert_int_equal(rec.phase, NET_MAYBE_SENT);
	assert_int_equal(rec.error_code, -EIO);
	assert_int_equal(s.released, 1);
	assert_int_equal(peer_noted(P, "POST"), 0); /* never complete */
}

static void a_refused_request_releases_its_sources(void **state)
{
	(void)state;
	struct slow_source s = slow(10), s2 = slow(10);
	struct net_seg body[] = { { .source = &s.src } }, part[] = { { .source = &s2.src } };
	struct net_pair bad = { STR("X"), STR("a\r\nY: b") };
	struct net_call *c;
	P = peer_new(serve_echo, NULL);
	struct net_http_req q = request("POST", "/");
	q.body = body;
	q.n_body = 1;
	q.headers = &bad;
	q.n_headers = 1;
	assert_int_equal(net_http(R.net, &q, &c), -EINVAL);
	assert_int_equal(s.released, 1);
	struct net_field f = { .name = STR("a\nb"), .segs = part, .n_segs = 1 };
	q = request("POST", "/");
	q.fields = &f;
	q.n_fields = 1;
	assert_int_equal(net_http(R.net, &q, &c), -EINVAL);
	assert_int_equal(s2.released, 1);
}

static void what_could_smuggle_is_refused(void **state)
{
	(void)state;
	static const char *const urls[] = { "ftp://127.0.0.1/", "http://127.0.0.1/a b",
		"http://127.0.0.1/\r\nX", "file:///etc/passwd", "" };
	struct net_call *c;
	P = peer_new(serve_echo, NULL);
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct net_http_req q = request("GET", "/");
		q.url = str_of(urls[i]);
		assert_int_equal(net_http(R.net, &q, &c), -EINVAL);
	}
	struct net_http_req q = request("GE T", "/");
	assert_int_equal(net_http(R.net, &q, &c), -EINVAL);
	struct net_pair own = { STR("content-length"), STR("5") };
	q = request("POST", "/");
	q.headers = &own;
	q.n_headers = 1;
	assert_int_equal(net_http(R.net, &q, &c), -EINVAL);
}

static void a_user_in_the_url_is_refused(void **state)
{
	(void)state;
	P = peer_new(serve_echo, NULL);
	struct net_http_req q = request("GET", "/");
	(void)snprintf(url_buf, sizeof(url_buf), "http://user:pw@127.0.0.1:%u/", peer_port(P));
	q.url = str_of(url_buf);
	run(&q);
	assert_int_equal(rec.phase, NET_NOT_SENT);
	assert_int_equal(peer_connections(P), 0);
	assert_null(strstr(rec.error, "pw"));
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

/* --- cancel and limits ----------------------------------------------------------------------- */

static bool server_has_request(void *arg)
{
	(void)arg;
	return peer_noted(P, "POST") > 0;
}

static void a_cancel_tells_whether_bytes_had_left(void **state)
{
	(void)state;
	struct net_call *c;
	P = peer_new(serve_silence, NULL);
	struct net_http_req q = request("POST", "/publish");
	assert_int_equal(net_http(R.net, &q, &c), 0);
	net_http_cancel(R.net, c);
	net_http_cancel(R.net, c);
	assert_int_equal(rec.calls, 0);
	assert_true(peer_run_until(&R, rec_http_called, &rec, WAIT_MS));
	assert_int_equal(rec.phase, NET_NOT_SENT);
	assert_int_equal(rec.error_code, -ECANCELED);
	memset(&rec, 0, sizeof(rec));
	assert_int_equal(net_http(R.net, &q, &c), 0);
	assert_true(peer_run_until(&R, server_has_request, NULL, WAIT_MS));
	net_http_cancel(R.net, c);
	assert_true(peer_run_until(&R, rec_http_called, &rec, WAIT_MS));
	assert_int_equal(rec.phase, NET_MAYBE_SENT);
	assert_int_equal(rec.calls, 1);
}

static void count_done(void *ctx, const struct net_http_res *res)
{
	(void)res;
	++*(unsigned *)ctx;
}

static bool all_done(void *arg)
{
	return *(unsigned *)arg == NET_CALLS_MAX;
}

static void one_request_too_many_is_refused_and_free_ends_them_all(void **state)
{
	(void)state;
	unsigned done = 0;
	struct net_call *c;
	P = peer_new(serve_silence, NULL);
	struct net_http_req q = request("GET", "/");
	q.done = count_done;
	q.ctx = &done;
	q.url = STR("http://127.0.0.1:9/");
	for (unsigned i = 0; i < NET_CALLS_MAX; i++)
		assert_int_equal(net_http(R.net, &q, &c), 0);
	assert_int_equal(net_http(R.net, &q, &c), -EAGAIN);
	net_curl_free(R.net);
	R.net = NULL;
	assert_true(all_done(&done));
}

/* --- TLS ------------------------------------------------------------------------------------- */

static void serve_tls(struct peer_conn *c, void *ctx)
{
	if (!peer_tls(c)) {
		peer_note(c, "handshake refused");
		return;
	}
	serve_echo(c, ctx);
}

static char *read_text(const char *path)
{
	static char text[16384];
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	return text;
}

static void tls_wants_a_certificate_that_the_profile_trusts(void **state)
{
	(void)state;
	char *dir = tmpdir_new();
	assert_true(peer_cert_make(dir, "srv"));
	P = peer_new(serve_tls, NULL);
	peer_use_cert(P, tmpdir_path(dir, "srv.pem"), tmpdir_path(dir, "srv.key"));
	struct net_http_req q = request("POST", "/");
	(void)snprintf(url_buf, sizeof(url_buf), "https://localhost:%u/", peer_port(P));
	q.url = str_of(url_buf);
	q.flags = NET_PUBLISHES;
	run(&q);
	assert_int_equal(rec.phase, NET_NOT_SENT);
	assert_int_equal(rec.error_code, -EPROTO);
	struct net_profile mine = { .ca_pem = str_of(read_text(tmpdir_path(dir, "srv.pem"))) };
	q.profile = &mine;
	run(&q);
	assert_int_equal(rec.phase, NET_ANSWERED);
	assert_int_equal(rec.status, 201);
	(void)snprintf(url_buf, sizeof(url_buf), "https://127.0.0.2:%u/", peer_port(P));
	q.url = str_of(
		url_buf); /* not a name of the certificate; nobody listens there either way */
	run(&q);
	assert_int_equal(rec.phase, NET_NOT_SENT);
	tmpdir_remove(dir);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(an_answer_comes_with_status_headers_date_and_body),
		T(methods_without_body_send_none),
		T(multipart_carries_names_files_and_bytes),
		T(a_body_from_a_source_arrives_whole_and_in_order),
		T(a_source_that_breaks_ends_the_request_and_is_released_once),
		T(a_refused_request_releases_its_sources),
		T(what_could_smuggle_is_refused),
		T(a_user_in_the_url_is_refused),
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
		T(a_cancel_tells_whether_bytes_had_left),
		T(one_request_too_many_is_refused_and_free_ends_them_all),
		T(tls_wants_a_certificate_that_the_profile_trusts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
