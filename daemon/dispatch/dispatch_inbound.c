/* dispatch_inbound.c - what people and providers send to us: texts, opt-outs, complaints, joins, leaves, quotas, revocations.
 * Thread: loop. Owns: its commands and the strings in them until they are done. Must not know: SQL.
 * Order: a revocation first holds the lanes of its account, then everything is one row, once (`dedupe`), with its suppression
 * and audit in the same commit; then the peer is told. Failures: an error goes back to the peer, which sends again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "dispatch/dispatch_internal.h"
#include "model/optout.h"
#include "store/store_jobs.h"

struct inbound_cmd {
	struct sq_inbound c;
	struct dispatch *d;
	struct dhost *host;
	uint64_t ticket;
	char *text; /* owned: all strings of c */
	char account[64];
	unsigned stops; /* lanes that are being held */
	int rc;
};

static const char *kind_name(int kind)
{
	static const char *const names[] = { "", "text", "opt_out", "complaint", "join", "leave",
		"quota", "revoked" };

	return names[kind];
}

static void inbound_count(const char *channel, int kind)
{
	struct metric_label labels[] = { { "channel", str_of(channel) },
		{ "kind", str_of(kind_name(kind)) } };

	metric_add(metric_get(METRIC_COUNTER, "lantoa_inbound_total",
			   "What came in from people and providers.", labels, ARRAY_LEN(labels)),
		1);
}

static void inbound_done(struct inbound_cmd *i, int rc)
{
	struct dispatch *d = i->d;

	(void)host_saved(i->host, i->ticket, rc);
	d_free(i->text);
	d_free(i);
	cmd_end(d);
}

static void on_inbound_stored(struct store_cmd *cmd)
{
	struct inbound_cmd *i = CONTAINER_OF(cmd, struct inbound_cmd, c.cmd);
	const struct sq_inbound *c = &i->c;

	if (cmd->rc) {
		log_line(LOG_WARN, "ev=inbound.lost ch=%s kind=%s code=%d the peer is told",
			c->channel, kind_name(c->kind), cmd->rc);
	} else if (!c->ret_again) {
		log_line(c->kind == LT_IN_REVOKED                                      ? LOG_ERROR
				: c->kind == LT_IN_QUOTA || c->kind == LT_IN_COMPLAINT ? LOG_WARN
										       : LOG_INFO,
			"ev=inbound ch=%s acct=%s kind=%s suppressed=%s list=%s held=%s",
			c->channel, i->account, kind_name(c->kind), c->ret_new ? "yes" : "no",
			LOG_Q(str_of(c->list)), c->held ? "yes" : "no");
		inbound_count(c->channel, c->kind);
		if (c->reason && c->ret_contact)
			leases_void(i->d, c->ret_contact);
	}
	inbound_done(i, cmd->rc);
}

static void inbound_submit(struct inbound_cmd *i)
{
	sq_inbound_init(&i->c);
	i->c.cmd.done = on_inbound_stored;
	store_submit_or_done(i->d->o.store, &i->c.cmd);
}

/* --- a revocation holds the lanes of its account ------------------------------------------------------------------------ */

static void on_lane_held(
	void *ctx, int rc, const struct err *e, int64_t lots, int64_t deliveries, int64_t on_wire)
{
	struct inbound_cmd *i = ctx;

	UNUSED(e);
	UNUSED(lots);
	UNUSED(deliveries);
	UNUSED(on_wire);
	i->rc = rc ? rc : i->rc;
	if (--i->stops)
		return;
	if (i->rc)
		inbound_done(i, i->rc);
	else
		inbound_submit(i);
}

/* By us, for the same reason, and nobody has resumed it since. */
static bool held_already(const struct dispatch *d, int64_t lane)
{
	for (size_t k = 0; k < d->n_gates; k++)
		if (d->gates[k].lane == lane && strcmp(d->gates[k].person, "system") == 0 &&
			strncmp(d->gates[k].why, "revoked", 7) == 0)
			return true;
	return false;
}

static void lane_hold(struct inbound_cmd *i, const struct dlane *l, const char *why)
{
	char via[80];
	struct stop_request r = { .verb = STOP_PAUSE,
		.scope = { .lane_id = l->id, .part = -1 },
		.except_prio = -1,
		.person = "system",
		.via = via,
		.why = why,
		.done = on_lane_held,
		.ctx = i };

	(void)snprintf(via, sizeof(via), "inbound:%s", i->c.channel);
	(void)snprintf(r.scope.text, sizeof(r.scope.text), "lane:%s/%s/%s", l->acct->chan->name,
		l->acct->name, l->class);
	dispatch_stop_scope(i->d, &r);
}

static void account_hold(struct inbound_cmd *i, struct dacct *a)
{
	char why[160];

	i->stops = 1; /* ours, until all are asked */
	i->c.held = true;
	(void)snprintf(why, sizeof(why), "revoked by the provider%s%.*s", i->c.detail.n ? ": " : "",
		(int)(i->c.detail.n < 100 ? i->c.detail.n : 100),
		i->c.detail.n ? i->c.detail.p : "");
	LIST_FOR(&a->lanes, n)
	{
		struct dlane *l = CONTAINER_OF(n, struct dlane, a_node);
		if (held_already(i->d, l->id))
			continue;
		i->stops++;
		lane_hold(i, l, why);
	}
	on_lane_held(i, 0, NULL, 0, 0, 0);
}

/* --- what it says -------------------------------------------------------------------------------------------------------- */

static struct str keep(char **at, struct lt_str s)
{
	char *p = *at;

	if (!s.n)
		return (struct str){ 0 };
	memcpy(p, s.p, s.n);
	p[s.n] = 0;
	*at = p + s.n + 1;
	return (struct str){ p, s.n };
}

/* As contacts have it: suppression goes by the hash of the canonical form. */
static struct lt_str canonical(const struct channel *c, struct lt_str in, struct addr_out *out)
{
	struct err e;

	if (!in.n || channel_address(c, (struct str){ in.p, in.n }, out, &e) != 0)
		return in;
	return (struct lt_str){ out->canonical, strlen(out->canonical) };
}

/* "3300112233445500100", "@oa:3300112233445500100" and the account's own name all say oa:3300112233445500100. */
static bool says_account(struct str word, const struct conf_account *a)
{
	const char *id = a->identity ? strchr(a->identity, ':') : NULL;

	return str_eqz(word, a->name) || (a->identity && str_eqz(word, a->identity)) ||
		(id && str_eqz(word, id + 1));
}

/* One webhook of a whole channel tells whose it is by the first word of detail; a channel of one account needs no word. */
static struct dacct *acct_of(struct dispatch *d, const struct conf_channel *conf,
	struct chan_account *a, struct str detail)
{
	struct str word;

	if (a)
		return account_user(a) ? account_user(a)
				       : acct_named(d, conf->name, account_name(a));
	if (conf->n_accounts == 1)
		return acct_named(d, conf->name, conf->accounts[0]->name);
	if (!str_next(&detail, ' ', &word) || !word.n)
		return NULL;
	if (word.p[0] == '@')
		word = (struct str){ word.p + 1, word.n - 1 };
	for (size_t i = 0; i < conf->n_accounts; i++)
		if (says_account(word, conf->accounts[i]))
			return acct_named(d, conf->name, conf->accounts[i]->name);
	return NULL;
}

/* Who says "no more" gets no more, by which words the channel says. */
static int reason_of(
	const struct conf_channel *conf, const struct lt_inbound *in, char list[OPTOUT_LIST_MAX])
{
	const struct conf_inbound *c = &conf->inbound;
	union { /* borrowed, not changed */
		char **from;
		const char *const *to;
	} words = { .from = c->opt_out.n ? c->opt_out.v : NULL };
	bool says = false;

	list[0] = 0;
	if (in->text.n && (in->kind == LT_IN_OPT_OUT || (in->kind == LT_IN_TEXT && !c->no_opt_out)))
		says = optout_read((struct str){ in->text.p, in->text.n }, words.to, c->opt_out.n,
			conf->kind == KIND_SMS, list);
	if (in->kind == LT_IN_COMPLAINT)
		return SUP_COMPLAINT;
	return in->kind == LT_IN_OPT_OUT || says ? SUP_OPT_OUT : 0;
}

static struct inbound_cmd *inbound_new(struct dispatch *d, const struct conf_channel *conf,
	const struct lt_inbound *in, struct lt_str address)
{
	struct inbound_cmd *i = d_alloc(d, sizeof(*i));
	char list[OPTOUT_LIST_MAX];

	i->d = d;
	char *at = i->text = d_alloc(d, address.n + in->text.n + in->detail.n + in->dedupe.n + 4);
	i->c.kind = (int)in->kind;
	i->c.chan_kind = (int)conf->kind;
	(void)str_copy(i->c.channel, sizeof(i->c.channel), str_of(conf->name));
	i->c.address = keep(&at, address);
	i->c.text = keep(&at, in->text);
	i->c.detail = keep(&at, in->detail);
	i->c.dedupe = keep(&at, in->dedupe);
	i->c.reason = address.n ? reason_of(conf, in, list) : 0;
	if (i->c.reason == (int)SUP_OPT_OUT)
		(void)str_copy(i->c.list, sizeof(i->c.list), str_of(list));
	if (!i->c.reason && address.n && in->kind == LT_IN_TEXT && in->text.n) {
		union { /* borrowed, not changed */
			char **from;
			const char *const *to;
		} yes = { .from = conf->inbound.opt_in.n ? conf->inbound.opt_in.v : NULL };
		const struct conf_category_rule *r = conf_category_find(d->conf, CAT_ADVERTISING);
		i->c.opt_in = optin_read(
			(struct str){ in->text.p, in->text.n }, yes.to, conf->inbound.opt_in.n);
		i->c.consent_ms = r ? r->consent_in_ms : 0;
	}
	i->c.at_ms = in->at_ms > 0 ? in->at_ms : env_wall(d->o.env);
	return i;
}

void inbound_on(void *ctx, struct channel *c, struct chan_account *a, const struct lt_inbound *in,
	uint64_t ticket)
{
	struct dhost *h = ctx;
	struct dispatch *d = h->d;
	const struct conf_channel *conf = channel_conf(c);
	struct addr_out out;

	if (in->kind < LT_IN_TEXT || in->kind > LT_IN_REVOKED) {
		log_line(LOG_WARN, "ev=inbound.unread ch=%s kind=%u continuing", conf->name,
			in->kind);
		(void)host_saved(h, ticket, -ENOTSUP);
		return;
	}
	struct inbound_cmd *i = inbound_new(d, conf, in, canonical(c, in->address, &out));
	struct dacct *acct = acct_of(d, conf, a, i->c.detail);
	i->host = h;
	i->ticket = ticket;
	i->c.account = acct ? acct->id : 0;
	(void)str_copy(i->account, sizeof(i->account), str_of(acct ? acct->name : "?"));
	cmd_begin(d);
	if (in->kind == LT_IN_REVOKED && acct)
		account_hold(i, acct);
	else
		inbound_submit(i);
}
