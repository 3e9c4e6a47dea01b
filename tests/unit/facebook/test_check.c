/* test_check.c - looks at a page: its token inspected without standing in an address, its name, the task; the daily numbers. */
#include "fbtest.h"

static struct lt_str z(const char *s)
{
	return (struct lt_str){ s, strlen(s) };
}

static void outcome_is(struct sh *h, size_t j, int outcome)
{
	struct sh_result *r = sh_result(h, j);

	if (!r->done || r->outcome != outcome)
		fail_msg("done %d outcome %d (%s %s)", r->done, r->outcome, r->code, r->text);
	assert_int_equal(fbt_open_calls(h), 0);
}

/* An entry of a batch's answer: the body is JSON as a text. */
static const char *entry(int code, const char *body)
{
	static char text[4][2000];
	static size_t turn;
	char *t = text[turn++ % 4];
	size_t n = (size_t)snprintf(t, 2000, "{\"code\":%d,\"body\":\"", code);

	for (; *body != '\0' && n < 1980; body++) {
		if (*body == '"')
			t[n++] = '\\';
		t[n++] = *body;
	}
	(void)snprintf(t + n, 2000 - n, "\"}");
	return t;
}

static void batch(struct sh *h, const char *a, const char *b, const char *c, const char *d)
{
	char text[9000];

	(void)snprintf(text, sizeof(text), "[%s%s%s%s%s%s%s]", a, b ? "," : "", b ? b : "",
		c ? "," : "", c ? c : "", d ? "," : "", d ? d : "");
	assert_non_null(strstr(fbt_next(h, "POST", "/v25.0/")->body, "batch="));
	fbt_say(h, "POST", "/v25.0/", 200, text);
}

#define SCOPES_LEAST "\"pages_show_list\",\"pages_read_engagement\",\"pages_manage_posts\""
#define SCOPES       "[" SCOPES_LEAST ",\"pages_read_user_content\"]"
#define GOOD                                                                     \
	"{\"data\":{\"app_id\":\"5550001\",\"type\":\"PAGE\",\"is_valid\":true," \
	"\"expires_at\":0,\"scopes\":" SCOPES "}}"
#define GONE \
	"{\"error\":{\"code\":100,\"error_subcode\":33,\"message\":\"Unsupported post request\"}}"

static size_t check(struct sh *h)
{
	size_t j = sh_job(h, LT_J_CHECK, NULL);

	h->jobs[j]->work.credential = z("page-17");
	assert_int_equal(sh_start(h, j, 1), 0);
	sh_turn(h);
	return j;
}

static void feed_is_subscribed(struct sh *h)
{
	assert_string_equal(strstr(fbt_next(h, "POST", "/" PAGE "/subscribed_apps")->body, "sub"),
		"subscribed_fields=feed\n");
	fbt_say(h, "POST", "/subscribed_apps", 200, "{\"success\":true}");
}

static void check_to(struct sh *h, const char *token_body)
{
	struct sh_http *c = fbt_next(h, "POST", "/v25.0/");

	assert_null(strstr(c->url, "EAA"));
	assert_null(strstr(c->query, "EAA"));
	assert_non_null(strstr(c->body, "debug_token%3Finput_token%3D"));
	assert_non_null(strstr(c->body, "access_token=5550001%7C"));
	assert_non_null(strstr(c->body, "EAAPage17"));
	assert_non_null(strstr(c->body, "Bearer 5550001|s3cret"));
	batch(h, entry(200, token_body), NULL, NULL, NULL);
}

static void a_check_names_what_is_wrong(void **state)
{
	(void)state;
	static const struct {
		const char *token, *tasks;
		int outcome;
		const char *says;
	} v[] = { { GOOD, "{\"data\":[{\"id\":\"" PAGE "\",\"tasks\":[\"CREATE_CONTENT\"]}]}",
			  LT_ACCEPTED, "must be Live" },
		{ "{\"data\":{\"app_id\":\"5550001\",\"type\":\"PAGE\",\"is_valid\":true,\"scopes\":[\"pages_show_list\"]}}",
			"{\"data\":[]}", LT_REFUSED, "missing permission pages_manage_posts" },
		{ "{\"data\":{\"app_id\":\"5550001\",\"type\":\"PAGE\",\"is_valid\":true,\"scopes\":" SCOPES
		  ",\"granular_scopes\":[{\"scope\":\"pages_show_list\"},{\"scope\":\"pages_manage_posts\",\"target_ids\":[\"9\"]}]}}",
			"{\"data\":[]}", LT_REFUSED, "missing permission pages_manage_posts" },
		{ "{\"data\":{\"app_id\":\"5550001\",\"type\":\"PAGE\",\"is_valid\":true,\"scopes\":" SCOPES
		  ",\"granular_scopes\":[{\"scope\":\"pages_manage_posts\",\"target_ids\":[\"9\",\"" PAGE
		  "\"]}]}}",
			"{\"data\":[]}", LT_ACCEPTED, "must be Live" },
		{ "{\"data\":{\"app_id\":\"5550001\",\"type\":\"USER\",\"is_valid\":true,\"expires_at\":1795800000,\"scopes\":" SCOPES
		  "}}",
			"{\"data\":[{\"id\":\"" PAGE "\",\"tasks\":[\"ANALYZE\"]}]}", LT_REFUSED,
			"not a page token" } };
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct sh *h = fbt_open();
		size_t j = check(h);
		check_to(h, v[i].token);
		fbt_say(h, "GET", "/" PAGE, 200,
			"{\"id\":\"" PAGE "\",\"name\":\"Trang\",\"fan_count\":5}");
		fbt_say(h, "GET", "/me/accounts", 200, v[i].tasks);
		feed_is_subscribed(h);
		fbt_say(h, "GET", "/" PAGE "/feed", 200, EMPTY_LIST);
		outcome_is(h, j, v[i].outcome);
		if (strstr(sh_result(h, j)->text, v[i].says) == NULL)
			fail_msg("'%s'", sh_result(h, j)->text);
		fbt_over(h);
	}
}

static void a_token_that_is_not_valid_is_derived_once(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t j = check(h);
	check_to(h, "{\"data\":{\"is_valid\":false}}");
	assert_non_null(sh_last_note(h, "refresh"));
	check_to(h, "{\"data\":{\"is_valid\":false}}");
	outcome_is(h, j, LT_REFUSED);
	fbt_over(h);
}

static void what_the_api_does_not_know_is_asked_otherwise_or_named(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t j = check(h);
	fbt_say(h, "POST", "/v25.0/", 400, GONE); /* no batches */
	struct sh_http *c = fbt_next(h, "POST", "/debug_token");
	assert_null(strstr(c->query, "EAA"));
	assert_non_null(strstr(c->body, "method=get\ninput_token=EAAPage17"));
	fbt_say(h, "POST", "/debug_token", 400, GONE); /* a GET and nothing else */
	fbt_say(h, "GET", "/" PAGE, 400,
		"{\"error\":{\"code\":100,\"message\":\"nonexisting field (fan_count)\"}}");
	assert_null(strstr(fbt_next(h, "GET", "/" PAGE)->query, "fan_count"));
	fbt_say(h, "GET", "/" PAGE, 200, "{\"id\":\"" PAGE "\",\"name\":\"Trang\"}");
	fbt_say(h, "GET", "/me/accounts", 200, "{\"data\":[]}");
	feed_is_subscribed(h);
	fbt_say(h, "GET", "/" PAGE "/feed", 200, EMPTY_LIST);
	outcome_is(h, j, LT_ACCEPTED);
	assert_non_null(strstr(sh_result(h, j)->text, "could not be inspected"));
	fbt_over(h);
}

static void a_wrong_secret_stops_the_check(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t j = check(h);
	batch(h, entry(400, "{'error':{'code':100}}"), NULL, NULL,
		NULL); /* no JSON: asked otherwise */
	fbt_say(h, "POST", "/debug_token", 400,
		"{\"error\":{\"code\":100,\"message\":\"Invalid appsecret_proof provided\"}}");
	assert_true(sh_result(h, j)->done);
	assert_true(sh_result(h, j)->flags & LT_R_PERSON);
	assert_int_equal(fbt_open_calls(h), 0);
	fbt_over(h);
}

static void a_check_takes_old_drafts_away(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t j = check(h);
	check_to(h, GOOD);
	fbt_say(h, "GET", "/" PAGE, 200, "{\"id\":\"" PAGE "\"}");
	fbt_say(h, "GET", "/me/accounts", 200, "{\"data\":[]}");
	feed_is_subscribed(h);
	fbt_say(h, "GET", "/" PAGE "/feed", 200,
		"{\"data\":[{\"id\":\"" PAGE
		"_1\",\"is_published\":false,\"created_time\":\"2026-11-20T01:00:00+0000\",\"application\":{\"id\":\"5550001\"}},"
		"{\"id\":\"" PAGE
		"_2\",\"is_published\":false,\"created_time\":\"2026-11-20T01:00:00+0000\",\"application\":{\"id\":\"9\"}},"
		"{\"id\":\"" PAGE
		"_3\",\"is_published\":false,\"created_time\":\"2026-11-23T00:59:00+0000\",\"application\":{\"id\":\"5550001\"}},"
		"{\"id\":\"" PAGE
		"_4\",\"is_published\":true,\"created_time\":\"2026-11-20T01:00:00+0000\",\"application\":{\"id\":\"5550001\"}}]}");
	fbt_say(h, "DELETE", "/" PAGE "_1", 200, "{\"success\":true}");
	outcome_is(h, j, LT_ACCEPTED);
	fbt_over(h);
}

/* Section 1: "Read feed: add pages_read_user_content". Posting goes on without it. */
static void a_right_that_posting_does_not_need_is_named_and_harms_nothing(void **state)
{
	(void)state;
	for (int given = 0; given < 2; given++) {
		struct sh *h = fbt_open();
		size_t j = check(h);
		check_to(h,
			given ? GOOD
			      : "{\"data\":{\"app_id\":\"5550001\",\"type\":\"PAGE\",\"is_valid\":true,\"scopes\":[" SCOPES_LEAST
				"]}}");
		fbt_say(h, "GET", "/" PAGE, 200, "{\"id\":\"" PAGE "\",\"name\":\"Trang\"}");
		fbt_say(h, "GET", "/me/accounts", 200, "{\"data\":[]}");
		feed_is_subscribed(h);
		fbt_say(h, "GET", "/" PAGE "/feed", given ? 200 : 403,
			given ? EMPTY_LIST : "{\"error\":{\"code\":10}}");
		outcome_is(h, j, LT_ACCEPTED);
		assert_int_equal(
			strstr(sh_result(h, j)->text, "pages_read_user_content") == NULL, given);
		fbt_over(h);
	}
}

/* Without a word for the webhook nobody wants the feed; a refusal of it is said and harms nothing. */
static void the_page_feed_is_subscribed_where_it_is_wanted(void **state)
{
	(void)state;
	for (int wanted = 0; wanted < 2; wanted++) {
		struct sh *h = fbt_new();
		if (!wanted)
			page_no_secret(h, "verify_token");
		assert_int_equal(sh_open(h), 0);
		size_t j = check(h);
		check_to(h, GOOD);
		fbt_say(h, "GET", "/" PAGE, 200, "{\"id\":\"" PAGE "\"}");
		fbt_say(h, "GET", "/me/accounts", 200, "{\"data\":[]}");
		if (wanted)
			fbt_say(h, "POST", "/subscribed_apps", 403, "{\"error\":{\"code\":200}}");
		fbt_say(h, "GET", "/" PAGE "/feed", 200, EMPTY_LIST);
		outcome_is(h, j, LT_ACCEPTED);
		assert_int_equal(
			strstr(sh_result(h, j)->text, "page feed could not") != NULL, wanted);
		fbt_over(h);
	}
}

/* --- numbers --------------------------------------------------------------------------------------------------------------- */
struct figures { /* two posts whose text was "Xin chào" */
	char kept[40];
	struct lt_id a[2], b[2];
	struct lt_item one, two;
	const struct lt_item *items[2];
};

static size_t stats_job(struct sh *h, const struct figures *f, bool looked)
{
	((struct fb_inst *)h->inst.priv)->check_next = looked ? INT64_MAX : 0; /* at the token */
	size_t j = sh_job(h, LT_J_STATS, NULL);

	h->jobs[j]->work.items = f->items;
	h->jobs[j]->work.n_items = 2;
	assert_int_equal(sh_start(h, j, 1), 0);
	return j;
}

static void figures(struct figures *f, const char *one, const char *two)
{
	char print[FB_PRINT_LEN + 1];

	fb_text_print(z("Xin chào"), print);
	(void)snprintf(f->kept, sizeof(f->kept), "text:%s", print);
	f->a[0] = (struct lt_id){ 0, 1, z(one) };
	f->b[0] = (struct lt_id){ 0, 1, z(two) };
	f->a[1] = f->b[1] = (struct lt_id){ 1, 1, z(f->kept) };
	f->one = (struct lt_item){ .struct_size = sizeof(f->one),
		.delivery = 11,
		.ref = z("r1"),
		.ids = f->a,
		.n_ids = 2 };
	f->two = f->one;
	f->two.delivery = 12;
	f->two.ref = z("r2");
	f->two.ids = f->b;
	f->items[0] = &f->one;
	f->items[1] = &f->two;
}

static size_t stats(struct sh *h, struct figures *f)
{
	figures(f, PAGE "_1", PAGE "_2");
	return stats_job(h, f, true);
}

static const char *post(const char *message, int shares)
{
	static char text[400];

	(void)snprintf(text, sizeof(text),
		"{\"id\":\"1\",\"message\":\"%s\",\"is_published\":true,\"shares\":{\"count\":%d},"
		"\"reactions\":{\"summary\":{\"total_count\":7}},\"comments\":{\"summary\":{\"total_count\":2}}}",
		message, shares);
	return text;
}

#define CLICKS \
	"{\"data\":[{\"name\":\"post_clicks\",\"period\":\"lifetime\",\"values\":[{\"value\":6}]}],\"paging\":{}}"

static void numbers_come_in_one_batch_and_gone_is_told(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	struct figures f;
	size_t j = stats(h, &f);
	struct sh_http *c = fbt_next(h, "POST", "/v25.0/");
	assert_non_null(
		strstr(c->body, "access_token=EAAPage17\n")); /* section 9: always required */
	assert_non_null(strstr(c->body, "\"relative_url\":\"" PAGE "_1?fields=id%2Cmessage"));
	assert_non_null(
		strstr(c->body, "\"relative_url\":\"" PAGE "_2/insights?metric=post_clicks\""));
	assert_int_equal(c->flags & LT_PUBLISHES, 0);
	batch(h, entry(200, post("Xin chào (đã sửa)", 3)), entry(200, CLICKS), entry(400, GONE),
		entry(400, GONE));
	assert_int_equal(sh_last_note(h, "receipt")->value, LT_RC_GONE);
	assert_string_equal(sh_last_note(h, "stat")->text, "clicks");
	assert_int_equal(sh_last_note(h, "stat")->value, 6);
	fbt_say(h, "GET", "/feed", 200, EMPTY_LIST);
	outcome_is(h, j, LT_ACCEPTED);
	fbt_over(h);
}

/* The fingerprint by which the page feed confirmed an unknown names its page. */
static void a_post_that_the_page_feed_confirmed_is_not_called_changed(void **state)
{
	(void)state;
	for (int changed = 0; changed < 2; changed++) {
		struct sh *h = fbt_open();
		struct figures f;
		figures(&f, PAGE "_1", PAGE "_2");
		(void)snprintf(f.kept + strlen(f.kept), sizeof(f.kept) - strlen(f.kept), "@" PAGE);
		f.a[1] = f.b[1] = (struct lt_id){ 1, 1, z(f.kept) };
		size_t j = stats_job(h, &f, true);
		batch(h, entry(200, post(changed ? "Khác" : "Xin chào", 3)), entry(200, CLICKS),
			entry(200, post("Xin chào", 3)), entry(200, CLICKS));
		assert_int_equal(sh_last_note(h, "receipt") != NULL, changed);
		fbt_say(h, "GET", "/feed", 200, EMPTY_LIST);
		outcome_is(h, j, LT_ACCEPTED);
		fbt_over(h);
	}
}

static void what_a_batch_leaves_open_is_asked_by_itself(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	struct figures f;
	size_t j = stats(h, &f);
	batch(h, entry(200, post("Xin chào", 3)), entry(403, "{\"error\":{\"code\":200}}"), "null",
		"null");
	assert_null(sh_last_note(h, "receipt")); /* unchanged */
	fbt_say(h, "GET", "/" PAGE "_2", 200, post("Khác", 4));
	assert_int_equal(sh_last_note(h, "receipt")->value, LT_RC_CHANGED);
	fbt_say(h, "GET", "/feed", 200, EMPTY_LIST); /* no right on clicks: not asked again */
	outcome_is(h, j, LT_ACCEPTED);
	fbt_over(h);
}

static void without_batches_each_is_read_with_its_clicks(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	struct figures f;
	size_t j = stats(h, &f);
	fbt_say(h, "POST", "/v25.0/", 404, GONE);
	fbt_say(h, "GET", "/" PAGE "_1", 200, post("Xin chào", 3));
	assert_non_null(strstr(fbt_next(h, "GET", "/insights")->query, "post_clicks"));
	fbt_say(h, "GET", "/" PAGE "_1/insights", 200, CLICKS);
	fbt_say(h, "GET", "/" PAGE "_2", 400, GONE);
	assert_int_equal(sh_last_note(h, "receipt")->value, LT_RC_GONE);
	fbt_say(h, "GET", "/feed", 200, EMPTY_LIST);
	outcome_is(h, j, LT_ACCEPTED);
	fbt_over(h);
}

#define NO_PATH "{\"error\":{\"code\":2500,\"message\":\"Unknown path components\"}}"
/* Whoever has no batches says so with a code that elsewhere means a token: none is derived anew, and nothing is left out. */
static void an_api_without_batches_is_asked_one_by_one(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t j = check(h);
	fbt_say(h, "POST", "/v25.0/", 400, NO_PATH);
	assert_null(sh_last_note(h, "refresh"));
	fbt_say(h, "POST", "/debug_token", 400, NO_PATH);
	fbt_say(h, "GET", "/" PAGE, 200, "{\"id\":\"" PAGE "\",\"name\":\"Trang\"}");
	fbt_say(h, "GET", "/me/accounts", 200, "{\"data\":[]}");
	feed_is_subscribed(h);
	fbt_say(h, "GET", "/" PAGE "/feed", 200, EMPTY_LIST);
	outcome_is(h, j, LT_ACCEPTED);
	assert_non_null(strstr(sh_result(h, j)->text, "could not be inspected"));
	struct figures f;
	j = stats(h, &f);
	fbt_say(h, "POST", "/v25.0/", 400, NO_PATH);
	fbt_say(h, "GET", "/" PAGE "_1", 200, post("Xin chào", 3));
	fbt_say(h, "GET", "/" PAGE "_1/insights", 200, CLICKS);
	fbt_say(h, "GET", "/" PAGE "_2", 200, post("Xin chào", 3));
	fbt_say(h, "GET", "/" PAGE "_2/insights", 200, CLICKS);
	fbt_say(h, "GET", "/feed", 200, EMPTY_LIST);
	outcome_is(h, j, LT_ACCEPTED);
	assert_null(sh_last_note(h, "refresh"));
	fbt_over(h);
}

/* Section 1: "daily check per Page, alert when invalid, when a scope is missing, or when expiry is under 14 days". */
static void the_daily_look_says_what_is_wrong_with_the_token(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	struct figures f;
	figures(&f, PAGE "_1", PAGE "_2");
	size_t j = stats_job(h, &f, false);
	check_to(h,
		"{\"data\":{\"app_id\":\"5550001\",\"type\":\"PAGE\",\"is_valid\":true,\"expires_at\":1795800000,"
		"\"scopes\":[\"pages_show_list\",\"pages_read_engagement\"]}}");
	assert_int_equal(sh_last_note(h, "stat")->value, 1795800000000);
	fbt_say(h, "GET", "/" PAGE, 200, "{\"id\":\"" PAGE "\",\"name\":\"Trang\"}");
	fbt_say(h, "GET", "/me/accounts", 200, "{\"data\":[]}");
	const struct sh_note *said = sh_last_note(h, "log");
	assert_non_null(strstr(said->text, "missing permission pages_manage_posts"));
	assert_non_null(strstr(said->text, "WARNING: the token ends in"));
	assert_int_equal(said->value, 3); /* a person is needed */
	batch(h, entry(200, post("Xin chào", 3)), entry(200, CLICKS), entry(400, GONE),
		entry(400, GONE));
	fbt_say(h, "GET", "/feed", 200, EMPTY_LIST);
	outcome_is(h, j, LT_ACCEPTED);
	/* The next batch of the same day asks for figures alone. */
	j = sh_job(h, LT_J_STATS, NULL);
	h->jobs[j]->work.items = f.items;
	h->jobs[j]->work.n_items = 2;
	assert_int_equal(sh_start(h, j, 1), 0);
	assert_non_null(strstr(fbt_next(h, "POST", "/v25.0/")->body, PAGE "_1?fields=id"));
	assert_true(((struct fb_inst *)h->inst.priv)->check_next >= h->mono + 20 * 3600000);
	sh_cancel(h, j);
	fbt_over(h);
}

static void a_link_that_nobody_knows_yet_is_told_with_the_figures(void **state)
{
	(void)state;
	for (uint32_t missing = 0; missing < 3; missing++) { /* 2: it was made from the id */
		struct sh *h = fbt_open();
		struct figures f;
		figures(&f, PAGE "_1", PAGE "_2");
		f.one.flags = f.two.flags = missing == 1 ? LT_ITEM_NO_LINK : 0u;
		if (missing == 2) {
			size_t n = strlen(f.kept);
			(void)snprintf(f.kept + n, sizeof(f.kept) - n, "?");
			f.a[1].id = f.b[1].id = z(f.kept);
		}
		size_t j = stats_job(h, &f, true);
		static const char with[] =
			"{\"id\":\"1\",\"message\":\"Xin chào\",\"is_published\":true,"
			"\"permalink_url\":\"https://www.facebook.com/9/posts/51\"}";
		batch(h, entry(200, with), entry(200, CLICKS), entry(200, with),
			entry(200, CLICKS));
		fbt_say(h, "GET", "/feed", 200, EMPTY_LIST);
		outcome_is(h, j, LT_ACCEPTED);
		const struct sh_note *n = sh_last_note(h, "receipt");
		if (!missing) {
			assert_null(n);
		} else {
			assert_non_null(n);
			assert_int_equal(n->value, LT_RC_LINK);
			assert_string_equal(h->receipt_text, "https://www.facebook.com/9/posts/51");
		}
		fbt_over(h);
	}
}

/* It has none of a post's fields: only whether it is still there is asked. */
static void a_video_without_a_post_is_looked_at_for_being_there(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	struct figures f;
	figures(&f, "7002", "7003");
	size_t j = stats_job(h, &f, true);
	struct sh_http *c = fbt_next(h, "POST", "/v25.0/");
	assert_non_null(strstr(c->body, "\"7002?fields=id%2Cstatus\""));
	assert_null(strstr(c->body, "insights"));
	batch(h, entry(200, "{\"id\":\"7002\",\"status\":{}}"), entry(400, GONE), NULL, NULL);
	assert_int_equal(sh_last_note(h, "receipt")->value, LT_RC_GONE);
	fbt_say(h, "GET", "/feed", 200, EMPTY_LIST);
	outcome_is(h, j, LT_ACCEPTED);
	fbt_over(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_check_names_what_is_wrong),
		cmocka_unit_test(a_token_that_is_not_valid_is_derived_once),
		cmocka_unit_test(what_the_api_does_not_know_is_asked_otherwise_or_named),
		cmocka_unit_test(a_wrong_secret_stops_the_check),
		cmocka_unit_test(a_check_takes_old_drafts_away),
		cmocka_unit_test(a_right_that_posting_does_not_need_is_named_and_harms_nothing),
		cmocka_unit_test(the_page_feed_is_subscribed_where_it_is_wanted),
		cmocka_unit_test(numbers_come_in_one_batch_and_gone_is_told),
		cmocka_unit_test(a_post_that_the_page_feed_confirmed_is_not_called_changed),
		cmocka_unit_test(what_a_batch_leaves_open_is_asked_by_itself),
		cmocka_unit_test(without_batches_each_is_read_with_its_clicks),
		cmocka_unit_test(an_api_without_batches_is_asked_one_by_one),
		cmocka_unit_test(the_daily_look_says_what_is_wrong_with_the_token),
		cmocka_unit_test(a_link_that_nobody_knows_yet_is_told_with_the_figures),
		cmocka_unit_test(a_video_without_a_post_is_looked_at_for_being_there) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
