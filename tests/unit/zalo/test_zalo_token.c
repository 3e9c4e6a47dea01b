/* test_zalo_token.c - tokens, log-in, check, rounds of questions: what is stored before it is used, what a lost answer is. */
#include "zalo_test.h"

static struct sh *h;

static int setup(void **state)
{
	(void)state;
	h = host_new();
	return sh_open(h);
}

static int teardown(void **state)
{
	(void)state;
	return host_over(h);
}

static void open_again(void)
{
	lantoa_adapter.close(&h->inst);
	free(h->inst.priv);
	assert_int_equal(sh_open(h), 0);
}

static size_t job(uint32_t kind, const char *text)
{
	size_t j = sh_job(h, kind, NULL);

	h->jobs[j]->work.text = S(text);
	assert_int_equal(sh_start(h, j, 1), 0);
	return j;
}

static void a_new_pair_is_stored_before_the_refresh_is_over(void **state)
{
	(void)state;
	size_t j = job(LT_J_REFRESH, "");
	const struct sh_http *c = last_call(h);
	assert_string_equal(c->url, "http://127.0.0.1:9/v4/oa/access_token");
	assert_int_equal(c->flags, LT_PUBLISHES | LT_SECRET_ANSWER);
	assert_non_null(strstr(c->body, "secret_key: app-canary\n"));
	assert_non_null(strstr(c->body,
		"refresh_token=RT-canary\napp_id=1234500000000000001\ngrant_type=refresh_token\n"));
	sh_answer(h, 0, LT_P_ANSWERED, 200,
		"{\"access_token\":\"AT-2\",\"refresh_token\":\"RT-2\",\"expires_in\":\"90000\"}");
	assert_string_equal(sh_last_note(h, "secret_put")->text, "refresh_token");
	assert_int_equal(sh_last_note(h, "secret_put")->value, 1789000000000 + 90000000);
	sh_turn(h);
	assert_int_equal(sh_result(h, j)->outcome, LT_ACCEPTED);
	assert_int_equal(h->n_http, 1);
}

static void odd_lives_and_missing_refresh_tokens_do_not_drop_the_pair(void **state)
{
	static const char *const bodies[] = { "{\"access_token\":\"AT-2\",\"expires_in\":null}",
		"{\"access_token\":\"AT-2\",\"expires_in\":-5}", "{\"access_token\":\"AT-2\"}",
		"{\"access_token\":\"AT-2\",\"expires_in\":\"soon\"}",
		"{\"data\":{\"access_token\":\"AT-2\"},\"error\":0}" };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		size_t j = job(LT_J_REFRESH, "");
		sh_answer(h, h->n_http - 1, LT_P_ANSWERED, 200, bodies[i]);
		assert_string_equal(sh_last_note(h, "secret_put")->text, "access_token");
		assert_int_equal(sh_last_note(h, "secret_put")->value, h->wall + 3600000);
		sh_turn(h);
		assert_int_equal(sh_result(h, j)->outcome, LT_ACCEPTED);
		assert_non_null(strstr(sh_last_note(h, "log")->text, "old one is kept"));
	}
}

static void the_end_of_a_refresh_is_told_by_its_answer_not_its_status(void **state)
{
	static const struct {
		uint32_t phase;
		int status;
		const char *body;
		int outcome;
		bool person;
	} rows[] = {
		{ LT_P_ANSWERED, 200,
			"{\"error\":-14014,\"error_name\":\"Invalid refresh token.\"}", LT_REFUSED,
			false },
		{ LT_P_ANSWERED, 200,
			"{\"error\":\"-14014\",\"error_name\":\"Invalid refresh token.\"}",
			LT_REFUSED, false },
		{ LT_P_ANSWERED, 200, "", LT_REFUSED, false },
		{ LT_P_ANSWERED, 500, "{\"error\":-14014,\"error_name\":\"spent\"}", LT_REFUSED,
			false },
		/* the app's trouble: the token is still good, it is asked again, a person is told */
		{ LT_P_ANSWERED, 200, "{\"error\":-14002,\"error_name\":\"app\"}", LT_DEFERRED,
			true },
		{ LT_P_ANSWERED, 200, "{\"error\":\"-14003\",\"error_name\":\"uri\"}", LT_DEFERRED,
			true },
		{ LT_P_ANSWERED, 403, "{\"error\":-14029,\"error_name\":\"right\"}", LT_DEFERRED,
			true },
		{ LT_P_ANSWERED, 200, "{\"error\":-7777,\"message\":\"new\"}", LT_DEFERRED, true },
		/* transient, whatever its body looks like */
		{ LT_P_ANSWERED, 503, "{\"error\":-1,\"message\":\"overloaded\"}", LT_DEFERRED,
			false },
		{ LT_P_ANSWERED, 500, "{\"message\":\"internal error\"}", LT_DEFERRED, false },
		{ LT_P_ANSWERED, 502, "{\"error\":0}", LT_DEFERRED, false },
		{ LT_P_ANSWERED, 200, "{\"error\":-32,\"message\":\"limit\"}", LT_DEFERRED, false },
		{ LT_P_ANSWERED, 502, "<html>bad gateway</html>", LT_DEFERRED, false },
		{ LT_P_ANSWERED, 200, "<html>be back soon</html>", LT_DEFERRED, false },
		{ LT_P_ANSWERED, 404, "<html>not found</html>", LT_DEFERRED, false },
		{ LT_P_ANSWERED, 503, "", LT_DEFERRED, false },
		{ LT_P_NOT_SENT, 0, "", LT_DEFERRED, false },
		/* it was there and may have spent the token: one more try will tell */
		{ LT_P_ANSWERED, 200, "{\"access_token\":\"\"}", LT_UNKNOWN, false },
		{ LT_P_ANSWERED, 200, "{}", LT_UNKNOWN, false },
		{ LT_P_ANSWERED, 200, "{\"access_token\":\"AT-", LT_UNKNOWN, false },
		{ LT_P_MAYBE_SENT, 0, "", LT_UNKNOWN, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t j = job(LT_J_REFRESH, "");
		sh_answer(h, h->n_http - 1, rows[i].phase, rows[i].status, rows[i].body);
		assert_true(sh_result(h, j)->done);
		if (sh_result(h, j)->outcome != rows[i].outcome)
			fail_msg("row %zu ends %d", i, sh_result(h, j)->outcome);
		if (rows[i].outcome == LT_DEFERRED)
			assert_int_equal(sh_result(h, j)->flags & LT_R_PERSON,
				rows[i].person ? LT_R_PERSON : 0);
		assert_int_equal(h->n_http, i + 1); /* one call, whatever it brought */
	}
	assert_null(sh_last_note(h, "secret_put"));
}

/* Section 1.4: a reset after the request was sent is unknown; only a whole empty answer says that the token is spent. */
static void an_answer_that_was_cut_off_ends_no_credential(void **state)
{
	static const struct {
		int status;
		const char *body;
		int outcome;
	} rows[] = { { 200, "", LT_UNKNOWN }, { 200, "{\"access_token\":\"AT-", LT_UNKNOWN },
		{ 200, "{\"error\":-14014,\"error_name\":\"Invalid refresh token.\"}", LT_UNKNOWN },
		/* a page in front of the service, as when it comes whole */
		{ 200, "<html>be back", LT_DEFERRED }, { 502, "", LT_DEFERRED },
		{ 502, "<html>bad g", LT_DEFERRED } };

	(void)state;
	sh_secret(h, "code_verifier", "v");
	h->answer_truncated = true;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		size_t j = i % 2 == 0 ? job(LT_J_REFRESH, "") : job(LT_J_LOGIN, "CODE");
		sh_answer(h, h->n_http - 1, LT_P_ANSWERED, rows[i / 2].status, rows[i / 2].body);
		if (sh_result(h, j)->outcome != rows[i / 2].outcome)
			fail_msg("row %zu ends %d", i / 2, sh_result(h, j)->outcome);
		assert_string_equal(sh_result(h, j)->code, "lost");
		assert_int_equal(sh_result(h, j)->flags & LT_R_PERSON, 0);
	}
	assert_null(sh_last_note(h, "secret_put"));
}

/* The old token is spent by then: what came whole before the connection broke is not thrown away. */
static void a_pair_that_came_whole_is_kept_though_the_connection_broke_behind_it(void **state)
{
	(void)state;
	h->answer_truncated = true;
	size_t j = job(LT_J_REFRESH, "");
	sh_answer(h, 0, LT_P_ANSWERED, 200,
		"{\"access_token\":\"AT-2\",\"refresh_token\":\"RT-2\",\"expires_in\":\"90000\"}");
	assert_string_equal(sh_last_note(h, "secret_put")->text, "refresh_token");
	sh_turn(h);
	assert_int_equal(sh_result(h, j)->outcome, LT_ACCEPTED);
}

static void a_login_has_a_page_then_takes_the_code_of_its_address(void **state)
{
	(void)state;
	size_t j = job(LT_J_LOGIN, "");
	assert_string_equal(sh_last_note(h, "secret_put")->text, "code_verifier");
	sh_turn(h);
	assert_int_equal(sh_result(h, j)->outcome, LT_ACCEPTED);
	/* the scripted host's digest is 0, 1, 2 ...: base64url without padding of it */
	assert_non_null(strstr(sh_result(h, j)->url,
		"/v4/oa/permission?app_id=1234500000000000001&redirect_uri=&code_challenge=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"));
	sh_secret(h, "code_verifier", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ");
	j = job(LT_J_LOGIN, "https://lantoa.example/zalo?oa_id=33&code=AUTH123&state=AAECAwQF");
	assert_non_null(strstr(last_call(h)->body,
		"code=AUTH123\napp_id=1234500000000000001\ngrant_type=authorization_code\ncode_verifier=abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ\n"));
	sh_answer(h, h->n_http - 1, LT_P_ANSWERED, 200,
		"{\"access_token\":\"AT-9\",\"refresh_token\":\"RT-9\",\"expires_in\":\"90000\"}");
	assert_string_equal(sh_last_note(h, "secret_put")->text, "code_verifier");
	sh_turn(h);
	assert_int_equal(sh_result(h, j)->outcome, LT_ACCEPTED);
	j = job(LT_J_LOGIN, "  ?code=\n ");
	sh_turn(h);
	assert_int_equal(sh_result(h, j)->outcome, LT_REFUSED);
}

static void a_life_may_be_a_number_or_a_text(void **state)
{
	static const char *const lives[] = { "90000", "\"90000\"" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char body[200];
		size_t j = job(LT_J_REFRESH, "");
		(void)snprintf(body, sizeof(body),
			"{\"access_token\":\"AT-2\",\"refresh_token\":\"RT-2\",\"expires_in\":%s}",
			lives[i]);
		sh_answer(h, h->n_http - 1, LT_P_ANSWERED, 200, body);
		assert_int_equal(sh_last_note(h, "secret_put")->value, h->wall + 90000000);
		sh_turn(h);
		assert_int_equal(sh_result(h, j)->outcome, LT_ACCEPTED);
	}
}

static void the_challenge_and_the_proof_are_those_of_the_vectors(void **state)
{
	(void)state;
	h->digest = true_digest;
	sh_conf(h, "verifier", "kept");
	sh_conf(h, "proof", "yes");
	sh_secret(h, "kept", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ");
	for (size_t i = 0; i < h->n_secrets; i++)
		h->secrets[i].value = strncmp(h->secrets[i].name.p, "app_secret", 10) == 0
			? S("demo-app-secret")
			: strncmp(h->secrets[i].name.p, "access_token", 12) == 0
			? S("demo-access-token")
			: h->secrets[i].value;
	open_again();
	size_t j = job(LT_J_LOGIN, "");
	assert_true(sh_result(h, j)->done); /* nothing is stored: the console keeps the verifier */
	assert_null(sh_last_note(h, "secret_put"));
	assert_non_null(strstr(sh_result(h, j)->url,
		"code_challenge=RqIZl4LIgn8KxW9QO-nTnv7pf0CnNrksx9fF-CXP2FE&state=RqIZl4LI"));
	j = job(LT_J_LOGIN, "https://lantoa.example/zalo?oa_id=33&code=A%2FB%3d&state=theirs");
	assert_non_null(strstr(last_call(h)->body,
		"code=A/B=\napp_id=1234500000000000001\ngrant_type=authorization_code\ncode_verifier=abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ\n"));
	sh_answer(h, h->n_http - 1, LT_P_ANSWERED, 200,
		"{\"access_token\":\"AT-9\",\"refresh_token\":\"RT-9\"}");
	assert_string_equal(sh_last_note(h, "secret_put")->text, "refresh_token"); /* no verifier */
	(void)job(LT_J_CHECK, "");
	assert_non_null(strstr(last_call(h)->body,
		"appsecret_proof: aed6826bfacdf6c46c9b96c4dc4634d148ee2c2fd274a9976d9ef754c800814d\n"));
}

static void a_challenge_is_the_same_in_both_alphabets(void **state)
{
	(void)state;
	h->digest = true_digest;
	for (int i = 0; i < 20; i++) {
		size_t j = job(LT_J_LOGIN, "");
		sh_turn(h);
		const char *at = strstr(sh_result(h, j)->url, "code_challenge=");
		assert_non_null(at);
		at += 15;
		assert_int_equal(strcspn(at, "&"), 43);
		assert_int_equal(strcspn(at, "-_+/%="), strcspn(at, "&") + strlen("&state"));
	}
}

static void the_address_of_another_login_is_refused(void **state)
{
	(void)state;
	sh_secret(h, "code_verifier", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ");
	size_t j = job(LT_J_LOGIN, "https://lantoa.example/zalo?code=AUTH123&state=AAECAwQG");
	assert_int_equal(sh_result(h, j)->outcome, LT_REFUSED);
	assert_non_null(strstr(sh_result(h, j)->text, "another log-in"));
	assert_int_equal(h->n_http, 0);
	j = job(LT_J_LOGIN, "https://lantoa.example/zalo?error=denied&state=AAECAwQF");
	assert_int_equal(sh_result(h, j)->outcome, LT_REFUSED);
	assert_non_null(strstr(sh_result(h, j)->text, "agree on the page"));
	assert_int_equal(h->n_http, 0);
	j = job(LT_J_LOGIN, "AUTH123"); /* the code alone carries none */
	assert_int_equal(h->n_http, 1);
	sh_answer(h, 0, LT_P_ANSWERED, 200, "{\"error\":-14019,\"error_name\":\"bad code.\"}");
	assert_int_equal(sh_result(h, j)->outcome, LT_REFUSED);
	assert_non_null(strstr(sh_result(h, j)->text, "bad code: begin the log-in anew"));
}

static void another_oas_consent_is_refused_before_it_is_used(void **state)
{
	(void)state;
	sh_conf(h, "oa_id", "3300112233445500100");
	open_again();
	sh_secret(h, "code_verifier", "v");
	size_t j = job(LT_J_LOGIN, "https://l.example/?oa_id=33001122334455001009&code=C");
	assert_int_equal(sh_result(h, j)->outcome, LT_REFUSED);
	assert_non_null(strstr(sh_result(h, j)->text, "another OA"));
	assert_int_equal(h->n_http, 0);
	(void)job(LT_J_LOGIN, "https://l.example/?oa_id=3300112233445500100&code=C");
	assert_int_equal(h->n_http, 1);
}

/* Section 0: limits stand in headers of every answer, their clock in Date. */
static void rates_and_the_clock_are_read_from_headers(void **state)
{
	static const struct lt_pair over[] = { { .name = LTC_LIT("x-ratelimit-limit"),
						       .value = LTC_LIT("4000") },
		{ .name = LTC_LIT("X-RateLimit-Remain"), .value = LTC_LIT(" 0 ") } };

	(void)state;
	h->answer_headers = over;
	h->n_answer_headers = 2;
	h->answer_date_ms = h->wall - 600000;
	(void)job(LT_J_CHECK, "");
	answer(h, "{\"data\":{\"oaid\":\"33\",\"name\":\"T\",\"is_verified\":true},\"error\":0}");
	assert_string_equal(sh_last_note(h, "rate")->text, "0 of 4000, wait 5000");
	assert_int_equal(sh_last_note(h, "rate")->value, LT_SCOPE_CHANNEL);
	bool told = false;
	for (size_t i = 0; i < h->n_notes; i++)
		told = told ||
			(strcmp(h->notes[i].text, "warn.clock_off_s") == 0 &&
				h->notes[i].value == 600);
	assert_true(told);
	h->n_answer_headers = 0;
	h->answer_date_ms = 0;
}

static void a_check_tells_package_followers_and_quota(void **state)
{
	(void)state;
	size_t j = job(LT_J_CHECK, "");
	answer(h,
		"{\"data\":{\"oaid\":\"3300112233445566778\",\"name\":\"Trang\",\"is_verified\":true,\"num_follower\":18250,"
		"\"package_name\":\"Nâng cao\",\"package_valid_through_date\":\"31/10/2026\"},\"error\":0}");
	answer(h, "{\"data\":[{\"remain\":\"4997\"}],\"error\":0}");
	assert_string_equal(sh_last_note(h, "stat")->text, "quota_left");
	assert_non_null(strstr(last_call(h)->url, "/v3.0/oa/group/getgroupsofoa"));
	assert_string_equal(last_call(h)->query, "offset=0\ncount=50\n");
	answer(h,
		"{\"data\":{\"total\":2,\"groups\":[{\"group_id\":\"a\",\"status\":\"enabled\"},{\"group_id\":\"b\",\"status\":\"disabled\"}]},\"error\":0}");
	assert_string_equal(sh_last_note(h, "stat")->text, "groups");
	assert_int_equal(sh_last_note(h, "stat")->value, 1);
	answer(h, "{\"data\":{\"dailyQuota\":\"500\",\"remainingQuota\":499},\"error\":0}");
	assert_int_equal(sh_result(h, j)->outcome, LT_ACCEPTED);
	assert_non_null(strstr(sh_result(h, j)->text, "package Nâng cao until 31/10/2026"));
	assert_int_equal(sh_last_note(h, "stat")->value, 500);
	j = job(LT_J_CHECK, "");
	answer(h, "{\"error\":-216,\"message\":\"x\"}");
	assert_non_null(sh_last_note(h, "refresh"));
	answer(h, "{\"error\":-204,\"message\":\"disabled\"}");
	assert_int_equal(sh_result(h, j)->outcome, LT_REFUSED);
}

static void a_poll_asks_for_templates_only_and_tells_what_arrived(void **state)
{
	struct lt_id id[] = { { 0, 0, LTC_LIT("z1") }, { 0, 0, LTC_LIT("9ab3") } };
	struct lt_item items[] = { { .struct_size = sizeof(items[0]),
					   .delivery = 1,
					   .ref = LTC_LIT("R1"),
					   .address = LTC_LIT("phone:84900000009"),
					   .ids = &id[0],
					   .n_ids = 1 },
		{ .struct_size = sizeof(items[0]),
			.delivery = 2,
			.address = LTC_LIT("oa:3300112233445500100"),
			.ids = &id[1],
			.n_ids = 1 } };
	const struct lt_item *list[] = { &items[1], &items[0] };

	(void)state;
	size_t j = sh_job(h, LT_J_POLL, NULL);
	h->jobs[j]->work.items = list;
	h->jobs[j]->work.n_items = 2;
	assert_int_equal(sh_start(h, j, 1), 0);
	assert_non_null(strstr(last_call(h)->url, "/message/status"));
	answer(h, "{\"data\":{\"delivery_time\":\"1789000000456\",\"status\":1},\"error\":0}");
	assert_string_equal(sh_last_note(h, "receipt")->text, "z1");
	assert_int_equal(sh_last_note(h, "receipt")->value, LT_RC_DELIVERED);
	assert_int_equal(sh_result(h, j)->outcome, LT_ACCEPTED);
	assert_int_equal(h->n_http, 1);

	j = sh_job(h, LT_J_STATS, NULL);
	h->jobs[j]->work.items = list;
	h->jobs[j]->work.n_items = 2;
	assert_int_equal(sh_start(h, j, 1), 0);
	answer(h, "{\"data\":{\"num_follower\":18250},\"error\":0}");
	assert_string_equal(sh_last_note(h, "stat")->text, "followers");
	assert_non_null(strstr(last_call(h)->url, "/message/quota"));
	answer(h, "{\"data\":{\"dailyQuota\":2000,\"remainingQuota\":\"7\"},\"error\":0}");
	assert_string_equal(sh_last_note(h, "stat")->text, "zns_quota");
	assert_int_equal(sh_last_note(h, "stat")->value, 2000);
	assert_non_null(strstr(last_call(h)->url, "/v3.0/oa/group/getgroupsofoa"));
	answer(h, "{\"error\":-224,\"message\":\"package\"}"); /* has none; articles it has */
	assert_non_null(strstr(last_call(h)->url, "/v2.0/article/getslice"));
	answer(h,
		"{\"data\":{\"medias\":[{\"id\":\"9ab3\",\"total_view\":42,\"total_share\":\"7\"}]},\"error\":0}");
	assert_string_equal(sh_last_note(h, "stat")->text, "shares");
	assert_int_equal(sh_last_note(h, "stat")->value, 7);
	assert_int_equal(sh_result(h, j)->outcome, LT_ACCEPTED);
	j = sh_job(h, LT_J_STATS, NULL);
	assert_int_equal(sh_start(h, j, 1), 0);
	answer(h, "<html>502</html>");
	assert_int_equal(sh_result(h, j)->outcome, LT_DEFERRED);
	assert_non_null(strstr(sh_result(h, j)->text, "no sensible answer"));
}

static void a_round_without_a_token_asks_for_the_first_one_once(void **state)
{
	(void)state;
	h->n_secrets = 0;
	size_t j = sh_job(h, LT_J_STATS, NULL);
	assert_int_equal(sh_start(h, j, 1), 0);
	assert_non_null(sh_last_note(h, "refresh"));
	sh_turn(h);
	assert_true(sh_result(h, j)->done);
	assert_int_equal(h->n_http, 0);
	assert_string_equal(sh_result(h, j)->text, "no access token yet");
}

/* A page that is full is followed by the next one only while an article is still looked for. */
static void statistics_look_for_articles_and_for_no_broadcast(void **state)
{
	struct lt_id id[] = { { 0, 0, LTC_LIT("9ab3") }, { 1, 0, LTC_LIT("b1") } };
	struct lt_item items[2];
	const struct lt_item *list[] = { &items[0], &items[1] };
	char page[1200] = "{\"data\":{\"medias\":[{\"id\":\"9ab3\",\"total_view\":42}";

	(void)state;
	for (size_t i = 0; i < 2; i++)
		items[i] = (struct lt_item){ .struct_size = sizeof(items[i]),
			.delivery = i + 1,
			.address = LTC_LIT("oa:3300112233445500100"),
			.ids = &id[i],
			.n_ids = 1 };
	for (int i = 0; i < 9; i++)
		(void)snprintf(
			page + strlen(page), sizeof(page) - strlen(page), ",{\"id\":\"x%d\"}", i);
	(void)snprintf(page + strlen(page), sizeof(page) - strlen(page), "]},\"error\":0}");
	for (size_t n = 1; n <= 2; n++) {
		size_t j = sh_job(h, LT_J_STATS, NULL), calls = h->n_http;
		h->jobs[j]->work.items = n == 1 ? list + 1 : list;
		h->jobs[j]->work.n_items = n;
		assert_int_equal(sh_start(h, j, 1), 0);
		answer(h, "{\"data\":{\"num_follower\":1},\"error\":0}");
		answer(h, "{\"data\":{},\"error\":0}");
		answer(h, "{\"data\":{\"groups\":[]},\"error\":0}");
		if (n == 2)
			answer(h, page);
		assert_true(sh_result(h, j)->done);
		assert_int_equal(h->n_http,
			calls + 2 +
				n); /* the OA, quota, groups; one page where an article is there */
	}
}

int main(void)
{
#define T1(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T1(a_new_pair_is_stored_before_the_refresh_is_over),
		T1(odd_lives_and_missing_refresh_tokens_do_not_drop_the_pair),
		T1(the_end_of_a_refresh_is_told_by_its_answer_not_its_status),
		T1(an_answer_that_was_cut_off_ends_no_credential),
		T1(a_pair_that_came_whole_is_kept_though_the_connection_broke_behind_it),
		T1(a_login_has_a_page_then_takes_the_code_of_its_address),
		T1(a_life_may_be_a_number_or_a_text),
		T1(the_challenge_and_the_proof_are_those_of_the_vectors),
		T1(a_challenge_is_the_same_in_both_alphabets),
		T1(the_address_of_another_login_is_refused),
		T1(another_oas_consent_is_refused_before_it_is_used),
		T1(rates_and_the_clock_are_read_from_headers),
		T1(a_check_tells_package_followers_and_quota),
		T1(a_poll_asks_for_templates_only_and_tells_what_arrived),
		T1(a_round_without_a_token_asks_for_the_first_one_once),
		T1(statistics_look_for_articles_and_for_no_broadcast),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
