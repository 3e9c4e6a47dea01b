/* smpp_learn.c - how this server writes an id in its reports, seen from the last answers of the session (`dlr_id: auto`, contract 1.4).
 * A report whose id, in one of its ways of writing, is that of a recent answer to the same phone needs no other way. What was seen is said
 * once in the log, as the setting that would make the search needless.
 * Thread: loop. Owns: the table of answers. Limits: SMPP_LEARN_SLOTS answers are remembered, newer ones push out older ones. */
#include <stdio.h>
#include <stdlib.h>
#include "smpp.h"

#define SURE 32u /* reports in one form, and none in another */

static const char *const settings[SMPP_FORMS] = { NULL, "exact", NULL, "resp_hex_dlr_dec",
	"resp_dec_dlr_hex" };
_Static_assert(
	SMPP_FORMS <= sizeof(((struct smpp_learn *)0)->hits) / sizeof(uint32_t), "a count each");

bool smpp_learn_init(struct smpp_session *s)
{
	s->learn.owned = calloc(SMPP_LEARN_SLOTS, sizeof(*s->learn.owned));
	return s->learn.owned != NULL;
}

void smpp_learn_done(struct smpp_session *s)
{
	free(s->learn.owned);
	s->learn.owned = NULL;
}

/* Never 0, which is an empty slot. */
static uint64_t mark_of(struct lt_str phone, struct lt_str id)
{
	struct lt_str tail = phone.n > 9 ? ltc_from(phone, phone.n - 9) : phone;

	return ltc_hash(ltc_hash(LTC_HASH_SEED, tail), id) | 1;
}

static uint64_t *slot_of(const struct smpp_session *s, uint64_t mark)
{
	return &s->learn.owned[(mark >> 1) % SMPP_LEARN_SLOTS];
}

void smpp_learn_answer(struct smpp_session *s, struct lt_str phone, struct lt_str id)
{
	uint64_t mark = mark_of(phone, id);

	*slot_of(s, mark) = mark;
}

bool smpp_learn_known(const struct smpp_session *s, struct lt_str phone, struct lt_str id)
{
	uint64_t mark = mark_of(phone, id);

	return *slot_of(s, mark) == mark;
}

bool smpp_learn_exact(const struct smpp_session *s)
{
	const uint32_t *n = s->learn.hits;

	return n[SMPP_FORM_EXACT] >= SURE && n[SMPP_FORM_HEX_DEC] + n[SMPP_FORM_DEC_HEX] == 0;
}

const char *smpp_learn_setting(const struct smpp_session *s)
{
	enum smpp_form best = SMPP_FORM_NONE;

	for (enum smpp_form f = SMPP_FORM_EXACT; f < SMPP_FORMS; f++)
		if (s->learn.hits[f] > (best == SMPP_FORM_NONE ? 0 : s->learn.hits[best]))
			best = f;
	return best == SMPP_FORM_CLOSE ? "auto" : settings[best];
}

static void hit(struct smpp_session *s, struct lt_str report, struct lt_str answer)
{
	enum smpp_form f = smpp_ids_form(report, answer);

	s->learn.hits[f] += s->learn.hits[f] < UINT32_MAX;
	if (s->learn.said[f] || f == SMPP_FORM_NONE)
		return;
	s->learn.said[f] = true;
	if (f == SMPP_FORM_CLOSE)
		smpp_session_log(s, 6,
			"a report writes the id %.*s as %.*s: dlr_id: auto is right here",
			(int)answer.n, answer.p, (int)report.n, report.p);
	else
		smpp_session_log(s, 6,
			"a report writes the id %.*s as %.*s: if the server always does, set dlr_id: %s",
			(int)answer.n, answer.p, (int)report.n, report.p, settings[f]);
}

void smpp_learn_ids(
	struct smpp_session *s, struct lt_str phone, struct lt_str id, struct smpp_ids *ret)
{
	ret->n = 0;
	if (s->si->conf.dlr_id != SMPP_DLR_AUTO) {
		smpp_receipt_ids(s->si->conf.dlr_id, id, ret);
		smpp_receipt_pad_all(s->si->conf.dlr_id, s->id_lens, id, ret);
		return;
	}
	if (id.n > 0 && smpp_learn_known(s, phone, id)) {
		smpp_receipt_ids(SMPP_DLR_EXACT, id, ret);
		hit(s, id, id);
		return;
	}
	if (smpp_learn_exact(s)) {
		smpp_ids_near(id, ret);
		smpp_receipt_pad(s->id_lens, id, ret);
	} else {
		smpp_receipt_ids(SMPP_DLR_AUTO, id, ret);
		smpp_receipt_pad_all(SMPP_DLR_AUTO, s->id_lens, id, ret);
	}
	for (size_t i = 0; i < ret->n; i++)
		if (smpp_learn_known(s, phone, ret->list[i])) {
			struct lt_str first = ret->list[i];
			ret->list[i] = ret->list[0];
			ret->list[0] = first; /* both still stand in ret->text */
			hit(s, id, first);
			return;
		}
}
