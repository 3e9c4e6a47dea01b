/* test_smtp.c - the SMTP engine in good order: pipelined, in lock step, refusals, shared transactions. */
#include "smtptest.h"

static void credits_come_when_the_relay_has_let_us_in(void **state)
{
	struct fix *f = *state;

	assert_int_equal(f->h->n_streams, 1);
	assert_int_equal(f->h->streams[0]->kind, LT_SMTP);
	assert_string_equal(f->h->streams[0]->host, "relay.example.vn");
	assert_int_equal(f->h->slots, 0);
	sh_opened(f->h, 0, PIPE);
	assert_int_equal(f->h->slots, 512);
	size_t a = op(f, "a@x.vn");
	assert_int_equal(f->h->slots, 511);
	sh_data(f->h, 0, OK3);
	sh_data(f->h, 0, "250 2.0.0 Ok: queued as Q1\r\n");
	is(f, a, LT_ACCEPTED, 0, 0);
	assert_int_equal(f->h->slots, 512);
}

static void pipelining_sends_the_envelope_at_once_and_the_next_behind_the_dot(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn"), b = op(f, "b@x.vn");
	assert_string_equal(sh_sent(f->h, 0),
		"MAIL FROM:<thongbao@bhxh.example.vn> SIZE=20\r\nRCPT TO:<a@x.vn>\r\nDATA\r\n");
	uint32_t writes = f->h->streams[0]->writes;
	sh_data(f->h, 0, OK3);
	assert_string_equal(sh_sent(f->h, 0),
		BODY
		".\r\nMAIL FROM:<thongbao@bhxh.example.vn> SIZE=20\r\nRCPT TO:<b@x.vn>\r\nDATA\r\n");
	assert_int_equal(f->h->streams[0]->writes, writes + 1); /* one write */
	pending(f, a);
	sh_data(f->h, 0, "250 2.0.0 Ok: queued as QA\r\n" OK3);
	is(f, a, LT_ACCEPTED, 0, 0);
	assert_string_equal(sh_result(f->h, a)->id, "QA");
	assert_string_equal(sh_result(f->h, a)->code, "250 2.0.0");
	assert_string_equal(sh_sent(f->h, 0), BODY ".\r\n");
	pending(f, b);
	sh_data(f->h, 0, "250\r\n"); /* bare */
	is(f, b, LT_ACCEPTED, 0, 0);
	assert_string_equal(sh_result(f->h, b)->code, "250");
	assert_string_equal(sh_result(f->h, b)->id, "ref2"); /* no queue id: ours */
	assert_int_equal(f->h->streams[0]->publishing_writes, 2);
}

static void without_pipelining_every_command_waits_for_its_reply(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, LOCK);
	size_t a = op(f, "a@x.vn"), b = op(f, "b@x.vn");
	assert_string_equal(sh_sent(f->h, 0), "MAIL FROM:<thongbao@bhxh.example.vn> SIZE=20\r\n");
	sh_data(f->h, 0, "250 ok\r\n");
	assert_string_equal(sh_sent(f->h, 0), "RCPT TO:<a@x.vn>\r\n");
	sh_data(f->h, 0, "250 ok\r\n");
	assert_string_equal(sh_sent(f->h, 0), "DATA\r\n");
	sh_data(f->h, 0, "354 ok\r\n");
	assert_string_equal(sh_sent(f->h, 0), BODY ".\r\n");
	sh_data(f->h, 0, "250 ok\r\n");
	is(f, a, LT_ACCEPTED, 0, 0);
	assert_string_equal(sh_sent(f->h, 0), "MAIL FROM:<thongbao@bhxh.example.vn> SIZE=20\r\n");
	sh_data(f->h, 0, "550 5.7.1 no\r\n");
	is(f, b, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON);
	assert_string_equal(sh_sent(f->h, 0), "");
}

/* RFC 2920: nothing goes together to a relay that does not offer it, RSET and the next MAIL neither. */
static void in_lock_step_a_reset_is_answered_before_the_next_mail(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, LOCK);
	size_t a = op(f, "a@x.vn"), b = op(f, "b@x.vn");
	sh_data(f->h, 0, "250 ok\r\n");
	(void)sh_sent(f->h, 0);
	sh_data(f->h, 0, "550 5.1.1 no such user\r\n");
	is(f, a, LT_REFUSED, LT_SCOPE_TARGET, LT_R_SUPPRESS);
	assert_string_equal(sh_sent(f->h, 0), "RSET\r\n");
	size_t c = op(f, "c@x.vn");
	assert_string_equal(sh_sent(f->h, 0), "");
	sh_data(f->h, 0, "250 reset\r\n");
	assert_string_equal(sh_sent(f->h, 0), "MAIL FROM:<thongbao@bhxh.example.vn> SIZE=20\r\n");
	pending(f, b);
	pending(f, c);
}

static void lower_case_keywords_count(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, "250-relay\r\n250-pipelining\r\n250 dsn\r\n");
	(void)op(f, "a=b@x.vn");
	assert_string_equal(sh_sent(f->h, 0),
		"MAIL FROM:<thongbao@bhxh.example.vn> RET=HDRS ENVID=ref1\r\n"
		"RCPT TO:<a=b@x.vn> NOTIFY=FAILURE,DELAY ORCPT=rfc822;a+3Db@x.vn\r\nDATA\r\n");
}

static void verp_puts_the_reference_into_the_sender(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, LOCK);
	(void)op(f, "a@x.vn");
	assert_string_equal(sh_sent(f->h, 0), "MAIL FROM:<b+ref1@bounces.example.vn> SIZE=20\r\n");
}

static void a_refused_recipient_ends_with_a_lone_dot_where_354_comes_anyway(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn"), b = op(f, "b@x.vn");
	(void)sh_sent(f->h, 0);
	sh_data(f->h, 0, "250 ok\r\n550 5.1.1 no such user\r\n354 go\r\n");
	is(f, a, LT_REFUSED, LT_SCOPE_TARGET, LT_R_SUPPRESS);
	assert_string_equal(sh_sent(f->h, 0),
		".\r\nMAIL FROM:<thongbao@bhxh.example.vn> SIZE=20\r\nRCPT TO:<b@x.vn>\r\nDATA\r\n");
	assert_int_equal(f->h->streams[0]->publishing_writes, 0);
	sh_data(f->h, 0, "250 taken, whatever\r\n" OK3);
	sh_data(f->h, 0, "250 ok\r\n");
	is(f, b, LT_ACCEPTED, 0, 0);
}

static void a_refused_recipient_is_reset_where_data_is_refused_too(void **state)
{
	static const char *const data[] = { "503 5.5.1 need RCPT\r\n",
		"554 5.5.1 no valid recipients\r\n" };
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	for (int i = 0; i < 2; i++) {
		size_t a = op(f, "a@x.vn"), b = op(f, "b@x.vn");
		(void)sh_sent(f->h, 0);
		sh_data(f->h, 0, "250 ok\r\n450 4.7.1 greylisted\r\n");
		is(f, a, LT_DEFERRED, LT_SCOPE_TARGET, 0);
		sh_data(f->h, 0, data[i]);
		assert_string_equal(sh_sent(f->h, 0),
			"RSET\r\nMAIL FROM:<thongbao@bhxh.example.vn> SIZE=20\r\nRCPT TO:<b@x.vn>\r\nDATA\r\n");
		sh_data(f->h, 0, "250 reset\r\n" OK3);
		sh_data(f->h, 0, "250 ok\r\n");
		is(f, b, LT_ACCEPTED, 0, 0);
	}
}

static void a_refused_sender_pulls_the_pipelined_rest_with_it(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn"), b = op(f, "b@x.vn");
	sh_data(f->h, 0, "451 4.3.0 later\r\n503 no\r\n503 no\r\n");
	is(f, a, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE);
	sh_data(f->h, 0, "250 reset\r\n" OK3);
	sh_data(f->h, 0, "250 ok\r\n");
	is(f, b, LT_ACCEPTED, 0, 0);
}

static void data_refused_counts_for_who_was_accepted(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn");
	sh_data(f->h, 0, "250 ok\r\n250 ok\r\n451 4.3.0 no\r\n");
	is(f, a, LT_DEFERRED, LT_SCOPE_TARGET, 0);
	assert_int_equal(f->h->streams[0]->publishing_writes, 0);
}

static void the_final_reply_decides_by_the_table(void **state)
{
	static const struct {
		const char *reply;
		int outcome, scope;
		uint32_t flags;
	} cases[] = { { "250 ok\r\n", LT_ACCEPTED, 0, 0 },
		{ "251 will forward\r\n", LT_ACCEPTED, 0, 0 },
		{ "451 4.3.0 later\r\n", LT_DEFERRED, LT_SCOPE_TARGET, 0 },
		{ "552 5.3.4 big\r\n", LT_REFUSED, LT_SCOPE_RELEASE, 0 },
		{ "554 5.7.1 spam\r\n", LT_REFUSED, LT_SCOPE_RELEASE, 0 },
		{ "550 5.1.1 no\r\n", LT_REFUSED, LT_SCOPE_TARGET, LT_R_SUPPRESS },
		{ "552 5.2.2 full\r\n", LT_DEFERRED, LT_SCOPE_TARGET, LT_R_STRIKE },
		{ "554 no\r\n", LT_REFUSED, LT_SCOPE_TARGET, 0 } };
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t a = op(f, "a@x.vn");
		sh_data(f->h, 0, OK3);
		sh_data(f->h, 0, cases[i].reply);
		is(f, a, cases[i].outcome, cases[i].scope, cases[i].flags);
	}
	assert_int_equal(f->h->n_streams, 1);
}

static void recipients_of_one_text_share_a_transaction_with_an_outcome_each(void **state)
{
	struct fix *f = *state;
	size_t o[6];

	sh_opened(f->h, 0, PIPE);
	batch(f, o, 6);
	assert_string_equal(sh_sent(f->h, 0),
		"MAIL FROM:<thongbao@bhxh.example.vn> SIZE=20\r\nRCPT TO:<u0@x.vn>\r\nRCPT TO:<u1@x.vn>\r\n"
		"RCPT TO:<u2@x.vn>\r\nRCPT TO:<u3@x.vn>\r\nRCPT TO:<u4@x.vn>\r\nRCPT TO:<u5@x.vn>\r\nDATA\r\n");
	sh_data(f->h, 0,
		"250 ok\r\n250 ok\r\n550-5.1.1 <u1@x.vn>\r\n550 5.1.1 no\r\n250 ok\r\n450 4.2.1 busy\r\n552 5.2.2 full\r\n250 ok\r\n354 go\r\n");
	is(f, o[1], LT_REFUSED, LT_SCOPE_TARGET, LT_R_SUPPRESS);
	is(f, o[3], LT_DEFERRED, LT_SCOPE_TARGET, 0);
	is(f, o[4], LT_DEFERRED, LT_SCOPE_TARGET, LT_R_STRIKE);
	assert_string_equal(sh_sent(f->h, 0), BODY ".\r\n");
	sh_data(f->h, 0, "250 2.0.0 queued as B1\r\n");
	is(f, o[0], LT_ACCEPTED, 0, 0);
	is(f, o[2], LT_ACCEPTED, 0, 0);
	is(f, o[5], LT_ACCEPTED, 0, 0);
	assert_string_equal(sh_result(f->h, o[5])->id, "B1");
}

static void fifty_is_the_most_in_one_transaction(void **state)
{
	struct fix *f = *state;
	size_t o[120];

	sh_opened(f->h, 0, LOCK);
	batch(f, o, 120);
	sh_data(f->h, 0, "250 ok\r\n");
	for (int i = 0; i < 50; i++)
		sh_data(f->h, 0, "250 ok\r\n");
	sh_data(f->h, 0, "354 go\r\n");
	sh_data(f->h, 0, "250 ok\r\n");
	is(f, o[0], LT_ACCEPTED, 0, 0);
	is(f, o[49], LT_ACCEPTED, 0, 0);
	pending(f, o[50]);
}

static void too_many_recipients_go_into_the_next_transaction(void **state)
{
	struct fix *f = *state;
	size_t o[5];

	sh_opened(f->h, 0, PIPE);
	batch(f, o, 5);
	(void)sh_sent(f->h, 0);
	sh_data(f->h, 0,
		"250 ok\r\n250 ok\r\n250 ok\r\n452 4.5.3 too many\r\n452 4.5.3 too many\r\n452 4.5.3 too many\r\n354 go\r\n");
	assert_string_equal(sh_sent(f->h, 0),
		BODY
		".\r\nMAIL FROM:<thongbao@bhxh.example.vn> SIZE=20\r\nRCPT TO:<u2@x.vn>\r\nRCPT TO:<u3@x.vn>\r\nDATA\r\n");
	sh_data(f->h, 0, "250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
	is(f, o[0], LT_ACCEPTED, 0, 0);
	is(f, o[1], LT_ACCEPTED, 0, 0);
	sh_data(f->h, 0, "250 ok\r\n" OK3);
	sh_data(f->h, 0, "250 ok\r\n");
	for (int i = 2; i < 5; i++)
		is(f, o[i], LT_ACCEPTED, 0, 0);
}

static void one_bad_recipient_in_the_final_reply_splits_the_batch(void **state)
{
	struct fix *f = *state;
	size_t o[3];

	sh_opened(f->h, 0, PIPE);
	batch(f, o, 3);
	sh_data(f->h, 0, "250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
	sh_data(f->h, 0, "550 5.1.1 one of them is unknown\r\n");
	for (int i = 0; i < 3; i++)
		pending(f, o[i]);
	sh_data(f->h, 0, OK3);
	sh_data(f->h, 0, "250 ok\r\n");
	sh_data(f->h, 0, OK3);
	sh_data(f->h, 0, "550 5.1.1 unknown\r\n");
	sh_data(f->h, 0, OK3);
	sh_data(f->h, 0, "250 ok\r\n");
	is(f, o[0], LT_ACCEPTED, 0, 0);
	is(f, o[1], LT_REFUSED, LT_SCOPE_TARGET, LT_R_SUPPRESS);
	is(f, o[2], LT_ACCEPTED, 0, 0);
}

static void the_replies_may_be_cut_at_every_byte(void **state)
{
	static const char said[] =
		"250 ok\r\n250 ok\r\n550-5.1.1 no\r\n550 5.1.1 such user\r\n250 ok\r\n354 go\r\n";
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	for (size_t cut = 0; cut < sizeof(said); cut++) {
		size_t o[3];
		batch(f, o, 3);
		sh_data_n(f->h, 0, said, cut);
		sh_data_n(f->h, 0, said + cut, sizeof(said) - 1 - cut);
		pending(f, o[0]);
		is(f, o[1], LT_REFUSED, LT_SCOPE_TARGET, LT_R_SUPPRESS);
		sh_data(f->h, 0, "25");
		sh_data(f->h, 0, "0 queued as X\r");
		pending(f, o[0]);
		sh_data(f->h, 0, "\n");
		is(f, o[0], LT_ACCEPTED, 0, 0);
		is(f, o[2], LT_ACCEPTED, 0, 0);
	}
}

static void what_the_relay_can_never_take_is_refused_before_it_is_asked(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "nguyễn@x.vn");
	is(f, a, LT_REFUSED, LT_SCOPE_TARGET, 0);
	assert_non_null(strstr(sh_result(f->h, a)->text, "SMTPUTF8"));
	size_t b = op(f, "a@x.vn> NOTIFY=NEVER\r\nRCPT TO:<c@x.vn");
	is(f, b, LT_REFUSED, LT_SCOPE_TARGET, 0);
	size_t c = sh_op(f->h, f->s, "a@x.vn", "r", BODY, 0);
	f->h->jobs[c]->work.payload_bytes = 100001;
	assert_int_equal(sh_start(f->h, c, 1), 0);
	sh_turn(f->h);
	is(f, c, LT_REFUSED, LT_SCOPE_RELEASE, 0);
	assert_string_equal(sh_sent(f->h, 0), "");
}

static void smtputf8_is_asked_for_only_where_it_is_needed(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, "250-PIPELINING\r\n250-8BITMIME\r\n250-DSN\r\n250 SMTPUTF8\r\n");
	(void)op(f, "nguyễn@x.vn");
	assert_string_equal(sh_sent(f->h, 0),
		"MAIL FROM:<thongbao@bhxh.example.vn> BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=ref1\r\n"
		"RCPT TO:<nguyễn@x.vn> NOTIFY=FAILURE,DELAY\r\nDATA\r\n");
	sh_data(f->h, 0, OK3);
	sh_data(f->h, 0, "250 ok\r\n");
	(void)sh_sent(f->h, 0);
	(void)op(f, "a@x.vn");
	assert_null(strstr(sh_sent(f->h, 0), "SMTPUTF8"));
}

int main(void)
{
#define T(f)     cmocka_unit_test_setup_teardown(f, one, teardown)
#define T2(f, s) cmocka_unit_test_setup_teardown(f, s, teardown)
	const struct CMUnitTest tests[] = {
		T(credits_come_when_the_relay_has_let_us_in),
		T(pipelining_sends_the_envelope_at_once_and_the_next_behind_the_dot),
		T(without_pipelining_every_command_waits_for_its_reply),
		T(in_lock_step_a_reset_is_answered_before_the_next_mail),
		T(lower_case_keywords_count),
		T2(verp_puts_the_reference_into_the_sender, verp),
		T(a_refused_recipient_ends_with_a_lone_dot_where_354_comes_anyway),
		T(a_refused_recipient_is_reset_where_data_is_refused_too),
		T(a_refused_sender_pulls_the_pipelined_rest_with_it),
		T(data_refused_counts_for_who_was_accepted),
		T(the_final_reply_decides_by_the_table),
		T(recipients_of_one_text_share_a_transaction_with_an_outcome_each),
		T(fifty_is_the_most_in_one_transaction),
		T(too_many_recipients_go_into_the_next_transaction),
		T(one_bad_recipient_in_the_final_reply_splits_the_batch),
		T(the_replies_may_be_cut_at_every_byte),
		T(what_the_relay_can_never_take_is_refused_before_it_is_asked),
		T(smtputf8_is_asked_for_only_where_it_is_needed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
