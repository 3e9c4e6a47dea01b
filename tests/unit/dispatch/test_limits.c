/* test_limits.c - rates, hours, windows, shares, over virtual days. */
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

/* The most publications in any window of ms. */
static size_t most_within(int64_t ms)
{
	size_t best = 0, from = 0;

	for (size_t i = 0; i < fake.n_published; i++) {
		while (fake.at[i] - fake.at[from] >= ms)
			from++;
		best = i - from + 1 > best ? i - from + 1 : best;
	}
	return best;
}

static void the_rate_is_never_exceeded_over_a_day(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.rate_per_s = 0.1;
	sc.ch[0].lane.burst = 3;
	scene_reload();
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 9000);
	scene_start();
	scene_run(24 * HR_MS);
	assert_true(fake.n_published >= 8600 && fake.n_published <= 8644);
	assert_true(most_within(10 * MIN_MS) <= 3 + 60 + 1);
	assert_true(most_within(1000) <= 4);
}

/* Lane 2 is that of the class. */
static void a_class_has_its_own_rate_as_long_as_the_configuration_has_it(void **state)
{
	UNUSED(state);
	sc.class[0].lane.rate_per_s = 1;
	sc.class[0].lane.burst = 1;
	scene_reload();
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 2, 1, 100);
	scene_start();
	scene_run(10000);
	assert_in_range(fake.n_published, 9, 12);
	scene_reload();
	scene_run(10000);
	assert_in_range(fake.n_published, 19, 23);
	sc.ch[0].n_classes = 0; /* from here on the channel's own values */
	scene_reload();
	scene_run(10000);
	assert_int_equal(fake.n_published, 100);
}

static void nothing_goes_out_outside_hours_over_three_days(void **state)
{
	UNUSED(state);
	struct conf_hours *h = &sc.ch[0].lane.hours;
	struct zone z = zone_vietnam();

	h->n = 2;
	h->span[0].days = 0x1f; /* Monday to Friday 07:30 - 11:30 */
	h->span[0].from_min = 450;
	h->span[0].to_min = 690;
	h->span[1].days = 0x7f;
	h->span[1].from_min = 13 * 60;
	h->span[1].to_min = 13 * 60 + 10;
	sc.cat[0].category = CAT_ADVERTISING;
	sc.cat[0].hours.n = 1;
	sc.cat[0].hours.span[0].days = 0x7f;
	sc.cat[0].hours.span[0].from_min = 8 * 60;
	sc.cat[0].hours.span[0].to_min = 20 * 60;
	sc.conf.n_category_rules = 1;
	sc.ch[0].lane.rate_per_s = 0.02;
	sc.ch[0].lane.burst = 1;
	scene_reload();
	scene_release(1, PRIO_NORMAL, CAT_ADVERTISING);
	int64_t lot = scene_lot(1, 0, 1, 1, 5000);
	scene_exec("UPDATE lot SET expires=expires+864000000 WHERE id=%lld", (long long)lot);
	scene_start();
	scene_run(72 * HR_MS);
	assert_true(fake.n_published > 400);
	for (size_t i = 0; i < fake.n_published; i++) {
		int64_t t = fake.at[i] + (int64_t)z.offset_s * 1000;
		int64_t min = t / 60000 % 1440;
		/* published at most FAKE_WIRE_MS after the start, which was inside */
		assert_true((min >= 480 && min < 690) || (min >= 780 && min < 790) ||
			t % 60000 <= FAKE_WIRE_MS);
	}
}

static void a_campaign_waits_for_its_first_day(void **state)
{
	UNUSED(state);
	int64_t now = env_wall(&sc.te.env);
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_exec(
		"INSERT INTO campaign(id, name, title, first, last, prio) VALUES (1,'c','c',%lld,%lld,1)",
		(long long)(now + 6 * HR_MS), (long long)(now + 30 * HR_MS));
	scene_exec("UPDATE release SET campaign_id=1");
	scene_lot(1, 0, 1, 1, 5);
	scene_start();
	scene_run(6 * HR_MS - 1000);
	assert_int_equal(fake.n_published, 0);
	scene_run(10000);
	assert_int_equal(fake.n_published, 5);
}

static uint64_t first_of(int64_t lot, uint64_t n)
{
	int64_t lo = scene_i64("SELECT min(id) FROM delivery WHERE lot_id=%lld", (long long)lot);
	int64_t hi = scene_i64("SELECT max(id) FROM delivery WHERE lot_id=%lld", (long long)lot);
	uint64_t k = 0;

	for (uint64_t i = 0; i < n && i < fake.n_published; i++)
		k += fake.who[i] >= lo && fake.who[i] <= hi;
	return k;
}

static void two_releases_share_a_lane_fairly(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.rate_per_s = 50;
	sc.ch[0].lane.burst = 1;
	scene_reload();
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_release(2, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	int64_t big = scene_lot(1, 0, 1, 1, 5000), small = scene_lot(2, 0, 1, 1, 300);
	scene_start();
	scene_run(14000);
	assert_true(fake.n_published >= 600);
	uint64_t a = first_of(big, 550), b = first_of(small, 550);
	assert_true(b >= 230 && a >= 230);
}

static void urgent_takes_eighty_of_a_hundred_and_no_more(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.rate_per_s = 50;
	sc.ch[0].lane.burst = 1;
	scene_reload();
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_release(2, PRIO_URGENT, CAT_EMERGENCY);
	int64_t normal = scene_lot(1, 0, 1, 1, 2000), urgent = scene_lot(2, 0, 1, 1, 2000);
	scene_start();
	scene_run(21000);
	uint64_t n = 1000, u = first_of(urgent, n), o = first_of(normal, n);
	assert_int_equal(u + o, n);
	assert_true(u >= 760 && u <= 830);
}

static void a_group_limits_all_its_lanes_together(void **state)
{
	UNUSED(state);
	static char app[] = "app", *groups[] = { app };
	static struct conf_limit_group g = { .name = app, .rate_per_s = 10, .burst = 1 };
	sc.ch[0].groups = &g;
	sc.ch[0].n_groups = 1;
	sc.acct[0].limit_groups = (struct conf_strv){ groups, 1 };
	scene_reload();
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 500);
	scene_lot(1, 1, 2, 1, 500);
	scene_start();
	scene_run(20000);
	assert_true(fake.n_published >= 190 && fake.n_published <= 202);
	assert_true(scene_i64("SELECT count(*) FROM quota WHERE scope='group:mail/app'") == 2);
}

/* A group that stood empty is empty after a crash, too: what it gained meanwhile is the time that went by, not a new burst. */
static void a_group_is_as_empty_after_a_crash_as_before(void **state)
{
	UNUSED(state);
	static char app[] = "app", *groups[] = { app };
	static struct conf_limit_group g = { .name = app, .rate_per_s = 1, .burst = 40 };
	sc.ch[0].groups = &g;
	sc.ch[0].n_groups = 1;
	sc.acct[0].limit_groups = (struct conf_strv){ groups, 1 };
	scene_reload();
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 200);
	scene_start();
	scene_run(10000);
	assert_in_range(fake.n_published, 48, 52);
	for (int i = 0; i < 3; i++) {
		scene_crash();
		scene_restart();
		scene_run(4000);
	}
	assert_in_range(fake.n_published, 56, 68);
}

static void concurrency_starts_low_grows_and_keeps_its_ceiling(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.concurrency = 20;
	scene_reload();
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 3000);
	scene_start();
	scene_run(3);
	assert_true(fake.in_flight_max <= 4);
	scene_run(60000);
	assert_true(fake.in_flight_max <= 20 && fake.in_flight_max >= 18);
	assert_int_equal(fake.n_published, 3000);
}

static void the_clock_may_jump_and_limits_still_hold(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.rate_per_s = 1;
	sc.ch[0].lane.burst = 2;
	scene_reload();
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 500);
	scene_start();
	scene_run(30000);
	sc.te.wall -= 2 * HR_MS;
	uint64_t was = fake.n_published;
	scene_run(30000);
	assert_true(fake.n_published - was <= 33);
	sc.te.wall += 3 * HR_MS;
	was = fake.n_published;
	scene_run(30000);
	assert_true(fake.n_published - was <= 33);
	scene_run(10 * MIN_MS);
	assert_int_equal(fake.n_published, 500);
}

static struct fake_answer come_back_in_two_hours(const struct chan_op *op)
{
	UNUSED(op);
	return (struct fake_answer){ .outcome = LT_DEFERRED,
		.scope = LT_SCOPE_LANE,
		.flags = LT_R_FREE,
		.code = "429",
		.text = "later",
		.retry_after_ms = 2 * HR_MS,
		.after_ms = 1000,
		.unpublished = true };
}

/* What is to be stored beside intents waits with them for room on the disk, and a restart behind that knows it. */
static void a_pause_that_met_a_full_disk_holds_after_a_crash(void **state)
{
	UNUSED(state);
	fake.script = come_back_in_two_hours;
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 3);
	scene_start();
	scene_run(200);
	sc.ts.free_bytes = 1 << 20; /* under the floor */
	scene_run(5000);
	uint64_t before = fake.n_started;
	assert_int_equal(scene_i64("SELECT until FROM lane WHERE id=1"), 0);
	sc.ts.free_bytes = INT64_C(100) << 30;
	scene_run(5000);
	assert_true(scene_i64("SELECT until FROM lane WHERE id=1") > env_wall(&sc.te.env));
	scene_crash();
	scene_restart();
	scene_run(HR_MS);
	assert_int_equal(fake.n_started, before);
	fake.script = NULL;
	scene_run(2 * HR_MS);
	assert_int_equal(scene_state(DLV_ACCEPTED), 3);
}

static struct fake_answer come_back_in_a_minute(const struct chan_op *op)
{
	bool later = op->delivery <= 3 && op->try_no == 1 && fake.n_published == 0;

	return (struct fake_answer){ .outcome = later ? (int)LT_DEFERRED : (int)LT_ACCEPTED,
		.scope = LT_SCOPE_LANE,
		.flags = LT_R_FREE,
		.code = "429",
		.text = "later",
		.retry_after_ms = later ? MIN_MS : 0,
		.unpublished = later };
}

/* Its pause is a minute still: neither seven hours, nor over. */
static void a_pause_is_not_longer_where_the_clock_was_ahead(void **state)
{
	UNUSED(state);
	fake.script = come_back_in_a_minute;
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 3);
	scene_start();
	scene_run(5000);
	assert_int_equal(fake.n_published, 0);
	sc.te.wall -= 7 * HR_MS;
	scene_release(2, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(2, 0, 1, 1, 4);
	scene_run(30000);
	assert_int_equal(fake.n_published, 0);
	scene_run(MIN_MS);
	assert_int_equal(fake.n_published, 4);
	sc.te.wall += 7 * HR_MS;
	scene_run(2 * MIN_MS);
	assert_int_equal(fake.n_published, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(the_rate_is_never_exceeded_over_a_day),
		T(a_class_has_its_own_rate_as_long_as_the_configuration_has_it),
		T(nothing_goes_out_outside_hours_over_three_days),
		T(a_campaign_waits_for_its_first_day),
		T(two_releases_share_a_lane_fairly),
		T(urgent_takes_eighty_of_a_hundred_and_no_more),
		T(a_group_limits_all_its_lanes_together),
		T(a_group_is_as_empty_after_a_crash_as_before),
		T(concurrency_starts_low_grows_and_keeps_its_ceiling),
		T(the_clock_may_jump_and_limits_still_hold),
		T(a_pause_is_not_longer_where_the_clock_was_ahead),
		T(a_pause_that_met_a_full_disk_holds_after_a_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
