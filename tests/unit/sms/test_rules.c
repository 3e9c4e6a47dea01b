/* test_rules.c - prices, registered templates, wording and links. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "common/sms_price.h"
#include "common/sms_rules.h"
#include "common/sms_template.h"
#include "smstest.h"

static bool is(struct lt_str s, const char *want)
{
	return s.n == strlen(want) && memcmp(s.p, want, s.n) == 0;
}

/* --- prices --- */
static void the_first_row_that_matches_is_the_price(void **state)
{
	static const char table[] =
		"gateway\tclass\tcategory\tcoding\tdong\tnote\nesms\tviettel\t*\tucs2\t350.5\t-\n"
		"esms\tviettel\t*\t*\t300\t-\n*\t*\tadvertising\t*\t700\t-\n";
	struct sms_price_of of = { st("esms"), st("viettel"), st("internal"), SMS_UCS2 };

	(void)state;
	assert_int_equal(sms_price(st(table), &of), 350500);
	of.coding = SMS_GSM;
	assert_int_equal(sms_price(st(table), &of), 300000);
	of.class = st("mobifone");
	assert_int_equal(sms_price(st(table), &of), -1);
	of.category = st("advertising");
	assert_int_equal(sms_price(st(table), &of), 700000);
}

static void a_broken_price_table_is_refused_with_its_line(void **state)
{
	char err[300];

	(void)state;
	assert_int_equal(
		sms_prices_check(
			st("gateway\tclass\tcategory\tcoding\tdong\tnote\n*\t*\tads\t*\t1\t-\n"),
			err, sizeof(err)),
		-EINVAL);
	assert_non_null(strstr(err, "line 2: category 'ads'"));
	assert_int_equal(
		sms_prices_check(
			st("gateway\tclass\tcategory\tcoding\tdong\tnote\n*\t*\t*\t*\t1,5\t-\n"),
			err, sizeof(err)),
		-EINVAL);
	assert_non_null(strstr(err, "dong '1,5'"));
	assert_int_equal(
		sms_prices_check(
			st("gateway\tclass\tcategory\tcoding\tdong\tnote\n*\t*\t*\tutf8\t1\t-\n"),
			err, sizeof(err)),
		-EINVAL);
	assert_int_equal(sms_prices_check(st(shipped("prices")), err, sizeof(err)), 0);
}

/* --- templates --- */
#define HEAD "gateway\tbrandname\tid\tclass\tstatus\tvalid_to\ttext\tnote\n"
static const char templates[] = HEAD
	"*\tBHXH-VN\tT1\tcare\tactive\t-\tBHXH {tinh} thong bao: lich tra the tu {ngay:10}.\t-\n"
	"*\tBHXH-VN\tT2\tcare\tactive\t2026-12-31\tMa ho so {ma} da xong.\\nSo truc {so}\t-\n"
	"*\tBHXH-VN\tT3\tcare\texpired\t-\tTin cu\t-\n"
	"viettel\tOTHER\tT4\tcare\tactive\t-\tKhac\t-\n";

static struct sms_template_hit match(const char *text)
{
	struct sms_template_hit h;

	(void)sms_template_match(st(templates), st("esms"), st("BHXH-VN"), st(""), st(text), &h);
	return h;
}

static void a_text_names_the_template_that_it_matches_and_its_fields(void **state)
{
	struct sms_template_hit h = match("BHXH Dien Bien thong bao: lich tra the tu 01/12/2026.");

	(void)state;
	assert_true(h.matched);
	assert_true(is(h.id, "T1"));
	assert_int_equal(h.n_fields, 2);
	assert_true(is(h.fields[0], "Dien Bien"));
	assert_true(is(h.fields[1], "01/12/2026"));
	h = match("Ma ho so 12 34 da xong.\nSo truc 0200 000 035");
	assert_true(h.matched);
	assert_true(is(h.fields[0], "12 34"));
	assert_true(is(h.fields[1], "0200 000 035"));
}

static void one_character_off_names_the_nearest_template_and_the_first_word_that_differs(
	void **state)
{
	struct sms_template_hit h = match("BHXH Dien Bien thong bao: lich tra te tu 01/12/2026.");

	(void)state;
	assert_false(h.matched);
	assert_true(is(h.id, "T1"));
	assert_true(is(h.want, "the"));
	assert_true(is(h.got, "te"));
	h = match("Ma ho so 1234 da xong. So truc"); /* ends before the last field */
	assert_true(is(h.id, "T2"));
	assert_false(h.matched);
	h = match("BHXH Dien Bien thong bao: lich tra the tu 01/12/2026"); /* full stop missing */
	assert_false(h.matched);
	assert_true(is(h.id, "T1"));
}

static void a_field_keeps_its_length_and_takes_no_line_end(void **state)
{
	(void)state;
	assert_false(match("BHXH A thong bao: lich tra the tu 01/12/2026 den het.").matched);
	assert_false(match("BHXH A\nB thong bao: lich tra the tu 01/12.").matched);
	assert_false(match("BHXH  thong bao: lich tra the tu 01/12.").matched); /* an empty field */
}

static void templates_of_other_brandnames_and_old_ones_do_not_count(void **state)
{
	struct sms_template_hit h;

	(void)state;
	assert_int_equal(
		sms_template_match(st(templates), st("esms"), st("OTHER"), st(""), st("Khac"), &h),
		0);
	assert_int_equal(sms_template_match(
				 st(templates), st("viettel"), st("other"), st(""), st("Khac"), &h),
		1);
	assert_true(h.matched);
	h = match("Tin cu");
	assert_true(h.matched);
	assert_true(is(h.status, "expired"));
	assert_int_equal(sms_template_match(st(templates), st(""), st("BHXH-VN"), st("2027-01-01"),
				 st("Ma ho so 1 da xong.\nSo truc 2"), &h),
		3);
	assert_true(h.matched); /* and the caller sees until when */
	assert_true(is(h.valid_to, "2026-12-31"));
}

static void a_template_that_invites_endless_trials_gives_up(void **state)
{
	char text[2000];
	struct sms_template_hit h;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)sms_template_match(
		st(HEAD "*\tB\tX\tc\tactive\t-\t{a}a{b}a{c}a{d}a{e}a{f}a{g}a{h}b\t-\n"), st(""),
		st("B"), st(""), st(text), &h);
	assert_false(h.matched);
}

static void a_broken_template_table_is_refused_with_its_line(void **state)
{
	char err[300];

	(void)state;
	assert_int_equal(
		sms_templates_check(st(HEAD "*\tB\tX\tc\ton\t-\tx\t-\n"), err, sizeof(err)),
		-EINVAL);
	assert_non_null(strstr(err, "line 2: status 'on'"));
	assert_int_equal(sms_templates_check(st(HEAD "*\tB\tX\tc\tactive\t31/12/2026\tx\t-\n"), err,
				 sizeof(err)),
		-EINVAL);
	assert_non_null(strstr(err, "valid_to"));
	assert_int_equal(sms_templates_check(
				 st(HEAD "*\tB\tX\tc\tactive\t-\tx {open\t-\n"), err, sizeof(err)),
		-EINVAL);
	assert_non_null(strstr(err, "text"));
	assert_int_equal(sms_templates_check(st(shipped("templates")), err, sizeof(err)), 0);
	assert_int_equal(sms_templates_check(st(templates), err, sizeof(err)), 0);
}

/* --- wording --- */
static bool refused(const char *text)
{
	struct lt_str phrase, why;

	return sms_rules_wording(st(shipped("words")), st(text), &phrase, &why);
}

static void wording_that_asks_to_log_in_pay_or_give_a_code_is_refused(void **state)
{
	(void)state;
	assert_true(refused("Vui lòng đăng nhập để nhận trợ cấp"));
	assert_true(refused("VUI LONG DANG  NHAP"));
	assert_true(refused("Nhap mat\nkhau cua ban"));
	assert_true(refused("Cung cap ma OTP de xac nhan"));
	assert_true(refused("Chuyển khoản phí hồ sơ"));
	assert_false(refused("Thẻ BHYT có giá trị từ 01/12"));
	assert_false(
		refused("Khau hieu: mat trai tim")); /* words of the phrase, but not the phrase */
	assert_false(refused("danggnhap"));
}

static void a_warning_of_fraud_may_name_what_it_warns_of(void **state)
{
	(void)state;
	assert_false(refused("Đề nghị không cung cấp mã OTP cho bất kỳ ai"));
	assert_true(refused("Không cung cấp mã OTP cho ai; hãy nhập mã OTP tại đây"));
}

static void a_broken_list_of_words_is_refused_with_its_line(void **state)
{
	char err[300];

	(void)state;
	assert_int_equal(
		sms_words_check(st("kind\tword\tas\tnote\nban\tx\t-\t-\n"), err, sizeof(err)),
		-EINVAL);
	assert_non_null(strstr(err, "line 2: kind 'ban'"));
	assert_int_equal(
		sms_words_check(st("kind\tword\tas\tnote\nas\tx\tế\t-\n"), err, sizeof(err)),
		-EINVAL);
	assert_non_null(strstr(err, "GSM"));
	assert_int_equal(sms_words_check(st("kind\tword\tas\tnote\nas\te\xcc\x82\te\t-\n"), err,
				 sizeof(err)),
		-EINVAL);
	assert_non_null(strstr(err, "NFC"));
	assert_int_equal(sms_words_check(st(shipped("words")), err, sizeof(err)), 0);
}

/* --- links --- */
static void links_lead_to_our_own_domains_only(void **state)
{
	static const struct {
		const char *text;
		const char *link; /* NULL: none that is foreign */
	} rows[] = { { "Xem https://portal.bhxh.example/ttbc/112.", NULL },
		{ "Xem portal.bhxh.example", NULL }, { "bhxh.example/x", NULL },
		{ "Xem http://bit.ly/abc", "http://bit.ly/abc" }, { "bit.ly/abc!", "bit.ly/abc" },
		{ "www.x-bhxh.example", "www.x-bhxh.example" },
		{ "https://bhxh.example@evil.top/x", "https://bhxh.example@evil.top/x" },
		{ "https://evil.top\\@bhxh.example", "https://evil.top\\@bhxh.example" },
		{ "https://bhxh.example.evil.com", "https://bhxh.example.evil.com" },
		{ "https://notbhxh.example", "https://notbhxh.example" },
		{ "https://bhxh.examplé/", "https://bhxh.examplé/" },
		{ "http://10.0.0.1/x", "http://10.0.0.1/x" }, { "10.0.0.1/x", "10.0.0.1/x" },
		{ "HTTPS://BHXH.EXAMPLE/A", NULL }, { "https://bhxh.example:8443/a", NULL },
		{ "lienhe@gmail.com", NULL }, { "TP.HCM, Q.1, v.v.", NULL },
		{ "Ngày 01.12.2026, 612.617 người", NULL }, { "bhxh.com.vn", "bhxh.com.vn" },
		{ "(evil.com)", "evil.com" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lt_str link = { NULL, 0 };
		size_t at = 0;
		bool found = sms_rules_link(
			st(rows[i].text), st("portal.bhxh.example bhxh.example"), &at, &link);
		if (found != (rows[i].link != NULL) || (found && !is(link, rows[i].link)))
			fail_msg("%s: %.*s", rows[i].text, (int)link.n, link.n > 0 ? link.p : "");
	}
	struct lt_str link;
	size_t at = 0;
	assert_true(sms_rules_link(
		st("https://bhxh.example"), st(""), &at, &link)); /* none by default */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_row_that_matches_is_the_price),
		cmocka_unit_test(a_broken_price_table_is_refused_with_its_line),
		cmocka_unit_test(a_text_names_the_template_that_it_matches_and_its_fields),
		cmocka_unit_test(
			one_character_off_names_the_nearest_template_and_the_first_word_that_differs),
		cmocka_unit_test(a_field_keeps_its_length_and_takes_no_line_end),
		cmocka_unit_test(templates_of_other_brandnames_and_old_ones_do_not_count),
		cmocka_unit_test(a_template_that_invites_endless_trials_gives_up),
		cmocka_unit_test(a_broken_template_table_is_refused_with_its_line),
		cmocka_unit_test(wording_that_asks_to_log_in_pay_or_give_a_code_is_refused),
		cmocka_unit_test(a_warning_of_fraud_may_name_what_it_warns_of),
		cmocka_unit_test(a_broken_list_of_words_is_refused_with_its_line),
		cmocka_unit_test(links_lead_to_our_own_domains_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
