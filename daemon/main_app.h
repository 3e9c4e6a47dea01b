/* main_app.h - the daemon as one object: everything that main.c wires together. Loop thread. */
#ifndef LANTOA_MAIN_APP_H
#define LANTOA_MAIN_APP_H

#include "base/crypt.h"
#include "channel/channel.h"
#include "conf/conf.h"
#include "ctl/ctl.h"
#include "dispatch/dispatch.h"
#include "net/loop.h"
#include "net/net.h"
#include "plan/plan.h"
#include "store/store.h"

struct api;
struct renditions;

struct app_args {
	const char *config, *make_key;
	const char *key; /* NULL: as configured */
	bool check, create, demo, restore_confirm, version, help;
};

#define KEYS_MAX 64
/* Keys that seal credentials, those of former rotations with them: a restored backup may still need these. */
struct secret_keys {
	struct keyring *all[KEYS_MAX]; /* owned */
	size_t n;
	struct keyring *now;  /* of them; NULL: the master key seals */
	struct keyring *next; /* of them; NULL: no rotation was interrupted */
};

struct app {
	struct app_args args;
	struct conf *conf;
	size_t secrets_unseen; /* --check: the service manager gives them, and it did not start us */
	struct keyring *keys;  /* the master key */
	struct secret_keys secret_keys;
	struct key_rotation *rotation; /* one at a time */
	struct loop *loop;
	struct env *env;
	struct loop_wake *store_wake;
	struct store *store;
	struct net *net;
	struct calling *calling; /* mapped until the process ends */
	struct channels *channels;
	struct dispatch *dispatch;
	struct plan *plan;
	struct renditions *renditions;
	struct list pushes; /* main_asset_push.c; zeroed until the first */
	size_t n_pushes;
	bool pushing; /* the program runs */
	struct ctl *ctl;
	struct api *api;
	struct presses *presses; /* main_api.c; NULL until the first */
	struct timer watchdog;
	int64_t watchdog_ms, started_ms;
	bool store_threaded, stopping, failed;
	_Atomic bool cut; /* stopping: programs that run on workers are ended */
	uint32_t
		readers; /* our own that are under way: imports, states, upkeep, a reload, files that are opened or pushed */
	bool stop_waits;                /* the way down: for the last of them */
	struct reload *reload;          /* one at a time */
	bool reload_again;              /* a signal came while it ran */
	bool routes_look, routes_again; /* main_routes.c: one is under way; and another after it */
	struct list routes_waits;       /* for its end */
	struct timer routes_retry;      /* the store did not take all of it */
	struct upkeep *upkeep;
	struct states *states;
	struct list lingering; /* channels of earlier configurations */
	const char *notify_path;
};

/* main_reload.c: reads the configuration on a worker and swaps it whole, or changes nothing and says why. */
void app_channels_bind(struct app *a, struct channels *cs);
void app_ctl_reload(void *app, const struct actor *who,
	void (*done)(void *ctx, int rc, const struct err *e), void *ctx);
void reload_free(struct app *a);
void app_reload(struct app *a, const struct actor *who, /* NULL: a signal */
	void (*done)(void *ctx, int rc, const struct err *e), void *ctx);
/* main_routes.c: targets get the lanes that the configuration in force gives them, and what waits follows. `app` is a struct app. */
void app_routes_look(void *app);
void app_routes_open(struct app *a);
/* done once no look-up is under way, at once where there is none: what is submitted then meets the new routes. */
void app_routes_wait(
	struct app *a, void (*done)(void *ctx, int rc, const struct err *e), void *ctx);
/* main_policy.c: events of the audit: an act (NULL: none) and, unless it was refused (NULL: it was not), rules that changed. */
void app_policy_note(
	struct app *a, const char *person, const char *via, const char *act, const char *refused);
/* main_key.c: the master key and the key of credentials. */
int app_keys_load(struct app *a, struct err *e) MUST_CHECK; /* blocking */
/* main_confirm.c. Root becomes the owner of the state folder, whom the service runs as: 1; who is it already, or not root: 0. */
int app_become_owner(const char *state_dir, struct err *e) MUST_CHECK;
/* Prints what it did. Keys are loaded. */
int app_restore_confirm(const struct app *a, const struct store_opts *so, struct err *e) MUST_CHECK;
bool app_keys_elsewhere(
	const struct app *a); /* only the service manager has the key, and it did not start us */
void app_keys_opts(const struct app *a, struct store_opts *o);
int app_keys_settle(struct app *a,
	struct err *e) MUST_CHECK; /* blocking, store open: ends a rotation that was interrupted */
void app_ctl_key_rotate(void *app, const struct actor *who, ctl_key_rotated_fn *done, void *ctx);
void app_keys_free(struct app *a); /* the store is closed */
/* main_secret.c: credentials that rotate. */
struct cred_load;
void app_secrets_opts(struct app *a, struct channels_opts *o);
int app_secrets_open(struct app *a, struct err *e) MUST_CHECK; /* blocking: at start */
int app_secrets_read(struct app *a, const struct conf *conf, struct cred_load **ret,
	struct err *e) MUST_CHECK;                         /* on the worker of a reload */
void app_secrets_bind(struct app *a, struct cred_load *l); /* taken */
void app_secrets_drop(struct cred_load *l);
/* main_stop.c: stops in reverse order; the loop ends when nothing is left. */
void app_stop(struct app *a);
/* What reads the store on a worker of our own: the way down waits until it is over. */
void app_reader_began(struct app *a);
void app_reader_over(struct app *a);
/* An import of our own: its options. A reader until app_import_over was called. */
struct import_opts;
void app_import_began(struct app *a, struct import_opts *ret);
void app_import_over(
	struct app *a, const char *ev, int rc, const struct err *e); /* a failure is logged as ev */
void app_free(struct app *a);                                        /* after the loop has ended */
/* main_link.c: does a canonical link answer? For parts with needs_link. */
void app_link_check(void *app, const char *url,
	void (*done)(void *done_ctx, bool answers, const char *why), void *done_ctx);
/* How lantoad itself asks for pages; points into conf, which has to outlive it. */
struct net_profile app_link_profile(const struct conf *conf);
/* main_api.c: the HTTP listeners and what they serve. */
int app_api_open(struct app *a, struct err *e) MUST_CHECK;
void app_api_close(struct app *a, void (*closed)(void *ctx), void *ctx);
void app_metrics_sample(struct app *a); /* gauges that are sampled, not counted */
/* main_webhook.c: what providers call; anew for each configuration. */
void app_webhooks_set(struct app *a);
/* main_asset.c: pictures fitted by the helper, public assets. */
void app_renditions_open(struct app *a);
void app_renditions_close(struct app *a); /* no worker runs any more */
int app_asset_url(void *app, const struct asset_id *id, int64_t lives_ms, char *dst,
	size_t size); /* for channels_opts */
int app_link_url(void *app, const struct conf *conf, const struct asset_id *id, const char *ending,
	int64_t until_ms, char *dst, size_t size); /* for dispatch_opts; any thread */
bool app_public_check(void *app,
	void (*done)(void *ctx, bool ok, const char *url, const char *text),
	void *ctx); /* for ctl_deps */
struct api_call;
void app_asset_serve(void *app, struct str token, struct api_call *call); /* for api_options */
/* main_asset_push.c */
int app_push_url(struct app *a, const struct asset_id *id, char *dst, size_t size);
void app_pushes_free(struct app *a); /* the loop has ended */
/* main_notify.c: the service manager. */
void notify_open(struct app *a);
void notify_state(const struct app *a, const char *state);
/* main_upkeep.c */
void upkeep_open(struct app *a);
void upkeep_close(struct app *a);

/* main_states.c: counts and ages of deliveries by state. */
void states_open(struct app *a);
void states_close(struct app *a);
void app_states_sample(const struct app *a);
/* main_args.c */
int args_read(int argc, char **argv, struct app_args *ret);
void args_help(void);

#endif
