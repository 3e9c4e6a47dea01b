/* store_import_apply.c - a checked import into the store: begun, applied in chunks with a cursor, finished, or undone.
 * Thread: store. Owns: the job row of kind JOB_IMPORT; there is one at a time.
 * Failures: a chunk that fails leaves its cursor where it was and runs again; finish makes the whole visible at once.
 */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "base/fault.h"
#include "model/state.h"
#include "store/store_import_internal.h"

#define LOOK_ROWS 64 /* rows between two looks at the clock */

/* --- begin ------------------------------------------------------------------------------------------------------------------------ */

int store_lane_make(struct db *db, const char *channel, const char *adapter, const char *account,
	const char *class, int64_t *ret)
{
	int64_t channel_id = 0, account_id = 0;
	int rc = db_exec(db,
		"INSERT INTO channel(name, adapter) VALUES(?,?) ON CONFLICT(name) DO NOTHING", "tt",
		channel, adapter);
	if (rc == 0)
		rc = db_get_i64(
			db, &channel_id, "SELECT id FROM channel WHERE name=?", "t", channel);
	if (rc == 1)
		rc = db_exec(db,
			"INSERT INTO account(channel_id, name) VALUES(?,?) ON CONFLICT(channel_id, name) DO NOTHING",
			"it", channel_id, account);
	if (rc == 0)
		rc = db_get_i64(db, &account_id,
			"SELECT id FROM account WHERE channel_id=? AND name=?", "it", channel_id,
			account);
	if (rc == 1)
		rc = db_exec(db,
			"INSERT INTO lane(account_id, class, gate, tokens, tokens_at) VALUES(?,?,0,0,0) ON CONFLICT(account_id, class) "
			"DO NOTHING",
			"it", account_id, class);
	if (rc == 0)
		rc = db_get_i64(db, ret, "SELECT id FROM lane WHERE account_id=? AND class=?", "it",
			account_id, class);
	return rc == 1 ? 0 : rc < 0 ? rc : -EIO;
}

static int lane_make(struct db *db, struct stage_name *lane)
{
	char f[4][128] = { "" };
	struct str rest = str_of(lane->text), one;
	for (size_t k = 0; k < 4 && str_next(&rest, IMPORT_SEP, &one); k++)
		(void)str_copy(f[k], sizeof(f[k]), one);
	return store_lane_make(db, f[0], f[1], f[2], f[3], &lane->id);
}

static int tag_make(struct db *db, struct stage_name *n)
{
	int rc = db_exec(
		db, "INSERT INTO tag(name) VALUES(?) ON CONFLICT(name) DO NOTHING", "t", n->text);
	if (rc == 0)
		rc = db_get_i64(db, &n->id, "SELECT id FROM tag WHERE name=?", "t", n->text);
	return rc == 1 ? 0 : rc < 0 ? rc : -EIO;
}

static int list_make(struct db *db, struct stage_name *n)
{
	int rc = db_exec(
		db, "INSERT INTO list(name) VALUES(?) ON CONFLICT(name) DO NOTHING", "t", n->text);
	if (rc == 0)
		rc = db_get_i64(db, &n->id, "SELECT id FROM list WHERE name=?", "t", n->text);
	return rc == 1 ? 0 : rc < 0 ? rc : -EIO;
}

/* Rows for every name of the stage, and their ids. */
static int names_make(struct db *db, struct stage *st)
{
	int rc = 0;
	for (size_t i = 0; i < st->lanes.n && rc == 0; i++)
		rc = lane_make(db, &st->lanes.v[i]);
	for (size_t i = 0; i < st->tags.n && rc == 0; i++)
		rc = tag_make(db, &st->tags.v[i]);
	for (size_t i = 0; i < st->lists.n && rc == 0; i++)
		rc = list_make(db, &st->lists.v[i]);
	return rc;
}

static int may_begin(struct db *db, const struct stage *st, struct err *e)
{
	int64_t newest = 0, other = 0;
	int rc = db_get_i64(db, &other, "SELECT 1 FROM job WHERE kind=2 LIMIT 1", "");
	if (rc == 1)
		return err_set(
			e, -EBUSY, "another import is being applied; try again when it is done");
	if (rc == 0)
		rc = db_get_i64(db, &newest, "SELECT ifnull(max(id),0) FROM import", "");
	if (rc == 1 && newest != st->generation)
		return err_set(
			e, -ESTALE, "something else was imported meanwhile; import the file again");
	return rc < 0 ? rc : 0;
}

static int begin_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct import_begin *c = CONTAINER_OF(cmd, struct import_begin, cmd);
	struct db *db = tx_db(tx);
	int rc = may_begin(db, c->stage, &cmd->err);
	if (rc == 0)
		rc = db_exec(db,
			"INSERT INTO import(what, at, person, hash, rows, added, changed, gone) VALUES(?,?,?,?,?,?,?,?)",
			"tithiiii", c->source, tx_wall_ms(tx), c->person, &c->hash, c->counts.rows,
			c->counts.added, c->counts.changed, c->counts.gone);
	if (rc < 0)
		return rc;
	c->ret_import = db_last_id(db);
	rc = db_exec(db, "INSERT INTO job(kind, subject, cursor, next, arg) VALUES(2,?,0,0,?)",
		"it", c->ret_import, c->stage->name);
	if (rc == 0)
		rc = names_make(db, c->stage);
	char subject[300], now[200], hex[HASH_HEX];
	hash_hex(&c->hash, hex);
	(void)snprintf(subject, sizeof(subject), "import:%lld %.200s", (long long)c->ret_import,
		c->source);
	(void)snprintf(now, sizeof(now), "rows=%lld added=%lld changed=%lld gone=%lld sha256=%s",
		(long long)c->counts.rows, (long long)c->counts.added, (long long)c->counts.changed,
		(long long)c->counts.gone, hex);
	const struct audit_event ev = { .person = c->person,
		.via = c->via,
		.what = c->stage->what == IMPORT_TARGETS ? "targets.import" : "suppression.import",
		.subject = subject,
		.now = now };
	return rc < 0 ? rc : store_audit(tx, &ev);
}

void import_begin_prepare(struct import_begin *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.intake = true;
	c->cmd.run = begin_run;
}

/* --- chunks ----------------------------------------------------------------------------------------------------------------------- */

struct chunk {
	struct db *db;
	struct store_tx *tx;
	const struct stage *st;
	int64_t import_id, contact_id;
	struct str address; /* of contact_id, in the block */
	int kind;
};

static int contact_change(struct chunk *c, const struct import_row *r)
{
	int rc = db_get_i64(c->db, &c->contact_id,
		"SELECT id FROM contact WHERE kind=? AND address=?", "is", (int64_t)r->kind,
		r->address);
	if (rc != 1)
		return rc < 0 ? rc : -EIO;
	return db_exec(c->db,
		"UPDATE contact SET name=nullif(?2,''), form=?3, class=?4 WHERE id=?1 AND "
		"(name IS NOT nullif(?2,'') OR form<>?3 OR class<>?4)",
		"isss", c->contact_id, r->name, r->form, r->class);
}

static int contact_put(struct chunk *c, const struct import_row *r)
{
	if (c->contact_id && c->kind == r->kind && str_eq(c->address, r->address))
		return 0;
	c->contact_id = 0;
	int rc = db_exec(c->db,
		"INSERT INTO contact(kind, address, name, form, class) VALUES(?,?,nullif(?,''),?,?) ON CONFLICT(kind, address) DO NOTHING",
		"issss", (int64_t)r->kind, r->address, r->name, r->form, r->class);
	if (rc == 0 && db_changes(c->db) == 1)
		c->contact_id = db_last_id(c->db);
	else if (rc == 0)
		rc = contact_change(c, r);
	c->kind = r->kind;
	c->address = r->address;
	return rc;
}

/* The target's id, new or changed; *ret_new says which. */
static int target_put(struct chunk *c, const struct import_row *r, int64_t *ret_id, bool *ret_new)
{
	int64_t lane = r->lane < 0 ? 0 : c->st->lanes.v[r->lane].id;
	struct str vars = r->vars.n ? r->vars : (struct str){ NULL, 0 };
	int rc = db_exec(c->db,
		"INSERT INTO target(contact_id, lane_id, office_id, lang, flags, seen_import, vars) VALUES(?,nullif(?,0),?,?,?,?,?) "
		"ON CONFLICT(office_id, contact_id) DO NOTHING",
		"iiisiis", c->contact_id, lane, r->office_id, r->lang,
		(int64_t)(r->flags | TARGET_PENDING), c->import_id, vars);
	if (rc < 0)
		return rc;
	*ret_new = db_changes(c->db) == 1;
	if (*ret_new) {
		*ret_id = db_last_id(c->db);
		return 0;
	}
	rc = db_get_i64(c->db, ret_id, "SELECT id FROM target WHERE office_id=? AND contact_id=?",
		"ii", r->office_id, c->contact_id);
	if (rc != 1)
		return rc < 0 ? rc : -EIO;
	return db_exec(c->db,
		"UPDATE target SET lane_id=nullif(?,0), lang=?, flags=?, seen_import=?, vars=? WHERE id=?",
		"isiisi", lane, r->lang, (int64_t)r->flags, c->import_id, vars, *ret_id);
}

static int names_put(struct chunk *c, const struct import_row *r, int64_t target, bool fresh)
{
	struct str one, rest = r->tags;
	int rc = 0;
	if (!fresh)
		rc = db_exec(c->db,
			"DELETE FROM target_tag WHERE tag_id IN (SELECT tag_id FROM target_tag WHERE target_id=?1) AND target_id=?1",
			"i", target);
	if (rc == 0 && !fresh)
		rc = db_exec(c->db,
			"DELETE FROM list_target WHERE list_id IN (SELECT id FROM list) AND target_id=?1",
			"i", target);
	while (rc == 0 && str_next(&rest, IMPORT_SEP, &one))
		rc = db_exec(c->db, "INSERT INTO target_tag(tag_id, target_id) VALUES(?,?)", "ii",
			names_id(&c->st->tags, one), target);
	rest = r->lists;
	while (rc == 0 && str_next(&rest, IMPORT_SEP, &one))
		rc = db_exec(c->db, "INSERT INTO list_target(list_id, target_id) VALUES(?,?)", "ii",
			names_id(&c->st->lists, one), target);
	return rc;
}

static int touch(struct chunk *c, const struct import_row *r)
{
	return db_exec(c->db,
		"UPDATE target SET seen_import=?1, flags=flags&~4 WHERE office_id=?2 AND contact_id=(SELECT id FROM contact WHERE "
		"kind=?3 AND address=?4)",
		"iiis", c->import_id, r->office_id, (int64_t)r->kind, r->address);
}

static int suppress(struct chunk *c, const struct import_row *r)
{
	return db_exec(c->db,
		"INSERT INTO suppression(who, list, reason, strikes, since) VALUES(?,?,?,1,?) ON CONFLICT(who, list) DO UPDATE SET "
		"reason=CASE WHEN excluded.reason IN (1,2) AND reason NOT IN (1,2) THEN reason ELSE excluded.reason END",
		"btii", r->address, r->reason == SUP_DO_NOT_CALL ? SUPPRESS_ADS : "",
		(int64_t)r->reason, tx_wall_ms(c->tx));
}

static int step_run(struct chunk *c, const struct import_row *r, enum step_do what)
{
	int64_t id = 0;
	bool fresh = false;
	int rc = -EBADMSG;
	switch (what) {
	case STEP_NEW:
	case STEP_PUT:
		rc = contact_put(c, r);
		if (rc == 0)
			rc = target_put(c, r, &id, &fresh);
		return rc < 0 ? rc : names_put(c, r, id, fresh);
	case STEP_TOUCH: return touch(c, r);
	case STEP_GONE:
		return db_exec(
			c->db, "UPDATE target SET flags=flags|1 WHERE id=?", "i", r->office_id);
	case STEP_SUPPRESS: return suppress(c, r);
	}
	return rc;
}

/* --- many that are new ------------------------------------------------------------------------------------------------------------ */

struct fresh_rows { /* read, not written yet */
	struct import_row v[FRESH_ROWS];
	size_t n;
};

static int fresh_one_by_one(struct chunk *c, struct fresh_rows *w)
{
	int rc = 0;
	for (size_t i = 0; i < w->n && rc == 0; i++)
		rc = step_run(c, &w->v[i], STEP_NEW);
	w->n = 0;
	return rc;
}

static int fresh_write(struct chunk *c, struct fresh *f, struct fresh_rows *w)
{
	int rc = w->n == FRESH_ROWS ? fresh_put(f, w->v) : -EEXIST;
	if (rc == -EEXIST) /* too few for a statement, or one is there after all */
		return fresh_one_by_one(c, w);
	w->n = 0;
	return rc;
}

/* A new one waits for others; nothing else minds the order but a further target of the contact that waits. */
static int row_run(struct chunk *c, struct fresh *f, struct fresh_rows *w,
	const struct import_row *r, enum step_do what)
{
	int rc = 0;
	if (what == STEP_NEW) {
		w->v[w->n++] = *r;
		return w->n == FRESH_ROWS ? fresh_write(c, f, w) : 0;
	}
	if (what == STEP_PUT && w->n && str_eq(w->v[w->n - 1].address, r->address))
		rc = fresh_one_by_one(c, w);
	return rc < 0 ? rc : step_run(c, r, what);
}

static int chunk_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct import_chunk *x = CONTAINER_OF(cmd, struct import_chunk, cmd);
	struct chunk c = { .db = tx_db(tx), .tx = tx, .st = x->stage, .import_id = x->import_id };
	struct fresh f = { .db = c.db, .st = x->stage, .import_id = x->import_id };
	struct str rest = { x->block.p + x->at, x->block.n - x->at };
	int rc = FAULT("import.chunk") ? -EIO : 0;
	struct fresh_rows wait = { .n = 0 };
	struct import_row r;
	enum step_do what;

	for (size_t rows = 1; rc == 0 && rest.n > 0; rows++) {
		bool whole = import_unpack(&rest, &r, &what) &&
			r.lane < (int)x->stage->lanes.n; /* a file may have been damaged since */
		rc = whole ? row_run(&c, &f, &wait, &r, what) : -EBADMSG;
		if (rows % LOOK_ROWS == 0 && tx_elapsed_us(tx) > tx_chunk_us(tx))
			break;
	}
	if (rc == 0 && wait.n > 0)
		rc = fresh_write(&c, &f, &wait);
	if (rc == 0)
		rc = fresh_end(&f);
	x->next = x->block.n - rest.n;
	if (rc == 0)
		rc = db_exec(c.db, "UPDATE job SET cursor=? WHERE kind=2 AND subject=?", "ii",
			x->cursor + (int64_t)x->next, x->import_id);
	if (rc == 0 && db_changes(c.db) != 1)
		rc = err_set(&cmd->err, -ESTALE, "the import is no longer under way");
	return rc;
}

void import_chunk_prepare(struct import_chunk *c)
{
	c->cmd.class = STORE_BULK;
	c->cmd.run = chunk_run;
}

/* --- the end ------------------------------------------------------------------------------------------------------------------------ */

static int finish_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct import_finish *c = CONTAINER_OF(cmd, struct import_finish, cmd);
	sqlite3_stmt *q;
	int rc = db_exec(
		tx_db(tx), "DELETE FROM job WHERE kind=2 AND subject=?", "i", c->import_id);
	if (rc == 0)
		rc = db_query(tx_db(tx), &q,
			"SELECT rows, added, changed, gone FROM import WHERE id=?", "i",
			c->import_id);
	if (rc == 0)
		rc = db_row(tx_db(tx), q);
	if (rc != 1)
		return rc < 0 ? rc : -ENOENT;
	c->ret = (struct import_counts){ .rows = col_i64(q, 0),
		.added = col_i64(q, 1),
		.changed = col_i64(q, 2),
		.gone = col_i64(q, 3) };
	db_reset(q);
	return 0;
}

void import_finish_prepare(struct import_finish *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = finish_run;
}

static int undo_one(struct db *db, int64_t target, int64_t contact)
{
	int rc = db_exec(db,
		"DELETE FROM target_tag WHERE tag_id IN (SELECT id FROM tag) AND target_id=?", "i",
		target);
	if (rc == 0)
		rc = db_exec(db,
			"DELETE FROM list_target WHERE list_id IN (SELECT id FROM list) AND target_id=?",
			"i", target);
	if (rc == 0)
		rc = db_exec(db, "DELETE FROM target WHERE id=?", "i", target);
	if (rc == 0)
		rc = db_exec(db,
			"DELETE FROM contact WHERE id=?1 AND NOT EXISTS(SELECT 1 FROM target WHERE contact_id=?1)",
			"i", contact);
	return rc;
}

static int undo_end(struct store_tx *tx, const struct import_undo *c)
{
	char subject[60];
	(void)snprintf(subject, sizeof(subject), "import:%lld", (long long)c->import_id);
	const struct audit_event ev = { .person = "system",
		.via = "system",
		.what = "import.undone",
		.subject = subject,
		.why = "its staging file is gone; new targets were taken back" };
	int rc = db_exec(
		tx_db(tx), "DELETE FROM job WHERE kind=2 AND subject=?", "i", c->import_id);
	if (rc == 0)
		rc = db_exec(
			tx_db(tx), "UPDATE import SET what='undone' WHERE id=?", "i", c->import_id);
	return rc < 0 ? rc : store_audit(tx, &ev);
}

static int undo_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct import_undo *c = CONTAINER_OF(cmd, struct import_undo, cmd);
	struct db *db = tx_db(tx);
	struct {
		int64_t target, contact;
	} v[256];
	int64_t id = c->after;
	c->more = true;
	do {
		sqlite3_stmt *q;
		size_t n = 0, seen = 0;
		int rc = db_query(db, &q,
			"SELECT id, contact_id, seen_import=?2 AND (flags&4)<>0 FROM target WHERE id>?1 ORDER BY id LIMIT 256",
			"ii", id, c->import_id);
		while (rc == 0 && (rc = db_row(db, q)) == 1) {
			id = col_i64(q, 0);
			if (col_i64(q, 2)) {
				v[n].target = id;
				v[n++].contact = col_i64(q, 1);
			}
			seen++;
			rc = 0;
		}
		for (size_t i = 0; i < n && rc == 0; i++)
			rc = undo_one(db, v[i].target, v[i].contact);
		if (rc < 0)
			return rc;
		c->more = seen == ARRAY_LEN(v);
	} while (c->more && tx_elapsed_us(tx) < tx_chunk_us(tx));
	c->next = id;
	return c->more ? 0 : undo_end(tx, c);
}

void import_undo_prepare(struct import_undo *c)
{
	c->cmd.class = STORE_BULK;
	c->cmd.run = undo_run;
}

int import_job_get(struct db *db, struct import_job *ret)
{
	sqlite3_stmt *q;
	int rc = db_query(db, &q, "SELECT subject, cursor, arg FROM job WHERE kind=2 LIMIT 1", "");
	if (rc == 0)
		rc = db_row(db, q);
	if (rc != 1)
		return rc;
	ret->import_id = col_i64(q, 0);
	ret->cursor = col_i64(q, 1);
	(void)str_copy(ret->stage, sizeof(ret->stage), col_str(q, 2));
	db_reset(q);
	return 1;
}

static int again_run(struct store_tx *tx, struct store_cmd *cmd)
{
	return names_make(tx_db(tx), CONTAINER_OF(cmd, struct import_again, cmd)->stage);
}

void import_again_prepare(struct import_again *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = again_run;
}
