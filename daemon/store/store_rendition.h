/* store_rendition.h - which rendition a picture gave for a spec: a row each, its file an asset like any other (backed up, looked
 * at by fsck, never overwritten). `spec` here holds the helper's version before the adapter's words: another library, another row.
 * Threads: rendition_get whoever holds the connection; the rest in a transaction.
 */
#ifndef LANTOA_STORE_STORE_RENDITION_H
#define LANTOA_STORE_STORE_RENDITION_H

#include "base/asset_id.h"
#include "store/store.h"

#define RENDITION_KEY_MAX 200 /* version, a space, spec */

struct rendition_row {
	struct hash asset; /* of the picture */
	char spec[RENDITION_KEY_MAX];
	struct asset_id id; /* of the rendition */
};
/* 1 found, 0 none. */
int rendition_get(
	struct db *db, const struct hash *asset, const char *spec, struct asset_id *ret) MUST_CHECK;
/* Its file is durable already. A row of the same key takes the new hash. */
int rendition_put(struct store_tx *tx, const struct rendition_row *r) MUST_CHECK;
/* The same as a command of its own, from any thread; its failure costs only that the picture is fitted again. */
int rendition_put_later(struct store *s, const struct rendition_row *r) MUST_CHECK;

#endif
