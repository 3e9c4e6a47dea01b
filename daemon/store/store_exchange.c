/* store_exchange.c - exchange records in their own file.
 * Thread: store for writing, any reader for reading. Owns: exchange.db's one table.
 * Failures: a record that cannot be written is dropped and counted; nothing waits for it.
 */
#include <string.h>
#include "base/assert.h"
#include "store/store_engine.h"
#include "store/store_exchange.h"

#define CUT_MARK   "\n[cut]"
#define PRUNE_ROWS 200
#define LIST_MAX   1000

static int insert(struct db *db, const struct exchange_rec *r, int64_t at, struct str body)
{
	return db_exec(db,
		"INSERT INTO exchange VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT(delivery_id, try, n) DO "
		"UPDATE SET at = excluded.at, outward = excluded.outward, body = excluded.body",
		"iiiiib", r->delivery, r->try_no, r->n, at, (int64_t)r->outward, body);
}

static int insert_cut(struct db *db, const struct exchange_rec *r, int64_t at)
{
	size_t keep = EXCHANGE_BODY_MAX - (sizeof(CUT_MARK) - 1);
	char *cut = x_calloc(1, EXCHANGE_BODY_MAX);

	memcpy(cut, r->body.p, keep);
	memcpy(cut + keep, CUT_MARK, sizeof(CUT_MARK) - 1);
	int rc = insert(db, r, at, (struct str){ cut, EXCHANGE_BODY_MAX });
	xfree(cut);
	return rc;
}

void store_exchange_put(struct store_tx *tx, const struct exchange_rec *r)
{
	struct db *db = tx_exchange(tx);
	struct store *s = tx_store(tx);
	struct exchange_rec rec = *r;
	int64_t at = r->at ? r->at : tx_wall_ms(tx);
	int rc = -ENOSPC;

	if (!rec.body.p)
		rec.body = STR("");
	if (db)
		rc = rec.body.n > EXCHANGE_BODY_MAX ? insert_cut(db, &rec, at)
						    : insert(db, &rec, at, rec.body);
	if (rc < 0) {
		pthread_mutex_lock(&s->mu);
		s->st.exchange_dropped++;
		pthread_mutex_unlock(&s->mu);
	}
}

int store_exchange_list(struct store_reader *r, int64_t delivery,
	void (*row)(void *ctx, const struct exchange_rec *rec), void *ctx)
{
	struct db *db = reader_exchange(r);
	sqlite3_stmt *st = NULL;
	int n = 0;

	if (!db)
		return -EIO;
	int rc = db_query(db, &st,
		"SELECT try, n, at, outward, body FROM exchange WHERE delivery_id = ? ORDER BY try, n "
		"LIMIT ?",
		"ii", delivery, (int64_t)LIST_MAX);
	while (rc >= 0 && (rc = db_row(db, st)) == 1) {
		struct exchange_rec rec = { .delivery = delivery,
			.try_no = col_i64(st, 0),
			.n = col_i64(st, 1),
			.at = col_i64(st, 2),
			.outward = col_i64(st, 3) != 0,
			.body = col_blob(st, 4) };
		row(ctx, &rec);
		n++;
	}
	return rc < 0 ? rc : n;
}

static int prune_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct store_exchange_prune *c = CONTAINER_OF(cmd, struct store_exchange_prune, cmd);
	struct db *db = tx_exchange(tx);
	int rc = 0;

	c->removed = 0;
	c->more = true;
	if (!db)
		return -ENOSPC;
	while (rc == 0 && c->more && tx_elapsed_us(tx) < tx_chunk_us(tx) / 2) {
		rc = db_exec(db,
			"DELETE FROM exchange WHERE (delivery_id, try, n) IN (SELECT delivery_id, try, "
			"n FROM exchange INDEXED BY exchange_at WHERE at < ? LIMIT ?)",
			"ii", c->before, (int64_t)PRUNE_ROWS);
		if (rc == 0) {
			c->removed += db_changes(db);
			c->more = db_changes(db) == PRUNE_ROWS;
		}
	}
	return rc;
}

void store_exchange_prune_init(struct store_exchange_prune *c, int64_t before)
{
	memset(c, 0, sizeof(*c));
	c->cmd.class = STORE_BULK;
	c->cmd.run = prune_run;
	c->before = before;
}

int store_exchange_forget(struct store_tx *tx, int64_t delivery)
{
	struct db *db = tx_exchange(tx);

	if (!db)
		return -ENOSPC;
	return db_exec(db, "DELETE FROM exchange WHERE delivery_id = ?", "i", delivery);
}
