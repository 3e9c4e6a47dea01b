/* test_import_merge.c - imports beside merged offices, and beside addresses that were forgotten. */
#include "importscene.h"
#include "store/store_forget.h"
#include "store/store_office.h"
#include "store/store_queue.h"

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

/* Somebody of the district was in the province's list once, and is gone from it: behind the merger the one who is there counts. */
static void who_is_gone_from_the_successor_is_not_gone_from_both(void **state)
{
	(void)state;
	static const char reached_by[] =
		"SELECT count(*) FROM target t JOIN office o ON o.id=t.office_id JOIN contact c ON c.id=t.contact_id JOIN target_tag x ON "
		"x.target_id=t.id JOIN tag g ON g.id=x.tag_id WHERE (t.flags&1)=0 AND o.code='dien-bien' AND c.address='an@db.example' AND g.name='now'";
	samples();
	assert_int_equal(
		run_z(IMPORT_WHAT_TARGETS, "province.csv",
			HEAD
			"email,an@db.example,dien-bien,An,,then\nemail,binh@db.example,dien-bien,B,,then\n"),
		0);
	assert_int_equal(run_z(IMPORT_WHAT_TARGETS, "province.csv",
				 HEAD "email,binh@db.example,dien-bien,B,,then\n"),
		0);
	assert_int_equal(run_z(IMPORT_WHAT_TARGETS, "district.csv",
				 HEAD "email,an@db.example,dien-bien-muong-ang,An,,now\n"),
		0);
	struct office_merge m = { .old = "dien-bien-muong-ang",
		.into = "dien-bien",
		.person = "x",
		.via = "uid:1",
		.on = te.wall };
	office_merge_prepare(&m);
	assert_int_equal(teststore_do(&ts, &m.cmd), 0);
	struct office_settle s = { .more = false };
	office_settle_prepare(&s);
	assert_int_equal(teststore_do(&ts, &s.cmd), 0);
	assert_int_equal(teststore_i64(&ts, reached_by), 1);
}

/* People keep their lists for long: a file that still names the office of before, imported behind the merger, takes nobody out. */
static void a_file_that_names_the_office_of_before_takes_nobody_out(void **state)
{
	(void)state;
	static const char reached[] =
		"SELECT count(*) FROM target t JOIN office o ON o.id=t.office_id JOIN contact c ON c.id=t.contact_id WHERE "
		"(t.flags&1)=0 AND o.code='dien-bien' AND c.address='muongang@dien-bien.bhxh.example'";
	samples();
	struct office_merge m = { .old = "dien-bien-muong-ang",
		.into = "dien-bien",
		.person = "x",
		.via = "uid:1",
		.on = te.wall + 1000 };
	office_merge_prepare(&m);
	assert_int_equal(teststore_do(&ts, &m.cmd), 0);
	te.wall += 2000;
	for (int i = 0; i < 3; i++) {
		struct office_settle s = { .more = false };
		office_settle_prepare(&s);
		assert_int_equal(teststore_do(&ts, &s.cmd), 0);
		assert_int_equal(teststore_i64(&ts, reached), 1);
		assert_int_equal(
			run_path(IMPORT_WHAT_TARGETS, EXAMPLES "targets.csv", "targets.csv", false),
			0);
	}
}

static int mergers, merger_rc;

static void on_merger(void *ctx, int rc, const struct err *e, cJSON *result)
{
	UNUSED(ctx);
	UNUSED(e);
	mergers++;
	merger_rc = rc;
	cJSON_Delete(result);
}

/* Targets that an audience has: those of an import under way are not among them. */
static int64_t reached(void)
{
	return teststore_i64(&ts,
		"SELECT count(*) FROM target t WHERE NOT ((t.flags&4)<>0 AND t.seen_import IN (SELECT subject FROM job WHERE kind=2))");
}

/* `lantoa offices merge` in the middle of an import: nobody else goes on with that, and nothing of it is seen before its end. */
static void a_merger_leaves_an_import_that_is_under_way_alone(void **state)
{
	(void)state;
	enum { rows = 5000 };
	struct buf b;
	char path[400];
	struct err e;
	struct import_opts o = opts();
	const struct actor who = { .person = "x", .via = "uid:1" };
	const struct staged s = { .path = path, .name = "many.csv" };
	samples();
	int64_t had = reached();
	buf_init(&b, 1u << 20);
	buf_addz(&b, HEAD);
	for (int i = 0; i < rows; i++)
		buf_addf(&b, "email,user%05d@gmail.example,ha-noi,,,\n", i);
	(void)snprintf(path, sizeof(path), "%s/up-1", store_staging_dir(ts.s));
	assert_int_equal(file_write_durable(path, buf_str(&b), 0600, &e), 0);
	buf_done(&b);
	answers = mergers = 0;
	ts.look_us = 10000; /* a chunk ends at its first look at the clock */
	import_run(&o, IMPORT_WHAT_TARGETS, &s, &who, false, on_done, NULL);
	for (int i = 0; i < 20 && answers == 0;) {
		testenv_settle(&te);
		i += store_run(ts.s) > 0;
		(void)store_complete(ts.s);
	}
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM job WHERE kind=2"), 1);
	import_settle(&o, on_merger, NULL);
	for (int i = 0; i < 20000 && (answers == 0 || mergers == 0); i++) {
		testenv_settle(&te);
		size_t ran = store_run(ts.s);
		if (ran + store_complete(ts.s) == 0)
			testenv_advance(&te, 100);
		assert_true(reached() == had || answers > 0 ||
			teststore_i64(&ts, "SELECT count(*) FROM job WHERE kind=2") == 0);
	}
	assert_int_equal(answer_rc, 0);
	assert_int_equal(merger_rc, 0);
	assert_int_equal(reached(), had + rows);
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

/* A link in a mail that went out before the address was erased: who clicks it refuses, also for when the address comes back. */
static void who_unsubscribes_behind_the_erasing_is_not_written_to_again(void **state)
{
	(void)state;
	const char *address_z = "baochi@ha-noi.press.example";
	struct hash who;
	samples();
	struct sq_optout o = {
		.contact = teststore_i64(
			&ts, "SELECT id FROM contact WHERE address='baochi@ha-noi.press.example'"),
		.reason = SUP_OPT_OUT
	};
	struct forget_cmd c = { .n = 1, .person = "x", .via = "uid:1", .why = "asked" };
	c.v[0].kind = KIND_EMAIL;
	str_copy(c.v[0].address, sizeof(c.v[0].address), str_of(address_z));
	forget_prepare(&c);
	assert_int_equal(teststore_do(&ts, &c.cmd), 0);
	str_copy(o.via, sizeof(o.via), STR("one-click"));
	sq_optout_init(&o);
	assert_int_equal(teststore_do(&ts, &o.cmd), 0);
	store_who(ts.s, KIND_EMAIL, str_of(address_z), &who);
	char *hex = teststore_text(&ts, "SELECT lower(hex(who)) FROM suppression"), want[HASH_HEX];
	hash_hex(&who, want);
	assert_string_equal(hex, want);
	free(hex);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_merged_office_hands_its_targets_over_on_the_day),
		T(who_is_gone_from_the_successor_is_not_gone_from_both),
		T(a_file_that_names_the_office_of_before_takes_nobody_out),
		T(a_merger_leaves_an_import_that_is_under_way_alone),
		T(a_forgotten_address_is_in_no_file_any_more),
		T(who_unsubscribes_behind_the_erasing_is_not_written_to_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
