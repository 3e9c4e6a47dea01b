/* zalo_of.c - whether what earlier tries of a delivery have saved is of the text that is sent now. A release may be returned and approved
 * anew with another text while its delivery waits: the fingerprint of the payload stands in the step "of", and where it differs what was
 * shown, sent or uploaded of the older text is not taken for this one's. An article is only updated once more, for an update replaces
 * all of it; a group or user that has got a part of the older text is for a person.
 * Thread: loop. Owns: nothing. Failures: steps without a fingerprint (of an earlier build) count as this text's. */
#include <stdio.h>
#include <string.h>
#include "zalo_op.h"

static void print_of(const struct zalo_op *op, char ret[ZALO_OF_SIZE])
{
	uint64_t hash = LTC_HASH_SEED;

	for (size_t i = 0; i < op->work->n_payload; i++) {
		const struct lt_src *s = &op->work->payload[i];
		hash = ltc_hash(hash, s->bytes);
		if (s->asset.n == 0)
			continue;
		hash = ltc_hash(hash, LTC_LIT("\n"));
		hash = ltc_hash(hash, s->asset);
		hash = ltc_hash(hash, LTC_LIT("\n"));
	}
	(void)snprintf(ret, ZALO_OF_SIZE, "%016llx", (unsigned long long)hash);
}

/* Steps that say something about the text: the rest is about the article itself, whatever stands in it. */
bool zalo_of_text(struct lt_str name)
{
	static const char *const begins[] = { "show", "sent", "try", "up" };
	bool is = false;

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		is = is || ltc_starts(name, begins[i]);
	return is;
}

bool zalo_of_look(struct zalo_op *op)
{
	struct lt_str was = zalo_step(op, "of");

	print_of(op, op->of);
	op->of_saved = ltc_eqz(was, op->of);
	op->other = was.n != 0 && !op->of_saved;
	return op->other;
}

void zalo_of_keep(struct zalo_op *op)
{
	if (!op->of_saved)
		zalo_save(op, "of", ltc_z(op->of), 0);
	op->of_saved = true;
}

/* In the store first what is of the older text, then whose text it is from now on: whoever dies between the two begins here again. */
bool zalo_of_forget(struct zalo_op *op)
{
	bool sent = false;
	char name[24];

	for (size_t i = 0; i < op->work->n_steps; i++) {
		struct lt_str n = op->work->steps[i].name;
		if (!zalo_of_text(n) || n.n >= sizeof(name))
			continue;
		sent = sent || ltc_starts(n, "sent");
		(void)snprintf(name, sizeof(name), "%.*s", (int)n.n, n.p);
		zalo_save(op, name, (struct lt_str){ "", 0 }, 0);
	}
	return sent;
}

/* The word of a person is the next try: nothing of the older text is kept then, and this one goes out from its beginning. */
void zalo_of_ask(struct zalo_op *op)
{
	(void)snprintf(op->end_code, sizeof(op->end_code), "part-sent");
	(void)snprintf(op->end_text, sizeof(op->end_text),
		"a part of an earlier text has gone out here: look at it, then lantoa retry sends this one whole");
	op->end = (struct lt_result){ .struct_size = sizeof(op->end),
		.outcome = LT_DEFERRED,
		.scope = LT_SCOPE_TARGET,
		.flags = LT_R_PERSON | LT_R_FREE };
	op->of_saved = true;
	zalo_save(op, "of", ltc_z(op->of), ZSAVE_THEN_END);
}
