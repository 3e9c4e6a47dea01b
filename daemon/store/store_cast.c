/* store_cast.c - see store_cast.h. Owns: nothing. Failures: the code of the store.
 * The count goes over all releases by the index of (once, contact): some thousand look-ups for an account, and no counter that
 * could differ from what truly happened. */
#include "store/store_cast.h"
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "store/store_internal.h"
#include "store/store_recall.h"

#define COMPANIONS_MAX (BROADCAST_ARTICLES - 1)

struct found {
	int64_t delivery;
	int state;
	bool taken_back, gone;
};

/* The delivery of the article; of several (a part that goes out again) one that stands, else the newest. */
static int find(struct db *db, int64_t release, int64_t contact, struct found *ret)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT d.id, d.state, EXISTS(SELECT 1 FROM recall r WHERE r.delivery_id=d.id AND r.state "
		"IN (0,1,2)), EXISTS(SELECT 1 FROM receipt p WHERE p.delivery_id=d.id AND p.state=?4) FROM "
		"delivery d INDEXED BY delivery_once WHERE d.once IN (WITH RECURSIVE s(k) AS (SELECT 0 "
		"UNION ALL SELECT k+1 FROM s WHERE k<62) SELECT (?1*64+k)*16+?2 FROM s) AND "
		"d.contact_id=?3 ORDER BY d.state IN (2,3) DESC, d.id DESC LIMIT 1",
		"iiii", release, (int64_t)BROADCAST_KIND, contact, (int64_t)LT_RC_GONE);

	if (rc == 0)
		rc = db_row(db, st);
	if (rc != 1)
		return rc < 0 ? rc : -ENOENT;
	*ret = (struct found){ col_i64(st, 0), (int)col_i64(st, 1), col_i64(st, 2) != 0,
		col_i64(st, 3) != 0 };
	db_reset(st);
	return 0;
}

/* What the provider calls it; absent: "". */
static int id_of(struct db *db, int64_t delivery, char *dst, size_t size)
{
	static const char *const ways[] = {
		"SELECT provider_id FROM effect WHERE delivery_id=? AND effect=0 AND provider_id IS NOT NULL",
		"SELECT provider_id FROM attempt WHERE delivery_id=? AND provider_id IS NOT NULL ORDER BY "
		"outcome=1 DESC, try DESC LIMIT 1"
	};
	int rc = 0;

	dst[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(ways) && rc >= 0 && !dst[0]; i++)
		rc = db_get_text(db, dst, size, ways[i], "i", delivery);
	return rc < 0 ? rc : 0;
}

static enum cast_verdict judge(const struct found *f, bool own, const char **ret_what)
{
	enum cast_verdict over = own ? CAST_NEVER : CAST_ASKS;

	*ret_what = "is not out yet";
	switch ((enum dlv_state)f->state) {
	case DLV_WAITING:
	case DLV_SENDING: return CAST_WAITS;
	case DLV_ACCEPTED:
	case DLV_DELIVERED: break;
	case DLV_UNKNOWN:
	case DLV_DOUBT: *ret_what = "may be out or not"; return CAST_WAITS;
	case DLV_HELD: *ret_what = "is held"; return CAST_WAITS;
	case DLV_FAILED:
		*ret_what = "failed";
		return own ? CAST_WAITS : CAST_ASKS; /* a person may try it again */
	case DLV_EXPIRED: *ret_what = "has expired"; return over;
	case DLV_CANCELLED: *ret_what = "was cancelled"; return over;
	case DLV_SUPPRESSED: *ret_what = "was suppressed"; return over;
	}
	*ret_what = "was taken back";
	if (f->taken_back)
		return over;
	*ret_what = "is not there any more";
	return f->gone ? over : CAST_READY;
}

int store_cast_article(
	struct db *db, int64_t release, int64_t contact, bool own, struct cast_articles *ret)
{
	char code[80], id[200] = "";
	const char *what = "";
	struct found f = { 0 };
	int rc = db_get_text(
		db, code, sizeof(code), "SELECT code FROM release WHERE id=?", "i", release);

	*ret = (struct cast_articles){ .verdict = own ? CAST_WAITS : CAST_ASKS };
	if (rc >= 0)
		rc = find(db, release, contact, &f);
	if (rc == -ENOENT)
		snprintf(ret->why, sizeof(ret->why), "article: %.70s has none on this account",
			code);
	if (rc)
		return rc;
	ret->verdict = judge(&f, own, &what);
	if (ret->verdict == CAST_READY)
		rc = id_of(db, f.delivery, id, sizeof(id));
	if (ret->verdict == CAST_READY && !id[0]) {
		ret->verdict = CAST_ASKS;
		what = "has no id that is known: broadcast it by hand";
	}
	if (ret->verdict == CAST_READY)
		snprintf(ret->ids, sizeof(ret->ids), "0:%s\n", id);
	else
		snprintf(ret->why, sizeof(ret->why), "article: that of %.70s %s", code, what);
	return rc;
}

static int companions(struct db *db, int64_t release, int64_t rev, int64_t *ret, size_t *ret_n)
{
	return db_get_ids(db, ret, COMPANIONS_MAX, ret_n,
		"SELECT other FROM companion WHERE release_id=? AND rev=? ORDER BY pos LIMIT ?",
		"iii", release, rev, (int64_t)COMPANIONS_MAX);
}

int store_cast_articles(
	struct db *db, int64_t release, int64_t rev, int64_t contact, struct cast_articles *ret)
{
	int64_t of[1 + COMPANIONS_MAX] = { release };
	struct cast_articles one;
	size_t n = 0, used = 0;
	int rc = companions(db, release, rev, of + 1, &n);

	*ret = (struct cast_articles){ .verdict = CAST_READY };
	for (size_t i = 0; i <= n && rc == 0; i++) {
		rc = store_cast_article(db, of[i], contact, i == 0, &one);
		if (rc == -ENOENT)
			rc = 0; /* said in `why` */
		if (rc < 0)
			return rc;
		if (one.verdict != CAST_READY) {
			/* Its own article decides; of the others one that a person must look at. */
			if (ret->verdict == CAST_READY || one.verdict == CAST_ASKS)
				*ret = one;
			if (i == 0)
				return 0;
			continue;
		}
		if (ret->verdict == CAST_READY)
			used += (size_t)snprintf(
				ret->ids + used, sizeof(ret->ids) - used, "%s", one.ids);
		if (used >= sizeof(ret->ids))
			return -E2BIG;
	}
	return rc;
}

int store_cast_anywhere(struct db *db, int64_t release)
{
	int64_t one = 0;
	return db_get_i64(db, &one,
		"SELECT 1 FROM delivery d INDEXED BY delivery_once JOIN contact c ON c.id=d.contact_id "
		"WHERE d.once>=?1*1024 AND d.once<(?1+1)*1024 AND c.kind=?2 AND c.form=?3 LIMIT 1",
		"iit", release, (int64_t)BROADCAST_KIND, BROADCAST_FORM);
}

/* --- the allowance -------------------------------------------------------------------------------------------------------------- */

struct counted {
	int state, gate, release_state;
	bool was_unknown;
	int64_t at, campaign;
};

/* Sent or perhaps. A person's `drop` of an unknown one does not say that it had not gone out. */
static bool is_spent(const struct counted *c)
{
	switch ((enum dlv_state)c->state) {
	case DLV_SENDING:
	case DLV_ACCEPTED:
	case DLV_DELIVERED:
	case DLV_UNKNOWN:
	case DLV_DOUBT: return true;
	case DLV_CANCELLED: return c->was_unknown;
	case DLV_WAITING:
	case DLV_FAILED:
	case DLV_EXPIRED:
	case DLV_SUPPRESSED:
	case DLV_HELD: break;
	}
	return false;
}

static bool is_planned(const struct counted *c)
{
	return (c->state == (int)DLV_WAITING || c->state == (int)DLV_HELD) && c->gate <= LOT_HELD &&
		(c->release_state == REL_APPROVED || c->release_state == REL_SENDING);
}

static void count(const struct cast_count *ask, const struct counted *c, struct cast_used *ret)
{
	bool in_month = c->at >= ask->from_ms && c->at < ask->to_ms,
	     in_campaign = ask->campaign && c->campaign == ask->campaign;

	if (is_spent(c)) {
		ret->month += in_month;
		ret->campaign += in_campaign;
	} else if (is_planned(c)) {
		ret->month_planned += in_month;
		ret->campaign_planned += in_campaign;
	}
}

int store_cast_used(struct db *db, const struct cast_count *ask, struct cast_used *ret)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT d.state, l.gate, r.state, EXISTS(SELECT 1 FROM attempt a WHERE a.delivery_id=d.id "
		"AND a.outcome=0), coalesce((SELECT max(a.started) FROM attempt a WHERE a.delivery_id=d.id "
		"AND a.outcome IN (0,1)), l.at), ifnull(r.campaign_id,0) FROM release r CROSS JOIN delivery "
		"d INDEXED BY delivery_once ON d.once=(r.id*64+63)*16+?1 AND d.contact_id=?2 JOIN lot l ON "
		"l.id=d.lot_id WHERE r.id<>?3",
		"iii", (int64_t)BROADCAST_KIND, ask->contact, ask->except);

	*ret = (struct cast_used){ 0 };
	if (rc)
		return rc;
	while ((rc = db_row(db, st)) == 1) {
		struct counted c = { (int)col_i64(st, 0), (int)col_i64(st, 1), (int)col_i64(st, 2),
			col_i64(st, 3) != 0, col_i64(st, 4), col_i64(st, 5) };
		count(ask, &c, ret);
	}
	return rc;
}
