/* test_log.c - the ring: whole lines out, nobody ever waits, what is lost is counted and told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/assert.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/utf8.h"

#define RING 16384

static int64_t now_ms(void)
{
	struct timespec ts;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct pipes {
	int r, w;
};

static struct pipes pipes_open(void)
{
	int fd[2];

	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	return (struct pipes){ fd[0], fd[1] };
}

/* Leaves no room in a pipe. */
static void pipe_fill(int fd)
{
	char chunk[4096];

	memset(chunk, '.', sizeof(chunk));
	chunk[sizeof(chunk) - 1] = '\n';
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while (write(fd, chunk, sizeof(chunk)) > 0)
		continue;
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
}

/* Everything up to the end; the writing side must be closed. */
static void read_all(int fd, struct buf *b)
{
	char chunk[4096];
	ssize_t n;

	buf_init(b, 10 << 20);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		assert_int_equal(buf_add(b, chunk, (size_t)n), 0);
	assert_int_equal(n, 0);
}

static void lines_before_open_go_nowhere(void **state)
{
	(void)state;
	log_line(LOG_ERROR, "ev=lost");
	log_close();
	assert_int_equal(log_open(-1, LOG_INFO, RING), -EINVAL);
	assert_int_equal(log_open(2, LOG_INFO, SIZE_MAX), -EINVAL);
}

static void lines_come_out_whole_in_order_and_with_their_level(void **state)
{
	struct pipes p = pipes_open();
	struct buf b CLEANUP_BUF = { 0 };

	(void)state;
	assert_int_equal(log_open(p.w, LOG_INFO, RING), 0);
	assert_int_equal(log_open(p.w, LOG_INFO, RING), -EBUSY);
	log_line(LOG_INFO, "ev=one n=%d", 1);
	log_line(LOG_DEBUG, "ev=hidden");
	log_line(LOG_WARN, "ev=two text=%s", LOG_Q(STR("a b")));
	log_level_set(LOG_DEBUG);
	log_line(LOG_DEBUG, "ev=shown");
	log_level_set(LOG_ERROR);
	log_line(LOG_WARN, "ev=hidden");
	log_line(LOG_ERROR, "ev=bad a\nb\tc");
	log_close();
	(void)close(p.w);
	read_all(p.r, &b);
	assert_string_equal(
		buf_z(&b), "<6>ev=one n=1\n<4>ev=two text=\"a b\"\n<7>ev=shown\n<3>ev=bad a b c\n");
	(void)close(p.r);
}

static void a_long_line_is_cut_between_characters(void **state)
{
	struct pipes p = pipes_open();
	struct buf b CLEANUP_BUF = { 0 };
	char text[3 * 1000 + 1] = "";

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		memcpy(text + 3 * i, "ệ", 4);
	assert_int_equal(log_open(p.w, LOG_INFO, RING), 0);
	for (int shift = 0; shift < 3; shift++)
		log_line(LOG_INFO, "%.*s%s", shift, "ab", text);
	log_close();
	(void)close(p.w);
	read_all(p.r, &b);

	struct str rest = buf_str(&b), line;
	for (int i = 0; i < 3; i++) {
		assert_true(str_line(&rest, &line));
		assert_true(line.n <= 1023 && line.n >= 1018);
		assert_true(str_ends(line, "ệ..."));
		assert_true(utf8_valid(line, NULL));
	}
	assert_int_equal(rest.n, 0);
	(void)close(p.r);
}

static void a_pipe_that_nobody_reads_holds_up_nobody(void **state)
{
	struct pipes p = pipes_open();
	struct buf b CLEANUP_BUF = { 0 };
	uint64_t before = log_dropped();

	(void)state;
	pipe_fill(p.w);
	assert_int_equal(log_open(p.w, LOG_INFO, RING), 0);
	int64_t start = now_ms();
	for (int i = 0; i < 20000; i++)
		log_line(LOG_INFO, "ev=flood n=%d %s", i,
			"0123456789012345678901234567890123456789");
	int64_t took = now_ms() - start;
	uint64_t lost = log_dropped() - before;
	assert_true(lost > 10000); /* the ring holds some 250 lines, the writer's hands some 60 */
	assert_true(lost < 20000);
	assert_true(took < 5000); /* a blocked caller would never have come here */

	start = now_ms();
	log_close();
	took = now_ms() - start;
	assert_in_range(took, 500, 1500); /* gives the reader its second, then gives up */
	assert_true(log_dropped() - before >= lost);

	(void)close(p.w);
	read_all(p.r, &b);
	assert_null(strstr(buf_z(&b), "ev=flood")); /* the pipe never had room */
	(void)close(p.r);
}

struct reader {
	int fd;
	struct buf b;
};

static void *reader_run(void *arg)
{
	struct reader *r = arg;
	char chunk[4096];
	ssize_t n;

	while ((n = read(r->fd, chunk, sizeof(chunk))) > 0)
		(void)buf_add(&r->b, chunk, (size_t)n);
	return NULL;
}

static void what_was_dropped_is_told_once_there_is_room(void **state)
{
	struct pipes p = pipes_open();
	struct reader r = { .fd = p.r };
	uint64_t before = log_dropped();
	pthread_t t;

	(void)state;
	buf_init(&r.b, 10 << 20);
	assert_int_equal(log_open(p.w, LOG_INFO, RING), 0);
	for (int i = 0; i < 5000; i++)
		log_line(LOG_INFO, "ev=flood n=%d %s", i,
			"0123456789012345678901234567890123456789");
	uint64_t lost = log_dropped() - before;
	assert_true(lost > 0);
	assert_int_equal(pthread_create(&t, NULL, reader_run, &r), 0);
	log_close();
	(void)close(p.w);
	assert_int_equal(pthread_join(t, NULL), 0);

	uint64_t told = 0, lines = 0;
	struct str rest = buf_str(&r.b), line;
	while (str_line(&rest, &line)) {
		unsigned long long n = 0;
		if (str_starts(line, "<4>ev=log.dropped count=")) {
			assert_int_equal(sscanf(line.p, "<4>ev=log.dropped count=%llu", &n), 1);
			told += n;
		} else {
			assert_true(str_starts(line, "<6>ev=flood n="));
			lines++;
		}
	}
	assert_true(told == lost);
	assert_true(lines + lost == 5000);
	assert_true(log_dropped() - before == lost);
	buf_done(&r.b);
	(void)close(p.r);
}

static void a_reader_that_went_away_is_no_death(void **state)
{
	struct pipes p = pipes_open();
	uint64_t before = log_dropped();

	(void)state;
	(void)close(p.r);
	assert_int_equal(log_open(p.w, LOG_INFO, RING), 0);
	for (int i = 0; i < 10; i++)
		log_line(LOG_INFO, "ev=into.nothing n=%d", i);
	log_close();
	assert_int_equal(log_dropped() - before, 10);
	(void)close(p.w);
}

static void *many_lines(void *arg)
{
	int who = *(int *)arg;

	for (int i = 0; i < 500; i++)
		log_line(LOG_INFO, "ev=many who=%d n=%d", who, i);
	return NULL;
}

static void lines_of_many_threads_do_not_mix(void **state)
{
	struct pipes p = pipes_open();
	struct reader r = { .fd = p.r };
	pthread_t reader, t[4];
	int who[4] = { 0, 1, 2, 3 }, next[4] = { 0 };

	(void)state;
	buf_init(&r.b, 10 << 20);
	assert_int_equal(pthread_create(&reader, NULL, reader_run, &r), 0);
	assert_int_equal(log_open(p.w, LOG_INFO, 1 << 20), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, many_lines, &who[i]), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	log_close();
	(void)close(p.w);
	assert_int_equal(pthread_join(reader, NULL), 0);

	struct str rest = buf_str(&r.b), line;
	while (str_line(&rest, &line)) {
		int w, n;
		assert_int_equal(sscanf(line.p, "<6>ev=many who=%d n=%d", &w, &n), 2);
		assert_in_range(w, 0, 3);
		assert_int_equal(n, next[w]++);
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(next[i], 500);
	buf_done(&r.b);
	(void)close(p.r);
}

static void values_are_quoted_only_where_they_must_be(void **state)
{
	static const struct {
		struct str in;
		const char *out;
	} rows[] = {
		{ { "plain", 5 }, "plain" },
		{ { "Huế", 5 }, "Huế" },
		{ { "", 0 }, "\"\"" },
		{ { "a b", 3 }, "\"a b\"" },
		{ { "a=b", 3 }, "\"a=b\"" },
		{ { "say \"x\"\\", 8 }, "\"say \\\"x\\\"\\\\\"" },
		{ { "a\r\nev=fake", 10 }, "\"a\\x0d\\x0aev=fake\"" },
		{ { "bad\xff"
		    "end",
			  7 },
			"\"bad\\xffend\"" },
		{ { "\0", 1 }, "\"\\x00\"" },
	};
	char dst[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(log_quote(dst, sizeof(dst), rows[i].in), rows[i].out);
	for (size_t size = 8; size < 40; size++) {
		assert_true(strlen(log_quote(dst, size, STR("một hai ba bốn năm sáu bảy"))) < size);
		assert_true(utf8_valid(str_of(dst), NULL));
		assert_true(str_ends(str_of(dst), "...\"") || str_ends(str_of(dst), "bảy\""));
		assert_true(strlen(log_quote(dst, size, STR("abcdefghijklmnopqrstuvwxyz"))) < size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_before_open_go_nowhere),
		cmocka_unit_test(lines_come_out_whole_in_order_and_with_their_level),
		cmocka_unit_test(a_long_line_is_cut_between_characters),
		cmocka_unit_test(a_pipe_that_nobody_reads_holds_up_nobody),
		cmocka_unit_test(what_was_dropped_is_told_once_there_is_room),
		cmocka_unit_test(a_reader_that_went_away_is_no_death),
		cmocka_unit_test(lines_of_many_threads_do_not_mix),
		cmocka_unit_test(values_are_quoted_only_where_they_must_be),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
