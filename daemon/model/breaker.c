/* breaker.c - breaker and pace.
 * Thread: any. Owns: nothing. Failures: none. */
#include "model/backoff.h"
#include "model/breaker.h"

bool breaker_may(struct breaker *b, int64_t now_ms)
{
	if (b->state == BREAKER_OPEN && now_ms >= b->until_ms) {
		b->state = BREAKER_PROBING;
		b->probe_out = false;
	}
	return b->state == BREAKER_CLOSED || (b->state == BREAKER_PROBING && !b->probe_out);
}

void breaker_went(struct breaker *b)
{
	if (b->state == BREAKER_PROBING)
		b->probe_out = true;
}

void breaker_came_back(struct breaker *b)
{
	b->probe_out = false;
}

void breaker_good(struct breaker *b)
{
	*b = (struct breaker){ .state = BREAKER_CLOSED };
}

bool breaker_trouble(struct breaker *b, const struct breaker_rule *r, int64_t now_ms, bool now)
{
	bool was_probing = b->state != BREAKER_CLOSED;

	if (b->state == BREAKER_OPEN && now_ms < b->until_ms)
		return false; /* late answers of what was under way: the pause runs already */
	b->failures++;
	if (!now && !was_probing && (r->failures == 0 || b->failures < r->failures))
		return false;
	b->until_ms = now_ms + backoff_doubled(r->pause_ms, b->opened, r->pause_max_ms);
	b->opened++;
	b->state = BREAKER_OPEN;
	b->probe_out = false;
	return true;
}

int64_t breaker_wait_ms(const struct breaker *b, int64_t now_ms)
{
	if (b->state == BREAKER_OPEN)
		return now_ms < b->until_ms ? b->until_ms - now_ms : 0;
	if (b->state == BREAKER_PROBING && b->probe_out)
		return INT64_MAX;
	return 0;
}

void pace_init(struct pace *p, uint32_t ceiling)
{
	p->limit = ceiling && ceiling < PACE_START ? ceiling : PACE_START;
	p->good = 0;
}

void pace_good(struct pace *p, uint32_t ceiling)
{
	if (++p->good < p->limit)
		return;
	p->good = 0;
	/* One more; by a sixteenth where there are many already, so that a ceiling of a thousand is reached in seconds. */
	p->limit += p->limit / 16 > 1 ? p->limit / 16 : 1;
	if (p->limit > ceiling)
		p->limit = ceiling > 0 ? ceiling : 1;
}

void pace_trouble(struct pace *p)
{
	p->limit = p->limit > 1 ? p->limit / 2 : 1;
	p->good = 0;
}
