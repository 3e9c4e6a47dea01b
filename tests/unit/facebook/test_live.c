/* test_live.c - a no to is_published=true: the draft is read by its id before the no is believed. */
#include "fbtest.h"

#define GONE33                                                                                          \
	"{\"error\":{\"code\":100,\"error_subcode\":33,\"message\":\"Unsupported post request. Object " \
	"does not exist\"}}"
#define SHOWN \
	"{\"id\":\"" POST "\",\"is_published\":true,\"permalink_url\":\"https://f.example/1\"}"
#define HIDDEN "{\"id\":\"" POST "\",\"is_published\":false}"

/* A post whose draft is there and whose first is_published=true is answered so. */
static struct sh *refused_live(size_t *ret_job, const char *body)
{
	struct sh *h = fbt_begun(0, ret_job);

	fbt_draft(h);
	fbt_say(h, "POST", "/" POST, 400, body);
	return h;
}

/* Section 14: "an 'unsupported request' error although the post appeared". */
static void a_post_that_appeared_although_live_was_refused_is_accepted(void **state)
{
	(void)state;
	static const char *const no[] = { GONE33,
		"{\"error\":{\"code\":100,\"message\":\"Unsupported post request\"}}",
		"{\"error\":{\"code\":506,\"message\":\"dup\"}}" };
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		size_t j;
		struct sh *h = refused_live(&j, no[i]);
		fbt_say(h, "GET", "/" POST, 200, SHOWN);
		fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
		assert_string_equal(sh_result(h, j)->id, POST);
		assert_string_equal(sh_result(h, j)->url, "https://f.example/1");
		fbt_over(h);
	}
}

static void a_draft_that_is_still_one_is_published_again_so_many_times(void **state)
{
	(void)state;
	for (int taken = 0; taken < 2; taken++) {
		size_t j;
		struct sh *h = refused_live(&j, GONE33);
		for (int i = 0; i < 3; i++) {
			fbt_say(h, "GET", "/" POST, 200, HIDDEN);
			assert_int_equal(fbt_open_calls(h), 0); /* after a pause, not at once */
			sh_advance(h, 130000);
			if (taken)
				break;
			fbt_say(h, "POST", "/" POST, 400, GONE33);
		}
		if (taken)
			fbt_live(h);
		else
			fbt_say(h, "GET", "/" POST, 200, HIDDEN);
		fbt_must_be(h, j, taken ? LT_ACCEPTED : LT_DEFERRED, LT_SCOPE_TARGET * !taken, 0);
		fbt_over(h);
	}
}

/* Section 6: it is the GET whose 100/33 says that the post is gone. */
static void a_draft_that_no_get_finds_is_made_anew_once(void **state)
{
	(void)state;
	size_t j;
	struct sh *h = refused_live(&j, GONE33);
	fbt_say(h, "GET", "/" POST, 400, GONE33);
	assert_int_equal(fbt_open_calls(h), 0); /* looked at again before it is believed */
	sh_advance(h, 5000);
	fbt_say(h, "GET", "/" POST, 400, GONE33);
	fbt_say(h, "POST", "/" PAGE "/feed", 200, "{\"id\":\"" POST "2\"}");
	fbt_say(h, "POST", "/" POST "2", 400, GONE33);
	fbt_say(h, "GET", "/" POST "2", 400, GONE33);
	fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_PERSON);
	fbt_over(h);
}

/* It may have been live in between, and somebody took it away: nothing is made anew beside that. */
static void a_draft_that_vanished_behind_a_lost_answer_is_for_a_person(void **state)
{
	(void)state;
	for (int seen = 0; seen < 2; seen++) {
		size_t j;
		struct sh *h = fbt_begun(0, &j);
		fbt_draft(h);
		if (seen) { /* refused, there, and then gone */
			fbt_say(h, "POST", "/" POST, 400, GONE33);
			fbt_say(h, "GET", "/" POST, 200, HIDDEN);
		} else {
			fbt_say(h, "POST", "/" POST, 500, E2);
		}
		sh_advance(h, 130000);
		fbt_say(h, "POST", "/" POST, 400, GONE33);
		fbt_say(h, "GET", "/" POST, 400, GONE33);
		fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_PERSON);
		fbt_over(h);
	}
}

static void a_refusal_of_a_draft_that_is_not_live_stands(void **state)
{
	(void)state;
	size_t j;
	struct sh *h = refused_live(&j, "{\"error\":{\"code\":100,\"message\":\"bad text\"}}");
	fbt_say(h, "GET", "/" POST, 200, HIDDEN);
	fbt_must_be(h, j, LT_REFUSED, LT_SCOPE_TARGET, 0);
	assert_string_equal(sh_result(h, j)->code, "100");
	fbt_over(h);
}

static void a_duplicate_that_is_not_our_draft_is_looked_for(void **state)
{
	(void)state;
	size_t j;
	struct sh *h = refused_live(&j, "{\"error\":{\"code\":506}}");
	fbt_say(h, "GET", "/" POST, 200, HIDDEN);
	fbt_guard(h);
	fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_PERSON);
	fbt_over(h);
}

/* The next try begins at the guard and publishes the draft that is saved: nothing is refused on a look that failed. */
static void a_look_that_fails_makes_it_wait(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		int outcome;
	} v[] = { { "{\"error\":{\"code\":80001}}", LT_DEFERRED },
		{ "{\"error\":{\"code\":10}}", LT_DEFERRED },
		{ "{\"error\":{\"code\":100}}", LT_DEFERRED },
		{ "{\"id\":\"" POST "\"}", LT_UNKNOWN } };
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		size_t j;
		struct sh *h = refused_live(&j, GONE33);
		fbt_say(h, "GET", "/" POST, i == 3 ? 200 : 400, v[i].body);
		assert_true(sh_result(h, j)->done);
		assert_int_equal(sh_result(h, j)->outcome, v[i].outcome);
		assert_int_equal(fbt_open_calls(h), 0);
		fbt_over(h);
	}
}

static void a_stop_in_the_look_does_not_call_it_unpublished(void **state)
{
	(void)state;
	size_t j;
	struct sh *h = refused_live(&j, GONE33);
	(void)fbt_next(h, "GET", "/" POST);
	sh_cancel(h, j);
	assert_true(sh_result(h, j)->done);
	assert_int_equal(sh_result(h, j)->outcome, LT_UNKNOWN);
	fbt_over(h);
}

static void a_direct_post_that_is_called_unsupported_is_unknown(void **state)
{
	(void)state;
	struct sh *h = fbt_new();
	sh_conf(h, "publish_mode_text", "direct");
	assert_int_equal(sh_open(h), 0);
	size_t j = fbt_post(h, "Xin chào", 0, NULL, 0);
	fbt_guard(h);
	fbt_say(h, "POST", "/feed", 400, GONE33);
	fbt_must_be(h, j, LT_UNKNOWN, LT_SCOPE_TARGET * 0, 0);
	fbt_over(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_post_that_appeared_although_live_was_refused_is_accepted),
		cmocka_unit_test(a_draft_that_is_still_one_is_published_again_so_many_times),
		cmocka_unit_test(a_draft_that_no_get_finds_is_made_anew_once),
		cmocka_unit_test(a_draft_that_vanished_behind_a_lost_answer_is_for_a_person),
		cmocka_unit_test(a_refusal_of_a_draft_that_is_not_live_stands),
		cmocka_unit_test(a_duplicate_that_is_not_our_draft_is_looked_for),
		cmocka_unit_test(a_look_that_fails_makes_it_wait),
		cmocka_unit_test(a_stop_in_the_look_does_not_call_it_unpublished),
		cmocka_unit_test(a_direct_post_that_is_called_unsupported_is_unknown)
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
