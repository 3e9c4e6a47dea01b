/* dispatch_cred_load.c - where credentials come from at start and after a reload: the store, the mirror, first values of files.
 * Thread: reading on any worker, binding on the loop. Owns: struct cred_load.
 * What wins: the newest version, of the store or of the mirror; a file only when it is another one than was taken before.
 * Failures: what does not open is named; that credential waits for a login, all others go on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "dispatch/dispatch_cred_internal.h"
#include "store/store_queue_secret.h"

struct load_row {
	struct list node;
	char channel[64], name[64];
	bool stored;
	struct cred_info info;
	struct secret *set; /* owned; NULL: no value */
	struct mirror_set mirror;
	char trouble[200];
};
struct cred_load {
	struct list rows;
	size_t n;
};

static struct load_row *row_of(struct cred_load *l, const char *channel, const char *name)
{
	LIST_FOR(&l->rows, n)
	{
		struct load_row *r = CONTAINER_OF(n, struct load_row, node);
		if (strcmp(r->channel, channel) == 0 && strcmp(r->name, name) == 0)
			return r;
	}
	if (l->n == CREDS_MAX)
		return NULL;
	struct load_row *r = x_calloc(1, sizeof(*r));
	(void)str_copy(r->channel, sizeof(r->channel), str_of(channel));
	(void)str_copy(r->name, sizeof(r->name), str_of(name));
	list_push(&l->rows, &r->node);
	l->n++;
	return r;
}

static void on_listed(void *ctx, const char *channel, const char *name, const struct cred_info *i)
{
	struct load_row *r = row_of(ctx, channel, name);

	if (!r)
		return;
	r->stored = true;
	r->info = *i;
}

static int rows_open(struct cred_load *l, struct store *s, struct store_reader *rd)
{
	int rc = store_secret_list(reader_db(rd), on_listed, l);

	if (rc < 0)
		return rc;
	LIST_FOR(&l->rows, n)
	{
		struct load_row *r = CONTAINER_OF(n, struct load_row, node);
		rc = store_secret_get(s, reader_db(rd), r->channel, r->name, &r->set, &r->info);
		if (rc == -EKEYREJECTED || rc == -EBADMSG)
			(void)snprintf(r->trouble, sizeof(r->trouble),
				rc == -EBADMSG ? "its row was changed and does not open"
					       : "it is sealed under another key");
		else if (rc && rc != -ENOENT)
			return rc;
	}
	return 0;
}

static void mirrors_read(struct cred_load *l, const struct store *s, const struct conf *conf)
{
	struct err e;

	for (size_t i = 0; i < conf->n_channels; i++)
		for (size_t k = 0; k < conf->channels[i]->n_accounts; k++) {
			const struct conf_channel *ch = conf->channels[i];
			const char *name = ch->accounts[k]->credential;
			struct load_row *r = name ? row_of(l, ch->name, name) : NULL;
			if (!r || r->mirror.set || !conf->token_mirror)
				continue;
			int rc = mirror_read(
				conf->token_mirror, store_keys(s), ch->name, name, &r->mirror, &e);
			if (rc && rc != -ENOENT)
				log_line(LOG_ERROR,
					"ev=credential.mirror_unread ch=%s credential=%s why=%s continuing",
					ch->name, name, LOG_Q(str_of(e.text)));
		}
}

int dispatch_secrets_read(
	struct store *s, const struct conf *conf, struct cred_load **ret, struct err *e)
{
	struct cred_load *l = x_calloc(1, sizeof(*l));
	struct store_reader *rd;

	list_init(&l->rows);
	int rc = store_reader_open(s, &rd);
	if (rc == 0) {
		rc = rows_open(l, s, rd);
		store_reader_close(rd);
	}
	if (rc < 0) {
		dispatch_secrets_load_free(l);
		return err_set(e, rc, "the stored credentials cannot be read: %s", strerror(-rc));
	}
	mirrors_read(l, s, conf);
	*ret = l;
	return 0;
}

void dispatch_secrets_load_free(struct cred_load *l)
{
	if (!l)
		return;
	LIST_FOR_SAFE(&l->rows, n, nx)
	{
		struct load_row *r = CONTAINER_OF(n, struct load_row, node);
		secret_free(r->set);
		secret_free(r->mirror.set);
		free(r);
	}
	free(l);
}

/* --- binding -------------------------------------------------------------------------------------------------------------- */

/* An epoch that ended between the word and the new pair: nobody knows whether the old one is spent. */
static void after_crash(struct dcred *c)
{
	if (c->state == CRED_ROTATING) {
		log_line(LOG_ERROR,
			"ev=credential.doubt ch=%s credential=%s version=%lld why=\"the daemon ended in the middle of a refresh\" next=one_more_try",
			c->channel, c->name, (long long)c->version);
		cred_mark(c, CRED_DOUBT, "the daemon ended in the middle of a refresh");
	} else if (c->state == CRED_AGAIN) {
		cred_mark(c, CRED_DEAD, "the daemon ended in the middle of the one more try");
	}
}

static void dead_text(struct dcred *c, const char *what)
{
	char why[200];

	(void)snprintf(why, sizeof(why), "credential '%.60s': %.60s: lantoa channel login %.60s",
		c->name, what, c->channel);
	log_line(LOG_ERROR, "ev=credential.dead ch=%s credential=%s why=%s", c->channel, c->name,
		LOG_Q(str_of(why)));
	cred_park(c, why);
}

static void row_take(struct dispatch *d, struct load_row *r)
{
	struct dcred *c = cred_get(d, r->channel, r->name);

	if (!c)
		return;
	if (r->stored) {
		c->version = c->pair = r->info.version;
		c->expires_ms = r->info.expires;
		c->changed_ms = r->info.changed;
		c->state = r->info.state;
	}
	if (r->mirror.set && r->mirror.version > c->version) {
		log_line(LOG_WARN,
			"ev=credential.from_mirror ch=%s credential=%s stored=%lld mirror=%lld",
			c->channel, c->name, (long long)c->version, (long long)r->mirror.version);
		struct cred_put *p = cred_put_new(
			c, MOVE(r->mirror.set), r->mirror.expires_ms, "newer in the mirror");
		p->changed_ms = r->mirror.changed_ms;
		p->at_least = r->mirror.version;
		return; /* the older one is never served */
	}
	if (r->trouble[0]) {
		c->state = CRED_DEAD;
		dead_text(c, r->trouble);
		return;
	}
	c->set = MOVE(r->set);
	after_crash(c);
	if (c->state == CRED_DEAD)
		dead_text(c, "refused, or its answer was lost twice");
}

static size_t first_values(struct channel *ch, const char *credential, struct lt_pair v[static 4])
{
	static const char *const names[] = { "refresh_token", "access_token" };
	struct str value;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (channel_secret_first(ch, credential, names[i], &value))
			v[n++] = (struct lt_pair){ .name = { names[i], strlen(names[i]) },
				.value = { value.p, value.n } };
	if (!n && channel_secret_first(ch, credential, credential, &value))
		v[n++] = (struct lt_pair){ .name = { names[0], strlen(names[0]) },
			.value = { value.p, value.n } };
	return n;
}

/* A file that is another one than was taken before is a new login. */
static void first_take(struct dcred *c, struct channel *ch)
{
	struct lt_pair v[4];
	struct hasher h;
	struct hash sum;
	char hex[HASH_HEX];
	size_t n = first_values(ch, c->name, v);
	if (!n)
		return;
	bool renewable = v[0].name.n == strlen("refresh_token");
	hasher_init(&h);
	for (size_t i = 0; i < n; i++) {
		hasher_field(&h, v[i].name.p, v[i].name.n);
		hasher_field(&h, v[i].value.p, v[i].value.n);
	}
	hasher_end(&h, &sum);
	hash_hex(&sum, hex);
	struct str seen = sq_secret_value(cred_newest(c), CRED_SEED);
	if (str_eqz(seen, hex))
		return;
	v[n++] = (struct lt_pair){ .name = { CRED_SEED, strlen(CRED_SEED) },
		.value = { hex, strlen(hex) } };
	struct secret *set = cred_set_merge((struct str){ NULL, 0 }, v, n);
	int64_t now = env_wall(c->d->o.env);
	/* How long an access token that a person pasted lives nobody said: where it can be renewed, it is. */
	(void)cred_put_new(c, set, renewable ? now : 0,
		seen.p ? "the file of its first value changed" : "first value of a file");
}

static void conf_bind(struct dispatch *d, struct channels *cs)
{
	for (size_t i = 0; i < d->conf->n_channels; i++)
		for (size_t k = 0; k < d->conf->channels[i]->n_accounts; k++) {
			const struct conf_channel *conf = d->conf->channels[i];
			const char *name = conf->accounts[k]->credential;
			struct channel *ch = name ? channels_find(cs, conf->name) : NULL;
			struct dcred *c = ch ? cred_get(d, conf->name, name) : NULL;
			if (!c || c->configured)
				continue;
			c->configured = true;
			first_take(c, ch);
		}
}

void dispatch_secrets_bind(struct dispatch *d, struct channels *cs, struct cred_load *l)
{
	LIST_FOR(&d->creds, n)
	CONTAINER_OF(n, struct dcred, node)->configured = false;
	LIST_FOR(&l->rows, n)
	{
		struct load_row *r = CONTAINER_OF(n, struct load_row, node);
		struct dcred *c = cred_find(d, r->channel, r->name);
		int64_t mirrored = r->mirror.version;
		if (!c) {
			row_take(d, r);
			c = cred_find(d, r->channel, r->name);
		}
		if (c && mirrored < c->version)
			cred_mirror_copy(c);
	}
	dispatch_secrets_load_free(l);
	conf_bind(d, cs);
	LIST_FOR(&d->creds, n)
	cred_schedule(CONTAINER_OF(n, struct dcred, node));
	cred_gauges(d);
}
