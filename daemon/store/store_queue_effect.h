/* store_queue_effect.h - what an outcome writes beside the delivery's row. For files of store/ only; store thread. */
#ifndef LANTOA_STORE_STORE_QUEUE_EFFECT_H
#define LANTOA_STORE_STORE_QUEUE_EFFECT_H

#include "store/store_queue.h"

/* An effect that has come to its end. What is still on its way takes that back never (contracts/sms.md 1.4): reports overtake
 * each other. An end may follow an end. */
#define EFFECT_OVER "(17,18,19,20)"
_Static_assert(LT_RC_DELIVERED == 17 && LT_RC_FAILED == 18 && LT_RC_SEEN == 19 && LT_RC_LOST == 20,
	"EFFECT_OVER");

/* Attempt row, ids as refs and effects, suppression and strikes, exchange record. */
int sq_effect_attempt(struct store_tx *tx, const struct sq_outcome *o,
	const struct suppress_numbers *numbers) MUST_CHECK;
int sq_effect_why(struct store_tx *tx, int64_t delivery, const char *why) MUST_CHECK;
/* The address of what stands at the provider, beside the attempts, which never change. */
int sq_effect_link(struct store_tx *tx, int64_t delivery, struct str url) MUST_CHECK;
/* An end that a report has told of the same id before stays: a late answer brings what was known. */
int sq_effect_ids(struct store_tx *tx, int64_t delivery, int64_t lane, const struct lt_id *ids,
	size_t n, bool refs) MUST_CHECK;
/* *ret_new: it was not suppressed before, or for a lesser reason. */
int sq_suppress(struct store_tx *tx, const struct hash *who, const char *list, int reason,
	int64_t strikes, bool *ret_new) MUST_CHECK;
/* Lot of a delivery and its state; 1 found, 0 none. */
int sq_delivery_get(struct db *db, int64_t delivery, int64_t *ret_lot, int64_t *ret_state,
	int64_t *ret_tries) MUST_CHECK;

#endif
