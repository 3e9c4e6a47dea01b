/* failn.c - makes the n-th call of one kind fail once. An LD_PRELOAD library for sweep.sh, never part of the daemon.
 * Thread: any (one mutex). Owns: one page, mapped from the file named in FAILN_FILE; the rest of fault.h's page (see there).
 * The script writes a line at its start: "GENERATION KIND ERRNO N": of the calls of KIND since this generation the N-th fails
 * with ERRNO; N 0: none does, they are counted. Calls are those on files below FAILN_UNDER, and on sockets of any kind for
 * accept and connect. At offset 512 stands what was seen: "GENERATION COUNT FIRED WHERE".
 * A failed write writes nothing; a failed fsync syncs nothing; a failed rename, open, accept or connect does nothing.
 * Failures: without FAILN_FILE nothing is counted. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#undef _FORTIFY_SOURCE
#define EXPORT    __attribute__((visibility("default")))
#define PAGE_SIZE 4096
#define SEEN_AT   512

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *page, under[300];
static size_t under_n;

static const struct {
	const char *name;
	int value;
} errors[] = { { "EIO", EIO }, { "ENOSPC", ENOSPC }, { "EMFILE", EMFILE }, { "ENOMEM", ENOMEM } };

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("FAILN_FILE"), *below = getenv("FAILN_UNDER");
	int fd = path ? (int)open(path, O_RDWR | O_CLOEXEC) : -1;

	(void)unsetenv("LD_PRELOAD"); /* helpers are not meant */
	if (fd < 0 || below == NULL)
		return;
	under_n = (size_t)snprintf(under, sizeof(under), "%s/", below);
	void *p = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED)
		page = p;
	(void)close(fd);
}

/* The errno that this call shall fail with; 0: it goes on. The count lives in the page: it goes on in the next process, and nothing
 * fails twice. */
static int hit(const char *kind, const char *where)
{
	char want[16] = "", err[16] = "";
	long g = 0, n = 0, seen = 0, count = 0;
	int ret = 0, fired = 0;

	pthread_mutex_lock(&lock);
	if (sscanf(page, "%ld %15s %15s %ld", &g, want, err, &n) == 4 && strcmp(kind, want) == 0) {
		if (sscanf(page + SEEN_AT, "%ld %ld %d", &seen, &count, &fired) != 3 || seen != g)
			count = fired = 0;
		for (size_t i = 0;
			!fired && count + 1 == n && i < sizeof(errors) / sizeof(errors[0]); i++)
			if (strcmp(err, errors[i].name) == 0)
				ret = errors[i].value;
		if (!fired)
			(void)snprintf(page + SEEN_AT, 400, "%ld %ld %d %.300s\n", g, count + 1,
				ret != 0, where);
	}
	pthread_mutex_unlock(&lock);
	return ret;
}

static bool armed(const char *kind)
{
	return page != NULL && strstr(page, kind) != NULL;
}

static int fd_hit(const char *kind, int fd)
{
	char link[40], path[300];

	if (!armed(kind) || fd < 3)
		return 0;
	int saved = errno;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = '\0';
	int e = strncmp(path, under, under_n) == 0 ? hit(kind, path + under_n) : 0;
	errno = saved;
	return e;
}

static int path_hit(const char *kind, const char *path)
{
	if (!armed(kind) || strncmp(path, under, under_n) != 0)
		return 0;
	return hit(kind, path + under_n);
}

#define REAL(name, ...)                \
	static __typeof__(name) *real; \
	if (real == NULL)              \
	*(void **)(void *)&real = dlsym(RTLD_NEXT, #name)
#define FAIL(e)                     \
	do {                        \
		int e_ = (e);       \
		if (e_ != 0) {      \
			errno = e_; \
			return -1;  \
		}                   \
	} while (0)

EXPORT ssize_t write(int fd, const void *p, size_t n)
{
	REAL(write);
	FAIL(fd_hit("write", fd));
	return real(fd, p, n);
}

EXPORT ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	REAL(pwrite);
	FAIL(fd_hit("write", fd));
	return real(fd, p, n, at);
}

EXPORT ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	REAL(pwrite64);
	FAIL(fd_hit("write", fd));
	return real(fd, p, n, at);
}

EXPORT int ftruncate(int fd, off_t n)
{
	REAL(ftruncate);
	FAIL(fd_hit("write", fd));
	return real(fd, n);
}

EXPORT int ftruncate64(int fd, off64_t n)
{
	REAL(ftruncate64);
	FAIL(fd_hit("write", fd));
	return real(fd, n);
}

EXPORT int fsync(int fd)
{
	REAL(fsync);
	FAIL(fd_hit("fsync", fd));
	return real(fd);
}

EXPORT int fdatasync(int fd)
{
	REAL(fdatasync);
	FAIL(fd_hit("fsync", fd));
	return real(fd);
}

EXPORT int rename(const char *from, const char *to)
{
	REAL(rename);
	FAIL(path_hit("rename", to));
	return real(from, to);
}

EXPORT int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	REAL(renameat);
	FAIL(armed("rename") ? hit("rename", to) : 0);
	return real(from_fd, from, to_fd, to);
}

#define MODE                                    \
	mode_t mode = 0;                        \
	if (flags & (O_CREAT | __O_TMPFILE)) {  \
		va_list ap;                     \
		va_start(ap, flags);            \
		mode = (mode_t)va_arg(ap, int); \
		va_end(ap);                     \
	}

EXPORT int open(const char *path, int flags, ...)
{
	MODE REAL(open);
	FAIL(path_hit("open", path));
	return real(path, flags, mode);
}

EXPORT int open64(const char *path, int flags, ...)
{
	MODE REAL(open64);
	FAIL(path_hit("open", path));
	return real(path, flags, mode);
}

EXPORT int openat(int fd, const char *path, int flags, ...)
{
	MODE REAL(openat);
	FAIL(path[0] == '/' ? path_hit("open", path) : fd_hit("open", fd));
	return real(fd, path, flags, mode);
}

EXPORT int openat64(int fd, const char *path, int flags, ...)
{
	MODE REAL(openat64);
	FAIL(path[0] == '/' ? path_hit("open", path) : fd_hit("open", fd));
	return real(fd, path, flags, mode);
}

/* What a fortified open(path, flags) becomes. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
EXPORT int __open_2(const char *path, int flags)
{
	return open(path, flags);
}

EXPORT int __open64_2(const char *path, int flags)
{
	return open(path, flags);
}

int __openat_2(int fd, const char *path, int flags);
EXPORT int __openat_2(int fd, const char *path, int flags)
{
	return openat(fd, path, flags);
}

EXPORT FILE *fopen(const char *path, const char *how)
{
	REAL(fopen);
	int e = path_hit("open", path);
	if (e != 0) {
		errno = e;
		return NULL;
	}
	return real(path, how);
}

EXPORT int accept(int fd, struct sockaddr *a, socklen_t *n)
{
	REAL(accept);
	FAIL(armed("accept") ? hit("accept", "socket") : 0);
	return real(fd, a, n);
}

EXPORT int accept4(int fd, struct sockaddr *a, socklen_t *n, int flags)
{
	REAL(accept4);
	FAIL(armed("accept") ? hit("accept", "socket") : 0);
	return real(fd, a, n, flags);
}

EXPORT int connect(int fd, const struct sockaddr *a, socklen_t n)
{
	REAL(connect);
	FAIL(armed("connect") ? hit("connect", "socket") : 0);
	return real(fd, a, n);
}
