/* when.h - moments, durations and dates as editors write them, and civil time both ways.
 * Pure and thread-safe: no libc time zone, no clock. Month-first is never guessed: 11/23/2026 is refused.
 * Read:  2026-11-23 08:00 | 2026-11-23T08:00 | 23/11/2026 08:00 | 08h00 23/11/2026 | 08:00 ngày 23/11/2026 | now | 20m
 * Shown: "Thứ Hai, 23/11/2026, 08:00" or "Monday, 23 November 2026, 08:00".
 */
#ifndef LANTOA_MODEL_WHEN_H
#define LANTOA_MODEL_WHEN_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "base/str.h"
#include "model/zone.h"

#define WHEN_SECOND_MS       INT64_C(1000)
#define WHEN_MINUTE_MS       INT64_C(60000)
#define WHEN_HOUR_MS         INT64_C(3600000)
#define WHEN_DAY_MS          INT64_C(86400000)
#define WHEN_DURATION_MAX_MS (3660 * WHEN_DAY_MS)
#define WHEN_YEAR_MIN        1970
#define WHEN_YEAR_MAX        2199
#define WHEN_TEXT_MAX        64 /* room for every form that this header prints */

enum when_kind {
	WHEN_NONE = 0,          /* not said */
	WHEN_NOW = 1,           /* at the last approval */
	WHEN_AT = 2,            /* ms: UTC since 1970 */
	WHEN_AFTER_DURATION = 3 /* ms: after the last approval */
};
struct when {
	enum when_kind kind;
	int64_t ms;
};
enum when_lang { WHEN_VI = 0, WHEN_EN = 1 };

struct civil {
	int year, month, day, hour, minute, second; /* month and day from 1 */
	int weekday;                                /* 0 Sunday ... 6 Saturday; output only */
};

bool civil_valid(const struct civil *c);
int64_t civil_days(
	int year, int month, int day); /* days since 1970-01-01; the date must be valid */
void civil_from_ms(int64_t utc_ms, const struct zone *z, struct civil *ret);
int64_t civil_to_ms(const struct civil *c, const struct zone *z); /* c must be valid */
int civil_weekday(int year, int month, int day);

int when_parse(struct str s, const struct zone *z, struct when *ret, struct err *e) MUST_CHECK;
/* 10s, 20m, 12h, 2d, 1h30m; at most WHEN_DURATION_MAX_MS; 0 only as "0s". */
int when_parse_duration(struct str s, int64_t *ret_ms, struct err *e) MUST_CHECK;
int when_parse_date(
	struct str s, struct civil *ret, struct err *e) MUST_CHECK; /* 2026-11-23 or 23/11/2026 */
/* The moment that w means when the last approval was at base_ms; WHEN_NONE gives base_ms. */
int64_t when_resolve(const struct when *w, int64_t base_ms);

/* dst of WHEN_TEXT_MAX; each returns dst. */
const char *when_print(
	char *dst, size_t size, int64_t utc_ms, const struct zone *z, enum when_lang lang);
const char *when_print_short(
	char *dst, size_t size, int64_t utc_ms, const struct zone *z); /* 2026-11-23 08:00 */
const char *when_print_duration(char *dst, size_t size, int64_t ms);   /* 1h30m */
const char *when_print_when(
	char *dst, size_t size, const struct when *w, const struct zone *z, enum when_lang lang);
const char *when_weekday_name(int weekday, enum when_lang lang);

/* "Thứ Hai, ngày 24/11/2026" or "Monday, 24 November 2026" whose weekday does not fit its date. */
struct weekday_slip {
	size_t at, len; /* bytes of the text */
	int said, is;   /* 0 Sunday ... */
	struct civil date;
};
/* Next slip at or after byte `from` of NFC text; false when there is none. */
bool when_find_weekday_slip(struct str text, size_t from, struct weekday_slip *ret);

#endif
