/* test_exec.c - programs as byte streams: input, output, exit status, and that none is left behind. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/assert.h"
#include "net/net.h"
#include "../../lib/peer_run.h"

#define WAIT_MS 20000

static struct peer_run R;
static struct rec_stream A;

static int set_up(void **state)
{
	(void)state;
	memset(&A, 0, sizeof(A));
	return peer_run_open(&R);
}

static int tear_down(void **state)
{
	(void)state;
	return peer_run_close(&R);
}

static void start(const char *script)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	struct net_stream_req q = {
		.kind = NET_EXEC, .argv = argv, .on_event = rec_stream_event, .ctx = &A
	};
	assert_int_equal(net_stream_open(R.net, &q, &A.s), 0);
	assert_int_equal(A.opens, 0);
	assert_true(peer_run_until(&R, rec_stream_over, &A, WAIT_MS));
	assert_int_equal(A.opens, 1);
}

static void wait_closed(void)
{
	assert_true(peer_run_until(&R, rec_stream_closed, &A, WAIT_MS));
	assert_int_equal(A.closes, 1);
}

static bool four(void *arg)
{
	(void)arg;
	return A.data_n >= 4;
}

static bool line(void *arg)
{
	(void)arg;
	return A.data_n > 0 && A.data[A.data_n - 1] == '\n';
}

static void a_program_answers_and_ends_with_its_status(void **state)
{
	(void)state;
	struct net_seg s = { .bytes = STR("ping\n") };
	uint64_t end;
	start("read x; echo \"got $x\"; echo trouble >&2; exit 7");
	assert_int_equal(net_stream_write(R.net, A.s, &s, 1, &end), 0);
	assert_int_equal(end, 5);
	wait_closed();
	assert_string_equal(A.data, "got ping\n");
	assert_string_equal(A.refusal, "trouble\n");
	assert_int_equal(A.exit_status, 7);
	assert_int_equal(A.error_code, 0);
	assert_int_equal(A.flushed, 5);
}

static void a_graceful_close_is_the_end_of_input(void **state)
{
	(void)state;
	static char big[300000];
	struct net_seg s = { .bytes = { big, sizeof(big) } };
	memset(big, 'b', sizeof(big));
	start("test \"$(wc -c)\" = 300000");
	assert_int_equal(net_stream_write(R.net, A.s, &s, 1, NULL), 0);
	net_stream_close(R.net, A.s, false);
	wait_closed();
	assert_int_equal(A.exit_status, 0);
	assert_int_equal(A.flushed, sizeof(big));
}

static void a_program_that_does_not_read_gets_no_more_than_its_pipe_holds(void **state)
{
	(void)state;
	static char big[2000000];
	struct net_seg s = { .bytes = { big, sizeof(big) } };
	start("read x; exec sleep 30");
	assert_int_equal(net_stream_write(R.net, A.s, &s, 1, NULL), 0);
	peer_run_for(&R, 50);
	uint64_t flushed = net_stream_flushed(R.net, A.s);
	assert_true(flushed < sizeof(big));
	net_stream_close(R.net, A.s, true);
	wait_closed();
	assert_int_equal(A.flushed, flushed);
}

static void a_killed_program_shows_its_signal(void **state)
{
	(void)state;
	start("kill -TERM $$");
	wait_closed();
	assert_int_equal(A.exit_status, 128 + SIGTERM);
}

static void a_missing_program_is_refused_at_once(void **state)
{
	(void)state;
	const char *const argv[] = { "/nonexistent/program", NULL };
	struct net_stream_req q = {
		.kind = NET_EXEC, .argv = argv, .on_event = rec_stream_event, .ctx = &A
	};
	assert_int_equal(net_stream_open(R.net, &q, &A.s), -ENOENT);
	const char *const relative[] = { "sh", NULL };
	q.argv = relative;
	assert_int_equal(net_stream_open(R.net, &q, &A.s), -EINVAL);
	assert_int_equal(A.closes, 0);
}

static void much_output_arrives_whole_and_stderr_keeps_its_end(void **state)
{
	(void)state;
	start("head -c 1000000 /dev/zero; head -c 100000 /dev/zero | tr '\\0' e >&2; printf END >&2");
	wait_closed();
	assert_int_equal(A.data_n, 1000000);
	assert_int_equal(strlen(A.refusal), sizeof(A.refusal) - 1);
	assert_int_equal(A.exit_status, 0);
}

static void the_environment_of_the_daemon_does_not_leak(void **state)
{
	(void)state;
	assert_int_equal(setenv("LANTOA_TEST_SECRET", "x", 1), 0);
	start("echo \"[$LANTOA_TEST_SECRET] $(pwd)\"");
	wait_closed();
	assert_string_equal(A.data, "[] /\n");
}

static void free_ends_a_program_that_runs(void **state)
{
	(void)state;
	start("echo here; exec sleep 30");
	assert_true(peer_run_until(&R, four, NULL, WAIT_MS));
	net_curl_free(R.net);
	R.net = NULL;
	assert_int_equal(A.closes, 1);
}

static bool gone(void *arg)
{
	const pid_t *pid = arg;
	char path[40], state = 'Z'; /* a zombie that nobody has fetched yet is gone, too */
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)*pid);
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return true;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	(void)fclose(f);
	return state == 'Z' || state == 'X';
}

static void what_a_killed_program_had_started_goes_with_it(void **state)
{
	(void)state;
	start("sleep 300 & echo $!; wait");
	assert_true(peer_run_until(&R, line, NULL, WAIT_MS));
	pid_t child = (pid_t)strtol(A.data, NULL, 10);
	assert_true(child > 1);
	assert_false(gone(&child));
	net_stream_close(R.net, A.s, true);
	wait_closed();
	bool went = peer_run_until(&R, gone, &child, WAIT_MS);
	if (!went)
		(void)kill(child, SIGKILL);
	assert_true(went);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_program_answers_and_ends_with_its_status),
		T(a_graceful_close_is_the_end_of_input),
		T(a_program_that_does_not_read_gets_no_more_than_its_pipe_holds),
		T(a_killed_program_shows_its_signal),
		T(a_missing_program_is_refused_at_once),
		T(much_output_arrives_whole_and_stderr_keeps_its_end),
		T(the_environment_of_the_daemon_does_not_leak),
		T(free_ends_a_program_that_runs),
		T(what_a_killed_program_had_started_goes_with_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
