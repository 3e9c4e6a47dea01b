/* store_money.c - budgets and advertising counts inside the turn: asked before an intent, taken with it, given back when the
 * attempt provably did not take place. A counter is read once a transaction and written once at its end.
 * Thread: store. Owns: the cache of one transaction. Must not know: the configuration.
 * Failures: the code of the store; the whole turn fails then and nothing of it is sent. What a crash leaves counted and unsent
 * stays counted: a budget is never exceeded because of one. */
#include "store/store_money.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "store/store_internal.h"

struct counter {
	char scope[72], window[MONEY_WINDOW_MAX];
	struct sq_meter_used used;
	bool dirty;
};
struct sq_till {
	struct counter *v;
	size_t n, cap;
	/* the counters of the money asked last: copies of a lot come one after the other */
	const struct sq_money *last;
	size_t at[SQ_METERS_MAX];
};

struct sq_till *sq_till_new(void)
{
	return x_calloc(1, sizeof(struct sq_till));
}

void sq_till_free(struct sq_till *t)
{
	if (!t)
		return;
	free(t->v);
	free(t);
}

static int used_get(
	struct db *db, const char *scope, const char *window, const char *what, int64_t *ret)
{
	char w[MONEY_WINDOW_MAX + 12];

	snprintf(w, sizeof(w), "%s %s", window, what);
	*ret = 0;
	int rc = db_get_i64(
		db, ret, "SELECT used FROM quota WHERE scope=? AND window=?", "tt", scope, w);
	return rc < 0 ? rc : 0;
}

int sq_meter_read(struct db *db, const char *scope, const char *window, struct sq_meter_used *ret)
{
	int rc = used_get(db, scope, window, "dong", &ret->dong);

	return rc ? rc : used_get(db, scope, window, "messages", &ret->messages);
}

static int counter_find(
	struct sq_till *t, struct store_tx *tx, const struct sq_meter *m, size_t *ret)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->v[i].scope, m->scope) == 0 &&
			strcmp(t->v[i].window, m->window) == 0) {
			*ret = i;
			return 0;
		}
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 32;
		t->v = x_realloc(t->v, t->cap, sizeof(*t->v));
	}
	struct counter *c = &t->v[t->n];
	memset(c, 0, sizeof(*c));
	memcpy(c->scope, m->scope, sizeof(c->scope));
	memcpy(c->window, m->window, sizeof(c->window));
	int rc = sq_meter_read(tx_db(tx), c->scope, c->window, &c->used);
	if (rc)
		return rc;
	*ret = t->n++;
	return 0;
}

static int counters_of(struct sq_till *t, struct store_tx *tx, const struct sq_money *m)
{
	int rc = 0;

	if (t->last == m)
		return 0;
	t->last = NULL;
	for (size_t i = 0; i < m->n && rc == 0; i++)
		rc = counter_find(t, tx, &m->v[i], &t->at[i]);
	if (rc == 0)
		t->last = m;
	return rc;
}

/* So many in the window already: when the oldest of them leaves it. */
static int ad_ask(struct store_tx *tx, struct sq_intent *it, bool *ret_may)
{
	int64_t at = 0, from = tx_wall_ms(tx) - it->money->ad_window_ms;
	int rc = db_get_i64(tx_db(tx), &at,
		"SELECT at FROM ad_sent WHERE contact_id=? AND at>? AND at<=? ORDER BY at DESC LIMIT 1 OFFSET ?",
		"iiii", it->contact, from, tx_wall_ms(tx), (int64_t)it->money->ad_max - 1);

	if (rc != 1)
		return rc < 0 ? rc : 0;
	it->grant = SQ_GAP;
	it->gap_due_ms = at + it->money->ad_window_ms + 1;
	*ret_may = false;
	return 0;
}

int sq_till_ask(struct sq_till *t, struct store_tx *tx, struct sq_intent *it, bool *ret_may)
{
	const struct sq_money *m = it->money;

	*ret_may = true;
	if (!m)
		return 0;
	int rc = m->ad_max > 0 ? ad_ask(tx, it, ret_may) : 0;
	if (rc || !*ret_may)
		return rc;
	rc = counters_of(t, tx, m);
	for (size_t i = 0; i < m->n && rc == 0; i++) {
		const struct sq_meter_used *u = &t->v[t->at[i]].used;
		bool dong = m->v[i].dong_max > 0 && u->dong + it->cost > m->v[i].dong_max;
		if (!dong && !(m->v[i].messages_max > 0 && u->messages + 1 > m->v[i].messages_max))
			continue;
		it->grant = SQ_BUDGET;
		it->meter = (int)i;
		it->over_dong = dong;
		it->used = dong ? u->dong : u->messages;
		*ret_may = false;
		return 0;
	}
	return rc;
}

static void count(struct sq_till *t, const struct sq_money *m, int64_t dong, int64_t messages)
{
	for (size_t i = 0; i < m->n; i++) {
		struct counter *c = &t->v[t->at[i]];
		c->used.dong += dong;
		c->used.messages += messages;
		if (c->used.dong < 0)
			c->used.dong = 0;
		if (c->used.messages < 0)
			c->used.messages = 0;
		c->dirty = true;
	}
}

int sq_till_take(struct sq_till *t, struct store_tx *tx, const struct sq_intent *it)
{
	const struct sq_money *m = it->money;

	if (!m)
		return 0;
	int rc = counters_of(t, tx, m);
	if (rc)
		return rc;
	count(t, m, it->cost, 1);
	if (m->ad_window_ms <= 0)
		return 0;
	rc = db_exec(tx_db(tx), "DELETE FROM ad_sent WHERE contact_id=? AND at<?", "ii",
		it->contact,
		tx_wall_ms(tx) -
			(m->ad_window_ms > SQ_AD_KEEP_MS ? m->ad_window_ms : SQ_AD_KEEP_MS));
	return rc
		? rc
		: db_exec(tx_db(tx),
			  "INSERT OR REPLACE INTO ad_sent(contact_id, delivery_id, at) VALUES (?,?,?)",
			  "iii", it->contact, it->delivery, tx_wall_ms(tx));
}

int sq_till_give_back(struct sq_till *t, struct store_tx *tx, const struct sq_outcome *o)
{
	int rc = counters_of(t, tx, o->money);

	if (rc)
		return rc;
	count(t, o->money, -o->cost, -1);
	if (o->money->ad_window_ms <= 0)
		return 0;
	return db_exec(tx_db(tx),
		"DELETE FROM ad_sent WHERE contact_id=(SELECT contact_id FROM delivery WHERE id=?1) AND delivery_id=?1",
		"i", o->delivery);
}

static int put(struct store_tx *tx, const struct counter *c, const char *what, int64_t used)
{
	char w[MONEY_WINDOW_MAX + 12];

	snprintf(w, sizeof(w), "%s %s", c->window, what);
	return db_exec(tx_db(tx),
		"INSERT OR REPLACE INTO quota(scope, window, used) VALUES (?,?,?)", "tti", c->scope,
		w, used);
}

int sq_till_write(struct sq_till *t, struct store_tx *tx)
{
	int rc = 0;

	for (size_t i = 0; i < t->n && rc == 0; i++) {
		struct counter *c = &t->v[i];
		if (!c->dirty)
			continue;
		rc = put(tx, c, "dong", c->used.dong);
		rc = rc ? rc : put(tx, c, "messages", c->used.messages);
	}
	return rc;
}

int sq_optout_list(struct store_tx *tx, int64_t contact, char *list, size_t size)
{
	int64_t one = 0;

	list[0] = 0;
	int rc = db_get_i64(tx_db(tx), &one,
		"SELECT 1 FROM ad_sent WHERE contact_id=? AND at>? LIMIT 1", "ii", contact,
		tx_wall_ms(tx) - SQ_AD_KEEP_MS);
	if (rc == 1)
		(void)str_copy(list, size, STR(SUPPRESS_ADS));
	return rc < 0 ? rc : 0;
}

int sq_lane_class(struct db *db, int64_t lane, char *dst, size_t size)
{
	int rc = db_get_text(db, dst, size, "SELECT class FROM lane WHERE id=?", "i", lane);

	return rc < 0 ? rc : 0;
}

int sq_lot_money_get(struct db *db, int64_t lot, struct sq_lot_money *ret)
{
	sqlite3_stmt *st;
	int rc = db_query(db, &st,
		"SELECT n.account_id, l.n0, n.class FROM lot l JOIN lane n ON n.id=l.lane_id WHERE l.id=?",
		"i", lot);

	*ret = (struct sq_lot_money){ 0 };
	if (rc == 0)
		rc = db_row(db, st);
	if (rc != 1)
		return rc < 0 ? rc : 0;
	ret->account_id = col_i64(st, 0);
	ret->waiting = col_i64(st, 1);
	(void)str_copy(ret->class, sizeof(ret->class), col_str(st, 2));
	db_reset(st);
	return 0;
}

int sq_balance_get(struct db *db, int64_t account, int64_t since_ms, int64_t *ret)
{
	return db_get_i64(db, ret,
		"SELECT value FROM account_stat WHERE account_id=? AND name='balance' AND at>=? ORDER BY at DESC LIMIT 1",
		"ii", account, since_ms);
}

int sq_read_named(struct store_reader *r, bool office, const char *name, int64_t *ret_id)
{
	*ret_id = 0;
	int rc = db_get_i64(reader_db(r), ret_id,
		office ? "SELECT id FROM office WHERE code=?"
		       : "SELECT id FROM campaign WHERE name=?",
		"t", name);
	return rc < 0 ? rc : 0;
}
