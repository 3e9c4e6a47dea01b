/* bench_feed.c - feeds an HTTP gateway as fast as it takes: N GET requests over K kept connections, one thread each. The number of the
 * phone is put where the target has a %07d. Prints how many were answered with 2xx, and the milliseconds.
 *   bench_feed PORT TARGET N K */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int port, total;
static const char *before, *after; /* of the number */
static atomic_int next, good;

static int dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* One answer with a Content-Length; its status, or 0. */
static int answer(int fd, int *ret_close)
{
	char b[8192];
	size_t n = 0;

	while (n < sizeof(b) - 1) {
		ssize_t got = read(fd, b + n, sizeof(b) - 1 - n);
		if (got <= 0)
			return 0;
		n += (size_t)got;
		b[n] = 0;
		const char *body = strstr(b, "\r\n\r\n"), *len = strcasestr(b, "content-length:");
		if (body == NULL || len == NULL || len > body)
			continue;
		if ((size_t)(b + n - body - 4) < strtoul(len + 15, NULL, 10))
			continue;
		*ret_close = strcasestr(b, "connection: close") != NULL;
		return (int)strtol(b + 9, NULL, 10);
	}
	return 0;
}

static void *run(void *arg)
{
	char req[4096];
	int fd = -1, i;

	while ((i = atomic_fetch_add(&next, 1)) < total) {
		int end = 0, tries = 0, status = 0;
		int n = snprintf(req, sizeof(req),
			"GET %s%07d%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", before, i, after);
		while (tries++ < 3 && status == 0) {
			if (fd < 0)
				fd = dial();
			if (fd >= 0 && write(fd, req, (size_t)n) == n)
				status = answer(fd, &end);
			if (fd >= 0 && (status == 0 || end)) {
				(void)close(fd);
				fd = -1;
			}
		}
		if (status >= 200 && status < 300)
			atomic_fetch_add(&good, 1);
	}
	if (fd >= 0)
		(void)close(fd);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t[64];
	struct timespec a, b;

	if (argc != 5) {
		(void)fputs("usage: bench_feed PORT TARGET N K; TARGET holds %07d\n", stderr);
		return 2;
	}
	port = (int)strtol(argv[1], NULL, 10);
	char *hole = strstr(argv[2], "%07d");
	if (hole == NULL)
		return 2;
	*hole = 0;
	before = argv[2];
	after = hole + 4;
	total = (int)strtol(argv[3], NULL, 10);
	int k = (int)strtol(argv[4], NULL, 10);
	k = k < 1 ? 1 : k > 64 ? 64 : k;
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < k; i++)
		if (pthread_create(&t[i], NULL, run, NULL) != 0)
			return 1;
	for (int i = 0; i < k; i++)
		(void)pthread_join(t[i], NULL);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	(void)printf("%d %lld\n", atomic_load(&good),
		(long long)(b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000);
	return 0;
}
