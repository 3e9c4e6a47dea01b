/* test_conf.c - the configuration: what is read, and that every mistake is refused with file, line and the right name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/crypt.h"
#include "base/file.h"
#include "conf/conf.h"
#include "conf/conf_yaml.h"
#include "lib/tmpdir.h"

static const char top_good[] =
	"timezone: Asia/Ho_Chi_Minh\n"
	"key_file: master.key\n"
	"mode: trial\n"
	"allow_only: [\"@a.example\", \".b.example\", x@y.example, \"+8491*\"]\n"
	"people:\n"
	"  - {name: Biên, user: bien, roles: [editor, viewer]}\n"
	"  - {name: Duyệt, uid: 1002, roles: approver, office: ha-noi}\n"
	"categories: {advertising: {hours: [\"mon-fri 07:00-20:00\", \"sat 08:00-11:30\"]}}\n"
	"routes: {email: {default: mail/relay, offices: {ha-noi: mail/hn}}}\n"
	"channels_dir: ch\n";
static const char mail_good[] =
	"name: mail\n"
	"kind: email\n"
	"adapter: email\n"
	"settings: {host: 127.0.0.1, port: 2525}\n"
	"accounts: [{name: relay}, {name: hn, identity: hn@x.example, limit_groups: [relay]}]\n"
	"limit_groups: {relay: {rate: 600/min, burst: 20}}\n"
	"lane: {rate: 50/s, backoff: [5m, 15m, 1h], tries: 7, hours: \"06:00-22:00\"}\n"
	"classes: {gmail: {rate: 1/s, concurrency: 2}}\n";

struct place {
	char *dir, path[512], channel[512];
};

static void put(const char *path, const char *text, mode_t mode)
{
	struct err e;
	assert_int_equal(file_write_durable(path, str_of(text), mode, &e), 0);
}

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	char sub[512];
	struct err e;
	assert_int_equal(crypt_init(), 0);
	p->dir = tmpdir_new();
	(void)snprintf(p->path, sizeof(p->path), "%s/lantoad.yaml", p->dir);
	(void)snprintf(sub, sizeof(sub), "%s/ch", p->dir);
	assert_int_equal(dir_make(sub, 0700, &e), 0);
	(void)snprintf(p->channel, sizeof(p->channel), "%s/ch/mail.yaml", p->dir);
	put(p->path, top_good, 0600);
	put(p->channel, mail_good, 0600);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;
	tmpdir_remove(p->dir);
	free(p);
	return 0;
}

static void a_good_configuration_is_read_with_its_defaults(void **state)
{
	struct place *p = *state;
	struct conf *c = NULL;
	struct err e = { 0 };
	int rc = conf_load(p->path, &c, &e);
	assert_string_equal(e.text, "");
	assert_int_equal(rc, 0);
	assert_int_equal(c->zone.offset_s, 7 * 3600);
	assert_true(c->trial);
	assert_int_equal(c->n_people, 2);
	assert_int_equal(c->people[0].roles, ROLE_EDITOR | ROLE_VIEWER);
	assert_int_equal(c->n_steps, 1);
	assert_int_equal(c->growth_percent, 5);
	assert_true(c->urgent_share > 0.79 && c->urgent_share < 0.81);
	const struct conf_channel *ch = conf_channel_find(c, "mail");
	assert_non_null(ch);
	assert_int_equal(ch->kind, KIND_EMAIL);
	assert_int_equal(ch->lane.n_backoff, 3);
	assert_int_equal(ch->lane.backoff_ms[2], 3600000);
	assert_int_equal(ch->lane.tries_max, 7);
	assert_int_equal(conf_lane_of(ch, "gmail")->concurrency, 2);
	assert_int_equal(conf_lane_of(ch, "gmail")->tries_max, 7);
	assert_int_equal(conf_lane_of(ch, "other")->concurrency, 20);
	assert_true(ch->groups[0].rate_per_s > 9.99 && ch->groups[0].rate_per_s < 10.01);
	assert_int_equal(c->category_rules[0].hours.span[0].days, 0x1f);
	assert_int_equal(c->category_rules[0].hours.span[1].to_min, 690);
	conf_unref(c);
}

static void a_route_is_that_of_the_nearest_office(void **state)
{
	struct place *p = *state;
	struct conf *c = NULL;
	struct err e = { 0 };
	const char *const below_hanoi[] = { "ba-vi", "ha-noi", "trung-uong" },
			  *const elsewhere[] = { "hue", "trung-uong" };
	assert_int_equal(conf_load(p->path, &c, &e), 0);
	assert_string_equal(conf_route_find(c, KIND_EMAIL, below_hanoi, 3)->account, "hn");
	assert_string_equal(conf_route_find(c, KIND_EMAIL, elsewhere, 2)->account, "relay");
	assert_null(conf_route_find(c, KIND_SMS, elsewhere, 2));
	conf_unref(c);
}

static void trial_mode_allows_only_what_is_listed(void **state)
{
	struct place *p = *state;
	struct conf *c = NULL;
	struct err e = { 0 };
	assert_int_equal(conf_load(p->path, &c, &e), 0);
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

static void expect_refused(const struct place *p, const char *what)
{
	struct conf *c = NULL;
	struct err e = { 0 };
	assert_int_equal(conf_load(p->path, &c, &e), -EINVAL);
	assert_non_null(strstr(e.text, what));
	assert_null(c);
}

static void domains_of_trial_rules_have_no_case(void **state)
{
	struct place *p = *state;
	struct conf *c = NULL;
	struct err e = { 0 };
	put(p->path,
		"key_file: master.key\nmode: trial\nallow_only: [\"@A.Example\", .B.example, Van@C.Example]\n",
		0600);
	assert_int_equal(conf_load(p->path, &c, &e), 0);
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
	struct place *p = *state;
	struct conf *c = NULL;
	struct err e = { 0 };
	put(p->path, "key_file: master.key\nmode: trial\nallow_only: [\"104200000000100\"]\n",
		0600);
	assert_int_equal(conf_load(p->path, &c, &e), 0);
	assert_true(conf_trial_allows(c, "104200000000100"));
	assert_false(conf_trial_allows(c, "1042000000001001"));
	conf_unref(c);
}

static void who_may_be_contacted_without_a_mode_is_refused(void **state)
{
	struct place *p = *state;
	struct conf *c = NULL;
	put(p->path, "key_file: master.key\nallow_only: [\"@a.example\"]\n", 0600);
	expect_refused(p, "lantoad.yaml:2: allow_only: it holds in trial mode only");
	struct err e = { 0 };
	put(p->path, "key_file: master.key\nallow_only: [\"@a.example\"]\nmode: live\n", 0600);
	assert_int_equal(conf_load(p->path, &c, &e), 0);
	assert_false(c->trial);
	conf_unref(c);
}

static void a_trial_rule_that_allows_nobody_is_refused(void **state)
{
	static const char *const rules[] = { "a.example", "*", "@", ".", "0910000106",
		"84910000106", "oa" };
	struct place *p = *state;
	char text[2000], said[200];
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		(void)snprintf(text, sizeof(text),
			"key_file: master.key\nallow_only: [\"@a.example\",\n  \"%s\"]\nchannels_dir: ch\n",
			rules[i]);
		put(p->path, text, 0600);
		(void)snprintf(said, sizeof(said),
			"lantoad.yaml:3: allow_only[2]: '%s' allows nobody", rules[i]);
		expect_refused(p, said);
	}
}

static void a_channel_file_that_would_not_be_read_is_refused(void **state)
{
	struct place *p = *state;
	char path[600];
	(void)snprintf(path, sizeof(path), "%s/ch/sms.yml", p->dir);
	put(path, mail_good, 0600);
	expect_refused(p, "ch/sms.yml' would not be read: the file of a channel ends in .yaml");
}

static void people_are_found_by_uid_or_login(void **state)
{
	struct place *p = *state;
	struct conf *c = NULL;
	struct err e = { 0 };
	assert_int_equal(conf_load(p->path, &c, &e), 0);
	assert_string_equal(conf_person_by_uid(c, 55, "bien")->name, "Biên");
	assert_string_equal(conf_person_by_uid(c, 1002, "x")->name, "Duyệt");
	assert_null(conf_person_by_uid(c, 1003, "y"));
	assert_null(conf_person_by_uid(c, 1003, NULL));
	conf_unref(c);
}

/* Each mistake: what is added to the top or channel file, and the words that the message must hold. */
static const struct {
	const char *top, *channel, *says[3];
} mistakes[] = {
	{ "timezon: UTC\n", NULL, { "lantoad.yaml:11", "timezon", "timezone" } },
	{ "\tmode: live\n", NULL, { "lantoad.yaml:11", "tab", NULL } },
	{ "mode: trial\n", NULL, { ":11", "mode", "twice" } },
	{ "free_floor: 5 apples\n", NULL, { ":11", "5 apples", "512MB" } },
	{ "free_floor: 512\n", NULL, { ":11", "'512' is not a size", "512MB" } },
	{ "exchange_keep: 3 weeks\n", NULL, { ":11", "3 weeks", "2d" } },
	{ "urgent_share: 150%\n", NULL, { ":11", "150%", "100%" } },
	{ "listen_private: here\n", NULL, { "listen_private", "here", "127.0.0.1:8480" } },
	{ "listen_public: localhost:8480\n", NULL,
		{ "listen_public", "localhost:8480", "127.0.0.1:8480" } },
	{ "listen_public: '*:8480'\n", NULL, { "listen_public", "*:8480", "0.0.0.0:8480" } },
	{ "listen_public: 127.0.0.1:84800\n", NULL, { "listen_public", "84800", "[::1]:8480" } },
	{ "listen_public: 127.0.0.1:8480\nlisten_private: 127.0.0.1:8480\n", NULL,
		{ "listen_public", "127.0.0.1:8480", "a port of its own" } },
	{ "log_level: loud\n", NULL, { ":11", "log_level", "debug" } },
	{ "approval: []\n", NULL, { ":11", "approval", "1 to" } },
	{ "state_dir: /var/lib/x\nsecret_key_file: /var/lib/x/secret.key\n", NULL,
		{ "secret_key_file", "lies in the state folder", NULL } },
	{ "state_dir: /var/lib/x/\nsecret_key_file: /var/lib/x/secret.key\n", NULL,
		{ "secret_key_file", "lies in the state folder", NULL } },
	{ "state_dir: ./s\nsecret_key_file: s//keys/secret.key\n", NULL,
		{ "secret_key_file", "lies in the state folder", NULL } },
	{ "state_dir: /var/lib/x\ntoken_mirror: /var/lib/x/mirror\n", NULL,
		{ "token_mirror", "lies in the state folder", NULL } },
	{ "push_program: [/bin/put, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]\n",
		NULL, { "push_program", "17 words", "at most 16" } },
	{ "own_domains: https://portal.example\n", NULL, { ":11", "is no domain", NULL } },
	{ "own_domains: [a.example,\n  \"*.portal.example\"]\n", NULL,
		{ ":12: own_domains[2]", "is no domain", "all below" } },
	{ "own_domains: .portal.example\n", NULL, { ":11", "is no domain", NULL } },
	{ "token_mirror: ~\n", NULL, { ":11", "'~' is no value", "leave the key out" } },
	{ NULL, "exec: Null\n", { "mail.yaml:9", "'Null' is no value", NULL } },
	{ "growth_count: 99999999999999999999\n", NULL, { ":11", "99999999999999999999", NULL } },
	{ "similar_days: &a 3\n", NULL, { ":11", "anchors", NULL } },
	{ NULL, "lanes: {rate: 5/s}\n", { "mail.yaml:9", "lanes", "lane" } },
	{ NULL, "proxy: \"\"\n", { "mail.yaml:9", "proxy", "empty" } },
	{ NULL, "proxy: 127.0.0.1:3128\n", { "mail.yaml:9", "127.0.0.1:3128", "http://" } },
	{ NULL, "tls: {ca: missing.pem}\n", { "mail.yaml:9", "missing.pem", "No such file" } },
	{ "public_url: ftp://x.vn\n", NULL, { ":11", "public_url", "https://" } },
	{ "public_url: \"http:// x\"\n", NULL, { ":11", "public_url", "https://" } },
	{ "public_url: https://x.vn/?p=1\n", NULL, { ":11", "public_url", "https://" } },
	{ "fence_after: 1m\n", NULL, { ":11", "fence_after", NULL } },
	{ NULL, "secrets: {password: hunter2}\n", { "mail.yaml:9", "password", "file" } },
	{ NULL, "secrets: {password: {file: missing.pw}}\n",
		{ "mail.yaml", "missing.pw", "cannot be read" } },
	{ NULL, "tls: {cert: a.pem}\n", { "mail.yaml:9", "cert", "key" } },
};

static void each_mistake_is_refused_with_file_line_and_what_would_be_right(void **state)
{
	struct place *p = *state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		char text[8192];
		struct conf *c = NULL;
		struct err e = { 0 };
		(void)snprintf(text, sizeof(text), "%s%s", top_good,
			mistakes[i].top ? mistakes[i].top : "");
		put(p->path, text, 0600);
		(void)snprintf(text, sizeof(text), "%s%s", mail_good,
			mistakes[i].channel ? mistakes[i].channel : "");
		put(p->channel, text, 0600);
		assert_true(conf_load(p->path, &c, &e) < 0);
		assert_null(c);
		for (size_t k = 0; k < 3 && mistakes[i].says[k]; k++)
			if (!strstr(e.text, mistakes[i].says[k]))
				fail_msg("mistake %zu: '%s' does not say '%s'", i, e.text,
					mistakes[i].says[k]);
	}
}

#define LONG_48 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define LONG_64 "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

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
	struct place *p = *state;
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		struct conf *c = NULL;
		struct err e = { 0 };
		char text[600];
		(void)snprintf(text, sizeof(text),
			"name: mail\nkind: email\nadapter: email\naccounts: [{name: relay}, {name: hn}]\nlane: %s\nclasses: {gmail: %s}\n",
			said[i].lane, said[i].class_lane);
		put(p->channel, text, 0600);
		assert_int_equal(conf_load(p->path, &c, &e), 0);
		assert_true(c->channels[0]->lane.burst == said[i].burst);
		assert_true(c->channels[0]->classes[0].lane.burst == said[i].class_burst);
		conf_unref(c);
	}
}

static void names_of_the_most_bytes_are_taken(void **state)
{
	struct place *p = *state;
	struct conf *c = NULL;
	struct err e = { 0 };
	char text[8192];
	(void)snprintf(text, sizeof(text),
		"name: mail\nkind: email\nadapter: email\naccounts: [{name: relay}, {name: hn}, {name: %.63s}]\n"
		"classes: {%.47s: {rate: 1/s}}\nlimit_groups: {%.63s: {rate: 1/s}}\n",
		LONG_64, LONG_48, LONG_64);
	put(p->channel, text, 0600);
	assert_int_equal(conf_load(p->path, &c, &e), 0);
	conf_unref(c);
}

static void a_person_s_name_that_would_be_cut_is_refused(void **state)
{
	struct place *p = *state;
	struct conf *c = NULL;
	struct err e = { 0 };
	put(p->path,
		"key_file: master.key\npeople:\n"
		"  - {name: \"Phó Giám đốc phụ trách Trung tâm Truyền thông, người được ủy quyền\", uid: 7, roles: viewer}\n",
		0600);
	assert_true(conf_load(p->path, &c, &e) < 0);
	assert_non_null(strstr(e.text, "lantoad.yaml:3: people[1]: person 'Phó Giám đốc"));
	assert_non_null(strstr(e.text, "at most 79 can be"));
}

/* "//u/TOKEN" is no page of ours: whoever clicked there could not unsubscribe. */
static void a_slash_behind_the_public_address_is_none_of_it(void **state)
{
	static const char *const said[][2] = { { "https://x.vn/", "https://x.vn" },
		{ "https://x.vn/to//", "https://x.vn/to" },
		{ "https://x.vn/to", "https://x.vn/to" } };
	struct place *p = *state;
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		struct conf *c = NULL;
		struct err e = { 0 };
		char text[200];
		(void)snprintf(
			text, sizeof(text), "key_file: master.key\npublic_url: %s\n", said[i][0]);
		put(p->path, text, 0600);
		assert_int_equal(conf_load(p->path, &c, &e), 0);
		assert_string_equal(c->public_url, said[i][1]);
		conf_unref(c);
	}
}

static void a_folder_beside_the_state_folder_is_taken(void **state)
{
	struct place *p = *state;
	struct conf *c = NULL;
	struct err e = { 0 };
	put(p->path,
		"key_file: master.key\nstate_dir: /var/lib/lantoa/\nsecret_key_file: /var/lib/lantoa-keys/secret.key\n"
		"token_mirror: /var/lib/lantoa.mirror\n",
		0600);
	assert_int_equal(conf_load(p->path, &c, &e), 0);
	conf_unref(c);
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
	struct place *p = *state;
	put(p->path, top_good, 0600);
	for (size_t i = 0; i < sizeof(swaps) / sizeof(swaps[0]); i++) {
		char text[8192];
		struct conf *c = NULL;
		struct err e = { 0 };
		const char *at = strstr(mail_good, swaps[i].from);
		assert_non_null(at);
		(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - mail_good), mail_good,
			swaps[i].to, at + strlen(swaps[i].from));
		put(p->channel, text, 0600);
		assert_true(conf_load(p->path, &c, &e) < 0);
		if (!strstr(e.text, swaps[i].says))
			fail_msg("swap %zu: '%s' does not say '%s'", i, e.text, swaps[i].says);
	}
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
	struct place *p = *state;
	char text[8192];
	struct conf *c = NULL;
	struct err e = { 0 };
	put(p->path, top_good, 0600);
	(void)snprintf(text, sizeof(text), "%s%s", mail_good, more);
	put(p->channel, text, 0600);
	assert_int_equal(conf_load(p->path, &c, &e), 0);
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
		put(p->channel, text, 0600);
		assert_true(conf_load(p->path, &c, &e) < 0);
		if (!strstr(e.text, wrong[i].says))
			fail_msg(
				"%s: '%s' does not say '%s'", wrong[i].text, e.text, wrong[i].says);
	}
}

/* A person at a terminal has no credentials of the service manager: such secrets are counted, and a daemon goes on to refuse them. */
static void a_secret_of_the_service_manager_is_not_looked_at_by_hand(void **state)
{
	struct place *p = *state;
	char text[8192];
	struct conf *c = NULL;
	struct err e = { 0 };
	size_t unseen = 99;
	put(p->path, top_good, 0600);
	assert_int_equal(conf_load_by_hand(p->path, &c, &unseen, &e), 0);
	assert_int_equal(unseen, 0);
	conf_unref(MOVE(c));
	(void)snprintf(text, sizeof(text),
		"%ssecrets: {password: {credential: relay-pw}, other: {credential: relay-other}}\nwebhook: {secret: {credential: hook}}\n",
		mail_good);
	put(p->channel, text, 0600);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_int_equal(conf_load(p->path, &c, &e), -ENOENT);
	assert_non_null(strstr(e.text, "add LoadCredential=relay-pw:PATH"));
	assert_int_equal(conf_load_by_hand(p->path, &c, &unseen, &e), 0);
	assert_int_equal(unseen, 3);
	conf_unref(MOVE(c));
	/* Under the service manager they are looked at, as files always are. */
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", p->dir, 1), 0);
	assert_int_equal(conf_load_by_hand(p->path, &c, &unseen, &e), -ENOENT);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	(void)snprintf(text, sizeof(text), "%ssecrets: {password: {file: none.pw}}\n", mail_good);
	put(p->channel, text, 0600);
	assert_int_equal(conf_load_by_hand(p->path, &c, &unseen, &e), -ENOENT);
	assert_null(c);
}

/* As make install and tmpfiles leave it: root's, and read by the group of the service. */
static void a_password_of_a_proxy_stands_where_no_stranger_reads(void **state)
{
	struct place *p = *state;
	char text[8192];
	struct conf *c = NULL;
	struct err e = { 0 };
	(void)snprintf(text, sizeof(text), "%sproxy: http://u:geheim@127.0.0.1:3128\n", mail_good);
	put(p->channel, text, 0644);
	assert_int_equal(conf_load(p->path, &c, &e), -EINVAL);
	assert_non_null(strstr(e.text, "mail.yaml:9: proxy: "));
	assert_null(strstr(e.text, "geheim"));
	assert_int_equal(chmod(p->channel, 0640), 0);
	assert_int_equal(conf_load(p->path, &c, &e), 0);
	conf_unref(c);
	if (geteuid() != 0) /* only root may give it to a group that is not ours */
		return;
	assert_int_equal(chown(p->channel, 4711, 4712), 0);
	assert_int_equal(chmod(p->dir, 0755), 0);
	assert_int_equal(chmod(p->path, 0644), 0);
	(void)snprintf(text, sizeof(text), "%s/ch", p->dir);
	assert_int_equal(chmod(text, 0755), 0);
	assert_int_equal(seteuid(4711), 0);
	int rc = conf_load(p->path, &c, &e);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(rc, -EINVAL);
	assert_non_null(strstr(e.text, "chmod 0640"));
}

static void a_secret_that_others_may_read_is_refused(void **state)
{
	struct place *p = *state;
	char path[600], text[8192];
	struct conf *c = NULL;
	struct err e = { 0 };
	(void)snprintf(path, sizeof(path), "%s/ch/relay.pw", p->dir);
	(void)snprintf(text, sizeof(text), "%ssecrets: {password: {file: relay.pw}}\n", mail_good);
	put(p->path, top_good, 0600);
	put(p->channel, text, 0600);
	put(path, "hunter2\n", 0644);
	assert_int_equal(conf_load(p->path, &c, &e), -EPERM);
	assert_non_null(strstr(e.text, "chmod 0600"));
	assert_null(strstr(e.text, "hunter2"));
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(conf_load(p->path, &c, &e), 0);
	struct secret *s = NULL;
	assert_int_equal(conf_secret_read(&c->channels[0]->secrets[0], &s, &e), 0);
	assert_true(str_eqz(secret_value(s), "hunter2"));
	secret_free(s);
	conf_unref(MOVE(c));
	/* as an editor of Windows saves it */
	put(path, "\xef\xbb\xbfhunter2\r\n", 0600);
	assert_int_equal(conf_load(p->path, &c, &e), 0);
	assert_int_equal(conf_secret_read(&c->channels[0]->secrets[0], &s, &e), 0);
	assert_true(str_eqz(secret_value(s), "hunter2"));
	secret_free(s);
	conf_unref(MOVE(c));
	assert_int_equal(file_write_durable(path, STR("\xff\xfeh\0u\0\r\0\n\0"), 0600, &e), 0);
	assert_int_equal(conf_load(p->path, &c, &e), -EINVAL);
	assert_non_null(strstr(e.text, "is in UTF-16"));
	put(path, "\r\n", 0600);
	assert_int_equal(conf_load(p->path, &c, &e), -EINVAL);
	assert_non_null(strstr(e.text, "is empty"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	(void)alarm(20); /* nobody will ever write into it */
	assert_int_equal(conf_load(p->path, &c, &e), -EINVAL);
	(void)alarm(0);
	assert_non_null(strstr(e.text, "no regular file"));
}

static void yaml_beyond_its_limits_is_refused(void **state)
{
	struct ynode *n = NULL;
	struct err e = { 0 };
	char deep[200];
	(void)state;
	memset(deep, '[', 100);
	deep[100] = 0;
	assert_true(conf_yaml_parse("x", str_of(deep), &n, &e) < 0);
	assert_non_null(strstr(e.text, "16 levels"));
	assert_true(conf_yaml_parse("x", str_of("a: \xff\xfe"), &n, &e) == -EILSEQ);
	assert_true(conf_yaml_parse("x", str_of("a: 1\n---\nb: 2\n"), &n, &e) < 0);
	assert_true(conf_yaml_parse("x", str_of("a: *b\n"), &n, &e) < 0);
	/* libyaml reads ahead: of what it cannot read it knows the byte alone */
	assert_true(conf_yaml_parse("x",
			    str_of("\xef\xbb\xbf"
				   "a: 1\r\nb: \"Đ\"\nc: x\x0by\n"),
			    &n, &e) < 0);
	assert_non_null(strstr(e.text, "x:3: "));
	assert_non_null(strstr(e.text, "U+000B"));
	assert_int_equal(conf_yaml_parse("x", str_of(""), &n, &e), 0);
	assert_int_equal(n->n, 0);
	ynode_free(n);
	assert_int_equal(conf_yaml_parse("x",
				 str_of("\xef\xbb\xbf"
					"a: [1, {b: c}]\r\n"),
				 &n, &e),
		0);
	assert_string_equal(ynode_get(n, "a")->child[1]->child[0]->key, "b");
	ynode_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_good_configuration_is_read_with_its_defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_route_is_that_of_the_nearest_office, setup, teardown),
		cmocka_unit_test_setup_teardown(
			trial_mode_allows_only_what_is_listed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			domains_of_trial_rules_have_no_case, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_page_may_be_contacted_by_its_number, setup, teardown),
		cmocka_unit_test_setup_teardown(
			who_may_be_contacted_without_a_mode_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_trial_rule_that_allows_nobody_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_channel_file_that_would_not_be_read_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(people_are_found_by_uid_or_login, setup, teardown),
		cmocka_unit_test_setup_teardown(
			each_mistake_is_refused_with_file_line_and_what_would_be_right, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			values_that_do_not_fit_in_a_channel_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_person_s_name_that_would_be_cut_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_folder_beside_the_state_folder_is_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_slash_behind_the_public_address_is_none_of_it, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_rate_alone_holds_from_the_first_second, setup, teardown),
		cmocka_unit_test_setup_teardown(names_of_the_most_bytes_are_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_a_channel_does_beside_sending_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_secret_of_the_service_manager_is_not_looked_at_by_hand, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_password_of_a_proxy_stands_where_no_stranger_reads, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_secret_that_others_may_read_is_refused, setup, teardown),
		cmocka_unit_test(yaml_beyond_its_limits_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
