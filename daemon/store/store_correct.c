/* store_correct.c - finds what a correction may edit. Thread: worker. Owns: nothing. */
#include <stdio.h>
#include <string.h>
#include "store/store_correct.h"
#include "store/store_internal.h"
#include "store/store_recall.h"

#define CHAIN_MAX 8

int store_corrects(struct store_reader *r, int64_t release, int64_t *ret)
{
	*ret = 0;
	int rc = db_get_i64(reader_db(r), ret,
		"SELECT cast(substr(note, 10) AS INTEGER) FROM release WHERE id=? AND note LIKE "
		"'corrects:%'",
		"i", release);
	return rc < 0 ? rc : 0;
}

/* Slot 63 is a broadcast: never edited, and never what an edit is for. */
static int find_in(struct store_reader *r, int64_t delivery, int64_t old, const char *channel,
	const char *account, int64_t *ret)
{
	return db_get_i64(reader_db(r), ret,
		"SELECT d.id FROM delivery x CROSS JOIN delivery d ON d.contact_id=x.contact_id JOIN lot "
		"l ON l.id=d.lot_id JOIN lane n ON n.id=l.lane_id JOIN account a ON a.id=n.account_id "
		"JOIN channel c ON c.id=a.channel_id WHERE x.id=?1 AND ((x.once>>4)&63)<>63 AND d.once "
		"IN (WITH RECURSIVE s(k) AS (SELECT 0 UNION ALL SELECT k+1 FROM s WHERE k<62) SELECT "
		"(?2*64+k)*16+(x.once&15) FROM s) AND d.state IN (2,3) AND c.name=?3 AND a.name=?4 "
		"AND NOT EXISTS (SELECT 1 FROM recall r WHERE r.delivery_id=d.id AND r.state IN "
		"(0,1,2)) ORDER BY d.id DESC LIMIT 1",
		"iitt", delivery, old, channel, account);
}

int store_correct_find(struct store_reader *r, int64_t delivery, int64_t old, const char *channel,
	const char *account, char *ret_ids, size_t size)
{
	int rc = 0;

	for (int i = 0; i < CHAIN_MAX && old; i++) {
		int64_t found = 0;
		rc = find_in(r, delivery, old, channel, account, &found);
		if (rc == 1)
			rc = store_recall_ids(r, found, ret_ids, size);
		if (rc == 0 && found && ret_ids[0])
			return 1;
		if (rc == 0)
			rc = store_corrects(r, old, &old);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : 0;
}
