/* store_fsck_approved.c - what was approved is what is stored, finished or not: the manifest of every approval against the rows of
 * its revision, its parts and its counted lists; local texts; office values.
 * Thread: a worker with a reader. Owns: nothing; never writes.
 * Bounds: one manifest (48 MB at most) and the document made again from its rows in memory, one snapshot each. Linear in bytes
 * of approved text and in approved contacts (10,000 a part and channel kind at most).
 * Failures: what does not fit is told and the walk goes on; a page that cannot be read ends it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "model/manifest.h"
#include "store/store_fsck_internal.h"
#include "store/store_release.h"

#define KEY_BYTES_MAX 4096 /* of a damaged key of table manifest */

struct approved {
	struct fsck *f;
	struct hash hash;
	int64_t release_id, rev;
	const struct manifest *m;
	struct str bytes;
	char subject[160];
};

/* --- the row of the release ---------------------------------------------------------------------------------------------- */

static void row_differs(struct approved *a, const char *what)
{
	fsck_tell(a->f, "text", a->subject,
		"the %s in its row is not the one that was approved with revision %" PRId64, what,
		a->rev);
}

static int release_check(struct approved *a)
{
	struct release_row r;
	int rc = release_get(a->f->db, a->release_id, &r);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc; /* told as a reference */
	(void)release_subject(&r, a->subject, sizeof(a->subject));
	if (!str_eqz(a->m->code, r.code) || a->m->year != r.year)
		row_differs(a, "code");
	if (a->m->rev != a->rev)
		fsck_tell(a->f, "text", a->subject,
			"its manifest is of revision %" PRId64 " and stands as revision %" PRId64,
			a->m->rev, a->rev);
	if (r.rev_newest != a->rev)
		return 0; /* the row tells of a newer revision */
	char title[sizeof(r.title)];
	(void)str_copy(title, sizeof(title), manifest_text(a->m, "title", a->m->lang));
	if (strcmp(title, r.title) != 0)
		row_differs(a, "title");
	if (a->m->kind != r.kind)
		row_differs(a, "kind");
	if (a->m->category != r.category)
		row_differs(a, "category");
	return 0;
}

/* --- parts --------------------------------------------------------------------------------------------------------------- */

static int64_t slot_of(const struct mf_part *p)
{
	if (p->again == MF_AGAIN_BROADCAST)
		return ONCE_SLOT_BROADCAST;
	return p->again ? p->number : 0;
}

static void part_check(struct approved *a, sqlite3_stmt *st)
{
	static const char *const names[] = { "spread", "after", "go", "late", "again", "max_cost" };
	const struct mf_part *p = manifest_part(a->m, col_i64(st, 0));
	struct str name = col_str(st, 1);

	if (!p) {
		fsck_tell(a->f, "text", a->subject,
			"part '%s' stands in revision %" PRId64 " and was never approved",
			col_z(st, 1), a->rev);
		return;
	}
	char was[64];
	(void)str_copy(was, sizeof(was), p->name);
	if (!str_eq(p->name, name))
		fsck_tell(a->f, "text", a->subject,
			"part '%s' of revision %" PRId64 " is named '%s' in its row", was, a->rev,
			col_z(st, 1));
	const int64_t approved[] = { p->spread_ms, p->after, p->signal, p->late, slot_of(p),
		p->cost_max < 0 ? -1 : p->cost_max };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (approved[i] != col_i64(st, 2 + (int)i))
			fsck_tell(a->f, "text", a->subject,
				"part '%s' of revision %" PRId64 ": '%s' is %" PRId64
				", approved was %" PRId64,
				was, a->rev, names[i], col_i64(st, 2 + (int)i), approved[i]);
}

static int parts_check(struct approved *a)
{
	sqlite3_stmt *st = NULL;
	size_t n = 0;
	int rc = db_query(a->f->db, &st,
		"SELECT part, name, spread_ms, ifnull(after, 0), signal, late, slot, ifnull(cost_max, -1) "
		"FROM part WHERE release_id = ? AND rev = ?",
		"ii", a->release_id, a->rev);

	while (rc >= 0 && (rc = db_row(a->f->db, st)) == 1) {
		part_check(a, st);
		n++;
	}
	if (rc == 0 && n != a->m->n_parts)
		fsck_tell(a->f, "text", a->subject,
			"revision %" PRId64 " has %zu parts, approved were %zu", a->rev, n,
			a->m->n_parts);
	return rc < 0 ? rc : 0;
}

/* --- the counted lists ------------------------------------------------------------------------------------------------------ */

/* The digest as plan_resolve makes it: the contacts' numbers, rising. */
static int list_check(struct approved *a, const struct mf_part *p, const struct mf_count *c)
{
	sqlite3_stmt *st = NULL;
	struct hasher h;
	struct hash have;
	char name[64];
	int64_t n = 0;
	int rc = db_query(a->f->db, &st,
		"SELECT contact_id FROM approved_contact WHERE manifest = ? AND part = ? AND kind = ? "
		"ORDER BY contact_id",
		"hii", &a->hash, p->number, c->kind);

	hasher_init(&h);
	while (rc >= 0 && (rc = db_row(a->f->db, st)) == 1) {
		int64_t id = col_i64(st, 0);
		hasher_field(&h, &id, sizeof(id));
		n++;
	}
	hasher_end(&h, &have);
	if (rc < 0 || (n == c->n && hash_cmp(&have, &c->list) == 0))
		return rc < 0 ? rc : 0;
	(void)str_copy(name, sizeof(name), p->name);
	fsck_tell(a->f, "text", a->subject,
		"the list of %s contacts of part '%s' is not the one that was approved with revision %" PRId64
		": %" PRId64 " rows, approved were %" PRId64,
		chan_kind_name((int)c->kind), name, a->rev, n, c->n);
	return 0;
}

static int lists_check(struct approved *a)
{
	int rc = 0;

	for (size_t i = 0; i < a->m->n_parts; i++)
		for (size_t k = 0; rc == 0 && k < a->m->parts[i].n_counts; k++)
			if (a->m->parts[i].counts[k].listed)
				rc = list_check(a, &a->m->parts[i], &a->m->parts[i].counts[k]);
	return rc;
}

/* --- one manifest -------------------------------------------------------------------------------------------------------- */

static int approved_check(struct approved *a)
{
	struct err e = { 0 };
	int rc = release_check(a);

	if (rc == 0)
		rc = a->f->o->text_verify(
			a->f->o->ctx, a->f->r, a->release_id, a->rev, a->m, a->bytes, &e);
	if (rc == -EBADMSG) {
		fsck_tell(a->f, "text", a->subject, "%s", e.text);
		rc = 0;
	}
	if (rc == 0)
		rc = parts_check(a);
	if (rc == 0)
		rc = lists_check(a);
	a->f->res->texts++;
	return rc;
}

/* The canonical bytes, kept for ever, are what their hash says; then what was approved is what they say. */
static int manifest_row(struct fsck *f, sqlite3_stmt *st, struct buf *body)
{
	struct approved a = { .f = f, .release_id = col_i64(st, 2), .rev = col_i64(st, 3) };
	bool given = col_i64(st, 4) != 0 && f->o->text_verify;
	CLEANUP(manifest_free) struct manifest *m = NULL;
	struct hash have;
	struct err e = { 0 };

	buf_reset(body);
	int rc = buf_add_str(body, col_blob(st, 1));
	hash_bytes(&have, body->n ? buf_str(body).p : "", body->n);
	bool equal = col_hash(st, 0, &a.hash) && hash_cmp(&a.hash, &have) == 0;
	(void)snprintf(a.subject, sizeof(a.subject), "release:%" PRId64, a.release_id);
	db_reset(st);
	if (rc < 0)
		return rc;
	if (!equal)
		fsck_tell(f, "manifest", a.subject,
			"the manifest of revision %" PRId64 " is not what its hash says", a.rev);
	if (!equal || !given)
		return 0;
	if (manifest_decode(buf_str(body), &m, &e) < 0) {
		fsck_tell(f, "manifest", a.subject, "revision %" PRId64 ": %s", a.rev, e.text);
		return 0;
	}
	a.m = m;
	a.bytes = buf_str(body);
	return approved_check(&a);
}

/* 1 looked at one (last: its key), 0 none behind it. */
static int next_manifest(struct fsck *f, struct buf *last, struct buf *body)
{
	sqlite3_stmt *st = NULL;
	int rc = db_query(f->db, &st,
		"SELECT m.hash, m.body, m.release_id, m.rev, EXISTS (SELECT 1 FROM approval a WHERE "
		"a.manifest = m.hash) FROM manifest m WHERE m.hash > ? ORDER BY m.hash LIMIT 1",
		"b", buf_str(last));

	if (rc == 0)
		rc = db_row(f->db, st);
	if (rc <= 0)
		return rc;
	buf_reset(last);
	rc = buf_add_str(last, col_blob(st, 0));
	if (rc == 0)
		rc = manifest_row(f, st, body);
	return rc < 0 ? rc : 1;
}

static int manifests_check(struct fsck *f)
{
	struct buf last CLEANUP_BUF;
	struct buf body CLEANUP_BUF;
	uint64_t n = 0;
	int rc = 1;

	buf_init(&last, KEY_BYTES_MAX);
	buf_init(&body, MANIFEST_BYTES_MAX);
	while (rc == 1) {
		rc = reader_begin(f->r);
		if (rc == 0)
			rc = next_manifest(f, &last, &body);
		reader_end(f->r);
		if (rc == 1)
			fsck_progress(f, "manifest", ++n);
	}
	return rc;
}

/* --- local texts ---------------------------------------------------------------------------------------------------------- */

struct local_walk {
	struct fsck *f;
	char subject[160];
};

static void on_local(void *ctx, const struct local_row *r, const char *office, bool text, bool mac)
{
	struct local_walk *w = ctx;

	w->f->res->texts += r->approved;
	if (!text)
		fsck_tell(w->f, "text", w->subject,
			"the local text of office '%s', its revision %" PRId64
			", is not what its hash says",
			office, r->rev);
	else if (!mac)
		fsck_tell(w->f, "text", w->subject,
			"the approval of the local text of office '%s', its revision %" PRId64
			", does not bear our mark",
			office, r->rev);
}

/* A page: the local texts of one release. */
static int local_page(struct fsck *f, int64_t *cursor)
{
	struct local_walk w = { .f = f };
	struct release_row r;
	int64_t id = 0;
	int rc = db_get_i64(f->db, &id,
		"SELECT release_id FROM local_text WHERE release_id > ? ORDER BY release_id LIMIT 1",
		"i", *cursor);

	if (rc <= 0)
		return rc;
	*cursor = id;
	(void)snprintf(w.subject, sizeof(w.subject), "release:%" PRId64, id);
	if (release_get(f->db, id, &r) == 0)
		(void)release_subject(&r, w.subject, sizeof(w.subject));
	rc = local_rows_verify(store_keys(f->s), f->db, id, on_local, &w);
	return rc < 0 ? rc : 1;
}

/* --- office values -------------------------------------------------------------------------------------------------------- */

/* Thousands of offices at most, and a row for each set of values they ever had: one snapshot. */
static int vars_check(struct fsck *f)
{
	sqlite3_stmt *st = NULL;
	struct hash named, have;
	char hex[HASH_HEX], subject[16 + HASH_HEX];
	int rc = db_query(f->db, &st, "SELECT hash, json FROM vars", "");

	while (rc >= 0 && (rc = db_row(f->db, st)) == 1) {
		struct str json = col_str(st, 1);
		if (!col_hash(st, 0, &named))
			continue; /* named by no import of ours */
		hash_bytes(&have, json.p ? json.p : "", json.n);
		if (hash_cmp(&named, &have) == 0)
			continue;
		hash_hex(&named, hex);
		(void)snprintf(subject, sizeof(subject), "values:%s", hex);
		fsck_tell(f, "text", subject,
			"these values of an office are not what their hash says");
	}
	return rc < 0 ? rc : 0;
}

int fsck_approved(struct fsck *f)
{
	int rc = manifests_check(f);

	if (rc == 0)
		rc = fsck_pages(f, "local", local_page);
	if (rc == 0)
		rc = reader_begin(f->r);
	if (rc == 0)
		rc = vars_check(f);
	reader_end(f->r);
	return rc;
}
