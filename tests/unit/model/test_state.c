/* test_state.c - the names of every number, and the whole table of moves against the design's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <lantoa/adapter.h>
#include "base/assert.h"
#include "model/state.h"

/* The design's table, written down a second time in words. */
struct row {
	const char *from, *to;
};
static const struct row design[] = {
	{ "waiting", "sending expired cancelled suppressed held" },
	{ "sending", "accepted delivered failed waiting unknown held" },
	{ "accepted", "delivered failed" },
	{ "unknown", "accepted delivered failed waiting cancelled doubt" },
	{ "doubt", "accepted waiting cancelled" },
	{ "held", "waiting accepted cancelled expired" },
	{ "failed", "delivered waiting" },
	{ "delivered", "" },
	{ "expired", "" },
	{ "cancelled", "" },
	{ "suppressed", "" },
};

static bool listed(const char *words, const char *name)
{
	struct str rest = str_of(words), word;

	while (str_next(&rest, ' ', &word))
		if (str_eqz(word, name))
			return true;
	return false;
}

static void the_table_of_moves_is_the_design_s(void **state)
{
	(void)state;
	assert_int_equal(ARRAY_LEN(design), DLV_STATES);
	for (size_t i = 0; i < ARRAY_LEN(design); i++) {
		int from = dlv_state_parse(str_of(design[i].from));
		assert_true(from >= 0);
		for (int to = 0; to < DLV_STATES; to++)
			if (dlv_may_move((enum dlv_state)from, (enum dlv_state)to) !=
				listed(design[i].to, dlv_state_name(to)))
				fail_msg("%s -> %s", design[i].from, dlv_state_name(to));
	}
}

static void a_legal_move_gives_the_new_state(void **state)
{
	(void)state;
	assert_int_equal(dlv_move(DLV_WAITING, DLV_SENDING), DLV_SENDING);
	assert_int_equal(dlv_move(DLV_UNKNOWN, DLV_DOUBT), DLV_DOUBT);
	assert_false(dlv_may_move(DLV_UNKNOWN, DLV_SENDING)); /* never a blind resend */
	assert_false(dlv_may_move(DLV_WAITING, (enum dlv_state)11));
	assert_false(dlv_may_move((enum dlv_state) - 1, DLV_WAITING));
}

static void a_state_that_may_still_change_by_itself_is_not_settled(void **state)
{
	static const enum dlv_state open[] = { DLV_WAITING, DLV_SENDING, DLV_UNKNOWN, DLV_HELD,
		DLV_DOUBT };
	static const enum dlv_state over[] = { DLV_DELIVERED, DLV_FAILED, DLV_EXPIRED,
		DLV_CANCELLED, DLV_SUPPRESSED };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(open); i++)
		assert_false(dlv_settled(open[i], false));
	for (size_t i = 0; i < ARRAY_LEN(over); i++)
		assert_true(dlv_settled(over[i], true));
	assert_false(dlv_settled(DLV_ACCEPTED, true));
	assert_true(dlv_settled(DLV_ACCEPTED, false));
}

static void stored_numbers_never_change(void **state)
{
	(void)state;
	assert_string_equal(dlv_state_name(0), "waiting");
	assert_string_equal(dlv_state_name(1), "sending");
	assert_string_equal(dlv_state_name(2), "accepted");
	assert_string_equal(dlv_state_name(3), "delivered");
	assert_string_equal(dlv_state_name(4), "failed");
	assert_string_equal(dlv_state_name(5), "expired");
	assert_string_equal(dlv_state_name(6), "cancelled");
	assert_string_equal(dlv_state_name(7), "suppressed");
	assert_string_equal(dlv_state_name(8), "unknown");
	assert_string_equal(dlv_state_name(9), "held");
	assert_string_equal(dlv_state_name(10), "doubt");
	assert_string_equal(lot_gate_name(0), "planning");
	assert_string_equal(lot_gate_name(5), "void");
	assert_string_equal(chan_kind_name(1), "email");
	assert_string_equal(chan_kind_name(8), "loopback");
	assert_string_equal(outcome_name(LT_UNKNOWN), "unknown");
	assert_string_equal(outcome_name(LT_DEFERRED), "deferred");
	assert_string_equal(scope_name(LT_SCOPE_CLASS), "class");
	assert_string_equal(suppress_reason_name(SUP_OPT_OUT), "opt_out");
	assert_string_equal(approval_kind_name(APPROVAL_PAPER), "paper");
	assert_string_equal(rel_state_name(REL_RETURNED), "returned");
	assert_string_equal(part_state_name(PART_CANCELLED), "cancelled");
}

typedef const char *namer(int);
typedef int parser(struct str);

static void every_name_reads_back_as_its_number(void **state)
{
	static const struct {
		namer *name;
		parser *parse;
		int first, last;
	} t[] = { { dlv_state_name, dlv_state_parse, 0, 10 },
		{ chan_kind_name, chan_kind_parse, 1, 8 }, { prio_name, prio_parse, 0, 2 },
		{ category_name, category_parse, 1, 4 },
		{ release_kind_name, release_kind_parse, 1, 4 },
		{ late_policy_name, late_policy_parse, 0, 2 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		for (int v = t[i].first; v <= t[i].last; v++)
			assert_int_equal(t[i].parse(str_of(t[i].name(v))), v);
		assert_null(t[i].name(t[i].first - 1));
		assert_null(t[i].name(t[i].last + 1));
		assert_int_equal(t[i].parse(STR("Waiting")), -EINVAL);
		assert_int_equal(t[i].parse(STR("")), -EINVAL);
	}
}

static void roles_are_bits(void **state)
{
	(void)state;
	assert_int_equal(role_parse(STR("viewer")), ROLE_VIEWER);
	assert_int_equal(role_parse(STR("approver")), ROLE_APPROVER);
	assert_int_equal(role_parse(STR("admin")), ROLE_ADMIN);
	assert_int_equal(role_parse(STR("root")), -EINVAL);
}

static void the_once_key_keeps_release_slot_and_kind_apart(void **state)
{
	(void)state;
	assert_int_equal(dlv_once(1, 0, KIND_EMAIL), 1025);
	assert_true(dlv_once(1, ONCE_SLOT_BROADCAST, KIND_MAX) < dlv_once(2, 0, KIND_EMAIL));
	assert_int_not_equal(dlv_once(7, 3, KIND_SMS), dlv_once(7, 2, KIND_SMS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_of_moves_is_the_design_s),
		cmocka_unit_test(a_legal_move_gives_the_new_state),
		cmocka_unit_test(a_state_that_may_still_change_by_itself_is_not_settled),
		cmocka_unit_test(stored_numbers_never_change),
		cmocka_unit_test(every_name_reads_back_as_its_number),
		cmocka_unit_test(roles_are_bits),
		cmocka_unit_test(the_once_key_keeps_release_slot_and_kind_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
