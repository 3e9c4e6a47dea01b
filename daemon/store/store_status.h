/* store_status.h - deliveries by state, counted from their lots: cost lots, not rows. Thread: any with a connection. */
#ifndef LANTOA_STORE_STORE_STATUS_H
#define LANTOA_STORE_STORE_STATUS_H

#include "model/state.h"
#include "store/store.h"

struct store_status {
	int64_t count
		[DLV_STATES]; /* waiting rows of a cancelled or expired lot count as what they will be swept to, those of a void one as nothing */
	int64_t oldest
		[DLV_STATES]; /* UTC ms: since when the oldest lot with such a row runs; 0: none */
	int64_t now_ms;
	int64_t owed; /* releases with approvals owed after an emergency */
	char owed_first[120];
};
int store_status_read(struct db *db, struct store_status *ret) MUST_CHECK;

#endif
