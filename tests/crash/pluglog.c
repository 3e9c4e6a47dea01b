/* pluglog.c - writes down what a process asks of the disk, so that a pulled plug can be played afterwards. An LD_PRELOAD library for
 * plug.sh, never part of the daemon. Thread: any; one lock makes the order of the log the order of the calls.
 * Every call on files below PLUG_DIR becomes a record in PLUG_LOG: struct plug_rec, then two strings or the bytes. Files are known by a
 * number of ours from their creation on. Failures: a log that cannot be written ends the process, because a log with holes proves nothing. */
#include "plug.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#undef _FORTIFY_SOURCE
#define EXPORT __attribute__((visibility("default")))
#define FDS    4096
#define INODES 65536

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *dir;
static size_t dir_n;
static int log_fd = -1;
static uint32_t file_of[FDS]; /* 0: not ours */
static bool is_dir[FDS];
static struct {
	ino_t ino;
	uint32_t id;
} inodes[INODES];
static uint32_t last_id;

#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static ssize_t raw_write(int fd, const void *p, size_t n)
{
	static ssize_t (*real)(int, const void *, size_t);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "write");
	return real(fd, p, n);
}

static void put(const void *p, size_t n)
{
	for (const char *at = p; n > 0;) {
		ssize_t k = raw_write(log_fd, at, n);
		if (k <= 0)
			abort();
		at += k;
		n -= (size_t)k;
	}
}

static void record(
	char what, uint32_t id, int64_t off, const void *a, size_t n, const void *b, size_t m)
{
	struct timespec t;
	struct plug_rec r = { .what = (uint32_t)what, .id = id, .off = off, .n = n, .m = m };

	(void)clock_gettime(CLOCK_REALTIME, &t);
	r.at_us = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
	put(&r, sizeof(r));
	if (n)
		put(a, n);
	if (m)
		put(b, m);
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("PLUG_LOG");

	dir = getenv("PLUG_DIR");
	if (!dir || !path)
		return;
	dir_n = strlen(dir);
	log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	/* numbers go on where an earlier process of the same log ended */
	last_id = (uint32_t)getpid() << 12;
}

static bool ours(const char *path)
{
	return log_fd >= 0 && strncmp(path, dir, dir_n) == 0 &&
		(path[dir_n] == '/' || path[dir_n] == '\0');
}

static const char *absolute(const char *path, char *buf)
{
	if (path[0] == '/')
		return path;
	char cwd[PATH_MAX];
	if (!getcwd(cwd, sizeof(cwd)))
		return path;
	(void)snprintf(buf, PATH_MAX, "%.2000s/%.2000s", cwd, path);
	return buf;
}

static uint32_t id_of(ino_t ino, bool *fresh)
{
	size_t at = (size_t)ino % INODES;

	for (size_t i = 0; i < INODES; i++, at = (at + 1) % INODES) {
		if (inodes[at].ino == ino) {
			*fresh = false;
			return inodes[at].id;
		}
		if (inodes[at].ino == 0) {
			inodes[at].ino = ino;
			*fresh = true;
			return inodes[at].id = ++last_id;
		}
	}
	abort();
}

static void forget(ino_t ino)
{
	for (size_t i = 0; i < INODES; i++)
		if (inodes[i].ino == ino)
			inodes[i].ino = (ino_t)-1; /* a grave: the search goes on behind it */
}

static void opened(int fd, int flags)
{
	char link[64], path[PATH_MAX];
	struct stat st;
	bool fresh;

	if (fd < 0 || fd >= FDS || log_fd < 0)
		return;
	file_of[fd] = 0;
	is_dir[fd] = false;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return;
	path[n] = '\0';
	if (!ours(path) || fstat(fd, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return;
	(void)pthread_mutex_lock(&lock);
	file_of[fd] = id_of(st.st_ino, &fresh);
	is_dir[fd] = S_ISDIR(st.st_mode);
	record(is_dir[fd]       ? 'd'
			: fresh ? 'C'
				: 'O',
		file_of[fd], st.st_size, path, (size_t)n, NULL, 0);
	if (!is_dir[fd] && (flags & O_TRUNC))
		record('T', file_of[fd], 0, NULL, 0, NULL, 0);
	(void)pthread_mutex_unlock(&lock);
}

static bool known_file(int fd)
{
	return fd >= 0 && fd < FDS && file_of[fd] != 0 && !is_dir[fd];
}

#define OPEN_LIKE(name)                                                                 \
	EXPORT int name(const char *path, int flags, ...)                               \
	{                                                                               \
		static int (*real)(const char *, int, ...);                             \
		va_list ap;                                                             \
		va_start(ap, flags);                                                    \
		mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(ap, mode_t) : 0; \
		va_end(ap);                                                             \
		if (!real)                                                              \
			*(void **)&real = dlsym(RTLD_NEXT, #name);                      \
		int fd = real(path, flags, mode);                                       \
		int saved = errno;                                                      \
		opened(fd, flags);                                                      \
		errno = saved;                                                          \
		return fd;                                                              \
	}
OPEN_LIKE(open)
OPEN_LIKE(open64)

#define OPENAT_LIKE(name)                                                               \
	EXPORT int name(int at, const char *path, int flags, ...)                       \
	{                                                                               \
		static int (*real)(int, const char *, int, ...);                        \
		va_list ap;                                                             \
		va_start(ap, flags);                                                    \
		mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(ap, mode_t) : 0; \
		va_end(ap);                                                             \
		if (!real)                                                              \
			*(void **)&real = dlsym(RTLD_NEXT, #name);                      \
		int fd = real(at, path, flags, mode);                                   \
		int saved = errno;                                                      \
		opened(fd, flags);                                                      \
		errno = saved;                                                          \
		return fd;                                                              \
	}
OPENAT_LIKE(openat)
OPENAT_LIKE(openat64)

#define TEMP_LIKE(name, args, call)                                \
	EXPORT int name args                                       \
	{                                                          \
		static int(*real) args;                            \
		if (!real)                                         \
			*(void **)&real = dlsym(RTLD_NEXT, #name); \
		int fd = real call;                                \
		int saved = errno;                                 \
		opened(fd, 0);                                     \
		errno = saved;                                     \
		return fd;                                         \
	}
TEMP_LIKE(mkstemp, (char *path), (path))
TEMP_LIKE(mkostemp, (char *path, int flags), (path, flags))
TEMP_LIKE(mkstemp64, (char *path), (path))
TEMP_LIKE(mkostemp64, (char *path, int flags), (path, flags))

static void sized(int fd, off_t off, off_t n)
{
	struct stat st;
	if (known_file(fd) && fstat(fd, &st) == 0 && st.st_size >= off + n)
		record('T', file_of[fd], st.st_size, NULL, 0, NULL, 0);
}

#define ALLOCATE_LIKE(name, args, call)                            \
	EXPORT int name args                                       \
	{                                                          \
		static int(*real) args;                            \
		if (!real)                                         \
			*(void **)&real = dlsym(RTLD_NEXT, #name); \
		(void)pthread_mutex_lock(&lock);                   \
		int rc = real call;                                \
		int saved = errno;                                 \
		if (rc == 0)                                       \
			sized(fd, off, n);                         \
		(void)pthread_mutex_unlock(&lock);                 \
		errno = saved;                                     \
		return rc;                                         \
	}
ALLOCATE_LIKE(posix_fallocate, (int fd, off_t off, off_t n), (fd, off, n))
ALLOCATE_LIKE(posix_fallocate64, (int fd, off64_t off, off64_t n), (fd, off, n))
ALLOCATE_LIKE(fallocate, (int fd, int mode, off_t off, off_t n), (fd, mode, off, n))
ALLOCATE_LIKE(fallocate64, (int fd, int mode, off64_t off, off64_t n), (fd, mode, off, n))

EXPORT int close(int fd)
{
	REAL(close);
	if (fd >= 0 && fd < FDS)
		file_of[fd] = 0;
	return real(fd);
}

#define PWRITE_LIKE(name, off_type)                                           \
	EXPORT ssize_t name(int fd, const void *p, size_t n, off_type off)    \
	{                                                                     \
		static ssize_t (*real)(int, const void *, size_t, off_type);  \
		if (!real)                                                    \
			*(void **)&real = dlsym(RTLD_NEXT, #name);            \
		if (!known_file(fd))                                          \
			return real(fd, p, n, off);                           \
		(void)pthread_mutex_lock(&lock);                              \
		ssize_t k = real(fd, p, n, off);                              \
		int saved = errno;                                            \
		if (k > 0)                                                    \
			record('W', file_of[fd], off, p, (size_t)k, NULL, 0); \
		(void)pthread_mutex_unlock(&lock);                            \
		errno = saved;                                                \
		return k;                                                     \
	}
PWRITE_LIKE(pwrite, off_t)
PWRITE_LIKE(pwrite64, off64_t)

EXPORT ssize_t write(int fd, const void *p, size_t n)
{
	if (!known_file(fd))
		return raw_write(fd, p, n);
	(void)pthread_mutex_lock(&lock);
	struct stat st;
	int flags = fcntl(fd, F_GETFL);
	off_t off = (flags & O_APPEND) && fstat(fd, &st) == 0 ? st.st_size : lseek(fd, 0, SEEK_CUR);
	ssize_t k = raw_write(fd, p, n);
	int saved = errno;
	if (k > 0)
		record('W', file_of[fd], off, p, (size_t)k, NULL, 0);
	(void)pthread_mutex_unlock(&lock);
	errno = saved;
	return k;
}

#define TRUNCATE_LIKE(name, off_type)                                     \
	EXPORT int name(int fd, off_type size)                            \
	{                                                                 \
		static int (*real)(int, off_type);                        \
		if (!real)                                                \
			*(void **)&real = dlsym(RTLD_NEXT, #name);        \
		(void)pthread_mutex_lock(&lock);                          \
		int rc = real(fd, size);                                  \
		int saved = errno;                                        \
		if (rc == 0 && known_file(fd))                            \
			record('T', file_of[fd], size, NULL, 0, NULL, 0); \
		(void)pthread_mutex_unlock(&lock);                        \
		errno = saved;                                            \
		return rc;                                                \
	}
TRUNCATE_LIKE(ftruncate, off_t)
TRUNCATE_LIKE(ftruncate64, off64_t)

#define SYNC_LIKE(name)                                                                   \
	EXPORT int name(int fd)                                                           \
	{                                                                                 \
		static int (*real)(int);                                                  \
		if (!real)                                                                \
			*(void **)&real = dlsym(RTLD_NEXT, #name);                        \
		if (fd < 0 || fd >= FDS || file_of[fd] == 0)                              \
			return real(fd);                                                  \
		(void)pthread_mutex_lock(&lock);                                          \
		int rc = real(fd);                                                        \
		int saved = errno;                                                        \
		if (rc == 0)                                                              \
			record(is_dir[fd] ? 'D' : 'S', file_of[fd], 0, NULL, 0, NULL, 0); \
		(void)pthread_mutex_unlock(&lock);                                        \
		errno = saved;                                                            \
		return rc;                                                                \
	}
SYNC_LIKE(fsync)
SYNC_LIKE(fdatasync)

EXPORT int rename(const char *from, const char *to)
{
	REAL(rename);
	char a[PATH_MAX], b[PATH_MAX];
	const char *pa = absolute(from, a), *pb = absolute(to, b);
	struct stat st;

	(void)pthread_mutex_lock(&lock);
	bool replaces = log_fd >= 0 && ours(pb) && stat(pb, &st) == 0 && st.st_nlink == 1;
	int rc = real(from, to);
	int saved = errno;
	if (rc == 0 && replaces)
		forget(st.st_ino);
	if (rc == 0 && log_fd >= 0 && (ours(pa) || ours(pb)))
		record('R', 0, 0, pa, strlen(pa), pb, strlen(pb));
	(void)pthread_mutex_unlock(&lock);
	errno = saved;
	return rc;
}

/* Also a folder's number may be the next file's. */
static void gone(const char *path, const struct stat *st)
{
	forget(st->st_ino);
	if (S_ISREG(st->st_mode))
		record('U', 0, 0, path, strlen(path), NULL, 0);
}

#define REMOVE_LIKE(name)                                                    \
	EXPORT int name(const char *path)                                    \
	{                                                                    \
		REAL(name);                                                  \
		char a[PATH_MAX];                                            \
		const char *pa = absolute(path, a);                          \
		struct stat st;                                              \
		(void)pthread_mutex_lock(&lock);                             \
		bool there = log_fd >= 0 && ours(pa) && lstat(pa, &st) == 0; \
		int rc = real(path);                                         \
		int saved = errno;                                           \
		if (rc == 0 && there)                                        \
			gone(pa, &st);                                       \
		(void)pthread_mutex_unlock(&lock);                           \
		errno = saved;                                               \
		return rc;                                                   \
	}
REMOVE_LIKE(unlink)
REMOVE_LIKE(rmdir)

EXPORT int unlinkat(int at, const char *path, int flags)
{
	REAL(unlinkat);
	char link[64], base[PATH_MAX], whole[PATH_MAX + 300];
	struct stat st;
	ssize_t n = -1;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", at);
	if (at != AT_FDCWD && path[0] != '/')
		n = readlink(link, base, sizeof(base) - 1);
	if (n > 0) {
		base[n] = '\0';
		(void)snprintf(whole, sizeof(whole), "%s/%s", base, path);
	} else {
		(void)snprintf(whole, sizeof(whole), "%s", path);
	}
	(void)pthread_mutex_lock(&lock);
	bool there = log_fd >= 0 && ours(whole) && lstat(whole, &st) == 0;
	int rc = real(at, path, flags);
	int saved = errno;
	if (rc == 0 && there)
		gone(whole, &st);
	(void)pthread_mutex_unlock(&lock);
	errno = saved;
	return rc;
}
