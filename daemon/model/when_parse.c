/* when_parse.c - reads moments, durations and dates as editors write them. Pure.
 * Day comes before month wherever the year stands last; a "month" over 12 is refused and named, never swapped.
 */
#include "model/when.h"

#include <string.h>

#include "base/assert.h"

struct scan {
	const char *p, *end;
};

static bool scan_c(struct scan *s, char c)
{
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

/* min..max digits; false when there are fewer, or more follow. */
static bool scan_int(struct scan *s, size_t min, size_t max, int *ret)
{
	size_t n = 0;
	int v = 0;
	while (s->p + n < s->end && s->p[n] >= '0' && s->p[n] <= '9' && n <= max) {
		v = v * 10 + (s->p[n] - '0');
		n++;
	}
	if (n < min || n > max)
		return false;
	s->p += n;
	*ret = v;
	return true;
}

static bool scan_spaces(struct scan *s)
{
	const char *from = s->p;
	while (s->p < s->end && *s->p == ' ')
		s->p++;
	return s->p > from;
}

static bool scan_word(struct scan *s, const char *w)
{
	size_t n = strlen(w);
	if ((size_t)(s->end - s->p) < n || memcmp(s->p, w, n) != 0)
		return false;
	s->p += n;
	return true;
}

/* 2026-11-23, 2026/11/23, 23/11/2026, 23-11-2026, 23.11.2026 */
static bool scan_date(struct scan *s, struct civil *c)
{
	struct scan t = *s;
	int a = 0, b = 0, y = 0;
	if (scan_int(&t, 4, 4, &y)) {
		char sep = t.p < t.end && *t.p == '/' ? '/' : '-';
		if (!scan_c(&t, sep) || !scan_int(&t, 1, 2, &a) || !scan_c(&t, sep) ||
			!scan_int(&t, 1, 2, &b))
			return false;
		*c = (struct civil){ .year = y, .month = a, .day = b };
	} else {
		t = *s;
		if (!scan_int(&t, 1, 2, &a) || t.p == t.end)
			return false;
		char sep = *t.p;
		if ((sep != '/' && sep != '-' && sep != '.') || !scan_c(&t, sep) ||
			!scan_int(&t, 1, 2, &b) || !scan_c(&t, sep) || !scan_int(&t, 4, 4, &y))
			return false;
		*c = (struct civil){ .year = y, .month = b, .day = a };
	}
	*s = t;
	return true;
}

/* 08:00, 08:00:30, 8h, 08h00, 8 giờ 30 */
static bool scan_time(struct scan *s, struct civil *c)
{
	struct scan t = *s;
	int h = 0, m = 0, sec = 0;
	if (!scan_int(&t, 1, 2, &h))
		return false;
	if (scan_c(&t, ':')) {
		if (!scan_int(&t, 2, 2, &m) || (scan_c(&t, ':') && !scan_int(&t, 2, 2, &sec)))
			return false;
	} else if (scan_c(&t, 'h') || scan_c(&t, 'g')) {
		if (t.p < t.end && *t.p >= '0' && *t.p <= '9' && !scan_int(&t, 2, 2, &m))
			return false;
	} else {
		return false;
	}
	c->hour = h;
	c->minute = m;
	c->second = sec;
	*s = t;
	return true;
}

static int check_civil(const struct civil *c, struct str s, struct err *e)
{
	if (c->month > 12 && c->day <= 12)
		return err_set(e, -EINVAL,
			"'" STR_FMT "': there is no month %d; the day comes first: %02d/%02d/%d",
			STR_ARG(s), c->month, c->month, c->day, c->year);
	if (c->hour > 23 || c->minute > 59 || c->second > 59)
		return err_set(e, -EINVAL,
			"'" STR_FMT "': there is no time %02d:%02d; hours go from 00:00 to 23:59",
			STR_ARG(s), c->hour, c->minute);
	if (c->year < WHEN_YEAR_MIN || c->year > WHEN_YEAR_MAX)
		return err_set(e, -EINVAL, "'" STR_FMT "': the year must lie between %d and %d",
			STR_ARG(s), WHEN_YEAR_MIN, WHEN_YEAR_MAX);
	if (!civil_valid(c))
		return err_set(e, -EINVAL, "'" STR_FMT "': there is no such day in the calendar",
			STR_ARG(s));
	return 0;
}

int when_parse_date(struct str s, struct civil *ret, struct err *e)
{
	struct civil c = { 0 };
	s = str_trim(s);
	struct scan t = { s.p, s.p + s.n };
	if (s.n == 0 || !scan_date(&t, &c) || t.p != t.end)
		return err_set(e, -EINVAL,
			"'" STR_FMT "' is no date; write 2026-11-23 or 23/11/2026", STR_ARG(s));
	int r = check_civil(&c, s, e);
	if (r < 0)
		return r;
	c.weekday = civil_weekday(c.year, c.month, c.day);
	*ret = c;
	return 0;
}

static int64_t unit_ms(char c)
{
	switch (c) {
	case 's': return WHEN_SECOND_MS;
	case 'm': return WHEN_MINUTE_MS;
	case 'h': return WHEN_HOUR_MS;
	case 'd': return WHEN_DAY_MS;
	default: return 0;
	}
}

int when_parse_duration(struct str s, int64_t *ret_ms, struct err *e)
{
	int64_t sum = 0, last = INT64_MAX;
	struct str in = s = str_trim(s);
	if (s.n == 0)
		return err_set(e, -EINVAL, "a duration is missing; write 10s, 20m, 12h or 2d");
	while (s.n > 0) {
		size_t n = 0;
		int64_t v = 0;
		while (n < s.n && n < 10 && s.p[n] >= '0' && s.p[n] <= '9')
			v = v * 10 + (s.p[n++] - '0');
		int64_t unit = n > 0 && n < s.n ? unit_ms(s.p[n]) : 0;
		if (unit == 0 || unit >= last)
			return err_set(e, -EINVAL,
				"'" STR_FMT "' is no duration; write 10s, 20m, 12h, 2d or 1h30m",
				STR_ARG(in));
		if (v > WHEN_DURATION_MAX_MS / unit || sum + v * unit > WHEN_DURATION_MAX_MS)
			return err_set(e, -EINVAL, "'" STR_FMT "' is too long; at most %dd",
				STR_ARG(in), (int)(WHEN_DURATION_MAX_MS / WHEN_DAY_MS));
		sum += v * unit;
		last = unit;
		s.p += n + 1;
		s.n -= n + 1;
	}
	*ret_ms = sum;
	return 0;
}

static bool scan_moment(struct scan *t, struct civil *c)
{
	struct scan from = *t;
	if (scan_date(t, c)) {
		if (!scan_c(t, 'T')) {
			(void)scan_c(t, ',');
			if (!scan_spaces(t))
				return false;
		}
		return scan_time(t, c) && t->p == t->end;
	}
	*t = from;
	struct civil time = { 0 };
	if (!scan_time(t, &time))
		return false;
	(void)scan_c(t, ',');
	if (!scan_spaces(t))
		return false;
	if (scan_word(t, "ngày"))
		(void)scan_spaces(t);
	if (!scan_date(t, c) || t->p != t->end)
		return false;
	c->hour = time.hour;
	c->minute = time.minute;
	c->second = time.second;
	return true;
}

static bool looks_like_duration(struct str s)
{
	size_t n = 0;
	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n > 0 && n < s.n && s.n <= 20 && memchr(s.p, ' ', s.n) == NULL &&
		memchr(s.p, '/', s.n) == NULL && memchr(s.p, '-', s.n) == NULL &&
		memchr(s.p, ':', s.n) == NULL && memchr(s.p, '.', s.n) == NULL;
}

int when_parse(struct str s, const struct zone *z, struct when *ret, struct err *e)
{
	struct civil c = { 0 };
	s = str_trim(s);
	if (str_eqz(s, "now")) {
		*ret = (struct when){ WHEN_NOW, 0 };
		return 0;
	}
	if (looks_like_duration(s)) {
		int64_t ms = 0;
		int r = when_parse_duration(s, &ms, e);
		if (r == 0)
			*ret = (struct when){ WHEN_AFTER_DURATION, ms };
		return r;
	}
	struct scan t = { s.p, s.p + s.n };
	if (s.n > 0 && scan_moment(&t, &c)) {
		int r = check_civil(&c, s, e);
		if (r == 0)
			*ret = (struct when){ WHEN_AT, civil_to_ms(&c, z) };
		return r;
	}
	t = (struct scan){ s.p, s.p + s.n };
	if (s.n > 0 && scan_date(&t, &c) && t.p == t.end)
		return err_set(e, -EINVAL,
			"'" STR_FMT "' has no time of day; write for example " STR_FMT " 08:00",
			STR_ARG(s), STR_ARG(s));
	return err_set(e, -EINVAL,
		"'" STR_FMT
		"' is no time; write 2026-11-23 08:00, 23/11/2026 08:00, 08h00 23/11/2026, now, or a duration such as 20m",
		STR_ARG(s));
}
