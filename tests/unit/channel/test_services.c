/* test_services.c - what the host does for a job: commits, receipts, timers, requests, checks; and how fast. */
#include <stdlib.h>
#include <string.h>
#include "channel/channel_internal.h"
#include "hosted.h"

/* --- saves, receipts, timers, http ----------------------------------------------------------------------------------------------- */
static void a_step_is_told_after_its_commit_with_its_error(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	struct ht_op *o = ht_send(t, "a@x", "1");
	t->save = HT_REFUSE;
	(void)puppet.host->save(puppet.host->ctx, puppet.op[0], (struct lt_str){ "photo", 5 },
		(struct lt_str){ "77", 2 }, 31);
	assert_int_equal(o->saves, 0);
	ht_turn(t);
	assert_string_equal(o->saved, "photo=77");
	assert_int_equal(puppet.events[LT_EV_SAVED], 1);
	assert_true(puppet.last_error < 0);
	(void)puppet_finish(puppet.op[0], LT_DEFERRED);
	over(t);
}

/* A step that was cut would be gone on from as if it were whole. */
static void a_step_that_is_too_large_is_refused_whole(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	struct ht_op *o = ht_send(t, "a@x", "1");
	char *big = calloc(1, 65538);
	assert_non_null(big);
	memset(big, 'x', 65537);
	const struct lt_host *host = puppet.host;
	struct lt_str name = { "photo", 5 };
	assert_int_equal(
		host->save(host->ctx, puppet.op[0], name, (struct lt_str){ big, 65537 }, 1),
		-LT_E_INVALID);
	assert_int_equal(host->save(host->ctx, puppet.op[0], (struct lt_str){ big, 201 }, name, 1),
		-LT_E_INVALID);
	ht_turn(t);
	assert_int_equal(o->saves, 0);
	assert_int_equal(host->save(host->ctx, puppet.op[0], (struct lt_str){ big, 200 },
				 (struct lt_str){ big, 65536 }, 1),
		0);
	free(big);
	ht_turn(t);
	assert_int_equal(o->saves, 1);
	(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
	over(t);
}

static void a_commit_that_comes_after_the_op_is_over_reaches_nobody(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	t->save = HT_WAIT;
	struct ht_op *o = ht_send(t, "a@x", "1");
	(void)puppet.host->save(puppet.host->ctx, puppet.op[0], (struct lt_str){ "photo", 5 },
		(struct lt_str){ "77", 2 }, 31);
	(void)puppet_finish(puppet.op[0], LT_DEFERRED);
	ht_turn(t);
	assert_int_equal(o->done, 1);
	channel_saved(t->cs, o->save_ticket, 0);
	channel_saved(t->cs, o->save_ticket, 0);
	ht_turn(t);
	assert_int_equal(puppet.events[LT_EV_SAVED], 0);
	over(t);
}

static void a_receipt_is_acknowledged_after_its_commit(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	struct lt_str id = { "mid-1", 5 };
	struct lt_receipt r = { .struct_size = sizeof(r),
		.state = LT_RC_DELIVERED,
		.ids = &id,
		.n_ids = 1,
		.attempt = 55 };
	t->receipt = HT_WAIT;
	assert_int_equal(puppet.host->receipt(puppet.host->ctx, puppet.session, &r, 91), 0);
	ht_turn(t);
	assert_int_equal(t->n_receipts, 1);
	assert_string_equal(t->receipts[0].id, "mid-1");
	assert_int_equal(t->receipts[0].attempt, 55);
	assert_int_equal(puppet.events[LT_EV_SAVED], 0);
	channel_saved(t->cs, t->receipts[0].ticket, 0);
	assert_int_equal(puppet.events[LT_EV_SAVED], 1);
	assert_int_equal(puppet.last_token, 91);
	over(t);
}

static void a_receipt_may_name_24_ids_and_no_more(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	struct lt_str ids[25];
	struct lt_receipt r = {
		.struct_size = sizeof(r), .state = LT_RC_DELIVERED, .ids = ids, .n_ids = 24
	};
	for (size_t i = 0; i < 25; i++)
		ids[i] = (struct lt_str){ "mid-1", 5 };
	assert_int_equal(puppet.host->receipt(puppet.host->ctx, puppet.session, &r, 91), 0);
	ht_turn(t);
	assert_int_equal(t->n_receipts, 1);
	r.n_ids = 25; /* refused whole: what was left out could be the one that fits */
	assert_int_equal(
		puppet.host->receipt(puppet.host->ctx, puppet.session, &r, 92), -LT_E_INVALID);
	ht_turn(t);
	assert_int_equal(t->n_receipts, 1);
	over(t);
}

static void a_struct_of_an_older_adapter_is_read_only_as_far_as_it_goes(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	struct ht_op *o = ht_send(t, "a@x", "1");
	struct {
		uint32_t struct_size;
		int32_t outcome, scope;
		uint32_t flags;
	} *little = malloc(sizeof(*little)); /* the sanitizer sees any read behind it */
	*little = (__typeof__(*little)){ sizeof(*little), LT_REFUSED, LT_SCOPE_LANE, 0 };
	(void)puppet.host->finish(
		puppet.host->ctx, puppet.op[0], (const struct lt_result *)(void *)little);
	free(little);
	ht_turn(t);
	assert_int_equal(o->outcome, LT_REFUSED);
	assert_int_equal(o->scope, LT_SCOPE_LANE);
	over(t);
}

static void timers_wake_their_job_and_die_with_it(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	(void)ht_send(t, "a@x", "1");
	for (uint64_t i = 0; i < 8; i++)
		assert_int_equal(
			puppet.host->wake_at(puppet.host->ctx, puppet.op[0], t->te.mono + 10, i),
			0);
	assert_int_equal(puppet.host->wake_at(puppet.host->ctx, puppet.op[0], t->te.mono + 10, 99),
		-LT_E_FULL);
	assert_int_equal(puppet.host->wake_at(puppet.host->ctx, puppet.op[0], t->te.mono + 20, 7),
		0); /* the same token moves */
	ht_wait(t, 10);
	assert_int_equal(puppet.events[LT_EV_WAKE], 7);
	(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
	ht_wait(t, 100);
	assert_int_equal(puppet.events[LT_EV_WAKE], 7);
	over(t);
}

static int post(struct lt_job *job, uint32_t flags, const char *url)
{
	struct lt_http_req r = { .struct_size = sizeof(r),
		.flags = flags,
		.method = { "POST", 4 },
		.url = { url, strlen(url) },
		.token = 4 };
	return puppet.host->http(puppet.host->ctx, job, &r);
}

static void a_publishing_request_needs_an_intent(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	struct ht_op *o = ht_send(t, "a@x", "1");
	assert_int_equal(post(puppet.op[0], LT_PUBLISHES, "http://127.0.0.1/"), -LT_E_NOINTENT);
	ht_turn(t);
	assert_int_equal(t->fn->n_calls, 0);
	assert_int_equal(o->done, 1);
	assert_int_equal(o->outcome, LT_DEFERRED);
	over(t);
}

/* One op that gives its job up when the answer of its publishing request comes. */
static int lost(uint32_t flags, enum fakenet_how how, int status)
{
	struct ht *t = fresh(SHARED_NOW);
	struct fakenet_answer a = { .how = how, .status = status };
	struct ht_op *o = ht_send(t, "a@x", "1");
	fakenet_script(t->fn, &a);
	puppet.event_rc = -1;
	puppet.event_rc_type = LT_EV_HTTP;
	assert_int_equal(post(puppet.op[0], LT_PUBLISHES | flags, "http://127.0.0.1/"), 0);
	ht_turn(t);
	int outcome = o->outcome;
	assert_int_equal(o->done, 1);
	over(t);
	return outcome;
}

static void a_lost_answer_is_unknown_unless_not_one_byte_left(void **state)
{
	(void)state;
	assert_int_equal(lost(0, FAKENET_LOST_AFTER, 0), LT_UNKNOWN);
	assert_int_equal(lost(0, FAKENET_LOST_BEFORE, 0), LT_UNKNOWN);
	assert_int_equal(lost(0, FAKENET_ANSWER, 500), LT_UNKNOWN);
	assert_int_equal(lost(0, FAKENET_REFUSED, 0), LT_DEFERRED);
	assert_int_equal(lost(LT_REPEATABLE, FAKENET_LOST_AFTER, 0), LT_DEFERRED);
}

/* Its own request is on the way: that nothing was taken, or that it was refused, nobody can know yet. */
static int claimed(uint32_t flags, const struct fakenet_answer *a, int32_t outcome)
{
	struct ht *t = fresh(SHARED_NOW);
	struct ht_op *o = ht_send(t, "a@x", "1");
	fakenet_script(t->fn, a);
	assert_int_equal(post(puppet.op[0], LT_PUBLISHES | flags, "http://127.0.0.1/"), 0);
	ht_wait(t, 100);
	(void)puppet_finish(puppet.op[0], outcome);
	ht_turn(t);
	assert_int_equal(o->done, 1);
	int told = o->outcome;
	over(t);
	return told;
}

static void a_claim_before_the_answer_has_come_is_unknown(void **state)
{
	(void)state;
	const struct fakenet_answer slow = { .status = 200, .after_ms = 5000 },
				    now = { .status = 429 }, none = { .how = FAKENET_REFUSED };
	assert_int_equal(claimed(0, &slow, LT_DEFERRED), LT_UNKNOWN);
	assert_int_equal(claimed(0, &slow, LT_REFUSED), LT_UNKNOWN);
	assert_int_equal(claimed(0, &slow, LT_ACCEPTED), LT_ACCEPTED);
	assert_int_equal(claimed(LT_REPEATABLE, &slow, LT_DEFERRED), LT_DEFERRED);
	assert_int_equal(claimed(0, &now, LT_DEFERRED), LT_DEFERRED);
	assert_int_equal(claimed(0, &now, LT_REFUSED), LT_REFUSED);
	assert_int_equal(claimed(0, &none, LT_DEFERRED), LT_DEFERRED);
}

static void a_request_that_never_left_does_not_excuse_one_that_did(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	struct fakenet_answer left = { .how = FAKENET_LOST_AFTER },
			      not_left = { .how = FAKENET_REFUSED };
	struct ht_op *o = ht_send(t, "a@x", "1");
	fakenet_script(t->fn, &left);
	left.times = not_left.times = 1;
	t->fn->answers[0].times = 1;
	fakenet_script(t->fn, &not_left);
	assert_int_equal(post(puppet.op[0], LT_PUBLISHES, "http://127.0.0.1/1"), 0);
	assert_int_equal(post(puppet.op[0], LT_PUBLISHES, "http://127.0.0.1/2"), 0);
	ht_turn(t);
	assert_int_equal(puppet.events[LT_EV_HTTP], 2);
	ht_wait(t, 70000);
	assert_int_equal(o->outcome, LT_UNKNOWN);
	over(t);
}

static void a_repeatable_request_does_not_hide_one_that_must_not_be_repeated(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	struct fakenet_answer lost_one = { .how = FAKENET_LOST_AFTER };
	struct ht_op *o = ht_send(t, "a@x", "1");
	fakenet_script(t->fn, &lost_one);
	assert_int_equal(post(puppet.op[0], LT_PUBLISHES, "http://127.0.0.1/1"), 0);
	assert_int_equal(post(puppet.op[0], LT_PUBLISHES | LT_REPEATABLE, "http://127.0.0.1/2"), 0);
	ht_wait(t, 70000);
	assert_int_equal(o->outcome, LT_UNKNOWN);
	over(t);
}

/* Its adapter would send the same once more, which is allowed, but not behind a stop that was answered. */
static void behind_a_stop_not_even_a_repeat_is_sent(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	struct fakenet_answer again = { .status = 500 };
	struct ht_op *o = ht_send(t, "a@x", "1");
	fakenet_script(t->fn, &again);
	assert_int_equal(post(puppet.op[0], LT_PUBLISHES | LT_REPEATABLE, "http://127.0.0.1/1"), 0);
	ht_turn(t);
	assert_true(channel_op_on_wire(&o->op));
	channel_op_stop(&o->op);
	assert_int_equal(post(puppet.op[0], LT_PUBLISHES | LT_REPEATABLE, "http://127.0.0.1/1"),
		-LT_E_NOINTENT);
	assert_int_equal(post(puppet.op[0], 0, "http://127.0.0.1/look"), 0);
	ht_turn(t);
	assert_int_equal(t->fn->n_calls, 2);
	(void)puppet_finish(puppet.op[0], LT_UNKNOWN);
	ht_turn(t);
	assert_int_equal(o->done, 1);
	over(t);
}

static void at_the_deadline_requests_are_cancelled_and_the_phase_is_told(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	struct ht_op *o = ht_send(t, "a@x", "1");
	assert_int_equal(post(puppet.op[0], LT_PUBLISHES, "http://127.0.0.1/"), 0);
	ht_wait(t, 60500); /* nobody ever took the connection */
	assert_int_equal(puppet.events[LT_EV_HTTP], 1);
	assert_int_equal(puppet.last_phase, LT_P_NOT_SENT);
	ht_wait(t, 5000);
	assert_int_equal(o->done, 1);
	assert_int_equal(o->outcome, LT_DEFERRED);
	over(t);
}

static void an_answer_that_comes_after_the_op_is_over_reaches_nobody(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	struct fakenet_answer late = { .status = 200, .after_ms = 1000 };
	struct ht_op *o = ht_send(t, "a@x", "1");
	fakenet_script(t->fn, &late);
	assert_int_equal(post(puppet.op[0], LT_PUBLISHES, "http://127.0.0.1/"), 0);
	(void)puppet_finish(puppet.op[0], LT_UNKNOWN);
	ht_wait(t, 2000);
	assert_int_equal(o->done, 1);
	assert_true(t->fn->calls[0]->cancelled);
	assert_int_equal(puppet.events[LT_EV_HTTP], 0);
	over(t);
}

static void the_exchange_record_of_a_request_is_automatic(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	struct fakenet_answer ok = { .status = 201, .body = "created" };
	(void)ht_send(t, "a@x", "1");
	fakenet_script(t->fn, &ok);
	assert_int_equal(post(puppet.op[0], LT_PUBLISHES, "http://127.0.0.1/x"), 0);
	assert_string_equal(t->trace_last, "POST http://127.0.0.1/x\n");
	ht_turn(t);
	assert_non_null(strstr(t->trace_last, "201"));
	assert_non_null(strstr(t->trace_last, "created"));
	(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
	over(t);
}

static void a_form_gets_its_type_unless_the_adapter_names_one(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	struct fakenet_answer ok = { .status = 200 };
	const struct lt_field f = { .name = { "a", 1 }, .src = { .bytes = { "1 2", 3 } } };
	const struct lt_pair own = { .name = { "content-type", 12 }, .value = { "text/x", 6 } };
	struct lt_http_req r = { .struct_size = sizeof(r),
		.body_kind = LT_BODY_FORM,
		.method = { "POST", 4 },
		.url = { "http://127.0.0.1/", 17 },
		.fields = &f,
		.n_fields = 1,
		.token = 4 };

	(void)ht_send(t, "a@x", "1");
	fakenet_script(t->fn, &ok);
	assert_int_equal(puppet.host->http(puppet.host->ctx, puppet.op[0], &r), 0);
	assert_string_equal(
		t->fn->calls[0]->headers, "Content-Type: application/x-www-form-urlencoded\n");
	assert_string_equal(t->fn->calls[0]->body, "a=1%202");
	r.headers = &own;
	r.n_headers = 1;
	assert_int_equal(puppet.host->http(puppet.host->ctx, puppet.op[0], &r), 0);
	assert_string_equal(t->fn->calls[1]->headers, "content-type: text/x\n");
	r.body_kind = LT_BODY_RAW;
	r.n_headers = 0;
	assert_int_equal(puppet.host->http(puppet.host->ctx, puppet.op[0], &r), 0);
	assert_string_equal(t->fn->calls[2]->headers, "");
	ht_turn(t);
	(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
	over(t);
}

static int check_calls, check_outcome;
static void on_check(void *ctx, const struct chan_result *r)
{
	(void)ctx;
	check_calls++;
	check_outcome = r->outcome;
}

static void a_check_is_answered_once_also_when_the_adapter_is_silent(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED);
	check_calls = 0;
	puppet.start_rc = -LT_E_INVALID;
	channel_check(t->acct, on_check, NULL);
	assert_int_equal(check_calls, 0);
	ht_turn(t);
	assert_int_equal(check_calls, 1);
	puppet.start_rc = 0;
	channel_check(t->acct, on_check, NULL);
	ht_wait(t, 61000);
	assert_int_equal(check_calls, 2);
	channel_check(t->acct, on_check, NULL);
	ht_close(t, 0);
	ht_wait(t, 1000);
	assert_int_equal(check_calls, 3);
	assert_int_equal(check_outcome, LT_DEFERRED);
	assert_int_equal(t->closed, 1);
	over(t);
}

static void a_demo_reaches_only_this_machine(void **state)
{
	(void)state;
	struct ht *t = fresh(SHARED_NOW);
	t->conf->channels[0]->loopback_only = true;
	(void)ht_send(t, "a@x", "1");
	static const char *const far[] = { "http://192.0.2.1/", "http://example.org/x", "127.0.0.1",
		"http://user@127.0.0.1/", "http://127.0.0.1.example.org/", "http://[2001:db8::1]/",
		"http://127.0.0.1\\@192.0.2.1/" };
	for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++)
		assert_int_equal(post(puppet.op[0], 0, far[i]), -LT_E_INVALID);
	static const char *const near[] = { "http://127.0.0.1/", "http://localhost:8080/x?y",
		"http://[::1]:80/", "https://127.1.2.3?q" };
	for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++)
		assert_int_equal(post(puppet.op[0], 0, near[i]), 0);
	struct lt_stream_req r = {
		.struct_size = sizeof(r), .kind = LT_TCP, .host = { "192.0.2.1", 9 }, .port = 25
	};
	uint32_t id = 0;
	assert_int_equal(
		puppet.host->stream_open(puppet.host->ctx, puppet.session, &r, &id), -LT_E_INVALID);
	(void)puppet_finish(puppet.op[0], LT_ACCEPTED);
	over(t);
}

/* A refusal of the whole channel is known to every account of it, one of an account to none other; a slower pace is no refusal. */
static void what_one_account_is_refused_the_others_know(void **state)
{
	(void)state;
	struct ht *t = ht_new();
	assert_int_equal(puppet_load_as(t, SHARED, "accounts: [{name: main}, {name: other}]\n"), 0);
	channel_limit(t->acct, 1000);
	ht_turn(t);
	const struct lt_host *a = &t->acct->ch->accounts[0]->host,
			     *b = &t->acct->ch->accounts[1]->host;
	struct lt_rate r = { .struct_size = sizeof(r),
		.scope = LT_SCOPE_CHANNEL,
		.retry_after_ms = 60000,
		.congestion = 1 };
	assert_int_equal(a->limited_ms(a->ctx, puppet.session), 0);
	a->rate(a->ctx, puppet.session, &r);
	assert_int_equal(b->limited_ms(b->ctx, puppet.session), 0);
	r.congestion = LT_RATE_REFUSED;
	r.scope = LT_SCOPE_ACCOUNT;
	a->rate(a->ctx, puppet.session, &r);
	assert_int_equal(a->limited_ms(a->ctx, puppet.session), 60000);
	assert_int_equal(b->limited_ms(b->ctx, puppet.session), 0);
	r.scope = LT_SCOPE_CHANNEL;
	r.retry_after_ms = 50000;
	a->rate(a->ctx, puppet.session, &r);
	assert_int_equal(b->limited_ms(b->ctx, puppet.session), 50000);
	assert_int_equal(a->limited_ms(a->ctx, puppet.session), 60000);
	ht_turn(t);
	over(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_step_is_told_after_its_commit_with_its_error),
		cmocka_unit_test(a_step_that_is_too_large_is_refused_whole),
		cmocka_unit_test(a_commit_that_comes_after_the_op_is_over_reaches_nobody),
		cmocka_unit_test(a_receipt_is_acknowledged_after_its_commit),
		cmocka_unit_test(a_receipt_may_name_24_ids_and_no_more),
		cmocka_unit_test(a_struct_of_an_older_adapter_is_read_only_as_far_as_it_goes),
		cmocka_unit_test(timers_wake_their_job_and_die_with_it),
		cmocka_unit_test(a_publishing_request_needs_an_intent),
		cmocka_unit_test(a_lost_answer_is_unknown_unless_not_one_byte_left),
		cmocka_unit_test(a_claim_before_the_answer_has_come_is_unknown),
		cmocka_unit_test(a_request_that_never_left_does_not_excuse_one_that_did),
		cmocka_unit_test(a_repeatable_request_does_not_hide_one_that_must_not_be_repeated),
		cmocka_unit_test(behind_a_stop_not_even_a_repeat_is_sent),
		cmocka_unit_test(at_the_deadline_requests_are_cancelled_and_the_phase_is_told),
		cmocka_unit_test(an_answer_that_comes_after_the_op_is_over_reaches_nobody),
		cmocka_unit_test(the_exchange_record_of_a_request_is_automatic),
		cmocka_unit_test(a_form_gets_its_type_unless_the_adapter_names_one),
		cmocka_unit_test(a_check_is_answered_once_also_when_the_adapter_is_silent),
		cmocka_unit_test(a_demo_reaches_only_this_machine),
		cmocka_unit_test(what_one_account_is_refused_the_others_know),
	};
	return cmocka_run_group_tests_name("channel_services", tests, NULL, NULL);
}
