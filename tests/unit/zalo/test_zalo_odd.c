/* test_zalo_odd.c - answers that are allowed and seldom: a yes without what it should bring, errors that nobody listed, a token that
 * goes stale more than once in a walk, a picture that never comes. */
#include "zalo_scene.h"

#define BARE "{\"error\":0,\"message\":\"Success\"}"
#define SHOWN \
	"{\"data\":{\"id\":\"9ab3f077\",\"status\":\"show\",\"link_view\":\"https://l/1\"},\"error\":0}"
#define HIDDEN "{\"data\":{\"id\":\"9ab3f077\",\"status\":\"hide\"},\"error\":0}"
#define STALE  "{\"error\":-216,\"message\":\"Access token is invalid\"}"

static int setup(void **state)
{
	(void)state;
	return scene_open("poll_ms", "1000", "find_wait_ms", "1000", "poll_max_ms", "600000", NULL);
}

static size_t begin(uint32_t try_no)
{
	size_t op = article_op(h, ses, ARTICLE_HEAD "\n");

	h->jobs[op]->work.try_no = try_no;
	assert_int_equal(sh_start(h, op, 1), 0);
	sh_turn(h);
	return op;
}

static void wait_ms(int64_t ms)
{
	sh_advance(h, ms);
	sh_turn(h);
	sh_turn(h);
}

static void say(const char *path, const char *body)
{
	const struct sh_http *c = last_call(h);

	assert_non_null(c);
	assert_false(c->answered);
	if (!strstr(c->url, path))
		fail_msg("call %zu goes to %s, not %s", h->n_http, c->url, path);
	answer(h, body);
}

static void to_show(void)
{
	say("/article/getslice", NONE);
	say("/article/create", TOKEN);
	wait_ms(1000);
	say("/article/verify", ID);
}

/* Section 10: "0: success (check the expected member too)". An empty OA says that it has none. */
static void a_listing_without_its_list_proves_nothing(void **state)
{
	static const char *const bare[] = { BARE, "{\"data\":{},\"error\":0}",
		"{\"data\":{\"medias\":null,\"total\":3},\"error\":0}" };

	(void)state;
	for (size_t i = 0; i < sizeof(bare) / sizeof(bare[0]); i++) {
		size_t op = begin(1);
		say("/article/getslice", bare[i]);
		assert_int_equal(sh_result(h, op)->outcome, LT_DEFERRED);
		assert_int_equal(sh_result(h, op)->flags, 0);
		op = begin(6); /* it must not stop the news for ever */
		say("/article/getslice", bare[i]);
		say("/article/create", "");
		wait_ms(1000);
		say("/article/getslice", bare[i]);
		assert_int_equal(sh_result(h, op)->outcome, LT_DEFERRED);
	}
	(void)begin(1);
	say("/article/getslice", "{\"data\":{\"medias\":null,\"total\":0},\"error\":0}");
	say("/article/create", TOKEN);
}

/* Section 10: "0: success (check the expected member too)". */
static void an_update_without_a_token_is_believed_when_the_article_says_so(void **state)
{
	(void)state;
	size_t op = begin(1);
	to_show();
	say("/article/update", BARE);
	say("/article/getdetail", HIDDEN);
	assert_int_equal(sh_result(h, op)->done, 0);
	wait_ms(2000);
	say("/article/update", BARE);
	say("/article/getdetail", SHOWN);
	say("/article/getdetail", SHOWN); /* its link */
	assert_int_equal(sh_result(h, op)->outcome, LT_ACCEPTED);
}

/* A verify that knows no token of an update: the article itself says whether it is shown. */
static void a_token_that_is_never_known_does_not_hide_what_is_shown(void **state)
{
	static const char unknown[] = "{\"error\":-201,\"message\":\"token is invalid\"}";

	(void)state;
	for (int shown = 0; shown < 2; shown++) {
		size_t op = begin(1);
		to_show();
		for (int i = 0; i < 2; i++) {
			say("/article/update", TOKEN);
			wait_ms(1000);
			say("/article/verify", unknown);
		}
		say("/article/getdetail", shown ? SHOWN : HIDDEN);
		if (shown)
			say("/article/getdetail", SHOWN); /* its link */
		assert_int_equal(sh_result(h, op)->outcome, shown ? LT_ACCEPTED : LT_DEFERRED);
	}
}

/* Nobody says how long a token may be: it goes back as it came, or it counts as not given. */
static void a_token_goes_back_whole(void **state)
{
	static char token[950], answer[1100];

	(void)state;
	memset(token, 'k', sizeof(token) - 1);
	(void)snprintf(answer, sizeof(answer), "{\"data\":{\"token\":\"%s\"},\"error\":0}", token);
	size_t op = begin(1);
	say("/article/getslice", NONE);
	say("/article/create", answer);
	wait_ms(1000);
	assert_non_null(strstr(last_call(h)->body, token));
	say("/article/verify", ID);
	say("/article/update", answer);
	wait_ms(1000);
	assert_non_null(strstr(last_call(h)->body, token));
	say("/article/verify", ID);
	say("/article/getdetail", SHOWN);
	assert_int_equal(sh_result(h, op)->outcome, LT_ACCEPTED);
}

static void an_article_that_stays_hidden_is_not_shown(void **state)
{
	(void)state;
	size_t op = begin(1);
	to_show();
	for (int i = 0; i < 3; i++) {
		say("/article/update", BARE);
		say("/article/getdetail", HIDDEN);
		wait_ms(2000);
	}
	assert_int_equal(sh_result(h, op)->outcome, LT_DEFERRED);
	assert_string_equal(sh_result(h, op)->code, "hidden");
}

/* Section 1.5 (d): each call may find its token stale, and is repeated once. */
static void a_token_may_go_stale_more_than_once_in_a_walk(void **state)
{
	(void)state;
	size_t op = begin(1);
	say("/article/getslice", STALE);
	say("/article/getslice", NONE);
	say("/article/create", STALE);
	say("/article/create", TOKEN);
	wait_ms(1000);
	say("/article/verify", STALE);
	say("/article/verify", STALE); /* with the new one: that is a matter for a person */
	assert_int_equal(sh_result(h, op)->outcome, LT_DEFERRED);
	assert_int_equal(sh_result(h, op)->flags, LT_R_FREE | LT_R_PERSON);
}

/* Section 10: an unknown error of a question is repeated twice, not polled for ten minutes. */
static void an_error_that_nobody_knows_is_not_polled_for_ever(void **state)
{
	(void)state;
	size_t op = begin(1), calls;
	say("/article/getslice", NONE);
	say("/article/create", TOKEN);
	for (int i = 0; i < 3; i++) {
		wait_ms(1000);
		say("/article/verify", "{\"error\":-9999,\"message\":\"whatever\"}");
	}
	calls = h->n_http;
	wait_ms(60000);
	assert_int_equal(h->n_http, calls);
	assert_int_equal(sh_result(h, op)->outcome, LT_DEFERRED);
	assert_string_equal(sh_result(h, op)->code, "-9999");
}

/* A verify token that is not known leads to one more article, not to one a minute. */
static void a_token_of_an_article_that_is_not_known_is_made_again_once(void **state)
{
	(void)state;
	size_t op = begin(1);
	say("/article/getslice", NONE);
	say("/article/create", TOKEN);
	wait_ms(1000);
	say("/article/verify", "{\"error\":-201,\"message\":\"token is invalid\"}");
	for (int i = 0; i < 20 && strstr(last_call(h)->url, "/article/create") == NULL; i++) {
		if (last_call(h)->answered)
			wait_ms(1000);
		else
			say("/article/getslice", NONE);
	}
	say("/article/create", TOKEN);
	wait_ms(1000);
	say("/article/verify", "{\"error\":-201,\"message\":\"token is invalid\"}");
	assert_int_equal(sh_result(h, op)->outcome, LT_DEFERRED);
	assert_int_equal(sh_result(h, op)->flags & LT_R_FREE, 0); /* it costs a try */
}

/* Section 10, -200: "RETRY <= 3"; blocked addresses wait and cost nothing. */
static void a_picture_that_never_comes_ends_after_three_repeats(void **state)
{
	(void)state;
	static const struct {
		uint32_t try_no;
		const char *body;
		int outcome;
	} v[] = { { 3, "{\"error\":-200,\"message\":\"Upload media failed\"}", LT_DEFERRED },
		{ 4, "{\"error\":-200,\"message\":\"Upload media failed\"}", LT_REFUSED },
		{ 9, "{\"error\":-200,\"message\":\"Too many failed attempts\"}", LT_DEFERRED } };
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		size_t op = begin(v[i].try_no);
		say("/article/getslice", NONE);
		say("/article/create", TOKEN);
		wait_ms(1000);
		say("/article/verify", v[i].body);
		assert_int_equal(sh_result(h, op)->outcome, v[i].outcome);
	}
}

/* The same of messages and of what is uploaded for them. */
static void a_message_that_fails_ends_after_three_repeats(void **state)
{
	(void)state;
	for (uint32_t try_no = 3; try_no <= 4; try_no++) {
		int want = try_no == 4 ? LT_REFUSED : LT_DEFERRED;
		size_t op = sh_op(
			h, ses, "group:7a1b2c3d4e5f60718293", "R", ZALO_MAGIC "kind text\n\n", 0);
		h->jobs[op]->work.try_no = try_no;
		assert_int_equal(sh_start(h, op, 1), 0);
		sh_turn(h);
		say("/v3.0/oa/group/message", "{\"error\":-200,\"message\":\"failed\"}");
		assert_int_equal(sh_result(h, op)->outcome, want);
		assert_int_equal(sh_result(h, op)->scope, LT_SCOPE_TARGET);
		op = sh_op(h, ses, "group:7a1b2c3d4e5f60718293", "R",
			ZALO_MAGIC "kind text\nimage c0ver 3 image/png bia.png\n\n", 0);
		sh_asset(h, "c0ver", "PNG", 3);
		h->jobs[op]->work.try_no = try_no;
		assert_int_equal(sh_start(h, op, 1), 0);
		sh_turn(h);
		say("/v2.0/oa/upload/image", "{\"error\":-200,\"message\":\"failed\"}");
		assert_int_equal(sh_result(h, op)->outcome, want);
	}
}

static void a_question_that_is_refused_says_nothing_about_the_release(void **state)
{
	(void)state;
	size_t op = begin(1);
	say("/article/getslice", "{\"error\":-201,\"message\":\"maximum limit is 10\"}");
	assert_int_equal(sh_result(h, op)->outcome, LT_DEFERRED);
	assert_int_equal(sh_result(h, op)->scope, LT_SCOPE_ACCOUNT);
}

static void an_update_while_the_article_is_processed_is_made_later(void **state)
{
	(void)state;
	size_t op = begin(1);
	to_show();
	say("/article/update", "{\"error\":-214,\"message\":\"being processed\"}");
	assert_int_equal(sh_result(h, op)->outcome, LT_DEFERRED);
	assert_int_equal(sh_result(h, op)->flags, 0);
	assert_true(sh_result(h, op)->retry_after_ms >= 30000);
}

/* Section 10: "check the expected member too". Nobody is told that it went out, and nothing is sent again. */
static void a_message_without_its_id_is_unknown(void **state)
{
	(void)state;
	size_t op = group_begin();
	say("/v3.0/oa/group/message", BARE);
	assert_int_equal(sh_result(h, op)->outcome, LT_UNKNOWN);
	op = phone_begin();
	say("/message/template", BARE);
	assert_int_equal(sh_result(h, op)->outcome, LT_UNKNOWN);
	size_t calls = h->n_http;
	wait_ms(600000);
	assert_int_equal(h->n_http, calls);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = { T(a_listing_without_its_list_proves_nothing),
		T(an_update_without_a_token_is_believed_when_the_article_says_so),
		T(a_token_that_is_never_known_does_not_hide_what_is_shown),
		T(a_token_goes_back_whole), T(an_article_that_stays_hidden_is_not_shown),
		T(a_token_may_go_stale_more_than_once_in_a_walk),
		T(an_error_that_nobody_knows_is_not_polled_for_ever),
		T(a_token_of_an_article_that_is_not_known_is_made_again_once),
		T(a_picture_that_never_comes_ends_after_three_repeats),
		T(a_message_that_fails_ends_after_three_repeats),
		T(a_question_that_is_refused_says_nothing_about_the_release),
		T(an_update_while_the_article_is_processed_is_made_later),
		T(a_message_without_its_id_is_unknown) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
