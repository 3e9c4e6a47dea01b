/* sha1.c - SHA-1 after FIPS 180-4, for HMACs that a provider demands. Broken for signatures: never for our own names or MACs.
 * Thread: any, pure. Owns nothing.
 */
#include "base/sha1.h"

#include <string.h>

static uint32_t rotate(uint32_t x, unsigned by)
{
	return x << by | x >> (32 - by);
}

static void sha1_block(uint32_t h[static 5], const uint8_t p[static SHA1_BLOCK_LEN])
{
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

	for (size_t i = 0; i < 16; i++)
		w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 |
			(uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
	for (size_t i = 16; i < 80; i++)
		w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);

	for (size_t i = 0; i < 80; i++) {
		uint32_t f, k;
		if (i < 20) {
			f = (b & c) | (~b & d);
			k = 0x5a827999;
		} else if (i < 40) {
			f = b ^ c ^ d;
			k = 0x6ed9eba1;
		} else if (i < 60) {
			f = (b & c) | (b & d) | (c & d);
			k = 0x8f1bbcdc;
		} else {
			f = b ^ c ^ d;
			k = 0xca62c1d6;
		}
		uint32_t next = rotate(a, 5) + f + e + k + w[i];
		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = next;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

void sha1_init(struct sha1 *s)
{
	*s = (struct sha1){ .h = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 } };
}

void sha1_add(struct sha1 *s, const void *p, size_t n)
{
	const uint8_t *in = p;
	size_t held = (size_t)(s->total % SHA1_BLOCK_LEN);

	s->total += n;
	while (n) {
		size_t take = SHA1_BLOCK_LEN - held < n ? SHA1_BLOCK_LEN - held : n;
		memcpy(s->block + held, in, take);
		held += take;
		in += take;
		n -= take;
		if (held == SHA1_BLOCK_LEN) {
			sha1_block(s->h, s->block);
			held = 0;
		}
	}
}

void sha1_end(struct sha1 *s, uint8_t ret[static SHA1_LEN])
{
	static const uint8_t pad[SHA1_BLOCK_LEN] = { 0x80 };
	uint64_t bits = s->total * 8;
	size_t held = (size_t)(s->total % SHA1_BLOCK_LEN);
	uint8_t tail[8];

	for (size_t i = 0; i < 8; i++)
		tail[i] = (uint8_t)(bits >> (56 - 8 * i));
	sha1_add(s, pad, held < 56 ? 56 - held : 120 - held);
	sha1_add(s, tail, sizeof(tail));
	for (size_t i = 0; i < SHA1_LEN; i++)
		ret[i] = (uint8_t)(s->h[i / 4] >> (24 - 8 * (i % 4)));
}
