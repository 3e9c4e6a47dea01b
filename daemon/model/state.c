/* state.c - names of every stored number, and the one table of moves of a delivery.
 * Pure; any thread. Must not know: where the numbers are stored.
 * Failures: an unknown number has no name; a word that is none of ours is -EINVAL; a move outside of the table is a bug.
 */
#include <lantoa/adapter.h>
#include "base/assert.h"
#include "model/state.h"

struct sm_state {
	const char *name;
	unsigned to; /* bits of the states it may move to */
};

static const struct sm_state delivery_sm[DLV_STATES] = {
	[DLV_WAITING] = { "waiting",
		BIT(DLV_SENDING) | BIT(DLV_EXPIRED) | BIT(DLV_CANCELLED) | BIT(DLV_SUPPRESSED) |
			BIT(DLV_HELD) },
	[DLV_SENDING] = { "sending",
		BIT(DLV_ACCEPTED) | BIT(DLV_DELIVERED) | BIT(DLV_FAILED) | BIT(DLV_WAITING) |
			BIT(DLV_UNKNOWN) | BIT(DLV_HELD) },
	[DLV_ACCEPTED] = { "accepted", BIT(DLV_DELIVERED) | BIT(DLV_FAILED) },
	[DLV_DELIVERED] = { "delivered", 0 },
	[DLV_FAILED] = { "failed", BIT(DLV_DELIVERED) | BIT(DLV_WAITING) },
	[DLV_EXPIRED] = { "expired", 0 },
	[DLV_CANCELLED] = { "cancelled", 0 },
	[DLV_SUPPRESSED] = { "suppressed", 0 },
	[DLV_UNKNOWN] = { "unknown",
		BIT(DLV_ACCEPTED) | BIT(DLV_DELIVERED) | BIT(DLV_FAILED) | BIT(DLV_WAITING) |
			BIT(DLV_CANCELLED) | BIT(DLV_DOUBT) },
	[DLV_HELD] = { "held",
		BIT(DLV_WAITING) | BIT(DLV_ACCEPTED) | BIT(DLV_CANCELLED) | BIT(DLV_EXPIRED) },
	[DLV_DOUBT] = { "doubt", BIT(DLV_ACCEPTED) | BIT(DLV_WAITING) | BIT(DLV_CANCELLED) },
};

static const char *const lot_gates[] = { [LOT_PLANNING] = "planning",
	[LOT_OPEN] = "open",
	[LOT_HELD] = "held",
	[LOT_CANCELLED] = "cancelled",
	[LOT_EXPIRED] = "expired",
	[LOT_VOID] = "void" };
static const char *const rel_states[] = { [REL_DRAFT] = "draft",
	[REL_IN_REVIEW] = "in_review",
	[REL_APPROVED] = "approved",
	[REL_SENDING] = "sending",
	[REL_DONE] = "done",
	[REL_CANCELLED] = "cancelled",
	[REL_CORRECTED] = "corrected",
	[REL_RECALLED] = "recalled",
	[REL_RETURNED] = "returned" };
static const char *const part_states[] = { [PART_WAITING] = "waiting",
	[PART_PLANNED] = "planned",
	[PART_DONE] = "done",
	[PART_HELD] = "held",
	[PART_CANCELLED] = "cancelled" };
static const char *const chan_kinds[] = { [KIND_EMAIL] = "email",
	[KIND_SMS] = "sms",
	[KIND_FACEBOOK] = "facebook",
	[KIND_ZALO] = "zalo",
	[KIND_PERSON] = "person",
	[KIND_WEBHOOK] = "webhook",
	[KIND_EXEC] = "exec",
	[KIND_LOOPBACK] = "loopback" };
static const char *const prios[] = {
	[PRIO_URGENT] = "urgent", [PRIO_NORMAL] = "normal", [PRIO_BULK] = "bulk"
};
static const char *const categories[] = { [CAT_EMERGENCY] = "emergency",
	[CAT_PUBLIC_NOTICE] = "public_notice",
	[CAT_INTERNAL] = "internal",
	[CAT_ADVERTISING] = "advertising" };
static const char *const release_kinds[] = { [RK_PRESS_RELEASE] = "press_release",
	[RK_INFOGRAPHIC] = "infographic",
	[RK_NOTICE] = "notice",
	[RK_VIDEO] = "video" };
static const char *const late_policies[] = {
	[LATE_SEND] = "send", [LATE_SKIP] = "drop", [LATE_HOLD] = "hold"
};
static const char *const approval_kinds[] = { [APPROVAL_NORMAL] = "normal",
	[APPROVAL_EMERGENCY] = "emergency",
	[APPROVAL_OWED] = "owed",
	[APPROVAL_PAPER] = "paper" };
static const char *const outcomes[] = { [LT_UNKNOWN] = "unknown",
	[LT_ACCEPTED] = "accepted",
	[LT_REFUSED] = "refused",
	[LT_DEFERRED] = "deferred" };
static const char *const scopes[] = { [LT_SCOPE_TARGET] = "target",
	[LT_SCOPE_RELEASE] = "release",
	[LT_SCOPE_LANE] = "lane",
	[LT_SCOPE_ACCOUNT] = "account",
	[LT_SCOPE_CHANNEL] = "channel",
	[LT_SCOPE_CLASS] = "class" };
static const char *const suppress_reasons[] = { [SUP_HARD] = "hard",
	[SUP_SOFT] = "soft",
	[SUP_OPT_OUT] = "opt_out",
	[SUP_COMPLAINT] = "complaint",
	[SUP_PERSON] = "person",
	[SUP_TRIAL] = "trial",
	[SUP_DO_NOT_CALL] = "do_not_call" };
static const char *const roles[] = { "viewer", "editor", "approver", "operator", "admin" };

static const char *name_of(const char *const *names, size_t n, int v)
{
	return v >= 0 && (size_t)v < n ? names[v] : NULL;
}

static int parse(const char *const *names, size_t n, struct str s)
{
	for (size_t i = 0; i < n; i++)
		if (names[i] && str_eqz(s, names[i]))
			return (int)i;
	return -EINVAL;
}

#define NAME_OF(table, v) name_of(table, ARRAY_LEN(table), v)
#define PARSE(table, s)   parse(table, ARRAY_LEN(table), s)

const char *dlv_state_name(int s)
{
	return s >= 0 && s < DLV_STATES ? delivery_sm[s].name : NULL;
}

const char *lot_gate_name(int g)
{
	return NAME_OF(lot_gates, g);
}

const char *rel_state_name(int s)
{
	return NAME_OF(rel_states, s);
}

const char *part_state_name(int s)
{
	return NAME_OF(part_states, s);
}

const char *chan_kind_name(int k)
{
	return NAME_OF(chan_kinds, k);
}

const char *prio_name(int p)
{
	return NAME_OF(prios, p);
}

const char *category_name(int c)
{
	return NAME_OF(categories, c);
}

const char *release_kind_name(int k)
{
	return NAME_OF(release_kinds, k);
}

const char *late_policy_name(int p)
{
	return NAME_OF(late_policies, p);
}

const char *approval_kind_name(int k)
{
	return NAME_OF(approval_kinds, k);
}

const char *outcome_name(int o)
{
	return NAME_OF(outcomes, o);
}

const char *scope_name(int s)
{
	return NAME_OF(scopes, s);
}

const char *suppress_reason_name(int r)
{
	return NAME_OF(suppress_reasons, r);
}

int dlv_state_parse(struct str s)
{
	for (int i = 0; i < DLV_STATES; i++)
		if (str_eqz(s, delivery_sm[i].name))
			return i;
	return -EINVAL;
}

int chan_kind_parse(struct str s)
{
	return PARSE(chan_kinds, s);
}

int prio_parse(struct str s)
{
	return PARSE(prios, s);
}

int category_parse(struct str s)
{
	return PARSE(categories, s);
}

int release_kind_parse(struct str s)
{
	return PARSE(release_kinds, s);
}

int late_policy_parse(struct str s)
{
	return PARSE(late_policies, s);
}

int role_parse(struct str s)
{
	int i = PARSE(roles, s);

	return i < 0 ? i : 1 << i;
}

bool dlv_may_move(enum dlv_state from, enum dlv_state to)
{
	if ((unsigned)from >= DLV_STATES || (unsigned)to >= DLV_STATES)
		return false;
	return (delivery_sm[from].to & BIT(to)) != 0;
}

enum dlv_state dlv_move(enum dlv_state from, enum dlv_state to)
{
	REQUIRE(dlv_may_move(from, to));
	return to;
}

bool dlv_settled(enum dlv_state s, bool receipt_pending)
{
	switch (s) {
	case DLV_DELIVERED:
	case DLV_FAILED:
	case DLV_EXPIRED:
	case DLV_CANCELLED:
	case DLV_SUPPRESSED: return true;
	case DLV_ACCEPTED: return !receipt_pending;
	case DLV_WAITING:
	case DLV_SENDING:
	case DLV_UNKNOWN:
	case DLV_HELD:
	case DLV_DOUBT: return false;
	}
	return false;
}
