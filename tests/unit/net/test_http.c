/* test_http.c - HTTP requests: bodies of every kind, what is refused, cancelling, limits, TLS. */
#include "httpscene.h"
#include "../../lib/tmpdir.h"

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
	q.profile = NULL;
	q.any_certificate = true;
	run(&q);
	assert_int_equal(rec.status, 201);
	q.any_certificate = false; /* and a connection that was kept is none for who asks */
	run(&q);
	assert_int_equal(rec.phase, NET_NOT_SENT);
	tmpdir_remove(dir);
}

/* Signed by whom we trust, for somebody else: our token would be his. */
static void tls_wants_a_certificate_of_the_name_that_was_asked_for(void **state)
{
	(void)state;
	char *dir = tmpdir_new();
	static const char *const names[][2] = { { "localhost", "DNS:other.example,IP:127.0.0.1" },
		{ "127.0.0.1", "DNS:localhost,IP:127.0.0.2" } };
	for (size_t i = 0; i < 4; i++) { /* the third and fourth: the other way round, which fits */
		assert_true(peer_cert_make_for(dir, "srv", names[i % 2][1]));
		struct net_profile mine = { .ca_pem = str_of(
						    read_text(tmpdir_path(dir, "srv.pem"))) };
		P = peer_new(serve_tls, NULL);
		peer_use_cert(P, tmpdir_path(dir, "srv.pem"), tmpdir_path(dir, "srv.key"));
		struct net_http_req q = request("POST", "/");
		(void)snprintf(url_buf, sizeof(url_buf), "https://%s:%u/",
			names[i < 2 ? i : 3 - i][0], peer_port(P));
		q.url = str_of(url_buf);
		q.profile = &mine;
		run(&q);
		assert_int_equal(rec.phase, i < 2 ? NET_NOT_SENT : NET_ANSWERED);
		assert_int_equal(rec.error_code, i < 2 ? -EPROTO : 0);
		assert_int_equal(peer_connections(P), 1);
		assert_int_equal(peer_noted(P, "POST"), i < 2 ? 0 : 1);
		if (i < 3)
			peer_free(P);
	}
	tmpdir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_answer_comes_with_status_headers_date_and_body),
		T(methods_without_body_send_none),
		T(multipart_carries_names_files_and_bytes),
		T(a_body_from_a_source_arrives_whole_and_in_order),
		T(a_source_that_breaks_ends_the_request_and_is_released_once),
		T(a_refused_request_releases_its_sources),
		T(what_could_smuggle_is_refused),
		T(a_user_in_the_url_is_refused),
		T(a_cancel_tells_whether_bytes_had_left),
		T(one_request_too_many_is_refused_and_free_ends_them_all),
		T(tls_wants_a_certificate_that_the_profile_trusts),
		T(tls_wants_a_certificate_of_the_name_that_was_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
