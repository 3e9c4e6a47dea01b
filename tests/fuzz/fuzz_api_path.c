/* Heads of requests at both listeners: method and path on the first line, headers, an empty line, the body. A webhook is found only
 * by its whole secret, a token only where it is one; whatever is asked has one route or one status. */
#include <string.h>
#include "api/api_http.h"
#include "fuzz.h"

#define SECRET "0123456789abcdef0123456789abcdef"

static void hook(void *ctx, const struct api_request *req, struct api_call *call)
{
	(void)ctx;
	(void)req;
	(void)call;
}

static void token(void *ctx, struct str t, struct api_call *call)
{
	(void)ctx;
	(void)t;
	(void)call;
}

static bool in(struct str s, struct str whole)
{
	return s.n == 0 || (s.p >= whole.p && s.p + s.n <= whole.p + whole.n);
}

static void route(struct api *a, const struct api_request *r)
{
	struct api_route pub = api_public_find(a, r), priv = api_private_find(a, r);
	static const char prefix[] = "/w/sms/" SECRET;

	MUST((pub.status != 0) != (pub.fn != NULL));
	MUST((priv.status != 0) != (priv.fn != NULL));
	MUST(pub.status == 0 || (pub.status >= 400 && pub.status < 600));
	MUST(pub.status != 405 || pub.allow != NULL);
	if (pub.fn == hook) {
		MUST(r->path.n >= sizeof(prefix) - 1 &&
			memcmp(r->path.p, prefix, sizeof(prefix) - 1) == 0);
		MUST(str_eqz(pub.channel, "sms") && in(pub.tail, r->path));
		MUST(pub.tail.n == 0 || api_token_ok(pub.tail));
		MUST(pub.body_max == 5000);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct api_options o = { .unsubscribe = token, .asset = token };
	struct err e = { 0 };
	struct api *a = NULL;
	struct api_pair headers[API_HEADERS_MAX];
	struct str rest = { (const char *)p, n }, line, value;
	struct api_request r = { .headers = headers, .peer = STR("127.0.0.1") };

	if (n > 65536)
		return 0;
	MUST(api_open(NULL, &o, &a, &e) == 0); /* no listener: no socket */
	MUST(api_webhook_set(a, STR("sms"), STR(SECRET), 5000, hook, NULL) == 0);
	MUST(api_webhook_set(a, STR("oa"), STR("x" SECRET), 0, hook, NULL) == 0);
	if (str_line(&rest, &line) && str_next(&line, ' ', &r.method)) {
		r.path = line;
		const char *q = line.n ? memchr(line.p, '?', line.n) : NULL;
		if (q != NULL) {
			r.path.n = (size_t)(q - line.p);
			r.query = (struct str){ q + 1, line.n - r.path.n - 1 };
		}
		while (r.n_headers < API_HEADERS_MAX && str_line(&rest, &line) && line.n > 0) {
			struct api_pair *h = &headers[r.n_headers++];
			h->value = line;
			if (!str_next(&h->value, ':', &h->name))
				r.n_headers--;
		}
		r.body = rest;
		route(a, &r);
		MUST(api_header(&r, "Content-Type", &value) == NULL ||
			in(value, (struct str){ (const char *)p, n }));
	}
	api_close(a, NULL, NULL);
	return 0;
}
