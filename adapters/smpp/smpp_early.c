/* smpp_early.c - reports that come before the answer of their text (`dlr_id: auto`, contract 1.4).
 * "16" may be the id 16 whose answer is still on its way, or, in the other base, the id 10 of an older text to the same phone. While a
 * segment to that phone has no answer such a report waits, HOLD_MS at most: the answer says whose it is. It is not acknowledged meanwhile,
 * so nothing is lost with us; a server that gives no answer before it is acknowledged is held up no longer than that.
 * Thread: loop. Owns: nothing; the table belongs to the session. Limits: SMPP_HELD wait, more are told at once with every way of writing. */
#include <stdio.h>
#include <string.h>
#include "smpp.h"

#define HOLD_MS 1000

static bool under_way(const struct smpp_session *s, struct lt_str phone)
{
	for (uint32_t i = 0; i < s->n_links; i++)
		for (const struct smpp_seg *g = s->links[i].window.head; g != NULL; g = g->next)
			if (smpp_same_phone(g->msg->dest, phone))
				return true;
	return false;
}

bool smpp_early_keep(
	struct smpp_session *s, struct lt_str id, const struct lt_receipt *out, uint64_t token)
{
	struct smpp_held *h = NULL;

	if (s->si->conf.dlr_id != SMPP_DLR_AUTO || id.n >= sizeof(h->id) ||
		out->recipient.n >= sizeof(h->phone) || s->n_held == SMPP_HELD ||
		!smpp_ids_two_ways(id) || smpp_learn_exact(s) ||
		smpp_learn_known(s, out->recipient, id) || !under_way(s, out->recipient))
		return false;
	for (h = s->held; h->until != 0;)
		h++;
	*h = (struct smpp_held){ .until = s->now + HOLD_MS,
		.token = token,
		.gen = (uint32_t)(token >> SMPP_GEN_SHIFT) & SMPP_GEN_MASK,
		.state = out->state,
		.final = out->final != 0,
		.at_ms = out->at_ms };
	(void)snprintf(h->code, sizeof(h->code), "%.*s", (int)out->code.n, out->code.p);
	memcpy(h->id, id.p, id.n);
	if (out->recipient.n > 0)
		memcpy(h->phone, out->recipient.p, out->recipient.n);
	s->n_held++;
	return true;
}

static void tell(struct smpp_session *s, struct smpp_held *h, uint64_t token)
{
	struct smpp_held own = *h;
	struct smpp_ids ids;

	h->until = 0;
	s->n_held--;
	smpp_learn_ids(s, ltc_z(own.phone), ltc_z(own.id), &ids);
	struct lt_receipt r = { .struct_size = sizeof(r),
		.state = own.state,
		.final = own.final,
		.recipient = ltc_z(own.phone),
		.code = ltc_z(own.code),
		.at_ms = own.at_ms,
		.ids = ids.list,
		.n_ids = (uint32_t)ids.n };
	if (s->host->receipt(s->host->ctx, s->job, &r, token) < 0 && token != 0)
		smpp_receipt_saved(s, token, -1);
}

/* The id of an answer, in the way that the report has it or in another one. */
void smpp_early_answered(struct smpp_session *s, struct lt_str phone, struct lt_str id)
{
	for (uint32_t i = 0; s->n_held > 0 && i < SMPP_HELD; i++) {
		struct smpp_held *h = &s->held[i];
		if (h->until != 0 && smpp_ids_form(ltc_z(h->id), id) != SMPP_FORM_NONE &&
			smpp_same_phone(phone.p, ltc_z(h->phone)))
			tell(s, h, h->token);
	}
}

void smpp_early_due(struct smpp_session *s)
{
	for (uint32_t i = 0; s->n_held > 0 && i < SMPP_HELD; i++)
		if (s->held[i].until != 0 && s->held[i].until <= s->now)
			tell(s, &s->held[i], s->held[i].token);
}

int64_t smpp_early_next(const struct smpp_session *s)
{
	int64_t first = 0;

	for (uint32_t i = 0; s->n_held > 0 && i < SMPP_HELD; i++)
		if (s->held[i].until != 0 && (first == 0 || s->held[i].until < first))
			first = s->held[i].until;
	return first;
}

/* No answer will come there, and nobody waits for our word any more: told all the same. */
void smpp_early_gone(struct smpp_session *s, uint32_t gen)
{
	for (uint32_t i = 0; s->n_held > 0 && i < SMPP_HELD; i++)
		if (s->held[i].until != 0 && s->held[i].gen == (gen & SMPP_GEN_MASK))
			tell(s, &s->held[i], 0);
}
