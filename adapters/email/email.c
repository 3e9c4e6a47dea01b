/* email.c - the e-mail adapter: SMTP submission to one relay per account.
 * The host connects, greets, starts TLS and logs in; MAIL, RCPT and DATA are ours (email_step.c). Messages are prepared once by
 * GMime (email_mime.c) and spliced for each recipient (email_compose.c). The intent is there at start: the only publishing bytes
 * are body and dot.
 * Thread: open, close, start, event on the loop; address, prepare, compose anywhere. Owns: what struct email_inst holds.
 * Failures: a wrong setting or table refuses to open, with the reason in the log. */
#include <errno.h>
#include <stdio.h>
#include "email_address.h"
#include "email_prepare.h"
#include "email_session.h"

static int open_failed(struct lt_inst *inst, const char *why)
{
	inst->host->log(inst->host->ctx, NULL, 3, ltc_z(why));
	return -LT_E_INVALID;
}

static int email_open(struct lt_inst *inst)
{
	struct email_inst *ei = inst->priv;
	char err[300];

	if (email_conf_read(inst->conf, &ei->conf, err, sizeof(err)) < 0)
		return open_failed(inst, err);
	struct lt_str table = email_conf_file(inst->conf, "outcomes");
	if (table.n == 0)
		return open_failed(inst,
			"outcomes: the table of replies is needed: files: {outcomes: outcomes/email.tsv}");
	if (ltc_outcomes_parse(
		    table, "outcomes", &email_outcome_words, &ei->outcomes, err, sizeof(err)) < 0)
		return open_failed(inst, err);
	if (email_outcomes_check(ei->outcomes, err, sizeof(err)) < 0) {
		ltc_outcomes_free(ei->outcomes);
		ei->outcomes = NULL;
		return open_failed(inst, err);
	}
	return 0;
}

static void email_close(struct lt_inst *inst)
{
	struct email_inst *ei = inst->priv;

	while (ei->all != NULL)
		email_tx_drop(ei->all);
	for (size_t i = 0; i < EMAIL_POOLS_MAX; i++)
		email_conns_free(ei->conns[i], ei->conf.connections);
	ltc_outcomes_free(ei->outcomes);
	ei->outcomes = NULL;
}

static int email_start(struct lt_inst *inst, struct lt_job *const *jobs,
	const struct lt_work *const *works, size_t n)
{
	if (n == 0)
		return -LT_E_INVALID;
	if (jobs[0]->kind == LT_J_SESSION)
		return email_session_start(inst, jobs[0]);
	if (jobs[0]->kind == LT_J_OP)
		return email_op_start(inst, jobs, works, n);
	if (jobs[0]->kind == LT_J_CHECK)
		return email_check_start(inst, jobs[0]);
	return -LT_E_INVALID;
}

static int email_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev)
{
	if (job->kind == LT_J_SESSION)
		return email_session_event(job->priv, ev);
	if (job->kind == LT_J_OP)
		return email_op_event(job, ev);
	return job->kind == LT_J_CHECK ? email_check_event(inst, job, ev) : 0;
}

extern const struct lt_adapter lantoa_adapter;
__attribute__((visibility("default"))) const struct lt_adapter lantoa_adapter = {
	.abi_major = LT_ABI_MAJOR,
	.abi_minor = LT_ABI_MINOR,
	.struct_size = sizeof(struct lt_adapter),
	.inst_size = sizeof(struct email_inst),
	.session_size = sizeof(struct email_session),
	.op_size = sizeof(struct email_op),
	.other_size = EMAIL_CHECK_SIZE,
	.n_keys = EMAIL_N_KEYS,
	.caps = LT_CAP_INTENT_AT_START | LT_CAP_BATCH | LT_CAP_SHARED_SESSION,
	.name = "email",
	.version = "1.0",
	.keys = email_keys,
	.address = email_address,
	.prepare = email_prepare,
	.compose = email_compose,
	.open = email_open,
	.close = email_close,
	.start = email_start,
	.event = email_event,
};
