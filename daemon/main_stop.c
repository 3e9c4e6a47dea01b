/* main_stop.c - the way down: no new calls, no new intents, what is under way is drained or cut at a deadline, outcomes are
 * committed, then everything closes in reverse order and the loop ends. A second signal while stopping changes nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include "base/assert.h"
#include "base/log.h"
#include "main_app.h"
#include "plan/import.h"

#define DRAIN_MS 20000

static void after_net(struct app *a)
{
	net_curl_free(a->net);
	a->net = NULL;
	loop_stop(a->loop);
}

static void on_channels_closed(void *ctx)
{
	struct app *a = ctx;
	dispatch_free(a->dispatch);
	channels_free(a->channels);
	after_net(a);
}

static void on_dispatch_stopped(void *ctx)
{
	struct app *a = ctx;
	channels_close(a->channels, env_mono(a->env) + DRAIN_MS, on_channels_closed, a);
}

void app_reader_began(struct app *a)
{
	a->readers++;
}

void app_reader_over(struct app *a)
{
	REQUIRE(a->readers > 0);
	if (--a->readers > 0 || !a->stop_waits)
		return;
	a->stop_waits = false;
	dispatch_stop(a->dispatch, on_dispatch_stopped, a);
}

void app_import_began(struct app *a, struct import_opts *ret)
{
	app_reader_began(a);
	*ret = (struct import_opts){ .env = a->env,
		.store = a->store,
		.conf = a->conf,
		.channels = &a->channels,
		.stopping = &a->stopping };
}

void app_import_over(struct app *a, const char *ev, int rc, const struct err *e)
{
	if (rc && rc != -ECANCELED)
		log_line(LOG_WARN, "ev=%s error=%s continuing", ev, LOG_Q(str_of(e->text)));
	app_reader_over(a);
}

static void on_plan_stopped(void *ctx)
{
	struct app *a = ctx;
	if (a->readers) {
		a->stop_waits = true;
		return;
	}
	dispatch_stop(a->dispatch, on_dispatch_stopped, a);
}

static void on_api_closed(void *ctx)
{
	struct app *a = ctx;
	plan_stop(a->plan, on_plan_stopped, a);
}

static void on_ctl_closed(void *ctx)
{
	struct app *a = ctx;
	ctl_free(a->ctl);
	a->ctl = NULL;
	app_api_close(a, on_api_closed, a);
}

void app_stop(struct app *a)
{
	if (a->stopping)
		return;
	a->stopping = true;
	a->cut = true;
	log_line(LOG_INFO, "ev=stop");
	notify_state(a, "STOPPING=1\nSTATUS=draining");
	timer_stop(a->env, &a->watchdog);
	timer_stop(a->env, &a->routes_retry);
	upkeep_close(a);
	states_close(a);
	ctl_close(a->ctl, on_ctl_closed, a);
}

void app_free(struct app *a)
{
	plan_free(a->plan);
	app_renditions_close(a);
	app_pushes_free(a);
	free(a->presses);
	reload_free(a);
	store_thread_stop(a->store);
	(void)store_complete(a->store);
	store_close(a->store); /* it may ring once more */
	loop_wake_free(a->store_wake);
	int rc = loop_free(a->loop);
	if (rc)
		log_line(LOG_ERROR, "ev=stop.handles_left rc=%d", rc);
}
