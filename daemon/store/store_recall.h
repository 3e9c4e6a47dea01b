/* store_recall.h - taking back what was published: who asked, how often it was tried, what came of it. Facts beside the deliveries'
 * states. Order: asked (committed) -> begun (committed before the call) -> its end. Asking for the same one twice does no harm.
 */
#ifndef LANTOA_STORE_STORE_RECALL_H
#define LANTOA_STORE_STORE_RECALL_H

#include <lantoa/adapter.h>
#include "store/store.h"

#define RECALL_ASK_MAX 10000
#define RECALL_IDS_MAX 1024

enum recall_state {
	RECALL_ASKED = 0,
	RECALL_ON = 1,
	RECALL_GONE = 2,
	RECALL_REFUSED = 3,
	RECALL_UNKNOWN = 5,
	RECALL_UNNEEDED = 6
};
const char *recall_state_name(int s); /* NULL: no such state */

/* Asks for all of a scope that went out or may have, on the channels named. -E2BIG: more than RECALL_ASK_MAX, nothing is asked. */
struct store_recall_ask {
	struct store_cmd cmd;    /* STORE_CONTROL */
	int64_t release, office; /* office 0: any; else it and all below */
	int part;                /* -1: any */
	const char *channels;    /* JSON list of channel names; borrowed until done, as all text */
	const char *subject, *person, *via, *why;
	int64_t asked;       /* out */
	int64_t by_kind[16]; /* out: all of the scope that can be, those asked before included */
};
void store_recall_ask_init(struct store_recall_ask *c);

struct store_recall_begin {
	struct store_cmd cmd; /* STORE_INTENT */
	int64_t delivery;     /* 0: instead, those that a crash left under way are asked anew */
	bool begun;           /* out: it was still asked for */
};
void store_recall_begin_init(struct store_recall_begin *c);

struct store_recall_end {
	struct store_cmd cmd; /* STORE_OUTCOME */
	int64_t delivery;
	enum recall_state to; /* RECALL_ASKED: again at due */
	int64_t due_ms;
	char code[80], said[200];
};
void store_recall_end_init(struct store_recall_end *c);

struct recall_row {
	int64_t delivery, release, lane, office, asked_ms, at_ms, due_ms, tries;
	int state, dlv_state, kind;
	struct str address, channel, account, office_code, code, said;
	char ids[RECALL_IDS_MAX]; /* "effect:id" lines */
	const struct lt_pair *steps;
	size_t n_steps;
};
/* What the provider gave for a delivery: of its effects, of the try that was accepted; "effect:id" lines, "" when there are none. */
int store_recall_ids(struct store_reader *r, int64_t delivery, char *ret, size_t size) MUST_CHECK;
/* Due ones behind (after_ms, after_id), oldest first; *ret_next: when the next is due after now (0: none). */
int store_recall_due(struct store_reader *r, int64_t now_ms, int64_t after_ms, int64_t after_id,
	size_t max, int (*row)(void *ctx, const struct recall_row *x), void *ctx,
	int64_t *ret_next) MUST_CHECK;
/* Of a release; ids and steps are left out. */
int store_recall_list(struct store_reader *r, int64_t release, int64_t after, size_t max,
	int (*row)(void *ctx, const struct recall_row *x), void *ctx) MUST_CHECK;
/* Of a delivery: 1 found, 0 none. */
int store_recall_one(struct store_reader *r, int64_t delivery,
	int (*row)(void *ctx, const struct recall_row *x), void *ctx) MUST_CHECK;

#endif
