/* store_seal.h - attempts are sealed by range: a digest over the attempts of a run of deliveries, named in the audit.
 * Attempts may be pruned later; the seal stays. A range is (once, first contact .. last contact), which the index
 * delivery_once walks; a seal covers the attempts that started after `since` and up to `at`, so a later retry gets a seal of
 * its own.
 */
#ifndef LANTOA_STORE_STORE_SEAL_H
#define LANTOA_STORE_STORE_SEAL_H

#include "store/store.h"
#include "store/store_audit.h"

/* To be submitted when a release has nothing waiting or sending any more (or on a schedule): seals what was not sealed yet.
 * class STORE_BULK. One chunk of <= 20 ms; while `more` comes back true submit it again, the cursor inside goes on. */
struct store_seal {
	struct store_cmd cmd; /* set up by store_seal_init; done is the caller's */
	int64_t release_id;
	int64_t once, contact; /* cursor */
	int64_t at;            /* attempts started later than this belong to the next seal */
	bool more;             /* out */
	int64_t attempts;      /* out: sealed by this chunk */
};
void store_seal_init(struct store_seal *c, int64_t release_id);

/* Compares every seal with its audit event and with the attempts that are still there. Fills ret->fault, counts. */
int store_seal_verify(struct store_reader *r, struct audit_report *ret) MUST_CHECK;

#endif
