/* sim_token.h - access tokens in the simulation: what they all share, and those that are asked for with a secret that stays good (a gateway
 * with client credentials, a page whose token is derived from the system user's). Each renewal needs a committed word of its own, no call
 * goes out with a token that was not given out, and a person is asked only where two tries were lost.
 * Stands in memory that outlives a crash of the daemon. Failures: sim_fail. */
#ifndef LANTOA_TESTS_SIM_TOKEN_H
#define LANTOA_TESTS_SIM_TOKEN_H

#include "sim_provider.h"

struct sim_token {
	int generation; /* of the newest that was given out */
	int64_t until;  /* mono: so long it is good; an older one is not */
	int64_t word;   /* the newest that was seen; its number in the audit */
	int logins;     /* renewals that a person asked for */
};

/* What does not reach the application behind the gateway is answered by the gateway: nothing is spent by it. */
bool token_reached(enum fate f);
void token_say(size_t call, enum fate f, const char *body);
/* The number in the audit of the newest word of this credential, "mail/oa-x"; 0: none. */
int64_t token_word(const char *credential);
/* A new one is asked for; true: the provider gives it, in t. repeats: within one word it may be asked for again, since that spends nothing. */
bool token_renew(struct sim_token *t, const char *credential, enum fate f, bool repeats);
bool token_good(const struct sim_token *t, int generation);
void token_booted(struct sim_token *t, const char *credential);
/* A person logs in where the daemon asks for it; true: something was begun. */
bool token_person(
	struct sim_token *t, const char *channel, const char *account, const char *credential);

#endif
