/* test_when.c - times, durations, dates and zones as editors write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "base/assert.h"
#include "model/when.h"

static int64_t utc(int y, int mo, int d, int h, int mi)
{
	struct zone z = { "UTC", 0 };
	struct civil c = { .year = y, .month = mo, .day = d, .hour = h, .minute = mi };
	return civil_to_ms(&c, &z);
}

static void every_way_to_write_a_moment_means_the_same(void **state)
{
	(void)state;
	static const char *const forms[] = { "2026-11-23 08:00", "23/11/2026 08:00",
		"08h00 23/11/2026", "2026-11-23T08:00", "8h 23/11/2026", "08:00 ngày 23/11/2026",
		"23/11/2026, 08:00:00", "23-11-2026 8h00", " 2026-11-23 08:00 ",
		"08h00, 23.11.2026" };
	struct zone z = zone_vietnam();
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct when w = { 0 };
		struct err e = { 0 };
		assert_int_equal(when_parse(str_of(forms[i]), &z, &w, &e), 0);
		assert_int_equal(w.kind, WHEN_AT);
		assert_int_equal(w.ms, utc(2026, 11, 23, 1, 0));
	}
}

static void a_month_first_date_is_never_guessed(void **state)
{
	(void)state;
	struct zone z = zone_vietnam();
	struct when w = { WHEN_NOW, 7 };
	struct err e = { 0 };
	assert_int_equal(when_parse(STR("11/23/2026 08:00"), &z, &w, &e), -EINVAL);
	assert_non_null(strstr(e.text, "no month 23"));
	assert_non_null(strstr(e.text, "23/11/2026"));
	assert_int_equal(w.kind, WHEN_NOW); /* untouched */
	assert_int_equal(w.ms, 7);
	assert_int_equal(when_parse(STR("05/06/2026 00:00"), &z, &w, &e), 0);
	assert_int_equal(w.ms, utc(2026, 6, 4, 17, 0)); /* 5 June in Vietnam */
}

static void what_is_no_moment_is_refused_with_a_way_out(void **state)
{
	(void)state;
	static const struct {
		const char *in, *says;
	} bad[] = { { "", "is no time" }, { "tomorrow", "is no time" },
		{ "2026-11-23", "no time of day" }, { "23/11/2026", "no time of day" },
		{ "2026-02-29 08:00", "no such day" }, { "31/04/2026 08:00", "no such day" },
		{ "2026-11-23 24:00", "hours go from" }, { "2026-11-23 08:60", "no time" },
		{ "1890-11-23 08:00", "between 1970" }, { "2026-11-23 08:00 +07:00", "is no time" },
		{ "2026-11-23  ", "no time of day" }, { "23/11/26 08:00", "is no time" },
		{ "2026-11-23 08:5", "is no time" }, { "2026-11-23 08:00:5", "is no time" },
		{ "8h5 23/11/2026", "is no time" }, { "20 m", "is no time" },
		{ "10x", "no duration" }, { "Now", "is no time" } };
	struct zone z = zone_vietnam();
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct when w;
		struct err e = { 0 };
		assert_int_equal(when_parse(str_of(bad[i].in), &z, &w, &e), -EINVAL);
		if (strstr(e.text, bad[i].says) == NULL)
			fail_msg("'%s' said: %s", bad[i].in, e.text);
	}
}

static void durations_add_their_units_up_and_have_a_ceiling(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		int64_t ms;
	} good[] = { { "10s", 10000 }, { "20m", 1200000 }, { "12h", 43200000 }, { "2d", 172800000 },
		{ "1h30m", 5400000 }, { "1d2h3m4s", 93784000 }, { "0s", 0 },
		{ "3660d", WHEN_DURATION_MAX_MS } };
	static const char *const bad[] = { "", "s", "10", "10ms", "3661d", "9999999999d",
		"99999999999s", "1m1h", "1h1h", "-5s", "1.5h", "10 s" };
	int64_t ms = -1;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct err e = { 0 };
		assert_int_equal(when_parse_duration(str_of(good[i].in), &ms, &e), 0);
		assert_int_equal(ms, good[i].ms);
	}
	ms = 42;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(when_parse_duration(str_of(bad[i]), &ms, NULL), -EINVAL);
	assert_int_equal(ms, 42);
}

static void now_and_durations_count_from_the_base(void **state)
{
	(void)state;
	struct zone z = zone_vietnam();
	struct when w;
	assert_int_equal(when_parse(STR("now"), &z, &w, NULL), 0);
	assert_int_equal(when_resolve(&w, 1000), 1000);
	assert_int_equal(when_parse(STR("10s"), &z, &w, NULL), 0);
	assert_int_equal(w.kind, WHEN_AFTER_DURATION);
	assert_int_equal(when_resolve(&w, 1000), 11000);
	w = (struct when){ WHEN_AT, 5 };
	assert_int_equal(when_resolve(&w, 1000), 5);
	w = (struct when){ WHEN_NONE, 5 };
	assert_int_equal(when_resolve(&w, 1000), 1000);
}

static void civil_time_agrees_with_the_c_library_over_two_centuries(void **state)
{
	(void)state;
	struct zone z = { "UTC", 0 };
	for (int64_t s = 0; s < INT64_C(7258118400); s += 86400 * 13 + 4567) {
		time_t t = (time_t)s;
		struct tm tm;
		struct civil c;
		assert_non_null(gmtime_r(&t, &tm));
		civil_from_ms(s * 1000, &z, &c);
		assert_int_equal(c.year, tm.tm_year + 1900);
		assert_int_equal(c.month, tm.tm_mon + 1);
		assert_int_equal(c.day, tm.tm_mday);
		assert_int_equal(c.hour * 3600 + c.minute * 60 + c.second,
			tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec);
		assert_int_equal(c.weekday, tm.tm_wday);
		assert_int_equal(civil_to_ms(&c, &z), s * 1000);
	}
	struct civil c;
	civil_from_ms(-1, &z, &c);
	assert_int_equal(c.year, 1969);
	assert_int_equal(c.second, 59);
	assert_int_equal(c.weekday, 3);
}

static void a_moment_is_echoed_in_vietnamese_and_english(void **state)
{
	(void)state;
	struct zone z = zone_vietnam();
	char text[WHEN_TEXT_MAX];
	int64_t ms = utc(2026, 11, 23, 1, 0);
	assert_string_equal(
		when_print(text, sizeof(text), ms, &z, WHEN_VI), "Thứ Hai, 23/11/2026, 08:00");
	assert_string_equal(
		when_print(text, sizeof(text), ms, &z, WHEN_EN), "Monday, 23 November 2026, 08:00");
	assert_string_equal(when_print_short(text, sizeof(text), ms, &z), "2026-11-23 08:00");
	assert_string_equal(when_print(text, sizeof(text), utc(2026, 11, 28, 17, 0), &z, WHEN_VI),
		"Chủ Nhật, 29/11/2026, 00:00");
	assert_string_equal(when_print_duration(text, sizeof(text), 5400000), "1h30m");
	assert_string_equal(when_print_duration(text, sizeof(text), 0), "0s");
	struct when w = { WHEN_AFTER_DURATION, 1200000 };
	assert_string_equal(
		when_print_when(text, sizeof(text), &w, &z, WHEN_EN), "20m after approval");
	w = (struct when){ WHEN_AT, ms };
	assert_string_equal(
		when_print_when(text, sizeof(text), &w, &z, WHEN_VI), "Thứ Hai, 23/11/2026, 08:00");
}

static void zones_are_few_and_anything_else_is_refused(void **state)
{
	(void)state;
	struct zone z = { "before", 1 };
	struct err e = { 0 };
	assert_int_equal(zone_parse(STR("Asia/Ho_Chi_Minh"), &z, &e), 0);
	assert_int_equal(z.offset_s, 25200);
	assert_int_equal(zone_parse(STR("UTC"), &z, &e), 0);
	assert_int_equal(z.offset_s, 0);
	assert_int_equal(zone_parse(STR("-03:30"), &z, &e), 0);
	assert_int_equal(z.offset_s, -12600);
	assert_string_equal(z.name, "-03:30");
	static const char *const bad[] = { "", "Europe/Berlin", "+7:00", "+15:00", "07:00",
		"+07:60", "+0a:00" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		e.text[0] = '\0';
		assert_int_equal(zone_parse(str_of(bad[i]), &z, &e), -EINVAL);
		assert_non_null(strstr(e.text, "+07:00"));
	}
	assert_int_equal(z.offset_s, -12600);
}

static void dates_are_read_alone_for_letters_and_campaigns(void **state)
{
	(void)state;
	struct civil c;
	struct err e = { 0 };
	assert_int_equal(when_parse_date(STR("2026-10-20"), &c, &e), 0);
	assert_int_equal(c.day, 20);
	assert_int_equal(c.weekday, 2);
	assert_int_equal(when_parse_date(STR("20/10/2026"), &c, &e), 0);
	assert_int_equal(c.month, 10);
	assert_int_equal(when_parse_date(STR("2026-10-20 08:00"), &c, &e), -EINVAL);
	assert_int_equal(when_parse_date(STR("10/20/2026"), &c, &e), -EINVAL);
}

static void a_weekday_that_does_not_fit_its_date_is_found(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int said, is;
	} slips[] = { { "Họp báo vào Thứ Hai, ngày 24/11/2026 tại Hà Nội", 1, 2 },
		{ "THỨ HAI (24-11-2026)", 1, 2 }, { "chủ nhật ngày 24 tháng 11 năm 2026", 0, 2 },
		{ "on Monday, 24 November 2026.", 1, 2 }, { "Thứ 6, 24/11/2026", 5, 2 },
		{ "Thứ Hai, 23/11/2026 và Thứ Ba, 25/11/2026", 2, 3 } };
	static const char *const fine[] = { "Thứ Hai, ngày 23/11/2026", "Chủ Nhật, 22/11/2026",
		"thứ ba, 24.11.2026", "Thứ hai, Bộ trưởng nói ngày 24/11/2026",
		"Monday, 23 November 2026", "thứ 2 trong 24 nước", "Thứ Hai, 45/11/2026",
		"Điều thứ ba 12/13/2026", "" };
	struct weekday_slip s;
	for (size_t i = 0; i < ARRAY_LEN(slips); i++) {
		if (!when_find_weekday_slip(str_of(slips[i].text), 0, &s))
			fail_msg("not found: %s", slips[i].text);
		assert_int_equal(s.said, slips[i].said);
		assert_int_equal(s.is, slips[i].is);
		assert_false(when_find_weekday_slip(str_of(slips[i].text), s.at + s.len, &s));
	}
	for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
		if (when_find_weekday_slip(str_of(fine[i]), 0, &s))
			fail_msg("found one in: %s", fine[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_to_write_a_moment_means_the_same),
		cmocka_unit_test(a_month_first_date_is_never_guessed),
		cmocka_unit_test(what_is_no_moment_is_refused_with_a_way_out),
		cmocka_unit_test(durations_add_their_units_up_and_have_a_ceiling),
		cmocka_unit_test(now_and_durations_count_from_the_base),
		cmocka_unit_test(civil_time_agrees_with_the_c_library_over_two_centuries),
		cmocka_unit_test(a_moment_is_echoed_in_vietnamese_and_english),
		cmocka_unit_test(zones_are_few_and_anything_else_is_refused),
		cmocka_unit_test(dates_are_read_alone_for_letters_and_campaigns),
		cmocka_unit_test(a_weekday_that_does_not_fit_its_date_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
