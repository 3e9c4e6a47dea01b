/* test_edited.c - what was approved and sent long ago is edited in the database: fsck names the release, the part and what differs. */
#include "scene.h"
#include "store/store_fsck.h"

struct seen {
	char subject[80], text[ERR_TEXT_MAX];
	size_t n;
};

static void on_problem(void *ctx, const struct fsck_problem *p)
{
	struct seen *s = ctx;
	if (strcmp(p->check, "text") != 0)
		return; /* the scene has no dispatch: its lots and seals are not looked at here */
	if (s->n++ > 0)
		return;
	(void)str_copy(s->subject, sizeof(s->subject), str_of(p->subject));
	(void)str_copy(s->text, sizeof(s->text), str_of(p->text));
}

static int on_text(void *ctx, struct store_reader *r, int64_t release_id, int64_t rev,
	const struct manifest *approved, struct str bytes, struct err *e)
{
	UNUSED(ctx);
	return plan_verify_stored(r, release_id, rev, approved, bytes, e);
}

static uint64_t fsck(struct seen *s)
{
	struct store_reader *r = NULL;
	struct fsck_result res;
	struct fsck_opts o = { .report = on_problem, .text_verify = on_text, .ctx = s };
	memset(s, 0, sizeof(*s));
	assert_int_equal(store_reader_get(sc.ts.s, &r), 0);
	assert_int_equal(store_fsck(r, &o, &res), 0);
	store_reader_put(sc.ts.s, r);
	return res.texts;
}

/* One release with two parts and a local text, approved, sent, done. */
static void send_it(void)
{
	char json[300];
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-1",
				"  press: {to: press, channels: [email], at: 2026-11-23 10:00, spread: 20m}\n"
				"  desk: {to: offices, channels: [email], after: press}\n") BODY),
		0);
	assert_int_equal(scene_approve("minh"), 0);
	assert_int_equal(scene_act(plan_local_set, "lan",
				 "{\"office\":\"dien-bien\",\"text\":\"Also at the market.\"}"),
		0);
	snprintf(json, sizeof(json), "{\"office\":\"dien-bien\",\"hash\":\"%s\"}",
		json_z(sc.json, "hash", ""));
	assert_int_equal(scene_act(plan_local_approve, "minh", json), 0);
	for (int i = 0; i < 3; i++) {
		scene_run(2 * HOUR);
		scene_send_all();
	}
	scene_run(HOUR);
	assert_int_equal(scene_i64("SELECT state FROM release"), REL_DONE);
}

static void what_was_sent_and_not_touched_is_clean(void **state)
{
	UNUSED(state);
	struct seen s;
	send_it();
	assert_int_equal(fsck(&s), 2); /* the release and the local text */
	if (s.n)
		print_message("%s: %s\n", s.subject, s.text);
	assert_int_equal(s.n, 0);
}

static void a_text_that_was_never_approved_is_not_compared(void **state)
{
	UNUSED(state);
	struct seen s;
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	scene_sql("UPDATE revision SET body='Other words.'");
	assert_int_equal(fsck(&s), 0);
	assert_int_equal(s.n, 0);
}

static void a_revision_that_was_approved_and_replaced_is_compared_too(void **state)
{
	UNUSED(state);
	struct seen s;
	scene_go("  press: {to: press, channels: [email], at: 2026-11-23 10:00}\n");
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-1",
				"  press: {to: press, channels: [email], at: 2026-11-23 10:00}\n") "A newer text.\n"),
		0);
	assert_int_equal(fsck(&s), 1);
	assert_int_equal(s.n, 0);
	scene_sql("UPDATE revision SET body='Other words.' WHERE rev=1");
	(void)fsck(&s);
	assert_string_equal(s.subject, "release:TTBC-1@2026");
	assert_non_null(strstr(s.text, "revision 1 "));
}

struct edit {
	const char *sql, *subject, *word;
};
static const struct edit edits[] = {
	{ "UPDATE revision SET body='Other words.'", "release:TTBC-1@2026", "text 'body' (vi)" },
	{ "UPDATE revision SET front=replace(front, 'A title of', 'No title of')",
		"release:TTBC-1@2026", "text 'title' (vi)" },
	{ "UPDATE revision SET front=replace(front, '20m', '40m')", "release:TTBC-1@2026",
		"part 'press': spread" },
	{ "UPDATE revision SET front=replace(front, 'desk', 'task')", "release:TTBC-1@2026",
		"part 'desk': name" },
	{ "UPDATE revision SET front='no front'", "release:TTBC-1@2026",
		"revision 1 cannot be read any more" },
	{ "DELETE FROM revision", "release:TTBC-1@2026", "revision 1 cannot be read any more" },
	{ "UPDATE part SET name='other' WHERE part=1", "release:TTBC-1@2026",
		"part 'press' of revision 1 is named 'other'" },
	{ "UPDATE part SET spread_ms=5 WHERE part=1", "release:TTBC-1@2026",
		"part 'press' of revision 1: 'spread' is 5, approved was 1200000" },
	{ "UPDATE part SET after=NULL WHERE part=2", "release:TTBC-1@2026",
		"part 'desk' of revision 1: 'after' is 0, approved was 1" },
	{ "UPDATE part SET cost_max=7 WHERE part=2", "release:TTBC-1@2026", "'max_cost' is 7" },
	{ "UPDATE part SET part=9 WHERE part=2", "release:TTBC-1@2026", "never approved" },
	{ "DELETE FROM part WHERE part=2", "release:TTBC-1@2026", "has 1 parts, approved were 2" },
	{ "UPDATE release SET title='Another'", "release:TTBC-1@2026", "the title in its row" },
	{ "UPDATE release SET code='TTBC-2'", "release:TTBC-2@2026", "the code in its row" },
	{ "UPDATE release SET category=1-(category=1)", "release:TTBC-1@2026",
		"the category in its row" },
	{ "UPDATE manifest SET rev=2", "release:TTBC-1@2026", "is of revision 1 and stands as" },
	{ "UPDATE approved_contact SET contact_id=30 WHERE contact_id=10", "release:TTBC-1@2026",
		"the list of email contacts of part 'press'" },
	{ "DELETE FROM approved_contact WHERE contact_id=23", "release:TTBC-1@2026",
		"part 'desk' is not the one that was approved with revision 1: 3 rows, approved were 4" },
	{ "UPDATE local_text SET text='Forged.'", "release:TTBC-1@2026",
		"the local text of office 'dien-bien'" },
	{ "UPDATE local_text SET approved_by='hoa'", "release:TTBC-1@2026", "our mark" },
	{ "UPDATE vars SET json='{}'", "values:", "an office" },
};

static void each_edit_behind_our_back_is_found_and_named(void **state)
{
	struct seen s;
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		const struct edit *x = &edits[i];
		if (i > 0) {
			scene_close(state);
			scene_open(state);
		}
		send_it();
		scene_sql("%s", x->sql);
		(void)fsck(&s);
		if (s.n == 0 || !str_starts(str_of(s.subject), x->subject) ||
			!strstr(s.text, x->word))
			fail_msg("%s: %zu found, first %s: %s", x->sql, s.n, s.subject, s.text);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_was_sent_and_not_touched_is_clean),
		T(a_text_that_was_never_approved_is_not_compared),
		T(a_revision_that_was_approved_and_replaced_is_compared_too),
		T(each_edit_behind_our_back_is_found_and_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
