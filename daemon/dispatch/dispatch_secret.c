/* dispatch_secret.c - a new set of values of a credential on its way: to the mirror, then committed, then served.
 * Thread: loop; mirrors are written on a worker. Owns: the sets until they are committed, in locked memory. Must not know: SQL.
 * Failures: the provider has made the old pair void already, so a set is kept and tried again until it is committed; a mirror
 * that cannot be written is told and does not hold the rotation up. */
#include <stdlib.h>
#include <string.h>
#include "base/crypt.h"
#include "base/log.h"
#include "dispatch/dispatch_cred_internal.h"
#include "store/store_queue_secret.h"

static int add_field(struct buf *b, struct str s)
{
	uint32_t n = (uint32_t)s.n;

	return buf_add(b, &n, sizeof(n)) || buf_add(b, s.p, s.n) ? -E2BIG : 0;
}

static bool next_field(struct str *rest, struct str *ret)
{
	uint32_t n;

	if (rest->n < sizeof(n))
		return false;
	memcpy(&n, rest->p, sizeof(n));
	if (n > rest->n - sizeof(n))
		return false;
	*ret = (struct str){ rest->p + sizeof(n), n };
	rest->p += sizeof(n) + n;
	rest->n -= sizeof(n) + n;
	return true;
}

static bool is_among(const struct lt_pair *set, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq((struct str){ set[i].name.p, set[i].name.n }, name))
			return true;
	return false;
}

struct secret *cred_set_merge(struct str base, const struct lt_pair *set, size_t n)
{
	struct buf b;
	struct str name, value;
	struct secret *ret = NULL;
	int rc;

	buf_init(&b, CRED_SET_MAX);
	rc = buf_reserve(&b, CRED_SET_MAX); /* never moved: no copy stays behind */
	while (!rc && next_field(&base, &name) && next_field(&base, &value)) {
		if (is_among(set, n, name))
			continue;
		rc = add_field(&b, name);
		rc = rc ? rc : add_field(&b, value);
	}
	for (size_t i = 0; i < n && !rc; i++) {
		if (!set[i].value.n)
			continue;
		rc = add_field(&b, (struct str){ set[i].name.p, set[i].name.n });
		rc = rc ? rc : add_field(&b, (struct str){ set[i].value.p, set[i].value.n });
	}
	if (!rc)
		ret = secret_new(buf_str(&b));
	if (b.p)
		wipe(b.p, b.cap);
	buf_done(&b);
	return ret;
}

struct str cred_newest(const struct dcred *c)
{
	if (!list_empty(&c->puts)) {
		const struct cred_put *last = CONTAINER_OF(c->puts.prev, struct cred_put, node);
		if (last->set)
			return secret_value(last->set);
	}
	return c->set ? secret_value(c->set) : (struct str){ NULL, 0 };
}

/* --- one put ------------------------------------------------------------------------------------------------------------ */

static void put_store(struct cred_put *p);

void cred_put_free(struct cred_put *p)
{
	struct dcred *c = p->c;

	list_del(&p->node);
	c->n_puts--;
	timer_stop(c->d->o.env, &p->again);
	secret_free(p->set);
	free(p->mirror_dir);
	free(p);
}

static void put_over(struct cred_put *p, int rc)
{
	struct dcred *c = p->c;
	struct dispatch *d = c->d;
	struct dhost *host = p->host;
	uint64_t ticket = p->ticket;

	c->putting = false;
	cred_put_free(p);
	if (host)
		(void)host_saved(host, ticket, rc);
	cred_kick(c);
	cmd_end(d);
}

static void put_taken(struct cred_put *p)
{
	struct dcred *c = p->c;

	bool same = cred_same_tokens(c, p->set ? secret_value(p->set) : (struct str){ NULL, 0 });

	secret_free(c->set);
	c->set = MOVE(p->set);
	c->version = p->cmd.info.version;
	if (!same)
		c->pair = c->version;
	c->state = p->cmd.info.state;
	c->expires_ms = p->cmd.info.expires;
	c->changed_ms = p->cmd.info.changed;
	if (!p->beside) {
		c->fails = 0;
		c->not_before_ms = 0;
		cred_unpark(c);
	}
	log_line(LOG_INFO, "ev=credential.put ch=%s credential=%s version=%lld expires=%lld why=%s",
		c->channel, c->name, (long long)c->version, (long long)c->expires_ms,
		LOG_Q(str_of(p->why)));
	cred_schedule(c);
	cred_gauges(c->d);
}

static void on_again(struct timer *t)
{
	put_store(CONTAINER_OF(t, struct cred_put, again));
}

static void on_stored(struct store_cmd *cmd)
{
	struct cred_put *p = CONTAINER_OF(cmd, struct cred_put, cmd.cmd);
	struct dcred *c = p->c;
	struct dispatch *d = c->d;

	if (cmd->rc == 0) {
		put_taken(p);
		put_over(p, 0);
		return;
	}
	log_line(LOG_ERROR, "ev=credential.put_failed ch=%s credential=%s rc=%d why=%s", c->channel,
		c->name, cmd->rc, LOG_Q(str_of(cmd->err.text)));
	if (cmd->rc == -E2BIG || cmd->rc == -EIO || d->dead) {
		put_over(p, cmd->rc);
		return;
	}
	timer_set(d->o.env, &p->again, env_mono(d->o.env) + D_RETRY_MS);
}

static void put_store(struct cred_put *p)
{
	struct dcred *c = p->c;

	store_secret_put_init(&p->cmd, STORE_OUTCOME);
	p->cmd.channel = c->channel;
	p->cmd.name = c->name;
	p->cmd.adapter = cred_adapter(c);
	p->cmd.value = secret_value(p->set);
	p->cmd.expires = p->expires_ms;
	p->cmd.changed = p->changed_ms;
	p->cmd.at_least = p->at_least;
	p->cmd.beside = p->beside;
	p->cmd.person = p->person[0] ? p->person : NULL;
	p->cmd.via = p->via[0] ? p->via : NULL;
	p->cmd.why = p->why;
	p->cmd.cmd.done = on_stored;
	store_submit_or_done(c->d->o.store, &p->cmd.cmd);
}

static void mirror_run(struct work *w)
{
	struct cred_put *p = CONTAINER_OF(w, struct cred_put, work);
	struct err e = { 0 };
	const struct mirror_set m = { .version = p->mirror_version,
		.expires_ms = p->expires_ms > 0 ? p->expires_ms : 0,
		.changed_ms = p->changed_ms > 0 ? p->changed_ms : 0,
		.set = p->set };

	p->mirror_rc = mirror_write(
		p->mirror_dir, store_keys(p->c->d->o.store), p->c->channel, p->c->name, &m, &e);
	if (p->mirror_rc)
		log_line(LOG_ERROR,
			"ev=credential.mirror_failed ch=%s credential=%s why=%s continuing",
			p->c->channel, p->c->name, LOG_Q(str_of(e.text)));
}

static void mirror_ran(struct work *w)
{
	put_store(CONTAINER_OF(w, struct cred_put, work));
}

/* A set that is stored, but not yet in the mirror: the folder was configured later, or could not be written. */
struct mirror_copy {
	struct work work;
	struct dispatch *d;
	struct dcred *c; /* its puts wait meanwhile: an older set never comes over a newer one */
	struct mirror_set m;
	char channel[64], name[64];
	char *dir;
};

static void copy_run(struct work *w)
{
	const struct mirror_copy *x = CONTAINER_OF(w, struct mirror_copy, work);
	struct err e = { 0 };

	if (mirror_write(x->dir, store_keys(x->d->o.store), x->channel, x->name, &x->m, &e))
		log_line(LOG_ERROR,
			"ev=credential.mirror_failed ch=%s credential=%s why=%s continuing",
			x->channel, x->name, LOG_Q(str_of(e.text)));
}

static void copy_ran(struct work *w)
{
	struct mirror_copy *x = CONTAINER_OF(w, struct mirror_copy, work);
	struct dispatch *d = x->d;

	x->c->putting = false;
	cred_kick(x->c);
	secret_free(x->m.set);
	free(x->dir);
	free(x);
	cmd_end(d);
}

void cred_mirror_copy(struct dcred *c)
{
	const char *dir = c->d->conf->token_mirror;

	if (!dir || !c->set || c->putting || !list_empty(&c->puts) || c->d->stopping)
		return;
	struct mirror_copy *x = x_calloc(1, sizeof(*x));
	x->d = c->d;
	x->c = c;
	c->putting = true;
	x->dir = x_strdup(dir);
	x->m = (struct mirror_set){ .version = c->version,
		.expires_ms = c->expires_ms,
		.changed_ms = c->changed_ms,
		.set = secret_new(secret_value(c->set)) };
	(void)str_copy(x->channel, sizeof(x->channel), str_of(c->channel));
	(void)str_copy(x->name, sizeof(x->name), str_of(c->name));
	x->work = (struct work){ .fn = copy_run, .done = copy_ran };
	cmd_begin(c->d);
	env_work(c->d->o.env, &x->work);
}

void cred_put_turn(struct dcred *c)
{
	if (c->putting || list_empty(&c->puts))
		return;
	struct cred_put *p = CONTAINER_OF(c->puts.next, struct cred_put, node);
	const char *dir = c->d->conf->token_mirror;
	c->putting = true;
	if (!p->set) { /* too large */
		put_over(p, -E2BIG);
		return;
	}
	if (p->beside) {
		p->expires_ms = c->expires_ms;
		p->changed_ms = c->changed_ms;
	} else if (!p->changed_ms) {
		p->changed_ms = env_wall(c->d->o.env);
	}
	/* Beside a pair nothing was rotated: a mirror newer than a lost commit would make a dead pair good. */
	if (!dir || p->beside) {
		put_store(p);
		return;
	}
	p->mirror_dir = x_strdup(dir);
	p->mirror_version = c->version + 1 > p->at_least ? c->version + 1 : p->at_least;
	p->work = (struct work){ .fn = mirror_run, .done = mirror_ran };
	env_work(c->d->o.env, &p->work);
}

struct cred_put *cred_put_new(
	struct dcred *c, struct secret *set, int64_t expires_ms, const char *why)
{
	struct cred_put *p = x_calloc(1, sizeof(*p));

	p->c = c;
	p->set = set;
	p->expires_ms = expires_ms;
	timer_init(&p->again, on_again);
	(void)str_copy(p->why, sizeof(p->why), str_of(why));
	list_push(&c->puts, &p->node);
	c->n_puts++;
	cmd_begin(c->d);
	cred_kick(c);
	return p;
}

static bool holds_token(const struct lt_pair *set, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eqz((struct str){ set[i].name.p, set[i].name.n }, "access_token") ||
			str_eqz((struct str){ set[i].name.p, set[i].name.n }, "refresh_token"))
			return true;
	return false;
}

/* Values of a login that has only begun (its verifier) stand beside the pair: neither state nor times change. A login without a code that
 * brings a token is over with that. */
void secret_put_on(void *ctx, struct channel *ch, const char *credential, const struct lt_pair *set,
	size_t n, int64_t expires_ms, uint64_t ticket)
{
	struct dhost *h = ctx;
	struct dcred *c = cred_get(h->d, channel_conf(ch)->name, credential);

	REQUIRE(c && c->n_puts < CRED_PUTS_MAX * 64);
	struct cred_put *p = cred_put_new(c,
		c->n_puts < CRED_PUTS_MAX ? cred_set_merge(cred_newest(c), set, n) : NULL,
		expires_ms, c->login ? "login" : "refreshed");
	p->host = h;
	p->ticket = ticket;
	p->beside = c->login && !c->login->code && !holds_token(set, n);
	if (c->login) {
		(void)str_copy(p->person, sizeof(p->person), str_of(c->login->person));
		(void)str_copy(p->via, sizeof(p->via), str_of(c->login->via));
	}
}
