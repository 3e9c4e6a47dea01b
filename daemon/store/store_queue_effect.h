/* store_queue_effect.h - what an outcome writes beside the delivery's row. For files of store/ only; store thread. */
#ifndef LANTOA_STORE_STORE_QUEUE_EFFECT_H
#define LANTOA_STORE_STORE_QUEUE_EFFECT_H

#include "store/store_queue.h"

/* Attempt row, ids as refs and effects, suppression and strikes, exchange record. */
int sq_effect_attempt(struct store_tx *tx, const struct sq_outcome *o,
	const struct suppress_numbers *numbers) MUST_CHECK;
int sq_effect_why(struct store_tx *tx, int64_t delivery, const char *why) MUST_CHECK;
int sq_effect_ids(struct store_tx *tx, int64_t delivery, int64_t lane, const struct lt_id *ids,
	size_t n, bool refs) MUST_CHECK;
int sq_suppress(struct store_tx *tx, const struct hash *who, const char *list, int reason,
	int64_t strikes, bool *ret_new) MUST_CHECK;
/* Lot of a delivery and its state; 1 found, 0 none. */
int sq_delivery_get(struct db *db, int64_t delivery, int64_t *ret_lot, int64_t *ret_state,
	int64_t *ret_tries) MUST_CHECK;

#endif
