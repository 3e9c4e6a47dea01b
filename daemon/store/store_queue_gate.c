/* store_queue_gate.c - hold, resume and cancel: a row in the gate table, or the gate of the lots; never rows of deliveries.
 * Thread: store. Owns: nothing. Must not know: what is in flight.
 * Hold puts a gate row, which covers lots that come later too. Resume takes away the rows of its scope and opens lots and
 * lanes of it that were held. Cancel closes the lots; a sweep moves their rows afterwards.
 * Failures: the command fails whole; dispatch then takes back what it did in memory. */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "base/map.h"
#include "model/state.h"
#include "store/store_internal.h"
#include "store/store_queue.h"
#include "store/store_queue_gate.h"

/* The lots of a scope; ?1 release ?2 part ?3 office ?4 campaign ?5 lane ?6 channel ?7 channels of the kind. */
#define LOTS_OF_SCOPE                                                                                   \
	" FROM lot l JOIN release r ON r.id=l.release_id JOIN lane n ON n.id=l.lane_id JOIN account a " \
	"ON a.id=n.account_id WHERE (?1=0 OR l.release_id=?1) AND (?2<0 OR l.part=?2) AND (?3=0 OR "    \
	"l.office_id IN (WITH RECURSIVE under(id) AS (SELECT ?3 UNION SELECT o.id FROM office o JOIN "  \
	"under u ON o.parent_id=u.id) SELECT id FROM under)) AND (?4=0 OR r.campaign_id=?4) AND (?5=0 " \
	"OR l.lane_id=?5) AND (?6=0 OR a.channel_id=?6) AND (?7='' OR a.channel_id IN (SELECT value "   \
	"FROM json_each(CASE ?7 WHEN '' THEN '[]' ELSE ?7 END)))"
#define SCOPE_FMT "iiiiiit"
#define SCOPE_ARGS(s)                                                                          \
	(s)->release, (int64_t)(s)->part, (s)->office, (s)->campaign, (s)->lane, (s)->channel, \
		(s)->channels_json

void gate_scope_write(const struct sq_scope *s, char *dst, size_t size)
{
	snprintf(dst, size, "r=%lld p=%d o=%lld c=%lld l=%lld h=%lld k=%d a=%d | %s",
		(long long)s->release, s->part, (long long)s->office, (long long)s->campaign,
		(long long)s->lane, (long long)s->channel, s->kind, s->all ? 1 : 0, s->text);
}

bool gate_scope_read(struct str what, struct sq_gate *ret)
{
	char z[400];
	long long r, o, c, l, h;
	int p, k, a, at = 0;

	memset(ret, 0, sizeof(*ret));
	if (!str_copy(z, sizeof(z), what))
		return false;
	if (sscanf(z, "r=%lld p=%d o=%lld c=%lld l=%lld h=%lld k=%d a=%d | %n", &r, &p, &o, &c, &l,
		    &h, &k, &a, &at) != 8 ||
		at == 0)
		return false;
	ret->release = r;
	ret->part = p;
	ret->office = o;
	ret->campaign = c;
	ret->lane = l;
	ret->channel = h;
	ret->kind = k;
	ret->all = a != 0;
	(void)str_copy(ret->text, sizeof(ret->text), str_of(z + at));
	return true;
}

/* A gate is inside the scope when all that the scope names is the same there. */
static bool gate_inside(const struct sq_gate *g, const struct sq_scope *s)
{
	if (s->all)
		return g->all;
	return !g->all && (!s->release || s->release == g->release) &&
		(s->part < 0 || s->part == g->part) && (!s->office || s->office == g->office) &&
		(!s->campaign || s->campaign == g->campaign) && (!s->lane || s->lane == g->lane) &&
		(!s->channel || s->channel == g->channel) && (!s->kind || s->kind == g->kind);
}

static int count(struct store_tx *tx, struct sq_stop *c)
{
	sqlite3_stmt *st;
	int rc = db_query(tx_db(tx), &st,
		"SELECT count(*), coalesce(sum(l.n0),0)" LOTS_OF_SCOPE
		" AND l.gate IN (0,1,2) AND (l.n0>0 OR l.n1>0 OR l.gate=0)",
		SCOPE_FMT, SCOPE_ARGS(&c->scope));

	if (rc == 0)
		rc = db_row(tx_db(tx), st);
	if (rc != 1)
		return rc;
	c->ret_lots = col_i64(st, 0);
	c->ret_deliveries = col_i64(st, 1);
	db_reset(st);
	return 0;
}

static int hold(struct store_tx *tx, struct sq_stop *c)
{
	char what[400];
	struct db *db = tx_db(tx);

	gate_scope_write(&c->scope, what, sizeof(what));
	int rc = db_exec(db,
		"INSERT INTO gate(what, until, except_prio, person, why, at) VALUES (?1, "
		"nullif(?2,0), CASE WHEN ?3<0 THEN NULL ELSE ?3 END, ?4, ?5, ?6)",
		"tiitti", what, c->until_ms, (int64_t)c->except_prio, c->person, c->why,
		tx_wall_ms(tx));
	c->gate_id = rc == 0 ? db_last_id(db) : 0;
	return rc;
}

/* --- resume --------------------------------------------------------------------------------------------------------------- */

#define DROP_MAX 256 /* gates of one resume */

/* Lots that a resume frees, each once however many gates cover it; as many as there are live lots at most. */
struct freed {
	struct store_tx *tx;
	struct sq_stop *c;
	struct map64 *lots;
};
enum freed_by { BY_GATE = 0, BY_LOT = 1, BY_LANE = 2 };

static int freed_add(struct freed *f, const struct sq_scope *s, enum freed_by by, int except_prio)
{
	struct db *db = tx_db(f->tx);
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT l.id, l.n0" LOTS_OF_SCOPE
		" AND l.gate IN (0,1,2) AND (l.n0>0 OR l.n1>0 OR l.gate=0) AND (?8<>1 OR l.gate=2) AND "
		"(?8<>2 OR n.gate<>0) AND (?9<0 OR l.prio>?9)",
		SCOPE_FMT "ii", SCOPE_ARGS(s), (int64_t)by, (int64_t)except_prio);

	while (rc >= 0 && (rc = db_row(db, st)) == 1)
		if (!map64_put(f->lots, (uint64_t)col_i64(st, 0), f)) {
			f->c->ret_lots++;
			f->c->ret_deliveries += col_i64(st, 1);
		}
	return rc;
}

static int freed_by_gate(struct freed *f, const struct sq_gate *g)
{
	struct sq_scope *s = x_calloc(1, sizeof(*s));

	*s = (struct sq_scope){ .release = g->release,
		.office = g->office,
		.campaign = g->campaign,
		.lane = g->lane,
		.channel = g->channel,
		.part = g->part };
	if (g->kind > 0 && g->kind <= KIND_MAX)
		memcpy(s->channels_json, f->c->kind_channels[g->kind], sizeof(s->channels_json));
	int rc = freed_add(f, s, BY_GATE, g->except_prio);
	xfree(s);
	return rc;
}

static int gates_read(struct db *db, const struct sq_scope *s, struct sq_gate *ret, size_t *ret_n)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st, "SELECT id, what, except_prio FROM gate ORDER BY id", "");

	*ret_n = 0;
	while (rc >= 0 && (rc = db_row(db, st)) == 1) {
		struct sq_gate *g = &ret[*ret_n];
		if (*ret_n == DROP_MAX || !gate_scope_read(col_str(st, 1), g) || !gate_inside(g, s))
			continue;
		g->id = col_i64(st, 0);
		g->except_prio = sqlite3_column_type(st, 2) == SQLITE_NULL ? -1
									   : (int)col_i64(st, 2);
		(*ret_n)++;
	}
	return rc;
}

static int gates_drop(struct freed *f)
{
	struct db *db = tx_db(f->tx);
	struct sq_gate *g = x_calloc(DROP_MAX, sizeof(*g));
	size_t n = 0;
	int rc = gates_read(db, &f->c->scope, g, &n);

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = freed_by_gate(f, &g[i]);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = db_exec(db, "DELETE FROM gate WHERE id=?", "i", g[i].id);
	f->c->ret_gates = (int64_t)n;
	xfree(g);
	return rc;
}

/* What was tried again after its release was done, and came back from a backup: a done release is not looked at any more, so it is being
 * sent once more. */
static int done_again(struct db *db, const struct sq_scope *s)
{
	int rc = db_exec(db,
		"UPDATE part SET state=1 WHERE state=2 AND started IS NOT NULL AND EXISTS(SELECT 1" LOTS_OF_SCOPE
		" AND l.gate=0 AND l.n0>0 AND r.state IN (3,4) AND r.rev_approved=part.rev AND "
		"l.release_id=part.release_id AND l.part=part.part)",
		SCOPE_FMT, SCOPE_ARGS(s));
	if (rc == 0 && db_changes(db) > 0)
		rc = db_exec(db,
			"UPDATE release SET state=3 WHERE state=4 AND EXISTS(SELECT 1 FROM part p WHERE "
			"p.release_id=release.id AND p.rev=release.rev_approved AND p.state=1)",
			"");
	return rc;
}

/* Lots held by the machine open with it. One whose part has not started, that was held because its outputs are not what was
 * approved, or that came from a backup goes back to planning, which judges it anew and opens it only when all is as approved.
 * Parts that a restored backup held wait again, or go on where they had started. */
static int lots_resume(struct db *db, const struct sq_scope *s, int64_t *lifted)
{
	int rc = db_exec(db,
		"UPDATE lot SET gate=iif(ifnull(why,'') LIKE 'changed:%' OR ifnull(why,'') LIKE 'restored:%' OR NOT EXISTS(SELECT 1 FROM "
		"part p JOIN release r ON r.id=p.release_id AND r.rev_approved=p.rev WHERE p.release_id=lot.release_id AND p.part=lot.part "
		"AND p.started IS NOT NULL), 0, 1), why=NULL WHERE gate=2 AND id IN (SELECT l.id" LOTS_OF_SCOPE
		" AND l.gate=2)",
		SCOPE_FMT, SCOPE_ARGS(s));
	*lifted += rc == 0 ? db_changes(db) : 0;
	if (rc == 0)
		rc = db_exec(db,
			"UPDATE part SET state=iif(started IS NULL, 0, 1), why=NULL WHERE state=3 AND why LIKE 'restored:%' AND (?2<0 OR "
			"part=?2) AND release_id IN (SELECT r.id FROM release r WHERE r.rev_approved=part.rev AND (?1=0 OR r.id=?1) AND "
			"(?3=0 OR r.campaign_id=?3)) AND (?1<>0 OR ?3<>0)",
			"iii", s->release, (int64_t)s->part, s->campaign);
	*lifted += rc == 0 ? db_changes(db) : 0;
	return rc == 0 ? done_again(db, s) : rc;
}

#define LANES_OF_SCOPE \
	" WHERE (?1=0 OR id=?1) AND (?2=0 OR account_id IN (SELECT id FROM account WHERE channel_id=?2))"

static int lanes_resume(struct db *db, const struct sq_scope *s, int64_t *lifted)
{
	int64_t held = 0;
	int rc = db_get_i64(db, &held, "SELECT count(*) FROM lane" LANES_OF_SCOPE " AND gate<>0",
		"ii", s->lane, s->channel);

	*lifted += held;
	/* The pause that a provider asked for is its word: only a hold is lifted, and the pause that came with it. */
	return rc < 0
		? rc
		: db_exec(db,
			  "UPDATE lane SET gate=0, why=NULL, until=CASE WHEN gate<>0 THEN 0 ELSE until "
			  "END" LANES_OF_SCOPE,
			  "ii", s->lane, s->channel);
}

static int resume(struct store_tx *tx, struct sq_stop *c)
{
	const struct sq_scope *s = &c->scope;
	struct freed f = { .tx = tx, .c = c, .lots = map64_new() };
	bool lanes = s->lane || s->channel;
	bool lots = !lanes && (s->release || s->office || s->campaign);
	int rc = gates_drop(&f);

	if (rc == 0 && (lanes || lots))
		rc = freed_add(&f, s, lanes ? BY_LANE : BY_LOT, -1);
	map64_free(f.lots);
	c->ret_lifted = c->ret_gates;
	if (rc == 0 && lots)
		rc = lots_resume(tx_db(tx), s, &c->ret_lifted);
	if (rc == 0 && lanes)
		rc = lanes_resume(tx_db(tx), s, &c->ret_lifted);
	return rc;
}

/* A part and nothing narrower: also the lots that it would have, were it planned (again). */
static bool names_part(const struct sq_scope *s)
{
	return s->release && s->part >= 0 && !s->office && !s->campaign && !s->lane &&
		!s->channel && !s->channels_json[0];
}

static int part_close(struct store_tx *tx, const struct sq_scope *s, const char *why)
{
	return db_exec(tx_db(tx),
		"UPDATE part SET state=?3, why=?4 WHERE release_id=?1 AND part=?2 AND rev=(SELECT rev_approved "
		"FROM release WHERE id=?1) AND state IN (0,1,3)",
		"iiit", s->release, (int64_t)s->part, (int64_t)PART_CANCELLED, why);
}

static int cancel(struct store_tx *tx, struct sq_stop *c)
{
	char why[500];

	snprintf(why, sizeof(why), "cancelled by %s: %s", c->person, c->why);
	int rc = db_exec(tx_db(tx),
		"UPDATE lot SET gate=3, why=?8 WHERE gate IN (0,1,2) AND id IN (SELECT "
		"l.id" LOTS_OF_SCOPE " AND l.gate IN (0,1,2))",
		SCOPE_FMT "t", SCOPE_ARGS(&c->scope), why);
	return rc == 0 && names_part(&c->scope) ? part_close(tx, &c->scope, why) : rc;
}

static int stop_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct sq_stop *c = CONTAINER_OF(cmd, struct sq_stop, cmd);
	char now[80];
	struct audit_event ev = { .person = c->person,
		.via = c->via,
		.what = c->what,
		.subject = c->scope.text,
		.now = now,
		.why = c->why };
	int rc = 0;

	c->ret_gates = c->ret_lots = c->ret_deliveries = c->ret_lifted = 0;
	if (c->verb != SQ_RESUME)
		rc = count(tx, c);
	if (rc == 0 && c->verb == SQ_HOLD)
		rc = hold(tx, c);
	else if (rc == 0 && c->verb == SQ_RESUME)
		rc = resume(tx, c);
	else if (rc == 0)
		rc = cancel(tx, c);
	snprintf(now, sizeof(now), "lots=%lld deliveries=%lld", (long long)c->ret_lots,
		(long long)c->ret_deliveries);
	return rc ? rc : store_audit(tx, &ev);
}

void sq_stop_init(struct sq_stop *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = stop_run;
}

/* Lots of a release that was ended, where a crash or a full disk came between its end and theirs. */
static int ended_close(struct db *db)
{
	return db_exec(db,
		"UPDATE lot SET gate=3, why='cancelled with its release' WHERE id IN (SELECT l.id FROM lot l "
		"INDEXED BY lot_live JOIN release r ON r.id=l.release_id WHERE (n0>0 OR n1>0 OR n8>0 OR n9>0 "
		"OR n10>0) AND r.state IN (5,7) AND l.gate IN (0,1,2,5))",
		"");
}

static int expire_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct sq_expire *c = CONTAINER_OF(cmd, struct sq_expire, cmd);
	struct db *db = tx_db(tx);
	int rc = db_exec(db,
		"UPDATE lot SET gate=4, why='expired' WHERE gate IN (1,2) AND expires<=? AND (n0>0 OR "
		"n1>0 OR n8>0 OR n9>0)",
		"i", tx_wall_ms(tx));

	c->ret_lots = rc ? 0 : db_changes(db);
	if (rc == 0)
		rc = ended_close(db);
	c->ret_lots += rc ? 0 : db_changes(db);
	if (rc == 0)
		rc = db_exec(db, "DELETE FROM gate WHERE until IS NOT NULL AND until<=?", "i",
			tx_wall_ms(tx));
	c->ret_gates = rc ? 0 : db_changes(db);
	return rc;
}

void sq_expire_init(struct sq_expire *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = expire_run;
}
