/* test_import_after.c - what comes after an import was taken: many rows a statement, a new route, a channel that reads its kind at last. */
#include "importscene.h"
#include "store/store_office.h"
#include "store/store_queue.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(new_ones_between_known_ones_and_second_offices_are_all_there),
		T(a_contact_that_is_there_after_all_is_taken_as_it_is),
		T(a_new_route_gives_waiting_targets_a_lane),
		T(moves_that_are_not_over_are_told_again),
		T(an_office_without_a_route_changes_no_contact),
		T(targets_that_came_with_another_file_are_said),
		T(an_address_that_waited_gets_the_form_of_its_channel),
		T(refusals_are_read_by_a_channel_that_no_default_names),
		T(an_import_that_began_before_a_reload_says_so_at_its_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
