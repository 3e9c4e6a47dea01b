/* store_queue_recover.c - after a crash, and beside dispatch: older intents, questions answered, swept lots.
 * Thread: store. Owns: nothing. Must not know: why the process ended.
 * Recovery: a delivery that stands `sending` when the daemon starts belongs to an older epoch. Its intent rows say how far
 * it came: only repeatable ones (the marker of an adapter with steps is one) mean that nothing was published for good, so
 * it waits again; no row, or one that cannot be repeated, means unknown. Nothing here ever resends an unknown.
 * A delivery that an adapter had in its hands when the daemon ended may be what ended it: the second time it is set aside. One that
 * was merely on its way is not suspected, however often the daemon is killed.
 * Failures: a chunk that fails is asked for again by dispatch. */
#include <stdio.h>
#include <string.h>
#include "store/store_internal.h"
#include "store/store_queue.h"
#include "store/store_queue_effect.h"

#define RECOVER_ROWS   256
#define CRASHES_POISON 2 /* crashes in its hands after which an item is set aside */
#define SWEEP_ROWS     512

struct sending {
	int64_t id, lot, tries, at;
};

static size_t sending_read(struct db *db, struct sending *v, size_t max, int *ret_rc)
{
	sqlite3_stmt *st;
	size_t n = 0;
	int rc = db_query(db, &st,
		"SELECT d.id, d.lot_id, d.tries, coalesce((SELECT at FROM lot WHERE id=d.lot_id),0) FROM "
		"delivery d INDEXED BY delivery_sending WHERE d.state=1 LIMIT ?",
		"i", (int64_t)max);

	while (rc == 0 && (rc = db_row(db, st)) == 1) {
		v[n++] = (struct sending){ col_i64(st, 0), col_i64(st, 1), col_i64(st, 2),
			col_i64(st, 3) };
		rc = 0;
	}
	*ret_rc = rc;
	return n;
}

static int crashes_of(struct db *db, int64_t delivery, int64_t *ret)
{
	*ret = 0;
	int rc = db_get_i64(db, ret,
		"SELECT count(*) FROM attempt WHERE delivery_id=? AND code='crash'", "i", delivery);
	return rc < 0 ? rc : 0;
}

static bool suspected(const struct sq_recover *c, int64_t delivery)
{
	for (size_t i = 0; i < c->n_crashed; i++)
		if (c->crashed[i] == delivery)
			return true;
	return false;
}

static int restart_attempt(struct store_tx *tx, const struct sq_recover *c, int64_t delivery,
	int outcome, const char *said)
{
	struct sq_outcome o = { .delivery = delivery,
		.outcome = outcome,
		.started_ms = tx_wall_ms(tx),
		.code = suspected(c, delivery) ? STR("crash") : STR("restart"),
		.said = str_of(said) };

	return sq_effect_attempt(tx, &o, NULL);
}

static int recover_waiting(
	struct store_tx *tx, struct sq_recover *c, const struct sending *s, struct sq_tally *t)
{
	int64_t crashes = 0;
	bool poison;
	int rc = restart_attempt(
		tx, c, s->id, LT_DEFERRED, "the daemon ended before anything was published");

	if (rc == 0)
		rc = crashes_of(tx_db(tx), s->id, &crashes);
	poison = crashes >= CRASHES_POISON;
	if (rc == 0)
		rc = db_exec(tx_db(tx),
			"UPDATE delivery SET state=?, tries=max(tries-1,0) WHERE id=? AND state=1",
			"ii", (int64_t)(poison ? DLV_HELD : DLV_WAITING), s->id);
	if (rc)
		return rc;
	sq_tally_move(t, s->lot, DLV_SENDING, poison ? DLV_HELD : DLV_WAITING);
	if (!poison) {
		c->ret_waiting++;
		return 0;
	}
	c->ret_held++;
	return sq_effect_why(tx, s->id, "poison: the daemon crashed twice while sending this");
}

/* Unknown already, and the adapter was asking about it: after the second crash nobody asks again but a person. */
static int recover_asked(
	struct store_tx *tx, struct sq_recover *c, int64_t delivery, struct sq_tally *t)
{
	int64_t lot = 0, state = 0, tries = 0, crashes = 0;
	int rc = sq_delivery_get(tx_db(tx), delivery, &lot, &state, &tries);

	if (rc != 1 || state != (int64_t)DLV_UNKNOWN)
		return rc < 0 ? rc : 0;
	rc = restart_attempt(
		tx, c, delivery, LT_UNKNOWN, "the daemon ended while the provider was asked");
	if (rc == 0)
		rc = crashes_of(tx_db(tx), delivery, &crashes);
	if (rc || crashes < CRASHES_POISON)
		return rc;
	rc = db_exec(tx_db(tx), "UPDATE delivery SET state=? WHERE id=? AND state=8", "ii",
		(int64_t)DLV_DOUBT, delivery);
	if (rc)
		return rc;
	sq_tally_move(t, lot, DLV_UNKNOWN, DLV_DOUBT);
	return sq_effect_why(
		tx, delivery, "poison: the daemon crashed twice while asking about this");
}

static int recover_one(
	struct store_tx *tx, struct sq_recover *c, const struct sending *s, struct sq_tally *t)
{
	struct db *db = tx_db(tx);
	int64_t safe = 0;
	int rc = db_get_i64(db, &safe,
		"SELECT count(*)>0 AND min(repeatable)=1 FROM intent WHERE delivery_id=?", "i",
		s->id);

	if (rc < 0)
		return rc;
	rc = db_exec(db, "DELETE FROM intent WHERE delivery_id=?", "i", s->id);
	if (rc)
		return rc;
	if (safe)
		return recover_waiting(tx, c, s, t);
	rc = restart_attempt(
		tx, c, s->id, LT_UNKNOWN, "the daemon ended while this was on its way");
	if (rc == 0)
		rc = db_exec(db, "UPDATE delivery SET state=8, due=? WHERE id=? AND state=1", "ii",
			tx_wall_ms(tx) - s->at, s->id);
	if (rc)
		return rc;
	sq_tally_move(t, s->lot, DLV_SENDING, DLV_UNKNOWN);
	c->ret_unknown++;
	return 0;
}

static int recover_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct sq_recover *c = CONTAINER_OF(cmd, struct sq_recover, cmd);
	struct sending v[RECOVER_ROWS];
	struct sq_tally t;
	size_t n;
	int rc = 0;

	c->ret_unknown = c->ret_waiting = c->ret_held = 0;
	sq_tally_init(&t);
	for (size_t i = 0; i < c->n_crashed && !c->asked && rc == 0; i++)
		rc = recover_asked(tx, c, c->crashed[i], &t);
	do {
		n = rc ? 0 : sending_read(tx_db(tx), v, RECOVER_ROWS, &rc);
		for (size_t i = 0; i < n && rc == 0; i++)
			rc = recover_one(tx, c, &v[i], &t);
	} while (rc == 0 && n == RECOVER_ROWS && tx_elapsed_us(tx) < tx_chunk_us(tx));
	c->left = n == RECOVER_ROWS;
	if (rc == 0)
		rc = sq_tally_write(&t, tx);
	sq_tally_done(&t);
	return rc;
}

void sq_recover_init(struct sq_recover *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = recover_run;
}

static int settle_audit(struct store_tx *tx, const struct sq_settle_item *it, enum dlv_state from,
	enum dlv_state to)
{
	char subject[48];
	struct audit_event ev = { .person = "system",
		.via = it->by,
		.what = "delivery.settle",
		.subject = subject,
		.was = dlv_state_name((int)from),
		.now = dlv_state_name((int)to) };

	snprintf(subject, sizeof(subject), "delivery:%lld", (long long)it->delivery);
	return store_audit(tx, &ev);
}

/* Absence is proven, but the daemon crashed again and again over it: a person looks first. */
static int settle_poison(struct store_tx *tx, const struct sq_settle_item *it, struct sq_tally *t)
{
	int64_t crashes = 0;
	int rc = 0;

	if (it->crashes_max)
		rc = crashes_of(tx_db(tx), it->delivery, &crashes);
	if (rc || it->crashes_max == 0 || crashes < it->crashes_max)
		return rc;
	rc = db_exec(
		tx_db(tx), "UPDATE delivery SET state=9 WHERE id=? AND state=0", "i", it->delivery);
	if (rc)
		return rc;
	sq_tally_move(t, it->lot, DLV_WAITING, DLV_HELD);
	return sq_effect_why(
		tx, it->delivery, "poison: the daemon crashed again and again while sending this");
}

/* Absent, said a person while the question was open, and its answer is that it is there: it must not go again by itself. */
static int settle_found(struct store_tx *tx, struct sq_settle_item *it, struct sq_tally *t)
{
	struct db *db = tx_db(tx);
	int64_t lot = 0, state = 0, tries = 0;
	int rc = sq_delivery_get(db, it->delivery, &lot, &state, &tries);

	if (rc != 1 || state != (int64_t)DLV_WAITING)
		return rc < 0 ? rc : 0;
	rc = db_exec(db, "UPDATE delivery SET state=9 WHERE id=? AND state=0", "i", it->delivery);
	if (rc)
		return rc;
	it->held = true;
	it->lot = lot; /* it may have moved to another gateway since */
	sq_tally_move(t, lot, DLV_WAITING, DLV_HELD);
	rc = settle_audit(tx, it, DLV_WAITING, DLV_HELD);
	if (rc == 0 && it->url.n)
		rc = sq_effect_link(tx, it->delivery, it->url);
	return rc ? rc
		  : sq_effect_why(tx, it->delivery,
			    "found: the provider has it, though it was called absent");
}

static int settle_one(struct store_tx *tx, struct sq_settle_item *it, struct sq_tally *t)
{
	struct db *db = tx_db(tx);
	int to = it->to < 0 ? (int)DLV_UNKNOWN : it->to;
	int rc = db_exec(db,
		"UPDATE delivery SET state=?, due=? WHERE id=? AND state=8 AND tries=?", "iiii",
		(int64_t)to, it->due_ms, it->delivery, (int64_t)it->tries);

	it->applied = rc == 0 && db_changes(db) == 1;
	it->held = false;
	if (rc == 0 && !it->applied && !it->by_policy &&
		(to == (int)DLV_ACCEPTED || to == (int)DLV_DELIVERED))
		return settle_found(tx, it, t);
	if (rc || !it->applied || it->to < 0)
		return rc;
	sq_tally_move(t, it->lot, DLV_UNKNOWN, (enum dlv_state)it->to);
	rc = settle_audit(tx, it, DLV_UNKNOWN, (enum dlv_state)it->to);
	if (rc == 0 && it->n_ids)
		rc = sq_effect_ids(tx, it->delivery, it->lane, it->ids, it->n_ids, it->lane != 0);
	/* There is no attempt that holds it: a recall or an edit needs it. */
	if (rc == 0 && it->n_ids == 1 && it->ids[0].effect == 0 && it->ids[0].id.n)
		rc = db_exec(db,
			"INSERT OR REPLACE INTO effect(delivery_id, effect, state, provider_id) VALUES "
			"(?,0,?,?)",
			"iis", it->delivery, (int64_t)LT_ACCEPTED,
			(struct str){ it->ids[0].id.p, it->ids[0].id.n });
	if (rc == 0 && it->url.n)
		rc = sq_effect_link(tx, it->delivery, it->url);
	if (rc == 0 && it->to == (int)DLV_DOUBT)
		rc = sq_effect_why(
			tx, it->delivery, "unknown: nobody could say in time whether it went out");
	if (rc == 0 && it->to == (int)DLV_ACCEPTED && it->by_policy)
		rc = sq_effect_why(tx, it->delivery, "assumed: by the channel's policy");
	if (rc == 0 && it->to == (int)DLV_WAITING)
		rc = settle_poison(tx, it, t);
	return rc;
}

static int settle_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct sq_settle *c = CONTAINER_OF(cmd, struct sq_settle, cmd);
	struct sq_tally t;
	int rc = 0;

	sq_tally_init(&t);
	for (size_t i = 0; i < c->n && rc == 0; i++)
		rc = settle_one(tx, &c->v[i], &t);
	if (rc == 0)
		rc = sq_tally_write(&t, tx);
	sq_tally_done(&t);
	return rc;
}

void sq_settle_init(struct sq_settle *c)
{
	c->cmd.class = STORE_OUTCOME;
	c->cmd.run = settle_run;
}

/* One slice of waiting (or held) rows; the literals of state pick the partial indexes. */
static int sweep_slice(struct store_tx *tx, int64_t lot, int to, enum dlv_state from,
	struct sq_tally *t, int64_t *ret_n)
{
	struct db *db = tx_db(tx);
	int rc;

	if (from == DLV_WAITING)
		rc = db_exec(db,
			"UPDATE delivery SET state=? WHERE id IN (SELECT id FROM delivery INDEXED BY "
			"delivery_due WHERE state=0 AND lot_id=? ORDER BY due LIMIT ?)",
			"iii", (int64_t)to, lot, (int64_t)SWEEP_ROWS);
	else
		rc = db_exec(db,
			"UPDATE delivery SET state=? WHERE id IN (SELECT id FROM delivery INDEXED BY "
			"delivery_held WHERE state=9 AND lot_id=? ORDER BY id LIMIT ?)",
			"iii", (int64_t)to, lot, (int64_t)SWEEP_ROWS);
	*ret_n = rc ? 0 : db_changes(db);
	if (*ret_n)
		sq_tally_add(t, lot, from, (enum dlv_state)to, *ret_n);
	return rc;
}

static int sweep_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct sq_sweep *c = CONTAINER_OF(cmd, struct sq_sweep, cmd);
	int64_t gate = 0, n = 0;
	struct sq_tally t;
	int rc = db_get_i64(tx_db(tx), &gate, "SELECT gate FROM lot WHERE id=?", "i", c->lot);

	c->left = false;
	c->ret_rows = 0;
	if (rc < 0 || rc == 0 || (gate != LOT_CANCELLED && gate != LOT_EXPIRED))
		return rc < 0 ? rc : 0; /* opened again meanwhile */
	enum dlv_state from = DLV_WAITING;
	int to = gate == LOT_CANCELLED ? (int)DLV_CANCELLED : (int)DLV_EXPIRED;
	sq_tally_init(&t);
	rc = 0;
	while (rc == 0) {
		if (tx_elapsed_us(tx) > tx_chunk_us(tx) / 2) {
			c->left = true;
			break;
		}
		rc = sweep_slice(tx, c->lot, to, from, &t, &n);
		c->ret_rows += n;
		if (n < SWEEP_ROWS && from == DLV_HELD)
			break;
		if (n < SWEEP_ROWS)
			from = DLV_HELD;
	}
	if (rc == 0)
		rc = sq_tally_write(&t, tx);
	sq_tally_done(&t);
	return rc;
}

void sq_sweep_init(struct sq_sweep *c)
{
	c->cmd.class = STORE_BULK;
	c->cmd.run = sweep_run;
}
