/* net_stream.c - byte streams: queue, water marks, timeouts, events; what moves the bytes is a transport.
 * Thread: loop. Owns: the streams. Writes of one turn are gathered and leave in one task at its end.
 * Failures: the first reason wins; CLOSED is reported from a task, never from inside a call of the user.
 */
#include <string.h>
#include "base/assert.h"
#include "net/net_stream.h"

#define OPEN_MS       30000
#define DRAIN_MS      30000
#define LOOKS         8   /* for a TCP connection in the time that it has */
#define OPEN_GRACE_MS 250 /* libcurl's own timeout comes first and has the better words */

static struct net_stream *stream_check(struct net_stream *s)
{
	CHECK_OBJ(s, STREAM_MAGIC);
	return s;
}

static void stream_emit(struct net_stream *s, enum net_event type, struct str data)
{
	struct net_stream_ev ev = {
		.type = type,
		.stream = s,
		.flushed = s->out.flushed,
		.data = data,
		.was_open = s->was_open,
	};
	s->on_event(s->ctx, &ev);
}

/* --- the end --------------------------------------------------------------------------------- */

static void stream_free(struct net_stream *s)
{
	timer_stop(s->nc->env, &s->timer);
	task_cancel(&s->end);
	task_cancel(&s->started);
	list_del(&s->dirty);
	if (!list_empty(&s->node)) {
		list_del(&s->node);
		metric_set(s->nc->m.streams, (int64_t)--s->nc->n_streams);
	}
	out_done(&s->out);
	buf_done(&s->said);
	s->magic = 0;
	xfree(s);
}

static void stream_on_end(struct task *t)
{
	struct net_stream *s = stream_check(CONTAINER_OF(t, struct net_stream, end));
	struct net_stream_ev ev = {
		.type = NET_EV_CLOSED,
		.stream = s,
		.flushed = s->out.flushed,
		.data = s->refusal,
		.error_code = s->error_code,
		.exit_status = s->exit_status,
		.was_open = s->was_open,
	};
	if (s->error_code != 0)
		ev.error = str_of(s->error);
	if (!s->was_open)
		metric_add(s->nc->m.refused, 1);
	s->transport->stop(s);
	s->on_event(s->ctx, &ev);
	stream_free(s);
}

void stream_die(struct net_stream *s, int code, const char *text)
{
	if (s->dead)
		return;
	s->dead = true;
	s->open = false;
	s->error_code = code;
	if (code != 0)
		(void)str_copy(s->error, sizeof(s->error), str_of(text));
	timer_stop(s->nc->env, &s->timer);
	list_del(&s->dirty);
	env_defer(s->nc->env, &s->end);
}

void net_stream_end_all(struct net_curl *nc)
{
	while (!list_empty(&nc->all_streams)) {
		struct net_stream *s = CONTAINER_OF(nc->all_streams.next, struct net_stream, node);
		stream_die(s, -ECANCELED, "cancelled");
		task_cancel(&s->end);
		stream_on_end(&s->end);
	}
}

/* --- time ------------------------------------------------------------------------------------ */

/* Two limits: up to the connection, which is looked at now and then, and up to OPEN. */
static void stream_on_opening(struct net_stream *s)
{
	int64_t now = env_mono(s->nc->env);
	if (s->tcp_ms > 0 && s->transport->connected(s))
		s->tcp_ms = 0;
	int64_t by = s->began_ms + (s->tcp_ms > 0 ? s->tcp_ms : s->open_ms) + OPEN_GRACE_MS;
	if (now >= by) {
		stream_die(s, -ETIMEDOUT,
			s->tcp_ms > 0 ? "timed out while connecting" : "timed out while opening");
		return;
	}
	int64_t look = now + s->tcp_ms / LOOKS + 1;
	timer_set(s->nc->env, &s->timer, s->tcp_ms > 0 && look < by ? look : by);
}

static void stream_on_timer(struct timer *t)
{
	struct net_stream *s = stream_check(CONTAINER_OF(t, struct net_stream, timer));
	char text[64];
	if (s->draining) {
		stream_die(s, -ETIMEDOUT, "timed out while closing");
		return;
	}
	if (!s->open) {
		stream_on_opening(s);
		return;
	}
	int64_t due = s->last_ms + s->idle_ms;
	if (env_mono(s->nc->env) < due) {
		timer_set(s->nc->env, &s->timer, due);
		return;
	}
	(void)snprintf(text, sizeof(text), "nothing was read or sent for %d ms", s->idle_ms);
	stream_die(s, -ETIMEDOUT, text);
}

void stream_progress(struct net_stream *s)
{
	s->last_ms = env_mono(s->nc->env);
}

/* --- what transports report ------------------------------------------------------------------ */

void stream_opened(struct net_stream *s, struct str data)
{
	s->open = s->was_open = true;
	metric_add(s->nc->m.opened, 1);
	stream_progress(s);
	if (s->draining) {
		stream_mark_dirty(s);
		return;
	}
	timer_stop(s->nc->env, &s->timer);
	if (s->idle_ms > 0)
		timer_set(s->nc->env, &s->timer, s->last_ms + s->idle_ms);
	if (s->out.written > 0)
		stream_mark_dirty(s);
	stream_emit(s, NET_EV_OPEN, data);
}

void stream_data(struct net_stream *s, struct str data)
{
	if (!s->draining && !s->dead)
		stream_emit(s, NET_EV_DATA, data);
}

void stream_after_write(struct net_stream *s)
{
	if (s->dead)
		return;
	if (s->out.broken != 0) {
		stream_die(s, s->out.broken, "bytes of a write could not be read");
		return;
	}
	if (s->draining) {
		if (out_queued(&s->out) == 0 && !s->finishing) {
			s->finishing = true;
			s->transport->finish(s);
		}
		return;
	}
	if (s->want_drain && out_queued(&s->out) <= s->high_water / 2) {
		s->want_drain = false;
		stream_emit(s, NET_EV_DRAIN, (struct str){ 0 });
	}
}

void stream_mark_dirty(struct net_stream *s)
{
	if (s->dead || !list_empty(&s->dirty))
		return;
	list_push(&s->nc->dirty, &s->dirty);
	env_defer(s->nc->env, &s->nc->flush);
}

void net_stream_on_flush(struct task *t)
{
	struct net_curl *nc = CONTAINER_OF(t, struct net_curl, flush);
	struct list now;
	list_init(&now);
	while (!list_empty(&nc->dirty))
		list_push(&now, list_pop(&nc->dirty));
	while (!list_empty(&now)) {
		struct net_stream *s = stream_check(
			CONTAINER_OF(list_pop(&now), struct net_stream, dirty));
		if (s->open && !s->dead)
			s->transport->pump(s);
	}
}

static void stream_on_source(struct net_out *o)
{
	struct net_stream *s = stream_check(CONTAINER_OF(o, struct net_stream, out));
	if (s->open)
		stream_mark_dirty(s);
}

/* --- what the user calls --------------------------------------------------------------------- */

static int stream_req_check(const struct net_curl *nc, const struct net_stream_req *req)
{
	if (req->on_event == NULL || req->kind < NET_TCP || req->kind > NET_EXEC)
		return -EINVAL;
	if (req->kind == NET_EXEC) {
		size_t n = 0;
		if (req->argv == NULL || req->argv[0] == NULL || req->argv[0][0] != '/')
			return -EINVAL;
		while (req->argv[n] != NULL)
			if (++n > EXEC_ARGS_MAX)
				return -E2BIG;
	} else if (!net_host_ok(req->host) || req->port == 0) {
		return -EINVAL;
	}
	bool smtp = req->kind == NET_SMTP || req->kind == NET_SMTPS;
	if (smtp && !net_name_ok(req->ehlo_name))
		return -EINVAL;
	if (str_has_control(req->user) || str_has_control(req->login_options))
		return -EINVAL;
	if (nc->closing)
		return -EPIPE;
	return nc->n_streams < NET_STREAMS_MAX ? 0 : -EAGAIN;
}

int net_stream_start(struct net *n, const struct net_stream_req *req, struct net_stream **ret)
{
	struct net_curl *nc = net_curl_of(n);
	int r = stream_req_check(nc, req);
	if (r != 0)
		return r;
	struct net_stream *s = x_calloc(1, sizeof(*s));
	s->magic = STREAM_MAGIC;
	s->nc = nc;
	s->kind = req->kind;
	s->high_water = req->high_water != 0 ? req->high_water : NET_HIGH_WATER;
	s->on_event = req->on_event;
	s->ctx = req->ctx;
	s->idle_ms = req->idle_ms;
	s->began_ms = env_mono(nc->env);
	s->open_ms = req->connect_ms > 0 ? req->connect_ms : OPEN_MS;
	s->tcp_ms = req->tcp_ms > 0 && req->tcp_ms < s->open_ms && req->kind != NET_EXEC
		? req->tcp_ms
		: 0;
	s->exit_status = -1;
	list_init(&s->node);
	list_init(&s->dirty);
	timer_init(&s->timer, stream_on_timer);
	task_init(&s->end, stream_on_end);
	task_init(&s->started, NULL); /* a transport that opens at once sets it */
	out_init(&s->out, stream_on_source);
	buf_init(&s->said, STREAM_SAID_MAX);
	r = req->kind == NET_EXEC ? stream_exec_open(s, req) : stream_curl_open(s, req);
	if (r != 0) {
		stream_free(s);
		return r;
	}
	list_push(&nc->all_streams, &s->node);
	metric_set(nc->m.streams, (int64_t)++nc->n_streams);
	stream_on_opening(s);
	*ret = s;
	return 0;
}

static uint64_t stream_segs_len(const struct net_seg *segs, size_t n)
{
	uint64_t len = 0;
	for (size_t i = 0; i < n; i++)
		len += segs[i].source != NULL ? segs[i].source->length : segs[i].bytes.n;
	return len;
}

int net_stream_put(struct net *n, struct net_stream *s, const struct net_seg *segs, size_t n_segs,
	uint64_t *ret_end)
{
	UNUSED(n);
	stream_check(s);
	if (s->dead || s->draining) {
		net_segs_release(segs, n_segs);
		return -EPIPE;
	}
	uint64_t queued = out_queued(&s->out);
	if (queued > 0 && queued + stream_segs_len(segs, n_segs) > s->high_water) {
		s->want_drain = true;
		net_segs_release(segs, n_segs);
		return -EAGAIN;
	}
	int r = out_add(&s->out, segs, n_segs);
	if (r != 0)
		return r;
	if (ret_end != NULL)
		*ret_end = s->out.written;
	if (s->open)
		stream_mark_dirty(s);
	return 0;
}

uint64_t net_stream_count(struct net *n, const struct net_stream *s)
{
	UNUSED(n);
	return s->out.flushed;
}

void net_stream_end(struct net *n, struct net_stream *s, bool reset)
{
	UNUSED(n);
	stream_check(s);
	if (s->dead)
		return;
	if (reset || (!s->open && out_queued(&s->out) == 0)) {
		s->draining = true;
		stream_die(s, 0, NULL);
		return;
	}
	if (s->draining)
		return;
	s->draining = true;
	timer_set(s->nc->env, &s->timer,
		env_mono(s->nc->env) + (s->idle_ms > 0 ? s->idle_ms : DRAIN_MS));
	if (s->open)
		stream_mark_dirty(s);
}
