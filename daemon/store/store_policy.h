/* store_policy.h - the rules in force, for the audit: a change of them is an event, whenever it came (a reload, or a start with
 * another configuration); with it the act that brought it. A command as store.h says.
 */
#ifndef LANTOA_STORE_POLICY_H
#define LANTOA_STORE_POLICY_H

#include "store/store.h"

struct store_policy_cmd {
	struct store_cmd cmd;
	const char *person, *via; /* all borrowed until done */
	const char *text;         /* the rules as one line, NULL: they stay as they are */
	const char *act, *why;    /* an event of its own, NULL: none */
	bool changed;
};
void store_policy_prepare(struct store_policy_cmd *c);

#endif
