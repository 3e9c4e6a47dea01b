/* store_jobs_read.c - whom to ask about, and numbers as people see them. See store_jobs.h. Thread: worker.
 * The way through is the table of provider ids (ref): it is ordered by lane and day, so a round costs what is young, never the
 * whole queue, and no index on deliveries. Failures: the code of the store. */
#include <string.h>
#include "base/assert.h"
#include "model/state.h"
#include "store/store_internal.h"
#include "store/store_jobs.h"

#define DAY_MS    INT64_C(86400000)
#define ROWS_MAX  10000
#define IDS_BYTES 4096

struct asking {
	struct db *db;
	const struct sq_ask_query *q;
	int (*row)(void *ctx, const struct sq_ask_row *x);
	void *ctx;
	size_t scanned, rows;
	struct lt_id ids[SQ_ASK_IDS];
	size_t n_ids;
	char text[IDS_BYTES]; /* behind ids */
};

static void id_add(struct asking *k, size_t *used, int64_t effect, int64_t state, struct str id)
{
	if (!id.n || k->n_ids == SQ_ASK_IDS || id.n > sizeof(k->text) - *used)
		return;
	memcpy(k->text + *used, id.p, id.n);
	k->ids[k->n_ids++] = (struct lt_id){ (uint32_t)effect, (uint32_t)state,
		{ k->text + *used, id.n } };
	*used += id.n;
}

/* Its ids that matter; where it made several things, each that is still open (for statistics: each). */
static int ids_read(struct asking *k, int64_t delivery, int64_t effect, struct str id)
{
	sqlite3_stmt *st;
	size_t used = 0, rows = 0;
	int rc = db_query(k->db, &st,
		"SELECT effect, state, provider_id FROM effect WHERE delivery_id=? ORDER BY effect LIMIT 64",
		"i", delivery);
	k->n_ids = 0;
	while (rc == 0 && (rc = db_row(k->db, st)) == 1) {
		int64_t state = col_i64(st, 1);
		bool final = state == LT_REFUSED ||
			(state >= LT_RC_DELIVERED && state <= LT_RC_LOST);
		rows++;
		if (k->q->stats || !final)
			id_add(k, &used, col_i64(st, 0), state, col_str(st, 2));
		rc = 0;
	}
	if (rc == 0 && rows == 0)
		id_add(k, &used, effect, LT_ACCEPTED, id);
	return rc;
}

/* One ref: is its delivery to be asked about, and is this the first of its ids? */
static int ref_look(struct asking *k, int64_t delivery, int64_t effect, struct str id)
{
	sqlite3_stmt *st;
	struct sq_ask_row x = { .delivery = delivery };
	char address[340];
	int rc = db_query(k->db, &st,
		"SELECT d.state, k.address, (SELECT max(started) FROM attempt a WHERE a.delivery_id=d.id), "
		"(SELECT max(url IS NOT NULL) FROM attempt a WHERE a.delivery_id=d.id), EXISTS(SELECT 1 FROM "
		"step s WHERE s.delivery_id=d.id AND s.name='!link') "
		"FROM delivery d JOIN contact k ON k.id=d.contact_id WHERE d.id=?1 AND NOT EXISTS(SELECT "
		"1 FROM effect e WHERE e.delivery_id=?1 AND e.effect<?2 AND e.provider_id IS NOT NULL) AND "
		"(?3 OR EXISTS(SELECT 1 FROM effect e WHERE e.delivery_id=?1) OR NOT EXISTS(SELECT 1 FROM "
		"receipt p WHERE p.delivery_id=?1 AND p.state BETWEEN 17 AND 20))",
		"iii", delivery, effect, (int64_t)k->q->stats);
	if (rc == 0)
		rc = db_row(k->db, st);
	if (rc != 1)
		return rc;
	int64_t state = col_i64(st, 0);
	x.since_ms = col_i64(st, 2);
	x.no_link = !col_i64(st, 3) && !col_i64(st, 4);
	(void)str_copy(address, sizeof(address), col_str(st, 1));
	db_reset(st);
	if (x.since_ms < k->q->since_ms ||
		(state != DLV_ACCEPTED && !(k->q->stats && state == DLV_DELIVERED)))
		return 0;
	rc = ids_read(k, delivery, effect, id);
	if (rc || !k->n_ids)
		return rc;
	x.ids = k->ids;
	x.n_ids = k->n_ids;
	if (strncmp(address, "forgotten:", 10) != 0)
		x.address = str_of(address);
	k->rows++;
	return k->row(k->ctx, &x);
}

/* Refs of one lane and day behind the cursor; 1: that day is read to its end. */
static int day_read(struct asking *k)
{
	struct sq_ask_cursor *at = k->q->at;
	sqlite3_stmt *st;
	int rc = db_query(k->db, &st,
		"SELECT provider_id, delivery_id, effect FROM ref WHERE lane_id=? AND day=? AND "
		"(provider_id, delivery_id, effect)>(?,?,?) ORDER BY provider_id, delivery_id, effect",
		"iitii", at->lane, at->day, at->id, at->delivery, at->effect);
	while (rc == 0 && (rc = db_row(k->db, st)) == 1) {
		if (k->scanned == SQ_ASK_SCAN || k->rows == k->q->max) {
			db_reset(st);
			return 0;
		}
		k->scanned++;
		(void)str_copy(at->id, sizeof(at->id), col_str(st, 0));
		at->delivery = col_i64(st, 1);
		at->effect = col_i64(st, 2);
		rc = ref_look(k, at->delivery, at->effect, col_str(st, 0));
		if (rc)
			db_reset(st);
	}
	return rc < 0 ? rc : 1;
}

/* The next lane and day that have refs; 0: none. */
static int day_next(struct asking *k)
{
	struct sq_ask_cursor *at = k->q->at;
	int64_t first = k->q->since_ms / DAY_MS - 1;
	for (;;) {
		int rc = 0;
		if (at->lane)
			rc = db_get_i64(k->db, &at->day,
				"SELECT day FROM ref WHERE lane_id=? AND day>? ORDER BY day LIMIT 1",
				"ii", at->lane, at->day > first ? at->day : first);
		at->id[0] = 0;
		at->delivery = at->effect = 0;
		if (rc)
			return rc;
		rc = db_get_i64(k->db, &at->lane,
			"SELECT id FROM lane WHERE account_id=? AND id>? ORDER BY id LIMIT 1", "ii",
			k->q->account, at->lane);
		at->day = 0;
		if (rc != 1)
			return rc;
	}
}

int sq_read_ask(struct store_reader *r, const struct sq_ask_query *q,
	int (*row)(void *ctx, const struct sq_ask_row *x), void *ctx, bool *ret_more)
{
	struct asking *k = x_calloc(1, sizeof(*k));
	k->db = reader_db(r);
	k->q = q;
	k->row = row;
	k->ctx = ctx;
	int rc = q->at->lane && q->at->day ? 1 : day_next(k);
	*ret_more = false;
	while (rc == 1 && !*ret_more) {
		rc = day_read(k);
		if (rc == 0) {
			*ret_more = true;
			break;
		}
		if (rc == 1)
			rc = day_next(k);
	}
	xfree(k);
	return rc < 0 ? rc : 0;
}

int sq_read_round(struct store_reader *r, int64_t account, int64_t *ret_ms)
{
	int rc = db_get_i64(reader_db(r), ret_ms,
		"SELECT value FROM account_stat WHERE account_id=? AND name='" SQ_ROUND
		"' ORDER BY day DESC LIMIT 1",
		"i", account);
	if (rc == 0)
		*ret_ms = 0;
	return rc < 0 ? rc : 0;
}

/* --- numbers ------------------------------------------------------------------------------------------------------------------ */
static int numbers(
	struct db *db, sqlite3_stmt *st, int (*row)(void *ctx, const struct q_number *n), void *ctx)
{
	int rc;
	while ((rc = db_row(db, st)) == 1) {
		struct q_number n = { .name = col_str(st, 0),
			.value = col_i64(st, 1),
			.at_ms = col_i64(st, 2),
			.channel = col_str(st, 3),
			.account = col_str(st, 4) };
		rc = row(ctx, &n);
		if (rc) {
			db_reset(st);
			return rc;
		}
	}
	return rc;
}

int q_stats(struct store_reader *r, int64_t delivery,
	int (*row)(void *ctx, const struct q_number *n), void *ctx)
{
	sqlite3_stmt *st;
	/* With max() alone SQLite takes the other columns from the row that has it. */
	int rc = db_query(reader_db(r), &st,
		"SELECT name, value, max(iif(at>0, at, day*86400000)), NULL, NULL FROM stat WHERE "
		"delivery_id=? GROUP BY name ORDER BY name LIMIT 100",
		"i", delivery);
	return rc ? rc : numbers(reader_db(r), st, row, ctx);
}

int q_account_stats(
	struct store_reader *r, int (*row)(void *ctx, const struct q_number *n), void *ctx)
{
	sqlite3_stmt *st;
	int rc = db_query(reader_db(r), &st,
		"SELECT s.name, s.value, max(s.at), c.name, a.name FROM account_stat s JOIN account a ON "
		"a.id=s.account_id JOIN channel c ON c.id=a.channel_id GROUP BY s.account_id, s.name ORDER "
		"BY c.name, a.name, s.name LIMIT ?",
		"i", (int64_t)ROWS_MAX);
	return rc ? rc : numbers(reader_db(r), st, row, ctx);
}

int q_fate(struct store_reader *r, int64_t delivery, int64_t *ret_state, int64_t *ret_at_ms)
{
	sqlite3_stmt *st;
	int rc = db_query(reader_db(r), &st,
		"SELECT state, at FROM receipt INDEXED BY receipt_delivery WHERE delivery_id=? AND state "
		"IN (21,22) ORDER BY at DESC, id DESC LIMIT 1",
		"i", delivery);
	if (rc == 0)
		rc = db_row(reader_db(r), st);
	if (rc != 1)
		return rc;
	*ret_state = col_i64(st, 0);
	*ret_at_ms = col_i64(st, 1);
	db_reset(st);
	return 1;
}
