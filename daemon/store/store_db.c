/* store_db.c - one SQLite connection: statements cached by their literal, typed binding, codes of our own.
 * Thread: whoever holds the connection; one at a time. Owns: its prepared statements.
 * Failures: every SQLite code becomes a negative errno; a full disk and a broken one are remembered in the connection, so
 * that the engine can tell them from a command's own refusal.
 */
#include <string.h>
#include "base/assert.h"
#include "base/fault.h"
#include "base/log.h"
#include "store/store_engine.h"

int db_code(int rc)
{
	switch (rc) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID: return -EEXIST;
	case SQLITE_CONSTRAINT_TRIGGER: return -EPERM;
	default: break;
	}
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE: return 0;
	case SQLITE_CONSTRAINT: return -EINVAL;
	case SQLITE_FULL: return -ENOSPC;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN: return -EIO;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB: return -EBADMSG;
	case SQLITE_NOMEM: return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return -EBUSY;
	case SQLITE_READONLY:
	case SQLITE_PERM: return -EROFS;
	case SQLITE_INTERRUPT: return -EINTR;
	case SQLITE_TOOBIG: return -E2BIG;
	default: return -EINVAL;
	}
}

/* Every code on its way out passes here. */
static int note(struct db *db, int rc)
{
	int primary = rc & 0xff;

	if (primary == SQLITE_FULL)
		db->hit_full = true;
	if (primary == SQLITE_IOERR || primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB)
		db->hit_io = true;
	return db_code(rc);
}

/* A command that stepped a statement of its own may have met what note() did not see. */
void db_note_last(struct db *db)
{
	ignored(note(db, sqlite3_extended_errcode(db->h)));
}

int db_open(const char *path, const char *vfs, int flags, struct db **ret, struct err *e)
{
	struct db *db = x_calloc(1, sizeof(*db));
	int rc = sqlite3_open_v2(path, &db->h, flags | SQLITE_OPEN_NOMUTEX, vfs);

	if (rc != SQLITE_OK) {
		rc = err_set(e, db_code(rc), "%s: %s", path,
			db->h ? sqlite3_errmsg(db->h) : "memory is out");
		db_close(db);
		return rc;
	}
	sqlite3_extended_result_codes(db->h, 1);
	*ret = db;
	return 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	for (size_t i = 0; i < db->cap; i++)
		sqlite3_finalize(db->slot[i].st);
	xfree(db->slot);
	int rc = sqlite3_close(db->h);
	REQUIRE(rc == SQLITE_OK); /* busy: a statement of db_prepare was not finalized */
	xfree(db);
}

int db_script(struct db *db, const char *sql, struct err *e)
{
	int rc = sqlite3_exec(db->h, sql, NULL, NULL, NULL);

	if (rc != SQLITE_OK)
		return err_set(e, note(db, rc), "%s", sqlite3_errmsg(db->h));
	return 0;
}

static size_t slot_of(const struct stmt_slot *slot, size_t cap, const char *sql)
{
	size_t i = (((uintptr_t)sql >> 3) * UINT64_C(0x9e3779b97f4a7c15)) >> 32 & (cap - 1);

	while (slot[i].sql && slot[i].sql != sql)
		i = (i + 1) & (cap - 1);
	return i;
}

static void slots_grow(struct db *db)
{
	size_t cap = db->cap ? 2 * db->cap : 64;
	struct stmt_slot *slot = x_calloc(cap, sizeof(*slot));

	REQUIRE(db->n < STMTS_MAX);
	for (size_t i = 0; i < db->cap; i++)
		if (db->slot[i].sql)
			slot[slot_of(slot, cap, db->slot[i].sql)] = db->slot[i];
	xfree(db->slot);
	db->slot = slot;
	db->cap = cap;
}

static int prepare(struct db *db, const char *sql, unsigned flags, sqlite3_stmt **ret)
{
	int rc = sqlite3_prepare_v3(db->h, sql, -1, flags, ret, NULL);

	if (rc == SQLITE_OK)
		return 0;
	if ((rc & 0xff) == SQLITE_ERROR) /* a mistake in our own SQL: say which */
		log_line(LOG_ERROR, "ev=store.sql error=%s sql=%s",
			LOG_Q(str_of(sqlite3_errmsg(db->h))), LOG_Q(str_of(sql)));
	return note(db, rc);
}

static int cached(struct db *db, const char *sql, sqlite3_stmt **ret)
{
	if (db->cap == 0 || db->n * 4 >= db->cap * 3)
		slots_grow(db);

	struct stmt_slot *slot = &db->slot[slot_of(db->slot, db->cap, sql)];
	if (!slot->sql) {
		sqlite3_stmt *st = NULL;
		int rc = prepare(db, sql, SQLITE_PREPARE_PERSISTENT, &st);
		if (rc < 0)
			return rc;
		REQUIRE(st != NULL);
		slot->sql = sql;
		slot->st = st;
		db->n++;
	}
#ifdef LANTOA_FAULTS
	REQUIRE(strncmp(sqlite3_sql(slot->st), sql, strlen(sqlite3_sql(slot->st))) == 0);
#endif
	sqlite3_reset(slot->st);
	*ret = slot->st;
	return 0;
}

static int bind_bytes(sqlite3_stmt *st, int i, struct str s, bool blob, sqlite3_destructor_type d)
{
	if (!s.p)
		return sqlite3_bind_null(st, i);
	return blob ? sqlite3_bind_blob64(st, i, s.p, s.n, d)
		    : sqlite3_bind_text64(st, i, s.p, s.n, d, SQLITE_UTF8);
}

static int bind_all(sqlite3_stmt *st, const char *fmt, va_list ap, sqlite3_destructor_type d)
{
	int rc = SQLITE_OK, i = 1;

	REQUIRE(sqlite3_bind_parameter_count(st) == (int)strlen(fmt));
	for (const char *f = fmt; *f && rc == SQLITE_OK; f++, i++) {
		const struct hash *h;

		switch (*f) {
		case 'i': rc = sqlite3_bind_int64(st, i, va_arg(ap, int64_t)); break;
		case 't': rc = bind_bytes(st, i, str_of(va_arg(ap, const char *)), false, d); break;
		case 's': rc = bind_bytes(st, i, va_arg(ap, struct str), false, d); break;
		case 'b': rc = bind_bytes(st, i, va_arg(ap, struct str), true, d); break;
		case 'h':
			h = va_arg(ap, const struct hash *);
			rc = h ? sqlite3_bind_blob(st, i, h->b, HASH_LEN, d)
			       : sqlite3_bind_null(st, i);
			break;
		case 'd': rc = sqlite3_bind_double(st, i, va_arg(ap, double)); break;
		case 'n': rc = sqlite3_bind_null(st, i); break;
		default: REQUIRE(false); /* no such binding format */
		}
	}
	return rc;
}

/* What was bound (with this code) is stepped to its end. */
static int run_once(struct db *db, sqlite3_stmt *st, int rc)
{
	if (rc == SQLITE_OK)
		rc = FAULT("store.write") ? SQLITE_FULL : sqlite3_step(st);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st); /* they borrowed the caller's memory */
	REQUIRE(rc != SQLITE_ROW);  /* use db_query */
	return rc == SQLITE_DONE ? 0 : note(db, rc);
}

int db_exec(struct db *db, const char *sql, const char *fmt, ...)
{
	sqlite3_stmt *st;
	va_list ap;
	int rc = cached(db, sql, &st);

	if (rc < 0)
		return rc;
	va_start(ap, fmt);
	rc = bind_all(st, fmt, ap, SQLITE_STATIC);
	va_end(ap);
	return run_once(db, st, rc);
}

int db_many_begin(struct db *db, const char *sql, struct db_many *ret)
{
	*ret = (struct db_many){ .db = db };
	return cached(db, sql, &ret->st);
}

static void many_note(struct db_many *m, int rc)
{
	if (m->rc == SQLITE_OK)
		m->rc = rc;
}

void db_many_i64(struct db_many *m, int64_t v)
{
	many_note(m, sqlite3_bind_int64(m->st, ++m->i, v));
}

void db_many_null(struct db_many *m)
{
	many_note(m, sqlite3_bind_null(m->st, ++m->i));
}

void db_many_str(struct db_many *m, struct str s)
{
	many_note(m, bind_bytes(m->st, ++m->i, s, false, SQLITE_STATIC));
}

int db_many_run(struct db_many *m)
{
	REQUIRE(m->i == sqlite3_bind_parameter_count(m->st));
	return run_once(m->db, m->st, m->rc);
}

int64_t db_changes(struct db *db)
{
	return sqlite3_changes64(db->h);
}

int64_t db_last_id(struct db *db)
{
	return sqlite3_last_insert_rowid(db->h);
}

static int query(struct db *db, sqlite3_stmt **ret, const char *sql, const char *fmt, va_list ap)
{
	int rc = cached(db, sql, ret);

	if (rc < 0)
		return rc;
	rc = bind_all(*ret, fmt, ap, SQLITE_TRANSIENT);
	return rc == SQLITE_OK ? 0 : note(db, rc);
}

int db_query(struct db *db, sqlite3_stmt **ret, const char *sql, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int rc = query(db, ret, sql, fmt, ap);
	va_end(ap);
	return rc;
}

int db_get_ids(struct db *db, int64_t *ret, size_t max, size_t *ret_n, const char *sql,
	const char *fmt, ...)
{
	sqlite3_stmt *st;
	va_list ap;

	*ret_n = 0;
	va_start(ap, fmt);
	int rc = query(db, &st, sql, fmt, ap);
	va_end(ap);
	if (rc < 0)
		return rc;
	while (*ret_n < max && (rc = db_row(db, st)) == 1)
		ret[(*ret_n)++] = sqlite3_column_int64(st, 0);
	db_reset(st);
	return rc < 0 ? rc : 0;
}

int db_row(struct db *db, sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return 1;
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : note(db, rc);
}

void db_reset(sqlite3_stmt *st)
{
	sqlite3_reset(st); /* its code repeats what the last step said */
}

static void one_done(sqlite3_stmt *st)
{
	sqlite3_reset(st);
	sqlite3_clear_bindings(st); /* they borrowed the caller's memory */
}

/* The first row: 1, and one_done follows; 0 there is none; negative failure. */
static int one_row(struct db *db, sqlite3_stmt **ret, const char *sql, const char *fmt, va_list ap)
{
	int rc = cached(db, sql, ret);

	if (rc < 0)
		return rc;
	rc = bind_all(*ret, fmt, ap, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(*ret);
	if (rc == SQLITE_ROW)
		return 1;
	one_done(*ret);
	return rc == SQLITE_DONE ? 0 : note(db, rc);
}

int db_get_i64(struct db *db, int64_t *ret, const char *sql, const char *fmt, ...)
{
	sqlite3_stmt *st;
	va_list ap;

	va_start(ap, fmt);
	int rc = one_row(db, &st, sql, fmt, ap);
	va_end(ap);
	if (rc == 1) {
		*ret = sqlite3_column_int64(st, 0);
		one_done(st);
	}
	return rc;
}

int db_get_text(struct db *db, char *dst, size_t size, const char *sql, const char *fmt, ...)
{
	sqlite3_stmt *st;
	va_list ap;

	dst[0] = '\0';
	va_start(ap, fmt);
	int rc = one_row(db, &st, sql, fmt, ap);
	va_end(ap);
	if (rc == 1) {
		(void)str_copy(dst, size, col_str(st, 0));
		one_done(st);
	}
	return rc;
}

int db_prepare(struct db *db, const char *sql, sqlite3_stmt **ret)
{
	return prepare(db, sql, 0, ret);
}

int db_bind(sqlite3_stmt *st, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int rc = bind_all(st, fmt, ap, SQLITE_TRANSIENT);
	va_end(ap);
	return db_code(rc);
}

const char *db_message(struct db *db)
{
	return sqlite3_errmsg(db->h);
}

sqlite3 *db_handle(struct db *db)
{
	return db->h;
}

size_t db_reset_all(struct db *db)
{
	size_t n = 0;

	for (size_t i = 0; i < db->cap; i++)
		if (db->slot[i].st && sqlite3_stmt_busy(db->slot[i].st)) {
			sqlite3_reset(db->slot[i].st);
			n++;
		}
	return n;
}

/* --- columns -------------------------------------------------------------------------------------------------------- */

struct str col_blob(sqlite3_stmt *st, int i)
{
	if (sqlite3_column_type(st, i) == SQLITE_NULL)
		return (struct str){ NULL, 0 };
	const void *p = sqlite3_column_blob(st, i);
	return (struct str){ p ? p : "", (size_t)sqlite3_column_bytes(st, i) };
}

struct str col_str(sqlite3_stmt *st, int i)
{
	const void *p = sqlite3_column_text(st, i);

	if (!p)
		return (struct str){ NULL, 0 };
	return (struct str){ p, (size_t)sqlite3_column_bytes(st, i) };
}

const char *col_z(sqlite3_stmt *st, int i)
{
	const void *p = sqlite3_column_text(st, i);

	return p ? p : "";
}

char *col_dup(sqlite3_stmt *st, int i)
{
	struct str s = col_str(st, i);

	return s.p ? x_strndup(s.p, s.n) : NULL;
}

bool col_hash(sqlite3_stmt *st, int i, struct hash *ret)
{
	struct str s = col_blob(st, i);

	if (!s.p || s.n != HASH_LEN)
		return false;
	memcpy(ret->b, s.p, HASH_LEN);
	return true;
}
