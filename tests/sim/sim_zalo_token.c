/* sim_zalo_token.c - tokens of Zalo in the simulation: each refresh token is good once, a new pair ends the old access token.
 * After it was spent a refresh token may come once more, for its answer may have been lost; a second time is a broken promise, and so is
 * a person who is asked to log in though the provider would still take the token at its first repeat. A word that a crash took before
 * its call left counts as a try, for the daemon cannot know: also when it was committed for the token before the newest.
 * Failures: sim_fail. */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "dispatch/dispatch_credential.h"
#include "sim_people.h"
#include "sim_token.h"
#include "sim_zalo.h"

/* --- the token endpoint ------------------------------------------------------------------------------------------------------------ */

static void pair(struct zl_state *st, int no, char *ret, size_t size)
{
	struct zl_oa *oa = &st->oa[no];
	if (S->final) /* days of it are silent */
		st->life_ms = 90000000;
	oa->generation++;
	oa->last_uses = oa->uses;
	oa->last_lost = oa->lost;
	oa->uses = oa->lost = oa->spent_uses = 0;
	oa->doubt -= oa->doubt > 0;
	oa->access_until = N.te.mono + st->life_ms;
	(void)snprintf(ret, size,
		"{\"access_token\":\"AT-%d-%d\",\"refresh_token\":\"RT-%d-%d\",\"expires_in\":\"%lld\"}",
		no, oa->generation, no, oa->generation, (long long)st->life_ms / 1000);
}

static void spent(struct zl_state *st, int no, int generation, char *ret, size_t size)
{
	struct zl_oa *oa = &st->oa[no];
	oa->broken = true;
	/* A restore forgets pairs, tries, and that a token was dead: once, and once more. A mirror knows the pairs, those whose answer
	 * was lost not. */
	if (S->p.mirror && generation < oa->known)
		sim_fail("refresh token %d of OA %d comes again though the mirror has pair %d",
			generation, no, oa->known);
	if ((generation + 1 != oa->generation && S->n_restores == 0) ||
		++oa->spent_uses > 1 + (S->n_restores > 0))
		sim_fail(
			"refresh token %d of OA %d is used %d times after it was spent, the newest is %d",
			generation, no, oa->spent_uses, oa->generation);
	(void)snprintf(ret, size, "%s",
		sim_chance(500)
			? ""
			: "{\"error\":-14014,\"error_description\":\"Invalid refresh token.\"}");
}

static int64_t newest_word(int no)
{
	char name[60];
	(void)snprintf(name, sizeof(name), "mail/oa-%s", sim_offices[no]);
	return token_word(name);
}

static bool word_is_open(int no)
{
	char sql[200];
	(void)snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM credential WHERE name = 'oa-%s' AND state IN (%d, %d)",
		sim_offices[no], CRED_ROTATING, CRED_AGAIN);
	return teststore_i64(&N.ts, sql) > 0;
}

void zl_booted(int slot)
{
	struct zl_state *st = S->state[slot];
	for (int i = 0; i < ZL_OAS; i++) {
		struct zl_oa *oa = &st->oa[i];
		int64_t word = newest_word(i);
		if (word == oa->word) /* its call left, and is among the uses */
			continue;
		oa->lost += word_is_open(i);
		oa->word = word;
	}
}

static void refresh(struct zl_state *st, int no, int n, bool there, char *ret, size_t size)
{
	struct zl_oa *oa = &st->oa[no];
	bool newest = n == oa->generation;
	int64_t word = newest_word(no);
	if (word == oa->word)
		sim_fail("refresh token %d of OA %d is used without a word of its own", n, no);
	oa->word = word;
	newest ? oa->uses++ : oa->last_uses++;
	if (there && !newest) {
		spent(st, no, n, ret, size);
	} else if (there) {
		oa->broken = false;
		pair(st, no, ret, size);
	}
}

static void exchange(struct zl_state *st, int no, int n, char *ret, size_t size)
{
	struct zl_oa *oa = &st->oa[no];
	if (n <= oa->code_used) {
		(void)snprintf(
			ret, size, "{\"error\":-14019,\"error_description\":\"Invalid code.\"}");
		return;
	}
	oa->code_used = n;
	oa->broken = true;
	pair(st, no, ret, size);
}

void zl_oauth(struct zl_state *st, size_t call, const struct fakenet_call *c)
{
	char token[60] = "", body[300] = "";
	int no = -1, n = 0;
	enum fate f = provider_fate();
	bool there = token_reached(f);
	bool again = provider_field(c->body, "refresh_token", token, sizeof(token));
	if (!again)
		(void)provider_field(c->body, "code", token, sizeof(token));
	if (sscanf(token, again ? "RT-%d-%d" : "CODE-%d-%d", &no, &n) != 2 || no < 0 ||
		no >= ZL_OAS || n > (again ? st->oa[no].generation : st->oa[no].codes))
		sim_fail("a token is asked for with nothing that was given out: %.200s", c->body);
	sim_trace("oauth %s %s%s", token, provider_fate_name(f), there ? " taken" : "");
	if (again)
		refresh(st, no, n, there, body, sizeof(body));
	else if (there)
		exchange(st, no, n, body, sizeof(body));
	token_say(call, f, body);
}

int zl_access(struct zl_state *st, size_t call, const struct fakenet_call *c)
{
	const char *at = strstr(c->headers, "access_token: AT-");
	int no = -1, n = 0;
	if (!at || sscanf(at, "access_token: AT-%d-%d", &no, &n) != 2 || no < 0 || no >= ZL_OAS ||
		n > st->oa[no].generation)
		sim_fail("a call without a token that was given out: %.200s", c->headers);
	if (strstr(c->url, "AT-") || strstr(c->url, "RT-"))
		sim_fail("a token stands in an address: %s", c->url);
	struct zl_oa *oa = &st->oa[no];
	if (n > oa->restored)
		oa->doubt = 0;
	if (n > oa->known)
		oa->known = n;
	bool old = n < oa->generation, good = !old && N.te.mono < oa->access_until;
	if (good || (old && st->old_access))
		return no;
	sim_trace("access token %d of OA %d is not good", n, no);
	zl_error(call, strstr(c->url, "business.") ? -124 : old ? -216 : -220, "access token");
	return -1;
}

/* --- people -------------------------------------------------------------------------------------------------------------------------- */

static void on_login(
	void *ctx, int rc, const struct err *e, const struct chan_result *r, int64_t version)
{
	UNUSED(r);
	UNUSED(version);
	people_answered(ctx, rc, e);
}

static void login(struct question *q, int no, const char *code,
	void (*done)(void *, int, const struct err *, const struct chan_result *, int64_t))
{
	struct login_request r = { .channel = "mail",
		.account = sim_offices[no],
		.code = str_of(code),
		.person = "oanh",
		.via = "uid:1000",
		.done = done,
		.ctx = q };
	dispatch_login(N.dispatch, &r);
}

static void on_page(
	void *ctx, int rc, const struct err *e, const struct chan_result *r, int64_t version)
{
	struct question *q = ctx;
	struct zl_state *st = S->state[0];
	char code[40];
	UNUSED(r);
	UNUSED(version);
	if (rc) {
		people_answered(q, rc, e);
		return;
	}
	(void)snprintf(code, sizeof(code), "CODE-%d-%d", q->release, ++st->oa[q->release].codes);
	sim_trace("consent %s", code);
	login(q, q->release, code, on_login);
}

void zl_restored(int slot)
{
	struct zl_state *st = S->state[slot];
	for (int i = 0; i < ZL_OAS; i++) {
		st->oa[i].spent_uses = 0;
		st->oa[i].doubt = 2;
		st->oa[i].restored = st->oa[i].generation;
	}
}

struct look {
	bool dead[ZL_OAS], was[ZL_OAS];
};

static void on_credential(void *ctx, const struct cred_facts *f)
{
	struct look *l = ctx;
	for (int i = 0; i < ZL_OAS; i++)
		if (strncmp(f->name, "oa-", 3) == 0 && strcmp(f->name + 3, sim_offices[i]) == 0)
			l->dead[i] = strcmp(f->state, "dead") == 0;
}

bool zl_person(int slot)
{
	const struct zl_state *st = S->state[slot];
	struct look l = { 0 };
	bool did = false;
	dispatch_credentials(N.dispatch, on_credential, &l);
	for (int i = 0; i < ZL_OAS; i++) {
		if (!l.dead[i])
			continue;
		const struct zl_oa *oa = &st->oa[i];
		/* The daemon holds the newest pair, or that before it when the answer was lost. */
		if (!oa->broken && !oa->doubt && oa->uses + oa->lost < 2 &&
			oa->last_uses + oa->last_lost + oa->lost < 2)
			sim_fail(
				"OA %d needs a person though its refresh token was tried %d times and is not spent",
				i, oa->uses);
		sim_trace("log-in of OA %d", i);
		login(people_ask("login", i), i, "", on_page);
		did = true;
	}
	return did;
}
