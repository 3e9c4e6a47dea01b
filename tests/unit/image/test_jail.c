/* test_jail.c - what lantoa-image locks itself into: whoever tries to get out dies, and limits are limits. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/assert.h"
#include "base/child.h"

static char probe[4000];

static void attempt(const char *what, struct child *c, struct buf *out)
{
	static const char *argv[3];
	argv[0] = probe;
	argv[1] = what;
	buf_init(out, 1u << 22);
	*c = (struct child){ .argv = argv, .fd_in = -1, .deadline_ms = 30000, .out = out };
	assert_int_equal(child_run(c, NULL), 0);
	buf_done(out);
}

static void files_sockets_programs_and_code_kill_it(void **state)
{
	static const char *const tries[] = { "open", "oldopen", "unlink", "socket", "unix", "fork",
		"exec", "kill", "tgkill", "ptrace", "code", "protect", "stat", "limit", "prctl" };
	struct child c;
	struct buf out;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		attempt(tries[i], &c, &out);
		if (c.signo != SIGSYS)
			fail_msg("%s: status %d, signal %d", tries[i], c.status, c.signo);
	}
}

static void writing_what_is_open_and_threads_go_on(void **state)
{
	struct child c;
	struct buf out;
	(void)state;
	attempt("write", &c, &out);
	assert_int_equal(c.signo, 0);
	assert_int_equal(c.status, 0);
	attempt("thread", &c, &out);
	assert_int_equal(c.signo, 0);
	assert_int_equal(c.status, 0);
}

/* How the library says that memory is out, and the daemon knows it by. */
static void a_signal_to_itself_is_its_own(void **state)
{
	struct child c;
	struct buf out;
	(void)state;
	attempt("abort", &c, &out);
	assert_int_equal(c.signo, SIGABRT);
}

static void memory_and_processor_time_end(void **state)
{
	struct child c;
	struct buf out;
	(void)state;
	attempt("memory", &c, &out);
	assert_int_equal(c.status, 3);
	attempt("spin", &c, &out);
	assert_true(c.signo == SIGXCPU || c.signo == SIGKILL);
}

static void output_beyond_the_reader_s_maximum_is_cut_off_and_the_program_killed(void **state)
{
	const char *argv[] = { probe, "flood", NULL };
	struct buf out CLEANUP_BUF;
	struct err e = { 0 };
	(void)state;
	buf_init(&out, 100000);
	struct child c = { .argv = argv, .fd_in = -1, .deadline_ms = 30000, .out = &out };
	assert_int_equal(child_run(&c, &e), -E2BIG);
	assert_true(c.signo != 0);
}

static void a_program_that_does_not_end_is_killed_at_its_deadline(void **state)
{
	const char *argv[] = { "/bin/sleep", "30", NULL };
	struct buf out CLEANUP_BUF;
	struct err e = { 0 };
	(void)state;
	buf_init(&out, 100);
	struct child c = { .argv = argv, .fd_in = -1, .deadline_ms = 100, .out = &out };
	assert_int_equal(child_run(&c, &e), -ETIMEDOUT);
	assert_int_equal(c.signo, SIGKILL);
}

static int setup(void **state)
{
	(void)state;
	ssize_t n = readlink("/proc/self/exe", probe, sizeof(probe) - 20);
	if (n < 0)
		return -1;
	probe[n] = 0;
	char *name = strrchr(probe, '/') + 1;
	(void)snprintf(name, 20, "jail_probe");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_sockets_programs_and_code_kill_it),
		cmocka_unit_test(writing_what_is_open_and_threads_go_on),
		cmocka_unit_test(a_signal_to_itself_is_its_own),
		cmocka_unit_test(memory_and_processor_time_end),
		cmocka_unit_test(
			output_beyond_the_reader_s_maximum_is_cut_off_and_the_program_killed),
		cmocka_unit_test(a_program_that_does_not_end_is_killed_at_its_deadline),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
