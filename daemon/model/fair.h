/* fair.h - who is next on a lane: urgent first up to its share, then releases in turn. Pure; any thread; O(1) a pick.
 */
#ifndef LANTOA_MODEL_FAIR_H
#define LANTOA_MODEL_FAIR_H

#include <stdbool.h>
#include <stdint.h>

/* The share of urgent work where both kinds wait. */
struct fair_share {
	double credit; /* 0 .. 1 */
};
enum fair_pick { FAIR_NONE = 0, FAIR_URGENT = 1, FAIR_OTHER = 2 };
/* Which of the two goes next; share 0.8: of ten picks with both waiting, eight are urgent. Call fair_went after sending it. */
enum fair_pick fair_next(
	const struct fair_share *s, bool urgent_waits, bool other_waits, double share);
void fair_went(struct fair_share *s, enum fair_pick what, bool both_waited, double share);

/* Deficit round robin over releases: a turn is worth `fair_quantum` deliveries. */
static inline uint32_t fair_quantum(int prio)
{
	return prio >= 2 ? 1u : 4u; /* PRIO_BULK yields to the others, and is never starved */
}

#endif
