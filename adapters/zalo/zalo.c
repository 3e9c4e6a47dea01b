/* zalo.c - Zalo Official Accounts: the table of the adapter, its instances and sessions. An OA has one session, which has no
 * connection of its own: it counts what is under way.
 * Thread: loop; the pure side anywhere. Owns: the outcome table of an instance.
 * Failures: a wrong setting or table refuses to open, with the reason in the log. */
#include <stdio.h>
#include <string.h>
#include "zalo_other.h"

static int refuse(struct lt_inst *inst, const char *why)
{
	inst->host->log(inst->host->ctx, NULL, 0, ltc_z(why));
	return -LT_E_INVALID;
}

static int zalo_open(struct lt_inst *inst)
{
	struct zalo_inst *zi = inst->priv;
	const struct lt_conf *c = inst->conf;
	struct lt_str table = ltc_pair(c->files, c->n_files, "outcomes");
	char why[300];

	if (zalo_conf_read(c, &zi->conf, why, sizeof(why)) < 0)
		return refuse(inst, why);
	if (table.n == 0)
		return refuse(inst, "files: {outcomes: ../outcomes/zalo.tsv} is missing");
	if (ltc_outcomes_parse(
		    table, "outcomes", &zalo_outcome_words, &zi->outcomes, why, sizeof(why)) < 0)
		return refuse(inst, why);
	if (zalo_outcomes_check(zi->outcomes, why, sizeof(why)) < 0) {
		ltc_outcomes_free(zi->outcomes);
		zi->outcomes = NULL;
		return refuse(inst, why);
	}
	return 0;
}

static void zalo_close(struct lt_inst *inst)
{
	struct zalo_inst *zi = inst->priv;

	ltc_outcomes_free(zi->outcomes);
	zi->outcomes = NULL;
}

static int zalo_start(struct lt_inst *inst, struct lt_job *const *jobs,
	const struct lt_work *const *works, size_t n)
{
	const struct zalo_inst *zi = inst->priv;

	switch (jobs[0]->kind) {
	case LT_J_SESSION:
		ltc_session_start(jobs[0]->priv, inst, jobs[0], (uint32_t)zi->conf.window);
		return 0;
	case LT_J_OP:
	case LT_J_RECONCILE:
	case LT_J_RECALL:
	case LT_J_CORRECT: return zalo_op_start(inst, jobs, works, n);
	case LT_J_REFRESH:
	case LT_J_LOGIN: return zalo_token_start(inst, jobs[0], works[0]);
	case LT_J_CHECK: return zalo_check_start(inst, jobs[0]);
	case LT_J_POLL:
	case LT_J_STATS: return zalo_ask_start(inst, jobs[0], works[0]);
	case LT_J_WEBHOOK: return zalo_webhook(inst, jobs[0], works[0]);
	default: return -LT_E_INVALID;
	}
}

static int zalo_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev)
{
	switch (job->kind) {
	case LT_J_SESSION: (void)ltc_session_event(job->priv, ev); return 0;
	case LT_J_REFRESH:
	case LT_J_LOGIN: return zalo_token_event(inst, job, ev);
	case LT_J_CHECK: return zalo_check_event(inst, job, ev);
	case LT_J_POLL:
	case LT_J_STATS: return zalo_ask_event(inst, job, ev);
	case LT_J_WEBHOOK: return 0; /* it was answered in start */
	default: return zalo_op_event(job, ev);
	}
}

#define OTHER_SIZE                                                                              \
	(sizeof(union zalo_other_priv) > sizeof(struct zalo_op) ? sizeof(union zalo_other_priv) \
								: sizeof(struct zalo_op))

extern const struct lt_adapter lantoa_adapter;
__attribute__((visibility("default"))) const struct lt_adapter lantoa_adapter = {
	.abi_major = LT_ABI_MAJOR,
	.abi_minor = LT_ABI_MINOR,
	.struct_size = sizeof(struct lt_adapter),
	.inst_size = sizeof(struct zalo_inst),
	.session_size = sizeof(struct ltc_session),
	.op_size = sizeof(struct zalo_op),
	.other_size = OTHER_SIZE,
	.n_keys = ZALO_N_KEYS,
	.caps = LT_CAP_RECONCILE | LT_CAP_RECEIPTS | LT_CAP_RECALL | LT_CAP_CORRECT | LT_CAP_STATS |
		LT_CAP_WEBHOOK | LT_CAP_SHARED_SESSION,
	.name = "zalo",
	.version = "1.0",
	.keys = zalo_keys,
	.address = zalo_address,
	.prepare = zalo_prepare,
	.compose = zalo_compose,
	.open = zalo_open,
	.close = zalo_close,
	.start = zalo_start,
	.event = zalo_event,
};
