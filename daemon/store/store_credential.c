/* store_credential.c - commits that a refresh or a login begins. Thread: store. Owns: nothing (rows are store_secret.c's).
 * Failures: the refresh is not begun, the old pair stays good. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "store/store_internal.h"
#include "store/store_credential.h"

static int begin_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct store_cred_begin *c = CONTAINER_OF(cmd, struct store_cred_begin, cmd);
	struct cred_info i;
	char subject[300], was[64], now[64];
	enum cred_state state = c->again ? CRED_AGAIN : CRED_ROTATING;
	int rc = store_secret_row(tx, c->channel, c->adapter, c->name, &i);

	if (rc < 0)
		return rc;
	c->version = i.version;
	rc = db_exec(tx_db(tx), "UPDATE credential SET state = ? WHERE id = ?", "ii",
		(int64_t)state, i.id);
	if (rc < 0)
		return rc;
	(void)snprintf(subject, sizeof(subject), "credential:%s/%s", c->channel, c->name);
	(void)snprintf(
		was, sizeof(was), "%s version:%" PRId64, cred_state_name((int)i.state), i.version);
	(void)snprintf(now, sizeof(now), "%s", cred_state_name((int)state));
	return store_audit(tx,
		&(struct audit_event){ .person = c->person ? c->person : "system",
			.via = c->via ? c->via : "system",
			.what = "credential.refresh",
			.subject = subject,
			.was = was,
			.now = now });
}

void store_cred_begin_init(struct store_cred_begin *c)
{
	memset(c, 0, sizeof(*c));
	c->cmd.class = STORE_INTENT;
	c->cmd.run = begin_run;
}

static int login_run(struct store_tx *tx, struct store_cmd *cmd)
{
	const struct store_cred_login *c = CONTAINER_OF(cmd, struct store_cred_login, cmd);
	char subject[300];

	(void)snprintf(subject, sizeof(subject), "credential:%s/%s", c->channel, c->name);
	return store_audit(tx,
		&(struct audit_event){ .person = c->person,
			.via = c->via,
			.what = "credential.login",
			.subject = subject,
			.now = c->now });
}

void store_cred_login_init(struct store_cred_login *c)
{
	memset(c, 0, sizeof(*c));
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = login_run;
}
