/* main_webhook.c - the addresses that providers call: /w/CHANNEL/SECRET[/ACCOUNT] of the public listener, each a job of that
 * channel's adapter. Without ACCOUNT it is the channel's first one, and what is reported is looked up in all of them.
 * Thread: loop. Owns: nothing; the job copies what it is given.
 * Failures: a caller that is not on the list gets 403, an unknown account 404, too many at once 503; the address is never logged.
 */
#include <stdio.h>
#include <string.h>
#include "api/api.h"
#include "base/assert.h"
#include "base/log.h"
#include "main_app.h"

#define RETRY_S "5"

/* The caller as a trusted proxy names it: the last address of the last X-Forwarded-For that is no proxy of ours itself. */
static struct str forwarded(
	const struct conf_webhook *w, const struct api_request *req, char *one, size_t size)
{
	struct str found = { 0 }, piece;
	for (size_t i = 0; i < req->n_headers; i++) {
		struct str rest = req->headers[i].value;
		if (!str_ieqz(req->headers[i].name, "X-Forwarded-For"))
			continue;
		while (str_next(&rest, ',', &piece)) {
			if (!str_copy(one, size, str_trim(piece)))
				one[0] = 0; /* no address is that long */
			if (!conf_nets_have(&w->proxies, one))
				found = str_trim(piece);
		}
	}
	if (!found.n || !str_copy(one, size, found))
		return req->peer;
	return str_of(one);
}

static void on_answer(void *ctx, int status, struct str type, struct str body)
{
	char z[100];
	(void)str_copy(z, sizeof(z), type);
	if (status == 503)
		api_answer_header(ctx, "Retry-After", STR(RETRY_S));
	api_answer(ctx, status, z[0] ? z : NULL, body);
}

static void refuse(struct api_call *call, const struct conf_channel *conf, int status,
	const char *why, struct str peer)
{
	log_line(LOG_WARN, "ev=webhook.refused ch=%s status=%d peer=%s why=%s", conf->name, status,
		LOG_Q(peer), LOG_Q(str_of(why)));
	if (status == 503)
		api_answer_header(call, "Retry-After", STR(RETRY_S));
	api_answer(call, status, NULL, STR(""));
}

/* By the exact name; the path holds only letters, digits and . - _ */
static struct chan_account *account_of(struct channel *c, struct str tail)
{
	char name[256];
	if (!tail.n)
		return channel_account_at(c, 0);
	return str_copy(name, sizeof(name), tail) ? channel_account(c, name) : NULL;
}

static void start(struct chan_account *acct, const struct api_request *req, struct str peer,
	struct api_call *call)
{
	const struct conf_channel *conf = channel_conf(account_channel(acct));
	struct lt_pair headers[API_HEADERS_MAX];
	char path[600];
	size_t n = 0;
	for (; n < req->n_headers && n < ARRAY_LEN(headers); n++)
		headers[n] = (struct lt_pair){ .name = { req->headers[n].name.p,
						       req->headers[n].name.n },
			.value = { req->headers[n].value.p, req->headers[n].value.n } };
	int len = snprintf(path, sizeof(path), "/w/%.250s%s" STR_FMT, conf->name,
		req->tail.n ? "/" : "", STR_ARG(req->tail));
	struct chan_request r = { .method = req->method,
		.path = { path, (size_t)len },
		.query = req->query,
		.peer = peer,
		.body = req->body,
		.headers = headers,
		.n_headers = n };
	int rc = channel_webhook(acct, !req->tail.n, &r, on_answer, call);
	if (rc)
		refuse(call, conf, rc == -EBUSY ? 503 : 404,
			rc == -EBUSY ? "too many at once" : "the adapter takes none", peer);
}

static void on_webhook(void *ctx, const struct api_request *req, struct api_call *call)
{
	struct app *a = ctx;
	char name[256], one[64];
	struct channel *c = str_copy(name, sizeof(name), req->channel)
		? channels_find(a->channels, name)
		: NULL;
	if (!c || a->stopping) {
		api_answer(call, c ? 503 : 404, NULL, STR(""));
		return;
	}
	const struct conf_webhook *w = &channel_conf(c)->webhook;
	struct str peer = req->peer;
	(void)str_copy(one, sizeof(one), peer);
	if (conf_nets_have(&w->proxies, one))
		peer = forwarded(w, req, one, sizeof(one));
	(void)str_copy(name, sizeof(name), peer);
	struct chan_account *acct = account_of(c, req->tail);
	if (w->allow.n && !conf_nets_have(&w->allow, name))
		refuse(call, channel_conf(c), 403, "the caller is not on the list 'allow'", peer);
	else if (!acct)
		refuse(call, channel_conf(c), 404, "no account of that name", peer);
	else
		start(acct, req, peer, call);
}

void app_webhooks_set(struct app *a)
{
	struct channel *list[CONF_CHANNELS_MAX];
	size_t n = channels_list(a->channels, list, ARRAY_LEN(list));
	if (!a->api)
		return;
	api_webhooks_drop(a->api);
	for (size_t i = 0; i < n; i++) {
		const struct conf_channel *conf = channel_conf(list[i]);
		struct str secret = channel_webhook_secret(list[i]);
		if (!secret.n)
			continue;
		int rc = api_webhook_set(a->api, str_of(conf->name), secret,
			(uint32_t)conf->webhook.body_max_bytes, on_webhook, a);
		if (rc)
			log_line(LOG_ERROR, "ev=webhook.unset ch=%s code=%d", conf->name, rc);
		else
			log_line(LOG_INFO, "ev=webhook.ready ch=%s path=/w/%s/...", conf->name,
				conf->name);
	}
}
