/* sim_check.c - the promises in the rows: after every commit against those seen before, whole at every crash and at the end. Reads on
 * the writer's connection. Owns: nothing; what it knows of the rows stands in struct sim. The table of moves is written here a
 * second time, from the design and not from the daemon.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "sim_provider.h"
#include "store/store_fsck.h"
#include "store/store_internal.h"

#define TOUCHED_MAX   4096
#define CAST_SLOT     63 /* of delivery.once, see the schema */
#define LOTS_IDLE_MAX 256

static const unsigned moves[DLV_STATES] = {
	[DLV_WAITING] = BIT(1) | BIT(5) | BIT(6) | BIT(7) | BIT(9),
	[DLV_SENDING] = BIT(2) | BIT(3) | BIT(4) | BIT(0) | BIT(8) | BIT(9),
	[DLV_ACCEPTED] = BIT(3) | BIT(4),
	[DLV_FAILED] = BIT(3) | BIT(0),
	[DLV_UNKNOWN] = BIT(2) | BIT(3) | BIT(4) | BIT(0) | BIT(6) | BIT(10),
	[DLV_HELD] = BIT(0) | BIT(2) | BIT(6) | BIT(5),
	[DLV_DOUBT] = BIT(2) | BIT(0) | BIT(6),
};

/* One commit may hold several moves of a row. */
static bool may_come_to(int from, int to)
{
	unsigned reach = BIT(from);
	for (int hops = 0; hops < 4; hops++)
		for (int s = 0; s < DLV_STATES; s++)
			if (reach & BIT(s))
				reach |= moves[s];
	return (reach & BIT(to)) != 0;
}

/* --- after every commit ---------------------------------------------------------------------------------------------------------------------- */

static uint8_t manifest_of[SIM_LOTS][32];
static uint32_t counted[SIM_LOTS][DLV_STATES]; /* up to S->max_lot */
static int64_t sending[SIM_LANES];
/* What the writer touched since the last check, told by the database itself; at a crash and at the end all is read. */
static int64_t touched[TOUCHED_MAX];
static size_t n_touched;
static bool is_touched[SIM_DELIVERIES], all = true;
static int64_t touched_lot[SIM_LOTS]; /* also those whose deliveries were */
static size_t n_touched_lot;
static bool is_touched_lot[SIM_LOTS];

static void touch_lot(int64_t id)
{
	if (id <= 0 || id >= SIM_LOTS) {
		all = true;
	} else if (!is_touched_lot[id]) {
		is_touched_lot[id] = true;
		touched_lot[n_touched_lot++] = id;
	}
}

static void on_touch(void *ctx, int op, const char *db, const char *table, sqlite3_int64 id)
{
	UNUSED(ctx);
	UNUSED(op);
	UNUSED(db);
	if (strcmp(table, "lot") == 0)
		touch_lot(id);
	if (strcmp(table, "delivery") != 0)
		return;
	if (id <= 0 || id >= SIM_LOST || n_touched == TOUCHED_MAX) {
		all = true;
	} else if (!is_touched[id]) {
		is_touched[id] = true;
		touched[n_touched++] = id;
	}
}

static int lane_at(int64_t id);

static void count(const struct sim_delivery *d, int by)
{
	if (!d->seen)
		return;
	counted[d->lot][d->state] += (uint32_t)by;
	touch_lot(d->lot);
	if (d->state == DLV_SENDING)
		sending[lane_at(S->lot[d->lot].lane)] += by;
}

/* Planning anew takes back what was never tried; all else stays for ever. */
static void gone(int64_t id)
{
	struct sim_delivery *d = &S->d[id];
	bool revoked = d->state == DLV_SENDING && d->tries <= 1; /* and taken back in one commit */
	if ((d->state != DLV_WAITING || d->tries) && !revoked)
		sim_fail("delivery %lld is gone: it was in state %d after %d tries", (long long)id,
			d->state, d->tries);
	if (d->before && d->effects)
		restore_forget(id); /* what it was sent for is no row any more */
	else if (d->effects || (d->ever_unknown && !d->before))
		sim_fail(
			"delivery %lld is gone: it was in state %d after %d tries, with %d effects",
			(long long)id, d->state, d->tries, d->effects);
	count(d, -1);
	*d = (struct sim_delivery){ 0 };
}

static uint64_t manifest_no(const uint8_t hash[32])
{
	uint64_t no;
	memcpy(&no, hash, sizeof(no));
	return no;
}

static int lane_at(int64_t id)
{
	for (int i = 0; i < S->n_lanes; i++)
		if (S->lane[i].id == id)
			return i;
	sim_fail("lane %lld is none of ours", (long long)id);
}

/* The adapter found what the page has: this text, published before a restore made the daemon forget it. */
static bool adopted(struct sim_delivery *d, int64_t lot, int64_t contact)
{
	for (int i = 0; i < S->n_approvals; i++)
		if (memcmp(S->approval[i].hash, manifest_of[lot], 32) == 0 &&
			restore_adopt(d, contact, S->approval[i].nonce))
			return true;
	return false;
}

#define SIM_DELIVERED (SIM_SAID_DELIVERED | SIM_TOLD_DELIVERED)

static void see_row(sqlite3_stmt *st)
{
	int64_t id = col_i64(st, 0);
	int state = (int)col_i64(st, 3);
	if (id <= 0 || id >= SIM_LOST)
		sim_fail("delivery %lld is more than the simulation can hold", (long long)id);
	struct sim_delivery *d = &S->d[id];
	bool loop = provider_of(S->contact_slot[col_i64(st, 2)])->owns == sim_loopback.owns;
	if (state < 0 || state >= DLV_STATES)
		sim_fail("delivery %lld in state %d", (long long)id, state);
	if (d->seen && d->contact != col_i64(st, 2))
		gone(id); /* its number went to another copy */
	if (id > S->max_id)
		S->max_id = id;
	d->check = S->checks;
	if (!d->seen && state != DLV_WAITING && state != DLV_SENDING && state != DLV_SUPPRESSED)
		sim_fail("delivery %lld is born in state %d", (long long)id, state);
	if (!d->seen || d->state != state)
		sim_trace("delivery:%lld %d>%d tries=%lld", (long long)id, d->seen ? d->state : -1,
			state, (long long)col_i64(st, 4));
	if (d->seen && d->state != state) {
		if (!may_come_to(d->state, state))
			sim_fail(
				"delivery %lld went from %d to %d", (long long)id, d->state, state);
		if (state == DLV_DELIVERED && !loop && !(d->said & SIM_DELIVERED))
			sim_fail("delivery %lld is called delivered, and nobody said so",
				(long long)id);
		if (d->state == DLV_ACCEPTED && (state == DLV_WAITING || state == DLV_SENDING)) {
			if (!d->acted) /* a report of failure and a person's retry, in one commit */
				sim_fail("delivery %lld comes back, and nobody asked for it",
					(long long)id);
			d->allowed_more = d->effects;
		}
		if (state == DLV_UNKNOWN) {
			S->n_unknown++;
			if (d->state != DLV_SENDING && d->state != DLV_WAITING)
				sim_fail("delivery %lld became unknown without an intent",
					(long long)id);
		}
	}
	if (state == DLV_WAITING && d->seen && d->state == DLV_SENDING && d->once > d->once_then)
		sim_fail(
			"delivery %lld is called not sent, and the provider has it", (long long)id);
	if (state == DLV_SENDING && d->state != state)
		d->once_then = d->once;
	if (state == DLV_ACCEPTED && d->state != DLV_ACCEPTED && d->effects == 0 &&
		!d->ever_unknown && !d->allowed_more && (!loop || col_i64(st, 5)) &&
		!adopted(d, col_i64(st, 1), col_i64(st, 2)))
		sim_fail("delivery %lld is accepted and the provider never had it", (long long)id);
	if (state == DLV_SENDING && (!d->seen || d->state != state || d->tries != col_i64(st, 4)))
		d->intent_of = manifest_no(manifest_of[col_i64(st, 1)]);
	count(d, all ? 0 : -1);
	d->seen = true;
	d->state = (uint8_t)state;
	d->lot = col_i64(st, 1);
	d->contact = col_i64(st, 2);
	d->tries = (int32_t)col_i64(st, 4);
	d->cast = col_i64(st, 6) / 16 % 64 == CAST_SLOT;
	d->ever_unknown |= state == DLV_UNKNOWN || state == DLV_DOUBT;
	d->ever_doubt |= state == DLV_DOUBT;
	if (d->lot <= 0 || d->lot >= SIM_LOTS)
		sim_fail("delivery %lld names lot %lld", (long long)id, (long long)d->lot);
	count(d, 1);
}

#define LOT                                                                                         \
	"SELECT l.id, l.release_id, l.part, l.lane_id, l.office_id, l.gate, l.prio, a.channel_id, " \
	"l.manifest FROM lot l JOIN lane n ON n.id=l.lane_id JOIN account a ON a.id=n.account_id"

static void see_lot(sqlite3_stmt *st)
{
	int64_t id = col_i64(st, 0);
	struct str m = col_blob(st, 8);
	if (id <= 0 || id >= SIM_LOTS)
		sim_fail("lot %lld is more than the simulation can hold", (long long)id);
	if (id > S->max_lot)
		S->max_lot = id;
	uint64_t restored = S->lot[id].restored,
		 manifest = m.n == 32 ? manifest_no((const uint8_t *)m.p) : 0;
	if (restored && manifest != restored) { /* a person has approved it anew */
		restore_anew(id);
		restored = 0;
	}
	S->lot[id] = (struct sim_lot){ .manifest = manifest,
		.restored = restored,
		.release = col_i64(st, 1),
		.part = (int32_t)col_i64(st, 2),
		.lane = col_i64(st, 3),
		.office = col_i64(st, 4),
		.gate = (int32_t)col_i64(st, 5),
		.prio = (int32_t)col_i64(st, 6),
		.channel = col_i64(st, 7) };
	if (m.n == 32)
		memcpy(manifest_of[id], m.p, 32);
}

/* Every row of a query, or that of each lot that was touched: `one` is the same query for one of them. */
static void each_lot(
	struct db *db, const char *every, const char *one, void (*see)(sqlite3_stmt *st))
{
	sqlite3_stmt *st;
	size_t n = all ? 1 : n_touched_lot;
	for (size_t i = 0; i < n; i++) {
		int rc = all ? db_query(db, &st, every, "")
			     : db_query(db, &st, one, "i", touched_lot[i]);
		while (rc == 0 && (rc = db_row(db, st)) == 1) {
			see(st);
			rc = 0;
		}
		REQUIRE(rc == 0);
	}
}

#define ROW                                                                                                     \
	"SELECT d.id, d.lot_id, d.contact_id, d.state, d.tries, c.address LIKE 'ok+%', d.once FROM delivery d " \
	"JOIN contact c ON c.id=d.contact_id"

static void see_all(struct db *db)
{
	sqlite3_stmt *st;
	memset(counted, 0, (size_t)(S->max_lot + 1) * sizeof(counted[0]));
	memset(sending, 0, sizeof(sending));
	int rc = db_query(db, &st, ROW, "");
	while (rc == 0 && (rc = db_row(db, st)) == 1) {
		see_row(st);
		rc = 0;
	}
	REQUIRE(rc == 0);
	for (int64_t i = 1; i <= S->max_id; i++)
		if (S->d[i].seen && S->d[i].check != S->checks) {
			count(&S->d[i], 1); /* gone takes it away */
			gone(i);
		}
}

static void see_touched(struct db *db)
{
	for (size_t i = 0; i < n_touched; i++) {
		sqlite3_stmt *st;
		int rc = db_query(db, &st, ROW " WHERE d.id=?", "i", touched[i]);
		REQUIRE(rc == 0);
		rc = db_row(db, st);
		REQUIRE(rc >= 0);
		if (rc == 1) {
			see_row(st);
			db_reset(st);
		} else if (S->d[touched[i]].seen) {
			gone(touched[i]);
		}
	}
}

static void see_deliveries(struct db *db)
{
	S->checks++;
	if (all)
		see_all(db);
	else
		see_touched(db);
	S->open_intents = 0;
	for (int i = 0; i < S->n_lanes; i++) {
		int max = S->p.intents[S->lane[i].slot];
		S->open_intents += sending[i];
		if (sending[i] > max)
			sim_fail("%lld intents are open on lane %lld, %d allowed",
				(long long)sending[i], (long long)S->lane[i].id, max);
	}
}

#define COUNTERS "SELECT id, n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10 FROM lot"

static void see_counters(sqlite3_stmt *st)
{
	int64_t id = col_i64(st, 0);
	for (int s = 0; s < DLV_STATES; s++)
		if (col_i64(st, 1 + s) != counted[id][s])
			sim_fail("lot %lld counts %lld rows in state %d, %u are there",
				(long long)id, (long long)col_i64(st, 1 + s), s, counted[id][s]);
}

static void touched_none(void)
{
	for (size_t i = 0; i < n_touched; i++)
		is_touched[touched[i]] = false;
	for (size_t i = 0; i < n_touched_lot; i++)
		is_touched_lot[touched_lot[i]] = false;
	n_touched = n_touched_lot = 0;
	all = false;
}

void check_commit(void)
{
	struct store_reader *r = teststore_reader(&N.ts);
	struct db *db = reader_db(r);
	int64_t rows = 0;
	if (all)
		(void)sqlite3_update_hook(db_handle(db), on_touch, NULL);
	if (all || n_touched > 0 || n_touched_lot > 0) {
		each_lot(db, LOT, LOT " WHERE l.id=?", see_lot);
		see_deliveries(db);
		each_lot(db, COUNTERS, COUNTERS " WHERE id=?", see_counters);
		touched_none();
	}
	REQUIRE(db_get_i64(db, &rows, "SELECT seq FROM audit_head", "") >= 0);
	if (rows < S->audit_rows)
		sim_fail("the audit had %lld rows and has %lld", (long long)S->audit_rows,
			(long long)rows);
	S->audit_rows = rows;
	if (dispatch_memory_rows(N.dispatch) > 16384 + 65536)
		sim_fail("%zu leases and lots in memory", dispatch_memory_rows(N.dispatch));
	teststore_reader_end(&N.ts, r);
}

bool check_covers_lot(const struct sim_approval *p, const struct sim_delivery *d)
{
	return memcmp(p->hash, manifest_of[d->lot], 32) == 0 ||
		(d->state == DLV_SENDING && manifest_no(p->hash) == d->intent_of);
}

/* --- whole ------------------------------------------------------------------------------------------------------------------------------------ */

static void on_problem(void *ctx, const struct fsck_problem *p)
{
	UNUSED(ctx);
	sim_fail("fsck: %s %s: %s", p->check, p->subject, p->text);
}

static int on_text(void *ctx, struct store_reader *r, int64_t release_id, int64_t rev,
	const struct manifest *approved, struct str bytes, struct err *e)
{
	UNUSED(ctx);
	return plan_verify_stored(r, release_id, rev, approved, bytes, e);
}

void check_full(const char *when)
{
	struct store_reader *r = NULL;
	struct fsck_opts o = { .deep = true, .report = on_problem, .text_verify = on_text };
	struct fsck_result res;
	struct err e = { 0 };
	all = true;
	check_commit();
	REQUIRE(store_reader_get(N.ts.s, &r) == 0);
	int rc = store_fsck(r, &o, &res);
	if (rc || res.problems)
		sim_fail("fsck %s: %d, %llu problems", when, rc, (unsigned long long)res.problems);
	if (res.audit.fault)
		sim_fail("audit %s: %s", when, res.audit.text);
	REQUIRE(reader_begin(r) == 0);
	for (int64_t i = 1; i <= S->n_releases; i++)
		if (plan_verify_approvals(N.plan, r, i, &e) < 0 && e.code != -ENOENT)
			sim_fail("approvals %s: release %lld: %s", when, (long long)i, e.text);
	reader_end(r);
	store_reader_put(N.ts.s, r);
}

void check_end(void)
{
	/* The number of a lot that is made and taken back in one commit is gone. */
	int64_t idle = teststore_i64(
		&N.ts, "SELECT ifnull(max(seq),0) FROM sqlite_sequence WHERE name='lot'");
	for (int64_t id = 1; id <= S->max_lot; id++)
		idle -= S->lot[id].release != 0;
	if (idle > LOTS_IDLE_MAX)
		sim_fail("%lld lots were made for nothing", (long long)idle);
	for (int64_t id = 1; id <= S->max_id; id++) {
		const struct sim_delivery *d = &S->d[id];
		if (!d->seen)
			continue;
		const struct sim_lot *l = &S->lot[d->lot];
		S->n_deliveries++;
		if (d->state == DLV_SENDING || d->state == DLV_UNKNOWN)
			sim_fail(
				"delivery %lld is in state %d at the end", (long long)id, d->state);
		const struct sim_provider *p = provider_of(check_slot_of(id));
		if (d->state == DLV_ACCEPTED && (d->said & SIM_SAID_DELIVERED) && !d->ever_doubt &&
			!d->acted && (p->names_ref || !d->ever_unknown))
			sim_fail("delivery %lld: the report that it arrived was taken and is lost",
				(long long)id);
		if (d->state == DLV_WAITING && l->gate == LOT_OPEN)
			sim_fail(
				"delivery %lld of release %lld still waits in an open lot at the end",
				(long long)id, (long long)l->release);
	}
	/* What is draft, in review or returned waits for people: nothing of it is to be opened. */
	int64_t stuck = teststore_i64(&N.ts,
		"SELECT ifnull(min(l.id),0) FROM lot l JOIN release r ON r.id=l.release_id JOIN part p ON p.release_id=l.release_id AND "
		"p.rev=r.rev_approved AND p.part=l.part WHERE l.gate=0 AND l.n0>0 AND p.state=2 AND r.state NOT IN (0,1,8)");
	if (stuck)
		sim_fail("lot %lld is to be opened and its part is done", (long long)stuck);
	if (N.busy)
		sim_fail("%d questions got no answer", N.busy);
	if (S->p.p_fault == 0 && S->p.crashes == 0 && S->n_releases == 0 && S->p.p_act > 5)
		sim_fail("nothing happened");
}
