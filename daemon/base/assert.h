/* assert.h - checks that stay on in every build.
 * REQUIRE is for programmer errors only: it logs to stderr and aborts; restart and recovery are the answer.
 * Input, configuration, adapter data and the disk get error returns instead, never a REQUIRE.
 */
#ifndef LANTOA_BASE_ASSERT_H
#define LANTOA_BASE_ASSERT_H

#include <stdint.h>

_Noreturn void require_failed(const char *expr, const char *file, int line, const char *func);

#define REQUIRE(expr)                                                        \
	do {                                                                 \
		if (__builtin_expect(!(expr), 0))                            \
			require_failed(#expr, __FILE__, __LINE__, __func__); \
	} while (0)

/* An object that travels through a void * carries `uint32_t magic` as its first member. */
#define CHECK_OBJ(p, m)                     \
	do {                                \
		REQUIRE((p) != NULL);       \
		REQUIRE((p)->magic == (m)); \
	} while (0)

#define BIT(n)       (1u << (unsigned)(n))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define UNUSED(x)    ((void)(x))

#endif
