/* test_text.c - texts, links, times and JSON of the Facebook adapter. */
#include "fbtest.h"

static struct lt_str z(const char *s)
{
	return (struct lt_str){ s, strlen(s) };
}

static void markdown_becomes_what_a_page_shows(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} v[] = { { "**Hà Nội** – xin chào", "Hà Nội – xin chào" },
		{ "# Một\n\nHai", "Một\n\nHai" }, { "- a\n- b\n\nc", "• a\n• b\n\nc" },
		{ "1. a\n2. b", "1. a\n2. b" },
		{ "[đây](https://x.example)", "đây (https://x.example)" },
		{ "<https://x.example>", "https://x.example" }, { "a\nb", "a b" }, { "", "" },
		{ "- a\n  - b", "• a\n  • b" } };
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct ltc_buf b LTC_CLEANUP_BUF;
		ltc_buf_init(&b, 4096);
		assert_int_equal(fb_text_plain(&b, z(v[i].in)), 0);
		ltc_addc(&b, '\0');
		assert_string_equal(b.p, v[i].out);
	}
}

static void links_of_one_page_are_the_same(void **state)
{
	(void)state;
	assert_true(fb_link_same(z("https://www.portal.example/a/"), z("http://portal.example/a")));
	assert_true(fb_link_same(
		z("https://Portal.Example/a?utm_source=x"), z("https://portal.example/a#top")));
	assert_true(
		fb_link_same(z("https://p.example/?n=1&fbclid=3"), z("https://p.example/?n=1")));
	assert_false(fb_link_same(z("https://p.example/?n=1"), z("https://p.example/?n=2")));
	assert_false(fb_link_same(z("https://p.example/A"), z("https://p.example/a")));
	assert_false(fb_link_same(z(""), z("")));
	assert_true(fb_text_has_link(z("xem: https://p.example/1."), z("http://www.p.example/1/")));
	assert_false(fb_text_has_link(z("xem: https://p.example/12"), z("https://p.example/1")));
}

static void nearly_the_same_text_is_seen(void **state)
{
	(void)state;
	const char *a =
		"Sau 5 năm đổi mới nội dung và hình thức truyền thông, số người tham gia tăng từ 567.892 lên 612.617 người";
	assert_int_equal(fb_text_near(z(a), z(a)), 100);
	assert_true(
		fb_text_near(z(a),
			z("SAU 5 năm  đổi mới, nội dung và hình thức truyền thông - số người tham gia tăng từ 567.892 lên 612.617 người!")) >=
		90);
	assert_true(fb_text_near(z(a), z("Thông báo nghỉ lễ Quốc khánh của cơ quan")) < 20);
	assert_int_equal(fb_text_near(z(""), z("")), 0);
	assert_true(fb_text_same_line(z("Năm năm đổi mới!"), z("NĂM NĂM ĐỔI MỚI")));
	assert_false(fb_text_same_line(z("Năm năm"), z("Năm năm đổi mới")));
	assert_false(fb_text_same_line(z(""), z("")));
}

static void a_fingerprint_does_not_see_line_ends(void **state)
{
	char a[FB_PRINT_LEN + 1], b[FB_PRINT_LEN + 1];
	(void)state;
	fb_text_print(z("a\r\nb\r\n"), a);
	fb_text_print(z(" a\nb"), b);
	assert_string_equal(a, b);
	fb_text_print(z("a b"), b);
	assert_string_not_equal(a, b);
	fb_text_print(z("abc"), a);
	assert_string_equal(a, "e16801510db89efd"); /* kept with posts for years */
}

/* "Đổi mới" as it is approved, and taken apart, as some phones and the clipboard of a PDF have it. */
static void accents_of_two_code_points_are_the_same_letters(void **state)
{
	char a[FB_PRINT_LEN + 1], b[FB_PRINT_LEN + 1];
	(void)state;
	static const char one[] = "\xc4\x90\xe1\xbb\x95i m\xe1\xbb\x9bi n\xc4\x83m n\xc4\x83m";
	static const char apart[] =
		"\xc4\x90o\xcc\x82\xcc\x89i mo\xcc\x9b\xcc\x81i na\xcc\x86m na\xcc\x86m";
	fb_text_print(z(one), a);
	fb_text_print(z(apart), b);
	assert_string_equal(a, b);
	assert_int_equal(fb_text_near(z(one), z(apart)), 100);
	assert_true(fb_text_same_line(z(one), z(apart)));
	fb_text_print(z("\xff\xfe no text"), a); /* what is no UTF-8 has a fingerprint, too */
	assert_int_equal(strlen(a), FB_PRINT_LEN);
}

static void times_come_in_two_forms(void **state)
{
	(void)state;
	assert_int_equal(fb_time_read(z("2026-11-20T18:03:11+0000")), 1795197791000);
	assert_int_equal(fb_time_read(z("2026-11-21T01:03:11+0700")), 1795197791000);
	assert_int_equal(fb_time_read(z("1795197791")), 1795197791000);
	assert_int_equal(fb_time_read(z("yesterday")), 0);
	assert_int_equal(fb_time_read(z("2026-13-21T01:03:11+0700")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(markdown_becomes_what_a_page_shows),
		cmocka_unit_test(links_of_one_page_are_the_same),
		cmocka_unit_test(nearly_the_same_text_is_seen),
		cmocka_unit_test(a_fingerprint_does_not_see_line_ends),
		cmocka_unit_test(accents_of_two_code_points_are_the_same_letters),
		cmocka_unit_test(times_come_in_two_forms) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
