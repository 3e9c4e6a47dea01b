/* test_bucket.c - tokens over time, clocks that jump, restarts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "model/bucket.h"

static int drain(struct bucket *b, int64_t now)
{
	int n = 0;

	bucket_fill(b, now);
	for (; bucket_has(b) && n < 100000; n++)
		bucket_take(b);
	return n;
}

static void a_new_bucket_is_full_and_fills_at_its_rate(void **state)
{
	(void)state;
	struct bucket b;

	bucket_init(&b, 2, 5, 0, 0);
	assert_int_equal(drain(&b, 1000), 5);
	assert_int_equal(bucket_wait_ms(&b), 501);
	assert_int_equal(drain(&b, 1499), 0);
	assert_int_equal(drain(&b, 1500), 1);
	assert_int_equal(drain(&b, 1000000), 5); /* never more than the burst */
}

static void no_rate_means_no_limit(void **state)
{
	(void)state;
	struct bucket b;

	bucket_init(&b, 0, 0, 0, 0);
	assert_int_equal(drain(&b, 1), 100000);
	assert_int_equal(bucket_wait_ms(&b), 0);
}

static void clocks_that_jump_give_nothing_away(void **state)
{
	(void)state;
	struct bucket b;

	bucket_init(&b, 1, 3, 0, 0);
	assert_int_equal(drain(&b, 100000), 3);
	assert_int_equal(drain(&b, 50000), 0);    /* back */
	assert_int_equal(drain(&b, 51000), 1);    /* goes on from there */
	assert_int_equal(drain(&b, 90000000), 3); /* ahead: at most the burst */
}

static void a_restart_goes_on_with_what_was_stored(void **state)
{
	(void)state;
	srand(3);
	int sent = 0;
	struct bucket b;
	bucket_init(&b, 0.5, 4, 0, 0);
	for (int64_t t = 1000; t <= 1000000; t += 1 + rand() % 3000) {
		struct bucket again;
		sent += drain(&b, t);
		bucket_init(&again, 0.5, 4, b.tokens, b.at_ms);
		b = again;
	}
	assert_true(sent <= 4 + 500 && sent >= 490);
}

static void what_was_not_used_comes_back(void **state)
{
	(void)state;
	struct bucket b;

	bucket_init(&b, 1, 2, 0, 0);
	assert_int_equal(drain(&b, 1000), 2);
	bucket_give(&b);
	assert_int_equal(drain(&b, 1000), 1);
	bucket_init(&b, 1, 2, 0, 0);
	bucket_fill(&b, 1000);
	bucket_give(&b);
	assert_int_equal(drain(&b, 1000), 2);
	bucket_set(&b, 1, 1); /* a smaller burst cuts what is in it */
	assert_int_equal(drain(&b, 90000), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_bucket_is_full_and_fills_at_its_rate),
		cmocka_unit_test(no_rate_means_no_limit),
		cmocka_unit_test(clocks_that_jump_give_nothing_away),
		cmocka_unit_test(a_restart_goes_on_with_what_was_stored),
		cmocka_unit_test(what_was_not_used_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
