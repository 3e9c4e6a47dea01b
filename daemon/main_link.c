/* main_link.c - asks whether the canonical page of a release answers, for parts with `needs_link`.
 * Thread: loop. Only https (or http to loopback in a demo), only configured domains, no redirects: elsewhere counts as no answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "main_app.h"

struct link_check {
	void (*done)(void *ctx, bool answers, const char *why);
	void *ctx;
};

static void on_answer(void *ctx, const struct net_http_res *r)
{
	struct link_check *l = ctx;
	char why[200];
	bool good = r->phase == NET_ANSWERED && r->status >= 200 && r->status < 300;
	if (r->phase == NET_ANSWERED)
		(void)snprintf(why, sizeof(why), "the page answers %d", r->status);
	else
		(void)snprintf(
			why, sizeof(why), "the page does not answer: " STR_FMT, STR_ARG(r->error));
	l->done(l->ctx, good, why);
	free(l);
}

struct deferred {
	struct task task;
	struct link_check l;
};

static void on_refused(struct task *t)
{
	struct deferred *d = CONTAINER_OF(t, struct deferred, task);
	d->l.done(d->l.ctx, false, "the page cannot be asked");
	free(d);
}

void app_link_check(void *app, const char *url,
	void (*done)(void *done_ctx, bool answers, const char *why), void *done_ctx)
{
	struct app *a = app;
	struct link_check *l = x_calloc(1, sizeof(*l));
	struct net_call *call;
	*l = (struct link_check){ .done = done, .ctx = done_ctx };
	struct net_http_req req = { .method = STR("GET"),
		.url = str_of(url),
		.answer_max = 65536,
		.connect_ms = 5000,
		.total_ms = 15000,
		.done = on_answer,
		.ctx = l };
	if (net_http(a->net, &req, &call) == 0)
		return;
	struct deferred *d = x_calloc(1, sizeof(*d));
	d->l = *l;
	free(l);
	task_init(&d->task, on_refused);
	env_defer(a->env, &d->task);
}
