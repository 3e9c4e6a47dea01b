/* test_smtp.c - the SMTP engine against a relay played by the test: pipelined and in lock step, every way to lose a reply. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "mailtest.h"

#define PIPE "250-relay\r\n250-PIPELINING\r\n250-SIZE 100000\r\n250 ENHANCEDSTATUSCODES\r\n"
#define LOCK "250-relay\r\n250 SIZE 100000\r\n"
#define BODY "Subject: x\r\n\r\nbody\r\n"
#define OK3  "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go\r\n"

static char table[65536];

struct fix {
	struct sh *h;
	size_t s; /* session */
};

static int setup_with(void **state, const char *connections, const char *key, const char *value)
{
	struct fix *f = calloc(1, sizeof(*f));
	FILE *t = fopen("config/outcomes/email.tsv", "r");

	if (t == NULL)
		return -1;
	table[fread(table, 1, sizeof(table) - 1, t)] = '\0';
	(void)fclose(t);
	f->h = mail_host();
	sh_file(f->h, "outcomes", table);
	sh_conf(f->h, "connections", connections);
	if (key != NULL)
		sh_conf(f->h, key, value);
	if (sh_open(f->h) < 0)
		return -1;
	f->s = sh_session(f->h);
	*state = f;
	return 0;
}

static int one(void **state)
{
	return setup_with(state, "1", NULL, NULL);
}

static int two(void **state)
{
	return setup_with(state, "2", NULL, NULL);
}

static int ten(void **state)
{
	return setup_with(state, "10", NULL, NULL);
}

static int old_after_two(void **state)
{
	return setup_with(state, "1", "max_mails_per_conn", "2");
}

static int verp(void **state)
{
	return setup_with(state, "1", "verp_domain", "bounces.example.vn");
}

static int teardown(void **state)
{
	struct fix *f = *state;
	int misuse = f->h->misuse;

	if (misuse > 0)
		(void)fprintf(stderr, "misuse: %s\n", f->h->misuse_text);
	if (!sh_result(f->h, f->s)->done) { /* leaves nothing behind */
		sh_shutdown(f->h, f->s);
		for (size_t i = 0; i < f->h->n_streams; i++)
			sh_closed(f->h, i, 0, NULL, NULL);
		sh_advance(f->h, 3600000);
	}
	bool over = sh_result(f->h, f->s)->done;
	sh_free(f->h);
	free(f);
	return misuse > 0 || !over ? -1 : 0;
}

static size_t op(struct fix *f, const char *address)
{
	char ref[32];

	(void)snprintf(ref, sizeof(ref), "ref%zu", f->h->n_jobs);
	size_t i = sh_op(f->h, f->s, address, ref, BODY, 0);
	assert_int_equal(sh_start(f->h, i, 1), 0);
	sh_turn(f->h);
	return i;
}

static void is(struct fix *f, size_t i, int outcome, int scope, uint32_t flags)
{
	struct sh_result *r = sh_result(f->h, i);

	assert_true(r->done);
	if (r->outcome != outcome || r->scope != scope || r->flags != flags)
		fail_msg("outcome %d scope %d flags %x code '%s' text '%s'", r->outcome, r->scope,
			r->flags, r->code, r->text);
}

static void pending(struct fix *f, size_t i)
{
	assert_false(sh_result(f->h, i)->done);
}

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

static void a_link_lost_behind_the_dot_is_unknown(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn");
	sh_data(f->h, 0, OK3);
	sh_closed(f->h, 0, -104, NULL, "reset by peer");
	is(f, a, LT_UNKNOWN, LT_SCOPE_TARGET, 0);
}

static void a_link_lost_before_the_dot_left_is_deferred_to_the_byte(void **state)
{
	struct fix *f = *state;

	for (size_t i = 0; i < 2; i++) {
		struct sh_stream *st = f->h->streams[i];
		sh_opened(f->h, i, PIPE);
		size_t a = op(f, "a@x.vn");
		uint64_t envelope = st->out.n;
		st->hold = true;
		sh_data(f->h, i, OK3);
		st->flushed = envelope + strlen(BODY ".\r\n") - (i == 0 ? 1 : 0);
		sh_closed(f->h, i, -104, NULL, "reset by peer");
		if (i == 0)
			is(f, a, LT_DEFERRED, LT_SCOPE_LANE, 0);
		else
			is(f, a, LT_UNKNOWN, LT_SCOPE_TARGET, 0);
		if (i == 0) { /* the next mail opens the next connection */
			size_t c = op(f, "c@x.vn");
			assert_int_equal(f->h->n_streams, 2);
			sh_cancel(f->h, c);
			is(f, c, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_FREE);
		}
	}
}

static void the_pipelined_next_mail_is_not_harmed_by_a_lost_link(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t first = op(f, "first@x.vn");
	sh_data(f->h, 0, OK3);
	sh_data(f->h, 0, "250 ok\r\n");
	is(f, first, LT_ACCEPTED, 0, 0);
	size_t a = op(f, "a@x.vn"), b = op(f, "b@x.vn");
	sh_data(f->h, 0, OK3); /* a behind the dot, b's envelope out */
	sh_closed(f->h, 0, -104, NULL, "reset by peer");
	is(f, a, LT_UNKNOWN, LT_SCOPE_TARGET, 0);
	pending(f, b); /* goes out on a new connection */
	assert_int_equal(f->h->n_streams, 2);
	sh_opened(f->h, 1, PIPE);
	assert_non_null(strstr(sh_sent(f->h, 1), "RCPT TO:<b@x.vn>"));
	sh_data(f->h, 1, OK3);
	sh_data(f->h, 1, "250 ok\r\n");
	is(f, b, LT_ACCEPTED, 0, 0);
}

static void a_fresh_link_lost_before_the_mail_costs_no_try(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn");
	sh_data(f->h, 0, "250 ok\r\n");
	sh_closed(f->h, 0, 0, NULL, NULL);
	is(f, a, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE);
}

static void silence_behind_the_dot_is_unknown_after_ten_minutes(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn");
	sh_data(f->h, 0, OK3);
	sh_advance(f->h, 599000);
	pending(f, a);
	sh_advance(f->h, 2000);
	is(f, a, LT_UNKNOWN, LT_SCOPE_TARGET, 0);
	assert_true(f->h->streams[0]->reset);
}

static void silence_before_the_dot_is_deferred(void **state)
{
	static const char *const said[] = { "", "250 ok\r\n", "250 ok\r\n250 ok\r\n" };
	struct fix *f = *state;

	for (size_t i = 0; i < 3; i++) {
		sh_opened(f->h, i, LOCK);
		size_t a = op(f, "a@x.vn");
		for (const char *p = said[i]; *p != '\0'; p += 8)
			sh_data_n(f->h, i, p, 8);
		sh_advance(f->h, 119000);
		pending(f, a);
		sh_advance(f->h, 200000);
		is(f, a, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE);
		assert_true(f->h->streams[i]->reset);
		size_t b = op(f, "b@x.vn");
		sh_cancel(f->h, b);
	}
}

static void a_long_mail_gets_longer_behind_the_dot(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, "250 PIPELINING\r\n");
	size_t a = sh_op(f->h, f->s, "a@x.vn", "r", BODY, 0);
	f->h->jobs[a]->work.payload_bytes = 16u << 20;
	assert_int_equal(sh_start(f->h, a, 1), 0);
	sh_turn(f->h);
	sh_data(f->h, 0, OK3);
	sh_advance(f->h, 900000);
	pending(f, a);
	sh_advance(f->h, 1000000);
	is(f, a, LT_UNKNOWN, LT_SCOPE_TARGET, 0);
}

static void when_nobody_says_closed_silence_stays_unknown(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn");
	sh_data(f->h, 0, OK3);
	f->h->mono += 600000;
	f->h->wakes[0].at = f->h->mono;
	/* the host loses the event: the adapter's own clock settles */
	struct sh_stream *st = f->h->streams[0];
	st->closing = true;
	sh_advance(f->h, 30000);
	is(f, a, LT_UNKNOWN, LT_SCOPE_TARGET, 0);
}

static void goodbye_on_a_reused_link_is_tried_again_at_once(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn");
	sh_data(f->h, 0, OK3);
	sh_data(f->h, 0, "250 ok\r\n");
	is(f, a, LT_ACCEPTED, 0, 0);
	size_t b = op(f, "b@x.vn");
	sh_data(f->h, 0, "421 4.7.0 too many messages in this session\r\n");
	pending(f, b);
	assert_int_equal(f->h->n_streams, 2);
	sh_opened(f->h, 1, PIPE);
	sh_data(f->h, 1, OK3);
	sh_data(f->h, 1, "250 ok\r\n");
	is(f, b, LT_ACCEPTED, 0, 0);
}

static void goodbye_on_a_fresh_link_throttles_the_lane(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn");
	sh_data(f->h, 0, "421 4.7.0 busy\r\n");
	is(f, a, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE);
	assert_int_equal(sh_result(f->h, a)->retry_after_ms, 300000);
}

static void goodbye_as_final_reply_is_no(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn"), b = op(f, "b@x.vn");
	sh_data(f->h, 0, OK3);
	sh_data(f->h, 0, "421 4.3.0 shutting down\r\n");
	is(f, a, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE);
	pending(f, b);
	sh_opened(f->h, 1, PIPE);
	sh_data(f->h, 1, OK3);
	sh_data(f->h, 1, "250 ok\r\n");
	is(f, b, LT_ACCEPTED, 0, 0);
}

static void a_mail_is_not_moved_from_link_to_link_for_ever(void **state)
{
	struct fix *f = *state;
	size_t b = 0;

	for (size_t i = 0; i < 3; i++) {
		if (i > 0 && f->h->n_streams <= i)
			break;
		sh_opened(f->h, i, PIPE);
		if (i == 0) {
			size_t a = op(f, "a@x.vn");
			sh_data(f->h, 0, OK3);
			sh_data(f->h, 0, "250 ok\r\n");
			is(f, a, LT_ACCEPTED, 0, 0);
			b = op(f, "b@x.vn");
		}
		sh_data(f->h, i, "421 bye\r\n");
	}
	is(f, b, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE);
}

static void garbage_drops_the_link_and_tells_the_truth(void **state)
{
	static const char *const junk[] = { "hello\r\n", "\0\0\0\r\n", "999 x\r\n", "<html>\r\n" };
	struct fix *f = *state;

	for (size_t i = 0; i < 4; i++) {
		sh_opened(f->h, i, PIPE);
		size_t a = op(f, "a@x.vn");
		if (i >= 2)
			sh_data(f->h, i, OK3);
		sh_data_n(f->h, i, junk[i], i == 1 ? 5 : strlen(junk[i]));
		if (i >= 2)
			is(f, a, LT_UNKNOWN, LT_SCOPE_TARGET, 0);
		else
			is(f, a, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE);
		assert_true(f->h->streams[i]->reset);
		size_t b = op(f, "b@x.vn");
		sh_cancel(f->h, b);
	}
}

static void replies_that_nobody_asked_for_drop_the_link(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	sh_data(f->h, 0, "250 surprise\r\n");
	assert_true(f->h->streams[0]->reset);
}

static void an_early_yes_is_never_taken_for_the_final_one(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn");
	sh_data(f->h, 0, "250 ok\r\n250 ok\r\n250 what\r\n250 ok\r\n");
	is(f, a, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE);
	assert_int_equal(f->h->streams[0]->publishing_writes, 0);
}

static void a_final_yes_before_the_text_was_sent_is_a_lie(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn");
	sh_data(f->h, 0, OK3 "250 2.0.0 Ok: queued as LIE\r\n");
	is(f, a, LT_DEFERRED, LT_SCOPE_LANE, 0);
	assert_true(f->h->streams[0]->reset);
	assert_int_equal(f->h->streams[0]->publishing_writes, 0);
}

/* Six recipients of one text on a relay that mixes its answers. */
static void batch(struct fix *f, size_t *ops, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char a[32], r[32];
		(void)snprintf(a, sizeof(a), "u%zu@x.vn", i);
		(void)snprintf(r, sizeof(r), "r%zu", i);
		ops[i] = sh_op(f->h, f->s, a, r, BODY, 77);
	}
	assert_int_equal(sh_start(f->h, ops[0], n), 0);
	sh_turn(f->h);
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

static void a_lost_reply_leaves_the_whole_batch_unknown_but_not_the_refused(void **state)
{
	struct fix *f = *state;
	size_t o[3];

	sh_opened(f->h, 0, PIPE);
	batch(f, o, 3);
	sh_data(f->h, 0, "250 ok\r\n250 ok\r\n550 5.1.1 no\r\n250 ok\r\n354 go\r\n");
	sh_closed(f->h, 0, -104, NULL, "gone");
	is(f, o[0], LT_UNKNOWN, LT_SCOPE_TARGET, 0);
	is(f, o[1], LT_REFUSED, LT_SCOPE_TARGET, LT_R_SUPPRESS);
	is(f, o[2], LT_UNKNOWN, LT_SCOPE_TARGET, 0);
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

	sh_advance(f->h, 40000);
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

static void a_check_probes_without_a_mail(void **state)
{
	struct fix *f = *state;
	size_t c = sh_job(f->h, LT_J_CHECK, NULL);

	assert_int_equal(sh_start(f->h, c, 1), 0);
	sh_opened(f->h, 1, PIPE);
	is(f, c, LT_ACCEPTED, 0, 0);
	assert_non_null(strstr(sh_result(f->h, c)->text, "100000 bytes"));
	assert_string_equal(sh_sent(f->h, 1), "");
	c = sh_job(f->h, LT_J_CHECK, NULL);
	assert_int_equal(sh_start(f->h, c, 1), 0);
	sh_closed(f->h, 2, -13, "535 5.7.8 no\r\n", "denied");
	is(f, c, LT_DEFERRED, LT_SCOPE_ACCOUNT, 0);
	assert_string_equal(sh_result(f->h, c)->code, "535");
}

/* A relay that says anything at any time: every mail ends exactly once, and accepted only with a whole text on the wire. */
static void a_mad_relay_never_makes_the_adapter_lie_or_hang(void **state)
{
	static const char *const says[] = { "250 ok\r\n", "354 go\r\n", "550 5.1.1 no\r\n",
		"450 4.7.1 x\r\n", "421 bye\r\n", "250-a\r\n", "25", "0 x\r\n", "503 x\r\n",
		"354 go\r\n250 ok\r\n", OK3, "garbage\r\n", "452 4.5.3 many\r\n",
		"550 5.1.1 x\r\n250 ok\r\n" };
	struct fix *f = *state;
	unsigned seed = 99;

	for (int round = 0; round < 300 && f->h->n_streams < 200 && f->h->n_jobs < 3500; round++) {
		for (size_t i = 0; i < f->h->n_streams; i++)
			if (!f->h->streams[i]->opened && !f->h->streams[i]->gone &&
				!f->h->streams[i]->closing)
				sh_opened(f->h, i, round & 1 ? PIPE : LOCK);
		if (sh_result(f->h, f->s)->done)
			break;
		size_t o[4];
		batch(f, o, 1 + (size_t)round % 4);
		for (int k = 0; k < 6; k++) {
			seed = seed * 1103515245u + 12345u;
			size_t st = (seed >> 8) % f->h->n_streams;
			if (f->h->streams[st]->opened && (seed >> 20) % 3 != 0)
				sh_data(f->h, st, says[(seed >> 16) % 14]);
			else if ((seed >> 20) % 17 == 0)
				sh_closed(f->h, st, -104, NULL, "gone");
			else if ((seed >> 20) % 13 == 0 && !sh_result(f->h, o[0])->done)
				sh_cancel(f->h, o[0]);
		}
		sh_advance(f->h, 1000);
	}
	sh_advance(f->h, 3600000);
	for (size_t i = 0; i < f->h->n_streams; i++)
		sh_closed(f->h, i, -104, NULL, "gone");
	sh_advance(f->h, 3600000);
	size_t accepted = 0, bodies = 0;
	for (size_t i = 0; i < f->h->n_jobs; i++)
		if (f->h->jobs[i]->job.kind == LT_J_OP) {
			if (!f->h->jobs[i]->result.done && !sh_result(f->h, f->s)->done)
				fail_msg("job %zu never ended", i);
			accepted += f->h->jobs[i]->result.outcome == LT_ACCEPTED &&
				f->h->jobs[i]->result.done;
		}
	for (size_t i = 0; i < f->h->n_streams; i++)
		bodies += f->h->streams[i]->publishing_writes;
	assert_true(accepted <= bodies * 4);
	assert_int_equal(f->h->misuse, 0);
}

static void a_wrong_setting_or_table_does_not_open(void **state)
{
	struct sh *h = mail_host();

	(void)state;
	assert_true(sh_open(h) < 0); /* no table */
	assert_non_null(strstr(sh_last_note(h, "log")->text, "outcomes"));
	sh_file(h, "outcomes", table);
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
	assert_int_equal(sh_open(h), 0);
	sh_free(h);
}

int main(void)
{
#define T(f)     cmocka_unit_test_setup_teardown(f, one, teardown)
#define T2(f, s) cmocka_unit_test_setup_teardown(f, s, teardown)
	const struct CMUnitTest tests[] = {
		T(credits_come_when_the_relay_has_let_us_in),
		T(pipelining_sends_the_envelope_at_once_and_the_next_behind_the_dot),
		T(without_pipelining_every_command_waits_for_its_reply),
		T(lower_case_keywords_count),
		T2(verp_puts_the_reference_into_the_sender, verp),
		T(a_refused_recipient_ends_with_a_lone_dot_where_354_comes_anyway),
		T(a_refused_recipient_is_reset_where_data_is_refused_too),
		T(a_refused_sender_pulls_the_pipelined_rest_with_it),
		T(data_refused_counts_for_who_was_accepted),
		T(the_final_reply_decides_by_the_table),
		T(a_link_lost_behind_the_dot_is_unknown),
		T(a_link_lost_before_the_dot_left_is_deferred_to_the_byte),
		T(the_pipelined_next_mail_is_not_harmed_by_a_lost_link),
		T(a_fresh_link_lost_before_the_mail_costs_no_try),
		T(silence_behind_the_dot_is_unknown_after_ten_minutes),
		T(silence_before_the_dot_is_deferred),
		T(a_long_mail_gets_longer_behind_the_dot),
		T(when_nobody_says_closed_silence_stays_unknown),
		T(goodbye_on_a_reused_link_is_tried_again_at_once),
		T(goodbye_on_a_fresh_link_throttles_the_lane),
		T(goodbye_as_final_reply_is_no),
		T(a_mail_is_not_moved_from_link_to_link_for_ever),
		T(garbage_drops_the_link_and_tells_the_truth),
		T(replies_that_nobody_asked_for_drop_the_link),
		T(an_early_yes_is_never_taken_for_the_final_one),
		T(a_final_yes_before_the_text_was_sent_is_a_lie),
		T(recipients_of_one_text_share_a_transaction_with_an_outcome_each),
		T(fifty_is_the_most_in_one_transaction),
		T(too_many_recipients_go_into_the_next_transaction),
		T(one_bad_recipient_in_the_final_reply_splits_the_batch),
		T(a_lost_reply_leaves_the_whole_batch_unknown_but_not_the_refused),
		T(the_replies_may_be_cut_at_every_byte),
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
		T(what_the_relay_can_never_take_is_refused_before_it_is_asked),
		T(smtputf8_is_asked_for_only_where_it_is_needed),
		T2(an_old_connection_is_said_goodbye, old_after_two),
		T(an_idle_connection_is_closed_and_opened_again_on_demand),
		T2(connections_are_opened_as_the_work_and_the_limit_ask, ten),
		T(a_relay_that_is_not_there_ends_the_session_with_the_reason),
		T(a_refused_login_is_held_for_a_person),
		T(a_busy_relay_is_asked_again_later),
		T(no_connection_in_time_ends_the_session_too),
		T2(a_second_connection_that_fails_harms_nobody, two),
		T(a_shutdown_lets_the_wire_finish_and_gives_the_rest_back),
		T(policy_refusals_of_one_domain_slow_its_class),
		T(a_check_probes_without_a_mail),
		T2(a_mad_relay_never_makes_the_adapter_lie_or_hang, two),
		cmocka_unit_test(a_wrong_setting_or_table_does_not_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
