/* store_queue_find.h - whom a report of the provider is about. For files of store/ only; store thread. */
#ifndef LANTOA_STORE_STORE_QUEUE_FIND_H
#define LANTOA_STORE_STORE_QUEUE_FIND_H

#include "store/store_queue.h"

/* First, once for reports of one account (channel) in a transaction: how far back there is anything. */
int sq_find_oldest_day(struct store_tx *tx, struct sq_receipt *c) MUST_CHECK;
/* By the ids, in their order, of the delivery that our reference names where it names one. 1: found; 0: none, or nothing says which
 * of several it is. */
int sq_find_by_ids(struct store_tx *tx, const struct sq_receipt *c, int64_t *ret_delivery,
	int64_t *ret_effect) MUST_CHECK;
/* An end or a change that the provider dates otherwise is another report; all else is the same again. */
bool sq_receipt_dated(const struct sq_receipt *c);

#endif
