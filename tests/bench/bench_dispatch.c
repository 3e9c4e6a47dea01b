/* bench_dispatch.c - deliveries a second through the whole durable way (lease, compose, intent, start, outcome) with real
 * threads and a real disk, and an adapter that accepts after 10 ms: what the state machine costs, not a provider.
 * Prints one line; nothing here fails a build. Usage: bench_dispatch [deliveries] [lots]
 */
#include <stdio.h>
#include <time.h>
#include "net/loop.h"
#include "tests/unit/dispatch/scene.h"

static struct loop *loop;
static struct loop_wake *wake;

static void on_wake(void *ctx)
{
	UNUSED(ctx);
	while (store_complete(sc.ts.s) > 0)
		continue;
}
static void on_store(void *ctx)
{
	UNUSED(ctx);
	loop_wake_send(wake);
}
static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fill_store(int n, int lots)
{
	scene_release(1, PRIO_BULK, CAT_PUBLIC_NOTICE);
	for (int i = 0; i < lots; i++)
		scene_lot(1, i, 1, 1, n / lots);
	scene_settle();
}

static void on_done(void *ctx)
{
	*(bool *)ctx = true;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 200000;
	int lots = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 10;
	struct err e = { 0 };
	bool stopped = false;

	scene_open(1);
	sc.te.wall = (int64_t)time(NULL) * 1000 - 1000;
	fill_store(n, lots);
	dispatch_free(sc.d);
	sc.d = NULL;
	/* From here on real time. */
	REQUIRE(loop_new(&loop, &e) == 0);
	REQUIRE(loop_wake_new(loop, on_wake, NULL, &wake) == 0);
	fake.env = loop_env(loop);
	sc.ch[0].lane.concurrency = 1000;
	sc.ch[0].lane.intents_max = 1024;
	sc.ch[0].lane.bulk = true;
	fake.ch[0].caps |= LT_CAP_BATCH;
	fake.ch[0].account[0].room = 4000;
	sc.ts.env = loop_env(loop);
	struct dispatch_opts o = {
		.env = loop_env(loop), .store = sc.ts.s, .conf = &sc.conf, .prepare = scene_prepare
	};
	sc.d = dispatch_new(&o);
	dispatch_events(sc.d, &fake.ev);
	REQUIRE(dispatch_attach(sc.d, (struct channels *)&fake, &e) == 0);
	REQUIRE(store_thread_start(sc.ts.s, on_store, NULL) == 0);
	double began = now_s();
	dispatch_start(sc.d);
	size_t open = 0;
	while (fake.n_published < (uint64_t)(n / lots * lots)) {
		loop_run_once(loop);
		size_t k = dispatch_intents_open(sc.d);
		open = k > open ? k : open;
	}
	double took = now_s() - began;
	dispatch_stop(sc.d, on_done, &stopped);
	while (!stopped)
		loop_run_once(loop);
	struct store_stats st;
	store_stats_get(sc.ts.s, &st);
	printf("dispatch: %d deliveries in %.2f s: %.0f/s, %llu transactions, mean %.1f ms, longest "
	       "%.1f ms, commit at most %.1f ms, intents open at most %zu\n",
		n, took, (double)n / took, (unsigned long long)st.transactions,
		(double)st.tx_us_total / 1000.0 / (double)(st.transactions ? st.transactions : 1),
		(double)st.tx_us_max / 1000.0, (double)st.commit_us_max / 1000.0, open);
	store_thread_stop(sc.ts.s);
	(void)store_complete(sc.ts.s);
	dispatch_free(sc.d);
	loop_wake_free(wake);
	fake_crash();
	map64_free(fake.published);
	sc.ts.env = NULL;
	teststore_close(&sc.ts);
	return loop_free(loop) == 0 ? 0 : 1;
}
