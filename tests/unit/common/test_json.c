/* test_json.c - the reader of JSON: what it keeps, what it refuses, and what an answer is forgiven. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "common/json.h"

static struct ltc_json *answer(const char *text)
{
	return ltc_json_parse(ltc_z(text), LTC_JSON_ANSWER, NULL);
}

static void members_are_found_and_ids_keep_all_digits(void **state)
{
	char z[64];
	int64_t n = 0;
	struct ltc_json *doc = answer(
		" {\"data\":{\"id\":9007199254740993123,\"s\":\"a\\\"b\\u1ea1\\ud83d\\ude00\"},\"error\":\"-14014\",\"x\":[1,{\"y\":2}]}");

	(void)state;
	assert_non_null(doc);
	const struct ltc_json *data = ltc_json_get(doc, "data");
	assert_string_equal(
		ltc_json_copy(ltc_json_get(data, "id"), z, sizeof(z)).p, "9007199254740993123");
	assert_string_equal(ltc_json_copy(ltc_json_get(data, "s"), z, sizeof(z)).p, "a\"bạ😀");
	assert_true(ltc_json_i64(ltc_json_get(doc, "error"), &n));
	assert_int_equal(n, -14014);
	const struct ltc_json *one = ltc_json_next(ltc_json_item(ltc_json_get(doc, "x")));
	assert_true(ltc_json_i64(ltc_json_get(one, "y"), &n));
	assert_int_equal(n, 2);
	assert_null(ltc_json_next(one));
	assert_null(ltc_json_get(doc, "Error"));
	assert_null(ltc_json_item(data));
	assert_int_equal(ltc_json_copy(ltc_json_get(data, "s"), z, 6).n, 3);
	ltc_json_free(doc);
}

static void whole_numbers_are_exact_and_others_lose_their_fraction(void **state)
{
	static const struct {
		const char *text;
		bool good;
		int64_t value;
	} rows[] = { { "104200000000017122", true, 104200000000017122 },
		{ "9223372036854775807", true, INT64_MAX }, { "9223372036854775808", false, 0 },
		{ "\"7\"", true, 7 }, { "\" 7 \"", true, 7 }, { "\"7.5\"", false, 0 },
		{ "12.75", true, 12 }, { "-1.5e+3", true, -1500 }, { "1e300", false, 0 },
		{ "true", false, 0 }, { "null", false, 0 }, { "[]", false, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[64];
		int64_t n = 0;
		(void)snprintf(text, sizeof(text), "[%s]", rows[i].text);
		struct ltc_json *doc = answer(text);
		assert_non_null(doc);
		assert_int_equal(ltc_json_i64(ltc_json_item(doc), &n), rows[i].good);
		assert_int_equal(n, rows[i].value);
		ltc_json_free(doc);
	}
}

static void a_member_has_its_kind_and_an_absent_one_none(void **state)
{
	struct ltc_json *doc = answer(
		"{\"n\":1,\n\"s\":\"1\",\"b\":true,\"f\":false,\"z\":null,\"a\":[],\n\n\"o\":{}}");
	static const struct {
		const char *key, *text;
		enum ltc_json_kind kind;
		uint32_t line;
	} rows[] = { { "n", "1", LTC_JSON_NUMBER, 1 }, { "s", "1", LTC_JSON_STRING, 2 },
		{ "b", "true", LTC_JSON_BOOL, 2 }, { "f", "false", LTC_JSON_BOOL, 2 },
		{ "z", NULL, LTC_JSON_NULL, 2 }, { "a", NULL, LTC_JSON_ARRAY, 2 },
		{ "o", NULL, LTC_JSON_OBJECT, 4 }, { "x", NULL, LTC_JSON_NULL, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct ltc_json *n = ltc_json_get(doc, rows[i].key);
		assert_int_equal(ltc_json_kind(n), rows[i].kind);
		assert_int_equal(ltc_json_line(n), rows[i].line);
		struct lt_str t = ltc_json_text(n);
		assert_true(rows[i].text == NULL ? t.p == NULL : ltc_eqz(t, rows[i].text));
		assert_true(ltc_eqz(ltc_json_name(n), n == NULL ? "" : rows[i].key));
	}
	assert_int_equal(ltc_json_int(doc, "absent", -3), -3);
	assert_int_equal(ltc_json_int(doc, "s", -3), 1);
	assert_true(ltc_json_true(doc, "b"));
	assert_false(ltc_json_true(doc, "f"));
	assert_null(ltc_json_get(ltc_json_get(doc, "s"), "s"));
	ltc_json_free(doc);
	ltc_json_free(NULL);
}

static void what_is_no_json_is_no_answer(void **state)
{
	static const char *const bad[] = { "", " ", "x", "{", "{\"a\":}", "{\"a\" 1}", "{\"a\":1",
		"[1,", "<html>", "{\"a\":1}x", "{} {}", "{\"a\":\"\n\"}", "nul", "{'a':1}",
		"{\"a\":1,}", "[1,]", "\"", "\"text\"", "7", "{\"a\":01x}", "{\"a\":01}",
		"{\"a\":+1}", "{\"a\":1.}", "[tru]", "[\"a]" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (answer(bad[i]) != NULL)
			fail_msg("'%s' is taken", bad[i]);
}

static void an_answer_is_forgiven_what_only_spoils_a_letter(void **state)
{
	static const struct {
		const char *text, *value;
	} rows[] = { { "[\"a\xff"
		       "b\"]",
			     "a\xef\xbf\xbd"
			     "b" },
		{ "[\"a\xe1\xba\"]", "a\xef\xbf\xbd\xef\xbf\xbd" },
		{ "[\"\\ud83d!\"]", "\xef\xbf\xbd!" }, { "[\"\\ude00\"]", "\xef\xbf\xbd" },
		{ "[\"\\ud83d\\u0041\"]",
			"\xef\xbf\xbd"
			"A" },
		{ "[\"a\\u0000b\"]",
			"a\xef\xbf\xbd"
			"b" },
		{ "[\"\\x\"]", "\xef\xbf\xbdx" },
		{ "[\"\\u12\"]",
			"\xef\xbf\xbd"
			"12" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ltc_json_fault fault = { 0 };
		struct ltc_json *doc = answer(rows[i].text);
		assert_non_null(doc);
		assert_string_equal(ltc_json_text(ltc_json_item(doc)).p, rows[i].value);
		ltc_json_free(doc);
		assert_null(ltc_json_parse(ltc_z(rows[i].text), LTC_JSON_STRICT, &fault));
		assert_int_equal(fault.line, 1);
		assert_non_null(fault.why);
	}
}

static void of_a_member_that_stands_twice_an_answer_gives_the_last(void **state)
{
	(void)state;
	struct ltc_json *doc = answer("{\"a\":{\"x\":1},\"A\":3,\"a\":{\"x\":2}}");
	assert_int_equal(ltc_json_int(ltc_json_get(doc, "a"), "x", 0), 2);
	assert_int_equal(ltc_json_int(ltc_json_first(doc), "x", 0), 1);
	ltc_json_free(doc);
}

static void a_fault_has_its_line_and_reason(void **state)
{
	static const struct {
		const char *text, *why;
		uint32_t line;
	} rows[] = { { "", "ends too early", 1 }, { "[1,\n2", "a ',' or ']' is missing", 2 },
		{ "{\"a\":1\n\"b\"", "a ',' or '}' is missing", 2 },
		{ "{\n\"a\" 1}", "a ':' is missing", 2 }, { "{\na:1}", "name in quotes", 2 },
		{ "[01]", "not a JSON value", 1 }, { "[-]", "not a JSON value", 1 },
		{ "\n\"a", "without an end", 2 }, { "[\"\x01\"]", "control character", 1 },
		{ "1 2", "behind the value", 1 }, { "{\"a\":1,\n\"a\":2}", "stands twice", 2 },
		{ "\"\xff\"", "not UTF-8", 1 }, { "\"\\ud800\"", "surrogate", 1 },
		{ "\"\\u0000\"", "a NUL", 1 }, { "\"\\u12\"", "four hexadecimal", 1 },
		{ "\"\\x\"", "escape", 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ltc_json_fault fault = { 0 };
		assert_null(ltc_json_parse(ltc_z(rows[i].text), LTC_JSON_STRICT, &fault));
		if (fault.line != rows[i].line || strstr(fault.why, rows[i].why) == NULL)
			fail_msg("'%s': line %u, %s", rows[i].text, fault.line, fault.why);
	}
}

static void size_depth_and_number_of_values_are_bounded(void **state)
{
	char *big = malloc(LTC_JSON_BYTES_MAX + 2);
	struct lt_str s = { big, 0 };

	(void)state;
	for (size_t depth = LTC_JSON_DEPTH_MAX; depth <= LTC_JSON_DEPTH_MAX + 1; depth++) {
		memset(big, '[', depth);
		memset(big + depth, ']', depth);
		s.n = 2 * depth;
		struct ltc_json *doc = ltc_json_parse(s, LTC_JSON_ANSWER, NULL);
		assert_int_equal(doc != NULL, depth == LTC_JSON_DEPTH_MAX);
		ltc_json_free(doc);
	}
	for (size_t values = LTC_JSON_NODES_MAX - 1; values <= LTC_JSON_NODES_MAX; values++) {
		for (size_t i = 0; i < values; i++)
			memcpy(big + 2 * i, i == 0 ? "[1" : ",1", 2);
		big[2 * values] = ']';
		s.n = 2 * values + 1;
		struct ltc_json *doc = ltc_json_parse(s, LTC_JSON_ANSWER, NULL);
		assert_int_equal(doc != NULL, values < LTC_JSON_NODES_MAX);
		ltc_json_free(doc);
	}
	memset(big, ' ', LTC_JSON_BYTES_MAX + 1);
	memcpy(big, "[]", 2);
	s.n = LTC_JSON_BYTES_MAX;
	struct ltc_json *doc = ltc_json_parse(s, LTC_JSON_ANSWER, NULL);
	assert_non_null(doc);
	ltc_json_free(doc);
	s.n++;
	assert_null(ltc_json_parse(s, LTC_JSON_ANSWER, NULL));
	free(big);
}

static void noise_does_no_harm(void **state)
{
	char in[60], out[20];
	uint64_t r = 7;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		for (size_t k = 0; k < sizeof(in); k++) {
			r = r * 6364136223846793005u + 1442695040888963407u;
			in[k] = "{}[]\":,\\u0a1 -e\x01\xe1"[(r >> 40) % 17];
		}
		size_t n = (size_t)(r >> 33) % sizeof(in);
		char *tight = malloc(n + 1); /* so that a read behind the end is seen */
		memcpy(tight, in, n);
		char *exact = realloc(tight, n == 0 ? 1 : n);
		struct ltc_json *doc = ltc_json_parse(
			(struct lt_str){ exact, n }, (enum ltc_json_mode)(i % 2), NULL);
		assert_true(
			ltc_utf8_valid(ltc_json_copy(ltc_json_get(doc, "a"), out, sizeof(out))));
		for (const struct ltc_json *one = ltc_json_first(doc); one != NULL;
			one = ltc_json_next(one))
			assert_true(ltc_utf8_valid(ltc_json_copy(one, out, sizeof(out))));
		ltc_json_free(doc);
		free(exact);
	}
}

static void strings_are_escaped_and_broken_bytes_replaced(void **state)
{
	struct ltc_buf b;

	(void)state;
	ltc_buf_init(&b, 1000);
	ltc_json_add(&b, LTC_LIT("a\"\\\n\t\x01 ạ \xff \xe1\xba"));
	assert_string_equal(b.p, "\"a\\\"\\\\\\n\\u0009\\u0001 ạ ? ??\"");
	struct ltc_json *doc = ltc_json_parse(ltc_buf_str(&b), LTC_JSON_STRICT, NULL);
	assert_true(ltc_eqz(ltc_json_text(doc), "a\"\\\n\t\x01 ạ ? ??"));
	ltc_json_free(doc);
	ltc_buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_found_and_ids_keep_all_digits),
		cmocka_unit_test(whole_numbers_are_exact_and_others_lose_their_fraction),
		cmocka_unit_test(a_member_has_its_kind_and_an_absent_one_none),
		cmocka_unit_test(what_is_no_json_is_no_answer),
		cmocka_unit_test(an_answer_is_forgiven_what_only_spoils_a_letter),
		cmocka_unit_test(of_a_member_that_stands_twice_an_answer_gives_the_last),
		cmocka_unit_test(a_fault_has_its_line_and_reason),
		cmocka_unit_test(size_depth_and_number_of_values_are_bounded),
		cmocka_unit_test(noise_does_no_harm),
		cmocka_unit_test(strings_are_escaped_and_broken_bytes_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
