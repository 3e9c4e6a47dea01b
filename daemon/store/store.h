/* store.h - the one writer with group commit, readers beside it, and what they need to live.
 * Threads: store_submit and store_complete on the loop thread; cmd->run on the store thread (or in the caller of store_run);
 * readers on any worker, one reader per thread at a time.
 * Writing: commands of the domain are structs that embed struct store_cmd; the run functions live in store/store_*.c. The
 * thread takes all that waits, one BEGIN IMMEDIATE, a savepoint per command, one commit, then the completions on the loop.
 * Order inside a transaction: outcomes, intents, control, bulk (at most one bulk chunk of <= 20 ms a transaction).
 * Failure: a command that fails is rolled back to its savepoint alone. A failed commit fails its intents and control commands with the
 * code and keeps its outcomes queued. -ENOSPC: intake, imports and intents are refused while free space is under the
 * floor; the ballast file is freed for outcomes; it heals by itself. An EIO from fsync never heals: fatal_cb, stop sending, exit.
 */
#ifndef LANTOA_STORE_STORE_H
#define LANTOA_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/crypt.h"
#include "base/err.h"
#include "base/list.h"
#include "base/str.h"

struct store;
struct store_tx;
struct store_reader;
struct db; /* store_internal.h */

enum store_class { STORE_OUTCOME = 0, STORE_INTENT = 1, STORE_CONTROL = 2, STORE_BULK = 3 };

struct store_cmd {
	struct list node;
	enum store_class class;
	bool intake; /* refused with -ENOSPC under the free-space floor (intents and bulk are so by class) */
	bool pressing; /* bulk that somebody waits for, an emergency's plan: it rests less */
	int (*run)(struct store_tx *tx,
		struct store_cmd *cmd); /* 0, or a code and err filled: rolled back alone. Runs
					 * again after a failed commit: no effect but on tx and cmd */
	void (*done)(struct store_cmd
			*cmd); /* on the loop, after the commit; rc and err are set; may free cmd */
	int rc;
	struct err err;
	uint64_t no; /* the store's own: the order in which they were submitted */
};

struct store_opts {
	const char *state_dir;      /* lantoa.db, exchange.db, epoch, ballast, assets/, staging/ */
	const struct keyring *keys; /* borrowed; audit chain, approvals, secrets */
	bool create;                /* make a new database when there is none; else -ENOENT */
	bool demo;                  /* with create: a demo database */
	bool exclusive;  /* simulation: locking_mode EXCLUSIVE, no WAL-index in shared memory */
	const char *vfs; /* NULL: the default one */
	int64_t free_floor_bytes, ballast_bytes, wal_max_bytes;
	int64_t (*wall_ms)(void *ctx); /* injected time */
	int64_t (*mono_us)(void *ctx); /* for chunk budgets */
	void *time_ctx;
	size_t queue_max; /* commands waiting; over it store_submit returns -EAGAIN (0: 4096) */
	void (*fatal_cb)(void *ctx,
		const char *why); /* the database cannot be trusted any more: stop sending, exit */
	void *fatal_ctx;
	int64_t (*free_bytes)(void *ctx); /* NULL: statvfs of state_dir; for tests */
	void *free_ctx;
	int64_t fence_after_ms; /* heartbeat older than this needs restore-confirm (0: 7 days, < 0: never) */
	int64_t restore_leap; /* numbers of deliveries that restore-confirm passes over (0: 2^30); for tests */
	const struct keyring
		*secret_keys; /* credentials at rest; NULL: keys. Rotated apart from the master */
	const struct keyring *
		secret_next; /* of a rotation that a kill interrupted: seals if it has sealed anything */
	const struct keyring *const *secret_known; /* open what they sealed, with keys; borrowed */
	size_t n_secret_known;
};

/* Opens, locks (one daemon), migrates (refuses a newer schema), checks the fence: a restored backup needs restore-confirm (-EKEYREVOKED).
 * Raises the epoch durably (database and file beside it). */
int store_open(const struct store_opts *o, struct store **ret, struct err *e) MUST_CHECK;
void store_close(struct
	store *s); /* thread stopped first; what waits is run and completed; checkpoint; NULL allowed */
/* As a kill would leave it: nothing is run, completed or copied back. For simulation and crash tests. */
void store_drop(struct store *s);

int store_submit(struct store *s, struct store_cmd *cmd)
	MUST_CHECK; /* 0 or -EAGAIN (full), -EIO (dead). Outcomes are always taken: committed intents bound them */
/* For callers to whom a command that is not taken is one that failed: then cmd->done is called with that rc, before this returns. */
void store_submit_or_done(struct store *s, struct store_cmd *cmd);
/* Executes waiting commands in the caller: one transaction; returns how many ran. For simulation, tests and the thread itself. */
size_t store_run(struct store *s);
/* Runs the completions of committed commands; loop thread; returns how many. */
size_t store_complete(struct store *s);
/* Thin wrapper: a thread that waits and calls store_run; wake(ctx) is called from it when completions wait. */
int store_thread_start(struct store *s, void (*wake)(void *ctx), void *ctx) MUST_CHECK;
void store_thread_stop(struct store *s); /* runs what is queued, then joins */

/* Readers. The snapshot lasts from begin to end: <= 250 ms by habit, longer ones restart by key. */
int store_reader_get(struct store *s, struct store_reader **ret)
	MUST_CHECK; /* from a pool of 8; blocks a worker when all are out */
void store_reader_put(struct store *s, struct store_reader *r);
/* A reader with its snapshot begun, for a look that needs one; both at once given back. */
int store_reader_open(struct store *s, struct store_reader **ret) MUST_CHECK;
void store_reader_close(struct store_reader *r);
int reader_begin(struct store_reader *r) MUST_CHECK;
void reader_end(struct store_reader *r);
/* Until it is put back: once *cut, no snapshot begins (-ECANCELED) and a statement under way ends (-EINTR). For what reads for long. */
void reader_cut(struct store_reader *r, const _Atomic bool *cut);
bool reader_is_cut(const struct store_reader *r);
struct db *reader_db(struct store_reader *r);
struct store *reader_store(struct store_reader *r);

/* Facts. */
int64_t store_epoch(const struct store *s);
bool store_is_demo(const struct store *s);
const uint8_t *store_uuid(const struct store *s); /* 16 bytes */
const char *store_assets_dir(const struct store *s);
const char *store_staging_dir(const struct store *s);
const struct keyring *store_keys(const struct store *s);
struct store_stats { /* transactions: committed; tx_us: from BEGIN to the end of the commit */
	uint64_t transactions, commands, rows, tx_us_total, tx_us_max, commit_us_max, checkpoints,
		wal_bytes, queue_len, free_bytes;
	uint64_t tx_us_hist[16]; /* powers of two from 64 us */
	bool under_floor, ballast_spent;
	uint64_t tx_failed,
		exchange_dropped; /* transactions that did not commit; exchange records lost to a full disk */
	uint64_t wal_bytes_max;
	uint64_t tx_max_commit_us,
		tx_max_cmd_us; /* of the longest transaction: its commit, its longest command ... */
	uintptr_t tx_max_cmd_at; /* ... and that one's function */
	bool dead;               /* the disk failed: nothing is written any more */
};
void store_stats_get(struct store *s, struct store_stats *ret); /* any thread */

/* Audit: the only way an act of a person or a change of policy is recorded; inside the same transaction as the act.
 * No personal data: ids and keyed hashes only. Strings may be NULL where optional. */
struct audit_event {
	const char *person; /* name from the config, or "system" */
	const char *via; /* how identified: "uid:1000", "gateway:console+ssh:SHA256…", "system" */
	const char *what;    /* dotted verb: release.submit, release.approve, lot.hold … */
	const char *subject; /* "release:TTBC-2026-112@2026", "lane:mail/relay/gmail" … */
	const char *was, *now, *why;
};
int store_audit(struct store_tx *tx,
	const struct audit_event *ev) MUST_CHECK; /* row, chain and head; see store_audit.h */

/* Keyed hash of an address for logs, audit and suppression (KEY_PERSONAL over kind and canonical address). */
void store_who(const struct store *s, int kind, struct str address, struct hash *ret);

#endif
