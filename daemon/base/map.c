/* map.c - hash tables: entries lie densely in the order of their insertion, beside an index of slots with open addressing.
 * Thread: the owner's. Owns: the tables and the copies of string keys; values are borrowed.
 * String keys are hashed under a random key, since they come from outside; the visible order does not depend on it, so a
 * simulation stays the same for the same seed. At most MAP_ENTRIES_MAX entries; more is a programmer's error.
 */
#include "base/map.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"

#define MAP_ENTRIES_MAX (1u << 30)
#define MAP_FIRST_SLOTS 16u

struct entry {
	uint64_t id; /* the number, or the hash of the string */
	char *key;   /* owned; NULL for numbers */
	size_t key_len;
	void *value;
};

struct table {
	struct entry *entries;
	uint32_t *slots;            /* index + 1 of an entry, 0: free */
	size_t len, cap, slots_len; /* slots_len: 0 or a power of two, at least 2 * len */
};

struct map64 {
	struct table t;
};

struct maps {
	struct table t;
	unsigned char hash_key[crypto_shorthash_KEYBYTES];
};

/* One-to-one, so that numbers which differ keep differing. */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9u;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static bool entry_is(const struct entry *e, uint64_t id, struct str key)
{
	return e->id == id && e->key_len == key.n &&
		(key.n == 0 || memcmp(e->key, key.p, key.n) == 0);
}

/* The slot that holds the key, or the free one where it would go. */
static size_t table_slot(const struct table *t, uint64_t id, struct str key)
{
	size_t at = (size_t)mix(id) & (t->slots_len - 1);

	while (t->slots[at] && !entry_is(&t->entries[t->slots[at] - 1], id, key))
		at = (at + 1) & (t->slots_len - 1);
	return at;
}

static void table_grow(struct table *t)
{
	REQUIRE(t->len < MAP_ENTRIES_MAX);
	if (t->len == t->cap) {
		t->cap = t->cap ? t->cap * 2 : MAP_FIRST_SLOTS / 2;
		t->entries = x_realloc(t->entries, t->cap, sizeof(*t->entries));
	}
	if ((t->len + 1) * 2 <= t->slots_len)
		return;
	free(t->slots);
	t->slots_len = t->slots_len ? t->slots_len * 2 : MAP_FIRST_SLOTS;
	t->slots = x_calloc(t->slots_len, sizeof(*t->slots));
	for (size_t i = 0; i < t->len; i++) {
		size_t at = (size_t)mix(t->entries[i].id) & (t->slots_len - 1);
		while (t->slots[at])
			at = (at + 1) & (t->slots_len - 1);
		t->slots[at] = (uint32_t)i + 1;
	}
}

static void *table_get(const struct table *t, uint64_t id, struct str key)
{
	if (t->len == 0)
		return NULL;
	uint32_t i = t->slots[table_slot(t, id, key)];
	return i ? t->entries[i - 1].value : NULL;
}

static void *table_put(struct table *t, uint64_t id, struct str key, bool copy_key, void *value)
{
	REQUIRE(value != NULL);
	table_grow(t);
	size_t at = table_slot(t, id, key);
	if (t->slots[at]) {
		struct entry *e = &t->entries[t->slots[at] - 1];
		void *old = e->value;
		e->value = value;
		return old;
	}

	struct entry *e = &t->entries[t->len];
	*e = (struct entry){ .id = id, .key_len = key.n, .value = value };
	if (copy_key) {
		e->key = x_calloc(key.n + 1, 1);
		if (key.n)
			memcpy(e->key, key.p, key.n);
	}
	t->slots[at] = (uint32_t)++t->len;
	return NULL;
}

/* Empties a slot and closes the gap, so that no search stops early. */
static void slot_clear(struct table *t, size_t at)
{
	size_t mask = t->slots_len - 1, next = at;

	for (;;) {
		next = (next + 1) & mask;
		if (!t->slots[next])
			break;
		size_t home = (size_t)mix(t->entries[t->slots[next] - 1].id) & mask;
		if (((next - home) & mask) < ((next - at) & mask))
			continue; /* already as near to its home as it can be */
		t->slots[at] = t->slots[next];
		at = next;
	}
	t->slots[at] = 0;
}

static void *table_del(struct table *t, uint64_t id, struct str key)
{
	if (t->len == 0)
		return NULL;
	size_t at = table_slot(t, id, key);
	if (!t->slots[at])
		return NULL;

	size_t hole = t->slots[at] - 1, last = t->len - 1;
	void *old = t->entries[hole].value;
	slot_clear(t, at);
	free(t->entries[hole].key);
	if (hole != last) {
		const struct entry *e = &t->entries[last];
		at = table_slot(t, e->id, (struct str){ e->key, e->key_len });
		t->slots[at] = (uint32_t)hole + 1;
		t->entries[hole] = *e;
	}
	t->len--;
	return old;
}

static void table_done(struct table *t)
{
	for (size_t i = 0; i < t->len; i++)
		free(t->entries[i].key);
	free(t->entries);
	free(t->slots);
}

struct map64 *map64_new(void)
{
	return x_calloc(1, sizeof(struct map64));
}

void map64_free(struct map64 *m)
{
	if (!m)
		return;
	table_done(&m->t);
	free(m);
}

void *map64_get(const struct map64 *m, uint64_t key)
{
	return table_get(&m->t, key, (struct str){ 0 });
}

void *map64_put(struct map64 *m, uint64_t key, void *value)
{
	return table_put(&m->t, key, (struct str){ 0 }, false, value);
}

void *map64_del(struct map64 *m, uint64_t key)
{
	return table_del(&m->t, key, (struct str){ 0 });
}

size_t map64_count(const struct map64 *m)
{
	return m->t.len;
}

bool map64_next(const struct map64 *m, size_t *cursor, uint64_t *ret_key, void **ret_value)
{
	if (*cursor >= m->t.len)
		return false;
	const struct entry *e = &m->t.entries[(*cursor)++];
	if (ret_key)
		*ret_key = e->id;
	if (ret_value)
		*ret_value = e->value;
	return true;
}

struct maps *maps_new(void)
{
	struct maps *m = x_calloc(1, sizeof(*m));

	randombytes_buf(m->hash_key, sizeof(m->hash_key));
	return m;
}

void maps_free(struct maps *m)
{
	if (!m)
		return;
	table_done(&m->t);
	free(m);
}

static uint64_t maps_hash(const struct maps *m, struct str key)
{
	uint64_t h;

	_Static_assert(sizeof(h) == crypto_shorthash_BYTES, "one word of hash");
	crypto_shorthash((unsigned char *)&h, (const unsigned char *)key.p, key.n, m->hash_key);
	return h;
}

void *maps_get(const struct maps *m, struct str key)
{
	return m->t.len ? table_get(&m->t, maps_hash(m, key), key) : NULL;
}

void *maps_put(struct maps *m, struct str key, void *value)
{
	return table_put(&m->t, maps_hash(m, key), key, true, value);
}

void *maps_del(struct maps *m, struct str key)
{
	return table_del(&m->t, maps_hash(m, key), key);
}

size_t maps_count(const struct maps *m)
{
	return m->t.len;
}

bool maps_next(const struct maps *m, size_t *cursor, struct str *ret_key, void **ret_value)
{
	if (*cursor >= m->t.len)
		return false;
	const struct entry *e = &m->t.entries[(*cursor)++];
	if (ret_key)
		*ret_key = (struct str){ e->key, e->key_len };
	if (ret_value)
		*ret_value = e->value;
	return true;
}
