/* store_backup.c - copies databases by pages under one snapshot, then the assets that the copy names, then MANIFEST.
 * Thread: a worker, with connections of its own. Owns: the new folder until it is done.
 * The writer never waits for it; while it runs the log may grow, so readers are not made to wait for its emptying.
 * Failures: whatever goes wrong, the folder is emptied again and the reason told.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/fault.h"
#include "base/file.h"
#include "store/store_asset.h"
#include "store/store_backup.h"
#include "store/store_engine.h"

#define STEP_PAGES    512
#define COPY_STEP     65536
#define MANIFEST_MAX  (64u << 20) /* 600,000 assets */
#define MANIFEST_HEAD "lantoa-backup 1\n"

struct backup {
	struct store *s;
	const char *dir;
	const struct backup_opts *o;
	struct backup_result *res;
	struct buf lines; /* of MANIFEST */
	bool own_disk;    /* the database lies on it, too: its floor stays free */
	struct err *e;
};

static int tell(struct backup *b, const char *what, uint64_t done, uint64_t total)
{
	if (!b->o || !b->o->progress || b->o->progress(b->o->ctx, what, done, total))
		return 0;
	return err_set(b->e, -ECANCELED, "the backup was stopped");
}

static int room(struct backup *b, int64_t bytes)
{
	if (!b->own_disk || space_has(b->s, bytes))
		return 0;
	return err_set(b->e, -ENOSPC,
		"the disk of %s is nearly full, and the database is on it: give a folder on another disk, or make room",
		b->dir);
}

static int path_in(struct backup *b, char *dst, const char *name)
{
	int n = snprintf(dst, PATH_MAX, "%s/%s", b->dir, name);

	return n > 0 && n < PATH_MAX ? 0
				     : err_set(b->e, -ENAMETOOLONG, "%s: too long a path", b->dir);
}

static int line_add(struct backup *b, const struct hash *h, int64_t bytes, const char *name)
{
	char hex[HASH_HEX];

	hash_hex(h, hex);
	b->res->files++;
	b->res->bytes += (uint64_t)bytes;
	if (buf_addf(&b->lines, "%s %" PRId64 " %s\n", hex, bytes, name) < 0)
		return err_set(b->e, -E2BIG, "more files than a backup can name");
	return 0;
}

/* --- databases -------------------------------------------------------------------------------------------------------- */

static int pages_copy(struct backup *b, struct db *from, struct db *to, const char *what)
{
	sqlite3_backup *k = sqlite3_backup_init(to->h, "main", from->h, "main");
	int rc = SQLITE_OK, code = 0;

	if (!k)
		return err_set(b->e, -EIO, "%s: %s", what, db_message(to));
	while (code == 0 && rc != SQLITE_DONE) {
		rc = FAULT("backup.step") ? SQLITE_FULL : sqlite3_backup_step(k, STEP_PAGES);
		if (rc != SQLITE_OK && rc != SQLITE_DONE) {
			code = err_set(b->e, db_code(rc), "%s: %s", what, sqlite3_errstr(rc));
			break;
		}
		uint64_t total = (uint64_t)sqlite3_backup_pagecount(k);
		code = room(b, STEP_PAGES * DB_PAGE);
		if (code == 0)
			code = tell(b, what, total - (uint64_t)sqlite3_backup_remaining(k), total);
		usleep(500); /* the writer's fsyncs first */
	}
	rc = sqlite3_backup_finish(k);
	if (code == 0 && rc != SQLITE_OK)
		code = err_set(b->e, db_code(rc), "%s: %s", what, sqlite3_errstr(rc));
	return code;
}

/* A snapshot of its own on a connection of its own; in exclusive mode the writer's. */
static int source_open(struct backup *b, const char *path, struct db *shared, struct db **ret)
{
	struct store *s = b->s;

	if (s->o.exclusive) {
		*ret = shared;
		return 0;
	}
	int rc = db_open(path, s->vfs, SQLITE_OPEN_READONLY, ret, b->e);
	if (rc == 0)
		rc = db_script(*ret,
			"PRAGMA busy_timeout = 5000; BEGIN; SELECT count(*) FROM "
			"sqlite_schema",
			b->e);
	return rc;
}

static void source_close(struct backup *b, struct db *db)
{
	if (!b->s->o.exclusive)
		db_close(db); /* ends its snapshot */
}

static int file_hash(struct backup *b, const char *path, struct hash *ret, int64_t *ret_bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return err_set(b->e, -errno, "%s: %s", path, strerror(errno));
	int rc = asset_hash_file(fd, ret, ret_bytes);
	if (rc == 0 && fsync(fd) < 0)
		rc = -EIO;
	close(fd);
	return rc < 0 ? err_set(b->e, rc, "%s: %s", path, strerror(-rc)) : 0;
}

static int db_copy(struct backup *b, const char *path, struct db *shared, const char *name,
	const char *what, const char *after)
{
	char dst[PATH_MAX];
	struct db *from = NULL, *to = NULL;
	struct hash h;
	int64_t bytes = 0;
	int rc = path_in(b, dst, name);

	if (rc == 0)
		rc = source_open(b, path, shared, &from);
	if (rc == 0)
		rc = db_open(dst, NULL, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &to, b->e);
	if (rc == 0)
		rc = db_script(to, "PRAGMA synchronous = FULL", b->e);
	if (rc == 0)
		rc = pages_copy(b, from, to, what);
	if (rc == 0) /* one file without a log beside it */
		rc = db_script(to, "PRAGMA journal_mode = DELETE", b->e);
	if (rc == 0)
		rc = db_script(to, after, b->e);
	db_close(to);
	source_close(b, from);
	if (rc == 0)
		rc = chmod(dst, 0600) < 0 ? err_set(b->e, -errno, "%s: %s", dst, strerror(errno))
					  : 0;
	if (rc == 0)
		rc = file_hash(b, dst, &h, &bytes);
	return rc < 0 ? rc : line_add(b, &h, bytes, name);
}

/* --- assets ----------------------------------------------------------------------------------------------------------- */

static int fd_copy(int from, int to, struct hash *ret, int64_t *ret_bytes)
{
	char *step = x_calloc(1, COPY_STEP);
	struct hasher h;
	int64_t bytes = 0;
	ssize_t n = 0;
	int rc = 0;

	hasher_init(&h);
	while (rc == 0 && (n = read(from, step, COPY_STEP)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		rc = n < 0 ? -errno : fd_write_all(to, step, (size_t)n);
		if (rc == 0) {
			hasher_add(&h, step, (size_t)n);
			bytes += n;
		}
	}
	xfree(step);
	if (rc == 0 && fsync(to) < 0)
		rc = -EIO;
	hasher_end(&h, ret);
	*ret_bytes = bytes;
	return rc;
}

static int asset_copy(struct backup *b, const struct hash *hash, int64_t bytes)
{
	char dst[PATH_MAX], name[16 + HASH_HEX], hex[HASH_HEX];
	struct hash have;
	int64_t copied = 0;
	int from = -1;

	hash_hex(hash, hex);
	(void)snprintf(name, sizeof(name), "assets/%.2s", hex);
	int rc = path_in(b, dst, name);
	if (rc == 0)
		rc = dir_make(dst, 0700, b->e);
	(void)snprintf(name, sizeof(name), "assets/%.2s/%s", hex, hex + 2);
	if (rc == 0)
		rc = path_in(b, dst, name);
	if (rc == 0)
		rc = room(b, bytes);
	if (rc < 0)
		return rc;
	rc = store_asset_open(b->s, hash, &from, NULL);
	if (rc < 0)
		return err_set(b->e, rc, "asset %s: %s", hex, strerror(-rc));
	int to = open(dst, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	rc = to < 0 ? -errno : fd_copy(from, to, &have, &copied);
	if (to >= 0 && close(to) < 0 && rc == 0)
		rc = -errno;
	close(from);
	if (rc < 0)
		return err_set(b->e, rc, "%s: %s", dst, strerror(-rc));
	if (copied != bytes || hash_cmp(&have, hash) != 0)
		return err_set(b->e, -EBADMSG, "asset %s: its file was changed; run fsck", hex);
	return line_add(b, hash, bytes, name);
}

/* The assets that the copied database names; the live one may name more by now. */
static int assets_copy(struct backup *b, struct db *copy)
{
	sqlite3_stmt *st = NULL;
	int64_t total = 0;
	uint64_t done = 0;
	int rc = db_get_i64(copy, &total, "SELECT count(*) FROM asset", "");

	if (rc >= 0)
		rc = db_query(copy, &st, "SELECT hash, bytes FROM asset ORDER BY hash", "");
	while (rc >= 0 && (rc = db_row(copy, st)) == 1) {
		struct hash h;
		if (!col_hash(st, 0, &h)) {
			rc = -EBADMSG;
			break;
		}
		rc = asset_copy(b, &h, col_i64(st, 1));
		if (rc == 0)
			rc = tell(b, "assets", ++done, (uint64_t)total);
	}
	(void)db_reset_all(copy);
	return rc < 0 && b->e && b->e->code == 0 ? err_set(b->e, rc, "%s", strerror(-rc)) : rc;
}

/* --- the whole ---------------------------------------------------------------------------------------------------------- */

static int folder_claim(struct backup *b)
{
	int rc = dir_make(b->dir, 0700, b->e), n = 0;

	if (rc < 0)
		return rc;
	DIR *d = opendir(b->dir);
	if (!d)
		return err_set(b->e, -errno, "%s: %s", b->dir, strerror(errno));
	for (const struct dirent *x; n == 0 && (x = readdir(d)) != NULL;)
		n += strcmp(x->d_name, ".") != 0 && strcmp(x->d_name, "..") != 0;
	closedir(d);
	return n == 0 ? 0
		      : err_set(b->e, -ENOTEMPTY,
				"%s is not empty: give a new folder for the backup", b->dir);
}

static bool on_own_disk(const struct backup *b)
{
	struct stat there, here;

	return stat(b->dir, &there) == 0 && stat(b->s->dir, &here) == 0 &&
		there.st_dev == here.st_dev;
}

/* Before MANIFEST says that all is there: the names of the files, too, and the folder's own. */
static int folders_sync(struct backup *b)
{
	char path[PATH_MAX], name[16];
	int rc = 0;

	for (int i = 0; i <= 256 && rc == 0; i++) {
		if (i < 256)
			(void)snprintf(name, sizeof(name), "assets/%02x", (unsigned)i);
		else
			(void)str_copy(name, sizeof(name), STR("assets"));
		rc = path_in(b, path, name);
		if (rc == 0 && access(path, F_OK) == 0 && (rc = dir_sync(path)) < 0)
			err_set(b->e, rc, "%s: cannot be made durable", path);
	}
	if (rc == 0 && (rc = dir_sync(b->dir)) < 0)
		err_set(b->e, rc, "%s: cannot be made durable", b->dir);
	if (rc == 0)
		rc = path_in(b, path, "..");
	if (rc == 0 && (rc = dir_sync(path)) == -EACCES)
		rc = 0; /* not ours: whoever made the folder there */
	return rc < 0 && b->e->code == 0 ? err_set(b->e, rc, "%s: cannot be made durable", path)
					 : rc;
}

static int manifest_write(struct backup *b)
{
	char path[PATH_MAX], uuid[33], hex[HASH_HEX];
	struct buf all CLEANUP_BUF = { 0 };
	int rc = path_in(b, path, "MANIFEST");

	buf_init(&all, MANIFEST_MAX + 1024);
	hex_encode(uuid, b->s->uuid, 16);
	hash_hex(&b->res->head.hash, hex);
	buf_addf(&all,
		MANIFEST_HEAD "database %s\nepoch %" PRId64 "\nat %" PRId64 "\nkey %08" PRIx32
			      "\naudit %" PRId64 ":%s\n\n",
		uuid, b->s->epoch, store_wall(b->s), keyring_id(b->s->o.keys), b->res->head.seq,
		hex);
	buf_add_str(&all, buf_str(&b->lines));
	if (all.failed)
		return err_set(b->e, -ENOMEM, "%s: memory is out", path);
	return rc < 0 ? rc : file_write_durable(path, buf_str(&all), 0600, b->e);
}

static int content_copy(struct backup *b)
{
	char path[PATH_MAX];
	struct db *copy = NULL;
	int rc = db_copy(
		b, b->s->db_path, b->s->w, "lantoa.db", "database", "UPDATE meta SET fence = 1");

	if (rc == 0)
		rc = db_copy(b, b->s->ex_path, b->s->ex, "exchange.db", "exchange", "");
	if (rc == 0)
		rc = path_in(b, path, "lantoa.db");
	if (rc == 0)
		rc = db_open(path, NULL, SQLITE_OPEN_READONLY, &copy, b->e);
	if (rc == 0 && (rc = store_audit_head(copy, &b->res->head)) < 0)
		err_set(b->e, rc, "%s: its audit has no head", path);
	if (rc == 0)
		rc = assets_copy(b, copy);
	db_close(copy);
	return rc;
}

static void running(struct store *s, int by)
{
	pthread_mutex_lock(&s->mu);
	s->backups += by;
	if (s->pressure && s->backups > 0) {
		s->pressure = false;
		pthread_cond_broadcast(&s->readers);
	}
	pthread_mutex_unlock(&s->mu);
}

int store_backup(struct store *s, const char *dir, const struct backup_opts *o,
	struct backup_result *ret, struct err *e)
{
	struct err own = { 0 };
	struct backup b = { .s = s, .dir = dir, .o = o, .res = ret, .e = e ? e : &own };

	memset(ret, 0, sizeof(*ret));
	b.e->code = 0;
	int rc = folder_claim(&b);
	if (rc < 0)
		return rc;
	b.own_disk = on_own_disk(&b);
	buf_init(&b.lines, MANIFEST_MAX);
	running(s, 1);
	rc = content_copy(&b);
	running(s, -1);
	if (rc == 0)
		rc = folders_sync(&b);
	if (rc == 0)
		rc = manifest_write(&b);
	buf_done(&b.lines);
	if (rc < 0 && dir_remove_tree(dir) < 0)
		(void)err_prefix(b.e, "%s is left half made", dir);
	return rc;
}

/* --- proving ------------------------------------------------------------------------------------------------------------ */

static int line_verify(const char *dir, struct str line, struct backup_result *ret, struct err *e)
{
	struct str hex, size, rest = line;
	struct hash want, have;
	char path[PATH_MAX];
	int64_t bytes = 0, found = 0;

	if (!str_next(&rest, ' ', &hex) || !str_next(&rest, ' ', &size) || rest.n == 0 ||
		hash_from_hex(hex, &want) < 0 || str_i64(size, 0, INT64_MAX, &bytes) < 0)
		return err_set(e, -EBADMSG, "%s/MANIFEST: not a line of a backup: " STR_FMT, dir,
			STR_ARG(line));
	int n = snprintf(path, sizeof(path), "%s/" STR_FMT, dir, STR_ARG(rest));
	int fd = n > 0 && n < PATH_MAX ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (fd < 0)
		return err_set(e, -ENOENT, "%s is missing", path);
	int rc = asset_hash_file(fd, &have, &found);
	close(fd);
	if (rc < 0)
		return err_set(e, rc, "%s: %s", path, strerror(-rc));
	if (found != bytes || hash_cmp(&have, &want) != 0)
		return err_set(e, -EBADMSG, "%s was changed since the backup was made", path);
	ret->files++;
	ret->bytes += (uint64_t)bytes;
	return 0;
}

int store_backup_verify(const char *dir, struct backup_result *ret, struct err *e)
{
	char path[PATH_MAX];
	struct buf b CLEANUP_BUF = { 0 };
	struct str rest, line;

	memset(ret, 0, sizeof(*ret));
	buf_init(&b, MANIFEST_MAX + 1024);
	int n = snprintf(path, sizeof(path), "%s/MANIFEST", dir);
	int rc = n > 0 && n < PATH_MAX ? file_read(path, &b, e) : -ENAMETOOLONG;
	if (rc < 0)
		return err_prefix(e, "%s is no whole backup", dir);
	rest = buf_str(&b);
	if (!str_starts(rest, MANIFEST_HEAD))
		return err_set(e, -EBADMSG, "%s: not a manifest of a backup of ours", path);
	while (str_line(&rest, &line) && line.n > 0) {
		struct str word, tail = line;
		if (str_next(&tail, ' ', &word) && str_eqz(word, "audit"))
			ignored(audit_head_parse(tail, &ret->head));
	}
	while (rc == 0 && str_line(&rest, &line))
		rc = line_verify(dir, line, ret, e);
	return rc;
}
