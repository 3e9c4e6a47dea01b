/* api.c - life of the two listeners and the table of webhooks. Thread: loop. Owns: copies of the options' strings. */
#include <string.h>
#include "api/api_http.h"
#include "base/assert.h"
#include "base/crypt.h"

#define API_MAGIC 0x61706921u

static void api_hook_done(struct api_webhook *h)
{
	xfree(h->channel);
	if (h->secret != NULL)
		wipe(h->secret, strlen(h->secret));
	xfree(h->secret);
	*h = (struct api_webhook){ 0 };
}

void api_webhooks_drop(struct api *a)
{
	while (a->n_hooks > 0)
		api_hook_done(&a->hooks[--a->n_hooks]);
}

static void api_free(struct api *a)
{
	api_webhooks_drop(a);
	xfree(a->o.agency);
	a->magic = 0;
	xfree(a);
}

static void api_on_side_closed(void *ctx)
{
	struct api *a = ctx;
	CHECK_OBJ(a, API_MAGIC);
	if (--a->closing > 0)
		return;
	void (*closed)(void *) = a->closed;
	void *closed_ctx = a->closed_ctx;
	api_free(a);
	if (closed != NULL)
		closed(closed_ctx);
}

void api_close(struct api *a, void (*closed)(void *ctx), void *ctx)
{
	if (a == NULL) {
		if (closed != NULL)
			closed(ctx);
		return;
	}
	CHECK_OBJ(a, API_MAGIC);
	a->closed = closed;
	a->closed_ctx = ctx;
	a->closing = 1;
	if (a->public_side != NULL) {
		a->closing++;
		api_listener_close(a->public_side, api_on_side_closed, a);
	}
	if (a->private_side != NULL) {
		a->closing++;
		api_listener_close(a->private_side, api_on_side_closed, a);
	}
	api_on_side_closed(a);
}

int api_open(struct loop *l, const struct api_options *o, struct api **ret, struct err *e)
{
	struct api *a = x_calloc(1, sizeof(*a));
	int r = 0;
	a->magic = API_MAGIC;
	a->o = *o;
	a->o.agency = o->agency != NULL ? x_strdup(o->agency) : NULL;
	a->o.public_listen = a->o.private_listen = NULL; /* not kept */
	struct api_listener_options lo = { .name = "public",
		.address = o->public_listen,
		.conns_max = API_PUBLIC_CONNS,
		.request_ms = o->request_ms,
		.answer_ms = o->answer_ms,
		.find = api_public_find,
		.ctx = a };
	if (o->public_listen != NULL)
		r = api_listener_open(l, &lo, &a->public_side, e);
	lo.name = "private";
	lo.address = o->private_listen;
	lo.conns_max = API_PRIVATE_CONNS;
	lo.find = api_private_find;
	if (r == 0 && o->private_listen != NULL)
		r = api_listener_open(l, &lo, &a->private_side, e);
	if (r != 0) {
		api_close(a, NULL, NULL);
		return r;
	}
	*ret = a;
	return 0;
}

uint16_t api_public_port(const struct api *a)
{
	return a->public_side != NULL ? a->public_side->port : 0;
}

uint16_t api_private_port(const struct api *a)
{
	return a->private_side != NULL ? a->private_side->port : 0;
}

static size_t api_webhook_at(const struct api *a, struct str channel)
{
	size_t i = 0;
	while (i < a->n_hooks && !str_eqz(channel, a->hooks[i].channel))
		i++;
	return i;
}

int api_webhook_set(struct api *a, struct str channel, struct str secret, uint32_t body_max,
	api_handler *fn, void *ctx)
{
	CHECK_OBJ(a, API_MAGIC);
	if (!api_token_ok(channel) || !api_token_ok(secret) || fn == NULL)
		return -EINVAL;
	size_t i = api_webhook_at(a, channel);
	if (i == API_WEBHOOKS_MAX)
		return -E2BIG;
	if (i == a->n_hooks)
		a->n_hooks++;
	struct api_webhook *h = &a->hooks[i];
	api_hook_done(h);
	*h = (struct api_webhook){ .channel = x_strndup(channel.p, channel.n),
		.secret = x_strndup(secret.p, secret.n),
		.body_max = body_max != 0 && body_max < API_BODY_MAX ? body_max : API_BODY_MAX,
		.fn = fn,
		.ctx = ctx };
	return 0;
}

void api_webhook_drop(struct api *a, struct str channel)
{
	CHECK_OBJ(a, API_MAGIC);
	size_t i = api_webhook_at(a, channel);
	if (i == a->n_hooks)
		return;
	api_hook_done(&a->hooks[i]);
	a->hooks[i] = a->hooks[--a->n_hooks];
	a->hooks[a->n_hooks] = (struct api_webhook){ 0 };
}
