/* loop_workers.c - see loop_workers.h.
 * Threads: the lists of a pool, its runs and stop are guarded by its mu; the rest belongs to the loop. The pools share no lock: a slow
 * thread that loses the processor while it has one keeps nobody waiting who has to do with the quick ones.
 * Bounds: the lists hold what its owners queued, one work each.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>
#include "base/assert.h"
#include "base/list.h"
#include "base/log.h"
#include "net/loop_notifier.h"
#include "net/loop_workers.h"

struct worker_pool {
	struct notifier notifier;
	struct workers *workers;
	pthread_t threads[POOL_THREADS];
	size_t n_threads, running;
	int nice;
	/* Under mu. NULL: wait, until *ret_until_ms where it is not 0. */
	struct work *(*take)(struct worker_pool *pool, uint64_t *ret_until_ms);
	pthread_mutex_t mu;
	sem_t more;
	size_t idle; /* threads that wait for more and were not told yet */
	struct list queue, look, bulk, ready;
	size_t bulk_runs, look_runs;
	bool stop;
};

struct workers {
	struct worker_pool quick, slow;
	void (*done)(void *ctx, struct work *w);
	void *ctx;
	/* CLOCK_MONOTONIC; written by the loop, which does not wait for a lock then */
	_Atomic uint64_t hurry_until_ms;
	uint64_t hurry_saved_ms; /* what hurries may take */
	uint64_t hurry_at_ms;    /* when that was true */
};

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

static struct work *take(struct list *l)
{
	struct list *n = list_pop(l);

	return n ? CONTAINER_OF(n, struct work, node) : NULL;
}

static struct work *take_quick(struct worker_pool *pool, uint64_t *ret_until_ms)
{
	*ret_until_ms = 0;
	return take(&pool->queue);
}

static struct work *take_slow(struct worker_pool *pool, uint64_t *ret_until_ms)
{
	struct work *w = take(&pool->queue);

	*ret_until_ms = 0;
	if (!w && pool->look_runs < SLOW_LOOK) {
		w = take(&pool->look);
		pool->look_runs += w != NULL;
	}
	if (w || pool->bulk_runs == SLOW_BULK || list_empty(&pool->bulk))
		return w;
	uint64_t until = pool->workers->hurry_until_ms;
	if (now_ms() < until && !pool->stop) {
		*ret_until_ms = until;
		return NULL;
	}
	pool->bulk_runs++;
	return take(&pool->bulk);
}

/* Under mu, which is let go meanwhile: until something was queued, or the time has come; also for nothing. */
static void wait_for_work(struct worker_pool *pool, uint64_t until_ms)
{
	struct timespec at = { .tv_sec = (time_t)(until_ms / 1000),
		.tv_nsec = (long)(until_ms % 1000) * 1000000 };

	pool->idle++;
	pthread_mutex_unlock(&pool->mu);
	int rc = until_ms == 0 ? sem_wait(&pool->more)
			       : sem_clockwait(&pool->more, CLOCK_MONOTONIC, &at);
	pthread_mutex_lock(&pool->mu);
	if (rc == 0)
		return;
	if (pool->idle > 0)
		pool->idle--;
	else
		(void)sem_trywait(&pool->more); /* told at the last moment */
}

/* Under mu. Waits for nobody; pthread_cond_signal of glibc 2.36 does, for threads that it woke before and that had no processor yet. */
static void wake_one(struct worker_pool *pool)
{
	if (pool->idle > 0) {
		pool->idle--;
		(void)sem_post(&pool->more);
	}
}

/* A hurry has an end by itself (workers_hurry), so this has one. */
static void give_way(void *ctx)
{
	struct workers *ws = ctx;

	for (uint64_t now = now_ms(), until; now < (until = ws->hurry_until_ms); now = now_ms()) {
		struct timespec rest = { .tv_nsec = (long)(until - now) * 1000000 };
		(void)nanosleep(&rest, NULL);
	}
}

static void lower_priority(const struct worker_pool *pool)
{
	errno = 0;
	if (nice(pool->nice) == -1 && errno) /* of this thread alone; -1 is also a value */
		log_line(LOG_WARN, "ev=loop.slow nice=%d error=%d", pool->nice, errno);
	work_give_way_by(give_way, pool->workers);
}

/* Under mu, which is let go meanwhile. The loop hears of it without the lock that it takes then. */
static void run(struct worker_pool *pool, struct work *w)
{
	bool bulk = w->weight == WORK_BULK, look = w->weight == WORK_LOOK;

	pthread_mutex_unlock(&pool->mu);
	w->fn(w);
	pthread_mutex_lock(&pool->mu);
	pool->look_runs -= look;
	pool->bulk_runs -= bulk; /* this thread looks for the next itself */
	list_push(&pool->ready, &w->node);
	pthread_mutex_unlock(&pool->mu);
	notifier_send(&pool->notifier);
	pthread_mutex_lock(&pool->mu);
}

static void *thread_main(void *arg)
{
	struct worker_pool *pool = arg;
	struct work *w;
	uint64_t until_ms;

	if (pool->nice)
		lower_priority(pool);
	pthread_mutex_lock(&pool->mu);
	for (;;) {
		while ((w = pool->take(pool, &until_ms)) == NULL && !pool->stop)
			wait_for_work(pool, until_ms);
		if (!w)
			break;
		if (!list_empty(&pool->bulk) || !list_empty(&pool->look))
			wake_one(pool); /* another thread keeps an eye on it */
		run(pool, w);
	}
	pthread_mutex_unlock(&pool->mu);
	return NULL;
}

/* What becomes ready meanwhile notifies again: timers and descriptors have their turn between. */
static void on_ready(struct notifier *notifier)
{
	struct worker_pool *pool = CONTAINER_OF(notifier, struct worker_pool, notifier);
	struct list batch;
	struct work *w;

	list_init(&batch);
	pthread_mutex_lock(&pool->mu);
	for (struct list *n; (n = list_pop(&pool->ready)) != NULL;)
		list_push(&batch, n);
	pthread_mutex_unlock(&pool->mu);
	while ((w = take(&batch)) != NULL) {
		if (--pool->running == 0)
			notifier_keeps_alive(&pool->notifier, false);
		pool->workers->done(pool->workers->ctx, w);
	}
}

static int worker_pool_open(struct worker_pool *pool, struct workers *ws, struct uv_loop_s *uv)
{
	int rc = notifier_open(&pool->notifier, uv, on_ready);

	if (rc < 0)
		return rc;
	notifier_keeps_alive(&pool->notifier, false);
	pool->workers = ws;
	list_init(&pool->queue);
	list_init(&pool->look);
	list_init(&pool->bulk);
	list_init(&pool->ready);
	REQUIRE(pthread_mutex_init(&pool->mu, NULL) == 0 && sem_init(&pool->more, 0, 0) == 0);
	return 0;
}

static void worker_pool_close(struct worker_pool *pool)
{
	REQUIRE(pool->running == 0);
	pthread_mutex_lock(&pool->mu);
	pool->stop = true;
	while (pool->idle > 0)
		wake_one(pool);
	pthread_mutex_unlock(&pool->mu);
	for (size_t i = 0; i < pool->n_threads; i++)
		(void)pthread_join(pool->threads[i], NULL);
	sem_destroy(&pool->more);
	pthread_mutex_destroy(&pool->mu);
	notifier_close(&pool->notifier, NULL);
}

int workers_new(struct uv_loop_s *uv, void (*done)(void *ctx, struct work *w), void *ctx,
	struct workers **ret)
{
	struct workers *ws = x_calloc(1, sizeof(*ws));

	ws->done = done;
	ws->ctx = ctx;
	ws->quick.take = take_quick;
	ws->slow.take = take_slow;
	ws->slow.nice = SLOW_NICE;
	int rc = worker_pool_open(&ws->quick, ws, uv);
	if (rc == 0) {
		rc = worker_pool_open(&ws->slow, ws, uv);
		if (rc < 0)
			worker_pool_close(&ws->quick);
	}
	if (rc < 0) {
		uv_run(uv, UV_RUN_NOWAIT); /* for the handle that was closed */
		xfree(ws);
		return rc;
	}
	*ret = ws;
	return 0;
}

/* At the first work of its kind. */
static bool worker_pool_is_there(struct worker_pool *pool)
{
	while (pool->n_threads < POOL_THREADS &&
		pthread_create(&pool->threads[pool->n_threads], NULL, thread_main, pool) == 0)
		pool->n_threads++;
	return pool->n_threads > 0;
}

static struct list *list_for(struct worker_pool *pool, const struct work *w)
{
	if (!pool->nice)
		return &pool->queue;
	return w->weight == WORK_BULK    ? &pool->bulk
		: w->weight == WORK_LOOK ? &pool->look
					 : &pool->queue;
}

void workers_queue(struct workers *ws, struct work *w)
{
	/* First: where threads are scarce the slow ones would have them all. */
	REQUIRE(worker_pool_is_there(&ws->quick));
	bool slow = work_is_long(w) && worker_pool_is_there(&ws->slow);
	struct worker_pool *pool = slow ? &ws->slow : &ws->quick;

	REQUIRE(!pool->stop);     /* written by this thread alone */
	if (pool->running++ == 0) /* the loop lives as long as somebody works for it */
		notifier_keeps_alive(&pool->notifier, true);
	pthread_mutex_lock(&pool->mu);
	list_push(list_for(pool, w), &w->node);
	wake_one(pool);
	pthread_mutex_unlock(&pool->mu);
}

size_t workers_running(const struct workers *ws)
{
	return ws->quick.running + ws->slow.running;
}

/* What is saved grows by one for each two ms, and each ms that bulk is kept takes one. */
void workers_hurry(struct workers *ws)
{
	uint64_t now = now_ms(), until = now + SLOW_HURRY_MS;
	uint64_t from = ws->hurry_until_ms > now ? ws->hurry_until_ms : now;
	uint64_t earned = (now - ws->hurry_at_ms) / 2;

	ws->hurry_saved_ms += earned;
	ws->hurry_at_ms += 2 * earned;
	if (ws->hurry_saved_ms > SLOW_HURRY_SAVED_MS)
		ws->hurry_saved_ms = SLOW_HURRY_SAVED_MS;
	if (until > from + ws->hurry_saved_ms)
		until = from + ws->hurry_saved_ms;
	if (until <= from)
		return;
	ws->hurry_saved_ms -= until - from;
	ws->hurry_until_ms = until;
}

void workers_close(struct workers *ws)
{
	worker_pool_close(&ws->quick);
	worker_pool_close(&ws->slow);
}

void workers_free(struct workers *ws)
{
	xfree(ws);
}
