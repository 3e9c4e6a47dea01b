/* sim_node.c - the daemon of one epoch, wired as main.c does it, and the steps of the world.
 * Owns: struct node, which a crash drops whole. Failures: what does not open after a crash is a failure of the run.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/file.h"
#include "content/rendition.h"
#include "dispatch/dispatch_credential.h"
#include "sim_provider.h"

#define ROUNDS_MAX     20000
#define FINAL_MAX_MS   (INT64_C(40) * 86400000)
#define DRAIN_MS       60000
#define SILENT_STEP_MS 3600000

/* --- configuration --------------------------------------------------------------------------------------------------------------------- */

static void lane_text(struct buf *b, int i)
{
	const struct sim_profile *p = &S->p;
	if (p->rate[i])
		buf_addf(b, "  rate: %d/s\n  burst: %d\n", p->rate[i], p->burst[i]);
	buf_addf(b,
		"  concurrency: %d\n  intents_max: %d\n  backoff: [5s, 1m, 10m]\n  urgent_backoff: [1s]\n  tries: 6\n"
		"  timeout: %ds\n  ask_every: 5s\n  breaker_pause: 2s\n  breaker_pause_max: 60s\n  max_age: 30h\n"
		"  unknown_max: %llds\n  unknown_then: %s\n",
		p->concurrency[i], p->intents[i],
		provider_of(i)->timeout_s ? provider_of(i)->timeout_s : 20,
		(long long)p->unknown_max_ms / 1000, p->assume ? "assume_accepted" : "doubt");
	if (p->receipts)
		buf_addf(b, "  receipt_wait: 10m\n");
}

static void write_file(const char *name, const struct buf *b)
{
	char path[300];
	struct err e;
	(void)snprintf(path, sizeof(path), "%s/%s", S->dir, name);
	if (file_write_durable(path, buf_str(b), 0600, &e))
		sim_fail("%s", e.text);
}

/* Channel 2 is the second gateway of channel 1 and like it. */
static void channel_write(int no)
{
	static const char *const names[] = { "mail", "gate", "spare" };
	int i = no < SIM_SLOTS ? no : 1;
	const struct sim_provider *p = provider_of(i);
	struct buf b;
	char file[40];
	buf_init(&b, 10000);
	buf_addf(&b, "name: %s\nkind: %s\nadapter: %s\n", names[no], p->kind, p->adapter);
	p->conf(no, &b);
	buf_addf(&b, "lane:\n");
	lane_text(&b, i);
	(void)snprintf(file, sizeof(file), "channels.d/%s.yaml", names[no]);
	write_file(file, &b);
	buf_done(&b);
}

void node_conf_write(void)
{
	static const char *const names[SIM_SLOTS] = { "mail", "gate" };
	struct buf b;
	char path[300];
	struct err e;
	(void)snprintf(path, sizeof(path), "%s/channels.d", S->dir);
	if (dir_make(path, 0700, &e))
		sim_fail("%s", e.text);
	buf_init(&b, 10000);
	buf_addf(&b,
		"timezone: Asia/Ho_Chi_Minh\nstate_dir: %s/state\nruntime_dir: %s\nadapter_dir: %s/adapters\nkey_file: master.key\n"
		"mode: live\nown_domains: [portal.example]\npeople:\n"
		"  - {name: lan, user: lan, roles: [editor, approver, viewer]}\n"
		"  - {name: minh, user: minh, roles: [approver, viewer]}\n"
		"  - {name: hoa, user: hoa, roles: [approver, viewer]}\n"
		"  - {name: oanh, user: oanh, roles: [operator, viewer]}\n"
		"channels_dir: channels.d\n",
		S->dir, S->dir, S->build);
	if (S->p.mirror) {
		(void)snprintf(path, sizeof(path), "%s/mirror", S->dir);
		if (dir_make(path, 0700, &e))
			sim_fail("%s", e.text);
		buf_addf(&b, "token_mirror: %s\n", path);
	}
	buf_addf(&b, "routes:\n");
	for (int i = 0; i < SIM_SLOTS; i++)
		if (provider_of(i)->per_office)
			buf_addf(&b,
				"  %s: {offices: {trung-uong: %s/trung-uong, ha-noi: %s/ha-noi, dien-bien: %s/dien-bien, muong-ang: %s/muong-ang}}\n",
				provider_of(i)->kind, names[i], names[i], names[i], names[i]);
		else
			buf_addf(&b, "  %s: %s/relay\n", provider_of(i)->kind, names[i]);
	write_file("lantoad.yaml", &b);
	buf_done(&b);
	for (int i = 0; i < SIM_SLOTS + S->p.spare; i++)
		channel_write(i);
}

static struct conf *conf_read(void)
{
	char path[300];
	struct conf *c = NULL;
	struct err e;
	(void)snprintf(path, sizeof(path), "%s/lantoad.yaml", S->dir);
	if (conf_load(path, &c, &e))
		sim_fail("%s", e.text);
	return c;
}

/* --- boot ---------------------------------------------------------------------------------------------------------------------------------- */

static int64_t wall_ms(void *ctx)
{
	UNUSED(ctx);
	return N.te.wall;
}
static int64_t mono_us(void *ctx)
{
	static int64_t ticks; /* time passes inside a transaction too: chunks and turns must end */
	UNUSED(ctx);
	return N.te.mono * 1000 + ticks++ % 1000 * 100;
}
static int64_t free_bytes(void *ctx)
{
	UNUSED(ctx);
	return S->disk_full && !S->final ? 1000 : INT64_C(100) << 30;
}
static void on_fatal(void *ctx, const char *why)
{
	UNUSED(ctx);
	sim_fail("the store gave up: %s", why);
}

static int prepare(void *ctx, struct store_reader *r, const struct prep_key *key,
	struct prepared **ret, struct err *e)
{
	UNUSED(ctx);
	return plan_prepare(N.plan, r, key, ret, e);
}
static void on_progress(void *ctx, int64_t release_id, uint32_t part)
{
	UNUSED(ctx);
	if (N.plan)
		plan_on_progress(N.plan, release_id, part);
}

static void on_void(void *ctx, int64_t release_id)
{
	UNUSED(ctx);
	dispatch_release_void(N.dispatch, release_id);
}

static void on_lots_open(void *ctx)
{
	UNUSED(ctx);
	dispatch_scan(N.dispatch);
}

static void on_prepared(void *ctx, const struct prep_key *key, struct prepared *p)
{
	UNUSED(ctx);
	dispatch_prepared(N.dispatch, key, p);
}

static int asset_url(void *ctx, const struct asset_id *id, int64_t lives_ms, char *dst, size_t size)
{
	char hex[HASH_HEX];
	UNUSED(ctx);
	UNUSED(lives_ms);
	hash_hex(&id->hash, hex);
	(void)snprintf(dst, size, "https://public.example/a/%s", hex);
	return 0;
}

static int channels_make(const struct conf *conf, struct channels **ret, struct err *e)
{
	struct channel_events ev;
	dispatch_events(N.dispatch, &ev);
	struct channels_opts o = { .env = &N.te.env,
		.net = &N.net->net,
		.assets_dir = store_assets_dir(N.ts.s),
		.events = &ev,
		.secret_get = dispatch_secret_get,
		.secret_ctx = N.dispatch,
		.asset_url = asset_url };
	int rc = channels_read(conf, true, ret, e);
	if (rc)
		return rc;
	channels_bind(*ret, &o);
	return channels_open(*ret, SIZE_MAX, e);
}

static void secrets_bind(const struct conf *conf, struct channels *cs)
{
	struct cred_load *l = NULL;
	struct err e = { 0 };
	if (dispatch_secrets_read(N.ts.s, conf, &l, &e))
		sim_fail("%s", e.text);
	dispatch_secrets_bind(N.dispatch, cs, l);
}

static void store_boot(void)
{
	static char state[200];
	uint8_t master[32];
	struct err e = { 0 };
	(void)snprintf(state, sizeof(state), "%s/state", S->dir);
	memset(master, 7, sizeof(master));
	N.ts.env = &N.te.env;
	N.ts.keys = keyring_of(master);
	N.ts.opts = (struct store_opts){ .state_dir = state,
		.keys = N.ts.keys,
		.create = S->epoch == 1 || access(state, FATE_OK) != 0,
		.exclusive = true,
		.vfs = "sim",
		.free_floor_bytes = 1 << 20,
		.ballast_bytes = 64 << 10,
		.wal_max_bytes = 1 << 20,
		.wall_ms = wall_ms,
		.mono_us = mono_us,
		.free_bytes = free_bytes,
		.fatal_cb = on_fatal,
		.fence_after_ms = -1,
		.restore_leap = SIM_LEAP };
	if (S->restoring != RESTORE_NONE)
		restore_confirm(&N.ts.opts);
	int rc = store_open(&N.ts.opts, &N.ts.s, &e);
	if (rc == -ENOSPC && S->disk_full) { /* refused, and said why: somebody makes room */
		sim_trace("no room to start: %s", e.text);
		S->disk_full = false;
		rc = store_open(&N.ts.opts, &N.ts.s, &e);
	}
	if (rc &&
		S->n_contacts == 0) { /* a crash while it was made: there is nothing to lose yet */
		N.ts.opts.create = true;
		rc = store_open(&N.ts.opts, &N.ts.s, &e);
	}
	if (rc)
		sim_fail("the store does not open: %s", e.text);
}

static void parts_boot(void)
{
	struct err e = { 0 };
	struct dispatch_opts d = { .env = &N.te.env,
		.store = N.ts.s,
		.conf = N.conf,
		.prepare = prepare,
		.on_progress = on_progress };
	N.dispatch = dispatch_new(&d);
	if (channels_make(N.conf, &N.channels, &e))
		sim_fail("%s", e.text);
	N.renditions = renditions_new("");
	struct plan_opts p = { .env = &N.te.env,
		.store = N.ts.s,
		.conf = N.conf,
		.channels = N.channels,
		.renditions = N.renditions,
		.on_lots_open = on_lots_open,
		.on_void = on_void,
		.on_prepared = on_prepared };
	N.plan = plan_new(&p);
	if (dispatch_attach(N.dispatch, N.channels, &e))
		sim_fail("%s", e.text);
	secrets_bind(N.conf, N.channels);
}

void node_boot(void)
{
	struct stat st;
	char path[300];
	sim_rng_for(EV_MAX);
	S->env_seed = sim_random() + (uint64_t)S->epoch;
	testenv_init(&N.te, S->env_seed);
	N.te.wall = S->wall;
	N.te.mono = S->mono;
	if (S->epoch == 1)
		node_conf_write();
	(void)snprintf(path, sizeof(path), "%s/channels.d/gate.yaml", S->dir);
	if (stat(path, &st) != 0)
		node_conf_write();
	bool first = S->n_contacts == 0;
	S->no_crash = first;
	N.conf = conf_read();
	store_boot();
	N.net = fakenet_new(&N.te.env);
	provider_boot();
	parts_boot();
	if (first) {
		for (int i = 0; i < 100; i++) {
			node_settle();
			teststore_drain(&N.ts);
		}
		people_setup_rows();
		check_commit();
		S->no_crash = false;
	} else {
		for (int i = 0; i < SIM_STOPS; i++) {
			S->stop[i].asked = false;
			if (!S->stop[i].answered) /* its answer was lost: it may hold or not */
				S->stop[i].on = false;
		}
		S->no_crash = false;
		check_full("after the crash");
	}
	sim_trace("boot epoch %lld", (long long)store_epoch(N.ts.s));
	dispatch_start(N.dispatch);
	plan_start(N.plan);
}

/* --- steps ----------------------------------------------------------------------------------------------------------------------------------- */

/* A stop with a time is over once that time has come, also when the clock is set back afterwards. */
static void clocks_note(void)
{
	for (int i = 0; i < SIM_STOPS; i++)
		if (S->stop[i].on && S->stop[i].until_ms && N.te.wall >= S->stop[i].until_ms)
			S->stop[i].on = false;
	S->wall = N.te.wall;
	S->mono = N.te.mono;
}

void node_settle(void)
{
	testenv_settle(&N.te);
	clocks_note();
	provider_poll();
}

void node_commit(void)
{
	if (store_run(N.ts.s) > 0) {
		S->n_commits++;
		check_commit();
	}
}

static void pass(int64_t ms)
{
	N.te.mono += ms;
	N.te.wall += ms;
	clocks_note();
}

static void advance(int64_t most_ms)
{
	int64_t next = env_next_timer(&N.te.env), ms = next - N.te.mono;
	if (next == INT64_MAX || ms > most_ms)
		ms = most_ms;
	pass(ms < 0 ? 0 : ms);
}

static void jump(void)
{
	static const int64_t by[] = { -3600000, -60000, -500, 500, 60000, 3600000 };
	int64_t ms = by[sim_below((int)ARRAY_LEN(by))];
	sim_trace("the wall clock jumps by %lld ms", (long long)ms);
	N.te.wall += ms;
	if (ms > 0)
		S->wall_jumped += ms;
	clocks_note();
}

static void old_closed(void *ctx)
{
	struct {
		struct channels *cs;
		struct conf *conf;
	} *o = ctx;
	dispatch_channels_forget(N.dispatch, o->cs);
	channels_free(o->cs);
	conf_unref(o->conf);
	free(o);
	N.closing--;
}

static void reload(void)
{
	struct channels *fresh = NULL;
	struct err e = { 0 };
	for (int i = 0; i < 2; i++) {
		int n = S->p.concurrency[i] = 1 + sim_below(20);
		S->p.most[i] = n > S->p.most[i] ? n : S->p.most[i];
	}
	node_conf_write();
	struct conf *conf = conf_read();
	sim_trace("reload");
	if (channels_make(conf, &fresh, &e) || dispatch_reload(N.dispatch, conf, fresh, &e))
		sim_fail("reload: %s", e.text);
	secrets_bind(conf, fresh);
	struct {
		struct channels *cs;
		struct conf *conf;
	} *o = x_calloc(1, sizeof(*o));
	o->cs = N.channels;
	o->conf = N.conf;
	N.channels = fresh;
	N.conf = conf;
	plan_reload(N.plan, conf, fresh);
	N.closing++;
	channels_close(o->cs, N.te.mono + DRAIN_MS, old_closed, o);
}

static void disasters(void)
{
	int left = S->p.steps - S->step;
	int crashes = S->p.crashes - S->crashes;
	sim_rng_for(EV_CRASH);
	if (crashes > 0 && S->crash_in_ops == 0 && sim_below(left) < crashes &&
		sim_event(EV_CRASH)) {
		if (sim_chance(400))
			sim_crash("between steps");
		S->crash_in_ops = 1 + sim_below(25);
	}
	sim_rng_for(EV_BACKUP);
	if (S->p.restores > 0 && sim_below(S->p.steps / 6) == 0 && sim_event(EV_BACKUP))
		restore_backup();
	sim_rng_for(EV_RESTORE);
	if (restore_can() && sim_below(S->p.steps / 4) == 0 && sim_event(EV_RESTORE))
		restore_put();
	sim_rng_for(EV_JUMP);
	if (sim_chance(S->p.p_jump) && sim_event(EV_JUMP))
		jump();
	sim_rng_for(EV_RELOAD);
	if (sim_below(1500) == 0 && sim_event(EV_RELOAD))
		reload();
	sim_rng_for(EV_OUTAGE);
	if (S->p.spare && S->mono >= S->outage_until && sim_below(200) == 0 &&
		sim_event(EV_OUTAGE)) {
		S->outage_until = S->mono + 20000 + sim_below(300000);
		sim_trace("the first gateway is down");
	}
	sim_rng_for(EV_DISK);
	if (S->disk_full && S->mono >= S->disk_full_until) {
		sim_trace("the disk has room again");
		S->disk_full = false;
	} else if (S->p.disk && !S->disk_full && sim_below(800) == 0 && sim_event(EV_DISK)) {
		S->disk_full = true;
		S->disk_full_until = S->mono + 1000 + sim_below(60000);
		S->n_fulls++;
		sim_trace("the disk is full");
	}
}

void node_turn(void)
{
	S->step++;
	S->faults = 0;
	disasters();
	sim_rng_for(EV_MAX + 1);
	switch (sim_below(8)) {
	case 0:
	case 1:
	case 2: node_settle(); break;
	case 3:
	case 4: node_commit(); break;
	case 5:
	case 6: (void)store_complete(N.ts.s); break;
	default: advance(sim_chance(30) ? sim_below(4000000) : sim_below(30000)); break;
	}
	sim_rng_for(EV_ACT);
	if (sim_chance(S->p.p_act) && sim_event(EV_ACT))
		people_act();
	provider_poll();
}

/* --- the end ---------------------------------------------------------------------------------------------------------------------------------- */

/* Everything that can happen now; false: only clocks were looked at. */
static bool quiet(void)
{
	uint64_t commits0 = S->n_commits;
	size_t calls0 = N.seen_calls + N.told;
	for (int i = 0; i < ROUNDS_MAX; i++) {
		uint64_t ran = N.te.ran, commits = S->n_commits;
		size_t calls = N.seen_calls + N.told;
		node_settle();
		node_commit();
		size_t n = store_complete(N.ts.s);
		node_settle();
		if (n == 0 && ran == N.te.ran && commits == S->n_commits &&
			calls == N.seen_calls + N.told)
			return commits0 != commits || calls0 != calls;
	}
	sim_fail("it does not come to rest: %zu requests, task first=%p next timer %lld",
		N.net->n_calls, (void *)(list_empty(&N.te.env.tasks) ? NULL : (void *)1),
		(long long)(env_next_timer(&N.te.env) - N.te.mono));
}

/* From timer to timer; but in a silence the clock takes longer steps, of half of the silence so far: days in which only clocks are
 * looked at cost nothing, and no timer fires later than that. */
static void run_for(int64_t ms)
{
	static int64_t happened;
	int64_t until = N.te.mono + ms;
	if (quiet())
		happened = N.te.mono;
	while (N.te.mono < until) {
		int64_t began = N.te.mono, left = until - began;
		int64_t step = happened ? (began - happened) / 2 : 0;
		if (step > SILENT_STEP_MS)
			step = SILENT_STEP_MS;
		advance(left);
		if (N.te.mono - began < step)
			pass((step < left ? step : left) - (N.te.mono - began));
		if (quiet() || !happened)
			happened = N.te.mono;
	}
}

static void on_stopped(void *ctx)
{
	*(bool *)ctx = true;
}

static void stop_gracefully(void)
{
	int64_t until = N.te.mono + 300000;
	plan_stop(N.plan, on_stopped, &N.stopped[0]);
	dispatch_stop(N.dispatch, on_stopped, &N.stopped[1]);
	while ((!N.stopped[0] || !N.stopped[1]) && N.te.mono < until)
		run_for(1000);
	if (!N.stopped[0] || !N.stopped[1])
		sim_fail("%s does not stop", N.stopped[0] ? "dispatch" : "plan");
	channels_close(N.channels, N.te.mono + DRAIN_MS, on_stopped, &N.stopped[2]);
	while (!N.stopped[2] && N.te.mono < until + 2 * DRAIN_MS)
		run_for(1000);
	if (!N.stopped[2] || N.closing)
		sim_fail("the channels do not close");
	plan_free(N.plan);
	renditions_free(N.renditions);
	dispatch_free(N.dispatch);
	channels_free(N.channels);
	provider_done();
	fakenet_free(N.net);
	conf_unref(N.conf);
	store_close(N.ts.s);
	keyring_free(N.ts.keys);
	testenv_done(&N.te);
}

void node_final(void)
{
	int64_t began = N.te.mono;
	S->final = S->no_crash = true;
	S->disk_full = false;
	sim_trace("final");
	run_for(60000);
	for (int round = 0; N.te.mono - began < FINAL_MAX_MS; round++) {
		bool did = people_heal();
		run_for(did && round < 100 ? 60000 : 3600000);
		if ((!did || round > 120) && N.te.mono - began > INT64_C(3) * 86400000)
			break;
	}
	check_full("at the end");
	check_end();
	stop_gracefully();
}
