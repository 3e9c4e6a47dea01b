/* store_fence.h - a database that was restored, copied or left lying must not send before a person has looked.
 * Identity and epoch stand in the database (table meta) and in a file beside it ("epoch"); a backup is written with fence 1.
 */
#ifndef LANTOA_STORE_STORE_FENCE_H
#define LANTOA_STORE_STORE_FENCE_H

#include "store/store.h"

#define FENCE_AFTER_MS INT64_C(604800000) /* default of store_opts.fence_after_ms: 7 days */

/* A person confirms that sending may begin again from this database. Opens it (same opts as store_open; nobody else may
 * have it open), raises the epoch over everything seen, takes the fence off, holds every lot and part of approved releases
 * that could still send ("restored: check what went out since the backup"; also those that were held for another reason), puts
 * rotating credentials in doubt, lets new deliveries begin behind all numbers that may have been given since, writes the
 * audit event, closes. ret_held (may be NULL): lots held. -ENOENT, -EBUSY as store_open. */
int store_restore_confirm(const struct store_opts *o, const char *person, const char *via,
	const char *why, int64_t *ret_held, struct err *e) MUST_CHECK;

/* New deliveries begin behind this number, whatever rows go: a row that is nobody's copy (lot 0, cancelled) holds it. It is larger than
 * the number of any other row. Within a transaction. */
struct db;
int delivery_number_hold(struct db *db, int64_t id) MUST_CHECK;

#endif
