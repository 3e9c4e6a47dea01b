/* loop_slow.c - see loop_slow.h.
 * Threads: queue, look, bulk, their runs, ready and stop are guarded by mu; the rest belongs to the loop.
 * Bounds: the lists hold what its owners queued, one work each.
 */
#include <errno.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>
#include "base/assert.h"
#include "base/list.h"
#include "base/log.h"
#include "net/loop_slow.h"

struct slow {
	uv_async_t async;
	void (*done)(void *ctx, struct work *w);
	void *ctx;
	pthread_t threads[SLOW_THREADS];
	size_t n_threads, running, bulk_runs, look_runs;
	pthread_mutex_t mu;
	pthread_cond_t cond;
	struct list queue, look, bulk, ready;
	/* CLOCK_MONOTONIC; written by the loop, which does not wait for a lock then */
	_Atomic uint64_t hurry_until_ms;
	uint64_t hurry_saved_ms; /* what hurries may take */
	uint64_t hurry_at_ms;    /* when that was true */
	bool stop;
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

/* Under mu. NULL: wait, until *ret_until_ms where it is not 0. */
static struct work *take_next(struct slow *s, uint64_t *ret_until_ms)
{
	struct work *w = take(&s->queue);

	*ret_until_ms = 0;
	if (!w && s->look_runs < SLOW_LOOK) {
		w = take(&s->look);
		s->look_runs += w != NULL;
	}
	if (w || s->bulk_runs == SLOW_BULK || list_empty(&s->bulk))
		return w;
	if (now_ms() < s->hurry_until_ms && !s->stop) {
		*ret_until_ms = s->hurry_until_ms;
		return NULL;
	}
	s->bulk_runs++;
	return take(&s->bulk);
}

/* Under mu: until something was queued, or the time has come. */
static void wait_for_work(struct slow *s, uint64_t until_ms)
{
	struct timespec at = { .tv_sec = (time_t)(until_ms / 1000),
		.tv_nsec = (long)(until_ms % 1000) * 1000000 };

	if (until_ms == 0)
		(void)pthread_cond_wait(&s->cond, &s->mu);
	else
		(void)pthread_cond_timedwait(&s->cond, &s->mu, &at);
}

/* A hurry has an end by itself (slow_hurry), so this has one. */
static void give_way(void *ctx)
{
	struct slow *s = ctx;

	for (uint64_t now = now_ms(), until; now < (until = s->hurry_until_ms); now = now_ms()) {
		struct timespec rest = { .tv_nsec = (long)(until - now) * 1000000 };
		(void)nanosleep(&rest, NULL);
	}
}

static void *thread_main(void *arg)
{
	struct slow *s = arg;
	struct work *w;
	uint64_t until_ms;

	errno = 0;
	if (nice(SLOW_NICE) == -1 && errno) /* of this thread alone; -1 is also a value */
		log_line(LOG_WARN, "ev=loop.slow nice=%d error=%d", SLOW_NICE, errno);
	work_give_way_by(give_way, s);
	pthread_mutex_lock(&s->mu);
	for (;;) {
		while ((w = take_next(s, &until_ms)) == NULL && !s->stop)
			wait_for_work(s, until_ms);
		if (!w)
			break;
		if (!list_empty(&s->bulk) ||
			!list_empty(&s->look)) /* another thread keeps an eye on it */
			pthread_cond_signal(&s->cond);
		pthread_mutex_unlock(&s->mu);
		bool bulk = w->weight == WORK_BULK, look = w->weight == WORK_LOOK;
		w->fn(w);
		pthread_mutex_lock(&s->mu);
		s->look_runs -= look;
		s->bulk_runs -= bulk; /* this thread looks for the next itself */
		list_push(&s->ready, &w->node);
		REQUIRE(uv_async_send(&s->async) == 0);
	}
	pthread_mutex_unlock(&s->mu);
	return NULL;
}

static void on_ready(uv_async_t *h)
{
	struct slow *s = h->data;
	struct work *w;

	do {
		pthread_mutex_lock(&s->mu);
		w = take(&s->ready);
		pthread_mutex_unlock(&s->mu);
		if (w) {
			if (--s->running == 0)
				uv_unref((uv_handle_t *)&s->async);
			s->done(s->ctx, w);
		}
	} while (w);
}

struct slow *slow_new(struct uv_loop_s *uv, void (*done)(void *ctx, struct work *w), void *ctx)
{
	struct slow *s = x_calloc(1, sizeof(*s));

	s->done = done;
	s->ctx = ctx;
	list_init(&s->queue);
	list_init(&s->look);
	list_init(&s->bulk);
	list_init(&s->ready);
	pthread_condattr_t monotonic;
	REQUIRE(pthread_condattr_init(&monotonic) == 0 &&
		pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
	REQUIRE(pthread_mutex_init(&s->mu, NULL) == 0 &&
		pthread_cond_init(&s->cond, &monotonic) == 0);
	pthread_condattr_destroy(&monotonic);
	REQUIRE(uv_async_init(uv, &s->async, on_ready) == 0);
	s->async.data = s;
	uv_unref((uv_handle_t *)&s->async);
	return s;
}

bool slow_queue(struct slow *s, struct work *w)
{
	if (s->stop) /* written by this thread alone */
		return false;
	while (s->n_threads < SLOW_THREADS &&
		pthread_create(&s->threads[s->n_threads], NULL, thread_main, s) == 0)
		s->n_threads++;
	if (s->n_threads == 0)
		return false;
	if (s->running++ == 0)
		uv_ref((uv_handle_t *)&s
				->async); /* the loop lives as long as somebody works for it */
	pthread_mutex_lock(&s->mu);
	list_push(w->weight == WORK_BULK         ? &s->bulk
			: w->weight == WORK_LOOK ? &s->look
						 : &s->queue,
		&w->node);
	pthread_cond_signal(&s->cond);
	pthread_mutex_unlock(&s->mu);
	return true;
}

/* What is saved grows by one for each two ms, and each ms that bulk is kept takes one. */
void slow_hurry(struct slow *s)
{
	uint64_t now = now_ms(), until = now + SLOW_HURRY_MS;
	uint64_t from = s->hurry_until_ms > now ? s->hurry_until_ms : now;
	uint64_t earned = (now - s->hurry_at_ms) / 2;

	s->hurry_saved_ms += earned;
	s->hurry_at_ms += 2 * earned;
	if (s->hurry_saved_ms > SLOW_HURRY_SAVED_MS)
		s->hurry_saved_ms = SLOW_HURRY_SAVED_MS;
	if (until > from + s->hurry_saved_ms)
		until = from + s->hurry_saved_ms;
	if (until <= from)
		return;
	s->hurry_saved_ms -= until - from;
	s->hurry_until_ms = until;
}

void slow_close(struct slow *s)
{
	REQUIRE(s->running == 0);
	pthread_mutex_lock(&s->mu);
	s->stop = true;
	pthread_cond_broadcast(&s->cond);
	pthread_mutex_unlock(&s->mu);
	for (size_t i = 0; i < s->n_threads; i++)
		(void)pthread_join(s->threads[i], NULL);
	uv_close((uv_handle_t *)&s->async, NULL);
}

void slow_free(struct slow *s)
{
	pthread_cond_destroy(&s->cond);
	pthread_mutex_destroy(&s->mu);
	xfree(s);
}
