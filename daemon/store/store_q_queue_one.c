/* store_q_queue_one.c - the history of one delivery, and names of a scope to numbers.
 * Thread: worker. Owns: nothing. Failures: the code of the store. */
#include "store/store_internal.h"
#include "store/store_q_queue.h"

#define ROWS_MAX 1000

int q_attempts(struct store_reader *r, int64_t delivery,
	int (*row)(void *ctx, const struct q_attempt *a), void *ctx)
{
	struct db *db = reader_db(r);
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT try, started, took_ms, outcome, scope, code, said, provider_id, url FROM attempt "
		"WHERE delivery_id=? ORDER BY try LIMIT ?",
		"ii", delivery, (int64_t)ROWS_MAX);

	if (rc)
		return rc;
	while ((rc = db_row(db, st)) == 1) {
		struct q_attempt a = { .try_no = col_i64(st, 0),
			.started_ms = col_i64(st, 1),
			.took_ms = col_i64(st, 2),
			.outcome = (int)col_i64(st, 3),
			.scope = (int)col_i64(st, 4),
			.code = col_str(st, 5),
			.said = col_str(st, 6),
			.provider_id = col_str(st, 7),
			.url = col_str(st, 8) };
		rc = row(ctx, &a);
		if (rc) {
			db_reset(st);
			return rc;
		}
	}
	return rc;
}

static int facts(
	struct db *db, sqlite3_stmt *st, int (*row)(void *ctx, const struct q_fact *f), void *ctx)
{
	int rc;

	while ((rc = db_row(db, st)) == 1) {
		struct q_fact f = { .a = col_i64(st, 0),
			.b = col_i64(st, 1),
			.at_ms = col_i64(st, 2),
			.name = col_str(st, 3),
			.value = col_str(st, 4) };
		rc = row(ctx, &f);
		if (rc) {
			db_reset(st);
			return rc;
		}
	}
	return rc;
}

int q_effects(struct store_reader *r, int64_t delivery,
	int (*row)(void *ctx, const struct q_fact *f), void *ctx)
{
	sqlite3_stmt *st;
	int rc = db_query(reader_db(r), &st,
		"SELECT effect, state, 0, provider_id, NULL FROM effect WHERE delivery_id=? ORDER BY "
		"effect LIMIT ?",
		"ii", delivery, (int64_t)ROWS_MAX);

	return rc ? rc : facts(reader_db(r), st, row, ctx);
}

int q_receipts(struct store_reader *r, int64_t delivery,
	int (*row)(void *ctx, const struct q_fact *f), void *ctx)
{
	sqlite3_stmt *st;
	int rc = db_query(reader_db(r), &st,
		"SELECT effect, state, at, code, NULL FROM receipt WHERE delivery_id=? ORDER BY id LIMIT ?",
		"ii", delivery, (int64_t)ROWS_MAX);

	return rc ? rc : facts(reader_db(r), st, row, ctx);
}

int q_steps(struct store_reader *r, int64_t delivery, int (*row)(void *ctx, const struct q_fact *f),
	void *ctx)
{
	sqlite3_stmt *st;
	int rc = db_query(reader_db(r), &st,
		"SELECT 0, 0, 0, name, value FROM step WHERE delivery_id=? ORDER BY name LIMIT ?",
		"ii", delivery, (int64_t)ROWS_MAX);

	return rc ? rc : facts(reader_db(r), st, row, ctx);
}

int q_office_id(struct store_reader *r, const char *code, int64_t *ret)
{
	return db_get_i64(reader_db(r), ret, "SELECT id FROM office WHERE code=?", "t", code);
}

int q_campaign_id(struct store_reader *r, const char *name, int64_t *ret)
{
	return db_get_i64(reader_db(r), ret, "SELECT id FROM campaign WHERE name=?", "t", name);
}

int q_channel_id(struct store_reader *r, const char *name, int64_t *ret)
{
	return db_get_i64(reader_db(r), ret, "SELECT id FROM channel WHERE name=?", "t", name);
}

int q_lane_id(struct store_reader *r, const char *channel, const char *account, const char *class,
	int64_t *ret)
{
	return db_get_i64(reader_db(r), ret,
		"SELECT n.id FROM lane n JOIN account a ON a.id=n.account_id JOIN channel c ON "
		"c.id=a.channel_id WHERE c.name=? AND a.name=? AND n.class=?",
		"ttt", channel, account, class);
}

int q_part_no(struct store_reader *r, int64_t release, const char *name, int64_t *ret)
{
	return db_get_i64(reader_db(r), ret,
		"SELECT part FROM part WHERE release_id=? AND name=? ORDER BY rev DESC LIMIT 1",
		"it", release, name);
}

int q_channels_by_office(struct store_reader *r, int64_t under,
	int (*row)(void *ctx, const struct q_route_row *x), void *ctx)
{
	struct db *db = reader_db(r);
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT o.code, k.kind, c.name, a.name, count(*) FROM target t JOIN office o ON "
		"o.id=t.office_id JOIN contact k ON k.id=t.contact_id LEFT JOIN lane n ON n.id=t.lane_id "
		"LEFT JOIN account a ON a.id=n.account_id LEFT JOIN channel c ON c.id=a.channel_id WHERE "
		"t.flags&1=0 AND (?1=0 OR t.office_id IN (WITH RECURSIVE u(id) AS (SELECT ?1 UNION SELECT "
		"x.id FROM office x JOIN u ON x.parent_id=u.id) SELECT id FROM u)) GROUP BY o.id, k.kind, "
		"a.id ORDER BY o.ord, k.kind LIMIT 5000",
		"i", under);

	if (rc)
		return rc;
	while ((rc = db_row(db, st)) == 1) {
		struct q_route_row x = { .office = col_str(st, 0),
			.kind = (int)col_i64(st, 1),
			.channel = col_str(st, 2),
			.account = col_str(st, 3),
			.targets = col_i64(st, 4) };
		rc = row(ctx, &x);
		if (rc) {
			db_reset(st);
			return rc;
		}
	}
	return rc;
}
