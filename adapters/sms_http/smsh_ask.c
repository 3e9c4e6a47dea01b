/* smsh_ask.c - questions: did an attempt whose answer was lost take place (reconcile), and what became of texts (poll).
 * Reconcile asks with our own request id ("ask" of the vendor file): accepted is yes, temp is proof of no, all else cannot tell yet.
 * Poll asks one request after the other, an item at a time, each id of an item. Thread: loop. Owns: nothing.
 * Failures: a question without an answer says nothing; the host asks again. */
#include <string.h>
#include "smsh.h"

static int finish(struct smsh_other *o, int32_t outcome, const char *code, const char *text)
{
	struct lt_result r = { .struct_size = sizeof(r),
		.outcome = outcome,
		.code = ltc_z(code),
		.text = ltc_z(text) };

	return o->inst->host->finish(o->inst->host->ctx, o->job, &r);
}

/* 1: asked for a token, wait; 0: there is one; <0: none can be had. */
static int token(struct smsh_other *o, const struct smsh_vars *v)
{
	if (smsh_auth_token_there(v, &o->version))
		return 0;
	if (o->refreshed)
		return -1;
	o->refreshed = true;
	return v->host->refresh(v->host->ctx, o->job, (struct lt_str){ 0 }, o->version) == 0 ? 1
											     : -1;
}

/* --- reconcile --------------------------------------------------------------------------------------------------------------- */
/* A question takes a credit of the session as any op does: it is given back with its end. */
static int asked_with(struct smsh_other *o, const struct lt_result *r)
{
	struct smsh_session *s = o->session;
	int rc = o->inst->host->finish(o->inst->host->ctx, o->job, r);

	if (s != NULL) {
		s->count.held--;
		smsh_session_settle(s);
	}
	return rc;
}

static int asked(struct smsh_other *o, int32_t outcome, const char *code, const char *text)
{
	struct lt_result r = { .struct_size = sizeof(r),
		.outcome = outcome,
		.code = ltc_z(code),
		.text = ltc_z(text) };

	return asked_with(o, &r);
}

static int ask(struct smsh_other *o)
{
	const struct smsh_inst *si = o->inst->priv;
	struct lt_str phone = o->work->address;
	struct smsh_vars v = { .si = si,
		.host = o->inst->host,
		.job = o->job,
		.phones = &phone,
		.n_phones = 1,
		.ref = o->work->ref };
	struct smsh_send s = { .node = si->vendor.ask, .auth = true, .token = SMSH_T_ASK };
	char why[200] = "";

	if (si->vendor.ask == SMSH_NONE)
		return asked(o, LT_UNKNOWN, "ask",
			"this gateway cannot be asked about a text by our own id");
	int rc = token(o, &v);
	if (rc == 0 && smsh_request(&v, &s, why, sizeof(why)) == 0)
		return 0;
	return rc > 0 ? 0
		      : asked(o, LT_UNKNOWN, "ask",
				why[0] != '\0' ? why : "no access token could be had");
}

int smsh_ask_start(struct lt_inst *inst, struct lt_job *job, const struct lt_work *work)
{
	struct smsh_other *o = job->priv;

	*o = (struct smsh_other){ .job = job, .inst = inst, .work = work };
	o->session = job->session != NULL ? job->session->priv : NULL;
	if (o->session != NULL)
		o->session->count.held++;
	return ask(o);
}

static int on_asked(struct smsh_other *o, const struct lt_http_res *res)
{
	const struct smsh_inst *si = o->inst->priv;
	const struct smsh_vendor *v = &si->vendor;
	struct smsh_verdict said;
	struct smsh_answer a;

	if (res->phase != LT_P_ANSWERED)
		return asked(o, LT_UNKNOWN, "ask", "no answer");
	smsh_answer_read(v, v->ask, res, &a);
	smsh_judge(v, smsh_member(&v->doc, v->ask, "answer"), &a, &said);
	smsh_answer_done(&a);
	struct lt_id id = { .outcome = LT_ACCEPTED, .id = ltc_z(said.id[0]) };
	struct lt_result r = { .struct_size = sizeof(r),
		.outcome = said.outcome == LT_ACCEPTED || said.outcome == LT_DEFERRED ? said.outcome
										      : LT_UNKNOWN,
		.code = ltc_z(said.code),
		.text = ltc_z(said.text),
		.ids = &id,
		.n_ids = said.outcome == LT_ACCEPTED && said.n_ids > 0 };
	if (said.flags & LT_R_FREE)
		r.outcome =
			LT_UNKNOWN; /* throttled, or the log-in is bad: that says nothing about the text */
	return asked_with(o, &r);
}

int smsh_ask_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev)
{
	struct smsh_other *o = job->priv;

	(void)inst;
	if (ev->type == LT_EV_HTTP)
		return on_asked(o, ev->u);
	if (ev->type == LT_EV_SECRET)
		return ev->error == 0
			? ask(o)
			: asked(o, LT_UNKNOWN, "token", "no access token could be had");
	if (ev->type == LT_EV_CANCEL)
		return asked(o, LT_UNKNOWN, "stop", "stopped");
	return 0;
}

/* --- poll -------------------------------------------------------------------------------------------------------------------- */
/* o->at: item; o->pending: id of it. */
static int poll_next(struct smsh_other *o)
{
	const struct smsh_inst *si = o->inst->priv;
	char why[200] = "";

	while (o->at < o->work->n_items) {
		const struct lt_item *it = o->work->items[o->at];
		if (o->pending >= it->n_ids) {
			o->at++;
			o->pending = 0;
			continue;
		}
		if (it->ids[o->pending].id.n == 0) { /* the place of a part that has none */
			o->pending++;
			continue;
		}
		struct smsh_vars v = { .si = si,
			.host = o->inst->host,
			.job = o->job,
			.phones = &it->address,
			.n_phones = 1,
			.ref = it->ref,
			.id = it->ids[o->pending].id };
		/* an id that was told apart by its number is asked for without it */
		const char *slash = v.id.n == 0 ? NULL : memchr(v.id.p, '/', v.id.n);
		if (slash != NULL)
			v.id.n = (size_t)(slash - v.id.p);
		struct smsh_send s = {
			.node = si->vendor.poll, .auth = true, .token = SMSH_T_POLL
		};
		int rc = token(o, &v);
		if (rc == 0 && smsh_request(&v, &s, why, sizeof(why)) == 0)
			return 0;
		return rc > 0 ? 0
			      : finish(o, LT_DEFERRED, "poll",
					why[0] != '\0' ? why : "no access token could be had");
	}
	return finish(o, LT_ACCEPTED, "", "");
}

int smsh_poll_start(struct lt_inst *inst, struct lt_job *job, const struct lt_work *work)
{
	struct smsh_other *o = job->priv;
	const struct smsh_inst *si = inst->priv;

	*o = (struct smsh_other){ .job = job, .inst = inst, .work = work };
	if (si->vendor.poll == SMSH_NONE)
		return finish(o, LT_ACCEPTED, "", "");
	return poll_next(o);
}

/* One state for the id, or an array of reports of which ours is found by number. */
static void tell_polled(struct smsh_other *o, const struct lt_http_res *res)
{
	const struct smsh_inst *si = o->inst->priv;
	const struct smsh_vendor *v = &si->vendor;
	uint32_t section = smsh_member(&v->doc, v->poll, "reports");
	const struct lt_item *it = o->work->items[o->at];
	bool list = smsh_points(v, section, "array"), key = smsh_points(v, section, "phone");
	struct smsh_answer a;

	smsh_answer_read(v, v->poll, res, &a);
	if (a.read && res->status >= 200 && res->status < 300) {
		uint32_t at = list ? smsh_point(v, section, "array", &a.doc, 0) : 0;
		bool many = at != SMSH_NONE && a.doc.nodes[at].type == SMSH_ARRAY;
		for (uint32_t c = many ? a.doc.nodes[at].first : at; c != SMSH_NONE;
			c = many ? a.doc.nodes[c].next : SMSH_NONE) {
			a.root = c;
			if (many && key &&
				!smsh_same_phone(smsh_point_text(v, section, "phone", &a.doc, c),
					it->address))
				continue;
			(void)smsh_report_tell(o, section, &a, it, SMSH_T_REPORT);
			break;
		}
	}
	smsh_answer_done(&a);
}

int smsh_poll_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev)
{
	struct smsh_other *o = job->priv;

	(void)inst;
	if (ev->type == LT_EV_HTTP) {
		const struct lt_http_res *res = ev->u;
		if (res->phase != LT_P_ANSWERED)
			return finish(o, LT_DEFERRED, "poll", "the gateway does not answer");
		if (res->status == 429)
			return finish(o, LT_DEFERRED, "poll", "the gateway asks to come later");
		tell_polled(o, res);
		o->pending++;
		return poll_next(o);
	}
	if (ev->type == LT_EV_SECRET)
		return ev->error == 0
			? poll_next(o)
			: finish(o, LT_DEFERRED, "token", "no access token could be had");
	if (ev->type == LT_EV_CANCEL)
		return finish(o, LT_DEFERRED, "stop", "stopped");
	return 0;
}
