/* ctl_office.h - the methods of offices, targets and audiences that only look; ctl_office.c holds the table. Worker. */
#ifndef LANTOA_CTL_OFFICE_H
#define LANTOA_CTL_OFFICE_H

#include "ctl/ctl.h"
#include "store/store_forget.h"
#include "store/store_office.h"

int ctl_offices_list(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_office_show(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_targets_list(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_targets_show(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_audiences_list(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_audience_show(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_campaigns_list(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_campaign_show(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_deputy_list(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_targets_allow(struct ctl_call *c, cJSON **ret, struct err *e); /* CTL_WRITE: loop */
/* -EINVAL when the reason names an address of v: the audit keeps it for ever, and addresses do not stand there. */
int ctl_reason_check(
	const char *why, const struct forget_one *v, size_t n, struct err *e) MUST_CHECK;
/* Every form that an address may have in the store: as written, and as each configured channel writes it. */
size_t ctl_address_forms(const struct conf *conf, struct channels *cs, struct str in,
	struct forget_one *ret, size_t max);

#endif
