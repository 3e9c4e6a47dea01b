/* test_prepare_size.c - a mail that is too large: which files become links, in which order, and when it is a problem. */
#include "preparescene.h"

static void too_large_files_are_a_problem_or_become_links(void **state)
{
	struct fix *f = *state;

	asset(f, 1, "aa11", "image/png", "bia.png", sizeof(png_bytes));
	asset(f, 3, "bb22", "application/pdf", "x.pdf", 20u << 20);
	assert_true(prepare(f) < 0);
	assert_non_null(strstr(f->m.problems.p, "2 assets"));
	sh_conf(f->h, "links", "yes");
	assert_int_equal(prepare(f), 0);
	assert_int_equal(f->m.n_holes, 4); /* headers, the URL in the text, and twice in HTML */
	assert_null(strstr(text(f), "application/pdf"));
	struct lt_pair vars[] = {
		{ .name = mt("asset.url.bb22"),
			.value = mt(
				"https://lantoa.example/a/0123456789abcdef0123456789abcdef0123456789abcdef?v=1&name=.x") }
	};
	struct lt_target t = { .struct_size = sizeof(t),
		.address = mt("a@x.vn"),
		.ref = mt("r1"),
		.vars = vars,
		.n_vars = 1 };
	char *mail = sh_compose(&f->m, &t, NULL);
	assert_non_null(mail);
	char *plain = joined(mail); /* without the soft breaks the link is whole */
	assert_int_equal(
		count(plain,
			"https://lantoa.example/a/0123456789abcdef0123456789abcdef0123456789abcdef?v=3D1&name=3D"),
		3);
	free(plain);
	free(mail);
	t.n_vars = 0; /* no URL: no mail */
	assert_null(sh_compose(&f->m, &t, NULL));
}

static size_t told(const struct fix *f, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < f->m.n_told; i++)
		n += strcmp(f->m.told[i][0], name) == 0;
	return n;
}

static void over_size_max_the_largest_attachment_becomes_a_link_first(void **state)
{
	struct fix *f = *state;

	asset(f, 3, "bb22", "application/pdf", "nho.pdf", sizeof(pdf_bytes));
	sh_asset(f->h, "cc33", pdf_bytes, sizeof(pdf_bytes)); /* the host tells another size */
	asset(f, 3, "cc33", "application/pdf", "Phụ lục.pdf", 4180000);
	asset(f, 1, "aa11", "image/png", "bia.png", sizeof(png_bytes));
	sh_conf(f->h, "size_max", "1000000");
	assert_true(prepare(f) < 0); /* links: no */
	assert_non_null(strstr(f->m.problems.p, "2 assets: the message has"));
	assert_non_null(strstr(f->m.problems.p, "links: yes"));
	sh_conf(f->h, "links", "yes");
	assert_int_equal(prepare(f), 0);
	assert_int_equal(told(f, "asset_url"), 1);
	assert_string_equal(sh_told(&f->m, "asset_url"), "cc33");
	assert_int_equal(sh_fact(&f->m, "links_days", -1), 90);
	assert_true(sh_fact(&f->m, "bytes", -1) < 1000000);
	assert_non_null(
		strstr(f->m.problems.p, "0 assets: 'Phụ lục.pdf' (4083 KiB) goes as a link"));
	assert_non_null(strstr(text(f), "src=3D\"cid:img3."));
	assert_non_null(strstr(text(f), "filename=nho.pdf"));
	struct lt_pair vars[] = { { .name = mt("asset.url.cc33"),
		.value = mt("https://l.example/a/zz.pdf") } };
	struct lt_target t = { .struct_size = sizeof(t),
		.address = mt("a@x.vn"),
		.ref = mt("r1"),
		.vars = vars,
		.n_vars = 1 };
	char *mail = sh_compose(&f->m, &t, NULL);
	assert_non_null(mail);
	char *plain = joined(mail);
	assert_non_null(strstr(
		plain, "Ph=E1=BB=A5 l=E1=BB=A5c.pdf (4,2 MB):=20https://l.example/a/zz.pdf\r\n"));
	assert_non_null(strstr(plain,
		"(4,2 MB): <a style=3D\"word-break:break-all\" href=3D\"https://l.example/a/zz.pdf\">https://l.example/a/zz.pdf</a>"));
	free(plain);
	free(mail);
}

static void pictures_become_links_after_all_attachments_and_only_as_far_as_needed(void **state)
{
	struct fix *f = *state;

	asset(f, 2, "dd44", "image/png", "lon.png", 3000000);
	asset(f, 3, "cc33", "application/pdf", "x.pdf", 200000);
	asset(f, 1, "aa11", "image/png", "bia.png", sizeof(png_bytes));
	f->c.lang = mt("en");
	sh_conf(f->h, "links", "yes");
	sh_conf(f->h, "links_days", "7");
	sh_conf(f->h, "size_max", "1000000");
	assert_int_equal(prepare(f), 0);
	assert_int_equal(told(f, "asset_url"), 2);
	assert_null(strstr(text(f), "lon.png\r\n"));
	assert_non_null(strstr(text(f), "lon.png (3.0 MB): "));
	assert_non_null(strstr(text(f), "x.pdf (200 kB): "));
	assert_non_null(strstr(text(f), "src=3D\"cid:img3."));
	assert_int_equal(count(text(f), "src=3D\"cid:"), 1);
	assert_int_equal(sh_fact(&f->m, "links_days", -1), 7);
	assert_non_null(strstr(f->m.preview.p, "lon.png (image/png, 2930 KiB, as a link)"));
	char *first = strdup(text(f));
	assert_int_equal(prepare(f), 0);
	assert_string_equal(first, text(f)); /* an approval covers the choice */
	free(first);
}

static void a_mail_that_fits_has_no_link_although_it_might(void **state)
{
	struct fix *f = *state;

	asset(f, 3, "bb22", "application/pdf", "x.pdf", sizeof(pdf_bytes));
	assert_int_equal(prepare(f), 0);
	char *first = strdup(text(f));
	sh_conf(f->h, "links", "yes");
	assert_int_equal(prepare(f), 0);
	assert_string_equal(first, text(f));
	assert_int_equal(told(f, "asset_url"), 0);
	assert_int_equal(sh_fact(&f->m, "links_days", -1), -1);
	assert_int_equal(f->m.n_problems, 0);
	free(first);
}

static void a_text_alone_over_size_max_is_a_problem_links_or_not(void **state)
{
	struct fix *f = *state;

	sh_conf(f->h, "size_max", "2048");
	sh_conf(f->h, "links", "yes");
	asset(f, 3, "bb22", "application/pdf", "x.pdf", sizeof(pdf_bytes));
	assert_true(prepare(f) < 0);
	assert_non_null(strstr(f->m.problems.p, "2 assets: the message has"));
	sh_conf(f->h, "links_days", "401");
	assert_true(prepare(f) < 0);
	assert_non_null(strstr(f->m.problems.p, "links_days: '401'"));
}

static void a_mail_over_size_max_is_a_problem(void **state)
{
	struct fix *f = *state;

	sh_conf(f->h, "size_max", "4096");
	asset(f, 3, "bb22", "application/pdf", "x.pdf", sizeof(pdf_bytes));
	assert_true(prepare(f) < 0);
	assert_non_null(strstr(f->m.problems.p, "size_max"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(too_large_files_are_a_problem_or_become_links),
		T(over_size_max_the_largest_attachment_becomes_a_link_first),
		T(pictures_become_links_after_all_attachments_and_only_as_far_as_needed),
		T(a_mail_that_fits_has_no_link_although_it_might),
		T(a_text_alone_over_size_max_is_a_problem_links_or_not),
		T(a_mail_over_size_max_is_a_problem),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
