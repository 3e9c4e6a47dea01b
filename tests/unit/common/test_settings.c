/* test_settings.c - the reader of an account's settings, by a table of wrong values and what is said of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "common/settings.h"

static const struct lt_key keys[] = {
	{ "port", "int", "25", "", 0, 0 },
	{ "tls", "bool", "no", "", 0, 0 },
	{ "mode", "enum:plain|timed|off", "timed", "", 0, 0 },
	{ "label", "text", "[QC]", "", 0, 0 },
	{ "host", "text", NULL, "", 0, 0 },
	{ "zone", "text", "+0700", "", 0, 0 },
	{ "password", "secret", "pw", "", 0, 0 },
};
#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

struct given {
	struct lt_pair pair;
	struct lt_conf conf;
	char err[200];
	struct ltc_settings s;
};

static struct ltc_settings *give(struct given *g, const char *name, const char *value)
{
	*g = (struct given){ .pair = { .name = ltc_z(name), .value = ltc_z(value) } };
	g->conf = (struct lt_conf){
		.struct_size = sizeof(g->conf), .values = &g->pair, .n_values = 1
	};
	g->s = (struct ltc_settings){ .conf = &g->conf,
		.keys = keys,
		.n_keys = N_KEYS,
		.err = g->err,
		.err_size = sizeof(g->err) };
	return &g->s;
}

static void read_as(struct ltc_settings *s, char how, const char *name)
{
	switch (how) {
	case 'n': (void)ltc_setting_number(s, name, -1, 65535); break;
	case 'f': (void)ltc_setting_flag(s, name); break;
	case 'w': (void)ltc_setting_word(s, name); break;
	case 't': (void)ltc_setting_text(s, name); break;
	case 'a': (void)ltc_setting_ascii(s, name, 5); break;
	case 'd': (void)ltc_setting_digits(s, name, 3, 5); break;
	case 'u': (void)ltc_setting_url(s, name, 30); break;
	default: (void)ltc_setting_zone(s, name);
	}
}

static void a_wrong_value_is_named_with_what_would_be_right(void **state)
{
	(void)state;
	static const char https[] =
		"an address that begins with https:// (http:// only on this machine)";
	static const struct {
		char how;
		const char *name, *value, *right; /* NULL: it is right */
	} rows[] = {
		{ 'n', "port", "65536", "a number from -1 to 65535" },
		{ 'n', "port", "-2", "a number from -1 to 65535" },
		{ 'n', "port", "12x", "a number from -1 to 65535" },
		{ 'n', "port", "", "a number from -1 to 65535" },
		{ 'n', "port", "99999999999999999999", "a number from -1 to 65535" },
		{ 'n', "port", "-1", NULL },
		{ 'n', "port", "65535", NULL },
		{ 'f', "tls", "maybe", "yes or no" },
		{ 'f', "tls", "true", NULL },
		{ 'f', "tls", "false", NULL },
		{ 'w', "mode", "tim", "plain, timed or off" },
		{ 'w', "mode", "", "plain, timed or off" },
		{ 'w', "mode", "off", NULL },
		{ 't', "host", "a\tb", "text without control characters" },
		{ 't', "host", "\xff", "text without control characters" },
		{ 't', "host", "Điện Biên", NULL },
		{ 'a', "host", "123456", "at most 5 ASCII characters" },
		{ 'a', "host", "Đ", "at most 5 ASCII characters" },
		{ 'a', "host", "12345", NULL },
		{ 'd', "host", "12", "digits only, in quotes, 3 to 5 of them" },
		{ 'd', "host", "123456", "digits only, in quotes, 3 to 5 of them" },
		{ 'd', "host", "12a", "digits only, in quotes, 3 to 5 of them" },
		{ 'd', "host", "123", NULL },
		{ 'u', "host", "http://api.example", https },
		{ 'u', "host", "http://localhost.example", https },
		{ 'u', "host", "http://127.0.0.1.example", https },
		{ 'u', "host", "https://a@b", https },
		{ 'u', "host", "https://a/?b", https },
		{ 'u', "host", "https://a b", https },
		{ 'u', "host", "https://api.example/0123456789012", https },
		{ 'u', "host", "https://api.example/v1/", NULL },
		{ 'u', "host", "http://127.0.0.1:8080", NULL },
		{ 'u', "host", "http://[::1]/x", NULL },
		{ 'z', "zone", "Mars", "an offset such as +0700, UTC or Asia/Ho_Chi_Minh" },
		{ 'z', "zone", "Asia/Ho_Chi_Minh", NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct given g;
		struct lt_str want;
		char text[300];
		read_as(give(&g, rows[i].name, rows[i].value), rows[i].how, rows[i].name);
		want = ltc_z(rows[i].right);
		(void)snprintf(text, sizeof(text), "%s: '%s' is wrong; %s", rows[i].name,
			rows[i].value, want.n > 0 ? want.p : "");
		assert_string_equal(g.err, rows[i].right == NULL ? "" : text);
		assert_int_equal(g.s.bad, rows[i].right != NULL);
	}
}

static void only_the_first_wrong_value_is_told(void **state)
{
	(void)state;
	struct given g;
	struct ltc_settings *s = give(&g, "port", "x");
	(void)ltc_setting_number(s, "port", 1, 2);
	ltc_setting_wrong(s, "host", ltc_z(""), "is needed");
	assert_string_equal(g.err, "port: 'x' is wrong; a number from 1 to 2");
}

static void a_long_wrong_value_is_cut_between_two_letters(void **state)
{
	(void)state;
	struct given g;
	struct ltc_settings *s = give(&g, "host", NULL);
	char value[120] = "";
	for (int i = 0; i < 39; i++)
		(void)strncat(value, "ê", sizeof(value) - strlen(value) - 1);
	(void)strncat(value, "ab…xyz", sizeof(value) - strlen(value) - 1);
	ltc_setting_wrong(s, "host", ltc_z(value), "no");
	assert_non_null(strstr(g.err, "êab' is wrong; no"));
}

static void the_default_stands_in_for_what_is_absent_and_where_asked_for_what_is_empty(void **state)
{
	(void)state;
	struct given g;
	struct ltc_settings *s = give(&g, "label", "");
	assert_int_equal(ltc_setting_number(s, "port", 1, 100), 25);
	assert_int_equal(ltc_setting_word(s, "mode"), 1);
	assert_int_equal(ltc_setting_zone(s, "zone"), 420);
	assert_false(ltc_setting_flag(s, "tls"));
	assert_int_equal(ltc_setting_text(s, "label").n, 0);
	assert_null(ltc_setting_text(s, "host").p);
	assert_null(ltc_setting_value(s, "unheard_of").p);
	s->empty_is_default = true;
	assert_true(ltc_eqz(ltc_setting_text(s, "label"), "[QC]"));
	assert_false(s->bad);
}

static void a_secret_is_its_name_wherever_it_stands(void **state)
{
	(void)state;
	struct given g;
	struct ltc_settings *s = give(&g, "password", NULL);
	assert_true(ltc_eqz(ltc_setting_secret(s, "password"), "pw"));
	g.pair.value = ltc_z("beside");
	assert_true(ltc_eqz(ltc_setting_secret(s, "password"), "beside"));
	g.pair.secret = ltc_z("named");
	assert_true(ltc_eqz(ltc_setting_secret(s, "password"), "named"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wrong_value_is_named_with_what_would_be_right),
		cmocka_unit_test(only_the_first_wrong_value_is_told),
		cmocka_unit_test(a_long_wrong_value_is_cut_between_two_letters),
		cmocka_unit_test(
			the_default_stands_in_for_what_is_absent_and_where_asked_for_what_is_empty),
		cmocka_unit_test(a_secret_is_its_name_wherever_it_stands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
