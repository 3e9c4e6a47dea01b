/* file.c - small files read whole, written durably; folders made, synced and emptied.
 * Thread: never the loop; everything here may block. Owns nothing between calls.
 * Failures: negative errno codes; the texts name the path. Fault points: file.write, file.fsync, file.rename, dir.fsync.
 */
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/fault.h"

#define FILE_READ_STEP   (64u << 10)
#define TREE_ENTRIES_MAX 1000000u
#define TREE_DEPTH_MAX   64

static int fail(struct err *e, int code, const char *path)
{
	return err_set(e, code, "'%s': %s", path, strerror(-code));
}

static int fd_read_all(int fd, const char *name, struct buf *ret, struct err *e)
{
	for (;;) {
		/* at the maximum one byte more decides between the end and too much */
		size_t room = ret->max - ret->n,
		       want = room < FILE_READ_STEP ? room : FILE_READ_STEP;
		char probe;
		if (want && buf_reserve(ret, want))
			return fail(e, -ENOMEM, name);
		ssize_t n = want ? read(fd, ret->p + ret->n, want) : read(fd, &probe, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(e, -errno, name);
		if (n == 0)
			return 0;
		if (!want)
			return err_set(e, -E2BIG,
				"'%s' is larger than %zu bytes, the most it may have", name,
				ret->max);
		ret->n += (size_t)n;
		ret->p[ret->n] = '\0';
	}
}

static int file_read_flags(int dirfd, const char *name, int flags, struct buf *ret, struct err *e)
{
	struct stat st;
	size_t start = ret->n;
	/* without O_NONBLOCK a named pipe would hang the open */
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags);
	int r;

	if (fd < 0)
		return errno == ELOOP && (flags & O_NOFOLLOW)
			? err_set(e, -ELOOP, "'%s' is a symbolic link; it must be a regular file",
				  name)
			: fail(e, -errno, name);
	if (fstat(fd, &st))
		r = fail(e, -errno, name);
	else if (!S_ISREG(st.st_mode))
		r = err_set(e, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL,
			"'%s' is %s; it must be a regular file", name,
			S_ISDIR(st.st_mode) ? "a folder" : "no regular file");
	else
		r = fd_read_all(fd, name, ret, e);
	(void)close(fd);
	if (r && ret->p) {
		ret->n = start;
		ret->p[start] = '\0';
	}
	return r;
}

int file_read(const char *path, struct buf *ret, struct err *e)
{
	return file_read_flags(AT_FDCWD, path, 0, ret, e);
}

int file_read_at(int dirfd, const char *name, struct buf *ret, struct err *e)
{
	return file_read_flags(dirfd, name, O_NOFOLLOW, ret, e);
}

int fd_standard_hold(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", O_RDONLY) < 0) /* takes the lowest that is free */
			return -errno;
	}
	return 0;
}

int fd_write_all(int fd, const void *p, size_t n)
{
	const char *from = p;

	while (n) {
		ssize_t wrote = write(fd, from, n);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return -errno;
		from += wrote;
		n -= (size_t)wrote;
	}
	return 0;
}

/* The folder of a path, owned: "." when it has none. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return x_strdup(".");
	return slash == path ? x_strdup("/") : x_strndup(path, (size_t)(slash - path));
}

static int temp_fill(int fd, struct str content, mode_t mode)
{
	if (FAULT("file.write"))
		return -ENOSPC;
	int r = fd_write_all(fd, content.p, content.n);
	if (r)
		return r;
	if (fchmod(fd, mode))
		return -errno;
	if (FAULT("file.fsync"))
		return -EIO;
	return fsync(fd) ? -errno : 0;
}

int file_write_durable(const char *path, struct str content, mode_t mode, struct err *e)
{
	CLEANUP(xfree) char *folder = folder_of(path);
	CLEANUP(xfree) char *temp = x_asprintf("%s/.lantoa-XXXXXX", folder);
	int fd = mkostemp(temp, O_CLOEXEC);

	if (fd < 0)
		return fail(e, -errno, path);
	int r = temp_fill(fd, content, mode);
	if (close(fd) && r == 0)
		r = -errno;
	if (r == 0)
		r = FAULT("file.rename") ? -EIO : rename(temp, path) ? -errno : 0;
	if (r) {
		(void)unlink(temp);
		return fail(e, r, path);
	}
	r = dir_sync(folder);
	return r ? fail(e, r, folder) : 0;
}

int dir_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	int r = FAULT("dir.fsync") ? -EIO : fsync(fd) ? -errno : 0;
	(void)close(fd);
	return r;
}

static int dir_make_one(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &st))
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int dir_make(const char *path, mode_t mode, struct err *e)
{
	CLEANUP(xfree) char *part = x_strdup(path);
	int r = 0;

	if (!*path)
		return err_set(e, -EINVAL, "the name of a folder is empty");
	for (char *at = part + 1; r == 0 && *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		r = dir_make_one(part, mode);
		if (r)
			return fail(e, r, part);
		*at = '/';
	}
	r = dir_make_one(path, mode);
	return r ? fail(e, r, path) : 0;
}

/* Empties the folder behind fd, which is taken. `left` counts the entries that may still be removed. */
static int tree_empty(int fd, int depth, size_t *left)
{
	DIR *d = fdopendir(fd);
	int r = 0;

	if (!d) {
		r = -errno;
		(void)close(fd);
		return r;
	}
	for (struct dirent *it; r == 0 && (errno = 0, it = readdir(d)) != NULL;) {
		if (strcmp(it->d_name, ".") == 0 || strcmp(it->d_name, "..") == 0)
			continue;
		if ((*left)-- == 0 || depth >= TREE_DEPTH_MAX) {
			r = -E2BIG;
			break;
		}
		if (unlinkat(fd, it->d_name, 0) == 0)
			continue;
		if (errno != EISDIR && errno != EPERM) {
			r = -errno;
			break;
		}
		int sub = openat(fd, it->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = sub < 0 ? -errno : tree_empty(sub, depth + 1, left);
		if (r == 0 && unlinkat(fd, it->d_name, AT_REMOVEDIR))
			r = -errno;
	}
	if (r == 0 && errno)
		r = -errno;
	(void)closedir(d);
	return r;
}

int dir_remove_tree(const char *path)
{
	size_t left = TREE_ENTRIES_MAX;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : tree_empty(fd, 0, &left);
}

void asset_path(char *dst, size_t size, const char *assets_dir, const struct hash *h)
{
	char hex[HASH_HEX];

	hash_hex(h, hex);
	int n = snprintf(dst, size, "%s/%.2s/%s", assets_dir, hex, hex + 2);
	REQUIRE(n > 0 && (size_t)n < size);
}
