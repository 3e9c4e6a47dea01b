/* loop.c - libuv with the timers, tasks and workers of struct env on top.
 * Thread: the one that made it; loop_wake_send from any.
 * Owns: the uv loop, one timer, prepare/check/idle, up to LOOP_SIGNALS_MAX signals, wakers, the workers.
 * Happy path: libuv turn -> descriptors -> check: deferred tasks -> prepare: tasks, arm the one timer -> wait.
 * Failures: memory for handles aborts (x_calloc); a loop with foreign handles left is reported, not freed.
 */
#include <signal.h>
#include <string.h>
#include <time.h>
#include <sodium.h>
#include <uv.h>
#include "base/assert.h"
#include "base/log.h"
#include "base/metrics.h"
#include "net/loop.h"
#include "net/loop_notifier.h"
#include "net/loop_workers.h"

#define LOOP_MAGIC           0x6c6f6f70u
#define LOOP_TIMERS_PER_TURN 10000u
#define LOOP_CLOSE_TURNS     4 /* a loop_stop that nobody saw costs one */
#define LOOP_CALL_LOOK_NS \
	1000000u                /* the CPU clock is read only for callbacks that took this long */
#define LOOP_CALL_LONG_US 5000u /* a longer one is logged, if it is the longest yet */

extern const char __executable_start[]; /* given by the linker */

struct loop_signal {
	uv_signal_t uv;
	struct loop *loop;
	void (*fn)(void *ctx, int signo);
	void *ctx;
};

struct loop_wake {
	struct notifier notifier;
	struct loop *loop;
	void (*fn)(void *ctx);
	void *ctx;
};

struct loop {
	uint32_t magic;
	struct env env;
	uv_loop_t uv;
	uv_timer_t timer;
	uv_prepare_t prepare;
	uv_check_t check;
	uv_idle_t idle;
	int64_t armed_at_ms; /* INT64_MAX: the timer is not running */
	struct loop_signal *signals[LOOP_SIGNALS_MAX];
	size_t n_signals;
	bool own_closed;
	struct workers *workers;
	struct loop_lag lag;
	struct metric *busy;
	uint64_t turn_began_ns, idle_began_ns, cpu_began_ns;
	uint64_t call_ns, call_idle_ns, call_cpu_ns; /* when the callback before ended */
};

static struct loop *loop_of(struct env *e)
{
	struct loop *l = CONTAINER_OF(e, struct loop, env);
	CHECK_OBJ(l, LOOP_MAGIC);
	return l;
}

static struct loop *loop_of_handle(void *data)
{
	struct loop *l = data;
	CHECK_OBJ(l, LOOP_MAGIC);
	return l;
}

/* --- struct env ------------------------------------------------------------------------------ */

static int64_t loop_wall_ms(struct env *e)
{
	struct timespec ts;
	UNUSED(e);
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t loop_mono_ms(struct env *e)
{
	UNUSED(e);
	return (int64_t)(uv_hrtime() / 1000000u);
}

static void loop_random(struct env *e, void *p, size_t n)
{
	UNUSED(e);
	randombytes_buf(p, n);
}

static void loop_work_done(void *ctx, struct work *w)
{
	struct loop *l = ctx;
	uintptr_t fn = (uintptr_t)w->done;
	if (w->longer) {
		w->weight = w->longer;
		w->longer = WORK_SHORT;
		workers_queue(l->workers, w);
		return;
	}
	w->done(w);
	loop_ran(l, fn);
}

static void loop_work_queue(struct env *e, struct work *w)
{
	workers_queue(loop_of(e)->workers, w);
}

static void loop_on_idle(uv_idle_t *h)
{
	UNUSED(h); /* its being active keeps the loop from waiting */
}

static void loop_defer_wake(struct env *e)
{
	struct loop *l = loop_of(e);
	if (!uv_is_active((uv_handle_t *)&l->idle) && !uv_is_closing((uv_handle_t *)&l->idle))
		REQUIRE(uv_idle_start(&l->idle, loop_on_idle) == 0);
}

static void loop_env_ran(struct env *e, uintptr_t fn)
{
	loop_ran(loop_of(e), fn);
}

static void loop_hurry(struct env *e)
{
	workers_hurry(loop_of(e)->workers);
}

static const struct env_ops loop_env_ops = {
	.wall_ms = loop_wall_ms,
	.mono_ms = loop_mono_ms,
	.random = loop_random,
	.work = loop_work_queue,
	.timers_changed = NULL, /* the timer is armed once a turn, before the wait */
	.defer_wake = loop_defer_wake,
	.ran = loop_env_ran,
	.hurry = loop_hurry,
};

/* --- one turn -------------------------------------------------------------------------------- */

static void loop_run_tasks(struct loop *l)
{
	env_run_tasks(&l->env);
	if (list_empty(&l->env.tasks))
		(void)uv_idle_stop(&l->idle);
}

static void loop_on_timer(uv_timer_t *h)
{
	struct loop *l = loop_of_handle(h->data);
	l->armed_at_ms = INT64_MAX;
	env_run_timers(&l->env, loop_mono_ms(&l->env), LOOP_TIMERS_PER_TURN);
}

static void loop_arm_timer(struct loop *l)
{
	int64_t at = env_next_timer(&l->env);
	if (at == l->armed_at_ms)
		return;
	l->armed_at_ms = at;
	if (at == INT64_MAX) {
		(void)uv_timer_stop(&l->timer);
		return;
	}
	uv_update_time(&l->uv); /* else a long turn makes the timer early, and the loop spins */
	int64_t now = loop_mono_ms(&l->env);
	uint64_t wait = at > now ? (uint64_t)(at - now) : 0;
	REQUIRE(uv_timer_start(&l->timer, loop_on_timer, wait, 0) == 0);
}

static uint64_t loop_cpu_ns(void)
{
	struct timespec ts;
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* What passed since the callback before this one, less the wait. Its CPU time is at most that, and at most what the thread used
 * since the turn began or a long one ended. */
void loop_ran(struct loop *l, uintptr_t fn)
{
	uint64_t now = uv_hrtime(), whole = now - l->call_ns;
	l->call_ns = now;
	if (whole < LOOP_CALL_LOOK_NS) /* nearly all; a wait this short is not looked for either */
		return;
	uint64_t idle = uv_metrics_idle_time(&l->uv), waited = idle - l->call_idle_ns;
	uint64_t took = whole > waited ? whole - waited : 0;
	l->call_idle_ns = idle;
	if (took < LOOP_CALL_LOOK_NS)
		return;
	uint64_t cpu = loop_cpu_ns(), used = cpu - l->call_cpu_ns;
	l->call_cpu_ns = cpu;
	uint64_t us = (used < took ? used : took) / 1000u;
	if (us <= l->lag.call_max_us || l->turn_began_ns == 0)
		return;
	l->lag.call_max_us = us;
	l->lag.call_max_at = fn - (uintptr_t)__executable_start;
	if (us > LOOP_CALL_LONG_US)
		log_line(LOG_WARN, "ev=loop.long cpu_us=%llu wall_us=%llu at=0x%llx",
			(unsigned long long)us, (unsigned long long)(took / 1000u),
			(unsigned long long)l->lag.call_max_at);
}

/* Busy time of the turn that ends here: what passed since the last one, less the wait. */
static void loop_lag_measure(struct loop *l)
{
	uint64_t now = uv_hrtime(), idle = uv_metrics_idle_time(&l->uv), cpu = loop_cpu_ns();
	if (l->turn_began_ns != 0) {
		uint64_t whole = now - l->turn_began_ns, waited = idle - l->idle_began_ns;
		uint64_t busy_us = whole > waited ? (whole - waited) / 1000u : 0;
		uint64_t cpu_us = (cpu - l->cpu_began_ns) / 1000u;
		size_t i = 0;
		while (i + 1 < LOOP_LAG_BUCKETS && busy_us > (16u << i))
			i++;
		l->lag.bucket[i]++;
		l->lag.turns++;
		l->lag.total_us += busy_us;
		metric_observe_us(l->busy, busy_us);
		if (busy_us > l->lag.max_us)
			l->lag.max_us = busy_us;
		if (cpu_us > l->lag.cpu_max_us)
			l->lag.cpu_max_us = cpu_us;
	}
	l->turn_began_ns = now;
	l->idle_began_ns = idle;
	l->cpu_began_ns = cpu;
	l->call_ns = now;
	l->call_idle_ns = idle;
	l->call_cpu_ns = cpu;
}

static void loop_on_prepare(uv_prepare_t *h)
{
	struct loop *l = loop_of_handle(h->data);
	loop_run_tasks(l);
	loop_arm_timer(l);
	loop_lag_measure(l);
}

static void loop_on_check(uv_check_t *h)
{
	loop_run_tasks(loop_of_handle(h->data));
}

/* --- signals and wakers ---------------------------------------------------------------------- */

static void loop_signal_cb(uv_signal_t *h, int signo)
{
	struct loop_signal *s = h->data;
	s->fn(s->ctx, signo);
}

static void loop_signal_closed(uv_handle_t *h)
{
	xfree(h->data);
}

int loop_on_signal(struct loop *l, int signo, void (*fn)(void *ctx, int signo), void *ctx)
{
	CHECK_OBJ(l, LOOP_MAGIC);
	if (l->n_signals == LOOP_SIGNALS_MAX)
		return -E2BIG;
	struct loop_signal *s = x_calloc(1, sizeof(*s));
	s->loop = l;
	s->fn = fn;
	s->ctx = ctx;
	s->uv.data = s;
	REQUIRE(uv_signal_init(&l->uv, &s->uv) == 0);
	l->signals[l->n_signals++] = s;
	return uv_signal_start(&s->uv, loop_signal_cb, signo);
}

static void loop_wake_notified(struct notifier *n)
{
	struct loop_wake *w = CONTAINER_OF(n, struct loop_wake, notifier);
	struct loop *l = w->loop;
	uintptr_t fn = (uintptr_t)w->fn;
	w->fn(w->ctx);
	loop_ran(l, fn);
}

int loop_wake_new(struct loop *l, void (*fn)(void *ctx), void *ctx, struct loop_wake **ret)
{
	CHECK_OBJ(l, LOOP_MAGIC);
	struct loop_wake *w = x_calloc(1, sizeof(*w));
	w->loop = l;
	w->fn = fn;
	w->ctx = ctx;
	int r = notifier_open(&w->notifier, &l->uv, loop_wake_notified);
	if (r != 0) {
		xfree(w);
		return r;
	}
	*ret = w;
	return 0;
}

void loop_wake_send(struct loop_wake *w)
{
	notifier_send(&w->notifier);
}

static void loop_wake_closed(struct notifier *n)
{
	xfree(CONTAINER_OF(n, struct loop_wake, notifier));
}

void loop_wake_free(struct loop_wake *w)
{
	if (w != NULL)
		notifier_close(&w->notifier, loop_wake_closed);
}

/* --- life ------------------------------------------------------------------------------------ */

static void loop_init_handles(struct loop *l)
{
	REQUIRE(uv_timer_init(&l->uv, &l->timer) == 0);
	REQUIRE(uv_prepare_init(&l->uv, &l->prepare) == 0);
	REQUIRE(uv_check_init(&l->uv, &l->check) == 0);
	REQUIRE(uv_idle_init(&l->uv, &l->idle) == 0);
	l->timer.data = l->prepare.data = l->check.data = l->idle.data = l;
	REQUIRE(uv_prepare_start(&l->prepare, loop_on_prepare) == 0);
	REQUIRE(uv_check_start(&l->check, loop_on_check) == 0);
}

int loop_new(struct loop **ret, struct err *e)
{
	struct loop *l = x_calloc(1, sizeof(*l));
	if (sodium_init() < 0) {
		xfree(l);
		return err_set(e, -ENOSYS, "libsodium cannot start: no source of randomness");
	}
	int r = uv_loop_init(&l->uv);
	if (r != 0) {
		xfree(l);
		return err_set(e, r, "event loop: %s", uv_strerror(r));
	}
	r = workers_new(&l->uv, loop_work_done, l, &l->workers);
	if (r != 0) {
		(void)uv_loop_close(&l->uv);
		xfree(l);
		return err_set(e, r, "event loop: %s", uv_strerror(r));
	}
	l->magic = LOOP_MAGIC;
	l->armed_at_ms = INT64_MAX;
	l->busy = metric_histogram(
		"lantoa_loop_busy_seconds", "Time that the loop was busy between two waits.");
	(void)uv_loop_configure(&l->uv, UV_METRICS_IDLE_TIME);
	(void)signal(SIGPIPE, SIG_IGN); /* a peer that hangs up is an error code, not a death */
	env_init(&l->env, &loop_env_ops);
	loop_init_handles(l);
	*ret = l;
	return 0;
}

static void loop_close_own(struct loop *l)
{
	if (l->own_closed)
		return;
	l->own_closed = true;
	for (size_t i = 0; i < l->n_signals; i++)
		uv_close((uv_handle_t *)&l->signals[i]->uv, loop_signal_closed);
	l->n_signals = 0;
	uv_close((uv_handle_t *)&l->timer, NULL);
	uv_close((uv_handle_t *)&l->prepare, NULL);
	uv_close((uv_handle_t *)&l->check, NULL);
	uv_close((uv_handle_t *)&l->idle, NULL);
	workers_close(l->workers);
}

int loop_free(struct loop *l)
{
	if (l == NULL)
		return 0;
	CHECK_OBJ(l, LOOP_MAGIC);
	while (workers_running(l->workers) > 0)
		uv_run(&l->uv, UV_RUN_ONCE);
	loop_close_own(l);
	int r = UV_EBUSY;
	for (int i = 0; i < LOOP_CLOSE_TURNS && r == UV_EBUSY; i++) {
		/* For the close callbacks: ours, and those that others asked for. */
		uv_run(&l->uv, UV_RUN_NOWAIT);
		r = uv_loop_close(&l->uv);
	}
	if (r != 0)
		return r;
	workers_free(l->workers);
	env_done(&l->env);
	l->magic = 0;
	xfree(l);
	return 0;
}

struct env *loop_env(struct loop *l)
{
	return &l->env;
}

struct uv_loop_s *loop_uv(struct loop *l)
{
	return &l->uv;
}

void loop_run(struct loop *l)
{
	CHECK_OBJ(l, LOOP_MAGIC);
	(void)uv_run(&l->uv, UV_RUN_DEFAULT);
}

void loop_run_once(struct loop *l)
{
	CHECK_OBJ(l, LOOP_MAGIC);
	(void)uv_run(&l->uv, UV_RUN_ONCE);
}

void loop_stop(struct loop *l)
{
	uv_stop(&l->uv);
}

void loop_lag(const struct loop *l, struct loop_lag *ret)
{
	*ret = l->lag;
}

void loop_lag_reset_max(struct loop *l)
{
	l->lag.max_us = 0;
	l->lag.cpu_max_us = l->lag.call_max_us = 0;
}
