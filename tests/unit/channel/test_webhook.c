/* test_webhook.c - what a provider calls: one job, one answer, never before the commit; bounds; what the conf must say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "hosted.h"
#include "lib/tmpdir.h"

#define CAPS   (SHARED | LT_CAP_WEBHOOK)
#define SECRET "0123456789abcdef0123456789abcdef"
#define YAML                                         \
	"accounts: [{name: main}, {name: second}]\n" \
	"webhook: {secret: {file: hook}, at_once: 2, timeout: 2s}\n"

static struct {
	int calls, status;
	char type[64], body[256];
} A;

static void on_answer(void *ctx, int status, struct str type, struct str body)
{
	(void)ctx;
	A.calls++;
	A.status = status;
	(void)str_copy(A.type, sizeof(A.type), type);
	(void)str_copy(A.body, sizeof(A.body), body);
}

static struct ht *hooked_as(const char *yaml, const char *secret, uint64_t caps, int want)
{
	struct ht *t = ht_new();
	struct err e;
	char path[600];
	(void)snprintf(path, sizeof(path), "%s/ch", t->dir);
	assert_int_equal(dir_make(path, 0700, &e), 0);
	(void)snprintf(path, sizeof(path), "%s/ch/hook", t->dir);
	assert_int_equal(file_write_durable(path, str_of(secret), 0600, &e), 0);
	memset(&A, 0, sizeof(A));
	assert_int_equal(puppet_load_as(t, caps, yaml), want);
	return t;
}

static struct ht *hooked(void)
{
	return hooked_as(YAML, SECRET "\n", CAPS, 0);
}

static int call(struct ht *t, bool any_account)
{
	struct lt_pair h = { .name = { "X-Sign", 6 }, .value = { "ab", 2 } };
	struct chan_request r = { .method = STR("POST"),
		.path = STR("/w/chan"),
		.query = STR("a=b"),
		.peer = STR("127.0.0.1"),
		.body = STR("{\"x\":1}"),
		.headers = &h,
		.n_headers = 1 };
	return channel_webhook(t->acct, any_account, &r, on_answer, NULL);
}

static int reply(struct lt_job *j, int32_t status, const char *body)
{
	return puppet.host->reply(puppet.host->ctx, j, status, (struct lt_str){ "text/plain", 10 },
		(struct lt_str){ body, strlen(body) });
}

static void report(uint64_t token)
{
	struct lt_str id = { "mid-1", 5 };
	struct lt_receipt r = {
		.struct_size = sizeof(r), .state = LT_RC_DELIVERED, .ids = &id, .n_ids = 1
	};
	assert_int_equal(puppet.host->receipt(puppet.host->ctx, puppet.op[0], &r, token), 0);
}

static void the_adapter_sees_the_whole_request_and_its_reply_is_the_answer(void **state)
{
	(void)state;
	struct ht *t = hooked();
	assert_int_equal(call(t, false), 0);
	const struct lt_request *q = puppet.work[0]->request;
	assert_int_equal(puppet.op[0]->kind, LT_J_WEBHOOK);
	assert_memory_equal(q->method.p, "POST", 5);
	assert_memory_equal(q->path.p, "/w/chan", 8);
	assert_memory_equal(q->query.p, "a=b", 4);
	assert_memory_equal(q->body.p, "{\"x\":1}", 8);
	assert_memory_equal(q->peer.p, "127.0.0.1", 10);
	assert_int_equal(q->n_headers, 1);
	assert_memory_equal(q->headers[0].value.p, "ab", 3);
	assert_int_equal(reply(puppet.op[0], 201, "done"), 0);
	assert_int_equal(A.calls, 0);
	ht_turn(t);
	assert_int_equal(A.calls, 1);
	assert_int_equal(A.status, 201);
	assert_string_equal(A.type, "text/plain");
	assert_string_equal(A.body, "done");
	assert_true(reply(puppet.op[0], 200, "again") < 0);
	assert_int_equal(puppet_finish(puppet.op[0], LT_ACCEPTED), 0);
	ht_turn(t);
	assert_int_equal(A.calls, 1);
	over(t);
}

static void a_reply_waits_for_every_commit_even_after_the_job_has_ended(void **state)
{
	(void)state;
	struct ht *t = hooked();
	t->receipt = HT_WAIT;
	assert_int_equal(call(t, false), 0);
	report(1);
	report(2);
	(void)reply(puppet.op[0], 200, "yes");
	(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
	ht_turn(t);
	assert_int_equal(A.calls, 0);
	channel_saved(t->cs, t->receipts[0].ticket, 0);
	ht_turn(t);
	assert_int_equal(A.calls, 0);
	channel_saved(t->cs, t->receipts[1].ticket, 0);
	ht_turn(t);
	assert_int_equal(A.calls, 1);
	assert_int_equal(A.status, 200);
	over(t);
}

static void a_yes_for_what_was_not_stored_becomes_503(void **state)
{
	(void)state;
	struct ht *t = hooked();
	t->receipt = HT_REFUSE;
	assert_int_equal(call(t, false), 0);
	report(1);
	(void)reply(puppet.op[0], 200, "yes");
	ht_turn(t);
	assert_int_equal(A.status, 503);
	assert_string_equal(A.body, "");
	(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
	over(t);
}

static void an_adapter_that_is_silent_or_ends_without_a_reply_is_answered_for(void **state)
{
	(void)state;
	struct ht *t = hooked();
	assert_int_equal(call(t, false), 0);
	ht_wait(t, 1900);
	assert_int_equal(A.calls, 0);
	ht_wait(t, 200);
	assert_int_equal(A.calls, 1);
	assert_int_equal(A.status, 503);
	assert_int_equal(call(t, false), 0);
	(void)puppet_finish(puppet.op[1], LT_ACCEPTED);
	ht_turn(t);
	assert_int_equal(A.calls, 2);
	assert_int_equal(A.status, 503);
	puppet.start_rc = -LT_E_INVALID;
	assert_int_equal(call(t, false), 0);
	ht_turn(t);
	assert_int_equal(A.calls, 3);
	assert_int_equal(A.status, 503);
	over(t);
}

static void more_at_once_than_allowed_are_refused_and_room_comes_back(void **state)
{
	(void)state;
	struct ht *t = hooked();
	assert_int_equal(call(t, false), 0);
	assert_int_equal(call(t, false), 0);
	assert_int_equal(call(t, false), -EBUSY);
	(void)reply(puppet.op[0], 200, "");
	(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
	ht_turn(t);
	assert_int_equal(call(t, false), 0);
	ht_wait(t, 3000);
	assert_int_equal(A.calls, 3);
	ht_close(t, 1000);
	assert_int_equal(call(t, false), -EBUSY);
	over(t);
}

static void only_a_webhook_may_reply_and_only_with_an_answer(void **state)
{
	(void)state;
	struct ht *t = hooked();
	channel_limit(t->acct, 10);
	ht_turn(t);
	assert_true(reply(puppet.session, 200, "") < 0);
	assert_int_equal(call(t, false), 0);
	assert_true(reply(puppet.op[0], 100, "") < 0);
	assert_true(reply(puppet.op[0], 600, "") < 0);
	char *big = calloc(1, WEBHOOK_REPLY_MAX + 2);
	memset(big, 'x', WEBHOOK_REPLY_MAX + 1);
	assert_true(reply(puppet.op[0], 200, big) < 0);
	free(big);
	assert_int_equal(reply(puppet.op[0], 200, ""), 0);
	(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
	ht_turn(t);
	assert_int_equal(A.calls, 1);
	over(t);
}

static void a_cut_answers_what_still_waits(void **state)
{
	(void)state;
	struct ht *t = hooked();
	t->receipt = HT_WAIT;
	assert_int_equal(call(t, false), 0);
	report(1);
	(void)reply(puppet.op[0], 200, "yes");
	(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
	ht_turn(t);
	assert_int_equal(A.calls, 0);
	over(t);
	assert_int_equal(A.calls, 1);
	assert_int_equal(A.status, 503);
}

static void a_channel_tells_its_secret_and_its_accounts_in_order(void **state)
{
	(void)state;
	struct ht *t = hooked();
	assert_true(str_eqz(channel_webhook_secret(t->ch), SECRET));
	assert_string_equal(account_name(channel_account_at(t->ch, 0)), "main");
	assert_string_equal(account_name(channel_account_at(t->ch, 1)), "second");
	assert_null(channel_account_at(t->ch, 2));
	over(t);
}

static void a_webhook_that_can_be_guessed_or_is_not_known_is_refused(void **state)
{
	(void)state;
	over(hooked_as(YAML, "short", CAPS, -EINVAL));
	over(hooked_as(YAML, "0123456789abcdef 123456789abcdef", CAPS, -EINVAL));
	over(hooked_as(YAML, SECRET, SHARED, -EINVAL));
	over(hooked_as("accounts: [{name: main}]\npoll: {every: 60s}\n", SECRET, SHARED, -EINVAL));
	over(hooked_as(
		"accounts: [{name: main}]\nstats: {at: \"05:30\"}\n", SECRET, SHARED, -EINVAL));
	over(hooked_as("accounts: [{name: main}]\nwebhook: {allow: [10.0.0.0/8]}\n", SECRET, CAPS,
		-EINVAL));
	over(hooked_as(
		"accounts: [{name: main}]\nwebhook: {secret: {file: hook}, allow: [10.0.0.0/33]}\n",
		SECRET, CAPS, -EINVAL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_adapter_sees_the_whole_request_and_its_reply_is_the_answer),
		cmocka_unit_test(a_reply_waits_for_every_commit_even_after_the_job_has_ended),
		cmocka_unit_test(a_yes_for_what_was_not_stored_becomes_503),
		cmocka_unit_test(an_adapter_that_is_silent_or_ends_without_a_reply_is_answered_for),
		cmocka_unit_test(more_at_once_than_allowed_are_refused_and_room_comes_back),
		cmocka_unit_test(only_a_webhook_may_reply_and_only_with_an_answer),
		cmocka_unit_test(a_cut_answers_what_still_waits),
		cmocka_unit_test(a_channel_tells_its_secret_and_its_accounts_in_order),
		cmocka_unit_test(a_webhook_that_can_be_guessed_or_is_not_known_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
