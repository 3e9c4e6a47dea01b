/* test_conf.c - the main file of the configuration: what is read, and that every mistake is refused with file, line and the right name. */
#include "base/assert.h"
#include "confgood.h"

static void a_good_configuration_is_read_with_its_defaults(void **state)
{
	(void)state;
	struct conf *c = NULL;
	struct err e = { 0 };
	int rc = load_it(&c, &e);
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
	(void)state;
	struct conf *c = NULL;
	struct err e = { 0 };
	const char *const below_hanoi[] = { "ba-vi", "ha-noi", "trung-uong" },
			  *const elsewhere[] = { "hue", "trung-uong" };
	assert_int_equal(load_it(&c, &e), 0);
	assert_string_equal(conf_route_find(c, KIND_EMAIL, below_hanoi, 3)->account, "hn");
	assert_string_equal(conf_route_find(c, KIND_EMAIL, elsewhere, 2)->account, "relay");
	assert_null(conf_route_find(c, KIND_SMS, elsewhere, 2));
	conf_unref(c);
}

static void people_are_found_by_uid_or_login(void **state)
{
	(void)state;
	struct conf *c = NULL;
	struct err e = { 0 };
	assert_int_equal(load_it(&c, &e), 0);
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
	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		char text[8192];
		struct conf *c = NULL;
		struct err e = { 0 };
		(void)snprintf(text, sizeof(text), "%s%s", top_good,
			mistakes[i].top ? mistakes[i].top : "");
		put("lantoad.yaml", text);
		(void)snprintf(text, sizeof(text), "%s%s", mail_good,
			mistakes[i].channel ? mistakes[i].channel : "");
		put("ch/mail.yaml", text);
		assert_true(load_it(&c, &e) < 0);
		assert_null(c);
		for (size_t k = 0; k < 3 && mistakes[i].says[k]; k++)
			if (!strstr(e.text, mistakes[i].says[k]))
				fail_msg("mistake %zu: '%s' does not say '%s'", i, e.text,
					mistakes[i].says[k]);
	}
}

static void a_person_s_name_that_would_be_cut_is_refused(void **state)
{
	(void)state;
	struct conf *c = NULL;
	struct err e = { 0 };
	put("lantoad.yaml",
		"key_file: master.key\npeople:\n"
		"  - {name: \"Phó Giám đốc phụ trách Trung tâm Truyền thông, người được ủy quyền\", uid: 7, roles: viewer}\n");
	assert_true(load_it(&c, &e) < 0);
	assert_non_null(strstr(e.text, "lantoad.yaml:3: people[1]: person 'Phó Giám đốc"));
	assert_non_null(strstr(e.text, "at most 79 can be"));
}

/* "//u/TOKEN" is no page of ours: whoever clicked there could not unsubscribe. */
static void a_slash_behind_the_public_address_is_none_of_it(void **state)
{
	static const char *const said[][2] = { { "https://x.vn/", "https://x.vn" },
		{ "https://x.vn/to//", "https://x.vn/to" },
		{ "https://x.vn/to", "https://x.vn/to" } };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		struct conf *c = NULL;
		struct err e = { 0 };
		char text[200];
		(void)snprintf(
			text, sizeof(text), "key_file: master.key\npublic_url: %s\n", said[i][0]);
		put("lantoad.yaml", text);
		assert_int_equal(load_it(&c, &e), 0);
		assert_string_equal(c->public_url, said[i][1]);
		conf_unref(c);
	}
}

static void a_folder_beside_the_state_folder_is_taken(void **state)
{
	(void)state;
	struct conf *c = NULL;
	struct err e = { 0 };
	put("lantoad.yaml",
		"key_file: master.key\nstate_dir: /var/lib/lantoa/\nsecret_key_file: /var/lib/lantoa-keys/secret.key\n"
		"token_mirror: /var/lib/lantoa.mirror\n");
	assert_int_equal(load_it(&c, &e), 0);
	conf_unref(c);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup_good, teardown)
	const struct CMUnitTest tests[] = {
		T(a_good_configuration_is_read_with_its_defaults),
		T(a_route_is_that_of_the_nearest_office),
		T(people_are_found_by_uid_or_login),
		T(each_mistake_is_refused_with_file_line_and_what_would_be_right),
		T(a_person_s_name_that_would_be_cut_is_refused),
		T(a_slash_behind_the_public_address_is_none_of_it),
		T(a_folder_beside_the_state_folder_is_taken),
	};
#undef T
	return cmocka_run_group_tests(tests, NULL, NULL);
}
