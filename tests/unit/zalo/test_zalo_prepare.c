/* test_zalo_prepare.c - what goes to OAs, groups and phones: limits, pictures, problems, addresses, settings. */
#include "zalo_content.h"

static void an_article_has_all_members_and_its_mark(void **state)
{
	struct sh *h = host_new();
	struct sh_made m;
	struct lt_content in = content("Khai mạc", "Tóm tắt", "Xin **chào** \"bạn\"");
	struct lt_target t = { .struct_size = sizeof(t), .ref = LTC_LIT("REF1") };

	(void)state;
	sh_asset(h, "c0ver", "URL", 3);
	assert_int_equal(made_by(h, &m, &in), 0);
	assert_int_equal(m.n_problems, 0);
	char *all = sh_compose(&m, &t, NULL);
	assert_non_null(all);
	assert_non_null(
		strstr(all, "lantoa-zalo 1\nkind oa\ntitle Khai mạc\n\n\"type\":\"normal\""));
	assert_non_null(strstr(all, "\"photo_url\":\"URL\",\"status\":\"show\""));
	assert_non_null(strstr(all, "\"content\":\"<p>Xin <b>chào</b> \\\"bạn\\\"</p>\""));
	assert_non_null(strstr(all, "utm_medium=oa&lt=REF1\""));
	assert_non_null(strstr(all, "\"author\":\"Ban Truyền thông\""));
	size_t room = strlen(all) + 3;
	char *json = calloc(1, room);
	(void)snprintf(json, room, "{%s}", strstr(all, "\n\n") + 2);
	struct ltc_json *doc = ltc_json_parse(S(json), LTC_JSON_STRICT, NULL);
	assert_non_null(doc);
	ltc_json_free(doc);
	free(json);
	free(all);
	sh_made_done(&m);
	sh_free(h);
}

/* What is no Markdown is no HTML either; the preview has the blocks in their order. */
static void a_link_and_a_summary_are_text_and_the_preview_has_the_order_of_the_article(void **state)
{
	struct sh *h = host_new();
	struct sh_made m;
	struct lt_content in = content("Khai mạc", "A < B & C", "");
	struct lt_target t = { .struct_size = sizeof(t), .ref = LTC_LIT("REF1") };

	(void)state;
	in.link = LTC_LIT("https://portal.example/?a=1&b=2#c");
	sh_asset(h, "c0ver", "URL", 3);
	assert_int_equal(made_by(h, &m, &in), 0);
	char *all = sh_compose(&m, &t, NULL);
	assert_non_null(strstr(all, "\"content\":\"<p>A &lt; B &amp; C</p>\""));
	assert_non_null(strstr(all, "<p>Xem thêm: https://portal.example/?a=1&amp;b=2#c</p>"));
	assert_non_null(strstr(all,
		"\"tracking_link\":\"https://portal.example/?a=1&b=2&utm_source=zalo&utm_medium=oa&lt=REF1\""));
	free(all);
	sh_made_done(&m);
	in.body_markdown = LTC_LIT("một\n\n![x](bia.png)\n\n| a | b |\n|---|---|\n\nhai < ba");
	assert_int_equal(made_by(h, &m, &in), 0);
	assert_non_null(strstr(m.preview.p,
		"\nmột\n[Ảnh] bia.png\na – b\nhai < ba\nXem thêm: https://portal.example/?a=1&b=2#c\n"));
	sh_made_done(&m);
	sh_free(h);
}

static void a_title_may_have_149_characters_not_150(void **state)
{
	(void)state;
	for (int n = 149; n <= 150; n++) {
		char title[600];
		struct sh *h = host_new();
		struct sh_made m;
		repeat(title, "ạ", n);
		struct lt_content in = content(title, "Tóm tắt", "x");
		sh_asset(h, "c0ver", "URL", 3);
		assert_int_equal(made_by(h, &m, &in), 0);
		assert_int_equal(strncmp(m.problems.p, "2 text.zalo.title", 17) == 0, n == 150);
		sh_made_done(&m);
		sh_free(h);
	}
}

static void a_description_of_300_is_shortened_unless_the_editor_wrote_it(void **state)
{
	char about[1000];
	struct sh *h = host_new();
	struct sh_made m;
	struct lt_pair own = { .name = LTC_LIT("description") };

	(void)state;
	repeat(about, "mười chữ. ", 30);
	about[strlen(about) - 1] = 'x';
	assert_int_equal(zalo_chars(S(about)), 300);
	struct lt_content in = content("T", about, "x");
	sh_asset(h, "c0ver", "URL", 3);
	assert_int_equal(made_by(h, &m, &in), 0);
	assert_int_equal(m.problems.p[0], '0');
	assert_non_null(strstr(m.text.p, "…\",\"cover\""));
	sh_made_done(&m);
	own.value = S(about);
	in.texts = &own;
	in.n_texts = 1;
	assert_int_equal(made_by(h, &m, &in), 0);
	assert_int_equal(m.problems.p[0], '2');
	sh_made_done(&m);
	sh_free(h);
}

static void pictures_have_a_number_and_a_size(void **state)
{
	static struct lt_asset pic[30];
	const struct lt_asset *list[31] = { &cover };
	struct sh *h = host_new();
	struct sh_made m;
	struct lt_content in = content("T", "S", "x");

	(void)state;
	sh_asset(h, "c0ver", "URL", 3);
	for (size_t i = 0; i < 30; i++) {
		pic[i] = cover;
		pic[i].role = ROLE_IMAGE;
		list[i + 1] = &pic[i];
	}
	in.assets = list;
	in.n_assets = 31;
	assert_int_equal(made_by(h, &m, &in), 0);
	assert_non_null(strstr(m.problems.p, "2 images: more than 20 pictures"));
	sh_made_done(&m);
	sh_conf(h, "images_max", "30");
	assert_int_equal(made_by(h, &m, &in), 0);
	assert_int_equal(m.problems.n, 0);
	assert_int_equal(sh_fact(&m, "pictures", 0), 30);
	size_t blocks = 0;
	for (const char *p = m.text.p; (p = strstr(p, "{\"type\":\"image\"")); p++)
		blocks++;
	assert_int_equal(blocks, 30);
	sh_made_done(&m);
	in.n_assets = 0;
	assert_int_equal(made_by(h, &m, &in), 0);
	assert_non_null(strstr(m.problems.p, "2 cover: "));
	sh_made_done(&m);
	sh_free(h);
}

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
static int to_jpeg(void *ctx, struct lt_str a, struct lt_str b, struct lt_str *r)
{
	(void)ctx;
	(void)a;
	(void)b;
	*r = S(HEX64 ":31000:1600x900:jpeg");
	return 0;
}

/* Section 5: an upload has a file name whose ending and type fit. */
static void a_picture_that_became_a_jpeg_is_called_so(void **state)
{
	static const char *const names[][2] = { { "bia.png", "bia.jpg" },
		{ "bia.JPEG", "bia.JPEG" }, { "ảnh bìa 1.2.webp", "ảnh bìa 1.2.jpg" },
		{ "bia", "bia.jpg" }, { ".png", ".png.jpg" },
		{ "v1.phienban-cuoi", "v1.phienban-cuoi.jpg" } };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct sh *h = host_new();
		struct sh_made m;
		struct lt_content in = content("T", "S", "x");
		char want[200];
		in.address_kind = LTC_LIT("group");
		cover.filename = S(names[i][0]);
		sh_made_init(&m, h);
		m.sink.need_rendition = to_jpeg;
		assert_int_equal(lantoa_adapter.prepare(&h->conf, &in, &m.sink), 0);
		(void)snprintf(want, sizeof(want),
			"\nimage " HEX64 ":31000:1600x900:jpeg 31000 image/jpeg %s\n", names[i][1]);
		if (!strstr(m.text.p, want))
			fail_msg("%s does not hold %s", m.text.p, want);
		sh_made_done(&m);
		sh_free(h);
	}
	cover.filename = LTC_LIT("bia.png");
}

static int no_rendition(void *ctx, struct lt_str a, struct lt_str b, struct lt_str *r)
{
	(void)ctx;
	(void)a;
	(void)b;
	(void)r;
	return -LT_E_INVALID;
}

static void a_picture_that_cannot_be_fitted_is_taken_only_when_it_fits(void **state)
{
	struct sh *h = host_new();
	struct sh_made m;
	struct lt_content in = content("T", "S", "![x](bia.png) ![y](nix.png)");

	(void)state;
	sh_asset(h, "c0ver", "URL", 3);
	sh_made_init(&m, h);
	m.sink.need_rendition = no_rendition;
	assert_int_equal(lantoa_adapter.prepare(&h->conf, &in, &m.sink), 0);
	assert_int_equal(m.problems.p[0], '1'); /* nix.png is no file of the release */
	sh_made_done(&m);
	cover.bytes = 1000001;
	sh_made_init(&m, h);
	m.sink.need_rendition = no_rendition;
	assert_int_equal(lantoa_adapter.prepare(&h->conf, &in, &m.sink), 0);
	assert_non_null(strstr(m.problems.p, "2 cover: picture 'bia.png' has 1000001 bytes"));
	cover.bytes = 50000;
	sh_made_done(&m);
	sh_free(h);
}

static char asked[200];
static int note_spec(void *ctx, struct lt_str a, struct lt_str b, struct lt_str *r)
{
	(void)ctx;
	if (ltc_find(b, LTC_LIT("ratio="), false) != NULL)
		(void)snprintf(asked, sizeof(asked), "%.*s", (int)b.n, b.p);
	*r = a;
	return 0;
}

static void the_cover_is_cut_as_the_editor_said(void **state)
{
	static const char *const crops[][2] = { { "", "crop=fit" }, { "top", "crop=top" },
		{ "none", "crop=none" } };

	(void)state;
	for (size_t i = 0; i < sizeof(crops) / sizeof(crops[0]); i++) {
		struct lt_pair opt = { .name = LTC_LIT("crop"), .value = S(crops[i][0]) };
		struct sh *h = host_new();
		struct sh_made m;
		struct lt_content in = content("T", "S", "x");
		in.opts = &opt;
		in.n_opts = crops[i][0][0] != '\0';
		sh_asset(h, "c0ver", "URL", 3);
		sh_made_init(&m, h);
		m.sink.need_rendition = note_spec;
		assert_int_equal(lantoa_adapter.prepare(&h->conf, &in, &m.sink), 0);
		assert_non_null(strstr(asked, crops[i][1]));
		sh_made_done(&m);
		sh_free(h);
	}
}

static void what_an_article_has_no_place_for_is_said(void **state)
{
	struct sh *h = host_new();
	struct sh_made m;
	struct lt_content in = content("T", "S", "x");
	struct lt_asset more[2] = { { .struct_size = sizeof(more[0]),
					    .role = 3,
					    .id = LTC_LIT("f11e"),
					    .content_type = LTC_LIT("application/pdf"),
					    .filename = LTC_LIT("cong-van.pdf") },
		{ .struct_size = sizeof(more[0]),
			.role = 4,
			.id = LTC_LIT("f11f"),
			.content_type = LTC_LIT("video/mp4"),
			.filename = LTC_LIT("phim.mp4") } };
	const struct lt_asset *all[] = { &cover, &more[0], &more[1] };

	(void)state;
	in.assets = all;
	in.n_assets = 3;
	sh_asset(h, "c0ver", "URL", 3);
	assert_int_equal(made_by(h, &m, &in), 0);
	assert_non_null(
		strstr(m.problems.p, "0 attachments: 'cong-van.pdf' is not in the article"));
	assert_non_null(strstr(m.problems.p, "1 video: 'phim.mp4' is not in the article"));
	sh_made_done(&m);
	in.address_kind = LTC_LIT("group"); /* where files go */
	assert_int_equal(made_by(h, &m, &in), 0);
	assert_true(m.problems.n == 0 || strstr(m.problems.p, "not in the article") == NULL);
	sh_made_done(&m);
	sh_free(h);
}

static void a_broadcast_is_whom_it_goes_to_and_names_what_goes_with_it(void **state)
{
	struct lt_pair opts[] = { { .name = LTC_LIT("broadcast"), .value = LTC_LIT("yes") },
		{ .name = LTC_LIT("with"), .value = LTC_LIT("TTBC-1, TTBC-2") } };
	struct sh *h = host_new();
	struct sh_made m;
	struct lt_content in = content("T", "S", "x");

	(void)state;
	in.opts = opts;
	in.n_opts = 2;
	sh_conf(h, "broadcast_cities", "9,57");
	sh_conf(h, "broadcast_ages", "2");
	assert_int_equal(made_by(h, &m, &in), 0);
	assert_string_equal(m.text.p,
		"lantoa-zalo 1\nkind cast\ncast {\"ages\":\"2\",\"cities\":\"9,57\"}\n\n");
	assert_int_equal(m.problems.n, 0);
	assert_int_equal(sh_fact(&m, "broadcast", 0), 1);
	assert_non_null(strstr(m.preview.p, "TTBC-1, TTBC-2"));
	sh_made_done(&m);
	sh_free(h);
}

static void a_group_gets_text_and_link_and_the_cover_in_one_message(void **state)
{
	struct sh *h = host_new();
	struct sh_made m;
	struct lt_content in = content("Khai [@1]", "Tóm tắt", "x");
	char longer[9000];

	(void)state;
	in.address_kind = LTC_LIT("group");
	assert_int_equal(made_by(h, &m, &in), 0);
	assert_string_equal(m.text.p,
		"lantoa-zalo 1\nkind text\nimage c0ver 50000 image/png bia.png\n\nKhai (@1)\n\nTóm tắt\n\nhttps://portal.example/ttbc/112");
	sh_made_done(&m);
	repeat(longer, "ạ", 2001);
	in.text = S(longer);
	assert_int_equal(made_by(h, &m, &in), 0);
	assert_non_null(strstr(m.problems.p, "2 text.zalo.text: the message has 2001 characters"));
	sh_made_done(&m);
	sh_free(h);
}

/* The text names a file by its place in the bundle, and a blank as Markdown wants it; assets have the last piece as their name. */
static void a_picture_stands_where_the_text_names_it(void **state)
{
	static struct lt_asset pic[3];
	const struct lt_asset *list[] = { &cover, &pic[0], &pic[1], &pic[2] };
	struct sh *h = host_new();
	struct sh_made m;
	struct lt_content in = content("T", "S",
		"một\n\n![x](hình/b%E1%BA%A3ng%20hai.png)\n\nhai\n\n![y](a/hinh.png)\n\nba");

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		pic[i] = cover;
		pic[i].role = ROLE_IMAGE;
		pic[i].id = i == 0 ? LTC_LIT("a") : i == 1 ? LTC_LIT("b") : LTC_LIT("c");
		pic[i].filename = i == 0 ? LTC_LIT("hinh.png") : LTC_LIT("bảng hai.png");
	}
	in.assets = list;
	in.n_assets = 3;
	for (const char *const *id = (const char *const[]){ "c0ver", "a", "b", "c", NULL }; *id;
		id++)
		sh_asset(h, *id, "URL", 3);
	assert_int_equal(made_by(h, &m, &in), 0);
	assert_int_equal(m.n_problems, 0);
	assert_non_null(
		strstr(m.preview.p, "\nmột\n[Ảnh] bảng hai.png\nhai\n[Ảnh] hinh.png\nba\n"));
	sh_made_done(&m);
	in.n_assets =
		4; /* two of one name in different folders: nobody can tell which, so both stand behind the text */
	assert_int_equal(made_by(h, &m, &in), 0);
	assert_int_equal(m.n_problems, 1);
	assert_non_null(strstr(m.problems.p, "1 images: two pictures are called 'bảng hai.png'"));
	assert_non_null(strstr(m.preview.p, "\nba\n[Ảnh] bảng hai.png\n[Ảnh] bảng hai.png\n"));
	sh_made_done(&m);
	sh_free(h);
}

static void a_caption_that_is_shortened_is_said(void **state)
{
	struct lt_asset pic = cover;
	const struct lt_asset *list[] = { &cover, &pic };
	char caption[4000];

	(void)state;
	pic.role = ROLE_IMAGE;
	pic.filename = LTC_LIT("hinh.png");
	for (int n = 200; n <= 201; n++) {
		struct sh *h = host_new();
		struct sh_made m;
		struct lt_content in = content("T", "S", "x");
		repeat(caption, "ạ", n);
		pic.caption = S(caption);
		in.assets = list;
		in.n_assets = 2;
		sh_asset(h, "c0ver", "URL", 3);
		assert_int_equal(made_by(h, &m, &in), 0);
		assert_int_equal(m.n_problems, n - 200);
		if (n == 201)
			assert_string_equal(m.problems.p,
				"0 images: the caption of 'hinh.png' has 201 characters and is shortened to 200\n");
		sh_made_done(&m);
		sh_free(h);
	}
}

static void wrong_settings_are_refused_with_name_and_value(void **state)
{
	static const char *const bad[][3] = { { "app_id", "12a", "app_id: '12a' is wrong" },
		{ "base_url", "http://openapi.zalo.me", "https://" },
		{ "poll_ms", "1", "poll_ms: '1'" },
		{ "broadcast_ages", "2;3", "broadcast_ages: '2;3'" },
		{ "broadcast_ages", "2, 3", "no blanks" }, { "broadcast_ages", "8", "from 0 to 7" },
		{ "broadcast_gender", "3", "from 0 to 2" },
		{ "broadcast_gender", "1,2", "one number" },
		{ "group_pause_ms", "-1", "group_pause_ms: '-1'" },
		{ "zns_param_max", "0", "zns_param_max: '0'" },
		{ "zns_param_max", "1001", "zns_param_max: '1001'" } };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct lt_pair v[] = { { .name = LTC_LIT("app_id"), .value = LTC_LIT("1") },
			{ .name = S(bad[i][0]), .value = S(bad[i][1]) } };
		struct lt_conf c = {
			.struct_size = sizeof(c), .values = v + (i == 0), .n_values = i ? 2 : 1
		};
		struct zalo_conf r;
		char why[200] = "";
		assert_true(zalo_conf_read(&c, &r, why, sizeof(why)) < 0);
		if (!strstr(why, bad[i][2]))
			fail_msg("'%s' does not say '%s'", why, bad[i][2]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_article_has_all_members_and_its_mark),
		cmocka_unit_test(
			a_link_and_a_summary_are_text_and_the_preview_has_the_order_of_the_article),
		cmocka_unit_test(a_title_may_have_149_characters_not_150),
		cmocka_unit_test(a_description_of_300_is_shortened_unless_the_editor_wrote_it),
		cmocka_unit_test(pictures_have_a_number_and_a_size),
		cmocka_unit_test(a_picture_that_became_a_jpeg_is_called_so),
		cmocka_unit_test(a_picture_that_cannot_be_fitted_is_taken_only_when_it_fits),
		cmocka_unit_test(the_cover_is_cut_as_the_editor_said),
		cmocka_unit_test(what_an_article_has_no_place_for_is_said),
		cmocka_unit_test(a_broadcast_is_whom_it_goes_to_and_names_what_goes_with_it),
		cmocka_unit_test(a_group_gets_text_and_link_and_the_cover_in_one_message),
		cmocka_unit_test(a_picture_stands_where_the_text_names_it),
		cmocka_unit_test(a_caption_that_is_shortened_is_said),
		cmocka_unit_test(wrong_settings_are_refused_with_name_and_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
