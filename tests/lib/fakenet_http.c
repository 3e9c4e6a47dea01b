/* fakenet_http.c - requests of the scripted network, and its life.
 * Thread: the test's. Owns: the ledger of calls. A body with sources is read when the request "arrives". */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "fakenet_internal.h"

#define TEXT_MAX (64u << 20)

static struct fakenet *of(struct net *n)
{
	return (struct fakenet *)(void *)n;
}

static void sources_release(struct fakenet_call *c)
{
	for (size_t i = 0; i < c->n_sources; i++)
		c->sources[i]->release(c->sources[i]);
	c->n_sources = 0;
}

static void finish(struct fakenet_call *c, enum net_phase phase, int error, const char *why)
{
	struct net_http_res r = { .phase = phase, .error_code = error };

	sources_release(c);
	c->done = true;
	if (why != NULL)
		r.error = str_of(why);
	if (phase == NET_ANSWERED) {
		r.status = c->answer.status;
		r.body = str_of(c->answer.body != NULL ? c->answer.body : "");
	}
	c->cb(c->ctx, &r);
}

static void call_fire(struct timer *t)
{
	struct fakenet_call *c = CONTAINER_OF(t, struct fakenet_call, timer);

	if (c->cancelled) {
		finish(c, c->arrived ? NET_MAYBE_SENT : NET_NOT_SENT, -ECANCELED, "cancelled");
		return;
	}
	switch (c->answer.how) {
	case FAKENET_ANSWER:
		c->effect = true;
		finish(c, NET_ANSWERED, 0, NULL);
		break;
	case FAKENET_REFUSED: finish(c, NET_NOT_SENT, -ECONNREFUSED, "refused"); break;
	case FAKENET_LOST_BEFORE: finish(c, NET_MAYBE_SENT, -ECONNRESET, "cut"); break;
	case FAKENET_LOST_AFTER:
		c->effect = true;
		finish(c, NET_MAYBE_SENT, -ECONNRESET, "cut");
		break;
	case FAKENET_GARBAGE: finish(c, NET_MAYBE_SENT, -EPROTO, "no HTTP at all"); break;
	}
}

static void schedule(struct fakenet_call *c, const struct fakenet_answer *a)
{
	c->answer = *a;
	c->scripted = true;
	c->arrived = a->how != FAKENET_REFUSED;
	timer_set(c->fn->env, &c->timer, env_mono(c->fn->env) + a->after_ms);
}

static bool script_next(struct fakenet *f, struct fakenet_answer *ret)
{
	if (f->n_answers == 0) {
		*ret = f->otherwise;
		return f->has_otherwise;
	}
	*ret = f->answers[0];
	if (f->answers[0].times != 0 && --f->answers[0].times == 0) {
		f->n_answers--;
		memmove(&f->answers[0], &f->answers[1], f->n_answers * sizeof(f->answers[0]));
	}
	return true;
}

static void add_seg(struct fakenet_call *c, struct buf *body, const struct net_seg *g)
{
	if (g->source != NULL) {
		REQUIRE(c->n_sources < NET_FIELDS_MAX);
		c->sources[c->n_sources++] = g->source;
	}
	(void)buf_add(
		body, g->source == NULL ? g->bytes.p : NULL, g->source == NULL ? g->bytes.n : 0);
}

static char *text_of(struct buf *b)
{
	size_t n;
	char *p = buf_take(b, &n);

	return p != NULL ? p : x_strdup("");
}

static int http(struct net *n, const struct net_http_req *r, struct net_call **ret)
{
	struct fakenet *f = of(n);
	struct fakenet_answer a;
	struct buf b;

	if (f->n_calls == FAKENET_CALLS_MAX)
		return -EAGAIN;
	struct fakenet_call *c = x_calloc(1, sizeof(*c));
	if ((f->n_calls & (f->n_calls - 1)) == 0)
		f->calls = x_realloc(f->calls, f->n_calls != 0 ? f->n_calls * 2 : 1,
			sizeof(struct fakenet_call *));
	f->calls[f->n_calls++] = c;
	c->fn = f;
	c->handle = (struct net_call *)(void *)c;
	c->method = x_strndup(r->method.p, r->method.n);
	c->url = x_strndup(r->url.p, r->url.n);
	c->flags = r->flags;
	c->cb = r->done;
	c->ctx = r->ctx;
	f->publishing_calls += (r->flags & NET_PUBLISHES) != 0;
	buf_init(&b, TEXT_MAX);
	for (size_t i = 0; i < r->n_headers; i++)
		(void)buf_addf(&b, STR_FMT ": " STR_FMT "\n", STR_ARG(r->headers[i].name),
			STR_ARG(r->headers[i].value));
	c->headers = text_of(&b);
	buf_init(&b, TEXT_MAX);
	for (size_t i = 0; i < r->n_body; i++)
		add_seg(c, &b, &r->body[i]);
	for (size_t i = 0; i < r->n_fields; i++)
		for (size_t k = 0; k < r->fields[i].n_segs; k++)
			add_seg(c, &b, &r->fields[i].segs[k]);
	c->body = text_of(&b);
	timer_init(&c->timer, call_fire);
	if (script_next(f, &a))
		schedule(c, &a);
	*ret = c->handle;
	return 0;
}

static void http_cancel(struct net *n, struct net_call *h)
{
	struct fakenet_call *c = (struct fakenet_call *)(void *)h;

	(void)n;
	REQUIRE(!c->done);
	c->cancelled = true;
	timer_set(c->fn->env, &c->timer, env_mono(c->fn->env));
}

static const struct net_ops ops = { .http = http,
	.http_cancel = http_cancel,
	.stream_open = fakenet_stream_open,
	.stream_write = fakenet_stream_write,
	.stream_flushed = fakenet_stream_flushed,
	.stream_close = fakenet_stream_close };

struct fakenet *fakenet_new(struct env *env)
{
	struct fakenet *f = x_calloc(1, sizeof(*f));

	f->net.ops = &ops;
	f->env = env;
	return f;
}

static void call_free(struct fakenet_call *c)
{
	timer_stop(c->fn->env, &c->timer);
	if (!c->done)
		finish(c, c->arrived ? NET_MAYBE_SENT : NET_NOT_SENT, -ECANCELED, "gone");
	free(c->method);
	free(c->url);
	free(c->headers);
	free(c->body);
	free(c);
}

void fakenet_free(struct fakenet *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n_calls; i++)
		call_free(f->calls[i]);
	for (size_t i = 0; i < f->n_streams; i++)
		fakenet_stream_free(f->streams[i]);
	free(f->calls);
	free(f->streams);
	free(f);
}

void fakenet_script(struct fakenet *f, const struct fakenet_answer *a)
{
	REQUIRE(f->n_answers < ARRAY_LEN(f->answers));
	f->answers[f->n_answers++] = *a;
}

void fakenet_reply(struct fakenet *f, size_t call, const struct fakenet_answer *a)
{
	REQUIRE(call < f->n_calls);
	REQUIRE(!f->calls[call]->done);
	schedule(f->calls[call], a);
}
