/* store_queue_secret.c - credentials sealed with a key that is not in the database; (channel, name, version) is bound in.
 * Thread: store for the command, worker for reading. Owns: nothing. Must not know: what a credential opens.
 * Failures: a row that was changed or moved does not open: -EBADMSG, never a wrong secret. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "store/store_internal.h"
#include "store/store_queue_secret.h"

static struct str bound(
	char *dst, size_t size, const char *channel, const char *name, int64_t version)
{
	int n = snprintf(dst, size, "%s\n%s\n%lld", channel, name, (long long)version);

	return (struct str){ dst, (size_t)n };
}

static int secret_audit(struct store_tx *tx, const struct sq_secret *c)
{
	char subject[160], now[40];
	struct audit_event ev = { .person = "system",
		.via = "system",
		.what = "credential.rotate",
		.subject = subject,
		.now = now };

	snprintf(subject, sizeof(subject), "credential:%s/%s", c->channel, c->name);
	snprintf(now, sizeof(now), "version %lld", (long long)c->ret_version);
	return store_audit(tx, &ev);
}

static int secret_write(struct store_tx *tx, struct sq_secret *c, int64_t channel)
{
	const struct keyring *keys = store_keys(tx_store(tx));
	uint8_t nonce[BOX_NONCE_LEN], *box = x_calloc(1, c->plain.n + BOX_TAG_LEN);
	char ad[200];
	int rc = box_seal(keys, c->plain,
		bound(ad, sizeof(ad), c->channel, c->name, c->ret_version), nonce, box);

	if (rc == 0)
		rc = db_exec(tx_db(tx),
			"INSERT INTO credential(channel_id, name, version, key_id, nonce, box, expires, "
			"state, changed) VALUES (?,?,?,?,?,?,nullif(?,0),0,?) ON CONFLICT(channel_id, "
			"name) DO UPDATE SET version=excluded.version, key_id=excluded.key_id, "
			"nonce=excluded.nonce, box=excluded.box, expires=excluded.expires, state=0, "
			"changed=excluded.changed",
			"itiibbii", channel, c->name, c->ret_version, (int64_t)keyring_id(keys),
			(struct str){ (const char *)nonce, sizeof(nonce) },
			(struct str){ (const char *)box, c->plain.n + BOX_TAG_LEN }, c->expires_ms,
			tx_wall_ms(tx));
	free(box);
	return rc;
}

static int secret_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct sq_secret *c = CONTAINER_OF(cmd, struct sq_secret, cmd);
	int64_t channel = 0;
	int rc = db_get_i64(
		tx_db(tx), &channel, "SELECT id FROM channel WHERE name=?", "t", c->channel);

	if (rc != 1)
		return rc < 0 ? rc : -ENOENT;
	if (c->plain.n > SQ_SECRET_MAX)
		return -E2BIG;
	c->ret_version = 0;
	rc = db_get_i64(tx_db(tx), &c->ret_version,
		"SELECT version FROM credential WHERE channel_id=? AND name=?", "it", channel,
		c->name);
	if (rc < 0)
		return rc;
	c->ret_version++;
	rc = secret_write(tx, c, channel);
	return rc ? rc : secret_audit(tx, c);
}

void sq_secret_init(struct sq_secret *c)
{
	c->cmd.class = STORE_OUTCOME;
	c->cmd.run = secret_run;
}

int sq_read_secret(struct store_reader *r, const char *channel, const char *name, char **ret,
	size_t *ret_n, int64_t *ret_version)
{
	struct db *db = reader_db(r);
	sqlite3_stmt *st;
	char ad[200];
	int rc = db_query(db, &st,
		"SELECT k.version, k.nonce, k.box FROM credential k JOIN channel c ON c.id=k.channel_id "
		"WHERE c.name=? AND k.name=?",
		"tt", channel, name);

	if (rc == 0)
		rc = db_row(db, st);
	if (rc != 1)
		return rc;
	struct str nonce = col_blob(st, 1), box = col_blob(st, 2);
	int64_t version = col_i64(st, 0);
	char *plain = NULL;
	rc = -EBADMSG;
	if (nonce.n == BOX_NONCE_LEN && box.n >= BOX_TAG_LEN &&
		box.n <= SQ_SECRET_MAX + BOX_TAG_LEN) {
		plain = x_calloc(1, box.n);
		rc = box_open(store_keys(reader_store(r)), box,
			bound(ad, sizeof(ad), channel, name, version), (const uint8_t *)nonce.p,
			(uint8_t *)plain);
	}
	size_t n = box.n >= BOX_TAG_LEN ? box.n - BOX_TAG_LEN : 0;
	db_reset(st);
	if (rc) {
		free(plain);
		return rc;
	}
	*ret = plain;
	*ret_n = n;
	*ret_version = version;
	return 1;
}

struct str sq_secret_value(struct str plain, const char *name)
{
	while (plain.n > 0) {
		struct str part[2];
		for (int i = 0; i < 2; i++) {
			uint32_t n;
			if (plain.n < sizeof(n))
				return (struct str){ NULL, 0 };
			memcpy(&n, plain.p, sizeof(n));
			if (n > plain.n - sizeof(n))
				return (struct str){ NULL, 0 };
			part[i] = (struct str){ plain.p + sizeof(n), n };
			plain.p += sizeof(n) + n;
			plain.n -= sizeof(n) + n;
		}
		if (str_eqz(part[0], name))
			return part[1];
	}
	return (struct str){ NULL, 0 };
}
