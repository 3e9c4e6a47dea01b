/* store_forget.h - an address erased: contact, its targets' variables, tags and lists, what providers said of it.
 * Deliveries stay with a contact whose address is a keyed hash; suppression is by hash anyway and stays.
 * Threads: the command as store.h says; forget_places on a worker.
 */
#ifndef LANTOA_STORE_FORGET_H
#define LANTOA_STORE_FORGET_H

#include "store/store.h"

#define FORGET_MAX 16

struct forget_one {
	int kind;
	char address[321]; /* canonical */
};
struct forget_cmd { /* again while `more`: a contact's deliveries are cleaned release by release */
	struct store_cmd cmd;
	struct forget_one v[FORGET_MAX]; /* the forms that an address may have */
	size_t n;
	const char *person, *via, *why;
	int64_t ret_contacts, ret_targets, ret_deliveries;
};
void forget_prepare(struct forget_cmd *c);
/* Files of the state folder that still hold the bytes: names, in order; blocking. Returns how many, at most max. */
size_t forget_places(const struct store *s, struct str address, char (*ret)[256], size_t max);

#endif
