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

static size_t refresh_job(struct gate *g)
{
	size_t j = sh_job(g->h, LT_J_REFRESH, NULL);

	(void)sh_start(g->h, j, 1);
	return j;
}

static void the_exchange_stores_what_it_got_before_it_ends(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "vietguys-v2");
	assert_int_equal(gate_open(&g), 0);
	size_t j = refresh_job(&g);
	assert_string_equal(g.h->http[0].url, "https://api-v2.vietguys.biz:4438/token/v1/refresh");
	assert_int_equal(g.h->http[0].flags, LT_PUBLISHES | LT_SECRET_ANSWER);
	assert_non_null(strstr(g.h->http[0].body, "Refresh-Token: geheim\n"));
	sh_answer(g.h, 0, LT_P_ANSWERED, 200,
		"{\"data\":{\"access_token\":\"A\",\"refresh_token\":\"B\",\"expires_in\":600}}");
	assert_int_equal(gate_notes(g.h, "secret_put"), 2);
	assert_int_equal(sh_last_note(g.h, "secret_put")->value, g.h->wall + 600000);
	assert_int_equal(sh_result(g.h, j)->outcome, LT_ACCEPTED);
	static const struct {
		uint32_t phase;
		int32_t status;
		const char *body;
		int outcome;
	} ends[] = { { LT_P_NOT_SENT, 0, NULL, LT_DEFERRED },
		{ LT_P_MAYBE_SENT, 0, NULL, LT_UNKNOWN }, { LT_P_ANSWERED, 401, "{}", LT_REFUSED },
		{ LT_P_ANSWERED, 429, "", LT_DEFERRED },
		{ LT_P_ANSWERED, 502, "<html>", LT_UNKNOWN },
		{ LT_P_ANSWERED, 200, "{\"x\":1}", LT_REFUSED } };
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		j = refresh_job(&g);
		sh_answer(g.h, i + 1, ends[i].phase, ends[i].status, ends[i].body);
		assert_int_equal(sh_result(g.h, j)->outcome, ends[i].outcome);
	}
	assert_int_equal(gate_notes(g.h, "secret_put"), 2);
	gate_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_fetched_before_the_first_text_and_renewed_once),
		cmocka_unit_test(a_fresh_token_that_is_refused_is_renewed_once_too),
		cmocka_unit_test(the_exchange_stores_what_it_got_before_it_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
