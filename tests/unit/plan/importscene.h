/* importscene.h - a store on virtual time, a configuration with one mail channel, and an import from a file to its answer.
 *   run_path(what, path, name, dry) / run_z(what, name, text);  then assert_counts(), assert_problem(), got("key").
 */
#ifndef LANTOA_TESTS_PLAN_IMPORTSCENE_H
#define LANTOA_TESTS_PLAN_IMPORTSCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/assert.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"
#include "lib/testenv.h"
#include "lib/teststore.h"
#include "plan/import.h"
#include "store/store_import.h"
#include "store/store_internal.h"

#define EXAMPLES  "config/examples/"
#define HEAD      "channel,address,office,name,lang,tags\n" /* of targets */
#define CONF_LIFE 0x434f4e46u                               /* as conf.c marks its own */

static struct testenv te;
static struct teststore ts;
static struct conf conf;
static struct conf_channel mail, *channels[1];
static struct conf_account relay, *accounts[1];
static struct conf_route routes[1];
static int answers, answer_rc;
static struct err answer_err;
static cJSON *answer;
static const char *bound;

/* Lower-cases, wants an @; class by the domain's last label. */
static inline int address(void *ctx, struct channels *cs, const char *channel, struct str in,
	struct addr_out *ret, struct err *e)
{
	UNUSED(ctx);
	UNUSED(cs);
	UNUSED(channel);
	*ret = (struct addr_out){ .class = "other", .form = "mailbox" };
	if (!memchr(in.p, '@', in.n))
		return err_set(e, -EINVAL, "no @ in the address");
	str_copy(ret->canonical, sizeof(ret->canonical), in);
	for (char *p = ret->canonical; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + 32);
	if (strstr(ret->canonical, "gmail"))
		str_copy(ret->class, sizeof(ret->class), STR("gmail"));
	return 0;
}

static inline int setup(void **state)
{
	(void)state;
	testenv_init(&te, 1);
	ts.env = &te.env;
	assert_int_equal(teststore_open(&ts), 0);
	relay = (struct conf_account){ .name = (char *)(uintptr_t) "relay" };
	accounts[0] = &relay;
	mail = (struct conf_channel){ .name = (char *)(uintptr_t) "mail",
		.adapter = (char *)(uintptr_t) "email",
		.kind = KIND_EMAIL,
		.accounts = accounts,
		.n_accounts = 1 };
	channels[0] = &mail;
	routes[0] = (struct conf_route){
		.kind = KIND_EMAIL, .channel = mail.name, .account = relay.name
	};
	conf = (struct conf){ .magic = CONF_LIFE,
		.refs = 1000,
		.zone = { .offset_s = 7 * 3600 },
		.channels = channels,
		.n_channels = 1,
		.routes = routes,
		.n_routes = 1 };
	bound = NULL;
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	fault_clear();
	cJSON_Delete(answer);
	answer = NULL;
	teststore_close(&ts);
	testenv_done(&te);
	return 0;
}

static inline void on_done(void *ctx, int rc, const struct err *e, cJSON *result)
{
	UNUSED(ctx);
	answers++;
	answer_rc = rc;
	answer_err = *e;
	cJSON_Delete(answer);
	answer = result;
}

static inline struct import_opts opts(void)
{
	return (struct import_opts){
		.env = &te.env, .store = ts.s, .conf = &conf, .address = address
	};
}

static inline void pump(void)
{
	for (int i = 0; i < 20000 && answers == 0; i++) {
		testenv_settle(&te);
		size_t ran = store_run(ts.s);
		if (ran + store_complete(ts.s) == 0)
			testenv_advance(&te, 100);
	}
}

static inline int run_path(enum import_what what, const char *path, const char *name, bool dry)
{
	const struct staged s = { .path = path, .name = name };
	const struct actor who = {
		.person = "Lê Vận Hành", .via = "uid:1", .office = bound, .roles = ROLE_OPERATOR
	};
	struct import_opts o = opts();
	answers = 0;
	import_run(&o, what, &s, &who, dry, on_done, NULL);
	pump();
	assert_int_equal(answers, 1);
	return answer_rc;
}

static inline int run_text(enum import_what what, const char *name, const char *text, size_t n)
{
	char path[400];
	struct err e;
	(void)snprintf(path, sizeof(path), "%s/up-1", store_staging_dir(ts.s));
	assert_int_equal(file_write_durable(path, (struct str){ text, n }, 0600, &e), 0);
	int rc = run_path(what, path, name, false);
	(void)unlink(path);
	return rc;
}

static inline int run_z(enum import_what what, const char *name, const char *text)
{
	return run_text(what, name, text, strlen(text));
}

static inline void samples(void)
{
	assert_int_equal(
		run_path(IMPORT_WHAT_OFFICES, EXAMPLES "offices.csv", "offices.csv", false), 0);
	assert_int_equal(
		run_path(IMPORT_WHAT_TARGETS, EXAMPLES "targets.csv", "targets.csv", false), 0);
	assert_int_equal(
		run_path(IMPORT_WHAT_AUDIENCES, EXAMPLES "audiences.yaml", "audiences.yaml", false),
		0);
	assert_int_equal(
		run_path(IMPORT_WHAT_CAMPAIGNS, EXAMPLES "campaigns.yaml", "campaigns.yaml", false),
		0);
}

static inline int64_t got(const char *key)
{
	return json_i64(answer, key, -1);
}

static inline void assert_counts(int64_t added, int64_t changed, int64_t gone)
{
	assert_int_equal(got("added"), added);
	assert_int_equal(got("changed"), changed);
	assert_int_equal(got("gone"), gone);
}

/* The first problem whose text holds `part`; fails without. */
static inline const cJSON *problem(const char *part)
{
	const cJSON *list = json_get(answer, "problems");
	for (const cJSON *it = list ? list->child : NULL; it; it = it->next)
		if (strstr(json_z(it, "text", ""), part))
			return it;
	char *text = json_print(answer);
	print_error("no problem with '%s' in %s\n", part, text);
	free(text);
	fail();
	return NULL;
}

static inline void assert_problem(int line, const char *field, const char *part)
{
	assert_int_equal(answer_rc, -EBADMSG);
	const cJSON *p = problem(part);
	assert_int_equal(json_i64(p, "line", -1), line);
	if (field)
		assert_string_equal(json_z(p, "field", ""), field);
}

/* Every row of every table, hashed. */
static inline void digest(struct hash *ret)
{
	struct store_reader *r = teststore_reader(&ts);
	struct hasher h;
	sqlite3_stmt *t, *q;
	hasher_init(&h);
	assert_int_equal(
		db_prepare(reader_db(r),
			"SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite%' ORDER BY name",
			&t),
		0);
	while (sqlite3_step(t) == SQLITE_ROW) {
		char sql[200];
		(void)snprintf(sql, sizeof(sql), "SELECT * FROM \"%s\"", col_z(t, 0));
		assert_int_equal(db_prepare(reader_db(r), sql, &q), 0);
		while (sqlite3_step(q) == SQLITE_ROW)
			for (int i = 0; i < sqlite3_column_count(q); i++) {
				struct str v = col_blob(q, i);
				hasher_field(&h, v.p ? v.p : "", v.n);
			}
		sqlite3_finalize(q);
	}
	sqlite3_finalize(t);
	hasher_end(&h, ret);
	teststore_reader_end(&ts, r);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
