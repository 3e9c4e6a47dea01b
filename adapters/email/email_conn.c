/* email_conn.c - one connection to the relay: output gathered until the end of the turn, replies matched to what was asked.
 * Thread: loop. Owns: its output memory. A connection that is given up is closed first and settled when the host says CLOSED:
 * only then is it known how many bytes the kernel took, and so whether a final dot may have reached the relay.
 * Failures: every way to lose a connection ends in `lost`: behind the dot unknown, before it deferred or tried again. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "email_session.h"

#define CMD_MAX       (192u * 1024) /* one envelope of EMAIL_RCPT_MAX long addresses with DSN */
#define CLOSE_WAIT_MS 10000
#define QUIT_WAIT_MS  3000
#define OPEN_GRACE_MS 5000

static int make_room(struct email_conn *c, size_t more)
{
	if (c->cmd.p == NULL) { /* fixed, so that pieces may point into it */
		c->cmd.p = malloc(CMD_MAX + 1);
		if (c->cmd.p == NULL)
			return -1;
		c->cmd.cap = CMD_MAX + 1;
		c->cmd.max = CMD_MAX;
		c->cmd.p[0] = '\0';
	}
	if (c->out_n + more <= c->out_cap)
		return 0;
	size_t cap = (c->out_n + more) * 2;
	struct lt_src *p = realloc(c->out, cap * sizeof(*p));
	if (p == NULL)
		return -1;
	c->out = p;
	c->out_cap = cap;
	return 0;
}

/* What was added to cmd since `from` becomes output. */
static void gather_cmd(struct email_conn *c, size_t from)
{
	size_t n = c->cmd.n - from;
	struct lt_src *last = c->out_n > 0 ? &c->out[c->out_n - 1] : NULL;

	if (n == 0)
		return;
	if (c->out_tx != NULL)
		c->after_dot += n;
	if (last != NULL && last->bytes.p != NULL &&
		last->bytes.p + last->bytes.n == c->cmd.p + from)
		last->bytes.n += n;
	else
		c->out[c->out_n++] = (struct lt_src){ .bytes = { c->cmd.p + from, n } };
}

void email_conn_cmd(struct email_conn *c, const char *z)
{
	if (make_room(c, 1) < 0) {
		c->cmd.failed = true;
		return;
	}
	size_t from = c->cmd.n;
	ltc_addz(&c->cmd, z);
	gather_cmd(c, from);
}

void email_conn_expect(
	struct email_conn *c, enum email_what what, uint16_t index, struct email_tx *tx)
{
	if (c->exp_n == EMAIL_EXPECT_MAX) { /* cannot be: two transactions fit */
		c->cmd.failed = true;
		return;
	}
	c->expect[(c->exp_head + c->exp_n++) % EMAIL_EXPECT_MAX] = (struct email_expect){
		(uint8_t)what, index, tx
	};
}

void email_conn_deadline(struct email_session *s, struct email_conn *c)
{
	const struct email_conf *f = &s->ei->conf;
	const struct email_expect *e = &c->expect[c->exp_head];

	if (c->state != EMAIL_C_READY)
		return;
	if (c->exp_n == 0)
		c->deadline = s->now + f->idle_ms;
	else if (e->what == EMAIL_W_FINAL || e->what == EMAIL_W_VOID) {
		uint64_t bytes =
			0; /* a slow link needs longer to take a long mail: 16 KiB a second */
		for (uint16_t i = 0; e->what == EMAIL_W_FINAL && i < e->tx->n && bytes == 0; i++)
			if (e->tx->rcpt[i] != NULL)
				bytes = e->tx->rcpt[i]->work->payload_bytes;
		c->deadline = s->now + f->final_ms + (int64_t)(bytes / 16);
	} else
		c->deadline = s->now + (e->what == EMAIL_W_DATA ? f->data_ms : f->command_ms);
}

bool email_is_login(int error)
{
	return error == -EACCES || error == -EPROTO;
}

struct lt_stream_req email_stream_req(const struct email_conf *f)
{
	struct lt_stream_req req = { .struct_size = sizeof(req),
		.kind = f->tls == EMAIL_TLS_IMPLICIT ? LT_SMTPS : LT_SMTP,
		.starttls = f->tls == EMAIL_TLS_START,
		.host = f->host,
		.ehlo_name = f->ehlo_name,
		.port = f->port,
		.connect_ms = f->connect_ms };

	if (f->user.n > 0) {
		req.user = f->user;
		req.secret = f->secret;
		req.login_options = f->login_options;
	}
	return req;
}

int email_conn_open(struct email_session *s, struct email_conn *c)
{
	const struct email_conf *f = &s->ei->conf;
	struct lt_stream_req req = email_stream_req(f);
	int rc = s->host->stream_open(s->host->ctx, s->job, &req, &c->stream);
	if (rc < 0)
		return rc;
	c->state = EMAIL_C_OPENING;
	c->deadline = s->now + f->connect_ms + OPEN_GRACE_MS;
	return 0;
}

/* Memory for the output is kept for the next connection in this place. */
static void conn_clear(struct email_conn *c)
{
	struct lt_src *out = c->out;
	size_t cap = c->out_cap;
	struct ltc_buf cmd = c->cmd;

	memset(c, 0, sizeof(*c));
	c->out = out;
	c->out_cap = cap;
	c->cmd = cmd;
	ltc_buf_reset(&c->cmd);
}

void email_conn_reset(struct email_session *s, struct email_conn *c, const char *why)
{
	if (c->state == EMAIL_C_FREE || c->state == EMAIL_C_CLOSING)
		return;
	(void)snprintf(c->why, sizeof(c->why), "%s", why);
	c->state = EMAIL_C_CLOSING;
	c->deadline = s->now + CLOSE_WAIT_MS;
	s->host->stream_close(s->host->ctx, c->stream, 1);
}

void email_conn_quit(struct email_session *s, struct email_conn *c)
{
	email_conn_cmd(c, "QUIT\r\n");
	email_conn_expect(c, EMAIL_W_QUIT, 0, NULL);
	email_conn_flush(s, c);
	if (c->state != EMAIL_C_READY)
		return;
	c->state = EMAIL_C_QUITTING;
	c->deadline = s->now + QUIT_WAIT_MS;
}

static void quit_done(struct email_session *s, struct email_conn *c)
{
	c->state = EMAIL_C_CLOSING;
	c->deadline = s->now + CLOSE_WAIT_MS;
	s->host->stream_close(s->host->ctx, c->stream, 0);
}

/* The mail whose body was handed over. */
static void lost_behind_data(struct email_session *s, struct email_conn *c, uint64_t flushed)
{
	struct email_tx *tx = c->dot;

	c->dot = NULL;
	if (tx->written && tx->dot_end <= flushed)
		email_tx_finish(s, tx, LT_UNKNOWN, LT_SCOPE_TARGET, 0, "lost",
			"no reply to the final dot: the relay may have taken the mail");
	else
		email_tx_finish(s, tx, LT_DEFERRED, LT_SCOPE_LANE, 0, "cut",
			"connection lost before the final dot left: not taken");
	email_tx_free(s, tx);
}

static void lost(struct email_session *s, struct email_conn *c, uint64_t flushed)
{
	struct email_tx *env = c->env;
	bool again = c->assigned > 1; /* reused: another one takes the mail at once */
	char why[160];

	if (c->dot != NULL)
		lost_behind_data(s, c, flushed);
	c->env = NULL;
	if (env != NULL) {
		for (uint16_t i = 0; i < env->n; i++)
			if (env->rcpt[i] != NULL && env->rcpt[i]->requeues++ >= EMAIL_REQUEUE_MAX)
				again = false;
		(void)snprintf(why, sizeof(why), "connection lost before the mail: %s",
			c->why[0] != '\0' ? c->why : "closed by the relay");
		if (again && !s->closing)
			email_tx_requeue(s, env);
		else {
			email_tx_finish(s, env, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE, "cut", why);
			email_tx_free(s, env);
		}
	}
	s->host->metric(s->host->ctx, s->job, LTC_LIT("connections_closed"), 1);
	conn_clear(c);
}

static void on_data(struct email_session *s, struct email_conn *c, struct lt_str data)
{
	while (c->state == EMAIL_C_READY || c->state == EMAIL_C_QUITTING) {
		int rc = email_parse(&c->in, &data);
		if (rc == 0)
			return;
		if (rc < 0) {
			email_conn_reset(s, c, "the relay sent something that is no SMTP reply");
			return;
		}
		if (c->exp_n == 0) {
			email_conn_reset(s, c,
				c->in.cur.code == 421 ? "closed by the relay (421)"
						      : "a reply that nobody asked for");
			return;
		}
		if (c->exp_sent == 0) {
			email_conn_reset(s, c, "a reply before its command was sent");
			return;
		}
		c->exp_sent--;
		struct email_expect e = c->expect[c->exp_head];
		c->exp_head = (uint16_t)((c->exp_head + 1) % EMAIL_EXPECT_MAX);
		c->exp_n--;
		if (e.what == EMAIL_W_QUIT)
			quit_done(s, c);
		else
			email_step(s, c, e, &c->in.cur);
		email_conn_deadline(s, c);
	}
}

static void on_open(struct email_session *s, struct email_conn *c, struct lt_str ehlo)
{
	email_caps_read(ehlo, &c->caps);
	c->state = EMAIL_C_READY;
	s->bound = true;
	s->open_backoff_ms = 0;
	s->no_open_until = 0;
	email_conn_deadline(s, c);
	s->host->metric(s->host->ctx, s->job, LTC_LIT("connections_opened"), 1);
}

void email_conn_event(struct email_session *s, struct email_conn *c, const struct lt_event *ev)
{
	const struct lt_stream_ev *u = ev->u;

	if (u != NULL)
		c->flushed = u->flushed;
	if (ev->type == LT_EV_OPEN && c->state == EMAIL_C_OPENING)
		on_open(s, c, u->data);
	else if (ev->type == LT_EV_DATA)
		on_data(s, c, u->data);
	else if (ev->type == LT_EV_DRAIN) {
		c->blocked = false;
		email_conn_flush(s, c);
	} else if (ev->type == LT_EV_CLOSED && c->state == EMAIL_C_OPENING) {
		conn_clear(c);
		email_session_no_connection(s, ev->error, u, NULL);
	} else if (ev->type == LT_EV_CLOSED) {
		if (c->why[0] == '\0' && u->error.n > 0)
			(void)snprintf(c->why, sizeof(c->why), "%.*s",
				(int)(u->error.n > 100 ? 100 : u->error.n), u->error.p);
		lost(s, c, u->flushed);
	}
}

void email_conn_timeout(struct email_session *s, struct email_conn *c)
{
	if (c->state == EMAIL_C_OPENING) {
		s->host->stream_close(s->host->ctx, c->stream, 1);
		conn_clear(c);
		email_session_no_connection(s, 0, NULL, "no connection in time");
	} else if (c->state == EMAIL_C_QUITTING)
		quit_done(s, c);
	else if (c->state == EMAIL_C_CLOSING)
		lost(s, c, UINT64_MAX); /* nobody told: what was written may have left */
	else if (c->exp_n > 0)
		email_conn_reset(s, c, "no reply in time");
	else
		email_conn_quit(s, c);
}

bool email_conn_is_old(const struct email_session *s, const struct email_conn *c)
{
	uint32_t most = s->ei->conf.max_mails_per_conn;

	if (s->mails_max > 0 && s->now < s->mails_until && (most == 0 || s->mails_max < most))
		most = s->mails_max;
	return most > 0 && c->assigned >= most;
}

bool email_conn_takes(const struct email_session *s, const struct email_conn *c, bool idle_only)
{
	const struct email_conf *f = &s->ei->conf;

	if (c->state != EMAIL_C_READY || c->env != NULL || c->blocked)
		return false;
	if (email_conn_is_old(s, c))
		return false;
	if (!c->caps.pipelining && c->exp_n > 0)
		return false; /* a RSET is not answered yet */
	if (c->dot == NULL)
		return true;
	return !idle_only && c->caps.pipelining && f->pipeline_depth > 1;
}

/* Ops that this relay can never take are finished here. False: none is left. */
static bool fit(
	struct email_session *s, const struct email_conn *c, struct email_tx *tx, bool *ret_utf8)
{
	static const struct lt_result size = { .struct_size = sizeof(size),
		.outcome = LT_REFUSED,
		.scope = LT_SCOPE_RELEASE,
		.code = { "size", 4 },
		.text = { "the message is larger than the relay takes (SIZE)", 49 } };
	static const struct lt_result utf8 = { .struct_size = sizeof(utf8),
		.outcome = LT_REFUSED,
		.scope = LT_SCOPE_TARGET,
		.code = { "smtputf8", 8 },
		.text = { "address needs SMTPUTF8, which the relay does not offer", 54 } };
	static const struct lt_result odd = { .struct_size = sizeof(odd),
		.outcome = LT_REFUSED,
		.scope = LT_SCOPE_TARGET,
		.code = { "address", 7 },
		.text = { "a character in the address that SMTP cannot carry", 49 } };

	for (uint16_t i = 0; i < tx->n; i++) {
		struct email_op *op = tx->rcpt[i];
		if (op == NULL)
			continue;
		bool ascii = ltc_is_ascii(op->work->address);
		if (!email_wire_address_ok(op->work->address))
			email_op_finish(s, op, &odd);
		else if (c->caps.size_max > 0 && op->work->payload_bytes > c->caps.size_max)
			email_op_finish(s, op, &size);
		else if (!ascii && !c->caps.smtputf8)
			email_op_finish(s, op, &utf8);
		else if (!ascii)
			*ret_utf8 = true;
	}
	return tx->n_live > 0;
}

void email_conn_assign(struct email_session *s, struct email_conn *c, struct email_tx *tx)
{
	const struct email_conf *f = &s->ei->conf;
	bool utf8 = false, idle = c->exp_n == 0;
	uint16_t first = 0;

	if (!fit(s, c, tx, &utf8)) {
		email_tx_free(s, tx);
		return;
	}
	while (tx->rcpt[first] == NULL)
		first++;
	if (make_room(c, 2) < 0) {
		email_tx_finish(
			s, tx, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE, "memory", "out of memory");
		email_tx_free(s, tx);
		return;
	}
	c->env = tx;
	c->assigned++;
	size_t from = c->cmd.n;
	email_wire_mail(&c->cmd, f, &c->caps, tx->rcpt[first]->work, tx->n_max > 1, utf8);
	email_conn_expect(c, EMAIL_W_MAIL, 0, tx);
	for (uint16_t i = 0; c->caps.pipelining && i < tx->n; i++)
		if (tx->rcpt[i] != NULL) {
			email_wire_rcpt(&c->cmd, f, &c->caps, tx->rcpt[i]->work);
			email_conn_expect(c, EMAIL_W_RCPT, i, tx);
		}
	if (c->caps.pipelining) {
		tx->n_sent = tx->n;
		ltc_addz(&c->cmd, "DATA\r\n");
		email_conn_expect(c, EMAIL_W_DATA, 0, tx);
	}
	gather_cmd(c, from);
	if (idle)
		email_conn_deadline(s, c);
}

/* A shared mail is approved without its Date: prepared at another time it would be another mail. It has the time of its transaction. */
static void shared_date(const struct email_conf *f, struct email_conn *c, const struct lt_work *w)
{
	size_t from = c->cmd.n;
	char date[40];

	if (f->personal)
		return;
	ltc_date_rfc5322(date, sizeof(date), w->since_ms, f->zone_min);
	ltc_addf(&c->cmd, "Date: %s\r\n", date);
	gather_cmd(c, from);
}

int email_conn_body(struct email_session *s, struct email_conn *c, struct email_tx *tx)
{
	const struct email_conf *f = &s->ei->conf;
	const struct lt_work *w = NULL;

	for (uint16_t i = 0; i < tx->n && w == NULL; i++)
		if (tx->rcpt[i] != NULL && tx->rcpt[i]->accepted)
			w = tx->rcpt[i]->work;
	if (w == NULL || make_room(c, w->n_payload + 3) < 0)
		return -1;
	shared_date(f, c, w);
	memcpy(c->out + c->out_n, w->payload, w->n_payload * sizeof(*w->payload));
	c->out_n += w->n_payload;
	const struct lt_str last = c->out[c->out_n - 1].bytes;
	if (last.p == NULL || (last.n > 0 && last.p[last.n - 1] == '\n'))
		c->out[c->out_n++] = (struct lt_src){ .bytes = LTC_LIT(".\r\n") };
	else
		c->out[c->out_n++] = (struct lt_src){ .bytes = LTC_LIT("\r\n.\r\n") };
	c->out_tx = tx;
	c->after_dot = 0;
	tx->handed = true;
	return 0;
}

void email_conn_flush(struct email_session *s, struct email_conn *c)
{
	struct email_tx *tx = c->out_tx;
	uint64_t end = 0;
	size_t n_whose = 0;

	if (c->out_n == 0 || c->blocked || c->state != EMAIL_C_READY)
		return;
	if (c->cmd.failed) {
		email_conn_reset(s, c, "command buffer full");
		return;
	}
	for (uint16_t i = 0; tx != NULL && i < tx->n; i++)
		if (tx->rcpt[i] != NULL)
			s->whose[n_whose++] = tx->rcpt[i]->job;
	int rc = s->host->stream_write(s->host->ctx, c->stream, c->out, c->out_n,
		tx == NULL ? 0 : LT_PUBLISHES, s->whose, n_whose, &end);
	if (rc == -LT_E_AGAIN) {
		c->blocked = true;
		return;
	}
	if (rc == -LT_E_NOINTENT &&
		tx != NULL) /* some were ended by the host: let go of all while their memory lives */
		email_tx_finish(s, tx, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_FREE, "intent",
			"the host did not allow these bytes");
	if (rc < 0) {
		email_conn_reset(s, c, "the host did not take the bytes");
		return;
	}
	if (tx != NULL) {
		tx->written = true;
		tx->dot_end = end - c->after_dot;
	}
	c->exp_sent = c->exp_n;
	c->out_tx = NULL;
	c->out_n = 0;
	c->cmd.n = 0;
}
