/* test_audience.c - rules of audiences: read, refused with what would be right, written in one canonical form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/assert.h"
#include "base/json.h"
#include "model/audience.h"

static int canonical(const char *text, struct buf *ret, struct err *e)
{
	cJSON *j CLEANUP_JSON = NULL;
	CLEANUP(audience_free) struct audience *a = NULL;
	*e = (struct err){ 0 };
	int rc = json_parse(str_of(text), 1u << 20, &j, e);
	if (rc == 0)
		rc = audience_from_json(j, &a, e);
	return rc < 0 ? rc : audience_to_json(a, ret);
}

static void a_rule_has_one_canonical_form(void **state)
{
	(void)state;
	static const char *const same[] = {
		"{\"any\":[{\"region\":[\"bac\",\"nam\"],\"tag\":[\"page\"]}],\"not\":[],\"broad\":false}",
		"{\"any\":[{\"tag\":\"page\",\"region\":[\"nam\",\"bac\",\"nam\"]}]}",
		"{\"not\":[],\"any\":{\"tag\":[\" page \"],\"region\":[\"bac\",\"nam\"]}}",
	};
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		struct buf b CLEANUP_BUF;
		struct err e;
		buf_init(&b, 4096);
		assert_int_equal(canonical(same[i], &b, &e), 0);
		assert_string_equal(buf_z(&b), same[0]);
	}
}

static void names_come_out_in_nfc_and_read_back_alike(void **state)
{
	(void)state;
	struct buf b CLEANUP_BUF, c CLEANUP_BUF;
	struct err e;
	buf_init(&b, 4096);
	buf_init(&c, 4096);
	assert_int_equal(canonical("{\"any\":[{\"tag\":[\"ba\xcc\x81o\"]}]}", &b, &e), 0);
	assert_non_null(strstr(buf_z(&b), "b\xc3\xa1o"));
	assert_int_equal(canonical(buf_z(&b), &c, &e), 0);
	assert_string_equal(buf_z(&b), buf_z(&c));
}

static void everybody_must_be_meant(void **state)
{
	(void)state;
	struct buf b CLEANUP_BUF;
	struct err e;
	buf_init(&b, 4096);
	assert_int_equal(canonical("{\"not\":[{\"tag\":[\"press\"]}]}", &b, &e), -EINVAL);
	assert_non_null(strstr(e.text, "broad: true"));
	assert_int_equal(canonical("{\"broad\":true,\"not\":[{\"tag\":[\"press\"]}]}", &b, &e), 0);
	assert_int_equal(
		canonical("{\"broad\":true,\"any\":[{\"tag\":[\"press\"]}]}", &b, &e), -EINVAL);
	assert_int_equal(canonical("{\"broad\":\"yes\"}", &b, &e), -EINVAL);
	assert_non_null(strstr(e.text, "not yes"));
}

static void wrong_rules_are_refused_with_what_would_be_right(void **state)
{
	(void)state;
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "{\"any\":[{\"regoin\":[\"bac\"]}]}", "did you mean 'region'?" },
		{ "{\"al\":[]}", "unknown key 'al'" },
		{ "{\"any\":[{}]}", "a clause names at least one of" },
		{ "{\"any\":[{\"tag\":[]}]}", "'tag' is empty" },
		{ "{\"any\":[{\"tag\":[3]}]}", "takes a name or a list of names" },
		{ "{\"any\":[{\"tag\":[\"\"]}]}", "empty, too long or unprintable" },
		{ "{\"any\":[{\"tag\":[\"a\"]},{\"office\":7}]}", "any, clause 2" },
		{ "[]", "a rule has the keys" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b CLEANUP_BUF;
		struct err e;
		buf_init(&b, 4096);
		assert_int_equal(canonical(cases[i].text, &b, &e), -EINVAL);
		assert_non_null(strstr(e.text, cases[i].part));
	}
}

static void rules_are_bounded(void **state)
{
	(void)state;
	struct buf text CLEANUP_BUF, b CLEANUP_BUF;
	struct err e;
	buf_init(&text, 1u << 20);
	buf_init(&b, 1u << 20);
	buf_addz(&text, "{\"any\":[");
	for (int i = 0; i <= AUDIENCE_CLAUSES_MAX; i++)
		buf_addf(&text, "%s{\"tag\":[\"t%d\"]}", i ? "," : "", i);
	buf_addz(&text, "]}");
	assert_int_equal(canonical(buf_z(&text), &b, &e), -E2BIG);
	buf_reset(&text);
	buf_addz(&text, "{\"any\":[{\"tag\":[");
	for (int i = 0; i <= AUDIENCE_VALUES_MAX; i++)
		buf_addf(&text, "%s\"t%d\"", i ? "," : "", i);
	buf_addz(&text, "]}]}");
	assert_int_equal(canonical(buf_z(&text), &b, &e), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_has_one_canonical_form),
		cmocka_unit_test(names_come_out_in_nfc_and_read_back_alike),
		cmocka_unit_test(everybody_must_be_meant),
		cmocka_unit_test(wrong_rules_are_refused_with_what_would_be_right),
		cmocka_unit_test(rules_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
