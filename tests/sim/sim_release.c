/* sim_release.c - editors and approvers: they submit and revise, approve (also what they may not), give the signal and give back.
 * What an approver was asked to approve stands in S->approval, against which the checks hold every post.
 */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "base/file.h"
#include "base/json.h"
#include "sim_people.h"
#include "sim_provider.h"
#include "store/store_internal.h"

static void on_plan(void *ctx, int rc, const struct err *e, cJSON *result)
{
	struct question *q = ctx;
	cJSON_Delete(result);
	if (strcmp(q->what, "approve-forbidden") == 0 && rc == 0)
		sim_fail("release %d was approved by somebody who may not", q->release);
	people_answered(q, rc, e);
}

static const char *const templates[] = {
	"priority: normal\nparts:\n  a: {to: all, channels: [%1$s, sms], at: now, window: 12h}\n",
	"priority: urgent\nparts:\n  a: {to: all, channels: [%1$s], at: now, window: 24h}\n",
	"priority: bulk\nparts:\n  a: {to: press, channels: [%1$s, sms], at: now, window: 24h}\n"
	"  b: {to: offices, channels: [%1$s, sms], after: a}\n",
	"priority: normal\nparts:\n  a: {to: press, channels: [%1$s], at: now, window: 24h}\n"
	"  b: {to: all, channels: [%1$s, sms], at: now, window: 24h, spread: 10m}\n",
	"priority: normal\nparts:\n  a: {to: offices, channels: [sms, %1$s], go: signal, window: 24h, expires: 36h}\n",
	"priority: normal\nparts:\n  a: {to: all, channels: [%1$s, sms], at: 2h, window: 24h}\n",
};

/* Of an article: with a link it has a mark by which it is found again, with a broadcast its followers are told. */
static const char *const extras[] = { "", "link: https://portal.example/x\n",
	"zalo: {broadcast: yes}\n", "link: https://portal.example/x\nzalo: {broadcast: yes}\n" };

/* The parts with the kind of the first channel in them. */
static void parts_of(int template, char *ret, size_t size)
{
	const char *t = templates[template], *at;
	size_t n = 0;
	for (; (at = strstr(t, "%1$s")) != NULL && n < size; t = at + 4)
		n += (size_t)snprintf(
			ret + n, size - n, "%.*s%s", (int)(at - t), t, provider_of(0)->kind);
	(void)snprintf(ret + n, size - n, "%s", t);
}

void people_submit(int release)
{
	char text[2000], path[300], parts[600];
	static char name[] = "release.md", zip[] = "release.zip";
	bool cover = provider_of(0)->pictures;
	struct err e;
	struct sim_release *r = &S->release[release];
	unsigned nonce = ++S->next_nonce;
	parts_of(r->template, parts, sizeof(parts));
	(void)snprintf(text, sizeof(text),
		"---\ncode: R-%d\ntitle: Title of R-%d z0q%uq0z\n%s%s%s---\nText z0q%uq0z, call {{office.hotline}}.\n",
		release, release, nonce, cover ? "cover: {file: cover.png, alt: Cover}\n" : "",
		cover ? extras[r->extra] : "", parts, nonce);
	(void)snprintf(path, sizeof(path), "%s/up-%u", store_staging_dir(N.ts.s), S->next_upload++);
	if (cover)
		people_bundle_write(path, text);
	else if (file_write_durable(path, str_of(text), 0600, &e))
		sim_fail("%s", e.text);
	struct staged st = { .path = path, .name = cover ? zip : name };
	struct actor a = people_who(sim_chance(500) ? "lan" : "hoa");
	r->revs++;
	sim_trace("submit R-%d nonce=%u by %s", release, nonce, a.person);
	plan_submit(N.plan, &st, &a, on_plan, people_ask("submit", release));
}

void people_submit_new(void)
{
	if (S->n_releases >= S->p.releases)
		return;
	int i = ++S->n_releases;
	S->release[i].template = sim_below((int)ARRAY_LEN(templates));
	if (provider_of(0)->pictures)
		S->release[i].extra = sim_below((int)ARRAY_LEN(extras));
	people_submit(i);
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
		const char *at = strstr(col_z(st, 1), "z0q");
		found = h.n == 32 && at && sscanf(at, "z0q%uq0z", ret_nonce) == 1;
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
	struct actor a = people_who(person);
	bool may = strcmp(person, "oanh") != 0 && !is_author(release, person);
	hex_encode(hex, hash, 32);
	if (may)
		remember(release, hash, nonce);
	cJSON *p = people_params_of(release);
	json_put_z(p, "hash", hex);
	if (diff)
		json_put_bool(p, "diff", true);
	sim_trace("approve R-%d %.8s by %s%s", release, hex, person, may ? "" : " who may not");
	plan_approve(
		N.plan, p, &a, on_plan, people_ask(may ? "approve" : "approve-forbidden", release));
	cJSON_Delete(p);
}

void people_approve(void)
{
	static const char *const people[] = { "minh", "minh", "minh", "hoa", "lan", "oanh" };
	int release = people_any_release();
	if (release)
		approve_as(release, people[sim_below((int)ARRAY_LEN(people))], false);
}

void people_approve_diff(int release)
{
	static const char *const people[] = { "minh", "hoa", "lan" };
	for (size_t i = 0; i < ARRAY_LEN(people); i++)
		if (!is_author(release, people[i])) {
			approve_as(release, people[i], true);
			return;
		}
}

void people_go(int release)
{
	struct actor a = people_who("oanh");
	cJSON *p = people_params_of(release);
	json_put_z(p, "part", "a");
	sim_trace("go R-%d", release);
	plan_go(N.plan, p, &a, on_plan, people_ask("go", release));
	cJSON_Delete(p);
}

void people_give_back(void)
{
	int release = people_any_release();
	if (!release)
		return;
	struct actor a = people_who("minh");
	cJSON *p = people_params_of(release);
	json_put_z(p, "why", "a wrong date");
	sim_trace("return R-%d", release);
	plan_return(N.plan, p, &a, on_plan, people_ask("return", release));
	cJSON_Delete(p);
}
