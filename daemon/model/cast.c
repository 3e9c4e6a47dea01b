/* cast.c - months and counts of broadcasts. Thread: any, pure. Failures: none. */
#include "model/cast.h"
#include <stdio.h>
#include "model/when.h"

void cast_month(
	int64_t at_ms, int64_t from_day, const struct zone *z, int64_t *ret_from, int64_t *ret_to)
{
	struct civil c;

	civil_from_ms(at_ms, z, &c);
	struct civil from = { .year = c.year, .month = c.month, .day = (int)from_day };
	if (c.day < from.day) {
		from.year -= from.month == 1;
		from.month = from.month == 1 ? 12 : from.month - 1;
	}
	struct civil to = from;
	to.year += from.month == 12;
	to.month = from.month == 12 ? 1 : from.month + 1;
	*ret_from = civil_to_ms(&from, z);
	*ret_to = civil_to_ms(&to, z);
}

enum cast_over cast_fits(
	const struct cast_limits *l, const struct cast_used *u, bool in_campaign, bool with_planned)
{
	int64_t month = u->month + (with_planned ? u->month_planned : 0),
		campaign = u->campaign + (with_planned ? u->campaign_planned : 0);

	if (l->month >= 0 && month + 1 > l->month)
		return CAST_OVER_MONTH;
	if (in_campaign && l->campaign >= 0 && campaign + 1 > l->campaign)
		return CAST_OVER_CAMPAIGN;
	return CAST_FITS;
}

const char *cast_print(char *dst, size_t size, enum cast_over over, const struct cast_limits *l,
	const struct cast_used *u, int64_t from_ms, const struct zone *z)
{
	bool campaign = over == CAST_OVER_CAMPAIGN;
	int64_t used = campaign ? u->campaign : u->month,
		planned = campaign ? u->campaign_planned : u->month_planned,
		max = campaign ? l->campaign : l->month;
	char more[40] = "", when[40] = "of this campaign";
	struct civil c;

	civil_from_ms(from_ms, z, &c);
	if (!campaign)
		(void)snprintf(when, sizeof(when), "since %02d/%02d/%04d", c.day, c.month, c.year);
	if (planned > 0)
		(void)snprintf(more, sizeof(more), ", %lld more planned", (long long)planned);
	(void)snprintf(dst, size, "%lld of %lld broadcasts %s are spent or may be%s",
		(long long)used, (long long)max, when, more);
	return dst;
}
