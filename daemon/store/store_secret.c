/* store_secret.c - boxes of credentials: put, open, mark, list, seal anew.
 * Threads: store for the commands, any reader for opening. Owns: credential.
 * Happy path: refresh answers -> put (outcome class) -> commit -> only then the new pair is used.
 * Failures: a box that does not open says why (other key, changed row) and is never guessed around.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "store/store_engine.h"
#include "store/store_secret.h"

#define ROTATE_MAX 10000
#define AD_MAX     512

struct cred_row {
	struct cred_info i;
	struct str nonce, box;
};

const char *cred_state_name(int s)
{
	static const char *const names[] = { "good", "rotating", "in doubt", "dead",
		"trying again" };

	return s >= 0 && (size_t)s < ARRAY_LEN(names) ? names[s] : NULL;
}

/* Associated data: a box moved to another row, name or version does not open. */
static int ad_make(
	char *dst, int64_t id, int64_t version, uint32_t key_id, const char *name, struct str *ret)
{
	int n = snprintf(dst, AD_MAX, "lantoa-cred-1 %" PRId64 " %" PRId64 " %08" PRIx32 " %s", id,
		version, key_id, name);

	if (n < 0 || n >= AD_MAX)
		return -ENAMETOOLONG;
	*ret = (struct str){ dst, (size_t)n };
	return 0;
}

/* The key that sealed it; during a rotation there are two. */
static const struct keyring *key_by_id(struct store *s, uint32_t id)
{
	const struct keyring *k = keyring_id(s->o.keys) == id ? s->o.keys : NULL;

	for (size_t i = 0; i < s->o.n_secret_known && !k; i++)
		if (keyring_id(s->o.secret_known[i]) == id)
			k = s->o.secret_known[i];
	if (k)
		return k;
	pthread_mutex_lock(&s->mu);
	if (keyring_id(s->o.secret_keys) == id)
		k = s->o.secret_keys;
	else if (s->secret_next && keyring_id(s->secret_next) == id)
		k = s->secret_next;
	else if (s->secret_prev && keyring_id(s->secret_prev) == id)
		k = s->secret_prev; /* an older snapshot */
	pthread_mutex_unlock(&s->mu);
	return k;
}

int secret_key_settle(struct store *s)
{
	sqlite3_stmt *st = NULL;

	if (!s->o.secret_next)
		return 0;
	int rc = db_query(s->w, &st, "SELECT 1 FROM credential WHERE key_id = ? LIMIT 1", "i",
		(int64_t)keyring_id(s->o.secret_next));
	if (rc == 0)
		rc = db_row(s->w, st);
	db_reset(st);
	if (rc == 1)
		s->o.secret_keys = s->o.secret_next;
	return rc < 0 ? rc : 0;
}

const struct keyring *store_secret_key(struct store *s)
{
	pthread_mutex_lock(&s->mu);
	const struct keyring *k = s->o.secret_keys;
	pthread_mutex_unlock(&s->mu);
	return k;
}

/* For sealing, on the store thread: a rotation in this transaction counts at once. */
static const struct keyring *key_now(struct store_tx *tx)
{
	return tx->rotate_to ? tx->rotate_to : tx->s->o.secret_keys;
}

static int box_write(struct store_tx *tx, const struct keyring *k, const char *name,
	struct str value, struct cred_info *i)
{
	char adbuf[AD_MAX];
	struct str ad;
	uint8_t nonce[BOX_NONCE_LEN];
	size_t n = value.n + BOX_TAG_LEN;

	i->key_id = keyring_id(k);
	int rc = ad_make(adbuf, i->id, i->version, i->key_id, name, &ad);
	if (rc < 0)
		return rc;
	uint8_t *box = x_calloc(1, n);
	rc = box_seal(k, value, ad, nonce, box);
	if (rc == 0)
		rc = db_exec(tx_db(tx),
			"UPDATE credential SET version = ?, key_id = ?, nonce = ?, box = ? WHERE id = ?",
			"iibbi", i->version, (int64_t)i->key_id,
			(struct str){ (char *)nonce, sizeof(nonce) },
			(struct str){ (char *)box, n }, i->id);
	xfree(box);
	return rc;
}

static int box_read(
	struct store *s, const char *name, const struct cred_row *r, struct secret **ret)
{
	char adbuf[AD_MAX];
	struct str ad;
	const struct keyring *k = key_by_id(s, r->i.key_id);

	if (!k)
		return -EKEYREJECTED;
	if (r->nonce.n != BOX_NONCE_LEN || r->box.n < BOX_TAG_LEN ||
		r->box.n > SECRET_MAX + BOX_TAG_LEN)
		return -EBADMSG;
	int rc = ad_make(adbuf, r->i.id, r->i.version, r->i.key_id, name, &ad);
	if (rc < 0)
		return rc;
	size_t n = r->box.n - BOX_TAG_LEN;
	uint8_t *plain = x_calloc(1, n + 1);
	rc = box_open(k, r->box, ad, (const uint8_t *)r->nonce.p, plain);
	if (rc == 0) {
		*ret = secret_new((struct str){ (char *)plain, n });
		rc = *ret ? 0 : -ENOMEM;
	}
	wipe(plain, n + 1);
	xfree(plain);
	return rc;
}

static void info_read(sqlite3_stmt *st, int from, struct cred_info *i)
{
	i->id = col_i64(st, from);
	i->version = col_i64(st, from + 1);
	i->expires = col_i64(st, from + 2);
	i->changed = col_i64(st, from + 3);
	i->state = (enum cred_state)col_i64(st, from + 4);
	i->key_id = (uint32_t)col_i64(st, from + 5);
}

/* 1 found, 0 none. The statement stays at the row: the caller resets it. */
static int row_find(
	struct db *db, const char *channel, const char *name, sqlite3_stmt **st, struct cred_row *r)
{
	int rc = db_query(db, st,
		"SELECT c.id, c.version, coalesce(c.expires, 0), c.changed, c.state, c.key_id, "
		"c.nonce, c.box FROM credential c JOIN channel h ON h.id = c.channel_id "
		"WHERE h.name = ? AND c.name = ?",
		"tt", channel, name);

	if (rc == 0)
		rc = db_row(db, *st);
	if (rc == 1) {
		info_read(*st, 0, &r->i);
		r->nonce = col_blob(*st, 6);
		r->box = col_blob(*st, 7);
	}
	return rc;
}

int store_secret_get(struct store *s, struct db *db, const char *channel, const char *name,
	struct secret **ret, struct cred_info *ret_info)
{
	sqlite3_stmt *st = NULL;
	struct cred_row r;
	int rc = row_find(db, channel, name, &st, &r);

	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	rc = r.i.version == 0 ? -ENOENT : box_read(s, name, &r, ret);
	db_reset(st);
	if (rc == 0 && ret_info)
		*ret_info = r.i;
	return rc;
}

int store_secret_list(struct db *db,
	void (*row)(void *ctx, const char *channel, const char *name, const struct cred_info *i),
	void *ctx)
{
	sqlite3_stmt *st = NULL;
	int n = 0;
	int rc = db_query(db, &st,
		"SELECT h.name, c.name, c.id, c.version, coalesce(c.expires, 0), c.changed, c.state, "
		"c.key_id FROM credential c JOIN channel h ON h.id = c.channel_id "
		"ORDER BY h.name, c.name LIMIT ?",
		"i", (int64_t)ROTATE_MAX);

	while (rc >= 0 && (rc = db_row(db, st)) == 1) {
		struct cred_info i;
		info_read(st, 2, &i);
		row(ctx, col_z(st, 0), col_z(st, 1), &i);
		n++;
	}
	return rc < 0 ? rc : n;
}

/* --- commands --------------------------------------------------------------------------------------------------------- */

static int audited(struct store_tx *tx, const char *what, const char *channel, const char *name,
	const char *now, const char *person, const char *via, const char *why)
{
	char subject[300];

	(void)snprintf(subject, sizeof(subject), "credential:%s/%s", channel, name);
	return store_audit(tx,
		&(struct audit_event){ .person = person ? person : "system",
			.via = via ? via : "system",
			.what = what,
			.subject = subject,
			.now = now,
			.why = why });
}

int store_secret_row(struct store_tx *tx, const char *channel_name, const char *adapter,
	const char *name, struct cred_info *i)
{
	struct db *db = tx_db(tx);
	sqlite3_stmt *st = NULL;
	struct cred_row r;
	int64_t channel = 0;
	int rc = row_find(db, channel_name, name, &st, &r);

	if (rc == 1) {
		*i = r.i;
		db_reset(st);
		return 0;
	}
	if (rc == 0 && adapter)
		rc = db_exec(db,
			"INSERT INTO channel(name, adapter) SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 "
			"FROM channel WHERE name = ?1)",
			"tt", channel_name, adapter);
	if (rc < 0)
		return rc;
	rc = db_get_i64(db, &channel, "SELECT id FROM channel WHERE name = ?", "t", channel_name);
	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	rc = db_exec(db,
		"INSERT INTO credential(channel_id, name, version, key_id, nonce, box, state, changed) "
		"VALUES (?, ?, 0, 0, x'', x'', 0, ?)",
		"iti", channel, name, tx_wall_ms(tx));
	memset(i, 0, sizeof(*i));
	i->id = db_last_id(db);
	return rc;
}

int store_secret_put_in(struct store_tx *tx, struct store_secret_put *c)
{
	struct store_cmd *cmd = &c->cmd;
	struct cred_info i;
	char now[48];

	if (c->value.n > SECRET_MAX)
		return err_set(&cmd->err, -E2BIG, "a secret of %zu bytes; at most %d", c->value.n,
			SECRET_MAX);
	int rc = store_secret_row(tx, c->channel, c->adapter, c->name, &i);
	if (rc == -ENOENT)
		return err_set(&cmd->err, rc, "channel '%s' is not known to the store", c->channel);
	if (rc < 0)
		return rc;
	if (c->if_version && c->if_version != i.version)
		return err_set(&cmd->err, -EALREADY,
			"credential '%s/%s' is at version %" PRId64 " already, not %" PRId64,
			c->channel, c->name, i.version, c->if_version);
	i.version = i.version + 1 > c->at_least ? i.version + 1 : c->at_least;
	if (!c->beside) {
		i.expires = c->expires;
		i.changed = c->changed ? c->changed : tx_wall_ms(tx);
		i.state = CRED_GOOD;
	}
	rc = box_write(tx, key_now(tx), c->name, c->value, &i);
	if (rc == 0)
		rc = db_exec(tx_db(tx),
			"UPDATE credential SET state = ?, changed = ?, expires = nullif(?, 0) "
			"WHERE id = ?",
			"iiii", (int64_t)i.state, i.changed, i.expires, i.id);
	(void)snprintf(now, sizeof(now), "version:%" PRId64, i.version);
	if (rc == 0)
		rc = audited(
			tx, "credential.put", c->channel, c->name, now, c->person, c->via, c->why);
	if (rc == 0)
		c->info = i;
	return rc;
}

static int put_run(struct store_tx *tx, struct store_cmd *cmd)
{
	return store_secret_put_in(tx, CONTAINER_OF(cmd, struct store_secret_put, cmd));
}

void store_secret_put_init(struct store_secret_put *c, enum store_class class)
{
	memset(c, 0, sizeof(*c));
	c->cmd.class = class;
	c->cmd.run = put_run;
}

static int mark_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct store_secret_mark *c = CONTAINER_OF(cmd, struct store_secret_mark, cmd);
	int rc = db_exec(tx_db(tx),
		"UPDATE credential SET state = ? WHERE name = ? AND channel_id = (SELECT id FROM "
		"channel WHERE name = ?)",
		"itt", (int64_t)c->state, c->name, c->channel);

	if (rc < 0)
		return rc;
	if (db_changes(tx_db(tx)) == 0)
		return err_set(&cmd->err, -ENOENT, "credential '%s/%s' is not stored", c->channel,
			c->name);
	return audited(tx, "credential.mark", c->channel, c->name, cred_state_name((int)c->state),
		c->person, c->via, c->why);
}

void store_secret_mark_init(struct store_secret_mark *c, enum store_class class)
{
	memset(c, 0, sizeof(*c));
	c->cmd.class = class;
	c->cmd.run = mark_run;
}

/* --- a new key -------------------------------------------------------------------------------------------------------- */

static int reseal(struct store_tx *tx, const struct keyring *to, int64_t after, int64_t *ret_id)
{
	struct db *db = tx_db(tx);
	sqlite3_stmt *st = NULL;
	struct secret *plain = NULL;
	struct cred_row r;
	char name[256];
	int rc = db_query(db, &st,
		"SELECT id, version, coalesce(expires, 0), changed, state, key_id, nonce, box, name "
		"FROM credential WHERE id > ? AND version > 0 ORDER BY id LIMIT 1",
		"i", after);

	if (rc == 0)
		rc = db_row(db, st);
	if (rc <= 0)
		return rc;
	info_read(st, 0, &r.i);
	r.nonce = col_blob(st, 6);
	r.box = col_blob(st, 7);
	*ret_id = r.i.id;
	if (!str_copy(name, sizeof(name), col_str(st, 8)))
		rc = -ENAMETOOLONG;
	else
		rc = box_read(tx_store(tx), name, &r, &plain);
	db_reset(st);
	if (rc == 0)
		rc = box_write(tx, to, name, secret_value(plain), &r.i);
	secret_free(plain);
	return rc < 0 ? rc : 1;
}

/* From here on both keys open; the commit decides which one seals. */
static void secret_rotate_begin(struct store_tx *tx, const struct keyring *to)
{
	pthread_mutex_lock(&tx->s->mu);
	tx->s->secret_next = to;
	pthread_mutex_unlock(&tx->s->mu);
	tx->rotate_to = to;
}

void secret_rotate_end(struct store_tx *tx, bool committed)
{
	struct store *s = tx->s;

	if (!tx->rotate_to)
		return;
	pthread_mutex_lock(&s->mu);
	if (committed) {
		s->secret_prev = s->o.secret_keys;
		s->o.secret_keys = tx->rotate_to;
	}
	s->secret_next = NULL;
	pthread_mutex_unlock(&s->mu);
	tx->rotate_to = NULL;
}

static int rotate_run(struct store_tx *tx, struct store_cmd *cmd)
{
	struct store_secret_rotate *c = CONTAINER_OF(cmd, struct store_secret_rotate, cmd);
	char was[32], now[32];
	int64_t id = 0;
	int rc = 1;

	c->sealed = 0;
	while (rc == 1 && c->sealed < ROTATE_MAX) {
		rc = reseal(tx, c->to, id, &id);
		c->sealed += rc == 1;
	}
	if (rc == 1)
		return err_set(&cmd->err, -E2BIG, "more than %d credentials: nothing was changed",
			ROTATE_MAX);
	if (rc < 0)
		return err_set(&cmd->err, rc,
			"credential %" PRId64 " does not open under the "
			"present key: nothing was changed",
			id);
	(void)snprintf(was, sizeof(was), "key:%08" PRIx32, keyring_id(key_now(tx)));
	(void)snprintf(now, sizeof(now), "key:%08" PRIx32, keyring_id(c->to));
	rc = store_audit(tx,
		&(struct audit_event){ .person = c->person ? c->person : "system",
			.via = c->via ? c->via : "system",
			.what = "key.rotate",
			.subject = "credentials",
			.was = was,
			.now = now,
			.why = c->why });
	if (rc == 0)
		secret_rotate_begin(tx, c->to);
	return rc;
}

void store_secret_rotate_init(struct store_secret_rotate *c, const struct keyring *to)
{
	memset(c, 0, sizeof(*c));
	c->cmd.class = STORE_CONTROL;
	c->cmd.run = rotate_run;
	c->to = to;
}
