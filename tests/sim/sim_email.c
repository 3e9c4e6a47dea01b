/* sim_email.c - a mail relay: takes mails or not, recipient by recipient and as a whole. The ledger counts the copies behind a dot that
 * the relay made its own. Replies may come late, in pieces, never, or be no replies at all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "sim_provider.h"

#define RCPT_MAX 100
#define TEXT_MAX 65536

struct conn {
	struct sim_conn c; /* first */
	bool in_text, deaf;
	int rcpt[RCPT_MAX], n_rcpt;
	size_t n_line, n_text;
	char line[2000], text[TEXT_MAX];
};

static void conf(int slot, struct buf *b)
{
	UNUSED(slot);
	buf_addf(b,
		"settings: {host: 127.0.0.1, port: 25, tls: none, from: thongbao@bhxh.example, personal: \"%s\",\n"
		"  command_ms: 30000, data_ms: 30000, final_ms: 60000, max_rcpt: 5}\n"
		"files: {outcomes: %s/config/outcomes/email.tsv, domains: %s/config/domains/email.tsv}\n"
		"accounts: [{name: relay}]\n",
		S->p.together ? "no" : "yes", S->root, S->root);
}

static void address(int contact, int office, char *ret, size_t size)
{
	UNUSED(office);
	(void)snprintf(ret, size, "c%d@an.example", contact);
}

static int stream_no(const struct fakenet_stream *s)
{
	size_t i = 0;
	while (i < N.net->n_streams && N.net->streams[i] != s)
		i++;
	return (int)i;
}

static void say(struct fakenet_stream *s, const char *text)
{
	char no[700];
	if (text[0] == '4' ||
		text[0] == '5') { /* some words more, in front of the end of the line */
		(void)snprintf(no, sizeof(no), "%.*s %s\r\n", (int)strlen(text) - 2, text,
			provider_words(true));
		text = no;
	}
	size_t n = strlen(text), half = n / 2;
	if (!provider_fault(100)) {
		provider_say(s, text, n, provider_fault(300) ? provider_delay() : 0);
		return;
	}
	provider_say(s, text, half, 0);
	provider_say(s, text + half, n - half, provider_delay());
}

/* One mail for the recipients that were taken: all of them, or none. */
static void dot(struct conn *c, struct fakenet_stream *s)
{
	int64_t id[RCPT_MAX];
	const char *date = strstr(c->text, "\r\nDate: ");
	if (!date || strstr(date + 1, "\r\nDate: "))
		sim_fail("a mail without a Date, or with two: %.300s", c->text);
	for (int i = 0; i < c->n_rcpt; i++)
		id[i] = provider_publish(c->rcpt[i], c->text, c->n_text);
	enum fate f = provider_fate();
	bool effect = f != FATE_NO_LINE && provider_has_effect(f);
	for (int i = 0; i < c->n_rcpt; i++) {
		sim_trace("mail delivery:%lld %s%s", (long long)id[i], provider_fate_name(f),
			effect ? " effect" : "");
		if (effect)
			provider_effect(id[i]);
	}
	c->n_rcpt = 0;
	c->deaf = f == FATE_SILENT || f == FATE_HALF || f == FATE_GARBAGE || f == FATE_NO_LINE ||
		f == FATE_LOST_BEFORE || f == FATE_LOST_AFTER;
	switch (f) {
	case FATE_OK: say(s, "250 2.0.0 queued\r\n"); break;
	case FATE_REFUSED:
		say(s, sim_chance(500) ? "554 5.7.1 spam\r\n" : "550 5.0.0 no\r\n");
		break;
	case FATE_TEMPORARY: say(s, "451 4.5.0 not now\r\n"); break;
	case FATE_THROTTLED: say(s, "452 4.3.1 no room\r\n"); break;
	case FATE_BROKEN: say(s, effect ? "299 what\r\n" : "999 what\r\n"); break;
	case FATE_GARBAGE: provider_say_garbage(s, provider_delay()); break;
	case FATE_SLOW: provider_say(s, "250 2.0.0 queued\r\n", 18, 3600000); break;
	case FATE_HALF:
		provider_say(s, "250 2.", 6, 0);
		provider_cut(s, provider_delay());
		break;
	case FATE_SILENT: break;
	case FATE_NO_LINE:
	case FATE_LOST_BEFORE:
	case FATE_LOST_AFTER: provider_cut(s, provider_delay()); break;
	case FATE_FATES: break;
	}
}

static void rcpt(struct conn *c, struct fakenet_stream *s)
{
	int contact = 0;
	const char *at = strstr(c->line, "<c");
	if (!at || sscanf(at, "<c%d@", &contact) != 1 || contact < 1 || contact > SIM_CONTACTS)
		sim_fail("a mail to nobody: %s", c->line);
	if (provider_fault(150)) {
		static const char *const no[] = { "550 5.1.1 no such user\r\n",
			"451 4.2.1 busy\r\n", "450 4.7.28 too fast\r\n", "452 4.3.1 no room\r\n",
			"421 4.7.0 go away\r\n" };
		int how = sim_below((int)ARRAY_LEN(no));
		say(s, no[how]);
		if (how == 4) {
			provider_cut(s, 0);
			c->deaf = true;
		}
		return;
	}
	REQUIRE(c->n_rcpt < RCPT_MAX);
	c->rcpt[c->n_rcpt++] = contact;
	say(s, "250 2.1.5 ok\r\n");
}

static void command(struct conn *c, struct fakenet_stream *s)
{
	sim_trace("relay %d: %.*s", stream_no(s), (int)strcspn(c->line, "\r\n"), c->line);
	if (provider_fault(30)) { /* before anything was published */
		if (sim_chance(500))
			provider_cut(s, provider_delay());
		else if (sim_chance(500))
			provider_say_garbage(s, provider_delay());
		c->deaf = true;
		return;
	}
	if (strncmp(c->line, "MAIL", 4) == 0) {
		c->n_rcpt = 0;
		say(s, "250 2.1.0 ok\r\n");
	} else if (strncmp(c->line, "RCPT", 4) == 0) {
		rcpt(c, s);
	} else if (strncmp(c->line, "DATA", 4) == 0) {
		c->in_text = c->n_rcpt > 0;
		c->n_text = 2;
		memcpy(c->text, "\r\n", 3);
		say(s, c->n_rcpt ? "354 go\r\n" : "554 5.5.1 no recipients\r\n");
	} else if (strncmp(c->line, "QUIT", 4) == 0) {
		provider_say(s, "221 2.0.0 bye\r\n", 15, 0);
		provider_cut(s, 0);
	} else {
		c->n_rcpt = 0;
		say(s, "250 2.0.0 ok\r\n");
	}
}

static void stream(int slot, struct fakenet_stream *s, struct str fresh)
{
	struct conn *c = s->peer_state;
	UNUSED(slot);
	for (size_t i = 0; i < fresh.n && !c->deaf; i++) {
		char b = fresh.p[i];
		if (c->in_text) {
			REQUIRE(c->n_text < TEXT_MAX - 1);
			c->text[c->n_text++] = b;
			c->text[c->n_text] = 0;
			if (b == '\n' && c->n_text >= 5 &&
				memcmp(c->text + c->n_text - 5, "\r\n.\r\n", 5) == 0) {
				c->in_text = false;
				dot(c, s);
			}
			continue;
		}
		if (c->n_line < sizeof(c->line) - 1)
			c->line[c->n_line++] = b;
		if (b != '\n')
			continue;
		c->line[c->n_line] = 0;
		c->n_line = 0;
		command(c, s);
	}
}

const struct sim_provider sim_email = { .name = "email",
	.kind = "email",
	.adapter = "email",
	.chan_kind = KIND_EMAIL,
	.form = "mailbox",
	.conf = conf,
	.address = address,
	.port = 25,
	.conn_size = sizeof(struct conn),
	.greeting = "250-relay\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n"
		    "250-SMTPUTF8\r\n250 SIZE 10485760\r\n",
	.stream = stream };
