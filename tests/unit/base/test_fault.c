/* test_fault.c - fault points: skipping, failing, counting, and what the environment orders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/fault.h"

#ifdef LANTOA_FAULTS
static void a_point_lets_some_pass_and_then_fails_some(void **state)
{
	static const bool expected[] = { false, false, true, true, true, false, false };

	(void)state;
	fault_clear();
	fault_set("x", 2, 3);
	for (int i = 0; i < 7; i++)
		assert_int_equal(FAULT("x"), expected[i]);
	assert_int_equal(fault_hits("x"), 7);
}

static void other_points_are_not_touched_but_counted(void **state)
{
	(void)state;
	fault_clear();
	fault_set("x", 0, 1);
	assert_false(FAULT("y"));
	assert_false(FAULT("y"));
	assert_int_equal(fault_hits("y"), 2);
	assert_int_equal(fault_hits("z"), 0);
	fault_clear();
	assert_int_equal(fault_hits("y"), 0);
	assert_false(FAULT("x"));
}

static void the_environment_sets_points_and_nonsense_is_passed_over(void **state)
{
	(void)state;
	fault_clear();
	assert_int_equal(setenv("LANTOA_FAULT", "a:1:1,nonsense,b:0:2,c:-1:2,d:1:2:3", 1), 0);
	fault_init();
	assert_int_equal(unsetenv("LANTOA_FAULT"), 0);
	assert_false(FAULT("a"));
	assert_true(FAULT("a"));
	assert_true(FAULT("b"));
	assert_true(FAULT("b"));
	assert_false(FAULT("b"));
	assert_false(FAULT("c"));
	assert_false(FAULT("d") || FAULT("d"));
	fault_clear();
}

static void a_kill_point_ends_the_process_at_its_turn(void **state)
{
	int status = 0;

	(void)state;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		fault_clear();
		if (setenv("LANTOA_KILL", "commit:2", 1))
			_exit(90);
		fault_init();
		if (FAULT("commit") || FAULT("commit"))
			_exit(91);
		(void)FAULT("commit"); /* the third one */
		_exit(92);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}
#else
static void release_builds_have_no_fault_points(void **state)
{
	(void)state;
	assert_int_equal(setenv("LANTOA_FAULT", "a:0:1", 1), 0);
	fault_init();
	assert_false(FAULT("a"));
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef LANTOA_FAULTS
		cmocka_unit_test(a_point_lets_some_pass_and_then_fails_some),
		cmocka_unit_test(other_points_are_not_touched_but_counted),
		cmocka_unit_test(the_environment_sets_points_and_nonsense_is_passed_over),
		cmocka_unit_test(a_kill_point_ends_the_process_at_its_turn),
#else
		cmocka_unit_test(release_builds_have_no_fault_points),
#endif
	};

	return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
