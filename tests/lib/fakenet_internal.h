/* fakenet_internal.h - what the files of the scripted network share. */
#ifndef LANTOA_TESTS_FAKENET_INTERNAL_H
#define LANTOA_TESTS_FAKENET_INTERNAL_H

#include "fakenet.h"

struct fakenet_stream *fakenet_stream_of(struct net_stream *s);
int fakenet_stream_open(struct net *n, const struct net_stream_req *r, struct net_stream **ret);
int fakenet_stream_write(struct net *n, struct net_stream *h, const struct net_seg *segs,
	size_t n_segs, uint64_t *ret_end);
uint64_t fakenet_stream_flushed(struct net *n, const struct net_stream *h);
void fakenet_stream_close(struct net *n, struct net_stream *h, bool reset);
void fakenet_stream_free(struct fakenet_stream *s);

#endif
