/* store_import_rows.c - the rows of an import in sorted runs, and their merge.
 * Thread: workers, one at a time. Owns: a file without a name in the staging folder, the heads of its runs.
 * Bounds: a run is one block; RUNS_MAX runs are merged at once, each through HEAD_BYTES (a longer row widens its head); more
 * runs are first merged into longer ones behind them in the file.
 * Failures: errno of the file; a row that cannot be unpacked is -EBADMSG.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/file.h"
#include "store/store_import_internal.h"

#define RUNS_MAX   128
#define HEAD_BYTES 32768u
#define ROW_MAX    (4u << 20)

int stage_out_flush(struct stage_out *o)
{
	int rc = o->b.n ? fd_write_all(o->fd, o->b.p, o->b.n) : 0;
	buf_reset(&o->b);
	return rc;
}

int stage_out_add(struct stage_out *o, const void *p, size_t n)
{
	int rc = o->b.n + n > OUT_BYTES ? stage_out_flush(o) : 0;
	o->bytes += (int64_t)n;
	if (rc == 0 && n > OUT_BYTES)
		return fd_write_all(o->fd, p, n);
	return rc < 0 ? rc : buf_add(&o->b, p, n);
}

int rows_open(struct rows *r, const char *path)
{
	*r = (struct rows){ .out.fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW,
				    0600) };
	if (r->out.fd < 0)
		return -errno;
	(void)unlink(path);
	buf_init(&r->out.b, OUT_BYTES);
	return 0;
}

void rows_close(struct rows *r)
{
	if (r->out.fd >= 0)
		(void)close(r->out.fd);
	buf_done(&r->out.b);
	free(r->run);
	free(r->at);
	*r = (struct rows){ .out.fd = -1 };
}

/* --- order ---------------------------------------------------------------------------------------------------------------------- */

/* Kind and the first bytes of the address: most rows differ here already. Never larger where the row is smaller. */
static uint64_t prefix_of(const struct import_row *r)
{
	uint8_t b[8] = { (uint8_t)r->kind };
	uint64_t v;
	memcpy(b + 1, r->address.p, r->address.n < 7 ? r->address.n : 7);
	memcpy(&v, b, sizeof(v));
	return __builtin_bswap64(v);
}

static int order(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

int rows_cmp(const struct import_row *a, const struct import_row *b)
{
	int d = order(a->kind, b->kind);
	if (d == 0)
		d = str_cmp(a->address, b->address);
	if (d == 0)
		d = order(a->office_id, b->office_id);
	return d ? d : order(a->line, b->line);
}

/* --- runs ----------------------------------------------------------------------------------------------------------------------- */

struct rows_at { /* a row of the block that is being sorted */
	uint64_t prefix;
	const char *rec;
};

static int by_row(const void *x, const void *y)
{
	const struct rows_at *a = x, *b = y;
	struct import_row ra, rb;
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	(void)import_peek(a->rec, &ra);
	(void)import_peek(b->rec, &rb);
	return rows_cmp(&ra, &rb);
}

static int collect(struct rows *r, struct str block, size_t *ret_n)
{
	struct import_row row;
	enum step_do what;
	size_t n = 0;
	while (block.n > 0) {
		const char *from = block.p;
		if (!import_unpack(&block, &row, &what))
			return -EBADMSG;
		if (n == r->cap_at) {
			r->cap_at = r->cap_at ? 2 * r->cap_at : 8192;
			r->at = x_realloc(r->at, r->cap_at, sizeof(*r->at));
		}
		r->at[n++] = (struct rows_at){ prefix_of(&row), from };
	}
	*ret_n = n;
	return 0;
}

static struct rows_run *run_begin(struct rows *r)
{
	if (r->n_run == r->cap_run) {
		r->cap_run = r->cap_run ? 2 * r->cap_run : 16;
		r->run = x_realloc(r->run, r->cap_run, sizeof(*r->run));
	}
	r->run[r->n_run] = (struct rows_run){ .from = r->out.bytes };
	return &r->run[r->n_run++];
}

int rows_add(struct rows *r, struct str block)
{
	size_t n = 0;
	int rc = collect(r, block, &n);
	if (rc < 0 || n == 0)
		return rc;
	qsort(r->at, n, sizeof(*r->at), by_row);
	struct rows_run *run = run_begin(r);
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct import_row row;
		size_t len = import_peek(r->at[i].rec, &row);
		rc = stage_out_add(&r->out, r->at[i].rec, len);
	}
	run->to = r->out.bytes;
	return rc < 0 ? rc : stage_out_flush(&r->out);
}

/* --- merge ---------------------------------------------------------------------------------------------------------------------- */

struct head {           /* of one run */
	int64_t at, to; /* of the file: not read yet */
	char *p;
	size_t from, n, cap; /* bytes of p not taken yet */
	uint64_t prefix;
	struct import_row row;
	struct str rec;
};
struct rows_merge {
	int fd;
	struct head *heads;
	size_t n_heads;
	struct head *heap[RUNS_MAX]; /* the smallest row on top */
	size_t n;
	bool taken; /* the row on top was given out */
};

static int head_read(int fd, struct head *h, size_t want)
{
	memmove(h->p, h->p + h->from, h->n - h->from);
	h->n -= h->from;
	h->from = 0;
	if (want > h->cap) {
		if (want > ROW_MAX)
			return -EBADMSG;
		h->p = x_realloc(h->p, want, 1);
		h->cap = want;
	}
	while (h->n < h->cap && h->at < h->to) {
		int64_t left = h->to - h->at;
		size_t room = h->cap - h->n;
		ssize_t got = pread(
			fd, h->p + h->n, left < (int64_t)room ? (size_t)left : room, (off_t)h->at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EBADMSG;
		h->n += (size_t)got;
		h->at += got;
	}
	return h->n < want ? -EBADMSG : 0;
}

/* 1 a row, 0 the end of the run. */
static int head_next(int fd, struct head *h)
{
	enum step_do what;
	uint32_t len;
	int rc = 0;
	if (h->from == h->n && h->at == h->to)
		return 0;
	if (h->n - h->from < sizeof(len))
		rc = head_read(fd, h, sizeof(len));
	if (rc < 0)
		return rc;
	memcpy(&len, h->p + h->from, sizeof(len));
	if (h->n - h->from < sizeof(len) + len)
		rc = head_read(fd, h, sizeof(len) + len);
	if (rc < 0)
		return rc;
	struct str rest = { h->p + h->from, h->n - h->from };
	if (!import_unpack(&rest, &h->row, &what))
		return -EBADMSG;
	h->rec = (struct str){ h->p + h->from, sizeof(len) + len };
	h->from += h->rec.n;
	h->prefix = prefix_of(&h->row);
	return 1;
}

static bool less(const struct head *a, const struct head *b)
{
	return a->prefix != b->prefix ? a->prefix < b->prefix : rows_cmp(&a->row, &b->row) < 0;
}

static void sink(struct rows_merge *m, size_t i)
{
	for (;;) {
		size_t low = i, l = 2 * i + 1;
		if (l < m->n && less(m->heap[l], m->heap[low]))
			low = l;
		if (l + 1 < m->n && less(m->heap[l + 1], m->heap[low]))
			low = l + 1;
		if (low == i)
			return;
		struct head *h = m->heap[i];
		m->heap[i] = m->heap[low];
		m->heap[low] = h;
		i = low;
	}
}

static int merge_begin(struct rows *r, size_t first, size_t n, struct rows_merge **ret)
{
	CLEANUP(rows_merge_close) struct rows_merge *m = x_calloc(1, sizeof(*m));
	m->fd = r->out.fd;
	m->heads = x_calloc(n ? n : 1, sizeof(*m->heads));
	m->n_heads = n;
	REQUIRE(n <= RUNS_MAX);
	for (size_t i = 0; i < n; i++) {
		struct head *h = &m->heads[i];
		*h = (struct head){ .at = r->run[first + i].from, .to = r->run[first + i].to };
		h->p = x_calloc(HEAD_BYTES, 1);
		h->cap = HEAD_BYTES;
		int rc = head_next(m->fd, h);
		if (rc < 0)
			return rc;
		if (rc == 1)
			m->heap[m->n++] = h;
	}
	for (size_t i = m->n / 2; i-- > 0;)
		sink(m, i);
	*ret = MOVE(m);
	return 0;
}

/* The head with the next row, or NULL and 0 at the end. */
static int merge_step(struct rows_merge *m, const struct head **ret)
{
	if (m->taken) {
		int rc = head_next(m->fd, m->heap[0]);
		if (rc < 0)
			return rc;
		if (rc == 0)
			m->heap[0] = m->heap[--m->n];
		sink(m, 0);
	}
	m->taken = m->n > 0;
	*ret = m->n ? m->heap[0] : NULL;
	return m->n > 0;
}

int rows_merge_next(struct rows_merge *m, struct import_row *ret)
{
	const struct head *h = NULL;
	int rc = merge_step(m, &h);
	if (rc == 1)
		*ret = h->row;
	return rc;
}

void rows_merge_close(struct rows_merge *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_heads; i++)
		free(m->heads[i].p);
	free(m->heads);
	free(m);
}

/* The first RUNS_MAX runs become one, behind all others. */
static int runs_join(struct rows *r)
{
	CLEANUP(rows_merge_close) struct rows_merge *m = NULL;
	const struct head *h = NULL;
	int rc = merge_begin(r, 0, RUNS_MAX, &m);
	if (rc < 0)
		return rc;
	struct rows_run *run = run_begin(r);
	while ((rc = merge_step(m, &h)) == 1) {
		rc = stage_out_add(&r->out, h->rec.p, h->rec.n);
		if (rc < 0)
			return rc;
	}
	if (rc == 0)
		rc = stage_out_flush(&r->out);
	run->to = r->out.bytes;
	r->n_run -= RUNS_MAX;
	memmove(r->run, r->run + RUNS_MAX, r->n_run * sizeof(*r->run));
	return rc;
}

int rows_merge_open(struct rows *r, struct rows_merge **ret)
{
	int rc = 0;
	while (rc == 0 && r->n_run > RUNS_MAX)
		rc = runs_join(r);
	return rc < 0 ? rc : merge_begin(r, 0, r->n_run, ret);
}
