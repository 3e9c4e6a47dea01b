/* test_zalo_webhook.c - what Zalo tells: what is signed, what is thrown away, what becomes a receipt or a fact, and of whom. */
#include "zalo_test.h"

static struct sh *h;

static int setup(void **state)
{
	(void)state;
	h = host_new();
	return sh_open(h);
}

static int teardown(void **state)
{
	(void)state;
	return host_over(h);
}

#define GOOD "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define FOLLOW \
	"{\"app_id\":\"1234500000000000001\",\"oa_id\":\"33\",\"follower\":{\"id\":\"4102938475610293847\"},\"event_name\":\"follow\",\"timestamp\":\"1788999000000\"}"

static int hook(const char *body, size_t n, const char *signature)
{
	struct lt_pair headers[] = { { .name = LTC_LIT("x-zevent-signature"),
		.value = S(signature) } };
	struct lt_request q = { .struct_size = sizeof(q),
		.method = LTC_LIT("POST"),
		.body = { body, n },
		.headers = headers,
		.n_headers = *signature ? 1 : 0 };
	size_t j = sh_job(h, LT_J_WEBHOOK, NULL);

	h->jobs[j]->work.request = &q;
	assert_int_equal(sh_start(h, j, 1), 0);
	assert_true(sh_result(h, j)->done);
	return (int)sh_last_note(h, "reply")->value;
}

static void a_signed_event_is_taken_whatever_its_case(void **state)
{
	static const char *const good[] = { ("mac=" GOOD), (GOOD),
		"mac=000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		size_t before = h->n_notes;
		assert_int_equal(hook(FOLLOW, strlen(FOLLOW), good[i]), 200);
		assert_string_equal(sh_last_note(h, "inbound")->text, "user:4102938475610293847");
		assert_int_equal(sh_last_note(h, "inbound")->value, LT_IN_JOIN);
		assert_true(h->n_notes > before);
	}
	h->digest = true_digest;
	for (size_t i = 0; i < h->n_secrets; i++)
		if (strcmp(h->secrets[i].name.p, "oa_secret") == 0)
			h->secrets[i].value = S("demo-oa-secret");
	static const char vector[] =
		"{\"app_id\":\"1234500000000000001\",\"event_name\":\"follow\",\"timestamp\":\"1789000000000\"}";
	(void)hook(vector, strlen(vector),
		"mac=46bedc2dbea37b87ef244ae3077f82c0a7b44c5c36212b3d033163b9845ae97f");
	assert_string_equal(sh_last_note(h, "metric")->text, "webhook_taken");
	(void)hook(vector, strlen(vector),
		"mac=46bedc2dbea37b87ef244ae3077f82c0a7b44c5c36212b3d033163b9845ae97e");
	assert_string_equal(sh_last_note(h, "metric")->text, "webhook_unsigned");
	h->digest = NULL;
	for (size_t i = 0; i < h->n_secrets; i++)
		if (strcmp(h->secrets[i].name.p, "oa_secret") == 0)
			h->secrets[i].value = S("oa-canary");
	(void)hook(FOLLOW, strlen(FOLLOW), good[0]);
	/* app id, body as it came, its timestamp, then the OA's key: a plain hash */
	assert_string_equal(sh_last_note(h, "mac")->text,
		"1234500000000000001" FOLLOW "1788999000000oa-canary");
	assert_int_equal(sh_last_note(h, "mac")->value, LT_MAC_SHA256);
}

static void a_forged_missing_or_cut_signature_is_thrown_away_with_200(void **state)
{
	static const char *const bad[] = { "", "mac=", "mac=00",
		"mac=ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "mac=0001",
		GOOD "00" };

	(void)state;
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(hook(FOLLOW, strlen(FOLLOW), bad[i]), 200);
	assert_null(sh_last_note(h, "inbound"));
	assert_string_equal(sh_last_note(h, "metric")->text, "webhook_unsigned");
}

static void the_consoles_test_and_what_is_too_large_are_answered(void **state)
{
	size_t n = 10u << 20;
	char *big = malloc(n);

	(void)state;
	assert_non_null(big);
	memset(big, 'x', n);
	assert_int_equal(hook("{}", 2, ""), 200);
	assert_string_equal(sh_last_note(h, "metric")->text, "webhook_test");
	assert_int_equal(hook("", 0, ""), 200);
	assert_int_equal(hook(big, n, "mac=" GOOD), 413);
	assert_int_equal(hook("[1", 2, "mac=" GOOD), 200);
	assert_null(sh_last_note(h, "inbound"));
	free(big);
}

static void events_become_receipts_and_facts(void **state)
{
	static const struct {
		const char *body, *what, *text;
		int value;
	} rows[] = {
		{ "{\"event_name\":\"unfollow\",\"follower\":{\"id\":\"41\"},\"timestamp\":\"1\"}",
			"inbound", "user:41", LT_IN_LEAVE },
		{ "{\"event_name\":\"user_received_message\",\"message\":{\"msg_id\":\"m7\",\"tracking_id\":\"REF\"}}",
			"receipt", "m7", LT_RC_DELIVERED },
		{ "{\"event_name\":\"user_seen_message\",\"message\":{\"msg_ids\":[\"a\",\"b\"]}}",
			"receipt", "b", LT_RC_SEEN },
		{ "{\"event_name\":\"user_send_text\",\"sender\":{\"id\":\"42\"},\"message\":{\"text\":\"xin chào\",\"msg_id\":\"q\"}}",
			"inbound", "user:42", LT_IN_TEXT },
		{ "{\"event_name\":\"change_oa_daily_quota\",\"quota\":{\"prev_value\":\"500\",\"new_value\":\"2000\"}}",
			"inbound", "", LT_IN_QUOTA },
		{ "{\"event_name\":\"permission_revoked\",\"oa_id\":\"33\"}", "inbound", "",
			LT_IN_REVOKED },
		{ "{\"event_name\":\"widget_x\"}", "metric", "webhook_taken", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(hook(rows[i].body, strlen(rows[i].body), "mac=" GOOD), 200);
		const struct sh_note *n = sh_last_note(h, rows[i].what);
		assert_non_null(n);
		assert_string_equal(n->text, rows[i].text);
		assert_int_equal(n->value, rows[i].value);
	}
}

/* An app has many OAs: the host finds the account by the first word. */
static void a_fact_names_the_oa_that_it_is_about(void **state)
{
	static const char *const rows[][2] = {
		{ "{\"event_name\":\"follow\",\"oa_id\":\"331\",\"follower\":{\"id\":\"41\"}}",
			"331 follow" },
		{ "{\"event_name\":\"user_send_text\",\"sender\":{\"id\":\"42\"},\"recipient\":{\"id\":\"332\"},\"message\":{\"text\":\"a\",\"msg_id\":\"q\"}}",
			"332 user_send_text" },
		{ "{\"event_name\":\"change_oa_daily_quota\",\"oaId\":\"333\",\"quota\":{\"prev_value\":\"500\",\"new_value\":\"2000\"}}",
			"333 change_oa_daily_quota 500 -> 2000" },
		{ "{\"event_name\":\"permission_revoked\",\"oa_id\":\"334\"}", "334" },
		{ "{\"event_name\":\"user_withdraw\",\"user\":{\"id\":\"41\"}}", "user_withdraw" },
		{ "{\"event_name\":\"disperse_group\",\"oa_id\":\"335\",\"group_id\":\"g1\"}",
			"335 disperse_group" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(hook(rows[i][0], strlen(rows[i][0]), "mac=" GOOD), 200);
		assert_string_equal(sh_last_note(h, "inbound.detail")->text, rows[i][1]);
	}
}

static void a_stale_event_is_taken_and_told(void **state)
{
	static const struct {
		int64_t age_ms;
		bool told;
	} rows[] = { { 0, false }, { 2 * 3600000, false }, { 3 * 3600000, true },
		{ -240000, false }, { -600000, true } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char body[300];
		size_t before = h->n_notes;
		(void)snprintf(body, sizeof(body),
			"{\"event_name\":\"follow\",\"follower\":{\"id\":\"41\"},\"timestamp\":\"%lld\"}",
			(long long)(h->wall - rows[i].age_ms));
		assert_int_equal(hook(body, strlen(body), "mac=" GOOD), 200);
		assert_int_equal(sh_last_note(h, "inbound")->value, LT_IN_JOIN);
		bool told = false;
		for (size_t k = before; k < h->n_notes; k++)
			told = told ||
				strcmp(h->notes[k % SH_NOTES_MAX].text, "webhook_stale") == 0;
		assert_int_equal(told, rows[i].told);
	}
}

int main(void)
{
#define T1(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T1(a_signed_event_is_taken_whatever_its_case),
		T1(a_forged_missing_or_cut_signature_is_thrown_away_with_200),
		T1(the_consoles_test_and_what_is_too_large_are_answered),
		T1(events_become_receipts_and_facts),
		T1(a_fact_names_the_oa_that_it_is_about),
		T1(a_stale_event_is_taken_and_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
