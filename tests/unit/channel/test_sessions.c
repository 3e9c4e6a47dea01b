/* test_sessions.c - sessions are opened, limited, lost and closed; credits are what can be taken. */
#include <stdlib.h>
#include <string.h>
#include "channel/channel_internal.h"
#include "hosted.h"

/* --- sessions ---------------------------------------------------------------------------------------------------------------- */
static void a_session_that_dies_ends_its_ops_by_what_was_flushed(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	struct ht_op *sent = ht_send(t, "a@x", "text"), *queued = ht_send(t, "b@x", "text"),
		     *idle = ht_send(t, "c@x", "text");
	uint32_t id = puppet_stream(puppet.session);
	fakenet_open(t->fn->streams[0], "");
	ht_turn(t);
	assert_int_equal(puppet_publish(id, "sent", &puppet.op[0], 1, NULL), 0);
	ht_turn(t);
	t->fn->streams[0]->hold = true;
	assert_int_equal(puppet_publish(id, "queued", &puppet.op[1], 1, NULL), 0);
	ht_turn(t);
	(void)puppet_finish(puppet.session, LT_DEFERRED);
	ht_turn(t);
	assert_int_equal(sent->outcome, LT_UNKNOWN);
	assert_int_equal(queued->outcome, LT_DEFERRED);
	assert_int_equal(idle->outcome, LT_DEFERRED);
	assert_int_equal(t->troubles, 1);
	assert_int_equal(t->fn->streams[0]->wire.n, 4);
	assert_int_equal(t->credits, 0);
	ht_wait(t, 600);
	assert_int_equal(puppet.n_sessions, 2); /* opened again after the pause */
	assert_int_equal(t->credits, 1000);
	over(t);
}

/* Nobody reads or writes it any more, and a line of the provider would be taken for ever. */
static void the_streams_of_a_session_go_with_it(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	uint32_t id = puppet_stream(puppet.session);
	struct lt_src src = { .bytes = { "bye", 3 } };
	fakenet_open(t->fn->streams[0], "");
	ht_turn(t);
	assert_int_equal(
		puppet.host->stream_write(puppet.host->ctx, id, &src, 1, 0, NULL, 0, NULL), 0);
	(void)puppet_finish(puppet.session, LT_ACCEPTED);
	assert_int_equal(puppet.host->stream_write(puppet.host->ctx, id, &src, 1, 0, NULL, 0, NULL),
		-LT_E_CLOSED);
	ht_turn(t);
	assert_true(t->fn->streams[0]->gone);
	over(t);
}

static void a_session_that_ends_without_work_is_not_opened_in_a_circle(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	(void)puppet_finish(puppet.session, LT_ACCEPTED);
	ht_wait(t, 100);
	assert_int_equal(puppet.n_sessions, 1);
	ht_wait(t, 1000);
	assert_int_equal(puppet.n_sessions, 2);
	assert_int_equal(t->troubles, 0);
	over(t);
}

static void a_session_that_worked_is_opened_anew_at_once(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	puppet.on_start = finish_accepted;
	(void)ht_send(t, "a@x", "text");
	ht_turn(t);
	(void)puppet_finish(puppet.session, LT_ACCEPTED);
	ht_turn(t);
	assert_int_equal(puppet.n_sessions, 2);
	over(t);
}

static void sessions_that_fail_wait_longer_each_time(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	for (int i = 1; i <= 4; i++) {
		assert_int_equal(puppet.n_sessions, i);
		(void)puppet_finish(puppet.session, LT_DEFERRED);
		ht_wait(t, (500 << (i - 1)) - 1);
		assert_int_equal(puppet.n_sessions, i);
		ht_wait(t, 1);
	}
	assert_int_equal(puppet.n_sessions, 5);
	assert_int_equal(t->troubles, 4);
	over(t);
}

/* A day of work between two failures: the second one begins with the shortest pause, too. */
static void a_session_that_lasted_forgets_the_failures_before_it(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	for (int i = 1; i <= 10; i++) {
		(void)puppet_finish(puppet.session, LT_DEFERRED);
		ht_wait(t, 60000);
		assert_int_equal(puppet.n_sessions, i + 1);
	}
	ht_wait(t, 24 * 3600000);
	(void)puppet_finish(puppet.session, LT_DEFERRED);
	ht_wait(t, 499);
	assert_int_equal(puppet.n_sessions, 11);
	ht_wait(t, 1);
	assert_int_equal(puppet.n_sessions, 12);
	over(t);
}

static void a_wild_pause_is_a_year_at_most(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	struct ht_op *o = ht_send(t, "a@x", "1");
	struct lt_result r = {
		.struct_size = sizeof(r), .outcome = LT_DEFERRED, .retry_after_ms = INT64_MAX
	};
	struct lt_rate rate = { .struct_size = sizeof(rate),
		.scope = LT_SCOPE_ACCOUNT,
		.retry_after_ms = INT64_MAX,
		.congestion = LT_RATE_REFUSED };
	const struct lt_host *h = puppet.host;
	h->rate(h->ctx, puppet.session, &rate);
	assert_int_equal(h->limited_ms(h->ctx, puppet.session), INT64_C(366) * 86400000);
	(void)h->finish(h->ctx, puppet.op[0], &r);
	(void)h->finish(h->ctx, puppet.session, &r);
	ht_wait(t, 100000);
	assert_int_equal(o->retry_after_ms, INT64_C(366) * 86400000);
	assert_int_equal(puppet.n_sessions, 1);
	over(t);
}

/* It was told to go, nothing hangs in it any more, and it stays: with every change of the limit there would be one more. */
static void a_session_that_does_not_go_is_ended(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	puppet.finish_on_shutdown = false;
	(void)ht_send(t, "a@x", "1");
	for (int i = 0; i < 20; i++) {
		channel_limit(t->acct, 0);
		ht_wait(t, 30000);
		if (i == 0) {
			assert_int_equal(t->cs->jobs, 2); /* it waits for its op */
			(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
		}
		channel_limit(t->acct, 1000);
		ht_wait(t, 300000);
	}
	assert_int_equal(puppet.n_sessions, 20);
	assert_int_equal(t->cs->jobs, 1);
	assert_int_equal(t->troubles, 0);
	over(t);
}

static void credits_are_the_free_window(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	assert_int_equal(t->credits, 1000);
	puppet.host->slots(puppet.host->ctx, puppet.session, 2);
	ht_turn(t);
	assert_int_equal(t->credits, 2);
	assert_non_null(ht_send(t, "a@x", "1"));
	assert_non_null(ht_send(t, "b@x", "1"));
	assert_null(ht_send(t, "c@x", "1"));
	ht_turn(t);
	assert_int_equal(t->credits, 0);
	(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
	ht_turn(t);
	assert_int_equal(t->credits, 0); /* the adapter says when there is room */
	puppet.host->slots(puppet.host->ctx, puppet.session, 1);
	ht_turn(t);
	assert_int_equal(t->credits, 1);
	(void)puppet_finish(puppet.op[1], LT_ACCEPTED);
	over(t);
}

static void the_limit_is_told_to_a_shared_session(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	assert_int_equal(puppet.events[LT_EV_LIMIT], 1);
	channel_limit(t->acct, 4);
	ht_turn(t);
	assert_int_equal(puppet.events[LT_EV_LIMIT], 2);
	assert_int_equal(puppet.n_sessions, 1);
	over(t);
}

static void limit_zero_lets_a_busy_session_go_when_its_last_op_is_over(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	(void)ht_send(t, "a@x", "1");
	channel_limit(t->acct, 0);
	ht_turn(t);
	assert_int_equal(puppet.events[LT_EV_SHUTDOWN], 0);
	(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
	ht_turn(t);
	assert_int_equal(puppet.events[LT_EV_SHUTDOWN], 1);
	ht_wait(t, 100000);
	assert_int_equal(puppet.n_sessions, 1);
	over(t);
}

static void without_sharing_each_op_has_a_session_of_its_own(void **state)
{
	(void)state;
	struct ht *t = ht_new();
	assert_int_equal(puppet_load(t, 0), 0);
	channel_limit(t->acct, 3);
	ht_turn(t);
	assert_int_equal(puppet.n_sessions, 3);
	assert_int_equal(t->credits, 3);
	for (int i = 0; i < 3; i++)
		assert_non_null(ht_send(t, "a@x", "1"));
	assert_null(ht_send(t, "a@x", "1"));
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < i; k++)
			assert_ptr_not_equal(puppet.op[i]->session, puppet.op[k]->session);
	ht_turn(t);
	assert_int_equal(t->credits, 0);
	channel_limit(t->acct, 1); /* two are too many, but busy */
	ht_turn(t);
	assert_int_equal(puppet.events[LT_EV_SHUTDOWN], 0);
	for (size_t i = 0; i < 3; i++)
		(void)puppet_finish(puppet.op[i], LT_ACCEPTED);
	ht_turn(t);
	assert_int_equal(puppet.events[LT_EV_SHUTDOWN], 2);
	assert_int_equal(t->credits, 1);
	over(t);
}

static void a_session_that_is_not_ready_takes_no_op(void **state)
{
	(void)state;
	struct ht *t = ht_new();
	assert_int_equal(puppet_load(t, 0), 0);
	channel_limit(t->acct, 1);
	puppet.host->slots(puppet.host->ctx, puppet.session, 0); /* still connecting */
	ht_turn(t);
	assert_int_equal(t->credits, 0);
	assert_null(ht_send(t, "a@x", "1"));
	puppet.host->slots(puppet.host->ctx, puppet.session, 1);
	ht_turn(t);
	assert_int_equal(t->credits, 1);
	over(t);
}

/* --- close ------------------------------------------------------------------------------------------------------------------- */
static void closing_waits_for_ops_and_then_cuts(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	puppet.finish_on_shutdown = false;
	struct ht_op *a = ht_send(t, "a@x", "1"), *b = ht_send(t, "b@x", "1");
	ht_close(t, 5000);
	ht_wait(t, 1000);
	assert_int_equal(puppet.events[LT_EV_SHUTDOWN], 1);
	assert_null(ht_send(t, "c@x", "1"));
	(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
	ht_wait(t, 1000);
	assert_int_equal(a->done, 1);
	assert_int_equal(t->closed, 0);
	ht_wait(t, 5000);
	assert_int_equal(b->done, 1);
	assert_int_equal(b->outcome, LT_DEFERRED);
	assert_int_equal(t->closed, 1);
	over(t);
}

static void closing_with_nothing_open_is_told_from_the_loop(void **state)
{
	(void)state;
	struct ht *t = ht_new();
	assert_int_equal(puppet_load(t, SHARED), 0);
	ht_close(t, 5000);
	assert_int_equal(t->closed, 0);
	ht_turn(t);
	assert_int_equal(t->closed, 1);
	over(t);
}

static void closing_does_not_wait_for_a_commit_that_never_comes(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	t->save = HT_WAIT;
	struct ht_op *o = ht_send(t, "a@x", "1");
	assert_int_equal(puppet.host->save(puppet.host->ctx, puppet.op[0],
				 (struct lt_str){ "step", 4 }, (struct lt_str){ "v", 1 }, 3),
		0);
	ht_turn(t);
	assert_int_equal(o->saves, 1);
	ht_close(t, 1000);
	ht_wait(t, 2000);
	assert_int_equal(o->done, 1);
	assert_int_equal(t->closed, 1);
	channel_saved(t->cs, o->save_ticket, 0); /* the commit after all: nobody is there */
	over(t);
}

static void two_generations_run_beside_each_other(void **state)
{
	(void)state;
	struct ht *old = fresh(SHARED_NOW);
	puppet.finish_on_shutdown = false;
	struct ht_op *a = ht_send(old, "a@x", "1");
	struct lt_job *old_op = puppet.op[0];
	const struct lt_host *old_host = puppet.host;
	struct ht *new = fresh(SHARED_NOW); /* the same library, opened again */
	puppet.finish_on_shutdown = false;
	struct ht_op *b = ht_send(new, "b@x", "1");
	ht_close(old, 10000);
	ht_wait(old, 10);
	struct lt_result r = { .struct_size = sizeof(r), .outcome = LT_ACCEPTED };
	assert_int_equal(old_host->finish(old_host->ctx, old_op, &r), 0);
	ht_wait(old, 12000);
	assert_int_equal(old->closed, 1);
	assert_int_equal(a->outcome, LT_ACCEPTED);
	assert_int_equal(ht_free(old), 0);
	assert_int_equal(b->done, 0);
	(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
	over(new);
}

static void a_hundred_thousand_ops_are_linear(void **state)
{
	(void)state;
	struct ht *t = ht_new();
	assert_int_equal(puppet_load(t, 0), 0); /* a thousand sessions, the worst case */
	channel_limit(t->acct, 1000);
	ht_turn(t);
	puppet.on_start = finish_accepted;
	struct ht_op *o = ht_op(t, "a@x", "1");
	for (int i = 0; i < 100000; i++) {
		puppet.n_ops = 0;
		o->op.deadline_mono_ms = 0;
		o->done = 0;
		assert_int_equal(ht_start(t, &o, 1), 0);
		if (i % 500 == 499)
			ht_turn(t);
	}
	ht_turn(t);
	o->done = 1;
	t->strays = 0; /* one object was used for all */
	over(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_that_dies_ends_its_ops_by_what_was_flushed),
		cmocka_unit_test(the_streams_of_a_session_go_with_it),
		cmocka_unit_test(a_session_that_ends_without_work_is_not_opened_in_a_circle),
		cmocka_unit_test(a_session_that_worked_is_opened_anew_at_once),
		cmocka_unit_test(sessions_that_fail_wait_longer_each_time),
		cmocka_unit_test(a_session_that_lasted_forgets_the_failures_before_it),
		cmocka_unit_test(a_wild_pause_is_a_year_at_most),
		cmocka_unit_test(a_session_that_does_not_go_is_ended),
		cmocka_unit_test(credits_are_the_free_window),
		cmocka_unit_test(the_limit_is_told_to_a_shared_session),
		cmocka_unit_test(limit_zero_lets_a_busy_session_go_when_its_last_op_is_over),
		cmocka_unit_test(without_sharing_each_op_has_a_session_of_its_own),
		cmocka_unit_test(a_session_that_is_not_ready_takes_no_op),
		cmocka_unit_test(closing_waits_for_ops_and_then_cuts),
		cmocka_unit_test(closing_with_nothing_open_is_told_from_the_loop),
		cmocka_unit_test(closing_does_not_wait_for_a_commit_that_never_comes),
		cmocka_unit_test(two_generations_run_beside_each_other),
		cmocka_unit_test(a_hundred_thousand_ops_are_linear),
	};
	return cmocka_run_group_tests_name("channel_sessions", tests, NULL, NULL);
}
