/* store_import.h - targets and suppressions by the million: staged in a file of their own, checked there, applied in chunks.
 *
 * Way: stage_new; stage_add for every row of the file (worker); stage_check sorts, finds duplicates and compares with the store
 * (worker, no reader held for long); import_begin commits the import, its job and the names it needs; import_chunk applies
 * <= 20 ms a transaction and moves job.cursor in it; import_finish writes the counts and the audit and takes the job away.
 * A refused file leaves nothing: until import_begin nothing is written but the staging file "import-N.todo".
 * After a crash: before import_begin the leftover is swept; behind it the staging file is whole and synced, and the import goes
 * on from job.cursor. New targets carry TARGET_PENDING and seen_import; audiences pass over them while the job of that import
 * stands, so that it becomes visible in the one transaction that takes the job away. Where the staging file is gone (a restored
 * backup) import_undo takes the pending targets away again.
 * Threads: stage_* on a worker, one at a time; commands as store.h says.
 */
#ifndef LANTOA_STORE_IMPORT_H
#define LANTOA_STORE_IMPORT_H

#include "base/buf.h"
#include "store/store.h"

#define JOB_IMPORT         2 /* job.kind; subject: import.id, arg: name of the staging file */
#define IMPORT_NAMES_MAX   8192
#define IMPORT_SEP         '\x1f' /* between tags and lists of a row */
#define TARGET_GONE        1u
#define TARGET_INTERNAL    2u
#define TARGET_PENDING     4u /* came with import seen_import: not there before its job is gone */
#define IMPORT_BLOCK_BYTES (1u << 20)

enum import_kind { IMPORT_TARGETS = 1, IMPORT_SUPPRESSION = 2 };

struct import_row { /* borrowed strings; of a suppression: kind, address and reason only */
	int line, kind, reason;
	int64_t office_id;
	int lane; /* number of stage_lane, -1: no route */
	unsigned flags;
	struct str address, form, class, name, lang, tags, lists,
		vars; /* tags, lists: sorted, IMPORT_SEP between */
};
struct import_counts {
	int64_t rows, added, changed, gone;
	int64_t taken; /* of those that are there already: came with another file last, and are this one's from now on */
};

struct stage;
/* A new staging file; -EEXIST never: names are tried until one is free. person, via, source: copied. */
int stage_new(struct store *s, enum import_kind what, struct stage **ret, struct err *e) MUST_CHECK;
/* The staging file of an interrupted import: ready for import_fill. */
int stage_reopen(struct store *s, const char *name, struct stage **ret, struct err *e) MUST_CHECK;
void stage_close(struct stage *st);  /* the file stays; NULL allowed */
void stage_remove(struct stage *st); /* closed and deleted; NULL allowed */
DEFINE_CLEANUP(stage_close, struct stage *)
/* The lane of (channel, account, class): a number for import_row.lane, or -E2BIG. */
int stage_lane(struct stage *st, const char *channel, const char *adapter, const char *account,
	const char *class) MUST_CHECK;
/* Packed rows: filled by one worker while another stages the block before. */
int import_pack(struct buf *block, const struct import_row *row) MUST_CHECK;
int stage_add(struct stage *st, struct str block, struct err *e) MUST_CHECK;

struct stage_ask {
	const char *
		source; /* import.what; targets that came with it before and are not in the file are gone */
	const char *bound; /* office that bounds the person: nothing else is gone; NULL: none */
	/* a duplicate, a name that is overruled; returns false to stop */
	bool (*problem)(void *ctx, bool error, int line, const char *field, const char *text);
	void *ctx;
};
/* Sorts, finds duplicates, compares. Afterwards the stage holds what is to be done, in order, and is synced. -EBADMSG: problems
 * were told. */
int stage_check(struct stage *st, const struct stage_ask *ask, struct import_counts *ret,
	struct err *e) MUST_CHECK;
/* The next packed steps behind cursor (bytes), whole ones of at most IMPORT_BLOCK_BYTES; 0 and an empty block at the end. */
int stage_read(struct stage *st, int64_t cursor, struct buf *block) MUST_CHECK;

struct import_begin {
	struct store_cmd cmd;
	struct stage *stage; /* borrowed until done */
	const char *source, *person, *via, *file;
	struct hash hash; /* of the file */
	struct import_counts counts;
	int64_t ret_import;
};
void import_begin_prepare(struct import_begin *c);
struct import_chunk {
	struct store_cmd cmd;
	struct stage *stage; /* names and ids only */
	int64_t import_id;
	struct str block; /* from stage_read */
	size_t at, next;  /* bytes: where this chunk begins, and after it has run the next one */
	int64_t cursor;   /* of the block's first byte, among all steps */
};
void import_chunk_prepare(struct import_chunk *c);
struct import_finish {
	struct store_cmd cmd;
	int64_t import_id;
	struct import_counts ret;
};
void import_finish_prepare(struct import_finish *c);
struct import_undo { /* again from `next` while `more` */
	struct store_cmd cmd;
	int64_t import_id, after, next;
	bool more;
};
void import_undo_prepare(struct import_undo *c);

struct import_job {
	int64_t import_id, cursor;
	char stage[64];
};
/* The import that was interrupted; 1 there is one, 0 none. */
int import_job_get(struct db *db, struct import_job *ret) MUST_CHECK;
/* Ids of the names of a stage that was opened again: before import_chunk. In a transaction. */
struct import_again {
	struct store_cmd cmd;
	struct stage *stage;
};
void import_again_prepare(struct import_again *c);
/* What earlier runs left in the staging folder (imports, uploads, assets) is deleted, but for `keep`: at start-up. Blocking. */
void import_sweep(struct store *s, const char *keep);

/* Routes of targets after a reload, page by page. */
struct reroute_row {
	int64_t target_id, contact_id, lane_id, office_id;
	int kind;
	unsigned flags;
	char address[321], channel[64], account[64];
};
int reroute_page(struct db *db, int64_t after, struct reroute_row *ret, size_t max,
	size_t *ret_n) MUST_CHECK;
struct lane_move {
	int64_t from, to; /* lanes; they differ */
};
#define JOB_MOVE 3 /* job.kind; subject: both lanes. What waits on `from` has not followed yet */
/* Moves that are not over, written with the targets' new lanes: a daemon that dies in between goes on with them. */
int lane_moves_get(struct db *db, struct lane_move *ret, size_t max, size_t *ret_n) MUST_CHECK;
struct lane_moves_over {
	struct store_cmd cmd;
	const struct lane_move *v; /* owned by the user until done */
	size_t n;
};
void lane_moves_over_prepare(struct lane_moves_over *c);
struct reroute_set {
	int64_t target_id, contact_id;
	int64_t from_lane; /* 0: none */
	bool none;         /* no route any more */
	int kind;
	char was[321],
		address[321]; /* taken as written while no channel read it, and as the channel says; "" stays as it is */
	int64_t ret_lane;
	char channel[64], adapter[64], account[64], class[40], form[16];
};
struct reroute_cmd {
	struct store_cmd cmd;
	struct reroute_set *v;
	size_t n;
	int64_t ret_changed;
};
void reroute_prepare(struct reroute_cmd *c);

#endif
