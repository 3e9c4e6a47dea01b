/* plan.c - the plan's life on the loop: looks at active parts when something happened or is due, and does what is decided.
 * Thread: loop; looking (scan) reads on a worker, one at a time, at most once in SCAN_GAP_MIN_MS. The database is the only memory:
 * what stands there after a crash is all that the next scan needs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/log.h"
#include "plan/plan_internal.h"

#define SCAN_GAP_MS     50 /* before a look that only time asks for */
#define SCAN_GAP_MIN_MS 10 /* between two looks, whoever asks */
#define SCAN_GAP_MAX_MS 2000
#define SCAN_FAIL_MS    1000
#define SCAN_IDLE_MS    30000 /* active parts are looked at so often at least */
#define SCAN_JOBS_MAX   64

struct scan {
	struct work work;
	struct plan *p;
	int64_t now;
	struct plan_active *all;
	size_t n;
	struct plan_text **texts; /* one a part, NULL where none is needed */
	bool *forged;
	int64_t jobs[SCAN_JOBS_MAX];
	size_t n_jobs;
	int rc;
	struct err err;
};
struct part_do { /* hold, expire, done: a command on its way */
	struct part_cmd cmd;
	struct plan *p;
	char why[320], code[80];
};
/* --- what runs ------------------------------------------------------------------------------------------------------------------ */

void plan_busy(struct plan *p)
{
	p->busy++;
}

void plan_idle(struct plan *p)
{
	REQUIRE(p->busy > 0);
	if (--p->busy == 0 && p->stopping && p->stopped) {
		void (*stopped)(void *ctx) = p->stopped;
		p->stopped = NULL;
		stopped(p->stopped_ctx);
	}
}

/* --- scan ----------------------------------------------------------------------------------------------------------------------- */

static void load_texts(struct scan *s, struct store_reader *r)
{
	s->texts = x_calloc(s->n ? s->n : 1, sizeof(struct plan_text *));
	s->forged = x_calloc(s->n ? s->n : 1, sizeof(bool));
	for (size_t i = 0; i < s->n; i++) {
		struct hash h;
		if (s->all[i].part.state != PART_WAITING)
			continue;
		if (manifest_planned(reader_db(r), s->all[i].release.id, &h) < 0)
			continue;
		int rc = plan_text_get(s->p, r, &h, &s->texts[i], &s->err);
		s->forged[i] = rc == -EBADMSG;
		if (rc < 0)
			log_line(LOG_ERROR, "ev=plan.manifest release=%s error=%s",
				s->all[i].release.code, LOG_Q(str_of(s->err.text)));
	}
}

static void scan_work(struct work *w)
{
	struct scan *s = CONTAINER_OF(w, struct scan, work);
	struct store_reader *r;
	s->rc = store_reader_open(s->p->store, &r);
	if (s->rc)
		return;
	s->rc = plan_active_get(reader_db(r), s->now, &s->all, &s->n);
	if (s->rc == 0)
		s->rc = plan_jobs_get(reader_db(r), s->jobs, SCAN_JOBS_MAX, &s->n_jobs);
	if (s->rc == 0)
		load_texts(s, r);
	store_reader_close(r);
}

static void do_done(struct store_cmd *cmd)
{
	struct part_do *d = CONTAINER_OF(cmd, struct part_do, cmd.cmd);
	struct plan *p = d->p;
	static const char *const names[] = { [PART_ACT_OPEN] = "part.open",
		[PART_ACT_HOLD] = "part.hold",
		[PART_ACT_EXPIRE] = "part.expire",
		[PART_ACT_DONE] = "part.done",
		[PART_ACT_REPLAN] = "part.replan",
		[RELEASE_ACT_DONE] = "release.done" };
	if (cmd->rc < 0)
		log_line(
			LOG_WARN, "ev=%s release=%s error=%d", names[d->cmd.act], d->code, cmd->rc);
	else if (!d->cmd.stale)
		log_line(LOG_INFO, "ev=%s release=%s part=%u why=%s", names[d->cmd.act], d->code,
			d->cmd.part, LOG_Q(str_of(d->why)));
	bool expired = d->cmd.act == PART_ACT_EXPIRE && cmd->rc == 0;
	if (d->cmd.act == PART_ACT_DONE && cmd->rc == 0)
		(void)map64_del(p->marks, (uint64_t)d->cmd.release_id * 64 + d->cmd.part);
	if ((d->cmd.act == PART_ACT_DONE || d->cmd.act == PART_ACT_EXPIRE) && cmd->rc == 0)
		plan_link_over(p, d->cmd.release_id, d->cmd.part);
	if (cmd->rc == 0 && !d->cmd.stale && !p->stopping &&
		(d->cmd.act == PART_ACT_DONE || d->cmd.act == RELEASE_ACT_DONE))
		plan_seal(p, d->cmd.release_id);
	map64_del(p->starting, (uint64_t)d->cmd.release_id * 64 + d->cmd.part);
	free(d);
	if (expired && p->o.on_lots_open && !p->stopping)
		p->o.on_lots_open(p->o.ctx);
	plan_scan(p);
	plan_idle(p);
}

static void part_submit(struct plan *p, const struct plan_active *a, enum part_act act,
	uint32_t part, const char *why)
{
	uint64_t key = (uint64_t)a->release.id * 64 + part;
	if (map64_get(p->starting, key))
		return;
	struct part_do *d = x_calloc(1, sizeof(*d));
	d->p = p;
	snprintf(d->why, sizeof(d->why), "%s", why);
	snprintf(d->code, sizeof(d->code), "%s", a->release.code);
	d->cmd.act = act;
	d->cmd.release_id = a->release.id;
	d->cmd.rev = a->release.rev_approved;
	d->cmd.part = part;
	d->cmd.why = *d->why ? d->why : NULL;
	d->cmd.what = strncmp(why, "forged:", 7) == 0 ? "part.refused" : NULL;
	d->cmd.cmd.done = do_done;
	part_cmd_prepare(&d->cmd);
	if (store_submit(p->store, &d->cmd.cmd) < 0) {
		free(d);
		timer_set(p->env, &p->timer, env_mono(p->env) + SCAN_FAIL_MS);
		return;
	}
	map64_put(p->starting, key, d);
	plan_busy(p);
}

static void act_on(struct plan *p, const struct plan_active *a, const struct manifest *m,
	const struct decision *d, int64_t now)
{
	char url[2000];
	switch (d->what) {
	case DECIDE_WAIT: break;
	case DECIDE_START: plan_start_part(p, a, now); break;
	case DECIDE_LINK:
		str_copy(url, sizeof(url), manifest_text(m, "link", m->lang));
		plan_link_ask(p, a, url);
		break;
	case DECIDE_HOLD: part_submit(p, a, PART_ACT_HOLD, a->part.part, d->why); break;
	case DECIDE_EXPIRE: part_submit(p, a, PART_ACT_EXPIRE, a->part.part, d->why); break;
	case DECIDE_SKIP: part_submit(p, a, PART_ACT_EXPIRE, a->part.part, d->why); break;
	case DECIDE_DONE: part_submit(p, a, PART_ACT_DONE, a->part.part, ""); break;
	}
}

static bool all_done(const struct plan_active *a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].part.state != PART_DONE && a[i].part.state != PART_CANCELLED)
			return false;
	return n > 0;
}

static void apply(struct plan *p, struct scan *s)
{
	int64_t next = INT64_MAX;
	for (size_t from = 0, to; from < s->n; from = to) {
		const struct plan_active *rel = &s->all[from];
		for (to = from; to < s->n && s->all[to].release.id == rel->release.id;)
			to++;
		if (all_done(rel, to - from)) {
			part_submit(p, rel, RELEASE_ACT_DONE, 0, "");
			continue;
		}
		for (size_t i = from; i < to; i++) {
			const struct manifest *m = s->texts[i] ? s->texts[i]->m : NULL;
			struct decide_facts f = { rel, to - from, i - from, m, s->now,
				plan_link_state(p, &s->all[i]) };
			struct decision d;
			if (s->forged[i])
				part_submit(p, &s->all[i], PART_ACT_HOLD, s->all[i].part.part,
					s->err.text);
			if (s->all[i].part.state == PART_WAITING && !m)
				continue; /* its manifest could not be read: said in the log, asked again */
			plan_decide(&f, &d);
			act_on(p, &s->all[i], m, &d, s->now);
			next = d.next_ms < next ? d.next_ms : next;
		}
	}
	if (s->n == 0)
		return;
	int64_t wait = next == INT64_MAX ? SCAN_IDLE_MS : next - env_wall(p->env);
	int64_t at = env_mono(p->env) +
		(wait < SCAN_GAP_MS                   ? SCAN_GAP_MS
				: wait > SCAN_IDLE_MS ? SCAN_IDLE_MS
						      : wait); /* clocks may be set */
	if (!timer_is_set(&p->timer) || p->timer.at_ms > at)
		timer_set(p->env, &p->timer, at);
}

/* Many active parts are looked at less often. By their number and not by the time it took: on a crowded machine a look at a few
 * would make the next one, which somebody's `go` waits for, late as well. */
static int64_t scan_gap_ms(size_t parts)
{
	int64_t ms = (int64_t)parts / 2;

	return ms < SCAN_GAP_MIN_MS ? SCAN_GAP_MIN_MS : ms > SCAN_GAP_MAX_MS ? SCAN_GAP_MAX_MS : ms;
}

static void scan_done(struct work *w)
{
	struct scan *s = CONTAINER_OF(w, struct scan, work);
	struct plan *p = s->p;
	p->scanning = false;
	p->last_scan = env_mono(p->env); /* the gap is rest, however long the look took */
	if (s->rc == 0)
		p->gap_ms = scan_gap_ms(s->n);
	if (s->rc < 0) {
		log_line(LOG_WARN, "ev=plan.scan error=%d", s->rc);
		if (!p->stopping)
			timer_set(p->env, &p->timer, env_mono(p->env) + SCAN_FAIL_MS);
	} else if (!p->stopping) {
		apply(p, s);
		plan_jobs_run(p, s->jobs, s->n_jobs);
	}
	for (size_t i = 0; s->texts && i < s->n; i++)
		plan_text_put(p, s->texts[i]);
	free(s->texts);
	free(s->forged);
	free(s->all);
	free(s);
	if (p->again)
		plan_scan(p);
	plan_idle(p);
}

static void scan_now(struct plan *p)
{
	if (p->scanning || p->stopping || !p->started) {
		p->again = p->scanning;
		return;
	}
	struct scan *s = x_calloc(1, sizeof(*s));
	p->again = false;
	p->scanning = true;
	p->last_scan = env_mono(p->env);
	s->p = p;
	s->now = env_wall(p->env);
	s->work.fn = scan_work;
	s->work.done = scan_done;
	plan_busy(p);
	env_work(p->env, &s->work);
}

static void on_timer(struct timer *t)
{
	scan_now(CONTAINER_OF(t, struct plan, timer));
}

static void on_kick(struct task *t)
{
	struct plan *p = CONTAINER_OF(t, struct plan, kick);
	int64_t since = env_mono(p->env) - p->last_scan;
	if (p->last_scan == 0 || since >= p->gap_ms) {
		scan_now(p);
		return;
	}
	int64_t at = p->last_scan + p->gap_ms;
	if (!p->stopping && (!timer_is_set(&p->timer) || p->timer.at_ms > at))
		timer_set(p->env, &p->timer, at);
}

void plan_scan(struct plan *p)
{
	if (!p->stopping && p->started)
		env_defer(p->env, &p->kick);
}

void plan_on_progress(struct plan *p, int64_t release_id, uint32_t part)
{
	CHECK_OBJ(p, PLAN_MAGIC);
	UNUSED(release_id);
	UNUSED(part);
	plan_scan(p);
}

/* --- life -------------------------------------------------------------------------------------------------------------------------- */

struct plan *plan_new(const struct plan_opts *o)
{
	struct plan *p = x_calloc(1, sizeof(*p));
	p->magic = PLAN_MAGIC;
	p->o = *o;
	p->env = o->env;
	p->store = o->store;
	p->channels = o->channels;
	pthread_rwlock_init(&p->lock, NULL);
	pthread_mutex_init(&p->cache_lock, NULL);
	pthread_mutex_init(&p->links_lock, NULL);
	union { /* a reference is taken, which is not part of what the configuration says */
		const struct conf *c;
		struct conf *m;
	} conf = { .c = o->conf };
	p->conf = conf_ref(conf.m);
	p->starting = map64_new();
	p->marks = map64_new();
	p->links = map64_new();
	timer_init(&p->timer, on_timer);
	task_init(&p->kick, on_kick);
	return p;
}

void plan_start(struct plan *p)
{
	CHECK_OBJ(p, PLAN_MAGIC);
	p->started = true;
	plan_scan(p);
}

void plan_stop(struct plan *p, void (*done)(void *ctx), void *ctx)
{
	CHECK_OBJ(p, PLAN_MAGIC);
	p->stopping = true;
	timer_stop(p->env, &p->timer);
	task_cancel(&p->kick);
	p->stopped = done;
	p->stopped_ctx = ctx;
	plan_jobs_stop(p);
	plan_busy(
		p); /* answers at once when nothing runs, but never from inside the last callback of something else */
	plan_idle(p);
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	timer_stop(p->env, &p->timer);
	task_cancel(&p->kick);
	for (size_t i = 0; i < TEXT_CACHE; i++)
		plan_text_put(p, p->cache[i]);
	plan_memo_drop(p);
	map64_free(p->starting);
	map64_free(p->marks);
	plan_links_free(p);
	conf_unref(p->conf);
	pthread_rwlock_destroy(&p->lock);
	pthread_mutex_destroy(&p->cache_lock);
	pthread_mutex_destroy(&p->links_lock);
	free(p);
}

void plan_reload(struct plan *p, const struct conf *conf, struct channels *cs)
{
	CHECK_OBJ(p, PLAN_MAGIC);
	union {
		const struct conf *c;
		struct conf *m;
	} fresh = { .c = conf };
	pthread_rwlock_wrlock(&p->lock);
	struct conf *old = p->conf;
	p->conf = conf_ref(fresh.m);
	p->channels = cs;
	pthread_rwlock_unlock(&p->lock);
	plan_memo_drop(p);
	conf_unref(old);
	plan_scan(p);
}
