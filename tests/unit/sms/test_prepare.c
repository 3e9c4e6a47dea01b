/* test_prepare.c - a release as a short message: form, length, label, rules, price, payload; settings that are refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "smstest.h"

enum { EMERGENCY = 1, NOTICE = 2, INTERNAL = 3, ADVERTISING = 4 };

struct made {
	int64_t at_ms; /* when it would go out */
	struct sh *h;
	struct sh_made m;
	struct sms_payload p;
	int rc;
};

static void make(struct made *x, const char *text, uint32_t category)
{
	struct lt_content c = { .struct_size = sizeof(c),
		.category = category,
		.title = st("Tiêu đề"),
		.text = st(text),
		.lang = st("vi"),
		.code = st("TTBC-1"),
		.at_ms = x->at_ms };

	sh_made_init(&x->m, x->h);
	x->rc = sms_prepare(&x->h->conf, &c, &x->m.sink);
	x->p = (struct sms_payload){ 0 };
	if (x->rc == 0)
		assert_int_equal(
			sms_payload_read((struct lt_str){ x->m.text.p, x->m.text.n }, &x->p), 0);
}

static void done(struct made *x)
{
	sh_made_done(&x->m);
	sh_free(x->h);
}

static bool text_is(const struct made *x, const char *want)
{
	return x->p.text.n == strlen(want) && memcmp(x->p.text.p, want, x->p.text.n) == 0;
}

static bool says(const struct made *x, const char *words)
{
	return x->m.problems.p != NULL && strstr(x->m.problems.p, words) != NULL;
}

static void the_sample_goes_out_without_diacritics_by_default(void **state)
{
	struct made x = { .h = sms_host() };

	(void)state;
	make(&x,
		"TTBC-2026-112 đã đăng trên Fanpage và OA của BHXH Điện Biên. Đề nghị kiểm tra; báo lỗi về số trực.",
		NOTICE);
	assert_int_equal(x.rc, 0);
	assert_true(text_is(&x,
		"TTBC-2026-112 da dang tren Fanpage va OA cua BHXH Dien Bien. De nghi kiem tra; bao loi ve so truc."));
	assert_int_equal(x.p.coding, SMS_GSM);
	assert_int_equal(x.p.segments, 1);
	assert_int_equal(x.p.units, 98);
	assert_int_equal(x.p.category, NOTICE);
	assert_int_equal(sh_fact(&x.m, "segments", 0), 1);
	assert_int_equal(sh_fact(&x.m, "cost", 0), 450);
	assert_int_equal(sh_fact(&x.m, "cost.viettel", 0), 350);
	assert_int_equal(sh_fact(&x.m, "bytes", 0), 86);
	assert_int_equal(x.m.n_holes, 0);
	assert_non_null(strstr(x.m.preview.p,
		"SMS from BHXH-VN: GSM, 1 segment, 98 of 160 characters; 350 to 450 đ a recipient"));
	assert_non_null(strstr(x.m.preview.p, "\n\nTTBC-2026-112 da dang tren"));
	done(&x);
}

static void an_accented_lane_sends_utf16_and_pays_more(void **state)
{
	struct made x = { .h = sms_host() };

	(void)state;
	sh_conf(x.h, "form", "accented");
	make(&x,
		"TTBC-2026-112 đã đăng trên Fanpage và OA của BHXH Điện Biên. Đề nghị kiểm tra; báo lỗi về số trực.",
		NOTICE);
	assert_int_equal(x.rc, 0);
	assert_int_equal(x.p.coding, SMS_UCS2);
	assert_int_equal(x.p.segments, 2);
	assert_int_equal(sh_fact(&x.m, "cost.viettel", 0), 700);
	done(&x);
}

static void what_is_too_long_is_refused_and_not_cut(void **state)
{
	struct made x = { .h = sms_host() };
	char text[700];

	(void)state;
	memset(text, 'a', 613);
	text[613] = '\0';
	make(&x, text, NOTICE);
	assert_int_equal(x.rc, -EINVAL);
	assert_int_equal(x.m.text.n, 0);
	assert_true(says(&x,
		"the text has 5 segments (613 characters in GSM), the lane allows 4, about 612 characters: shorten it by 1"));
	assert_non_null(
		strstr(x.m.preview.p, "5 segments")); /* still shown, so that it can be shortened */
	done(&x);
}

static void a_text_of_10000_characters_is_refused(void **state)
{
	struct made x = { .h = sms_host() };
	char *text = malloc(30001);

	(void)state;
	for (int i = 0; i < 10000; i++)
		memcpy(text + 3 * i, "ế", 4);
	sh_conf(x.h, "form", "accented");
	make(&x, text, NOTICE);
	assert_int_equal(x.rc, -EINVAL);
	assert_true(says(&x, "150 segments"));
	assert_true(says(&x, "form: plain"));
	free(text);
	done(&x);
}

static void broken_utf8_and_control_characters_are_refused(void **state)
{
	static const char *const bad[] = { "a\xed\xa0\x80", "a\xff", "a\x01", "a\x7f" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct made x = { .h = sms_host() };
		make(&x, bad[i], NOTICE);
		assert_int_equal(x.rc, -EINVAL);
		assert_true(x.m.n_problems > 0);
		done(&x);
	}
}

static void emoji_is_named_where_it_has_no_plain_form(void **state)
{
	struct made x = { .h = sms_host() };

	(void)state;
	make(&x, "Chúc mừng 😀", NOTICE);
	assert_int_equal(x.rc, -EINVAL);
	assert_true(says(&x, "the character 😀 has no form without diacritics"));
	done(&x);
	x.h = sms_host();
	sh_conf(x.h, "unmappable", "?");
	make(&x, "Chúc mừng 😀", NOTICE);
	assert_int_equal(x.rc, 0);
	assert_true(text_is(&x, "Chuc mung ?"));
	done(&x);
}

static void a_gateway_without_unicode_takes_no_accents(void **state)
{
	struct made x = { .h = sms_host() };

	(void)state;
	sh_conf(x.h, "form", "accented");
	sh_conf(x.h, "unicode_allowed", "no");
	make(&x, "Điện Biên", NOTICE);
	assert_int_equal(x.rc, -EINVAL);
	assert_true(says(&x, "Đ is not in the GSM alphabet"));
	done(&x);
}

static void forbidden_characters_are_named(void **state)
{
	struct made x = { .h = sms_host() };

	(void)state;
	sh_conf(x.h, "forbidden_chars", "&#");
	make(&x, "BHXH & BHYT", NOTICE);
	assert_int_equal(x.rc, -EINVAL);
	assert_true(says(&x, "refuses texts with &"));
	assert_false(says(&x, "with #"));
	done(&x);
}

/* What the server means by data coding 0 is known at check; at the send it would hold the release. */
static void a_character_that_the_servers_alphabet_lacks_is_named(void **state)
{
	static const struct {
		const char *charset, *text, *bad;
	} rows[] = { { "ascii", "Giá 5€, café ở Huế", NULL }, /* UCS-2 carries all */
		{ "ascii", "Gia 5€", "€" }, { "ascii", "cafe", NULL },
		{ "ascii", "caf\u00e9", "é" }, { "latin1", "caf\u00e9 £5", NULL },
		{ "latin1", "Gia 5€", "€" }, { "latin1", "Δ", "Δ" },
		{ "gsm0338", "Δ 5€ caf\u00e9", NULL } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct made x = { .h = sms_host() };
		sh_conf(x.h, "form", "accented");
		sh_conf(x.h, "dcs0_charset", rows[i].charset);
		make(&x, rows[i].text, NOTICE);
		assert_int_equal(x.rc, rows[i].bad == NULL ? 0 : -EINVAL);
		if (rows[i].bad != NULL)
			assert_true(says(&x, rows[i].bad) && says(&x, "dcs0_charset"));
		done(&x);
	}
}

static void an_advertising_text_is_labelled_and_says_how_to_refuse(void **state)
{
	struct made x = { .h = sms_host() };

	(void)state;
	make(&x, "Hội chợ việc làm", ADVERTISING);
	assert_int_equal(x.rc, -EINVAL);
	assert_true(says(&x, "how to refuse"));
	done(&x);
	x.h = sms_host();
	sh_conf(x.h, "ad_refusal", "Từ chối: soạn TC gửi 9241");
	make(&x, "Hội chợ việc làm", ADVERTISING);
	assert_int_equal(x.rc, 0);
	assert_true(text_is(&x, "[QC] Hoi cho viec lam Tu choi: soan TC gui 9241"));
	assert_int_equal(x.p.units, 47 + 2); /* the two brackets cost two septets each */
	assert_int_equal(sh_fact(&x.m, "cost.viettel", 0), 550);
	sh_made_done(&x.m);
	make(&x, "[QC] Hội chợ. Từ chối: soạn TC gửi 9241", ADVERTISING);
	assert_true(text_is(&x,
		"[QC] Hoi cho. Tu choi: soan TC gui 9241")); /* what is there is not put there again */
	assert_int_equal(sh_fact(&x.m, "asks_consent", 0), 0);
	sh_made_done(&x.m);
	make(&x, "[DKQC] Đồng ý nhận tin: soạn DK gửi 9241", ADVERTISING);
	assert_true(
		text_is(&x, "[DKQC] Dong y nhan tin: soan DK gui 9241 Tu choi: soan TC gui 9241"));
	assert_int_equal(sh_fact(&x.m, "asks_consent", 0), 1);
	sh_made_done(&x.m);
	make(&x, "Thông báo", NOTICE);
	assert_true(text_is(&x, "Thong bao"));
	done(&x);
}

static void an_operator_that_labels_itself_takes_room(void **state)
{
	struct made x = { .h = sms_host() };
	char text[200];

	(void)state;
	sh_conf(x.h, "ad_label", "");
	sh_conf(x.h, "reserved_chars_ad", "38");
	memset(text, 'a', 123);
	text[123] = '\0';
	make(&x, text, ADVERTISING);
	assert_int_equal(x.p.segments, 2);
	sh_made_done(&x.m);
	text[122] = '\0';
	make(&x, text, ADVERTISING);
	assert_int_equal(x.p.segments, 1);
	done(&x);
}

static void advertising_needs_a_brandname(void **state)
{
	struct made x = { .h = sms_host() };

	(void)state;
	sh_conf(x.h, "sender", "0912345678");
	sh_conf(x.h, "sender_type", "number");
	sh_conf(x.h, "ad_refusal", "TC 9241");
	make(&x, "Hội chợ", ADVERTISING);
	assert_int_equal(x.rc, -EINVAL);
	assert_true(says(&x, "brandname only"));
	done(&x);
}

static void links_and_wording_are_looked_at(void **state)
{
	struct made x = { .h = sms_host() };

	(void)state;
	make(&x, "Xem https://portal.example/1", NOTICE);
	assert_int_equal(x.rc, -EINVAL);
	assert_true(says(&x, "no domain is named under links"));
	sh_made_done(&x.m);
	make(&x, "Đăng nhập để nhận tiền", NOTICE);
	assert_int_equal(x.rc, -EINVAL);
	assert_true(says(&x, "'đăng nhập': a public body asks to log in in no short message"));
	done(&x);
	x.h = sms_host();
	sh_conf(x.h, "links", "portal.example");
	make(&x, "Xem https://portal.example/1", NOTICE);
	assert_int_equal(x.rc, 0);
	done(&x);
}

static void a_template_that_is_over_when_the_text_goes_out_is_none(void **state)
{
	static const char table[] = "gateway\tbrandname\tid\tclass\tstatus\tvalid_to\ttext\tnote\n"
				    "*\tBHXH-VN\tOLD\tcare\tactive\t2026-11-30\tThong bao: {x}\t\n";
	struct made x = { .h = sms_host() };

	(void)state;
	sh_file(x.h, "templates", table);
	sh_conf(x.h, "templates_need", "yes");
	x.at_ms = INT64_C(1796057999000); /* 2026-11-30 23:59:59 in Vietnam */
	make(&x, "Thong bao: abc", NOTICE);
	assert_int_equal(x.rc, 0);
	sh_made_done(&x.m);
	x.at_ms += 1000; /* a second later it is December there, and still November in UTC */
	make(&x, "Thong bao: abc", NOTICE);
	assert_int_equal(x.rc, -EINVAL);
	assert_true(says(&x, "matches template OLD, which is active (valid to 2026-11-30)"));
	done(&x);
}

/* Contract 4.1: warned of 60 days before, refused when it is over. */
static void a_brandname_is_renewed_in_time_or_sends_no_more(void **state)
{
	struct made x = { .h = sms_host() };

	(void)state;
	sh_conf(x.h, "sender_until", "2026-11-30");
	x.at_ms = INT64_C(1796057999000) -
		INT64_C(60) * 86400000; /* 60 days before its last second */
	make(&x, "Thong bao: abc", NOTICE);
	assert_int_equal(x.rc, 0);
	assert_false(says(&x, "registered until"));
	sh_made_done(&x.m);
	x.at_ms += 1000;
	make(&x, "Thong bao: abc", NOTICE);
	assert_int_equal(x.rc, 0);
	assert_true(says(&x, "registered until 2026-11-30: renew it"));
	sh_made_done(&x.m);
	x.at_ms = INT64_C(1796057999000) + 1000;
	make(&x, "Thong bao: abc", NOTICE);
	assert_int_equal(x.rc, -EINVAL);
	assert_true(says(&x, "it is over by the day this goes out"));
	done(&x);
}

static void the_registry_of_templates_is_held_against_the_text(void **state)
{
	static const char ours[] =
		"TTBC-1 đã đăng trên Fanpage và OA của BHXH Hà Nội. Đề nghị kiểm tra; báo lỗi về số trực.";
	struct made x = { .h = sms_host() };

	(void)state;
	sh_file(x.h, "templates", shipped("templates"));
	sh_conf(x.h, "templates_need", "yes");
	make(&x, ours, NOTICE);
	assert_int_equal(x.rc, 0);
	assert_int_equal(x.p.template_id.n, 7);
	assert_memory_equal(x.p.template_id.p, "DUTY-01", 7);
	assert_int_equal(x.p.n_params, 2);
	assert_memory_equal(x.p.params[1].p, "BHXH Ha Noi", 11);
	assert_non_null(strstr(x.m.preview.p, "template: DUTY-01 (active"));
	sh_made_done(&x.m);
	make(&x,
		"TTBC-1 đã đăng trên Fanpage và OA của BHXH Hà Nội. Đề nghị kiểm tra, báo lỗi về số trực.",
		NOTICE);
	assert_int_equal(x.rc, -EINVAL);
	assert_true(says(&x, "nearest is DUTY-01: it has 'tra;' where the text has 'tra,'"));
	done(&x);
}

static void without_a_text_the_title_goes_out(void **state)
{
	struct made x = { .h = sms_host() };

	(void)state;
	make(&x, "", NOTICE);
	assert_int_equal(x.rc, 0);
	assert_true(text_is(&x, "Tieu de"));
	done(&x);
}

static void settings_that_are_wrong_are_refused_with_what_is_right(void **state)
{
	static const char *const rows[][3] = { { "sender", "BHXHVIETNAM1", "1 to 11 characters" },
		{ "sender", "BHXH Việt", "no accents" },
		{ "sender", "12345", "not of digits only" }, { "sender", "", "1 to 11" },
		{ "sender_until", "2026-1-1", "YYYY-MM-DD" },
		{ "sender_type", "long", "brandname, shortcode or number" },
		{ "max_segments", "0", "from 1 to 255" }, { "max_segments", "x", "from 1 to 255" },
		{ "reserved_chars", "61", "from 0 to 60" },
		{ "form", "", "accented, plain or shortest" },
		{ "foreign", "856", "country codes" },
		{ "templates_need", "yes", "table `templates`" },
		{ "ad_label", "a\nb", "control" } };
	char err[300];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sh *h = sms_host();
		struct sh_made m;
		sh_conf(h, rows[i][0], rows[i][1]);
		sh_made_init(&m, h); /* hands the settings over */
		assert_int_equal(sms_conf_check(&h->conf, err, sizeof(err)), -EINVAL);
		if (strstr(err, rows[i][2]) == NULL || strstr(err, rows[i][0]) == NULL)
			fail_msg("%s=%s: '%s' does not say '%s'", rows[i][0], rows[i][1], err,
				rows[i][2]);
		sh_made_done(&m);
		sh_free(h);
	}
	struct sh *h = sms_host();
	struct sh_made m;
	sh_made_init(&m, h);
	assert_int_equal(sms_conf_check(&h->conf, err, sizeof(err)), 0);
	sh_file(h, "templates", "nonsense\n");
	sh_made_done(&m);
	sh_made_init(&m, h);
	assert_int_equal(sms_conf_check(&h->conf, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "table templates, line 1"));
	sh_made_done(&m);
	sh_free(h);
}

static void a_payload_that_is_none_of_ours_is_refused(void **state)
{
	static const char *const bad[] = { "", "x", "lantoa-sms 1\n", "lantoa-sms 1\n\ntext",
		"lantoa-sms 2\nsegments: 1\n\nx", "lantoa-sms 1\nsegments: 0\n\nx",
		"lantoa-sms 1\nsegments: 256\n\nx", "lantoa-sms 1\ncoding: utf8\nsegments: 1\n\nx",
		"lantoa-sms 1\nsegments: 1\n\n\xff", "lantoa-sms 1\nsegments: 1\nwhat: 1\n\nx" };
	struct sms_payload p;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(sms_payload_read(st(bad[i]), &p), -EINVAL);
	struct lt_src pieces[2] = { { .bytes = st("lantoa-sms 1\ncoding: gsm\nsegm") },
		{ .bytes = st("ents: 1\n\nabc\n\ndef") } };
	struct lt_work w = { .payload = pieces, .n_payload = 2 };
	struct ltc_buf join;
	ltc_buf_init(&join, 1000);
	assert_int_equal(sms_payload_of(&w, &join, &p), 0);
	assert_int_equal(p.text.n, 8); /* an empty line in the text is text */
	ltc_buf_done(&join);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sample_goes_out_without_diacritics_by_default),
		cmocka_unit_test(an_accented_lane_sends_utf16_and_pays_more),
		cmocka_unit_test(what_is_too_long_is_refused_and_not_cut),
		cmocka_unit_test(a_text_of_10000_characters_is_refused),
		cmocka_unit_test(broken_utf8_and_control_characters_are_refused),
		cmocka_unit_test(emoji_is_named_where_it_has_no_plain_form),
		cmocka_unit_test(a_gateway_without_unicode_takes_no_accents),
		cmocka_unit_test(forbidden_characters_are_named),
		cmocka_unit_test(a_character_that_the_servers_alphabet_lacks_is_named),
		cmocka_unit_test(an_advertising_text_is_labelled_and_says_how_to_refuse),
		cmocka_unit_test(an_operator_that_labels_itself_takes_room),
		cmocka_unit_test(advertising_needs_a_brandname),
		cmocka_unit_test(links_and_wording_are_looked_at),
		cmocka_unit_test(a_template_that_is_over_when_the_text_goes_out_is_none),
		cmocka_unit_test(a_brandname_is_renewed_in_time_or_sends_no_more),
		cmocka_unit_test(the_registry_of_templates_is_held_against_the_text),
		cmocka_unit_test(without_a_text_the_title_goes_out),
		cmocka_unit_test(settings_that_are_wrong_are_refused_with_what_is_right),
		cmocka_unit_test(a_payload_that_is_none_of_ours_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
