/* test_memory.c - promise 5: what waits is in the store; memory has a batch of it, whatever the list's length. */
#include "scene.h"

static int setup(void **state)
{
	UNUSED(state);
	scene_open(7);
	return 0;
}
static int teardown(void **state)
{
	UNUSED(state);
	scene_close();
	return 0;
}

static void a_hundred_thousand_go_through_bounded_memory(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.concurrency = 400;
	sc.ch[0].lane.intents_max = 1024;
	fake.ch[0].account[0].room = 1000;
	scene_reload();
	scene_release(1, PRIO_BULK, CAT_PUBLIC_NOTICE);
	for (int i = 0; i < 10; i++)
		scene_lot(1, i, 1, 1, 10000);
	scene_start();
	size_t most = 0, intents = 0;
	for (int i = 0; i < 600 && fake.n_published < 100000; i++) {
		scene_run(200);
		size_t rows = dispatch_memory_rows(sc.d), open = dispatch_intents_open(sc.d);
		most = rows > most ? rows : most;
		intents = open > intents ? open : intents;
	}
	assert_int_equal(fake.n_published, 100000);
	assert_int_equal(fake.n_doubles, 0);
	assert_true(most <= 8192);
	assert_true(intents <= 1024);
	scene_run(1000);
	assert_int_equal(scene_state(DLV_ACCEPTED), 100000);
	assert_true(sc.n_prepared <= 20);
	scene_check();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_hundred_thousand_go_through_bounded_memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
