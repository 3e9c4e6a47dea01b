/* net_http.c - request and answer of HTTP as bytes.
 * Thread: loop. Owns nothing. Refuses control characters wherever they could start a header or a second request.
 */
#include <string.h>
#include "base/assert.h"
#include "base/buf.h"
#include "base/crypt.h"
#include "net/net_http.h"

#define BOUNDARY_RANDOM 16

static bool net_is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c <= 0x20 || c >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", c) != NULL)
			return false;
	}
	return s.n > 0;
}

static bool net_url_ok(struct str url)
{
	if (!str_starts(url, "http://") && !str_starts(url, "https://"))
		return false;
	for (size_t i = 0; i < url.n; i++)
		if ((unsigned char)url.p[i] <= 0x20 || url.p[i] == 0x7f)
			return false;
	return true;
}

/* Tab is allowed inside a header value, other control characters are not. */
static bool net_value_ok(struct str v)
{
	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool net_header_ok(const struct net_pair *h)
{
	return net_is_token(h->name) && net_value_ok(h->value) &&
		!str_ieqz(h->name, "Content-Length") && !str_ieqz(h->name, "Transfer-Encoding") &&
		!str_ieqz(h->name, "Expect");
}

int net_http_check(const struct net_http_req *req)
{
	if (req->done == NULL || !net_is_token(req->method) || req->method.n > 15)
		return -EINVAL;
	if (req->url.n > NET_URL_MAX || req->n_headers > NET_HEADERS_MAX ||
		req->n_fields > NET_FIELDS_MAX || req->answer_max > NET_ANSWER_MAX)
		return -E2BIG;
	if (!net_url_ok(req->url) || (req->n_body > 0 && req->n_fields > 0))
		return -EINVAL;
	for (size_t i = 0; i < req->n_headers; i++)
		if (!net_header_ok(&req->headers[i]))
			return -EINVAL;
	for (size_t i = 0; i < req->n_fields; i++) {
		const struct net_field *f = &req->fields[i];
		if (f->name.n == 0 || str_has_control(f->name) || str_has_control(f->filename) ||
			str_has_control(f->content_type))
			return -EINVAL;
	}
	return 0;
}

void net_http_release(const struct net_http_req *req)
{
	net_segs_release(req->body, req->n_body);
	for (size_t i = 0; i < req->n_fields; i++)
		net_segs_release(req->fields[i].segs, req->fields[i].n_segs);
}

static int net_slist_add(struct curl_slist **list, const char *line)
{
	struct curl_slist *l = curl_slist_append(*list, line);
	if (l == NULL)
		return -ENOMEM;
	*list = l;
	return 0;
}

/* As browsers write names in form data: a quote becomes %22. */
static void net_quoted(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			buf_addz(b, "%22");
		else
			buf_addc(b, s.p[i]);
	}
}

static int net_field_head(struct net_out *out, const struct net_field *f, const char *boundary)
{
	struct buf b CLEANUP_BUF;
	buf_init(&b, 16384);
	buf_addf(&b, "--%s\r\nContent-Disposition: form-data; name=\"", boundary);
	net_quoted(&b, f->name);
	if (f->filename.p != NULL) {
		buf_addz(&b, "\"; filename=\"");
		net_quoted(&b, f->filename);
	}
	buf_addz(&b, "\"\r\n");
	if (f->content_type.p != NULL) {
		buf_addz(&b, "Content-Type: ");
		buf_add_str(&b, f->content_type);
		buf_addz(&b, "\r\n");
	}
	buf_addz(&b, "\r\n");
	if (b.failed)
		return -E2BIG;
	out_add_bytes(out, b.p, b.n);
	return 0;
}

static int net_build_fields(struct env *e, const struct net_http_req *req, struct net_out *out,
	struct curl_slist **headers)
{
	uint8_t rnd[BOUNDARY_RANDOM];
	char boundary[2 * BOUNDARY_RANDOM + 16], line[128];
	env_random(e, rnd, sizeof(rnd));
	memcpy(boundary, "lantoa-", 7);
	hex_encode(boundary + 7, rnd, sizeof(rnd));
	int r = 0;
	size_t i = 0;
	for (; i < req->n_fields && r == 0; i++) {
		r = net_field_head(out, &req->fields[i], boundary);
		if (r != 0)
			break;
		r = out_add(out, req->fields[i].segs, req->fields[i].n_segs);
		out_add_bytes(out, "\r\n", 2);
	}
	for (; i < req->n_fields; i++) /* not reached ones */
		net_segs_release(req->fields[i].segs, req->fields[i].n_segs);
	if (r != 0)
		return r;
	(void)snprintf(line, sizeof(line), "--%s--\r\n", boundary);
	out_add_bytes(out, line, strlen(line));
	(void)snprintf(
		line, sizeof(line), "Content-Type: multipart/form-data; boundary=%s", boundary);
	return net_slist_add(headers, line);
}

int net_http_build_body(struct env *e, const struct net_http_req *req, struct net_out *out,
	struct curl_slist **headers)
{
	if (req->n_fields > 0)
		return net_build_fields(e, req, out, headers);
	return out_add(out, req->body, req->n_body);
}

int net_http_build_headers(const struct net_http_req *req, struct curl_slist **headers)
{
	struct buf b CLEANUP_BUF;
	bool type = false, agent = false;
	buf_init(&b, 65536);
	for (size_t i = 0; i < req->n_headers; i++) {
		const struct net_pair *h = &req->headers[i];
		bool is_type = str_ieqz(h->name, "Content-Type");
		if (is_type && req->n_fields > 0)
			return -EINVAL; /* the boundary is ours */
		type = type || is_type;
		agent = agent || str_ieqz(h->name, "User-Agent");
		buf_reset(&b);
		buf_add_str(&b, h->name);
		if (h->value.n > 0) {
			buf_addz(&b, ": ");
			buf_add_str(&b, h->value);
		} else {
			buf_addc(&b, ';'); /* libcurl's way to say: empty, but there */
		}
		if (b.failed)
			return -E2BIG;
		if (net_slist_add(headers, buf_z(&b)) != 0)
			return -ENOMEM;
	}
	if (!type && req->n_fields == 0 && net_slist_add(headers, "Content-Type:") != 0)
		return -ENOMEM;
	if (!agent && net_slist_add(headers, "User-Agent: lantoad/" LANTOA_VERSION) != 0)
		return -ENOMEM;
	return net_slist_add(headers, "Expect:"); /* a 417 would make libcurl send again */
}

size_t net_http_parse_head(struct str head, struct net_pair *ret, size_t max)
{
	struct str line;
	size_t n = 0;
	while (n < max && str_line(&head, &line)) {
		const char *colon = line.n > 0 ? memchr(line.p, ':', line.n) : NULL;
		if (colon == NULL || colon == line.p || str_starts(line, "HTTP/"))
			continue;
		size_t k = (size_t)(colon - line.p);
		ret[n].name = (struct str){ line.p, k };
		ret[n].value = str_trim((struct str){ colon + 1, line.n - k - 1 });
		n++;
	}
	return n;
}

int64_t net_http_date(const struct net_pair *headers, size_t n)
{
	char text[64];
	for (size_t i = 0; i < n; i++) {
		if (!str_ieqz(headers[i].name, "Date") ||
			!str_copy(text, sizeof(text), headers[i].value))
			continue;
		time_t t = curl_getdate(text, NULL);
		return t == (time_t)-1 ? 0 : (int64_t)t * 1000;
	}
	return 0;
}
