/* test_money.c - what a release costs: at check, against its ceiling and the budgets; when a part starts, against the ceiling and
 * what the gateway has left. */
#include "scene.h"

#define PRESS(more) "  press: {to: press, channels: [email], at: 2026-11-23 14:00" more "}\n"

static char name[] = "channel mail", channel[] = "mail";
static struct conf_budget budget;

static int setup(void **state)
{
	UNUSED(state);
	assert_int_equal(scene_open(state), 0);
	sc.cost = 350;
	budget = (struct conf_budget){ .channel = channel, .name = name };
	return 0;
}
static int teardown(void **state)
{
	UNUSED(state);
	return scene_close(state);
}

static int64_t targets(void)
{
	return scene_i64("SELECT count(*) FROM delivery");
}

static int submit(const char *parts)
{
	char text[2000];

	snprintf(text, sizeof(text), FRONT("TTBC-1", "%s") BODY, parts);
	return scene_submit("lan", text);
}

static bool problem_says(const char *words)
{
	const cJSON *p;

	cJSON_ArrayForEach(p, json_get(sc.json, "problems")) if (strstr(json_z(p, "text", ""),
									 words)) return true;
	return false;
}

/* Approved, planned, and its hour has come. */
static void go(const char *parts)
{
	assert_int_equal(submit(parts), 0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	assert_true(targets() > 0);
}

static void a_part_over_its_ceiling_is_refused_at_check(void **state)
{
	UNUSED(state);
	assert_int_equal(submit(PRESS(", max_cost: 100")), -EBADMSG);
	assert_non_null(strstr(sc.err.text, "its ceiling is 100"));
	assert_int_equal(submit(PRESS(", max_cost: 1000000")), 0);
	assert_true(json_i64(sc.json, "cost", 0) >= 350);
	assert_int_equal(json_i64(sc.json, "cost", 0) % 350, 0);
}

static void a_budget_that_will_not_do_is_a_warning(void **state)
{
	UNUSED(state);
	budget.limits.dong[MONEY_MONTH] = 400;
	sc.conf.budgets = &budget;
	sc.conf.n_budgets = 1;
	assert_int_equal(submit(PRESS("")), 0);
	assert_true(problem_says("channel mail, 2026-11: this release costs"));
}

static void prices_that_rose_hold_a_part_that_would_pass_its_ceiling(void **state)
{
	UNUSED(state);
	go(PRESS(", max_cost: 100000"));
	sc.cost = 400000 / targets();
	scene_run(30 * INT64_C(3600000));
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 0);
	assert_true(scene_i64("SELECT count(*) FROM lot WHERE gate=2") > 0);
	assert_true(
		scene_why_has("SELECT why FROM lot WHERE gate=2", "max_cost: the part would cost"));
}

static void an_empty_balance_holds_the_part_before_it_starts(void **state)
{
	UNUSED(state);
	go(PRESS(""));
	scene_run(INT64_C(3600000));
	char sql[300];
	snprintf(sql, sizeof(sql),
		"INSERT INTO account_stat(account_id, name, day, at, value) SELECT account_id,'balance',1,%lld,300 FROM lane LIMIT 1",
		(long long)(env_wall(&sc.te.env) + INT64_C(20) * 3600000));
	scene_sql("%s", sql);
	scene_run(30 * INT64_C(3600000));
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=1"), 0);
	assert_true(scene_why_has("SELECT why FROM lot WHERE gate=2",
		"balance: the gateway says that 300 đ are left"));
}

static void what_a_gateway_said_long_ago_holds_nothing(void **state)
{
	UNUSED(state);
	go(PRESS(""));
	scene_sql(
		"INSERT INTO account_stat(account_id, name, day, at, value) SELECT account_id,'balance',1,1000,300 FROM lane LIMIT 1");
	scene_run(30 * INT64_C(3600000));
	assert_true(scene_i64("SELECT count(*) FROM lot WHERE gate=1") > 0);
	assert_int_equal(scene_i64("SELECT count(*) FROM lot WHERE gate=2"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(a_part_over_its_ceiling_is_refused_at_check),
		T(a_budget_that_will_not_do_is_a_warning),
		T(prices_that_rose_hold_a_part_that_would_pass_its_ceiling),
		T(an_empty_balance_holds_the_part_before_it_starts),
		T(what_a_gateway_said_long_ago_holds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
