/* loop_workers.h - the threads that work for the loop: a pool for what somebody waits for (a look at the queue, a message to be made), and
 * one of lower priority for what keeps a processor busy for long (an import, a plan).
 * Thread: the loop; fn of a work runs on a thread of its pool, in the order of queueing. In the slow pool bulk stands behind the rest
 * and has at most SLOW_BULK threads: checking a long import is one work of many seconds. Owns: the threads and the notifiers that tell
 * the loop what is done; libuv's own pool tells it by an uv_async_t (loop_notifier.h says what that costs).
 * Failures: none but of workers_new; without a slow thread (pthread_create failed) work goes to the others, without one of those it aborts.
 */
#ifndef LANTOA_NET_LOOP_WORKERS_H
#define LANTOA_NET_LOOP_WORKERS_H

#include <stddef.h>
#include "base/env.h"
#include "base/err.h"

/* Of each pool. Slow: an import reads and stages at once; somebody looks; a plan. */
#define POOL_THREADS 4
#define SLOW_BULK    2
#define SLOW_LOOK    1
#define SLOW_NICE    10 /* beside the daemon's other threads, nice(2) */
/* A hurry keeps bulk that has not begun, and what gives way (work_give_way), for so long. Hurries have half of the time: what they did
 * not use is saved for later ones, so much at most (bulk is kept for 200 ms on end then); with nothing saved a hurry does nothing. */
#define SLOW_HURRY_MS       30
#define SLOW_HURRY_SAVED_MS 100

struct uv_loop_s;
struct workers;

/* done(ctx, w) on the loop, once for each work. 0 or a negative errno. */
int workers_new(struct uv_loop_s *uv, void (*done)(void *ctx, struct work *w), void *ctx,
	struct workers **ret) MUST_CHECK;
void workers_queue(struct workers *ws, struct work *w);
size_t workers_running(const struct workers *ws); /* works that are not done yet */
void workers_hurry(struct workers *ws);
/* Nothing is queued or runs; the loop turns once more before workers_free. */
void workers_close(struct workers *ws);
void workers_free(struct workers *ws);

#endif
