/* sim_facebook.c - the Graph API of four pages: posts that are made unpublished and then published, or published at once; listings and
 * looks at one post. Drafts and posts live on through crashes. The ledger counts posts that became visible, not requests: saying
 * is_published=true to one that is visible changes nothing. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "sim_token.h"

#define POSTS_MAX 4000
#define TEXT_MAX  400
#define LIST_MAX  50

struct post {
	int page;
	bool published, gone;
	int64_t at; /* wall */
	char text[TEXT_MAX];
};
struct state {
	struct sim_token token[4]; /* PT-PAGE-N, where the seed has tokens */
	int n;
	struct post post[POSTS_MAX];
};

static void conf(int slot, struct buf *b)
{
	UNUSED(slot);
	provider_file("fb.secret", "EAAgeheimgeheimgeheim\n");
	buf_addf(b,
		"settings: {app_id: \"5550001\", app_secret: app, %s: token, guard_hours: 0, look_ms: 20000,\n"
		"  regain_ms: 60000, publish_mode_text: %s}\n"
		"files: {outcomes: %s/config/outcomes/facebook.tsv}\n"
		"secrets: {app: {file: ../fb.secret}, token: {file: ../fb.secret}}\naccounts:\n",
		S->p.tokens ? "system_token" : "page_token", S->p.together ? "direct" : "two_phase",
		S->root);
	for (int i = 0; i < 4; i++) {
		buf_addf(b,
			"  - {name: %s, identity: \"10420000000010%d\", settings: {page: \"10420000000010%d\"}",
			sim_offices[i], i + 1, i + 1);
		if (S->p.tokens)
			buf_addf(b, ", credential: page-%d", i + 1);
		buf_addf(b, "}\n");
	}
}

static void address(int contact, int office, char *ret, size_t size)
{
	UNUSED(contact);
	(void)snprintf(ret, size, "10420000000010%d", office);
}

static bool owns(const char *url)
{
	return strstr(url, "graph.facebook.com") != NULL;
}

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (c | 32) - 'a' + 10;
}

/* A field of a form, decoded. */
static bool form(const char *body, const char *name, char *ret, size_t size)
{
	char raw[3 * TEXT_MAX];
	size_t n = 0;
	if (!provider_field(body, name, raw, sizeof(raw)))
		return false;
	for (const char *p = raw; *p && n < size - 1; p++) {
		if (*p == '%' && p[1] && p[2]) {
			ret[n++] = (char)(hex(p[1]) * 16 + hex(p[2]));
			p += 2;
		} else {
			ret[n++] = *p == '+' ? ' ' : *p;
		}
	}
	ret[n] = 0;
	return true;
}

static void entry(struct buf *b, const struct state *st, int i)
{
	const struct post *p = &st->post[i];
	buf_addf(b,
		"{\"id\":\"10420000000010%d_%d\",\"created_time\":%lld,\"is_published\":%s,\"application\":{\"id\":\"5550001\"},"
		"\"permalink_url\":\"https://www.facebook.com/%d\",\"message\":\"",
		p->page, i + 1000, (long long)(p->at / 1000), p->published ? "true" : "false", i);
	for (const char *c = p->text; *c; c++)
		if ((unsigned char)*c < 0x20)
			buf_addf(b, "\\n");
		else
			buf_addf(b, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
	buf_addf(b, "\"}");
}

static void say(size_t call, enum fate f, int status, struct buf *b)
{
	if (f == FATE_OK || f == FATE_SLOW || f == FATE_HALF) {
		char *text = x_strndup(b->p, f == FATE_HALF ? b->n / 2 : b->n);
		provider_answer(call, status, text, f == FATE_SLOW ? 3600000 : provider_delay());
		free(text);
	} else if (f == FATE_REFUSED) {
		char no[600];
		(void)snprintf(no, sizeof(no), "{\"error\":{\"message\":\"no %s\",\"code\":100}}",
			provider_words(false));
		provider_answer(call, 400, no, provider_delay());
	} else if (f == FATE_TEMPORARY) {
		provider_answer(call, 500, "{\"error\":{\"message\":\"later\",\"code\":2}}",
			provider_delay());
	} else if (f == FATE_THROTTLED) {
		provider_answer(call, 403,
			sim_chance(500) ? "{\"error\":{\"message\":\"calls\",\"code\":4}}"
					: "{\"error\":{\"message\":\"calls\",\"code\":80001}}",
			provider_delay());
	} else if (f == FATE_BROKEN) {
		provider_answer(call, 502, "<html>Bad Gateway</html>", provider_delay());
	} else {
		provider_lose(call, f);
	}
	buf_done(b);
}

static void list(const struct state *st, size_t call, int page, bool published)
{
	struct buf b;
	int n = 0;
	buf_init(&b, 1u << 20);
	buf_addf(&b, "{\"data\":[");
	for (int i = st->n; i-- > 0 && n < LIST_MAX;)
		if (st->post[i].page == page && !st->post[i].gone &&
			(!published || st->post[i].published)) {
			buf_addf(&b, n++ ? "," : "");
			entry(&b, st, i);
		}
	buf_addf(&b, "]}");
	say(call, provider_fate(), 200, &b);
}

static void look(struct state *st, size_t call, const char *method, int i)
{
	struct buf b;
	enum fate f = provider_fate();
	buf_init(&b, 10000);
	bool there = i >= 0 && i < st->n && !st->post[i].gone;
	if (there && strcmp(method, "DELETE") == 0) {
		if (st->post[i].published)
			sim_fail("a published post of page %d is deleted", st->post[i].page);
		if (provider_has_effect(f))
			st->post[i].gone = true;
		buf_addf(&b, "{\"success\":true}");
	} else if (there) {
		entry(&b, st, i);
	} else {
		buf_addf(&b,
			"{\"error\":{\"message\":\"does not exist\",\"code\":100,\"error_subcode\":33}}");
	}
	say(call, f, there ? 200 : 400, &b);
}

/* TEMPORARY is what the API calls "perhaps": it may have been done. */
static bool takes(enum fate f)
{
	return f != FATE_NO_LINE &&
		(provider_has_effect(f) || (f == FATE_TEMPORARY && sim_chance(300)));
}

static void make(struct state *st, size_t call, const struct fakenet_call *c, int page)
{
	char published[10] = "";
	struct buf b;
	enum fate f = provider_fate();
	struct post *p = &st->post[st->n];
	bool effect = takes(f);
	int64_t id = 0;
	REQUIRE(st->n < POSTS_MAX);
	*p = (struct post){ .page = page, .at = N.te.wall };
	if (!form(c->body, "message", p->text, sizeof(p->text)))
		sim_fail("a post without a text: %.200s", c->body);
	(void)form(c->body, "published", published, sizeof(published));
	p->published = strcmp(published, "true") == 0;
	if (p->published != ((c->flags & NET_PUBLISHES) != 0))
		sim_fail("a post of page %d that is %spublished", page, p->published ? "" : "not ");
	if (p->published)
		id = provider_publish(page, p->text, strlen(p->text));
	sim_trace("%s %d on page %d delivery:%lld %s%s", p->published ? "post" : "draft", st->n,
		page, (long long)id, provider_fate_name(f), effect ? " effect" : "");
	buf_init(&b, 1000);
	buf_addf(&b, "{\"id\":\"10420000000010%d_%d\"}", page, st->n + 1000);
	st->n += effect;
	if (effect && p->published)
		provider_effect(id);
	say(call, f, 200, &b);
}

static void live(struct state *st, size_t call, int i)
{
	struct buf b;
	enum fate f = provider_fate();
	bool there = i >= 0 && i < st->n && !st->post[i].gone;
	buf_init(&b, 1000);
	buf_addf(&b,
		there ? "{\"success\":true}"
		      : "{\"error\":{\"message\":\"does not exist\",\"code\":100,\"error_subcode\":33}}");
	if (there) {
		struct post *p = &st->post[i];
		int64_t id = provider_publish(p->page, p->text, strlen(p->text));
		bool effect = takes(f) && !p->published;
		sim_trace("live %d delivery:%lld %s%s", i, (long long)id, provider_fate_name(f),
			effect ? " effect" : "");
		p->published |= effect;
		if (effect)
			provider_effect_again(id);
	}
	say(call, f, there ? 200 : 400, &b);
}

/* --- tokens ---------------------------------------------------------------------------------------------------------------------------- */

static const char *credential_of(int page)
{
	static char name[30];
	(void)snprintf(name, sizeof(name), "mail/page-%d", page);
	return name;
}

/* The page's token by that of the system user; like every GET it spends nothing. */
static void derive(struct state *st, size_t call, int page)
{
	enum fate f = provider_fate();
	char body[200] = "";
	if (token_renew(&st->token[page - 1], credential_of(page), f, true))
		(void)snprintf(body, sizeof(body),
			"{\"id\":\"10420000000010%d\",\"name\":\"P\",\"access_token\":\"PT-%d-%d\"}",
			page, page, st->token[page - 1].generation);
	token_say(call, f, body);
}

/* False: it was answered. */
static bool may(struct state *st, size_t call, const struct fakenet_call *c, int page)
{
	const char *bearer = strstr(c->headers, "Authorization: Bearer ");
	int whose = 0, n = 0;
	if (!S->p.tokens)
		return true;
	if (strstr(c->url, "PT-") || strstr(c->url, "EAAgeheim"))
		sim_fail("a token stands in an address: %s", c->url);
	if (strstr(c->url, "access_token") && bearer && strstr(bearer, "EAAgeheim")) {
		derive(st, call, page);
		return false;
	}
	if (!bearer || sscanf(bearer, "Authorization: Bearer PT-%d-%d", &whose, &n) != 2 ||
		whose != page)
		sim_fail("a call to page %d without its token: %.200s", page, c->headers);
	if (token_good(&st->token[page - 1], n))
		return true;
	provider_answer(call, 400,
		"{\"error\":{\"message\":\"no\",\"type\":\"OAuthException\",\"code\":190,\"error_subcode\":463}}",
		provider_delay());
	return false;
}

static void booted(int slot)
{
	struct state *st = S->state[slot];
	for (int i = 0; i < 4 && S->p.tokens; i++)
		token_booted(&st->token[i], credential_of(i + 1));
}

static bool person(int slot)
{
	struct state *st = S->state[slot];
	bool did = false;
	for (int i = 0; i < 4 && S->p.tokens; i++)
		did |= token_person(&st->token[i], "mail", sim_offices[i], credential_of(i + 1));
	return did;
}

static void http(int slot, size_t call, struct fakenet_call *c)
{
	struct state *st = S->state[slot];
	const char *at = strstr(c->url, "/v25.0/10420000000010");
	int page = at ? at[21] - '0' : 0,
	    post = at && at[22] == '_' ? (int)strtol(at + 23, NULL, 10) - 1000 : -1;
	if (page < 1 || page > 4)
		sim_fail("a request to no page: %s", c->url);
	if (!may(st, call, c, page))
		return;
	bool feed = at[22] == '/' && strncmp(at + 22, "/feed", 5) == 0;
	if (feed && strcmp(c->method, "POST") == 0)
		make(st, call, c, page);
	else if (at[22] == '/')
		list(st, call, page, !feed);
	else if (strcmp(c->method, "POST") == 0)
		live(st, call, post);
	else
		look(st, call, c->method, post);
}

const struct sim_provider sim_facebook = { .name = "facebook",
	.kind = "facebook",
	.adapter = "facebook",
	.chan_kind = KIND_FACEBOOK,
	.form = "page",
	.per_office = true,
	.timeout_s = 900,
	.state_size = sizeof(struct state),
	.conf = conf,
	.address = address,
	.owns = owns,
	.booted = booted,
	.person = person,
	.http = http };
