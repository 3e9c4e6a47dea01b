/* store_queue_read.c - what dispatch loads: live lots, gates, lanes, offices, group buckets.
 * Thread: worker, inside a reader's snapshot. Owns: nothing. Must not know: what dispatch makes of it.
 * Failures: the code of the store; rows already visited stay visited. */
#include <stdio.h>
#include <string.h>
#include "store/store_internal.h"
#include "store/store_queue.h"
#include "store/store_queue_gate.h"

static void lot_of(sqlite3_stmt *st, struct sq_lot_row *l)
{
	*l = (struct sq_lot_row){ .id = col_i64(st, 0),
		.release = col_i64(st, 1),
		.part = col_i64(st, 2),
		.lane = col_i64(st, 3),
		.office = col_i64(st, 4),
		.gate = (int)col_i64(st, 6),
		.prio = (int)col_i64(st, 7),
		.at_ms = col_i64(st, 8),
		.expires_ms = col_i64(st, 9),
		.settle_by_ms = col_i64(st, 10),
		.category = (int)col_i64(st, 11),
		.campaign = col_i64(st, 12),
		.camp_first_ms = col_i64(st, 13),
		.camp_last_ms = col_i64(st, 14),
		.release_name = col_str(st, 15),
		.office_code = col_str(st, 16),
		.rev = col_i64(st, 17),
		.approved = col_i64(st, 18) != 0,
		.part_name = col_str(st, 19) };
	(void)col_hash(st, 5, &l->manifest);
	for (int i = 0; i < DLV_STATES; i++)
		l->n[i] = col_i64(st, 20 + i);
	l->cost_max = col_i64(st, 31);
	l->broadcast = col_i64(st, 32) == (int64_t)ONCE_SLOT_BROADCAST;
}

int sq_read_lots(struct store_reader *r, int64_t after, size_t max,
	int (*row)(void *ctx, const struct sq_lot_row *l), void *ctx)
{
	struct db *db = reader_db(r);
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT l.id, l.release_id, l.part, l.lane_id, l.office_id, l.manifest, l.gate, l.prio, "
		"l.at, l.expires, l.settle_by, r.category, r.campaign_id, c.first, c.last, r.code || "
		"'@' || r.year, o.code, m.rev, (r.state IN (2,3,4) AND m.rev=r.rev_approved AND EXISTS "
		"(SELECT 1 FROM approval a WHERE a.manifest=l.manifest AND a.voided IS NULL)), p.name, "
		"l.n0, l.n1, l.n2, l.n3, l.n4, l.n5, l.n6, l.n7, l.n8, l.n9, l.n10, "
		"coalesce(p.cost_max, -1), coalesce(p.slot, 0) "
		"FROM lot l INDEXED BY lot_live JOIN release r ON r.id=l.release_id LEFT JOIN manifest "
		"m ON m.hash=l.manifest LEFT JOIN part p ON p.release_id=l.release_id AND p.rev=m.rev AND "
		"p.part=l.part LEFT JOIN campaign c ON c.id=r.campaign_id LEFT JOIN office o "
		"ON o.id=l.office_id WHERE (n0>0 OR n1>0 OR n8>0 OR n9>0 OR n10>0) AND l.id>? ORDER BY l.id "
		"LIMIT ?",
		"ii", after, (int64_t)max);

	if (rc)
		return rc;
	while ((rc = db_row(db, st)) == 1) {
		struct sq_lot_row l;
		lot_of(st, &l);
		rc = row(ctx, &l);
		if (rc) {
			db_reset(st);
			return rc;
		}
	}
	return rc;
}

int sq_read_offices(
	struct store_reader *r, int (*row)(void *ctx, int64_t id, int64_t parent), void *ctx)
{
	sqlite3_stmt *st;
	int rc = db_query(reader_db(r), &st, "SELECT id, parent_id FROM office", "");

	if (rc)
		return rc;
	while ((rc = db_row(reader_db(r), st)) == 1) {
		rc = row(ctx, col_i64(st, 0), col_i64(st, 1));
		if (rc) {
			db_reset(st);
			return rc;
		}
	}
	return rc;
}

int sq_read_lanes(
	struct store_reader *r, int (*row)(void *ctx, const struct sq_lane_row *l), void *ctx)
{
	sqlite3_stmt *st;
	int rc = db_query(reader_db(r), &st,
		"SELECT n.id, a.id, c.id, c.name, a.name, n.class, n.why, n.gate, n.tokens, n.tokens_at, "
		"n.until FROM lane n JOIN account a ON a.id=n.account_id JOIN channel c ON "
		"c.id=a.channel_id ORDER BY n.id",
		"");

	if (rc)
		return rc;
	while ((rc = db_row(reader_db(r), st)) == 1) {
		struct sq_lane_row l = { .id = col_i64(st, 0),
			.account_id = col_i64(st, 1),
			.channel_id = col_i64(st, 2),
			.channel = col_str(st, 3),
			.account = col_str(st, 4),
			.class = col_str(st, 5),
			.why = col_str(st, 6),
			.gate = (int)col_i64(st, 7),
			.tokens = sqlite3_column_double(st, 8),
			.tokens_at_ms = col_i64(st, 9),
			.until_ms = col_i64(st, 10) };
		rc = row(ctx, &l);
		if (rc) {
			db_reset(st);
			return rc;
		}
	}
	return rc;
}

int sq_read_group(struct store_reader *r, const char *group, double *ret_tokens, int64_t *ret_at_ms)
{
	char scope[120];
	int64_t milli = 0, at = 0;

	snprintf(scope, sizeof(scope), "group:%s", group);
	int rc = db_get_i64(reader_db(r), &milli,
		"SELECT used FROM quota WHERE scope=? AND window='tokens_milli'", "t", scope);
	if (rc <= 0)
		return rc;
	rc = db_get_i64(reader_db(r), &at,
		"SELECT used FROM quota WHERE scope=? AND window='tokens_at'", "t", scope);
	if (rc <= 0)
		return rc;
	*ret_tokens = (double)milli / 1000.0;
	*ret_at_ms = at;
	return 1;
}

int sq_read_gates(struct store_reader *r, int (*row)(void *ctx, const struct sq_gate *g), void *ctx)
{
	sqlite3_stmt *st;
	int rc = db_query(reader_db(r), &st,
		"SELECT id, what, until, except_prio, person, why FROM gate ORDER BY id", "");

	if (rc)
		return rc;
	while ((rc = db_row(reader_db(r), st)) == 1) {
		struct sq_gate g;
		if (!gate_scope_read(col_str(st, 1), &g))
			continue; /* not one of ours: fsck names it */
		g.id = col_i64(st, 0);
		g.until_ms = col_i64(st, 2);
		g.except_prio = sqlite3_column_type(st, 3) == SQLITE_NULL ? -1
									  : (int)col_i64(st, 3);
		(void)str_copy(g.person, sizeof(g.person), col_str(st, 4));
		(void)str_copy(g.why, sizeof(g.why), col_str(st, 5));
		rc = row(ctx, &g);
		if (rc) {
			db_reset(st);
			return rc;
		}
	}
	return rc;
}
