/* test_secrets.c - secrets are put in by name and rotate one at a time, with the word that it begins committed first. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/log.h"
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

/* The answer of a provider that says back what it was sent: what of it stands in the record. */
static const char *kept(struct ht *t, struct lt_job *op, const char *body)
{
	struct fakenet_answer says = { .status = 200, .body = body, .times = 1 };
	struct lt_http_req r = { .struct_size = sizeof(r),
		.method = { "GET", 3 },
		.url = { "http://127.0.0.1/x", 18 } };

	fakenet_script(t->fn, &says);
	assert_int_equal(puppet.host->http(puppet.host->ctx, op, &r), 0);
	ht_turn(t);
	return t->trace_last;
}

static void a_secret_that_is_said_back_is_kept_out_of_the_record(void **state)
{
	(void)state;
	static const char *const v[][2] = {
		{ "{\"next\":\"https://g/?access_token=hid/den val&a=1\"}",
			"200 \n{\"next\":\"https://g/?access_token=***&a=1\"}\n" },
		{ "?t=hid%2fden%20val.", "200 \n?t=***.\n" },
		{ "?t=hid%2Fden+val", "200 \n?t=***\n" },
		{ "\"hid\\/den val\"", "200 \n\"***\"\n" },
		{ "hid\\u002fden val, hid/den valhid/den val", "200 \n***, ******\n" },
		{ "hid/den va", "200 \n***\n" }, /* the answer was cut there */
		{ "hid%2Fden%2", "200 \n***\n" },
		{ "EAAB0123456789abcde [x]", "200 \n*** [x]\n" }, /* cut short by whoever says it */
		{ "EAAB0123456789 [x]", "200 \nEAAB0123456789 [x]\n" },
		{ "hid/den oak hid, abc hid/d", "200 \nhid/den oak hid, abc ***\n" },
	};
	struct ht *t = ht_new();
	struct err e = { 0 };
	char dir[600], path[700], longer[5000];
	(void)snprintf(dir, sizeof(dir), "%s/ch", t->dir);
	(void)snprintf(path, sizeof(path), "%s/key", dir);
	assert_int_equal(dir_make(dir, 0700, &e), 0);
	assert_int_equal(file_write_durable(path, STR("hid/den val\n"), 0600, &e), 0);
	(void)snprintf(path, sizeof(path), "%s/long", dir);
	assert_int_equal(file_write_durable(path, STR("EAAB0123456789abcdefghij\n"), 0600, &e), 0);
	(void)snprintf(path, sizeof(path), "%s/pin", dir);
	assert_int_equal(file_write_durable(path, STR("abc\n"), 0600, &e), 0);
	assert_int_equal(
		puppet_load_as(t, SHARED_NOW,
			"secrets: {key: {file: key}, pin: {file: pin}, long: {file: long}}\naccounts: [{name: main}]\n"),
		0);
	channel_limit(t->acct, 100);
	ht_turn(t);
	assert_non_null(ht_send(t, "a@x", "1"));
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		assert_string_equal(kept(t, puppet.op[0], v[i][0]), v[i][1]);
	memset(longer, '.',
		sizeof(longer)); /* one that begins within what is kept, and ends behind it */
	memcpy(longer + 4090, "hid/den val", 11);
	longer[sizeof(longer) - 1] = '\0';
	assert_null(strstr(kept(t, puppet.op[0], longer), "hid"));
	assert_non_null(strstr(t->trace_last, "..***\n"));
	struct ht_op *o = t->ops[0];
	const char *said = "Malformed access token hid/den val, hid%2Fden+val";
	struct lt_result no = {
		.struct_size = sizeof(no), .outcome = LT_REFUSED, .text = { said, strlen(said) }
	};
	assert_int_equal(puppet.host->finish(puppet.host->ctx, puppet.op[0], &no), 0);
	ht_turn(t);
	assert_string_equal(o->text, "Malformed access token ***, ***");
	over(t);
}

/* What an adapter says of a provider's words: to the journal, to the record of a stream, as a code. */
static void a_secret_that_an_adapter_repeats_is_kept_out_too(void **state)
{
	(void)state;
	static const char said[] = "535 no such user: hid/den val";
	struct lt_str words = { said, sizeof(said) - 1 };
	struct ht *t = ht_new();
	struct err e = { 0 };
	char dir[600], path[700], line[600] = "";
	(void)snprintf(dir, sizeof(dir), "%s/ch", t->dir);
	(void)snprintf(path, sizeof(path), "%s/key", dir);
	assert_int_equal(dir_make(dir, 0700, &e), 0);
	assert_int_equal(file_write_durable(path, STR("hid/den val\n"), 0600, &e), 0);
	assert_int_equal(puppet_load_as(t, SHARED_NOW,
				 "secrets: {key: {file: key}}\naccounts: [{name: main}]\n"),
		0);
	channel_limit(t->acct, 100);
	ht_turn(t);
	struct ht_op *o = ht_send(t, "a@x", "1");
	const struct lt_host *h = puppet.host;

	h->trace(h->ctx, puppet.op[0], 0, words);
	assert_string_equal(t->trace_last, "535 no such user: ***");
	struct lt_http_req r = { .struct_size = sizeof(r),
		.method = { "GET", 3 },
		.url = { "http://127.0.0.1/?t=hid%2Fden%20val", 35 } };
	assert_int_equal(h->http(h->ctx, puppet.op[0], &r), 0);
	assert_string_equal(t->trace_last, "GET http://127.0.0.1/?t=***\n");

	FILE *f = tmpfile();
	assert_non_null(f);
	assert_int_equal(log_open(fileno(f), LOG_DEBUG, 65536), 0);
	h->log(h->ctx, puppet.op[0], 4, words);
	log_close();
	rewind(f);
	assert_true(fread(line, 1, sizeof(line) - 1, f) > 0);
	(void)fclose(f);
	assert_non_null(strstr(line, "535 no such user: ***"));
	assert_null(strstr(line, "den val"));

	struct lt_result no = {
		.struct_size = sizeof(no), .outcome = LT_REFUSED, .code = { "no hid/den val", 14 }
	};
	assert_int_equal(h->finish(h->ctx, puppet.op[0], &no), 0);
	ht_turn(t);
	assert_string_equal(o->code, "no ***");
	over(t);
}

/* The request was sent with the old one, which may be good for some time. */
static void a_token_that_was_renewed_meanwhile_is_kept_out_too(void **state)
{
	(void)state;
	struct ht *t = rotating();
	struct lt_str v;
	assert_non_null(ht_send(t, "a@x", "1"));
	for (uint64_t version = 1; version < 4; version++) {
		(void)snprintf(t->secret, sizeof(t->secret), "token-%d", (int)version);
		t->secret_version = version;
		assert_int_equal(
			puppet.host->secret_get(puppet.host->ctx, puppet.op[0], OA, &v, NULL), 0);
	}
	assert_string_equal(kept(t, puppet.op[0], "token-3 token-2"), "200 \n*** ***\n");
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

/* Two daemons, or a person's login: the word that it begins comes too late, and the newer token is there. */
static void who_is_overtaken_finds_the_newer_one_and_rotates_nothing(void **state)
{
	(void)state;
	struct ht *t = rotating();
	assert_non_null(ht_send(t, "a@x", "1"));
	t->refresh = HT_WAIT;
	assert_int_equal(ask(puppet.op[0], 1), 0);
	ht_turn(t);
	puppet.last_error = 77;
	channel_saved(t->cs, t->refresh_ticket, -EALREADY);
	ht_turn(t);
	assert_int_equal(puppet.refreshes, 0);
	assert_int_equal(puppet.events[LT_EV_SECRET], 1);
	assert_int_equal(puppet.last_error, 0);
	(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
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
		cmocka_unit_test(a_secret_that_is_said_back_is_kept_out_of_the_record),
		cmocka_unit_test(a_secret_that_an_adapter_repeats_is_kept_out_too),
		cmocka_unit_test(a_token_that_was_renewed_meanwhile_is_kept_out_too),
		cmocka_unit_test(many_who_ask_wait_for_one_refresh),
		cmocka_unit_test(who_saw_an_older_version_is_told_at_once),
		cmocka_unit_test(a_refresh_that_fails_is_told_to_all),
		cmocka_unit_test(who_is_overtaken_finds_the_newer_one_and_rotates_nothing),
		cmocka_unit_test(who_is_over_meanwhile_is_not_told),
		cmocka_unit_test(a_close_ends_what_waits_for_a_refresh),
		cmocka_unit_test(an_account_without_a_credential_has_nothing_to_refresh),
	};
	return cmocka_run_group_tests_name("channel_secrets", tests, NULL, NULL);
}
