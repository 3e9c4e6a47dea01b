/* test_release.c - what the release methods answer: the keys of the protocol, counted numbers, pages, what an office may see. */
#include "../plan/scene.h"
#include "ctl/ctl_release.h"
#include "store/store_status.h"

static int answered;
static cJSON *answer;

/* Stands in for the socket. */
void ctl_answer(struct ctl_call *c, int rc, const struct err *e, cJSON *result)
{
	UNUSED(c);
	UNUSED(e);
	assert_int_equal(rc, 0);
	answered++;
	answer = result;
}

void ctl_mask(const struct ctl_call *c, int kind, struct str address, char *ret, size_t size)
{
	UNUSED(c);
	UNUSED(kind);
	str_copy(ret, size, address);
}
bool ctl_may_see(const struct ctl_call *c, const char *office_code)
{
	UNUSED(office_code);
	return !c->who.office;
}

static cJSON *call_as(int (*fn)(struct ctl_call *, cJSON **, struct err *), const char *json,
	const char *office, int expect)
{
	struct err e = { 0 };
	cJSON *params CLEANUP_JSON = NULL, *ret = NULL;
	struct ctl_deps deps = { .env = &sc.te.env, .store = sc.ts.s, .plan = sc.p };
	assert_int_equal(json_parse(str_of(json), 10000, &params, &e), 0);
	struct ctl_call c = { .deps = &deps,
		.params = params,
		.who = { "minh", "uid:1", office, ROLE_VIEWER },
		.conf = &sc.conf };
	c.reader = teststore_reader(&sc.ts);
	int rc = fn(&c, &ret, &e);
	teststore_reader_end(&sc.ts, c.reader);
	if (rc != expect)
		print_message("%s\n", e.text);
	assert_int_equal(rc, expect);
	return ret;
}

static cJSON *call(int (*fn)(struct ctl_call *, cJSON **, struct err *), const char *json)
{
	return call_as(fn, json, NULL, 0);
}

static void sent(void)
{
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	assert_int_equal(scene_approve("minh"), 0);
	scene_run(500);
	scene_sql(
		"INSERT INTO attempt(delivery_id, try, started, took_ms, outcome, scope, provider_id) SELECT id, 1, 5, 3, 1, 0, 'q' || id FROM delivery "
		"WHERE contact_id=10");
	scene_sql("UPDATE delivery SET state=2, tries=1 WHERE contact_id=10");
	scene_sql("UPDATE lot SET n0=0, n2=1 WHERE office_id=1");
}

static void a_list_has_every_release_with_its_parts_and_counts(void **state)
{
	UNUSED(state);
	sent();
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-2", "  a: {to: press, channels: [email]}\n") "Another.\n"),
		0);
	cJSON *j CLEANUP_JSON = call(ctl_release_list, "{}");
	const cJSON *rows = json_get(j, "rows"), *old = cJSON_GetArrayItem(rows, 1);
	assert_int_equal(cJSON_GetArraySize(rows), 2);
	assert_string_equal(json_z(old, "release", ""), "TTBC-1@2026");
	assert_string_equal(json_z(old, "state", ""), "sending");
	assert_int_equal(json_i64(json_get(old, "counts"), "waiting", -1), 3);
	assert_int_equal(json_i64(json_get(old, "counts"), "accepted", -1), 1);
	cJSON *page CLEANUP_JSON = call(ctl_release_list, "{\"limit\":1}");
	assert_true(json_bool(page, "more", false));
	char next[60];
	snprintf(next, sizeof(next), "{\"limit\":1,\"after\":%lld}",
		(long long)json_i64(page, "next", 0));
	cJSON *second CLEANUP_JSON = call(ctl_release_list, next);
	assert_string_equal(json_z(cJSON_GetArrayItem(json_get(second, "rows"), 0), "release", ""),
		"TTBC-1@2026");
	assert_false(json_bool(second, "more", true));
	cJSON *drafts CLEANUP_JSON = call(ctl_release_list, "{\"state\":\"in_review\"}");
	assert_int_equal(cJSON_GetArraySize(json_get(drafts, "rows")), 1);
	cJSON_Delete(call_as(ctl_release_list, "{\"state\":\"flying\"}", NULL, -EINVAL));
}

static void the_largest_page_says_that_there_are_more(void **state)
{
	UNUSED(state);
	scene_sql(
		"WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM k WHERE i<1001) INSERT INTO release(year, code, state, rev_newest, "
		"prio, category, kind, title) SELECT 2026, 'R-'||i, 1, 1, 1, 2, 1, 't' FROM k");
	cJSON *page CLEANUP_JSON = call(ctl_release_list, "{\"limit\":1000}");
	assert_int_equal(cJSON_GetArraySize(json_get(page, "rows")), 1000);
	assert_true(json_bool(page, "more", false));
	char next[60];
	snprintf(next, sizeof(next), "{\"limit\":1000,\"after\":%lld}",
		(long long)json_i64(page, "next", 0));
	cJSON *last CLEANUP_JSON = call(ctl_release_list, next);
	assert_int_equal(cJSON_GetArraySize(json_get(last, "rows")), 1);
	assert_false(json_bool(last, "more", true));
}

static void a_release_is_shown_in_full(void **state)
{
	UNUSED(state);
	sent();
	cJSON *j CLEANUP_JSON = call(ctl_release_show, "{\"release\":\"TTBC-1\"}");
	static const char *const keys[] = { "release", "title", "state", "rev", "parts", "counts",
		"revisions", "approvals", "authors", "assets", "lots", "note", "hash", "code",
		"owed" };
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (!json_has(j, keys[i]))
			fail_msg("key %s is missing", keys[i]);
	assert_string_equal(
		json_z(cJSON_GetArrayItem(json_get(j, "approvals"), 0), "person", ""), "minh");
	assert_string_equal(cJSON_GetArrayItem(json_get(j, "authors"), 0)->valuestring, "lan");
	assert_string_equal(json_z(j, "hash", ""), sc.hash);
	assert_string_equal(
		json_z(cJSON_GetArrayItem(json_get(j, "lots"), 0), "channel", ""), "mail");
	cJSON_Delete(call_as(ctl_release_show, "{\"release\":\"TTBC-9\"}", NULL, -ENOENT));
}

static void hold(const char *scope, const char *except)
{
	scene_sql(
		"INSERT INTO gate(what, except_prio, person, why, at) VALUES('%s | %.20s', %s, 'minh', 'x', 7)",
		scope, scope, except);
}

static int stops_of(const char *params)
{
	cJSON *j CLEANUP_JSON = call(ctl_release_show, params);
	const cJSON *s = json_get(j, "stops");
	assert_true(cJSON_IsArray(s));
	if (s->child)
		assert_string_equal(json_z(s->child, "person", ""), "minh");
	return cJSON_GetArraySize(s);
}

static void a_release_names_the_holds_that_cover_it_and_no_others(void **state)
{
	UNUSED(state);
	static const struct {
		const char *scope, *except;
		int covers;
	} t[] = {
		{ "r=1 p=-1 o=0 c=0 l=0 h=0 k=0 a=0", "NULL", 1 },
		{ "r=1 p=0 o=2 c=0 l=0 h=0 k=0 a=0", "NULL", 1 },
		{ "r=2 p=-1 o=0 c=0 l=0 h=0 k=0 a=0", "NULL", 0 },
		{ "r=0 p=-1 o=0 c=0 l=0 h=0 k=0 a=1", "NULL", 1 },
		{ "r=0 p=-1 o=0 c=0 l=0 h=0 k=0 a=1", "0", 1 },
		{ "r=0 p=-1 o=0 c=0 l=0 h=0 k=0 a=1", "2", 0 },
		{ "r=0 p=-1 o=1 c=0 l=0 h=0 k=0 a=0", "NULL", 1 },
		{ "r=0 p=-1 o=99 c=0 l=0 h=0 k=0 a=0", "NULL", 0 },
		{ "r=0 p=-1 o=0 c=9 l=0 h=0 k=0 a=0", "NULL", 0 },
		{ "r=0 p=-1 o=0 c=0 l=99 h=0 k=0 a=0", "NULL", 0 },
		{ "r=0 p=-1 o=0 c=0 l=0 h=1 k=0 a=0", "NULL", 1 },
		{ "r=0 p=-1 o=0 c=0 l=0 h=2 k=0 a=0", "NULL", 0 },
		{ "r=0 p=-1 o=0 c=0 l=0 h=0 k=1 a=0", "NULL", 1 },
		{ "r=0 p=-1 o=0 c=0 l=0 h=0 k=2 a=0", "NULL", 0 },
	};
	sent();
	assert_int_equal(stops_of("{\"release\":\"TTBC-1\"}"), 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		hold(t[i].scope, t[i].except);
		int n = stops_of("{\"release\":\"TTBC-1\"}");
		if (n != t[i].covers)
			fail_msg("%s: %d", t[i].scope, n);
		scene_sql("DELETE FROM gate");
	}
	hold(t[3].scope, "NULL");
	scene_sql("UPDATE lot SET gate=3"); /* nothing left that it could stop */
	assert_int_equal(stops_of("{\"release\":\"TTBC-1\"}"), 0);
}

static void watching_tells_when_it_is_done(void **state)
{
	UNUSED(state);
	sent();
	cJSON *j CLEANUP_JSON = call(ctl_release_watch, "{\"release\":\"TTBC-1@2026\"}");
	assert_false(json_bool(j, "done", true));
	assert_int_equal(json_i64(j, "total", 0), 4);
	const cJSON *part = cJSON_GetArrayItem(json_get(j, "parts"), 0);
	assert_string_equal(json_z(part, "name", ""), "press");
	assert_string_equal(json_z(part, "state", ""), "planned");
	scene_send_all();
	scene_run(500);
	cJSON *end CLEANUP_JSON = call(ctl_release_watch, "{\"release\":\"TTBC-1\"}");
	assert_true(json_bool(end, "done", false));
}

static void a_report_pages_through_every_delivery_once(void **state)
{
	UNUSED(state);
	sent();
	char params[100] = "{\"release\":\"TTBC-1\",\"limit\":3}";
	int seen = 0;
	for (int page = 0; page < 2; page++) {
		cJSON *j CLEANUP_JSON = call(ctl_release_report, params);
		const cJSON *d;
		cJSON_ArrayForEach(d, json_get(j, "deliveries"))
		{
			seen++;
			if (strcmp(json_z(d, "address", ""), "c10@example") == 0) {
				assert_string_equal(json_z(d, "state", ""), "accepted");
				assert_string_equal(json_z(d, "channel", ""), "email");
				assert_string_equal(json_z(d, "office", ""), "trung-uong");
				assert_non_null(strchr(json_z(d, "provider_id", ""), 'q'));
			}
		}
		assert_int_equal(json_bool(j, "more", false), page == 0);
		snprintf(params, sizeof(params),
			"{\"release\":\"TTBC-1\",\"limit\":3,\"after\":%lld}",
			(long long)json_i64(j, "next", 0));
	}
	assert_int_equal(seen, 4);
	cJSON *own CLEANUP_JSON = call_as(
		ctl_release_report, "{\"release\":\"TTBC-1\"}", "dien-bien", 0);
	assert_int_equal(cJSON_GetArraySize(json_get(own, "deliveries")),
		2); /* it and the office below it */
}

static void a_cancelled_lot_is_counted_as_cancelled_before_its_rows_are_swept(void **state)
{
	UNUSED(state);
	static const char *const word[] = { "cancelled", "expired" };
	sent();
	scene_sql(
		"UPDATE delivery SET state=9 WHERE id=(SELECT max(id) FROM delivery WHERE state=0)");
	scene_sql(
		"UPDATE lot SET n0=n0-1, n9=n9+1 WHERE id=(SELECT lot_id FROM delivery WHERE state=9)");
	cJSON *open CLEANUP_JSON = call(ctl_release_watch, "{\"release\":\"TTBC-1\"}");
	assert_int_equal(json_i64(json_get(open, "counts"), "waiting", 0), 2);
	assert_int_equal(json_i64(json_get(open, "counts"), "held", 0), 1);
	for (int i = 0; i < 2; i++) {
		scene_sql(i == 0 ? "UPDATE lot SET gate=3" : "UPDATE lot SET gate=4");
		cJSON *w CLEANUP_JSON = call(ctl_release_watch, "{\"release\":\"TTBC-1\"}");
		cJSON *r CLEANUP_JSON = call(ctl_release_report, "{\"release\":\"TTBC-1\"}");
		const cJSON *part = json_get(cJSON_GetArrayItem(json_get(w, "parts"), 0), "counts"),
			    *d;
		int over = 0;
		assert_int_equal(json_i64(json_get(w, "counts"), word[i], 0), 3);
		assert_int_equal(json_i64(json_get(w, "counts"), "accepted", 0), 1);
		assert_false(json_has(json_get(w, "counts"), "waiting"));
		assert_false(json_has(json_get(w, "counts"), "held"));
		assert_int_equal(json_i64(w, "total", 0), 4);
		assert_int_equal(json_i64(part, word[i], 0), 3);
		assert_int_equal(json_i64(json_get(r, "totals"), word[i], 0), 3);
		cJSON_ArrayForEach(d, json_get(r, "deliveries"))
			over += strcmp(json_z(d, "state", ""), word[i]) == 0;
		assert_int_equal(over, 3);
	}
}

static int listed(const char *state)
{
	int n = 0;
	cJSON *r CLEANUP_JSON = call(ctl_release_report, "{\"release\":\"TTBC-1\"}");
	const cJSON *d;
	cJSON_ArrayForEach(d, json_get(r, "deliveries"))
		n += strcmp(json_z(d, "state", ""), state) == 0;
	return n;
}

static void what_waits_under_a_void_approval_is_not_counted_and_not_listed(void **state)
{
	UNUSED(state);
	struct store_status before, st;
	sent();
	scene_sql("UPDATE delivery SET state=9 WHERE contact_id=13");
	scene_sql(
		"UPDATE lot SET n0=n0-1, n9=n9+1 WHERE id=(SELECT lot_id FROM delivery WHERE state=9)");
	struct store_reader *r = teststore_reader(&sc.ts);
	assert_int_equal(store_status_read(reader_db(r), &before), 0);
	teststore_reader_end(&sc.ts, r);
	assert_int_equal(before.count[DLV_WAITING], 2);
	assert_int_equal(before.count[DLV_HELD], 1);
	assert_int_equal(listed("waiting") + listed("held"), 3);
	scene_sql("UPDATE lot SET gate=5, why='void: returned to its author'");
	r = teststore_reader(&sc.ts);
	assert_int_equal(store_status_read(reader_db(r), &st), 0);
	teststore_reader_end(&sc.ts, r);
	assert_int_equal(st.count[DLV_WAITING], 0);
	assert_int_equal(st.oldest[DLV_WAITING], 0);
	assert_int_equal(st.count[DLV_HELD], 0);
	assert_int_equal(st.oldest[DLV_HELD], 0);
	assert_int_equal(st.count[DLV_ACCEPTED], 1);
	assert_int_equal(listed("waiting") + listed("held"), 0);
	assert_int_equal(listed("accepted"), 1);
}

static void the_reason_of_a_lot_is_not_told_of_what_went_out_before(void **state)
{
	UNUSED(state);
	int told = 0;
	sent();
	scene_sql("UPDATE lot SET gate=3, why='cancelled by oanh: oops'");
	cJSON *r CLEANUP_JSON = call(ctl_release_report, "{\"release\":\"TTBC-1\"}");
	const cJSON *d;
	cJSON_ArrayForEach(d, json_get(r, "deliveries"))
	{
		bool cancelled = strcmp(json_z(d, "state", ""), "cancelled") == 0;
		assert_string_equal(
			json_z(d, "why", ""), cancelled ? "cancelled by oanh: oops" : "");
		told += cancelled;
	}
	assert_int_equal(told, 3);
	scene_sql("UPDATE delivery SET state=7 WHERE contact_id=11");
	cJSON *own CLEANUP_JSON = call_as(
		ctl_release_report, "{\"release\":\"TTBC-1\"}", "ha-noi", 0);
	d = cJSON_GetArrayItem(json_get(own, "deliveries"), 0);
	assert_string_equal(json_z(d, "state", ""), "suppressed");
	assert_null(json_z(d, "why", NULL));
}

static void the_calendar_has_no_moment_of_what_is_not_approved(void **state)
{
	UNUSED(state);
	static const int hidden[] = { REL_DRAFT, REL_IN_REVIEW, REL_RETURNED, REL_CANCELLED,
		REL_CORRECTED, REL_RECALLED };
	scene_go(
		"  a: {to: press, channels: [email], at: now}\n  b: {to: offices, channels: [email], at: 2026-11-23 12:00}\n");
	cJSON *j CLEANUP_JSON = call(ctl_release_calendar, "{\"days\":7}");
	assert_int_equal(cJSON_GetArraySize(json_get(j, "rows")), 2);
	for (size_t i = 0; i < ARRAY_LEN(hidden); i++) {
		scene_sql("UPDATE release SET state=%d", hidden[i]);
		cJSON *h CLEANUP_JSON = call(ctl_release_calendar, "{\"days\":7}");
		const cJSON *rows = json_get(h, "rows");
		/* what began is a fact */
		assert_int_equal(cJSON_GetArraySize(rows), hidden[i] == REL_CANCELLED ? 0 : 1);
		if (rows->child)
			assert_string_equal(json_z(rows->child, "part", ""), "a");
	}
}

static void the_calendar_has_what_comes_and_what_began(void **state)
{
	UNUSED(state);
	sent();
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-2",
				"  a: {to: press, channels: [email], at: 2026-11-25 08:00}\n"
				"  b: {to: press, channels: [email], after: a, again: true}\n"
				"  c: {to: press, channels: [email], after: b, again: true}\n"
				"  d: {to: press, channels: [email], go: signal, again: true}\n") "Another.\n"),
		0);
	assert_int_equal(scene_approve("minh"), 0);
	cJSON *j CLEANUP_JSON = call(ctl_release_calendar, "{\"days\":7}");
	assert_int_equal(cJSON_GetArraySize(json_get(j, "rows")), 5);
	const cJSON *last = cJSON_GetArrayItem(json_get(j, "rows"), 2);
	int64_t at = json_i64(last, "at", 0);
	assert_string_equal(json_z(last, "part", ""), "a");
	assert_null(json_z(last, "note", NULL));
	for (int i = 3; i < 5; i++) { /* what comes after a part is not before it */
		const cJSON *behind = cJSON_GetArrayItem(json_get(j, "rows"), i);
		assert_true(json_i64(behind, "at", 0) == at);
		assert_string_equal(json_z(behind, "note", ""),
			i == 3 ? "not before: it comes after a" : "not before: it comes after b");
	}
	assert_string_equal(json_z(cJSON_GetArrayItem(json_get(j, "rows"), 1), "note", ""),
		"at the latest: it waits for a signal");
	assert_string_equal(json_z(last, "release", ""), "TTBC-2@2026");
	assert_string_equal(
		cJSON_GetArrayItem(json_get(last, "channels"), 0)->valuestring, "email");
}

static void a_recall_says_honestly_what_cannot_come_back(void **state)
{
	UNUSED(state);
	sent();
	struct ctl_deps deps = { .env = &sc.te.env, .store = sc.ts.s, .plan = sc.p };
	struct ctl_call c = { .deps = &deps };
	cJSON *result = json_obj();
	json_put_i64(result, "release_id", 1);
	answered = 0;
	ctl_recall_answer(&c, result);
	scene_run(100);
	assert_int_equal(answered, 1);
	const cJSON *row = cJSON_GetArrayItem(json_get(answer, "channels"), 0);
	assert_string_equal(json_z(row, "channel", ""), "email");
	assert_int_equal(json_i64(row, "done", -1), 0);
	assert_int_equal(json_i64(row, "cannot", -1), 1);
	assert_non_null(strstr(json_z(row, "why", ""), "cannot be taken back"));
	cJSON_Delete(answer);
}

static void preview_diff_and_review_show_what_goes_out(void **state)
{
	UNUSED(state);
	struct err e = { 0 };
	struct actor who = scene_who("minh");
	cJSON *p CLEANUP_JSON = NULL, *d CLEANUP_JSON = NULL, *v CLEANUP_JSON = NULL;
	assert_int_equal(scene_submit("lan", SIMPLE), 0);
	assert_int_equal(
		scene_submit("lan",
			FRONT("TTBC-1",
				"  press: {to: press, channels: [email], at: now}\n") "Other words.\n"),
		0);
	struct store_reader *r = teststore_reader(&sc.ts);
	cJSON *q CLEANUP_JSON = json_obj();
	json_put_z(q, "release", "TTBC-1");
	json_put_z(q, "office", "ha-noi");
	assert_int_equal(plan_preview(sc.p, r, q, &who, &p, &e), 0);
	assert_int_equal(cJSON_GetArraySize(json_get(p, "rows")), 1);
	assert_non_null(strstr(
		json_z(cJSON_GetArrayItem(json_get(p, "rows"), 0), "text", ""), "Other words."));
	assert_int_equal(plan_diff(sc.p, r, q, &who, &d, &e), 0);
	assert_non_null(strstr(json_z(d, "text", ""), "+Other words."));
	assert_int_equal(json_i64(d, "from", 0), 1);
	assert_int_equal(plan_review(sc.p, r, q, &who, true, &v, &e), 0);
	assert_string_equal(json_z(v, "hash", ""), sc.hash);
	assert_false(json_bool(v, "changed", true));
	teststore_reader_end(&sc.ts, r);
	scene_hotline("ha-noi", "5555");
	cJSON *w CLEANUP_JSON = NULL;
	r = teststore_reader(&sc.ts);
	assert_int_equal(plan_review(sc.p, r, q, &who, true, &w, &e), 0);
	teststore_reader_end(&sc.ts, r);
	assert_true(json_bool(w, "changed", false));
}

#define T(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_list_has_every_release_with_its_parts_and_counts),
		T(the_largest_page_says_that_there_are_more),
		T(a_release_is_shown_in_full),
		T(a_release_names_the_holds_that_cover_it_and_no_others),
		T(watching_tells_when_it_is_done),
		T(a_report_pages_through_every_delivery_once),
		T(a_cancelled_lot_is_counted_as_cancelled_before_its_rows_are_swept),
		T(what_waits_under_a_void_approval_is_not_counted_and_not_listed),
		T(the_reason_of_a_lot_is_not_told_of_what_went_out_before),
		T(the_calendar_has_no_moment_of_what_is_not_approved),
		T(the_calendar_has_what_comes_and_what_began),
		T(a_recall_says_honestly_what_cannot_come_back),
		T(preview_diff_and_review_show_what_goes_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
