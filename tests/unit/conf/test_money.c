/* test_money.c - budgets, quotas of lanes and the rules of advertising in the configuration. */
#include "confscene.h"

#define HEAD "key_file: master.key\nroutes: {email: mail/relay}\nchannels_dir: ch\n"
#define MAIL \
	"name: mail\nkind: email\nadapter: email\nsettings: {host: 127.0.0.1}\naccounts: [{name: relay}]\n"

static int load(const char *more, const char *lane, struct conf **ret, struct err *e)
{
	char text[4000];

	(void)snprintf(text, sizeof(text), HEAD "%s", more);
	put("lantoad.yaml", text);
	(void)snprintf(text, sizeof(text), MAIL "%s", lane);
	put("ch/mail.yaml", text);
	return load_it(ret, e);
}

static void budgets_and_quotas_are_read(void **state)
{
	struct conf *c = NULL;
	struct err e = { 0 };

	(void)state;
	int rc = load(
		"budgets:\n  - {channel: mail, account: relay, budget_day: 5000000, quota_month: 20000}\n"
		"  - {office: dien-bien, budget_month: 3000000, then: wait}\n  - {campaign: k, budget_total: 7}\n",
		"lane: {quota_day: 100, budget_month: 9}\nclasses: {gmail: {quota_day: 5}}\n", &c,
		&e);
	assert_string_equal(e.text, "");
	assert_int_equal(rc, 0);
	assert_int_equal(c->n_budgets, 3);
	assert_string_equal(c->budgets[0].name, "channel mail, account relay");
	assert_int_equal(c->budgets[0].limits.dong[MONEY_DAY], 5000000);
	assert_int_equal(c->budgets[0].limits.messages[MONEY_MONTH], 20000);
	assert_false(c->budgets[0].waits_set);
	assert_string_equal(c->budgets[1].name, "office dien-bien");
	assert_true(c->budgets[1].waits_set && c->budgets[1].waits);
	assert_int_equal(c->budgets[2].limits.dong[MONEY_TOTAL], 7);
	const struct conf_channel *ch = conf_channel_find(c, "mail");
	assert_int_equal(ch->lane.limits.messages[MONEY_DAY], 100);
	assert_int_equal(ch->lane.limits.dong[MONEY_MONTH], 9);
	assert_int_equal(conf_lane_of(ch, "gmail")->limits.messages[MONEY_DAY], 5);
	conf_unref(c);
}

static void advertising_has_the_rules_of_the_decree_where_nothing_is_said(void **state)
{
	struct conf *c = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(load("", "", &c, &e), 0);
	const struct conf_category_rule *r = conf_category_find(c, CAT_ADVERTISING);
	assert_non_null(r);
	assert_int_equal(r->per_recipient, 3);
	assert_int_equal(r->per_window_ms, 86400000);
	assert_int_equal(r->hours.n, 1);
	assert_int_equal(r->hours.span[0].from_min, 420);
	assert_int_equal(r->hours.span[0].to_min, 1320);
	assert_int_equal(r->hours.span[0].days, 0x7f);
	assert_null(conf_category_find(c, CAT_PUBLIC_NOTICE));
	conf_unref(c);
	c = NULL;
	assert_int_equal(
		load("categories: {advertising: {hours: \"08:00-20:00\", per_recipient: 1, per_window: 48h}}\n",
			"", &c, &e),
		0);
	r = conf_category_find(c, CAT_ADVERTISING);
	assert_int_equal(r->per_recipient, 1);
	assert_int_equal(r->per_window_ms, 2 * 86400000);
	assert_int_equal(r->hours.span[0].from_min, 480);
	assert_false(r->consent);
	conf_unref(c);
	c = NULL;
	assert_int_equal(load("categories: {advertising: {consent: yes}}\n", "", &c, &e), 0);
	r = conf_category_find(c, CAT_ADVERTISING);
	assert_true(r->consent);
	assert_int_equal(r->consent_in_ms, 86400000);
	assert_int_equal(r->per_recipient, 3);
	conf_unref(c);
	c = NULL;
	assert_int_equal(
		load("categories: {advertising: {consent: yes, consent_in: 12h}}\n", "", &c, &e),
		0);
	assert_int_equal(conf_category_find(c, CAT_ADVERTISING)->consent_in_ms, 43200000);
	conf_unref(c);
}

static void every_mistake_is_named_with_what_is_right(void **state)
{
	static const char *const bad[][2] = { { "budgets: {office: a}\n", "a list" },
		{ "budgets: [{office: a}]\n", "how much" },
		{ "budgets: [{ofice: a, budget_day: 1}]\n", "office" },
		{ "budgets: [{office: a, budget_day: 0}]\n", "budget_day" },
		{ "budgets: [{office: a, budget_day: 1, then: stop}]\n", "'wait'" },
		{ "budgets: [{account: a, budget_day: 1}]\n", "belongs to a 'channel'" },
		{ "budgets: [{channel: mial, budget_day: 1}]\n", "no channel 'mial'" },
		{ "budgets: [{channel: mail, account: x, budget_day: 1}]\n", "no account 'x'" },
		{ "categories: {ads: {}}\n", "advertising" },
		{ "categories: {advertising: {per_window: 5}}\n", "per_window" },
		{ "categories: {advertising: {consent: maybe}}\n", "consent" },
		{ "categories: {advertising: {consent_in: 5}}\n", "consent_in" } };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct conf *c = NULL;
		struct err e = { 0 };
		assert_int_not_equal(load(bad[i][0], "", &c, &e), 0);
		if (!strstr(e.text, bad[i][1]) || !strstr(e.text, "lantoad.yaml:"))
			fail_msg("%s: '%s' does not say '%s'", bad[i][0], e.text, bad[i][1]);
	}
}

static void broadcasts_are_the_channels_unless_the_account_says_more(void **state)
{
	struct conf *c = NULL;
	struct err e = { 0 };
	static const struct {
		const char *lane;
		struct cast_limits want;
	} good[] = { { "", { -1, -1, 1 } }, { "broadcasts: {month: 4}\n", { 4, -1, 1 } },
		{ "broadcasts: {month: 0, campaign: 2, from_day: 15}\n", { 0, 2, 15 } } };
	static const struct {
		const char *lane, *says;
	} bad[] = { { "broadcasts: 4\n", "{month: 4, campaign: 2, from_day: 1}" },
		{ "broadcasts: {month: -1}\n", "month" },
		{ "broadcasts: {from_day: 29}\n", "from_day" },
		{ "broadcasts: {moth: 4}\n", "did you mean 'month'" } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(load("", good[i].lane, &c, &e), 0);
		struct cast_limits l = conf_broadcasts(c->channels[0], c->channels[0]->accounts[0]);
		assert_memory_equal(&l, &good[i].want, sizeof(l));
		conf_unref(c);
	}
	struct conf_channel ch = { .broadcasts = { 4 + 1, 2 + 1, 15 + 1 } };
	struct conf_account a = { .broadcasts = { 6 + 1, 0, 0 } };
	struct cast_limits l = conf_broadcasts(&ch, &a), want = { 6, 2, 15 };
	assert_memory_equal(&l, &want, sizeof(l));
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(load("", bad[i].lane, &c, &e), -EINVAL);
		if (!strstr(e.text, bad[i].says) || !strstr(e.text, "mail.yaml:"))
			fail_msg("%s", e.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(budgets_and_quotas_are_read, setup, teardown),
		cmocka_unit_test_setup_teardown(
			advertising_has_the_rules_of_the_decree_where_nothing_is_said, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			every_mistake_is_named_with_what_is_right, setup, teardown),
		cmocka_unit_test_setup_teardown(
			broadcasts_are_the_channels_unless_the_account_says_more, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
