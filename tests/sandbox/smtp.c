/* smtp.c - the SMTP side of the sandbox: fast, pipelined, and as wicked as its script says.
 * Owns: its listener and connections. A turn's replies wait until the ledger of that turn is written (sb_smtp_flush).
 * Failures: a client that breaks limits is cut off. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/crypt.h"
#include "base/list.h"
#include "sandbox.h"

enum state {
	S_COMMAND,
	S_AUTH_PLAIN,
	S_AUTH_USER,
	S_AUTH_PASS,
	S_BODY,
	S_PAUSED,
	S_DEAF,
	S_CLOSING
};
struct sb_conn {
	uv_tcp_t tcp;
	uv_timer_t timer;
	struct list node;
	struct sandbox *s;
	struct buf in, out, rcpt; /* rcpt: addresses, each behind its length */
	size_t in_at, body_scan, n_rcpt;
	int64_t mails;
	int handles;
	enum state state, resume;
	bool esmtp, authed, in_mail, cut_body, close_after_flush;
	char from[520], params[260];
};
struct sb_smtp {
	uv_tcp_t listener;
	struct list conns;
	size_t n;
};

static void parse(struct sb_conn *c);

static void conn_gone(uv_handle_t *h)
{
	struct sb_conn *c = h->data;

	if (--c->handles > 0)
		return;
	list_del(&c->node);
	c->s->smtp->n--;
	buf_done(&c->in);
	buf_done(&c->out);
	buf_done(&c->rcpt);
	free(c);
}

static void conn_close(struct sb_conn *c, bool reset)
{
	if (c->state == S_CLOSING)
		return;
	c->state = S_CLOSING;
	c->handles = 2;
	uv_close((uv_handle_t *)&c->timer, conn_gone);
	if (reset && uv_tcp_close_reset(&c->tcp, conn_gone) == 0)
		return;
	uv_close((uv_handle_t *)&c->tcp, conn_gone);
}

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
	parse(c);
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
	if (rule_acts(c, r, "final", who))
		return;
	struct sb_mail m = { str_of(c->from), str_of(c->params), content, rcpt, recipients(c, rcpt),
		lost ? "lost" : "yes" };
	sb_ledger_mail(c->s, &m, id, sizeof(id));
	c->s->lost_answers += lost;
	if (lost && r->what == SB_TAKE_DROP)
		c->close_after_flush = true;
	else if (lost)
		c->state = S_DEAF;
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
		conn_close(c, true);
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
				conn_close(c, true);
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

static void parse(struct sb_conn *c)
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
				conn_close(c, true);
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

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *ret)
{
	struct sb_conn *c = h->data;

	(void)hint;
	*ret = uv_buf_init(NULL, 0);
	if (buf_reserve(&c->in, 65536) == 0)
		*ret = uv_buf_init(c->in.p + c->in.n, 65536);
}

static void on_read(uv_stream_t *st, ssize_t n, const uv_buf_t *b)
{
	struct sb_conn *c = st->data;

	(void)b;
	if (n < 0) {
		conn_close(c, false);
		return;
	}
	c->in.n += (size_t)n;
	parse(c);
}

static void greet(uv_timer_t *t)
{
	struct sb_conn *c = t->data;

	c->state = S_COMMAND;
	if (!rule_acts(c, sb_rule_hit(c->s, SB_AT_CONNECT, STR("")), "connect", STR("")))
		reply(c, 220, "sandbox ESMTP");
	else if (c->state != S_CLOSING)
		c->close_after_flush = true;
	if (c->state != S_CLOSING)
		parse(c);
}

static void on_connection(uv_stream_t *l, int status)
{
	struct sandbox *s = l->data;
	struct sb_conn *c = status < 0 ? NULL : x_calloc(1, sizeof(*c));

	if (c == NULL)
		return;
	c->s = s;
	c->tcp.data = c->timer.data = c;
	list_init(&c->node);
	list_push(&s->smtp->conns, &c->node);
	s->smtp->n++;
	s->connections++;
	buf_init(&c->in, SB_MAIL_MAX + 262144);
	buf_init(&c->out, 1u << 20);
	buf_init(&c->rcpt, 256u * 1024);
	(void)uv_tcp_init(&s->loop, &c->tcp);
	(void)uv_timer_init(&s->loop, &c->timer);
	if (uv_accept(l, (uv_stream_t *)&c->tcp) < 0 || s->smtp->n > SB_CONNS_MAX) {
		conn_close(c, true);
		return;
	}
	(void)uv_tcp_nodelay(&c->tcp, 1);
	(void)uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
	c->state = S_PAUSED;
	c->resume = S_COMMAND;
	(void)uv_timer_start(&c->timer, greet, (uint64_t)s->opt.greeting_delay_ms, 0);
}

struct late_write {
	uv_write_t req;
	struct sb_conn *c;
	char *bytes; /* owned */
};

static void on_written(uv_write_t *req, int status)
{
	struct late_write *w = req->data;

	if (status < 0)
		conn_close(w->c, true);
	free(w->bytes);
	free(w);
}

static void conn_flush(struct sb_conn *c)
{
	uv_buf_t b = uv_buf_init(c->out.p, (unsigned)c->out.n);
	int n = uv_try_write((uv_stream_t *)&c->tcp, &b, 1);

	if (n < 0 && n != UV_EAGAIN) {
		conn_close(c, false);
		return;
	}
	buf_consume(&c->out, n < 0 ? 0 : (size_t)n);
	if (c->out.n == 0)
		return;
	struct late_write *w = x_calloc(1, sizeof(*w));
	w->c = c;
	w->req.data = w;
	b.len = c->out.n;
	w->bytes = b.base = buf_take(&c->out, NULL);
	if (uv_write(&w->req, (uv_stream_t *)&c->tcp, &b, 1, on_written) < 0) {
		free(w->bytes);
		free(w);
		conn_close(c, true);
	}
}

void sb_smtp_flush(struct sandbox *s)
{
	LIST_FOR_SAFE(&s->smtp->conns, it, nx)
	{
		struct sb_conn *c = CONTAINER_OF(it, struct sb_conn, node);
		if (c->state == S_CLOSING || c->state == S_PAUSED)
			continue;
		if (c->out.n > 0)
			conn_flush(c);
		if (c->close_after_flush && c->state != S_CLOSING)
			conn_close(c, false);
	}
}

int sb_smtp_open(struct sandbox *s, int port, int *ret_port, struct err *e)
{
	struct sockaddr_in a;
	struct sockaddr_storage bound;
	int len = sizeof(bound);

	s->smtp = x_calloc(1, sizeof(*s->smtp));
	list_init(&s->smtp->conns);
	s->smtp->listener.data = s;
	(void)uv_ip4_addr("127.0.0.1", port, &a);
	(void)uv_tcp_init(&s->loop, &s->smtp->listener);
	int rc = uv_tcp_bind(&s->smtp->listener, (const struct sockaddr *)&a, 0);
	if (rc == 0)
		rc = uv_listen((uv_stream_t *)&s->smtp->listener, 256, on_connection);
	if (rc == 0)
		rc = uv_tcp_getsockname(&s->smtp->listener, (struct sockaddr *)&bound, &len);
	if (rc < 0)
		return err_set(e, rc, "127.0.0.1:%d: %s", port, uv_strerror(rc));
	memcpy(&a, &bound, sizeof(a));
	*ret_port = ntohs(a.sin_port);
	return 0;
}

void sb_smtp_close(struct sandbox *s)
{
	uv_close((uv_handle_t *)&s->smtp->listener, NULL);
	LIST_FOR_SAFE(&s->smtp->conns, it, nx)
	{
		conn_close(CONTAINER_OF(it, struct sb_conn, node), false);
	}
}
