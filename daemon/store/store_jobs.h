/* store_jobs.h - beside sending: whom to ask about (polls, statistics), what came in, numbers, and what is pruned of it.
 * Threads: run functions on the store thread, sq_read_* and q_* on a worker with a reader. The user owns every command and what
 * it points to until its done; strings that a visitor gets are borrowed for the visit.
 */
#ifndef LANTOA_STORE_STORE_JOBS_H
#define LANTOA_STORE_STORE_JOBS_H

#include <lantoa/adapter.h>
#include "store/store.h"

#define SQ_ASK_SCAN  1000 /* refs looked at in one snapshot */
#define SQ_ASK_IDS   16   /* ids of one delivery */
#define SQ_STATS_MAX 1024

/* --- whom to ask about ------------------------------------------------------------------------------------------------------- */
struct sq_ask_cursor { /* zero: from the beginning */
	int64_t lane, day;
	char id[256]; /* with the two below: several deliveries may have one */
	int64_t delivery, effect;
};
struct sq_ask_query {
	int64_t account, since_ms; /* accepted since (wall) */
	bool stats; /* what stands published; else what was accepted and has no final receipt */
	size_t max;
	struct sq_ask_cursor *at; /* in, out */
};
struct sq_ask_row {
	int64_t delivery, since_ms;
	bool no_link;       /* no attempt and nobody since told one */
	struct str address; /* absent: forgotten */
	const struct lt_id *ids;
	size_t n_ids;
};
/* Deliveries of an account by the ids that the provider gave, in no order that matters. *ret_more: not at the end yet. */
int sq_read_ask(struct store_reader *r, const struct sq_ask_query *q,
	int (*row)(void *ctx, const struct sq_ask_row *x), void *ctx, bool *ret_more) MUST_CHECK;

/* When the last round of figures of an account was through (wall); 0: never. */
int sq_read_round(struct store_reader *r, int64_t account, int64_t *ret_ms) MUST_CHECK;
#define SQ_ROUND "stats_read_at_ms" /* among the numbers of the account */

/* --- what came in ------------------------------------------------------------------------------------------------------------ */
enum { SQ_IN_SUPPRESSED = 1, SQ_IN_HELD = 2 }; /* inbound.acted */
struct sq_inbound {
	struct store_cmd cmd; /* STORE_CONTROL: full means that the peer sends it again */
	int kind, chan_kind;  /* LT_IN_*; enum chan_kind */
	char channel[64];
	int64_t account, at_ms;                   /* account 0: not known */
	struct str address, text, detail, dedupe; /* owned by the user */
	int reason;     /* enum suppress_reason: the address is suppressed; 0: it is not */
	char list[120]; /* only for the list of that name, where there is one; else everywhere */
	int opt_in; /* OPTIN_*: what it says about advertising; a bare yes counts where it was asked within consent_ms */
	int64_t consent_ms;
	bool held;           /* lanes were held for it */
	bool ret_again;      /* out: it came before, nothing was done */
	bool ret_new;        /* out: suppressed now, and was not before */
	int64_t ret_contact; /* out: the contact of that address; 0: none */
	void *user;
};
void sq_inbound_init(struct sq_inbound *c);

/* --- numbers ----------------------------------------------------------------------------------------------------------------- */
struct sq_number {
	int64_t delivery, account, value; /* delivery 0: of the account */
	char name[48];
};
struct sq_stats {
	struct store_cmd cmd; /* STORE_BULK */
	struct sq_number v[SQ_STATS_MAX];
	size_t n;
	void *user;
};
void sq_stats_init(struct sq_stats *c);
struct q_number {
	struct str name, channel, account;
	int64_t value, at_ms;
};
/* The newest of each name. */
int q_stats(struct store_reader *r, int64_t delivery,
	int (*row)(void *ctx, const struct q_number *n), void *ctx) MUST_CHECK;
int q_account_stats(struct store_reader *r, int (*row)(void *ctx, const struct q_number *n),
	void *ctx) MUST_CHECK;
/* The last GONE or CHANGED of a delivery: 1 found, 0 none. */
int q_fate(struct store_reader *r, int64_t delivery, int64_t *ret_state,
	int64_t *ret_at_ms) MUST_CHECK;

/* --- pruning ----------------------------------------------------------------------------------------------------------------- */
struct sq_jobs_prune {        /* a chunk of <= 20 ms */
	struct store_cmd cmd; /* STORE_BULK */
	char channel[64];
	int64_t inbound_before_ms, refs_before_ms; /* of that channel */
	int64_t seen_before_ms;
	size_t inbound_max; /* rows kept over all channels */
	int64_t ret_rows;
	bool left; /* out */
	void *user;
};
void sq_jobs_prune_init(struct sq_jobs_prune *c);

/* Inside store: an opaque key of what came before. 1: new, 0: seen. */
struct hash;
int store_seen_add(struct store_tx *tx, const struct hash *key) MUST_CHECK;

#endif
