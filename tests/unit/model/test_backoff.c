/* test_backoff.c - schedule, jitter, provider's wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "model/backoff.h"

static const int64_t base[] = { 1000, 10000, 60000 };

static int64_t at(uint32_t tries, int64_t wait, uint64_t random)
{
	struct backoff b = { base, 3, tries, wait, random };

	return backoff_ms(&b);
}

static void jitter_covers_the_whole_base_and_never_more(void **state)
{
	(void)state;
	int64_t low = INT64_MAX, high = 0;

	for (uint64_t r = 0; r < 200000; r += 7) {
		int64_t ms = at(2, 0, r);
		low = ms < low ? ms : low;
		high = ms > high ? ms : high;
		assert_true(ms >= BACKOFF_FLOOR_MS && ms <= 10000);
	}
	assert_int_equal(low, BACKOFF_FLOOR_MS);
	assert_true(high > 9990);
}

static void the_last_base_repeats(void **state)
{
	(void)state;
	assert_int_equal(at(3, 0, 60000), 60000);
	assert_int_equal(at(99, 0, 60000), 60000);
	assert_int_equal(at(0, 0, 1000), 1000); /* no try yet reads as the first */
}

static void the_wait_of_the_provider_is_a_floor(void **state)
{
	(void)state;
	for (uint64_t r = 0; r < 5000; r++) {
		int64_t ms = at(1, 30000, r);
		assert_true(ms >= 30000 && ms <= 31000); /* base 1 s bounds the jitter */
	}
	assert_true(at(3, 30000, 3000) == 33000);
}

static void doubling_ends_at_its_maximum(void **state)
{
	(void)state;
	assert_int_equal(backoff_doubled(1000, 0, 60000), 1000);
	assert_int_equal(backoff_doubled(1000, 3, 60000), 8000);
	assert_int_equal(backoff_doubled(1000, 60, 60000), 60000);
	assert_int_equal(backoff_doubled(1000, 4000000000u, 60000), 60000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jitter_covers_the_whole_base_and_never_more),
		cmocka_unit_test(the_last_base_repeats),
		cmocka_unit_test(the_wait_of_the_provider_is_a_floor),
		cmocka_unit_test(doubling_ends_at_its_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
