/* ctl_release.h - what ctl_release.c and ctl_release_read.c share. */
#ifndef LANTOA_CTL_RELEASE_H
#define LANTOA_CTL_RELEASE_H

#include "base/file.h"
#include "ctl/ctl.h"
#include "store/store_recall.h"

#define CTL_DOCUMENT_MAX (64u << 20)

int ctl_release_list(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_release_show(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_release_watch(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_release_report(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_release_calendar(struct ctl_call *c, cJSON **ret, struct err *e);
/* Adds approvals[] and authors[]. Worker. */
int ctl_release_people(struct ctl_call *c, struct str release, cJSON *o, struct err *e) MUST_CHECK;
/* Adds stops[]: the holds of people that cover the release. Worker. */
int ctl_release_stops(struct ctl_call *c, int64_t release, cJSON *o) MUST_CHECK;
/* Adds what could be taken back and what cannot, by channel kind, and answers. Loop; result is moved. */
void ctl_recall_answer(struct ctl_call *c, cJSON *result);
/* ctl_recall.c */
int ctl_recall(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_recalls(struct ctl_call *c, cJSON **ret, struct err *e);
/* Adds recall{} where somebody asked for it. Worker. */
struct store_reader;
cJSON *ctl_recall_json(const struct recall_row *x); /* ctl_recall_read.c */
int ctl_recall_put(struct store_reader *r, int64_t delivery, cJSON *o) MUST_CHECK;

#endif
