/* store_q_release.h - what the release methods of the control socket read. Thread: worker, inside a reader's snapshot.
 * Visitors get borrowed rows for the time of the call; a visitor's negative code ends the reading.
 */
#ifndef LANTOA_STORE_Q_RELEASE_H
#define LANTOA_STORE_Q_RELEASE_H

#include "store/store_plan.h"

struct q_counts {
	int64_t n[11]; /* by enum dlv_state */
};
int q_release_counts(
	struct db *db, int64_t release_id, int part /* -1: all */, struct q_counts *ret) MUST_CHECK;
/* Ids of releases, newest first, from below `after` (0: the newest); state -1: any. */
int q_release_list(struct db *db, int state, int64_t after, size_t limit, int64_t *ret,
	size_t *ret_n) MUST_CHECK;
int q_release_submitted(struct db *db, int64_t release_id, int64_t *ret) MUST_CHECK;
int q_release_note(
	struct db *db, int64_t release_id, char **ret /* owned, may be NULL */) MUST_CHECK;

struct q_revision {
	int64_t rev, at;
	const char *person;
	struct hash manifest; /* the newest of the revision */
};
int q_revisions(struct db *db, int64_t release_id,
	int (*row)(void *ctx, const struct q_revision *r), void *ctx) MUST_CHECK;

struct q_lot {
	const char *part, *channel, *account, *class, *why;
	int gate, lots;
	struct q_counts counts;
};
/* Lots of a release by part, lane and gate. */
int q_lots(struct db *db, const struct release_row *r, int (*row)(void *ctx, const struct q_lot *l),
	void *ctx) MUST_CHECK;

struct q_delivery {
	int64_t id, at, tries; /* at: of the last attempt; 0: none */
	const char *part, *office, *office_order, *provider_id, *url, *code, *said, *why,
		*lane; /* channel/account/class that has it now */
	struct str address;
	int kind, state, gate, part_no;
};
/* Deliveries by id after `after`, without those waiting or held in a lot whose approval is void; under: only those of this office and
 * below (NULL: all). */
int q_deliveries(struct db *db, const struct release_row *r, const char *under, int64_t after,
	size_t limit, int (*row)(void *ctx, const struct q_delivery *d), void *ctx) MUST_CHECK;

struct q_reached {
	int kind;
	int64_t reached, unknown,
		waiting; /* accepted or delivered; unknown, doubt or sending; waiting or held */
};
int q_reached(struct db *db, int64_t release_id, struct q_reached *ret, size_t max,
	size_t *ret_n) MUST_CHECK;

struct q_moment {
	int64_t at;
	struct release_row release;
	const char *part;
	int state;
	bool fixed; /* it has a time; else `at` is that of the part it comes after, or the end of the window of its signal */
	const char *after; /* "" none */
};
/* Parts that start or started between from and to; of a release that is not approved or not under way any more only what
 * started, of a cancelled one nothing. */
int q_calendar(struct db *db, int64_t from, int64_t to,
	int (*row)(void *ctx, const struct q_moment *m), void *ctx) MUST_CHECK;

#endif
