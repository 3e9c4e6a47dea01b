/* store_plan_read.c - what planning looks at: offices, lanes, pairs, active parts, lots that wait to be opened.
 * Thread: worker, with a reader. Results are copies, owned by the caller. Bounded by the maxima of store_plan.h.
 */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "store/store_plan.h"

/* An office with a successor goes on until its targets have moved there, minutes behind its last day: they are left out by nobody. */
int plan_offices_get(struct db *db, int64_t now_ms, struct plan_offices *ret)
{
	sqlite3_stmt *st;
	struct plan_offices o = { 0 };
	size_t cap = 0;
	int rc = db_query(db, &st,
		"SELECT id, ifnull(parent_id,0), depth, code, lang, vars_hash, gone=0 AND ifnull(valid_from<=?1,1) AND ifnull(valid_to>?1,1) "
		"OR replaced_by IS NOT NULL AND ifnull(valid_to<=?1,0) FROM office ORDER BY id LIMIT 20000",
		"i", now_ms);
	if (rc < 0)
		return rc;
	while ((rc = db_row(db, st)) == 1) {
		if (o.n == cap) {
			cap = cap ? 2 * cap : 64;
			o.v = x_realloc(o.v, cap, sizeof(*o.v));
		}
		struct plan_office *v = &o.v[o.n++];
		*v = (struct plan_office){ .id = col_i64(st, 0),
			.parent = col_i64(st, 1),
			.depth = (int)col_i64(st, 2),
			.valid = col_i64(st, 6) != 0 };
		str_copy(v->code, sizeof(v->code), col_str(st, 3));
		str_copy(v->lang, sizeof(v->lang), col_str(st, 4));
		if (!col_hash(st, 5, &v->vars))
			rc = -EBADMSG;
	}
	if (rc < 0) {
		plan_offices_done(&o);
		return rc;
	}
	*ret = o;
	return 0;
}

void plan_offices_done(struct plan_offices *o)
{
	free(o->v);
	*o = (struct plan_offices){ 0 };
}

const struct plan_office *plan_office_by_id(const struct plan_offices *o, int64_t id)
{
	size_t lo = 0, hi = o->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (o->v[mid].id == id)
			return &o->v[mid];
		if (o->v[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const struct plan_office *plan_office_by_code(const struct plan_offices *o, struct str code)
{
	for (size_t i = 0; i < o->n; i++)
		if (str_eqz(code, o->v[i].code))
			return &o->v[i];
	return NULL;
}

int vars_get(struct db *db, const struct hash *h, char **ret)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st, "SELECT json FROM vars WHERE hash=?", "h", h);
	if (rc == 0)
		rc = db_row(db, st);
	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	*ret = col_dup(st, 0);
	db_reset(st);
	return 0;
}

int plan_lane_get(struct db *db, int64_t lane_id, struct plan_lane *ret)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT l.id, a.id, c.id, c.name, a.name FROM lane l JOIN account a ON a.id=l.account_id JOIN channel c ON c.id=a.channel_id "
		"WHERE l.id=?",
		"i", lane_id);
	if (rc == 0)
		rc = db_row(db, st);
	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	*ret = (struct plan_lane){
		.id = col_i64(st, 0), .account_id = col_i64(st, 1), .channel_id = col_i64(st, 2)
	};
	str_copy(ret->channel, sizeof(ret->channel), col_str(st, 3));
	str_copy(ret->account, sizeof(ret->account), col_str(st, 4));
	db_reset(st);
	return 0;
}

static int by_depth(const void *x, const void *y)
{
	const struct plan_pair *a = x, *b = y;
	if (a->depth != b->depth)
		return a->depth > b->depth ? -1 : 1;
	if (a->office_id != b->office_id)
		return a->office_id < b->office_id ? -1 : 1;
	return a->lane_id < b->lane_id ? -1 : a->lane_id > b->lane_id;
}

int plan_pairs_get(
	struct db *db, const struct plan_offices *offices, struct plan_pair **ret, size_t *ret_n)
{
	struct plan_pair *all = NULL;
	size_t n = 0, cap = 0;
	int64_t lane = 0, office = INT64_MAX;
	int rc;
	for (;;) { /* a step through the index for each pair, however many targets it has */
		sqlite3_stmt *st;
		rc = db_query(db, &st,
			"SELECT lane_id, office_id FROM target WHERE (lane_id, office_id)>(?,?) ORDER BY lane_id, office_id LIMIT 1",
			"ii", lane, office);
		if (rc == 0)
			rc = db_row(db, st);
		if (rc <= 0)
			break;
		lane = col_i64(st, 0);
		office = col_i64(st, 1);
		db_reset(st);
		const struct plan_office *o = plan_office_by_id(offices, office);
		if (!o || !o->valid)
			continue;
		if (n == PLAN_PAIRS_MAX) {
			rc = -E2BIG;
			break;
		}
		if (n == cap) {
			cap = cap ? 2 * cap : 64;
			all = x_realloc(all, cap, sizeof(*all));
		}
		all[n++] = (struct plan_pair){
			.lane_id = lane, .office_id = office, .depth = o->depth
		};
	}
	if (rc < 0) {
		free(all);
		return rc;
	}
	if (n)
		qsort(all, n, sizeof(*all), by_depth);
	*ret = all;
	*ret_n = n;
	return 0;
}

/* --- parts in time ------------------------------------------------------------------------------------------------------------ */

static int active_facts(struct db *db, int64_t now_ms, struct plan_active *a)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT count(*), ifnull(sum(gate=0),0), ifnull(sum(n0+n1),0), ifnull(sum(n8+n9+n10),0), "
		"ifnull(sum(CASE WHEN settle_by>?3 THEN n2 END),0), ifnull(max(settle_by),0), "
		"ifnull(sum(n1+CASE WHEN gate IN (0,1) THEN n0 ELSE 0 END),0) FROM lot "
		"WHERE release_id=?1 AND part=?2 AND gate<>5",
		"iii", a->release.id, (int64_t)a->part.part, now_ms);
	if (rc == 0)
		rc = db_row(db, st);
	if (rc <= 0)
		return rc;
	a->lots = col_i64(st, 0);
	a->planning = col_i64(st, 1);
	a->live = col_i64(st, 2);
	a->open = col_i64(st, 3);
	a->receipts = col_i64(st, 4);
	a->settle_by = col_i64(st, 5);
	a->moving = col_i64(st, 6);
	db_reset(st);
	return 0;
}

static int campaign_of(struct db *db, struct plan_active *a)
{
	sqlite3_stmt *st;
	if (!a->release.campaign_id)
		return 0;
	int rc = db_query(db, &st, "SELECT first, last FROM campaign WHERE id=?", "i",
		a->release.campaign_id);
	if (rc == 0)
		rc = db_row(db, st);
	if (rc <= 0)
		return rc;
	a->camp_first = col_i64(st, 0);
	a->camp_last = col_i64(st, 1);
	db_reset(st);
	return 0;
}

int plan_active_get(struct db *db, int64_t now_ms, struct plan_active **ret, size_t *ret_n)
{
	enum { releases_max = 1024 };
	int64_t ids[releases_max];
	size_t n_ids = 0, n = 0, cap = 0;
	struct plan_active *all = NULL;
	int rc = db_get_ids(db, ids, releases_max, &n_ids,
		"SELECT id FROM release WHERE state IN (2,3) ORDER BY prio, id LIMIT 1024", "");
	for (size_t i = 0; i < n_ids && rc == 0; i++) {
		struct part_row rows[PARTS_MAX];
		struct release_row r;
		size_t n_rows = 0;
		rc = release_get(db, ids[i], &r);
		if (rc == 0)
			rc = part_rows_get(db, r.id, r.rev_approved, rows, PARTS_MAX, &n_rows);
		if (rc == 0 && n + n_rows > PLAN_ACTIVE_MAX)
			break; /* the rest has its turn when these are done */
		if (rc == 0 && n + n_rows > cap) {
			cap = 2 * (n + n_rows);
			all = x_realloc(all, cap, sizeof(*all));
		}
		for (size_t k = 0; k < n_rows && rc == 0; k++) {
			all[n] = (struct plan_active){ .release = r, .part = rows[k] };
			rc = active_facts(db, now_ms, &all[n]);
			if (rc == 0)
				rc = campaign_of(db, &all[n]);
			n++;
		}
	}
	if (rc < 0) {
		free(all);
		return rc;
	}
	*ret = all;
	*ret_n = n;
	return 0;
}

int plan_targets_mark(struct db *db, int64_t *ret)
{
	int rc = db_get_i64(db, ret,
		"SELECT ifnull((SELECT max(id) FROM import),0)*2 + EXISTS(SELECT 1 FROM job WHERE kind=2)",
		"");
	return rc < 0 ? rc : 0;
}

int plan_jobs_get(struct db *db, int64_t *ret, size_t max, size_t *ret_n)
{
	return db_get_ids(db, ret, max, ret_n,
		"SELECT r.id FROM job j JOIN release r ON r.id=j.subject WHERE j.kind=1 AND r.state IN (2,3) AND EXISTS(SELECT 1 FROM part p "
		"WHERE p.release_id=r.id AND p.rev=r.rev_approved AND p.planned<2 AND p.state NOT IN (3,4)) ORDER BY r.prio, r.approved_at, r.id",
		"");
}

int plan_lots_get(
	struct db *db, int64_t release_id, uint32_t part, struct plan_lot_row **ret, size_t *ret_n)
{
	sqlite3_stmt *st;
	struct plan_lot_row *all = NULL;
	size_t n = 0, cap = 0;
	int rc = db_query(db, &st,
		"SELECT l.id, l.lane_id, l.office_id, a.channel_id, l.gate FROM lot l JOIN lane x ON x.id=l.lane_id JOIN account a ON "
		"a.id=x.account_id WHERE l.release_id=? AND l.part=? AND l.gate=0 ORDER BY a.channel_id, l.office_id, l.id",
		"ii", release_id, (int64_t)part);
	if (rc < 0)
		return rc;
	while (n < PLAN_PAIRS_MAX && (rc = db_row(db, st)) == 1) {
		if (n == cap) {
			cap = cap ? 2 * cap : 64;
			all = x_realloc(all, cap, sizeof(*all));
		}
		all[n++] = (struct plan_lot_row){ col_i64(st, 0), col_i64(st, 1), col_i64(st, 2),
			col_i64(st, 3), (int)col_i64(st, 4) };
	}
	db_reset(st);
	if (rc < 0) {
		free(all);
		return rc;
	}
	*ret = all;
	*ret_n = n;
	return 0;
}

int plan_part_started(struct db *db, int64_t release_id, int64_t rev, uint32_t part, int64_t *ret)
{
	*ret = 0;
	int rc = db_get_i64(db, ret,
		"SELECT ifnull(started,0) FROM part WHERE release_id=? AND rev=? AND part=?", "iii",
		release_id, rev, (int64_t)part);
	return rc < 0 ? rc : 0;
}

int plan_lot_forms_get(
	struct db *db, int64_t lot_id, struct plan_form *ret, size_t max, size_t *ret_n)
{
	sqlite3_stmt *st;
	size_t n = 0;
	int rc = db_query(db, &st,
		"SELECT DISTINCT c.form, CASE WHEN t.lang='' THEN o.lang ELSE t.lang END FROM (SELECT contact_id, target_id FROM delivery "
		"WHERE state=0 AND lot_id=? LIMIT 20000) d JOIN target t ON t.id=d.target_id JOIN contact c ON c.id=d.contact_id JOIN office o ON "
		"o.id=t.office_id",
		"i", lot_id);
	if (rc < 0)
		return rc;
	while (n < max && (rc = db_row(db, st)) == 1) {
		str_copy(ret[n].form, sizeof(ret[n].form), col_str(st, 0));
		str_copy(ret[n].lang, sizeof(ret[n].lang), col_str(st, 1));
		n++;
	}
	db_reset(st);
	*ret_n = n;
	return rc < 0 ? rc : 0;
}
