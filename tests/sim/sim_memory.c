/* sim_memory.c - SQLite's memory in the simulation: lists of free blocks by size in an arena that parent and children share, so that a
 * child finds its pages there and the kernel clears none anew. An epoch begins with an empty arena; a crash drops all of it. Sizes are
 * those that SQLite's own allocator reports. With a sanitizer SQLite keeps the C library's, which the sanitizer watches.
 * Thread: one, as in all of the simulation: SQLite takes no locks. Owns: the arena, kept from seed to seed.
 * Bound: ARENA_BYTES of address space; a run that needs more is ended.
 */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "base/assert.h"
#include "sim.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_MEMORY 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define OWN_MEMORY 0
#endif
#endif
#ifndef OWN_MEMORY
#define OWN_MEMORY 1
#endif

#define ARENA_BYTES ((size_t)1 << 30)
#define AROUND      ((size_t)64 << 10) /* what a read fault maps at once */
#define SMALL       1024 /* up to here a list for each 16 bytes, beyond four a doubling */
#define CLASSES     (SMALL / 16 + 1 + 4 * 21)

struct block { /* before the bytes that SQLite has */
	uint32_t size, class;
	struct block *next; /* while it is free; else SQLite's */
};
#define HEAD offsetof(struct block, next)

static uint8_t *arena;
static size_t used, mapped; /* of this process */
static struct block *unused[CLASSES];

/* Its number, and how many bytes a block of it has. */
static uint32_t class_of(size_t n, size_t *ret_bytes)
{
	if (n <= SMALL) {
		*ret_bytes = (n + 15) / 16 * 16;
		return (uint32_t)((n + 15) / 16);
	}
	unsigned bit = 63u - (unsigned)__builtin_clzll(n - 1); /* 2^bit <= n - 1 */
	size_t quarter = (size_t)1 << (bit - 2), over = (n - 1) >> (bit - 2);
	*ret_bytes = (over + 1) * quarter;
	return SMALL / 16 + 1 + (bit - 10) * 4 + (uint32_t)(over - 4);
}

/* A first write would map one page; a read maps those around it that are there, to be written too. */
static void touch(size_t end)
{
	for (; mapped < end; mapped += AROUND)
		(void)*(volatile const uint8_t *)(arena + mapped);
}

static void *m_alloc(int n)
{
	size_t size = ((size_t)n + 7) / 8 * 8, bytes;
	uint32_t class = class_of(size, &bytes);
	REQUIRE(class < CLASSES);
	struct block *b = unused[class];
	if (b) {
		unused[class] = b->next;
	} else {
		bytes = (bytes + HEAD + 15) / 16 * 16;
		REQUIRE(bytes <= ARENA_BYTES - used);
		touch(used + bytes);
		b = (struct block *)(void *)(arena + used);
		used += bytes;
		b->class = class;
	}
	b->size = (uint32_t)size;
	return (uint8_t *)b + HEAD;
}

static struct block *block_of(void *p)
{
	return (struct block *)(void *)((uint8_t *)p - HEAD);
}

static void m_free(void *p)
{
	struct block *b = block_of(p);
	b->next = unused[b->class];
	unused[b->class] = b;
}

static int m_size(void *p)
{
	return p ? (int)block_of(p)->size : 0;
}

static void *m_realloc(void *p, int n)
{
	struct block *b = block_of(p);
	size_t size = ((size_t)n + 7) / 8 * 8, bytes;
	if (class_of(size, &bytes) == b->class) {
		b->size = (uint32_t)size;
		return p;
	}
	void *ret = m_alloc(n);
	memcpy(ret, p, b->size < size ? b->size : size);
	m_free(p);
	return ret;
}

static int m_roundup(int n)
{
	return (n + 7) / 8 * 8;
}

static int m_init(void *arg)
{
	UNUSED(arg);
	return SQLITE_OK;
}

static void m_shutdown(void *arg)
{
	UNUSED(arg);
}

void *sim_memory_take(size_t n)
{
	REQUIRE(n > 0 && n < INT32_MAX / 2);
	return OWN_MEMORY ? m_alloc((int)n) : x_calloc(n, 1);
}

void sim_memory_give(void *p)
{
	if (!OWN_MEMORY)
		free(p);
	else if (p)
		m_free(p);
}

void sim_memory_empty(void)
{
	if (arena || !OWN_MEMORY)
		return;
	arena = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	REQUIRE(arena != MAP_FAILED);
}

void sim_memory_register(void)
{
	static const sqlite3_mem_methods own = { .xMalloc = m_alloc,
		.xFree = m_free,
		.xRealloc = m_realloc,
		.xSize = m_size,
		.xRoundup = m_roundup,
		.xInit = m_init,
		.xShutdown = m_shutdown };
	REQUIRE(sqlite3_config(SQLITE_CONFIG_SINGLETHREAD) == SQLITE_OK);
	REQUIRE(sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK);
	if (OWN_MEMORY)
		REQUIRE(sqlite3_config(SQLITE_CONFIG_MALLOC, &own) == SQLITE_OK);
}
