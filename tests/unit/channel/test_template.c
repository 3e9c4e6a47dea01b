/* test_template.c - the adapter that people copy to write their own does what it preaches. */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "hosted.h"

static struct ht *hello(void)
{
	struct ht *t = ht_new();
	struct err e = { 0 };
	struct ht_opts o = { .adapter = "hello",
		.kind = "sms",
		.channel_yaml =
			"settings: {url: \"http://127.0.0.1:9/x\"}\naccounts: [{name: main}]\n" };

	assert_int_equal(ht_build(t->dir, "hello", "config/adapter-template/hello.c", NULL), 0);
	assert_int_equal(ht_load(t, &o, &e), 0);
	channel_limit(t->acct, 4);
	ht_turn(t);
	return t;
}

static void a_stop_waits_for_the_answer_that_is_under_way(void **state)
{
	(void)state;
	struct ht *t = hello();
	struct fakenet_answer slow = { .status = 200, .after_ms = 1000 };
	fakenet_script(t->fn, &slow);
	struct ht_op *o = ht_send(t, "84912345678", "text");
	assert_non_null(o);
	ht_turn(t);
	ht_close(t, 20000);
	ht_wait(t, 2000);
	assert_int_equal(o->done, 1);
	assert_int_equal(o->outcome, LT_ACCEPTED);
	assert_int_equal(t->closed, 1); /* and for no more than that */
	over(t);
}

static void a_session_without_an_op_goes_at_once(void **state)
{
	(void)state;
	struct ht *t = hello();
	struct fakenet_answer yes = { .status = 200 };
	fakenet_script(t->fn, &yes);
	struct ht_op *o = ht_send(t, "84912345678", "text");
	ht_turn(t);
	assert_int_equal(o->outcome, LT_ACCEPTED);
	ht_close(t, 20000);
	ht_wait(t, 1);
	assert_int_equal(t->closed, 1);
	over(t);
}

static const struct ht_op *answered(struct ht *t, int status)
{
	struct fakenet_answer a = { .status = status, .times = 1 };
	fakenet_script(t->fn, &a);
	struct ht_op *o = ht_send(t, "84912345678", "text");
	ht_turn(t);
	assert_int_equal(o->done, 1);
	return o;
}

/* It says nothing about who was written to: one by one the whole list would fail for good. */
static void a_token_that_is_no_good_fails_no_recipient(void **state)
{
	(void)state;
	static const int codes[] = { 401, 403 };
	struct ht *t = hello();
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		const struct ht_op *o = answered(t, codes[i]);
		assert_int_equal(o->outcome, LT_DEFERRED);
		assert_int_equal(o->scope, LT_SCOPE_ACCOUNT);
		assert_int_equal(o->flags, LT_R_PERSON);
	}
	assert_int_equal(answered(t, 408)->outcome, LT_UNKNOWN); /* it had waited long enough */
	const struct ht_op *slow = answered(t, 429);
	assert_int_equal(slow->outcome, LT_DEFERRED);
	assert_int_equal(slow->flags, LT_R_FREE);
	assert_int_equal(answered(t, 400)->outcome, LT_REFUSED);
	over(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stop_waits_for_the_answer_that_is_under_way),
		cmocka_unit_test(a_session_without_an_op_goes_at_once),
		cmocka_unit_test(a_token_that_is_no_good_fails_no_recipient),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
