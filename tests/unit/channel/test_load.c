/* test_load.c - what the loader refuses, and that each refusal names the file and what would be right. The adapters are built here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "base/log.h"
#include "hosted.h"
#include "lib/tmpdir.h"

#define BAD         "tests/unit/channel/testdata/bad.c"
#define SETTINGS(x) "settings: {host: relay, " x "}\naccounts: [{name: main}]\n"

struct refusal {
	const char *opt;       /* of the compiler */
	const char *yaml;      /* of the channel; NULL: a good one */
	const char *must_name; /* in the text of the refusal */
	const char *must_name_too;
};

/* Builds, loads, and gives the text of the refusal ("" when it was loaded). With `probe`: by the child first, as --check does. */
static const char *load(const char *opt, const char *yaml, bool probe)
{
	static char text[ERR_TEXT_MAX];
	struct err e = { 0 };
	struct ht *t = ht_new();
	const char *opts[] = { opt, NULL };
	struct ht_opts o = { .adapter = "bad", .channel_yaml = yaml ? yaml : SETTINGS("port: 26") };
	assert_int_equal(ht_build(t->dir, "bad", BAD, opt ? opts : NULL), 0);
	int rc = ht_conf(t, &o, &e);
	assert_string_equal(e.text, "");
	assert_int_equal(rc, 0);
	rc = probe ? channels_check(t->conf, true, &e) : ht_load(t, &o, &e);
	(void)snprintf(text, sizeof(text), "%s", e.text);
	assert_int_equal(rc != 0, text[0] != 0);
	assert_int_equal(ht_free(t), 0);
	return text;
}

static void must_refuse(const struct refusal *r, bool probe)
{
	const char *text = load(r->opt, r->yaml, probe);
	if (!strstr(text, r->must_name) || !strstr(text, r->must_name_too))
		fail_msg("wanted '%s' and '%s', got '%s'", r->must_name, r->must_name_too, text);
}

static void a_good_adapter_is_loaded_and_checked(void **state)
{
	(void)state;
	assert_string_equal(load(NULL, NULL, false), "");
	assert_string_equal(load(NULL, NULL, true), "");
	assert_string_equal(load("-DASKS_TIME", NULL, true), ""); /* a probe has clocks */
}

static void an_adapter_that_does_not_fit_is_refused_by_name(void **state)
{
	(void)state;
	static const struct refusal all[] = {
		{ "-DBAD_MAJOR=2", NULL, "bad.so", "ABI 2.0, this daemon speaks 1.0" },
		{ "-DBAD_MAJOR=0", NULL, "bad.so", "ABI 0.0" },
		{ "-DBAD_MINOR=7", NULL, "bad.so", "ABI 1.7" },
		{ "-DBAD_SYMBOL=something_else", NULL, "bad.so",
			"exports no symbol 'lantoa_adapter'" },
		{ "-DBAD_NAME=\"other\"", NULL, "bad.so", "calls itself 'other'" },
		{ "-DBAD_SIZE=64", NULL, "bad.so", "struct_size" },
		{ "-DBAD_NO_COMPOSE", NULL, "bad.so", "a function is missing" },
		{ "-DBAD_CAPS=0x80000200u", NULL, "bad.so", "capabilities" },
		{ "-DBAD_OP_SIZE=99999999", NULL, "bad.so", "1 MB" },
		{ "-DBAD_SAYS_NO", NULL, "account 'main'", "port: 99999 is no port" },
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		must_refuse(&all[i], false);
		must_refuse(&all[i], true);
	}
}

static void a_crash_in_open_is_named_and_not_fatal(void **state)
{
	(void)state;
	static const struct refusal all[] = {
		{ "-DBAD_CRASH", NULL, "bad.so", "crashed while it was opened for channel 'chan'" },
		{ "-DBAD_EXIT", NULL, "bad.so", "ended while it was opened" },
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		must_refuse(&all[i], true);
}

static void a_wrong_setting_is_refused_with_its_line_and_what_is_right(void **state)
{
	(void)state;
	static const struct refusal all[] = {
		{ NULL, SETTINGS("prot: 25"), "chan.yaml:4", "did you mean 'port'" },
		{ NULL, SETTINGS("port: many"), "chan.yaml:4", "'many' is not a whole number" },
		{ NULL, SETTINGS("wait: 5 parsecs"), "chan.yaml:4", "duration" },
		{ NULL, SETTINGS("tls: maybe"), "chan.yaml:4", "none|starttls" },
		{ NULL, SETTINGS("dsn: perhaps"), "chan.yaml:4", "yes or no" },
		{ NULL, "settings: {port: 25}\naccounts: [{name: main}]\n", "account 'main'",
			"needs the setting 'host'" },
		{ NULL, SETTINGS("password: pw"), "account 'main'", "names the secret 'pw'" },
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		must_refuse(&all[i], false);
		must_refuse(&all[i], true);
	}
}

static void an_account_overrides_the_channel_and_misses_nothing(void **state)
{
	(void)state;
	assert_string_equal(load(NULL,
				    "settings: {port: 25}\naccounts:\n"
				    "  - {name: main, settings: {host: a}}\n"
				    "  - {name: second, settings: {host: b, port: 26}}\n",
				    false),
		"");
	static const struct refusal one = { NULL,
		"settings: {port: 25}\naccounts:\n  - {name: main, settings: {host: a}}\n"
		"  - {name: second}\n",
		"account 'second'", "'host'" };
	must_refuse(&one, false);
}

static const char *with_modes(mode_t folder, mode_t file)
{
	static char text[ERR_TEXT_MAX];
	char path[600];
	struct err e = { 0 };
	struct ht *t = ht_new();
	(void)snprintf(path, sizeof(path), "%s/adapters", t->dir);
	assert_int_equal(dir_make(path, 0700, &e), 0);
	assert_int_equal(ht_build(path, "bad", BAD, NULL), 0);
	struct ht_opts o = {
		.adapter_dir = path, .adapter = "bad", .channel_yaml = SETTINGS("port: 26")
	};
	char so[700];
	(void)snprintf(so, sizeof(so), "%s/bad.so", path);
	assert_int_equal(chmod(so, file), 0);
	assert_int_equal(chmod(path, folder), 0);
	int rc = ht_load(t, &o, &e);
	assert_int_equal(rc, e.text[0] ? -EPERM : 0);
	(void)snprintf(text, sizeof(text), "%s", e.text);
	assert_int_equal(ht_free(t), 0);
	return text;
}

static void code_that_others_may_write_is_not_trusted(void **state)
{
	(void)state;
	assert_string_equal(with_modes(0755, 0755), "");
	assert_non_null(strstr(with_modes(0777, 0755), "/adapters: may be written by others"));
	assert_non_null(strstr(with_modes(0775, 0755), "chmod go-w"));
	assert_non_null(strstr(with_modes(0755, 0757), "bad.so: may be written by others"));
	assert_non_null(strstr(with_modes(0755, 0775), "bad.so: may be written by others"));
}

static void code_of_another_owner_is_not_trusted(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct ht *t = ht_new();
	if (geteuid() == 0)
		assert_int_equal(chown(t->dir, 12345, (gid_t)-1), 0);
	assert_int_equal(ht_build(t->dir, "bad", BAD, NULL), 0);
	struct ht_opts o = { .adapter = "bad", .channel_yaml = SETTINGS("port: 26") };
	assert_int_equal(ht_conf(t, &o, &e), 0);
	/* root's folder is expected; ours counts only where the caller said so */
	assert_int_equal(channels_check(t->conf, false, &e), -EPERM);
	assert_non_null(strstr(e.text, "must belong to root"));
	assert_int_equal(ht_free(t), 0);
}

static void an_adapter_that_is_not_there_is_named(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct ht *t = ht_new();
	struct ht_opts o = { .adapter = "nowhere" };
	assert_int_equal(ht_load(t, &o, &e), -ENOENT);
	assert_non_null(strstr(e.text, "nowhere.so"));
	assert_int_equal(ht_free(t), 0);
}

static void a_file_that_is_no_library_is_named(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct ht *t = ht_new();
	struct ht_opts o = { .adapter = "text" };
	assert_int_equal(
		file_write_durable(tmpdir_path(t->dir, "text.so"), STR("no library"), 0600, &e), 0);
	assert_int_equal(ht_load(t, &o, &e), -ENOEXEC);
	assert_non_null(strstr(e.text, "text.so: cannot be loaded"));
	assert_int_equal(ht_free(t), 0);
}

/* What a reload does: the same folder is read once more. */
static size_t said_of_replaced(struct ht *t)
{
	struct channels *again = NULL;
	struct err e = { 0 };
	char text[4000] = "";
	FILE *f = tmpfile();
	assert_non_null(f);
	assert_int_equal(log_open(fileno(f), LOG_DEBUG, 65536), 0);
	assert_int_equal(channels_read(t->conf, true, &again, &e), 0);
	log_close();
	channels_free(again);
	rewind(f);
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f);
	const char *at = strstr(text, "ev=adapter.replaced ch=chan adapter=bad");
	return at ? n : 0;
}

static void a_file_that_was_replaced_is_told_as_not_in_force(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct ht *t = ht_new();
	struct ht_opts o = { .adapter = "bad", .channel_yaml = SETTINGS("port: 26") };
	char from[600], to[600];
	assert_int_equal(ht_build(t->dir, "bad", BAD, NULL), 0);
	assert_int_equal(ht_load(t, &o, &e), 0);
	assert_int_equal(said_of_replaced(t), 0);
	const char *opts[] = { "-DBAD_MAJOR=2", NULL }; /* so: would be refused, were it loaded */
	assert_int_equal(ht_build(t->dir, "new", BAD, opts), 0);
	(void)snprintf(from, sizeof(from), "%s/new.so", t->dir);
	(void)snprintf(to, sizeof(to), "%s/bad.so", t->dir);
	assert_int_equal(rename(from, to), 0);
	assert_true(said_of_replaced(t) > 0);
	assert_true(said_of_replaced(t) > 0); /* each time, until a restart */
	assert_int_equal(ht_free(t), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_adapter_is_loaded_and_checked),
		cmocka_unit_test(an_adapter_that_does_not_fit_is_refused_by_name),
		cmocka_unit_test(a_crash_in_open_is_named_and_not_fatal),
		cmocka_unit_test(a_wrong_setting_is_refused_with_its_line_and_what_is_right),
		cmocka_unit_test(an_account_overrides_the_channel_and_misses_nothing),
		cmocka_unit_test(code_that_others_may_write_is_not_trusted),
		cmocka_unit_test(code_of_another_owner_is_not_trusted),
		cmocka_unit_test(an_adapter_that_is_not_there_is_named),
		cmocka_unit_test(a_file_that_is_no_library_is_named),
		cmocka_unit_test(a_file_that_was_replaced_is_told_as_not_in_force),
	};
	return cmocka_run_group_tests_name("channel_load", tests, NULL, NULL);
}
