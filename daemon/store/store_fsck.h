/* store_fsck.h - checks in production what the simulation checks in tests. On a reader, on a worker; never writes.
 * Pages of 1,000 rows, a snapshot each, so the writer's log is not held back; what changed under the walk is looked at a
 * second time in one snapshot before it is called a problem.
 */
#ifndef LANTOA_STORE_STORE_FSCK_H
#define LANTOA_STORE_STORE_FSCK_H

#include "store/store.h"
#include "store/store_audit.h"

struct manifest;

#define FSCK_REPORTED_MAX 1000 /* problems told one by one; the rest is counted */

struct fsck_problem {
	const char *
		check; /* delivery, counter, lot, missing, intent, release, manifest, text, approval, asset, reference, audit, file */
	const char *subject; /* "lot:12", "delivery:77", ... */
	const char *text;    /* one sentence */
};
struct fsck_opts {
	bool deep; /* also hashes every asset, the file's own structure and the references of targets and attempts */
	const struct audit_head *head; /* of the journal, or NULL */
	void (*report)(void *ctx, const struct fsck_problem *p);
	void (*progress)(
		void *ctx, const char *check, uint64_t rows); /* may be NULL; now and then */
	/* Proves the MAC of one approval row: 0 holds, -EBADMSG forged, else a failure to read. NULL: not checked, and said so. */
	int (*approval_verify)(void *ctx, struct store *s, struct db *db, int64_t approval_id);
	/* The revision's rows against the manifest that was approved: 0 equal, -EBADMSG with e naming what differs, else a failure to
	 * read. Inside a snapshot. NULL: not checked. */
	int (*text_verify)(void *ctx, struct store_reader *r, int64_t release_id, int64_t rev,
		const struct manifest *approved, struct str bytes, struct err *e);
	/* Every delivery in sending: the caller compares with its leases. May be NULL. */
	void (*sending)(void *ctx, int64_t delivery_id, int64_t lot_id);
	void *ctx;
};
struct fsck_result {
	uint64_t deliveries, lots, releases, assets, approvals, audit_rows;
	uint64_t texts; /* manifests and local texts with an approval, compared */
	uint64_t problems;
	struct audit_report audit;
};
/* 0 with the result (problems may be > 0), or negative when the database could not be read. The reader must not have begun. */
int store_fsck(
	struct store_reader *r, const struct fsck_opts *o, struct fsck_result *ret) MUST_CHECK;

#endif
