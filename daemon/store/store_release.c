/* store_release.c - submit: a release or its next revision, whole or not at all.
 * Thread: store. Rows: release, revision, authors, parts, assets, manifest, prepared outputs, the counted list, audit.
 * Failures: -EBUSY when another submission came between check and submit, -EEXIST when the release is past changing.
 */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "store/store_internal.h"
#include "store/store_release.h"
#include "store/store_rendition.h"

/* Legal moves of a release. A new revision leads back to review from every state before the end. */
static const unsigned rel_moves[] = {
	[REL_DRAFT] = BIT(REL_IN_REVIEW) | BIT(REL_CANCELLED),
	[REL_IN_REVIEW] = BIT(REL_IN_REVIEW) | BIT(REL_APPROVED) | BIT(REL_SENDING) |
		BIT(REL_RETURNED) | BIT(REL_CANCELLED) | BIT(REL_RECALLED),
	[REL_RETURNED] = BIT(REL_IN_REVIEW) | BIT(REL_CANCELLED),
	[REL_APPROVED] = BIT(REL_IN_REVIEW) | BIT(REL_APPROVED) | BIT(REL_SENDING) |
		BIT(REL_RETURNED) | BIT(REL_DONE) | BIT(REL_CANCELLED) | BIT(REL_RECALLED),
	[REL_SENDING] = BIT(REL_IN_REVIEW) | BIT(REL_SENDING) | BIT(REL_DONE) | BIT(REL_CANCELLED) |
		BIT(REL_CORRECTED) | BIT(REL_RECALLED),
	[REL_DONE] = BIT(REL_CORRECTED) | BIT(REL_RECALLED),
	[REL_CANCELLED] = BIT(REL_CORRECTED) | BIT(REL_RECALLED),
	[REL_CORRECTED] = BIT(REL_RECALLED),
	[REL_RECALLED] = 0,
};

bool release_may_move(int from, int to)
{
	REQUIRE(from >= 0 && (size_t)from < ARRAY_LEN(rel_moves));
	return (rel_moves[from] & BIT(to)) != 0;
}

int manifest_put(struct store_tx *tx, int64_t release_id, int64_t rev, const struct hash *h,
	struct str body, const struct prepared_row *prepared, size_t n_prepared,
	const struct contact_key *contacts, size_t n_contacts)
{
	struct db *db = tx_db(tx);
	REQUIRE(n_prepared <= RELEASE_PREPARED_MAX && n_contacts <= RELEASE_CONTACTS_MAX);
	int rc = db_exec(db,
		"INSERT INTO manifest(hash, release_id, rev, format, body, made) VALUES(?,?,?,?,?,?)",
		"hiiibi", h, release_id, rev, (int64_t)MANIFEST_FORMAT, body, tx_wall_ms(tx));
	for (size_t i = 0; i < n_prepared && rc == 0; i++) {
		const struct prepared_row *p = &prepared[i];
		rc = db_exec(db,
			"INSERT INTO prepared(manifest, part, channel_id, form, lang, office_id, vars_hash, digest) "
			"VALUES(?,?,?,?,?,?,?,?)",
			"hiittihh", h, (int64_t)p->part, p->channel_id, p->form, p->lang,
			p->office_id, &p->vars, &p->digest);
	}
	for (size_t i = 0; i < n_contacts && rc == 0; i++)
		rc = db_exec(db,
			"INSERT INTO approved_contact(manifest, part, kind, contact_id) VALUES(?,?,?,?)",
			"hiii", h, (int64_t)contacts[i].part, (int64_t)contacts[i].kind,
			contacts[i].contact_id);
	return rc;
}

int approvals_void(struct store_tx *tx, int64_t release_id, const struct hash *except)
{
	return db_exec(tx_db(tx),
		"UPDATE approval SET voided=? WHERE voided IS NULL AND manifest IN "
		"(SELECT hash FROM manifest WHERE release_id=? AND hash IS NOT ?)",
		"iih", tx_wall_ms(tx), release_id, except);
}

int release_void_unstarted(struct store_tx *tx, int64_t release_id, const char *why)
{
	int rc = db_exec(tx_db(tx),
		"UPDATE lot SET gate=5, why=?2 WHERE release_id=?1 AND (gate=0 OR (gate=2 AND (why LIKE 'changed:%' OR NOT EXISTS("
		"SELECT 1 FROM part p JOIN release r ON r.id=p.release_id AND p.rev=r.rev_approved "
		"WHERE p.release_id=lot.release_id AND p.part=lot.part AND p.started IS NOT NULL))))",
		"it", release_id, why);
	if (rc == 0)
		rc = db_exec(
			tx_db(tx), "DELETE FROM job WHERE kind=1 AND subject=?", "i", release_id);
	return rc;
}

static int put_release(
	struct store_tx *tx, struct release_submit_cmd *c, const struct release_row *old)
{
	struct db *db = tx_db(tx);
	int rc;
	if (!old) {
		rc = db_exec(db,
			"INSERT INTO release(year, code, state, rev_newest, campaign_id, prio, category, kind, title, note) "
			"VALUES(?,?,?,?,nullif(?,0),?,?,?,?,CASE WHEN ?>0 THEN 'corrects:' || ?10 END)",
			"itiiiiiiti", c->year, c->code, (int64_t)REL_IN_REVIEW, c->rev,
			c->campaign_id, (int64_t)c->prio, (int64_t)c->category, (int64_t)c->kind,
			c->title, c->corrects);
		c->ret_id = db_last_id(db);
		return rc;
	}
	c->ret_id = old->id;
	rc = db_exec(db,
		"UPDATE release SET state=?, rev_newest=?, campaign_id=nullif(?,0), prio=?, category=?, kind=?, title=?, note=CASE WHEN note LIKE 'corrects:%' THEN note END "
		"WHERE id=?",
		"iiiiiiti", (int64_t)REL_IN_REVIEW, c->rev, c->campaign_id, (int64_t)c->prio,
		(int64_t)c->category, (int64_t)c->kind, c->title, old->id);
	if (rc == 0)
		rc = approvals_void(tx, old->id, NULL);
	if (rc == 0)
		rc = release_void_unstarted(tx, old->id, "void: a newer revision was submitted");
	return rc;
}

static int put_revision(struct store_tx *tx, const struct release_submit_cmd *c)
{
	struct db *db = tx_db(tx);
	int rc = db_exec(db,
		"INSERT INTO revision(release_id, rev, front, body, bodies, person, at) VALUES(?,?,?,?,?,?,?)",
		"iitttti", c->ret_id, c->rev, c->front, c->body, c->bodies, c->person,
		tx_wall_ms(tx));
	if (rc == 0)
		rc = db_exec(db,
			"INSERT INTO release_author(release_id, rev, person) VALUES(?,?,?)", "iit",
			c->ret_id, c->rev, c->person);
	for (size_t i = 0; i < c->n_parts && rc == 0; i++) {
		const struct submit_part *p = &c->parts[i];
		rc = db_exec(db,
			"INSERT INTO part(release_id, rev, part, name, state, signal, after, spread_ms, late, slot, cost_max) "
			"VALUES(?,?,?,?,?,?,nullif(?,0),?,?,?,nullif(?,-1))",
			"iiitiiiiiii", c->ret_id, c->rev, (int64_t)p->number, p->name,
			(int64_t)PART_WAITING, (int64_t)p->signal, (int64_t)p->after, p->spread_ms,
			(int64_t)p->late, (int64_t)p->slot, p->cost_max < 0 ? -1 : p->cost_max);
	}
	for (size_t i = 0; i < c->n_companions && rc == 0; i++)
		rc = db_exec(db,
			"INSERT INTO companion(release_id, rev, pos, other) VALUES(?,?,?,?)",
			"iiii", c->ret_id, c->rev, (int64_t)i, c->companions[i]);
	return rc;
}

static int put_assets(struct store_tx *tx, const struct release_submit_cmd *c)
{
	struct db *db = tx_db(tx);
	int rc = 0;
	for (size_t i = 0; i < c->n_assets && rc == 0; i++) {
		const struct submit_asset *a = &c->assets[i];
		rc = db_exec(db,
			"INSERT INTO asset(hash, bytes, type, width, height, at) VALUES(?,?,?,nullif(?,0),nullif(?,0),?) "
			"ON CONFLICT(hash) DO NOTHING",
			"hitiii", &a->hash, a->bytes, a->type, a->width, a->height, tx_wall_ms(tx));
		if (rc == 0)
			rc = db_exec(db,
				"INSERT INTO release_asset(release_id, rev, pos, asset, name, alt, role, caption, credit) "
				"VALUES(?,?,?,?,?,?,?,?,?)",
				"iiihttitt", c->ret_id, c->rev, (int64_t)i, &a->hash, a->name,
				a->alt, (int64_t)a->role, a->caption, a->credit);
	}
	for (size_t i = 0; i < c->n_renditions && rc == 0; i++)
		rc = rendition_put(tx, &c->renditions[i]);
	return rc;
}

static int submit_audit(
	struct store_tx *tx, const struct release_submit_cmd *c, const struct release_row *old)
{
	char subject[160], now[160], hex[HASH_HEX], was[40];
	struct release_row r = { .year = old ? old->year : c->year };
	str_copy(r.code, sizeof(r.code), str_of(c->code));
	hash_hex(&c->manifest, hex);
	snprintf(now, sizeof(now), "revision %lld manifest %s", (long long)c->rev, hex);
	snprintf(was, sizeof(was), "revision %lld", (long long)c->rev - 1);
	return store_audit(tx,
		&(struct audit_event){ .person = c->person,
			.via = c->via,
			.what = c->corrects ? "release.correct" : "release.submit",
			.subject = release_subject(&r, subject, sizeof(subject)),
			.was = old ? was : NULL,
			.now = now,
			.why = c->why });
}

static int submit_guard(struct release_submit_cmd *c, const struct release_row *old)
{
	if ((old ? old->id : 0) != c->expect_id || (old && old->rev_newest + 1 != c->rev))
		return err_set(&c->cmd.err, -EBUSY,
			"%s was submitted by somebody else at the same moment; submit again",
			c->code);
	if (old && !release_may_move(old->state, REL_IN_REVIEW))
		return err_set(&c->cmd.err, -EEXIST,
			"%s is %s: a new text for those it reached is `lantoa correct`", c->code,
			rel_state_name(old->state));
	return 0;
}

static int submit_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct release_submit_cmd *c = CONTAINER_OF(cmd, struct release_submit_cmd, cmd);
	struct release_row old;
	char ref[120];
	snprintf(ref, sizeof(ref), "%s@%lld", c->code, (long long)c->year);
	int rc = release_find(tx_db(tx), str_of(ref), &old, NULL);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	const struct release_row *was = rc == 0 ? &old : NULL;
	rc = submit_guard(c, was);
	if (rc == 0)
		rc = put_release(tx, c, was);
	if (rc == 0)
		rc = put_revision(tx, c);
	if (rc == 0)
		rc = put_assets(tx, c);
	if (rc == 0)
		rc = manifest_put(tx, c->ret_id, c->rev, &c->manifest, c->manifest_body,
			c->prepared, c->n_prepared, c->contacts, c->n_contacts);
	if (rc == 0)
		rc = submit_audit(tx, c, was);
	return rc;
}

void release_submit_prepare(struct release_submit_cmd *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.intake = true;
	c->cmd.run = submit_run;
}
