/* test_policy.c - the approval policy by table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/assert.h"
#include "model/policy.h"

static const struct policy_step one[] = { { "approve", ROLE_APPROVER } };
static const struct policy_step two[] = { { "office", ROLE_APPROVER }, { "legal", ROLE_ADMIN } };
static const char *const authors[] = { "lan", "duc" };

struct row {
	int steps;
	struct policy_given given[3];
	size_t n_given;
	struct policy_ask ask;
	int rc, step, kind, owed;
	bool complete;
};

static const struct row rows[] = {
	{ 1, { { 0 } }, 0, { "minh", ROLE_APPROVER, NULL, 0, false, false, NULL }, 0, 0,
		APPROVAL_NORMAL, 0, true },
	{ 1, { { 0 } }, 0, { "lan", ROLE_APPROVER, NULL, 0, false, false, NULL }, -EPERM, 0, 0, 0,
		false },
	{ 1, { { 0 } }, 0, { "oanh", ROLE_OPERATOR, NULL, 0, false, false, NULL }, -EPERM, 0, 0, 0,
		false },
	{ 1, { { 0 } }, 0, { "oanh", ROLE_OPERATOR, "minh", ROLE_APPROVER, false, false, NULL }, 0,
		0, APPROVAL_NORMAL, 0, true },
	{ 1, { { 0 } }, 0, { "oanh", ROLE_OPERATOR, "duc", ROLE_APPROVER, false, false, NULL },
		-EPERM, 0, 0, 0, false },
	{ 1, { { 0 } }, 0, { "duc", ROLE_APPROVER, "minh", ROLE_APPROVER, false, true, NULL },
		-EPERM, 0, 0, 0, false },
	{ 1, { { 0 } }, 0, { "hoa", ROLE_APPROVER, "minh", ROLE_APPROVER, false, true, NULL }, 0, 0,
		APPROVAL_PAPER, 0, true },
	{ 1, { { 0, APPROVAL_NORMAL, "minh", NULL } }, 1,
		{ "hoa", ROLE_APPROVER, NULL, 0, false, false, NULL }, -EBUSY, 0, 0, 0, false },
	/* two steps, two roles, two persons */
	{ 2, { { 0 } }, 0, { "minh", ROLE_APPROVER | ROLE_ADMIN, NULL, 0, false, false, NULL }, 0,
		0, APPROVAL_NORMAL, 0, false },
	{ 2, { { 0, APPROVAL_NORMAL, "minh", NULL } }, 1,
		{ "minh", ROLE_APPROVER | ROLE_ADMIN, NULL, 0, false, false, NULL }, -EPERM, 0, 0,
		0, false },
	{ 2, { { 0, APPROVAL_NORMAL, "minh", NULL } }, 1,
		{ "hoa", ROLE_APPROVER, NULL, 0, false, false, NULL }, -EPERM, 0, 0, 0, false },
	{ 2, { { 0, APPROVAL_NORMAL, "minh", NULL } }, 1,
		{ "boss", ROLE_ADMIN, NULL, 0, false, false, NULL }, 0, 1, APPROVAL_NORMAL, 0,
		true },
	{ 2, { { 0, APPROVAL_NORMAL, "oanh", "minh" } }, 1,
		{ "minh", ROLE_ADMIN, NULL, 0, false, false, NULL }, -EPERM, 0, 0, 0, false },
	/* emergency */
	{ 1, { { 0 } }, 0, { "minh", ROLE_APPROVER, NULL, 0, true, false, NULL }, -EINVAL, 0, 0, 0,
		false },
	{ 1, { { 0 } }, 0, { "minh", ROLE_APPROVER, NULL, 0, true, false, "flood" }, 0, 0,
		APPROVAL_EMERGENCY, 1, true },
	{ 1, { { 0 } }, 0, { "lan", ROLE_APPROVER, NULL, 0, true, false, "flood" }, -EPERM, 0, 0, 0,
		false },
	{ 2, { { 0 } }, 0, { "minh", ROLE_APPROVER, NULL, 0, true, false, "flood" }, 0, 0,
		APPROVAL_EMERGENCY, 1, true },
	{ 1, { { 0, APPROVAL_EMERGENCY, "minh", NULL } }, 1,
		{ "minh", ROLE_APPROVER, NULL, 0, false, false, NULL }, -EPERM, 0, 0, 0, false },
	{ 1, { { 0, APPROVAL_EMERGENCY, "minh", NULL } }, 1,
		{ "hoa", ROLE_APPROVER, NULL, 0, false, false, NULL }, 0, 1, APPROVAL_OWED, 0,
		true },
	{ 1, { { 0, APPROVAL_EMERGENCY, "minh", NULL }, { 1, APPROVAL_OWED, "hoa", NULL } }, 2,
		{ "boss", ROLE_APPROVER, NULL, 0, false, false, NULL }, -EBUSY, 0, 0, 0, false },
};

static void the_policy_judges_as_its_table_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct policy_state s = { r->steps == 1 ? one : two, (size_t)r->steps, r->given,
			r->n_given, authors, 2 };
		struct policy_verdict v = { -1, APPROVAL_NORMAL, false, -1 };
		struct err e = { 0 };
		int rc = policy_judge(&s, &r->ask, &v, &e);
		if (rc != r->rc)
			fail_msg("row %zu: %d, not %d: %s", i, rc, r->rc, e.text);
		if (rc < 0) {
			assert_true(*e.text);
			continue;
		}
		if (v.step != r->step || (int)v.kind != r->kind || v.owed != r->owed ||
			v.complete != r->complete)
			fail_msg("row %zu: step %d kind %d owed %d complete %d", i, v.step,
				(int)v.kind, v.owed, v.complete);
	}
}

static void complete_is_every_step_or_an_emergency_that_owes(void **state)
{
	(void)state;
	struct policy_given g[] = { { 0, APPROVAL_NORMAL, "minh", NULL },
		{ 1, APPROVAL_NORMAL, "boss", NULL } };
	struct policy_given em[] = { { 0, APPROVAL_EMERGENCY, "minh", NULL },
		{ 1, APPROVAL_OWED, "hoa", NULL } };
	int owed = -1;
	struct policy_state s = { two, 2, g, 1, authors, 2 };
	assert_false(policy_complete(&s, &owed));
	s.n_given = 2;
	assert_true(policy_complete(&s, &owed));
	assert_int_equal(owed, 0);
	s = (struct policy_state){ one, 1, em, 1, authors, 2 };
	assert_true(policy_complete(&s, &owed));
	assert_int_equal(owed, 1);
	s.n_given = 2;
	assert_true(policy_complete(&s, &owed));
	assert_int_equal(owed, 0);
	s = (struct policy_state){ one, 1, em, 0, authors, 2 };
	assert_false(policy_complete(&s, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_policy_judges_as_its_table_says),
		cmocka_unit_test(complete_is_every_step_or_an_emergency_that_owes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
