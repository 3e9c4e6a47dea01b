/* test_limit.c - who must not be asked, and when: limits that another page heard of, a page that posts too fast, clocks that differ. */
#include "fbtest.h"

/* The app is limited while a post is in the middle of its walk: code 4 was said to another page. */
static void what_the_app_is_refused_is_not_asked_in_mid_walk(void **state)
{
	(void)state;
	for (int at = 0; at < 4; at++) {
		size_t j;
		struct sh *h = fbt_open();
		j = fbt_post(h, "Xin chào", 2, NULL, 0);
		h->limited_ms = at == 0 ? 60000 : 0;
		fbt_guard(h);
		if (at > 0) {
			fbt_say(h, "POST", "/photos", 200, "{\"id\":\"1221\"}");
			h->limited_ms = at == 1 ? 60000 : 0;
			fbt_say(h, "POST", "/photos", 200, "{\"id\":\"1222\"}");
		}
		if (at > 1) {
			h->limited_ms = at == 2 ? 60000 : 0;
			fbt_draft(h);
		}
		if (at > 2) { /* it is live: only its link is missing */
			h->limited_ms = 60000;
			fbt_say(h, "POST", "/" POST, 200, "{\"success\":true}");
			fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
			assert_string_equal(sh_result(h, j)->url, "https://www.facebook.com/" POST);
		} else {
			fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE);
			assert_int_equal(sh_result(h, j)->retry_after_ms, 60000);
		}
		fbt_over(h);
	}
}

/* The word that a film may be public is taken back where its last step never left. */
static void a_film_that_may_not_be_finished_is_not_called_unknown(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t j = fbt_video(h);
	h->limited_ms = 60000;
	fbt_say(h, "POST", "/videos", 200, "{\"start_offset\":\"10\",\"end_offset\":\"10\"}");
	fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE);
	assert_string_equal(sh_last_note(h, "save")->text, "done=");
	fbt_over(h);
}

static void a_question_waits_for_the_app_too(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	struct lt_pair steps[] = { fbt_step("draft", POST " 1795395600000") };
	size_t s = sh_session(h), j = sh_job(h, LT_J_RECONCILE, &h->jobs[s]->job);
	h->jobs[j]->work.steps = steps;
	h->jobs[j]->work.n_steps = 1;
	h->limited_ms = 60000;
	assert_int_equal(sh_start(h, j, 1), 0);
	assert_int_equal(h->n_http, 0);
	assert_int_equal(sh_result(h, j)->outcome, LT_UNKNOWN);
	assert_int_equal(sh_result(h, j)->retry_after_ms, 60000);
	fbt_over(h);
}

#define FAST "{\"error\":{\"code\":368,\"error_subcode\":1390008,\"message\":\"too fast\"}}"
/* Section 15: "24 h, then human". */
static void a_page_that_posts_too_fast_pauses_a_day_and_then_stands_for_a_person(void **state)
{
	(void)state;
	size_t j;
	struct sh *h = fbt_begun(0, &j);
	fbt_say(h, "POST", "/feed", 400, FAST);
	fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE);
	assert_int_equal(sh_result(h, j)->retry_after_ms, INT64_C(86400000));
	bool kept = false;
	for (size_t i = 0; i < h->n_notes && i < SH_NOTES_MAX; i++)
		kept = kept || strcmp(h->notes[i].text, "cool=1") == 0;
	assert_true(kept);
	struct lt_pair steps[] = { fbt_step("cool", "1") };
	j = fbt_post(h, "Xin chào", 0, steps, 1);
	fbt_guard(h);
	fbt_say(h, "POST", "/feed", 400, FAST);
	fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON);
	assert_non_null(strstr(sh_result(h, j)->text, "the pause did not help"));
	fbt_over(h);
}

/* Section 6: "use the server's Date header to remove clock skew". Our clock goes ten minutes ahead of Facebook's. */
static void a_clock_that_goes_ahead_finds_its_own_post(void **state)
{
	(void)state;
	struct sh *h = fbt_new();
	char body[300], tried[80] = "";
	sh_conf(h, "publish_mode_text", "direct");
	assert_int_equal(sh_open(h), 0);
	int64_t there = fb_time_read(fbt_z("2026-11-23T01:00:00+0000"));
	h->wall = there + 600000;
	h->answer_date_ms = there;
	size_t j = fbt_post(h, "Xin chào", 0, NULL, 0);
	fbt_guard(h);
	fbt_say(h, "POST", "/feed", -1, "");
	assert_int_equal(sh_result(h, j)->outcome, LT_UNKNOWN);
	for (size_t i = 0; i < h->n_notes && i < SH_NOTES_MAX; i++)
		if (strncmp(h->notes[i].text, "try=", 4) == 0)
			(void)snprintf(tried, sizeof(tried), "%s", h->notes[i].text + 4);
	struct lt_pair steps[] = { fbt_step("try", tried) };
	size_t s = sh_session(h);
	j = sh_job(h, LT_J_RECONCILE, &h->jobs[s]->job);
	h->jobs[j]->work.steps = steps;
	h->jobs[j]->work.n_steps = 1;
	assert_int_equal(sh_start(h, j, 1), 0);
	(void)snprintf(body, sizeof(body),
		"{\"data\":[{\"id\":\"" POST
		"\",\"message\":\"Xin chào\",\"created_time\":\"2026-11-23T01:00:01+0000\",\"application\":{\"id\":\"5550001\"}}]}");
	fbt_say(h, "GET", "/published_posts", 200, body);
	fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
	fbt_over(h);
}

/* ... and "created_time inside [send - 120 s, now]": what is made in the future is nobody's. */
static void a_post_of_the_future_is_not_ours(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	char tried[64], print[FB_PRINT_LEN + 1];
	fb_text_print(fbt_z("Xin chào"), print);
	h->wall = fb_time_read(fbt_z("2026-11-23T01:00:00+0000"));
	(void)snprintf(tried, sizeof(tried), "%lld %s", (long long)h->wall, print);
	struct lt_pair steps[] = { fbt_step("try", tried) };
	size_t s = sh_session(h), j = sh_job(h, LT_J_RECONCILE, &h->jobs[s]->job);
	h->jobs[j]->work.steps = steps;
	h->jobs[j]->work.n_steps = 1;
	assert_int_equal(sh_start(h, j, 1), 0);
	fbt_say(h, "GET", "/published_posts", 200,
		"{\"data\":[{\"id\":\"" POST
		"\",\"message\":\"Xin chào\",\"created_time\":\"2026-11-23T03:00:01+0000\",\"application\":{\"id\":\"5550001\"}}]}");
	assert_int_equal(sh_result(h, j)->outcome, LT_UNKNOWN);
	fbt_over(h);
}

/* Where the version is known not to tell links of cards, nothing is asked in vain. */
static void cards_are_asked_for_only_where_wanted(void **state)
{
	(void)state;
	for (int plain = 0; plain < 2; plain++) {
		struct sh *h = fbt_new();
		sh_conf(h, "list_fields", plain ? "plain" : "rich");
		assert_int_equal(sh_open(h), 0);
		size_t j = fbt_post(h, "Xin chào", 0, NULL, 0);
		assert_int_equal(strstr(fbt_next(h, "GET", "/published_posts")->query,
					 "unshimmed_url") == NULL,
			plain);
		if (!plain) { /* refused: asked again without, and said once */
			fbt_say(h, "GET", "/published_posts", 400, "{\"error\":{\"code\":100}}");
			assert_non_null(strstr(sh_last_note(h, "log")->text, "by hand"));
			assert_null(
				strstr(fbt_next(h, "GET", "/published_posts")->query, "unshimmed"));
		}
		sh_cancel(h, j);
		fbt_over(h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_app_is_refused_is_not_asked_in_mid_walk),
		cmocka_unit_test(a_film_that_may_not_be_finished_is_not_called_unknown),
		cmocka_unit_test(a_question_waits_for_the_app_too),
		cmocka_unit_test(
			a_page_that_posts_too_fast_pauses_a_day_and_then_stands_for_a_person),
		cmocka_unit_test(a_clock_that_goes_ahead_finds_its_own_post),
		cmocka_unit_test(a_post_of_the_future_is_not_ours),
		cmocka_unit_test(cards_are_asked_for_only_where_wanted)
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
