/* test_backup.c - the second gateway of an account in the configuration: what may be one, and what every mistake says. */
#include "base/buf.h"
#include "confscene.h"

/* Channels a and b of these kinds, with these lines in their account. */
static int load(const char *kind_a, const char *a, const char *kind_b, const char *b,
	struct conf **ret, struct err *e)
{
	char text[1000];

	put("lantoad.yaml", "key_file: master.key\nchannels_dir: ch\n");
	(void)snprintf(text, sizeof(text),
		"name: a\nkind: %s\nadapter: x\naccounts: [{name: main%s}]\n", kind_a, a);
	put("ch/a.yaml", text);
	(void)snprintf(text, sizeof(text),
		"name: b\nkind: %s\nadapter: y\naccounts: [{name: main%s}, {name: other}]\n",
		kind_b, b);
	put("ch/b.yaml", text);
	return load_it(ret, e);
}

static void a_backup_is_an_account_of_another_channel(void **state)
{
	struct conf *c = NULL;
	struct err e = { 0 };
	const struct conf_channel *bc = NULL;

	(void)state;
	int rc = load("sms", ", backup: b/other, backup_after: 3m", "sms", "", &c, &e);
	assert_string_equal(e.text, "");
	assert_int_equal(rc, 0);
	const struct conf_account *a = conf_account_find(conf_channel_find(c, "a"), "main");
	assert_int_equal(a->backup_after_ms, 180000);
	const struct conf_account *b = conf_backup_of(c, a, &bc);
	assert_non_null(b);
	assert_string_equal(b->name, "other");
	assert_string_equal(bc->name, "b");
	assert_null(conf_backup_of(c, b, &bc));
	assert_int_equal(b->backup_after_ms, 600000); /* where nothing is said */
	conf_unref(c);
}

static void who_takes_over_is_part_of_the_rules_in_force(void **state)
{
	struct conf *c = NULL;
	struct err e = { 0 };
	struct buf with CLEANUP_BUF, without CLEANUP_BUF;

	(void)state;
	buf_init(&with, 4000);
	buf_init(&without, 4000);
	assert_int_equal(load("sms", "", "sms", "", &c, &e), 0);
	conf_policy_text(c, &without);
	conf_unref(c);
	c = NULL;
	assert_int_equal(load("sms", ", backup: b/main", "sms", "", &c, &e), 0);
	conf_policy_text(c, &with);
	conf_unref(c);
	assert_string_not_equal(buf_z(&with), buf_z(&without));
}

static void every_mistake_is_named_with_what_is_right(void **state)
{
	static const char *const bad[][5] = {
		{ "sms", ", backup: b", "sms", "", "channel/account" },
		{ "sms", ", backup: b/none", "sms", "", "'b/none' is no account" },
		{ "sms", ", backup: c/main", "sms", "", "'c/main' is no account" },
		{ "sms", ", backup: a/main", "sms", "", "another channel" },
		{ "sms", ", backup: b/main", "email", "", "one kind" },
		{ "sms", ", backup: b/main", "sms", ", backup: a/main", "one step only" },
		{ "facebook", ", backup: b/main", "facebook", "", "only sms and email" },
		{ "sms", ", backup: b/main", "sms", ", identity: x", "identity" },
		{ "sms", ", backup: b/main, backup_after: 0s", "sms", "", "backup_after" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct conf *c = NULL;
		struct err e = { 0 };
		assert_int_not_equal(load(bad[i][0], bad[i][1], bad[i][2], bad[i][3], &c, &e), 0);
		if (!strstr(e.text, bad[i][4]) || !strstr(e.text, ".yaml:"))
			fail_msg("%zu: '%s' does not say '%s'", i, e.text, bad[i][4]);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_backup_is_an_account_of_another_channel),
		T(who_takes_over_is_part_of_the_rules_in_force),
		T(every_mistake_is_named_with_what_is_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
