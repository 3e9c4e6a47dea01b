/* bucket.c - tokens over time.
 * Thread: any. Owns: nothing. Failures: none. */
#include "model/bucket.h"

void bucket_init(struct bucket *b, double rate_per_s, double burst, double tokens, int64_t at_ms)
{
	b->rate_per_s = rate_per_s > 0 ? rate_per_s : 0;
	b->burst = burst >= 1 ? burst : 1;
	b->tokens = at_ms ? tokens : b->burst;
	b->at_ms = at_ms;
	if (b->tokens > b->burst)
		b->tokens = b->burst;
}

void bucket_set(struct bucket *b, double rate_per_s, double burst)
{
	bucket_init(b, rate_per_s, burst, b->tokens, b->at_ms ? b->at_ms : 1);
}

void bucket_fill(struct bucket *b, int64_t now_ms)
{
	if (b->at_ms && now_ms > b->at_ms) {
		b->tokens += b->rate_per_s * (double)(now_ms - b->at_ms) / 1000.0;
		if (b->tokens > b->burst)
			b->tokens = b->burst;
	}
	b->at_ms = now_ms;
}

bool bucket_has(const struct bucket *b)
{
	return b->rate_per_s <= 0 || b->tokens >= 1.0 - 1e-9;
}

void bucket_take(struct bucket *b)
{
	if (b->rate_per_s > 0)
		b->tokens -= 1.0;
}

void bucket_give(struct bucket *b)
{
	if (b->rate_per_s > 0 && b->tokens + 1.0 <= b->burst)
		b->tokens += 1.0;
}

int64_t bucket_wait_ms(const struct bucket *b)
{
	if (bucket_has(b))
		return 0;
	double ms = (1.0 - b->tokens) * 1000.0 / b->rate_per_s;
	return ms > 86400000.0 ? INT64_C(86400000) : (int64_t)ms + 1;
}
