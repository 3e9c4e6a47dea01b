/* loop_slow.h - threads of their own, of lower priority, for work that keeps a processor busy for long (an import, a plan).
 * libuv's threads are left to what somebody waits for: a look at the queue, a message to be made.
 * Thread: the loop; fn of a work runs on one of SLOW_THREADS, in the order of queueing, but bulk behind the rest and on at most
 * SLOW_BULK of them: checking a long import is one work of many seconds. Owns: the threads and an async handle.
 * Failures: none; without a thread (pthread_create failed) the work goes where other work goes.
 */
#ifndef LANTOA_NET_LOOP_SLOW_H
#define LANTOA_NET_LOOP_SLOW_H

#include <stdbool.h>
#include "base/env.h"

#define SLOW_THREADS 4 /* an import reads and stages at once; somebody looks; a plan */
#define SLOW_BULK    2
#define SLOW_LOOK    1
#define SLOW_NICE    10 /* beside the daemon's other threads, nice(2) */
/* A hurry keeps bulk that has not begun, and what gives way (work_give_way), for so long. Hurries have half of the time: what they did
 * not use is saved for later ones, so much at most (bulk is kept for 200 ms on end then); with nothing saved a hurry does nothing. */
#define SLOW_HURRY_MS       30
#define SLOW_HURRY_SAVED_MS 100

struct uv_loop_s;
struct slow;

/* done(ctx, w) on the loop, once for each work. */
struct slow *slow_new(struct uv_loop_s *uv, void (*done)(void *ctx, struct work *w), void *ctx);
bool slow_queue(struct slow *s, struct work *w); /* false: not taken */
void slow_hurry(struct slow *s);
void slow_close(
	struct slow *s); /* nothing is queued or runs; the loop turns once more before slow_free */
void slow_free(struct slow *s);

#endif
