/* adapter_sms_http.c - the HTTP gateway adapter in the conformance suite: SpeedSMS (several numbers in a request) and eSMS (one) on
 * the scripted network. Which answer a case gets stands beside it; the first ones are all yes, for the other tests of the suite. */
#include <string.h>
#include "provider.h"

#define OK_TO "+84912345678"
#define TEXT  "lantoa-sms 1\ncoding: gsm\nsegments: 1\nunits: 20\ncategory: 2\n\nThong bao thu."

struct answer {
	int status;
	const char *body;
};

static void play_with(struct ht *t, enum conf_script script, uint64_t seed,
	const struct answer *answers, size_t n)
{
	size_t at = script == CF_OK && seed < n ? (size_t)seed : 0;

	provider_answer(
		t, script, answers[at].status, answers[at].body, "<html>502 Bad Gateway</html>");
}

/* Requests that named the number and were not answered with a no. */
static size_t published(struct ht *t, const char *digits, const char *yes)
{
	size_t n = 0;

	for (size_t i = 0; i < t->fn->n_calls; i++) {
		const struct fakenet_call *c = t->fn->calls[i];
		bool no = c->answer.how == FAKENET_ANSWER && c->answer.body != NULL &&
			strcmp(c->answer.body, yes) != 0 && c->answer.body[0] == '{';
		n += c->effect && !no && strstr(c->body, digits) != NULL;
	}
	return n;
}

static const char *address(enum conf_script script)
{
	(void)script;
	return OK_TO;
}

static void prepare(struct ht *t)
{
	static const char *const names[] = { "sms/vendors/speedsms.json", "sms/vendors/esms.json",
		"sms/ranges.tsv", "sms/prices.tsv" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		provider_copy(t, names[i]);
	provider_write(t, "sms/secret", "geheim\n");
}

static const char *const good[] = { OK_TO, "0912345678", "84 912 345 678", "0084912345678", NULL };
static const char *const bad[] = { "", "abc", "+84", "02438255000", "0912345", "+8491234567890123",
	"an@example.vn", NULL };

/* --- SpeedSMS ---------------------------------------------------------------------------------------------------------------- */
#define SPEED_YES \
	"{\"status\":\"success\",\"code\":\"00\",\"data\":{\"tranId\":4711,\"invalidPhone\":[]}}"
#define SPEED_NO(code) "{\"status\":\"error\",\"code\":\"" code "\",\"message\":\"m\"}"
static const struct answer speed_answers[] = { { 200, SPEED_YES }, { 200, SPEED_YES },
	{ 200, SPEED_YES }, { 200, SPEED_YES },
	{ 200, "{\"status\":\"success\",\"code\":\"00\",\"data\":{\"tranId\":1,\"invalidPhone\":[\"84912345678\"]}}" },
	{ 200, SPEED_NO("105") }, { 200, SPEED_NO("110") }, { 200, SPEED_NO("500") }, { 429, "{}" },
	{ 200, SPEED_NO("007") }, { 200, SPEED_NO("999") } };
static const struct conf_case speed_cases[] = { { OK_TO, LT_ACCEPTED, LT_SCOPE_TARGET, 0 },
	{ OK_TO, LT_ACCEPTED, LT_SCOPE_TARGET, 0 }, { OK_TO, LT_ACCEPTED, LT_SCOPE_TARGET, 0 },
	{ OK_TO, LT_ACCEPTED, LT_SCOPE_TARGET, 0 }, { OK_TO, LT_REFUSED, LT_SCOPE_TARGET, 0 },
	{ OK_TO, LT_REFUSED, LT_SCOPE_TARGET, 0 }, { OK_TO, LT_REFUSED, LT_SCOPE_RELEASE, 0 },
	{ OK_TO, LT_DEFERRED, LT_SCOPE_TARGET, 0 },
	{ OK_TO, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE },
	{ OK_TO, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
	{ OK_TO, LT_UNKNOWN, LT_SCOPE_TARGET, 0 } };

static void speed_play(struct ht *t, enum conf_script script, uint64_t seed)
{
	play_with(t, script, seed, speed_answers, sizeof(speed_answers) / sizeof(speed_answers[0]));
}

static size_t speed_effects(struct ht *t, const char *to)
{
	return published(t, to[0] == '+' ? to + 1 : to, SPEED_YES);
}

static const struct conformance speed = { .name = "sms_http",
	.kind = "sms",
	.channel_yaml =
		"settings: {sender: BHXH-VN, balance_every: 0}\n"
		"files: {vendor: ../sms/vendors/speedsms.json, ranges: ../sms/ranges.tsv, prices: ../sms/prices.tsv}\n"
		"secrets: {api_token: {file: ../sms/secret}}\n"
		"accounts: [{name: main}]\n",
	.body = TEXT,
	.prepare = prepare,
	.play = speed_play,
	.effects = speed_effects,
	.address = address,
	.cases = speed_cases,
	.n_cases = sizeof(speed_cases) / sizeof(speed_cases[0]),
	.good_addresses = good,
	.bad_addresses = bad };
CONFORMANCE(speed)

/* --- eSMS -------------------------------------------------------------------------------------------------------------------- */
#define ESMS_YES "{\"CodeResult\":\"100\",\"SMSID\":\"a-1\"}"
static const struct answer esms_answers[] = { { 200, ESMS_YES }, { 200, ESMS_YES },
	{ 200, ESMS_YES }, { 200, ESMS_YES }, { 200, "{\"CodeResult\":\"99\"}" },
	{ 200, "{\"CodeResult\":\"146\"}" }, { 200, "{\"CodeResult\":\"160\"}" },
	{ 200, "{\"CodeResult\":\"103\"}" }, { 500, "{\"CodeResult\":\"?\"}" } };
static const struct conf_case esms_cases[] = { { OK_TO, LT_ACCEPTED, LT_SCOPE_TARGET, 0 },
	{ OK_TO, LT_ACCEPTED, LT_SCOPE_TARGET, 0 }, { OK_TO, LT_ACCEPTED, LT_SCOPE_TARGET, 0 },
	{ OK_TO, LT_ACCEPTED, LT_SCOPE_TARGET, 0 }, { OK_TO, LT_REFUSED, LT_SCOPE_TARGET, 0 },
	{ OK_TO, LT_REFUSED, LT_SCOPE_RELEASE, 0 },
	{ OK_TO, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE },
	{ OK_TO, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
	{ OK_TO, LT_UNKNOWN, LT_SCOPE_TARGET, 0 } };

static void esms_play(struct ht *t, enum conf_script script, uint64_t seed)
{
	play_with(t, script, seed, esms_answers, sizeof(esms_answers) / sizeof(esms_answers[0]));
}

static size_t esms_effects(struct ht *t, const char *to)
{
	return published(t, strlen(to) > 3 ? to + 3 : to, ESMS_YES);
}

static const struct conformance esms = { .name = "sms_http",
	.kind = "sms",
	.channel_yaml =
		"settings: {sender: BHXH-VN, balance_every: 0}\n"
		"files: {vendor: ../sms/vendors/esms.json, ranges: ../sms/ranges.tsv, prices: ../sms/prices.tsv}\n"
		"secrets: {api_key: {file: ../sms/secret}, secret_key: {file: ../sms/secret}}\n"
		"accounts: [{name: main}]\n",
	.body = TEXT,
	.prepare = prepare,
	.play = esms_play,
	.effects = esms_effects,
	.address = address,
	.cases = esms_cases,
	.n_cases = sizeof(esms_cases) / sizeof(esms_cases[0]),
	.good_addresses = good,
	.bad_addresses = bad };
CONFORMANCE(esms)
