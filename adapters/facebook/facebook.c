/* facebook.c - the Facebook adapter: one page an account, two-phase publishing over the Graph API.
 * Thread: open, close, start, event on the loop; address, prepare, compose anywhere. Owns: what struct fb_inst holds.
 * Failures: a wrong setting or table refuses to open, with the reason in the log. */
#include <string.h>
#include "facebook_step.h"

#define WINDOW 256u /* ops of a page at once: the concurrency of its lane says less */

static int open_failed(struct lt_inst *inst, const char *why)
{
	inst->host->log(inst->host->ctx, NULL, 3, ltc_z(why));
	return -LT_E_INVALID;
}

static int fb_open(struct lt_inst *inst)
{
	struct fb_inst *fi = inst->priv;
	char err[300];

	if (fb_conf_read(inst->conf, &fi->conf, err, sizeof(err)) < 0)
		return open_failed(inst, err);
	fi->plain_fields = fi->conf.plain_fields;
	struct lt_str table = ltc_pair(inst->conf->files, inst->conf->n_files, "outcomes");
	if (table.n == 0)
		return open_failed(inst,
			"outcomes: the table of errors is needed: files: {outcomes: ../outcomes/facebook.tsv}");
	if (ltc_outcomes_parse(
		    table, "outcomes", &fb_outcome_words, &fi->outcomes, err, sizeof(err)) < 0)
		return open_failed(inst, err);
	if (fb_outcomes_check(fi->outcomes, err, sizeof(err)) == 0)
		return 0;
	ltc_outcomes_free(fi->outcomes);
	fi->outcomes = NULL;
	return open_failed(inst, err);
}

static void fb_close(struct lt_inst *inst)
{
	struct fb_inst *fi = inst->priv;

	ltc_outcomes_free(fi->outcomes);
	fi->outcomes = NULL;
}

/* The host's limit is that of all lanes; WINDOW is the page's. */
static int session_event(struct lt_job *job, const struct lt_event *ev)
{
	if (ev->type != LT_EV_LIMIT)
		(void)ltc_session_event(job->priv, ev);
	return 0;
}

static int one_start(struct lt_inst *inst, struct lt_job *job, const struct lt_work *w)
{
	struct ltc_session *s = job->session != NULL ? job->session->priv : NULL;

	fb_job_init(inst, job, w);
	if (s != NULL)
		s->held++;
	switch (job->kind) {
	case LT_J_OP: fb_op_start(job->priv); break;
	case LT_J_RECONCILE: fb_ask_start(job->priv); break;
	case LT_J_STATS: fb_stats_start(job->priv); break;
	default: fb_admin_start(job->priv); break;
	}
	return 0;
}

static int fb_start(struct lt_inst *inst, struct lt_job *const *jobs,
	const struct lt_work *const *works, size_t n)
{
	if (n != 1)
		return -LT_E_INVALID;
	switch (jobs[0]->kind) {
	case LT_J_SESSION: ltc_session_start(jobs[0]->priv, inst, jobs[0], WINDOW); return 0;
	case LT_J_WEBHOOK: return fb_webhook_start(inst, jobs[0], works[0]);
	case LT_J_OP:
	case LT_J_RECONCILE:
	case LT_J_RECALL:
	case LT_J_CORRECT:
	case LT_J_REFRESH:
	case LT_J_LOGIN:
	case LT_J_CHECK:
	case LT_J_STATS: return one_start(inst, jobs[0], works[0]);
	default: return -LT_E_INVALID;
	}
}

static int fb_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev)
{
	(void)inst;
	if (job->kind == LT_J_SESSION)
		return session_event(job, ev);
	if (job->kind != LT_J_WEBHOOK)
		fb_job_event(job->priv, ev);
	return 0;
}

extern const struct lt_adapter lantoa_adapter;
__attribute__((visibility("default"))) const struct lt_adapter lantoa_adapter = {
	.abi_major = LT_ABI_MAJOR,
	.abi_minor = LT_ABI_MINOR,
	.struct_size = sizeof(struct lt_adapter),
	.inst_size = sizeof(struct fb_inst),
	.session_size = sizeof(struct ltc_session),
	.op_size = sizeof(struct fb_job),
	.other_size = sizeof(struct fb_job),
	.n_keys = FB_CONF_KEYS,
	.caps = LT_CAP_RECONCILE | LT_CAP_RECEIPTS | LT_CAP_RECALL | LT_CAP_CORRECT | LT_CAP_STATS |
		LT_CAP_WEBHOOK | LT_CAP_SHARED_SESSION,
	.name = "facebook",
	.version = "1.0",
	.keys = fb_keys,
	.address = fb_address,
	.prepare = fb_prepare,
	.compose = fb_compose,
	.open = fb_open,
	.close = fb_close,
	.start = fb_start,
	.event = fb_event,
};
