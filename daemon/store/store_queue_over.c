/* store_queue_over.c - waiting deliveries change their lane: the second gateway takes over, and gives back.
 * Thread: store, the one writer: an intent names the lot that it was leased from, so a delivery that has moved is not granted
 * from its old lane, and one whose intent is committed is not waiting and is not moved. It keeps its id, and with it its once-key.
 * Moved is only what is proven not to be there: state waiting, no part of it accepted, no step of it done.
 * Failures: a store error fails the chunk whole; what may not be moved stays and waits. */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "store/store_internal.h"
#include "store/store_queue_over.h"

#define STEP_ROWS 500
#define SOON_MS   INT64_C(60000) /* a probe waits so long at most */

/* Approved for that channel: an output of the row's form and language was shown and approved there, for the lot's part and office. */
#define COVERED                                                                             \
	"EXISTS(SELECT 1 FROM prepared p JOIN lane n ON n.id=?2 JOIN account a ON "         \
	"a.id=n.account_id WHERE p.manifest=l.manifest AND p.part=l.part AND p.channel_id=" \
	"a.channel_id AND p.office_id=l.office_id)"
#define ROW_COVERED                                                                     \
	"EXISTS(SELECT 1 FROM lot l JOIN lane n ON n.id=?2 JOIN account a ON "          \
	"a.id=n.account_id JOIN contact k ON k.id=d.contact_id JOIN target g ON "       \
	"g.id=d.target_id JOIN office f ON f.id=l.office_id JOIN prepared p ON "        \
	"p.manifest=l.manifest AND p.part=l.part AND p.channel_id=a.channel_id AND "    \
	"p.form=k.form AND p.lang=CASE WHEN g.lang='' THEN f.lang ELSE g.lang END AND " \
	"p.office_id=l.office_id WHERE l.id=d.lot_id)"
/* Of a lot, to a lane, where it is not 0 only what is routed there. */
#define MAY_MOVE                                                                                \
	"FROM delivery d INDEXED BY delivery_due WHERE d.state=0 AND d.lot_id=?1 AND NOT "      \
	"EXISTS(SELECT 1 FROM effect e WHERE e.delivery_id=d.id) AND NOT EXISTS(SELECT 1 FROM " \
	"step s WHERE s.delivery_id=d.id AND substr(s.name,1,1)<>'!') AND NOT EXISTS(SELECT 1 " \
	"FROM intent i WHERE i.delivery_id=d.id) AND " ROW_COVERED                              \
	" AND (?3=0 OR EXISTS(SELECT 1 FROM target t WHERE t.id=d.target_id AND t.lane_id=?3)) "

/* 1: the lot beside it on that lane stands, and *ret_same whether it is open under the same approval and time. */
static int beside(struct db *db, int64_t lot, int64_t lane, int64_t *ret, int64_t *ret_same)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT o.id, o.gate=1 AND o.manifest=l.manifest AND o.at=l.at FROM lot l JOIN lot "
		"o ON o.release_id=l.release_id AND o.part=l.part AND o.lane_id=?2 AND "
		"o.office_id=l.office_id WHERE l.id=?1",
		"ii", lot, lane);

	if (rc == 0)
		rc = db_row(db, st);
	if (rc != 1)
		return rc;
	*ret = col_i64(st, 0);
	*ret_same = col_i64(st, 1);
	db_reset(st);
	return 1;
}

static int lot_fits(struct store_tx *tx, int64_t lot, int64_t lane)
{
	int64_t one = 0;

	return db_get_i64(tx_db(tx), &one,
		"SELECT 1 FROM lot l WHERE l.id=?1 AND l.gate=1 AND " COVERED, "ii", lot, lane);
}

/* Of one that fits. */
static int lot_beside(struct store_tx *tx, int64_t lot, int64_t lane, int64_t *ret)
{
	struct db *db = tx_db(tx);
	int64_t one = 0;
	int rc = beside(db, lot, lane, ret, &one);

	if (rc)
		return rc < 0 ? rc : one != 0;
	rc = db_exec(db,
		"INSERT INTO lot(release_id, part, lane_id, office_id, manifest, gate, prio, at, expires, "
		"spread_ms) SELECT release_id, part, ?2, office_id, manifest, 1, prio, at, expires, "
		"spread_ms FROM lot WHERE id=?1",
		"ii", lot, lane);
	if (rc == 0)
		rc = beside(db, lot, lane, ret, &one);
	return rc == 1 ? one != 0 : rc < 0 ? rc : -EIO;
}

int sq_over_lot(struct store_tx *tx, int64_t lot, int64_t lane, int64_t *ret)
{
	int rc = lot_fits(tx, lot, lane);

	return rc == 1 ? lot_beside(tx, lot, lane, ret) : rc;
}

int sq_over_fits(struct store_tx *tx, int64_t delivery, int64_t lane)
{
	int64_t one = 0;

	return db_get_i64(tx_db(tx), &one,
		"SELECT 1 FROM delivery d WHERE d.id=?1 AND " ROW_COVERED, "ii", delivery, lane);
}

static int add_waiting(struct db *db, int64_t lot, int64_t n)
{
	return db_exec(db, "UPDATE lot SET n0=n0+? WHERE id=?", "ii", n, lot);
}

static int64_t routed(const struct sq_over *c)
{
	return c->back ? c->to : 0;
}

/* One that was put off by the other gateway may go here at once; a spread that has not come stays as it is. */
static int move_rows(struct store_tx *tx, const struct sq_over *c, int64_t from, int64_t to,
	int64_t room, int64_t *ret)
{
	struct db *db = tx_db(tx);
	int rc = db_exec(db,
		"UPDATE delivery SET lot_id=?4, due=CASE WHEN tries>0 THEN min(due, max(0, ?5-(SELECT at "
		"FROM lot WHERE id=?1))) ELSE due END WHERE id IN (SELECT d.id " MAY_MOVE
		"ORDER BY d.due LIMIT ?6)",
		"iiiiii", from, c->to, routed(c), to, tx_wall_ms(tx), room);

	*ret = rc ? 0 : db_changes(db);
	if (rc == 0 && *ret > 0)
		rc = add_waiting(db, from, -*ret);
	if (rc == 0 && *ret > 0)
		rc = add_waiting(db, to, *ret);
	return rc;
}

static int lane_text(struct db *db, int64_t lane, char *dst, size_t size)
{
	int rc = db_get_text(db, dst, size,
		"SELECT c.name || '/' || a.name || '/' || l.class FROM lane l JOIN account a ON "
		"a.id=l.account_id JOIN channel c ON c.id=a.channel_id WHERE l.id=?",
		"i", lane);

	return rc == 1 ? 0 : rc < 0 ? rc : -ENOENT;
}

static int over_audit(struct store_tx *tx, const struct sq_over *c, int64_t lot, int64_t n)
{
	char subject[200], was[160], now[300];
	int64_t release = 0;
	struct audit_event ev = { .person = "system",
		.via = "system",
		.what = c->back ? "lot.back" : "lot.over",
		.subject = subject,
		.was = was,
		.now = now,
		.why = c->why };
	char to[160];
	int rc = db_get_i64(tx_db(tx), &release, "SELECT release_id FROM lot WHERE id=?", "i", lot);

	if (rc == 1)
		rc = lane_text(tx_db(tx), c->from, was, sizeof(was));
	if (rc == 0)
		rc = lane_text(tx_db(tx), c->to, to, sizeof(to));
	if (rc)
		return rc < 0 ? rc : -EIO;
	(void)snprintf(subject, sizeof(subject), "release:#%lld lot:#%lld", (long long)release,
		(long long)lot);
	(void)snprintf(now, sizeof(now), "%s, %lld waiting deliveries", to, (long long)n);
	return store_audit(tx, &ev);
}

int sq_over_row(struct store_tx *tx, const struct sq_outcome *o, int64_t lot)
{
	struct sq_over c = { .from = o->lane, .to = o->over_lane };
	int rc = db_exec(tx_db(tx), "UPDATE delivery SET lot_id=? WHERE id=? AND state=0", "ii",
		lot, o->delivery);

	if (rc == 0)
		rc = add_waiting(tx_db(tx), o->lot, -1);
	if (rc == 0)
		rc = add_waiting(tx_db(tx), lot, 1);
	(void)snprintf(c.why, sizeof(c.why),
		"refused: " STR_FMT ": the second gateway may reach it",
		STR_ARG(((struct str){ o->code.p, o->code.n < 40 ? o->code.n : 40 })));
	return rc ? rc : over_audit(tx, &c, o->lot, 1);
}

/* 1: the first that waits in it is due soon on the other lane, where a time that its retry was given does not count. */
static int over_due(struct store_tx *tx, int64_t lot)
{
	int64_t due = 0;
	int rc = db_get_i64(tx_db(tx), &due,
		"SELECT l.at+CASE WHEN d.tries>0 THEN min(d.due, max(0, ?2-l.at)) ELSE d.due END "
		"FROM lot l JOIN delivery d INDEXED BY delivery_due ON d.lot_id=l.id WHERE l.id=?1 "
		"AND d.state=0 ORDER BY d.due LIMIT 1",
		"ii", lot, tx_wall_ms(tx));

	return rc == 1 ? due <= tx_wall_ms(tx) + SOON_MS : rc;
}

static int some_may_move(struct store_tx *tx, const struct sq_over *c, int64_t lot)
{
	int64_t one = 0;

	return db_get_i64(
		tx_db(tx), &one, "SELECT 1 " MAY_MOVE "LIMIT 1", "iii", lot, c->to, routed(c));
}

/* 1: *ret is made or there, and something may go to it. No lot is made for nothing. */
static int over_to(struct store_tx *tx, const struct sq_over *c, int64_t lot, int64_t *ret,
	bool *ret_uncovered)
{
	int rc = c->max ? over_due(tx, lot) : 1;

	if (rc == 1) {
		rc = lot_fits(tx, lot, c->to);
		*ret_uncovered = rc == 0;
	}
	if (rc == 1)
		rc = some_may_move(tx, c, lot);
	if (rc == 1) {
		rc = lot_beside(tx, lot, c->to, ret);
		*ret_uncovered = rc == 0;
	}
	return rc;
}

static int over_one(
	struct store_tx *tx, struct sq_over *c, int64_t lot, bool *ret_left, bool *ret_uncovered)
{
	int64_t to = 0, moved = 0, n = 0;

	*ret_left = *ret_uncovered = false;
	int rc = over_to(tx, c, lot, &to, ret_uncovered);
	if (rc <= 0)
		return rc;
	do {
		int64_t room = c->max ? c->max - c->ret_moved - moved : STEP_ROWS;
		room = room < STEP_ROWS ? room : STEP_ROWS;
		rc = room > 0 ? move_rows(tx, c, lot, to, room, &n) : 0;
		moved += room > 0 ? n : 0;
		*ret_left = room == STEP_ROWS && n == STEP_ROWS;
	} while (rc == 0 && *ret_left && tx_elapsed_us(tx) < tx_chunk_us(tx));
	c->ret_moved += moved;
	return rc || moved == 0 ? rc : over_audit(tx, c, lot, moved);
}

static int over_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct sq_over *c = CONTAINER_OF(cmd, struct sq_over, cmd);
	int rc = 0;

	REQUIRE(c->n <= SQ_OVER_LOTS);
	c->ret_moved = 0;
	c->left = false;
	memset(c->uncovered, 0, sizeof(c->uncovered));
	for (size_t i = 0; i < c->n && rc == 0 && (!c->max || c->ret_moved < c->max); i++) {
		bool left = false;
		rc = over_one(tx, c, c->lot[i], &left, &c->uncovered[i]);
		c->left = c->left || left;
		if (rc == 0 && tx_elapsed_us(tx) >= tx_chunk_us(tx) && i + 1 < c->n) {
			c->left = true;
			break;
		}
	}
	return rc;
}

void sq_over_init(struct sq_over *c)
{
	c->cmd.class = STORE_BULK;
	c->cmd.run = over_run;
}
