/* test_json.c - strict parsing, exact integers, case-sensitive getters, building. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/assert.h"
#include "base/json.h"

#define MAX (1u << 20)

static cJSON *parse(const char *text)
{
	struct err e = { 0 };
	cJSON *j = NULL;

	if (json_parse(str_of(text), MAX, &j, &e))
		fail_msg("%s: %s", text, e.text);
	return j;
}

static void long_integers_stay_exact(void **state)
{
	cJSON *j CLEANUP_JSON = parse(
		"{\"a\":9223372036854775807, \"b\":-9223372036854775808,"
		"\"c\":[1234567890123456],\"d\":123456789012345,\"e\":\"777\","
		"\"f\":99999999999999999999,\"g\":10000000000000000.5}");
	(void)state;
	assert_true(json_i64(j, "a", 0) == INT64_MAX);
	assert_true(json_i64(j, "b", 0) == INT64_MIN);
	assert_string_equal(
		cJSON_GetArrayItem(json_get(j, "c"), 0)->valuestring, "1234567890123456");
	assert_true(json_i64(j, "d", 0) == 123456789012345);
	assert_true(cJSON_IsNumber(json_get(j, "d")));
	assert_true(json_i64(j, "e", 0) == 777);
	assert_true(json_i64(j, "f", -1) == -1); /* beyond 64 bits */
	assert_string_equal(json_z(j, "f", ""), "99999999999999999999");
	assert_true(cJSON_IsNumber(json_get(j, "g")));
}

static void digits_inside_strings_are_left_alone(void **state)
{
	cJSON *j CLEANUP_JSON = parse(
		"{\"a\":\"x \\\" 12345678901234567890\",\"12345678901234567890\":1}");

	(void)state;
	assert_string_equal(json_z(j, "a", ""), "x \" 12345678901234567890");
	assert_true(json_i64(j, "12345678901234567890", 0) == 1);
}

static void getters_know_case_and_kind(void **state)
{
	cJSON *j CLEANUP_JSON = parse(
		"{\"Name\":\"x\",\"n\":1.5,\"t\":true,\"z\":null,\"o\":{},\"s\":\"12a\"}");

	(void)state;
	assert_null(json_get(j, "name"));
	assert_non_null(json_get(j, "Name"));
	assert_true(str_eqz(json_str(j, "Name"), "x"));
	assert_null(json_str(j, "name").p);
	assert_null(json_str(j, "n").p);
	assert_string_equal(json_z(j, "n", "other"), "other");
	assert_true(json_i64(j, "n", 7) == 7);
	assert_true(json_i64(j, "s", 7) == 7);
	assert_true(json_i64(j, "t", 7) == 7);
	assert_true(json_bool(j, "t", false));
	assert_true(json_bool(j, "z", true));
	assert_false(json_bool(j, "n", false));
	assert_true(json_has(j, "z"));
	assert_false(json_has(j, "y"));
	assert_null(json_get(NULL, "x"));
	assert_null(json_get(json_get(j, "n"), "x"));
}

static void what_is_not_json_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "", "line 1, column 1: expected a value, found nothing" },
		{ "  \n ", "line 2, column 2: expected a value, found nothing" },
		{ "{\"a\":1", "expected ',' or '}'" },
		{ "{\"a\":1,}", "line 1, column 8: expected a key" },
		{ "{a:1}", "expected a key" },
		{ "{\"a\" 1}", "expected ':'" },
		{ "[1,]", "line 1, column 4: expected a value" },
		{ "[1 2]", "expected ',' or ']'" },
		{ "[1}", "expected ',' or ']'" },
		{ "{} x", "line 1, column 4: something follows" },
		{ "{}{}", "something follows" },
		{ "\n\n nul", "line 3, column 2: expected a value" },
		{ "True", "expected a value" },
		{ "NaN", "expected a value" },
		{ "'a'", "expected a value" },
		{ "01", "not a number" },
		{ "-", "not a number" },
		{ "1.", "not a number" },
		{ ".5", "expected a value" },
		{ "1e", "not a number" },
		{ "+1", "expected a value" },
		{ "0x10", "something follows" },
		{ "\"abc", "no closing quote" },
		{ "\"a\nb\"", "control character" },
		{ "\"\\x41\"", "unknown escape" },
		{ "\"\\u12g4\"", "four hex digits" },
		{ "\"\\u12", "four hex digits" },
		{ "\"\\ud800\"", "surrogate" },
		{ "\"\\ud800\\u0041\"", "surrogate" },
		{ "\"\\udc00\\ud800\"", "surrogate" },
		{ "\"\\u0000\"", "NUL" },
		{ "\"\xff\"", "line 1, column 2: bytes that are no UTF-8" },
		{ "{\"a\":1,\"b\":{\"k\":1,\"x\":2,\"k\":3}}", "\"k\" stands twice" },
		{ "{\"\\u0061\":1,\"a\":2}", "\"a\" stands twice" },
		{ "// c\n1", "expected a value" },
		{ "\xef\xbb\xbf{}", "expected a value" },
		{ "1\f", "something follows" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };
		cJSON *j = NULL;
		assert_int_equal(json_parse(str_of(rows[i].text), MAX, &j, &e), -EINVAL);
		assert_null(j);
		if (!strstr(e.text, rows[i].says))
			fail_msg("%s: says '%s'", rows[i].text, e.text);
	}
}

static void a_nul_byte_is_refused_wherever_it_stands(void **state)
{
	static const struct str rows[] = { { "{}\0", 3 }, { "\0{}", 3 }, { "\"a\0b\"", 5 },
		{ "[1,\0 2]", 7 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cJSON *j = NULL;
		assert_int_equal(json_parse(rows[i], MAX, &j, NULL), -EINVAL);
	}
}

static void sizes_depth_and_number_of_values_are_bounded(void **state)
{
	static char text[2 * JSON_NODES_MAX + 16];
	struct err e = { 0 };
	cJSON *j = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(json_parse(STR("[1]"), 2, &j, &e), -E2BIG);
	assert_non_null(strstr(e.text, "at most 2"));
	assert_int_equal(json_parse(STR("[1]"), 3, &j, &e), 0);
	cJSON_Delete(MOVE(j));

	for (size_t depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		int r = json_parse((struct str){ text, 2 * depth }, MAX, &j, &e);
		assert_int_equal(r, depth > JSON_DEPTH_MAX ? -E2BIG : 0);
		cJSON_Delete(MOVE(j));
	}
	memset(text, '[', sizeof(text));
	assert_int_equal(json_parse((struct str){ text, sizeof(text) }, MAX, &j, &e), -E2BIG);

	text[n++] = '[';
	for (size_t i = 0; i < JSON_NODES_MAX; i++) {
		text[n++] = '1';
		text[n++] = i + 1 < JSON_NODES_MAX ? ',' : ']';
	}
	assert_int_equal(json_parse((struct str){ text, n }, MAX, &j, &e), -E2BIG);
	assert_non_null(strstr(e.text, "200000"));
	text[n - 3] = ']'; /* one value less */
	assert_int_equal(json_parse((struct str){ text, n - 2 }, MAX, &j, &e), 0);
	assert_int_equal(cJSON_GetArraySize(j), JSON_NODES_MAX - 1);
	cJSON_Delete(j);
}

static void an_array_of_nothing_but_long_integers_fits(void **state)
{
	static char text[17 * 5000 + 2];
	cJSON *j CLEANUP_JSON = NULL;
	size_t n = 0;

	(void)state;
	text[n++] = '[';
	for (int i = 0; i < 5000; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s1%015d", i ? "," : "", i);
	text[n++] = ']';
	assert_int_equal(json_parse((struct str){ text, n }, MAX, &j, NULL), 0);
	assert_int_equal(cJSON_GetArraySize(j), 5000);
	assert_string_equal(cJSON_GetArrayItem(j, 4999)->valuestring, "1000000000004999");
}

static void what_is_built_reads_back_the_same(void **state)
{
	cJSON *j CLEANUP_JSON = json_obj(), *arr = json_arr(), *back CLEANUP_JSON = NULL;
	static const int64_t numbers[] = { 0, -1, 42, 999999999999999, 1000000000000001,
		(1LL << 53) - 1, 1LL << 53, (1LL << 53) + 1, -(1LL << 53) - 1, INT64_MAX, INT64_MIN,
		1795395600000 };
	char key[8];

	(void)state;
	json_put_str(j, "s", STR("Hà \"Nội\"\n\x01"));
	json_put_str(j, "absent", (struct str){ 0 });
	json_put_z(j, "null", NULL);
	json_put_bool(j, "b", true);
	json_put_double(j, "d", 0.25);
	json_put_str(j, "bad", (struct str){ "a\xff\0z", 4 });
	json_add_str(arr, STR("x"));
	json_add(arr, json_obj());
	json_put(j, "arr", arr);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		(void)snprintf(key, sizeof(key), "n%zu", i);
		json_put_i64(j, key, numbers[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		(void)snprintf(key, sizeof(key), "n%zu", i);
		assert_true(json_i64(j, key, 5) == numbers[i]);
	}
	char *text = json_print(j);
	assert_non_null(strstr(text, ":9007199254740991,")); /* a number still */
	assert_null(strchr(text, '\n'));
	assert_int_equal(json_parse(str_of(text), MAX, &back, NULL), 0);
	free(text);

	assert_string_equal(json_z(back, "s", ""), "Hà \"Nội\"\n\x01");
	assert_true(cJSON_IsNull(json_get(back, "absent")));
	assert_true(cJSON_IsNull(json_get(back, "null")));
	assert_true(json_bool(back, "b", false));
	assert_true(json_get(back, "d")->valuedouble > 0.2499);
	assert_string_equal(json_z(back, "bad", ""), "a\xef\xbf\xbd\xef\xbf\xbdz");
	assert_int_equal(cJSON_GetArraySize(json_get(back, "arr")), 2);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		(void)snprintf(key, sizeof(key), "n%zu", i);
		assert_true(json_i64(back, key, 5) == numbers[i]);
	}
	assert_true(cJSON_IsString(json_get(back, "n9")));
}

static void quoted_text_is_a_json_string(void **state)
{
	struct buf b CLEANUP_BUF = { 0 };
	cJSON *j CLEANUP_JSON = NULL;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(json_quote(&b,
				 (struct str){ "a\"\\\b\f\n\r\t\x01\x7f"
					       "\xff\0ế/",
					 16 }),
		0);
	assert_string_equal(
		buf_z(&b), "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u007f\xef\xbf\xbd\\u0000ế/\"");
	buf_reset(&b);
	assert_int_equal(json_quote(&b, STR("a\"\\\b\f\n\r\t\x01\x7fế/")), 0);
	assert_int_equal(json_parse(buf_str(&b), MAX, &j, NULL), 0);
	assert_string_equal(j->valuestring, "a\"\\\b\f\n\r\t\x01\x7fế/");

	struct buf small CLEANUP_BUF = { 0 };
	buf_init(&small, 6);
	assert_int_equal(buf_addz(&small, "ab"), 0);
	assert_int_equal(json_quote(&small, STR("123")), -E2BIG);
	assert_string_equal(buf_z(&small), "ab");
	assert_int_equal(json_quote(&small, STR("12")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_integers_stay_exact),
		cmocka_unit_test(digits_inside_strings_are_left_alone),
		cmocka_unit_test(getters_know_case_and_kind),
		cmocka_unit_test(what_is_not_json_is_refused_with_its_place),
		cmocka_unit_test(a_nul_byte_is_refused_wherever_it_stands),
		cmocka_unit_test(sizes_depth_and_number_of_values_are_bounded),
		cmocka_unit_test(an_array_of_nothing_but_long_integers_fits),
		cmocka_unit_test(what_is_built_reads_back_the_same),
		cmocka_unit_test(quoted_text_is_a_json_string),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
