/* store_import_compare.c - rows of an import, in order of their address, beside what the store has in that order.
 * Thread: worker. Owns: a reader, held for one page of rows only; import_begin refuses when another import came between.
 * Why side by side: a list that is new to the store costs no query a row, a list that is there one step of a cursor.
 * Bounds: one bit for each target of the store, while a source is imported again.
 */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/env.h"
#include "model/outcome.h"
#include "store/store_import_internal.h"

#define PAGE_ROWS 2000
#define STEPS_MAX 4  /* contacts that are passed over before the index is asked again */
#define IDS_SHIFT 15 /* ids of one page of the set */
#define ID_MAX    (INT64_C(1) << 34)

struct idset {
	uint64_t **page; /* owned */
	size_t n;
};
struct compare {
	struct stage *st;
	const char *source;
	struct store_reader *r;
	bool began;
	bool fresh;    /* the store has no targets yet, nothing to compare */
	bool before;   /* the source was imported before: what it no longer has is gone */
	bool lists;    /* there are lists */
	int page;      /* rows since the snapshot began */
	int64_t *ours; /* imports of this source, ascending */
	size_t n_ours;
	struct idset seen; /* targets that a row named */
	/* the contact at hand: the first one that is not before the row that was asked for last */
	sqlite3_stmt *q;
	enum { AT_NONE, AT_CONTACT, AT_END } at;
	int64_t contact_id;
	int kind;
	struct str address; /* borrowed from q */
	struct buf names;
};

/* --- a set of ids ----------------------------------------------------------------------------------------------------------------- */

static int idset_add(struct idset *s, int64_t id)
{
	size_t page = (size_t)(id >> IDS_SHIFT), bit = (size_t)id & ((1u << IDS_SHIFT) - 1);
	if (id < 0 || id >= ID_MAX)
		return -E2BIG;
	if (page >= s->n) {
		size_t n = page + page / 2 + 16;
		s->page = x_realloc(s->page, n, sizeof(*s->page));
		memset(s->page + s->n, 0, (n - s->n) * sizeof(*s->page));
		s->n = n;
	}
	if (!s->page[page])
		s->page[page] = x_calloc((1u << IDS_SHIFT) / 64, sizeof(uint64_t));
	s->page[page][bit / 64] |= UINT64_C(1) << (bit % 64);
	return 0;
}

static bool idset_has(const struct idset *s, int64_t id)
{
	size_t page = (size_t)(id >> IDS_SHIFT), bit = (size_t)id & ((1u << IDS_SHIFT) - 1);
	return page < s->n && s->page[page] && (s->page[page][bit / 64] >> (bit % 64) & 1);
}

static void idset_done(struct idset *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->page[i]);
	free(s->page);
}

/* --- pages -------------------------------------------------------------------------------------------------------------------------- */

static void contact_leave(struct compare *c)
{
	if (c->at == AT_CONTACT)
		db_reset(c->q);
	c->at = AT_NONE;
}

/* Every page a new snapshot: a long one would let the log grow. */
static int page_turn(struct compare *c)
{
	if (c->began && ++c->page < PAGE_ROWS)
		return 0;
	contact_leave(c);
	if (c->began)
		reader_end(c->r);
	c->page = 0;
	int rc = reader_begin(c->r);
	c->began = rc == 0;
	return rc;
}

/* --- the contact at hand -------------------------------------------------------------------------------------------------------- */

static int contact_step(struct compare *c)
{
	if (c->page % GIVE_WAY_ROWS == 0)
		work_give_way();
	int rc = db_row(reader_db(c->r), c->q);
	c->at = rc == 1 ? AT_CONTACT : rc == 0 ? AT_END : AT_NONE;
	if (rc != 1)
		return rc;
	c->contact_id = col_i64(c->q, 0);
	c->kind = (int)col_i64(c->q, 1);
	c->address = col_str(c->q, 2);
	return 0;
}

static int contact_order(const struct compare *c, const struct import_row *row)
{
	return c->kind != row->kind ? (c->kind > row->kind) - (c->kind < row->kind)
				    : str_cmp(c->address, row->address);
}

static int contact_seek(struct compare *c, const struct import_row *row)
{
	contact_leave(c);
	int rc = db_query(reader_db(c->r), &c->q,
		"SELECT id, kind, address FROM contact WHERE (kind, address) >= (?, ?) ORDER BY kind, address",
		"is", (int64_t)row->kind, row->address);
	return rc < 0 ? rc : contact_step(c);
}

/* The row's contact in the store: 1, 0 there is none. Rows come in order. */
static int contact_find(struct compare *c, const struct import_row *row)
{
	int rc = c->at == AT_NONE ? contact_seek(c, row) : 0;
	for (int i = 0; rc == 0 && c->at == AT_CONTACT && contact_order(c, row) < 0; i++)
		rc = i < STEPS_MAX ? contact_step(c) : contact_seek(c, row);
	if (rc < 0)
		return rc;
	return c->at == AT_CONTACT && contact_order(c, row) == 0;
}

/* --- one target ------------------------------------------------------------------------------------------------------------------ */

static const char sql_target[] =
	"SELECT t.id, ifnull(t.lane_id,0), t.lang, t.flags, t.vars, c.name, c.form, c.class, t.seen_import "
	"FROM target t JOIN contact c ON c.id=t.contact_id WHERE t.office_id=?1 AND t.contact_id=?2";
static const char sql_tags[] =
	"SELECT g.name FROM target_tag x JOIN tag g ON g.id=x.tag_id WHERE x.target_id=? ORDER BY g.name";
static const char sql_lists[] =
	"SELECT g.name FROM list g JOIN list_target x ON x.list_id=g.id AND x.target_id=? ORDER BY g.name";

/* 1 equal, 0 not, negative a failure. */
static int names_equal(struct compare *c, const char *sql, int64_t target, struct str want)
{
	sqlite3_stmt *q;
	buf_reset(&c->names);
	int rc = db_query(reader_db(c->r), &q, sql, "i", target);
	while (rc == 0 && (rc = db_row(reader_db(c->r), q)) == 1) {
		if (c->names.n)
			buf_addc(&c->names, IMPORT_SEP);
		buf_add_str(&c->names, col_str(q, 0));
		rc = 0;
	}
	return rc < 0 ? rc : str_eq(buf_str(&c->names), want) || (!want.n && !c->names.n);
}

static bool text_is(sqlite3_stmt *q, int i, struct str want)
{
	struct str have = col_str(q, i);
	return have.n == want.n && (have.n == 0 || !memcmp(have.p, want.p, have.n));
}

static bool lane_is(const struct compare *c, int64_t have, const struct import_row *row)
{
	int64_t want = row->lane < 0 ? 0 : c->st->lanes.v[row->lane].id;
	return have == (row->lane >= 0 && !want ? -1 : want); /* a lane that is not there yet */
}

static int by_id(const void *x, const void *y)
{
	const int64_t *a = x, *b = y;
	return (*a > *b) - (*a < *b);
}

static bool is_ours(const struct compare *c, int64_t import)
{
	return c->n_ours && bsearch(&import, c->ours, c->n_ours, sizeof(*c->ours), by_id);
}

/* A target of the contact at hand. What is to be done: STEP_PUT, STEP_TOUCH, or 0 nothing. */
static int target_compare(
	struct compare *c, const struct import_row *row, bool *ret_new, int64_t *taken)
{
	struct db *db = reader_db(c->r);
	sqlite3_stmt *q;
	int rc = db_query(db, &q, sql_target, "ii", row->office_id, c->contact_id);
	if (rc == 0)
		rc = db_row(db, q);
	if (rc <= 0)
		return rc < 0 ? rc : STEP_PUT;
	int64_t target = col_i64(q, 0);
	unsigned flags = (unsigned)col_i64(q, 3);
	bool ours = is_ours(c, col_i64(q, 8));
	bool same = lane_is(c, col_i64(q, 1), row) && text_is(q, 2, row->lang) &&
		(flags & (TARGET_GONE | TARGET_INTERNAL)) == row->flags &&
		text_is(q, 4, row->vars) && text_is(q, 5, row->name) && text_is(q, 6, row->form) &&
		text_is(q, 7, row->class);
	db_reset(q);
	*ret_new = (flags & TARGET_GONE) != 0;
	*taken += !*ret_new && !ours;
	if (c->before && (rc = idset_add(&c->seen, target)) < 0)
		return rc;
	if (!same)
		return STEP_PUT;
	rc = names_equal(c, sql_tags, target, row->tags);
	if (rc == 1)
		rc = c->lists ? names_equal(c, sql_lists, target, row->lists) : !row->lists.n;
	return rc < 0 ? rc : rc == 0 ? STEP_PUT : ours ? 0 : STEP_TOUCH;
}

int compare_target(
	struct compare *c, const struct import_row *row, bool first, struct import_counts *n)
{
	bool fresh = true;
	int what = first ? STEP_NEW : STEP_PUT;
	if (!c->fresh) {
		int rc = page_turn(c);
		if (rc == 0)
			rc = contact_find(c, row);
		if (rc == 1)
			rc = what = target_compare(c, row, &fresh, &n->taken);
		if (rc < 0)
			return rc;
	}
	if (what == STEP_NEW || what == STEP_PUT) {
		n->added += fresh;
		n->changed += !fresh;
	}
	return what;
}

int compare_suppression(struct compare *c, const struct import_row *row, struct import_counts *n)
{
	int64_t reason = 0;
	int rc = page_turn(c);
	if (rc == 0)
		rc = db_get_i64(reader_db(c->r), &reason,
			"SELECT reason FROM suppression WHERE who=? AND list=?", "bt", row->address,
			row->reason == SUP_DO_NOT_CALL ? SUPPRESS_ADS : "");
	if (rc < 0 || (rc == 1 && reason == row->reason))
		return rc < 0 ? rc : 0;
	if (rc == 1 && suppress_is_wish((int)reason) && !suppress_is_wish(row->reason))
		return 0; /* a bounce does not hide what the person wants */
	n->added += rc == 0;
	n->changed += rc == 1;
	return STEP_SUPPRESS;
}

/* --- what the file no longer has -------------------------------------------------------------------------------------------------- */

static int gone_page(
	struct compare *c, const char *bound, int64_t *after, bool *more, struct import_counts *n)
{
	struct db *db = reader_db(c->r);
	sqlite3_stmt *q;
	int rows = 0;
	int rc = db_query(db, &q,
		"SELECT t.id FROM target t WHERE t.id>?1 AND (t.flags&1)=0 AND t.seen_import IN (SELECT id FROM import WHERE what=?2) "
		"AND (?3 IS NULL OR t.office_id IN (WITH RECURSIVE s(id) AS (SELECT id FROM office WHERE code=?3 UNION "
		"SELECT o.id FROM office o JOIN s ON o.parent_id=s.id) SELECT id FROM s)) ORDER BY t.id LIMIT ?4",
		"itti", *after, c->source, bound, (int64_t)PAGE_ROWS);
	while (rc == 0 && (rc = db_row(db, q)) == 1) {
		*after = col_i64(q, 0);
		rows++;
		rc = 0;
		if (idset_has(&c->seen, *after))
			continue;
		n->gone++;
		struct import_row row = { .office_id = *after }; /* the target's id in its place */
		rc = stage_step(c->st, &row, STEP_GONE);
		if (rc < 0)
			db_reset(q);
	}
	*more = rows == PAGE_ROWS;
	return rc;
}

int compare_gone(struct compare *c, const char *bound, struct import_counts *n)
{
	int64_t after = 0;
	bool more = c->before && !c->fresh;
	int rc = 0;
	while (rc == 0 && more) {
		c->page = PAGE_ROWS;
		rc = page_turn(c);
		if (rc == 0)
			rc = gone_page(c, bound, &after, &more, n);
	}
	return rc;
}

/* --- begin and end ---------------------------------------------------------------------------------------------------------------- */

static int lane_ids(struct compare *c)
{
	int rc = 0;
	for (size_t i = 0; i < c->st->lanes.n && rc >= 0; i++) {
		struct str rest = str_of(c->st->lanes.v[i].text),
			   f[4] = { { "", 0 }, { "", 0 }, { "", 0 }, { "", 0 } };
		for (size_t k = 0; k < 4 && str_next(&rest, IMPORT_SEP, &f[k]); k++)
			continue;
		rc = db_get_i64(reader_db(c->r), &c->st->lanes.v[i].id,
			"SELECT l.id FROM channel h JOIN account a ON a.channel_id=h.id AND a.name=?2 JOIN lane l ON "
			"l.account_id=a.id AND l.class=?3 WHERE h.name=?1",
			"sss", f[0], f[2], f[3]);
	}
	return rc < 0 ? rc : 0;
}

static int ours_load(struct compare *c)
{
	struct db *db = reader_db(c->r);
	sqlite3_stmt *q;
	size_t cap = 0;
	int rc = db_query(db, &q, "SELECT id FROM import WHERE what=? ORDER BY id", "t", c->source);
	while (rc == 0 && (rc = db_row(db, q)) == 1) {
		if (c->n_ours == cap) {
			cap = cap ? 2 * cap : 64;
			c->ours = x_realloc(c->ours, cap, sizeof(*c->ours));
		}
		c->ours[c->n_ours++] = col_i64(q, 0);
		rc = 0;
	}
	c->before = c->n_ours > 0;
	return rc;
}

static int facts_load(struct compare *c)
{
	struct db *db = reader_db(c->r);
	int64_t any = 0;
	int rc = db_get_i64(db, &c->st->generation, "SELECT ifnull(max(id),0) FROM import", "");
	if (rc >= 0)
		rc = db_get_i64(db, &any, "SELECT 1 FROM target LIMIT 1", "");
	c->fresh = rc == 0;
	if (rc >= 0)
		rc = db_get_i64(db, &any, "SELECT 1 FROM list LIMIT 1", "");
	c->lists = rc == 1;
	if (rc >= 0)
		rc = ours_load(c);
	return rc < 0 ? rc : lane_ids(c);
}

int compare_open(struct stage *st, const char *source, struct compare **ret)
{
	CLEANUP(compare_close) struct compare *c = x_calloc(1, sizeof(*c));
	c->st = st;
	c->source = source;
	buf_init(&c->names, 1u << 20);
	int rc = store_reader_get(st->s, &c->r);
	if (rc == 0)
		rc = page_turn(c);
	if (rc == 0)
		rc = facts_load(c);
	if (rc == 0)
		*ret = MOVE(c);
	return rc;
}

void compare_close(struct compare *c)
{
	if (!c)
		return;
	contact_leave(c);
	if (c->began)
		reader_end(c->r);
	if (c->r)
		store_reader_put(c->st->s, c->r);
	idset_done(&c->seen);
	buf_done(&c->names);
	free(c->ours);
	free(c);
}
