/* test_text_tools.c - templates, Markdown, ASCII, similar titles, diff. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/assert.h"
#include "base/fault.h"
#include "content/ascii.h"
#include "content/diff.h"
#include "content/markdown.h"
#include "content/similar.h"
#include "content/template.h"

/* --- templates --------------------------------------------------------------------------------------------------------------- */

static int lookup(void *ctx, struct str name, struct str *ret)
{
	static const struct {
		const char *name, *value;
	} vars[] = { { "office.name", "BHXH tỉnh *Điện Biên*" },
		{ "office.name.en", "Dien Bien Office" }, { "office.hotline", "0200 000 004" },
		{ "office.empty", "" }, { "local", "Đoạn **riêng**." },
		{ "office.link", "[x](http://evil.example)\n# Tiêu đề" },
		{ "office.brace", "{{target.name}}" }, { "office.num", "1. một" } };
	(void)ctx;
	for (size_t i = 0; i < ARRAY_LEN(vars); i++) {
		if (str_eqz(name, vars[i].name)) {
			*ret = str_of(vars[i].value);
			return TEMPLATE_FOUND;
		}
	}
	return -ENOENT;
}

static void renders(const char *text, const char *lang, bool markdown, const char *want)
{
	struct template_opts o = {
		.lookup = lookup, .lang = lang, .markdown = markdown, .raw_name = "local"
	};
	struct buf b CLEANUP_BUF;
	struct err e = { 0 };
	buf_init(&b, 4096);
	if (template_render(str_of(text), &o, &b, &e) < 0)
		fail_msg("%s: %s", text, e.text);
	assert_string_equal(buf_z(&b), want);
}

static void variables_are_filled_and_the_rest_stays(void **state)
{
	(void)state;
	renders("Gọi {{office.hotline}} hoặc {{ office.hotline }}.", NULL, false,
		"Gọi 0200 000 004 hoặc 0200 000 004.");
	renders("{{office.name}}", NULL, false, "BHXH tỉnh *Điện Biên*");
	renders("{{office.empty}}x", NULL, false, "x");
	renders("{ {x} } {x}", NULL, false, "{ {x} } {x}");
	renders("\\{{office.name}}", NULL, false, "{{office.name}}");
	renders("\\{{office.name}}", NULL, true,
		"\\{{office.name}}"); /* CommonMark drops the backslash */
	renders("", NULL, false, "");
}

static void a_language_prefers_its_own_column(void **state)
{
	(void)state;
	renders("{{office.name}} {{office.hotline}}", "en", false, "Dien Bien Office 0200 000 004");
	renders("{{office.name}}", "en-GB", false, "Dien Bien Office");
	renders("{{office.name}}", "fr", false, "BHXH tỉnh *Điện Biên*");
}

static void values_never_become_markup(void **state)
{
	(void)state;
	struct buf b CLEANUP_BUF;
	buf_init(&b, 4096);
	renders("{{office.name}}", NULL, true, "BHXH tỉnh \\*Điện Biên\\*");
	renders("{{local}}", NULL, true, "Đoạn **riêng**.");
	renders("{{office.link}}", NULL, true, "\\[x\\](http://evil.example) \\# Tiêu đề");
	renders("{{office.num}}", NULL, true, "1\\. một");
	renders("Số {{office.num}}", NULL, true, "Số 1. một");
	renders("{{office.brace}}", NULL, true, "\\{\\{target.name\\}\\}");
	struct template_opts o = { .lookup = lookup };
	struct err e = { 0 };
	assert_int_equal(template_render(STR("{{office.brace}}"), &o, &b, &e), -EINVAL);
	/* what is escaped shows as it was */
	const char *odd = "a*b_c`d`<b>[x](y)#1. - + | ~ & \\ ! {{z}}";
	struct buf md CLEANUP_BUF, plain CLEANUP_BUF;
	buf_init(&md, 4096);
	buf_init(&plain, 4096);
	assert_int_equal(markdown_escape(&md, str_of(odd)), 0);
	assert_int_equal(markdown_to_plain(buf_str(&md), &plain), 0);
	assert_int_equal(strncmp(buf_z(&plain), odd, strlen(odd)), 0);
}

static void faults_name_line_variable_and_the_nearest(void **state)
{
	(void)state;
	static const char *const known[] = { "office.name", "office.hotline" };
	struct template_opts o = { .lookup = lookup,
		.known = known,
		.n_known = 2,
		.file = "release.md",
		.first_line = 10 };
	struct buf b CLEANUP_BUF;
	struct err e = { 0 };
	buf_init(&b, 4096);
	assert_int_equal(template_render(STR("Một\nHai {{office.hotlin}}"), &o, &b, &e), -EINVAL);
	assert_string_equal(e.text,
		"release.md: line 11: unknown variable {{office.hotlin}}; did you mean {{office.hotline}}?");
	static const char *const wrong[] = { "{{", "a {{b", "{{}}", "{{a..b}}", "{{.a}}", "{{a.}}",
		"{{a b}}", "{{a\n}}", "{{a{{b}}" };
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(template_render(str_of(wrong[i]), &o, &b, &e), -EINVAL);
	struct buf tiny CLEANUP_BUF;
	buf_init(&tiny, 5);
	assert_int_equal(template_render(STR("0123456789"), &o, &tiny, &e), -E2BIG);
}

static void the_variables_of_a_text_are_listed_with_their_lines(void **state)
{
	(void)state;
	struct template_vars *v = calloc(1, sizeof(*v));
	struct err e = { 0 };
	assert_int_equal(template_vars(STR("{{a.b}}\n\n x {{ c }} \\{{d}} {{a.b}}"), 5, v, &e), 0);
	assert_int_equal(v->n, 3);
	assert_true(str_eqz(v->v[0].name, "a.b"));
	assert_int_equal(v->v[0].line, 5);
	assert_true(str_eqz(v->v[1].name, "c"));
	assert_int_equal(v->v[1].line, 7);
	assert_int_equal(v->v[1].len, 7);
	assert_true(template_uses(STR("x {{local}}"), "local"));
	assert_false(template_uses(STR("x \\{{local}}"), "local"));
	struct buf b CLEANUP_BUF;
	buf_init(&b, 8192);
	for (int i = 0; i <= TEMPLATE_VARS_MAX; i++)
		(void)buf_addz(&b, "{{a}} ");
	assert_int_equal(template_vars(buf_str(&b), 1, v, &e), -E2BIG);
	free(v);
}

/* --- Markdown ---------------------------------------------------------------------------------------------------------------- */

static void plain_is(const char *md, const char *want)
{
	struct buf b CLEANUP_BUF;
	buf_init(&b, 1u << 20);
	assert_int_equal(markdown_to_plain(str_of(md), &b), 0);
	assert_string_equal(buf_z(&b), want);
}

static void markdown_becomes_readable_plain_text(void **state)
{
	(void)state;
	plain_is("**Hà Nội** – dòng\ntiếp *theo*.\n\nĐoạn hai.",
		"Hà Nội – dòng tiếp theo.\n\nĐoạn hai.\n");
	plain_is("## Những con số\n\nx", "Những con số\n\nx\n");
	plain_is("- một;\n- hai;\n", "- một;\n- hai;\n");
	plain_is("trước\n\n- một\n- hai\n\nsau", "trước\n\n- một\n- hai\n\nsau\n");
	plain_is("3. ba\n4. bốn\n", "3. ba\n4. bốn\n");
	plain_is("- a\n  - b\n  - c\n- d\n", "- a\n  - b\n  - c\n- d\n");
	plain_is("- a\n\n- b\n", "- a\n\n- b\n");
	plain_is("[Trang](https://p.example/1) và <https://q.example>",
		"Trang (https://p.example/1) và https://q.example\n");
	plain_is("[Viết](mailto:a@b.example) [nguy](javascript:alert(1))",
		"Viết (a@b.example) nguy\n");
	plain_is("dòng một\\\ndòng hai", "dòng một\ndòng hai\n");
	plain_is("![ảnh](a.png)\n\nchữ ![b](b.png) chữ", "chữ  chữ\n");
	plain_is("<script>alert(1)</script>\n\nx <b>đậm</b>", "x đậm\n");
	plain_is("> trích\n\nx", "> trích\n\nx\n");
	plain_is("a `mã` b\n\n```\nx = 1\ny\n```\n", "a mã b\n\nx = 1\ny\n");
	plain_is("", "");
	plain_is("\\*sao\\* &amp; 1 \\# 2", "*sao* & 1 # 2\n");
	struct buf tiny CLEANUP_BUF;
	buf_init(&tiny, 8);
	assert_int_equal(markdown_to_plain(STR("quá dài cho tám byte"), &tiny), -E2BIG);
}

static void markdown_becomes_blocks_for_pages(void **state)
{
	(void)state;
	struct blocks b = { NULL, 0 };
	static const struct {
		enum block_kind kind;
		int level, number, line;
		const char *text, *url;
	} want[] = { { BLOCK_HEADING, 2, 0, 1, "Đề mục", NULL },
		{ BLOCK_PARAGRAPH, 0, 0, 3, "Chữ đậm.", NULL },
		{ BLOCK_IMAGE, 0, 0, 3, "Ảnh", "a.png" }, { BLOCK_ITEM, 1, 0, 5, "một", NULL },
		{ BLOCK_ITEM, 2, 1, 6, "ba", NULL }, { BLOCK_ITEM, 2, 2, 7, "bốn", NULL },
		{ BLOCK_ITEM, 1, 0, 8, "hai", NULL }, { BLOCK_QUOTE, 0, 0, 10, "trích", NULL },
		{ BLOCK_RULE, 0, 0, 12, "", NULL }, { BLOCK_CODE, 0, 0, 14, "mã\n", NULL } };
	assert_int_equal(
		markdown_to_blocks(
			STR("## Đề mục\n\nChữ **đậm**.![Ảnh](a.png)\n\n- một\n  1. ba\n  2. bốn\n- hai\n\n> trích\n\n---\n\n```\nmã\n```\n"),
			&b),
		0);
	assert_int_equal(b.n, ARRAY_LEN(want));
	for (size_t i = 0; i < b.n; i++) {
		assert_int_equal(b.v[i].kind, want[i].kind);
		assert_int_equal(b.v[i].level, want[i].level);
		assert_int_equal(b.v[i].number, want[i].number);
		assert_int_equal(b.v[i].line, want[i].line);
		assert_string_equal(b.v[i].text, want[i].text);
		if (want[i].url != NULL)
			assert_string_equal(b.v[i].url, want[i].url);
		else
			assert_null(b.v[i].url);
	}
	blocks_done(&b);
}

static void blocks_and_depth_have_a_maximum(void **state)
{
	(void)state;
	struct blocks b = { NULL, 0 };
	struct buf md CLEANUP_BUF, plain CLEANUP_BUF;
	buf_init(&md, 1u << 20);
	buf_init(&plain, 8u << 20);
	for (int i = 0; i <= MARKDOWN_BLOCKS_MAX; i++)
		(void)buf_addz(&md, "x\n\n");
	assert_int_equal(markdown_to_blocks(buf_str(&md), &b), -E2BIG);
	assert_int_equal(b.n, 0);
	buf_reset(&md);
	for (int i = 0; i < 200; i++)
		(void)buf_addz(&md, "- > ");
	(void)buf_addz(&md, "sâu\n");
	assert_int_equal(markdown_to_plain(buf_str(&md), &plain), 0);
	assert_non_null(strstr(buf_z(&plain), "sâu"));
	assert_int_equal(markdown_to_blocks(buf_str(&md), &b), 0);
	assert_true(b.n >= 1);
	blocks_done(&b);
}

#ifdef LANTOA_FAULTS
static void blocks_without_memory_are_an_error(void **state)
{
	(void)state;
	struct blocks b = { NULL, 0 };
	for (int skip = 0; skip < 3; skip++) {
		fault_set("markdown.copy", skip, 1);
		assert_int_equal(markdown_to_blocks(STR("# a\n\nb ![c](d)\n\ne"), &b), -ENOMEM);
		assert_int_equal(b.n, 0);
	}
	fault_clear();
}
#endif

/* --- ASCII, similar ---------------------------------------------------------------------------------------------------------- */

static void vietnamese_becomes_ascii(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} rows[] = { { "Năm năm đổi mới truyền thông BHXH, BHYT ở vùng cao",
			     "Nam nam doi moi truyen thong BHXH, BHYT o vung cao" },
		{ "ĐIỆN BIÊN – “Đường” ₫ 37°C…", "DIEN BIEN - \"Duong\" d 37 doC..." },
		{ "ấầẩẫậắằẳẵặếềểễệốồổỗộớờởỡợứừửữự", "aaaaaaaaaaeeeeeoooooooooouuuuu" },
		{ "中", "?" }, { "", "" }, { "Tie\xcc\x82\xcc\x81ng", "Tieng" },
		{ "ﬁ m²", "fi m2" } };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b CLEANUP_BUF;
		buf_init(&b, 4096);
		assert_int_equal(ascii_fold(&b, str_of(rows[i].in)), 0);
		assert_string_equal(buf_z(&b), rows[i].out);
	}
	struct buf b CLEANUP_BUF;
	buf_init(&b, 64);
	assert_int_equal(ascii_fold(&b, STR("a\xff")), -EILSEQ);
}

static void file_names_become_safe_and_keep_their_ending(void **state)
{
	(void)state;
	char name[128];
	assert_string_equal(
		ascii_file_name(name, sizeof(name), STR("Công văn số 1455/BHXH-TT.PDF")),
		"Cong-van-so-1455-BHXH-TT.PDF");
	assert_string_equal(
		ascii_file_name(name, sizeof(name), STR("../../etc/passwd")), "etc-passwd");
	assert_string_equal(ascii_file_name(name, sizeof(name), STR("...")), "file");
	assert_string_equal(ascii_file_name(name, sizeof(name), STR("中中.png")), "file.png");
	char longer[400];
	memset(longer, 'a', 390);
	(void)memcpy(longer + 390, ".docx", 6);
	assert_int_equal(strlen(ascii_file_name(name, sizeof(name), str_of(longer))), 100);
	assert_non_null(strstr(name, ".docx"));
}

static void titles_that_say_the_same_are_found(void **state)
{
	(void)state;
	assert_int_equal(similar_ratio(STR("Năm năm đổi mới!"), STR("NAM NĂM, đổi mới")), 1000);
	assert_true(similar_titles(STR("Năm năm đổi mới truyền thông BHXH ở vùng cao"),
		STR("Năm năm đổi mới truyền thông BHXH ở vùng sâu")));
	assert_false(similar_titles(
		STR("Lịch chi trả lương hưu tháng 11"), STR("Năm năm đổi mới truyền thông")));
	assert_false(similar_titles(STR(""), STR("")));
	assert_int_equal(similar_ratio(STR("abc"), STR("")), 0);
}

/* --- diff -------------------------------------------------------------------------------------------------------------------- */

static void diff_is(const char *a, const char *b, const char *want)
{
	struct buf out CLEANUP_BUF;
	buf_init(&out, 1u << 20);
	assert_int_equal(diff_unified(&out, "A@1", str_of(a), "A@2", str_of(b)), 0);
	assert_string_equal(buf_z(&out), want);
}

static void equal_texts_have_no_diff_and_changes_have_hunks(void **state)
{
	(void)state;
	diff_is("a\nb\n", "a\nb\n", "");
	diff_is("a\nb\nc\n", "a\nx\nc\n", "--- A@1\n+++ A@2\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n");
	diff_is("", "a\n", "--- A@1\n+++ A@2\n@@ -0,0 +1,1 @@\n+a\n");
	diff_is("a\n", "", "--- A@1\n+++ A@2\n@@ -1,1 +0,0 @@\n-a\n");
	diff_is("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
		"--- A@1\n+++ A@2\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n");
	diff_is("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "x\n1\n2\n3\n4\n5\n6\n7\ny\n",
		"--- A@1\n+++ A@2\n@@ -1,4 +1,4 @@\n-a\n+x\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+y\n");
}

/* Applies a diff of whole lines made by diff_unified with everything in view: old lines from a, new ones from b. */
static void check_edit(const char *diff, struct str a, struct str b, size_t max_edits)
{
	struct str rest = str_of(diff), line, al, bl;
	size_t edits = 0;
	(void)str_line(&rest, &line);
	(void)str_line(&rest, &line);
	while (str_line(&rest, &line)) {
		if (line.p[0] == '@')
			continue;
		struct str text = { line.p + 1, line.n - 1 };
		edits += line.p[0] != ' ';
		if (line.p[0] != '+') {
			do
				assert_true(str_line(&a, &al));
			while (!str_eq(al, text));
		}
		if (line.p[0] != '-') {
			do
				assert_true(str_line(&b, &bl));
			while (!str_eq(bl, text));
		}
	}
	assert_true(edits <= max_edits);
}

static void random_edits_are_found_and_never_more_than_were_made(void **state)
{
	(void)state;
	unsigned seed = 7;
	for (int round = 0; round < 200; round++) {
		struct buf a CLEANUP_BUF, b CLEANUP_BUF, out CLEANUP_BUF;
		size_t made = 0;
		buf_init(&a, 1u << 16);
		buf_init(&b, 1u << 16);
		buf_init(&out, 1u << 20);
		for (int i = 0; i < 60; i++) {
			seed = seed * 1103515245u + 12345u;
			unsigned what = (seed >> 16) % 12, value = (seed >> 20) % 5;
			if (what != 0)
				(void)buf_addf(&a, "line %u\n", value);
			if (what != 1)
				(void)buf_addf(&b, "line %u\n", what == 2 ? value + 9 : value);
			made += what == 0 || what == 1 ? 1 : what == 2 ? 2 : 0;
		}
		assert_int_equal(diff_unified(&out, "a", buf_str(&a), "b", buf_str(&b)), 0);
		if (out.n > 0)
			check_edit(buf_z(&out), buf_str(&a), buf_str(&b), made);
	}
}

static void texts_with_nothing_in_common_are_replaced_whole(void **state)
{
	(void)state;
	struct buf a CLEANUP_BUF, b CLEANUP_BUF, out CLEANUP_BUF, tiny CLEANUP_BUF;
	buf_init(&a, 1u << 20);
	buf_init(&b, 1u << 20);
	buf_init(&out, 1u << 20);
	buf_init(&tiny, 100);
	for (int i = 0; i < DIFF_EDITS_MAX; i++) {
		(void)buf_addf(&a, "a%d\n", i);
		(void)buf_addf(&b, "b%d\n", i);
	}
	assert_int_equal(diff_unified(&out, "a", buf_str(&a), "b", buf_str(&b)), 0);
	check_edit(buf_z(&out), buf_str(&a), buf_str(&b), 2 * DIFF_EDITS_MAX);
	assert_non_null(strstr(buf_z(&out), "@@ -1,1500 +1,1500 @@\n-a0\n-a1\n"));
	assert_int_equal(diff_unified(&tiny, "a", buf_str(&a), "b", buf_str(&b)), -E2BIG);
}

#ifdef LANTOA_FAULTS
static void a_diff_without_memory_is_an_error(void **state)
{
	(void)state;
	struct buf out CLEANUP_BUF;
	buf_init(&out, 1u << 20);
	for (int skip = 0; skip < 3; skip++) {
		fault_set("diff.alloc", skip, 1);
		assert_int_equal(diff_unified(&out, "a", STR("x\n"), "b", STR("y\n")), -ENOMEM);
	}
	fault_clear();
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables_are_filled_and_the_rest_stays),
		cmocka_unit_test(a_language_prefers_its_own_column),
		cmocka_unit_test(values_never_become_markup),
		cmocka_unit_test(faults_name_line_variable_and_the_nearest),
		cmocka_unit_test(the_variables_of_a_text_are_listed_with_their_lines),
		cmocka_unit_test(markdown_becomes_readable_plain_text),
		cmocka_unit_test(markdown_becomes_blocks_for_pages),
		cmocka_unit_test(blocks_and_depth_have_a_maximum),
#ifdef LANTOA_FAULTS
		cmocka_unit_test(blocks_without_memory_are_an_error),
#endif
		cmocka_unit_test(vietnamese_becomes_ascii),
		cmocka_unit_test(file_names_become_safe_and_keep_their_ending),
		cmocka_unit_test(titles_that_say_the_same_are_found),
		cmocka_unit_test(equal_texts_have_no_diff_and_changes_have_hunks),
		cmocka_unit_test(random_edits_are_found_and_never_more_than_were_made),
		cmocka_unit_test(texts_with_nothing_in_common_are_replaced_whole),
#ifdef LANTOA_FAULTS
		cmocka_unit_test(a_diff_without_memory_is_an_error),
#endif
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
