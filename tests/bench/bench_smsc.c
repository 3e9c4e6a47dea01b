/* bench_smsc.c - an SMSC as small and fast as one can be: takes every submit_sm, answers with an id that counts up or is random, and
 * sends a report for it in the same turn. One thread, one epoll. Prints its port; SIGUSR1 prints "submits reports acknowledged".
 *   bench_smsc PORT dec|random [reports]
 * Not a provider of the sandbox: it keeps no ledger, and knows two texts a phone apart only by counting. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNS_MAX 64
#define IN_MAX    (1u << 20)
#define OUT_MAX   (8u << 20)

struct conn {
	int fd;
	bool receives;
	size_t in_n, out_n, out_at;
	uint32_t seq;
	unsigned char in[IN_MAX], out[OUT_MAX];
};
static struct conn *conns[CONNS_MAX];
static uint64_t submits, reports, acks, counter, seed = 88172645463325252ull;
static int64_t first_ms, last_ms;
static bool random_ids, want_reports;
static volatile sig_atomic_t tell, quit;

static void on_signal(int no)
{
	if (no == SIGUSR1)
		tell = 1;
	else
		quit = 1;
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static uint32_t get32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(unsigned char *p, uint32_t v)
{
	p[0] = (unsigned char)(v >> 24);
	p[1] = (unsigned char)(v >> 16);
	p[2] = (unsigned char)(v >> 8);
	p[3] = (unsigned char)v;
}

static void pdu(
	struct conn *c, uint32_t id, uint32_t status, uint32_t seq, const void *body, size_t n)
{
	unsigned char *p = c->out + c->out_n;

	if (OUT_MAX - c->out_n < n + 16)
		return;
	put32(p, (uint32_t)n + 16);
	put32(p + 4, id);
	put32(p + 8, status);
	put32(p + 12, seq);
	if (n > 0)
		memcpy(p + 16, body, n);
	c->out_n += n + 16;
}

static size_t make_id(char *dst, size_t size)
{
	if (!random_ids)
		return (size_t)snprintf(dst, size, "%llu", (unsigned long long)++counter);
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)snprintf(dst, size, "%016llx", (unsigned long long)seed);
}

/* The C string at *at, or NULL; *at moves behind it. */
static const char *text(const unsigned char *b, size_t n, size_t *at)
{
	const unsigned char *nul = *at < n ? memchr(b + *at, 0, n - *at) : NULL;
	const char *from = (const char *)b + *at;

	if (nul == NULL)
		return NULL;
	*at = (size_t)(nul - b) + 1;
	return from;
}

static void report(const char *id, const char *dest)
{
	unsigned char b[400];
	struct conn *to = NULL;
	size_t n = 0, len = strlen(dest) + 1;
	char line[160];

	for (size_t i = 0; i < CONNS_MAX && to == NULL; i++)
		if (conns[i] != NULL && conns[i]->receives)
			to = conns[i];
	if (to == NULL)
		return;
	int k = snprintf(line, sizeof(line),
		"id:%s sub:001 dlvrd:001 submit date:2611220930 done date:2611220930 stat:DELIVRD err:000 text:",
		id);
	memcpy(b, "\0\1\1", 3);
	n = 3;
	memcpy(b + n, dest, len);
	n += len;
	memcpy(b + n, "\5\0BHXH\0\4\0\0\0\0\0\0\0\0", 16);
	n += 16;
	b[n++] = (unsigned char)k;
	memcpy(b + n, line, (size_t)k);
	to->seq = to->seq >= 0x7fffffff ? 1 : to->seq + 1;
	pdu(to, 5, 0, to->seq, b, n + (size_t)k);
	reports++;
}

static void submit(struct conn *c, uint32_t seq, const unsigned char *b, size_t n)
{
	size_t at = 0, id_n;
	char id[40];

	if (text(b, n, &at) == NULL)
		return;
	at += 2;
	if (text(b, n, &at) == NULL)
		return;
	at += 2;
	const char *dest = text(b, n, &at);
	if (dest == NULL || strlen(dest) > 30)
		return;
	id_n = make_id(id, sizeof(id));
	pdu(c, 0x80000004u, 0, seq, id, id_n + 1);
	if (submits++ == 0)
		first_ms = now_ms();
	last_ms = now_ms();
	if (want_reports && at + 6 < n)
		report(id, dest);
}

static void on_pdu(struct conn *c, uint32_t id, uint32_t seq, const unsigned char *b, size_t n)
{
	switch (id) {
	case 1:
	case 2:
	case 9:
		c->receives = id != 2;
		pdu(c, id | 0x80000000u, 0, seq, "bench", 6);
		break;
	case 4: submit(c, seq, b, n); break;
	case 6:
	case 0x15: pdu(c, id | 0x80000000u, 0, seq, NULL, 0); break;
	case 0x80000005u: acks++; break;
	default: break;
	}
}

static void conn_end(size_t i)
{
	(void)close(conns[i]->fd);
	free(conns[i]);
	conns[i] = NULL;
}

static bool flush(struct conn *c)
{
	while (c->out_at < c->out_n) {
		ssize_t n = write(c->fd, c->out + c->out_at, c->out_n - c->out_at);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		c->out_at += (size_t)n;
	}
	c->out_at = c->out_n = 0;
	return true;
}

static bool serve(struct conn *c)
{
	size_t at = 0;
	ssize_t got = 0;

	if (c->out_n < OUT_MAX / 2)
		got = read(c->fd, c->in + c->in_n, IN_MAX - c->in_n);
	if (got == 0 && c->out_n < OUT_MAX / 2)
		return false;
	if (got < 0 && errno != EAGAIN && errno != EINTR)
		return false;
	c->in_n += got > 0 ? (size_t)got : 0;
	while (c->in_n - at >= 16) {
		uint32_t n = get32(c->in + at);
		if (n < 16 || n > 70000)
			return false;
		if (c->in_n - at < n)
			break;
		on_pdu(c, get32(c->in + at + 4), get32(c->in + at + 12), c->in + at + 16, n - 16);
		at += n;
	}
	memmove(c->in, c->in + at, c->in_n - at);
	c->in_n -= at;
	return true;
}

static void take(int ep, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
	size_t i = 0;

	if (fd < 0)
		return;
	while (i < CONNS_MAX && conns[i] != NULL)
		i++;
	if (i == CONNS_MAX || (conns[i] = calloc(1, sizeof(*conns[i]))) == NULL) {
		(void)close(fd);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	conns[i]->fd = fd;
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = i };
	(void)epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}

static int listen_at(int port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	socklen_t n = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 64) < 0 ||
		getsockname(fd, (struct sockaddr *)&at, &n) < 0) {
		perror("bench_smsc");
		exit(1);
	}
	(void)printf("%d\n", ntohs(at.sin_port));
	(void)fflush(stdout);
	return fd;
}

static void say(void)
{
	tell = 0;
	(void)printf(
		"{\"submits\":%llu,\"reports\":%llu,\"acks\":%llu,\"first_ms\":%lld,\"last_ms\":%lld}\n",
		(unsigned long long)submits, (unsigned long long)reports, (unsigned long long)acks,
		(long long)first_ms, (long long)last_ms);
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	struct epoll_event ev[64];

	if (argc < 3) {
		(void)fputs("usage: bench_smsc PORT dec|random [reports]\n", stderr);
		return 2;
	}
	random_ids = strcmp(argv[2], "random") == 0;
	want_reports = argc > 3 && strcmp(argv[3], "reports") == 0;
	struct sigaction sa = { .sa_handler = on_signal };
	(void)sigaction(SIGUSR1, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	int ep = epoll_create1(EPOLL_CLOEXEC), listener = listen_at((int)strtol(argv[1], NULL, 10));
	struct epoll_event first = { .events = EPOLLIN, .data.u64 = UINT64_MAX };
	(void)epoll_ctl(ep, EPOLL_CTL_ADD, listener, &first);
	while (!quit) {
		bool full = false;
		for (size_t i = 0; i < CONNS_MAX; i++)
			full |= conns[i] != NULL && conns[i]->out_n > 0;
		int n = epoll_wait(ep, ev, 64, full ? 1 : 1000);
		if (tell)
			say();
		for (int i = 0; i < n; i++) {
			if (ev[i].data.u64 == UINT64_MAX)
				take(ep, listener);
			else if (conns[ev[i].data.u64] != NULL && !serve(conns[ev[i].data.u64]))
				conn_end(ev[i].data.u64);
		}
		for (size_t i = 0; i < CONNS_MAX; i++)
			if (conns[i] != NULL && !flush(conns[i]))
				conn_end(i);
	}
	return 0;
}
