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

static int rotated_get(
	struct chan_account *a, struct str name, struct str *ret, uint64_t *ret_version)
{
	const struct channels_opts *o = &a->ch->cs->o;
	struct secret *fresh = NULL;
	uint64_t version = 0;
	char z[64];
	struct chan_rotated *r = rotated_slot(a, name);
	if (!o->secret_get || !a->conf->credential || !r || !name.n ||
		!str_copy(z, sizeof(z), name))
		return -ENOENT;
	int rc = o->secret_get(o->secret_ctx, a->ch->conf->name, z, &fresh, &version);
	if (rc)
		return rc;
	(void)str_copy(r->name, sizeof(r->name), name);
	secret_free(r->value);
	r->value = fresh;
	r->version = version;
	*ret = secret_value(fresh);
	if (ret_version)
		*ret_version = version;
	return 0;
}

int account_secret_version(
	struct chan_account *a, struct lt_str name, struct str *ret, uint64_t *ret_version)
{
	for (size_t i = 0; i < a->n_secrets; i++)
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

void rotated_done(struct chan_account *a)
{
	for (size_t i = 0; i < ROTATED_MAX; i++)
		secret_free(a->rotated[i].value);
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
	if (!a->conf->credential || !str_eqz(s_of(credential), a->conf->credential) ||
		!cs->ev.refresh_intent || cs->closing)
		return -LT_E_INVALID;
	if (rotated_get(a, s_of(credential), &value, &version) == 0 && version > version_seen) {
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

void refresh_committed(struct refresh *r, int error)
{
	struct chan_account *a = r->acct;
	struct channels *cs = a->ch->cs;
	if (error || cs->closing) {
		refresh_over(r, error ? error : -ECANCELED);
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
	cs->depth++;
	int rc = a->ch->ad->start(&a->inst, jobs, works, 1);
	cs->depth--;
	if (rc < 0 && !j->finished)
		job_end_by_rule(j, rc, "this adapter refreshes no credential");
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
	refresh_over(f, error);
}
