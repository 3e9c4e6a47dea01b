/* test_buf.c - growable bytes: maximum, failing memory at every step, ownership. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/assert.h"
#include "base/buf.h"
#include "base/fault.h"

static void an_empty_buffer_reads_as_empty_text(void **state)
{
	struct buf b CLEANUP_BUF = { 0 };

	(void)state;
	buf_init(&b, 10);
	assert_string_equal(buf_z(&b), "");
	assert_int_equal(buf_str(&b).n, 0);
	assert_non_null(buf_str(&b).p);
}

static void adds_follow_each_other(void **state)
{
	struct buf b CLEANUP_BUF = { 0 };

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(buf_addz(&b, "ab"), 0);
	assert_int_equal(buf_addc(&b, 'c'), 0);
	assert_int_equal(buf_add_str(&b, STR("de")), 0);
	assert_int_equal(buf_add(&b, "\0f", 2), 0);
	assert_int_equal(buf_addf(&b, "%d-%s", 42, "x"), 0);
	assert_int_equal(b.n, 11);
	assert_memory_equal(b.p, "abcde\0f42-x", 12);
}

static void a_long_formatted_text_is_not_cut(void **state)
{
	struct buf b CLEANUP_BUF = { 0 };

	(void)state;
	buf_init(&b, 5000);
	assert_int_equal(buf_addf(&b, "%04000d", 7), 0);
	assert_int_equal(b.n, 4000);
	assert_int_equal(b.p[3999], '7');
}

static void the_maximum_holds_to_the_byte(void **state)
{
	struct buf b CLEANUP_BUF = { 0 };

	(void)state;
	buf_init(&b, 5);
	assert_int_equal(buf_addz(&b, "12345"), 0);
	assert_false(b.failed);
	assert_int_equal(buf_addc(&b, '6'), -E2BIG);
	assert_true(b.failed);
	assert_string_equal(buf_z(&b), "12345");
	assert_int_equal(buf_addf(&b, "%300d", 1), -E2BIG);
	assert_int_equal(buf_add(&b, "x", SIZE_MAX), -E2BIG);
	assert_string_equal(buf_z(&b), "12345");
	buf_reset(&b);
	assert_false(b.failed);
	assert_int_equal(buf_addz(&b, "abcde"), 0);
}

static void a_zeroed_buffer_takes_nothing_and_may_be_freed(void **state)
{
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(buf_addc(&b, 'x'), -E2BIG);
	buf_done(&b);
	buf_done(NULL);
}

static void consume_drops_the_front(void **state)
{
	struct buf b CLEANUP_BUF = { 0 };

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(buf_addz(&b, "hello world"), 0);
	buf_consume(&b, 6);
	assert_string_equal(buf_z(&b), "world");
	buf_consume(&b, 5);
	assert_string_equal(buf_z(&b), "");
	buf_consume(&b, 0);
}

static void take_moves_the_bytes_out(void **state)
{
	struct buf b CLEANUP_BUF = { 0 };
	size_t n = 99;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(buf_addz(&b, "owned"), 0);
	char *p = buf_take(&b, &n);
	assert_string_equal(p, "owned");
	assert_int_equal(n, 5);
	assert_int_equal(b.n, 0);
	free(p);
	p = buf_take(&b, &n);
	assert_string_equal(p, "");
	assert_int_equal(n, 0);
	free(p);
	assert_int_equal(buf_addz(&b, "again"), 0);
}

#ifdef LANTOA_FAULTS
/* Adds 40 pieces and counts those that failed; what stands afterwards must be exactly the others. */
static int fill_and_count_failures(void)
{
	struct buf b CLEANUP_BUF = { 0 };
	size_t expected = 0;
	int failures = 0;

	buf_init(&b, 100000);
	for (int i = 0; i < 40; i++) {
		size_t before = b.n;
		int r = i % 2 ? buf_addf(&b, "%0*d", 50 * (i + 1), i) : buf_addz(&b, "short");
		if (r) {
			assert_int_equal(r, -ENOMEM);
			assert_int_equal(b.n, before);
			assert_true(b.failed);
			failures++;
		} else {
			expected += i % 2 ? (size_t)(50 * (i + 1)) : 5;
		}
		if (b.p)
			assert_int_equal(b.p[b.n], '\0');
	}
	assert_int_equal(b.n, expected);
	return failures;
}

static void buf_add_survives_each_failed_grow(void **state)
{
	(void)state;
	fault_clear();
	assert_int_equal(fill_and_count_failures(), 0);
	int grows = fault_hits("buf.grow");
	assert_true(grows >= 5);
	for (int skip = 0; skip < grows; skip++) {
		fault_clear();
		fault_set("buf.grow", skip, 1); /* let `skip` pass, fail one */
		assert_int_equal(fill_and_count_failures(), 1);
	}
	fault_clear();
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buffer_reads_as_empty_text),
		cmocka_unit_test(adds_follow_each_other),
		cmocka_unit_test(a_long_formatted_text_is_not_cut),
		cmocka_unit_test(the_maximum_holds_to_the_byte),
		cmocka_unit_test(a_zeroed_buffer_takes_nothing_and_may_be_freed),
		cmocka_unit_test(consume_drops_the_front),
		cmocka_unit_test(take_moves_the_bytes_out),
#ifdef LANTOA_FAULTS
		cmocka_unit_test(buf_add_survives_each_failed_grow),
#endif
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
