/* test_phone.c - phone numbers: writings, the change of 2018, operators, landlines, numbers abroad. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "common/sms_phone.h"
#include "smstest.h"

static const char *e164(const char *in)
{
	static struct sms_phone p;

	return sms_phone_parse(st(shipped("ranges")), st(in), &p) < 0 ? "(refused)" : p.e164;
}

static const char *class_of(const char *in)
{
	static char name[40];
	struct sms_phone p;

	if (sms_phone_parse(st(shipped("ranges")), st(in), &p) < 0)
		return "(refused)";
	(void)snprintf(name, sizeof(name), "%.*s", (int)p.class.n, p.class.p);
	return name;
}

#define NO_BREAK \
	"0912\302\240345678" /* U+00A0; octal, or the digits behind it would belong to it */

static void every_common_writing_gives_one_form(void **state)
{
	static const char *const same[] = { "0912345678", "+84912345678", "84912345678",
		"0084912345678", "091 234 56 78", "091.234.5678", "(091) 234-5678",
		" +84 (0) 912 345 678 ", NO_BREAK };

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		assert_string_equal(e164(same[i]), "+84912345678");
}

static void what_is_no_number_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *in, *why;
	} rows[] = { { "", "no digit" }, { "abc", "digits only" },
		{ "912345678", "neither with 0 nor with +84" }, { "091234567", "too short" },
		{ "09123456789", "too long" }, { "0800345678", "no mobile range" },
		{ "12345678901234567890", "15 digits" }, { "09123x5678", "digits only" },
		{ "+84+912345678", "digits only" }, { "+1", "7 to 15 digits" },
		{ "0912345678901", "too long" }, { "0992345678", "no mobile range" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sms_phone p;
		assert_int_equal(
			sms_phone_parse(st(shipped("ranges")), st(rows[i].in), &p), -EINVAL);
		if (strstr(p.why, rows[i].why) == NULL)
			fail_msg("%s: '%s' does not say '%s'", rows[i].in, p.why, rows[i].why);
	}
}

static void an_11_digit_number_of_before_2018_becomes_its_10_digit_successor(void **state)
{
	static const char *const rows[][2] = { { "0162", "+8432" }, { "0163", "+8433" },
		{ "0164", "+8434" }, { "0165", "+8435" }, { "0166", "+8436" }, { "0167", "+8437" },
		{ "0168", "+8438" }, { "0169", "+8439" }, { "0123", "+8483" }, { "0124", "+8484" },
		{ "0125", "+8485" }, { "0127", "+8481" }, { "0129", "+8482" }, { "0120", "+8470" },
		{ "0121", "+8479" }, { "0122", "+8477" }, { "0126", "+8476" }, { "0128", "+8478" },
		{ "0186", "+8456" }, { "0188", "+8458" }, { "0199", "+8459" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char old[20], new[20];
		struct sms_phone p;
		(void)snprintf(old, sizeof(old), "%s1234567", rows[i][0]);
		(void)snprintf(new, sizeof(new), "%s1234567", rows[i][1]);
		assert_int_equal(sms_phone_parse(st(shipped("ranges")), st(old), &p), 0);
		assert_string_equal(p.e164, new);
		assert_string_equal(p.old, old);
	}
	assert_string_equal(e164("+841681234567"), "+84381234567");
	assert_string_equal(e164("841681234567"), "+84381234567");
}

static void the_operator_is_the_class(void **state)
{
	static const char *const rows[][2] = { { "0321234567", "viettel" },
		{ "0861234567", "viettel" }, { "0981234567", "viettel" },
		{ "0811234567", "vinaphone" }, { "0941234567", "vinaphone" },
		{ "0701234567", "mobifone" }, { "0931234567", "mobifone" },
		{ "0896234567", "mobifone" }, { "0522234567", "vietnamobile" },
		{ "0921234567", "vietnamobile" }, { "0591234567", "gmobile" },
		{ "0993234567", "gmobile" }, { "0871234567", "itel" }, { "0559234567", "wintel" },
		{ "01681234567", "viettel" }, { "+8562012345678", "laos" },
		{ "+352123456789", "foreign" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(class_of(rows[i][0]), rows[i][1]);
}

static void a_landline_is_refused_for_messages(void **state)
{
	struct sh *h = sms_host();
	struct sh_made m;

	(void)state;
	sh_made_init(&m, h);
	assert_int_equal(sms_address(&h->conf, st("024 3936 1234"), &m.sink), -EINVAL);
	assert_non_null(strstr(m.problems.p, "landline"));
	sh_made_done(&m);
	sh_free(h);
}

static void a_number_abroad_needs_a_route_that_names_its_country(void **state)
{
	struct sh *h = sms_host();
	struct sh_made m;

	(void)state;
	sh_made_init(&m, h);
	assert_int_equal(sms_address(&h->conf, st("+8562012345678"), &m.sink), -EINVAL);
	assert_non_null(strstr(m.problems.p, "abroad (laos)"));
	sh_made_done(&m);
	sh_conf(h, "foreign", "+66 +856");
	sh_made_init(&m, h);
	assert_int_equal(sms_address(&h->conf, st("008562012345678"), &m.sink), 0);
	assert_string_equal(sh_told(&m, "address"), "+8562012345678");
	assert_string_equal(sh_told(&m, "class"), "laos");
	assert_int_equal(sms_address(&h->conf, st("+12025550123"), &m.sink), -EINVAL);
	sh_made_done(&m);
	sh_free(h);
}

static void an_import_is_told_what_was_changed(void **state)
{
	struct sh *h = sms_host();
	struct sh_made m;

	(void)state;
	sh_made_init(&m, h);
	assert_int_equal(sms_address(&h->conf, st("0168 123 4567"), &m.sink), 0);
	assert_string_equal(sh_told(&m, "address"), "+84381234567");
	assert_string_equal(sh_told(&m, "kind"), "mobile");
	assert_string_equal(sh_told(&m, "changed"), "01681234567");
	sh_made_done(&m);
	sh_free(h);
}

static void gateways_get_the_form_they_want(void **state)
{
	char out[24];

	(void)state;
	sms_phone_write(st("+84912345678"), SMS_PHONE_84, out, sizeof(out));
	assert_string_equal(out, "84912345678");
	sms_phone_write(st("+84912345678"), SMS_PHONE_0, out, sizeof(out));
	assert_string_equal(out, "0912345678");
	sms_phone_write(st("+84912345678"), SMS_PHONE_PLUS84, out, sizeof(out));
	assert_string_equal(out, "+84912345678");
	sms_phone_write(st("+8562012345678"), SMS_PHONE_0, out, sizeof(out));
	assert_string_equal(out, "008562012345678");
}

static void a_broken_table_is_refused_with_its_line(void **state)
{
	static const char *const rows[][2] = { { "kind\tprefix\n", "first row" },
		{ "kind\tprefix\tdigits\tclass\tnote\nmobil\t32\t9\tviettel\t-\n",
			"line 2: kind 'mobil'" },
		{ "kind\tprefix\tdigits\tclass\tnote\n# x\nmobile\t3x\t9\tviettel\t-\n",
			"line 3: prefix '3x'" },
		{ "kind\tprefix\tdigits\tclass\tnote\nmobile\t32\t0\tviettel\t-\n", "digits '0'" },
		{ "kind\tprefix\tdigits\tclass\tnote\nmobile\t32\t9\tViettel\t-\n",
			"class 'Viettel'" },
		{ "kind\tprefix\tdigits\tclass\tnote\nold\t162\t10\tx\t-\n", "class 'x'" },
		{ "kind\tprefix\tdigits\tclass\tnote\nmobile\t32\t9\n", "3 columns" },
		{ "kind\tprefix\tdigits\tclass\tnote\nfixed\t2\t10\t-\t-\n",
			"no row of kind mobile" } };
	char err[300];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(sms_ranges_check(st(rows[i][0]), err, sizeof(err)), -EINVAL);
		if (strstr(err, rows[i][1]) == NULL)
			fail_msg("'%s' does not say '%s'", err, rows[i][1]);
	}
	assert_int_equal(sms_ranges_check(st(shipped("ranges")), err, sizeof(err)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_common_writing_gives_one_form),
		cmocka_unit_test(what_is_no_number_is_refused_with_a_reason),
		cmocka_unit_test(an_11_digit_number_of_before_2018_becomes_its_10_digit_successor),
		cmocka_unit_test(the_operator_is_the_class),
		cmocka_unit_test(a_landline_is_refused_for_messages),
		cmocka_unit_test(a_number_abroad_needs_a_route_that_names_its_country),
		cmocka_unit_test(an_import_is_told_what_was_changed),
		cmocka_unit_test(gateways_get_the_form_they_want),
		cmocka_unit_test(a_broken_table_is_refused_with_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
