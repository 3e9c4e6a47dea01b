/* sim_people.c - editors, approvers and operators: they submit, revise, approve (also what they may not), hold, resume, cancel, retry
 * and resolve at random instants. Owns: the context of each question until its answer; what was answered stands in struct sim.
 * Who resolves an unknown looks at the provider first; now and then he is wrong, and then the copy he declares away is allowed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/file.h"
#include "base/json.h"
#include "sim.h"
#include "store/store_internal.h"
#include "store/store_queue.h"
#include "store/store_queue_gate.h"

struct question {
	int release;
	int stop; /* -1: none */
	char what[40];
	struct stop_scope scope;
};

static struct question *ask(const char *what, int release)
{
	struct question *q = x_calloc(1, sizeof(*q));
	q->release = release;
	q->stop = -1;
	(void)snprintf(q->what, sizeof(q->what), "%s", what);
	N.busy++;
	S->n_acts++;
	return q;
}

static void answered(struct question *q, int rc, const struct err *e)
{
	sim_trace("answer %s release:%d rc=%d %s", q->what, q->release, rc, rc && e ? e->text : "");
	N.busy--;
	free(q);
}

static void on_plan(void *ctx, int rc, const struct err *e, cJSON *result)
{
	struct question *q = ctx;
	cJSON_Delete(result);
	if (strcmp(q->what, "approve-forbidden") == 0 && rc == 0)
		sim_fail("release %d was approved by somebody who may not", q->release);
	answered(q, rc, e);
}

static struct actor who(const char *name)
{
	const struct conf_person *p = conf_person_by_name(N.conf, name);
	REQUIRE(p != NULL);
	return (struct actor){ p->name, "uid:1000", NULL, p->roles };
}

/* --- the world before the first day ------------------------------------------------------------------------------------------------------ */

static void exec(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void exec(const char *fmt, ...)
{
	char sql[4000];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(sql, sizeof(sql), fmt, ap);
	va_end(ap);
	if (teststore_exec(&N.ts, sql))
		sim_fail("%s: %s", sql, N.ts.err.text);
}

static void office(int id, int parent, int depth, const char *code)
{
	char json[200], hex[HASH_HEX], up[20];
	struct hash h;
	(void)snprintf(
		json, sizeof(json), "{\"name\":\"Office %s\",\"hotline\":\"0200 %d\"}", code, id);
	hash_bytes(&h, json, strlen(json));
	hash_hex(&h, hex);
	(void)snprintf(up, sizeof(up), "%d", parent);
	exec("INSERT INTO vars VALUES(X'%s', '%s') ON CONFLICT DO NOTHING", hex, json);
	exec("INSERT INTO office(id, code, parent_id, depth, ord, region, lang, vars_hash) VALUES(%d, '%s', %s, %d, '%02d', 'bac', 'vi', X'%s')",
		id, code, parent ? up : "NULL", depth, id, hex);
}

static void contact(int id)
{
	static const char *const words[] = { "steps", "defer-2", "refuse", "slow-700", "bounce",
		"refuse-suppress", "defer-lane-2", "steps" };
	const char *word = "ok";
	if (sim_chance(S->p.word_mix))
		word = words[sim_below((int)ARRAY_LEN(words))];
	int lane = sim_chance(300) ? 1 : 0, at = 1 + sim_below(4);
	exec("INSERT INTO contact(id, kind, address, form, class) VALUES(%d, %d, '%s+%d@loop', 'mailbox', '')",
		id, lane ? KIND_SMS : KIND_EMAIL, word, id);
	exec("INSERT INTO target(id, contact_id, lane_id, office_id, lang, flags, seen_import) VALUES(%d, %d, %lld, %d, 'vi', 0, 1)",
		id, id, (long long)S->lane_id[lane], at);
	if (sim_chance(200) && at < 4) /* another office has the same contact */
		exec("INSERT INTO target(id, contact_id, lane_id, office_id, lang, flags, seen_import) VALUES(%d, %d, %lld, %d, 'vi', 0, 1)",
			SIM_CONTACTS + id, id, (long long)S->lane_id[lane], at + 1);
	for (int tag = 1; tag <= 2; tag++)
		if (sim_chance(600))
			exec("INSERT INTO target_tag SELECT %d, id FROM target WHERE contact_id=%d",
				tag, id);
}

void people_setup_rows(void)
{
	office(1, 0, 0, "trung-uong");
	office(2, 1, 1, "ha-noi");
	office(3, 1, 1, "dien-bien");
	office(4, 3, 2, "muong-ang");
	S->lane_id[0] = teststore_i64(&N.ts,
		"SELECT n.id FROM lane n JOIN account a ON a.id=n.account_id JOIN channel c ON c.id=a.channel_id WHERE c.name='mail' AND n.class=''");
	S->lane_id[1] = teststore_i64(&N.ts,
		"SELECT n.id FROM lane n JOIN account a ON a.id=n.account_id JOIN channel c ON c.id=a.channel_id WHERE c.name='gate' AND n.class=''");
	S->lane_channel[0] = teststore_i64(&N.ts, "SELECT id FROM channel WHERE name='mail'");
	S->lane_channel[1] = teststore_i64(&N.ts, "SELECT id FROM channel WHERE name='gate'");
	S->n_lanes = 2;
	if (S->lane_id[0] <= 0 || S->lane_id[1] <= 0)
		sim_fail("the lanes were not made");
	exec("INSERT INTO tag(id, name) VALUES(1, 'press'), (2, 'office')");
	exec("INSERT INTO audience(name, title, rule) VALUES('press', '', '{\"any\":[{\"tag\":[\"press\"]}],\"not\":[],\"broad\":false}'),"
	     "('offices', '', '{\"any\":[{\"tag\":[\"office\"]}],\"not\":[],\"broad\":false}'),"
	     "('all', '', '{\"any\":[],\"not\":[],\"broad\":true}')");
	for (int i = 1; i <= S->p.contacts; i++)
		contact(i);
	S->n_contacts = S->p.contacts;
}

/* --- releases ---------------------------------------------------------------------------------------------------------------------------------- */

static const char *const templates[] = {
	"priority: normal\nparts:\n  a: {to: all, channels: [email, sms], at: now, window: 12h}\n",
	"priority: urgent\nparts:\n  a: {to: all, channels: [email], at: now, window: 24h}\n",
	"priority: bulk\nparts:\n  a: {to: press, channels: [email, sms], at: now, window: 24h}\n"
	"  b: {to: offices, channels: [email, sms], after: a}\n",
	"priority: normal\nparts:\n  a: {to: press, channels: [email], at: now, window: 24h}\n"
	"  b: {to: all, channels: [email, sms], at: now, window: 24h, spread: 10m}\n",
	"priority: normal\nparts:\n  a: {to: offices, channels: [sms, email], go: signal, window: 24h, expires: 36h}\n",
	"priority: normal\nparts:\n  a: {to: all, channels: [email, sms], at: 2h, window: 24h}\n",
};

static void submit(int release)
{
	char text[2000], path[300];
	static char name[] = "release.md";
	struct err e;
	struct sim_release *r = &S->release[release];
	unsigned nonce = ++S->next_nonce;
	(void)snprintf(text, sizeof(text),
		"---\ncode: R-%d\ntitle: Title of R-%d\n%s---\nText nonce=%u, call {{office.hotline}}.\n",
		release, release, templates[r->template], nonce);
	(void)snprintf(path, sizeof(path), "%s/up-%u", store_staging_dir(N.ts.s), S->next_upload++);
	if (file_write_durable(path, str_of(text), 0600, &e))
		sim_fail("%s", e.text);
	struct staged st = { path, name };
	struct actor a = who(sim_chance(500) ? "lan" : "hoa");
	r->revs++;
	sim_trace("submit R-%d nonce=%u by %s", release, nonce, a.person);
	plan_submit(N.plan, &st, &a, on_plan, ask("submit", release));
}

static void submit_new(void)
{
	if (S->n_releases >= S->p.releases)
		return;
	int i = ++S->n_releases;
	S->release[i].template = sim_below((int)ARRAY_LEN(templates));
	submit(i);
}

static int any_release(void)
{
	return S->n_releases ? 1 + sim_below(S->n_releases) : 0;
}

static cJSON *params_of(int release)
{
	char code[40];
	cJSON *p = cJSON_CreateObject();
	(void)snprintf(code, sizeof(code), "R-%d", release);
	json_put_z(p, "release", code);
	return p;
}

static bool is_author(int release, const char *person)
{
	char sql[300];
	(void)snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM release_author a JOIN release r ON r.id=a.release_id WHERE r.code='R-%d' AND a.person='%s'",
		release, person);
	return teststore_i64(&N.ts, sql) > 0;
}

/* What an approver reads before he approves: the newest manifest and the text under it. */
static bool newest(int release, uint8_t hash[32], unsigned *ret_nonce)
{
	struct store_reader *r = teststore_reader(&N.ts);
	sqlite3_stmt *st;
	char code[40];
	bool found = false;
	(void)snprintf(code, sizeof(code), "R-%d", release);
	int rc = db_query(reader_db(r), &st,
		"SELECT m.hash, v.body FROM release r JOIN manifest m ON m.release_id=r.id AND m.rev=r.rev_newest "
		"JOIN revision v ON v.release_id=r.id AND v.rev=r.rev_newest WHERE r.code=? ORDER BY m.made DESC",
		"t", code);
	REQUIRE(rc == 0);
	if (db_row(reader_db(r), st) == 1) {
		struct str h = col_blob(st, 0);
		const char *at = strstr(col_z(st, 1), "nonce=");
		found = h.n == 32 && at && sscanf(at, "nonce=%u", ret_nonce) == 1;
		if (found)
			memcpy(hash, h.p, 32);
		db_reset(st);
	}
	teststore_reader_end(&N.ts, r);
	return found;
}

static void remember(int release, const uint8_t hash[32], unsigned nonce)
{
	for (int i = 0; i < S->n_approvals; i++)
		if (S->approval[i].nonce == nonce && memcmp(S->approval[i].hash, hash, 32) == 0)
			return;
	REQUIRE(S->n_approvals < SIM_APPROVALS);
	struct sim_approval *p = &S->approval[S->n_approvals++];
	memcpy(p->hash, hash, 32);
	p->release = release;
	p->nonce = nonce;
}

static void approve_as(int release, const char *person, bool diff)
{
	uint8_t hash[32];
	unsigned nonce;
	char hex[65];
	if (!newest(release, hash, &nonce))
		return;
	struct actor a = who(person);
	bool may = strcmp(person, "oanh") != 0 && !is_author(release, person);
	hex_encode(hex, hash, 32);
	if (may)
		remember(release, hash, nonce);
	cJSON *p = params_of(release);
	json_put_z(p, "hash", hex);
	if (diff)
		json_put_bool(p, "diff", true);
	sim_trace("approve R-%d %.8s by %s%s", release, hex, person, may ? "" : " who may not");
	plan_approve(N.plan, p, &a, on_plan, ask(may ? "approve" : "approve-forbidden", release));
	cJSON_Delete(p);
}

static void approve(void)
{
	static const char *const people[] = { "minh", "minh", "minh", "hoa", "lan", "oanh" };
	int release = any_release();
	if (release)
		approve_as(release, people[sim_below((int)ARRAY_LEN(people))], false);
}

static void signal_go(int release)
{
	struct actor a = who("oanh");
	cJSON *p = params_of(release);
	json_put_z(p, "part", "a");
	sim_trace("go R-%d", release);
	plan_go(N.plan, p, &a, on_plan, ask("go", release));
	cJSON_Delete(p);
}

static void give_back(void)
{
	int release = any_release();
	if (!release)
		return;
	struct actor a = who("minh");
	cJSON *p = params_of(release);
	json_put_z(p, "why", "a wrong date");
	sim_trace("return R-%d", release);
	plan_return(N.plan, p, &a, on_plan, ask("return", release));
	cJSON_Delete(p);
}

/* --- stops ----------------------------------------------------------------------------------------------------------------------------------------- */

static void on_stop(
	void *ctx, int rc, const struct err *e, int64_t lots, int64_t deliveries, int64_t on_wire)
{
	struct question *q = ctx;
	UNUSED(lots);
	UNUSED(deliveries);
	UNUSED(on_wire);
	if (q->stop >= 0 && rc == 0)
		S->stop[q->stop].answered = true;
	else if (q->stop >= 0)
		S->stop[q->stop].on = false;
	answered(q, rc, e);
}

static int stop_slot(void)
{
	for (int i = 0; i < SIM_STOPS; i++)
		if (!S->stop[i].on)
			return i;
	return -1;
}

static void stop_scope(struct stop_scope *s)
{
	*s = (struct stop_scope){ .part = -1 };
	switch (sim_below(6)) {
	case 0: s->all = true; break;
	case 1: s->lane_id = S->lane_id[sim_below(S->n_lanes)]; break;
	case 2: s->channel_id = S->lane_channel[sim_below(S->n_lanes)]; break;
	case 3: s->office_id = 1 + sim_below(4); break;
	case 4: s->part = sim_below(2) + 1; /* fall through */
	default: s->release_id = any_release();
	}
	if (!s->all && !s->lane_id && !s->channel_id && !s->office_id && !s->release_id)
		s->all = true;
	(void)snprintf(s->text, sizeof(s->text), "r=%lld p=%d o=%lld l=%lld c=%lld all=%d",
		(long long)s->release_id, s->part, (long long)s->office_id, (long long)s->lane_id,
		(long long)s->channel_id, s->all);
}

static void hold(void)
{
	int slot = stop_slot();
	if (slot < 0)
		return;
	struct sim_stop *s = &S->stop[slot];
	*s = (struct sim_stop){ .except_prio = sim_chance(150) ? PRIO_URGENT : -1 };
	stop_scope(&s->scope);
	if (sim_chance(300))
		s->until_ms = N.te.wall + sim_below(600000);
	struct question *q = ask("hold", 0);
	q->stop = slot;
	struct stop_request r = { .verb = s->scope.lane_id || s->scope.channel_id ? STOP_PAUSE
										  : STOP_HOLD,
		.scope = s->scope,
		.until_ms = s->until_ms,
		.except_prio = s->except_prio,
		.person = "oanh",
		.via = "uid:1000",
		.why = "to be sure",
		.done = on_stop,
		.ctx = q };
	sim_trace("hold %s until=%lld except=%d", s->scope.text, (long long)s->until_ms,
		s->except_prio);
	provider_poll(); /* what left before is before */
	s->on = true;
	dispatch_stop_scope(N.dispatch, &r);
}

static bool inside(const struct stop_scope *g, const struct stop_scope *s)
{
	if (s->all)
		return g->all;
	return !g->all && (!s->release_id || s->release_id == g->release_id) &&
		(s->part < 0 || s->part == g->part) &&
		(!s->office_id || s->office_id == g->office_id) &&
		(!s->lane_id || s->lane_id == g->lane_id) &&
		(!s->channel_id || s->channel_id == g->channel_id);
}

static void resume_scope(const struct stop_scope *scope)
{
	struct stop_request r = { .verb = STOP_RESUME,
		.scope = *scope,
		.except_prio = -1,
		.person = "oanh",
		.via = "uid:1000",
		.why = "it may go on",
		.done = on_stop,
		.ctx = ask("resume", 0) };
	sim_trace("resume %s", scope->text);
	for (int i = 0; i < SIM_STOPS; i++)
		if (S->stop[i].on && !S->stop[i].cancel && inside(&S->stop[i].scope, scope))
			S->stop[i].on = false;
	dispatch_stop_scope(N.dispatch, &r);
}

static void resume(void)
{
	int at = sim_below(SIM_STOPS);
	for (int i = 0; i < SIM_STOPS; i++) {
		const struct sim_stop *s = &S->stop[(at + i) % SIM_STOPS];
		if (s->on && !s->cancel) {
			struct stop_scope scope = s->scope;
			resume_scope(&scope);
			return;
		}
	}
}

static void on_cancelled(void *ctx, int rc, const struct err *e, cJSON *result)
{
	struct question *q = ctx;
	int64_t id = json_i64(result, "release_id", 0);
	int slot = rc == 0 ? stop_slot() : -1;
	cJSON_Delete(result);
	if (slot < 0) {
		answered(q, rc, e);
		return;
	}
	S->stop[slot] = (struct sim_stop){ .on = true,
		.cancel = true,
		.except_prio = -1,
		.scope = { .release_id = id, .part = -1 } };
	q->stop = slot;
	struct stop_request r = { .verb = STOP_CANCEL,
		.scope = S->stop[slot].scope,
		.except_prio = -1,
		.person = "oanh",
		.via = "uid:1000",
		.why = "no longer true",
		.done = on_stop,
		.ctx = q };
	provider_poll();
	dispatch_stop_scope(N.dispatch, &r);
}

static void cancel(void)
{
	int release = any_release();
	if (!release || !sim_chance(S->p.steps > 20000 ? 15 : 200))
		return;
	struct actor a = who("oanh");
	cJSON *p = params_of(release);
	json_put_z(p, "why", "no longer true");
	sim_trace("cancel R-%d", release);
	plan_cancel(N.plan, p, &a, on_cancelled, ask("cancel", release));
	cJSON_Delete(p);
}

/* --- single deliveries -------------------------------------------------------------------------------------------------------------------------- */

static void on_act(void *ctx, int rc, const struct err *e, size_t changed, size_t refused)
{
	struct question *q = ctx;
	sim_trace("changed=%zu refused=%zu", changed, refused);
	answered(q, rc, e);
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
		.ctx = ask("act", 0) };
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

void people_act(void)
{
	if (N.busy > 20)
		return;
	if (S->n_releases == 0) {
		submit_new();
		return;
	}
	switch (sim_below(16)) {
	case 0:
	case 1: submit_new(); break;
	case 2:
	case 3:
	case 4: approve(); break;
	case 5:
		if (any_release() && sim_chance(200))
			submit(any_release());
		break;
	case 6:
		if (any_release())
			signal_go(any_release());
		break;
	case 7:
		if (sim_chance(200))
			give_back();
		break;
	case 8: hold(); break;
	case 9:
	case 10:
	case 11: resume(); break;
	case 12: cancel(); break;
	default: act(); break;
	}
}

/* --- the last day --------------------------------------------------------------------------------------------------------------------------------- */

static bool heal_release(int i)
{
	char sql[400];
	(void)snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM lot l JOIN release r ON r.id=l.release_id WHERE r.code='R-%d' AND l.gate=2",
		i);
	bool held = teststore_i64(&N.ts, sql) > 0;
	(void)snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM part p JOIN release r ON r.id=p.release_id AND p.rev=r.rev_newest WHERE r.code='R-%d' AND p.state=3",
		i);
	bool part = teststore_i64(&N.ts, sql) > 0;
	(void)snprintf(sql, sizeof(sql), "SELECT id FROM release WHERE code='R-%d'", i);
	int64_t id = teststore_i64(&N.ts, sql);
	if (held) {
		struct stop_scope s = { .release_id = id, .part = -1 };
		(void)snprintf(s.text, sizeof(s.text), "release:R-%d", i);
		resume_scope(&s);
	}
	if (part)
		signal_go(i);
	return held || part;
}

/* Also those whose answer was lost in a crash: they stand in the database only. */
static bool heal_gates(void)
{
	struct stop_scope found[32];
	struct store_reader *r = teststore_reader(&N.ts);
	sqlite3_stmt *st;
	size_t n = 0;
	int rc = db_query(reader_db(r), &st, "SELECT what FROM gate", "");
	while (rc == 0 && (rc = db_row(reader_db(r), st)) == 1) {
		struct sq_gate g;
		if (n < ARRAY_LEN(found) && gate_scope_read(col_str(st, 0), &g)) {
			found[n] = (struct stop_scope){ .release_id = g.release,
				.office_id = g.office,
				.campaign_id = g.campaign,
				.lane_id = g.lane,
				.channel_id = g.channel,
				.part = (int32_t)g.part,
				.kind = g.kind,
				.all = g.all };
			(void)snprintf(found[n].text, sizeof(found[n].text), "gate");
			n++;
		}
		rc = 0;
	}
	teststore_reader_end(&N.ts, r);
	for (size_t i = 0; i < n; i++)
		resume_scope(&found[i]);
	for (int i = 0; i < S->n_lanes; i++) {
		struct stop_scope s = { .part = -1, .lane_id = S->lane_id[i], .text = "lane" };
		char sql[100];
		(void)snprintf(sql, sizeof(sql), "SELECT gate FROM lane WHERE id=%lld",
			(long long)S->lane_id[i]);
		if (teststore_i64(&N.ts, sql) == 0)
			continue;
		resume_scope(&s);
		n++;
	}
	return n > 0;
}

bool people_heal(void)
{
	bool did = false;
	for (int i = 0; i < SIM_STOPS; i++)
		if (S->stop[i].on && !S->stop[i].cancel) {
			struct stop_scope scope = S->stop[i].scope;
			resume_scope(&scope);
			did = true;
		}
	did |= heal_gates();
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
