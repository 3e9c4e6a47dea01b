/* asset_id.h - how an asset is named across the ABI: 64 hex digits of its SHA-256; of a rendition with what an adapter wants to
 * know of it behind: "HASH:BYTES:WIDTHxHEIGHT:TYPE", TYPE png or jpeg. Adapters may read it, and hand it back as it is. Pure.
 */
#ifndef LANTOA_BASE_ASSET_ID_H
#define LANTOA_BASE_ASSET_ID_H

#include "base/crypt.h"

#define ASSET_ID_MAX (HASH_HEX + 48)

struct asset_id {
	struct hash hash;
	uint64_t bytes; /* 0: not said */
	uint32_t width, height;
	char type[8]; /* "" not said */
};
int asset_id_read(struct str text, struct asset_id *ret) MUST_CHECK; /* 0 or -EINVAL */
/* dst of ASSET_ID_MAX; short where bytes is 0. Returns dst. */
char *asset_id_write(const struct asset_id *a, char *dst);

#endif
