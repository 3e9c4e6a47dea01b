/* store_correct.h - what a correction may edit: the delivery that the corrected release made to the same contact. Worker, in a snapshot. */
#ifndef LANTOA_STORE_STORE_CORRECT_H
#define LANTOA_STORE_STORE_CORRECT_H

#include "store/store.h"

/* The release that this one corrects; 0: none. */
int store_corrects(struct store_reader *r, int64_t release, int64_t *ret) MUST_CHECK;
/* The accepted delivery of `old` (or of what that one corrected) to the contact of `delivery`, over the same account, that has not
 * been taken back, with the provider's ids as "effect:id" lines. 1 found; 0 none, or the provider gave no id: nothing to edit. */
int store_correct_find(struct store_reader *r, int64_t delivery, int64_t old, const char *channel,
	const char *account, char *ret_ids, size_t size) MUST_CHECK;

#endif
