/* plan_job.c - planning of approved releases: clear, then part by part from a list or pair by pair, chunk by chunk.
 * Threads: looking (which part, which rule, who) on a worker, chunks on the store thread, this file's state on the loop.
 * At most JOBS_MAX releases side by side; their chunks take turns. Resumes from the job row's cursor after any crash.
 */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/log.h"
#include "plan/plan_internal.h"

#define RETRY_MS   1000
#define LIST_MAX   8000 /* approved for at most this many: planned from a list */
#define SMALL_MAX  1000 /* rows of a part whose chunks do not stand behind bulk ... */
#define CLEARS_MAX 4    /* ... nor do so many chunks that clear what was planned before */

enum job_step { JOB_LOOK, JOB_CLEAR, JOB_LIST, JOB_PAIRS, JOB_PART };
struct plan_job {
	struct work work;
	struct timer retry;
	struct plan *p;
	int64_t release_id;
	enum job_step step;
	bool clear, cleared, finished, urgent;
	uint32_t clear_part; /* 0: all lots of the release */
	int64_t rev, mark;
	struct plan_text *text;
	const struct mf_part *part;
	struct plan_lot lot;
	struct audience_sql rule;
	struct resolve_out *list;
	struct plan_pair *pairs;
	size_t n_pairs, pair_at;
	int64_t contact, rows, began_ms;
	size_t clears;
	union {
		struct plan_clear_cmd clear;
		struct plan_list_cmd list;
		struct plan_pair_cmd pair;
		struct plan_part_cmd part;
	} cmd;
	int rc;
	struct err err;
};

static void job_go(struct plan_job *j);

static void drop_part(struct plan_job *j)
{
	plan_text_put(j->p, j->text);
	j->text = NULL;
	j->part = NULL;
	resolve_out_free(j->list);
	j->list = NULL;
	free(j->pairs);
	j->pairs = NULL;
	j->n_pairs = j->pair_at = 0;
	j->contact = 0;
	audience_sql_done(&j->rule);
	audience_sql_init(&j->rule);
}

static void job_end(struct plan_job *j)
{
	struct plan *p = j->p;
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (p->jobs[i] == j)
			p->jobs[i] = NULL;
	timer_stop(p->env, &j->retry);
	drop_part(j);
	audience_sql_done(&j->rule);
	free(j);
	plan_scan(p);
	plan_idle(p);
}

static void job_retry(struct plan_job *j, const char *what, int rc)
{
	log_line(LOG_WARN, "ev=plan.%s release=%lld error=%d text=%s", what,
		(long long)j->release_id, rc, LOG_Q(str_of(j->err.text)));
	if (j->p->stopping) {
		job_end(j);
		return;
	}
	drop_part(j);
	j->step = JOB_LOOK;
	timer_set(j->p->env, &j->retry, env_mono(j->p->env) + RETRY_MS);
}

/* --- looking: worker ------------------------------------------------------------------------------------------------------------- */

/* When its lots are shown as due: where an operator moved it inside its window, there. */
static int64_t due_at(const struct part_row *p, const struct mf_times *t)
{
	bool inside = p->at >= t->win_from_ms && p->at <= t->win_to_ms;
	return t->has_at && inside ? p->at : t->at_ms;
}

static const struct part_row *row_of(const struct part_row *rows, size_t n, int64_t part)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].part == part)
			return &rows[i];
	return NULL;
}

/* In the order in which they were counted and approved, which is the text's and not that of their numbers: who is in two parts
 * belongs to the first. */
static int next_part(struct plan_job *j, struct db *db, const struct release_row *r)
{
	struct part_row rows[PARTS_MAX];
	size_t n = 0;
	int rc = part_rows_get(db, r->id, r->rev_approved, rows, PARTS_MAX, &n);
	for (size_t i = 0; i < n && rc == 0; i++)
		if (!manifest_part(j->text->m, rows[i].part))
			return err_set(&j->err, -EBADMSG, "forged: the manifest has no part %u",
				rows[i].part);
	for (size_t i = 0; i < j->text->m->n_parts && rc == 0; i++) {
		const struct mf_part *p = &j->text->m->parts[i];
		const struct part_row *row = row_of(rows, n, p->number);
		struct mf_times t;
		if (!row || row->planned == 2 || row->state == PART_CANCELLED)
			continue;
		j->clear = row->planned == 0;
		j->clear_part = row->part;
		j->part = p;
		manifest_times(j->text->m, p, r->approved_at, &t);
		j->lot = (struct plan_lot){ .release_id = r->id,
			.part = row->part,
			.slot = p->again == MF_AGAIN_BROADCAST ? ONCE_SLOT_BROADCAST
				: p->again                     ? row->part
							       : 0,
			.prio = (int)p->prio,
			.manifest = j->text->hash,
			.at = due_at(row, &t),
			.expires = t.expires_ms,
			.spread_ms = p->spread_ms,
			.jitter_ms = p->jitter_ms };
		return 0;
	}
	j->finished = rc == 0;
	return rc;
}

static int compile(struct plan_job *j, struct db *db)
{
	int rc = 0;
	for (size_t i = 0; i < j->part->n_to && rc == 0; i++)
		rc = audience_sql_add_rule(db, &j->rule, j->part->to[i].rule, &j->err);
	if (rc == 0 && j->part->again == MF_AGAIN_BROADCAST)
		rc = audience_sql_only_form(&j->rule, BROADCAST_FORM, &j->err);
	return rc;
}

static int look_list(struct plan_job *j, struct db *db, const struct plan_offices *offices)
{
	struct resolve_part part = { .rule = &j->rule };
	struct resolve_ask ask = { .parts = &part,
		.n_parts = 1,
		.offices = offices,
		.winners = true,
		.large = work_is_long(&j->work) };
	for (size_t k = 0; k < j->part->n_kinds; k++)
		part.kinds |= BIT(j->part->kinds[k]);
	return plan_resolve(db, &ask, &j->list, &j->err);
}

static int kind_of_lane(const struct conf *conf, struct db *db, int64_t lane_id)
{
	struct plan_lane lane;
	if (plan_lane_get(db, lane_id, &lane) < 0)
		return 0;
	const struct conf_channel *ch = conf_channel_find(conf, lane.channel);
	return ch ? (int)ch->kind : 0;
}

static bool part_has_kind(const struct mf_part *p, int kind)
{
	for (size_t k = 0; k < p->n_kinds; k++)
		if (p->kinds[k] == kind)
			return true;
	return false;
}

/* Pairs of the part's kinds, from the cursor on. */
static int look_pairs(struct plan_job *j, struct db *db, const struct plan_offices *offices,
	const struct plan_cursor *at)
{
	if (!work_is_long(&j->work))
		return -EOVERFLOW;
	struct conf *conf = plan_conf(j->p);
	size_t kept = 0;
	int rc = plan_pairs_get(db, offices, &j->pairs, &j->n_pairs);
	struct map64 *kinds =
		map64_new(); /* lane -> kind + 1, as a pointer that is never followed */
	for (size_t i = 0; i < j->n_pairs && rc == 0; i++) {
		struct plan_pair p = j->pairs[i];
		uintptr_t kind = (uintptr_t)map64_get(kinds, (uint64_t)p.lane_id);
		if (!kind) {
			kind = (uintptr_t)kind_of_lane(conf, db, p.lane_id) + 1;
			map64_put(kinds, (uint64_t)p.lane_id, (void *)kind);
		}
		p.kind = (int)kind - 1;
		if (!part_has_kind(j->part, p.kind))
			continue;
		if (at->part == j->part->number && p.office_id == at->office_id &&
			p.lane_id == at->lane_id) {
			j->pair_at = kept;
			j->contact = at->contact;
		}
		j->pairs[kept++] = p;
	}
	j->n_pairs = kept;
	map64_free(kinds);
	conf_unref(conf);
	return rc;
}

static int look(struct plan_job *j, struct store_reader *r)
{
	struct db *db = reader_db(r);
	struct plan_offices offices = { 0 };
	struct release_row rel = { 0 };
	struct plan_cursor at;
	struct hash h;
	int64_t approved = 0;
	int rc = plan_cursor_get(db, j->release_id, &h, &at);
	if (rc == 0)
		rc = release_get(db, j->release_id, &rel);
	j->finished = rc == -ENOENT ||
		(rc == 0 && rel.state != REL_APPROVED && rel.state != REL_SENDING);
	if (j->finished || rc < 0)
		return j->finished ? 0 : rc;
	j->rev = rel.rev_approved;
	j->urgent = rel.prio == PRIO_URGENT;
	j->clear = at.part == 0 && !j->cleared;
	j->clear_part = 0;
	if (j->clear)
		return 0;
	rc = plan_text_get(j->p, r, &h, &j->text, &j->err);
	if (rc == 0)
		rc = next_part(j, db, &rel);
	if (rc < 0 || j->finished || j->clear)
		return rc;
	rc = plan_targets_mark(db, &j->mark);
	if (rc == 0)
		rc = compile(j, db);
	if (rc == 0)
		rc = plan_offices_get(db, env_wall(j->p->env), &offices);
	for (size_t k = 0; k < j->part->n_counts; k++)
		approved += j->part->counts[k].n;
	if (rc == 0 && approved <= LIST_MAX)
		rc = look_list(j, db, &offices);
	if (rc == 0 && (!j->list || j->list->winners_over)) {
		resolve_out_free(j->list);
		j->list = NULL;
		rc = look_pairs(j, db, &offices, &at);
	}
	plan_offices_done(&offices);
	return rc;
}

static void look_work(struct work *w)
{
	struct plan_job *j = CONTAINER_OF(w, struct plan_job, work);
	struct store_reader *r;
	j->rc = store_reader_open(j->p->store, &r);
	if (j->rc)
		return;
	j->rc = look(j, r);
	store_reader_close(r);
	if (j->rc == -EOVERFLOW && !work_is_long(&j->work)) {
		drop_part(j);
		j->err = (struct err){ 0 };
		w->longer = WORK_LONG;
	}
}

static void look_done(struct work *w)
{
	struct plan_job *j = CONTAINER_OF(w, struct plan_job, work);
	if (j->rc < 0) {
		job_retry(j, "look", j->rc);
		return;
	}
	if (j->finished || j->p->stopping) {
		job_end(j);
		return;
	}
	j->step = j->clear ? JOB_CLEAR : j->list ? JOB_LIST : JOB_PAIRS;
	job_go(j);
}

/* --- chunks ------------------------------------------------------------------------------------------------------------------------ */

static void clear_done(struct store_cmd *cmd)
{
	struct plan_job *j = CONTAINER_OF(cmd, struct plan_job, cmd.clear.cmd);
	if (cmd->rc < 0) {
		job_retry(j, "clear", cmd->rc);
		return;
	}
	if (!j->cmd.clear.left) {
		j->cleared = true;
		j->step = JOB_LOOK;
	}
	job_go(j);
}

static void list_done(struct store_cmd *cmd)
{
	struct plan_job *j = CONTAINER_OF(cmd, struct plan_job, cmd.list.cmd);
	struct plan_list_cmd *c = &j->cmd.list;
	if (cmd->rc < 0) {
		job_retry(j, "list", cmd->rc);
		return;
	}
	j->pair_at = c->at;
	j->rows += c->ret_rows;
	if (c->stale) {
		drop_part(j);
		j->cleared = false;
		j->step = JOB_LOOK;
	} else if (c->at == c->n) {
		j->step = JOB_PART;
	}
	job_go(j);
}

static void pair_done(struct store_cmd *cmd)
{
	struct plan_job *j = CONTAINER_OF(cmd, struct plan_job, cmd.pair.cmd);
	struct plan_pair_cmd *c = &j->cmd.pair;
	if (cmd->rc < 0) {
		job_retry(j, "pairs", cmd->rc);
		return;
	}
	j->pair_at = c->at;
	j->contact = c->contact;
	j->rows += c->ret_rows;
	if (c->stale) {
		drop_part(j);
		j->cleared = false;
		j->step = JOB_LOOK;
	} else if (c->at == c->n) {
		j->step = JOB_PART;
	}
	job_go(j);
}

static void part_done(struct store_cmd *cmd)
{
	struct plan_job *j = CONTAINER_OF(cmd, struct plan_job, cmd.part.cmd);
	struct plan *p = j->p;
	if (cmd->rc < 0) {
		job_retry(j, "part", cmd->rc);
		return;
	}
	log_line(LOG_INFO, "ev=plan.part release=%lld part=%u rows=%lld took_ms=%lld held=%d",
		(long long)j->release_id, j->lot.part, (long long)j->rows,
		(long long)(env_mono(p->env) - j->began_ms), j->cmd.part.held);
	j->cleared = !j->cmd.part.stale;
	if (j->cleared) /* what the marks say is compared when the part starts */
		map64_put(p->marks, (uint64_t)j->release_id * 64 + j->lot.part,
			(void *)(uintptr_t)(j->mark + 1));
	j->rows = 0;
	j->began_ms = env_mono(p->env);
	drop_part(j);
	j->step = JOB_LOOK;
	plan_scan(p); /* it may start */
	job_go(j);
}

static struct store_cmd *next_chunk(struct plan_job *j)
{
	struct conf *conf;
	memset(&j->cmd, 0, sizeof(j->cmd));
	switch (j->step) {
	case JOB_CLEAR:
		j->cmd.clear = (struct plan_clear_cmd){ .release_id = j->release_id,
			.rev = j->rev,
			.part = j->clear_part,
			.cmd.done = clear_done };
		plan_clear_prepare(&j->cmd.clear);
		return &j->cmd.clear.cmd;
	case JOB_LIST:
		j->cmd.list = (struct plan_list_cmd){ .lot = j->lot,
			.winners = j->list->winners,
			.n = j->list->n_winners,
			.at = j->pair_at,
			.cmd.done = list_done };
		plan_list_prepare(&j->cmd.list);
		return &j->cmd.list.cmd;
	case JOB_PAIRS:
		j->cmd.pair = (struct plan_pair_cmd){ .lot = j->lot,
			.where = audience_sql_where(&j->rule),
			.pairs = j->pairs,
			.n = j->n_pairs,
			.at = j->pair_at,
			.contact = j->contact,
			.cmd.done = pair_done };
		plan_pair_prepare(&j->cmd.pair);
		return &j->cmd.pair.cmd;
	case JOB_PART:
		conf = plan_conf(j->p);
		j->cmd.part = (struct plan_part_cmd){ .lot = j->lot,
			.rev = j->text->rev,
			.approved = j->part,
			.growth_percent = conf->growth_percent,
			.growth_count = conf->growth_count,
			.cmd.done = part_done };
		conf_unref(conf);
		plan_part_prepare(&j->cmd.part);
		return &j->cmd.part.cmd;
	case JOB_LOOK: break;
	}
	return NULL;
}

/* A notice to some offices is planned while a million is imported: somebody waits for it. */
static bool is_small(const struct plan_job *j)
{
	switch (j->step) {
	case JOB_CLEAR: return j->clears < CLEARS_MAX;
	case JOB_LIST: return j->list->n_winners <= SMALL_MAX;
	case JOB_PART: /* is no bulk: one row */
	case JOB_LOOK:
	case JOB_PAIRS: break;
	}
	return false;
}

static void job_go(struct plan_job *j)
{
	if (j->p->stopping) {
		job_end(j);
		return;
	}
	if (j->step == JOB_LOOK) {
		drop_part(j);
		j->err = (struct err){ 0 };
		j->work.weight = WORK_SHORT; /* somebody may wait for a small part */
		env_work(j->p->env, &j->work);
		return;
	}
	struct store_cmd *chunk = next_chunk(j);
	chunk->pressing = j->urgent || (j->part && j->part->prio == PRIO_URGENT);
	if (is_small(j)) {
		chunk->class = STORE_CONTROL;
		chunk->intake = true; /* refused without room, as bulk is */
	}
	j->clears += j->step == JOB_CLEAR;
	int rc = store_submit(j->p->store, chunk);
	if (rc < 0)
		job_retry(j, "submit", rc);
}

static void on_retry(struct timer *t)
{
	job_go(CONTAINER_OF(t, struct plan_job, retry));
}

void plan_jobs_stop(struct plan *p)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (p->jobs[i] && timer_is_set(&p->jobs[i]->retry))
			job_end(p->jobs[i]);
}

void plan_jobs_run(struct plan *p, const int64_t *releases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t slot = JOBS_MAX;
		bool running = false;
		for (size_t k = 0; k < JOBS_MAX; k++) {
			if (p->jobs[k] && p->jobs[k]->release_id == releases[i])
				running = true;
			if (!p->jobs[k] && slot == JOBS_MAX)
				slot = k;
		}
		if (running || slot == JOBS_MAX)
			continue;
		struct plan_job *j = x_calloc(1, sizeof(*j));
		j->p = p;
		j->release_id = releases[i];
		j->began_ms = env_mono(p->env);
		j->work.fn = look_work;
		j->work.done = look_done;
		timer_init(&j->retry, on_retry);
		audience_sql_init(&j->rule);
		p->jobs[slot] = j;
		plan_busy(p);
		job_go(j);
	}
}
