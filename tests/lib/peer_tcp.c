/* peer_tcp.c - see peer_tcp.h. One listening thread, one thread a connection, one mutex for list and ledger. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "peer_tcp.h"

#define NOTES_MAX 100000u
#define NOTE_SIZE 400u

extern char **environ;

struct peer {
	int fd, stop_fd;
	uint16_t port;
	peer_serve_fn *serve;
	void *ctx;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct peer_conn *conns[PEER_CONNS_MAX];
	unsigned n_conns;
	char **notes;
	size_t n_notes;
	bool stopping;
	const char *cert, *key;
};

struct peer_conn {
	struct peer *peer;
	int fd;
	unsigned no;
	pthread_t thread;
	char buf[8192];
	size_t off, n;
	void *ssl;
	bool reset, closed;
};

/* --- OpenSSL, found at run time: libcurl has brought it ------------------------------------------ */

static struct {
	void *(*method)(void);
	void *(*ctx_new)(void *);
	void (*ctx_free)(void *);
	int (*use_cert)(void *, const char *, int);
	int (*use_key)(void *, const char *, int);
	void *(*ssl_new)(void *);
	void (*ssl_free)(void *);
	int (*set_fd)(void *, int);
	int (*accept)(void *);
	int (*read)(void *, void *, int);
	int (*write)(void *, const void *, int);
	int (*shutdown)(void *);
} ssl;
static pthread_once_t ssl_once = PTHREAD_ONCE_INIT;

static void ssl_load(void)
{
	void *lib = dlopen("libssl.so.3", RTLD_NOW);
	static const char *const names[] = { "TLS_server_method", "SSL_CTX_new", "SSL_CTX_free",
		"SSL_CTX_use_certificate_chain_file", "SSL_CTX_use_PrivateKey_file", "SSL_new",
		"SSL_free", "SSL_set_fd", "SSL_accept", "SSL_read", "SSL_write", "SSL_shutdown" };
	void **to = (void **)&ssl;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		to[i] = lib != NULL ? dlsym(lib, names[i]) : NULL;
		if (to[i] == NULL) {
			(void)fprintf(stderr, "peer: libssl.so.3 has no %s\n", names[i]);
			abort();
		}
	}
}

bool peer_tls(struct peer_conn *c)
{
	(void)pthread_once(&ssl_once, ssl_load);
	void *ctx = ssl.ctx_new(ssl.method());
	if (ctx == NULL)
		return false;
	bool ok = ((int (*)(void *, const char *))(void *)ssl.use_cert)(ctx, c->peer->cert) == 1 &&
		ssl.use_key(ctx, c->peer->key, 1) == 1;
	if (ok) {
		c->ssl = ssl.ssl_new(ctx);
		ok = ssl.set_fd(c->ssl, c->fd) == 1 && ssl.accept(c->ssl) == 1;
	}
	ssl.ctx_free(ctx); /* the SSL keeps its own reference */
	return ok;
}

bool peer_cert_make(const char *dir, const char *name)
{
	return peer_cert_make_for(dir, name, "DNS:localhost,IP:127.0.0.1");
}

bool peer_cert_make_for(const char *dir, const char *name, const char *names)
{
	char cert[512], key[512], alt[256];
	(void)snprintf(alt, sizeof(alt), "subjectAltName=%s", names);
	(void)snprintf(cert, sizeof(cert), "%s/%s.pem", dir, name);
	(void)snprintf(key, sizeof(key), "%s/%s.key", dir, name);
	const char *argv[] = { "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
		"ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert, "-days",
		"2", "-subj", "/CN=localhost", "-addext", alt, NULL };
	char *args[sizeof(argv) / sizeof(argv[0])];
	memcpy(args, argv, sizeof(argv));
	posix_spawn_file_actions_t fa;
	(void)posix_spawn_file_actions_init(&fa);
	(void)posix_spawn_file_actions_addopen(&fa, 2, "/dev/null", 1, 0);
	pid_t pid;
	int r = posix_spawnp(&pid, "openssl", &fa, NULL, args, environ), st = -1;
	(void)posix_spawn_file_actions_destroy(&fa);
	if (r != 0 || waitpid(pid, &st, 0) != pid)
		return false;
	return WIFEXITED(st) && WEXITSTATUS(st) == 0;
}

/* --- ledger -------------------------------------------------------------------------------------- */

static void peer_note_add(struct peer *p, const char *text)
{
	(void)pthread_mutex_lock(&p->lock);
	if (p->n_notes < NOTES_MAX)
		p->notes[p->n_notes++] = strdup(text);
	(void)pthread_cond_broadcast(&p->changed);
	(void)pthread_mutex_unlock(&p->lock);
}

void peer_note(struct peer_conn *c, const char *fmt, ...)
{
	char text[NOTE_SIZE];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	peer_note_add(c->peer, text);
}

void peer_note_from_test(struct peer *p, const char *text)
{
	peer_note_add(p, text);
}

static unsigned peer_count_locked(const struct peer *p, const char *prefix)
{
	unsigned n = 0;
	for (size_t i = 0; i < p->n_notes; i++)
		if (strncmp(p->notes[i], prefix, strlen(prefix)) == 0)
			n++;
	return n;
}

unsigned peer_noted(struct peer *p, const char *prefix)
{
	(void)pthread_mutex_lock(&p->lock);
	unsigned n = peer_count_locked(p, prefix);
	(void)pthread_mutex_unlock(&p->lock);
	return n;
}

bool peer_note_get(struct peer *p, const char *prefix, char *ret, size_t size)
{
	bool found = false;
	(void)pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n_notes && !found; i++) {
		found = strncmp(p->notes[i], prefix, strlen(prefix)) == 0;
		if (found)
			(void)snprintf(ret, size, "%s", p->notes[i]);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return found;
}

static void peer_deadline(struct timespec *ts, int ms)
{
	(void)clock_gettime(CLOCK_REALTIME, ts);
	ts->tv_sec += ms / 1000;
	ts->tv_nsec += (long)(ms % 1000) * 1000000;
	if (ts->tv_nsec >= 1000000000) {
		ts->tv_sec++;
		ts->tv_nsec -= 1000000000;
	}
}

bool peer_wait_noted(struct peer_conn *c, const char *prefix, int ms)
{
	struct peer *p = c->peer;
	struct timespec until;
	int r = 0;
	peer_deadline(&until, ms);
	(void)pthread_mutex_lock(&p->lock);
	while (!p->stopping && r == 0 && (prefix == NULL || peer_count_locked(p, prefix) == 0))
		r = pthread_cond_timedwait(&p->changed, &p->lock, &until);
	bool ok = !p->stopping && prefix != NULL && peer_count_locked(p, prefix) > 0;
	(void)pthread_mutex_unlock(&p->lock);
	return ok;
}

bool peer_wait(struct peer_conn *c, int ms)
{
	(void)peer_wait_noted(c, NULL, ms);
	(void)pthread_mutex_lock(&c->peer->lock);
	bool ok = !c->peer->stopping;
	(void)pthread_mutex_unlock(&c->peer->lock);
	return ok;
}

/* --- bytes --------------------------------------------------------------------------------------- */

ssize_t peer_read(struct peer_conn *c, void *p, size_t n)
{
	if (c->off < c->n) {
		size_t k = c->n - c->off < n ? c->n - c->off : n;
		memcpy(p, c->buf + c->off, k);
		c->off += k;
		return (ssize_t)k;
	}
	if (c->ssl != NULL)
		return ssl.read(c->ssl, p, n > 16384 ? 16384 : (int)n);
	return recv(c->fd, p, n, 0);
}

bool peer_read_all(struct peer_conn *c, void *p, size_t n)
{
	char *to = p;
	while (n > 0) {
		ssize_t k = peer_read(c, to, n);
		if (k <= 0)
			return false;
		to += k;
		n -= (size_t)k;
	}
	return true;
}

bool peer_line(struct peer_conn *c, char *line, size_t size)
{
	size_t n = 0;
	for (;;) {
		if (c->off == c->n) {
			ssize_t k = peer_read(c, c->buf, sizeof(c->buf));
			if (k <= 0)
				return false;
			c->off = 0;
			c->n = (size_t)k;
		}
		char ch = c->buf[c->off++];
		if (ch == '\n')
			break;
		if (ch != '\r' && n + 1 < size)
			line[n++] = ch;
	}
	line[n] = '\0';
	return true;
}

bool peer_write(struct peer_conn *c, const void *p, size_t n)
{
	const char *from = p;
	while (n > 0) {
		ssize_t k = c->ssl != NULL ? ssl.write(c->ssl, from, n > 16384 ? 16384 : (int)n)
					   : send(c->fd, from, n, MSG_NOSIGNAL);
		if (k <= 0)
			return false;
		from += k;
		n -= (size_t)k;
	}
	return true;
}

bool peer_printf(struct peer_conn *c, const char *fmt, ...)
{
	char text[4096];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return n >= 0 && (size_t)n < sizeof(text) && peer_write(c, text, (size_t)n);
}

void peer_reset(struct peer_conn *c)
{
	c->reset = true;
}

unsigned peer_conn_no(const struct peer_conn *c)
{
	return c->no;
}

/* --- threads ------------------------------------------------------------------------------------- */

static void *peer_conn_run(void *arg)
{
	struct peer_conn *c = arg;
	c->peer->serve(c, c->peer->ctx);
	if (c->ssl != NULL) {
		(void)ssl.shutdown(c->ssl);
		ssl.ssl_free(c->ssl);
	}
	(void)pthread_mutex_lock(&c->peer->lock);
	if (c->reset) {
		struct linger l = { .l_onoff = 1, .l_linger = 0 };
		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	}
	(void)close(c->fd);
	c->closed = true;
	(void)pthread_mutex_unlock(&c->peer->lock);
	return NULL;
}

static void peer_accept(struct peer *p)
{
	int fd = accept4(p->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	(void)pthread_mutex_lock(&p->lock);
	if (p->n_conns == PEER_CONNS_MAX || p->stopping) {
		(void)pthread_mutex_unlock(&p->lock);
		(void)close(fd);
		return;
	}
	struct peer_conn *c = calloc(1, sizeof(*c));
	if (c == NULL)
		abort();
	c->peer = p;
	c->fd = fd;
	p->conns[p->n_conns++] = c;
	c->no = p->n_conns;
	if (pthread_create(&c->thread, NULL, peer_conn_run, c) != 0)
		abort();
	(void)pthread_mutex_unlock(&p->lock);
}

static void *peer_run(void *arg)
{
	struct peer *p = arg;
	for (;;) {
		struct pollfd fds[2] = { { .fd = p->fd, .events = POLLIN },
			{ .fd = p->stop_fd, .events = POLLIN } };
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return NULL;
		if (fds[1].revents != 0)
			return NULL;
		if (fds[0].revents != 0)
			peer_accept(p);
	}
}

struct peer *peer_new(peer_serve_fn *serve, void *ctx)
{
	struct peer *p = calloc(1, sizeof(*p));
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	if (p == NULL)
		abort();
	p->notes = calloc(NOTES_MAX, sizeof(*p->notes));
	p->serve = serve;
	p->ctx = ctx;
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	p->stop_fd = eventfd(0, EFD_CLOEXEC);
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->changed, NULL);
	if (p->notes == NULL || p->fd < 0 || p->stop_fd < 0 ||
		bind(p->fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 || listen(p->fd, 128) != 0 ||
		getsockname(p->fd, (struct sockaddr *)&sa, &len) != 0)
		abort();
	p->port = ntohs(sa.sin_port);
	if (pthread_create(&p->thread, NULL, peer_run, p) != 0)
		abort();
	return p;
}

void peer_free(struct peer *p)
{
	if (p == NULL)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->stopping = true;
	(void)pthread_cond_broadcast(&p->changed);
	(void)pthread_mutex_unlock(&p->lock);
	(void)eventfd_write(p->stop_fd, 1);
	(void)pthread_join(p->thread, NULL);
	for (unsigned i = 0; i < p->n_conns; i++) {
		(void)pthread_mutex_lock(&p->lock);
		if (!p->conns[i]->closed)
			(void)shutdown(p->conns[i]->fd, SHUT_RDWR);
		(void)pthread_mutex_unlock(&p->lock);
	}
	for (unsigned i = 0; i < p->n_conns; i++) {
		(void)pthread_join(p->conns[i]->thread, NULL);
		free(p->conns[i]);
	}
	for (size_t i = 0; i < p->n_notes; i++)
		free(p->notes[i]);
	free(p->notes);
	(void)close(p->fd);
	(void)close(p->stop_fd);
	(void)pthread_cond_destroy(&p->changed);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

uint16_t peer_port(const struct peer *p)
{
	return p->port;
}

unsigned peer_connections(const struct peer *p)
{
	struct peer *q;
	memcpy(&q, &p, sizeof(q));
	(void)pthread_mutex_lock(&q->lock);
	unsigned n = q->n_conns;
	(void)pthread_mutex_unlock(&q->lock);
	return n;
}

void peer_use_cert(struct peer *p, const char *cert_path, const char *key_path)
{
	p->cert = cert_path;
	p->key = key_path;
}
