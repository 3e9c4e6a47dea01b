/* main_states.c - how many deliveries are in each state, and since when the oldest of each: gauges for /metrics, read every quarter
 * of a minute on a worker from the counters of lots. Loop thread. Owns: the last reading.
 */
#include <stdlib.h>
#include "base/assert.h"
#include "base/log.h"
#include "base/metrics.h"
#include "main_app.h"
#include "store/store_status.h"

#define STATES_EVERY_MS (15 * 1000)

struct states {
	struct app *app;
	struct timer timer;
	struct work work;
	struct store_status reading, status;
	int rc;
	bool busy, closed, known;
};

static void state_gauge(const char *name, const char *help, int state, int64_t v)
{
	const struct metric_label l = { "state", str_of(dlv_state_name(state)) };
	metric_set(metric_get(METRIC_GAUGE, name, help, &l, 1), v);
}

void app_states_sample(const struct app *a)
{
	static const int open[] = { DLV_WAITING, DLV_SENDING, DLV_ACCEPTED, DLV_UNKNOWN, DLV_DOUBT,
		DLV_HELD };
	const struct states *s = a->states;
	if (!s || !s->known)
		return;
	int64_t now = env_wall(a->env);
	for (int i = 0; i < DLV_STATES; i++)
		state_gauge("lantoa_deliveries", "Deliveries by state.", i, s->status.count[i]);
	for (size_t i = 0; i < ARRAY_LEN(open); i++) {
		int64_t since = s->status.oldest[open[i]];
		state_gauge("lantoa_oldest_seconds",
			"Age of the oldest delivery of a state, by the time of its lot; 0: there is none, or its time is still to come.",
			open[i], since && since < now ? (now - since) / 1000 : 0);
	}
	metric_set(metric_gauge("lantoa_releases_owed",
			   "Releases with approvals owed after an emergency."),
		s->status.owed);
}

static void states_again(struct states *s)
{
	if (!s->closed)
		timer_set(s->app->env, &s->timer, env_mono(s->app->env) + STATES_EVERY_MS);
	else if (!s->busy)
		free(s);
}

static void read_run(struct work *w)
{
	struct states *s = CONTAINER_OF(w, struct states, work);
	struct store_reader *r;
	s->rc = store_reader_open(s->app->store, &r);
	if (s->rc)
		return;
	s->rc = store_status_read(reader_db(r), &s->reading);
	store_reader_close(r);
}

static void read_done(struct work *w)
{
	struct states *s = CONTAINER_OF(w, struct states, work);
	s->busy = false;
	app_reader_over(s->app);
	if (!s->rc) {
		s->status = s->reading;
		s->known = true;
	} else {
		log_line(LOG_WARN, "ev=states.read_failed rc=%d continuing", s->rc);
	}
	states_again(s);
}

static void on_timer(struct timer *t)
{
	struct states *s = CONTAINER_OF(t, struct states, timer);
	s->busy = true;
	app_reader_began(s->app);
	s->work = (struct work){ .fn = read_run, .done = read_done };
	env_work(s->app->env, &s->work);
}

void states_open(struct app *a)
{
	struct states *s = a->states = x_calloc(1, sizeof(*s));
	s->app = a;
	timer_init(&s->timer, on_timer);
	timer_set(a->env, &s->timer, env_mono(a->env));
}

void states_close(struct app *a)
{
	struct states *s = MOVE(a->states);
	if (!s)
		return;
	timer_stop(a->env, &s->timer);
	s->closed = true;
	states_again(s);
}
