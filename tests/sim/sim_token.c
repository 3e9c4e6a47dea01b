/* sim_token.c - see sim_token.h. */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "dispatch/dispatch_credential.h"
#include "sim_people.h"
#include "sim_token.h"

bool token_reached(enum fate f)
{
	return f == FATE_OK || f == FATE_SLOW || f == FATE_HALF || f == FATE_LOST_AFTER ||
		((f == FATE_GARBAGE || f == FATE_SILENT) && sim_chance(500));
}

void token_say(size_t call, enum fate f, const char *body)
{
	char half[300];
	(void)snprintf(half, sizeof(half), "%.*s", (int)(strlen(body) / 2), body);
	switch (f) {
	case FATE_OK: provider_answer(call, 200, body, provider_delay()); break;
	case FATE_SLOW: provider_answer(call, 200, body, 3600000); break;
	case FATE_HALF: provider_answer(call, 200, half[0] ? half : "{", provider_delay()); break;
	case FATE_REFUSED:
	case FATE_TEMPORARY: provider_answer(call, 503, "", provider_delay()); break;
	case FATE_THROTTLED:
	case FATE_BROKEN:
		provider_answer(call, 502, "<html>Bad Gateway</html>", provider_delay());
		break;
	case FATE_NO_LINE:
	case FATE_LOST_BEFORE:
	case FATE_LOST_AFTER:
	case FATE_GARBAGE:
	case FATE_SILENT: provider_lose(call, f); break;
	case FATE_FATES: break;
	}
}

static int64_t audited(const char *what, const char *credential, int64_t behind, const char *value)
{
	char sql[300];
	(void)snprintf(sql, sizeof(sql),
		"SELECT %s FROM audit WHERE what = '%s' AND subject = 'credential:%s' AND seq > %lld",
		value, what, credential, (long long)behind);
	return teststore_i64(&N.ts, sql);
}

int64_t token_word(const char *credential)
{
	return audited("credential.refresh", credential, 0, "coalesce(max(seq), 0)");
}

bool token_renew(struct sim_token *t, const char *credential, enum fate f, bool repeats)
{
	static const int64_t lives[] = { 600000, 7200000, 86400000 };
	int64_t word = token_word(credential);
	if (word == t->word && !(repeats && word) && t->logins-- <= 0)
		sim_fail("a token of %s is asked for without a word of its own", credential);
	t->word = word;
	bool given = token_reached(f);
	sim_trace("token of %s %s%s", credential, provider_fate_name(f), given ? " given" : "");
	if (!given)
		return false;
	t->generation++;
	t->until = N.te.mono + (S->final ? 90000000 : lives[sim_below((int)ARRAY_LEN(lives))]);
	return true;
}

bool token_good(const struct sim_token *t, int generation)
{
	if (generation > t->generation || generation < 1)
		sim_fail("a call with a token that was not given out: %d, the newest is %d",
			generation, t->generation);
	return generation == t->generation && N.te.mono < t->until;
}

void token_booted(struct sim_token *t, const char *credential)
{
	t->word = token_word(credential);
}

/* --- people -------------------------------------------------------------------------------------------------------------------------- */

static void on_login(
	void *ctx, int rc, const struct err *e, const struct chan_result *r, int64_t version)
{
	UNUSED(r);
	UNUSED(version);
	people_answered(ctx, rc, e);
}

struct look {
	const char *name;
	bool dead;
};

static void on_credential(void *ctx, const struct cred_facts *f)
{
	struct look *l = ctx;
	if (strcmp(f->name, l->name) == 0)
		l->dead = strcmp(f->state, "dead") == 0;
}

static bool stored_dead(const char *name)
{
	char sql[200];
	(void)snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM credential WHERE name = '%s' AND state = %d", name,
		CRED_DEAD);
	return teststore_i64(&N.ts, sql) > 0;
}

bool token_person(
	struct sim_token *t, const char *channel, const char *account, const char *credential)
{
	struct look l = { .name = strchr(credential, '/') + 1 };
	dispatch_credentials(N.dispatch, on_credential, &l);
	if (!l.dead || !stored_dead(l.name)) /* a new one may be committed, and not told yet */
		return false;
	int64_t put = audited("credential.put", credential, 0, "coalesce(max(seq), 0)");
	int64_t tries = audited("credential.refresh", credential, put, "count(*)");
	if (tries < (S->n_restores ? 1 : 2)) /* a restored pair is in doubt: one try */
		sim_fail("%s needs a person though its token was asked for %lld times", credential,
			(long long)tries);
	sim_trace("log-in of %s", credential);
	t->logins++;
	struct login_request r = { .channel = channel,
		.account = account,
		.code = STR(""),
		.person = "oanh",
		.via = "uid:1000",
		.done = on_login,
		.ctx = people_ask("login", 0) };
	dispatch_login(N.dispatch, &r);
	return true;
}
