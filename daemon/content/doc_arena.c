/* doc_arena.c - chunks of 64 KiB, larger ones for larger pieces. */
#include "content/doc_arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

#define CHUNK_BYTES (64u << 10)

struct chunk {
	struct chunk *next;
	size_t used, size;
	alignas(max_align_t) char bytes[];
};
struct doc_arena {
	struct chunk *first;
	size_t total, max;
	bool failed;
};

struct doc_arena *doc_arena_new(size_t max)
{
	struct doc_arena *a = calloc(1, sizeof(*a));
	if (a != NULL)
		a->max = max;
	return a;
}

void doc_arena_free(struct doc_arena *a)
{
	if (a == NULL)
		return;
	while (a->first != NULL) {
		struct chunk *c = a->first;
		a->first = c->next;
		free(c);
	}
	free(a);
}

static struct chunk *add_chunk(struct doc_arena *a, size_t n)
{
	size_t size = n > CHUNK_BYTES ? n : CHUNK_BYTES;
	if (FAULT("doc.arena") || a->total + size > a->max)
		return NULL;
	struct chunk *c = calloc(1, sizeof(*c) + size);
	if (c == NULL)
		return NULL;
	c->size = size;
	c->next = a->first;
	a->first = c;
	a->total += size;
	return c;
}

void *doc_arena_alloc(struct doc_arena *a, size_t n)
{
	size_t want = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	struct chunk *c = a->first;
	if (want < n || a->failed) {
		a->failed = true;
		return NULL;
	}
	if (c == NULL || c->size - c->used < want)
		c = add_chunk(a, want);
	if (c == NULL) {
		a->failed = true;
		return NULL;
	}
	void *p = c->bytes + c->used;
	c->used += want;
	return p;
}

const char *doc_arena_str(struct doc_arena *a, struct str s)
{
	if (s.n == 0)
		return "";
	char *p = doc_arena_alloc(a, s.n + 1);
	if (p == NULL)
		return "";
	memcpy(p, s.p, s.n);
	return p;
}

bool doc_arena_failed(const struct doc_arena *a)
{
	return a->failed;
}
