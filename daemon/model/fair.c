/* fair.c - the share of urgent work.
 * Thread: any. Owns: nothing. Failures: none. */
#include "model/fair.h"

enum fair_pick fair_next(
	const struct fair_share *s, bool urgent_waits, bool other_waits, double share)
{
	if (urgent_waits && other_waits)
		return s->credit + share >= 1.0 - 1e-9 ? FAIR_URGENT : FAIR_OTHER;
	return urgent_waits ? FAIR_URGENT : other_waits ? FAIR_OTHER : FAIR_NONE;
}

void fair_went(struct fair_share *s, enum fair_pick what, bool both_waited, double share)
{
	if (!both_waited)
		return; /* alone on the lane: neither earns nor spends */
	s->credit += share;
	if (what == FAIR_URGENT)
		s->credit -= 1.0;
	if (s->credit < 0)
		s->credit = 0;
	if (s->credit > 1)
		s->credit = 1;
}
