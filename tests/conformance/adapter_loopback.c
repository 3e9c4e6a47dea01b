/* adapter_loopback.c - the reference adapter in the conformance suite: its provider is the address itself. */
#include "conformance.h"
#include "provider.h"

static const struct conf_case cases[] = {
	{ "ok@loop", LT_ACCEPTED, LT_SCOPE_TARGET, 0 },
	{ "dup@loop", LT_ACCEPTED, LT_SCOPE_TARGET, LT_R_DUPLICATE },
	{ "refuse@loop", LT_REFUSED, LT_SCOPE_TARGET, 0 },
	{ "refuse-suppress@loop", LT_REFUSED, LT_SCOPE_TARGET, LT_R_SUPPRESS },
	{ "refuse-release@loop", LT_REFUSED, LT_SCOPE_RELEASE, 0 },
	{ "refuse-lane@loop", LT_REFUSED, LT_SCOPE_LANE, 0 },
	{ "refuse-account@loop", LT_REFUSED, LT_SCOPE_ACCOUNT, 0 },
	{ "refuse-channel@loop", LT_REFUSED, LT_SCOPE_CHANNEL, 0 },
	{ "refuse-class@loop", LT_REFUSED, LT_SCOPE_CLASS, 0 },
	{ "defer@loop", LT_DEFERRED, LT_SCOPE_TARGET, 0 },
	{ "defer-2@loop", LT_DEFERRED, LT_SCOPE_TARGET, 0 },
	{ "defer-release@loop", LT_DEFERRED, LT_SCOPE_RELEASE, 0 },
	{ "defer-lane-free@loop", LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE },
	{ "defer-account@loop", LT_DEFERRED, LT_SCOPE_ACCOUNT, 0 },
	{ "defer-channel@loop", LT_DEFERRED, LT_SCOPE_CHANNEL, 0 },
	{ "defer-class-strike@loop", LT_DEFERRED, LT_SCOPE_CLASS, LT_R_STRIKE },
	{ "hold@loop", LT_DEFERRED, LT_SCOPE_TARGET, LT_R_PERSON },
	{ "unknown@loop", LT_UNKNOWN, LT_SCOPE_TARGET, 0 },
	{ "steps@loop", LT_ACCEPTED, LT_SCOPE_TARGET, 0 },
	{ "slow-50@loop", LT_ACCEPTED, LT_SCOPE_TARGET, 0 },
	{ "bounce@loop", LT_ACCEPTED, LT_SCOPE_TARGET, 0 },
};
static const char *const good[] = { "ok@loop", "OK+12@Loop", " ok@loop ", NULL };
static const char *const bad[] = { "", "ok", "@loop", "ok@", "a b@loop", NULL };

static const char *address(enum conf_script script)
{
	switch (script) {
	case CF_OK: return "ok@loop";
	case CF_SILENT: return "silent@loop";
	case CF_CUT_EARLY: return "cut@loop";
	case CF_SLOW: return "slow-1000@loop";
	case CF_LOST: return "unknown-sent@loop";
	case CF_GARBAGE:
	case CF_GARBAGE_LATE: return NULL;
	}
	return NULL;
}

static const struct conformance loopback = { .name = "loopback",
	.kind = "email",
	.channel_yaml = "accounts: [{name: main}]\n",
	.address = address,
	.cases = cases,
	.n_cases = sizeof(cases) / sizeof(cases[0]),
	.good_addresses = good,
	.bad_addresses = bad };
CONFORMANCE(loopback)

/* The same adapter, publishing by HTTP: the provider is the scripted network. */
static void play(struct ht *t, enum conf_script script, uint64_t seed)
{
	(void)seed;
	if (script == CF_GARBAGE_LATE) /* a status that HTTP does not know */
		provider_answer(t, CF_OK, 999, NULL, NULL);
	else
		provider_answer(t, script, 200, NULL, NULL);
}

static size_t effects(struct ht *t, const char *to)
{
	size_t n = 0;

	(void)to;
	for (size_t i = 0; i < t->fn->n_calls; i++)
		n += t->fn->calls[i]->effect;
	return n;
}

static const char *http_address(enum conf_script script)
{
	(void)script;
	return "ok@loop";
}

static const struct conf_case http_cases[] = {
	{ "ok@loop", LT_ACCEPTED, LT_SCOPE_TARGET, 0 },
};
static const struct conformance loopback_http = { .name = "loopback",
	.kind = "email",
	.channel_yaml = "settings: {url: \"http://127.0.0.1:9/post\"}\naccounts: [{name: main}]\n",
	.play = play,
	.effects = effects,
	.address = http_address,
	.cases = http_cases,
	.n_cases = 1,
	.good_addresses = good,
	.bad_addresses = bad };
CONFORMANCE(loopback_http)
