/* test_compose.c - what differs for each recipient: To, Date, Message-ID, unsubscribe headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <stdio.h>
#include "mailtest.h"

struct fix {
	struct sh *h;
	struct sh_made m;
	struct lt_target t;
	struct lt_pair vars[2];
	char *mail;
};

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));
	struct lt_content c = {
		.struct_size = sizeof(c), .title = mt("Title"), .body_markdown = mt("Body\n")
	};

	f->h = mail_host();
	sh_conf(f->h, "list_id", "bantin.bhxh.example.vn");
	sh_made_init(&f->m, f->h);
	if (lantoa_adapter.prepare(&f->h->conf, &c, &f->m.sink) < 0)
		return -1;
	f->t = (struct lt_target){ .struct_size = sizeof(f->t),
		.address = mt("a.b@x.vn"),
		.ref = mt("mzxw6ytboi"),
		.at_ms = 1795395600000LL };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	free(f->mail);
	sh_made_done(&f->m);
	sh_free(f->h);
	free(f);
	return 0;
}

static const char *compose(struct fix *f)
{
	free(f->mail);
	f->mail = sh_compose(&f->m, &f->t, NULL);
	return f->mail;
}

static void the_headers_of_a_copy_stand_where_they_belong(void **state)
{
	struct fix *f = *state;

	assert_non_null(compose(f));
	const char *end = strstr(f->mail, "\r\n\r\n");
	const char *to = strstr(f->mail, "\r\nTo: a.b@x.vn\r\n");
	assert_non_null(to);
	assert_true(to < end);
	assert_non_null(strstr(f->mail, "\r\nDate: Mon, 23 Nov 2026 08:00:00 +0700\r\n"));
	assert_non_null(strstr(f->mail, "\r\nMessage-ID: <mzxw6ytboi@bhxh.example.vn>\r\n"));
	assert_null(strstr(f->mail, "List-Unsubscribe"));
	assert_null(strstr(f->mail, "X-Lantoa-Place"));
}

static void the_same_copy_is_the_same_at_every_try(void **state)
{
	struct fix *f = *state;
	char *first = strdup(compose(f));

	f->h->wall += 3600000;
	assert_string_equal(first, compose(f));
	free(first);
}

static void a_vietnamese_name_is_encoded_and_decodes_to_itself(void **state)
{
	struct fix *f = *state;

	f->t.name = mt("Văn phòng");
	assert_non_null(compose(f));
	assert_non_null(strstr(f->mail, "\r\nTo: =?UTF-8?B?VsSDbiBwaMOybmc=?= <a.b@x.vn>\r\n"));
}

static void a_long_name_is_cut_into_words_of_whole_characters(void **state)
{
	struct fix *f = *state;

	f->t.name = mt("Văn phòng Bảo hiểm xã hội thành phố Hồ Chí Minh, cơ sở "
		       "hai, phường Bến Thành");
	assert_non_null(compose(f));
	const char *to = strstr(f->mail, "\r\nTo: ") + 2;
	const char *end = strstr(to, "<a.b@x.vn>");
	int words = 0;
	for (const char *p = to; p < end; p++) {
		if (strncmp(p, "=?UTF-8?B?", 10) == 0) {
			const char *stop = strstr(p, "?=");
			assert_true(stop - p <= 73);
			words++;
		}
		if (p[0] == '\r')
			assert_true(p[2] == ' ');
	}
	assert_true(words >= 3);
}

static void names_that_need_quotes_get_them(void **state)
{
	struct fix *f = *state;

	f->t.name = mt("Bao (moi), \"A\"");
	assert_non_null(compose(f));
	assert_non_null(strstr(f->mail, "\r\nTo: \"Bao (moi), \\\"A\\\"\" <a.b@x.vn>\r\n"));
	f->t.name = mt("Bao Moi");
	assert_non_null(compose(f));
	assert_non_null(strstr(f->mail, "\r\nTo: Bao Moi <a.b@x.vn>\r\n"));
}

/* RFC 2047, 2: with an encoded word in it a line has at most 76 columns. */
static void no_line_of_a_name_is_too_long_whatever_the_address(void **state)
{
	struct fix *f = *state;
	char address[128], name[200];

	for (size_t a = 1; a < 64; a++)
		for (size_t n = 1; n < 30; n++) {
			(void)snprintf(address, sizeof(address), "%.*s@x.vn", (int)a,
				"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
			(void)snprintf(name, sizeof(name), "%.*s", (int)(n * 3),
				"ếếếếếếếếếếếếếếếếếếếếếếếếếếếếếếếế");
			f->t.address = mt(address);
			f->t.name = mt(name);
			const char *p = strstr(compose(f), "\r\nTo: ") + 2;
			for (bool more = true; more;) {
				const char *end = strstr(p, "\r\n");
				assert_true(end - p <= 76 || p[1] == '<');
				more = end[2] == ' ';
				p = end + 2;
			}
		}
}

static void what_looks_encoded_is_encoded_and_words_are_not_parted(void **state)
{
	struct fix *f = *state;

	f->t.name = mt("=?UTF-8?B?eA==?=");
	assert_non_null(
		strstr(compose(f), "\r\nTo: =?UTF-8?B?PT9VVEYtOD9CP2VBPT0/PQ==?= <a.b@x.vn>\r\n"));
	f->t.name = mt("Trung tâm Truyền thông Bảo hiểm xã hội");
	assert_non_null(compose(f));
	/* "Trung tâm Truyền thông Bảo hiểm " and "xã hội" */
	assert_non_null(strstr(f->mail,
		"\r\nTo: =?UTF-8?B?VHJ1bmcgdMOibSBUcnV54buBbiB0aMO0bmcgQuG6o28gaGnhu4NtIA==?=\r\n"));
}

static void a_name_that_would_break_the_header_is_left_out(void **state)
{
	struct fix *f = *state;

	f->t.name = mt("x\r\nBcc: y@z.vn");
	assert_non_null(compose(f));
	assert_null(strstr(f->mail, "Bcc"));
	assert_non_null(strstr(f->mail, "\r\nTo: a.b@x.vn\r\n"));
	f->t.name = mt("a\xff");
	assert_non_null(compose(f));
	assert_non_null(strstr(f->mail, "\r\nTo: a.b@x.vn\r\n"));
}

static void a_list_target_gets_one_click_headers_on_one_line(void **state)
{
	struct fix *f = *state;

	f->vars[0] = (struct lt_pair){
		.name = mt("unsubscribe.url"),
		.value = mt(
			"https://lantoa.example/u/abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789")
	};
	f->t.vars = f->vars;
	f->t.n_vars = 1;
	assert_non_null(compose(f));
	assert_non_null(strstr(f->mail,
		"\r\nList-Unsubscribe: <https://lantoa.example/u/abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789>\r\n"
		"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nList-Id: <bantin.bhxh.example.vn>\r\n"));
	f->vars[0].value = mt("https://x/\r\nX: y");
	assert_null(compose(f));
	f->vars[0].value = mt("ftp://x.example/y");
	assert_null(compose(f));
}

static void prepare_with(struct fix *f, const char *key, const char *value)
{
	struct lt_content c = {
		.struct_size = sizeof(c), .title = mt("Title"), .body_markdown = mt("Body\n")
	};

	sh_conf(f->h, key, value);
	sh_made_done(&f->m);
	sh_made_init(&f->m, f->h);
	(void)lantoa_adapter.prepare(&f->h->conf, &c, &f->m.sink);
}

static void a_refusal_may_also_come_by_mail_where_an_address_is_set(void **state)
{
	struct fix *f = *state;
	char url[900];

	f->vars[0] = (struct lt_pair){ .name = mt("unsubscribe.url"),
		.value = mt(
			"https://lantoa.example/u/abcdefghijklmnopqrstuvwxyz234567abcdefghijklm") };
	f->t.vars = f->vars;
	prepare_with(f, "unsubscribe_mail", "huy-nhan@bhxh.example.vn");
	assert_non_null(compose(f));
	assert_null(strstr(f->mail, "mailto:")); /* no list */
	f->t.n_vars = 1;
	assert_non_null(compose(f));
	assert_non_null(strstr(f->mail,
		"\r\nList-Unsubscribe: <https://lantoa.example/u/abcdefghijklmnopqrstuvwxyz234567abcdefghijklm>, "
		"<mailto:huy-nhan+abcdefghijklmnopqrstuvwxyz234567abcdefghijklm@bhxh.example.vn>\r\n"
		"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nList-Id: <bantin.bhxh.example.vn>\r\n"));
	prepare_with(f, "list_id", "");
	assert_non_null(compose(f));
	assert_non_null(strstr(f->mail, ">, <mailto:huy-nhan+"));
	assert_null(strstr(f->mail, "List-Id"));
	/* what would not be one address or one line has the link alone */
	f->vars[0].value = mt("https://lantoa.example/u/abc?x=1");
	assert_non_null(compose(f));
	assert_null(strstr(f->mail, "mailto:"));
	(void)snprintf(url, sizeof(url), "https://x/%0700d/abc", 1);
	f->vars[0].value = mt(url);
	assert_non_null(strstr(compose(f), "mailto:"));
	(void)snprintf(url, sizeof(url), "https://x/%0770d/abcdefghijklm", 1);
	f->vars[0].value = mt(url);
	assert_non_null(compose(f));
	for (const char *p = f->mail; (p = strstr(p, "\r\nList-Unsubscribe: ")) != NULL; p += 2)
		assert_true(strcspn(p + 2, "\r") <= 900);
}

static void an_address_for_refusals_that_cannot_carry_a_token_is_refused(void **state)
{
	struct fix *f = *state;
	static const char *const bad[] = { "no-at", "seventeen-letters@x.vn", "a%b@x.vn",
		"a+b@x.vn", "a@việt.vn" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		prepare_with(f, "unsubscribe_mail", bad[i]);
		assert_int_not_equal(f->m.n_problems, 0);
		assert_non_null(strstr(f->m.problems.p, "unsubscribe_mail"));
	}
	prepare_with(f, "unsubscribe_mail", "sixteen-letters-@x.vn");
	assert_int_equal(f->m.n_problems, 0);
	prepare_with(f, "list_id", "tin tức");
	assert_int_not_equal(f->m.n_problems, 0);
}

/* A file that cannot fit goes as a link: its address is the host's word, the same for text and HTML. */
static void the_address_of_a_link_is_the_hosts_or_there_is_no_mail(void **state)
{
	struct fix *f = *state;
	const struct lt_asset a = { .struct_size = sizeof(a),
		.role = 3,
		.id = mt("cc33"),
		.content_type = mt("application/pdf"),
		.filename = mt("x.pdf"),
		.bytes = 20u << 20 };
	const struct lt_asset *list[] = { &a };
	struct lt_content c = { .struct_size = sizeof(c),
		.title = mt("Title"),
		.body_markdown = mt("Body\n"),
		.assets = list,
		.n_assets = 1 };

	sh_conf(f->h, "links", "yes");
	sh_made_done(&f->m);
	sh_made_init(&f->m, f->h);
	assert_int_equal(lantoa_adapter.prepare(&f->h->conf, &c, &f->m.sink), 0);
	assert_null(compose(f)); /* none was given */
	f->vars[0] = (struct lt_pair){ .name = mt("asset.url.cc34"),
		.value = mt("https://l.example/a/other.pdf") };
	f->t.vars = f->vars;
	f->t.n_vars = 1;
	assert_null(compose(f)); /* of another file */
	f->vars[1] = (struct lt_pair){ .name = mt("asset.url.cc33"),
		.value = mt("https://l.example/a/zz.pdf") };
	f->t.n_vars = 2;
	assert_non_null(compose(f));
	assert_non_null(strstr(f->mail, "https://l.example/a/zz.pdf"));
	assert_null(strstr(f->mail, "other.pdf"));
	static const char *const bad[] = { "javascript:alert(1)", "https://l.example/\"x",
		"https://l.example/<b>", "https://l.example/\r\n.\r\n", "" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		f->vars[1].value = mt(bad[i]);
		assert_null(compose(f));
	}
}

static void a_copy_without_address_or_reference_is_refused(void **state)
{
	struct fix *f = *state;
	struct lt_str ref = f->t.ref;

	f->t.ref = mt("");
	assert_null(compose(f));
	f->t.ref = mt("a b");
	assert_null(compose(f));
	f->t.ref = mt("a>b");
	assert_null(compose(f));
	f->t.ref = ref;
	f->t.address = mt("a@x.vn\r\nX: y");
	assert_null(compose(f));
	f->t.address = mt("");
	assert_null(compose(f));
}

static void dates_are_right_in_every_season_and_zone(void **state)
{
	struct fix *f = *state;

	f->t.at_ms = 1709164799000LL; /* 2024-02-28 23:59:59 UTC: already the 29th in Vietnam */
	assert_non_null(compose(f));
	assert_non_null(strstr(f->mail, "\r\nDate: Thu, 29 Feb 2024 06:59:59 +0700\r\n"));
	f->t.at_ms = 0;
	assert_non_null(compose(f));
	assert_non_null(strstr(f->mail, "\r\nDate: Thu, 1 Jan 1970 07:00:00 +0700\r\n"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_headers_of_a_copy_stand_where_they_belong),
		T(the_same_copy_is_the_same_at_every_try),
		T(a_vietnamese_name_is_encoded_and_decodes_to_itself),
		T(a_long_name_is_cut_into_words_of_whole_characters),
		T(names_that_need_quotes_get_them),
		T(no_line_of_a_name_is_too_long_whatever_the_address),
		T(what_looks_encoded_is_encoded_and_words_are_not_parted),
		T(a_name_that_would_break_the_header_is_left_out),
		T(a_list_target_gets_one_click_headers_on_one_line),
		T(a_refusal_may_also_come_by_mail_where_an_address_is_set),
		T(an_address_for_refusals_that_cannot_carry_a_token_is_refused),
		T(the_address_of_a_link_is_the_hosts_or_there_is_no_mail),
		T(a_copy_without_address_or_reference_is_refused),
		T(dates_are_right_in_every_season_and_zone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
