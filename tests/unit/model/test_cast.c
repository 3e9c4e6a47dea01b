/* test_cast.c - months of a package and what an allowance of broadcasts allows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "model/cast.h"
#include "model/when.h"

static int64_t at(int year, int month, int day, int hour)
{
	struct zone z = zone_vietnam();
	struct civil c = { .year = year, .month = month, .day = day, .hour = hour };

	return civil_to_ms(&c, &z);
}

static void a_month_begins_on_the_day_of_the_package(void **state)
{
	static const struct {
		int from_day, year, month, day, hour, y, m, d, ty, tm;
	} rows[] = { { 1, 2026, 11, 22, 10, 2026, 11, 1, 2026, 12 },
		{ 1, 2026, 12, 31, 23, 2026, 12, 1, 2027, 1 },
		{ 15, 2026, 11, 14, 23, 2026, 10, 15, 2026, 11 },
		{ 15, 2026, 11, 15, 0, 2026, 11, 15, 2026, 12 },
		{ 15, 2026, 1, 3, 0, 2025, 12, 15, 2026, 1 },
		{ 28, 2027, 2, 28, 1, 2027, 2, 28, 2027, 3 } };
	struct zone z = zone_vietnam();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t from = 0, to = 0;
		cast_month(at(rows[i].year, rows[i].month, rows[i].day, rows[i].hour),
			rows[i].from_day, &z, &from, &to);
		assert_int_equal(from, at(rows[i].y, rows[i].m, rows[i].d, 0));
		assert_int_equal(to, at(rows[i].ty, rows[i].tm, rows[i].d, 0));
	}
}

static void one_more_fits_while_something_is_left(void **state)
{
	static const struct {
		struct cast_limits l;
		struct cast_used u;
		bool campaign, planned;
		enum cast_over want;
	} rows[] = {
		{ { -1, -1, 1 }, { 99, 99, 99, 99 }, true, true, CAST_FITS },
		{ { 4, -1, 1 }, { 3, 0, 0, 0 }, false, true, CAST_FITS },
		{ { 4, -1, 1 }, { 4, 0, 0, 0 }, false, false, CAST_OVER_MONTH },
		{ { 4, -1, 1 }, { 3, 1, 0, 0 }, false, true, CAST_OVER_MONTH },
		{ { 4, -1, 1 }, { 3, 1, 0, 0 }, false, false, CAST_FITS },
		{ { 4, 1, 1 }, { 1, 0, 1, 0 }, true, false, CAST_OVER_CAMPAIGN },
		{ { 4, 1, 1 }, { 1, 0, 1, 0 }, false, false, CAST_FITS },
		{ { 4, 1, 1 }, { 1, 0, 0, 1 }, true, true, CAST_OVER_CAMPAIGN },
		{ { 0, -1, 1 }, { 0, 0, 0, 0 }, false, false, CAST_OVER_MONTH },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (cast_fits(&rows[i].l, &rows[i].u, rows[i].campaign, rows[i].planned) !=
			rows[i].want)
			fail_msg("row %zu", i);
}

static void it_is_said_in_numbers(void **state)
{
	struct cast_limits l = { 4, 2, 1 };
	struct cast_used u = { 3, 1, 2, 0 };
	struct zone z = zone_vietnam();
	char text[160];

	(void)state;
	assert_string_equal(
		cast_print(text, sizeof(text), CAST_OVER_MONTH, &l, &u, at(2026, 11, 1, 0), &z),
		"3 of 4 broadcasts since 01/11/2026 are spent or may be, 1 more planned");
	assert_string_equal(
		cast_print(text, sizeof(text), CAST_OVER_CAMPAIGN, &l, &u, at(2026, 11, 1, 0), &z),
		"2 of 2 broadcasts of this campaign are spent or may be");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_month_begins_on_the_day_of_the_package),
		cmocka_unit_test(one_more_fits_while_something_is_left),
		cmocka_unit_test(it_is_said_in_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
