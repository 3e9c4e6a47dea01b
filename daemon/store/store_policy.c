/* store_policy.c - see store_policy.h. Thread: store. What was noted last stands in table policy, one row. */
#include "base/str.h"
#include "store/store_internal.h"
#include "store/store_policy.h"

#define POLICY_MAX 4000

static int note(struct store_tx *tx, const struct store_policy_cmd *c, const char *what,
	const char *was, const char *now, const char *why)
{
	return store_audit(tx,
		&(struct audit_event){ .person = c->person,
			.via = c->via,
			.what = what,
			.subject = "config",
			.was = was && was[0] ? was : NULL,
			.now = now,
			.why = why });
}

static int take_text(struct store_tx *tx, struct store_policy_cmd *c)
{
	char was[POLICY_MAX];
	int rc = db_get_text(tx_db(tx), was, sizeof(was), "SELECT text FROM policy WHERE id=1", "");
	if (rc < 0)
		return rc;
	c->changed = !str_eqz(str_of(was), c->text);
	if (!c->changed)
		return 0;
	rc = db_exec(tx_db(tx),
		"INSERT INTO policy(id, text) VALUES(1, ?) ON CONFLICT(id) DO UPDATE SET text=excluded.text",
		"t", c->text);
	return rc ? rc : note(tx, c, "policy.change", was, c->text, NULL);
}

static int policy_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct store_policy_cmd *c = CONTAINER_OF(cmd, struct store_policy_cmd, cmd);
	int rc = c->act ? note(tx, c, c->act, NULL, NULL, c->why) : 0;
	return rc || !c->text ? rc : take_text(tx, c);
}

void store_policy_prepare(struct store_policy_cmd *c)
{
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = policy_run;
}
