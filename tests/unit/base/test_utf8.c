/* test_utf8.c - validity, normal form, cutting, and the Vietnamese order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <utf8proc.h>
#include "base/assert.h"
#include "base/fault.h"
#include "base/utf8.h"

static void only_real_utf8_is_valid(void **state)
{
	static const struct {
		const char *text;
		size_t n, bad_at; /* bad_at == n: valid */
	} rows[] = {
		{ "", 0, 0 },
		{ "Hà Nội \xf0\x9f\x98\x80", 14, 14 },
		{ "a\0b", 3, 3 },
		{ "ab\x80", 3, 2 },
		{ "a\xc0\xaf", 3, 1 },        /* overlong */
		{ "\xe0\x80\xaf", 3, 0 },     /* overlong */
		{ "\xf0\x80\x80\xaf", 4, 0 }, /* overlong */
		{ "\xed\xa0\x80", 3, 0 },     /* surrogate */
		{ "\xf4\x90\x80\x80", 4, 0 }, /* over U+10FFFF */
		{ "\xf5\x80\x80\x80", 4, 0 },
		{ "x\xe1\xba", 3, 1 }, /* cut short */
		{ "\xe1\xba\xbf", 3, 3 },
		{ "\xf4\x8f\xbf\xbf", 4, 4 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str s = { rows[i].text, rows[i].n };
		size_t bad_at = rows[i].n;
		assert_int_equal(utf8_valid(s, &bad_at), rows[i].bad_at == rows[i].n);
		assert_int_equal(bad_at, rows[i].bad_at);
	}
}

static void code_points_come_one_by_one_and_go_back(void **state)
{
	struct str rest = STR("aế\xf0\x9f\x98\x80\xff");
	struct buf b CLEANUP_BUF = { 0 };
	int32_t cp;

	(void)state;
	buf_init(&b, 100);
	while (utf8_next(&rest, &cp))
		assert_int_equal(utf8_put(&b, cp), 0);
	assert_int_equal(rest.n, 1);
	assert_string_equal(buf_z(&b), "aế\xf0\x9f\x98\x80");
	assert_int_equal(utf8_put(&b, 0xd800), -EILSEQ);
	assert_int_equal(utf8_put(&b, 0x110000), -EILSEQ);
	assert_int_equal(utf8_put(&b, -1), -EILSEQ);
}

static void decomposed_text_becomes_nfc(void **state)
{
	struct buf b CLEANUP_BUF = { 0 };

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(utf8_nfc(&b, STR("Vie\xcc\xa3\xcc\x82t")), 0);
	assert_string_equal(buf_z(&b), "Việt");
	assert_int_equal(utf8_nfc(&b, STR(" ascii")), 0);
	assert_string_equal(buf_z(&b), "Việt ascii");
	assert_int_equal(utf8_nfc(&b, STR("a\xff")), -EILSEQ);
	assert_string_equal(buf_z(&b), "Việt ascii");
	assert_false(utf8_is_nfc(STR("Vie\xcc\xa3\xcc\x82t")));
	assert_true(utf8_is_nfc(STR("Việt")));
	assert_true(utf8_is_nfc(STR("plain")));
	assert_false(utf8_is_nfc(STR("\xff")));
}

/* What is passed on unseen must be what the library makes of it: each character alone, and behind letters it might join. */
static void characters_that_are_passed_on_unseen_are_nfc(void **state)
{
	static const char *const before[] = { "", "a", "E", "o", "\xc6\xb0", "\xe1\xba\xa1" };
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	for (int32_t cp = 0x80; cp <= 0x1eff; cp++) {
		if (cp == 0x300)
			cp = 0x1e00;
		for (size_t i = 0; i < ARRAY_LEN(before); i++) {
			utf8proc_uint8_t *out = NULL;
			buf_reset(&b);
			buf_addz(&b, before[i]);
			assert_int_equal(utf8_put(&b, cp), 0);
			utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)b.p,
				(utf8proc_ssize_t)b.n, &out, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
			assert_int_equal(n, b.n);
			assert_memory_equal(out, b.p, b.n);
			free(out);
			assert_true(utf8_is_nfc(buf_str(&b)));
		}
	}
	/* and what stands behind them is seen */
	assert_false(utf8_is_nfc(STR("\xe1\xba\xa1\xcc\x82")));
	assert_false(utf8_is_nfc(STR("\xe1\xba\xa1 \xe1\xbd\xb1")));
	buf_done(&b);
}

static void nfc_respects_the_maximum(void **state)
{
	struct buf b CLEANUP_BUF = { 0 };

	(void)state;
	buf_init(&b, 5);
	assert_int_equal(utf8_nfc(&b, STR("Vie\xcc\xa3\xcc\x82t")), -E2BIG);
	assert_int_equal(b.n, 0);
}

static void length_and_width_count_what_one_sees(void **state)
{
	(void)state;
	assert_int_equal(utf8_len(STR("Thừa Thiên Huế")), 14);
	assert_int_equal(utf8_width(STR("Thừa Thiên Huế")), 14);
	assert_int_equal(utf8_width(STR("e\xcc\x82")), 1);
	assert_int_equal(utf8_width(STR("日本")), 4);
	assert_int_equal(utf8_width(STR("a\xff")), 2);
}

static void a_cut_never_splits_a_character(void **state)
{
	static const struct {
		const char *text;
		size_t max;
		const char *cut;
	} rows[] = {
		{ "abc", 3, "abc" },
		{ "abc", 2, "ab" },
		{ "abc", 0, "" },
		{ "Huế", 4, "Hu" },
		{ "Huế", 5, "Huế" },
		{ "Hue\xcc\x82\xcc\x81 x", 3, "Hu" }, /* e and its marks stay together */
		{ "Hue\xcc\x82\xcc\x81 x", 6, "Hu" },
		{ "Hue\xcc\x82\xcc\x81 x", 7, "Hue\xcc\x82\xcc\x81" },
		{ "a\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9"
		  "b",
			9, "a" }, /* joined emoji */
		{ "ab\xff"
		  "cd",
			3, "ab\xff" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str cut = utf8_cut(str_of(rows[i].text), rows[i].max);
		assert_true(str_eqz(cut, rows[i].cut));
	}
}

static void lower_case_knows_vietnamese(void **state)
{
	struct buf b CLEANUP_BUF = { 0 };

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(utf8_lower(&b, STR("ĐIỆN BIÊN Phủ 7")), 0);
	assert_string_equal(buf_z(&b), "điện biên phủ 7");
	assert_int_equal(utf8_lower(&b, STR("A\xff")), -EILSEQ);
	assert_string_equal(buf_z(&b), "điện biên phủ 7");
}

static int key_cmp(const char *a, const char *b)
{
	struct buf x CLEANUP_BUF = { 0 }, y CLEANUP_BUF = { 0 };

	buf_init(&x, 1000);
	buf_init(&y, 1000);
	assert_int_equal(utf8_sort_key(&x, str_of(a)), 0);
	assert_int_equal(utf8_sort_key(&y, str_of(b)), 0);
	return str_cmp(buf_str(&x), buf_str(&y));
}

/* Every pair of a list must come in the list's order. */
static void assert_sorted(const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			int r = key_cmp(list[i], list[j]);
			if ((i < j && r >= 0) || (i == j && r != 0) || (i > j && r <= 0))
				fail_msg(
					"'%s' and '%s' stand in the wrong order", list[i], list[j]);
		}
}

static void letters_follow_the_vietnamese_alphabet(void **state)
{
	static const char *const letters[] = { "a", "ă", "â", "b", "c", "d", "đ", "e", "ê", "f",
		"g", "h", "i", "j", "k", "l", "m", "n", "o", "ô", "ơ", "p", "q", "r", "s", "t", "u",
		"ư", "v", "w", "x", "y", "z" };

	(void)state;
	assert_sorted(letters, ARRAY_LEN(letters));
}

static void tones_decide_after_all_letters(void **state)
{
	static const char *const words[] = { "ma", "mà", "mả", "mã", "má", "mạ", "mai", "mài",
		"măng", "mận", "mấp" };

	(void)state;
	assert_sorted(words, ARRAY_LEN(words));
}

static void provinces_stand_as_in_a_register(void **state)
{
	static const char *const names[] = { "An Giang", "Bắc Ninh", "Cà Mau", "Cao Bằng",
		"Cần Thơ", "Đà Nẵng", "Đắk Lắk", "Điện Biên", "Đồng Nai", "Đồng Tháp", "Gia Lai",
		"Hà Nội", "Hà Tĩnh", "Hải Phòng", "Huế", "Hưng Yên", "Khánh Hòa", "Lai Châu",
		"Lạng Sơn", "Lào Cai", "Lâm Đồng", "Nghệ An", "Ninh Bình", "Phú Thọ", "Quảng Ngãi",
		"Quảng Ninh", "Quảng Trị", "Sơn La", "Tây Ninh", "Thái Nguyên", "Thanh Hóa",
		"Tuyên Quang", "Vĩnh Long" };

	(void)state;
	assert_sorted(names, ARRAY_LEN(names));
}

static void digits_spaces_case_and_strangers_have_their_place(void **state)
{
	static const char *const words[] = { "", "1", "2", "a b", "ab", "aB", "Ab", "ab c", "z",
		"ω", "日" };

	(void)state;
	assert_sorted(words, ARRAY_LEN(words));
}

static void a_decomposed_name_sorts_as_its_composed_one(void **state)
{
	(void)state;
	assert_int_equal(key_cmp("Việt", "Vie\xcc\xa3\xcc\x82t"), 0);
	assert_int_equal(key_cmp("thuở", "thuo\xcc\x9b\xcc\x89"), 0);
}

static void a_key_that_fails_leaves_the_buffer_alone(void **state)
{
	struct buf b CLEANUP_BUF = { 0 };

	(void)state;
	buf_init(&b, 20);
	assert_int_equal(buf_addz(&b, "keep"), 0);
	assert_int_equal(utf8_sort_key(&b, STR("ab\xff")), -EILSEQ);
	assert_string_equal(buf_z(&b), "keep");
	assert_false(b.failed);
	assert_int_equal(utf8_sort_key(&b, STR("much too long a name")), -E2BIG);
	assert_string_equal(buf_z(&b), "keep");
	assert_true(b.failed);
}

static void bad_bytes_are_replaced_and_a_cut_letter_is_left_out(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = { { "", "" }, { "abc", "abc" }, { "th\xc6\xb0", "th\xc6\xb0" },
		{ "th\xc6", "th" }, { "x\xe1\xbb", "x" }, { "x\xf0\x9f\x98", "x" }, { "\xff", "?" },
		{ "a\xf4i", "a?i" }, { "\xe1\xbb\x99\xbb", "\xe1\xbb\x99?" }, { "\xc0\x80", "??" },
		{ "\xe1\xbbz", "??z" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char room[20];
		size_t n = utf8_mend(room, str_of(rows[i].in));
		assert_int_equal(n, strlen(rows[i].out));
		assert_memory_equal(room, rows[i].out, n);
		(void)snprintf(room, sizeof(room), "%s", rows[i].in);
		assert_int_equal(utf8_mend(room, str_of(room)), n); /* in its place */
		assert_memory_equal(room, rows[i].out, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_real_utf8_is_valid),
		cmocka_unit_test(code_points_come_one_by_one_and_go_back),
		cmocka_unit_test(decomposed_text_becomes_nfc),
		cmocka_unit_test(characters_that_are_passed_on_unseen_are_nfc),
		cmocka_unit_test(nfc_respects_the_maximum),
		cmocka_unit_test(length_and_width_count_what_one_sees),
		cmocka_unit_test(a_cut_never_splits_a_character),
		cmocka_unit_test(bad_bytes_are_replaced_and_a_cut_letter_is_left_out),
		cmocka_unit_test(lower_case_knows_vietnamese),
		cmocka_unit_test(letters_follow_the_vietnamese_alphabet),
		cmocka_unit_test(tones_decide_after_all_letters),
		cmocka_unit_test(provinces_stand_as_in_a_register),
		cmocka_unit_test(digits_spaces_case_and_strangers_have_their_place),
		cmocka_unit_test(a_decomposed_name_sorts_as_its_composed_one),
		cmocka_unit_test(a_key_that_fails_leaves_the_buffer_alone),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
