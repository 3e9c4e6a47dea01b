/* loop_crew.c - see loop_crew.h.
 * Threads: the lists of a crew, its runs and stop are guarded by its mu; the rest belongs to the loop. The crews share no lock: a slow
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
#include "net/loop_bell.h"
#include "net/loop_crew.h"

struct crew {
	struct bell bell;
	struct crews *crews;
	pthread_t threads[CREW_THREADS];
	size_t n_threads, running;
	int nice;
	/* Under mu. NULL: wait, until *ret_until_ms where it is not 0. */
	struct work *(*take)(struct crew *c, uint64_t *ret_until_ms);
	pthread_mutex_t mu;
	sem_t more;
	size_t idle; /* threads that wait for more and were not told yet */
	struct list queue, look, bulk, ready;
	size_t bulk_runs, look_runs;
	bool stop;
};

struct crews {
	struct crew quick, slow;
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

static struct work *take_quick(struct crew *c, uint64_t *ret_until_ms)
{
	*ret_until_ms = 0;
	return take(&c->queue);
}

static struct work *take_slow(struct crew *c, uint64_t *ret_until_ms)
{
	struct work *w = take(&c->queue);

	*ret_until_ms = 0;
	if (!w && c->look_runs < SLOW_LOOK) {
		w = take(&c->look);
		c->look_runs += w != NULL;
	}
	if (w || c->bulk_runs == SLOW_BULK || list_empty(&c->bulk))
		return w;
	uint64_t until = c->crews->hurry_until_ms;
	if (now_ms() < until && !c->stop) {
		*ret_until_ms = until;
		return NULL;
	}
	c->bulk_runs++;
	return take(&c->bulk);
}

/* Under mu, which is let go meanwhile: until something was queued, or the time has come; also for nothing. */
static void wait_for_work(struct crew *c, uint64_t until_ms)
{
	struct timespec at = { .tv_sec = (time_t)(until_ms / 1000),
		.tv_nsec = (long)(until_ms % 1000) * 1000000 };

	c->idle++;
	pthread_mutex_unlock(&c->mu);
	int rc = until_ms == 0 ? sem_wait(&c->more) : sem_clockwait(&c->more, CLOCK_MONOTONIC, &at);
	pthread_mutex_lock(&c->mu);
	if (rc == 0)
		return;
	if (c->idle > 0)
		c->idle--;
	else
		(void)sem_trywait(&c->more); /* told at the last moment */
}

/* Under mu. Waits for nobody; pthread_cond_signal of glibc 2.36 does, for threads that it woke before and that had no processor yet. */
static void wake_one(struct crew *c)
{
	if (c->idle > 0) {
		c->idle--;
		(void)sem_post(&c->more);
	}
}

/* A hurry has an end by itself (crews_hurry), so this has one. */
static void give_way(void *ctx)
{
	struct crews *p = ctx;

	for (uint64_t now = now_ms(), until; now < (until = p->hurry_until_ms); now = now_ms()) {
		struct timespec rest = { .tv_nsec = (long)(until - now) * 1000000 };
		(void)nanosleep(&rest, NULL);
	}
}

static void lower_priority(const struct crew *c)
{
	errno = 0;
	if (nice(c->nice) == -1 && errno) /* of this thread alone; -1 is also a value */
		log_line(LOG_WARN, "ev=loop.slow nice=%d error=%d", c->nice, errno);
	work_give_way_by(give_way, c->crews);
}

/* Under mu, which is let go meanwhile. The loop hears of it without the lock that it takes then. */
static void run(struct crew *c, struct work *w)
{
	bool bulk = w->weight == WORK_BULK, look = w->weight == WORK_LOOK;

	pthread_mutex_unlock(&c->mu);
	w->fn(w);
	pthread_mutex_lock(&c->mu);
	c->look_runs -= look;
	c->bulk_runs -= bulk; /* this thread looks for the next itself */
	list_push(&c->ready, &w->node);
	pthread_mutex_unlock(&c->mu);
	bell_ring(&c->bell);
	pthread_mutex_lock(&c->mu);
}

static void *thread_main(void *arg)
{
	struct crew *c = arg;
	struct work *w;
	uint64_t until_ms;

	if (c->nice)
		lower_priority(c);
	pthread_mutex_lock(&c->mu);
	for (;;) {
		while ((w = c->take(c, &until_ms)) == NULL && !c->stop)
			wait_for_work(c, until_ms);
		if (!w)
			break;
		if (!list_empty(&c->bulk) || !list_empty(&c->look))
			wake_one(c); /* another thread keeps an eye on it */
		run(c, w);
	}
	pthread_mutex_unlock(&c->mu);
	return NULL;
}

/* What becomes ready meanwhile rings again: timers and descriptors have their turn between. */
static void on_ready(struct bell *b)
{
	struct crew *c = CONTAINER_OF(b, struct crew, bell);
	struct list batch;
	struct work *w;

	list_init(&batch);
	pthread_mutex_lock(&c->mu);
	for (struct list *n; (n = list_pop(&c->ready)) != NULL;)
		list_push(&batch, n);
	pthread_mutex_unlock(&c->mu);
	while ((w = take(&batch)) != NULL) {
		if (--c->running == 0)
			bell_keeps_alive(&c->bell, false);
		c->crews->done(c->crews->ctx, w);
	}
}

static int crew_open(struct crew *c, struct crews *p, struct uv_loop_s *uv)
{
	int rc = bell_open(&c->bell, uv, on_ready);

	if (rc < 0)
		return rc;
	bell_keeps_alive(&c->bell, false);
	c->crews = p;
	list_init(&c->queue);
	list_init(&c->look);
	list_init(&c->bulk);
	list_init(&c->ready);
	REQUIRE(pthread_mutex_init(&c->mu, NULL) == 0 && sem_init(&c->more, 0, 0) == 0);
	return 0;
}

static void crew_close(struct crew *c)
{
	REQUIRE(c->running == 0);
	pthread_mutex_lock(&c->mu);
	c->stop = true;
	while (c->idle > 0)
		wake_one(c);
	pthread_mutex_unlock(&c->mu);
	for (size_t i = 0; i < c->n_threads; i++)
		(void)pthread_join(c->threads[i], NULL);
	sem_destroy(&c->more);
	pthread_mutex_destroy(&c->mu);
	bell_close(&c->bell, NULL);
}

int crews_new(struct uv_loop_s *uv, void (*done)(void *ctx, struct work *w), void *ctx,
	struct crews **ret)
{
	struct crews *p = x_calloc(1, sizeof(*p));

	p->done = done;
	p->ctx = ctx;
	p->quick.take = take_quick;
	p->slow.take = take_slow;
	p->slow.nice = SLOW_NICE;
	int rc = crew_open(&p->quick, p, uv);
	if (rc == 0) {
		rc = crew_open(&p->slow, p, uv);
		if (rc < 0)
			crew_close(&p->quick);
	}
	if (rc < 0) {
		uv_run(uv, UV_RUN_NOWAIT); /* for the handle that was closed */
		xfree(p);
		return rc;
	}
	*ret = p;
	return 0;
}

/* At the first work of its kind. */
static bool crew_is_there(struct crew *c)
{
	while (c->n_threads < CREW_THREADS &&
		pthread_create(&c->threads[c->n_threads], NULL, thread_main, c) == 0)
		c->n_threads++;
	return c->n_threads > 0;
}

static struct list *list_for(struct crew *c, const struct work *w)
{
	if (!c->nice)
		return &c->queue;
	return w->weight == WORK_BULK ? &c->bulk : w->weight == WORK_LOOK ? &c->look : &c->queue;
}

void crews_queue(struct crews *p, struct work *w)
{
	REQUIRE(crew_is_there(
		&p->quick)); /* first: where threads are scarce the slow ones would have them all */
	struct crew *c = work_is_long(w) && crew_is_there(&p->slow) ? &p->slow : &p->quick;

	REQUIRE(!c->stop);     /* written by this thread alone */
	if (c->running++ == 0) /* the loop lives as long as somebody works for it */
		bell_keeps_alive(&c->bell, true);
	pthread_mutex_lock(&c->mu);
	list_push(list_for(c, w), &w->node);
	wake_one(c);
	pthread_mutex_unlock(&c->mu);
}

size_t crews_running(const struct crews *p)
{
	return p->quick.running + p->slow.running;
}

/* What is saved grows by one for each two ms, and each ms that bulk is kept takes one. */
void crews_hurry(struct crews *p)
{
	uint64_t now = now_ms(), until = now + SLOW_HURRY_MS;
	uint64_t from = p->hurry_until_ms > now ? p->hurry_until_ms : now;
	uint64_t earned = (now - p->hurry_at_ms) / 2;

	p->hurry_saved_ms += earned;
	p->hurry_at_ms += 2 * earned;
	if (p->hurry_saved_ms > SLOW_HURRY_SAVED_MS)
		p->hurry_saved_ms = SLOW_HURRY_SAVED_MS;
	if (until > from + p->hurry_saved_ms)
		until = from + p->hurry_saved_ms;
	if (until <= from)
		return;
	p->hurry_saved_ms -= until - from;
	p->hurry_until_ms = until;
}

void crews_close(struct crews *p)
{
	crew_close(&p->quick);
	crew_close(&p->slow);
}

void crews_free(struct crews *p)
{
	xfree(p);
}
