/* http_parse.c - one HTTP/1.1 request taken apart: head, body (length or chunks), query, form and multipart fields, JSON.
 * Owns: nothing; what is decoded lies in the connection's arena until the request is answered. */
#include <stdlib.h>
#include <string.h>
#include "http_internal.h"

static int hexv(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX and, in forms, '+'. The arena was reserved for all of them: it never moves. */
static struct str decode(struct sb_hconn *c, struct str s, bool plus)
{
	char *at = c->arena.p + c->arena.n, *to = at;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '%' && i + 2 < s.n && hexv(s.p[i + 1]) >= 0 &&
			hexv(s.p[i + 2]) >= 0) {
			*to++ = (char)(hexv(s.p[i + 1]) * 16 + hexv(s.p[i + 2]));
			i += 2;
		} else
			*to++ = plus && s.p[i] == '+' ? ' ' : s.p[i];
	}
	c->arena.n += (size_t)(to - at);
	return (struct str){ at, (size_t)(to - at) };
}

static struct sb_field *field_new(struct sb_hconn *c)
{
	if (c->q.n_fields == SB_HTTP_FIELDS_MAX)
		return NULL;
	struct sb_field *f = &c->fields[c->q.n_fields++];
	memset(f, 0, sizeof(*f));
	return f;
}

static void form(struct sb_hconn *c, struct str s)
{
	struct str piece, name;

	while (str_next(&s, '&', &piece)) {
		if (piece.n == 0)
			continue;
		struct sb_field *f = field_new(c);
		if (f == NULL)
			return;
		(void)str_next(&piece, '=', &name);
		f->name = decode(c, name, true);
		f->value = piece.p == NULL ? str_of("") : decode(c, piece, true);
	}
}

/* name="..." of a Content-Disposition */
static struct str param(struct str head, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i + n + 2 < head.n; i++)
		if ((i == 0 || head.p[i - 1] == ' ' || head.p[i - 1] == ';') &&
			memcmp(head.p + i, name, n) == 0 && head.p[i + n] == '=' &&
			head.p[i + n + 1] == '"') {
			const char *from = head.p + i + n + 2;
			const char *end = memchr(from, '"', head.n - i - n - 2);
			return end == NULL ? (struct str){ 0 }
					   : (struct str){ from, (size_t)(end - from) };
		}
	return (struct str){ 0 };
}

static bool header_is(struct str line, const char *name, struct str *ret)
{
	size_t n = strlen(name);

	if (line.n <= n || line.p[n] != ':' || !str_ieqz((struct str){ line.p, n }, name))
		return false;
	*ret = str_trim((struct str){ line.p + n + 1, line.n - n - 1 });
	return true;
}

static void part(struct sb_hconn *c, struct str p)
{
	const char *end = memmem(p.p, p.n, "\r\n\r\n", 4);
	struct str line, v;

	if (end == NULL)
		return;
	struct str head = { p.p, (size_t)(end - p.p) };
	struct sb_field *f = field_new(c);
	if (f == NULL)
		return;
	f->value = (struct str){ end + 4, p.n - head.n - 4 };
	while (str_line(&head, &line)) {
		if (header_is(line, "content-disposition", &v)) {
			f->name = param(v, "name");
			f->filename = param(v, "filename");
		} else if (header_is(line, "content-type", &v))
			f->type = v;
	}
}

static void multipart(struct sb_hconn *c, struct str type, struct str body)
{
	char mark[128];
	const char *b = memmem(type.p, type.n, "boundary=", 9);

	if (b == NULL)
		return;
	struct str name = { b + 9, type.n - (size_t)(b + 9 - type.p) };
	if (name.n > 1 && name.p[0] == '"')
		name = (struct str){ name.p + 1, name.n - 2 };
	int n = snprintf(mark, sizeof(mark), "\r\n--%.*s", (int)name.n, name.p);
	if (n < 0 || (size_t)n >= sizeof(mark) || body.n < (size_t)n)
		return;
	/* the first mark has no line end before it */
	const char *at = body.p + n - 2, *stop = body.p + body.n;
	for (;;) {
		const char *next = memmem(at, (size_t)(stop - at), mark, (size_t)n);
		if (next == NULL)
			return;
		if (next > at + 2)
			part(c, (struct str){ at + 2, (size_t)(next - at - 2) });
		at = next + n;
	}
}

static struct str header_of(const struct sb_hconn *c, const char *name)
{
	for (size_t i = 0; i < c->q.n_headers; i++)
		if (str_ieqz(c->headers[i].name, name))
			return c->headers[i].value;
	return (struct str){ 0 };
}

struct str sb_req_header(const struct sb_req *q, const char *name)
{
	for (size_t i = 0; i < q->n_headers; i++)
		if (str_ieqz(q->headers[i].name, name))
			return q->headers[i].value;
	return (struct str){ 0 };
}

const struct sb_field *sb_req_part(const struct sb_req *q, const char *name)
{
	for (size_t i = 0; i < q->n_fields; i++)
		if (str_eqz(q->fields[i].name, name))
			return &q->fields[i];
	return NULL;
}

struct str sb_req_field(const struct sb_req *q, const char *name)
{
	const struct sb_field *f = sb_req_part(q, name);
	return f == NULL ? (struct str){ 0 } : f->value;
}

bool sb_path_is(const struct sb_req *q, const char *method, const char *glob)
{
	return str_eqz(q->method, method) && sb_glob(str_of(glob), q->path);
}

struct str sb_path_segment(const struct sb_req *q, size_t n)
{
	struct str rest = q->path, piece;

	if (rest.n > 0 && rest.p[0] == '/')
		rest = (struct str){ rest.p + 1, rest.n - 1 };
	while (str_next(&rest, '/', &piece))
		if (n-- == 0)
			return piece;
	return (struct str){ 0 };
}

static int head_lines(struct sb_hconn *c, struct str head)
{
	struct str line, word, rest;

	if (!str_line(&head, &line))
		return -400;
	rest = line;
	if (!str_next(&rest, ' ', &c->q.method) || !str_next(&rest, ' ', &c->q.target) ||
		!str_starts(rest, "HTTP/1."))
		return -400;
	c->keep = str_eqz(rest, "HTTP/1.1");
	while (str_line(&head, &line)) {
		const char *colon = line.n == 0 ? NULL : memchr(line.p, ':', line.n);
		if (colon == NULL || c->q.n_headers == SB_HTTP_HEADERS_MAX)
			return -431;
		word = (struct str){ line.p, (size_t)(colon - line.p) };
		c->headers[c->q.n_headers++] = (struct sb_field){ .name = word,
			.value = str_trim(
				(struct str){ colon + 1, line.n - (size_t)(colon + 1 - line.p) }) };
	}
	if (str_ieqz(header_of(c, "connection"), "close"))
		c->keep = false;
	return 0;
}

/* Chunks joined into the arena: 1 whole, 0 more is needed, <0 broken. */
static int chunks(struct sb_hconn *c, size_t at)
{
	char *to = c->arena.p + c->arena.n, *from = to;

	for (;;) {
		const char *nl = memchr(c->in.p + at, '\n', c->in.n - at);
		if (nl == NULL)
			return c->in.n - at > 100 ? -400 : 0;
		size_t size = strtoul(c->in.p + at, NULL, 16);
		at = (size_t)(nl - c->in.p) + 1;
		if (size > SB_HTTP_BODY_MAX)
			return -413;
		if (c->in.n < at + size + 2)
			return 0;
		memcpy(to, c->in.p + at, size);
		to += size;
		at += size + 2;
		if (size == 0)
			break;
	}
	c->arena.n += (size_t)(to - from);
	c->q.body = (struct str){ from, (size_t)(to - from) };
	c->used = at;
	return 1;
}

static int body(struct sb_hconn *c, size_t at)
{
	struct str te = header_of(c, "transfer-encoding"), cl = header_of(c, "content-length");
	int64_t n = 0;

	if (str_ieqz(te, "chunked"))
		return chunks(c, at);
	if (cl.p != NULL && str_i64(cl, 0, SB_HTTP_BODY_MAX, &n) < 0)
		return -413;
	if (c->in.n < at + (size_t)n)
		return 0;
	c->q.body = (struct str){ c->in.p + at, (size_t)n };
	c->used = at + (size_t)n;
	return 1;
}

static void take_apart(struct sb_hconn *c)
{
	struct str type = header_of(c, "content-type"), rest = c->q.target, path = { 0 };
	struct err e;

	(void)str_next(&rest, '?', &path);
	c->q.query = rest.p == NULL ? str_of("") : rest;
	c->q.path = decode(c, path, false);
	form(c, c->q.query);
	if (str_starts(type, "application/x-www-form-urlencoded"))
		form(c, c->q.body);
	else if (str_starts(type, "multipart/form-data"))
		multipart(c, type, c->q.body);
	else if (memmem(type.p == NULL ? "" : type.p, type.n, "json", 4) != NULL &&
		json_parse(c->q.body, SB_HTTP_BODY_MAX, &c->json, &e) == 0)
		c->q.json = c->json;
	c->q.headers = c->headers;
	c->q.fields = c->fields;
}

bool sb_http_wants_continue(const struct sb_hconn *c)
{
	return str_ieqz(header_of(c, "expect"), "100-continue");
}

int sb_http_parse(struct sb_hconn *c)
{
	memset(&c->q, 0, sizeof(c->q));
	buf_reset(&c->arena);
	const char *end = memmem(c->in.p, c->in.n, "\r\n\r\n", 4);
	if (end == NULL)
		return c->in.n > SB_HTTP_HEAD_MAX ? -431 : 0;
	size_t at = (size_t)(end - c->in.p) + 4;
	int rc = head_lines(c, (struct str){ c->in.p, at - 2 });
	int64_t n = 0;
	if (rc == 0 && str_i64(header_of(c, "content-length"), 0, SB_HTTP_BODY_MAX, &n) == 0 &&
		c->in.n < at + (size_t)n)
		return 0;
	/* decoding never makes text longer: target and body fit into one reservation */
	if (rc == 0 && buf_reserve(&c->arena, 2 * c->in.n + 16) < 0)
		rc = -413;
	rc = rc < 0 ? rc : body(c, at);
	if (rc == 1)
		take_apart(c);
	return rc;
}
