/* ctl_channel.h - what the files about channels share. */
#ifndef LANTOA_CTL_CHANNEL_H
#define LANTOA_CTL_CHANNEL_H

#include "ctl/ctl_queue.h"
#include "dispatch/dispatch_credential.h"

/* The state of a credential, or NULL where there is none. Loop. */
cJSON *ctl_credential_json(const struct ctl_call *c, const char *channel, const char *name);
int ctl_channel_check(struct ctl_call *c, cJSON **ret, struct err *e);
int ctl_channel_login(struct ctl_call *c, cJSON **ret, struct err *e);

#endif
