/* test_zalo_text.c - JSON in place, characters, Markdown to blocks. */
#include "zalo_test.h"

static void members_are_found_and_ids_keep_all_digits(void **state)
{
	char z[64];
	struct lt_str doc = LTC_LIT(
		" {\"data\":{\"id\":9007199254740993123,\"s\":\"a\\\"b\\u1ea1\\ud83d\\ude00\"},\"error\":\"-14014\",\"x\":[1,{\"y\":2}]}");
	int64_t n = 0;

	(void)state;
	assert_true(zj_valid(doc));
	struct lt_str data = zj_get(doc, "data");
	assert_string_equal(zj_text(zj_get(data, "id"), z, sizeof(z)).p, "9007199254740993123");
	assert_string_equal(zj_text(zj_get(data, "s"), z, sizeof(z)).p, "a\"bạ😀");
	assert_true(zj_int(zj_get(doc, "error"), &n));
	assert_int_equal(n, -14014);
	struct lt_str rest = zj_get(doc, "x"), one;
	assert_true(zj_next(&rest, &one));
	assert_true(zj_next(&rest, &one));
	assert_true(zj_int(zj_get(one, "y"), &n));
	assert_false(zj_next(&rest, &one));
	assert_null(zj_get(doc, "Error").p);
	assert_int_equal(zj_text(zj_get(data, "s"), z, 6).n, 3);
}

static void what_is_no_json_has_no_members(void **state)
{
	static const char *const bad[] = { "", "{", "{\"a\":}", "{\"a\" 1}", "[1,", "<html>",
		"{\"a\":1}x", "{\"a\":\"\n\"}", "nul", "{'a':1}", "{\"a\":1,}", "\"",
		"{\"a\":01x}" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (zj_valid(S(bad[i])))
			fail_msg("'%s' is taken", bad[i]);
	char deep[200];
	memset(deep, '[', 100);
	memset(deep + 100, ']', 100);
	assert_false(zj_valid((struct lt_str){ deep, 200 }));
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
		struct lt_str s = { in, (size_t)(r >> 33) % sizeof(in) };
		(void)zj_valid(s);
		(void)zj_text(zj_get(s, "a"), out, sizeof(out));
		struct lt_str rest = s, one;
		for (int n = 0; n < 100 && zj_next(&rest, &one); n++)
			(void)zj_text(one, out, sizeof(out));
	}
}

static void strings_are_escaped_and_broken_bytes_replaced(void **state)
{
	struct ltc_buf b;

	(void)state;
	ltc_buf_init(&b, 1000);
	zj_add(&b, LTC_LIT("a\"\\\n\t\x01 ạ \xff \xe1\xba"));
	assert_string_equal(b.p, "\"a\\\"\\\\\\n\\u0009\\u0001 ạ ? ??\"");
	assert_true(zj_valid(ltc_buf_str(&b)));
	ltc_buf_done(&b);
}

static void characters_are_counted_not_bytes(void **state)
{
	char dst[40];

	(void)state;
	assert_int_equal(zalo_chars(LTC_LIT("Đổi mới")), 7);
	struct lt_str s = zalo_shorten(LTC_LIT("Đổi mới truyền thông"), 12, dst, sizeof(dst));
	assert_true(zalo_chars(s) <= 12);
	assert_memory_equal(s.p, "Đổi mới…", s.n);
	assert_true(zalo_same_title(LTC_LIT(" Khai  mạc A"), LTC_LIT("khai mạc a ")));
	assert_false(zalo_same_title(LTC_LIT("Khai mạc A"), LTC_LIT("Khai mạc B")));
	assert_false(zalo_same_title(LTC_LIT(""), LTC_LIT("")));
}

struct seen {
	char text[4000];
	int images;
};
static int on_text(void *ctx, struct lt_str s)
{
	struct seen *x = ctx;

	(void)strncat(x->text, s.p, s.n < 3000 ? s.n : 3000);
	return 0;
}
static int on_image(void *ctx, struct lt_str file, struct lt_str alt)
{
	struct seen *x = ctx;

	(void)alt;
	x->images++;
	(void)strncat(x->text, "[", 2);
	(void)strncat(x->text, file.p, file.n);
	(void)strncat(x->text, "]", 2);
	return 0;
}

static void markdown_becomes_the_html_they_take(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "Một **hai** *ba*", "<p>Một <b>hai</b> <i>ba</i></p>" },
		{ "## Đề mục\n\nđoạn", "<p><b>Đề mục</b></p><p>đoạn</p>" },
		{ "- a\n- b\n  - c", "<p>• a</p><p>• b</p><p>&nbsp;&nbsp;– c</p>" },
		{ "1. a\n2. b", "<p>1. a</p><p>2. b</p>" },
		{ "| x | y |\n|---|---|\n| 1 | 2 |", "<p>x – y</p><p></p><p>1 – 2</p>" },
		{ "a <script>alert(1)</script> b",
			"<p>a &lt;script&gt;alert(1)&lt;/script&gt; b</p>" },
		{ "<div>\nx\n</div>", "<p>&lt;div&gt;</p><p>x</p><p>&lt;/div&gt;</p>" },
		{ "[chữ](https://a.vn)", "<p>chữ (https://a.vn)</p>" },
		{ "trước\n\n![mô tả](anh.png)\n\nsau", "<p>trước</p>[anh.png]<p>sau</p>" },
		{ "a\nb", "<p>a b</p>" },
		{ "> trích", "<p>trích</p>" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seen x = { "", 0 };
		const struct zalo_blocks to = { &x, on_text, on_image };
		assert_int_equal(zalo_body_walk(S(rows[i].in), &to), 0);
		assert_string_equal(x.text, rows[i].out);
	}
}

static void nobody_is_called_by_a_mention(void **state)
{
	struct ltc_buf b;

	(void)state;
	ltc_buf_init(&b, 1000);
	zalo_add_unmentioned(&b, LTC_LIT("Gửi [@7c0e2b91d4f58a36aa10]: họp [@x"));
	assert_string_equal(b.p, "Gửi (@7c0e2b91d4f58a36aa10): họp (@x");
	ltc_buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_found_and_ids_keep_all_digits),
		cmocka_unit_test(what_is_no_json_has_no_members),
		cmocka_unit_test(noise_does_no_harm),
		cmocka_unit_test(strings_are_escaped_and_broken_bytes_replaced),
		cmocka_unit_test(characters_are_counted_not_bytes),
		cmocka_unit_test(markdown_becomes_the_html_they_take),
		cmocka_unit_test(nobody_is_called_by_a_mention),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
