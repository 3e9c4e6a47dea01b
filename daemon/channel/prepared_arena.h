/* prepared_arena.h - memory behind one skeleton: blocks that are freed together. For files in channel/ only. */
#ifndef LANTOA_CHANNEL_PREPARED_ARENA_H
#define LANTOA_CHANNEL_PREPARED_ARENA_H

#include <lantoa/adapter.h>

#define ARENA_BLOCK 4096

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	char bytes[];
};
struct arena {
	struct arena_block *first;
	size_t total;
};
void *arena_copy(struct arena *a, const void *p, size_t n); /* NUL behind it; NULL: memory */
struct lt_str arena_str(struct arena *a, struct lt_str s);

#endif
