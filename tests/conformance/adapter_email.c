/* adapter_email.c - the e-mail adapter in the conformance suite: an SMTP relay on the scripted network. The local part of a
 * recipient says what the relay answers; the ledger counts the copies that the relay truly took. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "provider.h"

#define RCPT_MAX 128

struct relay_conn { /* of one connection */
	char line[4096];
	size_t n;
	bool in_text;
	char rcpt[RCPT_MAX][128];
	size_t n_rcpt;
	char tail[5];
};
static struct provider relay;
static struct relay_conn conns[PROVIDER_STREAMS_MAX];

static bool is(const char *rcpt, const char *word)
{
	return strncmp(rcpt, word, strlen(word)) == 0;
}

static const char *rcpt_reply(const char *r)
{
	return is(r, "refuse")    ? "550 5.1.1 no such user\r\n"
		: is(r, "strike") ? "550 disabled\r\n"
		: is(r, "defer")  ? "451 4.2.1 busy\r\n"
		: is(r, "class")  ? "450 4.7.28 too fast\r\n"
		: is(r, "acct")   ? "452 4.3.1 no room\r\n"
		: is(r, "lane")   ? "421 4.7.0 go away\r\n"
		: is(r, "syntax") ? "501 5.5.4 what\r\n"
				  : "250 2.1.5 ok\r\n";
}

static const char *final_reply(const struct relay_conn *c)
{
	const char *first = c->n_rcpt ? c->rcpt[0] : "";

	return is(first, "full")     ? "452 4.3.1 no room\r\n"
		: is(first, "later") ? "451 4.5.0 not now\r\n"
		: is(first, "spam")  ? "554 5.7.1 spam\r\n"
		: is(first, "never") ? "550 5.0.0 no\r\n"
				     : "250 2.0.0 queued\r\n";
}

static void take(struct relay_conn *c)
{
	for (size_t i = 0; i < c->n_rcpt; i++)
		provider_take(&relay, c->rcpt[i]);
}

static void text_over(struct relay_conn *c, struct fakenet_stream *s)
{
	const char *reply = final_reply(c);

	c->in_text = false;
	if (c->n_rcpt && relay.script == CF_SILENT) {
		take(c);
	} else if (c->n_rcpt && relay.script == CF_LOST) {
		take(c);
		fakenet_cut(s, -ECONNRESET, "reset by peer");
	} else if (c->n_rcpt && relay.script == CF_GARBAGE_LATE) {
		take(c);
		provider_say_garbage(&relay, s, true);
	} else {
		if (reply[0] == '2')
			take(c);
		fakenet_say(s, reply);
	}
	c->n_rcpt = 0;
}

static void rcpt(struct relay_conn *c, struct fakenet_stream *s)
{
	const char *from = strchr(c->line, '<'), *to = from ? strchr(from, '>') : NULL;
	char one[128] = "";

	if (to)
		(void)snprintf(one, sizeof(one), "%.*s", (int)(to - from - 1), from + 1);
	const char *reply = rcpt_reply(one);
	if (reply[0] == '2' && c->n_rcpt < RCPT_MAX)
		(void)snprintf(c->rcpt[c->n_rcpt++], sizeof(c->rcpt[0]), "%s", one);
	fakenet_say(s, reply);
	if (strncmp(reply, "421", 3) == 0)
		fakenet_cut(s, 0, NULL);
}

static void command(struct relay_conn *c, struct fakenet_stream *s)
{
	if (relay.script == CF_GARBAGE) {
		provider_say_garbage(&relay, s, true);
		return;
	}
	if (strncmp(c->line, "MAIL", 4) == 0) {
		c->n_rcpt = 0;
		if (relay.script == CF_CUT_EARLY)
			fakenet_cut(s, -ECONNRESET, "reset by peer");
		else
			fakenet_say(s, "250 2.1.0 ok\r\n");
	} else if (strncmp(c->line, "RCPT", 4) == 0) {
		rcpt(c, s);
	} else if (strncmp(c->line, "DATA", 4) == 0) {
		c->in_text = c->n_rcpt > 0;
		memcpy(c->tail, "\r\n\0\0", 5);
		fakenet_say(s, c->n_rcpt ? "354 go\r\n" : "554 5.5.1 no recipients\r\n");
	} else if (strncmp(c->line, "QUIT", 4) == 0) {
		fakenet_say(s, "221 2.0.0 bye\r\n");
		fakenet_cut(s, 0, NULL);
	} else {
		fakenet_say(s, "250 2.0.0 ok\r\n");
	}
}

static void text_byte(struct relay_conn *c, struct fakenet_stream *s, char b)
{
	memmove(c->tail, c->tail + 1, 4);
	c->tail[4] = b;
	if (memcmp(c->tail, "\r\n.\r\n", 5) == 0)
		text_over(c, s);
}

static void peer(void *arg, struct fakenet_stream *s, struct str fresh)
{
	struct relay_conn *c = &conns[provider_stream(&relay, s)];

	(void)arg;
	if (fresh.n == 0)
		memset(c, 0, sizeof(*c));
	for (size_t i = 0; i < fresh.n; i++) {
		char b = fresh.p[i];
		if (c->in_text) {
			text_byte(c, s, b);
			continue;
		}
		if (c->n < sizeof(c->line) - 1)
			c->line[c->n++] = b;
		if (b != '\n')
			continue;
		c->line[c->n] = 0;
		c->n = 0;
		command(c, s);
	}
}

static void play(struct ht *t, enum conf_script script, uint64_t seed)
{
	memset(conns, 0, sizeof(conns));
	provider_begin(&relay, t, script, seed);
	t->fn->peer = peer;
	t->fn->open_lines = "250-relay\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n"
			    "250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 10485760\r\n";
}

static size_t effects(struct ht *t, const char *address)
{
	(void)t;
	return provider_taken(&relay, address);
}

static const char *address(enum conf_script script)
{
	return script == CF_SLOW ? NULL : "an@example.vn";
}

static void prepare(struct ht *t)
{
	provider_copy(t, "outcomes/email.tsv");
	provider_copy(t, "domains/email.tsv");
}

static const struct conf_case cases[] = {
	{ "an@example.vn", LT_ACCEPTED, LT_SCOPE_TARGET, 0 },
	{ "refuse@example.vn", LT_REFUSED, LT_SCOPE_TARGET, LT_R_SUPPRESS },
	{ "strike@example.vn", LT_REFUSED, LT_SCOPE_TARGET, LT_R_STRIKE },
	{ "never@example.vn", LT_REFUSED, LT_SCOPE_TARGET, 0 },
	{ "spam@example.vn", LT_REFUSED, LT_SCOPE_RELEASE, 0 },
	{ "syntax@example.vn", LT_REFUSED, LT_SCOPE_RELEASE, 0 },
	{ "defer@example.vn", LT_DEFERRED, LT_SCOPE_TARGET, 0 },
	{ "later@example.vn", LT_DEFERRED, LT_SCOPE_TARGET, 0 },
	{ "class@example.vn", LT_DEFERRED, LT_SCOPE_CLASS, LT_R_FREE },
	{ "acct@example.vn", LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE },
	{ "full@example.vn", LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE },
	{ "lane@example.vn", LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE },
};
static const char *const good[] = { "an@example.vn", "An.Nguyen+x@EXAMPLE.vn", NULL };
static const char *const bad[] = { "", "an", "@example.vn", "an@", "an@@example.vn",
	"a b@example.vn", "an@example.vn\r\nRCPT TO:<b@x>", "<an@example.vn>", NULL };

static const struct conformance email = { .name = "email",
	.kind = "email",
	.channel_yaml =
		"settings: {host: 127.0.0.1, tls: none, from: thongbao@bhxh.example, command_ms: 20000,"
		" data_ms: 20000, final_ms: 30000}\n"
		"files: {outcomes: ../outcomes/email.tsv, domains: ../domains/email.tsv}\n"
		"accounts: [{name: main}]\n",
	.prepare = prepare,
	.play = play,
	.effects = effects,
	.address = address,
	.cases = cases,
	.n_cases = sizeof(cases) / sizeof(cases[0]),
	.good_addresses = good,
	.bad_addresses = bad };
CONFORMANCE(email)
