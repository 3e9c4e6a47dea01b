/* policy.h - who may approve, which step that is, and when it is enough. Pure; any thread.
 * Rules: every step of the policy by another person; nobody who wrote or submitted any revision, also not through a deputy or
 * on paper; an emergency release goes after one such person with a reason, the other steps, at least one, are owed.
 */
#ifndef LANTOA_MODEL_POLICY_H
#define LANTOA_MODEL_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "model/state.h"

#define POLICY_STEPS_MAX 8

struct policy_step {
	const char *name;
	unsigned role; /* any of these bits */
};
struct policy_given { /* an approval of this manifest that is not void */
	int step;
	int kind;                        /* enum approval_kind */
	const char *person, *for_person; /* for_person NULL: in the person's own right */
};
struct policy_state {
	const struct policy_step *steps;
	size_t n_steps; /* 1..POLICY_STEPS_MAX */
	const struct policy_given *given;
	size_t n_given;
	const char *const *authors;
	size_t n_authors;
};
struct policy_ask {
	const char *person;
	unsigned roles;
	const char *for_person; /* deputy of, or on paper by; NULL: own right */
	unsigned for_roles;
	bool emergency, paper;
	const char *why; /* demanded by an emergency */
};
struct policy_verdict {
	int step; /* index; beyond the policy's steps where an emergency owes one more person than the policy has */
	enum approval_kind kind;
	bool complete; /* with this one the release may go */
	int owed;      /* approvals still owed after this one */
};
/* 0; -EPERM (not this person), -EBUSY (nothing is left to approve), -EINVAL (a reason is missing). */
int policy_judge(const struct policy_state *s, const struct policy_ask *a,
	struct policy_verdict *ret, struct err *e) MUST_CHECK;
/* May what was given go out? ret_owed may be NULL. */
bool policy_complete(const struct policy_state *s, int *ret_owed);

#endif
