/* dispatch_ref.c - names that leave the house: the ref of a copy, and the token of an unsubscribe link.
 * Thread: any (pure; the store's identity and keys are constant). Owns: nothing.
 * Ref: 64 bits delivery, 32 bits MAC over database and delivery: 20 letters of base32, good in a Message-ID or a VERP address.
 * Token: contact, list, 80 bits of MAC. Failures: a forged or foreign one reads as false. */
#include <string.h>
#include "base/crypt.h"
#include "dispatch/dispatch_internal.h"

#define REF_RAW   12
#define UNSUB_RAW 26

static void put64(uint8_t *p, int64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)((uint64_t)v >> (56 - 8 * i));
}

static int64_t get64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

static void tag(
	const struct store *s, enum key_use use, const uint8_t *p, size_t n, struct hash *ret)
{
	struct hasher h;

	mac_init(&h, store_keys(s), use);
	hasher_field(&h, store_uuid(s), 16);
	hasher_field(&h, p, n);
	mac_end(&h, ret);
}

void ref_make(const struct store *s, int64_t delivery, char ret[static REF_LEN + 1])
{
	uint8_t raw[REF_RAW];
	struct hash h;

	put64(raw, delivery);
	tag(s, KEY_REF, raw, 8, &h);
	memcpy(raw + 8, h.b, 4);
	REQUIRE(base32_encode(ret, REF_LEN + 1, raw, sizeof(raw)) == REF_LEN);
}

bool ref_read(const struct store *s, struct str ref, int64_t *ret_delivery)
{
	uint8_t raw[REF_RAW + 4];
	struct hash h;
	size_t n = 0;

	if (ref.n != REF_LEN || base32_decode(ref, raw, sizeof(raw), &n) != 0 || n != REF_RAW)
		return false;
	tag(s, KEY_REF, raw, 8, &h);
	if (memcmp(raw + 8, h.b, 4) != 0)
		return false;
	*ret_delivery = get64(raw);
	return true;
}

void unsub_make(const struct store *s, int64_t contact, int64_t list, char ret[static UNSUB_MAX])
{
	uint8_t raw[UNSUB_RAW];
	struct hash h;

	put64(raw, contact);
	put64(raw + 8, list);
	tag(s, KEY_UNSUBSCRIBE, raw, 16, &h);
	memcpy(raw + 16, h.b, UNSUB_RAW - 16);
	REQUIRE(base32_encode(ret, UNSUB_MAX, raw, sizeof(raw)) > 0);
}

bool unsub_read(const struct store *s, struct str token, int64_t *ret_contact, int64_t *ret_list)
{
	uint8_t raw[UNSUB_RAW + 4];
	struct hash h;
	size_t n = 0;
	unsigned diff = 0;

	if (token.n < 40 || token.n >= UNSUB_MAX ||
		base32_decode(token, raw, sizeof(raw), &n) != 0 || n != UNSUB_RAW)
		return false;
	tag(s, KEY_UNSUBSCRIBE, raw, 16, &h);
	for (int i = 0; i < UNSUB_RAW - 16; i++)
		diff |= (unsigned)(raw[16 + i] ^ h.b[i]);
	if (diff)
		return false;
	*ret_contact = get64(raw);
	*ret_list = get64(raw + 8);
	return true;
}
