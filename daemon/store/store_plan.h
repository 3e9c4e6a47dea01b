/* store_plan.h - audiences resolved, lots and deliveries planned in chunks, parts opened, held, expired and done.
 * Threads: commands as store.h says; plan_resolve and plan_read_* on a worker with a reader (or in a test with any connection).
 * A chunk stops well before 20 ms and leaves its cursor behind in the same transaction: planning goes on after a crash at any
 * point, and what stands already is never inserted twice (UNIQUE(once, contact_id)).
 */
#ifndef LANTOA_STORE_PLAN_H
#define LANTOA_STORE_PLAN_H

#include "store/store_audience.h"
#include "store/store_release.h"

#define PLAN_GROUPS_MAX  200000
#define PLAN_SHORT_MAX   20000  /* candidates that a worker for short works resolves */
#define PLAN_DRIVEN_MAX  200000 /* candidates up to which a selection is read in one piece */
#define PLAN_WINNERS_MAX 10000  /* targets of a part that are planned from a list */
#define PLAN_PAIRS_MAX   200000
#define PLAN_ACTIVE_MAX  4096 /* parts of releases that are approved and not done */

/* --- offices ----------------------------------------------------------------------------------------------------------------- */
struct plan_office {
	int64_t id, parent;
	int depth;
	bool valid; /* in the last import and within its dates */
	struct hash vars;
	char code[64], lang[16];
};
struct plan_offices { /* sorted by id */
	struct plan_office *v;
	size_t n;
};
int plan_offices_get(struct db *db, int64_t now_ms, struct plan_offices *ret) MUST_CHECK;
void plan_offices_done(struct plan_offices *o);
const struct plan_office *plan_office_by_id(const struct plan_offices *o, int64_t id);
const struct plan_office *plan_office_by_code(const struct plan_offices *o, struct str code);
/* The JSON object of office variables by hash; *ret owned. -ENOENT. */
int vars_get(struct db *db, const struct hash *h, char **ret) MUST_CHECK;

struct plan_lane {
	int64_t id, account_id, channel_id;
	char channel[64], account[64];
};
int plan_lane_get(struct db *db, int64_t lane_id, struct plan_lane *ret) MUST_CHECK;

/* --- resolving --------------------------------------------------------------------------------------------------------------- */
struct resolve_part {
	uint32_t kinds; /* bits of enum chan_kind */
	bool again;     /* has a slot of its own */
	bool broadcast; /* again, in the slot that all broadcasts of a release share */
	const struct audience_sql *rule;
};
struct resolve_group { /* targets that win their contact, of one part, lane, office, form and language */
	size_t part; /* index */
	int kind;
	int64_t lane_id, office_id, n;
	char form[16], lang[16];
};
struct resolve_kind {
	int64_t n, offices, no_route, not_internal;
	int64_t no_route_office, not_internal_office; /* an example */
	struct hash list; /* of the contact ids, while n <= MANIFEST_LIST_MAX */
};
struct resolve_winner {
	int64_t contact_id, target_id, lane_id, office_id;
	int depth, kind;
};
struct resolve_out {
	struct resolve_group *groups; /* sorted by part, office, lane, form, lang */
	size_t n_groups;
	struct resolve_kind kind[PARTS_MAX][KIND_MAX + 1];
	struct contact_key
		*contacts; /* of kinds with at most MANIFEST_LIST_MAX; part is the index */
	size_t n_contacts;
	struct resolve_winner *winners; /* only where asked for; sorted deepest office first */
	size_t n_winners;
	bool winners_over; /* more than PLAN_WINNERS_MAX */
};
struct resolve_ask {
	const struct resolve_part *parts;
	size_t n_parts;
	const struct plan_offices *offices;
	bool contacts, winners;
	bool large; /* however many there are; else -EOVERFLOW over PLAN_SHORT_MAX, at once */
};
/* One pass over the targets: nearest office wins, one copy per contact within slot and kind, earlier parts first. */
int plan_resolve(struct db *db, const struct resolve_ask *ask, struct resolve_out **ret,
	struct err *e) MUST_CHECK;
void resolve_out_free(struct resolve_out *o);
DEFINE_CLEANUP(resolve_out_free, struct resolve_out *)

struct plan_pair {
	int64_t lane_id, office_id;
	int depth, kind; /* kind is filled by the caller */
};
/* Every lane x office that has targets; sorted deepest office first, then office, then lane. */
int plan_pairs_get(struct db *db, const struct plan_offices *offices, struct plan_pair **ret,
	size_t *ret_n) MUST_CHECK;

/* --- chunks ------------------------------------------------------------------------------------------------------------------ */
struct plan_lot { /* what every lot of a part is made with */
	int64_t release_id, at, expires, spread_ms, jitter_ms;
	uint32_t part, slot;
	int prio;
	struct hash manifest;
};
struct plan_clear_cmd { /* rows never tried, of lots that are planned again */
	struct store_cmd cmd;
	int64_t release_id, rev, ret_rows;
	uint32_t part; /* only its lots, and it is `in work` afterwards; 0: all */
	bool left;
	void *own;
};
void plan_clear_prepare(struct plan_clear_cmd *c);
struct plan_list_cmd { /* a list of winners */
	struct store_cmd cmd;
	struct plan_lot lot;
	const struct resolve_winner *winners;
	size_t n, at; /* at moves on; n when done */
	int64_t ret_rows;
	bool stale; /* another manifest is planned by now, or the release has ended */
	void *own;
};
void plan_list_prepare(struct plan_list_cmd *c);
struct plan_pair_cmd { /* pair by pair through the index of targets */
	struct store_cmd cmd;
	struct plan_lot lot;
	const char *where; /* predicate of the rule */
	const struct plan_pair *pairs;
	size_t n, at;
	int64_t contact;   /* cursor within the pair */
	int64_t step_rows; /* of the next step, by how long the last one took; 0: to begin with */
	int64_t ret_rows;
	bool stale;
	void *own;
};
void plan_pair_prepare(struct plan_pair_cmd *c);
/* Where the planning of a release stands: part, office, lane, contact; zeros: at the beginning. */
struct plan_cursor {
	int64_t part, office_id, lane_id, contact;
};
int plan_cursor_get(struct db *db, int64_t release_id, struct hash *ret_manifest,
	struct plan_cursor *ret) MUST_CHECK;

struct plan_part_cmd { /* all rows of a part stand: growth is judged */
	struct store_cmd cmd;
	struct plan_lot lot;
	int64_t rev;
	const struct mf_part *approved;
	int64_t growth_percent, growth_count;
	bool stale, held;
	char why[320];
	void *own;
};
void plan_part_prepare(struct plan_part_cmd *c);

/* --- parts in time ------------------------------------------------------------------------------------------------------------ */
struct plan_held { /* a lot that may not open */
	int64_t lot_id;
	char why[240];
};
enum part_act {
	PART_ACT_OPEN = 1,
	PART_ACT_HOLD = 2,
	PART_ACT_EXPIRE = 3,
	PART_ACT_DONE = 4,
	PART_ACT_REPLAN = 6, /* targets have changed since it was planned */
	RELEASE_ACT_DONE = 5
};
struct part_cmd {
	struct store_cmd cmd;
	enum part_act act;
	int64_t release_id, rev, start, expires, spread_ms;
	uint32_t part;
	struct hash manifest; /* open: what was verified */
	const struct plan_held *held;
	size_t n_held;
	const char *why, *what; /* what: audit verb of a hold */
	int64_t ret_opened;
	bool stale; /* things moved on meanwhile: look again */
	void *own;
};
void part_cmd_prepare(struct part_cmd *c);

struct plan_active {
	struct release_row release;
	struct part_row part;
	int64_t lots, planning, live, open, receipts,
		settle_by;             /* live: waiting or sending; open: unknown, held, doubt */
	int64_t moving;                /* of live: what no person holds */
	int64_t camp_first, camp_last; /* 0: no campaign */
};
/* Parts of approved and sending releases, by release and part; *ret owned. */
int plan_active_get(
	struct db *db, int64_t now_ms, struct plan_active **ret, size_t *ret_n) MUST_CHECK;
/* Changes whenever an import does: what was planned under another mark is planned again before it starts. */
int plan_targets_mark(struct db *db, int64_t *ret) MUST_CHECK;
/* Releases whose planning is not finished, urgent first. */
int plan_jobs_get(struct db *db, int64_t *ret, size_t max, size_t *ret_n) MUST_CHECK;

struct plan_lot_row {
	int64_t id, lane_id, office_id, channel_id;
	int gate;
};
/* Lots of a part that wait to be opened. *ret owned. */
int plan_lots_get(struct db *db, int64_t release_id, uint32_t part, struct plan_lot_row **ret,
	size_t *ret_n) MUST_CHECK;
struct plan_form {
	char form[16], lang[16];
};
/* Forms and languages of what waits in a lot (its first 20,000 rows). */
int plan_lot_forms_get(
	struct db *db, int64_t lot_id, struct plan_form *ret, size_t max, size_t *ret_n) MUST_CHECK;
/* What an opened lot of this key looks like, made by dispatch's key: the start of its part, 0 before. */
int plan_part_started(
	struct db *db, int64_t release_id, int64_t rev, uint32_t part, int64_t *ret) MUST_CHECK;

#endif
