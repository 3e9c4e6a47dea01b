/* net_out.c - the queue of one stream or of one request body.
 * Thread: loop. A source is read only when its turn is near, so at most OUT_AHEAD bytes of sources are in memory.
 * Failures: a source that breaks, or gives more than it promised, sets `broken`; the owner ends its stream or request.
 */
#include <string.h>
#include "base/assert.h"
#include "net/net_out.h"

#define OUT_BLOCK 32768u
#define OUT_AHEAD (4u * OUT_BLOCK)

struct out_block {
	struct out_block *next;
	size_t off, n; /* data[off .. n) is to be sent */
	char data[OUT_BLOCK];
};

struct out_node {
	struct out_node *next;
	struct net_source *source;
	uint64_t left;
	struct out_block *head, *tail; /* bytes that follow the source */
	size_t bytes;
};

void out_init(struct net_out *o, void (*on_ready)(struct net_out *o))
{
	memset(o, 0, sizeof(*o));
	o->on_ready = on_ready;
}

static void out_blocks_free(struct out_block *b)
{
	while (b != NULL) {
		struct out_block *next = b->next;
		xfree(b);
		b = next;
	}
}

static void out_source_release(struct net_source *s)
{
	s->ready = NULL;
	s->impl = NULL;
	s->release(s);
}

void out_done(struct net_out *o)
{
	out_blocks_free(o->head);
	out_blocks_free(o->spare);
	o->head = o->tail = o->spare = NULL;
	o->ready = 0;
	while (o->wait != NULL) {
		struct out_node *w = o->wait;
		o->wait = w->next;
		out_source_release(w->source);
		out_blocks_free(w->head);
		xfree(w);
	}
	o->wait_tail = NULL;
	o->n_sources = 0;
}

void net_segs_release(const struct net_seg *segs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (segs[i].source != NULL)
			segs[i].source->release(segs[i].source);
}

static struct out_block *out_block_new(struct net_out *o)
{
	struct out_block *b = o->spare;
	if (b != NULL)
		o->spare = NULL;
	else
		b = x_calloc(1, sizeof(*b));
	b->next = NULL;
	b->off = b->n = 0;
	return b;
}

/* Room at the end of a chain: at least one byte. */
static struct out_block *out_chain_room(
	struct net_out *o, struct out_block **head, struct out_block **tail)
{
	if (*tail != NULL && (*tail)->n < OUT_BLOCK)
		return *tail;
	struct out_block *b = out_block_new(o);
	if (*tail != NULL)
		(*tail)->next = b;
	else
		*head = b;
	*tail = b;
	return b;
}

static void out_chain_add(struct net_out *o, struct out_block **head, struct out_block **tail,
	const char *p, size_t n)
{
	while (n > 0) {
		struct out_block *b = out_chain_room(o, head, tail);
		size_t k = OUT_BLOCK - b->n < n ? OUT_BLOCK - b->n : n;
		memcpy(b->data + b->n, p, k);
		b->n += k;
		p += k;
		n -= k;
	}
}

void out_add_bytes(struct net_out *o, const void *p, size_t n)
{
	if (n == 0)
		return;
	if (o->wait_tail != NULL) {
		out_chain_add(o, &o->wait_tail->head, &o->wait_tail->tail, p, n);
		o->wait_tail->bytes += n;
	} else {
		out_chain_add(o, &o->head, &o->tail, p, n);
		o->ready += n;
	}
	o->written += n;
}

static void out_add_source(struct net_out *o, struct net_source *s)
{
	if (s->length == 0) {
		s->release(s);
		return;
	}
	struct out_node *w = x_calloc(1, sizeof(*w));
	w->source = s;
	w->left = s->length;
	if (o->wait_tail != NULL)
		o->wait_tail->next = w;
	else
		o->wait = w;
	o->wait_tail = w;
	o->n_sources++;
	o->written += s->length;
}

int out_add(struct net_out *o, const struct net_seg *segs, size_t n)
{
	uint64_t bytes = 0;
	size_t sources = 0;
	for (size_t i = 0; n <= NET_SEGS_MAX && i < n; i++) {
		if (segs[i].source != NULL)
			sources++;
		else
			bytes += segs[i].bytes.n;
	}
	if (n > NET_SEGS_MAX || bytes > NET_BYTES_MAX || o->n_sources + sources > NET_SEGS_MAX) {
		net_segs_release(segs, n);
		return -E2BIG;
	}
	for (size_t i = 0; i < n; i++) {
		if (segs[i].source != NULL)
			out_add_source(o, segs[i].source);
		else
			out_add_bytes(o, segs[i].bytes.p, segs[i].bytes.n);
	}
	return 0;
}

static void out_source_ready(struct net_source *s)
{
	struct net_out *o = s->impl;
	s->ready = NULL;
	o->on_ready(o);
}

/* The first source is used up: the bytes behind it become ready. */
static void out_next_source(struct net_out *o)
{
	struct out_node *w = o->wait;
	o->wait = w->next;
	if (o->wait == NULL)
		o->wait_tail = NULL;
	o->n_sources--;
	if (w->head != NULL) {
		if (o->tail != NULL)
			o->tail->next = w->head;
		else
			o->head = w->head;
		o->tail = w->tail;
		o->ready += w->bytes;
	}
	out_source_release(w->source);
	xfree(w);
}

static bool out_pull(struct net_out *o)
{
	struct out_node *w = o->wait;
	struct out_block *b = out_chain_room(o, &o->head, &o->tail);
	size_t room = OUT_BLOCK - b->n;
	if (room > w->left)
		room = (size_t)w->left;
	w->source->ready = NULL;
	ssize_t k = w->source->read(w->source, b->data + b->n, room);
	if (k < 0 || (size_t)k > room) {
		o->broken = k < 0 ? (int)k : -EIO;
		return false;
	}
	if (k == 0) {
		w->source->impl = o;
		w->source->ready = out_source_ready;
		return false;
	}
	b->n += (size_t)k;
	o->ready += (size_t)k;
	w->left -= (uint64_t)k;
	if (w->left == 0)
		out_next_source(o);
	return true;
}

static void out_drop_empty(struct net_out *o)
{
	while (o->head != NULL && o->head->off == o->head->n) {
		struct out_block *b = o->head;
		if (b->next == NULL && o->wait != NULL && b->n < OUT_BLOCK)
			return; /* a source is being read into it */
		o->head = b->next;
		if (o->head == NULL)
			o->tail = NULL;
		b->next = NULL;
		if (o->spare == NULL)
			o->spare = b;
		else
			xfree(b);
	}
}

size_t out_peek(struct net_out *o, const char **ret)
{
	while (o->wait != NULL && o->broken == 0 && o->ready < OUT_AHEAD)
		if (!out_pull(o))
			break;
	out_drop_empty(o);
	if (o->head == NULL || o->head->off == o->head->n)
		return 0;
	*ret = o->head->data + o->head->off;
	return o->head->n - o->head->off;
}

void out_sent(struct net_out *o, size_t n)
{
	REQUIRE(o->head != NULL && n <= o->head->n - o->head->off);
	o->head->off += n;
	o->ready -= n;
	o->flushed += n;
	out_drop_empty(o);
}
