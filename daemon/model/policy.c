/* policy.c - the approval policy as a pure judgement. Thread: any. Failures: a code and a sentence that says who may instead. */
#include <string.h>
#include "base/assert.h"
#include "model/policy.h"

static bool is_author(const struct policy_state *s, const char *person)
{
	for (size_t i = 0; i < s->n_authors; i++)
		if (strcmp(s->authors[i], person) == 0)
			return true;
	return false;
}

static bool has_given(const struct policy_state *s, const char *person)
{
	for (size_t i = 0; i < s->n_given; i++) {
		const struct policy_given *g = &s->given[i];
		if (strcmp(g->person, person) == 0 ||
			(g->for_person && strcmp(g->for_person, person) == 0))
			return true;
	}
	return false;
}

static bool step_given(const struct policy_state *s, int step)
{
	for (size_t i = 0; i < s->n_given; i++)
		if (s->given[i].step == step)
			return true;
	return false;
}

static bool is_emergency(const struct policy_state *s)
{
	for (size_t i = 0; i < s->n_given; i++)
		if (s->given[i].kind == APPROVAL_EMERGENCY)
			return true;
	return false;
}

/* An emergency wants all steps, and at least two persons. */
static int steps_wanted(const struct policy_state *s, bool emergency)
{
	int n = (int)s->n_steps;
	return emergency && n < 2 ? 2 : n;
}

bool policy_complete(const struct policy_state *s, int *ret_owed)
{
	bool emergency = is_emergency(s);
	int missing = 0;
	for (int i = 0; i < steps_wanted(s, emergency); i++)
		missing += !step_given(s, i);
	if (ret_owed)
		*ret_owed = emergency ? missing : 0;
	return emergency || missing == 0;
}

static int judge_person(const struct policy_state *s, const struct policy_ask *a, struct err *e)
{
	if (is_author(s, a->person))
		return err_set(e, -EPERM,
			"%s is an author of this release: another person must approve it",
			a->person);
	if (a->for_person && is_author(s, a->for_person))
		return err_set(e, -EPERM,
			"%s is an author of this release: neither a deputy nor paper changes that",
			a->for_person);
	if (has_given(s, a->person) || (a->for_person && has_given(s, a->for_person)))
		return err_set(e, -EPERM,
			"%s has approved already: the next step needs another person",
			a->for_person && has_given(s, a->for_person) ? a->for_person : a->person);
	if (a->emergency && (!a->why || !*a->why))
		return err_set(e, -EINVAL, "an emergency approval needs its reason: -m WHY");
	return 0;
}

int policy_judge(const struct policy_state *s, const struct policy_ask *a,
	struct policy_verdict *ret, struct err *e)
{
	REQUIRE(s->n_steps >= 1 && s->n_steps <= POLICY_STEPS_MAX);
	bool owing = is_emergency(s), emergency = owing || a->emergency;
	int rc = judge_person(s, a, e), wanted = steps_wanted(s, emergency), open = 0, step = -1;
	if (rc < 0)
		return rc;
	unsigned roles = a->for_person ? a->for_roles : a->roles;
	for (int i = wanted - 1; i >= 0; i--) {
		if (step_given(s, i))
			continue;
		open++;
		unsigned role = s->steps[i < (int)s->n_steps ? i : (int)s->n_steps - 1].role;
		if (roles & role)
			step = i;
	}
	if (open == 0)
		return err_set(e, -EBUSY, "every step has been approved already");
	if (step < 0)
		return err_set(e, -EPERM, "%s may not give a step that is missing",
			a->for_person ? a->for_person : a->person);
	ret->step = step;
	ret->kind = owing      ? APPROVAL_OWED
		: a->emergency ? APPROVAL_EMERGENCY
		: a->paper     ? APPROVAL_PAPER
			       : APPROVAL_NORMAL;
	ret->owed = emergency ? open - 1 : 0;
	ret->complete = emergency || open == 1;
	return 0;
}
