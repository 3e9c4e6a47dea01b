/* sim_provider.c - the provider behind the scripted network: takes a post or not, answers or not, and keeps the ledger.
 * Whether the effect took place is decided when the request is seen, in memory that outlives a crash. Owns: nothing else.
 * The ref of a copy carries its delivery number in its first 8 bytes; a GET is asked for what the ledger has of it.
 */
#include <string.h>
#include "base/assert.h"
#include "base/crypt.h"
#include "sim.h"

enum fate { /* of a request */
	F_OK = 0,
	F_REFUSED,
	F_4XX,
	F_BUSY,
	F_LOST_BEFORE,
	F_LOST_AFTER,
	F_GARBAGE,
	F_500,
	F_SILENT,
	F_SLOW,
	F_FATES
};
static const char *const fates[] = { "ok", "refused", "4xx", "busy", "lost-before", "lost-after",
	"garbage", "500", "silent", "slow" };

static int64_t delivery_of(const struct fakenet_call *c)
{
	const char *at = strstr(c->headers, "X-Ref: ");
	uint8_t raw[16];
	size_t n = 0;
	int64_t id = 0;
	REQUIRE(at != NULL);
	at += 7;
	struct str ref = { at, strcspn(at, "\n") };
	if (base32_decode(ref, raw, sizeof(raw), &n) != 0 || n < 8)
		sim_fail("a ref that cannot be read: " STR_FMT, STR_ARG(ref));
	for (int i = 0; i < 8; i++)
		id = id << 8 | raw[i];
	return id;
}

static void answer(size_t call, enum fakenet_how how, int status, int64_t after_ms)
{
	struct fakenet_answer a = {
		.how = how, .status = status, .body = "", .after_ms = after_ms
	};
	fakenet_reply(N.net, call, &a);
}

static int64_t delay(void)
{
	static const int ms[] = { 0, 0, 1, 7, 30, 200, 1500, 9000 };
	return ms[sim_below((int)ARRAY_LEN(ms))];
}

static void publish(size_t i, struct fakenet_call *c)
{
	int64_t id = delivery_of(c);
	enum fate f = F_OK;
	if (!S->final && sim_chance(S->p.p_fault))
		f = (enum fate)sim_below(F_FATES);
	S->n_requests++;
	sim_trace("%s for delivery:%lld", c->method, (long long)id);
	check_publish(id, c);
	bool effect = f == F_OK || f == F_LOST_AFTER || f == F_SLOW ||
		((f == F_GARBAGE || f == F_500 || f == F_SILENT) && sim_chance(500));
	sim_trace("%s delivery:%lld %s%s", c->method, (long long)id, fates[f],
		effect ? " effect" : "");
	if (effect) {
		S->n_effects++;
		if (S->d[id].effects++ > S->d[id].allowed_more)
			sim_fail(
				"delivery %lld: %d effects at the provider, %d acts of people allowed more",
				(long long)id, S->d[id].effects, S->d[id].allowed_more);
	}
	S->n_lost += f >= F_LOST_BEFORE;
	switch (f) {
	case F_OK: answer(i, FAKENET_ANSWER, 200, delay()); break;
	case F_REFUSED: answer(i, FAKENET_REFUSED, 0, delay()); break;
	case F_4XX: answer(i, FAKENET_ANSWER, 400, delay()); break;
	case F_BUSY: answer(i, FAKENET_ANSWER, 429, delay()); break;
	case F_LOST_BEFORE: answer(i, FAKENET_LOST_BEFORE, 0, delay()); break;
	case F_LOST_AFTER: answer(i, FAKENET_LOST_AFTER, 0, delay()); break;
	case F_GARBAGE: answer(i, FAKENET_GARBAGE, 0, delay()); break;
	case F_500: answer(i, FAKENET_ANSWER, 500, delay()); break;
	case F_SILENT: c->arrived = true; break;
	case F_SLOW: answer(i, FAKENET_ANSWER, 200, 3600000); break;
	case F_FATES: break;
	}
}

static void asked(size_t i, struct fakenet_call *c)
{
	int64_t id = delivery_of(c);
	bool there = id > 0 && id < SIM_DELIVERIES && S->d[id].effects > 0;
	int how = !S->final && sim_chance(S->p.p_fault) ? sim_below(4) : 0;
	sim_trace("asked delivery:%lld %s %d", (long long)id, there ? "there" : "absent", how);
	if (how == 1)
		answer(i, FAKENET_LOST_AFTER, 0, delay());
	else if (how == 2)
		answer(i, FAKENET_ANSWER, 503, delay());
	else if (how == 3)
		c->arrived = true;
	else
		answer(i, FAKENET_ANSWER, there ? 200 : 404, 0);
}

void provider_poll(void)
{
	for (; N.seen_calls < N.net->n_calls; N.seen_calls++) {
		struct fakenet_call *c = N.net->calls[N.seen_calls];
		if (c->cancelled)
			continue; /* taken back before the kernel had it */
		if (c->flags & NET_PUBLISHES)
			publish(N.seen_calls, c);
		else
			asked(N.seen_calls, c);
	}
}
