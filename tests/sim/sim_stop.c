/* sim_stop.c - the operator's stops: holds, pauses, resumes and cancels of random scopes. What was answered stands in S->stop; from
 * then on the checks watch that nothing of the scope leaves. Owns: nothing but its open questions (sim_people.h).
 */
#include <stdio.h>
#include "base/assert.h"
#include "sim_people.h"
#include "sim_provider.h"
#include "store/store_internal.h"
#include "store/store_queue.h"
#include "store/store_queue_gate.h"

static void on_stop(
	void *ctx, int rc, const struct err *e, int64_t lots, int64_t deliveries, int64_t on_wire)
{
	struct question *q = ctx;
	UNUSED(lots);
	UNUSED(deliveries);
	UNUSED(on_wire);
	if (q->stop >= 0) {
		struct sim_stop *s = &S->stop[q->stop];
		s->asked = false;
		s->answered = rc == 0;
		s->on = rc == 0 && (s->on || s->cancel);
	}
	people_answered(q, rc, e);
}

static int stop_slot(void)
{
	for (int i = 0; i < SIM_STOPS; i++)
		if (!S->stop[i].on && !S->stop[i].asked)
			return i;
	return -1;
}

/* What was written to a stream cannot be taken back: the answer counts it as on its way. */
static bool streams(void)
{
	return provider_of(0)->port || provider_of(1)->port;
}

static void stop_scope(struct stop_scope *s)
{
	*s = (struct stop_scope){ .part = -1 };
	switch (sim_below(6)) {
	case 0: s->all = true; break;
	case 1: s->lane_id = S->lane[sim_below(S->n_lanes)].id; break;
	case 2: s->channel_id = S->lane[sim_below(S->n_lanes)].channel; break;
	case 3: s->office_id = 1 + sim_below(4); break;
	case 4: s->part = sim_below(2) + 1; /* fall through */
	default: s->release_id = people_any_release();
	}
	if (!s->all && !s->lane_id && !s->channel_id && !s->office_id && !s->release_id)
		s->all = true;
	(void)snprintf(s->text, sizeof(s->text), "r=%lld p=%d o=%lld l=%lld c=%lld all=%d",
		(long long)s->release_id, s->part, (long long)s->office_id, (long long)s->lane_id,
		(long long)s->channel_id, s->all);
}

void people_hold(void)
{
	int slot = stop_slot();
	if (slot < 0)
		return;
	struct sim_stop *s = &S->stop[slot];
	*s = (struct sim_stop){ .except_prio = sim_chance(150) ? PRIO_URGENT : -1 };
	stop_scope(&s->scope);
	if (sim_chance(300))
		s->until_ms = N.te.wall + sim_below(600000);
	struct question *q = people_ask("hold", 0);
	q->stop = slot;
	struct stop_request r = { .verb = s->scope.lane_id || s->scope.channel_id ? STOP_PAUSE
										  : STOP_HOLD,
		.scope = s->scope,
		.until_ms = s->until_ms,
		.except_prio = s->except_prio,
		.person = "oanh",
		.via = "uid:1000",
		.why = "to be sure",
		.done = on_stop,
		.ctx = q };
	sim_trace("hold %s until=%lld except=%d", s->scope.text, (long long)s->until_ms,
		s->except_prio);
	if (streams())
		node_settle();
	provider_poll(); /* what left before is before */
	s->on = s->asked = true;
	dispatch_stop_scope(N.dispatch, &r);
}

static bool inside(const struct stop_scope *g, const struct stop_scope *s)
{
	if (s->all)
		return g->all;
	return !g->all && (!s->release_id || s->release_id == g->release_id) &&
		(s->part < 0 || s->part == g->part) &&
		(!s->office_id || s->office_id == g->office_id) &&
		(!s->lane_id || s->lane_id == g->lane_id) &&
		(!s->channel_id || s->channel_id == g->channel_id);
}

void people_resume_scope(const struct stop_scope *scope)
{
	if (!restore_looked(scope))
		return;
	struct stop_request r = { .verb = STOP_RESUME,
		.scope = *scope,
		.except_prio = -1,
		.person = "oanh",
		.via = "uid:1000",
		.why = "it may go on",
		.done = on_stop,
		.ctx = people_ask("resume", 0) };
	sim_trace("resume %s", scope->text);
	for (int i = 0; i < SIM_STOPS; i++)
		if (S->stop[i].on && !S->stop[i].cancel && inside(&S->stop[i].scope, scope))
			S->stop[i].on = false;
	dispatch_stop_scope(N.dispatch, &r);
}

void people_resume(void)
{
	int at = sim_below(SIM_STOPS);
	for (int i = 0; i < SIM_STOPS; i++) {
		const struct sim_stop *s = &S->stop[(at + i) % SIM_STOPS];
		if (s->on && !s->cancel) {
			struct stop_scope scope = s->scope;
			people_resume_scope(&scope);
			return;
		}
	}
}

static void on_cancelled(void *ctx, int rc, const struct err *e, cJSON *result)
{
	struct question *q = ctx;
	int64_t id = json_i64(result, "release_id", 0);
	int slot = rc == 0 ? stop_slot() : -1;
	cJSON_Delete(result);
	if (slot < 0) {
		people_answered(q, rc, e);
		return;
	}
	provider_poll();                                     /* what left before is before */
	S->stop[slot] = (struct sim_stop){ .on = !streams(), /* else from the answer on */
		.asked = true,
		.cancel = true,
		.except_prio = -1,
		.scope = { .release_id = id, .part = -1 } };
	q->stop = slot;
	struct stop_request r = { .verb = STOP_CANCEL,
		.scope = S->stop[slot].scope,
		.except_prio = -1,
		.person = "oanh",
		.via = "uid:1000",
		.why = "no longer true",
		.done = on_stop,
		.ctx = q };
	dispatch_stop_scope(N.dispatch, &r);
}

void people_cancel(void)
{
	int release = people_any_release();
	if (!release || !sim_chance(S->p.steps >= 10000 ? 15 : 200))
		return;
	struct actor a = people_who("oanh");
	cJSON *p = people_params_of(release);
	json_put_z(p, "why", "no longer true");
	sim_trace("cancel R-%d", release);
	plan_cancel(N.plan, p, &a, on_cancelled, people_ask("cancel", release));
	cJSON_Delete(p);
}

/* Also those whose answer was lost in a crash: they stand in the database only. */
static bool heal_gates(void)
{
	struct stop_scope found[32];
	struct store_reader *r = teststore_reader(&N.ts);
	sqlite3_stmt *st;
	size_t n = 0;
	int rc = db_query(reader_db(r), &st, "SELECT what FROM gate", "");
	while (rc == 0 && (rc = db_row(reader_db(r), st)) == 1) {
		struct sq_gate g;
		if (n < ARRAY_LEN(found) && gate_scope_read(col_str(st, 0), &g)) {
			found[n] = (struct stop_scope){ .release_id = g.release,
				.office_id = g.office,
				.campaign_id = g.campaign,
				.lane_id = g.lane,
				.channel_id = g.channel,
				.part = (int32_t)g.part,
				.kind = g.kind,
				.all = g.all };
			(void)snprintf(found[n].text, sizeof(found[n].text), "gate");
			n++;
		}
		rc = 0;
	}
	teststore_reader_end(&N.ts, r);
	for (size_t i = 0; i < n; i++)
		people_resume_scope(&found[i]);
	for (int i = 0; i < S->n_lanes; i++) {
		struct stop_scope s = { .part = -1, .lane_id = S->lane[i].id, .text = "lane" };
		char sql[100];
		(void)snprintf(sql, sizeof(sql), "SELECT gate FROM lane WHERE id=%lld",
			(long long)S->lane[i].id);
		if (teststore_i64(&N.ts, sql) == 0)
			continue;
		people_resume_scope(&s);
		n++;
	}
	return n > 0;
}

bool people_heal_stops(void)
{
	bool did = false;
	for (int i = 0; i < SIM_STOPS; i++)
		if (S->stop[i].on && !S->stop[i].cancel) {
			struct stop_scope scope = S->stop[i].scope;
			people_resume_scope(&scope);
			did = true;
		}
	return heal_gates() || did;
}
