/* test_cast.c - broadcasts on the loop: each waits for its articles, goes out once with their ids, and within its allowance. */
#include "scene.h"
#include "dispatch/dispatch_internal.h"
#include "model/when.h"

#define CONTACT 500
#define DAY_MS  (24 * HR_MS)

static char ids_seen[400]; /* ids of the last broadcast that was started */
static bool lose_casts, lose_articles, refuse_articles;

static bool is_cast(const struct chan_op *op)
{
	return scene_i64("SELECT once>>4&63 FROM delivery WHERE id=%lld",
		       (long long)op->delivery) == ONCE_SLOT_BROADCAST;
}

static struct fake_answer script(const struct chan_op *op)
{
	struct fake_answer an = { .outcome = LT_ACCEPTED };

	if (!is_cast(op)) {
		an.never = lose_articles;
		if (refuse_articles)
			an = (struct fake_answer){ .outcome = LT_REFUSED, .unpublished = true };
		return an;
	}
	ids_seen[0] = 0;
	for (size_t i = 0; i < op->n_ids; i++)
		snprintf(ids_seen + strlen(ids_seen), sizeof(ids_seen) - strlen(ids_seen), "%.*s ",
			(int)op->ids[i].id.n, op->ids[i].id.p);
	an.never = lose_casts;
	return an;
}

static int setup(void **state)
{
	UNUSED(state);
	scene_open(21);
	fake.script = script;
	fake.outcome_of_question = LT_UNKNOWN;
	ids_seen[0] = 0;
	lose_casts = lose_articles = refuse_articles = false;
	scene_exec(
		"INSERT INTO contact(id, kind, address, form, class) VALUES (%d, 4, 'oa:1@x', 'oa', '')",
		CONTACT);
	scene_exec(
		"INSERT INTO target(id, contact_id, lane_id, office_id, lang, flags, seen_import) "
		"VALUES (%d, %d, 1, 1, 'vi', 0, 1)",
		CONTACT, CONTACT);
	return 0;
}
static int teardown(void **state)
{
	UNUSED(state);
	scene_close();
	return 0;
}

/* One delivery to the account, in a lot of its own. */
static int64_t put(int64_t release, int part, unsigned slot, int state)
{
	int64_t lot = sc.next_lot++, id = sc.next_delivery++, now = env_wall(&sc.te.env);

	scene_exec(
		"INSERT INTO lot(id, release_id, part, lane_id, office_id, manifest, gate, prio, at, "
		"expires, n%d) SELECT %lld, %lld, %d, 1, 1, cast(printf('%%032d', %lld) as blob), 1, "
		"prio, %lld, %lld, 1 FROM release WHERE id=%lld",
		state, (long long)lot, (long long)release, part, (long long)release, (long long)now,
		(long long)(now + 48 * HR_MS), (long long)release);
	scene_exec(
		"INSERT INTO delivery(id, lot_id, contact_id, once, state, tries, due, target_id) "
		"VALUES (%lld, %lld, %d, %lld, %d, 0, 0, %d)",
		(long long)id, (long long)lot, CONTACT,
		(long long)dlv_once(release, slot, KIND_ZALO), state, CONTACT);
	if (state == DLV_ACCEPTED)
		scene_exec(
			"INSERT INTO attempt(delivery_id, try, started, took_ms, outcome, scope, "
			"provider_id) VALUES (%lld, 1, %lld, 5, 1, 0, 'art-%lld')",
			(long long)id, (long long)now, (long long)release);
	dispatch_scan(sc.d);
	return id;
}

/* A release with an article (part 1) and its broadcast (part 2). */
static void release_of(int64_t id, int64_t campaign)
{
	scene_release(id, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	if (campaign)
		scene_exec("UPDATE release SET campaign_id=%lld WHERE id=%lld", (long long)campaign,
			(long long)id);
	scene_exec("INSERT INTO part(release_id, rev, part, name, state, slot) VALUES "
		   "(%lld,1,1,'p',1,0), (%lld,1,2,'p.broadcast',1,63)",
		(long long)id, (long long)id);
}

static int state_of(int64_t delivery)
{
	return (int)scene_i64("SELECT state FROM delivery WHERE id=%lld", (long long)delivery);
}

static bool says(int64_t delivery, const char *words)
{
	return scene_i64(
		       "SELECT count(*) FROM delivery d JOIN lot l ON l.id=d.lot_id WHERE d.id=%lld "
		       "AND (instr(ifnull(l.why,''),'%s')>0 OR EXISTS (SELECT 1 FROM step s WHERE "
		       "s.delivery_id=d.id AND s.name='!why' AND instr(s.value,'%s')>0))",
		       (long long)delivery, words, words) == 1;
}

static void a_broadcast_goes_behind_its_article_with_the_id_of_it(void **state)
{
	UNUSED(state);
	release_of(1, 0);
	int64_t cast = put(1, 2, 63, DLV_WAITING); /* looked at first */
	int64_t article = put(1, 1, 0, DLV_WAITING);
	scene_start();
	scene_run(1500);
	assert_int_equal(state_of(article), DLV_ACCEPTED);
	assert_int_equal(state_of(cast), DLV_ACCEPTED);
	assert_int_equal(fake.who[0], article);
	assert_int_equal(fake.who[1], cast);
	assert_string_equal(ids_seen, "id-2 ");
	assert_int_equal(fake.n_doubles, 0);
}

static void it_waits_while_its_article_may_be_out_or_not(void **state)
{
	UNUSED(state);
	lose_articles = true;
	release_of(1, 0);
	int64_t article = put(1, 1, 0, DLV_WAITING), cast = put(1, 2, 63, DLV_WAITING);
	scene_start();
	scene_run(10 * MIN_MS);
	assert_int_equal(state_of(article), DLV_UNKNOWN);
	assert_int_equal(state_of(cast), DLV_WAITING);
	assert_int_equal(scene_i64("SELECT tries FROM delivery WHERE id=%lld", (long long)cast), 0);
	assert_int_equal(fake.n_published, 1);
	/* Somebody settles the article: the broadcast follows within the pause of its question. */
	scene_exec("UPDATE delivery SET state=2 WHERE id=%lld", (long long)article);
	scene_exec("UPDATE attempt SET provider_id='found' WHERE delivery_id=%lld",
		(long long)article);
	scene_exec("UPDATE lot SET n8=0, n2=1 WHERE n8=1");
	scene_run(40000);
	assert_int_equal(state_of(cast), DLV_ACCEPTED);
	assert_string_equal(ids_seen, "found ");
}

static void without_an_article_there_is_nothing_to_tell(void **state)
{
	static const struct {
		int state;
		int to;
		const char *why;
	} rows[] = { { DLV_CANCELLED, DLV_CANCELLED, "was cancelled" },
		{ DLV_EXPIRED, DLV_CANCELLED, "has expired" },
		{ DLV_SUPPRESSED, DLV_CANCELLED, "was suppressed" },
		{ DLV_FAILED, DLV_WAITING, "" }, { DLV_HELD, DLV_WAITING, "" },
		{ DLV_DOUBT, DLV_WAITING, "" } };

	UNUSED(state);
	int64_t cast[6];
	for (size_t i = 0; i < 6; i++) {
		release_of((int64_t)i + 1, 0);
		(void)put((int64_t)i + 1, 1, 0, rows[i].state);
		cast[i] = put((int64_t)i + 1, 2, 63, DLV_WAITING);
	}
	scene_start();
	scene_run(MIN_MS);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(state_of(cast[i]), rows[i].to);
		if (rows[i].why[0])
			assert_true(says(cast[i], rows[i].why));
	}
	assert_int_equal(fake.n_published, 0);
}

static void an_article_that_was_taken_back_is_not_told(void **state)
{
	UNUSED(state);
	release_of(1, 0);
	int64_t article = put(1, 1, 0, DLV_ACCEPTED), cast = put(1, 2, 63, DLV_WAITING);
	scene_exec(
		"INSERT INTO recall(delivery_id, release_id, state, tries, due, asked, at, person) "
		"VALUES (%lld, 1, 2, 1, 0, 0, 0, 'oanh')",
		(long long)article);
	scene_start();
	scene_run(5000);
	assert_int_equal(state_of(cast), DLV_CANCELLED);
	assert_true(says(cast, "taken back"));
}

static void companions_go_with_it_in_their_order_or_a_person_is_asked(void **state)
{
	UNUSED(state);
	for (int64_t r = 1; r <= 4; r++) {
		release_of(r, 0);
		(void)put(r, 1, 0, DLV_ACCEPTED);
	}
	release_of(5, 0);
	scene_exec("INSERT INTO companion VALUES (4,1,0,2), (4,1,1,1), (3,1,0,5)");
	int64_t cast = put(4, 2, 63, DLV_WAITING), bad = put(3, 2, 63, DLV_WAITING);
	scene_start();
	scene_run(2000);
	assert_int_equal(state_of(cast), DLV_ACCEPTED);
	assert_string_equal(ids_seen, "art-4 art-2 art-1 ");
	assert_int_equal(state_of(bad), DLV_HELD);
	assert_true(says(bad, "has none on this account"));
}

static void a_lost_answer_stays_unknown_over_restarts_until_a_person_speaks(void **state)
{
	UNUSED(state);
	lose_casts = true;
	release_of(1, 0);
	(void)put(1, 1, 0, DLV_ACCEPTED);
	int64_t cast = put(1, 2, 63, DLV_WAITING);
	scene_start();
	scene_run(MIN_MS);
	assert_int_equal(state_of(cast), DLV_UNKNOWN);
	lose_casts = false;
	for (int i = 0; i < 3; i++) {
		scene_crash();
		scene_restart();
		scene_run(5 * MIN_MS);
	}
	assert_int_equal(state_of(cast), DLV_UNKNOWN);
	assert_int_equal(fake.n_published, 1);
	scene_run(25 * HR_MS);
	assert_int_equal(state_of(cast), DLV_DOUBT);
	assert_int_equal(fake.n_published, 1);
}

static void limits(int64_t month, int64_t campaign)
{
	sc.acct[0].broadcasts = (struct cast_limits){ month + 1, campaign + 1, 0 };
	scene_reload();
}

static void the_allowance_of_a_month_counts_what_went_out_or_may_have(void **state)
{
	UNUSED(state);
	int64_t cast[4];
	limits(2, -1);
	for (int64_t r = 0; r < 3; r++) {
		release_of(r + 1, 0);
		(void)put(r + 1, 1, 0, DLV_ACCEPTED);
	}
	lose_casts = true;
	cast[0] = put(1, 2, 63, DLV_WAITING);
	scene_start();
	scene_run(MIN_MS);
	assert_int_equal(state_of(cast[0]), DLV_UNKNOWN); /* it counts */
	lose_casts = false;
	cast[1] = put(2, 2, 63, DLV_WAITING);
	scene_run(MIN_MS);
	assert_int_equal(state_of(cast[1]), DLV_ACCEPTED);
	cast[2] = put(3, 2, 63, DLV_WAITING);
	scene_run(MIN_MS);
	assert_int_equal(state_of(cast[2]), DLV_WAITING);
	assert_true(says(cast[2], "allowance: 2 of 2 broadcasts since 01/"));
	assert_int_equal(fake.n_published, 2);
	/* The first had not gone out, a person says: then one more may. */
	scene_exec("UPDATE delivery SET state=6 WHERE id=%lld", (long long)cast[0]);
	scene_exec("DELETE FROM attempt WHERE delivery_id=%lld", (long long)cast[0]);
	scene_exec("UPDATE lot SET n8=0, n6=1 WHERE n8=1");
	scene_exec("UPDATE lot SET gate=1, why=NULL WHERE gate=2");
	dispatch_scan(sc.d);
	scene_run(MIN_MS);
	assert_int_equal(state_of(cast[2]), DLV_ACCEPTED);
}

static void two_at_the_same_moment_share_what_is_left(void **state)
{
	UNUSED(state);
	limits(1, -1);
	for (int64_t r = 1; r <= 2; r++) {
		release_of(r, 0);
		(void)put(r, 1, 0, DLV_ACCEPTED);
		(void)put(r, 2, 63, DLV_WAITING);
	}
	scene_start();
	scene_run(MIN_MS);
	assert_int_equal(fake.n_published, 1);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM lot WHERE gate=2 AND why LIKE 'allowance:%%'"), 1);
}

static void the_allowance_of_a_campaign_is_its_own_and_the_next_month_begins_anew(void **state)
{
	UNUSED(state);
	scene_exec("INSERT INTO campaign(id, name, title, first, last, prio) VALUES (1,'c','C',0,"
		   "9000000000000000,1)");
	limits(1, 1);
	for (int64_t r = 1; r <= 3; r++) {
		release_of(r, r < 3 ? 1 : 0);
		(void)put(r, 1, 0, DLV_ACCEPTED);
	}
	int64_t first = put(1, 2, 63, DLV_WAITING);
	scene_start();
	scene_run(MIN_MS);
	assert_int_equal(state_of(first), DLV_ACCEPTED);
	sc.te.wall += 32 * DAY_MS;
	scene_run(25000);
	int64_t second = put(2, 2, 63, DLV_WAITING), other = put(3, 2, 63, DLV_WAITING);
	scene_run(MIN_MS);
	assert_int_equal(state_of(second), DLV_WAITING);
	assert_true(says(second, "allowance: 1 of 1 broadcasts of this campaign"));
	assert_int_equal(state_of(other), DLV_ACCEPTED); /* another month, no campaign */
}

static void an_allowance_of_none_lets_none_out(void **state)
{
	UNUSED(state);
	limits(0, -1);
	release_of(1, 0);
	(void)put(1, 1, 0, DLV_ACCEPTED);
	int64_t cast = put(1, 2, 63, DLV_WAITING);
	scene_start();
	scene_run(MIN_MS);
	assert_int_equal(fake.n_published, 0);
	assert_true(says(cast, "allowance: 0 of 0"));
}

static void its_hours_are_its_own_and_the_article_does_not_wait_for_them(void **state)
{
	UNUSED(state);
	struct civil c;
	civil_from_ms(env_wall(&sc.te.env), &sc.conf.zone, &c);
	uint16_t from = (uint16_t)((c.hour * 60 + c.minute + 120) % 1440);
	/* an hour that begins in two */
	sc.ch[0].broadcast_hours.n = 1;
	sc.ch[0].broadcast_hours.span[0].days = 0x7f;
	sc.ch[0].broadcast_hours.span[0].from_min = from;
	sc.ch[0].broadcast_hours.span[0].to_min = (uint16_t)((from + 60) % 1440);
	scene_reload();
	release_of(1, 0);
	int64_t article = put(1, 1, 0, DLV_WAITING), cast = put(1, 2, 63, DLV_WAITING);
	scene_start();
	scene_run(100 * MIN_MS);
	assert_int_equal(state_of(article), DLV_ACCEPTED);
	assert_int_equal(state_of(cast), DLV_WAITING);
	scene_run(40 * MIN_MS);
	assert_int_equal(state_of(cast), DLV_ACCEPTED);
}

static void a_hold_and_the_expiry_act_on_it_alone(void **state)
{
	UNUSED(state);
	release_of(1, 0);
	(void)put(1, 1, 0, DLV_ACCEPTED);
	int64_t cast = put(1, 2, 63, DLV_WAITING);
	scene_exec("UPDATE lot SET gate=2, why='held: a person' WHERE part=2");
	scene_start();
	scene_run(MIN_MS);
	assert_int_equal(state_of(cast), DLV_WAITING);
	assert_int_equal(fake.n_published, 0);
	scene_run(49 * HR_MS);
	assert_int_equal(state_of(cast), DLV_EXPIRED);
	assert_int_equal(fake.n_published, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_broadcast_goes_behind_its_article_with_the_id_of_it),
		T(it_waits_while_its_article_may_be_out_or_not),
		T(without_an_article_there_is_nothing_to_tell),
		T(an_article_that_was_taken_back_is_not_told),
		T(companions_go_with_it_in_their_order_or_a_person_is_asked),
		T(a_lost_answer_stays_unknown_over_restarts_until_a_person_speaks),
		T(the_allowance_of_a_month_counts_what_went_out_or_may_have),
		T(two_at_the_same_moment_share_what_is_left),
		T(the_allowance_of_a_campaign_is_its_own_and_the_next_month_begins_anew),
		T(an_allowance_of_none_lets_none_out),
		T(its_hours_are_its_own_and_the_article_does_not_wait_for_them),
		T(a_hold_and_the_expiry_act_on_it_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
