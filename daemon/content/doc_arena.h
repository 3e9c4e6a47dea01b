/* doc_arena.h - where the strings of one release_doc live: many small pieces, freed together, with a maximum.
 * An allocation that fails sets `failed` and gives "" or NULL: the caller checks once at its end.
 */
#ifndef LANTOA_CONTENT_DOC_ARENA_H
#define LANTOA_CONTENT_DOC_ARENA_H

#include <stdbool.h>
#include "base/str.h"

struct doc_arena;
struct doc_arena *doc_arena_new(size_t max); /* NULL when memory is out */
void doc_arena_free(struct doc_arena *a);
void *doc_arena_alloc(struct doc_arena *a, size_t n);         /* zeroed; NULL: failed */
const char *doc_arena_str(struct doc_arena *a, struct str s); /* never NULL */
bool doc_arena_failed(const struct doc_arena *a);

#endif
