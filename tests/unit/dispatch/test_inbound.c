/* test_inbound.c - beside sending: what people and providers send to us. */
#include "jobscene.h"

/* --- inbound ------------------------------------------------------------------------------------------------------------- */

static void a_text_is_kept_once(void **state)
{
	UNUSED(state);
	scene_start();
	inbound_as(false, LT_IN_TEXT, "A1@x.example", "Xin chào", NULL, "k1");
	inbound_as(false, LT_IN_TEXT, "A1@x.example", "Xin chào", NULL, "k1");
	inbound_as(false, LT_IN_TEXT, "A1@x.example", "Xin chào", NULL, "k2");
	inbound_as(false, LT_IN_JOIN, NULL, NULL, "followed", NULL);
	inbound_as(false, LT_IN_LEAVE, NULL, NULL, NULL, NULL);
	inbound_as(false, LT_IN_QUOTA, NULL, NULL, "120 left", NULL);
	assert_int_equal(scene_i64("SELECT count(*) FROM inbound WHERE kind=1"), 2);
	assert_int_equal(scene_i64("SELECT count(*) FROM inbound WHERE address='a1@x.example'"), 2);
	assert_int_equal(scene_i64("SELECT count(*) FROM inbound WHERE kind IN (4,5,6)"), 3);
	assert_int_equal(scene_i64("SELECT count(*) FROM suppression"), 0);
	assert_int_equal(fake.n_saved, 6);
	assert_int_equal(fake.saved_rc, 0);
	inbound_as(false, 99, NULL, NULL, NULL, NULL);
	assert_true(fake.saved_rc < 0);
}

static void who_says_no_more_gets_no_more(void **state)
{
	UNUSED(state);
	scene_lot(1, 0, 1, 1, 4); /* a1 .. a4 */
	scene_start();
	scene_run(2000);
	inbound_as(false, LT_IN_OPT_OUT, "A1@x.example", NULL, NULL, "o1");
	inbound_as(false, LT_IN_OPT_OUT, "A1@x.example", NULL, NULL, "o1");
	inbound_as(false, LT_IN_TEXT, "a2@x.example", "Từ chối", NULL, "o2");
	inbound_as(false, LT_IN_TEXT, "a2@x.example", "Từ chối", NULL, "o2b"); /* nothing new */
	inbound_as(true, LT_IN_COMPLAINT, "a3@x.example", "no, thanks", NULL, "o3");
	inbound_as(false, LT_IN_TEXT, "a4@x.example", "Tôi từ chối trả lời", NULL, "o4");
	assert_int_equal(scene_i64("SELECT count(*) FROM suppression"), 3);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM suppression WHERE reason=%d", (int)SUP_COMPLAINT),
		1);
	assert_int_equal(scene_i64("SELECT count(*) FROM inbound WHERE acted=1"), 4);
	assert_int_equal(scene_i64("SELECT count(*) FROM audit WHERE what='suppression.add' AND "
				   "via='inbound:mail' AND subject NOT LIKE '%%x.example%%'"),
		3);
	int64_t lot = scene_lot(1, 1, 1, 1, 4);
	scene_exec("UPDATE delivery SET contact_id=id-4, target_id=id-4, once=%lld WHERE "
		   "lot_id=%lld",
		(long long)dlv_once(1, 1, KIND_EMAIL), (long long)lot);
	scene_run(3000);
	assert_int_equal(delivery_is(5), DLV_SUPPRESSED);
	assert_int_equal(delivery_is(6), DLV_SUPPRESSED);
	assert_int_equal(delivery_is(7), DLV_SUPPRESSED);
	assert_int_equal(delivery_is(8), DLV_ACCEPTED);
}

/* Its message was read into memory before the word came. */
static void a_no_holds_for_what_is_about_to_leave(void **state)
{
	UNUSED(state);
	sc.ch[0].lane.rate_per_s = 1;
	sc.ch[0].lane.burst = 1;
	scene_reload();
	scene_lot(1, 0, 1, 1, 8);
	scene_start();
	scene_run(2500);
	uint64_t went = fake.n_published;
	assert_in_range(went, 1, 4);
	inbound_as(false, LT_IN_OPT_OUT, "a5@x.example", NULL, NULL, "o1");
	scene_run(20000);
	assert_int_equal(fake.n_published, 7);
	assert_int_equal(delivery_is(5), DLV_SUPPRESSED);
	assert_null(map64_get(fake.published, 5));
}

static void one_list_is_left_when_the_text_names_it(void **state)
{
	UNUSED(state);
	scene_exec("INSERT INTO list(name) VALUES ('Quang-Cao')");
	scene_start();
	inbound_as(false, LT_IN_TEXT, "a1@x.example", "TC Quảng-cáo", NULL, NULL);
	assert_int_equal(scene_i64("SELECT count(*) FROM suppression"), 0); /* no SMS: a sentence */
	on_channel = 1;
	inbound_as(false, LT_IN_TEXT, "a1@x.example", "TC Quảng-cáo", NULL, NULL);
	inbound_as(false, LT_IN_TEXT, "a2@x.example", "TC khong-co", NULL, NULL);
	assert_int_equal(scene_i64("SELECT count(*) FROM suppression WHERE list='Quang-Cao'"), 1);
	assert_int_equal(scene_i64("SELECT count(*) FROM suppression WHERE list=''"), 1);
}

static void own_words_or_none_at_all(void **state)
{
	static char word[] = "NGUNG";
	static char *words[] = { word };

	UNUSED(state);
	sc.ch[0].inbound.opt_out = (struct conf_strv){ words, 1 };
	scene_reload();
	scene_start();
	inbound_as(false, LT_IN_TEXT, "a1@x.example", "STOP", NULL, NULL);
	assert_int_equal(scene_i64("SELECT count(*) FROM suppression"), 0);
	inbound_as(false, LT_IN_TEXT, "a1@x.example", "ngừng", NULL, NULL);
	assert_int_equal(scene_i64("SELECT count(*) FROM suppression"), 1);
	sc.ch[0].inbound = (struct conf_inbound){ .no_opt_out = true };
	scene_reload();
	inbound_as(false, LT_IN_TEXT, "a2@x.example", "STOP", NULL, NULL);
	assert_int_equal(scene_i64("SELECT count(*) FROM suppression"), 1);
}

static void a_revocation_holds_the_lanes_of_its_account_until_a_person_resumes(void **state)
{
	UNUSED(state);
	scene_start();
	inbound_as(true, LT_IN_REVOKED, NULL, NULL, "token removed", "r1");
	inbound_as(true, LT_IN_REVOKED, NULL, NULL, "token removed", "r2"); /* held already */
	assert_int_equal(scene_i64("SELECT count(*) FROM gate"), 2);        /* both classes */
	assert_int_equal(scene_i64("SELECT count(*) FROM gate WHERE person='system' AND why LIKE "
				   "'revoked by the provider: token removed%%'"),
		2);
	assert_int_equal(scene_i64("SELECT count(*) FROM inbound WHERE kind=7 AND acted=2"), 2);
	assert_true(scene_i64("SELECT count(*) FROM audit WHERE what='lane.pause' AND "
			      "person='system'") >= 2);
	scene_lot(1, 0, 1, 1, 3);
	scene_run(60000);
	assert_int_equal(scene_state(DLV_WAITING), 3);
	struct stop_request r = { .verb = STOP_RESUME,
		.scope = { .lane_id = 1, .part = -1, .text = "lane:mail/relay/" },
		.except_prio = -1,
		.person = "An",
		.via = "uid:1",
		.why = "new token" };
	dispatch_stop_scope(sc.d, &r);
	scene_run(15000);
	assert_int_equal(scene_state(DLV_ACCEPTED), 3);
}

struct lanes_told {
	int two, others; /* lanes that wait because of a revocation */
};
static void on_lane(void *ctx, const struct dispatch_lane_facts *f)
{
	struct lanes_told *t = ctx;

	if (strstr(f->why, "revoked"))
		*(strcmp(f->account, "two") == 0 ? &t->two : &t->others) += 1;
}

static void a_revocation_of_an_account_by_its_identity(void **state)
{
	static char identity[] = "oa:9";

	UNUSED(state);
	sc.ch[0].n_accounts = 2;
	sc.acct[2].identity = identity;
	scene_reload();
	scene_start();
	scene_run(100);
	inbound_as(true, LT_IN_REVOKED, NULL, NULL, "8 gone", NULL);
	assert_int_equal(scene_i64("SELECT count(*) FROM gate"), 0);
	inbound_as(true, LT_IN_REVOKED, NULL, NULL, "9 gone", NULL);
	struct lanes_told told = { 0 };
	dispatch_lanes(sc.d, on_lane, &told);
	assert_int_equal(told.two, 2); /* both classes */
	assert_int_equal(told.others, 0);
	assert_int_equal(scene_i64("SELECT count(*) FROM gate"), 2);
	assert_int_equal(scene_i64("SELECT count(*) FROM inbound WHERE kind=7"), 2);
	assert_int_equal(
		scene_i64(
			"SELECT count(*) FROM inbound i JOIN account a ON a.id=i.account_id WHERE "
			"a.name='two' AND i.acted=2"),
		1);
}

static void what_came_in_goes_when_its_time_is_over(void **state)
{
	UNUSED(state);
	sc.ch[0].inbound.keep_ms = 48 * HR_MS;
	sc.ch[0].lane.receipt_wait_ms = HR_MS;
	scene_reload();
	scene_lot(1, 0, 1, 1, 2);
	scene_start();
	scene_run(2000);
	inbound_as(false, LT_IN_TEXT, "a1@x.example", "Xin chào", NULL, "k1");
	jump(47 * HR_MS);
	assert_int_equal(scene_i64("SELECT count(*) FROM inbound"), 1);
	jump(3 * HR_MS);
	assert_int_equal(scene_i64("SELECT count(*) FROM inbound"), 0);
	assert_int_equal(scene_i64("SELECT count(*) FROM seen"), 1);
	assert_int_equal(scene_i64("SELECT count(*) FROM ref"), 2);
	jump(70 * 24 * HR_MS);
	assert_int_equal(scene_i64("SELECT count(*) FROM seen"), 0);
	assert_int_equal(scene_i64("SELECT count(*) FROM ref"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(a_text_is_kept_once),
		T(who_says_no_more_gets_no_more),
		T(a_no_holds_for_what_is_about_to_leave),
		T(one_list_is_left_when_the_text_names_it),
		T(own_words_or_none_at_all),
		T(a_revocation_holds_the_lanes_of_its_account_until_a_person_resumes),
		T(a_revocation_of_an_account_by_its_identity),
		T(what_came_in_goes_when_its_time_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
