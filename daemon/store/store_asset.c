/* store_asset.c - asset files: written, fsynced, renamed, folder fsynced, and only then the row.
 * Threads: any worker for files, store for rows. Owns: the folder assets/, the table asset.
 * Failures: a crash in between leaves a staged file (swept with staging) or an asset without a row (harmless); never a row
 * without its file.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fault.h"
#include "base/file.h"
#include "store/store_asset.h"
#include "store/store_engine.h"

#define READ_STEP 65536

int asset_hash_file(int fd, struct hash *ret, int64_t *ret_bytes)
{
	struct hasher h;
	int64_t bytes = 0;
	ssize_t n;
	char *step = x_calloc(1, READ_STEP);

	hasher_init(&h);
	while ((n = read(fd, step, READ_STEP)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		hasher_add(&h, step, (size_t)n);
		bytes += n;
	}
	int rc = n < 0 ? -errno : 0;
	xfree(step);
	if (rc < 0)
		return rc;
	hasher_end(&h, ret);
	*ret_bytes = bytes;
	return 0;
}

static int fd_check(int fd, const struct hash *want, int64_t bytes, struct err *e, const char *path)
{
	struct hash have;
	int64_t n = 0;
	int rc = asset_hash_file(fd, &have, &n);

	if (rc < 0)
		return err_set(e, rc, "%s: %s", path, strerror(-rc));
	if (n != bytes || hash_cmp(&have, want) != 0)
		return err_set(e, -EBADMSG,
			"%s: its content (%" PRId64 " bytes) is not what its hash says (%" PRId64
			" bytes)",
			path, n, bytes);
	if (FAULT("asset.fsync") || fsync(fd) < 0)
		return err_set(e, -EIO, "%s: cannot be made durable", path);
	return 0;
}

/* assets/ab/cd...: makes the folder and hands back both paths. */
static int place_make(const struct store *s, const struct hash *hash, char *path, size_t size,
	char *folder, struct err *e)
{
	asset_path(path, size, s->assets_dir, hash);
	(void)str_copy(folder, size, str_of(path));
	char *slash = strrchr(folder, '/');
	if (!slash)
		return err_set(e, -ENAMETOOLONG, "%s: too long a path", s->assets_dir);
	*slash = '\0';
	int rc = dir_make(folder, 0700, e); /* who made it may not have come to the sync */
	if (rc == 0 && (rc = dir_sync(s->assets_dir)) < 0)
		err_set(e, rc, "%s: cannot be made durable", s->assets_dir);
	return rc;
}

static int move_in(const char *from, const char *to, const char *folder, struct err *e)
{
	if (FAULT("asset.rename"))
		return err_set(e, -EIO, "%s: cannot be put in its place", to);
	if (rename(from, to) < 0)
		return err_set(
			e, -errno, "%s: cannot be put in its place: %s", to, strerror(errno));
	int rc = FAULT("asset.dir") ? -EIO : dir_sync(folder);
	if (rc < 0)
		return err_set(e, rc, "%s: cannot be made durable", folder);
	return 0;
}

int store_asset_put(struct store *s, const char *staged_path, const struct hash *hash,
	int64_t bytes, struct err *e)
{
	char path[PATH_MAX], folder[PATH_MAX];
	int fd = open(staged_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return err_set(e, -errno, "%s: %s", staged_path, strerror(errno));
	int rc = fd_check(fd, hash, bytes, e, staged_path);
	close(fd);
	if (rc == 0)
		rc = place_make(s, hash, path, sizeof(path), folder, e);
	if (rc == 0) /* over one that is there: the same content, and surely durable afterwards */
		rc = move_in(staged_path, path, folder, e);
	return rc;
}

int store_asset_put_bytes(
	struct store *s, struct str content, const struct hash *hash, struct err *e)
{
	char name[PATH_MAX];
	int n = snprintf(name, sizeof(name), "%s/asset-XXXXXX", s->staging_dir);

	if (n < 0 || (size_t)n >= sizeof(name))
		return err_set(e, -ENAMETOOLONG, "%s: too long a path", s->staging_dir);
	int fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return err_set(e, -errno, "%s: %s", name, strerror(errno));
	int rc = fd_write_all(fd, content.p, content.n);
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc < 0)
		err_set(e, rc, "%s: %s", name, strerror(-rc));
	else
		rc = store_asset_put(s, name, hash, (int64_t)content.n, e);
	if (rc < 0)
		(void)unlink(name);
	return rc;
}

int store_asset_row(struct store_tx *tx, const struct asset_row *a)
{
	struct db *db = tx_db(tx);
	char path[PATH_MAX];
	struct stat st;
	int64_t bytes = 0;
	int rc = db_get_i64(db, &bytes, "SELECT bytes FROM asset WHERE hash = ?", "h", &a->hash);

	if (rc != 0)
		return rc < 0 ? rc : bytes == a->bytes ? 0 : -EINVAL;
	asset_path(path, sizeof(path), tx_store(tx)->assets_dir, &a->hash);
	if (stat(path, &st) < 0)
		return -ENOENT;
	if (st.st_size != a->bytes)
		return -EINVAL;
	return a->width > 0
		? db_exec(db, "INSERT INTO asset VALUES (?, ?, ?, ?, ?, ?)", "hitiii", &a->hash,
			  a->bytes, a->type, a->width, a->height, tx_wall_ms(tx))
		: db_exec(db, "INSERT INTO asset VALUES (?, ?, ?, NULL, NULL, ?)", "hiti", &a->hash,
			  a->bytes, a->type, tx_wall_ms(tx));
}

int store_asset_open(struct store *s, const struct hash *hash, int *ret_fd, int64_t *ret_bytes)
{
	char path[PATH_MAX];
	struct stat st;

	asset_path(path, sizeof(path), s->assets_dir, hash);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -ENOENT;
	}
	*ret_fd = fd;
	if (ret_bytes)
		*ret_bytes = st.st_size;
	return 0;
}

int store_asset_read(struct store *s, const struct hash *hash, struct buf *ret, struct err *e)
{
	char path[PATH_MAX];
	struct hash have;
	size_t from = ret->n;

	asset_path(path, sizeof(path), s->assets_dir, hash);
	int rc = file_read(path, ret, e);
	if (rc < 0)
		return rc;
	hash_bytes(&have, ret->p + from, ret->n - from);
	if (hash_cmp(&have, hash) != 0)
		return err_set(e, -EBADMSG, "%s: its content is not what its name says", path);
	return 0;
}
