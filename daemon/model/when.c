/* when.c - civil time both ways and its printed forms. Pure: proleptic Gregorian calendar, fixed offsets. */
#include "model/when.h"

#include <stdio.h>

#include "base/assert.h"

static const char *const weekday_vi[] = { "Chủ Nhật", "Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm",
	"Thứ Sáu", "Thứ Bảy" };
static const char *const weekday_en[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday",
	"Friday", "Saturday" };
static const char *const month_en[] = { "January", "February", "March", "April", "May", "June",
	"July", "August", "September", "October", "November", "December" };

static bool is_leap(int y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int month_days(int y, int m)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	return m == 2 && is_leap(y) ? 29 : days[m - 1];
}

bool civil_valid(const struct civil *c)
{
	if (c->year < WHEN_YEAR_MIN || c->year > WHEN_YEAR_MAX || c->month < 1 || c->month > 12)
		return false;
	if (c->day < 1 || c->day > month_days(c->year, c->month))
		return false;
	return c->hour >= 0 && c->hour < 24 && c->minute >= 0 && c->minute < 60 && c->second >= 0 &&
		c->second < 60;
}

/* Days of eras of 400 years that begin on 1 March: leap days fall at the end. */
int64_t civil_days(int year, int month, int day)
{
	REQUIRE(month >= 1 && month <= 12);
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t mp = (month + 9) % 12;
	int64_t doy = (153 * mp + 2) / 5 + day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

int civil_weekday(int year, int month, int day)
{
	int64_t d = (civil_days(year, month, day) + 4) % 7; /* 1970-01-01 was a Thursday */
	return (int)(d < 0 ? d + 7 : d);
}

static void date_from_days(int64_t days, struct civil *c)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	c->day = (int)(doy - (153 * mp + 2) / 5 + 1);
	c->month = (int)(mp < 10 ? mp + 3 : mp - 9);
	c->year = (int)(yoe + era * 400 + (c->month <= 2 ? 1 : 0));
}

void civil_from_ms(int64_t utc_ms, const struct zone *z, struct civil *ret)
{
	int64_t s = utc_ms / 1000 - (utc_ms % 1000 < 0 ? 1 : 0) + z->offset_s;
	int64_t days = s / 86400 - (s % 86400 < 0 ? 1 : 0);
	int64_t rest = s - days * 86400;
	date_from_days(days, ret);
	ret->hour = (int)(rest / 3600);
	ret->minute = (int)(rest / 60 % 60);
	ret->second = (int)(rest % 60);
	ret->weekday = (int)(((days + 4) % 7 + 7) % 7);
}

int64_t civil_to_ms(const struct civil *c, const struct zone *z)
{
	REQUIRE(civil_valid(c));
	int64_t s = civil_days(c->year, c->month, c->day) * 86400 + c->hour * 3600 +
		c->minute * 60 + c->second - z->offset_s;
	return s * 1000;
}

int64_t when_resolve(const struct when *w, int64_t base_ms)
{
	switch (w->kind) {
	case WHEN_AT: return w->ms;
	case WHEN_AFTER_DURATION: return base_ms + w->ms;
	case WHEN_NONE:
	case WHEN_NOW: break;
	}
	return base_ms;
}

const char *when_weekday_name(int weekday, enum when_lang lang)
{
	REQUIRE(weekday >= 0 && weekday < 7);
	return lang == WHEN_EN ? weekday_en[weekday] : weekday_vi[weekday];
}

const char *when_print(
	char *dst, size_t size, int64_t utc_ms, const struct zone *z, enum when_lang lang)
{
	struct civil c;
	civil_from_ms(utc_ms, z, &c);
	if (lang == WHEN_EN)
		(void)snprintf(dst, size, "%s, %d %s %04d, %02d:%02d", weekday_en[c.weekday], c.day,
			month_en[c.month - 1], c.year, c.hour, c.minute);
	else
		(void)snprintf(dst, size, "%s, %02d/%02d/%04d, %02d:%02d", weekday_vi[c.weekday],
			c.day, c.month, c.year, c.hour, c.minute);
	return dst;
}

const char *when_print_short(char *dst, size_t size, int64_t utc_ms, const struct zone *z)
{
	struct civil c;
	civil_from_ms(utc_ms, z, &c);
	(void)snprintf(
		dst, size, "%04d-%02d-%02d %02d:%02d", c.year, c.month, c.day, c.hour, c.minute);
	return dst;
}

const char *when_print_duration(char *dst, size_t size, int64_t ms)
{
	static const struct {
		int64_t ms;
		char unit;
	} units[] = { { WHEN_DAY_MS, 'd' }, { WHEN_HOUR_MS, 'h' }, { WHEN_MINUTE_MS, 'm' },
		{ WHEN_SECOND_MS, 's' } };
	size_t at = 0;
	if (size == 0)
		return dst;
	dst[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(units) && at < size; i++) {
		int64_t n = ms / units[i].ms;
		if (n == 0)
			continue;
		ms -= n * units[i].ms;
		int len = snprintf(dst + at, size - at, "%lld%c", (long long)n, units[i].unit);
		at += len > 0 ? (size_t)len : 0;
	}
	if (at == 0)
		(void)snprintf(dst, size, "0s");
	return dst;
}

const char *when_print_when(
	char *dst, size_t size, const struct when *w, const struct zone *z, enum when_lang lang)
{
	char text[WHEN_TEXT_MAX];
	switch (w->kind) {
	case WHEN_AT: return when_print(dst, size, w->ms, z, lang);
	case WHEN_AFTER_DURATION:
		(void)snprintf(dst, size,
			lang == WHEN_EN ? "%s after approval" : "%s sau khi duyệt",
			when_print_duration(text, sizeof(text), w->ms));
		return dst;
	case WHEN_NOW:
		(void)snprintf(dst, size, "%s", lang == WHEN_EN ? "at approval" : "ngay khi duyệt");
		return dst;
	case WHEN_NONE: break;
	}
	(void)snprintf(dst, size, "-");
	return dst;
}
