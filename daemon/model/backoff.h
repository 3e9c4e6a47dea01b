/* backoff.h - when a deferred delivery is tried again: exponential schedule with full jitter, the provider's wait honoured.
 * Pure; any thread. Randomness is an argument.
 */
#ifndef LANTOA_MODEL_BACKOFF_H
#define LANTOA_MODEL_BACKOFF_H

#include <stddef.h>
#include <stdint.h>

#define BACKOFF_FLOOR_MS 500 /* never sooner than this, whatever the dice say */

struct backoff {
	const int64_t *base_ms; /* base of each retry, the last one repeats; borrowed */
	size_t n;               /* 0: the default schedule */
	uint32_t tries;         /* tries spent so far, this one included; at least 1 */
	int64_t wait_ms;        /* what the provider asked for; 0: nothing */
	uint64_t random;        /* uniform */
};

/* Milliseconds to wait: uniform in [floor, base of this try], on top of the provider's wait where it gave one (then the
 * jitter is at most a tenth of that wait or the base, whichever is less, so that a fleet does not return at one instant). */
int64_t backoff_ms(const struct backoff *b);
/* base, doubled `times` times, never above max. */
int64_t backoff_doubled(int64_t base_ms, uint32_t times, int64_t max_ms);

#endif
