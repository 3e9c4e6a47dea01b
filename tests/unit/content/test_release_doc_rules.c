/* test_release_doc_rules.c - checks between fields, parts and files of a release, with the lines that the errors name. */
#include "docscene.h"

static void files_must_lie_inside_the_bundle_and_exist(void **state)
{
	(void)state;
	bad(HEAD PART "cover: {file: ../cover.png, alt: x}\n" TAIL, 6, "cover.file",
		"leads outside");
	bad(HEAD PART "cover: {file: a/../../cover.png, alt: x}\n" TAIL, 6, "cover.file",
		"leads outside");
	bad(HEAD PART "cover: {file: /etc/passwd, alt: x}\n" TAIL, 6, "cover.file", "is absolute");
	bad(HEAD PART "cover: {file: \"C:/x.png\", alt: x}\n" TAIL, 6, "cover.file",
		"drive letter");
	bad(HEAD PART "cover: {file: 'a\\b.png', alt: x}\n" TAIL, 6, "cover.file", "backslash");
	bad(HEAD PART "cover: {file: cober.png, alt: x}\n" TAIL, 6, "cover.file",
		"did you mean 'cover.png'?");
	bad(HEAD PART "images:\n  - {file: a.png, alt: x}\n  - {file: zzzzzz.png, alt: x}\n" TAIL,
		8, "images[2].file", "not in the bundle");
	bad(HEAD PART "images: [{alt: x}]\n" TAIL, 6, "images[1].file", "is missing");
	bad(HEAD PART "images: [a.png, a.png]\n" TAIL, 6, "images[2].file", "listed twice");
	bad(HEAD PART "attach: [nope.pdf]\n" TAIL, 6, "attach", "not in the bundle");
	bad(HEAD PART
		"attachments: [{file: cong-van.pdf, internal: true}]\nattach: [cong-van.pdf]\n" TAIL,
		7, "attach", "is internal, this part is not");
	bad(HEAD PART "cover: cover.png\n---\nXem ![ảnh](cover.png)\n\n![x](khac.png)\n", 10, "",
		"'khac.png' is not listed");
}

static void times_are_refused_with_line_and_field(void **state)
{
	(void)state;
	bad(HEAD PART "at: 11/23/2026 08:00\n" TAIL, 6, "at", "no month 23");
	bad(HEAD PART "at: 2026-11-23\n" TAIL, 6, "at", "no time of day");
	bad(HEAD PART "window: 0s\n" TAIL, 6, "window", "longer than 0s");
	bad(HEAD PART "spread: 5 minutes\n" TAIL, 6, "spread", "is no duration");
	bad(HEAD PART "go: now\n" TAIL, 6, "go", "unknown word");
	bad(HEAD PART "ref: {date: 20-13-2026}\n" TAIL, 6, "ref.date", "no such day");
	bad(HEAD PART "at: 2026-11-23 08:00\nexpires: 2026-11-23 08:00\n" TAIL, 7,
		"parts.main.expires", "Thứ Hai, 23/11/2026, 08:00 is not after the start");
	bad(HEAD PART "expires: now\n" TAIL, 6, "parts.main.expires", "never start");
	bad(HEAD PART "needs_link: yes\n" TAIL, 6, "parts.main.needs_link", "no link");
	bad(HEAD PART "link: portal.example\n" TAIL, 6, "link", "no web address");
	bad(HEAD PART "max_cost: 1.5\n" TAIL, 6, "max_cost", "is no amount");
	bad(HEAD PART "internal: maybe\n" TAIL, 6, "internal", "neither yes nor no");
}

static void a_part_that_would_be_over_before_it_could_start_is_refused(void **state)
{
	(void)state;
	bad(HEAD
		"parts:\n  a: {to: x, channels: [sms], at: 2026-11-24 08:00}\n  b: {to: x, channels: [sms], after: a, expires: 2026-11-24 08:00}\n" TAIL,
		6, "parts.b.expires", "it waits for part 'a', which starts Thứ Ba, 24/11/2026");
	bad(HEAD
		"parts:\n  a: {to: x, channels: [sms], at: 2026-11-24 08:00}\n  b: {to: x, channels: [sms], after: a}\n"
		"  c: {to: x, channels: [sms], after: b, expires: 2026-11-24 07:00}\n" TAIL,
		7, "parts.c.expires", "it waits for part 'a'");
	bad(HEAD
		"parts:\n  a: {to: x, channels: [sms], at: now, embargo: 2026-11-24 08:00}\n  b: {to: x, channels: [sms], at: now, expires: 2026-11-24 07:00}\n" TAIL,
		6, "parts.b.expires", "the embargo of part 'a' ends Thứ Ba, 24/11/2026");
}

/* What would be read and go nowhere is refused, or at least said. */
static void a_text_that_nobody_gets_is_told(void **state)
{
	(void)state;
	bad(HEAD PART "text: {facebook: {text: a, comment: b}}\n" TAIL, 6, "text.facebook.comment",
		"unknown key 'comment'");
	struct release_doc *d = NULL;
	struct content_problems p CLEANUP_PROBLEMS;
	assert_int_equal(parse(HEAD PART "text:\n  email: {subject: a}\n"
					 "  zalo:\n    title: a\n    description: b\n" TAIL,
				 &d, &p),
		0);
	assert_int_equal(p.n, 1);
	assert_int_equal(p.v[0].severity, PROBLEM_INFO);
	assert_int_equal(p.v[0].line, 9);
	assert_string_equal(p.v[0].field, "text.zalo");
	assert_non_null(strstr(p.v[0].text, "no part goes over zalo"));
	release_doc_free(d);
}

static void a_language_is_one(void **state)
{
	(void)state;
	bad(HEAD PART "lang: vietnamese\n" TAIL, 6, "lang", "is no language");
	bad(HEAD PART "lang: en_US\n" TAIL, 6, "lang", "write for example vi or en");
}

static void parts_wait_for_parts_that_exist_and_not_in_a_circle(void **state)
{
	(void)state;
	bad(HEAD
		"parts:\n  a: {to: x, channels: [sms]}\n  b: {to: x, channels: [sms], after: aa}\n" TAIL,
		6, "parts.b.after", "did you mean 'a'?");
	bad(HEAD
		"parts:\n  a: {to: x, channels: [sms], after: b}\n  b: {to: x, channels: [sms], after: c}\n"
		"  c:\n    to: x\n    channels: [sms]\n    after: a\n" TAIL,
		5, "parts.a.after", "circle: a after b after c after a");
	bad(HEAD
		"parts:\n  a: {to: x, channels: [sms]}\n  b: {to: x, channels: [sms], after: b}\n" TAIL,
		6, "parts.b.after", "circle: b after b");
	bad(HEAD
		"parts:\n  t: {to: x, channels: [sms], after: a}\n  a: {to: x, channels: [sms], after: b}\n  b: {to: x, channels: [sms], after: a}\n" TAIL,
		6, "parts.a.after", "circle: a after b after a");
	bad(HEAD "parts:\n  A b: {to: x, channels: [sms]}\n" TAIL, 5, "parts",
		"is no name for a part");
	bad(HEAD "parts: {}\n" TAIL, 4, "parts", "must be a map of parts");
	bad(HEAD "parts:\n  a: {to: [x, x], channels: [sms]}\n" TAIL, 5, "parts.a.to",
		"'x' stands here twice");
}

static void a_public_part_never_starts_before_the_embargo(void **state)
{
	(void)state;
	bad(HEAD "parts:\n  press: {to: x, channels: [email], at: now, embargo: 2026-11-23 14:00}\n"
		 "  public:\n    to: x\n    channels: [zalo]\n    at: 2026-11-23 13:59\n" TAIL,
		9, "parts.public.at", "before the embargo of part 'press' ends");
	bad(HEAD
		"parts:\n  press: {to: x, channels: [email], at: now, embargo: 1h}\n  public: {to: x, channels: [zalo], at: 20m}\n" TAIL,
		6, "parts.public.at", "before the embargo");
	bad(HEAD PART "embargo: now\n" TAIL, 6, "parts.main.embargo", "ends at once");
	struct release_doc *d = good(HEAD
		"parts:\n  press: {to: x, channels: [email], at: now, embargo: 2026-11-23 14:00}\n"
		"  inside: {to: x, channels: [zalo], at: 2026-11-23 10:00, internal: true}\n"
		"  public: {to: x, channels: [zalo], at: 2026-11-23 14:00}\n" TAIL);
	release_doc_free(d);
}

/* As Markdown editors write a name with blanks or letters beyond ASCII. */
static void a_picture_is_found_by_its_address_in_markdown(void **state)
{
	(void)state;
	struct release_doc *d = good(HEAD PART
		"cover: cover.png\nimages: [in/x.png]\n---\n![a](in/%78.png) ![b](<cover.png>) ![c](c%6fver.png)\n");
	release_doc_free(d);
	bad(HEAD PART "cover: cover.png\n---\n![a](c%6gver.png) ![b](%00)\n", 8, "",
		"'c%6gver.png' is not listed");
}

static void a_paragraph_has_no_place_in_a_line(void **state)
{
	(void)state;
	bad("---\ncode: A-1\ntitle: Tin {{local}}\n" PART TAIL, 3, "title",
		"{{local}} is a paragraph");
	bad(HEAD PART "summary: Tin {{local}}\n" TAIL, 6, "summary", "{{local}} is a paragraph");
	bad(HEAD PART "text: {email: {subject: \"{{local}}\"}}\n" TAIL, 6, "text.email.subject",
		"{{local}} is a paragraph");
	struct release_doc *d = good(HEAD PART "text: {facebook: \"Tin. {{local}}\"}\n" TAIL);
	release_doc_free(d);
}

/* Nobody fills them in there: the braces would be published. */
static void what_stands_at_a_picture_holds_no_variables(void **state)
{
	(void)state;
	bad(HEAD PART "images: [{file: a.png, alt: \"Trụ sở {{office.name}}\"}]\n" TAIL, 6, "alt",
		"{{office.name}} is not filled in here");
	bad(HEAD PART
		"cover: {file: cover.png, alt: x, caption: \"Gọi {{office.hotline}}\"}\n" TAIL,
		6, "caption", "{{office.hotline}} is not filled in here");
	bad(HEAD PART "video: {file: clip.mp4, alt: x, credit: \"{{local}}\"}\n" TAIL, 6, "credit",
		"{{local}} is not filled in here");
	struct release_doc *d = good(HEAD PART "cover: {file: cover.png, alt: 'a {{ b'}\n" TAIL);
	release_doc_free(d);
}

/* "\x9b" is a control character to a terminal, though its UTF-8 has no byte below 0x20. */
static void an_escape_brings_in_nothing_that_the_file_may_not_hold(void **state)
{
	(void)state;
	bad(HEAD PART "text: {facebook: \"A\\x9b31mB\"}\n" TAIL, 6, "text.facebook.text",
		"control character U+009B");
	bad(HEAD PART "text: {facebook: \"A\\eB\"}\n" TAIL, 6, "text.facebook.text",
		"control character U+001B");
	struct content_problems p;
	struct release_doc *d = NULL;
	assert_int_equal(
		parse(HEAD PART "text:\n  facebook: \"A\\u202eB\\u202cC\"\n" TAIL, &d, &p), 0);
	const struct content_problem *w = problem_find(&p, PROBLEM_WARNING, "U+202E");
	assert_non_null(w);
	assert_int_equal(w->line, 7);
	assert_int_equal(p.warnings, 1); /* said once a text */
	problems_done(&p);
	release_doc_free(d);
}

static void unknown_variables_are_refused_at_their_line(void **state)
{
	(void)state;
	bad(HEAD PART "---\nMột\n\nHai {{ofice.hotline}} ba\n", 9, "",
		"unknown variable {{ofice.hotline}}; did you mean 'office.hotline'?");
	bad(HEAD PART "---\n{{lokal}}\n", 7, "", "did you mean 'local'?");
	bad(HEAD PART "---\nMột\n{{office.name\n}}\n", 8, "", "without '}}' in the same line");
	bad(HEAD PART "---\n{{ office name }}\n", 7, "", "no name of a variable");
	bad(HEAD PART "text:\n  sms: \"{{x}}\"\n" TAIL, 7, "text.sms.text",
		"unknown variable {{x}}");
	bad("---\ncode: A-1\ntitle: Tin {{y}}\n" PART TAIL, 3, "title", "unknown variable {{y}}");
	/* one text goes to all of an office: nobody could put a recipient's name in */
	bad(HEAD PART "---\nKính gửi {{target.name}}\n", 7, "", "{{target.name}} is not filled in");
	struct release_doc *d = good(HEAD PART "---\n{{office.x}} {{local}} \\{{khong}}\n");
	release_doc_free(d);
}

/* What Markdown makes of it stands in the mail and in the approver's terminal, not what the editor wrote. */
static void references_make_no_control_characters(void **state)
{
	(void)state;
	bad(HEAD PART "---\nMột\n\nHai &#27;[8mẩn&#27;[0m\n", 9, "", "control character U+001B");
	bad(HEAD PART "---\nMột &#x9b;8m\n", 7, "", "control character U+009B");
	bad(HEAD PART "---\n[a](https://portal.example/&#13;b)\n", 7, "",
		"control character U+000D");
	bad(HEAD PART "---\n[a](https://portal.example/ \"x&#127;\")\n", 7, "",
		"control character U+007F");
	struct release_doc *d = good(
		HEAD PART "---\n`&#27;` \\&#27; &#38;#27; &eacute; &#9;&nbsp;&#x1EBF;\n");
	release_doc_free(d);
	struct content_problems p CLEANUP_PROBLEMS;
	assert_int_equal(parse(HEAD PART "---\nMột\n\n&#x202e;iaH\n", &d, &p), 0);
	const struct content_problem *f = problem_find(&p, PROBLEM_WARNING, "U+202E");
	assert_non_null(f);
	assert_int_equal(f->line, 9);
	release_doc_free(d);
}

/* Mail and Facebook would lose it with the words in it, Zalo would show it as it is. */
static void html_in_a_text_is_refused_at_its_line(void **state)
{
	(void)state;
	bad(HEAD PART "---\nMột\n\n<p>Lương hưu tháng 12</p>\n", 9, "",
		"'<p>Lương hưu tháng 12</p>' is HTML, which is not taken");
	bad(HEAD PART "---\nMột\n\nGọi <b>1900 9068</b>.\n", 9, "", "'<b>' is HTML");
	bad(HEAD PART "---\nMột\n\n<!-- chưa duyệt -->\n\nHai\n", 9, "",
		"'<!-- chưa duyệt -->' is HTML");
	bad(HEAD PART "---\nGửi <don vi>\n", 7, "", "'<don vi>' is HTML");
	release_doc_free(good(HEAD PART
		"---\nDưới < 5 triệu, \\<b>, `<b>`, <https://x.example>, <a@x.vn>, a<b và b>c\n\n    <p>\n"));
}

static void all_that_is_wrong_is_told_at_once(void **state)
{
	(void)state;
	struct release_doc *d = NULL;
	struct content_problems p CLEANUP_PROBLEMS;
	assert_int_equal(
		parse("---\ncode: 12\ntitle: \"a\\nb\"\nkindd: x\nto: press\nchannels: [fax]\nat: soon\n---\n{{x}}\n",
			&d, &p),
		-EINVAL);
	assert_int_equal(p.errors, 6);
	assert_null(d);
	struct err e = { 0 };
	assert_int_equal(problems_err(&p, -EINVAL, &e), -EINVAL);
	assert_non_null(strstr(e.text, "release.md:2: code: "));
	assert_non_null(strstr(e.text, "(and 5 more)"));
}

static void bounds_are_kept(void **state)
{
	(void)state;
	struct release_doc *d = NULL;
	struct content_problems p;
	struct buf b CLEANUP_BUF;
	buf_init(&b, 8u << 20);
	(void)buf_addz(&b, HEAD "parts:\n");
	for (int i = 0; i < 63; i++)
		(void)buf_addf(&b, "  p%d: {to: x, channels: [sms]}\n", i);
	(void)buf_addz(&b, TAIL);
	bad(buf_z(&b), 5, "parts", "63 parts; at most 62");
	buf_reset(&b);
	(void)buf_addz(&b, "---\ncode: A-1\ntitle: ");
	for (int i = 0; i < 501; i++)
		(void)buf_addc(&b, 'a');
	(void)buf_addz(&b, "\n" PART TAIL);
	bad(buf_z(&b), 3, "title", "501 bytes; at most 500");
	buf_reset(&b);
	(void)buf_addz(&b, HEAD PART "summary: >\n");
	while (b.n < DOC_FRONT_MAX + 200)
		(void)buf_addz(&b, "  x\n");
	(void)buf_addz(&b, TAIL);
	bad(buf_z(&b), 1, "", "the front matter has");
	buf_reset(&b);
	(void)buf_addz(&b, HEAD PART "---\n");
	while (b.n < DOC_TEXT_MAX)
		(void)buf_addz(&b,
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n");
	assert_int_equal(parse(buf_z(&b), &d, &p), -EINVAL);
	assert_non_null(problem_find(&p, PROBLEM_ERROR, "bytes of text; at most"));
	problems_done(&p);
	buf_reset(&b);
	(void)buf_addz(&b, HEAD PART);
	for (int i = 0; i < 300; i++)
		(void)buf_addf(&b, "k%d: 1\n", i);
	(void)buf_addz(&b, TAIL);
	assert_int_equal(parse(buf_z(&b), &d, &p), -EINVAL);
	assert_int_equal(p.errors, 300);
	assert_int_equal(p.n, PROBLEMS_MAX);
	problems_done(&p);
}

static void variants_and_local_texts_have_their_own_files(void **state)
{
	(void)state;
	struct doc_file variants[] = {
		{ "body.zh-Hans.md", STR("---\ntitle: Z\n---\nz\n") },
		{ "body.en.md",
			STR("---\ntitle: News\nsummary: Sum\ntext: {sms: short}\n---\nBody {{office.name}}\n") }
	};
	struct doc_file locals[] = { { "local/son-la.md", STR("Sơn La.\n") },
		{ "local/dien-bien.md", STR("Điện Biên.\n") } };
	struct doc_source src = { .main = { "release.md", STR(HEAD PART TAIL) },
		.variants = variants,
		.n_variants = 2,
		.locals = locals,
		.n_locals = 2 };
	struct release_doc *d = NULL;
	struct content_problems p CLEANUP_PROBLEMS;
	problems_init(&p);
	assert_int_equal(release_doc_parse(&src, &d, &p), 0);
	assert_int_equal(d->n_variants, 2);
	const struct doc_variant *v = release_doc_variant(d, STR("en-GB"));
	assert_non_null(v);
	assert_string_equal(v->title, "News");
	assert_string_equal(v->body, "Body {{office.name}}\n");
	assert_string_equal(doc_pair_get(v->texts, "sms", "text"), "short");
	assert_null(release_doc_variant(d, STR("fr")));
	assert_string_equal(release_doc_variant(d, STR("zh-Hans"))->title, "Z");
	assert_string_equal(d->locals[0].office, "dien-bien");
	assert_string_equal(release_doc_local(d, STR("son-la"))->text, "Sơn La.\n");
	assert_null(release_doc_local(d, STR("ha-noi")));
	release_doc_free(d);
}

static void faulty_variants_and_local_texts_are_refused_by_file(void **state)
{
	(void)state;
	struct doc_file variants[] = { { "body.en.md", STR("No front matter\n") },
		{ "body.vi.md", STR("---\ntitle: x\n---\nx\n") },
		{ "body.english.md", STR("---\ntitle: x\n---\nx\n") },
		{ "body.fr.md", STR("---\nsummary: x\ncode: A\n---\n\n{{x}}\n") } };
	struct doc_file locals[] = { { "local/ha noi.md", STR("x") },
		{ "local/a.md", STR("---\ntitle: x\n---\nx\n") }, { "local/b.md", STR("  \n") },
		{ "local/c.md", STR("Một\n{{local}}\n") } };
	static const struct {
		const char *file;
		int line;
		const char *says;
	} want[] = { { "body.en.md", 1, "no front matter" }, { "body.vi.md", 0, "already in 'vi'" },
		{ "body.english.md", 0, "is no language" },
		{ "body.fr.md", 3, "unknown key 'code'" },
		{ "body.fr.md", 6, "unknown variable {{x}}" },
		{ "local/ha noi.md", 0, "is no office code" },
		{ "local/a.md", 1, "has no front matter" }, { "local/b.md", 1, "is empty" },
		{ "local/c.md", 2, "cannot hold {{local}}" } };
	struct doc_source src = { .main = { "release.md", STR(HEAD PART TAIL) },
		.variants = variants,
		.n_variants = 4,
		.locals = locals,
		.n_locals = 4 };
	struct release_doc *d = NULL;
	struct content_problems p CLEANUP_PROBLEMS;
	problems_init(&p);
	assert_int_equal(release_doc_parse(&src, &d, &p), -EINVAL);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		const struct content_problem *f = problem_find(&p, PROBLEM_ERROR, want[i].says);
		if (f == NULL)
			fail_msg("not told: %s", want[i].says);
		assert_string_equal(f->file, want[i].file);
		assert_int_equal(f->line, want[i].line);
	}
	assert_int_equal(p.errors, ARRAY_LEN(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_must_lie_inside_the_bundle_and_exist),
		cmocka_unit_test(times_are_refused_with_line_and_field),
		cmocka_unit_test(a_part_that_would_be_over_before_it_could_start_is_refused),
		cmocka_unit_test(a_text_that_nobody_gets_is_told),
		cmocka_unit_test(a_language_is_one),
		cmocka_unit_test(parts_wait_for_parts_that_exist_and_not_in_a_circle),
		cmocka_unit_test(a_public_part_never_starts_before_the_embargo),
		cmocka_unit_test(a_picture_is_found_by_its_address_in_markdown),
		cmocka_unit_test(a_paragraph_has_no_place_in_a_line),
		cmocka_unit_test(what_stands_at_a_picture_holds_no_variables),
		cmocka_unit_test(an_escape_brings_in_nothing_that_the_file_may_not_hold),
		cmocka_unit_test(unknown_variables_are_refused_at_their_line),
		cmocka_unit_test(references_make_no_control_characters),
		cmocka_unit_test(html_in_a_text_is_refused_at_its_line),
		cmocka_unit_test(all_that_is_wrong_is_told_at_once),
		cmocka_unit_test(bounds_are_kept),
		cmocka_unit_test(variants_and_local_texts_have_their_own_files),
		cmocka_unit_test(faulty_variants_and_local_texts_are_refused_by_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
