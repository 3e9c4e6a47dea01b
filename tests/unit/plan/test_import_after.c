/* test_import_after.c - what comes after an import was taken: crashes between its chunks, a full disk, a new route, merged offices,
 * forgotten addresses.
 */
#include <fcntl.h>
#include "importscene.h"
#include "store/store_forget.h"
#include "store/store_office.h"
#include "store/store_queue.h"

/* --- crashes and a full disk: only fault points bring them about ------------------------------------------------------ */

#ifdef LANTOA_FAULTS

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

/* Killed after n turns of the store, and opened again. The upload stood at *ret_path. */
static void crash_in_the_middle(int turns, char ret_path[static 400])
{
	size_t n;
	char *text = many(&n);
	struct err e;
	const struct actor who = { .person = "x", .via = "uid:1" };
	struct import_opts o;
	samples();
	(void)snprintf(ret_path, 400, "%s/up-1", store_staging_dir(ts.s));
	assert_int_equal(file_write_durable(ret_path, (struct str){ text, n }, 0600, &e), 0);
	free(text);
	const struct staged s = { .path = ret_path, .name = "many.csv" };
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
}

/* What the next start makes of it; *stopping, where it is given, is the daemon's. */
static int start_again(const bool *stopping)
{
	struct import_opts o = opts();
	o.stopping = stopping;
	answers = 0;
	import_start(&o, on_done, NULL);
	pump();
	assert_int_equal(answers, 1);
	return answer_rc;
}

static void stage_of_job(char sub[static 400])
{
	char *name = teststore_text(&ts, "SELECT arg FROM job WHERE kind=2");
	assert_non_null(name);
	(void)snprintf(sub, 400, "%s/%s", store_staging_dir(ts.s), name);
	free(name);
}

static void lose_stage_of_job(void)
{
	char sub[400];
	stage_of_job(sub);
	assert_int_equal(unlink(sub), 0);
}

/* Gone on after a crash: the whole file is there, once, or nothing of it. */
static void crash_after(int turns, bool lose_stage)
{
	char path[400];
	crash_in_the_middle(turns, path);
	if (lose_stage)
		lose_stage_of_job();
	assert_int_equal(start_again(NULL), 0);
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
	crash_after(2, false);
}

static void an_import_whose_staging_file_is_gone_is_taken_back(void **state)
{
	(void)state;
	crash_after(2, true);
}

static void a_staging_file_that_cannot_be_read_any_more_is_said_with_its_reason(void **state)
{
	(void)state;
	char path[400];
	crash_in_the_middle(2, path);
	stage_of_job(path);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	const uint32_t longer = UINT32_MAX; /* a step longer than the file */
	off_t at = 8 + (off_t)teststore_i64(&ts, "SELECT cursor FROM job WHERE kind=2");
	assert_int_equal(pwrite(fd, &longer, sizeof(longer), at), sizeof(longer));
	assert_int_equal(close(fd), 0);
	assert_int_equal(start_again(NULL), -EBADMSG);
	assert_int_equal(answer_err.code, -EBADMSG);
	assert_non_null(strstr(answer_err.text, "goes on at the next start: the staging file"));
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM job WHERE kind=2"), 1);
}

/* The daemon stops at some turn of the store after its start: what had begun is left as it is, for the next one. */
static void an_import_that_goes_on_at_the_start_ends_when_the_daemon_stops(void **state)
{
	(void)state;
	bool stopping = false;
	char path[400];
	crash_in_the_middle(2, path);
	ts.look_us = 10000; /* a chunk ends at its first look at the clock */
	for (int turns = 0; turns < 4; turns++) {
		struct import_opts o = opts();
		o.stopping = &stopping;
		answers = 0;
		stopping = false;
		import_start(&o, on_done, NULL);
		for (int i = 0; i < turns;) {
			testenv_settle(&te);
			i += store_run(ts.s) > 0;
			(void)store_complete(ts.s);
		}
		stopping = true;
		pump();
		assert_int_equal(answers, 1);
		assert_int_equal(answer_rc, -ECANCELED);
		assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM job WHERE kind=2"), 1);
	}
	ts.look_us = 0;
	assert_int_equal(start_again(NULL), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM job"), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM target"), 179 + MANY);
}

static void what_is_taken_back_at_the_start_ends_when_the_daemon_stops(void **state)
{
	(void)state;
	const bool stopping = true;
	char path[400];
	crash_in_the_middle(2, path);
	lose_stage_of_job();
	assert_int_equal(start_again(&stopping), -ECANCELED);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM job WHERE kind=2"), 1);
	assert_int_equal(start_again(NULL), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM job"), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM target"), 179);
}

static void a_disk_that_stays_full_keeps_no_daemon_from_stopping(void **state)
{
	(void)state;
	size_t n;
	char *text = many(&n), path[400];
	struct err e;
	bool stopping = false;
	struct import_opts o = opts();
	const struct actor who = { .person = "x", .via = "uid:1" };
	const struct staged s = { .path = path, .name = "many.csv" };
	samples();
	(void)snprintf(path, sizeof(path), "%s/up-1", store_staging_dir(ts.s));
	assert_int_equal(file_write_durable(path, (struct str){ text, n }, 0600, &e), 0);
	free(text);
	fault_set("store.full", 2, 1000000);
	o.stopping = &stopping;
	answers = 0;
	import_run(&o, IMPORT_WHAT_TARGETS, &s, &who, false, on_done, NULL);
	for (int i = 0; i < 50; i++) {
		testenv_advance(&te, 100);
		(void)store_run(ts.s);
		(void)store_complete(ts.s);
	}
	assert_int_equal(answers, 0);
	stopping = true;
	pump();
	assert_int_equal(answers, 1);
	assert_int_equal(answer_rc, -ECANCELED);
	assert_non_null(strstr(answer_err.text, "goes on at the next start"));
	fault_clear();
	assert_int_equal(start_again(NULL), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM target"), 179 + MANY);
}

static void a_start_that_could_not_be_stored_says_why(void **state)
{
	(void)state;
	samples();
	fault_set("store.commit", 0, 1);
	assert_int_equal(start_again(NULL), -EBUSY);
	assert_non_null(strstr(answer_err.text, "the transaction could not be written"));
}

/* A store that is dead takes no commands: what has begun is left with a reason. */
static void what_the_store_does_not_take_is_left_with_a_reason(void **state)
{
	(void)state;
	char path[400];
	crash_in_the_middle(2, path);
	struct office_settle s = { .more = false };
	office_settle_prepare(&s);
	fault_set("store.fsync", 0, 1);
	assert_int_equal(teststore_do(&ts, &s.cmd), -EIO);
	assert_int_equal(start_again(NULL), -EIO);
	assert_non_null(strstr(answer_err.text, "goes on at the next start: Input/output error"));
}

static void a_disk_that_is_full_is_waited_for(void **state)
{
	(void)state;
	size_t n;
	char *text = many(&n);
	samples();
	fault_set("store.full", 2, 2);
	assert_int_equal(run_text(IMPORT_WHAT_TARGETS, "many.csv", text, n), 0);
	free(text);
	assert_counts(MANY, 0, 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM target"), 179 + MANY);
}

/* At its last step, or when a start takes it up: what has begun would stand in the way of every other import until a restart. */
static void what_has_begun_waits_for_a_full_disk_to_its_end(void **state)
{
	(void)state;
	char path[400];
	samples();
	fault_set("store.full", 2, 3); /* begin, one chunk */
	assert_int_equal(
		run_z(IMPORT_WHAT_TARGETS, "few.csv", HEAD "email,a@gmail.example,hue,,,\n"), 0);
	fault_clear();
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM job"), 0);
	for (int lost = 0; lost < 2; lost++) {
		teardown(NULL);
		setup(NULL);
		crash_in_the_middle(2, path);
		if (lost)
			lose_stage_of_job();
		fault_set("store.full", 0, 3);
		assert_int_equal(start_again(NULL), 0);
		fault_clear();
		assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM job"), 0);
		assert_int_equal(
			teststore_i64(&ts, "SELECT count(*) FROM target"), lost ? 179 : 179 + MANY);
	}
}

#endif

/* --- many rows a statement --------------------------------------------------------------------------------------------- */

/* New ones between others that are there already, some for two offices, some with two tags: each comes out as if it were alone. */
static void new_ones_between_known_ones_and_second_offices_are_all_there(void **state)
{
	(void)state;
	struct buf old, all;
	samples();
	int64_t had = teststore_i64(&ts, "SELECT count(*) FROM target");
	int64_t people = teststore_i64(&ts, "SELECT count(*) FROM contact");
	buf_init(&old, 1u << 20);
	buf_init(&all, 1u << 20);
	buf_addz(&old, HEAD);
	buf_addz(&all, HEAD);
	for (int i = 0; i < 700; i++) {
		if (i % 7 == 0)
			buf_addf(&old, "email,many%04d@gmail.example,ha-noi,N %d,,a\n", i, i);
		buf_addf(&all, "email,many%04d@gmail.example,ha-noi,N %d,,%s\n", i, i,
			i % 5 == 0           ? "a;b"
				: i % 5 == 1 ? ""
					     : "a");
		if (i % 3 == 0)
			buf_addf(&all, "email,many%04d@gmail.example,trung-uong,N %d,,b\n", i, i);
	}
	assert_int_equal(run_text(IMPORT_WHAT_TARGETS, "old.csv", old.p, old.n), 0);
	assert_int_equal(run_text(IMPORT_WHAT_TARGETS, "all.csv", all.p, all.n), 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM contact") - people, 700);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM target") - had, 700 + 234);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM contact WHERE address LIKE 'many%' AND name IS NOT 'N '||CAST(substr(address,5,4) AS INTEGER)"),
		0);
	/* 140 of "a;b", 140 of none, 420 of "a", 234 of "b" */
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM target_tag x JOIN target t ON t.id=x.target_id JOIN contact c ON c.id=t.contact_id WHERE c.address LIKE 'many%'"),
		140 * 2 + 420 + 234);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM target_tag x JOIN tag g ON g.id=x.tag_id JOIN target t ON t.id=x.target_id JOIN contact c ON "
			"c.id=t.contact_id WHERE c.address LIKE 'many%' AND g.name='b'"),
		140 + 234);
	assert_int_equal(run_text(IMPORT_WHAT_TARGETS, "all.csv", all.p, all.n), 0);
	assert_counts(0, 0, 0);
	buf_done(&old);
	buf_done(&all);
}

/* Between the comparison and the writing somebody else made one of the contacts. */
static void a_contact_that_is_there_after_all_is_taken_as_it_is(void **state)
{
	(void)state;
	struct buf b;
	char path[400];
	struct err e;
	const struct actor who = { .person = "x", .via = "uid:1" };
	samples();
	int64_t had = teststore_i64(&ts, "SELECT count(*) FROM target");
	buf_init(&b, 1u << 20);
	buf_addz(&b, HEAD);
	for (int i = 0; i < 100; i++)
		buf_addf(&b, "email,many%04d@gmail.example,ha-noi,N %d,,a\n", i, i);
	(void)snprintf(path, sizeof(path), "%s/up-1", store_staging_dir(ts.s));
	assert_int_equal(file_write_durable(path, buf_str(&b), 0600, &e), 0);
	buf_done(&b);
	const struct staged s = { .path = path, .name = "many.csv" };
	const struct import_opts o = opts();
	answers = 0;
	import_run(&o, IMPORT_WHAT_TARGETS, &s, &who, false, on_done, NULL);
	testenv_settle(&te); /* it is compared, and its beginning waits for the store */
	assert_int_equal(answers, 0);
	assert_int_equal(
		teststore_exec(&ts,
			"INSERT INTO contact(kind, address, form, class) VALUES(1,'many0040@gmail.example','mailbox','other')"),
		0);
	pump();
	assert_int_equal(answers, 1);
	assert_int_equal(answer_rc, 0);
	assert_int_equal(teststore_i64(&ts, "SELECT count(*) FROM target") - had, 100);
	assert_int_equal(
		teststore_i64(&ts, "SELECT count(*) FROM contact WHERE address LIKE 'many%'"), 100);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM target t JOIN contact c ON c.id=t.contact_id JOIN target_tag x ON x.target_id=t.id WHERE "
			"c.address='many0040@gmail.example' AND c.name='N 40'"),
		1);
	(void)unlink(path);
}

/* Outcomes keep their room: what an import needs beside the file that was uploaded is looked at, too. */
static void an_import_that_leaves_less_than_the_floor_is_refused(void **state)
{
	(void)state;
	struct buf b;
	char path[400];
	struct err e;
	teststore_stop(&ts);
	ts.opts.free_floor_bytes = 64 << 20;
	assert_int_equal(teststore_start(&ts), 0);
	samples();
	buf_init(&b, 8u << 20);
	buf_addz(&b, HEAD);
	for (int i = 0; i < 60000; i++)
		buf_addf(&b, "email,user%05d@gmail.example,ha-noi,,,\n", i);
	(void)snprintf(path, sizeof(path), "%s/up-1", store_staging_dir(ts.s));
	assert_int_equal(file_write_durable(path, buf_str(&b), 0600, &e), 0);
	ts.free_bytes = (64 << 20) + (int64_t)b.n;
	buf_done(&b);
	assert_int_equal(run_path(IMPORT_WHAT_TARGETS, path, "many.csv", true), -ENOSPC);
	assert_non_null(strstr(answer_err.text, "free_floor"));
	ts.free_bytes = INT64_C(1) << 40;
	assert_int_equal(run_path(IMPORT_WHAT_TARGETS, path, "many.csv", true), 0);
	(void)unlink(path);
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

static size_t n_moves;
static struct lane_move moves[4];
static void on_moves(void *ctx, const struct lane_move *v, size_t n)
{
	UNUSED(ctx);
	n_moves = n;
	for (size_t i = 0; i < n && i < 4; i++)
		moves[i] = v[i];
}

static void look_at_routes(const struct conf *c)
{
	struct import_opts o = opts();
	o.conf = c;
	o.moved = on_moves;
	answers = 0;
	n_moves = 0;
	import_reroute(&o, on_done, NULL);
	pump();
	assert_int_equal(answer_rc, 0);
}

/* Targets have their new lanes; what waits on the old one has not followed yet when the daemon dies. */
static void moves_that_are_not_over_are_told_again(void **state)
{
	(void)state;
	struct conf after = conf;
	struct conf_account second = { .name = (char *)(uintptr_t) "second" };
	struct conf_account *both[2] = { &relay, &second };
	struct conf_channel two = mail, *list[1] = { &two };
	struct conf_route route = routes[0];
	two.accounts = both;
	two.n_accounts = 2;
	route.account = second.name;
	after.channels = list;
	after.routes = &route;
	samples();
	look_at_routes(&conf);
	assert_int_equal(n_moves, 0);
	look_at_routes(&after);
	size_t n = n_moves;
	assert_true(n > 0 && n <= 4);
	assert_true(got("changed") > 0);
	for (int again = 0; again < 2; again++) { /* of the next start */
		look_at_routes(&after);
		assert_int_equal(got("changed"), 0);
		assert_int_equal(n_moves, n);
	}
	struct lane_moves_over over = { .v = moves, .n = n };
	lane_moves_over_prepare(&over);
	assert_int_equal(teststore_do(&ts, &over.cmd), 0);
	look_at_routes(&after);
	assert_int_equal(n_moves, 0);
}

static int64_t refused(const char *z)
{
	struct hash who;
	char hex[HASH_HEX], sql[200];
	store_who(ts.s, KIND_EMAIL, str_of(z), &who);
	hash_hex(&who, hex);
	(void)snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM suppression WHERE hex(who)=upper('%s')", hex);
	return teststore_i64(&ts, sql);
}

/* Only one of two offices has a route: what they write differently is one contact all the same, and keeps the form by which it is sent to. */
static void an_office_without_a_route_changes_no_contact(void **state)
{
	(void)state;
	struct conf_route only = routes[0];
	only.office = (char *)(uintptr_t) "ha-noi";
	conf.routes = &only;
	samples();
	assert_int_equal(
		run_z(IMPORT_WHAT_TARGETS, "one.csv", HEAD "email,a@gmail.example,ha-noi,,,\n"), 0);
	assert_int_equal(
		run_z(IMPORT_WHAT_TARGETS, "two.csv",
			HEAD "email,A@gmail.example,dien-bien,,,\nemail,a@gmail.example,hue,,,\n"),
		0);
	assert_int_equal(
		teststore_i64(
			&ts, "SELECT count(*) FROM contact WHERE lower(address)='a@gmail.example'"),
		1);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM contact WHERE address='a@gmail.example' AND form='mailbox' AND class='gmail'"),
		1);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM target t JOIN contact c ON c.id=t.contact_id WHERE c.address='a@gmail.example' AND t.lane_id IS NULL"),
		2);
	assert_non_null(
		strstr(json_z(json_get(answer, "warnings")->child, "text", ""), "2 targets wait"));
	assert_int_equal(run_z(IMPORT_WHAT_TARGETS, "bad.csv", HEAD "email,nobody,dien-bien,,,\n"),
		-EBADMSG);
	conf.routes = routes;
}

/* Two files with the same address for one office: the second one's tags stand, and that is said. */
static void targets_that_came_with_another_file_are_said(void **state)
{
	(void)state;
	samples();
	assert_int_equal(
		run_z(IMPORT_WHAT_TARGETS, "press.csv",
			HEAD
			"email,a@gmail.example,hue,,,press\nemail,b@gmail.example,hue,,,press\n"),
		0);
	assert_int_equal(
		run_z(IMPORT_WHAT_TARGETS, "duty.csv",
			HEAD
			"email,c@gmail.example,hue,,,duty\nemail,a@gmail.example,hue,,,duty\n"),
		0);
	const cJSON *first = json_get(answer, "warnings")->child;
	assert_non_null(first);
	assert_non_null(strstr(json_z(first, "text", ""), "1 targets came with another file"));
	assert_int_equal(json_i64(first, "line", 0), 3);
	assert_int_equal(
		run_z(IMPORT_WHAT_TARGETS, "duty.csv",
			HEAD
			"email,c@gmail.example,hue,,,duty\nemail,a@gmail.example,hue,,,duty\n"),
		0);
	assert_null(json_get(answer, "warnings")->child);
}

/* Taken as written while no channel read them: with the route they get the form by which they are compared and refused. */
static void an_address_that_waited_gets_the_form_of_its_channel(void **state)
{
	(void)state;
	samples();
	assert_int_equal(
		run_z(IMPORT_WHAT_TARGETS, "there.csv", HEAD "email,b@list.example,ha-noi,,,\n"),
		0);
	conf.n_routes = conf.n_channels = 0;
	assert_int_equal(
		run_z(IMPORT_WHAT_TARGETS, "late.csv",
			HEAD "email,A@List.example,ha-noi,,,\nemail,A@List.example,dien-bien,,,\n"
			     "email,B@List.example,ha-noi,,,\nemail,B@List.example,dien-bien,,,\n"),
		0);
	assert_int_equal(run_z(IMPORT_WHAT_SUPPRESSION, "s.csv",
				 "address,kind,reason\nA@List.example,email,opt_out\n"),
		0);
	assert_non_null(
		strstr(json_z(json_get(answer, "warnings")->child, "text", ""), "no channel"));
	conf.n_routes = conf.n_channels = 1;
	struct import_opts o = opts();
	answers = 0;
	import_reroute(&o, on_done, NULL);
	pump();
	assert_int_equal(answer_rc, 0);
	assert_int_equal(
		teststore_i64(&ts, "SELECT count(*) FROM contact WHERE address='A@List.example'"),
		0);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM target t JOIN contact c ON c.id=t.contact_id WHERE c.address='a@list.example' AND "
			"t.lane_id IS NOT NULL AND (t.flags&1)=0"),
		2);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM target t JOIN contact c ON c.id=t.contact_id WHERE c.address='b@list.example' AND "
			"t.lane_id IS NOT NULL AND (t.flags&1)=0"),
		2);
	assert_int_equal(
		teststore_i64(&ts,
			"SELECT count(*) FROM target t JOIN contact c ON c.id=t.contact_id WHERE c.address='B@List.example' AND "
			"(t.flags&1)=0"),
		0);
	assert_int_equal(refused("a@list.example"), 1);
}

/* Routes for offices and none by default: the channel reads them all the same. */
static void refusals_are_read_by_a_channel_that_no_default_names(void **state)
{
	(void)state;
	routes[0].office = (char *)(uintptr_t) "ha-noi";
	assert_int_equal(run_z(IMPORT_WHAT_SUPPRESSION, "s.csv",
				 "address,kind,reason\nGone@x.example,email,opt_out\n"),
		0);
	assert_int_equal(refused("gone@x.example"), 1);
}

static void on_stale(void *ctx)
{
	*(int *)ctx += answers == 0 ? 1 : 100; /* before the answer */
}

/* A list of two, while the configuration in force becomes `after` half-way. Returns how often it was told. */
static int told_of_stale(struct conf *after, bool dry)
{
	const char text[] = HEAD "email,a@list.example,ha-noi,A,,late\n"
				 "email,b@list.example,ha-noi,B,,late\n";
	char path[400];
	struct err e;
	int told = 0;
	struct conf *in_force = &conf;
	const struct staged s = { .path = path, .name = "late.csv" };
	const struct actor who = { .person = "x", .via = "uid:1" };
	struct import_opts o = opts();
	o.conf_now = &in_force;
	o.stale = on_stale;
	o.stale_ctx = &told;
	(void)snprintf(path, sizeof(path), "%s/up-1", store_staging_dir(ts.s));
	assert_int_equal(file_write_durable(path, str_of(text), 0600, &e), 0);
	answers = 0;
	import_run(&o, IMPORT_WHAT_TARGETS, &s, &who, dry, on_done, NULL);
	testenv_settle(&te);
	in_force = after;
	pump();
	(void)unlink(path);
	assert_int_equal(answer_rc, 0);
	return told;
}

static int64_t late_by(const char *account)
{
	char sql[300];
	(void)snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM target t JOIN contact c ON c.id=t.contact_id JOIN lane l ON l.id=t.lane_id JOIN account a ON "
		"a.id=l.account_id WHERE c.address LIKE '_@list.example' AND a.name='%s'",
		account);
	return teststore_i64(&ts, sql);
}

/* Its rows have the routes that were in force when it began: who asked is told, so that they are looked up again. */
static void an_import_that_began_before_a_reload_says_so_at_its_end(void **state)
{
	(void)state;
	struct conf after = conf;
	struct conf_account second = { .name = (char *)(uintptr_t) "second" };
	struct conf_account *both[2] = { &relay, &second };
	struct conf_channel two = mail, *list[1] = { &two };
	struct conf_route route = routes[0];
	two.accounts = both;
	two.n_accounts = 2;
	route.account = second.name;
	after.channels = list;
	after.routes = &route;
	samples();
	assert_int_equal(told_of_stale(&after, true), 0);
	assert_int_equal(told_of_stale(&conf, false), 0);
	assert_int_equal(told_of_stale(&after, false), 1);
	assert_int_equal(late_by("relay"), 2);
	struct import_opts o = opts();
	o.conf = &after;
	answers = 0;
	import_reroute(&o, on_done, NULL);
	pump();
	assert_int_equal(late_by("second"), 2);
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
#ifdef LANTOA_FAULTS
		T(an_import_that_was_cut_goes_on_after_a_restart),
		T(an_import_whose_staging_file_is_gone_is_taken_back),
		T(a_staging_file_that_cannot_be_read_any_more_is_said_with_its_reason),
		T(an_import_that_goes_on_at_the_start_ends_when_the_daemon_stops),
		T(what_is_taken_back_at_the_start_ends_when_the_daemon_stops),
		T(a_disk_that_stays_full_keeps_no_daemon_from_stopping),
		T(a_disk_that_is_full_is_waited_for),
		T(what_has_begun_waits_for_a_full_disk_to_its_end),
		T(a_start_that_could_not_be_stored_says_why),
		T(what_the_store_does_not_take_is_left_with_a_reason),
#endif
		T(new_ones_between_known_ones_and_second_offices_are_all_there),
		T(a_contact_that_is_there_after_all_is_taken_as_it_is),
		T(an_import_that_leaves_less_than_the_floor_is_refused),
		T(a_new_route_gives_waiting_targets_a_lane),
		T(moves_that_are_not_over_are_told_again),
		T(an_office_without_a_route_changes_no_contact),
		T(targets_that_came_with_another_file_are_said),
		T(an_address_that_waited_gets_the_form_of_its_channel),
		T(refusals_are_read_by_a_channel_that_no_default_names),
		T(an_import_that_began_before_a_reload_says_so_at_its_end),
		T(a_merged_office_hands_its_targets_over_on_the_day),
		T(who_is_gone_from_the_successor_is_not_gone_from_both),
		T(a_file_that_names_the_office_of_before_takes_nobody_out),
		T(a_merger_leaves_an_import_that_is_under_way_alone),
		T(a_forgotten_address_is_in_no_file_any_more),
		T(who_unsubscribes_behind_the_erasing_is_not_written_to_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
