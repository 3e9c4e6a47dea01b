/* zalo_ask.c - asking instead of being told: status of template messages (poll); followers, quota of templates, groups of the OA, views and
 * shares of articles (statistics).
 * Thread: loop. Owns: nothing. Failures: what cannot be asked now is asked in the next round. */
#include <stdio.h>
#include <string.h>
#include "zalo_other.h"

#define PAGES_MAX 20
#define LIMIT     10

enum { ASK_OA = 0, ASK_QUOTA, ASK_GROUPS, ASK_PAGES };

static void end(struct lt_inst *inst, struct lt_job *job, int32_t outcome, const char *code,
	const char *text)
{
	struct lt_result r = { .struct_size = sizeof(r),
		.outcome = outcome,
		.scope = LT_SCOPE_ACCOUNT,
		.code = ltc_z(code),
		.text = ltc_z(text) };

	(void)inst->host->finish(inst->host->ctx, job, &r);
}

static struct lt_str first_id(const struct lt_item *it)
{
	for (size_t i = 0; i < it->n_ids; i++)
		if (it->ids[i].effect == 0)
			return it->ids[i].id;
	return (struct lt_str){ 0 };
}

static int call(struct lt_inst *inst, struct lt_job *job)
{
	struct zalo_ask_job *k = job->priv;
	char offset[16];
	struct lt_pair q[3] = { { .name = LTC_LIT("offset") },
		{ .name = LTC_LIT("limit"), .value = LTC_LIT("10") },
		{ .name = LTC_LIT("type"), .value = LTC_LIT("normal") } };
	struct lt_pair s[1] = { { .name = LTC_LIT("message_id") } };
	struct zalo_call c = { .method = "GET", .token = ++k->serial };
	struct lt_str ignored;

	if (inst->host->secret_get(
		    inst->host->ctx, job, LTC_LIT("access_token"), &ignored, &k->version) < 0) {
		k->version = 0;
		if (k->refreshed) /* the first pair cannot be had */
			return -LT_E_INVALID;
		k->refreshed = true;
		return inst->host->refresh(inst->host->ctx, job, (struct lt_str){ 0 }, 0);
	}
	if (job->kind == LT_J_POLL) {
		s[0].value = first_id(k->work->items[k->item]);
		c.path = "/message/status";
		c.zns = true;
		c.query = s;
		c.n_query = 1;
	} else if (k->step == ASK_OA) {
		c.path = "/v2.0/oa/getoa";
	} else if (k->step == ASK_QUOTA) {
		c.path = "/message/quota";
		c.zns = true;
	} else if (k->step == ASK_GROUPS) {
		zalo_groups_call(&c);
	} else {
		(void)snprintf(offset, sizeof(offset), "%d", k->page * LIMIT);
		q[0].value = ltc_z(offset);
		c.path = "/v2.0/article/getslice";
		c.query = q;
		c.n_query = 3;
	}
	return zalo_call(inst, job, &c);
}

static bool asks(const struct lt_item *it, bool poll)
{
	enum zalo_form f = zalo_form_of(it->address, NULL);

	return first_id(it).n != 0 && f == (poll ? ZALO_PHONE : ZALO_OA);
}

static void next(struct lt_inst *inst, struct lt_job *job)
{
	struct zalo_ask_job *k = job->priv;

	if (job->kind == LT_J_POLL)
		while (k->item < k->work->n_items && !asks(k->work->items[k->item], true))
			k->item++;
	bool over = job->kind == LT_J_POLL
		? k->item >= k->work->n_items
		: k->step == ASK_PAGES && (k->page >= PAGES_MAX || k->articles == 0);
	if (over)
		end(inst, job, LT_ACCEPTED, "0", "");
	else if (call(inst, job) < 0)
		end(inst, job, LT_DEFERRED, "host",
			k->version == 0 ? "no access token yet" : "the host did not take the call");
}

static void next_step(struct lt_inst *inst, struct lt_job *job)
{
	const struct zalo_inst *zi = inst->priv;
	struct zalo_ask_job *k = job->priv;

	k->step++;
	if (k->step == ASK_QUOTA && zi->conf.zns_template.n == 0)
		k->step++;
	next(inst, job);
}

static void status(struct lt_inst *inst, struct lt_job *job, const struct zalo_answer *a)
{
	struct zalo_ask_job *k = job->priv;
	const struct lt_item *it = k->work->items[k->item++];
	struct lt_str id = first_id(it);
	int64_t s = -1, at = 0;
	char text[200];

	(void)ltc_json_i64(ltc_json_get(a->data, "delivery_time"), &at);
	(void)ltc_json_copy(ltc_json_get(a->data, "message"), text, sizeof(text));
	if (ltc_json_i64(ltc_json_get(a->data, "status"), &s) && s == 1) {
		struct lt_receipt rc = { .struct_size = sizeof(rc),
			.state = LT_RC_DELIVERED,
			.final = 1,
			.ids = &id,
			.n_ids = 1,
			.ref = it->ref,
			.recipient = it->address,
			.code = LTC_LIT("1"),
			.text = ltc_z(text),
			.at_ms = at > 0 ? at : inst->host->wall_ms(inst->host->ctx) };
		(void)inst->host->receipt(inst->host->ctx, job, &rc, 0);
	}
	next(inst, job);
}

static void numbers(struct lt_inst *inst, struct lt_job *job, const struct ltc_json *one)
{
	static const char *const names[][2] = { { "total_view", "views" },
		{ "total_share", "shares" } };
	struct zalo_ask_job *k = job->priv;
	char id[ZALO_ID_MAX];
	struct lt_str have = ltc_json_copy(ltc_json_get(one, "id"), id, sizeof(id));

	for (size_t i = 0; i < k->work->n_items; i++) {
		const struct lt_item *it = k->work->items[i];
		if (!asks(it, false) || !ltc_eq(first_id(it), have))
			continue;
		for (size_t n = 0; n < 2; n++) {
			int64_t v = 0;
			if (ltc_json_i64(ltc_json_get(one, names[n][0]), &v))
				inst->host->stat(
					inst->host->ctx, job, it->delivery, ltc_z(names[n][1]), v);
		}
		k->item++;
	}
}

/* A round of statistics begins with the OA itself. */
static void profile(struct lt_inst *inst, struct lt_job *job, const struct zalo_answer *a)
{
	int64_t n = 0;

	if (ltc_json_i64(ltc_json_get(a->data, "num_follower"), &n))
		inst->host->stat(inst->host->ctx, job, 0, LTC_LIT("followers"), n);
	next_step(inst, job);
}

/* What events would tell: a changed quota, a group that is gone. */
static void told(struct lt_inst *inst, struct lt_job *job, const struct zalo_answer *a)
{
	const struct zalo_ask_job *k = job->priv;

	if (k->step == ASK_QUOTA)
		zalo_quota_facts(inst, job, a);
	else
		zalo_groups_facts(inst, job, a);
	next_step(inst, job);
}

static void page(struct lt_inst *inst, struct lt_job *job, const struct zalo_answer *a)
{
	struct zalo_ask_job *k = job->priv;
	const struct ltc_json *one = ltc_json_item(ltc_json_get(a->data, "medias"));
	int n = 0;

	for (; one != NULL; one = ltc_json_next(one), n++)
		numbers(inst, job, one);
	k->page = n < LIMIT || k->item >= k->articles ? PAGES_MAX : k->page + 1;
	next(inst, job);
}

static void answered(struct lt_inst *inst, struct lt_job *job, const struct lt_http_res *r)
{
	struct zalo_ask_job *k = job->priv;
	const struct zalo_inst *zi = inst->priv;
	struct zalo_answer a ZALO_CLEANUP_ANSWER = { 0 };

	zalo_note_answer(inst, job, r);
	zalo_answer_read(r, &a);
	if (a.good) {
		(job->kind == LT_J_POLL                ? status
				: k->step == ASK_OA    ? profile
				: k->step == ASK_PAGES ? page
						       : told)(inst, job, &a);
		return;
	}
	const struct ltc_outcome_row *row = zalo_classify(
		zi->outcomes, job->kind == LT_J_POLL || k->step == ASK_QUOTA ? "zns" : "read", &a);
	if (row->outcome == ZALO_O_REFRESH && !k->refreshed) {
		k->refreshed = true;
		if (inst->host->refresh(inst->host->ctx, job, (struct lt_str){ 0 }, k->version) >=
			0)
			return;
	}
	if (job->kind == LT_J_POLL && a.json && row->scope == LT_SCOPE_TARGET) {
		k->item++;
		next(inst, job);
		return;
	}
	if (job->kind == LT_J_STATS && (k->step == ASK_QUOTA || k->step == ASK_GROUPS)) {
		next_step(inst,
			job); /* an OA without templates or groups has articles all the same */
		return;
	}
	char text[300];
	(void)snprintf(text, sizeof(text), "%.*s: %.150s", (int)row->note.n, row->note.p, a.text);
	end(inst, job, LT_DEFERRED, a.code, text);
}

int zalo_ask_start(struct lt_inst *inst, struct lt_job *job, const struct lt_work *w)
{
	struct zalo_ask_job *k = job->priv;

	k->work = w;
	for (size_t i = 0; i < w->n_items; i++)
		k->articles += asks(w->items[i], false);
	next(inst, job);
	return 0;
}

int zalo_ask_event(struct lt_inst *inst, struct lt_job *job, const struct lt_event *ev)
{
	const struct zalo_ask_job *k = job->priv;

	if (ev->type == LT_EV_HTTP && ev->token == k->serial)
		answered(inst, job, ev->u);
	else if (ev->type == LT_EV_SECRET && ev->error == 0)
		next(inst, job);
	else if (ev->type == LT_EV_SECRET || ev->type == LT_EV_CANCEL)
		end(inst, job, LT_DEFERRED, "token", "the token could not be rotated");
	return 0;
}
