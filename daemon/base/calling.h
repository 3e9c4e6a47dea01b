/* calling.h - what is being handed to code that may crash, noted in a page of a file that outlives the process, so that the next start
 * knows what to set aside. The file belongs on a file system in memory: writing to its page never waits, and a power cut, which is
 * nobody's fault, leaves none.
 * Thread: the one that calls. Owns: the mapping and a lock on the file, until the process ends. Maximum: CALLING_MAX items of one call are noted.
 */
#ifndef LANTOA_BASE_CALLING_H
#define LANTOA_BASE_CALLING_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

#define CALLING_MAX 64

struct calling {
	uint64_t n; /* 0: no call under way; not over CALLING_MAX */
	int64_t item[CALLING_MAX];
};

/* Maps the file at path, made 0600 when missing. *ret_was: what an earlier process was doing when it ended (n = 0: nothing).
 * -EADDRINUSE: another process has it. Blocking. */
int calling_open(
	const char *path, struct calling **ret, struct calling *ret_was, struct err *e) MUST_CHECK;
/* Items first, then how many: a process that ends in between leaves no wrong word. */
void calling_begin(struct calling *c, const int64_t *item, size_t n);
void calling_end(struct calling *c);

#endif
