/* test_import.c - imports end to end on a real store and virtual time: the samples, every refusal, crashes between chunks. */
#include <dirent.h>
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
#include "store/store_forget.h"
#include "store/store_import.h"
#include "store/store_internal.h"
#include "store/store_office.h"

#ifdef LANTOA_FAULTS
#define NEED_FAULTS() ((void)0)
#else /* fault points are compiled out of release builds: these tests have nothing to break there */
#define NEED_FAULTS()                   skip()
#define fault_set(name, skipped, times) ((void)0)
#define fault_clear()                   ((void)0)
#endif
#define EXAMPLES  "config/examples/"
#define CONF_LIFE 0x434f4e46u /* as conf.c marks its own */

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
static int address(void *ctx, struct channels *cs, const char *channel, struct str in,
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

static int setup(void **state)
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

static int teardown(void **state)
{
	(void)state;
	fault_clear();
	cJSON_Delete(answer);
	answer = NULL;
	teststore_close(&ts);
	testenv_done(&te);
	return 0;
}

static void on_done(void *ctx, int rc, const struct err *e, cJSON *result)
{
	UNUSED(ctx);
	answers++;
	answer_rc = rc;
	answer_err = *e;
	cJSON_Delete(answer);
	answer = result;
}

static struct import_opts opts(void)
{
	return (struct import_opts){
		.env = &te.env, .store = ts.s, .conf = &conf, .address = address
	};
}

static void pump(void)
{
	for (int i = 0; i < 20000 && answers == 0; i++) {
		testenv_settle(&te);
		size_t ran = store_run(ts.s);
		if (ran + store_complete(ts.s) == 0)
			testenv_advance(&te, 100);
	}
}

static int run_path(enum import_what what, const char *path, const char *name, bool dry)
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

static int run_text(enum import_what what, const char *name, const char *text, size_t n)
{
	char path[400];
	struct err e;
	(void)snprintf(path, sizeof(path), "%s/up-1", store_staging_dir(ts.s));
	assert_int_equal(file_write_durable(path, (struct str){ text, n }, 0600, &e), 0);
	int rc = run_path(what, path, name, false);
	(void)unlink(path);
	return rc;
}

static int run_z(enum import_what what, const char *name, const char *text)
{
	return run_text(what, name, text, strlen(text));
}

static void samples(void)
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

static int64_t got(const char *key)
{
	return json_i64(answer, key, -1);
}

static void assert_counts(int64_t added, int64_t changed, int64_t gone)
{
	assert_int_equal(got("added"), added);
	assert_int_equal(got("changed"), changed);
	assert_int_equal(got("gone"), gone);
}

/* The first problem whose text holds `part`; fails without. */
static const cJSON *problem(const char *part)
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

static void assert_problem(int line, const char *field, const char *part)
{
	assert_int_equal(answer_rc, -EBADMSG);
	const cJSON *p = problem(part);
	assert_int_equal(json_i64(p, "line", -1), line);
	if (field)
		assert_string_equal(json_z(p, "field", ""), field);
}

/* Every row of every table, hashed. */
static void digest(struct hash *ret)
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

/* --- the samples -------------------------------------------------------------------------------------------------------------------- */

static void the_samples_are_36_offices_and_179_targets(void **state)
{
	(void)state;
	samples();
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM office"), 36);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM target"), 179);
	assert_int_equal(
		teststore_i64(&ts, "SELECT count(*) FROM target WHERE lane_id IS NOT NULL"), 73);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM target t JOIN contact c ON c.id=t.contact_id WHERE c.kind=4"),
		36);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM target WHERE flags&2"), 1);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM audience"), 6);
	assert_int_equal(
		teststore_i64(&ts, "SELECT last-first FROM campaign"), 47LL * 86400000 - 1);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM job"), 0);
	assert_int_equal(
		teststore_i64(&ts, "SELECT depth FROM office WHERE code='dien-bien-muong-ang'"), 2);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM target_tag x JOIN tag g ON g.id=x.tag_id WHERE g.name='press'"),
		37);
	char *hotline = teststore_text(&ts,
		"SELECT json_extract(v.json,'$.hotline') FROM office o JOIN vars v ON v.hash=o.vars_hash WHERE o.code='ha-noi'");
	assert_string_equal(hotline, "0200 000 001");
	free(hotline);
}

static void kinds_without_a_channel_are_taken_and_warned_of(void **state)
{
	(void)state;
	assert_int_equal(
		run_path(IMPORT_WHAT_OFFICES, EXAMPLES "offices.csv", "offices.csv", false), 0);
	assert_int_equal(
		run_path(IMPORT_WHAT_TARGETS, EXAMPLES "targets.csv", "targets.csv", false), 0);
	char *text = json_print(json_get(answer, "warnings"));
	assert_non_null(strstr(text, "no channel for zalo yet: 36 targets wait for a route"));
	free(text);
}

static void importing_again_changes_nothing(void **state)
{
	(void)state;
	samples();
	assert_int_equal(
		run_path(IMPORT_WHAT_OFFICES, EXAMPLES "offices.csv", "offices.csv", false), 0);
	assert_counts(0, 0, 0);
	assert_int_equal(
		run_path(IMPORT_WHAT_TARGETS, EXAMPLES "targets.csv", "targets.csv", false), 0);
	assert_counts(0, 0, 0);
	assert_int_equal(got("rows"), 179);
	assert_int_equal(
		run_path(IMPORT_WHAT_AUDIENCES, EXAMPLES "audiences.yaml", "audiences.yaml", false),
		0);
	assert_counts(0, 0, 0);
	assert_int_equal(
		run_path(IMPORT_WHAT_CAMPAIGNS, EXAMPLES "campaigns.yaml", "campaigns.yaml", false),
		0);
	assert_counts(0, 0, 0);
}

/* The sample with one text replaced. */
static char *edited(const char *path, const char *from, const char *to)
{
	struct buf b CLEANUP_BUF;
	struct err e;
	buf_init(&b, 1u << 20);
	assert_int_equal(file_read(path, &b, &e), 0);
	const char *at = strstr(buf_z(&b), from);
	assert_non_null(at);
	size_t n = (size_t)(at - b.p);
	char *ret = malloc(b.n + strlen(to) + 1);
	assert_non_null(ret);
	memcpy(ret, b.p, n);
	memcpy(ret + n, to, strlen(to));
	memcpy(ret + n + strlen(to), at + strlen(from), b.n - n - strlen(from) + 1);
	return ret;
}

static void a_changed_hotline_is_one_change_and_a_missing_line_is_gone(void **state)
{
	(void)state;
	samples();
	char *text = edited(EXAMPLES "offices.csv", "0200 000 001", "0200 999 999");
	assert_int_equal(run_z(IMPORT_WHAT_OFFICES, "offices.csv", text), 0);
	free(text);
	assert_counts(0, 1, 0);
	text = edited(EXAMPLES "targets.csv",
		"email,news@foreign-press.example,trung-uong,Foreign press,en,press\r\n", "");
	assert_int_equal(run_z(IMPORT_WHAT_TARGETS, "targets.csv", text), 0);
	free(text);
	assert_counts(0, 0, 1);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM target WHERE flags&1"), 1);
	assert_int_equal(
		run_path(IMPORT_WHAT_TARGETS, EXAMPLES "targets.csv", "targets.csv", false), 0);
	assert_counts(1, 0, 0);
	assert_int_equal(run_z(IMPORT_WHAT_TARGETS, "subscribers.csv",
				 "channel,address,office\nemail,x@example.com,ha-noi\n"),
		0);
	assert_counts(1, 0, 0); /* another file: nothing of the first one is gone */
}

static void a_dry_run_counts_and_stores_nothing(void **state)
{
	(void)state;
	struct hash a, b;
	digest(&a);
	assert_int_equal(
		run_path(IMPORT_WHAT_OFFICES, EXAMPLES "offices.csv", "offices.csv", true), 0);
	assert_counts(36, 0, 0);
	digest(&b);
	assert_int_equal(hash_cmp(&a, &b), 0);
}

/* --- refusals ------------------------------------------------------------------------------------------------------------------------ */

#define HEAD   "channel,address,office,name,lang,tags\n"
#define O_HEAD "code,parent,order,name,region\n"

static void every_bad_row_of_targets_is_told_and_nothing_is_stored(void **state)
{
	(void)state;
	struct hash a, b;
	samples();
	digest(&a);
	assert_int_equal(
		run_z(IMPORT_WHAT_TARGETS, "t.csv",
			HEAD
			"email,a@x.example,ha-noi,,,\nemail,b@x.example,ha-noy,,,\nemial,c@x.example,ha-noi,,,\n"
			"email,nobody,ha-noi,,,\nemail,d@x.example,ha-noi,,Vietnamese language,\nemail,e@x.example\n"
			"email,A@x.example,ha-noi,,,\n"),
		-EBADMSG);
	assert_problem(3, "office", "there is no office 'ha-noy'; did you mean 'ha-noi'?");
	assert_problem(4, "channel", "'emial' is no kind of channel; did you mean email");
	assert_problem(5, "address", "no @ in the address");
	assert_problem(6, "lang", "is no language");
	assert_problem(7, "", "2 columns, the first line has 6");
	assert_int_equal(
		run_z(IMPORT_WHAT_TARGETS, "t.csv",
			HEAD
			"email,a@x.example,ha-noi,,,\nemail,b@x.example,ha-noi,,,\nemail,A@x.example,ha-noi,,,\n"),
		-EBADMSG);
	assert_problem(4, "address", "stands in line 2 already");
	assert_int_equal(run_z(IMPORT_WHAT_TARGETS, "t.csv",
				 "channel,adress,office\nemail,a@x.example,ha-noi\n"),
		-EBADMSG);
	assert_problem(1, "adress", "did you mean 'address'?");
	assert_int_equal(
		run_z(IMPORT_WHAT_TARGETS, "t.csv", HEAD "email,\xff\xfe@x.example,ha-noi,,,\n"),
		-EBADMSG);
	assert_problem(2, NULL, "broken UTF-8");
	assert_int_equal(run_z(IMPORT_WHAT_TARGETS, "t.csv", ""), -EBADMSG);
	assert_problem(1, NULL, "the file is empty");
	assert_int_equal(
		run_z(IMPORT_WHAT_TARGETS, "t.csv", "channel;address;office\nemail;a@x;ha-noi\n"),
		-EBADMSG);
	assert_problem(1, NULL, "commas, not semicolons");
	digest(&b);
	assert_int_equal(hash_cmp(&a, &b), 0);
	DIR *d = opendir(store_staging_dir(ts.s));
	assert_non_null(d);
	for (const struct dirent *it; (it = readdir(d)) != NULL;)
		assert_true(strncmp(it->d_name, "import-", 7) != 0);
	closedir(d);
}

static void a_megabyte_line_is_refused_whole(void **state)
{
	(void)state;
	struct hash a, b;
	size_t n = (1u << 20) + 100;
	char *text = malloc(n);
	assert_non_null(text);
	memset(text, 'a', n);
	memcpy(text, HEAD, strlen(HEAD));
	text[n - 1] = '\n';
	samples();
	digest(&a);
	assert_int_equal(run_text(IMPORT_WHAT_TARGETS, "t.csv", text, n), -EBADMSG);
	free(text);
	assert_problem(2, NULL, "the line is over 64 KB");
	digest(&b);
	assert_int_equal(hash_cmp(&a, &b), 0);
}

static void bom_and_crlf_are_accepted(void **state)
{
	(void)state;
	assert_int_equal(
		run_z(IMPORT_WHAT_OFFICES, "o.csv",
			"\xef\xbb\xbf"
			"code,parent,order,name,region,hotline\r\nroot,,0,Trung ương,tw,1900\r\nx,root,1,\"X, tỉnh\",bac,\r\n"),
		0);
	assert_counts(2, 0, 0);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT json_extract(json,'$.hotline') IS NULL FROM vars v JOIN office o ON o.vars_hash=v.hash WHERE code='x'"),
		1);
}

static void trees_that_are_none_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *rows, *field, *part;
		int line;
	} cases[] = {
		{ "a,,0,A,tw\nb,zz,1,B,bac\n", "parent", "there is no office 'zz' in the file", 3 },
		{ "a,,0,A,tw\nb,c,1,B,bac\nc,b,2,C,bac\n", "parent", "a circle", 4 },
		{ "a,,0,A,tw\na,,1,B,bac\n", "code", "'a' stands in line 2 already", 3 },
		{ "a,,0,A,tw\nb,,1,B,bac\n", "parent", "a tree has one", 3 },
		{ "a,a,0,A,tw\n", "parent", "stands above itself", 2 },
		{ "A b,,0,A,tw\n", "code", "is no code", 2 },
		{ "a,,0,,tw\n", "name", "has no name", 2 },
	};
	struct hash a, b;
	digest(&a);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[300];
		(void)snprintf(text, sizeof(text), O_HEAD "%s", cases[i].rows);
		assert_int_equal(run_z(IMPORT_WHAT_OFFICES, "o.csv", text), -EBADMSG);
		assert_problem(cases[i].line, cases[i].field, cases[i].part);
	}
	assert_int_equal(
		run_z(IMPORT_WHAT_OFFICES, "o.csv", "code,parnet,order,name,region\na,,0,A,tw\n"),
		-EBADMSG);
	assert_problem(1, "parnet", "did you mean 'parent'?");
	digest(&b);
	assert_int_equal(hash_cmp(&a, &b), 0);
}

static void audiences_name_what_nobody_has(void **state)
{
	(void)state;
	samples();
	assert_int_equal(
		run_z(IMPORT_WHAT_AUDIENCES, "a.yaml",
			"x: {name: X, any: [{region: bca}]}\ny: {name: Y, any: [{ofice: ha-noi}]}\nz: {name: Z}\n"),
		-EBADMSG);
	assert_problem(1, "x", "unknown region 'bca'");
	assert_problem(2, "y", "unknown key 'ofice'; did you mean 'office'?");
	assert_problem(3, "z", "broad: true");
	assert_int_equal(run_z(IMPORT_WHAT_AUDIENCES, "a.yaml",
				 "x: {name: X, any: [{tag: new-tag}]}\nall: {broad: true}\n"),
		0);
	assert_counts(2, 0, 6);
	char *text = json_print(json_get(answer, "warnings"));
	assert_non_null(strstr(text, "nothing has tag 'new-tag' yet"));
	free(text);
	assert_int_equal(run_z(IMPORT_WHAT_CAMPAIGNS, "c.yaml",
				 "x: {name: X, from: 2026-12-05, to: 2026-10-20}\n"),
		-EBADMSG);
	assert_problem(1, "x", "ends before it begins");
}

static void yaml_is_read_like_csv(void **state)
{
	(void)state;
	assert_int_equal(
		run_z(IMPORT_WHAT_OFFICES, "o.yaml",
			"tw: {parent: '', name: Trung ương, region: tw}\nhn: {parent: tw, name: Ha\xcc\x80 No\xcc\xa3\xcc\x82i, region: bac, hotline: '1'}\n"),
		0);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM office o JOIN vars v ON v.hash=o.vars_hash WHERE o.code='hn' AND v.json LIKE '%Hà Nội%'"),
		1);
	assert_counts(2, 0, 0);
	assert_int_equal(
		run_z(IMPORT_WHAT_TARGETS, "t.yaml",
			"- {channel: email, address: A@x.example, office: hn, tags: [press, duty], lists: [tin]}\n"),
		0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM target_tag"), 2);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM list_target"), 1);
}

static void a_person_of_an_office_brings_only_its_own(void **state)
{
	(void)state;
	samples();
	bound = "dien-bien";
	assert_int_equal(run_z(IMPORT_WHAT_TARGETS, "t.csv", HEAD "email,a@x.example,ha-noi,,,\n"),
		-EBADMSG);
	assert_problem(2, "office", "is not yours");
	assert_int_equal(run_z(IMPORT_WHAT_TARGETS, "targets.csv",
				 HEAD "email,a@x.example,dien-bien-muong-ang,,,\n"),
		0);
	assert_int_equal(got("added"), 1);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM target t JOIN office o ON o.id=t.office_id WHERE t.flags&1 AND o.code NOT LIKE 'dien-bien%'"),
		0);
	assert_true(got("gone") > 0);
}

static void suppressions_are_kept_by_hash_only(void **state)
{
	(void)state;
	assert_int_equal(run_z(IMPORT_WHAT_SUPPRESSION, "s.csv",
				 "address,kind,reason\nGone@x.example,email,hard\n"),
		0);
	assert_counts(1, 0, 0);
	struct hash who;
	char hex[HASH_HEX], sql[200];
	store_who(ts.s, KIND_EMAIL, STR("gone@x.example"), &who);
	hash_hex(&who, hex);
	(void)snprintf(
		sql, sizeof(sql), "SELECT reason FROM suppression WHERE hex(who)=upper('%s')", hex);
	assert_int_equal(teststore_i64(&ts, sql), SUP_HARD);
	assert_int_equal(run_z(IMPORT_WHAT_SUPPRESSION, "s.csv",
				 "address,kind,reason\nGone@x.example,email,hard\n"),
		0);
	assert_counts(0, 0, 0);
	assert_int_equal(run_z(IMPORT_WHAT_SUPPRESSION, "s.csv",
				 "address,kind,reason\nx@x.example,email,because\n"),
		-EBADMSG);
	assert_problem(2, "reason", "is no reason");
}

static void the_register_of_refusals_stops_advertising_only(void **state)
{
	(void)state;
	assert_int_equal(
		run_z(IMPORT_WHAT_DO_NOT_CALL, "dnc.csv", "address\n+84912345678\n+84912345679\n"),
		0);
	assert_counts(2, 0, 0);
	assert_int_equal(teststore_i64(&ts,
				 "SELECT count(*) FROM suppression WHERE list='" SUPPRESS_ADS
				 "' AND reason=7"),
		2);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM suppression WHERE list=''"), 0);
	assert_int_equal(run_z(IMPORT_WHAT_DO_NOT_CALL, "dnc.csv",
				 "address,kind\nA@x.example,email\n+84912345678,\n"),
		0);
	assert_counts(1, 0, 0);
	assert_int_equal(run_z(IMPORT_WHAT_DO_NOT_CALL, "dnc.csv", "address\n\xff\n"), -EBADMSG);
	assert_int_equal(
		run_z(IMPORT_WHAT_DO_NOT_CALL, "dnc.csv", "phone\n+84912345678\n"), -EBADMSG);
}

/* --- crashes ---------------------------------------------------------------------------------------------------------------------------- */

#define MANY 20000

static char *many(size_t *ret_n)
{
	struct buf b;
	buf_init(&b, 4u << 20);
	buf_addz(&b, HEAD);
	for (int i = 0; i < MANY; i++)
		buf_addf(&b, "email,user%05d@gmail.example,ha-noi,Người %d,,list%d\n", i, i, i % 3);
	return buf_take(&b, ret_n);
}

/* Killed after n turns of the store, opened again, gone on: the whole file is there, once. */
static void crash_after(int turns, bool lose_stage)
{
	size_t n;
	char *text = many(&n), path[400];
	struct err e;
	const struct actor who = { .person = "x", .via = "uid:1" };
	struct import_opts o;
	samples();
	(void)snprintf(path, sizeof(path), "%s/up-1", store_staging_dir(ts.s));
	assert_int_equal(file_write_durable(path, (struct str){ text, n }, 0600, &e), 0);
	free(text);
	const struct staged s = { .path = path, .name = "many.csv" };
	o = opts();
	answers = 0;
	import_run(&o, IMPORT_WHAT_TARGETS, &s, &who, false, on_done, NULL);
	for (int i = 0; i < turns && answers == 0;) {
		testenv_settle(&te);
		te.mono += 1; /* so that chunks see time pass */
		i += store_run(ts.s) > 0;
		(void)store_complete(ts.s);
	}
	bool finished = answers > 0;
	fault_set("import.chunk", 0, 1);
	if (!finished) { /* what is under way ends here: the importer gives up, its job stays */
		pump();
		assert_int_equal(answers, 1);
		assert_true(answer_rc < 0);
	}
	fault_clear();
	teststore_kill(&ts);
	assert_int_equal(teststore_start(&ts), 0);
	if (lose_stage) {
		char sub[400];
		char *name = teststore_text(&ts, "SELECT arg FROM job WHERE kind=2");
		assert_non_null(name);
		(void)snprintf(sub, sizeof(sub), "%s/%s", store_staging_dir(ts.s), name);
		free(name);
		assert_int_equal(unlink(sub), 0);
	}
	o = opts();
	answers = 0;
	import_start(&o, on_done, NULL);
	pump();
	assert_int_equal(answers, 1);
	assert_int_equal(answer_rc, 0);
	assert_int_equal(access(path, F_OK), -1); /* the upload of the run that was cut */
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM job"), 0);
	assert_int_equal(
		teststore_i64(&ts, "SELECT count(*) FROM target"), lose_stage ? 179 : 179 + MANY);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM target_tag x JOIN tag g ON g.id=x.tag_id WHERE g.name LIKE 'list%'"),
		lose_stage ? 0 : MANY);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM contact"),
		teststore_i64(&ts, "SELECT count(DISTINCT contact_id) FROM target"));
}

static void an_import_that_was_cut_goes_on_after_a_restart(void **state)
{
	(void)state;
	NEED_FAULTS();
	crash_after(2, false);
}

static void an_import_whose_staging_file_is_gone_is_taken_back(void **state)
{
	(void)state;
	NEED_FAULTS();
	crash_after(2, true);
}

static void a_disk_that_is_full_is_waited_for(void **state)
{
	(void)state;
	NEED_FAULTS();
	size_t n;
	char *text = many(&n);
	samples();
	fault_set("store.full", 2, 2);
	assert_int_equal(run_text(IMPORT_WHAT_TARGETS, "many.csv", text, n), 0);
	free(text);
	assert_counts(MANY, 0, 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM target"), 179 + MANY);
}

/* --- routes, merges, forgetting ----------------------------------------------------------------------------------------------------------- */

static void a_new_route_gives_waiting_targets_a_lane(void **state)
{
	(void)state;
	conf.n_routes = 0;
	samples();
	assert_int_equal(
		teststore_i64(&ts, "SELECT count(*) FROM target WHERE lane_id IS NOT NULL"), 0);
	conf.n_routes = 1;
	struct import_opts o = opts();
	answers = 0;
	import_reroute(&o, on_done, NULL);
	pump();
	assert_int_equal(answer_rc, 0);
	assert_int_equal(got("changed"), 73);
	assert_int_equal(
		teststore_i64(&ts, "SELECT count(*) FROM target WHERE lane_id IS NOT NULL"), 73);
	answers = 0;
	import_reroute(&o, on_done, NULL);
	pump();
	assert_int_equal(got("changed"), 0);
}

static void a_merged_office_hands_its_targets_over_on_the_day(void **state)
{
	(void)state;
	samples();
	struct office_merge m = { .old = "dien-bien-muong-ang",
		.into = "dien-bien",
		.person = "x",
		.via = "uid:1",
		.on = te.wall + 1000 };
	office_merge_prepare(&m);
	assert_int_equal(teststore_do(&ts, &m.cmd), 0);
	struct office_settle s = { .more = false };
	office_settle_prepare(&s);
	assert_int_equal(teststore_do(&ts, &s.cmd), 0);
	assert_int_equal(s.ret_moved, 0);
	te.wall += 2000;
	struct import_opts o = opts();
	answers = 0;
	import_start(&o, on_done, NULL);
	pump();
	assert_int_equal(answer_rc, 0);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM target t JOIN office o ON o.id=t.office_id WHERE o.code='dien-bien-muong-ang'"),
		0);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM target t JOIN office o ON o.id=t.office_id JOIN contact c ON c.id=t.contact_id WHERE "
			"o.code='dien-bien' AND c.address='muongang@dien-bien.bhxh.example'"),
		1);
	struct office_merge bad = { .old = "dien-bien",
		.into = "dien-bien-muong-ang",
		.person = "x",
		.via = "uid:1",
		.on = 1 };
	office_merge_prepare(&bad);
	assert_true(teststore_do(&ts, &bad.cmd) < 0);
}

static void a_forgotten_address_is_in_no_file_any_more(void **state)
{
	(void)state;
	char places[4][256];
	const char *address_z = "baochi@ha-noi.press.example";
	samples();
	assert_true(forget_places(ts.s, str_of(address_z), places, 4) > 0);
	struct forget_cmd c = { .n = 1, .person = "x", .via = "uid:1", .why = "asked" };
	c.v[0].kind = KIND_EMAIL;
	str_copy(c.v[0].address, sizeof(c.v[0].address), str_of(address_z));
	forget_prepare(&c);
	assert_int_equal(teststore_do(&ts, &c.cmd), 0);
	assert_int_equal(c.ret_contacts, 1);
	assert_int_equal(c.ret_targets, 1);
	for (int i = 0; i < 50 && forget_places(ts.s, str_of(address_z), places, 4) > 0; i++)
		teststore_drain(&ts);
	size_t left = forget_places(ts.s, str_of(address_z), places, 4);
	if (left)
		print_error("left in %s\n", places[0]);
	assert_int_equal(left, 0);
	assert_int_equal(
		teststore_i64(&ts, "SELECT count(*) FROM contact WHERE address LIKE 'forgotten:%'"),
		1);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM audit WHERE what='targets.forget' AND subject LIKE 'contact:%'"),
		1);
	struct forget_cmd again = {
		.n = 1, .person = "x", .via = "uid:1", .why = "asked", .v = { c.v[0] }
	};
	forget_prepare(&again);
	assert_int_equal(teststore_do(&ts, &again.cmd), -ENOENT);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_samples_are_36_offices_and_179_targets),
		T(kinds_without_a_channel_are_taken_and_warned_of),
		T(importing_again_changes_nothing),
		T(a_changed_hotline_is_one_change_and_a_missing_line_is_gone),
		T(a_dry_run_counts_and_stores_nothing),
		T(every_bad_row_of_targets_is_told_and_nothing_is_stored),
		T(a_megabyte_line_is_refused_whole),
		T(bom_and_crlf_are_accepted),
		T(trees_that_are_none_are_refused),
		T(audiences_name_what_nobody_has),
		T(yaml_is_read_like_csv),
		T(a_person_of_an_office_brings_only_its_own),
		T(suppressions_are_kept_by_hash_only),
		T(the_register_of_refusals_stops_advertising_only),
		T(an_import_that_was_cut_goes_on_after_a_restart),
		T(an_import_whose_staging_file_is_gone_is_taken_back),
		T(a_disk_that_is_full_is_waited_for),
		T(a_new_route_gives_waiting_targets_a_lane),
		T(a_merged_office_hands_its_targets_over_on_the_day),
		T(a_forgotten_address_is_in_no_file_any_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
