/* dispatch_credential.c - the book of rotating credentials: read at start, served from memory, refreshed early, first values taken.
 * Thread: loop; the reading on any worker. Owns: struct dcred and what hangs in it, until dispatch_free.
 * Failures: a row that does not open is named and its lanes wait for a login; nothing is guessed around. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "dispatch/dispatch_cred_internal.h"
#include "store/store_queue_secret.h"

#define DUE_MIN_MS 250 /* between two early refreshes, whatever a life says */

struct dcred *cred_find(struct dispatch *d, const char *channel, const char *name)
{
	LIST_FOR(&d->creds, n)
	{
		struct dcred *c = CONTAINER_OF(n, struct dcred, node);
		if (strcmp(c->channel, channel) == 0 && strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

static void on_task(struct task *t)
{
	struct dcred *c = CONTAINER_OF(t, struct dcred, task);

	cred_put_turn(c);
	cred_refresh_turn(c);
}

void cred_kick(struct dcred *c)
{
	env_defer(c->d->o.env, &c->task);
}

static void on_due(struct timer *t);

struct dcred *cred_get(struct dispatch *d, const char *channel, const char *name)
{
	struct dcred *c = cred_find(d, channel, name);

	if (c || d->n_creds == CREDS_MAX)
		return c;
	c = x_calloc(1, sizeof(*c));
	c->d = d;
	(void)str_copy(c->channel, sizeof(c->channel), str_of(channel));
	(void)str_copy(c->name, sizeof(c->name), str_of(name));
	list_init(&c->waits);
	list_init(&c->puts);
	task_init(&c->task, on_task);
	timer_init(&c->due, on_due);
	list_push(&d->creds, &c->node);
	d->n_creds++;
	return c;
}

const char *cred_adapter(const struct dcred *c)
{
	const struct conf_channel *ch = conf_channel_find(c->d->conf, c->channel);

	return ch ? ch->adapter : NULL;
}

void creds_free(struct dispatch *d)
{
	LIST_FOR_SAFE(&d->creds, n, nx)
	{
		struct dcred *c = CONTAINER_OF(n, struct dcred, node);
		timer_stop(d->o.env, &c->due);
		task_cancel(&c->task);
		for (struct list *w; (w = list_pop(&c->waits));)
			free(CONTAINER_OF(w, struct cred_wait, node));
		LIST_FOR_SAFE(&c->puts, p, px)
		cred_put_free(CONTAINER_OF(p, struct cred_put, node));
		secret_free(c->set);
		cred_login_free(c->login);
		list_del(&c->node);
		free(c);
	}
	d->n_creds = 0;
}

/* --- what is served ------------------------------------------------------------------------------------------------------- */

static struct str main_value(struct str set, const char *credential)
{
	struct str v = sq_secret_value(set, credential);

	if (!v.p)
		v = sq_secret_value(set, "access_token");
	return v.p ? v : sq_secret_value(set, "refresh_token");
}

static bool is_token(const char *name, const char *credential)
{
	return strcmp(name, credential) == 0 || strcmp(name, "access_token") == 0 ||
		strcmp(name, "refresh_token") == 0;
}

bool cred_same_tokens(const struct dcred *c, struct str now)
{
	struct str was = c->set ? secret_value(c->set) : (struct str){ NULL, 0 };

	return str_eq(main_value(was, c->name), main_value(now, c->name)) &&
		str_eq(sq_secret_value(was, "refresh_token"),
			sq_secret_value(now, "refresh_token"));
}

int dispatch_secret_get(void *ctx, const char *channel, const char *credential, const char *name,
	struct secret **ret, uint64_t *ret_version)
{
	struct dispatch *d = ctx;
	const struct dcred *c = cred_find(d, channel, credential);

	if (!c || !c->set || strncmp(name, "host.", 5) == 0)
		return -ENOENT;
	struct str set = secret_value(c->set);
	struct str v = strcmp(name, credential) == 0 ? main_value(set, credential)
						     : sq_secret_value(set, name);
	if (!v.p)
		return -ENOENT;
	uint64_t version = (uint64_t)(is_token(name, credential) ? c->pair : c->version);
	if (*ret_version && *ret_version == version)
		return 0;
	*ret = secret_new(v);
	if (!*ret)
		return -ENOMEM;
	*ret_version = version;
	return 0;
}

/* --- lanes that wait for a person ---------------------------------------------------------------------------------------- */

const char *cred_parked(const struct dacct *a)
{
	if (!a->conf || !a->conf->credential || list_empty(&a->d->creds))
		return NULL;
	const struct dcred *c = cred_find(a->d, a->chan->name, a->conf->credential);
	return c && c->parked ? c->why : NULL;
}

static void lanes_kick(struct dispatch *d)
{
	LIST_FOR(&d->lanes, n)
	lane_kick(CONTAINER_OF(n, struct dlane, node));
}

void cred_park(struct dcred *c, const char *why)
{
	c->parked = true;
	(void)str_copy(c->why, sizeof(c->why), str_of(why));
	lanes_kick(c->d);
}

void cred_unpark(struct dcred *c)
{
	c->why[0] = 0;
	if (!c->parked)
		return;
	c->parked = false;
	log_line(LOG_INFO, "ev=credential.back ch=%s credential=%s", c->channel, c->name);
	lanes_kick(c->d);
}

void cred_gauges(struct dispatch *d)
{
	int64_t doubt = 0, dead = 0;

	LIST_FOR(&d->creds, n)
	{
		const struct dcred *c = CONTAINER_OF(n, struct dcred, node);
		doubt += c->state == CRED_DOUBT || c->state == CRED_AGAIN;
		dead += c->state == CRED_DEAD;
	}
	metric_set(metric_gauge("lantoa_credentials_doubt",
			   "Credentials whose refresh was lost and that get one more try."),
		doubt);
	metric_set(metric_gauge(
			   "lantoa_credentials_dead", "Credentials that need a login by a person."),
		dead);
}

/* --- early refresh -------------------------------------------------------------------------------------------------------- */

static int64_t lead_ms(const struct dcred *c)
{
	const struct conf_channel *ch = conf_channel_find(c->d->conf, c->channel);
	int64_t life = c->expires_ms - c->changed_ms, lead = life > 0 ? life / 5 : 600000;

	/* A lead longer than half a life (a provider that gives shorter tokens for once) would renew without end. */
	if (ch && ch->refresh_lead_ms && (life <= 0 || ch->refresh_lead_ms <= life / 2))
		lead = ch->refresh_lead_ms;
	return lead;
}

/* Credentials that were made together expire together. Each has its own place in the first third of the lead, so that the daemon
 * ending at a bad moment leaves few of them in doubt. The place depends on the name alone: the same after every start. */
static int64_t spread_ms(const struct dcred *c, int64_t lead)
{
	uint64_t h = str_hash(str_hash(STR_HASH_SEED, str_of(c->channel)), str_of(c->name));

	h = (h ^ h >> 32) * 0x9e3779b97f4a7c15ull;
	return (int64_t)((h >> 32) % (uint64_t)(lead / 3 + 1));
}

/* Wall time, or 0: never by itself. */
static int64_t due_at(const struct dcred *c)
{
	int64_t at = 0;

	if (!c->configured || c->state == CRED_DEAD || c->phase != CRP_IDLE)
		return 0;
	if (c->state == CRED_DOUBT)
		at = 1;
	else if (c->expires_ms)
		at = c->expires_ms - lead_ms(c) + spread_ms(c, lead_ms(c));
	else if (c->fails)
		at = c->not_before_ms;
	else
		return 0;
	if (at < c->not_before_ms)
		at = c->not_before_ms;
	if (c->state == CRED_GOOD && at < c->changed_ms + DUE_MIN_MS &&
		c->expires_ms > c->changed_ms)
		at = c->changed_ms + DUE_MIN_MS;
	return at > 0 ? at : 1;
}

void cred_schedule(struct dcred *c)
{
	struct env *env = c->d->o.env;
	int64_t at = due_at(c), wait = at - env_wall(env);

	timer_stop(env, &c->due);
	if (!at || c->d->stopping)
		return;
	wait = wait < 0 ? 0 : wait > CRED_RECHECK_MS ? CRED_RECHECK_MS : wait;
	timer_set(env, &c->due, env_mono(env) + wait);
}

void creds_clock_back(struct dispatch *d, int64_t old_now_ms, int64_t by_ms)
{
	LIST_FOR(&d->creds, n)
	{
		struct dcred *c = CONTAINER_OF(n, struct dcred, node);
		c->not_before_ms = clock_back(c->not_before_ms, old_now_ms, by_ms);
		cred_schedule(c);
	}
}

static void on_due(struct timer *t)
{
	struct dcred *c = CONTAINER_OF(t, struct dcred, due);
	struct dispatch *d = c->d;
	int64_t at = due_at(c);
	struct channel *ch = d->channels ? channels_find(d->channels, c->channel) : NULL;

	if (!at || d->stopping || !ch)
		return;
	if (at > env_wall(d->o.env)) {
		cred_schedule(c);
		return;
	}
	if (channel_refresh(ch, c->name) == -EAGAIN) /* one is asked for already */
		timer_set(d->o.env, &c->due, env_mono(d->o.env) + D_RETRY_MS);
}

/* --- facts ---------------------------------------------------------------------------------------------------------------- */

void dispatch_credentials(
	struct dispatch *d, void (*visit)(void *ctx, const struct cred_facts *f), void *ctx)
{
	int64_t now = env_wall(d->o.env);

	LIST_FOR(&d->creds, n)
	{
		const struct dcred *c = CONTAINER_OF(n, struct dcred, node);
		const struct cred_facts f = { .channel = c->channel,
			.name = c->name,
			.state = c->version || c->state ? cred_state_name((int)c->state) : "none",
			.why = c->why,
			.version = c->version,
			.changed_ms = c->changed_ms,
			.expires_ms = c->expires_ms,
			.warn = c->parked || !c->version || c->state == CRED_DEAD ||
				c->state == CRED_DOUBT || c->state == CRED_AGAIN ||
				(c->expires_ms && c->expires_ms < now) };
		if (c->configured)
			visit(ctx, &f);
	}
}
