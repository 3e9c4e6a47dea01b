/* test_jobs.c - what happens around a request: lost answers, stops, batches, tokens, reports pushed and polled, the balance. */
#include <errno.h>
#include "smshtest.h"

static size_t notes(const struct sh *h, const char *what)
{
	size_t n = 0, have = h->n_notes < SH_NOTES_MAX ? h->n_notes : SH_NOTES_MAX;

	for (size_t i = 0; i < have; i++)
		n += strcmp(h->notes[i].what, what) == 0;
	return n;
}

static void nothing_sent_is_deferred_and_a_lost_answer_is_unknown(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "esms");
	assert_int_equal(gate_open(&g), 0);
	size_t a = gate_send(&g, "+84912345678", "r1", PAYLOAD_GSM);
	sh_answer(g.h, 0, LT_P_NOT_SENT, 0, NULL);
	assert_int_equal(sh_result(g.h, a)->outcome, LT_DEFERRED);
	assert_int_equal(sh_result(g.h, a)->scope, LT_SCOPE_LANE);
	size_t b = gate_send(&g, "+84912345678", "r2", PAYLOAD_GSM);
	sh_answer(g.h, 1, LT_P_MAYBE_SENT, 0, NULL);
	assert_int_equal(sh_result(g.h, b)->outcome, LT_UNKNOWN);
	assert_int_equal(g.h->slots, 8);
	assert_int_equal(g.h->misuse, 0);
	gate_free(&g);
}

static void a_stop_before_the_request_defers_and_behind_it_waits_for_the_answer(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "fpt"); /* without a token: the op waits for one */
	assert_int_equal(gate_open(&g), 0);
	size_t op = sh_op(g.h, g.session, "+84912345678", "r1", PAYLOAD_GSM, 0);
	assert_int_equal(sh_start(g.h, op, 1), 0);
	assert_int_equal(notes(g.h, "refresh"), 1);
	sh_cancel(g.h, op);
	assert_int_equal(sh_result(g.h, op)->outcome, LT_DEFERRED);
	sh_turn(g.h);
	assert_int_equal(g.h->n_http, 0);
	gate_free(&g);
	gate_new(&g, "esms");
	assert_int_equal(gate_open(&g), 0);
	op = gate_send(&g, "+84912345678", "r1", PAYLOAD_GSM);
	sh_cancel(g.h, op);
	assert_false(sh_result(g.h, op)->done);
	sh_answer(g.h, 0, LT_P_ANSWERED, 200, "{\"CodeResult\":\"100\",\"SMSID\":\"s\"}");
	assert_int_equal(sh_result(g.h, op)->outcome, LT_ACCEPTED);
	gate_free(&g);
}

/* --- batches ----------------------------------------------------------------------------------------------------------------- */
static size_t batch(struct gate *g, const char *payload, uint32_t try_no)
{
	static const char *const to[] = { "+84912345671", "+84912345672", "+84912345673" };
	size_t first = 0;

	for (size_t i = 0; i < 3; i++) {
		size_t op = sh_op(g->h, g->session, to[i], "r", payload, 9);
		g->h->jobs[op]->work.try_no = try_no;
		first = i == 0 ? op : first;
	}
	assert_int_equal(sh_start(g->h, first, 3), 0);
	return first;
}

static void a_batch_is_one_request_whose_answer_is_shared_out(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "speedsms");
	assert_int_equal(gate_open(&g), 0);
	size_t op = batch(&g, PAYLOAD_GSM, 1);
	assert_int_equal(g.h->n_http, 1);
	sh_answer(g.h, 0, LT_P_ANSWERED, 200,
		"{\"status\":\"success\",\"code\":\"00\",\"data\":{\"tranId\":5,\"invalidPhone\":[\"84912345672\"]}}");
	assert_int_equal(sh_result(g.h, op)->outcome, LT_ACCEPTED);
	assert_string_equal(sh_result(g.h, op)->id, "5/0001020304050607");
	assert_int_equal(sh_result(g.h, op + 1)->outcome, LT_REFUSED);
	assert_string_equal(sh_result(g.h, op + 2)->id, "5/0001020304050607");
	op = batch(&g, PAYLOAD_GSM, 1);
	sh_answer(g.h, 1, LT_P_MAYBE_SENT, 0, NULL);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(sh_result(g.h, op + i)->outcome, LT_UNKNOWN);
	assert_int_equal(g.h->misuse, 0);
	gate_free(&g);
}

static void a_batch_that_is_refused_for_some_number_goes_one_by_one(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "speedsms");
	assert_int_equal(gate_open(&g), 0);
	size_t op = batch(&g, PAYLOAD_GSM, 1);
	sh_answer(g.h, 0, LT_P_ANSWERED, 200, "{\"status\":\"error\",\"code\":\"105\"}");
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(sh_result(g.h, op + i)->outcome, LT_DEFERRED);
	op = batch(&g, PAYLOAD_GSM, 2);
	assert_int_equal(g.h->n_http, 4);
	sh_answer(g.h, 2, LT_P_ANSWERED, 200, "{\"status\":\"error\",\"code\":\"105\"}");
	assert_int_equal(sh_result(g.h, op + 1)->outcome, LT_REFUSED);
	assert_false(sh_result(g.h, op)->done);
	gate_free(&g);
}

/* n numbers with one text through the advertising call of eSMS. */
static size_t crowd(struct gate *g, size_t n)
{
	size_t first = 0;

	for (size_t i = 0; i < n; i++) {
		char to[20];
		(void)snprintf(to, sizeof(to), "+849100000%02u", (unsigned)i);
		size_t op = sh_op(g->h, g->session, to, "ref", PAYLOAD_GSM, 0);
		first = i == 0 ? op : first;
	}
	assert_int_equal(sh_start(g->h, first, n), 0);
	return first;
}
#define TAKEN "{\"CodeResult\":\"100\",\"SMSID\":\"s-1\"}"

static void thirty_numbers_are_one_request_and_share_its_id(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "esms-ads");
	assert_int_equal(gate_open(&g), 0);
	size_t op = crowd(&g, 30);
	assert_int_equal(g.h->n_http, 1);
	assert_non_null(strstr(g.h->http[0].url, "/SendMultipleSMSBrandname_json/"));
	assert_non_null(strstr(g.h->http[0].body, "\"Phones\":\"0910000000,0910000001,"));
	sh_answer(g.h, 0, LT_P_ANSWERED, 200, TAKEN);
	for (size_t i = 0; i < 30; i++) {
		assert_int_equal(sh_result(g.h, op + i)->outcome, LT_ACCEPTED);
		assert_memory_equal(sh_result(g.h, op + i)->id, "s-1/", 4);
	}
	gate_free(&g);
}

static void fewer_than_thirty_go_one_after_the_other(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "esms-ads");
	assert_int_equal(gate_open(&g), 0);
	size_t op = crowd(&g, 29);
	for (size_t i = 0; i < 29; i++) {
		assert_int_equal(g.h->n_http, i + 1); /* one at a time */
		assert_int_equal(g.h->slots, 0);      /* and the next ones together */
		assert_non_null(strstr(g.h->http[i].url, "/SendMultipleMessage_V4_post_json/"));
		assert_false(sh_result(g.h, op + i)->done);
		sh_answer(g.h, i, LT_P_ANSWERED, 200, i == 3 ? "{\"CodeResult\":\"99\"}" : TAKEN);
		assert_int_equal(
			sh_result(g.h, op + i)->outcome, i == 3 ? LT_REFUSED : LT_ACCEPTED);
	}
	assert_int_equal(g.h->n_http, 29);
	assert_true(g.h->slots >= 1000);
	assert_int_equal(g.h->misuse, 0);
	gate_free(&g);
}

static void what_is_said_of_the_account_stops_those_behind_it(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "esms-ads");
	assert_int_equal(gate_open(&g), 0);
	size_t op = crowd(&g, 5);
	sh_answer(g.h, 0, LT_P_ANSWERED, 200, TAKEN);
	sh_answer(g.h, 1, LT_P_ANSWERED, 200, "{\"CodeResult\":\"103\"}");
	assert_int_equal(g.h->n_http, 2);
	for (size_t i = 1; i < 5; i++) {
		assert_int_equal(sh_result(g.h, op + i)->outcome, LT_DEFERRED);
		assert_int_equal(sh_result(g.h, op + i)->scope, LT_SCOPE_ACCOUNT);
		assert_true(sh_result(g.h, op + i)->flags & LT_R_FREE);
	}
	op = crowd(&g, 5);
	sh_answer(g.h, 2, LT_P_MAYBE_SENT, 0,
		NULL); /* one is unknown: the others were not asked for */
	assert_int_equal(sh_result(g.h, op)->outcome, LT_UNKNOWN);
	assert_int_equal(g.h->n_http, 4);
	sh_cancel(g.h, op + 3); /* not asked for yet */
	assert_int_equal(sh_result(g.h, op + 3)->outcome, LT_DEFERRED);
	sh_answer(g.h, 3, LT_P_ANSWERED, 200, TAKEN);
	sh_answer(g.h, 4, LT_P_ANSWERED, 200, TAKEN);
	sh_answer(g.h, 5, LT_P_ANSWERED, 200, TAKEN);
	assert_int_equal(sh_result(g.h, op + 4)->outcome, LT_ACCEPTED);
	assert_int_equal(g.h->n_http, 6);
	assert_int_equal(g.h->misuse, 0);
	gate_free(&g);
}

static void the_setting_batch_makes_requests_smaller(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "speedsms");
	sh_conf(g.h, "batch", "2");
	assert_int_equal(gate_open(&g), 0);
	(void)batch(&g, PAYLOAD_GSM, 1);
	assert_int_equal(g.h->n_http, 2);
	assert_non_null(strstr(g.h->http[0].body, "[\"84912345671\",\"84912345672\"]"));
	assert_non_null(strstr(g.h->http[1].body, "[\"84912345673\"]"));
	gate_free(&g);
}

static void items_are_read_in_order_and_a_missing_one_is_unknown(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "stringee");
	assert_int_equal(gate_open(&g), 0);
	size_t op = batch(&g, PAYLOAD_GSM, 1);
	sh_answer(g.h, 0, LT_P_ANSWERED, 200,
		"{\"smsSent\":2,\"result\":[{\"r\":0},{\"r\":4},{\"r\":0}]}");
	assert_int_equal(sh_result(g.h, op)->outcome, LT_ACCEPTED);
	assert_int_equal(sh_result(g.h, op + 1)->outcome, LT_UNKNOWN);
	assert_int_equal(sh_result(g.h, op + 2)->outcome, LT_ACCEPTED);
	op = batch(&g, PAYLOAD_GSM, 1);
	sh_answer(g.h, 1, LT_P_ANSWERED, 200, "{\"smsSent\":2,\"result\":[{\"r\":0},{\"r\":0}]}");
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(sh_result(g.h, op + i)->outcome, LT_UNKNOWN);
	gate_free(&g);
}

/* --- tokens ------------------------------------------------------------------------------------------------------------------ */
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
	assert_int_equal(notes(g.h, "refresh"), 1);
	assert_int_equal(g.h->n_http, 2); /* the same request again */
	assert_false(sh_result(g.h, op)->done);
	sh_answer(g.h, 1, LT_P_ANSWERED, 400, "{\"error\":1013}");
	assert_int_equal(notes(g.h, "refresh"), 1);
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
	assert_int_equal(notes(g.h, "refresh"), 1);
	assert_int_equal(g.h->n_http, 1);
	sh_answer(g.h, 0, LT_P_ANSWERED, 400, "{\"error\":1011}");
	assert_int_equal(notes(g.h, "refresh"), 2);
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
	assert_int_equal(notes(g.h, "secret_put"), 2);
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
	assert_int_equal(notes(g.h, "secret_put"), 2);
	gate_free(&g);
}

/* --- reports ----------------------------------------------------------------------------------------------------------------- */
static int push(struct gate *g, const char *method, const char *query, const char *type,
	const char *sign, const char *body)
{
	struct lt_pair heads[] = { { .name = ltc_z("Content-Type"), .value = ltc_z(type) },
		{ .name = ltc_z("x-twilio-signature"), .value = ltc_z(sign) } };
	struct lt_request r = { .struct_size = sizeof(r),
		.method = ltc_z(method),
		.path = ltc_z("/w/sms/abc"),
		.query = ltc_z(query),
		.body = ltc_z(body),
		.headers = heads,
		.n_headers = sign != NULL ? 2 : 1 };
	size_t j = sh_job(g->h, LT_J_WEBHOOK, NULL), before = notes(g->h, "reply");

	g->h->jobs[j]->work.request = &r;
	(void)sh_start(g->h, j, 1);
	size_t at_once = notes(g->h, "reply"), receipts = g->h->n_queue;
	if (receipts > 0)
		assert_int_equal(at_once, before); /* not before the commit */
	sh_turn(g->h);
	assert_true(sh_result(g->h, j)->done);
	assert_int_equal(g->h->misuse, 0);
	return (int)sh_last_note(g->h, "reply")->value;
}

static void pushed_reports_are_told_and_answered_behind_the_commit(void **state)
{
	static const struct {
		const char *vendor, *method, *query, *type, *body;
		int reply, state;
		const char *id;
	} rows[] = {
		{ "esms", "GET",
			"SMSID=s1&SendStatus=5&SendSuccess=1&SendFailed=0&RequestId=r1&phonenumber=0912345678",
			NULL, NULL, 200, LT_RC_DELIVERED, "s1" },
		{ "esms", "GET", "SMSID=s1&SendStatus=5&SendSuccess=0&SendFailed=1", NULL, NULL,
			200, LT_RC_FAILED, "s1" },
		{ "esms", "GET", "SMSID=s1&SendStatus=4", NULL, NULL, 200, LT_RC_FAILED, "s1" },
		{ "esms", "GET", "SMSID=s1&SendStatus=1", NULL, NULL, 200, LT_RC_TRANSIT, "s1" },
		{ "esms", "GET", "SMSID=s1&SendStatus=2", NULL, NULL, 200, LT_RC_TRANSIT, "s1" },
		{ "esms", "GET", "SMSID=s1&SendStatus=7", NULL, NULL, 200, LT_RC_TRANSIT, "s1" },
		{ "esms", "GET", "SMSID=s1&SendStatus=99", NULL, NULL, 200, LT_UNKNOWN, "s1" },
		{ "speedsms", "POST", "", "application/json",
			"{\"type\":\"report\",\"tranId\":7,\"phone\":\"84912345678\",\"status\":0}",
			200, LT_RC_DELIVERED, "7/0001020304050607" },
		{ "speedsms", "POST", "", "application/json",
			"{\"type\":\"report\",\"tranId\":7,\"phone\":\"0912345678\",\"status\":65}",
			200, LT_RC_FAILED, "7/0001020304050607" },
		{ "vonage", "GET", "messageId=0A1&status=delivered&msisdn=84912345678&client-ref=r",
			NULL, NULL, 200, LT_RC_DELIVERED, "0A1" },
		{ "vonage", "POST", "", "application/x-www-form-urlencoded",
			"messageId=0A1&status=expired", 200, LT_RC_FAILED, "0A1" },
		{ "vonage", "POST", "", "application/json",
			"{\"messageId\":\"0A1\",\"status\":\"buffered\"}", 200, LT_RC_TRANSIT,
			"0A1" },
		{ "vonage", "GET", "messageId=0A1&status=unknown", NULL, NULL, 200, LT_UNKNOWN,
			"0A1" },
		{ "kannel", "GET", "ref=rrr&status=1&to=%2B84912345678", NULL, NULL, 202,
			LT_RC_DELIVERED, "rrr" },
		{ "kannel", "GET", "ref=rrr&status=16", NULL, NULL, 202, LT_RC_FAILED, "rrr" },
		{ "kannel", "GET", "ref=rrr&status=8", NULL, NULL, 202, LT_RC_TRANSIT, "rrr" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gate g;
		gate_new(&g, rows[i].vendor);
		assert_int_equal(gate_open(&g), 0);
		int status = push(
			&g, rows[i].method, rows[i].query, rows[i].type, NULL, rows[i].body);
		const struct sh_note *n = sh_last_note(g.h, "receipt");
		if (n == NULL || status != rows[i].reply || n->value != rows[i].state ||
			strcmp(n->text, rows[i].id) != 0)
			fail_msg("row %zu of %s: reply %d, state %d, id '%s'", i, rows[i].vendor,
				status, n == NULL ? -1 : (int)n->value, n == NULL ? "" : n->text);
		gate_free(&g);
	}
}

/* The scripted digest is 00 01 02 ...: 32 bytes, in base64. */
#define SIGNATURE "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static void a_signed_report_is_checked_over_address_and_sorted_fields(void **state)
{
	static const char body[] = "To=%2B84912345678&MessageStatus=delivered&MessageSid=SM1";
	struct gate g;

	(void)state;
	gate_new(&g, "twilio");
	assert_int_equal(gate_open(&g), 0);
	assert_int_equal(
		push(&g, "POST", "", "application/x-www-form-urlencoded", SIGNATURE, body), 200);
	assert_string_equal(sh_last_note(g.h, "mac")->text,
		"https://lantoa.example/w/sms/abcMessageSidSM1MessageStatusdeliveredTo+84912345678");
	assert_int_equal(sh_last_note(g.h, "mac")->value, LT_MAC_HMAC_SHA1);
	assert_int_equal(sh_last_note(g.h, "receipt")->value, LT_RC_DELIVERED);
	assert_string_equal(sh_last_note(g.h, "reply")->text, "<Response/>");
	size_t before = notes(g.h, "receipt");
	assert_int_equal(
		push(&g, "POST", "", "application/x-www-form-urlencoded", "AAAA", body), 403);
	assert_int_equal(
		push(&g, "POST", "", "application/x-www-form-urlencoded", NULL, body), 403);
	assert_int_equal(push(&g, "POST", "", "application/x-www-form-urlencoded", "", body), 403);
	assert_int_equal(notes(g.h, "receipt"), before);
	gate_free(&g);
}

static void what_cannot_be_read_is_400_and_what_concerns_nobody_is_answered(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "speedsms");
	assert_int_equal(gate_open(&g), 0);
	assert_int_equal(push(&g, "POST", "", "application/json", NULL, "{"), 400);
	assert_int_equal(push(&g, "POST", "", "application/json", NULL, "<html>"), 400);
	assert_int_equal(push(&g, "POST", "", "application/json", NULL, ""), 400);
	assert_int_equal(
		push(&g, "POST", "", "application/json", NULL, "{\"type\":\"ping\"}"), 200);
	assert_int_equal(
		push(&g, "POST", "", "application/json", NULL, "{\"type\":\"report\"}"), 200);
	assert_int_equal(notes(g.h, "receipt"), 0);
	gate_free(&g);
	gate_new(&g, "viettel");
	assert_int_equal(gate_open(&g), 0);
	assert_int_equal(push(&g, "GET", "a=b", NULL, NULL, NULL), 404);
	gate_free(&g);
}

static void a_text_from_a_phone_is_handed_on(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "speedsms");
	assert_int_equal(gate_open(&g), 0);
	assert_int_equal(
		push(&g, "POST", "", "application/json", NULL,
			"{\"type\":\"sms\",\"phone\":\"0912345678\",\"content\":\"TC\",\"tranId\":9}"),
		200);
	assert_string_equal(sh_last_note(g.h, "inbound")->text, "+84912345678");
	gate_free(&g);
}

/* --- questions --------------------------------------------------------------------------------------------------------------- */
static void a_poll_asks_for_each_id_and_tells_what_it_learns(void **state)
{
	struct gate g;
	struct lt_id ids[] = { { .id = ltc_z("41/a1b2") }, { .id = ltc_z("42/a1b3") } };
	struct lt_item items[] = { { .struct_size = sizeof(struct lt_item),
					   .address = ltc_z("+84912345671"),
					   .ids = ids,
					   .n_ids = 1 },
		{ .struct_size = sizeof(struct lt_item),
			.address = ltc_z("+84912345672"),
			.ids = ids + 1,
			.n_ids = 1 } };
	const struct lt_item *list[] = { &items[0], &items[1] };

	(void)state;
	gate_new(&g, "speedsms");
	assert_int_equal(gate_open(&g), 0);
	size_t j = sh_job(g.h, LT_J_POLL, NULL);
	g.h->jobs[j]->work.items = list;
	g.h->jobs[j]->work.n_items = 2;
	assert_int_equal(sh_start(g.h, j, 1), 0);
	assert_string_equal(g.h->http[0].url, "https://api.speedsms.vn/index.php/sms/status/41");
	assert_int_equal(g.h->http[0].flags, 0);
	sh_answer(g.h, 0, LT_P_ANSWERED, 200,
		"{\"data\":[{\"phone\":\"84900000000\",\"status\":65},{\"phone\":\"84912345671\",\"status\":0}]}");
	assert_int_equal(sh_last_note(g.h, "receipt")->value, LT_RC_DELIVERED);
	assert_string_equal(g.h->http[1].url, "https://api.speedsms.vn/index.php/sms/status/42");
	sh_answer(g.h, 1, LT_P_ANSWERED, 200, "<html>");
	assert_int_equal(notes(g.h, "receipt"), 1);
	assert_int_equal(sh_result(g.h, j)->outcome, LT_ACCEPTED);
	gate_free(&g);
}

static void a_question_that_cannot_be_asked_says_nothing_and_keeps_no_credit(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "esms");
	assert_int_equal(gate_open(&g), 0);
	size_t j = sh_job(g.h, LT_J_RECONCILE, &g.h->jobs[g.session]->job);
	g.h->slots = 3; /* the host took one for the question */
	assert_int_equal(sh_start(g.h, j, 1), 0);
	assert_int_equal(sh_result(g.h, j)->outcome, LT_UNKNOWN);
	assert_int_equal(g.h->slots, 8);
	gate_free(&g);
}

static void no_key_stands_in_the_address_of_a_balance(void **state)
{
	static const char *const vendors[] = { "esms", "esms-ads", "speedsms", "twilio", "vonage" };

	(void)state;
	for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++) {
		struct gate g;
		gate_new(&g, vendors[i]);
		assert_int_equal(gate_open(&g), 0);
		size_t j = sh_job(g.h, LT_J_CHECK, NULL);
		(void)sh_start(g.h, j, 1);
		assert_int_equal(g.h->n_http, 1);
		assert_null(strstr(g.h->http[0].url, "geheim"));
		assert_true(
			g.h->http[0].query == NULL || strstr(g.h->http[0].query, "geheim") == NULL);
		sh_answer(g.h, 0, LT_P_ANSWERED, 200,
			"{\"status\":\"success\",\"CodeResponse\":\"100\",\"Balance\":7,\"balance\":7,\"value\":7,\"data\":{\"balance\":7}}");
		assert_int_equal(sh_result(g.h, j)->outcome, LT_ACCEPTED);
		gate_free(&g);
	}
}

static void a_balance_is_read_in_either_way_of_writing(void **state)
{
	static const struct {
		const char *value, *want;
	} rows[] = { { "\"1.250.000\"", "balance 1250000" },
		{ "\"1.250.000,50\"", "balance 1250000" }, { "\"12,500.75\"", "balance 12500" },
		{ "1250000.5", "balance 1250000" }, { "\"-3\"", "balance -3" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gate g;
		char body[100];
		gate_new(&g, "esms");
		assert_int_equal(gate_open(&g), 0);
		size_t j = sh_job(g.h, LT_J_CHECK, NULL);
		(void)sh_start(g.h, j, 1);
		(void)snprintf(body, sizeof(body), "{\"CodeResponse\":\"100\",\"Balance\":%s}",
			rows[i].value);
		sh_answer(g.h, 0, LT_P_ANSWERED, 200, body);
		assert_non_null(strstr(sh_result(g.h, j)->text, rows[i].want));
		gate_free(&g);
	}
}

static void the_balance_is_asked_told_and_warned_about(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "speedsms");
	sh_conf(g.h, "balance_min", "1000");
	sh_conf(g.h, "balance_every", "60");
	assert_int_equal(gate_open(&g), 0);
	assert_int_equal(g.h->n_http, 1); /* when sending begins */
	assert_int_equal(g.h->http[0].flags, 0);
	sh_answer(g.h, 0, LT_P_ANSWERED, 200,
		"{\"status\":\"success\",\"data\":{\"balance\":\"12,500.75\"}}");
	assert_int_equal(sh_last_note(g.h, "stat")->value, 12500);
	assert_int_equal(notes(g.h, "log"), 0);
	size_t j = sh_job(g.h, LT_J_CHECK, NULL);
	assert_int_equal(sh_start(g.h, j, 1), 0);
	sh_answer(
		g.h, 1, LT_P_ANSWERED, 200, "{\"status\":\"success\",\"data\":{\"balance\":999}}");
	assert_int_equal(sh_result(g.h, j)->outcome, LT_ACCEPTED);
	assert_non_null(strstr(sh_result(g.h, j)->text, "balance 999, less than balance_min"));
	assert_non_null(strstr(sh_last_note(g.h, "log")->text, "less than balance_min 1000"));
	j = sh_job(g.h, LT_J_CHECK, NULL);
	assert_int_equal(sh_start(g.h, j, 1), 0);
	sh_answer(g.h, 2, LT_P_ANSWERED, 200,
		"{\"status\":\"error\",\"code\":\"007\",\"message\":\"IP\"}");
	assert_int_equal(sh_result(g.h, j)->outcome, LT_DEFERRED);
	assert_string_equal(sh_result(g.h, j)->text, "IP");
	gate_free(&g);
}

static void a_number_that_the_gateway_repeats_does_not_get_into_records(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "esms");
	assert_int_equal(gate_open(&g), 0);
	size_t op = gate_send(&g, "+84912345678", "r", PAYLOAD_GSM);
	sh_answer(g.h, 0, LT_P_ANSWERED, 200,
		"{\"CodeResult\":\"99\",\"ErrorMessage\":\"phone 0912345678, 84912345678 bad (code 123456789)\"}");
	assert_string_equal(
		sh_result(g.h, op)->text, "phone **********, *********** bad (code 123456789)");
	gate_free(&g);
}

static void a_session_ends_when_its_last_op_has(void **state)
{
	struct gate g;

	(void)state;
	gate_new(&g, "esms");
	assert_int_equal(gate_open(&g), 0);
	(void)gate_send(&g, "+84912345678", "r", PAYLOAD_GSM);
	sh_shutdown(g.h, g.session);
	assert_int_equal(g.h->slots, 0);
	assert_false(sh_result(g.h, g.session)->done);
	sh_answer(g.h, 0, LT_P_ANSWERED, 200, "{\"CodeResult\":\"100\"}");
	assert_true(sh_result(g.h, g.session)->done);
	gate_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_sent_is_deferred_and_a_lost_answer_is_unknown),
		cmocka_unit_test(
			a_stop_before_the_request_defers_and_behind_it_waits_for_the_answer),
		cmocka_unit_test(a_batch_is_one_request_whose_answer_is_shared_out),
		cmocka_unit_test(a_batch_that_is_refused_for_some_number_goes_one_by_one),
		cmocka_unit_test(thirty_numbers_are_one_request_and_share_its_id),
		cmocka_unit_test(fewer_than_thirty_go_one_after_the_other),
		cmocka_unit_test(what_is_said_of_the_account_stops_those_behind_it),
		cmocka_unit_test(the_setting_batch_makes_requests_smaller),
		cmocka_unit_test(items_are_read_in_order_and_a_missing_one_is_unknown),
		cmocka_unit_test(a_token_is_fetched_before_the_first_text_and_renewed_once),
		cmocka_unit_test(a_fresh_token_that_is_refused_is_renewed_once_too),
		cmocka_unit_test(the_exchange_stores_what_it_got_before_it_ends),
		cmocka_unit_test(pushed_reports_are_told_and_answered_behind_the_commit),
		cmocka_unit_test(a_signed_report_is_checked_over_address_and_sorted_fields),
		cmocka_unit_test(what_cannot_be_read_is_400_and_what_concerns_nobody_is_answered),
		cmocka_unit_test(a_text_from_a_phone_is_handed_on),
		cmocka_unit_test(a_poll_asks_for_each_id_and_tells_what_it_learns),
		cmocka_unit_test(a_question_that_cannot_be_asked_says_nothing_and_keeps_no_credit),
		cmocka_unit_test(no_key_stands_in_the_address_of_a_balance),
		cmocka_unit_test(a_balance_is_read_in_either_way_of_writing),
		cmocka_unit_test(the_balance_is_asked_told_and_warned_about),
		cmocka_unit_test(a_number_that_the_gateway_repeats_does_not_get_into_records),
		cmocka_unit_test(a_session_ends_when_its_last_op_has),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
