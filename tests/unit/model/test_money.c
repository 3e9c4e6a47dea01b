/* test_money.c - periods of budgets in civil time, and how money is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "model/money.h"
#include "model/when.h"

static int64_t at(int year, int month, int day, int hour, int minute)
{
	struct zone z = zone_vietnam();
	struct civil c = {
		.year = year, .month = month, .day = day, .hour = hour, .minute = minute
	};

	return civil_to_ms(&c, &z);
}

static const char *window(enum money_period p, int64_t ms)
{
	static char name[MONEY_WINDOW_MAX];
	struct zone z = zone_vietnam();

	money_window(p, ms, &z, name, sizeof(name));
	return name;
}

static void a_day_is_one_of_the_zone_and_not_of_greenwich(void **state)
{
	(void)state;
	assert_string_equal(window(MONEY_DAY, at(2026, 11, 22, 0, 0)), "2026-11-22");
	assert_string_equal(window(MONEY_DAY, at(2026, 11, 22, 23, 59)), "2026-11-22");
	assert_string_equal(window(MONEY_DAY, at(2026, 11, 23, 0, 0)), "2026-11-23");
	assert_string_equal(window(MONEY_MONTH, at(2026, 11, 30, 23, 59)), "2026-11");
	assert_string_equal(window(MONEY_TOTAL, at(2026, 11, 30, 23, 59)), "total");
}

static void a_period_ends_where_the_next_one_begins(void **state)
{
	struct zone z = zone_vietnam();

	(void)state;
	assert_int_equal(
		money_window_end(MONEY_DAY, at(2026, 11, 22, 8, 30), &z), at(2026, 11, 23, 0, 0));
	assert_int_equal(
		money_window_end(MONEY_MONTH, at(2026, 11, 22, 8, 30), &z), at(2026, 12, 1, 0, 0));
	assert_int_equal(
		money_window_end(MONEY_MONTH, at(2026, 12, 31, 23, 59), &z), at(2027, 1, 1, 0, 0));
	assert_int_equal(
		money_window_end(MONEY_DAY, at(2028, 2, 28, 12, 0), &z), at(2028, 2, 29, 0, 0));
	assert_true(money_window_end(MONEY_TOTAL, at(2026, 11, 22, 8, 30), &z) == INT64_MAX);
}

static void money_is_written_in_threes(void **state)
{
	static const struct {
		int64_t n;
		const char *text;
	} rows[] = { { 0, "0" }, { 7, "7" }, { 999, "999" }, { 1000, "1.000" },
		{ 12345678, "12.345.678" }, { -1500, "-1.500" } };
	char text[32], tiny[4];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(money_print(text, sizeof(text), rows[i].n), rows[i].text);
	assert_true(strlen(money_print(tiny, sizeof(tiny), 123456789)) < sizeof(tiny));
}

static void a_budget_without_a_limit_is_none(void **state)
{
	struct money_limits l = { { 0 }, { 0 } };
	char a[72], b[72];

	(void)state;
	assert_false(money_limits_any(&l));
	l.messages[MONEY_MONTH] = 1;
	assert_true(money_limits_any(&l));
	money_scope("office dien-bien", a, sizeof(a));
	money_scope("office dien-bie", b, sizeof(b));
	assert_string_not_equal(a, b);
	assert_int_equal(strncmp(a, "budget:", 7), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_day_is_one_of_the_zone_and_not_of_greenwich),
		cmocka_unit_test(a_period_ends_where_the_next_one_begins),
		cmocka_unit_test(money_is_written_in_threes),
		cmocka_unit_test(a_budget_without_a_limit_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
