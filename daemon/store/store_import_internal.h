/* store_import_internal.h - what the files of store_import share: the stage and the packed row. */
#ifndef LANTOA_STORE_IMPORT_INTERNAL_H
#define LANTOA_STORE_IMPORT_INTERNAL_H

#include "base/map.h"
#include "store/store_engine.h"
#include "store/store_import.h"

enum step_do { STEP_PUT = 1, STEP_TOUCH = 2, STEP_GONE = 3, STEP_SUPPRESS = 4 };

struct stage_name { /* of a lane "channel\x1fadapter\x1faccount\x1fclass", a tag or a list */
	char *text;
	int64_t id; /* in the store, once import_begin has run */
};
struct stage_names {
	struct stage_name *v;
	size_t n, cap;
	struct maps *by_text;
};
struct stage {
	struct store *s;
	struct db *db;
	enum import_kind what;
	char name[64], *path;
	struct stage_names lanes, tags, lists;
	int64_t rows, steps;
	int64_t generation; /* newest import when it was compared */
};
int names_add(struct stage_names *n, struct str text);          /* number, or -E2BIG */
int64_t names_id(const struct stage_names *n, struct str text); /* id in the store; 0 unknown */

/* Reads one packed row off the block. false: the end, or a torn block (rest not empty). */
bool import_unpack(struct str *rest, struct import_row *ret, enum step_do *ret_do);
int import_pack_step(struct buf *b, const struct import_row *row, enum step_do what) MUST_CHECK;
/* Rows for channel, account and lane where they are not there yet. */
int store_lane_make(struct db *db, const char *channel, const char *adapter, const char *account,
	const char *class, int64_t *ret) MUST_CHECK;

#endif
