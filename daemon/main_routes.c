/* main_routes.c - the lanes of targets follow the routes of the configuration in force: looked up again at a start (an import that was cut
 * goes on with the routes of its own day), after a reload, after an import that began before one, and where offices or the targets of one
 * have moved.
 * Thread: loop. One look-up at a time: two would each see what the other has not stored yet, and the older one would win. Asked for
 * meanwhile, it begins once more with the newest configuration.
 * Owns: those who wait for its end. Failures: logged; what is left is found again by the next one, and that comes by itself where it was
 * the disk that is full, or the store's queue.
 */
#include <errno.h>
#include <stdlib.h>
#include "base/assert.h"
#include "base/json.h"
#include "base/log.h"
#include "main_app.h"
#include "plan/import.h"

#define RETRY_MS 10000

struct waiter {
	struct list node;
	void (*done)(void *ctx, int rc, const struct err *e);
	void *ctx;
};

void app_routes_wait(struct app *a, void (*done)(void *ctx, int rc, const struct err *e), void *ctx)
{
	static const struct err none;
	if (!a->routes_look) {
		done(ctx, 0, &none);
		return;
	}
	struct waiter *w = x_calloc(1, sizeof(*w));
	w->done = done;
	w->ctx = ctx;
	list_push(&a->routes_waits, &w->node);
}

static void waiters_tell(struct app *a)
{
	static const struct err none;
	for (struct list *n; (n = list_pop(&a->routes_waits));) {
		struct waiter *w = CONTAINER_OF(n, struct waiter, node);
		w->done(w->ctx, 0, &none);
		free(w);
	}
}

static void on_lanes_moved(void *ctx, const struct lane_move *v, size_t n)
{
	struct app *a = ctx;
	dispatch_reroute(a->dispatch, v, n);
}

static void on_retry(struct timer *t)
{
	app_routes_look(CONTAINER_OF(t, struct app, routes_retry));
}

void app_routes_open(struct app *a)
{
	list_init(&a->routes_waits);
	timer_init(&a->routes_retry, on_retry);
}

static void on_looked(void *ctx, int rc, const struct err *e, cJSON *result)
{
	struct app *a = ctx;
	int64_t changed = json_i64(result, "changed", 0);
	if (changed)
		log_line(LOG_INFO, "ev=reload.routes targets=%lld", (long long)changed);
	cJSON_Delete(result);
	a->routes_look = false;
	if (a->routes_again && !a->stopping)
		app_routes_look(a);
	else if ((rc == -ENOSPC || rc == -EAGAIN || rc == -EBUSY) && !a->stopping)
		timer_set(a->env, &a->routes_retry, env_mono(a->env) + RETRY_MS);
	if (!a->routes_look)
		waiters_tell(a);
	app_import_over(a, "reload.routes", rc, e);
}

void app_routes_look(void *app)
{
	struct app *a = app;
	struct import_opts io;
	a->routes_again = a->routes_look;
	if (a->routes_look || a->stopping)
		return;
	timer_stop(a->env, &a->routes_retry);
	a->routes_look = true;
	app_import_began(a, &io);
	io.moved = on_lanes_moved;
	io.moved_ctx = a;
	import_reroute(&io, on_looked, a);
}
