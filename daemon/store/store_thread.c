/* store_thread.c - the thread around store_run: waits for commands, runs them, wakes the loop.
 * Threads: start and stop on the loop thread; the rest is the store thread. Owns: the thread.
 * Bounds: outcomes that could not be committed are tried again every 200 ms; an idle second empties the WAL; bulk begins once
 * nothing else came for BULK_QUIET_US, or its last chunk is BULK_APART_US ago; it rests between chunks while things are sent.
 */
#include <time.h>
#include "base/assert.h"
#include "store/store_engine.h"

#define STOP_TRIES       3
#define PRESSURE_LOOK_MS 2 /* readers that keep the log end within a few of these */

static void wait_ms(struct store *s, long ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += ms % 1000 * 1000000;
	t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	(void)pthread_cond_timedwait(&s->work, &s->mu, &t);
}

static size_t waiting(const struct store *s)
{
	size_t others = s->q_len[1] + s->q_len[2] + s->q_len[3];

	return s->dead ? others : others + s->q_len[0];
}

static bool bulk_presses(const struct store *s)
{
	return CONTAINER_OF(s->q[STORE_BULK].next, struct store_cmd, node)->pressing;
}

/* How long bulk, when nothing else waits, leaves the disk and the processor to what follows from the commands just run. */
static long bulk_waits_ms(const struct store *s)
{
	if (s->dead || s->q_len[3] == 0 || waiting(s) > s->q_len[3])
		return 0;
	if (checkpoint_holds_bulk(s))
		return PRESSURE_LOOK_MS;
	int64_t now = store_mono_us(s);
	int64_t until = s->busy_us + BULK_QUIET_US, due = s->bulk_us + BULK_APART_US;
	if (now >= until && now < s->sent_us + BULK_SHY_US && !bulk_presses(s))
		until = s->bulk_us + BULK_REST_US;
	int64_t us = (until < due ? until : due) - now;

	return us > 0 ? (long)(us / 1000) + 1 : 0;
}

/* True when there is work; false after an idle second or when it is time to stop. */
static bool wait_for_work(struct store *s, bool *ret_stop)
{
	long bulk_ms;

	pthread_mutex_lock(&s->mu);
	if (s->stuck && !s->stopping)
		wait_ms(s, RETRY_MS);
	else if (waiting(s) == 0 && !s->stopping)
		wait_ms(s, IDLE_MS);
	while (!s->stopping && (bulk_ms = bulk_waits_ms(s)) > 0)
		wait_ms(s, bulk_ms);
	bool work = waiting(s) > 0;
	*ret_stop = s->stopping;
	pthread_mutex_unlock(&s->mu);
	return work;
}

static void *thread_main(void *arg)
{
	struct store *s = arg;
	int tries = 0;
	bool stop = false;

	for (;;) {
		bool work = wait_for_work(s, &stop);
		if (!work && stop)
			return NULL;
		if (!work) {
			store_idle(s);
			continue;
		}
		if (store_run(s) > 0) {
			tries = 0;
		} else if (stop && ++tries >= STOP_TRIES) {
			return NULL; /* a disk that takes nothing: the outcomes become unknown at the next start */
		}
	}
}

int store_thread_start(struct store *s, void (*wake)(void *ctx), void *ctx)
{
	REQUIRE(!s->thread_on && !s->o.exclusive);
	s->wake = wake;
	s->wake_ctx = ctx;
	pthread_mutex_lock(&s->mu);
	s->stopping = false;
	s->thread_on = true;
	pthread_mutex_unlock(&s->mu);
	int rc = pthread_create(&s->thread, NULL, thread_main, s);
	if (rc != 0) {
		pthread_mutex_lock(&s->mu);
		s->thread_on = false;
		pthread_mutex_unlock(&s->mu);
	}
	return -rc;
}

void store_thread_stop(struct store *s)
{
	pthread_mutex_lock(&s->mu);
	bool on = s->thread_on;
	s->stopping = true;
	pthread_cond_broadcast(&s->work);
	pthread_mutex_unlock(&s->mu);
	if (!on)
		return;
	(void)pthread_join(s->thread, NULL);
	pthread_mutex_lock(&s->mu);
	s->thread_on = false;
	pthread_cond_broadcast(&s->readers);
	pthread_mutex_unlock(&s->mu);
}
