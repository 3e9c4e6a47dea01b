/* test_channel.c - the file of a channel: lanes, limits, what it does beside sending, and what is refused. */
#include "base/assert.h"
#include "confgood.h"

#define LONG_48 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define LONG_64 "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static void a_channel_file_that_would_not_be_read_is_refused(void **state)
{
	(void)state;
	put("ch/sms.yml", mail_good);
	expect_refused("ch/sms.yml' would not be read: the file of a channel ends in .yaml");
}

static void values_that_do_not_fit_in_a_channel_are_refused(void **state)
{
	static const struct {
		const char *from, *to, *says;
	} swaps[] = { { "rate: 50/s", "rate: 50", "50/s" },
		{ "5m, 15m", "5m, 15 bananas", "15 bananas" },
		{ "5m, 15m", "5m, 15 bananas", "backoff[2]: " },
		{ "rate: 50/s", "rate: 0/s", "leave the key out" },
		{ "gmail: {rate: 1/s", "gmail: {rate: 0/min", "leave the key out" },
		{ "burst: 20", "burst: 0", "burst: '0' is not a number from 1 to" },
		{ "rate: 50/s", "rate: 50/s, burst: 0.5", "burst: '0.5' is not" },
		{ "06:00-22:00", "22:00-06:00", "from before to" },
		{ "hours: \"06:00-22:00\"", "hours: []", "mail.yaml:7: hours: is empty" },
		{ "kind: email", "kind: pigeon", "pigeon" },
		{ "limit_groups: [relay]", "limit_groups: [nope]", "nope" },
		{ "tries: 7", "tries: 7, unknown_then: resend", "'assume_accepted', not 'resend'" },
		{ "tries: 7", "tries: 0", "from 1 to" }, { "{name: hn,", "{name: relay,", "twice" },
		{ "accounts: [", "accounts: [{identity: x}, ", "without a name" },
		/* places of so many bytes: a longer one was cut there, and what was said of it held for nobody */
		{ "{name: hn,",
			"{name: Trang của Bảo hiểm xã hội thành phố Hà Nội và các huyện}, {name: hn,",
			"ch/mail.yaml:5: accounts[2]: account 'Trang của Bảo hiểm xã hội" },
		{ "{name: hn,", "{name: hn, credential: " LONG_64 ",", "credential 'cccc" },
		{ "classes: {gmail", "classes: {" LONG_48, "class 'bbbb" },
		{ "limit_groups: {relay: {rate: 600/min, burst: 20}}",
			"limit_groups: {relay: {rate: 600/min}, " LONG_64 ": {rate: 1/s}}",
			"limit group 'cccc" },
		{ "name: mail", "name: " LONG_64, "channel 'cccc" },
		{ "limit_groups: [relay]}]\nlimit_groups: {",
			"limit_groups: [a, b, c, d, e, f, g, h, relay]}]\nlimit_groups: {a: {rate: 1/s}, b: {rate: 1/s}, c: {rate: 1/s}, d: {rate: 1/s}, e: {rate: 1/s}, f: {rate: 1/s}, g: {rate: 1/s}, h: {rate: 1/s}, ",
			"limit_groups: 9 limit groups; an account draws from at most 8" },
		{ "limit_groups: [relay]", "limit_groups: [relay, relay]", "'relay' stands twice" },
		{ "name: mail", "name: post", "no such channel" } };
	(void)state;
	put("lantoad.yaml", top_good);
	for (size_t i = 0; i < sizeof(swaps) / sizeof(swaps[0]); i++) {
		char text[8192];
		struct conf *c = NULL;
		struct err e = { 0 };
		const char *at = strstr(mail_good, swaps[i].from);
		assert_non_null(at);
		(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - mail_good), mail_good,
			swaps[i].to, at + strlen(swaps[i].from));
		put("ch/mail.yaml", text);
		assert_true(load_it(&c, &e) < 0);
		if (!strstr(e.text, swaps[i].says))
			fail_msg("swap %zu: '%s' does not say '%s'", i, e.text, swaps[i].says);
	}
}

/* A rate of 5/s let 37 mails out in its first second. */
static void a_rate_alone_holds_from_the_first_second(void **state)
{
	static const struct {
		const char *lane, *class_lane;
		double burst, class_burst;
	} said[] = { { "{rate: 5/s}", "{concurrency: 2}", 1, 1 },
		{ "{rate: 300/s}", "{rate: 1/s}", 30, 1 },
		{ "{rate: 50/s, burst: 100}", "{rate: 20/s}", 100, 2 },
		{ "{rate: 50/s, burst: 100}", "{tries: 3}", 100, 100 },
		{ "{burst: 7, rate: 1/s}", "{rate: 2/s, burst: 9}", 7, 9 },
		{ "{tries: 3}", "{rate: 6/min}", 1, 1 } };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		struct conf *c = NULL;
		struct err e = { 0 };
		char text[600];
		(void)snprintf(text, sizeof(text),
			"name: mail\nkind: email\nadapter: email\naccounts: [{name: relay}, {name: hn}]\nlane: %s\nclasses: {gmail: %s}\n",
			said[i].lane, said[i].class_lane);
		put("ch/mail.yaml", text);
		assert_int_equal(load_it(&c, &e), 0);
		assert_true(c->channels[0]->lane.burst == said[i].burst);
		assert_true(c->channels[0]->classes[0].lane.burst == said[i].class_burst);
		conf_unref(c);
	}
}

static void names_of_the_most_bytes_are_taken(void **state)
{
	(void)state;
	struct conf *c = NULL;
	struct err e = { 0 };
	char text[8192];
	(void)snprintf(text, sizeof(text),
		"name: mail\nkind: email\nadapter: email\naccounts: [{name: relay}, {name: hn}, {name: %.63s}]\n"
		"classes: {%.47s: {rate: 1/s}}\nlimit_groups: {%.63s: {rate: 1/s}}\n",
		LONG_64, LONG_48, LONG_64);
	put("ch/mail.yaml", text);
	assert_int_equal(load_it(&c, &e), 0);
	conf_unref(c);
}

static void what_a_channel_does_beside_sending_is_read(void **state)
{
	static const char more[] =
		"webhook: {secret: {file: hook}, allow: [10.0.0.0/8, \"2001:db8::/32\", 203.0.113.7], proxies: "
		"[127.0.0.1], body_max: 64KB, timeout: 5s, at_once: 3}\n"
		"poll: {every: 60s, batch: 20, max_age: 48h}\n"
		"stats: {at: \"05:30\", for: 10d}\n"
		"inbound: {keep: 30d, opt_out: []}\n";
	static const struct {
		const char *text, *says;
	} wrong[] = {
		{ "webhook: {body_max: 1KB}\n", "needs 'secret" },
		{ "webhook: {secret: {file: h}, allow: [10.0.0.0/33]}\n", "10.0.0.0/33" },
		{ "webhook: {secret: {file: h}, allow: 10.0.0.1}\n", "a list" },
		{ "webhook: {secret: {file: h}, allow: [example.org]}\n", "203.0.113.7" },
		{ "webhook: {secret: {file: h}, body_max: 2MB}\n", "outside" },
		{ "webhook: {secret: abcdef}\n", "never written here" },
		{ "poll: {batch: 5}\n", "every" },
		{ "poll: {every: 60s, btach: 5}\n", "batch" },
		{ "stats: {at: \"25:00\"}\n", "05:30" },
		{ "stats: {at: \"05:00\", every: 1d}\n", "either" },
		{ "inbound: {keep: forever}\n", "forever" },
	};
	(void)state;
	char text[8192];
	struct conf *c = NULL;
	struct err e = { 0 };
	put("lantoad.yaml", top_good);
	(void)snprintf(text, sizeof(text), "%s%s", mail_good, more);
	put("ch/mail.yaml", text);
	assert_int_equal(load_it(&c, &e), 0);
	const struct conf_channel *ch = conf_channel_find(c, "mail");
	assert_string_equal(ch->webhook.secret.name, "secret");
	assert_int_equal(ch->webhook.body_max_bytes, 65536);
	assert_int_equal(ch->webhook.at_once, 3);
	assert_true(conf_nets_have(&ch->webhook.allow, "10.255.0.1"));
	assert_true(conf_nets_have(&ch->webhook.allow, "::ffff:10.1.2.3"));
	assert_true(conf_nets_have(&ch->webhook.allow, "2001:db8:5::1"));
	assert_true(conf_nets_have(&ch->webhook.allow, "203.0.113.7"));
	assert_false(conf_nets_have(&ch->webhook.allow, "203.0.113.8"));
	assert_false(conf_nets_have(&ch->webhook.allow, "11.0.0.1"));
	assert_false(conf_nets_have(&ch->webhook.allow, "2001:db9::1"));
	assert_false(conf_nets_have(&ch->webhook.allow, "nonsense"));
	assert_int_equal(ch->poll.every_ms, 60000);
	assert_int_equal(ch->stats.at_min, 330);
	assert_int_equal(ch->stats.every_ms, 86400000);
	assert_true(ch->inbound.no_opt_out);
	conf_unref(c);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		c = NULL;
		(void)snprintf(text, sizeof(text), "%s%s", mail_good, wrong[i].text);
		put("ch/mail.yaml", text);
		assert_true(load_it(&c, &e) < 0);
		if (!strstr(e.text, wrong[i].says))
			fail_msg(
				"%s: '%s' does not say '%s'", wrong[i].text, e.text, wrong[i].says);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup_good, teardown)
	const struct CMUnitTest tests[] = {
		T(a_channel_file_that_would_not_be_read_is_refused),
		T(values_that_do_not_fit_in_a_channel_are_refused),
		T(a_rate_alone_holds_from_the_first_second),
		T(names_of_the_most_bytes_are_taken),
		T(what_a_channel_does_beside_sending_is_read),
	};
#undef T
	return cmocka_run_group_tests(tests, NULL, NULL);
}
