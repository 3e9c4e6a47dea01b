/* test_sim.c - seeds of the simulation as a test program. SIM_SEED=N [SIM_STEPS=N] [SIM_TRACE=1] replays one; SIM_SEEDS=N changes
 * how many run, SIM_FIRST=N where they begin. A failing seed prints itself;
 * SIM_SHRINK=1 beside SIM_SEED looks for the shortest story that fails in the same way, SIM_KEPT=... replays that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <cmocka.h>
#include "base/assert.h"
#include "sim_provider.h"

#define STEPS_DEFAULT 1500
#define SEEDS_DEFAULT 20

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *v = getenv(name);
	return v && v[0] ? strtoull(v, NULL, 0) : otherwise;
}

/* Of the epochs that are over and of this process. */
static double cpu_seconds(void)
{
	double sum = 0;
	static const int whose[] = { RUSAGE_SELF, RUSAGE_CHILDREN };
	for (size_t i = 0; i < ARRAY_LEN(whose); i++) {
		struct rusage u;
		REQUIRE(getrusage(whose[i], &u) == 0);
		sum += (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
			(double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
	}
	return sum;
}

static int run(uint64_t seed, bool trace)
{
	double began = cpu_seconds();
	int steps = (int)number("SIM_STEPS", STEPS_DEFAULT);
	int rc = sim_run_kept(seed, steps, trace, getenv("SIM_KEPT"));
	if (rc || getenv("SIM_VERBOSE"))
		print_message(
			"seed %llu steps %d %s,%s: %s; digest %016llx, %d crashes, %d restores, %d backups, %llu commits, %llu acts, %llu posts, %llu effects, %llu unknown, %lld deliveries, %llu again after a restore, %lld forgotten, %llu over the second gateway, %.2f s\n",
			(unsigned long long)seed, steps, provider_of(0)->name, provider_of(1)->name,
			rc ? S->fail : "ok", (unsigned long long)S->digest, S->crashes,
			S->n_restores, S->n_backups, (unsigned long long)S->n_commits,
			(unsigned long long)S->n_acts, (unsigned long long)S->n_requests,
			(unsigned long long)S->n_effects, (unsigned long long)S->n_unknown,
			(long long)S->n_deliveries, (unsigned long long)S->n_again,
			(long long)S->n_forgotten, (unsigned long long)S->n_spare,
			cpu_seconds() - began);
	if (rc)
		print_message(
			"again: SIM_SEED=%llu SIM_STEPS=%d SIM_TRACE=1 build/…/tests/sim/test_sim\n",
			(unsigned long long)seed, steps);
	return rc;
}

static void the_promises_hold_through_crashes_lost_answers_and_people(void **state)
{
	uint64_t n = number("SIM_SEEDS", SEEDS_DEFAULT), first = number("SIM_FIRST", 1), bad = 0;
	UNUSED(state);
	for (uint64_t i = 0; i < n; i++)
		bad += run(first + i, false) != 0;
	assert_int_equal(bad, 0);
}

static void a_seed_replays_to_the_bit(void **state)
{
	uint64_t digest[2];
	UNUSED(state);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(run(7, false), 0);
		digest[i] = S->digest;
	}
	assert_int_equal(digest[0], digest[1]);
}

int main(void)
{
	const struct CMUnitTest soak[] = {
		cmocka_unit_test(the_promises_hold_through_crashes_lost_answers_and_people),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_promises_hold_through_crashes_lost_answers_and_people),
		cmocka_unit_test(a_seed_replays_to_the_bit),
	};
	if (getenv("SIM_SEED") && number("SIM_SHRINK", 0))
		return sim_shrink(number("SIM_SEED", 1), (int)number("SIM_STEPS", STEPS_DEFAULT));
	if (getenv("SIM_SEED"))
		return run(number("SIM_SEED", 1), number("SIM_TRACE", 0) != 0);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	return getenv("SIM_ONLY") ? cmocka_run_group_tests(soak, NULL, NULL)
				  : cmocka_run_group_tests(tests, NULL, NULL);
}
