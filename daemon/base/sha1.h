/* sha1.h - SHA-1, only because some providers sign their calls with HMAC-SHA-1. Nothing of our own may rest on it.
 * Thread: any.
 */
#ifndef LANTOA_BASE_SHA1_H
#define LANTOA_BASE_SHA1_H

#include <stddef.h>
#include <stdint.h>

#define SHA1_LEN       20
#define SHA1_BLOCK_LEN 64

struct sha1 {
	uint32_t h[5];
	uint64_t total; /* bytes so far */
	uint8_t block[SHA1_BLOCK_LEN];
};

void sha1_init(struct sha1 *s);
void sha1_add(struct sha1 *s, const void *p, size_t n);
void sha1_end(struct sha1 *s, uint8_t ret[static SHA1_LEN]);

#endif
