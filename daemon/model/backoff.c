/* backoff.c - schedule with full jitter.
 * Thread: any. Owns: nothing. Failures: none; silly arguments are clamped. */
#include "model/backoff.h"

static const int64_t default_base_ms[] = { 30000, 120000, 480000, 1800000, 3600000, 7200000 };

static int64_t base_of(const struct backoff *b)
{
	const int64_t *v = b->n ? b->base_ms : default_base_ms;
	size_t n = b->n ? b->n : sizeof(default_base_ms) / sizeof(default_base_ms[0]);
	size_t i = b->tries ? (size_t)b->tries - 1 : 0;

	return v[i < n ? i : n - 1];
}

int64_t backoff_ms(const struct backoff *b)
{
	int64_t base = base_of(b);
	int64_t span = base;

	if (b->wait_ms > 0 && span > b->wait_ms / 10)
		span = b->wait_ms / 10;
	if (span < 0)
		span = 0;
	int64_t jitter = (int64_t)(b->random % ((uint64_t)span + 1));
	int64_t ms = (b->wait_ms > 0 ? b->wait_ms : 0) + jitter;
	return ms < BACKOFF_FLOOR_MS ? BACKOFF_FLOOR_MS : ms;
}

int64_t backoff_doubled(int64_t base_ms, uint32_t times, int64_t max_ms)
{
	int64_t ms = base_ms > 0 ? base_ms : 1;

	for (uint32_t i = 0; i < times && ms < max_ms; i++)
		ms *= 2;
	return ms < max_ms ? ms : max_ms;
}
