/* test_params.c - what a request is not allowed to say: names that are empty or no text, parameters that an act would pass over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "ctl/ctl_internal.h"

static int check(const char *method, const char *json, struct err *e)
{
	cJSON *params CLEANUP_JSON = NULL;
	*e = (struct err){ 0 };
	assert_int_equal(json_parse(str_of(json), 1000, &params, e), 0);
	return ctl_params_check(method, params, e);
}

static void refused(const char *method, const char *json, const char *word)
{
	struct err e;
	if (check(method, json, &e) != -EINVAL || !strstr(e.text, word))
		fail_msg("%s %s: %d %s", method, json, e.code, e.text);
}

static void taken(const char *method, const char *json)
{
	struct err e;
	if (check(method, json, &e))
		fail_msg("%s %s: %s", method, json, e.text);
}

static void an_empty_name_is_no_leave_to_take_all(void **state)
{
	(void)state;
	refused("delivery.cancel", "{\"release\":\"R-1\",\"office\":\"\",\"why\":\"x\"}",
		"'office'");
	refused("release.recall", "{\"release\":\"R-1\",\"part\":\" \",\"why\":\"x\"}", "'part'");
	refused("delivery.list", "{\"release\":\"\"}", "'release'");
	refused("status", "{\"as\":\"\"}", "'as'");
	taken("delivery.list", "{\"release\":null,\"after\":\"\"}");
}

static void names_are_compared_in_one_form(void **state)
{
	cJSON *p CLEANUP_JSON = NULL;
	struct err e;
	(void)state;
	assert_int_equal(
		json_parse(STR("{\"as\":\"Duye\xcc\xa3\xcc\x82t\",\"for\":\"Bie\xcc\x82n\","
			       "\"deputy\":\"Bi\xc3\xaan\",\"hash\":\"e\xcc\x82\",\"part\":7}"),
			1000, &p, &e),
		0);
	ctl_params_compose(p);
	assert_string_equal(json_z(p, "as", ""), "Duyệt");
	assert_string_equal(json_z(p, "for", ""), "Biên");
	assert_string_equal(json_z(p, "deputy", ""), "Biên");
	assert_string_equal(json_z(p, "hash", ""), "e\xcc\x82");
	assert_int_equal(json_i64(p, "part", 0), 7);
}

static void a_reason_says_something(void **state)
{
	(void)state;
	refused("targets.forget", "{\"address\":\"a@b\",\"why\":\" \\n\"}", "'why'");
	taken("release.approve", "{\"release\":\"R-1\",\"hash\":\"x\"}");
}

static void a_name_that_is_a_number_is_not_passed_over(void **state)
{
	(void)state;
	refused("delivery.cancel", "{\"release\":\"R-1\",\"part\":1,\"why\":\"x\"}", "'part'");
	refused("queue.hold", "{\"release\":\"R-1\",\"office\":79,\"why\":\"x\"}", "'office'");
	refused("status", "{\"as\":5}", "'as'");
	refused("queue.hold", "{\"all\":true,\"except\":[\"urgent\"],\"why\":\"x\"}", "'except'");
	refused("delivery.cancel", "{\"release\":\"R-1\",\"deliveries\":12,\"why\":\"x\"}",
		"'deliveries'");
}

static void a_look_that_is_misspelt_is_no_act(void **state)
{
	(void)state;
	refused("delivery.cancel", "{\"release\":\"R-1\",\"dry\":\"true\",\"why\":\"x\"}", "'dry'");
	refused("targets.import", "{\"upload\":\"u\",\"dry\":1}", "'dry'");
	taken("delivery.cancel",
		"{\"release\":\"R-1\",\"dry\":true,\"as\":\"lan\",\"as_key\":\"k\"}");
}

static void an_act_takes_nothing_that_it_does_not_know(void **state)
{
	(void)state;
	refused("delivery.cancel", "{\"release\":\"R-1\",\"ofice\":\"hue\",\"why\":\"x\"}",
		"'ofice'");
	refused("delivery.resolve", "{\"campaign\":\"c\",\"release\":\"R-1\",\"how\":\"sent\"}",
		"'campaign'");
	refused("channel.pause", "{\"channel\":\"mail\",\"release\":\"R-1\",\"why\":\"x\"}",
		"'release'");
	refused("release.recall", "{\"release\":\"R-1\",\"channel\":\"facebook\",\"why\":\"x\"}",
		"'channel'");
	taken("delivery.resolve",
		"{\"deliveries\":[1],\"how\":\"sent\",\"link\":\"x\",\"why\":\"x\"}");
	taken("queue.hold",
		"{\"all\":true,\"until\":1795421686461,\"except\":\"urgent\",\"why\":\"x\"}");
	taken("queue.show", "{\"whatever\":1}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_name_is_no_leave_to_take_all),
		cmocka_unit_test(names_are_compared_in_one_form),
		cmocka_unit_test(a_reason_says_something),
		cmocka_unit_test(a_name_that_is_a_number_is_not_passed_over),
		cmocka_unit_test(a_look_that_is_misspelt_is_no_act),
		cmocka_unit_test(an_act_takes_nothing_that_it_does_not_know),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
