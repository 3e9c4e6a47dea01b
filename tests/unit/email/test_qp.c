/* test_qp.c - the text parts as quoted-printable, and what of a header no reader may take otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "mailtest.h"
#include <stdio.h>
#include "../../../adapters/email/email_text.h"

static void qp(struct ltc_buf *b, const char *s, size_t n)
{
	ltc_buf_init(b, 1 << 20);
	email_qp(b, (struct lt_str){ s, n });
	ltc_addc(b, '\0');
	assert_false(b->failed);
}

static void what_a_relay_might_change_is_encoded(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "abc\n", "abc\r\n" },
		{ "abc\r\n", "abc\r\n" },
		{ "abc", "abc=\r\n" },
		{ "", "" },
		{ "a=b\n", "a=3Db\r\n" },
		{ ".x\n..y\nz.\n.\n", "=2Ex\r\n=2E.y\r\nz.\r\n=2E\r\n" },
		{ "From a\nfrom b\nx From c\n", "=46rom a\r\nfrom b\r\nx From c\r\n" },
		{ "From\n", "From\r\n" },
		{ "a \nb\t\r\n \n", "a=20\r\nb=09\r\n=20\r\n" },
		{ "a ", "a=20=\r\n" },
		{ "a\tb\n", "a\tb\r\n" },
		{ "ế\n", "=E1=BA=BF\r\n" },
		{ "a\rb\n", "a=0Db\r\n" },
		{ "\x7f\n", "=7F\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ltc_buf b LTC_CLEANUP_BUF;
		qp(&b, rows[i].in, strlen(rows[i].in));
		assert_string_equal(b.p, rows[i].out);
	}
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The decoder of RFC 2045, and the rules for each line. */
static size_t decode(const char *p, char *dst)
{
	size_t n = 0, col = 0;

	for (; *p; p++) {
		if (p[0] == '\r' && p[1] == '\n') {
			assert_true(col <= 76);
			assert_false(col > 0 && (p[-1] == ' ' || p[-1] == '\t'));
			dst[n++] = '\n';
			p++;
			col = 0;
			continue;
		}
		assert_true(p[0] == '\t' || (p[0] >= 0x20 && p[0] < 0x7f));
		if (col == 0) {
			assert_int_not_equal(p[0], '.');
			assert_int_not_equal(strncmp(p, "From ", 5), 0);
		}
		if (p[0] == '=' && p[1] == '\r') {
			assert_int_equal(p[2], '\n');
			assert_true(col < 76);
			p += 2;
			col = 0;
			continue;
		}
		if (p[0] == '=') {
			assert_true(hex(p[1]) >= 0 && hex(p[2]) >= 0);
			dst[n++] = (char)(hex(p[1]) * 16 + hex(p[2]));
			p += 2;
			col += 3;
		} else {
			dst[n++] = p[0];
			col++;
		}
	}
	return n;
}

static void every_text_comes_back_from_lines_of_76_columns(void **state)
{
	static const char *const bits[] = { "a", ".", " ", "\t", "=", "From ", "ế", "\n", "đường ",
		"\xff", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "F", "\x01" };
	uint32_t seed = 7;
	char in[4000], back[4000];

	(void)state;
	for (int round = 0; round < 3000; round++) {
		size_t n = 0;
		for (int k = 0; k < 60; k++) {
			seed = seed * 1664525u + 1013904223u;
			const char *bit = bits[(seed >> 16) % (sizeof(bits) / sizeof(bits[0]))];
			memcpy(in + n, bit, strlen(bit));
			n += strlen(bit);
		}
		struct ltc_buf b LTC_CLEANUP_BUF;
		qp(&b, in, n);
		assert_int_equal(decode(b.p, back), n);
		assert_memory_equal(back, in, n);
	}
}

static void boundaries_are_quoted_and_the_rest_stays(void **state)
{
	struct sh *h = mail_host();
	struct sh_made m;
	struct lt_content c = { .struct_size = sizeof(c),
		.title = mt("boundary=lt2"),
		.body_markdown = mt(".boundary=lt2 x\n\nFrom here\n") };
	struct lt_target t = { .struct_size = sizeof(t),
		.address = mt("a@x.vn"),
		.ref = mt("mzxw6ytboi"),
		.at_ms = 1795395600000LL };

	(void)state;
	sh_made_init(&m, h);
	assert_int_equal(lantoa_adapter.prepare(&h->conf, &c, &m.sink), 0);
	char *mail = sh_compose(&m, &t, NULL);
	assert_non_null(mail);
	const char *at = strstr(mail, "boundary=\"");
	assert_non_null(at);
	size_t n = strcspn(at + 10, "\"");
	assert_true(n >= 24);
	assert_int_equal(strspn(at + 10, "0123456789abcdefghijklmnopqrstuvwxyz"), n);
	char line[80];
	(void)snprintf(line, sizeof(line), "\r\n--%.*s--\r\n", (int)n, at + 10);
	assert_non_null(strstr(mail, line));
	assert_non_null(strstr(mail, "\r\nSubject: boundary=lt2\r\n"));
	assert_non_null(strstr(mail, "\r\n=2Eboundary=3Dlt2 x\r\n"));
	assert_non_null(strstr(mail, "\r\n=46rom here\r\n"));
	free(mail);
	sh_made_done(&m);
	sh_free(h);
}

static void typographic_signs_have_their_plain_form_in_a_file_name(void **state)
{
	struct ltc_buf b LTC_CLEANUP_BUF;

	(void)state;
	ltc_buf_init(&b, 1000);
	email_text_ascii(&b, mt("Quyết định số 1 ‘mới’ – bản cuối… “ký”\u200b €.pdf"));
	ltc_addc(&b, '\0');
	assert_string_equal(b.p, "Quyet dinh so 1 'moi' - ban cuoi... _ky_ _.pdf");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_relay_might_change_is_encoded),
		cmocka_unit_test(every_text_comes_back_from_lines_of_76_columns),
		cmocka_unit_test(boundaries_are_quoted_and_the_rest_stays),
		cmocka_unit_test(typographic_signs_have_their_plain_form_in_a_file_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
