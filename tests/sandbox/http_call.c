/* http_call.c - the sandbox as a client: webhooks and reports pushed to the daemon, pictures fetched from it; and timers.
 * Owns: each call until its answer or its end. Failures: no connection, no answer within 15 s, over 32 MB: status 0. */
#include <stdlib.h>
#include <string.h>
#include "http_internal.h"

#define CALL_MS  15000
#define CALL_MAX (32u << 20)

struct call {
	uv_tcp_t tcp;
	uv_timer_t timer;
	uv_connect_t conn;
	uv_write_t write;
	struct list node;
	struct sandbox *s;
	struct buf out, in;
	sb_call_done *fn;
	void *ctx;
	int port, handles;
	bool started, over;
};
struct later {
	uv_timer_t timer;
	struct list node;
	void (*fn)(void *ctx);
	void *ctx;
};

static void call_gone(uv_handle_t *h)
{
	struct call *c = h->data;

	if (--c->handles > 0)
		return;
	list_del(&c->node);
	c->s->http->n_calls--;
	buf_done(&c->out);
	buf_done(&c->in);
	free(c);
}

/* Status, type and body of what came: 0 when it is not whole. */
static int understand(const struct call *c, struct str *type, struct str *body)
{
	struct str all = buf_str(&c->in), line, rest;
	const char *end = all.n == 0 ? NULL : memmem(all.p, all.n, "\r\n\r\n", 4);
	int64_t status = 0, length = -1;

	*type = *body = (struct str){ 0 };
	if (end == NULL || all.n < 13 || memcmp(all.p, "HTTP/1.", 7) != 0)
		return 0;
	if (str_i64((struct str){ all.p + 9, 3 }, 100, 599, &status) < 0)
		return 0;
	rest = (struct str){ all.p, (size_t)(end - all.p) };
	while (str_line(&rest, &line)) {
		if (line.n > 13 && str_ieqz((struct str){ line.p, 13 }, "content-type:"))
			*type = str_trim((struct str){ line.p + 13, line.n - 13 });
		if (line.n > 15 && str_ieqz((struct str){ line.p, 15 }, "content-length:"))
			(void)str_i64(str_trim((struct str){ line.p + 15, line.n - 15 }), 0,
				INT64_MAX, &length);
	}
	*body = (struct str){ end + 4, all.n - (size_t)(end + 4 - all.p) };
	if (length >= 0 && body->n < (size_t)length)
		return 0;
	return (int)status;
}

static void finish(struct call *c)
{
	struct str type, body;

	if (c->over)
		return;
	c->over = true;
	int status = understand(c, &type, &body);
	if (c->fn != NULL)
		c->fn(c->ctx, status, type, body);
	c->handles = c->started ? 2 : 1;
	uv_close((uv_handle_t *)&c->timer, call_gone);
	if (c->started)
		uv_close((uv_handle_t *)&c->tcp, call_gone);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *ret)
{
	struct call *c = h->data;

	(void)hint;
	*ret = uv_buf_init(NULL, 0);
	if (buf_reserve(&c->in, 65536) == 0)
		*ret = uv_buf_init(c->in.p + c->in.n, 65536);
}

static void on_read(uv_stream_t *st, ssize_t n, const uv_buf_t *b)
{
	struct call *c = st->data;

	(void)b;
	if (n >= 0)
		c->in.n += (size_t)n;
	else
		finish(c);
}

static void on_written(uv_write_t *w, int status)
{
	struct call *c = w->data;

	if (status < 0)
		finish(c);
}

static void on_connect(uv_connect_t *r, int status)
{
	struct call *c = r->data;

	if (c->over)
		return;
	uv_buf_t b = uv_buf_init(c->out.p, (unsigned)c->out.n);
	c->write.data = c;
	if (status < 0 || uv_write(&c->write, (uv_stream_t *)&c->tcp, &b, 1, on_written) < 0 ||
		uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0)
		finish(c);
}

static void on_timer(uv_timer_t *t)
{
	struct call *c = t->data;
	struct sockaddr_in a;

	if (c->started) {
		finish(c);
		return;
	}
	c->started = true;
	(void)uv_tcp_init(&c->s->loop, &c->tcp);
	c->tcp.data = c;
	c->conn.data = c;
	(void)uv_timer_start(&c->timer, on_timer, CALL_MS, 0);
	if (uv_ip4_addr("127.0.0.1", c->port, &a) < 0 ||
		uv_tcp_connect(&c->conn, &c->tcp, (const struct sockaddr *)&a, on_connect) < 0)
		finish(c);
}

int sb_http_call(struct sandbox *s, const char *method, const char *url, const char *headers,
	struct str body, int64_t delay_ms, sb_call_done *fn, void *ctx)
{
	static const char *const before[] = { "http://127.0.0.1:", "http://localhost:" };
	struct sb_http *h = sb_http_of(s);
	const char *at = NULL;
	char *end;

	for (size_t i = 0; i < 2; i++)
		if (strncmp(url, before[i], strlen(before[i])) == 0)
			at = url + strlen(before[i]);
	if (at == NULL || h->n_calls >= SB_HTTP_CALLS_MAX)
		return -EINVAL;
	long port = strtol(at, &end, 10);
	if (port <= 0 || port > 65535 || (*end != '/' && *end != '\0'))
		return -EINVAL;
	struct call *c = x_calloc(1, sizeof(*c));
	c->s = s;
	c->port = (int)port;
	c->fn = fn;
	c->ctx = ctx;
	buf_init(&c->in, CALL_MAX);
	buf_init(&c->out, CALL_MAX);
	(void)buf_addf(&c->out,
		"%s %s HTTP/1.1\r\nHost: 127.0.0.1:%ld\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n",
		method, *end == '\0' ? "/" : end, port, body.n, headers == NULL ? "" : headers);
	(void)buf_add_str(&c->out, body);
	(void)uv_timer_init(&s->loop, &c->timer);
	c->timer.data = c;
	list_push(&h->calls, &c->node);
	h->n_calls++;
	(void)uv_timer_start(&c->timer, on_timer, (uint64_t)(delay_ms < 0 ? 0 : delay_ms), 0);
	return 0;
}

static void later_gone(uv_handle_t *h)
{
	struct later *l = h->data;

	list_del(&l->node);
	free(l);
}

static void on_later(uv_timer_t *t)
{
	struct later *l = t->data;

	l->fn(l->ctx);
	if (!uv_is_closing((uv_handle_t *)t))
		uv_close((uv_handle_t *)t, later_gone);
}

void sb_later(struct sandbox *s, int64_t delay_ms, void (*fn)(void *ctx), void *ctx)
{
	struct later *l = x_calloc(1, sizeof(*l));

	l->fn = fn;
	l->ctx = ctx;
	list_push(&sb_http_of(s)->timers, &l->node);
	(void)uv_timer_init(&s->loop, &l->timer);
	l->timer.data = l;
	(void)uv_timer_start(&l->timer, on_later, (uint64_t)(delay_ms < 0 ? 0 : delay_ms), 0);
}

void sb_http_calls_close(struct sandbox *s)
{
	for (struct list *l = s->http->calls.next; l != &s->http->calls;) {
		struct call *c = CONTAINER_OF(l, struct call, node);
		l = l->next;
		c->fn = NULL;
		finish(c);
	}
	for (struct list *l = s->http->timers.next; l != &s->http->timers;) {
		struct later *t = CONTAINER_OF(l, struct later, node);
		l = l->next;
		if (!uv_is_closing((uv_handle_t *)&t->timer))
			uv_close((uv_handle_t *)&t->timer, later_gone);
	}
}
