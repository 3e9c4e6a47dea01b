/* loop.h - the daemon's event loop: libuv below, struct env on top.
 * Thread: the one that called loop_new, except loop_wake_send (any thread).
 * A turn: timers, descriptors, then deferred tasks. One uv timer serves all timers, so thousands of them cost a heap.
 * Owns: its uv_loop_t and the handles that it made. Other folders put their handles on loop_uv() and close them before
 * loop_free, which fails with -EBUSY when one is left.
 */
#ifndef LANTOA_NET_LOOP_H
#define LANTOA_NET_LOOP_H

#include <stdint.h>
#include "base/env.h"
#include "base/err.h"

struct loop;
struct loop_wake;
struct uv_loop_s;

#define LOOP_SIGNALS_MAX 8
#define LOOP_LAG_BUCKETS 16

int loop_new(struct loop **ret, struct err *e) MUST_CHECK;
/* Waits for running workers, closes what it owns; no work is queued from then on. 0, or -EBUSY when foreign handles are left: close
 * them and call again. */
int loop_free(struct loop *l);
struct env *loop_env(struct loop *l); /* borrowed, lives as long as the loop */
struct uv_loop_s *loop_uv(struct loop *l);

void loop_run(struct loop *l);      /* until loop_stop */
void loop_run_once(struct loop *l); /* one turn; waits when there is nothing to do */
void loop_stop(struct loop *l);

/* fn(ctx, signo) on the loop. -E2BIG over LOOP_SIGNALS_MAX. */
int loop_on_signal(
	struct loop *l, int signo, void (*fn)(void *ctx, int signo), void *ctx) MUST_CHECK;

/* fn(ctx) on the loop, at least once after each send; sends coalesce, so fn drains all that there is.
 * A waker that was sent to after loop_wake_free is a bug of the sender: join the thread first. */
int loop_wake_new(
	struct loop *l, void (*fn)(void *ctx), void *ctx, struct loop_wake **ret) MUST_CHECK;
void loop_wake_send(struct loop_wake *w); /* any thread, async-signal-safe */
void loop_wake_free(struct loop_wake *w);

/* A callback of a handle that others put on loop_uv() has run: which one, for the log of long ones. */
void loop_ran(struct loop *l, uintptr_t fn);

/* How long the loop was busy between two waits. */
struct loop_lag {
	uint64_t turns;
	uint64_t max_us;      /* since the last loop_lag_reset_max */
	uint64_t cpu_max_us;  /* of the thread's own CPU time */
	uint64_t call_max_us; /* CPU time of the longest callback */
	uintptr_t
		call_max_at; /* which one: its distance from the start of the program, for addr2line */
	uint64_t total_us;
	uint64_t bucket
		[LOOP_LAG_BUCKETS]; /* turns of at most 2^i * 16 us; the last one: all above */
};
void loop_lag(const struct loop *l, struct loop_lag *ret);
void loop_lag_reset_max(struct loop *l);

#endif
