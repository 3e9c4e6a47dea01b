/* test_removed.c - who is taken off the targets, or opts out, after a release was planned gets nothing of what had not gone, wherever
 * his copy is at that moment. */
#include "dispatch/dispatch_internal.h"
#include "scene.h"

static int setup(void **state)
{
	UNUSED(state);
	scene_open(21);
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	return 0;
}
static int teardown(void **state)
{
	UNUSED(state);
	scene_close();
	return 0;
}

static int64_t state_of(int64_t delivery)
{
	return scene_i64("SELECT state FROM delivery WHERE id=%lld", (long long)delivery);
}

static void a_target_that_is_gone_gets_nothing(void **state)
{
	UNUSED(state);
	scene_lot(1, 0, 1, 2, 4);
	scene_exec("UPDATE target SET flags=1 WHERE id IN (1, 2)");
	scene_exec("DELETE FROM target WHERE id=3");
	scene_exec(
		"INSERT INTO target(id, contact_id, lane_id, office_id, lang, flags, seen_import) "
		"VALUES (91,2,1,1,'vi',2,1), (92,1,1,1,'vi',3,1)");
	scene_start();
	scene_run(5000);
	assert_int_equal(state_of(1), DLV_CANCELLED);
	assert_int_equal(state_of(2), DLV_ACCEPTED); /* another office has the address */
	assert_int_equal(state_of(3), DLV_CANCELLED);
	assert_int_equal(state_of(4), DLV_ACCEPTED);
	assert_int_equal(fake.n_published, 2);
	assert_int_equal(scene_i64("SELECT count(*) FROM step WHERE name='!why' AND value LIKE "
				   "'removed: from the targets%%'"),
		2);
	assert_int_equal(scene_i64("SELECT count(*) FROM attempt"), 2);
	scene_check();
}

static void office_goes(const char *set, int64_t want)
{
	scene_lot(1, 0, 1, 2, 3);
	scene_exec("UPDATE office SET %s WHERE id=2", set);
	scene_start();
	scene_run(5000);
	assert_int_equal(scene_state((int)want), 3);
	assert_int_equal(fake.n_published, want == DLV_ACCEPTED ? 3 : 0);
}

static void an_office_that_is_gone_gets_nothing(void **state)
{
	UNUSED(state);
	office_goes("gone=1", DLV_CANCELLED);
}

static void an_office_whose_time_is_over_gets_nothing(void **state)
{
	UNUSED(state);
	office_goes("valid_from=1, valid_to=1795395600000", DLV_CANCELLED);
}

/* Until its targets have moved to the successor they stand in the old one. */
static void an_office_that_was_merged_gets_what_was_planned(void **state)
{
	UNUSED(state);
	office_goes("valid_to=1795395600000, replaced_by=1", DLV_ACCEPTED);
}

static void what_is_leased_is_read_again_after_an_import(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.rate_per_s = 1;
	sc.ch[0].lane.burst = 1;
	scene_reload();
	scene_lot(1, 0, 1, 2, 10);
	scene_start();
	scene_run(2500);
	uint64_t before = fake.n_published;
	assert_true(before > 0 && before < 6);
	scene_exec("UPDATE target SET flags=1 WHERE id>=8");
	dispatch_targets_changed(sc.d);
	scene_run(20000);
	assert_int_equal(fake.n_published, 7);
	assert_int_equal(scene_state(DLV_ACCEPTED), 7);
	assert_int_equal(scene_state(DLV_CANCELLED), 3);
	assert_int_equal(fake.n_doubles, 0);
}

/* A worker that has read its rows, while the loop goes on. */
static const struct env_ops *ops_before;
static struct work *reading;
static bool catches;
static void work_caught(struct env *e, struct work *w)
{
	if (!catches || w->fn != fill_run) {
		ops_before->work(e, w);
		return;
	}
	catches = false;
	w->fn(w);
	reading = w;
}

static void on_unsubscribed(void *ctx, int rc)
{
	*(int *)ctx = rc;
}

static void a_fill_is_read(void)
{
	static struct env_ops ops;

	ops_before = sc.te.env.ops;
	ops = *ops_before;
	ops.work = work_caught;
	sc.te.env.ops = &ops;
	catches = true;
	reading = NULL;
	scene_start();
	scene_run(1000);
	assert_non_null(reading);
	assert_int_equal(fake.n_published, 0);
}

static void who_opts_out_while_a_fill_runs_gets_nothing(void **state)
{
	UNUSED(state);
	char token[UNSUB_MAX];
	int rc = 1;

	scene_lot(1, 0, 1, 1, 3);
	a_fill_is_read();
	unsub_make(sc.ts.s, 2, 0, token);
	dispatch_unsubscribe(sc.d, str_of(token), on_unsubscribed, &rc);
	scene_settle();
	assert_int_equal(rc, 0); /* answered: from here on nothing more */
	reading->done(reading);
	scene_run(5000);
	assert_int_equal(state_of(2), DLV_SUPPRESSED);
	assert_int_equal(fake.n_published, 2);
	assert_int_equal(scene_state(DLV_ACCEPTED), 2);
}

/* More than a fill notes one by one: it is read again whole. */
static void many_opt_out_while_a_fill_runs(void **state)
{
	UNUSED(state);
	char token[UNSUB_MAX];
	int rc = 1;

	scene_lot(1, 0, 1, 1, 60);
	a_fill_is_read();
	for (int64_t who = 1; who <= 40; who++) {
		unsub_make(sc.ts.s, who, 0, token);
		dispatch_unsubscribe(sc.d, str_of(token), on_unsubscribed, &rc);
		scene_settle();
		assert_int_equal(rc, 0);
	}
	reading->done(reading);
	scene_run(5000);
	assert_int_equal(scene_state(DLV_SUPPRESSED), 40);
	assert_int_equal(scene_state(DLV_ACCEPTED), 20);
	assert_int_equal(fake.n_published, 20);
}

/* The adapter has it, and no byte of it has left. */
static void who_opts_out_before_the_adapter_has_begun_gets_nothing(void **state)
{
	UNUSED(state);
	char token[UNSUB_MAX];
	int rc = 1;

	scene_lot(1, 0, 1, 1, 3);
	scene_start();
	for (int i = 0; i < 5000 && fake.n_started == 0; i++)
		scene_run(1);
	assert_true(fake.n_started > 0);
	int64_t who = 0;
	LIST_FOR(&fake.ops, n)
	{
		const struct fake_op *f = CONTAINER_OF(n, struct fake_op, node);
		who = f->on_wire ? who : (int64_t)f->op->delivery;
	}
	assert_true(who > 0);
	unsub_make(sc.ts.s, who, 0, token);
	dispatch_unsubscribe(sc.d, str_of(token), on_unsubscribed, &rc);
	scene_settle();
	assert_int_equal(rc, 0);
	scene_run(60000);
	assert_int_equal(state_of(who), DLV_SUPPRESSED);
	assert_int_equal(fake.n_published, 2);
	assert_int_equal(scene_state(DLV_ACCEPTED), 2);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM attempt WHERE delivery_id=%lld", (long long)who),
		0);
	scene_check();
}

static void an_import_while_a_fill_runs(void **state)
{
	UNUSED(state);
	scene_lot(1, 0, 1, 1, 5);
	a_fill_is_read();
	scene_exec("UPDATE target SET flags=1 WHERE id<4");
	dispatch_targets_changed(sc.d);
	reading->done(reading);
	scene_run(5000);
	assert_int_equal(scene_state(DLV_CANCELLED), 3);
	assert_int_equal(fake.n_published, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(a_target_that_is_gone_gets_nothing),
		T(an_office_that_is_gone_gets_nothing),
		T(an_office_whose_time_is_over_gets_nothing),
		T(an_office_that_was_merged_gets_what_was_planned),
		T(what_is_leased_is_read_again_after_an_import),
		T(who_opts_out_while_a_fill_runs_gets_nothing),
		T(many_opt_out_while_a_fill_runs),
		T(who_opts_out_before_the_adapter_has_begun_gets_nothing),
		T(an_import_while_a_fill_runs),
#undef T
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
