/* zone.c - fixed-offset zones by name or number. Pure. */
#include "model/zone.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

static const struct zone zones[] = {
	{ "Asia/Ho_Chi_Minh", 7 * 3600 },
	{ "Asia/Saigon", 7 * 3600 },
	{ "UTC", 0 },
};

struct zone zone_vietnam(void)
{
	return zones[0];
}

static int digits2(const char *p, int *ret)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return -EINVAL;
	*ret = (p[0] - '0') * 10 + (p[1] - '0');
	return 0;
}

static int parse_offset(struct str s, int32_t *ret)
{
	int h = 0, m = 0;
	if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') || s.p[3] != ':')
		return -EINVAL;
	if (digits2(s.p + 1, &h) < 0 || digits2(s.p + 4, &m) < 0 || m > 59)
		return -EINVAL;
	int32_t off = (int32_t)(h * 3600 + m * 60);
	if (off > ZONE_OFFSET_MAX_S)
		return -EINVAL;
	*ret = s.p[0] == '-' ? -off : off;
	return 0;
}

int zone_parse(struct str s, struct zone *ret, struct err *e)
{
	struct zone z = { .offset_s = 0 };
	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		if (str_eqz(s, zones[i].name)) {
			*ret = zones[i];
			return 0;
		}
	}
	if (s.p == NULL || parse_offset(s, &z.offset_s) < 0)
		return err_set(e, -EINVAL,
			"zone '" STR_FMT
			"': known are Asia/Ho_Chi_Minh, UTC, or an offset such as +07:00",
			STR_ARG(s));
	(void)str_copy(z.name, sizeof(z.name), s);
	*ret = z;
	return 0;
}
