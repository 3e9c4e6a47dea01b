/* test_answer.c - errors by code and subcode from the table, and the usage headers. */
#include "fbtest.h"

static struct fb_verdict read_of(struct sh *h, const char *phase, int status, const char *body)
{
	struct lt_http_res r = { .struct_size = sizeof(r),
		.phase = LT_P_ANSWERED,
		.status = status,
		.body = { body, strlen(body) } };
	struct fb_verdict v;
	struct ltc_json *tree;

	fb_answer_read(h->inst.priv, phase, &r, &v, &tree);
	v.body = NULL;
	v.res = NULL;
	ltc_json_free(tree);
	return v;
}

static struct fb_verdict error_of(
	struct sh *h, int status, int code, int sub, const char *message, bool transient)
{
	char body[600];

	(void)snprintf(body, sizeof(body),
		"{\"error\":{\"message\":\"%s\",\"code\":%d,\"error_subcode\":%d,\"is_transient\":%s,\"fbtrace_id\":\"A1\"}}",
		message, code, sub, transient ? "true" : "false");
	return read_of(h, "post", status, body);
}

static int atoi_of(const char *p)
{
	int v = 0;

	for (; *p >= '0' && *p <= '9'; p++)
		v = v * 10 + (*p - '0');
	return v;
}

static void each_row_of_the_contract_has_its_class(void **state)
{
	(void)state;
	static const struct {
		int status, code, sub;
		const char *message;
		enum fb_class class;
		int outcome, scope;
		uint32_t flags;
	} v[] = {
		{ 500, 1, 0, "", FB_RETRY, 0, LT_SCOPE_LANE, 0 },
		{ 500, 2, 0, "", FB_RETRY, 0, LT_SCOPE_LANE, 0 },
		{ 400, 3, 0, "", FB_SAID, LT_DEFERRED, LT_SCOPE_CHANNEL, LT_R_FREE | LT_R_PERSON },
		{ 403, 4, 0, "", FB_RATE, 0, LT_SCOPE_CHANNEL, LT_R_FREE },
		{ 400, 17, 0, "", FB_RATE, 0, LT_SCOPE_ACCOUNT, LT_R_FREE },
		{ 400, 32, 0, "", FB_RATE, 0, LT_SCOPE_ACCOUNT, LT_R_FREE },
		{ 400, 613, 1996, "", FB_RATE, 0, LT_SCOPE_ACCOUNT, LT_R_FREE },
		{ 400, 80001, 0, "", FB_RATE, 0, LT_SCOPE_ACCOUNT, LT_R_FREE },
		{ 400, 80000, 0, "", FB_RATE, 0, LT_SCOPE_ACCOUNT, LT_R_FREE },
		{ 400, 80008, 0, "", FB_RATE, 0, LT_SCOPE_ACCOUNT, LT_R_FREE },
		{ 400, 80014, 0, "", FB_RATE, 0, LT_SCOPE_ACCOUNT, LT_R_FREE },
		{ 400, 341, 0, "", FB_RATE, 0, LT_SCOPE_CHANNEL, LT_R_FREE },
		{ 403, 10, 0, "", FB_SAID, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
		{ 400, 100, 0, "Invalid parameter", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 100, 33, "", FB_GONE, 0, LT_SCOPE_TARGET, 0 },
		{ 400, 100, 0, "Invalid appsecret_proof provided", FB_SAID, LT_DEFERRED,
			LT_SCOPE_CHANNEL, LT_R_FREE | LT_R_PERSON },
		{ 400, 100, 0, "Invalid cursors values", FB_CURSOR, 0, LT_SCOPE_TARGET, 0 },
		{ 500, 1, 0, "bad cursor", FB_CURSOR, 0, LT_SCOPE_TARGET, 0 },
		{ 400, 102, 0, "", FB_TOKEN, 0, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
		{ 400, 450, 0, "", FB_TOKEN, 0, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
		{ 400, 452, 0, "", FB_TOKEN, 0, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
		{ 400, 190, 0, "", FB_TOKEN, 0, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
		{ 400, 190, 0, "must be an administrator before impersonating a user's page",
			FB_SAID, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
		{ 400, 190, 458, "", FB_TOKEN, 0, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
		{ 400, 190, 460, "", FB_TOKEN, 0, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
		{ 400, 190, 463, "", FB_TOKEN, 0, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
		{ 400, 190, 459, "", FB_TOKEN, 0, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
		{ 400, 190, 464, "", FB_TOKEN, 0, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
		{ 400, 190, 467, "", FB_TOKEN, 0, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
		{ 400, 190, 483, "", FB_TOKEN, 0, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
		{ 400, 190, 492, "", FB_SAID, LT_DEFERRED, LT_SCOPE_ACCOUNT,
			LT_R_FREE | LT_R_PERSON },
		{ 400, 104, 0, "", FB_SAID, LT_DEFERRED, LT_SCOPE_CHANNEL,
			LT_R_FREE | LT_R_PERSON },
		{ 400, 197, 0, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 403, 200, 0, "", FB_SAID, LT_DEFERRED, LT_SCOPE_ACCOUNT,
			LT_R_FREE | LT_R_PERSON },
		{ 403, 283, 0, "", FB_SAID, LT_DEFERRED, LT_SCOPE_ACCOUNT,
			LT_R_FREE | LT_R_PERSON },
		{ 403, 201, 0, "", FB_SAID, LT_DEFERRED, LT_SCOPE_ACCOUNT,
			LT_R_FREE | LT_R_PERSON },
		{ 403, 210, 0, "", FB_SAID, LT_DEFERRED, LT_SCOPE_ACCOUNT,
			LT_R_FREE | LT_R_PERSON },
		{ 403, 240, 0, "", FB_SAID, LT_DEFERRED, LT_SCOPE_ACCOUNT,
			LT_R_FREE | LT_R_PERSON },
		{ 403, 299, 0, "", FB_SAID, LT_DEFERRED, LT_SCOPE_ACCOUNT,
			LT_R_FREE | LT_R_PERSON },
		{ 400, 200, 1609008, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 324, 0, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 105, 0, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 382, 0, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 389, 0, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 6000, 0, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 1500, 0, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 5101, 0, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 2069019, 0, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 1349125, 0, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 368, 0, "", FB_SAID, LT_DEFERRED, LT_SCOPE_ACCOUNT,
			LT_R_FREE | LT_R_PERSON },
		{ 400, 368, 1390008, "", FB_SAID, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE },
		{ 400, 368, 1404082, "", FB_DUP, 0, LT_SCOPE_TARGET, 0 },
		{ 400, 368, 0, "You have already posted this", FB_DUP, 0, LT_SCOPE_TARGET, 0 },
		{ 400, 368, 4854002, "", FB_SAID, LT_DEFERRED, LT_SCOPE_ACCOUNT,
			LT_R_FREE | LT_R_PERSON },
		{ 400, 1346003, 0, "", FB_SAID, LT_DEFERRED, LT_SCOPE_ACCOUNT,
			LT_R_FREE | LT_R_PERSON },
		{ 400, 1404102, 0, "", FB_SAID, LT_DEFERRED, LT_SCOPE_ACCOUNT,
			LT_R_FREE | LT_R_PERSON },
		{ 400, 1404112, 0, "", FB_SAID, LT_DEFERRED, LT_SCOPE_ACCOUNT,
			LT_R_FREE | LT_R_PERSON },
		{ 400, 1404006, 0, "", FB_SAID, LT_DEFERRED, LT_SCOPE_ACCOUNT,
			LT_R_FREE | LT_R_PERSON },
		{ 400, 100, 1346003, "", FB_SAID, LT_DEFERRED, LT_SCOPE_ACCOUNT,
			LT_R_FREE | LT_R_PERSON },
		{ 400, 1404078, 0, "", FB_SAID, LT_DEFERRED, LT_SCOPE_ACCOUNT,
			LT_R_FREE | LT_R_PERSON },
		{ 400, 1390008, 0, "", FB_SAID, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE },
		{ 400, 1404082, 0, "", FB_DUP, 0, LT_SCOPE_TARGET, 0 },
		{ 400, 100, 1404082, "", FB_DUP, 0, LT_SCOPE_TARGET, 0 },
		{ 400, 4854002, 0, "", FB_SAID, LT_DEFERRED, LT_SCOPE_ACCOUNT,
			LT_R_FREE | LT_R_PERSON },
		{ 400, 1609008, 0, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 506, 0, "", FB_DUP, 0, LT_SCOPE_TARGET, 0 },
		{ 400, 100, 1366051, "", FB_DUP, 0, LT_SCOPE_TARGET, 0 },
		{ 400, 803, 0, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 2500, 0, "", FB_TOKEN, 0, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
		{ 400, 2061006, 0, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 1609005, 0, "", FB_RETRY, 0, LT_SCOPE_TARGET, 0 },
		{ 400, 100, 1366046, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 6000, 1363030, "", FB_RETRY, 0, LT_SCOPE_LANE, 0 },
		{ 400, 6001, 0, "", FB_RETRY, 0, LT_SCOPE_LANE, 0 },
		{ 400, 1363047, 0, "", FB_RETRY, 0, LT_SCOPE_LANE, 0 },
		{ 400, 100, 1609010, "", FB_RETRY, 0, LT_SCOPE_LANE, 0 },
		{ 400, 100, 1363019, "", FB_RETRY, 0, LT_SCOPE_LANE, 0 },
		{ 400, 100, 1363021, "", FB_RETRY, 0, LT_SCOPE_LANE, 0 },
		{ 400, 100, 1363033, "", FB_RETRY, 0, LT_SCOPE_LANE, 0 },
		{ 400, 100, 1363037, "", FB_RETRY, 0, LT_SCOPE_LANE, 0 },
		{ 400, 100, 1363041, "", FB_RETRY, 0, LT_SCOPE_LANE, 0 },
		{ 400, 100, 1363045, "", FB_RETRY, 0, LT_SCOPE_LANE, 0 },
		{ 400, 100, 1363026, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 100, 1363022, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 100, 1363023, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 100, 1363024, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 100, 1363025, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 100, 1363031, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 100, 1363032, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 100, 1363040, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 100, 1363127, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 100, 1363128, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 100, 1363129, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 400, 99999, 0, "", FB_SAID, LT_REFUSED, LT_SCOPE_TARGET, 0 },
		{ 500, 99999, 0, "", FB_RETRY, 0, LT_SCOPE_LANE, 0 },
	};
	struct sh *h = fbt_open();
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct fb_verdict r = error_of(
			h, v[i].status, v[i].code, v[i].sub, v[i].message, false);
		if (r.class != v[i].class || r.scope != v[i].scope || r.flags != v[i].flags ||
			(r.class == FB_SAID && r.outcome != v[i].outcome))
			fail_msg("%d/%d '%s': class %d outcome %d scope %d flags %u", v[i].code,
				v[i].sub, v[i].message, r.class, r.outcome, r.scope, r.flags);
	}
	assert_int_equal(error_of(h, 400, 99999, 0, "", true).class, FB_RETRY);
	assert_int_equal(error_of(h, 400, 99999, 0, "", true).scope, LT_SCOPE_LANE);
	assert_int_equal(error_of(h, 400, 99999, 0, "", true).flags, 0);
	/* asked by a check or for figures: not the token is bad, this version has no such address */
	static const char *const asking[] = { "check", "stats" };
	for (size_t i = 0; i < 2; i++) {
		struct fb_verdict r = read_of(h, asking[i], 400, "{\"error\":{\"code\":2500}}");
		assert_int_equal(r.class, FB_SAID);
		assert_int_equal(r.outcome, LT_REFUSED);
		assert_int_equal(r.scope, LT_SCOPE_ACCOUNT);
		assert_int_equal(r.flags, 0);
	}
	assert_int_equal(error_of(h, 400, 368, 1390008, "", false).retry_after_ms, 86400000);
	fbt_over(h);
}

static bool same(struct fb_verdict a, struct fb_verdict b)
{
	return a.class == b.class && a.outcome == b.outcome && a.scope == b.scope &&
		a.flags == b.flags && a.cools == b.cools && a.retry_after_ms == b.retry_after_ms;
}

/* Section 8: "Codes of seven digits can be in code or in error_subcode: match both". Every one that the table names. */
static void a_code_of_seven_digits_means_the_same_in_either_place(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t n = 0;

	for (const char *p = shipped_file("config/outcomes/facebook.tsv"); *p != '\0';) {
		size_t line = strcspn(p, "\n"), len = strspn(p, "0123456789");
		if (*p == '#') {
			p += line + (p[line] == '\n');
			continue;
		}
		if (len == 7) {
			int code = atoi_of(p);
			struct fb_verdict v = error_of(h, 400, code, 0, "", false);
			if (!same(v, error_of(h, 400, 100, code, "", false)) ||
				!same(v, error_of(h, 400, 368, code, "", false)))
				fail_msg("%d: class %d outcome %d as a code", code, v.class,
					v.outcome);
			n++;
		}
		p += len > 0 ? len : 1;
	}
	assert_true(n > 30);
	fbt_over(h);
}

static void what_is_no_answer_of_the_api_claims_nothing(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *body;
	} v[] = { { 502, "<html>Bad Gateway</html>" }, { 200, "Service Unavailable" }, { 200, "" },
		{ 500, "" }, { 404, "<html>" }, { 200, "{\"id\":\"1" }, { 302, "{}" } };
	struct sh *h = fbt_open();
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		assert_int_equal(read_of(h, "post", v[i].status, v[i].body).class, FB_RETRY);
	assert_int_equal(read_of(h, "post", 200, "{\"id\":\"1\"}").class, FB_OK);
	assert_int_equal(read_of(h, "post", 200, "{\"error\":{\"code\":190}}").class, FB_TOKEN);
	fbt_over(h);
}

/* "error": null stands beside an id: the post is there. */
static void a_member_that_is_null_is_none(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	assert_int_equal(read_of(h, "post", 200, "{\"id\":\"1_2\",\"error\":null}").class, FB_OK);
	assert_int_equal(read_of(h, "live", 200, "{\"success\":null}").class, FB_OK);
	assert_int_equal(read_of(h, "live", 200, "{\"success\":false}").class, FB_RETRY);
	assert_int_equal(read_of(h, "list", 200, "{\"data\":null}").class, FB_RETRY);
	assert_int_equal(read_of(h, "list", 200, "{\"data\":[],\"error\":null}").class, FB_OK);
	assert_int_equal(read_of(h, "post", 500, "{\"error\":null}").class, FB_RETRY);
	fbt_over(h);
}

static void the_words_for_people_are_kept(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	struct fb_verdict v = read_of(h, "photo", 400,
		"{\"error\":{\"message\":\"Invalid parameter\",\"code\":100,\"error_subcode\":1366046,\"error_user_msg\":\"Ảnh không đọc được\",\"fbtrace_id\":\"Atest4\"}}");
	assert_string_equal(v.code, "100/1366046");
	assert_non_null(strstr(v.text, "Ảnh không đọc được"));
	assert_non_null(strstr(v.text, "Atest4"));
	fbt_over(h);
}

static int64_t rate_of(struct sh *h, const char *name, const char *value)
{
	struct lt_pair header = { { name, strlen(name) }, { value, strlen(value) }, { NULL, 0 } };
	struct lt_http_res r = { .struct_size = sizeof(r), .headers = &header, .n_headers = 1 };
	size_t s = sh_session(h);

	return fb_rate_read(&h->inst, &h->jobs[s]->job, &r);
}

static void usage_is_told_by_its_scope(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	int64_t wait;
	assert_int_equal(rate_of(h, "X-App-Usage",
				 "{\"call_count\":28,\"total_time\":91,\"total_cputime\":25}"),
		0);
	assert_int_equal(sh_last_note(h, "rate")->value, LT_SCOPE_CHANNEL);
	assert_int_equal(rate_of(h, "x-page-usage", "{\"call_count\":80}"), 0);
	assert_int_equal(sh_last_note(h, "rate")->value, LT_SCOPE_ACCOUNT);
	assert_false(fb_limited(&h->inst, NULL, &wait));
	/* the same key twice, the worse one counts */
	assert_int_equal(
		rate_of(h, "X-Business-Use-Case-Usage",
			"{\"1\":[{\"type\":\"pages\",\"call_count\":1}],\"1\":[{\"type\":\"pages\",\"call_count\":100,\"estimated_time_to_regain_access\":19}]}"),
		19 * 60000);
	assert_true(fb_limited(&h->inst, NULL, &wait));
	assert_int_equal(wait, 19 * 60000);
	assert_int_equal(rate_of(h, "X-Business-Use-Case-Usage", "{{nonsense"), 0);
	fbt_over(h);
}

static void a_throttle_without_a_header_doubles(void **state)
{
	(void)state;
	struct sh *h = fbt_open();
	size_t s = sh_session(h);
	struct lt_job *j = &h->jobs[s]->job;
	assert_int_equal(fb_rate_limited(&h->inst, j, 0, LT_SCOPE_ACCOUNT), 900000);
	assert_int_equal(fb_rate_limited(&h->inst, j, 0, LT_SCOPE_ACCOUNT), 1800000);
	for (int i = 0; i < 10; i++)
		(void)fb_rate_limited(&h->inst, j, 0, LT_SCOPE_ACCOUNT);
	assert_int_equal(fb_rate_limited(&h->inst, j, 0, LT_SCOPE_ACCOUNT), 4 * 3600000);
	assert_int_equal(fb_rate_limited(&h->inst, j, 60000, LT_SCOPE_ACCOUNT), 60000);
	fbt_over(h);
}

static void a_table_without_last_rows_is_refused(void **state)
{
	(void)state;
	struct sh *h = fbt_new();
	sh_file(h, "outcomes",
		"phase\tcode\tsub\toutcome\tscope\tflags\tretry_s\tnote\nany\t190\t*\ttoken\taccount\t-\t-\tx\n");
	assert_true(sh_open(h) < 0);
	assert_non_null(strstr(sh_last_note(h, "log")->text, "transient"));
	sh_free(h);
}

static void wrong_settings_are_named(void **state)
{
	(void)state;
	static const char *const v[][2] = { { "version", "v22.0" }, { "version", "25" },
		{ "page", "abc" }, { "base_url", "http://graph.facebook.com" },
		{ "base_url", "https://a@b" }, { "looks", "0" }, { "retries", "99" },
		{ "app_id", "" } };
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct sh *h = fbt_new();
		sh_conf(h, v[i][0], v[i][1]);
		assert_true(sh_open(h) < 0);
		assert_non_null(strstr(sh_last_note(h, "log")->text, v[i][0]));
		sh_free(h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(
						    each_row_of_the_contract_has_its_class),
		cmocka_unit_test(a_code_of_seven_digits_means_the_same_in_either_place),
		cmocka_unit_test(what_is_no_answer_of_the_api_claims_nothing),
		cmocka_unit_test(a_member_that_is_null_is_none),
		cmocka_unit_test(the_words_for_people_are_kept),
		cmocka_unit_test(usage_is_told_by_its_scope),
		cmocka_unit_test(a_throttle_without_a_header_doubles),
		cmocka_unit_test(a_table_without_last_rows_is_refused),
		cmocka_unit_test(wrong_settings_are_named) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
