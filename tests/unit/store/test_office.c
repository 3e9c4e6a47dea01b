/* test_office.c - offices and targets as they are shown, audiences resolved, deputies, and what an unfinished import hides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/assert.h"
#include "lib/teststore.h"
#include "model/state.h"
#include "store/store_internal.h"
#include "store/store_office.h"

static struct teststore ts;

static const struct office_in offices[] = {
	{ .code = "tw",
		.ord = "000000",
		.region = "tw",
		.lang = "vi",
		.vars = "{\"name\":\"TW\"}",
		.depth = 0 },
	{ .code = "b",
		.parent = "tw",
		.ord = "000000/000002",
		.region = "bac",
		.lang = "vi",
		.vars = "{\"name\":\"B\"}",
		.depth = 1 },
	{ .code = "a",
		.parent = "tw",
		.ord = "000000/000010",
		.region = "nam",
		.lang = "vi",
		.vars = "{\"name\":\"A\"}",
		.depth = 1 },
	{ .code = "b1",
		.parent = "b",
		.ord = "000000/000002/000001",
		.region = "bac",
		.lang = "vi",
		.vars = "{}",
		.depth = 2 },
};

static int put(const struct office_in *v, size_t n, struct import_counts *ret)
{
	struct office_import c = {
		.offices = v, .n = n, .what = "offices", .person = "x", .via = "uid:1"
	};
	office_import_prepare(&c);
	int rc = teststore_do(&ts, &c.cmd);
	*ret = c.ret;
	return rc;
}

static int setup(void **state)
{
	(void)state;
	struct import_counts n;
	assert_int_equal(teststore_open(&ts), 0);
	assert_int_equal(put(offices, ARRAY_LEN(offices), &n), 0);
	assert_int_equal(n.added, 4);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	teststore_close(&ts);
	return 0;
}

struct seen {
	int n;
	char text[400];
};

static bool on_office(void *ctx, const struct office_row *r)
{
	struct seen *s = ctx;
	size_t n = strlen(s->text);
	s->n++;
	(void)snprintf(s->text + n, sizeof(s->text) - n, "%s%s", n ? " " : "", r->code);
	return true;
}

static bool on_target(void *ctx, const struct target_row *r)
{
	struct seen *s = ctx;
	size_t n = strlen(s->text);
	s->n++;
	(void)snprintf(
		s->text + n, sizeof(s->text) - n, "%s" STR_FMT, n ? " " : "", STR_ARG(r->address));
	return true;
}

static bool on_count(void *ctx, const struct audience_count *r)
{
	struct seen *s = ctx;
	size_t n = strlen(s->text);
	(void)snprintf(s->text + n, sizeof(s->text) - n, "%s%s/%s=%d", n ? " " : "",
		chan_kind_name(r->kind), r->region, (int)r->n);
	return true;
}

static void offices_come_in_official_order_and_gone_ones_are_marked(void **state)
{
	(void)state;
	struct seen s = { 0 };
	struct import_counts n;
	struct store_reader *r = teststore_reader(&ts);
	assert_int_equal(office_list(reader_db(r), NULL, on_office, &s), 0);
	teststore_reader_end(&ts, r);
	assert_string_equal(s.text, "tw b b1 a");
	assert_int_equal(put(offices, 3, &n), 0);
	assert_int_equal(n.gone, 1);
	assert_int_equal(n.changed, 0);
	assert_int_equal(teststore_i64(&ts, "SELECT gone FROM office WHERE code='b1'"), 1);
	assert_int_equal(put(offices, 4, &n), 0);
	assert_int_equal(n.added, 1);
	assert_int_equal(
		teststore_i64(&ts, "SELECT count(*) FROM audit WHERE what='offices.import'"), 3);
}

static void an_office_has_its_ancestors_nearest_first(void **state)
{
	(void)state;
	char code[8][64];
	struct store_reader *r = teststore_reader(&ts);
	assert_int_equal(office_chain_codes(reader_db(r), "b1", code, 8), 3);
	assert_string_equal(code[0], "b1");
	assert_string_equal(code[1], "b");
	assert_string_equal(code[2], "tw");
	assert_int_equal(office_chain_codes(reader_db(r), "nobody", code, 8), 0);
	teststore_reader_end(&ts, r);
}

static void targets_scene(void)
{
	assert_int_equal(
		teststore_exec(&ts,
			"INSERT INTO tag VALUES(1,'press');"
			"INSERT INTO contact VALUES(1,1,'a@x','A','mailbox',''),(2,1,'b@x','B','mailbox',''),(3,1,'c@x','C','mailbox','');"
			"INSERT INTO target VALUES(1,1,NULL,(SELECT id FROM office WHERE code='b'),'',0,1,NULL),"
			"(2,2,NULL,(SELECT id FROM office WHERE code='a'),'',1,1,NULL),"
			"(3,3,NULL,(SELECT id FROM office WHERE code='b1'),'',4,77,NULL);"
			"INSERT INTO target_tag VALUES(1,1),(1,2),(1,3);"
			"INSERT INTO audience VALUES(1,'press','Press','{\"any\":[{\"tag\":[\"press\"]}],\"not\":[],\"broad\":false}')"),
		0);
}

static void an_import_under_way_hides_its_new_targets_until_its_job_is_gone(void **state)
{
	(void)state;
	struct err e;
	targets_scene();
	assert_int_equal(
		teststore_exec(&ts, "INSERT INTO job(kind, subject, next) VALUES(2,77,0)"), 0);
	for (int pass = 0; pass < 2; pass++) {
		struct seen s = { 0 }, t = { 0 };
		const struct target_ask ask = { .limit = 100 };
		struct store_reader *r = teststore_reader(&ts);
		assert_int_equal(audience_counts(reader_db(r), "press", 1000, on_count, &s, &e), 0);
		assert_int_equal(target_list(reader_db(r), &ask, on_target, &t), 0);
		teststore_reader_end(&ts, r);
		assert_string_equal(s.text, pass ? "email/bac=2" : "email/bac=1");
		assert_string_equal(t.text, pass ? "a@x c@x" : "a@x");
		assert_int_equal(teststore_exec(&ts, "DELETE FROM job"), 0);
	}
	struct seen s = { 0 };
	struct store_reader *r = teststore_reader(&ts);
	assert_int_equal(
		audience_targets(reader_db(r), "press", 1000, 1, 10, on_target, &s, &e), 0);
	assert_string_equal(s.text, "c@x");
	assert_int_equal(audience_counts(reader_db(r), "pres", 1000, on_count, &s, &e), -ENOENT);
	assert_non_null(strstr(e.text, "did you mean 'press'?"));
	teststore_reader_end(&ts, r);
}

static void an_audience_shows_no_target_of_an_office_that_is_not_in_force(void **state)
{
	(void)state;
	static const struct {
		int64_t now;
		const char *counts, *targets;
	} at[] = { { 499, "", "" }, { 500, "email/bac=1", "a@x" }, { 999, "email/bac=1", "a@x" },
		{ 1000, "", "" } };
	struct err e;
	targets_scene();
	assert_int_equal(teststore_exec(&ts,
				 "UPDATE office SET valid_from=500, valid_to=1000 WHERE code='b';"
				 "UPDATE target SET flags=1 WHERE id=3"),
		0);
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		struct seen s = { 0 }, t = { 0 };
		struct store_reader *r = teststore_reader(&ts);
		assert_int_equal(
			audience_counts(reader_db(r), "press", at[i].now, on_count, &s, &e), 0);
		assert_int_equal(audience_targets(reader_db(r), "press", at[i].now, 0, 10,
					 on_target, &t, &e),
			0);
		teststore_reader_end(&ts, r);
		assert_string_equal(s.text, at[i].counts);
		assert_string_equal(t.text, at[i].targets);
	}
}

static void an_office_with_others_below_it_is_not_merged(void **state)
{
	(void)state;
	struct office_merge m = { .old = "b", .into = "a", .person = "x", .via = "uid:1", .on = 1 };
	office_merge_prepare(&m);
	assert_int_equal(teststore_do(&ts, &m.cmd), -EBUSY);
	m.old = "nobody";
	assert_int_equal(teststore_do(&ts, &m.cmd), -ENOENT);
	m.old = m.into;
	assert_int_equal(teststore_do(&ts, &m.cmd), -EINVAL);
	assert_int_equal(
		teststore_i64(&ts, "SELECT count(*) FROM office WHERE replaced_by IS NOT NULL"), 0);
}

static void only_an_office_in_force_on_that_day_takes_over(void **state)
{
	(void)state;
	struct office_merge m = { .old = "b1", .into = "a", .person = "x", .via = "uid:1" };
	assert_int_equal(teststore_exec(&ts,
				 "UPDATE office SET valid_from=500, valid_to=1000 WHERE code='a'"),
		0);
	static const int64_t not_in_force[] = { 499, 1000 }, in_force[] = { 500, 999 };
	for (size_t i = 0; i < 2; i++) {
		m.on = not_in_force[i];
		office_merge_prepare(&m);
		assert_int_equal(teststore_do(&ts, &m.cmd), -ENOENT);
		assert_non_null(strstr(m.cmd.err.text, "'a' in force on that day"));
		assert_int_equal(
			teststore_i64(
				&ts, "SELECT count(*) FROM office WHERE replaced_by IS NOT NULL"),
			0);
	}
	for (size_t i = 0; i < 2; i++) {
		m.on = in_force[i];
		office_merge_prepare(&m);
		assert_int_equal(teststore_do(&ts, &m.cmd), 0);
	}
	assert_int_equal(teststore_i64(&ts, "SELECT valid_to FROM office WHERE code='b1'"), 999);
}

static void a_deputy_is_kept_with_an_audit_event(void **state)
{
	(void)state;
	struct deputy_add d = {
		.person = "Duyệt", .deputy = "Hành", .via = "uid:1", .first = 1, .last = 2
	};
	deputy_add_prepare(&d);
	assert_int_equal(teststore_do(&ts, &d.cmd), 0);
	d.last = 3;
	assert_int_equal(teststore_do(&ts, &d.cmd), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT last FROM deputy"), 3);
	assert_int_equal(
		teststore_i64(&ts, "SELECT count(*) FROM audit WHERE what='deputy.add'"), 2);
}

static void a_campaign_that_a_release_names_is_kept(void **state)
{
	(void)state;
	const struct campaign_in v[] = { { "k1", "K 1", 1, 2, PRIO_NORMAL },
		{ "k2", "K 2", 1, 2, PRIO_NORMAL } };
	struct office_import c = {
		.campaigns = v, .n = 2, .what = "campaigns", .person = "x", .via = "uid:1"
	};
	office_import_prepare(&c);
	assert_int_equal(teststore_do(&ts, &c.cmd), 0);
	assert_int_equal(
		teststore_exec(&ts,
			"INSERT INTO release(year,code,state,rev_newest,campaign_id,prio,category,kind,title) "
			"VALUES(2026,'T',0,1,(SELECT id FROM campaign WHERE name='k2'),1,2,1,'t')"),
		0);
	c.n = 1;
	assert_int_equal(teststore_do(&ts, &c.cmd), 0);
	assert_int_equal(c.ret.gone, 0);
	assert_int_equal(c.ret_kept, 1);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM campaign"), 2);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(offices_come_in_official_order_and_gone_ones_are_marked),
		T(an_office_has_its_ancestors_nearest_first),
		T(an_import_under_way_hides_its_new_targets_until_its_job_is_gone),
		T(an_audience_shows_no_target_of_an_office_that_is_not_in_force),
		T(an_office_with_others_below_it_is_not_merged),
		T(only_an_office_in_force_on_that_day_takes_over),
		T(a_deputy_is_kept_with_an_audit_event),
		T(a_campaign_that_a_release_names_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
