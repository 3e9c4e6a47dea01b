/* main_reload.c - a new configuration, whole or not at all: read and checked on a worker with all that its channels name, then
 * opened a few accounts a turn and swapped between two callbacks of the loop. The old channels drain in the background; what they
 * have under way ends there.
 * A signal that comes meanwhile is heard after it: the file may have changed since it was read. A stop waits for its end, and it ends
 * without a change.
 * Failures: anything wrong leaves the old configuration in force and says why.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/log.h"
#include "main_app.h"

#define DRAIN_MS      60000
#define OPEN_PER_TURN 8 /* accounts: under a millisecond of CPU */

struct reload {
	struct app *app;
	struct work work;
	struct task open;
	struct conf *conf;
	struct channels *channels; /* read; MOVE'd when they are swapped in */
	struct cred_load *secrets;
	int rc;
	struct err err;
	char *person, *via;
	void (*done)(void *ctx, int rc, const struct err *e);
	void *ctx;
};

static void reload_run(struct work *w)
{
	struct reload *r = CONTAINER_OF(w, struct reload, work);
	bool owner_ok = r->app->store && store_is_demo(r->app->store);
	r->rc = conf_load(r->app->conf->path, &r->conf, &r->err);
	if (!r->rc)
		r->rc = channels_check(r->conf, owner_ok, &r->err);
	if (!r->rc)
		r->rc = channels_read(r->conf, owner_ok, &r->channels, &r->err);
	if (!r->rc)
		r->rc = app_secrets_read(r->app, r->conf, &r->secrets, &r->err);
}

/* What a running process cannot change: refused, or "done" would be said of what is not in force. */
static int same_places(const struct conf *a, const struct conf *b, struct err *e)
{
	const struct {
		const char *key, *was, *is;
	} places[] = { { "state_dir", a->state_dir, b->state_dir },
		{ "runtime_dir", a->runtime_dir, b->runtime_dir },
		{ "socket", a->socket_path, b->socket_path },
		{ "key_file", a->key_file, b->key_file },
		{ "secret_key_file", a->secret_key_file, b->secret_key_file },
		{ "listen_public", a->listen_public, b->listen_public },
		{ "listen_private", a->listen_private, b->listen_private } };
	const struct {
		const char *key;
		int64_t was, is;
	} sizes[] = { { "free_floor", a->free_floor_bytes, b->free_floor_bytes },
		{ "ballast", a->ballast_bytes, b->ballast_bytes },
		{ "wal_max", a->wal_max_bytes, b->wal_max_bytes } };
	const char *other = NULL;
	for (size_t i = 0; i < ARRAY_LEN(places) && !other; i++)
		if (!str_eq(str_of(places[i].was), str_of(places[i].is)))
			other = places[i].key;
	for (size_t i = 0; i < ARRAY_LEN(sizes) && !other; i++)
		if (sizes[i].was != sizes[i].is)
			other = sizes[i].key;
	return other ? err_set(e, -EINVAL, "%s: %s changes only by a restart", b->path, other) : 0;
}

#define LINGER_MS 10000 /* a worker may still compose with the old adapters for a moment */

struct old_channels {
	struct app *app;
	struct channels *channels;
	struct conf *conf;
	struct timer linger;
	struct list node; /* app->lingering, once closed */
};

static void on_linger(struct timer *t)
{
	struct old_channels *o = CONTAINER_OF(t, struct old_channels, linger);
	list_del(&o->node);
	if (!o->app->stopping)
		dispatch_channels_forget(o->app->dispatch, o->channels);
	channels_free(o->channels);
	conf_unref(o->conf);
	free(o);
}

static void on_old_closed(void *ctx)
{
	struct old_channels *o = ctx;
	list_push(&o->app->lingering, &o->node);
	timer_init(&o->linger, on_linger);
	timer_set(o->app->env, &o->linger, env_mono(o->app->env) + LINGER_MS);
}

void reload_free(struct app *a)
{
	LIST_FOR_SAFE(&a->lingering, it, nx)
	{
		struct old_channels *o = CONTAINER_OF(it, struct old_channels, node);
		timer_stop(a->env, &o->linger);
		on_linger(&o->linger);
	}
}

static int swap(struct reload *r)
{
	struct app *a = r->app;
	int rc = dispatch_reload(a->dispatch, r->conf, r->channels, &r->err);
	if (rc)
		return rc;
	struct channels *fresh = MOVE(r->channels);
	struct old_channels *old = x_calloc(1, sizeof(*old));
	*old = (struct old_channels){ .app = a, .channels = a->channels, .conf = a->conf };
	a->channels = fresh;
	a->conf = MOVE(r->conf);
	app_secrets_bind(a, MOVE(r->secrets));
	plan_reload(a->plan, a->conf, fresh);
	app_webhooks_set(a);
	app_routes_look(a);
	log_level_set(a->conf->log_level);
	channels_close(old->channels, env_mono(a->env) + DRAIN_MS, on_old_closed, old);
	return 0;
}

static void reload_end(struct reload *r)
{
	struct app *a = r->app;
	if (r->rc)
		log_line(LOG_ERROR, "ev=reload.refused why=%s", LOG_Q(str_of(r->err.text)));
	else
		log_line(LOG_INFO, "ev=reload.done");
	app_policy_note(a, r->person, r->via, r->rc ? "config.reload.refused" : "config.reload",
		r->rc ? r->err.text : NULL);
	notify_state(a, "READY=1");
	a->reload = NULL;
	if (r->done && r->rc)
		r->done(r->ctx, r->rc, &r->err);
	else if (r->done)
		app_routes_wait(a, r->done, r->ctx);
	channels_free(r->channels);
	conf_unref(r->conf);
	app_secrets_drop(r->secrets);
	free(r->person);
	free(r->via);
	free(r);
	app_reader_over(a);
	if (!a->reload_again)
		return;
	a->reload_again = false;
	app_reload(a, NULL, NULL, NULL);
}

static void reload_open(struct task *t)
{
	struct reload *r = CONTAINER_OF(t, struct reload, open);
	if (r->app->stopping)
		r->rc = err_set(&r->err, -EBUSY, "the daemon is stopping");
	else
		r->rc = channels_open(r->channels, OPEN_PER_TURN, &r->err);
	if (r->rc == 1) {
		env_defer(r->app->env, &r->open);
		return;
	}
	if (!r->rc)
		r->rc = swap(r);
	reload_end(r);
}

static void reload_done(struct work *w)
{
	struct reload *r = CONTAINER_OF(w, struct reload, work);
	struct app *a = r->app;
	if (!r->rc)
		r->rc = same_places(a->conf, r->conf, &r->err);
	if (r->rc) {
		reload_end(r);
		return;
	}
	app_channels_bind(a, r->channels);
	task_init(&r->open, reload_open);
	reload_open(&r->open);
}

void app_reload(struct app *a, const struct actor *who,
	void (*done)(void *ctx, int rc, const struct err *e), void *ctx)
{
	struct err e;
	if (a->reload || a->stopping) {
		(void)err_set(&e, -EBUSY, "%s",
			a->stopping ? "the daemon is stopping" : "a reload is under way");
		if (done)
			done(ctx, -EBUSY, &e);
		else
			a->reload_again = !a->stopping; /* nobody hears a refusal */
		return;
	}
	app_reader_began(a);
	struct reload *r = a->reload = x_calloc(1, sizeof(*r));
	r->app = a;
	r->person = x_strdup(who ? who->person : "system");
	r->via = x_strdup(who ? who->via : "SIGHUP");
	r->done = done;
	r->ctx = ctx;
	r->work = (struct work){ .fn = reload_run, .done = reload_done };
	notify_state(a, "RELOADING=1");
	env_work(a->env, &r->work);
}

void app_ctl_reload(void *app, const struct actor *who,
	void (*done)(void *ctx, int rc, const struct err *e), void *ctx)
{
	app_reload(app, who, done, ctx);
}
