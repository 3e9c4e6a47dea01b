/* test_office_lists.c - offices, audiences, campaigns, deputies as lists: whole, or page by page, each row once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/assert.h"
#include "base/json.h"
#include "ctl/ctl_office.h"
#include "lib/testenv.h"
#include "lib/teststore.h"

static struct testenv te;
static struct teststore ts;
static struct conf conf;
static const char *hidden; /* office that the caller may not see */

/* Stand in for the socket. */
void ctl_answer(struct ctl_call *c, int rc, const struct err *e, cJSON *result)
{
	UNUSED(c);
	UNUSED(rc);
	UNUSED(e);
	UNUSED(result);
	fail_msg("a list answers by its return");
}
int ctl_upload_take(struct ctl_call *c, struct staged *ret, struct err *e)
{
	UNUSED(c);
	UNUSED(ret);
	return err_set(e, -EINVAL, "no upload here");
}
void ctl_mask(const struct ctl_call *c, int kind, struct str address, char *ret, size_t size)
{
	UNUSED(c);
	UNUSED(kind);
	str_copy(ret, size, address);
}
bool ctl_may_see(const struct ctl_call *c, const char *office_code)
{
	UNUSED(c);
	return !hidden || strcmp(office_code, hidden) != 0;
}

static int setup(void **state)
{
	UNUSED(state);
	hidden = NULL;
	testenv_init(&te, 1);
	ts.env = &te.env;
	assert_int_equal(teststore_open(&ts), 0);
	assert_int_equal(
		teststore_exec(&ts, "INSERT INTO vars(hash, json) VALUES (x'00','{}')"), 0);
	assert_int_equal(
		teststore_exec(&ts,
			"WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM k WHERE i<5) INSERT INTO office(id, code, depth, ord, region, "
			"lang, vars_hash) SELECT i, 'o'||i, 0, i, 'x', 'vi', x'00' FROM k"),
		0);
	assert_int_equal(
		teststore_exec(&ts,
			"INSERT INTO audience(name, title, rule) SELECT 'a'||id, '', '{}' FROM office"),
		0);
	assert_int_equal(
		teststore_exec(&ts,
			"INSERT INTO campaign(name, title, first, last, prio) SELECT 'c'||id, '', id, id, 1 FROM office"),
		0);
	assert_int_equal(
		teststore_exec(&ts,
			"INSERT INTO deputy(person, deputy, first, last, by) SELECT 'p'||id, 'd', 1, 10-id, 'x' FROM office"),
		0);
	return 0;
}

static int teardown(void **state)
{
	UNUSED(state);
	teststore_close(&ts);
	testenv_done(&te);
	return 0;
}

static const struct paged {
	const char *method, *key;
	char first;
} lists[] = { { "offices.list", "code", 'o' }, { "audiences.list", "name", 'a' },
	{ "campaigns.list", "name", 'c' }, { "deputy.list", "person", 'p' } };

static cJSON *ask(const struct paged *l, const char *json, int expect)
{
	const struct ctl_method *m = ctl_office_methods;
	struct ctl_deps deps = { .env = &te.env, .store = ts.s };
	cJSON *params CLEANUP_JSON = NULL, *ret = NULL;
	struct err e = { 0 };
	while (m->name && strcmp(m->name, l->method) != 0)
		m++;
	assert_non_null(m->name);
	assert_int_equal(json_parse(str_of(json), 1000, &params, &e), 0);
	struct ctl_call c = { .deps = &deps, .params = params, .conf = &conf };
	c.reader = teststore_reader(&ts);
	int rc = m->fn(&c, &ret, &e);
	teststore_reader_end(&ts, c.reader);
	if (rc != expect)
		fail_msg("%s %s: %d %s", l->method, json, rc, e.text);
	return ret;
}

/* "o1o2 o3": the rows of a page, and a space where it says that there are more. */
static void page_put(const struct paged *l, const cJSON *page, char *dst, size_t size)
{
	const cJSON *r;
	cJSON_ArrayForEach(r, json_get(page, "rows"))
	{
		size_t n = strlen(dst);
		(void)snprintf(dst + n, size - n, "%s", json_z(r, l->key, "?"));
	}
	if (json_bool(page, "more", false))
		(void)snprintf(dst + strlen(dst), size - strlen(dst), " ");
}

static void pages_of(const struct paged *l, int limit, char *dst, size_t size)
{
	char json[80];
	int64_t after = 0;
	dst[0] = 0;
	for (bool more = true; more;) {
		(void)snprintf(json, sizeof(json), "{\"limit\":%d,\"after\":\"%lld\"}", limit,
			(long long)after);
		cJSON *page CLEANUP_JSON = ask(l, json, 0);
		page_put(l, page, dst, size);
		more = json_bool(page, "more", false);
		after = json_i64(page, "next", -1);
		assert_true(!more || after > 0);
	}
}

static void each_list_comes_whole_unless_a_limit_is_said(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		cJSON *all CLEANUP_JSON = ask(&lists[i], "{}", 0);
		assert_int_equal(cJSON_GetArraySize(json_get(all, "rows")), 5);
		assert_false(json_bool(all, "more", true));
	}
}

static void a_limit_and_a_cursor_page_each_list(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const struct paged *l = &lists[i];
		char got[100], want[100], f = l->first;
		pages_of(l, 2, got, sizeof(got));
		(void)snprintf(want, sizeof(want), "%c1%c2 %c3%c4 %c5", f, f, f, f, f);
		assert_string_equal(got, want);
		pages_of(l, 5, got, sizeof(got));
		(void)snprintf(want, sizeof(want), "%c1%c2%c3%c4%c5", f, f, f, f, f);
		assert_string_equal(got, want);
		assert_null(ask(l, "{\"after\":\"zzz\"}", -EINVAL));
	}
}

static void an_office_that_is_not_shown_takes_no_place(void **state)
{
	UNUSED(state);
	char got[100];
	hidden = "o2";
	pages_of(&lists[0], 2, got, sizeof(got));
	assert_string_equal(got, "o1o3 o4o5");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_list_comes_whole_unless_a_limit_is_said),
		T(a_limit_and_a_cursor_page_each_list),
		T(an_office_that_is_not_shown_takes_no_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
