/* test_film.c - the last step of a film: refused, stopped, said twice, and what a later try makes of what an earlier one had reached. */
#include "fbtest.h"

#define T0     "1795395600000"
#define GONE33 "{\"error\":{\"code\":100,\"error_subcode\":33,\"message\":\"Unsupported request\"}}"
#define NOT_YET \
	"{\"status\":{\"video_status\":\"upload_complete\",\"publishing_phase\":{\"status\":\"not_started\"}}}"
#define LIVE_NOW                                                                                   \
	"{\"status\":{\"video_status\":\"ready\",\"publishing_phase\":{\"status\":\"complete\"}}," \
	"\"permalink_url\":\"/17/videos/7002/\"}"
#define FAILED "{\"status\":{\"video_status\":\"error\"}}"

/* Uploaded: its last step is what comes next. */
static struct sh *uploaded(size_t *ret_job)
{
	struct sh *h = fbt_open();

	*ret_job = fbt_video(h);
	fbt_say(h, "POST", "/videos", 200, "{\"start_offset\":\"10\",\"end_offset\":\"10\"}");
	return h;
}

static struct lt_pair tried(void)
{
	static char value[64];
	char print[FB_PRINT_LEN + 1];

	fb_text_print(fbt_z("Phim!"), print);
	(void)snprintf(value, sizeof(value), T0 " %s", print);
	return fbt_step("try", value);
}

/* A later try, that finds these steps. */
static size_t later(struct sh *h, const struct lt_pair *steps, size_t n)
{
	size_t s = sh_session(h), j;

	sh_asset(h, "video", "0123456789", 10);
	j = sh_op(h, s, PAGE, "r", "fb1\nv 2\n10\ny 9\nvideo/mp4\nm 5\nPhim!\nt 0\n\nl 0\n\n", 0);
	h->jobs[j]->payload[h->jobs[j]->work.n_payload++] = (struct lt_src){
		.asset = fbt_z("video"), .length = 10
	};
	h->jobs[j]->work.steps = steps;
	h->jobs[j]->work.n_steps = n;
	assert_int_equal(sh_start(h, j, 1), 0);
	fbt_guard(h);
	return j;
}

static void finished(struct sh *h, size_t j)
{
	fbt_say(h, "POST", "/videos", 200, "{\"success\":true}");
	sh_advance(h, 60000);
	fbt_say(h, "GET", "/7002", 200, LIVE_NOW);
	fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
}

/* Section 8: "Rate-limit codes are taken to mean not executed"; so are missing rights. */
static void a_last_step_that_was_not_executed_is_forgotten(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		uint32_t flags;
	} v[] = { { "{\"error\":{\"code\":80001}}", LT_R_FREE },
		{ "{\"error\":{\"code\":200}}", LT_R_FREE | LT_R_PERSON } };
	for (size_t i = 0; i < 2; i++) {
		size_t j;
		struct sh *h = uploaded(&j);
		fbt_say(h, "POST", "/videos", 400, v[i].body);
		fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_ACCOUNT, v[i].flags);
		assert_string_equal(sh_last_note(h, "save")->text, "done=");
		fbt_over(h);
	}
}

static void a_later_try_goes_on_where_the_upload_was(void **state)
{
	(void)state;
	static const struct {
		const char *sent, *asks;
	} v[] = { { "10 10", "upload_phase=finish\nupload_session_id=7001\n" },
		{ "6 10", "start_offset=6\nvideo_file_chunk=6789\n" },
		{ "", "upload_phase=start\n" } };
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct sh *h = fbt_open();
		struct lt_pair steps[] = { fbt_step("video", "7002 7001"), tried(),
			fbt_step("sent", v[i].sent) };
		size_t j = later(h, steps, v[i].sent[0] ? 3 : 2);
		assert_non_null(strstr(fbt_next(h, "POST", "/videos")->body, v[i].asks));
		if (i == 0) { /* under an intent of its own, and told before it */
			assert_int_equal(fbt_next(h, "POST", "/videos")->flags, LT_PUBLISHES);
			assert_int_equal(strncmp(sh_last_note(h, "save")->text, "done=1", 6), 0);
			finished(h, j);
		} else {
			sh_cancel(h, j);
		}
		fbt_over(h);
	}
}

static void a_stop_before_the_last_step_takes_the_word_back(void **state)
{
	(void)state;
	size_t j;
	struct sh *h = fbt_open();
	j = fbt_video(h);
	h->auto_go = false;
	fbt_say(h, "POST", "/videos", 200, "{\"start_offset\":\"10\",\"end_offset\":\"10\"}");
	assert_non_null(sh_last_note(h, "intent"));
	sh_cancel(h, j);
	fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_TARGET, 0);
	assert_string_equal(sh_last_note(h, "save")->text, "done=");
	fbt_over(h);
}

/* The process died between the word and the intent: a try begins only where nothing was published, so the film says the rest. */
static void a_word_without_its_intent_is_looked_at(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *body, *asks;
		int outcome;
	} v[] = { { 200, NOT_YET, "upload_phase=finish\nupload_session_id=7001\n", 0 },
		{ 200, LIVE_NOW, NULL, LT_ACCEPTED }, { 400, GONE33, "upload_phase=start\n", 0 },
		{ 200, FAILED, "upload_phase=start\n", 0 },
		{ 400, "{\"error\":{\"code\":80001}}", NULL, LT_DEFERRED } };
	struct lt_pair steps[] = { fbt_step("video", "7002 7001"), tried(),
		fbt_step("sent", "10 10"), fbt_step("done", T0) };
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct sh *h = fbt_open();
		size_t j = later(h, steps, 4);
		fbt_say(h, "GET", "/7002", v[i].status, v[i].body);
		if (v[i].asks) {
			assert_non_null(strstr(fbt_next(h, "POST", "/videos")->body, v[i].asks));
			sh_cancel(h, j);
		} else {
			assert_true(sh_result(h, j)->done);
			assert_int_equal(sh_result(h, j)->outcome, v[i].outcome);
		}
		fbt_over(h);
	}
}

static void a_film_that_is_said_to_be_there_is_looked_for(void **state)
{
	(void)state;
	size_t j;
	struct sh *h = uploaded(&j);
	fbt_say(h, "POST", "/videos", 400, "{\"error\":{\"code\":506}}");
	fbt_guard(h);
	fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_PERSON);
	assert_string_equal(sh_result(h, j)->code, "dup");
	fbt_over(h);
}

/* Section 14: "unsupported request" was answered to what appeared. */
static void a_last_step_that_is_called_unsupported_is_unknown(void **state)
{
	(void)state;
	size_t j;
	struct sh *h = uploaded(&j);
	fbt_say(h, "POST", "/videos", 400, GONE33);
	fbt_must_be(h, j, LT_UNKNOWN, 0, 0);
	assert_string_equal(sh_result(h, j)->id, "7002");
	fbt_over(h);
}

/* Section 8, 100/33 on a GET: "gone or no rights". A film that was taken is not called failed for that. */
static void a_film_that_is_not_to_be_seen_yet_is_waited_for(void **state)
{
	(void)state;
	for (int seen = 0; seen < 2; seen++) {
		size_t j;
		struct sh *h = uploaded(&j);
		fbt_say(h, "POST", "/videos", 200, "{\"success\":true}");
		for (int i = 0; i < 12 && !sh_result(h, j)->done; i++) {
			sh_advance(h, 60000);
			if (seen && i == 2)
				fbt_say(h, "GET", "/7002", 200, LIVE_NOW);
			else
				fbt_say(h, "GET", "/7002", 400, GONE33);
		}
		fbt_must_be(h, j, seen ? LT_ACCEPTED : LT_UNKNOWN, 0, 0);
		fbt_over(h);
	}
}

/* Published, and the host takes no further look: nobody may call that untaken. */
static void a_film_that_was_taken_is_never_called_untaken(void **state)
{
	(void)state;
	size_t j;
	struct sh *h = uploaded(&j);
	(void)fbt_next(h, "POST", "/videos");
	h->n_wakes = 256; /* no timer is to be had */
	fbt_say(h, "POST", "/videos", 200, "{\"success\":true}");
	assert_true(sh_result(h, j)->done);
	assert_int_equal(sh_result(h, j)->outcome, LT_UNKNOWN);
	h->n_wakes = 0;
	fbt_over(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(
						    a_last_step_that_was_not_executed_is_forgotten),
		cmocka_unit_test(a_later_try_goes_on_where_the_upload_was),
		cmocka_unit_test(a_stop_before_the_last_step_takes_the_word_back),
		cmocka_unit_test(a_word_without_its_intent_is_looked_at),
		cmocka_unit_test(a_film_that_is_said_to_be_there_is_looked_for),
		cmocka_unit_test(a_last_step_that_is_called_unsupported_is_unknown),
		cmocka_unit_test(a_film_that_is_not_to_be_seen_yet_is_waited_for),
		cmocka_unit_test(a_film_that_was_taken_is_never_called_untaken) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
