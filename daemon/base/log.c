/* log.c - the ring between those who log and the one thread that writes.
 * Thread: any; one mutex, held only to copy a line. Owns: the ring and the writer thread; the descriptor is borrowed.
 * Happy path: line into the ring, writer wakes, waits until the descriptor takes bytes, writes whole lines.
 * Failures: a full ring drops the line and counts it; a descriptor that fails loses its chunk, which is counted too; one
 * that is stuck keeps only the writer waiting, and log_close leaves such a writer behind after its second.
 */
#include "base/log.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/buf.h"
#include "base/utf8.h"

#define LOG_LINE_MAX   1024u
#define LOG_NOTE_MAX   64u
#define LOG_CHUNK_MAX  (4096u - LOG_NOTE_MAX) /* with the note what a pipe takes in one piece */
#define LOG_RING_MIN   (4 * LOG_CHUNK_MAX)
#define LOG_RING_MAX   (64u << 20)
#define LOG_CLOSE_MS   1000
#define LOG_POLL_MS    50
#define LOG_STACK_SIZE (128u << 10)

struct logger {
	char *ring;
	size_t size, head, used; /* head: oldest byte */
	uint64_t dropped_untold;
	int64_t deadline_ms; /* monotonic; set with stop */
	pthread_t thread;
	pthread_cond_t wake;
	int fd;
	bool stop, finished, orphan; /* orphan: the writer frees it all */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* over `current` and every logger */
static struct logger *current;
static atomic_int level_max = -1; /* below every level: nowhere to log to */
static _Atomic uint64_t dropped;

static int64_t mono_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool ring_put(struct logger *l, const char *p, size_t n)
{
	if (n > l->size - l->used)
		return false;
	size_t at = (l->head + l->used) % l->size;
	size_t first = n < l->size - at ? n : l->size - at;

	memcpy(l->ring + at, p, first);
	memcpy(l->ring, p + first, n - first);
	l->used += n;
	return true;
}

static void drop_count(struct logger *l, uint64_t n)
{
	l->dropped_untold += n;
	atomic_fetch_add_explicit(&dropped, n, memory_order_relaxed);
}

/* Moves whole lines, as many as fit, from the ring to dst, which holds LOG_CHUNK_MAX. */
static size_t ring_take(struct logger *l, char *dst)
{
	size_t n = l->used < LOG_CHUNK_MAX ? l->used : LOG_CHUNK_MAX;
	size_t first = n < l->size - l->head ? n : l->size - l->head;

	memcpy(dst, l->ring + l->head, first);
	memcpy(dst + first, l->ring, n - first);
	while (n > 0 && dst[n - 1] != '\n')
		n--;
	l->head = (l->head + n) % l->size;
	l->used -= n;
	return n;
}

/* The line that tells how many were dropped; empty when none were. */
static size_t drop_tell(uint64_t count, char dst[static LOG_NOTE_MAX])
{
	if (count == 0)
		return 0;
	return (size_t)snprintf(
		dst, LOG_NOTE_MAX, "<4>ev=log.dropped count=%llu\n", (unsigned long long)count);
}

static bool logger_past_deadline(struct logger *l)
{
	pthread_mutex_lock(&lock);
	bool past = l->stop && mono_ms() >= l->deadline_ms;
	pthread_mutex_unlock(&lock);
	return past;
}

/* True once all is written; gives up at the deadline or when the descriptor is broken. */
static bool chunk_write(struct logger *l, const char *p, size_t n)
{
	while (n > 0) {
		struct pollfd pf = { .fd = l->fd, .events = POLLOUT };
		int ready = poll(&pf, 1, LOG_POLL_MS);
		if (ready <= 0) {
			if ((ready < 0 && errno != EINTR) || logger_past_deadline(l))
				return false;
			continue;
		}
		ssize_t wrote = write(l->fd, p, n);
		if (wrote < 0) {
			if (errno != EINTR && errno != EAGAIN)
				return false;
			if (logger_past_deadline(l))
				return false;
			continue;
		}
		p += wrote;
		n -= (size_t)wrote;
	}
	return true;
}

static uint64_t lines_in(const char *p, size_t n)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < n; i++)
		lines += p[i] == '\n';
	return lines;
}

static void logger_free(struct logger *l)
{
	(void)pthread_cond_destroy(&l->wake);
	free(l->ring);
	free(l);
}

/* One chunk from the ring to the descriptor, with a note about what was dropped before. Called and left with the lock. */
static void log_write_some(struct logger *l)
{
	char chunk[LOG_CHUNK_MAX + LOG_NOTE_MAX];
	size_t n = ring_take(l, chunk);
	uint64_t untold = l->dropped_untold;

	pthread_mutex_unlock(&lock);
	uint64_t lines = lines_in(chunk, n);
	n += drop_tell(untold, chunk + n);
	bool ok = chunk_write(l, chunk, n);
	pthread_mutex_lock(&lock);
	if (ok)
		l->dropped_untold -= untold;
	else
		drop_count(l, lines); /* told with the next chunk that gets through */
}

static void *log_writer(void *arg)
{
	struct logger *l = arg;

	pthread_mutex_lock(&lock);
	for (;;) {
		while (l->used == 0 && !l->stop)
			(void)pthread_cond_wait(&l->wake, &lock);
		if (l->used == 0 || (l->stop && mono_ms() >= l->deadline_ms))
			break;
		log_write_some(l);
	}
	l->finished = true;
	bool orphan = l->orphan;
	pthread_mutex_unlock(&lock);
	if (orphan)
		logger_free(l);
	return NULL;
}

/* The writer takes no signals: a closed pipe is an error code for it and no death of the daemon. */
static int writer_start(struct logger *l)
{
	sigset_t all, before;
	pthread_attr_t attr;

	(void)sigfillset(&all);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, LOG_STACK_SIZE);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	int r = pthread_create(&l->thread, &attr, log_writer, l);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attr);
	return -r;
}

int log_open(int fd, enum log_level max, size_t ring_bytes)
{
	int r = 0;

	if (fd < 0 || ring_bytes > LOG_RING_MAX)
		return -EINVAL;
	if (ring_bytes < LOG_RING_MIN)
		ring_bytes = LOG_RING_MIN;

	struct logger *l = x_calloc(1, sizeof(*l));
	l->ring = x_calloc(ring_bytes, 1);
	l->size = ring_bytes;
	l->fd = fd;
	(void)pthread_cond_init(&l->wake, NULL);

	pthread_mutex_lock(&lock);
	if (current)
		r = -EBUSY;
	else if ((r = writer_start(l)) == 0)
		current = l;
	pthread_mutex_unlock(&lock);
	if (r) {
		logger_free(l);
		return r;
	}
	atomic_store(&level_max, (int)max);
	return 0;
}

/* The writer ends by itself at the deadline, unless its write() is stuck; a little more time tells the two apart. */
static bool writer_join(struct logger *l)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	int64_t ns = until.tv_nsec + (LOG_CLOSE_MS + 2 * LOG_POLL_MS) * 1000000LL;
	until.tv_sec += (time_t)(ns / 1000000000);
	until.tv_nsec = (long)(ns % 1000000000);
	if (pthread_timedjoin_np(l->thread, NULL, &until) == 0)
		return true;

	pthread_mutex_lock(&lock);
	bool finished = l->finished;
	if (!finished) {
		l->orphan = true;
		(void)pthread_detach(l->thread);
	}
	pthread_mutex_unlock(&lock);
	if (finished)
		(void)pthread_join(l->thread, NULL);
	return finished;
}

void log_close(void)
{
	pthread_mutex_lock(&lock);
	struct logger *l = current;
	current = NULL;
	atomic_store(&level_max, -1);
	if (l) {
		l->stop = true;
		l->deadline_ms = mono_ms() + LOG_CLOSE_MS - 2 * LOG_POLL_MS;
		(void)pthread_cond_signal(&l->wake);
	}
	pthread_mutex_unlock(&lock);
	if (l && writer_join(l))
		logger_free(l);
}

void log_level_set(enum log_level max)
{
	pthread_mutex_lock(&lock);
	if (current)
		atomic_store(&level_max, (int)max);
	pthread_mutex_unlock(&lock);
}

/* "<N>text\n" in `line`; a text that is too long ends in "...". Returns the length. */
static size_t line_format(char line[static LOG_LINE_MAX], enum log_level level, const char *fmt,
	va_list ap) __attribute__((format(printf, 3, 0)));
static size_t line_format(
	char line[static LOG_LINE_MAX], enum log_level level, const char *fmt, va_list ap)
{
	size_t head = (size_t)snprintf(line, LOG_LINE_MAX, "<%d>", (int)level);
	size_t room = LOG_LINE_MAX - head - 1; /* for text and its NUL; one byte is kept for LF */
	int wanted = vsnprintf(line + head, room, fmt, ap);
	size_t n = wanted < 0 ? 0 : (size_t)wanted;

	if (n >= room) {
		struct str whole = { line + head, room - 1 };
		n = utf8_cut(whole, room - 4).n;
		memcpy(line + head + n, "...", 3);
		n += 3;
	}
	for (size_t i = head; i < head + n; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = ' '; /* one event, one line */
	line[head + n] = '\n';
	return head + n + 1;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char line[LOG_LINE_MAX];
	va_list ap;

	if ((int)level > atomic_load_explicit(&level_max, memory_order_relaxed))
		return;
	va_start(ap, fmt);
	size_t n = line_format(line, level, fmt, ap);
	va_end(ap);

	pthread_mutex_lock(&lock);
	struct logger *l = current;
	if (l) {
		if (!ring_put(l, line, n))
			drop_count(l, 1);
		(void)pthread_cond_signal(&l->wake);
	}
	pthread_mutex_unlock(&lock);
}

uint64_t log_dropped(void)
{
	return atomic_load_explicit(&dropped, memory_order_relaxed);
}

static bool value_is_plain(struct str s)
{
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c <= 0x20 || c == 0x7f || c == '"' || c == '\\' || c == '=')
			return false;
	}
	return utf8_valid(s, NULL);
}

/* One code point or one bad byte of s, escaped; returns its length in `piece`. */
static size_t value_escape(struct str *s, char piece[static 8])
{
	const char *at = s->p;
	unsigned char c = (unsigned char)*at;
	int32_t cp;

	if (c == '"' || c == '\\') {
		piece[0] = '\\';
		piece[1] = (char)c;
	} else if (c < 0x20 || c == 0x7f) {
		(void)snprintf(piece, 8, "\\x%02x", c);
	} else if (utf8_next(s, &cp)) {
		memcpy(piece, at, (size_t)(s->p - at));
		return (size_t)(s->p - at);
	} else {
		(void)snprintf(piece, 8, "\\x%02x", c);
	}
	s->p++;
	s->n--;
	return c == '"' || c == '\\' ? 2 : 4;
}

const char *log_quote(char *dst, size_t size, struct str s)
{
	size_t n = 0;

	REQUIRE(size >= 8);
	if (value_is_plain(s) && s.n < size) {
		(void)str_copy(dst, size, s);
		return dst;
	}
	dst[n++] = '"';
	while (s.n) {
		char piece[8];
		struct str rest = s;
		size_t len = value_escape(&rest, piece);
		size_t kept = rest.n ? 5 : 2; /* room for ..." and NUL, or for " and NUL */
		if (n + len + kept > size) {
			memcpy(dst + n, "...", 3);
			n += 3;
			break;
		}
		memcpy(dst + n, piece, len);
		n += len;
		s = rest;
	}
	dst[n++] = '"';
	dst[n] = '\0';
	return dst;
}
