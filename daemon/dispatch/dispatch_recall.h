/* dispatch_recall.h - taking back what was published, one call a delivery, where the adapter can. Thread: loop. */
#ifndef LANTOA_DISPATCH_DISPATCH_RECALL_H
#define LANTOA_DISPATCH_DISPATCH_RECALL_H

#include "dispatch/dispatch.h"
#include "store/store_recall.h"

struct recall_request {                /* copied */
	int64_t release_id, office_id; /* office 0: any */
	int part;                      /* -1: any */
	const char *subject;           /* for the audit: "release:TTBC-2026-112@2026 part:public" */
	const char *person, *via, *why;
	/* After the commit: how many were asked for, by kind of channel. What comes of them: store_recall_list. */
	void (*done)(
		void *ctx, int rc, const struct err *e, int64_t asked, const int64_t by_kind[16]);
	void *ctx;
};
void dispatch_recall(struct dispatch *d, const struct recall_request *r);

#endif
