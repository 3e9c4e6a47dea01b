/* test_asked.c - whom a poll or a statistic asks about, by which ids, and how a round goes on where the last one ended. */
#include "store/store_internal.h"
#include "store/store_jobs.h"
#include "queuescene.h"

#define DAY INT64_C(20000)
#define AT  (DAY * 86400000 + 1000)

static char got[2000]; /* "DELIVERY: EFFECT=ID@STATE ..." a line */

static int on_row(void *ctx, const struct sq_ask_row *x)
{
	size_t n = strlen(got);

	(void)ctx;
	n += (size_t)snprintf(
		got + n, sizeof(got) - n, "%lld%s:", (long long)x->delivery, x->no_link ? "" : "+");
	for (size_t i = 0; i < x->n_ids; i++)
		n += (size_t)snprintf(got + n, sizeof(got) - n, " %u=%.*s@%u", x->ids[i].effect,
			(int)x->ids[i].id.n, x->ids[i].id.p, x->ids[i].outcome);
	if (x->address.n == 0)
		n += (size_t)snprintf(got + n, sizeof(got) - n, " forgotten");
	(void)snprintf(got + n, sizeof(got) - n, "\n");
	return 0;
}

/* One round, in as many chunks as it takes. */
static void ask(bool stats, size_t max, int64_t since)
{
	struct sq_ask_cursor at = { 0 };
	struct sq_ask_query q = {
		.account = 1, .since_ms = since, .stats = stats, .max = max, .at = &at
	};
	bool more = true;

	got[0] = 0;
	for (int chunks = 0; more; chunks++) {
		struct store_reader *r = teststore_reader(&ts);
		assert_int_equal(sq_read_ask(r, &q, on_row, NULL, &more), 0);
		teststore_reader_end(&ts, r);
		assert_true(chunks < 20);
	}
}

static void sent(int delivery, int state)
{
	char sql[200];

	snprintf(sql, sizeof(sql), "UPDATE delivery SET state=%d, tries=1 WHERE id=%d", state,
		delivery);
	run(sql);
	snprintf(sql, sizeof(sql),
		"INSERT INTO attempt(delivery_id, try, started, took_ms, outcome, scope) VALUES (%d,1,%lld,1,0,0)",
		delivery, (long long)AT);
	run(sql);
}

static void ref(int delivery, int effect, const char *id)
{
	char sql[200];

	snprintf(sql, sizeof(sql), "INSERT INTO ref VALUES (1,%lld,'%s',%d,%d)", (long long)DAY, id,
		delivery, effect);
	run(sql);
}

static void made(int delivery, int effect, int state, const char *id)
{
	char sql[200];

	snprintf(sql, sizeof(sql), "INSERT INTO effect VALUES (%d,%d,%d,nullif('%s',''))", delivery,
		effect, state, id);
	run(sql);
	if (id[0] != 0)
		ref(delivery, effect, id);
}

static void what_made_one_thing_is_asked_about_by_its_id(void **state)
{
	(void)state;
	sent(1, DLV_ACCEPTED);
	ref(1, 0, "p1");
	sent(2, DLV_UNKNOWN); /* a question of its own asks about it */
	ref(2, 0, "p2");
	sent(3, DLV_DELIVERED);
	ref(3, 0, "p3");
	ask(false, 100, AT);
	assert_string_equal(got, "1: 0=p1@1\n");
	ask(true, 100, AT);
	assert_string_equal(got, "1: 0=p1@1\n3: 0=p3@1\n");
	ask(true, 100, AT + 1); /* accepted before */
	assert_string_equal(got, "");
}

/* Once for all of them, by what has no end yet; a statistic counts each. */
static void what_made_several_things_is_asked_about_once(void **state)
{
	(void)state;
	sent(1, DLV_ACCEPTED);
	made(1, 0, LT_ACCEPTED, "p1");
	made(1, 1, LT_RC_TRANSIT, "p2");
	made(1, 2, LT_RC_DELIVERED, "p3");
	made(1, 3, LT_RC_LOST, "p4");
	made(1, 4, LT_REFUSED, "p5");
	made(1, 5, LT_RC_GONE, "p6");
	ask(false, 100, AT);
	assert_string_equal(got, "1: 0=p1@1 1=p2@16 5=p6@21\n");
	ask(true, 100, AT);
	assert_string_equal(got, "1: 0=p1@1 1=p2@16 2=p3@17 3=p4@20 4=p5@2 5=p6@21\n");
}

/* The first segment was refused without an id, or its answer brought none. */
static void the_first_that_has_an_id_stands_for_all(void **state)
{
	(void)state;
	sent(1, DLV_ACCEPTED);
	made(1, 0, LT_UNKNOWN, "");
	made(1, 1, LT_ACCEPTED, "p2");
	made(1, 2, LT_ACCEPTED, "p3");
	ask(false, 100, AT);
	assert_string_equal(got, "1: 1=p2@1 2=p3@1\n");
}

static void what_a_report_has_ended_is_not_asked_about(void **state)
{
	char sql[200];

	(void)state;
	for (int i = 1; i <= 4; i++) {
		char id[8];
		sent(i, DLV_ACCEPTED);
		snprintf(id, sizeof(id), "p%d", i);
		ref(i, 0, id);
		snprintf(sql, sizeof(sql),
			"INSERT INTO receipt(delivery_id, effect, state, at) VALUES (%d,0,%d,1)", i,
			LT_RC_TRANSIT +
				(i == 1                  ? 0
						: i == 2 ? 1
						: i == 3 ? 4
							 : 5));
		run(sql);
	}
	ask(false, 100, AT); /* in transit, and gone since: neither is its end */
	assert_string_equal(got, "1: 0=p1@1\n4: 0=p4@1\n");
	ask(true, 100, AT);
	assert_string_equal(got, "1: 0=p1@1\n2: 0=p2@1\n3: 0=p3@1\n4: 0=p4@1\n");
}

/* Two deliveries may have one id, an id may be of several effects, a lane has many days: none is left out, none comes twice. */
static void a_round_goes_on_where_the_last_chunk_ended(void **state)
{
	static const char all[] =
		"1: 0=p1@1\n2: 0=p1@1\n3: 0=p1@1\n4: 0=p4@1\n5: 0=p5@1\n6: 0=p6@1\n";

	(void)state;
	run("INSERT INTO lane(id, account_id, class, gate, tokens, tokens_at) VALUES (2,1,'x',0,0,0)");
	for (int i = 1; i <= 6; i++) {
		static const char *const id[] = { "p1", "p1", "p1", "p4", "p5", "p6" };
		sent(i, DLV_ACCEPTED);
		ref(i, 0, id[i - 1]);
	}
	run("UPDATE ref SET day=day+1 WHERE provider_id='p5'");
	run("UPDATE ref SET lane_id=2 WHERE provider_id='p6'");
	ask(false, 100, AT);
	assert_string_equal(got, all);
	for (size_t max = 1; max <= 5; max++) {
		ask(false, max, AT);
		assert_string_equal(got, all);
	}
}

static void who_is_forgotten_has_no_address_and_a_link_that_is_known_is_said(void **state)
{
	(void)state;
	sent(1, DLV_ACCEPTED);
	ref(1, 0, "p1");
	run("UPDATE contact SET address='forgotten:abc' WHERE id=1");
	sent(2, DLV_ACCEPTED);
	ref(2, 0, "p2");
	run("UPDATE attempt SET url='https://x/2' WHERE delivery_id=2");
	sent(3, DLV_ACCEPTED);
	ref(3, 0, "p3");
	run("INSERT INTO step(delivery_id, name, value) VALUES (3,'!link','https://x/3')");
	ask(false, 100, AT);
	assert_string_equal(got, "1: 0=p1@1 forgotten\n2+: 0=p2@1\n3+: 0=p3@1\n");
}

static int on_number(void *ctx, const struct q_number *n)
{
	size_t at = strlen(got);

	(void)ctx;
	(void)snprintf(got + at, sizeof(got) - at, "%.*s/%.*s %.*s=%lld@%lld\n", (int)n->channel.n,
		n->channel.n ? n->channel.p : "", (int)n->account.n,
		n->account.n ? n->account.p : "", (int)n->name.n, n->name.p, (long long)n->value,
		(long long)n->at_ms);
	return 0;
}

static void the_newest_number_of_each_name_is_told(void **state)
{
	(void)state;
	run("INSERT INTO account_stat(account_id, name, day, at, value) VALUES (1,'followers',1,100,7), "
	    "(1,'followers',2,200,5), (1,'quota',1,150,9)");
	run("INSERT INTO stat(delivery_id, name, day, value) VALUES (1,'clicks',1,3), (1,'clicks',2,2), "
	    "(1,'views',1,8), (2,'views',3,99)");
	struct store_reader *r = teststore_reader(&ts);
	got[0] = 0;
	assert_int_equal(q_account_stats(r, on_number, NULL), 0);
	assert_string_equal(got, "mail/relay followers=5@200\nmail/relay quota=9@150\n");
	got[0] = 0;
	assert_int_equal(q_stats(r, 1, on_number, NULL), 0);
	assert_string_equal(got, "/ clicks=2@172800000\n/ views=8@86400000\n");
	teststore_reader_end(&ts, r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(what_made_one_thing_is_asked_about_by_its_id),
		T(what_made_several_things_is_asked_about_once),
		T(the_first_that_has_an_id_stands_for_all),
		T(what_a_report_has_ended_is_not_asked_about),
		T(a_round_goes_on_where_the_last_chunk_ended),
		T(who_is_forgotten_has_no_address_and_a_link_that_is_known_is_said),
		T(the_newest_number_of_each_name_is_told),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
