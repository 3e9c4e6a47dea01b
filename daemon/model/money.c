/* money.c - periods of budgets in civil time. Thread: any, pure. Failures: none. */
#include "model/money.h"
#include <stdio.h>
#include <string.h>
#include "base/crypt.h"
#include "model/when.h"

bool money_limits_any(const struct money_limits *l)
{
	for (int i = 0; i < MONEY_PERIODS; i++)
		if (l->dong[i] > 0 || l->messages[i] > 0)
			return true;
	return false;
}

void money_window(enum money_period p, int64_t utc_ms, const struct zone *z, char *dst, size_t size)
{
	struct civil c;

	civil_from_ms(utc_ms, z, &c);
	if (p == MONEY_DAY)
		(void)snprintf(dst, size, "%04d-%02d-%02d", c.year, c.month, c.day);
	else if (p == MONEY_MONTH)
		(void)snprintf(dst, size, "%04d-%02d", c.year, c.month);
	else
		(void)snprintf(dst, size, "total");
}

int64_t money_window_end(enum money_period p, int64_t utc_ms, const struct zone *z)
{
	struct civil c;

	if (p == MONEY_TOTAL)
		return INT64_MAX;
	civil_from_ms(utc_ms, z, &c);
	struct civil from = { .year = c.year, .month = c.month, .day = p == MONEY_DAY ? c.day : 1 };
	if (p == MONEY_DAY)
		return civil_to_ms(&from, z) + WHEN_DAY_MS;
	from.month = c.month == 12 ? 1 : c.month + 1;
	from.year = c.month == 12 ? c.year + 1 : c.year;
	return civil_to_ms(&from, z);
}

void money_scope(const char *name, char *dst, size_t size)
{
	struct hasher h;
	struct hash sum;
	char hex[HASH_HEX];

	hasher_init(&h);
	hasher_field(&h, name, strlen(name));
	hasher_end(&h, &sum);
	hash_hex(&sum, hex);
	(void)snprintf(dst, size, "budget:%.32s", hex);
}

const char *money_print(char *dst, size_t size, int64_t dong)
{
	char digits[32];
	int n = snprintf(digits, sizeof(digits), "%lld", (long long)(dong < 0 ? -dong : dong));
	size_t at = 0;

	if (size == 0)
		return dst;
	if (dong < 0 && at + 1 < size)
		dst[at++] = '-';
	for (int i = 0; i < n && at + 2 < size; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			dst[at++] = '.';
		dst[at++] = digits[i];
	}
	dst[at] = '\0';
	return dst;
}
