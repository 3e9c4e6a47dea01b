/* test_breaker.c - opening, doubling, one probe; the pace; the share of urgent work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "model/breaker.h"
#include "model/fair.h"

static const struct breaker_rule rule = { 3, 1000, 5000 };

static void three_troubles_in_a_row_open_it_and_one_success_forgets(void **state)
{
	(void)state;
	struct breaker b = { 0 };

	assert_false(breaker_trouble(&b, &rule, 0, false));
	assert_false(breaker_trouble(&b, &rule, 0, false));
	breaker_good(&b);
	assert_false(breaker_trouble(&b, &rule, 0, false));
	assert_false(breaker_trouble(&b, &rule, 0, false));
	assert_true(breaker_may(&b, 0));
	assert_true(breaker_trouble(&b, &rule, 0, false));
	assert_false(breaker_may(&b, 999));
	assert_int_equal(breaker_wait_ms(&b, 400), 600);
}

static void one_probe_goes_and_its_trouble_doubles_the_pause(void **state)
{
	(void)state;
	struct breaker b = { 0 };
	int64_t now = 0, pause[] = { 1000, 2000, 4000, 5000, 5000 };

	assert_true(breaker_trouble(&b, &rule, now, true));
	for (int i = 0; i < 5; i++) {
		assert_false(breaker_may(&b, now + pause[i] - 1));
		now += pause[i];
		assert_true(breaker_may(&b, now));
		breaker_went(&b);
		assert_false(breaker_may(&b, now)); /* one only */
		assert_int_equal(breaker_wait_ms(&b, now), INT64_MAX);
		assert_true(breaker_trouble(&b, &rule, now, false));
	}
	now += 5000;
	assert_true(breaker_may(&b, now));
	breaker_went(&b);
	breaker_came_back(&b); /* revoked: no verdict, another may go */
	assert_true(breaker_may(&b, now));
	breaker_good(&b);
	assert_int_equal(b.state, BREAKER_CLOSED);
	assert_int_equal(b.opened, 0);
}

static void late_answers_do_not_lengthen_the_pause(void **state)
{
	(void)state;
	struct breaker b = { 0 };

	assert_true(breaker_trouble(&b, &rule, 0, true));
	for (int i = 0; i < 50; i++)
		assert_false(breaker_trouble(&b, &rule, 500, false));
	assert_true(breaker_may(&b, 1000));
}

static void the_pace_starts_at_four_grows_by_one_a_window_and_halves(void **state)
{
	(void)state;
	struct pace p;

	pace_init(&p, 100);
	assert_int_equal(p.limit, 4);
	for (int i = 0; i < 4; i++)
		pace_good(&p, 100);
	assert_int_equal(p.limit, 5);
	for (int i = 0; i < 5; i++)
		pace_good(&p, 100);
	assert_int_equal(p.limit, 6);
	pace_trouble(&p);
	assert_int_equal(p.limit, 3);
	for (int i = 0; i < 10; i++)
		pace_trouble(&p);
	assert_int_equal(p.limit, 1);
	for (int i = 0; i < 100000; i++)
		pace_good(&p, 20);
	assert_int_equal(p.limit, 20);
	pace_init(&p, 2);
	assert_int_equal(p.limit, 2);
}

static void urgent_gets_its_share_and_all_when_alone(void **state)
{
	(void)state;
	struct fair_share s = { 0 };
	int urgent = 0;

	for (int i = 0; i < 1000; i++) {
		enum fair_pick p = fair_next(&s, true, true, 0.8);
		urgent += p == FAIR_URGENT;
		fair_went(&s, p, true, 0.8);
	}
	assert_true(urgent >= 798 && urgent <= 802);
	assert_int_equal(fair_next(&s, true, false, 0.8), FAIR_URGENT);
	assert_int_equal(fair_next(&s, false, true, 0.8), FAIR_OTHER);
	assert_int_equal(fair_next(&s, false, false, 0.8), FAIR_NONE);
	for (int i = 0; i < 100; i++)
		fair_went(&s, FAIR_URGENT, false, 0.8); /* alone: earns and spends nothing */
	assert_true(s.credit >= 0 && s.credit <= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_troubles_in_a_row_open_it_and_one_success_forgets),
		cmocka_unit_test(one_probe_goes_and_its_trouble_doubles_the_pause),
		cmocka_unit_test(late_answers_do_not_lengthen_the_pause),
		cmocka_unit_test(the_pace_starts_at_four_grows_by_one_a_window_and_halves),
		cmocka_unit_test(urgent_gets_its_share_and_all_when_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
