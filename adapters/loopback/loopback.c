/* loopback.c - the reference adapter: sends nowhere and answers what the address asks for (loopback.h). It shows each part of
 * the contract in its smallest form and is the provider of tests, simulation and rehearsals.
 * Thread: loop; the pure side anywhere. Owns: nothing but priv. No I/O, except publishing by HTTP where `url` is set.
 * Failures: a wrong setting refuses to open, with the reason in the log. */
#include "loopback.h"

const struct lt_key loop_keys[] = {
	{ "latency_ms", "int", "0", "each answer comes after so many milliseconds", 0, 0 },
	{ "window", "int", "512", "ops that the session takes at once, 1 to 100000", 0, 0 },
	{ "receipts", "bool", "no", "yes: an accepted op gets a receipt that it was delivered", 0,
		0 },
	{ "personal", "bool", "no", "yes: each text names its recipient; no: one text for all", 0,
		0 },
	{ "url", "text", "",
		"publish by POST to this address and ask it by GET, instead of in memory", 0, 0 },
	{ "picture", "text", "",
		"each picture as such a rendition, for instance jpeg<=1000000B<=1600px; empty: as it is",
		0, 0 },
	{ "links", "bool", "no",
		"yes: the public address of each picture instead of its bytes, with `url`", 0, 0 },
	{ "token_url", "text", "",
		"token service: the account's credential is renewed there, and what is published to `url` carries it",
		0, 0 },
};
const uint32_t loop_n_keys = sizeof(loop_keys) / sizeof(loop_keys[0]);

static struct lt_str value(const struct lt_conf *c, const char *name)
{
	return ltc_pair(c->values, c->n_values, name);
}

static bool yes(struct lt_str v)
{
	return ltc_eqz(v, "yes") || ltc_eqz(v, "true");
}

int loop_conf_read(const struct lt_conf *c, struct loop_conf *ret)
{
	struct loop_conf r = { .receipts = yes(value(c, "receipts")),
		.personal = yes(value(c, "personal")),
		.links = yes(value(c, "links")),
		.url = value(c, "url"),
		.picture = value(c, "picture"),
		.token_url = value(c, "token_url") };

	if (ltc_i64(value(c, "latency_ms"), 0, 3600000, &r.latency_ms) != 0 ||
		ltc_i64(value(c, "window"), 1, 100000, &r.window) != 0)
		return -LT_E_INVALID;
	*ret = r;
	return 0;
}

static int loop_open(struct lt_inst *inst)
{
	struct loop_inst *li = inst->priv;

	if (loop_conf_read(inst->conf, &li->conf) == 0)
		return 0;
	inst->host->log(inst->host->ctx, NULL, 3,
		LTC_LIT("latency_ms is a number from 0 to 3600000, window from 1 to 100000"));
	return -LT_E_INVALID;
}

static void loop_close(struct lt_inst *inst)
{
	(void)inst;
}

static int loop_start(struct lt_inst *inst, struct lt_job *const *jobs,
	const struct lt_work *const *works, size_t n)
{
	const struct loop_inst *li = inst->priv;

	switch (jobs[0]->kind) {
	case LT_J_SESSION:
		ltc_session_start(jobs[0]->priv, inst, jobs[0], (uint32_t)li->conf.window);
		return 0;
	case LT_J_CHECK:
	case LT_J_REFRESH:
	case LT_J_LOGIN: return loop_token_start(inst, jobs[0], works[0]);
	case LT_J_OP:
	case LT_J_RECALL:
	case LT_J_CORRECT:
	case LT_J_RECONCILE: loop_ops_start(jobs, works, n); return 0;
	case LT_J_POLL:
	case LT_J_STATS:
	case LT_J_WEBHOOK: loop_aside_start(inst, jobs[0], works[0]); return 0;
	default: return -LT_E_INVALID;
	}
}

static int loop_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev)
{
	if (job->kind == LT_J_SESSION) {
		(void)ltc_session_event(job->priv, ev);
		return 0;
	}
	if (job->kind == LT_J_POLL || job->kind == LT_J_STATS || job->kind == LT_J_WEBHOOK)
		return loop_aside_event(job, ev);
	if (job->kind == LT_J_CHECK || job->kind == LT_J_REFRESH || job->kind == LT_J_LOGIN)
		return loop_token_event(job, ev);
	(void)inst;
	return loop_op_event(job, ev);
}

extern const struct lt_adapter lantoa_adapter;
__attribute__((visibility("default"))) const struct lt_adapter lantoa_adapter = {
	.abi_major = LT_ABI_MAJOR,
	.abi_minor = LT_ABI_MINOR,
	.struct_size = sizeof(struct lt_adapter),
	.inst_size = sizeof(struct loop_inst),
	.session_size = sizeof(struct ltc_session),
	.op_size = sizeof(struct loop_op),
	.other_size = sizeof(struct loop_aside),
	.n_keys = sizeof(loop_keys) / sizeof(loop_keys[0]),
	.caps = LT_CAP_INTENT_AT_START | LT_CAP_BATCH | LT_CAP_RECONCILE | LT_CAP_RECEIPTS |
		LT_CAP_SHARED_SESSION | LT_CAP_STATS | LT_CAP_WEBHOOK | LT_CAP_RECALL |
		LT_CAP_CORRECT,
	.name = "loopback",
	.version = "1.0",
	.keys = loop_keys,
	.address = loop_address,
	.prepare = loop_prepare,
	.compose = loop_compose,
	.open = loop_open,
	.close = loop_close,
	.start = loop_start,
	.event = loop_event,
};
