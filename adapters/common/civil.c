/* civil.c - a wall-clock time as mail headers write it.
 * Thread: any, pure: own tables, no locale, no time zone files. Failures: an unknown zone name. */
#include <errno.h>
#include <stdio.h>
#include "text.h"

/* Days since 1970-01-01 to a date of the proleptic Gregorian calendar. */
static void civil_of_days(int64_t days, int *y, int *m, int *d)
{
	int64_t z = days + 719468; /* from 0000-03-01 */
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = (int)(yoe + era * 400 + (*m <= 2 ? 1 : 0));
}

void ltc_date_rfc5322(char *dst, size_t size, int64_t wall_ms, int offset_min)
{
	static const char *const wdays[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	int64_t t = (wall_ms < 0 ? 0 : wall_ms) / 1000 + (int64_t)offset_min * 60;
	int64_t days = t / 86400 - (t % 86400 < 0 ? 1 : 0);
	int64_t s = t - days * 86400;
	int y, m, d;
	int off = offset_min < 0 ? -offset_min : offset_min;

	civil_of_days(days, &y, &m, &d);
	(void)snprintf(dst, size, "%s, %d %s %d %02d:%02d:%02d %c%02d%02d",
		wdays[((days % 7) + 7) % 7], d, months[m - 1], y, (int)(s / 3600),
		(int)(s / 60 % 60), (int)(s % 60), offset_min < 0 ? '-' : '+', off / 60, off % 60);
}

int ltc_zone_offset(struct lt_str name, int *ret_minutes)
{
	static const struct {
		const char *name;
		int minutes;
	} zones[] = { { "Asia/Ho_Chi_Minh", 420 }, { "Asia/Saigon", 420 }, { "Asia/Bangkok", 420 },
		{ "Asia/Vientiane", 420 }, { "Asia/Phnom_Penh", 420 }, { "Asia/Hanoi", 420 },
		{ "UTC", 0 }, { "Etc/UTC", 0 }, { "Z", 0 } };
	char d[4];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
		if (ltc_eqz(name, zones[i].name)) {
			*ret_minutes = zones[i].minutes;
			return 0;
		}
	if (name.n < 5 || name.n > 6 || (name.p[0] != '+' && name.p[0] != '-'))
		return -EINVAL;
	for (size_t i = 1; i < name.n; i++) {
		if (i == 3 && name.n == 6 && name.p[i] == ':')
			continue;
		if (name.p[i] < '0' || name.p[i] > '9' || n >= 4)
			return -EINVAL;
		d[n++] = (char)(name.p[i] - '0');
	}
	if (n != 4 || d[0] * 10 + d[1] > 14 || d[2] > 5)
		return -EINVAL;
	int min = (d[0] * 10 + d[1]) * 60 + d[2] * 10 + d[3];
	*ret_minutes = name.p[0] == '-' ? -min : min;
	return 0;
}
