/* store_import_internal.h - what the files of store_import share: the stage and the packed row. */
#ifndef LANTOA_STORE_IMPORT_INTERNAL_H
#define LANTOA_STORE_IMPORT_INTERNAL_H

#include "base/map.h"
#include "store/store_engine.h"
#include "store/store_import.h"

/* STEP_NEW: as STEP_PUT, of a contact that the store did not have when it was compared: its first target. */
enum step_do { STEP_PUT = 1, STEP_TOUCH = 2, STEP_GONE = 3, STEP_SUPPRESS = 4, STEP_NEW = 5 };

struct stage_name { /* of a lane "channel\x1fadapter\x1faccount\x1fclass", a tag or a list */
	char *text;
	int64_t id; /* in the store, once import_begin has run */
};
struct stage_names {
	struct stage_name *v;
	size_t n, cap;
	struct maps *by_text;
};
#define OUT_BYTES (256u << 10) /* gathered before they are written */
struct stage_out {             /* appends to a file */
	int fd;
	struct buf b;  /* not written yet */
	int64_t bytes; /* in all */
};
int stage_out_add(struct stage_out *o, const void *p, size_t n) MUST_CHECK;
int stage_out_flush(struct stage_out *o) MUST_CHECK;

/* Rows of the file as they come, block by block in sorted runs: kind, address, office, line. */
struct rows_run {
	int64_t from, to;
};
struct rows {
	struct stage_out out; /* out.fd: unlinked, gone with its last descriptor; -1: closed */
	struct rows_run *run;
	size_t n_run, cap_run;
	struct rows_at *at; /* of one block, for sorting */
	size_t cap_at;
};
int rows_open(struct rows *r, const char *path) MUST_CHECK;
void rows_close(struct rows *r);                           /* again allowed */
int rows_add(struct rows *r, struct str block) MUST_CHECK; /* one more run */
int rows_cmp(const struct import_row *a, const struct import_row *b);
/* All rows in order. */
struct rows_merge;
int rows_merge_open(struct rows *r, struct rows_merge **ret) MUST_CHECK;
/* 1 a row, borrowed until the next call; 0 the end. */
int rows_merge_next(struct rows_merge *m, struct import_row *ret) MUST_CHECK;
void rows_merge_close(struct rows_merge *m); /* NULL allowed */
DEFINE_CLEANUP(rows_merge_close, struct rows_merge *)

struct stage {
	struct store *s;
	enum import_kind what;
	char name[64], *path;
	struct stage_names lanes, tags, lists;
	struct buf last_tags, last_lists; /* of the row before: most rows repeat them */
	struct rows rows;
	struct stage_out todo; /* what is to be done; todo.fd -1: not open */
	int64_t sent;          /* bytes that are on their way to the disk */
	int64_t steps_to;   /* bytes of the file up to the end of its steps; 0: not checked yet */
	int64_t steps;      /* how many */
	int64_t generation; /* newest import when it was compared */
};
int stage_step(struct stage *st, const struct import_row *row, enum step_do what) MUST_CHECK;
int stage_seal(struct stage *st) MUST_CHECK; /* names, the end mark, synced: whole from here on */

/* store_import_compare.c: rows of the file, in order, beside what the store has. */
struct compare;
int compare_open(struct stage *st, const char *source, struct compare **ret) MUST_CHECK;
void compare_close(struct compare *c); /* NULL allowed */
DEFINE_CLEANUP(compare_close, struct compare *)
/* What is to be done with a row (0: nothing), and how it counts. first: no other row of its contact came before. */
int compare_target(struct compare *c, const struct import_row *row, bool first,
	struct import_counts *n) MUST_CHECK;
int compare_suppression(
	struct compare *c, const struct import_row *row, struct import_counts *n) MUST_CHECK;
/* Targets of the same source that no row named, as steps. bound: office, or NULL. */
int compare_gone(struct compare *c, const char *bound, struct import_counts *n) MUST_CHECK;

int names_add(struct stage_names *n, struct str text);          /* number, or -E2BIG */
int64_t names_id(const struct stage_names *n, struct str text); /* id in the store; 0 unknown */

/* Reads one packed row off the block. false: the end, or a torn block (rest not empty). */
bool import_unpack(struct str *rest, struct import_row *ret, enum step_do *ret_do);
/* Kind, address, office and line of a row that is known to be whole; its length. */
size_t import_peek(const char *rec, struct import_row *ret);
size_t import_whole(struct str block); /* bytes of the whole rows at its front */
int import_pack_step(struct buf *b, const struct import_row *row, enum step_do what) MUST_CHECK;
/* Rows of STEP_NEW, many a statement. */
#define FRESH_ROWS 32
struct fresh_pairs { /* (tag or list, target) not written yet */
	int64_t v[FRESH_ROWS][2];
	size_t n;
};
struct fresh {
	struct db *db;
	const struct stage *st;
	int64_t import_id;
	struct fresh_pairs tags, lists;
};
/* 0; -EEXIST: one of the contacts is there after all, nothing was written. */
int fresh_put(struct fresh *f, const struct import_row *rows) MUST_CHECK; /* FRESH_ROWS of them */
int fresh_end(struct fresh *f) MUST_CHECK; /* writes what is left of tags and lists */
/* Rows for channel, account and lane where they are not there yet. */
int store_lane_make(struct db *db, const char *channel, const char *adapter, const char *account,
	const char *class, int64_t *ret) MUST_CHECK;

#endif
