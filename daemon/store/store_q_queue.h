/* store_q_queue.h - what the queue methods of the control socket read.
 * Thread: worker, inside a reader's snapshot. Visitors get borrowed rows for the time of the call; a visitor's negative code
 * ends the reading. A waiting or held row of a cancelled or expired lot is shown as what its lot is: the sweep comes later.
 */
#ifndef LANTOA_STORE_Q_QUEUE_H
#define LANTOA_STORE_Q_QUEUE_H

#include "store/store_queue.h"

/* What the lot says of a delivery: why it waits, is held, was cancelled or expired. What was tried has words of its own. */
#define Q_LOT_WHY "CASE WHEN d.state IN (0,5,6,9) THEN l.why END"

/* State as people see it. */
int q_shown_state(int state, int gate);

struct q_lane_sum {
	int64_t lane, oldest_ms; /* oldest: at of the oldest lot that waits; 0: none */
	struct str channel, account, class;
	bool broadcasts;       /* those of the lane; they have a line of their own */
	int64_t n[DLV_STATES]; /* as shown */
};
/* Lanes with anything to say: live lots, and all lots of releases under way. under: office that bounds, 0: all. */
int q_queue_sums(struct store_reader *r, int64_t under,
	int (*row)(void *ctx, const struct q_lane_sum *s), void *ctx) MUST_CHECK;

/* What a person stopped and nobody has let go on: the scope in words, oldest first, at most 200. */
struct q_stop {
	int64_t office; /* 0: not of one office */
	struct str what, person, why;
	int64_t at, until; /* until 0: till it is resumed */
	bool spares_urgent;
};
int q_stops(struct store_reader *r, int64_t now_ms, int (*row)(void *ctx, const struct q_stop *s),
	void *ctx) MUST_CHECK;
/* Those of them that name this release, or cover something of it that is not over. kinds_json: [["mail",1]], channels of the
 * configuration with their kind. */
int q_release_stops(struct store_reader *r, int64_t release, const char *kinds_json, int64_t now_ms,
	int (*row)(void *ctx, const struct q_stop *s), void *ctx) MUST_CHECK;

/* Those of them that may stop something of the scope (of the struct only what names a scope is read). */
int q_scope_stops(struct store_reader *r, const struct sq_gate *scope, const char *kinds_json,
	int64_t now_ms, int (*row)(void *ctx, const struct q_stop *s), void *ctx) MUST_CHECK;

struct q_filter {
	int64_t release, office, channel, lane,
		under;         /* 0: any; office: it and below; under: the caller's bound */
	int part, kind, state; /* -1, 0, -1: any */
	char after[48];        /* cursor, "" from the beginning */
	size_t limit;
};
struct q_dlv {
	int64_t id, due_ms;
	int kind, state, tries;
	bool broadcast;
	int64_t contact,
		gap_at_ms; /* gap: when its address got something over a lane with min_gap; 0: never */
	struct str release, part, office, channel, account, class, address, why;
};
/* Waiting and held deliveries of a lot whose approval is void are not listed. Fills next ("" at the end). Reads at most a few hundred
 * thousand rows a call: a page may be short and still have a next. */
int q_delivery_list(struct store_reader *r, const struct q_filter *f,
	int (*row)(void *ctx, const struct q_dlv *d), void *ctx, char *next,
	size_t size) MUST_CHECK;
/* Why a broadcast still waits: its article; "" when it does not. */
int q_cast_why(struct store_reader *r, int64_t delivery, char *ret, size_t size) MUST_CHECK;
/* One delivery; 1 found, 0 none (or not under). */
int q_delivery_one(struct store_reader *r, int64_t id, int64_t under,
	int (*row)(void *ctx, const struct q_dlv *d), void *ctx) MUST_CHECK;

struct q_attempt {
	int64_t try_no, started_ms, took_ms;
	int outcome, scope;
	struct str code, said, provider_id, url;
};
int q_attempts(struct store_reader *r, int64_t delivery,
	int (*row)(void *ctx, const struct q_attempt *a), void *ctx) MUST_CHECK;
struct q_fact { /* effects, receipts, steps */
	int64_t a, b, at_ms;
	struct str name, value;
};
int q_effects(struct store_reader *r, int64_t delivery,
	int (*row)(void *ctx, const struct q_fact *f), void *ctx) MUST_CHECK;
int q_receipts(struct store_reader *r, int64_t delivery,
	int (*row)(void *ctx, const struct q_fact *f), void *ctx) MUST_CHECK;
int q_steps(struct store_reader *r, int64_t delivery, int (*row)(void *ctx, const struct q_fact *f),
	void *ctx) MUST_CHECK;

/* Names to numbers: 1 found, 0 none. */
int q_office_id(struct store_reader *r, const char *code, int64_t *ret) MUST_CHECK;
int q_campaign_id(struct store_reader *r, const char *name, int64_t *ret) MUST_CHECK;
int q_channel_id(struct store_reader *r, const char *name, int64_t *ret) MUST_CHECK;
int q_lane_id(struct store_reader *r, const char *channel, const char *account, const char *class,
	int64_t *ret) MUST_CHECK;
int q_part_no(struct store_reader *r, int64_t release, const char *name, int64_t *ret) MUST_CHECK;

struct q_route_row {
	struct str office, channel, account;
	int kind;
	int64_t targets;
};
int q_channels_by_office(struct store_reader *r, int64_t under,
	int (*row)(void *ctx, const struct q_route_row *x), void *ctx) MUST_CHECK;

#endif
