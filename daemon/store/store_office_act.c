/* store_office_act.c - an office merged into another, its targets moved when the day has come, and deputies. Thread: store.
 * Failures: nothing half done; moving goes on from where it stands, by what is left to move.
 */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "model/when.h"
#include "store/store_internal.h"
#include "store/store_office.h"

static int merge_check(struct db *db, const struct office_merge *c, int64_t *ret_old,
	int64_t *ret_into, struct err *e)
{
	int64_t below = 0;
	int rc = db_get_i64(db, ret_old, "SELECT id FROM office WHERE code=?", "t", c->old);
	if (rc == 0)
		return err_set(e, -ENOENT, "there is no office '%.64s'", c->old);
	if (rc == 1)
		rc = db_get_i64(db, ret_into,
			"SELECT id FROM office WHERE code=?1 AND gone=0 AND replaced_by IS NULL AND "
			"ifnull(valid_from<=?2,1) AND ifnull(valid_to>?2,1)",
			"ti", c->into, c->on);
	if (rc == 0)
		return err_set(e, -ENOENT,
			"there is no office '%.64s' in force on that day that could take over",
			c->into);
	if (rc == 1 && *ret_old == *ret_into)
		return err_set(e, -EINVAL, "an office cannot be merged into itself");
	if (rc == 1)
		rc = db_get_i64(db, &below,
			"SELECT count(*) FROM office WHERE parent_id=? AND gone=0", "i", *ret_old);
	if (rc == 1 && below > 0)
		return err_set(e, -EBUSY,
			"'%.64s' has %lld offices below it; give them another parent first", c->old,
			(long long)below);
	return rc < 0 ? rc : 0;
}

static int merge_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct office_merge *c = CONTAINER_OF(cmd, struct office_merge, cmd);
	char subject[100], now[140];
	int64_t old = 0, into = 0;
	int rc = merge_check(tx_db(tx), c, &old, &into, &cmd->err);
	if (rc == 0)
		rc = db_exec(tx_db(tx), "UPDATE office SET valid_to=?2, replaced_by=?3 WHERE id=?1",
			"iii", old, c->on, into);
	(void)snprintf(subject, sizeof(subject), "office:%.64s", c->old);
	(void)snprintf(now, sizeof(now), "into=office:%.64s on_ms=%lld", c->into, (long long)c->on);
	const struct audit_event ev = { .person = c->person,
		.via = c->via,
		.what = "office.merge",
		.subject = subject,
		.now = now };
	return rc < 0 ? rc : store_audit(tx, &ev);
}

void office_merge_prepare(struct office_merge *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = merge_run;
}

struct moving {
	int64_t target, contact, office, into;
};

static int office_set(struct db *db, int64_t target, int64_t office)
{
	return db_exec(db, "UPDATE target SET office_id=?2 WHERE id=?1", "ii", target, office);
}

/* Where the successor has the contact already this one is gone. One that is gone there (no longer in its list, or taken out by an import
 * of the same file since) stands for nobody: the two change places, each with its tags and lists. */
static int move_one(struct db *db, const struct moving *m)
{
	int64_t gone = 0, there = 0;
	int rc = db_get_i64(db, &gone,
		"SELECT id FROM target WHERE office_id=? AND contact_id=? AND (flags&1)=1", "ii",
		m->into, m->contact);
	if (rc == 0)
		rc = db_get_i64(db, &there,
			"SELECT id FROM target WHERE office_id=? AND contact_id=?", "ii", m->into,
			m->contact);
	if (rc < 0)
		return rc;
	if (there)
		return db_exec(db, "UPDATE target SET flags=flags|1 WHERE id=?", "i", m->target);
	rc = gone ? office_set(db, gone, -m->office) : 0; /* no office has this number */
	if (rc == 0)
		rc = office_set(db, m->target, m->into);
	return rc == 0 && gone ? office_set(db, gone, m->office) : rc;
}

static int settle_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct office_settle *c = CONTAINER_OF(cmd, struct office_settle, cmd);
	struct moving v[200];
	struct db *db = tx_db(tx);
	c->ret_moved = 0;
	do {
		sqlite3_stmt *q;
		size_t n = 0;
		int rc = db_query(db, &q,
			"SELECT t.id, t.contact_id, o.id, o.replaced_by FROM office o CROSS JOIN target t ON t.office_id=o.id WHERE "
			"o.replaced_by IS NOT NULL AND o.valid_to IS NOT NULL AND o.valid_to<=? AND (t.flags&1)=0 LIMIT 200",
			"i", tx_wall_ms(tx));
		while (rc == 0 && (rc = db_row(db, q)) == 1) {
			v[n].target = col_i64(q, 0);
			v[n].contact = col_i64(q, 1);
			v[n].office = col_i64(q, 2);
			v[n++].into = col_i64(q, 3);
			rc = 0;
		}
		for (size_t i = 0; i < n && rc == 0; i++)
			rc = move_one(db, &v[i]);
		c->ret_moved += (int64_t)n;
		if (rc < 0)
			return rc;
		c->more = n == ARRAY_LEN(v);
	} while (c->more && tx_elapsed_us(tx) < tx_chunk_us(tx) / 2);
	return 0;
}

void office_settle_prepare(struct office_settle *c)
{
	c->cmd.class = STORE_BULK;
	c->cmd.run = settle_run;
}

static int deputy_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct deputy_add *c = CONTAINER_OF(cmd, struct deputy_add, cmd);
	char subject[240], now[100];
	int rc = db_exec(tx_db(tx),
		"INSERT INTO deputy(person, deputy, first, last, by) VALUES(?,?,?,?,?) ON CONFLICT(person, deputy, first) DO UPDATE SET "
		"last=excluded.last, by=excluded.by",
		"ttiit", c->person, c->deputy, c->first, c->last, c->person);
	(void)snprintf(subject, sizeof(subject), "person:%.100s", c->deputy);
	(void)snprintf(now, sizeof(now), "from_ms=%lld to_ms=%lld", (long long)c->first,
		(long long)c->last);
	const struct audit_event ev = { .person = c->person,
		.via = c->via,
		.what = "deputy.add",
		.subject = subject,
		.now = now };
	return rc < 0 ? rc : store_audit(tx, &ev);
}

void deputy_add_prepare(struct deputy_add *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = deputy_run;
}
