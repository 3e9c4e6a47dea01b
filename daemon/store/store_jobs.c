/* store_jobs.c - what came in (inbound), numbers, pruning. See store_jobs.h; whom to ask about is in store_jobs_read.c.
 * Thread: store. Owns: nothing. Must not know: adapters.
 * Failures: any error fails the whole command; the peer is then not told "ok" and sends it again. */
#include <stdio.h>
#include <string.h>
#include "model/optout.h"
#include "model/state.h"
#include "store/store_audit.h"
#include "store/store_consent.h"
#include "base/assert.h"
#include "base/buf.h"
#include "store/store_internal.h"
#include "store/store_jobs.h"
#include "store/store_money.h"
#include "store/store_queue_effect.h"

#define DAY_MS     INT64_C(86400000)
#define TEXT_KEEP  4096
#define PRUNE_ROWS 200
#define ID_KEEP    65536 /* bytes of a provider's id */

int store_seen_add(struct store_tx *tx, const struct hash *key)
{
	int rc = db_exec(tx_db(tx), "INSERT OR IGNORE INTO seen(key, at) VALUES (?,?)", "hi", key,
		tx_wall_ms(tx));
	return rc ? rc : db_changes(tx_db(tx)) == 1;
}

/* --- inbound ------------------------------------------------------------------------------------------------------------------ */
static void dedupe_key(const struct sq_inbound *c, struct hash *ret)
{
	struct hasher h;
	hasher_init(&h);
	hasher_field(&h, "inbound", 7);
	hasher_field(&h, c->channel, strlen(c->channel));
	hasher_field(&h, &c->kind, sizeof(c->kind));
	hasher_field(&h, c->dedupe.p, c->dedupe.n);
	hasher_end(&h, ret);
}

/* The list's own name, if the text named one that exists in another case. */
static int list_name(struct store_tx *tx, const struct sq_inbound *c, char *ret, size_t size)
{
	ret[0] = 0;
	if (!c->list[0])
		return 0;
	int rc = db_get_text(tx_db(tx), ret, size,
		"SELECT name FROM list WHERE lower(name)=lower(?) LIMIT 1", "t", c->list);
	return rc < 0 ? rc : 0;
}

static int suppress(struct store_tx *tx, struct sq_inbound *c)
{
	char list[120], hex[HASH_HEX], subject[140], now[160], via[80];
	struct hash who;
	struct audit_event ev = { .person = "recipient",
		.via = via,
		.what = "suppression.add",
		.subject = subject,
		.now = now };
	int rc = list_name(tx, c, list, sizeof(list));
	if (rc == 0 && !list[0] && c->reason == (int)SUP_OPT_OUT)
		rc = sq_optout_list(tx, c->ret_contact, list, sizeof(list));
	store_who(tx_store(tx), c->chan_kind, c->address, &who);
	if (rc == 0)
		rc = sq_suppress(tx, &who, list, c->reason, 1, &c->ret_new);
	if (rc || !c->ret_new)
		return rc;
	hash_hex(&who, hex);
	(void)snprintf(via, sizeof(via), "inbound:%s", c->channel);
	(void)snprintf(subject, sizeof(subject), "contact:%s", hex);
	(void)snprintf(now, sizeof(now), "%s list:%s", suppress_reason_name(c->reason),
		list[0] ? list : "(all)");
	return store_audit(tx, &ev);
}

/* The person's own yes or no to advertising. A yes takes back an earlier no to advertising, never a no to everything. */
static int consent(struct store_tx *tx, const struct sq_inbound *c)
{
	char way[80], evidence[40];
	struct hash who;
	struct consent was;
	bool no = c->reason == (int)SUP_OPT_OUT || c->reason == (int)SUP_COMPLAINT;

	if (!c->address.n || (!no && !c->opt_in))
		return 0;
	(void)snprintf(way, sizeof(way), "inbound:%s", c->channel);
	(void)snprintf(
		evidence, sizeof(evidence), "inbound:%lld", (long long)db_last_id(tx_db(tx)));
	store_who(tx_store(tx), c->chan_kind, c->address, &who);
	int rc = consent_get(tx_db(tx), &who, &was);
	if (rc)
		return rc;
	if (no) /* of somebody who was never asked nothing has to be known */
		return was.state == CONSENT_NONE
			? 0
			: consent_put(tx, &who, CONSENT_REFUSED, way, evidence);
	if (c->opt_in == OPTIN_BARE &&
		(was.state != CONSENT_ASKED || tx_wall_ms(tx) - was.asked_ms > c->consent_ms))
		return 0;
	rc = consent_put(tx, &who, CONSENT_GIVEN, way, evidence);
	return rc
		? rc
		: db_exec(tx_db(tx), "DELETE FROM suppression WHERE who=? AND list=? AND reason=?",
			  "hti", &who, SUPPRESS_ADS, (int64_t)SUP_OPT_OUT);
}

static struct str cut(struct str s, size_t max)
{
	return (struct str){ s.p, s.n < max ? s.n : max };
}

static int inbound_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct sq_inbound *c = CONTAINER_OF(cmd, struct sq_inbound, cmd);
	struct hash key;
	int64_t channel = 0;
	int rc = 1;
	c->ret_again = c->ret_new = false;
	c->ret_contact = 0;
	if (c->dedupe.n) {
		dedupe_key(c, &key);
		rc = store_seen_add(tx, &key);
		c->ret_again = rc == 0;
	}
	if (rc <= 0)
		return rc;
	rc = db_get_i64(
		tx_db(tx), &channel, "SELECT id FROM channel WHERE name=?", "t", c->channel);
	if (rc != 1)
		return rc < 0 ? rc : -ENOENT;
	if (c->address.n)
		rc = db_get_i64(tx_db(tx), &c->ret_contact,
			"SELECT id FROM contact WHERE kind=? AND address=?", "is",
			(int64_t)c->chan_kind, c->address);
	if (rc < 0)
		return rc;
	int64_t acted = (c->reason && c->address.n ? SQ_IN_SUPPRESSED : 0) |
		(c->held ? SQ_IN_HELD : 0);
	rc = db_exec(tx_db(tx),
		"INSERT INTO inbound(channel_id, account_id, kind, address, text, detail, at, came, acted) "
		"VALUES (?,nullif(?,0),?,?,?,?,?,?,?)",
		"iiisssiii", channel, c->account, (int64_t)c->kind, c->address,
		cut(c->text, TEXT_KEEP), c->detail, c->at_ms, tx_wall_ms(tx), acted);
	if (rc == 0)
		rc = consent(tx, c);
	if (rc == 0 && (acted & SQ_IN_SUPPRESSED))
		rc = suppress(tx, c);
	return rc;
}

void sq_inbound_init(struct sq_inbound *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = inbound_run;
}

/* --- numbers ------------------------------------------------------------------------------------------------------------------- */
static int stats_run(struct store_tx *tx, struct store_cmd *cmd)
{
	const struct sq_stats *c = CONTAINER_OF(cmd, struct sq_stats, cmd);
	int64_t now = tx_wall_ms(tx);
	int rc = 0;
	for (size_t i = 0; i < c->n && rc == 0; i++) {
		const struct sq_number *n = &c->v[i];
		if (n->delivery)
			rc = db_exec(tx_db(tx),
				"INSERT OR REPLACE INTO stat(delivery_id, name, day, value, at) VALUES (?,?,?,?,?)",
				"itiii", n->delivery, n->name, now / DAY_MS, n->value, now);
		else if (n->account)
			rc = db_exec(tx_db(tx),
				"INSERT OR REPLACE INTO account_stat(account_id, name, day, at, value) VALUES (?,?,?,?,?)",
				"itiii", n->account, n->name, now / DAY_MS, now, n->value);
	}
	return rc;
}

void sq_stats_init(struct sq_stats *c)
{
	c->cmd.class = STORE_BULK;
	c->cmd.run = stats_run;
}

/* --- pruning ------------------------------------------------------------------------------------------------------------------- */
/* Of the lane and day: the row with which a chunk ends, in *id and the two others. 0: there are fewer rows. */
static int chunk_end(struct db *db, int64_t lane, int64_t day, struct buf *id,
	int64_t *ret_delivery, int64_t *ret_effect)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT provider_id, delivery_id, effect FROM ref WHERE lane_id=? AND day=? ORDER BY "
		"provider_id, delivery_id, effect LIMIT 1 OFFSET ?",
		"iii", lane, day, (int64_t)PRUNE_ROWS - 1);

	if (rc == 0)
		rc = db_row(db, st);
	if (rc != 1)
		return rc;
	rc = buf_add_str(id, col_str(st, 0));
	*ret_delivery = col_i64(st, 1);
	*ret_effect = col_i64(st, 2);
	db_reset(st);
	return rc < 0 ? rc : 1;
}

/* The first rows of a day that is over, by a range of the key: a list of rows would walk through the whole day, which may have
 * millions, for each chunk. */
static int prune_refs(struct db *db, const struct sq_jobs_prune *c)
{
	struct buf id CLEANUP_BUF = { 0 };
	sqlite3_stmt *st;
	int64_t lane = 0, day = 0, delivery = 0, effect = 0;

	buf_init(&id, ID_KEEP);
	int rc = db_query(db, &st,
		"SELECT r.lane_id, r.day FROM lane n JOIN account a ON a.id=n.account_id JOIN channel c ON "
		"c.id=a.channel_id CROSS JOIN ref r ON r.lane_id=n.id AND r.day<? WHERE c.name=? LIMIT 1",
		"it", c->refs_before_ms / DAY_MS, c->channel);

	if (rc == 0 && (rc = db_row(db, st)) == 1) {
		lane = col_i64(st, 0);
		day = col_i64(st, 1);
		db_reset(st);
		rc = chunk_end(db, lane, day, &id, &delivery, &effect);
	}
	if (rc < 0)
		return rc;
	return rc == 1
		? db_exec(db,
			  "DELETE FROM ref WHERE lane_id=? AND day=? AND (provider_id, delivery_id, "
			  "effect)<=(?,?,?)",
			  "iisii", lane, day, buf_str(&id), delivery, effect)
		: db_exec(db, "DELETE FROM ref WHERE lane_id=? AND day=?", "ii", lane, day);
}

static int prune_step(struct store_tx *tx, struct sq_jobs_prune *c, int step)
{
	struct db *db = tx_db(tx);
	switch (step) {
	case 0:
		return db_exec(db,
			"DELETE FROM inbound WHERE id IN (SELECT id FROM inbound WHERE channel_id=(SELECT id "
			"FROM channel WHERE name=?) AND came<? LIMIT ?)",
			"tii", c->channel, c->inbound_before_ms, (int64_t)PRUNE_ROWS);
	case 1:
		return db_exec(db,
			"DELETE FROM inbound WHERE id IN (SELECT id FROM inbound WHERE id<=(SELECT max(id) "
			"FROM inbound)-? ORDER BY id LIMIT ?)",
			"ii", (int64_t)c->inbound_max, (int64_t)PRUNE_ROWS);
	case 2:
		return db_exec(db,
			"DELETE FROM seen WHERE key IN (SELECT key FROM seen INDEXED BY seen_at WHERE at<? LIMIT ?)",
			"ii", c->seen_before_ms, (int64_t)PRUNE_ROWS);
	default: return prune_refs(db, c);
	}
}

static int prune_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct sq_jobs_prune *c = CONTAINER_OF(cmd, struct sq_jobs_prune, cmd);
	c->ret_rows = 0;
	c->left = false;
	for (int step = 0; step < 4; step++) {
		bool by_day = step == 3; /* the last rows of a day are fewer */
		int64_t gone = PRUNE_ROWS;
		while (gone == PRUNE_ROWS || (by_day && gone > 0)) {
			if (tx_elapsed_us(tx) >= tx_chunk_us(tx)) {
				c->left = true;
				return 0;
			}
			int rc = prune_step(tx, c, step);
			if (rc)
				return rc;
			gone = db_changes(tx_db(tx));
			c->ret_rows += gone;
		}
	}
	return 0;
}

void sq_jobs_prune_init(struct sq_jobs_prune *c)
{
	c->cmd.class = STORE_BULK;
	c->cmd.run = prune_run;
}
