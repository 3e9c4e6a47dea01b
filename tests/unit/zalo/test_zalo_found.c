/* test_zalo_found.c - what is found at Zalo and whose it is: an article of the same title, a mark in a link, a message in a talk. What
 * is somebody else's is left alone, what is proven ours is told as gone out. */
#include "zalo_scene.h"

#define MEDIA(id, status)                                                \
	"{\"id\":\"" id "\",\"title\":\"Khai mạc\",\"status\":\"" status \
	"\",\"create_date\":1789000001000,\"link_view\":\"https://l/" id "\"}"
#define LIST(all)       "{\"data\":{\"medias\":[" all "],\"total\":1},\"error\":0}"
#define DETAIL(members) "{\"data\":{" members "},\"error\":0}"

static int setup(void **state)
{
	(void)state;
	return scene_open("poll_ms", "1000", "find_wait_ms", "8000", NULL);
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

	assert_false(c->answered);
	if (!strstr(c->url, path))
		fail_msg("call %zu goes to %s, not %s", h->n_http, c->url, path);
	answer(h, body);
}

static void saved(const char *text)
{
	const struct sh_note *n = sh_last_note(h, "save");

	assert_non_null(n);
	assert_string_equal(n->text, text);
}

static size_t begin(const struct lt_pair *steps, size_t n_steps)
{
	size_t op = article_op(h, ses, ARTICLE_HEAD "\n");

	h->jobs[op]->work.steps = steps;
	h->jobs[op]->work.n_steps = n_steps;
	assert_int_equal(sh_start(h, op, 1), 0);
	sh_turn(h);
	return op;
}

static const struct lt_pair begun = { LTC_LIT("begun"), LTC_LIT("1789000000000"), { NULL, 0 } };

/* --- whose article ------------------------------------------------------------------------------------------------------------ */
/* Section 4: "A create that failed made no article": the next try begins with the look again, for a person may have posted it since. */
static void after_a_definite_no_the_next_try_looks_again(void **state)
{
	static const struct {
		uint32_t phase;
		const char *body, *code;
		int scope;
		unsigned flags;
	} rows[] = { { LT_P_ANSWERED, "{\"error\":-32,\"message\":\"app limit\"}", "-32",
			     LT_SCOPE_CHANNEL, LT_R_FREE },
		{ LT_P_ANSWERED, "{\"error\":-200,\"message\":\"failed\"}", "-200", LT_SCOPE_TARGET,
			0 },
		{ LT_P_ANSWERED, "{\"error\":-204,\"message\":\"disabled\"}", "-204",
			LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
		{ LT_P_NOT_SENT, "", "unsent", LT_SCOPE_ACCOUNT, LT_R_FREE } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t op = begin(NULL, 0);
		say("/article/getslice", NONE);
		assert_non_null(strstr(last_call(h)->url, "/article/create"));
		assert_string_not_equal(sh_last_note(h, "save")->text, "begun=");
		sh_answer(h, h->n_http - 1, rows[i].phase, 200, rows[i].body);
		sh_turn(h);
		saved("begun=");
		assert_int_equal(sh_result(h, op)->outcome, LT_DEFERRED);
		assert_int_equal(sh_result(h, op)->scope, rows[i].scope);
		assert_int_equal(sh_result(h, op)->flags, rows[i].flags);
		assert_string_equal(sh_result(h, op)->code, rows[i].code);
	}
	size_t op = begin(NULL, 0);
	say("/article/getslice", NONE);
	say("/article/create", "{\"error\":-201,\"message\":\"title allow 1 to 150\"}");
	saved("begun=");
	assert_int_equal(sh_result(h, op)->outcome, LT_REFUSED);
	assert_int_equal(sh_result(h, op)->scope, LT_SCOPE_RELEASE);
	assert_non_null(strstr(sh_result(h, op)->text, "too long: title allow 1 to 150"));
}

/* Ours is never shown before the step `article` is saved. */
static void a_shown_article_without_a_mark_is_a_persons(void **state)
{
	static const struct {
		const char *list, *detail;
		bool ours;
	} rows[] = { { LIST(MEDIA("5", "show")), DETAIL("\"id\":\"5\",\"status\":\"show\""),
			     false },
		{ LIST(MEDIA("5", "show")), DETAIL("\"id\":\"5\""), false },
		{ LIST(MEDIA("5", "hide")), DETAIL("\"id\":\"5\",\"status\":\"show\""), false },
		{ LIST(MEDIA("5", "hide")), DETAIL("\"id\":\"5\",\"status\":\"hide\""), true },
		{ LIST(MEDIA("5", "hide")), DETAIL("\"id\":\"5\""), true },
		{ LIST(MEDIA("5", "show")),
			DETAIL("\"id\":\"5\",\"status\":\"show\",\"tracking_link\":\"https://p?lt=REF1\""),
			true } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t op = begin(&begun, 1);
		wait_ms(1001);
		say("/article/getslice", rows[i].list);
		say("/article/getdetail", rows[i].detail);
		if (rows[i].ours) {
			saved("article=5");
			say("/article/update", TOKEN);
			sh_cancel(h, op);
			continue;
		}
		saved("guarded=5");
		assert_int_equal(sh_result(h, op)->outcome, LT_DEFERRED);
		assert_int_equal(sh_result(h, op)->flags, LT_R_PERSON | LT_R_FREE);
		assert_string_equal(sh_result(h, op)->code, "already-there");
		assert_string_equal(sh_result(h, op)->url, "https://l/5");
	}
}

/* "lantoa retry: to post it all the same": the article that was shown to that person does not hold it again. */
static void after_the_word_of_a_person_it_is_passed_over(void **state)
{
	const struct lt_pair steps[] = { begun, { LTC_LIT("guarded"), LTC_LIT("5"), { NULL, 0 } } };

	(void)state;
	size_t op = begin(steps, 2);
	wait_ms(1001);
	say("/article/getslice", LIST(MEDIA("5", "show") "," MEDIA("6", "hide")));
	say("/article/getdetail", DETAIL("\"id\":\"5\",\"status\":\"show\""));
	say("/article/getslice", LIST(MEDIA("5", "show") "," MEDIA("6", "hide")));
	say("/article/getdetail",
		DETAIL("\"id\":\"6\",\"status\":\"hide\",\"tracking_link\":\"https://p?lt=REF1\""));
	saved("article=6");
	say("/article/update", TOKEN);
	sh_cancel(h, op);
	(void)begin(steps, 2);
	for (int i = 0; i < 40 && !strstr(last_call(h)->url, "/article/create"); i++) {
		if (last_call(h)->answered)
			wait_ms(2001);
		else if (strstr(last_call(h)->url, "getslice"))
			say("/article/getslice", LIST(MEDIA("5", "show")));
		else
			say("/article/getdetail",
				DETAIL("\"id\":\"5\",\"status\":\"show\",\"tracking_link\":\"https://q?lt=X\""));
	}
	say("/article/create", TOKEN);
}

/* A create whose answer was lost stays looked for, whatever a later one is answered. */
static void what_may_have_been_made_unseen_is_not_forgotten(void **state)
{
	(void)state;
	size_t op = begin(&begun, 1);
	for (int i = 0; i < 12 && (i == 0 || !strstr(last_call(h)->url, "/article/create")); i++)
		if (h->n_http == 0 || last_call(h)->answered)
			wait_ms(2001);
		else
			say("/article/getslice", NONE);
	say("/article/create", "{\"error\":-32,\"message\":\"app limit\"}");
	assert_int_equal(sh_result(h, op)->outcome, LT_DEFERRED);
	assert_int_equal(strncmp(sh_last_note(h, "save")->text, "begun=1", 7), 0);
}

static void a_mark_is_the_last_of_its_name_and_ends_where_its_value_ends(void **state)
{
	static const struct {
		const char *link;
		int mark;
	} rows[] = { { "https://portal.example/2?result=5&utm_source=zalo&utm_medium=oa&lt=REF1",
			     1 },
		{ "https://portal.example/?lt=9&utm_medium=oa&lt=REF1", 1 },
		{ "https://p?lt=REF1", 1 }, { "https://p?lt=REF1&zarsrc=31", 1 },
		{ "https://p?a=1&lt=REF1#top", 1 }, { "https://p?lt=REF1&lt=REF2", 0 },
		{ "https://p?lt=REF12", 0 }, { "https://p?lt=REF", 0 }, { "https://p?lt=", 0 },
		{ "https://p?alt=REF1", 0 }, { "https://p/?result=5", 0 }, { "", -1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char body[300];
		struct lt_http_res res = {
			.struct_size = sizeof(res), .status = 200, .phase = LT_P_ANSWERED
		};
		struct zalo_answer a ZALO_CLEANUP_ANSWER = { 0 };
		(void)snprintf(body, sizeof(body),
			"{\"data\":{\"tracking_link\":\"%s\"},\"error\":0}", rows[i].link);
		res.body = S(body);
		zalo_answer_read(&res, &a);
		if (zalo_detail_mark(&a, LTC_LIT("REF1")) != rows[i].mark)
			fail_msg("'%s' is not %d", rows[i].link, rows[i].mark);
	}
}

/* A stop while a call is under way that people may see: its answer is waited for. No new token was asked for. */
static void a_stale_token_of_an_op_that_is_stopped_asks_no_person(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		size_t op = i == 0 ? group_begin() : phone_begin();
		sh_cancel(h, op);
		assert_false(sh_result(h, op)->done);
		answer(h,
			i == 0 ? "{\"error\":-216,\"message\":\"Access token is invalid\"}"
			       : "{\"error\":-124,\"message\":\"Access token is invalid\"}");
		assert_int_equal(sh_result(h, op)->outcome, LT_DEFERRED);
		assert_int_equal(sh_result(h, op)->flags, LT_R_FREE);
		assert_null(sh_last_note(h, "refresh"));
	}
}

/* Section 10, -200 at verify: "media: new URL". The host's address names the hour of its end. */
static void each_try_has_other_addresses_of_its_pictures(void **state)
{
	int64_t last = 0;

	(void)state;
	for (uint32_t try_no = 1; try_no <= 4; try_no++) {
		size_t op = article_op(h, ses, ARTICLE_HEAD "\n");
		struct sh_job *j = h->jobs[op];
		j->payload[2] = (struct lt_src){ .asset = LTC_LIT("a1"), .length = 1 };
		j->work.n_payload = 3;
		j->work.try_no = try_no;
		assert_int_equal(sh_start(h, op, 1), 0);
		sh_turn(h);
		say("/article/getslice", NONE);
		int64_t lives = sh_last_note(h, "asset_url")->value;
		assert_true(lives >= INT64_C(72) * 3600000 && lives <= INT64_C(172) * 3600000);
		if (try_no > 1)
			assert_int_equal(lives - last, 3600000);
		last = lives;
		say("/article/create", TOKEN);
		wait_ms(1000);
		say("/article/verify", ID); /* shown with the same */
		assert_int_equal(sh_last_note(h, "asset_url")->value, lives);
		sh_cancel(h, op);
		answer(h, TOKEN);
	}
}

/* --- whose message ------------------------------------------------------------------------------------------------------------ */
/* What announces a message says of how many it is one: the question has no payload to count by. */
static void a_message_that_is_tried_says_of_how_many_it_is_one(void **state)
{
	char want[80];

	(void)state;
	(void)group_begin();
	(void)snprintf(want, sizeof(want), "try0=1789000000000 %016llx 1",
		(unsigned long long)LTC_HASH_SEED);
	saved(want);
}

static size_t ask(const char *try0, const char *sent0, const char *try1)
{
	static struct lt_pair steps[3];
	size_t n = 0, op = sh_op(h, ses, "user:4102938475610000010", "R", "", 0);
	struct sh_job *j = h->jobs[op];

	steps[n++] = (struct lt_pair){ .name = S("try0"), .value = S(try0) };
	if (sent0 != NULL)
		steps[n++] = (struct lt_pair){ .name = S("sent0"), .value = S(sent0) };
	if (try1 != NULL)
		steps[n++] = (struct lt_pair){ .name = S("try1"), .value = S(try1) };
	j->job.kind = LT_J_RECONCILE;
	j->work.payload = NULL;
	j->work.n_payload = 0;
	j->work.steps = steps;
	j->work.n_steps = n;
	assert_int_equal(sh_start(h, op, 1), 0);
	sh_turn(h);
	return op;
}

#define TALK                                                                                       \
	"{\"data\":[{\"src\":0,\"time\":1789000000500,\"message\":\"Hai\",\"message_id\":\"m2\"}," \
	"{\"src\":0,\"time\":1789000000400,\"message\":\"Chào\",\"message_id\":\"m1\"}],\"error\":0}"

/* Section 11: "conversation: same text, time >= start" says that it took place. */
static void a_message_that_is_found_has_gone_out_unless_more_follow(void **state)
{
	char try[80];

	(void)state;
	for (int of = 0; of <= 2; of++) { /* 0: an earlier build did not say */
		(void)snprintf(try, sizeof(try), "1789000000000 %016llx%s",
			(unsigned long long)ltc_hash(LTC_HASH_SEED, S("Chào")),
			of == 0           ? ""
				: of == 1 ? " 1"
					  : " 2");
		size_t op = ask(try, NULL, NULL);
		say("/v2.0/oa/conversation", TALK);
		assert_int_equal(sh_result(h, op)->outcome, of == 1 ? LT_ACCEPTED : LT_DEFERRED);
		assert_string_equal(sh_result(h, op)->code, of == 1 ? "asked" : "absent");
		assert_int_equal(sh_result(h, op)->n_ids, 1);
		assert_string_equal(sh_result(h, op)->id, "m1");
		if (of != 1)
			saved("sent0=m1");
	}
	/* the last of two */
	(void)snprintf(try, sizeof(try), "1789000000000 %016llx 2",
		(unsigned long long)ltc_hash(LTC_HASH_SEED, S("Hai")));
	size_t op = ask("1789000000000 0000000000000001 2", "m1", try);
	say("/v2.0/oa/conversation", TALK);
	assert_int_equal(sh_result(h, op)->outcome, LT_ACCEPTED);
	assert_int_equal(sh_result(h, op)->n_ids, 2);
}

static void a_message_that_is_not_found_or_was_noted_oddly_stays_unknown(void **state)
{
	static const struct {
		const char *before, *text, *behind;
	} odd[] = { { "1789000000000 ", "Xin", " 1" }, { "1789000200000 ", "Chào", " 1" },
		{ "", "Chào", " 1" }, { "1789000000000 0", "Chào", " 1" },
		{ "1789000000000 ", "Chào", " x" }, { "1789000000000 ", "Chào", " " },
		{ "1789000000000 ", "Chào", " 1 " }, { "1789000000000 ", "Chào", " 0" },
		{ "1789000000000 ", "Chào", " 11" }, { "1789000000000 ", "Chào", "1" } };
	char try[80];

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		(void)snprintf(try, sizeof(try), "%s%016llx%s", odd[i].before,
			(unsigned long long)ltc_hash(LTC_HASH_SEED, S(odd[i].text)), odd[i].behind);
		size_t op = ask(try, NULL, NULL);
		say("/v2.0/oa/conversation", TALK);
		if (sh_result(h, op)->outcome != LT_UNKNOWN)
			fail_msg("'%s' ends %d", try, sh_result(h, op)->outcome);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(after_a_definite_no_the_next_try_looks_again),
		T(a_shown_article_without_a_mark_is_a_persons),
		T(after_the_word_of_a_person_it_is_passed_over),
		T(what_may_have_been_made_unseen_is_not_forgotten),
		T(a_mark_is_the_last_of_its_name_and_ends_where_its_value_ends),
		T(a_stale_token_of_an_op_that_is_stopped_asks_no_person),
		T(each_try_has_other_addresses_of_its_pictures),
		T(a_message_that_is_tried_says_of_how_many_it_is_one),
		T(a_message_that_is_found_has_gone_out_unless_more_follow),
		T(a_message_that_is_not_found_or_was_noted_oddly_stays_unknown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
