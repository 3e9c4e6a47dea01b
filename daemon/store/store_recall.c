/* store_recall.c - the table of what is to be taken back. Threads: store for the commands, any reader for the rest.
 * Owns: recall. Failures: a scope that is too large is refused whole; a row that is not asked for any more is left alone. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "model/state.h"
#include "store/store_internal.h"
#include "store/store_recall.h"

#define STEPS_MAX 64

const char *recall_state_name(int s)
{
	static const char *const names[] = { [RECALL_ASKED] = "asked",
		[RECALL_ON] = "under way",
		[RECALL_GONE] = "gone",
		[RECALL_REFUSED] = "refused",
		[RECALL_UNKNOWN] = "unknown",
		[RECALL_UNNEEDED] = "had not gone out" };

	return s >= 0 && (size_t)s < ARRAY_LEN(names) ? names[s] : NULL;
}

/* --- commands ----------------------------------------------------------------------------------------------------------- */

/* Sent, or maybe: also what is on its way, whose end is awaited. Slot 63: what a broadcast has told people stays with them. */
#define SCOPE                                                                                                         \
	"FROM delivery d JOIN lot l ON l.id=d.lot_id JOIN lane n ON n.id=l.lane_id JOIN account "                     \
	"a ON a.id=n.account_id JOIN channel c ON c.id=a.channel_id WHERE d.once>=?1*1024 AND "                       \
	"d.once<(?1+1)*1024 AND (d.once>>4&63)<>63 AND d.state IN (1,2,3,8,10) AND (?2<0 OR l.part=?2) AND (?3=0 OR " \
	"l.office_id IN (WITH RECURSIVE u(id) AS (SELECT ?3 UNION SELECT o.id FROM office o JOIN "                    \
	"u ON o.parent_id=u.id) SELECT id FROM u)) AND c.name IN (SELECT value FROM json_each(?4))"

static int ask_count(struct store_tx *tx, struct store_recall_ask *c)
{
	sqlite3_stmt *st;
	int rc = db_query(tx_db(tx), &st, "SELECT d.once & 15, count(*) " SCOPE " GROUP BY 1",
		"iiit", c->release, (int64_t)c->part, c->office, c->channels);

	c->asked = 0;
	memset(c->by_kind, 0, sizeof(c->by_kind));
	while (rc >= 0 && (rc = db_row(tx_db(tx), st)) == 1) {
		c->by_kind[col_i64(st, 0) & 15] = col_i64(st, 1);
		c->asked += col_i64(st, 1);
	}
	return rc;
}

static int ask_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct store_recall_ask *c = CONTAINER_OF(cmd, struct store_recall_ask, cmd);
	int64_t now = tx_wall_ms(tx);
	char text[80];
	int rc = ask_count(tx, c);

	if (rc == 0 && c->asked > RECALL_ASK_MAX)
		return err_set(&cmd->err, -E2BIG,
			"%" PRId64 " deliveries; at most %d at once: name a part or an office",
			c->asked, RECALL_ASK_MAX);
	if (rc == 0)
		rc = db_exec(tx_db(tx),
			"INSERT INTO recall(delivery_id, release_id, state, tries, due, asked, at, "
			"person) SELECT d.id, ?1, 0, 0, ?5, ?5, ?5, ?6 " SCOPE
			" ON CONFLICT(delivery_id) DO UPDATE SET state=0, tries=0, due=excluded.due, "
			"asked=excluded.asked, person=excluded.person WHERE state IN (3,5,6)",
			"iiitit", c->release, (int64_t)c->part, c->office, c->channels, now,
			c->person);
	if (rc < 0)
		return rc;
	c->asked = db_changes(tx_db(tx)); /* by_kind also counts what is gone or asked already */
	(void)snprintf(text, sizeof(text), "%" PRId64 " asked", c->asked);
	return store_audit(tx,
		&(struct audit_event){ .person = c->person,
			.via = c->via,
			.what = "delivery.recall",
			.subject = c->subject,
			.now = text,
			.why = c->why });
}

void store_recall_ask_init(struct store_recall_ask *c)
{
	memset(c, 0, sizeof(*c));
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = ask_run;
}

static int begin_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct store_recall_begin *c = CONTAINER_OF(cmd, struct store_recall_begin, cmd);
	int rc;

	if (!c->delivery)
		return db_exec(tx_db(tx), "UPDATE recall SET state=0, due=? WHERE state=1", "i",
			tx_wall_ms(tx));
	rc = db_exec(tx_db(tx),
		"UPDATE recall SET state=1, tries=tries+1, at=? WHERE delivery_id=? AND state=0",
		"ii", tx_wall_ms(tx), c->delivery);
	c->begun = rc == 0 && db_changes(tx_db(tx)) == 1;
	return rc;
}

void store_recall_begin_init(struct store_recall_begin *c)
{
	memset(c, 0, sizeof(*c));
	c->cmd.class = STORE_INTENT;
	c->cmd.run = begin_run;
}

static int end_run(struct store_tx *tx, struct store_cmd *cmd)
{
	const struct store_recall_end *c = CONTAINER_OF(cmd, struct store_recall_end, cmd);
	char subject[64];
	int rc = db_exec(tx_db(tx),
		"UPDATE recall SET state=?, due=?, at=?, code=?, said=? WHERE delivery_id=?",
		"iiitti", (int64_t)c->to, c->due_ms, tx_wall_ms(tx), c->code[0] ? c->code : NULL,
		c->said[0] ? c->said : NULL, c->delivery);

	if (rc < 0 || c->to == RECALL_ASKED)
		return rc;
	(void)snprintf(subject, sizeof(subject), "delivery:%" PRId64, c->delivery);
	return store_audit(tx,
		&(struct audit_event){ .person = "system",
			.via = "provider",
			.what = "delivery.recalled",
			.subject = subject,
			.now = recall_state_name((int)c->to),
			.why = c->said[0] ? c->said : NULL });
}

void store_recall_end_init(struct store_recall_end *c)
{
	memset(c, 0, sizeof(*c));
	c->cmd.class = STORE_OUTCOME;
	c->cmd.run = end_run;
}

/* --- reading ------------------------------------------------------------------------------------------------------------ */

#define COLUMNS                                                                                       \
	"SELECT r.delivery_id, r.release_id, l.lane_id, l.office_id, r.asked, r.at, r.due, r.tries, " \
	"r.state, d.state, d.once & 15, k.address, c.name, a.name, o.code, r.code, r.said FROM "      \
	"recall r JOIN delivery d ON d.id=r.delivery_id JOIN lot l ON l.id=d.lot_id JOIN lane n "     \
	"ON n.id=l.lane_id JOIN account a ON a.id=n.account_id JOIN channel c ON "                    \
	"c.id=a.channel_id JOIN office o ON o.id=l.office_id LEFT JOIN contact k ON "                 \
	"k.id=d.contact_id "

static void row_read(sqlite3_stmt *st, struct recall_row *x)
{
	*x = (struct recall_row){ .delivery = col_i64(st, 0),
		.release = col_i64(st, 1),
		.lane = col_i64(st, 2),
		.office = col_i64(st, 3),
		.asked_ms = col_i64(st, 4),
		.at_ms = col_i64(st, 5),
		.due_ms = col_i64(st, 6),
		.tries = col_i64(st, 7),
		.state = (int)col_i64(st, 8),
		.dlv_state = (int)col_i64(st, 9),
		.kind = (int)col_i64(st, 10),
		.address = col_str(st, 11),
		.channel = col_str(st, 12),
		.account = col_str(st, 13),
		.office_code = col_str(st, 14),
		.code = col_str(st, 15),
		.said = col_str(st, 16) };
}

int store_recall_ids(struct store_reader *r, int64_t delivery, char *ret, size_t size)
{
	struct db *db = reader_db(r);
	sqlite3_stmt *st;
	size_t n = 0;
	int rc = db_query(db, &st,
		"SELECT effect, provider_id FROM effect WHERE delivery_id=?1 AND provider_id IS NOT "
		"NULL UNION SELECT 0, provider_id FROM attempt WHERE delivery_id=?1 AND provider_id "
		"IS NOT NULL AND outcome=1 ORDER BY 1",
		"i", delivery);

	ret[0] = 0;
	while (rc >= 0 && (rc = db_row(db, st)) == 1) {
		struct str id = col_str(st, 1);
		if (n + id.n + 16 < size)
			n += (size_t)snprintf(ret + n, size - n, "%lld:" STR_FMT "\n",
				(long long)col_i64(st, 0), STR_ARG(id));
	}
	return rc;
}

static int with_steps(struct db *db, struct recall_row *x,
	int (*row)(void *ctx, const struct recall_row *x), void *ctx)
{
	struct lt_pair v[STEPS_MAX];
	char *text[2 * STEPS_MAX];
	sqlite3_stmt *st;
	size_t n = 0;
	int rc = db_query(db, &st,
		"SELECT name, value FROM step WHERE delivery_id=? AND substr(name, 1, 1) <> '!' "
		"LIMIT 64",
		"i", x->delivery);

	while (rc >= 0 && (rc = db_row(db, st)) == 1) {
		text[2 * n] = col_dup(st, 0);
		text[2 * n + 1] = col_dup(st, 1);
		v[n] = (struct lt_pair){ .name = { text[2 * n], strlen(text[2 * n]) },
			.value = { text[2 * n + 1], strlen(text[2 * n + 1]) } };
		n++;
	}
	x->steps = v;
	x->n_steps = n;
	if (rc == 0)
		rc = row(ctx, x);
	for (size_t i = 0; i < 2 * n; i++)
		xfree(text[i]);
	return rc;
}

int store_recall_due(struct store_reader *r, int64_t now_ms, int64_t after_ms, int64_t after_id,
	size_t max, int (*row)(void *ctx, const struct recall_row *x), void *ctx, int64_t *ret_next)
{
	struct db *db = reader_db(r);
	sqlite3_stmt *st;
	struct recall_row x;
	int64_t next = 0;
	int rc = db_query(db, &st,
		COLUMNS
		"WHERE r.state = 0 AND r.due <= ?1 AND r.due >= ?2 AND (r.due, r.delivery_id) > (?2, ?3) "
		"ORDER BY r.due, r.delivery_id LIMIT ?4",
		"iiii", now_ms, after_ms, after_id, (int64_t)max);

	while (rc >= 0 && (rc = db_row(db, st)) == 1) {
		row_read(st, &x);
		rc = store_recall_ids(r, x.delivery, x.ids, sizeof(x.ids));
		if (rc == 0)
			rc = with_steps(db, &x, row, ctx);
		if (rc < 0)
			db_reset(st);
	}
	if (rc < 0)
		return rc;
	rc = db_get_i64(
		db, &next, "SELECT min(due) FROM recall WHERE state = 0 AND due > ?", "i", now_ms);
	*ret_next = next;
	return rc < 0 ? rc : 0;
}

int store_recall_list(struct store_reader *r, int64_t release, int64_t after, size_t max,
	int (*row)(void *ctx, const struct recall_row *x), void *ctx)
{
	struct db *db = reader_db(r);
	sqlite3_stmt *st;
	struct recall_row x;
	int rc = db_query(db, &st,
		COLUMNS
		"WHERE r.release_id = ? AND r.delivery_id > ? ORDER BY r.delivery_id LIMIT ?",
		"iii", release, after, (int64_t)max);

	while (rc >= 0 && (rc = db_row(db, st)) == 1) {
		row_read(st, &x);
		rc = row(ctx, &x);
		if (rc < 0)
			db_reset(st);
	}
	return rc;
}

int store_recall_one(struct store_reader *r, int64_t delivery,
	int (*row)(void *ctx, const struct recall_row *x), void *ctx)
{
	sqlite3_stmt *st;
	struct recall_row x;
	int rc = db_query(reader_db(r), &st, COLUMNS "WHERE r.delivery_id = ?", "i", delivery);

	if (rc >= 0)
		rc = db_row(reader_db(r), st);
	if (rc <= 0)
		return rc;
	row_read(st, &x);
	rc = row(ctx, &x);
	db_reset(st);
	return rc < 0 ? rc : 1;
}
