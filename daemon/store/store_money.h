/* store_money.h - what a delivery costs and whether it may: durable counters of budgets, and advertising per recipient.
 * Thread: store, inside the turn of dispatch: a counter moves in the same transaction as the intent that uses it, and goes back
 * with the outcome that proves it unused. Counters are rows of `quota`; advertising that a contact got is `ad_sent`.
 * Owns: struct sq_money is shared by the copies of a lot and counted by references, on the loop thread only.
 */
#ifndef LANTOA_STORE_STORE_MONEY_H
#define LANTOA_STORE_STORE_MONEY_H

#include "model/money.h"
#include "store/store_queue.h"

#define SQ_METERS_MAX 24
#define SQ_AD_KEEP_MS  \
	(INT64_C(30) * \
		86400000) /* how long "got advertising" is remembered, for what "no more" means */

struct sq_meter {
	char scope[72];                 /* "office:12" */
	char window[MONEY_WINDOW_MAX];  /* "2026-11" */
	int64_t dong_max, messages_max; /* 0: no limit of this kind */
	int64_t end_ms;                 /* of the window */
	char name[96];                  /* as the configuration calls it: "office dien-bien" */
	bool waits; /* when it is used up, sending waits for the next window; else a person decides */
	int reach; /* who stops: enum sq_reach */
};
enum sq_reach {
	SQ_REACH_LOT = 0,
	SQ_REACH_RELEASE = 1,
	SQ_REACH_LANE = 2,
	SQ_REACH_ACCOUNT = 3,
	SQ_REACH_CHANNEL = 4
};
struct sq_money {
	int refs;
	size_t n;
	struct sq_meter v[SQ_METERS_MAX];
	uint32_t ad_max; /* advertising to one contact in ad_window_ms; 0: no limit */
	int64_t ad_window_ms;
};
/* What is used of a meter. */
struct sq_meter_used {
	int64_t dong, messages;
};
int sq_meter_read(
	struct db *db, const char *scope, const char *window, struct sq_meter_used *ret) MUST_CHECK;

/* Inside the turn; a cache of counters that lives for one transaction. */
struct sq_till;
struct sq_till *sq_till_new(void);
void sq_till_free(struct sq_till *t); /* NULL allowed */
/* May this intent go? Sets grant SQ_BUDGET (with it->meter and it->left) or SQ_GAP where it may not; *ret_may says. */
int sq_till_ask(
	struct sq_till *t, struct store_tx *tx, struct sq_intent *it, bool *ret_may) MUST_CHECK;
int sq_till_take(struct sq_till *t, struct store_tx *tx, const struct sq_intent *it) MUST_CHECK;
int sq_till_give_back(
	struct sq_till *t, struct store_tx *tx, const struct sq_outcome *o) MUST_CHECK;
int sq_till_write(struct sq_till *t, struct store_tx *tx) MUST_CHECK;

/* What "no more" in a text means: SUPPRESS_ADS where the contact got advertising in the last 30 days, else everything (""). */
int sq_optout_list(struct store_tx *tx, int64_t contact, char *list, size_t size) MUST_CHECK;
/* Class of destination of a lane; "" where it has none. */
int sq_lane_class(struct db *db, int64_t lane, char *dst, size_t size) MUST_CHECK;

/* A lot as money sees it. */
struct sq_lot_money {
	int64_t account_id, waiting;
	char class[64];
};
int sq_lot_money_get(struct db *db, int64_t lot, struct sq_lot_money *ret) MUST_CHECK;
/* What the provider said last of the account's balance, not before since_ms; 1 found, 0 not. */
int sq_balance_get(struct db *db, int64_t account, int64_t since_ms, int64_t *ret) MUST_CHECK;

/* Names of the configuration -> rows; 0 where there is none (yet). */
int sq_read_named(
	struct store_reader *r, bool office, const char *name, int64_t *ret_id) MUST_CHECK;

#endif
