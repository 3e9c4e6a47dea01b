/* sim_people.c - those who act: each step one of them submits, approves, stops, or decides about a single delivery at random.
 * Owns: the context of each question until its answer; what was answered stands in struct sim.
 * Who resolves an unknown looks at the provider first; now and then he is wrong, and then the copy he declares away is allowed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "sim_people.h"
#include "sim_provider.h"
#include "store/store_internal.h"

struct question *people_ask(const char *what, int release)
{
	struct question *q = x_calloc(1, sizeof(*q));
	q->release = release;
	q->stop = -1;
	(void)snprintf(q->what, sizeof(q->what), "%s", what);
	N.busy++;
	S->n_acts++;
	return q;
}

void people_answered(struct question *q, int rc, const struct err *e)
{
	sim_trace("answer %s release:%d rc=%d %s", q->what, q->release, rc, rc && e ? e->text : "");
	N.busy--;
	free(q);
}

struct actor people_who(const char *name)
{
	const struct conf_person *p = conf_person_by_name(N.conf, name);
	REQUIRE(p != NULL);
	return (struct actor){ p->name, "uid:1000", NULL, p->roles };
}

int people_any_release(void)
{
	return S->n_releases ? 1 + sim_below(S->n_releases) : 0;
}

cJSON *people_params_of(int release)
{
	char code[40];
	cJSON *p = cJSON_CreateObject();
	(void)snprintf(code, sizeof(code), "R-%d", release);
	json_put_z(p, "release", code);
	return p;
}

/* --- single deliveries -------------------------------------------------------------------------------------------------------------------------- */

static void on_act(void *ctx, int rc, const struct err *e, size_t changed, size_t refused)
{
	struct question *q = ctx;
	sim_trace("changed=%zu refused=%zu", changed, refused);
	people_answered(q, rc, e);
}

static void act_on(int64_t id, enum act_verb verb)
{
	struct act_request r = { .verb = verb,
		.deliveries = &id,
		.n = 1,
		.person = "oanh",
		.via = "uid:1000",
		.why = "asked the provider",
		.done = on_act,
		.ctx = people_ask("act", 0) };
	S->d[id].acted = true;
	sim_trace("act %d delivery:%lld state=%d", verb, (long long)id, S->d[id].state);
	dispatch_act(N.dispatch, &r);
}

static void decide(int64_t id, bool honest)
{
	struct sim_delivery *d = &S->d[id];
	bool there = d->effects > 0, says = honest ? there : sim_chance(500);
	switch (d->state) {
	case DLV_FAILED:
		d->allowed_more = d->effects; /* a person asks for another copy of what came back */
		act_on(id, ACT_RETRY);
		break;
	case DLV_UNKNOWN:
	case DLV_DOUBT:
		if (sim_chance(100)) {
			act_on(id, ACT_RESOLVE_DROP);
		} else if (says) {
			act_on(id, ACT_RESOLVE_SENT);
		} else {
			d->allowed_more = d->effects;
			act_on(id, ACT_RESOLVE_ABSENT);
		}
		break;
	case DLV_HELD: act_on(id, there ? ACT_RESOLVE_SENT : ACT_RETRY); break;
	case DLV_WAITING: act_on(id, ACT_CANCEL); break;
	default: act_on(id, ACT_RETRY); break; /* refused, as it must be */
	}
}

static void act(void)
{
	int64_t max = S->max_id;
	if (!max)
		return;
	int64_t at = sim_below((int)max);
	for (int64_t i = 0; i < max; i++) {
		int64_t id = 1 + (at + i) % max;
		int s = S->d[id].state;
		if (!S->d[id].seen)
			continue;
		if (s == DLV_FAILED || s == DLV_UNKNOWN || s == DLV_DOUBT || s == DLV_HELD ||
			sim_below(400) == 0) {
			decide(id, !sim_chance(100));
			return;
		}
	}
}

/* What only a person can do at a provider. */
static bool heal_accounts(void)
{
	bool did = false;
	for (int slot = 0; slot < SIM_SLOTS; slot++)
		if (provider_of(slot)->person)
			did |= provider_of(slot)->person(slot);
	return did;
}

void people_act(void)
{
	if (N.busy > 20)
		return;
	/* What a restore forgot is done anew. */
	bool lost = S->n_restores > 0 && S->n_releases < S->p.releases && sim_chance(300);
	if (S->n_releases == 0 || lost) {
		people_submit_new();
		return;
	}
	switch (sim_below(16)) {
	case 0:
	case 1: people_submit_new(); break;
	case 2:
	case 3:
	case 4: people_approve(); break;
	case 5:
		if (people_any_release() && sim_chance(200))
			people_submit(people_any_release());
		break;
	case 6:
		if (people_any_release())
			people_go(people_any_release());
		break;
	case 7:
		if (sim_chance(200))
			people_give_back();
		break;
	case 8: people_hold(); break;
	case 9:
	case 10:
	case 11: people_resume(); break;
	case 12: people_cancel(); break;
	case 13:
		if (!heal_accounts())
			act();
		break;
	default: act(); break;
	}
}

/* --- the last day --------------------------------------------------------------------------------------------------------------------------------- */

static void show_held(int release)
{
	char *why = teststore_text(&N.ts, "SELECT why FROM lot WHERE gate=2 LIMIT 1");
	sim_trace("held: %s", why ? why : "");
	free(why);
	people_approve_diff(release);
}

static bool heal_release(int i)
{
	char code[40];
	int64_t id = -1, lots = 0, parts = 0; /* -1: there is no such release */
	struct store_reader *r = teststore_reader(&N.ts);
	struct db *db = reader_db(r);
	(void)snprintf(code, sizeof(code), "R-%d", i);
	REQUIRE(db_get_i64(db, &lots,
			"SELECT count(*) FROM lot l JOIN release r ON r.id=l.release_id WHERE r.code=? AND l.gate=2",
			"t", code) == 1);
	REQUIRE(db_get_i64(db, &parts,
			"SELECT count(*) FROM part p JOIN release r ON r.id=p.release_id AND p.rev=r.rev_newest WHERE r.code=? AND p.state=3",
			"t", code) == 1);
	REQUIRE(db_get_i64(db, &id, "SELECT id FROM release WHERE code=?", "t", code) >= 0);
	teststore_reader_end(&N.ts, r);
	bool held = lots > 0, part = parts > 0;
	if (part || held) {
		struct stop_scope s = { .release_id = id, .part = -1 };
		(void)snprintf(s.text, sizeof(s.text), "release:R-%d", i);
		if (held)
			show_held(i);
		people_resume_scope(&s); /* also a part that came from a backup */
	}
	if (part)
		people_go(i);
	return held || part;
}

bool people_heal(void)
{
	bool did = heal_accounts();
	did |= people_heal_stops();
	for (int i = 1; i <= S->n_releases; i++)
		did |= heal_release(i);
	for (int64_t id = 1; id <= S->max_id; id++) {
		int s = S->d[id].state;
		if (!S->d[id].seen)
			continue;
		if (s == DLV_DOUBT || s == DLV_HELD) {
			decide(id, true);
			did = true;
		}
	}
	return did;
}
