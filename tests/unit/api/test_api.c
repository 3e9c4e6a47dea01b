/* test_api.c - both listeners over real sockets: the client runs on the same loop as the server. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "api/api.h"
#include "base/assert.h"
#include "base/metrics.h"
#include "net/loop.h"
#include "net/net.h"
#include "../../lib/peer_run.h"
#include "../../lib/tmpdir.h"

#define WAIT_MS 20000

static struct peer_run R;
static struct api *A;
static struct rec_http H;
static struct rec_stream S;
static char url_buf[512];

/* What the injected side saw, and what it shall do. */
static struct {
	int calls, closed, refreshed;
	char channel[64], tail[64];
	char token[256], method[16], path[256], query[256], body[4096], peer[64], header[128];
	struct api_call *call; /* kept for a later answer */
	bool later;
	int code, health;
	int fd;
	uint64_t size;
} W;

static void on_unsubscribe(void *ctx, struct str token, struct api_call *call)
{
	(void)ctx;
	W.calls++;
	(void)str_copy(W.token, sizeof(W.token), token);
	W.call = call;
	if (!W.later)
		api_answer_unsubscribed(call, W.code);
}

static void on_asset(void *ctx, struct str token, struct api_call *call)
{
	(void)ctx;
	W.calls++;
	(void)str_copy(W.token, sizeof(W.token), token);
	if (W.fd >= 0)
		api_answer_file(call, W.fd, W.size, "image/png");
	else
		api_answer(call, 404, NULL, STR("no such asset\n"));
}

static void on_webhook(void *ctx, const struct api_request *req, struct api_call *call)
{
	(void)ctx;
	W.calls++;
	(void)str_copy(W.method, sizeof(W.method), req->method);
	(void)str_copy(W.path, sizeof(W.path), req->path);
	(void)str_copy(W.query, sizeof(W.query), req->query);
	(void)str_copy(W.body, sizeof(W.body), req->body);
	(void)str_copy(W.peer, sizeof(W.peer), req->peer);
	(void)str_copy(W.channel, sizeof(W.channel), req->channel);
	(void)str_copy(W.tail, sizeof(W.tail), req->tail);
	for (size_t i = 0; i < req->n_headers; i++)
		if (str_ieqz(req->headers[i].name, "X-Sign"))
			(void)str_copy(W.header, sizeof(W.header), req->headers[i].value);
	W.call = call;
	if (!W.later)
		api_answer(call, 202, "application/json", STR("{\"ok\":true}"));
}

static int on_health(void *ctx, struct buf *why)
{
	(void)ctx;
	if (W.health != 0)
		buf_addz(why, "the store does not answer");
	return W.health;
}

static void on_metrics(void *ctx)
{
	(void)ctx;
	W.refreshed++;
	metric_set(metric_gauge("lantoa_test_depth", "Depth."), 42);
}

static void on_closed(void *ctx)
{
	(void)ctx;
	W.closed++;
}

static int set_up(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct api_options o = { .public_listen = "127.0.0.1:0",
		.private_listen = "127.0.0.1:0",
		.agency = "BHXH <&> \"VN\"",
		.unsubscribe = on_unsubscribe,
		.asset = on_asset,
		.health = on_health,
		.ready = on_health,
		.metrics = on_metrics };
	memset(&H, 0, sizeof(H));
	memset(&S, 0, sizeof(S));
	memset(&W, 0, sizeof(W));
	W.fd = -1;
	if (peer_run_open(&R) != 0 || api_open(R.loop, &o, &A, &e) != 0)
		return -1;
	return api_webhook_set(A, STR("sms-1"), STR("s3cret-s3cret"), 2000, on_webhook, NULL);
}

static bool is_closed(void *arg)
{
	(void)arg;
	return W.closed > 0;
}

static int tear_down(void **state)
{
	(void)state;
	bool ok = true;
	if (A != NULL) {
		api_close(A, on_closed, NULL);
		A = NULL;
		ok = peer_run_until(&R, is_closed, NULL, WAIT_MS) && W.closed == 1;
	}
	int rc = peer_run_close(&R);
	metrics_reset();
	return ok ? rc : -1;
}

static struct net_http_req request(const char *method, bool is_public, const char *path)
{
	(void)snprintf(url_buf, sizeof(url_buf), "http://127.0.0.1:%u%s",
		is_public ? api_public_port(A) : api_private_port(A), path);
	return (struct net_http_req){ .method = str_of(method),
		.url = str_of(url_buf),
		.done = rec_http_done,
		.ctx = &H,
		.total_ms = WAIT_MS,
		.answer_max = 16 * 1024 * 1024 };
}

static void start(
	const char *method, bool is_public, const char *path, const char *type, const char *body)
{
	struct net_http_req q = request(method, is_public, path);
	struct net_pair h[] = { { STR("Content-Type"), str_of(type) },
		{ STR("X-Sign"), STR("sha256=ab") } };
	struct net_seg seg = { .bytes = str_of(body) };
	struct net_call *c;
	memset(&H, 0, sizeof(H));
	if (type != NULL) {
		q.headers = h;
		q.n_headers = 2;
	}
	if (body != NULL) {
		q.body = &seg;
		q.n_body = 1;
	}
	assert_int_equal(net_http(R.net, &q, &c), 0);
}

static void run(
	const char *method, bool is_public, const char *path, const char *type, const char *body)
{
	start(method, is_public, path, type, body);
	assert_true(peer_run_until(&R, rec_http_called, &H, WAIT_MS));
	assert_int_equal(H.phase, NET_ANSWERED);
	assert_string_equal(H.error, "");
}

#define FORM "application/x-www-form-urlencoded"

/* --- unsubscribe ----------------------------------------------------------------------------- */

static void opening_the_link_shows_a_page_and_does_nothing(void **state)
{
	(void)state;
	run("GET", true, "/u/abc-DEF_1.2", NULL, NULL);
	assert_int_equal(H.status, 200);
	assert_int_equal(W.calls, 0);
	assert_non_null(strstr(H.body, "<form method=\"post\">"));
	assert_non_null(strstr(H.body, "Ngừng nhận thư"));
	assert_non_null(strstr(H.body, "Unsubscribe"));
	assert_non_null(strstr(H.body, "BHXH &lt;&amp;&gt; &quot;VN&quot;"));
	assert_null(strstr(H.body, "BHXH <"));
	run("HEAD", true, "/u/abc", NULL, NULL);
	assert_int_equal(H.status, 200);
	assert_int_equal(W.calls, 0);
}

static void one_click_acts_and_is_told_so(void **state)
{
	(void)state;
	run("POST", true, "/u/abc", FORM, "List-Unsubscribe=One-Click");
	assert_int_equal(H.status, 200);
	assert_int_equal(W.calls, 1);
	assert_string_equal(W.token, "abc");
	assert_non_null(strstr(H.body, "Đã ngừng gửi"));
	run("POST", true, "/u/abc?x=1", "multipart/form-data; boundary=b",
		"--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n");
	assert_int_equal(H.status, 200);
	assert_int_equal(W.calls, 2);
	assert_string_equal(W.token, "abc");
}

static bool handed_over(void *arg)
{
	(void)arg;
	return W.calls > 0;
}

static void two_hundred_comes_only_after_the_commit(void **state)
{
	(void)state;
	W.later = true;
	start("POST", true, "/u/abc", FORM, "List-Unsubscribe=One-Click");
	assert_true(peer_run_until(&R, handed_over, NULL, WAIT_MS));
	peer_run_for(&R, 100);
	assert_int_equal(H.calls, 0);
	api_answer_unsubscribed(W.call, 0);
	assert_true(peer_run_until(&R, rec_http_called, &H, WAIT_MS));
	assert_int_equal(H.status, 200);
}

static void what_is_not_committed_is_not_two_hundred(void **state)
{
	(void)state;
	static const struct {
		int code, status;
	} t[] = { { -ENOENT, 404 }, { -EBADMSG, 404 }, { -EINVAL, 404 }, { -EAGAIN, 503 },
		{ -EIO, 503 }, { -ENOSPC, 503 } };
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		W.code = t[i].code;
		run("POST", true, "/u/abc", FORM, "List-Unsubscribe=One-Click");
		assert_int_equal(H.status, t[i].status);
	}
}

static void a_post_without_the_word_does_nothing(void **state)
{
	(void)state;
	static const char *const bodies[] = { "", "x",
		"List-Unsubscribe=", "List-Unsubscribe=One-ClickX",
		"a=List-Unsubscribe=One-Click" };
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		run("POST", true, "/u/abc", FORM, bodies[i]);
		assert_int_equal(H.status, 400);
	}
	run("POST", true, "/u/abc", "multipart/form-data; boundary=b",
		"name=\"List-Unsubscribe\"\r\n\r\nno");
	assert_int_equal(H.status, 400);
	assert_int_equal(W.calls, 0);
}

static void wrong_paths_and_methods_are_refused(void **state)
{
	(void)state;
	static const char *const paths[] = { "/", "/u/", "/u/a/b", "/u/a%20b", "/u/%2e%2e",
		"/U/abc", "/metrics", "/healthz", "/w/sms-1", "/a/" };
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		run("GET", true, paths[i], NULL, NULL);
		assert_int_equal(H.status, 404);
	}
	run("PUT", true, "/u/abc", NULL, "x");
	assert_int_equal(H.status, 405);
	run("DELETE", true, "/a/abc", NULL, NULL);
	assert_int_equal(H.status, 405);
	assert_int_equal(W.calls, 0);
}

static void a_form_that_is_too_large_is_413(void **state)
{
	(void)state;
	static char big[API_FORM_MAX + 2];
	memset(big, 'x', API_FORM_MAX + 1);
	run("POST", true, "/u/abc", FORM, big);
	assert_int_equal(H.status, 413);
	assert_int_equal(W.calls, 0);
}

/* --- webhooks -------------------------------------------------------------------------------- */

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

/* --- assets ---------------------------------------------------------------------------------- */

static void make_file(const char *path, size_t n)
{
	char *p = malloc(n);
	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = (char)(i * 7 % 251);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), (ssize_t)n);
	free(p);
	W.fd = fd;
	W.size = n;
}

static bool file_bytes_ok(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != (char)(i * 7 % 251))
			return false;
	return true;
}

static void an_asset_is_served_whole(void **state)
{
	(void)state;
	static const size_t sizes[] = { 1, 5000, 131072, 131073, 3000000 };
	char *dir = tmpdir_new();
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		make_file(tmpdir_path(dir, "a.png"), sizes[i]);
		run("GET", true, "/a/tok", NULL, NULL);
		assert_int_equal(H.status, 200);
		assert_int_equal(H.body_n, sizes[i]);
		size_t n = H.body_n < sizeof(H.body) - 1 ? H.body_n : sizeof(H.body) - 1;
		assert_true(file_bytes_ok(H.body, n));
	}
	W.fd = -1;
	run("GET", true, "/a/tok", NULL, NULL);
	assert_int_equal(H.status, 404);
	tmpdir_remove(dir);
}

static void an_asset_that_became_shorter_is_not_taken_for_whole(void **state)
{
	(void)state;
	char *dir = tmpdir_new();
	make_file(tmpdir_path(dir, "a.png"), 200000);
	W.size = 400000;
	start("GET", true, "/a/tok", NULL, NULL);
	assert_true(peer_run_until(&R, rec_http_called, &H, WAIT_MS));
	assert_true(H.truncated);
	tmpdir_remove(dir);
}

/* --- private --------------------------------------------------------------------------------- */

static void metrics_are_refreshed_and_printed(void **state)
{
	(void)state;
	run("GET", true, "/u/abc", NULL, NULL);
	run("GET", false, "/metrics", NULL, NULL);
	assert_int_equal(H.status, 200);
	assert_int_equal(W.refreshed, 1);
	assert_non_null(strstr(H.body, "\nlantoa_test_depth 42\n"));
	assert_non_null(
		strstr(H.body, "lantoa_http_requests_total{listener=\"public\",code=\"200\"} 1\n"));
}

static void health_tells_the_reason(void **state)
{
	(void)state;
	run("GET", false, "/healthz", NULL, NULL);
	assert_int_equal(H.status, 200);
	W.health = -EIO;
	run("GET", false, "/healthz", NULL, NULL);
	assert_int_equal(H.status, 503);
	assert_string_equal(H.body, "the store does not answer\n");
	run("GET", false, "/readyz", NULL, NULL);
	assert_int_equal(H.status, 503);
	run("POST", false, "/readyz", FORM, "");
	assert_int_equal(H.status, 405);
	run("GET", false, "/u/abc", NULL, NULL); /* public pages are not here */
	assert_int_equal(H.status, 404);
}

/* --- raw and rude ---------------------------------------------------------------------------- */

static void raw_open(bool is_public)
{
	struct net_stream_req q = { .kind = NET_TCP,
		.host = STR("127.0.0.1"),
		.port = is_public ? api_public_port(A) : api_private_port(A),
		.on_event = rec_stream_event,
		.ctx = &S };
	memset(&S, 0, sizeof(S));
	assert_int_equal(net_stream_open(R.net, &q, &S.s), 0);
	assert_true(peer_run_until(&R, rec_stream_over, &S, WAIT_MS));
	assert_int_equal(S.opens, 1);
}

static void raw_say(const char *text)
{
	struct net_seg seg = { .bytes = str_of(text) };
	assert_int_equal(net_stream_write(R.net, S.s, &seg, 1, NULL), 0);
}

static bool raw_answered(void *arg)
{
	return strstr(S.data, arg) != NULL || S.closes > 0;
}

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

/* --- opening --------------------------------------------------------------------------------- */

static void an_address_that_cannot_be_had_is_told(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct api *b;
	char taken[64];
	struct api_options o = { .public_listen = "localhost:80" };
	assert_int_equal(api_open(R.loop, &o, &b, &e), -EINVAL);
	assert_non_null(strstr(e.text, "'localhost:80'"));
	assert_non_null(strstr(e.text, "127.0.0.1:8480"));
	(void)snprintf(taken, sizeof(taken), "127.0.0.1:%u", api_public_port(A));
	o.public_listen = "127.0.0.1:0";
	o.private_listen = taken;
	assert_int_equal(api_open(R.loop, &o, &b, &e), -EADDRINUSE);
	assert_non_null(strstr(e.text, taken));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(opening_the_link_shows_a_page_and_does_nothing),
		T(one_click_acts_and_is_told_so),
		T(two_hundred_comes_only_after_the_commit),
		T(what_is_not_committed_is_not_two_hundred),
		T(a_post_without_the_word_does_nothing),
		T(wrong_paths_and_methods_are_refused),
		T(a_form_that_is_too_large_is_413),
		T(a_webhook_gets_the_whole_request_as_it_was_sent),
		T(a_wrong_secret_looks_like_nothing),
		T(what_stands_behind_the_secret_reaches_the_handler),
		T(webhooks_can_be_replaced_and_dropped),
		T(the_table_of_webhooks_has_an_end),
		T(an_asset_is_served_whole),
		T(an_asset_that_became_shorter_is_not_taken_for_whole),
		T(metrics_are_refreshed_and_printed),
		T(health_tells_the_reason),
		T(pipelined_requests_are_answered_one_after_the_other),
		T(garbage_is_refused_and_nothing_leaks),
		T(headers_without_end_are_refused),
		T(a_chunked_body_without_end_is_cut),
		T(a_client_that_goes_away_does_not_hurt_a_late_answer),
		T(closing_answers_the_waiting_and_takes_late_answers),
		T(more_connections_than_places_do_no_lasting_harm),
		T(a_handler_that_does_not_answer_is_answered_for),
		T(a_request_that_comes_in_drops_is_cut),
		T(an_address_that_cannot_be_had_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
