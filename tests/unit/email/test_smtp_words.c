/* test_smtp_words.c - what the relay says too early, too often or of somebody: replies before the end of the text, limits told without
 * an enhanced code, addresses in its words. */
#include "smtptest.h"

/* A stream that took the envelope of one mail, and of its text all but `short_by` bytes. */
static size_t half_sent(struct fix *f, size_t stream, size_t short_by)
{
	struct sh_stream *st = f->h->streams[stream];

	sh_opened(f->h, stream, PIPE);
	size_t a = op(f, "first@x.vn");
	uint64_t envelope = st->out.n;
	st->hold = true;
	sh_data(f->h, stream, OK3);
	st->flushed = envelope + strlen(BODY ".\r\n") - short_by;
	return a;
}

static void a_no_before_the_dot_counts_and_ends_the_link(void **state)
{
	static const struct {
		const char *reply;
		int outcome, scope;
	} t[] = { { "552 5.3.4 too big\r\n", LT_REFUSED, LT_SCOPE_RELEASE },
		{ "451 4.3.0 not now\r\n", LT_DEFERRED, LT_SCOPE_TARGET } };
	struct fix *f = *state;

	for (size_t i = 0; i < 2; i++) {
		size_t a = half_sent(f, i, 1);
		sh_data(f->h, i, t[i].reply);
		is(f, a, t[i].outcome, t[i].scope, 0);
		assert_true(f->h->streams[i]->reset);
		size_t b = op(
			f, "b@x.vn"); /* its envelope cannot get between the lines of the text */
		assert_null(strstr(sh_sent(f->h, i), "b@x.vn"));
		assert_int_equal(f->h->n_streams, i + 2);
		sh_cancel(f->h, b);
	}
}

static void the_mail_behind_such_a_text_goes_out_on_another_link(void **state)
{
	struct fix *f = *state;
	size_t a = half_sent(f, 0, 1), b = op(f, "next@x.vn");

	assert_non_null(strstr(sh_sent(f->h, 0), "next@x.vn"));
	sh_data(f->h, 0, "552 5.3.4 too big\r\n500 5.5.2 what?\r\n500 5.5.2 what?\r\n");
	is(f, a, LT_REFUSED, LT_SCOPE_RELEASE, 0);
	pending(f, b); /* the 500s answer lines of the text */
	sh_opened(f->h, 1, PIPE);
	sh_data(f->h, 1, OK3);
	sh_data(f->h, 1, "250 ok\r\n");
	is(f, b, LT_ACCEPTED, 0, 0);
}

/* The relay must not deliver without the dot, but it says that it does: neither sent nor proven unsent. */
static void a_yes_before_the_dot_is_no_yes(void **state)
{
	struct fix *f = *state;
	size_t a = half_sent(f, 0, 1);

	sh_data(f->h, 0, "250 2.0.0 Ok: queued as EARLY\r\n");
	is(f, a, LT_UNKNOWN, LT_SCOPE_TARGET, 0);
	assert_true(f->h->streams[0]->reset);
}

static void a_yes_right_behind_the_dot_is_a_yes(void **state)
{
	struct fix *f = *state;
	size_t a = half_sent(f, 0, 0);

	sh_data(f->h, 0, "250 2.0.0 Ok\r\n");
	is(f, a, LT_ACCEPTED, 0, 0);
	assert_false(f->h->streams[0]->reset);
}

static void goodbye_to_a_link_that_carried_only_refusals_is_tried_again_at_once(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn");
	sh_data(f->h, 0, "250 ok\r\n550 5.1.1 no\r\n554 5.5.1 nobody\r\n");
	sh_data(f->h, 0, "250 reset\r\n");
	is(f, a, LT_REFUSED, LT_SCOPE_TARGET, LT_R_SUPPRESS);
	size_t b = op(f, "b@x.vn");
	sh_data(f->h, 0, "421 4.7.0 too many errors\r\n");
	pending(f, b);
	assert_int_equal(f->h->n_streams, 2);
	sh_opened(f->h, 1, PIPE);
	sh_data(f->h, 1, "421 4.7.0 busy\r\n"); /* it was the first there */
	is(f, b, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE);
	assert_int_equal(sh_result(f->h, b)->retry_after_ms, 300000);
}

static void a_link_lost_after_refusals_costs_the_next_mail_nothing(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "a@x.vn");
	sh_data(f->h, 0, "250 ok\r\n550 5.1.1 no\r\n554 5.5.1 nobody\r\n");
	sh_data(f->h, 0, "250 reset\r\n");
	is(f, a, LT_REFUSED, LT_SCOPE_TARGET, LT_R_SUPPRESS);
	size_t b = op(f, "b@x.vn");
	sh_closed(f->h, 0, 0, NULL, NULL);
	pending(f, b);
	assert_int_equal(f->h->n_streams, 2);
}

static void too_many_recipients_need_no_enhanced_code(void **state)
{
	struct fix *f = *state;
	size_t o[5], p[5];

	sh_opened(f->h, 0, PIPE);
	batch(f, o, 5);
	sh_data(f->h, 0,
		"250 ok\r\n250 ok\r\n250 ok\r\n452 Too many\r\n452 Too many\r\n452 Too many\r\n354 go\r\n");
	sh_data(f->h, 0, "250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
	sh_data(f->h, 0, "250 ok\r\n" OK3);
	sh_data(f->h, 0, "250 ok\r\n");
	for (int i = 0; i < 5; i++)
		is(f, o[i], LT_ACCEPTED, 0, 0);
	batch(f, p, 5); /* it has learned: two at once */
	for (int i = 0; i < 2; i++) {
		sh_data(f->h, 0, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
		sh_data(f->h, 0, "250 ok\r\n");
	}
	sh_data(f->h, 0, OK3);
	sh_data(f->h, 0, "250 ok\r\n");
	for (int i = 0; i < 5; i++)
		is(f, p[i], LT_ACCEPTED, 0, 0);
}

/* 552 was the code for it once (RFC 5321 4.5.3.1.10). */
static void an_old_relay_says_552_where_it_means_too_many(void **state)
{
	struct fix *f = *state;
	size_t o[3];

	sh_opened(f->h, 0, PIPE);
	batch(f, o, 3);
	sh_data(f->h, 0, "250 ok\r\n250 ok\r\n552 Too many\r\n552 Too many\r\n354 go\r\n");
	sh_data(f->h, 0, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
	is(f, o[0], LT_ACCEPTED, 0, 0);
	pending(f, o[1]);
	pending(f, o[2]);
}

static void one_full_mailbox_does_not_make_the_transactions_small(void **state)
{
	struct fix *f = *state;
	size_t o[4], p[4];

	sh_opened(f->h, 0, PIPE);
	batch(f, o, 4);
	sh_data(f->h, 0, "250 ok\r\n250 ok\r\n452 full\r\n250 ok\r\n250 ok\r\n354 go\r\n");
	sh_data(f->h, 0, "250 ok\r\n");
	sh_data(f->h, 0, "250 ok\r\n452 full\r\n554 nobody\r\n");
	sh_data(f->h, 0, "250 reset\r\n");
	is(f, o[0], LT_ACCEPTED, 0, 0);
	is(f, o[1], LT_DEFERRED, LT_SCOPE_TARGET, 0);
	(void)sh_sent(f->h, 0);
	batch(f, p, 4);
	const char *sent = sh_sent(f->h, 0);
	assert_non_null(strstr(sent, "RCPT TO:<u0@x.vn>"));
	assert_non_null(strstr(sent, "RCPT TO:<u3@x.vn>"));
}

static void the_words_of_a_yes_are_kept_without_the_address(void **state)
{
	struct fix *f = *state;

	sh_opened(f->h, 0, PIPE);
	size_t a = op(f, "vanphong@hue.vn");
	sh_data(f->h, 0, OK3);
	sh_data(f->h, 0,
		"250 2.6.0 <VanPhong@hue.vn> message accepted, message-id: vanphong@hue.vn\r\n");
	is(f, a, LT_ACCEPTED, 0, 0);
	assert_string_equal(
		sh_result(f->h, a)->text, "<(address)> message accepted, message-id: (address)");
	assert_null(strstr(sh_result(f->h, a)->id, "vanphong"));
}

static void nobody_hears_of_the_others_in_his_transaction(void **state)
{
	static const char *const final[] = { "250 2.0.0 ok for u0@x.vn, u1@x.vn and u2@x.vn\r\n",
		"451 4.3.0 u0@x.vn u1@x.vn u2@x.vn later\r\n",
		"421 4.3.0 u0@x.vn u1@x.vn u2@x.vn bye\r\n" };
	struct fix *f = *state;
	size_t o[3];

	for (size_t k = 0; k < 3; k++) {
		if (k == 0)
			sh_opened(f->h, 0, PIPE);
		batch(f, o, 3);
		sh_data(f->h, 0, /* u1 has left when the last word is said */
			"250 ok\r\n250 ok\r\n550 5.1.1 u1@x.vn\r\n250 ok\r\n354 go\r\n");
		sh_data(f->h, 0, final[k]);
		for (size_t i = 0; i < 3; i++) {
			assert_true(sh_result(f->h, o[i])->done);
			assert_non_null(strstr(sh_result(f->h, o[i])->text, "(address)"));
			assert_null(strstr(sh_result(f->h, o[i])->text, "@x.vn"));
		}
	}
}

static void a_goodbye_in_the_envelope_names_nobody(void **state)
{
	struct fix *f = *state;
	size_t o[3];

	sh_opened(f->h, 0, PIPE);
	batch(f, o, 3);
	sh_data(f->h, 0,
		"250 ok\r\n550 5.1.1 <u0@x.vn> unknown\r\n421 4.7.0 too many errors, last u0@x.vn, not u2@x.vn\r\n");
	for (size_t i = 1; i < 3; i++) {
		is(f, o[i], LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE);
		assert_string_equal(sh_result(f->h, o[i])->text,
			"too many errors, last (address), not (address)");
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, one, teardown)
	const struct CMUnitTest tests[] = {
		T(a_no_before_the_dot_counts_and_ends_the_link),
		T(the_mail_behind_such_a_text_goes_out_on_another_link),
		T(a_yes_before_the_dot_is_no_yes),
		T(a_yes_right_behind_the_dot_is_a_yes),
		T(goodbye_to_a_link_that_carried_only_refusals_is_tried_again_at_once),
		T(a_link_lost_after_refusals_costs_the_next_mail_nothing),
		T(too_many_recipients_need_no_enhanced_code),
		T(an_old_relay_says_552_where_it_means_too_many),
		T(one_full_mailbox_does_not_make_the_transactions_small),
		T(the_words_of_a_yes_are_kept_without_the_address),
		T(nobody_hears_of_the_others_in_his_transaction),
		T(a_goodbye_in_the_envelope_names_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
