/* store_queue_lease.c - the next rows of a lot, with all that is needed to send them; nothing is written.
 * Thread: worker, inside a reader's snapshot. Owns: nothing. Must not know: lanes.
 * Rows come by (due, id) after a cursor; the first one that is not due yet ends the lease and says when to come back.
 * Failures: the code of the store. A contact that is gone gives a row without address: the caller holds it. */
#include <stdio.h>
#include <string.h>
#include "store/store_consent.h"
#include "store/store_internal.h"
#include "store/store_queue.h"

#define LISTS_MAX 64

static int suppressed_of(
	struct db *db, const struct hash *who, int category, const char *list, int *ret)
{
	int64_t reason = 0;
	int rc = db_get_i64(db, &reason, "SELECT reason FROM suppression WHERE who=? AND list=?",
		"ht", who, list);

	if (rc == 1 && suppress_stops((int)reason, (enum category)category))
		*ret = (int)reason;
	return rc < 0 ? rc : 0;
}

/* Lists that the target is on: its own opt-out of each counts, the first names the unsubscribe link. */
static int lists_of(struct db *db, const struct hash *who, int category, struct sq_lease_row *l)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT l.id, l.name FROM list l JOIN list_target t ON t.list_id=l.id AND t.target_id=? "
		"ORDER BY l.id LIMIT ?",
		"ii", l->target, (int64_t)LISTS_MAX);

	if (rc)
		return rc;
	while ((rc = db_row(db, st)) == 1) {
		if (!l->list)
			l->list = col_i64(st, 0);
		int err = l->suppressed
			? 0
			: suppressed_of(db, who, category, col_z(st, 1), &l->suppressed);
		if (err) {
			db_reset(st);
			return err;
		}
	}
	return rc;
}

static int earlier_of(struct db *db, struct sq_lease_row *l)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT min(started), max(outcome=0) FROM attempt WHERE delivery_id=?", "i",
		l->delivery);

	if (rc == 0)
		rc = db_row(db, st);
	if (rc != 1)
		return rc;
	l->first_ms = col_i64(st, 0);
	l->was_unknown = col_i64(st, 1) != 0;
	db_reset(st);
	return 0;
}

struct steps { /* 64 KB: never on a stack */
	struct lt_pair pair[SQ_STEPS_MAX];
	char text[SQ_STEPS_MAX][SQ_STEP_BYTES];
	size_t n;
};

static int steps_of(struct db *db, struct sq_lease_row *l, struct steps *s)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT name, value FROM step WHERE delivery_id=? AND name NOT LIKE '!%' ORDER BY name "
		"LIMIT ?",
		"ii", l->delivery, (int64_t)SQ_STEPS_MAX + 1);

	s->n = 0;
	if (rc)
		return rc;
	while ((rc = db_row(db, st)) == 1) {
		struct str name = col_str(st, 0), value = col_str(st, 1);
		char *t = s->text[s->n];
		if (s->n == SQ_STEPS_MAX || name.n + value.n > sizeof(s->text[0])) {
			db_reset(st);
			return -E2BIG;
		}
		memcpy(t, name.p, name.n);
		memcpy(t + name.n, value.p, value.n);
		s->pair[s->n++] = (struct lt_pair){ .name = { t, name.n },
			.value = { t + name.n, value.n } };
	}
	l->steps = s->pair;
	l->n_steps = s->n;
	return rc;
}

static int complete(struct store_reader *r, const struct sq_lease_query *q, struct sq_lease_row *l,
	struct steps *s, struct cast_articles *cast)
{
	struct db *db = reader_db(r);
	struct hash who;
	int rc = 0;

	if (l->address.p) {
		store_who(reader_store(r), l->kind, l->address, &who);
		rc = suppressed_of(db, &who, q->category, "", &l->suppressed);
		if (rc == 0 && !l->suppressed && q->category == CAT_ADVERTISING)
			rc = suppressed_of(db, &who, q->category, SUPPRESS_ADS, &l->suppressed);
		if (rc == 0 && q->consent) {
			struct consent k;
			rc = consent_get(db, &who, &k);
			l->consent = k.state;
			l->consent_by = k.asked_by == l->delivery;
		}
		if (rc == 0 && q->lists)
			rc = lists_of(db, &who, q->category, l);
	}
	if (rc == 0 && q->with_gap) {
		rc = db_get_i64(db, &l->gap_at_ms, "SELECT at FROM gap WHERE contact_id=?", "i",
			l->contact);
		rc = rc < 0 ? rc : 0;
	}
	if (rc == 0 && q->cast_release) {
		rc = store_cast_articles(db, q->cast_release, q->cast_rev, l->contact, cast);
		l->cast = cast;
	}
	if (rc == 0 && l->tries > 0)
		rc = earlier_of(db, l);
	if (rc == 0 && (l->tries > 0 || q->with_steps))
		rc = steps_of(db, l, s);
	return rc;
}

static void row_of(sqlite3_stmt *st, struct sq_lease_row *l)
{
	*l = (struct sq_lease_row){ .delivery = col_i64(st, 0),
		.contact = col_i64(st, 1),
		.target = col_i64(st, 2),
		.tries = (uint32_t)col_i64(st, 3),
		.due_ms = col_i64(st, 4),
		.kind = (int)col_i64(st, 5),
		.address = col_str(st, 6),
		.name = col_str(st, 7),
		.form = col_str(st, 8),
		.class = col_str(st, 9),
		.lang = col_str(st, 10),
		.vars = col_str(st, 11) };
}

#define LEASE_SELECT                                                                                                \
	"SELECT d.id, d.contact_id, d.target_id, d.tries, d.due, c.kind, c.address, c.name, "                       \
	"c.form, c.class, iif(t.lang='', (SELECT lang FROM office WHERE id=t.office_id), t.lang),"                  \
	" t.vars, t.office_id, ifnull(t.flags,1)&1 FROM delivery d INDEXED BY delivery_due LEFT JOIN contact c ON " \
	"c.id=d.contact_id LEFT JOIN target t ON t.id=d.target_id WHERE d.state=0 AND d.lot_id=? "

/* An office (alias o) whose targets count now; one that is merged counts until its targets have moved to the successor. */
#define OFFICE_STANDS                                                                            \
	"(o.gone=0 AND ifnull(o.valid_from<=?2,1) AND ifnull(o.valid_to>?2,1) OR o.replaced_by " \
	"IS NOT NULL AND o.valid_to<=?2)"

struct lease {
	struct store_reader *r;
	int64_t office; /* of the last row, and whether it stands: rows of a lot have the same one */
	bool office_gone;
	const struct sq_lease_query *q;
	int (*row)(void *ctx, const struct sq_lease_row *l);
	void *ctx;
	struct sq_lease_end end;
	struct steps *steps;
	struct cast_articles cast;
	bool over;
};

/* Removals apply to what was planned before them. Who was removed here and stands elsewhere is still one of those approved. */
static int removed_of(struct lease *x, sqlite3_stmt *st, struct sq_lease_row *l)
{
	struct db *db = reader_db(x->r);
	int64_t office = col_i64(st, 12), one = 0;
	int rc = 0;

	l->removed = col_i64(st, 13) != 0;
	if (!l->removed && office != x->office) {
		rc = db_get_i64(db, &one, "SELECT 1 FROM office o WHERE o.id=?1 AND " OFFICE_STANDS,
			"ii", office, x->q->now_ms);
		x->office = office;
		x->office_gone = rc == 0;
	}
	l->removed = l->removed || x->office_gone;
	if (rc < 0 || !l->removed)
		return rc < 0 ? rc : 0;
	rc = db_get_i64(db, &one,
		"SELECT 1 FROM target t JOIN office o ON o.id=t.office_id WHERE t.contact_id=?1 AND "
		"(t.flags&1)=0 AND " OFFICE_STANDS " LIMIT 1",
		"ii", l->contact, x->q->now_ms);
	l->removed = rc == 0;
	return rc < 0 ? rc : 0;
}

/* One run through the index; over: the first row that is not wanted any more was seen. */
static int lease_rows(struct lease *x, sqlite3_stmt *st)
{
	struct db *db = reader_db(x->r);
	int rc;

	while ((rc = db_row(db, st)) == 1) {
		struct sq_lease_row l;
		row_of(st, &l);
		if (l.due_ms > x->q->now_due_ms || x->end.rows == x->q->max) {
			x->end.drained = l.due_ms > x->q->now_due_ms;
			x->end.next_due_ms = l.due_ms;
			x->over = true;
			db_reset(st);
			return 0;
		}
		x->end.rows++;
		rc = removed_of(x, st, &l);
		if (rc == 0)
			rc = complete(x->r, x->q, &l, x->steps, &x->cast);
		if (rc == 0)
			rc = x->row(x->ctx, &l);
		if (rc) {
			db_reset(st);
			return rc;
		}
	}
	return rc;
}

/* Two runs: the rest of the due at the cursor, then what is due later. As one condition, (due, id) > (?, ?), the index would be
 * entered at the first row of that due, and rows that are leased but not yet sent would be passed again and again. */
int sq_read_lease(struct store_reader *r, const struct sq_lease_query *q,
	int (*row)(void *ctx, const struct sq_lease_row *l), void *ctx, struct sq_lease_end *ret)
{
	struct db *db = reader_db(r);
	struct lease x = { .r = r, .q = q, .row = row, .ctx = ctx };
	int64_t after_due = q->after_id ? q->after_due_ms : INT64_MIN, any = 0;
	struct sq_lease_query plain = *q;
	sqlite3_stmt *st;
	int rc = q->lists ? db_get_i64(db, &any, "SELECT EXISTS(SELECT 1 FROM list)", "") : 0;

	if (rc < 0)
		return rc;
	plain.lists = any != 0;
	x.q = &plain;
	x.steps = x_calloc(1, sizeof(*x.steps));
	x.end = (struct sq_lease_end){ .next_due_ms = -1, .drained = true };
	rc = 0;
	/* One row more than asked for: it tells whether the lot is drained. */
	if (q->after_id) {
		rc = db_query(db, &st, LEASE_SELECT "AND d.due=? AND d.id>? ORDER BY d.id LIMIT ?",
			"iiii", q->lot, after_due, q->after_id, (int64_t)q->max + 1);
		if (rc == 0)
			rc = lease_rows(&x, st);
	}
	if (rc == 0 && !x.over) {
		rc = db_query(db, &st, LEASE_SELECT "AND d.due>? ORDER BY d.due, d.id LIMIT ?",
			"iii", q->lot, after_due, (int64_t)(q->max - x.end.rows) + 1);
		if (rc == 0)
			rc = lease_rows(&x, st);
	}
	xfree(x.steps);
	if (rc < 0)
		return rc;
	*ret = x.end;
	return 0;
}

/* Ids that the provider gave, one a line: "effect:id". */
static int ids_of(struct db *db, int64_t delivery, char *dst, size_t size)
{
	sqlite3_stmt *st;
	size_t n = 0;
	int rc = db_query(db, &st,
		"SELECT effect, provider_id FROM effect WHERE delivery_id=?1 AND provider_id IS NOT NULL "
		"UNION SELECT 0, provider_id FROM attempt WHERE delivery_id=?1 AND provider_id IS NOT "
		"NULL LIMIT 16",
		"i", delivery);

	dst[0] = 0;
	if (rc)
		return rc;
	while ((rc = db_row(db, st)) == 1) {
		struct str id = col_str(st, 1);
		int k = snprintf(dst + n, size - n, "%lld:" STR_FMT "\n", (long long)col_i64(st, 0),
			STR_ARG(id));
		if (k < 0 || (size_t)k >= size - n) {
			dst[n] = 0;
			db_reset(st);
			return 0;
		}
		n += (size_t)k;
	}
	return rc;
}

static int read_unknown(struct store_reader *r, int64_t lot, int64_t now_due_ms, size_t max,
	int (*row)(void *ctx, const struct sq_unknown_row *u), void *ctx, struct steps *steps,
	int64_t *ret_next_due_ms)
{
	struct db *db = reader_db(r);
	sqlite3_stmt *st;
	char ids[2048];
	int rc = db_query(db, &st,
		"SELECT d.id, d.contact_id, d.due, d.tries, c.address, (SELECT max(started+took_ms) FROM "
		"attempt a WHERE a.delivery_id=d.id AND a.outcome=0) FROM delivery d INDEXED BY "
		"delivery_unknown LEFT JOIN contact c ON c.id=d.contact_id WHERE d.state=8 AND "
		"d.lot_id=? ORDER BY d.due LIMIT ?",
		"ii", lot, (int64_t)max);

	*ret_next_due_ms = -1;
	if (rc)
		return rc;
	while ((rc = db_row(db, st)) == 1) {
		struct sq_unknown_row u = { .delivery = col_i64(st, 0),
			.lot = lot,
			.contact = col_i64(st, 1),
			.due_ms = col_i64(st, 2),
			.tries = (uint32_t)col_i64(st, 3),
			.address = col_str(st, 4),
			.since_ms = col_i64(st, 5) };
		if (u.due_ms > now_due_ms) {
			*ret_next_due_ms = u.due_ms;
			db_reset(st);
			return 0;
		}
		rc = ids_of(db, u.delivery, ids, sizeof(ids));
		u.ref_ids = str_of(ids);
		struct sq_lease_row of = { .delivery = u.delivery };
		if (rc == 0)
			rc = steps_of(db, &of, steps);
		u.steps = of.steps;
		u.n_steps = of.n_steps;
		if (rc == 0)
			rc = row(ctx, &u);
		if (rc) {
			db_reset(st);
			return rc;
		}
	}
	return rc;
}

int sq_read_unknown(struct store_reader *r, int64_t lot, int64_t now_due_ms, size_t max,
	int (*row)(void *ctx, const struct sq_unknown_row *u), void *ctx, int64_t *ret_next_due_ms)
{
	struct steps *steps = x_calloc(1, sizeof(*steps));
	int rc = read_unknown(r, lot, now_due_ms, max, row, ctx, steps, ret_next_due_ms);

	xfree(steps);
	return rc;
}
