/* store_import_route.c - lanes of targets after the routes have changed. Thread: worker (pages), store (the commands).
 * Lots that stand keep their lane; what waits in them follows by dispatch, and a job row keeps the pair of lanes until it has.
 * An address that no channel had read gets its form.
 */
#include "base/assert.h"
#include "store/store_import_internal.h"

int reroute_page(struct db *db, int64_t after, struct reroute_row *ret, size_t max, size_t *ret_n)
{
	sqlite3_stmt *q;
	size_t n = 0;
	int rc = db_query(db, &q,
		"SELECT t.id, t.contact_id, ifnull(t.lane_id,0), t.office_id, c.kind, t.flags, c.address, h.name, a.name "
		"FROM target t CROSS JOIN contact c ON c.id=t.contact_id LEFT JOIN lane l ON l.id=t.lane_id "
		"LEFT JOIN account a ON a.id=l.account_id LEFT JOIN channel h ON h.id=a.channel_id "
		"WHERE t.id>?1 ORDER BY t.id LIMIT ?2",
		"ii", after, (int64_t)max);
	while (rc == 0 && (rc = db_row(db, q)) == 1) {
		struct reroute_row *r = &ret[n++];
		*r = (struct reroute_row){ .target_id = col_i64(q, 0),
			.contact_id = col_i64(q, 1),
			.lane_id = col_i64(q, 2),
			.office_id = col_i64(q, 3),
			.kind = (int)col_i64(q, 4),
			.flags = (unsigned)col_i64(q, 5) };
		(void)str_copy(r->address, sizeof(r->address), col_str(q, 6));
		(void)str_copy(r->channel, sizeof(r->channel), col_str(q, 7));
		(void)str_copy(r->account, sizeof(r->account), col_str(q, 8));
		rc = 0;
	}
	if (rc == 0)
		*ret_n = n;
	return rc;
}

/* Who refused what was written refuses it in the channel's form, too. */
static int refusals_follow(struct store_tx *tx, const struct reroute_set *s)
{
	struct hash was, is;
	store_who(tx_store(tx), s->kind, str_of(s->was), &was);
	store_who(tx_store(tx), s->kind, str_of(s->address), &is);
	return db_exec(tx_db(tx),
		"INSERT INTO suppression(who, list, reason, strikes, since) SELECT ?2, list, reason, strikes, since FROM suppression WHERE who=?1 "
		"ON CONFLICT(who, list) DO NOTHING",
		"hh", &was, &is);
}

/* An address that waited without a channel becomes the channel's own, by which it is compared, counted and refused. Where a contact
 * has that already the target is a target of that one; *ret_over: its office has that, too, and this one is gone (or, where that
 * one is gone, waits for the next import). */
static int address_follow(struct store_tx *tx, struct reroute_set *s, bool *ret_over)
{
	struct db *db = tx_db(tx);
	int64_t other = 0, gone = 0;
	int rc = refusals_follow(tx, s);
	if (rc == 0)
		rc = db_get_i64(db, &other, "SELECT id FROM contact WHERE kind=? AND address=?",
			"it", (int64_t)s->kind, s->address);
	if (rc == 0)
		return db_exec(db, "UPDATE contact SET address=?2 WHERE id=?1", "it", s->contact_id,
			s->address);
	if (rc < 0 || other == s->contact_id)
		return rc < 0 ? rc : 0;
	s->contact_id = other;
	rc = db_get_i64(db, &gone,
		"SELECT t.flags&1 FROM target t JOIN target o ON o.office_id=t.office_id WHERE o.id=?1 AND t.contact_id=?2",
		"ii", s->target_id, other);
	*ret_over = rc == 1;
	if (rc < 0 || (rc == 1 && gone))
		return rc < 0 ? rc : 0;
	return rc == 1
		? db_exec(db, "UPDATE target SET flags=flags|1 WHERE id=?", "i", s->target_id)
		: db_exec(db, "UPDATE target SET contact_id=?2 WHERE id=?1", "ii", s->target_id,
			  other);
}

static int reroute_one(struct store_tx *tx, struct reroute_set *s)
{
	struct db *db = tx_db(tx);
	int64_t lane = 0;
	bool over = false;
	if (s->address[0]) {
		int rc = address_follow(tx, s, &over);
		if (rc < 0 || over)
			return rc;
	}
	if (!s->none) {
		int rc = store_lane_make(db, s->channel, s->adapter, s->account, s->class, &lane);
		if (rc < 0)
			return rc;
		rc = db_exec(db,
			"UPDATE contact SET form=?2, class=?3 WHERE id=?1 AND (form<>?2 OR class<>?3)",
			"itt", s->contact_id, s->form, s->class);
		if (rc < 0)
			return rc;
	}
	s->ret_lane = lane;
	return db_exec(
		db, "UPDATE target SET lane_id=nullif(?,0) WHERE id=?", "ii", lane, s->target_id);
}

/* --- moves ------------------------------------------------------------------------------------------------------------------ */

/* Both lanes in one number; 0: it is none, or they are more than there can be. */
static int64_t move_subject(int64_t from, int64_t to)
{
	bool fits = from > 0 && to > 0 && from != to && from <= INT32_MAX && to <= INT32_MAX;
	return fits ? from << 32 | to : 0;
}

static int move_note(struct db *db, const struct reroute_set *s, int64_t *last)
{
	int64_t subject = move_subject(s->from_lane, s->ret_lane);
	if (!subject || subject == *last)
		return 0;
	*last = subject;
	return db_exec(
		db, "INSERT OR IGNORE INTO job(kind, subject, next) VALUES(3,?,0)", "i", subject);
}

int lane_moves_get(struct db *db, struct lane_move *ret, size_t max, size_t *ret_n)
{
	sqlite3_stmt *q;
	*ret_n = 0;
	int rc = db_query(db, &q, "SELECT subject FROM job WHERE kind=3 ORDER BY id LIMIT ?", "i",
		(int64_t)max);
	while (rc == 0 && (rc = db_row(db, q)) == 1) {
		int64_t subject = col_i64(q, 0);
		ret[(*ret_n)++] = (struct lane_move){ subject >> 32, subject & INT32_MAX };
		rc = 0;
	}
	return rc;
}

static int over_run(struct store_tx *tx, struct store_cmd *cmd)
{
	const struct lane_moves_over *c = CONTAINER_OF(cmd, struct lane_moves_over, cmd);
	int rc = 0;
	for (size_t i = 0; i < c->n && rc == 0; i++)
		rc = db_exec(tx_db(tx), "DELETE FROM job WHERE kind=3 AND subject=?", "i",
			move_subject(c->v[i].from, c->v[i].to));
	return rc;
}

void lane_moves_over_prepare(struct lane_moves_over *c)
{
	c->cmd.class = STORE_BULK;
	c->cmd.run = over_run;
}

static int reroute_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct reroute_cmd *c = CONTAINER_OF(cmd, struct reroute_cmd, cmd);
	int64_t last = 0;
	c->ret_changed = 0;
	for (size_t i = 0; i < c->n; i++) {
		int rc = reroute_one(tx, &c->v[i]);
		if (rc < 0)
			return rc;
		c->ret_changed += db_changes(tx_db(tx));
		rc = move_note(tx_db(tx), &c->v[i], &last);
		if (rc < 0)
			return rc;
	}
	return 0;
}

void reroute_prepare(struct reroute_cmd *c)
{
	c->cmd.class = STORE_BULK;
	c->cmd.run = reroute_run;
}
