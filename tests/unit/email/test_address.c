/* test_address.c - canonical form of mail addresses and the class of their domain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "../../lib/scripted_host.h"

extern const struct lt_adapter lantoa_adapter;
static const char domains[] = "# groups\ngmail.com\tgmail\ngooglemail.com\tgmail\n"
			      "outlook.com\tmicrosoft\nvnn.vn\tvnpt\n";

static int ask_n(struct sh_made *m, const char *in, size_t n)
{
	static struct sh *h;

	if (h != NULL)
		sh_free(h);
	h = sh_new(&lantoa_adapter);
	sh_file(h, "domains", domains);
	sh_made_init(m, h);
	int rc = lantoa_adapter.address(&h->conf, (struct lt_str){ in, n }, &m->sink);
	sh_free(h);
	h = NULL;
	return rc;
}

static void good(const char *in, const char *canonical, const char *class)
{
	struct sh_made m;

	assert_int_equal(ask_n(&m, in, strlen(in)), 0);
	assert_string_equal(sh_told(&m, "address"), canonical);
	assert_string_equal(sh_told(&m, "class"), class);
	assert_string_equal(sh_told(&m, "kind"), "mailbox");
	assert_int_equal(m.n_problems, 0);
	sh_made_done(&m);
}

static void bad(const char *in, const char *why)
{
	struct sh_made m;

	assert_true(ask_n(&m, in, strlen(in)) < 0);
	assert_non_null(strstr(m.problems.p, why));
	assert_int_equal(m.n_told, 0);
	sh_made_done(&m);
}

static void a_plain_address_keeps_the_case_of_its_local_part(void **state)
{
	(void)state;
	good("Nguyen.Van-A+press@Bao.Example.VN", "Nguyen.Van-A+press@bao.example.vn", "other");
	good("a@x.vn", "a@x.vn", "other");
}

static void a_domain_of_a_group_gets_the_class_of_the_group(void **state)
{
	(void)state;
	good("a@GMAIL.com", "a@gmail.com", "gmail");
	good("a@googlemail.com", "a@googlemail.com", "gmail");
	good("a@outlook.com", "a@outlook.com", "microsoft");
	good("a@vnn.vn", "a@vnn.vn", "vnpt");
	good("a@notgmail.com", "a@notgmail.com", "other");
	good("a@mail.com", "a@mail.com", "other");
	good("a@x.gmail.com", "a@x.gmail.com", "other");
}

static void an_international_domain_becomes_an_a_label(void **state)
{
	(void)state;
	good("tin@việt.vn", "tin@xn--vit-5kz.vn", "other");
	good("tin@VIỆT.vn", "tin@xn--vit-5kz.vn", "other");
	/* decomposed: the same name */
	good("tin@vie\xcc\xa3\xcc\x82t.vn", "tin@xn--vit-5kz.vn", "other");
	good("a@straß"
	     "e.de",
		"a@xn--strae-oqa.de", "other"); /* non-transitional */
}

static void a_local_part_is_composed(void **state)
{
	(void)state;
	good("nguye\xcc\x82\xcc\x83n@x.vn", "nguyễn@x.vn", "other");
}

static void what_is_no_address_is_refused_with_a_reason(void **state)
{
	(void)state;
	bad("", "empty");
	bad("x.vn", "no @");
	bad("a@@x.vn", "more than one @");
	bad("a@b@x.vn", "more than one @");
	bad("@x.vn", "nothing before");
	bad("a@", "nothing behind");
	bad("a@x", "a dot");
	bad("a@.vn", "domain");
	bad("a@x..vn", "domain");
	bad("a@-x.vn", "domain");
	bad("a@x-.vn", "domain");
	bad("a@x_y.vn", "domain");
	bad("a@x.vn.", "domain");
	bad(".a@x.vn", "dot");
	bad("a.@x.vn", "dot");
	bad("a..b@x.vn", "dot");
	bad("a b@x.vn", "not allowed");
	bad("\"a\"@x.vn", "not allowed");
	bad("<a@x.vn>", "not allowed");
	bad("A <a@x.vn>", "not allowed");
	bad("a@x.vn ", "domain");
	bad("a\r\nRCPT TO:<b@x.vn>@x.vn", "control");
	bad("a@x.vn\r\n", "control");
	bad("a\x7f@x.vn", "control");
	bad("a\xff@x.vn", "UTF-8");
	bad("a@\xe1\xbb.vn", "UTF-8");
}

/* Copied from a page or a sheet: it looks like the same address, and would be another contact. */
static void what_nobody_sees_in_an_address_is_refused(void **state)
{
	(void)state;
	bad("\xe2\x80\x8b"
	    "a@x.vn",
		"nobody can see"); /* zero width space */
	bad("\xef\xbb\xbf"
	    "a@x.vn",
		"nobody can see"); /* byte order mark */
	bad("\xc2\xa0"
	    "a@x.vn",
		"nobody can see"); /* no-break space */
	bad("a\xc2\xad"
	    "b@x.vn",
		"nobody can see"); /* soft hyphen */
	bad("a\xe2\x80\xae"
	    "b@x.vn",
		"nobody can see"); /* right to left */
	bad("a\xe2\x80\xa8"
	    "b@x.vn",
		"nobody can see"); /* line separator */
	bad("a\xc2\x85"
	    "b@x.vn",
		"nobody can see"); /* a control character of the upper half */
	bad("nguyễn\xe2\x80\x8b@x.vn", "nobody can see");
}

static void a_nul_byte_in_an_address_is_refused(void **state)
{
	struct sh_made m;

	(void)state;
	assert_true(ask_n(&m, "a@x.vn\0b", 8) < 0);
	sh_made_done(&m);
}

static void lengths_are_held_to_the_octet(void **state)
{
	char buf[400];

	(void)state;
	memset(buf, 'a', sizeof(buf));
	memcpy(buf + 64, "@x.vn", 6);
	good(buf, buf, "other");
	memset(buf, 'a', 65);
	memcpy(buf + 65, "@x.vn", 6);
	bad(buf, "64");
	/* 64 + 1 + 189 = 254: allowed; one more is not */
	for (int more = 0; more < 2; more++) {
		memset(buf, 'a', sizeof(buf));
		buf[64] = '@';
		for (int i = 0; i < 3; i++)
			buf[65 + 62 + i * 63] = '.';
		size_t n = (size_t)(254 + more);
		memcpy(buf + n - 3, ".vn", 4);
		if (more == 0)
			good(buf, buf, "other");
		else
			bad(buf, "254");
	}
}

static void without_a_table_every_domain_is_other(void **state)
{
	struct sh *h = sh_new(&lantoa_adapter);
	struct sh_made m;

	(void)state;
	sh_made_init(&m, h);
	assert_int_equal(
		lantoa_adapter.address(&h->conf, (struct lt_str){ "a@gmail.com", 11 }, &m.sink), 0);
	assert_string_equal(sh_told(&m, "class"), "other");
	sh_made_done(&m);
	sh_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_address_keeps_the_case_of_its_local_part),
		cmocka_unit_test(a_domain_of_a_group_gets_the_class_of_the_group),
		cmocka_unit_test(an_international_domain_becomes_an_a_label),
		cmocka_unit_test(a_local_part_is_composed),
		cmocka_unit_test(what_is_no_address_is_refused_with_a_reason),
		cmocka_unit_test(what_nobody_sees_in_an_address_is_refused),
		cmocka_unit_test(a_nul_byte_in_an_address_is_refused),
		cmocka_unit_test(lengths_are_held_to_the_octet),
		cmocka_unit_test(without_a_table_every_domain_is_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
