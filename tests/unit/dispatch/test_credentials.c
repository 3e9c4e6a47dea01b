/* test_credentials.c - a credential rotates: word, call, new pair; what is left after each crash in between. */
#include <stdlib.h>
#include <unistd.h>
#include "base/file.h"
#include "credscene.h"
#include "lib/tmpdir.h"

static void the_first_value_of_a_file_is_taken_once(void **state)
{
	(void)state;
	open_with("R1");
	assert_string_equal(value("refresh_token"), "R1");
	assert_string_equal(value("access_token"), "");
	assert_string_equal(value("host.first"), "");
	assert_int_equal(ask(), 0);
	put("R2", "A2", HR_MS);
	over(LT_ACCEPTED);
	assert_string_equal(value("refresh_token"), "R2");
	restart(); /* the file still says R1 */
	assert_string_equal(value("refresh_token"), "R2");
	fake.first = "R9"; /* another file is a new login */
	bind_now();
	assert_string_equal(value("refresh_token"), "R9");
	assert_string_equal(value("access_token"), "");
	close_all();
}

static void the_word_is_committed_before_the_call_and_the_pair_before_its_use(void **state)
{
	(void)state;
	open_with("R1");
	assert_int_equal(ask(), 0);
	assert_int_equal(stored_state(), CRED_ROTATING);
	put("the-refresh-token-R2", "A2",
		HR_MS); /* long enough to stand in no ciphertext by chance */
	assert_string_equal(value("refresh_token"), "R1"); /* not yet committed */
	scene_settle();
	assert_string_equal(value("refresh_token"), "the-refresh-token-R2");
	assert_string_equal(value(OA), "A2");
	assert_int_equal(stored_state(), CRED_GOOD);
	over(LT_ACCEPTED);
	assert_int_equal(stored_state(), CRED_GOOD);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM audit WHERE what='credential.refresh'"), 1);
	assert_int_equal(
		scene_i64(
			"SELECT count(*) FROM credential WHERE instr(box, CAST('the-refresh' AS BLOB)) > 0"),
		0);
	close_all();
}

static void a_second_who_asks_waits_and_finds_the_newer_pair(void **state)
{
	(void)state;
	open_with("R1");
	assert_int_equal(ask(), 0);
	fake.saved_rc = 1;
	fake.ev.refresh_intent(fake.ev.ctx, &fake.ch[0], OA, 79); /* channels of a reload */
	scene_settle();
	assert_int_equal(fake.saved_rc, 1); /* it waits */
	put("R2", "A2", HR_MS);
	scene_settle();
	over(LT_ACCEPTED);
	assert_int_equal(fake.saved_rc, -EALREADY);
	close_all();
}

/* Nobody of the old channels makes the call, and those of the new ones must not wait for it. */
static void a_reload_between_question_and_word_gives_the_word_back(void **state)
{
	(void)state;
	open_with("R1");
	fake.saved_rc = 1;
	fake.ev.refresh_intent(fake.ev.ctx, &fake.ch[0], OA, 80);
	dispatch_channels_forget(sc.d, (struct channels *)&fake);
	scene_settle();
	assert_int_equal(fake.saved_rc, 1);
	assert_int_equal(stored_state(), CRED_GOOD);
	scene_reload();
	assert_int_equal(ask(), 0);
	put("R2", "A2", HR_MS);
	over(LT_ACCEPTED);
	assert_string_equal(value("refresh_token"), "R2");
	close_all();
}

/* Those that asked had their time to end, and gave up; they are not freed yet. */
static void a_word_that_comes_after_the_drain_is_given_back(void **state)
{
	(void)state;
	open_with("R1");
	fake.ev.refresh_intent(fake.ev.ctx, &fake.ch[0], OA, 80);
	fake.cut = true;
	scene_settle();
	assert_int_equal(stored_state(), CRED_GOOD);
	fake.cut = false;
	assert_int_equal(ask(), 0);
	put("R2", "A2", HR_MS);
	over(LT_ACCEPTED);
	close_all();
}

/* The one more try of a doubt is still to come. */
static void a_reload_before_the_one_more_try_spends_nothing(void **state)
{
	(void)state;
	open_with("R1");
	assert_int_equal(ask(), 0);
	over(LT_UNKNOWN);
	scene_run(6000);
	fake.ev.refresh_intent(fake.ev.ctx, &fake.ch[0], OA, 80);
	dispatch_channels_forget(sc.d, (struct channels *)&fake);
	scene_settle();
	assert_int_equal(stored_state(), CRED_DOUBT);
	scene_reload();
	assert_int_equal(ask(), 0);
	assert_int_equal(stored_state(), CRED_AGAIN);
	put("R2", "A2", HR_MS);
	over(LT_ACCEPTED);
	assert_int_equal(stored_state(), CRED_GOOD);
	close_all();
}

static void a_crash_in_a_refresh_allows_one_more_try_and_no_third(void **state)
{
	(void)state;
	open_with("R1");
	assert_int_equal(ask(), 0);
	restart();
	assert_int_equal(stored_state(), CRED_DOUBT);
	assert_string_equal(lane_says(), "");
	assert_int_equal(ask(), 0); /* the one more try */
	assert_int_equal(stored_state(), CRED_AGAIN);
	restart();
	assert_int_equal(stored_state(), CRED_DEAD);
	assert_int_equal(ask(), -EKEYREJECTED);
	assert_non_null(strstr(lane_says(), "lantoa channel login mail"));
	close_all();
}

static void the_one_more_try_may_succeed(void **state)
{
	(void)state;
	open_with("R1");
	assert_int_equal(ask(), 0);
	over(LT_UNKNOWN);
	assert_int_equal(stored_state(), CRED_DOUBT);
	assert_int_equal(ask(), -EAGAIN); /* not at once */
	scene_run(6000);
	assert_true(fake.n_refreshed > 0); /* by itself */
	assert_int_equal(ask(), 0);
	put("R2", "A2", HR_MS);
	over(LT_ACCEPTED);
	assert_int_equal(stored_state(), CRED_GOOD);
	assert_string_equal(value("refresh_token"), "R2");
	close_all();
}

static void a_lost_answer_twice_is_dead(void **state)
{
	(void)state;
	open_with("R1");
	assert_int_equal(ask(), 0);
	over(LT_UNKNOWN);
	scene_run(6000);
	assert_int_equal(ask(), 0);
	over(LT_UNKNOWN);
	assert_int_equal(stored_state(), CRED_DEAD);
	assert_int_equal(ask(), -EKEYREJECTED);
	close_all();
}

static void a_proven_not_taken_refresh_is_put_off(void **state)
{
	(void)state;
	open_with("R1");
	assert_int_equal(ask(), 0);
	over(LT_DEFERRED);
	assert_int_equal(stored_state(), CRED_GOOD);
	assert_int_equal(ask(), -EAGAIN);
	scene_run(6000);
	assert_int_equal(ask(), 0);
	put("R2", "A2", HR_MS);
	over(LT_ACCEPTED);
	assert_string_equal(value("refresh_token"), "R2");
	close_all();
}

/* Without its word no call is made: the token that is there stays, and it is tried again. */
static void a_word_that_the_store_refuses_begins_nothing(void **state)
{
	(void)state;
	open_with("R1");
	scene_exec("CREATE TRIGGER no BEFORE UPDATE ON credential BEGIN SELECT RAISE(ABORT, 'not "
		   "now'); END");
	assert_true(ask() < 0);
	assert_int_equal(stored_state(), CRED_GOOD);
	assert_int_equal(ask(), -EAGAIN);
	scene_run(6000);
	assert_true(ask() < 0);
	scene_exec("DROP TRIGGER no");
	assert_string_equal(value("refresh_token"), "R1");
	scene_run(6000);
	assert_int_equal(ask(), 0);
	put("R2", "A2", HR_MS);
	over(LT_ACCEPTED);
	assert_string_equal(value("refresh_token"), "R2");
	assert_string_equal(value("access_token"), "A2");
	close_all();
}

/* Nobody sends: its own timer comes back to it. */
static void a_refused_word_is_tried_again_though_nobody_sends(void **state)
{
	(void)state;
	open_with(NULL);
	put("R2", "A2", 10 * HR_MS);
	scene_settle();
	scene_run(8 * HR_MS + 40 * MIN_MS + 1000);
	assert_int_equal(fake.n_refreshed, 1);
	scene_exec("CREATE TRIGGER no BEFORE UPDATE ON credential BEGIN SELECT RAISE(ABORT, 'not "
		   "now'); END");
	assert_true(ask() < 0);
	assert_int_equal(fake.n_refreshed, 1);
	scene_run(MIN_MS);
	assert_true(fake.n_refreshed > 1);
	scene_exec("DROP TRIGGER no");
	close_all();
}

/* The app is out of order, the token is good: lanes wait with the reason, and go on by themselves. */
static void a_refresh_that_needs_a_person_elsewhere_needs_no_login(void **state)
{
	const struct chan_result r = { .outcome = LT_DEFERRED,
		.flags = LT_R_PERSON | LT_R_FREE,
		.text = STR("switch the app on") };

	(void)state;
	open_with("R1");
	scene_release(1, 1, 1);
	assert_int_equal(ask(), 0);
	fake.ev.refresh_over(fake.ev.ctx, &fake.ch[0], OA, &r);
	scene_settle();
	assert_int_equal(stored_state(), CRED_GOOD);
	assert_non_null(strstr(lane_says(), "switch the app on"));
	assert_null(strstr(lane_says(), "login"));
	assert_string_equal(value("refresh_token"), "R1");
	scene_run(6000);
	assert_int_equal(ask(), 0);
	put("R2", "A2", HR_MS);
	over(LT_ACCEPTED);
	assert_string_equal(lane_says(), "");
	close_all();
}

/* Each copy lies in locked memory: who has the newest is given none. */
static void a_value_that_the_host_has_is_not_copied_again(void **state)
{
	struct secret *s = NULL;
	uint64_t version = 0;

	(void)state;
	open_with("R1");
	assert_int_equal(dispatch_secret_get(sc.d, "mail", OA, "refresh_token", &s, &version), 0);
	assert_non_null(s);
	assert_true(version > 0);
	secret_free(s);
	s = NULL;
	assert_int_equal(dispatch_secret_get(sc.d, "mail", OA, "refresh_token", &s, &version), 0);
	assert_null(s);
	assert_int_equal(dispatch_secret_get(sc.d, "mail", OA, "nothing", &s, &version), -ENOENT);
	assert_int_equal(ask(), 0);
	put("R2", "A2", HR_MS);
	over(LT_ACCEPTED);
	uint64_t had = version;
	assert_int_equal(dispatch_secret_get(sc.d, "mail", OA, "refresh_token", &s, &version), 0);
	assert_true(version > had);
	assert_true(str_eqz(secret_value(s), "R2"));
	secret_free(s);
	close_all();
}

static void a_refused_credential_holds_its_lanes_until_a_new_login(void **state)
{
	(void)state;
	open_with("R1");
	scene_release(1, 1, 1);
	assert_int_equal(ask(), 0);
	over(LT_REFUSED);
	assert_int_equal(stored_state(), CRED_DEAD);
	assert_non_null(strstr(lane_says(), "says the provider"));
	(void)scene_lot(1, 0, 1, 1, 3);
	scene_run(20000);
	assert_int_equal(fake.n_published, 0);
	assert_int_equal(scene_state(DLV_WAITING), 3);
	fake.first = "R9";
	bind_now();
	assert_string_equal(lane_says(), "");
	scene_run(20000);
	assert_int_equal(fake.n_published, 3);
	close_all();
}

static void it_is_refreshed_before_it_expires_though_nobody_sends(void **state)
{
	(void)state;
	open_with(NULL);
	put("R2", "A2", 10 * HR_MS);
	scene_settle();
	scene_run(7 * HR_MS);
	assert_int_equal(fake.n_refreshed, 0);
	scene_run(
		HR_MS + 40 * MIN_MS + 1000); /* a fifth of its life is left, less a third of that */
	assert_int_equal(fake.n_refreshed, 1);
	close_all();
}

/* One kill must not catch them all between word and answer. */
static void credentials_that_expire_together_are_refreshed_one_after_the_other(void **state)
{
	enum { N = 35 };
	static struct conf_account acct[N], *acctp[N];
	static char names[N][16];
	const struct lt_pair v[] = { { .name = { "refresh_token", 13 }, .value = { "R", 1 } } };
	uint64_t most = 0, was;

	(void)state;
	scene_open(1);
	for (size_t i = 0; i < N; i++) {
		snprintf(names[i], sizeof(names[i]), "oa-%zu", i);
		acct[i] = (struct conf_account){ .name = names[i], .credential = names[i] };
		acctp[i] = &acct[i];
	}
	sc.ch[0].accounts = acctp;
	sc.ch[0].n_accounts = N;
	sc.ch[0].refresh_lead_ms = HR_MS;
	scene_reload();
	scene_start();
	bind_now();
	for (size_t i = 0; i < N; i++)
		fake.ev.secret_put(fake.ev.ctx, &fake.ch[0], names[i], v, 1,
			env_wall(&sc.te.env) + 5 * HR_MS, 100 + i);
	scene_settle();
	scene_run(4 * HR_MS - MIN_MS);
	assert_int_equal(fake.n_refreshed, 0);
	for (int i = 0; i < 21; i++) { /* a third of the lead */
		was = fake.n_refreshed;
		scene_run(MIN_MS);
		most = fake.n_refreshed - was > most ? fake.n_refreshed - was : most;
	}
	scene_run(1000);
	assert_true(fake.n_refreshed >= N);
	assert_in_range(most, 1, 6);
	close_all();
}

static void a_lead_longer_than_the_life_does_not_renew_without_end(void **state)
{
	(void)state;
	open_with("R1");
	sc.ch[0].refresh_lead_ms = 5 * HR_MS;
	scene_reload();
	assert_int_equal(ask(), 0);
	put("R2", "A2", HR_MS); /* the provider gives shorter ones for once */
	over(LT_ACCEPTED);
	uint64_t was = fake.n_refreshed;
	scene_run(30 * MIN_MS);
	assert_int_equal(fake.n_refreshed, was);
	scene_run(25 * MIN_MS);
	assert_int_equal(fake.n_refreshed, was + 1); /* a fifth before its end */
	close_all();
}

/* How long the pasted access token lives nobody knows; without a first renewal nothing would ever renew it while nobody sends. */
static void a_pair_that_a_person_pasted_is_renewed_by_itself(void **state)
{
	(void)state;
	scene_open(1);
	sc.acct[0].credential = oa_name;
	fake.first = "R1";
	fake.first_access = "A1";
	scene_start();
	bind_now();
	assert_string_equal(value("access_token"), "A1");
	scene_run(1000);
	assert_int_equal(fake.n_refreshed, 1);
	close_all();
}

static void a_full_disk_keeps_the_new_pair_until_it_can_be_committed(void **state)
{
	(void)state;
	open_with("R1");
	assert_int_equal(ask(), 0);
	uint64_t saved = fake.n_saved;
	scene_exec(
		"CREATE TRIGGER full BEFORE UPDATE ON credential BEGIN SELECT RAISE(ABORT, 'no'); "
		"END");
	put("R2", "A2", HR_MS);
	scene_run(5000);
	assert_int_equal(fake.n_saved, saved);
	assert_string_equal(value("refresh_token"), "R1");
	scene_exec("DROP TRIGGER full");
	scene_run(5000);
	assert_int_equal(fake.n_saved, saved + 1);
	assert_string_equal(value("refresh_token"), "R2");
	over(LT_ACCEPTED);
	close_all();
}

static void a_restored_database_takes_the_newer_pair_of_the_mirror(void **state)
{
	(void)state;
	char *dir = tmpdir_new(), *mirror = x_asprintf("%s/mirror", dir);
	open_with("R1");
	sc.conf.token_mirror = mirror;
	scene_exec("CREATE TABLE night AS SELECT * FROM credential");
	for (int i = 2; i < 5; i++) {
		char r[32], a[8];
		(void)snprintf(r, sizeof(r), "the-refresh-token-R%d", i);
		(void)snprintf(a, sizeof(a), "A%d", i);
		assert_int_equal(ask(), 0);
		put(r, a, HR_MS);
		scene_settle();
		over(LT_ACCEPTED);
	}
	char *file = x_asprintf("%s/mail.oa.token", mirror);
	struct buf b CLEANUP_BUF;
	struct err e;
	buf_init(&b, 100000);
	assert_int_equal(file_read(file, &b, &e), 0);
	assert_null(memmem(b.p, b.n, "the-refresh", 11));
	/* the rows of last night come back */
	scene_exec("DELETE FROM credential; INSERT INTO credential SELECT * FROM night; "
		   "UPDATE credential SET state = 2");
	fake.first = "R1";
	restart();
	assert_string_equal(value("refresh_token"), "the-refresh-token-R4");
	assert_string_equal(value("access_token"), "A4");
	assert_int_equal(scene_i64("SELECT version FROM credential"), 4);
	assert_int_equal(stored_state(), CRED_GOOD);
	/* a mirror that was lost is made again from what is stored */
	assert_int_equal(unlink(file), 0);
	restart();
	assert_int_equal(access(file, R_OK), 0);
	/* a mirror that is not ours is no reason to stop, and never used */
	assert_int_equal(file_write_durable(file, STR("garbage"), 0600, &e), 0);
	restart();
	assert_string_equal(value("refresh_token"), "the-refresh-token-R4");
	close_all();
	free(file);
	free(mirror);
	tmpdir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_value_of_a_file_is_taken_once),
		cmocka_unit_test(the_word_is_committed_before_the_call_and_the_pair_before_its_use),
		cmocka_unit_test(a_second_who_asks_waits_and_finds_the_newer_pair),
		cmocka_unit_test(a_crash_in_a_refresh_allows_one_more_try_and_no_third),
		cmocka_unit_test(the_one_more_try_may_succeed),
		cmocka_unit_test(a_lost_answer_twice_is_dead),
		cmocka_unit_test(a_proven_not_taken_refresh_is_put_off),
		cmocka_unit_test(a_reload_between_question_and_word_gives_the_word_back),
		cmocka_unit_test(a_word_that_comes_after_the_drain_is_given_back),
		cmocka_unit_test(a_reload_before_the_one_more_try_spends_nothing),
		cmocka_unit_test(a_word_that_the_store_refuses_begins_nothing),
		cmocka_unit_test(a_refused_word_is_tried_again_though_nobody_sends),
		cmocka_unit_test(a_refresh_that_needs_a_person_elsewhere_needs_no_login),
		cmocka_unit_test(a_value_that_the_host_has_is_not_copied_again),
		cmocka_unit_test(a_refused_credential_holds_its_lanes_until_a_new_login),
		cmocka_unit_test(it_is_refreshed_before_it_expires_though_nobody_sends),
		cmocka_unit_test(
			credentials_that_expire_together_are_refreshed_one_after_the_other),
		cmocka_unit_test(a_lead_longer_than_the_life_does_not_renew_without_end),
		cmocka_unit_test(a_pair_that_a_person_pasted_is_renewed_by_itself),
		cmocka_unit_test(a_full_disk_keeps_the_new_pair_until_it_can_be_committed),
		cmocka_unit_test(a_restored_database_takes_the_newer_pair_of_the_mirror),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
