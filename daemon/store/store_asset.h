/* store_asset.h - files named by their SHA-256 under assets/ab/cd...: durable on disk before a row names them.
 * Threads: store_asset_put, store_asset_read on a worker (they block); store_asset_row in a transaction.
 */
#ifndef LANTOA_STORE_STORE_ASSET_H
#define LANTOA_STORE_STORE_ASSET_H

#include "base/buf.h"
#include "store/store.h"

/* Moves a staged file to its place: checks size and hash, fsync, rename, fsync of the folders. The staged file is gone after
 * success (also when the asset was there already). 0; -EBADMSG: content is not what `hash` says (the file stays); -ENOENT,
 * -ENOSPC, -EIO. */
int store_asset_put(struct store *s, const char *staged_path, const struct hash *hash,
	int64_t bytes, struct err *e) MUST_CHECK;
/* The same for bytes at hand (renditions). */
int store_asset_put_bytes(
	struct store *s, struct str content, const struct hash *hash, struct err *e) MUST_CHECK;

struct asset_row {
	struct hash hash;
	int64_t bytes;
	const char *type;      /* media type */
	int64_t width, height; /* 0: no picture */
};
/* In the same transaction as what refers to it. Known already: nothing. -ENOENT when the file is not there: the order was
 * wrong; -EINVAL when the row says another size. */
int store_asset_row(struct store_tx *tx, const struct asset_row *a) MUST_CHECK;

/* Whole content of an asset appended to ret (its max is the limit). -ENOENT, -EBADMSG when it is not what its name says. */
int store_asset_read(
	struct store *s, const struct hash *hash, struct buf *ret, struct err *e) MUST_CHECK;
/* A descriptor for reading, owned by the caller; -ENOENT. ret_bytes may be NULL. */
int store_asset_open(
	struct store *s, const struct hash *hash, int *ret_fd, int64_t *ret_bytes) MUST_CHECK;
/* SHA-256 and size of a file, in steps of 64 KiB. */
int asset_hash_file(int fd, struct hash *ret, int64_t *ret_bytes) MUST_CHECK;

#endif
