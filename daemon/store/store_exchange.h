/* store_exchange.h - what was said to a provider and what it answered, per attempt, in exchange.db with its own retention.
 * Secrets and addresses were inserted by name, so they are never in it. Evidence, not state: when the disk is full the record
 * is dropped and counted (store_stats.exchange_dropped), the outcome is not.
 */
#ifndef LANTOA_STORE_STORE_EXCHANGE_H
#define LANTOA_STORE_STORE_EXCHANGE_H

#include "store/store.h"

#define EXCHANGE_BODY_MAX 65536 /* longer ones are cut there, with a mark at their end */

struct exchange_rec {
	int64_t delivery, try_no;
	int64_t n;    /* order within the attempt */
	int64_t at;   /* UTC ms; 0 on put: now */
	bool outward; /* request; else answer */
	struct str body;
};
/* Inside any command's run. A record of the same (delivery, try, n) is replaced. */
void store_exchange_put(struct store_tx *tx, const struct exchange_rec *r);

/* Records of a delivery in order of try and n, at most 1,000; body borrowed for the call. Returns how many. The reader need not
 * have begun. */
int store_exchange_list(struct store_reader *r, int64_t delivery,
	void (*row)(void *ctx, const struct exchange_rec *rec), void *ctx) MUST_CHECK;

/* Drops records older than `before`; class STORE_BULK, one chunk of <= 20 ms; submit again while `more`. */
struct store_exchange_prune {
	struct store_cmd cmd;
	int64_t before;
	int64_t removed; /* out: by this chunk */
	bool more;       /* out */
};
void store_exchange_prune_init(struct store_exchange_prune *c, int64_t before);
/* All records of a delivery, at once (targets forget). */
int store_exchange_forget(struct store_tx *tx, int64_t delivery) MUST_CHECK;

#endif
