/* test_jobs.c - questions about many deliveries of an account: what the adapter sees, how they end. */
#include <stdlib.h>
#include <string.h>
#include "hosted.h"

#define CAPS (SHARED | LT_CAP_RECEIPTS | LT_CAP_STATS)

static struct {
	int calls, outcome;
	char text[200];
} D;

static void on_done(void *ctx, const struct chan_result *r)
{
	(void)ctx;
	D.calls++;
	D.outcome = r->outcome;
	(void)str_copy(D.text, sizeof(D.text), r->text);
}

static int ask(struct ht *t, uint32_t kind, size_t n)
{
	char ref[8] = "ref-0", id[8] = "mid-0";
	struct lt_id ids[2] = { { 0, LT_ACCEPTED, { id, 5 } }, { 1, LT_ACCEPTED, { "b", 1 } } };
	struct chan_item v[3];
	for (size_t i = 0; i < n; i++)
		v[i] = (struct chan_item){ .delivery = 7 + i,
			.ref = { ref, 5 },
			.address = STR("a@x"),
			.ids = ids,
			.n_ids = i ? 2 : 0,
			.since_ms = 99 };
	memset(&D, 0, sizeof(D));
	int rc = channel_ask(t->acct, kind, v, n, 5000, on_done, NULL);
	memset(ref, 'x', sizeof(ref)); /* borrowed for the call only */
	memset(id, 'x', sizeof(id));
	memset(v, 0, sizeof(v));
	return rc;
}

static void the_adapter_sees_every_item_until_it_finishes(void **state)
{
	(void)state;
	struct ht *t = ht_new();
	assert_int_equal(puppet_load(t, CAPS), 0);
	assert_int_equal(ask(t, LT_J_POLL, 3), 0);
	const struct lt_work *w = puppet.work[0];
	assert_int_equal(puppet.op[0]->kind, LT_J_POLL);
	assert_int_equal(w->n_items, 3);
	assert_int_equal(w->items[2]->delivery, 9);
	assert_int_equal(w->items[2]->since_ms, 99);
	assert_int_equal(w->items[2]->n_ids, 2);
	assert_int_equal(w->items[0]->n_ids, 0);
	assert_memory_equal(w->items[2]->ids[0].id.p, "mid-0", 6);
	assert_memory_equal(w->items[2]->ids[1].id.p, "b", 2);
	assert_memory_equal(w->items[1]->ref.p, "ref-0", 6);
	assert_memory_equal(w->items[1]->address.p, "a@x", 4);
	assert_int_equal(D.calls, 0);
	(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
	assert_int_equal(D.calls, 0); /* never inside the adapter's call */
	ht_turn(t);
	assert_int_equal(D.calls, 1);
	assert_int_equal(D.outcome, LT_ACCEPTED);
	over(t);
}

static void receipts_and_numbers_of_a_question_reach_the_user(void **state)
{
	(void)state;
	struct ht *t = ht_new();
	struct lt_str id = { "mid-1", 5 };
	struct lt_receipt r = {
		.struct_size = sizeof(r), .state = LT_RC_GONE, .ids = &id, .n_ids = 1
	};
	assert_int_equal(puppet_load(t, CAPS), 0);
	assert_int_equal(ask(t, LT_J_STATS, 0), 0);
	assert_int_equal(puppet.work[0]->n_items, 0);
	struct lt_job *j = puppet.op[0];
	assert_int_equal(puppet.host->receipt(puppet.host->ctx, j, &r, 5), 0);
	puppet.host->stat(puppet.host->ctx, j, 7, (struct lt_str){ "views", 5 }, 3);
	puppet.host->stat(puppet.host->ctx, j, 0, (struct lt_str){ "bad\nname", 8 }, 3);
	puppet.host->stat(puppet.host->ctx, j, 0, (struct lt_str){ "", 0 }, 3);
	assert_int_equal(t->stats, 1);
	ht_turn(t);
	assert_int_equal(t->n_receipts, 1);
	assert_int_equal(puppet.events[LT_EV_SAVED], 1);
	(void)puppet_finish(j, LT_ACCEPTED);
	over(t);
}

static void who_is_silent_is_ended_and_who_cannot_is_not_asked(void **state)
{
	(void)state;
	struct ht *t = ht_new();
	assert_int_equal(puppet_load(t, SHARED | LT_CAP_RECEIPTS), 0);
	assert_int_equal(ask(t, LT_J_STATS, 1), -ENOTSUP);
	assert_int_equal(ask(t, LT_J_OP, 1), -ENOTSUP);
	assert_int_equal(ask(t, LT_J_POLL, 1), 0);
	ht_wait(t, 4900);
	assert_int_equal(D.calls, 0);
	ht_wait(t, 200);
	assert_int_equal(D.calls, 1);
	assert_int_equal(D.outcome, LT_DEFERRED);
	puppet.start_rc = -LT_E_INVALID;
	assert_int_equal(ask(t, LT_J_POLL, 1), 0);
	ht_turn(t);
	assert_int_equal(D.calls, 1);
	assert_int_equal(D.outcome, LT_DEFERRED);
	over(t);
}

static void nobody_waits_for_a_question_at_the_end(void **state)
{
	(void)state;
	struct ht *t = ht_new();
	assert_int_equal(puppet_load(t, CAPS), 0);
	assert_int_equal(ask(t, LT_J_POLL, 2), 0);
	ht_close(t, 20000);
	ht_turn(t);
	assert_int_equal(D.calls, 1);
	assert_int_equal(D.outcome, LT_DEFERRED);
	assert_int_equal(t->closed, 1);
	over(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_adapter_sees_every_item_until_it_finishes),
		cmocka_unit_test(receipts_and_numbers_of_a_question_reach_the_user),
		cmocka_unit_test(who_is_silent_is_ended_and_who_cannot_is_not_asked),
		cmocka_unit_test(nobody_waits_for_a_question_at_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
