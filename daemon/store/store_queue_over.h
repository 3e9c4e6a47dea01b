/* store_queue_over.h - deliveries that certainly were not sent go from one lane to another: to the second gateway, and back.
 * Thread: store. The lane's own deliveries are those whose target is routed to it.
 */
#ifndef LANTOA_STORE_STORE_QUEUE_OVER_H
#define LANTOA_STORE_STORE_QUEUE_OVER_H

#include "store/store_queue.h"

#define SQ_OVER_LOTS 64 /* lots of one command */

struct sq_over {
	struct store_cmd cmd; /* STORE_BULK: a chunk of <= 20 ms */
	int64_t from, to;     /* lanes */
	int64_t lot[SQ_OVER_LOTS];
	size_t n;
	int64_t max; /* deliveries at most, and only of lots that have one due soon: a probe; 0: all */
	bool back; /* only what is routed to `to`: it comes home */
	char why[160];
	int64_t ret_moved; /* out */
	bool uncovered
		[SQ_OVER_LOTS]; /* out: of `lot`: its approval does not cover the channel of `to`, or it is stopped there */
	bool left; /* out: there is more to move */
	void *user;
};
void sq_over_init(struct sq_over *c);

/* The lot beside this one on another lane, made where it is missing. 1: *ret, 0: it may not be used (not approved for that channel,
 * or stopped there), negative: failure. */
int sq_over_lot(struct store_tx *tx, int64_t lot, int64_t lane, int64_t *ret) MUST_CHECK;

/* 1: an output of the row's form and language was approved for the channel of that lane; 0: none was. */
int sq_over_fits(struct store_tx *tx, int64_t delivery, int64_t lane) MUST_CHECK;

/* A row that has just come back to waiting in its lot goes to that one; counted and told to the audit. */
int sq_over_row(struct store_tx *tx, const struct sq_outcome *o, int64_t lot) MUST_CHECK;

#endif
