/* plan_submit.c - check, submit and correct: from a staged bundle to a stored revision.
 * Threads: checking and making assets durable on a worker, the rows in one command. Nothing is stored when a check refuses.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "plan/plan_internal.h"
#include "store/store_asset.h"

/* A single text is unpacked as release.md; people know it by the name that they gave it. */
static void name_problems(struct checked *c)
{
	for (size_t i = 0; *c->shown && i < c->problems.n; i++)
		if (strcmp(c->problems.v[i].file, "release.md") == 0)
			str_copy(c->problems.v[i].file, sizeof(c->problems.v[i].file),
				str_of(c->shown));
}

static int refused(const struct checked *c, struct err *e)
{
	return c->problems.errors ? problems_err(&c->problems, -EBADMSG, e) : 0;
}

int plan_check(struct plan *p, struct store_reader *r, const struct staged *s,
	const struct actor *who, bool large, cJSON **ret, struct err *e)
{
	CHECK_OBJ(p, PLAN_MAGIC);
	struct checked c;
	UNUSED(who);
	int rc = check_open(p, r, s, &c, e);
	c.large = large;
	if (rc == 0)
		rc = check_run(&c, e);
	if (rc == 0) {
		name_problems(&c);
		*ret = check_json(&c);
		rc = refused(&c, e);
	}
	check_done(&c);
	return rc;
}

/* --- assets -------------------------------------------------------------------------------------------------------------------- */

/* Written, synced, renamed, the folder synced: before any row names them. */
static int assets_keep(struct plan_call *c)
{
	const struct checked *k = &c->checked;
	int rc = 0;
	for (size_t i = 0; i < k->doc->n_assets && rc == 0; i++) {
		const struct doc_asset *a = &k->doc->assets[i];
		bool kept = false; /* named twice: the file has gone to its place already */
		for (size_t n = 0; n < i && !kept; n++)
			kept = hash_cmp(&k->doc->assets[n].hash, &a->hash) == 0;
		if (kept)
			continue;
		char *from = x_asprintf("%s/%s", k->dir, a->file);
		rc = store_asset_put(c->p->store, from, &a->hash, (int64_t)a->bytes, &c->err);
		free(from);
	}
	return rc;
}

/* --- rows ------------------------------------------------------------------------------------------------------------------------- */

static void fill_parts(struct plan_call *c)
{
	const struct checked *k = &c->checked;
	c->parts = x_calloc(k->doc->n_parts, sizeof(*c->parts));
	for (size_t i = 0; i < k->doc->n_parts; i++) {
		const struct doc_part *p = &k->doc->parts[i];
		c->parts[i] = (struct submit_part){ .number = k->number[i],
			.name = p->name,
			.spread_ms = p->spread_ms,
			.cost_max = p->max_cost,
			.late = (int)p->late,
			.slot = p->broadcast ? (int)ONCE_SLOT_BROADCAST
				: p->again   ? (int)k->number[i]
					     : 0,
			.signal = p->go_signal,
			.after = p->after_index >= 0 ? k->number[p->after_index] : 0 };
	}
}

static void fill_assets(struct plan_call *c)
{
	const struct checked *k = &c->checked;
	c->assets = k->doc->n_assets ? x_calloc(k->doc->n_assets, sizeof(*c->assets)) : NULL;
	for (size_t i = 0; i < k->doc->n_assets; i++) {
		const struct doc_asset *a = &k->doc->assets[i];
		c->assets[i] = (struct submit_asset){ .hash = a->hash,
			.bytes = (int64_t)a->bytes,
			.width = a->width,
			.height = a->height,
			.name = a->file,
			.type = a->type,
			.alt = a->alt,
			.caption = a->caption,
			.credit = a->credit,
			.role = (int)a->role };
	}
}

static void put_identity(struct plan_call *c, const struct hash *h)
{
	char hex[HASH_HEX], code[MANIFEST_CODE_MAX], ref[120];
	hash_hex(h, hex);
	struct release_row r = { .year = c->checked.year };
	str_copy(r.code, sizeof(r.code), str_of(c->checked.code));
	json_put_z(c->json, "release", release_ref(&r, ref, sizeof(ref)));
	json_put_i64(c->json, "rev", c->checked.rev);
	json_put_z(c->json, "hash", hex);
	cJSON_DeleteItemFromObjectCaseSensitive(c->json, "code");
	json_put_z(c->json, "code", manifest_code(h, code));
}

static void submit_done(struct store_cmd *cmd)
{
	struct plan_call *c = CONTAINER_OF(cmd, struct plan_call, cmd.submit.cmd);
	c->rc = cmd->rc;
	c->err = cmd->err;
	if (c->rc == 0)
		put_identity(c, &c->checked.hash);
	if (c->rc == 0 && c->checked.release.id && c->p->o.on_void && !c->p->stopping)
		c->p->o.on_void(c->p->o.ctx, c->checked.release.id);
	if (c->rc == 0 && c->p->o.on_lots_open && !c->p->stopping)
		c->p->o.on_lots_open(c->p->o.ctx); /* lots of an earlier revision are void */
	plan_scan(c->p);
	call_answer(c);
}

static void submit_rows(struct plan_call *c)
{
	const struct checked *k = &c->checked;
	struct release_submit_cmd *s = &c->cmd.submit;
	size_t n_contacts = 0;
	c->contacts = check_contacts(k, &n_contacts);
	fill_parts(c);
	fill_assets(c);
	*s = (struct release_submit_cmd){ .person = c->who.person,
		.via = c->who.via,
		.why = c->correct ? json_z(c->params, "why", NULL) : NULL,
		.code = k->code,
		.companions = k->companion,
		.n_companions = k->n_companions,
		.title = k->doc->title,
		.front = c->front,
		.body = c->body,
		.bodies = c->bodies,
		.year = k->year,
		.expect_id = k->release.id,
		.rev = k->rev,
		.campaign_id = k->campaign_id,
		.corrects = k->corrects,
		.prio = (int)k->m->prio,
		.category = (int)k->doc->category,
		.kind = (int)k->doc->kind,
		.parts = c->parts,
		.n_parts = k->doc->n_parts,
		.assets = c->assets,
		.n_assets = k->doc->n_assets,
		.renditions = c->rends,
		.n_renditions = c->n_rends,
		.manifest = k->hash,
		.manifest_body = buf_str(&k->body),
		.prepared = k->rows,
		.n_prepared = k->n_made,
		.contacts = c->contacts,
		.n_contacts = n_contacts,
		.cmd.done = submit_done };
	release_submit_prepare(s);
	call_submit(c, &s->cmd);
}

/* --- calls -------------------------------------------------------------------------------------------------------------------------- */

/* The release that a correction goes after: whom it reached, or may have reached, gets it and nobody else. */
static int find_corrected(struct plan_call *c, struct store_reader *r)
{
	struct checked *k = &c->checked;
	struct release_row old;
	int rc = release_find(reader_db(r), json_str(c->params, "release"), &old, &c->err);
	if (rc < 0)
		return rc;
	if (old.state != REL_SENDING && old.state != REL_DONE && old.state != REL_CANCELLED &&
		old.state != REL_CORRECTED && old.state != REL_RECALLED)
		return err_set(&c->err, -EBUSY,
			"%s is %s and has reached nobody: submit a new revision instead", old.code,
			rel_state_name(old.state));
	k->corrects = old.id;
	if (k->doc && strcmp(k->code, old.code) == 0)
		snprintf(k->code + strlen(k->code), sizeof(k->code) - strlen(k->code), "-DC1");
	return 0;
}

static int submit_work(struct plan_call *c, struct store_reader *r)
{
	struct checked *k = &c->checked;
	struct doc_stored stored = { 0 };
	int rc = office_bounds(reader_db(r), c->who.office);
	if (rc != 0)
		return rc < 0
			? rc
			: err_set(&c->err, -EPERM,
				  "%s belongs to %s and cannot submit for all; `lantoa local set` is for its own paragraph",
				  c->who.person, c->who.office);
	rc = check_open(c->p, r, &c->staged, k, &c->err);
	k->large = call_is_long(c);
	if (rc == 0 && c->correct)
		rc = find_corrected(c, r);
	if (rc == 0)
		rc = check_run(k, &c->err);
	if (rc < 0) {
		check_dir_done(k);
		return rc;
	}
	name_problems(k);
	c->json = check_json(k);
	rc = refused(k, &c->err);
	if (rc == 0)
		rc = release_doc_to_stored(k->doc, &stored);
	if (rc == 0)
		rc = assets_keep(c);
	if (rc == 0)
		rc = rend_set_keep(c->p, &k->rends, &c->rends, &c->n_rends, &c->err);
	if (rc == 0)
		check_remember(k);
	check_dir_done(k); /* here and not on the loop, which never touches a disk */
	c->front = stored.front;
	c->body = stored.body;
	c->bodies = stored.bodies;
	return rc;
}

static void noted(struct store_cmd *cmd)
{
	struct plan_call *c = CONTAINER_OF(cmd, struct plan_call, cmd.note.cmd);
	call_answer(c); /* the refusal is the answer, whether it could be noted or not */
}

/* A refusal by a check, or for want of a right, stands in the audit. */
static void submit_failed(struct plan_call *c)
{
	static const char *const what[] = { "release.submit.refused", "release.correct.refused" };
	struct civil now;
	struct release_row r = { .year = c->checked.year };
	if (r.year == 0 && c->checked.conf) {
		civil_from_ms(c->checked.now, &c->checked.conf->zone, &now);
		r.year = now.year;
	}
	if (c->rc != -EBADMSG && c->rc != -EPERM && c->rc != -EEXIST) {
		call_answer(c);
		return;
	}
	str_copy(r.code, sizeof(r.code),
		str_of(*c->checked.code ? c->checked.code : c->staged.name));
	release_subject(&r, c->subject, sizeof(c->subject));
	c->cmd.note = (struct release_note_cmd){ .person = c->who.person,
		.via = c->who.via,
		.what = what[c->correct],
		.subject = c->subject,
		.why = c->err.text,
		.cmd.done = noted };
	release_note_prepare(&c->cmd.note);
	if (store_submit(c->p->store, &c->cmd.note.cmd) < 0)
		call_answer(c);
}

void plan_submit(struct plan *p, const struct staged *s, const struct actor *who,
	plan_done_fn *done, void *ctx)
{
	struct plan_call *c = call_new(p, NULL, s, who, done, ctx);
	c->failed = submit_failed;
	call_work(c, submit_work, submit_rows);
}

void plan_correct(struct plan *p, const cJSON *params, const struct staged *s,
	const struct actor *who, plan_done_fn *done, void *ctx)
{
	struct plan_call *c = call_new(p, params, s, who, done, ctx);
	c->correct = true;
	c->failed = submit_failed;
	call_work(c, submit_work, submit_rows);
}
