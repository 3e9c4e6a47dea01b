/* test_secrets.c - secrets are put in by name and rotate one at a time, with the word that it begins committed first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "hosted.h"
#include "lib/tmpdir.h"

#define OA ((struct lt_str){ "oa", 2 })

static struct ht *rotating(void)
{
	struct ht *t = ht_new();
	(void)snprintf(t->secret, sizeof(t->secret), "old-token");
	t->secret_version = 1;
	assert_int_equal(
		puppet_load_as(t, SHARED_NOW, "accounts: [{name: main, credential: oa}]\n"), 0);
	channel_limit(t->acct, 100);
	ht_turn(t);
	return t;
}

static int ask(struct lt_job *job, uint64_t seen)
{
	return puppet.host->refresh(puppet.host->ctx, job, OA, seen);
}

static int put(const char *value)
{
	struct lt_pair p = { .name = OA, .value = { value, strlen(value) } };
	return puppet.host->secret_put(puppet.host->ctx, puppet.refresh, &p, 1, 0, 5);
}

static void a_secret_is_put_in_by_name_and_kept_out_of_the_record(void **state)
{
	(void)state;
	struct ht *t = ht_new();
	struct err e = { 0 };
	char dir[600], path[700];
	(void)snprintf(dir, sizeof(dir), "%s/ch", t->dir);
	(void)snprintf(path, sizeof(path), "%s/key", dir);
	assert_int_equal(dir_make(dir, 0700, &e), 0);
	assert_int_equal(file_write_durable(path, STR("hidden value\n"), 0600, &e), 0);
	assert_int_equal(puppet_load_as(t, SHARED_NOW,
				 "secrets: {key: {file: key}}\naccounts: [{name: main}]\n"),
		0);
	channel_limit(t->acct, 100);
	ht_turn(t);
	assert_non_null(ht_send(t, "a@x", "1"));
	struct lt_pair header = {
		.name = { "Authorization", 13 }, .value = { "Bearer ", 7 }, .secret = { "key", 3 }
	};
	struct lt_pair query = { .name = { "k", 1 }, .secret = { "key", 3 } };
	struct lt_http_req r = { .struct_size = sizeof(r),
		.method = { "GET", 3 },
		.url = { "http://127.0.0.1/x", 18 },
		.headers = &header,
		.n_headers = 1,
		.query = &query,
		.n_query = 1 };
	assert_int_equal(puppet.host->http(puppet.host->ctx, puppet.op[0], &r), 0);
	assert_string_equal(t->fn->calls[0]->headers, "Authorization: Bearer hidden value\n");
	assert_string_equal(t->fn->calls[0]->url, "http://127.0.0.1/x?k=hidden%20value");
	assert_string_equal(t->trace_last, "GET http://127.0.0.1/x\n");
	header.secret = (struct lt_str){ "nobody", 6 };
	assert_int_equal(puppet.host->http(puppet.host->ctx, puppet.op[0], &r), -LT_E_INVALID);
	(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
	over(t);
}

static void many_who_ask_wait_for_one_refresh(void **state)
{
	(void)state;
	struct ht *t = rotating();
	for (int i = 0; i < 5; i++)
		assert_non_null(ht_send(t, "a@x", "1"));
	t->refresh = HT_WAIT;
	for (int i = 0; i < 5; i++)
		assert_int_equal(ask(puppet.op[i], 1), 0);
	ht_turn(t);
	assert_int_equal(t->refreshes, 1);
	assert_int_equal(puppet.refreshes, 0); /* not before the commit */
	channel_saved(t->cs, t->refresh_ticket, 0);
	ht_turn(t);
	assert_int_equal(puppet.refreshes, 1);
	assert_int_equal(put("new-token"), 0);
	ht_turn(t);
	assert_int_equal(t->secret_puts, 1);
	assert_int_equal(puppet.events[LT_EV_SECRET], 0);
	(void)puppet_finish(puppet.refresh, LT_ACCEPTED);
	ht_turn(t);
	assert_int_equal(puppet.events[LT_EV_SECRET], 5);
	assert_int_equal(puppet.last_error, 0);
	struct lt_str v;
	uint64_t version = 0;
	assert_int_equal(
		puppet.host->secret_get(puppet.host->ctx, puppet.op[0], OA, &v, &version), 0);
	assert_memory_equal(v.p, "new-token", 9);
	assert_int_equal(version, 2);
	for (int i = 0; i < 5; i++)
		(void)puppet_finish(puppet.op[i], LT_ACCEPTED);
	over(t);
}

static void who_saw_an_older_version_is_told_at_once(void **state)
{
	(void)state;
	struct ht *t = rotating();
	t->secret_version = 7;
	assert_non_null(ht_send(t, "a@x", "1"));
	assert_int_equal(ask(puppet.op[0], 6), 0);
	ht_turn(t);
	assert_int_equal(t->refreshes, 0);
	assert_int_equal(puppet.events[LT_EV_SECRET], 1);
	(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
	over(t);
}

static void a_refresh_that_fails_is_told_to_all(void **state)
{
	(void)state;
	struct ht *t = rotating();
	assert_non_null(ht_send(t, "a@x", "1"));
	t->refresh = HT_REFUSE; /* the word could not be committed */
	assert_int_equal(ask(puppet.op[0], 1), 0);
	ht_turn(t);
	assert_int_equal(puppet.refreshes, 0);
	assert_int_equal(puppet.events[LT_EV_SECRET], 1);
	assert_true(puppet.last_error < 0);
	t->refresh = HT_AUTO;
	assert_int_equal(ask(puppet.op[0], 1), 0);
	ht_turn(t);
	(void)puppet_finish(puppet.refresh, LT_REFUSED);
	ht_turn(t);
	assert_int_equal(puppet.events[LT_EV_SECRET], 2);
	assert_true(puppet.last_error < 0);
	assert_int_equal(ask(puppet.op[0], 1), 0);
	ht_wait(t, 61000); /* the adapter forgets it */
	assert_int_equal(puppet.events[LT_EV_SECRET], 3);
	over(t);
}

static void who_is_over_meanwhile_is_not_told(void **state)
{
	(void)state;
	struct ht *t = rotating();
	struct ht_op *o = ht_send(t, "a@x", "1");
	t->refresh = HT_WAIT;
	assert_int_equal(ask(puppet.op[0], 1), 0);
	ht_turn(t);
	(void)puppet_finish(puppet.op[0], LT_DEFERRED);
	ht_turn(t);
	assert_int_equal(o->done, 1);
	channel_saved(t->cs, t->refresh_ticket, 0);
	(void)puppet_finish(puppet.refresh, LT_ACCEPTED);
	ht_turn(t);
	assert_int_equal(puppet.events[LT_EV_SECRET], 0);
	over(t);
}

static void a_close_ends_what_waits_for_a_refresh(void **state)
{
	(void)state;
	struct ht *t = rotating();
	assert_non_null(ht_send(t, "a@x", "1"));
	assert_non_null(ht_send(t, "b@x", "1"));
	t->refresh = HT_WAIT;
	assert_int_equal(ask(puppet.op[0], 1), 0);
	ht_turn(t);
	ht_close(t, 100);
	ht_wait(t, 1000);
	assert_int_equal(t->closed, 1);
	over(t);
	t = rotating();
	assert_non_null(ht_send(t, "a@x", "1"));
	assert_int_equal(ask(puppet.op[0], 1), 0);
	ht_turn(t);
	assert_int_equal(puppet.refreshes, 1); /* under way */
	ht_close(t, 100);
	ht_wait(t, 1000);
	assert_int_equal(t->closed, 1);
	over(t);
}

static void an_account_without_a_credential_has_nothing_to_refresh(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	assert_non_null(ht_send(t, "a@x", "1"));
	assert_int_equal(ask(puppet.op[0], 1), -LT_E_INVALID);
	(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
	over(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_is_put_in_by_name_and_kept_out_of_the_record),
		cmocka_unit_test(many_who_ask_wait_for_one_refresh),
		cmocka_unit_test(who_saw_an_older_version_is_told_at_once),
		cmocka_unit_test(a_refresh_that_fails_is_told_to_all),
		cmocka_unit_test(who_is_over_meanwhile_is_not_told),
		cmocka_unit_test(a_close_ends_what_waits_for_a_refresh),
		cmocka_unit_test(an_account_without_a_credential_has_nothing_to_refresh),
	};
	return cmocka_run_group_tests_name("channel_secrets", tests, NULL, NULL);
}
