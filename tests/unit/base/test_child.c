/* test_child.c - one program run to its end: its output, its words, its status; killed with what it has started. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/assert.h"
#include "base/child.h"
#include "lib/in_valgrind.h"

#define LONG_MS  20000
#define SOON_MS  300
#define OUT_MAX  64
#define DEATH_MS 5000

/* One script; its standard input is the writing end of `held`: once all that had it are dead, the other end hangs up. */
struct scene {
	struct child c;
	struct buf out;
	struct err e;
	const char *argv[4];
	int held[2];
};

static void scene_open(struct scene *s, const char *script, int32_t deadline_ms)
{
	*s = (struct scene){ .argv = { "/bin/sh", "-c", script, NULL } };
	buf_init(&s->out, OUT_MAX);
	assert_int_equal(pipe2(s->held, O_CLOEXEC), 0);
	s->c = (struct child){
		.argv = s->argv, .fd_in = s->held[1], .deadline_ms = deadline_ms, .out = &s->out
	};
}

static int scene_run(struct scene *s)
{
	int rc = child_run(&s->c, &s->e);
	(void)close(s->held[1]);
	return rc;
}

static bool all_are_dead(const struct scene *s)
{
	struct pollfd p = { .fd = s->held[0] };
	return poll(&p, 1, DEATH_MS) == 1 && (p.revents & POLLHUP);
}

static void scene_close(struct scene *s)
{
	(void)close(s->held[0]);
	buf_done(&s->out);
}

static void output_words_and_status_are_told(void **state)
{
	struct scene s;
	UNUSED(state);
	scene_open(&s, "printf out; printf words >&2; exit 3", LONG_MS);
	assert_int_equal(scene_run(&s), 0);
	assert_string_equal(buf_z(&s.out), "out");
	assert_string_equal(s.c.said, "words");
	assert_int_equal(s.c.status, 3);
	assert_int_equal(s.c.signo, 0);
	scene_close(&s);
	scene_open(&s, "kill -TERM $$", LONG_MS);
	assert_int_equal(scene_run(&s), 0);
	assert_int_equal(s.c.signo, SIGTERM);
	scene_close(&s);
}

static void a_program_that_is_not_there_is_said(void **state)
{
	struct scene s;
	UNUSED(state);
	scene_open(&s, "", LONG_MS);
	s.argv[0] = "/nonexistent/put";
	int rc = scene_run(&s);
	if (in_valgrind()) {
		assert_int_equal(rc, 0);
		assert_int_equal(s.c.status, 127);
	} else {
		assert_int_equal(rc, -ENOENT);
		assert_non_null(strstr(s.e.text, "/nonexistent/put: cannot be started"));
	}
	scene_close(&s);
}

static void what_a_program_has_started_is_killed_with_it_at_the_deadline(void **state)
{
	struct scene s;
	UNUSED(state);
	scene_open(&s, "sleep 20; true", SOON_MS);
	assert_int_equal(scene_run(&s), -ETIMEDOUT);
	assert_true(all_are_dead(&s));
	scene_close(&s);
}

/* Its pipes are closed, and it stays. */
static void nor_does_it_outlive_one_that_closed_its_output(void **state)
{
	struct scene s;
	UNUSED(state);
	scene_open(&s, "exec >&- 2>&-; sleep 20; true", SOON_MS);
	assert_int_equal(scene_run(&s), -ETIMEDOUT);
	assert_true(all_are_dead(&s));
	scene_close(&s);
}

static void nor_one_that_says_too_much_or_is_told_to_go(void **state)
{
	struct scene s;
	_Atomic bool cut = true;
	UNUSED(state);
	scene_open(&s, "exec 3>&0; sleep 20 >&3 & while :; do echo 0123456789; done", LONG_MS);
	assert_int_equal(scene_run(&s), -E2BIG);
	assert_true(all_are_dead(&s));
	scene_close(&s);
	scene_open(&s, "sleep 20; true", LONG_MS);
	s.c.cut = &cut;
	assert_int_equal(scene_run(&s), -ECANCELED);
	assert_true(all_are_dead(&s));
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_words_and_status_are_told),
		cmocka_unit_test(a_program_that_is_not_there_is_said),
		cmocka_unit_test(what_a_program_has_started_is_killed_with_it_at_the_deadline),
		cmocka_unit_test(nor_does_it_outlive_one_that_closed_its_output),
		cmocka_unit_test(nor_one_that_says_too_much_or_is_told_to_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
