/* dispatch_jobs.c - beside dispatch, never in front of it: polls for receipts and daily looks at what was published.
 * Thread: loop; jobs_read on a worker. Owns: one struct djob an account and kind, its batch while that is under way.
 * A round goes through the provider ids of an account by a cursor, a batch at a time; one reader, few questions at once.
 * Failures: a batch that an adapter could not answer is asked again after a pause that doubles up to the interval. */
#include "dispatch/dispatch_jobs.h"

#include <stdlib.h>
#include <string.h>
#include "base/log.h"

#define DAY_MS INT64_C(86400000)

static const char *job_word(const struct djob *j)
{
	return j->stats ? "stats" : "poll";
}

static struct dacct *job_acct(const struct djob *j)
{
	LIST_FOR(&j->d->accts, n)
	{
		struct dacct *a = CONTAINER_OF(n, struct dacct, node);
		if (a->id == j->account)
			return a;
	}
	return NULL;
}

static int64_t interval(const struct conf_channel *c, bool stats)
{
	return stats ? c->stats.every_ms : c->poll.every_ms;
}

static bool wanted(const struct dacct *a, bool stats)
{
	return a->acct && a->conf && a->chan->conf && interval(a->chan->conf, stats) > 0 &&
		(a->chan->caps & (stats ? LT_CAP_STATS : LT_CAP_RECEIPTS));
}

/* The next time that it is `at` o'clock here; else an interval from now. */
static int64_t next_round(const struct dispatch *d, const struct conf_channel *c, bool stats)
{
	int64_t now = env_wall(d->o.env), at;

	if (!stats || c->stats.at_min < 0)
		return now + interval(c, stats);
	int64_t off = (int64_t)d->conf->zone.offset_s * 1000;
	at = (now + off) / DAY_MS * DAY_MS + (int64_t)c->stats.at_min * 60000 - off;
	return at > now ? at : at + DAY_MS;
}

/* When a round of figures should have been for the last time; what was read since needs no other. */
static int64_t last_due(const struct dispatch *d, const struct conf_channel *c)
{
	if (c->stats.at_min < 0)
		return env_wall(d->o.env) - interval(c, true);
	return next_round(d, c, true) - DAY_MS;
}

/* Again in `ms` at the latest. */
static void jobs_wake(struct dispatch *d, int64_t ms)
{
	int64_t at = env_mono(d->o.env) + ms;

	if (!d->stopping && (!timer_is_set(&d->jobs->timer) || d->jobs->timer.at_ms > at))
		timer_set(d->o.env, &d->jobs->timer, at);
}

/* Its place is free: whoever is due longest is next, at once. */
static void job_rest(struct djob *j, int64_t next_ms)
{
	jobs_wake(j->d, 0);
	d_free(j->items);
	j->items = NULL;
	j->n = 0;
	j->running = false;
	j->next_ms = next_ms;
}

/* --- a batch is over ------------------------------------------------------------------------------------------------------ */
static void job_trouble(struct djob *j, const struct conf_channel *c, int64_t retry_ms)
{
	int64_t most = c ? interval(c, j->stats) : D_JOBS_RETRY_MS;

	j->trouble_ms = j->trouble_ms ? j->trouble_ms * 2 : D_JOBS_RETRY_MS;
	if (j->trouble_ms > most)
		j->trouble_ms = most;
	if (++j->in_vain < D_JOBS_IN_VAIN) {
		j->at = j->was;
		j->asked = j->asked && j->n; /* the account's own numbers are still owed */
	} else {
		j->in_vain = 0;
	}
	job_rest(j, env_wall(j->d->o.env) + (retry_ms > j->trouble_ms ? retry_ms : j->trouble_ms));
}

static void job_went(struct djob *j, const struct dacct *a)
{
	j->trouble_ms = 0;
	j->in_vain = 0;
	if (j->more || !a || !a->chan->conf) {
		job_rest(j, env_wall(j->d->o.env) + D_JOBS_PAUSE_MS);
		return;
	}
	j->at = (struct sq_ask_cursor){ 0 };
	j->asked = false;
	if (j->stats)
		stats_round(j);
	job_rest(j, next_round(j->d, a->chan->conf, j->stats));
}

static void on_asked(void *ctx, const struct chan_result *r)
{
	struct djob *j = ctx;
	const struct dacct *a = job_acct(j);

	j->d->jobs->running--;
	if (r->outcome == LT_ACCEPTED) {
		log_line(LOG_DEBUG, "ev=%s.done ch=%s acct=%s n=%zu", job_word(j),
			a ? a->chan->name : "?", a ? a->name : "?", j->n);
		job_went(j, a);
		return;
	}
	if (!j->d->stopping)
		log_line(LOG_WARN, "ev=%s.fail ch=%s acct=%s n=%zu code=%s said=%s continuing",
			job_word(j), a ? a->chan->name : "?", a ? a->name : "?", j->n,
			LOG_Q(r->code), LOG_Q(r->text));
	job_trouble(j, a ? a->chan->conf : NULL, r->retry_after_ms);
}

/* --- the question --------------------------------------------------------------------------------------------------------- */
static void job_ask(struct djob *j, struct dacct *a)
{
	struct dispatch *d = j->d;
	struct chan_item *v = x_calloc(j->n + 1, sizeof(*v));

	for (size_t i = 0; i < j->n; i++) {
		const struct djob_item *it = &j->items[i];
		v[i] = (struct chan_item){ .delivery = (uint64_t)it->delivery,
			.flags = it->flags,
			.ref = str_of(it->ref),
			.address = str_of(it->address),
			.ids = it->ids,
			.n_ids = it->n_ids,
			.since_ms = it->since_ms };
	}
	d->jobs->running++;
	j->asked = true;
	int rc = channel_ask(a->acct, j->stats ? LT_J_STATS : LT_J_POLL, v, j->n, D_JOBS_TIMEOUT_MS,
		on_asked, j);
	free(v);
	if (rc) {
		d->jobs->running--;
		job_trouble(j, a->chan->conf, 0);
	}
}

/* The first look since the start or a reload: a round that was missed meanwhile follows at once, one that was not, in its time. With
 * an hour of the day and no round ever, that hour is waited for. */
static void job_first(struct djob *j, const struct conf_channel *c)
{
	int64_t now = env_wall(j->d->o.env), due = last_due(j->d, c);
	bool missed = j->last_ms ? j->last_ms < due || j->last_ms > now : c->stats.at_min < 0;

	j->first = false;
	if (missed)
		job_rest(j, now);
	else if (j->last_ms && c->stats.at_min < 0)
		job_rest(j, j->last_ms + interval(c, true));
	else
		job_rest(j, next_round(j->d, c, true));
}

/* Statistics of the account itself are asked for once a round, also where nothing stands published. */
static void jobs_was_read(struct work *w)
{
	struct djobs *js = CONTAINER_OF(w, struct djobs, work);
	struct djob *j = MOVE(js->reading);
	struct dispatch *d = js->d;
	struct dacct *a = job_acct(j);

	jobs_wake(d, 0);
	if (d->stopping || !a || !wanted(a, j->stats))
		job_rest(j, 0);
	else if (j->rc)
		job_trouble(j, a->chan->conf, 0);
	else if (j->first && j->stats)
		job_first(j, a->chan->conf);
	else if (j->n || (j->stats && !j->asked && !j->more))
		job_ask(j, a);
	else
		job_went(j, a);
	cmd_end(d);
}

/* --- reading, on a worker ------------------------------------------------------------------------------------------------- */
static int on_row(void *ctx, const struct sq_ask_row *x)
{
	struct djob *j = ctx;
	size_t used = 0;

	if (j->n == j->batch)
		return -E2BIG;
	struct djob_item *it = &j->items[j->n++];
	*it = (struct djob_item){ .delivery = x->delivery,
		.since_ms = x->since_ms,
		.flags = x->no_link ? LT_ITEM_NO_LINK : 0u };
	ref_make(j->d->o.store, x->delivery, it->ref);
	(void)str_copy(it->address, sizeof(it->address), x->address);
	for (size_t i = 0; i < x->n_ids; i++) {
		struct lt_str id = x->ids[i].id;
		if (id.n > sizeof(it->text) - used)
			continue;
		memcpy(it->text + used, id.p, id.n);
		it->ids[it->n_ids] = x->ids[i];
		it->ids[it->n_ids++].id.p = it->text + used;
		used += id.n;
	}
	return 0;
}

static void jobs_read(struct work *w)
{
	struct djob *j = CONTAINER_OF(w, struct djobs, work)->reading;
	struct store_reader *r;
	const struct sq_ask_query q = { .account = j->account,
		.since_ms = j->since_ms,
		.stats = j->stats,
		.max = j->batch,
		.at = &j->at };

	j->rc = store_reader_open(j->d->o.store, &r);
	if (j->rc)
		return;
	if (j->first && j->stats)
		j->rc = sq_read_round(r, j->account, &j->last_ms);
	else
		j->rc = sq_read_ask(r, &q, on_row, j, &j->more);
	store_reader_close(r);
}

static void job_begin(struct djob *j, const struct conf_channel *c)
{
	struct dispatch *d = j->d;
	struct djobs *js = d->jobs;

	j->batch = j->stats ? c->stats.batch : c->poll.batch;
	j->since_ms = env_wall(d->o.env) - (j->stats ? c->stats.for_ms : c->poll.max_age_ms);
	j->items = d_alloc(d, j->batch * sizeof(*j->items));
	j->n = 0;
	j->was = j->at;
	j->running = true;
	js->reading = j;
	js->work = (struct work){ .fn = jobs_read, .done = jobs_was_read };
	cmd_begin(d);
	env_work(d->o.env, &js->work);
}

/* --- the clock ------------------------------------------------------------------------------------------------------------ */
static struct djob *job_of_acct(struct djobs *js, struct dacct *a, bool stats)
{
	if (a->jobs[stats])
		return a->jobs[stats];
	LIST_FOR(&js->all, n)
	{
		struct djob *j = CONTAINER_OF(n, struct djob, node);
		if (j->account == a->id && j->stats == stats)
			return a->jobs[stats] = j;
	}
	struct djob *j = d_alloc(js->d, sizeof(*j));
	j->d = js->d;
	j->account = a->id;
	j->stats = stats;
	list_push(&js->all, &j->node);
	return a->jobs[stats] = j;
}

/* The job of that account, with the time when it is due; NULL: there is none, as things are. */
static struct djob *job_look(struct djobs *js, struct dacct *a, bool stats)
{
	int64_t now = env_wall(js->d->o.env);

	if (!wanted(a, stats))
		return NULL;
	struct djob *j = job_of_acct(js, a, stats);
	if (!j->scheduled && !j->running) { /* what is read and asked now is not taken away */
		j->scheduled = true;
		j->first = !j->asked; /* a round that has begun goes on */
		j->next_ms = next_round(js->d, a->chan->conf, stats);
		if (j->next_ms > now + D_JOBS_RETRY_MS)
			j->next_ms = now + D_JOBS_RETRY_MS;
	}
	return j;
}

/* Of all that are due the one that is due longest begins; its reading done or its answer there, the next. So all accounts take turns,
 * however many and however often. The clock may jump: it is looked at twice a minute. */
static void on_jobs_timer(struct timer *t)
{
	struct djobs *js = CONTAINER_OF(t, struct djobs, timer);
	struct dispatch *d = js->d;
	struct djob *first = NULL;
	const struct dacct *whose = NULL;
	int64_t now = env_wall(d->o.env), wait = D_JOBS_LOOK_MS;
	bool any = false;

	if (d->stopping)
		return;
	if (!d->ready) {
		jobs_wake(d, D_JOBS_TICK_MS);
		return;
	}
	LIST_FOR(&d->accts, n)
	{
		struct dacct *a = CONTAINER_OF(n, struct dacct, node);
		for (int stats = 0; stats < 2; stats++) {
			struct djob *j = job_look(js, a, stats != 0);
			any = any || j;
			if (!j || j->running)
				continue;
			if (j->next_ms > now)
				wait = j->next_ms - now < wait ? j->next_ms - now : wait;
			else if (!first || j->next_ms < first->next_ms) {
				first = j;
				whose = a;
			}
		}
	}
	if (first && !js->reading && js->running < D_JOBS_RUNNING_MAX)
		job_begin(first, whose->chan->conf);
	if (any)
		jobs_wake(d, wait);
}

void jobs_soon(struct dacct *a)
{
	struct dispatch *d = a->d;
	struct djob *j = wanted(a, true) ? job_look(d->jobs, a, true) : NULL;

	if (!j || j->running)
		return; /* the next round has it */
	j->first = j->asked = false;
	j->at = (struct sq_ask_cursor){ 0 };
	j->next_ms = env_wall(d->o.env) + D_JOBS_SOON_MS;
	jobs_wake(d, D_JOBS_SOON_MS);
}

void jobs_kick(struct dispatch *d)
{
	if (d->stopping)
		return;
	LIST_FOR(&d->jobs->all, n) /* intervals may have changed */
	CONTAINER_OF(n, struct djob, node)->scheduled = false;
	jobs_wake(d, D_JOBS_TICK_MS);
	prune_kick(d->jobs);
}

void jobs_stop(struct dispatch *d)
{
	timer_stop(d->o.env, &d->jobs->timer);
	timer_stop(d->o.env, &d->jobs->prune_timer);
}

bool jobs_init(struct dispatch *d)
{
	struct djobs *js = d->jobs = x_calloc(1, sizeof(*js));

	js->d = d;
	list_init(&js->all);
	timer_init(&js->timer, on_jobs_timer);
	task_init(&js->flush, stats_flush);
	prune_init(js);
	return true;
}

void jobs_free(struct dispatch *d)
{
	jobs_stop(d);
	task_cancel(&d->jobs->flush);
	free(d->jobs); /* the rest is dispatch's memory (d_alloc) */
	d->jobs = NULL;
}
