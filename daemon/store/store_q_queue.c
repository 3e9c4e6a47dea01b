/* store_q_queue.c - what waits and why: sums by lane, deliveries by filter, one delivery with its history.
 * Thread: worker. Owns: nothing. Must not know: JSON.
 * Paging goes by key: (once, contact) inside a release, the small partial indexes for the rare states, else windows of ids.
 * Failures: the code of the store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "store/store_cast.h"
#include "store/store_internal.h"
#include "store/store_q_internal.h"
#include "store/store_q_queue.h"

#define WINDOW_ROWS 20000
#define WINDOWS_MAX 20 /* of one call */

int q_shown_state(int state, int gate)
{
	bool swept_later = state == DLV_WAITING || state == DLV_HELD;

	if (swept_later && gate == LOT_CANCELLED)
		return DLV_CANCELLED;
	if (swept_later && gate == LOT_EXPIRED)
		return DLV_EXPIRED;
	return state;
}

static void sums_of(sqlite3_stmt *st, struct q_lane_sum *s)
{
	*s = (struct q_lane_sum){ .lane = col_i64(st, 0),
		.channel = col_str(st, 1),
		.account = col_str(st, 2),
		.class = col_str(st, 3),
		.oldest_ms = col_i64(st, 4),
		.broadcasts = col_i64(st, 16) != 0 };
	for (int i = 0; i < DLV_STATES; i++)
		s->n[i] = col_i64(st, 5 + i);
}

int q_queue_sums(struct store_reader *r, int64_t under,
	int (*row)(void *ctx, const struct q_lane_sum *s), void *ctx)
{
	struct db *db = reader_db(r);
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT n.id, c.name, a.name, n.class, min(CASE WHEN l.n0>0 AND l.gate<3 THEN l.at END), "
		"sum(CASE WHEN l.gate<3 THEN l.n0 ELSE 0 END), sum(l.n1), sum(l.n2), sum(l.n3), "
		"sum(l.n4), sum(l.n5)+sum(CASE WHEN l.gate=4 THEN l.n0+l.n9 ELSE 0 END), "
		"sum(l.n6)+sum(CASE WHEN l.gate=3 THEN l.n0+l.n9 ELSE 0 END), sum(l.n7), sum(l.n8), "
		"sum(CASE WHEN l.gate<3 THEN l.n9 ELSE 0 END), sum(l.n10), EXISTS(SELECT 1 FROM part p JOIN "
		"manifest m ON m.hash=l.manifest AND m.rev=p.rev WHERE p.release_id=l.release_id AND "
		"p.part=l.part AND p.slot=63) AS tells FROM lot l JOIN lane n ON "
		"n.id=l.lane_id JOIN account a ON a.id=n.account_id JOIN channel c ON c.id=a.channel_id "
		"WHERE l.id IN (SELECT id FROM lot INDEXED BY lot_live WHERE (n0>0 OR n1>0 OR n8>0 OR "
		"n9>0 OR n10>0) UNION SELECT x.id FROM release r JOIN lot x ON x.release_id=r.id WHERE "
		"r.state IN (2,3)) AND " UNDER(
			"?1") " GROUP BY n.id, tells ORDER BY c.name, a.name, n.class, tells",
		"i", under);

	if (rc)
		return rc;
	while ((rc = db_row(db, st)) == 1) {
		struct q_lane_sum s;
		sums_of(st, &s);
		rc = row(ctx, &s);
		if (rc) {
			db_reset(st);
			return rc;
		}
	}
	return rc;
}

#define COLS                                                                                            \
	"SELECT d.id, l.at+d.due, c.kind, d.state, d.tries, r.code || '@' || r.year, (SELECT p.name "   \
	"FROM part p JOIN manifest m ON m.hash=l.manifest WHERE p.release_id=l.release_id AND "         \
	"p.rev=m.rev AND p.part=l.part), o.code, h.name, a.name, n.class, c.address, coalesce((SELECT " \
	"value FROM step s WHERE s.delivery_id=d.id AND s.name='!why'), " Q_LOT_WHY                     \
	"), l.gate, d.once, "                                                                           \
	"d.contact_id, (SELECT g.at FROM gap g WHERE g.contact_id=d.contact_id) "
#define JOINS                                                                                             \
	" JOIN lot l ON l.id=d.lot_id JOIN release r ON r.id=l.release_id JOIN lane n ON n.id=l.lane_id " \
	"JOIN account a ON a.id=n.account_id JOIN channel h ON h.id=a.channel_id LEFT JOIN contact c ON " \
	"c.id=d.contact_id LEFT JOIN office o ON o.id=l.office_id "
/* ?1 release ?2 part ?3 office ?4 channel ?5 lane ?6 kind ?7 state as shown ?8 caller's bound */
#define SHOWN                                                                                        \
	"(CASE WHEN d.state IN (0,9) AND l.gate=3 THEN 6 WHEN d.state IN (0,9) AND l.gate=4 THEN 5 " \
	"ELSE d.state END)"
#define FILTER                                                                                 \
	" (?1=0 OR l.release_id=?1) AND (?2<0 OR l.part=?2) AND " UNDER(                       \
		"?3") " AND (?4=0 OR h.id=?4) "                                                \
		      "AND (?5=0 OR l.lane_id=?5) AND (?6=0 OR c.kind=?6) AND (?7<0 OR " SHOWN \
		      "=?7) AND " UNDER("?8")
/* Of a lot whose approval is void only what was tried is listed; the rest waits for nothing. */
#define LISTED     FILTER " AND (l.gate<>5 OR d.state NOT IN (0,9))"
#define FILTER_FMT "iiiiiiii"
#define FILTER_ARGS(f)                                                          \
	(f)->release, (int64_t)(f)->part, (f)->office, (f)->channel, (f)->lane, \
		(int64_t)(f)->kind, (int64_t)(f)->state, (f)->under

static void dlv_of(sqlite3_stmt *st, struct q_dlv *d)
{
	*d = (struct q_dlv){ .id = col_i64(st, 0),
		.due_ms = col_i64(st, 13) == LOT_VOID ? 0 : col_i64(st, 1),
		.kind = (int)col_i64(st, 2),
		.state = q_shown_state((int)col_i64(st, 3), (int)col_i64(st, 13)),
		.tries = (int)col_i64(st, 4),
		.release = col_str(st, 5),
		.part = col_str(st, 6),
		.office = col_str(st, 7),
		.channel = col_str(st, 8),
		.account = col_str(st, 9),
		.class = col_str(st, 10),
		.address = col_str(st, 11),
		.why = col_str(st, 12),
		.broadcast = ONCE_SLOT(col_i64(st, 14)) == ONCE_SLOT_BROADCAST,
		.contact = col_i64(st, 15),
		.gap_at_ms = col_i64(st, 16) };
}

/* Visits rows up to the limit; *ret_more when there was one more. The cursor of the last row goes to once and contact. */
static int visit(struct db *db, sqlite3_stmt *st, size_t limit, size_t *n,
	int (*row)(void *ctx, const struct q_dlv *d), void *ctx, int64_t last[3], bool *ret_more)
{
	int rc;

	*ret_more = false;
	while ((rc = db_row(db, st)) == 1) {
		struct q_dlv d;
		if (*n == limit) {
			*ret_more = true;
			db_reset(st);
			return 0;
		}
		dlv_of(st, &d);
		last[0] = d.id;
		last[1] = col_i64(st, 14);
		last[2] = col_i64(st, 15);
		rc = row(ctx, &d);
		(*n)++;
		if (rc) {
			db_reset(st);
			return rc;
		}
	}
	return rc;
}

static int list_release(struct store_reader *r, const struct q_filter *f,
	int (*row)(void *ctx, const struct q_dlv *d), void *ctx, char *next, size_t size)
{
	struct db *db = reader_db(r);
	int64_t last[3] = { 0 }, once = f->release * 1024;
	long long a_once = 0, a_contact = 0;
	sqlite3_stmt *st;
	size_t n = 0;
	bool more;

	if (f->after[0] && sscanf(f->after, "c%lld.%lld", &a_once, &a_contact) != 2)
		return -EINVAL;
	if (a_once < once)
		a_once = once - 1;
	int rc = db_query(db, &st,
		COLS "FROM delivery d INDEXED BY delivery_once" JOINS
		     "WHERE (d.once, d.contact_id) > (?9,?10) AND d.once<?11 AND " LISTED
		     " ORDER BY d.once, d.contact_id LIMIT ?12",
		FILTER_FMT "iiii", FILTER_ARGS(f), (int64_t)a_once, (int64_t)a_contact, once + 1024,
		(int64_t)f->limit + 1);
	if (rc == 0)
		rc = visit(db, st, f->limit, &n, row, ctx, last, &more);
	if (rc == 0 && more)
		snprintf(next, size, "c%lld.%lld", (long long)last[1], (long long)last[2]);
	return rc;
}

static const char *rare_sql(int state)
{
#define RARE(s, i)                                                                               \
	COLS "FROM delivery d INDEXED BY " i JOINS "WHERE d.state=" s " AND d.id>?9 AND " LISTED \
	     " ORDER BY d.id LIMIT ?10"
	if (state == DLV_SENDING)
		return RARE("1", "delivery_sending");
	if (state == DLV_UNKNOWN)
		return RARE("8", "delivery_unknown");
	if (state == DLV_HELD)
		return RARE("9", "delivery_held");
#undef RARE
	return NULL;
}

static int list_windows(struct store_reader *r, const struct q_filter *f, int64_t after,
	int (*row)(void *ctx, const struct q_dlv *d), void *ctx, char *next, size_t size)
{
	struct db *db = reader_db(r);
	int64_t last[3] = { 0 }, max = 0;
	size_t n = 0;
	bool more = false;
	int rc = db_get_i64(db, &max, "SELECT max(id) FROM delivery", "");

	for (int w = 0; w < WINDOWS_MAX && rc >= 0 && after < max; w++) {
		sqlite3_stmt *st;
		int64_t first = after + 1; /* a restore leaves a gap of a thousand million */
		rc = db_get_i64(db, &first, "SELECT min(id) FROM delivery WHERE id>?", "i", after);
		if (rc < 0)
			return rc;
		after = first - 1;
		rc = db_query(db, &st,
			COLS "FROM delivery d" JOINS "WHERE d.id>?9 AND d.id<=?10 AND " LISTED
			     " ORDER BY d.id LIMIT ?11",
			FILTER_FMT "iii", FILTER_ARGS(f), after, after + WINDOW_ROWS,
			(int64_t)(f->limit - n) + 1);
		if (rc == 0)
			rc = visit(db, st, f->limit, &n, row, ctx, last, &more);
		if (rc < 0)
			return rc;
		after = more ? last[0] : after + WINDOW_ROWS;
		if (more)
			break;
	}
	if (rc >= 0 && after < max)
		snprintf(next, size, "%lld", (long long)after);
	return rc < 0 ? rc : 0;
}

int q_delivery_list(struct store_reader *r, const struct q_filter *f,
	int (*row)(void *ctx, const struct q_dlv *d), void *ctx, char *next, size_t size)
{
	struct db *db = reader_db(r);
	const char *rare = rare_sql(f->state);
	int64_t after = 0, last[3] = { 0 };
	sqlite3_stmt *st;
	size_t n = 0;
	bool more;

	next[0] = 0;
	if (f->release)
		return list_release(r, f, row, ctx, next, size);
	if (f->after[0] && str_i64(str_of(f->after), 0, INT64_MAX, &after) != 0)
		return -EINVAL;
	if (!rare)
		return list_windows(r, f, after, row, ctx, next, size);
	int rc = db_query(
		db, &st, rare, FILTER_FMT "ii", FILTER_ARGS(f), after, (int64_t)f->limit + 1);
	if (rc == 0)
		rc = visit(db, st, f->limit, &n, row, ctx, last, &more);
	if (rc == 0 && more)
		snprintf(next, size, "%lld", (long long)last[0]);
	return rc;
}

int q_cast_why(struct store_reader *r, int64_t delivery, char *ret, size_t size)
{
	struct db *db = reader_db(r);
	struct cast_articles a = { .verdict = CAST_READY };
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT l.release_id, m.rev, d.contact_id FROM delivery d JOIN lot l ON l.id=d.lot_id JOIN "
		"manifest m ON m.hash=l.manifest WHERE d.id=? AND d.state=0 AND (d.once>>4&63)=63",
		"i", delivery);

	ret[0] = 0;
	if (rc == 0)
		rc = db_row(db, st);
	if (rc != 1)
		return rc;
	int64_t release = col_i64(st, 0), rev = col_i64(st, 1), contact = col_i64(st, 2);
	db_reset(st);
	rc = store_cast_articles(db, release, rev, contact, &a);
	if (rc == 0 && a.verdict != CAST_READY)
		(void)str_copy(ret, size, str_of(a.why));
	return rc;
}

int q_delivery_one(struct store_reader *r, int64_t id, int64_t under,
	int (*row)(void *ctx, const struct q_dlv *d), void *ctx)
{
	struct q_filter f = { .part = -1, .state = -1, .under = under };
	struct db *db = reader_db(r);
	int64_t last[3];
	sqlite3_stmt *st;
	size_t n = 0;
	bool more;
	int rc = db_query(db, &st, COLS "FROM delivery d" JOINS "WHERE d.id=?9 AND " FILTER,
		FILTER_FMT "i", FILTER_ARGS(&f), id);

	if (rc == 0)
		rc = visit(db, st, 1, &n, row, ctx, last, &more);
	return rc ? rc : (int)n;
}
