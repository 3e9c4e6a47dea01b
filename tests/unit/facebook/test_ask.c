/* test_ask.c - questions about a lost post: what is found, what is proven, what stays unknown. */
#include "fbtest.h"

#define T0 "1795395600000"
static struct lt_pair step(const char *name, const char *value)
{
	return (struct lt_pair){ { name, strlen(name) }, { value, strlen(value) }, { NULL, 0 } };
}

static size_t ask(struct sh *h, const struct lt_pair *steps, size_t n)
{
	size_t s = sh_session(h), j = sh_job(h, LT_J_RECONCILE, &h->jobs[s]->job);

	h->jobs[j]->work.steps = steps;
	h->jobs[j]->work.n_steps = n;
	assert_int_equal(sh_start(h, j, 1), 0);
	return j;
}

static void outcome_is(struct sh *h, size_t j, int outcome)
{
	struct sh_result *r = sh_result(h, j);

	if (!r->done || r->outcome != outcome)
		fail_msg("done %d outcome %d (%s %s)", r->done, r->outcome, r->code, r->text);
	assert_int_equal(fbt_open_calls(h), 0);
}

static void a_post_that_is_known_is_read(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *body;
		int outcome;
	} v[] = { { 200,
			  "{\"id\":\"" POST
			  "\",\"is_published\":true,\"permalink_url\":\"https://f.example/1\"}",
			  LT_ACCEPTED },
		{ 200, "{\"id\":\"" POST "\",\"is_published\":false}", LT_DEFERRED },
		{ 200, "{\"id\":\"" POST "\"}", LT_UNKNOWN },
		{ 400, "{\"error\":{\"code\":100,\"error_subcode\":33}}", LT_UNKNOWN },
		{ 400, "{\"error\":{\"code\":80001}}", LT_UNKNOWN },
		{ 400, "{\"error\":{\"code\":10}}", LT_UNKNOWN } };
	struct lt_pair steps[] = { step("draft", POST " " T0), step("live", T0) };
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct sh *h = fbt_open();
		size_t j = ask(h, steps, 2);
		fbt_say(h, "GET", "/" POST, v[i].status, v[i].body);
		outcome_is(h, j, v[i].outcome);
		fbt_over(h);
	}
}

static void nothing_kept_says_nothing(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	outcome_is(h, ask(h, NULL, 0), LT_UNKNOWN);
	fbt_over(h);
}

static void a_live_post_is_found_by_its_photos(void **state)
{
	(void)state;
	struct lt_pair steps[] = { step("p0", "1221 " T0), step("try", T0 " 0123456789abcdef") };
	struct sh *h = fbt_open();
	size_t j = ask(h, steps, 2);
	fbt_say(h, "GET", "/published_posts", 200,
		"{\"data\":[{\"id\":\"" POST
		"\",\"permalink_url\":\"https://f.example/1\",\"attachments\":{\"data\":[{\"target\":{\"id\":\"1221\"}}]}}]}");
	outcome_is(h, j, LT_ACCEPTED);
	assert_string_equal(sh_result(h, j)->url, "https://f.example/1");
	assert_string_equal(sh_result(h, j)->id, POST);
	fbt_over(h);
}

static void a_text_is_ours_only_with_app_and_time(void **state)
{
	(void)state;
	static const struct {
		const char *app, *time, *text;
		int outcome;
	} v[] = { { "5550001", "1795395630", "Xin chào", LT_ACCEPTED },
		{ "5550001", "1795395630.25", "Xin chào", LT_ACCEPTED },
		{ "5550001", "1.79539563e9", "Xin chào", LT_ACCEPTED },
		{ "5550001", "1795309230.25", "Xin chào", LT_UNKNOWN },
		{ "5550001", "99999999999999999999", "Xin chào", LT_UNKNOWN },
		{ "5550001", "2026-11-23T01:00:30+0000", "Xin chào", LT_ACCEPTED },
		{ "777", "2026-11-23T01:00:30+0000", "Xin chào", LT_UNKNOWN },
		{ "5550001", "2026-11-22T01:00:30+0000", "Xin chào", LT_UNKNOWN },
		{ "5550001", "2026-11-23T01:00:30+0000", "Xin chào!", LT_UNKNOWN } };
	char print[FB_PRINT_LEN + 1], tried[64], body[400];
	fb_text_print((struct lt_str){ "Xin chào", 9 }, print);
	(void)snprintf(tried, sizeof(tried), "%lld %s",
		(long long)fb_time_read((struct lt_str){ "2026-11-23T01:00:00+0000", 24 }), print);
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct lt_pair steps[] = { step("try", tried) };
		struct sh *h = fbt_open();
		size_t j = ask(h, steps, 1);
		(void)snprintf(body, sizeof(body),
			"{\"data\":[{\"id\":\"" POST
			"\",\"message\":\"%s\",\"created_time\":%s%s%s,\"application\":{\"id\":\"%s\"}}]}",
			v[i].text, strchr(v[i].time, 'T') ? "\"" : "", v[i].time,
			strchr(v[i].time, 'T') ? "\"" : "", v[i].app);
		fbt_say(h, "GET", "/published_posts", 200, body);
		outcome_is(h, j, v[i].outcome);
		fbt_over(h);
	}
}

static void absence_needs_all_looks_and_a_free_photo(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	struct lt_pair steps[] = { step("p0", "1221 " T0), step("try", T0 " 0123456789abcdef"),
		step("looks", "0 0") };
	size_t j = ask(h, steps, 3);
	fbt_say(h, "GET", "/published_posts", 200, EMPTY_LIST);
	outcome_is(h, j, LT_UNKNOWN);
	assert_non_null(strstr(sh_last_note(h, "save")->text, "looks=1 "));
	steps[2] = step("looks", "2 " T0); /* two looks, but all at once */
	h->wall = 1795395600000 + 1000;
	j = ask(h, steps, 3);
	fbt_say(h, "GET", "/published_posts", 200, EMPTY_LIST);
	outcome_is(h, j, LT_UNKNOWN);
	h->wall = 1795395600000 + 300000;
	j = ask(h, steps, 3);
	fbt_say(h, "GET", "/published_posts", 200, EMPTY_LIST);
	fbt_say(h, "GET", "/" PAGE "/feed", 200, EMPTY_LIST); /* the other list, too */
	fbt_say(h, "DELETE", "/1221", 400, "{\"error\":{\"code\":100,\"error_subcode\":33}}");
	outcome_is(h, j, LT_UNKNOWN); /* a post uses it, or nobody knows */
	j = ask(h, steps, 3);
	fbt_say(h, "GET", "/published_posts", 200, EMPTY_LIST);
	fbt_say(h, "GET", "/" PAGE "/feed", 200, EMPTY_LIST); /* the other list, too */
	fbt_say(h, "DELETE", "/1221", 200, "{\"success\":true}");
	outcome_is(h, j, LT_DEFERRED);
	assert_string_equal(sh_last_note(h, "save")->text, "looks=");
	fbt_over(h);
}

/* The second list needs a right that posting does not: without it the first one, and the photo, decide. */
static void a_feed_that_may_not_be_read_ends_no_question(void **state)
{
	(void)state;
	for (int photo = 0; photo < 2; photo++) {
		struct sh *h = fbt_open();
		struct lt_pair steps[] = { step("try", T0 " 0123456789abcdef"),
			step("looks", "2 " T0), step("p0", "1221 " T0) };
		h->wall = 1795395600000 + 300000;
		size_t j = ask(h, steps, photo ? 3 : 2);
		fbt_say(h, "GET", "/published_posts", 200, EMPTY_LIST);
		fbt_say(h, "GET", "/" PAGE "/feed", 403, "{\"error\":{\"code\":10}}");
		if (photo)
			fbt_say(h, "DELETE", "/1221", 200, "{\"success\":true}");
		outcome_is(h, j, photo ? LT_DEFERRED : LT_UNKNOWN);
		assert_string_equal(sh_result(h, j)->code, photo ? "absent" : "absent?");
		fbt_over(h);
	}
}

static void a_text_that_is_not_found_stays_for_a_person(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	struct lt_pair steps[] = { step("try", T0 " 0123456789abcdef"), step("looks", "5 " T0) };
	h->wall = 1795395600000 + 3600000;
	size_t j = ask(h, steps, 2);
	fbt_say(h, "GET", "/published_posts", 200, EMPTY_LIST);
	fbt_say(h, "GET", "/" PAGE "/feed", 200, EMPTY_LIST);
	outcome_is(h, j, LT_UNKNOWN);
	assert_non_null(strstr(sh_result(h, j)->text, "person"));
	fbt_over(h);
}

static void a_video_is_asked_for_its_state(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		int outcome;
	} v[] = {
		{ "{\"status\":{\"video_status\":\"ready\",\"publishing_phase\":{\"status\":\"completed\"}},\"permalink_url\":\"/17/videos/7002/\"}",
			LT_ACCEPTED },
		{ "{\"status\":{\"video_status\":\"processing\",\"publishing_phase\":{\"status\":\"in_progress\"}}}",
			LT_ACCEPTED },
		{ "{\"status\":{\"video_status\":\"upload_complete\",\"publishing_phase\":{\"status\":\"not_started\"}}}",
			LT_UNKNOWN },
		{ "{\"status\":{\"video_status\":\"error\"}}", LT_REFUSED }
	};
	struct lt_pair steps[] = { step("video", "7002 7001"), step("done", T0) };
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct sh *h = fbt_open();
		size_t j = ask(h, steps, 2);
		fbt_say(h, "GET", "/7002", 200, v[i].body);
		outcome_is(h, j, v[i].outcome);
		fbt_over(h);
	}
}

static void a_question_that_is_stopped_proves_nothing(void **state)
{
	(void)state;
	struct lt_pair steps[] = { step("draft", POST " " T0) };
	struct sh *h = fbt_open();
	size_t j = ask(h, steps, 1);
	sh_cancel(h, j);
	assert_int_equal(sh_result(h, j)->outcome, LT_UNKNOWN);
	assert_true(sh_result(h, j)->done);
	fbt_over(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_post_that_is_known_is_read),
		cmocka_unit_test(nothing_kept_says_nothing),
		cmocka_unit_test(a_live_post_is_found_by_its_photos),
		cmocka_unit_test(a_text_is_ours_only_with_app_and_time),
		cmocka_unit_test(absence_needs_all_looks_and_a_free_photo),
		cmocka_unit_test(a_feed_that_may_not_be_read_ends_no_question),
		cmocka_unit_test(a_text_that_is_not_found_stays_for_a_person),
		cmocka_unit_test(a_video_is_asked_for_its_state),
		cmocka_unit_test(a_question_that_is_stopped_proves_nothing) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
