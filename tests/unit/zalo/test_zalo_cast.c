/* test_zalo_cast.c - a broadcast against the scripted host: each of its articles is looked at, it goes out once, and a lost answer
 * is never followed by another. */
#include "zalo_scene.h"

#define CAST    ZALO_MAGIC "kind cast\ncast {\"cities\":\"9\"}\n\n"
#define SHOWN   "{\"data\":{\"id\":\"x\",\"status\":\"show\"},\"error\":0}"
#define HIDDEN  "{\"data\":{\"id\":\"x\",\"status\":\"hide\"},\"error\":0}"
#define CAST_OK "{\"data\":{\"message_id\":\"b1\"},\"error\":0}"

static const struct lt_id articles[] = { { 0, 0, LTC_LIT("9ab3") }, { 0, 0, LTC_LIT("77") },
	{ 0, 0, LTC_LIT("78") }, { 0, 0, LTC_LIT("79") }, { 0, 0, LTC_LIT("80") },
	{ 0, 0, LTC_LIT("81") } };

static int setup(void **state)
{
	(void)state;
	return scene_open(NULL);
}

static size_t begin(size_t n)
{
	size_t op = sh_op(h, ses, "oa:3300112233445500100", "REF1", CAST, 0);

	h->jobs[op]->work.ids = articles;
	h->jobs[op]->work.n_ids = n;
	h->jobs[op]->work.deadline_ms = 0;
	assert_int_equal(sh_start(h, op, 1), 0);
	sh_turn(h);
	return op;
}

/* Every article is asked for, in its order, before the word that it goes out is saved. */
static void looked_at(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char want[60];
		(void)snprintf(want, sizeof(want), "id=%s\n", articles[i].id.p);
		assert_non_null(strstr(last_call(h)->url, "/v2.0/article/getdetail"));
		assert_non_null(strstr(last_call(h)->query, want));
		answer(h, SHOWN);
	}
	sh_turn(h);
	sh_turn(h);
}

static void a_broadcast_carries_its_articles_and_is_never_repeated(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 5; n++) {
		char want[600] = "";
		size_t op = begin(n);
		looked_at(n);
		assert_memory_equal(sh_last_note(h, "save")->text, "cast=", 5);
		assert_non_null(strstr(last_call(h)->url, "/v2.0/oa/message"));
		assert_int_equal(last_call(h)->flags, LT_PUBLISHES);
		assert_non_null(strstr(last_call(h)->body, "\"target\":{\"cities\":\"9\"}"));
		for (size_t i = 0; i < n; i++)
			(void)snprintf(want + strlen(want), sizeof(want) - strlen(want),
				"%s{\"media_type\":\"article\",\"attachment_id\":\"%s\"}",
				i ? "," : "\"elements\":[", articles[i].id.p);
		(void)snprintf(want + strlen(want), sizeof(want) - strlen(want), "]");
		assert_non_null(strstr(last_call(h)->body, want));
		size_t calls = h->n_http;
		sh_answer(h, calls - 1, LT_P_MAYBE_SENT, 0, "");
		sh_turn(h);
		assert_int_equal(sh_result(h, op)->outcome, LT_UNKNOWN);
		assert_int_equal(h->n_http, calls);
		assert_int_equal(sh_result(h, op)->n_ids, 1); /* its own, no article */
		assert_string_equal(sh_result(h, op)->id, "broadcast");
	}
}

static void an_accepted_broadcast_tells_its_own_id_alone(void **state)
{
	(void)state;
	size_t op = begin(2);
	looked_at(2);
	answer(h, CAST_OK);
	assert_int_equal(sh_result(h, op)->outcome, LT_ACCEPTED);
	assert_int_equal(sh_result(h, op)->n_ids, 1);
	assert_string_equal(sh_result(h, op)->id, "b1");
}

static void a_yes_without_its_id_is_unknown(void **state)
{
	(void)state;
	size_t op = begin(2);
	looked_at(2);
	answer(h, "{\"error\":0,\"message\":\"Success\"}");
	assert_int_equal(sh_result(h, op)->outcome, LT_UNKNOWN);
	assert_non_null(strstr(sh_result(h, op)->text, "console"));
}

static void a_hidden_or_missing_article_asks_a_person_before_anything_is_spent(void **state)
{
	static const char *const answers[] = { HIDDEN,
		"{\"error\":-201,\"message\":\"id is invalid\"}" };
	static const char *const said[] = { "article 77 of this broadcast is hidden",
		"article 77 of this broadcast is not on this OA" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		size_t op = begin(2), calls;
		looked_at(1);
		answer(h, answers[i]);
		assert_true(sh_result(h, op)->done);
		assert_int_equal(sh_result(h, op)->outcome, LT_DEFERRED);
		assert_int_equal(sh_result(h, op)->scope, LT_SCOPE_TARGET);
		assert_int_equal(sh_result(h, op)->flags, LT_R_FREE | LT_R_PERSON);
		assert_memory_equal(sh_result(h, op)->text, said[i], strlen(said[i]));
		calls = h->n_http;
		sh_turn(h);
		assert_int_equal(h->n_http, calls);
	}
}

static void without_an_article_or_with_six_it_does_not_begin(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		size_t op = begin(i ? 6 : 0);
		assert_int_equal(h->n_http, 0);
		assert_int_equal(sh_result(h, op)->outcome, LT_DEFERRED);
		assert_true((sh_result(h, op)->flags & LT_R_PERSON) != 0);
	}
}

static void a_spent_allowance_waits_and_stops_no_article(void **state)
{
	static const char *const codes[] = { "{\"error\":-211,\"message\":\"Out of quota\"}",
		"{\"error\":-234,\"message\":\"Not allowed at this time\"}" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		size_t op = begin(1);
		looked_at(1);
		answer(h, codes[i]);
		assert_int_equal(sh_result(h, op)->outcome, LT_DEFERRED);
		assert_int_equal(sh_result(h, op)->scope, LT_SCOPE_TARGET);
		assert_int_equal(sh_result(h, op)->flags, LT_R_FREE);
		assert_true(sh_result(h, op)->retry_after_ms >= 1800000);
		assert_int_equal(sh_result(h, op)->n_ids, 0); /* nothing went out */
	}
}

static void a_stop_before_it_goes_sends_nothing_and_one_behind_it_waits_for_the_answer(void **state)
{
	(void)state;
	size_t op = begin(2), calls = h->n_http;
	sh_cancel(h, op);
	sh_turn(h);
	assert_int_equal(sh_result(h, op)->outcome, LT_DEFERRED);
	assert_int_equal(h->n_http, calls);
	op = begin(1);
	looked_at(1);
	sh_cancel(h, op);
	sh_turn(h);
	assert_false(sh_result(h, op)->done);
	answer(h, CAST_OK);
	assert_int_equal(sh_result(h, op)->outcome, LT_ACCEPTED);
}

static size_t question(uint32_t kind)
{
	static struct lt_pair step = { .name = LTC_LIT("cast"), .value = LTC_LIT("1789000000000") };
	static const struct lt_id id = { 1, 0, LTC_LIT("broadcast") };
	size_t op = sh_op(h, ses, "oa:3300112233445500100", "REF1", "", 0);

	h->jobs[op]->job.kind = kind;
	h->jobs[op]->work.n_payload = 0;
	h->jobs[op]->work.ids = &id;
	h->jobs[op]->work.n_ids = 1;
	h->jobs[op]->work.steps = &step;
	h->jobs[op]->work.n_steps = 1;
	assert_int_equal(sh_start(h, op, 1), 0);
	sh_turn(h);
	return op;
}

static void a_question_about_a_broadcast_asks_nobody_and_proves_nothing(void **state)
{
	(void)state;
	size_t op = question(LT_J_RECONCILE);
	assert_int_equal(h->n_http, 0);
	assert_int_equal(sh_result(h, op)->outcome, LT_UNKNOWN);
	assert_non_null(strstr(sh_result(h, op)->text, "then resolve"));
}

static void a_broadcast_cannot_be_taken_back(void **state)
{
	(void)state;
	size_t op = question(LT_J_RECALL);
	assert_int_equal(h->n_http, 0);
	assert_int_equal(sh_result(h, op)->outcome, LT_REFUSED);
}

int main(void)
{
#define T1(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T1(a_broadcast_carries_its_articles_and_is_never_repeated),
		T1(an_accepted_broadcast_tells_its_own_id_alone),
		T1(a_yes_without_its_id_is_unknown),
		T1(a_hidden_or_missing_article_asks_a_person_before_anything_is_spent),
		T1(without_an_article_or_with_six_it_does_not_begin),
		T1(a_spent_allowance_waits_and_stops_no_article),
		T1(a_stop_before_it_goes_sends_nothing_and_one_behind_it_waits_for_the_answer),
		T1(a_question_about_a_broadcast_asks_nobody_and_proves_nothing),
		T1(a_broadcast_cannot_be_taken_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
