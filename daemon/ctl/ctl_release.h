/* ctl_release.h - what ctl_release.c and ctl_release_read.c share. */
#ifndef LANTOA_CTL_RELEASE_H
#define LANTOA_CTL_RELEASE_H

#include "base/file.h"
#include "ctl/ctl.h"

#define CTL_DOCUMENT_MAX (64u << 20)

int ctl_release_list(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_release_show(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_release_watch(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_release_report(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_release_calendar(struct ctl_call *c, cJSON **ret, struct err *e);
/* Adds approvals[] and authors[]. Worker. */
int ctl_release_people(struct ctl_call *c, struct str release, cJSON *o, struct err *e) MUST_CHECK;
/* Adds what could be taken back and what cannot, by channel kind, and answers. Loop; result is moved. */
void ctl_recall_answer(struct ctl_call *c, cJSON *result);

#endif
