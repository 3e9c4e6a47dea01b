/* test_zalo_text.c - characters, Markdown to blocks. */
#include "zalo_test.h"

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
		{ "| x | y |\n|---|---|\n| 1 | 2 |", "<p>x – y</p><p>1 – 2</p>" },
		{ "| **x** | [y](https://a.vn) | `z` |\n|:--|:-:|--:|\n| 1 | | a*b*c |",
			"<p><b>x</b> – y (https://a.vn) – z</p><p>1 –  – a<i>b</i>c</p>" },
		{ "| | x |\n|---|---|\n| một hai | & |\n\nsau",
			"<p> – x</p><p>một hai – &amp;</p><p>sau</p>" },
		{ "| x | y |\n| 1 | 2 |\nthường", "<p>x – y</p><p>1 – 2</p><p>thường</p>" },
		{ "![a](1.png)\n![b](2.png)", "[1.png][2.png]" },
		{ "trước ![a](1.png) sau", "<p>trước </p>[1.png]<p>sau</p>" },
		{ "**đậm ![a](1.png) *nghiêng* đậm** thường",
			"<p><b>đậm </b></p>[1.png]<p><b><i>nghiêng</i> đậm</b> thường</p>" },
		{ "# ![a](1.png) Đề", "[1.png]<p><b>Đề</b></p>" },
		{ "**![a](1.png)**", "[1.png]" },
		{ "-\n- a", "<p>• a</p>" },
		{ "- a\n\n  b\n- c", "<p>• a</p><p>b</p><p>• c</p>" },
		{ "[](https://a.vn)", "<p> (https://a.vn)</p>" },
		{ "a  \nb", "<p>a</p><p>b</p>" },
		{ "3. a\n4. b\n   1. c", "<p>3. a</p><p>4. b</p><p>&nbsp;&nbsp;1. c</p>" },
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

static void deep_lists_wide_tables_and_html_of_every_kind_stay_text(void **state)
{
	static const char *const in[] = { "- a\n  - b\n    - c\n      - d\n        - e",
		"1. a\n   - b\n     1. c\n2. d", "- [ ] a\n- > b\n- | x |\n  |---|\n  | y |",
		"| a | b | c | d | e | f | g | h |\n|---|---|---|---|---|---|---|---|\n| 1 | | 3 | | | | | 8 |",
		"<!-- a --><img src=x onerror=\"alert(1)\"><p style='x'>b</p>&lt;c&gt;",
		"<table><tr><td>a</td></tr></table>", "<b>a", "a < b && c > d \" e ' f",
		"- a\n\n  <script>b</script>\n\n  | c | d |\n  |---|---|\n  | 1 | 2 |" };
	static const char *const tags[] = { "p>", "/p>", "b>", "/b>", "i>", "/i>" };

	(void)state;
	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
		struct seen x = { "", 0 };
		const struct zalo_blocks to = { &x, on_text, on_image };
		int open = 0;
		assert_int_equal(zalo_body_walk(S(in[i]), &to), 0);
		assert_true(x.text[0] != 0);
		for (const char *p = strchr(x.text, '<'); p; p = strchr(p + 1, '<')) {
			bool known = false;
			for (size_t k = 0; k < 6; k++)
				known = known || strncmp(p + 1, tags[k], strlen(tags[k])) == 0;
			if (!known)
				fail_msg("row %zu lets a tag through: %s", i, x.text);
			open += p[1] == '/' ? -1 : 1;
			assert_in_range(open, 0, 3);
		}
		assert_int_equal(open, 0);
	}
}

static void what_a_reader_sees_is_the_text_without_its_tags(void **state)
{
	struct ltc_buf b;

	(void)state;
	ltc_buf_init(&b, 1000);
	zalo_add_seen(
		&b, LTC_LIT("<p>&nbsp;– a <b>b</b> &lt;p&gt; &amp;amp; <i>c</i></p><p>d</p>"));
	assert_string_equal(b.p, " – a b <p> &amp; c\nd\n");
	ltc_buf_reset(&b);
	zalo_add_html(&b, LTC_LIT("a < b & c > \"d\""));
	assert_string_equal(b.p, "a &lt; b &amp; c &gt; \"d\"");
	ltc_buf_done(&b);
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
		cmocka_unit_test(characters_are_counted_not_bytes),
		cmocka_unit_test(markdown_becomes_the_html_they_take),
		cmocka_unit_test(deep_lists_wide_tables_and_html_of_every_kind_stay_text),
		cmocka_unit_test(what_a_reader_sees_is_the_text_without_its_tags),
		cmocka_unit_test(nobody_is_called_by_a_mention),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
