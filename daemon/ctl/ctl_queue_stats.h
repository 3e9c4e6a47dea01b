/* ctl_queue_stats.h - numbers for the methods of queue, deliveries, reports and channels. */
#ifndef LANTOA_CTL_QUEUE_STATS_H
#define LANTOA_CTL_QUEUE_STATS_H

#include "base/json.h"
#include "ctl/ctl.h"

struct ctl_account_stats;

/* Adds "stats" (name: value), "stats_at", "fate" (gone, changed) and "fate_at" of a delivery to o; null where there is none. Worker. */
int ctl_stats_put(struct store_reader *r, int64_t delivery, cJSON *o) MUST_CHECK;
/* Reads the numbers of all accounts on a worker, then calls `then` on the loop, which answers; a failure is answered here. */
void ctl_account_stats_read(
	struct ctl_call *c, void (*then)(struct ctl_call *c, const struct ctl_account_stats *s));
void ctl_account_stats_put(
	const struct ctl_account_stats *s, const char *channel, const char *account, cJSON *o);

#endif
