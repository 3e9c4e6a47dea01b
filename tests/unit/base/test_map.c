/* test_map.c - hash tables against a plain array, with deletions in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/map.h"
#include "../../lib/testenv.h"

#define KEYS 3000

static void an_empty_map_finds_nothing(void **state)
{
	struct map64 *m = map64_new();
	struct maps *s = maps_new();
	size_t cursor = 0;

	(void)state;
	assert_null(map64_get(m, 0));
	assert_null(map64_del(m, 1));
	assert_int_equal(map64_count(m), 0);
	assert_false(map64_next(m, &cursor, NULL, NULL));
	assert_null(maps_get(s, STR("a")));
	assert_null(maps_del(s, STR("a")));
	map64_free(m);
	maps_free(s);
	map64_free(NULL);
	maps_free(NULL);
}

static void put_returns_the_old_value(void **state)
{
	struct map64 *m = map64_new();
	int a, b;

	(void)state;
	assert_null(map64_put(m, UINT64_MAX, &a));
	assert_ptr_equal(map64_put(m, UINT64_MAX, &b), &a);
	assert_int_equal(map64_count(m), 1);
	assert_ptr_equal(map64_del(m, UINT64_MAX), &b);
	assert_null(map64_del(m, UINT64_MAX));
	map64_free(m);
}

/* Numbers as keys whose low bits are all alike, as ids and addresses often are. */
static uint64_t key_of(size_t i)
{
	return (uint64_t)i << 32;
}

static void a_map_of_numbers_agrees_with_an_array(void **state)
{
	struct map64 *m = map64_new();
	static char values[KEYS];
	static bool in[KEYS];
	struct testenv te;
	size_t count = 0;

	(void)state;
	testenv_init(&te, 1);
	for (int step = 0; step < 60000; step++) {
		size_t i = (size_t)env_random_below(&te.env, KEYS);
		bool put = env_random_below(&te.env, 100) < (step < 30000 ? 60 : 40);
		void *old = put ? map64_put(m, key_of(i), &values[i]) : map64_del(m, key_of(i));
		assert_ptr_equal(old, in[i] ? &values[i] : NULL);
		count += (size_t)(put && !in[i]);
		count -= (size_t)(!put && in[i]);
		in[i] = put;
		assert_int_equal(map64_count(m), count);
	}
	assert_true(count > 100);

	size_t cursor = 0, seen = 0;
	uint64_t key;
	void *value;
	while (map64_next(m, &cursor, &key, &value)) {
		assert_true(in[key >> 32]);
		assert_ptr_equal(value, &values[key >> 32]);
		in[key >> 32] = false;
		seen++;
	}
	assert_int_equal(seen, count);
	map64_free(m);
	testenv_done(&te);
}

static void string_keys_are_copied_and_may_hold_nul(void **state)
{
	struct maps *m = maps_new();
	char key[16] = "first";
	int a, b, c, d;

	(void)state;
	assert_null(maps_put(m, str_of(key), &a));
	memcpy(key, "other", 6);
	assert_ptr_equal(maps_get(m, STR("first")), &a);
	assert_null(maps_get(m, STR("other")));
	assert_null(maps_put(m, (struct str){ "a\0b", 3 }, &b));
	assert_null(maps_put(m, STR("a"), &c));
	assert_null(maps_put(m, STR(""), &d));
	assert_ptr_equal(maps_get(m, (struct str){ "a\0b", 3 }), &b);
	assert_ptr_equal(maps_get(m, (struct str){ 0 }), &d);
	assert_int_equal(maps_count(m), 4);
	maps_free(m);
}

static void string_keys_survive_growth_and_deletion(void **state)
{
	struct maps *m = maps_new();
	static char values[KEYS];
	char key[32];

	(void)state;
	for (int i = 0; i < KEYS; i++) {
		(void)snprintf(key, sizeof(key), "key-%d", i);
		assert_null(maps_put(m, str_of(key), &values[i]));
	}
	for (int i = 0; i < KEYS; i += 2) {
		(void)snprintf(key, sizeof(key), "key-%d", i);
		assert_ptr_equal(maps_del(m, str_of(key)), &values[i]);
	}
	assert_int_equal(maps_count(m), KEYS / 2);
	for (int i = 0; i < KEYS; i++) {
		(void)snprintf(key, sizeof(key), "key-%d", i);
		assert_ptr_equal(maps_get(m, str_of(key)), i % 2 ? &values[i] : NULL);
	}
	maps_free(m);
}

static void the_order_is_that_of_insertion_so_runs_repeat(void **state)
{
	struct maps *m = maps_new();
	size_t cursor = 0;
	struct str key;
	void *value;
	int v[3];

	(void)state;
	(void)maps_put(m, STR("c"), &v[0]);
	(void)maps_put(m, STR("a"), &v[1]);
	(void)maps_put(m, STR("b"), &v[2]);
	for (int i = 0; i < 3; i++) {
		assert_true(maps_next(m, &cursor, &key, &value));
		assert_true(str_eq(key, (struct str){ &"cab"[i], 1 }));
		assert_ptr_equal(value, &v[i]);
	}
	assert_false(maps_next(m, &cursor, &key, &value));
	maps_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_map_finds_nothing),
		cmocka_unit_test(put_returns_the_old_value),
		cmocka_unit_test(a_map_of_numbers_agrees_with_an_array),
		cmocka_unit_test(string_keys_are_copied_and_may_hold_nul),
		cmocka_unit_test(string_keys_survive_growth_and_deletion),
		cmocka_unit_test(the_order_is_that_of_insertion_so_runs_repeat),
	};

	return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
