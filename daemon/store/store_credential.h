/* store_credential.h - the word that a credential is about to be rotated. Committed before the call that may spend the old pair;
 * what follows is store_secret_put (a new pair) or store_secret_mark (good again, in doubt, dead).
 */
#ifndef LANTOA_STORE_STORE_CREDENTIAL_H
#define LANTOA_STORE_STORE_CREDENTIAL_H

#include "store/store_secret.h"

/* class STORE_INTENT: refused under the free-space floor, because a new pair could not be kept. Audited. */
struct store_cred_begin {
	struct store_cmd cmd;
	const char *channel, *adapter, *name; /* borrowed until done */
	bool again;                           /* the one more try of a credential in doubt */
	const char *person, *via;             /* NULL: "system" */
	int64_t version;                      /* out: that of the old pair; 0: there is none */
};
void store_cred_begin_init(struct store_cred_begin *c);

/* A person begins or ends a login: the event alone. */
struct store_cred_login {
	struct store_cmd cmd;
	const char *channel, *name, *person, *via, *now; /* borrowed until done */
};
void store_cred_login_init(struct store_cred_login *c);

#endif
