/* store_plan_part.c - a part is planned whole (growth is judged), opens, is held, expires, is done; a release is done.
 * Thread: store. Every change is an audit event of "system". What was decided on older facts is `stale`: look again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "store/store_plan.h"

static int audit_system(struct store_tx *tx, int64_t release_id, const char *part, const char *what,
	const char *now, const char *why)
{
	struct release_row r;
	char subject[240];
	int rc = release_get(tx_db(tx), release_id, &r);
	if (rc < 0)
		return rc;
	release_subject(&r, subject, sizeof(subject));
	if (part)
		snprintf(subject + strlen(subject), sizeof(subject) - strlen(subject), " part:%s",
			part);
	return store_audit(tx,
		&(struct audit_event){ .person = "system",
			.via = "system",
			.what = what,
			.subject = subject,
			.now = now,
			.why = why });
}

/* --- growth ------------------------------------------------------------------------------------------------------------------ */

struct tally {
	int64_t n[KIND_MAX + 1], added[KIND_MAX + 1];
};

/* Rows of a lot that are not on the approved list; only asked while the part is not far over its list. */
static int count_added(
	struct db *db, const struct plan_part_cmd *c, int64_t lot, int kind, int64_t *ret)
{
	int64_t n = 0;
	int rc = db_get_i64(db, &n,
		"SELECT count(*) FROM delivery d INDEXED BY delivery_due WHERE d.state=0 AND d.lot_id=?1 AND NOT EXISTS(SELECT 1 FROM "
		"approved_contact a WHERE a.manifest=?2 AND a.part=?3 AND a.kind=?4 AND a.contact_id=d.contact_id)",
		"ihii", lot, &c->lot.manifest, (int64_t)c->lot.part, (int64_t)kind);
	*ret += n;
	return rc < 0 ? rc : 0;
}

static int tally_lots(struct db *db, const struct plan_part_cmd *c, struct tally *t, bool exact)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT l.id, l.n0+l.n1+l.n2+l.n3+l.n4+l.n5+l.n6+l.n7+l.n8+l.n9+l.n10, (SELECT c.kind FROM target t JOIN contact c ON "
		"c.id=t.contact_id WHERE t.lane_id=l.lane_id AND t.office_id=l.office_id LIMIT 1) FROM lot l WHERE l.release_id=? AND "
		"l.part=? AND l.gate IN (0,1,2)",
		"ii", c->lot.release_id, (int64_t)c->lot.part);
	if (rc < 0)
		return rc;
	while ((rc = db_row(db, st)) == 1) {
		int64_t kind = col_i64(st, 2);
		if (kind < 1 || kind > KIND_MAX || col_i64(st, 1) == 0)
			continue;
		t->n[kind] += col_i64(st, 1);
		int bad = exact ? count_added(db, c, col_i64(st, 0), (int)kind, &t->added[kind])
				: 0;
		if (bad < 0) {
			db_reset(st);
			return bad;
		}
	}
	return rc;
}

static bool over(const struct plan_part_cmd *c, int64_t added, int64_t approved)
{
	return added > c->growth_count && added * 100 > approved * c->growth_percent;
}

static int judge_growth(struct db *db, struct plan_part_cmd *c)
{
	struct tally t = { 0 };
	int rc = tally_lots(db, c, &t, false);
	for (int k = 1; rc == 0 && k <= KIND_MAX && !c->held; k++) {
		const struct mf_count *a = manifest_count(c->approved, k);
		int64_t approved = a ? a->n : 0;
		if (t.n[k] == 0)
			continue;
		if (approved == 0) {
			c->held = true;
			snprintf(c->why, sizeof(c->why),
				"grew: %s was not approved and now reaches %lld; look at `lantoa approve --diff`",
				chan_kind_name(k), (long long)t.n[k]);
			break;
		}
		int64_t added = t.n[k] - approved;
		if (a->listed && t.n[k] > c->growth_count && !over(c, added, approved) &&
			t.n[k] <= 2 * MANIFEST_LIST_MAX) {
			struct tally exact = { 0 };
			rc = tally_lots(db, c, &exact, true);
			added = exact.added[k];
		}
		if (over(c, added, approved)) {
			c->held = true;
			snprintf(c->why, sizeof(c->why),
				"grew: %s was approved for %lld, %lld more are in the audience now; look at `lantoa approve --diff`",
				chan_kind_name(k), (long long)approved, (long long)added);
		}
	}
	return rc;
}

static int part_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct plan_part_cmd *c = CONTAINER_OF(cmd, struct plan_part_cmd, cmd);
	struct db *db = tx_db(tx);
	struct hash now;
	char name[64], arg[HASH_HEX + 40], hex[HASH_HEX];
	int rc = manifest_planned(db, c->lot.release_id, &now);
	c->stale = rc == -ENOENT || (rc == 0 && hash_cmp(&now, &c->lot.manifest) != 0);
	if (c->stale || rc < 0)
		return c->stale ? 0 : rc;
	rc = judge_growth(db, c);
	if (rc == 0)
		rc = db_exec(db,
			"UPDATE part SET planned=2, state=iif(?4, 3, state), why=iif(?4, ?5, why) WHERE release_id=?1 AND rev=?2 AND part=?3",
			"iiiit", c->lot.release_id, c->rev, (int64_t)c->lot.part, (int64_t)c->held,
			c->why);
	hash_hex(&c->lot.manifest, hex);
	snprintf(arg, sizeof(arg), "%s %u 0 0", hex, c->lot.part + 1);
	if (rc == 0)
		rc = db_exec(db, "UPDATE job SET arg=?, cursor=0 WHERE kind=1 AND subject=?", "ti",
			arg, c->lot.release_id);
	if (rc == 0 && c->held) {
		str_copy(name, sizeof(name), c->approved->name);
		rc = audit_system(tx, c->lot.release_id, name, "part.hold", "held", c->why);
	}
	return rc;
}

void plan_part_prepare(struct plan_part_cmd *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = part_run;
}

/* --- open, hold, expire, done --------------------------------------------------------------------------------------------------- */

static int part_now(struct db *db, struct part_cmd *c, struct release_row *r, struct part_row *ret)
{
	struct part_row rows[PARTS_MAX];
	size_t n = 0;
	int rc = release_get(db, c->release_id, r);
	if (rc < 0)
		return rc;
	c->stale = (r->state != REL_APPROVED && r->state != REL_SENDING) ||
		r->rev_approved != c->rev;
	if (c->stale)
		return 0;
	rc = part_rows_get(db, c->release_id, c->rev, rows, PARTS_MAX, &n);
	c->stale = true;
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (rows[i].part == c->part) {
			*ret = rows[i];
			c->stale = false;
		}
	return rc;
}

static int hold_lots(struct store_tx *tx, const struct part_cmd *c, const char *part)
{
	int rc = 0;
	for (size_t i = 0; i < c->n_held && rc == 0; i++) {
		rc = db_exec(tx_db(tx),
			"UPDATE lot SET gate=2, why=?, at=?, expires=? WHERE id=? AND gate=0",
			"tiii", c->held[i].why, c->start, c->expires, c->held[i].lot_id);
		if (rc == 0 && i < 200)
			rc = audit_system(
				tx, c->release_id, part, "lot.hold", "held", c->held[i].why);
	}
	return rc;
}

static int open_part(struct store_tx *tx, struct part_cmd *c, const struct part_row *p)
{
	struct db *db = tx_db(tx);
	struct hash planned;
	char now[120], hex[HASH_HEX];
	int rc = manifest_planned(db, c->release_id, &planned);
	c->stale = rc == -ENOENT || (rc == 0 && hash_cmp(&planned, &c->manifest) != 0) ||
		p->planned != 2 || (p->state != PART_WAITING && p->state != PART_PLANNED);
	if (c->stale || rc < 0)
		return c->stale ? 0 : rc;
	rc = hold_lots(tx, c, p->name);
	if (rc == 0)
		rc = db_exec(db,
			"UPDATE lot SET gate=1, why=NULL, at=?3, expires=?4 WHERE release_id=?1 AND part=?2 AND gate=0 AND manifest=?5",
			"iiiih", c->release_id, (int64_t)c->part, c->start, c->expires,
			&c->manifest);
	c->ret_opened = rc == 0 ? db_changes(db) : 0;
	if (rc == 0)
		rc = db_exec(db,
			"UPDATE part SET state=1, started=ifnull(started,?4), at=ifnull(at,?4), expires=?5, why=NULL WHERE release_id=?1 AND rev=?2 "
			"AND part=?3",
			"iiiii", c->release_id, c->rev, (int64_t)c->part, c->start, c->expires);
	if (rc == 0)
		rc = db_exec(db, "UPDATE release SET state=? WHERE id=?", "ii",
			(int64_t)REL_SENDING, c->release_id);
	hash_hex(&c->manifest, hex);
	snprintf(now, sizeof(now), "open: %lld lots, %zu held, manifest %.16s",
		(long long)c->ret_opened, c->n_held, hex);
	return rc ? rc : audit_system(tx, c->release_id, p->name, "part.start", now, NULL);
}

/* Only its row: planning clears its lots and makes them again, and judges growth again. */
static int replan_part(struct store_tx *tx, struct part_cmd *c)
{
	int rc = db_exec(tx_db(tx),
		"UPDATE part SET planned=0 WHERE release_id=? AND rev=? AND part=? AND state=0 AND planned=2",
		"iii", c->release_id, c->rev, (int64_t)c->part);
	c->stale = rc == 0 && db_changes(tx_db(tx)) == 0;
	return rc;
}

static int set_part(struct store_tx *tx, const struct part_cmd *c, int state)
{
	return db_exec(tx_db(tx),
		"UPDATE part SET state=?, why=? WHERE release_id=? AND rev=? AND part=?", "itiii",
		(int64_t)state, c->why, c->release_id, c->rev, (int64_t)c->part);
}

static int expire_part(struct store_tx *tx, struct part_cmd *c, const struct part_row *p)
{
	int rc = set_part(tx, c, PART_DONE);
	if (rc == 0)
		rc = db_exec(tx_db(tx),
			"UPDATE lot SET gate=4, why=? WHERE release_id=? AND part=? AND gate IN (0,2)",
			"tii", c->why, c->release_id, (int64_t)c->part);
	return rc ? rc : audit_system(tx, c->release_id, p->name, "part.expire", "expired", c->why);
}

static int release_done(struct store_tx *tx, struct part_cmd *c, const struct release_row *r)
{
	int64_t open = 0;
	int rc = db_get_i64(tx_db(tx), &open,
		"SELECT count(*) FROM part WHERE release_id=? AND rev=? AND state NOT IN (2,4)",
		"ii", c->release_id, c->rev);
	c->stale = rc == 1 && open > 0;
	if (rc < 0 || c->stale)
		return rc < 0 ? rc : 0;
	REQUIRE(release_may_move(r->state, REL_DONE));
	rc = db_exec(tx_db(tx), "UPDATE release SET state=? WHERE id=?", "ii", (int64_t)REL_DONE,
		c->release_id);
	if (rc == 0)
		rc = db_exec(tx_db(tx),
			"UPDATE job SET next=9000000000000000 WHERE kind=1 AND subject=?", "i",
			c->release_id);
	return rc ? rc : audit_system(tx, c->release_id, NULL, "release.done", "done", NULL);
}

static int act_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct part_cmd *c = CONTAINER_OF(cmd, struct part_cmd, cmd);
	struct release_row r;
	struct part_row p = { 0 };
	if (c->act == RELEASE_ACT_DONE) {
		int rc = release_get(tx_db(tx), c->release_id, &r);
		c->stale = rc == 0 &&
			((r.state != REL_APPROVED && r.state != REL_SENDING) ||
				r.rev_approved != c->rev);
		return rc < 0 || c->stale ? rc : release_done(tx, c, &r);
	}
	int rc = part_now(tx_db(tx), c, &r, &p);
	if (rc < 0 || c->stale)
		return rc;
	switch (c->act) {
	case PART_ACT_OPEN: return open_part(tx, c, &p);
	case PART_ACT_HOLD:
		rc = set_part(tx, c, PART_HELD);
		return rc ? rc
			  : audit_system(tx, c->release_id, p.name, c->what ? c->what : "part.hold",
				    "held", c->why);
	case PART_ACT_EXPIRE: return expire_part(tx, c, &p);
	case PART_ACT_DONE: return set_part(tx, c, PART_DONE);
	case PART_ACT_REPLAN: return replan_part(tx, c);
	case RELEASE_ACT_DONE: break;
	}
	return -EINVAL;
}

void part_cmd_prepare(struct part_cmd *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = act_run;
}
