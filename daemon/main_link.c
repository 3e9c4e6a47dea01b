/* main_link.c - asks whether the canonical page of a release answers, for parts with `needs_link`.
 * Thread: loop. Only our own domains are asked (design 9), also where a page leads on: three steps at most, never from https to
 * http. Whatever leads elsewhere counts as no answer. By `link_check` of the configuration: a proxy, a CA of our own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "main_app.h"

#define STEPS_MAX  3
#define ANSWER_MAX 65536 /* of the page; the rest is not read */

struct link_check {
	struct app *app;
	struct conf *conf; /* what its profile points into */
	struct net_profile profile;
	char url[1024];
	int steps;
	struct task task; /* refused before it was asked */
	void (*done)(void *ctx, bool answers, const char *why);
	void *ctx;
};

static void link_end(struct link_check *l, bool answers, const char *why)
{
	l->done(l->ctx, answers, why);
	conf_unref(l->conf);
	free(l);
}

static void on_refused(struct task *t)
{
	link_end(CONTAINER_OF(t, struct link_check, task), false, "the page cannot be asked");
}

struct net_profile app_link_profile(const struct conf *conf)
{
	return (struct net_profile){ .proxy = conf->link_proxy,
		.ca_pem = str_of(conf->link_ca_pem ? conf->link_ca_pem : "") };
}

static struct str header_of(const struct net_http_res *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (str_ieqz(r->headers[i].name, name))
			return r->headers[i].value;
	return (struct str){ 0 };
}

/* Where the answer leads, in l->url; false: to nobody's page, or to another's. */
static bool lead_on(struct link_check *l, struct str to)
{
	char next[sizeof(l->url)];
	struct str from = str_of(l->url), host = conf_link_host(from);
	const char *path = host.p ? memchr(host.p + host.n, '/', strlen(host.p + host.n)) : NULL;
	size_t origin = !host.p ? 0 : path ? (size_t)(path - from.p) : from.n;
	int n = -1;
	if (str_starts(to, "https://") ||
		(str_starts(to, "http://") && str_starts(from, "http://")))
		n = snprintf(next, sizeof(next), STR_FMT, STR_ARG(to));
	else if (str_starts(to, "/") && !str_starts(to, "//"))
		n = snprintf(next, sizeof(next), "%.*s" STR_FMT, (int)origin, l->url, STR_ARG(to));
	if (n < 0 || (size_t)n >= sizeof(next) || ++l->steps > STEPS_MAX ||
		!conf_own_domain(l->conf, conf_link_host(str_of(next))))
		return false;
	char *fragment = strchr(next, '#');
	if (fragment)
		*fragment = '\0';
	memcpy(l->url, next, sizeof(next));
	return true;
}

static void link_ask(struct link_check *l);

static void on_answer(void *ctx, const struct net_http_res *r)
{
	struct link_check *l = ctx;
	char why[200];
	bool answered = r->phase == NET_ANSWERED;
	bool moved = answered &&
		(r->status == 301 || r->status == 302 || r->status == 303 || r->status == 307 ||
			r->status == 308);
	if (moved && lead_on(l, header_of(r, "location"))) {
		link_ask(l);
		return;
	}
	if (moved)
		(void)snprintf(
			why, sizeof(why), "the page answers %d and leads elsewhere", r->status);
	else if (answered)
		(void)snprintf(why, sizeof(why), "the page answers %d", r->status);
	else
		(void)snprintf(
			why, sizeof(why), "the page does not answer: " STR_FMT, STR_ARG(r->error));
	link_end(l, answered && r->status >= 200 && r->status < 300, why);
}

static void link_ask(struct link_check *l)
{
	struct net_call *call;
	struct net_http_req req = { .method = STR("GET"),
		.url = str_of(l->url),
		.answer_max = ANSWER_MAX,
		.connect_ms = 5000,
		.total_ms = 15000,
		.profile = &l->profile,
		.done = on_answer,
		.ctx = l };
	if (net_http(l->app->net, &req, &call) == 0)
		return;
	task_init(&l->task, on_refused);
	env_defer(l->app->env, &l->task);
}

void app_link_check(void *app, const char *url,
	void (*done)(void *done_ctx, bool answers, const char *why), void *done_ctx)
{
	struct app *a = app;
	struct link_check *l = x_calloc(1, sizeof(*l));
	*l = (struct link_check){
		.app = a, .conf = conf_ref(a->conf), .done = done, .ctx = done_ctx
	};
	l->profile = app_link_profile(l->conf);
	/* the configuration may have changed since the release was checked */
	if (str_copy(l->url, sizeof(l->url), str_of(url)) &&
		conf_own_domain(l->conf, conf_link_host(str_of(url)))) {
		link_ask(l);
		return;
	}
	task_init(&l->task, on_refused);
	env_defer(l->app->env, &l->task);
}
