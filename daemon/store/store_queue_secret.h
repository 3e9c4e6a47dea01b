/* store_queue_secret.h - rotating credentials at rest: one sealed row for each (channel, name), the newest version only.
 * The plain form is a list of (length, name, length, value), lengths of 32 bits in the machine's order.
 */
#ifndef LANTOA_STORE_STORE_QUEUE_SECRET_H
#define LANTOA_STORE_STORE_QUEUE_SECRET_H

#include "store/store.h"

#define SQ_SECRET_MAX 65536

struct sq_secret {
	struct store_cmd cmd; /* STORE_OUTCOME: the provider has made the old pair void already */
	char channel[64], name[64];
	struct str plain; /* borrowed until done */
	int64_t expires_ms;
	int64_t ret_version; /* out */
};
void sq_secret_init(struct sq_secret *c);
/* The set as stored, by its plain form; 1 found, 0 none, -EBADMSG sealed with another key or changed. *ret is owned: wipe and free. */
int sq_read_secret(struct store_reader *r, const char *channel, const char *name, char **ret,
	size_t *ret_n, int64_t *ret_version) MUST_CHECK;
/* One value of the plain form; absent when there is none. Borrowed from plain. */
struct str sq_secret_value(struct str plain, const char *name);

#endif
