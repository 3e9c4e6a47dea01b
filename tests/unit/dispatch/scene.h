/* scene.h - a store with approved releases, lots and deliveries; dispatch on virtual time with the fake channel.
 * One channel "mail" of kind email with account "relay" and classes "" and "gmail"; a second, "sms".
 * scene_run(ms) lets time pass: timers, workers, the store and its completions, in that order, deterministic.
 */
#ifndef LANTOA_TESTS_DISPATCH_SCENE_H
#define LANTOA_TESTS_DISPATCH_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "base/fault.h"
#include "dispatch/dispatch.h"
#include "tests/lib/testenv.h"
#include "tests/lib/teststore.h"
#include "fakechannel.h"

#define MIN_MS INT64_C(60000)
#define HR_MS  INT64_C(3600000)

static struct scene {
	struct testenv te;
	struct teststore ts;
	struct dispatch *d;
	struct conf conf;
	struct conf_channel ch[2], *chp[2];
	struct conf_account acct[3], *acctp[2][2];
	struct conf_class class[1];
	struct conf_category_rule cat[1];
	int prepare_rc;
	int64_t cost; /* of one message, in đồng */
	bool asks;    /* it asks for consent to advertising */
	int n_prepared, n_progress;
	int64_t next_delivery, next_contact, next_lot;
	bool dead;              /* crashed: nothing runs until scene_restart */
	struct calling crashed; /* what an adapter had in its hands when it did */
} sc;

static char scene_names[][16] = { "mail", "sms", "relay", "two", "gate", "gmail", "loopback" };

static void scene_lane_defaults(struct conf_lane *l)
{
	*l = (struct conf_lane){ .rate_per_s = 0,
		.burst = 10,
		.concurrency = 100,
		.intents_max = 256,
		.tries_max = 5,
		.max_age_ms = 72 * HR_MS,
		.backoff_ms = { MIN_MS, 5 * MIN_MS },
		.n_backoff = 2,
		.urgent_backoff_ms = { 5000 },
		.n_urgent_backoff = 1,
		.op_timeout_ms = 30000,
		.unknown_max_ms = 24 * HR_MS,
		.ask_every_ms = MIN_MS,
		.unknown_then = UNKNOWN_THEN_DOUBT,
		.breaker_failures = 3,
		.breaker_pause_ms = 10000,
		.breaker_pause_max_ms = 10 * MIN_MS };
}

static void scene_conf(void)
{
	struct conf *c = &sc.conf;

	memset(c, 0, sizeof(*c));
	c->magic = 0x434f4e46u;
	c->refs = 1000000; /* static: never freed */
	c->zone = zone_vietnam();
	c->urgent_share = 0.8;
	c->public_url = NULL;
	c->suppress.hard = 1;
	c->suppress.hard_mailbox_off = 2;
	c->suppress.hard_mailbox_off_ms = 7 * 24 * HR_MS;
	c->suppress.domain = 3;
	c->suppress.domain_ms = 3 * 24 * HR_MS;
	c->suppress.soft = 5;
	c->suppress.soft_ms = 30 * 24 * HR_MS;
	for (int i = 0; i < 2; i++) {
		struct conf_channel *ch = &sc.ch[i];
		memset(ch, 0, sizeof(*ch));
		ch->name = scene_names[i];
		ch->adapter = scene_names[6];
		ch->kind = i ? KIND_SMS : KIND_EMAIL;
		scene_lane_defaults(&ch->lane);
		sc.chp[i] = ch;
		ch->accounts = sc.acctp[i];
		ch->n_accounts = 1;
		memset(&sc.acct[i], 0, sizeof(sc.acct[i]));
		sc.acct[i].name = scene_names[i ? 4 : 2];
		sc.acctp[i][0] = &sc.acct[i];
	}
	memset(&sc.acct[2], 0, sizeof(sc.acct[2]));
	sc.acct[2].name = scene_names[3];
	sc.acctp[0][1] = &sc.acct[2];
	sc.class[0].name = scene_names[5];
	scene_lane_defaults(&sc.class[0].lane);
	sc.ch[0].classes = sc.class;
	sc.ch[0].n_classes = 1;
	c->channels = sc.chp;
	c->n_channels = 2;
	c->category_rules = sc.cat;
}

static int scene_prepare(void *ctx, struct store_reader *r, const struct prep_key *key,
	struct prepared **ret, struct err *e)
{
	UNUSED(ctx);
	UNUSED(r);
	if (sc.prepare_rc)
		return err_set(e, sc.prepare_rc, "the hotline of this office changed");
	struct prepared *p = x_calloc(1, sizeof(*p));
	p->refs = 1;
	p->digest = key->manifest;
	memcpy(&p->batch_key, p->digest.b, sizeof(p->batch_key)); /* as the channel makes it */
	if (sc.cost) {
		p->facts = x_calloc(1, sizeof(*p->facts));
		p->facts[0].name = "cost";
		p->facts[0].value = sc.cost;
		p->n_facts = 1;
	}
	if (sc.asks) {
		p->facts = x_calloc(1, sizeof(*p->facts));
		p->facts[0].name = "asks_consent";
		p->facts[0].value = 1;
		p->n_facts = 1;
	}
	sc.n_prepared++;
	*ret = p;
	return 0;
}

static void scene_progress(void *ctx, int64_t release, uint32_t part)
{
	UNUSED(ctx);
	UNUSED(release);
	UNUSED(part);
	sc.n_progress++;
}

/* Everything that can happen now, happens. */
static void scene_settle(void)
{
	for (int i = 0; i < 100000; i++) {
		testenv_settle(&sc.te);
		if (sc.dead)
			return;
		size_t n = store_run(sc.ts.s);
		n += store_complete(sc.ts.s);
		if (n == 0 && list_empty(&sc.te.env.tasks))
			return;
	}
	fail_msg("the scene does not come to rest");
}

__attribute__((unused)) static void scene_run(int64_t ms)
{
	int64_t end = env_mono(&sc.te.env) + ms;

	scene_settle();
	while (!sc.dead) {
		int64_t now = env_mono(&sc.te.env), next = env_next_timer(&sc.te.env);
		if (next > end)
			next = end;
		testenv_advance(&sc.te, next > now ? next - now : 0);
		scene_settle();
		if (env_mono(&sc.te.env) >= end)
			break;
	}
}

static void scene_dispatch(void)
{
	struct err e = { 0 };
	struct dispatch_opts o = { .env = &sc.te.env,
		.store = sc.ts.s,
		.conf = &sc.conf,
		.prepare = scene_prepare,
		.on_progress = scene_progress,
		.crashed = sc.crashed };

	sc.d = dispatch_new(&o);
	dispatch_events(sc.d, &fake.ev);
	assert_int_equal(dispatch_attach(sc.d, (struct channels *)&fake, &e), 0);
}

static void scene_exec(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void scene_exec(const char *fmt, ...)
{
	char sql[4000];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sql, sizeof(sql), fmt, ap);
	va_end(ap);
	int rc = teststore_exec(&sc.ts, sql);
	if (rc)
		fail_msg("%s: %s", sql, sc.ts.err.text);
}
static int64_t scene_i64(const char *fmt, ...) PRINTF_LIKE(1, 2);
static int64_t scene_i64(const char *fmt, ...)
{
	char sql[4000];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sql, sizeof(sql), fmt, ap);
	va_end(ap);
	return teststore_i64(&sc.ts, sql);
}

/* Lanes: 1 mail/relay/"" 2 mail/relay/gmail 3 sms/gate/"" */
__attribute__((unused)) static void scene_open(uint64_t seed)
{
	memset(&sc, 0, sizeof(sc));
	testenv_init(&sc.te, seed);
	sc.ts.env = &sc.te.env;
	assert_int_equal(teststore_make(&sc.ts), 0);
	sc.ts.opts.free_floor_bytes = 64 << 20;
	assert_int_equal(teststore_start(&sc.ts), 0);
	scene_conf();
	fake_init(&sc.te.env);
	for (int i = 0; i < 2; i++) {
		fake.ch[i].conf = &sc.ch[i];
		fake.ch[i].caps = LT_CAP_INTENT_AT_START | LT_CAP_RECONCILE | LT_CAP_RECEIPTS |
			LT_CAP_SHARED_SESSION;
		for (int k = 0; k < FAKE_ACCOUNTS; k++)
			fake.ch[i].account[k].room = 64;
	}
	fake.n_ch = 2;
	sc.next_delivery = sc.next_contact = sc.next_lot = 1;
	scene_exec("INSERT INTO vars(hash, json) VALUES (x'00', '{}')");
	scene_exec(
		"INSERT INTO office(id, code, parent_id, depth, ord, region, lang, vars_hash) VALUES "
		"(1,'trung-uong',NULL,0,'0','trung-uong','vi',x'00')");
	scene_exec(
		"INSERT INTO office(id, code, parent_id, depth, ord, region, lang, vars_hash) VALUES "
		"(2,'ha-noi',1,1,'1','bac','vi',x'00')");
	scene_dispatch();
	scene_settle();
}

/* After a change of sc.conf. */
__attribute__((unused)) static void scene_reload(void)
{
	struct err e = { 0 };

	assert_int_equal(dispatch_reload(sc.d, &sc.conf, (struct channels *)&fake, &e), 0);
	scene_settle();
}

__attribute__((unused)) static void scene_start(void)
{
	dispatch_start(sc.d);
	scene_settle();
}

__attribute__((unused)) static void scene_release(int64_t id, int prio, int category)
{
	scene_exec(
		"INSERT INTO release(id, year, code, state, rev_newest, rev_approved, prio, category, "
		"kind, title) VALUES (%lld, 2026, 'R%lld', 2, 1, 1, %d, %d, 1, 't')",
		(long long)id, (long long)id, prio, category);
	scene_exec("INSERT INTO manifest(hash, release_id, rev, format, body, made) VALUES "
		   "(cast(printf('%%032d', %lld) as blob), %lld, 1, 1, x'00', 0)",
		(long long)id, (long long)id);
	scene_exec("INSERT INTO approval(manifest, step, person, via, kind, at, mac) VALUES "
		   "(cast(printf('%%032d', %lld) as blob), 0, 'an', 'uid:1', 0, 0, x'00')",
		(long long)id);
}

/* n deliveries to n new contacts; returns the lot. */
__attribute__((unused)) static int64_t scene_lot(
	int64_t release, int part, int64_t lane, int64_t office, int n)
{
	int64_t lot = sc.next_lot++, now = env_wall(&sc.te.env);

	scene_exec(
		"INSERT INTO lot(id, release_id, part, lane_id, office_id, manifest, gate, prio, at, "
		"expires, n0) SELECT %lld, %lld, %d, %lld, %lld, cast(printf('%%032d', %lld) as "
		"blob), 1, prio, %lld, %lld, %d FROM release WHERE id=%lld",
		(long long)lot, (long long)release, part, (long long)lane, (long long)office,
		(long long)release, (long long)now, (long long)(now + 48 * HR_MS), n,
		(long long)release);
	scene_exec(
		"WITH RECURSIVE k(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM k WHERE i<%d-1) INSERT "
		"INTO contact(id, kind, address, form, class) SELECT %lld+i, 1, 'a' || (%lld+i) || "
		"'@x.example', 'mailbox', '' FROM k",
		n, (long long)sc.next_contact, (long long)sc.next_contact);
	scene_exec(
		"WITH RECURSIVE k(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM k WHERE i<%d-1) INSERT "
		"INTO target(id, contact_id, lane_id, office_id, lang, flags, seen_import) SELECT "
		"%lld+i, %lld+i, %lld, %lld, 'vi', 0, 1 FROM k",
		n, (long long)sc.next_contact, (long long)sc.next_contact, (long long)lane,
		(long long)office);
	scene_exec(
		"WITH RECURSIVE k(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM k WHERE i<%d-1) INSERT "
		"INTO delivery(id, lot_id, contact_id, once, state, tries, due, target_id) SELECT "
		"%lld+i, %lld, %lld+i, %lld, 0, 0, 0, %lld+i FROM k",
		n, (long long)sc.next_delivery, (long long)lot, (long long)sc.next_contact,
		(long long)dlv_once(release, 0, KIND_EMAIL), (long long)sc.next_contact);
	sc.next_delivery += n;
	sc.next_contact += n;
	dispatch_scan(sc.d);
	return lot;
}

__attribute__((unused)) static int64_t scene_state(int state)
{
	return scene_i64("SELECT count(*) FROM delivery WHERE state=%d", state);
}

/* Counters equal rows: what fsck says, at any moment that is committed. */
__attribute__((unused)) static void scene_check(void)
{
	for (int s = 0; s < DLV_STATES; s++) {
		int64_t rows = scene_state(s);
		assert_int_equal(scene_i64("SELECT coalesce(sum(n%d),0) FROM lot", s), rows);
		assert_int_equal(
			scene_i64("SELECT count(*) FROM lot l WHERE n%d <> (SELECT count(*) FROM "
				  "delivery d WHERE d.lot_id=l.id AND d.state=%d)",
				s, s),
			0);
	}
	assert_int_equal(
		scene_i64(
			"SELECT count(*) FROM lot WHERE min(n0,n1,n2,n3,n4,n5,n6,n7,n8,n9,n10)<0"),
		0);
}

/* As kill -9: what was not committed is gone. */
__attribute__((unused)) static void scene_crash(void)
{
	fake_crash();
	teststore_kill(&sc.ts);
	dispatch_free(sc.d);
	sc.d = NULL;
	sc.te.done.next = sc.te.done.prev = &sc.te.done;
	assert_int_equal(teststore_start(&sc.ts), 0);
}

__attribute__((unused)) static void scene_restart(void)
{
	scene_dispatch();
	scene_settle();
	dispatch_start(sc.d);
	scene_settle();
}

static bool scene_stopped;
static void scene_on_stopped(void *ctx)
{
	UNUSED(ctx);
	scene_stopped = true;
}

__attribute__((unused)) static void scene_close(void)
{
	if (sc.d) {
		scene_stopped = false;
		dispatch_stop(sc.d, scene_on_stopped, NULL);
		scene_run(120000);
		assert_true(scene_stopped);
		assert_int_equal(scene_state(DLV_SENDING), 0);
		scene_check();
		dispatch_free(sc.d);
	}
	fake_done();
	teststore_close(&sc.ts);
	testenv_done(&sc.te);
}

#endif
