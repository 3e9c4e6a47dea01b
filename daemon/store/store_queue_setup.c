/* store_queue_setup.c - rows for what the configuration names (channel, account, lane), and opt-outs.
 * Thread: store. Owns: nothing. Must not know: what a channel does.
 * Failures: a store error fails the command whole. Rows are never taken away here: old lots still name their lane. */
#include <stdio.h>
#include <string.h>
#include "store/store_internal.h"
#include "store/store_queue.h"
#include "store/store_queue_effect.h"

static int setup_one(struct db *db, const struct sq_setup_lane *l)
{
	int64_t channel = 0, account = 0;
	int rc = db_exec(db,
		"INSERT INTO channel(name, adapter) VALUES (?,?) ON CONFLICT(name) DO UPDATE SET "
		"adapter=excluded.adapter WHERE adapter<>excluded.adapter",
		"tt", l->channel, l->adapter);

	if (rc == 0)
		rc = db_get_i64(
			db, &channel, "SELECT id FROM channel WHERE name=?", "t", l->channel);
	if (rc != 1)
		return rc < 0 ? rc : -EIO;
	rc = db_exec(db,
		"INSERT INTO account(channel_id, name) VALUES (?,?) ON CONFLICT(channel_id, name) DO "
		"NOTHING",
		"it", channel, l->account);
	if (rc == 0)
		rc = db_get_i64(db, &account,
			"SELECT id FROM account WHERE channel_id=? AND name=?", "it", channel,
			l->account);
	if (rc != 1)
		return rc < 0 ? rc : -EIO;
	return db_exec(db,
		"INSERT INTO lane(account_id, class, gate, tokens, tokens_at) VALUES (?,?,0,0,0) ON "
		"CONFLICT(account_id, class) DO NOTHING",
		"it", account, l->class);
}

static int setup_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct sq_setup *c = CONTAINER_OF(cmd, struct sq_setup, cmd);
	int rc = 0;

	for (size_t i = 0; i < c->n && rc == 0; i++)
		rc = setup_one(tx_db(tx), &c->v[i]);
	return rc;
}

void sq_setup_init(struct sq_setup *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = setup_run;
}

/* An address that was erased has left its hash (store_forget.c); an older daemon left only half of it: then nobody is known. */
static int contact_who(struct store_tx *tx, sqlite3_stmt *st, struct hash *ret)
{
	if (!str_starts(col_str(st, 1), "forgotten:")) {
		store_who(tx_store(tx), (int)col_i64(st, 0), col_str(st, 1), ret);
		return 0;
	}
	return hash_from_hex(col_str(st, 2), ret) < 0 ? -ENOENT : 0;
}

/* The keyed hash of who opts out, and the name of the list; -ENOENT when either is gone. */
static int optout_who(struct store_tx *tx, const struct sq_optout *c, struct hash *ret, char *list,
	size_t list_size)
{
	sqlite3_stmt *st;
	int rc;

	list[0] = 0;
	if (!c->contact) {
		store_who(tx_store(tx), c->kind, str_of(c->address), ret);
		return 0;
	}
	rc = db_query(tx_db(tx), &st, "SELECT kind, address, class FROM contact WHERE id=?", "i",
		c->contact);
	if (rc == 0)
		rc = db_row(tx_db(tx), st);
	if (rc != 1)
		return rc < 0 ? rc : -ENOENT;
	rc = contact_who(tx, st, ret);
	db_reset(st);
	if (rc < 0)
		return rc;
	if (c->list == SQ_LIST_ADS)
		(void)str_copy(list, list_size, STR(SUPPRESS_ADS));
	if (!c->list || c->list == SQ_LIST_ADS)
		return 0;
	rc = db_get_text(
		tx_db(tx), list, list_size, "SELECT name FROM list WHERE id=?", "i", c->list);
	return rc == 1 ? 0 : rc < 0 ? rc : -ENOENT;
}

static int optout_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct sq_optout *c = CONTAINER_OF(cmd, struct sq_optout, cmd);
	char list[120], who_hex[HASH_HEX], subject[140], now[160];
	struct hash who;
	struct audit_event ev = { .person = "recipient",
		.via = c->via,
		.what = "suppression.add",
		.subject = subject,
		.now = now };
	int rc = optout_who(tx, c, &who, list, sizeof(list));

	c->ret_new = false;
	if (rc == 0)
		rc = sq_suppress(tx, &who, list, c->reason, 1, &c->ret_new);
	if (rc ||
		!c->ret_new) /* said again it is no event: anybody may click a link as often as he likes */
		return rc;
	hash_hex(&who, who_hex);
	snprintf(subject, sizeof(subject), "contact:%s", who_hex);
	snprintf(now, sizeof(now), "%s list:%s", suppress_reason_name(c->reason),
		list[0] ? list : "(all)");
	return store_audit(tx, &ev);
}

void sq_optout_init(struct sq_optout *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = optout_run;
}
