/* channel_slice.c - slices of asset files as net sources: read ahead in blocks of 192 KiB on a worker, base64 lines made there too,
 * never on the loop. One block ahead and one in use a source: two blocks are all the memory a slice has.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "channel/channel_internal.h"

#define BLOCK      (57u * 3 * 1024) /* a multiple of 57: base64 lines of blocks join without a seam */
#define SLICES_MAX 1024

struct block {
	char *p;
	size_t n, at;
};
struct slice {
	struct net_source src;
	struct channels *cs;
	char path[4096];
	int fd;
	uint64_t offset, left; /* of the file */
	uint32_t encode;
	struct block use, next;
	struct work work;
	bool reading, waited, released;
	int rc;
};

static void slice_free(struct slice *s)
{
	s->cs->slices--;
	channels_closed_if_done(s->cs);
	if (s->fd >= 0)
		(void)close(s->fd);
	free(s->use.p);
	free(s->next.p);
	free(s);
}

static int read_block(struct slice *s, char *raw, size_t want)
{
	if (s->fd < 0)
		s->fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (s->fd < 0)
		return -errno;
	for (size_t got = 0; got < want;) {
		ssize_t n = pread(s->fd, raw + got, want - got, (off_t)(s->offset + got));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0
				? -errno
				: -EIO; /* shorter than its row says: never send half a picture */
		got += (size_t)n;
	}
	return 0;
}

static void slice_run(struct work *w)
{
	struct slice *s = CONTAINER_OF(w, struct slice, work);
	size_t want = s->left < BLOCK ? (size_t)s->left : BLOCK;
	char *raw = malloc(want + 1);
	s->rc = raw ? read_block(s, raw, want) : -ENOMEM;
	if (s->rc) {
		free(raw);
		return;
	}
	if (s->encode == LT_BASE64_LINES) {
		char *text = malloc(base64_lines_len(want) + 1);
		s->rc = text ? 0 : -ENOMEM;
		s->next = (struct block){ .p = text,
			.n = text ? base64_lines(text, raw, want) : 0 };
		free(raw);
	} else {
		s->next = (struct block){ .p = raw, .n = want };
	}
	s->offset += want;
	s->left -= want;
}

static void slice_read_ahead(struct slice *s);

static void slice_done(struct work *w)
{
	struct slice *s = CONTAINER_OF(w, struct slice, work);
	s->reading = false;
	if (s->released) {
		slice_free(s);
		return;
	}
	if (s->waited) {
		s->waited = false;
		net_source_ready(&s->src);
	}
}

static void slice_read_ahead(struct slice *s)
{
	if (s->reading || s->next.p || !s->left || s->rc)
		return;
	s->reading = true;
	s->work = (struct work){ .fn = slice_run, .done = slice_done };
	env_work(s->cs->env, &s->work);
}

static ssize_t slice_read(struct net_source *src, void *dst, size_t cap)
{
	struct slice *s = CONTAINER_OF(src, struct slice, src);
	if (!s->reading && s->use.at == s->use.n &&
		s->next.p) { /* reading: next and rc are the worker's */
		free(s->use.p);
		s->use = s->next;
		s->next = (struct block){ 0 };
	}
	slice_read_ahead(s);
	if (s->use.at == s->use.n) {
		if (!s->reading && s->rc)
			return s->rc;
		s->waited = true;
		return 0;
	}
	size_t n = s->use.n - s->use.at < cap ? s->use.n - s->use.at : cap;
	memcpy(dst, s->use.p + s->use.at, n);
	s->use.at += n;
	return (ssize_t)n;
}

static void slice_release(struct net_source *src)
{
	struct slice *s = CONTAINER_OF(src, struct slice, src);
	s->released = true;
	if (!s->reading)
		slice_free(s);
}

struct net_source *slice_new(struct channels *cs, struct lt_str asset, uint64_t offset,
	uint64_t length, uint32_t encode, int *ret_rc)
{
	struct asset_id a = { 0 };
	int bad = asset_id_read(s_of(asset), &a);
	if (!length && a.bytes > offset)
		length = a.bytes - offset; /* to the end of a rendition, whose id says its size */
	if (cs->slices >= SLICES_MAX || bad || !length || encode > LT_BASE64_LINES) {
		*ret_rc = cs->slices >= SLICES_MAX
			? -EAGAIN
			: -EINVAL; /* of an asset a length is named: adapters know it from lt_asset */
		return NULL;
	}
	struct slice *s = x_calloc(1, sizeof(*s));
	s->cs = cs;
	s->fd = -1;
	s->offset = offset;
	s->left = length;
	s->encode = encode;
	asset_path(s->path, sizeof(s->path), cs->assets_dir, &a.hash);
	s->src.read = slice_read;
	s->src.release = slice_release;
	s->src.length = encode == LT_BASE64_LINES ? base64_lines_len((size_t)length) : length;
	cs->slices++;
	slice_read_ahead(s);
	return &s->src;
}
