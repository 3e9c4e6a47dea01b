/* ctl_recall.c - release.recall: the release (or a part, or an office's share of it) is stopped, then what went out is asked back where the
 * adapter can; release.recalls: what came of it, delivery by delivery.
 * Threads: names and counts are read on a worker, the acts run on the loop. Owns: struct recalling until the answer.
 * Failures: what could not be stopped is said, and then nothing is asked back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctl/ctl_queue.h"
#include "ctl/ctl_release.h"
#include "dispatch/dispatch_recall.h"
#include "store/store_release.h"

#define LIST_MAX 1000

struct recalling {
	struct ctl_job j;
	struct stop_scope scope;
	bool whole,
		recalled; /* recalled: the release is so already: what was refused or came late is asked again */
	char *why;
	cJSON *result;
};

static void recalling_free(struct recalling *x)
{
	cJSON_Delete(x->result);
	free(x->why);
	free(x);
}

static void fail(struct recalling *x, int rc, const struct err *e)
{
	ctl_answer(x->j.c, rc, e, MOVE(x->result));
	recalling_free(x);
}

static int read_scope(struct ctl_job *j, struct store_reader *r, struct err *e)
{
	struct recalling *x = CONTAINER_OF(j, struct recalling, j);
	struct release_row row;

	if (!json_str(j->c->params, "release").n)
		return err_set(e, -EINVAL, "say which release");
	int rc = ctl_scope_read(j->c, r, &x->scope, e);
	if (rc == 0)
		rc = release_find(reader_db(r), json_str(j->c->params, "release"), &row, e);
	if (rc < 0)
		return rc;
	x->whole = x->scope.part < 0 && !x->scope.office_id && !x->scope.lane_id &&
		!x->scope.channel_id && !x->scope.kind;
	x->recalled = row.state == REL_RECALLED;
	return 0;
}

/* Each kind of the scope: how many were asked back, how many nobody can take back. */
static cJSON *kinds_json(const int64_t by_kind[16])
{
	cJSON *rows = json_obj();

	for (int k = 1; k < 16; k++)
		if (by_kind[k] && chan_kind_name(k))
			json_put_i64(rows, chan_kind_name(k), by_kind[k]);
	return rows;
}

static void on_asked(
	void *ctx, int rc, const struct err *e, int64_t asked, const int64_t by_kind[16])
{
	struct recalling *x = ctx;
	struct ctl_call *c = x->j.c;

	if (rc) {
		fail(x, rc, e);
		return;
	}
	cJSON *result = MOVE(x->result);
	bool whole = x->whole;
	json_put_i64(result, "asked", asked);
	json_put(result, "asked_by", kinds_json(by_kind));
	recalling_free(x);
	if (whole)
		ctl_recall_answer(c, result);
	else
		ctl_answer(c, 0, NULL, result);
}

static void on_stopped(
	void *ctx, int rc, const struct err *e, int64_t lots, int64_t deliveries, int64_t on_wire)
{
	struct recalling *x = ctx;
	struct ctl_call *c = x->j.c;

	if (rc) {
		fail(x, rc, e);
		return;
	}
	json_put_i64(x->result, "lots", lots);
	json_put_i64(x->result, "deliveries", deliveries);
	json_put_i64(x->result, "on_wire", on_wire);
	const struct recall_request r = { .release_id = x->scope.release_id,
		.office_id = x->scope.office_id,
		.part = x->scope.part,
		.subject = x->scope.text,
		.person = c->who.person,
		.via = c->who.via,
		.why = x->why,
		.done = on_asked,
		.ctx = x };
	dispatch_recall(c->deps->dispatch, &r);
}

static void stop(struct recalling *x)
{
	const struct stop_request r = { .verb = STOP_CANCEL,
		.scope = x->scope,
		.except_prio = -1,
		.person = x->j.c->who.person,
		.via = x->j.c->who.via,
		.why = x->why,
		.done = on_stopped,
		.ctx = x };

	dispatch_stop_scope(x->j.c->deps->dispatch, &r);
}

static void on_ended(void *ctx, int rc, const struct err *e, cJSON *result)
{
	struct recalling *x = ctx;

	x->result = result;
	if (rc < 0)
		fail(x, rc, e);
	else
		stop(x);
}

static void recall_now(struct ctl_job *j)
{
	struct recalling *x = CONTAINER_OF(j, struct recalling, j);

	if (j->rc) {
		fail(x, j->rc, &j->e);
		return;
	}
	if (!x->whole || x->recalled) {
		x->result = json_obj();
		json_put_z(x->result, "release", json_z(j->c->params, "release", ""));
		json_put_i64(x->result, "release_id", x->scope.release_id);
		json_put_z(x->result, "state", x->whole ? "recalled" : NULL);
		json_put_z(x->result, "scope", x->scope.text);
		stop(x);
		return;
	}
	cJSON *params = cJSON_Duplicate(j->c->params, true);
	cJSON_DeleteItemFromObjectCaseSensitive(params, "recall");
	json_put_bool(params, "recall", true);
	plan_cancel(j->c->deps->plan, params, &j->c->who, on_ended, x);
	cJSON_Delete(params);
}

int ctl_recall(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct err bad = { 0 };

	UNUSED(ret);
	UNUSED(e);
	if (ctl_need_why(c, &bad) != 0) {
		ctl_answer(c, bad.code, &bad, NULL);
		return 0;
	}
	struct recalling *x = x_calloc(1, sizeof(*x));
	x->j.c = c;
	x->j.read = read_scope;
	x->j.then = recall_now;
	x->why = x_strdup(json_z(c->params, "why", ""));
	ctl_job_start(&x->j);
	return 0;
}

/* --- what came of it ------------------------------------------------------------------------------------------------------ */

struct listing {
	struct ctl_call *c;
	cJSON *rows;
	int64_t n, last;
};

static int on_row(void *ctx, const struct recall_row *x)
{
	struct listing *l = ctx;
	char address[400], code[64];

	l->last = x->delivery;
	l->n++;
	(void)str_copy(code, sizeof(code), x->office_code);
	if (!ctl_may_see(l->c, code))
		return 0;
	cJSON *o = ctl_recall_json(x);
	ctl_mask(l->c, x->kind, x->address, address, sizeof(address));
	json_put_i64(o, "delivery", x->delivery);
	json_put_z(o, "office", code);
	json_put_str(o, "channel", x->channel);
	json_put_str(o, "account", x->account);
	json_put_z(o, "address", address);
	json_put_z(o, "delivery_state", dlv_state_name(x->dlv_state));
	json_add(l->rows, o);
	return 0;
}

int ctl_recalls(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct listing l = { .c = c, .rows = json_arr() };
	struct release_row row;
	int64_t after = 0, limit = json_i64(c->params, "limit", 200);

	limit = limit < 1 ? 1 : limit > LIST_MAX ? LIST_MAX : limit;
	int rc = release_find(reader_db(c->reader), json_str(c->params, "release"), &row, e);
	if (rc == 0)
		rc = ctl_after(c, &after, e);
	if (rc == 0)
		rc = store_recall_list(c->reader, row.id, after, (size_t)limit, on_row, &l);
	if (rc < 0) {
		cJSON_Delete(l.rows);
		return e->text[0] ? rc : err_set(e, rc, "the recalls cannot be read");
	}
	char next[24];
	(void)snprintf(next, sizeof(next), "%lld", (long long)l.last);
	*ret = json_obj();
	json_put(*ret, "rows", l.rows);
	json_put_bool(*ret, "more", l.n == limit);
	json_put_z(*ret, "next", l.n == limit ? next : NULL);
	return 0;
}
