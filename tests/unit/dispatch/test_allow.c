/* test_allow.c - an address that is taken off the list of those that must not be contacted: what bounced with a reason, what the person
 * wanted only where it agreed again; the next release reaches it, and what was left out before stays left out. */
#include "dispatch/dispatch_internal.h"
#include "scene.h"
#include "store/store_allow.h"

static struct fake_answer answer;
static struct fake_answer script_same(const struct chan_op *op)
{
	UNUSED(op);
	return answer;
}
static int setup(void **state)
{
	UNUSED(state);
	scene_open(12);
	fake.script = script_same;
	answer = (struct fake_answer){ .outcome = LT_ACCEPTED };
	scene_start();
	return 0;
}
static int teardown(void **state)
{
	UNUSED(state);
	scene_close();
	return 0;
}

static int64_t next_release;
/* A release to one address, contact 1, that exists from the first call on: the state of its delivery in the end. */
static int64_t send(int category)
{
	bool first = sc.next_contact == 1;
	int64_t release = first ? next_release = 1 : ++next_release;

	scene_release(release, PRIO_NORMAL, category);
	int64_t lot = scene_lot(release, 0, 1, 1, 1);
	if (!first)
		scene_exec("UPDATE delivery SET contact_id=1, target_id=1 WHERE lot_id=%lld",
			(long long)lot);
	scene_run(3000);
	return scene_i64("SELECT state FROM delivery WHERE lot_id=%lld", (long long)lot);
}
static int64_t notice(void)
{
	return send(CAT_PUBLIC_NOTICE);
}
static int64_t bounce(const char *code)
{
	answer = (struct fake_answer){
		.outcome = LT_REFUSED, .flags = LT_R_SUPPRESS, .code = code
	};
	int64_t state = notice();
	answer = (struct fake_answer){ .outcome = LT_ACCEPTED };
	return state;
}
static void opt_out(int64_t list)
{
	char token[UNSUB_MAX];

	unsub_make(sc.ts.s, 1, list, token);
	dispatch_unsubscribe(sc.d, str_of(token), NULL, NULL);
	scene_settle();
}

static struct allow_cmd a;
static int allow_list(const char *address, bool agreed, const char *list)
{
	memset(&a, 0, sizeof(a));
	a.n = 2;
	a.v[0].kind = KIND_EMAIL;
	a.v[1].kind = KIND_SMS; /* the same words may be an address of another kind */
	for (int i = 0; i < 2; i++)
		(void)str_copy(a.v[i].address, sizeof(a.v[i].address), str_of(address));
	a.agreed = agreed;
	a.list = list;
	a.person = "an";
	a.via = "uid:1";
	a.why = "mailbox mended";
	allow_prepare(&a);
	return teststore_do(&sc.ts, &a.cmd);
}
static int allow(bool agreed)
{
	return allow_list("a1@x.example", agreed, NULL);
}
static void refused(int rc, int expect, const char *words)
{
	if (rc != expect || !strstr(a.cmd.err.text, words))
		fail_msg("%d: %s", rc, a.cmd.err.text);
	assert_null(strstr(a.cmd.err.text, "x.example"));
	assert_int_equal(
		scene_i64("SELECT count(*) FROM audit WHERE what='suppression.remove'"), 0);
}
static int64_t stands(void)
{
	return scene_i64("SELECT count(*) FROM suppression");
}

static void after_a_bounce_the_next_release_reaches_it_again(void **state)
{
	UNUSED(state);
	assert_int_equal(bounce("550 5.1.1"), DLV_FAILED);
	assert_int_equal(notice(), DLV_SUPPRESSED);
	int64_t since = scene_i64("SELECT since FROM suppression");
	assert_int_equal(allow(false), 0);
	assert_int_equal(a.n_ret, 1);
	assert_true(a.ret[0].lifted);
	assert_int_equal(a.ret[0].kind, KIND_EMAIL);
	assert_string_equal(a.ret[0].list, "");
	assert_int_equal(a.ret[0].reason, SUP_HARD);
	assert_int_equal(a.ret[0].strikes, 1);
	assert_true(since > 0);
	assert_int_equal(a.ret[0].since, since);
	assert_int_equal(stands(), 0);
	assert_int_equal(notice(), DLV_ACCEPTED);
	assert_int_equal(scene_state(DLV_SUPPRESSED), 1); /* the one before stays left out */
	assert_int_equal(allow(false), -ENOENT);
	scene_check();
}

static void the_audit_says_who_lifted_what_and_why_and_names_no_address(void **state)
{
	UNUSED(state);
	(void)bounce("550 5.1.1");
	assert_int_equal(allow(false), 0);
	assert_int_equal(
		scene_i64(
			"SELECT count(*) FROM audit WHERE what='suppression.remove' AND person='an' AND "
			"via='uid:1' AND why='mailbox mended' AND was='hard list:(all)' AND now='allowed' AND "
			"subject LIKE "
			"'contact:%%' AND subject NOT LIKE '%%x.example%%' AND length(subject)=72"),
		1);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM audit WHERE instr(subject||ifnull(was,'')||"
			  "ifnull(now,'')||ifnull(why,''), 'a1@')>0"),
		0);
}

static void nothing_is_lifted_where_nothing_is_suppressed(void **state)
{
	UNUSED(state);
	(void)bounce("550 5.1.1");
	refused(allow_list("a2@x.example", true, NULL), -ENOENT, "nothing is suppressed");
	refused(allow_list("a1@x.example", true, "news"), -ENOENT, "targets show");
	assert_int_equal(stands(), 1);
}

static void who_unsubscribed_gets_mail_only_after_agreeing_again(void **state)
{
	UNUSED(state);
	assert_int_equal(notice(), DLV_ACCEPTED);
	opt_out(0);
	assert_int_equal(notice(), DLV_SUPPRESSED);
	refused(allow(false), -EBADMSG, "--agreed-again");
	assert_non_null(strstr(a.cmd.err.text, "opt_out"));
	assert_int_equal(notice(), DLV_SUPPRESSED);
	assert_int_equal(allow(true), 0);
	assert_int_equal(a.ret[0].reason, SUP_OPT_OUT);
	assert_int_equal(scene_i64("SELECT count(*) FROM audit WHERE what='suppression.remove' AND "
				   "was='opt_out list:(all)' AND now='allowed, agreed again'"),
		1);
	assert_int_equal(notice(), DLV_ACCEPTED);
}

static void each_wish_of_a_person_needs_its_word(void **state)
{
	UNUSED(state);
	static const int wishes[] = { SUP_OPT_OUT, SUP_COMPLAINT, SUP_PERSON, SUP_DO_NOT_CALL };
	(void)bounce("550 5.1.1");
	for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
		scene_exec("UPDATE suppression SET reason=%d", wishes[i]);
		refused(allow(false), -EBADMSG, suppress_reason_name(wishes[i]));
	}
	scene_exec("UPDATE suppression SET reason=%d", (int)SUP_SOFT);
	assert_int_equal(allow(false), 0);
}

/* Otherwise the bounce would be lifted, and the wish with it. */
static void a_wish_is_not_hidden_behind_a_bounce(void **state)
{
	UNUSED(state);
	(void)bounce("550 5.1.1");
	opt_out(0);
	assert_int_equal(scene_i64("SELECT reason FROM suppression"), SUP_OPT_OUT);
	refused(allow(false), -EBADMSG, "opt_out");
	assert_int_equal(stands(), 1);
}

static void a_bounce_goes_and_the_list_that_was_left_stays_left(void **state)
{
	UNUSED(state);
	(void)notice();
	scene_exec("INSERT INTO list(id, name) VALUES (5, 'news')");
	scene_exec("INSERT INTO list_target(list_id, target_id) VALUES (5, 1)");
	(void)bounce("550 5.1.1");
	opt_out(5);
	assert_int_equal(stands(), 2);
	assert_int_equal(allow(false), 0);
	assert_int_equal(a.n_ret, 2);
	assert_true(a.ret[0].lifted);
	assert_string_equal(a.ret[1].list, "news");
	assert_false(a.ret[1].lifted);
	assert_int_equal(stands(), 1);
	assert_int_equal(notice(), DLV_SUPPRESSED); /* it is on that list */
	scene_exec("DELETE FROM list_target");
	assert_int_equal(notice(), DLV_ACCEPTED);
}

static void one_list_alone_can_be_lifted(void **state)
{
	UNUSED(state);
	(void)bounce("550 5.1.1");
	scene_exec(
		"INSERT INTO suppression(who, list, reason, strikes, since) SELECT who, '" SUPPRESS_ADS
		"', 3, 1, 9 FROM suppression");
	assert_int_equal(allow_list("a1@x.example", true, ""), 0);
	assert_int_equal(a.n_ret, 1);
	assert_int_equal(
		scene_i64("SELECT count(*) FROM suppression WHERE list='" SUPPRESS_ADS "'"), 1);
	assert_int_equal(notice(), DLV_ACCEPTED);
	assert_int_equal(send(CAT_ADVERTISING), DLV_SUPPRESSED);
	assert_int_equal(allow_list("a1@x.example", true, SUPPRESS_ADS), 0);
	assert_int_equal(send(CAT_ADVERTISING), DLV_ACCEPTED);
}

static void old_marks_do_not_count_against_it_any_more(void **state)
{
	UNUSED(state);
	for (int i = 0; i < 2; i++) /* two of these suppress it */
		assert_int_equal(bounce("550 5.2.1"), DLV_FAILED);
	assert_int_equal(notice(), DLV_SUPPRESSED);
	assert_int_equal(allow(false), 0);
	assert_int_equal(scene_i64("SELECT count(*) FROM strike"), 0);
	assert_int_equal(bounce("550 5.2.1"), DLV_FAILED);
	assert_int_equal(stands(), 0);
	assert_int_equal(notice(), DLV_ACCEPTED);
	assert_int_equal(bounce("550 5.2.1"), DLV_FAILED);
	assert_int_equal(notice(), DLV_SUPPRESSED); /* a mailbox that is off is off */
}

static void what_was_erased_is_not_undone_by_a_reason_alone(void **state)
{
	UNUSED(state);
	struct forget_cmd f = { .n = 1, .person = "an", .via = "uid:1", .why = "asked" };
	(void)bounce("550 5.1.1");
	f.v[0].kind = KIND_EMAIL;
	(void)str_copy(f.v[0].address, sizeof(f.v[0].address), STR("a1@x.example"));
	forget_prepare(&f);
	assert_int_equal(teststore_do(&sc.ts, &f.cmd), 0);
	assert_int_equal(stands(), 1);
	refused(allow(false), -EBADMSG, "erased");
	assert_int_equal(allow(true), 0);
	assert_true(a.ret[0].erased);
	assert_int_equal(stands(), 0); /* and of the address nothing came back */
	assert_int_equal(
		scene_i64("SELECT count(*) FROM contact WHERE address NOT LIKE 'forgotten:%%'"), 0);
}

static void more_entries_than_fit_are_refused_whole(void **state)
{
	UNUSED(state);
	(void)bounce("550 5.1.1");
	scene_exec(
		"WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM k WHERE i<%d) INSERT INTO "
		"suppression(who, list, reason, strikes, since) SELECT who, 'l' || i, 1, 1, 9 FROM suppression, k",
		ALLOW_MAX);
	refused(allow(false), -E2BIG, "--list");
	assert_int_equal(stands(), ALLOW_MAX + 1);
	assert_int_equal(allow_list("a1@x.example", false, "l7"), 0);
	assert_int_equal(allow(false), 0); /* now they fit, to the last */
	assert_int_equal(stands(), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(after_a_bounce_the_next_release_reaches_it_again),
		T(the_audit_says_who_lifted_what_and_why_and_names_no_address),
		T(nothing_is_lifted_where_nothing_is_suppressed),
		T(who_unsubscribed_gets_mail_only_after_agreeing_again),
		T(each_wish_of_a_person_needs_its_word),
		T(a_wish_is_not_hidden_behind_a_bounce),
		T(a_bounce_goes_and_the_list_that_was_left_stays_left),
		T(one_list_alone_can_be_lifted),
		T(old_marks_do_not_count_against_it_any_more),
		T(what_was_erased_is_not_undone_by_a_reason_alone),
		T(more_entries_than_fit_are_refused_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
