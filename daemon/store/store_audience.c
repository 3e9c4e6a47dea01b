/* store_audience.c - compiles audience rules to SQL over target. Thread: whoever holds the connection.
 * Clauses are ORed, keys ANDed, values ORed, `not` takes away. Failures: a text over AUDIENCE_SQL_MAX, a language that is none.
 */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/json.h"
#include "model/state.h"
#include "store/store_audience.h"

void audience_sql_init(struct audience_sql *a)
{
	*a = (struct audience_sql){ .driven = true };
	buf_init(&a->where, AUDIENCE_SQL_MAX);
	buf_init(&a->driver, AUDIENCE_SQL_MAX);
}

void audience_sql_done(struct audience_sql *a)
{
	if (!a)
		return;
	buf_done(&a->where);
	buf_done(&a->driver);
}

const char *audience_sql_where(const struct audience_sql *a)
{
	return a->rules ? buf_z(&a->where) : "0";
}

const char *audience_sql_driver(const struct audience_sql *a)
{
	return a->driven && a->rules ? buf_z(&a->driver) : NULL;
}

static void note_unknown(struct audience_sql *a, const char *what, const char *name)
{
	size_t n = strlen(a->unknown);
	if (n + strlen(what) + strlen(name) + 6 >= sizeof(a->unknown))
		return;
	struct buf b CLEANUP_BUF;
	buf_init(&b, sizeof(a->unknown));
	buf_addf(&b, "%s%s%s '%s'", a->unknown, n ? ", " : "", what, name);
	str_copy(a->unknown, sizeof(a->unknown), buf_str(&b));
}

/* One query for ids of a name; appends "1,2,3". Returns how many, or a negative code. */
static int add_ids(struct db *db, struct buf *b, const char *sql, const char *name, bool *first)
{
	sqlite3_stmt *st;
	int n = 0, rc = db_query(db, &st, sql, "t", name);
	if (rc < 0)
		return rc;
	while ((rc = db_row(db, st)) == 1) {
		buf_addf(b, "%s%lld", *first ? "" : ",", (long long)col_i64(st, 0));
		*first = false;
		n++;
	}
	return rc < 0 ? rc : n;
}

static const char sql_tag[] = "SELECT id FROM tag WHERE name=?";
static const char sql_list[] = "SELECT id FROM list WHERE name=?";
static const char sql_office[] = "SELECT id FROM office WHERE code=?";
static const char sql_region[] = "SELECT id FROM office WHERE region=?";
static const char sql_under[] =
	"WITH RECURSIVE s(id) AS (SELECT id FROM office WHERE code=? UNION "
	"SELECT o.id FROM office o JOIN s ON o.parent_id=s.id) SELECT id FROM s";

static int ids_of(struct db *db, struct audience_sql *a, struct buf *b, enum audience_key key,
	const struct audience_values *v)
{
	static const struct {
		const char *sql, *what;
	} by[AK_COUNT] = { [AK_REGION] = { sql_region, "region" },
		[AK_OFFICE] = { sql_office, "office" },
		[AK_UNDER] = { sql_under, "office" },
		[AK_TAG] = { sql_tag, "tag" },
		[AK_LIST] = { sql_list, "list" } };
	bool first = true;
	for (size_t i = 0; i < v->n; i++) {
		int rc = add_ids(db, b, by[key].sql, v->v[i], &first);
		if (rc < 0)
			return rc;
		if (rc == 0)
			note_unknown(a, by[key].what, v->v[i]);
	}
	if (first)
		buf_addz(b, "-1"); /* no row has this number */
	return 0;
}

static bool is_lang(const char *z)
{
	size_t n = strspn(z, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");
	return n > 0 && n <= 35 && z[n] == '\0';
}

static int add_langs(struct audience_sql *a, const struct audience_values *v, struct err *e)
{
	struct buf langs CLEANUP_BUF;
	buf_init(&langs, 64u << 10);
	for (size_t i = 0; i < v->n; i++) {
		if (!is_lang(v->v[i]))
			return err_set(e, -EINVAL,
				"audience: '%s' is no language; write for example vi or en",
				v->v[i]);
		buf_addf(&langs, "%s'%s'", i ? "," : "", v->v[i]);
	}
	buf_addf(&a->where,
		"(t.lang IN (%s) OR (t.lang='' AND t.office_id IN (SELECT id FROM office WHERE lang IN (%s))))",
		buf_z(&langs), buf_z(&langs));
	return 0;
}

static int add_key(struct db *db, struct audience_sql *a, enum audience_key key,
	const struct audience_values *v, struct err *e)
{
	static const char *const open[AK_COUNT] = {
		[AK_REGION] = "t.office_id IN (",
		[AK_OFFICE] = "t.office_id IN (",
		[AK_UNDER] = "t.office_id IN (",
		[AK_TAG] =
			"EXISTS(SELECT 1 FROM target_tag x WHERE x.target_id=t.id AND x.tag_id IN (",
		[AK_LIST] =
			"EXISTS(SELECT 1 FROM list_target x WHERE x.target_id=t.id AND x.list_id IN ("
	};
	if (key == AK_LANG)
		return add_langs(a, v, e);
	buf_addz(&a->where, open[key]);
	int rc = ids_of(db, a, &a->where, key, v);
	buf_addz(&a->where, key == AK_TAG || key == AK_LIST ? "))" : ")");
	return rc;
}

static int add_clause(
	struct db *db, struct audience_sql *a, const struct audience_clause *c, struct err *e)
{
	bool any = false;
	buf_addc(&a->where, '(');
	for (int k = 0; k < AK_COUNT; k++) {
		if (c->key[k].n == 0)
			continue;
		if (any)
			buf_addz(&a->where, " AND ");
		any = true;
		int rc = add_key(db, a, (enum audience_key)k, &c->key[k], e);
		if (rc < 0)
			return rc;
	}
	buf_addz(&a->where, any ? ")" : "1)");
	return 0;
}

/* The narrowest key of a clause drives it: list, tag, then offices. */
static int drive_clause(struct db *db, struct audience_sql *a, const struct audience_clause *c)
{
	static const struct {
		enum audience_key key;
		const char *sql;
	} ways[] = { { AK_TAG,
			     "SELECT DISTINCT target_id AS id FROM target_tag WHERE tag_id IN (" },
		{ AK_LIST, "SELECT DISTINCT target_id AS id FROM list_target WHERE list_id IN (" },
		{ AK_OFFICE, "SELECT id FROM target WHERE office_id IN (" },
		{ AK_UNDER, "SELECT id FROM target WHERE office_id IN (" },
		{ AK_REGION, "SELECT id FROM target WHERE office_id IN (" } };
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		if (c->key[ways[i].key].n == 0)
			continue;
		if (a->driver.n)
			buf_addz(&a->driver, " UNION ");
		buf_addz(&a->driver, ways[i].sql);
		struct audience_sql quiet = { .unknown = "" };
		int rc = ids_of(db, &quiet, &a->driver, ways[i].key, &c->key[ways[i].key]);
		buf_addc(&a->driver, ')');
		return rc;
	}
	a->driven = false;
	return 0;
}

static int add_nots(
	struct db *db, struct audience_sql *a, const struct audience *rule, struct err *e)
{
	for (size_t i = 0; i < rule->n_not; i++) {
		buf_addz(&a->where, " AND NOT ");
		int rc = add_clause(db, a, &rule->not_[i], e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void open_rule(struct audience_sql *a)
{
	/* The text always ends with the outer parenthesis; a further rule goes in before it. */
	if (a->rules++ == 0) {
		buf_addz(&a->where, "((");
		return;
	}
	a->where.n--;
	buf_addz(&a->where, " OR (");
}

static int close_rule(struct audience_sql *a, struct err *e)
{
	buf_addz(&a->where, "))");
	if (a->where.failed || a->driver.failed)
		return err_set(
			e, -E2BIG, "audience: the rules are too long; use fewer names in them");
	return 0;
}

int audience_sql_add(
	struct db *db, struct audience_sql *a, const struct audience *rule, struct err *e)
{
	int rc = 0;
	open_rule(a);
	buf_addc(&a->where, '(');
	if (rule->n_any == 0) {
		buf_addz(&a->where, rule->broad ? "1" : "0");
		a->driven = a->driven && !rule->broad;
	}
	for (size_t i = 0; i < rule->n_any && rc == 0; i++) {
		if (i)
			buf_addz(&a->where, " OR ");
		rc = add_clause(db, a, &rule->any[i], e);
		if (rc == 0)
			rc = drive_clause(db, a, &rule->any[i]);
	}
	buf_addc(&a->where, ')');
	if (rc == 0)
		rc = add_nots(db, a, rule, e);
	if (rc < 0)
		return e && e->code ? rc : err_set(e, rc, "audience: the store could not be read");
	return close_rule(a, e);
}

/* Reached, or perhaps: sending, accepted, delivered, unknown, doubt. once covers every slot and kind of that release. */
static int add_reached(struct audience_sql *a, int64_t release_id, struct err *e)
{
	long long first = (long long)dlv_once(release_id, 0, (enum chan_kind)0);
	open_rule(a);
	a->driven = false;
	buf_addf(&a->where,
		"EXISTS(SELECT 1 FROM contact rc CROSS JOIN delivery d ON d.once IN (%lld+rc.kind",
		first);
	for (int slot = 1; slot <= (int)ONCE_SLOT_BROADCAST; slot++)
		buf_addf(&a->where, ",%lld+rc.kind", first + slot * 16);
	buf_addz(&a->where,
		") AND d.contact_id=rc.id WHERE rc.id=t.contact_id AND d.state IN (1,2,3,8,10))");
	return close_rule(a, e);
}

int audience_sql_add_rule(struct db *db, struct audience_sql *a, struct str rule, struct err *e)
{
	cJSON *j CLEANUP_JSON = NULL;
	CLEANUP(audience_free) struct audience *parsed = NULL;
	int rc = json_parse(rule, 1u << 20, &j, e);
	if (rc < 0)
		return rc;
	if (json_has(j, "reached"))
		return add_reached(a, json_i64(j, "reached", 0), e);
	rc = audience_from_json(j, &parsed, e);
	return rc < 0 ? rc : audience_sql_add(db, a, parsed, e);
}

int audience_sql_only_form(struct audience_sql *a, const char *form, struct err *e)
{
	struct buf all CLEANUP_BUF;
	buf_init(&all, AUDIENCE_SQL_MAX);
	if (a->rules == 0)
		return 0;
	buf_addf(&all,
		"(%s AND EXISTS(SELECT 1 FROM contact fc WHERE fc.id=t.contact_id AND fc.form='%s'))",
		buf_z(&a->where), form);
	if (all.failed)
		return err_set(
			e, -E2BIG, "audience: the rules are too long; use fewer names in them");
	buf_reset(&a->where);
	buf_add_str(&a->where, buf_str(&all));
	return 0;
}

static void nearest_name(struct db *db, const char *name, char *ret, size_t size)
{
	sqlite3_stmt *st;
	char best[100] = "";
	if (db_query(db, &st, "SELECT name FROM audience ORDER BY name LIMIT 1000", "") < 0)
		return;
	while (db_row(db, st) == 1) {
		const char *have = col_z(st, 0);
		if (str_nearest(str_of(name), &have, 1))
			str_copy(best, sizeof(best), str_of(have));
	}
	if (*best) {
		struct buf b CLEANUP_BUF;
		buf_init(&b, size);
		buf_addf(&b, "; did you mean '%s'?", best);
		str_copy(ret, size, buf_str(&b));
	}
}

int audience_rule_get(struct db *db, const char *name, char **ret, struct err *e)
{
	sqlite3_stmt *st;
	char hint[160] = "";
	int rc = db_query(db, &st, "SELECT rule FROM audience WHERE name=?", "t", name);
	if (rc < 0)
		return err_set(e, rc, "audience '%s' could not be read", name);
	rc = db_row(db, st);
	if (rc == 1) {
		*ret = col_dup(st, 0);
		db_reset(st);
		return 0;
	}
	if (rc < 0)
		return err_set(e, rc, "audience '%s' could not be read", name);
	nearest_name(db, name, hint, sizeof(hint));
	return err_set(e, -ENOENT, "there is no audience '%s'%s", name, hint);
}

int audience_sql_named(
	struct db *db, struct audience_sql *a, const char *const *names, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		char *rule = NULL;
		int rc = audience_rule_get(db, names[i], &rule, e);
		if (rc == 0)
			rc = audience_sql_add_rule(db, a, str_of(rule), e);
		free(rule);
		if (rc < 0)
			return rc;
	}
	return 0;
}
