/* dispatch_mirror.c - a sealed copy of each rotated credential outside of the database, so that a restored backup finds the pair
 * that is good today and not the spent one of last night. One file a credential: tag, nonce, box; its names are associated data.
 * Thread: any worker, blocking. Failures: said and returned; the store's own copy does not depend on it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "dispatch/dispatch_cred_internal.h"

#define MIRROR_TAG "lantoa-token-mirror 1\n"
#define HEAD       (sizeof(MIRROR_TAG) - 1)
#define FILE_MAX   (HEAD + BOX_NONCE_LEN + BOX_TAG_LEN + CRED_SET_MAX + 64)

/* Letters and digits stay; the rest is written by its number, so that no two names share a file. */
static void name_part(struct buf *b, const char *s)
{
	for (; *s; s++) {
		bool plain = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
			(*s >= '0' && *s <= '9') || *s == '-' || *s == '_';
		if (plain)
			(void)buf_addc(b, *s);
		else
			(void)buf_addf(b, "%%%02X", (unsigned char)*s);
	}
}

static void file_name(struct buf *b, const char *dir, const char *channel, const char *name)
{
	buf_init(b, 4096);
	(void)buf_addf(b, "%s/", dir);
	name_part(b, channel);
	(void)buf_addc(b, '.');
	name_part(b, name);
	(void)buf_addz(b, ".token");
}

static void ad_of(struct buf *b, const char *channel, const char *name)
{
	buf_init(b, 512);
	(void)buf_addf(b, "lantoa-token-mirror-1 %s/%s", channel, name);
}

int mirror_write(const char *dir, const struct keyring *k, const char *channel, const char *name,
	const struct mirror_set *m, struct err *e)
{
	struct buf path CLEANUP_BUF, ad CLEANUP_BUF, plain, out CLEANUP_BUF;
	struct str set = secret_value(m->set);
	uint8_t nonce[BOX_NONCE_LEN];

	file_name(&path, dir, channel, name);
	ad_of(&ad, channel, name);
	buf_init(&out, FILE_MAX);
	buf_init(&plain, CRED_SET_MAX + 64);
	if (buf_addf(&plain, "%020" PRId64 "%020" PRId64 "%020" PRId64, m->version, m->expires_ms,
		    m->changed_ms) ||
		buf_add(&plain, set.p, set.n) ||
		buf_reserve(&out, HEAD + BOX_NONCE_LEN + plain.n + BOX_TAG_LEN)) {
		buf_done(&plain);
		return err_set(e, -E2BIG, "%s: too large for the mirror", buf_z(&path));
	}
	int rc = box_seal(
		k, buf_str(&plain), buf_str(&ad), nonce, (uint8_t *)out.p + HEAD + BOX_NONCE_LEN);
	size_t n = HEAD + BOX_NONCE_LEN + plain.n + BOX_TAG_LEN;
	wipe(plain.p, plain.n);
	buf_done(&plain);
	if (rc)
		return err_set(e, rc, "%s: cannot be sealed", buf_z(&path));
	memcpy(out.p, MIRROR_TAG, HEAD);
	memcpy(out.p + HEAD, nonce, sizeof(nonce));
	rc = dir_make(dir, 0700, e);
	return rc ? rc : file_write_durable(buf_z(&path), (struct str){ out.p, n }, 0600, e);
}

static int number(struct str *rest, int64_t *ret)
{
	if (rest->n < 20)
		return -EBADMSG;
	int rc = str_i64((struct str){ rest->p, 20 }, 0, INT64_MAX, ret);
	rest->p += 20;
	rest->n -= 20;
	return rc;
}

static int open_box(const struct keyring *k, struct str all, struct str ad, struct mirror_set *ret)
{
	size_t head = HEAD + BOX_NONCE_LEN;

	if (all.n < head + BOX_TAG_LEN + 60 || memcmp(all.p, MIRROR_TAG, HEAD) != 0)
		return -EBADMSG;
	struct str box = { all.p + head, all.n - head };
	size_t n = box.n - BOX_TAG_LEN;
	uint8_t *plain = x_calloc(1, n + 1);
	int rc = box_open(k, box, ad, (const uint8_t *)all.p + HEAD, plain);
	struct str rest = { (char *)plain, n };
	if (rc == 0)
		rc = number(&rest, &ret->version);
	if (rc == 0)
		rc = number(&rest, &ret->expires_ms);
	if (rc == 0)
		rc = number(&rest, &ret->changed_ms);
	if (rc == 0) {
		ret->set = secret_new(rest);
		rc = ret->set ? 0 : -ENOMEM;
	}
	wipe(plain, n + 1);
	free(plain);
	return rc;
}

int mirror_read(const char *dir, const struct keyring *k, const char *channel, const char *name,
	struct mirror_set *ret, struct err *e)
{
	struct buf path CLEANUP_BUF, ad CLEANUP_BUF, all CLEANUP_BUF;
	struct mirror_set m = { 0 };

	file_name(&path, dir, channel, name);
	ad_of(&ad, channel, name);
	buf_init(&all, FILE_MAX);
	int rc = file_read(buf_z(&path), &all, e);
	if (rc)
		return rc;
	rc = open_box(k, buf_str(&all), buf_str(&ad), &m);
	if (rc)
		return err_set(e, rc, "%s: not a mirror of '%s/%s' under the present master key",
			buf_z(&path), channel, name);
	*ret = m;
	return 0;
}
