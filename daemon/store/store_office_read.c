/* store_office_read.c - offices, targets, audiences, campaigns and deputies as they are shown. Thread: worker, in a snapshot. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/json.h"
#include "model/audience.h"
#include "store/store_audience.h"
#include "store/store_internal.h"
#include "store/store_office.h"

int office_list(struct db *db, const char *code, bool (*row)(void *ctx, const struct office_row *r),
	void *ctx)
{
	sqlite3_stmt *q;
	int rc = db_query(db, &q,
		"SELECT o.id, o.code, p.code, o.region, o.lang, v.json, ifnull(o.valid_from,0), ifnull(o.valid_to,0), s.code, o.gone, "
		"(SELECT count(*) FROM target t WHERE t.office_id=o.id AND (t.flags&1)=0) FROM office o "
		"LEFT JOIN office p ON p.id=o.parent_id LEFT JOIN office s ON s.id=o.replaced_by LEFT JOIN vars v ON v.hash=o.vars_hash "
		"WHERE ?1 IS NULL OR o.code=?1 ORDER BY o.ord, o.code",
		"t", code);
	while (rc == 0 && (rc = db_row(db, q)) == 1) {
		const struct office_row r = { .id = col_i64(q, 0),
			.code = col_z(q, 1),
			.parent = col_z(q, 2),
			.region = col_z(q, 3),
			.lang = col_z(q, 4),
			.vars = col_z(q, 5),
			.valid_from = col_i64(q, 6),
			.valid_to = col_i64(q, 7),
			.replaced_by = col_z(q, 8),
			.gone = col_i64(q, 9) != 0,
			.targets = col_i64(q, 10) };
		bool more = row(ctx, &r);
		rc = 0;
		if (!more) {
			db_reset(q);
			break;
		}
	}
	return rc;
}

#define TARGET_COLUMNS                                                                                                      \
	"t.id, t.contact_id, c.kind, c.address, c.name, o.code, t.lang, t.flags, t.vars, c.form, h.name, a.name, l.class, " \
	"(SELECT group_concat(g.name) FROM target_tag x JOIN tag g ON g.id=x.tag_id WHERE x.target_id=t.id), "              \
	"(SELECT group_concat(g.name) FROM list g JOIN list_target x ON x.list_id=g.id AND x.target_id=t.id) "
#define TARGET_JOINS                                                                                                            \
	" CROSS JOIN contact c ON c.id=t.contact_id LEFT JOIN office o ON o.id=t.office_id LEFT JOIN lane l ON l.id=t.lane_id " \
	"LEFT JOIN account a ON a.id=l.account_id LEFT JOIN channel h ON h.id=a.channel_id "
#define NOT_PENDING \
	" NOT ((t.flags&4)<>0 AND t.seen_import IN (SELECT subject FROM job WHERE kind=2)) "

static void target_of(sqlite3_stmt *q, struct target_row *r)
{
	*r = (struct target_row){ .id = col_i64(q, 0),
		.contact_id = col_i64(q, 1),
		.kind = (int)col_i64(q, 2),
		.address = col_str(q, 3),
		.name = col_str(q, 4),
		.office = col_z(q, 5),
		.lang = col_z(q, 6),
		.flags = (unsigned)col_i64(q, 7),
		.vars = col_z(q, 8),
		.form = col_z(q, 9),
		.channel = col_z(q, 10),
		.account = col_z(q, 11),
		.class = col_z(q, 12),
		.tags = col_z(q, 13),
		.lists = col_z(q, 14) };
}

static int target_rows(struct db *db, sqlite3_stmt *q,
	bool (*row)(void *ctx, const struct target_row *r), void *ctx)
{
	struct target_row r;
	int rc;
	while ((rc = db_row(db, q)) == 1) {
		target_of(q, &r);
		if (!row(ctx, &r)) {
			db_reset(q);
			return 0;
		}
	}
	return rc;
}

int target_list(struct db *db, const struct target_ask *ask,
	bool (*row)(void *ctx, const struct target_row *r), void *ctx)
{
	sqlite3_stmt *q;
	int rc;
	if (ask->contact_id)
		rc = db_query(db, &q,
			"SELECT " TARGET_COLUMNS "FROM target t" TARGET_JOINS
			"WHERE t.contact_id=?1 ORDER BY t.id",
			"i", ask->contact_id);
	else
		rc = db_query(db, &q,
			"SELECT " TARGET_COLUMNS "FROM target t" TARGET_JOINS
			"WHERE t.id>?1 AND (t.flags&1)<=?6 AND " NOT_PENDING
			"AND (?2=0 OR c.kind=?2) AND (?3 IS NULL OR o.code=?3) AND "
			"(?4 IS NULL OR EXISTS(SELECT 1 FROM tag g JOIN target_tag x ON x.tag_id=g.id AND x.target_id=t.id WHERE g.name=?4)) "
			"ORDER BY t.id LIMIT ?5",
			"iittii", ask->after, (int64_t)ask->kind, ask->office, ask->tag, ask->limit,
			(int64_t)ask->gone);
	return rc < 0 ? rc : target_rows(db, q, row, ctx);
}

int contact_find(struct db *db, int kind, struct str address, int64_t *ret)
{
	return db_get_i64(db, ret, "SELECT id FROM contact WHERE kind=? AND address=?", "is",
		(int64_t)kind, address);
}

int suppression_list(struct db *db, const struct hash *who,
	bool (*row)(void *ctx, const struct suppression_row *r), void *ctx)
{
	sqlite3_stmt *q;
	int rc = db_query(db, &q,
		"SELECT list, reason, since FROM suppression WHERE who=? ORDER BY list", "h", who);
	while (rc == 0 && (rc = db_row(db, q)) == 1) {
		const struct suppression_row r = {
			.list = col_z(q, 0), .reason = (int)col_i64(q, 1), .since = col_i64(q, 2)
		};
		bool more = row(ctx, &r);
		rc = 0;
		if (!more) {
			db_reset(q);
			break;
		}
	}
	return rc;
}

int contact_deliveries(struct db *db, int64_t contact_id, int kind, int64_t *ret)
{
	return db_get_i64(db, ret,
		       "SELECT count(*) FROM (SELECT DISTINCT release_id, slot FROM part UNION SELECT id, 63 FROM release) s "
		       "CROSS JOIN delivery d ON d.once=(s.release_id*64+s.slot)*16+?2 AND d.contact_id=?1",
		       "ii", contact_id, (int64_t)kind) < 0
		? -EIO
		: 0;
}

int audience_list(struct db *db, bool (*row)(void *ctx, const struct rule_in *r), void *ctx)
{
	sqlite3_stmt *q;
	int rc = db_query(db, &q, "SELECT name, title, rule FROM audience ORDER BY name", "");
	while (rc == 0 && (rc = db_row(db, q)) == 1) {
		const struct rule_in r = {
			.name = col_z(q, 0), .title = col_z(q, 1), .rule = col_z(q, 2)
		};
		bool more = row(ctx, &r);
		rc = 0;
		if (!more) {
			db_reset(q);
			break;
		}
	}
	return rc;
}

int campaign_list(struct db *db, bool (*row)(void *ctx, const struct campaign_in *r), void *ctx)
{
	sqlite3_stmt *q;
	int rc = db_query(db, &q,
		"SELECT name, title, first, last, prio FROM campaign ORDER BY first, name", "");
	while (rc == 0 && (rc = db_row(db, q)) == 1) {
		const struct campaign_in r = { .name = col_z(q, 0),
			.title = col_z(q, 1),
			.first = col_i64(q, 2),
			.last = col_i64(q, 3),
			.prio = (int)col_i64(q, 4) };
		bool more = row(ctx, &r);
		rc = 0;
		if (!more) {
			db_reset(q);
			break;
		}
	}
	return rc;
}

int campaign_releases(
	struct db *db, const char *name, int64_t after, int64_t *ret, size_t max, size_t *ret_n)
{
	return db_get_ids(db, ret, max, ret_n,
		"SELECT r.id FROM release r WHERE r.campaign_id=(SELECT id FROM campaign WHERE name=?1) AND "
		"(?2=0 OR r.id<?2) ORDER BY r.id DESC LIMIT ?3",
		"tii", name, after, (int64_t)max);
}

int deputy_list(struct db *db, bool (*row)(void *ctx, const struct deputy_row *r), void *ctx)
{
	sqlite3_stmt *q;
	int rc = db_query(db, &q,
		"SELECT person, deputy, by, first, last FROM deputy ORDER BY last DESC, person LIMIT 1000",
		"");
	while (rc == 0 && (rc = db_row(db, q)) == 1) {
		const struct deputy_row r = { .person = col_z(q, 0),
			.deputy = col_z(q, 1),
			.by = col_z(q, 2),
			.first = col_i64(q, 3),
			.last = col_i64(q, 4) };
		bool more = row(ctx, &r);
		rc = 0;
		if (!more) {
			db_reset(q);
			break;
		}
	}
	return rc;
}

/* --- audiences ---------------------------------------------------------------------------------------------------------------------- */

static const char sql_is_region[] = "SELECT 1 FROM office WHERE region=? LIMIT 1";
static const char sql_is_office[] = "SELECT 1 FROM office WHERE code=? LIMIT 1";
static const char sql_is_tag[] = "SELECT 1 FROM tag WHERE name=?";
static const char sql_is_list[] = "SELECT 1 FROM list WHERE name=?";

static void note(char *dst, size_t size, const char *what, const char *name)
{
	size_t n = strlen(dst);
	if (n + strlen(what) + strlen(name) + 6 < size)
		(void)snprintf(dst + n, size - n, "%s%s '%s'", n ? ", " : "", what, name);
}

static int clause_unknown(struct db *db, const struct audience_clause *c, char *errors,
	size_t n_errors, char *warnings, size_t n_warnings)
{
	static const char *const sql[AK_COUNT] = { sql_is_region, sql_is_office, sql_is_office,
		sql_is_tag, sql_is_list, NULL };
	for (int k = 0; k < AK_COUNT; k++)
		for (size_t i = 0; sql[k] && i < c->key[k].n; i++) {
			int64_t there = 0;
			int rc = db_get_i64(db, &there, sql[k], "t", c->key[k].v[i]);
			if (rc < 0)
				return rc;
			bool soft = k == AK_TAG || k == AK_LIST;
			if (rc == 0)
				note(soft ? warnings : errors, soft ? n_warnings : n_errors,
					k == AK_UNDER ? "office"
						      : audience_key_name((enum audience_key)k),
					c->key[k].v[i]);
		}
	return 0;
}

int rule_unknown(struct db *db, struct str rule, char *ret_errors, size_t n_errors,
	char *ret_warnings, size_t n_warnings)
{
	cJSON *j CLEANUP_JSON = NULL;
	CLEANUP(audience_free) struct audience *a = NULL;
	struct err e;
	ret_errors[0] = ret_warnings[0] = '\0';
	int rc = json_parse(rule, 1u << 20, &j, &e);
	if (rc == 0)
		rc = audience_from_json(j, &a, &e);
	for (size_t i = 0; rc == 0 && i < a->n_any; i++)
		rc = clause_unknown(db, &a->any[i], ret_errors, n_errors, ret_warnings, n_warnings);
	for (size_t i = 0; rc == 0 && i < a->n_not; i++)
		rc = clause_unknown(
			db, &a->not_[i], ret_errors, n_errors, ret_warnings, n_warnings);
	return rc;
}

/* SELECT what FROM the targets of an audience, rest behind: those that a plan would take, so not of an office whose time has
 * not come or is over; with a successor it goes on until its targets have moved there. */
static int audience_query(struct db *db, const char *name, int64_t now_ms, const char *what,
	const char *rest, sqlite3_stmt **ret, struct err *e)
{
	struct audience_sql a;
	struct buf sql CLEANUP_BUF;
	buf_init(&sql, 3 * AUDIENCE_SQL_MAX);
	audience_sql_init(&a);
	int rc = audience_sql_named(db, &a, &name, 1, e);
	if (rc == 0) {
		const char *driver = audience_sql_driver(&a);
		buf_addf(&sql, "SELECT %s FROM ", what);
		if (driver)
			buf_addf(&sql, "(%s) d CROSS JOIN target t ON t.id=d.id", driver);
		else
			buf_addz(&sql, "target t");
		buf_addf(&sql,
			TARGET_JOINS
			"WHERE (t.flags&1)=0 AND (ifnull(o.gone,0)=0 AND ifnull(o.valid_from<=%lld,1) AND ifnull(o.valid_to>%lld,1) OR "
			"o.replaced_by IS NOT NULL AND ifnull(o.valid_to<=%lld,0)) AND " NOT_PENDING
			"AND %s %s",
			(long long)now_ms, (long long)now_ms, (long long)now_ms,
			audience_sql_where(&a), rest);
		rc = sql.failed ? -E2BIG : db_prepare(db, buf_z(&sql), ret);
		if (rc < 0)
			rc = err_set(e, rc, "the audience could not be resolved");
	}
	audience_sql_done(&a);
	return rc;
}

int audience_counts(struct db *db, const char *name, int64_t now_ms,
	bool (*row)(void *ctx, const struct audience_count *r), void *ctx, struct err *e)
{
	sqlite3_stmt *q;
	int rc = audience_query(db, name, now_ms, "c.kind, ifnull(o.region,''), count(*)",
		"GROUP BY 1, 2 ORDER BY 1, 2", &q, e);
	if (rc < 0)
		return rc;
	while (sqlite3_step(q) == SQLITE_ROW) {
		const struct audience_count r = {
			.kind = (int)col_i64(q, 0), .region = col_z(q, 1), .n = col_i64(q, 2)
		};
		if (!row(ctx, &r))
			break;
	}
	sqlite3_finalize(q);
	return 0;
}

int audience_targets(struct db *db, const char *name, int64_t now_ms, int64_t after, int64_t limit,
	bool (*row)(void *ctx, const struct target_row *r), void *ctx, struct err *e)
{
	sqlite3_stmt *q;
	struct target_row r;
	int rc = audience_query(
		db, name, now_ms, TARGET_COLUMNS, "AND t.id>?1 ORDER BY t.id LIMIT ?2", &q, e);
	if (rc == 0)
		rc = db_bind(q, "ii", after, limit);
	if (rc < 0)
		return rc;
	while (sqlite3_step(q) == SQLITE_ROW) {
		target_of(q, &r);
		if (!row(ctx, &r))
			break;
	}
	sqlite3_finalize(q);
	return 0;
}

int office_chain_codes(struct db *db, const char *code, char (*ret)[64], size_t max)
{
	sqlite3_stmt *q;
	size_t n = 0;
	int rc = db_query(db, &q,
		"WITH RECURSIVE up(id, code, parent, n) AS (SELECT id, code, parent_id, 0 FROM office WHERE code=?1 UNION ALL "
		"SELECT o.id, o.code, o.parent_id, up.n+1 FROM office o JOIN up ON o.id=up.parent WHERE up.n<16) SELECT code FROM up ORDER BY n",
		"t", code);
	while (rc == 0 && (rc = db_row(db, q)) == 1) {
		if (n < max)
			(void)str_copy(ret[n++], 64, col_str(q, 0));
		rc = 0;
	}
	return rc < 0 ? rc : (int)n;
}

int office_chain_by_id(struct db *db, int64_t id, char (*ret)[64], size_t max)
{
	sqlite3_stmt *q;
	char code[64] = "";
	int rc = db_query(db, &q, "SELECT code FROM office WHERE id=?", "i", id);
	if (rc == 0 && (rc = db_row(db, q)) == 1) {
		(void)str_copy(code, sizeof(code), col_str(q, 0));
		db_reset(q);
	}
	return rc == 1 ? office_chain_codes(db, code, ret, max) : rc;
}
