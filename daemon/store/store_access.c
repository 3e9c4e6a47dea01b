/* store_access.c - see store_access.h. The walk goes up: an office has few ancestors (depth is bounded at import). */
#include "store/store_access.h"
#include "store/store_internal.h"

bool store_office_within(struct db *db, const char *code, const char *ancestor)
{
	int64_t found = 0;
	int rc = db_get_i64(db, &found,
		"WITH RECURSIVE up(id, parent, n) AS (SELECT id, parent_id, 0 FROM office WHERE code = ?1"
		" UNION ALL SELECT o.id, o.parent_id, up.n + 1 FROM office o JOIN up ON o.id = up.parent WHERE up.n < 16)"
		" SELECT 1 FROM up JOIN office o ON o.id = up.id WHERE o.code = ?2 LIMIT 1",
		"tt", code, ancestor);
	return rc == 1 && found == 1;
}
