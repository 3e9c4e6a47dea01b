/* store_fsck_content.c - what was approved, with which files: releases, authors, approvals, assets, references.
 * Thread: a worker with a reader. Owns: nothing; never writes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/assert.h"
#include "model/state.h"
#include "store/store_asset.h"
#include "store/store_fsck_internal.h"

/* --- releases ----------------------------------------------------------------------------------------------------------- */

static void release_row(struct fsck *f, sqlite3_stmt *st)
{
	int64_t state = col_i64(st, 1);
	char subject[120];

	(void)snprintf(
		subject, sizeof(subject), "release:%s@%" PRId64, col_z(st, 2), col_i64(st, 3));
	f->res->releases++;
	if (!rel_state_name((int)state)) {
		fsck_tell(
			f, "release", subject, "its state %" PRId64 " is none that exists", state);
		return;
	}
	if (state != REL_APPROVED && state != REL_SENDING && state != REL_DONE)
		return;
	if (sqlite3_column_type(st, 4) == SQLITE_NULL)
		fsck_tell(f, "release", subject, "it is %s without an approved revision",
			rel_state_name((int)state));
	else if (col_i64(st, 5) == 0)
		fsck_tell(f, "release", subject,
			"it is %s, and no approval that holds names its revision %" PRId64,
			rel_state_name((int)state), col_i64(st, 4));
}

static int release_page(struct fsck *f, int64_t *cursor)
{
	sqlite3_stmt *st = NULL;
	int rc = db_query(f->db, &st,
		"SELECT r.id, r.state, r.code, r.year, r.rev_approved, EXISTS (SELECT 1 FROM manifest m "
		"JOIN approval a ON a.manifest = m.hash WHERE m.release_id = r.id AND m.rev = "
		"r.rev_approved AND a.voided IS NULL) FROM release r WHERE r.id > ? ORDER BY r.id "
		"LIMIT ?",
		"ii", *cursor, INT64_C(100));

	return fsck_rows(f, rc, st, cursor, release_row);
}

/* Whoever handed over a revision, by the keyed record, is its author: else that person could approve it. */
static void author_row(struct fsck *f, sqlite3_stmt *st)
{
	if (col_i64(st, 2) == 0)
		fsck_tell(f, "author", col_z(st, 1),
			"who handed it over, by row %" PRId64
			" of the audit, is not among its authors",
			col_i64(st, 0));
}

static int author_page(struct fsck *f, int64_t *cursor)
{
	sqlite3_stmt *st = NULL;
	int rc = db_query(f->db, &st,
		"SELECT a.seq, a.subject, CASE WHEN a.what = 'release.submit' THEN EXISTS (SELECT 1 FROM release r "
		"JOIN release_author x ON x.release_id = r.id AND x.person = a.person WHERE r.code = "
		"substr(a.subject, 9, instr(a.subject, '@') - 9) AND r.year = "
		"CAST(substr(a.subject, instr(a.subject, '@') + 1) AS INTEGER)) ELSE 1 END FROM audit a "
		"WHERE a.seq > ? ORDER BY a.seq LIMIT ?",
		"ii", *cursor, FSCK_PAGE);

	return fsck_rows(f, rc, st, cursor, author_row);
}

int fsck_releases(struct fsck *f)
{
	int rc = fsck_pages(f, "release", release_page);

	if (rc == 0)
		rc = fsck_pages(f, "author", author_page);
	return rc;
}

/* --- approvals ---------------------------------------------------------------------------------------------------------- */

static int approval_page(struct fsck *f, int64_t *cursor)
{
	int64_t id = 0;
	char subject[48];
	int rc = db_get_i64(f->db, &id, "SELECT id FROM approval WHERE id > ? ORDER BY id LIMIT 1",
		"i", *cursor);

	if (rc <= 0)
		return rc;
	*cursor = id;
	(void)snprintf(subject, sizeof(subject), "approval:%" PRId64, id);
	rc = f->o->approval_verify(f->o->ctx, f->s, f->db, id);
	f->res->approvals++;
	if (rc == -EBADMSG)
		fsck_tell(f, "approval", subject,
			"its seal does not hold: the row, the manifest or the prepared texts were changed");
	else if (rc < 0)
		return rc;
	return 1;
}

int fsck_approvals(struct fsck *f)
{
	return f->o->approval_verify ? fsck_pages(f, "approval", approval_page) : 0;
}

/* --- assets ------------------------------------------------------------------------------------------------------------- */

static void file_check(struct fsck *f, const struct hash *hash, int64_t bytes)
{
	char subject[16 + HASH_HEX];
	struct hash have;
	int64_t size = 0;
	int fd = -1;

	(void)str_copy(subject, sizeof(subject), STR("asset:"));
	hash_hex(hash, subject + 6);
	f->res->assets++;
	int rc = store_asset_open(f->s, hash, &fd, &size);
	if (rc < 0) {
		fsck_tell(f, "asset", subject, "its file cannot be opened: %s", strerror(-rc));
		return;
	}
	if (size != bytes)
		fsck_tell(f, "asset", subject, "its file has %" PRId64 " bytes, not %" PRId64, size,
			bytes);
	else if (f->o->deep && asset_hash_file(fd, &have, &size) == 0 && hash_cmp(&have, hash) != 0)
		fsck_tell(f, "asset", subject, "its file was changed");
	close(fd);
}

struct asset_page {
	struct hash hash[64];
	int64_t bytes[64];
	size_t n;
};

static int asset_page_read(struct fsck *f, const struct hash *after, struct asset_page *p)
{
	sqlite3_stmt *st = NULL;
	int rc = db_query(f->db, &st,
		"SELECT hash, bytes FROM asset WHERE hash > ? ORDER BY hash LIMIT 64", "h", after);

	p->n = 0;
	while (rc >= 0 && (rc = db_row(f->db, st)) == 1) {
		if (!col_hash(st, 0, &p->hash[p->n]) || p->n == ARRAY_LEN(p->hash)) {
			db_reset(st);
			return -EBADMSG;
		}
		p->bytes[p->n++] = col_i64(st, 1);
	}
	return rc;
}

/* Rows are gathered in a snapshot, files are looked at after it. */
int fsck_assets(struct fsck *f)
{
	struct asset_page p = { .n = ARRAY_LEN(p.hash) };
	struct hash last = { { 0 } };

	while (p.n == ARRAY_LEN(p.hash)) {
		int rc = reader_begin(f->r);
		if (rc == 0)
			rc = asset_page_read(f, &last, &p);
		reader_end(f->r);
		if (rc < 0)
			return rc;
		for (size_t i = 0; i < p.n && !reader_is_cut(f->r); i++)
			file_check(f, &p.hash[i], p.bytes[i]);
		if (p.n > 0)
			last = p.hash[p.n - 1];
		fsck_progress(f, "asset", f->res->assets);
	}
	return 0;
}

/* --- references --------------------------------------------------------------------------------------------------------- */

static int table_references(struct fsck *f, const char *sql)
{
	sqlite3_stmt *st = NULL;
	char subject[64];
	int n = 0;
	int rc = db_prepare(f->db, sql, &st);

	while (rc >= 0 && n < 20 && (rc = db_row(f->db, st)) == 1) {
		(void)snprintf(
			subject, sizeof(subject), "%s:%" PRId64, col_z(st, 0), col_i64(st, 1));
		fsck_tell(f, "reference", subject, "it names a row of %s that does not exist",
			col_z(st, 2));
		n++;
	}
	sqlite3_finalize(st);
	return rc < 0 ? rc : 0;
}

static const char *const quick_tables[] = { "PRAGMA foreign_key_check(office)",
	"PRAGMA foreign_key_check(release)", "PRAGMA foreign_key_check(revision)",
	"PRAGMA foreign_key_check(part)", "PRAGMA foreign_key_check(release_asset)",
	"PRAGMA foreign_key_check(rendition)", "PRAGMA foreign_key_check(manifest)",
	"PRAGMA foreign_key_check(approval)", "PRAGMA foreign_key_check(lot)",
	"PRAGMA foreign_key_check(lane)", "PRAGMA foreign_key_check(account)",
	"PRAGMA foreign_key_check(credential)" };
/* No snapshot is kept short in these: only on demand. */
static const char *const deep_tables[] = { "PRAGMA foreign_key_check(target)",
	"SELECT 'attempt', a.delivery_id, 'delivery' FROM attempt a LEFT JOIN delivery d ON d.id = "
	"a.delivery_id WHERE d.id IS NULL LIMIT 20",
	"SELECT 'ref', r.delivery_id, 'delivery' FROM ref r LEFT JOIN delivery d ON d.id = "
	"r.delivery_id WHERE d.id IS NULL LIMIT 20" };

int fsck_references(struct fsck *f)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(quick_tables) + ARRAY_LEN(deep_tables); i++) {
		bool deep = i >= ARRAY_LEN(quick_tables);
		if (deep && !f->o->deep)
			break;
		rc = reader_begin(f->r);
		if (rc == 0)
			rc = table_references(f,
				deep ? deep_tables[i - ARRAY_LEN(quick_tables)] : quick_tables[i]);
		reader_end(f->r);
	}
	return rc;
}

/* The structure of the file itself. */
int fsck_file(struct fsck *f)
{
	sqlite3_stmt *st = NULL;
	int rc = reader_begin(f->r);

	if (rc == 0)
		rc = db_prepare(f->db, "PRAGMA integrity_check(20)", &st);
	while (rc >= 0 && (rc = db_row(f->db, st)) == 1)
		if (!str_eqz(col_str(st, 0), "ok"))
			fsck_tell(f, "file", "lantoa.db", "%s", col_z(st, 0));
	sqlite3_finalize(st);
	reader_end(f->r);
	return rc;
}
