/* test_conformance.c - one suite for every adapter, through the real host on the scripted network and virtual time.
 * The rule behind all of it: what was truly published is never told as refused or deferred, what was not is never told as
 * accepted, and every op ends exactly once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/crypt.h"
#include "conformance.h"

#define ADAPTERS_MAX 32
#define BODY         "From: a@x\r\nSubject: t\r\n\r\nNội dung\r\n"

static const struct conformance *adapters[ADAPTERS_MAX];
static size_t n_adapters;

void conformance_register(const struct conformance *c)
{
	if (n_adapters < ADAPTERS_MAX)
		adapters[n_adapters++] = c;
}

#define EACH(c)                                    \
	for (size_t i_ = 0; i_ < n_adapters; i_++) \
		for (const struct conformance *c = adapters[i_]; c != NULL; c = NULL)

static struct ht *ready(const struct conformance *c, enum conf_script script, uint64_t seed)
{
	struct err e = { 0 };
	struct ht *t = ht_new();
	struct ht_opts o = { .adapter_dir = ht_adapters(),
		.adapter = c->name,
		.kind = c->kind,
		.channel_yaml = c->channel_yaml };
	if (c->prepare)
		c->prepare(t);
	int rc = ht_load(t, &o, &e);
	if (rc != 0)
		fail_msg("%s: %s", c->name, e.text);
	if (c->play)
		c->play(t, script, seed);
	channel_limit(t->acct, 100);
	ht_turn(t);
	return t;
}

static void over(const struct conformance *c, struct ht *t)
{
	if (ht_free(t) != 0)
		fail_msg("%s: something was left over, or an op did not end exactly once", c->name);
}

static const char *body(const struct conformance *c)
{
	return c->body ? c->body : BODY;
}

static struct ht_op *send_one(const struct conformance *c, struct ht *t, const char *address)
{
	for (int i = 0; i < 100 && t->credits == 0; i++)
		ht_wait(t, 1000);
	struct ht_op *o = ht_send(t, address, body(c));
	assert_non_null(o);
	return o;
}

static size_t effects(const struct conformance *c, struct ht *t, const char *address)
{
	return c->effects ? c->effects(t, address) : 0;
}

/* Never a lie in either direction. */
static void must_be_honest(
	const struct conformance *c, struct ht *t, const struct ht_op *o, const char *what)
{
	if (o->done != 1)
		fail_msg("%s, %s: told %d times", c->name, what, o->done);
	if (!c->effects)
		return;
	size_t n = c->effects(t, o->address);
	if (n && (o->outcome == LT_REFUSED || o->outcome == LT_DEFERRED))
		fail_msg("%s, %s: was published and is told as outcome %d (%s %s)", c->name, what,
			o->outcome, o->code, o->text);
	if (!n && o->outcome == LT_ACCEPTED)
		fail_msg("%s, %s: was not published and is told as accepted", c->name, what);
	if (n && o->revoked)
		fail_msg("%s, %s: was published and its intent is given back", c->name, what);
	if (n > 1)
		fail_msg("%s, %s: was published %zu times", c->name, what, n);
}

static void every_outcome_comes_with_its_scope_and_flags(void **state)
{
	(void)state;
	EACH(c) for (size_t i = 0; i < c->n_cases; i++)
	{
		const struct conf_case *k = &c->cases[i];
		struct ht *t = ready(c, CF_OK, i);
		struct ht_op *o = send_one(c, t, k->address);
		ht_wait(t, 5000);
		must_be_honest(c, t, o, k->address);
		if (o->outcome != k->outcome || o->scope != k->scope || o->flags != k->flags)
			fail_msg("%s, %s: outcome %d scope %d flags %u (%s %s), wanted %d %d %u",
				c->name, k->address, o->outcome, o->scope, o->flags, o->code,
				o->text, k->outcome, k->scope, k->flags);
		assert_false(o->by_host);
		over(c, t);
	}
}

static void silence_after_the_send_is_unknown(void **state)
{
	(void)state;
	EACH(c)
	{
		const char *a = c->address(CF_SILENT);
		if (!a)
			continue;
		struct ht *t = ready(c, CF_SILENT, 1);
		struct ht_op *o = send_one(c, t, a);
		ht_wait(t, 1000);
		assert_int_equal(o->done, 0);
		ht_wait(t, 120000);
		must_be_honest(c, t, o, "silence");
		assert_int_equal(o->outcome, LT_UNKNOWN);
		over(c, t);
	}
}

static void a_lost_answer_is_unknown(void **state)
{
	(void)state;
	EACH(c)
	{
		const char *a = c->address(CF_LOST);
		if (!a)
			continue;
		struct ht *t = ready(c, CF_LOST, 1);
		struct ht_op *o = send_one(c, t, a);
		ht_wait(t, 120000);
		must_be_honest(c, t, o, "lost answer");
		assert_int_equal(o->outcome, LT_UNKNOWN);
		over(c, t);
	}
}

static void a_cut_before_the_send_is_deferred(void **state)
{
	(void)state;
	EACH(c)
	{
		const char *a = c->address(CF_CUT_EARLY);
		if (!a)
			continue;
		struct ht *t = ready(c, CF_CUT_EARLY, 1);
		struct ht_op *o = send_one(c, t, a);
		ht_wait(t, 120000);
		must_be_honest(c, t, o, "early cut");
		assert_int_equal(o->outcome, LT_DEFERRED);
		assert_int_equal(effects(c, t, a), 0);
		over(c, t);
	}
}

static void garbage_never_becomes_a_claim(void **state)
{
	(void)state;
	static const enum conf_script scripts[] = { CF_GARBAGE, CF_GARBAGE_LATE };
	EACH(c) for (size_t k = 0; k < 2; k++) for (uint64_t seed = 0; seed < 40; seed++)
	{
		const char *a = c->address(scripts[k]);
		if (!a)
			continue;
		char what[40];
		struct ht *t = ready(c, scripts[k], seed);
		struct ht_op *o = send_one(c, t, a);
		(void)snprintf(what, sizeof(what), "garbage %zu seed %d", k, (int)seed);
		ht_wait(t, 120000);
		must_be_honest(c, t, o, what);
		if (scripts[k] == CF_GARBAGE_LATE && c->effects)
			assert_int_equal(o->outcome, LT_UNKNOWN);
		over(c, t);
	}
}

/* One step of the environment: tasks, finished work, one due timer. False when nothing was left to do now. */
static bool one_step(struct ht *t)
{
	uint64_t before = t->te.ran;
	if (env_run_tasks(&t->te.env) == 0) {
		testenv_settle(&t->te);
		return t->te.ran != before;
	}
	return true;
}

static void a_cancel_at_each_step_is_honest(void **state)
{
	(void)state;
	int ran = 0;
	EACH(c) for (int at = 0; at < 40; at++)
	{
		char what[40];
		enum conf_script script = at % 2 || !c->address(CF_SLOW) ? CF_OK : CF_SLOW;
		const char *a = c->address(script);
		struct ht *t = ready(c, script, 1);
		t->go = at % 3 == 2 ? HT_WAIT : HT_AUTO;
		struct ht_op *o = ht_send(t, a, body(c));
		if (!o) { /* its session is not ready yet */
			over(c, t);
			continue;
		}
		ran++;
		for (int i = 0; i < at / 2 && o->done == 0; i++)
			if (!one_step(t))
				break;
		bool over_already = o->done != 0;
		if (!over_already) {
			channel_op_cancel(&o->op);
			size_t sent = effects(c, t, a);
			bool wire = channel_op_on_wire(&o->op);
			ht_wait(t, 120000);
			if (!wire && !sent) /* a stop is a stop */
				assert_int_equal(effects(c, t, a), 0);
		}
		(void)snprintf(what, sizeof(what), "cancel at step %d", at);
		must_be_honest(c, t, o, what);
		over(c, t);
	}
	assert_true(ran > 30 * (int)n_adapters);
}

static void many_ops_end_each_with_its_own_answer(void **state)
{
	(void)state;
	EACH(c)
	{
		struct ht *t = ready(c, CF_OK, 3);
		for (size_t i = 0; i < 10 * c->n_cases; i++) {
			(void)send_one(c, t, c->cases[0].address); /* ok, all of them */
			ht_turn(t); /* credits that were spent are told */
		}
		ht_wait(t, 120000);
		assert_int_equal(ht_done_count(t, LT_ACCEPTED), 10 * c->n_cases);
		over(c, t);
	}
}

static void a_close_in_the_middle_leaves_nothing(void **state)
{
	(void)state;
	EACH(c) for (int steps = 0; steps < 12; steps++)
	{
		struct ht *t = ready(c, CF_SILENT, 3);
		const char *a = c->address(CF_SILENT);
		struct ht_op *o = a ? send_one(c, t, a) : NULL;
		for (int i = 0; i < steps; i++)
			(void)one_step(t);
		ht_close(t, 1000);
		ht_wait(t, 5000);
		assert_int_equal(t->closed, 1);
		if (o)
			must_be_honest(c, t, o, "close");
		over(c, t);
	}
}

/* A question that is stopped or late must not be read as proof of absence, or the delivery goes out twice. */
static void a_question_that_is_stopped_proves_nothing(void **state)
{
	(void)state;
	EACH(c)
	{
		const char *a = c->address(CF_SILENT);
		struct ht *t = ready(c, CF_SILENT, 1);
		if (!a || !(channel_caps(t->ch) & LT_CAP_RECONCILE)) {
			over(c, t);
			continue;
		}
		for (int late = 0; late < 2; late++) {
			struct ht_op *o = ht_op(t, a, body(c));
			o->op.kind = LT_J_RECONCILE;
			assert_int_equal(ht_start(t, &o, 1), 0);
			if (!late && o->done == 0)
				channel_op_cancel(&o->op);
			ht_wait(t, 120000);
			assert_int_equal(o->done, 1);
			assert_int_not_equal(o->outcome, LT_DEFERRED);
		}
		over(c, t);
	}
}

static int checks;
static void on_check(void *ctx, const struct chan_result *r)
{
	(void)ctx;
	(void)r;
	checks++;
}

static void a_check_of_the_account_is_answered_once(void **state)
{
	(void)state;
	EACH(c)
	{
		struct ht *t = ready(c, CF_OK, 3);
		checks = 0;
		channel_check(t->acct, on_check, NULL);
		ht_wait(t, 120000);
		assert_int_equal(checks, 1);
		over(c, t);
	}
}

static int answers, answer_status;
static void on_answer(void *ctx, int status, struct str type, struct str text)
{
	(void)ctx;
	(void)type;
	(void)text;
	answers++;
	answer_status = status;
}

static void a_webhook_is_answered_once_whatever_is_in_it(void **state)
{
	static const char *const bodies[] = { "", "{", "{}", "[]", "null", "a=b&c=%zz",
		"\xff\xfe\x00", "{\"entry\":[{\"id\":1,\"changes\":[{}]},null,7]}",
		"{\"event_name\":null,\"sender\":\"x\",\"timestamp\":\"x\"}",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[" };
	static const char *const methods[] = { "GET", "POST", "PUT" };
	struct lt_pair headers[] = { { .name = { "X-Hub-Signature-256", 19 },
					     .value = { "sha256=00", 9 } },
		{ .name = { "X-ZEvent-Signature", 18 }, .value = { "mac=", 4 } },
		{ .name = { "Content-Type", 12 }, .value = { "application/json", 16 } } };
	(void)state;
	EACH(c)
	{
		struct ht *t = ready(c, CF_OK, 3);
		if (!(channel_caps(t->ch) & LT_CAP_WEBHOOK)) {
			over(c, t);
			continue;
		}
		for (size_t i = 0; i < 3 * sizeof(bodies) / sizeof(bodies[0]); i++) {
			struct chan_request r = { .method = str_of(methods[i % 3]),
				.path = STR("/w/chan"),
				.query = STR("hub.mode=subscribe&hub.challenge=&x=%"),
				.peer = STR("127.0.0.1"),
				.body = str_of(bodies[i / 3]),
				.headers = headers,
				.n_headers = i % 2 ? 3 : 0 };
			answers = answer_status = 0;
			assert_int_equal(channel_webhook(t->acct, i % 2, &r, on_answer, NULL), 0);
			ht_wait(t, 20000);
			assert_int_equal(answers, 1);
			assert_in_range(answer_status, 200, 599);
		}
		over(c, t);
	}
}

static int asked;
static void on_asked(void *ctx, const struct chan_result *r)
{
	(void)ctx;
	(void)r;
	asked++;
}

static void a_question_about_many_ends_once_whatever_the_provider_does(void **state)
{
	static const enum conf_script scripts[] = { CF_OK, CF_SILENT, CF_GARBAGE, CF_LOST };
	static const uint32_t kinds[] = { LT_J_POLL, LT_J_STATS };
	struct lt_id ids[] = { { 0, LT_ACCEPTED, { "123_456", 7 } }, { 1, 0, { "\"x\"", 3 } } };
	(void)state;
	EACH(c)
	for (size_t s = 0; s < sizeof(scripts) / sizeof(scripts[0]); s++)
		for (int k = 0; k < 2; k++) {
			struct ht *t = ready(c, scripts[s], 3);
			struct chan_item v[] = { { .delivery = 1,
							 .ref = STR("ref-1"),
							 .address = str_of(c->good_addresses[0]),
							 .ids = ids,
							 .n_ids = 2 },
				{ .delivery = 2, .ref = STR("ref-2") } };
			for (size_t n = 0; n <= 2; n++) {
				asked = 0;
				int rc = channel_ask(
					t->acct, kinds[k], v, n, 60000, on_asked, NULL);
				ht_wait(t, 70000);
				assert_int_equal(asked, rc == 0);
			}
			over(c, t);
		}
}

static void addresses_are_taken_or_refused_with_a_reason(void **state)
{
	(void)state;
	EACH(c)
	{
		struct ht *t = ready(c, CF_OK, 3);
		struct addr_out first, again;
		for (size_t i = 0; c->good_addresses[i]; i++) {
			struct err e = { 0 };
			if (channel_address(t->ch, str_of(c->good_addresses[i]), &first, &e) != 0)
				fail_msg("%s refuses '%s': %s", c->name, c->good_addresses[i],
					e.text);
			assert_int_equal(
				channel_address(t->ch, str_of(first.canonical), &again, &e), 0);
			assert_string_equal(first.canonical, again.canonical);
			assert_true(first.form[0] != 0);
		}
		for (size_t i = 0; c->bad_addresses[i]; i++) {
			struct err e = { 0 };
			if (channel_address(t->ch, str_of(c->bad_addresses[i]), &first, &e) == 0)
				fail_msg("%s takes '%s'", c->name, c->bad_addresses[i]);
			assert_true(e.text[0] != 0);
		}
		over(c, t);
	}
}

static void addresses_of_noise_do_no_harm(void **state)
{
	(void)state;
	EACH(c)
	{
		struct ht *t = ready(c, CF_OK, 3);
		for (int i = 0; i < 2000; i++) {
			char in[80];
			struct addr_out out;
			struct err e;
			size_t n = testenv_random(&t->te) % sizeof(in);
			for (size_t k = 0; k < n; k++)
				in[k] = k == n / 2 && i % 2 ? '@' : (char)testenv_random(&t->te);
			if (channel_address(t->ch, (struct str){ in, n }, &out, &e) == 0) {
				assert_false(str_has_control(str_of(out.canonical)));
				assert_true(strlen(out.class) < sizeof(out.class));
			}
		}
		over(c, t);
	}
}

static struct prepared *prepare(const struct conformance *c, struct ht *t, const char *title)
{
	struct lt_content in = { .struct_size = sizeof(in),
		.title = { title, strlen(title) },
		.summary = { "Tóm tắt", strlen("Tóm tắt") },
		.body_markdown = { "Xin **chào**", strlen("Xin **chào**") },
		.text = { title, strlen(title) }, /* all that a short message has */
		.lang = { "vi", 2 },
		.code = { "TTBC-2026-1", 11 },
		.at_ms = t->te.wall };
	struct prepared *p = NULL;
	struct err e = { 0 };
	if (channel_prepare(t->ch, "main", &in, &p, &e) != 0)
		fail_msg("%s: %s", c->name, e.text);
	return p;
}

static struct str text_of(struct lt_str s)
{
	return (struct str){ s.p, s.n };
}

static void must_be_same(
	const struct conformance *c, const struct payload *a, const struct payload *b)
{
	if (a->n != b->n || a->bytes != b->bytes)
		fail_msg("%s: %zu pieces, %zu the next time", c->name, a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		const struct lt_src *x = &a->src[i], *y = &b->src[i];
		if (!str_eq(text_of(x->bytes), text_of(y->bytes)) ||
			!str_eq(text_of(x->secret), text_of(y->secret)) ||
			!str_eq(text_of(x->asset), text_of(y->asset)) || x->offset != y->offset ||
			x->length != y->length || x->encode != y->encode)
			fail_msg("%s: piece %zu is another one the next time", c->name, i);
	}
}

static void the_same_content_is_prepared_the_same_way(void **state)
{
	(void)state;
	EACH(c)
	{
		struct ht *t = ready(c, CF_OK, 3);
		struct prepared *a = prepare(c, t, "Thông báo");
		t->te.wall += 86400000; /* approved today, sent tomorrow */
		struct lt_target target = { .struct_size = sizeof(target),
			.address = { c->good_addresses[0], strlen(c->good_addresses[0]) },
			.ref = { "r1", 2 },
			.at_ms = t->te.wall };
		struct prepared *b = prepare(c, t, "Thông báo"), *d = prepare(c, t, "Khác");
		assert_int_equal(a->n_problems, 0);
		assert_int_not_equal(hash_cmp(&a->digest, &d->digest), 0);
		assert_true(a->preview != NULL);
		if (hash_cmp(&a->digest, &b->digest) != 0)
			fail_msg("%s: prepared otherwise a day later", c->name);
		assert_string_equal(a->preview, b->preview);
		struct payload *one = NULL, *two = NULL;
		struct err e = { 0 };
		assert_int_equal(channel_compose(t->ch, "main", a, &target, &one, &e), 0);
		assert_int_equal(channel_compose(t->ch, "main", b, &target, &two, &e), 0);
		assert_true(one->bytes > 0);
		must_be_same(c, one, two);
		payload_free(one);
		payload_free(two);
		prepared_unref(a);
		prepared_unref(b);
		prepared_unref(d);
		over(c, t);
	}
}

static void every_adapter_is_described(void **state)
{
	size_t built = 0;
	DIR *d = opendir(ht_adapters());

	(void)state;
	assert_non_null(d);
	for (struct dirent *f; (f = readdir(d)) != NULL;) {
		size_t n = strlen(f->d_name), described = 0;
		if (n <= 3 || strcmp(f->d_name + n - 3, ".so") != 0)
			continue;
		EACH(c)
		described += strlen(c->name) == n - 3 && strncmp(c->name, f->d_name, n - 3) == 0;
		if (described == 0)
			fail_msg("nobody describes %s", f->d_name);
		built++;
	}
	(void)closedir(d);
	assert_true(built >= 6);
	/* what is asked of all: who knows no such provider says so by name */
	EACH(c)
	{
		assert_non_null(c->address(CF_OK));
		assert_non_null(c->address(CF_CUT_EARLY));
		if (c->address(CF_SILENT) == NULL || c->address(CF_LOST) == NULL)
			assert_string_equal(c->name, "facebook"); /* in its steps that repeat */
		if (c->effects == NULL)
			assert_string_equal(c->name, "loopback"); /* by address alone */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_adapter_is_described),
		cmocka_unit_test(every_outcome_comes_with_its_scope_and_flags),
		cmocka_unit_test(silence_after_the_send_is_unknown),
		cmocka_unit_test(a_lost_answer_is_unknown),
		cmocka_unit_test(a_cut_before_the_send_is_deferred),
		cmocka_unit_test(garbage_never_becomes_a_claim),
		cmocka_unit_test(a_cancel_at_each_step_is_honest),
		cmocka_unit_test(many_ops_end_each_with_its_own_answer),
		cmocka_unit_test(a_close_in_the_middle_leaves_nothing),
		cmocka_unit_test(a_question_that_is_stopped_proves_nothing),
		cmocka_unit_test(a_check_of_the_account_is_answered_once),
		cmocka_unit_test(a_webhook_is_answered_once_whatever_is_in_it),
		cmocka_unit_test(a_question_about_many_ends_once_whatever_the_provider_does),
		cmocka_unit_test(addresses_are_taken_or_refused_with_a_reason),
		cmocka_unit_test(addresses_of_noise_do_no_harm),
		cmocka_unit_test(the_same_content_is_prepared_the_same_way),
	};
	return cmocka_run_group_tests_name("conformance", tests, NULL, NULL);
}
