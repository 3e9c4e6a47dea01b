/* test_window.c - allowed hours, against a slow but plain search minute by minute. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "model/when.h"
#include "model/window.h"

#define MONDAY_0800 INT64_C(1795395600000) /* 2026-11-23 08:00 in Vietnam */

static void no_spans_means_always(void **state)
{
	(void)state;
	struct zone z = zone_vietnam();
	struct window w = { .n = 0 };

	assert_true(window_open(&w, MONDAY_0800, &z));
	assert_true(window_open(NULL, MONDAY_0800, &z));
	assert_int_equal(window_next(&w, NULL, MONDAY_0800, &z), MONDAY_0800);
}

static void days_and_minutes_are_those_of_the_zone(void **state)
{
	(void)state;
	struct zone z = zone_vietnam();
	struct window w = { .span = { { 1 << 0, 480, 690 } }, .n = 1 }; /* Monday 08:00-11:30 */

	assert_true(window_open(&w, MONDAY_0800, &z));
	assert_false(window_open(&w, MONDAY_0800 - 1, &z));
	assert_true(window_open(&w, MONDAY_0800 + 210 * WHEN_MINUTE_MS - 1, &z));
	assert_false(window_open(&w, MONDAY_0800 + 210 * WHEN_MINUTE_MS, &z));
	assert_false(window_open(&w, MONDAY_0800 + WHEN_DAY_MS, &z));
	assert_int_equal(window_next(&w, NULL, MONDAY_0800 + 210 * WHEN_MINUTE_MS, &z),
		MONDAY_0800 + 7 * WHEN_DAY_MS);
}

static void windows_that_never_meet_say_so(void **state)
{
	(void)state;
	struct zone z = zone_vietnam();
	struct window a = { .span = { { 0x7f, 0, 600 } }, .n = 1 },
		      b = { .span = { { 0x7f, 600, 1440 } }, .n = 1 },
		      empty = { .span = { { 0, 0, 600 } }, .n = 1 };

	assert_int_equal(window_next(&a, &b, MONDAY_0800, &z), WINDOW_NEVER);
	assert_int_equal(window_next(&empty, NULL, MONDAY_0800, &z), WINDOW_NEVER);
}

static int64_t plain(
	const struct window *a, const struct window *b, int64_t t, const struct zone *z)
{
	if (window_open(a, t, z) && window_open(b, t, z))
		return t;
	t = (t / WHEN_MINUTE_MS + 1) * WHEN_MINUTE_MS;
	for (int i = 0; i < 15 * 1440; i++, t += WHEN_MINUTE_MS)
		if (window_open(a, t, z) && window_open(b, t, z))
			return t;
	return WINDOW_NEVER;
}

static void random_windows_agree_with_the_plain_search(void **state)
{
	(void)state;
	struct zone z = zone_vietnam();

	srand(11);
	for (int k = 0; k < 300; k++) {
		struct window w[2];
		for (int i = 0; i < 2; i++) {
			w[i].n = (size_t)(1 + rand() % 3);
			for (size_t s = 0; s < w[i].n; s++) {
				int from = rand() % 1439;
				w[i].span[s] = (struct window_span){ (uint8_t)(rand() % 128),
					(uint16_t)from,
					(uint16_t)(from + 1 + rand() % (1440 - from)) };
			}
		}
		int64_t t = MONDAY_0800 + rand() % 604800 * 1000;
		int64_t want = plain(&w[0], &w[1], t, &z);
		int64_t got = window_next(&w[0], &w[1], t, &z);
		if (want == WINDOW_NEVER || want - t > 14 * WHEN_DAY_MS)
			continue;
		assert_int_equal(got, want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_spans_means_always),
		cmocka_unit_test(days_and_minutes_are_those_of_the_zone),
		cmocka_unit_test(windows_that_never_meet_say_so),
		cmocka_unit_test(random_windows_agree_with_the_plain_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
