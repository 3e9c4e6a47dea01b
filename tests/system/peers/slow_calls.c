/* slow_calls.c - an LD_PRELOAD library of system tests: a disk whose syncs take SLOW_FSYNC_MS, a directory that takes SLOW_LOGIN_MS to name a user,
 * a name service that never answers for the name SLOW_NAME, and, where SHORT_WAITS is set, sockets that wait for an answer a second at most.
 * Everything else goes straight through. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void wait_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
	while (nanosleep(&t, &t) != 0)
		;
}

static long sync_ms(void)
{
	const char *v = getenv("SLOW_FSYNC_MS");
	return v ? strtol(v, NULL, 10) : 0;
}

int fsync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
	wait_ms(sync_ms());
	return real(fd);
}

int fdatasync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
	wait_ms(sync_ms());
	return real(fd);
}

int getaddrinfo(
	const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	int (*real)(const char *, const char *, const struct addrinfo *,
		struct addrinfo **) = (int (*)(const char *, const char *, const struct addrinfo *,
		struct addrinfo **))dlsym(RTLD_NEXT, "getaddrinfo");
	const char *name = getenv("SLOW_NAME");
	if (name && node && strcmp(name, node) == 0) {
		const char *seen = getenv("SLOW_SEEN"); /* a file that shows that somebody asked */
		int fd = seen ? open(seen, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
		if (fd >= 0)
			(void)close(fd);
		wait_ms(600000);
		return EAI_AGAIN;
	}
	return real(node, service, hints, ret);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t n)
{
	int (*real)(int, int, int, const void *, socklen_t) = (int (*)(
		int, int, int, const void *, socklen_t))dlsym(RTLD_NEXT, "setsockopt");
	struct timeval second = { 1, 0 };
	if (level == SOL_SOCKET && name == SO_RCVTIMEO && getenv("SHORT_WAITS"))
		return real(fd, level, name, &second, sizeof(second));
	return real(fd, level, name, value, n);
}

int getpwuid_r(uid_t uid, struct passwd *pw, char *space, size_t n, struct passwd **ret)
{
	int (*real)(uid_t, struct passwd *, char *, size_t, struct passwd **) = (int (*)(uid_t,
		struct passwd *, char *, size_t, struct passwd **))dlsym(RTLD_NEXT, "getpwuid_r");
	const char *v = getenv("SLOW_LOGIN_MS");
	wait_ms(v ? strtol(v, NULL, 10) : 0);
	return real(uid, pw, space, n, ret);
}
