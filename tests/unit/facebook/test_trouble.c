/* test_trouble.c - answers that are allowed and seldom: good ones that say nothing, throttles that come back, a post that stays a
 * draft, an error that is about this post alone. */
#include "fbtest.h"

/* Section 7: "else 15 min doubling to 4 h". The look before each try goes through and says nothing about posting. */
static void a_throttle_of_posts_doubles_though_looks_go_through(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	static const int64_t pause[] = { 900000, 1800000, 3600000 };
	for (size_t i = 0; i < 3; i++) {
		size_t j = fbt_post(h, "Xin chào", 0, NULL, 0);
		fbt_guard(h);
		fbt_say(h, "POST", "/feed", 400, "{\"error\":{\"code\":32}}");
		fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE);
		assert_int_equal(sh_result(h, j)->retry_after_ms, pause[i]);
		sh_advance(h, pause[i] + 1);
	}
	size_t j = fbt_post(h, "Xin chào", 0, NULL, 0);
	fbt_guard(h);
	fbt_say(h, "POST", "/feed", 200,
		"{\"id\":\"" POST "\"}"); /* a post that goes through ends it */
	fbt_say(h, "POST", "/" POST, 400, "{\"error\":{\"code\":32}}");
	assert_int_equal(sh_result(h, j)->retry_after_ms, 900000);
	fbt_over(h);
}

static void success_false_is_no_success(void **state)
{
	(void)state;
	size_t j;
	struct sh *h = fbt_begun(0, &j);
	fbt_draft(h);
	fbt_keeps_saying(h, "POST", "/" POST, 200, "{\"success\":false}", 4);
	fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_LANE, 0);
	struct lt_id id = { 0, 1, { POST, strlen(POST) } };
	j = sh_job(h, LT_J_RECALL, NULL);
	h->jobs[j]->work.ids = &id;
	h->jobs[j]->work.n_ids = 1;
	assert_int_equal(sh_start(h, j, 1), 0);
	sh_turn(h);
	fbt_keeps_saying(h, "DELETE", "/" POST, 200, "{\"success\":false}", 4);
	assert_true(sh_result(h, j)->done && sh_result(h, j)->outcome != LT_ACCEPTED);
	fbt_over(h);
}

/* It is shown late, or never: published again after a pause each, and never called live while Facebook says that it is not. */
static void a_post_that_stays_a_draft_is_not_live(void **state)
{
	(void)state;
	for (int shown = 0; shown < 2; shown++) {
		size_t j;
		struct sh *h = fbt_begun(0, &j);
		fbt_draft(h);
		for (int i = 0; i < 4; i++) {
			fbt_say(h, "POST", "/" POST, 200, "{\"success\":true}");
			fbt_say(h, "GET", "/" POST, 200,
				shown && i == 1 ? "{\"id\":\"" POST "\",\"is_published\":true}"
						: "{\"id\":\"" POST "\",\"is_published\":false}");
			if (shown && i == 1)
				break;
			assert_int_equal(fbt_open_calls(h), 0); /* after a pause, not at once */
			sh_advance(h, 130000);
		}
		fbt_must_be(h, j, shown ? LT_ACCEPTED : LT_DEFERRED, LT_SCOPE_TARGET * !shown, 0);
		fbt_over(h);
	}
}

/* Section 15: repeats of 1, 2 after 5, 30, 120 s; the page is looked at before each. */
static void a_lost_draft_is_made_again_after_pauses(void **state)
{
	(void)state;
	static const int64_t pause[] = { 5000, 30000, 120000, 120000 };
	size_t j;
	struct sh *h = fbt_begun(0, &j);
	for (int i = 0; i < 4; i++) {
		fbt_say(h, "POST", "/" PAGE "/feed", 500, E2);
		sh_advance(h, pause[i] - 10);
		assert_int_equal(fbt_open_calls(h), 0);
		sh_advance(h, 20);
		fbt_say(h, "GET", "/" PAGE "/feed", 200, EMPTY_LIST);
	}
	fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_LANE, 0);
	fbt_over(h);
}

/* Section 8, 1609005: "RETRY <= 3, then PERMANENT". */
static void a_link_that_cannot_be_read_is_refused_after_three_repeats(void **state)
{
	(void)state;
	size_t j;
	struct sh *h = fbt_begun(0, &j);
	for (int i = 0; i < 4; i++) {
		fbt_say(h, "POST", "/" PAGE "/feed", 400,
			"{\"error\":{\"code\":100,\"error_subcode\":1609005}}");
		if (i == 3)
			break;
		sh_advance(h, 120001);
		fbt_say(h, "GET", "/" PAGE "/feed", 200, EMPTY_LIST);
	}
	fbt_must_be(h, j, LT_REFUSED, LT_SCOPE_TARGET, 0);
	fbt_over(h);
}

#define DENIED "{\"error\":{\"code\":10,\"message\":\"pages_read_user_content\"}}"
/* Section 8: "A lost draft answer is no publishing effect: search, and if not found create again". The page's feed needs a right that
 * posting does not. */
static void a_feed_that_is_not_ours_to_read_stops_no_post(void **state)
{
	(void)state;
	for (int gone = 0; gone < 2; gone++) {
		size_t j;
		struct sh *h = fbt_begun(2, &j);
		fbt_photos(h);
		fbt_say(h, "POST", "/" PAGE "/feed", 500, E2);
		sh_advance(h, 5000);
		fbt_say(h, "GET", "/" PAGE "/feed", gone ? 400 : 403,
			gone ? "{\"error\":{\"code\":100,\"error_subcode\":33}}" : DENIED);
		fbt_photos(h); /* uploaded anew */
		fbt_draft(h);
		fbt_live(h);
		fbt_say(h, "GET", "/" PAGE "/feed", 403, DENIED); /* for the orphan */
		fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
		fbt_over(h);
	}
}

/* A post whose first draft was lost, and whose second one Facebook calls a duplicate. */
static struct sh *lost_and_dup(size_t photos, size_t *ret_job)
{
	struct sh *h = fbt_begun(photos, ret_job);

	if (photos)
		fbt_photos(h);
	fbt_say(h, "POST", "/" PAGE "/feed", 500, E2);
	sh_advance(h, 5000);
	fbt_say(h, "GET", "/" PAGE "/feed", 200, EMPTY_LIST);
	if (photos) {
		fbt_say(h, "POST", "/photos", 200, "{\"id\":\"1231\"}");
		fbt_say(h, "POST", "/photos", 200, "{\"id\":\"1232\"}");
	}
	fbt_say(h, "POST", "/" PAGE "/feed", 400, "{\"error\":{\"code\":506}}");
	fbt_guard(h);
	assert_int_equal(fbt_open_calls(h), 0); /* lists show it late */
	return h;
}

/* Section 8: "A DUP answer right after our own ambiguous attempt suggests it succeeded: reconcile, do not report failure". */
static void a_duplicate_behind_a_lost_draft_is_that_draft(void **state)
{
	(void)state;
	static const int64_t pause[] = { 5000, 30000 };
	for (int live = 0; live < 2; live++) {
		size_t j;
		struct sh *h = lost_and_dup(2, &j);
		for (int i = 0; i < 2; i++) {
			sh_advance(h, pause[i]);
			fbt_say(h, "GET", "/" PAGE "/feed", 200,
				i == 0 ? EMPTY_LIST
					: live
					? "{\"data\":[{\"id\":\"" POST
					  "\",\"is_published\":true,\"attachments\":{\"data\":[{\"target\":{\"id\":\"1221\"}}]}}]}"
					: "{\"data\":[{\"id\":\"" POST
					  "\",\"is_published\":false,\"attachments\":{\"data\":[{\"target\":{\"id\":\"1221\"}}]}}]}");
		}
		if (!live) {
			fbt_live(h);
			fbt_say(h, "GET", "/" PAGE "/feed", 200, EMPTY_LIST); /* for orphans */
		}
		fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
		assert_string_equal(sh_result(h, j)->id, POST);
		fbt_over(h);
	}
}

static void a_duplicate_that_no_list_shows_is_for_a_person(void **state)
{
	(void)state;
	for (int denied = 0; denied < 2; denied++) {
		size_t j;
		struct sh *h = lost_and_dup(0, &j);
		for (int i = 0; i < (denied ? 1 : 3); i++) {
			sh_advance(h, 130000);
			fbt_say(h, "GET", "/" PAGE "/feed", denied ? 403 : 200,
				denied ? DENIED : EMPTY_LIST);
		}
		fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_PERSON);
		assert_string_equal(sh_result(h, j)->code, "dup");
		fbt_over(h);
	}
}

static void a_photo_that_was_posted_before_is_looked_for(void **state)
{
	(void)state;
	size_t j;
	struct sh *h = fbt_begun(2, &j);
	fbt_say(h, "POST", "/photos", 400, "{\"error\":{\"code\":100,\"error_subcode\":1366051}}");
	fbt_guard(h);
	fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_PERSON);
	fbt_over(h);
}

/* A listing that is none proves no absence: nothing is posted on its word. */
static void a_listing_without_its_list_is_no_listing(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t j = fbt_post(h, "Xin chào", 0, NULL, 0);
	fbt_keeps_saying(h, "GET", "/published_posts", 200, "{\"paging\":{}}", 4);
	fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_LANE, 0);
	fbt_over(h);
}

static void a_question_does_without_fields_that_are_not_known(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	struct lt_pair steps[] = { { { "p0", 2 }, { "1221 1795395600000", 18 }, { NULL, 0 } },
		{ { "try", 3 }, { "1795395600000 0123456789abcdef", 30 }, { NULL, 0 } } };
	size_t s = sh_session(h), j = sh_job(h, LT_J_RECONCILE, &h->jobs[s]->job);
	h->jobs[j]->work.steps = steps;
	h->jobs[j]->work.n_steps = 2;
	assert_int_equal(sh_start(h, j, 1), 0);
	fbt_say(h, "GET", "/published_posts", 400,
		"{\"error\":{\"code\":100,\"message\":\"nonexisting field (unshimmed_url)\"}}");
	assert_null(strstr(fbt_next(h, "GET", "/published_posts")->query, "unshimmed"));
	fbt_say(h, "GET", "/published_posts", 400,
		"{\"error\":{\"code\":100,\"message\":\"Invalid cursor\"}}"); /* begun anew */
	fbt_say(h, "GET", "/published_posts", 200,
		"{\"data\":[{\"id\":\"" POST
		"\",\"is_published\":true,\"attachments\":{\"data\":[{\"target\":{\"id\":\"1221\"}}]}}]}");
	assert_int_equal(sh_result(h, j)->outcome, LT_ACCEPTED);
	fbt_over(h);
}

static void an_error_that_is_a_bare_text_is_shown(void **state)
{
	(void)state;
	size_t j;
	struct sh *h = fbt_begun(0, &j);
	fbt_say(h, "POST", "/feed", 400, "{\"error\":\"app is in maintenance\"}");
	assert_int_equal(sh_result(h, j)->outcome, LT_REFUSED);
	assert_non_null(strstr(sh_result(h, j)->text, "app is in maintenance"));
	fbt_over(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_throttle_of_posts_doubles_though_looks_go_through),
		cmocka_unit_test(success_false_is_no_success),
		cmocka_unit_test(a_post_that_stays_a_draft_is_not_live),
		cmocka_unit_test(a_lost_draft_is_made_again_after_pauses),
		cmocka_unit_test(a_link_that_cannot_be_read_is_refused_after_three_repeats),
		cmocka_unit_test(a_feed_that_is_not_ours_to_read_stops_no_post),
		cmocka_unit_test(a_duplicate_behind_a_lost_draft_is_that_draft),
		cmocka_unit_test(a_duplicate_that_no_list_shows_is_for_a_person),
		cmocka_unit_test(a_photo_that_was_posted_before_is_looked_for),
		cmocka_unit_test(a_listing_without_its_list_is_no_listing),
		cmocka_unit_test(a_question_does_without_fields_that_are_not_known),
		cmocka_unit_test(an_error_that_is_a_bare_text_is_shown)
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
