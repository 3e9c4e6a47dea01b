/* main.c - lantoad: reads the configuration, opens everything in order, runs the loop, closes everything in reverse.
 * Thread: the loop's. Owns: struct app. Failures: what cannot be opened at start is named and ends the process; a database that
 * cannot be trusted any more ends it with 75, and the unit does not restart it.
 */
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <fcntl.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "main_app.h"
#include "plan/import.h"

#define EXIT_CONFIG 6
#define EXIT_DISK   75
#define LOG_RING    (1u << 20)
/* Connections of the net; 1,024 more for listeners, the control socket, the store, imports and uploads. */
#define FILES_WANTED (NET_CALLS_MAX + NET_STREAMS_MAX + 1024u)

static int complain(int code, const struct err *e)
{
	(void)fprintf(stderr, "lantoad: %s\n", e->text);
	return code;
}

static int64_t wall_ms(void *ctx)
{
	struct timespec t;
	UNUSED(ctx);
	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t mono_us(void *ctx)
{
	struct timespec t;
	UNUSED(ctx);
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* From the store thread: nothing may be sent any more; the unit does not restart us (RestartPreventExitStatus). */
static void on_store_fatal(void *ctx, const char *why)
{
	UNUSED(ctx);
	log_line(LOG_ERROR, "ev=store.fatal why=%s", LOG_Q(str_of(why)));
	(void)fprintf(stderr,
		"lantoad: the database cannot be trusted any more: %s; sending stopped\n", why);
	_exit(EXIT_DISK);
}

static void store_opts_of(const struct app *a, struct store_opts *o)
{
	*o = (struct store_opts){ .state_dir = a->conf->state_dir,
		.create = a->args.create,
		.demo = a->args.demo,
		.free_floor_bytes = a->conf->free_floor_bytes,
		.ballast_bytes = a->conf->ballast_bytes,
		.wal_max_bytes = a->conf->wal_max_bytes,
		.fence_after_ms = a->conf->fence_after_ms,
		.wall_ms = wall_ms,
		.mono_us = mono_us,
		.fatal_cb = on_store_fatal };
	app_keys_opts(a, o);
}

static void on_store_done(void *ctx)
{
	struct app *a = ctx;
	(void)store_complete(a->store);
}

static void wake_loop(void *ctx)
{
	struct app *a = ctx;
	loop_wake_send(a->store_wake);
}

static int app_prepare(void *ctx, struct store_reader *r, const struct prep_key *key,
	struct prepared **ret, struct err *e)
{
	struct app *a = ctx;
	return plan_prepare(a->plan, r, key, ret, e);
}

static void app_progress(void *ctx, int64_t release_id, uint32_t part)
{
	struct app *a = ctx;
	if (a->plan)
		plan_on_progress(a->plan, release_id, part);
}

static void app_lots_open(void *ctx)
{
	struct app *a = ctx;
	dispatch_scan(a->dispatch);
}

static void app_release_void(void *ctx, int64_t release_id)
{
	struct app *a = ctx;
	dispatch_release_void(a->dispatch, release_id);
}

static void app_targets_changed(void *ctx)
{
	struct app *a = ctx;
	dispatch_targets_changed(a->dispatch);
}

static void app_prepared(void *ctx, const struct prep_key *key, struct prepared *p)
{
	struct app *a = ctx;
	dispatch_prepared(a->dispatch, key, p);
}

void app_channels_bind(struct app *a, struct channels *cs)
{
	struct channel_events ev;
	dispatch_events(a->dispatch, &ev);
	struct channels_opts o = { .env = a->env,
		.net = a->net,
		.assets_dir = store_assets_dir(a->store),
		.events = &ev,
		.asset_url = app_asset_url,
		.asset_ctx = a,
		.calling = a->calling,
		.loopback_only = store_is_demo(a->store) };
	app_secrets_opts(a, &o);
	channels_bind(cs, &o);
}

static int open_core(struct app *a, struct err *e)
{
	list_init(&a->lingering);
	app_routes_open(a);
	struct store_opts so;
	int rc = loop_new(&a->loop, e);
	if (rc)
		return rc;
	a->env = loop_env(a->loop);
	store_opts_of(a, &so);
	rc = store_open(&so, &a->store, e);
	if (!rc)
		rc = app_keys_settle(a, e);
	if (!rc)
		rc = loop_wake_new(a->loop, on_store_done, a, &a->store_wake);
	if (!rc)
		rc = store_thread_start(a->store, wake_loop, a);
	if (rc)
		return e->text[0] ? rc : err_set(e, rc, "cannot start: %s", strerror(-rc));
	a->store_threaded = true;
	return net_curl_new(a->loop, &a->net, e);
}

static void on_imports_settled(void *ctx, int rc, const struct err *e, cJSON *result)
{
	cJSON_Delete(result);
	app_routes_look(ctx);
	app_import_over(ctx, "import.start", rc, e);
}

/* Dispatch and the channels that it sends by. */
static int open_sending(struct app *a, struct err *e)
{
	struct dispatch_opts d = { .env = a->env,
		.store = a->store,
		.conf = a->conf,
		.prepare = app_prepare,
		.prepare_ctx = a,
		.link_url = app_link_url,
		.link_ctx = a,
		.on_progress = app_progress,
		.progress_ctx = a };
	char *calling = x_asprintf("%s/calling", a->conf->runtime_dir);
	int rc = calling_open(calling, &a->calling, &d.crashed, e);
	free(calling);
	if (rc)
		return rc;
	a->dispatch = dispatch_new(&d);
	rc = channels_read(a->conf, store_is_demo(a->store), &a->channels, e);
	if (rc)
		return rc;
	app_channels_bind(a, a->channels);
	return channels_open(a->channels, SIZE_MAX, e);
}

/* The control socket and the HTTP listeners. */
static int open_doors(struct app *a, struct err *e)
{
	struct ctl_opts c = { .deps = { .env = a->env,
				      .loop = a->loop,
				      .started_ms = a->started_ms,
				      .store = a->store,
				      .plan = a->plan,
				      .dispatch = a->dispatch,
				      .channels = &a->channels,
				      .conf = &a->conf,
				      .stopping = &a->stopping,
				      .cut = &a->cut,
				      .main_ctx = a,
				      .reload = app_ctl_reload,
				      .routes_look = app_routes_look,
				      .targets_changed = app_targets_changed,
				      .key_rotate = app_ctl_key_rotate,
				      .public_check = app_public_check },
		.socket_path = a->conf->socket_path,
		.staging_dir = store_staging_dir(a->store),
		.allow_as = store_is_demo(a->store) };
	int rc = ctl_open(&c, &a->ctl, e);
	return rc ? rc : app_api_open(a, e);
}

static int open_parts(struct app *a, struct err *e)
{
	int rc = open_sending(a, e);
	if (rc)
		return rc;
	app_renditions_open(a);
	struct plan_opts p = { .env = a->env,
		.store = a->store,
		.conf = a->conf,
		.channels = a->channels,
		.renditions = a->renditions,
		.on_lots_open = app_lots_open,
		.on_void = app_release_void,
		.on_prepared = app_prepared,
		.ctx = a,
		.link_check = app_link_check };
	a->plan = plan_new(&p);
	rc = dispatch_attach(a->dispatch, a->channels, e);
	if (!rc)
		rc = app_secrets_open(a, e);
	if (rc)
		return rc;
	dispatch_start(a->dispatch);
	plan_start(a->plan);
	struct import_opts io;
	app_import_began(a, &io);
	import_start(&io, on_imports_settled, a);
	return open_doors(a, e);
}

/* Until the loop hears signals: by default SIGHUP ends a process, and the unit takes that for an end in order. */
static atomic_bool hup_early; /* whichever thread hears it */

static void on_early_hup(int signo)
{
	UNUSED(signo);
	hup_early = true;
}

static void on_signal(void *ctx, int signo)
{
	struct app *a = ctx;
	if (signo == SIGHUP)
		app_reload(a, NULL, NULL, NULL);
	else
		app_stop(a);
}

/* A restart does not mend it, and two seconds later it would be the same: a wrong configuration; a database that was restored or
 * copied, was made under another key or by a newer program, or is none of ours. */
static bool needs_person(int rc)
{
	return rc == -EBADMSG || rc == -EINVAL || rc == -EKEYREVOKED || rc == -EKEYREJECTED ||
		rc == -EPROTONOSUPPORT || rc == -EMEDIUMTYPE;
}

static int run(struct app *a)
{
	struct err e = { 0 };
	int rc = open_core(a, &e);
	if (!rc)
		rc = open_parts(a, &e);
	const int signals[] = { SIGHUP, SIGTERM, SIGINT };
	for (size_t i = 0; i < ARRAY_LEN(signals) && !rc; i++)
		rc = loop_on_signal(a->loop, signals[i], on_signal, a);
	if (rc) {
		log_line(LOG_ERROR, "ev=start.failed why=%s", LOG_Q(str_of(e.text)));
		(void)complain(1, &e);
		log_close();
		_exit(needs_person(rc) ? EXIT_CONFIG
				       : 1); /* nothing was sent yet: no order to keep */
	}
	notify_open(a);
	app_policy_note(a, "system", "start", NULL, NULL);
	upkeep_open(a);
	states_open(a);
	log_line(LOG_INFO, "ev=start version=%s pid=%d epoch=%lld mode=%s", LANTOA_VERSION,
		(int)getpid(), (long long)store_epoch(a->store), a->conf->trial ? "trial" : "live");
	notify_state(a, "READY=1\nSTATUS=running");
	if (hup_early) /* the file may have changed since it was read */
		app_reload(a, NULL, NULL, NULL);
	loop_run(a->loop);
	app_free(a);
	return a->failed ? 1 : 0;
}

/* What root can read the service may not: what root has read is read once more as the service's user. */
static int check_as_service(struct app *a, struct err *e)
{
	struct conf *theirs = NULL;
	size_t unseen = 0;
	int rc = conf_load_by_hand(a->args.config, &theirs, &unseen, e);
	if (!rc)
		rc = channels_check(theirs, a->args.demo, e);
	conf_unref(theirs);
	return rc;
}

static int check_only(struct app *a)
{
	struct err e = { 0 };
	bool elsewhere = app_keys_elsewhere(a);
	int rc = channels_check(a->conf, a->args.demo, &e);
	if (!rc)
		rc = elsewhere ? app_become_owner(a->conf->state_dir, &e) : app_keys_load(a, &e);
	bool as_service = geteuid() != getuid();
	if (rc >= 0 && as_service)
		rc = check_as_service(a, &e);
	if (rc < 0 && as_service)
		(void)err_prefix(
			&e, "as the owner of %s, whom the service runs as", a->conf->state_dir);
	if (rc < 0)
		return complain(EXIT_CONFIG, &e);
	(void)printf("%s: good; %zu channels, %zu people, %s mode\n", a->conf->path,
		a->conf->n_channels, a->conf->n_people, a->conf->trial ? "trial" : "live");
	if (elsewhere)
		(void)printf(
			"the master key comes from the unit's LoadCredential: not looked at here\n");
	if (a->secrets_unseen)
		(void)printf(
			"%zu secrets come from the unit's LoadCredential: not looked at here\n",
			a->secrets_unseen);
	return 0;
}

static int restore_confirm(struct app *a)
{
	struct store_opts so;
	struct err e = { 0 };
	int rc = app_keys_load(a, &e);
	store_opts_of(a, &so);
	if (!rc)
		rc = app_restore_confirm(a, &so, &e);
	return rc ? complain(1, &e) : 0;
}

/* Everybody's way to the control socket, which decides who may do what: not for the owner alone, as umask has it else. */
static int runtime_dir_make(const char *dir, struct err *e)
{
	mode_t was = umask(022);
	int rc = dir_make(dir, 0755, e);
	(void)umask(was);
	return rc;
}

static int with_conf(struct app *a)
{
	struct err e = { 0 };
	if (a->args.check)
		return check_only(a);
	if (a->args.restore_confirm)
		return restore_confirm(a);
	int rc = app_keys_load(a, &e);
	if (!rc)
		rc = dir_make(a->conf->state_dir, 0700, &e);
	if (!rc)
		rc = runtime_dir_make(a->conf->runtime_dir, &e);
	if (rc)
		return complain(EXIT_CONFIG, &e);
	if (log_open(STDERR_FILENO, a->conf->log_level, LOG_RING))
		return 1;
	rc = run(a);
	log_close();
	return rc;
}

/* Secrets stand in our memory, and on the heap of libraries: no core is ever written, nobody but root may look inside, and a core
 * that root takes (gcore heeds the filter) holds no memory of ours.
 * Sanitizers look for leaks from outside, so their builds stay open. */
static void no_cores(void)
{
	const struct rlimit none = { 0, 0 };
	(void)setrlimit(RLIMIT_CORE, &none);
	int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (write(fd, "0", 1) < 0)
			perror("lantoad: /proc/self/coredump_filter");
		(void)close(fd);
	}
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

/* By default a process may open 1,024 files; with as many connections as the net may have at once there would be none left for who comes
 * to stop it, nor for a reader of the store. */
static void many_files(void)
{
	struct rlimit l;
	if (getrlimit(RLIMIT_NOFILE, &l) || l.rlim_cur >= FILES_WANTED)
		return;
	l.rlim_cur = l.rlim_max < FILES_WANTED ? l.rlim_max : FILES_WANTED;
	if (setrlimit(RLIMIT_NOFILE, &l))
		perror("lantoad: open files");
}

/* What threads free goes back: few arenas, and large blocks never stay in one (measured: 47 MB become 34 after an import). */
static void little_memory(void)
{
#ifdef M_ARENA_MAX
	(void)mallopt(M_ARENA_MAX, 2);
	(void)mallopt(M_MMAP_THRESHOLD, 256 * 1024);
	(void)mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
#endif
}

/* Whoever started us may ignore or block signals, and both are inherited: the end of a child would not be seen, nor a stop be heard. */
static void signals_as_usual(void)
{
	sigset_t none;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGCHLD, SIG_DFL);
}

int main(int argc, char **argv)
{
	struct app a = { .started_ms = wall_ms(NULL) };
	struct err e = { 0 };
	if (fd_standard_hold())
		return 1;
	if (args_read(argc, argv, &a.args)) {
		args_help();
		return 2;
	}
	if (a.args.help || a.args.version) {
		if (a.args.help)
			args_help();
		else
			(void)printf("lantoad %s, adapter ABI %u.%u\n", LANTOA_VERSION,
				LT_ABI_MAJOR, LT_ABI_MINOR);
		return 0;
	}
	(void)signal(SIGHUP, on_early_hup);
	signals_as_usual();
	no_cores();
	many_files();
	little_memory();
	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN);
	fault_init();
	if (crypt_init())
		return 1;
	if (a.args.make_key) {
		if (keyring_create(a.args.make_key, &e))
			return complain(1, &e);
		(void)printf("%s: new master key; keep a copy apart from every backup\n",
			a.args.make_key);
		return 0;
	}
	if (a.args.check ? conf_load_by_hand(a.args.config, &a.conf, &a.secrets_unseen, &e)
			 : conf_load(a.args.config, &a.conf, &e))
		return complain(EXIT_CONFIG, &e);
	int rc = with_conf(&a);
	conf_unref(a.conf);
	keyring_free(a.keys);
	app_keys_free(&a);
	return rc;
}
