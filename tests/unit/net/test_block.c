/* test_block.c - the loop goes on whatever names do: this program has a getaddrinfo of its own, which for names that begin
 * with "blackhole" returns only when the test says so. Delays are measured by a timer on the same loop.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/assert.h"
#include "net/net.h"
#include "../../lib/peer_http.h"
#include "../../lib/peer_run.h"

#define WAIT_MS    20000
#define LAG_MAX_MS 5000 /* generous: a resolver that is waited for would take the whole test */

static struct peer_run R;
static struct rec_lag Lag;
static struct rec_http H[8];
static struct rec_stream S;

static pthread_mutex_t hole_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t hole_changed = PTHREAD_COND_INITIALIZER;
static bool hole_open;
static int hole_waiting, hole_entered;

typedef int resolve_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

__attribute__((visibility("default"))) int getaddrinfo(const char *restrict name,
	const char *restrict service, const struct addrinfo *restrict hints,
	struct addrinfo **restrict res)
{
	if (name == NULL || strncmp(name, "blackhole", 9) != 0) {
		union {
			void *p;
			resolve_fn *fn;
		} u = { .p = dlsym(RTLD_NEXT, "getaddrinfo") };
		return u.fn(name, service, hints, res);
	}
	(void)pthread_mutex_lock(&hole_lock);
	hole_waiting++;
	hole_entered++;
	while (!hole_open)
		(void)pthread_cond_wait(&hole_changed, &hole_lock);
	hole_waiting--;
	(void)pthread_cond_broadcast(&hole_changed);
	(void)pthread_mutex_unlock(&hole_lock);
	return EAI_AGAIN;
}

static int hole_count(const int *which)
{
	(void)pthread_mutex_lock(&hole_lock);
	int n = *which;
	(void)pthread_mutex_unlock(&hole_lock);
	return n;
}

static void hole_release(void)
{
	(void)pthread_mutex_lock(&hole_lock);
	hole_open = true;
	(void)pthread_cond_broadcast(&hole_changed);
	while (hole_waiting > 0)
		(void)pthread_cond_wait(&hole_changed, &hole_lock);
	(void)pthread_mutex_unlock(&hole_lock);
}

static int set_up(void **state)
{
	(void)state;
	memset(H, 0, sizeof(H));
	memset(&S, 0, sizeof(S));
	hole_open = false;
	hole_entered = 0;
	if (peer_run_open(&R) != 0)
		return -1;
	rec_lag_start(&Lag, &R);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	timer_stop(R.env, &Lag.timer);
	int rc = peer_run_close(&R);
	hole_release();
	return rc;
}

static bool all_over(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(H); i++)
		if (H[i].calls == 0)
			return false;
	return S.closes > 0;
}

static void serve_ok(struct peer_conn *c, void *ctx)
{
	struct peer_request r;
	(void)ctx;
	while (peer_http_read(c, &r)) {
		peer_request_done(&r);
		(void)peer_http_answer(c, 200, "", "ok");
	}
}

static void start_in_the_hole(int32_t ms)
{
	struct net_call *c;
	for (size_t i = 0; i < ARRAY_LEN(H); i++) {
		struct net_http_req q = { .method = STR("POST"),
			.url = STR("http://blackhole.example/"),
			.flags = NET_PUBLISHES,
			.connect_ms = ms,
			.done = rec_http_done,
			.ctx = &H[i] };
		assert_int_equal(net_http(R.net, &q, &c), 0);
	}
	struct net_stream_req s = { .kind = NET_SMTP,
		.host = STR("blackhole.example"),
		.port = 25,
		.ehlo_name = STR("x.vn"),
		.connect_ms = ms,
		.on_event = rec_stream_event,
		.ctx = &S };
	assert_int_equal(net_stream_open(R.net, &s, &S.s), 0);
}

static bool in_the_hole(void *arg)
{
	(void)arg;
	return hole_count(&hole_entered) > (int)ARRAY_LEN(H);
}

static void a_resolver_that_never_answers_does_not_hold_the_loop(void **state)
{
	(void)state;
	start_in_the_hole(700);
	assert_true(peer_run_until(&R, all_over, NULL, WAIT_MS));
	assert_true(
		hole_count(&hole_waiting) > 0); /* it is still stuck: ending did not wait for it */
	for (size_t i = 0; i < ARRAY_LEN(H); i++) {
		assert_int_equal(H[i].phase, NET_NOT_SENT);
		assert_int_equal(H[i].error_code, -ETIMEDOUT);
	}
	assert_int_equal(S.error_code, -ETIMEDOUT);
	assert_true(rec_lag_stop(&Lag) < LAG_MAX_MS);
}

static void others_are_served_meanwhile(void **state)
{
	(void)state;
	struct peer *p = peer_new(serve_ok, NULL);
	char url[64];
	static struct rec_http good;
	struct net_call *c;
	memset(&good, 0, sizeof(good));
	start_in_the_hole(WAIT_MS);
	assert_true(peer_run_until(&R, in_the_hole, NULL, WAIT_MS));
	(void)snprintf(url, sizeof(url), "http://localhost:%u/", peer_port(p));
	struct net_http_req q = {
		.method = STR("GET"), .url = str_of(url), .done = rec_http_done, .ctx = &good
	};
	assert_int_equal(net_http(R.net, &q, &c), 0);
	assert_true(peer_run_until(&R, rec_http_called, &good, WAIT_MS));
	assert_int_equal(good.status, 200);
	assert_int_equal(S.closes, 0);
	assert_true(rec_lag_stop(&Lag) < LAG_MAX_MS);
	peer_free(p);
}

static void closing_down_does_not_wait_for_the_resolver(void **state)
{
	(void)state;
	start_in_the_hole(WAIT_MS);
	assert_true(peer_run_until(&R, in_the_hole, NULL, WAIT_MS));
	int64_t began = env_mono(R.env);
	timer_stop(R.env, &Lag.timer);
	assert_int_equal(peer_run_close(&R), 0);
	assert_true(hole_count(&hole_waiting) > 0);
	assert_true(all_over(NULL));
	assert_int_equal(peer_run_open(&R), 0);
	assert_true(env_mono(R.env) - began < LAG_MAX_MS);
}

/* A listener whose queue is full does not answer further SYNs: what a dead host looks like. */
static void a_dead_host_times_out_and_is_not_sent(void **state)
{
	(void)state;
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	int fds[4], l = socket(AF_INET, SOCK_STREAM, 0);
	char url[64];
	struct net_call *c;
	assert_int_equal(bind(l, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(listen(l, 0), 0);
	assert_int_equal(getsockname(l, (struct sockaddr *)&sa, &len), 0);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fds[i], (struct sockaddr *)&sa, len);
	}
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(sa.sin_port));
	struct net_http_req q = { .method = STR("POST"),
		.url = str_of(url),
		.flags = NET_PUBLISHES,
		.connect_ms = 400,
		.done = rec_http_done,
		.ctx = &H[0] };
	assert_int_equal(net_http(R.net, &q, &c), 0);
	assert_true(peer_run_until(&R, rec_http_called, &H[0], WAIT_MS));
	assert_int_equal(H[0].phase, NET_NOT_SENT);
	assert_int_equal(H[0].error_code, -ETIMEDOUT);
	assert_true(rec_lag_stop(&Lag) < LAG_MAX_MS);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		(void)close(fds[i]);
	(void)close(l);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_resolver_that_never_answers_does_not_hold_the_loop),
		T(others_are_served_meanwhile),
		T(closing_down_does_not_wait_for_the_resolver),
		T(a_dead_host_times_out_and_is_not_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
