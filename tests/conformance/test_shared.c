/* test_shared.c - a shared session as an SMS gateway has it: five hundred ops on one stream, answered in any order, late, twice or
 * never. The adapter is the puppet; host, stream and time are the real host on the scripted network.
 * Protocol: "S<number>\n" sends, "A<number>\n" says yes, "N<number>\n" no, "R<number>\n" is a receipt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/puppet.h"

#define OPS 500

static uint32_t stream;
static uint64_t end_of[PUPPET_OPS_MAX]; /* stream offset behind each op's bytes */
static bool over_of[PUPPET_OPS_MAX];
static char part[64];
static size_t part_n;
static int late_answers, writes_refused;

static void receipt(size_t i, int32_t state, uint64_t attempt)
{
	char text[20];
	(void)snprintf(text, sizeof(text), "m%zu", i);
	struct lt_str id = { text, strlen(text) };
	struct lt_receipt r = {
		.struct_size = sizeof(r), .state = state, .ids = &id, .n_ids = 1, .attempt = attempt
	};
	(void)puppet.host->receipt(puppet.host->ctx, puppet.session, &r, i + 1);
}

static void answer(char what, size_t i)
{
	if (what == 'R') {
		receipt(i, LT_RC_DELIVERED, 0);
	} else if (i < puppet.n_ops && over_of[i]) {
		late_answers++;
		receipt(i, what == 'A' ? LT_ACCEPTED : LT_REFUSED, 1001 + i);
	} else if (i < puppet.n_ops) {
		over_of[i] = true;
		(void)puppet_finish(puppet.op[i], what == 'A' ? LT_ACCEPTED : LT_REFUSED);
	}
}

static void on_data(struct lt_str data)
{
	for (size_t i = 0; i < data.n; i++) {
		if (data.p[i] != '\n') {
			if (part_n < sizeof(part) - 1)
				part[part_n++] = data.p[i];
			continue;
		}
		part[part_n] = 0;
		part_n = 0;
		answer(part[0], strtoul(part + 1, NULL, 10));
	}
}

/* The end of the stream: each op that hung in it ends by what its bytes prove. */
static void on_closed(const struct lt_stream_ev *ev)
{
	for (size_t i = 0; i < puppet.n_ops; i++)
		if (!over_of[i]) {
			over_of[i] = true;
			(void)puppet_finish(
				puppet.op[i], end_of[i] > ev->flushed ? LT_DEFERRED : LT_UNKNOWN);
		}
}

static void on_event(struct puppet *p, struct lt_job *job, const struct lt_event *ev)
{
	(void)p;
	if (ev->type == LT_EV_DATA)
		on_data(((const struct lt_stream_ev *)ev->u)->data);
	else if (ev->type == LT_EV_CLOSED)
		on_closed(ev->u);
	else if (ev->type == LT_EV_SHUTDOWN)
		(void)puppet_finish(job, LT_ACCEPTED);
	else if (ev->type == LT_EV_WAKE) { /* patience with one op is over */
		for (size_t i = 0; i < puppet.n_ops; i++)
			if (puppet.op[i] == job && !over_of[i]) {
				over_of[i] = true;
				(void)puppet_finish(job, LT_UNKNOWN);
			}
	}
}

static void on_start(struct puppet *p, struct lt_job *op)
{
	char text[20];
	size_t i = p->n_ops - 1;
	(void)snprintf(text, sizeof(text), "S%zu\n", i);
	over_of[i] = false;
	writes_refused += puppet_publish(stream, text, &op, 1, &end_of[i]) != 0;
	(void)p->host->wake_at(p->host->ctx, op, p->host->mono_ms(p->host->ctx) + 30000, 1);
}

static struct ht *fresh(void)
{
	struct ht *t = ht_new();
	late_answers = writes_refused = 0;
	part_n = 0;
	assert_int_equal(puppet_load(t, LT_CAP_SHARED_SESSION | LT_CAP_INTENT_AT_START), 0);
	channel_limit(t->acct, OPS);
	ht_turn(t);
	puppet.on_start = on_start;
	puppet.on_event = on_event;
	stream = puppet_stream(puppet.session);
	assert_int_not_equal(stream, 0);
	fakenet_open(t->fn->streams[0], "");
	ht_turn(t);
	return t;
}

static void send_all(struct ht *t)
{
	for (int i = 0; i < OPS; i++)
		assert_non_null(ht_send(t, "84900000000", "text"));
	assert_int_equal(puppet.n_ops, OPS);
	assert_int_equal(writes_refused, 0);
}

static void say(struct ht *t, char what, int i)
{
	char text[20];
	(void)snprintf(text, sizeof(text), "%c%d\n", what, i);
	fakenet_say(t->fn->streams[0], text);
}

static void answers_out_of_order_settle_their_own_ops(void **state)
{
	(void)state;
	struct ht *t = fresh();
	send_all(t);
	ht_turn(t);
	for (int i = OPS - 1; i >= 0; i--)
		say(t, i % 3 ? 'A' : 'N', (i * 7) % OPS);
	ht_turn(t);
	for (int i = 0; i < OPS; i++)
		assert_int_equal(t->ops[i]->done, 1);
	for (int i = 0; i < OPS; i++)
		assert_int_equal(t->ops[(i * 7) % OPS]->outcome, i % 3 ? LT_ACCEPTED : LT_REFUSED);
	assert_int_equal(t->troubles, 0);
	assert_int_equal(ht_free(t), 0);
}

static void answers_in_single_bytes_are_the_same(void **state)
{
	(void)state;
	struct ht *t = fresh();
	send_all(t);
	ht_turn(t);
	for (int i = 0; i < OPS; i++) {
		char text[20];
		(void)snprintf(text, sizeof(text), "A%d\n", i);
		for (char *c = text; *c; c++) {
			fakenet_say_n(t->fn->streams[0], c, 1);
			ht_turn(t);
		}
	}
	assert_int_equal(ht_done_count(t, LT_ACCEPTED), OPS);
	assert_int_equal(ht_free(t), 0);
}

static void receipts_without_an_op_are_told(void **state)
{
	(void)state;
	struct ht *t = fresh();
	for (int i = 0; i < 100; i++)
		say(t, 'R', 7000 + i);
	ht_turn(t);
	assert_int_equal(t->n_receipts, 100);
	assert_string_equal(t->receipts[99].id, "m7099");
	assert_int_equal(puppet.events[LT_EV_SAVED], 100);
	assert_int_equal(ht_free(t), 0);
}

static void a_late_answer_is_a_receipt_of_its_attempt(void **state)
{
	(void)state;
	struct ht *t = fresh();
	send_all(t);
	ht_wait(t, 31000); /* nobody answers */
	assert_int_equal(ht_done_count(t, LT_UNKNOWN), OPS);
	for (int i = 0; i < OPS; i++)
		say(t, 'A', i);
	ht_turn(t);
	assert_int_equal(late_answers, OPS);
	assert_int_equal(t->n_receipts, OPS);
	assert_int_equal(t->receipts[10].state, LT_ACCEPTED);
	assert_int_equal(t->receipts[10].attempt, 1011);
	assert_int_equal(ht_free(t), 0);
}

static void an_answer_said_twice_counts_once(void **state)
{
	(void)state;
	struct ht *t = fresh();
	struct ht_op *o = ht_send(t, "84900000000", "text");
	say(t, 'A', 0);
	say(t, 'N', 0);
	ht_turn(t);
	assert_int_equal(o->done, 1);
	assert_int_equal(o->outcome, LT_ACCEPTED);
	assert_int_equal(late_answers, 1);
	assert_int_equal(ht_free(t), 0);
}

/* After a cut: the adapter knows its protocol, so to it an op of which the end is missing was not sent. The host knows none, so
 * to it every op is unknown of which a single byte had left: commands may stand behind the byte that publishes. */
static void cut_at(uint64_t bytes, bool adapter_silent)
{
	struct ht *t = fresh();
	struct fakenet_stream *s = t->fn->streams[0];
	s->hold = true;
	send_all(t);
	fakenet_allow(s, bytes);
	ht_turn(t);
	assert_int_equal(s->flushed, bytes);
	if (adapter_silent) {
		puppet.on_event = NULL;
		(void)puppet_finish(puppet.session, LT_DEFERRED);
	} else {
		fakenet_cut(s, -ECONNRESET, "reset by peer");
	}
	ht_turn(t);
	for (int i = 0; i < OPS; i++) {
		uint64_t start = i ? end_of[i - 1] : 0;
		bool left = adapter_silent ? bytes > start : bytes >= end_of[i];
		int want = left ? LT_UNKNOWN : LT_DEFERRED;
		if (t->ops[i]->done != 1 || t->ops[i]->outcome != want)
			fail_msg("op %d, cut at %d: told %d times, outcome %d, wanted %d", i,
				(int)bytes, t->ops[i]->done, t->ops[i]->outcome, want);
	}
	assert_int_equal(s->wire.n, bytes); /* nothing left afterwards */
	assert_int_equal(ht_free(t), 0);
}

static void a_cut_leaves_unknown_exactly_what_was_flushed(void **state)
{
	(void)state;
	static const uint64_t at[] = { 0, 1, 3, 4, 1000, 1001, 1002, 2389, 2390 };
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		cut_at(at[i], false);
		cut_at(at[i], true);
	}
}

static void a_stop_of_half_of_them_stops_only_what_was_not_sent(void **state)
{
	(void)state;
	struct ht *t = fresh();
	puppet.on_start = NULL; /* taken, but not written yet */
	puppet.on_event = NULL;
	puppet.finish_on_cancel = true;
	for (int i = 0; i < OPS; i++)
		assert_non_null(ht_send(t, "84900000000", "text"));
	for (int i = 0; i < OPS; i += 2)
		assert_int_equal(puppet_publish(stream, "S\n", &puppet.op[i], 1, NULL), 0);
	assert_int_equal(channel_ops_on_wire(t->acct), OPS / 2);
	for (int i = 0; i < OPS; i++)
		if (!channel_op_on_wire(&t->ops[i]->op))
			channel_op_cancel(&t->ops[i]->op);
	ht_turn(t);
	for (int i = 0; i < OPS; i++) {
		assert_int_equal(t->ops[i]->done, i % 2);
		if (i % 2)
			assert_true(t->ops[i]->revoked);
		else
			(void)puppet_finish(puppet.op[i], LT_ACCEPTED);
	}
	assert_int_equal(ht_free(t), 0);
}

static void one_write_may_publish_for_many_and_only_if_all_may(void **state)
{
	(void)state;
	struct ht *t = fresh();
	puppet.on_start = NULL;
	puppet.on_event = NULL;
	for (int i = 0; i < 50; i++)
		assert_non_null(ht_send(t, "84900000000", "text"));
	channel_op_cancel(&t->ops[20]->op);
	uint64_t before = t->fn->streams[0]->written;
	assert_int_equal(puppet_publish(stream, "S\n", puppet.op, 50, NULL), -LT_E_NOINTENT);
	ht_turn(t);
	assert_int_equal(t->fn->streams[0]->written, before);
	assert_int_equal(ht_done_count(t, -1), 1);
	assert_true(t->ops[20]->revoked);
	puppet.op[20] = puppet.op[49];
	assert_int_equal(puppet_publish(stream, "S\n", puppet.op, 49, NULL), 0);
	for (int i = 0; i < 50; i++)
		if (i != 49)
			(void)puppet_finish(puppet.op[i], LT_ACCEPTED);
	ht_turn(t);
	assert_int_equal(ht_done_count(t, LT_ACCEPTED), 49);
	assert_int_equal(ht_free(t), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_out_of_order_settle_their_own_ops),
		cmocka_unit_test(answers_in_single_bytes_are_the_same),
		cmocka_unit_test(receipts_without_an_op_are_told),
		cmocka_unit_test(a_late_answer_is_a_receipt_of_its_attempt),
		cmocka_unit_test(an_answer_said_twice_counts_once),
		cmocka_unit_test(a_cut_leaves_unknown_exactly_what_was_flushed),
		cmocka_unit_test(a_stop_of_half_of_them_stops_only_what_was_not_sent),
		cmocka_unit_test(one_write_may_publish_for_many_and_only_if_all_may),
	};
	return cmocka_run_group_tests_name("shared_session", tests, NULL, NULL);
}
