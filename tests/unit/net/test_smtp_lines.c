/* test_smtp_lines.c - the lines of an SMTP opening: grouping of replies, and what libcurl is given to read of an EHLO. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/assert.h"
#include "net/net_smtp.h"

static void replies_are_grouped_by_their_last_line(void **state)
{
	(void)state;
	static const struct {
		const char *said, *ehlo, *last;
		bool in;
	} t[] = {
		{ "", "", "", false },
		{ "220 hi\r\n", "", "220 hi\r\n", false },
		{ "220-hi\r\n220 hi\r\n250-a\r\n250 b\r\n", "250-a\r\n250 b\r\n",
			"250-a\r\n250 b\r\n", false },
		{ "220 hi\r\n502 no\r\n250 old\r\n", "250 old\r\n", "250 old\r\n", false },
		{ "220 h\r\n250 a\r\n220 go\r\n250-x\r\n250 y\r\n334 \r\n235 ok\r\n",
			"250-x\r\n250 y\r\n", "235 ok\r\n", true },
		{ "220 h\r\n250\r\n", "250\r\n", "250\r\n", false },
		{ "garbage\r\n250 a\n", "garbage\r\n250 a\n", "garbage\r\n250 a\n", false },
		{ "220 h\r\n250-cut", "", "220 h\r\n", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct smtp_opening o;
		smtp_opening_parse(str_of(t[i].said), &o);
		assert_true(str_eqz(o.ehlo, t[i].ehlo));
		assert_true(str_eqz(o.last, t[i].last));
		assert_int_equal(o.logged_in, t[i].in);
	}
}

static void lines_of_an_ehlo_are_mended_in_place(void **state)
{
	(void)state;
	static const struct {
		bool tls, choose;
		const char *in, *out;
	} t[] = {
		{ true, true, "250-auth=login plain\r\n", "250-AUTH LOGIN PLAIN\r\n" },
		{ true, true, "250 AUTH PLAIN GSSAPI\r\n", "250 AUTH PLAIN       \r\n" },
		{ true, true, "250 AUTH CRAM-MD5 NTLM\r\n", "250 AUTH CRAM-MD5     \r\n" },
		{ false, true, "250 AUTH CRAM-MD5 PLAIN NTLM\n", "250 AUTH CRAM-MD5 PLAIN     \n" },
		{ true, false, "250 AUTH GSSAPI cram-md5 PLAIN\r\n",
			"250 AUTH GSSAPI CRAM-MD5 PLAIN\r\n" },
		{ true, true, "250 AUTH XPLAIN GSSAPI2\r\n", "250 AUTH XPLAIN GSSAPI2\r\n" },
		{ true, true, "250 AUTH\r\n", "250 AUTH\r\n" },
		{ true, true, "250-starttls\r\n", "250-STARTTLS\r\n" },
		{ true, true, "250-starttls.example.vn hello\r\n", /* a name, no keyword */
			"250-starttls.example.vn hello\r\n" },
		{ true, true, "250-auth.example.vn gssapi\r\n", "250-auth.example.vn gssapi\r\n" },
		{ true, true, "220-auth gssapi\r\n", "220-auth gssapi\r\n" },
		{ true, true, "250-size 10\r\n", "250-size 10\r\n" },
		{ true, true, "250", "250" },
		{ true, true, "", "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char line[80];
		(void)snprintf(line, sizeof(line), "%s", t[i].in);
		smtp_ehlo_mend(line, strlen(line), t[i].tls, t[i].choose);
		assert_string_equal(line, t[i].out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_are_grouped_by_their_last_line),
		cmocka_unit_test(lines_of_an_ehlo_are_mended_in_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
