/* smtp_session.c - the commands of one session, as wicked as the script says; what is taken goes to the ledger.
 * Owns: nothing; a session lives in its connection. Failures: a client that breaks limits is cut off. */
#include <stdio.h>
#include <string.h>
#include "base/crypt.h"
#include "smtp_internal.h"

static void reply(struct sb_conn *c, int code, const char *text)
{
	(void)buf_addf(&c->out, "%d %s\r\n", code, text);
}

static void on_timer(uv_timer_t *t)
{
	struct sb_conn *c = t->data;

	if (c->state != S_PAUSED)
		return;
	c->state = c->resume;
	smtp_parse(c);
}

static void pause_for(struct sb_conn *c, int64_t ms)
{
	c->resume = c->state;
	c->state = S_PAUSED;
	(void)uv_timer_start(&c->timer, on_timer, (uint64_t)ms, 0);
}

/* Does what a rule says instead of the usual yes. True: it has; false: go on as usual (perhaps after a pause). */
static bool rule_acts(struct sb_conn *c, const struct sb_rule *r, const char *phase, struct str who)
{
	char text[300];

	if (r == NULL)
		return false;
	switch (r->what) {
	case SB_REPLY:
		(void)snprintf(text, sizeof(text), "%s",
			r->text[0] != '\0' ? r->text : "refused by script");
		reply(c, r->code, text);
		if (r->code >= 400)
			sb_ledger_refused(c->s, phase, who, r->code, text);
		c->close_after_flush |= r->code == 421;
		return true;
	case SB_GREYLIST:
		if (!sb_greylisted(c->s, r, str_of(c->from), who))
			return false;
		reply(c, 450, "4.7.1 greylisted, try again later");
		sb_ledger_refused(c->s, phase, who, 450, "4.7.1 greylisted, try again later");
		return true;
	case SB_DELAY: pause_for(c, r->pace.delay_ms); return false;
	case SB_SILENT: c->state = S_DEAF; return true;
	case SB_DROP: c->close_after_flush = true; return true;
	case SB_CUT_BODY: c->cut_body = true; return false;
	case SB_TAKE_DROP:
	case SB_TAKE_SILENT: break;
	}
	return false; /* only at the final dot: see take_mail */
}

static void mail_reset(struct sb_conn *c)
{
	c->in_mail = false;
	c->n_rcpt = 0;
	c->cut_body = false;
	buf_reset(&c->rcpt);
}

/* "FROM:<a@b> X=Y" -> address, parameters. */
static bool path_of(struct str arg, const char *word, struct str *ret, struct str *ret_params)
{
	size_t n = strlen(word);

	if (arg.n < n + 2 || strncasecmp(arg.p, word, n) != 0)
		return false;
	arg = str_trim((struct str){ arg.p + n, arg.n - n });
	if (arg.n < 2 || arg.p[0] != '<')
		return false;
	const char *end = memchr(arg.p, '>', arg.n);
	if (end == NULL)
		return false;
	*ret = (struct str){ arg.p + 1, (size_t)(end - arg.p) - 1 };
	*ret_params = str_trim((struct str){ end + 1, arg.n - (size_t)(end - arg.p) - 1 });
	return ret->n < 500;
}

static void on_ehlo(struct sb_conn *c, bool esmtp)
{
	const struct sb_options *o = &c->s->opt;
	struct buf lines CLEANUP_BUF;

	buf_init(&lines, 2000);
	mail_reset(c);
	if (rule_acts(c, sb_rule_hit(c->s, SB_AT_EHLO, STR("")), "ehlo", STR("")))
		return;
	if (!esmtp) {
		reply(c, 250, "sandbox");
		return;
	}
	if (o->pipelining)
		(void)buf_addz(&lines, "250-PIPELINING\r\n");
	if (o->size > 0)
		(void)buf_addf(&lines, "250-SIZE %lld\r\n", (long long)o->size);
	if (o->dsn)
		(void)buf_addz(&lines, "250-DSN\r\n");
	if (o->smtputf8)
		(void)buf_addz(&lines, "250-SMTPUTF8\r\n");
	if (o->user[0] != '\0')
		(void)buf_addz(&lines, "250-AUTH PLAIN LOGIN\r\n");
	(void)buf_addz(&lines, "250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n");
	for (size_t i = 0; o->lower_case && i < lines.n; i++)
		if (lines.p[i] >= 'A' && lines.p[i] <= 'Z')
			lines.p[i] = (char)(lines.p[i] + 32);
	(void)buf_addz(&c->out, "250-sandbox\r\n");
	(void)buf_add_str(&c->out, buf_str(&lines));
}

static void on_mail(struct sb_conn *c, struct str arg)
{
	const struct sb_options *o = &c->s->opt;
	struct str from, params;

	if (o->user[0] != '\0' && !c->authed)
		reply(c, 530, "5.7.0 authentication required");
	else if (c->in_mail)
		reply(c, 503, "5.5.1 nested MAIL command");
	else if (o->max_mails > 0 && c->mails >= o->max_mails) {
		reply(c, 421, "4.7.0 too many messages in this session");
		c->close_after_flush = true;
	} else if (!path_of(arg, "FROM:", &from, &params))
		reply(c, 501, "5.5.4 syntax: MAIL FROM:<address>");
	else {
		(void)str_copy(c->from, sizeof(c->from), from);
		(void)str_copy(c->params, sizeof(c->params), params);
		if (rule_acts(c, sb_rule_hit(c->s, SB_AT_MAIL, from), "mail", from))
			return;
		c->in_mail = true;
		reply(c, 250, "2.1.0 Ok");
	}
}

static void on_rcpt(struct sb_conn *c, struct str arg)
{
	int64_t max = c->s->opt.max_rcpt > 0 ? c->s->opt.max_rcpt : SB_RCPT_MAX;
	struct str to, params;

	if (!c->in_mail)
		reply(c, 503, "5.5.1 need MAIL command");
	else if (!path_of(arg, "TO:", &to, &params) || to.n < 3)
		reply(c, 501, "5.5.4 syntax: RCPT TO:<address>");
	else if ((int64_t)c->n_rcpt >= max || c->n_rcpt >= SB_RCPT_MAX)
		reply(c, 452, "4.5.3 too many recipients");
	else if (!rule_acts(c, sb_rule_hit(c->s, SB_AT_RCPT, to), "rcpt", to)) {
		uint16_t n = (uint16_t)to.n;
		(void)buf_add(&c->rcpt, &n, sizeof(n));
		(void)buf_add_str(&c->rcpt, to);
		c->n_rcpt++;
		reply(c, 250, "2.1.5 Ok");
	}
}

static size_t recipients(const struct sb_conn *c, struct str *dst)
{
	size_t at = 0, n = 0;

	while (n < c->n_rcpt && at + 2 <= c->rcpt.n) {
		uint16_t len;
		memcpy(&len, c->rcpt.p + at, sizeof(len));
		dst[n++] = (struct str){ c->rcpt.p + at + 2, len };
		at += 2u + len;
	}
	return n;
}

static struct sb_rule *rule_for_all(struct sb_conn *c, enum sb_at at, struct str *ret_who)
{
	struct str rcpt[SB_RCPT_MAX];
	size_t n = recipients(c, rcpt);

	*ret_who = n > 0 ? rcpt[0] : STR("");
	for (size_t i = 0; i < n; i++) {
		struct sb_rule *r = sb_rule_hit(c->s, at, rcpt[i]);
		if (r != NULL) {
			*ret_who = rcpt[i];
			return r;
		}
	}
	return NULL;
}

static void on_data_cmd(struct sb_conn *c)
{
	struct str who;

	if (!c->in_mail)
		reply(c, 503, "5.5.1 need MAIL command");
	else if (c->n_rcpt == 0)
		reply(c, 554, "5.5.1 no valid recipients");
	else if (!rule_acts(c, rule_for_all(c, SB_AT_DATA, &who), "data", who)) {
		reply(c, 354, "End data with <CR><LF>.<CR><LF>");
		if (c->state == S_PAUSED)
			c->resume = S_BODY;
		else
			c->state = S_BODY;
		c->body_scan = 0;
	}
}

/* Undoes dot-stuffing in place. */
static size_t unstuff(char *p, size_t n)
{
	size_t out = 0;

	if (memmem(p, n, "\n.", 2) == NULL && (n == 0 || p[0] != '.'))
		return n;
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '.' && (i == 0 || p[i - 1] == '\n') && out < n)
			continue;
		p[out++] = p[i];
	}
	return out;
}

static void take_mail(struct sb_conn *c, struct str content)
{
	struct str rcpt[SB_RCPT_MAX], who;
	struct sb_rule *r = rule_for_all(c, SB_AT_FINAL, &who);
	bool lost = r != NULL && (r->what == SB_TAKE_DROP || r->what == SB_TAKE_SILENT);
	char id[32], text[64];

	c->state = S_COMMAND;
	c->mails++;
	if (c->s->opt.size > 0 && (int64_t)content.n > c->s->opt.size) {
		reply(c, 552, "5.3.4 message too big");
		sb_ledger_refused(c->s, "final", who, 552, "5.3.4 message too big");
		return;
	}
	bool own_words = r != NULL && r->what == SB_REPLY && r->code < 300;
	if (!own_words && rule_acts(c, r, "final", who))
		return;
	struct sb_mail m = { str_of(c->from), str_of(c->params), content, rcpt, recipients(c, rcpt),
		lost ? "lost" : "yes" };
	sb_ledger_mail(c->s, &m, id, sizeof(id));
	c->s->lost_answers += lost;
	if (lost && r->what == SB_TAKE_DROP)
		c->close_after_flush = true;
	else if (lost)
		c->state = S_DEAF;
	else if (own_words)
		reply(c, r->code, r->text);
	else {
		(void)snprintf(text, sizeof(text), "2.0.0 Ok: queued as %s", id);
		reply(c, 250, text);
	}
}

/* True when a whole body was there and has been handled. */
static bool body(struct sb_conn *c)
{
	char *p = c->in.p + c->in_at;
	size_t n = c->in.n - c->in_at, end;

	if (c->cut_body && n > 0) {
		sb_ledger_refused(c->s, "body", STR(""), 0, "cut in the middle of the body");
		smtp_conn_close(c, true);
		return false;
	}
	if (n >= 3 && c->body_scan == 0 && memcmp(p, ".\r\n", 3) == 0) {
		end = 0;
		c->in_at += 3;
	} else {
		size_t from = c->body_scan > 4 ? c->body_scan - 4 : 0;
		const char *hit = memmem(p + from, n - from, "\r\n.\r\n", 5);
		c->body_scan = n;
		if (hit == NULL) {
			if (n > SB_MAIL_MAX)
				smtp_conn_close(c, true);
			return false;
		}
		end = (size_t)(hit - p) + 2;
		c->in_at += end + 3;
	}
	take_mail(c, (struct str){ p, unstuff(p, end) });
	if (c->state != S_CLOSING)
		mail_reset(c);
	return true;
}

static bool login_is(const struct sb_conn *c, struct str b64, bool user)
{
	char plain[160], enc[260];
	const struct sb_options *o = &c->s->opt;

	if (c->state == S_AUTH_PLAIN) {
		size_t un = strlen(o->user), pn = strlen(o->password);
		plain[0] = '\0';
		memcpy(plain + 1, o->user, un + 1);
		memcpy(plain + 2 + un, o->password, pn);
		(void)base64_encode(enc, sizeof(enc), plain, 2 + un + pn);
	} else {
		const char *z = user ? o->user : o->password;
		(void)base64_encode(enc, sizeof(enc), z, strlen(z));
	}
	return str_eqz(b64, enc);
}

static void auth_end(struct sb_conn *c, bool ok)
{
	c->state = S_COMMAND;
	c->authed |= ok;
	reply(c, ok ? 235 : 535,
		ok ? "2.7.0 Authentication successful" : "5.7.8 authentication failed");
}

static void on_auth(struct sb_conn *c, struct str arg)
{
	if (c->s->opt.user[0] == '\0')
		reply(c, 503, "5.5.1 authentication not offered");
	else if (str_ieqz(arg, "PLAIN")) {
		c->state = S_AUTH_PLAIN;
		(void)buf_addz(&c->out, "334 \r\n");
	} else if (arg.n > 6 && strncasecmp(arg.p, "PLAIN ", 6) == 0) {
		c->state = S_AUTH_PLAIN;
		auth_end(c, login_is(c, str_trim((struct str){ arg.p + 6, arg.n - 6 }), false));
	} else if (str_ieqz(arg, "LOGIN")) {
		c->state = S_AUTH_USER;
		(void)buf_addz(&c->out, "334 VXNlcm5hbWU6\r\n");
	} else
		reply(c, 504, "5.5.4 mechanism not known");
}

static void auth_line(struct sb_conn *c, struct str line)
{
	if (c->state == S_AUTH_PLAIN)
		auth_end(c, login_is(c, line, false));
	else if (c->state == S_AUTH_USER && login_is(c, line, true)) {
		c->state = S_AUTH_PASS;
		(void)buf_addz(&c->out, "334 UGFzc3dvcmQ6\r\n");
	} else
		auth_end(c, c->state == S_AUTH_PASS && login_is(c, line, false));
}

static void command(struct sb_conn *c, struct str line)
{
	const char *sp = memchr(line.p, ' ', line.n);
	struct str verb = { line.p, sp == NULL ? line.n : (size_t)(sp - line.p) };
	struct str arg = sp == NULL ? STR("")
				    : str_trim((struct str){ sp + 1, line.n - verb.n - 1 });

	if (str_ieqz(verb, "MAIL"))
		on_mail(c, arg);
	else if (str_ieqz(verb, "RCPT"))
		on_rcpt(c, arg);
	else if (str_ieqz(verb, "DATA"))
		on_data_cmd(c);
	else if (str_ieqz(verb, "EHLO") || str_ieqz(verb, "HELO"))
		on_ehlo(c, str_ieqz(verb, "EHLO"));
	else if (str_ieqz(verb, "RSET")) {
		mail_reset(c);
		reply(c, 250, "2.0.0 Ok");
	} else if (str_ieqz(verb, "NOOP"))
		reply(c, 250, "2.0.0 Ok");
	else if (str_ieqz(verb, "AUTH"))
		on_auth(c, arg);
	else if (str_ieqz(verb, "QUIT")) {
		reply(c, 221, "2.0.0 Bye");
		c->close_after_flush = true;
	} else
		reply(c, 502, "5.5.2 command not recognized");
}

void smtp_parse(struct sb_conn *c)
{
	while (c->in_at < c->in.n && !c->close_after_flush && c->state != S_CLOSING &&
		c->state != S_PAUSED && c->state != S_DEAF) {
		if (c->state == S_BODY) {
			if (!body(c))
				break;
			continue;
		}
		char *p = c->in.p + c->in_at;
		char *nl = memchr(p, '\n', c->in.n - c->in_at);
		if (nl == NULL) {
			if (c->in.n - c->in_at > SB_LINE_MAX)
				smtp_conn_close(c, true);
			break;
		}
		struct str line = { p, (size_t)(nl - p) };
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		c->in_at += (size_t)(nl - p) + 1;
		if (c->state == S_COMMAND)
			command(c, line);
		else
			auth_line(c, line);
	}
	if (c->state != S_CLOSING && c->in_at > 0) {
		buf_consume(&c->in, c->in_at);
		c->in_at = 0;
	}
}

void smtp_greet(struct sb_conn *c)
{
	c->state = S_COMMAND;
	if (!rule_acts(c, sb_rule_hit(c->s, SB_AT_CONNECT, STR("")), "connect", STR("")))
		reply(c, 220, "sandbox ESMTP");
	else if (c->state != S_CLOSING)
		c->close_after_flush = true;
	if (c->state != S_CLOSING)
		smtp_parse(c);
}
