/* test_smtp_pool.c - stops, full streams, connections that come and go, a relay that is not there. */
#include "smtptest.h"

static void a_stop_before_the_envelope_gives_the_mail_back(void **state)
{
	struct fix *f = *state;

	size_t a = op(f, "a@x.vn"); /* not connected yet */
	sh_cancel(f->h, a);
	is(f, a, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_FREE);
	sh_opened(f->h, 0, PIPE);
	assert_string_equal(sh_sent(f->h, 0), "");
}

static void a_stop_after_the_envelope_sends_no_dot(void **state)
{
	struct fix *f = *state;

	for (size_t step = 0; step < 3; step++) {
		sh_opened(f->h, step, PIPE);
		size_t a = op(f, "a@x.vn");
		(void)sh_sent(f->h, step);
		if (step > 0)
			sh_data(f->h, step, "250 ok\r\n");
		if (step > 1)
			sh_data(f->h, step, "250 ok\r\n");
		sh_cancel(f->h, a);
		is(f, a, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_FREE);
		sh_turn(f->h);
		sh_data(f->h, step,
			step == 0           ? OK3
				: step == 1 ? "250 ok\r\n354 go\r\n"
					    : "354 go\r\n");
		assert_string_equal(sh_sent(f->h, step),
			""); /* not a byte: the relay had accepted the recipient */
		assert_true(f->h->streams[step]->reset);
		size_t b = op(f, "b@x.vn");
		assert_int_equal(f->h->n_streams, step + 2);
		sh_cancel(f->h, b);
	}
}

static void a_stop_of_a_recipient_that_is_refused_anyway_keeps_the_link(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn");
	sh_cancel(f->h, a);
	(void)sh_sent(f->h, 0);
	sh_data(f->h, 0, "250 ok\r\n550 5.1.1 no\r\n354 go\r\n");
	assert_string_equal(sh_sent(f->h, 0), ".\r\n");
	assert_false(f->h->streams[0]->closing);
}

static void a_stop_of_one_in_a_batch_saves_the_others(void **state)
{
	struct fix *f = *state;
	size_t o[3];

	sh_opened(f->h, 0, PIPE);
	batch(f, o, 3);
	sh_data(f->h, 0, "250 ok\r\n250 ok\r\n250 ok\r\n");
	sh_cancel(f->h, o[1]);
	is(f, o[1], LT_DEFERRED, LT_SCOPE_TARGET, LT_R_FREE);
	sh_data(f->h, 0, "250 ok\r\n354 go\r\n");
	assert_true(f->h->streams[0]->reset);
	assert_int_equal(f->h->streams[0]->publishing_writes, 0);
	sh_opened(f->h, 1, PIPE);
	assert_string_equal(sh_sent(f->h, 1),
		"MAIL FROM:<thongbao@bhxh.example.vn> SIZE=20\r\nRCPT TO:<u0@x.vn>\r\nRCPT TO:<u2@x.vn>\r\nDATA\r\n");
	sh_data(f->h, 1, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
	sh_data(f->h, 1, "250 ok\r\n");
	is(f, o[0], LT_ACCEPTED, 0, 0);
	is(f, o[2], LT_ACCEPTED, 0, 0);
}

static void a_stop_behind_the_dot_waits_for_the_truth(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn");
	sh_data(f->h, 0, OK3);
	sh_cancel(f->h, a);
	pending(f, a);
	sh_data(f->h, 0, "250 ok\r\n");
	is(f, a, LT_ACCEPTED, 0, 0);
}

static void a_stop_in_lock_step_resets_the_transaction(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, LOCK);
	size_t a = op(f, "a@x.vn");
	sh_data(f->h, 0, "250 ok\r\n");
	sh_cancel(f->h, a); /* RCPT is out, not answered */
	is(f, a, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_FREE);
	(void)sh_sent(f->h, 0);
	sh_data(f->h, 0, "250 ok\r\n");
	assert_string_equal(sh_sent(f->h, 0), "RSET\r\n");
	sh_data(f->h, 0, "250 ok\r\n");
	a = op(f, "a@x.vn");
	sh_data(f->h, 0, "250 ok\r\n");
	sh_data(f->h, 0, "250 ok\r\n");
	(void)sh_sent(f->h, 0);
	sh_cancel(f->h, a); /* DATA is out */
	sh_data(f->h, 0, "354 go\r\n");
	assert_string_equal(sh_sent(f->h, 0), "");
	assert_true(f->h->streams[0]->reset);
	assert_int_equal(f->h->streams[0]->publishing_writes, 0);
}

static void a_full_stream_is_waited_for(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn");
	(void)sh_sent(f->h, 0);
	f->h->streams[0]->refuse_again = true;
	sh_data(f->h, 0, OK3);
	assert_string_equal(sh_sent(f->h, 0), "");
	size_t b = op(f, "b@x.vn");
	assert_string_equal(sh_sent(f->h, 0), "");
	sh_drain(f->h, 0);
	assert_memory_equal(sh_sent(f->h, 0), BODY ".\r\n", strlen(BODY ".\r\n"));
	sh_data(f->h, 0, "250 ok\r\n" OK3);
	sh_data(f->h, 0, "250 ok\r\n");
	is(f, a, LT_ACCEPTED, 0, 0);
	is(f, b, LT_ACCEPTED, 0, 0);
}

static void a_mail_that_the_host_never_took_is_deferred(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn");
	f->h->streams[0]->refuse_again = true;
	sh_data(f->h, 0, OK3);
	sh_closed(f->h, 0, -104, NULL, "gone");
	is(f, a, LT_DEFERRED, LT_SCOPE_LANE, 0);
}

static void a_stop_takes_back_what_waits_for_room(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn");
	f->h->streams[0]->refuse_again = true;
	(void)sh_sent(f->h, 0);
	sh_data(f->h, 0, OK3);
	sh_cancel(f->h, a);
	is(f, a, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_FREE);
	sh_drain(f->h, 0);
	assert_string_equal(sh_sent(f->h, 0), "");
}

static void a_broken_stream_is_dropped(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn");
	f->h->streams[0]->fail_write = -LT_E_CLOSED;
	sh_data(f->h, 0, OK3);
	sh_turn(f->h);
	is(f, a, LT_DEFERRED, LT_SCOPE_LANE, 0);
	assert_true(f->h->streams[0]->reset);
}

static void an_old_connection_is_said_goodbye(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn"), b = op(f, "b@x.vn"), c = op(f, "c@x.vn");
	sh_data(f->h, 0, OK3);
	(void)sh_sent(f->h, 0);
	sh_data(f->h, 0, "250 ok\r\n" OK3);
	sh_data(f->h, 0, "250 ok\r\n");
	is(f, a, LT_ACCEPTED, 0, 0);
	is(f, b, LT_ACCEPTED, 0, 0);
	assert_non_null(strstr(sh_sent(f->h, 0), "QUIT\r\n"));
	sh_data(f->h, 0, "221 bye\r\n");
	assert_int_equal(f->h->n_streams, 2);
	sh_opened(f->h, 1, PIPE);
	sh_data(f->h, 1, OK3);
	sh_data(f->h, 1, "250 ok\r\n");
	is(f, c, LT_ACCEPTED, 0, 0);
}

struct few { /* a relay that takes so many mails on a connection, and says 421 to the next */
	struct fix *f;
	int cap, taken[SH_STREAMS_MAX], refusals;
	bool told[SH_STREAMS_MAX], gone[SH_STREAMS_MAX];
};

/* What was sent on stream i is answered. */
static void few_listens(struct few *r, size_t i)
{
	const char *sent = sh_sent(r->f->h, i);
	char said[600] = "";

	for (const char *p = sent; (p = strstr(p, "MAIL FROM")) != NULL; p++) {
		if (r->taken[i]++ < r->cap) {
			(void)strncat(said, OK3, sizeof(said) - strlen(said) - 1);
			continue;
		}
		(void)strncat(said, "421 4.7.0 too many messages in this session\r\n",
			sizeof(said) - strlen(said) - 1);
		r->refusals++;
		break;
	}
	if (strstr(sent, "\r\n.\r\n") != NULL) { /* its reply comes first */
		char both[700];
		(void)snprintf(both, sizeof(both), "250 ok\r\n%s", said);
		(void)snprintf(said, sizeof(said), "%s", both);
	}
	if (strstr(sent, "QUIT\r\n") != NULL)
		(void)strncat(said, "221 bye\r\n", sizeof(said) - strlen(said) - 1);
	if (said[0] != '\0')
		sh_data(r->f->h, i, said);
}

static void a_relay_that_takes_few_mails_on_a_connection_puts_none_off(void **state)
{
	struct few r = { .f = *state, .cap = 1 };
	size_t ops[120], n = 0;

	for (int turn = 0; turn < 600; turn++) {
		for (size_t i = 0; i < r.f->h->n_streams; i++) {
			if (!r.told[i]) {
				r.told[i] = true;
				sh_opened(r.f->h, i, PIPE);
			}
			few_listens(&r, i);
		}
		while (n < 60)
			ops[n++] = op(r.f, "a@x.vn");
	}
	for (size_t i = 0; i < n; i++)
		is(r.f, ops[i], LT_ACCEPTED, 0, 0);
	assert_in_range(r.refusals, 0, 12); /* it is learned */
}

static void an_idle_connection_is_closed_and_opened_again_on_demand(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn");
	sh_data(f->h, 0, OK3);
	sh_data(f->h, 0, "250 ok\r\n");
	is(f, a, LT_ACCEPTED, 0, 0);
	(void)sh_sent(f->h, 0);
	sh_advance(f->h, 31000);
	assert_string_equal(sh_sent(f->h, 0), "QUIT\r\n");
	sh_advance(f->h, 4000); /* no reply to QUIT: closed all the same */
	assert_true(f->h->streams[0]->gone);
	assert_int_equal(f->h->slots, 512);
	size_t b = op(f, "b@x.vn");
	assert_int_equal(f->h->n_streams, 2);
	sh_opened(f->h, 1, PIPE);
	sh_data(f->h, 1, OK3);
	sh_data(f->h, 1, "250 ok\r\n");
	is(f, b, LT_ACCEPTED, 0, 0);
}

static void connections_are_opened_as_the_work_and_the_limit_ask(void **state)
{
	struct fix *f = *state;
	size_t o[8];

	sh_limit(f->h, f->s, 3);
	sh_opened(f->h, 0, PIPE);
	for (int i = 0; i < 8; i++)
		o[i] = op(f, "a@x.vn");
	assert_int_equal(f->h->n_streams, 3);
	sh_limit(f->h, f->s, 100);
	sh_turn(f->h);
	assert_true(f->h->n_streams > 3 && f->h->n_streams <= 10);
	for (size_t i = 1; i < f->h->n_streams; i++)
		sh_opened(f->h, i, PIPE);
	for (int round = 0; round < 4; round++)
		for (size_t i = 0; i < f->h->n_streams; i++)
			if (strstr(sh_sent(f->h, i), "DATA\r\n") != NULL) {
				sh_data(f->h, i, OK3);
				sh_data(f->h, i, "250 ok\r\n");
			}
	for (int i = 0; i < 8; i++)
		is(f, o[i], LT_ACCEPTED, 0, 0);
	sh_limit(f->h, f->s, 1);
	sh_turn(f->h);
	size_t quit = 0;
	for (size_t i = 0; i < f->h->n_streams; i++)
		quit += strstr(sh_sent(f->h, i), "QUIT\r\n") != NULL;
	assert_int_equal(quit, f->h->n_streams - 1);
}

static void a_relay_that_is_not_there_ends_the_session_with_the_reason(void **state)
{
	struct fix *f = *state;
	size_t a = op(f, "a@x.vn");

	sh_closed(f->h, 0, -111, NULL, "connection refused");
	is(f, a, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE);
	is(f, f->s, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE);
	assert_string_equal(sh_result(f->h, f->s)->text, "connection refused");
	assert_int_equal(sh_result(f->h, f->s)->retry_after_ms, 30000);
}

static void a_refused_login_is_held_for_a_person(void **state)
{
	struct fix *f = *state;

	sh_closed(f->h, 0, -13, "535 5.7.8 bad credentials\r\n", "login denied");
	is(f, f->s, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON);
	assert_string_equal(sh_result(f->h, f->s)->code, "535 5.7.8");
}

static void a_certificate_that_is_not_trusted_is_held_for_a_person(void **state)
{
	struct fix *f = *state;

	sh_closed(f->h, 0, -71, "220 2.0.0 Ready to start TLS\r\n", "SSL certificate problem");
	is(f, f->s, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON);
	assert_string_equal(sh_result(f->h, f->s)->text, "SSL certificate problem");
}

static void a_busy_relay_is_asked_again_later(void **state)
{
	struct fix *f = *state;

	sh_closed(f->h, 0, -71, "421 4.3.2 too busy\r\n", "refused");
	is(f, f->s, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE);
	assert_int_equal(sh_result(f->h, f->s)->retry_after_ms, 300000);
}

static void no_connection_in_time_ends_the_session_too(void **state)
{
	struct fix *f = *state;
	size_t a = op(f, "a@x.vn");

	sh_advance(f->h, 299000); /* a greeting may take five minutes (RFC 5321 4.5.3.2.1) */
	pending(f, a);
	sh_advance(f->h, 10000);
	is(f, a, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE);
	assert_true(sh_result(f->h, f->s)->done);
}

static void a_second_connection_that_fails_harms_nobody(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn"), b = op(f, "b@x.vn");
	assert_int_equal(f->h->n_streams, 2);
	sh_closed(f->h, 1, -111, "421 4.7.0 too many connections\r\n", "refused");
	assert_false(sh_result(f->h, f->s)->done);
	sh_data(f->h, 0, OK3);
	sh_data(f->h, 0, "250 ok\r\n" OK3);
	sh_data(f->h, 0, "250 ok\r\n");
	is(f, a, LT_ACCEPTED, 0, 0);
	is(f, b, LT_ACCEPTED, 0, 0);
}

static void a_shutdown_lets_the_wire_finish_and_gives_the_rest_back(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn"), b = op(f, "b@x.vn"), c = op(f, "c@x.vn");
	sh_data(f->h, 0, OK3); /* a behind the dot, b in the envelope, c waits */
	sh_shutdown(f->h, f->s);
	is(f, c, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_FREE);
	pending(f, a);
	assert_int_equal(f->h->slots, 0);
	sh_data(f->h, 0, "250 ok\r\n" OK3);
	sh_data(f->h, 0, "250 ok\r\n");
	is(f, a, LT_ACCEPTED, 0, 0);
	is(f, b, LT_ACCEPTED, 0, 0);
	assert_non_null(strstr(sh_sent(f->h, 0), "QUIT\r\n"));
	sh_data(f->h, 0, "221 bye\r\n");
	sh_turn(f->h);
	is(f, f->s, LT_ACCEPTED, 0, 0);
}

static void policy_refusals_of_one_domain_slow_its_class(void **state)
{
	struct fix *f = *state;
	size_t last = 0;

	sh_opened(f->h, 0, PIPE);
	for (int i = 0; i < 12; i++) {
		last = op(f, "a@big.vn");
		sh_data(f->h, 0, "250 ok\r\n550 5.7.1 policy\r\n503 no\r\n");
		sh_data(f->h, 0, "250 reset\r\n");
	}
	is(f, last, LT_REFUSED, LT_SCOPE_CLASS, 0);
	last = op(f, "a@small.vn");
	sh_data(f->h, 0, "250 ok\r\n550 5.7.1 policy\r\n503 no\r\n");
	is(f, last, LT_REFUSED, LT_SCOPE_TARGET, 0);
}

static void a_wrong_setting_or_table_does_not_open(void **state)
{
	struct sh *h = mail_host();

	(void)state;
	assert_true(sh_open(h) < 0); /* no table */
	assert_non_null(strstr(sh_last_note(h, "log")->text, "outcomes"));
	sh_file(h, "outcomes", shipped_file("config/outcomes/email.tsv"));
	sh_conf(h, "connections", "1000");
	assert_true(sh_open(h) < 0);
	assert_non_null(strstr(sh_last_note(h, "log")->text,
		"connections: '1000' is wrong; a number from 1 to 64"));
	sh_conf(h, "connections", "2");
	sh_conf(h, "from", "not an address");
	assert_true(sh_open(h) < 0);
	sh_conf(h, "from", "a@x.vn");
	sh_conf(h, "tls", "maybe");
	assert_true(sh_open(h) < 0);
	sh_conf(h, "tls", "implicit");
	sh_conf(h, "auth", "ntlm");
	assert_true(sh_open(h) < 0);
	assert_non_null(strstr(sh_last_note(h, "log")->text,
		"auth: 'ntlm' is wrong; auto, plain, login, cram-md5 or xoauth2"));
	sh_conf(h, "auth", "plain");
	assert_int_equal(sh_open(h), 0);
	sh_free(h);
}

static void credits_are_told_again_when_a_mail_ends_in_its_first_turn(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	assert_int_equal(f->h->slots, 512);
	f->h->slots = 511;               /* the host counts down when it starts an op */
	size_t a = op(f, "nguyễn@x.vn"); /* refused without a byte */
	assert_true(sh_result(f->h, a)->done);
	assert_int_equal(f->h->slots, 512);
}

static size_t op_until(struct fix *f, const char *address, int64_t life_ms)
{
	size_t i = sh_op(f->h, f->s, address, "r", BODY, 0);

	f->h->jobs[i]->work.deadline_ms = f->h->mono + life_ms;
	assert_int_equal(sh_start(f->h, i, 1), 0);
	sh_turn(f->h);
	return i;
}

static void a_mail_ends_before_the_deadline_of_the_host(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op_until(f, "a@x.vn", 60000);
	sh_data(f->h, 0, OK3);                   /* a behind the dot */
	size_t b = op_until(f, "b@x.vn", 60000); /* envelope */
	size_t c = op_until(f, "c@x.vn", 60000); /* queue */
	sh_advance(f->h, 58000);
	pending(f, a);
	pending(f, b);
	pending(f, c);
	sh_advance(f->h, 1900);
	is(f, a, LT_UNKNOWN, LT_SCOPE_TARGET, 0);
	is(f, b, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE);
	is(f, c, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE);
	assert_string_equal(sh_result(f->h, c)->code, "late");
}

static void a_short_deadline_is_kept_as_well(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op_until(f, "a@x.vn", 100);
	sh_advance(f->h, 99);
	is(f, a, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE);
}

static void bytes_without_an_intent_end_the_mail_and_the_connection(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn");
	f->h->streams[0]->fail_write = -LT_E_NOINTENT;
	sh_data(f->h, 0, OK3);
	is(f, a, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_FREE);
	assert_true(f->h->streams[0]->reset);
}

static void what_a_session_cut_off_by_the_host_leaves_is_freed_at_close(void **state)
{
	struct fix *f = *state;
	size_t o[3];

	sh_opened(f->h, 0, PIPE);
	(void)op(f, "a@x.vn");
	batch(f, o, 3);
	sh_data(f->h, 0, OK3);
	for (size_t i = 0; i < f->h->n_jobs;
		i++) { /* as the host does when nobody may wait longer */
		free(f->h->jobs[i]->job.priv);
		f->h->jobs[i]->job.priv = NULL;
		f->h->jobs[i]->result.done = true;
	}
	f->s = sh_session(f->h); /* and the next one starts */
	sh_opened(f->h, 1, PIPE);
	size_t b = op(f, "b@x.vn");
	sh_data(f->h, 1, OK3);
	sh_data(f->h, 1, "250 ok\r\n");
	is(f, b, LT_ACCEPTED, 0, 0);
}

int main(void)
{
#define T(f)     cmocka_unit_test_setup_teardown(f, one, teardown)
#define T2(f, s) cmocka_unit_test_setup_teardown(f, s, teardown)
	const struct CMUnitTest tests[] = {
		T(a_stop_before_the_envelope_gives_the_mail_back),
		T(a_stop_after_the_envelope_sends_no_dot),
		T(a_stop_of_a_recipient_that_is_refused_anyway_keeps_the_link),
		T(a_stop_of_one_in_a_batch_saves_the_others),
		T(a_stop_behind_the_dot_waits_for_the_truth),
		T(a_stop_in_lock_step_resets_the_transaction),
		T(a_full_stream_is_waited_for),
		T(a_mail_that_the_host_never_took_is_deferred),
		T(a_stop_takes_back_what_waits_for_room),
		T(a_broken_stream_is_dropped),
		T2(an_old_connection_is_said_goodbye, old_after_two),
		T2(a_relay_that_takes_few_mails_on_a_connection_puts_none_off, ten),
		T(an_idle_connection_is_closed_and_opened_again_on_demand),
		T2(connections_are_opened_as_the_work_and_the_limit_ask, ten),
		T(a_relay_that_is_not_there_ends_the_session_with_the_reason),
		T(a_refused_login_is_held_for_a_person),
		T(a_certificate_that_is_not_trusted_is_held_for_a_person),
		T(a_busy_relay_is_asked_again_later),
		T(no_connection_in_time_ends_the_session_too),
		T2(a_second_connection_that_fails_harms_nobody, two),
		T(a_shutdown_lets_the_wire_finish_and_gives_the_rest_back),
		T(policy_refusals_of_one_domain_slow_its_class),
		cmocka_unit_test(a_wrong_setting_or_table_does_not_open),
		T(credits_are_told_again_when_a_mail_ends_in_its_first_turn),
		T(a_mail_ends_before_the_deadline_of_the_host),
		T(a_short_deadline_is_kept_as_well),
		T(bytes_without_an_intent_end_the_mail_and_the_connection),
		T(what_a_session_cut_off_by_the_host_leaves_is_freed_at_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
