/* loop_notifier.h - another thread tells the loop that there is something to look at: a counter of the kernel (eventfd(2)) that the loop polls.
 * uv_async_t is not used for it: until libuv 1.45 (Debian 12 has 1.44) the loop spins until the thread that sent has a processor
 * again (libuv #2769, #3879), and a sender of lower priority is interrupted by the very loop that it wakes; ten milliseconds were seen.
 * Thread: the loop, except notifier_send (any). Owns: the descriptor and the handle. Failures: notifier_open only.
 */
#ifndef LANTOA_NET_LOOP_NOTIFIER_H
#define LANTOA_NET_LOOP_NOTIFIER_H

#include <stdbool.h>
#include <uv.h>
#include "base/err.h"

struct notifier {
	uv_poll_t uv;
	int fd;
	/* On the loop, at least once after each send. */
	void (*notified)(struct notifier *n);
	void (*closed)(struct notifier *n);
};

/* 0 or a negative errno; a notifier that is open keeps the loop alive until notifier_keeps_alive says otherwise. */
int notifier_open(
	struct notifier *n, uv_loop_t *uv, void (*notified)(struct notifier *n)) MUST_CHECK;
void notifier_send(struct notifier *n); /* async-signal-safe; sends coalesce */
void notifier_keeps_alive(struct notifier *n, bool on);
/* Nobody sends any more. closed (or NULL) runs on the loop, and the memory is the owner's again. */
void notifier_close(struct notifier *n, void (*closed)(struct notifier *n));

#endif
