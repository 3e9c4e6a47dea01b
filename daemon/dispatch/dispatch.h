/* dispatch.h - from open lots to settled deliveries: lanes, limits, leases, intents, outcomes, receipts, stops, recovery.
 * Thread: loop. Deterministic: all time and randomness come from opts.env; no mutable statics.
 * Owns: lanes, lots and leases in memory (bounded), its commands in flight. Must not know: plan, ctl, sockets.
 * Order of a delivery: lease (memory) -> compose (worker) -> re-check -> intent committed -> channel_start -> op_done -> outcome
 * committed together with the intents of its successors.
 */
#ifndef LANTOA_DISPATCH_DISPATCH_H
#define LANTOA_DISPATCH_DISPATCH_H

#include "base/calling.h"
#include "base/env.h"
#include "channel/channel.h"
#include "conf/conf.h"
#include "store/store.h"
#include "store/store_import.h"

struct dispatch;

struct dispatch_opts {
	struct env *env;
	struct store *store;
	const struct conf *conf; /* a reference is taken; dispatch_reload swaps it */
	/* The approved skeleton of a key, made again and compared with its digest; worker thread. -ESTALE: it came out different (the lot is held). */
	int (*prepare)(void *ctx, struct store_reader *r, const struct prep_key *key,
		struct prepared **ret, struct err *e);
	void *prepare_ctx;
	/* The public address of a file that goes as a link, good until then; pure, worker thread. `ending`: of its name. 0, or -ENOENT
	 * where the configuration has none. NULL: never one */
	int (*link_url)(void *ctx, const struct conf *conf, const struct asset_id *id,
		const char *ending, int64_t until_ms, char *dst, size_t size);
	void *link_ctx;
	/* A part's lots changed so that "after" or "done" may be decided; loop thread; coalesced. */
	void (*on_progress)(void *ctx, int64_t release_id, uint32_t part);
	void *progress_ctx;
	struct calling crashed; /* what an adapter had in its hands when the last process ended */
};
struct dispatch *dispatch_new(const struct dispatch_opts *o);
/* The events table to give to channels_bind; then dispatch_attach with the opened channels, then dispatch_start. */
void dispatch_events(struct dispatch *d, struct channel_events *ret);
int dispatch_attach(struct dispatch *d, struct channels *cs, struct err *e)
	MUST_CHECK; /* rows for channels, accounts, lanes are made by a store command */
void dispatch_start(struct dispatch *
		d); /* recovery: sending rows of older epochs become unknown (or waiting for repeatable steps); then scan */
void dispatch_stop(struct dispatch *d, void (*done)(void *ctx),
	void *ctx); /* no new intents; drains; outcomes committed; then done */
void dispatch_free(struct dispatch *d);
/* Whole or not at all: refused (-E2BIG), the old ones stay in force and conf and cs are not kept. */
int dispatch_reload(
	struct dispatch *d, const struct conf *conf, struct channels *cs, struct err *e) MUST_CHECK;
/* These channels will be freed: nobody of them is told any more. */
void dispatch_channels_forget(struct dispatch *d, const struct channels *cs);
/* Targets have gone from one lane to another (copied): what waits for them follows, as far as it was approved for that channel. */
void dispatch_reroute(struct dispatch *d, const struct lane_move *v, size_t n);
/* What the rows of this key are sent as, compared by plan with what was approved: a reference is taken, where there is room. */
void dispatch_prepared(struct dispatch *d, const struct prep_key *key, struct prepared *p);
/* Its approval is void by what was just committed: nothing of it starts from here on, begun ops get no further publishing step. */
void dispatch_release_void(struct dispatch *d, int64_t release_id);
/* Targets or suppressions have changed (an import): what was read before is read again before it goes. */
void dispatch_targets_changed(struct dispatch *d);
void dispatch_scan(struct dispatch *d); /* lots or gates changed in the store: look again, soon */

/* Stops. What is stopped: release (id), part (release,part), office subtree, campaign, lane, channel, kind, everything. */
enum stop_verb {
	STOP_HOLD = 1,
	STOP_RESUME = 2,
	STOP_CANCEL = 3,
	STOP_PAUSE = 4 /* lane or channel */
};
struct stop_scope {
	int64_t release_id, office_id, campaign_id, lane_id, channel_id; /* 0: any */
	int32_t part;                                                    /* -1: any */
	int kind;                                                        /* 0: any */
	bool all;
	char text[200]; /* for gate.what and audit: "release:TTBC-2026-112@2026 part:press" */
};
struct stop_request {
	enum stop_verb verb;
	struct stop_scope scope;
	int64_t until_ms;               /* 0: until resumed */
	int except_prio;                /* -1: none; PRIO_URGENT: urgent goes on */
	const char *person, *via, *why; /* borrowed until done */
	int64_t *
		ret_lifted; /* borrowed until done; resume: holds, lots, parts and lanes that it let go; NULL: not asked */
	/* Called after the commit: lots touched, deliveries that were waiting in them, and how many may still reach the provider
	 * because the kernel already has bytes of them. */
	void (*done)(void *ctx, int rc, const struct err *e, int64_t lots, int64_t deliveries,
		int64_t on_wire);
	void *ctx;
};
/* From its return on no new publishing byte of the scope starts; done says so to the caller. The request is copied. */
void dispatch_stop_scope(struct dispatch *d, const struct stop_request *r);

/* Acts on single deliveries: retry (failed, held -> waiting), resolve (unknown, doubt, held -> by word), cancel (waiting, held). */
enum act_verb {
	ACT_RETRY = 1,
	ACT_RESOLVE_SENT = 2,
	ACT_RESOLVE_ABSENT = 3,
	ACT_RESOLVE_DROP = 4,
	ACT_CANCEL = 5
};
struct act_request {
	enum act_verb verb;
	const int64_t *deliveries; /* copied; at most 10,000 */
	size_t n;
	const char *link; /* resolve sent */
	const char *person, *via, *why;
	/* Each that could not be moved is named with its state. */
	void (*done)(void *ctx, int rc, const struct err *e, size_t changed, size_t refused);
	void *ctx;
};
void dispatch_act(struct dispatch *d, const struct act_request *r);

/* Facts for status and metrics. */
struct dispatch_lane_facts {
	const char *channel, *account, *class; /* borrowed for the visit */
	int64_t lane_id;
	uint32_t in_flight, concurrency, intents_open, intents_limit, ready,
		breaker; /* breaker 0 closed 1 open 2 probing */
	double tokens, rate_per_s;
	int64_t next_ms; /* when it may go on; 0 now */
	char why[120];   /* why it waits: "outside hours until …", "paused by …" */
	uint64_t done, deferred, refused, unknown;
};
void dispatch_lanes(struct dispatch *d,
	void (*visit)(void *ctx, const struct dispatch_lane_facts *f), void *ctx);
size_t dispatch_intents_open(const struct dispatch *d);
size_t dispatch_memory_rows(
	const struct dispatch *d); /* leases and lots held in memory, for the bound */
/* One-click unsubscribe: token checked, suppression row and audit committed, then done(ctx, rc). */
void dispatch_unsubscribe(
	struct dispatch *d, struct str token, void (*done)(void *ctx, int rc), void *ctx);

#endif
