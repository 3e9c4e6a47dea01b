/* store_release_local.c - what one office adds to one release: set by an editor, approved by another person of that office.
 * Thread: store for the commands. A local text has its own hash and MAC and never touches the core's approval.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "store/store_internal.h"
#include "store/store_release.h"

void local_hash(int64_t release_id, int64_t office_id, struct str text, struct hash *ret)
{
	struct hasher h;
	char ids[64];
	int n = snprintf(ids, sizeof(ids), "lantoa-local-1 %lld %lld", (long long)release_id,
		(long long)office_id);
	hasher_init(&h);
	hasher_field(&h, ids, (size_t)n);
	hasher_field(&h, text.p, text.n);
	hasher_end(&h, ret);
}

void local_mac(
	const struct keyring *k, int64_t release_id, const struct local_row *r, struct hash *ret)
{
	struct hasher h;
	char ids[128];
	const char *by = r->approved_by ? r->approved_by : "";
	int n = snprintf(ids, sizeof(ids), "lantoa-local-1 %lld %lld %lld %lld",
		(long long)release_id, (long long)r->office_id, (long long)r->rev,
		(long long)r->approved_at);
	mac_init(&h, k, KEY_APPROVAL);
	hasher_field(&h, ids, (size_t)n);
	hasher_field(&h, r->hash.b, HASH_LEN);
	hasher_field(&h, r->person, strlen(r->person));
	hasher_field(&h, by, strlen(by));
	mac_end(&h, ret);
}

static int read_local(sqlite3_stmt *st, struct local_row *r)
{
	*r = (struct local_row){ .office_id = col_i64(st, 0),
		.rev = col_i64(st, 1),
		.text = col_dup(st, 2),
		.person = col_dup(st, 4),
		.at = col_i64(st, 5),
		.approved_by = col_dup(st, 6),
		.approved_at = col_i64(st, 7) };
	r->approved = r->approved_by != NULL;
	(void)col_hash(st, 8, &r->mac); /* absent until approved */
	return col_hash(st, 3, &r->hash) ? 0 : -EBADMSG;
}

void local_row_done(struct local_row *r)
{
	free(r->text);
	free(r->person);
	free(r->approved_by);
	*r = (struct local_row){ 0 };
}

int local_approved_get(struct db *db, int64_t release_id, int64_t office_id, int64_t before_ms,
	struct local_row *ret)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT office_id, rev, text, hash, person, at, approved_by, approved_at, mac FROM local_text "
		"WHERE release_id=? AND office_id=? AND approved_by IS NOT NULL AND approved_at<? ORDER BY rev DESC LIMIT 1",
		"iii", release_id, office_id, before_ms);
	if (rc == 0)
		rc = db_row(db, st);
	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	rc = read_local(st, ret);
	db_reset(st);
	return rc;
}

int local_rows_verify(const struct keyring *k, struct db *db, int64_t release_id,
	void (*row)(void *ctx, const struct local_row *r, const char *office, bool text, bool mac),
	void *ctx)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT l.office_id, l.rev, l.text, l.hash, l.person, l.at, l.approved_by, l.approved_at, l.mac, ifnull(o.code, '') "
		"FROM local_text l LEFT JOIN office o ON o.id=l.office_id WHERE l.release_id=? ORDER BY l.office_id, l.rev",
		"i", release_id);
	while (rc >= 0 && (rc = db_row(db, st)) == 1) {
		struct local_row r;
		struct hash hash, mac;
		bool whole = read_local(st, &r) == 0;
		local_hash(release_id, r.office_id, str_of(r.text), &hash);
		local_mac(k, release_id, &r, &mac);
		row(ctx, &r, col_z(st, 9), whole && hash_cmp(&hash, &r.hash) == 0,
			!r.approved || hash_cmp(&mac, &r.mac) == 0);
		local_row_done(&r);
	}
	return rc;
}

static int refuse(struct local_cmd *c, int code)
{
	c->refused = code;
	return code;
}

/* Is `office` the bound itself or below it? */
static int within(struct db *db, const char *office, const char *bound)
{
	int64_t found = 0;
	int rc = db_get_i64(db, &found,
		"WITH RECURSIVE up(id, parent, code) AS (SELECT id, parent_id, code FROM office WHERE code=?1 UNION ALL "
		"SELECT o.id, o.parent_id, o.code FROM office o JOIN up ON o.id=up.parent LIMIT 64) SELECT 1 FROM up WHERE code=?2",
		"tt", office, bound);
	return rc;
}

static int guard(struct store_tx *tx, struct local_cmd *c, struct release_row *r)
{
	struct db *db = tx_db(tx);
	int64_t started = 0;
	int rc = release_find(db, str_of(c->ref), r, &c->cmd.err);
	if (rc < 0)
		return rc;
	rc = db_get_i64(db, &c->ret_office, "SELECT id FROM office WHERE code=?", "t", c->office);
	if (rc <= 0)
		return rc < 0 ? rc
			      : err_set(&c->cmd.err, -ENOENT, "there is no office '%s'", c->office);
	c->ret_release = r->id;
	rc = c->bound ? within(db, c->office, c->bound) : 1;
	if (rc == 0)
		return refuse(c,
			err_set(&c->why_refused, -EPERM, "%s belongs to %s, not to %s", c->person,
				c->bound, c->office));
	if (rc < 0)
		return rc;
	if (r->state == REL_DONE || r->state == REL_CANCELLED || r->state == REL_RECALLED ||
		r->state == REL_CORRECTED)
		return refuse(c,
			err_set(&c->why_refused, -EBUSY, "%s is %s", r->code,
				rel_state_name(r->state)));
	rc = db_get_i64(db, &started,
		"SELECT 1 FROM part WHERE release_id=?1 AND rev=?2 AND state IN (0,3) LIMIT 1",
		"ii", r->id, r->rev_approved ? r->rev_approved : r->rev_newest);
	if (rc == 0)
		return refuse(c,
			err_set(&c->why_refused, -EBUSY,
				"%s: every part has started; a local text would reach nobody",
				r->code));
	return rc < 0 ? rc : 0;
}

static int local_set(struct store_tx *tx, struct local_cmd *c)
{
	struct db *db = tx_db(tx);
	int64_t rev = 0;
	int rc = db_get_i64(db, &rev,
		"SELECT ifnull(max(rev),0) FROM local_text WHERE release_id=? AND office_id=?",
		"ii", c->ret_release, c->ret_office);
	if (rc < 0)
		return rc;
	c->ret_rev = rev + 1;
	local_hash(c->ret_release, c->ret_office, str_of(c->text), &c->hash);
	return db_exec(db,
		"INSERT INTO local_text(release_id, office_id, rev, text, hash, person, at) VALUES(?,?,?,?,?,?,?)",
		"iiithti", c->ret_release, c->ret_office, c->ret_rev, c->text, &c->hash, c->person,
		tx_wall_ms(tx));
}

static int newest_local(struct db *db, struct local_cmd *c, struct local_row *ret)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT office_id, rev, text, hash, person, at, approved_by, approved_at, mac FROM local_text "
		"WHERE release_id=? AND office_id=? ORDER BY rev DESC LIMIT 1",
		"ii", c->ret_release, c->ret_office);
	if (rc == 0)
		rc = db_row(db, st);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return refuse(c,
			err_set(&c->why_refused, -ENOENT, "%s has no local text for this release",
				c->office));
	rc = read_local(st, ret);
	db_reset(st);
	return rc;
}

static int author_of_local(struct db *db, const struct local_cmd *c)
{
	int64_t found = 0;
	return db_get_i64(db, &found,
		"SELECT 1 FROM local_text WHERE release_id=? AND office_id=? AND person=? LIMIT 1",
		"iit", c->ret_release, c->ret_office, c->person);
}

static int local_approve(struct store_tx *tx, struct local_cmd *c)
{
	struct db *db = tx_db(tx);
	struct local_row row = { 0 };
	struct hash mac;
	char person[200];
	int rc = newest_local(db, c, &row);
	if (rc == 0 && !(c->roles & ROLE_APPROVER))
		rc = refuse(c, err_set(&c->why_refused, -EPERM, "%s is no approver", c->person));
	if (rc == 0 && author_of_local(db, c) == 1)
		rc = refuse(c,
			err_set(&c->why_refused, -EPERM,
				"%s wrote this text: another person must approve it", c->person));
	if (rc == 0 && hash_cmp(&row.hash, &c->hash) != 0)
		rc = refuse(c,
			err_set(&c->why_refused, -ESTALE,
				"the text was changed since; read it again"));
	if (rc == 0) {
		str_copy(person, sizeof(person), str_of(c->person));
		free(row.approved_by);
		row.approved_by = x_strdup(person);
		row.approved_at = tx_wall_ms(tx);
		local_mac(store_keys(tx_store(tx)), c->ret_release, &row, &mac);
		c->ret_rev = row.rev;
		rc = db_exec(db,
			"UPDATE local_text SET approved_by=?, approved_at=?, mac=? WHERE release_id=? AND office_id=? AND rev=?",
			"tihiii", person, row.approved_at, &mac, c->ret_release, c->ret_office,
			row.rev);
	}
	local_row_done(&row);
	return rc;
}

static int local_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct local_cmd *c = CONTAINER_OF(cmd, struct local_cmd, cmd);
	struct release_row r;
	char subject[240], what[40], now[100], hex[HASH_HEX];
	int rc = guard(tx, c, &r);
	if (rc == 0)
		rc = c->approve ? local_approve(tx, c) : local_set(tx, c);
	if (rc < 0 && c->refused == 0)
		return rc;
	snprintf(what, sizeof(what), "local.%s%s", c->approve ? "approve" : "set",
		c->refused ? ".refused" : "");
	release_subject(&r, subject, sizeof(subject));
	snprintf(subject + strlen(subject), sizeof(subject) - strlen(subject), " office:%s",
		c->office);
	hash_hex(&c->hash, hex);
	snprintf(now, sizeof(now), "text %s", hex);
	return store_audit(tx,
		&(struct audit_event){ .person = c->person,
			.via = c->via,
			.what = what,
			.subject = subject,
			.now = c->refused ? NULL : now,
			.why = c->refused ? c->why_refused.text : NULL });
}

void local_prepare(struct local_cmd *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = local_run;
}
