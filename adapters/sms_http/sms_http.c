/* sms_http.c - the vtable of the HTTP gateway adapter, its instance and its session.
 * Text, coding, segments, cost and numbers are those of every SMS adapter (common/sms_prepare.h). The session holds no connection:
 * it keeps the number of requests within `connections` and looks at the balance now and then.
 * Thread: loop; the pure side anywhere. Owns: the vendor file of the instance, freed at close.
 * Failures: a setting or a vendor file that is wrong refuses to open, with the reason in the log. */
#include <string.h>
#include "smsh.h"

static int smsh_open(struct lt_inst *inst)
{
	struct smsh_inst *si = inst->priv;
	struct lt_str file = ltc_pair(inst->conf->files, inst->conf->n_files, "vendor");
	char err[400] = "";

	int rc = smsh_conf_read(inst->conf, &si->conf, err, sizeof(err));
	rc = rc < 0 ? rc : smsh_vendor_read(&si->vendor, file, err, sizeof(err));
	if (rc == 0 && smsh_conf_fit(si, err, sizeof(err)) < 0) {
		smsh_vendor_done(&si->vendor);
		rc = -1;
	}
	if (rc == 0) {
		if (si->conf.insecure)
			inst->host->log(inst->host->ctx, NULL, 4,
				LTC_LIT("insecure_transport: requests and passwords may go unencrypted; continuing"));
		return 0;
	}
	inst->host->log(inst->host->ctx, NULL, 3, ltc_z(err));
	return -LT_E_INVALID;
}

static void smsh_close(struct lt_inst *inst)
{
	struct smsh_inst *si = inst->priv;

	smsh_vendor_done(&si->vendor);
}

/* --- session ----------------------------------------------------------------------------------------------------------------- */
void smsh_session_settle(struct smsh_session *s)
{
	const struct lt_host *h = s->count.inst->host;
	const struct smsh_inst *si = s->count.inst->priv;

	smsh_balance_ask(s);
	/* Where few numbers go one by one, the next ones come together: each as it gets free would be few for ever. */
	if (si->vendor.few_below > 0 && s->count.held > 0)
		h->slots(h->ctx, s->count.job, 0);
	else
		ltc_session_settle(&s->count);
}

static int session_start(struct lt_inst *inst, struct lt_job *job)
{
	struct smsh_session *s = job->priv;
	const struct smsh_inst *si = inst->priv;
	uint32_t batch = si->conf.batch > 0 && si->conf.batch < si->vendor.batch_max
		? si->conf.batch
		: si->vendor.batch_max;

	*s = (struct smsh_session){ 0 };
	ltc_session_start(&s->count, inst, job, si->conf.connections * batch);
	smsh_balance_ask(s);
	return 0;
}

static int session_event(struct lt_job *job, const struct lt_event *ev)
{
	struct smsh_session *s = job->priv;

	if (ev->type == LT_EV_HTTP)
		smsh_balance_event(s, ev);
	else if (ev->type == LT_EV_LIMIT)
		smsh_balance_ask(s);
	const struct smsh_inst *si = s->count.inst->priv;
	if (ltc_session_event(&s->count, ev) && si->vendor.few_below > 0 && s->count.held > 0)
		smsh_session_settle(s);
	return 0;
}

/* --- jobs -------------------------------------------------------------------------------------------------------------------- */
static int smsh_start(struct lt_inst *inst, struct lt_job *const *jobs,
	const struct lt_work *const *works, size_t n)
{
	switch (jobs[0]->kind) {
	case LT_J_SESSION: return session_start(inst, jobs[0]);
	case LT_J_OP: return smsh_ops_start(inst, jobs, works, n);
	case LT_J_RECONCILE: return smsh_ask_start(inst, jobs[0], works[0]);
	case LT_J_LOGIN:
	case LT_J_REFRESH: return smsh_refresh_start(inst, jobs[0], works[0]);
	case LT_J_CHECK: return smsh_check_start(inst, jobs[0], works[0]);
	case LT_J_POLL: return smsh_poll_start(inst, jobs[0], works[0]);
	case LT_J_WEBHOOK: return smsh_report_start(inst, jobs[0], works[0]);
	default: return -LT_E_INVALID;
	}
}

static int smsh_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev)
{
	switch (job->kind) {
	case LT_J_SESSION: return session_event(job, ev);
	case LT_J_OP: return smsh_op_event(inst, job, ev);
	case LT_J_RECONCILE: return smsh_ask_event(inst, job, ev);
	case LT_J_LOGIN:
	case LT_J_REFRESH: return smsh_refresh_event(inst, job, ev);
	case LT_J_CHECK: return smsh_check_event(inst, job, ev);
	case LT_J_POLL: return smsh_poll_event(inst, job, ev);
	case LT_J_WEBHOOK: return smsh_report_event(inst, job, ev);
	default: return 0;
	}
}

extern const struct lt_adapter lantoa_adapter;
__attribute__((visibility("default"))) const struct lt_adapter lantoa_adapter = {
	.abi_major = LT_ABI_MAJOR,
	.abi_minor = LT_ABI_MINOR,
	.struct_size = sizeof(struct lt_adapter),
	.inst_size = sizeof(struct smsh_inst),
	.session_size = sizeof(struct smsh_session),
	.op_size = sizeof(struct smsh_op),
	.other_size = sizeof(struct smsh_other),
	.n_keys = SMSH_N_KEYS,
	.caps = LT_CAP_INTENT_AT_START | LT_CAP_BATCH | LT_CAP_RECONCILE | LT_CAP_RECEIPTS |
		LT_CAP_WEBHOOK | LT_CAP_SHARED_SESSION,
	.name = "sms_http",
	.version = "1.0",
	.keys = smsh_keys,
	.address = sms_address,
	.prepare = sms_prepare,
	.compose = sms_compose,
	.open = smsh_open,
	.close = smsh_close,
	.start = smsh_start,
	.event = smsh_event,
};
