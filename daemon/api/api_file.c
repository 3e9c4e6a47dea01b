/* api_file.c - a file as an answer, whole or one range of it: workers read ahead, the connection sleeps while there is nothing to send.
 * Thread: loop; the read itself on a worker. Owns: the descriptor, one block.
 * Failures: a read error or a file that became shorter cuts the connection, so that the client sees it is not whole.
 */
#include <stdio.h>
#include <unistd.h>
#include <string.h>
#include "api/api_http.h"
#include "base/assert.h"

#define FILE_BLOCK 131072u

struct api_file {
	struct work work;
	struct api_call *call;
	int fd;
	uint64_t base, size,
		at; /* what is sent begins at base and has size bytes; at: offset of block[0] in it */
	size_t have;
	ssize_t got; /* of the read that has just run */
	bool reading, dropped, broken;
	char block[FILE_BLOCK];
};

static void api_file_free(struct api_file *f)
{
	(void)close(f->fd);
	api_call_unref(f->call);
	xfree(f);
}

static void api_file_read(struct work *w)
{
	struct api_file *f = CONTAINER_OF(w, struct api_file, work);
	uint64_t left = f->size - f->at;
	f->got = pread(f->fd, f->block, left < FILE_BLOCK ? (size_t)left : FILE_BLOCK,
		(off_t)(f->base + f->at));
}

static void api_file_done(struct work *w)
{
	struct api_file *f = CONTAINER_OF(w, struct api_file, work);
	f->reading = false;
	if (f->dropped) {
		api_file_free(f);
		return;
	}
	f->broken = f->got <= 0;
	f->have = f->broken ? 0 : (size_t)f->got;
	if (f->call->mc != NULL)
		api_call_resume(f->call);
}

static ssize_t api_file_give(void *ctx, uint64_t pos, char *dst, size_t max)
{
	struct api_file *f = ctx;
	if (f->broken)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (pos < f->at + f->have && pos >= f->at) {
		size_t off = (size_t)(pos - f->at), n = f->have - off;
		if (n > max)
			n = max;
		memcpy(dst, f->block + off, n);
		return (ssize_t)n;
	}
	if (!f->reading) {
		f->at = pos;
		f->have = 0;
		f->reading = true;
		env_work(f->call->env, &f->work);
	}
	if (f->reading && !f->call->suspended)
		api_call_suspend(f->call);
	return 0;
}

static void api_file_drop(void *ctx)
{
	struct api_file *f = ctx;
	if (f->reading)
		f->dropped = true; /* the worker still writes into the block */
	else
		api_file_free(f);
}

static struct MHD_Response *api_file_part(struct api_call *c, int fd, uint64_t base, uint64_t size)
{
	struct api_file *f = x_calloc(1, sizeof(*f));
	f->work.fn = api_file_read;
	f->work.done = api_file_done;
	f->call = c;
	f->fd = fd;
	f->base = base;
	f->size = size;
	api_call_ref(c);
	struct MHD_Response *r = MHD_create_response_from_callback(
		size, 65536, api_file_give, f, api_file_drop);
	REQUIRE(r != NULL);
	return r;
}

/* "bytes=A-B", "bytes=A-", "bytes=-N". 1 a range, 0 the whole (none asked, several, or not understood), -ERANGE: beyond the end. */
static int api_file_range(struct str v, uint64_t size, uint64_t *ret_base, uint64_t *ret_n)
{
	int64_t a = -1, b = -1;
	if (!str_starts(v, "bytes="))
		return 0;
	v = (struct str){ v.p + 6, v.n - 6 };
	size_t dash = 0;
	while (dash < v.n && v.p[dash] != '-')
		dash++;
	struct str from = { v.p, dash }, to = { v.p + dash + 1, v.n - dash - (dash < v.n) };
	if (dash == v.n || (!from.n && !to.n) || (from.n && str_i64(from, 0, INT64_MAX, &a)) ||
		(to.n && str_i64(to, 0, INT64_MAX, &b)) || (from.n && to.n && b < a))
		return 0;
	if (!from.n) { /* the last b bytes */
		if (b == 0)
			return -ERANGE;
		*ret_n = (uint64_t)b < size ? (uint64_t)b : size;
		*ret_base = size - *ret_n;
		return size > 0 ? 1 : -ERANGE;
	}
	if ((uint64_t)a >= size)
		return -ERANGE;
	uint64_t end = to.n && (uint64_t)b < size ? (uint64_t)b + 1 : size;
	*ret_base = (uint64_t)a;
	*ret_n = end - (uint64_t)a;
	return 1;
}

struct MHD_Response *api_file_response(struct api_call *c, int fd, uint64_t size, int *ret_status)
{
	uint64_t base = 0, n = size;
	char text[100];
	const char *asked = c->mc == NULL
		? NULL
		: MHD_lookup_connection_value(c->mc, MHD_HEADER_KIND, MHD_HTTP_HEADER_RANGE);
	int range = api_file_range(str_of(asked), size, &base, &n);
	*ret_status = range == 1 ? MHD_HTTP_PARTIAL_CONTENT
		: range < 0      ? MHD_HTTP_RANGE_NOT_SATISFIABLE
				 : MHD_HTTP_OK;
	struct MHD_Response *r = api_file_part(c, fd, base, range < 0 ? 0 : n);
	(void)MHD_add_response_header(r, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
	if (range < 0)
		(void)snprintf(text, sizeof(text), "bytes */%llu", (unsigned long long)size);
	else
		(void)snprintf(text, sizeof(text), "bytes %llu-%llu/%llu", (unsigned long long)base,
			(unsigned long long)(base + n - 1), (unsigned long long)size);
	if (range)
		(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_RANGE, text);
	return r;
}
