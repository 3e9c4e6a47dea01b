/* main_api.c - what the two HTTP listeners serve, and the gauges that are sampled when somebody asks for them. Loop thread. */
#include <stdio.h>
#include "api/api.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/metrics.h"
#include "main_app.h"

static void on_unsubscribed(void *ctx, int rc)
{
	api_answer_unsubscribed(ctx, rc);
}

/* --- unsubscribing ----------------------------------------------------------------------------- */
/* Each press of a link is a commit and an event of the audit, which is kept for ever, and anybody may press who has ever got a mail. So
 * one link is heard PRESSES_MAX times in PRESSES_MS; then 503, and never a yes for what was not written. */
#define PRESSES_MAX   3
#define PRESSES_MS    60000
#define PRESSES_SLOTS 1024 /* a slot is the last link's that came to it */
#define PRESSES_KEY   24   /* of a token: who and which list; case says nothing in it */

struct presses {
	uint64_t seed;
	struct {
		uint64_t who;
		int64_t since_ms;
		unsigned n;
	} slot[PRESSES_SLOTS];
};

static bool pressed_too_often(struct app *a, struct str token)
{
	char key[PRESSES_KEY];
	size_t n = token.n < sizeof(key) ? token.n : sizeof(key);
	int64_t now = env_mono(a->env);
	if (!a->presses) {
		a->presses = x_calloc(1, sizeof(*a->presses));
		env_random(a->env, &a->presses->seed, sizeof(a->presses->seed));
	}
	for (size_t i = 0; i < n; i++)
		key[i] = (char)(token.p[i] >= 'A' && token.p[i] <= 'Z' ? token.p[i] | 0x20
								       : token.p[i]);
	uint64_t who = str_hash(a->presses->seed, (struct str){ key, n });
	__typeof__(&a->presses->slot[0]) s = &a->presses->slot[who % PRESSES_SLOTS];
	if (s->n == 0 || s->who != who || now - s->since_ms >= PRESSES_MS) {
		s->who = who;
		s->since_ms = now;
		s->n = 0;
	}
	return ++s->n > PRESSES_MAX;
}

/* Committed before the 200. */
static void on_unsubscribe(void *ctx, struct str token, struct api_call *call)
{
	struct app *a = ctx;
	if (pressed_too_often(a, token))
		api_answer_unsubscribed(call, -EBUSY);
	else
		dispatch_unsubscribe(a->dispatch, token, on_unsubscribed, call);
}

static int on_ready(void *ctx, struct buf *why)
{
	struct app *a = ctx;
	struct store_stats st;
	store_stats_get(a->store, &st);
	if (a->stopping)
		(void)buf_addz(why, "stopping");
	else if (st.under_floor)
		(void)buf_addz(why, "the disk is nearly full: intake is closed");
	return why->n ? -EBUSY : 0;
}

static void lane_gauge(const char *name, const char *help, const char *lane, int64_t value)
{
	const struct metric_label label = { .name = "lane", .value = str_of(lane) };
	metric_set(metric_get(METRIC_GAUGE, name, help, &label, 1), value);
}

static void on_lane(void *ctx, const struct dispatch_lane_facts *f)
{
	char name[METRICS_VALUE_MAX + 1];
	UNUSED(ctx);
	(void)snprintf(name, sizeof(name), "%s/%s/%s", f->channel, f->account, f->class);
	lane_gauge("lantoa_lane_in_flight", "Deliveries that the adapter has.", name, f->in_flight);
	lane_gauge("lantoa_lane_intents", "Committed intents without an outcome.", name,
		f->intents_open);
	lane_gauge("lantoa_lane_breaker", "0 closed, 1 open, 2 probing.", name, f->breaker);
}

extern const char __executable_start[]; /* given by the linker */

void app_metrics_sample(struct app *a)
{
	struct store_stats st;
	struct loop_lag lag;
	app_states_sample(a);
	store_stats_get(a->store, &st);
	loop_lag(a->loop, &lag);
	const struct {
		const char *name, *help;
		int64_t value;
	} gauges[] = {
		{ "lantoa_open_intents",
			"Committed intents without an outcome: the doubt if we died now.",
			(int64_t)dispatch_intents_open(a->dispatch) },
		{ "lantoa_memory_rows", "Lots and leases held in memory.",
			(int64_t)dispatch_memory_rows(a->dispatch) },
		{ "lantoa_loop_lag_max_microseconds", "Longest turn of the loop since the start.",
			(int64_t)lag.max_us },
		{ "lantoa_loop_cpu_max_microseconds",
			"Most CPU time of one turn of the loop since the start.",
			(int64_t)lag.cpu_max_us },
		{ "lantoa_loop_call_max_microseconds",
			"Most CPU time of one callback of the loop since the start.",
			(int64_t)lag.call_max_us },
		{ "lantoa_loop_call_max_at",
			"Which callback that was: its place in the program, for addr2line.",
			(int64_t)lag.call_max_at },
		{ "lantoa_store_transactions", "Transactions committed.",
			(int64_t)st.transactions },
		{ "lantoa_store_commands", "Commands executed.", (int64_t)st.commands },
		{ "lantoa_store_tx_max_microseconds", "Longest store transaction.",
			(int64_t)st.tx_us_max },
		{ "lantoa_store_tx_max_commit_microseconds",
			"Commit of the longest store transaction.", (int64_t)st.tx_max_commit_us },
		{ "lantoa_store_tx_max_command_microseconds",
			"Longest command of the longest store transaction.",
			(int64_t)st.tx_max_cmd_us },
		{ "lantoa_store_tx_max_command_at",
			"Which command that was: its place in the program, for addr2line.",
			st.tx_max_cmd_at
				? (int64_t)(st.tx_max_cmd_at - (uintptr_t)__executable_start)
				: 0 },
		{ "lantoa_store_wal_bytes", "Size of the write-ahead log.", (int64_t)st.wal_bytes },
		{ "lantoa_store_queue", "Commands that wait for the store.",
			(int64_t)st.queue_len },
		{ "lantoa_disk_free_bytes", "Room left for the database.", (int64_t)st.free_bytes },
		{ "lantoa_log_dropped", "Log lines dropped because nobody read them.",
			(int64_t)log_dropped() },
		{ "lantoa_epoch", "Starts of this database.", store_epoch(a->store) },
	};

	for (size_t i = 0; i < ARRAY_LEN(gauges); i++)
		metric_set(metric_gauge(gauges[i].name, gauges[i].help), gauges[i].value);
	dispatch_lanes(a->dispatch, on_lane, a);
}

static void on_metrics(void *ctx)
{
	app_metrics_sample(ctx);
}

int app_api_open(struct app *a, struct err *e)
{
	if (!a->conf->listen_public && !a->conf->listen_private)
		return 0;
	struct api_options o = { .public_listen = a->conf->listen_public,
		.private_listen = a->conf->listen_private,
		.ctx = a,
		.unsubscribe = on_unsubscribe,
		.asset = app_asset_serve,
		.ready = on_ready,
		.metrics = on_metrics };
	int rc = api_open(a->loop, &o, &a->api, e);
	if (rc)
		return rc;
	if (a->conf->listen_public)
		log_line(LOG_INFO, "ev=api.listen what=public address=%s port=%u",
			a->conf->listen_public, api_public_port(a->api));
	if (a->conf->listen_private)
		log_line(LOG_INFO, "ev=api.listen what=private address=%s port=%u",
			a->conf->listen_private, api_private_port(a->api));
	app_webhooks_set(a);
	return 0;
}

void app_api_close(struct app *a, void (*closed)(void *ctx), void *ctx)
{
	api_close(MOVE(a->api), closed, ctx);
}
