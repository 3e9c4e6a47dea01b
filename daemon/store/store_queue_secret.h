/* store_queue_secret.h - rotating credentials at rest: one sealed row for each (channel, name), the newest version only.
 * The plain form is a list of (length, name, length, value), lengths of 32 bits in the machine's order.
 */
#ifndef LANTOA_STORE_STORE_QUEUE_SECRET_H
#define LANTOA_STORE_STORE_QUEUE_SECRET_H

#include "base/str.h"

/* One value of the plain form; absent when there is none. Borrowed from plain. */
struct str sq_secret_value(struct str plain, const char *name);

#endif
