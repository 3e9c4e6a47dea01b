/* crypt.h - hashes, keyed hashes and sealed boxes on libsodium. crypt_init once at start; the rest is thread-safe.
 * SHA-256 names assets and manifests; MACs are HMAC-SHA-256 under sub-keys derived from the one master key, which lives
 * outside the database; boxes are XChaCha20-Poly1305 with associated data.
 */
#ifndef LANTOA_BASE_CRYPT_H
#define LANTOA_BASE_CRYPT_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "base/str.h"

#define HASH_LEN      32
#define HASH_HEX      (2 * HASH_LEN + 1)
#define BOX_NONCE_LEN 24
#define BOX_TAG_LEN   16

struct hash {
	uint8_t b[HASH_LEN];
};
struct hasher {
	uint64_t opaque[32];
};

int crypt_init(void) MUST_CHECK; /* 0 or -ENOSYS */
void hash_bytes(struct hash *ret, const void *p, size_t n);
void hasher_init(struct hasher *h);
void hasher_add(struct hasher *h, const void *p, size_t n);
/* Length as 8 bytes big-endian, then the bytes: fields cannot run into each other. */
void hasher_field(struct hasher *h, const void *p, size_t n);
void hasher_end(struct hasher *h, struct hash *ret);
int hash_cmp(const struct hash *a, const struct hash *b); /* constant time; 0 when equal */
void hash_hex(const struct hash *h, char ret[static HASH_HEX]);
int hash_from_hex(struct str hex, struct hash *ret) MUST_CHECK;

void hex_encode(char *dst, const void *p, size_t n); /* 2n + 1 bytes */
int hex_decode(struct str hex, void *dst, size_t dst_len, size_t *ret_n) MUST_CHECK;
size_t base32_encode(char *dst, size_t size, const void *p,
	size_t n); /* lower case, no padding, NUL; returns length, 0 if no room */
int base32_decode(
	struct str s, void *dst, size_t dst_len, size_t *ret_n) MUST_CHECK; /* either case */
size_t base64_encode(char *dst, size_t size, const void *p,
	size_t n); /* standard alphabet, padded, NUL; 0 if no room */
int base64_decode(struct str s, void *dst, size_t dst_len, size_t *ret_n)
	MUST_CHECK; /* padded, nothing else in it; not for secrets: its time depends on the bytes */
/* CRLF lines of 76 columns, as MIME wants; `col` carries the state between calls whose lengths are multiples of 57. */
size_t base64_lines_len(size_t n);
size_t base64_lines(char *dst, const void *p, size_t n);

/* Keys: one master of 32 bytes in locked memory, left out of cores; sub-keys by purpose. */
enum key_use {
	KEY_APPROVAL = 1,
	KEY_AUDIT = 2,
	KEY_SECRET = 3,
	KEY_PERSONAL = 4, /* suppression and log hashes */
	KEY_REF = 5,
	KEY_UNSUBSCRIBE = 6,
	KEY_ASSET_URL = 7
};
struct keyring; /* opaque; owned by main, shared read-only by all threads */
int keyring_load(const char *path, struct keyring **ret, struct err *e)
	MUST_CHECK; /* 64 hex digits or 32 bytes; mode 0600 or 0400 (or root:root 0440), else refused */
int keyring_create(
	const char *path, struct err *e) MUST_CHECK; /* makes a new key file 0600; -EEXIST */
struct keyring *keyring_of(const uint8_t master[static 32]); /* for tests */
void keyring_free(struct keyring *k);
DEFINE_CLEANUP(keyring_free, struct keyring *)
uint32_t keyring_id(
	const struct keyring *k); /* stable id of the master key: says which key a box needs */
void mac_init(struct hasher *h, const struct keyring *k, enum key_use use);
void mac_end(struct hasher *h, struct hash *ret); /* between: hasher_add / hasher_field */
void mac_bytes(
	const struct keyring *k, enum key_use use, const void *p, size_t n, struct hash *ret);
int box_seal(const struct keyring *k, struct str plain, struct str ad,
	uint8_t nonce[static BOX_NONCE_LEN],
	uint8_t *ret_box /* plain.n + BOX_TAG_LEN */) MUST_CHECK;
int box_open(const struct keyring *k, struct str box, struct str ad,
	const uint8_t nonce[static BOX_NONCE_LEN], uint8_t *ret_plain /* box.n - BOX_TAG_LEN */)
	MUST_CHECK; /* -EBADMSG when forged or of another key */
/* HMAC with a raw key for adapters: alg as LT_MAC_*. Returns length or -EINVAL. */
int mac_raw(uint32_t alg, struct str key, const struct str *parts, size_t n, uint8_t *ret,
	size_t size) MUST_CHECK;
void wipe(void *p, size_t n);

/* A secret in locked memory: has no printer on purpose. */
struct secret;
struct secret *secret_new(struct str value);     /* copies; NULL when memory is out */
struct str secret_value(const struct secret *s); /* borrowed */
void secret_free(struct secret *s);
DEFINE_CLEANUP(secret_free, struct secret *)

#endif
