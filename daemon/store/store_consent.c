/* store_consent.c - see store_consent.h. Owns: nothing. Failures: the code of the store; the command is taken back whole.
 * The row is by keyed hash of the address, so it survives re-import and erasure of the contact, as a suppression does. */
#include "store/store_consent.h"
#include <stdio.h>
#include <string.h>
#include "store/store_internal.h"

const char *consent_state_name(int state)
{
	switch (state) {
	case CONSENT_ASKED: return "asked";
	case CONSENT_GIVEN: return "given";
	case CONSENT_REFUSED: return "refused";
	default: return "none";
	}
}

int consent_get(struct db *db, const struct hash *who, struct consent *ret)
{
	sqlite3_stmt *st;
	long long delivery = 0;

	*ret = (struct consent){ 0 };
	int rc = db_query(db, &st,
		"SELECT state, at, ifnull(asked_at,0), evidence FROM consent WHERE who=?", "h",
		who);
	if (rc == 0)
		rc = db_row(db, st);
	if (rc != 1)
		return rc;
	*ret = (struct consent){
		.state = (int)col_i64(st, 0), .at_ms = col_i64(st, 1), .asked_ms = col_i64(st, 2)
	};
	if (ret->state == CONSENT_ASKED && sscanf(col_z(st, 3), "delivery:%lld", &delivery) == 1)
		ret->asked_by = delivery;
	db_reset(st);
	return 0;
}

static int who_of(struct store_tx *tx, int64_t contact, struct hash *ret)
{
	sqlite3_stmt *st;
	int rc = db_query(
		tx_db(tx), &st, "SELECT kind, address FROM contact WHERE id=?", "i", contact);

	if (rc == 0)
		rc = db_row(tx_db(tx), st);
	if (rc != 1)
		return rc;
	store_who(tx_store(tx), (int)col_i64(st, 0), col_str(st, 1), ret);
	db_reset(st);
	return 1;
}

int consent_may_ask(struct store_tx *tx, int64_t contact, int64_t delivery)
{
	struct hash who;
	struct consent c;
	int rc = who_of(tx, contact, &who);

	if (rc != 1)
		return rc;
	rc = consent_get(tx_db(tx), &who, &c);
	if (rc)
		return rc;
	return c.state == CONSENT_NONE || (c.state == CONSENT_ASKED && c.asked_by == delivery);
}

static int consent_audit(struct store_tx *tx, const struct hash *who, enum consent_state state,
	int was, const char *way, const char *evidence)
{
	char hex[HASH_HEX], subject[140];
	struct audit_event ev = { .person = state == CONSENT_ASKED ? "system" : "recipient",
		.via = way,
		.what = "consent",
		.subject = subject,
		.was = consent_state_name(was),
		.now = consent_state_name((int)state),
		.why = evidence };

	hash_hex(who, hex);
	(void)snprintf(subject, sizeof(subject), "contact:%s", hex);
	return store_audit(tx, &ev);
}

int consent_ask(struct store_tx *tx, int64_t contact, int64_t delivery)
{
	char evidence[40];
	struct hash who;
	int rc = who_of(tx, contact, &who);

	if (rc != 1)
		return rc;
	(void)snprintf(evidence, sizeof(evidence), "delivery:%lld", (long long)delivery);
	rc = db_exec(tx_db(tx),
		"INSERT INTO consent(who, state, at, asked_at, way, evidence) VALUES (?1,1,?2,?2,'message',?3) "
		"ON CONFLICT(who) DO NOTHING",
		"hit", &who, tx_wall_ms(tx), evidence);
	if (rc || db_changes(tx_db(tx)) == 0)
		return rc;
	return consent_audit(tx, &who, CONSENT_ASKED, CONSENT_NONE, "message", evidence);
}

int consent_put(struct store_tx *tx, const struct hash *who, enum consent_state state,
	const char *way, const char *evidence)
{
	struct consent was;
	int rc = consent_get(tx_db(tx), who, &was);

	if (rc || was.state == (int)state)
		return rc;
	rc = db_exec(tx_db(tx),
		"INSERT INTO consent(who, state, at, way, evidence) VALUES (?,?,?,?,?) ON CONFLICT(who) DO "
		"UPDATE SET state=excluded.state, at=excluded.at, way=excluded.way, evidence=excluded.evidence",
		"hiitt", who, (int64_t)state, tx_wall_ms(tx), way, evidence);
	return rc ? rc : consent_audit(tx, who, state, was.state, way, evidence);
}
