/* fakenet.c - byte streams of the scripted network; requests are in fakenet_http.c.
 * Thread: the test's. Owns: streams and what was written. A write with sources is read when it is flushed, as net does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "fakenet_internal.h"

#define WIRE_MAX (64u << 20)

struct fakenet_stream *fakenet_stream_of(struct net_stream *s)
{
	return (struct fakenet_stream *)(void *)s;
}

static void seg_drop(struct fakenet_seg *g)
{
	if (g->source != NULL)
		g->source->release(g->source);
	free(g->own);
	*g = (struct fakenet_seg){ 0 };
}

static void pend_drop(struct fakenet_stream *s)
{
	for (size_t i = 0; i < s->n_pend; i++)
		seg_drop(&s->pend[i]);
	s->n_pend = 0;
}

static void kick(struct fakenet_stream *s)
{
	env_defer(s->fn->env, &s->task);
}

static void on_ready(struct net_source *src)
{
	kick(src->impl);
}

/* Moves what the first segment has into `queue`; false when nothing moved. */
static bool pull(struct fakenet_stream *s)
{
	struct fakenet_seg *g = &s->pend[0];
	char block[16384];

	if (s->n_pend == 0)
		return false;
	if (g->source != NULL) {
		ssize_t n = g->source->read(g->source, block, sizeof(block));
		if (n < 0) {
			fakenet_cut(s, -EIO, "a source broke");
			return false;
		}
		if (n == 0) {
			g->source->impl = s;
			g->source->ready = on_ready;
			return false;
		}
		(void)buf_add(&s->queue, block, (size_t)n);
		g->bytes.n -= (size_t)n;
		if (g->bytes.n != 0)
			return true;
	} else {
		(void)buf_add(&s->queue, g->bytes.p, g->bytes.n);
	}
	seg_drop(g);
	s->n_pend--;
	memmove(g, g + 1, s->n_pend * sizeof(*g));
	return true;
}

static void flush(struct fakenet_stream *s)
{
	while (pull(s))
		;
	uint64_t can = s->hold ? (s->allow > s->flushed ? s->allow - s->flushed : 0) : s->queue.n;
	size_t n = can < s->queue.n ? (size_t)can : s->queue.n;
	if (n == 0)
		return;
	(void)buf_add(&s->wire, s->queue.p, n);
	REQUIRE(!s->wire.failed);
	buf_consume(&s->queue, n);
	s->flushed += n;
}

static void tell(struct fakenet_stream *s, enum net_event type, struct str data)
{
	struct net_stream_ev ev = { .type = type,
		.stream = s->handle,
		.flushed = s->flushed,
		.data = data,
		.was_open = s->opened };

	if (type == NET_EV_CLOSED) {
		ev.error = str_of(s->error);
		ev.error_code = s->error_code;
	}
	s->cb(s->ctx, &ev);
}

static void play(struct fakenet_stream *s)
{
	struct fakenet *f = s->fn;

	if (f->peer == NULL || s->gone || s->seen == s->wire.n)
		return;
	struct str fresh = { s->wire.p + s->seen, s->wire.n - s->seen };
	s->seen = s->wire.n;
	f->peer(f->peer_arg, s, fresh);
}

static void close_now(struct fakenet_stream *s)
{
	pend_drop(s);
	s->gone = true;
	tell(s, NET_EV_CLOSED, str_of(s->reply));
}

static void stream_turn(struct task *t)
{
	struct fakenet_stream *s = CONTAINER_OF(t, struct fakenet_stream, task);
	struct fakenet *f = s->fn;

	if (s->gone)
		return;
	if (s->tell_open && !s->closing && !s->tell_closed) {
		s->tell_open = false;
		s->opened = true;
		tell(s, NET_EV_OPEN, str_of(s->open_lines));
		if (f->peer != NULL && !s->gone)
			f->peer(f->peer_arg, s, (struct str){ "", 0 });
	}
	if (s->opened && !s->reset && !s->tell_closed)
		flush(s);
	if (s->opened)
		play(s);
	if (s->in.n != 0 && !s->closing) {
		size_t n;
		char *data = buf_take(&s->in, &n);
		tell(s, NET_EV_DATA, (struct str){ data, n });
		free(data);
	}
	if (s->refused && !s->closing && !s->tell_closed &&
		s->written - s->flushed < s->high_water) {
		s->refused = false;
		tell(s, NET_EV_DRAIN, (struct str){ 0 });
	}
	if (s->tell_closed || s->reset || (s->closing && s->flushed == s->written) ||
		(s->closing && !s->opened))
		close_now(s);
}

int fakenet_stream_open(struct net *n, const struct net_stream_req *r, struct net_stream **ret)
{
	struct fakenet *f = (struct fakenet *)(void *)n;

	if (f->refuse_streams || f->n_streams == FAKENET_STREAMS_MAX)
		return -EAGAIN;
	struct fakenet_stream *s = x_calloc(1, sizeof(*s));
	f->streams = x_realloc(f->streams, f->n_streams + 1, sizeof(struct fakenet_stream *));
	f->streams[f->n_streams++] = s;
	s->handle = (struct net_stream *)(void *)s;
	s->fn = f;
	s->kind = r->kind;
	s->port = r->port;
	s->starttls = r->starttls;
	s->hold = f->hold_new;
	s->high_water = r->high_water != 0 ? r->high_water : NET_HIGH_WATER;
	s->cb = r->on_event;
	s->ctx = r->ctx;
	(void)str_copy(s->host, sizeof(s->host), r->host);
	(void)str_copy(s->user, sizeof(s->user), r->user);
	(void)str_copy(s->password, sizeof(s->password), r->password);
	buf_init(&s->wire, WIRE_MAX);
	buf_init(&s->queue, WIRE_MAX);
	buf_init(&s->in, WIRE_MAX);
	task_init(&s->task, stream_turn);
	if (f->connect_error != 0)
		fakenet_cut(s, f->connect_error, "connection refused");
	else if (f->open_lines != NULL)
		fakenet_open(s, f->open_lines);
	*ret = s->handle;
	return 0;
}

static void segs_release(const struct net_seg *segs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (segs[i].source != NULL)
			segs[i].source->release(segs[i].source);
}

static void pend_add(struct fakenet_stream *s, const struct net_seg *g)
{
	if (s->n_pend == s->cap_pend) {
		s->cap_pend = s->cap_pend * 2 + 16;
		s->pend = x_realloc(s->pend, s->cap_pend, sizeof(*s->pend));
	}
	struct fakenet_seg *d = &s->pend[s->n_pend++];
	*d = (struct fakenet_seg){ .source = g->source };
	if (g->source != NULL) {
		d->bytes.n = (size_t)g->source->length;
		s->written += g->source->length;
		return;
	}
	d->own = x_calloc(g->bytes.n + 1, 1);
	if (g->bytes.n != 0)
		memcpy(d->own, g->bytes.p, g->bytes.n);
	d->bytes = (struct str){ d->own, g->bytes.n };
	s->written += g->bytes.n;
}

int fakenet_stream_write(struct net *n, struct net_stream *h, const struct net_seg *segs,
	size_t n_segs, uint64_t *ret_end)
{
	struct fakenet_stream *s = fakenet_stream_of(h);

	(void)n;
	REQUIRE(!s->gone); /* the stream is gone once CLOSED was told */
	if (s->closing || s->tell_closed || s->written - s->flushed >= s->high_water) {
		bool full = !s->closing && !s->tell_closed;
		segs_release(segs, n_segs);
		s->refused |= full;
		return full ? -EAGAIN : -EPIPE;
	}
	for (size_t i = 0; i < n_segs; i++)
		pend_add(s, &segs[i]);
	if (ret_end != NULL)
		*ret_end = s->written;
	kick(s);
	return 0;
}

uint64_t fakenet_stream_flushed(struct net *n, const struct net_stream *h)
{
	const struct fakenet_stream *s = (const struct fakenet_stream *)(const void *)h;

	(void)n;
	REQUIRE(!s->gone);
	return s->flushed;
}

void fakenet_stream_close(struct net *n, struct net_stream *h, bool reset)
{
	struct fakenet_stream *s = fakenet_stream_of(h);

	(void)n;
	REQUIRE(!s->gone);
	s->closing = true;
	s->reset |= reset;
	if (reset) {
		pend_drop(s);
		buf_reset(&s->queue);
	}
	kick(s);
}

static void set_text(char **at, const char *text)
{
	free(*at);
	*at = text != NULL ? x_strdup(text) : NULL;
}

void fakenet_open(struct fakenet_stream *s, const char *lines)
{
	set_text(&s->open_lines, lines);
	s->tell_open = true;
	kick(s);
}

void fakenet_say_n(struct fakenet_stream *s, const void *bytes, size_t n)
{
	(void)buf_add(&s->in, bytes, n);
	kick(s);
}

void fakenet_say(struct fakenet_stream *s, const char *bytes)
{
	fakenet_say_n(s, bytes, strlen(bytes));
}

void fakenet_cut(struct fakenet_stream *s, int error_code, const char *why)
{
	if (s->gone)
		return;
	set_text(&s->error, why);
	s->error_code = error_code;
	s->tell_closed = true;
	kick(s);
}

void fakenet_allow(struct fakenet_stream *s, uint64_t bytes_in_all)
{
	s->allow = bytes_in_all;
	kick(s);
}

void fakenet_release(struct fakenet_stream *s)
{
	s->hold = false;
	kick(s);
}

void fakenet_stream_free(struct fakenet_stream *s)
{
	if (!s->gone) {
		set_text(&s->error, "the network is gone");
		s->error_code = -ECANCELED;
		close_now(s);
	}
	task_cancel(&s->task);
	buf_done(&s->wire);
	buf_done(&s->queue);
	buf_done(&s->in);
	free(s->open_lines);
	free(s->reply);
	free(s->error);
	free(s->pend);
	free(s);
}
