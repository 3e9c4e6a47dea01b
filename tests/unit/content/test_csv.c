/* test_csv.c - the reader of CSV: what Excel writes is accepted, what is broken is named with its line. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/file.h"
#include "content/csv.h"
#include "lib/tmpdir.h"

static char *dir;
static int fd = -1;

static int setup(void **state)
{
	(void)state;
	dir = tmpdir_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (fd >= 0)
		close(fd);
	fd = -1;
	tmpdir_remove(dir);
	return 0;
}

static struct csv *reader(const char *text, size_t n)
{
	struct err e;
	const char *path = tmpdir_path(dir, "t.csv");
	assert_int_equal(file_write_durable(path, (struct str){ text, n }, 0600, &e), 0);
	if (fd >= 0)
		close(fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return csv_new(fd, "t.csv");
}

struct rec {
	int rc, line;
	size_t n;
	char f[4][64];
	struct err e;
};

static struct rec next(struct csv *c)
{
	struct rec r = { 0 };
	const struct str *v = NULL;
	r.rc = csv_next(c, &v, &r.n, &r.line, &r.e);
	for (size_t i = 0; r.rc == 1 && i < r.n && i < 4; i++)
		str_copy(r.f[i], sizeof(r.f[i]), v[i]);
	return r;
}

static void bom_crlf_quotes_and_line_ends_inside_quotes_are_read(void **state)
{
	(void)state;
	static const char text[] = "\xef\xbb\xbf"
				   "a,b,c\r\n"
				   "1,\"x, \"\"y\"\"\",3\r\n"
				   "\r\n"
				   "\"two\r\nlines\",,\r\n"
				   "last,,z";
	CLEANUP(csv_free) struct csv *c = reader(text, sizeof(text) - 1);
	struct rec r = next(c);
	assert_int_equal(r.rc, 1);
	assert_int_equal(r.line, 1);
	assert_string_equal(r.f[0], "a");
	r = next(c);
	assert_string_equal(r.f[1], "x, \"y\"");
	assert_string_equal(r.f[2], "3");
	assert_int_equal(r.line, 2);
	r = next(c);
	assert_int_equal(r.line, 4);
	assert_int_equal(r.n, 3);
	assert_string_equal(r.f[0], "two\r\nlines");
	assert_string_equal(r.f[2], "");
	r = next(c);
	assert_int_equal(r.line, 6);
	assert_string_equal(r.f[2], "z");
	assert_int_equal(next(c).rc, 0);
	assert_int_equal(next(c).rc, 0);
}

static void text_comes_out_in_nfc(void **state)
{
	(void)state;
	static const char text[] = "Ha\xcc\x80 No\xcc\xa3\xcc\x82i,x\n";
	CLEANUP(csv_free) struct csv *c = reader(text, sizeof(text) - 1);
	struct rec r = next(c);
	assert_int_equal(r.rc, 1);
	assert_string_equal(r.f[0], "Hà Nội");
	assert_string_equal(r.f[1], "x");
}

static void broken_utf8_is_told_with_its_line_and_reading_goes_on(void **state)
{
	(void)state;
	static const char text[] = "a,b\nx,\xff\xfe\ny,\"z\xc3\"\nfine,1\n";
	CLEANUP(csv_free) struct csv *c = reader(text, sizeof(text) - 1);
	assert_int_equal(next(c).rc, 1);
	struct rec r = next(c);
	assert_int_equal(r.rc, -EBADMSG);
	assert_int_equal(r.line, 2);
	assert_non_null(strstr(r.e.text, "t.csv:2: broken UTF-8 at byte 3"));
	r = next(c);
	assert_int_equal(r.rc, -EBADMSG);
	assert_non_null(strstr(r.e.text, "t.csv:3:"));
	r = next(c);
	assert_int_equal(r.rc, 1);
	assert_string_equal(r.f[0], "fine");
}

static void a_line_of_a_megabyte_is_refused_and_the_next_one_read(void **state)
{
	(void)state;
	size_t n = (1u << 20) + 20;
	char *text = malloc(n);
	assert_non_null(text);
	memset(text, 'x', n);
	memcpy(text, "a,b\n", 4);
	memcpy(text + n - 8, "\nok,yes\n", 8);
	CLEANUP(csv_free) struct csv *c = reader(text, n);
	free(text);
	assert_int_equal(next(c).rc, 1);
	struct rec r = next(c);
	assert_int_equal(r.rc, -EBADMSG);
	assert_non_null(strstr(r.e.text, "t.csv:2: the line is over 64 KB"));
	r = next(c);
	assert_int_equal(r.rc, 1);
	assert_int_equal(r.line, 3);
	assert_string_equal(r.f[0], "ok");
	assert_int_equal(next(c).rc, 0);
}

static void quotes_in_the_wrong_place_are_refused(void **state)
{
	(void)state;
	static const char text[] = "a\"b,c\nok,1\n";
	CLEANUP(csv_free) struct csv *c = reader(text, sizeof(text) - 1);
	struct rec r = next(c);
	assert_int_equal(r.rc, -EBADMSG);
	assert_non_null(strstr(r.e.text, "t.csv:1: a quote inside a field"));
	r = next(c);
	assert_int_equal(r.rc, 1);
	assert_int_equal(r.line, 2);
	static const char text2[] = "\"x\"y,z\nok,1\n\"never closed,2\nmore,3\n";
	CLEANUP(csv_free) struct csv *d = reader(text2, sizeof(text2) - 1);
	r = next(d);
	assert_int_equal(r.rc, -EBADMSG);
	assert_non_null(strstr(r.e.text, "t.csv:1: text behind a closing quote"));
	r = next(d);
	assert_int_equal(r.rc, 1);
	r = next(d);
	assert_int_equal(r.rc, -EBADMSG);
	assert_non_null(strstr(r.e.text, "t.csv:3: a quote that is opened here is never closed"));
	assert_int_equal(next(d).rc, 0);
}

static void control_characters_and_too_many_columns_are_refused(void **state)
{
	(void)state;
	char text[700];
	memset(text, ',', sizeof(text));
	memcpy(text,
		"a\x01"
		"b,c\n",
		6);
	text[699] = '\n';
	CLEANUP(csv_free) struct csv *c = reader(text, sizeof(text));
	struct rec r = next(c);
	assert_int_equal(r.rc, -EBADMSG);
	assert_non_null(strstr(r.e.text, "t.csv:1: a control character"));
	r = next(c);
	assert_int_equal(r.rc, -EBADMSG);
	assert_non_null(strstr(r.e.text, "t.csv:2: more than 256 columns"));
}

static void a_large_file_is_read_across_every_border_of_the_buffer(void **state)
{
	(void)state;
	struct buf b CLEANUP_BUF;
	buf_init(&b, 8u << 20);
	for (int i = 0; i < 20000; i++)
		buf_addf(&b, "row %d,\"quoted, %0*d\",Hà Nội\r\n", i, 1 + i % 97, i);
	CLEANUP(csv_free) struct csv *c = reader(b.p, b.n);
	char want[32];
	for (int i = 0; i < 20000; i++) {
		struct rec r = next(c);
		assert_int_equal(r.rc, 1);
		assert_int_equal(r.line, i + 1);
		assert_int_equal(r.n, 3);
		(void)snprintf(want, sizeof(want), "row %d", i);
		assert_string_equal(r.f[0], want);
		assert_string_equal(r.f[2], "Hà Nội");
	}
	assert_int_equal(next(c).rc, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			bom_crlf_quotes_and_line_ends_inside_quotes_are_read, setup, teardown),
		cmocka_unit_test_setup_teardown(text_comes_out_in_nfc, setup, teardown),
		cmocka_unit_test_setup_teardown(
			broken_utf8_is_told_with_its_line_and_reading_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_line_of_a_megabyte_is_refused_and_the_next_one_read, setup, teardown),
		cmocka_unit_test_setup_teardown(
			quotes_in_the_wrong_place_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			control_characters_and_too_many_columns_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_large_file_is_read_across_every_border_of_the_buffer, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
