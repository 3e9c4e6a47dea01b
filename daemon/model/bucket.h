/* bucket.h - token bucket of a lane or of a group of lanes; its two numbers are stored, so a restart gives nothing away.
 * Pure; any thread. Time is an argument (wall milliseconds): a clock that jumps back fills nothing, one that jumps ahead
 * fills at most the burst.
 */
#ifndef LANTOA_MODEL_BUCKET_H
#define LANTOA_MODEL_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
	double rate_per_s; /* 0: no limit */
	double burst;      /* at least 1 where there is a limit */
	double tokens;
	int64_t at_ms; /* when tokens was true */
};

/* tokens, at_ms: as stored; at_ms 0: never used, starts full. */
void bucket_init(struct bucket *b, double rate_per_s, double burst, double tokens, int64_t at_ms);
/* New limits for a bucket in use: what is in it stays, cut to the new burst. */
void bucket_set(struct bucket *b, double rate_per_s, double burst);
void bucket_fill(struct bucket *b, int64_t now_ms);
bool bucket_has(
	const struct bucket *b); /* after bucket_fill: a whole token is there, or no limit */
void bucket_take(struct bucket *b);
void bucket_give(struct bucket *b); /* a token taken and not used */
/* Milliseconds until a token is there; 0 now. */
int64_t bucket_wait_ms(const struct bucket *b);

#endif
