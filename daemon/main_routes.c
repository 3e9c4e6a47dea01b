/* main_routes.c - the lanes of targets follow the routes of the configuration in force: looked up again at a start (an import that was cut
 * goes on with the routes of its own day), after a reload, after an import that began before one, and where offices or the targets of one
 * have moved.
 * Thread: loop. One look-up at a time: two would each see what the other has not stored yet, and the older one would win. Asked for
 * meanwhile, it begins once more with the newest configuration.
 * Owns: those who wait for its end. Failures: logged; what is left is found again by the next one.
 */
#include <stdlib.h>
#include "base/json.h"
#include "base/log.h"
#include "main_app.h"
#include "plan/import.h"

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
	a->routes_look = true;
	app_import_began(a, &io);
	io.moved = on_lanes_moved;
	io.moved_ctx = a;
	import_reroute(&io, on_looked, a);
}
