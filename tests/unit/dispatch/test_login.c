/* test_login.c - a person logs an account in: consent page, code, new pair; what waits meanwhile. */
#include <stdlib.h>
#include <unistd.h>
#include "credscene.h"
#include "lib/tmpdir.h"

static struct {
	int n, rc;
	char url[100], text[200];
	int64_t version;
} logged;

static void on_login(
	void *ctx, int rc, const struct err *e, const struct chan_result *r, int64_t version)
{
	UNUSED(ctx);
	logged.n++;
	logged.rc = rc;
	logged.version = version;
	(void)str_copy(logged.url, sizeof(logged.url), r ? r->url : STR(""));
	(void)str_copy(logged.text, sizeof(logged.text), str_of(e ? e->text : ""));
}

static void login(const char *code)
{
	const struct login_request r = { .channel = "mail",
		.account = "relay",
		.code = str_of(code),
		.person = "Lan",
		.via = "uid:7",
		.done = on_login };

	memset(&logged, 0, sizeof(logged));
	fake.login_done = NULL;
	dispatch_login(sc.d, &r);
	assert_int_equal(logged.n, 0);
	scene_settle();
}

static void login_answer(int outcome, const char *url)
{
	const struct chan_result r = {
		.outcome = outcome, .url = str_of(url), .text = STR("bad code")
	};

	fake.login_done(fake.login_ctx, &r);
	scene_settle();
}

static void a_person_logs_in_and_held_lanes_go_on(void **state)
{
	(void)state;
	const struct lt_pair v = { .name = { "verifier", 8 }, .value = { "V1", 2 } };
	char *dir = tmpdir_new();
	open_with("R1");
	sc.conf.token_mirror = dir;
	assert_int_equal(ask(), 0);
	login(NULL);
	assert_int_equal(logged.rc, -EBUSY);
	over(LT_REFUSED);
	login(NULL);
	fake.ev.secret_put(fake.ev.ctx, &fake.ch[0], OA, &v, 1, 0, 80);
	scene_settle();
	login_answer(LT_ACCEPTED, "https://consent.example/?app=1");
	assert_int_equal(logged.rc, 0);
	assert_string_equal(logged.url, "https://consent.example/?app=1");
	assert_int_equal(stored_state(), CRED_DEAD); /* the verifier is not a pair */
	assert_string_equal(value("verifier"), "V1");
	assert_int_equal(rmdir(dir), 0); /* no mirror: with a lost commit R1 would be good */
	assert_non_null(strstr(lane_says(), "login"));
	login("wrong");
	assert_string_equal(fake.login_code, "wrong");
	login_answer(LT_REFUSED, "");
	assert_int_equal(logged.rc, -EBADMSG);
	login("auth-code-4711");
	login_answer(LT_ACCEPTED, ""); /* says yes, stored nothing */
	assert_int_equal(logged.rc, -EBADMSG);
	login("auth-code-4711");
	put("R5", "A5", HR_MS);
	scene_settle();
	login_answer(LT_ACCEPTED, "");
	assert_int_equal(logged.rc, 0);
	assert_int_equal(stored_state(), CRED_GOOD);
	assert_string_equal(value("refresh_token"), "R5");
	assert_string_equal(lane_says(), "");
	assert_int_equal(scene_i64("SELECT count(*) FROM audit WHERE what='credential.login' AND "
				   "person='Lan'"),
		4);
	assert_int_equal(scene_i64("SELECT count(*) FROM audit WHERE what='credential.put' AND "
				   "person='Lan' AND via='uid:7'"),
		2);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM audit WHERE subject || coalesce(was,'') || "
			  "coalesce(now,'') || coalesce(why,'') LIKE '%%4711%%'"),
		0);
	restart(); /* R1 of the file does not come back */
	assert_string_equal(value("refresh_token"), "R5");
	close_all();
	tmpdir_remove(dir);
}

/* A gateway with client credentials, a page whose token is derived: there is no code, and the new token is all there is to a login. */
static void a_login_that_needs_no_code_ends_with_its_token(void **state)
{
	(void)state;
	const struct lt_pair v = { .name = { "access_token", 12 }, .value = { "A9", 2 } };
	open_with("R1");
	assert_int_equal(ask(), 0);
	over(LT_REFUSED);
	assert_int_equal(stored_state(), CRED_DEAD);
	assert_non_null(strstr(lane_says(), "login"));
	login(NULL);
	login_answer(LT_ACCEPTED, ""); /* neither a page nor a token: nobody is connected */
	assert_int_equal(logged.rc, -EBADMSG);
	login(NULL);
	fake.ev.secret_put(fake.ev.ctx, &fake.ch[0], OA, &v, 1, 0, 80);
	scene_settle();
	login_answer(LT_ACCEPTED, "");
	assert_int_equal(logged.rc, 0);
	assert_int_equal(stored_state(), CRED_GOOD);
	assert_string_equal(value("access_token"), "A9");
	assert_string_equal(lane_says(), "");
	close_all();
}

static void a_login_without_a_credential_says_so(void **state)
{
	(void)state;
	scene_open(1);
	scene_start();
	bind_now();
	login(NULL);
	assert_int_equal(logged.rc, -EINVAL);
	assert_non_null(strstr(logged.text, "credential"));
	close_all();
}

/* Only a verifier is stored when a log-in begins: who waits for a newer pair has none yet. */
static void a_login_that_has_only_begun_is_no_newer_pair(void **state)
{
	(void)state;
	const struct lt_pair v = { .name = { "verifier", 8 }, .value = { "V1", 2 } };
	open_with("R1");
	login(NULL);
	fake.ev.secret_put(fake.ev.ctx, &fake.ch[0], OA, &v, 1, 0, 80);
	scene_settle();
	uint64_t before = fake.n_saved;
	fake.saved_rc = 1;
	fake.ev.refresh_intent(fake.ev.ctx, &fake.ch[0], OA, 77); /* its token was refused */
	fake.ev.secret_put(fake.ev.ctx, &fake.ch[0], OA, &v, 1, 0, 81);
	scene_settle();
	assert_int_equal(fake.n_saved, before + 1); /* of the put alone: the log-in goes first */
	login_answer(LT_ACCEPTED, "https://consent.example/?app=1");
	assert_int_equal(fake.n_saved, before + 2);
	assert_int_equal(fake.saved_rc, 0); /* it may refresh: the pair is the one that it had */
	put("R2", "A2", HR_MS);
	over(LT_ACCEPTED);
	close_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_person_logs_in_and_held_lanes_go_on),
		cmocka_unit_test(a_login_that_needs_no_code_ends_with_its_token),
		cmocka_unit_test(a_login_without_a_credential_says_so),
		cmocka_unit_test(a_login_that_has_only_begun_is_no_newer_pair),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
