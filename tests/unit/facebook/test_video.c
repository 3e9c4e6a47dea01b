/* test_video.c - a film: chunked upload, its state, and the post that it became. */
#include "fbtest.h"

static void a_video_goes_up_in_the_pieces_that_are_asked_for(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t j = fbt_video(h);
	assert_non_null(strstr(fbt_next(h, "POST", "/videos")->body, "video_file_chunk=012345\n"));
	fbt_say(h, "POST", "/videos", -1, "");
	sh_advance(h, 5000); /* the same piece again */
	fbt_say(h, "POST", "/videos", 200, "{\"start_offset\":\"6\",\"end_offset\":\"10\"}");
	assert_non_null(strstr(
		fbt_next(h, "POST", "/videos")->body, "start_offset=6\nvideo_file_chunk=6789\n"));
	fbt_say(h, "POST", "/videos", 200, "{\"start_offset\":\"10\",\"end_offset\":\"10\"}");
	struct sh_http *c = fbt_next(h, "POST", "/videos");
	assert_int_equal(c->flags, LT_PUBLISHES);
	assert_non_null(strstr(c->body, "upload_phase=finish"));
	fbt_say(h, "POST", "/videos", 200, "{\"success\":true}");
	assert_int_equal(fbt_open_calls(h), 0);
	sh_advance(h, 60000);
	fbt_say(h, "GET", "/7002", 200,
		"{\"status\":{\"video_status\":\"processing\",\"publishing_phase\":{\"status\":\"not_started\"}}}");
	sh_advance(h, 60000);
	fbt_say(h, "GET", "/7002", 200,
		"{\"status\":{\"video_status\":\"ready\",\"publishing_phase\":{\"status\":\"complete\"}},\"permalink_url\":\"/17/videos/7002/\"}");
	fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
	assert_string_equal(sh_result(h, j)->url, "https://www.facebook.com/17/videos/7002/");
	fbt_over(h);
}

static const char up[] = "{\"success\":true}";

/* Sent to its end; its state is what comes next. */
static size_t published(struct sh *h)
{
	size_t j = fbt_video(h);

	fbt_say(h, "POST", "/videos", 200, "{\"start_offset\":\"10\",\"end_offset\":\"10\"}");
	fbt_say(h, "POST", "/videos", 200, up);
	sh_advance(h, 60000);
	return j;
}

#define LIVE_NOW \
	"\"status\":{\"video_status\":\"ready\",\"publishing_phase\":{\"status\":\"complete\"}}"
/* Section 4: the reply is a video's id, "read the post id later": the post is what is linked, edited, taken back and counted. */
static void the_post_of_a_video_is_found_and_linked(void **state)
{
	(void)state;
	static const char *const post_ids[] = { "122100000000051", POST };
	for (size_t i = 0; i < 2; i++) {
		struct sh *h = fbt_open();
		size_t j = published(h);
		char body[300];
		(void)snprintf(body, sizeof(body),
			"{" LIVE_NOW ",\"permalink_url\":\"/17/videos/7002/\",\"post_id\":\"%s\"}",
			post_ids[i]);
		assert_non_null(strstr(fbt_next(h, "GET", "/7002")->query, "post_id"));
		fbt_say(h, "GET", "/7002", 200, body);
		fbt_say(h, "GET", "/" POST, 200,
			"{\"id\":\"" POST
			"\",\"is_published\":true,\"permalink_url\":\"https://www.facebook.com/9/posts/51\"}");
		fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
		assert_string_equal(sh_result(h, j)->id, POST);
		assert_string_equal(sh_result(h, j)->url, "https://www.facebook.com/9/posts/51");
		fbt_over(h);
	}
}

static void a_video_whose_post_cannot_be_read_goes_by_its_own_id(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t j = published(h);
	fbt_say(h, "GET", "/7002", 200,
		"{" LIVE_NOW
		",\"permalink_url\":\"/17/videos/7002/\",\"post_id\":\"122100000000051\"}");
	fbt_say(h, "GET", "/" POST, 400, "{\"error\":{\"code\":100,\"error_subcode\":33}}");
	fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
	assert_string_equal(sh_result(h, j)->id, "7002");
	assert_string_equal(sh_result(h, j)->url, "https://www.facebook.com/17/videos/7002/");
	fbt_over(h);
}

static void fields_of_a_video_that_are_not_known_are_left_out_one_by_one(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t j = published(h);
	static const char no[] = "{\"error\":{\"code\":100,\"message\":\"nonexisting field\"}}";
	fbt_say(h, "GET", "/7002", 400, no);
	assert_null(strstr(fbt_next(h, "GET", "/7002")->query, "post_id"));
	assert_non_null(strstr(fbt_next(h, "GET", "/7002")->query, "permalink_url"));
	fbt_say(h, "GET", "/7002", 400, no);
	assert_null(strstr(fbt_next(h, "GET", "/7002")->query, "permalink_url"));
	fbt_say(h, "GET", "/7002", 200, "{" LIVE_NOW "}");
	fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
	assert_string_equal(sh_result(h, j)->url, "https://www.facebook.com/7002");
	fbt_over(h);
}

/* Section 6: "a publishing phase in progress or complete counts as published": one that says otherwise does not. */
static void a_video_that_is_ready_and_not_published_is_not_live(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t j = published(h);
	fbt_say(h, "GET", "/7002", 200,
		"{\"status\":{\"video_status\":\"ready\",\"publishing_phase\":{\"status\":\"not_started\"}}}");
	assert_false(sh_result(h, j)->done);
	sh_advance(h, 60000);
	fbt_say(h, "GET", "/7002", 200, "{\"status\":{\"video_status\":\"ready\"}}");
	fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
	fbt_over(h);
}

/* Section 8: "RETRY from the last offset"; error_data is an object or JSON in a text. */
static void an_upload_goes_on_where_the_api_says(void **state)
{
	(void)state;
	static const char *const said[] = {
		"{\"error\":{\"code\":6001,\"error_subcode\":1363037,\"error_data\":{\"start_offset\":6,\"end_offset\":10}}}",
		"{\"error\":{\"code\":1363037,\"error_data\":\"{\\\"start_offset\\\":\\\"6\\\",\\\"end_offset\\\":\\\"10\\\"}\"}}"
	};
	for (size_t i = 0; i < 2; i++) {
		struct sh *h = fbt_open();
		size_t j = fbt_video(h);
		fbt_say(h, "POST", "/videos", 400, said[i]);
		assert_non_null(strstr(fbt_next(h, "POST", "/videos")->body,
			"start_offset=6\nvideo_file_chunk=6789\n"));
		sh_cancel(h, j);
		fbt_over(h);
	}
}

/* Section 4: "repeat until start equals end", which is the size of the file. An answer that says less ends nothing. */
static void a_film_of_which_a_piece_is_missing_is_not_finished(void **state)
{
	(void)state;
	static const char *const said[] = { "{\"success\":true}", "{}",
		"{\"start_offset\":null,\"end_offset\":null}", "{\"end_offset\":\"10\"}" };
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		struct sh *h = fbt_open();
		size_t j = fbt_video(h);
		fbt_say(h, "POST", "/videos", 200, said[i]);
		sh_advance(h, 5000);
		assert_non_null(strstr(fbt_next(h, "POST", "/videos")->body,
			"start_offset=0\nvideo_file_chunk=012345\n"));
		fbt_say(h, "POST", "/videos", 200, "{\"start_offset\":\"6\",\"end_offset\":\"6\"}");
		fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_LANE, 0);
		assert_string_equal(sh_last_note(h, "save")->text, "sent=");
		fbt_over(h);
	}
}

static void a_session_whose_trouble_stays_is_begun_anew(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t j = fbt_video(h);
	fbt_keeps_saying(h, "POST", "/videos", 400,
		"{\"error\":{\"code\":6001,\"error_subcode\":1363041}}", 4);
	fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_LANE, 0);
	assert_string_equal(sh_last_note(h, "save")->text, "sent=");
	fbt_over(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_video_goes_up_in_the_pieces_that_are_asked_for),
		cmocka_unit_test(the_post_of_a_video_is_found_and_linked),
		cmocka_unit_test(a_video_whose_post_cannot_be_read_goes_by_its_own_id),
		cmocka_unit_test(fields_of_a_video_that_are_not_known_are_left_out_one_by_one),
		cmocka_unit_test(a_video_that_is_ready_and_not_published_is_not_live),
		cmocka_unit_test(an_upload_goes_on_where_the_api_says),
		cmocka_unit_test(a_film_of_which_a_piece_is_missing_is_not_finished),
		cmocka_unit_test(a_session_whose_trouble_stays_is_begun_anew)
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
