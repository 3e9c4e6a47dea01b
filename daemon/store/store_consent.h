/* store_consent.h - who has agreed to advertising: asked by one message and never again, given or refused by the person's own.
 * Threads: reading anywhere with a reader's or the writer's db, writing on the store thread.
 */
#ifndef LANTOA_STORE_STORE_CONSENT_H
#define LANTOA_STORE_STORE_CONSENT_H

#include "base/crypt.h"
#include "store/store.h"

enum consent_state { CONSENT_NONE = 0, CONSENT_ASKED = 1, CONSENT_GIVEN = 2, CONSENT_REFUSED = 3 };
const char *consent_state_name(int state);

struct consent {
	int state;
	int64_t at_ms, asked_ms; /* 0: never asked */
	int64_t asked_by;        /* the delivery that asked; 0: none */
};
/* Nothing known: zeros. */
int consent_get(struct db *db, const struct hash *who, struct consent *ret) MUST_CHECK;
/* Before the intent of a message that asks: 1 it may, 0 this contact was asked already or has answered. */
int consent_may_ask(struct store_tx *tx, int64_t contact, int64_t delivery) MUST_CHECK;
/* With the intent: asked now. A try that provably did not reach it may ask again, by the same delivery. */
int consent_ask(struct store_tx *tx, int64_t contact, int64_t delivery) MUST_CHECK;
/* The person's own word; with its audit event. */
int consent_put(struct store_tx *tx, const struct hash *who, enum consent_state state,
	const char *way, const char *evidence) MUST_CHECK;

#endif
