/* zalo_test.h - a scripted host with the adapter in it, as the unit tests of the Zalo adapter need it. */
#ifndef LANTOA_TESTS_ZALO_TEST_H
#define LANTOA_TESTS_ZALO_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/crypt.h"
#include "lib/scene_oa.h"
#include "zalo/zalo_op.h"
#include "zalo/zalo_prepare.h"

static inline struct sh *host_new(void)
{
	return oa_host();
}

/* For teardowns: not 0 when the adapter misused its host. */
static inline int host_over(struct sh *h)
{
	int bad = h->misuse;

	if (bad)
		(void)fprintf(stderr, "misuse: %s\n", h->misuse_text);
	sh_free(h);
	return bad;
}

static inline int made_by(struct sh *h, struct sh_made *m, const struct lt_content *in)
{
	sh_made_init(m, h);
	return lantoa_adapter.prepare(&h->conf, in, &m->sink);
}

#define S(z) ((struct lt_str){ (z), strlen(z) })
/* The last call; there is one. */
static inline struct sh_http *last_call(struct sh *h)
{
	if (h->n_http == 0)
		abort();
	return &h->http[h->n_http - 1];
}

static inline void answer(struct sh *h, const char *body)
{
	sh_answer(h, h->n_http - 1, LT_P_ANSWERED, 200, body);
	sh_turn(h);
	sh_turn(h);
}

/* Sections 1.2, 1.5 and 9 have vectors: with the true digest the bytes are those. */
static inline void true_digest(
	uint32_t alg, const char *key, const void *p, size_t n, uint8_t ret[32])
{
	struct str part = { p, n };
	struct hash plain;

	hash_bytes(&plain, p, n);
	memcpy(ret, plain.b, sizeof(plain.b));
	if (alg == LT_MAC_HMAC_SHA256 && mac_raw(alg, str_of(key), &part, 1, ret, 32) != 32)
		abort();
}

#endif
