/* test_prepare.c - which text, pictures, link or video of a release become the post; addresses; the payload read back. */
#include "fbtest.h"

static struct lt_str z(const char *s)
{
	return (struct lt_str){ s, s == NULL ? 0 : strlen(s) };
}

static struct lt_asset asset(uint32_t role, const char *id, const char *type, uint64_t bytes,
	uint32_t side, const char *alt)
{
	return (struct lt_asset){ .struct_size = sizeof(struct lt_asset),
		.role = role,
		.id = z(id),
		.content_type = z(type),
		.alt = z(alt),
		.filename = z("f.png"),
		.bytes = bytes,
		.width = side,
		.height = side / 2 };
}

static int make(struct sh *h, struct sh_made *m, const struct lt_content *c)
{
	sh_made_init(m, h);
	return lantoa_adapter.prepare(&h->conf, c, &m->sink);
}

static struct lt_content content(void)
{
	return (struct lt_content){ .struct_size = sizeof(struct lt_content),
		.title = z("Năm năm đổi mới"),
		.body_markdown = z("**Hà Nội** – tăng.\n\n- một\n- hai"),
		.link = z("https://portal.example/ttbc/112") };
}

static void title_text_and_link_make_the_message(void **state)
{
	(void)state;
	struct sh *h = fbt_new();
	struct sh_made m;
	struct lt_content c = content();
	struct lt_asset one = asset(2, "aaaa", "image/jpeg", 1000, 800, "Một");
	const struct lt_asset *assets[] = { &one };
	c.assets = assets;
	c.n_assets = 1;
	sh_asset(h, "aaaa", "\xff\xd8\xff", 3);
	assert_true(make(h, &m, &c) >= 0);
	assert_int_equal(m.n_problems, 0);
	assert_non_null(strstr(m.text.p,
		"Năm năm đổi mới\n\nHà Nội – tăng.\n\n• một\n• hai\n\nhttps://portal.example/ttbc/112\n"));
	assert_non_null(strstr(m.preview.p, "[picture] Một"));
	assert_int_equal(m.n_holes, 0);
	sh_made_done(&m);
	c.text = z(
		"Chỉ thế này. https://portal.example/ttbc/112"); /* an editor's own text stands as it is */
	assert_true(make(h, &m, &c) >= 0);
	assert_non_null(strstr(m.text.p, "\nChỉ thế này. https://portal.example/ttbc/112\nt "));
	sh_made_done(&m);
	sh_free(h);
}

static void without_pictures_the_link_is_a_card(void **state)
{
	(void)state;
	struct sh *h = fbt_new();
	struct sh_made m;
	struct lt_content c = content();
	struct lt_asset cover = asset(1, "cccc", "image/png", 1000, 800, "Bìa");
	const struct lt_asset *assets[] = { &cover };
	c.assets = assets;
	c.n_assets = 1;
	sh_asset(h, "cccc", "\x89PNG", 4);
	assert_true(make(h, &m, &c) >= 0);
	assert_non_null(strstr(m.text.p, "c 1\n1\n"));
	assert_int_equal(sh_fact(&m, "pictures", -1), 0);
	sh_made_done(&m);
	c.link = z(""); /* without a link the cover stands */
	assert_true(make(h, &m, &c) >= 0);
	assert_int_equal(sh_fact(&m, "pictures", -1), 1);
	sh_made_done(&m);
	sh_free(h);
}

static void what_a_post_has_no_place_for_is_said(void **state)
{
	(void)state;
	struct sh *h = fbt_new();
	struct sh_made m;
	struct lt_content c = content();
	struct lt_asset film = asset(4, "ffff", "video/mp4", 1000, 0, ""),
			still = asset(5, "aaaa", "image/png", 1000, 800, ""),
			words = asset(6, "bbbb", "text/vtt", 1000, 0, ""),
			letter = asset(3, "cccc", "application/pdf", 1000, 0, "");
	const struct lt_asset *assets[] = { &film, &still, &words, &letter };
	film.filename = z("phim.mp4");
	still.filename = z("bìa.png");
	words.filename = z("phụ đề.vtt");
	letter.filename = z("cong-van.pdf");
	c.assets = assets;
	c.n_assets = 4;
	sh_asset(h, "ffff", "film", 4);
	assert_true(make(h, &m, &c) >= 0);
	assert_int_equal(m.n_problems, 3);
	assert_non_null(strstr(m.problems.p, "0 video: 'bìa.png' is not posted"));
	assert_non_null(strstr(m.problems.p, "1 video: 'phụ đề.vtt' is not posted"));
	assert_non_null(strstr(m.problems.p, "0 attachments: 'cong-van.pdf' is not posted"));
	sh_made_done(&m);
	sh_free(h);
}

static void what_cannot_be_a_post_is_a_problem(void **state)
{
	(void)state;
	struct sh *h = fbt_new();
	struct sh_made m;
	static char big[7000];
	memset(big, 'a', sizeof(big) - 1);
	struct lt_content empty = { .struct_size = sizeof(empty) }, longer = content(),
			  own = content(), bad = content();
	longer.text = z(big);
	own.link = z("https://www.facebook.com/x");
	bad.text = (struct lt_str){ "a\x01", 2 };
	const struct lt_content *v[] = { &empty, &longer, &own, &bad };
	const char *const says[] = { "empty", "max_message", "facebook.com", "control character" };
	for (size_t i = 0; i < 4; i++) {
		(void)make(h, &m, v[i]);
		if (strstr(m.problems.p, says[i]) == NULL || strstr(m.problems.p, "2 ") == NULL)
			fail_msg("'%s' not in '%s'", says[i], m.problems.p);
		sh_made_done(&m);
	}
	sh_free(h);
}

static char asked[200];
static int rendition(void *ctx, struct lt_str id, struct lt_str spec, struct lt_str *ret)
{
	(void)ctx;
	(void)id;
	(void)snprintf(asked, sizeof(asked), "%.*s", (int)spec.n, spec.p);
	*ret = z("bbbb:900000:2048x1024:jpeg");
	return 0;
}

static void a_picture_that_is_too_large_is_fitted(void **state)
{
	(void)state;
	static const struct {
		const char *type;
		uint64_t bytes;
		uint32_t side;
		bool fitted;
	} v[] = { { "image/jpeg", 3999999, 2048, false }, { "image/jpeg", 4000001, 2048, true },
		{ "image/jpeg", 1000, 2049, true }, { "image/png", 999999, 1000, false },
		{ "image/png", 1200000, 1000, true }, { "image/webp", 1000, 1000, true } };
	struct sh *h = fbt_new();
	sh_asset(h, "aaaa", "x", 1);
	sh_asset(h, "bbbb:900000:2048x1024:jpeg", "y", 1);
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct sh_made m;
		struct lt_content c = content();
		struct lt_asset one = asset(2, "aaaa", v[i].type, v[i].bytes, v[i].side, "Một");
		const struct lt_asset *assets[] = { &one };
		c.assets = assets;
		c.n_assets = 1;
		asked[0] = '\0';
		sh_made_init(&m, h);
		m.sink.need_rendition = rendition;
		assert_true(lantoa_adapter.prepare(&h->conf, &c, &m.sink) >= 0);
		assert_int_equal(asked[0] != '\0', v[i].fitted);
		assert_int_equal(strstr(m.text.p, "photo-1.jpg") != NULL, v[i].fitted || i < 3);
		sh_made_done(&m);
	}
	assert_string_equal(asked, "png<=1000000B<=2048x2048px|jpeg<=4000000B<=2048x2048px");
	sh_free(h);
}

static void a_page_is_named_by_its_number(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "abc", "1042000x0", "-10420", "0104200", "1042",
		"12345678901234567890" };
	struct sh *h = fbt_new();
	struct sh_made m;
	sh_made_init(&m, h);
	assert_true(fb_address(&h->conf, z(" 104200000000017 "), &m.sink) >= 0);
	assert_string_equal(sh_told(&m, "address"), "104200000000017");
	assert_string_equal(sh_told(&m, "class"), "page");
	sh_made_done(&m);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		sh_made_init(&m, h);
		assert_true(fb_address(&h->conf, z(bad[i]), &m.sink) < 0);
		assert_int_equal(m.n_problems, 1);
		sh_made_done(&m);
	}
	sh_free(h);
}

static void a_payload_is_read_back_or_refused(void **state)
{
	(void)state;
	struct fb_doc d;
	struct lt_src v[3] = {
		{ .bytes = z(
			  "fb1\na 3\nMột\nk 0\n\ny 9\nimage/png\nf 5\n1.png\nm 3\nabc\nt 0\n\nl 0\n\n") },
		{ .asset = z("x"), .length = 1 }
	};
	v[0].bytes = z(
		"fb1\na 5\nMột\nk 0\n\ny 9\nimage/png\nf 5\n1.png\nm 3\nabc\nt 0\n\nl 0\n\n");
	struct lt_work w = { .struct_size = sizeof(w), .payload = v, .n_payload = 2 };
	assert_int_equal(fb_doc_read(&w, &d), 0);
	assert_int_equal(d.n_photos, 1);
	assert_true(ltc_eqz(d.photos[0].alt, "Một") && ltc_eqz(d.message, "abc"));
	w.n_payload = 1; /* a picture is lacking */
	assert_true(fb_doc_read(&w, &d) < 0);
	w.n_payload = 3; /* one too many */
	v[2] = v[1];
	assert_true(fb_doc_read(&w, &d) < 0);
	v[0].bytes = z("fb1\nm 99\nabc\n");
	w.n_payload = 1;
	assert_true(fb_doc_read(&w, &d) < 0);
	v[0].bytes = z("Một văn bản");
	assert_int_equal(fb_doc_read(&w, &d), 0);
	v[0].bytes = z("");
	assert_true(fb_doc_read(&w, &d) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(title_text_and_link_make_the_message),
		cmocka_unit_test(without_pictures_the_link_is_a_card),
		cmocka_unit_test(what_a_post_has_no_place_for_is_said),
		cmocka_unit_test(what_cannot_be_a_post_is_a_problem),
		cmocka_unit_test(a_picture_that_is_too_large_is_fitted),
		cmocka_unit_test(a_page_is_named_by_its_number),
		cmocka_unit_test(a_payload_is_read_back_or_refused) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
