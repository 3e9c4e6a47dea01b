/* smpp_tries.c - how many tries of a delivery ended with the same status (contract 1.5: "2 tries, then ..."). Tries that ended otherwise do
 * not count: a text put off for a phone that was off is not refused, nor its release held, at the first hiccup of the server.
 * Thread: loop. Owns: nothing. Limits: the table belongs to the account and is memory only; what is pushed out of it, or forgotten at a
 * restart, is counted anew, and the lane's `tries` bounds it all. */
#include <stdlib.h>
#include "smpp.h"

static struct smpp_tried *slot_of(
	const struct smpp_inst *si, uint64_t delivery, uint32_t status, uint32_t *ret_tag)
{
	const uint64_t key[] = { delivery, status };
	uint64_t h = ltc_hash(LTC_HASH_SEED, (struct lt_str){ (const char *)key, sizeof(key) });

	*ret_tag = (uint32_t)(h >> 32) | 1;
	return &si->tried[h % SMPP_TRIED];
}

uint32_t smpp_tries_count(struct smpp_inst *si, const struct smpp_msg *m, uint32_t status)
{
	uint32_t tag;
	struct smpp_tried *t = slot_of(si, m->delivery, status, &tag);
	uint16_t try_no = m->try_no > UINT16_MAX ? UINT16_MAX : (uint16_t)m->try_no;

	if (t->tag != tag || try_no < t->try_no)
		*t = (struct smpp_tried){ tag, try_no, 1 };
	else if (try_no != t->try_no) { /* several segments of one try are one */
		t->try_no = try_no;
		t->n = t->n < UINT16_MAX ? (uint16_t)(t->n + 1) : t->n;
	}
	return t->n;
}
