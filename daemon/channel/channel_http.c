/* channel_http.c - HTTP requests of any job: secrets put in by name, the re-send guard, the answer as an event.
 * A publishing request needs an open intent of every op it publishes for; whether it may have left is remembered until the end.
 */
#include <stdlib.h>
#include <string.h>
#include "channel/channel_internal.h"

#define HTTP_WHOSE_MAX 1000
#define URL_MAX        NET_URL_MAX
#define TRACE_MAX      16384
#define TRACE_BODY_MAX 4096

static void http_free(struct job_http *h)
{
	list_del(&h->node);
	free(h->whose);
	free(h);
}

/* The exchange record: method, address and status; never a value that was put in by name, no answer that holds secrets, and of all
 * others none that the provider says back. */
static void trace_request(struct job *j, const struct lt_http_req *req)
{
	const struct channel_events *ev = &j->acct->ch->cs->ev;
	struct buf b;
	if (!j->op || !ev->trace)
		return;
	buf_init(&b, TRACE_MAX);
	(void)buf_addf(&b, STR_FMT " ", STR_ARG(s_of(req->method)));
	mask_add(j->acct, &b, s_of(req->url), req->url.n);
	(void)buf_addc(&b, '\n');
	ev->trace(ev->ctx, j->op, true, buf_str(&b));
	buf_done(&b);
}

static void trace_answer(struct job *j, const struct net_http_res *r, bool secret)
{
	const struct channel_events *ev = &j->acct->ch->cs->ev;
	struct buf b;
	if (!j->op || !ev->trace)
		return;
	buf_init(&b, TRACE_MAX);
	(void)buf_addf(&b, "%d ", r->status);
	mask_add(j->acct, &b, r->error, r->error.n);
	(void)buf_addc(&b, '\n');
	mask_add(j->acct, &b, r->body, secret ? 0 : TRACE_BODY_MAX);
	if (b.n && b.p[b.n - 1] != '\n') /* records are joined */
		(void)buf_addc(&b, '\n');
	ev->trace(ev->ctx, j->op, false, buf_str(&b));
	buf_done(&b);
}

static void http_on_done(void *ctx, const struct net_http_res *r)
{
	struct job_http *h = ctx;
	struct job *j = h->job;
	struct lt_pair headers[NET_HEADERS_MAX];
	size_t n = r->n_headers < NET_HEADERS_MAX ? r->n_headers : NET_HEADERS_MAX;
	for (size_t i = 0; i < n; i++)
		headers[i] = (struct lt_pair){ .name = lt_of(r->headers[i].name),
			.value = lt_of(r->headers[i].value) };
	struct lt_http_res res = { .struct_size = sizeof(res),
		.status = r->status,
		.phase = (uint32_t)r->phase,
		.truncated = r->truncated,
		.server_date_ms = r->server_date_ms,
		.headers = headers,
		.n_headers = n,
		.body = lt_of(r->body),
		.error = lt_of(r->error) };
	struct lt_event ev = { .struct_size = sizeof(ev),
		.type = LT_EV_HTTP,
		.token = h->token,
		.error = r->error_code,
		.u = &res };
	for (size_t i = 0; i < h->n_whose; i++) {
		struct job *w = h->whose[i];
		w->holds--;
		w->http_open -= !h->repeatable;
		if (r->phase == NET_NOT_SENT) /* proven: not one byte left */
			h->repeatable ? w->http_out_repeatable-- : w->http_out--;
	}
	bool secret = h->secret_answer;
	http_free(h);
	if (j->finished) {
		channels_kick(j->acct->ch->cs);
		return;
	}
	trace_answer(j, r, secret);
	job_touch(j);
	job_event(j, &ev);
}

void http_cancel_all(struct job *j)
{
	LIST_FOR_SAFE(&j->https, it, nx)
	{
		struct job_http *h = CONTAINER_OF(it, struct job_http, node);
		if (h->call)
			net_http_cancel(j->acct->ch->cs->net, MOVE(h->call));
	}
}

static int add_pairs(struct chan_account *a, const struct lt_pair *in, size_t n, struct buf *text,
	struct net_pair *out)
{
	for (size_t i = 0; i < n; i++) {
		struct str secret = { 0 };
		if (in[i].secret.n && account_secret(a, in[i].secret, &secret))
			return -LT_E_INVALID;
		size_t at = text->n;
		if (buf_add(text, in[i].value.p, in[i].value.n) ||
			buf_add(text, secret.p, secret.n))
			return -LT_E_FULL;
		out[i] = (struct net_pair){ .name = s_of(in[i].name),
			.value = { (const char *)(uintptr_t)at, text->n - at } };
	}
	return 0;
}

static int add_encoded(struct buf *url, struct str s)
{
	int rc = 0;
	for (size_t i = 0; i < s.n && !rc; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			(c >= 'a' && c <= 'z') || strchr("-._~", c);
		rc = plain && c ? buf_addc(url, (char)c) : buf_addf(url, "%%%02X", c);
	}
	return rc;
}

static int make_url(struct chan_account *a, const struct lt_http_req *req, struct buf *url)
{
	int rc = buf_add(url, req->url.p, req->url.n);
	for (size_t i = 0; i < req->n_query && !rc; i++) {
		struct str secret = { 0 };
		if (req->query[i].secret.n && account_secret(a, req->query[i].secret, &secret))
			return -LT_E_INVALID;
		rc = buf_addc(url, i == 0 && !memchr(req->url.p, '?', req->url.n) ? '?' : '&');
		rc = rc ? rc : add_encoded(url, s_of(req->query[i].name));
		rc = rc ? rc : buf_addc(url, '=');
		rc = rc ? rc : add_encoded(url, s_of(req->query[i].value));
		rc = rc ? rc : add_encoded(url, secret);
	}
	return rc ? -LT_E_FULL : 0;
}

/* Form bodies are made here: name=value&…, secrets in their places. */
static int make_form(struct chan_account *a, const struct lt_http_req *req, struct buf *body)
{
	int rc = 0;
	for (size_t i = 0; i < req->n_fields && !rc; i++) {
		const struct lt_field *f = &req->fields[i];
		struct str secret = { 0 };
		if (f->src.asset.p ||
			(f->src.secret.n && account_secret(a, f->src.secret, &secret)))
			return -LT_E_INVALID;
		rc = i ? buf_addc(body, '&') : 0;
		rc = rc ? rc : add_encoded(body, s_of(f->name));
		rc = rc ? rc : buf_addc(body, '=');
		rc = rc ? rc : add_encoded(body, secret.p ? secret : s_of(f->src.bytes));
	}
	return rc ? -LT_E_FULL : 0;
}

struct http_build {
	struct buf url, text, form;
	struct net_pair headers[NET_HEADERS_MAX];
	struct net_seg seg[NET_FIELDS_MAX];
	struct net_field fields[NET_FIELDS_MAX];
	size_t n_seg;
};

static int build_body(struct chan_account *a, const struct lt_http_req *req, struct http_build *b,
	struct net_http_req *out)
{
	int rc = 0;
	switch (req->body_kind) {
	case LT_BODY_NONE: return 0;
	case LT_BODY_FORM:
		rc = make_form(a, req, &b->form);
		b->seg[0] = (struct net_seg){ .bytes = buf_str(&b->form) };
		out->body = b->seg;
		out->n_body = 1;
		return rc;
	case LT_BODY_RAW:
		for (size_t i = 0; i < req->n_fields && !rc; i++) {
			rc = srcs_to_segs(a, &req->fields[i].src, 1, &b->seg[i]);
			b->n_seg = rc ? b->n_seg : i + 1;
		}
		out->body = b->seg;
		out->n_body = b->n_seg;
		return rc;
	case LT_BODY_MULTIPART:
		for (size_t i = 0; i < req->n_fields && !rc; i++) {
			const struct lt_field *f = &req->fields[i];
			rc = srcs_to_segs(a, &f->src, 1, &b->seg[i]);
			b->n_seg = rc ? b->n_seg : i + 1;
			b->fields[i] = (struct net_field){ .name = s_of(f->name),
				.filename = s_of(f->filename),
				.content_type = s_of(f->content_type),
				.segs = &b->seg[i],
				.n_segs = 1 };
		}
		out->fields = b->fields;
		out->n_fields = b->n_seg;
		return rc;
	default: return -LT_E_INVALID;
	}
}

/* A form without a type is read by few: the adapter's own word counts, else ours. (That of a multipart body comes with its boundary.) */
static void form_typed(
	const struct lt_http_req *req, struct http_build *b, struct net_http_req *out)
{
	if (req->body_kind != LT_BODY_FORM || out->n_headers >= NET_HEADERS_MAX)
		return;
	for (size_t i = 0; i < out->n_headers; i++)
		if (str_ieqz(b->headers[i].name, "Content-Type"))
			return;
	b->headers[out->n_headers++] = (struct net_pair){ .name = STR("Content-Type"),
		.value = STR("application/x-www-form-urlencoded") };
}

bool url_is_loopback(struct str url)
{
	struct str scheme;
	struct str rest = url;
	if (!str_next(&rest, '/', &scheme) || rest.n == 0 || rest.p[0] != '/')
		return false;
	struct str host = { rest.p + 1, rest.n - 1 };
	size_t n = 0;
	while (n < host.n && !strchr("/?#", host.p[n]))
		n++;
	host.n = n;
	if (memchr(host.p, '@', host.n) || memchr(host.p, '\\', host.n))
		return false;
	if (host.n && host.p[0] == '[') {
		const char *end = memchr(host.p, ']', host.n);
		host = (struct str){ host.p + 1, end ? (size_t)(end - host.p) - 1 : 0 };
	} else {
		const char *colon = memchr(host.p, ':', host.n);
		host.n = colon ? (size_t)(colon - host.p) : host.n;
	}
	return host_is_loopback(host);
}

static int http_send(
	struct chan_account *a, struct job *j, const struct lt_http_req *req, struct http_build *b)
{
	struct net_http_req r = { .method = s_of(req->method),
		.headers = b->headers,
		.n_headers = req->n_headers,
		.flags = req->flags & (NET_PUBLISHES | NET_SECRET_ANSWER),
		.answer_max = req->answer_max,
		.connect_ms = req->connect_ms,
		.total_ms = req->total_ms,
		.profile = &a->ch->profile,
		.done = http_on_done };
	int rc = make_url(a, req, &b->url);
	if (!rc)
		rc = add_pairs(a, req->headers, req->n_headers, &b->text, b->headers);
	for (size_t i = 0; i < req->n_headers && !rc; i++)
		b->headers[i].value.p = (b->text.p ? b->text.p : "") +
			(uintptr_t)b->headers[i].value.p;
	form_typed(req, b, &r);
	if (!rc)
		rc = build_body(a, req, b, &r);
	if (rc) {
		segs_release(b->seg, b->n_seg);
		return rc;
	}
	r.url = buf_str(&b->url);
	r.any_certificate = any_certificate_here(a->ch) && url_is_loopback(r.url);
	struct job_http *h = x_calloc(1, sizeof(*h));
	h->job = j;
	h->token = req->token;
	r.ctx = h;
	list_push(&j->https, &h->node);
	rc = net_http(a->ch->cs->net, &r, &h->call);
	if (rc) {
		http_free(h);
		return rc == -EAGAIN ? -LT_E_AGAIN : -LT_E_INVALID;
	}
	h->publishes = (req->flags & LT_PUBLISHES) != 0;
	h->repeatable = (req->flags & LT_REPEATABLE) != 0;
	h->secret_answer = (req->flags & LT_SECRET_ANSWER) != 0;
	h->n_whose = h->publishes ? (req->n_whose ? req->n_whose : 1) : 0;
	h->whose = x_calloc(h->n_whose + 1, sizeof(*h->whose));
	for (size_t i = 0; i < h->n_whose; i++) {
		struct job *w = h->whose[i] = req->n_whose ? job_of(req->whose[i]) : j;
		w->publishing = true;
		w->holds++;
		w->http_open += !h->repeatable;
		h->repeatable ? w->http_out_repeatable++ : w->http_out++;
	}
	trace_request(j, req);
	return 0;
}

static int http_allowed(struct job *j, const struct lt_http_req *req)
{
	struct job *whose[HTTP_WHOSE_MAX];
	if (!(req->flags & LT_PUBLISHES))
		return 0;
	size_t n = req->n_whose ? req->n_whose : 1;
	for (size_t i = 0; i < n; i++)
		whose[i] = req->n_whose ? job_of(req->whose[i]) : j;
	for (size_t i = 0; i < n; i++)
		if (whose[i] && whose[i]->stopped)
			return -LT_E_NOINTENT; /* not even what may be repeated */
	return publishing_check(whose, n);
}

/* In a demo nothing but this machine is ever contacted, over HTTP neither. */
static int http_loopback(const struct chan_account *a, struct str url)
{
	bool only = a->ch->cs->o.loopback_only || a->ch->conf->loopback_only;
	return only && !url_is_loopback(url) ? -LT_E_INVALID : 0;
}

static void secret_buf_done(struct buf *b)
{
	if (b->p)
		wipe(b->p, b->n);
	buf_done(b);
}

int http_start(struct chan_account *a, struct job *j, const struct lt_http_req *given)
{
	struct lt_http_req req;
	known_copy(&req, sizeof(req), given, given->struct_size);
	if (req.n_headers > NET_HEADERS_MAX || req.n_fields > NET_FIELDS_MAX ||
		req.n_whose > HTTP_WHOSE_MAX)
		return -LT_E_FULL;
	if (http_loopback(a, s_of(req.url)))
		return -LT_E_INVALID;
	/* A refresh may spend the only token there is: never sent twice by a library, and unknown when its answer is lost. */
	if ((j->pub.kind == LT_J_REFRESH || (j->pub.kind == LT_J_LOGIN && j->intent_open)) &&
		!str_eqz(s_of(req.method), "GET"))
		req.flags |= LT_PUBLISHES;
	int rc = http_allowed(j, &req);
	if (rc)
		return rc;
	struct http_build *b = x_calloc(1, sizeof(*b));
	buf_init(&b->url, URL_MAX);
	buf_init(&b->text, 1u << 20);
	buf_init(&b->form, 1u << 20);
	rc = http_send(a, j, &req, b);
	secret_buf_done(&b->url);
	secret_buf_done(&b->text);
	secret_buf_done(&b->form);
	free(b);
	return rc;
}
