/* ctl_release.c - methods of releases that change something, and those that look at texts: check, submit, review, approve ...
 * Threads: CTL_READ on a worker inside a snapshot, CTL_WRITE on the loop with a later answer. What only lists stands in
 * ctl_release_read.c.
 */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/json.h"
#include "base/utf8.h"
#include "ctl/ctl.h"
#include "ctl/ctl_queue.h"
#include "ctl/ctl_release.h"

static int method_check(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct staged s;
	int rc = ctl_upload_take(c, &s, e);
	return rc < 0 ? rc : plan_check(c->deps->plan, c->reader, &s, &c->who, c->large, ret, e);
}

static int method_preview(struct ctl_call *c, cJSON **ret, struct err *e)
{
	return plan_preview(c->deps->plan, c->reader, c->params, &c->who, ret, e);
}

static int method_diff(struct ctl_call *c, cJSON **ret, struct err *e)
{
	return plan_diff(c->deps->plan, c->reader, c->params, &c->who, ret, e);
}

static int method_review(struct ctl_call *c, cJSON **ret, struct err *e)
{
	int rc = plan_review(c->deps->plan, c->reader, c->params, &c->who, c->large, ret, e);
	return rc < 0 ? rc : ctl_release_people(c, json_str(c->params, "release"), *ret, e);
}

static void on_done(void *ctx, int rc, const struct err *e, cJSON *result)
{
	ctl_answer(ctx, rc, e, result);
}

static int method_submit(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct staged s;
	struct err why;
	UNUSED(ret);
	UNUSED(e);
	int rc = ctl_upload_take(c, &s, &why);
	if (rc < 0)
		ctl_answer(c, rc, &why, NULL);
	else
		plan_submit(c->deps->plan, &s, &c->who, on_done, c);
	return 0;
}

static int method_correct(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct staged s;
	struct err why;
	UNUSED(ret);
	UNUSED(e);
	int rc = ctl_upload_take(c, &s, &why);
	if (rc < 0)
		ctl_answer(c, rc, &why, NULL);
	else
		plan_correct(c->deps->plan, c->params, &s, &c->who, on_done, c);
	return 0;
}

/* --- approve: a document comes as an upload, its hash is what is kept ------------------------------------------------------------ */

struct paper {
	struct work work;
	struct ctl_call *c;
	struct staged s;
	cJSON *params;
	int rc;
	struct err err;
};

static void paper_work(struct work *w)
{
	struct paper *p = CONTAINER_OF(w, struct paper, work);
	struct buf b CLEANUP_BUF;
	struct hash h;
	char hex[HASH_HEX];
	buf_init(&b, CTL_DOCUMENT_MAX);
	p->rc = file_read(p->s.path, &b, &p->err);
	if (p->rc < 0)
		return;
	hash_bytes(&h, b.p, b.n);
	hash_hex(&h, hex);
	json_put_z(p->params, "document_hash", hex);
}

static void paper_done(struct work *w)
{
	struct paper *p = CONTAINER_OF(w, struct paper, work);
	if (p->rc < 0)
		ctl_answer(p->c, p->rc, &p->err, NULL);
	else
		plan_approve(p->c->deps->plan, p->params, &p->c->who, on_done, p->c);
	cJSON_Delete(p->params);
	free(p);
}

static int method_approve(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct staged s;
	struct err why;
	UNUSED(ret);
	UNUSED(e);
	bool paper = json_has(c->params, "code") && !json_has(c->params, "document_hash");
	int rc = paper ? ctl_upload_take(c, &s, &why) : 0;
	if (rc < 0)
		(void)err_prefix(&why,
			"an approval on paper needs all three: --code, --for WHO and --document FILE");
	if (rc < 0) {
		ctl_answer(c, rc, &why, NULL);
	} else if (!paper) {
		plan_approve(c->deps->plan, c->params, &c->who, on_done, c);
	} else {
		struct paper *p = x_calloc(1, sizeof(*p));
		p->c = c;
		p->s = s;
		p->params = cJSON_Duplicate(c->params, true);
		p->work.fn = paper_work;
		p->work.done = paper_done;
		env_work(c->deps->env, &p->work);
	}
	return 0;
}

#define PLAN_METHOD(name)                                                        \
	static int method_##name(struct ctl_call *c, cJSON **ret, struct err *e) \
	{                                                                        \
		UNUSED(ret);                                                     \
		UNUSED(e);                                                       \
		plan_##name(c->deps->plan, c->params, &c->who, on_done, c);      \
		return 0;                                                        \
	}
PLAN_METHOD(return )
PLAN_METHOD(go)
PLAN_METHOD(move)
PLAN_METHOD(local_set)
PLAN_METHOD(local_approve)

/* --- cancel: the release's own state, then its lots through dispatch --------------------------------------------------- */

struct ending {
	struct ctl_call *c;
	cJSON *result;
	char *why;
};

static void on_stopped(
	void *ctx, int rc, const struct err *e, int64_t lots, int64_t deliveries, int64_t on_wire)
{
	struct ending *x = ctx;
	json_put_i64(x->result, "lots", lots);
	json_put_i64(x->result, "deliveries", deliveries);
	json_put_i64(x->result, "on_wire", on_wire);
	struct ctl_call *c = x->c;
	cJSON *result = x->result;
	free(x->why);
	free(x);
	ctl_answer(c, rc, e, result);
}

static void on_ended(void *ctx, int rc, const struct err *e, cJSON *result)
{
	struct ending *x = ctx;
	if (rc < 0) {
		ctl_answer(x->c, rc, e, result);
		free(x->why);
		free(x);
		return;
	}
	x->result = result;
	struct stop_request r = { .verb = STOP_CANCEL,
		.scope = { .release_id = json_i64(result, "release_id", 0), .part = -1 },
		.except_prio = -1,
		.person = x->c->who.person,
		.via = x->c->who.via,
		.why = x->why,
		.done = on_stopped,
		.ctx = x };
	struct buf b CLEANUP_BUF;
	buf_init(&b, sizeof(r.scope.text));
	buf_addf(&b, "release:%s", json_z(result, "release", ""));
	str_copy(r.scope.text, sizeof(r.scope.text), buf_str(&b));
	dispatch_stop_scope(x->c->deps->dispatch, &r);
}

static void end_release(struct ctl_call *c)
{
	struct ending *x = x_calloc(1, sizeof(*x));
	cJSON *params = cJSON_Duplicate(c->params, true);
	x->c = c;
	struct str why = utf8_cut(str_of(json_z(c->params, "why", "")), CTL_WHY_MAX);
	x->why = x_strndup(why.p, why.n); /* with the lots; the release's own event has it whole */
	cJSON_DeleteItemFromObjectCaseSensitive(params, "recall");
	plan_cancel(c->deps->plan, params, &c->who, on_ended, x);
	cJSON_Delete(params);
}

static int method_cancel(struct ctl_call *c, cJSON **ret, struct err *e)
{
	static const char *const narrower[] = { "part", "office", "channel", "state", "dry" };
	struct err bad = { 0 };

	UNUSED(ret);
	UNUSED(e);
	for (size_t i = 0; i < ARRAY_LEN(narrower) && !bad.code; i++)
		if (json_has(c->params, narrower[i]))
			err_set(&bad, -EINVAL,
				"release.cancel ends a whole release and takes no '%s'; delivery.cancel does",
				narrower[i]);
	if (bad.code)
		ctl_answer(c, bad.code, &bad, NULL);
	else
		end_release(c);
	return 0;
}

const struct ctl_method ctl_release_methods[] = {
	{ "release.check", CTL_READ, ROLE_VIEWER, method_check },
	{ "release.submit", CTL_WRITE, ROLE_EDITOR, method_submit },
	{ "release.preview", CTL_READ, ROLE_VIEWER, method_preview },
	{ "release.diff", CTL_READ, ROLE_VIEWER, method_diff },
	{ "release.review", CTL_READ, ROLE_APPROVER | ROLE_EDITOR, method_review },
	{ "release.approve", CTL_WRITE, 0,
		method_approve }, /* the policy judges, deputies included, and audits its refusal */
	{ "release.return", CTL_WRITE, ROLE_APPROVER, method_return },
	{ "release.go", CTL_WRITE, ROLE_OPERATOR | ROLE_EDITOR, method_go },
	{ "release.move", CTL_WRITE, ROLE_OPERATOR | ROLE_EDITOR, method_move },
	{ "release.cancel", CTL_WRITE, ROLE_OPERATOR | ROLE_APPROVER, method_cancel },
	{ "release.correct", CTL_WRITE, ROLE_EDITOR, method_correct },
	{ "release.recall", CTL_WRITE, ROLE_OPERATOR | ROLE_APPROVER, ctl_recall },
	{ "release.recalls", CTL_READ, ROLE_VIEWER, ctl_recalls },
	{ "local.set", CTL_WRITE, ROLE_EDITOR, method_local_set },
	{ "local.approve", CTL_WRITE, ROLE_APPROVER, method_local_approve },
	{ "release.list", CTL_READ, ROLE_VIEWER, ctl_release_list },
	{ "release.show", CTL_READ, ROLE_VIEWER, ctl_release_show },
	{ "release.watch", CTL_READ, ROLE_VIEWER, ctl_release_watch },
	{ "release.report", CTL_READ, ROLE_VIEWER, ctl_release_report },
	{ "release.calendar", CTL_READ, ROLE_VIEWER, ctl_release_calendar },
	{ 0 },
};
