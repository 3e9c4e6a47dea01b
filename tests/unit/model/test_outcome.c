/* test_outcome.c - the table of outcome x scope x flags; every result is a legal move. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <lantoa/adapter.h>
#include "model/outcome.h"

#define U LT_UNKNOWN
#define A LT_ACCEPTED
#define R LT_REFUSED
#define D LT_DEFERRED

static const int64_t base[] = { 1000 };

static const struct row {
	int outcome, scope;
	uint32_t flags, tries;
	int to, give_back;
	unsigned has, has_not;
} table[] = {
	{ A, 0, 0, 1, DLV_ACCEPTED, 0, OE_GOOD, OE_TROUBLE },
	{ R, 0, 0, 1, DLV_FAILED, 0, OE_GOOD, OE_SUPPRESS | OE_STRIKE | OE_TROUBLE },
	{ R, 0, LT_R_SUPPRESS, 1, DLV_FAILED, 0, OE_SUPPRESS, OE_STRIKE },
	{ R, 0, LT_R_STRIKE, 1, DLV_FAILED, 0, OE_STRIKE, OE_SUPPRESS },
	{ R, LT_SCOPE_RELEASE, 0, 1, DLV_HELD, 0, OE_HOLD_RELEASE | OE_ALERT, OE_TROUBLE },
	{ R, LT_SCOPE_RELEASE, LT_R_SUPPRESS, 1, DLV_HELD, 0, OE_HOLD_RELEASE, OE_SUPPRESS },
	{ R, LT_SCOPE_LANE, 0, 1, DLV_WAITING, 1, OE_TROUBLE | OE_OPEN_NOW, OE_GOOD },
	{ R, LT_SCOPE_ACCOUNT, 0, 5, DLV_WAITING, 1, OE_TROUBLE | OE_OPEN_NOW, OE_GOOD },
	{ R, LT_SCOPE_CHANNEL, LT_R_PERSON, 1, DLV_WAITING, 1, OE_HOLD_SCOPE, OE_TROUBLE },
	{ D, 0, 0, 1, DLV_WAITING, 0, OE_GOOD, OE_TROUBLE },
	{ D, 0, 0, 5, DLV_FAILED, 0, OE_GOOD, OE_TROUBLE }, /* tries_max */
	{ D, 0, LT_R_FREE, 5, DLV_WAITING, 1, OE_GOOD, OE_PAUSE },
	{ D, 0, LT_R_STRIKE, 1, DLV_WAITING, 0, OE_GOOD, OE_STRIKE },
	{ D, 0, LT_R_PERSON, 1, DLV_HELD, 0, OE_ALERT, OE_HOLD_SCOPE },
	{ D, LT_SCOPE_RELEASE, LT_R_PERSON, 1, DLV_WAITING, 1, OE_HOLD_RELEASE, OE_HOLD_SCOPE },
	{ D, LT_SCOPE_LANE, LT_R_PERSON, 1, DLV_WAITING, 1, OE_HOLD_SCOPE, OE_HOLD_RELEASE },
	{ D, LT_SCOPE_LANE, 0, 1, DLV_WAITING, 0, OE_TROUBLE, OE_GOOD | OE_PAUSE },
	{ D, LT_SCOPE_CLASS, LT_R_FREE, 1, DLV_WAITING, 1, OE_SLOW | OE_PAUSE,
		OE_TROUBLE | OE_GOOD },
	{ U, 0, 0, 1, DLV_UNKNOWN, 0, 0, OE_GOOD | OE_TROUBLE | OE_SUPPRESS },
	{ U, LT_SCOPE_LANE, 0, 1, DLV_UNKNOWN, 0, OE_TROUBLE, OE_GOOD },
	{ U, 0, LT_R_SUPPRESS | LT_R_FREE, 1, DLV_UNKNOWN, 0, 0, OE_SUPPRESS },
	{ U, 0, LT_R_DUPLICATE, 1, DLV_UNKNOWN, 0, 0, OE_ALERT },
	{ R, 0, LT_R_DUPLICATE, 1, DLV_HELD, 0, OE_ALERT, OE_TROUBLE },
	{ A, 0, LT_R_DUPLICATE, 1, DLV_ACCEPTED, 0, OE_ALERT, 0 },
	{ 77, 0, 0, 1, DLV_UNKNOWN, 0, 0, OE_GOOD }, /* a number of the future is unknown */
};

static struct outcome_in in_of(const struct row *r)
{
	return (struct outcome_in){ .outcome = r->outcome,
		.scope = r->scope,
		.flags = r->flags,
		.tries = r->tries,
		.tries_max = 5,
		.now_ms = 100000,
		.first_ms = 100000,
		.max_age_ms = 50000,
		.backoff = base,
		.n_backoff = 1,
		.random = 700,
		.ask_every_ms = 60000 };
}

static void every_row_of_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct row *r = &table[i];
		struct outcome_in in = in_of(r);
		struct outcome_out o;
		outcome_decide(&in, &o);
		if ((int)o.to != r->to || o.give_back != r->give_back ||
			(o.effects & r->has) != r->has || (o.effects & r->has_not))
			fail_msg("row %zu: to %s give_back %d effects %x", i,
				dlv_state_name((int)o.to), o.give_back, o.effects);
		assert_true(o.attempt);
		assert_true(o.to == DLV_WAITING || o.to == DLV_UNKNOWN ? o.due_ms > in.now_ms
								       : o.due_ms == -1);
		assert_true(o.to != DLV_HELD || o.why);
	}
}

static void all_combinations_are_legal_moves(void **state)
{
	(void)state;
	for (int outcome = -1; outcome < 6; outcome++)
		for (int scope = 0; scope < 8; scope++)
			for (uint32_t flags = 0; flags < 64; flags++)
				for (int k = 0; k < 16; k++) {
					struct row r = { .outcome = outcome,
						.scope = scope,
						.flags = flags,
						.tries = k & 1 ? 1 : 5 };
					struct outcome_in in = in_of(&r);
					struct outcome_out o;
					in.by_host = k & 2;
					in.was_unknown = k & 4;
					in.first_ms = k & 8 ? 0 : in.first_ms;
					outcome_decide(&in, &o);
					assert_true(dlv_may_move(DLV_SENDING, o.to));
					if (outcome == LT_UNKNOWN)
						assert_int_equal(o.to, DLV_UNKNOWN);
				}
}

static void a_revoked_intent_gives_its_try_back_and_leaves_no_row(void **state)
{
	(void)state;
	struct row r = { U, 0, LT_R_SUPPRESS, 1, 0, 0, 0, 0 };
	struct outcome_in in = in_of(&r);
	struct outcome_out o;

	in.revoked = true;
	outcome_decide(&in, &o);
	assert_int_equal(o.to, DLV_WAITING);
	assert_true(o.give_back);
	assert_false(o.attempt);
	assert_int_equal(o.effects, 0);
	assert_int_equal(o.due_ms, -1);
}

static void age_ends_what_tries_do_not(void **state)
{
	(void)state;
	struct row r = { D, LT_SCOPE_LANE, LT_R_FREE, 1, 0, 0, 0, 0 };
	struct outcome_in in = in_of(&r);
	struct outcome_out o;

	in.first_ms = in.now_ms - in.max_age_ms;
	outcome_decide(&in, &o);
	assert_int_equal(o.to, DLV_FAILED);
	assert_non_null(o.why);
}

static void a_duplicate_after_an_unknown_was_accepted(void **state)
{
	(void)state;
	struct row r = { R, 0, LT_R_DUPLICATE, 2, 0, 0, 0, 0 };
	struct outcome_in in = in_of(&r);
	struct outcome_out o;

	in.was_unknown = true;
	outcome_decide(&in, &o);
	assert_int_equal(o.to, DLV_ACCEPTED);
	assert_false(o.effects & OE_ALERT);
}

static int settled(int outcome, int64_t age, bool assume, int64_t *next)
{
	struct settle_in in = { outcome, 1000000 + age, 1000000, 86400000, 60000, assume };
	struct settle_out o;

	settle_decide(&in, &o);
	*next = o.next_ms - in.now_ms;
	return o.to;
}

static void unknowns_are_settled_by_answer_then_by_policy(void **state)
{
	(void)state;
	int64_t next;

	assert_int_equal(settled(A, 10, false, &next), DLV_ACCEPTED);
	assert_int_equal(settled(D, 10, false, &next), DLV_WAITING);
	assert_int_equal(settled(R, 10, false, &next), DLV_FAILED);
	assert_int_equal(settled(U, 10, false, &next), -1);
	assert_int_equal(next, 60000);
	assert_int_equal(settled(U, 240000, false, &next), -1);
	assert_int_equal(next, 240000);
	assert_int_equal(settled(U, 86390000, false, &next), -1);
	assert_int_equal(next, 10000); /* never past the maximum */
	assert_int_equal(settled(-1, 10, false, &next), -1);
	assert_int_equal(next, 86400000 - 10);
	assert_int_equal(settled(U, 86400000, false, &next), DLV_DOUBT);
	assert_int_equal(settled(-1, 86400000, true, &next), DLV_ACCEPTED);
}

static void receipts_move_only_where_the_table_says(void **state)
{
	(void)state;
	static const struct {
		enum dlv_state from;
		int receipt, to;
	} rows[] = {
		{ DLV_ACCEPTED, LT_RC_DELIVERED, DLV_DELIVERED },
		{ DLV_ACCEPTED, LT_RC_SEEN, DLV_DELIVERED },
		{ DLV_ACCEPTED, LT_RC_FAILED, DLV_FAILED },
		{ DLV_ACCEPTED, LT_RC_TRANSIT, -1 },
		{ DLV_ACCEPTED, LT_RC_GONE, -1 },
		{ DLV_UNKNOWN, LT_RC_TRANSIT, DLV_ACCEPTED },
		{ DLV_UNKNOWN, LT_RC_DELIVERED, DLV_DELIVERED },
		{ DLV_UNKNOWN, LT_RC_FAILED, DLV_FAILED },
		{ DLV_UNKNOWN, LT_DEFERRED, DLV_WAITING },
		{ DLV_ACCEPTED, LT_DEFERRED, -1 },
		{ DLV_FAILED, LT_DEFERRED, -1 },
		{ DLV_DOUBT, LT_DEFERRED, -1 },
		{ DLV_FAILED, LT_RC_DELIVERED, DLV_DELIVERED },
		{ DLV_FAILED, LT_RC_FAILED, -1 },
		{ DLV_DELIVERED, LT_RC_FAILED, -1 },
		{ DLV_DOUBT, LT_RC_DELIVERED, -1 },
		{ DLV_SENDING, LT_RC_DELIVERED, -1 },
		{ DLV_WAITING, LT_RC_DELIVERED, -1 },
		{ DLV_CANCELLED, LT_RC_DELIVERED, -1 },
		{ DLV_DELIVERED, LT_RC_CHANGED, -1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(receipt_decide(rows[i].from, rows[i].receipt), rows[i].to);
	for (int from = 0; from < DLV_STATES; from++)
		for (int rc = 0; rc < 32; rc++) {
			int to = receipt_decide((enum dlv_state)from, rc);
			assert_true(
				to < 0 || dlv_may_move((enum dlv_state)from, (enum dlv_state)to));
		}
}

static void a_mailbox_that_is_full_for_a_while_is_one_mark(void **state)
{
	struct outcome_in in = { .outcome = LT_DEFERRED,
		.scope = LT_SCOPE_TARGET,
		.flags = LT_R_STRIKE,
		.tries_max = 5,
		.tries = 1 };
	struct outcome_out o;

	(void)state;
	for (; in.tries < 5; in.tries++) {
		outcome_decide(&in, &o);
		assert_int_equal(o.to, DLV_WAITING);
		assert_int_equal(o.effects & (OE_STRIKE | OE_EXPIRED), 0);
	}
	outcome_decide(&in, &o);
	assert_int_equal(o.to, DLV_FAILED);
	assert_int_equal(o.effects & (OE_STRIKE | OE_EXPIRED), OE_STRIKE);
	in.flags = 0;
	outcome_decide(&in, &o);
	assert_int_equal(o.effects & (OE_STRIKE | OE_EXPIRED), OE_EXPIRED);
	in.scope = LT_SCOPE_ACCOUNT;
	outcome_decide(&in, &o);
	assert_int_equal(o.effects & (OE_STRIKE | OE_EXPIRED), 0);
}

/* Each rule has numbers of its own, and its strikes are counted under a word of their own. */
static void each_rule_of_suppression_has_its_own_numbers(void **state)
{
	const struct suppress_numbers n = { .hard = 1,
		.hard_mailbox_off = 2,
		.domain = 3,
		.soft = 5,
		.hard_mailbox_off_ms = 20,
		.domain_ms = 30,
		.soft_ms = 50 };
	static const struct {
		enum suppress_rule rule;
		int strikes;
		int64_t window_ms;
		const char *word;
	} is[] = { { SR_NONE, 0, 0, "" }, { SR_HARD, 1, 0, "hard" },
		{ SR_MAILBOX_OFF, 2, 20, "off" }, { SR_DOMAIN, 3, 30, "domain" },
		{ SR_SOFT, 5, 50, "soft" } };
	(void)state;
	for (size_t i = 0; i < sizeof(is) / sizeof(is[0]); i++) {
		int64_t window_ms = -1;
		assert_int_equal(suppress_limit(is[i].rule, &n, &window_ms), is[i].strikes);
		assert_int_equal(window_ms, is[i].window_ms);
		assert_string_equal(suppress_rule_word(is[i].rule), is[i].word);
	}
}

static void codes_choose_the_rule_of_suppression(void **state)
{
	(void)state;
	assert_int_equal(suppress_rule_of(OE_SUPPRESS, STR("550 5.1.1")), SR_HARD);
	assert_int_equal(suppress_rule_of(OE_SUPPRESS, STR("550 5.2.1 off")), SR_MAILBOX_OFF);
	assert_int_equal(suppress_rule_of(OE_SUPPRESS, STR("5.1.2")), SR_DOMAIN);
	assert_int_equal(suppress_rule_of(OE_SUPPRESS, STR("5.4.4")), SR_DOMAIN);
	assert_int_equal(suppress_rule_of(OE_SUPPRESS, STR("")), SR_HARD);
	assert_int_equal(suppress_rule_of(OE_STRIKE, STR("5.1.1")), SR_SOFT);
	assert_int_equal(suppress_rule_of(OE_STRIKE, STR("552 5.2.2")), SR_SOFT);
	assert_int_equal(suppress_rule_of(OE_EXPIRED, STR("450 4.2.0")), SR_SOFT);
	assert_int_equal(suppress_rule_of(OE_EXPIRED, STR("451")), SR_SOFT);
	assert_int_equal(suppress_rule_of(OE_EXPIRED, STR("450 4.7.1")), SR_NONE);
	assert_int_equal(suppress_rule_of(OE_EXPIRED, STR("HTTP 503")), SR_NONE);
	assert_int_equal(suppress_rule_of(OE_EXPIRED, STR("0x64 ESME_RX_T_APPN")), SR_NONE);
	assert_int_equal(suppress_rule_of(OE_EXPIRED, STR("")), SR_NONE);
	assert_int_equal(suppress_rule_of(OE_STRIKE, STR("450")), SR_SOFT);
	assert_int_equal(suppress_rule_of(OE_STRIKE, STR("55")), SR_SOFT);
	assert_int_equal(suppress_rule_of(OE_STRIKE, STR("550")), SR_MAILBOX_OFF);
	assert_int_equal(suppress_rule_of(OE_STRIKE, STR("599")), SR_MAILBOX_OFF);
	assert_int_equal(suppress_rule_of(OE_STRIKE, STR("500")), SR_MAILBOX_OFF);
	assert_int_equal(suppress_rule_of(OE_STRIKE, STR("5:0")), SR_SOFT);
	assert_int_equal(suppress_rule_of(OE_EXPIRED, STR("4/0")), SR_NONE);
	assert_int_equal(suppress_rule_of(OE_GOOD, STR("5.1.1")), SR_NONE);
	assert_true(suppress_stops(SUP_HARD, CAT_EMERGENCY));
	assert_false(suppress_stops(SUP_SOFT, CAT_EMERGENCY));
	assert_true(suppress_stops(SUP_SOFT, CAT_INTERNAL));
	assert_true(suppress_stops(SUP_OPT_OUT, CAT_EMERGENCY));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_the_table),
		cmocka_unit_test(all_combinations_are_legal_moves),
		cmocka_unit_test(a_revoked_intent_gives_its_try_back_and_leaves_no_row),
		cmocka_unit_test(age_ends_what_tries_do_not),
		cmocka_unit_test(a_duplicate_after_an_unknown_was_accepted),
		cmocka_unit_test(unknowns_are_settled_by_answer_then_by_policy),
		cmocka_unit_test(receipts_move_only_where_the_table_says),
		cmocka_unit_test(a_mailbox_that_is_full_for_a_while_is_one_mark),
		cmocka_unit_test(each_rule_of_suppression_has_its_own_numbers),
		cmocka_unit_test(codes_choose_the_rule_of_suppression),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
