/* window.c - allowed hours over days of one fixed-offset zone.
 * Thread: any. Owns: nothing. Failures: a set of spans that never opens gives WINDOW_NEVER. */
#include "model/window.h"

#define DAY_MS    INT64_C(86400000)
#define MIN_MS    INT64_C(60000)
#define AHEAD_MAX 15 /* days looked ahead */

struct local {
	int64_t day; /* days since 1970-01-01 in the zone */
	int64_t ms;  /* of that day */
};

static struct local local_of(int64_t utc_ms, const struct zone *z)
{
	int64_t t = utc_ms + (int64_t)z->offset_s * 1000;
	int64_t day = t / DAY_MS;

	if (t % DAY_MS < 0)
		day--;
	return (struct local){ day, t - day * DAY_MS };
}

/* Bit of the weekday: 1970-01-01 was a Thursday, bit 3. */
static unsigned day_bit(int64_t day)
{
	int64_t d = (day + 3) % 7;

	return 1u << (unsigned)(d < 0 ? d + 7 : d);
}

static bool always(const struct window *w)
{
	return !w || w->n == 0;
}

bool window_open(const struct window *w, int64_t utc_ms, const struct zone *z)
{
	if (always(w))
		return true;
	struct local l = local_of(utc_ms, z);
	for (size_t i = 0; i < w->n; i++) {
		const struct window_span *s = &w->span[i];
		if ((s->days & day_bit(l.day)) && l.ms >= s->from_min * MIN_MS &&
			l.ms < s->to_min * MIN_MS)
			return true;
	}
	return false;
}

static int64_t next_of(const struct window *w, int64_t utc_ms, const struct zone *z)
{
	if (window_open(w, utc_ms, z))
		return utc_ms;
	struct local l = local_of(utc_ms, z);
	for (int64_t d = 0; d <= AHEAD_MAX; d++) {
		int64_t best = WINDOW_NEVER;
		for (size_t i = 0; i < w->n; i++) {
			const struct window_span *s = &w->span[i];
			int64_t from = s->from_min * MIN_MS;
			if (!(s->days & day_bit(l.day + d)) || (d == 0 && from < l.ms))
				continue;
			if (s->to_min > s->from_min && from < best)
				best = from;
		}
		if (best != WINDOW_NEVER)
			return (l.day + d) * DAY_MS + best - (int64_t)z->offset_s * 1000;
	}
	return WINDOW_NEVER;
}

int64_t window_next(
	const struct window *a, const struct window *b, int64_t utc_ms, const struct zone *z)
{
	int64_t t = utc_ms, last = utc_ms + AHEAD_MAX * DAY_MS;

	/* Each round moves t to an opening of one of them: at most 2 * 16 openings a day. */
	for (int round = 0; round < AHEAD_MAX * 64; round++) {
		int64_t at = next_of(a, t, z);
		if (at == WINDOW_NEVER || at > last)
			return WINDOW_NEVER;
		t = next_of(b, at, z);
		if (t == WINDOW_NEVER || t > last)
			return WINDOW_NEVER;
		if (t == at || window_open(a, t, z))
			return t;
	}
	return WINDOW_NEVER;
}
