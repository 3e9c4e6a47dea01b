/* window.h - allowed hours: is this instant inside, and when is the next one that is. Pure; any thread.
 * Days and minutes are those of the configured zone; no spans means always.
 */
#ifndef LANTOA_MODEL_WINDOW_H
#define LANTOA_MODEL_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "model/zone.h"

#define WINDOW_NEVER INT64_MAX

struct window_span {
	uint8_t days;              /* bit 0 Monday ... bit 6 Sunday */
	uint16_t from_min, to_min; /* minutes of the day; [from, to), to <= 1440 */
};
struct window {
	struct window_span span[16];
	size_t n;
};

bool window_open(const struct window *w, int64_t utc_ms, const struct zone *z);
/* The first instant at or after utc_ms inside both (NULL: always); WINDOW_NEVER when there is none within 15 days. */
int64_t window_next(
	const struct window *a, const struct window *b, int64_t utc_ms, const struct zone *z);

#endif
