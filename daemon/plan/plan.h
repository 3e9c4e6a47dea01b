/* plan.h - releases from the bundle to open lots: check, submit, approve, parts in time, planning in chunks.
 * Threads: plan_check, plan_preview, plan_prepare and every function that takes a store_reader are synchronous and run on a worker; the rest is
 * the loop's. Deterministic: time from opts.env. Must not know: dispatch, ctl, sockets.
 */
#ifndef LANTOA_PLAN_PLAN_H
#define LANTOA_PLAN_PLAN_H

#include <cjson/cJSON.h>
#include "base/env.h"
#include "channel/channel.h"
#include "conf/conf.h"
#include "model/manifest.h"
#include "store/store.h"

struct plan;
struct renditions; /* content/rendition.h */

struct plan_opts {
	struct env *env;
	struct store *store;
	const struct conf *conf;         /* a reference is taken */
	struct channels *channels;       /* pure side only; borrowed */
	struct renditions *renditions;   /* borrowed; NULL: no picture can be fitted */
	void (*on_lots_open)(void *ctx); /* lots opened or changed: dispatch_scan */
	/* A new revision or a return is committed, which voids its approval: dispatch_release_void. NULL: nothing is sent */
	void (*on_void)(void *ctx, int64_t release_id);
	/* What a part's lots will be sent as, made again and equal to what was approved, before they open: dispatch_prepared. Who wants
	 * one takes a reference; after a reload they count no more. NULL: dispatch asks plan_prepare for each. */
	void (*on_prepared)(void *ctx, const struct prep_key *key, struct prepared *p);
	void *ctx;
	/* HEAD/GET of a canonical link (parts with needs_link): loop thread, deferred answer; NULL in tests: links never answer. */
	void (*link_check)(void *ctx, const char *url,
		void (*done)(void *done_ctx, bool answers, const char *why), void *done_ctx);
};
struct plan *plan_new(const struct plan_opts *o);
void plan_start(struct
	plan *p); /* loads active parts, judges late ones once, resumes planning from its cursors */
void plan_stop(struct plan *p, void (*done)(void *ctx), void *ctx);
void plan_free(struct plan *p);
void plan_reload(struct plan *p, const struct conf *conf,
	struct channels *cs); /* routes looked up again for waiting lots */
/* Any thread. Why the page that a part waits for does not answer; false: nothing is known. */
bool plan_link_why(struct plan *p, int64_t release_id, uint32_t part, char *dst, size_t size);
void plan_on_progress(struct plan *p, int64_t release_id, uint32_t part); /* from dispatch */

/* Who acts. Borrowed strings. */
struct actor {
	const char *person, *via,
		*office; /* office: NULL or the code that bounds what this person sees and changes */
	unsigned roles;
};

/* A staged upload: a file in the staging folder, its kind and name. */
struct staged {
	const char *path;        /* absolute, inside the staging folder */
	const char *name;        /* as the user called it: for messages */
	const struct hash *hash; /* of its bytes, where it was made as they came; may be NULL */
};

/* All results below are JSON as docs/control-protocol.md says; *ret is owned by the caller. A refusal by a check is rc -EBADMSG with the problems in *ret. */
typedef void plan_done_fn(
	void *ctx, int rc, const struct err *e, cJSON *result /* moved; may be NULL */);

/* Worker side, synchronous. */
/* large: the caller is a work of WORK_LOOK. Others get -EOVERFLOW, soon, where an audience is so large that they should become one
 * (work.longer), and nothing else has happened. */
int plan_check(struct plan *p, struct store_reader *r, const struct staged *s,
	const struct actor *who, bool large, cJSON **ret, struct err *e) MUST_CHECK;
int plan_preview(struct plan *p, struct store_reader *r, const cJSON *params,
	const struct actor *who, cJSON **ret, struct err *e) MUST_CHECK;
int plan_diff(struct plan *p, struct store_reader *r, const cJSON *params, const struct actor *who,
	cJSON **ret, struct err *e) MUST_CHECK;
/* What an approver must see, but for approvals and authors; `changed` where audience or outputs are not
 * the stored manifest's any more: hash and code are then those of the manifest as it is today. */
int plan_review(struct plan *p, struct store_reader *r, const cJSON *params,
	const struct actor *who, bool large, cJSON **ret, struct err *e) MUST_CHECK;
/* The approved skeleton of a key, made again; compared with the approved digest: -ESTALE when different. For dispatch_opts.prepare; ctx is the plan. */
int plan_prepare(void *plan, struct store_reader *r, const struct prep_key *key,
	struct prepared **ret, struct err *e) MUST_CHECK;
/* The manifest as the stored rows of that revision would make it today, but for what was resolved at the approval: equal to the
 * approved bytes (0), or -EBADMSG and e names what differs. Finished or not; for fsck. One document and its manifest in memory. */
int plan_verify_stored(struct store_reader *r, int64_t release_id, int64_t rev,
	const struct manifest *approved, struct str bytes, struct err *e) MUST_CHECK;
/* Verifies the MAC of every approval of a manifest: for the simulation. */
int plan_verify_approvals(
	struct plan *p, struct store_reader *r, int64_t release_id, struct err *e) MUST_CHECK;

/* Loop side, asynchronous: worker steps and store commands inside, done once on the loop. Strings and params are copied. */
void plan_submit(struct plan *p, const struct staged *s, const struct actor *who,
	plan_done_fn *done, void *ctx);
void plan_approve(struct plan *p, const cJSON *params, const struct actor *who, plan_done_fn *done,
	void *ctx); /* {release, hash, emergency, diff, why, code, for, document_hash} */
void plan_return(struct plan *p, const cJSON *params, const struct actor *who, plan_done_fn *done,
	void *ctx);
void plan_go(struct plan *p, const cJSON *params, const struct actor *who, plan_done_fn *done,
	void *ctx); /* {release, part} */
void plan_move(struct plan *p, const cJSON *params, const struct actor *who, plan_done_fn *done,
	void *ctx); /* {release, part, at} */
void plan_cancel(struct plan *p, const cJSON *params, const struct actor *who, plan_done_fn *done,
	void *ctx); /* the release's own state; lots are stopped through dispatch */
void plan_correct(struct plan *p, const cJSON *params, const struct staged *s,
	const struct actor *who, plan_done_fn *done, void *ctx);
void plan_local_set(struct plan *p, const cJSON *params, const struct actor *who,
	plan_done_fn *done, void *ctx); /* {release, office, text} */
void plan_local_approve(struct plan *p, const cJSON *params, const struct actor *who,
	plan_done_fn *done, void *ctx); /* {release, office, hash} */

#endif
