/* httpscene.h - one HTTP request against a scripted server on a thread of its own (P); what came back stands in rec.
 *   P = peer_new(serve_echo, NULL); q = request("POST", "/x"); run(&q);   slow(n) is a body that comes in drops.
 */
#ifndef LANTOA_TESTS_NET_HTTPSCENE_H
#define LANTOA_TESTS_NET_HTTPSCENE_H

#include <stdio.h>
#include <stdlib.h>
#include "peerscene.h"
#include "../../lib/peer_http.h"

#define WAIT_MS 20000

static struct rec_http rec; /* large: not on the stack */
static char url_buf[256];

static inline int set_up(void **state)
{
	(void)state;
	memset(&rec, 0, sizeof(rec));
	return peers_open();
}

static inline struct str url(const char *path)
{
	(void)snprintf(url_buf, sizeof(url_buf), "http://127.0.0.1:%u%s", peer_port(P), path);
	return str_of(url_buf);
}

static inline struct net_http_req request(const char *method, const char *path)
{
	return (struct net_http_req){ .method = str_of(method),
		.url = url(path),
		.done = rec_http_done,
		.ctx = &rec,
		.total_ms = WAIT_MS };
}

static inline void run(const struct net_http_req *req)
{
	struct net_call *c;
	memset(&rec, 0, sizeof(rec));
	assert_int_equal(net_http(R.net, req, &c), 0);
	assert_int_equal(rec.calls, 0); /* never from inside the call */
	assert_true(peer_run_until(&R, rec_http_called, &rec, WAIT_MS));
	assert_int_equal(rec.calls, 1);
}

/* --- servers --------------------------------------------------------------------------------- */

static inline void serve_echo(struct peer_conn *c, void *ctx)
{
	struct peer_request r;
	char type[256] = "";
	(void)ctx;
	while (peer_http_read(c, &r)) {
		(void)peer_http_header(&r, "Content-Type", type, sizeof(type));
		peer_note(c, "type %s", type);
		peer_note(c, "bytes %zu", r.n);
		if (peer_http_header(&r, "X-Test", type, sizeof(type)))
			peer_note(c, "x-test %s", type);
		bool ok =
			peer_printf(c,
				"HTTP/1.1 201 Made\r\nDate: Sun, 22 Nov 2026 02:30:00 GMT\r\nX-Say: hi \r\n"
				"Content-Length: %zu\r\n\r\n",
				r.n) &&
			peer_write(c, r.body, r.n);
		peer_request_done(&r);
		if (!ok)
			return;
	}
}

static inline void serve_silence(struct peer_conn *c, void *ctx)
{
	struct peer_request r;
	(void)ctx;
	if (peer_http_read(c, &r))
		peer_request_done(&r);
	(void)peer_wait(c, 60000);
}

/* --- bodies that come later ------------------------------------------------------------------ */

struct slow_source {
	struct net_source src;
	struct timer later;
	uint64_t given;
	int waits, released, fail_at;
	bool may;
};

static inline void slow_ready(struct timer *t)
{
	struct slow_source *s = CONTAINER_OF(t, struct slow_source, later);
	s->may = true;
	net_source_ready(&s->src);
}

static inline ssize_t slow_read(struct net_source *src, void *dst, size_t cap)
{
	struct slow_source *s = CONTAINER_OF(src, struct slow_source, src);
	if (s->fail_at > 0 && s->waits == s->fail_at)
		return -EIO;
	if (!s->may) {
		s->waits++;
		timer_set(R.env, &s->later, env_mono(R.env) + 2);
		return 0;
	}
	size_t k = cap < 30000 ? cap : 30000;
	if (k > s->src.length - s->given)
		k = (size_t)(s->src.length - s->given);
	memset(dst, 'z', k);
	s->given += k;
	s->may = false;
	return (ssize_t)k;
}

static inline void slow_release(struct net_source *src)
{
	struct slow_source *s = CONTAINER_OF(src, struct slow_source, src);
	s->released++;
	timer_stop(R.env, &s->later);
}

static inline struct slow_source slow(uint64_t length)
{
	struct slow_source s = {
		.src = { .read = slow_read, .release = slow_release, .length = length }
	};
	timer_init(&s.later, slow_ready);
	return s;
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
