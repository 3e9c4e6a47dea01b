/* test_smtp_lost.c - every way to lose a reply: what is unknown, what is proven not sent, what goes out again. */
#include "smtptest.h"

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

int main(void)
{
#define T(f)     cmocka_unit_test_setup_teardown(f, one, teardown)
#define T2(f, s) cmocka_unit_test_setup_teardown(f, s, teardown)
	const struct CMUnitTest tests[] = {
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
		T(a_lost_reply_leaves_the_whole_batch_unknown_but_not_the_refused),
		T2(a_mad_relay_never_makes_the_adapter_lie_or_hang, two),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
