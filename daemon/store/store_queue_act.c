/* store_queue_act.c - what a person decides about single deliveries: retry, resolve, cancel.
 * Thread: store. Owns: nothing. Must not know: lanes.
 * Each move is checked against the row's state here, by the one writer, and is an audit event of its own.
 * Failures: a delivery that cannot be moved is named with its state and left; a store error fails the whole command. */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "store/store_internal.h"
#include "store/store_queue.h"
#include "store/store_queue_effect.h"

#define FROM(s) (1u << (unsigned)(s))

static const struct act_rule {
	unsigned from;
	enum dlv_state to;
	const char *what;
} rules[] = {
	[SQ_RETRY] = { FROM(DLV_FAILED) | FROM(DLV_HELD), DLV_WAITING, "delivery.retry" },
	[SQ_SENT] = { FROM(DLV_UNKNOWN) | FROM(DLV_DOUBT) | FROM(DLV_HELD), DLV_ACCEPTED,
		"delivery.resolve" },
	[SQ_ABSENT] = { FROM(DLV_UNKNOWN) | FROM(DLV_DOUBT) | FROM(DLV_HELD), DLV_WAITING,
		"delivery.resolve" },
	[SQ_DROP] = { FROM(DLV_UNKNOWN) | FROM(DLV_DOUBT) | FROM(DLV_HELD), DLV_CANCELLED,
		"delivery.resolve" },
	[SQ_ACT_CANCEL] = { FROM(DLV_WAITING) | FROM(DLV_HELD), DLV_CANCELLED, "delivery.cancel" },
};

static void refuse(struct sq_act *c, int64_t delivery, const char *why)
{
	size_t n = strlen(c->refused);

	if (n + 64 < sizeof(c->refused))
		snprintf(c->refused + n, sizeof(c->refused) - n, "%s%lld %s", n ? "; " : "",
			(long long)delivery, why);
}

static int act_audit(struct store_tx *tx, const struct sq_act *c, const struct act_rule *r,
	int64_t delivery, int64_t from)
{
	char subject[48], now[440];
	struct audit_event ev = { .person = c->person,
		.via = c->via,
		.what = r->what,
		.subject = subject,
		.was = dlv_state_name((int)from),
		.now = now,
		.why = c->why };

	snprintf(subject, sizeof(subject), "delivery:%lld", (long long)delivery);
	snprintf(now, sizeof(now), "%s%s%s", dlv_state_name((int)r->to), c->link[0] ? " " : "",
		c->link);
	return store_audit(tx, &ev);
}

static int act_write(struct store_tx *tx, struct sq_act *c, const struct act_rule *r,
	int64_t delivery, int64_t from, int64_t at)
{
	int64_t due = tx_wall_ms(tx) - at;
	int rc = db_exec(tx_db(tx),
		"UPDATE delivery SET state=?1, due=CASE WHEN ?1=0 THEN ?2 ELSE due END WHERE id=?3 AND "
		"state=?4",
		"iiii", (int64_t)r->to, due > 0 ? due : INT64_C(0), delivery, from);

	if (rc == 0)
		rc = db_exec(tx_db(tx),
			"DELETE FROM step WHERE delivery_id=? AND name='" SQ_WHY "'", "i",
			delivery);
	if (rc == 0 && c->link[0])
		rc = sq_effect_link(tx, delivery, str_of(c->link));
	return rc ? rc : act_audit(tx, c, r, delivery, from);
}

/* Of a lot with nothing left to do nobody ever wrote down that it expired: its time tells. */
static int act_lot(
	struct store_tx *tx, int64_t lot, int64_t *ret_gate, int64_t *ret_at, bool *ret_expired)
{
	sqlite3_stmt *st;
	int rc = db_query(tx_db(tx), &st, "SELECT gate, at, expires FROM lot WHERE id=?", "i", lot);

	if (rc == 0)
		rc = db_row(tx_db(tx), st);
	if (rc != 1)
		return rc < 0 ? rc : -EIO;
	*ret_gate = col_i64(st, 0);
	*ret_at = col_i64(st, 1);
	*ret_expired = *ret_gate == LOT_EXPIRED || col_i64(st, 2) <= tx_wall_ms(tx);
	db_reset(st);
	return 0;
}

static int act_one(struct store_tx *tx, struct sq_act *c, int64_t delivery, struct sq_tally *t)
{
	const struct act_rule *r = &rules[c->verb];
	int64_t lot = 0, state = 0, tries = 0, gate = 0, at = 0;
	bool expired = false;
	int rc = sq_delivery_get(tx_db(tx), delivery, &lot, &state, &tries);

	if (rc <= 0) {
		if (rc == 0)
			refuse(c, delivery, "does not exist");
		return rc;
	}
	if (!(r->from & FROM(state))) {
		char why[48];
		snprintf(why, sizeof(why), "is %s", dlv_state_name((int)state));
		refuse(c, delivery, why);
		return 0;
	}
	rc = act_lot(tx, lot, &gate, &at, &expired);
	if (rc < 0)
		return rc;
	if (r->to == DLV_WAITING && (gate >= LOT_CANCELLED || expired)) {
		refuse(c, delivery,
			expired ? "has expired with its lot" : "belongs to a cancelled lot");
		return 0;
	}
	rc = act_write(tx, c, r, delivery, state, at);
	if (rc)
		return rc;
	sq_tally_move(t, lot, (enum dlv_state)state, r->to);
	c->moved[c->n_moved++] = delivery;
	return 0;
}

static int act_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct sq_act *c = CONTAINER_OF(cmd, struct sq_act, cmd);
	struct sq_tally t;
	int rc = 0;

	REQUIRE(c->n <= SQ_ACT_MAX);
	c->n_moved = 0;
	c->refused[0] = 0;
	sq_tally_init(&t);
	for (size_t i = 0; i < c->n && rc == 0; i++)
		rc = act_one(tx, c, c->v[i], &t);
	if (rc == 0)
		rc = sq_tally_write(&t, tx);
	sq_tally_done(&t);
	return rc;
}

void sq_act_init(struct sq_act *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = act_run;
}
