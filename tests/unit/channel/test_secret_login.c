/* test_secret_login.c - first values of files, refreshes that nobody asked for, what is told of their end, logins and their facts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "hosted.h"
#include "lib/tmpdir.h"

static struct lt_str z(const char *s)
{
	return (struct lt_str){ s, strlen(s) };
}

static struct ht *with_files(const char *yaml)
{
	struct ht *t = ht_new();
	struct err e = { 0 };
	char path[700];
	(void)snprintf(path, sizeof(path), "%s/ch", t->dir);
	assert_int_equal(dir_make(path, 0700, &e), 0);
	(void)snprintf(path, sizeof(path), "%s/ch/first", t->dir);
	assert_int_equal(file_write_durable(path, STR("FIRST\n"), 0600, &e), 0);
	assert_int_equal(puppet_load_as(t, SHARED_NOW, yaml), 0);
	channel_limit(t->acct, 100);
	ht_turn(t);
	return t;
}

static int value(const char *name, char *dst, size_t size)
{
	struct lt_str v;
	uint64_t version = 0;
	int rc = puppet.host->secret_get(puppet.host->ctx, puppet.session, z(name), &v, &version);
	(void)str_copy(dst, size, rc ? STR("") : (struct str){ v.p, v.n });
	return rc ? rc : (int)version;
}

static void a_first_value_of_a_file_is_never_handed_to_the_adapter(void **state)
{
	(void)state;
	struct ht *t = with_files(
		"secrets: {app: {file: first}}\naccounts: [{name: main, credential: oa, "
		"secrets: {refresh_token: {file: first}}}]\n");
	char text[100];
	struct str first;
	assert_int_equal(value("refresh_token", text, sizeof(text)), -LT_E_INVALID);
	assert_int_equal(value("app", text, sizeof(text)), 0);
	assert_string_equal(text, "FIRST");
	assert_true(channel_secret_first(t->ch, "oa", "refresh_token", &first));
	assert_true(str_eqz(first, "FIRST"));
	assert_false(channel_secret_first(t->ch, "oa", "access_token", &first));
	assert_false(channel_secret_first(t->ch, "other", "refresh_token", &first));
	(void)snprintf(t->secret, sizeof(t->secret), "newest");
	t->secret_version = 4;
	assert_int_equal(value("oa", text, sizeof(text)), 4);
	assert_string_equal(text, "newest");
	over(t);
}

static void a_token_of_the_whole_channel_is_the_first_of_no_credential(void **state)
{
	(void)state;
	struct ht *t = with_files(
		"secrets: {refresh_token: {file: first}, oa: {file: first}}\naccounts: [{name: main, "
		"credential: oa}]\n");
	struct str first;
	assert_false(channel_secret_first(t->ch, "oa", "refresh_token", &first));
	assert_true(channel_secret_first(t->ch, "oa", "oa", &first));
	over(t);
}

static void the_clock_may_refresh_and_every_end_is_told(void **state)
{
	(void)state;
	struct ht *t = with_files("accounts: [{name: main, credential: oa}]\n");
	assert_int_equal(channel_refresh(t->ch, "other"), -ENOENT);
	assert_int_equal(channel_refresh(t->ch, "oa"), 0);
	assert_int_equal(channel_refresh(t->ch, "oa"), -EAGAIN);
	ht_turn(t);
	assert_int_equal(puppet.refreshes, 1);
	assert_int_equal(t->refreshes_over, 0);
	(void)puppet_finish(puppet.refresh, LT_REFUSED);
	ht_turn(t);
	assert_int_equal(t->refreshes_over, 1);
	assert_int_equal(t->over_outcome, LT_REFUSED);
	assert_int_equal(channel_refresh(t->ch, "oa"), 0);
	ht_wait(t, 61000); /* nothing was sent: proven not taken */
	assert_int_equal(t->refreshes_over, 2);
	assert_int_equal(t->over_outcome, LT_DEFERRED);
	over(t);
}

static void a_refresh_whose_request_left_is_unknown_when_its_answer_is_lost(void **state)
{
	(void)state;
	struct ht *t = with_files("accounts: [{name: main, credential: oa}]\n");
	struct lt_http_req r = { .struct_size = sizeof(r),
		.method = { "POST", 4 },
		.url = { "http://127.0.0.1/token", 22 } };
	assert_int_equal(channel_refresh(t->ch, "oa"), 0);
	ht_turn(t);
	assert_int_equal(puppet.host->http(puppet.host->ctx, puppet.refresh, &r), 0);
	ht_wait(t, 61000); /* the adapter and the provider are silent */
	assert_int_equal(t->refreshes_over, 1);
	assert_int_equal(t->over_outcome, LT_UNKNOWN);
	over(t);
}

static struct {
	int calls, outcome;
	char url[200];
	size_t n;
	struct chan_fact v[8];
} said;

static void on_said(void *ctx, const struct chan_result *r)
{
	(void)ctx;
	said.calls++;
	said.outcome = r->outcome;
	(void)str_copy(said.url, sizeof(said.url), r->url);
	said.n = r->n_facts < 8 ? r->n_facts : 8;
	memcpy(said.v, r->facts, said.n * sizeof(said.v[0]));
}

static void a_login_carries_the_code_and_brings_facts(void **state)
{
	(void)state;
	struct ht *t = with_files("accounts: [{name: main, credential: oa}]\n");
	const struct lt_host *h = puppet.host;
	memset(&said, 0, sizeof(said));
	channel_login(t->acct, (struct str){ NULL, 0 }, on_said, NULL);
	assert_int_equal(puppet.n_ops, 1);
	assert_int_equal(puppet.op[0]->kind, LT_J_LOGIN);
	assert_int_equal(puppet.work[0]->text.n, 0);
	struct lt_result page = { .struct_size = sizeof(page),
		.outcome = LT_ACCEPTED,
		.url = { "https://a.example/consent", 25 } };
	assert_int_equal(h->finish(h->ctx, puppet.op[0], &page), 0);
	assert_int_equal(said.calls, 0);
	ht_turn(t);
	assert_string_equal(said.url, "https://a.example/consent");
	char code[] = "the-code";
	channel_login(t->acct, str_of(code), on_said, NULL);
	memset(code, 'x', sizeof(code) - 1); /* it was copied */
	assert_memory_equal(puppet.work[1]->text.p, "the-code", 8);
	assert_memory_equal(puppet.work[1]->credential.p, "oa", 2);
	h->stat(h->ctx, puppet.op[1], 0, z("followers"), 10);
	h->stat(h->ctx, puppet.op[1], 0, z("followers"), 12);
	h->stat(h->ctx, puppet.op[1], 77, z("views"), 5); /* of a delivery: none of these */
	struct lt_rate rate = { .struct_size = sizeof(rate),
		.scope = LT_SCOPE_ACCOUNT,
		.limit = 500,
		.remaining = 17 };
	h->rate(h->ctx, puppet.op[1], &rate);
	(void)puppet_finish(puppet.op[1], LT_ACCEPTED);
	ht_turn(t);
	assert_int_equal(said.calls, 2);
	assert_int_equal(said.n, 3);
	assert_string_equal(said.v[0].name, "followers");
	assert_int_equal(said.v[0].value, 12);
	assert_string_equal(said.v[1].name, "account.limit");
	assert_string_equal(said.v[2].name, "account.remaining");
	assert_int_equal(said.v[2].value, 17);
	over(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_first_value_of_a_file_is_never_handed_to_the_adapter),
		cmocka_unit_test(a_token_of_the_whole_channel_is_the_first_of_no_credential),
		cmocka_unit_test(the_clock_may_refresh_and_every_end_is_told),
		cmocka_unit_test(a_refresh_whose_request_left_is_unknown_when_its_answer_is_lost),
		cmocka_unit_test(a_login_carries_the_code_and_brings_facts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
