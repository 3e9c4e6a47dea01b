/* import.h - offices, targets, audiences, campaigns and suppressions from a staged file: read on a worker, checked whole, then
 * applied through the store; refused whole with every bad line.
 * Threads: loop; reading and checking run on workers in slices. Nothing is stored before the file is clean; a crash while it is
 * applied goes on at the next start (import_start).
 */
#ifndef LANTOA_PLAN_IMPORT_H
#define LANTOA_PLAN_IMPORT_H

#include "channel/channel.h"
#include "plan/plan.h"
#include "store/store_import.h"

enum import_what {
	IMPORT_WHAT_OFFICES = 1,
	IMPORT_WHAT_TARGETS = 2,
	IMPORT_WHAT_AUDIENCES = 3,
	IMPORT_WHAT_CAMPAIGNS = 4,
	IMPORT_WHAT_SUPPRESSION = 5,
	IMPORT_WHAT_DO_NOT_CALL =
		6 /* a plain list: column address; kind sms and reason do_not_call where not said */
};
/* Canonical form of an address on a worker; as channel_address, by the channel's name. */
typedef int import_address_fn(void *ctx, struct channels *cs, const char *channel, struct str in,
	struct addr_out *ret, struct err *e);

struct import_opts {
	struct env *env;
	struct store *store;
	const struct conf *conf;      /* a reference is taken where it is needed longer */
	struct conf *const *conf_now; /* the one in force; with stale */
	/* import_run of targets: at its end another configuration is in force: what it stored may have the lanes of the former routes.
	 * Loop thread, before done. NULL: nobody asks */
	void (*stale)(void *ctx);
	void *stale_ctx;
	struct channels **channels; /* looked at before every slice; may be NULL with address */
	import_address_fn *address; /* NULL: channel_address */
	void *address_ctx;
	/* import_reroute: lanes that targets have left for others, each pair once; borrowed. Loop thread, before done. NULL: nobody asks */
	void (*moved)(void *ctx, const struct lane_move *v, size_t n);
	void *moved_ctx;
	/* True: what is behind import_begin, and what starts and reloads look at, ends soon with -ECANCELED; what has begun goes on at the
	 * next start. NULL: never */
	const bool *stopping;
};
/* result: {rows, added, changed, gone, problems[], warnings[]}; -EBADMSG with problems: nothing was stored. */
void import_run(const struct import_opts *o, enum import_what what, const struct staged *s,
	const struct actor *who, bool dry, plan_done_fn *done, void *ctx);
/* At start-up, and then: sweeps the staging folder, goes on with an interrupted import (or takes it back when its file is gone),
 * moves targets of offices that have been replaced. Once a process. Readers of the store are open on workers until done is called. */
void import_start(const struct import_opts *o, plan_done_fn *done, void *ctx);
/* The last of these alone, at any time: an import that is under way is this process's own, and nobody else's to go on with.
 * result: changed, how many targets were moved. done may be called before this returns. */
void import_settle(const struct import_opts *o, plan_done_fn *done, void *ctx);
/* After a reload: targets whose route has changed get their new lane; `moved` hears of it. result: {changed}. */
void import_reroute(const struct import_opts *o, plan_done_fn *done, void *ctx);

#endif
