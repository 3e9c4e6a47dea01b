/* cast.h - the allowance of broadcasts: how many an account may send in a month of its package and in a campaign. Pure; any thread.
 * What counts: every broadcast that was sent or may have been (sending, accepted, delivered, unknown, doubt). Source: Zalo
 * contract, section 3: the allowance begins anew on the day of the package, which is configuration.
 */
#ifndef LANTOA_MODEL_CAST_H
#define LANTOA_MODEL_CAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "model/zone.h"

struct cast_limits { /* -1: no limit */
	int64_t month, campaign;
	int64_t from_day; /* 1..28: the day on which a month begins */
};
struct cast_used { /* spent: sent or perhaps; planned: approved and still to go */
	int64_t month, month_planned, campaign, campaign_planned;
};
enum cast_over { CAST_FITS = 0, CAST_OVER_MONTH = 1, CAST_OVER_CAMPAIGN = 2 };

/* The month that holds this instant: [from, to). */
void cast_month(
	int64_t at_ms, int64_t from_day, const struct zone *z, int64_t *ret_from, int64_t *ret_to);
/* May one more go? with_planned: what others have been approved for counts, too. */
enum cast_over cast_fits(const struct cast_limits *l, const struct cast_used *u, bool in_campaign,
	bool with_planned);
/* "3 of 4 broadcasts since 01/11/2026 are spent or may be, 1 more planned"; returns dst. */
const char *cast_print(char *dst, size_t size, enum cast_over over, const struct cast_limits *l,
	const struct cast_used *u, int64_t from_ms, const struct zone *z);

#endif
