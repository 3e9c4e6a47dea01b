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

/* The recipients of the transactions of a stream whose text went out with its dot, each with a comma behind it. */
static void texts_of(const struct sh_stream *s, char *ret, size_t size)
{
	char to[4000] = "";

	for (const char *p = s->out.p; p != NULL && *p != '\0';) {
		const char *end = strstr(p, "\r\n");
		if (strncmp(p, BODY ".\r\n", strlen(BODY ".\r\n")) == 0) {
			(void)strncat(ret, to, size - strlen(ret) - 1);
			to[0] = '\0';
			p += strlen(BODY ".\r\n");
			continue;
		}
		if (strncmp(p, "MAIL FROM", 9) == 0 || strncmp(p, "RSET", 4) == 0)
			to[0] = '\0';
		if (strncmp(p, "RCPT TO:<", 9) == 0)
			(void)snprintf(to + strlen(to), sizeof(to) - strlen(to), "%.*s,",
				(int)strcspn(p + 9, ">"), p + 9);
		p = end == NULL ? NULL : end + 2;
	}
}

/* --- a relay that goes mad now and then ---------------------------------------------------------------------------------------- */
struct mad {
	struct fix *f;
	unsigned seed;
};

static unsigned below(struct mad *m, unsigned n)
{
	m->seed = m->seed * 1103515245u + 12345u;
	return (m->seed >> 16) % n;
}

/* What it says to a line: mostly what it should; sometimes a no, nothing, or anything. */
static const char *said_to(struct mad *m, const char *line)
{
	static const char *const says[] = { "250 ok\r\n", "354 go\r\n", "550 5.1.1 no\r\n",
		"450 4.7.1 x\r\n", "421 bye\r\n", "250-a\r\n", "25", "0 x\r\n", "503 x\r\n",
		"354 go\r\n250 ok\r\n", OK3, "garbage\r\n", "452 4.5.3 many\r\n",
		"550 5.1.1 x\r\n250 ok\r\n", "" };
	bool rcpt = strncmp(line, "RCPT", 4) == 0, data = strncmp(line, "DATA", 4) == 0,
	     dot = strncmp(line, ".\r", 2) == 0;

	if (!rcpt && !data && !dot && strncmp(line, "MAIL", 4) != 0 &&
		strncmp(line, "RSET", 4) != 0 && strncmp(line, "QUIT", 4) != 0)
		return ""; /* a line of the text */
	if (below(m, 25) == 0)
		return says[below(m, sizeof(says) / sizeof(says[0]))];
	if (rcpt && below(m, 8) == 0)
		return says[2 + below(m, 2)];
	if (dot && below(m, 8) == 0)
		return "451 4.3.0 later\r\n";
	return data ? "354 go\r\n" : "250 ok\r\n";
}

static void mad_listens(struct mad *m, size_t i)
{
	struct sh *h = m->f->h;
	char answer[4000] = "";

	for (const char *p = sh_sent(h, i); *p != '\0';) {
		const char *end = strstr(p, "\r\n");
		(void)strncat(answer, said_to(m, p), sizeof(answer) - strlen(answer) - 1);
		p = end == NULL ? "" : end + 2;
	}
	if (answer[0] != '\0')
		sh_data(h, i, answer);
}

static void mad_turn(struct mad *m)
{
	struct sh *h = m->f->h;

	for (size_t i = 0; i < h->n_streams; i++) {
		const struct sh_stream *s = h->streams[i];
		if (s->gone || s->closing)
			continue;
		if (!s->opened)
			sh_opened(h, i, below(m, 2) ? PIPE : LOCK);
		else if (below(m, 60) == 0)
			sh_closed(h, i, -104, NULL, "gone");
		else
			mad_listens(m, i);
	}
	if (sh_result(h, m->f->s)->done)
		m->f->s = sh_session(h); /* as the host does */
}

/* A relay that says anything at any time: every mail ends exactly once, and is told as accepted or unknown only with a whole text on
 * the wire. */
static void a_mad_relay_never_makes_the_adapter_lie_or_hang(void **state)
{
	struct fix *f = *state;
	struct mad m = { .f = f, .seed = 99 };

	for (int round = 0; round < 900 && f->h->n_streams < 240 && f->h->n_jobs < 3500; round++) {
		size_t o[4], n = 1 + (size_t)round % 4;
		for (size_t i = 0; i < n;
			i++) { /* one address each: it is found on the wire again */
			char a[32];
			(void)snprintf(a, sizeof(a), "m%zu@x.vn", f->h->n_jobs);
			o[i] = sh_op(f->h, f->s, a, a, BODY, 77);
		}
		assert_int_equal(sh_start(f->h, o[0], n), 0);
		sh_turn(f->h);
		for (int k = 0; k < 6; k++)
			mad_turn(&m);
		if (below(&m, 10) == 0 && !sh_result(f->h, o[0])->done)
			sh_cancel(f->h, o[0]);
		sh_advance(f->h, 1000);
	}
	sh_advance(f->h, 3600000);
	for (size_t i = 0; i < f->h->n_streams; i++)
		sh_closed(f->h, i, -104, NULL, "gone");
	sh_advance(f->h, 3600000);
	static char taken[200000];
	size_t n[4] = { 0 };
	taken[0] = '\0';
	for (size_t i = 0; i < f->h->n_streams; i++)
		texts_of(f->h->streams[i], taken, sizeof(taken));
	for (size_t i = 0; i < f->h->n_jobs; i++) {
		const struct sh_job *j = f->h->jobs[i];
		char a[40];
		if (j->job.kind != LT_J_OP)
			continue;
		if (!j->result.done)
			fail_msg("job %zu never ended", i);
		(void)snprintf(a, sizeof(a), "%s,", j->address);
		if (strstr(taken, a) == NULL &&
			(j->result.outcome == LT_ACCEPTED || j->result.outcome == LT_UNKNOWN))
			fail_msg("%s: outcome %d, and no text of it went out", j->address,
				j->result.outcome);
		n[j->result.outcome]++;
	}
	for (size_t i = 0; i < 4; i++) /* each end is reached */
		if (n[i] < 15)
			fail_msg("only %zu ended so: %zu", n[i], i);
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
