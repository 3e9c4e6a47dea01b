/* plan_approve.c - approve, with --diff where audience or outputs have changed since the manifest.
 * Threads: making the manifest again on a worker; judging, marking and what follows in one command of the store.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "plan/plan_internal.h"

static void put_state(struct plan_call *c)
{
	const struct release_approve_cmd *a = &c->cmd.approve;
	char ref[120], hex[HASH_HEX], code[MANIFEST_CODE_MAX];
	const struct hash *h = a->refused && c->checked.plan
		? &c->checked.hash
		: &a->newest; /* what may be approved now */
	hash_hex(h, hex);
	if (!c->json)
		c->json = json_obj();
	json_put_z(c->json, "release", release_ref(&a->release, ref, sizeof(ref)));
	json_put_z(c->json, "state", rel_state_name(a->release.state));
	json_put_z(c->json, "hash", hex);
	json_put_z(c->json, "code", manifest_code(h, code));
	if (a->refused)
		return;
	json_put_z(c->json, "step", a->step_name);
	json_put_i64(c->json, "step_no", a->step + 1);
	json_put_i64(c->json, "steps", a->steps);
	json_put_i64(c->json, "owed", a->owed);
	json_put_bool(c->json, "complete", a->complete);
}

static void approve_done(struct store_cmd *cmd)
{
	struct plan_call *c = CONTAINER_OF(cmd, struct plan_call, cmd.approve.cmd);
	struct release_approve_cmd *a = &c->cmd.approve;
	c->rc = cmd->rc;
	c->err = cmd->err;
	if (c->rc == 0) {
		put_state(c);
		c->rc = a->refused;
		c->err = a->why_refused;
	}
	if (a->planning && c->p->o.on_lots_open && !c->p->stopping)
		c->p->o.on_lots_open(c->p->o.ctx);
	plan_scan(c->p);
	call_answer(c);
}

static int read_params(struct plan_call *c)
{
	struct release_approve_cmd *a = &c->cmd.approve;
	struct str hash = json_str(c->params, "hash"),
		   document = json_str(c->params, "document_hash");
	a->ref = json_z(c->params, "release", "");
	a->why = json_z(c->params, "why", NULL);
	a->emergency = json_bool(c->params, "emergency", false);
	a->code = json_z(c->params, "code", NULL);
	a->for_person = json_z(c->params, "for", NULL);
	a->by_code = a->code != NULL;
	if (document.p && hash_from_hex(document, &a->document) < 0)
		return err_set(&c->err, -EINVAL, "document_hash: 64 hex digits are wanted");
	a->has_document = document.p != NULL;
	if (a->by_code && (!a->for_person || !a->has_document))
		return err_set(&c->err, -EINVAL,
			"an approval on paper needs all three: --code, --for WHO and --document FILE");
	if (!a->by_code && a->for_person)
		return err_set(&c->err, -EINVAL,
			"--for belongs to an approval on paper: --code C --for WHO --document FILE");
	if (!a->by_code && (!hash.p || hash_from_hex(hash, &a->manifest) < 0))
		return err_set(&c->err, -EINVAL,
			"--hash wants the 64 hex digits that `lantoa review %s` shows", a->ref);
	return 0;
}

/* Is what the person names the manifest as it was made again just now? */
static bool shown(const struct plan_call *c)
{
	const struct release_approve_cmd *a = &c->cmd.approve;
	if (a->by_code)
		return manifest_code_is(&c->checked.hash, str_of(a->code));
	return hash_cmp(&c->checked.hash, &a->manifest) == 0;
}

static void approve_rows(struct plan_call *c)
{
	struct release_approve_cmd *a = &c->cmd.approve;
	a->person = c->who.person;
	a->via = c->who.via;
	a->roles = c->who.roles;
	a->office = c->who.office;
	a->cmd.done = approve_done;
	const struct checked *k = &c->checked;
	if (k->plan &&
		shown(c)) { /* the manifest as it is today, and it is what the person was shown */
		a->new_body = buf_str(&k->body);
		a->prepared = k->rows;
		a->n_prepared = k->n_made;
		a->contacts = c->contacts;
		a->n_contacts = c->n_contacts;
	}
	c->conf = plan_conf(c->p);
	a->conf = c->conf;
	release_approve_prepare(a);
	call_submit(c, &a->cmd);
}

/* --- what is different ------------------------------------------------------------------------------------------------------------ */

static void add_change(cJSON *rows, const char *part, const char *what, int64_t was, int64_t now)
{
	cJSON *o = json_obj();
	json_put_z(o, "part", part);
	json_put_z(o, "what", what);
	json_put_i64(o, "was", was);
	json_put_i64(o, "now", now);
	json_add(rows, o);
}

static void count_changes(const struct checked *k, const struct manifest *old, cJSON *rows)
{
	for (size_t i = 0; i < k->m->n_parts; i++) {
		const struct mf_part *p = &k->m->parts[i], *was = manifest_part(old, p->number);
		for (size_t n = 0; n < p->n_counts; n++) {
			const struct mf_count *w = was ? manifest_count(was, (int)p->counts[n].kind)
						       : NULL;
			bool same = w && w->n == p->counts[n].n &&
				hash_cmp(&w->list, &p->counts[n].list) == 0;
			if (!same)
				add_change(rows, k->doc->parts[i].name,
					chan_kind_name((int)p->counts[n].kind), w ? w->n : 0,
					p->counts[n].n);
		}
	}
}

static void output_changes(
	const struct checked *k, const struct prepared_row *old, size_t n_old, cJSON *rows)
{
	cJSON *list = json_arr();
	for (size_t i = 0; i < k->n_made; i++) {
		const struct prepared_row *r = &k->made[i].row, *was = NULL;
		for (size_t n = 0; n < n_old && !was; n++)
			if (old[n].part == r->part && old[n].channel_id == r->channel_id &&
				old[n].office_id == r->office_id &&
				strcmp(old[n].form, r->form) == 0 &&
				strcmp(old[n].lang, r->lang) == 0)
				was = &old[n];
		if (was && hash_cmp(&was->digest, &r->digest) == 0)
			continue;
		if (cJSON_GetArraySize(list) < 100)
			json_add(list, made_json(&k->made[i], k, false));
	}
	json_put(rows, "outputs", list);
}

static int remake(struct plan_call *c, struct store_reader *r)
{
	struct checked *k = &c->checked;
	struct hash newest;
	struct buf body CLEANUP_BUF;
	CLEANUP(manifest_free) struct manifest *old = NULL;
	struct prepared_row *rows = NULL;
	size_t n = 0;
	buf_init(&body, MANIFEST_BYTES_MAX);
	int rc = check_reopen(c->p, r, &c->release, c->release.rev_newest, k, &c->err);
	k->large = call_is_long(c);
	if (rc == 0)
		rc = check_run(k, &c->err);
	if (rc < 0)
		return rc;
	c->json = json_obj();
	json_put(c->json, "problems", problems_json(&k->problems));
	if (k->problems.errors)
		return problems_err(&k->problems, -EBADMSG, &c->err);
	rc = manifest_newest(reader_db(r), c->release.id, c->release.rev_newest, &newest, &body);
	if (rc == 0)
		rc = manifest_decode(buf_str(&body), &old, &c->err);
	if (rc == 0)
		rc = prepared_rows_get(reader_db(r), &newest, -1, 0, 0, &rows, &n);
	if (rc == 0) {
		cJSON *changes = json_arr();
		count_changes(k, old, changes);
		json_put(c->json, "changes", changes);
		output_changes(k, rows, n, c->json);
	}
	free(rows);
	if (rc == 0)
		check_remember(k);
	c->contacts = check_contacts(k, &c->n_contacts);
	return rc;
}

/* Only where it can matter is the manifest made again: with --diff, or for a hash that is not the stored one (`review` shows
 * today's when audience or outputs have changed). */
static int approve_work(struct plan_call *c, struct store_reader *r)
{
	const struct release_approve_cmd *a = &c->cmd.approve;
	struct hash newest;
	int rc = release_find(reader_db(r), json_str(c->params, "release"), &c->release, &c->err);
	if (rc == 0)
		rc = manifest_newest(
			reader_db(r), c->release.id, c->release.rev_newest, &newest, NULL);
	if (rc == 0 && c->release.state == REL_IN_REVIEW)
		rc = casts_allowed(c->p, reader_db(r), &c->release, &newest, &c->err);
	if (rc < 0)
		return rc;
	bool same = a->by_code ? manifest_code_is(&newest, str_of(a->code))
			       : hash_cmp(&newest, &a->manifest) == 0;
	int s = c->release.state;
	bool may = s == REL_IN_REVIEW || s == REL_APPROVED || s == REL_SENDING;
	bool diff = json_bool(c->params, "diff", false);
	if (!may || (same && !diff))
		return 0;
	rc = remake(c, r);
	if (rc == -EBADMSG &&
		!diff) { /* it would be refused today: then only the stored one could be approved */
		check_done(&c->checked);
		cJSON_Delete(MOVE(c->json));
		return 0;
	}
	return rc;
}

void plan_approve(
	struct plan *p, const cJSON *params, const struct actor *who, plan_done_fn *done, void *ctx)
{
	struct plan_call *c = call_new(p, params, NULL, who, done, ctx);
	c->rc = read_params(c);
	if (c->rc < 0)
		call_answer(c);
	else
		call_work(c, approve_work, approve_rows);
}
