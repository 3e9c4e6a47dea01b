/* test_str.c - borrowed strings: pieces, numbers, nearest names; and the texts of errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/assert.h"
#include "base/err.h"
#include "base/str.h"

static void strings_compare_by_bytes_then_length(void **state)
{
	(void)state;
	assert_true(str_eq(STR("a"), STR("a")));
	assert_true(str_eq((struct str){ 0 }, STR("")));
	assert_false(str_eq(STR("a"), STR("ab")));
	assert_true(str_eqz(STR("abc"), "abc"));
	assert_true(str_ieqz(STR("Content-TYPE"), "content-type"));
	assert_false(str_ieqz(STR("Đ"), "đ"));
	assert_true(str_cmp(STR("a"), STR("ab")) < 0);
	assert_true(str_cmp(STR("b"), STR("ab")) > 0);
	assert_true(str_cmp(STR("\x80"), STR("z")) > 0);
	assert_int_equal(str_cmp(STR("ab"), STR("ab")), 0);
}

static void starts_and_ends_look_at_whole_pieces(void **state)
{
	(void)state;
	assert_true(str_starts(STR("oa:123"), "oa:"));
	assert_false(str_starts(STR("oa"), "oa:"));
	assert_true(str_ends(STR("cover.png"), ".png"));
	assert_false(str_ends(STR("png"), ".png"));
	assert_true(str_starts((struct str){ 0 }, ""));
}

static void trim_takes_blanks_off_both_sides(void **state)
{
	(void)state;
	assert_true(str_eqz(str_trim(STR(" \t a b\r\n")), "a b"));
	assert_int_equal(str_trim(STR(" \n ")).n, 0);
	assert_null(str_trim((struct str){ 0 }).p);
}

static void pieces_come_one_by_one(void **state)
{
	struct str rest = STR("a,,b,"), piece;

	(void)state;
	assert_true(str_next(&rest, ',', &piece));
	assert_true(str_eqz(piece, "a"));
	assert_true(str_next(&rest, ',', &piece));
	assert_true(str_eqz(piece, ""));
	assert_true(str_next(&rest, ',', &piece));
	assert_true(str_eqz(piece, "b"));
	assert_false(str_next(&rest, ',', &piece));
}

static void lines_end_in_lf_or_crlf(void **state)
{
	struct str rest = STR("one\r\ntwo\n\nlast"), line;

	(void)state;
	assert_true(str_line(&rest, &line));
	assert_true(str_eqz(line, "one"));
	assert_true(str_line(&rest, &line));
	assert_true(str_eqz(line, "two"));
	assert_true(str_line(&rest, &line));
	assert_int_equal(line.n, 0);
	assert_true(str_line(&rest, &line));
	assert_true(str_eqz(line, "last"));
	assert_false(str_line(&rest, &line));
}

static void numbers_are_whole_strings_in_range(void **state)
{
	static const struct {
		const char *text;
		int64_t min, max, value;
		int code;
	} rows[] = {
		{ "0", INT64_MIN, INT64_MAX, 0, 0 },
		{ "-0", INT64_MIN, INT64_MAX, 0, 0 },
		{ "007", 0, 10, 7, 0 },
		{ "9223372036854775807", INT64_MIN, INT64_MAX, INT64_MAX, 0 },
		{ "-9223372036854775808", INT64_MIN, INT64_MAX, INT64_MIN, 0 },
		{ "9223372036854775808", INT64_MIN, INT64_MAX, 0, -ERANGE },
		{ "-9223372036854775809", INT64_MIN, INT64_MAX, 0, -ERANGE },
		{ "99999999999999999999999", INT64_MIN, INT64_MAX, 0, -ERANGE },
		{ "11", 0, 10, 0, -ERANGE },
		{ "-1", 0, 10, 0, -ERANGE },
		{ "", 0, 10, 0, -EINVAL },
		{ "-", -5, 10, 0, -EINVAL },
		{ "+1", 0, 10, 0, -EINVAL },
		{ " 1", 0, 10, 0, -EINVAL },
		{ "1x", 0, 10, 0, -EINVAL },
		{ "99999999999999999999999x", 0, 10, 0, -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t v = 77;
		assert_int_equal(
			str_i64(str_of(rows[i].text), rows[i].min, rows[i].max, &v), rows[i].code);
		assert_true(v == (rows[i].code ? 77 : rows[i].value));
	}
}

static void copies_are_cut_and_always_ended(void **state)
{
	char dst[4] = "zzz";

	(void)state;
	assert_true(str_copy(dst, sizeof(dst), STR("abc")));
	assert_string_equal(dst, "abc");
	assert_false(str_copy(dst, sizeof(dst), STR("defg")));
	assert_string_equal(dst, "def");
	assert_true(str_copy(dst, sizeof(dst), (struct str){ 0 }));
	assert_string_equal(dst, "");
	assert_false(str_copy(dst, 0, STR("")));
}

static void the_nearest_name_is_found_and_strangers_are_not(void **state)
{
	static const char *const keys[] = { "channels", "audiences", "priority", "expires", "to" };

	(void)state;
	assert_string_equal(str_nearest(STR("chanels"), keys, 5), "channels");
	assert_string_equal(str_nearest(STR("pirority"), keys, 5), "priority");
	assert_string_equal(str_nearest(STR("expire"), keys, 5), "expires");
	assert_null(str_nearest(STR("xyz"), keys, 5));
	assert_null(str_nearest(STR("completely different"), keys, 5));
	assert_null(str_nearest(STR("to"), keys, 0));
}

static void a_hash_is_the_same_for_ever_and_goes_on_from_another(void **state)
{
	(void)state;
	assert_true(str_hash(STR_HASH_SEED, STR("")) == STR_HASH_SEED);
	assert_true(str_hash(STR_HASH_SEED, STR("relay")) == UINT64_C(1717096587014423976));
	assert_true(str_hash(str_hash(STR_HASH_SEED, STR("re")), STR("lay")) ==
		UINT64_C(1717096587014423976));
}

static void control_characters_are_seen(void **state)
{
	(void)state;
	assert_false(str_has_control(STR("Thông tin báo chí")));
	assert_true(str_has_control(STR("a\r\nBcc: b")));
	assert_true(str_has_control(STR("a\x7f")));
	assert_true(str_has_control((struct str){ "a\0b", 3 }));
}

static void an_error_keeps_its_code_and_takes_prefixes(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(err_set(&e, -EINVAL, "line %d: no", 7), -EINVAL);
	assert_int_equal(err_prefix(&e, "file '%s'", "a.yaml"), -EINVAL);
	assert_string_equal(e.text, "file 'a.yaml': line 7: no");
	assert_int_equal(err_set(&e, -EIO, "again: %s", e.text), -EIO);
	assert_string_equal(e.text, "again: file 'a.yaml': line 7: no");
	assert_int_equal(err_set(NULL, -EPERM, "nobody reads this"), -EPERM);
	assert_int_equal(err_prefix(NULL, "x"), 0);
}

static void a_long_error_is_cut_between_characters(void **state)
{
	char text[2 * ERR_TEXT_MAX + 1] = "";
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i + 3 <= 2 * ERR_TEXT_MAX; i += 3)
		memcpy(text + i, "ệ", 4);
	for (size_t shift = 0; shift < 3; shift++) {
		(void)err_set(&e, -EINVAL, "%.*s%s", (int)shift, "ab", text);
		size_t n = strlen(e.text);
		assert_true(n > ERR_TEXT_MAX - 5 && n < ERR_TEXT_MAX);
		assert_int_equal((n - shift) % 3, 0);
		(void)err_prefix(&e, "%s", "prefix");
		n = strlen(e.text);
		assert_true(n < ERR_TEXT_MAX);
		assert_int_equal((n - shift - 8) % 3, 0);
	}
	(void)err_prefix(&e, "%s", text);
	assert_true(strlen(e.text) < ERR_TEXT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_compare_by_bytes_then_length),
		cmocka_unit_test(starts_and_ends_look_at_whole_pieces),
		cmocka_unit_test(trim_takes_blanks_off_both_sides),
		cmocka_unit_test(pieces_come_one_by_one),
		cmocka_unit_test(lines_end_in_lf_or_crlf),
		cmocka_unit_test(numbers_are_whole_strings_in_range),
		cmocka_unit_test(copies_are_cut_and_always_ended),
		cmocka_unit_test(the_nearest_name_is_found_and_strangers_are_not),
		cmocka_unit_test(a_hash_is_the_same_for_ever_and_goes_on_from_another),
		cmocka_unit_test(control_characters_are_seen),
		cmocka_unit_test(an_error_keeps_its_code_and_takes_prefixes),
		cmocka_unit_test(a_long_error_is_cut_between_characters),
	};

	return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
