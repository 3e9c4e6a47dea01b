/* email_tx.c - transactions: one or more recipients of one text, and how they end.
 * Thread: loop. Owns: transactions, through the session's free list. An op is gone after email_op_finish. */
#include <stdlib.h>
#include <string.h>
#include "email_session.h"

#define FREE_MAX 1024u

static void all_add(struct email_inst *ei, struct email_tx *tx)
{
	tx->all_next = ei->all;
	tx->all_at = &ei->all;
	if (ei->all != NULL)
		ei->all->all_at = &tx->all_next;
	ei->all = tx;
}

void email_tx_drop(struct email_tx *tx)
{
	*tx->all_at = tx->all_next;
	if (tx->all_next != NULL)
		tx->all_next->all_at = tx->all_at;
	if (tx->n_max > 1)
		free(tx->rcpt);
	free(tx);
}

/* One that is in no list but the instance's. */
static void tx_clear(struct email_tx *tx, size_t n)
{
	struct email_tx *next = tx->all_next, **at = tx->all_at;

	memset(tx, 0, sizeof(*tx));
	tx->all_next = next;
	tx->all_at = at;
	tx->n_max = (uint16_t)n;
	tx->rcpt = &tx->one;
}

struct email_tx *email_tx_new(struct email_session *s, size_t n)
{
	struct email_tx *tx = n == 1 ? s->free_tx : NULL;
	struct email_op **rcpt = n > 1 ? calloc(n, sizeof(*rcpt)) : NULL;

	if (n > 1 && rcpt == NULL)
		return NULL;
	if (tx != NULL) {
		s->free_tx = tx->next;
		s->n_free--;
	} else {
		tx = calloc(1, sizeof(*tx));
		if (tx == NULL) {
			free(rcpt);
			return NULL;
		}
		all_add(s->ei, tx);
	}
	tx_clear(tx, n);
	if (rcpt != NULL)
		tx->rcpt = rcpt;
	return tx;
}

void email_tx_add(struct email_tx *tx, struct email_op *op)
{
	op->tx = tx;
	op->index = tx->n;
	op->accepted = false;
	op->again = false;
	tx->rcpt[tx->n++] = op;
	tx->n_live++;
}

void email_tx_free(struct email_session *s, struct email_tx *tx)
{
	if (tx == NULL)
		return;
	if (tx->n_max > 1 || s->n_free >= FREE_MAX) {
		email_tx_drop(tx);
		return;
	}
	tx->next = s->free_tx;
	s->free_tx = tx;
	s->n_free++;
}

void email_op_finish(struct email_session *s, struct email_op *op, const struct lt_result *r)
{
	op->tx->rcpt[op->index] = NULL;
	op->tx->n_live--;
	s->held--;
	if (r->outcome != LT_ACCEPTED)
		s->host->trace(s->host->ctx, op->job, 0, r->text);
	(void)s->host->finish(s->host->ctx, op->job, r);
}

void email_tx_finish(struct email_session *s, struct email_tx *tx, int32_t outcome, int32_t scope,
	uint32_t flags, const char *code, const char *text)
{
	struct lt_result r = { .struct_size = sizeof(r),
		.outcome = outcome,
		.scope = scope,
		.flags = flags,
		.code = ltc_z(code),
		.text = ltc_z(text) };

	for (uint16_t i = 0; i < tx->n; i++)
		if (tx->rcpt[i] != NULL)
			email_op_finish(s, tx->rcpt[i], &r);
}

/* Ops of tx that `want` into new transactions of at most `max`, which go to the front of the queue in their order. */
static void regroup(struct email_session *s, struct email_tx *tx, bool again_only, uint32_t max)
{
	struct email_tx *made[EMAIL_RCPT_MAX];
	size_t n_made = 0;

	for (uint16_t i = 0; i < tx->n; i++) {
		struct email_op *op = tx->rcpt[i];
		if (op == NULL || (again_only && !op->again))
			continue;
		if (n_made == 0 || made[n_made - 1]->n == made[n_made - 1]->n_max) {
			struct email_tx *fresh = email_tx_new(s, max);
			if (fresh == NULL)
				break; /* the rest stays where it is and ends with tx */
			made[n_made++] = fresh;
		}
		tx->rcpt[i] = NULL;
		tx->n_live--;
		email_tx_add(made[n_made - 1], op);
	}
	while (n_made > 0)
		email_queue_front(s, made[--n_made]);
}

void email_tx_split(struct email_session *s, struct email_tx *tx, bool all)
{
	uint32_t max = all ? 1 : s->max_rcpt;

	if (max > tx->n)
		max = tx->n;
	regroup(s, tx, !all, max < 1 ? 1 : max);
}

void email_tx_requeue(struct email_session *s, struct email_tx *tx)
{
	regroup(s, tx, false, tx->n);
	email_tx_finish(s, tx, LT_DEFERRED, LT_SCOPE_ACCOUNT, LT_R_FREE, "memory", "out of memory");
	email_tx_free(s, tx);
}
