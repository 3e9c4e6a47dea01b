/* child.h - runs one program to its end on a worker: a descriptor as its input, its output into a buffer with a maximum.
 * Blocking: never on the loop. No shell; no descriptor but 0, 1, 2; a minimal environment; killed with all that it has started at
 * the deadline, over a limit, or when it is told to.
 */
#ifndef LANTOA_BASE_CHILD_H
#define LANTOA_BASE_CHILD_H

#include <stdbool.h>
#include "base/buf.h"

#define CHILD_SAID_MAX 2048

struct child {
	const char *const *argv; /* [0] is the path; ends with NULL */
	int fd_in;               /* borrowed; read from where it stands; -1: /dev/null */
	int32_t deadline_ms;
	struct buf *out;         /* inited by the caller: its max is the limit */
	const _Atomic bool *cut; /* set by any thread: it is killed now; NULL: never */
	/* results */
	char said[CHILD_SAID_MAX]; /* start of standard error, terminated */
	int status, signo;         /* exit status, or the signal that ended it */
};
/* 0: it ran to its end (look at status and signo); -ENOENT and the like: it could not be started; -ETIMEDOUT, -E2BIG, -ECANCELED: killed. */
int child_run(struct child *c, struct err *e) MUST_CHECK;

#endif
