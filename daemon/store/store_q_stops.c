/* store_q_stops.c - holds of people in force: all of them, those of a release, those that meet a scope.
 * Thread: worker. Owns: nothing. Must not know: JSON of answers. Failures: the code of the store. */
#include "store/store_internal.h"
#include "store/store_q_internal.h"
#include "store/store_q_queue.h"
#include "store/store_queue_gate.h"

/* 1 covered, 0 not. A release without lots is covered by what names no office, lane, channel or kind. */
static int stop_covers(
	struct db *db, const struct sq_gate *g, int64_t release, const char *kinds_json)
{
	int64_t covers = 0;

	if (g->release)
		return g->release == release;
	int rc = db_get_i64(db, &covers,
		"SELECT EXISTS(SELECT 1 FROM lot l JOIN lane n ON n.id=l.lane_id JOIN account a ON "
		"a.id=n.account_id JOIN channel h ON h.id=a.channel_id WHERE l.release_id=r.id AND "
		"l.gate<3 AND (l.n0>0 OR l.n1>0 OR l.n9>0 OR l.gate=0) AND l.prio>?7 AND " UNDER(
			"?2") " AND (?4=0 OR l.lane_id=?4) AND (?5=0 OR h.id=?5) AND (?6=0 OR "
			      "EXISTS(SELECT 1 FROM json_each(?8) WHERE value->>0=h.name AND "
			      "value->>1=?6))) OR (?2=0 AND ?4=0 AND ?5=0 AND ?6=0 AND r.state<=3 "
			      "AND r.prio>?7 AND NOT EXISTS(SELECT 1 FROM lot WHERE release_id=r.id)) "
			      "FROM release r WHERE r.id=?1 AND (?3=0 OR r.campaign_id=?3)",
		"iiiiiiit", release, g->office, g->campaign, g->lane, g->channel, (int64_t)g->kind,
		(int64_t)g->except_prio, kinds_json);
	return rc < 0 ? rc : covers != 0;
}

/* --- holds that meet a scope ------------------------------------------------------------------------------------------------ */

/* Where the lots of a scope are: what is not said and cannot be told from the rest is 0. */
struct place {
	int64_t lane, channel, campaign, kind;
};

static int place_of(
	struct db *db, const struct sq_gate *g, const char *kinds_json, struct place *ret)
{
	int rc;

	*ret = (struct place){ g->lane, g->channel, g->campaign, g->kind };
	if (g->lane) {
		rc = db_get_i64(db, &ret->channel,
			"SELECT a.channel_id FROM lane n JOIN account a ON a.id=n.account_id WHERE n.id=?",
			"i", g->lane);
		if (rc < 0)
			return rc;
	}
	if (ret->channel) {
		rc = db_get_i64(db, &ret->kind,
			"SELECT value->>1 FROM json_each(?2) WHERE value->>0=(SELECT name FROM channel WHERE "
			"id=?1)",
			"it", ret->channel, kinds_json);
		if (rc < 0)
			return rc;
	}
	if (!g->release || g->campaign)
		return 0;
	rc = db_get_i64(db, &ret->campaign, "SELECT ifnull(campaign_id,-1) FROM release WHERE id=?",
		"i", g->release);
	return rc < 0 ? rc : 0;
}

static bool differ(int64_t a, int64_t b)
{
	return a && b && a != b;
}

/* 1: neither is the other or below it. */
static int offices_apart(struct db *db, int64_t a, int64_t b)
{
	int64_t apart = 0;
	if (!differ(a, b))
		return 0;
	int rc = db_get_i64(db, &apart,
		"WITH RECURSIVE up(id, of) AS (SELECT ?1, ?2 UNION SELECT ?2, ?1 UNION SELECT o.parent_id, up.of FROM "
		"up JOIN office o ON o.id=up.id WHERE o.parent_id IS NOT NULL) SELECT NOT EXISTS(SELECT 1 FROM up "
		"WHERE id=of)",
		"ii", a, b);
	return rc < 0 ? rc : (int)apart;
}

/* 1 where the hold may stop something of the scope, 0 where what they name lies apart, or where the one names a release of which
 * nothing that is not over lies in the other. */
static int stop_meets(
	struct db *db, const struct sq_gate *g, const struct sq_gate *s, const char *kinds_json)
{
	struct place a, b;

	if (s->all)
		return 1;
	if (differ(g->release, s->release) ||
		(g->release && g->release == s->release && g->part >= 0 && s->part >= 0 &&
			g->part != s->part))
		return 0;
	int rc = place_of(db, g, kinds_json, &a);
	if (rc == 0)
		rc = place_of(db, s, kinds_json, &b);
	if (rc < 0)
		return rc;
	if (differ(a.lane, b.lane) || differ(a.channel, b.channel) || differ(a.kind, b.kind) ||
		differ(a.campaign, b.campaign))
		return 0;
	rc = offices_apart(db, g->office, s->office);
	if (rc)
		return rc < 0 ? rc : 0;
	if (s->release && !g->release)
		return stop_covers(db, g, s->release, kinds_json);
	if (g->release && !s->release)
		return stop_covers(db, s, g->release, kinds_json);
	return 1;
}

/* scope NULL: whatever they cover. */
static int stops_read(struct store_reader *r, const struct sq_gate *scope, const char *kinds_json,
	int64_t now_ms, int (*row)(void *ctx, const struct q_stop *s), void *ctx)
{
	sqlite3_stmt *st;
	struct sq_gate g;
	int rc = db_query(reader_db(r), &st,
		"SELECT what, person, why, at, ifnull(until,0), ifnull(except_prio,-1) FROM gate "
		"WHERE ifnull(until>?1,1) ORDER BY id LIMIT 200",
		"i", now_ms);
	while (rc == 0 && (rc = db_row(reader_db(r), st)) == 1) {
		rc = 0;
		if (!gate_scope_read(col_str(st, 0), &g))
			continue;
		const struct q_stop s = { .office = g.office,
			.what = str_of(g.text),
			.person = col_str(st, 1),
			.why = col_str(st, 2),
			.at = col_i64(st, 3),
			.until = col_i64(st, 4),
			.spares_urgent = col_i64(st, 5) >= 0 };
		g.except_prio = (int)col_i64(st, 5);
		int covers = scope ? stop_meets(reader_db(r), &g, scope, kinds_json) : 1;
		rc = covers > 0 ? row(ctx, &s) : covers;
		if (rc)
			db_reset(st);
	}
	return rc;
}

int q_stops(struct store_reader *r, int64_t now_ms, int (*row)(void *ctx, const struct q_stop *s),
	void *ctx)
{
	return stops_read(r, NULL, "[]", now_ms, row, ctx);
}

int q_release_stops(struct store_reader *r, int64_t release, const char *kinds_json, int64_t now_ms,
	int (*row)(void *ctx, const struct q_stop *s), void *ctx)
{
	const struct sq_gate scope = { .release = release, .part = -1, .except_prio = -1 };
	return stops_read(r, &scope, kinds_json, now_ms, row, ctx);
}

int q_scope_stops(struct store_reader *r, const struct sq_gate *scope, const char *kinds_json,
	int64_t now_ms, int (*row)(void *ctx, const struct q_stop *s), void *ctx)
{
	return stops_read(r, scope, kinds_json, now_ms, row, ctx);
}
