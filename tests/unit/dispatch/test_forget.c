/* test_forget.c - an address that is erased gets nothing any more, whatever was planned, held or about to leave. */
#include "scene.h"
#include "store/store_forget.h"

static int setup(void **state)
{
	UNUSED(state);
	scene_open(8);
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_exec(
		"INSERT INTO part(release_id, rev, part, slot, name, state) VALUES (1,1,0,0,'p',1)");
	return 0;
}
static int teardown(void **state)
{
	UNUSED(state);
	scene_close();
	return 0;
}

static struct forget_cmd erased;
static int erase(const char *address)
{
	erased = (struct forget_cmd){ .n = 1, .person = "an", .via = "uid:1", .why = "asked" };
	erased.v[0].kind = KIND_EMAIL;
	(void)str_copy(erased.v[0].address, sizeof(erased.v[0].address), str_of(address));
	forget_prepare(&erased);
	return teststore_do(&sc.ts, &erased.cmd);
}
static int64_t is(int64_t delivery)
{
	return scene_i64("SELECT state FROM delivery WHERE id=%lld", (long long)delivery);
}
static bool went_to(int64_t delivery)
{
	return map64_get(fake.published, (uint64_t)delivery) != NULL;
}

static void what_waits_or_is_held_for_it_is_never_sent(void **state)
{
	UNUSED(state);
	int64_t lot = scene_lot(1, 0, 1, 1, 4);
	scene_exec("UPDATE delivery SET state=9 WHERE id=2");
	scene_exec("UPDATE lot SET n0=3, n9=1 WHERE id=%lld", (long long)lot);
	assert_int_equal(erase("a1@x.example"), 0);
	assert_int_equal(erased.ret_contacts, 1);
	assert_int_equal(erased.ret_deliveries, 1);
	assert_int_equal(erased.ret_targets, 1);
	assert_int_equal(erase("a2@x.example"), 0);
	assert_int_equal(is(1), DLV_SUPPRESSED);
	assert_int_equal(is(2), DLV_CANCELLED);
	scene_check();
	assert_int_equal(
		scene_i64("SELECT count(*) FROM contact WHERE address LIKE 'forgotten:%%'"), 2);
	assert_int_equal(scene_i64("SELECT count(*) FROM audit WHERE what='targets.forget' AND "
				   "subject NOT LIKE '%%x.example%%'"),
		2);
	scene_start();
	scene_run(30000);
	assert_int_equal(fake.n_published, 2);
	assert_false(went_to(1) || went_to(2));
}

static void what_was_read_into_memory_does_not_go_either(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.rate_per_s = 1;
	sc.ch[0].lane.burst = 1;
	scene_reload();
	scene_lot(1, 0, 1, 1, 8);
	scene_start();
	scene_run(2500);
	assert_in_range(fake.n_published, 1, 4);
	assert_int_equal(erase("a6@x.example"), 0);
	scene_run(60000);
	assert_int_equal(fake.n_published, 7);
	assert_false(went_to(6));
	assert_int_equal(is(6), DLV_SUPPRESSED);
}

static void one_on_its_way_is_awaited(void **state)
{
	UNUSED(state);
	scene_lot(1, 0, 1, 1, 1);
	scene_start();
	scene_run(1); /* begun, not answered */
	assert_int_equal(is(1), DLV_SENDING);
	assert_int_equal(erase("a1@x.example"), -EBUSY);
	assert_non_null(strstr(erased.cmd.err.text, "on its way"));
	assert_int_equal(scene_i64("SELECT count(*) FROM contact WHERE address='a1@x.example'"), 1);
	scene_run(5000);
	assert_int_equal(erase("a1@x.example"), 0);
	assert_int_equal(is(1), DLV_ACCEPTED); /* what happened, happened */
	assert_int_equal(scene_i64("SELECT count(*) FROM contact WHERE address='a1@x.example'"), 0);
}

static void who_comes_back_can_be_erased_again(void **state)
{
	UNUSED(state);
	scene_lot(1, 0, 1, 1, 2);
	assert_int_equal(erase("a1@x.example"), 0);
	scene_exec("UPDATE contact SET address='a1@x.example' WHERE id=2");
	assert_int_equal(erase("a1@x.example"), 0);
	assert_int_equal(scene_i64("SELECT count(DISTINCT address) FROM contact WHERE address LIKE "
				   "'forgotten:%%'"),
		2);
	assert_int_equal(is(2), DLV_SUPPRESSED);
	scene_check();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(what_waits_or_is_held_for_it_is_never_sent),
		T(what_was_read_into_memory_does_not_go_either),
		T(one_on_its_way_is_awaited),
		T(who_comes_back_can_be_erased_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
