/* store_fsck.c - the queue: deliveries, lots, counters, intents, nobody left out.
 * Thread: a worker with a reader. Owns: nothing; never writes.
 * Failures: a page that cannot be read ends the check with its code; a problem is told and the walk goes on.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "base/map.h"
#include "model/state.h"
#include "store/store_fsck_internal.h"

struct tally {
	int64_t n[DLV_STATES];
};
struct counts { /* struct fsck first: page functions get it */
	struct fsck f;
	struct map64 *lots; /* lot id -> struct tally, owned */
};

void fsck_tell(struct fsck *f, const char *check, const char *subject, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	f->res->problems++;
	if (f->res->problems > FSCK_REPORTED_MAX || !f->o->report)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f->o->report(f->o->ctx,
		&(struct fsck_problem){ .check = check, .subject = subject, .text = text });
}

void fsck_progress(struct fsck *f, const char *check, uint64_t rows)
{
	if (f->o->progress)
		f->o->progress(f->o->ctx, check, rows);
}

int fsck_pages(struct fsck *f, const char *check, int (*fn)(struct fsck *f, int64_t *cursor))
{
	int64_t cursor = INT64_MIN;
	uint64_t rows = 0;
	int n = 1;

	while (n > 0) {
		int rc = reader_begin(f->r);
		n = rc < 0 ? rc : fn(f, &cursor);
		reader_end(f->r);
		if (n > 0) {
			rows += (uint64_t)n;
			fsck_progress(f, check, rows);
		}
	}
	return n;
}

int fsck_rows(struct fsck *f, int rc, sqlite3_stmt *st, int64_t *cursor,
	void (*row)(struct fsck *f, sqlite3_stmt *st))
{
	int n = 0;

	while (rc >= 0 && (rc = db_row(f->db, st)) == 1) {
		row(f, st);
		*cursor = col_i64(st, 0);
		n++;
	}
	return rc < 0 ? rc : n;
}

/* --- deliveries ------------------------------------------------------------------------------------------------------- */

static void delivery_row(struct fsck *f, sqlite3_stmt *st)
{
	struct counts *c = CONTAINER_OF(f, struct counts, f);
	int64_t id = col_i64(st, 0), lot = col_i64(st, 1), state = col_i64(st, 2);
	char subject[48];

	(void)snprintf(subject, sizeof(subject), "delivery:%" PRId64, id);
	f->res->deliveries++;
	if (state < 0 || state >= DLV_STATES) {
		fsck_tell(
			f, "delivery", subject, "its state %" PRId64 " is none that exists", state);
		return;
	}
	struct tally *t = map64_get(c->lots, (uint64_t)lot);
	if (!t) {
		t = x_calloc(1, sizeof(*t));
		map64_put(c->lots, (uint64_t)lot, t);
	}
	t->n[state]++;
	if (sqlite3_column_type(st, 3) == SQLITE_NULL)
		fsck_tell(f, "reference", subject, "its lot %" PRId64 " does not exist", lot);
	else if (col_i64(st, 3) != col_i64(st, 4) / 1024)
		fsck_tell(f, "delivery", subject,
			"it counts for release %" PRId64 ", its lot is of release %" PRId64,
			col_i64(st, 4) / 1024, col_i64(st, 3));
	if ((state == DLV_WAITING || state == DLV_SENDING) && col_i64(st, 5) == 0)
		fsck_tell(f, "reference", subject, "it is %s, and its contact does not exist",
			dlv_state_name((int)state));
	if (state == DLV_SENDING && f->o->sending)
		f->o->sending(f->o->ctx, id, lot);
}

static int delivery_page(struct fsck *f, int64_t *cursor)
{
	sqlite3_stmt *st = NULL;
	int rc = db_query(f->db, &st,
		"SELECT d.id, d.lot_id, d.state, l.release_id, d.once, c.id IS NOT NULL FROM delivery d "
		"LEFT JOIN lot l ON l.id = d.lot_id LEFT JOIN contact c ON c.id = d.contact_id "
		"WHERE d.id > ? AND NOT (d.once = 0 AND d.lot_id = 0 AND d.state = 6) ORDER BY d.id LIMIT ?",
		"ii", *cursor, FSCK_PAGE);

	return fsck_rows(f, rc, st, cursor, delivery_row);
}

/* --- lots and their counters -------------------------------------------------------------------------------------------- */

#define COUNTERS "n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10"

/* Counters and rows of one lot in one snapshot: what moved under the walk is equal here. 0 or negative. */
static int lot_recount(struct fsck *f, int64_t lot, struct tally *stored, struct tally *rows)
{
	sqlite3_stmt *st = NULL;
	int64_t release = 0;
	int rc = db_query(
		f->db, &st, "SELECT release_id, " COUNTERS " FROM lot WHERE id = ?", "i", lot);

	memset(stored, 0, sizeof(*stored));
	memset(rows, 0, sizeof(*rows));
	if (rc == 0)
		rc = db_row(f->db, st);
	if (rc <= 0)
		return rc;
	release = col_i64(st, 0);
	for (int i = 0; i < DLV_STATES; i++)
		stored->n[i] = col_i64(st, 1 + i);
	db_reset(st);
	rc = db_query(f->db, &st,
		"SELECT state, count(*) FROM delivery INDEXED BY delivery_once WHERE once >= ? AND "
		"once < ? AND lot_id = ? GROUP BY state",
		"iii", release * 1024, (release + 1) * 1024, lot);
	while (rc >= 0 && (rc = db_row(f->db, st)) == 1)
		if (col_i64(st, 0) >= 0 && col_i64(st, 0) < DLV_STATES)
			rows->n[col_i64(st, 0)] = col_i64(st, 1);
	return rc < 0 ? rc : 0;
}

static int lot_differs(struct fsck *f, int64_t lot)
{
	struct tally stored, rows;
	char subject[48];
	int rc = lot_recount(f, lot, &stored, &rows);

	(void)snprintf(subject, sizeof(subject), "lot:%" PRId64, lot);
	for (int i = 0; rc == 0 && i < DLV_STATES; i++)
		if (stored.n[i] != rows.n[i])
			fsck_tell(f, "counter", subject,
				"it counts %" PRId64 " %s, and has %" PRId64, stored.n[i],
				dlv_state_name(i), rows.n[i]);
	return rc;
}

static int lot_row(struct counts *c, sqlite3_stmt *st, bool *ret_differs)
{
	static const struct tally none;
	int64_t id = col_i64(st, 0), gate = col_i64(st, 1);
	const struct tally *t = map64_get(c->lots, (uint64_t)id);
	char subject[48];

	(void)snprintf(subject, sizeof(subject), "lot:%" PRId64, id);
	c->f.res->lots++;
	if (!lot_gate_name((int)gate))
		fsck_tell(&c->f, "lot", subject, "its gate %" PRId64 " is none that exists", gate);
	if (col_i64(st, 2) == 0)
		fsck_tell(&c->f, "lot", subject, "its part does not exist");
	if (col_i64(st, 3) == 0)
		fsck_tell(&c->f, "lot", subject, "its office does not exist");
	*ret_differs = false;
	for (int i = 0; i < DLV_STATES; i++)
		*ret_differs |= col_i64(st, 4 + i) != (t ? t : &none)->n[i];
	return 0;
}

static int lot_page(struct fsck *f, int64_t *cursor)
{
	struct counts *c = CONTAINER_OF(f, struct counts, f);
	sqlite3_stmt *st = NULL;
	bool differs = false;
	int rc = db_query(f->db, &st,
		"SELECT l.id, l.gate, EXISTS (SELECT 1 FROM part p WHERE p.release_id = l.release_id "
		"AND p.part = l.part), EXISTS (SELECT 1 FROM office o WHERE o.id = l.office_id), " COUNTERS
		" FROM lot l WHERE l.id > ? ORDER BY l.id LIMIT 1",
		"i", *cursor);

	if (rc == 0)
		rc = db_row(f->db, st);
	if (rc <= 0)
		return rc;
	*cursor = col_i64(st, 0);
	rc = lot_row(c, st, &differs);
	db_reset(st);
	if (rc == 0 && differs)
		rc = lot_differs(f, *cursor);
	return rc < 0 ? rc : 1;
}

/* --- intents ------------------------------------------------------------------------------------------------------------ */

static void intent_row(struct fsck *f, sqlite3_stmt *st)
{
	int64_t id = col_i64(st, 0), state = col_i64(st, 1);
	char subject[48];

	(void)snprintf(subject, sizeof(subject), "delivery:%" PRId64, id);
	if (sqlite3_column_type(st, 1) == SQLITE_NULL)
		fsck_tell(f, "intent", subject,
			"an intent stands for a delivery that does not exist");
	else if (state != DLV_SENDING && state != DLV_UNKNOWN && state != DLV_DOUBT)
		fsck_tell(f, "intent", subject, "an intent is open, and the delivery is %s",
			dlv_state_name((int)state) ? dlv_state_name((int)state) : "nothing");
}

static int intent_page(struct fsck *f, int64_t *cursor)
{
	sqlite3_stmt *st = NULL;
	int rc = db_query(f->db, &st,
		"SELECT DISTINCT i.delivery_id, d.state FROM intent i LEFT JOIN delivery d ON d.id = "
		"i.delivery_id WHERE i.delivery_id > ? ORDER BY i.delivery_id LIMIT ?",
		"ii", *cursor, FSCK_PAGE);

	return fsck_rows(f, rc, st, cursor, intent_row);
}

/* --- nobody left out ------------------------------------------------------------------------------------------------------ */

/* Contacts that were counted at approval, still are targets with a route, and have no delivery in a part that is planned. */
static int missing_page(struct fsck *f, int64_t *cursor)
{
	sqlite3_stmt *st = NULL;
	char subject[64];
	int64_t release = 0;
	int rc = db_get_i64(f->db, &release,
		"SELECT id FROM release WHERE id > ? AND rev_approved IS NOT NULL AND state IN (3, 4) "
		"ORDER BY id LIMIT 1",
		"i", *cursor);

	if (rc <= 0)
		return rc;
	*cursor = release;
	rc = db_query(f->db, &st,
		"SELECT p.name, a.kind, count(*), min(a.contact_id) FROM release r "
		"JOIN part p ON p.release_id = r.id AND p.rev = r.rev_approved AND p.planned = 2 "
		"JOIN manifest m ON m.release_id = r.id AND m.rev = r.rev_approved "
		"JOIN approved_contact a ON a.manifest = m.hash AND a.part = p.part "
		"WHERE r.id = ? AND EXISTS (SELECT 1 FROM approval v WHERE v.manifest = m.hash AND "
		"v.voided IS NULL) AND EXISTS (SELECT 1 FROM target t JOIN lane l ON l.id = t.lane_id "
		"WHERE t.contact_id = a.contact_id AND t.flags & 1 = 0) AND NOT EXISTS (SELECT 1 FROM "
		"delivery d WHERE d.once = (r.id * 64 + p.slot) * 16 + a.kind AND d.contact_id = "
		"a.contact_id) GROUP BY p.name, a.kind",
		"i", release);
	while (rc >= 0 && (rc = db_row(f->db, st)) == 1) {
		(void)snprintf(
			subject, sizeof(subject), "release:%" PRId64 "/%s", release, col_z(st, 0));
		const char *kind = chan_kind_name((int)col_i64(st, 1));
		fsck_tell(f, "missing", subject,
			"%" PRId64
			" approved contacts have no %s delivery, the first is contact %" PRId64,
			col_i64(st, 2), kind ? kind : "known", col_i64(st, 3));
	}
	return rc < 0 ? rc : 1;
}

/* --- all of it ------------------------------------------------------------------------------------------------------------ */

static void tallies_free(struct map64 *m)
{
	size_t cursor = 0;
	uint64_t key;
	void *t;

	while (map64_next(m, &cursor, &key, &t))
		xfree(t);
	map64_free(m);
}

static int audit_check(struct fsck *f)
{
	char subject[48];
	int rc = store_audit_verify(f->r, f->o->head, &f->res->audit);

	f->res->audit_rows = f->res->audit.rows;
	if (rc == 0 && f->res->audit.fault != AUDIT_OK) {
		(void)snprintf(subject, sizeof(subject), "audit:%" PRId64, f->res->audit.at_seq);
		fsck_tell(f, "audit", subject, "%s", f->res->audit.text);
	}
	return rc;
}

static int queue_check(struct fsck *f)
{
	int rc = fsck_pages(f, "delivery", delivery_page);

	if (rc == 0)
		rc = fsck_pages(f, "lot", lot_page);
	if (rc == 0)
		rc = fsck_pages(f, "intent", intent_page);
	if (rc == 0)
		rc = fsck_pages(f, "missing", missing_page);
	return rc;
}

int store_fsck(struct store_reader *r, const struct fsck_opts *o, struct fsck_result *ret)
{
	struct counts c = {
		.f = { .r = r, .db = reader_db(r), .s = reader_store(r), .o = o, .res = ret },
		.lots = map64_new()
	};

	memset(ret, 0, sizeof(*ret));
	int rc = queue_check(&c.f);
	tallies_free(c.lots);
	if (rc == 0)
		rc = fsck_releases(&c.f);
	if (rc == 0)
		rc = fsck_approved(&c.f);
	if (rc == 0)
		rc = fsck_approvals(&c.f);
	if (rc == 0)
		rc = fsck_assets(&c.f);
	if (rc == 0)
		rc = fsck_references(&c.f);
	if (rc == 0 && o->deep)
		rc = fsck_file(&c.f);
	return rc < 0 ? rc : audit_check(&c.f);
}
