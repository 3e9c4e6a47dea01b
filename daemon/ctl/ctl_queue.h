/* ctl_queue.h - what the files of the queue methods share. */
#ifndef LANTOA_CTL_QUEUE_H
#define LANTOA_CTL_QUEUE_H

#include "base/assert.h"
#include "base/json.h"
#include "ctl/ctl.h"
#include "store/store_q_queue.h"

/* Work with a reader for a method of the loop: `read` on a worker (fills e on failure), then `then` on the loop. */
struct ctl_job {
	struct work work;
	struct ctl_call *c;
	int (*read)(struct ctl_job *j, struct store_reader *r, struct err *e);
	void (*then)(struct ctl_job *j); /* rc and e are set; frees what embeds it */
	int rc;
	struct err e;
};
void ctl_job_start(struct ctl_job *j);

/* Names of params to numbers. Worker; c->reader is set. The caller's office bounds the result. */
int ctl_scope_read(struct ctl_call *c, struct store_reader *r, struct stop_scope *ret,
	struct err *e) MUST_CHECK;
int ctl_filter_read(
	struct ctl_call *c, struct store_reader *r, struct q_filter *ret, struct err *e) MUST_CHECK;
#define CTL_WHY_MAX \
	399 /* bytes of a reason or a link that are kept with a stop, an act, a recall */
/* "-EINVAL: a reason is needed" unless params carry a `why` that says something, and is kept whole. */
int ctl_need_why(struct ctl_call *c, struct err *e) MUST_CHECK;
void ctl_stop_put(cJSON *list, const struct q_stop *s);
/* Is it told to the caller: of all, of the caller's own office, of one above that it stops with, of one below? Worker; c->reader is set. */
bool ctl_stop_seen(struct ctl_call *c, const struct q_stop *s);
/* Puts the holds in force that may stop something of the scope. Worker; c->reader is set. */
int ctl_scope_stops(struct ctl_call *c, const struct stop_scope *s, cJSON *list) MUST_CHECK;
cJSON *ctl_delivery_json(struct ctl_call *c, const struct q_dlv *d);
void ctl_put_time(cJSON *o, const char *key, int64_t ms); /* 0: null */

int ctl_queue_hold(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_queue_resume(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_channel_pause(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_channel_resume(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_delivery_list(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_delivery_show(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_delivery_retry(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_delivery_cancel(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_delivery_resolve(struct ctl_call *c, cJSON **ret, struct err *e);

#endif
