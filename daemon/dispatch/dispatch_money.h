/* dispatch_money.h - budgets inside dispatch; for its own files only. */
#ifndef LANTOA_DISPATCH_DISPATCH_MONEY_H
#define LANTOA_DISPATCH_DISPATCH_MONEY_H

#include "conf/conf.h"
#include "store/store.h"

struct dispatch;
struct dcopy;
struct dlot;
struct sq_money;

/* Offices and campaigns that the budgets of the configuration name, in their order. */
struct money_ids {
	struct money_id {
		int64_t office, campaign; /* 0: not in the store (yet) */
	} * v;
	size_t n;
};
int money_read(const struct conf *conf, struct store_reader *r,
	struct money_ids *ret) MUST_CHECK; /* worker */
void money_ids_done(struct money_ids *m);
void money_merge(struct dispatch *d, struct money_ids *m); /* takes it */

void money_reload(struct dispatch *d,
	const struct conf *old); /* until the next scan: what the old one knew */

void money_attach(struct dcopy *c);  /* before its intent */
void money_granted(struct dcopy *c); /* its intent is committed */
void money_detach(struct dcopy *c);  /* it is over */
void money_outcome(struct dcopy *c); /* before its outcome is committed */
bool money_waits(
	const struct dlot *l, int64_t now_ms, int64_t *ret_until); /* no new intents until then */
void money_used_up(struct dcopy *c);  /* its intent was refused with SQ_BUDGET */
void money_unref(struct sq_money *m); /* NULL allowed */

#endif
