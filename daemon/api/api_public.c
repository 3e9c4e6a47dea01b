/* api_public.c - the public listener: /u/TOKEN, /w/CHANNEL/SECRET, /a/TOKEN. Thread: loop.
 * Opening an unsubscribe link only shows a page, because scanners open links; the POST acts. Tokens and secrets are never
 * logged; a wrong secret looks like a path that does not exist.
 */
#include <string.h>
#include "api/api_http.h"
#include "base/assert.h"

#define PAGE_MAX 16384u
#define HTML     "text/html; charset=utf-8"

bool api_token_ok(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '-' || c == '_' || c == '.'))
			return false;
	}
	return s.n > 0 && s.n <= API_TOKEN_MAX;
}

const char *api_header(const struct api_request *req, const char *name, struct str *ret)
{
	for (size_t i = 0; i < req->n_headers; i++) {
		if (!str_ieqz(req->headers[i].name, name))
			continue;
		*ret = req->headers[i].value;
		return ret->p;
	}
	return NULL;
}

/* --- unsubscribe ----------------------------------------------------------------------------- */

static void api_answer_page(struct api_call *call, int status,
	void (*page)(struct buf *b, const char *agency), const char *agency)
{
	struct buf b CLEANUP_BUF;
	buf_init(&b, PAGE_MAX);
	page(&b, agency);
	api_answer_header(call, "Cache-Control", STR("no-store"));
	api_answer_header(call, "Referrer-Policy", STR("no-referrer"));
	api_answer_header(call, "Content-Security-Policy",
		STR("default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"));
	api_answer(call, status, HTML, buf_str(&b));
}

static const char *api_call_agency(const struct api_call *call)
{
	const struct api *a = call->listener != NULL ? call->listener->ctx : NULL;
	return a != NULL ? a->o.agency : NULL;
}

void api_answer_unsubscribed(struct api_call *call, int code)
{
	const char *agency = api_call_agency(call);
	if (code == 0) {
		api_answer_page(call, MHD_HTTP_OK, api_page_done, agency);
	} else if (code == -ENOENT || code == -EBADMSG || code == -EINVAL) {
		api_answer_page(call, MHD_HTTP_NOT_FOUND, api_page_unknown, agency);
	} else {
		api_answer_header(call, "Retry-After", STR("120"));
		api_answer_page(call, MHD_HTTP_SERVICE_UNAVAILABLE, api_page_later, agency);
	}
}

static void api_confirm(void *ctx, const struct api_request *req, struct api_call *call)
{
	struct api *a = ctx;
	UNUSED(req);
	api_answer_page(call, MHD_HTTP_OK, api_page_confirm, a->o.agency);
}

static bool api_form_says_so(struct str body)
{
	struct str piece, rest = str_trim(body);
	while (str_next(&rest, '&', &piece))
		if (str_eqz(piece, "List-Unsubscribe=One-Click"))
			return true;
	return false;
}

static bool api_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* A line of a part's head with the parameter name=List-Unsubscribe: quotes are allowed, and needed by nobody (RFC 2045 5.1). */
static bool api_names_the_field(struct str line)
{
	static const char param[] = "name=", field[] = "List-Unsubscribe";
	size_t k = sizeof(param) - 1, n = sizeof(field) - 1;
	for (size_t i = 0; i + k + n <= line.n; i++) {
		if ((i > 0 && api_alnum(line.p[i - 1])) ||
			!str_ieqz((struct str){ line.p + i, k }, param))
			continue;
		struct str v = { line.p + i + k, line.n - i - k };
		bool quoted = v.p[0] == '"';
		size_t end = n + quoted;
		if (v.n < end || !str_eqz((struct str){ v.p + quoted, n }, field))
			continue;
		if (quoted ? v.n > end && v.p[end] == '"'
			   : v.n == end || memchr("; \t", v.p[end], 3) != NULL)
			return true;
	}
	return false;
}

/* RFC 8058 would rather have the one field as multipart/form-data. */
static bool api_multipart_says_so(struct str body)
{
	struct str line;
	bool named = false;
	while (str_line(&body, &line)) {
		if (line.n > 0)
			named |= api_names_the_field(line);
		else if (named)
			return str_line(&body, &line) && str_eqz(line, "One-Click");
	}
	return false;
}

static bool api_is_multipart(struct str type)
{
	static const char multi[] = "multipart/";
	return type.n >= sizeof(multi) - 1 &&
		str_ieqz((struct str){ type.p, sizeof(multi) - 1 }, multi);
}

static void api_unsubscribe(void *ctx, const struct api_request *req, struct api_call *call)
{
	struct api *a = ctx;
	struct str type = STR("");
	(void)api_header(req, "Content-Type", &type);
	bool said = api_is_multipart(type) ? api_multipart_says_so(req->body)
					   : api_form_says_so(req->body);
	if (!said) {
		api_answer(call, MHD_HTTP_BAD_REQUEST, NULL,
			STR("List-Unsubscribe=One-Click is missing\n"));
		return;
	}
	a->o.unsubscribe(a->o.ctx, (struct str){ req->path.p + 3, req->path.n - 3 }, call);
}

/* --- assets ---------------------------------------------------------------------------------- */

static void api_asset(void *ctx, const struct api_request *req, struct api_call *call)
{
	struct api *a = ctx;
	a->o.asset(a->o.ctx, (struct str){ req->path.p + 3, req->path.n - 3 }, call);
}

/* --- webhooks -------------------------------------------------------------------------------- */

/* Takes the same time wherever the difference is. */
static bool api_same_secret(struct str a, const char *b)
{
	unsigned char diff = 0;
	if (a.n != strlen(b))
		return false;
	for (size_t i = 0; i < a.n; i++)
		diff |= (unsigned char)(a.p[i] ^ b[i]);
	return diff == 0;
}

/* Every secret of the channel's name is compared whole, wherever the path differs. */
static struct api_route api_find_webhook(const struct api *a, struct str rest)
{
	struct str channel, secret;
	if (!str_next(&rest, '/', &channel) || !str_next(&rest, '/', &secret) ||
		(rest.n > 0 && !api_token_ok(rest)))
		return (struct api_route){ .status = MHD_HTTP_NOT_FOUND };
	for (size_t i = 0; i < a->n_hooks; i++) {
		const struct api_webhook *h = &a->hooks[i];
		if (str_eqz(channel, h->channel) && api_same_secret(secret, h->secret))
			return (struct api_route){ .body_max = h->body_max,
				.fn = h->fn,
				.ctx = h->ctx,
				.channel = channel,
				.tail = rest };
	}
	return (struct api_route){ .status = MHD_HTTP_NOT_FOUND };
}

static struct api_route api_find_page(struct api *a, const struct api_request *req)
{
	bool get = str_eqz(req->method, "GET") || str_eqz(req->method, "HEAD");
	bool unsubscribe = req->path.p[1] == 'u';
	if (!api_token_ok((struct str){ req->path.p + 3, req->path.n - 3 }) ||
		(unsubscribe ? a->o.unsubscribe == NULL : a->o.asset == NULL))
		return (struct api_route){ .status = MHD_HTTP_NOT_FOUND };
	if (get)
		return (struct api_route){ .fn = unsubscribe ? api_confirm : api_asset, .ctx = a };
	if (unsubscribe && str_eqz(req->method, "POST"))
		return (struct api_route){
			.body_max = API_FORM_MAX, .fn = api_unsubscribe, .ctx = a
		};
	return (struct api_route){ .status = MHD_HTTP_METHOD_NOT_ALLOWED,
		.allow = unsubscribe ? "GET, HEAD, POST" : "GET, HEAD" };
}

struct api_route api_public_find(void *ctx, const struct api_request *req)
{
	struct api *a = ctx;
	if (str_starts(req->path, "/u/") || str_starts(req->path, "/a/"))
		return api_find_page(a, req);
	if (str_starts(req->path, "/w/"))
		return api_find_webhook(a, (struct str){ req->path.p + 3, req->path.n - 3 });
	return (struct api_route){ .status = MHD_HTTP_NOT_FOUND };
}
