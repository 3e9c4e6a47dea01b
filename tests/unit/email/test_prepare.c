/* test_prepare.c - a release becomes a mail: structure, encodings, places, links, problems; and the same bytes every time. */
#include "preparescene.h"

/* The same without the soft line breaks of quoted-printable; in place. */
static const char *flat(struct fix *f)
{
	char *to = f->m.text.p;

	for (const char *p = f->m.text.p; *p != '\0'; p++)
		if (strncmp(p, "=\r\n", 3) == 0)
			p += 2;
		else
			*to++ = *p;
	*to = '\0';
	return f->m.text.p;
}

static void without_files_there_is_one_level_with_text_and_html(void **state)
{
	struct fix *f = *state;

	assert_int_equal(prepare(f), 0);
	assert_int_equal(count(text(f), "Content-Type: multipart/alternative"), 1);
	assert_int_equal(count(text(f), "multipart/related"), 0);
	assert_int_equal(count(text(f), "multipart/mixed"), 0);
	assert_int_equal(count(text(f), "Content-Type: text/plain; charset=utf-8"), 1);
	assert_int_equal(count(text(f), "Content-Type: text/html; charset=utf-8"), 1);
	assert_int_equal(count(text(f), "Content-Transfer-Encoding: quoted-printable"), 2);
	assert_non_null(strstr(text(f), "\r\nAuto-Submitted: auto-generated\r\n"));
	assert_non_null(strstr(text(f), "\r\nX-Lantoa-Release: TTBC-2026-112\r\n"));
	assert_non_null(strstr(text(f), "MIME-Version: 1.0\r\n"));
	assert_int_equal(f->m.n_holes, 1);
	assert_int_equal(f->m.n_problems, 0);
}

static void a_cover_and_an_attachment_give_all_three_levels(void **state)
{
	struct fix *f = *state;

	asset(f, 1, "aa11", "image/png", "bia.png", sizeof(png_bytes));
	asset(f, 3, "bb22", "application/pdf", "Quyết định số 1.pdf", sizeof(pdf_bytes));
	assert_int_equal(prepare(f), 0);
	const char *mixed = strstr(text(f), "multipart/mixed");
	assert_non_null(mixed);
	const char *alt = strstr(mixed, "multipart/alternative");
	assert_non_null(alt);
	const char *rel = strstr(alt, "multipart/related");
	assert_non_null(rel);
	assert_non_null(strstr(rel, "type=\"text/html\""));
	assert_non_null(strstr(rel, "Content-Type: image/png"));
	assert_non_null(strstr(rel, "Content-Disposition: inline; filename=bia.png"));
	assert_non_null(strstr(rel, "Content-Id: <img1."));
	assert_non_null(strstr(rel, "Content-Type: application/pdf"));
	assert_non_null(strstr(rel, "filename=\"Quyet dinh so 1.pdf\""));
	assert_non_null(strstr(rel, "filename*=UTF-8''Quy%E1%BA%BFt"));
	assert_non_null(strstr(rel, "WlpaWlpa")); /* the host encodes the asset */
	assert_non_null(strstr(text(f), "src=3D\"cid:img1."));
}

static void every_line_ends_with_crlf_and_is_short_enough(void **state)
{
	struct fix *f = *state;
	size_t line = 0;

	asset(f, 1, "aa11", "image/png", "bia.png", sizeof(png_bytes));
	asset(f, 3, "bb22", "application/pdf",
		"Tập tin có tên rất dài để thử xem nó có bị cắt đúng cách hay không.pdf",
		sizeof(pdf_bytes));
	assert_int_equal(prepare(f), 0);
	for (size_t i = 0; i < f->m.text.n; i++) {
		char c = f->m.text.p[i];
		if (c == '\n') {
			assert_true(i > 0 && f->m.text.p[i - 1] == '\r');
			line = 0;
			continue;
		}
		if (c == '\r')
			assert_true(f->m.text.p[i + 1] == '\n');
		line++;
		assert_true(line <= 200);
	}
	assert_memory_equal(f->m.text.p + f->m.text.n - 2, "\r\n", 2);
}

/* A name as an office gives it: whole in the extended form, short in ASCII for the readers that know no other, never without its end. */
static void a_long_file_name_has_a_short_form_and_keeps_its_ending(void **state)
{
	struct fix *f = *state;
	static const char *const names[] = {
		"Báo cáo tổng kết công tác bảo hiểm xã hội, bảo hiểm y tế năm 2026 và phương hướng.pdf",
		"Bao cao tong ket cong tac bao hiem xa hoi, bao hiem y te nam 2026 va phuong huong.pdf",
		"Báo cáo tổng kết công tác bảo hiểm xã hội, bảo hiểm y tế năm 2026 và phương hướng, nhiệm vụ năm 2027 của toàn "
		"ngành trình Hội nghị toàn quốc tại Hà Nội ngày 12.pdf"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		f->c.n_assets = 0;
		asset(f, 3, "bb22", "application/pdf", names[i], sizeof(pdf_bytes));
		assert_int_equal(prepare(f), 0);
		const char *at = strstr(text(f), "Content-Disposition: attachment;"),
			   *end = strstr(at, "\r\n\r\n");
		size_t plain = 0, parts = 0;
		for (const char *p = at; p < end; p++) {
			plain += strncmp(p, " filename=", 10) == 0 ||
				strncmp(p, "\tfilename=", 10) == 0;
			parts += strncmp(p, "\tfilename*", 10) == 0;
			assert_false(*p == '\t' &&
				strncmp(p + 1, "filename", 8) != 0); /* no other parameter */
		}
		assert_int_equal(plain, 1);
		assert_true(parts > 1);
		assert_int_equal(strncmp(end - 5, ".pdf\"", 5), 0);
		assert_non_null(strstr(f->m.preview.p, ".pdf (application/pdf"));
	}
}

/* Without a charset it is US-ASCII: readers showed the letters of the list as rubbish. */
static void an_attached_text_says_that_it_is_utf8(void **state)
{
	struct fix *f = *state;

	asset(f, 3, "bb22", "text/plain", "danh-sach.csv", sizeof(pdf_bytes));
	assert_int_equal(prepare(f), 0);
	const char *at = strstr(text(f), "Content-Disposition: attachment");
	assert_non_null(at);
	assert_int_equal(count(text(f), "Content-Type: text/plain; charset=utf-8\r\n"), 2);
}

static void a_leading_dot_is_encoded(void **state)
{
	struct fix *f = *state;

	f->c.body_markdown = mt(".one\n\n..two\n");
	assert_int_equal(prepare(f), 0);
	assert_null(strstr(text(f), "\r\n."));
	assert_non_null(strstr(text(f), "\r\n=2Eone"));
	assert_non_null(strstr(text(f), "\r\n=2E.two"));
}

static void the_subject_is_encoded_and_folded_and_may_be_overridden(void **state)
{
	struct fix *f = *state;

	assert_int_equal(prepare(f), 0);
	const char *s = strstr(text(f), "Subject: =?UTF-8?");
	if (s == NULL)
		s = strstr(text(f), "Subject: =?utf-8?");
	assert_non_null(s);
	f->texts[0] = (struct lt_pair){ .name = mt("subject"), .value = mt("Plain subject") };
	f->c.texts = f->texts;
	f->c.n_texts = 1;
	assert_int_equal(prepare(f), 0);
	assert_non_null(strstr(text(f), "Subject: Plain subject\r\n"));
}

static void what_was_written_for_mails_replaces_the_text_and_is_no_markup(void **state)
{
	struct fix *f = *state;

	f->texts[0] = (struct lt_pair){ .name = mt("text"),
		.value = mt("Dear *editors*,\nplease see <below>.\n\nSecond") };
	f->c.texts = f->texts;
	f->c.n_texts = 1;
	f->c.text = f->texts[0].value;
	assert_int_equal(prepare(f), 0);
	assert_null(strstr(text(f), "portal.example/ttbc/112?a"));
	assert_non_null(
		strstr(text(f), "\r\nDear *editors*,\r\nplease see <below>.\r\n\r\nSecond\r\n"));
	assert_non_null(strstr(text(f),
		"<p>Dear *editors*,<br>\r\nplease see &lt;below&gt;.</p>\r\n<p>Second</p>\r\n"));
	assert_int_equal(count(flat(f), "https://portal.example/ttbc/112"),
		3); /* the release's link stays */
}

static void the_preheader_stands_hidden_before_the_text(void **state)
{
	struct fix *f = *state;

	assert_int_equal(prepare(f), 0);
	assert_null(strstr(text(f), "display:none"));
	f->texts[0] = (struct lt_pair){ .name = mt("preheader"),
		.value = mt("In short & <clear>") };
	f->c.texts = f->texts;
	f->c.n_texts = 1;
	assert_int_equal(prepare(f), 0);
	const char *hidden = strstr(flat(f), "display:none");
	assert_non_null(hidden);
	assert_non_null(strstr(hidden, "In short &amp; &lt;clear&gt;</div>"));
	assert_non_null(strstr(hidden, "<h1"));
	assert_non_null(strstr(f->m.preview.p, "\nPreheader: In short & <clear>\n"));
	f->texts[0].value = mt("two\nlines");
	assert_true(prepare(f) < 0);
}

static void raw_html_of_the_source_never_reaches_the_reader(void **state)
{
	struct fix *f = *state;

	f->c.body_markdown = mt(
		"a <script>alert(1)</script> [x](javascript:alert(2)) b\n\n<div onclick=\"x\">c</div>\n");
	assert_int_equal(prepare(f), 0);
	assert_null(strstr(text(f), "<script"));
	assert_null(strstr(text(f), "onclick"));
	assert_null(strstr(text(f), "href=3D\"javascript"));
}

static void a_picture_named_in_the_text_stands_there_and_nothing_is_fetched(void **state)
{
	struct fix *f = *state;

	asset(f, 2, "aa11", "image/png", "a.png", sizeof(png_bytes));
	asset(f, 2, "cc33", "image/png", "b.png", sizeof(png_bytes));
	sh_asset(f->h, "cc33", png_bytes, sizeof(png_bytes));
	f->assets[0].caption = mt("Chú thích");
	f->c.body_markdown = mt(
		"Một\n\n![Biểu *đồ*](in/a.png)\n\nHai ![xa](https://elsewhere.example/t.png) "
		"![](https://elsewhere.example/u.png) ba\n\n[![x](khac.png)](https://x.example/)\n");
	assert_int_equal(prepare(f), 0);
	char *mail = joined(text(f)), *html = strstr(mail, "text/html; charset");
	const char *a = strstr(html, "src=3D\"cid:img1."), *b = strstr(html, "src=3D\"cid:img2.");
	assert_non_null(a);
	assert_non_null(b);
	const char *hai = strstr(html, "<p>Hai ");
	assert_true(a < hai && hai < b);
	assert_int_equal(count(html, "src=3D\"cid:"), 2);
	assert_int_equal(count(html, "Ch=C3=BA th=C3=ADch"), 1);
	assert_null(strstr(
		mail, "elsewhere.example")); /* neither fetched by a reader nor told to anybody */
	assert_null(strstr(mail, "khac.png"));
	assert_non_null(strstr(html, "<p>Hai [xa]  ba</p>"));
	assert_non_null(strstr(html, "<a href=3D\"https://x.example/\">[x]</a>"));
	assert_non_null(strstr(html, "alt=3D\"Bi=E1=BB=83u =C4=91=E1=BB=93\""));
	assert_non_null(strstr(mail, "Hai [xa]  ba\r\n"));
	free(mail);
	sh_conf(f->h, "links",
		"yes"); /* what goes as a link is named in the text and linked below */
	sh_conf(f->h, "size_max", "9000");
	f->assets[0].bytes = 20000;
	assert_int_equal(prepare(f), 0);
	mail = joined(text(f));
	html = strstr(mail, "text/html; charset");
	assert_null(strstr(html, "src=3D\"cid:img1."));
	assert_non_null(strstr(html, "<p>[Bi=E1=BB=83u =C4=91=E1=BB=93]</p>"));
	assert_non_null(strstr(html, "a.png (20 kB): "));
	free(mail);
}

static void the_plain_part_keeps_links_lists_and_line_structure(void **state)
{
	struct fix *f = *state;

	f->c.title = mt("Title");
	f->c.body_markdown = mt(
		"## Head\n\nText with [a link](https://x.example/1) and <https://x.example/2>.\n\n"
		"1. one\n2. two\n   - sub\n\n> quote\n\n    code\n");
	assert_int_equal(prepare(f), 0);
	assert_non_null(strstr(text(f),
		"Title\r\n\r\nHead\r\n\r\nText with a link (https://x.example/1) and https://x.example/2."));
	assert_non_null(strstr(text(f), "\r\n1. one\r\n2. two\r\n  - sub\r\n"));
	assert_non_null(strstr(text(f), "\r\n> quote\r\n"));
	assert_non_null(strstr(text(f), "\r\n    code\r\n"));
}

static void the_same_content_gives_the_same_bytes(void **state)
{
	struct fix *f = *state;

	asset(f, 1, "aa11", "image/png", "bia.png", sizeof(png_bytes));
	asset(f, 3, "bb22", "application/pdf", "x.pdf", sizeof(pdf_bytes));
	assert_int_equal(prepare(f), 0);
	char *first = strdup(text(f)), *shown = strdup(f->m.preview.p), *kept = strdup(f->m.note.p);
	f->c.at_ms += 3 * 86400000 + 3600000; /* approved today, sent another day */
	assert_int_equal(prepare(f), 0);
	assert_string_equal(first, text(f));
	assert_string_equal(shown, f->m.preview.p);
	assert_string_equal(kept, f->m.note.p);
	free(first);
	free(shown);
	free(kept);
}

static void facts_tell_size_and_that_personal_mails_share_nothing(void **state)
{
	struct fix *f = *state;

	asset(f, 3, "bb22", "application/pdf", "x.pdf", sizeof(pdf_bytes));
	assert_int_equal(prepare(f), 0);
	int64_t bytes = sh_fact(&f->m, "bytes", -1);
	assert_in_range(bytes, f->m.text.n - 200, f->m.text.n + 200);
	assert_int_equal(sh_fact(&f->m, "cost", -1), 0);
	assert_int_equal(sh_fact(&f->m, "batch_key", -1), 0);
}

static void a_shared_mail_has_no_hole_and_a_batch_key_of_its_content(void **state)
{
	struct fix *f = *state;

	sh_conf(f->h, "personal", "no");
	assert_int_equal(prepare(f), 0);
	int64_t key = sh_fact(&f->m, "batch_key", 0);
	assert_true(key > 0);
	assert_int_equal(f->m.n_holes, 0);
	assert_non_null(strstr(text(f), "To: undisclosed-recipients:;\r\n"));
	assert_non_null(strstr(text(f), "\r\nMessage-ID: <"));
	assert_null(strstr(text(f), "\r\nDate: ")); /* of the transaction: see email_conn_body */
	assert_int_equal(count(text(f), "\r\nTo: "), 1);
	f->c.category = 4; /* advertising: there is no place for the link of one recipient */
	assert_true(prepare(f) < 0);
	assert_non_null(strstr(f->m.problems.p, "2 category: advertising needs a link"));
	f->c.category = 0;
	assert_int_equal(prepare(f), 0);
	f->c.at_ms += 3600000; /* the lot opens later than it was approved: the same mail */
	assert_int_equal(prepare(f), 0);
	assert_true(sh_fact(&f->m, "batch_key", 0) == key);
	f->c.body_markdown = mt("another text\n");
	assert_int_equal(prepare(f), 0);
	assert_true(sh_fact(&f->m, "batch_key", 0) != key);
}

static void what_would_break_headers_is_refused(void **state)
{
	struct fix *f = *state;
	struct lt_str title = f->c.title;

	f->c.title = mt("a\r\nBcc: x@y.vn");
	assert_true(prepare(f) < 0);
	assert_non_null(strstr(f->m.problems.p, "2 subject"));
	f->c.title = mt("");
	assert_true(prepare(f) < 0);
	f->c.title = title;
	f->c.body_markdown = mt("a\x01"
				"A\x01 b");
	assert_true(prepare(f) < 0);
	f->c.body_markdown = mt("a\xff");
	assert_true(prepare(f) < 0);
	f->c.body_markdown = mt("good");
	f->c.code = mt("x\ny");
	assert_true(prepare(f) < 0);
}

static void a_wrong_setting_is_named(void **state)
{
	struct fix *f = *state;

	sh_conf(f->h, "zone", "Mars/Olympus");
	assert_true(prepare(f) < 0);
	assert_non_null(strstr(f->m.problems.p, "zone: 'Mars/Olympus'"));
}

/* It stands in MAIL FROM, EHLO and Message-ID as it is written: no relay would take one of our mails. */
static void an_address_of_ours_that_is_not_ascii_is_refused_with_its_other_form(void **state)
{
	struct fix *f = *state;

	sh_conf(f->h, "from", "tin@việt.vn");
	assert_true(prepare(f) < 0);
	assert_non_null(
		strstr(f->m.problems.p, "from: 'tin@việt.vn' is wrong; write tin@xn--vit-5kz.vn"));
	sh_conf(f->h, "from", "nguyễn@x.vn");
	assert_true(prepare(f) < 0);
	assert_non_null(strstr(f->m.problems.p, "ASCII before the @"));
	sh_conf(f->h, "from", "tin@xn--vit-5kz.vn");
	assert_int_equal(prepare(f), 0);
	sh_conf(f->h, "reply_to", "hỏi@x.vn");
	assert_true(prepare(f) < 0);
}

static void the_preview_shows_who_what_and_which_files(void **state)
{
	struct fix *f = *state;

	asset(f, 2, "aa11", "image/png", "infographic-1.png", sizeof(png_bytes));
	assert_int_equal(prepare(f), 0);
	assert_non_null(strstr(f->m.preview.p, "thongbao@bhxh.example.vn"));
	assert_non_null(strstr(f->m.preview.p, "Subject: Năm năm"));
	assert_non_null(
		strstr(f->m.preview.p, "infographic-1.png (image/png, 1 KiB, in the text)"));
	assert_non_null(strstr(f->m.preview.p, "(https://portal.example/ttbc/112?a=1&b=2)"));
}

static void odd_content_never_crashes_prepare(void **state)
{
	struct fix *f = *state;
	char junk[300];
	unsigned seed = 12345;

	asset(f, 2, "aa11", "image", "", sizeof(png_bytes));
	asset(f, 3, "bb22", "", "\"..\\/ệ\"", sizeof(pdf_bytes));
	for (int round = 0; round < 200; round++) {
		size_t n = (size_t)round % sizeof(junk);
		for (size_t i = 0; i < n; i++) {
			seed = seed * 1103515245u + 12345u;
			junk[i] = "[](<>)*_`#-!\\\n \t1.ab&;:\xc3"[(seed >> 16) % 24];
		}
		f->c.body_markdown = (struct lt_str){ junk, n };
		int rc = prepare(f);
		assert_true(rc == 0 || f->m.n_problems > 0);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(without_files_there_is_one_level_with_text_and_html),
		T(a_cover_and_an_attachment_give_all_three_levels),
		T(every_line_ends_with_crlf_and_is_short_enough),
		T(a_long_file_name_has_a_short_form_and_keeps_its_ending),
		T(an_attached_text_says_that_it_is_utf8),
		T(a_leading_dot_is_encoded),
		T(the_subject_is_encoded_and_folded_and_may_be_overridden),
		T(what_was_written_for_mails_replaces_the_text_and_is_no_markup),
		T(the_preheader_stands_hidden_before_the_text),
		T(raw_html_of_the_source_never_reaches_the_reader),
		T(a_picture_named_in_the_text_stands_there_and_nothing_is_fetched),
		T(the_plain_part_keeps_links_lists_and_line_structure),
		T(the_same_content_gives_the_same_bytes),
		T(facts_tell_size_and_that_personal_mails_share_nothing),
		T(a_shared_mail_has_no_hole_and_a_batch_key_of_its_content),
		T(what_would_break_headers_is_refused),
		T(a_wrong_setting_is_named),
		T(an_address_of_ours_that_is_not_ascii_is_refused_with_its_other_form),
		T(the_preview_shows_who_what_and_which_files),
		T(odd_content_never_crashes_prepare),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
