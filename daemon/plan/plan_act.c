/* plan_act.c - return, go, move, cancel, local texts: one command each. Thread: loop. */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "plan/plan_internal.h"

#define LOCAL_TEXT_MAX 16384u

static void act_done(struct store_cmd *cmd)
{
	struct plan_call *c = CONTAINER_OF(cmd, struct plan_call, cmd.act.cmd);
	const struct release_act_cmd *a = &c->cmd.act;
	char ref[120];
	c->rc = cmd->rc ? cmd->rc : a->refused;
	c->err = cmd->rc ? cmd->err : a->why_refused;
	if (c->rc == 0) {
		c->json = json_obj();
		json_put_z(c->json, "release", release_ref(&a->release, ref, sizeof(ref)));
		json_put_z(c->json, "state", rel_state_name(a->release.state));
		json_put_i64(c->json, "release_id", a->release.id);
		if (a->part) {
			json_put_z(c->json, "part", a->part);
			json_put_i64(c->json, a->act == ACT_GO ? "started" : "at",
				a->act == ACT_GO ? a->row.go_at : a->row.at);
		}
	}
	if (c->rc == 0 && a->act == ACT_RETURN && c->p->o.on_void && !c->p->stopping)
		c->p->o.on_void(c->p->o.ctx, a->release.id);
	if (c->p->o.on_lots_open && !c->p->stopping)
		c->p->o.on_lots_open(c->p->o.ctx);
	plan_scan(c->p);
	call_answer(c);
}

static void act(struct plan_call *c, enum release_act what, bool part)
{
	struct release_act_cmd *a = &c->cmd.act;
	*a = (struct release_act_cmd){ .act = what,
		.ref = json_z(c->params, "release", ""),
		.person = c->who.person,
		.via = c->who.via,
		.office = c->who.office,
		.part = part ? json_z(c->params, "part", "") : NULL,
		.why = json_z(c->params, "why", NULL),
		.cmd.done = act_done };
	if (what == ACT_MOVE) {
		struct conf *conf = plan_conf(c->p);
		struct when at = { 0 };
		struct str text = json_str(c->params, "at");
		c->rc = when_parse(text.p ? text : STR(""), &conf->zone, &at, &c->err);
		conf_unref(conf);
		a->at = when_resolve(&at, env_wall(c->p->env));
	} else if (what != ACT_GO && (!a->why || !*a->why)) {
		c->rc = err_set(&c->err, -EINVAL, "this needs a reason: -m WHY");
	}
	if (c->rc < 0) {
		call_answer(c);
		return;
	}
	if (what == ACT_GO)
		env_hurry(c->p->env); /* somebody waits for what follows */
	release_act_prepare(a);
	call_submit(c, &a->cmd);
}

void plan_return(
	struct plan *p, const cJSON *params, const struct actor *who, plan_done_fn *done, void *ctx)
{
	act(call_new(p, params, NULL, who, done, ctx), ACT_RETURN, false);
}

void plan_go(
	struct plan *p, const cJSON *params, const struct actor *who, plan_done_fn *done, void *ctx)
{
	act(call_new(p, params, NULL, who, done, ctx), ACT_GO, true);
}

void plan_move(
	struct plan *p, const cJSON *params, const struct actor *who, plan_done_fn *done, void *ctx)
{
	act(call_new(p, params, NULL, who, done, ctx), ACT_MOVE, true);
}

void plan_cancel(
	struct plan *p, const cJSON *params, const struct actor *who, plan_done_fn *done, void *ctx)
{
	bool recalled = json_bool(params, "recall", false);
	act(call_new(p, params, NULL, who, done, ctx), recalled ? ACT_RECALLED : ACT_CANCEL_RELEASE,
		false);
}

/* --- local texts ------------------------------------------------------------------------------------------------------------------ */

static void local_done(struct store_cmd *cmd)
{
	struct plan_call *c = CONTAINER_OF(cmd, struct plan_call, cmd.local.cmd);
	struct local_cmd *l = &c->cmd.local;
	char hex[HASH_HEX];
	c->rc = cmd->rc ? cmd->rc : l->refused;
	c->err = cmd->rc ? cmd->err : l->why_refused;
	if (c->rc == 0) {
		hash_hex(&l->hash, hex);
		c->json = json_obj();
		json_put_z(c->json, "hash", hex);
		json_put_i64(c->json, "rev", l->ret_rev);
		json_put_z(c->json, "state", l->approve ? "approved" : "waits for approval");
	}
	call_answer(c);
}

static void local_rows(struct plan_call *c)
{
	local_prepare(&c->cmd.local);
	call_submit(c, &c->cmd.local.cmd);
}

static void local_fill(struct plan_call *c, bool approve)
{
	c->cmd.local = (struct local_cmd){ .approve = approve,
		.ref = json_z(c->params, "release", ""),
		.office = json_z(c->params, "office", ""),
		.text = json_z(c->params, "text", ""),
		.person = c->who.person,
		.via = c->who.via,
		.roles = c->who.roles,
		.bound = c->who.office,
		.cmd.done = local_done };
}

/* What was sent gives way to what is stored and approved: no byte order mark, LF, NFC, nothing that could not be sent. */
static int local_clean(struct plan_call *c, const struct release_doc *doc)
{
	struct buf b CLEANUP_BUF;
	buf_init(&b, 4 * LOCAL_TEXT_MAX);
	int rc = release_doc_local_clean(doc, json_str(c->params, "text"), &b, &c->err);
	if (rc < 0)
		return rc == -EINVAL ? -EBADMSG : rc;
	cJSON_DeleteItemFromObjectCaseSensitive(c->params, "text");
	json_put_str(c->params, "text", buf_str(&b));
	c->cmd.local.text = json_z(c->params, "text", "");
	return 0;
}

/* The text must have a place, and its variables must exist: checked with the office's own before it is stored. */
static int local_check(struct plan_call *c, struct store_reader *r)
{
	struct db *db = reader_db(r);
	CLEANUP(release_doc_free) struct release_doc *doc = NULL;
	CLEANUP(plan_content_free) struct plan_content *pc = NULL;
	struct plan_offices offices = { 0 };
	struct mf_part part = { 0 };
	char *json = NULL;
	cJSON *vars CLEANUP_JSON = NULL;
	int rc = release_find(db, json_str(c->params, "release"), &c->release, &c->err);
	if (rc == 0)
		rc = plan_doc_from_store(r, c->release.id, c->release.rev_newest, &doc, &c->err);
	if (rc == 0 && !plan_doc_has_local(doc))
		rc = err_set(&c->err, -EBADMSG,
			"the text of this release has no place for a local one: {{local}} is missing");
	if (rc == 0 && strlen(c->cmd.local.text) > LOCAL_TEXT_MAX)
		rc = err_set(&c->err, -EBADMSG, "a local text has at most 16 KiB");
	if (rc == 0)
		rc = local_clean(c, doc);
	if (rc == 0)
		rc = plan_offices_get(db, env_wall(c->p->env), &offices);
	const struct plan_office *o = rc == 0
		? plan_office_by_code(&offices, json_str(c->params, "office"))
		: NULL;
	if (rc == 0 && !o)
		rc = err_set(&c->err, -ENOENT, "there is no office '%s'",
			json_z(c->params, "office", ""));
	if (rc == 0)
		rc = vars_get(db, &o->vars, &json);
	if (rc == 0)
		rc = json_parse(str_of(json), 1u << 20, &vars, &c->err);
	if (rc == 0) {
		struct content_ask a = { .doc = doc,
			.part = &part,
			.kind = KIND_EMAIL,
			.form = "",
			.lang = "",
			.office = o->code,
			.vars = vars,
			.local = c->cmd.local.text };
		rc = plan_content_new(&a, &pc, &c->err);
		rc = rc == -EINVAL ? -EBADMSG : rc;
	}
	free(json);
	plan_offices_done(&offices);
	return rc;
}

void plan_local_set(
	struct plan *p, const cJSON *params, const struct actor *who, plan_done_fn *done, void *ctx)
{
	struct plan_call *c = call_new(p, params, NULL, who, done, ctx);
	local_fill(c, false);
	call_work(c, local_check, local_rows);
}

void plan_local_approve(
	struct plan *p, const cJSON *params, const struct actor *who, plan_done_fn *done, void *ctx)
{
	struct plan_call *c = call_new(p, params, NULL, who, done, ctx);
	local_fill(c, true);
	struct str hash = json_str(c->params, "hash");
	if (!hash.p || hash_from_hex(hash, &c->cmd.local.hash) < 0) {
		c->rc = err_set(&c->err, -EINVAL,
			"--hash wants the 64 hex digits that `local set` answered");
		call_answer(c);
		return;
	}
	local_rows(c);
}
