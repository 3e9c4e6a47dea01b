/* test_money.c - budgets, quotas, the ceiling of a part, and advertising per recipient, over virtual days and crashes. */
#include "scene.h"
#include "dispatch/dispatch_internal.h"

#define DAY_MS (24 * HR_MS)

static struct conf_budget budgets[4];
static char name_office[] = "office ha-noi", name_camp[] = "campaign c", office[] = "ha-noi",
	    centre[] = "trung-uong", camp[] = "c", channel[] = "mail",
	    name_channel[] = "channel mail";

static int setup(void **state)
{
	UNUSED(state);
	memset(budgets, 0, sizeof(budgets));
	scene_open(11);
	sc.cost = 350;
	sc.conf.budgets = budgets;
	return 0;
}
static int teardown(void **state)
{
	UNUSED(state);
	scene_close();
	return 0;
}

static void release_with_ceiling(int64_t id, int64_t cost_max)
{
	scene_release(id, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_exec(
		"INSERT INTO part(release_id, rev, part, name, state, cost_max) VALUES (%lld,1,0,'p',1,%lld)",
		(long long)id, (long long)cost_max);
}

/* The clock moves on; what waits for it is found by the next look. */
static void later(int64_t ms)
{
	sc.te.wall += ms;
	scene_run(25000);
}

static int64_t used(const char *scope_like, const char *window_like)
{
	return scene_i64(
		"SELECT coalesce(sum(used),0) FROM quota WHERE scope LIKE '%s' AND window LIKE '%s'",
		scope_like, window_like);
}

static bool lot_says(int64_t lot, const char *words)
{
	return scene_i64("SELECT count(*) FROM lot WHERE id=%lld AND gate=2 AND instr(why,'%s')>0",
		       (long long)lot, words) == 1;
}

static void a_part_spends_no_more_than_its_ceiling_and_is_held_with_the_reason(void **state)
{
	UNUSED(state);
	release_with_ceiling(1, 3500);
	int64_t lot = scene_lot(1, 0, 1, 1, 25);
	scene_start();
	scene_run(60000);
	assert_int_equal(fake.n_published, 10);
	assert_true(lot_says(lot,
		"budget: max_cost of the part, total: 3.500 of 3.500 đ are used, one message costs 350 đ"));
	assert_int_equal(scene_state(DLV_WAITING), 15);
	assert_int_equal(used("part:1/1/0", "total dong"), 3500);
	assert_int_equal(scene_i64("SELECT count(*) FROM audit WHERE what='lot.hold'"), 1);
	later(DAY_MS); /* no new day gives it more */
	assert_int_equal(fake.n_published, 10);
	/* A person raises it (an approved revision would) and resumes: the rest goes. */
	scene_exec("UPDATE part SET cost_max=100000");
	scene_exec("UPDATE lot SET gate=1, why=NULL");
	dispatch_scan(sc.d);
	scene_run(60000);
	assert_int_equal(fake.n_published, 25);
	assert_int_equal(fake.n_doubles, 0);
}

static void a_ceiling_of_nothing_lets_nothing_out(void **state)
{
	UNUSED(state);
	release_with_ceiling(1, 0);
	int64_t lot = scene_lot(1, 0, 1, 1, 3);
	scene_start();
	scene_run(60000);
	assert_int_equal(fake.n_published, 0);
	assert_true(lot_says(lot, "max_cost"));
}

static void an_office_budget_holds_its_lots_and_no_others(void **state)
{
	UNUSED(state);
	budgets[0] = (struct conf_budget){
		.office = office, .name = name_office, .limits.dong[MONEY_MONTH] = 1000
	};
	sc.conf.n_budgets = 1;
	scene_reload();
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	int64_t all = scene_lot(1, 0, 1, 1, 20), hn = scene_lot(1, 1, 1, 2, 20);
	scene_start();
	scene_run(60000);
	assert_int_equal(scene_i64("SELECT n2 FROM lot WHERE id=%lld", (long long)all), 20);
	assert_int_equal(scene_i64("SELECT n2 FROM lot WHERE id=%lld", (long long)hn), 2);
	assert_true(lot_says(hn, "budget: office ha-noi, "));
	assert_true(lot_says(hn, "700 of 1.000 đ are used"));
}

static void a_budget_of_a_class_or_an_account_covers_no_other(void **state)
{
	UNUSED(state);
	static char gmail[] = "gmail", two[] = "two", sms[] = "sms", gate[] = "gate";
	const struct conf_budget of[] = {
		{ .channel = channel, .class = gmail, .name = gmail },
		{ .channel = channel, .account = two, .name = two },
		{ .channel = sms, .account = gate, .name = sms },
	};
	for (int i = 0; i < 3; i++) {
		budgets[i] = of[i];
		budgets[i].limits.dong[MONEY_MONTH] = 1000; /* two messages */
		budgets[i].waits_set = true;                /* until a person says so */
	}
	sc.conf.n_budgets = 3;
	scene_reload();
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	int64_t other = scene_lot(1, 0, 1, 1, 20), class = scene_lot(1, 1, 2, 1, 20),
		acct = scene_lot(1, 2, 3, 1, 20);
	scene_start();
	scene_run(60000);
	assert_int_equal(scene_i64("SELECT n2 FROM lot WHERE id=%lld", (long long)other), 20);
	assert_int_equal(scene_i64("SELECT n2 FROM lot WHERE id=%lld", (long long)class), 2);
	assert_int_equal(scene_i64("SELECT n2 FROM lot WHERE id=%lld", (long long)acct), 2);
	assert_true(lot_says(class, "budget: gmail, "));
	assert_true(lot_says(acct, "budget: sms, "));
	assert_int_equal(used("%", "%dong%"), 4 * 350);
}

static void a_budget_of_an_office_covers_all_below_it(void **state)
{
	UNUSED(state);
	budgets[0] = (struct conf_budget){
		.office = centre, .name = name_office, .limits.messages[MONEY_TOTAL] = 5
	};
	sc.conf.n_budgets = 1;
	scene_reload();
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 4);
	scene_lot(1, 1, 1, 2, 4);
	scene_start();
	scene_run(60000);
	assert_int_equal(fake.n_published, 5);
}

static void a_campaign_budget_counts_over_its_releases(void **state)
{
	int64_t now = env_wall(&sc.te.env);

	UNUSED(state);
	budgets[0] = (struct conf_budget){
		.campaign = camp, .name = name_camp, .limits.dong[MONEY_TOTAL] = 7 * 350
	};
	sc.conf.n_budgets = 1;
	scene_exec(
		"INSERT INTO campaign(id, name, title, first, last, prio) VALUES (1,'c','c',%lld,%lld,1)",
		(long long)(now - HR_MS), (long long)(now + 300 * HR_MS));
	scene_reload();
	for (int i = 1; i <= 3; i++)
		scene_release(i, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_exec("UPDATE release SET campaign_id=1 WHERE id<3");
	scene_lot(1, 0, 1, 1, 5);
	scene_lot(2, 0, 1, 1, 5);
	scene_lot(3, 0, 1, 1, 5);
	scene_start();
	scene_run(60000);
	assert_int_equal(fake.n_published, 12);
	assert_int_equal(scene_i64("SELECT n2 FROM lot WHERE release_id=3"), 5);
}

static void a_daily_quota_waits_for_the_next_day_by_itself(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.limits.messages[MONEY_DAY] = 10;
	scene_reload();
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	int64_t lot = scene_lot(1, 0, 1, 1, 35);
	scene_exec("UPDATE lot SET expires=expires+864000000 WHERE id=%lld", (long long)lot);
	scene_start();
	scene_run(60000);
	assert_int_equal(fake.n_published, 10);
	assert_int_equal(scene_i64("SELECT gate FROM lot WHERE id=%lld", (long long)lot), LOT_OPEN);
	later(DAY_MS);
	assert_int_equal(fake.n_published, 20);
	later(DAY_MS);
	later(DAY_MS);
	assert_int_equal(fake.n_published, 35);
	for (size_t i = 0; i < fake.n_published;
		i++) { /* never more than ten within one day of the zone */
		size_t same = 0;
		int64_t day = (fake.at[i] + 7 * HR_MS) / DAY_MS;
		for (size_t k = 0; k < fake.n_published; k++)
			same += (fake.at[k] + 7 * HR_MS - FAKE_WIRE_MS) / DAY_MS == day;
		assert_true(same <= 10);
	}
}

static void a_channel_budget_pauses_the_channel_and_a_restart_changes_nothing(void **state)
{
	UNUSED(state);
	budgets[0] = (struct conf_budget){
		.channel = channel, .name = name_channel, .limits.dong[MONEY_DAY] = 3500
	};
	sc.conf.n_budgets = 1;
	scene_reload();
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	scene_lot(1, 0, 1, 1, 30);
	scene_lot(1, 1, 2, 1, 30);
	scene_start();
	scene_run(60000);
	assert_int_equal(fake.n_published, 10);
	scene_crash();
	scene_restart();
	scene_run(60000);
	assert_int_equal(fake.n_published, 10);
	assert_int_equal(used("budget:%", "%dong"), 3500);
	later(DAY_MS);
	assert_int_equal(fake.n_published, 20);
}

static struct fake_answer first_four_refused(const struct chan_op *op)
{
	struct fake_answer a = { .outcome = LT_ACCEPTED };

	if (op->delivery <= 4)
		a = (struct fake_answer){
			.outcome = LT_REFUSED, .code = "550", .unpublished = true
		};
	return a;
}

static void what_was_proven_not_sent_costs_nothing(void **state)
{
	UNUSED(state);
	release_with_ceiling(1, 3500);
	fake.script = first_four_refused;
	scene_lot(1, 0, 1, 1, 25);
	scene_start();
	scene_run(60000);
	assert_int_equal(fake.n_published, 10);
	assert_int_equal(scene_state(DLV_FAILED), 4);
	assert_int_equal(used("part:1/1/0", "total dong"), 3500);
}

static void crashes_never_let_a_ceiling_be_exceeded(void **state)
{
	UNUSED(state);
	release_with_ceiling(1, 35 * 350);
	scene_lot(1, 0, 1, 1, 200);
	scene_start();
	for (int i = 0; i < 12; i++) {
		scene_run(3 + i);
		scene_crash();
		scene_restart();
	}
	scene_run(60000);
	assert_true(fake.n_published <= 35);
	assert_true(fake.n_published > 0);
	assert_int_equal(fake.n_doubles, 0);
}

/* Lots of new releases, all to the same contacts. */
static void again_to_the_same(int64_t release, int n)
{
	scene_release(release, PRIO_NORMAL, CAT_ADVERTISING);
	int64_t lot = scene_lot(release, 0, 1, 1, n);
	scene_exec(
		"UPDATE delivery SET contact_id=contact_id-(SELECT min(contact_id) FROM delivery WHERE lot_id=%lld)+1 WHERE lot_id=%lld",
		(long long)lot, (long long)lot);
	scene_exec("UPDATE lot SET expires=expires+864000000 WHERE id=%lld", (long long)lot);
	dispatch_scan(sc.d);
}

static void advertising_reaches_a_recipient_three_times_in_24_hours_and_the_fourth_waits(
	void **state)
{
	UNUSED(state);
	sc.cat[0] = (struct conf_category_rule){
		.category = CAT_ADVERTISING, .per_recipient = 3, .per_window_ms = DAY_MS
	};
	sc.conf.n_category_rules = 1;
	scene_reload();
	for (int i = 1; i <= 5; i++)
		again_to_the_same(i, 4);
	scene_start();
	scene_run(60000);
	assert_int_equal(fake.n_published, 12);
	assert_int_equal(scene_i64("SELECT count(*) FROM ad_sent"), 12);
	later(22 * HR_MS);
	assert_int_equal(fake.n_published, 12);
	later(2 * HR_MS);
	assert_int_equal(fake.n_published, 20);
	/* What is no advertising is not counted and not stopped. */
	scene_release(9, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	int64_t lot = scene_lot(9, 0, 1, 1, 4);
	scene_exec(
		"UPDATE delivery SET contact_id=contact_id-(SELECT min(contact_id) FROM delivery WHERE lot_id=%lld)+1 WHERE lot_id=%lld",
		(long long)lot, (long long)lot);
	dispatch_scan(sc.d);
	scene_run(60000);
	assert_int_equal(fake.n_published, 24);
}

static int unsub_rc;
static void on_unsub(void *ctx, int rc)
{
	UNUSED(ctx);
	unsub_rc = rc;
}

/* To the first contact: a release of this category; the state it ends in. */
static int64_t one_more(int64_t release, int category)
{
	scene_release(release, PRIO_NORMAL, category);
	int64_t lot = scene_lot(release, 0, 1, 1, 1);
	scene_exec("UPDATE delivery SET contact_id=1 WHERE lot_id=%lld", (long long)lot);
	dispatch_scan(sc.d);
	scene_run(60000);
	return scene_i64("SELECT state FROM delivery WHERE lot_id=%lld", (long long)lot);
}

static void no_more_advertising_still_lets_notices_and_warnings_through(void **state)
{
	UNUSED(state);
	char token[UNSUB_MAX];

	scene_start();
	assert_int_equal(one_more(1, CAT_ADVERTISING), DLV_ACCEPTED);
	unsub_make(sc.ts.s, 1, SQ_LIST_ADS, token); /* the link of an advertising mail */
	dispatch_unsubscribe(sc.d, str_of(token), on_unsub, NULL);
	scene_settle();
	assert_int_equal(unsub_rc, 0);
	assert_int_equal(
		scene_i64(
			"SELECT count(*) FROM suppression WHERE list='!advertising' AND reason=%d",
			(int)SUP_OPT_OUT),
		1);
	assert_int_equal(one_more(2, CAT_ADVERTISING), DLV_SUPPRESSED);
	assert_int_equal(one_more(3, CAT_PUBLIC_NOTICE), DLV_ACCEPTED);
	assert_int_equal(one_more(4, CAT_EMERGENCY), DLV_ACCEPTED);
	assert_int_equal(one_more(5, CAT_INTERNAL), DLV_ACCEPTED);
}

static void say_no_more(const char *dedupe)
{
	struct lt_inbound in = { .struct_size = sizeof(in),
		.kind = LT_IN_TEXT,
		.address = { "a1@x.example", 12 },
		.text = { "TC", 2 },
		.dedupe = { dedupe, strlen(dedupe) } };

	fake.ev.inbound(fake.ev.ctx, &fake.ch[0], &fake.ch[0].account[0], &in, 7);
	scene_settle();
}

static void a_text_that_says_no_more_ends_what_was_sent_lately(void **state)
{
	UNUSED(state);
	scene_start();
	assert_int_equal(one_more(1, CAT_ADVERTISING), DLV_ACCEPTED);
	say_no_more("k1");
	assert_int_equal(one_more(2, CAT_ADVERTISING), DLV_SUPPRESSED);
	assert_int_equal(one_more(3, CAT_PUBLIC_NOTICE), DLV_ACCEPTED);
	/* Long after the last advertising, it means everything that is not an emergency's right to be heard. */
	sc.te.wall += 31 * DAY_MS;
	say_no_more("k2");
	assert_int_equal(scene_i64("SELECT count(*) FROM suppression WHERE list=''"), 1);
	assert_int_equal(one_more(4, CAT_PUBLIC_NOTICE), DLV_SUPPRESSED);
}

static void who_is_on_the_register_gets_no_advertising(void **state)
{
	struct hash who;
	char hex[HASH_HEX];

	UNUSED(state);
	scene_start();
	assert_int_equal(one_more(1, CAT_PUBLIC_NOTICE), DLV_ACCEPTED);
	store_who(sc.ts.s, KIND_EMAIL, STR("a1@x.example"), &who);
	hash_hex(&who, hex);
	scene_exec(
		"INSERT INTO suppression(who, list, reason, strikes, since) VALUES (x'%s','" SUPPRESS_ADS
		"',%d,1,0)",
		hex, (int)SUP_DO_NOT_CALL);
	assert_int_equal(one_more(2, CAT_ADVERTISING), DLV_SUPPRESSED);
	assert_int_equal(
		scene_i64(
			"SELECT count(*) FROM step WHERE name='!why' AND value='suppressed: do_not_call'"),
		1);
	assert_int_equal(one_more(3, CAT_PUBLIC_NOTICE), DLV_ACCEPTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(a_part_spends_no_more_than_its_ceiling_and_is_held_with_the_reason),
		T(a_ceiling_of_nothing_lets_nothing_out),
		T(an_office_budget_holds_its_lots_and_no_others),
		T(a_budget_of_a_class_or_an_account_covers_no_other),
		T(a_budget_of_an_office_covers_all_below_it),
		T(a_campaign_budget_counts_over_its_releases),
		T(a_daily_quota_waits_for_the_next_day_by_itself),
		T(a_channel_budget_pauses_the_channel_and_a_restart_changes_nothing),
		T(what_was_proven_not_sent_costs_nothing),
		T(crashes_never_let_a_ceiling_be_exceeded),
		T(advertising_reaches_a_recipient_three_times_in_24_hours_and_the_fourth_waits),
		T(no_more_advertising_still_lets_notices_and_warnings_through),
		T(a_text_that_says_no_more_ends_what_was_sent_lately),
		T(who_is_on_the_register_gets_no_advertising),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
