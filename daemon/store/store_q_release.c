/* store_q_release.c - reads of the release methods. Thread: worker, with a reader. Bounded by limits of the caller. */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "store/store_q_queue.h"
#include "store/store_q_release.h"

/* As people see them (q_shown_state): what a cancelled or expired lot has waiting or held is as its lot; the sweep comes later. */
#define SUMS                                                                                                           \
	"ifnull(sum(CASE WHEN l.gate<3 THEN l.n0 ELSE 0 END),0), ifnull(sum(l.n1),0), ifnull(sum(l.n2),0), "           \
	"ifnull(sum(l.n3),0), ifnull(sum(l.n4),0), ifnull(sum(l.n5+CASE WHEN l.gate=4 THEN l.n0+l.n9 ELSE 0 END),0), " \
	"ifnull(sum(l.n6+CASE WHEN l.gate=3 THEN l.n0+l.n9 ELSE 0 END),0), ifnull(sum(l.n7),0), ifnull(sum(l.n8),0), " \
	"ifnull(sum(CASE WHEN l.gate<3 THEN l.n9 ELSE 0 END),0), ifnull(sum(l.n10),0)"

static void read_counts(sqlite3_stmt *st, int from, struct q_counts *ret)
{
	for (int i = 0; i < 11; i++)
		ret->n[i] = col_i64(st, from + i);
}

int q_release_counts(struct db *db, int64_t release_id, int part, struct q_counts *ret)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT " SUMS " FROM lot l WHERE l.release_id=?1 AND (?2<0 OR l.part=?2)", "ii",
		release_id, (int64_t)part);
	if (rc == 0)
		rc = db_row(db, st);
	if (rc < 0)
		return rc;
	read_counts(st, 0, ret);
	db_reset(st);
	return 0;
}

int q_release_list(
	struct db *db, int state, int64_t after, size_t limit, int64_t *ret, size_t *ret_n)
{
	return db_get_ids(db, ret, limit, ret_n,
		"SELECT id FROM release WHERE (?1<0 OR state=?1) AND (?2=0 OR id<?2) ORDER BY id DESC LIMIT ?3",
		"iii", (int64_t)state, after, (int64_t)limit);
}

int q_release_submitted(struct db *db, int64_t release_id, int64_t *ret)
{
	int rc = db_get_i64(db, ret, "SELECT ifnull(max(at),0) FROM revision WHERE release_id=?",
		"i", release_id);
	return rc < 0 ? rc : 0;
}

int q_release_note(struct db *db, int64_t release_id, char **ret)
{
	sqlite3_stmt *st;
	*ret = NULL;
	int rc = db_query(db, &st, "SELECT note FROM release WHERE id=?", "i", release_id);
	if (rc == 0)
		rc = db_row(db, st);
	if (rc == 1) {
		*ret = col_dup(st, 0);
		db_reset(st);
	}
	return rc < 0 ? rc : 0;
}

int q_revisions(struct db *db, int64_t release_id,
	int (*row)(void *ctx, const struct q_revision *r), void *ctx)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT v.rev, v.at, v.person, (SELECT hash FROM manifest m WHERE m.release_id=v.release_id AND m.rev=v.rev ORDER BY made DESC, hash LIMIT 1) FROM revision v WHERE v.release_id=? ORDER BY v.rev LIMIT 1000",
		"i", release_id);
	if (rc < 0)
		return rc;
	while ((rc = db_row(db, st)) == 1) {
		struct q_revision r = {
			.rev = col_i64(st, 0), .at = col_i64(st, 1), .person = col_z(st, 2)
		};
		(void)col_hash(st, 3, &r.manifest);
		int stop = row(ctx, &r);
		if (stop < 0) {
			db_reset(st);
			return stop;
		}
	}
	return rc;
}

int q_lots(struct db *db, const struct release_row *r, int (*row)(void *ctx, const struct q_lot *l),
	void *ctx)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT ifnull(p.name,''), c.name, a.name, x.class, ifnull(max(l.why),''), l.gate, count(*), " SUMS
		" FROM lot l JOIN lane x ON "
		"x.id=l.lane_id JOIN account a ON a.id=x.account_id JOIN channel c ON c.id=a.channel_id LEFT JOIN part p ON "
		"p.release_id=l.release_id AND p.rev=?2 AND p.part=l.part WHERE l.release_id=?1 GROUP BY l.part, l.lane_id, l.gate "
		"ORDER BY l.part, c.name, a.name, x.class, l.gate LIMIT 5000",
		"ii", r->id, r->rev_approved ? r->rev_approved : r->rev_newest);
	if (rc < 0)
		return rc;
	while ((rc = db_row(db, st)) == 1) {
		struct q_lot l = { .part = col_z(st, 0),
			.channel = col_z(st, 1),
			.account = col_z(st, 2),
			.class = col_z(st, 3),
			.why = col_z(st, 4),
			.gate = (int)col_i64(st, 5),
			.lots = (int)col_i64(st, 6) };
		read_counts(st, 7, &l.counts);
		int stop = row(ctx, &l);
		if (stop < 0) {
			db_reset(st);
			return stop;
		}
	}
	return rc;
}

/* A page goes on behind the delivery `after` in the unique index (once, contact): no sort, no scan over other releases. */
static int q_cursor(
	struct db *db, int64_t release_id, int64_t after, int64_t *once, int64_t *contact)
{
	sqlite3_stmt *st;
	*once = release_id * 64 * 16;
	*contact = 0;
	if (!after)
		return 0;
	int rc = db_query(db, &st, "SELECT once, contact_id FROM delivery WHERE id=?", "i", after);
	if (rc == 0)
		rc = db_row(db, st);
	if (rc <= 0)
		return rc;
	*once = col_i64(st, 0);
	*contact = col_i64(st, 1);
	db_reset(st);
	return 0;
}

int q_deliveries(struct db *db, const struct release_row *r, const char *under, int64_t after,
	size_t limit, int (*row)(void *ctx, const struct q_delivery *d), void *ctx)
{
	sqlite3_stmt *st;
	int64_t once, contact;
	int rc = q_cursor(db, r->id, after, &once, &contact);
	if (rc < 0)
		return rc;
	rc = db_query(db, &st,
		"WITH RECURSIVE o(id) AS (SELECT id FROM office WHERE code=?6 UNION SELECT x.id FROM office x JOIN o ON x.parent_id=o.id) "
		"SELECT d.id, d.state, d.tries, c.kind, c.address, ifnull(p.name,''), f.code, l.gate, ifnull(" Q_LOT_WHY
		",''), "
		"(SELECT max(started) FROM attempt t WHERE t.delivery_id=d.id), "
		"(SELECT provider_id FROM attempt t WHERE t.delivery_id=d.id ORDER BY try DESC LIMIT 1), "
		"coalesce((SELECT value FROM step k WHERE k.delivery_id=d.id AND k.name='!link'), (SELECT "
		"url FROM attempt t WHERE t.delivery_id=d.id ORDER BY try DESC LIMIT 1)), "
		"(SELECT code FROM attempt t WHERE t.delivery_id=d.id ORDER BY try DESC LIMIT 1), "
		"(SELECT said FROM attempt t WHERE t.delivery_id=d.id ORDER BY try DESC LIMIT 1), "
		"(SELECT value FROM step s WHERE s.delivery_id=d.id AND s.name='!why'), l.part, ifnull(f.ord,''), "
		"(SELECT h.name || '/' || a.name || '/' || n.class FROM lane n JOIN account a ON a.id=n.account_id JOIN channel h ON "
		"h.id=a.channel_id WHERE n.id=l.lane_id) "
		"FROM delivery d INDEXED BY delivery_once JOIN lot l ON l.id=d.lot_id LEFT JOIN contact c ON c.id=d.contact_id LEFT JOIN office f "
		"ON f.id=l.office_id LEFT JOIN part p ON p.release_id=l.release_id AND p.rev=?5 AND p.part=l.part WHERE (d.once, d.contact_id)>"
		"(?1, ?2) AND d.once<?3 AND (l.gate<>5 OR d.state NOT IN (0,9)) AND (?6 IS NULL OR l.office_id IN o) ORDER BY d.once, d.contact_id LIMIT ?4",
		"iiiiit", once, contact, (r->id + 1) * 64 * 16, (int64_t)limit,
		r->rev_approved ? r->rev_approved : r->rev_newest, under);
	if (rc < 0)
		return rc;
	while ((rc = db_row(db, st)) == 1) {
		struct q_delivery d = { .id = col_i64(st, 0),
			.state = q_shown_state((int)col_i64(st, 1), (int)col_i64(st, 7)),
			.tries = col_i64(st, 2),
			.kind = (int)col_i64(st, 3),
			.address = col_str(st, 4),
			.part = col_z(st, 5),
			.office = col_z(st, 6),
			.gate = (int)col_i64(st, 7),
			.at = col_i64(st, 9),
			.provider_id = col_z(st, 10),
			.url = col_z(st, 11),
			.code = col_z(st, 12),
			.said = col_z(st, 13),
			.part_no = (int)col_i64(st, 15),
			.office_order = col_z(st, 16),
			.lane = col_z(st, 17),
			.why = *col_z(st, 14) ? col_z(st, 14) : col_z(st, 8) };
		int stop = row(ctx, &d);
		if (stop < 0) {
			db_reset(st);
			return stop;
		}
	}
	return rc;
}

int q_reached(struct db *db, int64_t release_id, struct q_reached *ret, size_t max, size_t *ret_n)
{
	sqlite3_stmt *st;
	size_t n = 0;
	int rc = db_query(db, &st,
		"SELECT once%16, sum(state IN (2,3)), sum(state IN (1,8,10)), sum(state IN (0,9)) FROM delivery WHERE once>=?1 AND once<?2 "
		"GROUP BY once%16 ORDER BY 1",
		"ii", release_id * 64 * 16, (release_id + 1) * 64 * 16);
	if (rc < 0)
		return rc;
	while (n < max && (rc = db_row(db, st)) == 1)
		ret[n++] = (struct q_reached){ (int)col_i64(st, 0), col_i64(st, 1), col_i64(st, 2),
			col_i64(st, 3) };
	db_reset(st);
	*ret_n = n;
	return rc < 0 ? rc : 0;
}

int q_calendar(struct db *db, int64_t from, int64_t to,
	int (*row)(void *ctx, const struct q_moment *m), void *ctx)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"WITH m(id, part, name, state, fixed, after, at) AS (SELECT r.id, p.part, p.name, p.state, p.started IS NOT NULL OR p.at IS NOT NULL, "
		"(SELECT q.name FROM part q WHERE q.release_id=p.release_id AND q.rev=p.rev AND q.part=p.after), "
		"coalesce(p.started, p.at, (WITH RECURSIVE up(at, after, n) AS ("
		"SELECT ifnull(q.started, q.at), q.after, 1 FROM part q WHERE q.release_id=p.release_id AND q.rev=p.rev AND q.part=p.after "
		"UNION ALL SELECT ifnull(q.started, q.at), q.after, up.n+1 FROM up JOIN part q "
		"ON q.release_id=p.release_id AND q.rev=p.rev AND q.part=up.after WHERE up.at IS NULL AND up.n<62) "
		"SELECT at FROM up WHERE at IS NOT NULL), p.win_to) "
		"FROM part p JOIN release r ON r.id=p.release_id AND p.rev=r.rev_approved WHERE r.state IN (2,3,4) "
		"OR (p.started IS NOT NULL AND r.state<>5)) "
		"SELECT id, at, name, state, fixed, after FROM m WHERE at BETWEEN ?1 AND ?2 ORDER BY at, id, part LIMIT 1000",
		"ii", from, to);
	if (rc < 0)
		return rc;
	while ((rc = db_row(db, st)) == 1) {
		struct q_moment m = { .at = col_i64(st, 1),
			.part = col_z(st, 2),
			.state = (int)col_i64(st, 3),
			.fixed = col_i64(st, 4) != 0,
			.after = col_z(st, 5) };
		int stop = release_get(db, col_i64(st, 0), &m.release);
		if (stop == 0)
			stop = row(ctx, &m);
		if (stop < 0) {
			db_reset(st);
			return stop;
		}
	}
	return rc;
}
