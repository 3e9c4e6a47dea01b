/* zone.h - the few zones of civil time that Lantoa knows: fixed offsets, no daylight saving, no system tables.
 * Pure and thread-safe.
 */
#ifndef LANTOA_MODEL_ZONE_H
#define LANTOA_MODEL_ZONE_H

#include <stdint.h>
#include "base/err.h"
#include "base/str.h"

#define ZONE_OFFSET_MAX_S (14 * 3600)

struct zone {
	char name[40];
	int32_t offset_s; /* east of UTC is positive */
};

/* "Asia/Ho_Chi_Minh" (and its old names), "UTC", "+07:00", "-03:30". 0 or -EINVAL with a text that says what is known. */
int zone_parse(struct str s, struct zone *ret, struct err *e) MUST_CHECK;
struct zone zone_vietnam(
	void); /* Asia/Ho_Chi_Minh, +07:00: what a configuration means that says nothing */

#endif
