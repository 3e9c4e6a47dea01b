/* store_queue_tally.c - the only writer of a lot's counters: moves are summed in memory, then one UPDATE a touched lot.
 * Thread: store. Owns: its arrays, for the length of one command. Must not know: why a delivery moved.
 * Failures: an illegal move aborts (a bug); a failed UPDATE fails the command, and with it every move of it. */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "store/store_internal.h"
#include "store/store_queue.h"

void sq_tally_init(struct sq_tally *t)
{
	memset(t, 0, sizeof(*t));
}

void sq_tally_done(struct sq_tally *t)
{
	free(t->v);
	free(t->slot);
	memset(t, 0, sizeof(*t));
}

static size_t slot_of(const struct sq_tally *t, int64_t lot)
{
	return (size_t)(((uint64_t)lot * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (t->slots - 1);
}

static void grow(struct sq_tally *t)
{
	size_t slots = t->slots ? t->slots * 2 : 64;

	free(t->slot);
	t->slot = x_calloc(slots, sizeof(*t->slot));
	t->slots = slots;
	t->cap = slots / 2;
	t->v = x_realloc(t->v, t->cap, sizeof(*t->v));
	for (size_t i = 0; i < t->n; i++) {
		size_t s = slot_of(t, t->v[i].lot);
		while (t->slot[s])
			s = (s + 1) & (slots - 1);
		t->slot[s] = (uint32_t)i + 1;
	}
}

static struct sq_tally_lot *lot_of(struct sq_tally *t, int64_t lot)
{
	if (t->n == t->cap)
		grow(t);
	size_t s = slot_of(t, lot);
	for (; t->slot[s]; s = (s + 1) & (t->slots - 1))
		if (t->v[t->slot[s] - 1].lot == lot)
			return &t->v[t->slot[s] - 1];
	t->slot[s] = (uint32_t)t->n + 1;
	t->v[t->n] = (struct sq_tally_lot){ .lot = lot };
	return &t->v[t->n++];
}

void sq_tally_add(
	struct sq_tally *t, int64_t lot, enum dlv_state from, enum dlv_state to, int64_t n)
{
	struct sq_tally_lot *l = lot_of(t, lot);

	l->d[from] -= n;
	l->d[dlv_move(from, to)] += n;
}

void sq_tally_move(struct sq_tally *t, int64_t lot, enum dlv_state from, enum dlv_state to)
{
	sq_tally_add(t, lot, from, to, 1);
}

void sq_tally_settle_by(struct sq_tally *t, int64_t lot, int64_t at_ms)
{
	struct sq_tally_lot *l = lot_of(t, lot);

	if (at_ms > l->settle_by_ms)
		l->settle_by_ms = at_ms;
}

int sq_tally_write(struct sq_tally *t, struct store_tx *tx)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct sq_tally_lot *l = &t->v[i];
		const int64_t *d = l->d;
		int rc = db_exec(tx_db(tx),
			"UPDATE lot SET n0=n0+?, n1=n1+?, n2=n2+?, n3=n3+?, n4=n4+?, n5=n5+?, n6=n6+?, "
			"n7=n7+?, n8=n8+?, n9=n9+?, n10=n10+? WHERE id=?",
			"iiiiiiiiiiii", d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], d[8], d[9],
			d[10], l->lot);
		if (rc == 0 && l->settle_by_ms)
			rc = db_exec(tx_db(tx),
				"UPDATE lot SET settle_by=max(coalesce(settle_by,0),?) WHERE id=?",
				"ii", l->settle_by_ms, l->lot);
		if (rc)
			return rc;
	}
	return 0;
}
