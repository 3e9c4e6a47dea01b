/* test_stream.c - byte streams: order, gathering, water marks, flushed offsets, closing, TLS, programs. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/assert.h"
#include "net/net.h"
#include "../../lib/peer_run.h"
#include "../../lib/peer_tcp.h"
#include "../../lib/tmpdir.h"

#define WAIT_MS 30000

static struct peer_run R;
static struct peer *P;
static struct rec_stream A, B;
static char *Dir;
static char Ca[16384];

static int set_up(void **state)
{
	(void)state;
	memset(&A, 0, sizeof(A));
	memset(&B, 0, sizeof(B));
	P = NULL;
	return peer_run_open(&R);
}

static int tear_down(void **state)
{
	(void)state;
	int rc = peer_run_close(&R);
	peer_free(P);
	return rc;
}

static int make_cert(void **state)
{
	(void)state;
	Dir = tmpdir_new();
	if (!peer_cert_make(Dir, "srv"))
		return -1;
	FILE *f = fopen(tmpdir_path(Dir, "srv.pem"), "r");
	if (f == NULL)
		return -1;
	size_t n = fread(Ca, 1, sizeof(Ca) - 1, f);
	Ca[n] = '\0';
	return fclose(f);
}

static int drop_cert(void **state)
{
	(void)state;
	tmpdir_remove(Dir);
	return 0;
}

static struct net_stream_req tcp(struct rec_stream *rec)
{
	return (struct net_stream_req){ .kind = NET_TCP,
		.host = STR("127.0.0.1"),
		.port = peer_port(P),
		.on_event = rec_stream_event,
		.ctx = rec };
}

static void open_it(const struct net_stream_req *q)
{
	struct rec_stream *rec = q->ctx;
	assert_int_equal(net_stream_open(R.net, q, &rec->s), 0);
	assert_int_equal(rec->opens, 0);
	assert_true(peer_run_until(&R, rec_stream_over, rec, WAIT_MS));
	assert_string_equal(rec->error, "");
	assert_int_equal(rec->opens, 1);
}

static int put(struct rec_stream *rec, const void *p, size_t n, uint64_t *end)
{
	struct net_seg seg = { .bytes = { p, n } };
	return net_stream_write(R.net, rec->s, &seg, 1, end);
}

static void close_it(struct rec_stream *rec, bool reset)
{
	net_stream_close(R.net, rec->s, reset);
	assert_int_equal(rec->closes, 0);
	assert_true(peer_run_until(&R, rec_stream_closed, rec, WAIT_MS));
	assert_int_equal(rec->closes, 1);
}

/* --- servers --------------------------------------------------------------------------------- */

static void serve_echo(struct peer_conn *c, void *ctx)
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
static void serve_count(struct peer_conn *c, void *ctx)
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

static void serve_say_and_go(struct peer_conn *c, void *ctx)
{
	(void)peer_printf(c, "%s", (const char *)ctx);
}

static void serve_flood(struct peer_conn *c, void *ctx)
{
	static __thread char buf[65536];
	(void)ctx;
	memset(buf, 'f', sizeof(buf));
	for (int i = 0; i < 160; i++)
		if (!peer_write(c, buf, sizeof(buf)))
			return;
}

static void serve_reset_after_line(struct peer_conn *c, void *ctx)
{
	char line[64];
	(void)ctx;
	(void)peer_line(c, line, sizeof(line));
	peer_reset(c);
}

static void fill(unsigned char *p, size_t n, size_t from)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)((from + i) % 251);
}

/* --- tests ----------------------------------------------------------------------------------- */

static bool got_data(void *arg)
{
	return A.data_n >= *(size_t *)arg || A.closes > 0;
}

static void echo_round(const struct net_stream_req *q)
{
	struct net_seg segs[] = { { .bytes = STR("abc") }, { .bytes = STR("def") } };
	uint64_t end = 0;
	size_t want = 12;
	open_it(q);
	assert_int_equal(net_stream_write(R.net, A.s, segs, 2, &end), 0);
	assert_int_equal(end, 6);
	assert_int_equal(net_stream_flushed(R.net, A.s), 0); /* leaves at the end of the turn */
	assert_int_equal(net_stream_write(R.net, A.s, segs, 2, &end), 0);
	assert_int_equal(end, 12);
	assert_true(peer_run_until(&R, got_data, &want, WAIT_MS));
	assert_string_equal(A.data, "abcdefabcdef");
	assert_int_equal(net_stream_flushed(R.net, A.s), 12);
	close_it(&A, false);
	assert_int_equal(A.error_code, 0);
	assert_true(A.was_open);
	assert_int_equal(A.flushed, 12);
}

static void bytes_go_out_in_order_and_answers_come_back(void **state)
{
	(void)state;
	P = peer_new(serve_echo, NULL);
	struct net_stream_req q = tcp(&A);
	echo_round(&q);
}

static void tls_streams_do_the_same(void **state)
{
	(void)state;
	struct net_profile mine = { .ca_pem = str_of(Ca) };
	P = peer_new(serve_echo, Ca);
	peer_use_cert(P, tmpdir_path(Dir, "srv.pem"), tmpdir_path(Dir, "srv.key"));
	struct net_stream_req q = tcp(&A);
	q.kind = NET_TLS;
	q.host = STR("localhost");
	q.profile = &mine;
	echo_round(&q);
}

static void an_untrusted_certificate_is_refused(void **state)
{
	(void)state;
	P = peer_new(serve_echo, Ca);
	peer_use_cert(P, tmpdir_path(Dir, "srv.pem"), tmpdir_path(Dir, "srv.key"));
	struct net_stream_req q = tcp(&A);
	q.kind = NET_TLS;
	q.host = STR("localhost");
	assert_int_equal(net_stream_open(R.net, &q, &A.s), 0);
	assert_true(peer_run_until(&R, rec_stream_closed, &A, WAIT_MS));
	assert_int_equal(A.error_code, -EPROTO);
	assert_false(A.was_open);
	assert_int_equal(A.opens, 0);
}

static void writes_before_open_are_kept(void **state)
{
	(void)state;
	size_t want = 5;
	P = peer_new(serve_echo, NULL);
	struct net_stream_req q = tcp(&A);
	assert_int_equal(net_stream_open(R.net, &q, &A.s), 0);
	assert_int_equal(put(&A, "early", 5, NULL), 0);
	assert_true(peer_run_until(&R, got_data, &want, WAIT_MS));
	assert_string_equal(A.data, "early");
	close_it(&A, true);
}

static bool counted(void *arg)
{
	return peer_noted(P, arg) > 0;
}

static void graceful_close(enum net_kind kind, const char *how)
{
	enum { N = 20000000 };
	unsigned char *big = malloc(N);
	uint64_t end;
	struct net_profile mine = { .ca_pem = str_of(Ca) };
	union {
		const char *from;
		void *to;
	} u = { .from = how };
	assert_non_null(big);
	fill(big, N, 0);
	P = peer_new(serve_count, u.to);
	peer_use_cert(P, tmpdir_path(Dir, "srv.pem"), tmpdir_path(Dir, "srv.key"));
	struct net_stream_req q = tcp(&A);
	q.kind = kind;
	q.host = STR("localhost");
	q.profile = &mine;
	open_it(&q);
	assert_int_equal(put(&A, big, N, &end), 0);
	free(big);
	assert_int_equal(end, N);
	net_stream_close(R.net, A.s, false);
	assert_int_equal(put(&A, "x", 1, NULL), -EPIPE);
	peer_run_for(&R, 50); /* the peer does not read yet */
	assert_int_equal(A.closes, 0);
	peer_note_from_test(P, "read");
	assert_true(peer_run_until(&R, rec_stream_closed, &A, WAIT_MS));
	assert_int_equal(A.flushed, N);
	assert_int_equal(A.error_code, 0);
	static char want[] = "counted 20000000 bad 0";
	assert_true(peer_run_until(&R, counted, want, WAIT_MS));
}

static void a_graceful_close_sends_all_that_was_queued(void **state)
{
	(void)state;
	graceful_close(NET_TCP, "w");
}

static void a_graceful_close_over_tls_does_so_too(void **state)
{
	(void)state;
	graceful_close(NET_TLS, "tw");
}

static void flushed_is_what_the_peer_can_have(enum net_kind kind, const char *how)
{
	enum { N = 40000000, STEP = 1000000 };
	static unsigned char step[STEP];
	struct net_profile mine = { .ca_pem = str_of(Ca) };
	union {
		const char *from;
		void *to;
	} u = { .from = how };
	uint64_t end = 0;
	int r = 0;
	P = peer_new(serve_count, u.to);
	peer_use_cert(P, tmpdir_path(Dir, "srv.pem"), tmpdir_path(Dir, "srv.key"));
	struct net_stream_req q = tcp(&A);
	q.kind = kind;
	q.host = STR("localhost");
	q.profile = &mine;
	q.high_water = 8000000;
	open_it(&q);
	for (int i = 0; i < N / STEP && r == 0; i++) {
		fill(step, STEP, (size_t)i * STEP);
		r = put(&A, step, STEP, &end);
		peer_run_for(&R, 1);
	}
	assert_int_equal(r, -EAGAIN); /* the peer has stopped reading */
	peer_run_for(&R, 100);
	uint64_t flushed = net_stream_flushed(R.net, A.s);
	assert_true(flushed < end);
	assert_int_equal(A.drains, 0);
	close_it(&A, true);
	assert_int_equal(A.flushed, flushed);
	peer_note_from_test(P, "read");
	static char any[] = "counted";
	assert_true(peer_run_until(&R, counted, any, WAIT_MS));
	char note[128];
	assert_true(peer_note_get(P, "counted", note, sizeof(note)));
	unsigned long long n = 0, bad = 1;
	assert_int_equal(sscanf(note, "counted %llu bad %llu", &n, &bad), 2);
	assert_int_equal(bad, 0);
	assert_true(n <= flushed); /* not one byte more than we said had left */
}

static void flushed_is_right_when_the_peer_stops_reading(void **state)
{
	(void)state;
	flushed_is_what_the_peer_can_have(NET_TCP, "w");
}

static void flushed_is_right_over_tls_too(void **state)
{
	(void)state;
	flushed_is_what_the_peer_can_have(NET_TLS, "tw");
}

static bool drained(void *arg)
{
	(void)arg;
	return A.drains > 0;
}

static void over_the_high_water_mark_a_write_waits_for_drain(void **state)
{
	(void)state;
	static unsigned char step[100000];
	static char wait[] = "w";
	uint64_t end = 0, last = 0;
	int r;
	P = peer_new(serve_count, wait);
	struct net_stream_req q = tcp(&A);
	q.high_water = 200000;
	open_it(&q);
	for (int i = 0;; i++) {
		fill(step, sizeof(step), (size_t)last);
		r = put(&A, step, sizeof(step), &end);
		uint64_t before = net_stream_flushed(R.net, A.s);
		if (r == 0)
			last = end;
		else
			peer_run_for(&R, 50);
		if (r == -EAGAIN && net_stream_flushed(R.net, A.s) == before)
			break; /* nothing moves any more */
		assert_true(i < 10000);
	}
	A.drains = 0;
	peer_note_from_test(P, "read");
	assert_true(peer_run_until(&R, drained, NULL, WAIT_MS));
	fill(step, sizeof(step), (size_t)last);
	assert_int_equal(put(&A, step, sizeof(step), &end), 0);
	assert_int_equal(
		end, last + sizeof(step)); /* the refused write took no room in the count */
	close_it(&A, false);
	char want[64];
	(void)snprintf(want, sizeof(want), "counted %llu bad 0", (unsigned long long)end);
	assert_true(peer_run_until(&R, counted, want, WAIT_MS));
}

/* --- sources ----------------------------------------------------------------------------------- */

struct later_source {
	struct net_source src;
	size_t at, given;
	int released, asked;
	bool may, broken;
};

static ssize_t later_read(struct net_source *src, void *dst, size_t cap)
{
	struct later_source *l = CONTAINER_OF(src, struct later_source, src);
	l->asked++;
	if (l->broken)
		return -EIO;
	if (!l->may)
		return 0;
	size_t left = (size_t)l->src.length - l->given, k = cap < left ? cap : left;
	fill(dst, k, l->at + l->given);
	l->given += k;
	return (ssize_t)k;
}

static void later_release(struct net_source *src)
{
	CONTAINER_OF(src, struct later_source, src)->released++;
}

static bool flushed_all(void *arg)
{
	return net_stream_flushed(R.net, A.s) == *(uint64_t *)arg;
}

static void a_source_keeps_its_place_between_bytes(void **state)
{
	(void)state;
	unsigned char head[100], mid[1000], tail[70000];
	struct later_source l1 = { .src = { later_read, later_release, 50000, NULL, NULL },
		.at = 100 },
			    l2 = { .src = { later_read, later_release, 9, NULL, NULL },
				    .at = 51100,
				    .may = true };
	fill(head, sizeof(head), 0);
	fill(mid, sizeof(mid), 50100);
	fill(tail, sizeof(tail), 51109);
	struct net_seg segs[] = { { .bytes = { (char *)head, sizeof(head) } },
		{ .source = &l1.src }, { .bytes = { (char *)mid, sizeof(mid) } },
		{ .source = &l2.src }, { .bytes = { (char *)tail, sizeof(tail) } } };
	uint64_t end = 0, first = 100;
	P = peer_new(serve_count, NULL);
	struct net_stream_req q = tcp(&A);
	open_it(&q);
	assert_int_equal(net_stream_write(R.net, A.s, segs, 5, &end), 0);
	assert_int_equal(end, 121109);
	assert_true(peer_run_until(&R, flushed_all, &first, WAIT_MS));
	peer_run_for(&R, 20);
	assert_int_equal(net_stream_flushed(R.net, A.s), 100); /* nothing overtakes the source */
	l1.may = true;
	net_source_ready(&l1.src);
	close_it(&A, false);
	assert_int_equal(A.flushed, 121109);
	assert_int_equal(l1.released, 1);
	assert_int_equal(l2.released, 1);
	static char want[] = "counted 121109 bad 0";
	assert_true(peer_run_until(&R, counted, want, WAIT_MS));
}

static void a_broken_source_ends_the_stream_and_all_sources_are_released(void **state)
{
	(void)state;
	struct later_source l1 = { .src = { later_read, later_release, 10, NULL, NULL } },
			    l2 = { .src = { later_read, later_release, 10, NULL, NULL } };
	struct net_seg segs[] = { { .bytes = STR("head") }, { .source = &l1.src },
		{ .source = &l2.src } };
	P = peer_new(serve_count, NULL);
	struct net_stream_req q = tcp(&A);
	open_it(&q);
	assert_int_equal(net_stream_write(R.net, A.s, segs, 3, NULL), 0);
	peer_run_for(&R, 20);
	assert_int_equal(A.closes, 0);
	l1.broken = true;
	net_source_ready(&l1.src);
	assert_true(peer_run_until(&R, rec_stream_closed, &A, WAIT_MS));
	assert_int_equal(A.error_code, -EIO);
	assert_int_equal(A.flushed, 4);
	assert_int_equal(l1.released, 1);
	assert_int_equal(l2.released, 1);
	assert_int_equal(l2.asked, 0);
}

/* --- ends -------------------------------------------------------------------------------------- */

static void what_the_peer_said_before_it_went_is_heard(void **state)
{
	(void)state;
	static char bye[] = "421 too busy\r\n";
	P = peer_new(serve_say_and_go, bye);
	struct net_stream_req q = tcp(&A);
	assert_int_equal(net_stream_open(R.net, &q, &A.s), 0);
	assert_true(peer_run_until(&R, rec_stream_closed, &A, WAIT_MS));
	assert_int_equal(A.opens, 1);
	assert_string_equal(A.data, "421 too busy\r\n");
	assert_int_equal(A.error_code, 0);
}

static void a_reset_by_the_peer_is_an_error(void **state)
{
	(void)state;
	P = peer_new(serve_reset_after_line, NULL);
	struct net_stream_req q = tcp(&A);
	open_it(&q);
	assert_int_equal(put(&A, "line\r\n", 6, NULL), 0);
	assert_true(peer_run_until(&R, rec_stream_closed, &A, WAIT_MS));
	assert_true(A.error_code < 0);
	assert_string_not_equal(A.error, "");
	assert_int_equal(A.flushed, 6);
}

static void nobody_listening_is_reported_once(void **state)
{
	(void)state;
	P = peer_new(serve_echo, NULL);
	struct net_stream_req q = tcp(&A);
	peer_free(P);
	P = NULL;
	assert_int_equal(net_stream_open(R.net, &q, &A.s), 0);
	assert_int_equal(put(&A, "x", 1, NULL), 0);
	assert_true(peer_run_until(&R, rec_stream_closed, &A, WAIT_MS));
	assert_int_equal(A.error_code, -ECONNREFUSED);
	assert_int_equal(A.opens, 0);
	assert_int_equal(A.flushed, 0);
}

static void a_close_while_opening_ends_it(void **state)
{
	(void)state;
	P = peer_new(serve_echo, NULL);
	struct net_stream_req q = tcp(&A);
	assert_int_equal(net_stream_open(R.net, &q, &A.s), 0);
	close_it(&A, true);
	assert_int_equal(A.opens, 0);
	assert_int_equal(A.error_code, 0);
	q = tcp(&B);
	assert_int_equal(net_stream_open(R.net, &q, &B.s), 0);
	close_it(&B, false);
	assert_int_equal(B.opens, 0);
}

static void an_idle_stream_times_out(void **state)
{
	(void)state;
	P = peer_new(serve_echo, NULL);
	struct net_stream_req q = tcp(&A);
	q.idle_ms = 150;
	open_it(&q);
	int64_t began = env_mono(R.env);
	assert_true(peer_run_until(&R, rec_stream_closed, &A, WAIT_MS));
	assert_true(env_mono(R.env) - began >= 100);
	assert_int_equal(A.error_code, -ETIMEDOUT);
	assert_true(A.was_open);
}

static void a_stream_that_cannot_drain_is_closed_at_last(void **state)
{
	(void)state;
	static char wait[] = "w";
	unsigned char *big = calloc(1, 30000000);
	assert_non_null(big);
	P = peer_new(serve_count, wait);
	struct net_stream_req q = tcp(&A);
	q.idle_ms = 300;
	open_it(&q);
	assert_int_equal(put(&A, big, 30000000, NULL), 0);
	free(big);
	net_stream_close(R.net, A.s, false);
	assert_true(peer_run_until(&R, rec_stream_closed, &A, WAIT_MS));
	assert_int_equal(A.error_code, -ETIMEDOUT);
	assert_true(A.flushed < 30000000);
	peer_note_from_test(P, "read");
}

static void close_in_event(struct rec_stream *r, const struct net_stream_ev *ev)
{
	if (ev->type == NET_EV_DATA)
		net_stream_close(R.net, ev->stream, r == &A);
}

static void closing_inside_a_callback_brings_no_further_data(void **state)
{
	(void)state;
	P = peer_new(serve_flood, NULL);
	A.on = B.on = close_in_event;
	struct net_stream_req qa = tcp(&A), qb = tcp(&B);
	assert_int_equal(net_stream_open(R.net, &qa, &A.s), 0);
	assert_int_equal(net_stream_open(R.net, &qb, &B.s), 0);
	assert_true(peer_run_until(&R, rec_stream_closed, &A, WAIT_MS));
	assert_true(peer_run_until(&R, rec_stream_closed, &B, WAIT_MS));
	assert_true(A.data_n > 0 && A.data_n <= 65536);
	assert_true(B.data_n > 0 && B.data_n <= 65536);
}

static void a_flood_arrives_whole(void **state)
{
	(void)state;
	size_t want = 160 * 65536;
	P = peer_new(serve_flood, NULL);
	struct net_stream_req q = tcp(&A);
	assert_int_equal(net_stream_open(R.net, &q, &A.s), 0);
	assert_true(peer_run_until(&R, rec_stream_closed, &A, WAIT_MS));
	assert_int_equal(A.data_n, want);
}

static void an_unused_stream_survives_others_that_open_later(void **state)
{
	(void)state;
	size_t want = 2;
	P = peer_new(serve_echo, NULL);
	struct net_stream_req qa = tcp(&A), qb = tcp(&B);
	open_it(&qa);
	peer_run_for(&R, 1200); /* libcurl looks for old connections once a second */
	open_it(&qb);
	peer_run_for(&R, 50);
	assert_int_equal(A.closes, 0);
	assert_int_equal(put(&A, "hi", 2, NULL), 0);
	assert_true(peer_run_until(&R, got_data, &want, WAIT_MS));
	assert_string_equal(A.data, "hi");
	close_it(&A, false);
	close_it(&B, false);
}

static void free_ends_streams_that_are_left(void **state)
{
	(void)state;
	P = peer_new(serve_echo, NULL);
	struct net_stream_req qa = tcp(&A), qb = tcp(&B);
	open_it(&qa);
	assert_int_equal(net_stream_open(R.net, &qb, &B.s), 0);
	net_curl_free(R.net);
	R.net = NULL;
	assert_int_equal(A.closes, 1);
	assert_int_equal(A.error_code, -ECANCELED);
	assert_int_equal(B.closes, 1);
}

static void bad_addresses_are_refused(void **state)
{
	(void)state;
	static const char *const hosts[] = { "", "a b", "host/path", "user@host", "a\r\nb",
		"[::1]" };
	P = peer_new(serve_echo, NULL);
	struct net_stream_req q = tcp(&A);
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		q.host = str_of(hosts[i]);
		assert_int_equal(net_stream_open(R.net, &q, &A.s), -EINVAL);
	}
	q = tcp(&A);
	q.port = 0;
	assert_int_equal(net_stream_open(R.net, &q, &A.s), -EINVAL);
	q = tcp(&A);
	q.kind = NET_SMTP;
	q.ehlo_name = STR("a/b");
	assert_int_equal(net_stream_open(R.net, &q, &A.s), -EINVAL);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(bytes_go_out_in_order_and_answers_come_back),
		T(tls_streams_do_the_same),
		T(an_untrusted_certificate_is_refused),
		T(writes_before_open_are_kept),
		T(a_graceful_close_sends_all_that_was_queued),
		T(a_graceful_close_over_tls_does_so_too),
		T(flushed_is_right_when_the_peer_stops_reading),
		T(flushed_is_right_over_tls_too),
		T(over_the_high_water_mark_a_write_waits_for_drain),
		T(a_source_keeps_its_place_between_bytes),
		T(a_broken_source_ends_the_stream_and_all_sources_are_released),
		T(what_the_peer_said_before_it_went_is_heard),
		T(a_reset_by_the_peer_is_an_error),
		T(nobody_listening_is_reported_once),
		T(a_close_while_opening_ends_it),
		T(an_idle_stream_times_out),
		T(a_stream_that_cannot_drain_is_closed_at_last),
		T(closing_inside_a_callback_brings_no_further_data),
		T(a_flood_arrives_whole),
		T(an_unused_stream_survives_others_that_open_later),
		T(free_ends_streams_that_are_left),
		T(bad_addresses_are_refused),
	};
	return cmocka_run_group_tests(tests, make_cert, drop_cert);
}
