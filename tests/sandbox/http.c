/* http.c - the HTTP server of the sandbox: connections, answers, and the faults of the script around the provider's handler.
 * Owns: listeners and connections. Order: an answer is gathered in c->out and leaves in sb_http_flush, after the ledger.
 * Failures: a client that breaks a limit is answered and cut. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "http_internal.h"

static void next_request(struct sb_hconn *c);
static void on_alloc(uv_handle_t *hd, size_t hint, uv_buf_t *ret);
static void on_read(uv_stream_t *st, ssize_t n, const uv_buf_t *b);

struct sb_http *sb_http_of(struct sandbox *s)
{
	if (s->http == NULL) {
		s->http = x_calloc(1, sizeof(*s->http));
		list_init(&s->http->conns);
		list_init(&s->http->calls);
		list_init(&s->http->timers);
	}
	return s->http;
}

static void conn_gone(uv_handle_t *hd)
{
	struct sb_hconn *c = hd->data;

	if (--c->handles > 0)
		return;
	list_del(&c->node);
	c->srv->s->http->n_conns--;
	buf_done(&c->in);
	buf_done(&c->out);
	buf_done(&c->arena);
	cJSON_Delete(c->json);
	free(c->res_headers);
	free(c);
}

static void conn_close(struct sb_hconn *c, bool reset)
{
	if (c->closing)
		return;
	c->closing = true;
	c->handles = 2;
	uv_close((uv_handle_t *)&c->timer, conn_gone);
	if (reset && uv_tcp_close_reset(&c->tcp, conn_gone) == 0)
		return;
	uv_close((uv_handle_t *)&c->tcp, conn_gone);
}

/* --- answers ------------------------------------------------------------------------------------------------------------- */
static const char *reason(int status)
{
	switch (status) {
	case 200: return "OK";
	case 201: return "Created";
	case 202: return "Accepted";
	case 400: return "Bad Request";
	case 401: return "Unauthorized";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 429: return "Too Many Requests";
	case 500: return "Internal Server Error";
	case 502: return "Bad Gateway";
	case 503: return "Service Unavailable";
	default: return "Status";
	}
}

/* The answer, as the rule wants it, into c->out; the request is over. */
static void put(struct sb_hconn *c, int status, const char *type, struct str body, bool half)
{
	char date[64];
	time_t now = (time_t)(sb_now_ms() / 1000);
	struct tm tm;

	(void)gmtime_r(&now, &tm);
	(void)strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	(void)buf_addf(&c->out, "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Length: %zu\r\n", status,
		reason(status), date, body.n);
	if (type != NULL)
		(void)buf_addf(&c->out, "Content-Type: %s\r\n", type);
	if (c->res_headers != NULL)
		(void)buf_addz(&c->out, c->res_headers);
	if (!c->keep)
		(void)buf_addz(&c->out, "Connection: close\r\n");
	(void)buf_addz(&c->out, "\r\n");
	if (str_eqz(c->q.method, "HEAD"))
		body.n = 0;
	(void)buf_add(&c->out, body.p, half ? body.n / 2 : body.n);
	c->close_after = !c->keep || half;
}

static void over(struct sb_hconn *c)
{
	free(c->res_headers);
	c->res_headers = NULL;
	cJSON_Delete(c->json);
	c->json = NULL;
	c->q.json = NULL;
	buf_consume(&c->in, c->used);
	c->busy = false;
}

static void on_delay(uv_timer_t *t)
{
	struct sb_hconn *c = t->data;

	c->waiting = false; /* flushed at the end of this turn */
}

static void answer(struct sb_hconn *c, int status, const char *type, struct str body)
{
	const struct sb_http_rule *r = c->fault;

	if (c->closing)
		return;
	c->q.host = NULL;
	c->fault = NULL;
	int64_t delay = c->delay_ms + (r == NULL ? 0 : r->pace.delay_ms);
	c->trickle_ms = r == NULL ? 0 : r->trickle_ms;
	if (r != NULL &&
		(r->what == SB_F_SILENT || r->what == SB_F_DROP || r->what == SB_F_RESET)) {
		c->srv->s->lost_answers += r->after;
		over(c);
		c->busy = c->deaf = true;
		if (r->what != SB_F_SILENT)
			conn_close(c, r->what == SB_F_RESET);
		else /* only to see it go */
			(void)uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
		return;
	}
	if (r != NULL && r->what == SB_F_REPLY && r->headers != NULL) {
		char *both = x_asprintf(
			"%s%s", c->res_headers == NULL ? "" : c->res_headers, r->headers);
		free(c->res_headers);
		c->res_headers = both;
	}
	if (r != NULL && r->what == SB_F_REPLY && r->code != 0)
		put(c, r->code, r->type[0] == '\0' ? "application/json" : r->type,
			str_of(r->body == NULL ? "" : r->body), r->half);
	else
		put(c, status, type, body, r != NULL && r->half);
	over(c);
	if (delay > 0) {
		c->waiting = true;
		(void)uv_timer_start(&c->timer, on_delay, (uint64_t)delay, 0);
	}
}

void sb_res_header(struct sb_req *q, const char *name, const char *value)
{
	struct sb_hconn *c = q->host;

	char *more = x_asprintf(
		"%s%s: %s\r\n", c->res_headers == NULL ? "" : c->res_headers, name, value);
	free(c->res_headers);
	c->res_headers = more;
}

void sb_res_delay(struct sb_req *q, int64_t ms)
{
	struct sb_hconn *c = q->host;

	c->delay_ms += ms;
}

void sb_res(struct sb_req *q, int status, const char *type, struct str body)
{
	answer(q->host, status, type, body);
}

void sb_res_z(struct sb_req *q, int status, const char *type, const char *body)
{
	sb_res(q, status, type, str_of(body));
}

void sb_res_json(struct sb_req *q, int status, cJSON *moved)
{
	char *text = json_print(moved);

	sb_res(q, status, "application/json; charset=utf-8", str_of(text));
	free(text);
	cJSON_Delete(moved);
}

/* --- requests ------------------------------------------------------------------------------------------------------------ */
static void serve(struct sb_hconn *c)
{
	struct sb_http *h = c->srv->s->http;

	c->busy = true;
	c->said_continue = false;
	c->delay_ms = 0;
	c->q.s = c->srv->s;
	c->q.server = c->srv->name;
	c->q.serial = ++h->serial;
	c->q.host = c;
	c->fault = sb_http_rule_hit(h, &c->q, false);
	if (c->fault != NULL && c->fault->what != SB_F_DELAY &&
		!(c->fault->what == SB_F_REPLY && c->fault->code == 0)) {
		answer(c, 500, NULL, str_of(""));
		return;
	}
	if (c->fault == NULL)
		c->fault = sb_http_rule_hit(h, &c->q, true);
	c->srv->fn(c->srv->ctx, &c->q);
}

static void next_request(struct sb_hconn *c)
{
	while (!c->busy && !c->closing && !c->close_after && !c->waiting && c->in.n > 0) {
		int rc = sb_http_parse(c);
		if (rc == 0 && !c->said_continue && sb_http_wants_continue(c)) {
			c->said_continue = true;
			(void)buf_addz(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
		}
		if (rc == 0)
			return;
		if (rc < 0) {
			c->keep = false;
			c->used = c->in.n;
			put(c, -rc, "text/plain", str_of("the sandbox does not take this\n"),
				false);
			return;
		}
		serve(c);
	}
}

static void on_alloc(uv_handle_t *hd, size_t hint, uv_buf_t *ret)
{
	struct sb_hconn *c = hd->data;

	(void)hint;
	*ret = uv_buf_init(NULL, 0);
	if (buf_reserve(&c->in, 65536) == 0)
		*ret = uv_buf_init(c->in.p + c->in.n, 65536);
}

static void on_read(uv_stream_t *st, ssize_t n, const uv_buf_t *b)
{
	struct sb_hconn *c = st->data;

	(void)b;
	if (n < 0) {
		conn_close(c, false);
		return;
	}
	/* a request under way holds slices of `in`: what comes behind it waits in the kernel */
	if (c->deaf)
		return;
	c->in.n += (size_t)n;
	if (!c->busy)
		next_request(c);
	if (c->busy && !c->closing && !c->deaf)
		(void)uv_read_stop(st);
}

static void on_connection(uv_stream_t *l, int status)
{
	struct sb_http_server *srv = l->data;
	struct sb_http *h = srv->s->http;

	if (status < 0)
		return;
	struct sb_hconn *c = x_calloc(1, sizeof(*c));
	c->srv = srv;
	buf_init(&c->in, SB_HTTP_BODY_MAX + SB_HTTP_HEAD_MAX + (1u << 20));
	buf_init(&c->out, SB_HTTP_BODY_MAX);
	buf_init(&c->arena, 2 * (size_t)SB_HTTP_BODY_MAX + (4u << 20));
	(void)uv_tcp_init(l->loop, &c->tcp);
	(void)uv_timer_init(l->loop, &c->timer);
	c->tcp.data = c;
	c->timer.data = c;
	list_push(&h->conns, &c->node);
	h->n_conns++;
	srv->s->connections++;
	if (uv_accept(l, (uv_stream_t *)&c->tcp) < 0 || h->n_conns > SB_HTTP_CONNS_MAX ||
		uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0)
		conn_close(c, false);
	(void)uv_tcp_nodelay(&c->tcp, 1);
}

struct hwrite {
	uv_write_t req;
	struct sb_hconn *c;
	char *bytes; /* owned */
	bool last;
};
static void on_written(uv_write_t *req, int status)
{
	struct hwrite *w = req->data;

	(void)status;
	if (w->last)
		conn_close(w->c, false);
	free(w->bytes);
	free(w);
}

#define PIECE 32u /* of an answer that trickles */
static void flush(struct sb_hconn *c)
{
	size_t n = 0;
	struct hwrite *w = x_calloc(1, sizeof(*w));

	bool rest = c->trickle_ms > 0 && c->out.n > PIECE;

	w->c = c;
	w->last = c->close_after && !rest;
	if (rest) {
		n = PIECE;
		w->bytes = x_strndup(c->out.p, n);
		buf_consume(&c->out, n);
		c->waiting = true;
		(void)uv_timer_start(&c->timer, on_delay, (uint64_t)c->trickle_ms, 0);
	} else {
		w->bytes = buf_take(&c->out, &n);
	}
	w->req.data = w;
	uv_buf_t b = uv_buf_init(w->bytes, (unsigned)n);
	if (uv_write(&w->req, (uv_stream_t *)&c->tcp, &b, 1, on_written) < 0)
		on_written(&w->req, -1);
	if (!c->closing && !c->close_after && !c->busy && !rest) {
		(void)uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
		next_request(c);
	}
}

void sb_http_flush(struct sandbox *s)
{
	if (s->http == NULL)
		return;
	for (bool more = true; more;) {
		more = false;
		for (struct list *l = s->http->conns.next; l != &s->http->conns; l = l->next) {
			struct sb_hconn *c = CONTAINER_OF(l, struct sb_hconn, node);
			if (c->out.n > 0 && !c->waiting && !c->closing) {
				sb_ledger_flush(
					s); /* what the next request of a connection wrote */
				flush(c);
				more = true;
			}
		}
	}
}

/* --- listeners ----------------------------------------------------------------------------------------------------------- */
int sb_http_listen(struct sandbox *s, const char *name, int port, sb_http_handler *fn, void *ctx,
	struct err *e)
{
	struct sb_http *h = sb_http_of(s);
	struct sockaddr_in a;
	int len = sizeof(a);

	if (h->n_servers == SB_HTTP_SERVERS_MAX)
		return err_set(e, -E2BIG, "more than %u listeners", SB_HTTP_SERVERS_MAX);
	struct sb_http_server *v = &h->server[h->n_servers];
	v->s = s;
	v->fn = fn;
	v->ctx = ctx;
	(void)snprintf(v->name, sizeof(v->name), "%s", name);
	(void)uv_tcp_init(&s->loop, &v->tcp);
	v->tcp.data = v;
	h->n_servers++;
	int rc = uv_ip4_addr("127.0.0.1", port, &a);
	rc = rc < 0 ? rc : uv_tcp_bind(&v->tcp, (const struct sockaddr *)&a, 0);
	rc = rc < 0 ? rc : uv_listen((uv_stream_t *)&v->tcp, 256, on_connection);
	rc = rc < 0 ? rc : uv_tcp_getsockname(&v->tcp, (struct sockaddr *)&a, &len);
	if (rc < 0)
		return err_set(e, rc, "%s: port %d: %s", name, port, uv_strerror(rc));
	v->port = ntohs(a.sin_port);
	return 0;
}

int sb_http_port(struct sandbox *s, const char *name)
{
	for (size_t i = 0; s->http != NULL && i < s->http->n_servers; i++)
		if (strcmp(s->http->server[i].name, name) == 0)
			return s->http->server[i].port;
	return 0;
}

void sb_http_ports(struct sandbox *s, cJSON *into)
{
	for (size_t i = 0; s->http != NULL && i < s->http->n_servers; i++)
		json_put_i64(into, s->http->server[i].name, s->http->server[i].port);
}

void sb_http_close(struct sandbox *s)
{
	if (s->http == NULL)
		return;
	sb_http_calls_close(s);
	for (size_t i = 0; i < s->http->n_servers; i++)
		uv_close((uv_handle_t *)&s->http->server[i].tcp, NULL);
	for (struct list *l = s->http->conns.next; l != &s->http->conns;) {
		struct sb_hconn *c = CONTAINER_OF(l, struct sb_hconn, node);
		l = l->next;
		conn_close(c, false);
	}
}

void sb_http_free(struct sandbox *s)
{
	if (s->http == NULL)
		return;
	sb_http_rules_free(s->http);
	free(s->http);
	s->http = NULL;
}

/* --- words of the control socket ----------------------------------------------------------------------------------------- */
void sb_ctl_add(struct sandbox *s, const char *name, sb_ctl_fn *fn, void *ctx)
{
	struct sb_http *h = sb_http_of(s);

	if (h->n_ctl == sizeof(h->ctl) / sizeof(h->ctl[0]))
		abort();
	(void)snprintf(h->ctl[h->n_ctl].name, sizeof(h->ctl[0].name), "%s", name);
	h->ctl[h->n_ctl].fn = fn;
	h->ctl[h->n_ctl++].ctx = ctx;
}

bool sb_ctl_call(
	struct sandbox *s, const char *name, const cJSON *in, cJSON *ret, int *rc, struct err *e)
{
	for (size_t i = 0; s->http != NULL && i < s->http->n_ctl; i++)
		if (strcmp(s->http->ctl[i].name, name) == 0) {
			*rc = s->http->ctl[i].fn(s->http->ctl[i].ctx, in, ret, e);
			return true;
		}
	return false;
}
