/* net_curl_http.c - one HTTP request on libcurl, with the guard against re-sending.
 * Thread: loop. Owns: the easy handle, the body queue, the answer.
 * libcurl re-sends a request by itself when a kept connection turns out to be dead. A publishing request therefore uses a
 * fresh connection that is not kept (on bulk profiles a kept one, if it has a body: read once, seek refuses), and whatever
 * libcurl decides, its announcement of a second send is refused (net_call_on_send).
 * Phase: bytes count as sent from the moment libcurl reports them written; over TLS from the moment sending begins.
 */
#include <string.h>
#include "base/assert.h"
#include "base/crypt.h"
#include "net/net_curl.h"
#include "net/net_http.h"

#define CALL_MAGIC         0x63616c6cu
#define ANSWER_DEFAULT     (1024u * 1024)
#define CONNECT_MS         10000
#define TOTAL_MS           60000
#define ANSWER_HEADERS_MAX 200u

struct net_call {
	uint32_t magic;
	struct net_curl *nc;
	struct list node;
	CURL *easy;
	void (*done)(void *ctx, const struct net_http_res *res);
	void *ctx;
	uint32_t flags;
	bool tls;
	bool sending; /* libcurl has begun to send the request itself (not a CONNECT to a proxy) */
	bool resend_refused;
	bool paused; /* waits for a source */
	bool cut;    /* answer over its maximum */
	uint64_t bytes_out;
	int64_t began_ms;
	struct net_out body;
	struct buf answer, head;
	struct curl_slist *headers;
	struct task cancel;
	char errbuf[CURL_ERROR_SIZE];
};

/* --- callbacks of libcurl -------------------------------------------------------------------- */

static struct net_call *net_call_of(void *ctx)
{
	struct net_call *c = ctx;
	CHECK_OBJ(c, CALL_MAGIC);
	return c;
}

static int net_call_on_send(void *ctx, char *to, char *from, int to_port, int from_port)
{
	struct net_call *c = net_call_of(ctx);
	UNUSED(to);
	UNUSED(from);
	UNUSED(to_port);
	UNUSED(from_port);
	bool again = c->sending && (c->bytes_out > 0 || c->tls || c->body.flushed > 0);
	if (again && ((c->flags & NET_PUBLISHES) != 0 || c->body.flushed > 0)) {
		c->resend_refused = true;
		return CURL_PREREQFUNC_ABORT;
	}
	c->sending = true;
	return CURL_PREREQFUNC_OK;
}

static int net_call_on_debug(CURL *easy, curl_infotype type, char *p, size_t n, void *ctx)
{
	struct net_call *c = net_call_of(ctx);
	UNUSED(easy);
	UNUSED(p);
	if (c->sending && (type == CURLINFO_HEADER_OUT || type == CURLINFO_DATA_OUT))
		c->bytes_out += n;
	return 0;
}

static size_t net_call_on_read(char *dst, size_t size, size_t n, void *ctx)
{
	struct net_call *c = net_call_of(ctx);
	size_t cap = size * n, got = 0;
	while (got < cap) {
		const char *p;
		size_t k = out_peek(&c->body, &p);
		if (k == 0)
			break;
		if (k > cap - got)
			k = cap - got;
		memcpy(dst + got, p, k);
		out_sent(&c->body, k);
		got += k;
	}
	if (got > 0)
		return got;
	if (c->body.broken != 0)
		return CURL_READFUNC_ABORT;
	if (out_queued(&c->body) == 0)
		return 0;
	c->paused = true;
	return CURL_READFUNC_PAUSE;
}

static void net_call_on_ready(struct net_out *o)
{
	struct net_call *c = CONTAINER_OF(o, struct net_call, body);
	CHECK_OBJ(c, CALL_MAGIC);
	if (!c->paused)
		return;
	c->paused = false;
	(void)curl_easy_pause(c->easy, CURLPAUSE_CONT);
}

/* Libcurl wants to begin again: the body is gone, and that is meant. */
static int net_call_on_seek(void *ctx, curl_off_t offset, int origin)
{
	net_call_of(ctx)->resend_refused = true;
	UNUSED(offset);
	UNUSED(origin);
	return CURL_SEEKFUNC_FAIL;
}

static size_t net_call_on_write(char *p, size_t size, size_t n, void *ctx)
{
	struct net_call *c = net_call_of(ctx);
	size_t len = size * n, room = c->answer.max - c->answer.n;
	if (buf_add(&c->answer, p, len < room ? len : room) != 0 || len > room) {
		c->cut = true;
		return 0;
	}
	return len;
}

static size_t net_call_on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct net_call *c = net_call_of(ctx);
	size_t len = size * n;
	if (len >= 5 && memcmp(p, "HTTP/", 5) == 0)
		buf_reset(&c->head); /* what came before was a 100 or the like */
	if (buf_add(&c->head, p, len) != 0) {
		c->cut = true;
		return 0;
	}
	return len;
}

/* --- the end --------------------------------------------------------------------------------- */

static void net_call_free(struct net_call *c)
{
	task_cancel(&c->cancel);
	if (!list_empty(&c->node)) {
		list_del(&c->node);
		metric_set(c->nc->m.calls, (int64_t)--c->nc->n_calls);
	}
	if (c->easy != NULL)
		curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->headers);
	out_done(&c->body);
	if ((c->flags & NET_SECRET_ANSWER) != 0 && c->answer.p != NULL)
		wipe(c->answer.p, c->answer.cap);
	buf_done(&c->answer);
	buf_done(&c->head);
	c->magic = 0;
	xfree(c);
}

static enum net_phase net_call_phase(const struct net_call *c, int status)
{
	if (status >= 200)
		return NET_ANSWERED;
	return c->bytes_out > 0 || (c->tls && c->sending) ? NET_MAYBE_SENT : NET_NOT_SENT;
}

static void net_call_reason(const struct net_call *c, CURLcode code, bool cancelled,
	struct net_http_res *res, char *text, size_t size)
{
	res->error_code = net_error_code(code);
	if (cancelled) {
		res->error_code = -ECANCELED;
		(void)str_copy(text, size, STR("cancelled"));
	} else if (c->cut) {
		res->error_code = -EMSGSIZE;
		(void)str_copy(text, size, STR("the answer is longer than allowed"));
	} else if (c->resend_refused) {
		res->error_code = -ECONNRESET;
		(void)str_copy(text, size, STR("the connection was lost; not sent a second time"));
	} else if (c->body.broken != 0) {
		res->error_code = c->body.broken;
		(void)str_copy(text, size, STR("the body could not be read"));
	} else if (code != CURLE_OK) {
		net_error_text(text, size, code, c->errbuf);
	}
	if (text[0] != '\0')
		res->error = str_of(text);
}

static void net_call_finish(struct net_call *c, CURLcode code, bool cancelled)
{
	struct net_pair headers[ANSWER_HEADERS_MAX];
	struct net_http_res res = { 0 };
	char text[CURL_ERROR_SIZE] = "";
	long status = 0;
	(void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_multi_remove_handle(c->nc->http.m, c->easy);
	res.phase = net_call_phase(c, (int)status);
	res.status = res.phase == NET_ANSWERED ? (int)status : 0;
	net_call_reason(c, code, cancelled, &res, text, sizeof(text));
	res.truncated = res.phase == NET_ANSWERED && res.error_code != 0;
	res.took_ms = env_mono(c->nc->env) - c->began_ms;
	if (res.phase == NET_ANSWERED) {
		res.headers = headers;
		res.n_headers = net_http_parse_head(buf_str(&c->head), headers, ANSWER_HEADERS_MAX);
		res.server_date_ms = net_http_date(headers, res.n_headers);
		res.body = buf_str(&c->answer);
	}
	metric_add(c->nc->m.phase[res.phase], 1);
	c->done(c->ctx, &res);
	net_call_free(c);
}

void net_http_on_done(struct net_multi *mu, CURL *easy, CURLcode code)
{
	char *priv = NULL;
	UNUSED(mu);
	(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &priv);
	net_call_finish(net_call_of(priv), code, false);
}

static void net_call_on_cancel(struct task *t)
{
	net_call_finish(CONTAINER_OF(t, struct net_call, cancel), CURLE_ABORTED_BY_CALLBACK, true);
}

void net_http_stop(struct net *n, struct net_call *c)
{
	CHECK_OBJ(c, CALL_MAGIC);
	env_defer(net_curl_of(n)->env, &c->cancel);
}

void net_http_end_all(struct net_curl *nc)
{
	while (!list_empty(&nc->calls))
		net_call_finish(CONTAINER_OF(nc->calls.next, struct net_call, node),
			CURLE_ABORTED_BY_CALLBACK, true);
}

/* --- the beginning --------------------------------------------------------------------------- */

static void net_call_set_callbacks(struct net_call *c)
{
	CURL *h = c->easy;
	(void)curl_easy_setopt(h, CURLOPT_PRIVATE, c);
	(void)curl_easy_setopt(h, CURLOPT_ERRORBUFFER, c->errbuf);
	(void)curl_easy_setopt(h, CURLOPT_PREREQFUNCTION, net_call_on_send);
	(void)curl_easy_setopt(h, CURLOPT_PREREQDATA, c);
	(void)curl_easy_setopt(h, CURLOPT_DEBUGFUNCTION, net_call_on_debug);
	(void)curl_easy_setopt(h, CURLOPT_DEBUGDATA, c);
	(void)curl_easy_setopt(h, CURLOPT_VERBOSE, 1L);
	(void)curl_easy_setopt(h, CURLOPT_READFUNCTION, net_call_on_read);
	(void)curl_easy_setopt(h, CURLOPT_READDATA, c);
	(void)curl_easy_setopt(h, CURLOPT_SEEKFUNCTION, net_call_on_seek);
	(void)curl_easy_setopt(h, CURLOPT_SEEKDATA, c);
	(void)curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, net_call_on_write);
	(void)curl_easy_setopt(h, CURLOPT_WRITEDATA, c);
	(void)curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, net_call_on_header);
	(void)curl_easy_setopt(h, CURLOPT_HEADERDATA, c);
	(void)curl_easy_setopt(h, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

static void net_call_set_method(
	struct net_call *c, const struct net_http_req *req, const char *method)
{
	bool body = req->n_body > 0 || req->n_fields > 0;
	if (body || strcmp(method, "POST") == 0) {
		(void)curl_easy_setopt(c->easy, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(
			c->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->body.written);
	} else if (strcmp(method, "HEAD") == 0) {
		(void)curl_easy_setopt(c->easy, CURLOPT_NOBODY, 1L);
	} else {
		(void)curl_easy_setopt(c->easy, CURLOPT_HTTPGET, 1L);
	}
	(void)curl_easy_setopt(c->easy, CURLOPT_CUSTOMREQUEST, method);
}

static void net_call_set_limits(struct net_call *c, const struct net_http_req *req)
{
	bool kept = req->profile != NULL && req->profile->bulk && c->body.written > 0;
	if ((c->flags & NET_PUBLISHES) != 0 && !kept) {
		(void)curl_easy_setopt(c->easy, CURLOPT_FRESH_CONNECT, 1L);
		(void)curl_easy_setopt(c->easy, CURLOPT_FORBID_REUSE, 1L);
	}
	(void)curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(req->connect_ms > 0 ? req->connect_ms : CONNECT_MS));
	(void)curl_easy_setopt(
		c->easy, CURLOPT_TIMEOUT_MS, (long)(req->total_ms > 0 ? req->total_ms : TOTAL_MS));
}

static int net_call_set_up(struct net_call *c, const struct net_http_req *req)
{
	char url[NET_URL_MAX + 1], method[16];
	REQUIRE(str_copy(url, sizeof(url), req->url)); /* net_http_check has seen the lengths */
	REQUIRE(str_copy(method, sizeof(method), req->method));
	int r = net_http_build_body(c->nc->env, req, &c->body, &c->headers);
	if (r == 0)
		r = net_http_build_headers(req, &c->headers);
	if (r != 0)
		return r;
	c->easy = curl_easy_init();
	if (c->easy == NULL)
		return -ENOMEM;
	net_easy_setup(c->easy, req->profile, "http,https");
	if (req->any_certificate)
		net_easy_any_certificate(c->easy);
	net_call_set_callbacks(c);
	(void)curl_easy_setopt(c->easy, CURLOPT_URL, url);
	(void)curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
	net_call_set_method(c, req, method);
	net_call_set_limits(c, req);
	return 0;
}

int net_http_start(struct net *n, const struct net_http_req *req, struct net_call **ret)
{
	struct net_curl *nc = net_curl_of(n);
	int r = net_http_check(req);
	if (r == 0 && nc->n_calls >= NET_CALLS_MAX)
		r = -EAGAIN;
	if (r == 0 && nc->closing)
		r = -EPIPE;
	if (r != 0) {
		net_http_release(req);
		return r;
	}
	struct net_call *c = x_calloc(1, sizeof(*c));
	c->magic = CALL_MAGIC;
	c->nc = nc;
	c->done = req->done;
	c->ctx = req->ctx;
	c->flags = req->flags;
	c->tls = str_starts(req->url, "https://");
	c->began_ms = env_mono(nc->env);
	list_init(&c->node);
	task_init(&c->cancel, net_call_on_cancel);
	out_init(&c->body, net_call_on_ready);
	buf_init(&c->answer, req->answer_max != 0 ? req->answer_max : ANSWER_DEFAULT);
	buf_init(&c->head, NET_ANSWER_HEAD_MAX);
	r = net_call_set_up(c, req);
	if (r != 0) {
		net_call_free(c);
		return r;
	}
	list_push(&nc->calls, &c->node);
	metric_set(nc->m.calls, (int64_t)++nc->n_calls);
	REQUIRE(curl_multi_add_handle(nc->http.m, c->easy) == CURLM_OK);
	if (ret != NULL)
		*ret = c;
	return 0;
}
