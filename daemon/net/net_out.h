/* net_out.h - bytes on their way out: copied bytes and sources in the order in which they were given.
 * Thread: loop. Owns: its blocks and the sources that it was given (released when used up, or by out_done).
 * Blocks do not move: what out_peek returned stays at its address until out_sent has passed it, which TLS needs for a retry.
 */
#ifndef LANTOA_NET_OUT_H
#define LANTOA_NET_OUT_H

#include "net/net.h"

struct out_block;
struct out_node;

struct net_out {
	struct out_block *head, *tail;     /* ready bytes */
	struct out_block *spare;           /* one empty block kept */
	struct out_node *wait, *wait_tail; /* sources, each with the bytes behind it */
	size_t ready;                      /* bytes in head .. tail */
	size_t n_sources;
	uint64_t written, flushed; /* offsets since the beginning; the difference is queued */
	int broken;                /* negative: a source failed; nothing behind it will come */
	void (*on_ready)(struct net_out
			*o); /* a source that had nothing now has; never NULL while sources wait */
};

void out_init(struct net_out *o, void (*on_ready)(struct net_out *o));
void out_done(struct net_out *o);
/* Takes the segments: all or none; sources are released when it fails. -E2BIG over NET_SEGS_MAX or NET_BYTES_MAX. */
int out_add(struct net_out *o, const struct net_seg *segs, size_t n) MUST_CHECK;
void out_add_bytes(struct net_out *o, const void *p, size_t n);
/* Next run of bytes; 0 when nothing is ready now (queued bytes may wait for a source). Pulls sources ahead a little. */
size_t out_peek(struct net_out *o, const char **ret);
void out_sent(struct net_out *o, size_t n);
static inline uint64_t out_queued(const struct net_out *o)
{
	return o->written - o->flushed;
}
void net_segs_release(const struct net_seg *segs, size_t n);

#endif
