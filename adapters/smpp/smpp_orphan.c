/* smpp_orphan.c - reports of texts whose answer never came: the server's id is not known then, but many servers write our own
 * reference (user_message_reference) into the report, and it names the phone (contract 1.9).
 * A report may come before its text is given up: it is kept until the answer comes (which makes it needless) or does not.
 * Only texts of one segment: a report of a part says nothing about the whole.
 * Both tables belong to the account: behind a lost link the server often refuses the first bind, and another session begins.
 * Thread: loop. Owns: nothing; both tables forget their oldest. */
#include <stdio.h>
#include <string.h>
#include "smpp.h"

#define GHOST_MAX_MS 3600000

static const char *tail9(const char *z)
{
	size_t n = strlen(z);

	return n > 9 ? z + n - 9 : z;
}

bool smpp_same_phone(const char *ours, struct lt_str theirs)
{
	const char *tail = tail9(ours);
	size_t n = strlen(tail);

	return n == 9 && theirs.n >= n && memcmp(theirs.p + theirs.n - n, tail, n) == 0;
}

/* The text under way that this report is about; 0: none. Old ones hang in a session that the host cut off. */
static uint64_t under_way(
	const struct smpp_session *s, uint32_t ref, struct lt_str phone, int64_t now)
{
	for (uint32_t i = 0; i < s->n_links; i++)
		for (const struct smpp_seg *g = s->links[i].window.head; g != NULL; g = g->next)
			if (g->msg->n == 1 && now - g->sent_at < GHOST_MAX_MS &&
				smpp_user_ref(g->msg->attempt, 0) == ref &&
				smpp_same_phone(g->msg->dest, phone))
				return g->msg->attempt;
	return 0;
}

/* The old session may still wait for its answers while the next one gets the reports. */
static uint64_t under_way_anywhere(
	const struct smpp_inst *si, uint32_t ref, struct lt_str phone, int64_t now)
{
	uint64_t attempt = 0;

	for (size_t i = 0; i < SMPP_SESSIONS_MAX && attempt == 0; i++)
		if (si->sessions[i] != NULL)
			attempt = under_way(si->sessions[i], ref, phone, now);
	return attempt;
}

uint64_t smpp_orphan_attempt(
	struct smpp_session *s, const struct smpp_sm *m, const struct lt_receipt *r)
{
	struct smpp_inst *si = s->si;
	uint32_t ref;

	if (!smpp_tlv_u(m->tlvs, SMPP_T_USER_REF, &ref))
		return 0;
	for (uint32_t i = 0; i < SMPP_GHOSTS; i++) {
		const struct smpp_ghost *g = &si->ghosts[i];
		if (g->attempt != 0 && g->ref == (ref & 0xffff) && s->now - g->at < GHOST_MAX_MS &&
			smpp_same_phone(g->dest, m->source))
			return g->attempt;
	}
	uint64_t attempt = under_way_anywhere(si, ref & 0xffff, m->source, s->now);
	if (attempt != 0 && r->final) {
		struct smpp_early *e = &si->early[si->n_early++ % SMPP_EARLY];
		*e = (struct smpp_early){ attempt, r->at_ms, r->state, "" };
		(void)snprintf(e->code, sizeof(e->code), "%.*s", (int)r->code.n, r->code.p);
	}
	return attempt;
}

/* The op is finished by now: the host finds the attempt, or keeps the report until it is committed. */
static void tell_early(struct smpp_session *s, struct smpp_early *e, const char *dest)
{
	struct lt_receipt r = { .struct_size = sizeof(r),
		.state = e->state,
		.final = true,
		.attempt = e->attempt,
		.recipient = ltc_z(dest),
		.at_ms = e->at_ms,
		.code = ltc_z(e->code) };

	e->attempt = 0;
	(void)s->host->receipt(s->host->ctx, s->job, &r, 0); /* the server was answered long ago */
}

void smpp_orphan_add(struct smpp_session *s, uint64_t attempt, const char *dest)
{
	struct smpp_inst *si = s->si;
	struct smpp_ghost *g = &si->ghosts[si->n_ghosts++ % SMPP_GHOSTS];

	*g = (struct smpp_ghost){ attempt, s->now, smpp_user_ref(attempt, 0), "" };
	(void)snprintf(g->dest, sizeof(g->dest), "%s", dest);
	for (uint32_t i = 0; i < SMPP_EARLY; i++)
		if (si->early[i].attempt == attempt)
			tell_early(s, &si->early[i], g->dest);
}
