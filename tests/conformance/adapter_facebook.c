/* adapter_facebook.c - the Facebook adapter in the conformance suite: one page on the scripted network, posting at once (a lost answer
 * is unknown) and in two phases (what publishes may be repeated). A page is one address: the seed says which answer a case gets. */
#include <string.h>
#include "provider.h"

#define PAGE "104200000000017"
#define YES                                                                            \
	"{\"id\":\"" PAGE "_122100000000051\",\"success\":true,\"is_published\":true," \
	"\"permalink_url\":\"https://www.facebook.com/1/posts/51\"}"
#define NO(code, sub) \
	"{\"error\":{\"message\":\"no\",\"code\":" #code ",\"error_subcode\":" #sub "}}"

static const struct {
	int status;
	const char *body;
	int outcome, scope;
	uint32_t flags;
} answers[] = { { 200, YES, LT_ACCEPTED, LT_SCOPE_TARGET, 0 },
	{ 200, YES, LT_ACCEPTED, LT_SCOPE_TARGET, 0 }, /* the suite plays "ok" with seeds 1 and 3 */
	{ 400, NO(100, 0), LT_REFUSED, LT_SCOPE_TARGET, 0 },
	{ 200, YES, LT_ACCEPTED, LT_SCOPE_TARGET, 0 },
	{ 400, NO(324, 0), LT_REFUSED, LT_SCOPE_TARGET, 0 },
	{ 400, NO(80001, 0), LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE },
	{ 403, NO(4, 0), LT_DEFERRED, LT_SCOPE_CHANNEL, LT_R_FREE },
	{ 403, NO(200, 0), LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
	{ 400, NO(368, 4854002), LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
	{ 400, NO(368, 1390008), LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE },
	{ 400, NO(190, 460), LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE | LT_R_PERSON },
	{ 400, NO(3, 0), LT_DEFERRED, LT_SCOPE_CHANNEL, LT_R_FREE | LT_R_PERSON },
	{ 500, NO(2, 0), LT_UNKNOWN, LT_SCOPE_TARGET, 0 },
	{ 502, "<html>Bad Gateway</html>", LT_UNKNOWN, LT_SCOPE_TARGET, 0 } };
#define N_CASES (sizeof(answers) / sizeof(answers[0]))
static struct conf_case direct_cases[N_CASES], phased_cases[N_CASES - 2];

static void play(struct ht *t, enum conf_script script, uint64_t seed)
{
	size_t at = script == CF_OK && seed < N_CASES ? (size_t)seed : 0;

	provider_answer(t, script, answers[at].status, answers[at].body, "Service Unavailable");
}

/* Requests that make something public, and were not answered with a no; the spoiled answers count: there it may have been. */
static size_t effects(struct ht *t, const char *address)
{
	size_t n = 0;

	for (size_t i = 0; i < t->fn->n_calls; i++) {
		const struct fakenet_call *c = t->fn->calls[i];
		bool public = strstr(c->body, "published=true") != NULL;
		bool no = c->answer.body && strstr(c->answer.body, "\"error\"") &&
			!strstr(c->answer.body, "\"code\":2,");
		n += c->effect && public && !no && strcmp(c->method, "POST") == 0;
	}
	(void)address;
	return n;
}

static const char *direct_address(enum conf_script script)
{
	(void)script;
	return PAGE;
}

/* What may be repeated ends as deferred where its answer was lost: these scripts belong to direct mode. */
static const char *phased_address(enum conf_script script)
{
	return script == CF_SILENT || script == CF_LOST || script == CF_GARBAGE_LATE ? NULL : PAGE;
}

static void prepare(struct ht *t)
{
	provider_copy(t, "outcomes/facebook.tsv");
	provider_write(t, "app", "s3cret");
	provider_write(t, "token", "EAAPage17");
	for (size_t i = 0; i < N_CASES; i++) {
		struct conf_case k = { PAGE, answers[i].outcome, answers[i].scope,
			answers[i].flags };
		direct_cases[i] = k;
		if (i < N_CASES - 2)
			phased_cases[i] = k;
	}
}

static const char *const good[] = { PAGE, " 104200000000100 ", "61550000000000", NULL };
static const char *const bad[] = { "", "page", "0104200000000017", "-104200000000017", "1042",
	"104200000000017\n", "12345678901234567890", "https://facebook.com/x", NULL };

#define YAML(more)                                                                                 \
	"settings: {page: \"" PAGE "\", app_id: \"5550001\", app_secret: app, page_token: token, " \
	"base_url: \"http://127.0.0.1:9\", guard_hours: 0, retries: 1, " more "}\n"                \
	"files: {outcomes: ../outcomes/facebook.tsv}\n"                                            \
	"secrets: {app: {file: ../app}, token: {file: ../token}}\n"                                \
	"accounts: [{name: main}]\n"

static const struct conformance facebook_direct = { .name = "facebook",
	.kind = "facebook",
	.channel_yaml = YAML("publish_mode_text: direct"),
	.prepare = prepare,
	.play = play,
	.effects = effects,
	.address = direct_address,
	.cases = direct_cases,
	.n_cases = N_CASES,
	.good_addresses = good,
	.bad_addresses = bad };
CONFORMANCE(facebook_direct)

static const struct conformance facebook_phased = { .name = "facebook",
	.kind = "facebook",
	.channel_yaml = YAML("publish_mode_text: two_phase"),
	.prepare = prepare,
	.play = play,
	.effects = effects,
	.address = phased_address,
	.cases = phased_cases,
	.n_cases = N_CASES - 2,
	.good_addresses = good,
	.bad_addresses = bad };
CONFORMANCE(facebook_phased)
