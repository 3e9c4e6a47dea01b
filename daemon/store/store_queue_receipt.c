/* store_queue_receipt.c - what providers say later: receipts, early ones kept as orphans, saved steps, facts.
 * Thread: store. Owns: nothing. Must not know: adapters.
 * A receipt finds its delivery by our own reference or by the provider's id (store_queue_find.c); it is stored in any case, and
 * moves the state only where the table says so. One that comes before its attempt is over waits as an orphan.
 * Failures: a store error fails the command; the peer is then not told "ok" and sends it again. */
#include <stdio.h>
#include <string.h>
#include "store/store_internal.h"
#include "store/store_jobs.h"
#include "store/store_queue.h"
#include "store/store_queue_effect.h"
#include "store/store_queue_find.h"

#define ORPHANS_MAX 100000
#define LATE_NO_MS  180000 /* longer than a question about an unknown one lasts */

/* As it stands in the row: final 1, provider's own time 2, whole channel 4. Returned: what stands before the code. */
static struct str orphan_body(const struct sq_receipt *c, char *ret, size_t size)
{
	int n = snprintf(ret, size, "%d %d %lld %lld ", c->state,
		(c->final ? 1 : 0) | (c->at_given ? 2 : 0) | (c->account_id ? 0 : 4),
		(long long)(c->at_given ? c->at_ms : 0), (long long)c->delivery);

	snprintf(ret + n, size - (size_t)n, "%s", c->code);
	return (struct str){ ret, (size_t)n };
}

/* The same again while it waits is not kept twice. */
static void orphan_key(const struct sq_receipt *c, const char *body, struct hash *ret)
{
	struct hasher h;

	hasher_init(&h);
	hasher_field(&h, "orphan", 6);
	hasher_field(&h, &c->account_id, sizeof(c->account_id));
	hasher_field(&h, &c->channel_id, sizeof(c->channel_id));
	hasher_field(&h, c->ids, strlen(c->ids));
	hasher_field(&h, body, strlen(body));
	hasher_end(&h, ret);
}

/* One that was read twice may be settled already, and its number another's by now: only what was read is changed. */
#define ORPHAN_READ " WHERE id=? AND ids=? AND instr(body, ?)=1"

static int orphan_drop(struct store_tx *tx, const struct sq_receipt *c)
{
	char body[400];
	struct hash key;
	struct str head = orphan_body(c, body, sizeof(body));

	orphan_key(c, body, &key);
	int rc = db_exec(
		tx_db(tx), "DELETE FROM orphan" ORPHAN_READ, "its", c->orphan_id, c->ids, head);
	return rc ? rc : db_exec(tx_db(tx), "DELETE FROM seen WHERE key=?", "h", &key);
}

/* The oldest go when there are too many. */
static int orphans_bound(struct db *db)
{
	return db_exec(db,
		"DELETE FROM orphan WHERE id<=(SELECT max(id) FROM orphan)-? AND id=(SELECT min(id) FROM "
		"orphan)",
		"i", (int64_t)ORPHANS_MAX);
}

static int orphan_keep(struct store_tx *tx, struct sq_receipt *c)
{
	struct db *db = tx_db(tx);
	char body[400];
	struct hash key;

	if (c->orphan_id && tx_wall_ms(tx) >= c->give_up_ms)
		return orphan_drop(tx, c);
	struct str head = orphan_body(c, body, sizeof(body));
	if (c->orphan_id)
		return db_exec(db, "UPDATE orphan SET next=?" ORPHAN_READ, "iits",
			tx_wall_ms(tx) + c->retry_ms, c->orphan_id, c->ids, head);
	orphan_key(c, body, &key);
	int rc = store_seen_add(tx, &key);
	c->ret_again = rc == 0;
	if (rc <= 0)
		return rc;
	rc = db_exec(db,
		"INSERT INTO orphan(lane_id, ids, body, next, give_up) SELECT min(n.id), ?1, ?2, ?3, ?4 "
		"FROM account a JOIN lane n ON n.account_id=a.id WHERE (a.id=?5 OR (?5=0 AND "
		"a.channel_id=?6)) HAVING min(n.id) IS NOT NULL",
		"ttiiii", c->ids, body, tx_wall_ms(tx) + c->retry_ms, c->give_up_ms, c->account_id,
		c->channel_id);
	return rc ? rc : orphans_bound(db);
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

/* What is said of one effect is said of the whole only where no other contradicts it: delivered, where none is still under way; on
 * its way, where none was refused (2), put off (3), or is one of which nobody knows (0). */
#define EFFECTS     "SELECT count(*) FROM effect WHERE delivery_id=? AND state "
#define NOT_ARRIVED EFFECTS "NOT IN (17,19)"
#define NOT_TAKEN   EFFECTS "IN (0,2,3)"

static int others_are(struct store_tx *tx, int64_t delivery, const char *sql, bool *ret)
{
	int64_t n = 0;
	int rc = db_get_i64(tx_db(tx), &n, sql, "i", delivery);

	*ret = n > 0;
	return rc < 0 ? rc : 0;
}

/* The provider did not take the attempt that is unknown: it may go again, after questions that are under way about it. */
static int due_again(struct store_tx *tx, const struct sq_receipt *c, int64_t delivery)
{
	return db_exec(tx_db(tx),
		"UPDATE delivery SET due=max(0, ?1-(SELECT at FROM lot WHERE id=?2)) WHERE id=?3",
		"iii", tx_wall_ms(tx) + LATE_NO_MS, c->ret_lot, delivery);
}

static int receipt_move(
	struct store_tx *tx, struct sq_receipt *c, int64_t delivery, int64_t from, int64_t tries)
{
	struct sq_tally t;
	bool open = false;
	int to = receipt_decide((enum dlv_state)from, c->state), rc = 0;

	if (c->state == LT_DEFERRED && (c->try_no == 0 || c->try_no != (int)(tries & 0xff)))
		return 0; /* of which attempt is not told, or of an older one: proves nothing */
	if (to == (int)DLV_DELIVERED)
		rc = others_are(tx, delivery, NOT_ARRIVED, &open);
	else if (to == (int)DLV_ACCEPTED && c->state == LT_RC_TRANSIT)
		rc = others_are(tx, delivery, NOT_TAKEN, &open);
	if (rc == 0 && to == (int)DLV_WAITING)
		rc = due_again(tx, c, delivery);
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

/* Once: providers tell the same again. An end or a change that the provider dates otherwise is another one. */
static int receipt_write(
	struct store_tx *tx, struct sq_receipt *c, int64_t delivery, int64_t effect)
{
	int rc = db_exec(tx_db(tx),
		"INSERT INTO receipt(delivery_id, effect, state, at, code) SELECT ?1,?2,?3,?4,?5 WHERE NOT "
		"EXISTS(SELECT 1 FROM receipt INDEXED BY receipt_delivery WHERE delivery_id=?1 AND "
		"effect=?2 AND state=?3 AND code IS ?5 AND (?6=0 OR at=?4))",
		"iiiiti", delivery, effect, (int64_t)c->state, c->at_ms,
		c->code[0] ? c->code : NULL, (int64_t)sq_receipt_dated(c));

	c->ret_again = rc == 0 && db_changes(tx_db(tx)) == 0;
	return rc;
}

/* Our own reference says which delivery; the provider's id beside it still says which of its effects. */
static int find(
	struct store_tx *tx, const struct sq_receipt *c, int64_t *ret_delivery, int64_t *ret_effect)
{
	int64_t delivery = 0, effect = 0;
	int rc = sq_find_by_ids(tx, c, &delivery, &effect);

	if (rc < 0)
		return rc;
	*ret_delivery = c->delivery ? c->delivery : delivery;
	*ret_effect = rc == 1 && delivery == *ret_delivery ? effect : 0;
	return c->delivery ? 1 : rc;
}

/* A late answer brings the provider's ids, in the order of the effects: later receipts are found by them. */
static int late_ids(struct store_tx *tx, const struct sq_receipt *c, int64_t delivery)
{
	struct str rest = str_of(c->ids), id;
	struct lt_id ids[16];
	uint32_t n = 0;
	int64_t lane = 0;

	while (n < 16 && str_next(&rest, '\n', &id))
		if (id.n && id.p[0] != '@') {
			ids[n] = (struct lt_id){ n, LT_ACCEPTED, { id.p, id.n } };
			n++;
		}
	int rc = db_get_i64(
		tx_db(tx), &lane, "SELECT lane_id FROM lot WHERE id=?", "i", c->ret_lot);
	return rc < 0 || n == 0 ? (rc < 0 ? rc : 0)
				: sq_effect_ids(tx, delivery, lane, ids, n, true);
}

/* What was found by one of its parts (a picture, the fingerprint of a text) before the thing itself had a name: the first candidate
 * is that name. Figures, links, a recall and later receipts find it by this. */
static int own_id(struct store_tx *tx, const struct sq_receipt *c, int64_t delivery, int64_t effect)
{
	struct str rest = str_of(c->ids), id;
	int64_t lane = 0, n = 0;
	int rc = db_get_i64(tx_db(tx), &n,
		"SELECT count(*) FROM effect WHERE delivery_id=? AND effect=0", "i", delivery);

	if (rc < 0 || n || !effect || !str_next(&rest, '\n', &id) || !id.n)
		return rc < 0 ? rc : 0;
	rc = db_get_i64(tx_db(tx), &lane, "SELECT lane_id FROM lot WHERE id=?", "i", c->ret_lot);
	if (rc < 0)
		return rc;
	const struct lt_id own = { 0, LT_ACCEPTED, { id.p, id.n } };
	rc = sq_effect_ids(tx, delivery, lane, &own, 1, true);
	return rc ? rc
		  : db_exec(tx_db(tx),
			    "INSERT OR IGNORE INTO effect(delivery_id, effect, state, provider_id) "
			    "VALUES (?,0,?,?)",
			    "iis", delivery, (int64_t)LT_ACCEPTED, id);
}

/* Kept beside the attempts, which never change; what a person or a question said before stays. */
static int link_keep(struct store_tx *tx, const struct sq_receipt *c, int64_t delivery)
{
	if (!c->link || !c->link[0])
		return 0;
	return db_exec(tx_db(tx),
		"INSERT OR IGNORE INTO step(delivery_id, name, value) VALUES (?,'!link',?)", "it",
		delivery, c->link);
}

static int effect_move(
	struct store_tx *tx, const struct sq_receipt *c, int64_t delivery, int64_t effect)
{
	bool over = c->state == LT_REFUSED ||
		(c->state >= LT_RC_DELIVERED && c->state <= LT_RC_LOST);

	return db_exec(tx_db(tx),
		"UPDATE effect SET state=? WHERE delivery_id=? AND effect=? AND (? OR state NOT "
		"IN " EFFECT_OVER ")",
		"iiii", (int64_t)c->state, delivery, effect, (int64_t)over);
}

static int receipt_apply(struct store_tx *tx, struct sq_receipt *c)
{
	int64_t delivery = c->delivery, effect = 0, state = 0, tries = 0;

	if (!c->account_id && !c->channel_id) /* at a start, before we know the channels: where */
		return -EAGAIN; /* would it wait for its attempt? The peer says it again */
	int rc = find(tx, c, &delivery, &effect);

	c->ret_lot = c->ret_delivery = 0;
	c->ret_from = c->ret_to = -1;
	c->ret_again = false;
	if (rc == 1)
		rc = sq_delivery_get(tx_db(tx), delivery, &c->ret_lot, &state, &tries);
	if (rc < 0)
		return rc;
	if (c->state == LT_RC_LINK)
		return rc == 1 ? link_keep(tx, c, delivery) : 0;
	if (rc == 0 || state == DLV_SENDING)
		return orphan_keep(tx, c);
	c->ret_delivery = delivery;
	if (c->delivery && c->state == LT_ACCEPTED && state == DLV_UNKNOWN)
		rc = late_ids(tx, c, delivery);
	else if (c->state == LT_ACCEPTED && state == DLV_UNKNOWN)
		rc = own_id(tx, c, delivery, effect);
	else
		rc = 0;
	rc = rc ? rc : receipt_write(tx, c, delivery, effect);
	/* That a thing is gone or changed later is a fact beside the state. */
	if (rc == 0 && c->state != LT_RC_GONE && c->state != LT_RC_CHANGED) {
		rc = effect_move(tx, c, delivery, effect);
		if (rc == 0)
			rc = receipt_move(tx, c, delivery, state, tries);
	}
	if (rc == 0 && c->orphan_id)
		rc = orphan_drop(tx, c);
	return rc;
}

static int receipt_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct sq_receipt *c = CONTAINER_OF(cmd, struct sq_receipt, cmd);
	int rc = sq_find_oldest_day(tx, c);

	return rc ? rc : receipt_apply(tx, c);
}

void sq_receipt_init(struct sq_receipt *c)
{
	c->cmd.class = STORE_OUTCOME;
	c->cmd.run = receipt_run;
	c->ret_from = c->ret_to = -1;
}

static int receipts_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct sq_receipts *c = CONTAINER_OF(cmd, struct sq_receipts, cmd);
	int rc = 0;

	for (size_t i = 0; i < c->n && rc == 0; i++) {
		const struct sq_receipt *last = i ? c->v[i - 1] : NULL;
		if (last && last->account_id == c->v[i]->account_id &&
			last->channel_id == c->v[i]->channel_id)
			c->v[i]->oldest_day = last->oldest_day;
		else
			rc = sq_find_oldest_day(tx, c->v[i]);
		rc = rc ? rc : receipt_apply(tx, c->v[i]);
	}
	return rc;
}

void sq_receipts_init(struct sq_receipts *c)
{
	c->cmd.class = STORE_OUTCOME;
	c->cmd.run = receipts_run;
}

int sq_read_orphans(struct store_reader *r, int64_t now_ms, size_t max,
	int (*row)(void *ctx, const struct sq_receipt *o), void *ctx)
{
	struct db *db = reader_db(r);
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT o.id, n.account_id, o.ids, o.body, o.give_up, a.channel_id FROM orphan o JOIN "
		"lane n ON n.id=o.lane_id JOIN account a ON a.id=n.account_id WHERE o.next<=? ORDER BY "
		"o.next LIMIT ?",
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
		o.ids = col_z(st, 2);
		if (sscanf(col_z(st, 3), "%d %d %lld %lld %79s", &state, &final, &at, &delivery,
			    o.code) < 4)
			continue;
		o.give_up_ms = col_i64(st, 4);
		o.channel_id = col_i64(st, 5);
		if (final & 4)
			o.account_id = 0;
		o.state = state;
		o.final = (final & 1) != 0;
		o.at_given = (final & 2) != 0;
		o.at_ms = at ? at : now_ms;
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
	int64_t others = 0;
	int rc;

	if (c->name[0] == '!')
		return -EINVAL; /* ours */
	if (!c->value.n)
		return db_exec(tx_db(tx), "DELETE FROM step WHERE delivery_id=? AND name=?", "it",
			c->delivery, c->name);
	rc = db_get_i64(tx_db(tx), &others,
		"SELECT count(*) FROM step WHERE delivery_id=? AND name<>? AND name NOT LIKE '!%'",
		"it", c->delivery, c->name);
	if (rc < 0)
		return rc;
	if (others >= SQ_STEPS_MAX || strlen(c->name) + c->value.n > SQ_STEP_BYTES)
		return -E2BIG;
	return db_exec(tx_db(tx),
		"INSERT OR REPLACE INTO step(delivery_id, name, value) VALUES (?,?,?)", "its",
		c->delivery, c->name, c->value);
}

void sq_save_init(struct sq_save *c)
{
	c->cmd.class = STORE_OUTCOME;
	c->cmd.run = save_run;
}
