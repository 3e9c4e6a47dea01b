/* store_rendition.c - rows of the table rendition and the assets that they name. Thread: see the header.
 * Failures: a row without its file cannot be written (store_asset_row looks); a file without a row is harmless.
 */
#include <stdio.h>
#include <stdlib.h>
#include "base/assert.h"
#include "base/log.h"
#include "store/store_asset.h"
#include "store/store_internal.h"
#include "store/store_rendition.h"

int rendition_get(struct db *db, const struct hash *asset, const char *spec, struct asset_id *ret)
{
	sqlite3_stmt *st;
	struct asset_id id = { 0 };
	int rc = db_query(db, &st,
		"SELECT r.hash, a.bytes, a.width, a.height, a.type FROM rendition r JOIN asset a ON a.hash=r.hash "
		"WHERE r.asset=? AND r.spec=?",
		"ht", asset, spec);
	if (rc == 0)
		rc = db_row(db, st);
	if (rc != 1)
		return rc;
	bool good = col_hash(st, 0, &id.hash);
	id.bytes = (uint64_t)col_i64(st, 1);
	id.width = (uint32_t)col_i64(st, 2);
	id.height = (uint32_t)col_i64(st, 3);
	struct str type = col_str(st, 4);
	good = good && str_starts(type, "image/") && id.bytes && id.width && id.height &&
		str_copy(id.type, sizeof(id.type), (struct str){ type.p + 6, type.n - 6 });
	db_reset(st);
	if (good)
		*ret = id;
	return good; /* a row that makes no sense is no row: the picture is fitted again */
}

int rendition_put(struct store_tx *tx, const struct rendition_row *r)
{
	char type[32];
	(void)snprintf(type, sizeof(type), "image/%s", r->id.type);
	struct asset_row a = { .hash = r->id.hash,
		.bytes = (int64_t)r->id.bytes,
		.type = type,
		.width = r->id.width,
		.height = r->id.height };
	int rc = store_asset_row(tx, &a);
	return rc
		? rc
		: db_exec(tx_db(tx),
			  "INSERT INTO rendition(asset, spec, hash) VALUES(?,?,?) ON CONFLICT DO UPDATE SET hash=excluded.hash",
			  "hth", &r->asset, r->spec, &r->id.hash);
}

struct later {
	struct store_cmd cmd;
	struct rendition_row row;
};

static int later_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct later *l = CONTAINER_OF(cmd, struct later, cmd);
	return rendition_put(tx, &l->row);
}

static void later_done(struct store_cmd *cmd)
{
	struct later *l = CONTAINER_OF(cmd, struct later, cmd);
	if (cmd->rc)
		log_line(LOG_WARN, "ev=rendition.row error=%d continuing", cmd->rc);
	free(l);
}

int rendition_put_later(struct store *s, const struct rendition_row *r)
{
	struct later *l = x_calloc(1, sizeof(*l));
	l->row = *r;
	l->cmd.class = STORE_BULK;
	l->cmd.run = later_run;
	l->cmd.done = later_done;
	int rc = store_submit(s, &l->cmd);
	if (rc)
		free(l);
	return rc;
}
