/* store_plan_resolve.c - who an audience is, counted: one pass over the targets for all parts of a release.
 * Thread: worker. Owns: the result. Bounded: groups, lists and winners by their maxima; targets are read in order of contact,
 * so that only one contact's targets are in memory at a time.
 */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/env.h"
#include "base/map.h"
#include "store/store_plan.h"

#define RUN_MAX   4096 /* targets of one contact */
#define PAGE_ROWS 20000

struct seen { /* one target of the contact at hand */
	int64_t target_id, lane_id, office_id;
	uint64_t mask;
	int depth;
	bool internal;
	char form[16], lang[16];
};
struct pass {
	const struct resolve_ask *ask;
	struct resolve_out *out;
	struct maps *by_key;
	size_t cap_groups, cap_contacts, cap_winners;
	struct hasher list[PARTS_MAX][KIND_MAX + 1];
	struct map64 *offices[PARTS_MAX];
	struct seen run[RUN_MAX];
	size_t n_run;
	int64_t contact;
	int kind;
	int rc;
	uint32_t rows;
};

static void key_put(struct buf *b, const void *p, size_t n)
{
	buf_add(b, p, n);
}

static struct resolve_group *group_of(struct pass *p, size_t part, const struct seen *s)
{
	char room[128];
	struct buf b CLEANUP_BUF;
	buf_init(&b, sizeof(room));
	key_put(&b, &part, sizeof(part));
	key_put(&b, &s->lane_id, sizeof(s->lane_id));
	key_put(&b, &s->office_id, sizeof(s->office_id));
	key_put(&b, s->form, sizeof(s->form));
	key_put(&b, s->lang, sizeof(s->lang));
	struct resolve_out *o = p->out;
	uintptr_t at = (uintptr_t)maps_get(p->by_key, buf_str(&b));
	if (at)
		return &o->groups[at - 1];
	if (o->n_groups == PLAN_GROUPS_MAX) {
		p->rc = -E2BIG;
		return NULL;
	}
	if (o->n_groups == p->cap_groups) {
		p->cap_groups = p->cap_groups ? 2 * p->cap_groups : 64;
		o->groups = x_realloc(o->groups, p->cap_groups, sizeof(*o->groups));
	}
	struct resolve_group *g = &o->groups[o->n_groups++];
	*g = (struct resolve_group){
		.part = part, .kind = p->kind, .lane_id = s->lane_id, .office_id = s->office_id
	};
	memcpy(g->form, s->form, sizeof(g->form));
	memcpy(g->lang, s->lang, sizeof(g->lang));
	maps_put(p->by_key, buf_str(&b),
		(void *)(uintptr_t)o->n_groups); /* index + 1, never followed */
	return g;
}

static void add_contact(struct pass *p, size_t part, struct resolve_kind *k)
{
	struct resolve_out *o = p->out;
	int64_t id = p->contact;
	if (k->n <= MANIFEST_LIST_MAX)
		hasher_field(&p->list[part][p->kind], &id, sizeof(id));
	if (!p->ask->contacts || k->n > MANIFEST_LIST_MAX)
		return;
	if (o->n_contacts == p->cap_contacts) {
		p->cap_contacts = p->cap_contacts ? 2 * p->cap_contacts : 256;
		o->contacts = x_realloc(o->contacts, p->cap_contacts, sizeof(*o->contacts));
	}
	o->contacts[o->n_contacts++] = (struct contact_key){ (uint32_t)part, p->kind, id };
}

static void add_winner(struct pass *p, const struct seen *s)
{
	struct resolve_out *o = p->out;
	if (!p->ask->winners || o->winners_over)
		return;
	if (o->n_winners == PLAN_WINNERS_MAX) {
		o->winners_over = true;
		return;
	}
	if (o->n_winners == p->cap_winners) {
		p->cap_winners = p->cap_winners ? 2 * p->cap_winners : 256;
		o->winners = x_realloc(o->winners, p->cap_winners, sizeof(*o->winners));
	}
	o->winners[o->n_winners++] = (struct resolve_winner){ p->contact, s->target_id, s->lane_id,
		s->office_id, s->depth, p->kind };
}

static void count_winner(struct pass *p, size_t part, const struct seen *s)
{
	struct resolve_kind *k = &p->out->kind[part][p->kind];
	k->n++;
	if (!s->internal && k->not_internal++ == 0)
		k->not_internal_office = s->office_id;
	uint64_t key = (uint64_t)s->office_id * (KIND_MAX + 1) + (uint64_t)p->kind;
	if (!map64_put(p->offices[part], key, p))
		k->offices++;
	add_contact(p, part, k);
	if (s->lane_id == 0) {
		if (k->no_route++ == 0)
			k->no_route_office = s->office_id;
		return;
	}
	struct resolve_group *g = group_of(p, part, s);
	if (g)
		g->n++;
	add_winner(p, s);
}

/* Deepest office, then the smaller number, then the smaller lane: the order in which lots are planned. */
static bool nearer(const struct seen *a, const struct seen *b)
{
	if (a->depth != b->depth)
		return a->depth > b->depth;
	return a->office_id != b->office_id ? a->office_id < b->office_id : a->lane_id < b->lane_id;
}

static void finish_contact(struct pass *p)
{
	bool taken = false, told = false;
	for (size_t part = 0; part < p->ask->n_parts && p->n_run > 0 && p->rc == 0; part++) {
		const struct resolve_part *rp = &p->ask->parts[part];
		const struct seen *best = NULL;
		if (!(rp->kinds & BIT(p->kind)) || (taken && !rp->again) || (told && rp->broadcast))
			continue;
		for (size_t i = 0; i < p->n_run; i++)
			if ((p->run[i].mask >> part & 1) && (!best || nearer(&p->run[i], best)))
				best = &p->run[i];
		if (!best)
			continue;
		taken = taken || !rp->again;
		told = told || rp->broadcast;
		count_winner(p, part, best);
	}
	p->n_run = 0;
}

static void take_row(struct pass *p, sqlite3_stmt *st)
{
	int64_t contact = col_i64(st, 0);
	if (++p->rows % GIVE_WAY_ROWS == 0)
		work_give_way();
	const struct plan_office *o = plan_office_by_id(p->ask->offices, col_i64(st, 4));
	if (contact != p->contact)
		finish_contact(p);
	p->contact = contact;
	p->kind = (int)col_i64(st, 1);
	if (!o || !o->valid || p->n_run == RUN_MAX || p->kind < 1 || p->kind > KIND_MAX)
		return;
	struct seen *s = &p->run[p->n_run++];
	*s = (struct seen){ .target_id = col_i64(st, 2),
		.lane_id = col_i64(st, 3),
		.office_id = o->id,
		.depth = o->depth,
		.internal = (col_i64(st, 7) & 2) != 0,
		.mask = (uint64_t)col_i64(st, 8) };
	str_copy(s->form, sizeof(s->form), col_str(st, 5));
	struct str lang = col_str(st, 6);
	str_copy(s->lang, sizeof(s->lang), lang.n ? lang : str_of(o->lang));
}

#define COLUMNS \
	"t.contact_id, c.kind, t.id, ifnull(t.lane_id,0), t.office_id, c.form, t.lang, t.flags, "

static void add_mask(const struct resolve_ask *ask, struct buf *b, bool where)
{
	for (size_t i = 0; i < ask->n_parts; i++) {
		if (where)
			buf_addf(
				b, "%s%s", i ? " OR " : "", audience_sql_where(ask->parts[i].rule));
		else
			buf_addf(b, "%s(%s)*%llu", i ? "+" : "",
				audience_sql_where(ask->parts[i].rule), 1ULL << i);
	}
}

/* The statement that selects all candidates; 0: there is none, each target is looked at. */
static int driver_of(const struct resolve_ask *ask, struct buf *driver)
{
	for (size_t i = 0; i < ask->n_parts; i++) {
		const char *one = audience_sql_driver(ask->parts[i].rule);
		if (ask->parts[i].rule->rules == 0)
			continue;
		if (!one)
			return 0;
		buf_addf(driver, "%s%s", driver->n ? " UNION " : "", one);
	}
	if (driver->n == 0)
		buf_addz(driver, "SELECT 0 AS id WHERE 0");
	return 1;
}

/* How many rows the statement gives, up to max; or a negative code. */
static int64_t rows_of(struct db *db, const char *select, int64_t max)
{
	sqlite3_stmt *st;
	struct buf sql CLEANUP_BUF;
	buf_init(&sql, 2 * AUDIENCE_SQL_MAX);
	buf_addf(&sql, "SELECT count(*) FROM (SELECT 1 FROM (%s) LIMIT %lld)", select,
		(long long)max);
	if (sql.failed)
		return -E2BIG;
	int rc = db_prepare(db, buf_z(&sql), &st);
	if (rc < 0)
		return rc;
	int64_t n = sqlite3_step(st) == SQLITE_ROW ? col_i64(st, 0) : -EIO;
	sqlite3_finalize(st);
	return n;
}

/* Each rule by itself, so that nothing is sorted for it: who is in two counts twice. 1 yes, 0 no, or a negative code. */
static int is_short(struct db *db, const struct resolve_ask *ask, bool driven)
{
	int64_t n = driven ? 0 : rows_of(db, "SELECT id FROM target", PLAN_SHORT_MAX + 1);
	if (n < 0)
		return (int)n;
	for (size_t i = 0; driven && i < ask->n_parts && n <= PLAN_SHORT_MAX; i++) {
		if (ask->parts[i].rule->rules == 0)
			continue;
		int64_t more = rows_of(
			db, audience_sql_driver(ask->parts[i].rule), PLAN_SHORT_MAX + 1 - n);
		if (more < 0)
			return (int)more;
		n += more;
	}
	return n <= PLAN_SHORT_MAX;
}

/* Few enough candidates to read them all at once: 1 yes, 0 no, or a negative code. */
static int is_small(struct db *db, const struct resolve_ask *ask, struct buf *driver)
{
	int driven = driver_of(ask, driver), rc = 1;
	if (driver->failed)
		return -E2BIG;
	if (!ask->large)
		rc = is_short(db, ask, driven);
	if (rc <= 0)
		return rc ? rc : -EOVERFLOW;
	if (!driven)
		return 0;
	int64_t n = rows_of(db, buf_z(driver), PLAN_DRIVEN_MAX + 1);
	return n < 0 ? (int)n : n <= PLAN_DRIVEN_MAX;
}

static int run_small(struct db *db, struct pass *p, const char *driver)
{
	struct buf sql CLEANUP_BUF;
	sqlite3_stmt *st;
	buf_init(&sql, 8 * AUDIENCE_SQL_MAX);
	buf_addz(&sql, "SELECT " COLUMNS);
	add_mask(p->ask, &sql, false);
	buf_addf(&sql,
		" AS m FROM (%s) d CROSS JOIN target t ON t.id=d.id CROSS JOIN contact c ON c.id=t.contact_id "
		"WHERE " AUDIENCE_TARGET_SEEN " AND (",
		driver);
	add_mask(p->ask, &sql, true);
	buf_addz(&sql, ") ORDER BY t.contact_id, t.id");
	int rc = sql.failed ? -E2BIG : db_prepare(db, buf_z(&sql), &st);
	if (rc < 0)
		return rc;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW && p->rc == 0)
		take_row(p, st);
	sqlite3_finalize(st);
	return p->rc ? p->rc : rc == SQLITE_DONE ? 0 : -EIO;
}

/* Page by page in order of contact; the last contact of a full page is read again with the next one. */
static int run_pages(struct db *db, struct pass *p)
{
	struct buf sql CLEANUP_BUF;
	sqlite3_stmt *st;
	int64_t after = 0, began;
	size_t rows;
	int rc;
	buf_init(&sql, 8 * AUDIENCE_SQL_MAX);
	buf_addz(&sql, "SELECT " COLUMNS);
	add_mask(p->ask, &sql, false);
	buf_addz(&sql,
		" AS m FROM target t CROSS JOIN contact c ON c.id=t.contact_id WHERE t.contact_id>?1 AND " AUDIENCE_TARGET_SEEN
		" AND (");
	add_mask(p->ask, &sql, true);
	buf_addz(&sql, ") ORDER BY t.contact_id LIMIT ?2");
	rc = sql.failed ? -E2BIG : db_prepare(db, buf_z(&sql), &st);
	if (rc < 0)
		return rc;
	do {
		began = after;
		sqlite3_reset(st);
		rc = db_bind(st, "ii", after, (int64_t)PAGE_ROWS);
		for (rows = 0; rc == 0 && p->rc == 0 && sqlite3_step(st) == SQLITE_ROW; rows++) {
			int64_t contact = col_i64(st, 0);
			if (rows > 0 && contact != p->contact)
				after = p->contact;
			take_row(p, st);
		}
		if (rows == PAGE_ROWS)
			p->n_run = 0; /* read again from its first target on */
		if (rows == PAGE_ROWS && after == began)
			p->rc = -E2BIG; /* a page of one contact: more offices than there can be */
	} while (rc == 0 && p->rc == 0 && rows == PAGE_ROWS);
	sqlite3_finalize(st);
	return p->rc ? p->rc : rc;
}

static int by_group(const void *x, const void *y)
{
	const struct resolve_group *a = x, *b = y;
	if (a->part != b->part)
		return a->part < b->part ? -1 : 1;
	if (a->office_id != b->office_id)
		return a->office_id < b->office_id ? -1 : 1;
	if (a->lane_id != b->lane_id)
		return a->lane_id < b->lane_id ? -1 : 1;
	int c = strcmp(a->form, b->form);
	return c ? c : strcmp(a->lang, b->lang);
}

static int by_depth(const void *x, const void *y)
{
	const struct resolve_winner *a = x, *b = y;
	if (a->depth != b->depth)
		return a->depth > b->depth ? -1 : 1;
	if (a->office_id != b->office_id)
		return a->office_id < b->office_id ? -1 : 1;
	if (a->lane_id != b->lane_id)
		return a->lane_id < b->lane_id ? -1 : 1;
	return a->contact_id < b->contact_id ? -1 : a->contact_id > b->contact_id;
}

static void finish(struct pass *p)
{
	struct resolve_out *o = p->out;
	size_t kept = 0;
	for (size_t part = 0; part < p->ask->n_parts; part++)
		for (int k = 1; k <= KIND_MAX; k++) {
			hasher_end(&p->list[part][k], &o->kind[part][k].list);
			if (o->kind[part][k].n > MANIFEST_LIST_MAX)
				o->kind[part][k].list = (struct hash){ 0 };
		}
	for (size_t i = 0; i < o->n_contacts; i++) /* lists that came out too long are no lists */
		if (o->kind[o->contacts[i].part][o->contacts[i].kind].n <= MANIFEST_LIST_MAX)
			o->contacts[kept++] = o->contacts[i];
	o->n_contacts = kept;
	if (o->n_groups)
		qsort(o->groups, o->n_groups, sizeof(*o->groups), by_group);
	if (o->n_winners)
		qsort(o->winners, o->n_winners, sizeof(*o->winners), by_depth);
}

int plan_resolve(
	struct db *db, const struct resolve_ask *ask, struct resolve_out **ret, struct err *e)
{
	REQUIRE(ask->n_parts <= PARTS_MAX);
	struct buf driver CLEANUP_BUF;
	struct pass *p = x_calloc(1, sizeof(*p));
	p->ask = ask;
	p->out = x_calloc(1, sizeof(*p->out));
	p->by_key = maps_new();
	buf_init(&driver, 4 * AUDIENCE_SQL_MAX);
	for (size_t i = 0; i < ask->n_parts; i++) {
		p->offices[i] = map64_new();
		for (int k = 1; k <= KIND_MAX; k++)
			hasher_init(&p->list[i][k]);
	}
	int rc = is_small(db, ask, &driver);
	if (rc >= 0)
		rc = rc ? run_small(db, p, buf_z(&driver)) : run_pages(db, p);
	if (rc == 0)
		finish_contact(p);
	rc = rc ? rc : p->rc;
	finish(p);
	for (size_t i = 0; i < ask->n_parts; i++)
		map64_free(p->offices[i]);
	maps_free(p->by_key);
	if (rc < 0)
		resolve_out_free(p->out);
	else
		*ret = p->out;
	free(p);
	return rc < 0
		? err_set(e, rc,
			  rc == -E2BIG ? "the audiences have too many lanes, offices and languages"
				       : "the audiences could not be resolved")
		: 0;
}

void resolve_out_free(struct resolve_out *o)
{
	if (!o)
		return;
	free(o->groups);
	free(o->contacts);
	free(o->winners);
	free(o);
}
