/* dispatch_setup.c - lanes from the configuration: rows first, then objects, bound to the accounts of the channel host.
 * Thread: loop; lanes_run on a worker. Owns: nothing that lasts. Must not know: adapters beyond their caps.
 * An account or class that left the configuration keeps its lane: its lots wait and say why.
 * Failures: setup is tried again every second; nothing is sent before it is done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "dispatch/dispatch_internal.h"

struct group_seen {
	char name[140];
	double tokens;
	int64_t at_ms;
};
struct setup {
	struct list node; /* d->setups */
	struct sq_setup c;
	struct work work;
	struct dispatch *d;
	struct conf *conf; /* a reference: names are borrowed from it */
	struct timer again;
	struct sq_lane_row *row;
	char (*text)[4][160];
	size_t n_row, cap_row;
	struct group_seen *group;
	size_t n_group;
	int rc;
};

static void setup_submit(struct setup *s);

static size_t names(const struct conf *conf, struct sq_setup_lane *v)
{
	size_t n = 0;

	for (size_t i = 0; i < conf->n_channels; i++) {
		const struct conf_channel *c = conf->channels[i];
		for (size_t k = 0; k < c->n_accounts; k++)
			for (size_t m = 0; m <= c->n_classes; m++) {
				if (v)
					v[n] = (struct sq_setup_lane){ c->name, c->adapter,
						c->accounts[k]->name,
						m ? c->classes[m - 1].name : "" };
				n++;
			}
	}
	return n;
}

static int on_lane(void *ctx, const struct sq_lane_row *r)
{
	struct setup *s = ctx;
	const struct str in[4] = { r->channel, r->account, r->class, r->why };

	if (s->n_row == s->cap_row) {
		s->cap_row = s->cap_row ? s->cap_row * 2 : 64;
		s->row = x_realloc(s->row, s->cap_row, sizeof(*s->row));
		s->text = x_realloc(s->text, s->cap_row, sizeof(*s->text));
	}
	s->row[s->n_row] = *r;
	for (int i = 0; i < 4; i++)
		(void)str_copy(s->text[s->n_row][i], sizeof(s->text[0][0]), in[i]);
	s->n_row++;
	return s->n_row > D_LANES_MAX ? -E2BIG : 0;
}

static int groups_read(struct setup *s, struct store_reader *r)
{
	size_t n = 0;

	for (size_t i = 0; i < s->conf->n_channels; i++)
		n += s->conf->channels[i]->n_groups;
	s->group = x_calloc(n ? n : 1, sizeof(*s->group));
	for (size_t i = 0; i < s->conf->n_channels; i++) {
		const struct conf_channel *c = s->conf->channels[i];
		for (size_t k = 0; k < c->n_groups; k++) {
			struct group_seen *g = &s->group[s->n_group++];
			snprintf(g->name, sizeof(g->name), "%s/%s", c->name, c->groups[k].name);
			int rc = sq_read_group(r, g->name, &g->tokens, &g->at_ms);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static void lanes_run(struct work *w)
{
	struct setup *s = CONTAINER_OF(w, struct setup, work);
	struct store_reader *r;

	s->rc = store_reader_open(s->d->o.store, &r);
	if (s->rc)
		return;
	s->rc = sq_read_lanes(r, on_lane, s);
	if (s->rc == 0)
		s->rc = groups_read(s, r);
	store_reader_close(r);
}

static struct dacct *acct_of(struct dispatch *d, int64_t id)
{
	LIST_FOR(&d->accts, n)
	{
		struct dacct *a = CONTAINER_OF(n, struct dacct, node);
		if (a->id == id)
			return a;
	}
	return NULL;
}

/* Reports reach such an account through its session only: it stays open without work, and is opened at the start. */
static bool acct_stays(const struct dacct *a)
{
	const uint64_t need = LT_CAP_RECEIPTS | LT_CAP_SHARED_SESSION;

	return (a->chan->caps & (need | LT_CAP_WEBHOOK)) == need;
}

static void on_acct_idle(struct timer *t)
{
	struct dacct *a = CONTAINER_OF(t, struct dacct, idle);

	LIST_FOR(&a->lanes, n)
	if (lane_has_work(CONTAINER_OF(n, struct dlane, a_node)))
		return;
	if (a->acct && a->limit_told && a->d->n_recons == 0) {
		if (acct_stays(a)) {
			a->limit_told = 1;
			channel_limit(a->acct, 1);
			return;
		}
		a->limit_told = 0;
		a->up = false;
		a->credits = 0;
		channel_limit(a->acct, 0);
	}
}

static void on_lane_timer(struct timer *t)
{
	lane_kick(CONTAINER_OF(t, struct dlane, timer));
}

static struct dacct *acct_make(
	struct dispatch *d, const struct sq_lane_row *r, const char *channel, const char *account)
{
	struct dacct *a = acct_of(d, r->account_id);
	struct dchan *c = chan_find(d, r->channel_id);

	if (a)
		return a;
	if (!c) {
		c = x_calloc(1, sizeof(*c));
		c->id = r->channel_id;
		(void)str_copy(c->name, sizeof(c->name), str_of(channel));
		(void)map64_put(d->chan_by_id, (uint64_t)c->id, c);
	}
	a = x_calloc(1, sizeof(*a));
	a->d = d;
	a->id = r->account_id;
	a->chan = c;
	(void)str_copy(a->name, sizeof(a->name), str_of(account));
	list_init(&a->lanes);
	timer_init(&a->idle, on_acct_idle);
	list_push(&d->accts, &a->node);
	return a;
}

void setup_lane(struct dispatch *d, const struct sq_lane_row *r, char text[4][160])
{
	struct dlane *l = lane_find(d, r->id);

	if (l)
		return;
	l = x_calloc(1, sizeof(*l));
	l->magic = LANE_MAGIC;
	l->d = d;
	l->id = r->id;
	l->acct = acct_make(d, r, text[0], text[1]);
	(void)str_copy(l->class, sizeof(l->class), str_of(text[2]));
	(void)str_copy(l->why, sizeof(l->why), str_of(text[3]));
	l->held = r->gate != 0;
	l->until_ms = r->until_ms;
	l->bucket.tokens = r->tokens;
	l->bucket.at_ms = r->tokens_at_ms;
	l->flows = map64_new();
	list_init(&l->dirty);
	list_init(&l->ring[0]);
	list_init(&l->ring[1]);
	list_init(&l->want[0]);
	list_init(&l->want[1]);
	list_init(&l->go);
	timer_init(&l->timer, on_lane_timer);
	list_push(&d->lanes, &l->node);
	list_push(&l->acct->lanes, &l->a_node);
	(void)map64_put(d->lane_by_id, (uint64_t)l->id, l);
	d->n_lanes++;
}

static struct dgroup *group_of(struct dispatch *d, const char *channel, const char *name)
{
	char full[140];

	snprintf(full, sizeof(full), "%s/%s", channel, name);
	LIST_FOR(&d->groups, n)
	{
		struct dgroup *g = CONTAINER_OF(n, struct dgroup, node);
		if (strcmp(g->name, full) == 0)
			return g;
	}
	struct dgroup *g = x_calloc(1, sizeof(*g));
	(void)str_copy(g->name, sizeof(g->name), str_of(full));
	list_push(&d->groups, &g->node);
	return g;
}

static void groups_bind(struct dispatch *d, struct dacct *a)
{
	a->n_groups = 0;
	for (size_t i = 0; i < a->conf->limit_groups.n && a->n_groups < ARRAY_LEN(a->groups); i++) {
		const char *want = a->conf->limit_groups.v[i];
		for (size_t k = 0; k < a->chan->conf->n_groups; k++) {
			const struct conf_limit_group *c = &a->chan->conf->groups[k];
			if (strcmp(c->name, want) != 0)
				continue;
			struct dgroup *g = group_of(d, a->chan->name, c->name);
			bucket_init(&g->bucket, c->rate_per_s, c->burst, g->bucket.tokens,
				g->bucket.at_ms);
			a->groups[a->n_groups++] = g;
		}
	}
}

static void acct_bind(struct dispatch *d, struct dacct *a)
{
	struct dchan *c = a->chan;

	c->conf = conf_channel_find(d->conf, c->name);
	c->chan = c->conf && d->channels ? channels_find(d->channels, c->name) : NULL;
	if (c->chan) /* else as they were: an answer may still come */
		c->caps = channel_caps(c->chan);
	a->conf = c->conf ? conf_account_find(c->conf, a->name) : NULL;
	struct chan_account *ca = c->chan && a->conf ? channel_account(c->chan, a->name) : NULL;
	if (a->acct != ca) {
		if (a->acct)
			account_set_user(a->acct, NULL);
		a->acct = ca;
		a->up = false;
		a->credits = a->limit_told = 0;
	}
	a->n_groups = 0;
	if (!ca)
		return;
	account_set_user(ca, a);
	groups_bind(d, a);
	if (acct_stays(a) && a->limit_told == 0) {
		a->limit_told = 1;
		channel_limit(ca, 1);
	}
}

static bool has_class(const struct conf_channel *c, const char *class)
{
	if (!class[0])
		return true;
	for (size_t i = 0; i < c->n_classes; i++)
		if (strcmp(c->classes[i].name, class) == 0)
			return true;
	return false;
}

void setup_bind(struct dispatch *d)
{
	LIST_FOR(&d->accts, n)
	acct_bind(d, CONTAINER_OF(n, struct dacct, node));
	LIST_FOR(&d->lanes, n)
	{
		struct dlane *l = CONTAINER_OF(n, struct dlane, node);
		const struct conf_channel *c = l->acct->acct ? l->acct->chan->conf : NULL;
		/* A class that is gone from the configuration obeys the channel's own values. */
		l->conf = c ? conf_lane_of(c, has_class(c, l->class) ? l->class : "") : NULL;
		if (!l->conf)
			continue;
		if (l->pace.limit == 0)
			bucket_init(&l->bucket, l->conf->rate_per_s, l->conf->burst,
				l->bucket.tokens, l->bucket.at_ms);
		lane_conf_set(l);
		lane_metrics_bind(l);
		lane_kick(l);
	}
	for (int k = 0; k < 8; k++)
		d->cat_hours[k].n = 0;
	for (size_t i = 0; i < d->conf->n_category_rules; i++) {
		const struct conf_category_rule *r = &d->conf->category_rules[i];
		struct window *w = &d->cat_hours[(unsigned)r->category & 7];
		w->n = r->hours.n;
		for (size_t k = 0; k < r->hours.n; k++)
			w->span[k] = (struct window_span){ r->hours.span[k].days,
				r->hours.span[k].from_min, r->hours.span[k].to_min };
	}
	d->numbers = (struct suppress_numbers){ .hard = d->conf->suppress.hard,
		.hard_mailbox_off = d->conf->suppress.hard_mailbox_off,
		.domain = d->conf->suppress.domain,
		.soft = d->conf->suppress.soft,
		.hard_mailbox_off_ms = d->conf->suppress.hard_mailbox_off_ms,
		.domain_ms = d->conf->suppress.domain_ms,
		.soft_ms = d->conf->suppress.soft_ms };
	jobs_kick(d);
	backup_bind(d);
}

static void setup_free(struct setup *s)
{
	conf_unref(s->conf);
	d_free(s->c.v);
	free(s->row);
	free(s->text);
	free(s->group);
	list_del(&s->node);
	d_free(s);
}

static void lanes_ran(struct work *w)
{
	struct setup *s = CONTAINER_OF(w, struct setup, work);
	struct dispatch *d = s->d;

	if (s->rc && !d->stopping) {
		log_line(LOG_WARN, "ev=setup.fail code=%d continuing", s->rc);
		timer_set(d->o.env, &s->again, env_mono(d->o.env) + D_RETRY_MS);
		return;
	}
	for (size_t i = 0; i < s->n_row; i++)
		setup_lane(d, &s->row[i], s->text[i]);
	for (size_t i = 0; i < s->n_group; i++) {
		char *slash = strchr(s->group[i].name, '/');
		*slash = 0;
		struct dgroup *g = group_of(d, s->group[i].name, slash + 1);
		if (g->bucket.at_ms == 0) {
			g->bucket.tokens = s->group[i].tokens;
			g->bucket.at_ms = s->group[i].at_ms;
		}
	}
	setup_bind(d);
	bool first = !d->attached;
	d->attached = true;
	setup_free(s);
	if (first && d->started)
		recover_begin(d);
	else
		dispatch_scan(d);
	cmd_end(d);
}

static void on_rows(struct store_cmd *cmd)
{
	struct setup *s = CONTAINER_OF(cmd, struct setup, c.cmd);
	struct dispatch *d = s->d;

	if (cmd->rc && !d->stopping) {
		log_line(LOG_WARN, "ev=setup.fail code=%d why=%s continuing", cmd->rc,
			LOG_Q(str_of(cmd->err.text)));
		timer_set(d->o.env, &s->again, env_mono(d->o.env) + D_RETRY_MS);
		return;
	}
	s->n_row = s->n_group = 0;
	free(s->group);
	s->group = NULL;
	s->work.fn = lanes_run;
	s->work.done = lanes_ran;
	env_work(d->o.env, &s->work);
}

static void on_setup_again(struct timer *t)
{
	struct setup *s = CONTAINER_OF(t, struct setup, again);

	if (s->d->stopping) {
		struct dispatch *d = s->d;
		setup_free(s);
		cmd_end(d);
		return;
	}
	setup_submit(s);
}

static void setup_submit(struct setup *s)
{
	sq_setup_init(&s->c);
	s->c.cmd.done = on_rows;
	int sent = store_submit(
		s->d->o.store, &s->c.cmd); /* from here on the command is the store's */
	if (sent) {
		s->c.cmd.rc = sent;
		timer_set(s->d->o.env, &s->again, env_mono(s->d->o.env) + D_RETRY_MS);
	}
}

void setups_free(struct dispatch *d)
{
	LIST_FOR_SAFE(&d->setups, n, nx)
	{
		struct setup *s = CONTAINER_OF(n, struct setup, node);
		timer_stop(d->o.env, &s->again);
		setup_free(s);
	}
}

int setup_fits(const struct conf *conf, struct err *e)
{
	size_t n = names(conf, NULL);

	return n > D_LANES_MAX
		? err_set(e, -E2BIG, "%zu lanes (channel x account x class); at most %d", n,
			  D_LANES_MAX)
		: 0;
}

void setup_begin(struct dispatch *d)
{
	size_t n = names(d->conf, NULL);
	struct setup *s = d_alloc(d, sizeof(*s));
	s->d = d;
	list_push(&d->setups, &s->node);
	s->conf = conf_ref(d->conf);
	timer_init(&s->again, on_setup_again);
	s->c.v = d_alloc(d, (n ? n : 1) * sizeof(*s->c.v));
	s->c.n = names(s->conf, s->c.v);
	cmd_begin(d);
	setup_submit(s);
}
