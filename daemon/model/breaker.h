/* breaker.h - a lane in trouble: the circuit breaker, and the adaptive concurrency beside it. Pure; any thread.
 * Breaker: `failures` troubles in a row open it for a pause that doubles up to its maximum; then one probe goes; its success
 * closes, its trouble opens again. Pace: starts at 4, one more (from 32 on a sixteenth more) after each full window of
 * success, half on trouble.
 */
#ifndef LANTOA_MODEL_BREAKER_H
#define LANTOA_MODEL_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum breaker_state { BREAKER_CLOSED = 0, BREAKER_OPEN = 1, BREAKER_PROBING = 2 };

struct breaker_rule {
	uint32_t failures; /* 0: never opens by counting */
	int64_t pause_ms, pause_max_ms;
};
struct breaker {
	enum breaker_state state;
	uint32_t failures; /* troubles in a row */
	uint32_t opened;   /* openings in a row: the exponent of the pause */
	int64_t until_ms;  /* open: when the probe may go */
	bool probe_out;    /* probing: the one probe is on its way */
};

/* May one more go now? An open breaker whose pause is over turns to probing here. */
bool breaker_may(struct breaker *b, int64_t now_ms);
void breaker_went(struct breaker *b);      /* one went: the probe, where probing */
void breaker_came_back(struct breaker *b); /* it came back without a verdict (revoked) */
void breaker_good(struct breaker *b);
/* now: open at once whatever the count (a refused login), else by the count. Returns true when it opened by this call. */
bool breaker_trouble(struct breaker *b, const struct breaker_rule *r, int64_t now_ms, bool now);
/* Milliseconds until it is worth asking again; 0 now; INT64_MAX while the probe is out. */
int64_t breaker_wait_ms(const struct breaker *b, int64_t now_ms);

#define PACE_START 4u
struct pace {
	uint32_t limit; /* ops at once */
	uint32_t good;  /* successes of the window under way */
};
void pace_init(struct pace *p, uint32_t ceiling);
void pace_good(struct pace *p, uint32_t ceiling);
void pace_trouble(struct pace *p);

#endif
