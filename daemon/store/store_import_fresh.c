/* store_import_fresh.c - contacts that the store does not have yet, with their first target, tags and lists: many rows a statement.
 * Thread: store. Owns: nothing. Why: run one by one, a third of an import goes into beginning and ending statements.
 * Ids are given out here, behind the largest one: the transaction is the only writer, so nobody else can take them.
 * Failures: as db_exec; a contact that is there after all undoes its statement, the caller takes those rows one by one.
 */
#include "base/assert.h"
#include "store/store_import_internal.h"

#define X2(row) row "," row
#define X4(row) X2(row) "," X2(row)
#define X32(row) \
	X4(row) "," X4(row) "," X4(row) "," X4(row) "," X4(row) "," X4(row) "," X4(row) "," X4(row)
#define CONTACTS "INSERT INTO contact(id, kind, address, name, form, class) VALUES"
#define TARGETS \
	"INSERT INTO target(id, contact_id, lane_id, office_id, lang, flags, seen_import, vars) VALUES"
#define TAGS  "INSERT INTO target_tag(tag_id, target_id) VALUES"
#define LISTS "INSERT INTO list_target(list_id, target_id) VALUES"
_Static_assert(FRESH_ROWS == 32, "as many rows as the statements have");

static const char sql_contacts[] = CONTACTS X32("(?,?,?,?,?,?)");
static const char sql_targets[] = TARGETS X32("(?,?,?,?,?,?,?,?)");
static const char sql_tags[] = TAGS X32("(?,?)"), sql_tag[] = TAGS "(?,?)";
static const char sql_lists[] = LISTS X32("(?,?)"), sql_list[] = LISTS "(?,?)";

static struct str or_null(struct str s)
{
	return s.n ? s : (struct str){ NULL, 0 };
}

static struct str or_empty(struct str s)
{
	return s.p ? s : (struct str){ "", 0 };
}

static int contacts_put(struct fresh *f, const struct import_row *r, int64_t id)
{
	struct db_many m;
	int rc = db_many_begin(f->db, sql_contacts, &m);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < FRESH_ROWS; i++) {
		db_many_i64(&m, id + (int64_t)i);
		db_many_i64(&m, r[i].kind);
		db_many_str(&m, r[i].address);
		db_many_str(&m, or_null(r[i].name));
		db_many_str(&m, or_empty(r[i].form));
		db_many_str(&m, or_empty(r[i].class));
	}
	return db_many_run(&m);
}

static int targets_put(struct fresh *f, const struct import_row *r, int64_t contact, int64_t id)
{
	struct db_many m;
	int rc = db_many_begin(f->db, sql_targets, &m);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < FRESH_ROWS; i++) {
		db_many_i64(&m, id + (int64_t)i);
		db_many_i64(&m, contact + (int64_t)i);
		if (r[i].lane < 0)
			db_many_null(&m);
		else
			db_many_i64(&m, f->st->lanes.v[r[i].lane].id);
		db_many_i64(&m, r[i].office_id);
		db_many_str(&m, or_empty(r[i].lang));
		db_many_i64(&m, (int64_t)(r[i].flags | TARGET_PENDING));
		db_many_i64(&m, f->import_id);
		db_many_str(&m, or_null(r[i].vars));
	}
	return db_many_run(&m);
}

/* --- tags and lists: pairs wait until a statement is full ------------------------------------------------------------------------ */

static int pairs_flush(struct db *db, struct fresh_pairs *p, const char *many, const char *one)
{
	int rc = 0;
	if (p->n == FRESH_ROWS) {
		struct db_many m;
		rc = db_many_begin(db, many, &m);
		for (size_t i = 0; i < p->n && rc == 0; i++) {
			db_many_i64(&m, p->v[i][0]);
			db_many_i64(&m, p->v[i][1]);
		}
		if (rc == 0)
			rc = db_many_run(&m);
	} else {
		for (size_t i = 0; i < p->n && rc == 0; i++)
			rc = db_exec(db, one, "ii", p->v[i][0], p->v[i][1]);
	}
	p->n = 0;
	return rc;
}

static int pairs_add(struct fresh *f, bool tags, struct str joined, int64_t target)
{
	struct fresh_pairs *p = tags ? &f->tags : &f->lists;
	const struct stage_names *names = tags ? &f->st->tags : &f->st->lists;
	struct str one;
	int rc = 0;
	while (rc == 0 && str_next(&joined, IMPORT_SEP, &one)) {
		p->v[p->n][0] = names_id(names, one);
		p->v[p->n++][1] = target;
		if (p->n == FRESH_ROWS)
			rc = tags ? pairs_flush(f->db, p, sql_tags, sql_tag)
				  : pairs_flush(f->db, p, sql_lists, sql_list);
	}
	return rc;
}

int fresh_put(struct fresh *f, const struct import_row *r)
{
	int64_t contact = 0, target = 0;
	int rc = db_get_i64(f->db, &contact, "SELECT ifnull(max(id),0)+1 FROM contact", "");
	if (rc == 1)
		rc = db_get_i64(f->db, &target, "SELECT ifnull(max(id),0)+1 FROM target", "");
	if (rc != 1)
		return rc < 0 ? rc : -EIO;
	rc = contacts_put(f, r, contact);
	if (rc == 0)
		rc = targets_put(f, r, contact, target);
	for (size_t i = 0; i < FRESH_ROWS && rc == 0; i++) {
		rc = pairs_add(f, true, r[i].tags, target + (int64_t)i);
		if (rc == 0)
			rc = pairs_add(f, false, r[i].lists, target + (int64_t)i);
	}
	return rc;
}

int fresh_end(struct fresh *f)
{
	int rc = pairs_flush(f->db, &f->tags, sql_tags, sql_tag);
	return rc < 0 ? rc : pairs_flush(f->db, &f->lists, sql_lists, sql_list);
}
