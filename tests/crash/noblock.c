/* noblock.c - counts what could wait on the loop thread. An LD_PRELOAD library for check_long.sh, never part of the daemon.
 * Thread: any; only calls of the main thread are counted. Owns: one page, mapped from the file named in NOBLOCK_FILE.
 * Byte 0 of that file arms it ('1' counts, anything else does not); the rest is text: one line per place that called, with the
 * function, the count, the offset of the caller in its object and the object. Counted: opening files, reading and writing
 * regular ones, fsync and friends, name and user look-ups, sleeping, waiting for a thread, a child, a lock or a descriptor.
 * Failures: without NOBLOCK_FILE nothing is counted. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#undef _FORTIFY_SOURCE
#define EXPORT     __attribute__((visibility("default")))
#define PLACES_MAX 64
#define FILE_SIZE  16384

static char *page; /* shared with the script */
static pid_t loop; /* main thread of the daemon; a child that it forks to try an adapter may wait */
static struct place {
	const char *what;
	const void *from;
	unsigned long n;
} places[PLACES_MAX];

static void page_write(void)
{
	size_t at = 2;

	for (int i = 0; i < PLACES_MAX && places[i].n && at < FILE_SIZE - 400; i++) {
		Dl_info info = { 0 };
		(void)dladdr(places[i].from, &info);
		at += (size_t)snprintf(page + at, FILE_SIZE - at, "%s %lu %#lx %.200s\n",
			places[i].what, places[i].n,
			(unsigned long)((const char *)places[i].from -
				(const char *)info.dli_fbase),
			info.dli_fname ? info.dli_fname : "?");
	}
}

static void saw(const char *what, const void *from)
{
	if (!page || page[0] != '1' || gettid() != loop)
		return;
	int saved = errno;
	for (int i = 0; i < PLACES_MAX; i++) {
		struct place *p = &places[i];
		if (p->n && (p->what != what || p->from != from))
			continue;
		p->what = what;
		p->from = from;
		p->n++;
		break;
	}
	page_write();
	errno = saved;
}

static void saw_file(const char *what, int fd, const void *from)
{
	struct stat st;

	if (!page || page[0] != '1' || gettid() != loop)
		return;
	int saved = errno;
	if (fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
		saw(what, from);
	errno = saved;
}

__attribute__((constructor)) static void begin(void)
{
	const char *file = getenv("NOBLOCK_FILE");
	loop = getpid();
	int fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	if (ftruncate(fd, FILE_SIZE) == 0) {
		void *p = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (p != MAP_FAILED)
			page = p;
	}
	close(fd);
}

#define FROM __builtin_return_address(0)
#define REAL(type, name, args)   \
	static type(*real) args; \
	if (!real)               \
	*(void **)(&real) = dlsym(RTLD_NEXT, #name)
#define HOOK(type, name, args, pass, note) \
	EXPORT type name args;             \
	EXPORT type name args              \
	{                                  \
		REAL(type, name, args);    \
		note;                      \
		return real pass;          \
	}
#define HOOK_OPEN(name, args, before, pass)                                           \
	EXPORT int name args;                                                         \
	EXPORT int name args                                                          \
	{                                                                             \
		va_list ap;                                                           \
		va_start(ap, flags);                                                  \
		mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0; \
		va_end(ap);                                                           \
		static int(*real) before;                                             \
		if (!real)                                                            \
			*(void **)(&real) = dlsym(RTLD_NEXT, #name);                  \
		saw(#name, FROM);                                                     \
		return real pass;                                                     \
	}

HOOK_OPEN(open, (const char *path, int flags, ...), (const char *, int, ...), (path, flags, mode))
HOOK_OPEN(open64, (const char *path, int flags, ...), (const char *, int, ...), (path, flags, mode))
HOOK_OPEN(openat, (int dir, const char *path, int flags, ...), (int, const char *, int, ...),
	(dir, path, flags, mode))
HOOK(int, __open_2, (const char *path, int flags), (path, flags), saw("open", FROM))
HOOK(int, __open64_2, (const char *path, int flags), (path, flags), saw("open", FROM))
HOOK(FILE *, fopen, (const char *path, const char *mode), (path, mode), saw("fopen", FROM))
HOOK(FILE *, fopen64, (const char *path, const char *mode), (path, mode), saw("fopen", FROM))
HOOK(int, rename, (const char *a, const char *b), (a, b), saw("rename", FROM))
HOOK(int, unlink, (const char *a), (a), saw("unlink", FROM))
HOOK(ssize_t, read, (int fd, void *p, size_t n), (fd, p, n), saw_file("read", fd, FROM))
HOOK(ssize_t, __read_chk, (int fd, void *p, size_t n, size_t max), (fd, p, n, max),
	saw_file("read", fd, FROM))
HOOK(ssize_t, pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at),
	saw_file("pread", fd, FROM))
HOOK(ssize_t, pread64, (int fd, void *p, size_t n, off64_t at), (fd, p, n, at),
	saw_file("pread", fd, FROM))
HOOK(ssize_t, __pread_chk, (int fd, void *p, size_t n, off_t at, size_t max), (fd, p, n, at, max),
	saw_file("pread", fd, FROM))
HOOK(ssize_t, __pread64_chk, (int fd, void *p, size_t n, off64_t at, size_t max),
	(fd, p, n, at, max), saw_file("pread", fd, FROM))
HOOK(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n), saw_file("write", fd, FROM))
HOOK(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at),
	saw_file("pwrite", fd, FROM))
HOOK(ssize_t, pwrite64, (int fd, const void *p, size_t n, off64_t at), (fd, p, n, at),
	saw_file("pwrite", fd, FROM))
HOOK(int, fsync, (int fd), (fd), saw("fsync", FROM))
HOOK(int, fdatasync, (int fd), (fd), saw("fdatasync", FROM))
HOOK(int, ftruncate64, (int fd, off64_t n), (fd, n), saw("ftruncate", FROM))
HOOK(int, posix_fallocate, (int fd, off_t at, off_t n), (fd, at, n), saw("fallocate", FROM))
HOOK(int, getaddrinfo,
	(const char *node, const char *service, const struct addrinfo *h, struct addrinfo **r),
	(node, service, h, r), saw("getaddrinfo", FROM))
HOOK(int, getpwuid_r, (uid_t uid, struct passwd *pw, char *buf, size_t n, struct passwd **ret),
	(uid, pw, buf, n, ret), saw("getpwuid_r", FROM))
HOOK(int, getpwnam_r,
	(const char *name, struct passwd *pw, char *buf, size_t n, struct passwd **ret),
	(name, pw, buf, n, ret), saw("getpwnam_r", FROM))
HOOK(int, getgrouplist, (const char *user, gid_t gid, gid_t *v, int *n), (user, gid, v, n),
	saw("getgrouplist", FROM))
HOOK(int, nanosleep, (const struct timespec *t, struct timespec *left), (t, left),
	saw("nanosleep", FROM))
HOOK(int, usleep, (useconds_t us), (us), saw("usleep", FROM))
HOOK(int, pthread_join, (pthread_t t, void **ret), (t, ret), saw("pthread_join", FROM))
HOOK(int, pthread_cond_wait, (pthread_cond_t * c, pthread_mutex_t *m), (c, m),
	saw("pthread_cond_wait", FROM))
HOOK(int, pthread_cond_timedwait,
	(pthread_cond_t * c, pthread_mutex_t *m, const struct timespec *t), (c, m, t),
	saw("pthread_cond_timedwait", FROM))
HOOK(pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options),
	if (!(options & WNOHANG)) saw("waitpid", FROM))
HOOK(int, poll, (struct pollfd * v, nfds_t n, int ms), (v, n, ms), if (ms != 0) saw("poll", FROM))
HOOK(int, __poll_chk, (struct pollfd * v, nfds_t n, int ms, size_t max), (v, n, ms, max),
	if (ms != 0) saw("poll", FROM))
HOOK(int, select, (int n, fd_set *r, fd_set *w, fd_set *x, struct timeval *t), (n, r, w, x, t),
	if (!t || t->tv_sec || t->tv_usec) saw("select", FROM))

/* A lock counts when somebody else has it for longer than a thread needs to leave it. */
EXPORT int pthread_mutex_lock(pthread_mutex_t *m);
EXPORT int pthread_mutex_lock(pthread_mutex_t *m)
{
	REAL(int, pthread_mutex_lock, (pthread_mutex_t *));
	static int (*try)(pthread_mutex_t *);
	if (!try)
		*(void **)(&try) = dlsym(RTLD_NEXT, "pthread_mutex_trylock");
	if (!page || page[0] != '1' || gettid() != loop)
		return real(m);
	if (try(m) == 0)
		return 0;
	struct timespec a, b;
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	int rc = real(m);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	if ((b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec > 20000000L)
		saw("mutex>20ms", FROM);
	return rc;
}
