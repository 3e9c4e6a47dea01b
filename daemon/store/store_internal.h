/* store_internal.h - for files in store/ only: prepared statements with typed binding, and the transaction at hand.
 * Statements are cached by the address of their SQL literal: pass string literals only.
 * Formats for binding, in order of the ?s: i int64_t, t const char * (NULL: null), s struct str (absent: null), b struct str as blob,
 * h const struct hash *, d double, n null (takes no argument).
 */
#ifndef LANTOA_STORE_INTERNAL_H
#define LANTOA_STORE_INTERNAL_H

#include <sqlite3.h>
#include "store/store.h"

struct db; /* one connection and its statements */

/* Runs a statement that returns no rows. 0, or a negative code (mapped from SQLite; -EEXIST for a UNIQUE, -ENOSPC, -EIO, ...). */
int db_exec(struct db *db, const char *sql, const char *fmt, ...) MUST_CHECK;
int64_t db_changes(struct db *db);
int64_t db_last_id(struct db *db);
/* Starts a query; rows by db_row: 1 a row, 0 the end (statement reset), negative a failure (reset too). Leave early with db_reset. */
int db_query(struct db *db, sqlite3_stmt **ret, const char *sql, const char *fmt, ...) MUST_CHECK;
int db_row(struct db *db, sqlite3_stmt *st) MUST_CHECK;
void db_reset(sqlite3_stmt *st);
/* One row, one integer: 1 found, 0 none (ret untouched), negative failure. */
int db_get_i64(struct db *db, int64_t *ret, const char *sql, const char *fmt, ...) MUST_CHECK;
/* The first column of at most max rows. 0, or negative. */
int db_get_ids(struct db *db, int64_t *ret, size_t max, size_t *ret_n, const char *sql,
	const char *fmt, ...) MUST_CHECK;
/* One row, one text, cut to fit: 1 found, 0 none, negative failure; dst is "" where it is not found. */
int db_get_text(
	struct db *db, char *dst, size_t size, const char *sql, const char *fmt, ...) MUST_CHECK;
/* For SQL made at run time (audience rules): prepared, not cached; finalize with sqlite3_finalize. Never from outside text: values bind. */
int db_prepare(struct db *db, const char *sql, sqlite3_stmt **ret) MUST_CHECK;
int db_bind(sqlite3_stmt *st, const char *fmt, ...) MUST_CHECK;
/* One statement with the values of many rows: bound one after the other, then run. Texts are borrowed until then. */
struct db_many {
	struct db *db;
	sqlite3_stmt *st;
	int i, rc;
};
int db_many_begin(struct db *db, const char *sql, struct db_many *ret) MUST_CHECK;
void db_many_i64(struct db_many *m, int64_t v);
void db_many_null(struct db_many *m);
void db_many_str(struct db_many *m, struct str s); /* absent: null */
int db_many_run(struct db_many *m) MUST_CHECK;     /* as db_exec; every ? must be bound */
const char *db_message(struct db *db);             /* last SQLite text, for logs; no values in it */
sqlite3 *db_handle(struct db *db);

/* Columns; borrowed until the next step. */
static inline int64_t col_i64(sqlite3_stmt *st, int i)
{
	return sqlite3_column_int64(st, i);
}
struct str col_str(sqlite3_stmt *st, int i); /* absent for NULL */
struct str col_blob(sqlite3_stmt *st, int i);
const char *col_z(sqlite3_stmt *st, int i);               /* "" for NULL */
char *col_dup(sqlite3_stmt *st, int i);                   /* owned copy, NULL for NULL */
bool col_hash(sqlite3_stmt *st, int i, struct hash *ret); /* false: null or another length */

struct db *tx_db(struct store_tx *tx);
struct store *tx_store(struct store_tx *tx);
int64_t tx_wall_ms(struct store_tx *tx);            /* one time for the whole transaction */
int64_t tx_attempt_last(const struct store_tx *tx); /* number of the newest attempt, or more */
int64_t tx_attempt_next(struct store_tx
		*tx); /* number of a new attempt: larger than all before, also of earlier epochs */
int64_t tx_elapsed_us(struct store_tx *tx); /* since this command began */
/* A chunk of bulk begins no further step after TX_CHUNK_US, where people or deliveries used the store just before after
 * TX_CHUNK_BUSY_US, and once one of them waits after TX_CHUNK_WAITED_US, so that it takes 20 ms with its commit (design 5), and they
 * stand behind a few at most. What commits take over TX_COMMIT_US shortens it, to a third at most. A step is far shorter than that. */
#define TX_CHUNK_US        15000
#define TX_CHUNK_BUSY_US   2500
#define TX_CHUNK_WAITED_US 500
#define TX_COMMIT_US       5000
/* How long it may be now. At its first look a chunk has not begun: who waits shortens nothing then. */
int64_t tx_chunk_us(struct store_tx *tx);
struct db *tx_exchange(struct store_tx
		*tx); /* exchange.db: attached work, own durability; NULL: cannot be written now */
/* After this commit the WAL is emptied as soon as readers allow, so that what was erased is gone from it too. */
void tx_scrub(struct store_tx *tx);
struct db *reader_exchange(struct store_reader
		*r); /* exchange.db in a snapshot of its own; NULL when it cannot be opened */

#endif
