/* store_engine.h - what the engine's own files share: the connection, the store, the transaction. Not for domain files.
 * Thread: fields under "store thread" belong to whoever calls store_run; fields under "mu" are guarded by it.
 */
#ifndef LANTOA_STORE_STORE_ENGINE_H
#define LANTOA_STORE_STORE_ENGINE_H

#include <pthread.h>
#include "store/store_internal.h"

#define READERS_MAX \
	10 /* a worker has one at most: four quick ones, four slow ones; an import keeps one */
#define STMTS_MAX      2048   /* statements of one connection; they are literals in our own files */
#define TX_TAKE_US     25000  /* outcomes are taken into one transaction up to this long ... */
#define TX_LAST_US     32000  /* ... intents and control up to this, at least one of each */
#define TX_BULK_US     15000  /* a bulk chunk joins only while the transaction is younger ... */
#define BULK_SKIPS_MAX 4      /* ... or was passed over this often */
#define BULK_APART_US  200000 /* beside other commands a bulk chunk runs at least this often */
#define BULK_QUIET_US  30000  /* and as soon as none came for this long */
/* Until so long after something was sent it rests between chunks: what is sent next finds the writer and a processor free. */
#define BULK_SHY_US        500000
#define BULK_REST_US       8000
#define BUSY_US            1000000 /* so long after other commands chunks stay short */
#define CKPT_PAGES_IDLE    1000    /* pages not yet copied back that start a checkpoint */
#define CKPT_PAGES_BUSY    2000    /* the same while commands wait, or came just now */
#define IDLE_MS            1000    /* nothing to do for this long: the WAL is emptied */
#define RETRY_MS           200     /* between tries of outcomes that could not be committed */
#define HEARTBEAT_MS       600000  /* meta.heartbeat is at most this old while we run */
#define SPACE_CHECK_US     1000000 /* free space is looked at this often */
#define READER_PRESSURE_MS 500     /* a reader waits at most this long for the WAL to be emptied */
#define DB_PAGE            4096
#define APP_ID             0x4c616e74 /* "Lant" */

/* For a code that changes nothing any more: the caller is already on its way out with another one. */
static inline void ignored(int rc)
{
	(void)rc;
}

struct stmt_slot {
	const char *sql; /* address of the literal */
	sqlite3_stmt *st;
};

struct db {
	sqlite3 *h;
	struct stmt_slot *slot; /* open addressing, cap a power of two */
	size_t n, cap;
	bool hit_full, hit_io; /* seen since the flags were last cleared */
};

struct store_reader {
	struct store *s;
	struct db *db, *ex; /* owned, opened at first use; in exclusive mode the writer's */
	bool out, began;
	const _Atomic bool
		*cut; /* borrowed until it is put back; NULL: nothing ends what it reads */
};

struct store_tx {
	struct store *s;
	int64_t wall_ms, began_us, cmd_began_us;
	const struct keyring *rotate_to; /* sealing key from this commit on, or NULL */
	int64_t longest_us;              /* of its commands, ... */
	uintptr_t longest_at;            /* ... and which one */
	bool looked;                     /* the command has asked how long its chunk may be */
	bool scrub;                      /* erased something: empty the log after the commit */
	bool ex_open;                    /* exchange.db takes part: in the transaction ... */
	bool ex_in_cmd;                  /* ... and in this command's savepoint */
};

struct store {
	struct store_opts o; /* strings point at the copies below */
	char *dir, *db_path, *ex_path, *assets_dir, *staging_dir, *ballast_path, *epoch_path,
		*lock_path, *vfs;
	int lock_fd;
	uint8_t uuid[16];
	int64_t epoch;
	int64_t attempts; /* written by this epoch (store thread) */
	bool demo;

	/* store thread */
	struct db *w, *ex;
	struct store_tx tx;
	int wal_pages, ckpt_pages; /* in the WAL; of them copied back */
	int bulk_skips;
	int64_t bulk_commit_us;   /* mean commit of a chunk of bulk */
	int64_t bulk_us, busy_us; /* when bulk ran last; when anything else did */
	int64_t sent_us;          /* when something was sent */
	int64_t heartbeat_ms, space_us;
	bool space_known, scrub;

	/* mu */
	pthread_mutex_t mu;
	pthread_cond_t work, readers;
	struct list q[4], done;
	size_t q_len[4], done_len;
	uint64_t submitted;
	bool dead, stuck, pressure;
	int64_t pressure_us; /* when it began */
	struct store_stats st;
	struct metric *tx_time, *ckpt_time;
	struct store_reader reader[READERS_MAX];
	size_t readers_began;
	int backups; /* under way: they hold a long snapshot, so nobody waits for an empty WAL */
	pthread_t thread;
	bool thread_on, stopping;
	/* keys that open sealed credentials too: of a rotation not yet committed, of the last one */
	const struct keyring *secret_next, *secret_prev;
	void (*wake)(void *ctx);
	void *wake_ctx;
};

/* store_db.c */
int db_code(int sqlite_rc);
int db_open(
	const char *path, const char *vfs, int flags, struct db **ret, struct err *e) MUST_CHECK;
void db_close(struct db *db);
int db_script(struct db *db, const char *sql, struct err *e) MUST_CHECK; /* several statements */
void db_note_last(struct db *db);
size_t db_reset_all(struct db *db); /* resets what was left running; returns how many those were */

/* store_migrate.c */
int migrate_main(struct db *db, bool create, struct err *e) MUST_CHECK;
int migrate_exchange(struct db *db, struct err *e) MUST_CHECK;
int writer_open(struct store *s, bool *ret_made, struct err *e) MUST_CHECK;
int exchange_open(const struct store *s, int flags, struct db **ret, struct err *e) MUST_CHECK;

/* store_fence.c */
int fence_check_and_raise(struct store *s, struct err *e) MUST_CHECK;
int meta_create(struct store *s, struct err *e) MUST_CHECK;

/* store.c */
int store_new(const struct store_opts *o, struct store **ret,
	struct err *e) MUST_CHECK; /* paths, folders, lock */
void store_free(struct store *s);
int64_t store_wall(const struct store *s);
int64_t store_mono_us(const struct store *s);
void store_set_dead(struct store *s, const char *why);
/* One transaction of the engine itself, outside of the queue: opening, confirming. fn as cmd->run. */
int store_now(struct store *s, int (*fn)(struct store_tx *tx, void *arg), void *arg) MUST_CHECK;
void store_idle(struct store *s); /* heartbeat, free space, empty WAL */

/* store_space.c */
void space_check(struct store *s, bool force);
bool space_has(
	const struct store *s, int64_t bytes); /* so many more leave the floor free; any thread */
int space_refuse(struct store *s, struct err *e); /* -ENOSPC and its text */
bool ballast_spend(struct store *s);              /* true when it gave something back */
void space_for_start(
	struct store *s); /* before the database is opened: a full disk keeps nobody from it */
void ballast_make(struct store *s);

/* store_checkpoint.c */
void checkpoint_init(struct store *s);
void checkpoint_after_commit(struct store *s);
void checkpoint_truncate(struct store *s);
void checkpoint_tx_begin(struct store *s);
bool checkpoint_tx_full(
	struct store *s); /* what it changed is as much as the log should take at once */
bool checkpoint_holds_bulk(
	const struct store *s); /* mu held: readers keep a log that is too long */

/* store_secret.c */
int secret_key_settle(struct store *s) MUST_CHECK; /* at open: which key seals */
void secret_rotate_end(struct store_tx *tx, bool committed);

/* store_reader.c */
void readers_close(struct store *s);

#endif
