/* scene.h - a store with offices, targets and audiences, a configuration with one mail channel, and the plan on virtual time.
 * The adapter is a fake at link time: what it prepares is its inputs as text, and `salt` stands for an upgrade of its library.
 *   scene_open();  scene_submit("lan", text);  scene_approve("minh", ...);  scene_run(ms);  scene_close();
 */
#ifndef LANTOA_TESTS_PLAN_SCENE_H
#define LANTOA_TESTS_PLAN_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/assert.h"
#include "base/file.h"
#include "base/json.h"
#include "conf/conf.h"
#include "plan/plan.h"
#include "store/store_plan.h"
#include "store/store_release.h"
#include "lib/testenv.h"
#include "lib/teststore.h"

#define SCENE_CONF_MAGIC 0x434f4e46u

static struct scene {
	struct testenv te;
	struct teststore ts;
	struct plan *p;
	struct conf conf;
	struct conf_channel ch, *chp[1];
	struct conf_account acct, *acctp[1];
	struct conf_step steps[2];
	struct conf_person people[8];
	char *domains[1];
	int opened, prepared, links;
	int64_t cost;  /* of one copy, in đồng */
	size_t memory; /* that a prepared output is said to keep */
	int whole,
		whole_most; /* outputs that are kept with all they have, and the most at any time */
	bool link_answers;
	struct scene_handed { /* to dispatch, as a part started */
		struct prep_key key;
		struct hash digest;
	} handed[64];
	size_t n_handed;
	bool reload_in_prepare; /* once: the loop reloads while a worker prepares */
	struct task reload;
	const char *salt, *spec; /* spec: renditions are asked for */
	struct renditions *renditions;
	char said[200]; /* of the last rendition that was found */
	/* the last answer */
	int rc, answers;
	struct err err;
	cJSON *json;
	char release[100], hash[HASH_HEX];
	bool dead;
} sc;

/* --- the fake adapter ------------------------------------------------------------------------------------------------------------ */

struct channel *channels_find(struct channels *cs, const char *name)
{
	assert_non_null(cs);
	return strcmp(name, "mail") == 0 ? (struct channel *)(void *)cs : NULL;
}

static void put(struct buf *b, const char *name, struct lt_str s)
{
	buf_addf(b, "%s=", name);
	buf_add(b, s.p, s.n);
	buf_addc(b, '\n');
}

static void scene_reload(struct task *t)
{
	UNUSED(t);
	plan_reload(sc.p, &sc.conf, (struct channels *)(void *)&sc);
}

/* Each asset by its name; with `spec` as a rendition, whose id stands in the output as an adapter's would. */
static int put_assets(
	struct buf *b, const struct lt_content *x, const struct chan_renditions *rs, struct err *e)
{
	for (size_t i = 0; i < x->n_assets; i++) {
		char id[ASSET_ID_MAX];
		int rc = 0;
		put(b, "asset", x->assets[i]->filename);
		if (!sc.spec)
			continue;
		rc = rs->find(rs->ctx, (struct str){ x->assets[i]->id.p, x->assets[i]->id.n },
			str_of(sc.spec), id, e);
		if (rc < 0)
			return rc;
		str_copy(sc.said, sizeof(sc.said), str_of(e->text));
		buf_addf(b, "rendition=%s\n", id);
	}
	return 0;
}

int channel_prepare_with(const struct channel *c, const char *account, const struct lt_content *x,
	const struct chan_renditions *rs, struct prepared **ret, struct err *e)
{
	struct buf b;
	struct prepared *p = x_calloc(1, sizeof(*p));
	UNUSED(c);
	buf_init(&b, 1u << 20);
	buf_addf(&b, "account=%s salt=%s\n", account, sc.salt);
	put(&b, "title", x->title);
	put(&b, "lang", x->lang);
	put(&b, "body", x->body_markdown);
	for (size_t i = 0; i < x->n_texts; i++)
		put(&b, "text", x->texts[i].value);
	int rc = put_assets(&b, x, rs, e);
	if (rc < 0) {
		buf_done(&b);
		free(p);
		return rc;
	}
	if (sc.reload_in_prepare) {
		sc.reload_in_prepare = false;
		env_defer(&sc.te.env, &sc.reload);
	}
	p->refs = 1;
	hash_bytes(&p->digest, b.p, b.n);
	p->bytes = b.n;
	p->preview = buf_take(&b, NULL);
	*ret = p;
	sc.prepared++;
	sc.whole++;
	sc.whole_most = sc.whole > sc.whole_most ? sc.whole : sc.whole_most;
	return 0;
}

struct prepared *prepared_ref(struct prepared *p)
{
	p->refs++;
	return p;
}

void prepared_unref(struct prepared *p)
{
	if (!p || --p->refs > 0)
		return;
	sc.whole -= !p->summary;
	free(p->preview);
	free(p);
}

struct prepared *prepared_summary(const struct prepared *p, size_t preview_max)
{
	struct prepared *s = x_calloc(1, sizeof(*s));
	s->refs = 1;
	s->summary = true;
	s->digest = p->digest;
	if (strlen(p->preview) <= preview_max)
		s->preview = x_strdup(p->preview);
	return s;
}

size_t prepared_memory(const struct prepared *p)
{
	return p->summary ? sizeof(*p) : sc.memory;
}

int64_t prepared_fact_get(const struct prepared *p, const char *name, int64_t otherwise)
{
	UNUSED(p);
	return strcmp(name, "cost") == 0 && sc.cost ? sc.cost : otherwise;
}

/* --- rows -------------------------------------------------------------------------------------------------------------------------- */

static void scene_sql(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void scene_sql(const char *fmt, ...)
{
	char sql[4096];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(sql, sizeof(sql), fmt, ap);
	va_end(ap);
	assert_true(n > 0 && n < (int)sizeof(sql));
	assert_int_equal(teststore_exec(&sc.ts, sql), 0);
}

static int64_t scene_i64(const char *sql)
{
	return teststore_i64(&sc.ts, sql);
}

static void scene_vars(const char *json, char hex[HASH_HEX])
{
	struct hash h;
	hash_bytes(&h, json, strlen(json));
	hash_hex(&h, hex);
	scene_sql("INSERT INTO vars VALUES(X'%s', '%s') ON CONFLICT DO NOTHING", hex, json);
}

static void scene_office(
	int id, int parent, int depth, const char *code, const char *region, const char *hotline)
{
	char json[400], hex[HASH_HEX], up[20];
	snprintf(json, sizeof(json),
		"{\"name\":\"Office %s\",\"name.en\":\"The %s office\",\"short\":\"%s\",\"hotline\":\"%s\"}",
		code, code, code, hotline);
	scene_vars(json, hex);
	snprintf(up, sizeof(up), "%d", parent);
	scene_sql(
		"INSERT INTO office(id, code, parent_id, depth, ord, region, lang, vars_hash) VALUES(%d, '%s', %s, %d, '%02d', '%s', 'vi', "
		"X'%s')",
		id, code, parent ? up : "NULL", depth, id, region, hex);
}

static inline void scene_hotline(const char *code, const char *hotline)
{
	char json[400], hex[HASH_HEX];
	snprintf(json, sizeof(json),
		"{\"name\":\"Office %s\",\"name.en\":\"The %s office\",\"short\":\"%s\",\"hotline\":\"%s\"}",
		code, code, code, hotline);
	scene_vars(json, hex);
	scene_sql("UPDATE office SET vars_hash=X'%s' WHERE code='%s'", hex, code);
}

/* A mailbox of an office with one tag (1 press, 2 office, 3 internal); the contact is shared when the number is. */
static void scene_target(int contact, int office, int tag, const char *lang)
{
	scene_sql(
		"INSERT INTO contact(id, kind, address, form, class) VALUES(%d, 1, 'c%d@example', 'mailbox', '') ON CONFLICT DO NOTHING",
		contact, contact);
	scene_sql(
		"INSERT INTO target(contact_id, lane_id, office_id, lang, flags, seen_import) VALUES(%d, 1, %d, '%s', %d, 1) ON CONFLICT DO NOTHING",
		contact, office, lang, tag == 3 ? 2 : 0);
	scene_sql(
		"INSERT INTO target_tag SELECT %d, id FROM target WHERE contact_id=%d AND office_id=%d ON CONFLICT DO NOTHING",
		tag, contact, office);
}

static void scene_rows(void)
{
	scene_office(1, 0, 0, "trung-uong", "trung-uong", "1900 0000");
	scene_office(2, 1, 1, "ha-noi", "bac", "0200 1");
	scene_office(3, 1, 1, "dien-bien", "bac", "0200 2");
	scene_office(4, 3, 2, "muong-ang", "bac", "0200 3");
	scene_sql("INSERT INTO channel(id, name, adapter) VALUES(1, 'mail', 'fake')");
	scene_sql("INSERT INTO account(id, channel_id, name) VALUES(1, 1, 'relay')");
	scene_sql(
		"INSERT INTO lane(id, account_id, class, gate, tokens, tokens_at) VALUES(1, 1, '', 0, 0, 0)");
	scene_sql("INSERT INTO tag(id, name) VALUES(1, 'press'), (2, 'office'), (3, 'internal')");
	scene_sql(
		"INSERT INTO audience(name, title, rule) VALUES('press', '', '{\"any\":[{\"tag\":[\"press\"]}],\"not\":[],\"broad\":false}'),"
		"('offices', '', '{\"any\":[{\"tag\":[\"office\"]}],\"not\":[],\"broad\":false}'),"
		"('staff', '', '{\"any\":[{\"tag\":[\"internal\"]}],\"not\":[],\"broad\":false}'),"
		"('all', '', '{\"any\":[],\"not\":[],\"broad\":true}')");
	for (int i = 0; i < 4; i++) {
		scene_target(10 + i, 1 + i, 1, i == 1 ? "en" : "vi");
		scene_target(20 + i, 1 + i, 2, "vi");
		scene_target(30 + i, 1 + i, 3, "vi");
	}
}

/* --- the plan ------------------------------------------------------------------------------------------------------------------------ */

static void scene_on_open(void *ctx)
{
	UNUSED(ctx);
	sc.opened++;
}

static void scene_on_prepared(void *ctx, const struct prep_key *key, struct prepared *p)
{
	UNUSED(ctx);
	assert_true(sc.n_handed < ARRAY_LEN(sc.handed));
	sc.handed[sc.n_handed++] = (struct scene_handed){ *key, p->digest };
}

static void scene_link(void *ctx, const char *url,
	void (*done)(void *done_ctx, bool answers, const char *why), void *done_ctx)
{
	UNUSED(ctx);
	assert_string_equal(url, "https://portal.example/1");
	sc.links++;
	done(done_ctx, sc.link_answers, sc.link_answers ? NULL : "404");
}

static void scene_plan(void)
{
	struct plan_opts o = { .env = &sc.te.env,
		.renditions = sc.renditions,
		.store = sc.ts.s,
		.conf = &sc.conf,
		.channels = (struct channels *)(void *)&sc,
		.on_lots_open = scene_on_open,
		.on_prepared = scene_on_prepared,
		.link_check = scene_link };
	sc.p = plan_new(&o);
	plan_start(sc.p);
}

static void scene_person(int i, const char *name, unsigned roles)
{
	sc.people[i] = (struct conf_person){ .name = x_strdup(name), .uid = -1, .roles = roles };
	sc.conf.n_people = (size_t)i + 1;
}

static void scene_conf(void)
{
	sc.conf = (struct conf){ .magic = SCENE_CONF_MAGIC,
		.refs = 1,
		.zone = zone_vietnam(),
		.growth_percent = 5,
		.growth_count = 20,
		.similar_days = 7 };
	sc.acct = (struct conf_account){ .name = x_strdup("relay"),
		.identity = x_strdup("bhxh@example") };
	sc.acctp[0] = &sc.acct;
	sc.ch = (struct conf_channel){ .name = x_strdup("mail"),
		.kind = KIND_EMAIL,
		.adapter = x_strdup("fake"),
		.accounts = sc.acctp,
		.n_accounts = 1 };
	sc.chp[0] = &sc.ch;
	sc.conf.channels = sc.chp;
	sc.conf.n_channels = 1;
	sc.conf.people = sc.people;
	sc.domains[0] = x_strdup("portal.example");
	sc.conf.own_domains = (struct conf_strv){ sc.domains, 1 };
	sc.steps[0] = (struct conf_step){ x_strdup("approve"), ROLE_APPROVER };
	sc.steps[1] = (struct conf_step){ x_strdup("second"), ROLE_APPROVER };
	sc.conf.steps = sc.steps;
	sc.conf.n_steps = 1;
	scene_person(0, "lan", ROLE_VIEWER | ROLE_EDITOR | ROLE_APPROVER);
	scene_person(1, "minh", ROLE_VIEWER | ROLE_APPROVER);
	scene_person(2, "hoa", ROLE_VIEWER | ROLE_APPROVER);
	scene_person(3, "oanh", ROLE_VIEWER | ROLE_OPERATOR);
}

static int scene_open(void **state)
{
	UNUSED(state);
	memset(&sc, 0, sizeof(sc));
	sc.salt = "1";
	task_init(&sc.reload, scene_reload);
	testenv_init(&sc.te, 1);
	sc.ts.env = &sc.te.env;
	assert_int_equal(teststore_open(&sc.ts), 0);
	scene_conf();
	scene_rows();
	scene_plan();
	return 0;
}

static bool scene_turn(void)
{
	size_t n = 0;
	uint64_t ran = sc.te.ran;
	testenv_settle(&sc.te);
	if (!sc.dead) {
		n += store_run(sc.ts.s);
		n += store_complete(sc.ts.s);
	}
	return n > 0 || sc.te.ran != ran;
}

/* Everything that can happen now, then `ms` in steps, each until it is quiet. */
static void scene_run(int64_t ms)
{
	for (int64_t gone = 0;; gone += 100) {
		for (int i = 0; i < 10000 && scene_turn(); i++)
			continue;
		if (gone >= ms)
			return;
		testenv_advance(&sc.te, ms - gone < 100 ? ms - gone : 100);
	}
}

static void scene_stopped(void *ctx)
{
	*(bool *)ctx = true;
}

static void scene_plan_end(void)
{
	bool stopped = false;
	plan_stop(sc.p, scene_stopped, &stopped);
	for (int i = 0; i < 1000 && !stopped; i++)
		(void)scene_turn();
	assert_true(stopped);
	plan_free(sc.p);
	sc.p = NULL;
}

static int scene_close(void **state)
{
	UNUSED(state);
	if (sc.p)
		scene_plan_end();
	teststore_close(&sc.ts);
	testenv_done(&sc.te);
	cJSON_Delete(sc.json);
	free(sc.acct.name);
	free(sc.acct.identity);
	free(sc.ch.name);
	free(sc.ch.adapter);
	free(sc.domains[0]);
	free(sc.steps[0].name);
	free(sc.steps[1].name);
	for (size_t i = 0; i < sc.conf.n_people; i++)
		free(sc.people[i].name);
	return 0;
}

/* --- acts ------------------------------------------------------------------------------------------------------------------------------ */

static void scene_done(void *ctx, int rc, const struct err *e, cJSON *result)
{
	UNUSED(ctx);
	cJSON_Delete(sc.json);
	sc.rc = rc;
	sc.answers++;
	sc.err = e ? *e : (struct err){ 0 };
	sc.json = result;
}

static struct actor scene_who(const char *name)
{
	const struct conf_person *p = conf_person_by_name(&sc.conf, name);
	assert_non_null(p);
	return (struct actor){ p->name, "uid:1000", NULL, p->roles };
}

static char staged_path[300];
static struct staged scene_staged(const char *text)
{
	struct err e;
	snprintf(staged_path, sizeof(staged_path), "%s/staging/up-%d", sc.ts.dir, sc.answers);
	assert_int_equal(file_write_durable(staged_path, str_of(text), 0600, &e), 0);
	return (struct staged){ .path = staged_path, .name = "release.md" };
}

static int scene_wait(int before)
{
	for (int i = 0; i < 200 && sc.answers == before; i++)
		(void)scene_turn();
	assert_int_equal(sc.answers, before + 1);
	return sc.rc;
}

static void scene_remember(void)
{
	if (json_has(sc.json, "hash"))
		str_copy(sc.hash, sizeof(sc.hash), json_str(sc.json, "hash"));
	if (json_has(sc.json, "release"))
		str_copy(sc.release, sizeof(sc.release), json_str(sc.json, "release"));
}

static inline int scene_submit(const char *who, const char *text)
{
	struct actor a = scene_who(who);
	struct staged s = scene_staged(text);
	int before = sc.answers;
	plan_submit(sc.p, &s, &a, scene_done, NULL);
	int rc = scene_wait(before);
	if (rc == 0)
		scene_remember();
	return rc;
}

typedef void scene_fn(struct plan *p, const cJSON *params, const struct actor *who,
	plan_done_fn *done, void *ctx);
static inline int scene_act(scene_fn *fn, const char *who, const char *json)
{
	struct actor a = scene_who(who);
	cJSON *params CLEANUP_JSON = NULL;
	struct err e;
	int before = sc.answers;
	assert_int_equal(json_parse(str_of(json), 100000, &params, &e), 0);
	if (!json_has(params, "release"))
		json_put_z(params, "release", sc.release);
	fn(sc.p, params, &a, scene_done, NULL);
	return scene_wait(before);
}

static inline int scene_approve(const char *who)
{
	char json[200];
	snprintf(json, sizeof(json), "{\"hash\":\"%s\"}", sc.hash);
	return scene_act(plan_approve, who, json);
}

static inline int64_t scene_audits(const char *what)
{
	char sql[120];
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM audit WHERE what='%s'", what);
	return scene_i64(sql);
}

static inline int scene_part_state(const char *name)
{
	char sql[200];
	snprintf(sql, sizeof(sql),
		"SELECT p.state FROM part p JOIN release r ON r.id=p.release_id AND p.rev=r.rev_newest WHERE p.name='%s'",
		name);
	return (int)scene_i64(sql);
}

static inline bool scene_why_has(const char *sql, const char *piece)
{
	char *why = teststore_text(&sc.ts, sql);
	bool has = why && strstr(why, piece);
	if (!has)
		print_message("%s: '%s'\n", sql, why ? why : "(null)");
	free(why);
	return has;
}

/* What dispatch would do: every waiting row of open lots is accepted. */
static inline void scene_send_all(void)
{
	scene_sql("UPDATE lot SET n2=n2+n0, n0=0 WHERE gate=1");
	scene_sql(
		"UPDATE delivery SET state=2, tries=1 WHERE state=0 AND lot_id IN (SELECT id FROM lot WHERE gate=1)");
	plan_on_progress(sc.p, 1, 1);
}

#define FRONT(code, parts) "---\ncode: " code "\ntitle: A title of " code "\nparts:\n" parts "---\n"
#define BODY               "Hello from {{office.name}}, call {{office.hotline}}.\n\n{{local}}\n"
#define SIMPLE             FRONT("TTBC-1", "  press: {to: press, channels: [email], at: now}\n") BODY

#define HOUR 3600000
#define TWO_PARTS \
	"  press: {to: press, channels: [email], at: now}\n  desk: {to: offices, channels: [email], after: press}\n"

/* A release with these parts, approved; and what follows at once. */
static inline void scene_go(const char *parts)
{
	char text[2000];
	snprintf(text, sizeof(text), FRONT("TTBC-1", "%s") BODY, parts);
	assert_int_equal(scene_submit("lan", text), 0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
}

static inline int64_t scene_open_lots(const char *part)
{
	char sql[300];
	snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM lot l JOIN part p ON p.release_id=l.release_id AND p.part=l.part AND p.rev=(SELECT rev_approved FROM release WHERE "
		"id=l.release_id) WHERE l.gate=1 AND p.name='%s'",
		part);
	return scene_i64(sql);
}

#endif
