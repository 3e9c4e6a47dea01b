/* channel_probe.c - jobs that a person starts for one account: a check with its facts, a login in two steps. Loop thread.
 * Owns: the facts and the code until the answer has been told. Failures: an adapter that does not know the job, or does not
 * end in time, is said so by the host; the answer comes exactly once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "channel/channel_internal.h"

#define FACTS_MAX 64
#define PROBE_MS  60000

struct job_probe {
	struct secret *code;
	size_t n;
	struct chan_fact v[FACTS_MAX];
};

void probe_free(struct job_probe *p)
{
	if (!p)
		return;
	secret_free(p->code);
	free(p);
}

/* Told twice, the last one counts. */
void probe_fact(struct job *j, struct str name, int64_t value)
{
	struct job_probe *p = j->probe;
	size_t i = 0;
	while (i < p->n && !str_eqz(name, p->v[i].name))
		i++;
	if (i == FACTS_MAX || !name.n || name.n >= sizeof(p->v[0].name))
		return;
	(void)str_copy(p->v[i].name, sizeof(p->v[i].name), name);
	p->v[i].value = value;
	if (i == p->n)
		p->n++;
}

void probe_rate(struct job *j, const struct lt_rate *given)
{
	static const char *const scopes[] = { "target", "release", "lane", "account", "channel",
		"class" };
	struct lt_rate r;
	char name[64];
	known_copy(&r, sizeof(r), given, given->struct_size);
	const struct {
		const char *name;
		int64_t value;
		bool known;
	} v[] = { { "limit", r.limit, r.limit > 0 },
		{ "remaining", r.remaining, r.limit > 0 || r.remaining > 0 },
		{ "used_percent", r.used_percent, r.used_percent > 0 },
		{ "resets_ms", r.reset_at_ms, r.reset_at_ms > 0 } };
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		(void)snprintf(name, sizeof(name), "%s.%s",
			r.scope < ARRAY_LEN(scopes) ? scopes[r.scope] : "other", v[i].name);
		if (v[i].known)
			probe_fact(j, str_of(name), v[i].value);
	}
}

void probe_tell(struct note *n)
{
	if (n->probe) {
		n->result.facts = n->probe->v;
		n->result.n_facts = n->probe->n;
	}
	n->check_done(n->check_ctx, &n->result);
}

static struct job *probe_job(struct chan_account *a, uint32_t kind,
	void (*done)(void *ctx, const struct chan_result *r), void *ctx)
{
	struct channels *cs = a->ch->cs;
	struct job *j = job_new(a, kind, a->ch->ad->other_size, sizeof(struct job));
	j->work = (struct lt_work){ .struct_size = sizeof(j->work),
		.credential = lt_of(str_of(a->conf->credential)),
		.deadline_ms = env_mono(cs->env) + PROBE_MS };
	j->probe = x_calloc(1, sizeof(*j->probe));
	j->check_done = done;
	j->check_ctx = ctx;
	list_push(&cs->beside, &j->node);
	timer_set(cs->env, &j->deadline, j->work.deadline_ms);
	return j;
}

static void probe_start(struct job *j, const char *unknown)
{
	struct lt_job *jobs[] = { &j->pub };
	const struct lt_work *works[] = { &j->work };
	int rc = jobs_start(j->acct, jobs, works, 1);
	if (rc < 0 && !j->finished)
		job_end_by_rule(j, rc, unknown);
}

void channel_check(
	struct chan_account *a, void (*done)(void *ctx, const struct chan_result *r), void *ctx)
{
	probe_start(probe_job(a, LT_J_CHECK, done, ctx), "this adapter has no check");
}

void channel_login(struct chan_account *a, struct str code,
	void (*done)(void *ctx, const struct chan_result *r), void *ctx)
{
	struct job *j = probe_job(a, LT_J_LOGIN, done, ctx);
	/* A person's act that is in the audit already: what it asks for may spend a code, or publish a new token. */
	j->intent_open = true;
	if (code.n)
		j->probe->code = secret_new(code);
	if (j->probe->code)
		j->work.text = lt_of(secret_value(j->probe->code));
	probe_start(j, "this adapter has no login");
}
