/* store_release_verify.c - one approval row against its mark: for fsck, which walks them by number. */
#include "base/assert.h"
#include "store/store_internal.h"
#include "store/store_release.h"

int approval_verify_row(const struct keyring *k, struct db *db, int64_t approval_id)
{
	struct approval_row *rows = NULL;
	struct hash manifest = { 0 }, prepared, mac;
	size_t n = 0;
	sqlite3_stmt *st;
	bool found = false;
	int rc = db_query(db, &st, "SELECT manifest FROM approval WHERE id = ?", "i", approval_id);
	if (!rc && (rc = db_row(db, st)) == 1) {
		found = col_hash(st, 0, &manifest);
		db_reset(st);
	}
	if (rc < 0)
		return rc;
	if (!found)
		return -ENOENT;
	rc = approval_rows_get(db, &manifest, true, &rows, &n);
	if (!rc)
		rc = prepared_digest_of(db, &manifest, &prepared);
	int verdict = -ENOENT;
	for (size_t i = 0; i < n && !rc; i++) {
		if (rows[i].id != approval_id)
			continue;
		approval_mac(k, &rows[i], &prepared, &mac);
		verdict = hash_cmp(&mac, &rows[i].mac) ? -EBADMSG : 0;
	}
	approval_rows_free(rows, n);
	return rc ? rc : verdict;
}
