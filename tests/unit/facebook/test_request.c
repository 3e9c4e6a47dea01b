/* test_request.c - what stands in every request, and what is read from every answer's head: proofs, versions, usage, trace ids. */
#include "fbtest.h"

static struct sh *with(const char *key, const char *value)
{
	struct sh *h = fbt_new();

	sh_conf(h, key, value);
	assert_int_equal(sh_open(h), 0);
	return h;
}

/* Section 1: form (a) always, form (b) configurable, computed from the very token of the call; the token in the header alone. */
static void the_proof_has_the_form_that_is_configured(void **state)
{
	(void)state;
	static const char *const forms[] = { "plain", "timed", "off" };
	for (size_t i = 0; i < 3; i++) {
		struct sh *h = with("appsecret_proof", forms[i]);
		char time[64];
		size_t j = fbt_post(h, "Xin chào", 0, NULL, 0);
		struct sh_http *c = fbt_next(h, "GET", "/published_posts");
		(void)snprintf(
			time, sizeof(time), "appsecret_time=%lld\n", (long long)(h->wall / 1000));
		assert_int_equal(strstr(c->query, "appsecret_proof=000102") != NULL, i < 2);
		assert_int_equal(strstr(c->query, time) != NULL, i == 1);
		assert_null(strstr(c->query, "EAA"));
		assert_null(strstr(c->url, "EAA"));
		assert_non_null(strstr(c->body, "Authorization: Bearer EAAPage17"));
		assert_null(strstr(c->query, "pretty"));
		sh_cancel(h, j);
		fbt_over(h);
	}
}

/* Section 1: a timed proof is "valid 5 minutes", by their clock. Ours is ten minutes behind, which the first answer tells. */
static void a_timed_proof_bears_the_time_that_facebook_has(void **state)
{
	(void)state;
	struct sh *h = with("appsecret_proof", "timed");
	size_t j = fbt_post(h, "Xin chào", 0, NULL, 0);
	char time[64];

	h->answer_date_ms = h->wall + 600000;
	(void)snprintf(
		time, sizeof(time), "appsecret_time=%lld\n", (long long)(h->answer_date_ms / 1000));
	static const char no[] =
		"{\"error\":{\"code\":100,\"message\":\"Invalid appsecret_proof provided\"}}";
	fbt_say(h, "GET", "/published_posts", 400, no);
	assert_non_null(strstr(fbt_next(h, "GET", "/published_posts")->query, time));
	fbt_say(h, "GET", "/published_posts", 400, no); /* it is wrong all the same: a person */
	fbt_must_be(h, j, LT_DEFERRED, LT_SCOPE_CHANNEL, LT_R_FREE | LT_R_PERSON);
	fbt_over(h);
}

static void head(struct sh *h, size_t j, const char *name, const char *value, int32_t status,
	const char *body)
{
	struct lt_pair p = { fbt_z(name), fbt_z(value), { NULL, 0 } };
	struct lt_http_res r = { .struct_size = sizeof(r),
		.status = status,
		.phase = LT_P_ANSWERED,
		.headers = &p,
		.n_headers = 1,
		.body = fbt_z(body) };
	struct lt_event ev = {
		.struct_size = sizeof(ev), .type = LT_EV_HTTP, .token = FBS_GUARD, .u = &r
	};

	for (size_t i = 0; i < h->n_http; i++)
		h->http[i].answered = true;
	(void)lantoa_adapter.event(&h->inst, &h->jobs[j]->job, &ev);
	sh_turn(h);
}

/* Section 1: "warn when it differs from the configured version". Once, not with each answer. */
static void an_answer_of_another_version_is_told_once(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t j = fbt_post(h, "Xin chào", 0, NULL, 0);
	head(h, j, "facebook-api-version", "v25.0", 200, EMPTY_LIST);
	assert_null(sh_last_note(h, "log"));
	sh_cancel(h, j);
	for (int i = 0; i < 2; i++) {
		size_t before = h->n_notes;
		j = fbt_post(h, "Xin chào", 0, NULL, 0);
		head(h, j, "Facebook-API-Version", "v26.0", 200, EMPTY_LIST);
		bool told = false;
		for (size_t k = before; k < h->n_notes && k < SH_NOTES_MAX; k++)
			told = told || strcmp(h->notes[k].what, "log") == 0;
		assert_int_equal(told, i == 0);
		sh_cancel(h, j);
	}
	assert_non_null(strstr(sh_last_note(h, "log")->text, "v26.0"));
	assert_int_equal(sh_last_note(h, "log")->value, 4); /* a warning */
	fbt_over(h);
}

/* Section 7: "slow down at 75 % of any counter, pause that Page at 90 %; pause all Pages when X-App-Usage reaches 90 %". */
static void usage_slows_down_and_then_pauses(void **state)
{
	(void)state;
	static const struct {
		const char *header, *value;
		int64_t wait;
		uint32_t scope;
	} v[] = { { "X-App-Usage", "{\"call_count\":74}", 0, LT_SCOPE_CHANNEL },
		{ "X-App-Usage", "{\"call_count\":75}", 5000, LT_SCOPE_CHANNEL },
		{ "X-App-Usage", "{\"total_cputime\":90}", 900000, LT_SCOPE_CHANNEL },
		{ "X-Page-Usage", "{\"total_time\":90}", 900000, LT_SCOPE_ACCOUNT },
		{ "X-Business-Use-Case-Usage",
			"{\"9\":[{\"type\":\"pages\",\"call_count\":80,\"estimated_time_to_regain_access\":0}]}",
			5000, LT_SCOPE_ACCOUNT } };
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct sh *h = fbt_open();
		size_t j = fbt_post(h, "Xin chào", 0, NULL, 0);
		head(h, j, v[i].header, v[i].value, 200, EMPTY_LIST);
		assert_int_equal(h->rate.retry_after_ms, v[i].wait);
		assert_int_equal(h->rate.scope, v[i].scope);
		assert_true(h->rate.congestion < LT_RATE_REFUSED); /* nothing was refused */
		assert_false(sh_result(h, j)->done);               /* what is under way goes on */
		sh_cancel(h, j);
		fbt_over(h);
	}
}

/* Section 8: the headers by which Meta finds a request, where the answer has no error object. */
static void a_page_of_the_edge_is_told_with_its_trace_id(void **state)
{
	(void)state;
	struct sh *h = with("retries", "0");
	size_t j = fbt_post(h, "Xin chào", 0, NULL, 0);
	head(h, j, "X-FB-Trace-ID", "AbC123", 502, "<html>");
	assert_int_equal(sh_result(h, j)->outcome, LT_DEFERRED);
	assert_non_null(strstr(sh_result(h, j)->text, "[AbC123]"));
	fbt_over(h);
}

/* Section 11: whether the 24 hours of a photo also hit drafts is unknown: an old one is not made live, and goes. */
static void a_draft_that_is_too_old_is_made_anew_and_deleted(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	struct lt_pair steps[] = { fbt_step("draft", POST "77 1795300000000") };
	size_t j = fbt_post(h, "Xin chào", 0, steps, 1);
	fbt_guard(h);
	fbt_draft(h);
	fbt_live(h);
	fbt_say(h, "DELETE", "/" POST "77", 200, "{\"success\":true}");
	fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
	fbt_over(h);
}

/* Section 2: "warm the cache once": before the post of the page that is to do it, and whatever comes of it the post follows. */
static void the_link_of_a_card_is_read_by_the_page_that_is_to(void **state)
{
	(void)state;
	static const char head_of[] =
		"fb1\nm 4\nabcd\nt 0\n\nl 29\nhttps://portal.example/ttbc/1\nc 1\n1\n";
	for (int warm = 0; warm < 2; warm++) {
		struct sh *h = with("warm_link", warm ? "yes" : "no");
		size_t s = sh_session(h), j = sh_op(h, s, PAGE, "ref", head_of, 0);
		assert_int_equal(sh_start(h, j, 1), 0);
		fbt_guard(h);
		if (warm) {
			struct sh_http *c = fbt_next(h, "POST", "/v25.0/");
			assert_non_null(
				strstr(c->body, "id=https://portal.example/ttbc/1\nscrape=true\n"));
			assert_int_equal(c->flags & LT_PUBLISHES, 0);
			fbt_say(h, "POST", "/v25.0/", 500, E2); /* no repeat */
		}
		assert_non_null(strstr(fbt_next(h, "POST", "/" PAGE "/feed")->body,
			"link=https://portal.example/ttbc/1\n"));
		fbt_draft(h);
		fbt_live(h);
		fbt_must_be(h, j, LT_ACCEPTED, 0, 0);
		fbt_over(h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(
						    the_proof_has_the_form_that_is_configured),
		cmocka_unit_test(a_timed_proof_bears_the_time_that_facebook_has),
		cmocka_unit_test(an_answer_of_another_version_is_told_once),
		cmocka_unit_test(usage_slows_down_and_then_pauses),
		cmocka_unit_test(a_page_of_the_edge_is_told_with_its_trace_id),
		cmocka_unit_test(a_draft_that_is_too_old_is_made_anew_and_deleted),
		cmocka_unit_test(the_link_of_a_card_is_read_by_the_page_that_is_to) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
