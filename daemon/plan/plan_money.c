/* plan_money.c - what a release costs: per part, exactly by operator; against its ceilings and what is left of the budgets.
 * Thread: worker, in a check. Owns: nothing. Failures: a ceiling that is exceeded is a problem; a budget that will not do is a
 * warning, because what exceeds it is held when it is sent, and it may be raised until then.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "plan/plan_internal.h"
#include "store/store_money.h"

#define BUDGETS_LOOKED_MAX 200
#define MESSAGES_SHOWN_MAX 200

struct costing {
	struct checked *c;
	int64_t budget[BUDGETS_LOOKED_MAX], messages[BUDGETS_LOOKED_MAX];
	int64_t office_id[BUDGETS_LOOKED_MAX];
	size_t n_budgets, at; /* at: the first of `made` of the group's part and office */
};

/* Made and groups stand in the same order of parts and offices. */
static const struct made *made_of(
	struct costing *x, const struct resolve_group *g, const struct plan_lane *lane)
{
	const struct checked *c = x->c;

	while (x->at < c->n_made &&
		(c->made[x->at].part != g->part || c->made[x->at].row.office_id != g->office_id)) {
		const struct made *m = &c->made[x->at];
		if (m->part > g->part)
			return NULL;
		x->at++;
	}
	for (size_t i = x->at; i < c->n_made; i++) {
		const struct made *m = &c->made[i];
		if (m->part != g->part || m->row.office_id != g->office_id)
			return NULL;
		if (m->row.channel_id == lane->channel_id && strcmp(m->row.form, g->form) == 0 &&
			strcmp(m->row.lang, g->lang) == 0)
			return m;
	}
	return NULL;
}

static int64_t cost_of(const struct prepared *p, const char *class)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "cost.%.48s", class);
	int64_t cost = prepared_fact_get(p, name, -1);
	return cost >= 0 ? cost : prepared_fact_get(p, "cost", 0);
}

static bool under(const struct costing *x, int64_t office, int64_t top)
{
	struct office_chain chain;

	if (!top || office_chain_get(x->c->db, office, &chain) < 0)
		return false;
	for (size_t i = 0; i < chain.n; i++)
		if (chain.id[i] == top)
			return true;
	return false;
}

static void to_budgets(struct costing *x, const struct resolve_group *g,
	const struct plan_lane *lane, const char *class, int64_t cost)
{
	const struct conf *conf = x->c->conf;

	for (size_t i = 0; i < x->n_budgets; i++) {
		const struct conf_budget *b = &conf->budgets[i];
		if ((b->channel && strcmp(b->channel, lane->channel)) ||
			(b->account && strcmp(b->account, lane->account)) ||
			(b->class && strcmp(b->class, class)) ||
			(b->campaign &&
				strcmp(b->campaign,
					x->c->doc->campaign ? x->c->doc->campaign : "")) ||
			(b->office && !under(x, g->office_id, x->office_id[i])))
			continue;
		x->budget[i] += cost;
		x->messages[i] += g->n;
	}
}

static void sum(struct costing *x)
{
	struct checked *c = x->c;
	struct plan_lane lane = { 0 };
	char class[64] = "";

	for (size_t i = 0; i < c->resolved->n_groups; i++) {
		const struct resolve_group *g = &c->resolved->groups[i];
		if (lane.id != g->lane_id &&
			(plan_lane_get(c->db, g->lane_id, &lane) < 0 ||
				sq_lane_class(c->db, g->lane_id, class, sizeof(class)) < 0)) {
			lane.id = 0;
			continue;
		}
		const struct made *m = made_of(x, g, &lane);
		if (!m || !m->p)
			continue;
		int64_t cost = cost_of(m->p, class) * g->n;
		c->part_cost[g->part] += cost;
		c->cost += cost;
		to_budgets(x, g, &lane, class, cost);
	}
}

static void check_ceilings(struct checked *c)
{
	char cost[32], max[32];

	for (size_t i = 0; i < c->doc->n_parts; i++) {
		const struct doc_part *p = &c->doc->parts[i];
		if (p->max_cost >= 0 && c->part_cost[i] > p->max_cost)
			problem_add(&c->problems, PROBLEM_ERROR, c->doc->main_file, p->line,
				"max_cost", "part %s would cost %s đ, its ceiling is %s", p->name,
				money_print(cost, sizeof(cost), c->part_cost[i]),
				money_print(max, sizeof(max), p->max_cost));
	}
}

static void check_budget(struct costing *x, size_t i, enum money_period period)
{
	struct checked *c = x->c;
	const struct conf_budget *b = &c->conf->budgets[i];
	struct sq_meter_used used = { 0 };
	char scope[72], window[MONEY_WINDOW_MAX], need[32], have[32], max[32];

	money_scope(b->name, scope, sizeof(scope));
	money_window(period, c->now, &c->conf->zone, window, sizeof(window));
	if (sq_meter_read(c->db, scope, window, &used) < 0)
		return;
	int64_t dong = b->limits.dong[period], messages = b->limits.messages[period];
	if (dong > 0 && used.dong + x->budget[i] > dong)
		problem_add(&c->problems, PROBLEM_WARNING, c->doc->main_file, 0, "budget",
			"%s, %s: this release costs %s đ there, %s of %s are used: what exceeds it will be held",
			b->name, window, money_print(need, sizeof(need), x->budget[i]),
			money_print(have, sizeof(have), used.dong),
			money_print(max, sizeof(max), dong));
	if (messages > 0 && used.messages + x->messages[i] > messages)
		problem_add(&c->problems, PROBLEM_WARNING, c->doc->main_file, 0, "budget",
			"%s, %s: this release has %s messages there, %s of %s are used: what exceeds it will wait or be held",
			b->name, window, money_print(need, sizeof(need), x->messages[i]),
			money_print(have, sizeof(have), used.messages),
			money_print(max, sizeof(max), messages));
}

void check_money(struct checked *c)
{
	struct costing x = { .c = c, .n_budgets = c->conf ? c->conf->n_budgets : 0 };

	if (x.n_budgets > BUDGETS_LOOKED_MAX)
		x.n_budgets = BUDGETS_LOOKED_MAX;
	for (size_t i = 0; i < x.n_budgets; i++)
		if (c->conf->budgets[i].office &&
			sq_read_named(c->r, true, c->conf->budgets[i].office, &x.office_id[i]) < 0)
			x.office_id[i] = 0;
	sum(&x);
	check_ceilings(c);
	for (size_t i = 0; i < x.n_budgets; i++)
		for (int p = 0; p < MONEY_PERIODS; p++)
			if (x.messages[i] > 0)
				check_budget(&x, i, (enum money_period)p);
}

/* What is counted in segments is short: every office's is shown. Behind the first empty line of a preview stands the text itself. */
cJSON *messages_json(const struct checked *c)
{
	cJSON *rows = json_arr();
	size_t n = 0;

	for (size_t i = 0; i < c->n_made && n < MESSAGES_SHOWN_MAX; i++) {
		const struct made *m = &c->made[i];
		int64_t segments = m->p && m->kind == KIND_SMS
			? prepared_fact_get(m->p, "segments", 0)
			: 0;
		if (segments <= 0 || !m->p->preview)
			continue;
		const char *text = strstr(m->p->preview, "\n\n");
		cJSON *o = json_obj();
		json_put_z(o, "part", c->doc->parts[m->part].name);
		json_put_z(o, "office", m->office->code);
		json_put_i64(o, "targets", m->n);
		if (m->backup)
			json_put_str(o, "backup", m->sender->channel);
		json_put_i64(o, "segments", segments);
		json_put_i64(o, "cost_most", prepared_fact_get(m->p, "cost", 0));
		json_put_str(o, "how", (struct str){ m->p->preview, strcspn(m->p->preview, "\n") });
		json_put_z(o, "text", text ? text + 2 : m->p->preview);
		json_add(rows, o);
		n++;
	}
	return rows;
}

/* --- when a part starts ------------------------------------------------------------------------------------------------------- */
#define BALANCE_FRESH_MS INT64_C(86400000) /* an older answer says nothing about today */

void part_money_done(struct part_money *m)
{
	free(m->v);
	m->v = NULL;
	m->n = m->cap = 0;
}

int part_money_lot(struct part_money *m, struct db *db, int64_t lot)
{
	struct sq_lot_money l;
	int rc = sq_lot_money_get(db, lot, &l);

	m->row_cost = 0;
	m->waiting = l.waiting;
	m->account = l.account_id;
	memcpy(m->class, l.class, sizeof(m->class));
	return rc;
}

void part_money_row(struct part_money *m, const struct prepared *p)
{
	int64_t cost = p ? cost_of(p, m->class) : 0;

	m->row_cost = cost > m->row_cost ? cost : m->row_cost;
}

void part_money_end(struct part_money *m, int64_t lot)
{
	if (m->n == m->cap) {
		m->cap = m->cap ? 2 * m->cap : 64;
		m->v = x_realloc(m->v, m->cap, sizeof(*m->v));
	}
	m->v[m->n++] = (struct part_money_lot){ lot, m->account, m->row_cost * m->waiting };
}

static void hold_all(struct part_money *m, int64_t account, const char *why,
	void (*hold)(void *ctx, int64_t lot, const char *why), void *ctx)
{
	for (size_t i = 0; i < m->n; i++) {
		if ((account && m->v[i].account != account) || !m->v[i].lot)
			continue;
		hold(ctx, m->v[i].lot, why);
		m->v[i].lot = 0;
	}
}

static int balance_check(struct part_money *m, struct db *db, size_t at, int64_t now,
	void (*hold)(void *ctx, int64_t lot, const char *why), void *ctx)
{
	int64_t account = m->v[at].account, cost = 0, left = 0;
	char why[240], a[32], b[32];

	for (size_t i = 0; i < at; i++)
		if (m->v[i].account == account)
			return 0; /* looked at already */
	for (size_t i = at; i < m->n; i++)
		if (m->v[i].account == account)
			cost += m->v[i].cost;
	int rc = cost > 0 ? sq_balance_get(db, account, now - BALANCE_FRESH_MS, &left) : 0;
	if (rc != 1 || left >= cost)
		return rc < 0 ? rc : 0;
	(void)snprintf(why, sizeof(why),
		"balance: the gateway says that %s đ are left, and this part costs %s đ there",
		money_print(a, sizeof(a), left), money_print(b, sizeof(b), cost));
	hold_all(m, account, why, hold, ctx);
	return 0;
}

int part_money_check(struct part_money *m, struct db *db, int64_t cost_max, int64_t now,
	void (*hold)(void *ctx, int64_t lot, const char *why), void *ctx)
{
	int64_t cost = 0;
	char why[240], a[32], b[32];
	int rc = 0;

	for (size_t i = 0; i < m->n; i++)
		cost += m->v[i].cost;
	if (cost_max >= 0 && cost > cost_max) {
		(void)snprintf(why, sizeof(why),
			"max_cost: the part would cost %s đ now, its ceiling is %s đ",
			money_print(a, sizeof(a), cost), money_print(b, sizeof(b), cost_max));
		hold_all(m, 0, why, hold, ctx);
		return 0;
	}
	for (size_t i = 0; i < m->n && rc == 0; i++)
		rc = balance_check(m, db, i, now, hold, ctx);
	return rc;
}
