/* store_migrate.c - opens the two database files, sets their pragmas and brings them to this program's schema.
 * Thread: whoever opens the store. Must not know: fencing (store_fence.c), commands.
 * Failures: a file of another program, a newer schema or a missing file is refused before a byte of it is changed; a
 * migration is one transaction, so a crash in it leaves the version before.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "store/store_engine.h"
#include "schema_1.sql.h"
#include "schema_2.sql.h"
#include "schema_3.sql.h"
#include "schema_4.sql.h"
#include "schema_5.sql.h"
#include "schema_6.sql.h"
#include "schema_7.sql.h"
#include "exchange_1.sql.h"

struct migration {
	int version;
	const char *sql;
};

/* Numbered without gaps; an applied one is never edited. */
static const struct migration main_steps[] = { { 1, schema_1_sql }, { 2, schema_2_sql },
	{ 3, schema_3_sql }, { 4, schema_4_sql }, { 5, schema_5_sql }, { 6, schema_6_sql },
	{ 7, schema_7_sql } };
static const struct migration exchange_steps[] = { { 1, exchange_1_sql } };

static int pragma_i64(struct db *db, const char *sql, int64_t *ret, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = db_prepare(db, sql, &st);

	if (rc == 0) {
		rc = db_code(sqlite3_step(st));
		*ret = sqlite3_column_int64(st, 0);
	}
	sqlite3_finalize(st);
	return rc < 0 ? err_set(e, rc, "%s", db_message(db)) : 0;
}

/* What the file is, before anything touches it. */
static int file_check(struct db *db, int newest, bool create, int64_t *ret_version, struct err *e)
{
	int64_t app = 0, version = 0, tables = 0;
	int rc = pragma_i64(db, "PRAGMA application_id", &app, e);

	if (rc == 0)
		rc = pragma_i64(db, "PRAGMA user_version", &version, e);
	if (rc == 0)
		rc = pragma_i64(db, "SELECT count(*) FROM sqlite_schema", &tables, e);
	if (rc < 0)
		return rc;
	if (app == 0 && version == 0 && tables == 0 && !create)
		return err_set(
			e, -ENOENT, "the database is empty; make a new one on purpose (--create)");
	if (app != APP_ID && (app != 0 || version != 0 || tables != 0))
		return err_set(e, -EMEDIUMTYPE,
			"not a Lantoa database: its application_id is 0x%08llx, ours is 0x%08x",
			(unsigned long long)app, APP_ID);
	if (version > newest)
		return err_set(e, -EPROTONOSUPPORT,
			"the database has schema %lld, this program knows schemas up to %d: "
			"install the newer program, or restore a backup made before the upgrade",
			(long long)version, newest);
	*ret_version = version;
	return 0;
}

static int step_run(struct db *db, const struct migration *m, struct err *e)
{
	char sql[160];
	int rc = db_script(db, "BEGIN EXCLUSIVE", e);

	if (rc < 0)
		return rc;
	rc = db_script(db, m->sql, e);
	if (rc == 0) {
		sqlite3_snprintf(sizeof(sql), sql,
			"PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", APP_ID,
			m->version);
		rc = db_script(db, sql, e);
	}
	if (rc < 0) {
		ignored(db_script(db, "ROLLBACK", NULL));
		return err_prefix(e, "schema %d", m->version);
	}
	return 0;
}

static int migrate(
	struct db *db, const struct migration *steps, size_t n, int64_t version, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (steps[i].version <= version)
			continue;
		int rc = step_run(db, &steps[i], e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int pragmas_set(struct db *db, bool exclusive, const char *more, struct err *e)
{
	int rc = 0;

	/* page_size counts only while the file is empty; secure_delete so that a forgotten address is gone from its page */
	rc = db_script(db,
		"PRAGMA page_size = 4096; PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON; "
		"PRAGMA trusted_schema = OFF; PRAGMA mmap_size = 0; PRAGMA secure_delete = ON; "
		"PRAGMA journal_size_limit = 67108864; PRAGMA busy_timeout = 2000",
		e);
	if (rc == 0 && exclusive)
		rc = db_script(db, "PRAGMA locking_mode = EXCLUSIVE", e);
	if (rc == 0)
		rc = db_script(db, "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0", e);
	if (rc == 0)
		rc = db_script(db, more, e);
	return rc;
}

int migrate_main(struct db *db, bool create, struct err *e)
{
	int64_t version = 0;
	int newest = main_steps[sizeof(main_steps) / sizeof(main_steps[0]) - 1].version;
	int rc = file_check(db, newest, create, &version, e);

	return rc < 0
		? rc
		: migrate(db, main_steps, sizeof(main_steps) / sizeof(main_steps[0]), version, e);
}

int migrate_exchange(struct db *db, struct err *e)
{
	int64_t version = 0;
	int newest = exchange_steps[sizeof(exchange_steps) / sizeof(exchange_steps[0]) - 1].version;
	int rc = file_check(db, newest, true, &version, e);

	return rc < 0 ? rc
		      : migrate(db, exchange_steps,
				sizeof(exchange_steps) / sizeof(exchange_steps[0]), version, e);
}

/* A backup is a file without a log, and says so in its head; ours always has one. SQLite would take a log that lies beside a backup, left
 * by a daemon that was killed, for the backup's own: its pages go over those of the backup, the fence among them. */
static int log_check(const char *path, struct err *e)
{
	static const char magic[16] = "SQLite format 3";
	char head[20], log[4096];
	struct stat st;
	int n = snprintf(log, sizeof(log), "%s-wal", path);

	if (n < 0 || (size_t)n >= sizeof(log) || stat(log, &st) < 0 || st.st_size == 0)
		return 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0; /* opening it says why */
	ssize_t got = read(fd, head, sizeof(head));
	close(fd);
	if (got != (ssize_t)sizeof(head) || memcmp(head, magic, sizeof(magic)) != 0 ||
		head[18] != 1)
		return 0;
	return err_set(e, -EKEYREVOKED,
		"%s was put in the place of another database, whose log lies beside it still: move %s-wal and %s-shm away, "
		"check what went out since then, and run lantoad --restore-confirm",
		path, path, path);
}

int writer_open(struct store *s, bool *ret_made, struct err *e)
{
	int64_t version = 0, rows = 0;
	int newest = main_steps[sizeof(main_steps) / sizeof(main_steps[0]) - 1].version;
	int flags = SQLITE_OPEN_READWRITE | (s->o.create ? SQLITE_OPEN_CREATE : 0);
	int rc = s->vfs ? 0
			: log_check(s->db_path, e); /* a VFS of a simulation has files of its own */

	if (rc == 0 && !s->vfs)
		rc = log_check(s->ex_path, e);
	if (rc < 0)
		return rc;
	rc = db_open(s->db_path, s->vfs, flags, &s->w, e);
	if (rc < 0 && !s->o.create)
		return err_set(e, -ENOENT,
			"%s: there is no database; make a new one on purpose (--create)",
			s->db_path);
	if (rc == 0 && s->o.exclusive)
		rc = db_script(s->w, "PRAGMA locking_mode = EXCLUSIVE", e);
	if (rc == 0)
		rc = file_check(s->w, newest, s->o.create, &version, e);
	if (rc == 0)
		rc = pragmas_set(s->w, s->o.exclusive,
			"PRAGMA synchronous = FULL; PRAGMA cache_size = -16000", e);
	if (rc == 0)
		rc = migrate_main(s->w, s->o.create, e);
	if (rc == 0)
		rc = pragma_i64(s->w, "SELECT count(*) FROM meta", &rows, e);
	if (rc < 0)
		return err_prefix(e, "%s", s->db_path);
	*ret_made = rows == 0;
	return 0;
}

int exchange_open(const struct store *s, int flags, struct db **ret, struct err *e)
{
	struct db *db = NULL;
	int rc = db_open(s->ex_path, s->vfs, flags, &db, e);

	if (rc < 0)
		return rc;
	if (!(flags & SQLITE_OPEN_READONLY)) {
		rc = pragmas_set(db, s->o.exclusive,
			"PRAGMA synchronous = NORMAL; PRAGMA cache_size = -2000; "
			"PRAGMA wal_autocheckpoint = 1000",
			e);
		if (rc == 0)
			rc = migrate_exchange(db, e);
	}
	if (rc < 0) {
		db_close(db);
		return err_prefix(e, "%s", s->ex_path);
	}
	*ret = db;
	return 0;
}
