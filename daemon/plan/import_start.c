/* import_start.c - what a start takes up: an import that was cut goes on, or is taken back where its staging file is gone; targets of
 * offices that have been replaced move. Thread: loop; look on a worker. Owns: nothing beside struct importer (import.c).
 * Failures: logged by who asked; a full disk or queue is waited for; what else stops it keeps its job for the next start, and so does a
 * daemon that stops. Until then no other import begins and nobody is forgotten.
 */
#include <stdlib.h>
#include "base/log.h"
#include "plan/import_internal.h"

/* At a start. Nothing is lost: its job, if there is one, stands until the next. */
static void end_stopped(struct importer *im)
{
	stage_close(MOVE(im->stage));
	importer_end(im, err_set(&im->err, -ECANCELED, "the daemon is stopping"));
}

static void settle(struct importer *im);
static void on_settle(struct store_cmd *cmd)
{
	struct importer *im = CONTAINER_OF(cmd, struct importer, settle.cmd);
	if (importer_refused(im, cmd))
		return;
	im->counts.changed += im->settle.ret_moved;
	if (!im->settle.more)
		importer_end(im, 0);
	else if (importer_stops(im))
		end_stopped(im);
	else
		settle(im);
}

static void settle(struct importer *im)
{
	im->settle = (struct office_settle){ .more = false };
	office_settle_prepare(&im->settle);
	importer_submit(im, &im->settle.cmd, on_settle);
}

static void undo(struct importer *im);
static void on_undo(struct store_cmd *cmd)
{
	struct importer *im = CONTAINER_OF(cmd, struct importer, undo.cmd);
	if (importer_waits(im, cmd->rc, undo) || importer_refused(im, cmd))
		return;
	im->undo.after = im->undo.next;
	if (im->undo.more)
		undo(im);
	else
		importer_end(im, 0);
}

/* From undo.after on. */
static void undo(struct importer *im)
{
	if (importer_stops(im)) {
		end_stopped(im);
		return;
	}
	im->undo.cmd = (struct store_cmd){ 0 };
	import_undo_prepare(&im->undo);
	importer_submit(im, &im->undo.cmd, on_undo);
}

static void again(struct importer *im);
static void on_again(struct store_cmd *cmd)
{
	struct importer *im = CONTAINER_OF(cmd, struct importer, again.cmd);
	if (importer_waits(im, cmd->rc, again))
		return;
	if (cmd->rc < 0)
		importer_left(im, cmd);
	else
		importer_read_ahead(im);
}

static void again(struct importer *im)
{
	if (importer_stops(im)) {
		end_stopped(im);
		return;
	}
	im->again = (struct import_again){ .stage = im->stage };
	import_again_prepare(&im->again);
	importer_submit(im, &im->again.cmd, on_again);
}

static int look(struct importer *im)
{
	struct import_job job = { 0 };
	struct store_reader *r;
	int rc = store_reader_open(im->o.store, &r);
	if (rc < 0)
		return rc;
	rc = import_job_get(reader_db(r), &job);
	store_reader_close(r);
	if (rc < 0)
		return rc;
	import_sweep(im->o.store, rc == 1 ? job.stage : NULL);
	im->import_id = rc == 1 ? job.import_id : 0;
	im->read_cursor = job.cursor;
	if (rc == 1 && stage_reopen(im->o.store, job.stage, &im->stage, &im->err) < 0)
		im->stage = NULL;
	return 0;
}

static void on_look(struct importer *im)
{
	im->err = (struct err){ 0 };
	if (im->rc < 0) {
		importer_end(im, im->rc);
	} else if (importer_stops(im)) {
		end_stopped(im);
	} else if (!im->import_id) {
		settle(im);
	} else if (im->stage) {
		log_line(LOG_INFO, "ev=import.resume import=%lld cursor=%lld",
			(long long)im->import_id, (long long)im->read_cursor);
		again(im);
	} else {
		log_line(LOG_WARN, "ev=import.undo import=%lld why=\"its staging file is gone\"",
			(long long)im->import_id);
		im->undo = (struct import_undo){ .import_id = im->import_id };
		undo(im);
	}
}

static struct importer *start_new(const struct import_opts *o, plan_done_fn *done, void *ctx)
{
	struct importer *im = importer_new(o, done, ctx);
	im->source = x_strdup("start");
	im->name = x_strdup("start");
	return im;
}

void import_start(const struct import_opts *o, plan_done_fn *done, void *ctx)
{
	importer_step(start_new(o, done, ctx), look, on_look);
}

void import_settle(const struct import_opts *o, plan_done_fn *done, void *ctx)
{
	settle(start_new(o, done, ctx));
}
