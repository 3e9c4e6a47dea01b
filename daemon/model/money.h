/* money.h - budgets and quotas: periods in civil time, and what of a budget is left. Pure; any thread; time is an argument.
 * A period has a name ("2026-11-22", "2026-11", "total") under which its use is counted, and an end at which it begins anew.
 */
#ifndef LANTOA_MODEL_MONEY_H
#define LANTOA_MODEL_MONEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "model/zone.h"

#define MONEY_WINDOW_MAX 24

enum money_period { MONEY_DAY = 0, MONEY_MONTH = 1, MONEY_TOTAL = 2 };
#define MONEY_PERIODS 3

/* What a budget allows in each period; 0: no limit. */
struct money_limits {
	int64_t dong[MONEY_PERIODS], messages[MONEY_PERIODS];
};
bool money_limits_any(const struct money_limits *l);

/* Name of the period that holds this instant. */
void money_window(
	enum money_period p, int64_t utc_ms, const struct zone *z, char *dst, size_t size);
/* When it ends and the next one begins; INT64_MAX for the total. */
int64_t money_window_end(enum money_period p, int64_t utc_ms, const struct zone *z);
/* Under which a budget of this name is counted: the same after a restart and a reload. */
void money_scope(const char *name, char *dst, size_t size);
/* "1.234.567" */
const char *money_print(char *dst, size_t size, int64_t dong);

#endif
