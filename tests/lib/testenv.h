/* testenv.h - a virtual struct env: clocks that move only when told, seeded randomness, work done inline.
 * Everything runs on the caller's thread. The same seed gives the same run.
 */
#ifndef LANTOA_TESTS_TESTENV_H
#define LANTOA_TESTS_TESTENV_H

#include "base/env.h"

#define TESTENV_WALL_START 1795395600000LL /* 2026-11-23 01:00 UTC: Monday, 08:00 in Vietnam */
#define TESTENV_MONO_START 1000000LL

struct testenv {
	struct env env; /* first: a struct env * is a struct testenv * */
	int64_t wall,
		mono;  /* may be set by the test: a jump of the wall clock is `te->wall += ...` */
	uint64_t seed; /* state of the generator, never 0 */
	struct list done; /* work that was run and waits for its `done` */
	uint64_t ran;     /* timers, tasks and works so far */
	uint64_t longer;  /* works that ran once more, as long ones */
};

void testenv_init(struct testenv *te, uint64_t seed);
void testenv_done(struct testenv *te);
/* Runs tasks and finished work until there are none, without moving the clock; timers that are due run too. */
void testenv_settle(struct testenv *te);
/* Moves both clocks by ms, stopping at each timer in between and settling there. ms 0 is testenv_settle. */
void testenv_advance(struct testenv *te, int64_t ms);
/* Advances from timer to timer until `done(arg)` is true; false when nothing is left or max_ms have passed. */
bool testenv_until(struct testenv *te, bool (*done)(void *arg), void *arg, int64_t max_ms);
uint64_t testenv_random(struct testenv *te);

#endif
