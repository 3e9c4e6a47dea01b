/* test_ops.c - every op ends exactly once and honestly, on every way that an adapter, a stream or a person can take. */
#include <stdlib.h>
#include <string.h>
#include "hosted.h"

static void an_op_finished_inside_start_is_told_once_and_later(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	puppet.on_start = finish_accepted;
	struct ht_op *o = ht_send(t, "a@x", "text");
	assert_non_null(o);
	assert_int_equal(o->done, 0); /* never from inside the call */
	ht_turn(t);
	assert_int_equal(o->done, 1);
	assert_int_equal(o->outcome, LT_ACCEPTED);
	assert_false(o->by_host);
	over(t);
}

static void a_second_finish_changes_nothing(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	struct ht_op *o = ht_send(t, "a@x", "text");
	assert_int_equal(puppet_finish(puppet.op[0], LT_REFUSED), 0);
	assert_int_equal(puppet_finish(puppet.op[0], LT_ACCEPTED), -LT_E_INVALID);
	ht_turn(t);
	assert_int_equal(o->done, 1);
	assert_int_equal(o->outcome, LT_REFUSED);
	over(t);
}

static void a_forgotten_or_wild_outcome_is_unknown(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	struct ht_op *a = ht_send(t, "a@x", "text"), *b = ht_send(t, "b@x", "text");
	struct lt_result none = { .struct_size = sizeof(none) };
	(void)puppet.host->finish(puppet.host->ctx, puppet.op[0], &none);
	(void)puppet_finish(puppet.op[1], 77);
	ht_turn(t);
	assert_int_equal(a->outcome, LT_UNKNOWN);
	assert_int_equal(b->outcome, LT_UNKNOWN);
	over(t);
}

static void what_is_told_is_copied_and_cut(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	char *text = calloc(1, 5000), *id = strdup("provider-1");
	struct ht_op *o = ht_send(t, "a@x", "text");
	memset(text, 'x', 4999);
	struct lt_id ids[2] = { { .id = { id, strlen(id) } }, { .effect = 1 } };
	struct lt_result r = { .struct_size = sizeof(r),
		.outcome = LT_ACCEPTED,
		.text = { text, 4999 },
		.ids = ids,
		.n_ids = 2 };
	(void)puppet.host->finish(puppet.host->ctx, puppet.op[0], &r);
	free(text);
	free(id);
	ht_turn(t);
	assert_int_equal(strlen(o->text), 200);
	assert_int_equal(o->n_ids, 2);
	assert_string_equal(o->id, "provider-1");
	over(t);
}

static void a_start_that_fails_ends_each_op_as_not_sent(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	struct ht_op *o[3] = { ht_op(t, "a@x", "1"), ht_op(t, "b@x", "1"), ht_op(t, "c@x", "1") };
	puppet.start_rc = -LT_E_INVALID;
	assert_int_equal(ht_start(t, o, 3), 0);
	ht_turn(t);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(o[i]->done, 1);
		assert_int_equal(o[i]->outcome, LT_DEFERRED);
		assert_true(o[i]->by_host);
		assert_false(o[i]->revoked);
	}
	over(t);
}

static void an_event_that_fails_ends_its_op(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	struct ht_op *o = ht_send(t, "a@x", "text");
	(void)puppet.host->wake_at(puppet.host->ctx, puppet.op[0], t->te.mono + 5, 9);
	puppet.event_rc = -5;
	puppet.event_rc_type = LT_EV_WAKE;
	ht_wait(t, 10);
	assert_int_equal(o->done, 1);
	assert_int_equal(o->outcome, LT_DEFERRED);
	assert_string_equal(o->code, "host:-5");
	over(t);
}

static void an_op_may_be_finished_by_an_event_of_another_job(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	struct ht_op *a = ht_send(t, "a@x", "text"), *b = ht_send(t, "b@x", "text");
	uint32_t id = puppet_stream(puppet.session);
	assert_int_not_equal(id, 0);
	puppet.finish_on_shutdown = true;
	fakenet_open(t->fn->streams[0], "");
	fakenet_say(t->fn->streams[0], "both are in");
	(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
	(void)puppet_finish(puppet.op[1], LT_ACCEPTED);
	ht_turn(t);
	assert_int_equal(a->done + b->done, 2);
	assert_true(puppet.events[LT_EV_BATCH_END] > 0);
	over(t);
}

/* --- the publishing guard ---------------------------------------------------------------------------------------------------- */
static void publishing_without_an_intent_is_refused_and_ends_the_op(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	struct ht_op *o = ht_send(t, "a@x", "text");
	uint32_t id = puppet_stream(puppet.session);
	fakenet_open(t->fn->streams[0], "");
	ht_turn(t);
	assert_int_equal(puppet_publish(id, "body", &puppet.op[0], 1, NULL), -LT_E_NOINTENT);
	ht_turn(t);
	assert_int_equal(t->fn->streams[0]->wire.n, 0);
	assert_int_equal(o->done, 1);
	assert_int_equal(o->outcome, LT_DEFERRED);
	over(t);
}

static void publishing_for_nobody_is_refused(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	uint32_t id = puppet_stream(puppet.session);
	assert_int_equal(puppet_publish(id, "body", NULL, 0, NULL), -LT_E_NOINTENT);
	over(t);
}

static void an_intent_lets_the_bytes_go(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	struct ht_op *o = ht_send(t, "a@x", "text");
	uint32_t id = puppet_stream(puppet.session);
	uint64_t end = 0;
	fakenet_open(t->fn->streams[0], "");
	assert_int_equal(puppet.host->intent(puppet.host->ctx, puppet.op[0],
				 (struct lt_str){ "publish", 7 }, 0),
		0);
	assert_int_equal(o->intents, 0);
	ht_turn(t);
	assert_int_equal(o->intents, 1);
	assert_string_equal(o->step, "publish");
	assert_int_equal(puppet.events[LT_EV_GO], 1);
	assert_int_equal(puppet_publish(id, "body", &puppet.op[0], 1, &end), 0);
	assert_int_equal(end, 4);
	ht_turn(t);
	assert_int_equal(t->fn->streams[0]->wire.n, 4);
	(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
	over(t);
}

static void the_intent_of_one_step_does_not_serve_the_next(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	struct ht_op *o = ht_send(t, "a@x", "text");
	uint32_t id = puppet_stream(puppet.session);
	(void)puppet.host->intent(
		puppet.host->ctx, puppet.op[0], (struct lt_str){ "article", 7 }, 0);
	ht_turn(t);
	t->go = HT_WAIT;
	(void)puppet.host->intent(
		puppet.host->ctx, puppet.op[0], (struct lt_str){ "broadcast", 9 }, 0);
	ht_turn(t);
	assert_true(o->intent_waits);
	assert_int_equal(puppet_publish(id, "body", &puppet.op[0], 1, NULL), -LT_E_NOINTENT);
	ht_turn(t);
	assert_int_equal(o->done, 1);
	channel_op_go(&o->op, true); /* the commit comes too late: nothing happens */
	ht_turn(t);
	assert_int_equal(o->done, 1);
	over(t);
}

static void a_refused_intent_is_a_cancel(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	t->go = HT_REFUSE;
	puppet.finish_on_cancel = true;
	struct ht_op *o = ht_send(t, "a@x", "text");
	(void)puppet.host->intent(
		puppet.host->ctx, puppet.op[0], (struct lt_str){ "publish", 7 }, 0);
	ht_turn(t);
	assert_int_equal(puppet.events[LT_EV_CANCEL], 1);
	assert_int_equal(o->outcome, LT_DEFERRED);
	assert_true(o->revoked);
	over(t);
}

/* One write or request may publish for many ops: the right of each one is looked at, and who has none ends alone. */
static void what_publishes_for_many_needs_the_intent_of_each(void **state)
{
	(void)state;
	for (size_t bad = 0; bad < 6; bad++) {
		struct ht *t = fresh(SHARED_NOW);
		struct ht_op *o[3];
		uint32_t id = puppet_stream(puppet.session);
		for (size_t i = 0; i < 3; i++)
			o[i] = ht_send(t, "a@x", "text");
		fakenet_open(t->fn->streams[0], "");
		ht_turn(t);
		struct lt_http_req r = { .struct_size = sizeof(r),
			.flags = LT_PUBLISHES,
			.method = { "POST", 4 },
			.url = { "http://127.0.0.1/", 17 },
			.whose = puppet.op,
			.n_whose = 3 };
		channel_op_cancel(&o[bad % 3]->op); /* the puppet does not care */
		int rc = bad < 3 ? puppet_publish(id, "body", puppet.op, 3, NULL)
				 : puppet.host->http(puppet.host->ctx, puppet.session, &r);
		assert_int_equal(rc, -LT_E_NOINTENT);
		ht_turn(t);
		assert_int_equal(t->fn->streams[0]->wire.n, 0);
		assert_int_equal(t->fn->n_calls, 0);
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(o[i]->done, i == bad % 3);
		assert_true(o[bad % 3]->revoked);
		for (size_t i = 0; i < 3; i++)
			if (i != bad % 3)
				(void)puppet_finish(puppet.op[i], LT_ACCEPTED);
		over(t);
	}
}

/* Its answer is lost: what it may have done it may have done for each of them. */
static void a_lost_request_for_many_leaves_each_unknown(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	struct fakenet_answer lost = { .how = FAKENET_LOST_AFTER };
	struct ht_op *o[3];
	for (size_t i = 0; i < 3; i++)
		o[i] = ht_send(t, "a@x", "text");
	struct lt_http_req r = { .struct_size = sizeof(r),
		.flags = LT_PUBLISHES,
		.method = { "POST", 4 },
		.url = { "http://127.0.0.1/", 17 },
		.whose = puppet.op,
		.n_whose = 2 };
	fakenet_script(t->fn, &lost);
	assert_int_equal(puppet.host->http(puppet.host->ctx, puppet.session, &r), 0);
	ht_turn(t);
	assert_true(channel_op_on_wire(&o[0]->op) && channel_op_on_wire(&o[1]->op));
	assert_false(channel_op_on_wire(&o[2]->op));
	(void)puppet_finish(puppet.session, LT_DEFERRED);
	ht_turn(t);
	assert_int_equal(o[0]->outcome, LT_UNKNOWN);
	assert_int_equal(o[1]->outcome, LT_UNKNOWN);
	assert_int_equal(o[2]->outcome, LT_DEFERRED);
	over(t);
}

static void who_was_stopped_is_given_no_intent(void **state)
{
	(void)state;
	struct lt_str step = { "publish", 7 };
	struct ht *t = fresh(SHARED);
	struct ht_op *asks = ht_send(t, "a@x", "text"), *waits = ht_send(t, "b@x", "text");
	uint32_t id = puppet_stream(puppet.session);
	fakenet_open(t->fn->streams[0], "");
	channel_op_cancel(&asks->op);
	assert_int_equal(
		puppet.host->intent(puppet.host->ctx, puppet.op[0], step, 0), -LT_E_NOINTENT);
	ht_turn(t);
	assert_int_equal(asks->intents, 0); /* nothing is committed for it */
	t->go = HT_WAIT;
	assert_int_equal(puppet.host->intent(puppet.host->ctx, puppet.op[1], step, 0), 0);
	ht_turn(t);
	assert_true(waits->intent_waits);
	channel_op_cancel(&waits->op);
	channel_op_go(&waits->op, true); /* its commit was under way */
	ht_turn(t);
	assert_int_equal(puppet.events[LT_EV_GO], 0);
	assert_int_equal(puppet_publish(id, "body", &puppet.op[1], 1, NULL), -LT_E_NOINTENT);
	(void)puppet_finish(puppet.op[0], LT_DEFERRED);
	ht_turn(t);
	assert_int_equal(t->fn->streams[0]->wire.n, 0);
	assert_true(asks->revoked && waits->revoked);
	over(t);
}

/* --- cancel ------------------------------------------------------------------------------------------------------------------ */
static void a_cancel_before_publishing_gives_the_intent_back(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	puppet.finish_on_cancel = true;
	struct ht_op *o = ht_send(t, "a@x", "text");
	assert_false(channel_op_on_wire(&o->op));
	channel_op_cancel(&o->op);
	ht_turn(t);
	assert_int_equal(o->done, 1);
	assert_true(o->revoked);
	over(t);
}

static void after_a_cancel_no_publishing_byte_leaves(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	struct ht_op *o = ht_send(t, "a@x", "text");
	uint32_t id = puppet_stream(puppet.session);
	fakenet_open(t->fn->streams[0], "");
	ht_turn(t);
	channel_op_cancel(&o->op); /* the puppet does not care */
	assert_int_equal(puppet_publish(id, "body", &puppet.op[0], 1, NULL), -LT_E_NOINTENT);
	ht_turn(t);
	assert_int_equal(t->fn->streams[0]->wire.n, 0);
	assert_int_equal(o->done, 1);
	assert_true(o->revoked);
	over(t);
}

static void a_cancel_after_publishing_takes_nothing_back(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	struct ht_op *o = ht_send(t, "a@x", "text");
	uint32_t id = puppet_stream(puppet.session);
	fakenet_open(t->fn->streams[0], "");
	ht_turn(t);
	assert_int_equal(puppet_publish(id, "body", &puppet.op[0], 1, NULL), 0);
	ht_turn(t);
	assert_true(channel_op_on_wire(&o->op));
	assert_int_equal(channel_ops_on_wire(t->acct), 1);
	channel_op_cancel(&o->op);
	ht_turn(t);
	assert_int_equal(o->done, 0);
	(void)puppet_finish(puppet.op[0], LT_DEFERRED); /* told so by the provider */
	ht_turn(t);
	assert_int_equal(o->outcome, LT_DEFERRED);
	assert_false(o->revoked);
	over(t);
}

/* --- deadline ---------------------------------------------------------------------------------------------------------------- */
static void an_op_that_nobody_finishes_and_nobody_sent_ends_deferred(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	struct ht_op *o = ht_send(t, "a@x", "text");
	ht_wait(t, 59000);
	assert_int_equal(o->done, 0);
	ht_wait(t, 4000);
	assert_int_equal(o->done, 1);
	assert_int_equal(o->outcome, LT_DEFERRED);
	assert_true(o->by_host);
	assert_false(o->revoked);
	assert_string_equal(o->code, "host:-110");
	assert_int_equal(puppet.events[LT_EV_CANCEL], 1);
	over(t);
}

static void an_op_that_was_flushed_and_never_finished_ends_unknown(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	struct ht_op *o = ht_send(t, "a@x", "text");
	uint32_t id = puppet_stream(puppet.session);
	fakenet_open(t->fn->streams[0], "");
	ht_turn(t);
	assert_int_equal(puppet_publish(id, "body", &puppet.op[0], 1, NULL), 0);
	ht_wait(t, 70000);
	assert_int_equal(o->outcome, LT_UNKNOWN);
	assert_true(o->by_host);
	over(t);
}

static void an_op_whose_bytes_never_reached_the_kernel_ends_deferred(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	struct ht_op *o = ht_send(t, "a@x", "text");
	t->fn->hold_new = true;
	uint32_t id = puppet_stream(puppet.session);
	fakenet_open(t->fn->streams[0], "");
	ht_turn(t);
	assert_int_equal(puppet_publish(id, "body", &puppet.op[0], 1, NULL), 0);
	ht_wait(t, 70000);
	assert_int_equal(o->outcome, LT_DEFERRED);
	assert_int_equal(t->fn->streams[0]->wire.n, 0);
	assert_true(t->fn->streams[0]->reset); /* and they never will */
	over(t);
}

static void a_later_write_does_not_make_the_earlier_one_unsent(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	struct ht_op *a = ht_send(t, "a@x", "text"), *b = ht_send(t, "b@x", "text");
	uint32_t first = puppet_stream(puppet.session);
	fakenet_open(t->fn->streams[0], "");
	ht_turn(t);
	assert_int_equal(puppet_publish(first, "one", &puppet.op[0], 1, NULL), 0);
	assert_int_equal(puppet_publish(first, "one", &puppet.op[1], 1, NULL), 0);
	ht_turn(t);
	t->fn->streams[0]->hold = true;
	t->fn->hold_new = true;
	uint32_t second = puppet_stream(puppet.session);
	fakenet_open(t->fn->streams[1], "");
	ht_turn(t);
	assert_int_equal(puppet_publish(first, "two", &puppet.op[0], 1, NULL), 0);
	assert_int_equal(puppet_publish(second, "two", &puppet.op[1], 1, NULL), 0);
	ht_wait(t, 70000);
	assert_int_equal(a->outcome, LT_UNKNOWN);
	assert_int_equal(b->outcome, LT_UNKNOWN);
	over(t);
}

/* What lies in our own queue could still go out behind the word that nothing was taken. */
static void what_is_claimed_as_not_taken_does_not_go_out_afterwards(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	struct ht_op *o = ht_send(t, "a@x", "1");
	uint32_t id = puppet_stream(puppet.session);
	fakenet_open(t->fn->streams[0], "");
	ht_turn(t);
	t->fn->streams[0]->hold = true;
	assert_int_equal(puppet_publish(id, "text", &puppet.op[0], 1, NULL), 0);
	ht_turn(t);
	(void)puppet_finish(puppet.op[0], LT_DEFERRED);
	ht_turn(t);
	assert_int_equal(o->outcome, LT_DEFERRED);
	if (!t->fn->streams[0]->gone)
		fakenet_release(t->fn->streams[0]);
	ht_turn(t);
	assert_int_equal(t->fn->streams[0]->wire.n, 0);
	over(t);
}

/* The adapter gives an op up whose bytes lie in our own queue: the word that it was not sent must stay true. */
static void what_ends_as_not_sent_does_not_go_out_afterwards(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	struct ht_op *o = ht_send(t, "a@x", "1");
	uint32_t id = puppet_stream(puppet.session);
	fakenet_open(t->fn->streams[0], "");
	ht_turn(t);
	t->fn->streams[0]->hold = true;
	assert_int_equal(puppet_publish(id, "text", &puppet.op[0], 1, NULL), 0);
	(void)puppet.host->wake_at(puppet.host->ctx, puppet.op[0], t->te.mono + 5, 9);
	puppet.event_rc = -5;
	puppet.event_rc_type = LT_EV_WAKE;
	ht_wait(t, 10);
	assert_int_equal(o->outcome, LT_DEFERRED);
	assert_true(o->by_host);
	if (!t->fn->streams[0]->gone)
		fakenet_release(t->fn->streams[0]);
	ht_turn(t);
	assert_int_equal(t->fn->streams[0]->wire.n, 0);
	assert_int_equal(puppet.n_sessions, 1); /* of which nobody ended the session */
	over(t);
}

static void a_late_op_may_still_end_by_its_own_word(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	puppet.finish_on_cancel = true;
	struct ht_op *o = ht_send(t, "a@x", "text"), *other = ht_op(t, "b@x", "text");
	other->op.deadline_mono_ms += 100000;
	assert_int_equal(ht_start(t, &other, 1), 0);
	ht_wait(t, 60500);
	assert_int_equal(o->done, 1);
	assert_false(o->by_host);
	assert_false(o->revoked); /* it costs its try: nobody stopped it */
	ht_wait(t, 10000);
	assert_int_equal(other->done, 0); /* the session lives on */
	(void)puppet_finish(puppet.op[1], LT_ACCEPTED);
	over(t);
}

/* For a question "deferred" would be proof that nothing was sent, and the delivery would go out again: only the provider says so. */
static struct ht_op *question(struct ht *t)
{
	struct ht_op *o = ht_op(t, "a@x", "text");
	o->op.kind = LT_J_RECONCILE;
	assert_int_equal(ht_start(t, &o, 1), 0);
	return o;
}

static void a_question_that_nobody_answers_proves_nothing(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	struct ht_op *late = question(t);
	ht_wait(t, 70000);
	assert_int_equal(late->done, 1);
	assert_int_equal(late->outcome, LT_UNKNOWN);
	ht_wait(t, 5000);
	struct ht_op *cut = question(t);
	(void)puppet_finish(puppet.session, LT_DEFERRED);
	ht_wait(t, 5000);
	assert_int_equal(cut->outcome, LT_UNKNOWN);
	puppet.start_rc = -LT_E_INVALID;
	struct ht_op *refused = question(t);
	ht_turn(t);
	assert_int_equal(refused->outcome, LT_UNKNOWN);
	puppet.start_rc = 0;
	struct ht_op *proven = question(t);
	(void)puppet_finish(puppet.op[puppet.n_ops - 1], LT_DEFERRED);
	ht_turn(t);
	assert_int_equal(proven->outcome, LT_DEFERRED); /* the adapter's own claim stands */
	over(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_op_finished_inside_start_is_told_once_and_later),
		cmocka_unit_test(a_second_finish_changes_nothing),
		cmocka_unit_test(a_forgotten_or_wild_outcome_is_unknown),
		cmocka_unit_test(what_is_told_is_copied_and_cut),
		cmocka_unit_test(a_start_that_fails_ends_each_op_as_not_sent),
		cmocka_unit_test(an_event_that_fails_ends_its_op),
		cmocka_unit_test(an_op_may_be_finished_by_an_event_of_another_job),
		cmocka_unit_test(publishing_without_an_intent_is_refused_and_ends_the_op),
		cmocka_unit_test(publishing_for_nobody_is_refused),
		cmocka_unit_test(an_intent_lets_the_bytes_go),
		cmocka_unit_test(the_intent_of_one_step_does_not_serve_the_next),
		cmocka_unit_test(a_refused_intent_is_a_cancel),
		cmocka_unit_test(what_publishes_for_many_needs_the_intent_of_each),
		cmocka_unit_test(a_lost_request_for_many_leaves_each_unknown),
		cmocka_unit_test(who_was_stopped_is_given_no_intent),
		cmocka_unit_test(a_cancel_before_publishing_gives_the_intent_back),
		cmocka_unit_test(after_a_cancel_no_publishing_byte_leaves),
		cmocka_unit_test(a_cancel_after_publishing_takes_nothing_back),
		cmocka_unit_test(an_op_that_nobody_finishes_and_nobody_sent_ends_deferred),
		cmocka_unit_test(an_op_that_was_flushed_and_never_finished_ends_unknown),
		cmocka_unit_test(an_op_whose_bytes_never_reached_the_kernel_ends_deferred),
		cmocka_unit_test(a_later_write_does_not_make_the_earlier_one_unsent),
		cmocka_unit_test(what_is_claimed_as_not_taken_does_not_go_out_afterwards),
		cmocka_unit_test(what_ends_as_not_sent_does_not_go_out_afterwards),
		cmocka_unit_test(a_late_op_may_still_end_by_its_own_word),
		cmocka_unit_test(a_question_that_nobody_answers_proves_nothing),
	};
	return cmocka_run_group_tests_name("channel_ops", tests, NULL, NULL);
}
