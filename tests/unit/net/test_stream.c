/* test_stream.c - byte streams: order, gathering, water marks, flushed offsets, graceful closing, TLS, sources. */
#include "streamscene.h"
#include "../../lib/tmpdir.h"

static char *Dir;
static char Ca[16384];

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

/* Signed by whom we trust, for somebody else. */
static void a_certificate_of_another_name_is_refused(void **state)
{
	(void)state;
	static char other[16384];
	assert_true(peer_cert_make_for(Dir, "other", "DNS:other.example"));
	FILE *f = fopen(tmpdir_path(Dir, "other.pem"), "r");
	assert_non_null(f);
	other[fread(other, 1, sizeof(other) - 1, f)] = '\0';
	(void)fclose(f);
	struct net_profile his = { .ca_pem = str_of(other) };
	P = peer_new(serve_echo, Ca);
	peer_use_cert(P, tmpdir_path(Dir, "other.pem"), tmpdir_path(Dir, "other.key"));
	struct net_stream_req q = tcp(&A);
	q.kind = NET_TLS;
	q.host = STR("localhost");
	q.profile = &his;
	assert_int_equal(net_stream_open(R.net, &q, &A.s), 0);
	assert_true(peer_run_until(&R, rec_stream_closed, &A, WAIT_MS));
	assert_int_equal(A.error_code, -EPROTO);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(bytes_go_out_in_order_and_answers_come_back),
		T(tls_streams_do_the_same),
		T(an_untrusted_certificate_is_refused),
		T(a_certificate_of_another_name_is_refused),
		T(writes_before_open_are_kept),
		T(a_graceful_close_sends_all_that_was_queued),
		T(a_graceful_close_over_tls_does_so_too),
		T(flushed_is_right_when_the_peer_stops_reading),
		T(flushed_is_right_over_tls_too),
		T(over_the_high_water_mark_a_write_waits_for_drain),
		T(a_source_keeps_its_place_between_bytes),
		T(a_broken_source_ends_the_stream_and_all_sources_are_released),
	};
	return cmocka_run_group_tests(tests, make_cert, drop_cert);
}
