/* import.c - one import from its file to its answer: slices on workers, then commands of the store, then the answer. What a start takes
 * up stands in import_start.c.
 * Thread: loop; im->fn on a worker. Owns: struct importer until done was called.
 * Happy path (large): open, slice ... beside stage ..., check | begin, read ... beside chunk ..., finish. (small): read | one command.
 * Failures: before begin the stage is removed and nothing is stored. A full disk or queue behind begin is waited for; what else stops it
 * leaves the job for the next start, and so does a daemon that stops.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/json.h"
#include "base/log.h"
#include "plan/import_internal.h"

#define RETRY_MS  500
#define BLOCK_MAX (IMPORT_BLOCK_BYTES + (1u << 20))

static char *dup_or_null(const char *z)
{
	return z ? x_strdup(z) : NULL;
}

struct importer *importer_new(const struct import_opts *o, plan_done_fn *done, void *ctx)
{
	struct importer *im = x_calloc(1, sizeof(*im));
	im->o = *o;
	im->conf = conf_ref((struct conf *)(uintptr_t)o->conf);
	im->done = done;
	im->ctx = ctx;
	problems_init(&im->problems);
	buf_init(&im->block, BLOCK_MAX);
	buf_init(&im->other, BLOCK_MAX);
	return im;
}

static void importer_free(struct importer *im)
{
	import_targets_close(im);
	table_free(im->table);
	import_small_free(im);
	problems_done(&im->problems);
	buf_done(&im->block);
	buf_done(&im->other);
	conf_unref(im->conf);
	char *const own[] = { im->path, im->name, im->source, im->person, im->via, im->office };
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		free(own[i]);
	free(im);
}

static cJSON *problems_json(const struct content_problems *p, bool errors)
{
	cJSON *arr = json_arr();
	for (size_t i = 0; i < p->n; i++) {
		if ((p->v[i].severity == PROBLEM_ERROR) != errors)
			continue;
		cJSON *o = json_obj();
		json_put_z(o, "severity", problem_severity_name(p->v[i].severity));
		json_put_z(o, "file", p->v[i].file);
		json_put_i64(o, "line", p->v[i].line);
		json_put_z(o, "field", p->v[i].field);
		json_put_z(o, "text", p->v[i].text);
		json_add(arr, o);
	}
	return arr;
}

static cJSON *result_of(const struct importer *im)
{
	cJSON *r = json_obj();
	json_put_i64(r, "rows", im->counts.rows);
	json_put_i64(r, "added", im->counts.added);
	json_put_i64(r, "changed", im->counts.changed);
	json_put_i64(r, "gone", im->counts.gone);
	json_put_bool(r, "dry", im->dry);
	json_put_z(r, "source", im->source);
	json_put(r, "problems", problems_json(&im->problems, true));
	json_put(r, "warnings", problems_json(&im->problems, false));
	return r;
}

/* --- steps ------------------------------------------------------------------------------------------------------------------------ */

static void on_fn(struct work *w)
{
	struct importer *im = CONTAINER_OF(w, struct importer, work);
	im->rc = im->fn(im);
}

static void on_fn_done(struct work *w)
{
	struct importer *im = CONTAINER_OF(w, struct importer, work);
	im->next(im);
}

void importer_step(
	struct importer *im, int (*fn)(struct importer *), void (*next)(struct importer *))
{
	im->cs = im->o.channels ? *im->o.channels : NULL;
	im->fn = fn;
	im->next = next;
	im->work = (struct work){ .fn = on_fn, .done = on_fn_done, .weight = WORK_BULK };
	env_work(im->o.env, &im->work);
}

/* Also where it failed: a part of it may be stored, and goes on at the next start. */
static void stale_tell(const struct importer *im)
{
	if (im->o.stale && im->what == IMPORT_WHAT_TARGETS && !im->dry &&
		*im->o.conf_now != im->conf)
		im->o.stale(im->o.stale_ctx);
}

static void answer(struct importer *im)
{
	stale_tell(im);
	cJSON *r = im->rc == 0 || im->problems.errors ? result_of(im) : NULL;
	if (im->rc == 0)
		log_line(LOG_INFO,
			"ev=import.done source=%s rows=%lld added=%lld changed=%lld gone=%lld",
			LOG_Q(str_of(im->source)), (long long)im->counts.rows,
			(long long)im->counts.added, (long long)im->counts.changed,
			(long long)im->counts.gone);
	if (im->done)
		im->done(im->ctx, im->rc, &im->err, r);
	else
		cJSON_Delete(r);
	importer_free(im);
}

static int clean_up(struct importer *im)
{
	stage_remove(MOVE(im->stage));
	return im->rc;
}

/* The stage goes on a worker, then the answer. */
void importer_end(struct importer *im, int rc)
{
	im->rc = rc;
	if (im->problems.errors) {
		(void)problems_err(&im->problems, -EBADMSG, &im->err);
		im->rc = -EBADMSG;
	} else if (rc < 0 && !im->err.text[0]) {
		(void)err_set(&im->err, rc, "the import failed: %s", strerror(-rc));
	}
	if (im->stage)
		importer_step(im, clean_up, answer);
	else
		answer(im);
}

bool importer_refused(struct importer *im, const struct store_cmd *cmd)
{
	if (cmd->rc >= 0)
		return false;
	im->err = cmd->err;
	importer_end(im, cmd->rc);
	return true;
}

/* Behind begin nothing is thrown away: the next start goes on. */
void importer_left(struct importer *im, const struct store_cmd *cmd)
{
	im->rc = cmd->rc;
	im->err = cmd->err;
	stage_close(MOVE(im->stage));
	if (!im->err.text[0]) /* the store did not take it at all */
		(void)err_set(&im->err, cmd->rc, "%s", strerror(-cmd->rc));
	(void)err_prefix(&im->err, "the import has begun and goes on at the next start");
	answer(im);
}

bool importer_stops(const struct importer *im)
{
	return im->o.stopping && *im->o.stopping;
}

int import_address(struct importer *im, const char *channel, struct str in, struct addr_out *ret,
	struct err *e)
{
	if (im->o.address)
		return im->o.address(im->o.address_ctx, im->cs, channel, in, ret, e);
	struct channel *c = im->cs ? channels_find(im->cs, channel) : NULL;
	return c ? channel_address(c, in, ret, e)
		 : err_set(e, -ENOENT, "channel '%s' is not open", channel);
}

const char *import_file_name(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *last = slash ? slash + 1 : name;
	return *last ? last : "standard input";
}

bool import_problem(void *ctx, bool error, int line, const char *field, const char *text)
{
	struct importer *im = ctx;
	problem_add(&im->problems, error ? PROBLEM_ERROR : PROBLEM_WARNING,
		import_file_name(im->name), line, field, "%s", text);
	return im->problems.errors < 10000;
}

/* --- large: apply --------------------------------------------------------------------------------------------------------------------- */

void importer_submit(struct importer *im, struct store_cmd *cmd, void (*done)(struct store_cmd *))
{
	cmd->done = done;
	int rc = store_submit(im->o.store, cmd);
	if (rc < 0) {
		cmd->rc = rc;
		cmd->err = (struct err){ .code = rc };
		done(cmd);
	}
}

static void retry_on_timer(struct timer *t)
{
	struct importer *im = CONTAINER_OF(t, struct importer, retry);
	im->retry_fn(im);
}

bool importer_waits(struct importer *im, int rc, void (*fn)(struct importer *im))
{
	if (rc != -ENOSPC && rc != -EAGAIN && rc != -EBUSY)
		return false;
	im->retry_fn = fn;
	timer_init(&im->retry, retry_on_timer);
	timer_set(im->o.env, &im->retry, env_mono(im->o.env) + RETRY_MS);
	return true;
}

static void next_chunk(struct importer *im);
static void finish(struct importer *im);
static void on_finish(struct store_cmd *cmd)
{
	struct importer *im = CONTAINER_OF(cmd, struct importer, finish.cmd);
	if (!importer_stops(im) && importer_waits(im, cmd->rc, finish))
		return;
	if (cmd->rc < 0) {
		importer_left(im, cmd);
		return;
	}
	im->counts = im->finish.ret;
	importer_end(im, 0);
}

static void finish(struct importer *im)
{
	im->finish = (struct import_finish){ .import_id = im->import_id };
	import_finish_prepare(&im->finish);
	importer_submit(im, &im->finish.cmd, on_finish);
}

static int read_block(struct importer *im)
{
	return stage_read(im->stage, im->read_cursor, &im->block);
}

static void block_take(struct importer *im);
static void on_block(struct importer *im)
{
	im->reading = false;
	im->full = true;
	if (!im->storing)
		block_take(im);
}

void importer_read_ahead(struct importer *im)
{
	im->reading = true;
	im->full = false;
	importer_step(im, read_block, on_block);
}

static void swap_blocks(struct importer *im)
{
	struct buf b = im->block;
	im->block = im->other;
	im->other = b;
	im->full = false;
}

/* What was read is applied, and the next is read beside it. */
static void block_take(struct importer *im)
{
	if (im->store_rc < 0 || im->rc < 0) {
		struct store_cmd failed = { .rc = im->store_rc, .err = im->store_err };
		if (im->store_rc >= 0)
			failed.rc = err_set(&failed.err, im->rc,
				"the staging file cannot be read: %s", strerror(-im->rc));
		importer_left(im, &failed);
		return;
	}
	swap_blocks(im);
	if (im->other.n == 0) {
		finish(im);
		return;
	}
	im->chunk = (struct import_chunk){ .stage = im->stage,
		.import_id = im->import_id,
		.block = buf_str(&im->other),
		.cursor = im->read_cursor };
	im->read_cursor += (int64_t)im->other.n;
	im->storing = true;
	importer_read_ahead(im);
	next_chunk(im);
}

static void applied(struct importer *im, int rc, const struct err *e)
{
	im->storing = false;
	im->store_rc = rc;
	im->store_err = *e;
	if (!im->reading)
		block_take(im);
}

static void on_chunk(struct store_cmd *cmd)
{
	struct importer *im = CONTAINER_OF(cmd, struct importer, chunk.cmd);
	if (importer_waits(im, cmd->rc, next_chunk))
		return;
	im->chunk.at = im->chunk.next;
	if (cmd->rc < 0 || im->chunk.at >= im->chunk.block.n)
		applied(im, cmd->rc, &cmd->err);
	else
		next_chunk(im);
}

static void next_chunk(struct importer *im)
{
	if (importer_stops(im)) {
		struct err e;
		applied(im, err_set(&e, -ECANCELED, "the daemon is stopping"), &e);
		return;
	}
	im->chunk.cmd = (struct store_cmd){ 0 };
	import_chunk_prepare(&im->chunk);
	importer_submit(im, &im->chunk.cmd, on_chunk);
}

static void on_begin(struct store_cmd *cmd)
{
	struct importer *im = CONTAINER_OF(cmd, struct importer, begin.cmd);
	if (importer_refused(im, cmd))
		return;
	im->import_id = im->begin.ret_import;
	im->read_cursor = 0;
	importer_read_ahead(im);
}

/* --- large: read and check ---------------------------------------------------------------------------------------------------------------- */

static int hash_file(struct importer *im)
{
	char buf[65536];
	struct hasher h;
	if (im->hashed)
		return 0;
	int fd = open(im->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_set(&im->err, -errno, "the upload cannot be read: %s", strerror(errno));
	hasher_init(&h);
	ssize_t n;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		hasher_add(&h, buf, (size_t)n);
	(void)close(fd);
	hasher_end(&h, &im->hash);
	return n < 0 ? err_set(&im->err, -EIO, "the upload cannot be read") : 0;
}

static int check(struct importer *im)
{
	const struct stage_ask ask = {
		.source = im->source, .bound = im->office, .problem = import_problem, .ctx = im
	};
	import_targets_close(im);
	int rc = stage_check(im->stage, &ask, &im->counts, &im->err);
	return rc < 0 ? rc : hash_file(im);
}

static void on_checked(struct importer *im)
{
	if (im->rc < 0 || im->problems.errors || im->dry) {
		importer_end(im, im->rc);
		return;
	}
	im->begin = (struct import_begin){ .stage = im->stage,
		.source = im->source,
		.person = im->person,
		.via = im->via,
		.hash = im->hash,
		.counts = im->counts };
	import_begin_prepare(&im->begin);
	importer_submit(im, &im->begin.cmd, on_begin);
}

static void slices(struct importer *im);
static void on_slice(struct importer *im)
{
	im->reading = false;
	im->full = true;
	slices(im);
}

static void on_store(struct work *w)
{
	struct importer *im = CONTAINER_OF(w, struct importer, store_work);
	im->store_rc = stage_add(im->stage, buf_str(&im->other), &im->store_err);
}

static void on_stored(struct work *w)
{
	struct importer *im = CONTAINER_OF(w, struct importer, store_work);
	im->storing = false;
	slices(im);
}

static void slices_end(struct importer *im)
{
	if (im->rc == 0 && im->store_rc < 0) {
		im->rc = im->store_rc;
		im->err = im->store_err;
	}
	if (im->rc < 0 || im->problems.errors)
		importer_end(im, im->rc);
	else
		importer_step(im, check, on_checked);
}

/* A slice is parsed on one worker while the one before goes into the stage on another. */
static void slices(struct importer *im)
{
	bool bad = (!im->reading && im->rc < 0) ||
		(!im->storing && im->store_rc < 0); /* else the worker's */
	if (im->full && !im->storing && !bad) {
		swap_blocks(im);
		if (!im->problems.errors && im->other.n > 0) {
			im->storing = true;
			im->store_work = (struct work){
				.fn = on_store, .done = on_stored, .weight = WORK_BULK
			};
			env_work(im->o.env, &im->store_work);
		}
	}
	if (!im->reading && !im->full && !im->end && !bad) {
		im->reading = true;
		importer_step(im, import_targets_slice, on_slice);
	} else if (!im->reading && !im->storing && (bad || (im->end && !im->full))) {
		slices_end(im);
	}
}

static void on_opened(struct importer *im)
{
	if (im->rc < 0)
		importer_end(im, im->rc);
	else
		slices(im);
}

/* --- small ---------------------------------------------------------------------------------------------------------------------------------- */

static int read_small(struct importer *im)
{
	int rc = hash_file(im);
	if (rc < 0)
		return rc;
	switch (im->what) {
	case IMPORT_WHAT_OFFICES: return import_offices_read(im);
	case IMPORT_WHAT_AUDIENCES: return import_rules_read(im);
	case IMPORT_WHAT_CAMPAIGNS: return import_campaigns_read(im);
	case IMPORT_WHAT_TARGETS:
	case IMPORT_WHAT_SUPPRESSION:
	case IMPORT_WHAT_DO_NOT_CALL: break;
	}
	return -EINVAL;
}

static void on_small(struct store_cmd *cmd)
{
	struct importer *im = CONTAINER_OF(cmd, struct importer, small.cmd);
	im->counts = im->small.ret;
	if (im->small.ret_kept > 0)
		(void)import_problem(im, false, 0, "",
			"campaigns that releases belong to are kept although the file has them no more");
	if (cmd->rc < 0)
		im->err = cmd->err;
	importer_end(im, cmd->rc == -ECANCELED && im->dry ? 0 : cmd->rc);
}

static void on_read_small(struct importer *im)
{
	if (im->rc < 0 || im->problems.errors) {
		importer_end(im, im->rc);
		return;
	}
	im->small = (struct office_import){ .offices = im->offices,
		.rules = im->rules,
		.campaigns = im->campaigns,
		.n = im->n,
		.what = im->source,
		.person = im->person,
		.via = im->via,
		.hash = im->hash,
		.dry = im->dry };
	office_import_prepare(&im->small);
	importer_submit(im, &im->small.cmd, on_small);
}

void import_run(const struct import_opts *o, enum import_what what, const struct staged *s,
	const struct actor *who, bool dry, plan_done_fn *done, void *ctx)
{
	static const char *const names[] = { [IMPORT_WHAT_OFFICES] = "offices",
		[IMPORT_WHAT_TARGETS] = "targets",
		[IMPORT_WHAT_AUDIENCES] = "audiences",
		[IMPORT_WHAT_CAMPAIGNS] = "campaigns",
		[IMPORT_WHAT_SUPPRESSION] = "suppression",
		[IMPORT_WHAT_DO_NOT_CALL] = "do-not-call" };
	struct importer *im = importer_new(o, done, ctx);
	const char *slash = strrchr(s->name, '/');
	im->what = what;
	im->path = x_strdup(s->path);
	im->hashed = s->hash != NULL;
	if (s->hash)
		im->hash = *s->hash;
	im->name = x_strdup(slash ? slash + 1 : s->name);
	im->source = what == IMPORT_WHAT_TARGETS ? x_asprintf("targets:%s", im->name)
						 : x_strdup(names[what]);
	im->person = x_strdup(who->person);
	im->via = x_strdup(who->via);
	im->office = dup_or_null(who->office);
	im->dry = dry;
	if (what == IMPORT_WHAT_TARGETS || what == IMPORT_WHAT_SUPPRESSION ||
		what == IMPORT_WHAT_DO_NOT_CALL)
		importer_step(im, import_targets_open, on_opened);
	else
		importer_step(im, read_small, on_read_small);
}
