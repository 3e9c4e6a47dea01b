/* apiscene.h - both listeners over real sockets: the client runs on the same loop as the server. What the handlers saw stands in W,
 * which also says what they shall answer.
 *   run(method, public, path, type, body);  H is the answer.   raw_open(public); raw_say(text);  S is what came.
 */
#ifndef LANTOA_TESTS_API_APISCENE_H
#define LANTOA_TESTS_API_APISCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "api/api.h"
#include "base/assert.h"
#include "base/metrics.h"
#include "net/loop.h"
#include "net/net.h"
#include "../../lib/peer_run.h"

#define WAIT_MS 20000
#define FORM    "application/x-www-form-urlencoded"

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

static inline void on_unsubscribe(void *ctx, struct str token, struct api_call *call)
{
	(void)ctx;
	W.calls++;
	(void)str_copy(W.token, sizeof(W.token), token);
	W.call = call;
	if (!W.later)
		api_answer_unsubscribed(call, W.code);
}

static inline void on_asset(void *ctx, struct str token, struct api_call *call)
{
	(void)ctx;
	W.calls++;
	(void)str_copy(W.token, sizeof(W.token), token);
	if (W.fd >= 0)
		api_answer_file(call, W.fd, W.size, "image/png");
	else
		api_answer(call, 404, NULL, STR("no such asset\n"));
}

static inline void on_webhook(void *ctx, const struct api_request *req, struct api_call *call)
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

static inline int on_health(void *ctx, struct buf *why)
{
	(void)ctx;
	if (W.health != 0)
		buf_addz(why, "the store does not answer");
	return W.health;
}

static inline void on_metrics(void *ctx)
{
	(void)ctx;
	W.refreshed++;
	metric_set(metric_gauge("lantoa_test_depth", "Depth."), 42);
}

static inline void on_closed(void *ctx)
{
	(void)ctx;
	W.closed++;
}

static inline int set_up(void **state)
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

static inline bool is_closed(void *arg)
{
	(void)arg;
	return W.closed > 0;
}

static inline int tear_down(void **state)
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

static inline struct net_http_req request(const char *method, bool is_public, const char *path)
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

static inline void start(
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

static inline void run(
	const char *method, bool is_public, const char *path, const char *type, const char *body)
{
	start(method, is_public, path, type, body);
	assert_true(peer_run_until(&R, rec_http_called, &H, WAIT_MS));
	assert_int_equal(H.phase, NET_ANSWERED);
	assert_string_equal(H.error, "");
}

static inline bool handed_over(void *arg)
{
	(void)arg;
	return W.calls > 0;
}

/* --- bytes as they are ------------------------------------------------------------------------ */

static inline void raw_open(bool is_public)
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

static inline void raw_say(const char *text)
{
	struct net_seg seg = { .bytes = str_of(text) };
	assert_int_equal(net_stream_write(R.net, S.s, &seg, 1, NULL), 0);
}

static inline bool raw_answered(void *arg)
{
	return strstr(S.data, arg) != NULL || S.closes > 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
