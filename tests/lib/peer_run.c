/* peer_run.c - see peer_run.h. */
#include <stdio.h>
#include <string.h>
#include "peer_run.h"

#define TICK_MS   5
#define LAG_EVERY 10

int peer_run_open(struct peer_run *r)
{
	struct err e = { 0 };
	int rc = loop_new(&r->loop, &e);
	if (rc == 0) {
		r->env = loop_env(r->loop);
		rc = net_curl_new(r->loop, &r->net, &e);
	}
	if (rc != 0)
		(void)fprintf(stderr, "peer_run: %s\n", e.text);
	return rc;
}

int peer_run_close(struct peer_run *r)
{
	net_curl_free(r->net);
	r->net = NULL;
	int rc = loop_free(r->loop);
	r->loop = NULL;
	return rc;
}

static void run_tick(struct timer *t)
{
	(void)t; /* makes one turn end */
}

bool peer_run_until(struct peer_run *r, bool (*done)(void *arg), void *arg, int64_t ms)
{
	struct timer tick;
	int64_t end = env_mono(r->env) + ms;
	timer_init(&tick, run_tick);
	bool ok = done(arg);
	while (!ok && env_mono(r->env) < end) {
		if (!timer_is_set(&tick))
			timer_set(r->env, &tick, env_mono(r->env) + TICK_MS);
		loop_run_once(r->loop);
		ok = done(arg);
	}
	timer_stop(r->env, &tick);
	return ok;
}

static bool run_never(void *arg)
{
	(void)arg;
	return false;
}

void peer_run_for(struct peer_run *r, int64_t ms)
{
	(void)peer_run_until(r, run_never, NULL, ms);
}

static void rec_copy(char *dst, size_t size, struct str s)
{
	if (s.p != NULL)
		(void)str_copy(dst, size, s);
}

void rec_http_done(void *ctx, const struct net_http_res *res)
{
	struct rec_http *r = ctx;
	r->calls++;
	r->phase = res->phase;
	r->status = res->status;
	r->error_code = res->error_code;
	r->truncated = res->truncated;
	r->date_ms = res->server_date_ms;
	r->n_headers = res->n_headers;
	r->body_n = res->body.n;
	rec_copy(r->body, sizeof(r->body), res->body);
	rec_copy(r->error, sizeof(r->error), res->error);
}

bool rec_http_called(void *rec)
{
	return ((struct rec_http *)rec)->calls > 0;
}

void rec_stream_event(void *ctx, const struct net_stream_ev *ev)
{
	struct rec_stream *r = ctx;
	r->flushed = ev->flushed;
	switch (ev->type) {
	case NET_EV_OPEN:
		r->opens++;
		rec_copy(r->ehlo, sizeof(r->ehlo), ev->data);
		break;
	case NET_EV_DATA:
		if (r->data_n < sizeof(r->data) - 1) {
			size_t room = sizeof(r->data) - 1 - r->data_n;
			memcpy(r->data + r->data_n, ev->data.p,
				ev->data.n < room ? ev->data.n : room);
		}
		r->data_n += ev->data.n;
		break;
	case NET_EV_DRAIN: r->drains++; break;
	case NET_EV_CLOSED:
		r->closes++;
		r->s = NULL;
		r->error_code = ev->error_code;
		r->exit_status = ev->exit_status;
		r->was_open = ev->was_open;
		rec_copy(r->refusal, sizeof(r->refusal), ev->data);
		rec_copy(r->error, sizeof(r->error), ev->error);
		break;
	}
	if (r->on != NULL)
		r->on(r, ev);
}

bool rec_stream_open(void *rec)
{
	return ((struct rec_stream *)rec)->opens > 0;
}

bool rec_stream_closed(void *rec)
{
	return ((struct rec_stream *)rec)->closes > 0;
}

bool rec_stream_over(void *rec)
{
	return rec_stream_open(rec) || rec_stream_closed(rec);
}

static void lag_on_timer(struct timer *t)
{
	struct rec_lag *l = CONTAINER_OF(t, struct rec_lag, timer);
	int64_t now = env_mono(l->run->env);
	if (now - l->due_ms > l->max_ms)
		l->max_ms = now - l->due_ms;
	l->due_ms = now + LAG_EVERY;
	timer_set(l->run->env, t, l->due_ms);
}

void rec_lag_start(struct rec_lag *l, struct peer_run *r)
{
	timer_init(&l->timer, lag_on_timer);
	l->run = r;
	l->max_ms = 0;
	l->due_ms = env_mono(r->env) + LAG_EVERY;
	timer_set(r->env, &l->timer, l->due_ms);
}

int64_t rec_lag_stop(struct rec_lag *l)
{
	int64_t now = env_mono(l->run->env);
	if (now - l->due_ms > l->max_ms)
		l->max_ms = now - l->due_ms;
	timer_stop(l->run->env, &l->timer);
	return l->max_ms;
}
