/* env.h - time, randomness, timers, deferral and workers as one injected object: real in the daemon, virtual in tests and
 * simulation. Code above `net` that needs any of these takes a struct env *, never the system's own.
 * Thread: everything here is called on the loop thread only; work.fn alone runs elsewhere.
 */
#ifndef LANTOA_BASE_ENV_H
#define LANTOA_BASE_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/list.h"

struct env;

/* A timer lives inside its owner. Life: timer_init once; timer_set / timer_stop as often as wanted; stop before freeing.
 * fn runs on the loop thread, never from inside timer_set. */
struct timer {
	size_t heap_at; /* 1-based slot in the heap; 0: not set */
	int64_t at_ms;  /* monotonic */
	uint64_t seq;   /* order among equal times: first set, first run */
	void (*fn)(struct timer *);
};

/* Runs once after the current callback has returned. Queueing a queued task is a no-op. */
struct task {
	struct list node;
	void (*fn)(struct task *);
};

/* What keeps a processor busy for long runs on threads of lower priority. Of these bulk (an import) and looks (at an audience of
 * millions) have their share, and one is always left to the rest (a plan). */
enum work_weight { WORK_SHORT = 0, WORK_LONG, WORK_LOOK, WORK_BULK };

/* fn on a worker thread (or inline in a simulation), then done on the loop. The memory stays the owner's until done. */
struct work {
	void (*fn)(struct work *);
	void (*done)(struct work *);
	enum work_weight weight;
	/* Set by fn of a short one that finds it is none: fn runs once more, as this, and then done. */
	enum work_weight longer;
	struct list node; /* for the loop, as long as it is queued there */
	void *impl[14];   /* for the loop: holds its request */
};

static inline bool work_is_long(const struct work *w)
{
	return w->weight != WORK_SHORT;
}

/* A place in a long loop on a worker, every GIVE_WAY_ROWS: on a thread for long works it waits while something hurries (env_hurry), a
 * fifth of a second at most; anywhere else it does nothing. Not under a lock. */
#define GIVE_WAY_ROWS 256
void work_give_way(void);
/* Of the calling thread, for the loop that owns it; NULL: none. */
void work_give_way_by(void (*fn)(void *ctx), void *ctx);

struct env_ops {
	int64_t (*wall_ms)(struct env *); /* UTC, milliseconds since 1970 */
	int64_t (*mono_ms)(struct env *);
	void (*random)(struct env *, void *p, size_t n);
	void (*work)(struct env *, struct work *);
	void (*timers_changed)(struct env *); /* the earliest timer may have moved; may be NULL */
	void (*defer_wake)(struct env *);     /* a task was queued; may be NULL */
	/* a timer or task has run: its function, for measuring; may be NULL */
	void (*ran)(struct env *, uintptr_t fn);
	void (*hurry)(struct env *); /* may be NULL */
};

struct env {
	const struct env_ops *ops;
	struct timer **heap; /* owned; min-heap by (at_ms, seq) */
	size_t heap_len, heap_cap;
	uint64_t timer_seq;
	struct list tasks;
};

void env_init(struct env *e, const struct env_ops *ops);
void env_done(struct env *e);

static inline int64_t env_wall(struct env *e)
{
	return e->ops->wall_ms(e);
}
static inline int64_t env_mono(struct env *e)
{
	return e->ops->mono_ms(e);
}
static inline void env_random(struct env *e, void *p, size_t n)
{
	e->ops->random(e, p, n);
}
uint64_t env_random_below(struct env *e, uint64_t bound); /* 0 .. bound-1, unbiased; bound > 0 */
static inline void env_work(struct env *e, struct work *w)
{
	e->ops->work(e, w);
}
/* A step of what is to go out now begins: works of bulk that have not begun wait a moment, so that it has the processors. */
static inline void env_hurry(struct env *e)
{
	if (e->ops->hurry)
		e->ops->hurry(e);
}

void timer_init(struct timer *t, void (*fn)(struct timer *));
void timer_set(struct env *e, struct timer *t, int64_t at_mono_ms); /* moves it when already set */
void timer_stop(struct env *e, struct timer *t);
static inline bool timer_is_set(const struct timer *t)
{
	return t->heap_at != 0;
}
int64_t env_next_timer(const struct env *e); /* monotonic ms of the earliest, INT64_MAX when none */
/* Runs timers due at now, at most `max`; returns how many ran. */
size_t env_run_timers(struct env *e, int64_t now_mono_ms, size_t max);

void task_init(struct task *t, void (*fn)(struct task *));
void env_defer(struct env *e, struct task *t);
void task_cancel(struct task *t);
/* Runs the tasks queued before the call; those queued meanwhile wait for the next call. Returns how many ran. */
size_t env_run_tasks(struct env *e);

#endif
