/* store_import_check.c - a staged import sorted, its duplicates found, compared with the store: what is left is to be done.
 * Thread: worker. Owns: nothing. Readers are held for one page only; import_begin refuses when another import came between.
 * Failures: duplicates are told through ask->problem, up to the caller's patience, and refuse the file.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/file.h"
#include "model/state.h"
#include "store/store_import_internal.h"

#define PAGE_ROWS 2000

struct check {
	struct stage *st;
	const struct stage_ask *ask;
	struct store_reader *r;
	bool began, fresh; /* fresh: the store has no targets yet, nothing to compare */
	int page;          /* rows since the snapshot began */
	struct import_counts n;
	int64_t errors;
	int last_line, office_line;
	struct buf last_key; /* of the row before */
	struct buf contact;  /* name 0 form 0 class of the contact at hand: its first row decides */
	struct buf tags, step;
	bool overruled;
};

/* Every page a new snapshot: a long one would let the log grow. */
static int page_turn(struct check *c)
{
	if (c->began && ++c->page < PAGE_ROWS)
		return 0;
	if (c->began)
		reader_end(c->r);
	c->page = 0;
	int rc = reader_begin(c->r);
	c->began = rc == 0;
	return rc;
}

static int step_put(struct check *c, const struct import_row *row, enum step_do what)
{
	buf_reset(&c->step);
	int rc = import_pack_step(&c->step, row, what);
	if (rc == 0)
		rc = db_exec(c->st->db, "INSERT INTO todo(n, rec) VALUES(?,?)", "ib",
			c->st->steps + 1, buf_str(&c->step));
	c->st->steps += rc == 0;
	return rc;
}

static bool told(struct check *c, bool error, int line, const char *field, const char *text)
{
	c->errors += error;
	return c->ask->problem(c->ask->ctx, error, line, field, text);
}

/* --- rows of one contact: its name, form and class are those of its first row ------------------------------------------------ */

static struct str contact_part(const struct check *c, int i)
{
	struct str rest = buf_str(&c->contact), one = { "", 0 };
	for (int k = 0; k <= i; k++)
		if (!str_next(&rest, '\0', &one))
			return (struct str){ "", 0 };
	return one;
}

static bool same_contact(const struct check *c, struct str key)
{
	size_t n = key.n - 8; /* without the office */
	return c->last_key.n >= 8 && c->last_key.n - 8 == n && !memcmp(c->last_key.p, key.p, n);
}

static int contact_settle(struct check *c, struct str key, struct import_row *row)
{
	if (!same_contact(c, key)) {
		buf_reset(&c->contact);
		buf_add_str(&c->contact, row->name);
		buf_addc(&c->contact, '\0');
		buf_add_str(&c->contact, row->form);
		buf_addc(&c->contact, '\0');
		buf_add_str(&c->contact, row->class);
		buf_addc(&c->contact, '\0');
		return c->contact.failed ? -E2BIG : 0;
	}
	struct str name = contact_part(c, 0);
	if (row->name.n && !str_eq(row->name, name) && !c->overruled) {
		char text[200];
		c->overruled = true;
		(void)snprintf(text, sizeof(text),
			"an address has one name; that of line %d is taken (said once)",
			c->last_line);
		if (!told(c, false, row->line, "name", text))
			return -ECANCELED;
	}
	row->name = name;
	row->form = contact_part(c, 1);
	row->class = contact_part(c, 2);
	return 0;
}

/* --- comparing with the store --------------------------------------------------------------------------------------------------- */

static const char sql_tags[] =
	"SELECT g.name FROM target_tag x JOIN tag g ON g.id=x.tag_id WHERE x.target_id=? ORDER BY g.name";
static const char sql_lists[] =
	"SELECT g.name FROM list g JOIN list_target x ON x.list_id=g.id AND x.target_id=? ORDER BY g.name";

/* 1 equal, 0 not, negative a failure. */
static int names_equal(struct check *c, const char *sql, int64_t target, struct str want)
{
	sqlite3_stmt *q;
	buf_reset(&c->tags);
	int rc = db_query(reader_db(c->r), &q, sql, "i", target);
	while (rc == 0 && (rc = db_row(reader_db(c->r), q)) == 1) {
		if (c->tags.n)
			buf_addc(&c->tags, IMPORT_SEP);
		buf_add_str(&c->tags, col_str(q, 0));
		rc = 0;
	}
	return rc < 0 ? rc : str_eq(buf_str(&c->tags), want) || (!want.n && !c->tags.n);
}

static bool text_is(sqlite3_stmt *q, int i, struct str want)
{
	struct str have = col_str(q, i);
	return have.n == want.n && (have.n == 0 || !memcmp(have.p, want.p, have.n));
}

/* What is to be done with a row: STEP_PUT, STEP_TOUCH, or 0 nothing. */
static int compare(struct check *c, const struct import_row *row, bool *ret_new)
{
	struct db *db = reader_db(c->r);
	sqlite3_stmt *q;
	int64_t lane = row->lane < 0 ? 0 : c->st->lanes.v[row->lane].id;
	*ret_new = true;
	int rc = db_query(db, &q,
		"SELECT t.id, ifnull(t.lane_id,0), t.lang, t.flags, t.vars, c.name, c.form, c.class, "
		"t.seen_import IN (SELECT id FROM import WHERE what=?4) "
		"FROM contact c JOIN target t ON t.contact_id=c.id AND t.office_id=?3 WHERE c.kind=?1 AND c.address=?2",
		"isit", (int64_t)row->kind, row->address, row->office_id, c->ask->source);
	if (rc == 0)
		rc = db_row(db, q);
	if (rc <= 0)
		return rc < 0 ? rc : STEP_PUT;
	int64_t target = col_i64(q, 0);
	unsigned flags = (unsigned)col_i64(q, 3);
	bool ours = col_i64(q, 8) != 0;
	bool same = col_i64(q, 1) ==
			(row->lane < 0         ? 0
					: lane ? lane
					       : -1) &&
		text_is(q, 2, row->lang) &&
		(flags & (TARGET_GONE | TARGET_INTERNAL)) == row->flags &&
		text_is(q, 4, row->vars) && text_is(q, 5, row->name) && text_is(q, 6, row->form) &&
		text_is(q, 7, row->class);
	db_reset(q);
	*ret_new = (flags & TARGET_GONE) != 0;
	if (!same)
		return STEP_PUT;
	rc = names_equal(c, sql_tags, target, row->tags);
	if (rc == 1)
		rc = names_equal(c, sql_lists, target, row->lists);
	return rc < 0 ? rc : rc == 0 ? STEP_PUT : ours ? 0 : STEP_TOUCH;
}

static int compare_target(struct check *c, struct import_row *row)
{
	bool fresh = true;
	int what = STEP_PUT;
	if (!c->fresh) {
		int rc = page_turn(c);
		what = rc < 0 ? rc : compare(c, row, &fresh);
	}
	if (what <= 0)
		return what;
	if (what == STEP_PUT) {
		c->n.added += fresh;
		c->n.changed += !fresh;
	}
	return step_put(c, row, (enum step_do)what);
}

static int compare_suppression(struct check *c, struct import_row *row)
{
	int64_t reason = 0;
	int rc = page_turn(c);
	if (rc == 0)
		rc = db_get_i64(reader_db(c->r), &reason,
			"SELECT reason FROM suppression WHERE who=? AND list=?", "bt", row->address,
			row->reason == SUP_DO_NOT_CALL ? SUPPRESS_ADS : "");
	if (rc < 0 || (rc == 1 && reason == row->reason))
		return rc < 0 ? rc : 0;
	c->n.added += rc == 0;
	c->n.changed += rc == 1;
	return step_put(c, row, STEP_SUPPRESS);
}

static int duplicate(struct check *c, int line)
{
	char text[200];
	(void)snprintf(text, sizeof(text),
		"the same address %sstands in line %d already; leave one of them",
		c->st->what == IMPORT_TARGETS ? "for the same office " : "", c->last_line);
	return told(c, true, line, "address", text) ? 0 : -ECANCELED;
}

static int take(struct check *c, sqlite3_stmt *q)
{
	struct str key = col_blob(q, 0), rec = col_blob(q, 1);
	struct import_row row;
	enum step_do what;
	bool whole = import_unpack(&rec, &row, &what);
	if (!whole)
		return -EBADMSG;
	c->n.rows++;
	if (str_eq(buf_str(&c->last_key), key))
		return duplicate(c, row.line);
	int rc = 0;
	if (c->st->what == IMPORT_TARGETS)
		rc = contact_settle(c, key, &row);
	buf_reset(&c->last_key);
	buf_add_str(&c->last_key, key);
	c->last_line = row.line;
	if (rc < 0 || c->errors)
		return rc;
	return c->st->what == IMPORT_TARGETS ? compare_target(c, &row)
					     : compare_suppression(c, &row);
}

static int sorted_pass(struct check *c)
{
	sqlite3_stmt *q;
	int rc = db_query(c->st->db, &q, "SELECT k, rec FROM raw ORDER BY k, line", "");
	while (rc == 0 && (rc = db_row(c->st->db, q)) == 1) {
		rc = take(c, q);
		if (rc < 0)
			db_reset(q);
	}
	return rc == -ECANCELED ? 0 : rc;
}

/* --- what the file no longer has -------------------------------------------------------------------------------------------------- */

static int gone_one(struct check *c, struct db *db, sqlite3_stmt *q, struct buf *key)
{
	int64_t found = 0;
	uint64_t office = __builtin_bswap64((uint64_t)col_i64(q, 3));
	UNUSED(db);
	buf_reset(key);
	buf_addc(key, (char)col_i64(q, 1));
	buf_add_str(key, col_str(q, 2));
	buf_addc(key, '\0');
	buf_add(key, &office, sizeof(office));
	int rc = db_get_i64(c->st->db, &found, "SELECT 1 FROM raw WHERE k=?", "b", buf_str(key));
	if (rc != 0)
		return rc < 0 ? rc : 0;
	struct import_row row = { .office_id = col_i64(
					  q, 0) }; /* the target's id travels in its place */
	c->n.gone++;
	return step_put(c, &row, STEP_GONE);
}

static int gone_page(struct check *c, int64_t *after, bool *more)
{
	struct db *db = reader_db(c->r);
	struct buf key CLEANUP_BUF;
	sqlite3_stmt *q;
	int n = 0;
	buf_init(&key, 1024);
	int rc = db_query(db, &q,
		"SELECT t.id, c.kind, c.address, t.office_id FROM target t JOIN contact c ON c.id=t.contact_id "
		"WHERE t.id>?1 AND (t.flags&1)=0 AND t.seen_import IN (SELECT id FROM import WHERE what=?2) AND "
		"(?3 IS NULL OR t.office_id IN (WITH RECURSIVE s(id) AS (SELECT id FROM office WHERE code=?3 UNION "
		"SELECT o.id FROM office o JOIN s ON o.parent_id=s.id) SELECT id FROM s)) ORDER BY t.id LIMIT 2000",
		"itt", *after, c->ask->source, c->ask->bound);
	while (rc == 0 && (rc = db_row(db, q)) == 1) {
		*after = col_i64(q, 0);
		n++;
		rc = gone_one(c, db, q, &key);
		if (rc < 0)
			db_reset(q);
	}
	*more = n == PAGE_ROWS;
	return rc;
}

static int gone_pass(struct check *c)
{
	int64_t after = 0, any = 0;
	bool more = true;
	c->page = PAGE_ROWS;
	int rc = page_turn(c);
	if (rc == 0)
		rc = db_get_i64(reader_db(c->r), &any, "SELECT 1 FROM import WHERE what=? LIMIT 1",
			"t", c->ask->source);
	if (rc <= 0 || c->fresh)
		return rc < 0 ? rc : 0;
	rc = db_exec(c->st->db, "CREATE INDEX raw_k ON raw(k)", "");
	while (rc == 0 && more) {
		c->page = PAGE_ROWS;
		rc = page_turn(c);
		if (rc == 0)
			rc = gone_page(c, &after, &more);
	}
	return rc;
}

/* --- the whole ----------------------------------------------------------------------------------------------------------------------- */

static int lane_ids(struct check *c)
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

static int generation(struct check *c)
{
	int64_t any = 0;
	int rc = page_turn(c);
	if (rc == 0)
		rc = db_get_i64(reader_db(c->r), &c->st->generation,
			"SELECT ifnull(max(id),0) FROM import", "");
	if (rc >= 0)
		rc = db_get_i64(reader_db(c->r), &any, "SELECT 1 FROM target LIMIT 1", "");
	c->fresh = rc == 0;
	return rc < 0 ? rc : lane_ids(c);
}

static int names_save(struct stage *st)
{
	const struct stage_names *const all[] = { &st->lanes, &st->tags, &st->lists };
	int rc = db_exec(st->db, "INSERT INTO meta(id, what, steps) VALUES(1,?,?)", "ii",
		(int64_t)st->what, st->steps);
	for (size_t w = 0; w < ARRAY_LEN(all); w++)
		for (size_t i = 0; i < all[w]->n && rc == 0; i++)
			rc = db_exec(st->db, "INSERT INTO name(what, pos, text) VALUES(?,?,?)",
				"iit", (int64_t)w, (int64_t)i, all[w]->v[i].text);
	if (rc == 0)
		rc = db_exec(st->db, "COMMIT", "");
	if (rc < 0)
		return rc;
	int fd = open(st->path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = fsync(fd) < 0 ? -errno : 0;
	(void)close(fd);
	return rc == 0 ? dir_sync(st->s->staging_dir) : rc;
}

int stage_check(
	struct stage *st, const struct stage_ask *ask, struct import_counts *ret, struct err *e)
{
	struct check c = { .st = st, .ask = ask };
	buf_init(&c.last_key, 4096);
	buf_init(&c.contact, 4096);
	buf_init(&c.tags, 1u << 20);
	buf_init(&c.step, 1u << 20);
	int rc = store_reader_get(st->s, &c.r);
	if (rc == 0) {
		rc = generation(&c);
		if (rc == 0)
			rc = sorted_pass(&c);
		if (rc == 0 && !c.errors && st->what == IMPORT_TARGETS)
			rc = gone_pass(&c);
		if (c.began)
			reader_end(c.r);
		store_reader_put(st->s, c.r);
	}
	if (rc == 0 && !c.errors)
		rc = names_save(st);
	buf_done(&c.last_key);
	buf_done(&c.contact);
	buf_done(&c.tags);
	buf_done(&c.step);
	if (rc < 0)
		return err_set(e, rc, "the import could not be checked: %s", strerror(-rc));
	if (c.errors)
		return err_set(e, -EBADMSG, "the file has %lld duplicates", (long long)c.errors);
	*ret = c.n;
	return 0;
}
