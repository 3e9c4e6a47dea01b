/* store_import_stage.c - the staging file of an import: rows as they come, later the steps that are to be done.
 * Thread: workers, one at a time a stage. Owns: "import-N.db" in the staging folder, without a journal: it is whole or thrown
 * away, and is synced once, before the store hears of it.
 * Failures: a full disk ends the import before anything was stored.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/fault.h"
#include "base/file.h"
#include "store/store_import_internal.h"

static const char sql_stage[] =
	"CREATE TABLE raw(k BLOB NOT NULL, line INTEGER NOT NULL, rec BLOB NOT NULL);"
	"CREATE TABLE todo(n INTEGER PRIMARY KEY, rec BLOB NOT NULL);"
	"CREATE TABLE name(what INTEGER NOT NULL, pos INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY(what, pos)) WITHOUT ROWID;"
	"CREATE TABLE meta(id INTEGER PRIMARY KEY, what INTEGER NOT NULL, steps INTEGER NOT NULL);";

static int stage_db(struct stage *st, int flags, struct err *e)
{
	int rc = db_open(st->path, st->s->vfs, flags, &st->db, e);
	if (rc == 0)
		rc = db_script(st->db,
			"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;"
			"PRAGMA cache_size = -4000; PRAGMA temp_store = FILE; PRAGMA trusted_schema = OFF",
			e);
	return rc;
}

static struct stage *stage_of(struct store *s, enum import_kind what, const char *name)
{
	struct stage *st = x_calloc(1, sizeof(*st));
	st->s = s;
	st->what = what;
	(void)str_copy(st->name, sizeof(st->name), str_of(name));
	st->path = x_asprintf("%s/%s", s->staging_dir, st->name);
	return st;
}

int stage_new(struct store *s, enum import_kind what, struct stage **ret, struct err *e)
{
	char name[64];
	for (unsigned i = 1; i < 10000; i++) {
		(void)snprintf(name, sizeof(name), "import-%lld-%u.db", (long long)s->epoch, i);
		struct stage *st = stage_of(s, what, name);
		int fd = open(st->path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
		if (fd < 0) {
			int rc = -errno;
			stage_close(st);
			if (rc == -EEXIST)
				continue;
			return err_set(
				e, rc, "the staging folder cannot be written: %s", strerror(-rc));
		}
		(void)close(fd);
		int rc = stage_db(st, SQLITE_OPEN_READWRITE, e);
		if (rc == 0)
			rc = db_script(st->db, sql_stage, e);
		if (rc == 0)
			rc = db_script(st->db, "BEGIN", e);
		if (rc < 0) {
			stage_remove(st);
			return rc;
		}
		*ret = st;
		return 0;
	}
	return err_set(e, -EBUSY, "the staging folder is full of unfinished imports");
}

static int names_load(struct stage *st, struct err *e)
{
	struct stage_names *const all[] = { &st->lanes, &st->tags, &st->lists };
	sqlite3_stmt *q;
	int rc = db_query(st->db, &q, "SELECT what, text FROM name ORDER BY what, pos", "");
	while (rc == 0 && (rc = db_row(st->db, q)) == 1) {
		size_t what = (size_t)col_i64(q, 0);
		rc = what < ARRAY_LEN(all) && names_add(all[what], col_str(q, 1)) >= 0 ? 0
										       : -EBADMSG;
		if (rc < 0)
			db_reset(q);
	}
	return rc < 0 ? err_set(e, rc, "the staging file of an import cannot be read") : 0;
}

int stage_reopen(struct store *s, const char *name, struct stage **ret, struct err *e)
{
	struct stage *st = stage_of(s, IMPORT_TARGETS, name);
	sqlite3_stmt *q;
	int rc = access(st->path, R_OK | W_OK) == 0 ? 0 : -ENOENT;
	if (rc < 0)
		(void)err_set(e, rc, "the staging file of an import is gone");
	if (rc == 0)
		rc = stage_db(st, SQLITE_OPEN_READWRITE, e);
	if (rc == 0)
		rc = db_query(st->db, &q, "SELECT what, steps FROM meta WHERE id=1", "");
	if (rc == 0) {
		rc = db_row(st->db, q);
		if (rc == 1) {
			st->what = (enum import_kind)col_i64(q, 0);
			st->steps = col_i64(q, 1);
			db_reset(q);
		}
		rc = rc == 1 ? names_load(st, e)
			     : err_set(e, -EBADMSG, "the staging file of an import is not whole");
	}
	if (rc < 0) {
		stage_close(st);
		return rc;
	}
	*ret = st;
	return 0;
}

static void names_done(struct stage_names *n)
{
	for (size_t i = 0; i < n->n; i++)
		free(n->v[i].text);
	free(n->v);
	maps_free(n->by_text);
}

void stage_close(struct stage *st)
{
	if (!st)
		return;
	if (st->db) {
		if (!sqlite3_get_autocommit(db_handle(st->db)))
			ignored(db_exec(st->db, "COMMIT", ""));
		db_close(st->db);
	}
	names_done(&st->lanes);
	names_done(&st->tags);
	names_done(&st->lists);
	free(st->path);
	free(st);
}

void stage_remove(struct stage *st)
{
	if (!st)
		return;
	char *path = MOVE(st->path);
	stage_close(st);
	if (path)
		(void)unlink(path);
	free(path);
}

int stage_lane(struct stage *st, const char *channel, const char *adapter, const char *account,
	const char *class)
{
	char text[400];
	int n = snprintf(text, sizeof(text), "%s%c%s%c%s%c%s", channel, IMPORT_SEP, adapter,
		IMPORT_SEP, account, IMPORT_SEP, class);
	return n < 0 || (size_t)n >= sizeof(text) ? -E2BIG : names_add(&st->lanes, str_of(text));
}

static int names_of(struct stage_names *n, struct str joined)
{
	struct str one;
	while (str_next(&joined, IMPORT_SEP, &one)) {
		int rc = names_add(n, one);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* kind, address, 0, office big-endian: memcmp sorts targets of one contact together. */
static void key_of(struct buf *k, const struct import_row *r)
{
	uint64_t office = __builtin_bswap64((uint64_t)r->office_id);
	buf_reset(k);
	buf_addc(k, (char)r->kind);
	buf_add_str(k, r->address);
	buf_addc(k, '\0');
	buf_add(k, &office, sizeof(office));
}

int stage_add(struct stage *st, struct str block, struct err *e)
{
	struct import_row r;
	enum step_do what;
	struct buf k CLEANUP_BUF;
	int rc = FAULT("import.stage") ? -ENOSPC : 0;

	buf_init(&k, 1024);
	for (struct str rest = block; rc == 0 && rest.n > 0;) {
		const char *from = rest.p;
		bool whole = import_unpack(&rest, &r, &what);
		REQUIRE(whole);
		key_of(&k, &r);
		if (names_of(&st->tags, r.tags) < 0 || names_of(&st->lists, r.lists) < 0)
			return err_set(e, -E2BIG, "line %d: more than %d different tags or lists",
				r.line, IMPORT_NAMES_MAX);
		rc = db_exec(st->db, "INSERT INTO raw(k, line, rec) VALUES(?,?,?)", "bib",
			buf_str(&k), (int64_t)r.line,
			(struct str){ from, (size_t)(rest.p - from) });
		st->rows++;
	}
	return rc < 0 ? err_set(e, rc, "the staging file cannot be written: %s",
				rc == -ENOSPC ? "the disk is full" : strerror(-rc))
		      : 0;
}

int stage_read(struct stage *st, int64_t cursor, struct buf *block, int64_t *ret_rows)
{
	sqlite3_stmt *q;
	*ret_rows = 0;
	buf_reset(block);
	int rc = db_query(st->db, &q, "SELECT rec FROM todo WHERE n>? ORDER BY n", "i", cursor);
	while (rc == 0 && (rc = db_row(st->db, q)) == 1) {
		rc = buf_add_str(block, col_blob(q, 0));
		++*ret_rows;
		if (rc == 0 && block->n >= IMPORT_BLOCK_BYTES)
			break;
	}
	if (rc != 0 || block->n >= IMPORT_BLOCK_BYTES)
		db_reset(q);
	return rc < 0 ? rc : 0;
}

/* Left behind by a run that was cut: made before this run raised the epoch. */
static bool is_old(int fd, const char *name, const struct stat *began)
{
	struct stat st;
	return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		(st.st_mtim.tv_sec < began->st_mtim.tv_sec ||
			(st.st_mtim.tv_sec == began->st_mtim.tv_sec &&
				st.st_mtim.tv_nsec < began->st_mtim.tv_nsec));
}

void import_sweep(struct store *s, const char *keep)
{
	struct stat began;
	DIR *d = stat(s->epoch_path, &began) == 0 ? opendir(s->staging_dir) : NULL;
	if (!d)
		return;
	for (const struct dirent *it; (it = readdir(d)) != NULL;) {
		bool ours = !strncmp(it->d_name, "import-", 7) || !strncmp(it->d_name, "up-", 3) ||
			!strncmp(it->d_name, "asset-", 6);
		if (ours && (!keep || strcmp(it->d_name, keep) != 0) &&
			is_old(dirfd(d), it->d_name, &began))
			(void)unlinkat(dirfd(d), it->d_name, 0);
	}
	(void)closedir(d);
}
