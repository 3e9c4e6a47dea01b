/* dispatch_internal.h - the objects of dispatch, for its own files only.
 * Thread: loop, but for struct dfill between env_work and its done, which belongs to the worker.
 * Life of a copy: pool -> fill (worker: leased, composed) -> lot->ready -> intent (turn) -> lane->go -> started -> outcome
 * (turn) -> pool. A lease is memory only: a copy that is dropped before its intent is simply waiting again.
 */
#ifndef LANTOA_DISPATCH_DISPATCH_INTERNAL_H
#define LANTOA_DISPATCH_DISPATCH_INTERNAL_H

#include "base/assert.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "base/metrics.h"
#include "dispatch/dispatch.h"
#include "dispatch/dispatch_money.h"
#include "model/backoff.h"
#include "model/breaker.h"
#include "model/bucket.h"
#include "model/fair.h"
#include "model/outcome.h"
#include "model/window.h"
#include "store/store_queue.h"

#define D_LOTS_MAX        65536
#define D_COPIES_MAX      16384
#define D_FILLS_MAX       2  /* workers filling at once: readers of people need the others */
#define D_FILL_LOTS       16 /* lots of one fill */
#define D_FILL_VOIDS      16 /* opt-outs that one fill under way takes note of */
#define D_PREPS_PER_LOT   32 /* kinds of address x language that one fill knows */
#define D_PREP_BYTES_MAX  (8u << 20)
#define D_PREP_MAX        4096
#define D_BATCH_MAX       50
#define D_READY_MAX       2048  /* composed copies of a lane */
#define D_LEASE_MS        60000 /* a composed copy older than this is leased anew */
#define D_SCAN_EVERY_MS   10000
#define D_SETTLE_EVERY_MS 1000
#define D_SETTLE_ROWS     256
#define D_RECONS_MAX      64 /* questions under way */
#define D_SWEEP_PAUSE_MS  5
#define D_GATES_MAX       4096
#define D_LANES_MAX       65536
#define D_IDS_MAX         16
#define D_TRACE_MAX       32768
#define D_IDLE_MS         30000 /* an account without work lets its sessions go */
#define D_RETRY_MS        1000  /* after a refusal by the store */
#define D_ORPHAN_RETRY_MS 5000
#define D_RECEIPTS_MAX    512 /* stored by one command */
#define D_ORPHAN_LIFE_MS  (INT64_C(72) * 3600 * 1000)

/* What keeps a lane from sending, in the words that people read. */
#define WHY_PAUSED  "paused by the provider"
#define WHY_BREAKER "trouble: breaker open"

#define D_MAGIC    0x64697370u
#define COPY_MAGIC 0x636f7079u
#define LANE_MAGIC 0x6c616e65u
#define LOT_MAGIC  0x6c6f7464u

struct dchan {
	int64_t id;
	struct channel *chan;            /* borrowed from the host; NULL: not configured any more */
	const struct conf_channel *conf; /* of d->conf */
	char name[64];
	uint64_t caps;
};

struct dgroup {           /* a bucket that several lanes draw from */
	struct list node; /* d->groups */
	char name[140];   /* channel/group */
	struct bucket bucket;
	bool dirty;
};

struct dacct {
	struct list node; /* d->accts */
	struct dispatch *d;
	int64_t id;
	struct dchan *chan;
	struct chan_account *acct; /* NULL: not configured any more */
	const struct conf_account *conf;
	char name[64];
	uint32_t credits; /* ops that may be started now */
	uint32_t in_flight, limit_told;
	bool up;          /* a session told credits since the last trouble */
	char trouble[80]; /* what the last one said; empty once a session is up */
	struct list lanes;
	struct dgroup *groups[8];
	size_t n_groups;
	struct timer idle;
	struct djob *jobs[2]; /* of dispatch_jobs.c: polls, statistics */
};

struct dlane {
	uint32_t magic;
	struct list node;   /* d->lanes */
	struct list a_node; /* acct->lanes */
	struct list dirty;  /* d->dirty */
	struct dispatch *d;
	struct dacct *acct;
	int64_t id;
	char class[48];
	const struct conf_lane *conf;    /* of d->conf; NULL: not configured any more */
	struct conf_lane last;           /* what it was: what is under way ends by it */
	struct window hours, cast_hours; /* cast_hours: of broadcasts */
	struct bucket bucket;
	struct breaker breaker;
	struct pace pace;
	struct fair_share share;
	int64_t until_ms; /* paused by the provider, wall */
	int64_t login_until_ms; /* until_ms, where it is the pause of a session that could not come up; a reload tries anew */
	int64_t quiet_until_ms; /* calls are limited: nothing is asked either */
	int64_t quota_until_ms; /* used up: until the next day or month, or the next configuration */
	char quota_why[160];
	int64_t gap_until_ms; /* min_gap: until then some of its rows wait for their address; a fact, no stop of the lane */
	bool until_ours; /* until_ms is of this process, not of the store */
	bool held, bucket_dirty;
	char why[160];
	struct map64 *flows;    /* release -> struct dflow */
	struct list ring[2];    /* flows with ready copies: urgent, others */
	struct list want[2];    /* flows with lots that want a fill: urgent, others */
	struct list go;         /* copies with a committed intent */
	uint32_t n_ready_of[2]; /* urgent, others */
	uint32_t n_ready, n_go, in_flight, intents, fills, n_lots;
	double rate; /* outcomes a second, smoothed */
	int64_t rate_at_ms;
	uint32_t rate_n;
	uint32_t n_casts; /* lots of broadcasts */
	struct timer timer;
	uint64_t done, deferred, refused, unknown, told_at[4];
	struct metric *m_outcome[4], *m_open, *m_ready; /* borrowed from the registry */
	struct metric *m_send;
	int64_t told_ms;    /* last summary line */
	struct dover *over; /* of dispatch_backup.c; NULL: its account has no backup and is none */
};

struct dflow {            /* a release on a lane */
	struct list node; /* lane->ring */
	bool active, urgent;
	int64_t release;
	uint32_t deficit;
	struct list ready;  /* lots with ready copies */
	struct list want;   /* lots that want a fill */
	struct list w_node; /* lane->want */
	uint32_t n_lots;
};

struct dprep { /* one prepared skeleton in the cache */
	struct list lru;
	struct dpgroup *group;
	struct dprep *next;
	char form[16], lang[16];
	struct prepared *p; /* a reference */
	size_t cost;
};
struct dpgroup { /* skeletons of one manifest, part, channel, office */
	char key[96];
	struct dprep *first;
};

struct dlot {
	uint32_t magic;
	struct list node;   /* d->lots */
	struct list l_node; /* flow->ready */
	struct list w_node; /* flow->want */
	struct dlane *lane;
	struct dflow *flow;
	struct list ready;
	uint32_t n_ready, refs; /* refs: copies and fills that name it */
	int64_t id, release, rev, part, office, campaign, camp_first_ms, camp_last_ms;
	int64_t at_ms, expires_ms, n[DLV_STATES];
	struct hash manifest;
	char release_name[56], office_code[24];
	int prio, category, gate;
	bool approved, urgent, filling, rewind, gone, held_mem, cancelled_mem, wanting;
	bool broadcast;         /* each of its copies waits for its article */
	uint32_t waits_article; /* how often one was not there yet: the pause doubles */
	uint32_t scan_gen, fails;
	uint64_t gate_gen; /* of `blocked` */
	bool blocked;
	int64_t cur_due, cur_id; /* lease cursor */
	struct timer wake;
	int64_t wake_ms; /* wall; 0: not set */
	int64_t unknown_next_ms;
	int64_t over_skip_ms; /* monotonic: its approval does not cover the backup; looked at again then */
	bool sweeping;
	int64_t cost_max;       /* of its part, in đồng; -1: none */
	struct sq_money *money; /* a reference; meters of this lot, NULL: none */
	uint64_t money_gen;
	int64_t money_from_ms, money_until_ms;
	int64_t money_wait_ms; /* wall */
	uint32_t n_paid;       /* copies with a committed intent that was counted on it */
};

enum copy_state {
	CP_FREE = 0,
	CP_READY = 1,
	CP_INTENT = 2, /* waits for the turn, or is in it */
	CP_GO = 3,     /* committed, not started */
	CP_ON = 4,     /* the adapter has it */
	CP_OUT = 5     /* its outcome waits for the turn, or is in it */
};
enum fill_verdict {
	FILL_OK = 0,
	FILL_SUPPRESSED = 1,
	FILL_BAD = 2,
	FILL_GAP = 3,
	FILL_WAITS = 4,  /* for its article: nothing is written */
	FILL_NEVER = 5,  /* a broadcast without an article: cancelled */
	FILL_REMOVED = 6 /* of who is no target any more: cancelled */
};

struct dcopy {
	uint32_t magic;
	enum copy_state state;
	struct list node;
	struct dispatch *d;
	struct dlot *lot;
	struct chan_op op;
	struct sq_intent intent;
	struct sq_outcome out;
	struct sq_step_intent step;
	bool in_turn, revoke, step_wait, expired_mem;
	enum fill_verdict verdict;
	int64_t contact, target;
	int64_t first_ms;
	bool was_unknown;
	int64_t leased_ms, intent_ms, go_ms, on_ms, on_wall_ms; /* monotonic but the last */
	char ref[24];
	char *text;            /* owned: strings of the lease */
	struct lt_pair *steps; /* owned */
	char *said;            /* owned: strings of the result */
	struct lt_id ids[D_IDS_MAX];
	char why[200];
	struct buf *trace[2];   /* in, out; owned */
	struct sq_money *money; /* a reference: what its intent was counted on; NULL: nothing */
	bool paid;
	struct sq_hold hold; /* with out: lots of a release on a lane, or a lane, are held */
	bool has_hold;
	unsigned effects;
};

struct fill_lot {
	struct dlot *lot; /* named, not read, by the worker */
	struct prep_key key;
	struct sq_lease_query q;
	int64_t at_ms, min_gap_ms, campaign;
	bool waits; /* out: a copy waits for its article */
	struct fill_prep {
		char form[16], lang[16];
		struct prepared *p; /* a reference */
		bool fresh;
	} prep[D_PREPS_PER_LOT];
	size_t n_prep;
	struct sq_lease_end end;
	size_t first, n; /* its copies in `copy` */
	int rc;
	struct err err;
};
struct dfill {
	struct list node; /* d->fill_list */
	struct work work;
	struct dispatch *d;
	struct dlane *lane;
	struct conf *conf; /* a reference */
	struct channel *chan;
	char account[64];
	bool with_steps;
	const char *credential;
	int64_t now_ms;
	uint64_t prep_generation; /* of its begin */
	struct fill_lot v[D_FILL_LOTS];
	size_t n;
	struct dcopy *copy[SQ_LEASE_MAX];
	size_t n_copy, used;
	/* The loop's: contacts that opted out since its begin, its rows may be older; one more than fits means all. */
	int64_t opted_out[D_FILL_VOIDS];
	size_t n_opted_out;
	int rc;
};

struct drecon { /* a question about an unknown delivery */
	struct list node;
	struct dispatch *d;
	struct dlot *lot;
	struct dlane *lane;
	struct chan_op op;
	int64_t since_ms;
	uint32_t tries;     /* of the row that is asked about */
	int64_t waited_lot; /* that would have sent it again meanwhile; 0: none */
	char address[320], ref[24], idtext[1024], code[80], url[400];
	struct lt_id ids[D_IDS_MAX];
	size_t n_ids;
	struct lt_pair *steps; /* of d_alloc, text behind it; NULL without */
};

/* One set of opened channels: the context of its events, so that an answer goes back to whom it belongs after a reload. */
struct dhost {
	struct list node; /* d->hosts */
	struct dispatch *d;
	struct channels *cs; /* NULL until attached, and once they are gone */
};

struct djobs;   /* dispatch_jobs.c */
struct dsettle; /* dispatch_settle.c */
struct dscan;   /* dispatch_recall.c */
void recalls_init(struct dispatch *d);
void recalls_start(struct dispatch *d);
void recalls_stop(struct dispatch *d);
void recalls_free(struct dispatch *d);
void recall_done(struct chan_op *op, const struct chan_result *res);

/* dispatch_scan.c */

struct dispatch {
	uint32_t magic;
	struct dispatch_opts o;
	struct conf *conf; /* a reference */
	struct channels *channels;
	struct dhost *host; /* of the last dispatch_events */
	struct list hosts;
	struct window cat_hours[8]; /* by category */
	bool attached, started, ready, stopping, stopped, dead;
	void (*stop_done)(void *ctx);
	void *stop_ctx;

	struct list lanes, accts, groups, lots, dirty;
	struct map64 *lane_by_id, *lot_by_id, *copy_by_id, *chan_by_id, *office_parent;
	size_t n_lots, n_lanes;
	struct sq_gate *gates;
	size_t n_gates;
	uint64_t gate_gen, stop_seq;
	struct money_ids money_ids;
	uint64_t money_gen; /* from 1 on */
	uint32_t stops_busy;

	struct list mem; /* d_alloc */
	struct list setups;
	struct list fill_list;
	struct list pool; /* free copies */
	size_t n_pool, n_copies;
	struct list intents, steps, outs; /* pending copies */
	size_t n_intents_wait, n_steps_wait, n_outs_wait;
	uint64_t outs_gone;   /* outcomes that have gone to the writer, all told */
	struct list receipts; /* of dispatch_receipt.c: they go behind the outcomes before them */
	bool rc_out;
	size_t n_flying; /* committed and without an answer: CP_GO and CP_ON */
	struct sq_outcomes oc;
	struct sq_intents ic;
	struct sq_outcome **ov;
	struct sq_intent **iv;
	struct sq_step_intent **sv;
	struct sq_bucket_row *bv;
	struct sq_hold *hv;
	struct dcopy **o_copy, **i_copy, **s_copy;
	size_t n_o, n_i, n_s;
	bool oc_out, ic_out;
	bool buckets_wait; /* were not stored: a turn of their own, if nothing else makes one */
	size_t o_single;   /* outcomes to be committed one by one after a failure */
	int64_t clock_ms;  /* wall less monotonic, at the last look; 0: none yet */
	int64_t turn_ms, commit_ms_x16, o_retry_ms, i_retry_ms;
	struct suppress_numbers numbers;

	struct task pump;
	struct timer pump_timer, scan_timer, settle_timer, over_timer;
	size_t fills;
	struct maps *prep_groups;
	struct list prep_lru;
	size_t prep_n, prep_bytes;
	uint64_t prep_generation; /* reloads */

	struct dscan *scan;
	bool scan_out, scan_again;
	uint32_t scan_gen;
	struct dsettle *settle;
	struct djobs *jobs;
	struct list recons;
	size_t n_recons, cmds_out; /* cmds_out: commands and works that name us beside the turn */
	struct drecalls *recalls;  /* dispatch_recall.c */
	struct list creds;         /* struct dcred */
	size_t n_creds;
	struct list progress; /* struct dprogress */
	struct task progress_task;
};

/* dispatch_lane.c */
struct dlane *lane_find(struct dispatch *d, int64_t id);
struct dchan *chan_find(struct dispatch *d, int64_t id);
void lane_conf_set(struct dlane *l);
/* By which what has begun ends, also where a reload took the lane away. Never NULL. */
const struct conf_lane *lane_rules(const struct dlane *l);
/* When the lane may send again: 0 now, else wall ms; why may be NULL. */
int64_t lane_wait_until(struct dlane *l, char *why, size_t size);
void lane_gap(struct dlane *l, int64_t until_ms); /* a row of it waits for its address */
uint32_t lane_intents_limit(const struct dlane *l);
uint32_t lane_ready_target(const struct dlane *l);
void lane_kick(struct dlane *l);
void lanes_kick_wanting(struct dispatch *d);
/* Looked at each second: the wall clock was set back. Pauses that it had made longer are as long as they were. */
void lanes_clock_look(struct dispatch *d);
/* A pause until `until` was begun before the wall clock went from old_now back by by_ms: when it ends now; 0: it is over. */
int64_t clock_back(int64_t until, int64_t old_now_ms, int64_t by_ms);
void lane_effects(struct dlane *l, unsigned effects, int scope, int64_t pause_ms);
bool lane_wants(const struct dlane *l);
bool lane_has_work(const struct dlane *l);
void lane_took(struct dlane *l);      /* tokens of lane and groups */
void lane_gave_back(struct dlane *l); /* the same, unused */
bool lane_has_token(struct dlane *l, int64_t *ret_wait_ms);
void lane_count_done(struct dlane *l, int outcome);
void acct_tell_limit(struct dacct *a);
void lanes_free(struct dispatch *d);

/* dispatch_setup.c */
void setups_free(struct dispatch *d);
int setup_fits(const struct conf *conf, struct err *e) MUST_CHECK; /* -E2BIG: too many lanes */
void setup_begin(struct dispatch *d); /* rows for what the configuration names, then bound */
/* A lane that was not known yet; text: channel, account, class, why. Then setup_bind. */
void setup_lane(struct dispatch *d, const struct sq_lane_row *r, char text[4][160]);
void setup_bind(struct dispatch *d); /* lanes to the conf and the channels at hand */

/* dispatch_lot.c */
struct dlot *lot_find(struct dispatch *d, int64_t id);
void lot_merge(struct dispatch *d, const struct sq_lot_row *r);
void lot_drop(struct dlot *l); /* out of the lists; freed when no copy names it */
void lot_unref(struct dlot *l);
void lot_put_ready(struct dlot *l, struct dcopy *c);
struct dcopy *lot_pop_ready(struct dlot *l);
void lot_drop_ready(struct dlot *l); /* leases given up */
void lot_want(struct dlot *l);
struct dlot *lane_want_pop(struct dlane *l, int kind); /* releases take turns; NULL when none */
void lot_want_at(struct dlot *l, int64_t wall_ms);
/* May copies of it go now? Otherwise *ret_until says when to ask again (wall; 0: when something changes). */
bool lot_may_send(struct dlot *l, int64_t now_ms, int64_t *ret_until, const char **ret_why);
bool lot_gated(struct dlot *l); /* a gate stops it */
bool gate_covers(struct dispatch *d, const struct sq_gate *g, const struct dlot *l);
void lots_regate(struct dispatch *d);
bool office_under(struct dispatch *d, int64_t office, int64_t top);
void lots_free(struct dispatch *d);
void lot_count(struct dlot *l, enum dlv_state from, enum dlv_state to);
void progress_note(struct dispatch *d, int64_t release, int64_t part);
void progress_free(struct dispatch *d);

/* dispatch_copy.c */
/* Memory that dispatch_free takes back when a store died with our commands in it (a crash in a test). */
void *d_alloc(struct dispatch *d, size_t n) __attribute__((returns_nonnull));
void d_free(void *p); /* NULL allowed */
void mem_free(struct dispatch *d);
struct dcopy *copy_take(struct dispatch *d);
void copy_free(struct dcopy *c);
void pool_free(struct dispatch *d);

/* dispatch_fill.c, dispatch_compose.c */
void lane_fill(struct dlane *l);
void fills_free(struct dispatch *d);
void fill_run(struct work *w);
/* Puts the ids of "effect:id" lines behind the steps of the copy; how many. Worker. */
size_t copy_ids_attach(struct dcopy *c, const char *text);
/* dispatch_cast.c: broadcasts. */
bool cast_compose(const struct dfill *f, const struct fill_lot *fl, struct dcopy *c,
	const struct sq_lease_row *l); /* worker; false: the verdict says why it does not go now */
void cast_waits(struct dlot *l);       /* asked again, after a pause that doubles */
void cast_wake(struct dlot *article);  /* one of its articles is out: who waits for it asks now */
void cast_spent(struct dcopy *c);      /* the allowance is: its lot is held */
/* dispatch_correct.c: copies of a correction that edit what stands. Worker. */
int fill_correct(struct dfill *f, struct fill_lot *fl, struct store_reader *r);

/* dispatch_prep.c */
void prep_known(struct dispatch *d, const struct prep_key *k, struct fill_lot *f);
void prep_put(struct dispatch *d, const struct prep_key *k, struct str form, struct str lang,
	struct prepared *made);
void prep_forget(struct dispatch *d);
void prep_free(struct dispatch *d);

/* dispatch_pump.c */
void dispatch_kick(struct dispatch *d);
void dispatch_pump_run(struct task *t);
void lane_pick(struct dlane *l);
void acct_start(struct dacct *a);

/* dispatch_turn.c */
void turn_intent(struct dcopy *c);
void turn_step(struct dcopy *c);
void turn_outcome(struct dcopy *c); /* c->out is filled */
void turn_kick(struct dispatch *d);
bool turn_init(struct dispatch *d);
void turn_free(struct dispatch *d);
void copy_revoke(struct dcopy *c); /* a committed, unused intent goes back */
bool copy_stop(
	struct dcopy *c); /* the same where it is running; true: it may have begun to leave */
/* A hold that travels with the outcomes; release 0: the lane itself. */
void turn_hold(struct dlot *l, int64_t release, struct dlane *lane, const char *why);
void turn_hold_lot(struct dlot *l, const char *why); /* this lot alone */

/* dispatch_send.c */
void send_events(struct channel_events *e);
void copy_answer(struct dcopy *c, const struct chan_result *r);
void intent_is_committed(struct dcopy *c);

/* dispatch_receipt.c */
void receipt_on(void *ctx, struct channel *c, struct chan_account *a, const struct lt_receipt *r,
	uint64_t ticket);
/* By name: the account may belong to a configuration that is going. NULL: not known (any more). */
struct dacct *acct_named(struct dispatch *d, const char *channel, const char *account);
int64_t chan_id_of(const struct dispatch *d, const char *channel); /* 0: not known */
void save_on(void *ctx, struct chan_op *op, struct str name, struct str value, uint64_t ticket);
/* Copies in memory of who opted out are read again, and so are those of fills under way; 0: of all. */
void leases_void(struct dispatch *d, int64_t contact);
void fills_void(struct dispatch *d, int64_t contact);
void receipt_again(struct dispatch *d, const struct sq_receipt *o);
void receipts_go(struct dispatch *d);

/* dispatch_inbound.c */
void inbound_on(void *ctx, struct channel *c, struct chan_account *a, const struct lt_inbound *in,
	uint64_t ticket);

/* dispatch_jobs.c: polls and statistics; dispatch_jobs_stat.c: numbers on their way to the store */
bool jobs_init(struct dispatch *d);
void jobs_free(struct dispatch *d);
void jobs_kick(struct dispatch *d); /* attached, or another configuration */
void jobs_soon(struct dacct *a);    /* its figures are read at once, where there are any */
void jobs_stop(struct dispatch *d);
void stat_on(void *ctx, struct chan_account *a, uint64_t delivery, struct str name, int64_t value);

/* dispatch_secret.c, dispatch_cred*.c */
void refresh_intent_on(void *ctx, struct channel *c, const char *credential, uint64_t ticket);
void refresh_over_on(
	void *ctx, struct channel *c, const char *credential, const struct chan_result *r);
void creds_free(struct dispatch *d);
void creds_clock_back(struct dispatch *d, int64_t old_now_ms, int64_t by_ms);
const char *cred_parked(const struct dacct *a); /* its lanes wait for a login; NULL: they do not */
void secret_put_on(void *ctx, struct channel *c, const char *credential, const struct lt_pair *set,
	size_t n, int64_t expires_ms, uint64_t ticket);

/* dispatch_backup.c: the second gateway */
void backup_init(struct dispatch *d);
void backup_bind(struct dispatch *d); /* the configuration has changed */
void backup_stop(struct dispatch *d);
struct dlane *backup_of(const struct dlane *l); /* NULL: none */
/* Says who has taken over from the lane, and why; false: nobody has. */
bool backup_says(const struct dlane *l, char *why, size_t size);
struct sq_over;
/* Lots of a move that their approval does not let go there are left alone for a minute; how many these are. */
size_t over_uncovered(struct dispatch *d, const struct sq_over *c);

/* dispatch_scan.c */
void scan_free(struct dispatch *d);

/* dispatch_settle.c */
bool settle_init(struct dispatch *d);
void settle_free(struct dispatch *d);
void recon_done(struct drecon *r, const struct chan_result *res);
/* A question about it is open, or its answer is not committed: no copy of it may go, its lot is wanted again behind the question. */
bool recon_waits(struct dispatch *d, int64_t delivery, const struct dlot *l);
void settle_kick(struct dispatch *d);
/* So long the provider is asked about an unknown one, or waited for. */
int64_t settle_max_ms(const struct dlot *l);
void recover_begin(struct dispatch *d);

/* dispatch_ref.c */
#define REF_LEN 20
void ref_make(const struct store *s, int64_t delivery, char ret[static REF_LEN + 1]);
bool ref_read(const struct store *s, struct str ref, int64_t *ret_delivery);
#define UNSUB_MAX 64
void unsub_make(const struct store *s, int64_t contact, int64_t list, char ret[static UNSUB_MAX]);
bool unsub_read(const struct store *s, struct str token, int64_t *ret_contact, int64_t *ret_list);

/* dispatch_log.c */
void log_attempt(struct dcopy *c, const struct chan_result *r, const struct outcome_out *o);
void lane_metrics_bind(struct dlane *l);
void log_lane_summary(struct dlane *l, int64_t now_ms);

/* dispatch.c */
void cmd_begin(struct dispatch *d);
void cmd_end(struct dispatch *d); /* may call stop_done */
void stop_check(struct dispatch *d);
/* Tells whoever waits for this ticket. False: nobody does any more; its channels were of an older configuration. */
bool host_saved(struct dhost *h, uint64_t ticket, int rc);

#endif
