/* channel_secret.c - secrets by name: those of files, and those of a credential that rotates. Loop thread.
 * A refresh runs once for a credential, whoever asks: the word that it begins is committed first, then the adapter's refresh job
 * runs, then all who waited are told. A refresh whose end is unknown is trouble for a person: the old pair may be dead.
 */
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "channel/channel_internal.h"

static struct chan_rotated *rotated_slot(struct chan_account *a, struct str name)
{
	struct chan_rotated *free_one = NULL;
	for (size_t i = 0; i < ROTATED_MAX; i++) {
		if (a->rotated[i].name[0] && str_eqz(name, a->rotated[i].name))
			return &a->rotated[i];
		if (!a->rotated[i].name[0] && !free_one)
			free_one = &a->rotated[i];
	}
	return free_one;
}

/* Names whose value in a file is only the first one of a credential: what was stored since is served, never the file. */
static bool first_name(const struct chan_account *a, struct str name)
{
	return a->conf->credential && a->ch->cs->o.secret_get &&
		(str_eqz(name, "refresh_token") || str_eqz(name, "access_token") ||
			str_eqz(name, a->conf->credential));
}

static int rotated_get(
	struct chan_account *a, struct str name, struct str *ret, uint64_t *ret_version)
{
	const struct channels_opts *o = &a->ch->cs->o;
	struct secret *fresh = NULL;
	char z[64];
	struct chan_rotated *r = rotated_slot(a, name);
	/* a copy in locked memory costs some system calls: one a version is enough */
	uint64_t version = r && r->value ? r->version : 0;
	if (!o->secret_get || !a->conf->credential || !r || !name.n ||
		!str_copy(z, sizeof(z), name))
		return -ENOENT;
	int rc = o->secret_get(
		o->secret_ctx, a->ch->conf->name, a->conf->credential, z, &fresh, &version);
	if (rc)
		return rc;
	if (fresh) {
		(void)str_copy(r->name, sizeof(r->name), name);
		secret_free(r->was);
		r->was = r->value;
		r->value = fresh;
		r->version = version;
	}
	*ret = secret_value(r->value);
	if (ret_version)
		*ret_version = version;
	return 0;
}

int account_secret_version(
	struct chan_account *a, struct lt_str name, struct str *ret, uint64_t *ret_version)
{
	for (size_t i = 0; i < a->n_secrets && !first_name(a, s_of(name)); i++)
		if (str_eqz(s_of(name), a->secrets[i].name)) {
			*ret = secret_value(a->secrets[i].value);
			if (ret_version)
				*ret_version = 0;
			return 0;
		}
	return rotated_get(a, s_of(name), ret, ret_version);
}

int account_secret(struct chan_account *a, struct lt_str name, struct str *ret)
{
	return account_secret_version(a, name, ret, NULL);
}

static bool first_of(const struct chan_account *a, const char *name, bool own, struct str *ret)
{
	for (size_t i = 0; i < a->n_secrets; i++)
		if (!strcmp(a->secrets[i].name, name) && (!own || i < a->conf->n_secrets)) {
			*ret = secret_value(a->secrets[i].value);
			return true;
		}
	return false;
}

/* An account's own secrets stand first; those of the channel name the credential, or all credentials would share one token. */
bool channel_secret_first(
	struct channel *c, const char *credential, const char *name, struct str *ret)
{
	for (size_t i = 0; i < c->n_accounts; i++) {
		const struct chan_account *a = c->accounts[i];
		if (!a->conf->credential || strcmp(a->conf->credential, credential) != 0)
			continue;
		if (first_of(a, name, strcmp(name, credential) != 0, ret))
			return true;
	}
	return false;
}

void rotated_done(struct chan_account *a)
{
	for (size_t i = 0; i < ROTATED_MAX; i++) {
		secret_free(a->rotated[i].value);
		secret_free(a->rotated[i].was);
	}
}

/* --- refresh ----------------------------------------------------------------------------------------------------------------- */
static void tell(struct job *j, int error)
{
	struct channels *cs = j->acct->ch->cs;
	struct note *n = note_new(cs, NOTE_SECRET, 0);
	n->acct = j->acct;
	n->job = j;
	n->error = error;
	j->holds++;
	note_send(cs, n);
}

static void refresh_over(struct refresh *r, int error)
{
	for (size_t i = 0; i < r->n_waiters; i++) {
		tell(r->waiters[i], error);
		r->waiters[i]->holds--;
	}
	list_del(&r->node);
	free(r->waiters);
	free(r);
}

static bool same_credential(const struct chan_account *a, const struct chan_account *b)
{
	return a->ch == b->ch && !strcmp(a->conf->credential, b->conf->credential);
}

static struct refresh *refresh_find(const struct chan_account *a)
{
	LIST_FOR(&a->ch->cs->refreshes, it)
	{
		struct refresh *r = CONTAINER_OF(it, struct refresh, node);
		if (same_credential(a, r->acct))
			return r;
	}
	return NULL;
}

static struct refresh *refresh_new(struct chan_account *a)
{
	struct channels *cs = a->ch->cs;
	struct refresh *r = x_calloc(1, sizeof(*r));
	struct ticket *t = x_calloc(1, sizeof(*t));
	r->acct = a;
	list_push(&cs->refreshes, &r->node);
	t->refresh = r;
	(void)map64_put(cs->tickets, ++cs->ticket_seq, t);
	struct note *n = note_new(cs, NOTE_SECRET, 0);
	n->acct = a;
	n->ticket = cs->ticket_seq;
	note_send(cs, n);
	return r;
}

int refresh_ask(struct job *j, struct lt_str credential, uint64_t version_seen)
{
	struct chan_account *a = j->acct;
	struct channels *cs = a->ch->cs;
	struct str value;
	uint64_t version = 0;
	if (!a->conf->credential || !cs->ev.refresh_intent ||
		(credential.n && !str_eqz(s_of(credential), a->conf->credential)))
		return -LT_E_INVALID;
	if (cs->closing)
		return -LT_E_CLOSED;
	if (rotated_get(a, str_of(a->conf->credential), &value, &version) == 0 &&
		version > version_seen) {
		tell(j, 0); /* somebody else was faster: the newer one is there */
		return 0;
	}
	struct refresh *r = refresh_find(a);
	if (!r)
		r = refresh_new(a);
	if (r->n_waiters == REFRESH_WAITERS_MAX)
		return -LT_E_FULL;
	if ((r->n_waiters & (r->n_waiters - 1)) == 0)
		r->waiters = x_realloc(
			r->waiters, r->n_waiters ? r->n_waiters * 2 : 1, sizeof(*r->waiters));
	r->waiters[r->n_waiters++] = j;
	j->holds++;
	return 0;
}

int channel_refresh(struct channel *c, const char *credential)
{
	for (size_t i = 0; i < c->n_accounts; i++) {
		struct chan_account *a = c->accounts[i];
		if (!a->conf->credential || strcmp(a->conf->credential, credential) != 0)
			continue;
		if (c->cs->closing || refresh_find(a))
			return -EAGAIN;
		(void)refresh_new(a);
		return 0;
	}
	return -ENOENT;
}

/* -EALREADY: meanwhile somebody else has rotated it, so those who asked find the newer one. */
void refresh_committed(struct refresh *r, int error)
{
	struct chan_account *a = r->acct;
	struct channels *cs = a->ch->cs;
	if (!error && cs->closing) {
		const struct chan_result none = { .outcome = LT_DEFERRED,
			.text = STR("shutting down before it began") };
		if (cs->ev.refresh_over)
			cs->ev.refresh_over(cs->ev.ctx, a->ch, a->conf->credential, &none);
		error = -ECANCELED;
	}
	if (error) {
		refresh_over(r, error == -EALREADY ? 0 : error);
		return;
	}
	struct job *j = r->job = job_new(
		a, LT_J_REFRESH, a->ch->ad->other_size, sizeof(struct job));
	struct lt_job *jobs[] = { &j->pub };
	const struct lt_work *works[] = { &j->work };
	j->refresh = r;
	j->intent_open = true;
	j->work = (struct lt_work){ .struct_size = sizeof(j->work),
		.credential = lt_of(str_of(a->conf->credential)),
		.deadline_ms = env_mono(cs->env) + REFRESH_MS };
	list_push(&cs->beside, &j->node);
	timer_set(cs->env, &j->deadline, j->work.deadline_ms);
	int rc = jobs_start(a, jobs, works, 1);
	if (rc < 0 && !j->finished)
		job_end_by_rule(j, rc, "this adapter refreshes no credential");
}

/* In a note, as all that goes to the user: what the job put before is told first. */
static void over_tell(struct job *j, const struct lt_result *r)
{
	struct channels *cs = j->acct->ch->cs;
	if (!cs->ev.refresh_over)
		return;
	struct note *n = note_new(cs, NOTE_REFRESHED, 402);
	n->acct = j->acct;
	n->result.outcome = r->outcome;
	n->result.flags = r->flags;
	n->result.scope = r->scope;
	n->result.retry_after_ms = r->retry_after_ms;
	n->result.code = note_text(n, r->code, 200);
	n->result.text = note_text(n, r->text, 200);
	note_send(cs, n);
}

void refresh_ended(struct job *j, const struct lt_result *r)
{
	struct refresh *f = MOVE(j->refresh);
	const struct chan_account *a = j->acct;
	int error = r->outcome == LT_ACCEPTED ? 0
		: r->outcome == LT_DEFERRED   ? -EAGAIN
					      : -EKEYREJECTED;
	if (error)
		log_line(r->outcome == LT_DEFERRED ? LOG_WARN : LOG_ERROR,
			"ev=refresh.failed ch=%s acct=%s credential=%s outcome=%d code=%s why=%s",
			a->ch->conf->name, a->conf->name, a->conf->credential, r->outcome,
			LOG_Q(s_of(r->code)), LOG_Q(s_of(r->text)));
	over_tell(j, r);
	refresh_over(f, error);
}
