/* store_plan.c - lots and deliveries in chunks: clear what is planned again, plan from a list, plan pair by pair.
 * Thread: store, bulk class: one chunk of at most 20 ms a transaction. Each chunk first looks whether its manifest is still
 * the planned one (stale otherwise), and leaves its cursor in the job row, in the same transaction as its rows.
 */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "base/fault.h"
#include "store/store_fence.h"
#include "store/store_plan.h"

#define STEP_ROWS_MAX 2048
#define STEP_ROWS_MIN 32
#define STEP_ROWS     64 /* of targets, to begin with */
#define STEPS         6  /* of a chunk, about: as many looks at the clock */
#define CLEAR_ROWS    1000

/* Rows of the next step, by what the last one took. */
static void step_adapt(int64_t *rows, int64_t took_us, int64_t chunk_us)
{
	int64_t aim_us = chunk_us / STEPS;
	if (2 * took_us < aim_us && *rows < STEP_ROWS_MAX)
		*rows *= 2;
	else if (took_us > aim_us && *rows > STEP_ROWS_MIN)
		*rows /= 2;
}

/* 1: still to be planned under this manifest, 0: not, negative: failure. */
static int still_planned(struct db *db, const struct plan_lot *l)
{
	struct hash now;
	int64_t state = 0;
	int rc = manifest_planned(db, l->release_id, &now);
	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		return rc;
	rc = db_get_i64(db, &state,
		"SELECT state FROM release WHERE id=?1 AND NOT EXISTS(SELECT 1 FROM part p JOIN manifest m ON "
		"m.hash=?3 WHERE p.release_id=?1 AND p.rev=m.rev AND p.part=?2 AND p.state=4)",
		"iih", l->release_id, (int64_t)l->part, &l->manifest);
	if (rc <= 0)
		return rc;
	return (state == REL_APPROVED || state == REL_SENDING) && hash_cmp(&now, &l->manifest) == 0;
}

static int cursor_put(struct db *db, const struct plan_lot *l, int64_t office_id, int64_t lane_id,
	int64_t contact)
{
	char hex[HASH_HEX], arg[HASH_HEX + 80];
	hash_hex(&l->manifest, hex);
	snprintf(arg, sizeof(arg), "%s %u %lld %lld", hex, l->part, (long long)office_id,
		(long long)lane_id);
	return db_exec(db, "UPDATE job SET arg=?, cursor=? WHERE kind=1 AND subject=?", "tii", arg,
		contact, l->release_id);
}

int plan_cursor_get(
	struct db *db, int64_t release_id, struct hash *ret_manifest, struct plan_cursor *ret)
{
	sqlite3_stmt *st;
	long long part = 0, office = 0, lane = 0;
	int rc = db_query(
		db, &st, "SELECT arg, cursor FROM job WHERE kind=1 AND subject=?", "i", release_id);
	if (rc == 0)
		rc = db_row(db, st);
	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	struct str arg = col_str(st, 0),
		   hex = { arg.p, arg.n < HASH_HEX - 1 ? arg.n : HASH_HEX - 1 };
	rc = hash_from_hex(hex, ret_manifest) < 0 ? -EBADMSG : 0;
	if (rc == 0 && arg.n > HASH_HEX)
		(void)sscanf(col_z(st, 0) + HASH_HEX, "%lld %lld %lld", &part, &office,
			&lane); /* absent: zeros */
	*ret = (struct plan_cursor){ part, office, lane, col_i64(st, 1) };
	db_reset(st);
	return rc;
}

/* The lot to put rows into: 1 *ret, 0: this lane and office is over for the release (cancelled, expired). */
static int lot_for(struct store_tx *tx, const struct plan_lot *l, int64_t lane_id,
	int64_t office_id, int64_t *ret)
{
	struct db *db = tx_db(tx);
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT id, gate FROM lot WHERE release_id=? AND part=? AND lane_id=? AND office_id=?",
		"iiii", l->release_id, (int64_t)l->part, lane_id, office_id);
	if (rc == 0)
		rc = db_row(db, st);
	if (rc < 0)
		return rc;
	if (rc == 1) {
		*ret = col_i64(st, 0);
		rc = col_i64(st, 1) == LOT_PLANNING;
		db_reset(st);
		return rc;
	}
	rc = db_exec(db,
		"INSERT INTO lot(release_id, part, lane_id, office_id, manifest, gate, prio, at, expires, spread_ms) "
		"VALUES(?,?,?,?,?,0,?,?,?,?)",
		"iiiihiiii", l->release_id, (int64_t)l->part, lane_id, office_id, &l->manifest,
		(int64_t)l->prio, l->at, l->expires, l->spread_ms);
	*ret = db_last_id(db);
	return rc < 0 ? rc : 1;
}

static int add_n0(struct db *db, int64_t lot_id, int64_t n)
{
	return n ? db_exec(db, "UPDATE lot SET n0=n0+? WHERE id=?", "ii", n, lot_id) : 0;
}

/* --- clear ---------------------------------------------------------------------------------------------------------------------- */

/* Rows that nobody has tried go. A backup may have them: if a copy of the new plan got the number of one of them and went out, the row
 * of the backup would be sent under a name that the provider has. */
static int rows_clear(struct db *db, int64_t lot_id, int64_t *ret_gone)
{
	int64_t top = 0, left = 0;
	int rc = db_get_i64(db, &top, "SELECT ifnull(max(id), 0) FROM delivery", "");
	if (rc < 0)
		return rc;
	/* A try that was given back has left its attempt, a saved step its row: such a delivery stays. */
	rc = db_exec(db,
		"DELETE FROM delivery WHERE id IN (SELECT id FROM delivery d WHERE state=0 AND lot_id=?1 AND tries=0 AND NOT EXISTS(SELECT 1 FROM "
		"attempt a WHERE a.delivery_id=d.id) AND NOT EXISTS(SELECT 1 FROM step s WHERE s.delivery_id=d.id) LIMIT 1000)",
		"i", lot_id);
	if (rc < 0)
		return rc;
	*ret_gone = db_changes(db);
	rc = db_get_i64(db, &left, "SELECT ifnull(max(id), 0) FROM delivery", "");
	return rc < 0 ? rc : left < top ? delivery_number_hold(db, top) : 0;
}

static int clear_lot(struct store_tx *tx, struct plan_clear_cmd *c, int64_t lot_id, bool *more)
{
	struct db *db = tx_db(tx);
	int64_t gone = 0;
	int rc = rows_clear(db, lot_id, &gone);
	if (rc < 0)
		return rc;
	c->ret_rows += gone;
	*more = gone == CLEAR_ROWS;
	rc = db_exec(db, "UPDATE lot SET n0=n0-? WHERE id=?", "ii", gone, lot_id);
	if (rc == 0 &&
		!*more) /* a lot without any row goes, too: it may have no place in the new plan */
		rc = db_exec(db,
			"DELETE FROM lot WHERE id=? AND n0=0 AND n1=0 AND n2=0 AND n3=0 AND n4=0 AND n5=0 AND n6=0 AND n7=0 AND n8=0 AND n9=0 "
			"AND n10=0",
			"i", lot_id);
	return rc;
}

static int clear_end(struct db *db, const struct plan_clear_cmd *c)
{
	if (!c->part)
		return 0;
	return db_exec(db,
		"UPDATE part SET planned=1 WHERE release_id=? AND rev=? AND part=? AND planned=0",
		"iii", c->release_id, c->rev, (int64_t)c->part);
}

static int clear_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct plan_clear_cmd *c = CONTAINER_OF(cmd, struct plan_clear_cmd, cmd);
	struct db *db = tx_db(tx);
	c->left = false;
	for (int64_t after = 0;;) {
		int64_t lot = 0;
		bool more = false;
		int rc = db_get_i64(db, &lot,
			"SELECT id FROM lot WHERE release_id=?1 AND gate=0 AND id>?2 AND (?3=0 OR part=?3) ORDER BY id LIMIT 1",
			"iii", c->release_id, after, (int64_t)c->part);
		if (rc < 0)
			return rc;
		if (rc == 0)
			return clear_end(db, c);
		rc = clear_lot(tx, c, lot, &more);
		if (rc < 0)
			return rc;
		if (!more)
			after = lot;
		if (tx_elapsed_us(tx) > tx_chunk_us(tx)) {
			c->left = true;
			return 0;
		}
	}
}

void plan_clear_prepare(struct plan_clear_cmd *c)
{
	c->cmd.class = STORE_BULK;
	c->cmd.run = clear_run;
}

/* --- from a list ------------------------------------------------------------------------------------------------------------------ */

/* The same spread as in the SQL below: a slot by contact, so that planning again gives the same moment. */
static int64_t due_of(const struct plan_lot *l, int64_t contact)
{
	int64_t seed = l->release_id * 7919;
	int64_t due = ((contact % 1000003) * INT64_C(2654435761) + seed) % (l->spread_ms + 1);
	return due + ((contact % 999983) * INT64_C(40503) + seed) % (l->jitter_ms + 1);
}

static int list_one(struct store_tx *tx, struct plan_list_cmd *c, int64_t lot_id,
	const struct resolve_winner *w, int64_t *n)
{
	struct db *db = tx_db(tx);
	int64_t once = dlv_once(c->lot.release_id, c->lot.slot, (enum chan_kind)w->kind);
	int rc = db_exec(db,
		"INSERT INTO delivery(lot_id, contact_id, once, state, tries, due, target_id) VALUES(?,?,?,0,0,?,?) "
		"ON CONFLICT(once, contact_id) DO NOTHING",
		"iiiii", lot_id, w->contact_id, once, due_of(&c->lot, w->contact_id), w->target_id);
	if (rc == 0)
		*n += db_changes(db);
	return rc;
}

static int list_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct plan_list_cmd *c = CONTAINER_OF(cmd, struct plan_list_cmd, cmd);
	size_t at = c->at; /* moves on only with the rows: a rolled back chunk is done again */
	int64_t rows = 0;
	int rc = still_planned(tx_db(tx), &c->lot);
	c->stale = rc == 0;
	if (rc <= 0)
		return rc;
	while (at < c->n && tx_elapsed_us(tx) < tx_chunk_us(tx)) {
		const struct resolve_winner *w = &c->winners[at];
		int64_t lot = 0, n = 0;
		int use = lot_for(tx, &c->lot, w->lane_id, w->office_id, &lot);
		if (use < 0)
			return use;
		for (size_t step = 0; at < c->n && step < STEP_ROWS; at++, step++) {
			const struct resolve_winner *v = &c->winners[at];
			if (v->lane_id != w->lane_id || v->office_id != w->office_id)
				break;
			rc = use ? list_one(tx, c, lot, v, &n) : 0;
			if (rc < 0)
				return rc;
		}
		rc = add_n0(tx_db(tx), lot, n);
		if (rc < 0)
			return rc;
		rows += n;
		if (FAULT("plan.chunk"))
			return -EIO;
	}
	rc = cursor_put(tx_db(tx), &c->lot, 0, 0, 0);
	if (rc == 0) {
		c->at = at;
		c->ret_rows += rows;
	}
	return rc;
}

void plan_list_prepare(struct plan_list_cmd *c)
{
	c->cmd.class = STORE_BULK;
	c->cmd.run = list_run;
}

/* --- pair by pair ------------------------------------------------------------------------------------------------------------------- */

static int prepare_insert(struct db *db, const char *where, sqlite3_stmt **ret)
{
	struct buf sql CLEANUP_BUF;
	buf_init(&sql, AUDIENCE_SQL_MAX + 2048);
	buf_addf(&sql,
		"INSERT INTO delivery(lot_id, contact_id, once, state, tries, due, target_id) SELECT ?1, t.contact_id, ?2, 0, 0, "
		"((t.contact_id %% 1000003) * 2654435761 + ?3) %% ?4 + ((t.contact_id %% 999983) * 40503 + ?3) %% ?5, t.id "
		"FROM target t WHERE t.lane_id=?6 AND t.office_id=?7 AND t.contact_id>?8 AND t.contact_id<=?9 AND " AUDIENCE_TARGET_SEEN
		" AND %s "
		"ORDER BY t.contact_id ON CONFLICT(once, contact_id) DO NOTHING",
		where);
	return sql.failed ? -E2BIG : db_prepare(db, buf_z(&sql), ret);
}

/* The next piece of a pair, of `most` targets: 1 rows were looked at and *from moved on, 0 the pair is done. */
static int pair_step(struct store_tx *tx, struct plan_pair_cmd *c, sqlite3_stmt *st,
	const struct plan_pair *p, int64_t most, int64_t *from, int64_t *rows)
{
	struct db *db = tx_db(tx);
	int64_t to = INT64_MAX, lot = 0;
	int rc = db_get_i64(db, &to,
		"SELECT contact_id FROM target WHERE lane_id=? AND office_id=? AND contact_id>? ORDER BY contact_id LIMIT 1 OFFSET ?",
		"iiii", p->lane_id, p->office_id, *from, most - 1);
	if (rc < 0)
		return rc;
	bool last = rc == 0;
	rc = lot_for(tx, &c->lot, p->lane_id, p->office_id, &lot);
	if (rc <= 0)
		return rc;
	sqlite3_reset(st);
	rc = db_bind(st, "iiiiiiiii", lot,
		dlv_once(c->lot.release_id, c->lot.slot, (enum chan_kind)p->kind),
		c->lot.release_id * 7919, c->lot.spread_ms + 1, c->lot.jitter_ms + 1, p->lane_id,
		p->office_id, *from, to);
	if (rc < 0)
		return rc;
	if (sqlite3_step(st) != SQLITE_DONE)
		return sqlite3_reset(st) == SQLITE_FULL ? -ENOSPC : -EIO;
	int64_t n = db_changes(db);
	rc = add_n0(db, lot, n);
	if (rc == 0 && last &&
		n == 0) /* nobody of this lane and office is in the audience: no lot */
		rc = db_exec(db,
			"DELETE FROM lot WHERE id=? AND gate=0 AND n0=0 AND NOT EXISTS(SELECT 1 FROM delivery WHERE lot_id=lot.id AND state=0) "
			"AND n1+n2+n3+n4+n5+n6+n7+n8+n9+n10=0",
			"i", lot);
	if (rc < 0)
		return rc;
	*rows += n;
	*from = to;
	return !last;
}

static int pair_chunk(struct store_tx *tx, struct plan_pair_cmd *c, sqlite3_stmt *st)
{
	size_t at = c->at;
	int64_t contact = c->contact, rows = 0, from_us = tx_elapsed_us(tx), chunk_us;
	int rc = 0;
	if (!c->step_rows)
		c->step_rows = STEP_ROWS;
	while (at < c->n && from_us < (chunk_us = tx_chunk_us(tx))) {
		rc = pair_step(tx, c, st, &c->pairs[at], c->step_rows, &contact, &rows);
		if (rc < 0)
			return rc;
		int64_t now_us = tx_elapsed_us(tx);
		step_adapt(&c->step_rows, now_us - from_us, chunk_us);
		from_us = now_us;
		if (rc == 0) {
			at++;
			contact = 0;
		}
		if (FAULT("plan.chunk"))
			return -EIO;
	}
	const struct plan_pair *p = at < c->n ? &c->pairs[at] : NULL;
	rc = cursor_put(tx_db(tx), &c->lot, p ? p->office_id : 0, p ? p->lane_id : 0, contact);
	if (rc == 0) {
		c->at = at;
		c->contact = contact;
		c->ret_rows += rows;
	}
	return rc;
}

static int pair_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct plan_pair_cmd *c = CONTAINER_OF(cmd, struct plan_pair_cmd, cmd);
	sqlite3_stmt *st = NULL;
	int rc = still_planned(tx_db(tx), &c->lot);
	c->stale = rc == 0;
	if (rc <= 0)
		return rc;
	rc = prepare_insert(tx_db(tx), c->where, &st);
	if (rc < 0)
		return rc;
	rc = pair_chunk(tx, c, st);
	sqlite3_finalize(st);
	return rc;
}

void plan_pair_prepare(struct plan_pair_cmd *c)
{
	c->cmd.class = STORE_BULK;
	c->cmd.run = pair_run;
}
