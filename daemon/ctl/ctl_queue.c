/* ctl_queue.c - the queue and the channels as operators see them, and the table of the queue methods.
 * Threads: facts of lanes on the loop, sums on a worker. Owns: its lists until the answer.
 * Failures: a channel that is not configured is not found; a check says what the provider said. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctl/ctl_channel.h"
#include "ctl/ctl_queue.h"
#include "ctl/ctl_queue_stats.h"

#define LANES_MAX 4096

struct lane_seen {
	int64_t id;
	char channel[64], account[64], class[48], why[120];
	uint32_t in_flight, concurrency, intents, intents_limit, breaker;
	double rate;
	int64_t next_ms;
};
struct lanes_seen {
	struct lane_seen *v;
	size_t n;
};

static void on_facts(void *ctx, const struct dispatch_lane_facts *f)
{
	struct lanes_seen *s = ctx;

	if (s->n == LANES_MAX)
		return;
	if (s->n % 64 == 0)
		s->v = x_realloc(s->v, s->n + 64, sizeof(*s->v));
	struct lane_seen *l = &s->v[s->n++];
	*l = (struct lane_seen){ .id = f->lane_id,
		.in_flight = f->in_flight,
		.concurrency = f->concurrency,
		.intents = f->intents_open,
		.intents_limit = f->intents_limit,
		.breaker = f->breaker,
		.rate = f->rate_per_s,
		.next_ms = f->next_ms };
	(void)str_copy(l->channel, sizeof(l->channel), str_of(f->channel));
	(void)str_copy(l->account, sizeof(l->account), str_of(f->account));
	(void)str_copy(l->class, sizeof(l->class), str_of(f->class));
	(void)str_copy(l->why, sizeof(l->why), str_of(f->why));
}

/* --- queue.show ---------------------------------------------------------------------------------------------------------- */

struct showing {
	struct ctl_job j;
	struct lanes_seen lanes;
	cJSON *rows, *stops;
	int64_t total[DLV_STATES], now;
};

static int on_sum(void *ctx, const struct q_lane_sum *s)
{
	struct showing *x = ctx;
	const struct lane_seen *l = NULL;
	cJSON *o = json_obj();

	for (size_t i = 0; i < x->lanes.n && !l; i++)
		if (x->lanes.v[i].id == s->lane)
			l = &x->lanes.v[i];
	json_put_str(o, "channel", s->channel);
	json_put_str(o, "account", s->account);
	json_put_str(o, "class", s->class);
	json_put_z(o, "what", s->broadcasts ? "broadcast" : NULL);
	for (int i = 0; i < DLV_STATES; i++) {
		json_put_i64(o, dlv_state_name(i), s->n[i]);
		x->total[i] += s->n[i];
	}
	ctl_put_time(o, "oldest_at", s->oldest_ms);
	json_put_double(o, "rate", l ? (double)(int64_t)(l->rate * 10 + 0.5) / 10 : 0);
	json_put_z(o, "why", l && l->why[0] ? l->why : NULL);
	json_add(x->rows, o);
	return 0;
}

static int on_stop(void *ctx, const struct q_stop *s)
{
	struct showing *x = ctx;
	if (ctl_stop_seen(x->j.c, s))
		ctl_stop_put(x->stops, s);
	return 0;
}

static int read_sums(struct ctl_job *j, struct store_reader *r, struct err *e)
{
	struct showing *x = CONTAINER_OF(j, struct showing, j);
	struct q_filter f;
	int rc = ctl_filter_read(j->c, r, &f, e);

	if (rc == 0)
		rc = q_queue_sums(r, f.under, on_sum, x);
	return rc ? rc : q_stops(r, x->now, on_stop, x);
}

static void show_now(struct ctl_job *j)
{
	struct showing *x = CONTAINER_OF(j, struct showing, j);
	cJSON *o = NULL;

	if (j->rc == 0) {
		cJSON *totals = json_obj();
		o = json_obj();
		json_put(o, "rows", MOVE(x->rows));
		for (int i = 0; i < DLV_STATES; i++)
			json_put_i64(totals, dlv_state_name(i), x->total[i]);
		json_put(o, "totals", totals);
		json_put(o, "stops", MOVE(x->stops));
		json_put_bool(o, "more", false);
		json_put_z(o, "next", NULL);
	}
	ctl_answer(j->c, j->rc, j->rc ? &j->e : NULL, o);
	cJSON_Delete(x->rows);
	cJSON_Delete(x->stops);
	free(x->lanes.v);
	free(x);
}

static int method_show(struct ctl_call *c, cJSON **ret, struct err *e)
{
	struct showing *x = x_calloc(1, sizeof(*x));

	UNUSED(ret);
	UNUSED(e);
	x->j.c = c;
	x->j.read = read_sums;
	x->j.then = show_now;
	x->rows = json_arr();
	x->stops = json_arr();
	x->now = env_wall(c->deps->env);
	dispatch_lanes(c->deps->dispatch, on_facts, &x->lanes);
	ctl_job_start(&x->j);
	return 0;
}

/* --- channel.list -------------------------------------------------------------------------------------------------------- */

static cJSON *lane_json(const struct lane_seen *l)
{
	static const char *const breakers[] = { "closed", "open", "probing" };
	cJSON *o = json_obj();
	bool stopped = str_starts(str_of(l->why), "held") ||
		str_starts(str_of(l->why), "paused by");

	json_put_z(o, "class", l->class);
	json_put_z(o, "gate", stopped ? "held" : "open");
	json_put_z(o, "why", l->why[0] ? l->why : NULL);
	json_put_i64(o, "in_flight", l->in_flight);
	json_put_i64(o, "concurrency", l->concurrency);
	json_put_i64(o, "intents", l->intents);
	json_put_i64(o, "intents_limit", l->intents_limit);
	json_put_double(o, "rate", (double)(int64_t)(l->rate * 10 + 0.5) / 10);
	json_put_z(o, "breaker", l->breaker < 3 ? breakers[l->breaker] : NULL);
	ctl_put_time(o, "next_at", l->next_ms);
	return o;
}

static cJSON *accounts_json(const struct ctl_call *c, const struct conf_channel *ch,
	const struct lanes_seen *s, const struct ctl_account_stats *stats)
{
	cJSON *accounts = json_arr();

	for (size_t i = 0; i < ch->n_accounts; i++) {
		cJSON *a = json_obj(), *lanes = json_arr();
		json_put_z(a, "account", ch->accounts[i]->name);
		for (size_t k = 0; k < s->n; k++)
			if (strcmp(s->v[k].channel, ch->name) == 0 &&
				strcmp(s->v[k].account, ch->accounts[i]->name) == 0)
				json_add(lanes, lane_json(&s->v[k]));
		json_put(a, "lanes", lanes);
		cJSON *cred = ctl_credential_json(c, ch->name, ch->accounts[i]->credential);
		if (cred)
			json_put(a, "credential", cred);
		ctl_account_stats_put(stats, ch->name, ch->accounts[i]->name, a);
		json_add(accounts, a);
	}
	return accounts;
}

struct routes {
	struct ctl_job j;
	cJSON *rows;
};

static int on_route(void *ctx, const struct q_route_row *x)
{
	struct routes *t = ctx;
	cJSON *o = json_obj();

	json_put_str(o, "office", x->office);
	json_put_z(o, "kind", chan_kind_name(x->kind));
	json_put_str(o, "channel", x->channel);
	json_put_str(o, "account", x->account);
	json_put_i64(o, "targets", x->targets);
	json_add(t->rows, o);
	return 0;
}

static int read_routes(struct ctl_job *j, struct store_reader *r, struct err *e)
{
	struct routes *t = CONTAINER_OF(j, struct routes, j);
	struct q_filter f;
	int rc = ctl_filter_read(j->c, r, &f, e);

	return rc ? rc : q_channels_by_office(r, f.under, on_route, t);
}

static cJSON *rows_json(cJSON *rows)
{
	cJSON *o = json_obj();

	json_put(o, "rows", rows);
	json_put_bool(o, "more", false);
	json_put_z(o, "next", NULL);
	return o;
}

static void routes_now(struct ctl_job *j)
{
	struct routes *t = CONTAINER_OF(j, struct routes, j);

	ctl_answer(j->c, j->rc, j->rc ? &j->e : NULL, j->rc ? NULL : rows_json(MOVE(t->rows)));
	cJSON_Delete(t->rows);
	free(t);
}

static void channels_now(struct ctl_call *c, const struct ctl_account_stats *stats)
{
	struct lanes_seen s = { 0 };
	cJSON *rows = json_arr();

	dispatch_lanes(c->deps->dispatch, on_facts, &s);
	for (size_t i = 0; i < c->conf->n_channels; i++) {
		const struct conf_channel *ch = c->conf->channels[i];
		struct channel *open = *c->deps->channels
			? channels_find(*c->deps->channels, ch->name)
			: NULL;
		cJSON *o = json_obj();
		json_put_z(o, "channel", ch->name);
		json_put_z(o, "kind", chan_kind_name((int)ch->kind));
		json_put_z(o, "adapter", ch->adapter);
		json_put_z(o, "version", open ? channel_adapter_version(open) : NULL);
		json_put(o, "accounts", accounts_json(c, ch, &s, stats));
		json_add(rows, o);
	}
	free(s.v);
	ctl_answer(c, 0, NULL, rows_json(rows));
}

static int method_channels(struct ctl_call *c, cJSON **ret, struct err *e)
{
	UNUSED(ret);
	UNUSED(e);
	if (!json_bool(c->params, "by_office", false)) {
		ctl_account_stats_read(c, channels_now);
		return 0;
	}
	struct routes *t = x_calloc(1, sizeof(*t));
	t->j.c = c;
	t->j.read = read_routes;
	t->j.then = routes_now;
	t->rows = json_arr();
	ctl_job_start(&t->j);
	return 0;
}

const struct ctl_method ctl_queue_methods[] = {
	{ "queue.show", CTL_WRITE, ROLE_VIEWER, method_show },
	{ "delivery.list", CTL_READ, ROLE_VIEWER, ctl_delivery_list },
	{ "delivery.show", CTL_READ, ROLE_VIEWER, ctl_delivery_show },
	{ "delivery.retry", CTL_WRITE, ROLE_OPERATOR, ctl_delivery_retry },
	{ "delivery.cancel", CTL_WRITE, ROLE_OPERATOR, ctl_delivery_cancel },
	{ "delivery.resolve", CTL_WRITE, ROLE_OPERATOR, ctl_delivery_resolve },
	{ "queue.hold", CTL_WRITE, ROLE_OPERATOR, ctl_queue_hold },
	{ "queue.resume", CTL_WRITE, ROLE_OPERATOR, ctl_queue_resume },
	{ "channel.list", CTL_WRITE, ROLE_VIEWER, method_channels },
	{ "channel.check", CTL_WRITE, ROLE_OPERATOR, ctl_channel_check },
	{ "channel.login", CTL_WRITE, ROLE_ADMIN, ctl_channel_login },
	{ "channel.pause", CTL_WRITE, ROLE_OPERATOR, ctl_channel_pause },
	{ "channel.resume", CTL_WRITE, ROLE_OPERATOR, ctl_channel_resume },
	{ NULL, 0, 0, NULL },
};
