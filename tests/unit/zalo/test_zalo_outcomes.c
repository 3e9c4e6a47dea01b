/* test_zalo_outcomes.c - every code of the contract's two tables, by the shipped file: what it means for whom. */
#include "zalo_test.h"

static struct ltc_outcomes *table;

static int setup(void **state)
{
	char err[300];

	(void)state;
	if (ltc_outcomes_parse(S(shipped_file("config/outcomes/zalo.tsv")), "zalo.tsv",
		    &zalo_outcome_words, &table, err, sizeof(err)) != 0) {
		(void)fprintf(stderr, "%s\n", err);
		return -1;
	}
	return zalo_outcomes_check(table, err, sizeof(err));
}

static int teardown(void **state)
{
	(void)state;
	ltc_outcomes_free(table);
	return 0;
}

struct row {
	const char *phase, *body;
	int status, outcome, scope;
	unsigned flags;
	const char *note; /* NULL: any */
};
#define R    LT_REFUSED
#define D    LT_DEFERRED
#define U    LT_UNKNOWN
#define T    LT_SCOPE_TARGET
#define REL  LT_SCOPE_RELEASE
#define A    LT_SCOPE_ACCOUNT
#define L    LT_SCOPE_LANE
#define C    LT_SCOPE_CHANNEL
#define FREE LT_R_FREE
#define OPER (LT_R_FREE | LT_R_PERSON)
#define NOTE(ph, code, o, s, f, n)                                            \
	{                                                                     \
		ph, "{\"error\":" code ",\"message\":\"m\"}", 200, o, s, f, n \
	}
#define CODE(ph, code, o, s, f) NOTE(ph, code, o, s, f, NULL)
#define SAID(ph, code, text, o, s, f)                                                   \
	{                                                                               \
		ph, "{\"error\":" code ",\"message\":\"" text "\"}", 200, o, s, f, NULL \
	}

/* Section 10 */
static const struct row oa[] = {
	SAID("read", "-32", "app reach limit", D, C, FREE),
	SAID("read", "-32", "limit of this OA", D, A, FREE),
	SAID("read", "-32", "OA has reached its limit", D, A, FREE),
	SAID("read", "-32", "oa: too many calls", D, A, FREE),
	SAID("read", "-32", "OA", D, A, FREE),
	SAID("read", "-32", "OAuth limit of the app", D, C, FREE),
	CODE("message", "-100", ZALO_O_UPLOAD, T, 0),
	CODE("message", "-200", D, T, 0),
	SAID("verify", "-200", "Upload media failed", D, T, 0),
	SAID("verify", "-200", "Too many failed attempts", D, T, FREE),
	NOTE("cast", "-200", D, T, OPER, "look in the console before"),
	CODE("article", "-201", R, REL, 0),
	CODE("message", "-201", R, REL, 0),
	SAID("message", "-201", "user_id is invalid", R, T, 0),
	SAID("message", "-201", "param group_id is invalid", R, T, 0),
	SAID("message", "-201", "Recipient is invalid", R, T, 0),
	SAID("message", "-201", "text is too long", R, REL, 0),
	SAID("article", "-201", "recipient is invalid", R, REL, 0),
	CODE("cast", "-201", D, T, OPER),
	CODE("verify", "-201", ZALO_O_LOST, T, 0),
	NOTE("upload", "-201", R, REL, 0, "file is refused"),
	CODE("article", "-204", D, A, OPER),
	CODE("cast", "-205", D, A, OPER),
	CODE("article", "-209", D, A, OPER),
	CODE("article", "-210", R, REL, 0),
	CODE("cast", "-211", D, T, FREE),
	CODE("article", "-211", D, L, FREE),
	CODE("article", "-212", D, A, OPER),
	NOTE("message", "-213", R, T, 0, "does not follow"),
	CODE("verify", "-214", ZALO_O_POLL, T, 0),
	CODE("article", "-216", ZALO_O_REFRESH, A, FREE),
	CODE("message", "-217", R, T, LT_R_SUPPRESS),
	CODE("message", "-218", D, T, FREE),
	CODE("read", "-219", D, A, OPER),
	CODE("cast", "-220", ZALO_O_REFRESH, A, FREE),
	CODE("cast", "-221", D, T, OPER),
	SAID("article", "-223", "App has not been granted this permission", D, A, OPER),
	SAID("article", "-223", "OA has reached the article quota", D, L, FREE),
	SAID("article", "-223", "Đã vượt hạn mức bài viết", D, L, FREE),
	CODE("article", "-224", D, A, OPER),
	NOTE("message", "-227", R, T, 0, "45 days"),
	NOTE("message", "-230", R, T, 0, "last 7 days"),
	NOTE("message", "-232", R, T, 0, "last 7 days"),
	NOTE("message", "-233", R, T, 0, "not allowed here"),
	CODE("cast", "-234", D, T, FREE),
	CODE("message", "-234", D, L, FREE),
	CODE("cast", "-235", D, T, OPER),
	NOTE("message", "-237", D, T, OPER, "group is disabled"),
	NOTE("message", "-238", D, T, OPER, "group is disabled"),
	NOTE("message", "-241", D, T, OPER, "group is disabled"),
	CODE("message", "-240", D, L, OPER),
	CODE("read", "-242", D, A, OPER),
	CODE("message", "-244", R, T, LT_R_SUPPRESS),
	CODE("article", "-248", R, REL, 0),
	CODE("message", "-249", R, REL, 0),
	CODE("message", "-320", D, L, OPER),
	CODE("message", "-321", D, L, OPER),
	NOTE("message", "-403", D, T, OPER, "not in this group"),
	CODE("message", "-1340", R, REL, 0),
	CODE("message", "-1341", R, REL, 0),
	CODE("message", "-7777", D, T, OPER),
	CODE("cast", "-7777", D, T, OPER),
	CODE("read", "-7777", D, A, 0),
	CODE("verify", "-7777", ZALO_O_POLL, T, 0),
	CODE("upload", "-212", D, L, OPER),
	CODE("upload", "-221", D, L, OPER),
	CODE("upload", "-235", D, L, OPER),
	CODE("upload", "-240", D, L, OPER),
	NOTE("cast", "-240", D, T, OPER, "may not broadcast"),
	NOTE("cast", "-320", D, T, OPER, "may not broadcast"),
	NOTE("cast", "-321", D, T, OPER, "may not broadcast"),
	CODE("article", "-320", D, A, OPER),
	CODE("article", "-321", D, A, OPER),
	CODE("article", "-214", D, T, 0),
	/* one lane of an OA stops no other: what messages or broadcasts lack stops no article */
	CODE("article", "-221", D, A, OPER),
	CODE("article", "-235", D, A, OPER),
	CODE("article", "-240", D, A, OPER),
	CODE("message", "-212", D, L, OPER),
	CODE("message", "-221", D, L, OPER),
	CODE("message", "-224", D, L, OPER),
	CODE("message", "-235", D, L, OPER),
	CODE("message", "-211", D, L, FREE),
	CODE("upload", "-211", D, L, FREE),
	CODE("verify", "-211", D, L, FREE),
	SAID("verify", "-223", "OA has reached the article quota", D, L, FREE),
	SAID("verify", "-223", "permission denied", D, A, OPER),
	CODE("upload", "-224", D, L, OPER),
	CODE("cast", "-212", D, T, OPER),
	CODE("cast", "-224", D, T, OPER),
	SAID("message", "-223", "permission denied", D, L, OPER),
	SAID("message", "-223", "quota is over", D, L, FREE),
	SAID("upload", "-223", "permission denied", D, L, OPER),
	SAID("cast", "-223", "permission denied", D, T, OPER),
	SAID("cast", "-223", "quota is over", D, T, FREE),
	SAID("read", "-223", "quota is over", D, A, FREE),
	SAID("article", "-223", "Permission is limited: apply for it", D, A, OPER),
	SAID("article", "-223", "Ứng dụng bị giới hạn: chưa có quyền", D, A, OPER),
	SAID("article", "-223", "OA exceeds what it may publish today", D, L, FREE),
	NOTE("upload", "-200", D, T, 0, "processing failed"),
	CODE("article", "-200", D, T, 0),
	CODE("cast", "-210", D, T, OPER),
	CODE("message", "-210", R, REL, 0),
	CODE("read", "-211", D, A, FREE),
	CODE("message", "-205", D, A, OPER),
	CODE("zns", "-32", D, C, FREE),
	CODE("article", "-7777", D, T, OPER),
	CODE("upload", "-7777", D, T, 0),
	CODE("message", "\"-213\"", R, T, 0), /* quoted numbers */
	CODE("cast", "\"-211\"", D, T, FREE),
	CODE("zns", "\"-124\"", ZALO_O_REFRESH, A, FREE),
	SAID("article", "\"-223\"", "quota", D, L, FREE),
	{ "read", "{\"error\":-209,\"message\":\"invalid api\"}", 404, D, A, OPER, NULL },
	{ "message", "{\"error\":-209,\"message\":\"invalid api\"}", 404, D, A, OPER, NULL },
	{ "article", "<html>not found</html>", 404, ZALO_O_LOST, T, 0, NULL },
	{ "message", "<html>not found</html>", 404, U, T, 0, NULL },
	{ "zns", "<html>not found</html>", 404, U, T, 0, NULL },
	{ "read", "<html>not found</html>", 404, D, A, FREE, NULL },
	{ "verify", "<html>not found</html>", 404, ZALO_O_POLL, T, 0, NULL },
	{ "zns", "{\"error\":-209}", 404, D, L, OPER, NULL },
	{ "zns", "<html>504</html>", 504, U, T, 0, NULL },
	{ "message", "", 408, U, T, 0, NULL },
	{ "cast", "too early", 425, U, T, 0, NULL },
	{ "article", "{\"error\":-209,\"message\":\"not supported\"}", 404, D, A, OPER, NULL },
	{ "cast", "<html>not found</html>", 404, U, T, 0, NULL },
	{ "cast", "<html>502</html>", 502, U, T, 0, NULL },
	{ "message", "<html>504</html>", 504, U, T, 0, NULL },
	{ "zns", "", 200, U, T, 0, NULL },
	{ "message", "{\"data\":{}}", 200, U, T, 0, NULL },
	{ "cast", "{\"error\":0}", 500, U, T, 0, NULL },
	{ "article", "<html>", 502, ZALO_O_LOST, T, 0, NULL },
	{ "verify", "<html>", 502, ZALO_O_POLL, T, 0, NULL },
	{ "read", "<html>", 502, D, A, FREE, NULL },
	{ "upload", "", 503, D, A, FREE, NULL },
};
/* Section 7 */
static const struct row zns[] = {
	CODE("zns", "-100", D, T, 0),
	CODE("zns", "-124", ZALO_O_REFRESH, A, FREE),
	CODE("zns", "-1241", D, A, OPER),
	CODE("zns", "-101", D, A, OPER),
	CODE("zns", "-102", D, A, OPER),
	CODE("zns", "-103", D, A, OPER),
	CODE("zns", "-104", D, A, OPER),
	CODE("zns", "-105", D, A, OPER),
	CODE("zns", "-106", D, A, OPER),
	CODE("zns", "-107", R, T, 0),
	CODE("zns", "-109", R, REL, 0),
	CODE("zns", "-110", R, REL, 0),
	CODE("zns", "-111", R, REL, 0),
	CODE("zns", "-112", R, REL, 0),
	CODE("zns", "-1121", R, REL, 0),
	CODE("zns", "-1122", R, REL, 0),
	CODE("zns", "-1123", R, REL, 0),
	CODE("zns", "-1124", R, REL, 0),
	CODE("zns", "-113", R, REL, 0),
	CODE("zns", "-1131", R, REL, 0),
	CODE("zns", "-116", R, REL, 0),
	CODE("zns", "-121", R, REL, 0),
	CODE("zns", "-122", R, REL, 0),
	CODE("zns", "-123", D, L, OPER),
	CODE("zns", "-125", D, L, OPER),
	CODE("zns", "-130", R, REL, 0),
	CODE("zns", "-132", R, REL, 0),
	CODE("zns", "-108", R, T, LT_R_SUPPRESS),
	CODE("zns", "-114", R, T, 0),
	CODE("zns", "-118", R, T, LT_R_SUPPRESS),
	CODE("zns", "-119", R, T, 0),
	CODE("zns", "-139", R, T, LT_R_SUPPRESS),
	CODE("zns", "-140", R, T, LT_R_SUPPRESS),
	CODE("zns", "-141", R, T, LT_R_SUPPRESS),
	CODE("zns", "-117", D, L, OPER),
	CODE("zns", "-120", D, L, OPER),
	CODE("zns", "-135", D, L, OPER),
	CODE("zns", "-1351", D, L, OPER),
	CODE("zns", "-126", D, L, OPER),
	CODE("zns", "-127", R, T, 0),
	CODE("zns", "-131", D, L, OPER),
	CODE("zns", "-136", D, L, OPER),
	CODE("zns", "-138", D, L, OPER),
	CODE("zns", "-1381", D, L, OPER),
	CODE("zns", "-145", D, L, OPER),
	CODE("zns", "-146", D, L, OPER),
	CODE("zns", "-115", D, L, OPER),
	CODE("zns", "-137", D, L, OPER),
	CODE("zns", "-144", D, L, FREE),
	CODE("zns", "-1441", D, L, FREE),
	CODE("zns", "-147", D, L, FREE),
	CODE("zns", "-1471", D, T, FREE),
	CODE("zns", "-1472", D, T, FREE),
	CODE("zns", "-133", D, L, FREE),
	CODE("zns", "-9998", D, T, OPER),
};

static void each(const struct row *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct lt_http_res res = { .struct_size = sizeof(res),
			.status = v[i].status,
			.phase = LT_P_ANSWERED,
			.body = S(v[i].body) };
		struct zalo_answer a ZALO_CLEANUP_ANSWER = { 0 };
		zalo_answer_read(&res, &a);
		assert_false(a.good);
		const struct ltc_outcome_row *r = zalo_classify(table, v[i].phase, &a);
		if (!r || r->outcome != v[i].outcome || r->scope != v[i].scope ||
			r->flags != v[i].flags)
			fail_msg("%s %s: line %d outcome %d scope %d flags %u, wanted %d %d %u",
				v[i].phase, v[i].body, r ? r->line : 0, r ? r->outcome : -1,
				r ? r->scope : -1, r ? r->flags : 0, v[i].outcome, v[i].scope,
				v[i].flags);
		if (v[i].note != NULL && ltc_find(r->note, S(v[i].note), false) == NULL)
			fail_msg("%s %s falls to line %d, not to '%s'", v[i].phase, v[i].body,
				r->line, v[i].note);
	}
}

static void every_code_of_the_oa_api_has_its_meaning(void **state)
{
	(void)state;
	each(oa, sizeof(oa) / sizeof(oa[0]));
}

static void every_code_of_template_messages_has_its_meaning(void **state)
{
	(void)state;
	each(zns, sizeof(zns) / sizeof(zns[0]));
}

/* A question that is refused says nothing about the release or the recipient. */
static void a_refused_question_is_no_refusal_of_what_was_asked_about(void **state)
{
	static const char *const codes[] = { "-201", "-210", "-213", "-217", "-227", "-230", "-232",
		"-233", "-244", "-248", "-249", "-1340", "-1341" };

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		char body[80];
		(void)snprintf(body, sizeof(body), "{\"error\":%s}", codes[i]);
		const struct row r = { "read", body, 200, D, A, 0, "a question is refused" };
		each(&r, 1);
	}
}

/* The recipient's codes where no row of the phase says more. */
static void a_recipient_who_cannot_be_reached_is_told_in_every_phase(void **state)
{
	static const char *const codes[] = { "-213", "-217", "-227", "-230", "-232", "-233",
		"-244" };
	static const char *const phases[] = { "upload", "zns", "cast", "article" };

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		for (size_t k = 0; k < sizeof(phases) / sizeof(phases[0]); k++) {
			char body[80];
			(void)snprintf(body, sizeof(body), "{\"error\":%s}", codes[i]);
			const struct row r = { phases[k], body, 200, R, T, 0, NULL };
			each(&r, 1);
		}
}

/* No connection, no answer, no JSON, nothing at all: what people could have seen is unknown, the rest is asked or done again. */
static void silence_and_pages_mean_the_same_by_phase(void **state)
{
	static const struct {
		const char *phase, *note;
		int outcome, scope;
		unsigned flags;
	} phases[] = { { "read", "no sensible answer", D, A, FREE },
		{ "article", "may have been made", ZALO_O_LOST, T, 0 },
		{ "verify", "asked again", ZALO_O_POLL, T, 0 },
		{ "cast", "broadcast may have gone out", U, T, 0 },
		{ "message", "message may have gone out", U, T, 0 },
		{ "zns", "message may have gone out", U, T, 0 },
		{ "upload", "done again", D, A, FREE } };
	static const struct {
		uint32_t phase;
		int status;
		const char *body;
		uint32_t truncated;
	} said[] = { { LT_P_MAYBE_SENT, 0, "", 0 }, { LT_P_ANSWERED, 200, "<html>", 0 },
		{ LT_P_ANSWERED, 302, "moved", 0 }, { LT_P_ANSWERED, 404, "<html>", 0 },
		{ LT_P_ANSWERED, 502, "<html>", 0 }, { LT_P_ANSWERED, 200, "", 0 },
		{ LT_P_ANSWERED, 503, " ", 0 }, { LT_P_ANSWERED, 200, "", 1 },
		{ LT_P_ANSWERED, 200, "{\"error\":-2", 1 }, { LT_P_ANSWERED, 502, "<ht", 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		for (size_t k = 0; k <= sizeof(said) / sizeof(said[0]); k++) {
			struct lt_http_res res = { .struct_size = sizeof(res),
				.phase = LT_P_NOT_SENT };
			struct zalo_answer a ZALO_CLEANUP_ANSWER = { 0 };
			bool unsent = k == sizeof(said) / sizeof(said[0]);
			if (!unsent) {
				res.phase = said[k].phase;
				res.status = said[k].status;
				res.truncated = said[k].truncated;
				res.body = S(said[k].body);
			}
			zalo_answer_read(&res, &a);
			if (res.truncated != 0)
				assert_string_equal(a.code, "lost");
			const struct ltc_outcome_row *r = zalo_classify(table, phases[i].phase, &a);
			assert_int_equal(r->outcome, unsent ? D : phases[i].outcome);
			assert_int_equal(r->scope, unsent ? A : phases[i].scope);
			assert_int_equal(r->flags, unsent ? FREE : phases[i].flags);
			if (!unsent && ltc_find(r->note, S(phases[i].note), false) == NULL)
				fail_msg("%s of phase %s falls to line %d", a.code, phases[i].phase,
					r->line);
		}
}

static void what_was_not_sent_is_never_unknown(void **state)
{
	static const char *const phases[] = { "read", "article", "verify", "cast", "message",
		"upload", "zns" };

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		struct lt_http_res res = { .struct_size = sizeof(res), .phase = LT_P_NOT_SENT };
		struct zalo_answer a;
		zalo_answer_read(&res, &a);
		assert_int_equal(zalo_classify(table, phases[i], &a)->outcome, LT_DEFERRED);
		res.phase = LT_P_MAYBE_SENT;
		zalo_answer_read(&res, &a);
		bool seen = i == 3 || i == 4 || i == 6;
		assert_int_equal(zalo_classify(table, phases[i], &a)->outcome == LT_UNKNOWN, seen);
	}
}

static void a_table_with_a_hole_is_refused(void **state)
{
	char err[300] = "";
	struct ltc_outcomes *t = NULL;

	(void)state;
	assert_int_equal(ltc_outcomes_parse(
				 LTC_LIT("phase\tcode\tsub\toutcome\tscope\tflags\tretry_s\tnote\n"
					 "cast\t-1\t*\tunknown\ttarget\t-\t-\tx\n"),
				 "t", &zalo_outcome_words, &t, err, sizeof(err)),
		0);
	assert_true(zalo_outcomes_check(t, err, sizeof(err)) < 0);
	assert_non_null(strstr(err, "no row of phase read"));
	ltc_outcomes_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_of_the_oa_api_has_its_meaning),
		cmocka_unit_test(every_code_of_template_messages_has_its_meaning),
		cmocka_unit_test(a_refused_question_is_no_refusal_of_what_was_asked_about),
		cmocka_unit_test(a_recipient_who_cannot_be_reached_is_told_in_every_phase),
		cmocka_unit_test(silence_and_pages_mean_the_same_by_phase),
		cmocka_unit_test(what_was_not_sent_is_never_unknown),
		cmocka_unit_test(a_table_with_a_hole_is_refused),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
