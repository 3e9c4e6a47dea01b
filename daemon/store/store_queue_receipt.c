/* store_queue_receipt.c - what providers say later: receipts, early ones kept as orphans, saved steps, facts.
 * Thread: store. Owns: nothing. Must not know: adapters.
 * A receipt finds its delivery by our own reference or by the provider's id (a unique hit); it is stored in any case, and
 * moves the state only where the table says so. One that comes before its attempt is over waits as an orphan.
 * Failures: a store error fails the command; the peer is then not told "ok" and sends it again. */
#include <stdio.h>
#include <string.h>
#include "store/store_internal.h"
#include "store/store_queue.h"
#include "store/store_queue_effect.h"

#define DAY_MS    INT64_C(86400000)
#define DAYS_BACK 8

/* 1: a unique hit; 0: none, or several deliveries claim it. */
static int find_by_ids(
	struct store_tx *tx, const struct sq_receipt *c, int64_t *ret_delivery, int64_t *ret_effect)
{
	struct str rest = str_of(c->ids), id;
	int64_t today = tx_wall_ms(tx) / DAY_MS;

	while (str_next(&rest, '\n', &id)) {
		sqlite3_stmt *st;
		size_t hits = 0;
		if (!id.n)
			continue;
		int rc = db_query(tx_db(tx), &st,
			"WITH RECURSIVE day(d) AS (SELECT ?1 UNION ALL SELECT d-1 FROM day WHERE d>?1-?2) "
			"SELECT DISTINCT r.delivery_id, r.effect FROM lane n CROSS JOIN day CROSS JOIN ref "
			"r ON r.lane_id=n.id AND r.day=day.d AND r.provider_id=?3 WHERE n.account_id=?4 "
			"LIMIT 2",
			"iisi", today, (int64_t)DAYS_BACK, id, c->account_id);
		while (rc == 0 && (rc = db_row(tx_db(tx), st)) == 1) {
			*ret_delivery = col_i64(st, 0);
			*ret_effect = col_i64(st, 1);
			hits++;
			rc = 0;
		}
		if (rc)
			return rc;
		if (hits == 1)
			return 1;
		if (hits > 1)
			return 0;
	}
	return 0;
}

static int orphan_keep(struct store_tx *tx, const struct sq_receipt *c)
{
	struct db *db = tx_db(tx);
	char body[400];

	if (c->orphan_id && tx_wall_ms(tx) >= c->give_up_ms)
		return db_exec(db, "DELETE FROM orphan WHERE id=?", "i", c->orphan_id);
	if (c->orphan_id)
		return db_exec(db, "UPDATE orphan SET next=? WHERE id=?", "ii",
			tx_wall_ms(tx) + c->retry_ms, c->orphan_id);
	snprintf(body, sizeof(body), "%d %d %lld %lld %s", c->state, c->final ? 1 : 0,
		(long long)c->at_ms, (long long)c->delivery, c->code);
	return db_exec(db,
		"INSERT INTO orphan(lane_id, ids, body, next, give_up) SELECT min(id), ?, ?, ?, ? FROM "
		"lane WHERE account_id=? HAVING min(id) IS NOT NULL",
		"ttiii", c->ids, body, tx_wall_ms(tx) + c->retry_ms, c->give_up_ms, c->account_id);
}

static int correction_audit(struct store_tx *tx, int64_t delivery, int from, int to)
{
	char subject[48];
	struct audit_event ev = { .person = "system",
		.via = "receipt",
		.what = "delivery.correct",
		.subject = subject,
		.was = dlv_state_name(from),
		.now = dlv_state_name(to),
		.why = "a late receipt" };

	snprintf(subject, sizeof(subject), "delivery:%lld", (long long)delivery);
	return store_audit(tx, &ev);
}

/* Delivered only when no other effect of it is still under way. */
static int others_open(struct store_tx *tx, int64_t delivery, bool *ret)
{
	int64_t n = 0;
	int rc = db_get_i64(tx_db(tx), &n,
		"SELECT count(*) FROM effect WHERE delivery_id=? AND state NOT IN (17,19)", "i",
		delivery);

	*ret = n > 0;
	return rc < 0 ? rc : 0;
}

static int receipt_move(struct store_tx *tx, struct sq_receipt *c, int64_t delivery, int64_t from)
{
	struct sq_tally t;
	bool open = false;
	int to = receipt_decide((enum dlv_state)from, c->state), rc = 0;

	if (to == (int)DLV_DELIVERED)
		rc = others_open(tx, delivery, &open);
	if (rc || to < 0 || open)
		return rc;
	rc = db_exec(tx_db(tx), "UPDATE delivery SET state=? WHERE id=? AND state=?", "iii",
		(int64_t)to, delivery, from);
	if (rc || db_changes(tx_db(tx)) != 1)
		return rc;
	c->ret_from = (int)from;
	c->ret_to = to;
	sq_tally_init(&t);
	sq_tally_move(&t, c->ret_lot, (enum dlv_state)from, (enum dlv_state)to);
	rc = sq_tally_write(&t, tx);
	sq_tally_done(&t);
	if (rc == 0 && (from == DLV_FAILED || from == DLV_UNKNOWN))
		rc = correction_audit(tx, delivery, (int)from, to);
	return rc;
}

static int receipt_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct sq_receipt *c = CONTAINER_OF(cmd, struct sq_receipt, cmd);
	int64_t delivery = c->delivery, effect = 0, state = 0, tries = 0;
	int rc = delivery ? 1 : find_by_ids(tx, c, &delivery, &effect);

	c->ret_lot = c->ret_delivery = 0;
	c->ret_from = c->ret_to = -1;
	if (rc == 1)
		rc = sq_delivery_get(tx_db(tx), delivery, &c->ret_lot, &state, &tries);
	if (rc < 0)
		return rc;
	if (rc == 0 || state == DLV_SENDING)
		return orphan_keep(tx, c);
	c->ret_delivery = delivery;
	rc = db_exec(tx_db(tx),
		"INSERT INTO receipt(delivery_id, effect, state, at, code) VALUES (?,?,?,?,?)",
		"iiiit", delivery, effect, (int64_t)c->state, c->at_ms,
		c->code[0] ? c->code : NULL);
	if (rc == 0)
		rc = db_exec(tx_db(tx),
			"UPDATE effect SET state=? WHERE delivery_id=? AND effect=?", "iii",
			(int64_t)c->state, delivery, effect);
	if (rc == 0)
		rc = receipt_move(tx, c, delivery, state);
	if (rc == 0 && c->orphan_id)
		rc = db_exec(tx_db(tx), "DELETE FROM orphan WHERE id=?", "i", c->orphan_id);
	return rc;
}

void sq_receipt_init(struct sq_receipt *c)
{
	c->cmd.class = STORE_OUTCOME;
	c->cmd.run = receipt_run;
	c->ret_from = c->ret_to = -1;
}

int sq_read_orphans(struct store_reader *r, int64_t now_ms, size_t max,
	int (*row)(void *ctx, const struct sq_receipt *o), void *ctx)
{
	struct db *db = reader_db(r);
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT o.id, n.account_id, o.ids, o.body, o.give_up FROM orphan o JOIN lane n ON "
		"n.id=o.lane_id WHERE o.next<=? ORDER BY o.next LIMIT ?",
		"ii", now_ms, (int64_t)max);

	if (rc)
		return rc;
	while ((rc = db_row(db, st)) == 1) {
		struct sq_receipt o;
		int state = 0, final = 0;
		long long at = 0, delivery = 0;
		memset(&o, 0, sizeof(o));
		sq_receipt_init(&o);
		o.orphan_id = col_i64(st, 0);
		o.account_id = col_i64(st, 1);
		(void)str_copy(o.ids, sizeof(o.ids), col_str(st, 2));
		if (sscanf(col_z(st, 3), "%d %d %lld %lld %79s", &state, &final, &at, &delivery,
			    o.code) < 4)
			continue;
		o.give_up_ms = col_i64(st, 4);
		o.state = state;
		o.final = final != 0;
		o.at_ms = at;
		o.delivery = delivery;
		rc = row(ctx, &o);
		if (rc) {
			db_reset(st);
			return rc;
		}
	}
	return rc;
}

static int save_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct sq_save *c = CONTAINER_OF(cmd, struct sq_save, cmd);

	if (c->name[0] == '!')
		return -EINVAL; /* ours */
	if (!c->value.n)
		return db_exec(tx_db(tx), "DELETE FROM step WHERE delivery_id=? AND name=?", "it",
			c->delivery, c->name);
	return db_exec(tx_db(tx),
		"INSERT OR REPLACE INTO step(delivery_id, name, value) VALUES (?,?,?)", "its",
		c->delivery, c->name, c->value);
}

void sq_save_init(struct sq_save *c)
{
	c->cmd.class = STORE_OUTCOME;
	c->cmd.run = save_run;
}

static int stat_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct sq_stat *c = CONTAINER_OF(cmd, struct sq_stat, cmd);

	return db_exec(tx_db(tx),
		"INSERT OR REPLACE INTO stat(delivery_id, name, day, value) VALUES (?,?,?,?)",
		"itii", c->delivery, c->name, tx_wall_ms(tx) / DAY_MS, c->value);
}

void sq_stat_init(struct sq_stat *c)
{
	c->cmd.class = STORE_BULK;
	c->cmd.run = stat_run;
}
