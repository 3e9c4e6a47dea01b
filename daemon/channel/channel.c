/* channel.c - all channels of a configuration: opened together or not at all, found by name, closed when nothing is left.
 * Also the dispatch side: ops are started, let go, cancelled. Loop thread, but for channels_read, which blocks.
 */
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/log.h"
#include "channel/channel_internal.h"

#define PEM_MAX       (256u << 10)
#define DRAIN_STEP_MS 200

/* --- open ------------------------------------------------------------------------------------------------------------------ */
static int read_pem(const char *path, char **ret, struct str *view, struct err *e)
{
	struct buf b;
	size_t n;
	if (!path)
		return 0;
	buf_init(&b, PEM_MAX);
	int rc = file_read(path, &b, e);
	if (rc) {
		buf_done(&b);
		return rc;
	}
	*ret = buf_take(&b, &n);
	*view = (struct str){ *ret, n };
	return 0;
}

static int profile_make(struct channel *c, struct err *e)
{
	const struct conf_tls *t = &c->conf->tls;
	int rc = read_pem(t->ca_file, &c->ca_pem, &c->profile.ca_pem, e);
	rc = rc ? rc : read_pem(t->cert_file, &c->cert_pem, &c->profile.cert_pem, e);
	rc = rc ? rc : read_pem(t->key_file, &c->key_pem, &c->profile.key_pem, e);
	c->profile.proxy = c->conf->proxy;
	c->profile.bulk = c->conf->lane.bulk;
	return rc;
}

static int account_read(struct chan_account *a, struct err *e)
{
	int rc = settings_make(a->ch->ad, a->ch->conf, a->conf, &a->settings, e);
	return rc ? rc : secrets_read(a, e);
}

static int account_open(struct chan_account *a, struct err *e)
{
	const struct lt_adapter *ad = a->ch->ad;
	host_fill(a);
	a->inst = (struct lt_inst){ .struct_size = sizeof(a->inst),
		.host = &a->host,
		.conf = &a->settings.conf,
		.priv = x_calloc(1, ad->inst_size + 1) };
	int rc = ad->open(&a->inst);
	if (rc < 0)
		return account_refused(a, e);
	a->inst_open = true;
	return 0;
}

static int channel_read(
	struct channels *cs, const struct conf_channel *conf, bool owner_ok, struct err *e)
{
	struct channel *c = cs->list[cs->n++] = x_calloc(1, sizeof(*c));
	c->cs = cs;
	c->conf = conf;
	c->accounts = x_calloc(conf->n_accounts + 1, sizeof(*c->accounts));
	int rc = adapter_load(cs->conf->adapter_dir, conf->adapter, owner_ok, &c->dl, &c->ad, e);
	if (!rc && adapter_replaced(cs->conf->adapter_dir, conf->adapter))
		log_line(LOG_WARN,
			"ev=adapter.replaced ch=%s adapter=%s version=%s another file lies there now; continuing with the one that runs until a restart",
			conf->name, conf->adapter, c->ad->version);
	if (!rc)
		rc = profile_make(c, e);
	if (!rc)
		rc = webhook_secret_read(c, e);
	for (size_t i = 0; i < conf->n_accounts && !rc; i++) {
		struct chan_account *a = c->accounts[c->n_accounts++] = x_calloc(1, sizeof(*a));
		a->ch = c;
		a->conf = conf->accounts[i];
		account_init(a);
		rc = account_read(a, e);
	}
	return rc;
}

static void on_close_deadline(struct timer *t);

int channels_read(const struct conf *conf, bool owner_ok, struct channels **ret, struct err *e)
{
	struct channels *cs = x_calloc(1, sizeof(*cs));
	int rc = 0;
	cs->magic = CHANNELS_MAGIC;
	cs->conf = conf_ref((struct conf *)(uintptr_t)conf);
	cs->list = x_calloc(conf->n_channels + 1, sizeof(*cs->list));
	cs->tickets = map64_new();
	cs->streams = map64_new();
	list_init(&cs->notes);
	list_init(&cs->touched);
	list_init(&cs->dirty);
	list_init(&cs->beside);
	list_init(&cs->refreshes);
	list_init(&cs->graves);
	task_init(&cs->task, channels_turn);
	timer_init(&cs->close_timer, on_close_deadline);
	for (size_t i = 0; i < conf->n_channels && !rc; i++)
		rc = channel_read(cs, conf->channels[i], owner_ok, e);
	if (rc)
		channels_free(cs);
	else
		*ret = cs;
	return rc;
}

void channels_bind(struct channels *cs, const struct channels_opts *o)
{
	REQUIRE(!cs->env);
	cs->o = *o;
	cs->env = o->env;
	cs->net = o->net;
	cs->ev = *o->events;
	cs->assets_dir = x_strdup(o->assets_dir ? o->assets_dir : "");
}

int channels_open(struct channels *cs, size_t max, struct err *e)
{
	for (size_t i = 0; i < cs->n; i++)
		for (size_t k = 0; k < cs->list[i]->n_accounts; k++) {
			struct chan_account *a = cs->list[i]->accounts[k];
			if (a->inst_open)
				continue;
			if (!max--)
				return 1;
			int rc = account_open(a, e);
			if (rc)
				return rc;
		}
	return 0;
}

int channels_check(const struct conf *c, bool owner_ok, struct err *e)
{
	int rc = 0;
	for (size_t i = 0; i < c->n_channels && !rc; i++) {
		const struct conf_channel *ch = c->channels[i];
		rc = adapter_probe(c->adapter_dir, ch->adapter, owner_ok, ch, e);
		if (rc && e && !str_starts(str_of(e->text), ch->file))
			err_prefix(e, "%s: adapter", ch->file);
	}
	return rc;
}

/* --- close ----------------------------------------------------------------------------------------------------------------- */
void channels_closed_if_done(struct channels *cs)
{
	if (!cs->closing || cs->jobs || cs->streams_open || cs->slices || !list_empty(&cs->notes) ||
		!cs->closed)
		return;
	timer_stop(cs->env, &cs->close_timer);
	timer_set(cs->env, &cs->close_timer,
		env_mono(cs->env)); /* told from the timer, with nothing of ours on the stack */
}

static void account_shut(struct chan_account *a, bool cut)
{
	struct lt_result gone = { .struct_size = sizeof(gone), .outcome = LT_ACCEPTED };
	struct list all;
	timer_stop(a->ch->cs->env, &a->again);
	/* An event may end any session: each is taken from the list once and put back. */
	list_init(&all);
	for (struct list *n; (n = list_pop(&a->sessions));)
		list_push(&all, n);
	for (struct list *n; (n = list_pop(&all));) {
		struct chan_session *s = CONTAINER_OF(n, struct chan_session, node);
		list_push(&a->sessions, n);
		session_shutdown(s);
		if (cut && !s->ended)
			job_end(&s->job, &gone, true);
	}
}

/* What waits for a commit that nobody will tell any more, and jobs outside of sessions. */
static void beside_cut(struct channels *cs)
{
	struct ticket *t;
	size_t at = 0;
	uint64_t key;
	for (struct list *n; (n = cs->beside.next) != &cs->beside;)
		job_end_by_rule(CONTAINER_OF(n, struct job, node), -ECANCELED, "shutting down");
	for (void *v; at = 0, map64_next(cs->tickets, &at, &key, &v);) {
		t = map64_del(cs->tickets, key);
		if (t->refresh)
			refresh_committed(t->refresh, -ECANCELED);
		else {
			t->job->holds--;
			webhook_saved(t->job, -ECANCELED);
		}
		free(t);
	}
	channels_kick(cs);
}

static void shut_all(struct channels *cs, bool cut)
{
	for (size_t i = 0; i < cs->n; i++)
		for (size_t k = 0; k < cs->list[i]->n_accounts; k++)
			account_shut(cs->list[i]->accounts[k], cut);
	if (cut)
		beside_cut(cs);
}

static void on_close_deadline(struct timer *t)
{
	struct channels *cs = CONTAINER_OF(t, struct channels, close_timer);
	if (!cs->jobs && !cs->streams_open && !cs->slices && list_empty(&cs->notes)) {
		void (*closed)(void *ctx) = cs->closed;
		cs->closed = NULL;
		if (closed)
			closed(cs->closed_ctx);
		return;
	}
	log_line(LOG_WARN, "ev=channels.cut jobs=%zu streams=%zu", cs->jobs, cs->streams_open);
	shut_all(cs, true);
	timer_set(cs->env, &cs->close_timer, env_mono(cs->env) + DRAIN_STEP_MS);
}

void channels_close(
	struct channels *cs, int64_t deadline_mono_ms, void (*closed_cb)(void *ctx), void *ctx)
{
	CHECK_OBJ(cs, CHANNELS_MAGIC);
	cs->closing = true;
	cs->closed = closed_cb;
	cs->closed_ctx = ctx;
	timer_set(cs->env, &cs->close_timer, deadline_mono_ms);
	asks_cut(cs);
	shut_all(cs, false);
	channels_closed_if_done(cs);
}

static void account_free(struct chan_account *a)
{
	if (!a)
		return;
	if (a->ch->cs->env)
		timer_stop(a->ch->cs->env, &a->again);
	if (a->inst_open)
		a->ch->ad->close(&a->inst);
	free(a->inst.priv);
	settings_done(&a->settings);
	rotated_done(a);
	for (size_t i = 0; i < a->n_secrets; i++)
		secret_free(a->secrets[i].value);
	free(a);
}

static void channel_free(struct channel *c)
{
	for (size_t i = 0; i < c->n_accounts; i++)
		account_free(c->accounts[i]);
	free(c->accounts);
	if (c->key_pem)
		wipe(c->key_pem, c->profile.key_pem.n);
	secret_free(c->hook_secret);
	free(c->ca_pem);
	free(c->cert_pem);
	free(c->key_pem);
	/* The library stays mapped: another generation of channels may run its code, and unloading gains nothing. */
	free(c);
}

void channels_free(struct channels *cs)
{
	if (!cs)
		return;
	CHECK_OBJ(cs, CHANNELS_MAGIC);
	REQUIRE(!cs->jobs);
	for (size_t i = 0; i < cs->n; i++)
		channel_free(cs->list[i]);
	if (cs->env)
		timer_stop(cs->env, &cs->close_timer);
	task_cancel(&cs->task);
	map64_free(cs->tickets);
	map64_free(cs->streams);
	conf_unref(cs->conf);
	free(cs->assets_dir);
	free(cs->list);
	cs->magic = 0;
	free(cs);
}

/* --- look-ups -------------------------------------------------------------------------------------------------------------- */
struct channel *channels_find(struct channels *cs, const char *name)
{
	for (size_t i = 0; i < cs->n; i++)
		if (!strcmp(cs->list[i]->conf->name, name))
			return cs->list[i];
	return NULL;
}

size_t channels_list(struct channels *cs, struct channel **ret, size_t max)
{
	for (size_t i = 0; i < cs->n && i < max; i++)
		ret[i] = cs->list[i];
	return cs->n < max ? cs->n : max;
}

struct chan_account *channel_account(struct channel *c, const char *name)
{
	for (size_t i = 0; i < c->n_accounts; i++)
		if (!strcmp(c->accounts[i]->conf->name, name))
			return c->accounts[i];
	return NULL;
}

const struct conf_channel *channel_conf(const struct channel *c)
{
	return c->conf;
}

uint64_t channel_caps(const struct channel *c)
{
	return c->ad->caps;
}

const char *channel_adapter_version(const struct channel *c)
{
	return c->ad->version;
}

struct channel *account_channel(const struct chan_account *a)
{
	return a->ch;
}

const char *account_name(const struct chan_account *a)
{
	return a->conf->name;
}

void account_set_user(struct chan_account *a, void *user)
{
	a->user = user;
}

void *account_user(const struct chan_account *a)
{
	return a->user;
}
