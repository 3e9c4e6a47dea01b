/* email_step.c - what a reply means: for the recipient, for the transaction, for the next bytes.
 *
 *   MAIL ok -> RCPT each ok or not -> DATA 354 -> body and dot -> final reply
 *
 * With PIPELINING the first three were sent at once, without it each is sent when the one before was answered. A lone dot answers a
 * 354 that came although nobody was accepted; where a recipient was accepted that must not get the mail (taken away by a stop),
 * the connection is dropped instead, because a server must not deliver without the dot.
 * Thread: loop. Failures: none of its own; a reply out of place drops the connection. */
#include <stdio.h>
#include "email_session.h"

#define SHARE_MS 600000 /* what was learned of the relay is tried anew */

static bool good(const struct email_reply *r)
{
	return r->code >= 200 && r->code < 300;
}

/* Counts policy refusals of a domain; true when more than a fifth of at least ten recipients got one. */
static bool domain_troubled(struct email_session *s, struct lt_str address, bool refused)
{
	const char *at = ltc_find(address, LTC_LIT("@"), false);
	struct lt_str d = at == NULL ? address : ltc_from(address, (size_t)(at - address.p));
	uint64_t h = ltc_hash(LTC_HASH_SEED, d);
	struct email_domain_count *n = &s->domains[h % EMAIL_DOMAINS];

	if (n->hash != h) {
		if (!refused)
			return false; /* only domains that made trouble are watched */
		*n = (struct email_domain_count){ .hash = h };
	}
	if (++n->seen > 1000) { /* old news counts half */
		n->seen /= 2;
		n->refused /= 2;
	}
	n->refused += refused;
	return n->seen >= 10 && n->refused * 5 > n->seen;
}

/* Finishes one op by the table. */
static void op_refused(struct email_session *s, struct email_op *op, const char *phase,
	const struct email_reply *r, unsigned can)
{
	struct email_verdict v;

	email_classify(s->ei->outcomes, phase, r, can, op->work->address, &v);
	if (v.r.outcome == EMAIL_O_AGAIN) {
		op->again = true;
		return;
	}
	if (v.alert && domain_troubled(s, op->work->address, true) &&
		v.r.scope == LT_SCOPE_TARGET) {
		v.r.scope = LT_SCOPE_CLASS;
		s->host->log(s->host->ctx, op->job, 4,
			LTC_LIT("many recipients of one domain refused by policy"));
	}
	email_op_finish(s, op, &v.r);
}

static void tx_refused(struct email_session *s, struct email_tx *tx, const char *phase,
	const struct email_reply *r)
{
	for (uint16_t i = 0; i < tx->n; i++)
		if (tx->rcpt[i] != NULL && !tx->rcpt[i]->again)
			op_refused(s, tx->rcpt[i], phase, r, 0);
}

/* Without an enhanced code "too many" and "this one is full" look alike: it was too many where nobody was taken behind the first of
 * several. */
static void learn_limit(struct email_session *s, const struct email_tx *tx)
{
	if (tx->n_again > 1 && !tx->one_full && tx->n_ok > 0 && tx->n_ok < s->max_rcpt)
		s->max_rcpt = tx->n_ok;
}

/* The envelope stage is over and no body goes out: what is left is tried in a new transaction. */
static void envelope_end(
	struct email_session *s, struct email_conn *c, struct email_tx *tx, bool rset)
{
	c->env = NULL;
	email_tx_split(s, tx, false);
	email_tx_finish(s, tx, LT_DEFERRED, LT_SCOPE_TARGET, LT_R_FREE, "cut",
		"the transaction ended without this recipient");
	email_tx_free(s, tx);
	if (rset && c->state == EMAIL_C_READY) {
		email_conn_cmd(c, "RSET\r\n");
		email_conn_expect(c, EMAIL_W_RSET, 0, NULL);
	}
}

/* Lock step: the next command of this envelope. */
static void next_command(struct email_session *s, struct email_conn *c, struct email_tx *tx)
{
	const struct email_conf *f = &s->ei->conf;

	while (tx->n_sent < tx->n && tx->rcpt[tx->n_sent] == NULL)
		tx->n_sent++;
	if (!tx->mail_ok) {
		envelope_end(s, c, tx, false);
		return;
	}
	if (tx->n_sent < tx->n) {
		struct ltc_buf cmd LTC_CLEANUP_BUF;
		ltc_buf_init(&cmd, 4096);
		email_wire_rcpt(&cmd, f, &c->caps, tx->rcpt[tx->n_sent]->work);
		email_conn_cmd(c, cmd.p == NULL ? "" : cmd.p);
		email_conn_expect(c, EMAIL_W_RCPT, tx->n_sent++, tx);
		return;
	}
	bool any = false;
	for (uint16_t i = 0; i < tx->n; i++)
		any |= tx->rcpt[i] != NULL && tx->rcpt[i]->accepted;
	if (!any || tx->poisoned) {
		for (uint16_t i = 0; i < tx->n; i++)
			if (tx->rcpt[i] != NULL)
				tx->rcpt[i]->again = true;
		envelope_end(s, c, tx, true);
		return;
	}
	email_conn_cmd(c, "DATA\r\n");
	email_conn_expect(c, EMAIL_W_DATA, 0, tx);
}

static void on_mail(struct email_session *s, struct email_tx *tx, const struct email_reply *r)
{
	tx->mail_ok = good(r);
	if (!tx->mail_ok)
		tx_refused(s, tx, "mail", r);
}

static void on_rcpt(
	struct email_session *s, struct email_tx *tx, uint16_t i, const struct email_reply *r)
{
	struct email_op *op = tx->rcpt[i];

	if (good(r)) {
		tx->n_ok++;
		tx->one_full |= tx->n_again > 0;
		if (op == NULL) {
			tx->poisoned = true;
			return;
		}
		op->accepted = true;
		(void)domain_troubled(s, op->work->address, false);
		return;
	}
	if (op == NULL)
		return;
	op_refused(s, op, "rcpt", r, tx->n_ok > 0 ? EMAIL_CAN_AGAIN : 0);
	if (tx->rcpt[i] == NULL || !tx->rcpt[i]->again)
		return;
	tx->n_again++;
	if (r->sub[0] != '\0' && tx->n_ok < s->max_rcpt)
		s->max_rcpt = tx->n_ok; /* this relay takes fewer at once */
}

static void go_ahead(struct email_session *s, struct email_conn *c, struct email_tx *tx)
{
	bool any = false;

	for (uint16_t i = 0; i < tx->n; i++)
		any |= tx->rcpt[i] != NULL && tx->rcpt[i]->accepted;
	if (tx->n_ok == 0) { /* nobody is to get anything: an empty mail to nobody ends it */
		email_conn_cmd(c, ".\r\n");
		email_conn_expect(c, EMAIL_W_VOID, 0, NULL);
		envelope_end(s, c, tx, false);
		return;
	}
	if (tx->poisoned || !any) {
		for (uint16_t i = 0; i < tx->n; i++)
			if (tx->rcpt[i] != NULL)
				tx->rcpt[i]->again = true;
		email_conn_reset(s, c, "stopped between envelope and text");
		envelope_end(s, c, tx, false);
		return;
	}
	c->env = NULL;
	learn_limit(s, tx);
	email_tx_split(s, tx, false);
	c->dot = tx;
	if (email_conn_body(s, c, tx) < 0)
		email_conn_reset(s, c, "out of memory");
	else
		email_conn_expect(c, EMAIL_W_FINAL, 0, tx);
}

static void on_data_reply(struct email_session *s, struct email_conn *c, struct email_tx *tx,
	const struct email_reply *r)
{
	if (r->code == 354) {
		go_ahead(s, c, tx);
		return;
	}
	if (r->code < 400) {
		email_conn_reset(s, c, "neither yes nor no to DATA");
		return;
	}
	struct email_reply said;
	email_hide_all(tx, r, &said);
	bool split = tx->n_live > 1;
	for (uint16_t i = 0; i < tx->n; i++) {
		struct email_op *op = tx->rcpt[i];
		struct email_verdict v;
		if (op == NULL || op->again)
			continue;
		email_classify(s->ei->outcomes, "data", &said, split ? EMAIL_CAN_SPLIT : 0,
			op->work->address, &v);
		if (v.r.outcome == EMAIL_O_ONE_BY_ONE) {
			email_tx_split(s, tx, true);
			break;
		}
		email_op_finish(s, op, &v.r);
	}
	envelope_end(s, c, tx, true);
}

static void on_final(struct email_session *s, struct email_conn *c, struct email_tx *tx,
	const struct email_reply *r)
{
	bool split = tx->n_live > 1;
	struct email_reply said;
	char code[24];

	email_hide_all(tx, r, &said);
	c->dot = NULL;
	if (good(r)) {
		struct lt_str qid = email_queue_id(&said);
		struct lt_id id = { 0, LT_ACCEPTED, qid };
		(void)snprintf(code, sizeof(code), "%d%s%s", r->code, r->sub[0] != '\0' ? " " : "",
			r->sub);
		struct lt_result res = { .struct_size = sizeof(res),
			.outcome = LT_ACCEPTED,
			.code = ltc_z(code),
			.text = ltc_utf8_cut((struct lt_str){ said.text, said.n }, 200) };
		for (uint16_t i = 0; i < tx->n; i++) {
			struct email_op *op = tx->rcpt[i];
			if (op == NULL)
				continue;
			if (qid.n == 0)
				id.id = op->work->ref;
			res.ids = &id;
			res.n_ids = id.id.n > 0;
			email_op_finish(s, op, &res);
		}
	}
	for (uint16_t i = 0; i < tx->n; i++) {
		struct email_op *op = tx->rcpt[i];
		struct email_verdict v;
		if (op == NULL)
			continue;
		email_classify(s->ei->outcomes, "final", &said, split ? EMAIL_CAN_SPLIT : 0,
			op->work->address, &v);
		if (v.r.outcome == EMAIL_O_ONE_BY_ONE) {
			email_tx_split(s, tx, true);
			break;
		}
		email_op_finish(s, op, &v.r);
	}
	email_tx_free(s, tx);
}

/* The final reply while the text is still leaving. A no counts: nothing was taken. A yes is neither sent, for the dot never left, nor
 * proven unsent, for the relay says that it has taken something. The link is of no use any more: what else stands in it would be
 * read as commands, and the replies to that as replies to the next mail. */
static void on_early_final(struct email_session *s, struct email_conn *c, struct email_tx *tx,
	const struct email_reply *r)
{
	if (good(r)) {
		c->dot = NULL;
		email_tx_finish(s, tx, LT_UNKNOWN, LT_SCOPE_TARGET, 0, "early",
			"the relay said yes before it had the whole mail: it may have taken a part");
		email_tx_free(s, tx);
	} else {
		on_final(s, c, tx, r);
	}
	email_conn_reset(s, c, "a final reply before the end of the text");
}

/* Many relays take so many mails on a connection and no more. A mail that is moved on from one that has had its share to another one
 * that has as well gets nowhere; such connections are left before they say it. */
static void learn_share(struct email_session *s, uint32_t mails)
{
	if (mails == s->mails_seen) {
		s->mails_max = mails;
		s->mails_until = s->now + SHARE_MS;
	}
	s->mails_seen = mails;
}

/* 421: the relay closes. The reply settles what it answers; what stands behind it was never begun. */
static void on_goodbye(struct email_session *s, struct email_conn *c, struct email_expect e,
	const struct email_reply *r)
{
	struct email_reply said;

	if (e.tx != NULL)
		email_hide_all(e.tx, r, &said);
	if (e.what == EMAIL_W_MAIL && c->assigned > 1)
		learn_share(s, c->assigned - 1);
	if (e.what == EMAIL_W_FINAL) {
		c->dot = NULL;
		tx_refused(s, e.tx, "final", &said);
		email_tx_free(s, e.tx);
	} else if (e.tx != NULL && c->assigned == 1) {
		c->env = NULL;
		tx_refused(s, e.tx,
			e.what == EMAIL_W_MAIL           ? "mail"
				: e.what == EMAIL_W_RCPT ? "rcpt"
							 : "data",
			&said);
		email_tx_split(s, e.tx, false);
		email_tx_finish(s, e.tx, LT_DEFERRED, LT_SCOPE_LANE, LT_R_FREE, "421", said.text);
		email_tx_free(s, e.tx);
	} /* else: on a reused connection, another one takes the mail at once: see lost() */
	email_conn_reset(s, c, "closed by the relay (421)");
}

void email_step(struct email_session *s, struct email_conn *c, struct email_expect e,
	const struct email_reply *r)
{
	bool lock_step = !c->caps.pipelining;

	if (r->code == 421) {
		on_goodbye(s, c, e, r);
		return;
	}
	switch ((enum email_what)e.what) {
	case EMAIL_W_MAIL:
		on_mail(s, e.tx, r);
		if (lock_step)
			next_command(s, c, e.tx);
		break;
	case EMAIL_W_RCPT:
		on_rcpt(s, e.tx, e.index, r);
		if (lock_step)
			next_command(s, c, e.tx);
		break;
	case EMAIL_W_DATA: on_data_reply(s, c, e.tx, r); break;
	case EMAIL_W_FINAL:
		if (r->code == 354 || (r->code >= 300 && r->code < 400))
			email_conn_reset(s, c, "a go-ahead where a final reply was due");
		else if (e.tx->dot_end > c->flushed)
			on_early_final(s, c, e.tx, r);
		else
			on_final(s, c, e.tx, r);
		break;
	case EMAIL_W_VOID:
	case EMAIL_W_RSET:
	case EMAIL_W_QUIT: break;
	}
}
