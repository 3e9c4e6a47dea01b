/* store_queue_effect.c - attempt rows, provider ids, suppression and exchange records of an outcome.
 * Thread: store. Owns: nothing. Must not know: who sends, and when.
 * Failures: any error fails the whole command, so that an outcome is recorded with all that belongs to it or not yet. */
#include <stdio.h>
#include "store/store_exchange.h"
#include "store/store_internal.h"
#include "store/store_queue_effect.h"

#define DAY_MS        INT64_C(86400000)
#define SAID_MAX      200
#define PROVIDER_NONE ((struct str){ NULL, 0 })

static struct str cut(struct str s, size_t max)
{
	return (struct str){ s.p, s.n < max ? s.n : max };
}

static struct str of_lt(struct lt_str s)
{
	return (struct str){ s.p, s.n };
}

int sq_effect_ids(struct store_tx *tx, int64_t delivery, int64_t lane, const struct lt_id *ids,
	size_t n, bool refs)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		struct str id = of_lt(ids[i].id);
		if (refs && id.n)
			rc = db_exec(tx_db(tx),
				"INSERT OR IGNORE INTO ref(lane_id, day, provider_id, delivery_id, effect) "
				"VALUES (?,?,?,?,?)",
				"iisii", lane, tx_wall_ms(tx) / DAY_MS, id, delivery,
				(int64_t)ids[i].effect);
		if (rc == 0 && (n > 1 || ids[i].effect > 0))
			rc = db_exec(tx_db(tx),
				"INSERT INTO effect(delivery_id, effect, state, provider_id) VALUES "
				"(?,?,?,?) ON CONFLICT(delivery_id, effect) DO UPDATE SET state=CASE WHEN "
				"provider_id=excluded.provider_id AND provider_id<>'' AND state IN " EFFECT_OVER
				" THEN state ELSE excluded.state END, provider_id=excluded.provider_id",
				"iiis", delivery, (int64_t)ids[i].effect, (int64_t)ids[i].outcome,
				id);
	}
	return rc;
}

int sq_effect_why(struct store_tx *tx, int64_t delivery, const char *why)
{
	return db_exec(tx_db(tx),
		"INSERT OR REPLACE INTO step(delivery_id, name, value) VALUES (?,'" SQ_WHY "',?)",
		"it", delivery, why);
}

int sq_effect_link(struct store_tx *tx, int64_t delivery, struct str url)
{
	return db_exec(tx_db(tx),
		"INSERT OR REPLACE INTO step(delivery_id, name, value) VALUES (?,'!link',?)", "is",
		delivery, url);
}

/* Hard outranks soft, the person's own wish outranks both (suppress_is_wish): a bounce may be lifted without the person. */
int sq_suppress(struct store_tx *tx, const struct hash *who, const char *list, int reason,
	int64_t strikes, bool *ret_new)
{
	static const char of[] = "SELECT reason FROM suppression WHERE who=? AND list=?";
	struct db *db = tx_db(tx);
	int64_t was = -1, is = -1;
	int rc = db_get_i64(db, &was, of, "ht", who, list);

	if (rc < 0)
		return rc;
	rc = db_exec(db,
		"INSERT INTO suppression(who, list, reason, strikes, since) VALUES (?,?,?,?,?) ON "
		"CONFLICT(who, list) DO UPDATE SET strikes=strikes+excluded.strikes, reason=CASE WHEN "
		"reason=2 OR (reason=1 AND excluded.reason NOT IN (1,2)) THEN excluded.reason ELSE reason END",
		"htiii", who, list, (int64_t)reason, strikes, tx_wall_ms(tx));

	if (rc == 0)
		rc = db_get_i64(db, &is, of, "ht", who, list);
	if (ret_new)
		*ret_new = rc == 1 && is != was;
	return rc < 0 ? rc : 0;
}

static int strike_count(struct store_tx *tx, const struct hash *who, const char *word,
	int64_t window_ms, int64_t *ret)
{
	char like[24];

	snprintf(like, sizeof(like), "%s %%", word);
	*ret = 0;
	int rc = db_get_i64(tx_db(tx), ret,
		"SELECT count(*) FROM strike WHERE who=? AND at>=? AND code LIKE ?", "hit", who,
		window_ms > 0 ? tx_wall_ms(tx) - window_ms : INT64_C(0), like);
	return rc < 0 ? rc : 0;
}

/* One more mark against the address; suppressed when the rule's number is reached. */
static int strike(
	struct store_tx *tx, const struct sq_outcome *o, const struct suppress_numbers *numbers)
{
	sqlite3_stmt *st;
	struct hash who;
	char mark[80];
	int64_t window = 0, count = 0;
	int limit = suppress_limit(o->rule, numbers, &window);
	const char *word = suppress_rule_word(o->rule);
	int rc = db_query(
		tx_db(tx), &st, "SELECT kind, address FROM contact WHERE id=?", "i", o->contact);

	if (rc == 0)
		rc = db_row(tx_db(tx), st);
	if (rc <= 0)
		return rc; /* forgotten meanwhile: nothing to mark */
	store_who(tx_store(tx), (int)col_i64(st, 0), col_str(st, 1), &who);
	db_reset(st);
	snprintf(mark, sizeof(mark), "%s " STR_FMT, word, STR_ARG(cut(o->code, 40)));
	rc = db_exec(tx_db(tx),
		"INSERT INTO strike(who, at, code) SELECT ?1, max(?2, coalesce((SELECT max(at)+1 FROM "
		"strike WHERE who=?1 AND at>=?2), 0)), ?3",
		"hit", &who, tx_wall_ms(tx), mark);
	if (rc == 0)
		rc = strike_count(tx, &who, word, window, &count);
	if (rc || limit <= 0 || count < limit)
		return rc;
	return sq_suppress(tx, &who, "", o->rule == SR_SOFT ? SUP_SOFT : SUP_HARD, count, NULL);
}

static int exchange(struct store_tx *tx, const struct sq_outcome *o)
{
	int64_t n = 0;

	if (!o->trace_out.p && !o->trace_in.p)
		return 0;
	int rc = db_get_i64(tx_db(tx), &n, "SELECT max(try) FROM attempt WHERE delivery_id=?", "i",
		o->delivery);
	if (rc < 0)
		return rc;
	struct exchange_rec rec = { .delivery = o->delivery, .try_no = n, .outward = true };
	if (o->trace_out.p) {
		rec.body = o->trace_out;
		store_exchange_put(tx, &rec);
	}
	rec.n = 1;
	rec.outward = false;
	rec.body = o->trace_in;
	if (o->trace_in.p)
		store_exchange_put(tx, &rec);
	return 0;
}

int sq_effect_attempt(
	struct store_tx *tx, const struct sq_outcome *o, const struct suppress_numbers *numbers)
{
	struct str id = o->n_ids ? of_lt(o->ids[0].id) : PROVIDER_NONE;
	int rc = db_exec(tx_db(tx),
		"INSERT INTO attempt(delivery_id, try, started, took_ms, outcome, scope, flags, code, "
		"said, provider_id, url, num) VALUES (?1, 1+coalesce((SELECT max(try) FROM attempt WHERE "
		"delivery_id=?1), 0), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
		"iiiiiissssi", o->delivery, o->started_ms, o->took_ms, (int64_t)o->outcome,
		(int64_t)o->scope, (int64_t)o->flags, o->code.n ? o->code : PROVIDER_NONE,
		o->said.n ? cut(o->said, SAID_MAX) : PROVIDER_NONE, id.n ? id : PROVIDER_NONE,
		o->url.n ? o->url : PROVIDER_NONE, tx_attempt_next(tx));

	if (rc == 0 && o->n_ids)
		rc = sq_effect_ids(tx, o->delivery, o->lane, o->ids, o->n_ids, o->receipts);
	if (rc == 0 && o->rule != SR_NONE && numbers)
		rc = strike(tx, o, numbers);
	if (rc == 0)
		rc = exchange(tx, o);
	return rc;
}

int sq_delivery_get(
	struct db *db, int64_t delivery, int64_t *ret_lot, int64_t *ret_state, int64_t *ret_tries)
{
	sqlite3_stmt *st;
	int rc = db_query(
		db, &st, "SELECT lot_id, state, tries FROM delivery WHERE id=?", "i", delivery);

	if (rc == 0)
		rc = db_row(db, st);
	if (rc != 1)
		return rc;
	*ret_lot = col_i64(st, 0);
	*ret_state = col_i64(st, 1);
	*ret_tries = col_i64(st, 2);
	db_reset(st);
	return 1;
}
