/* plan_internal.h - what the files of plan/ share. Nobody else includes it.
 * Worker side: a plan_view (conf by reference, channels under the read lock for one prepare at a time), texts from a small
 * cache, struct checked. Loop side: struct plan and its steps.
 */
#ifndef LANTOA_PLAN_INTERNAL_H
#define LANTOA_PLAN_INTERNAL_H

#include <pthread.h>
#include "base/map.h"
#include "content/bundle.h"
#include "plan/plan.h"
#include "store/store_plan.h"
#include "store/store_release.h"
#include "store/store_rendition.h"

#define PLAN_MAGIC      0x706c616eu
#define TEXT_CACHE      32
#define JOBS_MAX        8 /* releases planned side by side */
#define START_QUEUE_MAX 64
#define MEMO_MAX        256
#define MEMO_BYTES      (2u << 20)
#define KEPT_BYTES \
	(64u << 20) /* of the outputs of one check; behind that their digests and facts are kept */
#define KEPT_PREVIEW 2048 /* bytes of a preview that are kept nevertheless: a short message */

/* --- texts: a stored revision parsed, with the manifest that approved it ------------------------------------------------------- */
struct plan_text {
	int refs; /* under plan.cache_lock */
	struct hash hash;
	int64_t release_id, rev;
	struct release_doc *doc;
	struct manifest *m;
	struct str body; /* the manifest's bytes: m's own copy */
	uint64_t used;
};
int plan_text_get(struct plan *p, struct store_reader *r, const struct hash *manifest,
	struct plan_text **ret, struct err *e) MUST_CHECK;
void plan_text_put(struct plan *p, struct plan_text *t); /* NULL allowed */
int plan_doc_from_store(struct store_reader *r, int64_t release_id, int64_t rev,
	struct release_doc **ret, struct err *e) MUST_CHECK;

/* --- content: what an adapter is given ------------------------------------------------------------------------------------------ */
struct content_ask {
	const struct release_doc *doc;
	const struct mf_part *part; /* attachments */
	int kind;
	const char *form, *lang; /* lang: of the target */
	const char *office;      /* code */
	const cJSON *vars;       /* the office's variables */
	const char *local;       /* Markdown; "" none */
	int64_t at_ms;           /* when it would go out, UTC ms; 0: nobody asks */
};
/* When a part would go out: what is late goes now. */
int64_t plan_part_time(const struct mf_part *p, int64_t now);
struct plan_content;
/* -EINVAL: a variable is missing; e names text, line and variable. */
int plan_content_new(
	const struct content_ask *a, struct plan_content **ret, struct err *e) MUST_CHECK;
void plan_content_free(struct plan_content *c);
DEFINE_CLEANUP(plan_content_free, struct plan_content *)
const struct lt_content *plan_content_lt(const struct plan_content *c);
/* Of all that the adapter is given; of at_ms the day in Vietnam, since what a table says is over is over with a day. */
void plan_content_input(const struct plan_content *c, const struct mf_sender *s, struct hash *ret);
bool plan_doc_has_local(const struct release_doc *d); /* {{local}} stands in one of its texts */

/* --- preparing ------------------------------------------------------------------------------------------------------------------- */
struct office_chain { /* an office and those above it, nearest first */
	int64_t id[32];
	char code[32][64];
	size_t n;
};
int office_chain_get(struct db *db, int64_t office_id, struct office_chain *ret) MUST_CHECK;
/* The local text of the core: the bundle's, of the nearest office; "" none. */
const char *core_local(const struct release_doc *d, const struct office_chain *c);
struct checked;
/* Renditions of one check, or of one prepare (plan_rendition.c). */
#define REND_SET_MAX 400
struct rend;
struct rend_set {
	struct rend *v;
	size_t n;
};
void rend_set_done(struct rend_set *s);
/* Those of a check that is submitted become assets; their rows go into the submission. *ret is owned, also after a failure. */
int rend_set_keep(struct plan *p, struct rend_set *s, struct rendition_row **ret, size_t *ret_n,
	struct err *e) MUST_CHECK;
/* channel_prepare with its renditions, under the read lock; -ENODEV when the channel is not there any more.
 * c: the check that asks, NULL for a stored release. */
int plan_channel_prepare(struct plan *p, struct store_reader *r, struct checked *c,
	const char *channel, const char *account, const struct lt_content *content,
	struct prepared **ret, struct err *e) MUST_CHECK;
/* Outputs by what they were made of (plan_memo.c). Any thread. */
struct plan_memo {
	struct hash key; /* of plan_content_input */
	struct prepared *prepared;
	size_t bytes;
	uint64_t used;
};
/* Begun before outputs are made. What was made under settings that a reload has replaced meanwhile is not taken; nothing goes out for it
 * that was put or asked for since, so that a release with more outputs than there is room keeps the first ones and not none. */
struct memo_turn {
	uint64_t generation, since;
};
struct memo_turn plan_memo_turn(struct plan *p);
bool plan_memo_holds(struct plan *p, const struct memo_turn *t); /* no reload since */
void plan_memo_put(
	struct plan *p, const struct memo_turn *t, const struct hash *key, struct prepared *made);
struct prepared *plan_memo_get(
	struct plan *p, const struct hash *key); /* a reference; NULL: none */
void plan_memo_drop(struct plan *p);

/* One row made again with the variables of this hash. */
int plan_remake(struct plan *p, struct store_reader *r, const struct plan_text *t,
	const struct prepared_row *row, const struct hash *vars, const struct memo_turn *turn,
	struct prepared **ret, struct err *e) MUST_CHECK;
/* The same with the local text that was approved for the office after the submission: 1, or 0 where there is none. */
int plan_remake_local(struct plan *p, struct store_reader *r, const struct plan_text *t,
	const struct prepared_row *row, const struct memo_turn *turn, struct prepared **ret,
	struct err *e) MUST_CHECK;

/* --- check ------------------------------------------------------------------------------------------------------------------------- */
struct made { /* one prepared output of a check */
	struct prepared_row row;
	size_t part;
	int kind;
	int64_t n;
	const struct mf_sender *sender;
	struct prepared *p;
	struct hash input; /* of plan_content_input */
	const struct plan_office *office;
	bool backup; /* of the account that would take over: approved with the rest, nobody is planned for it */
};
struct checked {
	struct plan *plan;
	struct store_reader *r;
	struct db *db;
	struct conf *conf;
	int64_t now;
	struct release_doc *doc; /* owned */
	struct content_problems problems;
	char *dir;                  /* unpacked bundle, NULL: from the store */
	char code[80];              /* the release's: the doc's, or a correction's */
	int64_t corrects;           /* release id, 0: none */
	struct release_row release; /* id 0: not there yet */
	int64_t year, rev, campaign_id, camp_first, camp_last;
	char shown[128]; /* a single text: as the user called it; else empty */
	bool remake;     /* --diff: same revision, other counts */
	bool large;      /* an audience of any size may be resolved here; else -EOVERFLOW */
	uint32_t number[PARTS_MAX];
	struct audience_sql rule[PARTS_MAX];
	struct plan_offices offices;
	struct resolve_out *resolved;
	struct manifest *m;
	struct buf body;
	struct hash hash;
	struct made *made;
	size_t n_made, kept;       /* kept: bytes of made */
	struct prepared_row *rows; /* of made, in key order */
	struct maps *vars;         /* hash bytes -> cJSON */
	struct rend_set rends;
	struct memo_turn turn;                 /* of plan_memo_turn, before anything was prepared */
	int64_t companion[BROADCAST_ARTICLES]; /* releases whose articles go with the broadcast */
	size_t n_companions;
	struct cast_line
		*casts; /* owned: an account that broadcasts, each; see plan_check_cast.c */
	size_t n_casts, n_casts_all;
	int64_t cost, part_cost[PARTS_MAX]; /* in đồng */
};
/* Everything that the store and the adapters know about a document; c->doc, problems and the reader are set. */
int check_run(struct checked *c, struct err *e) MUST_CHECK;
void check_remember(const struct checked *c); /* its outputs, for the start of its parts */
void check_done(struct checked *c);
int check_open(struct plan *p, struct store_reader *r, const struct staged *s, struct checked *ret,
	struct err *e) MUST_CHECK;
int check_reopen(struct plan *p, struct store_reader *r, const struct release_row *rel, int64_t rev,
	struct checked *ret, struct err *e) MUST_CHECK;
void check_rules(struct checked *c);   /* plan_check_rules.c */
void check_prepare(struct checked *c); /* plan_check_prepare.c */
/* What the lots of a part cost when it starts (plan_money.c). Prepared rows are told as they are made again, then each lot. */
struct part_money {
	struct part_money_lot {
		int64_t lot, account, cost;
	} * v;
	size_t n, cap;
	int64_t row_cost; /* dearest row of the lot at hand */
	char class[64];   /* of the lot at hand */
	int64_t waiting, account;
};
void part_money_done(struct part_money *m);
int part_money_lot(struct part_money *m, struct db *db, int64_t lot) MUST_CHECK; /* begins a lot */
void part_money_row(struct part_money *m, const struct prepared *p);
void part_money_end(struct part_money *m, int64_t lot);
/* Calls hold for every lot that must not open: over the ceiling (-1: none), or over what the gateway has left. */
int part_money_check(struct part_money *m, struct db *db, int64_t cost_max, int64_t now,
	void (*hold)(void *ctx, int64_t lot, const char *why), void *ctx) MUST_CHECK;
/* Broadcasts (plan_check_cast.c): their articles and their allowance. */
void check_casts(struct checked *c);
void check_casts_done(struct checked *c);
cJSON *casts_json(const struct checked *c);
/* Before an approval: 0, -EBADMSG with the account that has none left, or a code of the store. */
int casts_allowed(struct plan *p, struct db *db, const struct release_row *rel,
	const struct hash *manifest, struct err *e) MUST_CHECK;
cJSON *messages_json(
	const struct checked *c);    /* short messages: text, segments and cost of each office */
void check_money(struct checked *c); /* plan_money.c: costs, ceilings, what is left of budgets */
int check_manifest(struct checked *c, struct err *e) MUST_CHECK; /* plan_manifest.c */
/* The lists that the manifest calls listed, with part numbers; owned, NULL where there are none. */
struct contact_key *check_contacts(const struct checked *c, size_t *ret_n);
void check_dir_done(struct checked *c); /* the unpacked bundle goes; worker only */
cJSON *check_json(const struct checked *c);
cJSON *problems_json(const struct content_problems *p);
/* The lane that would take over from this one (its id is 0): 1 found, 0 none. plan_check_prepare.c. */
int check_backup_lane(struct checked *c, const struct plan_lane *lane, struct plan_lane *ret);
cJSON *made_json(const struct made *m, const struct checked *c, bool whole);
const cJSON *check_vars(struct checked *c, const struct hash *h);
bool part_names_kind(const struct release_doc *d, size_t part, int kind);
bool conf_has_kind(const struct conf *conf, int kind);
/* The manifest of a document without what was resolved; then, from an approved one, what was resolved. */
struct manifest *manifest_of_doc(const struct release_doc *d, const char *code, int64_t year,
	int64_t rev, const uint32_t *numbers);
void manifest_take_resolved(struct manifest *m, const struct manifest *from);

/* --- verifying --------------------------------------------------------------------------------------------------------------------- */
/* The manifest made again from the stored revision, equal to the bytes; every approval's MAC; the policy satisfied.
 * -EBADMSG: forged or damaged, e says what. */
int plan_verify(struct plan *p, struct store_reader *r, const struct plan_text *t,
	struct err *e) MUST_CHECK;

/* --- the plan ------------------------------------------------------------------------------------------------------------------------ */
struct plan_job;
struct plan_start;
struct plan {
	uint32_t magic;
	struct plan_opts o;
	struct env *env;
	struct store *store;
	pthread_rwlock_t lock; /* conf and channels */
	struct conf *conf;
	struct channels *channels;
	pthread_mutex_t cache_lock;
	struct plan_text *cache[TEXT_CACHE];
	uint64_t cache_clock;
	struct plan_memo memo[MEMO_MAX]; /* under cache_lock */
	size_t n_memo, memo_bytes;
	uint64_t memo_generation;
	/* loop */
	struct timer timer;
	struct task kick;
	bool started, stopping, scanning, again;
	int64_t last_scan, gap_ms;
	size_t busy; /* works, commands and link checks under way */
	struct plan_job *jobs[JOBS_MAX];
	struct map64 *starting; /* release*64+part -> anything: verified or opened now */
	struct map64 *marks;    /* release*64+part -> mark of its planning + 1, never followed */
	struct map64 *links;    /* release*64+part -> struct link_wait */
	pthread_mutex_t links_lock;
	void (*stopped)(void *ctx);
	void *stopped_ctx;
};
struct conf *plan_conf(struct plan *p); /* a reference; any thread */
void plan_busy(struct plan *p);
void plan_seal(struct plan *p, int64_t release_id); /* plan_seal.c */
void plan_idle(struct plan *p);                     /* the last one out answers plan_stop */
void plan_scan(struct plan *p);                     /* soon */
void plan_jobs_run(struct plan *p, const int64_t *releases, size_t n); /* plan_job.c */
void plan_jobs_stop(
	struct plan *p); /* those that wait for another try end; the others end by themselves */
void plan_start_part(
	struct plan *p, const struct plan_active *a, int64_t start_ms); /* plan_start.c */
void plan_link_ask(struct plan *p, const struct plan_active *a, const char *url);
void plan_links_free(struct plan *p);
int plan_link_state(
	struct plan *p, const struct plan_active *a); /* 1 it answers, -1 not, 0 not asked yet */
void plan_link_over(
	struct plan *p, int64_t release_id, uint32_t part); /* nobody waits for it any more */

/* --- calls: acts of people, answered once on the loop ------------------------------------------------------------------------------------- */
struct plan_call {
	struct work work;
	struct plan *p;
	int (*fn)(struct plan_call *c, struct store_reader *r);
	void (*next)(struct plan_call *c);
	void (*failed)(
		struct plan_call *c); /* instead of an answer when the work failed; NULL: answer */
	plan_done_fn *done;
	void *ctx;
	struct actor who; /* own copies */
	cJSON *params;    /* own copy, NULL: none */
	struct staged staged;
	int rc;
	struct err err;
	cJSON *json; /* the answer */
	struct checked checked;
	struct conf *conf; /* a reference, NULL: none */
	struct release_row release;
	union {
		struct release_submit_cmd submit;
		struct release_approve_cmd approve;
		struct release_act_cmd act;
		struct local_cmd local;
		struct release_note_cmd note;
	} cmd;
	struct submit_part *parts;
	struct submit_asset *assets;
	struct rendition_row *rends;
	size_t n_rends;
	struct contact_key *contacts;
	size_t n_contacts;
	char *front; /* struct doc_stored's strings */
	char *body, *bodies;
	bool correct;
	char subject[200];
};
struct plan_call *call_new(struct plan *p, const cJSON *params, const struct staged *s,
	const struct actor *who, plan_done_fn *done, void *ctx);
void call_answer(struct plan_call *c); /* from rc, err and json; frees */
/* Its worker function runs on a thread for long works: after -EOVERFLOW on another it begins there anew. */
bool call_is_long(const struct plan_call *c);
/* Runs fn on a worker with a reader inside a snapshot, then next on the loop. */
void call_work(struct plan_call *c, int (*fn)(struct plan_call *c, struct store_reader *r),
	void (*next)(struct plan_call *c));
void call_submit(struct plan_call *c,
	struct store_cmd *cmd); /* cmd->own... is the call; answers when it cannot be taken */

/* Decision about one part; pure (plan_decide.c). */
enum decide {
	DECIDE_WAIT = 0,
	DECIDE_START = 1,
	DECIDE_LINK = 2,
	DECIDE_HOLD = 3,
	DECIDE_EXPIRE = 4,
	DECIDE_DONE = 5,
	DECIDE_SKIP = 6
};
struct decision {
	enum decide what;
	int64_t next_ms; /* look again then; INT64_MAX: when something happens */
	char why[240];
};
struct decide_facts {
	const struct plan_active *all; /* the parts of this release */
	size_t n, at;
	const struct manifest *m;
	int64_t now;
	int link; /* 0 not asked, 1 answers, -1 does not */
};
void plan_decide(const struct decide_facts *f, struct decision *ret);

#endif
