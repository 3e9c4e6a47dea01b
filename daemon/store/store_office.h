/* store_office.h - offices, audiences, campaigns and deputies: whole imports in one transaction each, acts, and what is shown.
 * Threads: commands as store.h says; reading functions on a worker with a connection in a snapshot.
 */
#ifndef LANTOA_STORE_OFFICE_H
#define LANTOA_STORE_OFFICE_H

#include "store/store.h"
#include "store/store_import.h"

#define OFFICES_MAX      5000
#define OFFICE_DEPTH_MAX 16

/* --- imports ------------------------------------------------------------------------------------------------------------------ */
struct office_in {
	const char *code, *parent; /* parent: NULL: the root. Parents come before their children */
	const char *ord, *region, *lang, *vars, *replaced_by;
	int depth;
	bool dated; /* the file says from when to when; else what the store knows stays */
	int64_t valid_from, valid_to; /* 0: not said */
};
struct rule_in {
	const char *name, *title, *rule;
};
struct campaign_in {
	const char *name, *title;
	int64_t first, last;
	int prio;
};
struct office_import { /* exactly one of the three is set */
	struct store_cmd cmd;
	const struct office_in *offices;
	const struct rule_in *rules;
	const struct campaign_in *campaigns;
	size_t n;
	const char *what, *person, *via; /* what: "offices", "audiences", "campaigns" */
	struct hash hash;
	bool dry; /* counted, then rolled back: rc is -ECANCELED */
	struct import_counts ret;
	size_t ret_kept; /* campaigns that releases still name: not taken away */
};
void office_import_prepare(struct office_import *c);

/* --- acts ------------------------------------------------------------------------------------------------------------------------ */
struct office_merge {
	struct store_cmd cmd;
	const char *old, *into, *person, *via;
	int64_t on;
};
void office_merge_prepare(struct office_merge *c);
/* Targets of offices whose end has come go to their successors; again while `more`. */
struct office_settle {
	struct store_cmd cmd;
	int64_t ret_moved;
	bool more;
};
void office_settle_prepare(struct office_settle *c);
struct deputy_add {
	struct store_cmd cmd;
	const char *person, *deputy, *via;
	int64_t first, last;
};
void deputy_add_prepare(struct deputy_add *c);

/* --- reading: rows are borrowed until the callback returns; it answers false to stop ------------------------------------------------- */
struct office_row {
	int64_t id, valid_from, valid_to, targets;
	const char *code, *parent, *region, *lang, *vars, *replaced_by;
	bool gone;
};
/* In official order; code NULL: all. */
int office_list(struct db *db, const char *code, bool (*row)(void *ctx, const struct office_row *r),
	void *ctx) MUST_CHECK;
struct target_row {
	int64_t id, contact_id;
	int kind;
	struct str address, name;
	const char *office, *lang, *channel, *account, *class, *form, *vars;
	unsigned flags;
	const char *tags, *lists; /* comma between */
};
struct target_ask {
	int kind;                 /* 0: all */
	const char *office, *tag; /* NULL: all */
	int64_t after, contact_id;
	int64_t limit;
	bool gone; /* those too */
};
int target_list(struct db *db, const struct target_ask *ask,
	bool (*row)(void *ctx, const struct target_row *r), void *ctx) MUST_CHECK;
int contact_find(struct db *db, int kind, struct str address, int64_t *ret) MUST_CHECK; /* 1, 0 */
struct suppression_row {
	const char *list;
	int reason;
	int64_t since;
};
int suppression_list(struct db *db, const struct hash *who,
	bool (*row)(void *ctx, const struct suppression_row *r), void *ctx) MUST_CHECK;
/* Deliveries of a contact over all releases. */
int contact_deliveries(struct db *db, int64_t contact_id, int kind, int64_t *ret) MUST_CHECK;
int audience_list(
	struct db *db, bool (*row)(void *ctx, const struct rule_in *r), void *ctx) MUST_CHECK;
int campaign_list(
	struct db *db, bool (*row)(void *ctx, const struct campaign_in *r), void *ctx) MUST_CHECK;
/* Ids of its releases, newest first; after: 0, or the last id of the page before. */
int campaign_releases(struct db *db, const char *name, int64_t after, int64_t *ret, size_t max,
	size_t *ret_n) MUST_CHECK;
struct deputy_row {
	const char *person, *deputy, *by;
	int64_t first, last;
};
int deputy_list(
	struct db *db, bool (*row)(void *ctx, const struct deputy_row *r), void *ctx) MUST_CHECK;
/* Names that a rule uses and nobody has: "office 'x', tag 'y'"; offices and regions are errors, tags and lists may still come. */
int rule_unknown(struct db *db, struct str rule, char *ret_errors, size_t n_errors,
	char *ret_warnings, size_t n_warnings) MUST_CHECK;
/* Who an audience is now: targets of offices in force. Counts by kind and region, then targets. */
struct audience_count {
	int kind;
	const char *region;
	int64_t n;
};
int audience_counts(struct db *db, const char *name, int64_t now_ms,
	bool (*row)(void *ctx, const struct audience_count *r), void *ctx,
	struct err *e) MUST_CHECK;
int audience_targets(struct db *db, const char *name, int64_t now_ms, int64_t after, int64_t limit,
	bool (*row)(void *ctx, const struct target_row *r), void *ctx, struct err *e) MUST_CHECK;
/* Codes of an office and those above it, nearest first; returns how many, at most max. */
int office_chain_codes(struct db *db, const char *code, char (*ret)[64], size_t max) MUST_CHECK;
int office_chain_by_id(struct db *db, int64_t id, char (*ret)[64], size_t max) MUST_CHECK;

#endif
