/* loop_bell.h - another thread rings, the loop hears it: a counter of the kernel (eventfd(2)) that the loop polls.
 * uv_async_t is not used for it: until libuv 1.45 (Debian 12 has 1.44) the loop spins until the thread that sent has a processor
 * again (libuv #2769, #3879), and a sender of lower priority is interrupted by the very loop that it wakes; ten milliseconds were seen.
 * Thread: the loop, except bell_ring (any). Owns: the descriptor and the handle. Failures: bell_open only.
 */
#ifndef LANTOA_NET_LOOP_BELL_H
#define LANTOA_NET_LOOP_BELL_H

#include <stdbool.h>
#include <uv.h>
#include "base/err.h"

struct bell {
	uv_poll_t uv;
	int fd;
	void (*heard)(struct bell *b); /* on the loop, at least once after each ring */
	void (*closed)(struct bell *b);
};

/* 0 or a negative errno; a bell that is open keeps the loop alive until bell_keeps_alive says otherwise. */
int bell_open(struct bell *b, uv_loop_t *uv, void (*heard)(struct bell *b)) MUST_CHECK;
void bell_ring(struct bell *b); /* async-signal-safe; rings coalesce */
void bell_keeps_alive(struct bell *b, bool on);
/* Nobody rings any more. closed (or NULL) runs on the loop, and the memory is the owner's again. */
void bell_close(struct bell *b, void (*closed)(struct bell *b));

#endif
