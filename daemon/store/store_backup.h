/* store_backup.h - a copy of the whole state while the daemon runs: both databases, every asset file, never a key.
 * On a worker; blocking. The database in it is fenced: it does not send before restore-confirm. The file MANIFEST is written
 * last and names every file with its SHA-256: a folder without it is no backup.
 */
#ifndef LANTOA_STORE_STORE_BACKUP_H
#define LANTOA_STORE_STORE_BACKUP_H

#include "store/store.h"
#include "store/store_audit.h"

struct backup_opts {
	/* what: "database", "exchange", "assets"; false stops with -ECANCELED and leaves nothing. May be NULL. */
	bool (*progress)(void *ctx, const char *what, uint64_t done, uint64_t total);
	void *ctx;
};
struct backup_result {
	uint64_t files, bytes;
	struct audit_head head; /* of the copy */
};
/* dir: empty, or not there (it is made, 0700). -ENOTEMPTY, -ENOSPC, -EIO, ... with the text; what was written is removed then. */
int store_backup(struct store *s, const char *dir, const struct backup_opts *o,
	struct backup_result *ret, struct err *e) MUST_CHECK;
/* Every file of MANIFEST is there with its hash, and none is missing. No store needed. */
int store_backup_verify(const char *dir, struct backup_result *ret, struct err *e) MUST_CHECK;

#endif
