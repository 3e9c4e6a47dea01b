/* test_queue.c - the queue's commands one by one: guards, counters, leases by cursor, recovery, plans of the hot
 * statements. */
#include "queuescene.h"

static int intend(struct sq_intent *it, size_t n)
{
	struct sq_intent *v[16];
	struct sq_intents c = { .v = v, .n = n };

	for (size_t i = 0; i < n; i++)
		v[i] = &it[i];
	sq_intents_init(&c);
	return teststore_do(&ts, &c.cmd);
}
static struct sq_intent intent_of(int64_t id)
{
	return (struct sq_intent){
		.delivery = id, .lot = 1 + (id > 10), .contact = id, .due_ms = (id % 3) * 1000
	};
}
static struct sq_outcome outcome_of(int64_t id, enum dlv_state to)
{
	return (struct sq_outcome){ .verb = SQ_OUTCOME,
		.to = to,
		.delivery = id,
		.lot = 1 + (id > 10),
		.contact = id,
		.lane = 1,
		.tries = 1,
		.due_ms = -1,
		.outcome = LT_ACCEPTED };
}
static int settle(struct sq_outcome *o, size_t n)
{
	struct sq_outcome *v[16];
	struct suppress_numbers numbers = { 1, 2, 3, 5, 1000, 1000, 1000 };
	struct sq_outcomes c = { .v = v, .n = n, .numbers = &numbers };

	for (size_t i = 0; i < n; i++)
		v[i] = &o[i];
	sq_outcomes_init(&c);
	return teststore_do(&ts, &c.cmd);
}

static void an_intent_is_granted_once(void **state)
{
	(void)state;
	struct sq_intent it[3] = { intent_of(1), intent_of(2), intent_of(11) };

	assert_int_equal(intend(it, 3), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(it[i].grant, SQ_GRANTED);
	assert_int_equal(intend(it, 1), 0);
	assert_int_equal(it[0].grant, SQ_GONE);
	counters_equal_rows();
	assert_int_equal(teststore_i64(&ts, "SELECT n1 FROM lot WHERE id=1"), 2);
}

static void a_lease_that_is_out_of_date_gets_no_intent(void **state)
{
	(void)state;
	struct sq_intent late = intent_of(1), tried = intent_of(2);

	late.due_ms += 1; /* it was put off meanwhile */
	tried.tries = 1;
	assert_int_equal(intend(&late, 1), 0);
	assert_int_equal(intend(&tried, 1), 0);
	assert_int_equal(late.grant, SQ_GONE);
	assert_int_equal(tried.grant, SQ_GONE);
}

static void a_lot_that_is_closed_or_not_approved_gets_none(void **state)
{
	(void)state;
	static const char *const spoil[] = { "UPDATE lot SET gate=2 WHERE id=1",
		"UPDATE lot SET gate=1 WHERE id=1", "UPDATE release SET state=1",
		"UPDATE release SET state=2, rev_approved=2", "UPDATE release SET rev_approved=1",
		"UPDATE approval SET voided=5" };
	static const int want[] = { SQ_CLOSED, SQ_GRANTED, SQ_CLOSED, SQ_CLOSED, SQ_GRANTED,
		SQ_CLOSED };

	for (size_t i = 0; i < ARRAY_LEN(spoil); i++) {
		struct sq_intent it = intent_of((int64_t)i + 1);
		run(spoil[i]);
		assert_int_equal(intend(&it, 1), 0);
		assert_int_equal(it.grant, want[i]);
	}
	counters_equal_rows();
}

static void an_outcome_is_applied_once_and_writes_one_attempt(void **state)
{
	(void)state;
	struct sq_intent it = intent_of(1);
	struct sq_outcome o = outcome_of(1, DLV_ACCEPTED), again = o;

	assert_int_equal(intend(&it, 1), 0);
	assert_int_equal(settle(&o, 1), 0);
	assert_true(o.applied);
	assert_int_equal(settle(&again, 1), 0);
	assert_false(again.applied);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM attempt"), 1);
	counters_equal_rows();
}

static void a_lease_that_is_out_of_date_settles_nothing(void **state)
{
	(void)state;
	struct sq_intent it = intent_of(1);
	struct sq_outcome o = { .verb = SQ_MOVE,
		.to = DLV_SUPPRESSED,
		.delivery = 1,
		.lot = it.lot,
		.contact = it.contact,
		.tries = it.tries,
		.due_ms = -1 };
	struct sq_outcome other = o;

	other.contact++; /* planned anew, its number went to somebody else */
	assert_int_equal(settle(&other, 1), 0);
	assert_false(other.applied);
	/* meanwhile it went over to the second gateway */
	assert_int_equal(
		teststore_exec(&ts,
			"UPDATE delivery SET lot_id=2 WHERE id=1;"
			"UPDATE lot SET n0=n0-1 WHERE id=1; UPDATE lot SET n0=n0+1 WHERE id=2"),
		0);
	assert_int_equal(settle(&o, 1), 0);
	assert_false(o.applied);
	assert_int_equal(teststore_i64(&ts, "SELECT state FROM delivery WHERE id=1"), DLV_WAITING);
	counters_equal_rows();
	o.lot = 2;
	assert_int_equal(settle(&o, 1), 0);
	assert_true(o.applied);
	counters_equal_rows();
}

static void a_revoked_intent_leaves_no_trace(void **state)
{
	(void)state;
	struct sq_intent it = intent_of(1);
	struct sq_outcome o = outcome_of(1, DLV_WAITING);

	it.stepped = true;
	o.verb = SQ_REVOKE;
	o.give_back = true;
	o.stepped = true;
	assert_int_equal(intend(&it, 1), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM intent WHERE repeatable=1"), 1);
	assert_int_equal(settle(&o, 1), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT state*10+tries FROM delivery WHERE id=1"), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM attempt"), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM intent"), 0);
	counters_equal_rows();
}

static void tries_of_attempts_go_on_where_none_was_spent(void **state)
{
	(void)state;
	for (int k = 0; k < 3; k++) {
		struct sq_intent it = intent_of(3);
		struct sq_outcome o = outcome_of(3, DLV_WAITING);
		it.due_ms = 0;
		o.give_back = true;
		o.due_ms = 0;
		assert_int_equal(intend(&it, 1), 0);
		assert_int_equal(it.grant, SQ_GRANTED);
		assert_int_equal(settle(&o, 1), 0);
	}
	assert_int_equal(teststore_i64(&ts, "SELECT tries FROM delivery WHERE id=3"), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT max(try)*10+count(*) FROM attempt"), 33);
}

static int64_t seen[64];
static size_t n_seen;
static int on_lease(void *ctx, const struct sq_lease_row *l)
{
	(void)ctx;
	assert_true(l->address.n > 0);
	seen[n_seen++] = l->delivery;
	return 0;
}

static void a_lease_pages_by_due_and_says_what_comes_next(void **state)
{
	(void)state;
	struct sq_lease_query q = { .lot = 1, .now_due_ms = 1500, .max = 4, .category = 2 };
	struct sq_lease_end end;
	struct store_reader *r = teststore_reader(&ts);

	n_seen = 0;
	assert_int_equal(sq_read_lease(r, &q, on_lease, NULL, &end), 0);
	assert_int_equal(end.rows, 4);
	assert_false(end.drained);
	assert_int_equal(seen[0], 3); /* due 0: 3 6 9; then 1 4 7 10 */
	assert_int_equal(seen[3], 1);
	q.after_due_ms = 1000;
	q.after_id = 1;
	assert_int_equal(sq_read_lease(r, &q, on_lease, NULL, &end), 0);
	assert_int_equal(end.rows, 3);
	assert_true(end.drained);
	assert_int_equal(end.next_due_ms, 2000);
	assert_int_equal(seen[6], 10);
	teststore_reader_end(&ts, r);
}

static size_t n_steps;
static int on_lease_steps(void *ctx, const struct sq_lease_row *l)
{
	(void)ctx;
	if (l->delivery == 3)
		n_steps = l->n_steps;
	return 0;
}
static int on_unknown_steps(void *ctx, const struct sq_unknown_row *u)
{
	(void)ctx;
	n_steps = u->n_steps;
	return 0;
}

static int step_save(const char *name, struct str value)
{
	struct sq_save c = { .delivery = 3, .value = value };

	snprintf(c.name, sizeof(c.name), "%s", name);
	sq_save_init(&c);
	return teststore_do(&ts, &c.cmd);
}

/* Ten messages to a group, each with its upload, its try and its id: without its word a message would count as not begun. */
static void steps_are_read_whole_or_not_kept(void **state)
{
	static const char *const words[] = { "sent", "try", "up" };
	struct sq_lease_query q = {
		.lot = 1, .now_due_ms = 9999, .max = 20, .category = 2, .with_steps = true
	};
	struct sq_lease_end end;
	struct str wide = { NULL, 0 };
	char name[24], value[SQ_STEP_BYTES];
	int64_t next = 0;

	(void)state;
	memset(value, 'x', sizeof(value));
	wide = (struct str){ value, 900 };
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "%s%d", words[i / 10], i % 10);
		assert_int_equal(step_save(name, i < 29 ? STR("1") : wide), 0);
	}
	struct store_reader *r = teststore_reader(&ts);
	assert_int_equal(sq_read_lease(r, &q, on_lease_steps, NULL, &end), 0);
	assert_int_equal(n_steps, 30);
	teststore_reader_end(&ts, r);
	run("UPDATE delivery SET state=8 WHERE id=3");
	run("UPDATE lot SET n0=n0-1, n8=n8+1 WHERE id=1");
	r = teststore_reader(&ts);
	n_steps = 0;
	assert_int_equal(sq_read_unknown(r, 1, 9999, 9, on_unknown_steps, NULL, &next), 0);
	assert_int_equal(n_steps, 30);
	teststore_reader_end(&ts, r);
	assert_int_equal(step_save("up9", (struct str){ value, sizeof(value) }), -E2BIG);
	for (int i = 30; i < SQ_STEPS_MAX; i++) {
		snprintf(name, sizeof(name), "more%d", i);
		assert_int_equal(step_save(name, STR("1")), 0);
	}
	assert_int_equal(step_save("more", STR("1")), -E2BIG);
	assert_int_equal(step_save("try9", STR("2")), 0); /* it is there already */
}

static void recovery_tells_unknown_from_unpublished(void **state)
{
	(void)state;
	struct sq_intent it[3] = { intent_of(1), intent_of(2), intent_of(3) };
	struct sq_step_intent s = { .delivery = 2, .step = "publish" }, *sv[1] = { &s };
	struct sq_intents c = { .steps = sv, .n_steps = 1 };

	it[1].stepped = it[2].stepped = true;
	assert_int_equal(intend(it, 3), 0);
	sq_intents_init(&c);
	assert_int_equal(teststore_do(&ts, &c.cmd), 0);
	assert_true(s.granted);
	assert_int_equal(teststore_reopen(&ts), 0);
	struct sq_recover rec = { .left = true };
	sq_recover_init(&rec);
	assert_int_equal(teststore_do(&ts, &rec.cmd), 0);
	assert_false(rec.left);
	assert_int_equal(rec.ret_unknown, 2); /* 1: no steps at all; 2: its step was open */
	assert_int_equal(rec.ret_waiting, 1);
	assert_int_equal(teststore_i64(&ts,
				 "SELECT group_concat(state, '')+0 FROM (SELECT state FROM "
				 "delivery WHERE id<4 ORDER BY id)"),
		880);
	assert_int_equal(
		teststore_i64(&ts, "SELECT count(*) FROM attempt WHERE code='restart'"), 3);
	counters_equal_rows();
}

static void what_was_asked_about_in_two_crashes_is_left_to_a_person(void **state)
{
	(void)state;
	const int64_t crashed[] = { 1, 999999 };
	struct sq_intent it = intent_of(1);

	assert_int_equal(intend(&it, 1), 0);
	assert_int_equal(teststore_reopen(&ts), 0);
	for (int i = 0; i < 3; i++) {
		struct sq_recover rec = { .crashed = i ? crashed : NULL, .n_crashed = i ? 2 : 0 };
		sq_recover_init(&rec);
		assert_int_equal(teststore_do(&ts, &rec.cmd), 0);
		assert_int_equal(teststore_i64(&ts, "SELECT state FROM delivery WHERE id=1"),
			i < 2 ? DLV_UNKNOWN : DLV_DOUBT);
		rec.asked = true; /* a later chunk of the same start does not count again */
		assert_int_equal(teststore_do(&ts, &rec.cmd), 0);
	}
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM attempt WHERE code='crash'"), 2);
	counters_equal_rows();
}

static struct sq_settle_item settled(int64_t delivery, uint32_t tries, int to)
{
	struct sq_settle_item it = {
		.delivery = delivery, .lot = 1, .tries = tries, .to = to, .by = "provider"
	};
	struct sq_settle c = { .v = &it, .n = 1 };

	sq_settle_init(&c);
	assert_int_equal(teststore_do(&ts, &c.cmd), 0);
	return it;
}

static void an_old_question_settles_no_newer_try(void **state)
{
	(void)state;
	run("UPDATE delivery SET state=8, tries=2, due=7 WHERE id=1");
	run("UPDATE lot SET n0=9, n8=1 WHERE id=1");
	assert_false(settled(1, 1, DLV_WAITING).applied);
	assert_false(settled(1, 1, DLV_ACCEPTED).applied);
	assert_false(settled(1, 1, -1).applied);
	assert_int_equal(teststore_i64(&ts, "SELECT state*100+due FROM delivery WHERE id=1"), 807);
	assert_true(settled(1, 2, DLV_WAITING).applied);
	assert_int_equal(teststore_i64(&ts, "SELECT state FROM delivery WHERE id=1"), 0);
	assert_true(settled(1, 2, DLV_ACCEPTED).held);
	assert_int_equal(teststore_i64(&ts, "SELECT state FROM delivery WHERE id=1"), 9);
	counters_equal_rows();
}

static int on_dlv(void *ctx, const struct q_dlv *d)
{
	(void)ctx;
	seen[n_seen++] = d->id * 100 + d->state;
	return 0;
}

static void lists_page_and_show_a_cancelled_lot_as_cancelled(void **state)
{
	(void)state;
	struct q_filter f = { .part = -1, .state = -1, .limit = 7, .release = 1 };
	char next[48];
	size_t pages = 0;

	run("UPDATE lot SET gate=3 WHERE id=2");
	struct store_reader *r = teststore_reader(&ts);
	n_seen = 0;
	do {
		assert_int_equal(q_delivery_list(r, &f, on_dlv, NULL, next, sizeof(next)), 0);
		memcpy(f.after, next, sizeof(f.after));
		pages++;
	} while (next[0]);
	assert_int_equal(n_seen, 20);
	assert_int_equal(pages, 3);
	assert_int_equal(seen[0], 100 + DLV_WAITING);
	assert_int_equal(seen[19], 2000 + DLV_CANCELLED);
	f = (struct q_filter){ .part = -1, .state = DLV_CANCELLED, .limit = 100 };
	n_seen = 0;
	assert_int_equal(q_delivery_list(r, &f, on_dlv, NULL, next, sizeof(next)), 0);
	assert_int_equal(n_seen, 10);
	f = (struct q_filter){ .part = -1, .state = -1, .limit = 100, .under = 2 };
	n_seen = 0;
	assert_int_equal(q_delivery_list(r, &f, on_dlv, NULL, next, sizeof(next)), 0);
	assert_int_equal(n_seen, 10);
	memcpy(f.after, "x'; --", 7);
	assert_int_equal(q_delivery_list(r, &f, on_dlv, NULL, next, sizeof(next)), -EINVAL);
	teststore_reader_end(&ts, r);
}

static void a_list_passes_over_the_gap_that_a_restore_left(void **state)
{
	(void)state;
	struct q_filter f = { .part = -1, .state = -1, .limit = 100 };
	char next[48];

	run("INSERT INTO delivery(id, lot_id, contact_id, once, state, tries, due, target_id) "
	    "VALUES(1073741844, 0, 0, 0, 6, 0, 0, 0)");
	run("INSERT INTO delivery(lot_id, contact_id, once, state, tries, due, target_id) SELECT lot_id, contact_id, once+16, "
	    "state, tries, due, target_id FROM delivery WHERE id=1");
	struct store_reader *r = teststore_reader(&ts);
	n_seen = 0;
	assert_int_equal(q_delivery_list(r, &f, on_dlv, NULL, next, sizeof(next)), 0);
	assert_int_equal(n_seen, 21);
	assert_int_equal(seen[20], INT64_C(107374184500));
	assert_string_equal(next, "");
	teststore_reader_end(&ts, r);
}

/* The plan as SQLite tells it: one line a step. */
static void plan_has(const char *sql, const char *want, const char *never)
{
	char full[2000], *got;

	snprintf(full, sizeof(full), "EXPLAIN QUERY PLAN %s", sql);
	sqlite3 *h;
	sqlite3_stmt *st;
	char path[300];
	(void)snprintf(path, sizeof(path), "%s/lantoa.db", ts.dir);
	assert_int_equal(sqlite3_open_v2(path, &h, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(h, full, -1, &st, NULL), SQLITE_OK);
	char all[4000] = "";
	while (sqlite3_step(st) == SQLITE_ROW) {
		size_t n = strlen(all);
		snprintf(
			all + n, sizeof(all) - n, "%s\n", (const char *)sqlite3_column_text(st, 3));
	}
	sqlite3_finalize(st);
	sqlite3_close(h);
	got = strstr(all, want);
	if (!got || (never && strstr(all, never)))
		fail_msg("%s\n%s", sql, all);
}

static void the_hot_statements_use_their_indexes(void **state)
{
	(void)state;
	plan_has(
		"SELECT d.id FROM delivery d INDEXED BY delivery_due WHERE d.state=0 AND d.lot_id=1 AND "
		"d.due=5 AND d.id>6 ORDER BY d.id LIMIT 9",
		"delivery_due (lot_id=? AND due=? AND rowid>?)", "TEMP B-TREE");
	plan_has(
		"SELECT d.id FROM delivery d INDEXED BY delivery_due WHERE d.state=0 AND d.lot_id=1 AND "
		"d.due>5 ORDER BY d.due, d.id LIMIT 9",
		"delivery_due (lot_id=? AND due>?)", "TEMP B-TREE");
	plan_has("SELECT d.id FROM delivery d INDEXED BY delivery_sending WHERE d.state=1 LIMIT 9",
		"delivery_sending", "TEMP B-TREE");
	plan_has(
		"SELECT d.id FROM delivery d INDEXED BY delivery_unknown WHERE d.state=8 AND d.lot_id=1 "
		"ORDER BY d.due LIMIT 9",
		"delivery_unknown (lot_id=?)", "TEMP B-TREE");
	plan_has(
		"SELECT id FROM delivery INDEXED BY delivery_held WHERE state=9 AND lot_id=1 ORDER BY id "
		"LIMIT 9",
		"delivery_held (lot_id=?)", "TEMP B-TREE");
	plan_has(
		"UPDATE delivery SET state=1, tries=tries+1 WHERE id=1 AND state=0 AND tries=0 AND due=0",
		"INTEGER PRIMARY KEY (rowid=?)", "SCAN");
	plan_has(
		"SELECT l.id FROM lot l INDEXED BY lot_live WHERE (n0>0 OR n1>0 OR n8>0 OR n9>0 OR "
		"n10>0) AND l.id>5 ORDER BY l.id LIMIT 9",
		"lot_live (id>?)", "TEMP B-TREE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(an_intent_is_granted_once),
		T(a_lease_that_is_out_of_date_gets_no_intent),
		T(a_lot_that_is_closed_or_not_approved_gets_none),
		T(an_outcome_is_applied_once_and_writes_one_attempt),
		T(a_lease_that_is_out_of_date_settles_nothing),
		T(a_revoked_intent_leaves_no_trace),
		T(tries_of_attempts_go_on_where_none_was_spent),
		T(a_lease_pages_by_due_and_says_what_comes_next),
		T(steps_are_read_whole_or_not_kept),
		T(recovery_tells_unknown_from_unpublished),
		T(what_was_asked_about_in_two_crashes_is_left_to_a_person),
		T(an_old_question_settles_no_newer_try),
		T(lists_page_and_show_a_cancelled_lot_as_cancelled),
		T(a_list_passes_over_the_gap_that_a_restore_left),
		T(the_hot_statements_use_their_indexes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
