/* store_queue.c - the turn of dispatch: outcomes, and the intents of their successors.
 * Thread: store. Owns: nothing beyond its command. Must not know: adapters, lanes in memory.
 * Happy path: sending -> outcome with its attempt row; waiting -> sending with the try counted, before any byte leaves.
 * Failures: an UPDATE that touches no row means that somebody else decided: an outcome is reported as not applied, an intent
 * is not granted. A command runs again after a failed commit, so it keeps no result but what it writes at each run. */
#include <stdio.h>
#include "base/assert.h"
#include "store/store_consent.h"
#include "store/store_internal.h"
#include "store/store_money.h"
#include "store/store_queue.h"
#include "store/store_queue_effect.h"
#include "store/store_queue_over.h"

static int64_t tries_after(const struct sq_outcome *o)
{
	return (int64_t)o->tries - (o->give_back && o->tries > 0 ? 1 : 0);
}

static int move_row(struct store_tx *tx, struct sq_outcome *o, enum dlv_state from)
{
	struct db *db = tx_db(tx);
	int rc;

	if (from == DLV_SENDING)
		rc = db_exec(db,
			"UPDATE delivery SET state=?, tries=?, due=CASE WHEN ?3<0 THEN due ELSE ?3 END "
			"WHERE id=? AND state=1 AND tries=?",
			"iiiii", (int64_t)o->to, tries_after(o), o->due_ms, o->delivery,
			(int64_t)o->tries);
	else
		rc = db_exec(db,
			"UPDATE delivery SET state=?, due=CASE WHEN ?2<0 THEN due ELSE ?2 END "
			"WHERE id=? AND state=0 AND tries=? AND contact_id=? AND lot_id=?",
			"iiiiii", (int64_t)o->to, o->due_ms, o->delivery, (int64_t)o->tries,
			o->contact,
			o->lot); /* as intents: it may have moved to another gateway since */
	if (rc)
		return rc;
	o->applied = db_changes(db) == 1;
	return 0;
}

/* Accepted without an id: the provider has had it since before, and no report will find it any more. One that came while it waited
 * (after a restore) has told its end already. */
static int told_before(struct store_tx *tx, struct sq_outcome *o)
{
	int64_t one = 0;

	if (o->verb != SQ_OUTCOME || o->to != DLV_ACCEPTED || !o->receipts || o->n_ids)
		return 0;
	int rc = db_get_i64(tx_db(tx), &one,
		"SELECT 1 FROM receipt INDEXED BY receipt_delivery WHERE delivery_id=?1 AND state IN (17,19) "
		"AND NOT EXISTS(SELECT 1 FROM effect WHERE delivery_id=?1)",
		"i", o->delivery);
	if (rc == 1)
		o->to = DLV_DELIVERED;
	return rc < 0 ? rc : 0;
}

static int outcome_apply(struct store_tx *tx, struct sq_outcomes *c, struct sq_outcome *o,
	struct sq_tally *t, struct sq_till *till)
{
	enum dlv_state from = o->verb == SQ_OUTCOME || o->verb == SQ_REVOKE ? DLV_SENDING
									    : DLV_WAITING;
	int64_t over = 0;
	int rc = o->over_lane ? sq_over_fits(tx, o->delivery, o->over_lane) : 0;

	if (rc == 1)
		rc = sq_over_lot(tx, o->lot, o->over_lane, &over);
	if (rc < 0)
		return rc;
	if (o->over_lane)
		o->to = rc == 1 ? DLV_WAITING : DLV_FAILED;
	rc = told_before(tx, o);
	if (rc)
		return rc;
	rc = move_row(tx, o, from);
	if (rc || !o->applied)
		return rc;
	if (over && o->to == DLV_WAITING)
		rc = sq_over_row(tx, o, over);
	if (o->verb != SQ_PUSH)
		sq_tally_move(t, o->lot, from, o->to);
	if (rc == 0 && o->money)
		rc = sq_till_give_back(till, tx, o);
	if (rc == 0 && o->stepped)
		rc = db_exec(tx_db(tx), "DELETE FROM intent WHERE delivery_id=?", "i", o->delivery);
	if (rc == 0 && o->verb == SQ_OUTCOME)
		rc = sq_effect_attempt(tx, o, c->numbers);
	if (rc == 0 && o->why && o->to != DLV_WAITING)
		rc = sq_effect_why(tx, o->delivery, o->why);
	if (rc == 0 && o->receipts && o->to == DLV_ACCEPTED && o->settle_by_ms)
		sq_tally_settle_by(t, o->lot, o->settle_by_ms);
	return rc;
}

static int hold_apply(struct store_tx *tx, const struct sq_hold *h)
{
	char subject[96];
	struct audit_event ev = { .person = "system",
		.via = "system",
		.subject = subject,
		.was = "open",
		.now = "held",
		.why = h->why };
	int rc;

	if (h->lot) {
		rc = db_exec(tx_db(tx), "UPDATE lot SET gate=2, why=? WHERE id=? AND gate=1", "ti",
			h->why, h->lot);
		ev.what = "lot.hold";
		snprintf(subject, sizeof(subject), "release:#%lld lot:#%lld", (long long)h->release,
			(long long)h->lot);
	} else if (h->release) {
		rc = db_exec(tx_db(tx),
			"UPDATE lot SET gate=2, why=? WHERE lane_id=? AND release_id=? AND gate=1",
			"tii", h->why, h->lane, h->release);
		ev.what = "lot.hold";
		snprintf(subject, sizeof(subject), "release:#%lld lane:#%lld",
			(long long)h->release, (long long)h->lane);
	} else {
		rc = db_exec(tx_db(tx), "UPDATE lane SET gate=1, why=? WHERE id=? AND gate=0", "ti",
			h->why, h->lane);
		ev.what = "lane.hold";
		snprintf(subject, sizeof(subject), "lane:#%lld", (long long)h->lane);
	}
	if (rc || db_changes(tx_db(tx)) == 0)
		return rc;
	return store_audit(tx, &ev);
}

static int outcomes_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct sq_outcomes *c = CONTAINER_OF(cmd, struct sq_outcomes, cmd);
	struct sq_till *till = sq_till_new();
	struct sq_tally t;
	int rc = 0;

	REQUIRE(c->n <= SQ_TURN_MAX);
	sq_tally_init(&t);
	for (size_t i = 0; i < c->n && rc == 0; i++)
		rc = outcome_apply(tx, c, c->v[i], &t, till);
	if (rc == 0)
		rc = sq_till_write(till, tx);
	sq_till_free(till);
	for (size_t i = 0; i < c->n_holds && rc == 0; i++)
		rc = hold_apply(tx, &c->holds[i]);
	if (rc == 0)
		rc = sq_tally_write(&t, tx);
	sq_tally_done(&t);
	return rc;
}

void sq_outcomes_init(struct sq_outcomes *c)
{
	c->cmd.class = STORE_OUTCOME;
	c->cmd.run = outcomes_run;
}

/* May this lot still publish? Asked of the one writer, so that no stop or new revision slips in between. */
static int lot_may_send(struct db *db, int64_t lot, bool *ret)
{
	int64_t one = 0;
	int rc = db_get_i64(db, &one,
		"SELECT 1 FROM lot l JOIN release r ON r.id=l.release_id JOIN manifest m ON "
		"m.hash=l.manifest WHERE l.id=? AND l.gate=1 AND r.state IN (2,3,4) AND "
		"m.release_id=r.id AND m.rev=r.rev_approved AND EXISTS (SELECT 1 FROM approval a "
		"WHERE a.manifest=l.manifest AND a.voided IS NULL)",
		"i", lot);
	if (rc < 0)
		return rc;
	*ret = rc == 1;
	return 0;
}

static int gap_check(struct store_tx *tx, struct sq_intent *it, bool *ret_wait)
{
	int64_t at = 0;
	int rc = db_get_i64(
		tx_db(tx), &at, "SELECT at FROM gap WHERE contact_id=?", "i", it->contact);

	*ret_wait = false;
	if (rc < 0)
		return rc;
	if (rc == 1 && at <= tx_wall_ms(tx) && at + it->min_gap_ms > tx_wall_ms(tx)) {
		it->grant = SQ_GAP;
		it->gap_due_ms = at + it->min_gap_ms;
		*ret_wait = true;
	}
	return 0;
}

/* The same questions that the lease asked, of the one writer: nothing slips in between two broadcasts of an account. */
static int cast_check(struct store_tx *tx, struct sq_intent *it, bool *ret_may)
{
	struct sq_cast_ask *c = &it->cast;
	struct cast_articles a;
	int rc = store_cast_articles(tx_db(tx), c->release, c->rev, it->contact, &a);

	*ret_may = false;
	if (rc || a.verdict != CAST_READY)
		return rc; /* the grant says GONE: it is leased anew */
	rc = store_cast_used(tx_db(tx), &c->count, &c->used);
	if (rc)
		return rc;
	c->over = cast_fits(&c->limits, &c->used, c->count.campaign != 0, false);
	if (c->over != CAST_FITS)
		it->grant = SQ_CAST;
	*ret_may = c->over == CAST_FITS;
	return 0;
}

static int intent_apply(
	struct store_tx *tx, struct sq_intent *it, struct sq_tally *t, struct sq_till *till)
{
	struct db *db = tx_db(tx);
	bool wait = false, may = true;
	int rc = 0;

	it->grant = SQ_GONE;
	if (it->min_gap_ms > 0)
		rc = gap_check(tx, it, &wait);
	if (rc == 0 && !wait && it->cast.release)
		rc = cast_check(tx, it, &may);
	if (rc == 0 && !wait && may && it->asks) {
		rc = consent_may_ask(tx, it->contact, it->delivery);
		may = rc == 1;
		rc = rc < 0 ? rc : 0;
	}
	if (rc == 0 && !wait && may)
		rc = sq_till_ask(till, tx, it, &may);
	if (rc || wait || !may)
		return rc;
	rc = db_exec(db,
		"UPDATE delivery SET state=1, tries=tries+1 WHERE id=? AND state=0 AND tries=? AND "
		"due=? AND contact_id=? AND lot_id=?", /* planning anew may have given its number to another */
		"iiiii", it->delivery, (int64_t)it->tries, it->due_ms, it->contact, it->lot);
	if (rc || db_changes(db) != 1)
		return rc;
	sq_tally_move(t, it->lot, DLV_WAITING, DLV_SENDING);
	if (it->asks)
		rc = consent_ask(tx, it->contact, it->delivery);
	if (rc == 0 && it->stepped)
		rc = db_exec(db,
			"INSERT OR REPLACE INTO intent(delivery_id, step, repeatable, at, epoch) "
			"VALUES (?,'',1,?,?)",
			"iii", it->delivery, tx_wall_ms(tx), store_epoch(tx_store(tx)));
	if (rc == 0 && it->min_gap_ms > 0)
		rc = db_exec(db, "INSERT OR REPLACE INTO gap(contact_id, at) VALUES (?,?)", "ii",
			it->contact, tx_wall_ms(tx));
	if (rc == 0)
		rc = sq_till_take(till, tx, it);
	it->grant = SQ_GRANTED;
	return rc;
}

/* An op may take minutes to its publishing step: what it was begun for is asked for again, as an intent is. */
static int step_apply(struct store_tx *tx, struct sq_step_intent *s)
{
	int64_t lot = 0;
	bool may = false;
	int rc = db_get_i64(tx_db(tx), &lot, "SELECT lot_id FROM delivery WHERE id=? AND state=1",
		"i", s->delivery);

	s->granted = false;
	if (rc == 1)
		rc = lot_may_send(tx_db(tx), lot, &may);
	if (rc < 0 || !may)
		return rc < 0 ? rc : 0;
	s->granted = true;
	return db_exec(tx_db(tx),
		"INSERT OR REPLACE INTO intent(delivery_id, step, repeatable, at, epoch) VALUES "
		"(?,?,?,?,?)",
		"itiii", s->delivery, s->step, (int64_t)s->repeatable, tx_wall_ms(tx),
		store_epoch(tx_store(tx)));
}

static int bucket_write(struct store_tx *tx, const struct sq_bucket_row *b)
{
	if (b->lane)
		return db_exec(tx_db(tx),
			"UPDATE lane SET tokens=?, tokens_at=?, until=? WHERE id=?", "diii",
			b->tokens, b->at_ms, b->until_ms, b->lane);
	char scope[120];
	snprintf(scope, sizeof(scope), "group:%s", b->group);
	int rc = db_exec(tx_db(tx),
		"INSERT OR REPLACE INTO quota(scope, window, used) VALUES (?,'tokens_milli',?)",
		"ti", scope, (int64_t)(b->tokens * 1000.0));
	if (rc == 0)
		rc = db_exec(tx_db(tx),
			"INSERT OR REPLACE INTO quota(scope, window, used) VALUES "
			"(?,'tokens_at',?)",
			"ti", scope, b->at_ms);
	return rc;
}

static int intents_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct sq_intents *c = CONTAINER_OF(cmd, struct sq_intents, cmd);
	struct sq_till *till = sq_till_new();
	struct sq_tally t;
	int64_t last = 0;
	bool may = false;
	int rc = 0;

	REQUIRE(c->n <= SQ_TURN_MAX);
	sq_tally_init(&t);
	for (size_t i = 0; i < c->n && rc == 0; i++) {
		struct sq_intent *it = c->v[i];
		if (it->lot != last)
			rc = lot_may_send(tx_db(tx), it->lot, &may);
		last = it->lot;
		it->grant = SQ_CLOSED;
		if (rc == 0 && may)
			rc = intent_apply(tx, it, &t, till);
	}
	if (rc == 0)
		rc = sq_till_write(till, tx);
	sq_till_free(till);
	for (size_t i = 0; i < c->n_steps && rc == 0; i++)
		rc = step_apply(tx, c->steps[i]);
	for (size_t i = 0; i < c->n_buckets && rc == 0; i++)
		rc = bucket_write(tx, &c->buckets[i]);
	if (rc == 0)
		rc = sq_tally_write(&t, tx);
	sq_tally_done(&t);
	return rc;
}

void sq_intents_init(struct sq_intents *c)
{
	c->cmd.class = STORE_INTENT;
	c->cmd.run = intents_run;
}
