/* prepared.c - skeletons and payloads: memory, references. Threads: any; the skeleton is immutable, its count atomic. */
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "channel/prepared.h"
#include "channel/prepared_arena.h"

void *arena_copy(struct arena *a, const void *p, size_t n)
{
	size_t need = (n + 1 + 7) & ~(size_t)7;
	struct arena_block *b = a->first;
	if (!b || b->used + need > b->size) {
		size_t size = need > ARENA_BLOCK ? need : ARENA_BLOCK;
		b = malloc(sizeof(*b) + size);
		if (!b)
			return NULL;
		b->next = a->first;
		b->used = 0;
		b->size = size;
		a->first = b;
	}
	char *at = b->bytes + b->used;
	if (n)
		memcpy(at, p, n);
	at[n] = 0;
	b->used += need;
	a->total += n;
	return at;
}

struct lt_str arena_str(struct arena *a, struct lt_str s)
{
	if (!s.p)
		return s;
	void *p = arena_copy(a, s.p, s.n);
	return (struct lt_str){ p, p ? s.n : 0 };
}

static void arena_free(struct arena *a)
{
	while (a && a->first) {
		struct arena_block *b = a->first;
		a->first = b->next;
		free(b);
	}
	free(a);
}

struct prepared *prepared_ref(struct prepared *p)
{
	__atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED);
	return p;
}

void prepared_unref(struct prepared *p)
{
	if (!p || __atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	arena_free(p->arena);
	free(p->pieces);
	free(p->problems);
	free(p->facts);
	free(p->renditions);
	free(p->links);
	free(p);
}

struct prepared *prepared_summary(const struct prepared *p, size_t preview_max)
{
	struct prepared *s = x_calloc(1, sizeof(*s));
	struct arena *a = s->arena = x_calloc(1, sizeof(*a));
	size_t n = p->preview ? strlen(p->preview) : 0;
	*s = (struct prepared){
		.refs = 1, .summary = true, .bytes = p->bytes, .digest = p->digest, .arena = a
	};
	if (p->preview && n <= preview_max)
		s->preview = arena_copy(a, p->preview, n);
	s->facts = p->n_facts ? x_calloc(p->n_facts, sizeof(*s->facts)) : NULL;
	for (size_t i = 0; i < p->n_facts; i++) {
		const char *name = p->facts[i].name;
		s->facts[s->n_facts].name = name ? arena_copy(a, name, strlen(name)) : NULL;
		s->facts[s->n_facts].value = p->facts[i].value;
		s->n_facts += s->facts[s->n_facts].name != NULL;
	}
	return s;
}

size_t prepared_memory(const struct prepared *p)
{
	const struct arena *a = p->arena;
	size_t n = sizeof(*p) + p->n_pieces * sizeof(*p->pieces) +
		p->n_problems * sizeof(*p->problems) + p->n_facts * sizeof(*p->facts) +
		p->n_renditions * sizeof(*p->renditions) + p->n_links * sizeof(*p->links);
	for (const struct arena_block *b = a ? a->first : NULL; b; b = b->next)
		n += sizeof(*b) + b->size;
	return n;
}

int64_t prepared_fact_get(const struct prepared *p, const char *name, int64_t otherwise)
{
	for (size_t i = 0; i < p->n_facts; i++)
		if (strcmp(p->facts[i].name, name) == 0)
			return p->facts[i].value;
	return otherwise;
}

void payload_free(struct payload *p)
{
	if (!p)
		return;
	prepared_unref(p->skeleton);
	free(p->src);
	free(p->own);
	free(p);
}
