/* crypt.c - hashes, MACs, sealed boxes and secrets.
 * Thread: any once crypt_init has run. Owns: nothing but the memory of secrets.
 * Failures: -EBADMSG for a box that does not open; nothing tells why, on purpose.
 */
#include "base/crypt.h"

#include <string.h>
#include "base/assert.h"
#include "base/crypt_internal.h"
#include "base/sha1.h"

/* The first word of a hasher says what it is; the state of libsodium follows. */
#define HASHER_SHA256 0x5348413235360001u
#define HASHER_HMAC   0x484d414332350002u

_Static_assert(sizeof(crypto_hash_sha256_state) + 8 <= sizeof(struct hasher), "hash state fits");
_Static_assert(sizeof(crypto_auth_hmacsha256_state) + 8 <= sizeof(struct hasher), "MAC state fits");
_Static_assert(crypto_hash_sha256_BYTES == HASH_LEN, "length of a hash");
_Static_assert(crypto_auth_hmacsha256_BYTES == HASH_LEN, "length of a MAC");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES == BOX_NONCE_LEN, "length of a nonce");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_ABYTES == BOX_TAG_LEN, "length of a tag");

int crypt_init(void)
{
	return sodium_init() < 0 ? -ENOSYS : 0;
}

void hash_bytes(struct hash *ret, const void *p, size_t n)
{
	(void)crypto_hash_sha256(ret->b, p, n);
}

static crypto_hash_sha256_state *hasher_sha256(struct hasher *h)
{
	REQUIRE(h->opaque[0] == HASHER_SHA256);
	return (crypto_hash_sha256_state *)(void *)&h->opaque[1];
}

static crypto_auth_hmacsha256_state *hasher_hmac(struct hasher *h)
{
	REQUIRE(h->opaque[0] == HASHER_HMAC);
	return (crypto_auth_hmacsha256_state *)(void *)&h->opaque[1];
}

void hasher_init(struct hasher *h)
{
	h->opaque[0] = HASHER_SHA256;
	(void)crypto_hash_sha256_init(hasher_sha256(h));
}

void hasher_add(struct hasher *h, const void *p, size_t n)
{
	if (n == 0)
		return;
	if (h->opaque[0] == HASHER_HMAC)
		(void)crypto_auth_hmacsha256_update(hasher_hmac(h), p, n);
	else
		(void)crypto_hash_sha256_update(hasher_sha256(h), p, n);
}

void hasher_field(struct hasher *h, const void *p, size_t n)
{
	uint8_t len[8];

	for (size_t i = 0; i < 8; i++)
		len[i] = (uint8_t)((uint64_t)n >> (56 - 8 * i));
	hasher_add(h, len, sizeof(len));
	hasher_add(h, p, n);
}

void hasher_end(struct hasher *h, struct hash *ret)
{
	(void)crypto_hash_sha256_final(hasher_sha256(h), ret->b);
	wipe(h, sizeof(*h));
}

int hash_cmp(const struct hash *a, const struct hash *b)
{
	return sodium_memcmp(a->b, b->b, HASH_LEN);
}

void hash_hex(const struct hash *h, char ret[static HASH_HEX])
{
	hex_encode(ret, h->b, HASH_LEN);
}

int hash_from_hex(struct str hex, struct hash *ret)
{
	return hex.n == 2 * (size_t)HASH_LEN ? hex_decode(hex, ret->b, HASH_LEN, NULL) : -EINVAL;
}

static const uint8_t *key_for(const struct keyring *k, enum key_use use)
{
	REQUIRE(k != NULL && (int)use > 0 && (int)use < KEY_USES);
	return k->sub[use];
}

void mac_init(struct hasher *h, const struct keyring *k, enum key_use use)
{
	h->opaque[0] = HASHER_HMAC;
	(void)crypto_auth_hmacsha256_init(hasher_hmac(h), key_for(k, use), sizeof(k->sub[0]));
}

void mac_end(struct hasher *h, struct hash *ret)
{
	(void)crypto_auth_hmacsha256_final(hasher_hmac(h), ret->b);
	wipe(h, sizeof(*h));
}

void mac_bytes(const struct keyring *k, enum key_use use, const void *p, size_t n, struct hash *ret)
{
	struct hasher h;

	mac_init(&h, k, use);
	hasher_add(&h, p, n);
	mac_end(&h, ret);
}

int box_seal(const struct keyring *k, struct str plain, struct str ad,
	uint8_t nonce[static BOX_NONCE_LEN], uint8_t *ret_box)
{
	if (plain.n > SIZE_MAX - BOX_TAG_LEN)
		return -E2BIG;
	randombytes_buf(nonce, BOX_NONCE_LEN);
	int r = crypto_aead_xchacha20poly1305_ietf_encrypt(ret_box, NULL,
		(const unsigned char *)plain.p, plain.n, (const unsigned char *)ad.p, ad.n, NULL,
		nonce, key_for(k, KEY_SECRET));
	return r ? -EINVAL : 0;
}

int box_open(const struct keyring *k, struct str box, struct str ad,
	const uint8_t nonce[static BOX_NONCE_LEN], uint8_t *ret_plain)
{
	if (box.n < BOX_TAG_LEN)
		return -EBADMSG;
	int r = crypto_aead_xchacha20poly1305_ietf_decrypt(ret_plain, NULL, NULL,
		(const unsigned char *)box.p, box.n, (const unsigned char *)ad.p, ad.n, nonce,
		key_for(k, KEY_SECRET));
	return r ? -EBADMSG : 0;
}

/* The numbers that adapters use; a test holds them to the ABI's header, which base must not see. */
enum { MAC_HMAC_SHA256 = 1, MAC_SHA256 = 2, MAC_HMAC_SHA1 = 3 };

static void hmac_sha256_raw(struct str key, const struct str *parts, size_t n, uint8_t *ret)
{
	crypto_auth_hmacsha256_state st;

	(void)crypto_auth_hmacsha256_init(&st, (const unsigned char *)key.p, key.n);
	for (size_t i = 0; i < n; i++)
		(void)crypto_auth_hmacsha256_update(
			&st, (const unsigned char *)parts[i].p, parts[i].n);
	(void)crypto_auth_hmacsha256_final(&st, ret);
	wipe(&st, sizeof(st));
}

/* A plain digest of parts and then key: the form of providers that know no HMAC. */
static void sha256_raw(struct str key, const struct str *parts, size_t n, uint8_t *ret)
{
	crypto_hash_sha256_state st;

	(void)crypto_hash_sha256_init(&st);
	for (size_t i = 0; i < n; i++)
		(void)crypto_hash_sha256_update(&st, (const unsigned char *)parts[i].p, parts[i].n);
	(void)crypto_hash_sha256_update(&st, (const unsigned char *)key.p, key.n);
	(void)crypto_hash_sha256_final(&st, ret);
	wipe(&st, sizeof(st));
}

static void hmac_sha1_raw(struct str key, const struct str *parts, size_t n, uint8_t *ret)
{
	uint8_t pad[SHA1_BLOCK_LEN] = { 0 }, inner[SHA1_LEN];
	struct sha1 s;

	sha1_init(&s);
	if (key.n > sizeof(pad)) {
		sha1_add(&s, key.p, key.n);
		sha1_end(&s, pad);
	} else if (key.n) {
		memcpy(pad, key.p, key.n);
	}

	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36;
	sha1_init(&s);
	sha1_add(&s, pad, sizeof(pad));
	for (size_t i = 0; i < n; i++)
		sha1_add(&s, parts[i].p, parts[i].n);
	sha1_end(&s, inner);

	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36 ^ 0x5c;
	sha1_init(&s);
	sha1_add(&s, pad, sizeof(pad));
	sha1_add(&s, inner, sizeof(inner));
	sha1_end(&s, ret);
	wipe(pad, sizeof(pad));
	wipe(&s, sizeof(s));
}

int mac_raw(
	uint32_t alg, struct str key, const struct str *parts, size_t n, uint8_t *ret, size_t size)
{
	size_t len = alg == MAC_HMAC_SHA1 ? SHA1_LEN : HASH_LEN;

	if (alg < MAC_HMAC_SHA256 || alg > MAC_HMAC_SHA1 || size < len)
		return -EINVAL;
	if (alg == MAC_HMAC_SHA256)
		hmac_sha256_raw(key, parts, n, ret);
	else if (alg == MAC_SHA256)
		sha256_raw(key, parts, n, ret);
	else
		hmac_sha1_raw(key, parts, n, ret);
	return (int)len;
}

void wipe(void *p, size_t n)
{
	sodium_memzero(p, n);
}

struct secret {
	size_t n;
	char value[]; /* NUL-terminated */
};

struct secret *secret_new(struct str value)
{
	if (value.n > SIZE_MAX / 2)
		return NULL;
	/* a guard page ends the block, so its size must keep the start aligned */
	size_t size = (sizeof(struct secret) + value.n + 1 + 15) / 16 * 16;
	struct secret *s = sodium_malloc(size);

	if (!s)
		return NULL;
	s->n = value.n;
	if (value.n)
		memcpy(s->value, value.p, value.n);
	memset(s->value + value.n, 0, size - sizeof(*s) - value.n);
	(void)sodium_mprotect_readonly(s);
	return s;
}

struct str secret_value(const struct secret *s)
{
	return s ? (struct str){ s->value, s->n } : (struct str){ 0 };
}

void secret_free(struct secret *s)
{
	sodium_free(s);
}
