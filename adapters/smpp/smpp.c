/* smpp.c - the SMPP adapter: short messages through an SMSC, one session of one or more binds per account.
 * Texts, coding and segments come prepared (adapters/common/sms_prepare.h); here they become submit_sm, one for each segment, and
 * reports become receipts. The intent is there at start: what publishes is written in the turn in which a window has room.
 * Thread: open, close, start, event on the loop; address, prepare, compose anywhere. Owns: what struct smpp_inst holds.
 * Failures: a wrong setting or table refuses to open, with the reason in the log. */
#include <stdlib.h>
#include "../common/sms_prepare.h"
#include "smpp.h"

static int open_failed(struct lt_inst *inst, const char *why)
{
	inst->host->log(inst->host->ctx, NULL, 3, ltc_z(why));
	return -LT_E_INVALID;
}

static int open_tables(struct lt_inst *inst, char *err, size_t err_size)
{
	struct smpp_inst *si = inst->priv;
	struct lt_str table = ltc_pair(inst->conf->files, inst->conf->n_files, "outcomes");

	if (table.n == 0)
		return open_failed(inst,
			"outcomes: the table of answers is needed: files: {outcomes: outcomes/smpp.tsv}");
	if (ltc_outcomes_parse(
		    table, "outcomes", &smpp_outcome_words, &si->outcomes, err, err_size) < 0)
		return open_failed(inst, err);
	if (smpp_outcomes_check(si->outcomes, err, err_size) == 0)
		return 0;
	ltc_outcomes_free(si->outcomes);
	si->outcomes = NULL;
	return open_failed(inst, err);
}

static void memory_free(struct smpp_inst *si)
{
	free(si->refs);
	free(si->ghosts);
	free(si->early);
	free(si->said);
	free(si->tried);
	si->refs = NULL;
	si->ghosts = NULL;
	si->early = NULL;
	si->said = NULL;
	si->tried = NULL;
}

static int smpp_open(struct lt_inst *inst)
{
	struct smpp_inst *si = inst->priv;
	char err[300];

	if (sms_conf_check(inst->conf, err, sizeof(err)) < 0 ||
		smpp_conf_read(inst->conf, &si->conf, err, sizeof(err)) < 0)
		return open_failed(inst, err);
	si->refs = malloc(SMPP_REF_SLOTS * sizeof(si->refs[0]));
	si->ghosts = calloc(SMPP_GHOSTS, sizeof(si->ghosts[0]));
	si->early = calloc(SMPP_EARLY, sizeof(si->early[0]));
	si->said = calloc(SMPP_SAID, sizeof(si->said[0]));
	si->tried = calloc(SMPP_TRIED, sizeof(si->tried[0]));
	int rc = si->refs == NULL || si->ghosts == NULL || si->early == NULL || si->said == NULL ||
			si->tried == NULL
		? open_failed(inst, "out of memory")
		: open_tables(inst, err, sizeof(err));
	if (rc < 0) {
		memory_free(si);
		return rc;
	}
	smpp_encode_refs_start(si, inst->host->wall_ms(inst->host->ctx));
	return 0;
}

static void smpp_close(struct lt_inst *inst)
{
	struct smpp_inst *si = inst->priv;

	while (si->sessions[0] != NULL)
		smpp_session_free(si->sessions[0]);
	ltc_outcomes_free(si->outcomes);
	si->outcomes = NULL;
	memory_free(si);
}

static int smpp_start(struct lt_inst *inst, struct lt_job *const *jobs,
	const struct lt_work *const *works, size_t n)
{
	if (n == 0)
		return -LT_E_INVALID;
	if (jobs[0]->kind == LT_J_SESSION)
		return smpp_session_start(inst, jobs[0]);
	if (jobs[0]->kind == LT_J_OP)
		return smpp_op_start(inst, jobs, works, n);
	if (jobs[0]->kind == LT_J_CHECK)
		return smpp_check_start(inst, jobs[0]);
	return -LT_E_INVALID;
}

static int smpp_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev)
{
	if (job->kind == LT_J_SESSION)
		return smpp_session_event(job, ev);
	if (job->kind == LT_J_OP)
		return smpp_op_event(job, ev);
	return job->kind == LT_J_CHECK ? smpp_check_event(inst, job, ev) : 0;
}

extern const struct lt_adapter lantoa_adapter;
__attribute__((visibility("default"))) const struct lt_adapter lantoa_adapter = {
	.abi_major = LT_ABI_MAJOR,
	.abi_minor = LT_ABI_MINOR,
	.struct_size = sizeof(struct lt_adapter),
	.inst_size = sizeof(struct smpp_inst),
	.session_size = sizeof(struct smpp_session_ref),
	.op_size = sizeof(struct smpp_op),
	.other_size = sizeof(struct smpp_check),
	.n_keys = SMPP_N_KEYS,
	.caps = LT_CAP_INTENT_AT_START | LT_CAP_SHARED_SESSION | LT_CAP_RECEIPTS,
	.name = "smpp",
	.version = "1.0",
	.keys = smpp_keys,
	.address = sms_address,
	.prepare = sms_prepare,
	.compose = sms_compose,
	.open = smpp_open,
	.close = smpp_close,
	.start = smpp_start,
	.event = smpp_event,
};
