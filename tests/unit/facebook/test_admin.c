/* test_admin.c - recall, correction, the page's token, the webhook. */
#include "fbtest.h"

static struct lt_str z(const char *s)
{
	return (struct lt_str){ s, strlen(s) };
}

static size_t job(struct sh *h, uint32_t kind, const struct lt_id *ids, size_t n, const char *text)
{
	size_t j = sh_job(h, kind, NULL);

	h->jobs[j]->work.ids = ids;
	h->jobs[j]->work.n_ids = n;
	h->jobs[j]->work.text = z(text);
	h->jobs[j]->work.credential = z("page-17");
	assert_int_equal(sh_start(h, j, 1), 0);
	sh_turn(h);
	return j;
}

static void outcome_is(struct sh *h, size_t j, int outcome)
{
	struct sh_result *r = sh_result(h, j);

	if (!r->done || r->outcome != outcome)
		fail_msg("done %d outcome %d (%s %s)", r->done, r->outcome, r->code, r->text);
}

static void a_post_is_taken_back(void **state)
{
	(void)state;
	struct lt_id ids[] = { { 0, LT_ACCEPTED, z(POST) } };
	static const struct {
		int status;
		const char *body;
		int outcome;
	} v[] = { { 200, "{\"success\":true}", LT_ACCEPTED },
		{ 400, "{\"error\":{\"code\":100,\"error_subcode\":33}}", LT_ACCEPTED },
		{ 403, "{\"error\":{\"code\":200}}", LT_DEFERRED } };
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct sh *h = fbt_open();
		size_t j = job(h, LT_J_RECALL, ids, 1, "");
		assert_string_equal(sh_last_note(h, "intent")->text, "recall");
		assert_true(fbt_next(h, "DELETE", "/" POST)->flags & LT_PUBLISHES);
		fbt_say(h, "DELETE", "/" POST, v[i].status, v[i].body);
		outcome_is(h, j, v[i].outcome);
		fbt_over(h);
	}
}

static void a_post_confirmed_without_its_id_is_found_by_its_photos(void **state)
{
	(void)state;
	struct lt_id ids[] = { { 1, LT_UNKNOWN, z("text:0123456789abcdef") },
		{ 2, LT_UNKNOWN, z("1221") } };
	struct sh *h = fbt_open();
	size_t j = job(h, LT_J_RECALL, ids, 2, "");
	fbt_say(h, "GET", "/published_posts", 200,
		"{\"data\":[{\"id\":\"" PAGE "_1\"},{\"id\":\"" POST
		"\",\"attachments\":{\"data\":[{\"target\":{\"id\":\"1221\"}}]}}]}");
	fbt_say(h, "DELETE", "/" POST, 200, "{\"success\":true}");
	outcome_is(h, j, LT_ACCEPTED);
	j = job(h, LT_J_RECALL, ids, 2, "");
	fbt_say(h, "GET", "/published_posts", 200, EMPTY_LIST);
	outcome_is(h, j, LT_REFUSED);
	fbt_over(h);
}

static void a_correction_gives_a_new_fingerprint(void **state)
{
	(void)state;
	struct lt_id ids[] = { { 1, LT_ACCEPTED, z("text:0123456789abcdef") },
		{ 0, LT_ACCEPTED, z(POST) } };
	struct sh *h = fbt_open();
	size_t j = job(h, LT_J_CORRECT, ids, 2, "Văn bản mới");
	assert_non_null(strstr(fbt_next(h, "POST", "/" POST)->body, "message=Văn bản mới"));
	fbt_say(h, "POST", "/" POST, 200, "{\"success\":true}");
	fbt_say(h, "GET", "/" POST, 200, "{\"permalink_url\":\"https://f.example/1\"}");
	outcome_is(h, j, LT_ACCEPTED);
	assert_string_equal(sh_result(h, j)->url, "https://f.example/1");
	assert_int_equal(sh_result(h, j)->n_ids, 2);
	j = job(h, LT_J_CORRECT, ids, 2, "Văn bản mới");
	fbt_say(h, "POST", "/" POST, 403, "{\"error\":{\"code\":200,\"message\":\"other app\"}}");
	outcome_is(h, j, LT_REFUSED);
	assert_non_null(strstr(sh_result(h, j)->text, "only the app"));
	j = sh_job(h, LT_J_CORRECT, NULL); /* as a copy of the correcting release */
	h->jobs[j]->payload[0] = (struct lt_src){ .bytes = z("fb1\nm 3\nabc\nt 0\n\nl 0\n\n") };
	h->jobs[j]->work.n_payload = 1;
	h->jobs[j]->work.ids = ids;
	h->jobs[j]->work.n_ids = 2;
	assert_int_equal(sh_start(h, j, 1), 0);
	sh_turn(h);
	assert_non_null(strstr(fbt_next(h, "POST", "/" POST)->body, "message=abc"));
	fbt_say(h, "POST", "/" POST, 200, "{\"success\":true}");
	fbt_say(h, "GET", "/" POST, 200, "{}");
	outcome_is(h, j, LT_ACCEPTED);
	outcome_is(h, job(h, LT_J_CORRECT, ids, 2, " "), LT_REFUSED);
	outcome_is(h, job(h, LT_J_RECALL, NULL, 0, ""), LT_REFUSED);
	fbt_over(h);
}

static void the_page_token_is_derived_and_stored(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t j = job(h, LT_J_REFRESH, NULL, 0, "");
	struct sh_http *c = fbt_next(h, "GET", "/" PAGE);
	assert_non_null(strstr(c->body, "Bearer EAASystem"));
	assert_true(c->flags & LT_SECRET_ANSWER);
	fbt_say(h, "GET", "/" PAGE, 200, "{\"id\":\"" PAGE "\",\"access_token\":\"EAANew\"}");
	outcome_is(h, j, LT_ACCEPTED);
	assert_string_equal(sh_last_note(h, "secret_put")->text, "access_token");
	j = job(h, LT_J_REFRESH, NULL, 0, "");
	fbt_say(h, "GET", "/" PAGE, 200, "{\"id\":\"" PAGE "\",\"name\":\"x\"}");
	outcome_is(h, j, LT_DEFERRED); /* never the user's token in its place */
	assert_true(sh_result(h, j)->flags & LT_R_PERSON);
	j = job(h, LT_J_REFRESH, NULL, 0, "");
	fbt_say(h, "GET", "/" PAGE, 400, "{\"error\":{\"code\":190,\"error_subcode\":463}}");
	outcome_is(h, j, LT_DEFERRED);
	assert_true(sh_result(h, j)->flags & LT_R_PERSON);
	fbt_over(h);
}

/* What the reason of a dead token tells to type. */
static void a_login_derives_the_token_anew_and_takes_no_code(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t j = job(h, LT_J_LOGIN, NULL, 0, "");
	fbt_say(h, "GET", "/" PAGE, 200, "{\"id\":\"" PAGE "\",\"access_token\":\"EAANew\"}");
	outcome_is(h, j, LT_ACCEPTED);
	assert_string_equal(sh_last_note(h, "secret_put")->text, "access_token");
	j = job(h, LT_J_LOGIN, NULL, 0, "");
	fbt_say(h, "GET", "/" PAGE, 400, "{\"error\":{\"code\":190,\"error_subcode\":463}}");
	outcome_is(h, j, LT_DEFERRED);
	j = job(h, LT_J_LOGIN, NULL, 0, "EAAPasted");
	outcome_is(h, j, LT_REFUSED);
	assert_non_null(strstr(sh_result(h, j)->text, "takes no code"));
	fbt_over(h);
}

static const struct sh_note *hook(struct sh *h, const char *method, const char *query,
	const char *signature, const char *body)
{
	struct lt_pair header = { z("X-HUB-SIGNATURE-256"), z(signature), { NULL, 0 } };
	struct lt_request q = { .struct_size = sizeof(q),
		.method = z(method),
		.query = z(query),
		.body = z(body),
		.headers = &header,
		.n_headers = 1 };
	size_t j = sh_job(h, LT_J_WEBHOOK, NULL);

	h->jobs[j]->work.request = &q;
	assert_int_equal(sh_start(h, j, 1), 0);
	sh_turn(h);
	assert_true(sh_result(h, j)->done);
	return sh_last_note(h, "reply");
}

#define SIGNED "sha256=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
static void a_webhook_is_confirmed_and_its_events_are_signed(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	const struct sh_note *n = hook(h, "GET",
		"hub.mode=subscribe&hub.challenge=11%2B58&hub.verify_token=our+word", "", "");
	assert_int_equal(n->value, 200);
	assert_string_equal(n->text, "11+58");
	assert_int_equal(
		hook(h, "GET", "hub.mode=subscribe&hub.challenge=1&hub.verify_token=our+wor", "",
			"")
			->value,
		403);
	assert_int_equal(hook(h, "GET", "hub.mode=x", "", "")->value, 400);
	assert_int_equal(hook(h, "PUT", "", "", "")->value, 405);
	const char *body =
		"{\"object\":\"page\",\"entry\":[{\"id\":\"" PAGE
		"\",\"changes\":[{\"field\":\"feed\",\"value\":{\"item\":\"status\",\"verb\":\"add\",\"post_id\":\"" POST
		"\",\"published\":1,\"message\":\"Xin chào\"}},"
		"{\"field\":\"feed\",\"value\":{\"item\":\"comment\",\"verb\":\"add\",\"post_id\":\"x\"}}]}]}";
	assert_int_equal(hook(h, "POST", "", "sha256=00", body)->value, 403);
	assert_null(sh_last_note(h, "receipt"));
	assert_int_equal(hook(h, "POST", "", SIGNED, body)->value, 200);
	assert_string_equal(sh_last_note(h, "receipt")->text, POST);
	assert_int_equal(sh_last_note(h, "receipt")->value, LT_ACCEPTED);
	assert_int_equal(
		hook(h, "POST", "", SIGNED,
			"{\"object\":\"page\",\"entry\":[{\"changes\":[{\"field\":\"feed\",\"value\":{\"item\":\"post\",\"verb\":\"remove\",\"post_id\":\"9\"}}]}]}")
			->value,
		200);
	assert_int_equal(sh_last_note(h, "receipt")->value, LT_RC_GONE);
	assert_int_equal(hook(h, "POST", "", SIGNED, "no json")->value, 400);
	fbt_over(h);
}

#define EVENT(page, item, more)                                                \
	"{\"object\":\"page\",\"entry\":[{\"id\":\"" page                      \
	"\",\"changes\":[{\"field\":\"feed\",\"value\":{\"item\":\"" item      \
	"\",\"verb\":\"add\",\"post_id\":\"" page "_1\",\"published\":1," more \
	"\"photo_ids\":[\"1221\"],\"message\":\"Xin chào\"}}]}]}"
#define FROM(id) "\"from\":{\"id\":\"" id "\",\"name\":\"N\"},"

/* The callback is the app's: events of every page come to it. The same text on another page, or by a visitor, is another post; so is
 * one that shares our picture. */
static void only_the_page_itself_confirms_a_post_by_its_text(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		bool text, photo;
	} v[] = { { EVENT(PAGE, "status", ""), true, true },
		{ EVENT(PAGE, "status", FROM(PAGE)), true, true },
		{ EVENT("104200000000999", "status", FROM("104200000000999")), false, true },
		{ EVENT(PAGE, "status", FROM("777")), false, true },
		{ EVENT("", "status", ""), false, true },
		{ EVENT(PAGE, "share", FROM(PAGE)), true, false } };
	struct sh *h = fbt_new();
	sh_conf(h, "publish_mode_text", "direct");
	assert_int_equal(sh_open(h), 0);
	size_t j = fbt_post(h, "Xin chào", 0, NULL, 0);
	fbt_guard(h);
	fbt_say(h, "POST", "/feed", -1, "");
	fbt_must_be(h, j, LT_UNKNOWN, 0, 0);
	char claim[80];
	(void)snprintf(claim, sizeof(claim), " %s ", sh_result(h, j)->id);
	assert_int_equal(strncmp(claim, " text:", 6), 0);
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		assert_int_equal(hook(h, "POST", "", SIGNED, v[i].body)->value, 200);
		if ((strstr(h->receipt_ids, claim) != NULL) != v[i].text ||
			(strstr(h->receipt_ids, " 1221 ") != NULL) != v[i].photo)
			fail_msg("%zu: '%s' of '%s'", i, h->receipt_ids, claim);
	}
	fbt_over(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_post_is_taken_back),
		cmocka_unit_test(a_post_confirmed_without_its_id_is_found_by_its_photos),
		cmocka_unit_test(a_correction_gives_a_new_fingerprint),
		cmocka_unit_test(the_page_token_is_derived_and_stored),
		cmocka_unit_test(a_login_derives_the_token_anew_and_takes_no_code),
		cmocka_unit_test(a_webhook_is_confirmed_and_its_events_are_signed),
		cmocka_unit_test(only_the_page_itself_confirms_a_post_by_its_text) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
