/* adapter_zalo.c - the Zalo adapter in the conformance suite: the API on the scripted network. Messages to users are the form that
 * takes one call; the last digits of a user say what Zalo answers to him. */
#include <stdlib.h>
#include <string.h>
#include "provider.h"

#define OK_BODY \
	"{\"data\":{\"message_id\":\"5f1c0a77b2e94d31aa02\"},\"error\":0,\"message\":\"Success\"}"

/* Each case has its own answer; play() is told which by the seed, the number of the case. The suite plays "ok" with seeds 1 and 3. */
static const struct {
	const char *address, *body;
	int outcome, scope;
	uint32_t flags;
} answers[] = {
	{ "user:4102938475610000000", OK_BODY, LT_ACCEPTED, LT_SCOPE_TARGET, 0 },
	{ "user:4102938475610000099", OK_BODY, LT_ACCEPTED, LT_SCOPE_TARGET, 0 },
	{ "user:4102938475610000001", "{\"error\":-213,\"message\":\"not a follower\"}", LT_REFUSED,
		LT_SCOPE_TARGET, 0 },
	{ "group:7a1b2c3d4e5f60718293", OK_BODY, LT_ACCEPTED, LT_SCOPE_TARGET, 0 },
	{ "user:4102938475610000002", "{\"error\":-244,\"message\":\"does not want\"}", LT_REFUSED,
		LT_SCOPE_TARGET, LT_R_SUPPRESS },
	{ "user:4102938475610000003", "{\"error\":\"-248\",\"message\":\"policy\"}", LT_REFUSED,
		LT_SCOPE_RELEASE, 0 },
	{ "user:4102938475610000004", "{\"error\":-204,\"message\":\"disabled\"}", LT_DEFERRED,
		LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
	{ "user:4102938475610000005", "{\"error\":-32,\"message\":\"app limit\"}", LT_DEFERRED,
		LT_SCOPE_CHANNEL, LT_R_FREE },
	{ "user:4102938475610000006", "{\"error\":-32,\"message\":\"limit of OA\"}", LT_DEFERRED,
		LT_SCOPE_ACCOUNT, LT_R_FREE },
	{ "user:4102938475610000007", "{\"error\":-234,\"message\":\"at night\"}", LT_DEFERRED,
		LT_SCOPE_LANE, LT_R_FREE },
	{ "user:4102938475610000008", "{\"error\":-200,\"message\":\"failed\"}", LT_DEFERRED,
		LT_SCOPE_TARGET, 0 },
	{ "user:4102938475610000009", "{\"error\":-9999,\"message\":\"new\"}", LT_DEFERRED,
		LT_SCOPE_TARGET, LT_R_FREE | LT_R_PERSON },
	{ "user:4102938475610000010", "<html>502</html>", LT_UNKNOWN, LT_SCOPE_TARGET, 0 },
};
#define N_CASES (sizeof(answers) / sizeof(answers[0]))
static struct conf_case cases[N_CASES];

static void play(struct ht *t, enum conf_script script, uint64_t seed)
{
	size_t at = script == CF_OK && seed < N_CASES ? (size_t)seed : 0;

	provider_answer(t, script, at == N_CASES - 1 ? 502 : 200, answers[at].body, NULL);
}

/* The scripted network counts what arrived; of those it is a message only where the answer was no definite no. */
static size_t effects(struct ht *t, const char *address)
{
	size_t n = 0;

	for (size_t i = 0; i < t->fn->n_calls; i++) {
		const struct fakenet_call *c = t->fn->calls[i];
		const char *said = c->answer.body ? c->answer.body : "";
		bool no = strstr(said, "\"error\":-") || strstr(said, "\"error\":\"-");
		if (c->effect && c->body && strstr(c->body, strchr(address, ':') + 1) && !no)
			n++;
	}
	return n;
}

static const char *address(enum conf_script script)
{
	(void)script;
	return answers[0].address;
}

static void prepare(struct ht *t)
{
	provider_copy(t, "outcomes/zalo.tsv");
	provider_write(t, "token", "AT-1\n");
	for (size_t i = 0; i < N_CASES; i++)
		cases[i] = (struct conf_case){ answers[i].address, answers[i].outcome,
			answers[i].scope, answers[i].flags };
}

static const char *const good[] = { "user:4102938475610293847", "oa:3300112233445500100",
	"group:7a1b2c3d4e5f60718293", "phone:+84 912 345 678", "phone:0912345678",
	"phone:84912345678", " oa:3300112233445500100 ", NULL };
static const char *const bad[] = { "", "oa:", "oa:abc", "oa:12", "group:!", "group:7a", "user:x",
	"phone:123", "phone:+1 202 555 0100", "phone:0012345678", "3300112233445500100",
	"oa:3300112233445500100\n", "fax:1", NULL };

static const struct conformance zalo = { .name = "zalo",
	.kind = "zalo",
	.channel_yaml =
		"settings: {app_id: \"1234500000000000001\", app_secret: \"app_secret\", base_url: "
		"\"http://127.0.0.1:9\", call_ms: 30000}\n"
		"files: {outcomes: ../outcomes/zalo.tsv}\n"
		"secrets: {app_secret: {file: ../token}, access_token: {file: ../token}}\n"
		"accounts: [{name: main}]\n",
	.prepare = prepare,
	.play = play,
	.effects = effects,
	.address = address,
	.cases = cases,
	.n_cases = N_CASES,
	.good_addresses = good,
	.bad_addresses = bad };
CONFORMANCE(zalo)
