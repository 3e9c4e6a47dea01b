/* test_check.c - the probe of a relay account, and how it and the session log in. */
#include <errno.h>
#include "smtptest.h"

static void a_check_probes_without_a_mail(void **state)
{
	struct fix *f = *state;
	size_t c = sh_job(f->h, LT_J_CHECK, NULL);

	assert_int_equal(sh_start(f->h, c, 1), 0);
	sh_opened(f->h, 1, PIPE);
	is(f, c, LT_ACCEPTED, 0, 0);
	assert_non_null(strstr(sh_result(f->h, c)->text, "100000 bytes"));
	assert_string_equal(sh_sent(f->h, 1), "");
	c = sh_job(f->h, LT_J_CHECK, NULL);
	assert_int_equal(sh_start(f->h, c, 1), 0);
	sh_closed(f->h, 2, -13, "535 5.7.8 no\r\n", "denied");
	is(f, c, LT_DEFERRED, LT_SCOPE_ACCOUNT, 0);
	assert_string_equal(sh_result(f->h, c)->code, "535");
}

/* What the relay said last was a yes, and why there is no log-in says the host. */
static void a_check_tells_why_there_is_no_log_in(void **state)
{
	static const struct {
		const char *said, *error, *code, *text;
		int rc;
	} t[] = {
		{ "250-relay\r\n250 AUTH GSSAPI\r\n", "the server offers no AUTH that we speak",
			"login", "the server offers no AUTH that we speak", -EACCES },
		{ NULL, "could not connect", "connect", "could not connect", -ECONNREFUSED },
		{ "220 hi\r\n", "certificate", "login", "certificate", -EPROTO },
		{ "535-5.7.8 no\r\n535 5.7.8 at all\r\n", "denied", "535", "5.7.8 no at all",
			-EACCES },
		{ "554 5.7.1 not you\r\n", "denied", "554", "5.7.1 not you", -EREMOTEIO },
	};
	struct fix *f = *state;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		size_t c = sh_job(f->h, LT_J_CHECK, NULL);
		assert_int_equal(sh_start(f->h, c, 1), 0);
		sh_closed(f->h, 1 + i, t[i].rc, t[i].said, t[i].error);
		is(f, c, LT_DEFERRED, LT_SCOPE_ACCOUNT, 0);
		assert_string_equal(sh_result(f->h, c)->code, t[i].code);
		assert_string_equal(sh_result(f->h, c)->text, t[i].text);
	}
	size_t c = sh_job(f->h, LT_J_CHECK, NULL);
	assert_int_equal(sh_start(f->h, c, 1), 0);
	sh_cancel(f->h, c);
	is(f, c, LT_DEFERRED, LT_SCOPE_ACCOUNT, 0);
	assert_string_equal(
		sh_result(f->h, c)->text, "stopped before the relay had answered as it should");
}

static void the_way_to_log_in_is_the_one_that_is_configured(void **state)
{
	static const char *const ways[][2] = { { NULL, "" }, { "auto", "" },
		{ "plain", "AUTH=PLAIN" }, { "login", "AUTH=LOGIN" },
		{ "cram-md5", "AUTH=CRAM-MD5" }, { "xoauth2", "AUTH=XOAUTH2" } };

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct sh *h = mail_host();
		sh_file(h, "outcomes", shipped_file("config/outcomes/email.tsv"));
		sh_conf(h, "user", "lantoa");
		sh_conf(h, "secret", "relay");
		if (ways[i][0] != NULL)
			sh_conf(h, "auth", ways[i][0]);
		assert_int_equal(sh_open(h), 0);
		size_t s = sh_session(h), c = sh_job(h, LT_J_CHECK, NULL);
		assert_int_equal(sh_start(h, c, 1), 0);
		for (size_t k = 0; k < 2; k++) { /* of the session, of the check */
			assert_string_equal(h->streams[k]->login, ways[i][1]);
			assert_string_equal(h->streams[k]->user, "lantoa");
			assert_int_equal(h->streams[k]->connect_ms, 300000);
		}
		for (size_t k = 0; k < 2; k++)
			sh_closed(h, k, -111, NULL, "refused");
		assert_true(sh_result(h, s)->done);
		sh_free(h);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, one, teardown)
	const struct CMUnitTest tests[] = {
		T(a_check_probes_without_a_mail),
		T(a_check_tells_why_there_is_no_log_in),
		cmocka_unit_test(the_way_to_log_in_is_the_one_that_is_configured),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
