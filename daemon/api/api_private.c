/* api_private.c - the private listener: /metrics, /healthz, /readyz. Thread: loop. */
#include "api/api_http.h"
#include "base/assert.h"
#include "base/metrics.h"

static void api_metrics(void *ctx, const struct api_request *req, struct api_call *call)
{
	struct api *a = ctx;
	struct buf b CLEANUP_BUF;
	UNUSED(req);
	buf_init(&b, METRICS_TEXT_MAX);
	if (a->o.metrics != NULL)
		a->o.metrics(a->o.ctx);
	if (metrics_print(&b) == 0)
		api_answer(
			call, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", buf_str(&b));
	else
		api_answer(call, MHD_HTTP_INTERNAL_SERVER_ERROR, NULL,
			STR("the metrics are too long\n"));
}

static void api_check(int (*fn)(void *ctx, struct buf *why), void *ctx, struct api_call *call)
{
	struct buf why CLEANUP_BUF;
	buf_init(&why, 4096);
	if (fn == NULL || fn(ctx, &why) == 0) {
		api_answer(call, MHD_HTTP_OK, NULL, STR("ok\n"));
		return;
	}
	buf_addc(&why, '\n');
	api_answer(call, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, buf_str(&why));
}

static void api_health(void *ctx, const struct api_request *req, struct api_call *call)
{
	struct api *a = ctx;
	UNUSED(req);
	api_check(a->o.health, a->o.ctx, call);
}

static void api_ready(void *ctx, const struct api_request *req, struct api_call *call)
{
	struct api *a = ctx;
	UNUSED(req);
	api_check(a->o.ready, a->o.ctx, call);
}

struct api_route api_private_find(void *ctx, const struct api_request *req)
{
	static const struct {
		const char *path;
		api_handler *fn;
	} pages[] = { { "/metrics", api_metrics }, { "/healthz", api_health },
		{ "/readyz", api_ready } };
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		if (!str_eqz(req->path, pages[i].path))
			continue;
		if (!str_eqz(req->method, "GET") && !str_eqz(req->method, "HEAD"))
			return (struct api_route){ .status = MHD_HTTP_METHOD_NOT_ALLOWED,
				.allow = "GET, HEAD" };
		return (struct api_route){ .fn = pages[i].fn, .ctx = ctx };
	}
	return (struct api_route){ .status = MHD_HTTP_NOT_FOUND };
}
