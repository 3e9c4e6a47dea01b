/* test_post.c - one post from the look at the page to its permalink, every answer played. */
#include <errno.h>
#include "fbtest.h"

static void photos_draft_live_permalink(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t j = fbt_post(h, "Xin chào", 2, NULL, 0);
	struct sh_http *c = fbt_next(h, "GET", "/v25.0/" PAGE "/published_posts");
	assert_non_null(strstr(c->body, "Authorization: Bearer EAAPage17"));
	assert_null(strstr(c->url, "EAA"));
	fbt_guard(h);
	c = fbt_next(h, "POST", "/" PAGE "/photos");
	assert_int_equal(c->body_kind, LT_BODY_MULTIPART);
	assert_int_equal(c->flags & LT_PUBLISHES, 0);
	assert_non_null(
		strstr(c->body, "published=false\nalt_text_custom=alt 0\nsource=\xff\xd8\xffJPEG"));
	fbt_photos(h);
	c = fbt_next(h, "POST", "/" PAGE "/feed");
	assert_non_null(strstr(c->body,
		"message=Xin chào\npublished=false\nattached_media[0]={\"media_fbid\":\"1221\"}\nattached_media[1]={\"media_fbid\":\"1222\"}"));
	assert_int_equal(c->flags & LT_PUBLISHES, 0);
	fbt_draft(h);
	assert_string_equal(sh_last_note(h, "intent")->text, "live");
	c = fbt_next(h, "POST", "/" POST);
	assert_non_null(strstr(c->body, "is_published=true"));
	assert_int_equal(c->flags, LT_PUBLISHES | LT_REPEATABLE);
	fbt_live(h);
	fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
	assert_string_equal(sh_result(h, j)->url, "https://www.facebook.com/9/posts/51");
	assert_string_equal(sh_result(h, j)->id, POST);
	assert_int_equal(sh_result(h, j)->n_ids, 2);
	fbt_over(h);
}

#define LONG_ID                                                                                \
	PAGE "_pfbid0abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghij" \
	     "klmnopqrstuvwxyz"

/* Ids are opaque, and nobody says how long they may be (contract, section 2). */
static void ids_may_be_long(void **state)
{
	(void)state;
	size_t j;
	struct sh *h = fbt_begun(0, &j);
	fbt_say(h, "POST", "/" PAGE "/feed", 200, "{\"id\":\"" LONG_ID "\"}");
	fbt_say(h, "POST", "/" LONG_ID, 200, "{\"success\":true}");
	fbt_say(h, "GET", "/" LONG_ID, 200, "{\"id\":\"" LONG_ID "\",\"is_published\":true}");
	fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
	assert_string_equal(sh_result(h, j)->id, LONG_ID);
	fbt_over(h);
}

/* An end that is written as "next": null is one. */
static void a_listing_ends_at_a_next_that_is_null(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	(void)fbt_post(h, "Xin chào", 1, NULL, 0);
	fbt_say(h, "GET", "/published_posts", 200,
		"{\"data\":[],\"paging\":{\"cursors\":{\"before\":\"b\",\"after\":\"QVF\"},\"next\":null}}");
	(void)fbt_next(h, "POST", "/photos");
	fbt_over(h);
}

static void a_lost_permalink_leaves_it_accepted(void **state)
{
	(void)state;
	size_t j;
	struct sh *h = fbt_begun(0, &j);
	fbt_draft(h);
	fbt_say(h, "POST", "/" POST, 200, "{\"success\":true}");
	fbt_keeps_saying(h, "GET", "/" POST, -1, "", 4);
	fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
	assert_string_equal(sh_result(h, j)->url, "https://www.facebook.com/" POST);
	fbt_over(h);
}

static void a_lost_draft_is_found_by_its_photos(void **state)
{
	(void)state;
	size_t j;
	struct sh *h = fbt_begun(2, &j);
	fbt_photos(h);
	fbt_say(h, "POST", "/feed", 500, E2);
	sh_advance(h, 5000);
	fbt_say(h, "GET", "/" PAGE "/feed", 200,
		"{\"data\":[{\"id\":\"" PAGE
		"_9\",\"is_published\":false,\"attachments\":{\"data\":[{\"target\":{\"id\":\"77\"}}]}},"
		"{\"id\":\"" POST
		"\",\"is_published\":false,\"attachments\":{\"data\":[{\"target\":{\"id\":\"5\"},\"subattachments\":{\"data\":[{\"target\":{\"id\":\"1221\"}}]}}]}}]}");
	fbt_live(h);
	fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
	fbt_over(h);
}

static void a_draft_not_found_is_made_anew_and_the_late_one_deleted(void **state)
{
	(void)state;
	size_t j;
	struct sh *h = fbt_begun(2, &j);
	fbt_photos(h);
	fbt_say(h, "POST", "/feed", -1, "");
	sh_advance(h, 5000);
	fbt_say(h, "GET", "/" PAGE "/feed", 200, EMPTY_LIST);
	fbt_say(h, "POST", "/photos", 200, "{\"id\":\"1231\"}");
	fbt_say(h, "POST", "/photos", 200, "{\"id\":\"1232\"}");
	fbt_say(h, "POST", "/" PAGE "/feed", 200, "{\"id\":\"" POST "\"}");
	fbt_live(h);
	fbt_say(h, "GET", "/" PAGE "/feed", 200,
		"{\"data\":[{\"id\":\"" PAGE
		"_late\",\"is_published\":false,\"attachments\":{\"data\":[{\"target\":{\"id\":\"1221\"}}]}},"
		"{\"id\":\"" POST
		"\",\"is_published\":true,\"attachments\":{\"data\":[{\"target\":{\"id\":\"1231\"}}]}}]}");
	fbt_say(h, "DELETE", "/" PAGE "_late", 200, "{\"success\":true}");
	fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
	fbt_over(h);
}

static void live_is_repeated_when_its_answer_is_lost(void **state)
{
	(void)state;
	size_t j;
	struct sh *h = fbt_begun(0, &j);
	fbt_draft(h);
	fbt_say(h, "POST", "/" POST, 500, E2);
	assert_int_equal(fbt_open_calls(h), 0);
	sh_advance(h, 5000);
	fbt_say(h, "POST", "/" POST, -1, "");
	sh_advance(h, 30000);
	fbt_live(h);
	fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
	fbt_over(h);
}

static void live_lost_to_the_end_waits_and_is_taken_up_again(void **state)
{
	(void)state;
	size_t j;
	struct sh *h = fbt_begun(0, &j);
	fbt_draft(h);
	fbt_keeps_saying(h, "POST", "/" POST, 500, E2, 4);
	fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_LANE, 0);
	/* The next try finds it live. */
	struct lt_pair steps[] = { { { "draft", 5 }, { POST " 1795395600000", strlen(POST) + 14 },
					   { NULL, 0 } },
		{ { "live", 4 }, { "1795395600000", 13 }, { NULL, 0 } } };
	j = fbt_post(h, "Xin chào", 0, steps, 2);
	fbt_say(h, "GET", "/published_posts", 200,
		"{\"data\":[{\"id\":\"" POST "\",\"permalink_url\":\"https://f.example/1\"}]}");
	fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
	assert_string_equal(sh_result(h, j)->url, "https://f.example/1");
	fbt_over(h);
}

static void steps_of_earlier_tries_are_not_done_again(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	struct lt_pair steps[] = { { { "p0", 2 }, { "1221 1795395600000", 18 }, { NULL, 0 } } };
	size_t j = fbt_post(h, "Xin chào", 2, steps, 1);
	fbt_guard(h);
	fbt_say(h, "POST", "/photos", 200, "{\"id\":\"1222\"}");
	assert_non_null(strstr(fbt_next(h, "POST", "/feed")->body,
		"\"1221\"}\nattached_media[1]={\"media_fbid\":\"1222\"}"));
	fbt_draft(h);
	fbt_live(h);
	fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
	fbt_over(h);
}

/* The release was returned, changed and approved anew between two tries. */
static void a_draft_of_another_text_is_never_published(void **state)
{
	static const char *const of[] = { "of", "try" };
	(void)state;
	for (size_t i = 0; i < 2; i++) { /* "try" alone: saved before "of" was */
		struct sh *h = fbt_open();
		struct lt_str was = i ? (struct lt_str){ "1795395600000 00000000deadbeef", 30 }
				      : (struct lt_str){ "00000000deadbeef", 16 };
		struct lt_pair steps[] = {
			{ { of[i], strlen(of[i]) }, was, { NULL, 0 } },
			{ { "draft", 5 }, { POST "77 1795395600000", strlen(POST) + 16 },
				{ NULL, 0 } },
			{ { "p0", 2 }, { "1221 1795395600000", 18 }, { NULL, 0 } },
		};
		size_t j = fbt_post(h, "Xin chào", 1, steps, 3);
		fbt_guard(h);
		fbt_say(h, "POST", "/photos", 200, "{\"id\":\"1231\"}");
		fbt_draft(h);
		fbt_live(h);
		fbt_say(h, "DELETE", POST "77", 200, "{\"success\":true}");
		fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
		fbt_over(h);
	}
}

/* It may be live already: then that is what stands, and a second post beside it is not made. */
static void a_draft_of_another_text_that_may_be_live_is_looked_at(void **state)
{
	(void)state;
	for (int live = 0; live < 2; live++) {
		struct sh *h = fbt_open();
		struct lt_pair steps[] = {
			{ { "of", 2 }, { "00000000deadbeef", 16 }, { NULL, 0 } },
			{ { "draft", 5 }, { POST "77 1795395600000", strlen(POST) + 16 },
				{ NULL, 0 } },
			{ { "live", 4 }, { "1795395600000", 13 }, { NULL, 0 } },
		};
		size_t j = fbt_post(h, "Xin chào", 0, steps, 3);
		fbt_say(h, "GET", POST "77", 200,
			live ? "{\"id\":\"" POST "77\",\"is_published\":true}"
			     : "{\"id\":\"" POST "77\",\"is_published\":false}");
		if (!live) {
			fbt_guard(h);
			fbt_draft(h);
			fbt_live(h);
			fbt_say(h, "DELETE", POST "77", 200, "{\"success\":true}");
		}
		fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
		fbt_over(h);
	}
}

static void photos_that_are_too_old_are_uploaded_anew(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	struct lt_pair steps[] = { { { "p0", 2 }, { "1221 1795300000000", 18 }, { NULL, 0 } } };
	size_t j = fbt_post(h, "Xin chào", 1, steps, 1);
	fbt_guard(h);
	fbt_say(h, "POST", "/photos", 200, "{\"id\":\"1231\"}");
	fbt_draft(h);
	fbt_live(h);
	fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
	fbt_over(h);
}

static void a_try_that_ended_after_the_draft_was_sent_looks_first(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	struct lt_pair steps[] = { { { "try", 3 }, { "1795395600000 35b2676fdb690c2b", 30 },
					   { NULL, 0 } },
		{ { "lost", 4 }, { "1111", 4 }, { NULL, 0 } } };
	size_t j = fbt_post(h, "Xin chào", 1, steps, 2);
	fbt_guard(h);
	fbt_say(h, "GET", "/" PAGE "/feed", 200, EMPTY_LIST);
	fbt_say(h, "POST", "/photos", 200, "{\"id\":\"1231\"}");
	fbt_say(h, "POST", "/" PAGE "/feed", 200, "{\"id\":\"" POST "\"}");
	fbt_live(h);
	fbt_say(h, "GET", "/" PAGE "/feed", 200, EMPTY_LIST);
	fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
	fbt_over(h);
}

static void a_post_made_by_hand_is_held_with_its_link(void **state)
{
	(void)state;
	static const char *const lists[] = {
		"{\"data\":[{\"id\":\"" PAGE
		"_8\",\"message\":\"xem http://www.portal.example/ttbc/?utm_source=x\",\"permalink_url\":\"https://f.example/8\"}]}",
		"{\"data\":[{\"id\":\"" PAGE
		"_8\",\"message\":\"Khác\",\"permalink_url\":\"https://f.example/8\",\"attachments\":{\"data\":[{\"unshimmed_url\":\"https://portal.example/ttbc#x\"}]}}]}",
		"{\"data\":[{\"id\":\"" PAGE
		"_8\",\"message\":\"MỘT TIÊU ĐỀ DÀI!\\nvà thêm\",\"permalink_url\":\"https://f.example/8\"}]}",
		"{\"data\":[{\"id\":\"" PAGE
		"_8\",\"message\":\"một hai ba bốn năm sáu bảy tám chín mười,\",\"permalink_url\":\"https://f.example/8\"}]}"
	};
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct sh *h = fbt_open();
		size_t j = fbt_post(h, "Một hai ba bốn năm sáu bảy tám chín mười.", 0, NULL, 0);
		fbt_say(h, "GET", "/published_posts", 200, lists[i]);
		fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_PERSON);
		assert_string_equal(sh_result(h, j)->url, "https://f.example/8");
		assert_non_null(strstr(sh_result(h, j)->text, "already there"));
		fbt_over(h);
	}
}

static void a_listing_is_followed_to_its_end_without_its_next_link(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t j = fbt_post(h, "Một hai ba bốn năm sáu bảy tám chín mười.", 0, NULL, 0);
	fbt_say(h, "GET", "/published_posts", 200,
		"{\"data\":[],\"paging\":{\"cursors\":{\"after\":\"QVF1\"},\"next\":\"https://graph.facebook.com/x?access_token=EAAPage17\"}}");
	assert_null(strstr(fbt_next(h, "GET", "/published_posts")->url, "EAA"));
	fbt_say(h, "GET", "/published_posts", 200,
		"{\"data\":[{\"id\":\"" PAGE
		"_8\",\"message\":\"https://portal.example/ttbc\"}],\"paging\":{\"cursors\":{\"after\":\"QVF2\"}}}");
	fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_PERSON);
	fbt_over(h);
}

static void a_field_that_is_not_known_is_left_out(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t j = fbt_post(h, "Xin chào", 0, NULL, 0);
	fbt_say(h, "GET", "/published_posts", 400,
		"{\"error\":{\"code\":100,\"message\":\"nonexisting field\"}}");
	fbt_guard(h);
	fbt_draft(h);
	fbt_live(h);
	fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
	fbt_over(h);
}

static void a_token_that_is_no_good_is_derived_once(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t j = fbt_post(h, "Xin chào", 0, NULL, 0);
	fbt_say(h, "GET", "/published_posts", 400,
		"{\"error\":{\"code\":190,\"error_subcode\":460,\"message\":\"session\"}}");
	assert_non_null(sh_last_note(h, "refresh"));
	fbt_say(h, "GET", "/published_posts", 400,
		"{\"error\":{\"code\":190,\"error_subcode\":460,\"message\":\"session\"}}");
	fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON);
	fbt_over(h);
}

/* While the channel closes, for one; where a person must log in the host parks the page by itself. */
static void a_token_that_cannot_be_had_now_asks_no_person(void **state)
{
	(void)state;
	static const struct {
		int rc, error;
		uint32_t flags;
	} row[] = { { -LT_E_CLOSED, 0, LT_R_FREE }, { 0, -EAGAIN, LT_R_FREE },
		{ -LT_E_INVALID, 0, LT_R_FREE | LT_R_PERSON } };
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct sh *h = fbt_open();
		size_t j = fbt_post(h, "Xin chào", 0, NULL, 0);
		h->refresh_rc = row[i].rc;
		h->refresh_error = row[i].error;
		fbt_say(h, "GET", "/published_posts", 400,
			"{\"error\":{\"code\":190,\"error_subcode\":460,\"message\":\"session\"}}");
		fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_ACCOUNT, row[i].flags);
		fbt_over(h);
	}
}

static void a_limit_pauses_the_page_and_nothing_is_asked_meanwhile(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t j = fbt_post(h, "Xin chào", 0, NULL, 0);
	fbt_say(h, "GET", "/published_posts", 403,
		"{\"error\":{\"code\":80001,\"message\":\"too many\"}}");
	fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE);
	assert_int_equal(sh_result(h, j)->retry_after_ms, 900000);
	j = fbt_post(h, "Xin chào", 0, NULL, 0);
	fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE);
	sh_advance(h, 900001);
	j = fbt_post(h, "Xin chào", 0, NULL, 0);
	assert_int_equal(fbt_open_calls(h), 1);
	sh_cancel(h, j);
	fbt_over(h);
}

static void a_failed_photo_stops_the_post(void **state)
{
	(void)state;
	size_t j;
	struct sh *h = fbt_begun(2, &j);
	fbt_say(h, "POST", "/photos", 200, "{\"id\":\"1221\"}");
	fbt_say(h, "POST", "/photos", 400,
		"{\"error\":{\"code\":324,\"message\":\"missing image\"}}");
	fbt_must_be(h, j, LT_REFUSED, LT_SCOPE_TARGET, 0);
	fbt_over(h);
}

static void direct_lost_is_unknown_with_what_finds_it(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *body;
		int outcome;
	} v[] = { { -1, "", LT_UNKNOWN }, { 500, E2, LT_UNKNOWN }, { 502, "<html>", LT_UNKNOWN },
		{ 200, "Service Unavailable", LT_UNKNOWN }, { 200, "{}", LT_UNKNOWN },
		{ 400, "{\"error\":{\"code\":80001}}", LT_DEFERRED },
		{ 400, "{\"error\":{\"code\":100}}", LT_REFUSED } };
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct sh *h = fbt_new();
		sh_conf(h, "publish_mode_text", "direct");
		assert_int_equal(sh_open(h), 0);
		size_t j = fbt_post(h, "Xin chào", 0, NULL, 0);
		fbt_guard(h);
		assert_int_equal(fbt_next(h, "POST", "/feed")->flags, LT_PUBLISHES);
		assert_string_equal(sh_last_note(h, "intent")->text, "post");
		fbt_say(h, "POST", "/feed", v[i].status, v[i].body);
		assert_true(sh_result(h, j)->done);
		assert_int_equal(sh_result(h, j)->outcome, v[i].outcome);
		if (v[i].outcome == LT_UNKNOWN)
			assert_int_equal(strncmp(sh_result(h, j)->id, "text:", 5), 0);
		fbt_over(h);
	}
}

/* Another post of the page was told so meanwhile: the permalink cannot be asked for, and what is live stays live. */
static void a_direct_post_that_is_live_stays_so_though_the_page_is_limited(void **state)
{
	(void)state;
	struct sh *h = fbt_new();
	sh_conf(h, "publish_mode_text", "direct");
	assert_int_equal(sh_open(h), 0);
	size_t j = fbt_post(h, "Xin chào", 0, NULL, 0);
	fbt_guard(h);
	(void)fbt_next(h, "POST", "/feed");
	((struct fb_inst *)h->inst.priv)->limited_until = INT64_MAX / 2;
	fbt_say(h, "POST", "/feed", 200, "{\"id\":\"" POST "\"}");
	fbt_must_be(h, j, LT_ACCEPTED, LT_SCOPE_TARGET, 0);
	assert_string_equal(sh_result(h, j)->id, POST);
	fbt_over(h);
}

static void what_was_not_sent_is_sent_again(void **state)
{
	(void)state;
	struct sh *h = fbt_new();
	sh_conf(h, "publish_mode_text", "direct");
	assert_int_equal(sh_open(h), 0);
	size_t j = fbt_post(h, "Xin chào", 0, NULL, 0);
	fbt_guard(h);
	for (int i = 0; i < 3; i++) {
		fbt_say(h, "POST", "/feed", 0, "");
		sh_advance(h, 130000);
	}
	fbt_draft(h);
	fbt_say(h, "GET", "/" POST, 200, "{\"id\":\"" POST "\"}");
	fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
	fbt_over(h);
}

static void said_to_be_there_is_looked_at(void **state)
{
	(void)state;
	size_t j;
	struct sh *h = fbt_begun(0, &j);
	fbt_say(h, "POST", "/feed", 400, "{\"error\":{\"code\":506,\"message\":\"dup\"}}");
	fbt_guard(h);
	fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_PERSON);
	fbt_over(h);
}

static void a_cancel_before_live_is_honest(void **state)
{
	(void)state;
	for (int at = 0; at < 3; at++) {
		struct sh *h = fbt_open();
		size_t j = fbt_post(h, "Xin chào", 0, NULL, 0);
		if (at > 0)
			fbt_guard(h);
		if (at > 1)
			fbt_draft(h);
		sh_cancel(h, j);
		if (at > 1) { /* it is on its way: its answer is waited for */
			assert_false(sh_result(h, j)->done);
			fbt_say(h, "POST", "/" POST, 200, "{\"success\":true}");
			assert_int_equal(sh_result(h, j)->outcome, LT_ACCEPTED);
		} else {
			assert_true(sh_result(h, j)->done);
			assert_int_equal(sh_result(h, j)->outcome, LT_DEFERRED);
		}
		fbt_over(h);
	}
}

static void another_page_than_the_accounts_is_refused(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t s = sh_session(h), j = sh_op(h, s, "104200000000099", "r", "text", 0);
	assert_int_equal(sh_start(h, j, 1), 0);
	assert_int_equal(sh_result(h, j)->outcome, LT_REFUSED);
	fbt_over(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(photos_draft_live_permalink),
		cmocka_unit_test(ids_may_be_long),
		cmocka_unit_test(a_listing_ends_at_a_next_that_is_null),
		cmocka_unit_test(a_lost_permalink_leaves_it_accepted),
		cmocka_unit_test(a_lost_draft_is_found_by_its_photos),
		cmocka_unit_test(a_draft_not_found_is_made_anew_and_the_late_one_deleted),
		cmocka_unit_test(live_is_repeated_when_its_answer_is_lost),
		cmocka_unit_test(live_lost_to_the_end_waits_and_is_taken_up_again),
		cmocka_unit_test(steps_of_earlier_tries_are_not_done_again),
		cmocka_unit_test(a_draft_of_another_text_is_never_published),
		cmocka_unit_test(a_draft_of_another_text_that_may_be_live_is_looked_at),
		cmocka_unit_test(photos_that_are_too_old_are_uploaded_anew),
		cmocka_unit_test(a_try_that_ended_after_the_draft_was_sent_looks_first),
		cmocka_unit_test(a_post_made_by_hand_is_held_with_its_link),
		cmocka_unit_test(a_listing_is_followed_to_its_end_without_its_next_link),
		cmocka_unit_test(a_field_that_is_not_known_is_left_out),
		cmocka_unit_test(a_token_that_is_no_good_is_derived_once),
		cmocka_unit_test(a_token_that_cannot_be_had_now_asks_no_person),
		cmocka_unit_test(a_limit_pauses_the_page_and_nothing_is_asked_meanwhile),
		cmocka_unit_test(a_failed_photo_stops_the_post),
		cmocka_unit_test(direct_lost_is_unknown_with_what_finds_it),
		cmocka_unit_test(a_direct_post_that_is_live_stays_so_though_the_page_is_limited),
		cmocka_unit_test(what_was_not_sent_is_sent_again),
		cmocka_unit_test(said_to_be_there_is_looked_at),
		cmocka_unit_test(a_cancel_before_live_is_honest),
		cmocka_unit_test(another_page_than_the_accounts_is_refused) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
