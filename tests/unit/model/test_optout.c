/* test_optout.c - which texts say "no more". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/assert.h"
#include "model/optout.h"

static void the_words_are_known_in_any_case_and_with_marks(void **state)
{
	(void)state;
	static const char *const yes[] = { "TC", "tc", " Tc. ", "Từ chối", "TỪ  CHỐI", "tu choi",
		"STOP", "stop!", "\"Stop\"", "Hủy", "HUY DK", "TC QC", "tu\nchoi",
		"t\xe1\xbb\xab cho\xcc\x82\xcc\x81i" };
	static const char *const no[] = { "", " ", "tcx", "Tôi từ chối", "stopover", "xin chào TC",
		"TU", "TUCHOI", "\xff\xfe", "cảm ơn" };
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		if (!optout_read(str_of(yes[i]), NULL, 0, true, NULL))
			fail_msg("'%s' is not read as an opt-out", yes[i]);
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		if (optout_read(str_of(no[i]), NULL, 0, true, NULL))
			fail_msg("'%s' is read as an opt-out", no[i]);
}

static void one_word_behind_names_a_list(void **state)
{
	(void)state;
	char list[OPTOUT_LIST_MAX];
	assert_true(optout_read(STR("TC Quảng-Cáo"), NULL, 0, true, list));
	assert_string_equal(list, "quang-cao");
	assert_true(optout_read(STR("tu choi bao-chi"), NULL, 0, true, list));
	assert_string_equal(list, "bao-chi");
	assert_true(optout_read(STR("HUY DK"), NULL, 0, true, list));
	assert_string_equal(list, "");
	assert_true(optout_read(STR("STOP gui tin cho toi"), NULL, 0, true, list));
	assert_string_equal(list, "");
}

static void own_words_replace_the_default_ones(void **state)
{
	(void)state;
	static const char *const words[] = { "Ngừng nhận", "AZ-09_z" };
	assert_true(optout_read(STR("az-09_Z"), words, 2, true, NULL));
	assert_false(optout_read(STR("a-09_"), words, 2, true, NULL));
	assert_true(optout_read(STR("ngung nhan"), words, 1, true, NULL));
	assert_true(optout_read(STR("NGỪNG NHẬN báo-chí"), words, 1, true, NULL));
	assert_false(optout_read(STR("STOP"), words, 1, true, NULL));
	assert_false(optout_read(STR("STOP"), words, 0, true, NULL));
}

static void in_a_conversation_only_the_word_alone_counts(void **state)
{
	(void)state;
	assert_true(optout_read(STR("Stop!"), NULL, 0, false, NULL));
	assert_true(optout_read(STR("từ chối"), NULL, 0, false, NULL));
	assert_false(optout_read(STR("Hủy hồ sơ thì làm thế nào?"), NULL, 0, false, NULL));
	assert_true(optout_read(STR("Hủy hồ sơ thì làm thế nào?"), NULL, 0, true, NULL));
}

static void a_yes_to_advertising_is_clear_or_an_answer(void **state)
{
	(void)state;
	static const char *const own[] = { "NHAN TIN" };
	assert_int_equal(optin_read(STR("dk qc"), NULL, 0), OPTIN_CLEAR);
	assert_int_equal(optin_read(STR("Đồng ý quảng cáo."), NULL, 0), OPTIN_CLEAR);
	assert_int_equal(optin_read(STR("Đồng ý"), NULL, 0), OPTIN_BARE);
	assert_int_equal(optin_read(STR("y"), NULL, 0), OPTIN_BARE);
	assert_int_equal(optin_read(STR("Nhận tin"), own, 1), OPTIN_BARE);
	assert_int_equal(optin_read(STR("y"), own, 1), OPTIN_NONE);
	assert_int_equal(optin_read(STR("DK QC cua toi dau"), NULL, 0), OPTIN_NONE);
	assert_int_equal(optin_read(STR("HUY DK"), NULL, 0), OPTIN_NONE);
	assert_int_equal(optin_read(STR("khong dong y"), NULL, 0), OPTIN_NONE);
	assert_int_equal(optin_read(STR(""), NULL, 0), OPTIN_NONE);
	assert_int_equal(optin_read(STR("\xff"), NULL, 0), OPTIN_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_words_are_known_in_any_case_and_with_marks),
		cmocka_unit_test(one_word_behind_names_a_list),
		cmocka_unit_test(own_words_replace_the_default_ones),
		cmocka_unit_test(in_a_conversation_only_the_word_alone_counts),
		cmocka_unit_test(a_yes_to_advertising_is_clear_or_an_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
