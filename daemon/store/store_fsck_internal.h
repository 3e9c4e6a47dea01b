/* store_fsck_internal.h - what the checks share. */
#ifndef LANTOA_STORE_STORE_FSCK_INTERNAL_H
#define LANTOA_STORE_STORE_FSCK_INTERNAL_H

#include "store/store_fsck.h"
#include "store/store_internal.h"

struct fsck {
	struct store_reader *r;
	struct db *db;
	struct store *s;
	const struct fsck_opts *o;
	struct fsck_result *res;
};
void fsck_tell(struct fsck *f, const char *check, const char *subject, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
void fsck_progress(struct fsck *f, const char *check, uint64_t rows);
/* Pages: fn looks at rows behind *cursor, moves it, returns rows seen (0: the end) or negative. */
int fsck_pages(
	struct fsck *f, const char *check, int (*fn)(struct fsck *f, int64_t *cursor)) MUST_CHECK;
#define FSCK_PAGE INT64_C(1000)
/* The rows of one page; rc is db_query's, column 0 the cursor. Returns how many, or negative. */
int fsck_rows(struct fsck *f, int rc, sqlite3_stmt *st, int64_t *cursor,
	void (*row)(struct fsck *f, sqlite3_stmt *st)) MUST_CHECK;

/* store_fsck_content.c */
int fsck_releases(struct fsck *f) MUST_CHECK;
int fsck_approvals(struct fsck *f) MUST_CHECK;
int fsck_assets(struct fsck *f) MUST_CHECK;
int fsck_references(struct fsck *f) MUST_CHECK;
int fsck_file(struct fsck *f) MUST_CHECK;

/* store_fsck_approved.c */
int fsck_approved(struct fsck *f) MUST_CHECK;

#endif
