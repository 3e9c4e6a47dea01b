/* store_status.c - see store_status.h. */
#include <string.h>
#include <time.h>
#include "store/store_internal.h"
#include "store/store_status.h"

/* Of the lots that have a row in the state: one that has none says nothing of its age. */
#define OLDEST(n) "min(CASE WHEN n" #n ">0 THEN at END)"
_Static_assert(DLV_STATES == 11, "a sum and an age of each state");

static void add(struct store_status *s, int state, int64_t n, int64_t at)
{
	s->count[state] += n;
	if (n && (!s->oldest[state] || at < s->oldest[state]))
		s->oldest[state] = at;
}

int store_status_read(struct db *db, struct store_status *ret)
{
	struct store_status s = { 0 };
	struct timespec t;
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT gate, sum(n0), sum(n1), sum(n2), sum(n3), sum(n4), sum(n5), sum(n6), sum(n7), sum(n8), sum(n9), sum(n10)," OLDEST(0) "," OLDEST(
			1) "," OLDEST(2) "," OLDEST(3) "," OLDEST(4) "," OLDEST(5) "," OLDEST(6) "," OLDEST(7) "," OLDEST(8) "," OLDEST(9) "," OLDEST(10) " FROM lot GROUP BY gate",
		"");
	while (!rc && (rc = db_row(db, st)) == 1) {
		int gate = (int)col_i64(st, 0);
		for (int i = 0; i < DLV_STATES; i++) {
			int as = i;
			if (gate == LOT_VOID && (i == DLV_WAITING || i == DLV_HELD))
				continue;
			if (i == DLV_WAITING && gate == LOT_CANCELLED)
				as = DLV_CANCELLED;
			else if (i == DLV_WAITING && gate == LOT_EXPIRED)
				as = DLV_EXPIRED;
			add(&s, as, col_i64(st, 1 + i), col_i64(st, 1 + DLV_STATES + i));
		}
		rc = 0;
	}
	if (rc == 0)
		rc = db_query(db, &st,
			"SELECT count(*), ifnull(min(code || '@' || year), '') FROM release WHERE owed > 0",
			"");
	if (rc == 0)
		rc = db_row(db, st);
	if (rc < 0)
		return rc;
	s.owed = col_i64(st, 0);
	(void)str_copy(s.owed_first, sizeof(s.owed_first), col_str(st, 1));
	db_reset(st);
	(void)clock_gettime(CLOCK_REALTIME, &t);
	s.now_ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
	*ret = s;
	return 0;
}
