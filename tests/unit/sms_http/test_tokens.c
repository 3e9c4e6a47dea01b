/* test_tokens.c - tokens of a gateway: fetched before the first text, renewed once, stored before they are used. */
#include <errno.h>
#include "smshtest.h"

static void a_token_is_fetched_before_the_first_text_and_renewed_once(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "fpt");
	sh_secret(g.h, "access_token", "old");
	assert_int_equal(gate_open(&g), 0);
	size_t op = gate_send(&g, "+84912345678", "r1", PAYLOAD_GSM);
	sh_answer(g.h, 0, LT_P_ANSWERED, 400,
		"{\"error\":1011}"); /* refresh, answered by the scripted host */
	assert_int_equal(gate_notes(g.h, "refresh"), 1);
	assert_int_equal(g.h->n_http, 2); /* the same request again */
	assert_false(sh_result(g.h, op)->done);
	sh_answer(g.h, 1, LT_P_ANSWERED, 400, "{\"error\":1013}");
	assert_int_equal(gate_notes(g.h, "refresh"), 1);
	assert_int_equal(sh_result(g.h, op)->outcome, LT_DEFERRED);
	assert_int_equal(sh_result(g.h, op)->scope, LT_SCOPE_ACCOUNT);
	assert_int_equal(sh_result(g.h, op)->flags, LT_R_FREE | LT_R_PERSON);
	gate_free(&g);
}

/* A gateway in front of it knows no codes: its 401 says the same, and that nothing was taken. */
static void a_401_without_a_code_renews_the_token(void **state)
{
	static const char *const rows[][2] = { { "fpt", "{\"MessageId\":\"m1\"}" },
		{ "vietguys-v2", "{\"error\":0,\"data\":{\"msgid\":\"m1\"}}" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gate g;
		gate_new(&g, rows[i][0]);
		sh_secret(g.h, "access_token", "old");
		assert_int_equal(gate_open(&g), 0);
		size_t op = gate_send(&g, "+84912345678", "r1", PAYLOAD_GSM);
		sh_answer(g.h, 0, LT_P_ANSWERED, 401, "{\"error\":\"invalid_token\"}");
		assert_int_equal(gate_notes(g.h, "refresh"), 1);
		assert_int_equal(g.h->n_http, 2);
		sh_answer(g.h, 1, LT_P_ANSWERED, 200, rows[i][1]);
		assert_int_equal(sh_result(g.h, op)->outcome, LT_ACCEPTED);
		assert_string_equal(sh_result(g.h, op)->id, "m1");
		gate_free(&g);
	}
}

static int (*refresh_of_host)(
	void *ctx, struct lt_job *job, struct lt_str credential, uint64_t version);
static int refresh_gives(void *ctx, struct lt_job *job, struct lt_str credential, uint64_t version)
{
	sh_secret(ctx, "access_token", "fresh");
	return refresh_of_host(ctx, job, credential, version);
}

/* Contract 3.1: 1011 renews the token once, also when the one that was refused had only just been fetched. */
static void a_fresh_token_that_is_refused_is_renewed_once_too(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "fpt"); /* without a token: the op waits for one */
	refresh_of_host = g.h->host.refresh;
	g.h->host.refresh = refresh_gives;
	assert_int_equal(gate_open(&g), 0);
	size_t op = gate_send(&g, "+84912345678", "r1", PAYLOAD_GSM);
	sh_turn(g.h);
	assert_int_equal(gate_notes(g.h, "refresh"), 1);
	assert_int_equal(g.h->n_http, 1);
	sh_answer(g.h, 0, LT_P_ANSWERED, 400, "{\"error\":1011}");
	assert_int_equal(gate_notes(g.h, "refresh"), 2);
	assert_int_equal(g.h->n_http, 2);
	sh_answer(g.h, 1, LT_P_ANSWERED, 200, "{\"MessageId\":\"m1\"}");
	assert_int_equal(sh_result(g.h, op)->outcome, LT_ACCEPTED);
	op = gate_send(&g, "+84912345678", "r2", PAYLOAD_GSM);
	sh_answer(g.h, 2, LT_P_ANSWERED, 400, "{\"error\":1011}");
	sh_answer(g.h, 3, LT_P_ANSWERED, 400, "{\"error\":1011}");
	assert_int_equal(sh_result(g.h, op)->flags, LT_R_FREE | LT_R_PERSON); /* and no more */
	assert_int_equal(g.h->n_http, 4);
	gate_free(&g);
}

/* While the channel closes, for one; where a person must log in the host parks the account by itself. */
static void a_token_that_cannot_be_had_now_asks_no_person(void **state)
{
	(void)state;
	static const struct {
		int rc, error;
		uint32_t flags;
	} row[] = { { -LT_E_CLOSED, 0, LT_R_FREE }, { -LT_E_FULL, 0, LT_R_FREE },
		{ 0, -EAGAIN, LT_R_FREE }, { 0, -EKEYREJECTED, LT_R_FREE },
		{ -LT_E_INVALID, 0, LT_R_FREE | LT_R_PERSON } };
	for (size_t i = 0; i < 2 * sizeof(row) / sizeof(row[0]); i++) {
		struct gate g;
		gate_new(&g, "fpt");
		if (i % 2)
			sh_secret(g.h, "access_token", "old");
		g.h->refresh_rc = row[i / 2].rc;
		g.h->refresh_error = row[i / 2].error;
		assert_int_equal(gate_open(&g), 0);
		size_t op = gate_send(&g, "+84912345678", "r1", PAYLOAD_GSM);
		sh_turn(g.h);
		if (i % 2)
			sh_answer(g.h, 0, LT_P_ANSWERED, 400, "{\"error\":1011}");
		assert_int_equal(gate_notes(g.h, "refresh"), 1);
		assert_int_equal(sh_result(g.h, op)->outcome, LT_DEFERRED);
		assert_int_equal(sh_result(g.h, op)->scope, LT_SCOPE_ACCOUNT);
		assert_int_equal(sh_result(g.h, op)->flags, row[i / 2].flags);
		gate_free(&g);
	}
}

static size_t token_job(struct gate *g, uint32_t kind, const char *text)
{
	size_t j = sh_job(g->h, kind, NULL);

	g->h->jobs[j]->work.text = (struct lt_str){ text, strlen(text) };
	(void)sh_start(g->h, j, 1);
	return j;
}

struct end {
	uint32_t phase;
	int32_t status;
	const char *body;
	int outcome;
	uint32_t flags;
};

/* Each in an exchange of its own. */
static void ends_are(struct gate *g, const struct end *ends, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t at = g->h->n_http, j = token_job(g, LT_J_REFRESH, "");
		sh_answer(g->h, at, ends[i].phase, ends[i].status, ends[i].body);
		assert_int_equal(sh_result(g->h, j)->outcome, ends[i].outcome);
		assert_int_equal(sh_result(g->h, j)->flags, ends[i].flags);
	}
}

static void the_exchange_stores_what_it_got_before_it_ends(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "vietguys-v2");
	assert_int_equal(gate_open(&g), 0);
	size_t j = token_job(&g, LT_J_REFRESH, "");
	assert_string_equal(g.h->http[0].url, "https://api-v2.vietguys.biz:4438/token/v1/refresh");
	assert_int_equal(g.h->http[0].flags, LT_PUBLISHES | LT_SECRET_ANSWER);
	assert_non_null(strstr(g.h->http[0].body, "Refresh-Token: geheim\n"));
	sh_answer(g.h, 0, LT_P_ANSWERED, 200,
		"{\"data\":{\"access_token\":\"A\",\"refresh_token\":\"B\",\"expires_in\":600}}");
	assert_int_equal(gate_notes(g.h, "secret_put"), 2);
	assert_int_equal(sh_last_note(g.h, "secret_put")->value, g.h->wall + 600000);
	assert_int_equal(sh_result(g.h, j)->outcome, LT_ACCEPTED);
	static const struct end ends[] = { { LT_P_NOT_SENT, 0, NULL, LT_DEFERRED, 0 },
		{ LT_P_MAYBE_SENT, 0, NULL, LT_UNKNOWN, 0 },
		{ LT_P_ANSWERED, 401, "{}", LT_REFUSED, 0 },
		{ LT_P_ANSWERED, 429, "", LT_DEFERRED, 0 },
		{ LT_P_ANSWERED, 502, "<html>", LT_UNKNOWN, 0 },
		{ LT_P_ANSWERED, 503, "{\"error\":\"later\"}", LT_UNKNOWN, 0 },
		{ LT_P_ANSWERED, 200, "{\"x\":1}", LT_REFUSED, 0 } };
	ends_are(&g, ends, sizeof(ends) / sizeof(ends[0]));
	assert_int_equal(gate_notes(g.h, "secret_put"), 2);
	gate_free(&g);
}

/* Dead is for refresh tokens: there is nothing that a person could log in with here. */
static void an_exchange_that_spends_nothing_is_asked_for_again_whatever_it_came_to(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "fpt");
	assert_int_equal(gate_open(&g), 0);
	static const struct end ends[] = { { LT_P_NOT_SENT, 0, NULL, LT_DEFERRED, 0 },
		{ LT_P_MAYBE_SENT, 0, NULL, LT_DEFERRED, 0 },
		{ LT_P_ANSWERED, 400, "{\"error\":\"invalid_client\"}", LT_DEFERRED,
			LT_R_FREE | LT_R_PERSON },
		{ LT_P_ANSWERED, 502, "<html>", LT_DEFERRED, 0 },
		{ LT_P_ANSWERED, 500, "{\"error\":1}", LT_DEFERRED, 0 },
		{ LT_P_ANSWERED, 408, "", LT_DEFERRED, 0 },
		{ LT_P_ANSWERED, 200, "{\"x\":1}", LT_DEFERRED, LT_R_FREE | LT_R_PERSON } };
	ends_are(&g, ends, sizeof(ends) / sizeof(ends[0]));
	assert_int_equal(gate_notes(g.h, "secret_put"), 0);
	gate_free(&g);
}

static void a_log_in_with_the_secrets_of_the_configuration_is_one_exchange(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "fpt");
	assert_int_equal(gate_open(&g), 0);
	size_t j = token_job(&g, LT_J_LOGIN, " ");
	assert_int_equal(g.h->n_http, 1);
	assert_string_equal(g.h->http[0].url, "https://api01.sms.fpt.net/oauth2/token");
	sh_answer(g.h, 0, LT_P_ANSWERED, 200, "{\"access_token\":\"A\",\"expires_in\":600}");
	assert_int_equal(gate_notes(g.h, "secret_put"), 1);
	assert_int_equal(sh_result(g.h, j)->outcome, LT_ACCEPTED);
	j = token_job(&g, LT_J_LOGIN, "CODE");
	assert_int_equal(sh_result(g.h, j)->outcome, LT_REFUSED);
	assert_int_equal(g.h->n_http, 1);
	gate_free(&g);
}

static void a_log_in_takes_the_refresh_token_that_a_person_gives(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "vietguys-v2");
	assert_int_equal(gate_open(&g), 0);
	size_t j = token_job(&g, LT_J_LOGIN, "");
	assert_int_equal(sh_result(g.h, j)->outcome, LT_REFUSED);
	j = token_job(&g, LT_J_LOGIN, "two\nlines");
	assert_int_equal(sh_result(g.h, j)->outcome, LT_REFUSED);
	assert_int_equal(gate_notes(g.h, "secret_put"), 0);
	j = token_job(&g, LT_J_LOGIN, " RT-new\n");
	sh_turn(g.h);
	assert_int_equal(gate_notes(g.h, "secret_put"), 1);
	assert_int_equal(sh_last_note(g.h, "secret_put")->value, g.h->wall); /* renewed at once */
	assert_int_equal(sh_result(g.h, j)->outcome, LT_ACCEPTED);
	assert_int_equal(g.h->n_http, 0);
	gate_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_fetched_before_the_first_text_and_renewed_once),
		cmocka_unit_test(a_401_without_a_code_renews_the_token),
		cmocka_unit_test(a_fresh_token_that_is_refused_is_renewed_once_too),
		cmocka_unit_test(a_token_that_cannot_be_had_now_asks_no_person),
		cmocka_unit_test(the_exchange_stores_what_it_got_before_it_ends),
		cmocka_unit_test(
			an_exchange_that_spends_nothing_is_asked_for_again_whatever_it_came_to),
		cmocka_unit_test(a_log_in_with_the_secrets_of_the_configuration_is_one_exchange),
		cmocka_unit_test(a_log_in_takes_the_refresh_token_that_a_person_gives),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
