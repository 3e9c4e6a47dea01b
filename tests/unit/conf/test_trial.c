/* test_trial.c - trial mode: who may be contacted. */
#include "confgood.h"

static void trial_mode_allows_only_what_is_listed(void **state)
{
	(void)state;
	struct conf *c = NULL;
	struct err e = { 0 };
	assert_int_equal(load_it(&c, &e), 0);
	assert_true(conf_trial_allows(c, "+84910000106"));
	assert_false(conf_trial_allows(c, "+84920000106"));
	assert_false(conf_trial_allows(c, "84910000106"));
	assert_true(conf_trial_allows(c, "van@a.example"));
	assert_true(conf_trial_allows(c, "van@ha-noi.b.example"));
	assert_true(conf_trial_allows(c, "x@y.example"));
	assert_false(conf_trial_allows(c, "z@y.example"));
	assert_false(conf_trial_allows(c, "van@a.example.com"));
	c->trial = false;
	assert_true(conf_trial_allows(c, "z@y.example"));
	conf_unref(c);
}

static void domains_of_trial_rules_have_no_case(void **state)
{
	(void)state;
	struct conf *c = NULL;
	struct err e = { 0 };
	put("lantoad.yaml",
		"key_file: master.key\nmode: trial\nallow_only: [\"@A.Example\", .B.example, Van@C.Example]\n");
	assert_int_equal(load_it(&c, &e), 0);
	assert_true(conf_trial_allows(c, "van@a.example"));
	assert_true(conf_trial_allows(c, "van@ha-noi.b.example"));
	assert_true(conf_trial_allows(c, "Van@c.example"));
	assert_false(conf_trial_allows(c, "van@c.example"));
	assert_false(conf_trial_allows(c, "Van@c.example.com"));
	assert_false(conf_trial_allows(c, "Van"));
	conf_unref(c);
}

static void a_page_may_be_contacted_by_its_number(void **state)
{
	(void)state;
	struct conf *c = NULL;
	struct err e = { 0 };
	put("lantoad.yaml",
		"key_file: master.key\nmode: trial\nallow_only: [\"104200000000100\"]\n");
	assert_int_equal(load_it(&c, &e), 0);
	assert_true(conf_trial_allows(c, "104200000000100"));
	assert_false(conf_trial_allows(c, "1042000000001001"));
	conf_unref(c);
}

static void who_may_be_contacted_without_a_mode_is_refused(void **state)
{
	(void)state;
	struct conf *c = NULL;
	put("lantoad.yaml", "key_file: master.key\nallow_only: [\"@a.example\"]\n");
	expect_refused("lantoad.yaml:2: allow_only: it holds in trial mode only");
	struct err e = { 0 };
	put("lantoad.yaml", "key_file: master.key\nallow_only: [\"@a.example\"]\nmode: live\n");
	assert_int_equal(load_it(&c, &e), 0);
	assert_false(c->trial);
	conf_unref(c);
}

static void a_trial_rule_that_allows_nobody_is_refused(void **state)
{
	static const char *const rules[] = { "a.example", "*", "@", ".", "0910000106",
		"84910000106", "oa" };
	(void)state;
	char text[2000], said[200];
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		(void)snprintf(text, sizeof(text),
			"key_file: master.key\nallow_only: [\"@a.example\",\n  \"%s\"]\nchannels_dir: ch\n",
			rules[i]);
		put("lantoad.yaml", text);
		(void)snprintf(said, sizeof(said),
			"lantoad.yaml:3: allow_only[2]: '%s' allows nobody", rules[i]);
		expect_refused(said);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup_good, teardown)
	const struct CMUnitTest tests[] = {
		T(trial_mode_allows_only_what_is_listed),
		T(domains_of_trial_rules_have_no_case),
		T(a_page_may_be_contacted_by_its_number),
		T(who_may_be_contacted_without_a_mode_is_refused),
		T(a_trial_rule_that_allows_nobody_is_refused),
	};
#undef T
	return cmocka_run_group_tests(tests, NULL, NULL);
}
