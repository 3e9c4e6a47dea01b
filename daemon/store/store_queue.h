/* store_queue.h - the queue in the database: leases (read), intents, outcomes, counters, gates, recovery, receipts, acts.
 * Threads: run functions on the store thread, sq_read_* on a worker with a reader. Dispatch owns every command and all that
 * it points to until its done; strings that a visitor gets are borrowed for the visit.
 * Only sq_tally_* moves a lot's counters; every state goes through dlv_move.
 */
#ifndef LANTOA_STORE_STORE_QUEUE_H
#define LANTOA_STORE_STORE_QUEUE_H

#include <lantoa/adapter.h>
#include "model/outcome.h"
#include "store/store.h"
#include "store/store_cast.h"

#define SQ_TURN_MAX  1024 /* outcomes, and intents, of one command */
#define SQ_LEASE_MAX 256
#define SQ_ACT_MAX   500 /* deliveries of one act command */
#define SQ_WHY \
	"!why" /* row of `step` that says why a delivery is held, failed or suppressed; never shown to adapters */

/* --- the turn: outcomes first, then intents ------------------------------------------------------------------------- */

enum sq_verb {
	SQ_OUTCOME = 1, /* an attempt ended: sending -> to; the attempt row */
	SQ_REVOKE =
		2,   /* an unused intent: sending -> waiting, the try given back, no attempt row */
	SQ_MOVE = 3, /* waiting -> suppressed or held, never tried */
	SQ_PUSH = 4  /* waiting stays, later */
};
struct sq_money; /* store_money.h */
struct sq_outcome {
	enum sq_verb verb;
	enum dlv_state to;
	int64_t delivery, lot, contact, lane;
	uint32_t tries; /* as the row has it */
	bool give_back; /* the row's tries are lowered by one */
	int64_t due_ms; /* relative to lot.at; -1: as it is */
	int64_t started_ms, took_ms;
	int outcome, scope;
	uint32_t flags;
	struct str code, said, url, trace_in, trace_out; /* trace: exchange record, absent: none */
	const struct lt_id *ids;
	size_t n_ids;
	const char *why; /* NULL: nothing to say */
	enum suppress_rule rule;
	bool receipts;        /* ids are kept as refs */
	int64_t settle_by_ms; /* with receipts */
	bool stepped;         /* has rows in `intent` */
	const struct sq_money
		*money; /* what the intent was counted on is given back; NULL: nothing is */
	int64_t cost;
	int64_t over_lane; /* refused here, but another way may reach it: waits there if that is approved, else it is failed; 0: not */
	bool applied;      /* out: false, somebody else decided */
};
struct sq_hold { /* a scope-wide effect of an outcome */
	int64_t release,
		lane; /* lots of the release on the lane are held; release 0: the lane itself */
	int64_t lot;  /* this lot alone; 0: as above */
	char why[160];
};
struct sq_outcomes {
	struct store_cmd cmd; /* STORE_OUTCOME */
	struct sq_outcome **v;
	size_t n;
	struct sq_hold *holds;
	size_t n_holds;
	const struct suppress_numbers *numbers;
	void *user;
};
void sq_outcomes_init(struct sq_outcomes *c); /* sets class and run */

enum sq_grant {
	SQ_GRANTED = 1,
	SQ_GONE = 2,   /* the row is not what the lease saw */
	SQ_CLOSED = 3, /* the lot is not open or not approved any more */
	SQ_GAP = 4,    /* min_gap, or advertising per recipient: gap_due_ms says when */
	SQ_BUDGET = 5, /* meter says which of money is used up, `used` how far */
	SQ_CAST = 6    /* the allowance of broadcasts is spent: cast.over, cast.used */
};
struct sq_cast_ask {          /* asked again in the transaction of the intent */
	int64_t release, rev; /* release 0: no broadcast */
	struct cast_limits limits;
	struct cast_count count;
	enum cast_over over;   /* out, with SQ_CAST */
	struct cast_used used; /* out, with SQ_CAST */
};
struct sq_intent {
	int64_t delivery, lot, contact;
	uint32_t tries;
	int64_t due_ms; /* as leased, the guard */
	bool stepped; /* the adapter asks for intents by step: a marker row says that nothing is published yet */
	int64_t min_gap_ms;
	bool asks; /* a message that asks for consent to advertising: to each contact once */
	const struct sq_money *money; /* budgets of its lot; NULL: none */
	int64_t cost;                 /* in đồng */
	enum sq_grant grant;          /* out */
	int64_t gap_due_ms;           /* out, wall */
	int64_t used;                 /* out, with SQ_BUDGET */
	int meter;
	bool over_dong; /* else over its messages */
	struct sq_cast_ask cast;
};
struct sq_step_intent { /* a publishing step of a delivery that is sending */
	int64_t delivery;
	char step[64];
	bool repeatable;
	bool granted; /* out */
};
struct sq_bucket_row { /* lane 0: the group of that name */
	int64_t lane;
	const char *group;
	double tokens;
	int64_t at_ms, until_ms;
};
struct sq_intents {
	struct store_cmd cmd; /* STORE_INTENT */
	struct sq_intent **v;
	size_t n;
	struct sq_step_intent **steps;
	size_t n_steps;
	struct sq_bucket_row *buckets;
	size_t n_buckets;
	void *user;
};
void sq_intents_init(struct sq_intents *c);

/* --- reading -------------------------------------------------------------------------------------------------------- */

struct sq_lot_row {
	int64_t id, release, rev, part, lane, office, at_ms, expires_ms, n[DLV_STATES],
		settle_by_ms;
	int64_t campaign, camp_first_ms, camp_last_ms;
	int64_t cost_max; /* of its part; -1: none */
	struct hash manifest;
	int gate, prio, category;
	bool approved; /* its manifest is the approved one and the release may send */
	bool broadcast;
	struct str release_name, part_name, office_code;
};
/* Lots that have anything waiting, sending, unknown or held, by id after `after`, at most `max`. */
int sq_read_lots(struct store_reader *r, int64_t after, size_t max,
	int (*row)(void *ctx, const struct sq_lot_row *l), void *ctx) MUST_CHECK;

struct sq_lease_query {
	int64_t lot, now_due_ms;        /* relative to lot.at */
	int64_t now_ms;                 /* wall: offices have dates */
	int64_t after_due_ms, after_id; /* cursor; after_id 0: from the beginning */
	size_t max;
	int category;
	bool with_gap, with_steps, lists, consent;
	int64_t cast_release, cast_rev; /* of a lot of broadcasts; 0: it is none */
};
struct sq_lease_row {
	int64_t delivery, contact, target, due_ms;
	uint32_t tries;
	int kind;
	struct str address, name, form, class, lang, vars; /* vars: JSON or absent */
	bool removed; /* its target or that one's office is gone, and no other office or list has the contact */
	int suppressed;    /* enum suppress_reason; 0: not */
	int consent;       /* enum consent_state, where it was asked for */
	bool consent_by;   /* asked, by this very delivery */
	int64_t gap_at_ms; /* last delivery to the contact; 0: none known */
	bool was_unknown;  /* an earlier attempt ended unknown */
	int64_t first_ms;  /* first attempt; 0: none */
	int64_t list;      /* the list it is on, for its opt-out; 0: none */
	const struct lt_pair *steps;
	size_t n_steps;
	const struct cast_articles *cast; /* of a broadcast; else NULL */
};
struct sq_lease_end {
	size_t rows;
	bool drained;        /* nothing more is due after the cursor */
	int64_t next_due_ms; /* drained: the next that is waiting; -1: none */
};
int sq_read_lease(struct store_reader *r, const struct sq_lease_query *q,
	int (*row)(void *ctx, const struct sq_lease_row *l), void *ctx,
	struct sq_lease_end *ret) MUST_CHECK;

struct sq_gate {
	int64_t id, release, office, campaign, lane, channel, until_ms;
	int part, kind, except_prio;
	bool all;
	char person[80], why[160], text[200];
};
int sq_read_gates(struct store_reader *r, int (*row)(void *ctx, const struct sq_gate *g),
	void *ctx) MUST_CHECK;
int sq_read_offices(struct store_reader *r, int (*row)(void *ctx, int64_t id, int64_t parent),
	void *ctx) MUST_CHECK;
struct sq_lane_row {
	int64_t id, account_id, channel_id;
	struct str channel, account, class, why;
	int gate;
	double tokens;
	int64_t tokens_at_ms, until_ms;
};
int sq_read_lanes(struct store_reader *r, int (*row)(void *ctx, const struct sq_lane_row *l),
	void *ctx) MUST_CHECK;
int sq_read_group(struct store_reader *r, const char *group, double *ret_tokens,
	int64_t *ret_at_ms) MUST_CHECK; /* 1 found, 0 none */

/* Unknown deliveries whose next question is due; addresses for the question. */
struct sq_unknown_row {
	int64_t delivery, lot, contact, due_ms, since_ms;
	uint32_t tries;
	struct str address, ref_ids; /* ids kept so far, "effect:id" lines */
	const struct lt_pair *steps; /* what save() kept */
	size_t n_steps;
};
int sq_read_unknown(struct store_reader *r, int64_t lot, int64_t now_due_ms, size_t max,
	int (*row)(void *ctx, const struct sq_unknown_row *u), void *ctx,
	int64_t *ret_next_due_ms) MUST_CHECK;

/* --- stops ---------------------------------------------------------------------------------------------------------- */

struct sq_scope { /* as struct stop_scope, with the channels of its kind named */
	int64_t release, office, campaign, lane, channel;
	int part, kind;
	bool all;
	char channels_json[2048]; /* of `kind`: "[1,2]"; "" without kind */
	char text[200];
};
enum sq_stop_verb { SQ_HOLD = 1, SQ_RESUME = 2, SQ_CANCEL = 3 };
struct sq_stop {
	struct store_cmd cmd; /* STORE_CONTROL */
	enum sq_stop_verb verb;
	struct sq_scope scope;
	int64_t until_ms;
	int except_prio;
	char person[80], via[200], why[400];
	const char *what; /* audit verb: "lot.hold", "lane.pause" */
	/* resume: the channels of each kind, for holds by kind that the scope does not name; "" none */
	char kind_channels[KIND_MAX + 1][2048];
	/* out; resume: lots that were held, by a gate of the scope, by the machine or by their lane, with what waits in them */
	int64_t ret_lots, ret_deliveries, ret_gates;
	int64_t ret_lifted; /* resume: holds taken away, lots and parts opened, lanes let go */
	int64_t gate_id;    /* out: hold */
	void *user;
};
void sq_stop_init(struct sq_stop *c);

/* --- single deliveries ---------------------------------------------------------------------------------------------- */

enum sq_act_verb { SQ_RETRY = 1, SQ_SENT = 2, SQ_ABSENT = 3, SQ_DROP = 4, SQ_ACT_CANCEL = 5 };
struct sq_act {
	struct store_cmd cmd; /* STORE_CONTROL */
	enum sq_act_verb verb;
	int64_t *v; /* at most SQ_ACT_MAX */
	size_t n;
	int64_t *settle_by; /* unused lanes: NULL */
	char person[80], via[200], why[400], link[400];
	int64_t *moved; /* out: those that changed, room for n */
	size_t n_moved;
	char refused[400]; /* out: "12 is sending; ..." of the first few */
	void *user;
};
void sq_act_init(struct sq_act *c);

/* --- background ----------------------------------------------------------------------------------------------------- */

struct sq_settle_item {
	int64_t delivery, lot;
	uint32_t
		tries; /* as the row had it when the question began: a later try is not settled by an older question */
	int to;         /* enum dlv_state; -1: next question only */
	int64_t due_ms; /* relative to lot.at */
	bool by_policy;
	char by[48]; /* audit: "provider", "policy:assume_accepted" */
	struct str code;
	int64_t lane; /* ids kept as refs of it; 0: none */
	const struct lt_id *ids;
	size_t n_ids;
	struct str url;       /* of what was found; kept beside the attempts, which never change */
	uint32_t crashes_max; /* absent: held as poison after so many crashes; 0: never */
	bool applied;         /* out */
	bool held; /* out: it waits to go again, and the provider says that it has it: a person looks */
};
struct sq_settle {
	struct store_cmd cmd; /* STORE_OUTCOME: what the provider said is not lost */
	struct sq_settle_item *v;
	size_t n;
	void *user;
};
void sq_settle_init(struct sq_settle *c);

struct sq_recover {           /* at start, before the first intent: chunks until `left` is false */
	struct store_cmd cmd; /* STORE_CONTROL */
	const int64_t *
		crashed; /* an adapter had these in its hands when the daemon ended: the second time they are set aside */
	size_t n_crashed;
	bool asked; /* those of them that were only asked about were settled by an earlier chunk */
	int64_t ret_unknown, ret_waiting, ret_held;
	bool left; /* out */
	void *user;
};
void sq_recover_init(struct sq_recover *c);

struct sq_sweep { /* waiting and held rows of a lot whose gate is cancelled or expired; a chunk of <= 20 ms */
	struct store_cmd cmd; /* STORE_BULK */
	int64_t lot;
	int64_t ret_rows;
	bool left; /* out */
	void *user;
};
void sq_sweep_init(struct sq_sweep *c);
struct sq_expire { /* lots whose time is over get the gate; gates whose `until` has passed go */
	struct store_cmd cmd; /* STORE_CONTROL */
	int64_t ret_lots, ret_gates;
	void *user;
};
void sq_expire_init(struct sq_expire *c);

struct sq_receipt {
	struct store_cmd cmd; /* STORE_OUTCOME */
	int64_t account_id;   /* refs of its lanes are looked through */
	int64_t channel_id;   /* account_id 0: refs of all lanes of that channel */
	int64_t delivery;     /* by our ref; 0: by ids */
	int try_no; /* low 8 bits of the try of an answer that came late; 0: no attempt is named (an orphan forgets it) */
	/* the user's: candidates, one a line; a last line of @ and sq_receipt_phone in hex: a hit elsewhere is none */
	const char *ids;
	int state;        /* LT_RC_* or LT_* */
	const char *link; /* the user's: of LT_RC_LINK; NULL otherwise */
	bool final;
	bool at_given;                       /* at_ms is the provider's own time */
	int64_t at_ms, retry_ms, give_up_ms; /* no delivery yet: kept as an orphan until */
	char code[80];
	int64_t oldest_day;            /* the store's own */
	int64_t ret_lot, ret_delivery; /* out: 0, an orphan */
	int ret_from, ret_to;          /* out: -1, no move */
	bool ret_again;                /* out: it was there already */
	int64_t orphan_id;             /* this is one tried again */
	void *user;
};
void sq_receipt_init(struct sq_receipt *c);
struct sq_receipts {          /* many at once, all or none */
	struct store_cmd cmd; /* STORE_OUTCOME */
	struct sq_receipt **v;
	size_t n;
};
void sq_receipts_init(struct sq_receipts *c);
uint64_t sq_receipt_phone(struct str address); /* 0: no phone number */
#define SQ_PHONE_LINE 18 /* bytes of such a last line: @, sixteen digits, line feed */
int sq_read_orphans(struct store_reader *r, int64_t now_ms, size_t max,
	int (*row)(void *ctx, const struct sq_receipt *o), void *ctx) MUST_CHECK;

/* A delivery's checkpoints are read whole or not kept: one that went missing would be "not begun". */
#define SQ_STEPS_MAX  64
#define SQ_STEP_BYTES 1024    /* name and value */
struct sq_save {              /* a durable checkpoint of a delivery; empty value: forget */
	struct store_cmd cmd; /* STORE_OUTCOME; -E2BIG: too long, or too many */
	int64_t delivery;
	char name[64];
	struct str value; /* owned by the user */
	void *user;
};
void sq_save_init(struct sq_save *c);
#define SQ_LIST_ADS (-1) /* instead of a list: advertising, whoever sends it */
struct sq_optout {
	struct store_cmd cmd;  /* STORE_CONTROL */
	int64_t contact, list; /* list 0: everywhere; SQ_LIST_ADS */
	char address[320];     /* or, contact 0: kind and address */
	int kind, reason;
	char via[80];
	bool ret_new;
	void *user;
};
void sq_optout_init(struct sq_optout *c);

/* Rows for what the configuration names: channel, account, lane. */
struct sq_setup_lane {
	const char *channel, *adapter, *account, *class; /* borrowed until done */
};
struct sq_setup {
	struct store_cmd cmd; /* STORE_CONTROL */
	struct sq_setup_lane *v;
	size_t n;
	void *user;
};
void sq_setup_init(struct sq_setup *c);

/* --- counters: inside store only -------------------------------------------------------------------------------------- */

struct sq_tally_lot {
	int64_t lot, settle_by_ms;
	int64_t d[DLV_STATES];
};
struct sq_tally {
	struct sq_tally_lot *v;
	size_t n, cap;
	uint32_t *slot; /* open addressing over v, 1-based */
	size_t slots;
};
void sq_tally_init(struct sq_tally *t);
void sq_tally_done(struct sq_tally *t);
/* One delivery of the lot went from -> to: asserts the move. */
void sq_tally_move(struct sq_tally *t, int64_t lot, enum dlv_state from, enum dlv_state to);
void sq_tally_add(
	struct sq_tally *t, int64_t lot, enum dlv_state from, enum dlv_state to, int64_t n);
void sq_tally_settle_by(struct sq_tally *t, int64_t lot, int64_t at_ms);
int sq_tally_write(struct sq_tally *t, struct store_tx *tx) MUST_CHECK; /* one UPDATE a lot */

#endif
