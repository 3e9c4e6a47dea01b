/* store_office.c - offices, audiences and campaigns as a file names them: compared, put, and what it no longer names is gone.
 * Thread: store. One transaction an import: bounded by OFFICES_MAX. Failures: all or nothing, by the savepoint.
 */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "base/fault.h"
#include "base/map.h"
#include "store/store_internal.h"
#include "store/store_office.h"

static int vars_put(struct db *db, const char *json, struct hash *ret)
{
	hash_bytes(ret, json, strlen(json));
	return db_exec(db, "INSERT INTO vars(hash, json) VALUES(?,?) ON CONFLICT(hash) DO NOTHING",
		"ht", ret, json);
}

static int office_id(struct db *db, const char *code, int64_t *ret)
{
	*ret = 0;
	if (!code || !*code)
		return 0;
	int rc = db_get_i64(db, ret, "SELECT id FROM office WHERE code=?", "t", code);
	return rc == 1 ? 0 : rc < 0 ? rc : -ENOENT;
}

/* One office; its successor is set in a second pass, when all are there. */
static int office_put(struct db *db, const struct office_in *o, struct import_counts *n)
{
	struct hash vars;
	int64_t parent = 0, gone = 0;
	int rc = vars_put(db, o->vars, &vars);
	if (rc == 0)
		rc = office_id(db, o->parent, &parent);
	if (rc < 0)
		return rc;
	rc = db_get_i64(db, &gone, "SELECT gone FROM office WHERE code=?", "t", o->code);
	if (rc < 0)
		return rc;
	if (rc == 0) {
		n->added++;
		return db_exec(db,
			"INSERT INTO office(code, parent_id, depth, ord, region, lang, vars_hash, valid_from, valid_to) "
			"VALUES(?,nullif(?,0),?,?,?,?,?,nullif(?,0),nullif(?,0))",
			"tiittthii", o->code, parent, (int64_t)o->depth, o->ord, o->region, o->lang,
			&vars, o->valid_from, o->valid_to);
	}
	rc = db_exec(db,
		"UPDATE office SET parent_id=nullif(?2,0), depth=?3, ord=?4, region=?5, lang=?6, vars_hash=?7, gone=0, "
		"valid_from=CASE WHEN ?10 THEN nullif(?8,0) ELSE valid_from END, valid_to=CASE WHEN ?10 THEN nullif(?9,0) ELSE valid_to END "
		"WHERE code=?1 AND (gone<>0 OR parent_id IS NOT nullif(?2,0) OR depth<>?3 OR ord<>?4 OR region<>?5 OR lang<>?6 OR "
		"vars_hash<>?7 OR (?10 AND (valid_from IS NOT nullif(?8,0) OR valid_to IS NOT nullif(?9,0))))",
		"tiittthiii", o->code, parent, (int64_t)o->depth, o->ord, o->region, o->lang, &vars,
		o->valid_from, o->valid_to, (int64_t)o->dated);
	if (rc == 0 && db_changes(db) > 0) {
		n->added += gone != 0;
		n->changed += gone == 0;
	}
	return rc;
}

static int successors_put(struct db *db, const struct office_import *c)
{
	int rc = 0;
	for (size_t i = 0; i < c->n && rc == 0; i++) {
		int64_t next = 0;
		if (!c->offices[i].dated)
			continue;
		rc = office_id(db, c->offices[i].replaced_by, &next);
		if (rc == 0)
			rc = db_exec(db,
				"UPDATE office SET replaced_by=nullif(?2,0) WHERE code=?1 AND replaced_by IS NOT nullif(?2,0)",
				"ti", c->offices[i].code, next);
	}
	return rc;
}

/* Marks or deletes what the file no longer names: sql_all gives keys, sql_gone takes one. */
static int gone_rows(struct db *db, struct maps *named, const char *sql_all, const char *sql_gone,
	int64_t *ret_gone)
{
	struct buf keys CLEANUP_BUF;
	sqlite3_stmt *q;
	buf_init(&keys, 8u << 20);
	int rc = db_query(db, &q, sql_all, "");
	while (rc == 0 && (rc = db_row(db, q)) == 1) {
		if (!maps_get(named, col_str(q, 0))) {
			buf_add_str(&keys, col_str(q, 0));
			buf_addc(&keys, '\0');
		}
		rc = 0;
	}
	struct str rest = buf_str(&keys), one;
	if (rc == 0 && keys.failed)
		rc = -E2BIG;
	while (rc == 0 && str_next(&rest, '\0', &one)) {
		rc = db_exec(db, sql_gone, "s", one);
		*ret_gone += rc == 0 ? db_changes(db) : 0;
	}
	return rc;
}

static int offices_run(struct db *db, struct office_import *c, struct maps *named)
{
	int rc = 0;
	for (size_t i = 0; i < c->n && rc == 0; i++) {
		maps_put(named, str_of(c->offices[i].code), c);
		rc = office_put(db, &c->offices[i], &c->ret);
	}
	if (rc == 0)
		rc = successors_put(db, c);
	return rc < 0 ? rc
		      : gone_rows(db, named, "SELECT code FROM office WHERE gone=0",
				"UPDATE office SET gone=1 WHERE code=?", &c->ret.gone);
}

static int rules_run(struct db *db, struct office_import *c, struct maps *named)
{
	int rc = 0;
	for (size_t i = 0; i < c->n && rc == 0; i++) {
		const struct rule_in *r = &c->rules[i];
		int64_t id = 0;
		maps_put(named, str_of(r->name), c);
		rc = db_get_i64(db, &id, "SELECT id FROM audience WHERE name=?", "t", r->name);
		if (rc == 0) {
			c->ret.added++;
			rc = db_exec(db, "INSERT INTO audience(name, title, rule) VALUES(?,?,?)",
				"ttt", r->name, r->title, r->rule);
		} else if (rc == 1) {
			rc = db_exec(db,
				"UPDATE audience SET title=?2, rule=?3 WHERE id=?1 AND (title<>?2 OR rule<>?3)",
				"itt", id, r->title, r->rule);
			c->ret.changed += rc == 0 ? db_changes(db) : 0;
		}
	}
	return rc < 0 ? rc
		      : gone_rows(db, named, "SELECT name FROM audience",
				"DELETE FROM audience WHERE name=?", &c->ret.gone);
}

static int campaigns_run(struct db *db, struct office_import *c, struct maps *named)
{
	int64_t left = 0;
	int rc = 0;
	for (size_t i = 0; i < c->n && rc == 0; i++) {
		const struct campaign_in *r = &c->campaigns[i];
		int64_t id = 0;
		maps_put(named, str_of(r->name), c);
		rc = db_get_i64(db, &id, "SELECT id FROM campaign WHERE name=?", "t", r->name);
		if (rc == 0) {
			c->ret.added++;
			rc = db_exec(db,
				"INSERT INTO campaign(name, title, first, last, prio) VALUES(?,?,?,?,?)",
				"ttiii", r->name, r->title, r->first, r->last, (int64_t)r->prio);
		} else if (rc == 1) {
			rc = db_exec(db,
				"UPDATE campaign SET title=?2, first=?3, last=?4, prio=?5 WHERE id=?1 AND (title<>?2 OR first<>?3 OR "
				"last<>?4 OR prio<>?5)",
				"itiii", id, r->title, r->first, r->last, (int64_t)r->prio);
			c->ret.changed += rc == 0 ? db_changes(db) : 0;
		}
	}
	if (rc < 0)
		return rc;
	rc = gone_rows(db, named, "SELECT name FROM campaign",
		"DELETE FROM campaign WHERE name=? AND id NOT IN (SELECT campaign_id FROM release WHERE campaign_id IS NOT NULL)",
		&c->ret.gone);
	if (rc == 0)
		rc = db_get_i64(db, &left, "SELECT count(*) FROM campaign", "");
	c->ret_kept = rc == 1 ? (size_t)left - c->n : 0;
	return rc < 0 ? rc : 0;
}

static int record(struct store_tx *tx, const struct office_import *c)
{
	char what[60], subject[80], now[240], hex[HASH_HEX];
	hash_hex(&c->hash, hex);
	int rc = db_exec(tx_db(tx),
		"INSERT INTO import(what, at, person, hash, rows, added, changed, gone) VALUES(?,?,?,?,?,?,?,?)",
		"tithiiii", c->what, tx_wall_ms(tx), c->person, &c->hash, c->ret.rows, c->ret.added,
		c->ret.changed, c->ret.gone);
	(void)snprintf(what, sizeof(what), "%s.import", c->what);
	(void)snprintf(subject, sizeof(subject), "import:%lld", (long long)db_last_id(tx_db(tx)));
	(void)snprintf(now, sizeof(now), "rows=%lld added=%lld changed=%lld gone=%lld sha256=%s",
		(long long)c->ret.rows, (long long)c->ret.added, (long long)c->ret.changed,
		(long long)c->ret.gone, hex);
	const struct audit_event ev = {
		.person = c->person, .via = c->via, .what = what, .subject = subject, .now = now
	};
	return rc < 0 ? rc : store_audit(tx, &ev);
}

static int import_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct office_import *c = CONTAINER_OF(cmd, struct office_import, cmd);
	struct maps *named = maps_new();
	c->ret = (struct import_counts){ .rows = (int64_t)c->n };
	int rc = c->offices ? offices_run(tx_db(tx), c, named)
		: c->rules  ? rules_run(tx_db(tx), c, named)
			    : campaigns_run(tx_db(tx), c, named);
	maps_free(named);
	if (rc == 0 && FAULT("import.office"))
		rc = -EIO;
	if (rc < 0)
		return rc;
	return c->dry ? -ECANCELED : record(tx, c);
}

void office_import_prepare(struct office_import *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.intake = true;
	c->cmd.run = import_run;
}
