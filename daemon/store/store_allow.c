/* store_allow.c - see store_allow.h. Thread: store. Owns: nothing.
 * Failures: each refusal is found before anything is written; an error of the store takes the command back whole.
 */
#include <stdio.h>
#include <string.h>
#include "model/outcome.h"
#include "store/store_allow.h"
#include "store/store_audit.h"
#include "store/store_consent.h"
#include "store/store_internal.h"

/* Erasing gives the contact an address made of this hash (store_forget.c), with a number behind it from the second time on. */
static int erased(struct store_tx *tx, int kind, const struct hash *who, bool *ret)
{
	char hex[HASH_HEX], from[80], to[80];
	int64_t id = 0;

	hash_hex(who, hex);
	(void)snprintf(from, sizeof(from), "forgotten:%.40s", hex);
	(void)snprintf(to, sizeof(to), "forgotten:%.40s;", hex); /* ';' follows ':' */
	int rc = db_get_i64(tx_db(tx), &id,
		"SELECT id FROM contact WHERE kind=? AND address>=? AND address<? LIMIT 1", "itt",
		(int64_t)kind, from, to);
	*ret = rc == 1;
	return rc < 0 ? rc : 0;
}

static int entries_of(struct store_tx *tx, struct allow_cmd *c, const struct forget_one *one)
{
	struct allow_entry base = { .kind = one->kind };
	struct consent consent;
	sqlite3_stmt *st;

	store_who(tx_store(tx), one->kind, str_of(one->address), &base.who);
	int rc = erased(tx, one->kind, &base.who, &base.erased);
	if (rc == 0)
		rc = consent_get(tx_db(tx), &base.who, &consent);
	if (rc)
		return rc;
	base.consent = consent.state;
	rc = db_query(tx_db(tx), &st,
		"SELECT list, reason, strikes, since FROM suppression WHERE who=?1 AND (?2 IS NULL OR list=?2) "
		"ORDER BY list",
		"ht", &base.who, c->list);
	while (rc == 0 && (rc = db_row(tx_db(tx), st)) == 1) {
		struct allow_entry e = base;
		e.reason = (int)col_i64(st, 1);
		e.strikes = col_i64(st, 2);
		e.since = col_i64(st, 3);
		if (c->n_ret == ALLOW_MAX || !str_copy(e.list, sizeof(e.list), col_str(st, 0))) {
			db_reset(st);
			return -E2BIG;
		}
		c->ret[c->n_ret++] = e;
		rc = 0;
	}
	return rc;
}

/* Which entries may go. Why none may: the first one says it. */
static int judge(struct allow_cmd *c, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_ret; i++) {
		struct allow_entry *r = &c->ret[i];
		r->lifted = c->agreed || (!suppress_is_wish(r->reason) && !r->erased);
		n += r->lifted;
	}
	if (c->n_ret == 0)
		return err_set(e, -ENOENT,
			c->list ? "nothing is suppressed under this address there; see `lantoa targets show`"
				: "nothing is suppressed under this address");
	if (n)
		return 0;
	if (c->ret[0].erased)
		return err_set(e, -EBADMSG,
			"this address was erased on request, and its entry keeps it from messages; only if the person agreed again: "
			"--agreed-again, and in -m when and how");
	return err_set(e, -EBADMSG,
		"the person wants nothing ('%s'): this is no bounce; only if the person agreed again: --agreed-again, "
		"and in -m when and how",
		suppress_reason_name(c->ret[0].reason));
}

static int lift(struct store_tx *tx, const struct allow_cmd *c, const struct allow_entry *r)
{
	char hex[HASH_HEX], subject[HASH_HEX + 20], was[160];
	const struct audit_event ev = { .person = c->person,
		.via = c->via,
		.what = "suppression.remove",
		.subject = subject,
		.was = was,
		.now = c->agreed ? "allowed, agreed again" : "allowed",
		.why = c->why };
	int rc = db_exec(tx_db(tx), "DELETE FROM suppression WHERE who=? AND list=?", "ht", &r->who,
		r->list);

	/* Old marks would suppress it again at the first new one. */
	if (rc == 0 && !r->list[0])
		rc = db_exec(tx_db(tx), "DELETE FROM strike WHERE who=?", "h", &r->who);
	if (rc)
		return rc;
	hash_hex(&r->who, hex);
	(void)snprintf(subject, sizeof(subject), "contact:%s", hex);
	(void)snprintf(was, sizeof(was), "%s list:%s", suppress_reason_name(r->reason),
		r->list[0] ? r->list : "(all)");
	return store_audit(tx, &ev);
}

static int allow_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct allow_cmd *c = CONTAINER_OF(cmd, struct allow_cmd, cmd);
	int rc = 0;

	c->n_ret = 0;
	for (size_t i = 0; i < c->n && rc == 0; i++)
		rc = entries_of(tx, c, &c->v[i]);
	if (rc == -E2BIG)
		return err_set(&cmd->err, rc,
			"this address has too many entries; take them off list by list (--list)");
	if (rc == 0)
		rc = judge(c, &cmd->err);
	for (size_t i = 0; i < c->n_ret && rc == 0; i++)
		if (c->ret[i].lifted)
			rc = lift(tx, c, &c->ret[i]);
	return rc;
}

void allow_prepare(struct allow_cmd *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = allow_run;
}
