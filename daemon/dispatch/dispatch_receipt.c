/* dispatch_receipt.c - what comes from providers without an op: receipts, saved steps; opt-outs by link.
 * Thread: loop. Owns: its commands until they are done. Must not know: SQL.
 * The peer is told "ok" (channel_saved) only after the commit. Failures: an error goes back to the peer, which sends again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "dispatch/dispatch_internal.h"

#define IDS_MAX 1024 /* bytes of all candidates of one report; what comes after them is left out */

struct receipt_cmd {
	struct sq_receipt c;
	struct list node;
	uint64_t
		behind; /* so many outcomes go to the writer before it: a report may come in the turn of its answer */
	struct dispatch *d;
	struct dhost *host;
	uint64_t ticket; /* 0: nobody waits */
	char ids[];      /* c.ids: thousands of these wait at once, each as long as its own */
};

struct receipts_turn { /* one at a time, of many */
	struct sq_receipts c;
	struct dispatch *d;
	struct sq_receipt *v[D_RECEIPTS_MAX];
};

static void receipt_stored(struct receipt_cmd *r, int rc)
{
	struct dispatch *d = r->d;
	struct dlot *l = r->c.ret_lot ? lot_find(d, r->c.ret_lot) : NULL;

	if (rc == 0 && r->c.ret_to >= 0) {
		log_line(LOG_INFO, "ev=receipt.done msg=%lld from=%s to=%s code=%s",
			(long long)r->c.ret_delivery, dlv_state_name(r->c.ret_from),
			dlv_state_name(r->c.ret_to), LOG_Q(str_of(r->c.code)));
		if (l)
			lot_count(l, (enum dlv_state)r->c.ret_from, (enum dlv_state)r->c.ret_to);
		/* Its answer was lost, and with it the link, which the figures bring. */
		if (l && r->c.ret_from == (int)DLV_UNKNOWN && r->c.ret_to == (int)DLV_ACCEPTED)
			jobs_soon(l->lane->acct);
		if (l && r->c.ret_to == (int)DLV_WAITING) {
			l->rewind = true;
			lot_want(l);
		}
	}
	if (r->ticket)
		(void)host_saved(r->host, r->ticket, rc);
	d_free(r);
	cmd_end(d);
}

static void on_receipts_stored(struct store_cmd *cmd)
{
	struct receipts_turn *t = CONTAINER_OF(cmd, struct receipts_turn, c.cmd);
	struct dispatch *d = t->d;

	d->rc_out = false;
	for (size_t i = 0; i < t->c.n; i++)
		receipt_stored(CONTAINER_OF(t->v[i], struct receipt_cmd, c), cmd->rc);
	d_free(t);
	dispatch_kick(d);
}

/* What waits and whose outcomes have gone before it: one command for all of it, the next one when that is back. */
void receipts_go(struct dispatch *d)
{
	struct receipts_turn *t;

	if (d->rc_out || list_empty(&d->receipts))
		return;
	t = d_alloc(d, sizeof(*t));
	t->d = d;
	t->c.n = 0;
	while (t->c.n < D_RECEIPTS_MAX && !list_empty(&d->receipts)) {
		struct receipt_cmd *r = CONTAINER_OF(d->receipts.next, struct receipt_cmd, node);
		if (r->behind > d->outs_gone && !d->dead)
			break;
		list_del(&r->node);
		t->v[t->c.n++] = &r->c;
	}
	if (t->c.n == 0) {
		d_free(t);
		return;
	}
	t->c.v = t->v;
	sq_receipts_init(&t->c);
	t->c.cmd.done = on_receipts_stored;
	d->rc_out = true;
	store_submit_or_done(d->o.store, &t->c.cmd);
}

/* The longer nothing was found for a report, the rarer it is looked for: each look is a write. */
static int64_t orphan_pause(const struct receipt_cmd *r)
{
	int64_t left = r->c.give_up_ms - env_wall(r->d->o.env);
	int64_t ms = (D_ORPHAN_LIFE_MS - left) / 8;

	ms = ms > left ? left : ms; /* given up in time */
	return ms > D_ORPHAN_RETRY_MS ? ms : D_ORPHAN_RETRY_MS;
}

static void receipt_submit(struct receipt_cmd *r)
{
	struct dispatch *d = r->d;

	sq_receipt_init(&r->c);
	r->c.retry_ms = orphan_pause(r);
	r->behind = d->outs_gone + d->n_outs_wait;
	cmd_begin(d);
	list_push(&d->receipts, &r->node);
	dispatch_kick(d);
}

/* What the store looks for, with its NUL; dst NULL: how long it is. */
static size_t ids_join(char *dst, const struct lt_receipt *r, uint64_t phone)
{
	size_t n = 0;

	for (uint32_t i = 0; i < r->n_ids; i++) {
		struct lt_str id = r->ids[i];
		if (id.n + 1 + SQ_PHONE_LINE + 1 > IDS_MAX - n)
			break;
		if (dst) {
			memcpy(dst + n, id.p, id.n);
			dst[n + id.n] = '\n';
		}
		n += id.n + 1;
	}
	if (dst)
		dst[n] = 0;
	if (phone && n) {
		if (dst)
			(void)snprintf(dst + n, SQ_PHONE_LINE + 1, "@%016llx\n",
				(unsigned long long)phone);
		n += SQ_PHONE_LINE;
	}
	return n + 1;
}

struct dacct *acct_named(struct dispatch *d, const char *channel, const char *account)
{
	LIST_FOR(&d->accts, n)
	{
		struct dacct *a = CONTAINER_OF(n, struct dacct, node);
		if (strcmp(a->chan->name, channel) == 0 && strcmp(a->name, account) == 0)
			return a;
	}
	return NULL;
}

int64_t chan_id_of(const struct dispatch *d, const char *channel)
{
	size_t at = 0;
	uint64_t key;
	void *v;

	while (map64_next(d->chan_by_id, &at, &key, &v))
		if (strcmp(((const struct dchan *)v)->name, channel) == 0)
			return (int64_t)key;
	return 0;
}

void receipt_on(void *ctx, struct channel *ch, struct chan_account *a, const struct lt_receipt *r,
	uint64_t ticket)
{
	struct dhost *h = ctx;
	struct dispatch *d = h->d;
	struct dacct *acct = a ? account_user(a) : NULL;
	if (a && !acct)
		acct = acct_named(d, channel_conf(ch)->name, account_name(a));
	uint64_t phone = channel_conf(ch)->kind == KIND_SMS
		? sq_receipt_phone((struct str){ r->recipient.p, r->recipient.n })
		: 0;
	size_t n_ids = ids_join(NULL, r, phone), n_link = r->state == LT_RC_LINK ? r->text.n : 0;
	struct receipt_cmd *c = d_alloc(d, sizeof(*c) + n_ids + n_link + 1);

	c->d = d;
	c->host = h;
	c->ticket = ticket;
	c->c.ids = c->ids;
	c->c.state = r->state;
	c->c.final = r->final != 0;
	c->c.at_given = r->at_ms > 0;
	c->c.at_ms = r->at_ms > 0 ? r->at_ms : env_wall(d->o.env);
	c->c.give_up_ms = env_wall(d->o.env) + D_ORPHAN_LIFE_MS;
	(void)str_copy(c->c.code, sizeof(c->c.code), (struct str){ r->code.p, r->code.n });
	for (char *p = c->c.code; *p; p++)
		if (*p == ' ')
			*p = '_'; /* one word: an orphan keeps it in a line */
	(void)ids_join(c->ids, r, phone);
	if (n_link) { /* behind the ids, ended by the zeros of the block */
		memcpy(c->ids + n_ids, r->text.p, n_link);
		c->c.link = c->ids + n_ids;
	}
	if (r->attempt) {
		c->c.delivery = (int64_t)(r->attempt >> 8);
		c->c.try_no = (int)(r->attempt & 0xff);
	} else if (r->ref.n)
		(void)ref_read(d->o.store, (struct str){ r->ref.p, r->ref.n }, &c->c.delivery);
	c->c.account_id = acct ? acct->id : 0;
	c->c.channel_id = chan_id_of(d, channel_conf(ch)->name);
	receipt_submit(c);
}

void receipt_again(struct dispatch *d, const struct sq_receipt *o)
{
	size_t n = strlen(o->ids) + 1;
	struct receipt_cmd *c = d_alloc(d, sizeof(*c) + n);

	c->d = d;
	c->c = *o;
	c->c.ids = memcpy(c->ids, o->ids, n);
	receipt_submit(c);
}

/* --- saved steps ------------------------------------------------------------------------------------------------------- */

struct save_cmd {
	struct sq_save c;
	struct dispatch *d;
	struct dhost *host;
	uint64_t ticket;
	char *value;
};

static void on_saved(struct store_cmd *cmd)
{
	struct save_cmd *s = CONTAINER_OF(cmd, struct save_cmd, c.cmd);
	struct dispatch *d = s->d;

	(void)host_saved(s->host, s->ticket, cmd->rc);
	d_free(s->value);
	d_free(s);
	cmd_end(d);
}

void save_on(void *ctx, struct chan_op *op, struct str name, struct str value, uint64_t ticket)
{
	struct dhost *h = ctx;
	struct dispatch *d = h->d;
	struct save_cmd *s = d_alloc(d, sizeof(*s));

	s->d = d;
	s->host = h;
	s->ticket = ticket;
	s->c.delivery = (int64_t)op->delivery;
	(void)str_copy(s->c.name, sizeof(s->c.name), name);
	s->value = d_alloc(d, value.n + 1);
	if (value.n)
		memcpy(s->value, value.p, value.n);
	s->c.value = (struct str){ s->value, value.n };
	sq_save_init(&s->c);
	s->c.cmd.done = on_saved;
	cmd_begin(d);
	store_submit_or_done(d->o.store, &s->c.cmd);
}

/* --- opt-outs ---------------------------------------------------------------------------------------------------------- */

struct optout_cmd {
	struct sq_optout c;
	struct dispatch *d;
	void (*done)(void *ctx, int rc);
	void *ctx;
};

/* Copies of that contact (0: of all) that wait in memory were leased before: their lots are read again. What the adapter has of one
 * contact and has not begun comes back; what has begun goes on, for half a text is worse. */
void leases_void(struct dispatch *d, int64_t contact)
{
	size_t at = 0;
	uint64_t key;
	void *v;

	fills_void(d, contact);
	while (map64_next(d->copy_by_id, &at, &key, &v)) {
		struct dcopy *c = v;
		if (c->contact != contact && contact != 0)
			continue;
		if (c->state == CP_INTENT || c->state == CP_GO)
			c->revoke = true;
		else if (c->state == CP_READY)
			c->leased_ms -= D_LEASE_MS + 1;
		else if (contact != 0 && c->state == CP_ON && !channel_op_on_wire(&c->op))
			(void)copy_stop(c);
	}
}

void dispatch_targets_changed(struct dispatch *d)
{
	leases_void(d, 0);
}

static void on_opted_out(struct store_cmd *cmd)
{
	struct optout_cmd *o = CONTAINER_OF(cmd, struct optout_cmd, c.cmd);
	struct dispatch *d = o->d;

	if (cmd->rc == 0)
		leases_void(d, o->c.contact);
	if (o->done)
		o->done(o->ctx, cmd->rc);
	d_free(o);
	cmd_end(d);
}

static void optout_submit(struct optout_cmd *o)
{
	sq_optout_init(&o->c);
	o->c.cmd.done = on_opted_out;
	cmd_begin(o->d);
	store_submit_or_done(o->d->o.store, &o->c.cmd);
}

struct unsub_refused {
	struct task task;
	void (*done)(void *ctx, int rc);
	void *ctx;
};

static void on_unsub_refused(struct task *t)
{
	struct unsub_refused *u = CONTAINER_OF(t, struct unsub_refused, task);

	u->done(u->ctx, -ENOENT);
	d_free(u);
}

void dispatch_unsubscribe(
	struct dispatch *d, struct str token, void (*done)(void *ctx, int rc), void *ctx)
{
	int64_t contact, list;

	if (!unsub_read(d->o.store, token, &contact, &list)) {
		struct unsub_refused *u = d_alloc(d, sizeof(*u));
		u->done = done;
		u->ctx = ctx;
		task_init(&u->task, on_unsub_refused);
		env_defer(d->o.env, &u->task);
		return;
	}
	struct optout_cmd *o = d_alloc(d, sizeof(*o));
	o->d = d;
	o->done = done;
	o->ctx = ctx;
	o->c.contact = contact;
	o->c.list = list;
	o->c.reason = SUP_OPT_OUT;
	(void)str_copy(o->c.via, sizeof(o->c.via), STR("one-click"));
	optout_submit(o);
}
