/* jobscene.h - the scene of the tests of polls, statistics, receipts and inbound: one channel with all these capabilities. */
#ifndef LANTOA_TESTS_DISPATCH_JOBSCENE_H
#define LANTOA_TESTS_DISPATCH_JOBSCENE_H

#include "dispatch/dispatch_internal.h"
#include "scene.h"

static int on_channel; /* of inbound_as */
static struct fake_answer answer;
static struct fake_answer script_same(const struct chan_op *op)
{
	UNUSED(op);
	return answer;
}
static int setup(void **state)
{
	UNUSED(state);
	on_channel = 0;
	scene_open(11);
	fake.script = script_same;
	fake.ch[0].caps |= LT_CAP_STATS | LT_CAP_WEBHOOK;
	answer = (struct fake_answer){ .outcome = LT_ACCEPTED, .id = "m-" };
	scene_release(1, PRIO_NORMAL, CAT_PUBLIC_NOTICE);
	return 0;
}
static int teardown(void **state)
{
	UNUSED(state);
	while (fake.n_asking)
		fake_asked(LT_DEFERRED);
	scene_close();
	return 0;
}

__attribute__((unused)) static void polled(uint32_t batch)
{
	sc.ch[0].poll = (struct conf_poll){
		.every_ms = MIN_MS, .max_age_ms = 72 * HR_MS, .batch = batch
	};
	scene_reload();
}

/* Days pass without every timer of them. */
__attribute__((unused)) static void jump(int64_t ms)
{
	sc.te.wall += ms;
	scene_reload(); /* kicks what looks at the clock */
	scene_run(65000);
}

static struct lt_str lt(const char *z)
{
	return (struct lt_str){ z, z ? strlen(z) : 0 };
}

__attribute__((unused)) static void receipt_as(
	bool whole, int state, const char *id, const char *code, int64_t at_ms)
{
	struct lt_str ids[1] = { lt(id) };
	struct lt_receipt r = { .struct_size = sizeof(r),
		.state = state,
		.final = 1,
		.ids = ids,
		.n_ids = 1,
		.code = lt(code),
		.at_ms = at_ms };

	uint64_t before = fake.n_saved;

	fake.ev.receipt(fake.ev.ctx, &fake.ch[0], whole ? NULL : &fake.ch[0].account[0], &r, 77);
	assert_int_equal(fake.n_saved, before); /* the peer hears "ok" behind the commit only */
	scene_settle();
}

__attribute__((unused)) static void receipt(int state, const char *id)
{
	receipt_as(false, state, id, NULL, 0);
}

__attribute__((unused)) static void inbound_as(bool whole, int kind, const char *address,
	const char *text, const char *detail, const char *dedupe)
{
	struct lt_inbound in = { .struct_size = sizeof(in),
		.kind = (uint32_t)kind,
		.address = lt(address),
		.text = lt(text),
		.detail = lt(detail),
		.dedupe = lt(dedupe) };

	struct channel *c = &fake.ch[on_channel];
	uint64_t before = fake.n_saved;
	fake.ev.inbound(fake.ev.ctx, c, whole ? NULL : &c->account[0], &in, 78);
	if (kind <= LT_IN_REVOKED) /* what is none is refused at once */
		assert_int_equal(fake.n_saved, before);
	scene_run(5);
}

__attribute__((unused)) static int64_t delivery_is(int64_t id)
{
	return scene_i64("SELECT state FROM delivery WHERE id=%lld", (long long)id);
}

#endif
