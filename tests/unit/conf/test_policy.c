/* test_policy.c - the rules in force as one line for the audit: whatever decides what goes out, to whom and how fast, shows when it changes. */
#include "base/buf.h"
#include "base/utf8.h"
#include "confscene.h"

#define TOP     "key_file: master.key\nchannels_dir: ch\n"
#define CHANNEL "name: mail\nkind: email\nadapter: email\n"
#define ACCOUNT "accounts: [{name: relay}]\n"

static void text_of(const char *top, const char *channel, struct buf *b)
{
	char text[4000];
	struct conf *c = NULL;
	struct err e;

	(void)snprintf(text, sizeof(text), TOP "%s", top);
	put("lantoad.yaml", text);
	(void)snprintf(text, sizeof(text), CHANNEL "%s", channel);
	put("ch/mail.yaml", text);
	int rc = load_it(&c, &e);
	assert_string_equal(e.text, "");
	assert_int_equal(rc, 0);
	buf_init(b, 4000);
	conf_policy_text(c, b);
	assert_false(b->failed);
	conf_unref(c);
}

static void each_rule_shows_when_it_changes(void **state)
{
	static const struct {
		const char *top, *channel, *top_then, *channel_then;
	} changes[] = {
		{ "mode: live\nallow_only: [\"@a.example\"]\n", ACCOUNT,
			"mode: live\nallow_only: [\"@a.example\", \"+84*\"]\n", ACCOUNT },
		{ "own_domains: [a.example]\n", ACCOUNT, "own_domains: [b.example]\n", ACCOUNT },
		{ "", ACCOUNT, "timezone: UTC\n", ACCOUNT },
		{ "", ACCOUNT, "public_url: https://x.example\n", ACCOUNT },
		{ "", ACCOUNT, "urgent_share: 81%\n", ACCOUNT },
		{ "", ACCOUNT, "suppress_after: {soft: 6}\n", ACCOUNT },
		/* fewer than a thousandth a second lie between these */
		{ "", ACCOUNT "lane: {rate: 50/d}\n", "", ACCOUNT "lane: {rate: 1/d}\n" },
		{ "", ACCOUNT "lane: {rate: 5000/d}\n", "", ACCOUNT "lane: {rate: 5001/d}\n" },
		{ "", ACCOUNT "lane: {breaker_pause: 30s}\n", "",
			ACCOUNT "lane: {breaker_pause: 31s}\n" },
		/* from one list into the next */
		{ "", ACCOUNT "lane: {backoff: [1m, 2m], urgent_backoff: [3m]}\n", "",
			ACCOUNT "lane: {backoff: [1m], urgent_backoff: [2m, 3m]}\n" },
		{ "", ACCOUNT "inbound: {opt_out: [HUY, DUNG], opt_in: [DY]}\n", "",
			ACCOUNT "inbound: {opt_out: [HUY], opt_in: [DUNG, DY]}\n" },
		{ "", ACCOUNT "settings: {host: a.example}\n", "",
			ACCOUNT "settings: {host: b.example}\n" },
		{ "", ACCOUNT "limit_groups: {g: {rate: 1/s}}\n", "",
			ACCOUNT "limit_groups: {g: {rate: 2/s}}\n" },
		{ "", ACCOUNT, "", "accounts: [{name: relay, identity: \"123\"}]\n" },
		{ "", ACCOUNT, "", "accounts: [{name: relay, settings: {from: x@y.example}}]\n" },
		{ "", ACCOUNT "broadcasts: {month: 4}\n", "", ACCOUNT "broadcasts: {month: 5}\n" },
		{ "", ACCOUNT "broadcast_hours: \"07:00-20:00\"\n", "",
			ACCOUNT "broadcast_hours: \"07:00-21:00\"\n" },
		{ "", ACCOUNT "proxy: http://a.example:1\n", "",
			ACCOUNT "proxy: http://b.example:1\n" },
		{ "", ACCOUNT "inbound: {opt_in: [DY]}\n", "",
			ACCOUNT "inbound: {opt_in: [OK]}\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct buf was CLEANUP_BUF, again CLEANUP_BUF, is CLEANUP_BUF;
		text_of(changes[i].top, changes[i].channel, &was);
		text_of(changes[i].top, changes[i].channel, &again);
		text_of(changes[i].top_then, changes[i].channel_then, &is);
		assert_string_equal(buf_z(&was), buf_z(&again));
		if (str_eq(buf_str(&was), buf_str(&is)))
			fail_msg("change %zu does not show: %s", i, buf_z(&is));
	}
}

static void a_password_of_a_proxy_is_no_part_of_it(void **state)
{
	struct buf was CLEANUP_BUF, is CLEANUP_BUF;

	(void)state;
	text_of("", ACCOUNT "proxy: http://u:one@a.example:1\n", &was);
	text_of("", ACCOUNT "proxy: http://u:two@a.example:1\n", &is);
	assert_string_equal(buf_z(&was), buf_z(&is));
}

static void long_names_of_steps_are_cut_between_letters(void **state)
{
	(void)state;
	for (int x = 0; x < 3; x++) {
		char top[400];
		struct buf b CLEANUP_BUF;
		(void)snprintf(top, sizeof(top),
			"approval: [{name: \"%.*sệệệệệệệệệệệệệệệệệệệệệệệệ\"}]\n", x, "xx");
		text_of(top, ACCOUNT, &b);
		assert_true(utf8_valid(buf_str(&b), NULL));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_rule_shows_when_it_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_password_of_a_proxy_is_no_part_of_it, setup, teardown),
		cmocka_unit_test_setup_teardown(
			long_names_of_steps_are_cut_between_letters, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
