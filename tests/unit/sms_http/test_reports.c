/* test_reports.c - what a gateway pushes: reports, their signature, what nobody can read, texts from phones. */
#include "smshtest.h"

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
	size_t j = sh_job(g->h, LT_J_WEBHOOK, NULL), before = gate_notes(g->h, "reply");

	g->h->jobs[j]->work.request = &r;
	(void)sh_start(g->h, j, 1);
	size_t at_once = gate_notes(g->h, "reply"), receipts = g->h->n_queue;
	if (receipts > 0)
		assert_int_equal(at_once, before); /* not before the commit */
	sh_turn(g->h);
	assert_true(sh_result(g->h, j)->done);
	assert_int_equal(g->h->misuse, 0);
	return (int)sh_last_note(g->h, "reply")->value;
}

/* The scripted digest is 00 01 02 ...: 32 bytes, in base64. */
#define SIGNATURE "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define FORM      "application/x-www-form-urlencoded"

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
		/* what stands in "type" is not documented (contract 3.1); a text from a phone has no status */
		{ "speedsms", "POST", "", "application/json",
			"{\"type\":\"dlr\",\"tranId\":7,\"phone\":\"84912345678\",\"status\":0}",
			200, LT_RC_DELIVERED, "7/0001020304050607" },
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
		{ "esms-ads", "GET", "SMSID=s1&phonenumber=0912345678&SendStatus=1", NULL, NULL,
			200, LT_RC_TRANSIT, "s1" },
		{ "esms-ads", "GET", "SMSID=s1&phonenumber=0912345678&SendStatus=2", NULL, NULL,
			200, LT_RC_TRANSIT, "s1" },
		{ "esms-ads", "GET", "SMSID=s1&phonenumber=0912345678&SendStatus=7", NULL, NULL,
			200, LT_RC_TRANSIT, "s1" },
		{ "esms-ads", "GET", "SMSID=s1&phonenumber=0912345678&SendStatus=4", NULL, NULL,
			200, LT_RC_FAILED, "s1" },
		{ "esms-ads", "GET",
			"SMSID=s1&phonenumber=0912345678&SendStatus=5&SendSuccess=1&SendFailed=0",
			NULL, NULL, 200, LT_RC_DELIVERED, "s1" },
		{ "esms-ads", "GET",
			"SMSID=s1&phonenumber=0912345678&SendStatus=5&SendSuccess=0&SendFailed=1",
			NULL, NULL, 200, LT_RC_FAILED, "s1" },
		{ "vietguys", "GET", "msgid=v1&phone=84912345678&status=1", NULL, NULL, 200,
			LT_RC_DELIVERED, "v1" },
		{ "vietguys", "GET", "msgid=v1&phone=84912345678&status=delivered", NULL, NULL, 200,
			LT_RC_DELIVERED, "v1" },
		{ "vietguys", "GET", "msgid=v1&phone=84912345678&status=DELIVRD", NULL, NULL, 200,
			LT_RC_DELIVERED, "v1" },
		{ "vietguys", "GET", "msgid=v1&phone=84912345678&status=failed", NULL, NULL, 200,
			LT_RC_FAILED, "v1" },
		{ "vietguys", "GET", "msgid=v1&phone=84912345678&status=UNDELIV", NULL, NULL, 200,
			LT_RC_FAILED, "v1" },
		{ "vietguys", "GET", "msgid=v1&phone=84912345678&status=REJECTD", NULL, NULL, 200,
			LT_RC_FAILED, "v1" },
		{ "vietguys", "GET", "msgid=v1&phone=84912345678&status=EXPIRED", NULL, NULL, 200,
			LT_RC_FAILED, "v1" },
		{ "twilio", "POST", "", FORM,
			"To=%2B84912345678&MessageSid=SM1&MessageStatus=queued", 200, LT_RC_TRANSIT,
			"SM1" },
		{ "twilio", "POST", "", FORM, "To=%2B84912345678&MessageSid=SM1&MessageStatus=sent",
			200, LT_RC_TRANSIT, "SM1" },
		{ "twilio", "POST", "", FORM,
			"To=%2B84912345678&MessageSid=SM1&MessageStatus=delivered", 200,
			LT_RC_DELIVERED, "SM1" },
		{ "twilio", "POST", "", FORM, "To=%2B84912345678&MessageSid=SM1&MessageStatus=read",
			200, LT_RC_SEEN, "SM1" },
		{ "twilio", "POST", "", FORM,
			"To=%2B84912345678&MessageSid=SM1&MessageStatus=undelivered", 200,
			LT_RC_FAILED, "SM1" },
		{ "twilio", "POST", "", FORM,
			"To=%2B84912345678&MessageSid=SM1&MessageStatus=failed", 200, LT_RC_FAILED,
			"SM1" },
		{ "twilio", "POST", "", FORM,
			"To=%2B84912345678&MessageSid=SM1&MessageStatus=canceled", 200,
			LT_RC_FAILED, "SM1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gate g;
		gate_new(&g, rows[i].vendor);
		assert_int_equal(gate_open(&g), 0);
		int status = push(&g, rows[i].method, rows[i].query, rows[i].type,
			strcmp(rows[i].vendor, "twilio") == 0 ? SIGNATURE : NULL, rows[i].body);
		const struct sh_note *n = sh_last_note(g.h, "receipt");
		if (n == NULL || status != rows[i].reply || n->value != rows[i].state ||
			strcmp(n->text, rows[i].id) != 0)
			fail_msg("row %zu of %s: reply %d, state %d, id '%s'", i, rows[i].vendor,
				status, n == NULL ? -1 : (int)n->value, n == NULL ? "" : n->text);
		gate_free(&g);
	}
}

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
	size_t before = gate_notes(g.h, "receipt");
	assert_int_equal(
		push(&g, "POST", "", "application/x-www-form-urlencoded", "AAAA", body), 403);
	assert_int_equal(
		push(&g, "POST", "", "application/x-www-form-urlencoded", NULL, body), 403);
	assert_int_equal(push(&g, "POST", "", "application/x-www-form-urlencoded", "", body), 403);
	assert_int_equal(gate_notes(g.h, "receipt"), before);
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
	assert_int_equal(gate_notes(g.h, "receipt"), 0);
	gate_free(&g);
	gate_new(&g, "viettel");
	assert_int_equal(gate_open(&g), 0);
	assert_int_equal(push(&g, "GET", "a=b", NULL, NULL, NULL), 404);
	gate_free(&g);
}

/* docs/webhooks.md, "Receipts": a time of ours would make a second report of each repetition (contracts/sms.md 1.4: idempotent). */
static void a_report_without_a_time_of_the_gateway_names_none(void **state)
{
	static const char body[] =
		"{\"type\":\"report\",\"tranId\":7,\"phone\":\"84912345678\",\"status\":0}";
	struct gate g;

	(void)state;
	gate_new(&g, "speedsms");
	assert_int_equal(gate_open(&g), 0);
	for (int i = 0; i < 2; i++) {
		g.h->receipt_at_ms = -1;
		assert_int_equal(push(&g, "POST", "", "application/json", NULL, body), 200);
		assert_int_equal(g.h->receipt_at_ms, 0);
		sh_advance(g.h, 30000);
	}
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pushed_reports_are_told_and_answered_behind_the_commit),
		cmocka_unit_test(a_signed_report_is_checked_over_address_and_sorted_fields),
		cmocka_unit_test(what_cannot_be_read_is_400_and_what_concerns_nobody_is_answered),
		cmocka_unit_test(a_report_without_a_time_of_the_gateway_names_none),
		cmocka_unit_test(a_text_from_a_phone_is_handed_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
