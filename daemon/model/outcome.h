/* outcome.h - what an answer does: the next state of the delivery, when it is due, what it does to the address and to the lane.
 * One table for attempts, one for reconciliation, one for receipts, one for suppression. Pure; any thread; time and dice
 * are arguments. Every result is a legal move of model/state.h.
 */
#ifndef LANTOA_MODEL_OUTCOME_H
#define LANTOA_MODEL_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/str.h"
#include "model/state.h"

/* What the outcome does to others, bits. The scope says to whom. */
enum outcome_effect {
	OE_GOOD = 1,          /* the lane works: breaker closes, pace grows */
	OE_TROUBLE = 2,       /* counts for the breaker, halves the pace */
	OE_OPEN_NOW = 4,      /* with trouble: the breaker opens at once */
	OE_SLOW = 8,          /* throttled: halves the pace, no breaker */
	OE_PAUSE = 16,        /* the scope waits for pause_ms */
	OE_HOLD_RELEASE = 32, /* the lots of the release on this lane are held */
	OE_HOLD_SCOPE = 64,   /* the scope is held for a person */
	OE_SUPPRESS = 128,
	OE_STRIKE = 256,
	OE_ALERT = 512,   /* a person should know: WARN */
	OE_QUIET = 1024,  /* with a pause: questions wait for it as well */
	OE_EXPIRED = 2048 /* put off to the end: what that says of the address, the code tells */
};

struct outcome_in {
	int outcome, scope; /* LT_* */
	uint32_t flags;     /* LT_R_* */
	bool revoked;       /* no byte went, by our own stop */
	bool by_host;       /* not the adapter's claim: deadline, cut */
	bool was_unknown;   /* an earlier attempt of it ended unknown */
	uint32_t tries;     /* spent, this one included */
	uint32_t tries_max; /* 0: no limit */
	int64_t now_ms, first_ms /* first attempt */, max_age_ms /* 0: none */;
	int64_t retry_after_ms;
	const int64_t *backoff; /* of the lane, or its urgent list */
	size_t n_backoff;
	uint64_t random;
	int64_t ask_every_ms;
};
struct outcome_out {
	enum dlv_state to;
	bool give_back;   /* the try is not spent */
	bool attempt;     /* an attempt row is written */
	int64_t due_ms;   /* waiting: next try; unknown: next question; -1: as it was */
	unsigned effects; /* enum outcome_effect */
	int64_t pause_ms; /* with OE_PAUSE */
	const char *why;  /* static words: why it is held or failed; NULL */
};
void outcome_decide(const struct outcome_in *in, struct outcome_out *ret);

/* Reconciliation of an unknown delivery. */
struct settle_in {
	int outcome; /* LT_ACCEPTED yes, LT_DEFERRED proven no, LT_REFUSED failed there, LT_UNKNOWN cannot tell; -1: nobody to ask */
	int64_t now_ms, since_ms /* unknown since */, unknown_max_ms, ask_every_ms;
	bool assume_accepted; /* the lane's policy after unknown_max */
};
struct settle_out {
	int to;          /* enum dlv_state, or -1: stays unknown */
	int64_t next_ms; /* stays: next question */
	bool by_policy;  /* decided by unknown_max, not by the provider */
};
void settle_decide(const struct settle_in *in, struct settle_out *ret);

/* A receipt: the state it leads to, or -1 where it changes none (it is a fact beside the state). LT_DEFERRED proves the absence of
 * the attempt that it names and of no other: the caller asks about it only where that is the one that is unknown. */
int receipt_decide(enum dlv_state from, int receipt_state /* LT_RC_* or LT_* */);

/* Suppression (e-mail contract 3.3): which rule an answer counts for. */
enum suppress_rule { SR_NONE = 0, SR_HARD = 1, SR_MAILBOX_OFF = 2, SR_DOMAIN = 3, SR_SOFT = 4 };
struct suppress_numbers {
	int hard, hard_mailbox_off, domain, soft;        /* strikes that suppress */
	int64_t hard_mailbox_off_ms, domain_ms, soft_ms; /* within */
};
enum suppress_rule suppress_rule_of(unsigned effects, struct str code);
/* Strikes that suppress; *ret_window_ms how far back they count (0: for ever). */
int suppress_limit(enum suppress_rule r, const struct suppress_numbers *n, int64_t *ret_window_ms);
/* "hard", "off", "domain", "soft": how a strike row is marked. */
const char *suppress_rule_word(enum suppress_rule r);
/* Is it what the person wants (or asked to be registered), not what a bounce says? It outranks a bounce and outlives it. */
bool suppress_is_wish(int reason);
/* Does a suppression of this reason stop a delivery of this category? Emergency overrides soft entries only. */
bool suppress_stops(int reason, enum category category);

#endif
