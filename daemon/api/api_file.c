/* api_file.c - a file as an answer: workers read ahead, the connection sleeps while there is nothing to send.
 * Thread: loop; the read itself on a worker. Owns: the descriptor, one block.
 * Failures: a read error or a file that became shorter cuts the connection, so that the client sees it is not whole.
 */
#include <unistd.h>
#include <string.h>
#include "api/api_http.h"
#include "base/assert.h"

#define FILE_BLOCK 131072u

struct api_file {
	struct work work;
	struct api_call *call;
	int fd;
	uint64_t size, at; /* at: offset of block[0] */
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
	f->got = pread(
		f->fd, f->block, left < FILE_BLOCK ? (size_t)left : FILE_BLOCK, (off_t)f->at);
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

struct MHD_Response *api_file_response(struct api_call *c, int fd, uint64_t size)
{
	struct api_file *f = x_calloc(1, sizeof(*f));
	f->work.fn = api_file_read;
	f->work.done = api_file_done;
	f->call = c;
	f->fd = fd;
	f->size = size;
	api_call_ref(c);
	struct MHD_Response *r = MHD_create_response_from_callback(
		size, 65536, api_file_give, f, api_file_drop);
	REQUIRE(r != NULL);
	return r;
}
