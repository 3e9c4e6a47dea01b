/* stopscene.h - a person stops something and lets it go again: stop(verb, scope, except); what was answered stands in `got`.
 * A provider that takes its time: fake.script = script_slow.
 */
#ifndef LANTOA_TESTS_DISPATCH_STOPSCENE_H
#define LANTOA_TESTS_DISPATCH_STOPSCENE_H

#include "scene.h"

__attribute__((unused)) static struct fake_answer script_slow(const struct chan_op *op)
{
	UNUSED(op);
	return (struct fake_answer){ .outcome = LT_ACCEPTED, .after_ms = 40 };
}

static struct stop_answer {
	int n, rc; /* n: answers since the last stop() */
	int64_t lots, deliveries, on_wire;
	int64_t sending; /* rows in that state when the answer came */
} got;
static void on_stop(
	void *ctx, int rc, const struct err *e, int64_t lots, int64_t deliveries, int64_t on_wire)
{
	UNUSED(ctx);
	UNUSED(e);
	got = (struct stop_answer){ got.n + 1, rc, lots, deliveries, on_wire,
		scene_state(DLV_SENDING) };
}
/* except: a priority that goes on, -1: none. scope.text may be empty. */
static void stop(enum stop_verb verb, struct stop_scope scope, int except)
{
	struct stop_request r = { .verb = verb,
		.scope = scope,
		.except_prio = except,
		.person = "an",
		.via = "uid:1000",
		.why = "a test",
		.done = on_stop };

	if (!scope.text[0])
		snprintf(r.scope.text, sizeof(r.scope.text), "release:R%lld",
			(long long)scope.release_id);
	got = (struct stop_answer){ 0 };
	dispatch_stop_scope(sc.d, &r);
}

#endif
