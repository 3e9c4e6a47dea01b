/* store_allow.h - an address taken off the list of those that must not be contacted: `targets allow`.
 * A bounce is lifted with a reason. What the person wants (unsubscribed, complained, registered) is lifted only where somebody vouches
 * that the person agreed again, and so is each entry of an address that was erased (`targets forget`): erasing leaves the entry, by
 * hash, as the only thing that still keeps a later import from it.
 * What was planned and left out as suppressed stays left out. Consent to advertising is not touched: only the person's own message
 * gives it. Thread: the command as store.h says.
 */
#ifndef LANTOA_STORE_ALLOW_H
#define LANTOA_STORE_ALLOW_H

#include "store/store_forget.h"

#define ALLOW_MAX 64 /* entries of one address: more are taken list by list */

struct allow_entry {
	int kind; /* enum chan_kind */
	struct hash who;
	char list[120]; /* "": everything */
	int reason;     /* enum suppress_reason */
	int64_t strikes, since;
	int consent; /* enum consent_state of this address */
	bool erased; /* this address was erased by `targets forget` */
	bool lifted; /* else it still stands */
};
struct allow_cmd {
	struct store_cmd cmd;
	struct forget_one v[FORGET_MAX]; /* the forms that the address may have */
	size_t n;
	const char *list; /* only the entry of this one; NULL: of every list and of everything */
	bool agreed;      /* the person agreed again: `why` says when and how */
	const char *person, *via, *why; /* borrowed until done */
	struct allow_entry ret[ALLOW_MAX];
	size_t n_ret;
};
/* -ENOENT: nothing is suppressed; -EBADMSG: only with `agreed`; -E2BIG: over ALLOW_MAX entries. Then nothing changed. */
void allow_prepare(struct allow_cmd *c);

#endif
