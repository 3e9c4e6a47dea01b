/* state.h - every enum that is stored or spoken, numbered by hand and never reused, and the table of legal moves.
 * Pure; any thread. The numbers stand again in store/schema_1.sql; a test compares them.
 * Source of states and moves: docs/architecture.md, "States".
 */
#ifndef LANTOA_MODEL_STATE_H
#define LANTOA_MODEL_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "base/str.h"

enum dlv_state {
	DLV_WAITING = 0,
	DLV_SENDING = 1,
	DLV_ACCEPTED = 2,
	DLV_DELIVERED = 3,
	DLV_FAILED = 4,
	DLV_EXPIRED = 5,
	DLV_CANCELLED = 6,
	DLV_SUPPRESSED = 7,
	DLV_UNKNOWN = 8,
	DLV_HELD = 9,
	DLV_DOUBT = 10
};
#define DLV_STATES 11

enum lot_gate {
	LOT_PLANNING = 0,
	LOT_OPEN = 1,
	LOT_HELD = 2,
	LOT_CANCELLED = 3,
	LOT_EXPIRED = 4,
	LOT_VOID = 5
};

enum rel_state {
	REL_DRAFT = 0,
	REL_IN_REVIEW = 1,
	REL_APPROVED = 2,
	REL_SENDING = 3,
	REL_DONE = 4,
	REL_CANCELLED = 5,
	REL_CORRECTED = 6,
	REL_RECALLED = 7,
	REL_RETURNED = 8
};

enum part_state {
	PART_WAITING = 0,
	PART_PLANNED = 1,
	PART_DONE = 2,
	PART_HELD = 3,
	PART_CANCELLED = 4
};

/* Kinds of channel: what texts, parts, targets and reports name. Part of delivery.once: at most 15. */
enum chan_kind {
	KIND_EMAIL = 1,
	KIND_SMS = 2,
	KIND_FACEBOOK = 3,
	KIND_ZALO = 4,
	KIND_PERSON = 5,
	KIND_WEBHOOK = 6,
	KIND_EXEC = 7,
	KIND_LOOPBACK = 8
};
#define KIND_MAX 15

enum prio { PRIO_URGENT = 0, PRIO_NORMAL = 1, PRIO_BULK = 2 };
enum category { CAT_EMERGENCY = 1, CAT_PUBLIC_NOTICE = 2, CAT_INTERNAL = 3, CAT_ADVERTISING = 4 };
enum release_kind { RK_PRESS_RELEASE = 1, RK_INFOGRAPHIC = 2, RK_NOTICE = 3, RK_VIDEO = 4 };
enum late_policy {
	LATE_SEND = 0,
	LATE_SKIP = 1,
	LATE_HOLD = 2
}; /* a part found past its window at start-up; judged once */
enum approval_kind {
	APPROVAL_NORMAL = 0,
	APPROVAL_EMERGENCY = 1,
	APPROVAL_OWED = 2,
	APPROVAL_PAPER = 3
};

/* Why a lot or delivery is held, expired, suppressed; stored in why columns as "word: text". */
enum suppress_reason {
	SUP_HARD = 1,
	SUP_SOFT = 2,
	SUP_OPT_OUT = 3,
	SUP_COMPLAINT = 4,
	SUP_PERSON = 5,
	SUP_TRIAL = 6,
	SUP_DO_NOT_CALL = 7 /* on the register of those who want no advertising */
};
/* A suppression of this "list" stops advertising, whoever sends it, and nothing else. No list of people may have its name. */
#define SUPPRESS_ADS "!advertising"

enum role {
	ROLE_VIEWER = 1,
	ROLE_EDITOR = 2,
	ROLE_APPROVER = 4,
	ROLE_OPERATOR = 8,
	ROLE_ADMIN = 16
}; /* bits */

/* Names for people and JSON: lower-case English words; NULL for an unknown number. Parsers return -EINVAL. */
const char *dlv_state_name(int s);
const char *lot_gate_name(int g);
const char *rel_state_name(int s);
const char *part_state_name(int s);
const char *chan_kind_name(int k);
const char *prio_name(int p);
const char *category_name(int c);
const char *release_kind_name(int k);
const char *late_policy_name(int p);
const char *approval_kind_name(int k);
const char *outcome_name(int o); /* LT_UNKNOWN ... LT_DEFERRED */
const char *scope_name(int s);   /* LT_SCOPE_TARGET ... */
const char *suppress_reason_name(int r);
int dlv_state_parse(struct str s);
int chan_kind_parse(struct str s);
int prio_parse(struct str s);
int category_parse(struct str s);
int release_kind_parse(struct str s);
int late_policy_parse(struct str s);
int role_parse(struct str s);

/* The one table of moves of a delivery. */
bool dlv_may_move(enum dlv_state from, enum dlv_state to);
/* Asserts the edge (REQUIRE) and returns `to`: the only way a new state comes into being. */
enum dlv_state dlv_move(enum dlv_state from, enum dlv_state to);
/* Settled: nothing more will happen by itself. accepted counts only where the lane awaits no receipt any more. */
bool dlv_settled(enum dlv_state s, bool receipt_pending);

/* delivery.once: one copy per address within a release and channel kind. slot 0, or the part's number where it says
 * `again`, 63 for a broadcast: at most one of a release to the followers of an account, whatever its parts are. */
static inline int64_t dlv_once(int64_t release_id, unsigned slot, enum chan_kind kind)
{
	return (release_id * 64 + (int64_t)slot) * 16 + (int64_t)kind;
}
#define ONCE_SLOT_BROADCAST 63u
#define ONCE_SLOT(once)     ((unsigned)((once) >> 4 & 63))
/* What a broadcast goes to, and how many articles one may carry (Zalo contract, section 3). */
#define BROADCAST_KIND     KIND_ZALO
#define BROADCAST_FORM     "oa"
#define BROADCAST_ARTICLES 5
#define PARTS_MAX          62u

#endif
