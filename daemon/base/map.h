/* map.h - hash table from 64-bit keys or short byte strings to pointers. Values are borrowed, string keys copied.
 * Not for iteration order that anyone sees.
 */
#ifndef LANTOA_BASE_MAP_H
#define LANTOA_BASE_MAP_H

#include <stdint.h>
#include "base/err.h"
#include "base/str.h"

struct map64;
struct map64 *map64_new(void);
void map64_free(struct map64 *m); /* NULL allowed; values are not touched */
void *map64_get(const struct map64 *m, uint64_t key);
void *map64_put(struct map64 *m, uint64_t key,
	void *value);                           /* returns the old value or NULL; value not NULL */
void *map64_del(struct map64 *m, uint64_t key); /* returns what was there or NULL */
size_t map64_count(const struct map64 *m);
/* Visits every entry; cursor starts at 0; returns false at the end. The map must not change in between. */
bool map64_next(const struct map64 *m, size_t *cursor, uint64_t *ret_key, void **ret_value);

struct maps; /* string keys */
struct maps *maps_new(void);
void maps_free(struct maps *m);
void *maps_get(const struct maps *m, struct str key);
void *maps_put(struct maps *m, struct str key, void *value);
void *maps_del(struct maps *m, struct str key);
size_t maps_count(const struct maps *m);
bool maps_next(const struct maps *m, size_t *cursor, struct str *ret_key, void **ret_value);

#endif
