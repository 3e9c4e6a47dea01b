/* streamscene.h - byte streams (A, B) against a scripted server on a thread of its own (P).
 *   P = peer_new(serve_echo, NULL); q = tcp(&A); open_it(&q); put(&A, p, n, &end); close_it(&A, false);
 */
#ifndef LANTOA_TESTS_NET_STREAMSCENE_H
#define LANTOA_TESTS_NET_STREAMSCENE_H

#include <stdio.h>
#include <stdlib.h>
#include "peerscene.h"
#include "../../lib/peer_tcp.h"

#define WAIT_MS 30000

static struct rec_stream A, B;

static inline int set_up(void **state)
{
	(void)state;
	memset(&A, 0, sizeof(A));
	memset(&B, 0, sizeof(B));
	return peers_open();
}

static inline struct net_stream_req tcp(struct rec_stream *rec)
{
	return (struct net_stream_req){ .kind = NET_TCP,
		.host = STR("127.0.0.1"),
		.port = peer_port(P),
		.on_event = rec_stream_event,
		.ctx = rec };
}

static inline void open_it(const struct net_stream_req *q)
{
	struct rec_stream *rec = q->ctx;
	assert_int_equal(net_stream_open(R.net, q, &rec->s), 0);
	assert_int_equal(rec->opens, 0);
	assert_true(peer_run_until(&R, rec_stream_over, rec, WAIT_MS));
	assert_string_equal(rec->error, "");
	assert_int_equal(rec->opens, 1);
}

static inline int put(struct rec_stream *rec, const void *p, size_t n, uint64_t *end)
{
	struct net_seg seg = { .bytes = { p, n } };
	return net_stream_write(R.net, rec->s, &seg, 1, end);
}

static inline void close_it(struct rec_stream *rec, bool reset)
{
	net_stream_close(R.net, rec->s, reset);
	assert_int_equal(rec->closes, 0);
	assert_true(peer_run_until(&R, rec_stream_closed, rec, WAIT_MS));
	assert_int_equal(rec->closes, 1);
}

/* --- servers --------------------------------------------------------------------------------- */

static inline void serve_echo(struct peer_conn *c, void *ctx)
{
	static __thread char buf[16384];
	ssize_t k;
	if (ctx != NULL && !peer_tls(c)) {
		peer_note(c, "handshake refused");
		return;
	}
	while ((k = peer_read(c, buf, sizeof(buf))) > 0)
		if (!peer_write(c, buf, (size_t)k))
			return;
	peer_note(c, "end");
}

/* Checks that bytes count up from 0, and notes how many came. Reads only after "read" was noted when ctx is set. */
static inline void serve_count(struct peer_conn *c, void *ctx)
{
	static __thread unsigned char buf[65536];
	size_t n = 0, bad = 0;
	ssize_t k;
	bool wait = ctx != NULL && strchr(ctx, 'w') != NULL,
	     tls = ctx != NULL && strchr(ctx, 't') != NULL;
	if (tls && !peer_tls(c))
		return;
	if (wait && !peer_wait_noted(c, "read", 60000))
		return;
	while ((k = peer_read(c, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < k; i++)
			bad += buf[i] != (unsigned char)((n + (size_t)i) % 251);
		n += (size_t)k;
	}
	peer_note(c, "counted %zu bad %zu", n, bad);
}

static inline void fill(unsigned char *p, size_t n, size_t from)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)((from + i) % 251);
}

static inline bool got_data(void *arg)
{
	return A.data_n >= *(size_t *)arg || A.closes > 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
