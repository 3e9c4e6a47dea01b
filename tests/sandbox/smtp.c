/* smtp.c - the SMTP side of the sandbox: its listener and connections; fast and pipelined.
 * Owns: both. A turn's replies wait until the ledger of that turn is written (sb_smtp_flush).
 * Failures: a client that breaks limits is cut off. */
#include <stdlib.h>
#include <string.h>
#include "smtp_internal.h"

struct sb_smtp {
	uv_tcp_t listener;
	struct list conns;
	size_t n;
};

static void conn_gone(uv_handle_t *h)
{
	struct sb_conn *c = h->data;

	if (--c->handles > 0)
		return;
	list_del(&c->node);
	c->s->smtp->n--;
	buf_done(&c->in);
	buf_done(&c->out);
	buf_done(&c->rcpt);
	free(c);
}

void smtp_conn_close(struct sb_conn *c, bool reset)
{
	if (c->state == S_CLOSING)
		return;
	c->state = S_CLOSING;
	c->handles = 2;
	uv_close((uv_handle_t *)&c->timer, conn_gone);
	if (reset && uv_tcp_close_reset(&c->tcp, conn_gone) == 0)
		return;
	uv_close((uv_handle_t *)&c->tcp, conn_gone);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *ret)
{
	struct sb_conn *c = h->data;

	(void)hint;
	*ret = uv_buf_init(NULL, 0);
	if (buf_reserve(&c->in, 65536) == 0)
		*ret = uv_buf_init(c->in.p + c->in.n, 65536);
}

static void on_read(uv_stream_t *st, ssize_t n, const uv_buf_t *b)
{
	struct sb_conn *c = st->data;

	(void)b;
	if (n < 0) {
		smtp_conn_close(c, false);
		return;
	}
	c->in.n += (size_t)n;
	smtp_parse(c);
}

static void on_greeting(uv_timer_t *t)
{
	smtp_greet(t->data);
}

static void on_connection(uv_stream_t *l, int status)
{
	struct sandbox *s = l->data;
	struct sb_conn *c = status < 0 ? NULL : x_calloc(1, sizeof(*c));

	if (c == NULL)
		return;
	c->s = s;
	c->tcp.data = c->timer.data = c;
	list_init(&c->node);
	list_push(&s->smtp->conns, &c->node);
	s->smtp->n++;
	s->connections++;
	buf_init(&c->in, SB_MAIL_MAX + 262144);
	buf_init(&c->out, 1u << 20);
	buf_init(&c->rcpt, 256u * 1024);
	(void)uv_tcp_init(&s->loop, &c->tcp);
	(void)uv_timer_init(&s->loop, &c->timer);
	if (uv_accept(l, (uv_stream_t *)&c->tcp) < 0 || s->smtp->n > SB_CONNS_MAX) {
		smtp_conn_close(c, true);
		return;
	}
	(void)uv_tcp_nodelay(&c->tcp, 1);
	(void)uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
	c->state = S_PAUSED;
	c->resume = S_COMMAND;
	(void)uv_timer_start(&c->timer, on_greeting, (uint64_t)s->opt.greeting_delay_ms, 0);
}

struct late_write {
	uv_write_t req;
	struct sb_conn *c;
	char *bytes; /* owned */
};

static void on_written(uv_write_t *req, int status)
{
	struct late_write *w = req->data;

	if (status < 0)
		smtp_conn_close(w->c, true);
	free(w->bytes);
	free(w);
}

static void conn_flush(struct sb_conn *c)
{
	uv_buf_t b = uv_buf_init(c->out.p, (unsigned)c->out.n);
	int n = uv_try_write((uv_stream_t *)&c->tcp, &b, 1);

	if (n < 0 && n != UV_EAGAIN) {
		smtp_conn_close(c, false);
		return;
	}
	buf_consume(&c->out, n < 0 ? 0 : (size_t)n);
	if (c->out.n == 0)
		return;
	struct late_write *w = x_calloc(1, sizeof(*w));
	w->c = c;
	w->req.data = w;
	b.len = c->out.n;
	w->bytes = b.base = buf_take(&c->out, NULL);
	if (uv_write(&w->req, (uv_stream_t *)&c->tcp, &b, 1, on_written) < 0) {
		free(w->bytes);
		free(w);
		smtp_conn_close(c, true);
	}
}

void sb_smtp_flush(struct sandbox *s)
{
	LIST_FOR_SAFE(&s->smtp->conns, it, nx)
	{
		struct sb_conn *c = CONTAINER_OF(it, struct sb_conn, node);
		if (c->state == S_CLOSING || c->state == S_PAUSED)
			continue;
		if (c->out.n > 0)
			conn_flush(c);
		if (c->close_after_flush && c->state != S_CLOSING)
			smtp_conn_close(c, false);
	}
}

int sb_smtp_open(struct sandbox *s, int port, int *ret_port, struct err *e)
{
	struct sockaddr_in a;
	struct sockaddr_storage bound;
	int len = sizeof(bound);

	s->smtp = x_calloc(1, sizeof(*s->smtp));
	list_init(&s->smtp->conns);
	s->smtp->listener.data = s;
	(void)uv_ip4_addr("127.0.0.1", port, &a);
	(void)uv_tcp_init(&s->loop, &s->smtp->listener);
	int rc = uv_tcp_bind(&s->smtp->listener, (const struct sockaddr *)&a, 0);
	if (rc == 0)
		rc = uv_listen((uv_stream_t *)&s->smtp->listener, 256, on_connection);
	if (rc == 0)
		rc = uv_tcp_getsockname(&s->smtp->listener, (struct sockaddr *)&bound, &len);
	if (rc < 0)
		return err_set(e, rc, "127.0.0.1:%d: %s", port, uv_strerror(rc));
	memcpy(&a, &bound, sizeof(a));
	*ret_port = ntohs(a.sin_port);
	return 0;
}

void sb_smtp_close(struct sandbox *s)
{
	uv_close((uv_handle_t *)&s->smtp->listener, NULL);
	LIST_FOR_SAFE(&s->smtp->conns, it, nx)
	{
		smtp_conn_close(CONTAINER_OF(it, struct sb_conn, node), false);
	}
}
